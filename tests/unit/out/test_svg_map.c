/* SPDX-License-Identifier: Apache-2.0 */
#include "out/svg_map.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "out/svg_globe.h"

#define GOLDEN "tests/golden/html/map.html"

static const struct ww_position frankfurt = {50.11, 8.68};

static int keep(void *ctx, struct ww_slice piece)
{
	return ww_buf_add(ctx, piece.p, piece.n);
}

static void draw(const struct ww_svg_map *map, struct ww_buf *out)
{
	struct ww_html h;

	ww_buf_init(out, 64u << 20);
	ww_html_init(&h, keep, out);
	ww_svg_map(&h, map);
	assert_int_equal(ww_html_end(&h), 0);
	ww_html_done(&h);
}

static unsigned count(const struct ww_buf *out, const char *text)
{
	const uint8_t *p = out->p, *end = out->p + out->n;
	unsigned n = 0;

	while (p && (p = memmem(p, (size_t)(end - p), text, strlen(text)))) {
		n++;
		p++;
	}
	return n;
}

static void has(const struct ww_buf *out, const char *text)
{
	if (!count(out, text))
		fail_msg("missing %s", text);
}

static struct ww_area *countries(const char *codes)
{
	char error[WW_EARTH_ERROR_MAX];
	struct ww_slice items[8], all = ww_slice_str(codes);
	struct ww_area *a = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < all.n; i += 3)
		items[n++] = ww_slice_sub(all, i, 2);
	assert_int_equal(ww_area_of_countries(items, n, &a, error), 0);
	return a;
}

/* --- the projection -----------------------------------------------------------------------------
 */

/* Distances and directions from the middle are true. */
static void globe(void **ctx)
{
	static const struct {
		struct ww_position middle, at;
		double x, y; /* radians */
	} rows[] = {
		{{0, 0}, {0, 90}, 1.5707963, 0},     {{0, 0}, {45, 0}, 0, -0.7853982},
		{{0, 0}, {0, -90}, -1.5707963, 0},   {{90, 0}, {0, 90}, 1.5707963, 0},
		{{90, 0}, {0, 0}, 0, 1.5707963},     {{-90, 0}, {0, 0}, 0, -1.5707963},
		{{0, 180}, {0, -170}, 0.1745329, 0}, {{10, 20}, {10, 20}, 0, 0},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct ww_globe g;
		struct ww_mark m;

		ww_globe_init(&g, rows[i].middle, 5e6);
		m = ww_globe_mark(&g, ww_vec_of(rows[i].at.lat, rows[i].at.lon));
		assert_true(fabs(m.x / g.scale - rows[i].x) < 1e-6);
		assert_true(fabs(m.y / g.scale - rows[i].y) < 1e-6);
		assert_true(fabs(m.angle - hypot(rows[i].x, rows[i].y)) < 1e-6);
	}
}

/* What is read from path data: lines of relative steps, and arcs, which are all around. */
struct outline {
	unsigned lines, points;
	double x[20000], y[20000];
	bool all; /* with the shape around everything */
};

static void read_path(const struct ww_buf *path, struct outline *o)
{
	const char *p = (const char *)path->p;
	double x = 0, y = 0;

	*o = (struct outline){0};
	while (*p) {
		int n = 0, dx, dy;

		if (*p == 'z') {
			p++;
			continue;
		}
		if (*p == 'a') { /* beyond the frame */
			assert_true(sscanf(p + 1, "%d", &dx) == 1 && dx > WW_GLOBE_FRAME);
			assert_true(x == 2100 - dx && y == 2100);
			o->all = true;
			return;
		}
		assert_true((*p == 'M' || *p == 'l') && sscanf(p + 1, "%d%d%n", &dx, &dy, &n) == 2);
		o->lines += *p == 'M';
		x = *p == 'M' ? dx : x + dx;
		y = *p == 'M' ? dy : y + dy;
		p += n + 1;
		assert_true(o->points < WW_ARRAY_SIZE(o->x));
		o->x[o->points] = x;
		o->y[o->points++] = y;
	}
}

/* By the rule "evenodd". One line only. */
static bool filled(const struct outline *o, double x, double y)
{
	bool in = o->all;
	unsigned n = o->points - (o->all ? 1 : 0); /* that of the shape around */

	for (unsigned i = 0; i < n; i++) {
		unsigned k = (i + 1) % n;

		if ((o->y[i] > y) != (o->y[k] > y) &&
		    x < o->x[i] + (y - o->y[i]) / (o->y[k] - o->y[i]) * (o->x[k] - o->x[i]))
			in = !in;
	}
	return in;
}

/*
 * A shape is filled where it is, wherever the middle is, near it or opposite: a circle's line,
 * against its angle, at all points of the frame.
 */
