/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <errno.h>

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool ww_slice_ieq_str(struct ww_slice a, const char *s)
{
	struct ww_slice b = ww_slice_str(s);

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	}
	return true;
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct ww_slice ww_slice_trim(struct ww_slice a)
{
	size_t from = 0, to = a.n;

	while (from < to && blank(a.p[from]))
		from++;
	while (to > from && blank(a.p[to - 1]))
		to--;
	return ww_slice_sub(a, from, to - from);
}

int ww_slice_u64(struct ww_slice a, uint64_t *ret_value)
{
	uint64_t v = 0;
	bool over = false;

	if (a.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < a.n; i++) {
		uint8_t d = a.p[i] - '0';

		if (d > 9)
			return -EINVAL;
		over |= __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, d, &v);
	}
	if (over)
		return -ERANGE;
	*ret_value = v;
	return 0;
}

size_t ww_slice_find(struct ww_slice a, size_t from, uint8_t c)
{
	const uint8_t *hit;

	if (from >= a.n)
		return a.n;
	hit = memchr(a.p + from, c, a.n - from);
	return hit ? (size_t)(hit - a.p) : a.n;
}

bool ww_slice_line(struct ww_slice *rest, struct ww_slice *ret_line)
{
	size_t end = ww_slice_find(*rest, 0, '\n');

	if (end == rest->n)
		return false;
	*ret_line = ww_slice_sub(*rest, 0, end);
	*rest = ww_slice_sub(*rest, end + 1, rest->n);
	return true;
}
