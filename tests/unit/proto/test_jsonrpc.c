/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC over a channel: what is one exchange, what is none, and what is said of what was lost.
 */
#include "rig.h"

#include "proto/jsonrpc.h"

static struct ww_channel channel;

static void begin(struct rig *r, uint64_t body_bytes_max)
{
	rig_begin(r, body_bytes_max);
	channel = (struct ww_channel){.program = "/bin/server"};
	r->f.channel = &channel;
	r->f.seen_birth = true;
	r->f.t_open.ns = 1;
}

#define REQ(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\"}\n"
#define RESULT(id)      "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":" id "}\n"
#define FAILURE(id) \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":-1,\"message\":\"m\"}}\n"
#define NOTE(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\"}\n"

static const struct ww_exchange *got(const struct rig *r, unsigned i)
{
	assert_true(i < r->count);
	return &r->got[i].x;
}

static void assert_body(const struct ww_body *b, const char *text)
{
	assert_int_equal(b->data.n, strlen(text));
	assert_memory_equal(b->data.p, text, b->data.n);
	assert_true(b->whole);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		enum ww_parse answer;
		enum ww_rpc_kind kind;
	} cases[] = {
		{REQ("1", "a"), WW_PARSE_DONE, WW_RPC_REQUEST},
		{REQ("\"x\"", "a"), WW_PARSE_DONE, WW_RPC_REQUEST},
		{NOTE("a"), WW_PARSE_DONE, WW_RPC_NOTIFICATION},
		{REQ("null", "a"), WW_PARSE_DONE, WW_RPC_NOTIFICATION},
		{RESULT("1"), WW_PARSE_DONE, WW_RPC_RESPONSE},
		{FAILURE("1"), WW_PARSE_DONE, WW_RPC_RESPONSE},
		{"", WW_PARSE_MORE, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":1", WW_PARSE_MORE, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{\"x", WW_PARSE_DONE,
		 WW_RPC_REQUEST},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x", WW_PARSE_DONE, WW_RPC_RESPONSE},
		{"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":{", WW_PARSE_MORE, 0},
		{"{\"result\":{\"x\":\"y", WW_PARSE_MORE, 0},
		{"{}", WW_PARSE_BAD, 0},
		{"[]", WW_PARSE_BAD, 0},
		{"7", WW_PARSE_BAD, 0},
		{"{\"id\":1,\"method\":\"a\"}", WW_PARSE_BAD, 0},
		{"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"a\"}", WW_PARSE_BAD, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"a\"}", WW_PARSE_BAD, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", WW_PARSE_BAD, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":1}", WW_PARSE_BAD, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"id\":2}", WW_PARSE_BAD, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"m\\u0065thod\":\"b\"}",
		 WW_PARSE_BAD, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"} x", WW_PARSE_BAD, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"result\":{}}", WW_PARSE_BAD, 0},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{},\"method\":\"a\"}", WW_PARSE_BAD, 0},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_rpc_message m = {0};

		assert_int_equal(ww_rpc_message_parse(ww_slice_str(cases[i].text), &m),
				 cases[i].answer);
		if (cases[i].answer == WW_PARSE_DONE)
			assert_int_equal(m.kind, cases[i].kind);
	}
}

static void test_a_session(void **state)
{
	struct rig r;

	begin(&r, 0);
	rig_out(&r, REQ("0", "initialize"));
	rig_in(&r, RESULT("0"));
	rig_out(&r, NOTE("notifications/initialized"));
	rig_out(&r, REQ("1", "tools/call"));
	rig_in(&r, NOTE("notifications/message"));
	rig_in(&r, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"roots/list\"}\n");
	rig_out(&r, RESULT("7")); /* the agent answers the server */
	rig_in(&r, FAILURE("1"));
	assert_int_equal(r.count, 2);
	assert_string_equal(got(&r, 0)->method, "initialize");
	assert_int_equal(got(&r, 1)->outcome, WW_X_COMPLETE);
	assert_string_equal(got(&r, 1)->method, "tools/call");
	assert_string_equal(got(&r, 1)->program, "/bin/server");
	assert_true(got(&r, 1)->channel && got(&r, 1)->client);
	assert_body(&got(&r, 1)->req, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}");
	assert_int_equal(channel.since.ns, r.f.t_open.ns);
	assert_false(channel.strange);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 2);
	rig_end(&r);
}

