/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. A complete subtree never spans more leaves than the tree has, so the reader is only ever
 * asked for hashes that are final.
 *  2. A range [lo, hi) that occurs in a proof starts at a multiple of the largest power of two that
 *     is not above its length; therefore it splits into complete subtrees, largest first.
 *  3. No check accepts a path with an element left over or missing.
 */
/* The one-call forms fetch the algorithm each time, several times the price of hashing 65 bytes. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ledger/merkle.h"

#include <errno.h>
#include <openssl/sha.h>

void ww_merkle_empty(struct ww_sha256 *ret)
{
	ww_sha256(WW_SLICE_NULL, ret);
}

void ww_merkle_leaf(struct ww_slice entry, struct ww_sha256 *ret)
{
	static const uint8_t prefix = 0x00;
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, &prefix, 1);
	SHA256_Update(&c, entry.p, entry.n);
	SHA256_Final(ret->b, &c);
}

void ww_merkle_node(const struct ww_sha256 *left, const struct ww_sha256 *right,
		    struct ww_sha256 *ret)
{
	static const uint8_t prefix = 0x01;
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, &prefix, 1);
	SHA256_Update(&c, left->b, sizeof(left->b));
	SHA256_Update(&c, right->b, sizeof(right->b));
	SHA256_Final(ret->b, &c);
}

void ww_merkle_complete(const struct ww_sha256 *hashes, size_t n, struct ww_sha256 *ret)
{
	struct ww_sha256 row[128];

	if (n == 1) {
		*ret = hashes[0];
		return;
	}
	for (size_t i = 0; i < n / 2; i++)
		ww_merkle_node(&hashes[2 * i], &hashes[2 * i + 1], &row[i]);
	for (size_t width = n / 4; width > 0; width /= 2)
		for (size_t i = 0; i < width; i++)
			ww_merkle_node(&row[2 * i], &row[2 * i + 1], &row[i]);
	*ret = row[0];
}

/* floor(log2(n)), n > 0 */
static uint32_t log2_floor(uint64_t n)
{
	return 63 - (uint32_t)__builtin_clzll(n);
}

/* The largest power of two strictly below n, n > 1 (RFC 9162 section 2.1.1). */
static uint64_t split_point(uint64_t n)
{
	return UINT64_C(1) << log2_floor(n - 1);
}

/* Root over [lo, hi), hi > lo, for ranges of invariant 2. */
static int range_root(const struct ww_merkle_reader *r, uint64_t lo, uint64_t hi,
		      struct ww_sha256 *ret)
{
	struct ww_sha256 part[64];
	size_t n = 0;

	while (lo < hi) {
		uint32_t level = log2_floor(hi - lo);
		int err = r->read(r->ctx, level, lo >> level, &part[n++]);

		if (err < 0)
			return err;
		lo += UINT64_C(1) << level;
	}
	while (n > 1) {
		ww_merkle_node(&part[n - 2], &part[n - 1], &part[n - 2]);
		n--;
	}
	*ret = part[0];
	return 0;
}

int ww_merkle_root(const struct ww_merkle_reader *r, uint64_t size, struct ww_sha256 *ret_root)
{
	if (size > WW_MERKLE_SIZE_MAX)
		return -ERANGE;
	if (size == 0) {
		ww_merkle_empty(ret_root);
		return 0;
	}
	return range_root(r, 0, size, ret_root);
}

static void reverse(struct ww_merkle_proof *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		struct ww_sha256 t = p->path[i];

		p->path[i] = p->path[p->n - 1 - i];
		p->path[p->n - 1 - i] = t;
	}
}

int ww_merkle_inclusion(const struct ww_merkle_reader *r, uint64_t index, uint64_t size,
			struct ww_merkle_proof *ret_proof)
{
	struct ww_merkle_proof p = {0};
	uint64_t lo = 0, hi = size;

	if (size > WW_MERKLE_SIZE_MAX || index >= size)
		return -ERANGE;
	while (hi - lo > 1) {
		uint64_t mid = lo + split_point(hi - lo);
		bool left = index < mid;
		int err = range_root(r, left ? mid : lo, left ? hi : mid, &p.path[p.n++]);

		if (err < 0)
			return err;
		if (left)
			hi = mid;
		else
			lo = mid;
	}
	reverse(&p);
	*ret_proof = p;
	return 0;
}

int ww_merkle_consistency(const struct ww_merkle_reader *r, uint64_t old, uint64_t size,
			  struct ww_merkle_proof *ret_proof)
{
	struct ww_merkle_proof p = {0};
	uint64_t lo = 0, hi = size;
	int err;

