/* SPDX-License-Identifier: Apache-2.0 */
#include "out/svg_globe.h"

#include <stdio.h>

/* Nearly all: what is around the antipode would be drawn as long as the Earth is round. */
#define WHOLE (0.98 * WW_PI)
/* From this angle on two neighbours may lie on opposite sides of the paper. */
#define FAR    2.5
#define APART  0.8 /* cosine of the angle between them */
#define HALVED 3
#define BEYOND 1.25 /* frames: from there on shapes are thinned */
#define EDGE   1.02 /* of all that can be drawn */

void ww_globe_init(struct ww_globe *g, struct ww_position center, double frame_m)
{
	double s, c;

	ww_sin_cos(center.lon, &s, &c);
	g->center = ww_vec_of(center.lat, center.lon);
	g->east = (struct ww_vec){-s, c, 0};
	g->north = ww_cross(g->center, g->east);
	g->frame = frame_m / WW_EARTH_R_M;
	if (!(g->frame < WHOLE))
		g->frame = WHOLE;
	if (g->frame < 1e-4)
		g->frame = 1e-4;
	g->scale = WW_GLOBE_FRAME / g->frame;
}

struct ww_mark ww_globe_mark(const struct ww_globe *g, struct ww_vec v)
{
	double east = ww_dot(v, g->east), north = ww_dot(v, g->north), along = ww_dot(v, g->center);
	double side = ww_sqrt(east * east + north * north), angle, k;

	if (side < 1e-15)
		return (struct ww_mark){0, along < 0 ? -WW_PI * g->scale : 0,
					along < 0 ? WW_PI : 0};
	angle = ww_angle(side, along);
	k = angle / side * g->scale;
	return (struct ww_mark){east * k, -north * k, angle};
}

bool ww_globe_shows(const struct ww_mark *m, double margin)
{
	double r = WW_GLOBE_FRAME - margin;

	return r > 0 && m->x * m->x + m->y * m->y < r * r;
}

static int32_t whole(double v)
{
	return (int32_t)(v + (v < 0 ? -0.5 : 0.5));
}

static double apart(const struct ww_mark *a, const struct ww_mark *b)
{
	return ww_sqrt((a->x - b->x) * (a->x - b->x) + (a->y - b->y) * (a->y - b->y));
}

/* --- writing ------------------------------------------------------------------------------------
 */

static void emit(struct ww_trace *t, const char *text, int n)
{
	if (t->err == 0)
		t->err = ww_buf_add(t->out, text, (size_t)n);
}

/* The first point of a line, or the next one. */
static void put(struct ww_trace *t, const struct ww_mark *m, bool first)
{
	int32_t x = WW_GLOBE_MIDDLE + whole(m->x), y = WW_GLOBE_MIDDLE + whole(m->y);
	char text[40];

	t->put = *m;
	t->held = false;
	if (first)
		emit(t, text, snprintf(text, sizeof(text), "M%d %d", x, y));
	else if (x != t->at_x || y != t->at_y)
		emit(t, text,
		     snprintf(text, sizeof(text), y < t->at_y ? "l%d%d" : "l%d %d", x - t->at_x,
			      y - t->at_y));
	else
		return;
	t->at_x = x;
	t->at_y = y;
	t->points++;
}

/* --- shapes -------------------------------------------------------------------------------------
 */

/* How far the points after the last written one may be from it and be left out. */
static double slack(const struct ww_trace *t)
{
	double r = ww_sqrt(t->put.x * t->put.x + t->put.y * t->put.y);

	return r > BEYOND * WW_GLOBE_FRAME ? (r - WW_GLOBE_FRAME) / 2 : t->step;
}

static void next(struct ww_trace *t, const struct ww_mark *m)
{
	double most = slack(t);

	if (apart(m, &t->put) < most) {
		t->hold = *m;
		t->held = true;
		return;
	}
	/* Far outside, the way on begins where it did, not where the last written point is. */
	if (t->held && most > t->step) {
		struct ww_mark hold = t->hold;

		put(t, &hold, false);
	}
	put(t, m, false);
}

