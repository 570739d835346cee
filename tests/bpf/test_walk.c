/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel side's record walk, compiled here: what it does with segments as networks deliver
 * them. Invariant numbers are those of bpf/lib/walk.bpf.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <wirewitness/event.h>

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

#include <stdbool.h>

#include "../../bpf/lib/walk.bpf.h"

#define STREAM_MAX 400000u

static uint8_t stream[STREAM_MAX];
static uint32_t stream_bytes;
static struct ww_walk_found hellos[4], records[WW_RECORDS_WALKED_MAX + 4];
static unsigned hello_count, record_count;

static inline int ww_walk_load(const struct ww_segment *seg, __u32 at, void *to, __u32 bytes)
{
	assert_true(at + bytes <= seg->bytes);
	memcpy(to, (const uint8_t *)seg->skb + at, bytes);
	return 0;
}

static inline void ww_walk_hello(const struct ww_segment *seg, const struct ww_walk_found *hello)
{
	(void)seg;
	assert_true(hello_count < 4);
	hellos[hello_count++] = *hello;
}

static inline void ww_walk_record(const struct ww_segment *seg, const struct ww_walk_found *record)
{
	(void)seg;
	assert_true(record_count < WW_RECORDS_WALKED_MAX);
	records[record_count++] = *record;
}

static void begin(struct ww_walk *w, uint32_t first)
{
	*w = (struct ww_walk){.first = first, .next = first};
	stream_bytes = hello_count = record_count = 0;
}

static void put_plain(const char *text)
{
	memcpy(stream + stream_bytes, text, strlen(text));
	stream_bytes += (uint32_t)strlen(text);
}

static void put_record(uint8_t type, uint8_t first, uint32_t body)
{
	uint8_t *p = stream + stream_bytes;

	assert_true(stream_bytes + body + 5 <= STREAM_MAX);
	p[0] = type;
	p[1] = 3;
	p[2] = 3;
	p[3] = (uint8_t)(body >> 8);
	p[4] = (uint8_t)body;
	memset(p + 5, 0xee, body);
	if (body)
		p[5] = first;
	stream_bytes += body + 5;
}

static void feed(struct ww_walk *w, uint32_t at, uint32_t bytes)
{
	struct ww_segment seg = {.skb = stream + at, .bytes = bytes, .seq = w->first + at};

	ww_walk_segment(w, &seg);
}

/* ClientHello, then application records of the sizes 100, 101, ... */
static void put_session(unsigned count)
{
	put_record(22, 1, 512);
	for (unsigned i = 1; i < count; i++)
		put_record(23, 0, 100 + i);
}

static void expect_session(unsigned count, uint32_t at)
{
	assert_int_equal(record_count, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(records[i].offset, at);
		assert_int_equal(records[i].bytes, i ? 105 + i : 517);
		assert_int_equal(records[i].index, i);
		assert_int_equal(records[i].type, i ? 23 : 22);
		at += records[i].bytes;
	}
}

static void test_hole_ends_it(void **state)
{
	struct ww_walk w;

	begin(&w, 1000);
	put_session(5);
	feed(&w, 0, 517);
	feed(&w, 517 + 50, 30);
	assert_int_equal(w.mode, WW_WALK_DONE);
	assert_int_equal(w.lost, 1);
	feed(&w, 517, stream_bytes - 517); /* too late: nothing is guessed (invariant 2) */
	assert_int_equal(record_count, 1);
}

static void test_garbage_ends_it(void **state)
{
	struct ww_walk w;

	begin(&w, 1000);
	put_session(2);
	put_plain("no record header at all");
	feed(&w, 0, stream_bytes);
	assert_int_equal(w.lost, 1);
	assert_int_equal(record_count, 2);
}

static void test_body_too_long(void **state)
{
	struct ww_walk w;

	begin(&w, 1000);
	put_session(1);
	put_record(23, 0, WW_RECORD_BODY_MAX + 1);
	feed(&w, 0, stream_bytes);
	assert_int_equal(w.lost, 1);
	assert_int_equal(record_count, 1);
}

static void test_no_hello(void **state)
{
	struct ww_walk w;

	begin(&w, 1000);
	put_record(22, 2, WW_HELLO_BYTES_MIN - 5 - 1); /* too short for a random */
	feed(&w, 0, stream_bytes);
	put_record(23, 1, 600); /* the wrong type */
	feed(&w, 517, 605);
	assert_int_equal(hello_count, 0);
	for (unsigned i = 0; i < WW_WALK_SEGMENTS_MAX; i++)
		feed(&w, 2000 + i, 1);
	assert_int_equal(w.mode, WW_WALK_DONE);
	assert_int_equal(w.lost, 0); /* not TLS is no failure */
	assert_int_equal(hello_count + record_count, 0);
}

