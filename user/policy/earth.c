/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/earth.h"

#include "policy/earth_area.h"

/* Half of c, per microsecond, is 149.896229 m exactly. */
#define HALF_LIGHT_UM_PER_US 149896229ull /* micrometres */
#define UM_PER_M             1000000ull

/* Cut positions, cut metres. */
#define CUT_M 2.0
/* Below it two lengths on the unit sphere are taken for the same: 6 cm. */
#define CHORD_NEAR 1e-8

bool ww_position_valid(struct ww_position p)
{
	return p.lat >= -90 && p.lat <= 90 && p.lon >= -180 && p.lon <= 180;
}

static struct ww_point point_of(struct ww_position p)
{
	double lon = p.lon * WW_MICRO, lat = p.lat * WW_MICRO;

	return (struct ww_point){(int32_t)(lon + (lon < 0 ? -0.5 : 0.5)),
				 (int32_t)(lat + (lat < 0 ? -0.5 : 0.5))};
}

/* --- bounds -------------------------------------------------------------------------------------
 */

/* parts / of of what light makes, rounded up. */
static uint64_t bound(uint32_t rtt_us, uint64_t parts, uint64_t of)
{
	uint64_t um;

	if (rtt_us == 0)
		return WW_BOUND_NONE;
	um = (rtt_us + 1ull) * HALF_LIGHT_UM_PER_US;
	return (um * parts + of * UM_PER_M - 1) / (of * UM_PER_M);
}

uint64_t ww_bound_m(uint32_t rtt_us)
{
	return bound(rtt_us, 1, 1);
}

uint64_t ww_bound_fibre_m(uint32_t rtt_us)
{
	return bound(rtt_us, 2, 3);
}

/* What is left of a way on the sphere when all doubts are taken off it. */
static uint32_t surely_m(double sphere_m, double doubt_m)
{
	double m = sphere_m * WW_EARTH_SHRINK - doubt_m - CUT_M;

	/* An infinite doubt, or one that is no number, leaves nothing. */
	return m >= 1 ? (uint32_t)m : 0;
}

static double apart(struct ww_position a, struct ww_position b)
{
	return WW_EARTH_R_M *
	       ww_chord_angle(ww_chord(ww_vec_of(a.lat, a.lon), ww_vec_of(b.lat, b.lon)));
}

uint32_t ww_position_apart_m(struct ww_position a, struct ww_position b)
{
	return (uint32_t)(apart(a, b) + 0.5);
}

bool ww_bound_anycast(struct ww_position a, double a_km, uint32_t rtt_a_us, struct ww_position b,
		      double b_km, uint32_t rtt_b_us)
{
	if (rtt_a_us == 0 || rtt_b_us == 0)
		return false;
	return surely_m(apart(a, b), (a_km + b_km) * 1000) >
	       ww_bound_m(rtt_a_us) + ww_bound_m(rtt_b_us);
}

/* --- nearest ------------------------------------------------------------------------------------
 */

/* The square of the chord from p to the nearest point of the arc from a to b. */
static double arc_square(struct ww_vec p, struct ww_vec a, struct ww_vec b)
{
	struct ww_vec n = ww_cross(a, b);
	double size = ww_dot(n, n), to_a, to_b;

	if (size > 0 && ww_dot(p, ww_cross(n, a)) > 0 && ww_dot(p, ww_cross(b, n)) > 0) {
		double s = ww_dot(p, n), square = s * s / size; /* of the sine of the angle */

		if (square < 1)
			return 2 * square / (1 + ww_sqrt(1 - square));
		return 2;
	}
	to_a = ww_chord(p, a);
	to_b = ww_chord(p, b);
	return to_a < to_b ? to_a * to_a : to_b * to_b;
}

static double run_chord(const struct ww_shape *s, const struct ww_run *run, struct ww_vec p)
{
	double least = 4;

	for (uint32_t i = 0; i < run->edges; i++) {
		const struct ww_vec *v = &s->vertices[run->first + i];
		double square = arc_square(p, v[0], v[1]);

		if (square < least)
			least = square;
	}
	return ww_sqrt(least);
}

/* No point of what is within `chord` of the center is nearer to p. */
static double at_least(struct ww_vec p, struct ww_vec center, double chord)
{
	return ww_chord(p, center) - chord;
}

/* To the nearest edge or spot, unless none is nearer than `within`: then that. Done as soon as
 * something is as near as `enough`. */
