/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lost bytes. The numbers in the names of tests are the invariants of http1.c that they attack. A
 * hole is announced as the flow table does it: late, right before the next byte of that direction
 * that was captured.
 */
#include "rig.h"

#include <stdio.h>

#define WEAK                                                                                   \
	(WW_X_GAP_REQUEST | WW_X_GAP_RESPONSE | WW_X_RESPONSE_FIRST | WW_X_MALFORMED_REQUEST | \
	 WW_X_MALFORMED_RESPONSE)

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

struct call {
	enum ww_dir dir;
	char text[256];
};

#define EXCHANGES 6
#define CALLS     (EXCHANGES * 5)

/* Request /n has the body q<n>, its response the status 220+n and the body r<n>. */
static unsigned make_talk(struct call *c, bool hostile)
{
	static const char evil_req[] =
		"POST /evil HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
	static const char evil_resp[] = "HTTP/1.1 299 Evil\r\nContent-Length: 0\r\n\r\n";
	unsigned k = 0;

	for (unsigned n = 0; n < EXCHANGES; n++) {
		const char *q = hostile ? evil_req : "q", *a = hostile ? evil_resp : "r";
		size_t qn = strlen(q) + 1, an = strlen(a) + 1;
		struct call *h = &c[k];

		for (unsigned i = 0; i < 5; i++)
			h[i].dir = i < 2 ? WW_DIR_OUT : WW_DIR_IN;
		if (n % 2 == 0) {
			snprintf(h[0].text, 256,
				 "POST /%u HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", n,
				 qn);
			snprintf(h[1].text, 256, "%s%u", q, n);
			snprintf(h[2].text, 256,
				 "HTTP/1.1 %u OK\r\nTransfer-Encoding: chunked\r\n\r\n", 220 + n);
			snprintf(h[3].text, 256, "%zx\r\n", an);
			snprintf(h[4].text, 256, "%s%u\r\n0\r\n\r\n", a, n);
		} else {
			snprintf(h[0].text, 256,
				 "POST /%u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
				 "chunked\r\n\r\n%zx\r\n",
				 n, qn);
			snprintf(h[1].text, 256, "%s%u\r\n0\r\n\r\n", q, n);
			snprintf(h[2].text, 256, "HTTP/1.1 %u OK\r\n", 220 + n);
			snprintf(h[3].text, 256, "Content-Length: %zu\r\n\r\n", an);
			snprintf(h[4].text, 256, "%s%u", a, n);
		}
		k += 5;
	}
	return k;
}

/* Whether byte `at` of direction `dir` is lost. */
typedef bool (*lost_fn)(const void *ctx, enum ww_dir dir, uint64_t at);

/* Plays the calls without the lost bytes; each run of captured bytes within a call is a call of its
 * own. */
static void play(const struct call *c, unsigned count, lost_fn lost, const void *ctx)
{
	uint64_t at[2] = {0, 0};

	for (unsigned i = 0; i < count; i++) {
		enum ww_dir dir = c[i].dir;
		size_t n = strlen(c[i].text), from = 0, to;

		for (; from < n; from = to) {
			bool gone = lost(ctx, dir, at[dir] + from);

			for (to = from; to < n && lost(ctx, dir, at[dir] + to) == gone; to++)
				;
			if (gone)
				continue;
			if (r.at[dir] < at[dir] + from)
				rig_gap(&r, dir, at[dir] + from - r.at[dir]);
			rig_bytes(&r, dir, c[i].text + from, to - from);
		}
		at[dir] += n;
	}
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
}

struct hole {
	enum ww_dir dir;
	uint64_t from, to;
};

static bool in_hole(const void *ctx, enum ww_dir dir, uint64_t at)
{
	const struct hole *h = ctx;

	return dir == h->dir && at >= h->from && at < h->to;
}

static uint64_t length_of(const struct call *c, unsigned count, enum ww_dir dir)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < count; i++)
		n += c[i].dir == dir ? strlen(c[i].text) : 0;
	return n;
}

/* A complete exchange pairs a request with its own answer, or says that bytes are missing. */
static void check_pairs(const char *what, uint64_t from, uint64_t to, bool strict)
{
	for (unsigned i = 0; i < r.count; i++) {
		const struct ww_exchange *x = rig_x(&r, i);
		unsigned n = x->method[0] ? (unsigned)(x->target[1] - '0') : 0;
		bool right = strlen(x->target) == 2 && x->status == 220 + n;

		if (x->outcome == WW_X_COMPLETE && !right && (strict || !(x->findings & WEAK)))
			fail_msg("%s hole %zu..%zu: %s answered %u", what, (size_t)from, (size_t)to,
				 x->target, x->status);
		if (right && x->outcome == WW_X_COMPLETE && x->req.whole)
			assert_true(x->req.data.p[x->req.data.n - 1] == '0' + n);
		if (right && x->outcome == WW_X_COMPLETE && x->resp.whole)
			assert_true(x->resp.data.p[x->resp.data.n - 1] == '0' + x->status - 220);
		/* Whatever is incomplete says so. */
		assert_true(x->outcome != WW_X_COMPLETE || (x->req.whole && x->resp.whole) ||
			    (x->findings & (WW_X_GAP_REQUEST | WW_X_GAP_RESPONSE)));
	}
}

