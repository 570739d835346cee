/* SPDX-License-Identifier: Apache-2.0 */
/* paths: what was most likely meant by a name that no record has. */
#include "base/own.h"
#include "out/paths.h"

#define NEAR_BYTES_MAX 64 /* longer ones are nobody's slip of the finger */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to add, leave out, change or swap with their neighbour until one text is the other, case
 * aside. Both are short. */
static unsigned distance(struct ww_slice a, struct ww_slice b)
{
	uint8_t rows[3][NEAR_BYTES_MAX + 1];

	for (size_t k = 0; k <= b.n; k++)
		rows[0][k] = (uint8_t)k;
	for (size_t i = 1; i <= a.n; i++) {
		uint8_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = (uint8_t)i;
		for (size_t k = 1; k <= b.n; k++) {
			bool same = lower(a.p[i - 1]) == lower(b.p[k - 1]);
			unsigned d = least(least(last[k], now[k - 1]) + 1u, last[k - 1] + !same);

			if (i > 1 && k > 1 && lower(a.p[i - 1]) == lower(b.p[k - 2]) &&
			    lower(a.p[i - 2]) == lower(b.p[k - 1]))
				d = least(d, before[k - 2] + 1u);
			now[k] = (uint8_t)d;
		}
	}
	return rows[a.n % 3][b.n];
}

/* How far a text is from a known one; UINT32_MAX: too far to have been meant. */
static unsigned how_far(struct ww_slice text, struct ww_slice known)
{
	unsigned d;

	if (text.n == 0 || text.n > NEAR_BYTES_MAX || known.n > NEAR_BYTES_MAX)
		return UINT32_MAX;
	d = distance(text, known);
	return d <= 1 + text.n / 4 && d < text.n && d < known.n ? d : UINT32_MAX;
}

/* What stands behind the last dot. */
static struct ww_slice last_name(struct ww_slice path)
{
	size_t at = path.n;

	while (at > 0 && path.p[at - 1] != '.')
		at--;
	return ww_slice_sub(path, at, path.n);
}

/*
 * A whole path with slips; else a name that stands further down ("status" for wire.status), which
 * counts as two slips more. Of equals the shortest, then the first.
 */
const char *ww_path_near(struct ww_slice path, ww_path_kinds kinds)
{
	unsigned best = UINT32_MAX;
	const char *found = NULL;

	for (unsigned i = 0; ww_path_at(i); i++) {
		const struct ww_path *row = ww_path_at(i);
		struct ww_slice known = ww_slice_str(row->path);
		struct ww_slice name = last_name(known);
		unsigned d;

		if (!(row->kinds & kinds))
			continue;
		d = how_far(path, known);
		if (d == UINT32_MAX && name.n > 0 && name.n < known.n) {
			d = how_far(path, name);
			d += d == UINT32_MAX ? 0 : 2;
		}
		if (d < best || (d == best && found && known.n < strlen(found))) {
			best = d;
			found = row->path;
		}
	}
	return best == UINT32_MAX ? NULL : found;
}

const char *ww_path_near_word(struct ww_slice text, const char *const *words, unsigned count)
{
	unsigned best = UINT32_MAX;
	const char *found = NULL;

	for (unsigned i = 0; i < count; i++) {
		unsigned d = words[i] ? how_far(text, ww_slice_str(words[i])) : UINT32_MAX;

		if (d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
