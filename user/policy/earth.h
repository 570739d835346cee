/* SPDX-License-Identifier: Apache-2.0 */
/*
 * earth: what a round trip says of where the other end can stand. Light bounds it: in T it cannot
 * go farther than c * T, so who answered within T stands within c * T / 2 of the host (the hard
 * bound). An area is excluded only when all of it lies outside that disc. That is no estimate of a
 * place, and nothing here says where somebody is.
 *
 * Everything errs to the side of "cannot be excluded". Distances are of a sphere, less 1 % (the
 * ellipsoid makes 0.6 % of it, a clock that is being slewed 0.05 %). A round trip is taken for one
 * microsecond longer than it was measured, since clocks are cut to whole ones. Outlines of
 * countries have a margin each. Positions are cut to millionths of a
 * degree.
 *
 * Records must be the same bytes on every machine: only + - * / and the square root of IEEE 754
 * doubles are used, no mathematical library; what goes out are whole metres. Areas are read only
 * once made, and may be shared by threads. Pure. docs/bounds.md says how to check it by hand.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

#define WW_EARTH_ERROR_MAX    200u /* as the text of a contract's error */
#define WW_AREA_COUNTRIES_MAX 256u
#define WW_AREA_POINTS_MAX    1024u     /* of a polygon */
#define WW_EARTH_HALF_M       20037509u /* no two places are farther apart */

/* Degrees north and east. */
struct ww_position {
	double lat, lon;
};

/* Whether it is a place: -90 to 90 north, -180 to 180 east, no infinities. */
bool ww_position_valid(struct ww_position p);

/* --- areas --------------------------------------------------------------------------------------
 */

struct ww_area; /* a piece of the Earth's surface: countries, a polygon, or a circle */

/*
 * Of countries by their ISO 3166-1 alpha-2 codes, upper case (the outlines of Natural Earth, land
 * only). Of a polygon: its edges are straight lines in degrees (RFC 7946), its first point may be
 * repeated as the last; longitudes from -360 to 360, so that one across the antimeridian goes on
 * from 179 to 181. Either way round is the same area: the side that holds no pole; a ring around
 * the Earth, which holds one, must lie wholly north or south of the equator, and holds that pole.
 * Of a circle: center and radius in km, more than 0.
 *
 * 0; -EINVAL with what is wrong in `error`, one printable line: no such country; a polygon that
 * crosses or touches itself, has no inside, or whose edges span half of the Earth's longitudes and
 * more, so that which way they go is not clear; -ENOMEM. *ret_area unchanged on failure; else the
 * caller frees it.
 */
WW_CHECK int ww_area_of_countries(const struct ww_slice *codes, unsigned count,
				  struct ww_area **ret_area, char error[WW_EARTH_ERROR_MAX]);
WW_CHECK int ww_area_of_polygon(const struct ww_position *points, unsigned count,
				struct ww_area **ret_area, char error[WW_EARTH_ERROR_MAX]);
WW_CHECK int ww_area_of_circle(struct ww_position center, double km, struct ww_area **ret_area,
			       char error[WW_EARTH_ERROR_MAX]);
void ww_area_free(struct ww_area *a);
WW_DEFINE_AUTO(struct ww_area, ww_area_free)

/*
 * Metres from a host at p, known to within_km, to the nearest point that can be of the area: never
 * more than it is in truth, up to about 1 % and the outline's margin less. 0: it may be inside.
 */
uint32_t ww_area_nearest_m(const struct ww_area *a, struct ww_position p, double within_km);

/* --- bounds -------------------------------------------------------------------------------------
 */

#define WW_BOUND_NONE UINT64_MAX /* no round trip, no bound */

/*
 * How far who answered may be, metres, rounded up, for a round trip of rtt_us (as measured, cut to
 * microseconds; 0: unknown, WW_BOUND_NONE). Hard: c * T / 2. In ordinary fibre light makes two
 * thirds of it: an assumption, to be said beside every number that it gives ("assuming ordinary
 * fibre").
 */
uint64_t ww_bound_m(uint32_t rtt_us);
uint64_t ww_bound_fibre_m(uint32_t rtt_us);

/*
 * Whether nobody in the area can have answered within rtt_us: bound less than nearest. It is the
 * word "excluded", and the test of a table's row: one that claims an excluded area is false for
 * that connection. Never under the fibre bound. false where rtt_us is 0.
 */
bool ww_area_excluded(const struct ww_area *a, struct ww_position p, double within_km,
		      uint32_t rtt_us);

/* Whether two hosts that one address answered within their times must have been answered by two
 * machines: their discs have no point in common. false where a time is 0. */
bool ww_bound_anycast(struct ww_position a, double a_km, uint32_t rtt_a_us, struct ww_position b,
		      double b_km, uint32_t rtt_b_us);

/* Metres between two positions on the sphere of radius 6,371,008.8 m, rounded to the nearest: not
 * shrunk, for people and drawings. */
uint32_t ww_position_apart_m(struct ww_position a, struct ww_position b);
