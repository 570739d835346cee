/* SPDX-License-Identifier: Apache-2.0 */
/*
 * winnow: the keyed hashes of all runs of WW_WINNOW_SYMBOLS symbols of a text, and which of them
 * stand for it.
 *
 * The hash is one by cyclic polynomials: the exclusive or of a 64-bit word for each symbol, turned
 * left by how many symbols follow it in the run. The words are HMAC-SHA-256 of the install's key,
 * so that who has no key can make none of them. Four words are the digest of
 * "wirewitness shingles" and a byte, 0 to 63, as little-endian numbers; the digests' words are
 * those of the symbols 0 to 255 in this order.
 *
 * Of each WW_WINNOW_WINDOW hashes in a row the smallest is taken, of equal ones the last, unless
 * the one that was taken before is as small and still among them. Of a text with fewer hashes it
 * is the smallest of all. Runs of less than WW_WINNOW_DISTINCT different symbols are not taken:
 * rules, zeros and padding are in every table.
 */
#pragma once

#include "action/symbols.h"
#include "base/own.h"

#define WW_WINNOW_SYMBOLS  24u
#define WW_WINNOW_WINDOW   16u
#define WW_WINNOW_DISTINCT 6u

struct ww_winnow_key {
	uint64_t in[256];  /* the word of a symbol that comes */
	uint64_t out[256]; /* what it has become when it goes */
};

void ww_winnow_key_init(struct ww_winnow_key *k, const uint8_t key[32]);

/*
 * The hashes that stand for a text, in its order, at most `max`; two of them may be equal.
 * *ret_more: there would be more. 0 or -ENOMEM.
 */
WW_CHECK int ww_winnow(const struct ww_winnow_key *k, struct ww_slice text, uint64_t *hashes,
		       size_t max, size_t *ret_count, bool *ret_more);

/*
 * A set of hashes that says "no" or "maybe": two bits for each, by its lowest bits and by those
 * above them. Small enough for a second-level cache; most is answered by the first half.
 */
#define WW_WINNOW_FILTER_BITS 20u
struct ww_winnow_filter {
	uint64_t bits[2][1u << (WW_WINNOW_FILTER_BITS - 6)];
};

static inline bool ww_winnow_filter_has(const struct ww_winnow_filter *f, unsigned half,
					uint64_t hash)
{
	hash >>= half * WW_WINNOW_FILTER_BITS;
	return f->bits[half][hash >> 6 & (WW_ARRAY_SIZE(f->bits[0]) - 1)] >> (hash & 63) & 1;
}

void ww_winnow_filter_add(struct ww_winnow_filter *f, uint64_t hash);

/* Reads all hashes of a text and gives those of them that may be in a set. Holds plaintext. */
#define WW_WINNOW_RUN 4096u
struct ww_winnow_scan {
	const struct ww_winnow_key *key;
	struct ww_symbols symbols;
	uint64_t hash;
	size_t seen; /* symbols, counted up to those of the first hash */
	/* The last symbols of the run before, and this run's. */
	uint8_t symbol[WW_WINNOW_SYMBOLS + WW_WINNOW_RUN];
	uint64_t found[WW_WINNOW_RUN];
};

void ww_winnow_scan_begin(struct ww_winnow_scan *s, const struct ww_winnow_key *k,
			  struct ww_slice text);
/* The next run: false at the end. Its hashes are in s->found, perhaps none. */
bool ww_winnow_scan_next(struct ww_winnow_scan *s, const struct ww_winnow_filter *f,
			 size_t *ret_found);
void ww_winnow_scan_end(struct ww_winnow_scan *s);
