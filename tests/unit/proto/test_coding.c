/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>

#include "proto/coding.h"

#include "base/buf.h"

static struct ww_buf out;
static struct ww_inflate *z;
static uint64_t held, held_max = 1; /* zlib's memory is not counted there */

static int setup(void **state)
{
	ww_buf_init(&out, 64 << 20);
	return ww_inflate_new((struct ww_inflate_room){&held, &held_max}, &z);
}

static int teardown(void **state)
{
	ww_buf_done(&out);
	ww_inflate_free(z);
	return 0;
}

static void sink(void *ctx, struct ww_slice decoded)
{
	assert_ptr_equal(ctx, &out);
	assert_int_equal(ww_buf_add(&out, decoded.p, decoded.n), 0);
}

/* window: 31 gzip, 15 zlib, -15 raw. Caller frees. */
static struct ww_slice deflated(struct ww_slice plain, int window)
{
	z_stream d = {0};
	size_t cap = plain.n + plain.n / 100 + 64;
	uint8_t *p = malloc(cap);

	assert_int_equal(deflateInit2(&d, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	d.next_in = (Bytef *)(uintptr_t)plain.p;
	d.avail_in = (uInt)plain.n;
	d.next_out = p;
	d.avail_out = (uInt)cap;
	assert_int_equal(deflate(&d, Z_FINISH), Z_STREAM_END);
	deflateEnd(&d);
	return ww_slice(p, cap - d.avail_out);
}

static void feed_all(struct ww_slice in, size_t step, enum ww_parse last)
{
	enum ww_parse r = WW_PARSE_MORE;

	for (size_t at = 0; at < in.n; at += step)
		r = ww_inflate_feed(z, ww_slice_sub(in, at, step), sink, &out);
	assert_int_equal(r, last);
}

static const char text[] = "the quick brown fox, the quick brown fox, the lazy dog 0123456789";

static void must_refuse_broken_streams(void **state)
{
	struct ww_slice gz = deflated(ww_slice_str(text), 31);
	uint8_t *p = (uint8_t *)(uintptr_t)gz.p;

	/* Wrong checksum, wrong length, wrong block type, not gzip at all, garbage behind the end.
	 */
	for (size_t i = 0; i < 8; i++) {
		p[gz.n - 1 - i] ^= 0x40;
		ww_inflate_reset(z, WW_CODING_GZIP, 1 << 20);
		feed_all(gz, gz.n, WW_PARSE_BAD);
		p[gz.n - 1 - i] ^= 0x40;
	}
	p[10] |= 0x06;
	ww_inflate_reset(z, WW_CODING_GZIP, 1 << 20);
	feed_all(gz, 1, WW_PARSE_BAD);
	assert_false(ww_inflate_bomb(z));
	ww_inflate_reset(z, WW_CODING_GZIP, 1 << 20);
	feed_all(WW_SLICE_LIT("{\"not\":\"gzip\"}"), 3, WW_PARSE_BAD);
	/* Stopped stays stopped. */
	feed_all(gz, gz.n, WW_PARSE_BAD);
	free(p);
	gz = deflated(ww_slice_str(text), 31);
	ww_inflate_reset(z, WW_CODING_GZIP, 1 << 20);
	feed_all(gz, gz.n, WW_PARSE_DONE);
	feed_all(WW_SLICE_LIT("garbage"), 7, WW_PARSE_BAD);
	free((void *)(uintptr_t)gz.p);
}

static void must_refuse_garbage_behind_deflate(void **state)
{
	struct ww_slice d = deflated(ww_slice_str(text), 15);

	ww_inflate_reset(z, WW_CODING_DEFLATE, 1 << 20);
	feed_all(d, 1, WW_PARSE_DONE);
	feed_all(WW_SLICE_LIT("x"), 1, WW_PARSE_BAD);
	free((void *)(uintptr_t)d.p);
}

static void must_refuse_codings_it_does_not_know(void **state)
{
	ww_inflate_reset(z, WW_CODING_OTHER, 1 << 20);
	feed_all(WW_SLICE_LIT("xx"), 2, WW_PARSE_BAD);
	ww_inflate_reset(z, WW_CODING_IDENTITY, 1 << 20);
	feed_all(WW_SLICE_LIT("xx"), 2, WW_PARSE_BAD);
}

static void bombs_are_stopped(void **state)
{
	size_t n = 16 << 20;
	uint8_t *zeros = calloc(1, n);
	struct ww_slice bomb = deflated(ww_slice(zeros, n), 31);

	/* By ratio: 16 MiB of zeros come to about 1:1029. */
	ww_inflate_reset(z, WW_CODING_GZIP, UINT64_MAX);
	feed_all(bomb, bomb.n, WW_PARSE_BAD);
	assert_true(ww_inflate_bomb(z));
	assert_true(out.n < n / 2);
	/* By size. */
	ww_buf_clear(&out);
	ww_inflate_reset(z, WW_CODING_GZIP, 100000);
	feed_all(bomb, 1000, WW_PARSE_BAD);
	assert_true(ww_inflate_bomb(z));
	assert_true(out.n <= 100000 + 16384);
	free(zeros);
	free((void *)(uintptr_t)bomb.p);
}

static void every_form_and_every_split(void **state)
{
	static const struct {
		int window;
		enum ww_coding coding;
	} form[] = {{31, WW_CODING_GZIP}, {15, WW_CODING_DEFLATE}, {-15, WW_CODING_DEFLATE}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(form); i++) {
		struct ww_slice in = deflated(ww_slice_str(text), form[i].window);

		for (size_t step = 1; step <= in.n; step++) {
			ww_buf_clear(&out);
			ww_inflate_reset(z, form[i].coding, 1 << 20);
			feed_all(in, step, WW_PARSE_DONE);
			assert_true(ww_slice_eq_str(ww_buf_slice(&out), text));
		}
		ww_inflate_reset(z, form[i].coding, 1 << 20);
		feed_all(ww_slice_sub(in, 0, in.n - 1), in.n, WW_PARSE_MORE);
		free((void *)(uintptr_t)in.p);
	}
}

static void gzip_members_follow_each_other(void **state)
{
	struct ww_slice in = deflated(ww_slice_str(text), 31);

	for (size_t step = 1; step <= in.n; step += 7) {
		ww_buf_clear(&out);
		ww_inflate_reset(z, WW_CODING_GZIP, 1 << 20);
		feed_all(in, step, WW_PARSE_DONE);
		feed_all(in, step, WW_PARSE_DONE);
		assert_int_equal(out.n, 2 * strlen(text));
	}
	free((void *)(uintptr_t)in.p);
}

static void long_content_passes_whole(void **state)
{
	size_t n = 3 << 20;
	uint8_t *plain = malloc(n);
	struct ww_slice in;
	uint32_t seed = 1;

	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		plain[i] = (uint8_t)(seed >> 28);
	}
	in = deflated(ww_slice(plain, n), 31);
	ww_inflate_reset(z, WW_CODING_GZIP, n);
	feed_all(in, 4099, WW_PARSE_DONE);
	assert_true(ww_slice_eq(ww_buf_slice(&out), ww_slice(plain, n)));
	free(plain);
	free((void *)(uintptr_t)in.p);
}

static void names_of_codings(void **state)
{
	static const struct {
		const char *value;
		enum ww_coding coding;
	} c[] = {{"", WW_CODING_IDENTITY},       {" identity ", WW_CODING_IDENTITY},
		 {"GZip", WW_CODING_GZIP},       {"x-gzip", WW_CODING_GZIP},
		 {"deflate", WW_CODING_DEFLATE}, {"Br", WW_CODING_BR},
		 {"zstd", WW_CODING_ZSTD},       {"gzip, br", WW_CODING_OTHER},
		 {"gzip,", WW_CODING_OTHER},     {"compress", WW_CODING_OTHER},
		 {"dcb", WW_CODING_OTHER},       {"other", WW_CODING_OTHER}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++)
		assert_int_equal(ww_coding_of(ww_slice_str(c[i].value)), c[i].coding);
	assert_string_equal(ww_coding_name(WW_CODING_GZIP), "gzip");
	assert_string_equal(ww_coding_name(WW_CODING_BR), "br");
	assert_string_equal(ww_coding_name(WW_CODING_ZSTD), "zstd");
	assert_string_equal(ww_coding_name((enum ww_coding)99), "other");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(must_refuse_broken_streams),
		T(must_refuse_garbage_behind_deflate),
		T(must_refuse_codings_it_does_not_know),
		T(bombs_are_stopped),
		T(every_form_and_every_split),
		T(gzip_members_follow_each_other),
		T(long_content_passes_whole),
		T(names_of_codings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
