/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/area_write.h"

#include <stdio.h>

#include "policy/earth_area.h"

#define NAME_BYTES  96u /* of an area without its shapes */
#define CODE_BYTES  5u
#define POINT_BYTES 26u

static bool is_country(const struct ww_shape *s)
{
	return s->name[0] != '\0';
}

/* More than it takes. */
static size_t bytes_of(const struct ww_area *a)
{
	size_t n = NAME_BYTES;

	for (unsigned i = 0; i < a->shape_count; i++)
		n += is_country(&a->shapes[i]) ? CODE_BYTES
					       : POINT_BYTES * (a->shapes[i].point_count + 2);
	return n;
}

/* Millionths of a degree, at least one decimal. */
static void write_degrees(struct ww_jsonw *w, int32_t e6)
{
	uint32_t v = e6 < 0 ? -(uint32_t)e6 : (uint32_t)e6;
	char text[32];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s%u.%06u", e6 < 0 ? "-" : "",
				    v / WW_MICRO, v % WW_MICRO);

	while (text[n - 1] == '0' && text[n - 2] != '.')
		n--;
	ww_jsonw_raw(w, NULL, ww_slice(text, n));
}

static void write_point(struct ww_jsonw *w, struct ww_jsonw_name name, struct ww_point p)
{
	ww_jsonw_put_array(w, name);
	write_degrees(w, p.lat);
	write_degrees(w, p.lon);
	ww_jsonw_end_array(w);
}

static void write_shape(const struct ww_shape *s, struct ww_jsonw *w)
{
	char km[32];

	if (s->spot_count) {
		snprintf(km, sizeof(km), "%u.%03u", s->spots[0].radius_m / 1000,
			 s->spots[0].radius_m % 1000);
		ww_jsonw_object(w, "circle");
		write_point(w, ww_jsonw_name("center"), s->spots[0].at);
		ww_jsonw_raw(w, "km", ww_slice_str(km));
		ww_jsonw_end_object(w);
		return;
	}
	ww_jsonw_array(w, "polygon");
	for (uint32_t i = 0; i < s->point_count; i++)
		write_point(w, ww_jsonw_name(NULL), s->points[i]);
	ww_jsonw_end_array(w);
}

static void write_area(const struct ww_policy_area *area, struct ww_jsonw *w)
{
	const struct ww_area *a = area->area;

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "name", area->name);
	if (is_country(&a->shapes[0])) {
		ww_jsonw_array(w, "countries");
		for (unsigned i = 0; i < a->shape_count; i++)
			ww_jsonw_cstr(w, NULL, a->shapes[i].name);
		ww_jsonw_end_array(w);
	} else {
		write_shape(&a->shapes[0], w);
	}
	ww_jsonw_end_object(w);
}

void ww_policy_write_areas(const struct ww_policy *p, struct ww_jsonw *w)
{
	size_t left = WW_AREAS_BYTES_MAX;

	if (p->area_count == 0)
		return;
	ww_jsonw_array(w, "areas");
	for (unsigned i = 0; i < p->area_count; i++) {
		size_t n = bytes_of(p->areas[i].area);

		if (n > left || p->areas[i].area->shape_count == 0)
			continue;
		left -= n;
		write_area(&p->areas[i], w);
	}
	ww_jsonw_end_array(w);
}
