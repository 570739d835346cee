/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model: what an exchange with a language model means, streaming and not. dialects.c has a row for
 * each dialect, and a file (openai.c, anthropic.c ...) each shape that their bodies have.
 *
 * Input is a client-side exchange; recognised by method, path and the shape of the bodies, never by
 * host name. Output is plain and bounded: ids, names, counts and keyed digests; no content. Text is
 * digested decoded (JSON escapes undone), so that the same words give the same digest however they
 * were written.
 *
 * What did not arrive stays absent: a truncated body or a broken stream has no usage, never zero.
 *
 * The texts of tool results are kept beside the digests, so that they can be compared with what the
 * tool answered; they live as long as the call and stand in no record.
 *
 * So does the answer's text, for the phrase rules: ww_model_read_prose() fills `said` from it.
 * Reasoning that the provider shows is looked at only for checks that it narrates.
 *
 * And the prompt's, from which action/shingles makes what finds a copy of it again.
 *
 * Conversation digests. Every message of the request except system and developer ones is reduced to
 * its role and parts (text, tool calls, tool results; cache marks and other options left out) and
 * fed to a rolling keyed digest: d[0] = HMAC(""), d[i] = HMAC(d[i-1] | role | parts).
 * `conversation` is d over all messages, `parent` the same up to, not including, the last assistant
 * message. A call continues another one when its `parent` equals the other's `conversation`.
 * `turn` is d up to and including the last user message that brings text and no tool result: all
 * calls of one turn share it, and no other turn has it unless the whole history before is the same.
 *
 * Pure, not thread safe.
 */
#pragma once

#include <wirewitness/limits.h>

#include "action/phrase.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/json_write.h"
#include "proto/exchange.h"

#define WW_MODEL_EARLIER_MAX 16

enum ww_model_provider {
	WW_MODEL_OPENAI_CHAT = 1,
	WW_MODEL_ANTHROPIC_MESSAGES = 2,
	WW_MODEL_OPENAI_RESPONSES = 3,
	WW_MODEL_AZURE_CHAT = 4,
	WW_MODEL_AZURE_RESPONSES = 5,
	WW_MODEL_GEMINI = 6,
	WW_MODEL_BEDROCK_CONVERSE = 7,
	WW_MODEL_BEDROCK_ANTHROPIC = 8,
	WW_MODEL_OLLAMA_CHAT = 9,
	WW_MODEL_OLLAMA_GENERATE = 10,
};

struct ww_model_count {
	bool present; /* false: value means nothing */
	uint64_t value;
};

/* As the provider reports it, in tokens. */
struct ww_model_usage {
	struct ww_model_count input;
	struct ww_model_count output;
	/* Part of input (OpenAI, Gemini) or beside it (Anthropic, Bedrock). */
	struct ww_model_count cache_read;
	struct ww_model_count cache_write;
	struct ww_model_count reasoning; /* only where it is counted beside output (Gemini) */
	struct ww_model_count total;     /* not of Anthropic, not of Ollama */
};

/*
 * Some dialects, or versions of them, give a tool call no id. The call is then known by its
 * exchange and its place in the answer, and a result without an id belongs to none that is known.
 */
struct ww_model_tool_call {
	char id[128]; /* empty: none */
	char name[128];
	struct ww_sha256 arguments; /* over the exact argument text as received */
	uint64_t argument_bytes;
	bool complete; /* the arguments got to their end */
	bool remote;   /* the provider executes it itself: not observable here */
};

struct ww_model_tool_result {
	char tool_call_id[128]; /* empty: none */
	char tool[128]; /* where it says instead which tool it is of; says not of which call */
	struct ww_sha256
		digest; /* over the text; of several text parts joined by LF; other parts as JSON */
	uint64_t bytes;
	bool is_error; /* as flagged; most dialects have no flag */
	bool kept;     /* its text is at ww_model_result_text() */
	size_t at;     /* in call->results */
};

/* A tool call that the request has in its history. */
struct ww_model_asked {
	char id[128];
	char name[128];
};

/*
 * Of the request, prompt, conversation, parent, turn and tool_results are only filled when
 * request_whole: in a part of it the last message is not known. Of the response, usage only when
 * response_whole.
 */
