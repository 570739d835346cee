/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ruling: what the engines are given for one action, and what they answer. The engines (lens/) are
 * pure functions from a case to a ruling: they look nothing up and keep nothing.
 */
#pragma once

#include "judge/closed_world.h"
#include "join/controlled.h"
#include "join/join.h"

struct ww_case {
	const struct ww_held *held;
	const struct ww_action *action;
	const struct ww_contract *contract; /* NULL: none declares the tool */
	struct ww_joined joined;            /* with a network contract only, like world */
	struct ww_world world;
	uint32_t rivals;     /* other actions that could mean the same undecoded flow */
	uint32_t partners;   /* loose claim, or prose: how many actions it could mean */
	struct ww_turn turn; /* of its claims in prose, when it has any */
	bool still_open;     /* an exchange with a declared destination did not end in time */
	struct ww_boot now;
	bool finished; /* nothing more will be seen */
};

/* How the attempts went. */
struct ww_tally {
	uint32_t success, accepted, partial, failed, body_unknown;
	uint32_t redirected; /* or unchanged: done, if at all, elsewhere or before */
	uint32_t lost;       /* request acknowledged, no status */
	uint32_t unacked;    /* request sent, not acknowledged, no status */
	uint32_t unsent, undecoded, unfinished;
};

/* What the control engine adds. */
struct ww_control_ruling {
	const struct ww_controlled *of;
	const struct ww_control_run *run; /* the one that decides, or NULL */
	uint32_t denied; /* runs about the same that did not allow, before the action */
	uint32_t uses;   /* other actions that had the same answer */
	int64_t gap_ns;  /* from the run's answer to the action's begin; negative: it came after */
	bool narrated;   /* text says that it was done */
};

struct ww_ruling {
	const char *engine; /* "effect", "commit", "control" or "prose" */
	enum ww_verdict verdict;
	enum ww_reason reason;
	enum ww_evidence evidence;
	enum ww_join_grade join;
	enum ww_join_by by;
	uint32_t n; /* of AMBIGUOUS(n), DUPLICATE_EFFECT(n), POSSIBLE_DUPLICATE(n),
		       PARTIAL_EFFECT(k/n); else 0 */
	uint32_t k;
	struct ww_boot until; /* the deadline of PENDING, DEFERRED, EFFECT_MISSING; else 0 */
	uint64_t late_ns;     /* of ACTED_LATE: how much */
	const struct ww_join_read *read; /* the read-back that confirms, or NULL */
	uint64_t hurried; /* bit of the attempts that came before the Retry-After of the one before
			   */
	const struct ww_attempt *deciding; /* the attempt the verdict is about, or NULL */
	const struct ww_held_flow *flow;   /* undecoded evidence, or NULL */
	struct ww_tally tally;
	bool world_asked;                        /* the checklist was part of the decision */
	const struct ww_control_ruling *control; /* of the control engine, else NULL */
	uint8_t answer; /* RESULT_ALTERED, RESULT_INVENTED: answer paths it rests on, bit set */
};

/* Whether the action was done with this control's leave. k->world is of the control's calls, up to
 * the action's begin. *ret_control is filled, and *ret_ruling points to it. */
void ww_control_rule(const struct ww_case *k, const struct ww_controlled *c, bool narrated,
		     struct ww_control_ruling *ret_control, struct ww_ruling *ret_ruling);

/* The kernel sent what x's request takes, and no bytes of its connection are unexplained: plaintext
 * alone may have been made up. */
bool ww_ruling_accounted(const struct ww_held *h, const struct ww_held_exchange *x);

/* No status came for m, but bytes that may be of a reply that no hook read. */
bool ww_ruling_maybe_answered(const struct ww_held *h, const struct ww_match *m);

/* Declared members of the shown result that no answer has; with `new_ones`, also those that no
 * answer has at all. Bit set. 0 where an answer could have been seen by the harness and not by us.
 */
uint8_t ww_shown_altered(const struct ww_case *k, bool new_ones);

/* Whether a result that no answer to the action gave may be honest: what an earlier answer said, or
 * another service that was asked in the window; of a read also a copy, however old. */
bool ww_shown_from_elsewhere(const struct ww_case *k);

/* The wire answered, or carried something that could be the call: true when *ret_ruling was made.
 */
bool ww_effect_rule(const struct ww_case *k, struct ww_ruling *ret_ruling);

/* Nothing was joined: was nothing there? Always rules. */
void ww_commit_rule(const struct ww_case *k, struct ww_ruling *ret_ruling);

/* Only prose speaks of it: always rules, and never confirms or denies. */
void ww_prose_rule(const struct ww_case *k, struct ww_ruling *ret_ruling);
