/* SPDX-License-Identifier: Apache-2.0 */
#include "action/dialects.h"

#include "action/anthropic.h"
#include "action/bedrock.h"
#include "action/gemini.h"
#include "action/model.h"
#include "action/ollama.h"
#include "action/openai.h"
#include "action/responses.h"

/* The first row that fits stands. */
static const struct ww_dialect dialects[] = {
	{.provider = WW_MODEL_OPENAI_CHAT,
	 .name = "openai.chat",
	 .path = "/v1/chat/completions",
	 .shape = &ww_openai},
	{.provider = WW_MODEL_ANTHROPIC_MESSAGES,
	 .name = "anthropic.messages",
	 .path = "/v1/messages",
	 .shape = &ww_anthropic},
	{.provider = WW_MODEL_OPENAI_RESPONSES,
	 .name = "openai.responses",
	 .path = "/v1/responses",
	 .shape = &ww_responses,
	 .must_fit = true},
	/* The deployment decides, not the body's "model". */
	{.provider = WW_MODEL_AZURE_CHAT,
	 .name = "azure.openai.chat",
	 .path = "/openai/deployments/*/chat/completions",
	 .shape = &ww_openai,
	 .model_in_path = true,
	 .must_fit = true},
	{.provider = WW_MODEL_AZURE_RESPONSES,
	 .name = "azure.openai.responses",
	 .path = "/openai/responses",
	 .shape = &ww_responses,
	 .must_fit = true},
	/* Gateways and servers that speak OpenAI's dialect under a path of their own. */
	{.provider = WW_MODEL_OPENAI_CHAT,
	 .name = "openai.chat",
	 .path = "/chat/completions",
	 .shape = &ww_openai,
	 .must_fit = true},
	{.provider = WW_MODEL_GEMINI,
	 .name = "gemini.generate_content",
	 .path = "/models/*:generateContent",
	 .shape = &ww_gemini,
	 .asked = WW_DIALECT_NEVER,
	 .model_in_path = true,
	 .must_fit = true},
	{.provider = WW_MODEL_GEMINI,
	 .name = "gemini.generate_content",
	 .path = "/models/*:streamGenerateContent",
	 .shape = &ww_gemini,
	 .asked = WW_DIALECT_ALWAYS,
	 .pieces = WW_PIECES_ARRAY,
	 .model_in_path = true,
	 .must_fit = true},
	{.provider = WW_MODEL_BEDROCK_CONVERSE,
	 .name = "bedrock.converse",
	 .path = "/model/*/converse",
	 .shape = &ww_bedrock_converse,
	 .asked = WW_DIALECT_NEVER,
	 .model_in_path = true,
	 .must_fit = true},
	{.provider = WW_MODEL_BEDROCK_CONVERSE,
	 .name = "bedrock.converse",
	 .path = "/model/*/converse-stream",
	 .shape = &ww_bedrock_converse,
	 .asked = WW_DIALECT_ALWAYS,
	 .pieces = WW_PIECES_AWS,
	 .model_in_path = true,
	 .must_fit = true},
	{.provider = WW_MODEL_BEDROCK_ANTHROPIC,
	 .name = "bedrock.anthropic",
	 .path = "/model/*/invoke",
	 .shape = &ww_bedrock_anthropic,
	 .asked = WW_DIALECT_NEVER,
	 .model_in_path = true,
	 .must_fit = true},
	{.provider = WW_MODEL_BEDROCK_ANTHROPIC,
	 .name = "bedrock.anthropic",
	 .path = "/model/*/invoke-with-response-stream",
	 .shape = &ww_bedrock_anthropic,
	 .asked = WW_DIALECT_ALWAYS,
	 .pieces = WW_PIECES_AWS,
	 .model_in_path = true,
	 .must_fit = true},
	{.provider = WW_MODEL_OLLAMA_CHAT,
	 .name = "ollama.chat",
	 .path = "/api/chat",
	 .shape = &ww_ollama_chat,
	 .asked = WW_DIALECT_UNLESS,
	 .pieces = WW_PIECES_LINES,
	 .must_fit = true},
	{.provider = WW_MODEL_OLLAMA_GENERATE,
	 .name = "ollama.generate",
	 .path = "/api/generate",
	 .shape = &ww_ollama_generate,
	 .asked = WW_DIALECT_UNLESS,
	 .pieces = WW_PIECES_LINES,
	 .must_fit = true},
};

static bool fits(struct ww_slice path, struct ww_slice pattern, struct ww_slice *ret_star)
{
	size_t at = ww_slice_find(pattern, 0, '*'), from;
	struct ww_slice tail = ww_slice_sub(pattern, at + 1, pattern.n);

	if (at == pattern.n)
		return ww_slice_ends(path, pattern);
	if (!ww_slice_ends(path, tail))
		return false;
	path.n -= tail.n;
	for (from = path.n; from > 0 && path.p[from - 1] != '/'; from--)
		;
	if (from == path.n || !ww_slice_ends(ww_slice(path.p, from), ww_slice_sub(pattern, 0, at)))
		return false;
	*ret_star = ww_slice_sub(path, from, path.n);
	return true;
}

const struct ww_dialect *ww_dialect_of(const char *target, struct ww_slice *ret_star)
{
	struct ww_slice path = ww_slice(target, strcspn(target, "?#"));

	*ret_star = WW_SLICE_NULL;
	for (size_t i = 0; i < WW_ARRAY_SIZE(dialects); i++)
		if (fits(path, ww_slice_str(dialects[i].path), ret_star))
			return &dialects[i];
	return NULL;
}

const char *ww_dialect_name(uint32_t provider)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(dialects); i++)
		if (dialects[i].provider == provider)
			return dialects[i].name;
	return "unknown";
}
