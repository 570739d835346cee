/* SPDX-License-Identifier: Apache-2.0 */
/* unserved: actions that nothing was found for, and that something late may still be for: the last
 * of them, by number. Pure. */
#pragma once

#include "join/actions.h"
#include "judge/ruling.h"

#define WW_UNSERVED_MAX 64u

struct ww_unserved {
	unsigned next;
	uint64_t numbers[WW_UNSERVED_MAX]; /* 0: none */
	struct ww_actor_key roots[WW_UNSERVED_MAX];
};

/* Takes it up, where something may still come that says whose it is. */
void ww_unserved_add(struct ww_unserved *u, const struct ww_action *a, const struct ww_ruling *r);

/* The one in place i; NULL: there is none, or it has been served. */
struct ww_action *ww_unserved_at(struct ww_unserved *u, const struct ww_actions *actions,
				 unsigned i);
/* Whether the one in place i, if there is one, is of this process tree. */
bool ww_unserved_of(const struct ww_unserved *u, unsigned i, struct ww_actor_key root);
void ww_unserved_drop(struct ww_unserved *u, unsigned i);
