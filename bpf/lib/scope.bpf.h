/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who is watched: the first instructions of every program.
 *
 * A cgroup is in scope when it or one of its ancestors (at most WW_CGROUP_DEPTH_MAX) is in the map
 * ww_scope. The walk is done once per cgroup and remembered until the scope changes.
 */
#pragma once

#include "lib/core_fixes.bpf.h"
#include "lib/maps.bpf.h"

static __always_inline bool ww_scope_cached(__u64 cgroup, struct ww_scope_ref *ret_ref)
{
	struct ww_scope_ref *hit = bpf_map_lookup_elem(&ww_scope_cache, &cgroup);

	if (!hit || hit->generation != ww_generation)
		return false;
	*ret_ref = *hit;
	return true;
}

static __always_inline void ww_scope_walk(struct cgroup *cgroup, struct ww_scope_ref *ret_ref)
{
	struct ww_scope_ref ref = {.generation = ww_generation};
	__u64 own = BPF_CORE_READ(cgroup, kn, id);

	for (unsigned i = 0; i < WW_CGROUP_DEPTH_MAX && cgroup; i++) {
		__u64 id = BPF_CORE_READ(cgroup, kn, id);
		struct ww_scope_entry *entry = bpf_map_lookup_elem(&ww_scope, &id);

		if (entry) {
			ref.id = id;
			ref.slot = entry->slot;
			break;
		}
		/* The subsystem state is the cgroup's first member on all kernels. */
		cgroup = (struct cgroup *)BPF_CORE_READ(cgroup, self.parent);
	}
	bpf_map_update_elem(&ww_scope_cache, &own, &ref, BPF_ANY);
	*ret_ref = ref;
}

/* *ret_ref: the scope; id 0 when there is none. */
static __always_inline bool ww_scope_of_cgroup(struct cgroup *cgroup, struct ww_scope_ref *ret_ref)
{
	if (!cgroup)
		return false;
	if (!ww_scope_cached(BPF_CORE_READ(cgroup, kn, id), ret_ref))
		ww_scope_walk(cgroup, ret_ref);
	return ret_ref->id != 0;
}

static __always_inline bool ww_scope_of_task(struct task_struct *task, struct ww_scope_ref *ret_ref)
{
	return ww_scope_of_cgroup(BPF_CORE_READ(task, cgroups, dfl_cgrp), ret_ref);
}

/* `cgroup`: of the current task. */
static __always_inline bool ww_scope_current(__u64 cgroup, struct ww_scope_ref *ret_ref)
{
	struct task_struct *task;

	if (!ww_scope_cached(cgroup, ret_ref)) {
		task = (struct task_struct *)bpf_get_current_task();
		ww_scope_walk(BPF_CORE_READ(task, cgroups, dfl_cgrp), ret_ref);
	}
	return ret_ref->id != 0;
}

/* The innermost scope of a packet's socket; cgroups are counted from the root. Once per socket. */
static __always_inline bool ww_scope_of_skb(struct __sk_buff *skb, struct ww_scope_ref *ret_ref)
{
	ret_ref->id = 0;
	ret_ref->slot = 0;
	ret_ref->generation = ww_generation;
	for (unsigned i = 0; i < WW_CGROUP_DEPTH_MAX; i++) {
		__u64 id = bpf_skb_ancestor_cgroup_id(skb, i);
		struct ww_scope_entry *entry;

		if (!id)
			break;
		entry = bpf_map_lookup_elem(&ww_scope, &id);
		if (entry) {
			ret_ref->id = id;
			ret_ref->slot = entry->slot;
		}
	}
	return ret_ref->id != 0;
}

/* Whether the scope that a socket was found in is still one. */
static __always_inline bool ww_scope_of_flow(struct ww_flow_state *st)
{
	struct ww_scope_entry *entry;
	__u64 id = st->scope.id;

	if (!id || st->scope.generation == ww_generation)
		return id != 0;
	entry = bpf_map_lookup_elem(&ww_scope, &id);
	if (!entry)
		return false;
	st->scope.slot = entry->slot;
	st->scope.generation = ww_generation;
	return true;
}
