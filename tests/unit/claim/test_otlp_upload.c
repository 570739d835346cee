/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include <wirewitness/limits.h>

#include "claim/otlp_upload.h"

/* Text that gzip makes about half as long. */
static void fill(uint8_t *p, size_t n)
{
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)('a' + (x >> 28));
	}
}

static size_t gzip(const void *p, size_t n, uint8_t *out, size_t cap)
{
	z_stream z = {.next_in = (z_const Bytef *)p,
		      .avail_in = (uInt)n,
		      .next_out = out,
		      .avail_out = (uInt)cap};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return cap - z.avail_out;
}

/* In pieces of `step` bytes; the result of the first add that fails, else of the end. */
static int upload(struct ww_otlp_upload *u, const uint8_t *p, size_t n, size_t step)
{
	for (size_t at = 0; at < n; at += step) {
		int r = ww_otlp_upload_add(u, ww_slice_sub(ww_slice(p, n), at, step));

		if (r < 0)
			return r;
	}
	return ww_otlp_upload_end(u);
}

static void broken_gzip(void **state)
{
	static uint8_t text[100000], packed[100000];
	struct ww_otlp_budget budget = {.max = 1 << 20};
	size_t n;

	fill(text, sizeof(text));
	n = gzip(text, sizeof(text), packed, sizeof(packed));
	for (size_t cut = 0; cut < n; cut += 97) {
		struct ww_otlp_upload u WW_AUTO(ww_otlp_upload_done) = {0};

		assert_int_equal(ww_otlp_upload_begin(&u, true, 1 << 20, &budget), 0);
		assert_int_equal(upload(&u, packed, cut, 1000), -EBADMSG);
	}
	for (size_t at = 10; at < n; at += 1111) {
		struct ww_otlp_upload u WW_AUTO(ww_otlp_upload_done) = {0};

		packed[at] ^= 0x10;
		assert_int_equal(ww_otlp_upload_begin(&u, true, 1 << 20, &budget), 0);
		assert_int_equal(upload(&u, packed, n, 1000), -EBADMSG);
		packed[at] ^= 0x10;
	}
	for (size_t i = 0; i < 2; i++) {
		struct ww_otlp_upload u WW_AUTO(ww_otlp_upload_done) = {0};

		/* Plain text, and text behind the gzip stream. */
		packed[n] = 'x';
		assert_int_equal(ww_otlp_upload_begin(&u, true, 1 << 20, &budget), 0);
		assert_int_equal(i ? upload(&u, packed, n + 1, 1000) : upload(&u, text, 1000, 1000),
				 -EBADMSG);
	}
	assert_int_equal(budget.held, 0);
}

static void ceiling(void **state)
{
	static uint8_t text[100001], packed[100000];
	struct ww_otlp_budget budget = {.max = 1 << 20};
	static const size_t steps[] = {1, 1000, 200000};

	fill(text, sizeof(text));
	for (size_t i = 0; i < WW_ARRAY_SIZE(steps); i++) {
		for (size_t n = sizeof(text) - 2; n <= sizeof(text); n++) {
			struct ww_otlp_upload plain WW_AUTO(ww_otlp_upload_done) = {0};
			struct ww_otlp_upload z WW_AUTO(ww_otlp_upload_done) = {0};
			int want = n > 100000 ? -EMSGSIZE : 0;
			size_t packed_n = gzip(text, n, packed, sizeof(packed));

			assert_int_equal(ww_otlp_upload_begin(&plain, false, 100000, &budget), 0);
			assert_int_equal(upload(&plain, text, n, steps[i]), want);
			assert_int_equal(ww_otlp_upload_begin(&z, true, 100000, &budget), 0);
			assert_int_equal(upload(&z, packed, packed_n, steps[i]), want);
			assert_true(z.body.cap <= 100000);
			if (want == 0) {
				assert_memory_equal(plain.body.p, text, n);
				assert_int_equal(z.body.n, n);
				assert_memory_equal(z.body.p, text, n);
			}
		}
	}
	assert_int_equal(budget.held, 0);
}

static void bomb(void **state)
{
	size_t zeros_n = 32 << 20;
	uint8_t *zeros WW_AUTO_FREE = calloc(1, zeros_n), *packed WW_AUTO_FREE = malloc(1 << 20);
	struct ww_otlp_budget budget = {.max = 64 << 20};
	struct ww_otlp_upload u WW_AUTO(ww_otlp_upload_done) = {0};
	size_t n;

	assert_true(zeros && packed);
	n = gzip(zeros, zeros_n, packed, 1 << 20);
	assert_true(n < zeros_n / WW_INFLATE_RATIO_MAX);
	assert_int_equal(ww_otlp_upload_begin(&u, true, 64 << 20, &budget), 0);
	assert_int_equal(upload(&u, packed, n, 16384), -EMSGSIZE);
	/* Found long before it is all there. */
	assert_true(u.body.n < zeros_n);
}

static void members_in_a_row(void **state)
{
	uint8_t packed[256];
	struct ww_otlp_budget budget = {.max = 1 << 20};
	size_t n = gzip("{\"a\"", 4, packed, sizeof(packed));

	n += gzip("", 0, packed + n, sizeof(packed) - n);
	n += gzip(":1}", 3, packed + n, sizeof(packed) - n);
	for (size_t step = 1; step <= n; step++) {
		struct ww_otlp_upload u WW_AUTO(ww_otlp_upload_done) = {0};

		assert_int_equal(ww_otlp_upload_begin(&u, true, 1 << 20, &budget), 0);
		assert_int_equal(upload(&u, packed, n, step), 0);
		assert_true(ww_slice_eq_str(ww_buf_slice(&u.body), "{\"a\":1}"));
	}
}

static void shared_budget(void **state)
{
	static uint8_t text[100000];
	struct ww_otlp_budget budget = {.max = 150000};
	struct ww_otlp_upload a WW_AUTO(ww_otlp_upload_done) = {0};
	struct ww_otlp_upload b WW_AUTO(ww_otlp_upload_done) = {0};

	assert_int_equal(ww_otlp_upload_begin(&a, false, 100000, &budget), 0);
	assert_int_equal(upload(&a, text, sizeof(text), sizeof(text)), 0);
	assert_int_equal(budget.held, 100000);
	assert_int_equal(ww_otlp_upload_begin(&b, false, 100000, &budget), 0);
	assert_int_equal(upload(&b, text, sizeof(text), sizeof(text)), -EAGAIN);
	ww_otlp_upload_done(&b);
	assert_int_equal(budget.held, 100000);
	ww_otlp_upload_done(&a);
	assert_int_equal(budget.held, 0);
	assert_int_equal(ww_otlp_upload_begin(&b, false, 100000, &budget), 0);
	assert_int_equal(upload(&b, text, sizeof(text), sizeof(text)), 0);
}

static void empty(void **state)
{
	struct ww_otlp_budget budget = {.max = 1};
	struct ww_otlp_upload u WW_AUTO(ww_otlp_upload_done) = {0};

	assert_int_equal(ww_otlp_upload_begin(&u, false, 1, &budget), 0);
	assert_int_equal(ww_otlp_upload_add(&u, WW_SLICE_NULL), 0);
	assert_int_equal(ww_otlp_upload_end(&u), 0);
	assert_int_equal(u.body.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_gzip),   cmocka_unit_test(ceiling),
		cmocka_unit_test(bomb),          cmocka_unit_test(members_in_a_row),
		cmocka_unit_test(shared_budget), cmocka_unit_test(empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