static void fills(void **ctx)
{
	static const struct {
		struct ww_position middle, at;
		double frame_m;
		bool line; /* is at that place, not the center */
	} rows[] = {
		{{0, 0}, {0, 10}, 3e6, false},        {{0, 0}, {0, 10}, 2.1e7, false},
		{{50, 8}, {40, -100}, 2.1e7, false},  {{50, 8}, {-45, 175}, 2.1e7, false},
		{{50, 8}, {-50, -172}, 2.1e7, false}, {{90, 0}, {-89, 0}, 2.1e7, false},
		{{50, 8}, {50.2, 8}, 3e4, false},     {{-80, 170}, {70, 10}, 1e7, false},
		{{50, 8}, {-50, -172}, 2.1e7, true},  {{0, 0}, {0, 180}, 2.1e7, true},
	};
	static struct outline o;

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		for (double angle = 0.003; angle < 1.5; angle *= 2.2) {
			double lat = rows[i].line ? rows[i].at.lat + (angle + 0.0004) * 180 / M_PI
						  : rows[i].at.lat;
			struct ww_vec c = ww_vec_of(lat, rows[i].at.lon), away;
			struct ww_globe g;
			struct ww_buf path;
			struct ww_trace t;
			unsigned wrong = 0, n = 0;

			ww_globe_init(&g, rows[i].middle, rows[i].frame_m);
			ww_buf_init(&path, 1u << 20);
			t = (struct ww_trace){.g = &g, .out = &path, .step = 1};
			for (int k = 0; k < 360; k++) {
				struct ww_vec e = {-sin(rows[i].at.lon * M_PI / 180),
						   cos(rows[i].at.lon * M_PI / 180), 0},
					      s = ww_cross(c, e);
				double sk = sin(k * M_PI / 180) * sin(angle),
				       ck = cos(k * M_PI / 180) * sin(angle);

				ww_trace_to(&t, (struct ww_vec){
							c.x * cos(angle) + e.x * sk + s.x * ck,
							c.y * cos(angle) + e.y * sk + s.y * ck,
							c.z * cos(angle) + e.z * sk + s.z * ck});
			}
			ww_trace_close(&t);
			away = (struct ww_vec){-g.center.x, -g.center.y, -g.center.z};
			if (ww_chord_angle(ww_chord(away, c)) < angle)
				ww_trace_all(&t);
			assert_int_equal(t.err, 0);
			assert_int_equal(ww_buf_add(&path, "", 1), 0);
			read_path(&path, &o);
			for (int y = -19; y <= 19; y++) {
				for (int x = -19; x <= 19; x++) {
					double px = x * 100, py = y * 100,
					       r = hypot(px, py) / g.scale;
					double off;
					struct ww_vec v;

					if (hypot(px, py) > 1950 || r == 0)
						continue;
					v.x = g.center.x * cos(r) +
					      (g.east.x * px - g.north.x * py) / hypot(px, py) *
						      sin(r);
					v.y = g.center.y * cos(r) +
					      (g.east.y * px - g.north.y * py) / hypot(px, py) *
						      sin(r);
					v.z = g.center.z * cos(r) +
					      (g.east.z * px - g.north.z * py) / hypot(px, py) *
						      sin(r);
					off = ww_chord_angle(ww_chord(v, c)) - angle;
					if (fabs(off) * g.scale < 6 || fabs(off) < angle * 0.001)
						continue; /* on its line */
					n++;
					wrong += filled(&o, 2100 + px, 2100 + py) != (off < 0);
				}
			}
			if (wrong || n < 500)
				fail_msg("row %zu, angle %g: %u of %u", i, angle, wrong, n);
			ww_buf_done(&path);
		}
	}
}

/* --- the map ------------------------------------------------------------------------------------
 */

static void golden(void **ctx)
{
	struct ww_area *ch = countries("CH"), *eu = countries("DE FR IE");
	const struct ww_svg_disc discs[] = {
		{WW_SLICE_LIT("who terminates TCP"), frankfurt, 5, 900},
		{WW_SLICE_LIT("who holds the certificate's key"), frankfurt, 5, 1500},
	};
	const struct ww_svg_map_area areas[] = {
		{WW_SVG_AREA_EXCLUDED, WW_SLICE_LIT("CH"), WW_SLICE_LIT("who terminates TCP"), ch},
		{WW_SVG_AREA_LISTED, WW_SLICE_LIT("eu-central-1"), WW_SLICE_LIT("aws"), eu},
		{WW_SVG_AREA_CLAIMED, WW_SLICE_LIT("FRA"), WW_SLICE_LIT("cf-ray"), NULL},
	};
	const struct ww_svg_map map = {7,
				       WW_SLICE_LIT("Leg 1"),
				       WW_SLICE_LIT("address of the data centre"),
				       2,
				       3,
				       discs,
				       areas};
	char *file = malloc(1u << 20);
	struct ww_buf out;
	size_t n;
	FILE *f;

	draw(&map, &out);
	if (getenv("GOLDEN")) {
		f = fopen(GOLDEN, "w");
		assert_true(f && fwrite(out.p, 1, out.n, f) == out.n && fclose(f) == 0);
	}
	f = fopen(GOLDEN, "r");
	assert_non_null(f);
	n = fread(file, 1, 1u << 20, f);
	fclose(f);
	if (n != out.n || memcmp(file, out.p, n) != 0)
		fail_msg("the map is not " GOLDEN " (GOLDEN=1 writes it anew)");
	has(&out, "at most 135.1 km from the host (hard bound: light)");
	has(&out, "at most 90.1 km assuming ordinary fibre; excludes nothing");
	has(&out, "excluded by the hard bound: CH, for who terminates TCP");
	has(&out, "listed: eu-central-1, by aws");
	has(&out, "claimed: FRA, by cf-ray (no outline of it is known)");
	has(&out,
	    "host at 50.110\xc2\xb0 N 8.680\xc2\xb0 E, known to 5.0 km, by: address of the data "
	    "centre");
	assert_int_equal(count(&out, "host at"), 1);
	/* Circles around the middle, in tenths of a pixel: both hard bounds, both of fibre. */
	assert_int_equal(count(&out, "<circle class=\"hard\""), 2);
	assert_int_equal(count(&out, "<circle class=\"fibre\""), 2);
	/* No word that says more than that. */
	assert_int_equal(count(&out, "proven") + count(&out, "complian") + count(&out, "stayed"),
			 0);
	assert_int_equal(count(&out, "<script"), 0);
	assert_int_equal(count(&out, "style="), 0);
	ww_buf_done(&out);
	free(file);
	ww_area_free(ch);
	ww_area_free(eu);
}

