/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is there already: reading an iterator emits events about it. */
#include "lib/actor.bpf.h"
#include "lib/emit.bpf.h"
#include "lib/scope.bpf.h"
#include "lib/sockinfo.bpf.h"
#include "lib/stdio.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void fill_tcp(struct sock *sk, struct ww_flow_state *st,
				     struct ww_event_counters *e)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	int connected = st->connect ? 1 : st->late ? -1 : 0;

	ww_sock_counters(sk, state, connected, e);
	e->state_old = e->state_new = state;
	e->records_exact = ww_flow_exact(st);
}

static __always_inline void fill_other(struct sock *sk, struct ww_flow_state *st,
				       struct ww_event_counters *e)
{
	ww_sock_ends(sk, &e->local, &e->peer);
	e->bytes_sent = st->bytes[WW_DIR_OUT];
	e->bytes_received = st->bytes[WW_DIR_IN];
	e->segs_out = st->packets[WW_DIR_OUT];
	e->segs_in = st->packets[WW_DIR_IN];
	e->proto = st->proto;
}

static __always_inline __u64 movement(struct sock *sk, const struct ww_flow_state *st)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	if (st->proto != IPPROTO_TCP)
		return (__u64)st->packets[0] + st->packets[1];
	return BPF_CORE_READ(tp, bytes_sent) + BPF_CORE_READ(tp, bytes_acked) +
	       BPF_CORE_READ(tp, bytes_received);
}

/* Live sockets in scope whose counters moved since the last time. */
SEC("iter/bpf_sk_storage_map")
int ww_stat(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct ww_flow_state *st = ctx->value;
	struct sock *sk = ctx->sk;
	struct ww_event_counters *e;
	__u64 sum;

	if (!sk || !st || !st->ready || !ww_scope_of_flow(st))
		return 0;
	if (st->proto == IPPROTO_TCP && BPF_CORE_READ(sk, __sk_common.skc_state) == BPF_TCP_CLOSE)
		return 0;
	sum = movement(sk, st);
	if (sum == st->stat_sum)
		return 0;
	e = ww_control_begin(struct ww_event_counters, WW_EVENT_FLOW_STAT, &st->scope);
	if (!e)
		return 0;
	st->stat_sum = sum;
	e->h.cookie = st->cookie;
	if (st->proto == IPPROTO_TCP)
		fill_tcp(sk, st, e);
	else
		fill_other(sk, st, e);
	ww_control_end(e);
	return 0;
}

/* --- sockets that existed before us --------------------------------------------------------- */

/* From here on its counters are told, also when it was made outside of the scope. */
static __always_inline void adopt(struct ww_flow_state *st, const struct ww_event_flow *e,
				  const struct ww_scope_ref *scope)
{
	st->scope = *scope;
	st->cookie = e->h.cookie;
	st->local = e->local;
	st->proto = e->proto;
	if (st->proto == IPPROTO_TCP)
		st->walk[0].mode = st->walk[1].mode = WW_WALK_DONE;
	st->ready = st->late = true;
}

static __always_inline void emit_owned(struct task_struct *task, struct sock *sk, __u16 type,
				       const struct ww_scope_ref *scope)
{
	struct ww_flow_state *st =
		bpf_sk_storage_get(&ww_flows, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	struct ww_event_flow *e;

	if (!st)
		ww_lost(scope->slot, WW_LOSS_MAP_FULL, 1, 0);
	if (!st || st->named)
		return;
	e = ww_control_begin(struct ww_event_flow, WW_EVENT_FLOW_OWNER, scope);
	if (!e)
		return;
	ww_actor_of_task(task, &e->h.actor);
	e->h.cookie = bpf_get_socket_cookie(sk);
	ww_sock_ends(sk, &e->local, &e->peer);
	e->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	e->uid = BPF_CORE_READ(task, cred, uid.val);
	e->proto = BPF_CORE_READ(sk, sk_protocol);
	e->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	e->type = type;
	if (e->type == SOCK_DGRAM_)
		e->role = WW_FLOW_SEND;
	st->owner = e->h.actor;
	st->named = true;
	if (!st->ready)
		adopt(st, e, scope);
	ww_control_end(e);
}

/*
 * Every descriptor of every process: the internet sockets that processes in scope hold, wherever
 * they were made. Listeners and sockets that are not in use are no flows. And the channels of their
 * standard input and output.
 */
SEC("iter/task_file")
int ww_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct ww_scope_ref scope;
	struct socket *socket;
	struct sock *sk;
	__u16 family;
	__u8 state;

	if (!task || !file || !ww_scope_of_task(task, &scope))
		return 0;
	if (ctx->fd == 0 && task->pid == task->tgid)
		ww_stdio_tell(task, &scope, false);
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if ((family != AF_INET && family != AF_INET6) || state == BPF_TCP_LISTEN ||
	    (state == BPF_TCP_CLOSE && socket->type == SOCK_STREAM_))
		return 0;
	emit_owned(task, sk, socket->type, &scope);
	return 0;
}
