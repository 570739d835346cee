/* SPDX-License-Identifier: Apache-2.0 */
/* Makes areas: from what a policy says to what can be measured (earth.c). */
#include "policy/earth_area.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "policy/earth_outlines.h"

#define SHAPE_BYTES_MAX (64u << 20) /* of one of its lists: far beyond the largest outline */
#define EDGE_DEGREES    2.0         /* runs stay small pieces of the sphere */
#define EDGE_AWAY_M     (WW_ARC_M / 2.0)

/* A shape that grows. */
struct making {
	struct ww_buf points, rings, vertices, runs, spots;
};

static void making_init(struct making *m)
{
	ww_buf_init(&m->points, SHAPE_BYTES_MAX);
	ww_buf_init(&m->rings, SHAPE_BYTES_MAX);
	ww_buf_init(&m->vertices, SHAPE_BYTES_MAX);
	ww_buf_init(&m->runs, SHAPE_BYTES_MAX);
	ww_buf_init(&m->spots, SHAPE_BYTES_MAX);
}

static void making_done(struct making *m)
{
	ww_buf_done(&m->points);
	ww_buf_done(&m->rings);
	ww_buf_done(&m->vertices);
	ww_buf_done(&m->runs);
	ww_buf_done(&m->spots);
}

static struct ww_vec unit(struct ww_vec v)
{
	double n = ww_sqrt(ww_dot(v, v));

	return (struct ww_vec){v.x / n, v.y / n, v.z / n};
}

static void sum(struct ww_vec *into, struct ww_vec v)
{
	into->x += v.x;
	into->y += v.y;
	into->z += v.z;
}

/* --- edges --------------------------------------------------------------------------------------
 */

/*
 * In how many parts the way from a to b is cut. Straight in degrees, it leaves the great circle by
 * no more than an eighth of its curvature: sin * cos * lon^2 + 2 * sin * lat * lon, in radians.
 */
static unsigned parts(struct ww_point a, struct ww_point b)
{
	double lat = ((double)b.lat - a.lat) / WW_MICRO, lon = ((double)b.lon - a.lon) / WW_MICRO;
	double sa, ca, sb, cb, s, c, away, longest, n;

	ww_sin_cos((double)a.lat / WW_MICRO, &sa, &ca);
	ww_sin_cos((double)b.lat / WW_MICRO, &sb, &cb);
	lat = lat < 0 ? -lat : lat;
	lon = lon < 0 ? -lon : lon;
	sa = sa < 0 ? -sa : sa;
	sb = sb < 0 ? -sb : sb;
	s = sa > sb ? sa : sb;
	c = (a.lat < 0) != (b.lat < 0) ? 1 : ca > cb ? ca : cb;
	longest = (lat > lon ? lat : lon) / EDGE_DEGREES;
	lat *= WW_PI / 180;
	lon *= WW_PI / 180;
	away = (s * c * lon * lon + 2 * s * lat * lon) / 8 * WW_EARTH_R_M;
	n = ww_sqrt(away / EDGE_AWAY_M);
	return 1 + (unsigned)(n > longest ? n : longest);
}

static int add_vertex(struct making *m, double lat, double lon)
{
	struct ww_vec v = ww_vec_of(lat / WW_MICRO, lon / WW_MICRO);

	return ww_buf_add(&m->vertices, &v, sizeof(v));
}

