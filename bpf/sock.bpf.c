/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where it went and how much: connect, first sends, state changes and the end of sockets. */
#include "lib/actor.bpf.h"
#include "lib/emit.bpf.h"
#include "lib/scope.bpf.h"
#include "lib/sockinfo.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* --- in process context --------------------------------------------------------------------- */

/* Owner and namespace of a socket used by the current task. */
static __always_inline void fill_flow(struct ww_event_flow *e, struct bpf_sock *sk, __u64 cookie,
				      __u8 role)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	ww_actor_of_task(task, &e->h.actor);
	e->h.cookie = cookie;
	e->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	e->uid = bpf_get_current_uid_gid();
	e->role = role;
	e->family = sk->family;
	e->type = sk->type;
	e->proto = sk->protocol;
}

/* The destination given to connect() or sendmsg(). */
static __always_inline void address_of(struct bpf_sock_addr *ctx, __u16 family,
				       struct ww_endpoint *peer)
{
	__u32 *addr = (__u32 *)peer->addr;

	peer->port = bpf_ntohs(ctx->user_port);
	peer->family = family;
	if (family == AF_INET6) {
		addr[0] = ctx->user_ip6[0];
		addr[1] = ctx->user_ip6[1];
		addr[2] = ctx->user_ip6[2];
		addr[3] = ctx->user_ip6[3];
	} else {
		addr[0] = ctx->user_ip4;
	}
}

static __always_inline void emit_open(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
				      const struct ww_scope_ref *scope,
				      const struct ww_endpoint *peer, __u64 cookie, __u8 role)
{
	struct ww_event_flow *e = ww_control_begin(struct ww_event_flow, WW_EVENT_FLOW_OPEN, scope);

	if (!e)
		return;
	ww_sock_ends_of(sk, &e->local, &e->peer);
	fill_flow(e, sk, cookie, role);
	e->peer = *peer;
	ww_control_end(e);
}

static __always_inline void remember_owner(struct ww_flow_state *st, __u64 cookie,
					   const struct ww_scope_ref *scope)
{
	ww_actor_current(&st->owner);
	st->cookie = cookie;
	st->scope = *scope;
	st->named = true;
}