static double outline_chord(const struct ww_shape *s, struct ww_vec p, double enough, double within)
{
	double best = within;

	for (uint32_t i = 0; i < s->spot_count && best > enough; i++) {
		const struct ww_spot *spot = &s->spots[i];
		double c;

		if (at_least(p, spot->center, spot->chord) >= best)
			continue;
		c = ww_chord_angle(ww_chord(p, spot->center)) - spot->angle;
		c = c > 0 ? ww_angle_chord(c) : 0;
		if (c < best)
			best = c;
	}
	for (uint32_t i = 0; i < s->run_count && best > enough; i++) {
		double c;

		if (at_least(p, s->runs[i].center, s->runs[i].chord) >= best)
			continue;
		c = run_chord(s, &s->runs[i], p);
		if (c < best)
			best = c;
	}
	return best;
}

bool ww_shape_inside(const struct ww_shape *s, struct ww_point p)
{
	bool inside = false;

	for (uint32_t r = 0; r < s->ring_count; r++) {
		const struct ww_ring *ring = &s->rings[r];
		const struct ww_point *points = s->points + ring->first;

		inside ^= ring->around && ring->north;
		for (int64_t lon = (int64_t)p.lon - 2ll * WW_MICRO_AROUND; lon <= ring->east;
		     lon += WW_MICRO_AROUND) {
			if (lon < ring->west)
				continue;
			for (uint32_t i = 0; i < ring->count; i++) {
				struct ww_point a = points[i], b = points[(i + 1) % ring->count];
				int64_t side;

				if (i + 1 == ring->count)
					b.lon += ring->around * WW_MICRO_AROUND;
				if ((a.lon <= lon) == (b.lon <= lon))
					continue;
				/* Whether the edge is north of p, there where it crosses. */
				side = ((int64_t)p.lat - a.lat) * (b.lon - a.lon) -
				       (lon - a.lon) * ((int64_t)b.lat - a.lat);
				inside ^= b.lon > a.lon ? side < 0 : side > 0;
			}
		}
	}
	return inside;
}

static double shape_m(const struct ww_shape *s, struct ww_point at, struct ww_vec p)
{
	if (ww_shape_inside(s, at))
		return 0;
	return WW_EARTH_R_M * ww_chord_angle(outline_chord(s, p, 0, 2));
}

uint32_t ww_area_nearest_m(const struct ww_area *a, struct ww_position p, double within_km)
{
	struct ww_vec v = ww_vec_of(p.lat, p.lon);
	uint32_t least = UINT32_MAX;

	for (unsigned i = 0; i < a->shape_count; i++) {
		const struct ww_shape *s = &a->shapes[i];
		uint32_t m = surely_m(shape_m(s, point_of(p), v), s->margin_m + within_km * 1000);

		if (m < least)
			least = m;
	}
	return least;
}

/* --- exclusion ----------------------------------------------------------------------------------
 */

/* Whether the shape is nearer than what `bound_m` allows; near the edge as its metres say. */
static bool may_be_in(const struct ww_shape *s, struct ww_position p, struct ww_vec v,
		      double within_km, uint64_t bound_m)
{
	double doubt_m = s->margin_m + within_km * 1000;
	double angle = ((double)bound_m + doubt_m + CUT_M + 1) / WW_EARTH_SHRINK / WW_EARTH_R_M,
	       limit, chord;

	if (!(angle < WW_PI))
		return true;
	limit = ww_angle_chord(angle);
	if (at_least(v, s->center, s->chord) > limit + CHORD_NEAR)
		return false;
	chord = outline_chord(s, v, limit - CHORD_NEAR, limit + CHORD_NEAR);
	if (chord <= limit - CHORD_NEAR)
		return true;
	if (chord < limit + CHORD_NEAR)
		return surely_m(shape_m(s, point_of(p), v), doubt_m) <= bound_m;
	return ww_shape_inside(s, point_of(p));
}

bool ww_area_excluded(const struct ww_area *a, struct ww_position p, double within_km,
		      uint32_t rtt_us)
{
	struct ww_vec v = ww_vec_of(p.lat, p.lon);

	if (rtt_us == 0)
		return false;
	for (unsigned i = 0; i < a->shape_count; i++)
		if (may_be_in(&a->shapes[i], p, v, within_km, ww_bound_m(rtt_us)))
			return false;
	return true;
}