/* The parts of the way from a to b, without its first vertex. */
static int add_edge(struct making *m, struct ww_point a, struct ww_point b)
{
	unsigned n = parts(a, b);

	for (unsigned i = 1; i <= n; i++) {
		int r = add_vertex(m, a.lat + ((double)b.lat - a.lat) * i / n,
				   a.lon + ((double)b.lon - a.lon) * i / n);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The vertices from `first` on, in runs. */
static int add_runs(struct making *m, uint32_t first)
{
	const struct ww_vec *v = (const struct ww_vec *)m->vertices.p;
	uint32_t last = (uint32_t)(m->vertices.n / sizeof(*v)) - 1;

	for (; first < last; first += WW_RUN_EDGES) {
		struct ww_run run = {.first = first, .edges = last - first};
		struct ww_vec middle = {0, 0, 0};
		int r;

		if (run.edges > WW_RUN_EDGES)
			run.edges = WW_RUN_EDGES;
		for (uint32_t i = 0; i <= run.edges; i++)
			sum(&middle, v[first + i]);
		run.center = unit(middle);
		for (uint32_t i = 0; i <= run.edges; i++) {
			double c = ww_chord(run.center, v[first + i]);

			run.chord = c > run.chord ? c : run.chord;
		}
		r = ww_buf_add(&m->runs, &run, sizeof(run));
		if (r < 0)
			return r;
	}
	return 0;
}

/* The points are already there. */
static int add_ring(struct making *m, const struct ww_ring *ring)
{
	const struct ww_point *points = (const struct ww_point *)m->points.p + ring->first;
	uint32_t first = (uint32_t)(m->vertices.n / sizeof(struct ww_vec));
	int r = add_vertex(m, points[0].lat, points[0].lon);

	for (uint32_t i = 0; i < ring->count && r == 0; i++) {
		struct ww_point to = points[(i + 1) % ring->count];

		if (i + 1 == ring->count)
			to.lon += ring->around * WW_MICRO_AROUND;
		r = add_edge(m, points[i], to);
	}
	if (r == 0)
		r = add_runs(m, first);
	return r < 0 ? r : ww_buf_add(&m->rings, ring, sizeof(*ring));
}

static int add_spot(struct making *m, struct ww_vec center, struct ww_point at, double radius_m,
		    double sphere_m)
{
	double angle = sphere_m / WW_EARTH_R_M;
	struct ww_spot spot = {center, angle, 2, at, (uint32_t)radius_m};

	if (angle < WW_PI)
		spot.chord = ww_angle_chord(angle);
	return ww_buf_add(&m->spots, &spot, sizeof(spot));
}

/* --- shapes -------------------------------------------------------------------------------------
 */

static void find_center(struct ww_shape *s)
{
	struct ww_vec middle = {0, 0, 0};

	for (uint32_t i = 0; i < s->run_count; i++)
		sum(&middle, s->runs[i].center);
	for (uint32_t i = 0; i < s->spot_count; i++)
		sum(&middle, s->spots[i].center);
	s->center = (struct ww_vec){0, 0, 1};
	if (ww_dot(middle, middle) > 1e-6)
		s->center = unit(middle);
	for (uint32_t i = 0; i < s->run_count; i++) {
		double c = ww_chord(s->center, s->runs[i].center) + s->runs[i].chord;

		s->chord = c > s->chord ? c : s->chord;
	}
	for (uint32_t i = 0; i < s->spot_count; i++) {
		double c = ww_chord(s->center, s->spots[i].center) + s->spots[i].chord;

		s->chord = c > s->chord ? c : s->chord;
	}
	/* What encloses the other half of the Earth reaches farther than its edges do. */
	if (s->chord > 1)
		s->chord = 2;
}

static void *taken(struct ww_buf *b, size_t size, uint32_t *ret_count)
{
	*ret_count = (uint32_t)(b->n / size);
	b->n = b->cap = 0;
	return WW_TAKE(b->p);
}

static void finish(struct making *m, struct ww_shape *s, uint32_t margin_m)
{
	s->margin_m = margin_m;
	s->points = taken(&m->points, sizeof(*s->points), &s->point_count);
	s->rings = taken(&m->rings, sizeof(*s->rings), &s->ring_count);
	s->vertices = taken(&m->vertices, sizeof(*s->vertices), &s->vertex_count);
	s->runs = taken(&m->runs, sizeof(*s->runs), &s->run_count);
	s->spots = taken(&m->spots, sizeof(*s->spots), &s->spot_count);
	find_center(s);
}

static struct ww_area *new_area(unsigned shapes)
{
	struct ww_area *a = calloc(1, sizeof(*a) + shapes * sizeof(a->shapes[0]));

	if (a)
		a->shape_count = shapes;
	return a;
}

void ww_area_free(struct ww_area *a)
{
	for (unsigned i = 0; a && i < a->shape_count; i++) {
		struct ww_shape *s = &a->shapes[i];

		free(s->points);
		free(s->rings);
		free(s->vertices);
		free(s->runs);
		free(s->spots);
	}
	free(a);
}

/* --- countries ----------------------------------------------------------------------------------
 */

static int read_spot(struct making *m, struct ww_outline_ring *o)
{
	struct ww_point at;
	bool any = ww_outline_point(o, &at.lon, &at.lat);

	assert(any);
	return add_spot(m, ww_vec_of((double)at.lat / WW_MICRO, (double)at.lon / WW_MICRO), at,
			o->radius_m, o->radius_m);
}

/* The shorter way around the Earth. */
static int32_t unwrapped(int32_t lon, int32_t from)
{
	while (lon - from > WW_MICRO_AROUND / 2)
		lon -= WW_MICRO_AROUND;
	while (lon - from < -WW_MICRO_AROUND / 2)
		lon += WW_MICRO_AROUND;
	return lon;
}

static int read_ring(struct making *m, struct ww_outline_ring *o)
{
	struct ww_ring ring = {.first = (uint32_t)(m->points.n / sizeof(struct ww_point)),
			       .west = INT32_MAX,
			       .east = INT32_MIN};
	struct ww_point p, begun = {0, 0}, last = {0, 0};
	int32_t end;

	while (ww_outline_point(o, &p.lon, &p.lat)) {
		int r;

		if (ring.count == 0)
			begun = last = p;
		p.lon = unwrapped(p.lon, last.lon);
		r = ww_buf_add(&m->points, &p, sizeof(p));
		if (r < 0)
			return r;
		ring.west = p.lon < ring.west ? p.lon : ring.west;
		ring.east = p.lon > ring.east ? p.lon : ring.east;
		ring.count++;
		last = p;
	}
	end = unwrapped(begun.lon, last.lon);
	ring.around = (end - begun.lon) / WW_MICRO_AROUND;
	ring.north = begun.lat > 0;
	ring.west = end < ring.west ? end : ring.west;
	ring.east = end > ring.east ? end : ring.east;
	return add_ring(m, &ring);
}

static int read_country(const struct ww_outline *o, struct ww_shape *s)
{
	struct ww_slice rings = o->rings;
	struct ww_outline_ring ring;
	struct making m;
	int r = 0;

	making_init(&m);
	while (r == 0 && ww_outline_ring(&rings, &ring))
		r = ring.spot ? read_spot(&m, &ring) : read_ring(&m, &ring);
	if (r == 0) {
		finish(&m, s, o->margin_m + WW_OUTLINE_SOURCE_M + WW_ARC_M);
		memcpy(s->name, o->code, sizeof(s->name));
	}
	making_done(&m);
	return r;
}

/* What of a code can be printed. */
static int no_country(struct ww_slice code, char error[WW_EARTH_ERROR_MAX])
{
	char shown[9] = "";

	for (size_t i = 0; i < code.n && i < sizeof(shown) - 1; i++)
		shown[i] = code.p[i] > 0x20 && code.p[i] < 0x7f ? (char)code.p[i] : '?';
	snprintf(error, WW_EARTH_ERROR_MAX,
		 "no outline of a country \"%s\" (ISO 3166-1 alpha-2, upper case)", shown);
	return -EINVAL;
}

int ww_area_of_countries(const struct ww_slice *codes, unsigned count, struct ww_area **ret_area,
			 char error[WW_EARTH_ERROR_MAX])
{
	struct ww_area *a WW_AUTO(ww_area_free_auto) = NULL;

	if (count == 0 || count > WW_AREA_COUNTRIES_MAX) {
		snprintf(error, WW_EARTH_ERROR_MAX, "1 to %u countries", WW_AREA_COUNTRIES_MAX);
		return -EINVAL;
	}
	a = new_area(count);
	if (!a)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		struct ww_outline o;
		int r;

		if (!ww_outline_find(codes[i], &o))
			return no_country(codes[i], error);
		r = read_country(&o, &a->shapes[i]);
		if (r < 0)
			return r;
	}
	*ret_area = WW_TAKE(a);
	return 0;
}

/* --- polygon and circle -------------------------------------------------------------------------
 */

static int to_point(struct ww_position p, struct ww_point *ret)
{
	double lon = p.lon * WW_MICRO, lat = p.lat * WW_MICRO;

	if (!(p.lat >= -90 && p.lat <= 90 && p.lon >= -360 && p.lon <= 360))
		return -EINVAL;
	ret->lon = (int32_t)(lon + (lon < 0 ? -0.5 : 0.5));
	ret->lat = (int32_t)(lat + (lat < 0 ? -0.5 : 0.5));
	return 0;
}

static int make_polygon(struct making *m, const struct ww_position *points, unsigned count,
			char error[WW_EARTH_ERROR_MAX])
{
	struct ww_ring ring;
	int r;

	for (unsigned i = 0; i < count; i++) {
		struct ww_point p;

		r = to_point(points[i], &p);
		if (r < 0) {
			snprintf(error, WW_EARTH_ERROR_MAX,
				 "polygon: point %u: latitude -90 to 90, longitude -360 to 360",
				 i + 1);
			return r;
		}
		r = ww_buf_add(&m->points, &p, sizeof(p));
		if (r < 0)
			return r;
	}
	r = ww_ring_check((const struct ww_point *)m->points.p, count, &ring, error);
	return r < 0 ? r : add_ring(m, &ring);
}

int ww_area_of_polygon(const struct ww_position *points, unsigned count, struct ww_area **ret_area,
		       char error[WW_EARTH_ERROR_MAX])
{
	struct ww_area *a WW_AUTO(ww_area_free_auto) = NULL;
	struct making m;
	int r;

	if (count > WW_AREA_POINTS_MAX) {
		snprintf(error, WW_EARTH_ERROR_MAX, "polygon: more than %u points",
			 WW_AREA_POINTS_MAX);
		return -EINVAL;
	}
	a = new_area(1);
	if (!a)
		return -ENOMEM;
	making_init(&m);
	r = make_polygon(&m, points, count, error);
	if (r == 0)
		finish(&m, &a->shapes[0], WW_ARC_M);
	making_done(&m);
	if (r == 0)
		*ret_area = WW_TAKE(a);
	return r;
}

int ww_area_of_circle(struct ww_position center, double km, struct ww_area **ret_area,
		      char error[WW_EARTH_ERROR_MAX])
{
	struct ww_area *a WW_AUTO(ww_area_free_auto) = NULL;
	struct ww_point at;
	struct making m;
	int r;

	if (!ww_position_valid(center) || to_point(center, &at) < 0 || !(km > 0 && km <= 30000)) {
		snprintf(error, WW_EARTH_ERROR_MAX,
			 "circle: center of latitude -90 to 90 and longitude -180 to 180, radius "
			 "above 0 and up to 30000 km");
		return -EINVAL;
	}
	a = new_area(1);
	if (!a)
		return -ENOMEM;
	making_init(&m);
	/* Its kilometres are those of the Earth: on the sphere they may be 1 % more. */
	r = add_spot(&m, ww_vec_of(center.lat, center.lon), at, km * 1000 + 1,
		     (km * 1000 + 1) / WW_EARTH_SHRINK);
	if (r == 0)
		finish(&m, &a->shapes[0], 0);
	making_done(&m);
	if (r == 0)
		*ret_area = WW_TAKE(a);
	return r;
}
