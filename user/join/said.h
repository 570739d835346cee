/* SPDX-License-Identifier: Apache-2.0 */
/*
 * said: puts what an answer's text claims to the actions that it may mean. What it means is known
 * by topic and tool only, so:
 *
 *  1. A claim goes to the calls of its topic's tools that the same turn made: those that the
 * history of its request holds and those that come with the text. To all of them: it does not say
 * which.
 *  2. Only when there are none does it open an action of its own, one per turn, kind and topic. If,
 *     before that is judged, a call of the same turn, a span or a structured claim comes that it
 * may mean, and only one, then it goes there.
 *  3. A check that is narrated, in the text or in reasoning that is shown, is noted at the calls of
 *     the turn so far and at those that come with it.
 *
 * Pure.
 */
#pragma once

#include "join/actions.h"

/* What `call`, decoded from x, says: after its tool calls and results were added. 0 or -ENOMEM. */
WW_CHECK int ww_said_add(struct ww_actions *t, const struct ww_exchange *x,
			 const struct ww_model_call *call);

/*
 * Gives an action that prose opened to the one that it can only mean; true: it is gone. Else
 * *ret_partners says how many it may mean. skew_ns: how far a span's clock may be off.
 */
bool ww_said_give(struct ww_actions *t, struct ww_action *a, uint64_t skew_ns,
		  unsigned *ret_partners);

static inline bool ww_said_may_mean(const struct ww_action_prose *p, int contract)
{
	return contract >= 0 && contract < (int)WW_CONTRACTS_MAX &&
	       p->tools[contract / 64] & (1ull << (contract % 64));
}
