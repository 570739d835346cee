/* SPDX-License-Identifier: Apache-2.0 */
/*
 * br and zstd against their reference encoders: every cut of what those write gives what went into
 * them, and nothing else does. The memory, which the sender of these codings chooses, stays in its
 * room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <brotli/encode.h>
#include <zstd.h>

#include "proto/body.h"
#include "proto/coding.h"

#include "base/buf.h"

static struct ww_buf out;
static struct ww_inflate *z;
static uint64_t held, held_max;

static int setup(void **state)
{
	held_max = 32 << 20;
	ww_buf_init(&out, 64 << 20);
	return ww_inflate_new((struct ww_inflate_room){&held, &held_max}, &z);
}

static int teardown(void **state)
{
	ww_buf_done(&out);
	ww_inflate_free(z);
	assert_int_equal(held, 0);
	return 0;
}

static void sink(void *ctx, struct ww_slice decoded)
{
	assert_ptr_equal(ctx, &out);
	assert_int_equal(ww_buf_add(&out, decoded.p, decoded.n), 0);
}

static enum ww_parse feed(struct ww_slice in)
{
	uint8_t *copy = malloc(in.n ? in.n : 1); /* to size, for the sanitizer */
	enum ww_parse r;

	assert_non_null(copy);
	memcpy(copy, in.p, in.n);
	r = ww_inflate_feed(z, ww_slice(copy, in.n), sink, &out);
	free(copy);
	return r;
}

static void begin(enum ww_coding coding)
{
	ww_buf_clear(&out);
	ww_inflate_reset(z, coding, 1 << 30);
}

static enum ww_parse decode(enum ww_coding coding, struct ww_slice in, size_t step)
{
	enum ww_parse r = WW_PARSE_MORE;

	begin(coding);
	for (size_t at = 0; at < in.n; at += step)
		r = feed(ww_slice_sub(in, at, step));
	return r;
}

/* --- the encoders ------------------------------------------------------------------------------
 */

/* What the encoders wrote last. */
static uint8_t *coded;
static size_t coded_cap;

static uint8_t *room_for(size_t n)
{
	if (n > coded_cap) {
		coded = realloc(coded, n);
		assert_non_null(coded);
		coded_cap = n;
	}
	return coded;
}

static struct ww_slice by_brotli(struct ww_slice plain, int quality, int window)
{
	size_t n = BrotliEncoderMaxCompressedSize(plain.n) + 1024;
	uint8_t *p = room_for(n);

	assert_true(BrotliEncoderCompress(quality, window, BROTLI_MODE_GENERIC, plain.n, plain.p,
					  &n, p));
	return ww_slice(p, n);
}

/* `pieces`: flushed as often, as a server of an event stream does; the frame says no size. */
static struct ww_slice by_zstd(struct ww_slice plain, int level, int window, unsigned pieces)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t cap = ZSTD_compressBound(plain.n) + 1024 + (size_t)pieces * 64, at = 0;
	ZSTD_outBuffer to = {room_for(cap), cap, 0};

	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, level & 1);
	if (window)
		ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window);
	for (unsigned i = 1; i <= pieces; i++) {
		size_t end = i == pieces ? plain.n : plain.n / pieces * i;
		ZSTD_inBuffer from = {plain.p + at, end - at, 0};

		assert_int_equal(ZSTD_compressStream2(c, &to, &from, ZSTD_e_flush), 0);
		at = end;
	}
	assert_int_equal(ZSTD_compressStream2(c, &to, &(ZSTD_inBuffer){NULL, 0, 0}, ZSTD_e_end), 0);
	ZSTD_freeCCtx(c);
	return ww_slice(to.dst, to.pos);
}

static uint8_t *plain_bytes;

/* Text that repeats itself, with noise in between; the same for the same seed. */
static struct ww_slice content(size_t n, unsigned noise_percent)
{
	uint32_t seed = (uint32_t)n + noise_percent;
	uint8_t *p = plain_bytes = realloc(plain_bytes, n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = seed >> 24 < noise_percent * 256 / 100
			       ? (uint8_t)(seed >> 8)
			       : (uint8_t) "data: {\"delta\": \"the quick brown fox\"}\n\n"[i % 41];
	}
	return ww_slice(p, n);
}