static void every_hole_2_3(void **state)
{
	static struct call c[CALLS];
	static const uint64_t sizes[] = {1, 2, 3, 7, 20, 61, 100, 150, 233};

	for (int hostile = 0; hostile < 2; hostile++) {
		unsigned count = make_talk(c, hostile);

		for (int dir = 0; dir < 2; dir++) {
			uint64_t all = length_of(c, count, dir);

			for (uint64_t from = 0; from < all; from++) {
				for (size_t k = 0; k < WW_ARRAY_SIZE(sizes); k++) {
					uint64_t to = from + sizes[k] < all ? from + sizes[k] : all;
					const struct ww_exchange *x;

					rig_again(&r, 0);
					play(c, count, in_hole, &(struct hole){dir, from, to});
					check_pairs(dir ? "in" : "out", from, to, !hostile);
					/* Early holes are healed by the end. */
					if (hostile || to > all / 3)
						continue;
					x = rig_x(&r, r.count - 1);
					if (x->outcome == WW_X_UNPARSED) /* the skipped bytes */
						x = rig_x(&r, r.count - 2);
					if (x->outcome != WW_X_COMPLETE ||
					    x->findings & ~WW_X_FOUND_AGAIN ||
					    x->target[1] != '5' || x->status != 225)
						fail_msg("%d hole %zu..%zu not healed: %s %u %x",
							 dir, (size_t)from, (size_t)to, x->target,
							 x->status, x->findings);
				}
			}
		}
	}
}

#define HOLES 6

static bool in_any_hole(const void *ctx, enum ww_dir dir, uint64_t at)
{
	const struct hole *h = ctx;

	for (int i = 0; i < HOLES; i++)
		if (in_hole(&h[i], dir, at))
			return true;
	return false;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void many_holes_never_pair_wrongly_1_3(void **state)
{
	static struct call c[CALLS];
	uint64_t seed = 20261123;

	for (unsigned turn = 0; turn < 20000; turn++) {
		unsigned count = make_talk(c, turn % 2 == 1);
		struct hole h[HOLES];

		for (int i = 0; i < HOLES; i++) {
			h[i].dir = next_random(&seed) % 2;
			h[i].from = next_random(&seed) % length_of(c, count, h[i].dir);
			h[i].to = h[i].from + next_random(&seed) % (i == 0 ? 400 : 60);
		}
		rig_again(&r, 0);
		play(c, count, in_any_hole, h);
		check_pairs("many", turn, h[0].from, turn % 2 == 0);
	}
}

static void a_hole_in_both_directions_heals_3(void **state)
{
	rig_out(&r, "GET /0 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0");
	rig_out(&r, "GET /1 HT");
	/* lost: the rest of request 1, its answer, the begin of request 2 */
	rig_gap(&r, WW_DIR_OUT, 40);
	rig_out(&r, "X: 1\r\n\r\n");
	rig_gap(&r, WW_DIR_IN, 39);
	rig_in(&r, "HTTP/1.1 202 OK\r\nContent-Length: 1\r\n\r\n2");
	rig_out(&r, "GET /3 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 203 OK\r\nContent-Length: 1\r\n\r\n3");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	for (unsigned i = 0; i < r.count; i++) {
		const struct ww_exchange *x = rig_x(&r, i);

		if (x->outcome == WW_X_COMPLETE)
			assert_int_equal(x->status, 200 + (x->target[1] - '0'));
	}
	assert_string_equal(rig_x(&r, 0)->target, "/0");
	assert_true(r.count >= 3);
}

static void counted_content_keeps_the_place_2(void **state)
{
	rig_out(&r, "POST /0 HTTP/1.1\r\nContent-Length: 10\r\n\r\nab");
	rig_gap(&r, WW_DIR_OUT, 8);
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
	rig_gap(&r, WW_DIR_IN, 999999);
	rig_in(&r, "zHTTP/1.1 999 Not this\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 0)->findings, WW_X_GAP_REQUEST | WW_X_GAP_RESPONSE);
	assert_int_equal(rig_x(&r, 0)->req.wire_bytes, 10);
	rig_body_is(&rig_x(&r, 0)->req, "ab");
	assert_int_equal(rig_x(&r, 0)->resp.wire_bytes, 1000000);
	assert_int_equal(rig_x(&r, 0)->resp.data.n, 0);
	assert_false(rig_x(&r, 0)->resp.whole);
	assert_int_equal(rig_x(&r, 0)->resp_bytes, 1000000 + 44);
}

static void a_huge_hole_costs_nothing_2(void **state)
{
	rig_out(&r, "POST /0 HTTP/1.1\r\nContent-Length: 18446744073709551614\r\n\r\n");
	rig_gap(&r, WW_DIR_OUT, UINT64_MAX / 2);
	rig_gap(&r, WW_DIR_OUT, 1);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_REQUEST_CUT);
	assert_int_equal(rig_x(&r, 0)->req.wire_bytes, UINT64_MAX / 2 + 1);
}

static void content_until_close_survives_2(void **state)
{
	rig_out(&r, "GET /0 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 200 OK\r\n\r\nabc");
	rig_gap(&r, WW_DIR_IN, 100);
	rig_in(&r, "xyz");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 0)->findings, WW_X_GAP_RESPONSE);
	rig_body_is(&rig_x(&r, 0)->resp, "abc");
	assert_int_equal(rig_x(&r, 0)->resp.wire_bytes, 106);
}

