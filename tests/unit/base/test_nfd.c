/* SPDX-License-Identifier: Apache-2.0 */
/* Against Python's unicodedata, which made the digests: tools/dev/nfd-data --oracle. */
#include "base/nfd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/digest.h"
#include "base/encode.h"
#include "base/utf8.h"

static void add(struct ww_sha256_ctx *c, struct ww_slice text)
{
	WW_AUTO_BUF struct ww_buf b = {0};

	ww_buf_init(&b, 4096);
	assert_int_equal(ww_nfd(text, &b), 0);
	ww_sha256_add(c, ww_buf_slice(&b));
}

static void expect_digest(struct ww_sha256_ctx *c, const char *wanted)
{
	struct ww_sha256 d;
	char hex[2 * WW_SHA256_LEN + 1];

	ww_sha256_end(c, &d);
	ww_hex_encode(ww_slice(d.b, sizeof(d.b)), hex);
	assert_string_equal(hex, wanted);
}

static void each_character(void **state)
{
	struct ww_sha256_ctx c;

	ww_sha256_begin(&c);
	for (uint32_t code = 0; code < 0x110000; code++) {
		uint8_t p[4];

		if (code < 0xd800 || code > 0xdfff)
			add(&c, ww_slice(p, ww_utf8_put(code, p)));
	}
	expect_digest(&c, "e3c4baa47152e83c55acd38c0d54fd729ab84ca0ec4a24a5e3267e7a95344516");
}

static void drawn_texts(void **state)
{
	static const uint32_t ranges[][2] = {{0x41, 0x5a},    {0xc0, 0x24f},    {0x300, 0x36f},
					     {0x5b0, 0x5c7},  {0x1e00, 0x1fff}, {0xac00, 0xacff},
					     {0x1100, 0x11ff}};
	struct ww_sha256_ctx c;
	uint32_t draw = 1;

	ww_sha256_begin(&c);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t text[32];
		size_t n = 0;

		for (unsigned k = 0; k < 8; k++) {
			const uint32_t *r;

			draw = (draw * 1103515245u + 12345u) & 0x7fffffff;
			r = ranges[(draw >> 20) % WW_ARRAY_SIZE(ranges)];
			n += ww_utf8_put(r[0] + (draw >> 8) % (r[1] - r[0] + 1), text + n);
		}
		ww_sha256_add(&c, ww_slice(text, n));
		ww_sha256_add(&c, WW_SLICE_LIT("\n"));
		add(&c, ww_slice(text, n));
		ww_sha256_add(&c, WW_SLICE_LIT("\n"));
	}
	expect_digest(&c, "098ee07d2520e074e841d0688f227a72a85797b854ea80a53410e44e311fbe0a");
}

/* What is not UTF-8 stays; what is too long is no answer, and leaves nothing. */
static void bounds(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	char many[3000];

	ww_buf_init(&b, 3);
	assert_int_equal(ww_nfd(WW_SLICE_LIT("\xc3"), &b), 0);
	assert_true(ww_slice_eq(ww_buf_slice(&b), WW_SLICE_LIT("\xc3")));
	assert_int_equal(ww_nfd(WW_SLICE_LIT("\xc3\xa9"), &b), -EMSGSIZE);
	assert_int_equal(b.n, 1);
	ww_buf_done(&b);
	ww_buf_init(&b, 1u << 20);
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? '\xa9' : '\xc3';
	assert_int_equal(ww_nfd(ww_slice(many, 1024), &b), 0);
	assert_int_equal(b.n, 512 * 3);
	assert_int_equal(ww_nfd(ww_slice(many, 1026), &b), -EMSGSIZE);
	assert_int_equal(b.n, 512 * 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_character),
		cmocka_unit_test(drawn_texts),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
