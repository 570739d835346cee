/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sense: the guard's kernel side, an object of its own. It is loaded only where the guard is on, in
 * which case every scope has its programs beside the others.
 *
 * Numbered invariants:
 *  1. A decision is made by one list as a whole: a list is built beside the one in force, and one
 *     number changed. The events say which one decided (generation).
 *  2. Nothing is pinned: with the daemon, however it ends, the guard ends. It is no firewall.
 *  3. attempts: as many as the hooks met; events that found no room are told later, not lost.
 */
#pragma once

#include <wirewitness/event.h>
#include <wirewitness/kernel.h>

#include "base/own.h"
#include "policy/guard_list.h"

struct ww_wirewitness; /* the generated skeleton of all other programs */
struct ww_scopes;

struct ww_guard_bpf;

/* Loads it, with a list that forbids nothing, and adds its programs to those of the scopes. 0;
 * -ENOTSUP: this kernel is too old (5.12 is needed), *why says so; other -errno. why has cap bytes.
 */
WW_CHECK int ww_guard_open(struct ww_wirewitness *skel, struct ww_scopes *scopes,
			   struct ww_guard_bpf **ret, char *why, size_t cap);
void ww_guard_close(struct ww_guard_bpf *g);

/* One part of a list as a map of the kernel's; *ret_map is to be closed. Of the part of commands
 * generation and mode count. 0, -ENOMEM, other -errno. */
WW_CHECK int ww_guard_build(const struct ww_guard_list *list, uint32_t generation,
			    enum ww_guard_mode mode, int *ret_map);
/* From the return on every decision is by these two. 0 or -errno: the ones before stay. */
WW_CHECK int ww_guard_swap(struct ww_guard_bpf *g, int base, int commands);

/* What was not told of attempts comes with the next drain: of more than a second ago, or all. */
void ww_guard_sweep(struct ww_guard_bpf *g, bool all);

/* Nothing that belongs to this socket leaves the host any more. 0 or -errno. */
WW_CHECK int ww_guard_drop(struct ww_guard_bpf *g, uint64_t cookie);

/* Whose rules the scope with this cgroup id falls under; 0: it is no scope. */
uint64_t ww_guard_agents(const struct ww_guard_bpf *g, uint64_t cgroup);

struct ww_guard_counts {
	uint64_t looked;    /* decisions */
	uint64_t forbidden; /* of them, denied or would have been */
};
struct ww_guard_counts ww_guard_counts(const struct ww_guard_bpf *g);
