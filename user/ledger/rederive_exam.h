/* SPDX-License-Identifier: Apache-2.0 */
/* One verdict under examination, and how what is found on it is said (rederive_check.c). */
#pragma once

#include "ledger/rederive_case.h"

struct ww_rd_exam {
	struct ww_rederive *rd;
	struct ww_rd_record *rec;
	struct ww_rd_verdict v;
	const struct ww_rd_terms *terms;
	const struct ww_contract *contract; /* NULL: none, or its terms are not known */
	struct ww_grounds g;                /* as put together again */
	char methods[WW_GROUNDS_ATTEMPTS_MAX][24];
	char names[WW_GROUNDS_ATTEMPTS_MAX][12];
	struct ww_rd_text said_names[WW_GROUNDS_ATTEMPTS_MAX];
	struct ww_rd_text decides; /* of what was done on this host */
	unsigned place;            /* of the control that it is about */
	bool open;                 /* something that it takes is not there */
};

/* A table of words, by number; those that several ask for (rederive_check.c). */
#define WW_RD_NAME(n, v, t, d) [v] = (t),
extern const char *const ww_rd_joins[WW_JOIN_MAX];
extern const char *const ww_rd_bys[WW_JOIN_BY_MAX];
extern const char *const ww_rd_reasons[WW_REASON_MAX];
extern const char *const ww_rd_evidence[WW_EVIDENCE_MAX];

/* For "%.*s". */
#define WW_RD_TEXT(t) \
	(int)((t).s.n < 80 ? (t).s.n : 80), (const char *)((t).s.p ? (t).s.p : (const uint8_t *)"")

/* The verdict says something else than its evidence or the rules. */
void ww_rd_differ(struct ww_rd_exam *e, const char *field, const char *expected, const char *found);
/* It cannot be derived. */
void ww_rd_open(struct ww_rd_exam *e, const char *field, const char *expected, const char *found);
/* A cited record cannot be read: readers would disagree about it. */
void ww_rd_unreadable(struct ww_rd_exam *e, const char *field, const struct ww_rd_record *rec,
		      const char *why);

/* What the verdict says of a cited record is what that one says; else it differs. */
void ww_rd_same_text(struct ww_rd_exam *e, const char *field, const struct ww_rd_record *of,
		     struct ww_rd_text evidence, struct ww_rd_text said);
void ww_rd_same_number(struct ww_rd_exam *e, const char *field, const struct ww_rd_record *of,
		       struct ww_rd_number evidence, struct ww_rd_number said);

/* As it is said; out is used when it is there. */
const char *ww_rd_shown(struct ww_rd_text t, char out[96]);
/* The place of a word in a table, or -1. */
int ww_rd_by_name(struct ww_rd_text t, const char *const *names, unsigned count);

/* A count, as wide as the grounds have it. */
static inline uint32_t ww_rd_capped(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* A cited record of this kind, which must stand before the verdict; NULL: that was said. */
struct ww_rd_record *ww_rd_cited(struct ww_rd_exam *e, enum ww_rd_kind kind, const char *field,
				 struct ww_rd_text id);
/* The newest span record of this id before the verdict, in this trace where one is given, of the
 * verdict's own tree where there is one; NULL. */
struct ww_rd_record *ww_rd_span_record(const struct ww_rd_exam *e, struct ww_slice id,
				       const struct ww_rd_text *trace, struct ww_rd_span *ret);

/* Both are RFC 3339 with equally many digits: whether a is later than b. */
static inline bool ww_rd_later(struct ww_rd_text a, struct ww_rd_text b)
{
	return a.s.n == b.s.n && a.s.n && memcmp(a.s.p, b.s.p, a.s.n) > 0;
}

/* A cited exchange, taken apart; NULL: that was said. */
const struct ww_rd_exchange *ww_rd_cited_exchange(struct ww_rd_exam *e, const char *field,
						  struct ww_rd_text id, struct ww_rd_record **ret);
/* Times and connection of an exchange, the latter held against its record. */
void ww_rd_take_call(struct ww_rd_exam *e, const struct ww_rd_exchange *x,
		     struct ww_grounds_call *ret);

/* rederive_later.c: dates, read-backs and what the model was shown, into the grounds; then what
 * they must say with the ruling. */
void ww_rd_check_later(struct ww_rd_exam *e);
void ww_rd_check_details(struct ww_rd_exam *e, const struct ww_ruling *r);
/* rederive_control.c: a control's runs, into the grounds; then the one that decided. */
void ww_rd_check_control(struct ww_rd_exam *e);
void ww_rd_check_run(struct ww_rd_exam *e, const struct ww_ruling *r);

/* rederive_prose.c: what texts claimed, and the grounds of what prose alone speaks of; then what
 * must not be there of the other tools that it may mean. */
void ww_rd_check_prose(struct ww_rd_exam *e);
void ww_rd_prose_absent(struct ww_rd_exam *e, const struct ww_rd_absence *like);

/* rederive_local.c: what was done on this host, into the grounds; then what decided, and what it
 * should have told of. */
void ww_rd_check_local(struct ww_rd_exam *e);
void ww_rd_check_deed(struct ww_rd_exam *e, const struct ww_ruling *r, bool rests_on_all);
/* rederive_attested.c: what was attested, by the signatures in its records, beside what the wire
 * gives; the verdict of both. And by which contract file an attested verdict was judged. */
enum ww_verdict ww_rd_check_attested(struct ww_rd_exam *e, enum ww_verdict wire);
bool ww_rd_judged_before(struct ww_rd_exam *e);

/* rederive_wire.c: attempts and other calls, into the grounds; then the call that decided. */
void ww_rd_check_wire(struct ww_rd_exam *e);
void ww_rd_check_call(struct ww_rd_exam *e, const struct ww_grounds_attempt *deciding);