static void test_in_flight_and_in_batches(void **state)
{
	struct rig r;

	begin(&r, 0);
	rig_out(&r, REQ("1", "a") REQ("\"1\"", "b") REQ("2", "c"));
	rig_in(&r, RESULT("2") RESULT("\"1\"") RESULT("1"));
	assert_int_equal(r.count, 3);
	assert_string_equal(got(&r, 0)->method, "c");
	assert_string_equal(got(&r, 1)->method, "b");
	assert_string_equal(got(&r, 2)->method, "a");
	rig_out(&r, "[{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"d\"}, "
		    "{\"jsonrpc\":\"2.0\",\"method\":\"n\"},"
		    "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"e\"}]\n");
	rig_in(&r, "[{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":1},"
		   "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":2}]\n");
	assert_int_equal(r.count, 5);
	assert_string_equal(got(&r, 3)->method, "e");
	assert_body(&got(&r, 3)->resp, "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":1}");
	assert_string_equal(got(&r, 4)->method, "d");
	/* Half a batch is not known, so none of it is. */
	rig_out(&r, "[{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"f\"},7]\n");
	assert_int_equal(r.count, 6);
	assert_int_equal(got(&r, 5)->outcome, WW_X_UNPARSED);
	assert_int_equal(channel.since.ns, 0);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	rig_end(&r);
}

static void test_the_same_id_twice(void **state)
{
	struct rig r;

	begin(&r, 0);
	rig_out(&r, REQ("1", "a") REQ("1", "b"));
	rig_in(&r, RESULT("1") RESULT("1"));
	assert_int_equal(r.count, 0);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(got(&r, i)->outcome, WW_X_UNPARSED);
	rig_end(&r);
}

/* What a lost range of the agent may have held, and that the next line is a message again. */
static void test_gap_of_the_agent(void **state)
{
	struct rig r;

	begin(&r, 0);
	rig_out(&r, REQ("1", "initialize"));
	rig_out(&r, "{\"jsonrpc\":\"2.0\",\"id\":2,");
	rig_gap(&r, WW_DIR_OUT, 100);
	assert_int_equal(r.count, 1);
	assert_int_equal(got(&r, 0)->outcome, WW_X_REQUEST_CUT);
	assert_true(got(&r, 0)->findings & WW_X_GAP_REQUEST);
	assert_int_equal(channel.since.ns, 0);
	rig_out(&r, "\"method\":\"a\"}\n" REQ("3", "b"));
	assert_int_not_equal(channel.since.ns, 0);
	rig_in(&r, RESULT("2") RESULT("3"));
	assert_int_equal(r.count, 3);
	assert_int_equal(got(&r, 1)->outcome, WW_X_UNPARSED); /* nobody was seen to ask */
	assert_true(got(&r, 1)->findings & WW_X_RESPONSE_FIRST);
	assert_string_equal(got(&r, 2)->method, "b");
	assert_int_equal(got(&r, 2)->outcome, WW_X_COMPLETE);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(got(&r, 3)->outcome, WW_X_UNPARSED); /* or it was meant */
	rig_end(&r);
}

