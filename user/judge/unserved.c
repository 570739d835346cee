/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/unserved.h"

void ww_unserved_add(struct ww_unserved *u, const struct ww_action *a, const struct ww_ruling *r)
{
	if (r->verdict != WW_VERDICT_NO_ACTION ||
	    !(a->tool_call_id[0] || a->key_said || ww_action_announced_until(a).ns))
		return;
	u->numbers[u->next] = a->number;
	u->roots[u->next] = a->root;
	u->next = (u->next + 1) % WW_UNSERVED_MAX;
}

struct ww_action *ww_unserved_at(struct ww_unserved *u, const struct ww_actions *actions,
				 unsigned i)
{
	struct ww_action *a = u->numbers[i] ? ww_actions_get(actions, u->numbers[i]) : NULL;

	if (a && a->judged && !a->owns)
		return a;
	ww_unserved_drop(u, i);
	return NULL;
}

bool ww_unserved_of(const struct ww_unserved *u, unsigned i, struct ww_actor_key root)
{
	return ww_held_same_tree(u->roots[i], root);
}

void ww_unserved_drop(struct ww_unserved *u, unsigned i)
{
	u->numbers[i] = 0;
}
