/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: address tables: what others say of networks, by whom they are operated and in which
 * region; and, declared only, of names that clients use. A row is a claim by its source (a
 * published range by the operator, an entry of a database by its maker, a declared row by whoever
 * wrote it), never a measurement.
 *
 * Built in two steps: tables and rows are added, then the set is sealed. A sealed set is read only
 * and may be shared by threads. Pure: whoever builds it reads the files.
 *
 * Numbered invariants:
 *  1. All rows are kept: of several that match none is chosen, contradictions are told. Only a row
 *     that its table has twice, word by word, is kept once (and counted).
 *  2. Of each table the rows of the longest matching prefix speak. When they are out of date, no
 *     shorter one speaks in their place: it was never meant for that address.
 *  3. Rows come longest prefix first, then by table name, then by their words, whatever the order
 *     in which they were added.
 *  4. Of the rows of names, those of the most exact glob of each table speak: the one with the most
 *     bytes that are not '*'. They never take the word from rows of addresses, nor those from them.
 *  5. An IPv4-mapped IPv6 address is its IPv4 address; other embeddings are IPv6 addresses.
 *
 * Memory: 20 bytes per IPv4 row and 28 per IPv6 row, and 32 more while the set is built; databases
 * beside that, as large as their files.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/clock.h"
#include "base/digest.h"
#include "policy/cidr.h"
#include "rt/mmdb.h"

#define WW_TABLES_MAX         64u      /* files of one set */
#define WW_TABLES_ROWS_MAX    2000000u /* in all: the published ranges of all clouds are 150,000 */
#define WW_TABLES_LABELS_MAX  65536u   /* distinct words of rows, in all */
#define WW_TABLES_NAME_MAX    69u      /* "NAME.rows", NAME of at most 64 */
#define WW_TABLES_TEXT_MAX    96u      /* bytes of one word of a row */
#define WW_TABLES_DATE_MAX    21u      /* "2026-11-20T03:21:09Z" and its NUL */
#define WW_TABLES_FILE_BYTES  (256u << 20)
#define WW_TABLES_MATCHES_MAX 64u   /* rows told of one address; the rest is counted */
#define WW_TABLES_HOSTS_MAX   4096u /* rows of names in all: each is looked at */

/* Whose word a row is. X(enum suffix, number, text, meaning) */
#define WW_TABLES_BASES(X)                                                \
	X(PUBLISHED, 0, "published", "the operator publishes its ranges") \
	X(DATABASE, 1, "database", "the maker of a database says so")     \
	X(CONTRACT, 2, "contract", "declared here; a contract says so")   \
	X(PROVIDER_DOC, 3, "provider-doc", "declared here; the provider's documents say so")

#define WW_TABLES_BASIS_ENUM_(n, v, t, d) WW_TABLES_##n = (v),
enum ww_tables_basis { WW_TABLES_BASES(WW_TABLES_BASIS_ENUM_) };

/* Days since 1970-01-01, both inclusive. */
struct ww_tables_time {
	int32_t from;  /* INT32_MIN: not said */
	int32_t until; /* INT32_MAX: not said */
};

#define WW_TABLES_ALWAYS ((struct ww_tables_time){INT32_MIN, INT32_MAX})

/* What a row says. Empty: it does not say. */
struct ww_tables_words {
	struct ww_slice operator_name, service, region, zone;
	enum ww_tables_basis basis;
	struct ww_tables_time valid;
};

/* One file. */
struct ww_tables_file {
	char name[WW_TABLES_NAME_MAX + 1]; /* of the file */
	const char *shape;                 /* "aws", ...; static text */
	struct ww_sha256 digest;           /* of the file's bytes */
	bool published;                    /* it was made of another file, with this digest: */
	struct ww_sha256 source;
	char as_of[WW_TABLES_DATE_MAX]; /* RFC 3339 date or time: of when it speaks */
	uint64_t rows;                  /* without repeated ones; of a database the search nodes */
	uint64_t repeated;              /* rows that it has twice */
	struct ww_mmdb *db;             /* NULL: it has rows */
};

/* Whose law reaches an operator, as the monitor's owner declares it. */
struct ww_tables_operator {
	char name[WW_TABLES_TEXT_MAX + 1];
	char home[WW_TABLES_TEXT_MAX + 1];
	enum ww_tables_basis basis;
	struct ww_tables_time valid;
	uint16_t table;
};

/* A row that matches an address, or a name. */
struct ww_tables_match {
	const struct ww_tables_file *table;
	const struct ww_tables_words *words; /* of the set, or of the answer */
	struct ww_cidr prefix;
	const char *host; /* the glob that matches the name; NULL: of the address, by its prefix */
	uint32_t line;    /* in the file; 0: it has none */
	bool speaks;      /* its table has no longer prefix for this address */
	bool early;       /* not valid yet, at the time asked for */
	bool expired;     /* no longer valid */
};

