/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/tlog_check.h"

#include <errno.h>
#include <inttypes.h>

/* A missing or misshapen file contradicts the head as much as a wrong hash does. */
static int read_failed(struct ww_errtext *why, int r, const char *what, uint32_t level, uint64_t n)
{
	if (r == -EUCLEAN || r == -ENOENT || r == -ERANGE)
		return ww_errtext_set(why, -EUCLEAN,
				      "%s %u/%" PRIu64 " is missing or has a wrong length", what,
				      level, n);
	return ww_errtext_errno(why, r, "cannot read %s %u/%" PRIu64, what, level, n);
}

int ww_tlog_check_root(struct ww_tile_store *s, const struct ww_checkpoint *head,
		       struct ww_errtext *why)
{
	struct ww_merkle_reader reader = ww_tile_store_reader(s);
	struct ww_sha256 root;
	int r;

	ww_tile_store_resize(s, head->size);
	r = ww_merkle_root(&reader, head->size, &root);
	if (r == -EUCLEAN || r == -ENOENT || r == -ERANGE)
		return ww_errtext_set(why, -EUCLEAN,
				      "a tile of the tree of %" PRIu64
				      " records is missing or has a wrong length",
				      head->size);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot read the tiles");
	if (memcmp(root.b, head->root.b, sizeof(root.b)) != 0)
		return ww_errtext_set(
			why, -EUCLEAN,
			"the tiles do not give the signed root of %" PRIu64 " records", head->size);
	return 0;
}

/* Level-0 tile n against the entries of bundle n. */
static int check_entries(struct ww_tile_store *s, uint64_t n, struct ww_errtext *why)
{
	const struct ww_sha256 *hashes;
	struct ww_slice bundle, entry;
	struct ww_sha256 leaf;
	uint32_t width, i = 0;
	struct ww_cursor c;
	int r = ww_tile_store_bundle(s, n, &bundle);

	if (r < 0)
		return read_failed(why, r, "entry bundle", 0, n);
	r = ww_tile_store_tile(s, 0, n, &hashes, &width);
	if (r < 0)
		return read_failed(why, r, "tile", 0, n);
	c = ww_cursor(bundle);
	while (ww_tile_bundle_next(&c, &entry) == WW_PARSE_DONE) {
		ww_merkle_leaf(entry, &leaf);
		if (memcmp(leaf.b, hashes[i++].b, sizeof(leaf.b)) != 0)
			return ww_errtext_set(why, -EUCLEAN,
					      "entry %" PRIu64
					      " does not have the hash in its tile",
					      n * WW_TILE_WIDTH + i - 1);
	}
	return 0;
}

/* Full tile n of a level against its hash in the level above. */
static int check_parent(struct ww_tile_store *s, uint32_t level, uint64_t n, struct ww_errtext *why)
{
	const struct ww_sha256 *hashes;
	struct ww_sha256 root, above;
	uint32_t width;
	int r = ww_tile_store_tile(s, level, n, &hashes, &width);

	if (r < 0)
		return read_failed(why, r, "tile", level, n);
	if (width < WW_TILE_WIDTH)
		return 0;
	ww_merkle_complete(hashes, WW_TILE_WIDTH, &root);
	r = ww_tile_store_tile(s, level + 1, n / WW_TILE_WIDTH, &hashes, &width);
	if (r < 0)
		return read_failed(why, r, "tile", level + 1, n / WW_TILE_WIDTH);
	above = hashes[n % WW_TILE_WIDTH];
	if (memcmp(root.b, above.b, sizeof(root.b)) != 0)
		return ww_errtext_set(why, -EUCLEAN,
				      "tile %u/%" PRIu64
				      " does not have the hash in the tile above it",
				      level, n);
	return 0;
}

int ww_tlog_check_tree(int dir, const struct ww_checkpoint *head, struct ww_errtext *why)
{
	WW_AUTO(ww_tile_store_free_auto) struct ww_tile_store *s = NULL;
	int r = ww_tile_store_new(dir, &s);

	if (r < 0)
		return ww_errtext_errno(why, r, "cannot check the ledger");
	ww_tile_store_resize(s, head->size);
	for (uint64_t n = 0; ww_tile_width(0, n, head->size) > 0 && r == 0; n++)
		r = check_entries(s, n, why);
	for (uint32_t level = 0; level < WW_TILE_LEVELS && r == 0; level++)
		for (uint64_t n = 0; ww_tile_width(level, n, head->size) > 0 && r == 0; n++)
			r = check_parent(s, level, n, why);
	return r < 0 ? r : ww_tlog_check_root(s, head, why);
}

int ww_tlog_check_extends(int dir, const struct ww_checkpoint *head,
			  const struct ww_checkpoint *kept, struct ww_errtext *why)
{
	WW_AUTO(ww_tile_store_free_auto) struct ww_tile_store *s = NULL;
	struct ww_merkle_reader reader;
	struct ww_merkle_proof proof;
	int r;

	if (strcmp(head->origin, kept->origin) != 0)
		return ww_errtext_set(why, -EUCLEAN, "the kept checkpoint is of another ledger");
	if (kept->size > head->size)
		return ww_errtext_set(why, -EUCLEAN,
				      "rolled back: the kept checkpoint has %" PRIu64
				      " records, the ledger %" PRIu64,
				      kept->size, head->size);
	if (ww_checkpoint_conflict(kept, head))
		return ww_errtext_set(why, -EUCLEAN,
				      "two signed checkpoints of size %" PRIu64
				      " have different roots",
				      head->size);
	r = ww_tile_store_new(dir, &s);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot check the ledger");
	ww_tile_store_resize(s, head->size);
	reader = ww_tile_store_reader(s);
	r = ww_merkle_consistency(&reader, kept->size, head->size, &proof);
	if (r < 0)
		return read_failed(why, r, "a tile of the tree of", 0, head->size);
	if (!ww_merkle_consistency_check(kept->size, &kept->root, head->size, &head->root, &proof))
		return ww_errtext_set(why, -EUCLEAN,
				      "history was rewritten: the tree of %" PRIu64
				      " records does not extend the kept one of %" PRIu64,
				      head->size, kept->size);
	return 0;
}
