/* SPDX-License-Identifier: Apache-2.0 */
/*
 * case: one action with everything the judge found out about it, and the grounds that the rules
 * are given of that.
 */
#pragma once

#include "join/control_runs.h"
#include "join/deeds.h"
#include "join/join.h"
#include "judge/closed_world.h"
#include "judge/ruling.h"

#define WW_LOCAL_DEEDS_MAX 32

/* Of an effect on this host (local_case.h). */
struct ww_local_case {
	struct ww_deeds *of;
	uint64_t look;  /* in deed.look of those that are */
	uint32_t total; /* deeds that can be the action's alone */
	unsigned count; /* of them here, by time */
	struct ww_deed *deeds[WW_LOCAL_DEEDS_MAX];
	bool meant;                    /* one of them is what is declared; others may undo it */
	uint32_t contested;            /* in its time, but another action may mean them as well */
	uint32_t taken;                /* in its time, and another action's */
	uint32_t early, late, foreign; /* the like outside of its time, or of other trees */
	const struct ww_deed *overdue; /* by this one the deeds are, after an announced date, */
	struct ww_boot overdue_seen;   /* of which the last was seen then */
	uint32_t unknown;              /* programs that may be it */
	uint32_t pairs;                /* of deeds and other actions that were looked at */
};

struct ww_case {
	const struct ww_held *held;
	const struct ww_contracts *all;
	const struct ww_action *action;
	const struct ww_contract *contract; /* NULL: none declares the tool */
	bool given_up;
	struct ww_joined joined;    /* with a network contract only, like world */
	struct ww_local_case local; /* with a process or file contract only: then joined has no more
				       than its window */
	struct ww_world world;
	uint32_t rivals;     /* other actions that could mean the same undecoded flow */
	uint32_t partners;   /* loose claim, or prose: how many actions it could mean */
	struct ww_turn turn; /* of its claims in prose, when it has any */
	bool still_open;     /* an exchange with a declared destination did not end in time */
	struct ww_boot now;
	bool finished;                          /* nothing more will be seen */
	const struct ww_controlled *controlled; /* it is about this control, and so is world;
						   NULL: about the action */
	enum ww_reason doubt; /* then: what the action's own verdict leaves open */
	struct ww_grounds grounds;
};

/* Fills in k->grounds; texts are borrowed from what k borrows from. */
void ww_case_ground(struct ww_case *k);

/* The same without a look at the wire: all that ww_rule_plainly() asks for. */
void ww_case_ground_plainly(struct ww_case *k);

/* What an attempt, a read or a run of k->grounds is of. */
const struct ww_match *ww_case_match(const struct ww_case *k, const struct ww_grounds_attempt *a);
const struct ww_match *ww_case_read(const struct ww_case *k, const struct ww_grounds_read *r);
const struct ww_control_run *ww_case_run(const struct ww_case *k, const struct ww_grounds_run *r);
