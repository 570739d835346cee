/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/earth.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/hash.h"
#include "policy/earth_area.h"
#include "policy/earth_outlines.h"

#define LIGHT_M_PER_US 299.792458

static const struct ww_position frankfurt = {50.11, 8.68};

/* --- drawing of lots, and a second opinion ------------------------------------------------------
 */

static uint64_t state;

static double draw(double from, double to)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return from + (to - from) * (double)(state >> 11) / 9007199254740992.0;
}

/* In this order with every compiler. */
static struct ww_position draw_in(double lat, double lon)
{
	struct ww_position p;

	p.lat = draw(-lat, lat);
	p.lon = draw(-lon, lon);
	return p;
}

/* Evenly over the sphere. */
static struct ww_position draw_position(void)
{
	struct ww_position p = draw_in(1, 180);

	p.lat = asin(p.lat) * 180 / M_PI;
	return p;
}

/* By libm and the textbook. */
static double haversine_m(struct ww_position a, struct ww_position b)
{
	double u = sin((b.lat - a.lat) * M_PI / 360), v = sin((b.lon - a.lon) * M_PI / 360);
	double h = u * u + cos(a.lat * M_PI / 180) * cos(b.lat * M_PI / 180) * v * v;

	return 2 * 6371008.8 * asin(h < 1 ? sqrt(h) : 1);
}

static struct ww_area *countries(const char *codes)
{
	char error[WW_EARTH_ERROR_MAX] = "";
	struct ww_slice items[8], all = ww_slice_str(codes);
	struct ww_area *a;
	unsigned n = 0;

	for (size_t i = 0; i < all.n; i += 3)
		items[n++] = ww_slice_sub(all, i, 2);
	if (ww_area_of_countries(items, n, &a, error) < 0)
		fail_msg("%s", error);
	return a;
}

static struct ww_area *polygon(const struct ww_position *p, unsigned n)
{
	char error[WW_EARTH_ERROR_MAX] = "";
	struct ww_area *a;

	if (ww_area_of_polygon(p, n, &a, error) < 0)
		fail_msg("%s", error);
	return a;
}

static struct ww_area *circle(struct ww_position center, double km)
{
	char error[WW_EARTH_ERROR_MAX] = "";
	struct ww_area *a;

	if (ww_area_of_circle(center, km, &a, error) < 0)
		fail_msg("%s", error);
	return a;
}

/* --- numbers ------------------------------------------------------------------------------------
 */

static void series(void **ctx)
{
	for (int i = -7200; i <= 7200; i++) {
		double d = i / 10.0 + 0.0137, s, c;

		ww_sin_cos(d, &s, &c);
		assert_true(fabs(s - sin(d * M_PI / 180)) < 1e-14);
		assert_true(fabs(c - cos(d * M_PI / 180)) < 1e-14);
	}
	for (int i = 0; i <= 20000; i++) {
		double chord = i / 10000.0;

		assert_true(fabs(ww_chord_angle(chord) - 2 * asin(chord / 2)) < 1e-14);
		assert_true(fabs(ww_angle_chord(ww_chord_angle(chord)) - chord) < 1e-14);
	}
	assert_true(ww_angle(0, 1) == 0 && ww_angle(0, -1) == WW_PI && ww_angle(1, 0) == WW_PI / 2);
	assert_true(ww_chord_angle(2.5) == WW_PI);
}

/* On every machine, with every compiler and every optimization: the last bit of each result. */
static void same_everywhere(void **ctx)
{
	struct ww_area *a = countries("CH");
	uint64_t sums[2] = {0, 0};

	state = 1;
	for (int i = 0; i < 20000; i++) {
		struct ww_position p = draw_in(90, 180), q = draw_in(1, 1);
		struct ww_vec v = ww_vec_of(p.lat, p.lon);
		double all[5] = {v.x, v.y, v.z, ww_chord_angle(q.lat + 1),
				 ww_angle(q.lon + 1, q.lat)};
		uint64_t bits[5];

		memcpy(bits, all, sizeof(bits));
		for (unsigned k = 0; k < WW_ARRAY_SIZE(bits); k++)
			sums[0] = sums[0] * 1099511628211u ^ bits[k];
		if (i < 2000)
			sums[1] = sums[1] * 1099511628211u ^ ww_area_nearest_m(a, p, 1);
	}
	ww_area_free(a);
	assert_int_equal(sums[0], 0x581e4a1985b7f313);
	assert_int_equal(sums[1], 0xf08b615513d68bae);
}

