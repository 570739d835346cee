/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who is acting: processes in scope are born, become another program, and end. */
#include "lib/actor.bpf.h"
#include "lib/emit.bpf.h"
#include "lib/path.bpf.h"
#include "lib/scope.bpf.h"
#include "lib/stdio.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SIGNAL_GROUP_EXIT_ 4

static __always_inline void remember(struct task_struct *task, const struct ww_scope_ref *scope)
{
	struct ww_member m = {.start_ns = BPF_CORE_READ(task, group_leader, start_boottime),
			      .scope = *scope};
	__u32 pid = BPF_CORE_READ(task, tgid);

	if (bpf_map_update_elem(&ww_members, &pid, &m, BPF_ANY) != 0)
		ww_lost(scope->slot, WW_LOSS_MAP_FULL, 1, 0);
}

static __always_inline void emit_left(struct task_struct *task, const struct ww_scope_ref *scope)
{
	struct ww_event *e = ww_begin(&ww_control, WW_RING_CONTROL, WW_EVENT_PROC_LEFT, sizeof(*e),
				      scope, sizeof(*e));

	if (!e)
		return;
	ww_actor_of_task(task, &e->actor);
	e->cookie = 0;
	ww_control_end(e);
}

/* After the move. What a member does elsewhere is out of sight. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(ww_moved, struct cgroup *to, const char *path, struct task_struct *task)
{
	__u32 pid = BPF_CORE_READ(task, tgid);
	struct ww_member *m = bpf_map_lookup_elem(&ww_members, &pid);
	struct ww_scope_ref scope;
	bool in = ww_scope_of_task(task, &scope);

	if (m && m->start_ns == BPF_CORE_READ(task, group_leader, start_boottime) &&
	    (!in || scope.id != m->scope.id))
		emit_left(task, &m->scope);
	if (in)
		remember(task, &scope);
	else if (m)
		bpf_map_delete_elem(&ww_members, &pid);
	return 0;
}

/* The child's own cgroup counts: clone3() may have put it elsewhere. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(ww_fork, struct task_struct *parent, struct task_struct *child)
{
	struct ww_scope_ref scope;
	struct ww_event_fork *e;

	if (child->pid != child->tgid) /* a thread */
		return 0;
	if (!ww_scope_of_task(child, &scope)) {
		if (ww_scope_of_task(parent, &scope))
			emit_left(child, &scope);
		return 0;
	}
	remember(child, &scope);
	e = ww_control_begin(struct ww_event_fork, WW_EVENT_PROC_FORK, &scope);
	if (!e)
		return 0;
	ww_actor_of_task(child, &e->h.actor);
	ww_actor_of_task(parent, &e->parent);
	ww_control_end(e);
	return 0;
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

/*
 * Whether who mounted the file needed no rights for that: in a user namespace of their own. A mount
 * that is nowhere any more has no namespace; the kernel's own have an error for one.
 */
static __always_inline bool own_mounts(struct file *exe)
{
	struct vfsmount *vfsmount = BPF_CORE_READ(exe, f_path.mnt);
	struct mount *mount = container_of(vfsmount, struct mount, mnt);
	struct mnt_namespace *ns = BPF_CORE_READ(mount, mnt_ns);
	struct user_namespace *user = BPF_CORE_READ(ns, user_ns);

	return !user || BPF_CORE_READ(user, level) > 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(ww_exec, struct task_struct *task)
{
	struct ww_scope_ref scope;
	struct ww_event_exec *e;
	struct file *exe;

	if (!ww_scope_of_task(task, &scope))
		return 0;
	remember(task, &scope);
	e = ww_control_begin(struct ww_event_exec, WW_EVENT_PROC_EXEC, &scope);
	if (!e)
		return 0;
	ww_actor_of_task(task, &e->h.actor);
	ww_actor_of_task(BPF_CORE_READ(task, real_parent), &e->parent);
	exe = BPF_CORE_READ(task, mm, exe_file);
	if (exe) {
		e->exe_inode = BPF_CORE_READ(exe, f_inode, i_ino);
		e->exe_dev = ww_device_number(BPF_CORE_READ(exe, f_inode, i_sb, s_dev));
		e->path_bytes = ww_path_of(exe, e->path);
		e->own_mounts = own_mounts(exe);
	}
	e->uid = bpf_get_current_uid_gid();
	e->ns_pid = namespace_pid(task);
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), &task->comm);
	ww_control_end(e);
	ww_stdio_tell(task, &scope, true);
	return 0;
}

/*
 * The process ends with its last thread, which need not be the first one. Where the tracepoint does
 * not tell, two threads that end together both find no other alive: the first one here speaks.
 */
static __always_inline bool last_thread(struct task_struct *task, bool told)
{
	struct ww_actor_key key = {};
	__u8 one = 1;

	if (ww_has_exit_group)
		return told;
	if (BPF_CORE_READ(task, signal, live.counter) != 0)
		return false;
	ww_actor_of_task(task, &key);
	key.tid = 0;
	return bpf_map_update_elem(&ww_exited, &key, &one, BPF_NOEXIST) == 0;
}

SEC("tp_btf/sched_process_exit")
int ww_exit(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct ww_scope_ref scope;
	struct ww_event_exit *e;
	__u32 pid = BPF_CORE_READ(task, tgid);
	int code;

	if (!ww_scope_of_task(task, &scope))
		return 0;
	if (!last_thread(task, ww_has_exit_group && ctx[1]))
		return 0;
	bpf_map_delete_elem(&ww_members, &pid);
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
