/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Areas of a policy: the input is a host, then the points of a polygon; odd inputs are cut to a
 * coarse grid, where edges meet. What is refused says why, on one line. Of what is taken nobody is
 * excluded where he stands: points inside and on its edges,
 * against haversines.
 */
#include "policy/earth.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "policy/earth_area.h"

#define POINTS_MAX 40u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double taken(const uint8_t **p, size_t *n, double most, bool coarse)
{
	int32_t v = 0;

	if (*n >= sizeof(v)) {
		memcpy(&v, *p, sizeof(v));
		*p += sizeof(v);
		*n -= sizeof(v);
	}
	if (v == INT32_MIN)
		return NAN;
	return coarse ? (double)(v % 9) * most / 8 : v / 2147483647.0 * most;
}

static double haversine_m(struct ww_position a, struct ww_position b)
{
	double u = sin((b.lat - a.lat) * M_PI / 360), v = sin((b.lon - a.lon) * M_PI / 360);
	double h = u * u + cos(a.lat * M_PI / 180) * cos(b.lat * M_PI / 180) * v * v;

	return 2 * 6371008.8 * asin(h < 1 ? sqrt(h) : 1);
}

static void stands(const struct ww_area *a, struct ww_position host, struct ww_position at)
{
	double m = haversine_m(host, at) * 0.9944;

	assert(ww_area_nearest_m(a, host, 0) <= m);
	assert(!ww_area_excluded(a, host, 0, (uint32_t)(m * 2 / 299.792458)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_position host, p[POINTS_MAX];
	char error[WW_EARTH_ERROR_MAX] = "";
	struct ww_area *a = NULL;
	unsigned n = 0;
	bool coarse = size % 2;
	size_t left = size;

	host.lat = taken(&data, &left, 90, false);
	host.lon = taken(&data, &left, 180, false);
	while (n < POINTS_MAX && left) {
		p[n].lat = taken(&data, &left, 91, coarse);
		p[n++].lon = taken(&data, &left, 361, coarse);
	}
	if (ww_area_of_polygon(p, n, &a, error) < 0) {
		assert(!a && error[0] && !strchr(error, '\n'));
		return 0;
	}
	if (!ww_position_valid(host))
		host = (struct ww_position){0, 0};
	for (unsigned i = 0; i < n; i++) {
		struct ww_position b = p[(i + 1) % n];

		/* The way from the last point to the first may lead around the Earth. */
		if (i + 1 == n)
			b = p[i];
		for (int k = 0; k <= 8; k++)
			stands(a, host,
			       (struct ww_position){p[i].lat + (b.lat - p[i].lat) * k / 8,
						    p[i].lon + (b.lon - p[i].lon) * k / 8});
	}
	for (int i = 0; i < 64; i++) {
		struct ww_point at = {(i % 8 * 45 - 170) * WW_MICRO + i,
				      (i / 8 * 22 - 77) * WW_MICRO + i};

		if (ww_shape_inside(&a->shapes[0], at))
			stands(a, host, (struct ww_position){at.lat / 1e6, at.lon / 1e6});
	}
	ww_area_free(a);
	return 0;
}