/* Of the ellipsoid WGS 84, by GeographicLib 2.0: the sphere is never 0.6 % longer. */
static void ellipsoid(void **ctx)
{
	static const struct {
		struct ww_position a, b;
		double m;
	} rows[] = {
		{{50.11, 8.68}, {47.3769, 8.5417}, 304104},
		{{50.11, 8.68}, {51.5074, -0.1278}, 639554},
		{{50.11, 8.68}, {53.3498, -6.2603}, 1090901},
		{{50.11, 8.68}, {39.0438, -77.4874}, 6565993},
		{{50.11, 8.68}, {19.076, 72.8777}, 6570097},
		{{0, 0}, {0.5, 0}, 55287},
		{{0, 0}, {0, 1}, 111319},
		{{89.5, 0}, {89.5, 180}, 111694},
		{{-0.3, 179.9}, {0.3, -179.9}, 69981},
		{{60, 10}, {60, 11}, 55799},
		{{1, 0}, {-1, 179.5}, 19980862},
		{{-33.87, 151.21}, {51.51, -0.13}, 16989429},
		{{22.1223, 87.0433}, {53.1348, 159.282}, 6893168},
		{{43.1817, 152.037}, {-84.7791, -12.3758}, 15344542},
		{{79.8042, 53.6308}, {72.1621, -139.246}, 3111822},
		{{-5.5676, -91.2338}, {7.877, 26.6188}, 13166836},
		{{-87.6394, -101.977}, {-39.6932, 149.884}, 5692604},
		{{47.8306, -122.543}, {53.4865, -130.044}, 822017},
		{{21.1415, -134.388}, {-89.6805, 133.706}, 12341858},
		{{-52.2979, -102.427}, {86.8358, 134.067}, 15984413},
		{{-37.9251, 166.132}, {7.0602, 64.019}, 11554217},
		{{-53.1397, 158.751}, {34.3155, 167.963}, 9729856},
		{{70.8735, -72.436}, {-24.9858, -120.256}, 11263718},
		{{-63.7737, -156.55}, {-35.7554, 37.1196}, 8905041},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		double m = ww_position_apart_m(rows[i].a, rows[i].b);
		struct ww_area *a;

		assert_true(fabs(m - haversine_m(rows[i].a, rows[i].b)) < 1);
		assert_true(m * 0.994 < rows[i].m && m * 1.005 > rows[i].m);
		/* Somebody within 5 km of the second is never farther than that from the first. */
		a = circle(rows[i].b, 5);
		assert_true(ww_area_nearest_m(a, rows[i].a, 0) <= rows[i].m - 5000);
		assert_true(ww_area_nearest_m(a, rows[i].a, 0) > rows[i].m * 0.985 - 5010);
		ww_area_free(a);
	}
}

static void bounds(void **ctx)
{
	static const struct {
		uint32_t rtt_us;
		uint64_t hard_m, fibre_m;
	} rows[] = {
		/* (T + 1 us) * 149.896229 m, and two thirds, rounded up */
		{1, 300, 200},
		{900, 135057, 90038},
		{1000, 150047, 100031},
		{1999, 299793, 199862},
		{200000, 29979396, 19986264},
		{UINT32_MAX, 643799401349, 429199600900},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		assert_int_equal(ww_bound_m(rows[i].rtt_us), rows[i].hard_m);
		assert_int_equal(ww_bound_fibre_m(rows[i].rtt_us), rows[i].fibre_m);
	}
	assert_true(ww_bound_m(0) == WW_BOUND_NONE && ww_bound_fibre_m(0) == WW_BOUND_NONE);
}

