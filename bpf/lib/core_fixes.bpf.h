/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where kernels differ. Asked of BTF, never of a version number; the version is for the reader. */
#pragma once

#include "lib/core.bpf.h"

/* Before 5.15 the cgroup pointer shares its word with class id and flags; bit 0 set: no pointer. */
struct sock_cgroup_data___old {
	__u64 val;
} __attribute__((preserve_access_index));

static __always_inline struct cgroup *ww_fix_sock_cgroup(struct sock *sk)
{
	struct sock_cgroup_data___old *old;
	__u64 val;

	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	old = (void *)&sk->sk_cgrp_data;
	val = BPF_CORE_READ(old, val);
	return val & 1 ? NULL : (struct cgroup *)(val & ~3ull);
}