/* Whoever waits may have been answered in what was lost. */
static void test_gap_of_the_server(void **state)
{
	struct rig r;

	begin(&r, 0);
	rig_out(&r, REQ("1", "a") REQ("2", "b"));
	rig_gap(&r, WW_DIR_IN, 40);
	rig_in(&r, "tail\n" RESULT("2"));
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 2);
	assert_int_equal(got(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(got(&r, 1)->outcome, WW_X_UNPARSED);
	assert_true(got(&r, 1)->findings & WW_X_GAP_RESPONSE);
	rig_end(&r);
}

/* The bytes of a line were not taken, but its end is known. */
static void test_line_behind_a_gap(void **state)
{
	struct rig r;

	begin(&r, 0);
	channel.line[WW_DIR_OUT] = 50;
	rig_gap(&r, WW_DIR_OUT, 50);
	rig_out(&r, REQ("1", "a"));
	rig_in(&r, RESULT("1"));
	assert_int_equal(r.count, 2);
	assert_string_equal(got(&r, 1)->method, "a");
	assert_int_equal(got(&r, 1)->outcome, WW_X_COMPLETE);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	rig_end(&r);
}

static void test_ends(void **state)
{
	static const struct {
		enum ww_close_how how;
		bool rings;
		enum ww_exchange_outcome outcome;
	} cases[] = {
		{WW_CLOSE_FIN_PEER, false, WW_X_NO_REPLY},
		{WW_CLOSE_RST_PEER, false, WW_X_RESET},
		{WW_CLOSE_OPEN, false, WW_X_OPEN},
		{WW_CLOSE_FIN_PEER, true, WW_X_UNPARSED},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct rig r;

		begin(&r, 0);
		rig_out(&r, REQ("1", "a"));
		rig_in(&r, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"half");
		channel.rings = cases[i].rings;
		rig_close(&r, cases[i].how);
		assert_int_equal(r.count, 1);
		assert_int_equal(got(&r, 0)->outcome, cases[i].outcome);
		rig_end(&r);
	}
}

static void test_half_a_request(void **state)
{
	struct rig r;

	begin(&r, 0);
	rig_out(&r, "{\"jsonrpc\":\"2.0\",");
	assert_int_equal(channel.loose, 17);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 1);
	assert_int_equal(got(&r, 0)->outcome, WW_X_REQUEST_CUT);
	rig_end(&r);
}

/* Beyond the cap: the id may stand behind it. */
static void test_ceiling(void **state)
{
	static char line[4096];
	struct rig r;

	begin(&r, 256);
	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":\"%0800d\"}\n", 7);
	rig_out(&r, line);
	snprintf(line, sizeof(line), "{\"result\":\"%0800d\",\"jsonrpc\":\"2.0\",\"id\":1}\n", 7);
	rig_in(&r, line);
	assert_int_equal(r.count, 0);
	snprintf(line, sizeof(line), "{\"method\":\"a\",\"params\":\"%0800d\",\"id\":2}\n", 7);
	rig_out(&r, line);
	assert_int_equal(r.count, 1);
	assert_int_equal(got(&r, 0)->outcome, WW_X_UNPARSED);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 3);
	assert_int_equal(got(&r, 1)->outcome, WW_X_UNPARSED);
	assert_true(got(&r, 1)->findings & WW_X_TRUNCATED_RESPONSE);
	assert_string_equal(got(&r, 1)->method, "a");
	assert_false(got(&r, 1)->req.whole);
	rig_end(&r);
}

static void test_many_waiting(void **state)
{
	char line[96];
	struct rig r;

	begin(&r, 0);
	for (unsigned i = 0; i < WW_PIPELINE_MAX + 1; i++) {
		snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"a\"}\n",
			 i);
		rig_out(&r, line);
	}
	assert_int_equal(r.count, 1);
	assert_int_equal(got(&r, 0)->outcome, WW_X_UNPARSED);
	assert_true(got(&r, 0)->findings & WW_X_LIMIT);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, WW_PIPELINE_MAX + 1);
	rig_end(&r);
}

/* An answer to what nobody was seen to ask, though nothing is missing: calls go unseen. */
static void test_strange(void **state)
{
	struct rig r;

	begin(&r, 0);
	rig_out(&r, REQ("1", "initialize"));
	rig_in(&r, "a banner\n" RESULT("1"));
	assert_false(channel.strange);
	rig_in(&r, RESULT("2"));
	assert_true(channel.strange);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	rig_end(&r);
	begin(&r, 0);
	r.f.seen_birth = false; /* then it was asked before */
	rig_in(&r, RESULT("2"));
	assert_false(channel.strange);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	rig_end(&r);
}