/* From Frankfurt: the least round trips that light allows, in ms, hard and in ordinary fibre. */
static void minimum_times(void **ctx)
{
	static const struct {
		struct ww_position to;
		double km, hard_ms, fibre_ms;
	} rows[] = {
		{{47.3769, 8.5417}, 305, 2.03, 3.05},    /* Zurich */
		{{51.5074, -0.1278}, 638, 4.26, 6.38},   /* London */
		{{53.3498, -6.2603}, 1088, 7.26, 10.88}, /* Dublin */
		{{39.0438, -77.4874}, 6549, 43.7, 65.5}, /* Ashburn */
		{{19.076, 72.8777}, 6564, 43.8, 65.7},   /* Mumbai */
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		double km = ww_position_apart_m(frankfurt, rows[i].to) / 1000.0;

		assert_true(fabs(km - rows[i].km) / rows[i].km < 0.005);
		assert_true(fabs(ww_bound_m((uint32_t)(rows[i].hard_ms * 1000)) / 1000.0 - km) <
			    km * 0.006);
		assert_true(fabs(ww_bound_fibre_m((uint32_t)(rows[i].fibre_ms * 1000)) / 1000.0 -
				 km) < km * 0.006);
	}
}

static void worked_examples(void **ctx)
{
	struct ww_area *ch = countries("CH"), *gb = countries("GB"), *us = countries("US"),
		       *de = countries("DE");

	/* The Swiss border is about 257 km off (where the Rhine leaves it); with the outline's
	 * margin, and 1 %, exclusion begins below 1.6 ms, and not at 1.77. */
	assert_in_range(ww_area_nearest_m(ch, frankfurt, 0), 240000, 257000);
	assert_true(ww_area_excluded(ch, frankfurt, 0, 1600));
	assert_false(ww_area_excluded(ch, frankfurt, 0, 1770));
	assert_false(ww_area_excluded(ch, frankfurt, 20, 1600)); /* a host that may be nearer */
	/* 5 ms, 750 km, cannot separate Germany from Switzerland or Britain. */
	assert_false(ww_area_excluded(ch, frankfurt, 0, 5000));
	assert_false(ww_area_excluded(gb, frankfurt, 0, 5000));
	assert_true(ww_area_excluded(us, frankfurt, 0, 5000));
	/* 200 ms allow the entire Earth. */
	assert_false(ww_area_excluded(us, frankfurt, 0, 200000));
	/* The host's own country, whatever the time is. */
	assert_int_equal(ww_area_nearest_m(de, frankfurt, 0), 0);
	assert_false(ww_area_excluded(de, frankfurt, 0, 1));
	/* Nothing without a time; nothing where nothing is known of the host. */
	assert_false(ww_area_excluded(us, frankfurt, 0, 0));
	assert_false(ww_area_excluded(us, frankfurt, INFINITY, 1));
	assert_false(ww_area_excluded(us, frankfurt, NAN, 1));
	assert_int_equal(ww_area_nearest_m(us, frankfurt, NAN), 0);
	ww_area_free(ch);
	ww_area_free(gb);
	ww_area_free(us);
	ww_area_free(de);
}

static void anycast(void **ctx)
{
	const struct ww_position singapore = {1.35, 103.82};

	/* 10,266 km apart: 1 and 2 ms reach 450 km. */
	assert_true(ww_bound_anycast(frankfurt, 5, 1000, singapore, 5, 2000));
	/* 69 ms in all do, 67 do not. */
	assert_false(ww_bound_anycast(frankfurt, 5, 34000, singapore, 5, 35000));
	assert_true(ww_bound_anycast(frankfurt, 5, 33000, singapore, 5, 34000));
	assert_false(ww_bound_anycast(frankfurt, 5, 0, singapore, 5, 2000));
	assert_false(ww_bound_anycast(frankfurt, 5, 1000, singapore, 5, 0));
	assert_false(ww_bound_anycast(frankfurt, 5000, 1000, singapore, 6000, 2000));
	assert_false(ww_bound_anycast(frankfurt, NAN, 1000, singapore, 0, 2000));
	assert_false(ww_bound_anycast(frankfurt, 0, 1000, frankfurt, 0, 1000));
}

