/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

#define NS_PER_S     1000000000ull
#define DAY_S        86400u
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

struct ww_boot ww_boot_now(void)
{
	return (struct ww_boot){read_ns(CLOCK_BOOTTIME)};
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

/*
 * The calendar is the proleptic Gregorian one, reckoned here: libc would look for the zone of the
 * machine. Years are counted from March, so that the leap day is the last one of its year, and in
 * eras of 400 years, after which everything repeats. 1970-01-01 is day 719,468 after 0000-03-01.
 */
#define ERA_DAYS   146097u
#define EPOCH_DAYS 719468u

/* Days before a month that is counted from March (0 to 11). */
static uint32_t days_before(uint32_t month)
{
	return (153 * month + 2) / 5;
}

static bool leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool ww_date_days(int year, int month, int day, uint64_t *ret_days)
{
	static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint32_t y, of_era;

	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (month == 2 && leap(year)))
		return false;
	y = (uint32_t)year - (month < 3);
	of_era = y % 400;
	*ret_days = (uint64_t)(y / 400) * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 +
		    days_before(((uint32_t)month + 9) % 12) + (uint32_t)day - 1 - EPOCH_DAYS;
	return true;
}

static void date_of(uint64_t days, uint64_t *ret_year, uint32_t *ret_month, uint32_t *ret_day)
{
	uint64_t at = days + EPOCH_DAYS;
	uint32_t in_era = (uint32_t)(at % ERA_DAYS);
	/* Without the leap days before it a day's year is its number divided by 365. */
	uint32_t of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / (ERA_DAYS - 1)) / 365;
	uint32_t in_year = in_era - (of_era * 365 + of_era / 4 - of_era / 100);
	uint32_t month = (5 * in_year + 2) / 153;

	*ret_day = in_year - days_before(month) + 1;
	*ret_month = month < 10 ? month + 3 : month - 9;
	*ret_year = at / ERA_DAYS * 400 + of_era + (*ret_month < 3);
}

void ww_wall_rfc3339(struct ww_wall t, char *out)
{
	uint64_t s = t.ns / NS_PER_S, year;
	uint32_t month, day;

	/* 64 bits of nanoseconds end in the year 2554: four digits suffice. */
	date_of(s / DAY_S, &year, &month, &day);
	out = put(out, year, 4);
	*out++ = '-';
	out = put(out, month, 2);
	*out++ = '-';
	out = put(out, day, 2);
	*out++ = 'T';
	out = put(out, s / 3600 % 24, 2);
	*out++ = ':';
	out = put(out, s / 60 % 60, 2);
	*out++ = ':';
	out = put(out, s % 60, 2);
	*out++ = '.';
	out = put(out, t.ns % NS_PER_S, 9);
	*out++ = 'Z';
	*out = '\0';
}

/* Exactly `digits` decimal digits at `at`, or -1. */
static int take(struct ww_slice text, size_t at, size_t digits)
{
	int v = 0;

	for (size_t i = at; i < at + digits; i++) {
		if (i >= text.n || text.p[i] < '0' || text.p[i] > '9')
			return -1;
		v = v * 10 + text.p[i] - '0';
	}
	return v;
}

/* The decimals behind the seconds and the Z; false: something else stands there. */
static bool take_fraction(struct ww_slice rest, uint64_t *ret_ns)
{
	uint64_t unit = NS_PER_S / 10, ns = 0;
	size_t i = 1;

	if (rest.n == 1 && rest.p[0] == 'Z') {
		*ret_ns = 0;
		return true;
	}
	if (rest.n < 3 || rest.n > 11 || rest.p[0] != '.' || rest.p[rest.n - 1] != 'Z')
		return false;
	for (; i < rest.n - 1; i++, unit /= 10) {
		if (rest.p[i] < '0' || rest.p[i] > '9')
			return false;
		ns += (uint64_t)(rest.p[i] - '0') * unit;
	}
	*ret_ns = ns;
	return true;
}

int ww_wall_parse(struct ww_slice text, struct ww_wall *ret_wall)
{
	int year = take(text, 0, 4), month = take(text, 5, 2), day = take(text, 8, 2);
	int hour = take(text, 11, 2), minute = take(text, 14, 2), second = take(text, 17, 2);
	uint64_t days, ns;

	if (text.n < 20 || text.p[4] != '-' || text.p[7] != '-' || text.p[10] != 'T' ||
	    text.p[13] != ':' || text.p[16] != ':')
		return -EINVAL;
	if (year > 2553 || !ww_date_days(year, month, day, &days) || hour < 0 || hour > 23 ||
	    minute < 0 || minute > 59 || second < 0 || second > 59)
		return -EINVAL;
	if (!take_fraction(ww_slice_sub(text, 19, SIZE_MAX), &ns))
		return -EINVAL;
	ret_wall->ns =
		(days * DAY_S + (uint64_t)(hour * 3600 + minute * 60 + second)) * NS_PER_S + ns;
	return 0;
}