static void test_whole(void **state)
{
	struct ww_walk w;

	begin(&w, 0xfffffff0u); /* sequence numbers wrap */
	put_session(9);
	feed(&w, 0, stream_bytes);
	assert_int_equal(hello_count, 1);
	assert_int_equal(hellos[0].client, 1);
	assert_int_equal(hellos[0].bytes, 517);
	expect_session(9, 0);
	assert_int_equal(w.lost, 0);
}

static void test_server_hello(void **state)
{
	struct ww_walk w;

	begin(&w, 7);
	put_record(22, 2, 122);
	feed(&w, 0, stream_bytes);
	assert_int_equal(hello_count, 1);
	assert_int_equal(hellos[0].client, 0);
}

static void test_repeats(void **state)
{
	struct ww_walk w;

	begin(&w, 1000);
	put_session(6);
	feed(&w, 0, 517);
	feed(&w, 0, 517); /* retransmitted (invariant 1) */
	feed(&w, 517, 100);
	feed(&w, 500, 150); /* overlaps what was seen */
	feed(&w, 0, stream_bytes);
	feed(&w, 300, 20);
	expect_session(6, 0);
	assert_int_equal(w.lost, 0);
}

static void test_behind_plaintext(void **state)
{
	static const char connect[] = "CONNECT api.test:443 HTTP/1.1\r\n\r\n";
	struct ww_walk w;

	begin(&w, 5);
	put_plain(connect);
	put_session(4);
	feed(&w, 0, 10);
	feed(&w, sizeof(connect) - 1,
	     stream_bytes - (sizeof(connect) - 1)); /* a hole: invariant 3 */
	assert_int_equal(hellos[0].offset, sizeof(connect) - 1);
	expect_session(4, sizeof(connect) - 1);
	assert_int_equal(w.lost, 0);
}

static void test_ceiling(void **state)
{
	struct ww_walk w;

	begin(&w, 1);
	put_session(WW_RECORDS_WALKED_MAX + 10);
	feed(&w, 0, stream_bytes);
	expect_session(WW_RECORDS_WALKED_MAX, 0);
	assert_int_equal(w.mode, WW_WALK_DONE);
	assert_int_equal(w.lost, 0);
}

static void test_empty_bodies(void **state)
{
	struct ww_walk w;

	begin(&w, 1);
	put_session(1);
	for (int i = 0; i < 5; i++)
		put_record(23, 0, 0);
	for (uint32_t at = 0; at < stream_bytes; at += 517)
		feed(&w, at, stream_bytes - at < 517 ? stream_bytes - at : 517);
	assert_int_equal(record_count, 6);
	assert_int_equal(w.lost, 0);
}

/* The hello in one piece, the rest cut anywhere, pieces repeated: always the same answer. */
static void test_any_cut(void **state)
{
	uint32_t random = 12345;

	for (unsigned round = 0; round < 2000; round++) {
		unsigned count = 2 + round % (WW_RECORDS_WALKED_MAX - 2);
		struct ww_walk w;

		begin(&w, round * 0x10000001u);
		put_session(count);
		feed(&w, 0, 517);
		for (uint32_t at = 517; at < stream_bytes;) {
			uint32_t n;

			random = random * 1664525u + 1013904223u;
			n = 1 + (random >> 16) % (round & 1 ? 7 : 700);
			if (n > stream_bytes - at)
				n = stream_bytes - at;
			feed(&w, at, n);
			if (random & 0x1000)
				feed(&w, at - (at > 300 ? 300 : at), n);
			at += n;
		}
		assert_int_equal(w.lost, 0);
		expect_session(count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hole_ends_it),  cmocka_unit_test(test_garbage_ends_it),
		cmocka_unit_test(test_body_too_long), cmocka_unit_test(test_no_hello),
		cmocka_unit_test(test_whole),         cmocka_unit_test(test_server_hello),
		cmocka_unit_test(test_repeats),       cmocka_unit_test(test_behind_plaintext),
		cmocka_unit_test(test_ceiling),       cmocka_unit_test(test_empty_bodies),
		cmocka_unit_test(test_any_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