/* One machine that answers two hosts, as fast as light allows, is never taken for two. */
static void anycast_property(void **ctx)
{
	state = 7;
	for (int i = 0; i < 100000; i++) {
		struct ww_position a = draw_position(), b = draw_position(), at = draw_position();
		double slow = draw(1, 1.02);

		/* As on the ellipsoid, at its shortest. */
		assert_false(ww_bound_anycast(
			a, 0, (uint32_t)(2 * haversine_m(a, at) * 0.9944 * slow / LIGHT_M_PER_US),
			b, 0, (uint32_t)(2 * haversine_m(b, at) * 0.9944 * slow / LIGHT_M_PER_US)));
	}
}

/* --- polygons -----------------------------------------------------------------------------------
 */

struct points {
	unsigned n;
	struct ww_position p[16];
};

static void refusals(void **ctx)
{
	static const struct {
		struct points points;
		const char *text; /* NULL: it is an area */
	} rows[] = {
		{{0, {{0, 0}}}, "no points"},
		{{2, {{0, 0}, {1, 1}}}, "less than three points"},
		{{3, {{0, 0}, {1, 1}, {0, 0}}}, "less than three points"},
		{{3, {{0, 0}, {91, 1}, {0, 2}}}, "point 2: latitude -90 to 90"},
		{{3, {{0, 0}, {NAN, 1}, {0, 2}}}, "point 2: latitude -90 to 90"},
		{{3, {{0, 0}, {1, INFINITY}, {0, 2}}}, "point 2: latitude -90 to 90"},
		{{3, {{0, 0}, {1, 361}, {0, 2}}}, "point 2: latitude -90 to 90"},
		{{3, {{0, 0}, {1, 1}, {2, 2}}}, "cross or touch"}, /* no inside */
		{{4, {{0, 0}, {0, 0}, {1, 1}, {0, 2}}}, "point 1: the next one is the same"},
		{{4, {{0, 0}, {0, 1e-9}, {1, 1}, {0, 2}}}, "point 1: the next one is the same"},
		{{4, {{0, 0}, {1, 1}, {0, 1}, {1, 0}}},
		 "point 1: its edge and that of point 3 cross"},
		{{5, {{0, 0}, {0, 2}, {1, 1}, {2, 2}, {0, 1}}}, "cross or touch"},
		{{5, {{0, 0}, {0, 4}, {0, 2}, {1, 2}, {1, 0}}},
		 "cross or touch"}, /* back over itself */
		{{6, {{0, 0}, {0, 1}, {1, 1}, {0, 0}, {0, -1}, {-1, -1}}}, "cross or touch"},
		{{4, {{0, 170}, {0, -170}, {10, -170}, {10, 170}}},
		 "point 1: to the next one are 180 degrees of longitude or more"},
		{{4, {{0, 0}, {0, 180}, {10, 180}, {10, 0}}},
		 "point 1: to the next one are 180 degrees of longitude or more"},
		{{4, {{60, 0}, {60, 120}, {60, 240}, {60, 360}}}, NULL},
		{{4, {{60, 0}, {60, 120}, {-60, 240}, {60, 360}}},
		 "which pole it holds is not clear"},
		{{4, {{60, 0}, {60, 120}, {0, 240}, {60, 360}}},
		 "which pole it holds is not clear"},
		{{6, {{60, 0}, {60, 120}, {62, 240}, {63, 120}, {59, 240}, {60, 360}}},
		 "cross or touch"}, /* around, with a loop that crosses */
		{{6, {{60, 0}, {65, 0}, {65, 120}, {62, 240}, {63, 360}, {60, 360}}},
		 "cross or touch"},
		{{8,
		  {{10, -300},
		   {10, -150},
		   {10, 0},
		   {10, 150},
		   {10, 300},
		   {20, 150},
		   {20, 0},
		   {20, -150}}},
		 "more than once around"},
		{{4, {{0, 170}, {0, 190}, {10, 190}, {10, 170}}}, NULL},
		{{4, {{0, -170}, {0, -190}, {10, -190}, {10, -170}}}, NULL},
		{{5, {{0, 0}, {0, 1}, {1, 1}, {1, 0}, {0, 0}}}, NULL}, /* closed by its first */
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		char error[WW_EARTH_ERROR_MAX] = "";
		struct ww_area *a = NULL;
		int r = ww_area_of_polygon(rows[i].points.p, rows[i].points.n, &a, error);

		if (!rows[i].text) {
			if (r < 0)
				fail_msg("%zu: %s", i, error);
			ww_area_free(a);
			continue;
		}
		if (r != -22)
			fail_msg("%zu: taken", i);
		assert_null(a);
		if (!strstr(error, rows[i].text))
			fail_msg("%zu: %s", i, error);
	}
}