static void coded_content_stops_at_the_hole_2(void **state)
{
	rig_out(&r, "GET /0 HTTP/1.1\r\n\r\n");
	rig_in(&r,
	       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 50\r\n\r\n\x1f\x8b");
	rig_gap(&r, WW_DIR_IN, 48);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 0)->findings, WW_X_GAP_RESPONSE);
	assert_false(rig_x(&r, 0)->resp.whole);
}

/* The answer that is found again answers a request that is lost as well, not the one that waits. */
static void the_answer_behind_a_hole_is_another_one_1(void **state)
{
	rig_out(&r, "GET /0 HTTP/1.1\r\n\r\n");
	/* lost: answer 0, request 1 */
	rig_gap(&r, WW_DIR_IN, 39);
	rig_in(&r, "HTTP/1.1 201 OK\r\nContent-Length: 1\r\n\r\n1");
	rig_gap(&r, WW_DIR_OUT, 19);
	rig_out(&r, "GET /2 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 202 OK\r\nContent-Length: 1\r\n\r\n2");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_string_equal(rig_x(&r, 0)->target, "/0");
	assert_int_equal(rig_x(&r, 0)->status, 0);
	assert_int_not_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 1)->status, 201);
	assert_true(rig_x(&r, 1)->findings & WW_X_RESPONSE_FIRST);
	assert_string_equal(rig_x(&r, 2)->target, "/2");
	assert_int_equal(rig_x(&r, 2)->status, 202);
	assert_int_equal(rig_x(&r, 2)->findings, WW_X_GAP_REQUEST | WW_X_FOUND_AGAIN);
}

/* The same while the request is still being sent. */
static void an_early_answer_behind_a_hole_1(void **state)
{
	rig_out(&r, "POST /0 HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
	rig_gap(&r, WW_DIR_IN, 25);
	rig_in(&r, "HTTP/1.1 201 OK\r\nContent-Length: 1\r\n\r\n0");
	rig_out(&r, "cd");
	rig_out(&r, "GET /1 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 201 OK\r\nContent-Length: 1\r\n\r\n1");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_string_equal(rig_x(&r, 0)->target, "/0");
	assert_int_equal(rig_x(&r, 0)->status, 0);
	assert_true(rig_x(&r, 0)->req.whole);
	assert_string_equal(rig_x(&r, 1)->target, "/1");
	assert_int_equal(rig_x(&r, 1)->status, 201);
}

/* The hole holds the begin of another request, whose content looks like one. */
static void a_request_found_again_is_marked_3(void **state)
{
	rig_out(&r, "POST /0 HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
	/* lost: the rest of request 0, the head of request 1 */
	rig_gap(&r, WW_DIR_OUT, 60);
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	rig_out(&r, "POST /evil HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
	rig_in(&r, "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n");
	rig_out(&r, "GET /2 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_REQUEST_CUT);
	assert_int_equal(rig_x(&r, 0)->findings, WW_X_GAP_REQUEST);
	assert_int_equal(rig_x(&r, 1)->findings, WW_X_FOUND_AGAIN);
	assert_int_equal(rig_x(&r, 2)->findings, WW_X_FOUND_AGAIN);
}

static void pipelined_answers_are_never_guessed_1(void **state)
{
	rig_out(&r, "GET /0 HTTP/1.1\r\n\r\nGET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	rig_gap(&r, WW_DIR_IN, 38);
	rig_in(&r, "HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n");
	rig_out(&r, "GET /3 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 203 OK\r\nContent-Length: 0\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	for (unsigned i = 1; i < r.count; i++) {
		assert_int_equal(rig_x(&r, i)->outcome, WW_X_UNPARSED);
		assert_int_equal(rig_x(&r, i)->status, 0);
		assert_true(rig_x(&r, i)->findings & WW_X_GAP_RESPONSE);
	}
	assert_int_equal(r.count, 5);
	assert_int_equal(rig_x(&r, 4)->resp_bytes, 2 * 38);
}

static void joining_late_finds_the_first_whole_message_3(void **state)
{
	rig_gap(&r, WW_DIR_IN, 500);
	rig_in(&r, "tail of an old response");
	rig_gap(&r, WW_DIR_OUT, 700);
	rig_out(&r, "GET /0 HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0");
	rig_out(&r, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_in(&r, "HTTP/1.1 201 OK\r\nContent-Length: 1\r\n\r\n1");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 3);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 0)->findings, WW_X_GAP_REQUEST | WW_X_FOUND_AGAIN);
	assert_int_equal(rig_x(&r, 0)->status, 200);
	assert_int_equal(rig_x(&r, 1)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 1)->findings, WW_X_FOUND_AGAIN);
	assert_int_equal(rig_x(&r, 2)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 2)->resp_bytes, 23);
}

static void joining_late_with_a_response_1(void **state)
{
	rig_gap(&r, WW_DIR_OUT, 700);
	rig_gap(&r, WW_DIR_IN, 500);
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0");
	rig_out(&r, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_in(&r, "HTTP/1.1 201 OK\r\nContent-Length: 1\r\n\r\n1");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 2);
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_UNPARSED);
	assert_true(rig_x(&r, 0)->findings & WW_X_RESPONSE_FIRST);
	assert_int_equal(rig_x(&r, 1)->outcome, WW_X_COMPLETE);
	assert_int_equal(rig_x(&r, 1)->status, 201);
}

