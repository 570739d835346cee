/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Names every type that crosses to user space, so that the object's BTF describes it and
 * tests/bpf/test_abi.c can compare both compilers' layouts. No code. */
#include "lib/core.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

union ww_abi {
	struct ww_event_fork fork;
	struct ww_event_exec exec;
	struct ww_event_exit exit;
	struct ww_event_flow flow;
	struct ww_event_counters counters;
	struct ww_event_hello hello;
	struct ww_event_record record;
	struct ww_event_bind bind;
	struct ww_event_session session;
	struct ww_event_data data;
	struct ww_event_unix unix_peer;
	struct ww_event_packet packet;
	struct ww_event_guard guard;
	struct ww_scope_entry scope;
	struct ww_guard_key guard_key;
	struct ww_guard_value guard_value;
	struct ww_guard_totals guard_totals;
	struct ww_loss_row losses;
	struct ww_cpu_row cpu;
};

const union ww_abi *ww_abi __weak = NULL;