static void other_refusals(void **ctx)
{
	const struct ww_slice codes[] = {WW_SLICE_LIT("DE"), WW_SLICE_LIT("de"), WW_SLICE_LIT("EU"),
					 WW_SLICE_LIT("D\nx\"\x80yyyyyyyyyyyyyyy"),
					 WW_SLICE_LIT("")};
	char error[WW_EARTH_ERROR_MAX];
	struct ww_area *a = NULL;

	for (unsigned i = 1; i < WW_ARRAY_SIZE(codes); i++) {
		const struct ww_slice two[] = {codes[0], codes[i]};

		assert_int_equal(ww_area_of_countries(two, 2, &a, error), -22);
		assert_non_null(strstr(error, "no outline of a country"));
		assert_null(strchr(error, '\n'));
	}
	assert_int_equal(ww_area_of_countries(codes, 0, &a, error), -22);
	assert_int_equal(ww_area_of_circle(frankfurt, 0, &a, error), -22);
	assert_int_equal(ww_area_of_circle(frankfurt, -1, &a, error), -22);
	assert_int_equal(ww_area_of_circle(frankfurt, NAN, &a, error), -22);
	assert_int_equal(ww_area_of_circle((struct ww_position){91, 0}, 1, &a, error), -22);
	assert_int_equal(ww_area_of_circle((struct ww_position){0, 181}, 1, &a, error), -22);
	assert_null(a);
	assert_false(ww_position_valid((struct ww_position){NAN, 0}));
	assert_false(ww_position_valid((struct ww_position){0, INFINITY}));
	assert_true(ww_position_valid((struct ww_position){-90, 180}));
}

/* Where a polygon is, and how far from elsewhere. */
static void placed(void **ctx)
{
	static const struct {
		const char *what;
		struct points points;
		struct ww_position inside[2], outside;
		double least_km, most_km; /* of the way from outside */
	} rows[] = {
		{"across the antimeridian",
		 {4, {{-10, 170}, {-10, 190}, {10, 190}, {10, 170}}},
		 {{0, 179.9}, {0, -179.9}},
		 {0, -160},
		 1080,
		 1112},
		{"the same from the other side",
		 {4, {{-10, -190}, {-10, -170}, {10, -170}, {10, -190}}},
		 {{0, 179.9}, {0, -179.9}},
		 {0, 160},
		 1080,
		 1112},
		{"the other way round",
		 {4, {{10, 170}, {10, 190}, {-10, 190}, {-10, 170}}},
		 {{0, 180}, {0, -180}},
		 {0, 0},
		 18200,
		 18448},
		{"around the north pole",
		 {4, {{60, 0}, {60, 120}, {60, 240}, {60, 360}}},
		 {{90, 0}, {61, 60}},
		 {50, 60},
		 1090,
		 1112},
		{"the other way round",
		 {4, {{60, 360}, {60, 240}, {60, 120}, {60, 0}}},
		 {{90, 0}, {61, 60}},
		 {50, 60},
		 1090,
		 1112},
		{"around the south pole",
		 {4, {{-60, 0}, {-60, 120}, {-60, 240}, {-60, 360}}},
		 {{-90, 0}, {-61, 60}},
		 {90, 0},
		 16500,
		 16680},
		{"a piece up to the pole",
		 {4, {{60, 0}, {60, 90}, {90, 90}, {90, 0}}},
		 {{89.9, 45}, {61, 1}},
		 {80, -90},
		 1090,
		 1112},
		{"larger than a hemisphere",
		 {8,
		  {{-80, -170},
		   {-80, -60},
		   {-80, 60},
		   {-80, 170},
		   {80, 170},
		   {80, 60},
		   {80, -60},
		   {80, -170}}},
		 {{0, 0}, {79, -169}},
		 {0, 180},
		 1080,
		 1112},
		{"a band around the Earth",
		 {6, {{60, -180}, {60, 0}, {60, 180}, {70, 180}, {70, 1}, {70, -178}}},
		 {{65, 0}, {65, -179.9}},
		 {50, 0},
		 1090,
		 1112},
		{"bent inwards",
		 {4, {{0, 0}, {20, 0}, {10, 5}, {0, 20}}},
		 {{15, 1}, {1, 15}},
		 {12, 12},
		 50,
		 700},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct ww_area *a = NULL;
		uint32_t m;

		if (rows[i].points.p[1].lon - rows[i].points.p[0].lon == 180)
			continue;
		a = polygon(rows[i].points.p, rows[i].points.n);
		assert_int_equal(ww_area_nearest_m(a, rows[i].inside[0], 0), 0);
		assert_int_equal(ww_area_nearest_m(a, rows[i].inside[1], 0), 0);
		assert_false(ww_area_excluded(a, rows[i].inside[0], 0, 1));
		m = ww_area_nearest_m(a, rows[i].outside, 0);
		if (m < rows[i].least_km * 1000 || m > rows[i].most_km * 1000)
			fail_msg("%s: %u m", rows[i].what, m);
		ww_area_free(a);
	}
}