static void must_be(struct ww_slice plain)
{
	assert_true(ww_slice_eq(ww_buf_slice(&out), plain));
}

/* --- must not ----------------------------------------------------------------------------------
 */

/* Cut anywhere: more is awaited, what came so far is a begin of the content, and no end is told. */
static void cut_anywhere(enum ww_coding coding, struct ww_slice in, struct ww_slice plain)
{
	for (size_t n = 0; n < in.n; n++) {
		begin(coding);
		assert_int_equal(feed(ww_slice_sub(in, 0, n)), WW_PARSE_MORE);
		assert_true(ww_slice_starts(plain, ww_buf_slice(&out)));
		/* The other half: every border of two pieces. */
		assert_int_equal(feed(ww_slice_sub(in, n, in.n)), WW_PARSE_DONE);
		must_be(plain);
	}
}

static void must_not_take_a_part_for_the_whole(void **state)
{
	for (unsigned noise = 0; noise <= 100; noise += 20) {
		struct ww_slice plain = content(300 + noise, noise);

		for (int quality = 0; quality <= 11; quality++)
			cut_anywhere(WW_CODING_BR, by_brotli(plain, quality, 10 + quality), plain);
		for (int level = 1; level <= 19; level += 3)
			cut_anywhere(WW_CODING_ZSTD,
				     by_zstd(plain, level, 0, 1 + (unsigned)level % 4), plain);
	}
}

static void must_not_take_what_is_behind_the_end(void **state)
{
	struct ww_slice in = by_brotli(content(100, 0), 5, 22);

	begin(WW_CODING_BR);
	assert_int_equal(feed(in), WW_PARSE_DONE);
	assert_int_equal(feed(in), WW_PARSE_BAD); /* RFC 7932 knows one stream */
	in = by_zstd(content(100, 0), 3, 0, 1);
	begin(WW_CODING_ZSTD);
	assert_int_equal(feed(in), WW_PARSE_DONE);
	assert_int_equal(feed(WW_SLICE_LIT("x")), WW_PARSE_BAD);
	assert_int_equal(feed(in), WW_PARSE_BAD);
	assert_false(ww_inflate_bomb(z) || ww_inflate_starved(z));
}

static void must_refuse_what_is_broken(void **state)
{
	static const uint8_t old[][4] = {/* formats from before RFC 8878, and a dictionary */
					 {0x27, 0xb5, 0x2f, 0xfd},
					 {0x25, 0xb5, 0x2f, 0xfd},
					 {0x22, 0xb5, 0x2f, 0xfd},
					 {0x1e, 0xb5, 0x2f, 0xfd},
					 {0x37, 0xa4, 0x30, 0xec}};
	struct ww_slice in = by_zstd(content(5000, 10), 3, 0, 1);
	uint8_t *p = (uint8_t *)(uintptr_t)in.p;

	for (size_t i = 0; i < 4; i++) { /* the checksum */
		p[in.n - 1 - i] ^= 1;
		assert_int_equal(decode(WW_CODING_ZSTD, in, 7), WW_PARSE_BAD);
		p[in.n - 1 - i] ^= 1;
	}
	assert_int_equal(decode(WW_CODING_ZSTD, in, 7), WW_PARSE_DONE);
	for (size_t i = 0; i < WW_ARRAY_SIZE(old); i++)
		assert_int_equal(decode(WW_CODING_ZSTD, ww_slice(old[i], 4), 1), WW_PARSE_BAD);
	assert_int_equal(decode(WW_CODING_BR, WW_SLICE_LIT("{\"not\":\"br\"}"), 3), WW_PARSE_BAD);
	assert_int_equal(decode(WW_CODING_ZSTD, WW_SLICE_LIT("{\"not\":\"zstd\"}"), 3),
			 WW_PARSE_BAD);
	assert_false(ww_inflate_bomb(z) || ww_inflate_starved(z));
}

