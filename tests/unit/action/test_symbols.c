/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "action/symbols.h"

#include "base/own.h"

static uint8_t got[4096];

/* Given by `room` at a time. */
static struct ww_slice symbols(struct ww_slice in, size_t room)
{
	struct ww_symbols s;
	size_t n = 0, m;

	ww_symbols_init(&s, in);
	while ((m = ww_symbols_next(&s, got + n, room)) > 0) {
		assert_true(m <= room);
		n += m;
	}
	return ww_slice(got, n);
}

static void what_a_text_is_reduced_to(void **state)
{
	static const struct {
		const char *text, *symbols;
	} are[] = {
		{"", ""},
		{" \t\r\n.,;\"'()", ""},
		{"Hello, World 42!", "helloworld42"},
		{"a\\nb \\t \\\\n \\\\\\\\r c", "abc"},
		{"a\nb c", "abc"},
		{"C:\\new", "cew"},
		{"\\u0041\\u0062", "ab"},
		{"\\\\u0041\\\\\\u0062", "ab"},
		{"\\u005cn\\u005c\\u005cnx", "x"},
		{"\\u00e9 \xc3\xa9 %C3%A9 %25c3%25a9", "\xa9\xa9\xa9\xa9"},
		{"\\ud83d\\ude00 \\\\uD83D\\\\uDE00 \xf0\x9f\x98\x80",
		 "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
		{"a\\ud83db\\ude00c\\ud83d\\u0041", "abca"},
		{"\\u12 \\u \\", "u12u"},
		{"100% of %20 %2520 %", "100of"},
		{"%41%2541%252541", "aaa"},
		{"%", ""},
		{"%25", ""},
		{"%2", "2"},
		{"\xe2\x80\x9cso\xe2\x80\x9d\xc2\xa0it \xe2\x80\xa6\xef\xbb\xbf\xe3\x80\x82",
		 "soit"},
		{"\\u201cso\\u201d\\u00a0it%E2%80%A6\\ufeff\\u3002", "soit"},
		{"\xd0\xbf\xd1\x80 \xe0\xa4\x95 \xe3\x81\x82 \xe6\x97\xa5",
		 "\xbf\x80\x95\x81\x82\xe6\x97\xa5"},
		{"\\u043f\\u0440\\u0915\\u3042\\u65e5", "\xbf\x80\x95\x81\x82\xe6\x97\xa5"},
		{"%D0%BF%D1%80%E0%A4%95%E3%81%82%E6%97%A5", "\xbf\x80\x95\x81\x82\xe6\x97\xa5"},
		{"\xe2\x80", "\xe2\x80"},
		{"\xe2x", "\xe2x"},
		{"\xff\xfe", "\xff\xfe"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(are); i++) {
		struct ww_slice s = ww_slice_str(are[i].text);

		assert_true(ww_slice_eq_str(symbols(s, sizeof(got)), are[i].symbols));
		assert_true(ww_slice_eq_str(symbols(s, WW_SYMBOLS_ROOM), are[i].symbols));
	}
}

static void percent_escapes_are_told(void **state)
{
	static const struct {
		const char *text;
		bool percent;
	} are[] = {{"a%20b", true}, {"100%", false}, {"%zz", false}, {"\\u0041", false}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(are); i++) {
		struct ww_symbols s;

		ww_symbols_init(&s, ww_slice_str(are[i].text));
		while (ww_symbols_next(&s, got, sizeof(got)) > 0)
			;
		assert_int_equal(s.percent, are[i].percent);
	}
}

/* Nothing behind the end is read: under a sanitizer every cut is at the end of its memory. */
static void every_cut(void **state)
{
	static const char text[] =
		"a\\\\u00e9\\ud83d\\ude00%25C3%A9\xe2\x80\x9c\xe0\xa4\x95\xe3\x81"
		"\x82\\u005c\\n%5Cu0041";

	for (size_t n = 0; n < sizeof(text); n++) {
		uint8_t *p = malloc(n + 1);

		assert_non_null(p);
		memcpy(p, text, n);
		p = realloc(p, n ? n : 1);
		assert_non_null(p);
		assert_true(symbols(ww_slice(p, n), WW_SYMBOLS_ROOM).n <= n);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_text_is_reduced_to),
		cmocka_unit_test(percent_escapes_are_told),
		cmocka_unit_test(every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
