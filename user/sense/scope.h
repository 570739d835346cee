/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scopes: which cgroups are watched. Socket programs are attached to each scope's own cgroup, so
 * that other cgroups pay nothing; its id in the map ww_scope is what every other program checks
 * first.
 *
 * A scope may lie inside another. Events then name the inner one; socket programs sit only on the
 * outermost, or each packet would run them twice.
 */
#pragma once

#include <bpf/libbpf.h>

#include <wirewitness/event.h>
#include <wirewitness/kernel.h>

#include "base/own.h"

#define WW_SCOPE_PROGRAMS_MAX 16
#define WW_SCOPES_MAX         64
#define WW_CGROUP_PATH_MAX    512

/* The mount point of cgroup v2, alone or beside v1. 0; -ENOTSUP: only v1; -errno. cap bytes at
 * path. */
WW_CHECK int ww_scope_mount(char *path, size_t cap);

struct ww_scope_program {
	struct bpf_program *program;
	uint32_t attach_type;
	uint32_t covers; /* WW_COVERS_* bits that depend on it */
	bool needed;     /* a scope without it is none */
};

struct ww_scopes {
	int scope_map;           /* borrowed */
	uint32_t *generation[2]; /* of the kernel's cached decisions, per object (NULL: none);
				    borrowed, in mapped memory */
	unsigned program_count;
	struct ww_scope_program programs[WW_SCOPE_PROGRAMS_MAX];
	unsigned count;
	struct ww_scope {
		uint64_t id;
		uint32_t slot; /* row of the loss counters, 1 and up */
		uint32_t covers;
		char path[WW_CGROUP_PATH_MAX];
		int links[WW_SCOPE_PROGRAMS_MAX];
	} scopes[WW_SCOPES_MAX];
};

/* Attaches and begins. agents: see ww_scope_entry. *ret_covers: bits whose programs are all
 * attached. 0; -EEXIST; -ENOSPC; -errno. */
WW_CHECK int ww_scope_add(struct ww_scopes *s, const char *path, uint64_t agents, uint64_t *ret_id,
			  uint32_t *ret_covers);
/* Detaches and ends; an id that is not watched is no error. */
void ww_scope_remove(struct ww_scopes *s, uint64_t id);
void ww_scope_remove_all(struct ww_scopes *s);

/* Calls fn with a WW_EVENT_PROC_INFO for every process in the cgroup or below it. 0 or -errno. */
WW_CHECK int ww_scope_members(const char *path, uint64_t id,
			      void (*fn)(void *ctx, const struct ww_event *ev), void *ctx);