/* A large window takes no memory that is not there: it is refused, and nothing is said of it. */
static void must_stay_in_the_room(void **state)
{
	struct ww_slice plain = content(3 << 20, 30);
	struct {
		enum ww_coding coding;
		struct ww_slice in;
	} c[2] = {{WW_CODING_BR, by_brotli(plain, 5, 22)}};
	uint8_t *br = malloc(c[0].in.n);

	memcpy(br, c[0].in.p, c[0].in.n);
	c[0].in.p = br;
	c[1].coding = WW_CODING_ZSTD;
	c[1].in = by_zstd(plain, 3, 23, 1);
	for (unsigned i = 0; i < 2; i++) {
		held_max = 2 << 20;
		assert_int_equal(decode(c[i].coding, c[i].in, 10000), WW_PARSE_BAD);
		assert_true(ww_inflate_starved(z));
		assert_false(ww_inflate_bomb(z));
		assert_true(held <= held_max);
		held_max = 100; /* not even the state */
		assert_int_equal(decode(c[i].coding, c[i].in, 10000), WW_PARSE_BAD);
		assert_true(ww_inflate_starved(z));
		held_max = 12 << 20;
		assert_int_equal(decode(c[i].coding, c[i].in, 10000), WW_PARSE_DONE);
		must_be(plain);
		assert_true(held > 2 << 20 && held <= held_max);
		ww_inflate_reset(z, WW_CODING_IDENTITY, 0);
		assert_int_equal(held, 0);
	}
	free(br);
	/* RFC 9659: 8 MiB are the most; beyond it the stream is malformed, whatever the room. */
	assert_int_equal(decode(WW_CODING_ZSTD, by_zstd(plain, 3, 24, 1), 10000), WW_PARSE_BAD);
	assert_false(ww_inflate_starved(z));
}

/* The same for bodies: one that finds no room is counted and not kept, the others are. */
static void must_keep_other_bodies(void **state)
{
	static const uint8_t k[32] = {1};
	struct ww_slice plain = content(3 << 20, 30), in;
	struct ww_body_keep a = {0}, b = {0};
	struct ww_body body = {0};
	struct ww_digest_key key;
	struct ww_bodies all;

	ww_digest_key_init(&key, k);
	ww_bodies_init(&all, &key, 4 << 20);
	all.held_bytes_max = 16 << 20;
	in = by_zstd(plain, 3, 23, 1);
	ww_body_begin(&a, &all, WW_CODING_ZSTD);
	ww_body_begin(&b, &all, WW_CODING_ZSTD);
	ww_body_add(&a, ww_slice_sub(in, 0, in.n / 2));
	ww_body_add(&b, in);
	assert_int_equal(all.refused, 1);
	assert_int_equal(ww_body_end(&b, true, WW_X_TRUNCATED_RESPONSE, &body),
			 WW_X_TRUNCATED_RESPONSE);
	assert_false(body.whole);
	assert_int_equal(body.wire_bytes, in.n);
	ww_body_free(&b);
	ww_body_add(&a, ww_slice_sub(in, in.n / 2, in.n));
	assert_int_equal(ww_body_end(&a, true, WW_X_TRUNCATED_RESPONSE, &body), 0);
	assert_true(body.whole && ww_slice_eq(body.data, plain));
	ww_body_free(&a);
	assert_int_equal(all.held_bytes, 0);
	ww_bodies_done(&all);
}

static void bombs_are_stopped(void **state)
{
	size_t n = 32 << 20;
	uint8_t *zeros = calloc(1, n);

	for (unsigned i = 0; i < 4; i++) {
		bool br = i & 1, by_size = i & 2;
		struct ww_slice bomb = br ? by_brotli(ww_slice(zeros, n), 5, 22)
					  : by_zstd(ww_slice(zeros, n), 3, 0, 1);

		ww_buf_clear(&out);
		ww_inflate_reset(z, br ? WW_CODING_BR : WW_CODING_ZSTD,
				 by_size ? 100000 : UINT64_MAX);
		assert_int_equal(feed(bomb), WW_PARSE_BAD);
		assert_true(ww_inflate_bomb(z));
		assert_true(out.n <= (by_size ? 100000 + 16384 : n / 2));
	}
	free(zeros);
}