/* Not to be copied: rows point into it. */
struct ww_tables_answer {
	struct ww_tables_match rows[WW_TABLES_MATCHES_MAX];
	struct ww_tables_words entries[WW_TABLES_MAX]; /* of databases */
	unsigned count;
	uint64_t total;    /* that match */
	uint64_t speaking; /* of total, that speak */
	/* Rows that speak and are valid contradict each other: two of one table name different
	 * operators or regions, or two of one operator name different regions. */
	bool ambiguous;
};

struct ww_tables;

WW_CHECK int ww_tables_new(struct ww_tables **ret);
void ww_tables_free(struct ww_tables *t);
WW_DEFINE_AUTO(struct ww_tables, ww_tables_free)

/* The meta data are copied, a database in them is taken over (on success). 0, -E2BIG, -ENOMEM. The
 * next rows and operators are of this table. Tables come in byte order of their names. */
WW_CHECK int ww_tables_add(struct ww_tables *t, const struct ww_tables_file *meta);

/* 0; -E2BIG: WW_TABLES_ROWS_MAX or WW_TABLES_LABELS_MAX; -ENOMEM. */
WW_CHECK int ww_tables_add_row(struct ww_tables *t, const struct ww_cidr *prefix,
			       const struct ww_tables_words *words, uint32_t line);

/*
 * A row for the names that match `host`, a glob as ww_host_glob_ok() takes it. 0; -E2BIG:
 * WW_TABLES_HOSTS_MAX or WW_TABLES_LABELS_MAX; -ENOMEM.
 */
WW_CHECK int ww_tables_add_host(struct ww_tables *t, const char *host,
				const struct ww_tables_words *words, uint32_t line);

/* 0; -EEXIST: the table has this operator already; -E2BIG; -ENOMEM. */
WW_CHECK int ww_tables_add_operator(struct ww_tables *t, struct ww_tables_operator *o);

/* Of what is being added. */
struct ww_tables_file *ww_tables_last(struct ww_tables *t);

/* Nothing can be added any more; from here on all below may be asked. 0 or -ENOMEM. */
WW_CHECK int ww_tables_seal(struct ww_tables *t);

/*
 * SHA-256 over a line per table, in byte order of the names: the digest of the file in hex, two
 * spaces, the name, a line feed. In a folder of tables: LC_ALL=C sha256sum -- * | sha256sum
 */
struct ww_sha256 ww_tables_digest(const struct ww_tables *t);

unsigned ww_tables_count(const struct ww_tables *t);
const struct ww_tables_file *ww_tables_at(const struct ww_tables *t, unsigned i);

/* All rows for the address at that time. */
void ww_tables_find(const struct ww_tables *t, const struct ww_endpoint *e, struct ww_wall at,
		    struct ww_tables_answer *ret);

/* All rows for a name that a client used ("api.example", a port and a root dot are ignored, so is
 * case), those with the most exact globs first; no name: none. The answer is only of names. */
void ww_tables_find_name(const struct ww_tables *t, const char *name, struct ww_wall at,
			 struct ww_tables_answer *ret);

/* The declarations about an operator, in order of their tables: the first at or after *i, which is
 * moved behind it; NULL: no more. */
const struct ww_tables_operator *ww_tables_operator(const struct ww_tables *t, struct ww_slice name,
						    unsigned *i);

/* All rows of the set in order (IPv4 first, then by address, length, table and words), until fn
 * says no. */
typedef bool (*ww_tables_row_fn)(void *ctx, const struct ww_tables_file *table,
				 const struct ww_cidr *prefix, const struct ww_tables_words *words,
				 uint32_t line);
void ww_tables_each(const struct ww_tables *t, ww_tables_row_fn fn, void *ctx);

/* All rows of names, in the order in which they were added, until fn says no. */
typedef bool (*ww_tables_host_fn)(void *ctx, const struct ww_tables_file *table, const char *host,
				  const struct ww_tables_words *words, uint32_t line);
void ww_tables_each_host(const struct ww_tables *t, ww_tables_host_fn fn, void *ctx);

/* Whether two rows with these words contradict each other; `same`: they are of one table. */
bool ww_tables_words_differ(const struct ww_tables_words *a, const struct ww_tables_words *b,
			    bool same);

/* Whether it is a word of a row: UTF-8 without control characters, not longer than
 * WW_TABLES_TEXT_MAX. An empty one is. */
bool ww_tables_text_ok(struct ww_slice s);

/* "published", ...; "unknown" for other numbers. */
const char *ww_tables_basis_name(enum ww_tables_basis b);

/* Whether that time is before or behind the days. A time that is not known (0) is before any. */
void ww_tables_time_at(const struct ww_tables_time *valid, struct ww_wall at, bool *ret_early,
		       bool *ret_expired);

/* "2026-12-31" as days since 1970. 0 or -EINVAL, output unchanged. */
WW_CHECK int ww_tables_day_parse(struct ww_slice text, int32_t *ret_day);

/* The other way; out holds WW_TABLES_DATE_MAX bytes. */
void ww_tables_day_text(int32_t day, char *out);

/* A date, or a time in UTC, copied to out (WW_TABLES_DATE_MAX bytes) without fractions of seconds.
 * 0 or -EINVAL. */
WW_CHECK int ww_tables_as_of_parse(struct ww_slice text, char *out);
