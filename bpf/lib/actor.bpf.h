/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who acts: the process identity of a task, and whether "current" means anything. */
#pragma once

#include "lib/core_fixes.bpf.h"
#include "lib/maps.bpf.h"

static __always_inline void ww_actor_of_task(struct task_struct *task, struct ww_actor_key *ret)
{
	ret->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	ret->pid = BPF_CORE_READ(task, tgid);
	ret->tid = BPF_CORE_READ(task, pid);
}

/* Works in every program type on every kernel; in probes bpf_get_current_pid_tgid() is cheaper. */
static __always_inline void ww_actor_current(struct ww_actor_key *ret)
{
	ww_actor_of_task((struct task_struct *)bpf_get_current_task(), ret);
}

/*
 * Whether the current task is the one that makes `sk` send: not an interrupt that came in its time.
 * A TCP socket that is locked by a process (owned) sends for nobody else: the stack puts what
 * arrives meanwhile on its backlog, and timers wait. Other sockets send in no other context than
 * their user's. Kernel threads own nothing.
 */
static __always_inline bool ww_in_process(struct bpf_sock *sk)
{
	struct task_struct *task;
	struct sock *address = NULL;

	if (sk->protocol == IPPROTO_TCP) {
		/* The verifier's socket pointer is the address of the kernel's socket. */
		bpf_probe_read_kernel(&address, sizeof(address), &sk);
		if (BPF_CORE_READ(address, sk_lock.owned) == 0)
			return false;
	}
	task = (struct task_struct *)bpf_get_current_task();
	return !(BPF_CORE_READ(task, flags) & 0x00200000 /* PF_KTHREAD */);
}