struct ww_model_call {
	uint64_t cookie; /* the exchange, see ww_exchange_id() */
	uint32_t index;
	struct ww_boot t; /* its first request byte */
	struct ww_actor_key actor;
	enum ww_model_provider provider;
	uint32_t findings; /* WW_X_MALFORMED_BODY, WW_X_CUT, WW_X_LIMIT of this decoding */
	bool stream_asked;
	bool streamed;       /* the response came in pieces */
	bool request_whole;  /* request decoded to its end */
	bool response_whole; /* response decoded to its end: usage and tool calls are all there were
			      */
	bool parent_present; /* the request holds an assistant message */
	bool prompt_present;
	bool turn_present;
	uint16_t status;
	uint32_t choices;  /* answers asked in parallel; only the first is decoded */
	uint32_t messages; /* in the request */
	char model_asked[128];
	char model_served[128];
	char response_id[128];
	char request_id[128]; /* of the HTTP response, or of an error body */
	char stop_reason[48];
	char error_type[64]; /* empty: no error */
	struct ww_model_usage usage;
	struct ww_place_claims places; /* of the bodies and the model's name, see place_claim.h */

	unsigned tool_call_count;
	unsigned tool_calls_dropped; /* beyond WW_TOOL_CALLS_MAX */

	/* Results behind the last assistant message: those that this request brings, not older
	 * history. */
	unsigned tool_result_count;
	unsigned tool_results_dropped;

	uint64_t text_bytes; /* answer text, all text parts in order, 0: none */
	struct ww_sha256 text;
	uint64_t prompt_bytes;
	struct ww_sha256 prompt; /* last user message that has text; its text parts joined by LF */
	uint64_t system_bytes;
	struct ww_sha256
		system; /* system and developer text, parts joined by LF; valid if bytes > 0 */
	uint64_t tools_bytes;
	struct ww_sha256 tools; /* JSON text of the tool declarations; valid if bytes > 0 */
	struct ww_sha256 conversation;
	struct ww_sha256 parent;
	struct ww_sha256 turn;
	struct ww_buf results; /* texts of tool_results, one behind the other */
	/* Up to WW_PROSE_BYTES_MAX: the answer's text, its blocks joined by LF; shown reasoning. */
	struct ww_buf answer, thought;

	/* What `prompt` is the digest of, up to WW_PROMPT_BYTES_MAX of it. */
	struct ww_buf prompt_text;

	/* What it claims by the rules of `phrases`, which is NULL when it was not read. */
	const struct ww_phrases *phrases;
	struct ww_phrases_said said, thoughts; /* of thoughts only controls */

	/* Calls of this turn that came before, the names of tools of earlier turns, each once. */
	unsigned turn_call_count;
	unsigned earlier_count;
	bool history_over; /* there were more of either */

	/* Last, and undefined beyond their counts: 30 KB are not cleared for one or two calls. */
	struct ww_model_tool_call tool_calls[WW_TOOL_CALLS_MAX];
	struct ww_model_tool_result tool_results[WW_TOOL_CALLS_MAX];
	struct ww_model_asked turn_calls[WW_TOOL_CALLS_MAX];
	char earlier[WW_MODEL_EARLIER_MAX][128];
};

/*
 * Decodes x, whose bodies are alive. 0 with *ret_call (caller frees); -ENOENT: not a model call;
 * -ENOMEM. Malformed JSON or streams are findings in the result, not errors.
 */
WW_CHECK int ww_model_decode(const struct ww_exchange *x, const struct ww_digest_key *key,
			     struct ww_model_call **ret_call);
void ww_model_call_free(struct ww_model_call *c);
WW_DEFINE_AUTO(struct ww_model_call, ww_model_call_free)

/* The text of r, which is one of c's results; empty unless it is kept. Borrowed from c. */
static inline struct ww_slice ww_model_result_text(const struct ww_model_call *c,
						   const struct ww_model_tool_result *r)
{
	return r->kept ? ww_slice_sub(ww_buf_slice(&c->results), r->at, r->bytes)
		       : (struct ww_slice){0};
}

/* What the answer claims, by the rules of the scanner's pack, which outlives the call. */
void ww_model_read_prose(struct ww_model_call *c, struct ww_phrase_scanner *s,
			 const struct ww_digest_key *key);

/* The name of its dialect: "openai.chat", "anthropic.messages" ... */
const char *ww_model_provider_name(enum ww_model_provider p);

/* "m-<cookie hex>-<index>"; out holds WW_EXCHANGE_ID_MAX bytes. */
void ww_model_id(const struct ww_model_call *c, char *out);

/* Writes the record body of kind "model_call" as an object. */
void ww_model_write(const struct ww_model_call *c, const struct ww_clock_map *clock,
		    struct ww_jsonw *w);
