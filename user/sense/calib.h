/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this kernel can do, asked of its own BTF, never of its version number. `doctor` prints it,
 * the loader sets the programs' constants by it.
 */
#pragma once

#include <stdbool.h>

#include "base/own.h"

struct ww_wirewitness; /* the generated skeleton */

struct ww_calib {
	bool fetch_add;     /* atomics that return a value (5.12) */
	bool task_btf;      /* bpf_get_current_task_btf and task storage in probes (5.11) */
	bool sk_in_tp;      /* socket storage and cookie in BTF tracepoints (5.12) */
	bool loop;          /* bpf_loop (5.17) */
	bool kern_ctx;      /* bpf_cast_to_kern_ctx (6.2) */
	bool exit_group;    /* sched_process_exit says whether the whole group ends (6.16) */
	bool attach_cookie; /* bpf_get_attach_cookie (5.15) */
	bool uprobe_multi;  /* many sites by one link (6.6) */
	bool cgroup_unix;   /* hooks on connect and send of unix sockets (6.7) */
};

/* 0; -ENOENT: no BTF; -EACCES; other -errno of libbpf. */
WW_CHECK int ww_calib_run(struct ww_calib *ret_calib);

/* Writes the answers into the constants of the opened skeleton, before it is loaded. */
void ww_calib_apply(const struct ww_calib *c, struct ww_wirewitness *skel);
