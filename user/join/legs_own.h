/* SPDX-License-Identifier: Apache-2.0 */
/* What legs.c and legs_flow.c share. */
#pragma once

#include "join/legs.h"

struct ww_legs {
	struct ww_leg_tree *trees;
	struct ww_leg *legs; /* all that are listed, by arrival */
	uint32_t listed, closed_count;
	struct ww_leg_path *paths; /* by arrival */
	struct ww_leg_path *waiting;
	struct ww_leg_path *by_id, *by_key;
	struct ww_leg_flow *flows;  /* by cookie */
	struct ww_leg_flow *ends;   /* of TCP, by their ends */
	struct ww_leg_flow *closed; /* by close */
	struct ww_leg_lookup *lookups;
	struct ww_legs_blind blind;
	struct ww_legs_counts counts;
	ww_legs_gone_fn gone;
	void *gone_ctx;
};

/* Something that ended at t was dropped. */
void ww_legs_blind(struct ww_boot *blind, struct ww_boot t);
/* NULL: no memory. */
struct ww_leg_tree *ww_legs_tree_for(struct ww_legs *l, struct ww_actor_key root);
/* Frees a tree that nothing is held of any more; NULL is accepted. */
void ww_legs_tree_settle(struct ww_legs *l, struct ww_leg_tree *t);
/* Bytes that the connection carries when all that was written so far is sent; 0: not known. */
uint64_t ww_legs_written(const struct ww_leg_flow *f);
void ww_legs_flows_done(struct ww_legs *l);
void ww_legs_flows_expire(struct ww_legs *l, struct ww_boot t);
