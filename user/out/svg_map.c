/* SPDX-License-Identifier: Apache-2.0 */
#include "out/svg_map.h"

#include <stdio.h>

#include "out/printable.h"
#include "out/svg_globe.h"
#include "policy/earth_outlines.h"

#define PATH_BYTES_MAX  (4u << 20)
#define LAND_POINTS_MAX 12000u
#define LAND_STEP       12.0 /* units */
#define SHAPE_STEP      8.0
#define DISC_POINTS     120
#define ROOM            1.15     /* of the frame around what is in it */
#define FRAME_LEAST_M   100000.0 /* less shows no outline */
#define NAME_ON_MAP     24u      /* characters */
#define NAME_ROOM       150      /* units that a name is off the frame's edge */

static const char *const kinds[] = {
#define NAME_(n, text) text,
	WW_SVG_AREAS(NAME_)};

struct drawing {
	struct ww_html *h;
	const struct ww_svg_map *map;
	unsigned discs, areas; /* that are drawn */
	struct ww_globe globe;
	struct ww_buf path;
};

/* --- numbers ------------------------------------------------------------------------------------
 */

/* Kilometres with one decimal, rounded up. */
static void put_km(struct ww_html *h, uint64_t m)
{
	uint64_t tenths = (m + 99) / 100;
	char text[40];

	snprintf(text, sizeof(text), "%llu.%llu km", (unsigned long long)tenths / 10,
		 (unsigned long long)tenths % 10);
	ww_html_str(h, text);
}

/* Milliseconds as they were measured. */
static void put_ms(struct ww_html *h, uint32_t us)
{
	char text[40];

	snprintf(text, sizeof(text), "%u.%03u ms", us / 1000, us % 1000);
	ww_html_str(h, text);
}

static void put_degrees(struct ww_html *h, double degrees, const char *positive,
			const char *negative)
{
	unsigned thousandths = (unsigned)((degrees < 0 ? -degrees : degrees) * 1000 + 0.5);
	char text[40];

	snprintf(text, sizeof(text), "%u.%03u\xc2\xb0 %s", thousandths / 1000, thousandths % 1000,
		 degrees < 0 ? negative : positive);
	ww_html_str(h, text);
}

static void put_cut(struct ww_html *h, struct ww_slice text, unsigned columns)
{
	struct ww_slice cut = ww_printable_cut(text, columns);

	ww_html_text(h, cut);
	if (cut.n < text.n)
		ww_html_str(h, "\xe2\x80\xa6");
}

static void put_name(struct ww_html *h, struct ww_slice text)
{
	put_cut(h, text, WW_SVG_MAP_NAME_MAX);
}

/* --- what it takes ------------------------------------------------------------------------------
 */

/* On the sphere, wide enough that what is drawn outside of it is outside of it on the Earth. */
static double disc_angle(const struct ww_svg_disc *d, uint64_t bound_m)
{
	return ((double)bound_m + d->within_km * 1000) / WW_EARTH_SHRINK / WW_EARTH_R_M;
}

static bool same_place(struct ww_position a, struct ww_position b)
{
	return a.lat == b.lat && a.lon == b.lon;
}

/* Around the first host, with all hosts, their discs, and of each area what is nearest. */
static double frame_m(const struct drawing *d)
{
	const struct ww_position middle = d->map->discs[0].at;
	double most = FRAME_LEAST_M;

	for (unsigned i = 0; i < d->discs; i++) {
		const struct ww_svg_disc *disc = &d->map->discs[i];
		double m = ww_position_apart_m(middle, disc->at);

		if (disc->rtt_us)
			m += disc_angle(disc, ww_bound_m(disc->rtt_us)) * WW_EARTH_R_M;
		most = m * ROOM > most ? m * ROOM : most;
	}
	for (unsigned i = 0; i < d->areas; i++) {
		const struct ww_area *a = d->map->areas[i].area;
		double m = a ? ww_area_nearest_m(a, middle, 0) * ROOM + FRAME_LEAST_M : 0;

		most = m > most ? m : most;
	}
	return most;
}

/* --- paths --------------------------------------------------------------------------------------
 */

static void path_begin(struct drawing *d, struct ww_trace *t, double step)
{
	ww_buf_clear(&d->path);
	*t = (struct ww_trace){.g = &d->globe, .out = &d->path, .step = step};
}

static void attr(struct ww_html *h, const char *name, const char *before, uint64_t number)
{
	char text[48];

	snprintf(text, sizeof(text), "%s%llu)", before, (unsigned long long)number);
	ww_html_attr_str(h, name, text);
}

