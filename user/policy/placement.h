/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: placement: what policy, address tables and light say of one peer for one agent. Three
 * things that are never merged: what tables list (labels), what the operator's home is declared to
 * be, what the round trip excludes. Pure and deterministic.
 *
 * Numbered invariants:
 *  1. A label counts when its row speaks, is valid at that time and is not impossible. ALLOWED and
 *     FORBIDDEN need that all labels that count and say something say so.
 *  2. A row is impossible when its region's area is farther than light goes in half the shortest
 *     round trip. It stays in the answer, marked; it is never replaced by another one.
 *  3. Nothing is listed of a loopback address, and of a private one only what a YAML table declares
 *     for a network that lies in that private range. Then names are asked, too; else not.
 *  4. A region's word that no region of the policy has is not an allowed one. But "global" names
 *     no one place: where no region has it, it is ambiguous, neither allowed nor forbidden.
 *  5. A name that is the client's word alone allows nothing: by it anybody would be where a policy
 *     wants him to be.
 *
 * Slices and pointers are borrowed from the policy and the tables of the question, not from it.
 */
#pragma once

#include "policy/policy_file.h"
#include "policy/tables.h"

#define WW_PLACEMENT_NAMES_MAX  8u
#define WW_PLACEMENT_LABELS_MAX 8u /* told; the rest is counted, and counts */

/* X(enum suffix, number, text, meaning) */
#define WW_STANDINGS(X)                                                                    \
	X(NOT_ASKED, 0, "not-asked", "the agent's rule does not limit it, or it is local") \
	X(ALLOWED, 1, "allowed", "all that is listed is allowed")                          \
	X(FORBIDDEN, 2, "forbidden", "all that is listed is not allowed")                  \
	X(MIXED, 3, "mixed", "what is listed disagrees about it")                          \
	X(UNLISTED, 4, "unlisted", "nothing valid is listed or declared")

#define WW_STANDING_ENUM_(n, v, t, d) WW_STANDING_##n = (v),
enum ww_standing { WW_STANDINGS(WW_STANDING_ENUM_) };

/* X(enum suffix, bit, text, meaning) */
#define WW_PLACEMENT_FINDINGS(X)                                                            \
	X(OUT_OF_REGION, 0, "OUT_OF_REGION", "listed in a region that is not allowed")      \
	X(OUT_OF_HOME, 1, "OUT_OF_HOME", "the operator's declared home is not allowed")     \
	X(UNLISTED_DESTINATION, 2, "UNLISTED_DESTINATION", "nothing valid is listed of it") \
	X(LABEL_AMBIGUOUS, 3, "LABEL_AMBIGUOUS", "labels contradict each other")            \
	X(LABEL_IMPOSSIBLE, 4, "LABEL_IMPOSSIBLE", "a label is farther than light allows")

#define WW_PLACEMENT_ENUM_(n, v, t, d) WW_PLACEMENT_##n = 1u << (v),
enum ww_placement_finding { WW_PLACEMENT_FINDINGS(WW_PLACEMENT_ENUM_) };

struct ww_placement_ask {
	const struct ww_policy *policy;      /* NULL: none */
	const struct ww_policy_agent *agent; /* NULL: none; nothing is asked, labels are told */
	const struct ww_tables *tables;      /* NULL: none */
	struct ww_endpoint peer;             /* family 0: not known, only names are asked */
	/* What the client called it (SNI, authority, DNS), for rows of names; a port is ignored. */
	const char *names[WW_PLACEMENT_NAMES_MAX];
	unsigned name_count;
	/* So many of the last ones are the client's word alone: no answer of DNS that was seen gave
	 * that name this address. Their rows forbid, and allow nothing. */
	unsigned said_count;
	struct ww_wall at;      /* 0: not known, and then limited rows are not valid */
	uint32_t rtt_min_us;    /* of the TCP connection; 0: not known */
	uint32_t key_holder_us; /* to the holder of the certificate's key; 0: not known */
	bool rtt_counts;        /* false: behind a proxy, on loopback: no claim of distance */
};

/* One row. */
struct ww_placement_label {
	struct ww_slice region, operator_name, service; /* empty: it does not say */
	const struct ww_tables_file *table;
	enum ww_tables_basis basis;
	bool by_name;     /* of a name that the client used: weaker than of an address */
	uint8_t in;       /* region of the policy, or WW_POLICY_NONE */
	const char *home; /* declared, valid; NULL: none, or contradictory */
	bool impossible, early, expired; /* then it does not count */
	uint64_t regions;                /* all regions of the policy whose labels match its word */
};

struct ww_placement_bound {
	uint32_t rtt_us;   /* 0: there is none */
	uint64_t hard_m;   /* metres, rounded up */
	uint64_t fibre_m;  /* the same, assuming ordinary fibre */
	uint64_t excluded; /* bit i: areas[i] of the policy, under the hard bound */
};

/* Plain; may be copied. */
struct ww_placement {
	const struct ww_policy *policy; /* of the question */
	enum ww_standing region, home;
	bool local; /* loopback, private, link-local, multicast: whose it is, is not known */
	bool loopback;
	bool ambiguous; /* labels that count contradict each other in what the agent asks for */
	bool by_name;   /* labels count, and none of them is of the address */
	uint32_t findings;
	unsigned label_count;
	struct ww_placement_label labels[WW_PLACEMENT_LABELS_MAX]; /* those that count first */
	unsigned counted;      /* of these, how many count: the first ones */
	uint64_t labels_total; /* that speak, whether they count or not */
	bool partial; /* some place or operator that counts is not told, or could not be looked at
		       */
	struct ww_placement_bound tcp, key_holder;
	const char *no_bound; /* static: why there is none, or NULL */
};

void ww_placement_of(const struct ww_placement_ask *a, struct ww_placement *ret);

/* Members inside an open object: region, home, local, ambiguous, labels, bounds. */
void ww_placement_write(const struct ww_placement *p, struct ww_jsonw *w);

/* "allowed", ...; "unknown" for other numbers. */
const char *ww_standing_name(enum ww_standing s);

/* The next finding's name of the set at or after bit *i, which is moved behind it; NULL: no more.
 */
const char *ww_placement_finding(uint32_t findings, unsigned *i);

enum ww_claim_match { WW_CLAIM_UNKNOWN, WW_CLAIM_SAME, WW_CLAIM_DIFFERENT };

/*
 * Whether a claimed region (a span's cloud.region, a header, usage.inference_geo) and the labels
 * that count can both be true. SAME: a label has that word (case and blanks do not count: "North
 * Central US" is northcentralus), or a word that a region of the policy has as well as the claim's.
 * DIFFERENT: the claim and every label that names a region are in regions of the policy, and no
 * label is in one of the claim's. Else UNKNOWN: a word that no region has contradicts nothing.
 */
enum ww_claim_match ww_policy_compare(const struct ww_policy *p, const struct ww_placement *pl,
				      struct ww_slice claimed);

/* Whether the agent may send to a region of this name, as far as its rule asks: a word that no
 * region has is not allowed. */
bool ww_policy_allows(const struct ww_policy *p, const struct ww_policy_agent *agent,
		      struct ww_slice region);
