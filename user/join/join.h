/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join: which exchanges are the attempts of one action, with the grade of that link. Third stage of
 * join; reads held.h and actions.h, changes only who owns an exchange.
 *
 * Numbered invariants:
 *  1. Time alone never joins: every candidate is of the same process tree and fits a contract by
 *     destination, method and path.
 *  2. EXACT comes from an id on the wire: the trace context of the tool span or of a known
 * descendant of it (the nearest tool span owns it), or an idempotency key that is the tool call id
 * or the key the span names.
 *  3. UNIQUE needs one side and the other: no other action of the tree could mean the candidate as
 *     well. Where one could, the grade is AMBIGUOUS and nothing is picked.
 *  4. One exchange is owned by at most one action; an owned one is no candidate.
 *  5. An exchange begins inside the action's window, whatever its ids: an earlier reply is none.
 *  6. Claims without span, call or id come last and are served by count, in the order in which they
 *     were said: with fewer calls than claims the last ones stay without.
 *  7. A call after the window is no attempt. It is `overdue` only where it began after the kernel
 * saw the claim come in, or after the announced deadline, and no other action could mean it.
 *  8. A read-back is told by the id in its path and in its answer, whoever of the watched processes
 *     made it: content, not time, joins it.
 *  9. What prose alone speaks of (actions.h) is served last and takes nothing: it is no rival, owns
 *     nothing, and is nobody's home for a call.
 *
 * A window is [begin, end] of the spans (or from the model's answer to its next request with the
 * result, or from the turn's begin to the claim), widened by the margin on both sides. An exchange
 * that begins inside the unwidened window outranks one in the margin: both spans' clocks are one.
 * Without an id, one that begins in the margin alone is no attempt: it may be nobody's. It counts
 * as a like call outside of the window, which blocks absence, and "no retry".
 *
 * Pure, no memory of its own.
 */
#pragma once

#include "join/actions.h"
#include "join/held.h"

#define WW_JOIN_ATTEMPTS_MAX 64
#define WW_JOIN_NEAR_MAX     16
#define WW_JOIN_READS_MAX    8

/* As it stands in records; static text, "unknown" for other numbers. */
const char *ww_join_by_name(enum ww_join_by by);

/* Why an exchange that looks like the action's is not. X(enum suffix, number, text, meaning) */
#define WW_JOIN_NEARS(X)                                                              \
	X(REQUEST, 0, "request", "declared destination, another method or path")      \
	X(DESTINATION, 1, "destination", "the declared call, to another destination") \
	X(EARLY, 2, "early", "it began before the window")                            \
	X(LATE, 3, "late", "it began after the window")                               \
	X(TAKEN, 4, "taken", "another action's")

#define WW_JOIN_NEAR_ENUM_(n, v, t, d) WW_JOIN_NEAR_##n = (v),
enum ww_join_near { WW_JOIN_NEARS(WW_JOIN_NEAR_ENUM_) WW_JOIN_NEAR_WHY_MAX };
/* As above. */
const char *ww_join_near_name(enum ww_join_near why);

struct ww_join_window {
	struct ww_boot core_from, core_to;
	struct ww_boot from, to; /* with the margin */
};

struct ww_attempt {
	struct ww_match *match;
	enum ww_join_grade grade;
	enum ww_join_by by;
};

/* A read of the id that an attempt's answer has, by another exchange that began after it ended. */
struct ww_join_read {
	const struct ww_match *match;
	unsigned attempt; /* index */
};

struct ww_near {
	const struct ww_match *match;
	enum ww_join_near why;
};

struct ww_joined {
	struct ww_join_window window;
	enum ww_join_grade grade;
	enum ww_join_by by;
	uint32_t total; /* attempts; AMBIGUOUS: the n of AMBIGUOUS(n) */
	unsigned count; /* of them here, by begin: the attempts, or the candidates */
	struct ww_attempt attempts[WW_JOIN_ATTEMPTS_MAX];
	uint32_t read_total;
	unsigned read_count; /* of them here: the oldest */
	struct ww_join_read reads[WW_JOIN_READS_MAX];
	uint64_t known;  /* bit of the attempts whose id was there before they began */
	bool reads_over; /* more exchanges with one id than are looked at */
	const struct ww_match *elsewhere; /* EXACT, but not a declared destination; NULL: none */
	struct ww_attempt overdue;    /* a call that can only be this action's, made after it had to
				      be;    match NULL: none */
	struct ww_boot overdue_after; /* when it had to be made */
	bool overdue_contested;       /* another action may mean it as well */
	uint32_t near_total;
	unsigned near_count;
	struct ww_near near[WW_JOIN_NEAR_MAX];
	uint32_t
		foreign; /* like calls of other trees that nobody owns: a helper could have acted */
	uint32_t early;  /* like calls of this tree in the minute before the window that nobody else
			    means: the span's clock may be ahead */
	uint32_t late; /* like calls of this tree that nobody else means, in the margin or after the
			  window, up to the grace time after it and after the claim was received;
			  and in it another action's, where one of the two has no id to tell them
			  apart */
	uint32_t astray; /* calls that its span made by their trace, and its times deny */
	uint32_t almost; /* calls of this tree in the window that miss the contract by a little */
};

struct ww_join_ask {
	struct ww_held *held;
	const struct ww_actions *actions;
	struct ww_action *action; /* has a contract */
	uint64_t skew_ns;
	uint64_t grace_ns;
	struct ww_boot until; /* end of a window that nothing else closes */
	uint64_t round; /* that this is one of: nothing came in, and no claim was given, since it
			   began; 0: of none */
};

/* The action's window, see above; skew_ns is the margin, `until` the end where nothing else is one.
 */
struct ww_join_window ww_join_window_of(const struct ww_action *a, uint64_t skew_ns,
					struct ww_boot until);

/*
 * Everything about the action's attempts; changes only what is known to be meant. The result
 * borrows from `held` until that is changed.
 */
void ww_join_find(const struct ww_join_ask *ask, struct ww_joined *ret_joined);

/* Whether x is worth looking for the action again: see invariant 7. */
bool ww_join_may_be_late(const struct ww_join_ask *ask, struct ww_held_exchange *x);

/* Whether a call of the window is another action's. */
bool ww_join_taken(const struct ww_joined *j);

/* EXACT and UNIQUE attempts become the action's own; `late`: the overdue call is what it means.
 * ww_join_release gives back what it owned or meant, whatever its window was then. */
void ww_join_own(const struct ww_joined *j, struct ww_action *a, bool late);
void ww_join_release(const struct ww_join_ask *ask);

/* Other actions of the tree and contract whose windows overlap this one's and that own nothing. */
uint32_t ww_join_rivals(const struct ww_join_ask *ask);
