/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Merkle tree of the ledger: hashing (RFC 6962 section 2.1, RFC 9162 section 2.1), inclusion
 * and consistency proofs, made and checked.
 *
 * Place: lowest layer of `ledger`. Pure arithmetic over hashes; where stored hashes come from is
 * the business of a struct ww_merkle_reader (the tile files, or an array in a test). Sizes and
 * indexes count leaves. Sizes above 2^63 - 1 are refused: the readers of other languages hold them
 * in signed integers. No allocation, no state; safe from any thread as far as the reader is.
 */
#pragma once

#include "base/digest.h"

#define WW_MERKLE_SIZE_MAX  INT64_MAX
#define WW_MERKLE_PROOF_MAX 64u /* hashes: 63 levels, and the seed of a consistency proof */

/* One proof, in the order of RFC 9162 section 2.1.3 and 2.1.4: from the leaf's side up. */
struct ww_merkle_proof {
	size_t n;
	struct ww_sha256 path[WW_MERKLE_PROOF_MAX];
};

/*
 * Gives the root of the complete subtree over the leaves [index << level, (index + 1) << level).
 * 0 or a negative errno, which the functions below hand on.
 */
typedef int (*ww_merkle_read_fn)(void *ctx, uint32_t level, uint64_t index, struct ww_sha256 *ret);

struct ww_merkle_reader {
	ww_merkle_read_fn read;
	void *ctx; /* borrowed */
};

/* Root of the tree without leaves: the hash of no bytes. */
void ww_merkle_empty(struct ww_sha256 *ret);

/* Hash of one entry: SHA-256 of 0x00 and the entry's bytes. */
void ww_merkle_leaf(struct ww_slice entry, struct ww_sha256 *ret);

/* Hash of an inner node: SHA-256 of 0x01, left, right. ret may be one of the inputs. */
void ww_merkle_node(const struct ww_sha256 *left, const struct ww_sha256 *right,
		    struct ww_sha256 *ret);

/* Root of the complete tree over n leaf hashes; n is a power of two, at most 256. */
void ww_merkle_complete(const struct ww_sha256 *hashes, size_t n, struct ww_sha256 *ret);

/* Root of the first `size` leaves. 0, -ERANGE (size too large), or the reader's error. */
WW_CHECK int ww_merkle_root(const struct ww_merkle_reader *r, uint64_t size,
			    struct ww_sha256 *ret_root);

/* Path that proves leaf `index` in the tree of `size` leaves. 0, -ERANGE, or the reader's error. */
WW_CHECK int ww_merkle_inclusion(const struct ww_merkle_reader *r, uint64_t index, uint64_t size,
				 struct ww_merkle_proof *ret_proof);

/* Path that proves the tree of `old` leaves a prefix of the one of `size`. 0, -ERANGE, or the
 * reader's error. */
WW_CHECK int ww_merkle_consistency(const struct ww_merkle_reader *r, uint64_t old, uint64_t size,
				   struct ww_merkle_proof *ret_proof);

/* RFC 9162 section 2.1.3.2. True only when the path leads from the leaf hash to the root. */
bool ww_merkle_inclusion_check(const struct ww_sha256 *leaf, uint64_t index, uint64_t size,
			       const struct ww_merkle_proof *proof, const struct ww_sha256 *root);

/*
 * The same for many leaves of one tree: where the way of a leaf meets that of the one before, the
 * rest of it was hashed already. A proof is still compared with it to the end. Answers exactly as
 * ww_merkle_inclusion_check; fastest for ascending indexes. Init with size and root.
 */
struct ww_merkle_run {
	uint64_t size;
	struct ww_sha256 root;
	size_t n; /* of the way before; 0: none */
	/* before its step i: */
	uint64_t index[WW_MERKLE_PROOF_MAX], last[WW_MERKLE_PROOF_MAX];
	struct ww_sha256 hash[WW_MERKLE_PROOF_MAX];
	struct ww_sha256 path[WW_MERKLE_PROOF_MAX];
};

void ww_merkle_run_init(struct ww_merkle_run *run, uint64_t size, const struct ww_sha256 *root);
bool ww_merkle_run_check(struct ww_merkle_run *run, const struct ww_sha256 *leaf, uint64_t index,
			 const struct ww_merkle_proof *proof);

/*
 * RFC 9162 section 2.1.4.2. Equal sizes need equal roots and an empty proof; size 0 is a prefix of
 * every tree, with an empty proof and the empty root.
 */
bool ww_merkle_consistency_check(uint64_t old, const struct ww_sha256 *old_root, uint64_t size,
				 const struct ww_sha256 *root, const struct ww_merkle_proof *proof);
