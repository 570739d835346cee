/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svg: the two drawings of a report, as SVG inside HTML (out/html.h): a bar of shares, and the
 * times of one action on a common axis. Integers only, so that equal input gives equal bytes; no
 * fonts are measured, no scripts, no styles but classes (out/report_html_style.c). Each drawing
 * says in its title and description what it shows. Pure.
 */
#pragma once

#include "out/html.h"

#define WW_SVG_PARTS_MAX 4u
#define WW_SVG_LEGS_MAX  24u

/* Part i is drawn in class "part-i". */
struct ww_svg_bar {
	const char *title;
	unsigned count;
	struct {
		const char *name;
		uint64_t value;
	} part[WW_SVG_PARTS_MAX];
	uint64_t total; /* what is left of it stays empty; less than the parts: not drawn */
};

void ww_svg_bar(struct ww_html *h, const struct ww_svg_bar *bar);
/* The colours of its parts, in words. */
void ww_svg_bar_legend(struct ww_html *h, const struct ww_svg_bar *bar);

/* How a leg is drawn; its class, and its name in the description. */
#define WW_SVG_LEGS(X)        \
	X(SPAN, "span")       \
	X(REQUEST, "request") \
	X(REPLY, "reply")     \
	X(WAIT, "wait")       \
	X(FLOW, "flow")       \
	X(RUN, "run")         \
	X(CHANGE, "change")   \
	X(CLAIM, "claim")

#define WW_SVG_LEG_ENUM_(n, text) WW_SVG_LEG_##n,
enum ww_svg_leg_kind { WW_SVG_LEGS(WW_SVG_LEG_ENUM_) WW_SVG_LEG_MAX };

#define WW_SVG_LABEL_MAX 24u

/* From one instant to another (equal: a mark), nanoseconds on one clock. Legs with the same lane
 * share a line, and come one after the other. `label` names the line. */
struct ww_svg_leg {
	enum ww_svg_leg_kind kind;
	unsigned lane;
	char label[WW_SVG_LABEL_MAX];
	struct ww_slice id; /* of the record that says so, may be empty */
	uint64_t from_ns, to_ns;
};

/* The ids in the drawing end with `number`. Nothing is drawn without legs; at most
 * WW_SVG_LEGS_MAX of them are. Times are written as ww_svg_time does, after the first instant. */
void ww_svg_timeline(struct ww_html *h, uint64_t number, const struct ww_svg_leg *legs,
		     unsigned count);

/* What the legs' colours mean, for above the drawings. */
void ww_svg_legend(struct ww_html *h);

/* "0", "0.052 ms", "52.165 ms", "1.25 s": cut (not rounded) to whole microseconds, from a second on
 * to whole milliseconds. Returns out. */
#define WW_SVG_TIME_MAX 32u
const char *ww_svg_time(uint64_t ns, char out[WW_SVG_TIME_MAX]);
