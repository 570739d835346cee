/* SPDX-License-Identifier: Apache-2.0 */
#include "out/report_html_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/fields.h"
#include "out/svg_map.h"

#define NAME_MAX 64u

/* What is drawn, with the memory that it borrows. */
struct map {
	struct ww_slice record;
	struct ww_position at;
	double within_km;
	unsigned disc_count, area_count;
	struct ww_svg_disc discs[WW_SVG_MAP_DISCS_MAX];
	char disc_names[WW_SVG_MAP_DISCS_MAX][NAME_MAX];
	struct ww_svg_map_area areas[WW_SVG_MAP_AREAS_MAX];
	char names[WW_SVG_MAP_AREAS_MAX][NAME_MAX], by[WW_SVG_MAP_AREAS_MAX][NAME_MAX];
	struct ww_area *owned[WW_SVG_MAP_AREAS_MAX];
};

/* A JSON number as it is written in records: digits, a point. */
static bool number(const struct ww_json_token *t, double *ret)
{
	char text[32], *end;

	if (!t->raw.p || t->type != WW_JSON_NUMBER || t->raw.n >= sizeof(text))
		return false;
	memcpy(text, t->raw.p, t->raw.n);
	text[t->raw.n] = '\0';
	*ret = strtod(text, &end);
	return *end == '\0';
}

static bool position(struct ww_slice object, const char *path, struct ww_position *ret)
{
	char first[96], second[96];
	struct ww_json_token lat, lon;

	snprintf(first, sizeof(first), "%s[0]", path);
	snprintf(second, sizeof(second), "%s[1]", path);
	return ww_json_path(object, first, &lat, NULL) == WW_PARSE_DONE &&
	       ww_json_path(object, second, &lon, NULL) == WW_PARSE_DONE &&
	       number(&lat, &ret->lat) && number(&lon, &ret->lon) && ww_position_valid(*ret);
}

/* Decoded, cut at a whole character. */
static struct ww_slice copy(const struct ww_json_token *t, char out[NAME_MAX])
{
	WW_AUTO_BUF struct ww_buf text = {0};
	struct ww_slice s = ww_member_has(t) ? t->raw : WW_SLICE_NULL;
	size_t n;

	ww_buf_init(&text, WW_HTML_TEXT_MAX);
	if (s.n && t->escaped)
		s = ww_json_unescape(t, &text) == 0 ? ww_buf_slice(&text) : WW_SLICE_NULL;
	n = s.n < NAME_MAX ? s.n : NAME_MAX - 1;
	while (n > 0 && n < s.n && (s.p[n] & 0xc0) == 0x80)
		n--;
	if (n)
		memcpy(out, s.p, n);
	return ww_slice(out, n);
}

/* --- areas --------------------------------------------------------------------------------------
 */

static int of_countries(struct ww_slice area, struct ww_area **ret)
{
	struct ww_slice codes[WW_AREA_COUNTRIES_MAX], text;
	char why[WW_EARTH_ERROR_MAX];
	struct ww_json_token t;
	unsigned n = 0;
	struct ww_json j;

	if (!ww_report_array(area, "$.countries", &j))
		return -ENOENT;
	while (n < WW_AREA_COUNTRIES_MAX && ww_fields_next(&j, &t, &text) == 1)
		if (t.type == WW_JSON_STRING)
			codes[n++] = t.raw;
	return n ? ww_area_of_countries(codes, n, ret, why) : -EINVAL;
}

static int of_polygon(struct ww_slice area, struct ww_area **ret)
{
	WW_AUTO_FREE struct ww_position *points =
		calloc(WW_AREA_POINTS_MAX, sizeof(struct ww_position));
	char why[WW_EARTH_ERROR_MAX];
	struct ww_json_token t;
	struct ww_slice text;
	unsigned n = 0;
	struct ww_json j;

	if (!points)
		return -ENOMEM;
	if (!ww_report_array(area, "$.polygon", &j))
		return -ENOENT;
	while (n < WW_AREA_POINTS_MAX && ww_fields_next(&j, &t, &text) == 1) {
		struct ww_json_token lat, lon;

		if (ww_json_path(text, "$[0]", &lat, NULL) != WW_PARSE_DONE ||
		    ww_json_path(text, "$[1]", &lon, NULL) != WW_PARSE_DONE ||
		    !number(&lat, &points[n].lat) || !number(&lon, &points[n].lon))
			return -EINVAL;
		n++;
	}
	return ww_area_of_polygon(points, n, ret, why);
}

