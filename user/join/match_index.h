/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match_index: the matches that are held, by the id that they show and by the tree that made them,
 * each chain by arrival. Pure; borrows the matches until they are removed.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/hash.h"
#include "base/own.h"

struct ww_match;
struct ww_match_chain;

/* Empty: zeros. Nothing is left of it when the last match is removed. */
struct ww_match_index {
	struct ww_match_chain *by_id, *by_tree;
};

/* 0 or -ENOMEM: then m is in no chain. */
WW_CHECK int ww_match_index_add(struct ww_match_index *x, struct ww_match *m);
void ww_match_index_remove(struct ww_match_index *x, struct ww_match *m);

/* The newest with the id of m, which has one; go on with ->same_older. NULL: m is not in it. */
struct ww_match *ww_match_index_same_id(const struct ww_match_index *x, const struct ww_match *m);

/* The newest of a contract and tree; go on with ->tree_older. NULL: there is none. */
struct ww_match *ww_match_index_of_tree(const struct ww_match_index *x, uint32_t contract,
					struct ww_actor_key root);