/* A call without an id asks for no answer, and a server may carry it out all the same. */
static void test_call_without_id(void **state)
{
	static const char *const calls[] = {NOTE("tools/call"), NOTE("tools\\/call"),
					    REQ("null", "tools/call"),
					    "[" NOTE("tools/call") "]\n"};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(calls); i++) {
		char line[96];
		struct rig r;

		begin(&r, 0);
		rig_out(&r, REQ("0", "initialize"));
		rig_in(&r, RESULT("0"));
		snprintf(line, sizeof(line), "%s", calls[i]);
		for (char *end = strchr(line, '\n'); end && end[1]; end = strchr(line, '\n'))
			*end = ' '; /* within the batch */
		rig_out(&r, line);
		assert_int_equal(r.count, 2);
		assert_int_equal(got(&r, 1)->outcome, WW_X_UNPARSED);
		rig_close(&r, WW_CLOSE_FIN_PEER);
		rig_end(&r);
	}
}

/* Readers that take a lone carriage return for the end of a line see other messages. */
static void test_carriage_return_inside(void **state)
{
	struct rig r;

	begin(&r, 0);
	rig_out(&r, REQ("0", "initialize"));
	rig_in(&r, RESULT("0"));
	rig_out(&r, "{\"jsonrpc\":\"2.0\",\"method\":\"n\",\"params\":\r"
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}\r}\n");
	assert_int_equal(r.count, 2);
	assert_int_equal(got(&r, 1)->outcome, WW_X_UNPARSED);
	rig_out(&r, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"b\"}\r\n");
	rig_in(&r, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\r\n");
	assert_int_equal(r.count, 3);
	assert_int_equal(got(&r, 2)->outcome, WW_X_COMPLETE);
	rig_out(&r, REQ("3", "c"));
	rig_in(&r, "{\"jsonrpc\":\"2.0\",\"method\":\"n\",\"params\":\r"
		   "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\r}\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 5);
	assert_string_equal(got(&r, 3)->method, "c");
	assert_int_equal(got(&r, 3)->outcome, WW_X_UNPARSED);
	rig_end(&r);
}

/* What an agent may have taken for the answer, though it is none that we can read. */
static void test_may_have_answered(void **state)
{
	static char deep[256];
	const char *const cases[] = {
		"{\"id\":1,\"result\":{}}\n",
		RESULT("\"1\""),
		RESULT("1.0"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"result\":{}}\n",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"result\":{}}\n",
		" [7, {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]\n",
		"\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n",
		"{\"jsonrpc\":\"2.0\",\n\"id\":1,\"result\":{}}\n",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", /* its line does not end */
		deep,
	};

	snprintf(deep, sizeof(deep), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":%.*s%.*s}}\n",
		 WW_JSON_DEPTH_MAX,
		 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		 WW_JSON_DEPTH_MAX,
		 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	for (unsigned i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct rig r;

		begin(&r, 0);
		rig_out(&r, REQ("1", "a"));
		rig_in(&r, cases[i]);
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_in_range(r.count, 1, 3);
		for (unsigned k = 0; k < r.count; k++)
			assert_int_equal(got(&r, k)->outcome, WW_X_UNPARSED);
		rig_end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_a_session),
		cmocka_unit_test(test_in_flight_and_in_batches),
		cmocka_unit_test(test_the_same_id_twice),
		cmocka_unit_test(test_gap_of_the_agent),
		cmocka_unit_test(test_gap_of_the_server),
		cmocka_unit_test(test_line_behind_a_gap),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_half_a_request),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_many_waiting),
		cmocka_unit_test(test_strange),
		cmocka_unit_test(test_call_without_id),
		cmocka_unit_test(test_carriage_return_inside),
		cmocka_unit_test(test_may_have_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
