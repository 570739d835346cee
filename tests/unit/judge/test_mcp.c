/* SPDX-License-Identifier: Apache-2.0 */
/* Tool calls by the Model Context Protocol: one path, one method, told apart by their messages. */
#include "scene.h"

#define MCP                                                       \
	"version: 1\n"                                            \
	"contracts:\n"                                            \
	"- tool: refund\n"                                        \
	"  effect: network\n"                                     \
	"  destinations: [{cidr: [10.77.2.0/24]}]\n"              \
	"  methods: [POST]\n"                                     \
	"  paths: [/mcp]\n"                                       \
	"  mcp_tool: refund_order\n"                              \
	"  success: {body: [{path: $.refused, exists: false}]}\n" \
	"  id_path: $.id\n"

#define RPC(id, method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"
#define REFUND        RPC("7", "tools/call", "{\"name\":\"refund_order\",\"arguments\":{}}")
#define ANSWER(r)     "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":" r "}"
#define DONE          "{\"content\":[],\"structuredContent\":{\"id\":\"r_9\"}}"
#define FAILED        "{\"content\":[{\"type\":\"text\",\"text\":\"no\"}],\"isError\":true}"
#define MCP_CALL(...) CALL(.target = "/mcp", __VA_ARGS__)

static void judged(const char *rpc, uint16_t status, const char *answer, bool stream,
		   const char *verdict_wanted, const char *reason, const char *evidence,
		   const char *join)
{
	struct scene *s = scene_open_with(MCP);
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);

	/* What else goes over the same path is no call of the tool. */
	MCP_CALL(.from = 1010, .to = 1020, .status = 200, .rpc = RPC("0", "initialize", "{}"),
		 .body = "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}");
	MCP_CALL(.from = 1030, .to = 1040, .status = 200,
		 .rpc = RPC("1", "tools/call", "{\"name\":\"get_order\"}"),
		 .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
	if (rpc)
		MCP_CALL(.from = 1100, .to = 1300, .status = status, .rpc = rpc, .body = answer,
			 .stream = stream);
	tell(s, &p);
	tick(s, 6000);
	expect(s, verdict_wanted, reason, evidence, join);
	scene_close(s);
}

static void test_outcomes(void **state)
{
	judged(REFUND, 200, ANSWER(DONE), false, "CONFIRMED_T1", "", "E4", "UNIQUE");
	judged(REFUND, 200, "event: message\ndata: " ANSWER(DONE) "\n\n", true, "CONFIRMED_T1", "",
	       "E4", "UNIQUE");
	judged(REFUND, 200, ANSWER(FAILED), false, "MASKED_ERROR", "", "E4", "UNIQUE");
	judged(REFUND, 200, "data: " ANSWER(FAILED) "\n\n", true, "MASKED_ERROR", "", "E4",
	       "UNIQUE");
	judged(REFUND, 200,
	       "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32602,\"message\":\"x\"}}",
	       false, "MASKED_ERROR", "", "E4", "UNIQUE");
	judged(REFUND, 503, "busy", false, "MASKED_ERROR", "", "E4", "UNIQUE");
	/* Some servers write the member that has nothing to say. */
	judged(REFUND, 200, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":null,\"result\":" DONE "}",
	       false, "UNVERIFIABLE", "BODY_UNKNOWN", "E4", "UNIQUE");
	judged(REFUND, 200,
	       "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1},\"result\":" DONE "}", false,
	       "UNVERIFIABLE", "BODY_UNKNOWN", "E4", "UNIQUE");
	judged(REFUND, 200, ANSWER("{\"content\":[],\"isError\":null}"), false, "UNVERIFIABLE",
	       "BODY_UNKNOWN", "E4", "UNIQUE");
	judged(REFUND, 200, ANSWER("{\"content\":[],\"isError\":\"false\"}"), false, "UNVERIFIABLE",
	       "BODY_UNKNOWN", "E4", "UNIQUE");
	/* A slash may be written in two ways. */
	judged(RPC("7", "tools\\/call", "{\"name\":\"refund_order\",\"arguments\":{}}"), 200,
	       ANSWER(DONE), false, "CONFIRMED_T1", "", "E4", "UNIQUE");
	/* A rule of the contract, about what the tool answered. */
	judged(REFUND, 200, ANSWER("{\"content\":[],\"structuredContent\":{\"refused\":1}}"), false,
	       "MASKED_ERROR", "", "E4", "UNIQUE");
	judged(NULL, 0, NULL, false, "NO_ACTION", "", "E0", "NONE");
}

