/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of geometry on a sphere needs more than + - * /: from series of our own, since those of
 * mathematical libraries differ in their last bits. Exact to some 1e-15 (6 nanometres on the
 * Earth). Pure.
 */
#pragma once

#define WW_PI 3.14159265358979323846

struct ww_vec {
	double x, y, z;
};

static inline double ww_dot(struct ww_vec a, struct ww_vec b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline struct ww_vec ww_cross(struct ww_vec a, struct ww_vec b)
{
	return (struct ww_vec){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/* Correctly rounded everywhere (IEEE 754), without a call (-fno-math-errno). */
static inline double ww_sqrt(double v)
{
	return __builtin_sqrt(v);
}

/* Of two unit vectors: the straight line between them, through the sphere. It loses nothing where
 * they are near, and keeps the triangle inequality. */
static inline double ww_chord(struct ww_vec a, struct ww_vec b)
{
	double x = a.x - b.x, y = a.y - b.y, z = a.z - b.z;

	return ww_sqrt(x * x + y * y + z * z);
}

/* Of an angle in degrees, -720 to 720. */
void ww_sin_cos(double degrees, double *ret_sin, double *ret_cos);

/* In radians, 0 to pi: the angle whose sine and cosine are as s (at least 0) to c; not both 0. */
double ww_angle(double s, double c);

/* The angle that a chord, 0 to 2, stands over, and back. */
double ww_chord_angle(double chord);
double ww_angle_chord(double angle);

/* The unit vector of a position, in degrees. */
struct ww_vec ww_vec_of(double lat, double lon);
