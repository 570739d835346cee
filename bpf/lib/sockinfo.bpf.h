/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel knows of a TCP socket: its ends, its counters, how it ended.
 *
 * Sequence numbers count one position for SYN and one for FIN; payload is what is left:
 *   bytes_acked    counts from our SYN on when we connected (not when we accepted), our FIN
 *                  included once it is acknowledged;
 *   snd_nxt - snd_una  is in flight, our FIN included once it is sent;
 *   bytes_received counts the peer's FIN once it is in order (then SOCK_DONE is set).
 * bytes_sent - bytes_retrans agrees with that, except when the host itself refuses a packet on its
 * way out: that one is sent again without being called a retransmission.
 */
#pragma once

#include "lib/core_fixes.bpf.h"
#include "lib/maps.bpf.h"

#define IPPROTO_MPTCP_ 262

static __always_inline void ww_sock_ends(struct sock *sk, struct ww_endpoint *local,
					 struct ww_endpoint *peer)
{
	struct inet_sock *inet = (struct inet_sock *)sk;

	local->family = peer->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (local->family == AF_INET6) {
		BPF_CORE_READ_INTO(&local->addr, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&peer->addr, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	} else {
		*(__u32 *)local->addr = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		*(__u32 *)peer->addr = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	}
	local->port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	peer->port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

/*
 * The same as the programs attached to cgroups may see it. No else branch: the compiler would fold
 * both branches' loads into one with a computed offset, which the verifier refuses.
 */
static __always_inline void ww_sock_ends_of(struct bpf_sock *sk, struct ww_endpoint *local,
					    struct ww_endpoint *peer)
{
	__u32 *l = (__u32 *)local->addr, *p = (__u32 *)peer->addr;

	local->family = peer->family = sk->family;
	l[0] = sk->src_ip4;
	p[0] = sk->dst_ip4;
	if (local->family == AF_INET6) {
		l[0] = sk->src_ip6[0];
		l[1] = sk->src_ip6[1];
		l[2] = sk->src_ip6[2];
		l[3] = sk->src_ip6[3];
		p[0] = sk->dst_ip6[0];
		p[1] = sk->dst_ip6[1];
		p[2] = sk->dst_ip6[2];
		p[3] = sk->dst_ip6[3];
	}
	local->port = sk->src_port;
	peer->port = bpf_ntohs(sk->dst_port);
}

/* Whether our FIN has its place in the sequence in this state. */
static __always_inline bool ww_sock_fin_queued(int state)
{
	return state == BPF_TCP_FIN_WAIT1 || state == BPF_TCP_FIN_WAIT2 ||
	       state == BPF_TCP_CLOSING || state == BPF_TCP_LAST_ACK || state == BPF_TCP_TIME_WAIT;
}

/* `state`: the one that the counters belong to. connected: 1 by us, 0 by the peer, -1 not known. */
static __always_inline void ww_sock_counters(struct sock *sk, int state, int connected,
					     struct ww_event_counters *e)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	__u32 snd_una = BPF_CORE_READ(tp, snd_una), snd_nxt = BPF_CORE_READ(tp, snd_nxt);
	__u32 write_seq = BPF_CORE_READ(tp, write_seq);
	__u64 acked = BPF_CORE_READ(tp, bytes_acked), received = BPF_CORE_READ(tp, bytes_received);
	__u64 total = acked + (__u32)(snd_nxt - snd_una), positions;
	bool fin = ww_sock_fin_queued(state);
	__u32 rtt = BPF_CORE_READ(tp, rtt_min.s[0].v);

	e->bytes_retrans = BPF_CORE_READ(tp, bytes_retrans);
	total -= fin && snd_nxt == write_seq;
	if (connected < 0)
		connected = total == BPF_CORE_READ(tp, bytes_sent) - e->bytes_retrans + 1;
	e->bytes_sent = total > (__u64)connected ? total - connected : 0;
	positions = connected + (fin && snd_una == write_seq);
	e->bytes_acked = acked > positions ? acked - positions : 0;
	if (BPF_CORE_READ(sk, __sk_common.skc_flags) &
	    (1ull << bpf_core_enum_value(enum sock_flags, SOCK_DONE)))
		received -= received > 0;
	e->bytes_received = received;
	e->segs_out = BPF_CORE_READ(tp, segs_out);
	e->segs_in = BPF_CORE_READ(tp, segs_in);
	e->rtt_min_us = rtt == ~0u ? 0 : rtt;
	e->srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	e->proto = IPPROTO_TCP;
	ww_sock_ends(sk, &e->local, &e->peer);
}

/*
 * How a socket comes to TCP_CLOSE from `state`. The state says who sent the first FIN; sk_err is
 * set before the state changes: ECONNRESET, EPIPE (after the peer's FIN) and ECONNREFUSED by a
 * received RST, ETIMEDOUT and unreachable errors by giving up.
 */
static __always_inline __u8 ww_sock_how(struct sock *sk, int state, __u32 err)
{
	bool orphan = BPF_CORE_READ(sk, __sk_common.skc_flags) &
		      (1ull << bpf_core_enum_value(enum sock_flags, SOCK_DEAD));

	if (err == 110)
		return WW_CLOSE_TIMEOUT;
	if (state == BPF_TCP_SYN_SENT)
		return WW_CLOSE_REFUSED;
	/* After close() our own refusal of late data looks like a received RST. */
	if (ww_sock_fin_queued(state) && state != BPF_TCP_LAST_ACK && orphan)
		return WW_CLOSE_FIN_LOCAL;
	if (err == 104 || err == 32)
		return WW_CLOSE_RST_PEER;
	if (err == 113 || err == 101 || err == 100)
		return WW_CLOSE_TIMEOUT;
	if (state == BPF_TCP_LAST_ACK)
		return WW_CLOSE_FIN_PEER;
	if (ww_sock_fin_queued(state))
		return WW_CLOSE_FIN_LOCAL;
	if (state == BPF_TCP_ESTABLISHED || state == BPF_TCP_CLOSE_WAIT)
		return WW_CLOSE_RST_LOCAL;
	return WW_CLOSE_UNKNOWN;
}

static __always_inline bool ww_flow_exact(const struct ww_flow_state *st)
{
	return st && st->ready && !st->late && !st->walk[0].lost && !st->walk[1].lost;
}
