/* SPDX-License-Identifier: Apache-2.0 */
#include "out/printable.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void check(struct ww_slice in, const char *want)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 4096);
	assert_int_equal(ww_printable_add(&out, in), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_string_equal((const char *)out.p, want);
}

/* What a terminal would obey is shown, not done. */
static void hostile(void **state)
{
	check(WW_SLICE_LIT("\033[2J\033]0;title\007"), "\\x1b[2J\\x1b]0;title\\x07");
	check(WW_SLICE_LIT("a\r\n\tb\0c\177"), "a\\x0d\\x0a\\x09b\\x00c\\x7f");
	check(WW_SLICE_LIT("\xc2\x9b"
			   "31m"),
	      "\\u{009b}31m"); /* CSI as one C1 character */
	check(WW_SLICE_LIT("a\xe2\x80\xae"
			   "b\xe2\x81\xa6"),
	      "a\\u{202e}b\\u{2066}");
	check(WW_SLICE_LIT("\xe2\x80\xa8\xef\xbb\xbf\xf3\xa0\x81\x81"),
	      "\\u{2028}\\u{feff}\\u{e0041}");
	check(WW_SLICE_LIT("a\xff\xc3"), "a\xef\xbf\xbd\xef\xbf\xbd");
}

/* JSON stays the JSON it was. */
static void json(void **state)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 4096);
	assert_int_equal(
		ww_printable_json(&out, WW_SLICE_LIT("{\"a\":\n\t\"\\u001b\xe2\x80\xae"
						     "\177\xf3\xa0\x81\x81gr\xc3\xbc\"\r}")),
		0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_string_equal((const char *)out.p,
			    "{\"a\":\n \"\\u001b\\u202e\\u007f\\udb40\\udc41gr\xc3\xbc\" }");
}

static void harmless(void **state)
{
	check(WW_SLICE_LIT(""), "");
	check(WW_SLICE_LIT("plain ~ text \\x1b"), "plain ~ text \\x1b");
	check(WW_SLICE_LIT("Grüße · 金 → 🙂"), "Grüße · 金 → 🙂");
}

/* Every byte sequence of two: the output is one line of valid, inactive text. */
static void all_pairs(void **state)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 64);
	for (unsigned i = 0; i < 65536; i++) {
		uint8_t in[2] = {(uint8_t)(i >> 8), (uint8_t)i};

		ww_buf_clear(&out);
		assert_int_equal(ww_printable_add(&out, ww_slice(in, 2)), 0);
		for (size_t k = 0; k < out.n; k++) {
			assert_true(out.p[k] >= 0x20 && out.p[k] != 0x7f);
			assert_false(out.p[k] == 0xc2 && out.p[k + 1] < 0xa0);
		}
	}
}

static void values(void **state)
{
	struct ww_json_token v = {
		.type = WW_JSON_STRING, .raw = WW_SLICE_LIT("a\\u001b\\n\\\"b"), .escaped = true};
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 64);
	assert_int_equal(ww_printable_value(&out, &v), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&out), "a\\x1b\\x0a\"b"));
	v = (struct ww_json_token){.type = WW_JSON_NULL};
	assert_int_equal(ww_printable_value(&out, &v), 0);
	assert_int_equal(out.n, strlen("a\\x1b\\x0a\"b"));
}

static void ceiling(void **state)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 3);
	assert_int_equal(ww_printable_add(&out, WW_SLICE_LIT("\033")), -EMSGSIZE);
	assert_int_equal(ww_printable_add(&out, WW_SLICE_LIT("abcd")), -EMSGSIZE);
}

static void columns(void **state)
{
	assert_int_equal(ww_printable_columns(WW_SLICE_LIT("Grüße →")), 7);
	assert_int_equal(ww_printable_cut(WW_SLICE_LIT("Grüße"), 3).n, 4);
	assert_int_equal(ww_printable_cut(WW_SLICE_LIT("Grüße"), 0).n, 0);
	assert_int_equal(ww_printable_cut(WW_SLICE_LIT("Grüße"), 99).n, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile),   cmocka_unit_test(json),   cmocka_unit_test(harmless),
		cmocka_unit_test(all_pairs), cmocka_unit_test(values), cmocka_unit_test(ceiling),
		cmocka_unit_test(columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