	if (size > WW_MERKLE_SIZE_MAX || old > size)
		return -ERANGE;
	if (old == 0 || old == size) {
		*ret_proof = p;
		return 0;
	}
	/* Walks to the subtree [lo, hi) that ends at the old size; what is passed by proves the
	 * rest. */
	while (hi != old) {
		uint64_t mid = lo + split_point(hi - lo);
		bool left = old <= mid;

		err = range_root(r, left ? mid : lo, left ? hi : mid, &p.path[p.n++]);
		if (err < 0)
			return err;
		if (left)
			hi = mid;
		else
			lo = mid;
	}
	/* lo == 0: the old root itself is the seed and is not in the proof. */
	if (lo != 0) {
		err = range_root(r, lo, hi, &p.path[p.n++]);
		if (err < 0)
			return err;
	}
	reverse(&p);
	*ret_proof = p;
	return 0;
}

static bool equal(const struct ww_sha256 *a, const struct ww_sha256 *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Shifts both counters until fn is odd or zero: levels at which the right edge has no sibling. */
static void skip_lonely(uint64_t *fn, uint64_t *sn)
{
	while (*fn != 0 && (*fn & 1) == 0) {
		*fn >>= 1;
		*sn >>= 1;
	}
}

bool ww_merkle_inclusion_check(const struct ww_sha256 *leaf, uint64_t index, uint64_t size,
			       const struct ww_merkle_proof *proof, const struct ww_sha256 *root)
{
	uint64_t fn = index, sn = size - 1;
	struct ww_sha256 h = *leaf;

	if (size > WW_MERKLE_SIZE_MAX || index >= size)
		return false;
	for (size_t i = 0; i < proof->n; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			ww_merkle_node(&proof->path[i], &h, &h);
			skip_lonely(&fn, &sn);
		} else {
			ww_merkle_node(&h, &proof->path[i], &h);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && equal(&h, root);
}

void ww_merkle_run_init(struct ww_merkle_run *run, uint64_t size, const struct ww_sha256 *root)
{
	*run = (struct ww_merkle_run){.size = size, .root = *root};
}

/* The ways to two leaves are at one node before step i, and go on alike. */
static bool meets(const struct ww_merkle_run *run, size_t i, uint64_t fn, uint64_t sn,
		  const struct ww_merkle_proof *proof)
{
	return run->n == proof->n && i < run->n && run->index[i] == fn && run->last[i] == sn;
}

bool ww_merkle_run_check(struct ww_merkle_run *run, const struct ww_sha256 *leaf, uint64_t index,
			 const struct ww_merkle_proof *proof)
{
	uint64_t fn = index, sn = run->size - 1;
	struct ww_sha256 h = *leaf;
	size_t i;

	if (run->size > WW_MERKLE_SIZE_MAX || index >= run->size)
		return false;
	for (i = 0; i < proof->n && !meets(run, i, fn, sn, proof); i++) {
		if (sn == 0)
			break;
		run->index[i] = fn;
		run->last[i] = sn;
		run->hash[i] = h;
		if ((fn & 1) || fn == sn) {
			ww_merkle_node(&proof->path[i], &h, &h);
			skip_lonely(&fn, &sn);
		} else {
			ww_merkle_node(&h, &proof->path[i], &h);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (i < proof->n && sn != 0) {
		/* They met: the rest is known to lead to the root, and this is the rest or it is
		 * not. */
		if (equal(&h, &run->hash[i]) &&
		    memcmp(&run->path[i], &proof->path[i],
			   (proof->n - i) * sizeof(proof->path[0])) == 0) {
			memcpy(run->path, proof->path, i * sizeof(proof->path[0]));
			return true;
		}
		run->n = 0;
		return ww_merkle_inclusion_check(leaf, index, run->size, proof, &run->root);
	}
	run->n = 0;
	if (i < proof->n || sn != 0 || !equal(&h, &run->root))
		return false;
	memcpy(run->path, proof->path, proof->n * sizeof(proof->path[0]));
	run->n = proof->n;
	return true;
}

bool ww_merkle_consistency_check(uint64_t old, const struct ww_sha256 *old_root, uint64_t size,
				 const struct ww_sha256 *root, const struct ww_merkle_proof *proof)
{
	uint64_t fn = old - 1, sn = size - 1;
	struct ww_sha256 fr, sr, empty;
	size_t at = 0;

	if (size > WW_MERKLE_SIZE_MAX || old > size)
		return false;
	if (old == size)
		return proof->n == 0 && equal(old_root, root);
	if (old == 0) {
		ww_merkle_empty(&empty);
		return proof->n == 0 && equal(old_root, &empty);
	}
	if (proof->n == 0)
		return false;
	fr = (old & (old - 1)) == 0 ? *old_root : proof->path[at++];
	sr = fr;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	for (; at < proof->n; at++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			ww_merkle_node(&proof->path[at], &fr, &fr);
			ww_merkle_node(&proof->path[at], &sr, &sr);
			skip_lonely(&fn, &sn);
		} else {
			ww_merkle_node(&sr, &proof->path[at], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && equal(&fr, old_root) && equal(&sr, root);
}
