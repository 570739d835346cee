/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/sse.h"

#include <wirewitness/limits.h>

/* Every event as "type|data|id\n". Each piece is given in memory of its own size, freed right
 * after. */
static void read_stream(struct ww_slice in, size_t split, size_t step, struct ww_buf *out,
			struct ww_sse *s)
{
	size_t at = 0;

	while (at < in.n) {
		size_t n = split > at ? split - at : step;
		struct ww_slice piece = ww_slice_sub(in, at, n), rest;
		uint8_t *copy = malloc(piece.n);
		struct ww_sse_event e;

		memcpy(copy, piece.p, piece.n);
		rest = ww_slice(copy, piece.n);
		while (ww_sse_next(s, &rest, &e) == WW_PARSE_DONE) {
			assert_int_equal(ww_buf_add(out, e.type.p, e.type.n), 0);
			assert_int_equal(ww_buf_add(out, "|", 1), 0);
			assert_int_equal(ww_buf_add(out, e.data.p, e.data.n), 0);
			assert_int_equal(ww_buf_add(out, "|", 1), 0);
			assert_int_equal(ww_buf_add(out, e.id.p, e.id.n), 0);
			assert_int_equal(ww_buf_add(out, "\n", 1), 0);
		}
		assert_int_equal(rest.n, 0);
		free(copy);
		at += piece.n;
	}
}

static void check(struct ww_slice in, const char *want)
{
	struct ww_buf out;

	ww_buf_init(&out, 1 << 20);
	for (size_t split = 0; split <= in.n + 1; split++) {
		struct ww_sse s;

		ww_sse_init(&s, 1 << 16);
		ww_buf_clear(&out);
		/* The last round goes byte by byte. */
		read_stream(in, split, split > in.n ? 1 : in.n, &out, &s);
		if (!ww_slice_eq_str(ww_buf_slice(&out), want))
			fail_msg("split %zu of \"%.*s\": got \"%.*s\"", split, (int)in.n, in.p,
				 (int)out.n, out.p);
		assert_int_equal(s.lost, 0);
		ww_sse_done(&s);
	}
	ww_buf_done(&out);
}

#define CHECK(in, want) check(WW_SLICE_LIT(in), want)

/* From the rules and the examples of the standard. */
static void must_not_dispatch(void **state)
{
	CHECK("", "");
	CHECK("data: cut off", "");
	CHECK("data: cut off\n", "");
	CHECK("event: no data\n\n", "");
	CHECK(": comment\n\n", "");
	CHECK("retry: 10\n\n", "");
	CHECK("id: 1\n\n", "");
	CHECK("Data: case\n\n", "");
	CHECK(" data: x\n\n", "");
	CHECK("data : x\n\n", "");
}

static void line_ends(void **state)
{
	CHECK("data: a\n\n", "|a|\n");
	CHECK("data: a\r\r", "|a|\n");
	CHECK("data: a\r\n\r\n", "|a|\n");
	CHECK("data: a\r\n\n", "|a|\n");
	CHECK("data: a\n\r", "|a|\n");
	CHECK("data: a\r\n\r\ndata: b\r\n\r\n", "|a|\n|b|\n");
	CHECK("data: a\r\rdata: b\r\r", "|a|\n|b|\n");
	CHECK("\n\n\r\r\n\ndata: a\n\n\n\n", "|a|\n");
}

