/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svg_map: the map of one path as SVG inside HTML (out/html.h), with the list of what is drawn
 * under it: outlines of countries, hosts, what light allows, areas that it excludes, areas that
 * tables list and that somebody claims. Distances and directions from the first host are true
 * (azimuthal equidistant), so its discs are circles; those of others are drawn as they lie on the
 * globe. Whole units only, so that equal input gives equal bytes; no scripts, no fonts measured, no
 * styles but classes. Bounded: outlines are thinned to what can be seen, lists cut at their
 * ceilings. Pure.
 *
 * Wording: a disc is what is possible, never where somebody is. Excluded stands only beside the
 * hard bound; the bound of ordinary fibre is dashed, and called an assumption.
 */
#pragma once

#include "out/html.h"
#include "policy/earth.h"

#define WW_SVG_MAP_DISCS_MAX 8u
#define WW_SVG_MAP_AREAS_MAX 24u
#define WW_SVG_MAP_NAME_MAX  64u /* characters of one text that are shown */

/* How an area is drawn; its class, and its word in the list. */
#define WW_SVG_AREAS(X)         \
	X(EXCLUDED, "excluded") \
	X(LISTED, "listed")     \
	X(CLAIMED, "claimed")

#define WW_SVG_AREA_ENUM_(n, text) WW_SVG_AREA_##n,
enum ww_svg_area_kind { WW_SVG_AREAS(WW_SVG_AREA_ENUM_) WW_SVG_AREA_MAX };

/* What one measurement of one host allows. */
struct ww_svg_disc {
	struct ww_slice name;  /* of what it bounds, such as "who terminates TCP, leg 2" */
	struct ww_position at; /* the host */
	double within_km;      /* how exactly that is known: widens the discs */
	uint32_t rtt_us;       /* 0: no bound; only the host is drawn */
};

struct ww_svg_map_area {
	enum ww_svg_area_kind kind;
	struct ww_slice name; /* of the area or label */
	struct ww_slice by; /* excluded: of the disc's name; listed: the table; claimed: who; may be
			       empty */
	const struct ww_area *area; /* NULL: no outline of it is known; it is in the list only */
};

struct ww_svg_map {
	uint64_t number;        /* the ids in the drawing end with it */
	struct ww_slice title;  /* may be empty */
	struct ww_slice source; /* where the first host's position is from */
	unsigned disc_count, area_count;
	const struct ww_svg_disc *discs; /* discs[0].at is in the middle */
	const struct ww_svg_map_area *areas;
};

/* A figure. Nothing without a disc; positions are valid (ww_position_valid()). */
void ww_svg_map(struct ww_html *h, const struct ww_svg_map *map);

/* The rules for its classes, to follow the page's style sheet, whose colours they use. */
const char *ww_svg_map_style(void);