static int of_circle(struct ww_slice area, struct ww_area **ret)
{
	char why[WW_EARTH_ERROR_MAX];
	struct ww_position center;
	struct ww_json_token t;
	double km;

	if (ww_json_path(area, "$.circle.km", &t, NULL) != WW_PARSE_DONE || !number(&t, &km) ||
	    !position(area, "$.circle.center", &center))
		return -ENOENT;
	return ww_area_of_circle(center, km, ret, why);
}

/* As the policy had it. */
static struct ww_area *declared(const struct map *m, struct ww_slice name)
{
	struct ww_json_token t, called;
	struct ww_area *area = NULL;
	struct ww_slice text;
	struct ww_json j;

	if (!ww_report_array(m->record, "$.areas", &j))
		return NULL;
	while (ww_fields_next(&j, &t, &text) == 1) {
		called = ww_member_get(text, "name");
		if (!ww_member_has(&called) || !ww_json_text_is(&called, name))
			continue;
		if (of_countries(text, &area) == 0 || of_polygon(text, &area) == 0 ||
		    of_circle(text, &area) == 0)
			return area;
		return NULL;
	}
	return NULL;
}

static struct ww_area *country(struct ww_slice name)
{
	char why[WW_EARTH_ERROR_MAX];
	struct ww_area *area;

	return name.n == 2 && ww_area_of_countries(&name, 1, &area, why) == 0 ? area : NULL;
}

/* `on`: the name that the policy knows the place by; empty: the label's own. */
static void add_area(struct map *m, enum ww_svg_area_kind kind, const struct ww_json_token *name,
		     const struct ww_json_token *by, const struct ww_json_token *on)
{
	struct ww_svg_map_area *a;
	struct ww_slice known;
	char text[NAME_MAX];

	if (!ww_member_has(name) || name->type != WW_JSON_STRING ||
	    m->area_count == WW_SVG_MAP_AREAS_MAX)
		return;
	a = &m->areas[m->area_count];
	*a = (struct ww_svg_map_area){.kind = kind};
	a->name = copy(name, m->names[m->area_count]);
	if (by)
		a->by = copy(by, m->by[m->area_count]);
	for (unsigned i = 0; i < m->area_count; i++)
		if (m->areas[i].kind == kind && ww_slice_eq(m->areas[i].name, a->name) &&
		    ww_slice_eq(m->areas[i].by, a->by))
			return; /* of another leg */
	known = on && ww_member_has(on) ? copy(on, text) : a->name;
	m->owned[m->area_count] = declared(m, known);
	if (!m->owned[m->area_count])
		m->owned[m->area_count] = country(a->name);
	a->area = m->owned[m->area_count++];
}

/* --- legs ---------------------------------------------------------------------------------------
 */

static void add_bound(struct map *m, struct ww_slice leg, const char *what, const char *path)
{
	struct ww_json_token by = {.type = WW_JSON_STRING};
	char disc[NAME_MAX];
	const struct ww_json_token seq = ww_member_get(leg, "seq");
	struct ww_json_token t, area;
	struct ww_slice bound, text;
	struct ww_json j;
	uint64_t rtt;

	if (ww_json_path(leg, path, &t, &bound) != WW_PARSE_DONE || t.type != WW_JSON_OBJECT)
		return;
	t = ww_member_get(bound, "rttUs");
	rtt = ww_member_u64(&t, 0);
	if (rtt == 0 || rtt > UINT32_MAX)
		return;
	snprintf(disc, sizeof(disc), "%s, leg %llu", what,
		 (unsigned long long)ww_member_u64(&seq, 0));
	by.raw = ww_slice_str(disc);
	if (m->disc_count < WW_SVG_MAP_DISCS_MAX) {
		struct ww_svg_disc *d = &m->discs[m->disc_count];
		char *name = m->disc_names[m->disc_count++];

		memcpy(name, disc, sizeof(disc));
		*d = (struct ww_svg_disc){.name = ww_slice_str(name),
					  .at = m->at,
					  .within_km = m->within_km,
					  .rtt_us = (uint32_t)rtt};
	}
	if (!ww_report_array(bound, "$.excluded", &j))
		return;
	while (ww_fields_next(&j, &area, &text) == 1)
		add_area(m, WW_SVG_AREA_EXCLUDED, &area, &by, NULL);
}

