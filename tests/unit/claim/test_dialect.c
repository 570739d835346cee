/* SPDX-License-Identifier: Apache-2.0 */
/* Every generation and dialect of names gives the same view; nothing is guessed, originals stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "claim/dialect.h"
#include "claim/span.h"

#define ATTRS_MAX 16

struct named {
	const char *key;
	const char *value;
};

/* Normalises a span with these attributes (ended by a NULL key). */
static struct ww_span view(uint8_t kind, const struct named *named)
{
	static struct ww_attr attrs[ATTRS_MAX];
	struct ww_span s = {.kind = kind, .attrs = attrs};

	for (; named->key; named++) {
		assert_true(s.attr_count < ATTRS_MAX);
		attrs[s.attr_count++] =
			(struct ww_attr){.key = named->key, .value = named->value, .type = 1};
	}
	ww_span_normalise(&s);
	return s;
}

#define VIEW(...) view(3, (const struct named[]){__VA_ARGS__, {NULL, NULL}})

/* --- must not -----------------------------------------------------------------------------------
 */

static void nothing_is_guessed(void **state)
{
	struct ww_span s =
		VIEW({"server.port", "no number"}, {"gen_ai.usage.input_tokens", "-5"},
		     {"gen_ai.usage.output_tokens", "1.5"}, {"openinference.span.kind", "CHAIN"},
		     {"mcp.method.name", "tools/list"}, {"traceloop.span.kind", "task"},
		     {"traceloop.entity.name", "a task"}, {"gen_ai.request.model", ""},
		     {"gen_ai.usage.input_tokens_", "5"}, {"xgen_ai.tool.name", "t"});

	assert_int_equal(s.role, WW_SPAN_OTHER);
	assert_int_equal(s.server_port, 0);
	assert_false(s.usage_in_present);
	assert_false(s.usage_out_present);
	assert_string_equal(s.operation, "");
	assert_string_equal(s.tool_name, "");
	assert_string_equal(s.agent_name, "");
	assert_string_equal(s.model_asked, "");
	assert_int_equal(s.conflicts, 0);
	s = view(0, (const struct named[]){{NULL, NULL}});
	assert_int_equal(s.generation, 0);
	assert_int_equal(s.role, WW_SPAN_OTHER);
}

static void zero_is_not_absent(void **state)
{
	struct ww_span s = VIEW({"gen_ai.usage.input_tokens", "0"});

	assert_true(s.usage_in_present);
	assert_true(s.usage_in == 0);
	assert_false(s.usage_out_present);
	s = VIEW({"gen_ai.usage.input_tokens", "0"}, {"gen_ai.usage.prompt_tokens", "9"});
	assert_true(s.usage_in == 0);
	assert_int_equal(s.conflicts, 1u << WW_SPAN_FIELD_USAGE_IN);
}

/* --- generations --------------------------------------------------------------------------------
 */

static void assert_model_call(const struct ww_span *s, const char *provider, unsigned generation)
{
	assert_int_equal(s->role, WW_SPAN_MODEL);
	assert_string_equal(s->provider, provider);
	assert_string_equal(s->model_asked, "asked");
	assert_true(s->usage_in_present && s->usage_in == 11);
	assert_true(s->usage_out_present && s->usage_out == 7);
	assert_int_equal(s->generation, generation);
	assert_int_equal(s->conflicts, 0);
}

static void generations(void **state)
{
	struct ww_span s;

	s = VIEW({"gen_ai.system", "vertex_ai"}, {"gen_ai.request.model", "asked"},
		 {"gen_ai.usage.prompt_tokens", "11"}, {"gen_ai.usage.completion_tokens", "7"},
		 {"gen_ai.prompt", "text"});
	assert_model_call(&s, "gcp.vertex_ai", 1);
	assert_string_equal(s.operation, "");

	s = VIEW({"gen_ai.system", "az.ai.openai"}, {"gen_ai.operation.name", "chat"},
		 {"gen_ai.request.model", "asked"}, {"gen_ai.usage.input_tokens", "11"},
		 {"gen_ai.usage.output_tokens", "7"}, {"gen_ai.openai.request.seed", "1"});
	assert_model_call(&s, "azure.ai.openai", 2);
	assert_string_equal(s.operation, "chat");

	s = VIEW({"gen_ai.provider.name", "gcp.gemini"},
		 {"gen_ai.operation.name", "generate_content"}, {"gen_ai.request.model", "asked"},
		 {"gen_ai.response.model", "served"}, {"gen_ai.usage.input_tokens", "11"},
		 {"gen_ai.usage.output_tokens", "7"}, {"gen_ai.input.messages", "[]"},
		 {"gen_ai.response.id", "r-1"});
	assert_model_call(&s, "gcp.gemini", 3);
	assert_string_equal(s.model_served, "served");
	assert_string_equal(s.response_id, "r-1");

	s = VIEW({"gen_ai.provider.name", "openai"}, {"gen_ai.operation.name", "text_completion"},
		 {"gen_ai.request.model", "asked"}, {"gen_ai.usage.input_tokens", "11"},
		 {"gen_ai.usage.output_tokens", "7"},
		 {"gen_ai.usage.cache_write.input_tokens", "3"});
	assert_model_call(&s, "openai", 4);
}

