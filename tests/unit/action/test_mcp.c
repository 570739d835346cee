/* SPDX-License-Identifier: Apache-2.0 */
#include "action/mcp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define CALL                                                                            \
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":" \
	"\"refund\",\"arguments\":{\"order\":\"o-1\"},\"_meta\":{\"traceparent\":"      \
	"\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}}}"
#define ANSWER(result) "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":" result "}"
#define TEXT(text)     "{\"type\":\"text\",\"text\":\"" text "\"}"

static struct ww_digest_key key;
static struct ww_exchange x;
static struct ww_mcp_call *c;

static int setup(void **state)
{
	ww_digest_key_init(&key, (const uint8_t *)"0123456789abcdef0123456789abcdef");
	return 0;
}

static int teardown(void **state)
{
	ww_mcp_call_free(c);
	c = NULL;
	return 0;
}

static int decode(const char *req, const char *resp, const char *type)
{
	x = (struct ww_exchange){.method = "POST", .status = 200, .cookie = 3};
	snprintf(x.req.content_type, sizeof(x.req.content_type), "application/json");
	snprintf(x.resp.content_type, sizeof(x.resp.content_type), "%s", type);
	x.req.data = ww_slice_str(req);
	x.req.whole = x.resp.whole = true;
	x.resp.data = ww_slice_str(resp);
	ww_mcp_call_free(c);
	c = NULL;
	return ww_mcp_decode(&x, &key, &c);
}

static void answers(const char *resp, enum ww_mcp_answer wanted)
{
	assert_int_equal(decode(CALL, resp, "application/json; charset=utf-8"), 0);
	if (c->answer != wanted)
		fail_msg("%s: %s", resp, ww_mcp_answer_name(c->answer));
}

static void the_call_is_read(void **state)
{
	struct ww_sha256 d;

	answers(ANSWER("{\"content\":[" TEXT("done") "]}"), WW_MCP_RESULT);
	assert_string_equal(c->tool, "refund");
	assert_true(c->trace.present);
	assert_int_equal(c->trace.span_id[7], 0x31);
	ww_digest(&key, WW_SLICE_LIT("{\"order\":\"o-1\"}"), &d);
	assert_memory_equal(&c->arguments, &d, sizeof(d));
	ww_digest(&key, WW_SLICE_LIT("done"), &d);
	assert_memory_equal(&c->digest, &d, sizeof(d));
	assert_false(c->streamed);
}

static void what_is_no_call(void **state)
{
	static const char *const other[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\",\"params\":{\"x\":\"tools/"
		"call\"}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
	};
	static const char *const unknown[] = {
		"{\"method\":\"tools/call\",\"params\":{\"name\":\"refund\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools\\/call\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\"",
		"tools/call",
		"",
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(other); i++) {
		assert_int_equal(decode(other[i], "{}", ""), -ENOENT);
		assert_true(ww_mcp_is_other(&x));
	}
	for (unsigned i = 0; i < WW_ARRAY_SIZE(unknown); i++) {
		assert_int_equal(decode(unknown[i], "{}", ""), -ENOENT);
		assert_false(ww_mcp_is_other(&x));
	}
	assert_int_equal(decode("[" CALL "]", "{}", ""), -EAGAIN);
	assert_false(ww_mcp_is_other(&x));
	assert_null(c);
	decode(CALL, "{}", "");
	x.req.whole = false;
	ww_mcp_call_free(c);
	c = NULL;
	assert_int_equal(ww_mcp_decode(&x, &key, &c), -EAGAIN);
	assert_false(ww_mcp_is_other(&x));
}

static void two_ways_to_fail(void **state)
{
	answers(ANSWER("{\"content\":[],\"isError\":true}"), WW_MCP_TOOL_ERROR);
	answers(ANSWER("{\"content\":[],\"isError\":false}"), WW_MCP_RESULT);
	answers("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32602,\"message\":\"m\"}}",
		WW_MCP_RPC_ERROR);
	assert_true(c->code_present);
	assert_int_equal(c->code, -32602);
	answers(ANSWER("{\"resultType\":\"complete\",\"content\":[]}"), WW_MCP_RESULT);
	answers(ANSWER("{\"resultType\":\"input_required\"}"), WW_MCP_INPUT_REQUIRED);
}

