/* SPDX-License-Identifier: Apache-2.0 */
#include "moment.h"

#include <errno.h>

#define NS_PER_S 1000000000ull

/* Exactly n digits. */
static bool take_number(struct ww_slice *s, size_t n, int *ret)
{
	uint64_t v;

	if (s->n < n || ww_slice_u64(ww_slice_sub(*s, 0, n), &v) < 0)
		return false;
	*ret = (int)v;
	*s = ww_slice_sub(*s, n, SIZE_MAX);
	return true;
}

static bool take_char(struct ww_slice *s, const char *one_of)
{
	if (s->n == 0 || !strchr(one_of, s->p[0]))
		return false;
	*s = ww_slice_sub(*s, 1, SIZE_MAX);
	return true;
}

/* Fraction of a second, without its dot, to nanoseconds. */
static bool take_fraction(struct ww_slice *s, uint64_t *ret_ns)
{
	uint64_t ns = 0, unit = NS_PER_S / 10;
	bool any = false;

	while (s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9') {
		ns += unit * (s->p[0] - '0');
		unit /= 10;
		any = true;
		*s = ww_slice_sub(*s, 1, SIZE_MAX);
	}
	*ret_ns = ns;
	return any;
}

/* "Z" or "+hh:mm", in seconds east of UTC. */
static bool take_offset(struct ww_slice *s, int *ret_s)
{
	int sign, h, m;

	if (take_char(s, "Zz")) {
		*ret_s = 0;
		return true;
	}
	if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
		return false;
	sign = s->p[0] == '-' ? -1 : 1;
	*s = ww_slice_sub(*s, 1, SIZE_MAX);
	if (!take_number(s, 2, &h) || !take_char(s, ":") || !take_number(s, 2, &m) || h > 23 ||
	    m > 59)
		return false;
	*ret_s = sign * (h * 3600 + m * 60);
	return true;
}

/* RFC 3339 section 5.6. */
static bool parse_time(struct ww_slice s, struct ww_wall *ret)
{
	int year, month, day, hour, minute, second, offset;
	uint64_t days, ns = 0;
	int64_t t;

	if (!take_number(&s, 4, &year) || !take_char(&s, "-") || !take_number(&s, 2, &month) ||
	    !take_char(&s, "-") || !take_number(&s, 2, &day) || !take_char(&s, "Tt ") ||
	    !take_number(&s, 2, &hour) || !take_char(&s, ":") || !take_number(&s, 2, &minute) ||
	    !take_char(&s, ":") || !take_number(&s, 2, &second))
		return false;
	if ((take_char(&s, ".") && !take_fraction(&s, &ns)) || !take_offset(&s, &offset) ||
	    s.n != 0)
		return false;
	/* A leap second is the first one of the next minute. */
	if (year > 2500 || !ww_date_days(year, month, day, &days) || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	t = (int64_t)days * 86400 + hour * 3600 + minute * 60 + second - offset;
	if (t < 0)
		return false;
	ret->ns = (uint64_t)t * NS_PER_S + ns;
	return true;
}

/* "10m": a number and a unit, before now. */
static bool parse_ago(struct ww_slice s, struct ww_wall now, struct ww_wall *ret)
{
	static const struct {
		char unit;
		uint32_t s;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	uint64_t n;

	if (s.n < 2 || ww_slice_u64(ww_slice_sub(s, 0, s.n - 1), &n) < 0)
		return false;
	for (size_t i = 0; i < WW_ARRAY_SIZE(units); i++) {
		if (s.p[s.n - 1] != units[i].unit)
			continue;
		if (n > now.ns / (units[i].s * NS_PER_S))
			ret->ns = 0;
		else
			ret->ns = now.ns - n * units[i].s * NS_PER_S;
		return true;
	}
	return false;
}

int ww_moment_parse(const char *text, struct ww_wall now, struct ww_moment *ret_moment)
{
	struct ww_slice s = ww_slice_str(text);
	struct ww_moment m = {.what = WW_MOMENT_CURSOR};
	struct ww_wall t;

	if (ww_slice_eq_str(s, "start")) {
		m.what = WW_MOMENT_START;
	} else if (ww_slice_u64(s, &m.cursor) < 0) {
		if (!parse_ago(s, now, &t) && !parse_time(s, &t))
			return -EINVAL;
		m.what = WW_MOMENT_TIME;
		ww_wall_rfc3339(t, m.time);
	}
	*ret_moment = m;
	return 0;
}

int ww_moment_wall(const struct ww_moment *m, struct ww_wall *ret)
{
	return m->what == WW_MOMENT_TIME && parse_time(ww_slice_str(m->time), ret) ? 0 : -EINVAL;
}

uint64_t ww_moment_first(const struct ww_moment *m)
{
	if (m->what != WW_MOMENT_CURSOR)
		return 0;
	return m->cursor < UINT64_MAX ? m->cursor + 1 : UINT64_MAX;
}

bool ww_moment_reached(const struct ww_moment *m, struct ww_slice t)
{
	size_t n = strlen(m->time);

	if (m->what != WW_MOMENT_TIME)
		return true;
	if (t.n < n)
		n = t.n;
	return n > 0 && memcmp(t.p, m->time, n) >= 0;
}
