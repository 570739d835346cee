/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/tables.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "policy/host_glob.h"

#define NO_ROW     UINT32_MAX
#define LINE_LAST  0xffffffu /* of struct row */
#define DAY_NS     86400000000000ull
#define STEP       32u /* addresses from one that is in the index to the next */
#define CACHE_LINE 64u

/* The words of rows, each once. */
struct label {
	UT_hash_handle hh;
	struct ww_tables_words words; /* point behind the struct */
	uint16_t table;
	uint32_t number;
	size_t n;
	uint8_t key[]; /* what makes it distinct, and by which labels are ordered */
};

/* A row while the set is built. */
struct draft {
	uint64_t hi, lo; /* the address, IPv4 in the first 32 bits */
	uint32_t label;
	uint32_t line;
	uint8_t bits;
};

/* What is needed of a row lies together: in a large table each is a cache's miss. */
struct row {
	uint32_t next; /* the row to look at after it: of the same prefix, else of the one around */
	uint32_t label;
	uint32_t line : 24;
	uint32_t bits : 8;
};

/*
 * The rows of one family in order of (address, length). Of those at or before an address, the last
 * one's prefix holds it, or one around that does, or none: two prefixes either nest or are apart.
 * And whatever is around a prefix that holds it, holds it. So one search, then a chain. Of one
 * prefix the last row by its words comes first, so that the chain has them the right way round.
 */
struct level {
	struct draft *drafts; /* until the set is sealed */
	uint32_t draft_count, draft_room;
	uint32_t count;
	uint64_t *hi, *lo; /* of the addresses; lo: IPv6 only */
	uint64_t *steps;   /* each STEP-th of hi: what a cache holds of a large table */
	struct row *rows;
};

/* A row for names. */
struct host_row {
	char *host;
	const struct label *label;
	uint32_t line;
};

struct ww_tables {
	struct ww_tables_file tables[WW_TABLES_MAX];
	unsigned count;
	struct level levels[2]; /* IPv4, IPv6 */
	struct label *by_key;
	struct label **labels;
	uint32_t label_count, label_room;
	struct ww_tables_operator *operators;
	unsigned operator_count;
	struct host_row *hosts;
	unsigned host_count;
	struct ww_sha256 digest;
};

/* --- words --------------------------------------------------------------------------------------
 */

#define BASIS_NAME(n, v, t, d) [v] = t,
static const char *const basis_names[] = {WW_TABLES_BASES(BASIS_NAME)};

const char *ww_tables_basis_name(enum ww_tables_basis b)
{
	return (unsigned)b < WW_ARRAY_SIZE(basis_names) ? basis_names[b] : "unknown";
}

bool ww_tables_text_ok(struct ww_slice s)
{
	size_t n;

	if (s.n > WW_TABLES_TEXT_MAX)
		return false;
	for (size_t i = 0; i < s.n; i += n) {
		if (s.p[i] < 0x20 || s.p[i] == 0x7f || ww_utf8_next(s, i, &n) != WW_PARSE_DONE)
			return false;
	}
	return true;
}

/* Two decimal digits, or -1. */
static int two(struct ww_slice t, size_t at)
{
	uint64_t v;

	return ww_slice_u64(ww_slice_sub(t, at, 2), &v) < 0 ? -1 : (int)v;
}

int ww_tables_day_parse(struct ww_slice text, int32_t *ret_day)
{
	uint64_t year, days;

	if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' ||
	    ww_slice_u64(ww_slice_sub(text, 0, 4), &year) < 0 ||
	    !ww_date_days((int)year, two(text, 5), two(text, 8), &days))
		return -EINVAL;
	*ret_day = (int32_t)days;
	return 0;
}

void ww_tables_day_text(int32_t day, char *out)
{
	char text[WW_RFC3339_MAX];

	ww_wall_rfc3339((struct ww_wall){(uint64_t)day * DAY_NS}, text);
	memcpy(out, text, 10);
	out[10] = '\0';
}

