/* SPDX-License-Identifier: Apache-2.0 */
#include "out/svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int keep(void *ctx, struct ww_slice piece)
{
	return ww_buf_add(ctx, piece.p, piece.n);
}

struct fixture {
	struct ww_buf out;
	struct ww_html h;
};

static void begin(struct fixture *f)
{
	ww_buf_init(&f->out, 1u << 20);
	ww_html_init(&f->h, keep, &f->out);
}

static bool has(const struct fixture *f, const char *text)
{
	return f->out.n && memmem(f->out.p, f->out.n, text, strlen(text)) != NULL;
}

static void end(struct fixture *f, const char *const *wanted)
{
	assert_int_equal(ww_html_end(&f->h), 0);
	for (; *wanted; wanted++)
		if (!has(f, *wanted))
			fail_msg("missing %s\nin %.*s", *wanted, (int)f->out.n,
				 (const char *)f->out.p);
	ww_html_done(&f->h);
	ww_buf_done(&f->out);
}

static void times(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "0"},
		{999, "0 ms"}, /* cut, not rounded */
		{1000, "0.001 ms"},
		{52165109, "52.165 ms"},
		{1500000, "1.5 ms"},
		{999999999, "999.999 ms"},
		{1000000000, "1 s"},
		{1250000000, "1.25 s"},
		{1000999999, "1 s"},
		{UINT64_MAX, "18446744073.709 s"},
	};
	char out[WW_SVG_TIME_MAX];

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++)
		assert_string_equal(ww_svg_time(cases[i].ns, out), cases[i].text);
}

static void bars(void **state)
{
	const struct ww_svg_bar bar = {
		.title = "<t>", .count = 3, .part = {{"a", 1}, {"b", 0}, {"c", 2}}, .total = 4};
	struct ww_svg_bar big = {.title = "t",
				 .count = 2,
				 .part = {{"a", UINT64_MAX - 1}, {"b", 1}},
				 .total = UINT64_MAX};
	struct fixture f;

	begin(&f);
	ww_svg_bar(&f.h, &bar);
	end(&f, (const char *const[]){"<title>&lt;t&gt;</title><desc>a 1, b 0, c 2 of 4</desc>",
				      "class=\"part-0\" x=\"0\" y=\"0\" width=\"250\"",
				      "class=\"part-2\" x=\"250\" y=\"0\" width=\"500\"", NULL});
	begin(&f);
	ww_svg_bar(&f.h, &big); /* the smallest part is still there, inside the bar */
	end(&f, (const char *const[]){"class=\"part-0\" x=\"0\" y=\"0\" width=\"999\"",
				      "class=\"part-1\" x=\"999\" y=\"0\" width=\"1\"", NULL});
	/* Nothing that is not so: more than the total, an overflow, of nothing. */
	for (unsigned i = 0; i < 3; i++) {
		big.total = i == 0 ? 5 : i == 1 ? UINT64_MAX : 0;
		big.part[1].value = i == 1 ? 2 : 1;
		begin(&f);
		ww_svg_bar(&f.h, &big);
		assert_int_equal(ww_html_end(&f.h), 0);
		assert_int_equal(f.out.n, 0);
		ww_html_done(&f.h);
		ww_buf_done(&f.out);
	}
}

static void timeline(void **state)
{
	const uint64_t t0 = 1795428000000000000ull;
	const struct ww_svg_leg legs[] = {
		{WW_SVG_LEG_SPAN, 0, "span", WW_SLICE_LIT("s-<"), t0, t0 + 100000000},
		{WW_SVG_LEG_REQUEST, 1, "attempt 1", WW_SLICE_LIT("x-1"), t0 + 25000000,
		 t0 + 25000000},
		{WW_SVG_LEG_WAIT, 1, "attempt 1", {NULL, 0}, t0 + 25000000, t0 + 75000000},
		{WW_SVG_LEG_REPLY, 1, "attempt 1", {NULL, 0}, t0 + 75000000, t0 + 80000000},
		{WW_SVG_LEG_CLAIM, 2, "claim", {NULL, 0}, t0 + 100000000, t0 + 100000000},
	};
	struct fixture f;

	begin(&f);
	ww_svg_timeline(&f.h, 9, legs, WW_ARRAY_SIZE(legs));
	end(&f, (const char *const[]){
			"aria-labelledby=\"tt-9 td-9\"",
			"<title id=\"tt-9\">Times of verdict 9</title>",
			"After 2026-11-23T10:00:00.000000000Z: span, span s-&lt; +0 to +100 ms; "
			"attempt 1, request x-1 +25 ms; wait +25 ms to +75 ms; reply +75 ms to +80 "
			"ms; claim, claim +100 ms</desc>",
			"class=\"span\" x=\"130\" y=\"9\" width=\"420\"",
			"class=\"request\" x=\"235\" y=\"31\" width=\"2\"",
			"class=\"wait\" x=\"235\" y=\"36\" width=\"210\"",
			">+25 ms to +80 ms</text>", "<path class=\"claim\" d=\"M550 53", NULL});
}

/* The drawing stays in its box, whatever the times are. */
static void extremes(void **state)
{
	const struct ww_svg_leg legs[] = {
		{WW_SVG_LEG_SPAN, 0, "span", {NULL, 0}, 0, UINT64_MAX},
		{WW_SVG_LEG_CLAIM, 1, "claim", {NULL, 0}, UINT64_MAX, UINT64_MAX},
	};
	struct fixture f;

	begin(&f);
	ww_svg_timeline(&f.h, 1, legs, 2);
	end(&f, (const char *const[]){"x=\"130\" y=\"9\" width=\"420\"",
				      ">+18446744073.709 s</text>", NULL});
	begin(&f);
	ww_svg_timeline(&f.h, 1, legs + 1, 1);
	end(&f, (const char *const[]){"<path class=\"claim\" d=\"M130 9", NULL});
	begin(&f);
	ww_svg_timeline(&f.h, 1, legs, 0);
	assert_int_equal(ww_html_end(&f.h), 0);
	assert_int_equal(f.out.n, 0);
	ww_html_done(&f.h);
	ww_buf_done(&f.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(bars),
		cmocka_unit_test(timeline),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