static __always_inline int on_connect(struct bpf_sock_addr *ctx, __u16 family)
{
	static const struct ww_flow_state none;
	struct ww_endpoint peer = {};
	struct bpf_sock *sk = ctx->sk;
	struct ww_scope_ref scope;
	struct ww_flow_state *st;
	__u32 protocol = ctx->protocol;
	__u64 cookie;

	ww_barrier(protocol); /* the verifier wants the context read by constant offset, once */
	if (!ww_scope_of_task((struct task_struct *)bpf_get_current_task(), &scope) || !sk)
		return 1;
	cookie = bpf_get_socket_cookie(ctx);
	address_of(ctx, family, &peer);
	st = bpf_sk_storage_get(&ww_flows, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (st) {
		if (protocol == IPPROTO_TCP) {
			*st = none; /* connect() after a failed one */
			st->connect = true;
		}
		st->proto = protocol;
		remember_owner(st, cookie, &scope);
	} else {
		ww_lost(scope.slot, WW_LOSS_MAP_FULL, 1, 0);
	}
	emit_open(ctx, sk, &scope, &peer, cookie, WW_FLOW_CONNECT);
	return 1;
}

SEC("cgroup/connect4")
int ww_connect4(struct bpf_sock_addr *ctx)
{
	return on_connect(ctx, AF_INET);
}

SEC("cgroup/connect6")
int ww_connect6(struct bpf_sock_addr *ctx)
{
	return on_connect(ctx, AF_INET6);
}

/* Whether the socket sends to this peer for the first time. */
static __always_inline bool new_peer(__u64 cookie, const struct ww_endpoint *peer)
{
	struct ww_peer_key key = {.cookie = cookie, .family = peer->family, .port = peer->port};
	__u8 one = 1;

	__builtin_memcpy(key.addr, peer->addr, sizeof(key.addr));
	if (bpf_map_lookup_elem(&ww_peers, &key))
		return false;
	bpf_map_update_elem(&ww_peers, &key, &one, BPF_ANY);
	return true;
}

static __always_inline int on_sendmsg(struct bpf_sock_addr *ctx, __u16 family)
{
	struct ww_endpoint peer = {};
	struct bpf_sock *sk = ctx->sk;
	struct ww_scope_ref scope;
	struct ww_flow_state *st;
	__u64 cookie;

	if (!ww_scope_of_task((struct task_struct *)bpf_get_current_task(), &scope) || !sk)
		return 1;
	cookie = bpf_get_socket_cookie(ctx);
	address_of(ctx, family, &peer);
	if (!new_peer(cookie, &peer))
		return 1;
	st = bpf_sk_storage_get(&ww_flows, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (st)
		remember_owner(st, cookie, &scope);
	else
		ww_lost(scope.slot, WW_LOSS_MAP_FULL, 1, 0);
	emit_open(ctx, sk, &scope, &peer, cookie, WW_FLOW_SEND);
	return 1;
}

SEC("cgroup/sendmsg4")
int ww_sendmsg4(struct bpf_sock_addr *ctx)
{
	return on_sendmsg(ctx, AF_INET);
}

SEC("cgroup/sendmsg6")
int ww_sendmsg6(struct bpf_sock_addr *ctx)
{
	return on_sendmsg(ctx, AF_INET6);
}

/*
 * TCP and UDP sockets are reported when they are used; any other kind, raw ones above all, when it
 * is made. (An MPTCP socket's subflows are TCP sockets.)
 */
SEC("cgroup/sock_create")
int ww_create(struct bpf_sock *sk)
{
	struct ww_scope_ref scope;
	struct ww_event_flow *e;

	if (!ww_scope_of_task((struct task_struct *)bpf_get_current_task(), &scope))
		return 1;
	if (sk->type != SOCK_RAW_ && (sk->protocol == IPPROTO_TCP || sk->protocol == IPPROTO_UDP ||
				      sk->protocol == IPPROTO_MPTCP_))
		return 1;
	e = ww_control_begin(struct ww_event_flow, WW_EVENT_FLOW_OPEN, &scope);
	if (!e)
		return 1;
	fill_flow(e, sk, bpf_get_socket_cookie(sk), WW_FLOW_SEND);
	ww_control_end(e);
	return 1;
}

/* --- the end -------------------------------------------------------------------------------- */

/*
 * Sockets other than TCP: their sums are complete when the last descriptor is closed. TCP tells its
 * end by its state, except where connect() failed before there was one.
 */
SEC("cgroup/sock_release")
int ww_release(struct bpf_sock *sk)
{
	struct ww_flow_state *st = bpf_sk_storage_get(&ww_flows, sk, NULL, 0);
	struct ww_event_counters *e;
	bool failed;

	if (!st || !st->cookie || st->closed)
		return 1;
	failed = ww_has_sk_in_tp && st->connect && sk->state == BPF_TCP_CLOSE;
	if (sk->protocol == IPPROTO_TCP && !failed)
		return 1;
	e = ww_control_begin(struct ww_event_counters, WW_EVENT_FLOW_CLOSE, &st->scope);
	if (!e)
		return 1;
	st->closed = true;
	e->h.cookie = st->cookie;
	e->local = st->local; /* not readable here any more */
	e->bytes_sent = st->bytes[WW_DIR_OUT];
	e->bytes_received = st->bytes[WW_DIR_IN];
	e->segs_out = st->packets[WW_DIR_OUT];
	e->segs_in = st->packets[WW_DIR_IN];
	e->state_old = e->state_new = BPF_TCP_CLOSE;
	e->how = failed ? WW_CLOSE_REFUSED : WW_CLOSE_UNKNOWN;
	e->proto = sk->protocol;
	ww_control_end(e);
	return 1;
}

static __always_inline __u64 cookie_of(struct sock *sk)
{
	if (ww_has_sk_in_tp)
		return bpf_get_socket_cookie(sk);
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(ww_set_state, struct sock *sk, int state_old, int state_new)
{
	struct ww_flow_state *st = NULL;
	struct ww_event_counters *e;
	struct ww_scope_ref scope;
	int connected = -1;
	__u16 kind;

	if (state_new == BPF_TCP_ESTABLISHED)
		kind = WW_EVENT_FLOW_STATE;
	else if (state_new == BPF_TCP_CLOSE && state_old != BPF_TCP_LISTEN &&
		 state_old != BPF_TCP_SYN_RECV && state_old != BPF_TCP_CLOSE)
		kind = WW_EVENT_FLOW_CLOSE;
	else
		return 0;
	if (ww_has_sk_in_tp)
		st = bpf_sk_storage_get(&ww_flows, sk, NULL, 0);
	if (st && ww_scope_of_flow(st)) /* also where the socket was made elsewhere */
		scope = st->scope;
	else if (!ww_scope_of_cgroup(ww_fix_sock_cgroup(sk), &scope))
		return 0;
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	if (state_old == BPF_TCP_SYN_SENT || (st && st->connect))
		connected = 1;
	else if (state_old == BPF_TCP_SYN_RECV || (st && st->ready && !st->late))
		connected = 0;
	if (st && kind == WW_EVENT_FLOW_CLOSE)
		st->closed = true;
	e = ww_control_begin(struct ww_event_counters, kind, &scope);
	if (!e)
		return 0;
	e->h.cookie = cookie_of(sk);
	ww_sock_counters(sk, state_old, connected, e);
	e->state_old = state_old;
	e->state_new = state_new;
	if (kind == WW_EVENT_FLOW_CLOSE) {
		e->sk_err = BPF_CORE_READ(sk, sk_err);
		e->how = ww_sock_how(sk, state_old, e->sk_err);
		e->records_exact = ww_flow_exact(st);
	} else {
		e->records_exact = 1;
	}
	ww_control_end(e);
	return 0;
}

/* --- unix sockets --------------------------------------------------------------------------- */

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

#define SUN_PATH_BYTES 108

/* The path as the event holds it: `path` is 112 zeroed bytes. Returns its length. */
static __always_inline __u32 unix_path(struct bpf_sock_addr *ctx, char *path)
{
	struct bpf_sock_addr_kern *kern = bpf_cast_to_kern_ctx(ctx);
	const char *from = (const char *)BPF_CORE_READ(kern, uaddr) + 2; /* sun_family */
	__u32 bytes = BPF_CORE_READ(kern, uaddrlen) - 2, n = 0;

	if (bytes == 0 || bytes > SUN_PATH_BYTES)
		return 0;
	ww_barrier(bytes);
	if (bytes > SUN_PATH_BYTES || bpf_probe_read_kernel(path, bytes, from) != 0)
		return 0;
	if (path[0] == 0) /* abstract: all of it is the name */
		return bytes;
#pragma unroll
	for (__u32 i = 0; i < SUN_PATH_BYTES; i++)
		if (path[i])
			n = i + 1;
		else
			break;
	return n;
}

/* A number for a path, good enough to tell repeated sends to one peer. */
static __always_inline void path_hash(const char *path, __u64 *ret)
{
	const __u64 *w = (const __u64 *)path;

	for (int i = 0; i < 14; i++) {
		ret[0] = (ret[0] ^ w[i]) * 0x9e3779b97f4a7c15ull;
		ret[1] = ((ret[1] + w[i]) * 0xc2b2ae3d27d4eb4full) ^ ret[0] >> 29;
	}
}

static __always_inline bool new_path(__u64 cookie, const char *path)
{
	struct ww_peer_key key = {.cookie = cookie, .family = AF_UNIX};
	__u8 one = 1;

	path_hash(path, key.addr);
	if (bpf_map_lookup_elem(&ww_peers, &key))
		return false;
	bpf_map_update_elem(&ww_peers, &key, &one, BPF_ANY);
	return true;
}

static __always_inline int on_unix(struct bpf_sock_addr *ctx, bool connect)
{
	char path[112] __attribute__((aligned(8))) = {};
	struct task_struct *task;
	struct ww_scope_ref scope;
	struct ww_event_unix *e;
	__u32 path_bytes;
	__u64 cookie;

	if (!ww_has_kern_ctx)
		return 1;
	if (!ww_scope_of_task((struct task_struct *)bpf_get_current_task(), &scope))
		return 1;
	path_bytes = unix_path(ctx, path);
	cookie = bpf_get_socket_cookie(ctx);
	if (!connect && !new_path(cookie, path))
		return 1;
	e = ww_control_begin(struct ww_event_unix, WW_EVENT_UNIX_PEER, &scope);
	if (!e)
		return 1;
	task = (struct task_struct *)bpf_get_current_task();
	ww_actor_current(&e->h.actor);
	e->h.cookie = cookie;
	e->mntns = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	e->path_bytes = path_bytes;
	__builtin_memcpy(e->path, path, sizeof(e->path));
	ww_control_end(e);
	return 1;
}

/* The loader sets type and attach type: its library does not know these sections. */
SEC("cgroup_unix/connect")
int ww_unix_conn(struct bpf_sock_addr *ctx)
{
	return on_unix(ctx, true);
}

SEC("cgroup_unix/sendmsg")
int ww_unix_send(struct bpf_sock_addr *ctx)
{
	return on_unix(ctx, false);
}
