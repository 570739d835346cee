/* SPDX-License-Identifier: Apache-2.0 */
#include "out/svg.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"

#define NS_PER_US 1000ull
#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

/* Of a timeline, in units of its view box. */
#define PLOT_X      130
#define PLOT_W      420
#define TEXT_X      (PLOT_X + PLOT_W + 12)
#define VIEW_W      760
#define LANE_H      22
#define TOP_H       6
#define AXIS_H      22
#define TICKS_MAX   5
#define LEG_W_LEAST 2

/* Of a bar. */
#define BAR_W 1000
#define BAR_H 12

static const char *const names[] = {
#define NAME_(n, text) text,
	WW_SVG_LEGS(NAME_)};

/* v * to / of, without overflow; of > 0, v <= of. */
static uint64_t scale(uint64_t v, uint64_t of, uint64_t to)
{
	return (uint64_t)((unsigned __int128)v * to / of);
}

static void rect(struct ww_html *h, const char *class, uint64_t x, uint64_t y, uint64_t w,
		 uint64_t height)
{
	ww_html_open(h, "rect");
	ww_html_attr_str(h, "class", class);
	ww_html_attr_mark(h, "x", "", x);
	ww_html_attr_mark(h, "y", "", y);
	ww_html_attr_mark(h, "width", "", w);
	ww_html_attr_mark(h, "height", "", height);
	ww_html_close(h);
}

static void text_at(struct ww_html *h, const char *class, uint64_t x, uint64_t y, const char *text)
{
	ww_html_open(h, "text");
	ww_html_attr_str(h, "class", class);
	ww_html_attr_mark(h, "x", "", x);
	ww_html_attr_mark(h, "y", "", y);
	ww_html_str(h, text);
	ww_html_close(h);
}

/* --- times --------------------------------------------------------------------------------------
 */

const char *ww_svg_time(uint64_t ns, char out[WW_SVG_TIME_MAX])
{
	uint64_t unit = ns < NS_PER_S ? NS_PER_MS : NS_PER_S;
	unsigned thousandths = (unsigned)(ns % unit / (unit / 1000));
	char *end;

	if (ns == 0) {
		ww_put_text(out, "0");
		return out;
	}
	end = ww_put_dec(out, ns / unit);
	if (thousandths) {
		snprintf(end, 8, ".%03u", thousandths);
		end += 4;
		while (end[-1] == '0')
			end--;
	}
	ww_put_text(end, unit == NS_PER_S ? " s" : " ms");
	return out;
}

/* --- bar ----------------------------------------------------------------------------------------
 */

void ww_svg_bar(struct ww_html *h, const struct ww_svg_bar *bar)
{
	uint64_t sum = 0, before = 0;

	for (unsigned i = 0; i < bar->count; i++)
		if (__builtin_add_overflow(sum, bar->part[i].value, &sum))
			return;
	if (bar->total == 0 || sum > bar->total)
		return;
	ww_html_open(h, "svg");
	ww_html_attr_str(h, "class", "bar");
	ww_html_attr_str(h, "viewBox", "0 0 1000 12");
	ww_html_attr_str(h, "preserveAspectRatio", "none");
	ww_html_attr_str(h, "role", "img");
	ww_html_put(h, "title", NULL, bar->title);
	ww_html_open(h, "desc");
	for (unsigned i = 0; i < bar->count; i++) {
		ww_html_str(h, i ? ", " : "");
		ww_html_str(h, bar->part[i].name);
		ww_html_str(h, " ");
		ww_html_u64(h, bar->part[i].value);
	}
	ww_html_str(h, " of ");
	ww_html_u64(h, bar->total);
	ww_html_close(h);
	rect(h, "ground", 0, 0, BAR_W, BAR_H);
	for (unsigned i = 0; i < bar->count; i++) {
		uint64_t x = scale(before, bar->total, BAR_W), end;
		char class[16];

		before += bar->part[i].value;
		end = scale(before, bar->total, BAR_W);
		if (bar->part[i].value == 0)
			continue;
		if (end == x && x == BAR_W)
			x--;
		snprintf(class, sizeof(class), "part-%u", i);
		rect(h, class, x, 0, end > x ? end - x : 1, BAR_H);
	}
	ww_html_close(h);
}

