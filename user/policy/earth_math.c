/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/earth_math.h"

#include <float.h>

_Static_assert(FLT_EVAL_METHOD >= 0 && FLT_EVAL_METHOD != 2, "doubles are computed as doubles");

#define RADIANS (WW_PI / 180)

/* Of x within pi / 4: what is left out is below 1e-18. */
static double series_sin(double x)
{
	double square = x * x, sum = 0;

	for (int i = 17; i >= 1; i -= 2)
		sum = 1 - sum * square / ((i + 1) * (i + 2));
	return x * sum;
}

static double series_cos(double x)
{
	double square = x * x, sum = 0;

	for (int i = 18; i >= 0; i -= 2)
		sum = 1 - sum * square / ((i + 1) * (i + 2));
	return sum;
}

void ww_sin_cos(double degrees, double *ret_sin, double *ret_cos)
{
	int quarters = (int)(degrees / 90 + (degrees < 0 ? -0.5 : 0.5));
	double x = (degrees - quarters * 90.0) * RADIANS;
	double s = series_sin(x), c = series_cos(x);

	switch (quarters & 3) {
	case 0:
		*ret_sin = s, *ret_cos = c;
		break;
	case 1:
		*ret_sin = c, *ret_cos = -s;
		break;
	case 2:
		*ret_sin = -s, *ret_cos = -c;
		break;
	default:
		*ret_sin = -c, *ret_cos = s;
	}
}

/* Of t from 0 to 1. The angle is halved until its tangent is below 0.1. */
static double arc_tangent(double t)
{
	double square, sum = 0;

	for (int i = 0; i < 3; i++)
		t = t / (1 + ww_sqrt(1 + t * t));
	square = t * t;
	for (int i = 19; i >= 1; i -= 2)
		sum = 1.0 / i - sum * square;
	return 8 * t * sum;
}

double ww_angle(double s, double c)
{
	double size = c < 0 ? -c : c;
	double angle = s <= size ? arc_tangent(s / size) : WW_PI / 2 - arc_tangent(size / s);

	return c < 0 ? WW_PI - angle : angle;
}

double ww_chord_angle(double chord)
{
	double s = chord / 2;

	if (s >= 1)
		return WW_PI;
	return 2 * ww_angle(s, ww_sqrt(1 - s * s));
}

double ww_angle_chord(double angle)
{
	double s, c;

	ww_sin_cos(angle / 2 / RADIANS, &s, &c);
	return 2 * s;
}

struct ww_vec ww_vec_of(double lat, double lon)
{
	double s, c, sl, cl;

	ww_sin_cos(lat, &s, &c);
	ww_sin_cos(lon, &sl, &cl);
	return (struct ww_vec){c * cl, c * sl, s};
}
