/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: what of a policy file and of address tables becomes rules of the guard's list. Pure.
 *
 * The kernel knows a process by its scope's cgroup alone. Where an agent's rule asks for a program
 * as well, who falls under it is not known there: such a scope stands for all agents that its
 * processes may fall under, and what not each of them is forbidden goes.
 */
#pragma once

#include "policy/guard_list.h"
#include "policy/policy_file.h"
#include "policy/tables.h"

/* Whose rules the processes of the scope with this cgroup path (below the mount) may fall under. */
uint64_t ww_guard_rules_agents(const struct ww_policy *p, struct ww_slice cgroup_path);

/* The bit of an agent, by its name: 0: there is none. *ret_by_program: the kernel cannot tell it.
 */
uint64_t ww_guard_rules_agent(const struct ww_policy *p, struct ww_slice name,
			      bool *ret_by_program);

/* The name of the agent with this bit number; empty: of who falls under no rule. Borrowed. */
struct ww_slice ww_guard_rules_name(const struct ww_policy *p, unsigned bit);

/* The file's own lists: what is in both is denied. 0; -E2BIG; -ENOMEM. */
WW_CHECK int ww_guard_rules_lists(const struct ww_policy *p, struct ww_guard_list *l);

/* What regions, homes and on_unlisted say of the networks of the tables. */
struct ww_guard_derived {
	struct ww_guard_rule *rules;
	uint32_t count;
	bool dated; /* rows of the tables begin or end some day */
};

/*
 * As of that time: for every network of the tables what the placement of its addresses says. Where
 * rows disagree (MIXED) nothing is denied, and what databases alone say of a network is not looked
 * for. 0; -E2BIG: more than WW_GUARD_RULES_MAX; -ENOMEM.
 */
WW_CHECK int ww_guard_rules_derive(const struct ww_policy *p, const struct ww_tables *t,
				   struct ww_wall at, struct ww_guard_derived *ret);
void ww_guard_derived_done(struct ww_guard_derived *d);

/*
 * A rule like this one for every network that a table lists in the region: a region of the policy,
 * or else a word of the tables. *ret_count: how many. 0; -E2BIG; -ENOMEM.
 */
WW_CHECK int ww_guard_rules_region(const struct ww_policy *p, const struct ww_tables *t,
				   struct ww_slice region, const struct ww_guard_rule *like,
				   struct ww_guard_list *l, uint32_t *ret_count);