int ww_tables_as_of_parse(struct ww_slice text, char *out)
{
	char full[WW_RFC3339_MAX];
	struct ww_wall t;
	int32_t day;

	if (ww_tables_day_parse(text, &day) == 0) {
		memcpy(out, text.p, 10);
		out[10] = '\0';
		return 0;
	}
	if (ww_wall_parse(text, &t) < 0)
		return -EINVAL;
	ww_wall_rfc3339(t, full);
	memcpy(out, full, 19);
	memcpy(out + 19, "Z", 2);
	return 0;
}

void ww_tables_time_at(const struct ww_tables_time *valid, struct ww_wall at, bool *ret_early,
		       bool *ret_expired)
{
	bool limited = valid->from != INT32_MIN || valid->until != INT32_MAX;
	int64_t day = (int64_t)(at.ns / DAY_NS);

	*ret_early = at.ns == 0 ? limited : day < valid->from;
	*ret_expired = at.ns != 0 && day > valid->until;
}

static bool said_otherwise(struct ww_slice a, struct ww_slice b)
{
	return a.n && b.n && !ww_slice_eq(a, b);
}

bool ww_tables_words_differ(const struct ww_tables_words *a, const struct ww_tables_words *b,
			    bool same)
{
	if (same && said_otherwise(a->operator_name, b->operator_name))
		return true;
	return (same || (a->operator_name.n && ww_slice_eq(a->operator_name, b->operator_name))) &&
	       said_otherwise(a->region, b->region);
}

/* --- building -----------------------------------------------------------------------------------
 */

static void level_done(struct level *l)
{
	free(l->drafts);
	free(l->hi);
	free(l->lo);
	free(l->steps);
	free(l->rows);
}

int ww_tables_new(struct ww_tables **ret)
{
	struct ww_tables *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*ret = t;
	return 0;
}

void ww_tables_free(struct ww_tables *t)
{
	if (!t)
		return;
	HASH_CLEAR(hh, t->by_key);
	for (uint32_t i = 0; i < t->label_count; i++)
		free(t->labels[i]);
	free(t->labels);
	free(t->operators);
	for (unsigned i = 0; i < t->host_count; i++)
		free(t->hosts[i].host);
	free(t->hosts);
	for (int i = 0; i < 2; i++)
		level_done(&t->levels[i]);
	for (unsigned i = 0; i < t->count; i++)
		ww_mmdb_close(t->tables[i].db);
	free(t);
}

int ww_tables_add(struct ww_tables *t, const struct ww_tables_file *meta)
{
	if (t->count == WW_TABLES_MAX)
		return -E2BIG;
	t->tables[t->count++] = *meta;
	return 0;
}

struct ww_tables_file *ww_tables_last(struct ww_tables *t)
{
	return &t->tables[t->count - 1];
}

static struct ww_slice put_word(uint8_t **at, struct ww_slice word)
{
	struct ww_slice put = {*at, word.n};

	if (word.n)
		memcpy(*at, word.p, word.n);
	*at += word.n;
	*(*at)++ = '\0'; /* no word has one */
	return put;
}

static struct label *label_new(uint16_t table, const struct ww_tables_words *w)
{
	int32_t when[2] = {w->valid.from, w->valid.until};
	size_t n = sizeof(table) + w->operator_name.n + w->service.n + w->region.n + w->zone.n + 4 +
		   1 + sizeof(when);
	struct label *l = calloc(1, sizeof(*l) + n);
	uint8_t *at;

	if (!l)
		return NULL;
	l->words = *w;
	l->table = table;
	l->n = n;
	at = l->key;
	*at++ = (uint8_t)(table >> 8);
	*at++ = (uint8_t)table;
	l->words.operator_name = put_word(&at, w->operator_name);
	l->words.service = put_word(&at, w->service);
	l->words.region = put_word(&at, w->region);
	l->words.zone = put_word(&at, w->zone);
	*at++ = (uint8_t)w->basis;
	memcpy(at, when, sizeof(when));
	return l;
}

