/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

#define NS_PER_S     1000000000ull
#define SAMPLE_TRIES 8

/* to + (t - from), held inside the type: a time before the epoch of the target clock is 0. */
static uint64_t shift(uint64_t to, uint64_t from, uint64_t t)
{
	uint64_t v;

	if (t >= from)
		return __builtin_add_overflow(to, t - from, &v) ? UINT64_MAX : v;
	return __builtin_sub_overflow(to, from - t, &v) ? 0 : v;
}

struct ww_wall ww_clock_wall(const struct ww_clock_map *m, struct ww_boot t)
{
	if (!m->valid)
		return (struct ww_wall){0};
	return (struct ww_wall){shift(m->wall.ns, m->boot.ns, t.ns)};
}

struct ww_boot ww_clock_boot(const struct ww_clock_map *m, struct ww_wall t)
{
	if (!m->valid)
		return (struct ww_boot){0};
	return (struct ww_boot){shift(m->boot.ns, m->wall.ns, t.ns)};
}

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts = {0};

	/* Both clocks exist on every kernel that can load the probes: no error to handle. */
	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void ww_clock_sample(struct ww_clock_map *ret_map)
{
	struct ww_clock_map best = {.bound_ns = UINT64_MAX, .valid = true};

	/* The wall clock is read between two boot reads; the tightest pair of several tries wins.
	 */
	for (int i = 0; i < SAMPLE_TRIES; i++) {
		uint64_t before = read_ns(CLOCK_BOOTTIME);
		uint64_t wall = read_ns(CLOCK_REALTIME);
		uint64_t gap = read_ns(CLOCK_BOOTTIME) - before;

		if ((gap + 1) / 2 >= best.bound_ns)
			continue;
		best.boot.ns = before + gap / 2;
		best.wall.ns = wall;
		best.bound_ns = (gap + 1) / 2;
	}
	*ret_map = best;
}

/* Writes exactly `digits` decimal digits and returns the place after them. */
static char *put(char *out, uint64_t v, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		out[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return out + digits;
}

void ww_wall_rfc3339(struct ww_wall t, char *out)
{
	time_t s = (time_t)(t.ns / NS_PER_S);
	struct tm tm = {0};

	/* 64 bits of nanoseconds end in the year 2554: gmtime_r cannot fail, four digits suffice.
	 */
	(void)gmtime_r(&s, &tm);
	out = put(out, (uint64_t)tm.tm_year + 1900, 4);
	*out++ = '-';
	out = put(out, (uint64_t)tm.tm_mon + 1, 2);
	*out++ = '-';
	out = put(out, (uint64_t)tm.tm_mday, 2);
	*out++ = 'T';
	out = put(out, (uint64_t)tm.tm_hour, 2);
	*out++ = ':';
	out = put(out, (uint64_t)tm.tm_min, 2);
	*out++ = ':';
	out = put(out, (uint64_t)tm.tm_sec, 2);
	*out++ = '.';
	out = put(out, t.ns % NS_PER_S, 9);
	*out++ = 'Z';
	*out = '\0';
}
