/* SPDX-License-Identifier: Apache-2.0 */
#include "out/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/own.h"

struct sink {
	struct ww_buf text;
	unsigned writes;
};

static void collect(void *ctx, struct ww_slice lines)
{
	struct sink *s = ctx;

	s->writes++;
	assert_int_equal(ww_buf_add(&s->text, lines.p, lines.n), 0);
}

static const struct ww_table_column three[] = {
	{"NAME", 8, false}, {"N", 0, true}, {"REST", 0, false}};

static void row(struct ww_table *t, const char *a, const char *b, const char *c)
{
	assert_int_equal(ww_table_cell(t, ww_slice_str(a), ""), 0);
	assert_int_equal(ww_table_cell(t, ww_slice_str(b), ""), 0);
	assert_int_equal(ww_table_cell(t, ww_slice_str(c), "\033[1m"), 0);
}

static void check(unsigned width, const char *want)
{
	struct sink s = {0};
	struct ww_table *t;

	ww_buf_init(&s.text, 1 << 16);
	assert_int_equal(ww_table_new(three, 3, width, collect, &s, &t), 0);
	row(t, "a", "1", "short");
	row(t, "abcdefghijk", "22222", "");
	row(t, "Grüße", "3", "· a longer rest");
	assert_int_equal(s.text.n, 0);
	assert_int_equal(ww_table_end(t), 0);
	ww_table_free(t);
	assert_int_equal(ww_buf_add(&s.text, "", 1), 0);
	assert_string_equal((const char *)s.text.p, want);
	ww_buf_done(&s.text);
}

static void widths(void **state)
{
	check(0, "NAME          N  REST\n"
		 "a             1  \033[1mshort\033[0m\n"
		 "abcdefg…  22222  \033[1m\033[0m\n"
		 "Grüße         3  \033[1m· a longer rest\033[0m\n");
}

static void cut_to_width(void **state)
{
	check(32, "NAME          N  REST\n"
		  "a             1  \033[1mshort\033[0m\n"
		  "abcdefg…  22222  \033[1m\033[0m\n"
		  "Grüße         3  \033[1m· a longer rest\033[0m\n");
	check(20, "NAME          N  RE…\n"
		  "a             1  \033[1msh\033[0m…\n"
		  "abcdefg…  22222  \033[1m\033[0m\n"
		  "Grüße         3  \033[1m· \033[0m…\n");
	check(9, "NAME    …\n"
		 "a       \033[1m\033[0m…\n"
		 "abcdefg…\033[1m\033[0m…\n"
		 "Grüße   \033[1m\033[0m…\n");
	check(1, "…\n"
		 "\033[1m\033[0m…\n"
		 "\033[1m\033[0m…\n"
		 "\033[1m\033[0m…\n");
}

static void nothing(void **state)
{
	struct sink s = {0};
	struct ww_table *t;

	ww_buf_init(&s.text, 1024);
	assert_int_equal(ww_table_new(three, 3, 0, collect, &s, &t), 0);
	assert_int_equal(ww_table_end(t), 0);
	ww_table_free(t);
	assert_true(ww_slice_eq_str(ww_buf_slice(&s.text), "NAME  N  REST\n"));
	ww_buf_done(&s.text);
	ww_table_free(NULL);
}

/* After so many rows the widths are fixed, memory does not grow, and every row comes out. */
static void long_listing(void **state)
{
	struct sink s = {0};
	struct ww_table *t;
	unsigned lines = 0;

	ww_buf_init(&s.text, 1 << 20);
	assert_int_equal(ww_table_new(three, 3, 0, collect, &s, &t), 0);
	for (unsigned i = 0; i < WW_TABLE_ROWS_MAX; i++)
		row(t, "x", "1", "y");
	assert_int_equal(s.writes, WW_TABLE_ROWS_MAX + 1);
	row(t, "longer", "1", "y");
	assert_int_equal(s.writes, WW_TABLE_ROWS_MAX + 2);
	assert_int_equal(ww_table_end(t), 0);
	assert_int_equal(s.writes, WW_TABLE_ROWS_MAX + 2);
	ww_table_free(t);
	for (size_t i = 0; i < s.text.n; i++)
		lines += s.text.p[i] == '\n';
	assert_int_equal(lines, WW_TABLE_ROWS_MAX + 2);
	assert_non_null(memmem(s.text.p, s.text.n, "\nlonger  1  \033[1my\033[0m\n", 20));
	ww_buf_done(&s.text);
}

/* A cell of any size is bounded. */
static void huge_cell(void **state)
{
	WW_AUTO_FREE char *huge = malloc(4u << 20);
	struct sink s = {0};
	struct ww_table *t;

	assert_non_null(huge);
	memset(huge, 'h', (4u << 20) - 1);
	huge[(4u << 20) - 1] = '\0';
	ww_buf_init(&s.text, 8u << 20);
	assert_int_equal(ww_table_new(three, 3, 0, collect, &s, &t), 0);
	row(t, huge, "1", huge);
	row(t, "b", huge, "c");
	assert_int_equal(ww_table_end(t), 0);
	ww_table_free(t);
	assert_true(s.text.n < 200000);
	ww_buf_done(&s.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths),    cmocka_unit_test(cut_to_width),
		cmocka_unit_test(nothing),   cmocka_unit_test(long_listing),
		cmocka_unit_test(huge_cell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