/* A colour and what it means. */
static void key(struct ww_html *h, const char *class, const char *word)
{
	ww_html_open(h, "span");
	ww_html_open(h, "svg");
	ww_html_attr_str(h, "class", "key");
	ww_html_attr_str(h, "viewBox", "0 0 22 12");
	ww_html_attr_str(h, "aria-hidden", "true");
	rect(h, class, 0, 0, 22, 12);
	ww_html_close(h);
	ww_html_str(h, " ");
	ww_html_str(h, word);
	ww_html_close(h);
}

void ww_svg_bar_legend(struct ww_html *h, const struct ww_svg_bar *bar)
{
	ww_html_open(h, "p");
	ww_html_attr_str(h, "class", "legend");
	for (unsigned i = 0; i < bar->count; i++) {
		char class[16];

		snprintf(class, sizeof(class), "part-%u", i);
		key(h, class, bar->part[i].name);
	}
	ww_html_close(h);
}

/* --- timeline -----------------------------------------------------------------------------------
 */

struct axis {
	uint64_t from_ns, range_ns; /* range > 0 */
	uint64_t height;            /* of the lanes */
};

static uint64_t x_of(const struct axis *a, uint64_t ns)
{
	return PLOT_X + scale(ns - a->from_ns, a->range_ns, PLOT_W);
}

static void put_time(struct ww_html *h, const struct axis *a, uint64_t ns)
{
	char text[WW_SVG_TIME_MAX];

	ww_html_str(h, "+");
	ww_html_str(h, ww_svg_time(ns - a->from_ns, text));
}

static void put_times(struct ww_html *h, const struct axis *a, uint64_t from, uint64_t to)
{
	put_time(h, a, from);
	if (to == from)
		return;
	ww_html_str(h, " to ");
	put_time(h, a, to);
}

/* 1, 2 or 5 times a power of ten, so that there are few ticks. */
static uint64_t tick_step(uint64_t range_ns)
{
	static const unsigned factors[] = {1, 2, 5};
	uint64_t power = 1;

	for (;;) {
		for (size_t i = 0; i < WW_ARRAY_SIZE(factors); i++)
			if (range_ns / (power * factors[i]) <= TICKS_MAX)
				return power * factors[i];
		if (power > UINT64_MAX / 50)
			return range_ns;
		power *= 10;
	}
}

static void draw_axis(struct ww_html *h, const struct axis *a)
{
	uint64_t step = tick_step(a->range_ns);

	for (uint64_t at = 0; at <= a->range_ns; at += step) {
		uint64_t x = x_of(a, a->from_ns + at);
		char text[WW_SVG_TIME_MAX];

		rect(h, "tick", x, 0, 1, a->height + TOP_H + 4);
		text_at(h, "tick-text", x, a->height + TOP_H + 16, ww_svg_time(at, text));
		if (at > a->range_ns - step)
			break;
	}
}

/* A mark is a diamond on its line. */
static void draw_mark(struct ww_html *h, const char *class, uint64_t x, uint64_t y)
{
	char path[128];

	snprintf(path, sizeof(path), "M%llu %llul5 6l-5 6l-5 -6z", (unsigned long long)x,
		 (unsigned long long)y + 3);
	ww_html_open(h, "path");
	ww_html_attr_str(h, "class", class);
	ww_html_attr_str(h, "d", path);
	ww_html_close(h);
}

static void draw_leg(struct ww_html *h, const struct axis *a, const struct ww_svg_leg *leg,
		     uint64_t y)
{
	uint64_t x = x_of(a, leg->from_ns), w = x_of(a, leg->to_ns) - x;

	if (leg->kind == WW_SVG_LEG_CLAIM) {
		draw_mark(h, names[leg->kind], x, y);
		return;
	}
	if (w < LEG_W_LEAST)
		w = LEG_W_LEAST;
	if (leg->kind == WW_SVG_LEG_WAIT)
		rect(h, names[leg->kind], x, y + 8, w, 2);
	else
		rect(h, names[leg->kind], x, y + 3, w, 12);
}

