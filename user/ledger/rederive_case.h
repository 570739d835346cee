/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the two halves of rederive.h: the listed records (rederive.c) and one verdict held
 * against them (rederive_check.c).
 */
#pragma once

#include "base/hash.h"
#include "judge/ruling.h"
#include "ledger/rederive.h"
#include "ledger/rederive_read.h"

/* Ids are unique among records of one boot. More records of one id than this are looked at by
 * nobody: whoever lists them only wants to be waited for. */
#define WW_RD_SAME_MAX 1024u

enum ww_rd_kind {
	WW_RD_EXCHANGE,
	WW_RD_SPAN,
	WW_RD_FLOW,
	WW_RD_COVERAGE,
	WW_RD_ACTION,
	WW_RD_VERDICT,
	WW_RD_LIFE,
	WW_RD_MCP,
	WW_RD_MODEL,
	WW_RD_RUN,
	WW_RD_CHANGE,
	WW_RD_ATTESTATION, /* filed by their action */
	WW_RD_PATH,
	WW_RD_KIND_MAX
};

struct ww_rd_record {
	uint64_t index;
	enum ww_rd_kind kind;
	struct ww_slice json, id;
	struct ww_rd_record *same; /* the one before with this id */
	struct ww_rd_record *turn; /* of a model call: the one before in this turn */
	int state;                 /* of `x`: 0 not read yet, 1 read, -1 unreadable */
	struct ww_rd_exchange *x;  /* kind EXCHANGE, when read */
	struct ww_rd_coverage *c;  /* kind COVERAGE, likewise */

	/* of an exchange: the action that has it as an attempt, and that verdict */
	struct ww_slice taken_by;
	struct ww_rd_record *taken_in;
	/* of a verdict */
	bool superseded, claimed; /* claimed: the section "claims" lists it */
	bool differs, open;       /* what was found on it so far */
};

/* A contract's terms, shared by all verdicts that have the same. */
struct ww_rd_terms {
	struct ww_contracts *contracts; /* one; NULL: unreadable */
	bool whole;
	/* The calls of its controls, and the one that reads back, as contracts of their own; they
	 * borrow from it. */
	struct ww_contract controls[WW_CONTROLS_MAX];
	struct ww_contract readback;
	struct ww_slice text;
	UT_hash_handle hh;
};

/* Of a verdict that says that nothing was there: what would have had to be there. */
struct ww_rd_absence {
	struct ww_rd_record *verdict;
	const struct ww_contract *contract;
	struct ww_slice root;
	uint64_t from_ns, to_ns;
	const char *field;
	const struct ww_control *control; /* its calls: those of other traces are none */
	bool maybe;    /* one that is there may be another action's, or of another thing */
	bool succeeds; /* only one that may have had an effect */
	bool shows;    /* only with a declared answer */
	bool any;      /* one that is another action's, too */
};

/* The newest record of this kind and id before `index`, or NULL. */
struct ww_rd_record *ww_rd_before(const struct ww_rederive *rd, enum ww_rd_kind kind,
				  struct ww_slice id, uint64_t index);
/* All with this id, newest first: go on with ->same. */
struct ww_rd_record *ww_rd_newest(const struct ww_rederive *rd, enum ww_rd_kind kind,
				  struct ww_slice id);
/* The newest model call of this turn: go on with ->turn. NULL: none. */
struct ww_rd_record *ww_rd_turn(struct ww_rederive *rd, struct ww_slice turn);
/* The record that stands right before `index` in the list, or NULL. */
const struct ww_rd_record *ww_rd_neighbour(const struct ww_rederive *rd,
					   const struct ww_rd_record *rec);
/* Holds an absence against what was done on this host. */
void ww_rd_absent_deeds(struct ww_rederive *rd, const struct ww_rd_absence *a);

/* The i-th record of what was done on this host; NULL: there are no more. */
const struct ww_rd_record *ww_rd_deed_at(const struct ww_rederive *rd, size_t i);
/* The newest coverage record of a scope; go on with ->same. */
const struct ww_rd_record *ww_rd_coverage(const struct ww_rederive *rd, struct ww_slice cgroup);

/* An exchange taken apart, once; NULL: unreadable. */
const struct ww_rd_exchange *ww_rd_exchange_of(struct ww_rederive *rd, struct ww_rd_record *rec);
const struct ww_rd_terms *ww_rd_terms_of(struct ww_rederive *rd, struct ww_slice text);

/* The terms that another verdict has for this tool under this contract file: `text` when there is
 * none. Empty: no memory. */
struct ww_slice ww_rd_terms_before(struct ww_rederive *rd, struct ww_slice tool,
				   struct ww_slice contracts, struct ww_slice text);
/* The digest of the contract file that the newest start before `index` names; not there: none does.
 */
struct ww_rd_text ww_rd_contracts_at(struct ww_rederive *rd, uint64_t index);

/* To be looked at when all verdicts are known. */
void ww_rd_take(struct ww_rederive *rd, struct ww_rd_record *x, struct ww_rd_record *verdict,
		struct ww_slice action);
void ww_rd_absent(struct ww_rederive *rd, const struct ww_rd_absence *a);
void ww_rd_supersede(struct ww_rederive *rd, const struct ww_rd_record *verdict,
		     struct ww_slice id);
/* The whole derivation fails: nothing is decided. */
void ww_rd_no_memory(struct ww_rederive *rd);

/* A finding on a verdict; cut to what fits. */
void ww_rd_say(struct ww_rederive *rd, struct ww_rd_record *verdict, bool undecided,
	       const char *field, const char *expected, const char *found);

/* Holds one verdict against what it cites and asks the rules. */
void ww_rd_check(struct ww_rederive *rd, struct ww_rd_record *rec);
/* The same for the verdict of a path. */
void ww_rd_path(struct ww_rederive *rd, struct ww_rd_record *rec);

#define WW_RD_WIRE(w) (1u << WW_WIRE_##w)

/* How an exchange can stand under the terms (join/held.c decides so when it arrives): bit set of
 * enum ww_wire. */
uint32_t ww_rd_wires(const struct ww_contract *c, const struct ww_rd_exchange *x);

/* Whether an exchange may be a call that the contract declares, as far as its record tells. */
bool ww_rd_fits(const struct ww_contract *c, const struct ww_rd_exchange *x);
