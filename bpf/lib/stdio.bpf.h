/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Descriptors as files: what standard input and output of a process lead to. */
#pragma once

#include "lib/actor.bpf.h"
#include "lib/emit.bpf.h"

#define S_IFMT_   0170000
#define S_IFIFO_  0010000
#define S_IFSOCK_ 0140000

/* As stat() shows a device number. */
static __always_inline __u32 ww_device_number(__u32 dev)
{
	__u32 major = dev >> 20, minor = dev & 0xfffff;

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

/* NULL: it is not open. */
static __always_inline struct file *ww_file_of(struct task_struct *task, __u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **slots;
	struct file *file = NULL;

	if (!fdt || fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	slots = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	return file;
}

/* False: it is no pipe and no socket. */
static __always_inline bool ww_stdio_key_of(struct file *file, struct ww_stdio_key *ret)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u16 type = BPF_CORE_READ(inode, i_mode) & S_IFMT_;

	if (type != S_IFIFO_ && type != S_IFSOCK_)
		return false;
	ret->inode = BPF_CORE_READ(inode, i_ino);
	ret->dev = ww_device_number(BPF_CORE_READ(inode, i_sb, s_dev));
	ret->_pad = 0;
	return true;
}

/* A socket pair has its maker's pid on both sides. */
static __always_inline bool ww_stdio_end_of(struct file *file, struct ww_stdio_end *ret)
{
	struct ww_stdio_key key;
	struct socket *socket;
	struct sock *sk;

	if (!file || !ww_stdio_key_of(file, &key))
		return false;
	ret->inode = key.inode;
	ret->dev = key.dev;
	ret->kind = WW_STDIO_PIPE;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT_) == S_IFIFO_)
		return true;
	socket = (struct socket *)BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return false;
	ret->kind = WW_STDIO_UNIX;
	ret->peer_pid = BPF_CORE_READ(sk, sk_peer_pid, numbers[0].nr);
	return true;
}

/* Tells a channel, of each process that becomes another program; of what is there already also who
 * has none: its exact start is news. */
static __always_inline void ww_stdio_tell(struct task_struct *task,
					  const struct ww_scope_ref *scope, bool born)
{
	struct file *in = ww_file_of(task, 0), *out = ww_file_of(task, 1);
	struct ww_stdio_end end[2] = {};
	struct ww_event_stdio *e;

	bool channel = ww_stdio_end_of(in, &end[0]) && ww_stdio_end_of(out, &end[1]);

	if (!channel && born)
		return;
	e = ww_control_begin(struct ww_event_stdio, WW_EVENT_STDIO, scope);
	if (!e)
		return;
	ww_actor_of_task(task, &e->h.actor);
	if (channel) {
		e->end[0] = end[0];
		e->end[1] = end[1];
	}
	e->born = born;
	ww_control_end(e);
}
