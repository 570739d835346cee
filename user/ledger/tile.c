/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/tile.h"

#include <errno.h>
#include <stdio.h>

int ww_tile_path(const struct ww_tile *t, char out[WW_TILE_PATH_MAX])
{
	char level[8] = "entries";
	uint64_t scale = 1;
	size_t at;

	if (t->width == 0 || t->width > WW_TILE_WIDTH || t->level > WW_TILE_ENTRIES ||
	    t->n > INT64_MAX)
		return -EINVAL;
	if (t->level != WW_TILE_ENTRIES)
		snprintf(level, sizeof(level), "%u", t->level);
	at = (size_t)snprintf(out, WW_TILE_PATH_MAX, "tile/%s/", level);
	while (t->n / scale >= 1000)
		scale *= 1000;
	for (; scale > 0; scale /= 1000)
		at += (size_t)snprintf(out + at, WW_TILE_PATH_MAX - at, "%s%03u%s",
				       scale > 1 ? "x" : "", (unsigned)(t->n / scale % 1000),
				       scale > 1 ? "/" : "");
	if (t->width < WW_TILE_WIDTH)
		snprintf(out + at, WW_TILE_PATH_MAX - at, ".p/%u", t->width);
	return 0;
}

uint32_t ww_tile_width(uint32_t level, uint64_t n, uint64_t size)
{
	uint32_t shift = level == WW_TILE_ENTRIES ? 0 : 8 * level;
	uint64_t hashes = shift < 64 ? size >> shift : 0;
	uint64_t full = hashes / WW_TILE_WIDTH;

	if (n < full)
		return WW_TILE_WIDTH;
	return n == full ? (uint32_t)(hashes % WW_TILE_WIDTH) : 0;
}

int ww_tile_bundle_add(struct ww_buf *bundle, struct ww_slice entry)
{
	uint8_t *p;
	int r;

	if (entry.n == 0 || entry.n > WW_TILE_ENTRY_MAX)
		return -EINVAL;
	r = ww_buf_reserve(bundle, 2 + entry.n, &p);
	if (r < 0)
		return r;
	p[0] = (uint8_t)(entry.n >> 8);
	p[1] = (uint8_t)entry.n;
	memcpy(p + 2, entry.p, entry.n);
	bundle->n += 2 + entry.n;
	return 0;
}

enum ww_parse ww_tile_bundle_next(struct ww_cursor *c, struct ww_slice *ret_entry)
{
	struct ww_slice entry;

	if (ww_cursor_ok(c) && ww_cursor_left(c) == 0)
		return WW_PARSE_END;
	entry = ww_cursor_take(c, ww_cursor_be16(c));
	if (!ww_cursor_ok(c) || entry.n == 0) {
		c->bad = true;
		return WW_PARSE_BAD;
	}
	*ret_entry = entry;
	return WW_PARSE_DONE;
}
