/* SPDX-License-Identifier: Apache-2.0 */
#include "out/outline.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void check(const char *record, unsigned indent, const char *want)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 4096);
	assert_int_equal(ww_outline_add(ww_slice_str(record), indent, &out), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_string_equal((const char *)out.p, want);
}

static void refused(void **state)
{
	static const char *const records[] = {"", "{", "{\"a\":1", "{\"a\":1}}", "x"};
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 8);
	for (size_t i = 0; i < WW_ARRAY_SIZE(records); i++) {
		ww_buf_clear(&out);
		assert_true(ww_outline_add(ww_slice_str(records[i]), 0, &out) < 0);
	}
	ww_buf_clear(&out);
	assert_int_equal(ww_outline_add(WW_SLICE_LIT("{\"a\":\"long enough\"}"), 0, &out),
			 -EMSGSIZE);
}

static void trees(void **state)
{
	check("{\"kind\":\"flow\",\"n\":null,\"o\":{\"p\":1,\"q\":{\"r\":true}},\"s\":\"x\"}", 2,
	      "  kind                  flow\n"
	      "  n                     null\n"
	      "  o\n"
	      "    p                     1\n"
	      "    q\n"
	      "      r                     true\n"
	      "  s                     x\n");
	check("{\"a\":[1,2,\"three\"],\"b\":[],\"c\":{},\"d\":[{\"e\":1,\"f\":2},{\"e\":3}]}", 0,
	      "a                     1, 2, three\n"
	      "b                     none\n"
	      "c                     none\n"
	      "d\n"
	      "  -\n"
	      "    e                     1\n"
	      "    f                     2\n"
	      "  -\n"
	      "    e                     3\n");
	check("{\"a very long key that has no room\":1}", 0,
	      "a very long key that has no room 1\n");
}

static void hostile(void **state)
{
	check("{\"\\u001b[2J\":\"a\\nb\"}", 0, "\\x1b[2J               a\\x0ab\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(trees),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