/* The line that begins with legs[0]; returns how many legs it has. */
static unsigned draw_lane(struct ww_html *h, const struct axis *a, const struct ww_svg_leg *legs,
			  unsigned count, uint64_t y)
{
	uint64_t from = legs[0].from_ns, to = legs[0].to_ns;
	unsigned n = 0;

	text_at(h, "lane", PLOT_X - 10, y + 13, legs[0].label);
	for (; n < count && legs[n].lane == legs[0].lane; n++) {
		draw_leg(h, a, &legs[n], y);
		if (legs[n].from_ns < from)
			from = legs[n].from_ns;
		if (legs[n].to_ns > to)
			to = legs[n].to_ns;
	}
	ww_html_open(h, "text");
	ww_html_attr_str(h, "class", "times");
	ww_html_attr_mark(h, "x", "", TEXT_X);
	ww_html_attr_mark(h, "y", "", y + 13);
	put_times(h, a, from, to);
	ww_html_close(h);
	return n;
}

static void describe(struct ww_html *h, uint64_t number, const struct axis *a,
		     const struct ww_svg_leg *legs, unsigned count)
{
	char from[WW_RFC3339_MAX];

	ww_wall_rfc3339((struct ww_wall){a->from_ns}, from);
	ww_html_open(h, "title");
	ww_html_attr_mark(h, "id", "tt-", number);
	ww_html_str(h, "Times of verdict ");
	ww_html_u64(h, number);
	ww_html_close(h);
	ww_html_open(h, "desc");
	ww_html_attr_mark(h, "id", "td-", number);
	ww_html_str(h, "After ");
	ww_html_str(h, from);
	for (unsigned i = 0; i < count; i++) {
		ww_html_str(h, i ? "; " : ": ");
		if (i == 0 || legs[i].lane != legs[i - 1].lane) {
			ww_html_str(h, legs[i].label);
			ww_html_str(h, ", ");
		}
		ww_html_str(h, names[legs[i].kind]);
		ww_html_str(h, " ");
		if (legs[i].id.n) {
			ww_html_text(h, legs[i].id);
			ww_html_str(h, " ");
		}
		put_times(h, a, legs[i].from_ns, legs[i].to_ns);
	}
	ww_html_close(h);
}

static struct axis make_axis(const struct ww_svg_leg *legs, unsigned count)
{
	uint64_t from = UINT64_MAX, to = 0;
	unsigned lanes = 0;

	for (unsigned i = 0; i < count; i++) {
		if (legs[i].from_ns < from)
			from = legs[i].from_ns;
		if (legs[i].to_ns > to)
			to = legs[i].to_ns;
		lanes += i == 0 || legs[i].lane != legs[i - 1].lane;
	}
	return (struct axis){from, to > from ? to - from : 1, (uint64_t)lanes * LANE_H};
}

void ww_svg_timeline(struct ww_html *h, uint64_t number, const struct ww_svg_leg *legs,
		     unsigned count)
{
	uint64_t y = TOP_H;
	char view[64], by[64];
	struct axis a;

	if (count > WW_SVG_LEGS_MAX)
		count = WW_SVG_LEGS_MAX;
	if (count == 0)
		return;
	a = make_axis(legs, count);
	snprintf(view, sizeof(view), "0 0 %d %llu", VIEW_W,
		 (unsigned long long)(a.height + TOP_H + AXIS_H));
	snprintf(by, sizeof(by), "tt-%llu td-%llu", (unsigned long long)number,
		 (unsigned long long)number);
	ww_html_open(h, "svg");
	ww_html_attr_str(h, "class", "times");
	ww_html_attr_str(h, "viewBox", view);
	ww_html_attr_str(h, "role", "img");
	ww_html_attr_str(h, "aria-labelledby", by);
	describe(h, number, &a, legs, count);
	draw_axis(h, &a);
	for (unsigned i = 0; i < count; y += LANE_H)
		i += draw_lane(h, &a, legs + i, count - i, y);
	ww_html_close(h);
}

void ww_svg_legend(struct ww_html *h)
{
	ww_html_open(h, "p");
	ww_html_attr_str(h, "class", "legend");
	for (size_t i = 0; i < WW_ARRAY_SIZE(names); i++)
		key(h, names[i], names[i]);
	ww_html_close(h);
}