static void path_end(struct drawing *d, const struct ww_trace *t, const char *class, bool hatched)
{
	struct ww_html *h = d->h;

	if (t->err && h->err == 0)
		h->err = t->err;
	if (d->path.n == 0)
		return;
	ww_html_open(h, "path");
	ww_html_attr_str(h, "class", class);
	if (hatched)
		attr(h, "fill", "url(#mh-", d->map->number);
	ww_html_attr(h, "d", ww_buf_slice(&d->path));
	ww_html_close(h);
}

/* Borders and coasts of all countries, as far as they are in the frame. */
static void draw_land(struct drawing *d)
{
	struct ww_slice rest = ww_outlines();
	struct ww_outline o;
	struct ww_trace t;

	path_begin(d, &t, LAND_STEP);
	while (ww_outline_next(&rest, &o)) {
		struct ww_outline_ring ring;

		while (t.points < LAND_POINTS_MAX && ww_outline_ring(&o.rings, &ring)) {
			struct ww_vec first = {0, 0, 0};
			int32_t lon, lat;

			if (ring.spot)
				continue;
			while (ww_outline_point(&ring, &lon, &lat)) {
				struct ww_vec v =
					ww_vec_of((double)lat / WW_MICRO, (double)lon / WW_MICRO);

				if (!t.begun)
					first = v;
				ww_trace_line(&t, v);
			}
			ww_trace_line(&t, first);
			ww_trace_end(&t);
		}
	}
	path_end(d, &t, "land", false);
}

/* A circle on the globe. */
static void trace_circle(struct ww_trace *t, struct ww_vec center, double angle)
{
	struct ww_vec east = ww_cross((struct ww_vec){0, 0, 1}, center), north;
	double n = ww_sqrt(ww_dot(east, east)), s, c;

	east = n > 1e-9 ? (struct ww_vec){east.x / n, east.y / n, east.z / n}
			: (struct ww_vec){1, 0, 0};
	north = ww_cross(center, east);
	ww_sin_cos(angle * 180 / WW_PI, &s, &c);
	for (int i = 0; i < DISC_POINTS; i++) {
		double si, ci;

		ww_sin_cos(i * 360.0 / DISC_POINTS, &si, &ci);
		si *= s;
		ci *= s;
		ww_trace_to(t, (struct ww_vec){center.x * c + east.x * si + north.x * ci,
					       center.y * c + east.y * si + north.y * ci,
					       center.z * c + east.z * si + north.z * ci});
	}
	ww_trace_close(t);
}

static bool holds_antipode(const struct drawing *d, const struct ww_shape *s)
{
	struct ww_position p = d->map->discs[0].at;
	double lon = p.lon > 0 ? p.lon - 180 : p.lon + 180;

	return ww_shape_inside(
		s, (struct ww_point){(int32_t)(lon * WW_MICRO), (int32_t)(-p.lat * WW_MICRO)});
}

static void trace_shape(const struct drawing *d, struct ww_trace *t, const struct ww_shape *s)
{
	for (uint32_t i = 0; i < s->run_count; i++) {
		const struct ww_run *run = &s->runs[i];
		bool last =
			i + 1 == s->run_count || s->runs[i + 1].first != run->first + run->edges;

		/* The last vertex of a ring is its first again. */
		for (uint32_t k = 0; k < run->edges; k++)
			ww_trace_to(t, s->vertices[run->first + k]);
		if (last)
			ww_trace_close(t);
	}
	if (holds_antipode(d, s))
		ww_trace_all(t);
	for (uint32_t i = 0; i < s->spot_count; i++) {
		struct ww_vec away = {-d->globe.center.x, -d->globe.center.y, -d->globe.center.z};
		struct ww_mark m = ww_globe_mark(&d->globe, s->spots[i].center);

		if (m.angle - s->spots[i].angle > d->globe.frame)
			continue;
		trace_circle(t, s->spots[i].center, s->spots[i].angle);
		if (ww_chord_angle(ww_chord(away, s->spots[i].center)) < s->spots[i].angle)
			ww_trace_all(t);
	}
}

static void draw_area(struct drawing *d, const struct ww_svg_map_area *a)
{
	char class[24];
	struct ww_trace t;

	if (!a->area)
		return;
	snprintf(class, sizeof(class), "area %s", kinds[a->kind]);
	path_begin(d, &t, SHAPE_STEP);
	for (unsigned i = 0; i < a->area->shape_count; i++)
		trace_shape(d, &t, &a->area->shapes[i]);
	path_end(d, &t, class, a->kind == WW_SVG_AREA_EXCLUDED);
}

