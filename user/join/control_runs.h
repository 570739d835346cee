/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_runs: which exchanges are runs of a control that an action needs, beside that action:
 * before it or not, about the same subject or not. Reads held.h and what join.h found; changes
 * nothing.
 *
 * Numbered invariants:
 *  1. An action begins with the first request byte of its first attempt, and a control is over with
 *     the last byte of its answer: both by the kernel's clock.
 *  2. Runs are of the action's process tree. Another tree's are counted: it may have asked for it.
 *     Where they must be of the action's trace, one that names none is a stray: it may be.
 *  3. Subjects that are not known are neither the same nor different. So are those of an action
 *     whose attempts are about several.
 *  4. A retry needs no new answer. But where one came in between that does not allow, the first
 *     retry after it is what is judged.
 *
 * Pure, no memory of its own.
 */
#pragma once

#include "join/join.h"

#define WW_CONTROL_RUNS_MAX 32

/* As it stands in records; static text, "unknown" for other numbers. */
const char *ww_control_says_name(enum ww_control_says s);

const char *ww_control_subject_name(enum ww_control_subject s);

struct ww_control_run {
	const struct ww_match *match;
	uint8_t says;                /* enum ww_control_says */
	uint8_t subject;             /* enum ww_control_subject */
	bool stray;                  /* of this trace or of another: it names none */
	struct ww_boot begun, ended; /* ended 0: no answer came */
};

struct ww_controlled {
	const struct ww_control *control;
	unsigned place;                  /* of it in its contract */
	const struct ww_attempt *action; /* the first attempt, or a retry: invariant 4 */
	struct ww_boot begun;            /* of it */
	struct ww_boot from;             /* a run before that allows nothing, for its age */
	struct ww_boot until;            /* runs are looked for until then */
	bool subjects_differ;            /* its attempts are about several */
	uint32_t total;                  /* runs and strays */
	unsigned count;                  /* of them here, the last ones, by begin */
	struct ww_control_run runs[WW_CONTROL_RUNS_MAX];
	uint32_t foreign; /* like calls of other trees */
	uint32_t almost;  /* calls of this tree that a server may take for one */
	uint32_t stray;   /* how many of the runs are strays */
};

/*
 * The runs of a's k-th control beside what was joined. False: no attempt was sent, so there is
 * nothing that needed one. slack_ns: how long after the action's last attempt is looked.
 */
bool ww_control_find(const struct ww_held *h, const struct ww_action *a,
		     const struct ww_contract *c, unsigned k, const struct ww_joined *j,
		     uint64_t slack_ns, struct ww_controlled *ret_controlled);

/* Actions of the tree about the same subject that began after the run's answer and before this one:
 * they had the same answer. *ret_unknown: calls of actions that are not known, beside them. */
uint32_t ww_control_uses(const struct ww_held *h, const struct ww_controlled *c,
			 const struct ww_control_run *run, uint32_t *ret_unknown);
