/* SPDX-License-Identifier: Apache-2.0 */
/*
 * earth: how an area lies in memory, for what measures it (earth.c), what makes it (earth_area.c)
 * and what draws it (out/svg_map.c). An area is the union of shapes; a shape is what its rings
 * enclose (a point is inside when a way north crosses an odd number of edges; so rings in rings
 * are holes), with all spots, and with all that is within its margin of either.
 */
#pragma once

#include "policy/earth.h"
#include "policy/earth_math.h"

#define WW_EARTH_R_M 6371008.8 /* mean radius */
/* What the sphere, and a clock that is being slewed, may make a distance too long by. */
#define WW_EARTH_SHRINK 0.99
#define WW_MICRO        1000000 /* per degree */
#define WW_MICRO_AROUND (360 * WW_MICRO)

/* In millionths of a degree. */
struct ww_point {
	int32_t lon, lat;
};

/* Ways from point to point are straight in degrees, and less than 180 of them; the last leads to
 * the first, `around` times around the Earth from where that stood. */
struct ww_ring {
	uint32_t first, count; /* of the shape's points */
	int around;            /* 0, or 1 or -1: it holds a pole */
	bool north;            /* that one */
	int32_t west, east;    /* of all its points, and of the last way's end */
};

/* A run of edges, each an arc of a great circle from vertex to vertex: the ways, in parts so
 * short that they are within WW_ARC_M of them. */
struct ww_run {
	struct ww_vec center;
	double chord;          /* every point of the run is within it of the center */
	uint32_t first, edges; /* vertices: one more */
};

#define WW_ARC_M     100u
#define WW_RUN_EDGES 32u

struct ww_spot {
	struct ww_vec center;
	double angle, chord; /* of its radius, on the sphere */
	struct ww_point at;
	uint32_t radius_m;
};

struct ww_shape {
	char name[3]; /* of a country, else empty */
	uint32_t margin_m;
	struct ww_vec center; /* all of it, without margin, is within the chord */
	double chord;
	struct ww_point *points;
	struct ww_ring *rings;
	struct ww_vec *vertices;
	struct ww_run *runs;
	struct ww_spot *spots;
	uint32_t point_count, ring_count, vertex_count, run_count, spot_count;
};

struct ww_area {
	unsigned shape_count;
	struct ww_shape shapes[];
};

/* Without its margin; p in millionths of a degree, -180 to 180 east. */
bool ww_shape_inside(const struct ww_shape *s, struct ww_point p);

/* Whether the points are a ring that encloses something (as ww_area_of_polygon() demands), which
 * is then in *ret_ring, with first 0; they stay as they are, but a repeated last one does not
 * count. -EINVAL with the reason. */
WW_CHECK int ww_ring_check(const struct ww_point *points, unsigned count, struct ww_ring *ret_ring,
			   char error[WW_EARTH_ERROR_MAX]);
