/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void number_refusals(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{"", -EINVAL},
		{"-1", -EINVAL},
		{"+1", -EINVAL},
		{" 1", -EINVAL},
		{"1 ", -EINVAL},
		{"0x1", -EINVAL},
		{"1e3", -EINVAL},
		{"/", -EINVAL},
		{":", -EINVAL},
		{"18446744073709551616", -ERANGE},
		{"99999999999999999999999", -ERANGE},
		{"99999999999999999999999x", -EINVAL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 42;

		assert_int_equal(ww_slice_u64(ww_slice_str(cases[i].text), &v), cases[i].r);
		assert_int_equal(v, 42);
	}
}

static void numbers(void **state)
{
	uint64_t v = 42;

	assert_int_equal(ww_slice_u64(WW_SLICE_LIT("0"), &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(ww_slice_u64(WW_SLICE_LIT("007"), &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(ww_slice_u64(WW_SLICE_LIT("18446744073709551615"), &v), 0);
	assert_true(v == UINT64_MAX);
}

static void comparisons(void **state)
{
	assert_false(ww_slice_ieq_str(WW_SLICE_LIT("Content-Typ"), "content-type"));
	assert_false(ww_slice_ieq_str(WW_SLICE_LIT("a@"), "a`"));
	assert_false(ww_slice_ieq_str(WW_SLICE_LIT("[a"), "{a"));
	assert_true(ww_slice_ieq_str(WW_SLICE_LIT("CONTENT-type"), "content-TYPE"));
	assert_true(ww_slice_ieq_str(WW_SLICE_NULL, ""));
	assert_true(ww_slice_eq(WW_SLICE_NULL, WW_SLICE_LIT("")));
	assert_false(ww_slice_eq_str(WW_SLICE_LIT("a\0b"), "a"));
	assert_true(ww_slice_starts(WW_SLICE_LIT("abc"), WW_SLICE_LIT("ab")));
	assert_false(ww_slice_starts(WW_SLICE_LIT("ab"), WW_SLICE_LIT("abc")));
}

static void parts(void **state)
{
	struct ww_slice s = WW_SLICE_LIT("abcdef");

	assert_true(ww_slice_eq_str(ww_slice_sub(s, 2, 3), "cde"));
	assert_true(ww_slice_eq_str(ww_slice_sub(s, 4, SIZE_MAX), "ef"));
	assert_int_equal(ww_slice_sub(s, SIZE_MAX, SIZE_MAX).n, 0);
	assert_null(ww_slice_sub(WW_SLICE_NULL, 1, 1).p);

	assert_true(ww_slice_eq_str(ww_slice_trim(WW_SLICE_LIT(" \t a b\t ")), "a b"));
	assert_int_equal(ww_slice_trim(WW_SLICE_LIT(" \t ")).n, 0);
	assert_true(ww_slice_eq_str(ww_slice_trim(WW_SLICE_LIT("\na\r")), "\na\r"));
	assert_int_equal(ww_slice_trim(WW_SLICE_NULL).n, 0);
}

static void find(void **state)
{
	struct ww_slice s = WW_SLICE_LIT("a,b,c");

	assert_int_equal(ww_slice_find(s, 0, ','), 1);
	assert_int_equal(ww_slice_find(s, 2, ','), 3);
	assert_int_equal(ww_slice_find(s, 4, ','), 5);
	assert_int_equal(ww_slice_find(s, 99, ','), 5);
	assert_int_equal(ww_slice_find(WW_SLICE_NULL, 0, ','), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_refusals),
		cmocka_unit_test(numbers),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(parts),
		cmocka_unit_test(find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
