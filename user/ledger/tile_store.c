/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/tile_store.h"

#include <errno.h>

#include "ledger/durable.h"

#define SLOTS 8u /* tiles on the way up from one leaf, and the right edge */

/* A tile with its inner nodes: row h starts at row_start(h) and has 256 >> h places. */
struct slot {
	bool used;
	uint32_t level, width;
	uint64_t n, tick;
	struct ww_sha256 node[2 * WW_TILE_WIDTH - 1];
};

struct ww_tile_store {
	int dir;
	uint64_t size, tick;
	struct slot slot[SLOTS];
	struct ww_buf file;
	struct ww_buf bundle;
	uint64_t bundle_n;
	uint32_t bundle_width; /* 0: nothing read */
};

int ww_tile_store_new(int dir, struct ww_tile_store **ret_store)
{
	struct ww_tile_store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->dir = dir;
	ww_buf_init(&s->file, WW_TILE_BYTES_MAX);
	ww_buf_init(&s->bundle, WW_TILE_BUNDLE_MAX);
	*ret_store = s;
	return 0;
}

void ww_tile_store_free(struct ww_tile_store *s)
{
	if (!s)
		return;
	ww_buf_done(&s->file);
	ww_buf_done(&s->bundle);
	free(s);
}

void ww_tile_store_resize(struct ww_tile_store *s, uint64_t size)
{
	s->size = size;
}

void ww_tile_store_flush(struct ww_tile_store *s)
{
	for (size_t i = 0; i < SLOTS; i++)
		s->slot[i].used = false;
	s->bundle_width = 0;
}

/* Reads the file of a tile or bundle; the partial one is gone once the tile is full. */
static int read_file(struct ww_tile_store *s, struct ww_tile t, struct ww_buf *out)
{
	char path[WW_TILE_PATH_MAX];
	int r = ww_tile_path(&t, path);

	if (r < 0)
		return r;
	ww_buf_clear(out);
	r = ww_durable_read(s->dir, path, out);
	if (r == -ENOENT && t.width < WW_TILE_WIDTH) {
		t.width = WW_TILE_WIDTH;
		r = ww_tile_path(&t, path);
		if (r == 0)
			r = ww_durable_read(s->dir, path, out);
	}
	return r == -EMSGSIZE ? -EUCLEAN : r;
}

static size_t row_start(uint32_t height)
{
	return 2 * WW_TILE_WIDTH - (2 * WW_TILE_WIDTH >> height);
}

static int fill(struct ww_tile_store *s, struct slot *k, uint32_t level, uint64_t n, uint32_t width)
{
	int r = read_file(s, (struct ww_tile){level, n, width}, &s->file);

	if (r < 0)
		return r;
	if (s->file.n != width * WW_SHA256_LEN && s->file.n != WW_TILE_BYTES_MAX)
		return -EUCLEAN;
	k->used = false;
	memcpy(k->node, s->file.p, width * WW_SHA256_LEN);
	for (uint32_t h = 1; h <= 8; h++) {
		const struct ww_sha256 *below = &k->node[row_start(h - 1)];
		struct ww_sha256 *row = &k->node[row_start(h)];

		for (uint32_t i = 0; i < width >> h; i++)
			ww_merkle_node(&below[2 * i], &below[2 * i + 1], &row[i]);
	}
	k->used = true;
	k->level = level;
	k->width = width;
	k->n = n;
	return 0;
}

static int get(struct ww_tile_store *s, uint32_t level, uint64_t n, struct slot **ret_slot)
{
	uint32_t width = ww_tile_width(level, n, s->size);
	struct slot *oldest = &s->slot[0];

	if (width == 0)
		return -ERANGE;
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *k = &s->slot[i];

		if (k->used && k->level == level && k->n == n) {
			oldest = k;
			break;
		}
		if (!k->used || (oldest->used && k->tick < oldest->tick))
			oldest = k;
	}
	if (!oldest->used || oldest->level != level || oldest->n != n || oldest->width < width) {
		int r = fill(s, oldest, level, n, width);

		if (r < 0)
			return r;
	}
	oldest->tick = ++s->tick;
	*ret_slot = oldest;
	return 0;
}

int ww_tile_store_tile(struct ww_tile_store *s, uint32_t level, uint64_t n,
		       const struct ww_sha256 **ret_hashes, uint32_t *ret_width)
{
	struct slot *k;
	int r = get(s, level, n, &k);

	if (r < 0)
		return r;
	*ret_hashes = k->node;
	*ret_width = ww_tile_width(level, n, s->size);
	return 0;
}

static int read_node(void *ctx, uint32_t level, uint64_t index, struct ww_sha256 *ret)
{
	struct ww_tile_store *s = ctx;
	uint32_t tile_level = level / 8, h = level % 8;
	uint64_t first = index << h; /* position on the tile's bottom row */
	struct slot *k;
	int r = get(s, tile_level, first / WW_TILE_WIDTH, &k);

	if (r < 0)
		return r;
	if ((first % WW_TILE_WIDTH >> h) >= k->width >> h)
		return -ERANGE;
	*ret = k->node[row_start(h) + (first % WW_TILE_WIDTH >> h)];
	return 0;
}

struct ww_merkle_reader ww_tile_store_reader(struct ww_tile_store *s)
{
	return (struct ww_merkle_reader){read_node, s};
}

int ww_tile_store_bundle(struct ww_tile_store *s, uint64_t n, struct ww_slice *ret_bundle)
{
	uint32_t width = ww_tile_width(WW_TILE_ENTRIES, n, s->size), count = 0;
	struct ww_cursor c;
	struct ww_slice entry;
	int r;

	if (width == 0)
		return -ERANGE;
	if (s->bundle_width < width || s->bundle_n != n) {
		s->bundle_width = 0;
		r = read_file(s, (struct ww_tile){WW_TILE_ENTRIES, n, width}, &s->bundle);
		if (r < 0)
			return r;
	}
	c = ww_cursor(ww_buf_slice(&s->bundle));
	while (count < width && ww_tile_bundle_next(&c, &entry) == WW_PARSE_DONE)
		count++;
	if (count < width)
		return -EUCLEAN;
	s->bundle_n = n;
	s->bundle_width = width;
	*ret_bundle = ww_slice(s->bundle.p, c.at);
	return 0;
}

int ww_tile_store_entry(struct ww_tile_store *s, uint64_t index, struct ww_slice *ret_entry)
{
	struct ww_slice bundle;
	struct ww_cursor c;
	int r;

	if (index >= s->size)
		return -ERANGE;
	r = ww_tile_store_bundle(s, index / WW_TILE_WIDTH, &bundle);
	if (r < 0)
		return r;
	c = ww_cursor(bundle);
	for (uint64_t i = 0; i <= index % WW_TILE_WIDTH; i++)
		if (ww_tile_bundle_next(&c, ret_entry) != WW_PARSE_DONE)
			return -EUCLEAN;
	return 0;
}
