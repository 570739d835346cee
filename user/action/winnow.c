/* SPDX-License-Identifier: Apache-2.0 */
#include "action/winnow.h"

#include <endian.h>
#include <errno.h>

#include "base/digest.h"

#define WORDS_PER_DIGEST 4

static uint64_t turn(uint64_t word, unsigned by)
{
	return word << by | word >> (64 - by);
}

void ww_winnow_key_init(struct ww_winnow_key *k, const uint8_t key[32])
{
	uint8_t label[] = "wirewitness shingles"; /* its NUL becomes the number */
	struct ww_digest_key digest_key;
	struct ww_sha256 d;

	ww_digest_key_init(&digest_key, key);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(k->in); i++) {
		if (i % WORDS_PER_DIGEST == 0) {
			label[sizeof(label) - 1] = (uint8_t)(i / WORDS_PER_DIGEST);
			ww_digest(&digest_key, ww_slice(label, sizeof(label)), &d);
		}
		memcpy(&k->in[i], d.b + i % WORDS_PER_DIGEST * sizeof(uint64_t), sizeof(uint64_t));
		k->in[i] = le64toh(k->in[i]);
		k->out[i] = turn(k->in[i], WW_WINNOW_SYMBOLS);
	}
	explicit_bzero(&digest_key, sizeof(digest_key));
	explicit_bzero(&d, sizeof(d));
}

/* --- the hashes that stand for a text
 * -------------------------------------------------------------- */

static bool is_distinct(const uint8_t *run)
{
	uint64_t seen[4] = {0};
	unsigned n = 0;

	for (unsigned i = 0; i < WW_WINNOW_SYMBOLS; i++)
		seen[run[i] >> 6] |= 1ull << (run[i] & 63);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(seen); i++)
		n += (unsigned)__builtin_popcountll(seen[i]);
	return n >= WW_WINNOW_DISTINCT;
}

/* hash[i] becomes that of the run of symbols that begins at i; of those not to be taken the
 * largest. Returns how many there are. */
static size_t hash_all(const struct ww_winnow_key *k, const uint8_t *symbol, size_t n,
		       uint64_t *hash)
{
	uint64_t h = 0;

	for (size_t i = 0; i < n; i++) {
		h = turn(h, 1) ^ k->in[symbol[i]];
		if (i >= WW_WINNOW_SYMBOLS)
			h ^= k->out[symbol[i - WW_WINNOW_SYMBOLS]];
		if (i + 1 >= WW_WINNOW_SYMBOLS) {
			size_t at = i + 1 - WW_WINNOW_SYMBOLS;

			hash[at] = is_distinct(symbol + at) ? h : UINT64_MAX;
		}
	}
	return n < WW_WINNOW_SYMBOLS ? 0 : n - WW_WINNOW_SYMBOLS + 1;
}

static size_t smallest(const uint64_t *hash, size_t from, size_t to)
{
	size_t min = from;

	for (size_t i = from + 1; i < to; i++)
		if (hash[i] <= hash[min])
			min = i;
	return min;
}

/* A text and what is made of it. */
struct work {
	size_t bytes;
	uint64_t *hash;
	uint8_t *symbol;
};

static void work_done(struct work *w)
{
	if (w->symbol)
		explicit_bzero(w->symbol, w->bytes);
	free(w->symbol);
	free(w->hash);
}

int ww_winnow(const struct ww_winnow_key *k, struct ww_slice text, uint64_t *hashes, size_t max,
	      size_t *ret_count, bool *ret_more)
{
	/* No escape gives more symbols than it has bytes. */
	struct work w WW_AUTO(work_done) = {.bytes = text.n + WW_SYMBOLS_ROOM};
	size_t n = 0, m, count = 0, window, taken = SIZE_MAX;
	struct ww_symbols s;
	bool more = false;

	w.symbol = malloc(w.bytes);
	w.hash = malloc(w.bytes * sizeof(*w.hash));
	if (!w.symbol || !w.hash)
		return -ENOMEM;
	ww_symbols_init(&s, text);
	while ((m = ww_symbols_next(&s, w.symbol + n, w.bytes - n)) > 0)
		n += m;
	n = hash_all(k, w.symbol, n, w.hash);
	window = n < WW_WINNOW_WINDOW ? n : WW_WINNOW_WINDOW;
	for (size_t at = 0; n > 0 && at + window <= n; at++) {
		size_t min = smallest(w.hash, at, at + window);

		if (taken != SIZE_MAX && taken >= at && w.hash[taken] == w.hash[min])
			continue;
		taken = min;
		if (w.hash[min] == UINT64_MAX)
			continue;
		more = count == max;
		if (more)
			break;
		hashes[count++] = w.hash[min];
	}
	*ret_count = count;
	*ret_more = more;
	return 0;
}

/* --- all hashes
 * ----------------------------------------------------------------------------------- */

void ww_winnow_filter_add(struct ww_winnow_filter *f, uint64_t hash)
{
	for (unsigned half = 0; half < 2; half++) {
		f->bits[half][hash >> 6 & (WW_ARRAY_SIZE(f->bits[0]) - 1)] |= 1ull << (hash & 63);
		hash >>= WW_WINNOW_FILTER_BITS;
	}
}

void ww_winnow_scan_begin(struct ww_winnow_scan *s, const struct ww_winnow_key *k,
			  struct ww_slice text)
{
	s->key = k;
	ww_symbols_init(&s->symbols, text);
	s->hash = 0;
	s->seen = 0;
}

bool ww_winnow_scan_next(struct ww_winnow_scan *s, const struct ww_winnow_filter *f,
			 size_t *ret_found)
{
	uint8_t *now = s->symbol + WW_WINNOW_SYMBOLS;
	size_t n = ww_symbols_next(&s->symbols, now, WW_WINNOW_RUN), i = 0, found = 0;
	const struct ww_winnow_key *k = s->key;
	uint64_t h = s->hash;
	bool more = n > 0;

	/* The first symbols make one hash together. */
	for (; i < n && s->seen < WW_WINNOW_SYMBOLS; i++, s->seen++) {
		h = turn(h, 1) ^ k->in[now[i]];
		s->found[0] = h;
		found = s->seen + 1 == WW_WINNOW_SYMBOLS;
	}
	for (; i < n; i++) {
		h = turn(h, 1) ^ k->in[now[i]] ^ k->out[s->symbol[i]];
		s->found[found] = h;
		found += ww_winnow_filter_has(f, 0, h);
	}
	s->hash = h;
	memmove(s->symbol, s->symbol + n, WW_WINNOW_SYMBOLS);
	n = 0;
	for (i = 0; i < found; i++) {
		s->found[n] = s->found[i];
		n += ww_winnow_filter_has(f, 1, s->found[i]);
	}
	*ret_found = n;
	return more;
}

void ww_winnow_scan_end(struct ww_winnow_scan *s)
{
	explicit_bzero(s->symbol, sizeof(s->symbol));
	explicit_bzero(s->found, sizeof(s->found));
}
