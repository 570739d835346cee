/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/earth_outlines.h"

#include <assert.h>

__asm__(".section .rodata.ww_outlines,\"a\",@progbits\n"
	".balign 4\n"
	"ww_outlines_size: .long ww_outlines_end - ww_outlines_begin\n"
	"ww_outlines_begin: .incbin \"user/policy/earth_outlines.txt\"\n"
	"ww_outlines_end:\n"
	".previous\n");

extern const uint8_t ww_outlines_begin[];
extern const uint32_t ww_outlines_size;

/* As the head of the file says. */
#define BASE         47u
#define FIRST        '!'
#define MICRO        4000 /* of a unit */
#define UNITS_AROUND 90000

struct ww_slice ww_outlines(void)
{
	return ww_slice(ww_outlines_begin, ww_outlines_size);
}

static bool is_head(struct ww_slice line)
{
	return line.n > 3 && line.p[2] == ' ' && line.p[0] >= 'A' && line.p[0] <= 'Z';
}

bool ww_outline_next(struct ww_slice *rest, struct ww_outline *ret)
{
	struct ww_slice line, after;
	uint64_t margin;

	do {
		if (!ww_slice_line(rest, &line))
			return false;
	} while (!is_head(line));
	if (ww_slice_u64(ww_slice_sub(line, 3, line.n), &margin) < 0)
		return false;
	*ret = (struct ww_outline){.margin_m = (uint32_t)margin, .rings = {rest->p, 0}};
	memcpy(ret->code, line.p, 2);
	for (after = *rest; ww_slice_line(&after, &line) && !is_head(line); *rest = after)
		ret->rings.n += line.n + 1;
	return true;
}

bool ww_outline_find(struct ww_slice code, struct ww_outline *ret)
{
	struct ww_slice rest = ww_outlines();
	struct ww_outline o;

	if (code.n != 2)
		return false;
	while (ww_outline_next(&rest, &o)) {
		if (memcmp(o.code, code.p, 2) == 0) {
			*ret = o;
			return true;
		}
	}
	return false;
}

static int32_t number(struct ww_slice *text)
{
	uint32_t v = 0, scale = 1, digit;

	do {
		assert(text->n > 0 && scale < UINT32_MAX / BASE / BASE); /* the file is ours */
		digit = text->p[0] - (uint32_t)FIRST;
		*text = ww_slice_sub(*text, 1, text->n);
		v += digit % BASE * scale;
		scale *= BASE;
	} while (digit >= BASE);
	return v % 2 ? -(int32_t)(v / 2) - 1 : (int32_t)(v / 2);
}

bool ww_outline_ring(struct ww_slice *rings, struct ww_outline_ring *ret)
{
	struct ww_slice line;

	if (!ww_slice_line(rings, &line))
		return false;
	*ret = (struct ww_outline_ring){.spot = line.p[0] == 's',
					.points = ww_slice_sub(line, 1, line.n)};
	if (ret->spot) {
		struct ww_slice all = ret->points, center = all;

		number(&all);
		number(&all);
		center.n -= all.n;
		ret->points = center;
		ret->radius_m = (uint32_t)number(&all);
	}
	return true;
}

bool ww_outline_point(struct ww_outline_ring *ring, int32_t *ret_lon, int32_t *ret_lat)
{
	if (ring->points.n == 0)
		return false;
	ring->lon += number(&ring->points);
	ring->lat += number(&ring->points);
	if (ring->lon > UNITS_AROUND / 2)
		ring->lon -= UNITS_AROUND;
	else if (ring->lon < -UNITS_AROUND / 2)
		ring->lon += UNITS_AROUND;
	*ret_lon = ring->lon * MICRO;
	*ret_lat = ring->lat * MICRO;
	return true;
}
