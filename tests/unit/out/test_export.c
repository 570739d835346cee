/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

#include <wirewitness/record.h>

#include "out/export.h"

static void row(const char *kind, struct ww_slice record, const char *want)
{
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, 1u << 16);
	assert_int_equal(ww_export_row(kind, 7, record, &out), 0);
	if (!ww_slice_eq_str(ww_buf_slice(&out), want))
		fail_msg("got    %.*swanted %s", (int)out.n, (const char *)out.p, want);
}

static void test_cells(void **state)
{
	row("loss",
	    WW_SLICE_LIT(
		    "{\"kind\":\"loss\",\"id\":\"l-1\",\"t\":\"T\",\"cgroup\":\"00\",\"cause\":"
		    "\"ring-full\",\"events\":12,\"bytes\":0}"),
	    "7,l-1,T,00,ring-full,12,0\r\n");
	row("loss", WW_SLICE_LIT("{\"id\":null,\"cause\":\"a,b \\\"c\\\"\\r\\nd\",\"events\":-3}"),
	    "7,,,,\"a,b \"\"c\"\"\r\nd\",-3,\r\n");
	row("finding", WW_SLICE_LIT("{\"finding\":[\"x\",\"y\",null]}"), "7,,,x y \r\n");
}

/* What a spreadsheet would run. */
static void test_formulas(void **state)
{
	row("finding", WW_SLICE_LIT("{\"finding\":\"=1+1\"}"), "7,,,'=1+1\r\n");
	row("finding", WW_SLICE_LIT("{\"finding\":\"+1\"}"), "7,,,'+1\r\n");
	row("finding", WW_SLICE_LIT("{\"finding\":\"-1\"}"), "7,,,'-1\r\n");
	row("finding", WW_SLICE_LIT("{\"finding\":\"@x\"}"), "7,,,'@x\r\n");
	row("finding", WW_SLICE_LIT("{\"finding\":\"\\tx\"}"), "7,,,'\tx\r\n");
	row("finding", WW_SLICE_LIT("{\"finding\":\"\\r=x\"}"), "7,,,\"'\r=x\"\r\n");
	row("finding", WW_SLICE_LIT("{\"finding\":\"\\u003dHYPERLINK(1,2)\"}"),
	    "7,,,\"'=HYPERLINK(1,2)\"\r\n");
	row("finding", WW_SLICE_LIT("{\"finding\":\"a=1\"}"), "7,,,a=1\r\n");
	row("finding", WW_SLICE_LIT("{\"finding\":-5}"), "7,,,-5\r\n");
}

#define KIND(n, v, text, d) text,

static void test_tables(void **state)
{
	static const char *const kinds[] = {WW_RECORD_KINDS(KIND)};

	for (size_t i = 0; i < WW_ARRAY_SIZE(kinds); i++) {
		WW_AUTO_BUF struct ww_buf out = {0};
		unsigned n = 0;

		ww_buf_init(&out, 1u << 16);
		assert_true(ww_export_kind_ok(kinds[i]));
		assert_string_equal(ww_export_column(kinds[i], 0), "cursor");
		while (ww_export_column(kinds[i], n))
			n++;
		assert_true(n <= WW_EXPORT_COLUMNS_MAX);
		assert_int_equal(ww_export_titles(kinds[i], &out), 0);
	}
	assert_false(ww_export_kind_ok("spoon"));
	assert_null(ww_export_column("spoon", 0));
}

static void test_refused(void **state)
{
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, 8);
	assert_int_equal(ww_export_row("spoon", 1, WW_SLICE_LIT("{}"), &out), -EINVAL);
	assert_int_equal(ww_export_titles("spoon", &out), -EINVAL);
	assert_int_equal(ww_export_row("loss", 1, WW_SLICE_LIT("{\"id\":"), &out), -EINVAL);
	assert_int_equal(ww_export_row("loss", 1, WW_SLICE_LIT("{\"id\":\"0123456789\"}"), &out),
			 -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_formulas),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