static void circle(struct ww_html *h, const char *class, int32_t x, int32_t y, int32_t r)
{
	ww_html_open(h, "circle");
	ww_html_attr_str(h, "class", class);
	ww_html_attr_mark(h, "cx", "", (uint64_t)(x > 0 ? x : 0));
	ww_html_attr_mark(h, "cy", "", (uint64_t)(y > 0 ? y : 0));
	ww_html_attr_mark(h, "r", "", (uint64_t)(r > 0 ? r : 0));
	ww_html_close(h);
}

static void draw_bound(struct drawing *d, const struct ww_svg_disc *disc, const char *class,
		       uint64_t bound_m)
{
	double angle = disc_angle(disc, bound_m);
	struct ww_trace t;

	if (!(angle < WW_PI)) {
		circle(d->h, class, WW_GLOBE_MIDDLE, WW_GLOBE_MIDDLE, WW_GLOBE_FRAME);
		return;
	}
	if (same_place(disc->at, d->map->discs[0].at)) {
		circle(d->h, class, WW_GLOBE_MIDDLE, WW_GLOBE_MIDDLE,
		       (int32_t)(angle * d->globe.scale + 0.5));
		return;
	}
	path_begin(d, &t, 1);
	trace_circle(&t, ww_vec_of(disc->at.lat, disc->at.lon), angle);
	if (ww_position_apart_m(d->map->discs[0].at, disc->at) / WW_EARTH_R_M + angle > WW_PI)
		ww_trace_all(&t);
	path_end(d, &t, class, false);
}

/* --- names --------------------------------------------------------------------------------------
 */

static struct ww_mark shape_mark(const struct drawing *d, const struct ww_shape *s)
{
	struct ww_mark best = ww_globe_mark(&d->globe, s->center), m;

	if (ww_globe_shows(&best, NAME_ROOM))
		return best;
	best.angle = 4;
	for (uint32_t i = 0; i < s->run_count; i++) {
		m = ww_globe_mark(&d->globe, s->runs[i].center);
		best = m.angle < best.angle ? m : best;
	}
	for (uint32_t i = 0; i < s->spot_count; i++) {
		m = ww_globe_mark(&d->globe, s->spots[i].center);
		best = m.angle < best.angle ? m : best;
	}
	return best;
}

static void draw_name(struct drawing *d, const struct ww_svg_map_area *a)
{
	struct ww_html *h = d->h;
	struct ww_mark best = {0, 0, 4};

	for (unsigned i = 0; a->area && i < a->area->shape_count; i++) {
		struct ww_mark m = shape_mark(d, &a->area->shapes[i]);

		best = m.angle < best.angle ? m : best;
	}
	if (best.angle > WW_PI || !ww_globe_shows(&best, NAME_ROOM / 2))
		return;
	ww_html_open(h, "text");
	ww_html_attr_str(h, "class", "name");
	ww_html_attr_mark(h, "x", "", (uint64_t)(WW_GLOBE_MIDDLE + best.x) / 10);
	ww_html_attr_mark(h, "y", "", (uint64_t)(WW_GLOBE_MIDDLE + best.y) / 10);
	put_cut(h, a->name, NAME_ON_MAP);
	ww_html_close(h);
}

/* --- the list -----------------------------------------------------------------------------------
 */

/* How it is drawn, then words. */
static void item(struct ww_html *h, const char *class)
{
	ww_html_open(h, "li");
	ww_html_open(h, "svg");
	ww_html_attr_str(h, "class", "key");
	ww_html_attr_str(h, "viewBox", "0 0 22 12");
	ww_html_attr_str(h, "aria-hidden", "true");
	ww_html_open(h, "rect");
	ww_html_attr_str(h, "class", class);
	ww_html_attr_mark(h, "x", "", 1);
	ww_html_attr_mark(h, "y", "", 1);
	ww_html_attr_mark(h, "width", "", 20);
	ww_html_attr_mark(h, "height", "", 10);
	ww_html_close(h);
	ww_html_close(h);
	ww_html_str(h, " ");
}

static void list_bound(struct ww_html *h, const struct ww_svg_disc *disc)
{
	uint64_t hard = ww_bound_m(disc->rtt_us), fibre = ww_bound_fibre_m(disc->rtt_us);

	item(h, "hard");
	put_name(h, disc->name);
	ww_html_str(h, ": answered within ");
	put_ms(h, disc->rtt_us);
	if (hard >= WW_EARTH_HALF_M) {
		ww_html_str(h, ": the hard bound is the entire Earth");
	} else {
		ww_html_str(h, ": at most ");
		put_km(h, hard);
		ww_html_str(h, " from the host (hard bound: light)");
	}
	ww_html_close(h);
	if (fibre >= WW_EARTH_HALF_M)
		return;
	item(h, "fibre");
	ww_html_str(h, "at most ");
	put_km(h, fibre);
	ww_html_str(h, " assuming ordinary fibre; excludes nothing");
	ww_html_close(h);
}

