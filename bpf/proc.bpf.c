/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who is acting: processes in scope are born, become another program, and end. */
#include "lib/actor.bpf.h"
#include "lib/emit.bpf.h"
#include "lib/path.bpf.h"
#include "lib/scope.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SIGNAL_GROUP_EXIT_ 4

/* The child's own cgroup counts: clone3() may have put it elsewhere. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(ww_fork, struct task_struct *parent, struct task_struct *child)
{
	struct ww_scope_ref scope;
	struct ww_event_fork *e;

	if (!ww_scope_of_task(child, &scope))
		return 0;
	if (child->pid != child->tgid) /* a thread */
		return 0;
	e = ww_control_begin(struct ww_event_fork, WW_EVENT_PROC_FORK, &scope);
	if (!e)
		return 0;
	ww_actor_of_task(child, &e->h.actor);
	ww_actor_of_task(parent, &e->parent);
	ww_control_end(e);
	return 0;
}

/* As stat() shows a device number. */
static __always_inline __u32 device_number(__u32 dev)
{
	__u32 major = dev >> 20, minor = dev & 0xfffff;

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

/* The pid inside the process's own pid namespace. */
static __always_inline __u32 namespace_pid(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	__u64 at = bpf_core_field_offset(pid->numbers) +
		   (__u64)level * bpf_core_type_size(struct upid);
	struct upid *upid = (void *)pid + at;

	return BPF_CORE_READ(upid, nr);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(ww_exec, struct task_struct *task)
{
	struct ww_scope_ref scope;
	struct ww_event_exec *e;
	struct file *exe;

	if (!ww_scope_of_task(task, &scope))
		return 0;
	e = ww_control_begin(struct ww_event_exec, WW_EVENT_PROC_EXEC, &scope);
	if (!e)
		return 0;
	ww_actor_of_task(task, &e->h.actor);
	ww_actor_of_task(BPF_CORE_READ(task, real_parent), &e->parent);
	exe = BPF_CORE_READ(task, mm, exe_file);
	if (exe) {
		e->exe_inode = BPF_CORE_READ(exe, f_inode, i_ino);
		e->exe_dev = device_number(BPF_CORE_READ(exe, f_inode, i_sb, s_dev));
		e->path_bytes = ww_path_of(exe, e->path);
	}
	e->uid = bpf_get_current_uid_gid();
	e->ns_pid = namespace_pid(task);
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), &task->comm);
	ww_control_end(e);
	return 0;
}

/* The process ends with its last thread, which need not be the first one. */
SEC("tp_btf/sched_process_exit")
int ww_exit(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct ww_scope_ref scope;
	struct ww_event_exit *e;
	int code;

	if (!ww_scope_of_task(task, &scope))
		return 0;
	if (ww_has_exit_group ? !(bool)ctx[1] : BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT_)
		code = BPF_CORE_READ(task, signal, group_exit_code);
	else
		code = BPF_CORE_READ(task, group_leader, exit_code);
	e = ww_control_begin(struct ww_event_exit, WW_EVENT_PROC_EXIT, &scope);
	if (!e)
		return 0;
	ww_actor_of_task(task, &e->h.actor);
	e->code = code & 0x7f ? -(code & 0x7f) : code >> 8 & 0xff;
	ww_control_end(e);
	return 0;
}