/* --- must --------------------------------------------------------------------------------------
 */

static void long_content_passes_whole(void **state)
{
	static const size_t steps[] = {1, 2, 3, 4099, 16384, SIZE_MAX / 2};

	for (unsigned noise = 1; noise <= 100; noise += 49) {
		struct ww_slice plain = content(200001, noise);

		for (size_t i = 0; i < WW_ARRAY_SIZE(steps); i++) {
			struct ww_slice in = by_brotli(plain, 5, i % 2 ? 24 : 16);

			assert_int_equal(decode(WW_CODING_BR, in, steps[i]), WW_PARSE_DONE);
			must_be(plain);
			in = by_zstd(plain, (int)i * 3 + 1, 0, 1 + (unsigned)i * 50);
			assert_int_equal(decode(WW_CODING_ZSTD, in, steps[i]), WW_PARSE_DONE);
			must_be(plain);
		}
	}
}

/* RFC 8878 section 3.1: frames, and ones to skip between them. */
static void frames_follow_each_other(void **state)
{
	static const uint8_t skip[] = {0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'};
	struct ww_slice plain = content(500, 5), one = by_zstd(plain, 3, 0, 1);
	struct ww_buf all;

	ww_buf_init(&all, 1 << 20);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ww_buf_add(&all, skip, sizeof(skip)), 0);
		assert_int_equal(ww_buf_add(&all, one.p, one.n), 0);
	}
	assert_int_equal(ww_buf_add(&all, skip, sizeof(skip)), 0);
	for (size_t step = 1; step <= all.n; step++) {
		assert_int_equal(decode(WW_CODING_ZSTD, ww_buf_slice(&all), step), WW_PARSE_DONE);
		assert_int_equal(out.n, 3 * plain.n);
		assert_true(ww_slice_eq(ww_slice(out.p + 2 * plain.n, plain.n), plain));
	}
	ww_buf_done(&all);
}

/* What was flushed is there before the end is. */
static void flushed_content_is_there_at_once(void **state)
{
	struct ww_slice plain = content(1000, 5), in = by_zstd(plain, 3, 0, 10);
	BrotliEncoderState *e = BrotliEncoderCreateInstance(NULL, NULL, NULL);
	size_t left = plain.n, cap = 4096;
	const uint8_t *next = plain.p;
	uint8_t raw[4096], *to = raw;

	begin(WW_CODING_ZSTD);
	assert_int_equal(feed(ww_slice_sub(in, 0, in.n - 3)), WW_PARSE_MORE);
	must_be(plain);
	assert_true(BrotliEncoderCompressStream(e, BROTLI_OPERATION_FLUSH, &left, &next, &cap, &to,
						NULL));
	begin(WW_CODING_BR);
	assert_int_equal(feed(ww_slice(raw, sizeof(raw) - cap)), WW_PARSE_MORE);
	must_be(plain);
	BrotliEncoderDestroyInstance(e);
}

static void one_decoder_serves_all_codings(void **state)
{
	struct ww_slice plain = content(400, 5);

	for (unsigned i = 0; i < 6; i++) {
		bool br = i & 1;

		assert_int_equal(decode(br ? WW_CODING_BR : WW_CODING_ZSTD,
					br ? by_brotli(plain, 5, 18) : by_zstd(plain, 3, 0, 1), 50),
				 WW_PARSE_DONE);
		must_be(plain);
		begin(WW_CODING_GZIP);
		assert_int_equal(feed(WW_SLICE_LIT("no")), WW_PARSE_BAD);
		assert_int_equal(held, 0);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(must_not_take_a_part_for_the_whole),
		T(must_not_take_what_is_behind_the_end),
		T(must_refuse_what_is_broken),
		T(must_stay_in_the_room),
		T(must_keep_other_bodies),
		T(bombs_are_stopped),
		T(long_content_passes_whole),
		T(frames_follow_each_other),
		T(flushed_content_is_there_at_once),
		T(one_decoder_serves_all_codings),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	free(plain_bytes);
	free(coded);
	return r;
}