static void test_cannot_tell(void **state)
{
	judged(REFUND, 200, "data: {\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}\n\n", true,
	       "UNVERIFIABLE", "BODY_UNKNOWN", "E4", "UNIQUE");
	judged(REFUND, 200, ANSWER("{\"isError\":true,\"isError\":false}"), false, "UNVERIFIABLE",
	       "BODY_UNKNOWN", "E4", "UNIQUE");
	/* An answer over another connection; a batch; a body that nobody can read. */
	judged(REFUND, 202, "", false, "ACTED_UNDECODED", "", "E4", "UNIQUE");
	judged("[" REFUND "]", 200, "[]", false, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
	judged(REFUND, 200, ANSWER("{\"resultType\":\"input_required\"}"), false, "UNVERIFIABLE",
	       "AMBIGUOUS_JOIN", "E0", "NONE");
}

/* The server asks for more, the client calls again with it: one call, once carried out. */
static void test_input_required(void **state)
{
	struct scene *s = scene_open_with(MCP);
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);

	MCP_CALL(.from = 1100, .to = 1200, .status = 200, .rpc = REFUND,
		 .body = ANSWER("{\"resultType\":\"input_required\"}"));
	MCP_CALL(.from = 1300, .to = 1400, .status = 200, .rpc = REFUND, .body = ANSWER(DONE));
	tell(s, &p);
	tick(s, 6000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_rule_is_named(void **state)
{
	struct scene *s = scene_open_with(MCP);
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);

	MCP_CALL(.from = 1100, .to = 1300, .status = 200, .rpc = REFUND, .body = ANSWER(FAILED));
	tell(s, &p);
	tick(s, 6000);
	json_t *r = expect(s, "MASKED_ERROR", "", "E4", "UNIQUE");

	assert_string_equal(text(wire(r), "rule"), "$.result");
	assert_string_equal(text(wire(r), "wire"), "body-failed");
	scene_close(s);
}

/* The message has a trace context of its own. */
static void test_context_in_the_message(void **state)
{
	struct scene *s = scene_open_with(MCP);
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 1010, 1990);
	char rpc[2][512], trace[33], span[17];
	const struct ww_span *of[2] = {&a, &b};

	for (unsigned i = 0; i < 2; i++) {
		ww_hex_encode(ww_slice(of[i]->trace_id, 16), trace);
		ww_hex_encode(ww_slice(of[i]->span_id, 8), span);
		snprintf(rpc[i], sizeof(rpc[i]),
			 RPC("7", "tools/call",
			     "{\"name\":\"refund_order\",\"_meta\":{\"traceparent\":"
			     "\"00-%s-%s-01\"}}"),
			 trace, span);
	}
	MCP_CALL(.from = 1100, .to = 1300, .status = 200, .rpc = rpc[0], .body = ANSWER(DONE));
	MCP_CALL(.from = 1150, .to = 1350, .status = 200, .rpc = rpc[1], .body = ANSWER(FAILED));
	tell(s, &a);
	tell(s, &b);
	tick(s, 6000);
	expect_nth(s, 0, "MASKED_ERROR", "", "E4", "EXACT"); /* b ended first */
	expect_nth(s, 1, "CONFIRMED_T1", "", "E4", "EXACT");
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_cannot_tell),
		cmocka_unit_test(test_input_required),
		cmocka_unit_test(test_rule_is_named),
		cmocka_unit_test(test_context_in_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