static int label_of(struct ww_tables *t, const struct ww_tables_words *w, uint32_t *ret)
{
	WW_AUTO_FREE struct label *l = label_new((uint16_t)(t->count - 1), w);
	struct label *known;

	if (!l)
		return -ENOMEM;
	HASH_FIND(hh, t->by_key, l->key, l->n, known);
	if (known) {
		*ret = known->number;
		return 0;
	}
	if (t->label_count == WW_TABLES_LABELS_MAX)
		return -E2BIG;
	if (t->label_count == t->label_room) {
		uint32_t room = t->label_room ? 2 * t->label_room : 64;
		struct label **more = reallocarray(t->labels, room, sizeof(struct label *));

		if (!more)
			return -ENOMEM;
		t->labels = more;
		t->label_room = room;
	}
	l->number = t->label_count;
	HASH_ADD_KEYPTR(hh, t->by_key, l->key, l->n, l);
	if (!l->hh.tbl)
		return -ENOMEM;
	*ret = l->number;
	t->labels[t->label_count++] = WW_TAKE(l);
	return 0;
}

static uint64_t big_endian(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | (i < n ? p[i] : 0);
	return v;
}

/* An address as levels have it. */
static uint64_t first_half(const uint8_t *address, bool v6)
{
	return big_endian(address, v6 ? 8 : 4);
}

static uint64_t second_half(const uint8_t *address, bool v6)
{
	return v6 ? big_endian(address + 8, 8) : 0;
}

