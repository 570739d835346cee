/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <stdio.h>

#include <wirewitness/limits.h>

#define GET_A "GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n"
#define GET_B "GET /b HTTP/1.1\r\nHost: one.example\r\n\r\n"
#define OK_2  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static struct rig r;

static int setup(void **state)
{
	rig_begin(&r, 0);
	return 0;
}

static int teardown(void **state)
{
	rig_end(&r);
	return 0;
}

/* --- what must not be taken ----------------------------------------------------------------------
 */

/* Each is one request; none may come out as a decoded exchange, whatever follows it. */
static void must_refuse_smuggling_requests(void **state)
{
	static const char *const bad[] = {
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
		"5\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 6\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "
		"99999999999999999999999\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, "
		"identity\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 "
		"\r\nhello\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n",
		"GET / HTTP/1.1\r\n X: folded\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n: no name\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX\xff: b\r\n\r\n",
		"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.12\r\nHost: a\r\n\r\n",
		"GET / HTTPS/1.1\r\nHost: a\r\n\r\n",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		rig_again(&r, 0);
		rig_out(&r, bad[i]);
		rig_out(&r, GET_B);
		rig_in(&r, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: "
			   "close\r\n\r\n");
		rig_close(&r, WW_CLOSE_FIN_PEER);
		if (r.count == 0 || rig_x(&r, 0)->outcome != WW_X_UNPARSED ||
		    !(rig_x(&r, 0)->findings & WW_X_MALFORMED_REQUEST))
			fail_msg("taken: %s (%s)", bad[i],
				 ww_exchange_outcome_name(rig_x(&r, 0)->outcome));
		/* The smuggled second request is not decoded either. */
		for (unsigned k = 0; k < r.count; k++)
			assert_string_not_equal(rig_x(&r, k)->target, "/b");
	}
}

static void must_refuse_broken_responses(void **state)
{
	static const char *const bad[] = {
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n",
		"HTTP/1.1 200OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 abc OK\r\n\r\n",
		"HTTP/9.9 200 OK\r\n\r\n",
		"HTTX/1.1 200 OK\r\n\r\n",
		"200 OK\r\n\r\n",
		"{\"no\":\"http\"}",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		rig_again(&r, 0);
		rig_out(&r, GET_A);
		rig_in(&r, bad[i]);
		rig_out(&r, GET_B);
		rig_in(&r, OK_2);
		rig_close(&r, WW_CLOSE_FIN_PEER);
		if (rig_x(&r, 0)->outcome != WW_X_UNPARSED ||
		    !(rig_x(&r, 0)->findings & WW_X_MALFORMED_RESPONSE))
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(rig_x(&r, 0)->target, "/a");
		/* The requests are still read, but nothing is said about their answers. */
		assert_string_equal(rig_x(&r, 1)->target, "/b");
		assert_int_equal(rig_x(&r, 1)->outcome, WW_X_UNPARSED);
		assert_int_equal(rig_x(&r, 1)->status, 0);
	}
}

static void must_not_answer_with_bytes_after_the_last_message(void **state)
{
	rig_out(&r, GET_A);
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi" OK_2);
	rig_out(&r, GET_B);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 3);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 1)->outcome, WW_X_UNPARSED);
	assert_string_equal(rig_x(&r, 1)->target, "/b");
	assert_int_equal(rig_x(&r, 2)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 2)->resp_bytes, strlen(OK_2));
	assert_true(rig_x(&r, 2)->findings & WW_X_MALFORMED_RESPONSE);
}