static void add_labels(struct map *m, struct ww_slice leg)
{
	static const struct ww_slice members[] = {WW_SLICE_LIT("region"), WW_SLICE_LIT("table"),
						  WW_SLICE_LIT("in")};
	struct ww_json_token t, v[WW_ARRAY_SIZE(members)];
	struct ww_slice label;
	struct ww_json j;

	if (!ww_report_array(leg, "$.place.labels", &j))
		return;
	while (ww_fields_next(&j, &t, &label) == 1) {
		ww_member_pick(label, members, WW_ARRAY_SIZE(members), v);
		add_area(m, WW_SVG_AREA_LISTED, &v[0], &v[1], &v[2]);
	}
}

static void add_claims(struct map *m, struct ww_slice leg)
{
	static const struct ww_slice members[] = {WW_SLICE_LIT("says"), WW_SLICE_LIT("by"),
						  WW_SLICE_LIT("about")};
	struct ww_json_token t, v[WW_ARRAY_SIZE(members)];
	struct ww_slice claim;
	struct ww_json j;

	if (!ww_report_array(leg, "$.claims", &j))
		return;
	while (ww_fields_next(&j, &t, &claim) == 1) {
		ww_member_pick(claim, members, WW_ARRAY_SIZE(members), v);
		/* A reference is no place. */
		if (!ww_member_has(&v[2]) || !ww_json_is(&v[2], "reference"))
			add_area(m, WW_SVG_AREA_CLAIMED, &v[0], &v[1], NULL);
	}
}

static void read_legs(struct map *m)
{
	struct ww_json_token t;
	struct ww_slice leg;
	struct ww_json j;

	if (!ww_report_array(m->record, "$.legs", &j))
		return;
	while (ww_fields_next(&j, &t, &leg) == 1) {
		if (t.type != WW_JSON_OBJECT)
			continue;
		add_bound(m, leg, "who terminates TCP", "$.place.bounds.tcp");
		add_bound(m, leg, "who holds the certificate's key", "$.place.bounds.keyHolder");
		add_labels(m, leg);
		add_claims(m, leg);
	}
}

void ww_report_html_map(struct ww_report_view *v, uint64_t index, struct ww_slice record)
{
	WW_AUTO_FREE struct map *m = calloc(1, sizeof(*m));
	const struct ww_json_token source = ww_member_get(record, "host.source"),
				   within = ww_member_get(record, "host.withinKm");
	char text[NAME_MAX];
	struct ww_svg_map map = {.number = index, .title = WW_SLICE_LIT("What light allows")};

	if (!m) {
		v->h.err = -ENOMEM;
		return;
	}
	m->record = record;
	if (!position(record, "$.host.position", &m->at) || !number(&within, &m->within_km))
		return;
	read_legs(m);
	if (m->disc_count) {
		map.source = copy(&source, text);
		map.disc_count = m->disc_count;
		map.area_count = m->area_count;
		map.discs = m->discs;
		map.areas = m->areas;
		ww_html_open(&v->h, "div");
		ww_html_attr_str(&v->h, "class", "scroll");
		ww_html_attr_str(&v->h, "role", "group");
		ww_html_attr_str(&v->h, "tabindex", "0");
		ww_html_attr_str(&v->h, "aria-label", "Map");
		ww_svg_map(&v->h, &map);
		ww_html_close(&v->h);
	}
	for (unsigned i = 0; i < m->area_count; i++)
		ww_area_free(m->owned[i]);
}