/* What readers would not agree on, or what answers something else, is no answer. */
static void no_answer(void **state)
{
	answers(ANSWER("{\"isError\":true,\"isError\":false}"), WW_MCP_NONE);
	answers(ANSWER("{\"content\":[],\"isError\":\"no\"}"), WW_MCP_NONE);
	answers(ANSWER("{\"content\":[],\"isError\":null}"), WW_MCP_NONE);
	answers("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":null,\"result\":{}}", WW_MCP_NONE);
	answers("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1},\"result\":{}}", WW_MCP_NONE);
	answers(ANSWER("{\"resultType\":\"complete\",\"resultType\":\"x\"}"), WW_MCP_NONE);
	answers("{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}", WW_MCP_NONE);
	answers("{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}", WW_MCP_NONE);
	answers("{\"jsonrpc\":\"2.0\",\"id\":7,\"id\":8,\"result\":{}}", WW_MCP_NONE);
	answers("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"done\"}", WW_MCP_NONE);
	answers("{\"id\":7,\"result\":{}}", WW_MCP_NONE);
	answers("<html>busy</html>", WW_MCP_NONE);
	answers("", WW_MCP_NONE);
	decode(CALL, ANSWER("{}"), "");
	assert_int_equal(c->answer, WW_MCP_RESULT);
	x.resp.whole = false;
	ww_mcp_call_free(c);
	assert_int_equal(ww_mcp_decode(&x, &key, &c), 0);
	assert_int_equal(c->answer, WW_MCP_NONE);
	x.resp.whole = true;
	x.status = 503;
	ww_mcp_call_free(c);
	assert_int_equal(ww_mcp_decode(&x, &key, &c), 0);
	assert_int_equal(c->answer, WW_MCP_NONE);
}

static void the_answer_in_a_stream(void **state)
{
	static const char stream[] =
		"event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
		"\"params\":{\"progress\":1}}\n\n"
		"data: {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"sampling/createMessage\"}\n\n"
		"data: " ANSWER("{\"content\":[" TEXT("a") "," TEXT(
			"b\\n") "]}") "\n\n"
				      "data: " ANSWER("{\"isError\":true}") "\n\n";

	assert_int_equal(decode(CALL, stream, "text/event-stream"), 0);
	assert_true(c->streamed);
	assert_int_equal(c->answer, WW_MCP_RESULT);
	assert_true(ww_slice_eq_str(ww_buf_slice(&c->text), "a\nb\n"));
	/* Cut off behind the answer it stands; before its end there is none. */
	x.resp.data = ww_slice_sub(ww_slice_str(stream), 0, sizeof(stream) - 20);
	x.resp.whole = false;
	ww_mcp_call_free(c);
	assert_int_equal(ww_mcp_decode(&x, &key, &c), 0);
	assert_int_equal(c->answer, WW_MCP_RESULT);
	x.resp.data = ww_slice_sub(ww_slice_str(stream), 0, 200);
	ww_mcp_call_free(c);
	assert_int_equal(ww_mcp_decode(&x, &key, &c), 0);
	assert_int_equal(c->answer, WW_MCP_NONE);
}

static void the_document(void **state)
{
	answers(ANSWER("{\"content\":[" TEXT("{\\\"id\\\":1}") "]}"), WW_MCP_RESULT);
	assert_true(ww_slice_eq_str(ww_mcp_document(c), "{\"id\":1}"));
	answers(ANSWER("{\"content\":[" TEXT("x") "],\"structuredContent\":{\"id\":2}}"),
		WW_MCP_RESULT);
	assert_true(ww_slice_eq_str(ww_mcp_document(c), "{\"id\":2}"));
	answers(ANSWER("{\"content\":[" TEXT("x") ",{\"type\":\"image\",\"data\":\"\"}]}"),
		WW_MCP_RESULT);
	assert_int_equal(ww_mcp_document(c).n, 0);
}

static void the_record_has_no_content(void **state)
{
	struct ww_clock_map clock = {.boot = {1}, .wall = {1}, .valid = true};
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_jsonw w;

	answers(ANSWER("{\"content\":[" TEXT(
			"secret") "],\"structuredContent\":{\"s\":\"secret\"}}"),
		WW_MCP_RESULT);
	ww_buf_init(&out, 4096);
	ww_jsonw_init(&w, &out);
	ww_mcp_write(c, &x, &clock, &w);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_null(strstr((char *)out.p, "secret"));
	assert_null(strstr((char *)out.p, "o-1"));
	assert_non_null(strstr((char *)out.p, "\"id\":\"t-3-0\""));
	assert_non_null(strstr((char *)out.p, "\"answer\":\"result\""));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_call_is_read),          T(what_is_no_call),
		T(two_ways_to_fail),          T(no_answer),
		T(the_answer_in_a_stream),    T(the_document),
		T(the_record_has_no_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