static void list_host(const struct drawing *d, const struct ww_svg_disc *disc, bool first)
{
	struct ww_html *h = d->h;

	item(h, "host");
	ww_html_str(h, "host at ");
	put_degrees(h, disc->at.lat, "N", "S");
	ww_html_str(h, " ");
	put_degrees(h, disc->at.lon, "E", "W");
	ww_html_str(h, ", known to ");
	put_km(h, (uint64_t)(disc->within_km * 1000 + 0.5));
	if (first && d->map->source.n) {
		ww_html_str(h, ", by: ");
		put_name(h, d->map->source);
	}
	ww_html_close(h);
}

static void list_area(struct ww_html *h, const struct ww_svg_map_area *a)
{
	bool excluded = a->kind == WW_SVG_AREA_EXCLUDED;
	char class[24];

	snprintf(class, sizeof(class), "area %s", kinds[a->kind]);
	item(h, class);
	ww_html_str(h, excluded ? "excluded by the hard bound" : kinds[a->kind]);
	ww_html_str(h, ": ");
	put_name(h, a->name);
	if (a->by.n) {
		ww_html_str(h, excluded ? ", for " : ", by ");
		put_name(h, a->by);
	}
	if (!a->area)
		ww_html_str(h, " (no outline of it is known)");
	ww_html_close(h);
}

static void list(const struct drawing *d)
{
	const struct ww_svg_map *map = d->map;

	ww_html_open(d->h, "ul");
	for (unsigned i = 0; i < d->discs; i++) {
		bool again = false;

		for (unsigned k = 0; k < i; k++)
			again |= same_place(map->discs[k].at, map->discs[i].at);
		if (!again)
			list_host(d, &map->discs[i], i == 0);
		if (map->discs[i].rtt_us)
			list_bound(d->h, &map->discs[i]);
	}
	for (unsigned i = 0; i < d->areas; i++)
		list_area(d->h, &map->areas[i]);
	ww_html_close(d->h);
	if (d->discs < map->disc_count || d->areas < map->area_count)
		ww_html_put(d->h, "p", NULL, "Not all is shown: there are more than a map takes.");
	ww_html_put(
		d->h, "p", NULL,
		"Discs are what light allows, not where anybody is. Discs and areas are drawn with "
		"what is not known of them. Outlines: Natural Earth, simplified.");
}

/* --- the figure ---------------------------------------------------------------------------------
 */

/* What areas are hatched with, and what cuts all off at the frame. */
static void definitions(const struct drawing *d)
{
	struct ww_html *h = d->h;

	ww_html_open(h, "defs");
	ww_html_open(h, "pattern");
	ww_html_attr_mark(h, "id", "mh-", d->map->number);
	ww_html_attr_str(h, "patternUnits", "userSpaceOnUse");
	ww_html_attr_mark(h, "width", "", 70);
	ww_html_attr_mark(h, "height", "", 70);
	ww_html_attr_str(h, "patternTransform", "rotate(45)");
	ww_html_open(h, "rect");
	ww_html_attr_str(h, "class", "hatch");
	ww_html_attr_mark(h, "width", "", 14);
	ww_html_attr_mark(h, "height", "", 70);
	ww_html_close(h);
	ww_html_close(h);
	ww_html_open(h, "clipPath");
	ww_html_attr_mark(h, "id", "mc-", d->map->number);
	circle(h, "frame", WW_GLOBE_MIDDLE, WW_GLOBE_MIDDLE, WW_GLOBE_FRAME);
	ww_html_close(h);
	ww_html_close(h);
}

static void describe(const struct drawing *d)
{
	struct ww_html *h = d->h;

	ww_html_open(h, "title");
	ww_html_attr_mark(h, "id", "mt-", d->map->number);
	if (d->map->title.n)
		put_name(h, d->map->title);
	else
		ww_html_str(h, "Map");
	ww_html_close(h);
	ww_html_open(h, "desc");
	ww_html_attr_mark(h, "id", "md-", d->map->number);
	ww_html_str(h, "A map around the host, up to ");
	put_km(h, (uint64_t)(d->globe.frame * WW_EARTH_R_M));
	ww_html_str(h, " from it, with all that is in the list under it.");
	ww_html_close(h);
}

