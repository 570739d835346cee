/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svg_map: the map of one path as SVG inside HTML (out/html.h): outlines of countries, hosts, what
 * light allows, areas that it excludes, areas that tables list and that somebody claims. Distances
 * and directions from the first host are true (azimuthal equidistant), so its discs are circles;
 * those of others are drawn as they are on the globe. Integers only, so that equal input gives
 * equal bytes; no scripts, no fonts measured, no styles but classes (ww_svg_map_style). Title,
 * description and legend say in words what is drawn, with every number. Text is escaped. Bounded:
 * outlines are thinned to what can be seen, lists are cut at their ceilings. Pure.
 *
 * Wording: a disc is what is possible, never where somebody is. Excluded stands only under the hard
 * bound; the bound of ordinary fibre is dashed and called an assumption.
 */
#pragma once

#include "out/html.h"
#include "policy/earth.h"

#define WW_SVG_MAP_DISCS_MAX 8u
#define WW_SVG_MAP_AREAS_MAX 24u
#define WW_SVG_MAP_NAME_MAX  64u /* bytes of a name that are shown */

/* How an area is drawn; its class, and its word in the legend. */
#define WW_SVG_AREAS(X)         \
	X(EXCLUDED, "excluded") \
	X(LISTED, "listed")     \
	X(CLAIMED, "claimed")

#define WW_SVG_AREA_ENUM_(n, text) WW_SVG_AREA_##n,
enum ww_svg_area_kind { WW_SVG_AREAS(WW_SVG_AREA_ENUM_) WW_SVG_AREA_MAX };

/* What one measurement of one host allows. */
struct ww_svg_disc {
	struct ww_slice name;  /* of what answered, such as "TCP, leg 2" */
	struct ww_position at; /* the host */
	double within_km;      /* how exactly that is known; widens the discs */
	uint32_t rtt_us;       /* 0: a host without a bound; only its point is drawn */
};

struct ww_svg_map_area {
	enum ww_svg_area_kind kind;
	struct ww_slice name;     /* of the area or label */
	struct ww_slice by;       /* listed: the table; claimed: who; may be empty */
	const struct ww_area *on; /* NULL: no outline is known; in the legend only */
};

struct ww_svg_map {
	uint64_t number; /* ids in the drawing end with it */
	struct ww_slice title;
	struct ww_slice source; /* where the host's position came from */
	unsigned disc_count, area_count;
	const struct ww_svg_disc *discs; /* discs[0] is in the middle; none: nothing is drawn */
	const struct ww_svg_map_area *areas;
};

void ww_svg_map(struct ww_html *h, const struct ww_svg_map *map);

/* The rules for its classes, to be appended to the page's style sheet: uses the page's colours. */
const char *ww_svg_map_style(void);