static void hostile(void **ctx)
{
	const struct ww_slice bad = WW_SLICE_LIT("<script>\"'&\x1b[31m\xe2\x80\xae\xff");
	char long_name[3000];
	struct ww_svg_disc discs[12];
	struct ww_svg_map_area areas[40];
	struct ww_area *de = countries("DE");
	struct ww_svg_map map = {1, bad, bad, 12, 40, discs, areas};
	struct ww_buf out;

	memset(long_name, 'x', sizeof(long_name));
	for (unsigned i = 0; i < 12; i++)
		discs[i] = (struct ww_svg_disc){bad, {i * 15.0 - 90, i * 30.0 - 180}, i, i * 20000};
	for (unsigned i = 0; i < 40; i++)
		areas[i] = (struct ww_svg_map_area){
			i % 3, i % 2 ? bad : ww_slice(long_name, sizeof(long_name)), bad, de};
	draw(&map, &out);
	assert_int_equal(count(&out, "<script"), 0);
	assert_int_equal(count(&out, "\x1b"), 0);
	assert_int_equal(count(&out, "\xff"), 0);
	has(&out, "&lt;script&gt;");
	has(&out, "Not all is shown");
	assert_int_equal(count(&out, "xxxxx\xe2\x80\xa6"), 24);
	assert_true(out.n < 300000);
	ww_buf_done(&out);
	map.disc_count = 0;
	draw(&map, &out);
	assert_int_equal(out.n, 0);
	ww_buf_done(&out);
	ww_area_free(de);
}

/* From every kind of place, at every scale: drawn, bounded, the same twice. */
static void everywhere(void **ctx)
{
	static const struct ww_position at[] = {{50.11, 8.68}, {90, 0},    {-90, 0},  {0, 180},
						{0, -180},     {-41, 175}, {40, -4},  {65, -170},
						{-85, 10},     {1, 104},   {21, -158}};
	static const uint32_t rtt_us[] = {0, 1, 30, 900, 20000, 130000, 200000, UINT32_MAX};
	struct ww_area *us = countries("US"), *nz = countries("NZ AQ FJ");

	for (size_t i = 0; i < WW_ARRAY_SIZE(at); i++) {
		for (size_t k = 0; k < WW_ARRAY_SIZE(rtt_us); k++) {
			const struct ww_svg_disc discs[] = {
				{WW_SLICE_LIT("a"), at[i], 1, rtt_us[k]},
				{WW_SLICE_LIT("b"), at[(i + 3) % WW_ARRAY_SIZE(at)], 1, rtt_us[k]}};
			const struct ww_svg_map_area areas[] = {
				{WW_SVG_AREA_EXCLUDED, WW_SLICE_LIT("us"), WW_SLICE_NULL, us},
				{WW_SVG_AREA_LISTED, WW_SLICE_LIT("nz"), WW_SLICE_NULL, nz}};
			const struct ww_svg_map map = {
				.number = k,
				.disc_count = 1 + i % 2,
				.area_count = 2,
				.discs = discs,
				.areas = areas,
			};
			struct ww_buf out, again;

			draw(&map, &out);
			draw(&map, &again);
			assert_true(out.n == again.n && memcmp(out.p, again.p, out.n) == 0);
			assert_true(out.n > 1000 && out.n < 200000);
			if (rtt_us[k] >= 200000)
				has(&out, "the hard bound is the entire Earth");
			ww_buf_done(&out);
			ww_buf_done(&again);
		}
	}
	ww_area_free(us);
	ww_area_free(nz);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globe),   cmocka_unit_test(fills),      cmocka_unit_test(golden),
		cmocka_unit_test(hostile), cmocka_unit_test(everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
