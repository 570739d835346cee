/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a polygon is one. Its points are integers, so that every answer here is exact. */
#include "policy/earth_area.h"

#include <errno.h>
#include <stdio.h>

#define HALF (180ll * WW_MICRO)

/* Of the way from a to b: whether p is left of it (1), right (-1) or on its line. */
static int side(struct ww_point a, struct ww_point b, struct ww_point p)
{
	int64_t v = ((int64_t)b.lon - a.lon) * ((int64_t)p.lat - a.lat) -
		    ((int64_t)b.lat - a.lat) * ((int64_t)p.lon - a.lon);

	return v > 0 ? 1 : v < 0 ? -1 : 0;
}

/* p is on the line through a and b. */
static bool between(struct ww_point a, struct ww_point b, struct ww_point p)
{
	return p.lon >= (a.lon < b.lon ? a.lon : b.lon) &&
	       p.lon <= (a.lon < b.lon ? b.lon : a.lon) &&
	       p.lat >= (a.lat < b.lat ? a.lat : b.lat) && p.lat <= (a.lat < b.lat ? b.lat : a.lat);
}

static bool meet(struct ww_point a, struct ww_point b, struct ww_point c, struct ww_point d)
{
	int ac = side(a, b, c), ad = side(a, b, d), ca = side(c, d, a), cb = side(c, d, b);

	if (ac * ad < 0 && ca * cb < 0)
		return true;
	return (ac == 0 && between(a, b, c)) || (ad == 0 && between(a, b, d)) ||
	       (ca == 0 && between(c, d, a)) || (cb == 0 && between(c, d, b));
}

/* Point i, which may be as many as there are or one more: the next time around. */
static struct ww_point point(const struct ww_point *points, const struct ww_ring *ring, unsigned i)
{
	struct ww_point p = points[i % ring->count];

	if (i >= ring->count)
		p.lon += ring->around * WW_MICRO_AROUND;
	return p;
}

/* Edges i and j, i < j, with j's moved around the Earth; both are numbered by their first point. */
static bool edges_meet(const struct ww_point *points, const struct ww_ring *ring, unsigned i,
		       unsigned j, int moved)
{
	struct ww_point a = point(points, ring, i), b = point(points, ring, i + 1);
	struct ww_point c = point(points, ring, j), d = point(points, ring, j + 1);

	c.lon += moved * WW_MICRO_AROUND;
	d.lon += moved * WW_MICRO_AROUND;
	/* Neighbours have one point in common, and must not go back over each other. */
	if (b.lon == c.lon && b.lat == c.lat)
		return side(a, b, d) == 0 && !between(a, d, b);
	if (d.lon == a.lon && d.lat == a.lat)
		return side(c, d, b) == 0 && !between(c, b, d);
	return meet(a, b, c, d);
}

static int refuse(char error[WW_EARTH_ERROR_MAX], const char *text, unsigned i, unsigned j)
{
	int n = i ? snprintf(error, WW_EARTH_ERROR_MAX, "polygon: point %u: ", i)
		  : snprintf(error, WW_EARTH_ERROR_MAX, "polygon: ");

	if (j)
		n += snprintf(error + n, WW_EARTH_ERROR_MAX - (size_t)n,
			      "its edge and that of point %u ", j);
	snprintf(error + n, WW_EARTH_ERROR_MAX - (size_t)n, "%s", text);
	return -EINVAL;
}

static int check_points(const struct ww_point *points, const struct ww_ring *ring,
			char error[WW_EARTH_ERROR_MAX])
{
	for (unsigned i = 0; i < ring->count; i++) {
		struct ww_point a = point(points, ring, i), b = point(points, ring, i + 1);
		int64_t d = (int64_t)b.lon - a.lon;

		if (d == 0 && b.lat == a.lat)
			return refuse(error, "the next one is the same", i + 1, 0);
		if (d >= HALF || d <= -HALF)
			return refuse(error,
				      "to the next one are 180 degrees of longitude or more; put a "
				      "point between, or go on beyond 180 across the antimeridian",
				      i + 1, 0);
	}
	return 0;
}

static int check_crossings(const struct ww_point *points, const struct ww_ring *ring,
			   char error[WW_EARTH_ERROR_MAX])
{
	int most = ring->around ? 1 : 0;

	for (unsigned i = 0; i < ring->count; i++)
		for (unsigned j = i + 1; j < ring->count; j++)
			for (int moved = -most; moved <= most; moved++)
				if (edges_meet(points, ring, i, j, moved))
					return refuse(error, "cross or touch", i + 1, j + 1);
	return 0;
}

/* Counts the points, and how often they lead around the Earth. */
static int begin(const struct ww_point *points, unsigned count, struct ww_ring *ring,
		 char error[WW_EARTH_ERROR_MAX])
{
	int64_t d;

	*ring = (struct ww_ring){.count = count, .west = INT32_MAX, .east = INT32_MIN};
	if (count == 0)
		return refuse(error, "no points", 0, 0);
	d = (int64_t)points[count - 1].lon - points[0].lon;
	if (count > 1 && points[count - 1].lat == points[0].lat && d % WW_MICRO_AROUND == 0) {
		ring->count--;
		ring->around = (int)(d / WW_MICRO_AROUND);
	}
	if (ring->count < 3)
		return refuse(error, "less than three points", 0, 0);
	for (unsigned i = 0; i < count; i++) {
		ring->west = points[i].lon < ring->west ? points[i].lon : ring->west;
		ring->east = points[i].lon > ring->east ? points[i].lon : ring->east;
	}
	if ((int64_t)ring->east - ring->west > WW_MICRO_AROUND)
		return refuse(error, "goes more than once around the Earth", 0, 0);
	return 0;
}

/* Of a ring around the Earth: the pole that it holds. */
static int find_pole(const struct ww_point *points, struct ww_ring *ring,
		     char error[WW_EARTH_ERROR_MAX])
{
	ring->north = points[0].lat > 0;
	for (unsigned i = 0; i < ring->count; i++)
		if (ring->north ? points[i].lat <= 0 : points[i].lat >= 0)
			return refuse(
				error,
				"goes around the Earth and reaches the equator: which pole it "
				"holds is not clear",
				0, 0);
	return 0;
}

int ww_ring_check(const struct ww_point *points, unsigned count, struct ww_ring *ret_ring,
		  char error[WW_EARTH_ERROR_MAX])
{
	struct ww_ring ring;
	int r = begin(points, count, &ring, error);

	if (r < 0)
		return r;
	r = check_points(points, &ring, error);
	if (r < 0)
		return r;
	r = check_crossings(points, &ring, error);
	if (r < 0)
		return r;
	if (ring.around)
		r = find_pole(points, &ring, error);
	if (r == 0)
		*ret_ring = ring;
	return r;
}
