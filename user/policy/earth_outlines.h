/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outlines of countries, which are linked in (earth_outlines.txt, whose head says where they are
 * from and how they are written): simplified de-facto borders of Natural Earth, public domain.
 * Nothing is copied: what is returned points into them. Pure.
 */
#pragma once

#include "base/slice.h"

/* The source itself is drawn for the scale 1:10,000,000; half a millimetre on that. */
#define WW_OUTLINE_SOURCE_M 5000u

struct ww_outline {
	char code[3];      /* ISO 3166-1 alpha-2 */
	uint32_t margin_m; /* the source's outline is within it of this one */
	struct ww_slice rings;
};

bool ww_outline_find(struct ww_slice code, struct ww_outline *ret);

/* The first of *rest, which is ww_outlines() at first; false after the last. */
struct ww_slice ww_outlines(void);
bool ww_outline_next(struct ww_slice *rest, struct ww_outline *ret);

/* A ring, whose points are to be read, or a spot: a circle that covers a small one. */
struct ww_outline_ring {
	bool spot;
	struct ww_slice points; /* a spot's: its center */
	uint32_t radius_m;      /* of a spot */
	int32_t lon, lat;       /* the last point that was read */
};

/* Takes the first off *rings; false when there is none. */
bool ww_outline_ring(struct ww_slice *rings, struct ww_outline_ring *ret);

/* Its next point in millionths of a degree, -180 to 180 east; false after the last. The ring is
 * closed by the way from its last to its first point; ways are the shorter ones around the Earth.
 */
bool ww_outline_point(struct ww_outline_ring *ring, int32_t *ret_lon, int32_t *ret_lat);