/*
 * Polygons drawn as stars: from a center outwards, so that what is inside is known without asking.
 * Some lie at the antimeridian or a pole, some are large.
 */
struct star {
	struct ww_position center;
	unsigned n;
	struct ww_position p[12];
};

static struct star draw_star(void)
{
	double size = pow(10, draw(-2, 1.8));
	struct star s = {{draw(-85, 85), draw(-180, 180)}, 3 + (unsigned)draw(0, 10), {{0, 0}}};
	bool turned = draw(0, 1) < 0.5;

	if (size > 89 - fabs(s.center.lat))
		size = 89 - fabs(s.center.lat);
	for (unsigned i = 0; i < s.n; i++) {
		double angle = 2 * M_PI * (i + draw(0.05, 0.6)) / s.n, r = size * draw(0.4, 1);

		s.p[turned ? s.n - 1 - i : i] = (struct ww_position){
			s.center.lat + r * sin(angle), s.center.lon + r * cos(angle) * 1.4};
	}
	return s;
}

/* A point on its edge, moved inwards by 1 - t. */
static struct ww_position star_point(const struct star *s, unsigned i, double u, double t)
{
	struct ww_position a = s->p[i], b = s->p[(i + 1) % s->n];
	double lat = a.lat + (b.lat - a.lat) * u, lon = a.lon + (b.lon - a.lon) * u;

	return (struct ww_position){s->center.lat + (lat - s->center.lat) * t,
				    s->center.lon + (lon - s->center.lon) * t};
}

/* Never too far, and not much too near: against points all along its edges. */
static void stars(void **ctx)
{
	unsigned outside = 0, near_ones = 0;

	state = 3;
	for (int i = 0; i < 1500; i++) {
		struct star s = draw_star();
		struct ww_area *a;
		char error[WW_EARTH_ERROR_MAX];

		/* Wide ones may touch themselves around the center: they are refused. */
		if (ww_area_of_polygon(s.p, s.n, &a, error) < 0)
			continue;
		for (int k = 0; k < 4; k++) {
			struct ww_position p = draw_position();
			double least = 1e9;
			uint32_t m;

			if (k > 1) /* near it */
				p = (struct ww_position){
					fmax(-90, fmin(90, s.p[0].lat + draw(-1, 1))),
					remainder(s.p[0].lon + draw(-1, 1), 360)};
			m = ww_area_nearest_m(a, p, 0);
			for (unsigned e = 0; e < s.n; e++)
				for (int u = 0; u <= 200; u++)
					least = fmin(
						least,
						haversine_m(p, star_point(&s, e, u / 200.0, 1)));
			if (m > least * 0.9944)
				fail_msg("%u m, but %.0f", m, least * 0.9944);
			outside += m > 0;
			near_ones += m > 0 && least < 200000;
			for (int j = 0; j < 50; j++) {
				struct ww_position in = star_point(&s, (unsigned)draw(0, s.n),
								   draw(0, 1), sqrt(draw(0, 1)));
				double d = haversine_m(p, in) * 0.9944;

				assert_true(m <= d);
				assert_false(ww_area_excluded(a, p, 0,
							      (uint32_t)(2 * d / LIGHT_M_PER_US)));
			}
			/* 201 points on an edge leave a two hundredth of it between them. */
			if (m > 0)
				assert_true(m > least * 0.985 - 40000);
		}
		ww_area_free(a);
	}
	assert_true(outside > 2000 && near_ones > 200);
}