static void draw_all(struct drawing *d)
{
	struct ww_html *h = d->h;
	const struct ww_svg_map *map = d->map;

	circle(h, "frame", WW_GLOBE_MIDDLE, WW_GLOBE_MIDDLE, WW_GLOBE_FRAME);
	ww_html_open(h, "g");
	attr(h, "clip-path", "url(#mc-", map->number);
	draw_land(d);
	for (unsigned i = 0; i < d->areas; i++)
		draw_area(d, &map->areas[i]);
	for (unsigned i = 0; i < d->discs; i++) {
		if (map->discs[i].rtt_us == 0)
			continue;
		draw_bound(d, &map->discs[i], "hard", ww_bound_m(map->discs[i].rtt_us));
		draw_bound(d, &map->discs[i], "fibre", ww_bound_fibre_m(map->discs[i].rtt_us));
	}
	for (unsigned i = 0; i < d->discs; i++) {
		struct ww_position at = map->discs[i].at;
		struct ww_mark m = ww_globe_mark(&d->globe, ww_vec_of(at.lat, at.lon));

		circle(h, "host", (int32_t)(WW_GLOBE_MIDDLE + m.x),
		       (int32_t)(WW_GLOBE_MIDDLE + m.y), 35);
	}
	ww_html_close(h);
}

void ww_svg_map(struct ww_html *h, const struct ww_svg_map *map)
{
	struct drawing d = {.h = h, .map = map};
	char by[64];

	d.discs = map->disc_count < WW_SVG_MAP_DISCS_MAX ? map->disc_count : WW_SVG_MAP_DISCS_MAX;
	d.areas = map->area_count < WW_SVG_MAP_AREAS_MAX ? map->area_count : WW_SVG_MAP_AREAS_MAX;
	if (d.discs == 0)
		return;
	ww_globe_init(&d.globe, map->discs[0].at, frame_m(&d));
	ww_buf_init(&d.path, PATH_BYTES_MAX);
	snprintf(by, sizeof(by), "mt-%llu md-%llu", (unsigned long long)map->number,
		 (unsigned long long)map->number);
	ww_html_open(h, "figure");
	ww_html_attr_str(h, "class", "map");
	ww_html_open(h, "svg");
	ww_html_attr_str(h, "viewBox", "0 0 420 420");
	ww_html_attr_str(h, "role", "img");
	ww_html_attr_str(h, "aria-labelledby", by);
	describe(&d);
	ww_html_open(h, "g");
	ww_html_attr_str(h, "transform", "scale(.1)");
	definitions(&d);
	draw_all(&d);
	ww_html_close(h);
	for (unsigned i = 0; i < d.areas; i++)
		draw_name(&d, &map->areas[i]);
	ww_html_close(h);
	ww_html_open(h, "figcaption");
	list(&d);
	ww_html_close(h);
	ww_html_close(h);
	ww_buf_done(&d.path);
}

static const char style[] =
	".map{margin:1rem 0;display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;break-inside:avoid}"
	".map>svg{flex:0 1 26rem;min-width:16rem;max-width:100%}"
	".map figcaption{flex:1 1 18rem;font-size:.875rem;min-width:0}"
	".map ul{list-style:none;margin:0;padding:0}"
	".map li{overflow-wrap:anywhere;padding:.15rem 0}"
	".map p{color:var(--soft)}"
	".map .frame{fill:var(--ground);stroke:var(--rule)}"
	".map .land{fill:none;stroke:var(--soft);stroke-opacity:.7}"
	".map .area{fill-rule:evenodd;stroke-width:1.5px}"
	".map .excluded{stroke:var(--bad)}"
	".map .hatch{fill:var(--bad);fill-opacity:.45}"
	".map .key .excluded{fill:var(--bad);fill-opacity:.3}"
	".map .listed{fill:none;stroke:var(--request)}"
	".map .claimed{fill:none;stroke:var(--run);stroke-dasharray:1.5px 3px}"
	".map .hard{fill:var(--good);fill-opacity:.12;fill-rule:evenodd;stroke:var(--good);"
	"stroke-width:1.5px}"
	".map .fibre{fill:none;stroke:var(--good);stroke-dasharray:6px 4px}"
	".map .host{fill:var(--ink);stroke:var(--paper)}"
	".map circle,.map path,.map rect{vector-effect:non-scaling-stroke}"
	"svg .name{text-anchor:middle;paint-order:stroke;stroke:var(--paper);stroke-width:3px}";

const char *ww_svg_map_style(void)
{
	return style;
}