static void must_mark_two_hosts(void **state)
{
	rig_out(&r, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
	rig_in(&r, OK_2);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_true(rig_x(&r, 0)->findings & WW_X_MALFORMED_REQUEST);
	assert_string_equal(rig_x(&r, 0)->authority, "a");
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

static void must_keep_no_secret(void **state)
{
	static const char secret[] = "SECRET-VALUE";

	rig_out(&r, "GET /a HTTP/1.1\r\nHost: user:SECRET-VALUE@a.example\r\n"
		    "Authorization: SECRET-VALUE\r\nCookie: SECRET-VALUE\r\n"
		    "x-api-key: SECRET-VALUE\r\nProxy-Authorization: SECRET-VALUE\r\n"
		    "Idempotency-Key: SECRET-VALUE\r\n\r\n");
	rig_in(&r, "HTTP/1.1 200 OK\r\nSet-Cookie: SECRET-VALUE\r\nContent-Length: 0\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_string_equal(rig_x(&r, 0)->authority, "a.example");
	assert_int_equal(strlen(rig_x(&r, 0)->idempotency_key_digest), 64);
	assert_null(memmem(&r.got[0].x, sizeof(r.got[0].x), secret, strlen(secret)));
}

/* --- ceilings -----------------------------------------------------------------------------------
 */

static void head_bytes_have_a_ceiling(void **state)
{
	char line[1024];

	rig_out(&r, "GET / HTTP/1.1\r\nHost: a\r\n");
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "X: ", 3);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	for (unsigned i = 0; i < WW_HEAD_BYTES_MAX / 1000; i++)
		rig_out(&r, line);
	rig_in(&r, "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_UNPARSED);
	assert_true(rig_x(&r, 0)->findings & WW_X_LIMIT);
	assert_int_equal(rig_x(&r, 0)->status, 431);
}

static void one_huge_target_has_a_ceiling(void **state)
{
	char block[4096];

	memset(block, 'a', sizeof(block));
	rig_out(&r, "GET /");
	for (unsigned i = 0; i < WW_HEAD_BYTES_MAX / sizeof(block) + 1; i++)
		rig_bytes(&r, WW_DIR_OUT, block, sizeof(block));
	rig_close(&r, WW_CLOSE_RST_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_UNPARSED);
	assert_true(rig_x(&r, 0)->findings & WW_X_LIMIT);
	/* Not the whole request line: no part of it stands. */
	assert_string_equal(rig_x(&r, 0)->target, "");
}

static void fields_have_a_ceiling(void **state)
{
	rig_out(&r, "GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i < WW_HEADERS_MAX; i++)
		rig_out(&r, "a: b\r\n");
	rig_out(&r, "\r\n");
	rig_in(&r, OK_2);
	rig_out(&r, "GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i < WW_HEADERS_MAX + 1; i++)
		rig_out(&r, "a: b\r\n");
	rig_out(&r, "\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_true(rig_x(&r, 1)->findings & WW_X_LIMIT);
}

static void trailers_count_as_head(void **state)
{
	rig_out(&r, GET_A);
	rig_in(&r, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n");
	for (unsigned i = 0; i < WW_HEADERS_MAX + 1; i++)
		rig_in(&r, "X-Request-Id: no\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_true(rig_x(&r, 0)->findings & WW_X_LIMIT);
	assert_string_equal(rig_x(&r, 0)->request_id, "");
}

static void pipeline_has_a_ceiling(void **state)
{
	for (unsigned i = 0; i < WW_PIPELINE_MAX + 3; i++)
		rig_out(&r, GET_A);
	for (unsigned i = 0; i < WW_PIPELINE_MAX + 1; i++)
		rig_in(&r, OK_2);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, WW_PIPELINE_MAX + 2);
	for (unsigned i = 0; i < WW_PIPELINE_MAX; i++)
		assert_int_equal(rig_x(&r, i)->outcome, WW_X_COMPLETE);
	assert_true(rig_x(&r, WW_PIPELINE_MAX)->findings & WW_X_RESPONSE_FIRST);
	assert_true(rig_x(&r, WW_PIPELINE_MAX + 1)->findings & WW_X_LIMIT);
	assert_int_equal(rig_x(&r, WW_PIPELINE_MAX + 1)->req_bytes, 3 * strlen(GET_A));
}

static void long_fields_are_cut_and_say_so(void **state)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "HTTP/1.1 200 OK\r\nX-Request-Id: %0200d\r\nContent-Length: 0\r\n\r\n", 7);
	rig_out(&r, GET_A);
	rig_in(&r, text);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_true(rig_x(&r, 0)->findings & WW_X_CUT);
	assert_int_equal(strlen(rig_x(&r, 0)->request_id), sizeof(rig_x(&r, 0)->request_id) - 1);
}

/* --- how an exchange ends ------------------------------------------------------------------------
 */

static void outcomes_by_close(void **state)
{
	static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi";
	static const char eof[] = "HTTP/1.1 200 OK\r\n\r\nhi";
	static const char cut[] = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe";
	static const struct {
		const char *out, *in;
		enum ww_close_how how;
		enum ww_exchange_outcome outcome;
	} c[] = {
		{GET_A, OK_2, WW_CLOSE_RST_PEER, WW_X_COMPLETE},
		{GET_A, "", WW_CLOSE_FIN_PEER, WW_X_NO_REPLY},
		{GET_A, "", WW_CLOSE_FIN_LOCAL, WW_X_NO_REPLY},
		{GET_A, "", WW_CLOSE_RST_PEER, WW_X_RESET},
		{GET_A, "", WW_CLOSE_RST_LOCAL, WW_X_RESET},
		{GET_A, "", WW_CLOSE_TIMEOUT, WW_X_RESET},
		{GET_A, "", WW_CLOSE_OPEN, WW_X_OPEN},
		{GET_A, "", WW_CLOSE_UNKNOWN, WW_X_OPEN},
		{GET_A, half, WW_CLOSE_FIN_PEER, WW_X_CUT_SHORT},
		{GET_A, half, WW_CLOSE_RST_PEER, WW_X_RESET},
		{GET_A, half, WW_CLOSE_OPEN, WW_X_OPEN},
		{GET_A, half, WW_CLOSE_UNKNOWN, WW_X_CUT_SHORT},
		{GET_A, eof, WW_CLOSE_FIN_PEER, WW_X_COMPLETE},
		{GET_A, eof, WW_CLOSE_FIN_LOCAL, WW_X_CUT_SHORT},
		{GET_A, eof, WW_CLOSE_RST_PEER, WW_X_RESET},
		{GET_A, eof, WW_CLOSE_OPEN, WW_X_OPEN},
		{GET_A, "HTTP/1.1 100 Continue\r\n\r\n", WW_CLOSE_FIN_PEER, WW_X_CUT_SHORT},
		{GET_A, "HTT", WW_CLOSE_FIN_PEER, WW_X_CUT_SHORT},
		{cut, "", WW_CLOSE_FIN_PEER, WW_X_REQUEST_CUT},
		{cut, "", WW_CLOSE_RST_PEER, WW_X_REQUEST_CUT},
		{cut, "", WW_CLOSE_OPEN, WW_X_OPEN},
		{cut, OK_2, WW_CLOSE_FIN_PEER, WW_X_REQUEST_CUT},
		{"GE", "", WW_CLOSE_FIN_PEER, WW_X_REQUEST_CUT},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		rig_again(&r, 0);
		rig_out(&r, c[i].out);
		rig_in(&r, c[i].in);
		rig_close(&r, c[i].how);
		assert_int_equal(r.count, 1);
		if (rig_x(&r, 0)->outcome != c[i].outcome)
			fail_msg("%zu: %s", i, ww_exchange_outcome_name(rig_x(&r, 0)->outcome));
		assert_int_equal(rig_x(&r, 0)->findings, 0);
	}
}

static void partial_body_is_kept_but_not_whole(void **state)
{
	rig_out(&r, GET_A);
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhello");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	rig_body_is(&rig_x(&r, 0)->resp, "hello");
	assert_false(rig_x(&r, 0)->resp.whole);
	assert_int_equal(rig_x(&r, 0)->resp.wire_bytes, 5);
	assert_int_equal(rig_x(&r, 0)->status, 200);
}

/* --- what HTTP/1 has
 * ------------------------------------------------------------------------------- */

static void fills_the_exchange(void **state)
{
	const struct ww_exchange *x;
	struct ww_sha256 d;

	r.f.cgroup = 5;
	r.f.root = (struct ww_actor_key){.start_ns = 1, .pid = 7};
	strncpy(r.f.tls_facts.sni, "pay.example", sizeof(r.f.tls_facts.sni) - 1);
	rig_out(&r, "POST /v1/refunds?x=1 HTTP/1.1\r\nHost: pay.example:8443\r\n"
		    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
		    "Content-Type: application/json; charset=utf-8\r\nIdempotency-Key: k1\r\n"
		    "Content-Length: 4\r\n\r\n");
	rig_out(&r, "{\"\"}");
	rig_in(&r, "HTTP/1.1 503 Busy\r\nrequest-id: second\r\nX-Request-Id: first\r\n"
		   "RETRY-AFTER: 5\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	x = rig_x(&r, 0);
	assert_int_equal(r.count, 1);
	assert_int_equal(x->outcome, WW_X_COMPLETE);
	assert_int_equal(x->findings, 0);
	assert_int_equal(x->cookie, 0x77);
	assert_int_equal(x->index, 0);
	assert_int_equal(x->actor.pid, 42);
	assert_int_equal(x->root.pid, 7);
	assert_int_equal(x->cgroup, 5);
	assert_true(x->client);
	assert_string_equal(x->sni, "pay.example");
	assert_string_equal(x->authority, "pay.example:8443");
	assert_string_equal(x->method, "POST");
	assert_string_equal(x->target, "/v1/refunds?x=1");
	assert_int_equal(x->status, 503);
	assert_true(x->trace.present);
	assert_int_equal(x->trace.trace_id[0], 0x0a);
	assert_int_equal(x->trace.span_id[7], 0x31);
	assert_int_equal(x->trace.flags, 1);
	assert_string_equal(x->request_id, "first");
	assert_true(x->retry_after);
	assert_int_equal(x->retry_after_s, 5);
	assert_string_equal(x->req.content_type, "application/json; charset=utf-8");
	rig_body_is(&x->req, "{\"\"}");
	rig_body_is(&x->resp, "no\n");
	assert_true(x->req.whole);
	assert_true(x->resp.whole);
	assert_int_equal(x->req_bytes, r.at[WW_DIR_OUT] ? r.at[WW_DIR_OUT] : x->req_bytes);
	ww_digest(&r.key, WW_SLICE_LIT("no\n"), &d);
	assert_memory_equal(&d, &x->resp.digest, sizeof(d));
	assert_int_equal(x->t_first_req.ns, 1);
	assert_int_equal(x->t_last_req.ns, 2);
	assert_int_equal(x->t_first_resp.ns, 3);
	assert_int_equal(x->t_last_resp.ns, 3);
}

static void a_server_is_seen_from_its_own_side(void **state)
{
	r.f.role = WW_FLOW_ACCEPT;
	rig_in(&r, GET_A);
	rig_out(&r, "HTTP/1.1 200 OK\r\n\r\nhi");
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_false(rig_x(&r, 0)->client);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	rig_body_is(&rig_x(&r, 0)->resp, "hi");
}

static void keep_alive_and_pipelining_keep_their_order(void **state)
{
	rig_out(&r, GET_A);
	rig_in(&r, OK_2);
	rig_out(&r, GET_A GET_B "HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n" GET_B);
	rig_in(&r, "HTTP/1.1 201 A\r\nContent-Length: 0\r\n\r\nHTTP/1.1 202 B\r\nContent-Len");
	rig_in(&r, "gth: 3\r\n\r\nabcHTTP/1.1 203 H\r\nContent-Length: 99\r\n\r\nHTTP/1.1 204 N\r\n"
		   "Content-Length: 7\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(r.count, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(rig_x(&r, i)->outcome, WW_X_COMPLETE);
		assert_int_equal(rig_x(&r, i)->index, i);
		assert_int_equal(rig_x(&r, i)->status, 200 + i);
		assert_int_equal(rig_x(&r, i)->findings, 0);
	}
	assert_string_equal(rig_x(&r, 3)->method, "HEAD");
	assert_int_equal(rig_x(&r, 3)->resp.wire_bytes, 0);
	assert_int_equal(rig_x(&r, 2)->resp_bytes,
			 strlen("HTTP/1.1 202 B\r\nContent-Length: 3\r\n\r\nabc"));
	assert_int_equal(rig_x(&r, 2)->resp_offset,
			 strlen(OK_2 "HTTP/1.1 201 A\r\nContent-Length: 0\r\n\r\n"));
}

static void interim_responses_come_before_the_final_one(void **state)
{
	rig_out(&r,
		"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	rig_in(&r, "HTTP/1.1 100 Continue\r\nX-Request-Id: interim\r\n\r\n");
	rig_out(&r, "ok");
	rig_in(&r, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_2);
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(r.count, 1);
	assert_int_equal(rig_x(&r, 0)->status, 200);
	assert_string_equal(rig_x(&r, 0)->request_id, "");
	assert_int_equal(rig_x(&r, 0)->t_first_resp.ns, 4);
	assert_int_equal(rig_x(&r, 0)->resp_offset, 0);
}

static void no_content_responses(void **state)
{
	static const char *const resp[] = {
		"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(resp); i++) {
		rig_out(&r, GET_A);
		rig_in(&r, resp[i]);
		assert_int_equal(r.count, i + 1);
		assert_int_equal(rig_x(&r, (unsigned)i)->outcome, WW_X_COMPLETE);
		assert_int_equal(rig_x(&r, (unsigned)i)->resp.wire_bytes, 0);
	}
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
}

static void an_early_answer_waits_for_its_request(void **state)
{
	rig_out(&r, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
	rig_in(&r, "HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(r.count, 0);
	rig_out(&r, "cd" GET_B);
	assert_int_equal(r.count, 1);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 0)->status, 413);
	rig_in(&r, OK_2);
	assert_int_equal(rig_x(&r, 1)->status, 200);
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
}

static void an_upgrade_makes_the_rest_opaque(void **state)
{
	rig_out(&r,
		"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tunnel\r\n\r\n");
	rig_in(&r, "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: "
		   "tunnel\r\n\r\n\x81\x02hi");
	rig_out(&r, "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(r.count, 1);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_UPGRADED);
	assert_int_equal(rig_x(&r, 0)->findings, 0);
}

static void a_refused_upgrade_goes_on(void **state)
{
	rig_out(&r, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
	rig_in(&r, OK_2);
	rig_out(&r, GET_B);
	rig_in(&r, OK_2);
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(r.count, 2);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_string_equal(rig_x(&r, 1)->target, "/b");
	assert_int_equal(rig_x(&r, 1)->outcome, WW_X_COMPLETE);
}

static void connect_tunnels(void **state)
{
	rig_out(&r, "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n");
	rig_in(&r, "HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno");
	rig_out(&r, "CONNECT api.example:443 HTTP/1.1\r\nHost: other\r\n\r\n");
	rig_in(&r, "HTTP/1.1 200 Connected\r\nContent-Length: 7\r\n\r\n\x16\x03\x01");
	rig_out(&r, "\x16\x03\x01");
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(r.count, 2);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 0)->status, 407);
	assert_int_equal(rig_x(&r, 1)->outcome, WW_X_UPGRADED);
	assert_string_equal(rig_x(&r, 1)->authority, "api.example:443");
}

static void a_switch_nobody_asked_for_is_marked(void **state)
{
	rig_out(&r, GET_A);
	rig_in(&r, "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_UPGRADED);
	assert_true(rig_x(&r, 0)->findings & WW_X_MALFORMED_RESPONSE);
}

static void absolute_form_wins_over_host(void **state)
{
	rig_out(&r, "GET http://u:p@real.example/x HTTP/1.1\r\nHost: fake.example\r\n\r\n");
	rig_in(&r, OK_2);
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_string_equal(rig_x(&r, 0)->authority, "real.example");
}

static void other_protocols_are_counted_only(void **state)
{
	static const struct {
		const char *out, *in;
	} c[] = {
		{"", "220 mail.example ESMTP\r\n"},
		{"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-x\r\n"},
		{"\x16\x03\x01\x02", "\x16\x03\x03"},
		{"*1\r\n$4\r\nPING\r\n", "+PONG\r\n"},
		{"PRI * HTTP/1.1\r\n\r\n", "yy"},
		{"HELO there\r\n", "250\r\n"},
		{"H", ""},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		rig_again(&r, 0);
		rig_out(&r, c[i].out);
		rig_in(&r, c[i].in);
		if (i < 6)
			rig_out(&r, GET_A);
		rig_close(&r, WW_CLOSE_FIN_LOCAL);
		assert_int_equal(r.count, 1);
		assert_int_equal(rig_x(&r, 0)->outcome, WW_X_UNPARSED);
		assert_int_equal(rig_x(&r, 0)->index, 0);
		assert_int_equal(rig_x(&r, 0)->findings, 0);
		if (i < 6) {
			assert_int_equal(rig_x(&r, 0)->req_bytes, strlen(c[i].out) + strlen(GET_A));
			assert_int_equal(rig_x(&r, 0)->resp_bytes, strlen(c[i].in));
		}
	}
}

static void a_response_without_request_is_its_own(void **state)
{
	rig_in(&r, OK_2);
	rig_out(&r, GET_A);
	rig_in(&r, OK_2);
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(r.count, 2);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 0)->findings, WW_X_RESPONSE_FIRST);
	assert_int_equal(rig_x(&r, 0)->status, 200);
	assert_true(rig_x(&r, 0)->client);
	assert_int_equal(rig_x(&r, 1)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 1)->findings, 0);
}

/* In the middle of a connection it is one whose request comes late: the next answer is not that
 * one's. */
static void nothing_is_paired_behind_a_response_out_of_order(void **state)
{
	rig_out(&r, GET_A);
	rig_in(&r, OK_2);
	rig_in(&r, OK_2);
	rig_out(&r, GET_A GET_A);
	rig_in(&r, OK_2);
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(r.count, 3);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 1)->findings, WW_X_RESPONSE_FIRST);
	assert_int_equal(rig_x(&r, 2)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 2)->req_bytes, 2 * strlen(GET_A));
	assert_int_equal(rig_x(&r, 2)->resp_bytes, strlen(OK_2));
}

/* A hole says where the request was. */
static void a_hole_explains_a_response_out_of_order(void **state)
{
	rig_out(&r, GET_A);
	rig_in(&r, OK_2);
	rig_in(&r, OK_2);
	rig_gap(&r, WW_DIR_OUT, strlen(GET_A));
	rig_out(&r, GET_A);
	rig_in(&r, OK_2);
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(r.count, 3);
	assert_int_equal(rig_x(&r, 1)->findings, WW_X_RESPONSE_FIRST);
	assert_int_equal(rig_x(&r, 2)->outcome, WW_X_COMPLETE);
}

static void bodies_are_capped_and_counted(void **state)
{
	rig_again(&r, 8);
	rig_out(&r, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n01234567");
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(rig_x(&r, 0)->findings, WW_X_TRUNCATED_REQUEST);
	rig_body_is(&rig_x(&r, 0)->req, "01234567");
	assert_false(rig_x(&r, 0)->req.whole);
	assert_int_equal(rig_x(&r, 0)->req.decoded_bytes, 10);
	assert_true(rig_x(&r, 0)->resp.whole);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
}

/* --- the split of the input means nothing
 * --------------------------------------------------------- */

struct piece {
	enum ww_dir dir;
	const char *text;
};

static const struct piece talk[] = {
	{WW_DIR_OUT,
	 "\r\nPOST /v1/chat HTTP/1.1\r\nHost: h.example\r\nTransfer-Encoding: chunked\r\n"
	 "Idempotency-Key:  k \r\nEmpty:\r\nContent-Type: a/b\r\n\r\n"
	 "4;x=\"y\"\r\nabcd\r\n3\r\nefg\r\n0\r\nX-T: v\r\n\r\n"},
	{WW_DIR_IN, "HTTP/1.1 100 Continue\r\n\r\n"},
	{WW_DIR_IN, "HTTP/1.1 200 OK\r\nX-Request-Id: q\r\nRetry-After: 7\r\n"
		    "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "6\r\ndata: \r\na\r\n0123456789\r\n0\r\n\r\n"},
	{WW_DIR_OUT, "HEAD /h HTTP/1.1\r\nHost: h.example\r\n\r\n"},
	{WW_DIR_IN, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"},
	{WW_DIR_OUT, "HTTP GET is no method but HEAD is"},
	{WW_DIR_IN, "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\nrest until the end"},
};

static void feed_talk(size_t split_piece, size_t split_at, bool bytewise)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(talk); i++) {
		const char *t = talk[i].text;
		size_t n = strlen(t), step = bytewise ? 1 : n;

		if (i == split_piece && split_at > 0 && split_at < n) {
			rig_bytes(&r, talk[i].dir, t, split_at);
			rig_bytes(&r, talk[i].dir, t + split_at, n - split_at);
			continue;
		}
		for (size_t at = 0; at < n; at += step)
			rig_bytes(&r, talk[i].dir, t + at, step);
	}
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

static void every_split_gives_the_same(void **state)
{
	struct ww_buf whole, split;

	ww_buf_init(&whole, 1 << 20);
	ww_buf_init(&split, 1 << 20);
	feed_talk(0, 0, false);
	rig_text(&r, &whole);
	assert_int_equal(r.count, 4);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 1)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 2)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 2)->status, 400);
	for (size_t i = 0; i < WW_ARRAY_SIZE(talk); i++) {
		for (size_t at = 0; at < strlen(talk[i].text); at++) {
			rig_again(&r, 0);
			feed_talk(i, at, false);
			rig_text(&r, &split);
			assert_int_equal(split.n, whole.n);
			assert_memory_equal(split.p, whole.p, whole.n);
		}
	}
	rig_again(&r, 0);
	feed_talk(0, 0, true);
	rig_text(&r, &split);
	assert_int_equal(split.n, whole.n);
	assert_memory_equal(split.p, whole.p, whole.n);
	ww_buf_done(&whole);
	ww_buf_done(&split);
}

