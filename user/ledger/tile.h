/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiles and entry bundles of the C2SP tlog-tiles layout: coordinates, file paths, widths, bundle
 * framing. Height is fixed at 8: a full tile holds 256 hashes (8,192 bytes) and stands for one hash
 * of the level above. Pure functions, no files.
 */
#pragma once

#include "base/buf.h"
#include "base/cursor.h"
#include "base/digest.h"
#include "base/parse.h"

#define WW_TILE_WIDTH      256u   /* hashes in a full tile, entries in a full bundle */
#define WW_TILE_LEVELS     8u     /* levels that a tree of 2^63 leaves can reach */
#define WW_TILE_LEVEL_MAX  63u    /* largest level a path may name */
#define WW_TILE_ENTRIES    64u    /* the "level" of an entry bundle */
#define WW_TILE_PATH_MAX   64u    /* bytes of the longest path and its NUL */
#define WW_TILE_ENTRY_MAX  65535u /* bytes of one entry: its length is 16 bits */
#define WW_TILE_BYTES_MAX  (WW_TILE_WIDTH * WW_SHA256_LEN)
#define WW_TILE_BUNDLE_MAX (WW_TILE_WIDTH * (2u + WW_TILE_ENTRY_MAX))

struct ww_tile {
	uint32_t level; /* 0..63, or WW_TILE_ENTRIES */
	uint64_t n;     /* position within the level */
	uint32_t width; /* 1..256; below 256 the tile is partial */
};

/*
 * Path under the log's prefix: "tile/<L>/<N>" or "tile/entries/<N>", with ".p/<W>" for a partial
 * tile; N in groups of three digits, all but the last with an "x" in front. 0, or -EINVAL for
 * coordinates out of range.
 */
WW_CHECK int ww_tile_path(const struct ww_tile *t, char out[WW_TILE_PATH_MAX]);

/* Width of tile n at a level (or of bundle n) in a log of `size` leaves; 0: no such tile. */
uint32_t ww_tile_width(uint32_t level, uint64_t n, uint64_t size);

/* Appends one entry to a bundle. 0, -EINVAL (empty or over 65,535 bytes), or what ww_buf_add says.
 */
WW_CHECK int ww_tile_bundle_add(struct ww_buf *bundle, struct ww_slice entry);

/*
 * The next entry of a bundle, borrowed from it. DONE, END after the last, BAD on a length that
 * passes the end or is zero.
 */
enum ww_parse ww_tile_bundle_next(struct ww_cursor *c, struct ww_slice *ret_entry);
