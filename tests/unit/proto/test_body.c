/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks the numbered invariants of body.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>

#include "proto/body.h"

#include <wirewitness/limits.h>

#define BIT WW_X_TRUNCATED_RESPONSE

static struct ww_digest_key key;
static struct ww_bodies all;

static int setup(void **state)
{
	static const uint8_t k[32] = {1};

	ww_digest_key_init(&key, k);
	ww_bodies_init(&all, &key, 1000);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(all.held_bytes, 0);
	ww_bodies_done(&all);
	return 0;
}

static struct ww_slice gzipped(const char *text, uint8_t *out, size_t cap)
{
	z_stream d = {0};

	assert_int_equal(deflateInit2(&d, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	d.next_in = (Bytef *)(uintptr_t)text;
	d.avail_in = (uInt)strlen(text);
	d.next_out = out;
	d.avail_out = (uInt)cap;
	assert_int_equal(deflate(&d, Z_FINISH), Z_STREAM_END);
	deflateEnd(&d);
	return ww_slice(out, cap - d.avail_out);
}

static void must_not_pass_the_common_ceiling(void **state)
{
	static struct ww_body_keep k[3000];
	static uint8_t block[20000];
	struct ww_body b = {0};
	unsigned whole = 0;

	ww_bodies_done(&all);
	ww_bodies_init(&all, &key, 20000);
	for (size_t i = 0; i < WW_ARRAY_SIZE(k); i++) {
		ww_body_begin(&k[i], &all, WW_CODING_IDENTITY);
		ww_body_add(&k[i], ww_slice(block, sizeof(block)));
		assert_true(all.held_bytes < WW_BODIES_BYTES_MAX + sizeof(block));
		assert_int_equal(k[i].wire_bytes, sizeof(block));
		assert_int_equal(k[i].decoded_bytes, sizeof(block));
	}
	for (size_t i = 0; i < WW_ARRAY_SIZE(k); i++) {
		uint32_t findings = ww_body_end(&k[i], true, BIT, &b);

		assert_int_equal(b.whole, findings == 0);
		whole += b.whole;
		ww_body_free(&k[i]);
	}
	assert_int_equal(whole, WW_BODIES_BYTES_MAX / sizeof(block));
	assert_int_equal(all.refused, WW_ARRAY_SIZE(k) - whole);
	assert_int_equal(all.held_bytes, 0);
}

static void must_not_pass_the_ceiling_with_inflates(void **state)
{
	static struct ww_body_keep k[1000];
	struct ww_body b;
	uint8_t raw[200];
	struct ww_slice gz = gzipped("hello", raw, sizeof(raw));

	for (size_t i = 0; i < WW_ARRAY_SIZE(k); i++) {
		ww_body_begin(&k[i], &all, WW_CODING_GZIP);
		ww_body_add(&k[i], ww_slice_sub(gz, 0, gz.n - 1));
	}
	assert_true(all.held_bytes <= WW_BODIES_BYTES_MAX + 1000);
	assert_true(all.refused > 500);
	for (size_t i = 0; i < WW_ARRAY_SIZE(k); i++) {
		ww_body_add(&k[i], ww_slice_sub(gz, gz.n - 1, 1));
		(void)ww_body_end(&k[i], true, BIT, &b);
		assert_int_equal(b.wire_bytes, gz.n);
		assert_int_equal(b.whole, b.data.n == 5);
		ww_body_free(&k[i]);
	}
}

static void must_say_when_a_coding_is_cut_or_broken(void **state)
{
	struct ww_body_keep k = {0};
	struct ww_body b = {0};
	uint8_t raw[200];
	struct ww_slice gz = gzipped("hello", raw, sizeof(raw));

	ww_body_begin(&k, &all, WW_CODING_GZIP);
	ww_body_add(&k, ww_slice_sub(gz, 0, gz.n - 1));
	assert_int_equal(ww_body_end(&k, true, BIT, &b), WW_X_MALFORMED_CODING);
	assert_false(b.whole);
	/* Cut by the connection's end: not the coding's fault. */
	ww_body_begin(&k, &all, WW_CODING_GZIP);
	ww_body_add(&k, ww_slice_sub(gz, 0, gz.n - 1));
	assert_int_equal(ww_body_end(&k, false, BIT, &b), 0);
	assert_false(b.whole);
	ww_body_begin(&k, &all, WW_CODING_GZIP);
	ww_body_add(&k, WW_SLICE_LIT("no gzip"));
	ww_body_add(&k, gz);
	assert_int_equal(ww_body_end(&k, true, BIT, &b), WW_X_MALFORMED_CODING);
	assert_int_equal(b.data.n, 0);
	assert_int_equal(b.wire_bytes, 7 + gz.n);
	ww_body_begin(&k, &all, WW_CODING_OTHER);
	ww_body_add(&k, WW_SLICE_LIT("dcb"));
	assert_int_equal(ww_body_end(&k, true, BIT, &b), WW_X_CODING_UNKNOWN);
	assert_int_equal(b.data.n, 3);
	assert_false(b.whole);
	ww_body_free(&k);
}

static void bombs_stop_early(void **state)
{
	static char zeros[4 << 20];
	static uint8_t raw[8192];
	struct ww_body_keep k = {0};
	struct ww_body b = {0};

	memset(zeros, '0', sizeof(zeros) - 1);
	ww_body_begin(&k, &all, WW_CODING_GZIP);
	ww_body_add(&k, gzipped(zeros, raw, sizeof(raw)));
	assert_int_equal(ww_body_end(&k, true, BIT, &b), WW_X_BOMB | BIT);
	assert_int_equal(b.data.n, 1000);
	assert_true(b.decoded_bytes < 64 << 10);
	ww_body_free(&k);
}

static void decodes_counts_and_digests(void **state)
{
	struct ww_body_keep k = {0};
	struct ww_body b = {0};
	struct ww_sha256 d;
	uint8_t raw[200];
	struct ww_slice gz = gzipped("hello", raw, sizeof(raw));

	ww_body_begin(&k, &all, WW_CODING_GZIP);
	ww_body_add(&k, gz);
	assert_int_equal(ww_body_end(&k, true, BIT, &b), 0);
	assert_true(b.whole);
	assert_true(ww_slice_eq_str(b.data, "hello"));
	assert_int_equal(b.wire_bytes, gz.n);
	assert_int_equal(b.decoded_bytes, 5);
	ww_digest(&key, WW_SLICE_LIT("hello"), &d);
	assert_memory_equal(&d, &b.digest, sizeof(d));
	/* No content at all, coded or not. */
	ww_body_begin(&k, &all, WW_CODING_GZIP);
	assert_int_equal(ww_body_end(&k, true, BIT, &b), 0);
	assert_true(b.whole);
	ww_digest(&key, WW_SLICE_NULL, &d);
	assert_memory_equal(&d, &b.digest, sizeof(d));
	ww_body_free(&k);
}

static void only_a_prefix_is_kept(void **state)
{
	static char text[1500];
	struct ww_body_keep k = {0};
	struct ww_body b = {0};

	memset(text, 't', sizeof(text) - 1);
	ww_body_begin(&k, &all, WW_CODING_IDENTITY);
	ww_body_add(&k, WW_SLICE_LIT("ab"));
	ww_body_gap(&k, 5);
	ww_body_add(&k, WW_SLICE_LIT("cd"));
	assert_int_equal(ww_body_end(&k, true, BIT, &b), 0);
	assert_true(ww_slice_eq_str(b.data, "ab"));
	assert_false(b.whole);
	assert_int_equal(b.wire_bytes, 9);
	assert_int_equal(b.decoded_bytes, 9);
	ww_body_begin(&k, &all, WW_CODING_IDENTITY);
	ww_body_add(&k, ww_slice_str(text));
	ww_body_add(&k, WW_SLICE_LIT("more"));
	assert_int_equal(ww_body_end(&k, true, BIT, &b), BIT);
	assert_int_equal(b.data.n, 1000);
	assert_int_equal(b.wire_bytes, 1503);
	ww_body_free(&k);
}

static void kept_memory_is_wiped_and_used_again(void **state)
{
	struct ww_body_keep k = {0};
	uint8_t *p;

	ww_body_begin(&k, &all, WW_CODING_IDENTITY);
	ww_body_add(&k, WW_SLICE_LIT("secret"));
	p = k.buf.p;
	ww_body_recycle(&k);
	assert_ptr_equal(k.buf.p, p);
	for (int i = 0; i < 6; i++)
		assert_int_equal(p[i], 0);
	assert_int_equal(all.held_bytes, 0);
	ww_body_begin(&k, &all, WW_CODING_IDENTITY);
	assert_int_equal(all.held_bytes, 0);
	ww_body_add(&k, WW_SLICE_LIT("x"));
	assert_int_equal(all.held_bytes, k.buf.cap);
	ww_body_free(&k);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(must_not_pass_the_common_ceiling),
		T(must_not_pass_the_ceiling_with_inflates),
		T(must_say_when_a_coding_is_cut_or_broken),
		T(bombs_stop_early),
		T(decodes_counts_and_digests),
		T(only_a_prefix_is_kept),
		T(kept_memory_is_wiped_and_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