/* Exclusion is what nearest and bound say, at the very microsecond. */
static void at_the_edge(void **ctx)
{
	struct ww_area *areas[] = {countries("CH"), countries("US FR"), countries("AQ"),
				   circle((struct ww_position){10, 179}, 300)};

	state = 11;
	for (int i = 0; i < 4000; i++) {
		struct ww_area *a = areas[i % 4];
		struct ww_position p = draw_position();
		double within_km = draw(0, 10);
		uint32_t m = ww_area_nearest_m(a, p, within_km);
		uint32_t us = (uint32_t)(m / 149.896229);

		for (uint32_t t = us > 3 ? us - 3 : 1; t < us + 3; t++)
			assert_int_equal(ww_area_excluded(a, p, within_km, t), ww_bound_m(t) < m);
	}
	for (size_t i = 0; i < WW_ARRAY_SIZE(areas); i++)
		ww_area_free(areas[i]);
}

/* --- countries ----------------------------------------------------------------------------------
 */

static void outlines(void **ctx)
{
	struct ww_slice rest = ww_outlines();
	struct ww_outline o, found;
	char last[3] = "";
	unsigned count = 0;

	while (ww_outline_next(&rest, &o)) {
		assert_true(strcmp(last, o.code) < 0);
		memcpy(last, o.code, sizeof(last));
		assert_true(ww_outline_find(ww_slice_str(o.code), &found));
		assert_true(found.rings.p == o.rings.p && found.rings.n == o.rings.n);
		assert_true(o.rings.n > 0 && o.margin_m < 8500);
		count++;
	}
	assert_int_equal(rest.n, 0);
	assert_int_equal(count, 250);
}

static void in_countries(void **ctx)
{
	static const struct {
		const char *codes;
		struct ww_position at;
	} rows[] = {
		{"AQ", {-90, 0}},        {"AQ", {-85, -179.99}},   {"AQ", {-86, 179.99}},
		{"RU", {66.5, -175}},    {"RU", {66.5, 179.99}},   {"RU", {55.75, 37.62}},
		{"FJ", {-16.8, 179.99}}, {"FJ", {-16.8, -179.99}}, {"NZ", {-43.9, -176.5}},
		{"US", {52, 179.6}},     {"US", {21.3, -157.8}},   {"VA", {41.903, 12.453}},
		{"GF", {4.9, -52.3}},    {"FR", {4.9, -52.3}},     {"BQ", {12.2, -68.3}},
		{"SJ", {78.2, 15.6}},    {"CC", {-12.2, 96.8}},    {"UA", {45, 34}},
		{"RU", {45, 34}},        {"CY", {35.2, 33.6}},     {"XK", {42.66, 21.17}},
		{"RS", {42.66, 21.17}},  {"SO", {9.56, 44.07}},    {"DE FR", {48.86, 2.35}},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct ww_area *a = countries(rows[i].codes);

		if (ww_area_nearest_m(a, rows[i].at, 0) != 0)
			fail_msg("%s at %g %g", rows[i].codes, rows[i].at.lat, rows[i].at.lon);
		assert_false(ww_area_excluded(a, rows[i].at, 0, 1));
		ww_area_free(a);
	}
}