/* Between two neighbours on opposite sides of the antipode: around it, not through the middle. */
static void around(struct ww_trace *t, struct ww_mark a, struct ww_mark b)
{
	struct ww_mark stack[HALVED + 1];
	unsigned depth = 0, level[HALVED + 1];

	stack[0] = b;
	level[0] = 0;
	for (;;) {
		struct ww_mark to = stack[depth], middle;
		double ra = ww_sqrt(a.x * a.x + a.y * a.y), rb = ww_sqrt(to.x * to.x + to.y * to.y);
		double cosine = (a.x * to.x + a.y * to.y) / (ra * rb), x, y, r;

		if (a.angle < FAR || to.angle < FAR || cosine > APART || level[depth] == HALVED) {
			next(t, &to);
			if (depth-- == 0)
				return;
			a = to;
			continue;
		}
		x = a.x / ra + to.x / rb;
		y = a.y / ra + to.y / rb;
		r = ww_sqrt(x * x + y * y);
		if (r < 1e-6) /* opposite each other: either way */
			x = -a.y, y = a.x, r = ra;
		middle.x = x / r * WW_PI * t->g->scale;
		middle.y = y / r * WW_PI * t->g->scale;
		middle.angle = WW_PI;
		level[depth]++;
		level[depth + 1] = level[depth];
		stack[++depth] = middle;
	}
}

void ww_trace_to(struct ww_trace *t, struct ww_vec v)
{
	struct ww_mark m = ww_globe_mark(t->g, v);

	if (t->begun)
		around(t, t->last, m);
	else
		put(t, &m, true);
	t->begun = true;
	t->last = m;
}

void ww_trace_close(struct ww_trace *t)
{
	if (!t->begun)
		return;
	if (t->held && slack(t) > t->step) {
		struct ww_mark hold = t->hold;

		put(t, &hold, false);
	}
	emit(t, "z", 1);
	t->begun = t->held = false;
}

void ww_trace_all(struct ww_trace *t)
{
	int32_t r = whole(WW_PI * t->g->scale * EDGE);
	char text[120];

	emit(t, text,
	     snprintf(text, sizeof(text), "M%d %da%d %d 0 1 0 %d 0a%d %d 0 1 0 -%d 0z",
		      WW_GLOBE_MIDDLE - r, WW_GLOBE_MIDDLE, r, r, 2 * r, r, r, 2 * r));
}

/* --- lines --------------------------------------------------------------------------------------
 */

/* Whether any of it is in the frame. */
static bool seen(const struct ww_mark *a, const struct ww_mark *b)
{
	double x = b->x - a->x, y = b->y - a->y, n = x * x + y * y, k = 0;
	double sizes = ww_sqrt((a->x * a->x + a->y * a->y) * (b->x * b->x + b->y * b->y));

	/* Its way is around the antipode, which is not shown. */
	if (a->angle > FAR && b->angle > FAR && a->x * b->x + a->y * b->y < APART * sizes)
		return false;
	if (n > 0)
		k = -(a->x * x + a->y * y) / n;
	k = k < 0 ? 0 : k > 1 ? 1 : k;
	x = a->x + k * x;
	y = a->y + k * y;
	return x * x + y * y < 1.0 * WW_GLOBE_FRAME * WW_GLOBE_FRAME;
}

/* On to m, from what was last thought of, which was written or not. */
static void line(struct ww_trace *t, const struct ww_mark *m)
{
	struct ww_mark from = t->last;

	if (seen(&from, m)) {
		if (!t->held)
			put(t, &from, true);
		put(t, m, false);
		t->held = true;
	} else {
		t->held = false;
	}
	t->last = *m;
}

void ww_trace_line(struct ww_trace *t, struct ww_vec v)
{
	struct ww_mark m = ww_globe_mark(t->g, v);

	t->hold = m;
	if (!t->begun) {
		t->begun = true;
		t->held = false;
		t->last = m;
	} else if (apart(&m, &t->last) >= t->step) {
		line(t, &m);
	}
}

void ww_trace_end(struct ww_trace *t)
{
	if (t->begun && apart(&t->hold, &t->last) > 0)
		line(t, &t->hold);
	t->begun = t->held = false;
}