static void fields(void **state)
{
	CHECK("data\n\n", "||\n");
	CHECK("data:\n\n", "||\n");
	CHECK("data:a\n\n", "|a|\n");
	CHECK("data:  a \n\n", "| a |\n");
	CHECK("data: a:b: c\n\n", "|a:b: c|\n");
	CHECK("data: YHOO\ndata: +2\ndata: 10\n\n", "|YHOO\n+2\n10|\n");
	CHECK("data\ndata\n\n", "|\n|\n");
	CHECK("data:\ndata: x\n\n", "|\nx|\n");
	CHECK("event: add\ndata: 1\n\ndata: 2\n\n", "add|1|\n|2|\n");
	CHECK("event: a\nevent: b\ndata: 1\n\n", "b|1|\n");
	CHECK("event: lost\n\ndata: 1\n\n", "|1|\n");
	CHECK("id: 7\ndata: 1\n\ndata: 2\n\nid\ndata: 3\n\n", "|1|7\n|2|7\n|3|\n");
	CHECK("id: a\0b\ndata: 1\n\n", "|1|\n");
	CHECK(": x\ndata: 1\n:\nunknown: y\nretry: 1\n\n", "|1|\n");
	CHECK("event: ping\ndata: {}\n\ndata: [DONE]\n\n", "ping|{}|\n|[DONE]|\n");
}

static void byte_order_mark(void **state)
{
	CHECK("\xef\xbb\xbf"
	      "data: a\n\n",
	      "|a|\n");
	CHECK("\xef\xbb\xbf\xef\xbb\xbf"
	      "data: a\n\ndata: b\n\n",
	      "|b|\n");
	CHECK("\xef\xbb"
	      "data: a\n\ndata: b\n\n",
	      "|b|\n");
	CHECK("\xef\n\ndata: b\n\n", "|b|\n");
	CHECK("data: a\n\n\xef\xbb\xbf"
	      "data: b\n\n",
	      "|a|\n");
}

static void ceilings_lose_one_event(void **state)
{
	char big[64 + 16];
	struct ww_sse s;
	struct ww_buf out, in;

	memset(big, 'x', sizeof(big));
	ww_buf_init(&out, 4096);
	ww_buf_init(&in, 4096);
	for (int shape = 0; shape < 3; shape++) {
		for (size_t step = 1; step < 200; step += 13) {
			ww_buf_clear(&out);
			ww_buf_clear(&in);
			assert_int_equal(ww_buf_add(&in, "data: 1\n\n", 9), 0);
			if (shape == 0) { /* one long line */
				assert_int_equal(ww_buf_add(&in, "data: ", 6), 0);
				assert_int_equal(ww_buf_add(&in, big, sizeof(big)), 0);
			} else if (shape == 1) { /* many lines */
				for (int i = 0; i < 10; i++)
					assert_int_equal(ww_buf_add(&in, "data: 12345678\n", 15),
							 0);
			} else { /* long type */
				assert_int_equal(ww_buf_add(&in, "data: 2\nevent: ", 15), 0);
				for (int i = 0; i < 4; i++)
					assert_int_equal(ww_buf_add(&in, big, sizeof(big)), 0);
			}
			assert_int_equal(ww_buf_add(&in, "\n\ndata: 3\n\n", 11), 0);
			ww_sse_init(&s, 64);
			read_stream(ww_buf_slice(&in), 0, step, &out, &s);
			assert_true(ww_slice_eq_str(ww_buf_slice(&out), "|1|\n|3|\n"));
			assert_int_equal(s.lost, 1);
			ww_sse_done(&s);
		}
	}
	ww_buf_done(&out);
	ww_buf_done(&in);
}

static void pending_tells_a_cut_stream(void **state)
{
	static const struct {
		const char *in;
		bool pending;
	} c[] = {{"", false},          {"data: a\n\n", false}, {"data: a\n\r\n", false},
		 {"data: a\n", true},  {"dat", true},          {"data: a\n\n: ", true},
		 {"event: x\n", false}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		struct ww_sse s;
		struct ww_buf out;

		ww_buf_init(&out, 4096);
		ww_sse_init(&s, WW_SSE_LINE_BYTES_MAX);
		read_stream(ww_slice_str(c[i].in), 0, 100, &out, &s);
		assert_int_equal(ww_sse_pending(&s), c[i].pending);
		ww_sse_done(&s);
		ww_buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_not_dispatch),
		cmocka_unit_test(line_ends),
		cmocka_unit_test(fields),
		cmocka_unit_test(byte_order_mark),
		cmocka_unit_test(ceilings_lose_one_event),
		cmocka_unit_test(pending_tells_a_cut_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
