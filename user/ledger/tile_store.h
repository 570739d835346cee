/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads hashes and entries of a log from its tile files, for one tree size at a time.
 *
 * What it returns is what the files say. Nothing here is authenticated: callers compare the root or
 * check the proof against a signed checkpoint. A small cache of tiles with their inner nodes makes
 * proofs of neighbouring leaves cheap. Works beside a running writer, because files covered by a
 * published checkpoint are never rewritten. Not thread safe; about 150 KiB each.
 */
#pragma once

#include "ledger/merkle.h"
#include "ledger/tile.h"

struct ww_tile_store;

/* `dir` (the log's prefix) is borrowed and must outlive the store. 0 or -ENOMEM. */
WW_CHECK int ww_tile_store_new(int dir, struct ww_tile_store **ret_store);
void ww_tile_store_free(struct ww_tile_store *s);
WW_DEFINE_AUTO(struct ww_tile_store, ww_tile_store_free)

/* Sets the tree size that the next reads are for. */
void ww_tile_store_resize(struct ww_tile_store *s, uint64_t size);

/* Forgets what was read: for a check that must see the files as they are now. */
void ww_tile_store_flush(struct ww_tile_store *s);

/* A reader over the store, for the functions of merkle.h. */
struct ww_merkle_reader ww_tile_store_reader(struct ww_tile_store *s);

/*
 * The hashes of one tile as the current size has it: width * 32 bytes borrowed until the next call.
 * 0, -ERANGE (no such tile at this size), -EUCLEAN (wrong file length), or the errno of reading
 * (-ENOENT: neither the partial nor the full file exists).
 */
WW_CHECK int ww_tile_store_tile(struct ww_tile_store *s, uint32_t level, uint64_t n,
				const struct ww_sha256 **ret_hashes, uint32_t *ret_width);

/* All bytes of entry bundle n as the current size has it, borrowed until the next call. Errors as
 * above. */
WW_CHECK int ww_tile_store_bundle(struct ww_tile_store *s, uint64_t n, struct ww_slice *ret_bundle);

/* One entry, borrowed until the next call. 0, -ERANGE, -EUCLEAN, or the errno of reading. */
WW_CHECK int ww_tile_store_entry(struct ww_tile_store *s, uint64_t index,
				 struct ww_slice *ret_entry);
