/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/own.h"
#include "claim/text.h"

#define FFFD "\xef\xbf\xbd"

static void cases(void **state)
{
	static const struct {
		const char *in;
		size_t in_n;
		size_t cap;
		bool whole;
		const char *out;
	} c[] = {
		{"", 0, 1, true, ""},
		{"a", 1, 1, false, ""},
		{"abc", 3, 4, true, "abc"},
		{"abc", 3, 3, false, "ab"},
		{"\xe2\x82\xac", 3, 4, true, "\xe2\x82\xac"},
		{"\xe2\x82\xac", 3, 3, false, ""},
		{"a\xe2\x82\xac", 4, 4, false, "a"},
		{"\xf0\x9f\x9a\x80x", 5, 5, false, "\xf0\x9f\x9a\x80"},
		{"a\0b", 3, 6, true, "a" FFFD "b"},
		{"a\0b", 3, 5, false, "a" FFFD},
		{"a\0b", 3, 4, false, "a"},
		{"\xff\xfe", 2, 7, true, FFFD FFFD},
		{"\xe2\x82", 2, 4, true, FFFD},
		{"\xed\xa0\x80", 3, 10, true, FFFD FFFD FFFD},
		{"a\n\"\\\x7f", 5, 6, true, "a\n\"\\\x7f"},
		{"a\n\"\\", 4, 3, false, "a\n"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		char out[16];
		size_t n = 99;

		memset(out, 'z', sizeof(out));
		assert_int_equal(ww_text_copy(out, c[i].cap, ww_slice(c[i].in, c[i].in_n), &n),
				 c[i].whole);
		assert_string_equal(out, c[i].out);
		assert_int_equal(n, strlen(c[i].out));
		assert_int_equal(out[c[i].cap], 'z');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cases)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