static void marks_of_generations(void **state)
{
	static const struct {
		const char *key;
		unsigned generation;
	} marks[] = {
		{"gen_ai.completion", 1},
		{"gen_ai.prompt.0.content", 1},
		{"gen_ai.request.temperature", 1},
		{"gen_ai.output.type", 2},
		{"gen_ai.openai.response.service_tier", 2},
		{"openai.response.service_tier", 3},
		{"gen_ai.system_instructions", 3},
		{"gen_ai.usage.cache_creation.input_tokens", 3},
		{"gen_ai.tool.call.arguments", 3},
		{"mcp.protocol.version", 3},
		{"gen_ai.prompt.version", 4},
		{"gen_ai.retrieval.top_k", 4},
		{"gen_ai.request.previous_response.id", 4},
		{"gen_ai.conversation.compacted", 4},
		{"http.request.method", 0},
		{"llm.model_name", 0},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(marks); i++) {
		struct ww_span s = VIEW({marks[i].key, "v"});

		assert_int_equal(s.generation, marks[i].generation);
	}
}

static void newest_wins(void **state)
{
	/* Old names first: the order in the span is of no matter. */
	struct ww_span s =
		VIEW({"gen_ai.system", "openai"}, {"gen_ai.usage.prompt_tokens", "1"},
		     {"gen_ai.usage.completion_tokens", "7"}, {"gen_ai.provider.name", "anthropic"},
		     {"gen_ai.usage.input_tokens", "2"}, {"gen_ai.usage.output_tokens", "7"},
		     {"server.port", "443"}, {"net.peer.port", "8443"});

	assert_string_equal(s.provider, "anthropic");
	assert_true(s.usage_in == 2 && s.usage_out == 7);
	assert_int_equal(s.server_port, 443);
	assert_int_equal(s.conflicts, 1u << WW_SPAN_FIELD_PROVIDER | 1u << WW_SPAN_FIELD_USAGE_IN |
					      1u << WW_SPAN_FIELD_SERVER_PORT);
	/* Two spellings of one provider are no conflict. */
	s = VIEW({"gen_ai.system", "gemini"}, {"gen_ai.provider.name", "gcp.gemini"});
	assert_int_equal(s.conflicts, 0);
	s = VIEW({"gen_ai.system", "Anthropic"}, {"gen_ai.provider.name", "anthropic"});
	assert_int_equal(s.conflicts, 0);
}

/* --- operations and roles -----------------------------------------------------------------------
 */

static void roles(void **state)
{
	static const struct {
		const char *key;
		const char *value;
		enum ww_span_role role;
	} cases[] = {
		{"gen_ai.operation.name", "chat", WW_SPAN_MODEL},
		{"gen_ai.operation.name", "generate_content", WW_SPAN_MODEL},
		{"gen_ai.operation.name", "text_completion", WW_SPAN_MODEL},
		{"gen_ai.operation.name", "embeddings", WW_SPAN_MODEL},
		{"gen_ai.operation.name", "execute_tool", WW_SPAN_TOOL},
		{"gen_ai.operation.name", "invoke_agent", WW_SPAN_AGENT},
		{"gen_ai.operation.name", "invoke_workflow", WW_SPAN_AGENT},
		{"gen_ai.operation.name", "create_agent", WW_SPAN_OTHER},
		{"gen_ai.operation.name", "retrieval", WW_SPAN_OTHER},
		{"gen_ai.operation.name", "chat generate_content", WW_SPAN_OTHER},
		{"gen_ai.operation.name", "cha", WW_SPAN_OTHER},
		{"mcp.method.name", "tools/call", WW_SPAN_TOOL},
		{"openinference.span.kind", "LLM", WW_SPAN_MODEL},
		{"openinference.span.kind", "EMBEDDING", WW_SPAN_MODEL},
		{"openinference.span.kind", "TOOL", WW_SPAN_TOOL},
		{"openinference.span.kind", "AGENT", WW_SPAN_AGENT},
		{"openinference.span.kind", "RETRIEVER", WW_SPAN_OTHER},
		{"traceloop.span.kind", "tool", WW_SPAN_TOOL},
		{"traceloop.span.kind", "agent", WW_SPAN_AGENT},
		{"traceloop.span.kind", "workflow", WW_SPAN_AGENT},
		{"llm.request.type", "chat", WW_SPAN_MODEL},
		{"llm.request.type", "completion", WW_SPAN_MODEL},
		{"gen_ai.tool.name", "refund", WW_SPAN_TOOL},
		{"http.request.method", "POST", WW_SPAN_HTTP},
		{"http.method", "POST", WW_SPAN_HTTP},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_span s = VIEW({cases[i].key, cases[i].value});

		assert_int_equal(s.role, cases[i].role);
	}
	/* An HTTP server span is not ours to judge. */
	assert_int_equal(
		view(2, (const struct named[]){{"http.request.method", "POST"}, {NULL, NULL}}).role,
		WW_SPAN_OTHER);
}

