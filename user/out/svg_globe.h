/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svg_globe: the sphere on a disc of paper, for out/svg_map.h: azimuthal equidistant around one
 * position, so that distances and directions from there are true; and lines on it as the path data
 * of SVG. Whole units only, a tenth of a pixel each. Pure.
 */
#pragma once

#include "out/html.h"
#include "policy/earth_area.h"

#define WW_GLOBE_MIDDLE 2100 /* units: where the center is, in both directions */
#define WW_GLOBE_FRAME  2000 /* radius of what is shown */

struct ww_globe {
	struct ww_vec center, east, north;
	double frame; /* radians that are shown */
	double scale; /* units per radian */
};

/* frame_m is cut to what can be shown: nearly the entire Earth. */
void ww_globe_init(struct ww_globe *g, struct ww_position center, double frame_m);

/* A place on the paper. */
struct ww_mark {
	double x, y;  /* units, from the center; y is to the south */
	double angle; /* radians from the center */
};

struct ww_mark ww_globe_mark(const struct ww_globe *g, struct ww_vec v);

/* Whether it is shown, at least `margin` units from the frame's edge. */
bool ww_globe_shows(const struct ww_mark *m, double margin);

/* Path data. Points closer than `step` units to the last one, and what of shapes can be left out
 * beyond the frame, is left out. */
struct ww_trace {
	const struct ww_globe *g;
	struct ww_buf *out;
	double step;
	unsigned points; /* written */
	int err;         /* 0 or -errno, sticky */
	/* Of the line at hand. */
	bool begun, held;
	struct ww_mark last, put, hold; /* the last one; the last one written; one that may be */
	int32_t at_x, at_y;
};

/* A shape that may be filled: its points, the first not repeated; in steps of at most 10 degrees
 * where it may be near the center's antipode. */
void ww_trace_to(struct ww_trace *t, struct ww_vec v);
void ww_trace_close(struct ww_trace *t);

/* A line that is not filled, point by point: only what crosses the frame. */
void ww_trace_line(struct ww_trace *t, struct ww_vec v);
void ww_trace_end(struct ww_trace *t);

/* A shape around all that can be drawn: under the rule "evenodd" it turns one that holds the
 * center's antipode inside out, as it must be. */
void ww_trace_all(struct ww_trace *t);