static void nothing_is_held_between_exchanges(void **state)
{
	uint64_t held, refused;

	rig_out(&r, GET_A);
	rig_in(&r, OK_2);
	ww_proto_memory(r.p, &held, &refused);
	assert_int_equal(held, 0);
	assert_int_equal(refused, 0);
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(must_refuse_smuggling_requests),
		T(must_refuse_broken_responses),
		T(must_not_answer_with_bytes_after_the_last_message),
		T(must_mark_two_hosts),
		T(must_keep_no_secret),
		T(head_bytes_have_a_ceiling),
		T(one_huge_target_has_a_ceiling),
		T(fields_have_a_ceiling),
		T(trailers_count_as_head),
		T(pipeline_has_a_ceiling),
		T(long_fields_are_cut_and_say_so),
		T(outcomes_by_close),
		T(partial_body_is_kept_but_not_whole),
		T(fills_the_exchange),
		T(a_server_is_seen_from_its_own_side),
		T(keep_alive_and_pipelining_keep_their_order),
		T(interim_responses_come_before_the_final_one),
		T(no_content_responses),
		T(an_early_answer_waits_for_its_request),
		T(an_upgrade_makes_the_rest_opaque),
		T(a_refused_upgrade_goes_on),
		T(connect_tunnels),
		T(a_switch_nobody_asked_for_is_marked),
		T(absolute_form_wins_over_host),
		T(other_protocols_are_counted_only),
		T(a_response_without_request_is_its_own),
		T(nothing_is_paired_behind_a_response_out_of_order),
		T(a_hole_explains_a_response_out_of_order),
		T(bodies_are_capped_and_counted),
		T(every_split_gives_the_same),
		T(nothing_is_held_between_exchanges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
