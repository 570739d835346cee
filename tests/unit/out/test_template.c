/* SPDX-License-Identifier: Apache-2.0 */
#include "out/template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define RECORD                                                                               \
	"{\"t\":\"2026-11-23T14:03:22.123456789Z\",\"odd\":\"yesterday\",\"a\":\"x\",\"b\":" \
	"null,\"c\":\"\",\"zero\":0,\"no\":false,\"n\":7,\"o\":{\"p\":[1,\"two\",3]},\"e\":" \
	"[],\"from\":1000000000,\"to\":1034500000,\"late\":99000000000,\"evil\":"            \
	"\"\\u001b[2J\",\"verdict\":\"NO_ACTION\"}"

static void check(const char *template, const char *want)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 4096);
	assert_int_equal(ww_template_render(template, WW_SLICE_LIT(RECORD), false, &out), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_string_equal((const char *)out.p, want);
}

static void values(void **state)
{
	check("", "");
	check("plain", "plain");
	check("{a}", "x");
	check("<{a}> <{b}> <{none}> <{c}>", "<x> <-> <-> <>");
	check("{none|b|n|a}", "7");
	check("{none|b}", "-");
	check("{o.p}", "1");
	check("{o.p+}", "1, two, 3");
	check("{e+}", "-");
	check("{evil}", "\\x1b[2J");
	check("{?a} {?none} {?b} {?no} {?zero} {?n}", "yes no no no no yes");
	check("{a:4}|{evil:4}|", "x   |\\x1b[2J|");
}

static void times(void **state)
{
	check("{@t} {&t}", "14:03:22.123 2026-11-23 14:03:22.123");
	check("{@odd} {@none} {@evil}", "yesterday - \\x1b[2J");
	check("{from~to}", "34 ms");
	check("{to~late}", "97 s");
	check("{to~from} {from~none} {zero~to}", "- - -");
}

static void groups(void **state)
{
	check("a[ b {a}][ c {none}] d", "a b x d");
	check("[{b}][{c}][{zero}][{no}][{e}]", "");
	check("[{a} {none}]{n}", "7");
	check("[{from~to}][{to~from}]", "34 ms");
	check("[^{none}nothing]", "nothing");
	check("[^{none|b|zero}nothing] [^{none|a}nothing]{a}", "nothing x");
	check("[^{zero|a}neither] [^{none|zero}neither]", " neither");
	check("[{a}][^{a}not]{n}", "x7");
	check("[^{none}{n} is {a}] [^{none}{n} {b}] [^{a}{n}]", "7 is x  ");
}

static void colour(void **state)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 4096);
	assert_int_equal(ww_template_render("{!verdict:11}|{!a}|{verdict}", WW_SLICE_LIT(RECORD),
					    true, &out),
			 0);
	assert_true(
		ww_slice_eq_str(ww_buf_slice(&out), "\033[1;31mNO_ACTION\033[0m  |x|NO_ACTION"));
	/* A word from a record is never itself an escape sequence. */
	assert_string_equal(ww_template_tone(WW_SLICE_LIT("\033[2J")), "");
	assert_string_equal(ww_template_tone(WW_SLICE_NULL), "");
}

static void no_record(void **state)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 4096);
	assert_int_equal(ww_template_render("{a}[ {b}]", WW_SLICE_LIT("nonsense"), false, &out), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&out), "-"));
}

static void ceiling(void **state)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 5);
	assert_int_equal(ww_template_render("{a} {t}", WW_SLICE_LIT(RECORD), false, &out),
			 -EMSGSIZE);
	assert_true(out.n <= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values), cmocka_unit_test(times),     cmocka_unit_test(groups),
		cmocka_unit_test(colour), cmocka_unit_test(no_record), cmocka_unit_test(ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