int ww_tables_add_row(struct ww_tables *t, const struct ww_cidr *prefix,
		      const struct ww_tables_words *words, uint32_t line)
{
	bool v6 = prefix->family == AF_INET6;
	struct level *l = &t->levels[v6];
	uint32_t label;
	int r;

	if (t->levels[0].draft_count + t->levels[1].draft_count >= WW_TABLES_ROWS_MAX)
		return -E2BIG;
	r = label_of(t, words, &label);
	if (r < 0)
		return r;
	if (l->draft_count == l->draft_room) {
		uint32_t room = l->draft_room ? 2 * l->draft_room : 256;
		struct draft *more = reallocarray(l->drafts, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->drafts = more;
		l->draft_room = room;
	}
	l->drafts[l->draft_count++] = (struct draft){
		.hi = first_half(prefix->addr, v6),
		.lo = second_half(prefix->addr, v6),
		.label = label,
		.line = line < LINE_LAST ? line : 0,
		.bits = prefix->bits,
	};
	ww_tables_last(t)->rows++;
	return 0;
}

int ww_tables_add_host(struct ww_tables *t, const char *host, const struct ww_tables_words *words,
		       uint32_t line)
{
	struct host_row *more;
	uint32_t label;
	int r;

	r = label_of(t, words, &label);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < t->host_count; i++) {
		if (t->hosts[i].label != t->labels[label] ||
		    strcasecmp(t->hosts[i].host, host) != 0)
			continue;
		ww_tables_last(t)->repeated++;
		return 0;
	}
	if (t->host_count == WW_TABLES_HOSTS_MAX)
		return -E2BIG;
	more = reallocarray(t->hosts, t->host_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->hosts = more;
	more = &t->hosts[t->host_count];
	*more = (struct host_row){strdup(host), t->labels[label], line};
	if (!more->host)
		return -ENOMEM;
	t->host_count++;
	ww_tables_last(t)->rows++;
	return 0;
}

int ww_tables_add_operator(struct ww_tables *t, struct ww_tables_operator *o)
{
	uint16_t table = (uint16_t)(t->count - 1);
	struct ww_tables_operator *more;

	for (unsigned i = 0; i < t->operator_count; i++) {
		if (t->operators[i].table == table && strcmp(t->operators[i].name, o->name) == 0)
			return -EEXIST;
	}
	if (t->operator_count == WW_TABLES_LABELS_MAX)
		return -E2BIG;
	more = reallocarray(t->operators, t->operator_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->operators = more;
	t->operators[t->operator_count] = *o;
	t->operators[t->operator_count++].table = table;
	return 0;
}

/* --- sealing ------------------------------------------------------------------------------------
 */

static int compare_place(const struct draft *a, const struct draft *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return (int)a->bits - (int)b->bits;
}

static int compare(const void *x, const void *y, void *ctx)
{
	const struct ww_tables *t = ctx;
	const struct draft *a = x, *b = y;
	const struct label *la = t->labels[a->label], *lb = t->labels[b->label];
	int c = compare_place(a, b);

	if (c == 0 && a->label != b->label) {
		c = memcmp(lb->key, la->key, la->n < lb->n ? la->n : lb->n);
		if (c == 0)
			c = la->n > lb->n ? -1 : 1;
	}
	return c ? c : (a->line > b->line) - (a->line < b->line);
}

/* Sorted, and what is there twice once. */
static void sort_drafts(struct ww_tables *t, struct level *l)
{
	uint32_t kept = 0;

	if (l->draft_count)
		qsort_r(l->drafts, l->draft_count, sizeof(*l->drafts), compare, t);
	for (uint32_t i = 0; i < l->draft_count; i++) {
		const struct draft *d = &l->drafts[i];

		if (kept && compare_place(&l->drafts[kept - 1], d) == 0 &&
		    l->drafts[kept - 1].label == d->label) {
			struct ww_tables_file *of = &t->tables[t->labels[d->label]->table];

			of->repeated++;
			of->rows--;
			continue;
		}
		l->drafts[kept++] = *d;
	}
	l->draft_count = kept;
}

static bool holds(const struct level *l, uint32_t i, uint64_t hi, uint64_t lo)
{
	unsigned bits = l->rows[i].bits;

	if (bits == 0)
		return true;
	if (bits <= 64)
		return (l->hi[i] ^ hi) >> (64 - bits) == 0;
	return l->hi[i] == hi && (l->lo[i] ^ lo) >> (128 - bits) == 0;
}

static int level_alloc(struct level *l, bool v6)
{
	l->hi = calloc(l->draft_count + 1, sizeof(*l->hi));
	l->lo = v6 ? calloc(l->draft_count + 1, sizeof(*l->lo)) : NULL;
	l->steps = calloc(l->draft_count / STEP + 1, sizeof(*l->steps));
	l->rows = calloc(l->draft_count + 1, sizeof(*l->rows));
	return l->hi && (l->lo || !v6) && l->steps && l->rows ? 0 : -ENOMEM;
}

static int level_seal(struct ww_tables *t, struct level *l, bool v6)
{
	uint32_t next = NO_ROW;
	int r;

	sort_drafts(t, l);
	r = level_alloc(l, v6);
	if (r < 0)
		return r;
	for (; l->count < l->draft_count; next = l->count++) {
		const struct draft *d = &l->drafts[l->count];

		while (next != NO_ROW && !holds(l, next, d->hi, d->lo))
			next = l->rows[next].next;
		l->hi[l->count] = d->hi;
		if (v6)
			l->lo[l->count] = d->lo;
		if (l->count % STEP == 0)
			l->steps[l->count / STEP] = d->hi;
		l->rows[l->count] = (struct row){next, d->label, d->line, d->bits};
	}
	free(l->drafts);
	l->drafts = NULL;
	return 0;
}

static void digest_all(struct ww_tables *t)
{
	char hex[2 * WW_SHA256_LEN + 1];
	struct ww_sha256_ctx c;

	ww_sha256_begin(&c);
	for (unsigned i = 0; i < t->count; i++) {
		ww_hex_encode(ww_slice(t->tables[i].digest.b, WW_SHA256_LEN), hex);
		ww_sha256_add(&c, ww_slice_str(hex));
		ww_sha256_add(&c, WW_SLICE_LIT("  "));
		ww_sha256_add(&c, ww_slice_str(t->tables[i].name));
		ww_sha256_add(&c, WW_SLICE_LIT("\n"));
	}
	ww_sha256_end(&c, &t->digest);
}

int ww_tables_seal(struct ww_tables *t)
{
	int r = level_seal(t, &t->levels[0], false);

	if (r == 0)
		r = level_seal(t, &t->levels[1], true);
	if (r == 0)
		digest_all(t);
	return r;
}

/* --- the set ------------------------------------------------------------------------------------
 */

unsigned ww_tables_count(const struct ww_tables *t)
{
	return t->count;
}

const struct ww_tables_file *ww_tables_at(const struct ww_tables *t, unsigned i)
{
	return i < t->count ? &t->tables[i] : NULL;
}

struct ww_sha256 ww_tables_digest(const struct ww_tables *t)
{
	return t->digest;
}

static struct ww_cidr cidr_of(uint64_t hi, uint64_t lo, unsigned bits, bool v6)
{
	struct ww_cidr c = {.bits = (uint8_t)bits, .family = v6 ? AF_INET6 : AF_INET};

	hi = bits == 0 ? 0 : bits < 64 ? hi & ~0ull << (64 - bits) : hi;
	lo = bits <= 64 ? 0 : lo & ~0ull << (128 - bits);
	hi = htobe64(hi);
	lo = htobe64(lo);
	memcpy(c.addr, &hi, sizeof(hi)); /* of IPv4 the second half is zero */
	memcpy(c.addr + 8, &lo, sizeof(lo));
	return c;
}

/* Where the rows of i's prefix end. */
static uint32_t run_end(const struct level *l, uint32_t i)
{
	uint32_t end = i + 1;

	while (end < l->count && l->rows[end].bits == l->rows[i].bits && l->hi[end] == l->hi[i] &&
	       (!l->lo || l->lo[end] == l->lo[i]))
		end++;
	return end;
}

void ww_tables_each(const struct ww_tables *t, ww_tables_row_fn fn, void *ctx)
{
	for (int v6 = 0; v6 < 2; v6++) {
		const struct level *l = &t->levels[v6];

		for (uint32_t i = 0, end; i < l->count; i = end) {
			struct ww_cidr c =
				cidr_of(l->hi[i], v6 ? l->lo[i] : 0, l->rows[i].bits, v6);

			end = run_end(l, i);
			for (uint32_t r = end; r-- > i;) {
				const struct label *label = t->labels[l->rows[r].label];

				if (!fn(ctx, &t->tables[label->table], &c, &label->words,
					l->rows[r].line))
					return;
			}
		}
	}
}

void ww_tables_each_host(const struct ww_tables *t, ww_tables_host_fn fn, void *ctx)
{
	for (unsigned i = 0; i < t->host_count; i++) {
		const struct host_row *h = &t->hosts[i];

		if (!fn(ctx, &t->tables[h->label->table], h->host, &h->label->words, h->line))
			return;
	}
}

const struct ww_tables_operator *ww_tables_operator(const struct ww_tables *t, struct ww_slice name,
						    unsigned *i)
{
	for (; *i < t->operator_count; (*i)++) {
		if (ww_slice_eq_str(name, t->operators[*i].name))
			return &t->operators[(*i)++];
	}
	return NULL;
}

/* --- looking up ---------------------------------------------------------------------------------
 */

/* How many of the n sorted numbers are at most x; no branch to mispredict. */
static uint32_t up_to(const uint64_t *sorted, uint32_t n, uint64_t x)
{
	const uint64_t *base = sorted;

	if (n == 0)
		return 0;
	while (n > 1) {
		uint32_t half = n / 2;

		base += half & -(uint32_t)(base[half - 1] <= x);
		n -= half;
	}
	return (uint32_t)(base - sorted) + (*base <= x);
}

/* The same over hi, by its index. */
static uint32_t up_to_hi(const struct level *l, uint64_t hi)
{
	uint32_t steps = up_to(l->steps, (l->count + STEP - 1) / STEP, hi), from, n;

	if (steps == 0)
		return 0;
	from = (steps - 1) * STEP;
	/* All that a memory may have to be waited for, at once. */
	for (uint32_t i = 0; i < STEP; i += CACHE_LINE / sizeof(*l->hi))
		__builtin_prefetch(l->hi + from + i);
	for (uint32_t i = 0; i < STEP; i += CACHE_LINE / sizeof(*l->rows))
		__builtin_prefetch(l->rows + from + i);
	n = l->count - from < STEP ? l->count - from : STEP;
	return from + up_to(l->hi + from, n, hi);
}

/* The first row of the longest prefix that holds the address, or NO_ROW. */
static uint32_t longest(const struct level *l, uint64_t hi, uint64_t lo)
{
	uint32_t n = up_to_hi(l, hi), i;

	if (l->lo && n && l->hi[n - 1] == hi && l->lo[n - 1] > lo) {
		uint32_t from = hi ? up_to_hi(l, hi - 1) : 0;

		n = from + up_to(l->lo + from, n - from, lo);
	}
	i = n ? n - 1 : NO_ROW;
	while (i != NO_ROW && !holds(l, i, hi, lo))
		i = l->rows[i].next;
	return i;
}

/* Of row i, whose prefix holds the address, and of all behind it. */
static void find_rows(const struct ww_tables *t, const struct level *l, uint32_t i, uint64_t hi,
		      uint64_t lo, struct ww_wall at, struct ww_tables_answer *ret)
{
	for (; i != NO_ROW; i = l->rows[i].next) {
		const struct row *row = &l->rows[i];
		const struct label *label = t->labels[row->label];
		struct ww_tables_match *m;

		if (ret->total++ >= WW_TABLES_MATCHES_MAX)
			continue;
		m = &ret->rows[ret->count++];
		m->table = &t->tables[label->table];
		m->prefix = cidr_of(hi, lo, row->bits, l == &t->levels[1]);
		m->host = NULL;
		m->words = &label->words;
		m->line = row->line;
		ww_tables_time_at(&m->words->valid, at, &m->early, &m->expired);
	}
}

/* How exact a row is: only rows of addresses, or only rows of names, are compared. */
static unsigned exact(const struct ww_tables_match *m)
{
	return m->host ? ww_host_glob_exact(m->host) : m->prefix.bits;
}

/* Whether a comes before b. */
static bool before(const struct ww_tables_match *a, const struct ww_tables_match *b)
{
	unsigned x = exact(a), y = exact(b);

	if (x != y)
		return x > y;
	return a->table < b->table;
}

static void insert(struct ww_tables_answer *a, const struct ww_tables_match *m)
{
	unsigned at = a->count;

	a->total++;
	if (a->count == WW_TABLES_MATCHES_MAX) {
		if (!before(m, &a->rows[--at]))
			return;
	} else {
		a->count++;
	}
	for (; at > 0 && before(m, &a->rows[at - 1]); at--)
		a->rows[at] = a->rows[at - 1];
	a->rows[at] = *m;
}

static void find_entry(const struct ww_tables *t, unsigned i, const uint8_t *address, bool v6,
		       struct ww_tables_answer *ret)
{
	struct ww_tables_words *words = &ret->entries[i];
	struct ww_tables_match m = {.table = &t->tables[i], .words = words};
	struct ww_mmdb_words w;
	uint8_t bits;

	if (!ww_mmdb_find(t->tables[i].db, address, v6, &w, &bits))
		return;
	m.prefix = cidr_of(first_half(address, v6), second_half(address, v6), bits, v6);
	*words = (struct ww_tables_words){.operator_name = w.organization,
					  .region = w.country,
					  .zone = w.subdivision,
					  .basis = WW_TABLES_DATABASE,
					  .valid = WW_TABLES_ALWAYS};
	insert(ret, &m);
}

/* Which rows are their table's last word, and whether these agree. */
static void judge(const struct ww_tables *t, struct ww_tables_answer *ret)
{
	unsigned most[WW_TABLES_MAX];
	uint64_t seen = 0;

	for (unsigned i = 0; i < ret->count; i++) {
		struct ww_tables_match *m = &ret->rows[i];
		unsigned table = (unsigned)(m->table - t->tables);

		if (!(seen & 1ull << table))
			most[table] = exact(m);
		seen |= 1ull << table;
		m->speaks = most[table] == exact(m);
		ret->speaking += m->speaks;
		if (!m->speaks || m->early || m->expired)
			continue;
		for (unsigned k = 0; k < i && !ret->ambiguous; k++) {
			const struct ww_tables_match *other = &ret->rows[k];

			ret->ambiguous = other->speaks && !other->early && !other->expired &&
					 other->words != m->words &&
					 ww_tables_words_differ(other->words, m->words,
								other->table == m->table);
		}
	}
}

/* Of row i and all behind it: how many speak, also beyond those that are told. */
static uint64_t count_speaking(const struct ww_tables *t, const struct level *l, uint32_t i)
{
	uint8_t longest_bits[WW_TABLES_MAX];
	uint64_t seen = 0, n = 0;

	for (; i != NO_ROW; i = l->rows[i].next) {
		unsigned table = t->labels[l->rows[i].label]->table;

		if (!(seen & 1ull << table))
			longest_bits[table] = l->rows[i].bits;
		seen |= 1ull << table;
		n += longest_bits[table] == l->rows[i].bits;
	}
	return n;
}

void ww_tables_find(const struct ww_tables *t, const struct ww_endpoint *e, struct ww_wall at,
		    struct ww_tables_answer *ret)
{
	bool v6 = e->family == AF_INET6 && !ww_cidr_mapped(e->addr);
	const uint8_t *address = e->family == AF_INET6 && !v6 ? e->addr + 12 : e->addr;
	const struct level *l = &t->levels[v6];
	uint64_t hi, lo, rows;
	uint32_t first;

	ret->count = 0;
	ret->total = ret->speaking = 0;
	ret->ambiguous = false;
	if (e->family != AF_INET && e->family != AF_INET6)
		return;
	hi = first_half(address, v6);
	lo = second_half(address, v6);
	first = longest(l, hi, lo);
	find_rows(t, l, first, hi, lo, at, ret);
	rows = ret->total;
	for (unsigned i = 0; i < t->count; i++) {
		if (t->tables[i].db)
			find_entry(t, i, address, v6, ret);
	}
	judge(t, ret);
	if (ret->total > ret->count) /* the entry of a database always speaks */
		ret->speaking = count_speaking(t, l, first) + ret->total - rows;
}

void ww_tables_find_name(const struct ww_tables *t, const char *name, struct ww_wall at,
			 struct ww_tables_answer *ret)
{
	struct ww_slice host = ww_host_of(name);

	ret->count = 0;
	ret->total = ret->speaking = 0;
	ret->ambiguous = false;
	for (unsigned i = 0; i < t->host_count; i++) {
		const struct host_row *h = &t->hosts[i];
		struct ww_tables_match m = {.table = &t->tables[h->label->table],
					    .words = &h->label->words,
					    .host = h->host,
					    .line = h->line};

		if (!ww_host_glob(h->host, host))
			continue;
		ww_tables_time_at(&m.words->valid, at, &m.early, &m.expired);
		insert(ret, &m);
	}
	judge(t, ret);
}