static void mcp_and_tool_in_one(void **state)
{
	struct ww_span s =
		VIEW({"mcp.method.name", "tools/call"}, {"gen_ai.operation.name", "execute_tool"},
		     {"gen_ai.tool.name", "refund"}, {"gen_ai.tool.call.id", "call_1"},
		     {"error.type", "tool_error"}, {"network.transport", "pipe"});

	assert_int_equal(s.role, WW_SPAN_TOOL);
	assert_string_equal(s.operation, "execute_tool");
	assert_string_equal(s.tool_name, "refund");
	assert_string_equal(s.tool_call_id, "call_1");
	assert_string_equal(s.error_type, "tool_error");
	assert_int_equal(s.conflicts, 0);
}

/* --- other dialects -----------------------------------------------------------------------------
 */

static void openinference(void **state)
{
	struct ww_span s =
		VIEW({"openinference.span.kind", "LLM"}, {"llm.provider", "azure"},
		     {"llm.system", "openai"}, {"llm.model_name", "served or asked"},
		     {"llm.request.model_name", "asked"}, {"llm.response.model_name", "served"},
		     {"llm.token_count.prompt", "11"}, {"llm.token_count.completion", "7"},
		     {"session.id", "conv"}, {"llm.input_messages.0.message.content", "secret"});

	assert_int_equal(s.role, WW_SPAN_MODEL);
	assert_string_equal(s.operation, "chat");
	assert_string_equal(s.provider, "azure");
	assert_string_equal(s.model_asked, "asked");
	assert_string_equal(s.model_served, "served");
	assert_string_equal(s.conversation_id, "conv");
	assert_true(s.usage_in == 11 && s.usage_out == 7);
	assert_int_equal(s.conflicts, 0);
	assert_int_equal(s.generation, 0);
	s = VIEW({"openinference.span.kind", "TOOL"}, {"tool.name", "refund"},
		 {"tool_call.id", "call_1"}, {"tool.id", "else"});
	assert_int_equal(s.role, WW_SPAN_TOOL);
	assert_string_equal(s.tool_name, "refund");
	assert_string_equal(s.tool_call_id, "call_1");
	assert_int_equal(s.conflicts, 0);
}

static void traceloop(void **state)
{
	struct ww_span s =
		VIEW({"traceloop.span.kind", "tool"}, {"traceloop.entity.name", "refund"});

	assert_int_equal(s.role, WW_SPAN_TOOL);
	assert_string_equal(s.tool_name, "refund");
	assert_string_equal(s.agent_name, "");
	s = VIEW({"traceloop.span.kind", "workflow"}, {"traceloop.entity.name", "joke"});
	assert_int_equal(s.role, WW_SPAN_AGENT);
	assert_string_equal(s.tool_name, "");
	assert_string_equal(s.agent_name, "joke");
	s = VIEW({"gen_ai.system", "OpenAI"}, {"llm.request.type", "chat"},
		 {"gen_ai.request.model", "asked"}, {"gen_ai.usage.prompt_tokens", "11"},
		 {"gen_ai.usage.completion_tokens", "7"}, {"gen_ai.prompt.0.role", "user"});
	assert_model_call(&s, "openai", 1);
}

static void anthropic(void **state)
{
	struct ww_span s = VIEW({"anthropic.request.id", "req_1"},
				{"anthropic.message.stop_reason", "end_turn"});

	assert_string_equal(s.provider, "anthropic");
	assert_string_equal(s.request_id, "req_1");
	/* A gateway's own word for the provider is not contradicted by it. */
	s = VIEW({"anthropic.request.id", "req_1"}, {"gen_ai.provider.name", "aws.bedrock"});
	assert_string_equal(s.provider, "aws.bedrock");
	assert_int_equal(s.conflicts, 0);
}