/* Who stands in an enclave is not in what is around it. */
static void enclave(void **ctx)
{
	const struct ww_position lesotho = {-29.5, 28.3};
	struct ww_area *a = countries("ZA");

	assert_in_range(ww_area_nearest_m(a, lesotho, 0), 40000, 100000);
	assert_true(ww_area_excluded(a, lesotho, 0, 200));
	assert_false(ww_area_excluded(a, lesotho, 0, 800));
	ww_area_free(a);
}

/* A point of the country: on a way of an outline of it, or in a spot. */
static struct ww_position country_point(const struct ww_area *a)
{
	const struct ww_shape *s = &a->shapes[0];
	uint32_t i = (uint32_t)draw(0, s->point_count + s->spot_count);

	if (i >= s->point_count) {
		struct ww_point at = s->spots[i - s->point_count].at;

		return (struct ww_position){at.lat / 1e6, at.lon / 1e6};
	}
	for (int tries = 0; tries < 50; tries++) { /* inland */
		struct ww_point p = {s->points[i].lon + (int32_t)draw(-5e6, 5e6),
				     s->points[i].lat + (int32_t)draw(-5e6, 5e6)};

		p.lon = (int32_t)(remainder(p.lon / 1e6, 360) * 1e6);
		if (p.lat > -90000000 && p.lat < 90000000 && ww_shape_inside(s, p))
			return (struct ww_position){p.lat / 1e6, p.lon / 1e6};
	}
	return (struct ww_position){s->points[i].lat / 1e6, remainder(s->points[i].lon / 1e6, 360)};
}

/*
 * Random hosts, random responders, any delay that light allows: no country in which the responder
 * stands is excluded, nor an area of several with it, nor a polygon or circle around it.
 */
static void never_excluded_where_it_stands(void **ctx)
{
	struct ww_slice rest = ww_outlines();
	struct ww_outline o;
	unsigned excluded = 0, all = 0;

	state = 5;
	while (ww_outline_next(&rest, &o)) {
		struct ww_area *a = countries(o.code), *us = countries("US");

		for (int i = 0; i < 120; i++) {
			struct ww_position host = draw_position(), at = country_point(a), said;
			double slow = draw(0, 1) < 0.5 ? 1 : draw(1, 3), within_km = draw(0, 30);
			double away, rtt;
			struct ww_area *c;

			if (i % 3 == 0) /* near by */
				host = (struct ww_position){
					fmax(-90, fmin(90, at.lat + draw(-3, 3))),
					remainder(at.lon + draw(-3, 3), 360)};
			/* What the policy says of the host is wrong by as much as it allows. */
			away = within_km * 1000 / 6400000 * 180 / M_PI * draw(0, 1) / 1.5;
			said = (struct ww_position){fmax(-90, fmin(90, host.lat + away)), host.lon};
			/* The shortest that the ellipsoid makes of it, and a clock that is slow. */
			rtt = 2 * haversine_m(host, at) * 0.9944 * 0.9995 / LIGHT_M_PER_US * slow;
			if (ww_area_excluded(a, said, within_km, (uint32_t)rtt))
				fail_msg("%s: host %g %g, responder %g %g", o.code, said.lat,
					 said.lon, at.lat, at.lon);
			c = circle(at, draw(0.1, 500));
			assert_false(ww_area_excluded(c, said, within_km, (uint32_t)rtt));
			ww_area_free(c);
			all++;
			excluded += ww_area_excluded(us, said, within_km, (uint32_t)rtt);
		}
		ww_area_free(a);
		ww_area_free(us);
	}
	assert_true(all == 250 * 120 && excluded > all / 20); /* it does exclude */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(series),
		cmocka_unit_test(same_everywhere),
		cmocka_unit_test(ellipsoid),
		cmocka_unit_test(bounds),
		cmocka_unit_test(minimum_times),
		cmocka_unit_test(worked_examples),
		cmocka_unit_test(anycast),
		cmocka_unit_test(anycast_property),
		cmocka_unit_test(refusals),
		cmocka_unit_test(other_refusals),
		cmocka_unit_test(placed),
		cmocka_unit_test(stars),
		cmocka_unit_test(at_the_edge),
		cmocka_unit_test(outlines),
		cmocka_unit_test(in_countries),
		cmocka_unit_test(enclave),
		cmocka_unit_test(never_excluded_where_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
