/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ruling: from grounds to a verdict. The engines (lens/) are pure functions: they look nothing up
 * and keep nothing. With grounds.h and the tables of verdict.h and contract.h this is all that the
 * auditor's verifier shares with the judge; it must go on needing nothing else.
 */
#pragma once

#include "judge/grounds.h"

/* How the attempts went. */
struct ww_tally {
	uint32_t success, accepted, partial, failed, body_unknown;
	uint32_t redirected; /* or unchanged: done, if at all, elsewhere or before */
	uint32_t lost;       /* request acknowledged, no status */
	uint32_t unacked;    /* request sent, not acknowledged, no status: it may have arrived */
	uint32_t unsent, undecoded, unfinished;
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
	uint64_t until_ns; /* the deadline of PENDING, DEFERRED, EFFECT_MISSING; else 0 */
	uint64_t late_ns;  /* of ACTED_LATE: how much */
	const struct ww_grounds_read *read; /* the read-back that confirms, or NULL */
	uint64_t hurried; /* bit of the attempts that came before the Retry-After of the one before
			   */
	const struct ww_grounds_attempt *deciding; /* what the verdict is about, or NULL */
	bool flow;                                 /* it is about the undecoded flow */
	const struct ww_grounds_deed *deed;        /* what it is about on this host, or NULL */
	struct ww_tally tally;
	bool world_asked; /* the checklist was part of the decision */
	uint8_t answer;   /* RESULT_ALTERED, RESULT_INVENTED: answer paths it rests on, bit set */

	/* of the control engine */
	const struct ww_grounds_run *run; /* the one that decides, or NULL */
	uint32_t denied; /* runs about the same that did not allow, before the action */
	uint32_t uses;   /* other actions that had the same answer */
	int64_t gap_ns;  /* from the run's answer to the action's begin; negative: it came after */
};

/* The verdict that the grounds give: on the action, or on its control. */
void ww_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling);

/* What needs no look at the wire, and needs none of the grounds from `grade` on: true when ruled.
 */
bool ww_rule_plainly(const struct ww_grounds *g, struct ww_ruling *ret_ruling);

/* Whether the action was done with its control's leave. */
void ww_control_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling);

/* The wire answered, or carried something that could be the call: true when *ret_ruling was made.
 */
bool ww_effect_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling);

/* Nothing was joined: was nothing there? Always rules. */
void ww_commit_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling);

/* What somebody outside attests, beside what the wire gave: only T1 and T2 rise, to T3, and only
 * when nobody who attests denies it. No other verdict changes. */
enum ww_verdict ww_attest_rule(enum ww_verdict wire, unsigned achieved, unsigned not_achieved);

/* The remark that an attestation makes beside this verdict, or NULL. */
const char *ww_attest_finding(enum ww_verdict wire, bool achieved);

/* Only prose speaks of it: always rules, and never confirms or denies. */
void ww_prose_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling);

/* Whether a program was run, or a file changed, as declared. Always rules. */
void ww_local_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling);

/* The deed by which what is declared was done; NULL: it was not, or that is not known. */
const struct ww_grounds_deed *ww_local_rule_done(const struct ww_grounds_local *l);

/* NONE when none of the items in `mask` failed, else the reason of the first one. */
enum ww_reason ww_rule_unseen(const struct ww_grounds *g, uint32_t mask);

/* Why the bytes that nothing decodes are not read; for undecoded > 0. */
enum ww_reason ww_rule_unread(const struct ww_grounds *g);

void ww_rule_unverifiable(struct ww_ruling *r, enum ww_reason reason);
/* It may be n things, 0: not known how many. */
void ww_rule_ambiguous(struct ww_ruling *r, uint32_t n);

/* A claim, or a tool span that does not end in error. */
bool ww_rule_says_done(const struct ww_grounds *g);

/* The kernel sent what the request takes, and no bytes of its connection are unexplained: plaintext
 * alone may have been made up. */
bool ww_rule_accounted(const struct ww_grounds_call *c);

/* The first half of that. */
bool ww_rule_carried(const struct ww_grounds_call *c);

/* Of a request that no status came for: bytes that may be of a reply that no hook read. */
bool ww_rule_maybe_answered(const struct ww_grounds_flow *f);

/* Why the attempts of a verdict on an action leave open what they needed; NONE: they do not. */
enum ww_reason ww_rule_doubt(const struct ww_ruling *effect);

/* As the tier stands in records. */
const char *ww_rule_tier(const struct ww_ruling *r);