/* An unknown request may have been HEAD: its Content-Length must not swallow the next answers. */
static void an_unknown_head_request_does_not_shift_answers_1(void **state)
{
	rig_out(&r, "GET /0 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	rig_out(&r, "HE");
	rig_gap(&r, WW_DIR_OUT, 20);
	rig_in(&r, "HTTP/1.1 201 OK\r\nContent-Length: 38\r\n\r\n");
	rig_out(&r, "GET /2 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n");
	rig_out(&r, "GET /3 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 203 OK\r\nContent-Length: 0\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	for (unsigned i = 0; i < r.count; i++) {
		const struct ww_exchange *x = rig_x(&r, i);

		if (x->target[0] && x->status)
			assert_int_equal(x->status, 200 + (x->target[1] - '0'));
	}
	assert_int_equal(rig_x(&r, r.count - 1)->outcome == WW_X_COMPLETE ||
				 rig_x(&r, r.count - 2)->outcome == WW_X_COMPLETE,
			 1);
}

static void nothing_is_decoded_after_an_upgrade_4(void **state)
{
	rig_out(&r, "GET /ws HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
	rig_gap(&r, WW_DIR_OUT, 10);
	rig_in(&r, "HTTP/1.1 101 Yes\r\n\r\n");
	rig_out(&r, "GET /1 HTTP/1.1\r\n\r\n");
	rig_gap(&r, WW_DIR_IN, 10);
	rig_in(&r, "HTTP/1.1 200 OK\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 1);
}

static void nothing_is_decoded_after_malformed_framing_4(void **state)
{
	rig_out(&r, "POST /0 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
	rig_gap(&r, WW_DIR_OUT, 10);
	rig_out(&r, "GET /1 HTTP/1.1\r\n\r\n");
	rig_in(&r, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
	rig_out(&r, "GET /2 HTTP/1.1\r\n\r\n");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 2);
	assert_string_equal(rig_x(&r, 0)->target, "/0");
	assert_int_equal(rig_x(&r, 0)->status, 400);
	assert_int_equal(rig_x(&r, 1)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 1)->req_bytes, 2 * strlen("GET /1 HTTP/1.1\r\n\r\n") + 4);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_hole_2_3),
		T(many_holes_never_pair_wrongly_1_3),
		T(a_hole_in_both_directions_heals_3),
		T(counted_content_keeps_the_place_2),
		T(a_huge_hole_costs_nothing_2),
		T(content_until_close_survives_2),
		T(coded_content_stops_at_the_hole_2),
		T(the_answer_behind_a_hole_is_another_one_1),
		T(an_early_answer_behind_a_hole_1),
		T(a_request_found_again_is_marked_3),
		T(pipelined_answers_are_never_guessed_1),
		T(joining_late_finds_the_first_whole_message_3),
		T(joining_late_with_a_response_1),
		T(an_unknown_head_request_does_not_shift_answers_1),
		T(nothing_is_decoded_after_an_upgrade_4),
		T(nothing_is_decoded_after_malformed_framing_4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
