/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_case: which deeds can be an action's, whose effect is a program that is run or a file that
 * changes on this host, and whether others could have gone unseen. The counterpart of join.h and
 * closed_world.h for effects without a request.
 *
 * Numbered invariants:
 *  1. Time alone never joins: a deed is of the same process tree and as the contract declares.
 *  2. A deed is the action's when it lies in the action's own time, and no other action of the tree
 *     could mean it, whatever that has already. Of a file's change only bounds are known: it must
 *     have been seen after the action began, and not have happened before the margin.
 *  3. A run inside another one of the same contract, or one that its process went on from to
 *     another of the same contract, is a part of that; but inside one that the acting process
 *     itself is inside of is whatever it does. A part of what nobody's action began is not known.
 *  4. Like deeds before, after (up to the grace after the window and the receipt), of other trees
 *     or of somebody outside the scopes block absence.
 *  5. What is done after the window is late for an action that was only announced, when it began
 *     after the date, nothing was done in time, the action's time of nobody else holds it, and no
 *     other announced action could mean it. Whoever's time holds it takes it back later.
 */
#pragma once

#include "judge/case.h"

struct ww_local_case_ask {
	struct ww_case *k; /* with action, contract, now and finished */
	struct ww_deeds *deeds;
	struct ww_actions *actions;
	const struct ww_world_ask *world;
	struct ww_boot until; /* end of a window that nothing else closes */
	uint64_t skew_ns;
};

/* Fills in k->joined.window, k->local, k->world, k->still_open. Actions that own what this one may
 * mean as well are judged again. */
void ww_local_case_look(const struct ww_local_case_ask *ask);

/* Whether d may be what an action was announced for, and came after that. */
bool ww_local_case_may_be_late(const struct ww_contract *c, const struct ww_action *a,
			       const struct ww_deed *d);

/* The part of the grounds that is its own. */
void ww_local_case_ground(const struct ww_case *k, struct ww_grounds *g);

/* What it is of becomes the action's own; ww_local_case_release gives that back. */
void ww_local_case_own(const struct ww_case *k, struct ww_action *a);
void ww_local_case_release(const struct ww_deeds *deeds, struct ww_action *a);

/* The deed of a ground. */
const struct ww_deed *ww_local_case_deed(const struct ww_case *k, const struct ww_grounds_deed *d);

/* The member "local" of action and verdict: what was seen, and which of it decides. */
void ww_local_case_write(const struct ww_case *k, const struct ww_ruling *r,
			 const struct ww_clock_map *clock, struct ww_jsonw *w);
/* Its ids, into "refs". */
void ww_local_case_write_refs(const struct ww_case *k, struct ww_jsonw *w);