/* --- the rest -----------------------------------------------------------------------------------
 */

static void peers(void **state)
{
	struct ww_span s = VIEW({"net.peer.name", "old.example"}, {"net.peer.port", "80"},
				{"net.peer.ip", "10.0.0.1"});

	assert_string_equal(s.server_address, "old.example");
	assert_int_equal(s.server_port, 80);
	assert_string_equal(s.peer_address, "10.0.0.1");
	s = VIEW({"server.address", "new.example"}, {"server.port", "65536"},
		 {"network.peer.address", "::1"});
	assert_string_equal(s.server_address, "new.example");
	assert_int_equal(s.server_port, 0);
	assert_string_equal(s.peer_address, "::1");
}

static void regions(void **state)
{
	struct ww_span s = VIEW({"cloud.region", "eu-west-1"});

	assert_string_equal(s.region, "eu-west-1");
	assert_int_equal(s.conflicts, 0);
	s = VIEW({"aws.region", "us-east-1"});
	assert_string_equal(s.region, "us-east-1");
	s = VIEW({"aws.region", "us-east-1"}, {"cloud.region", "us-east-1"});
	assert_int_equal(s.conflicts, 0);
	s = VIEW({"aws.region", "us-east-1"}, {"cloud.region", "eu-west-1"});
	assert_string_equal(s.region, "eu-west-1");
	assert_int_equal(s.conflicts, 1u << WW_SPAN_FIELD_REGION);
}

static void long_values_are_cut(void **state)
{
	char text[400];
	struct ww_span s;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	s = VIEW({"gen_ai.tool.name", text}, {"server.address", text},
		 {"gen_ai.operation.name", text}, {"tool.name", text});
	assert_int_equal(strlen(s.tool_name), sizeof(s.tool_name) - 1);
	assert_int_equal(strlen(s.server_address), sizeof(s.server_address) - 1);
	assert_int_equal(strlen(s.operation), sizeof(s.operation) - 1);
	/* Cut alike is no conflict. */
	assert_int_equal(s.conflicts, 0);
}

static void twice_is_the_same(void **state)
{
	struct ww_span s = VIEW({"gen_ai.system", "openai"}, {"gen_ai.provider.name", "x"},
				{"gen_ai.usage.input_tokens", "5"}, {"gen_ai.tool.name", "first"},
				{"gen_ai.tool.name", "second"});
	struct ww_span again = s;

	assert_string_equal(s.tool_name, "first");
	assert_string_equal(ww_span_attr(&s, "gen_ai.tool.name"), "first");
	assert_string_equal(ww_span_attr(&s, "gen_ai.system"), "openai");
	assert_null(ww_span_attr(&s, "gen_ai.systems"));
	ww_span_normalise(&again);
	assert_memory_equal(&s, &again, sizeof(s));
}

static void what_may_be_kept(void **state)
{
	static const char *const kept[] = {
		"gen_ai.operation.name",
		"gen_ai.usage.input_tokens",
		"gen_ai.usage.anything",
		"gen_ai.tool.name",
		"gen_ai.prompt.name",
		"anthropic.request.id",
		"llm.token_count.prompt_details.cache_read",
		"http.response.status_code",
		"openai.api.type",
	};
	static const char *const content[] = {
		"gen_ai.prompt",
		"gen_ai.completion",
		"gen_ai.prompt.0.content",
		"gen_ai.input.messages",
		"gen_ai.tool.call.arguments",
		"gen_ai.tool.call.result",
		"gen_ai.tool.description",
		"gen_ai.request.stop_sequences",
		"input.value",
		"output.value",
		"llm.input_messages.0.message.content",
		"traceloop.entity.input",
		"url.full",
		"http.url",
		"mcp.session.id",
		"anthropic.unknown",
		"exception.message",
		"",
		"user.id",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(kept); i++)
		assert_true(ww_dialect_keeps(kept[i]));
	for (size_t i = 0; i < WW_ARRAY_SIZE(content); i++)
		assert_false(ww_dialect_keeps(content[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_guessed),
		cmocka_unit_test(zero_is_not_absent),
		cmocka_unit_test(generations),
		cmocka_unit_test(marks_of_generations),
		cmocka_unit_test(newest_wins),
		cmocka_unit_test(roles),
		cmocka_unit_test(mcp_and_tool_in_one),
		cmocka_unit_test(openinference),
		cmocka_unit_test(traceloop),
		cmocka_unit_test(anthropic),
		cmocka_unit_test(peers),
		cmocka_unit_test(regions),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(twice_is_the_same),
		cmocka_unit_test(what_may_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
