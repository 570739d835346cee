/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counters of live sockets in scope: reading the iterator emits one event for each that moved. */
#include "lib/emit.bpf.h"
#include "lib/scope.bpf.h"
#include "lib/sockinfo.bpf.h"

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

SEC("iter/bpf_sk_storage_map")
int ww_stat(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct ww_flow_state *st = ctx->value;
	struct sock *sk = ctx->sk;
	struct ww_event_counters *e;
	__u64 sum;

	if (!sk || !st || !st->ready)
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
