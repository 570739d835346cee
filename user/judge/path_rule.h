/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_rule: from what is known of a path's legs to its verdict. A pure function of plain grounds:
 * it looks nothing up and keeps nothing, and needs only the tables of verdict.h, so that whoever
 * holds a record can decide again.
 *
 * Numbered invariants:
 *  1. VIOLATION rests on one leg that carried the prompt for certain, with bytes acknowledged (UDP:
 *     sent) where the policy does not allow it. How complete the view was changes nothing then.
 *  2. WITHIN_POLICY_TO_HORIZON needs that no condition is open: each that is goes into the ruling
 *     by name.
 *  3. A claim contradicts only what is listed without doubt of a leg that it is joined to for
 *     certain.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wirewitness/verdict.h>

/* One leg. Of attempts and lookups nothing is judged: they are no grounds. */
struct ww_path_ground {
	enum ww_evidence evidence;
	enum ww_join_grade join;
	bool forbidden;    /* region or home, or not listed where that is denied */
	bool ambiguous;    /* what is listed contradicts itself, or names no one place */
	bool impossible;   /* a row is farther away than light allows */
	bool unlisted;     /* nothing valid is listed, and the policy does not let that pass */
	bool contradicted; /* a span says another region */
	bool local;        /* on this host, and no leg of its own way on is known for certain */
	bool unresolved;   /* whose connection it is, is not certain */
	bool shared;       /* bytes on its connection cannot be told apart */
	bool incomplete;   /* of its request, not all was read */
};

/* What could not be looked into, to where the policy does not allow all, X(enum suffix, text,
 * reason): by this much no copy of the prompt can be excluded. */
#define WW_PATH_UNREADS(X)                                                        \
	X(TLS, "tls", TLS_OPAQUE)                   /* no hook in its library */  \
	X(QUIC, "quic", TLS_OPAQUE)                 /* encrypted datagrams */     \
	X(UDP, "udp", PLAINTEXT_INCOMPLETE)         /* other datagrams */         \
	X(PLAIN, "plain", PLAINTEXT_INCOMPLETE)     /* nothing decodes it */      \
	X(CUT, "cut", PLAINTEXT_INCOMPLETE)         /* read or kept in part */    \
	X(FIELD, "field", PLAINTEXT_INCOMPLETE)     /* a long field of a head */  \
	X(ACCOUNT, "account", PLAINTEXT_INCOMPLETE) /* bytes that no hook saw */  \
	X(LOCAL, "local", REMOTE_EXECUTOR)          /* to another process here */ \
	X(SHORT, "short", PLAINTEXT_INCOMPLETE)     /* read, but the prompt cannot be found again */

#define WW_PATH_UNREAD_ENUM_(n, t, r) WW_PATH_UNREAD_##n,
enum ww_path_unread { WW_PATH_UNREADS(WW_PATH_UNREAD_ENUM_) WW_PATH_UNREAD_MAX };

struct ww_path_grounds {
	bool asked; /* the policy has a rule for this agent */
	const struct ww_path_ground *legs;
	unsigned count;
	unsigned dropped; /* legs beyond the ceiling */
	uint32_t unread;  /* bit set of enum ww_path_unread */
	bool orphans;     /* connections of the scope without a known owner */
	bool forgotten;   /* evidence of the window was dropped by a ceiling */
	bool early;       /* the watching ended before the window */
	/* Of the window, as coverage says it: */
	bool known, whole, covered; /* the scope; without a break; every kind of socket */
	uint64_t lost;
	uint32_t gaps, unix_peers, raw_sockets, unbound;
};

struct ww_path_ruling {
	enum ww_verdict verdict;
	enum ww_reason reason; /* the first of: */
	uint32_t open;         /* bit set of enum ww_reason: what WITHIN would need */
	enum ww_evidence evidence;
	enum ww_join_grade join; /* the weakest of what it rests on */
	int deciding;            /* index of the leg that it rests on; -1: on all */
};

void ww_path_rule(const struct ww_path_grounds *g, struct ww_path_ruling *ret);

/* "tls", ...: as it stands in records; "unknown" for other numbers. */
const char *ww_path_unread_name(enum ww_path_unread u);

/* The next reason of `open` in the order in which they are said, at or after *i, which is moved
 * behind it; NULL: no more. */
const char *ww_path_open(uint32_t open, unsigned *i);
