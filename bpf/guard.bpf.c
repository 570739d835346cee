/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Enforcement: an object of its own, loaded only where the guard is on. Rings, accounts, scopes and
 * the state of sockets are those of the other programs (the loader hands their maps over).
 *
 * Invariants:
 * 1. One decision is made by one list: its two parts are found by one number, which changes at
 * once. What is behind a number stays for as long as somebody may have read it.
 * 2. attempts of all events are as many as were met. Who counts into an entry of ww_guard_tries
 *    that is being removed sees WW_DEAD and tells by itself.
 * 3. Only what is forbidden costs more than the look-up.
 */
#include "lib/actor.bpf.h"
#include "lib/emit.bpf.h"
#include "lib/scope.bpf.h"
#include "lib/sockinfo.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Which of the pairs in ww_guard_lists is in force: 0 or 1. */
volatile __u32 ww_guard_pair = 0;
/* Sockets that the loader has cut off without their knowing: there are some. */
volatile __u32 ww_guard_drops = 0;
/* The sweep tells all there is, also what was told within the last second. */
volatile __u32 ww_guard_all = 0;

#define WW_AGAIN_NS 1000000000ull
#define WW_IDLE_NS  60000000000ull
#define WW_DEAD     (1ull << 63)

struct list {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WW_GUARD_ENTRIES_MAX);
	__uint(key_size, sizeof(struct ww_guard_key));
	__uint(value_size, sizeof(struct ww_guard_value));
};

/* By enum ww_guard_slot, see there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WW_GUARD_SLOTS);
	__type(key, __u32);
	__array(values, struct list);
} ww_guard_lists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ww_guard_totals);
} ww_guard_totals SEC(".maps");

/* Cookies of sockets of which nothing may leave. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WW_GUARD_DROPS_MAX);
	__type(key, __u64);
	__type(value, __u8);
} ww_guard_cut SEC(".maps");

/* One process's attempts at one peer. */
struct ww_guard_try {
	__u64 start_ns;
	__u64 addr[2];
	__u32 pid;
	__u32 generation;
	__u16 port;
	__u16 family;
	__u8 hook;
	__u8 proto;
	__u8 _pad[2];
};

struct ww_guard_tries {
	__u64 told_ns; /* 0: nothing yet */
	__u64 pending; /* attempts not told, and WW_DEAD */
	__u64 agents;
	__u64 cookie; /* of the last one */
	struct ww_scope_ref scope;
	__u32 tid;
	__u32 mode;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WW_GUARD_TRIES_MAX);
	__type(key, struct ww_guard_try);
	__type(value, struct ww_guard_tries);
} ww_guard_tries SEC(".maps");

/* --- telling -------------------------------------------------------------------------------- */

static __always_inline bool emit(const struct ww_guard_try *key, const struct ww_guard_tries *t,
				 __u64 attempts)
{
	struct ww_event_guard *e =
		ww_control_begin(struct ww_event_guard, WW_EVENT_GUARD, &t->scope);

	if (!e)
		return false;
	e->h.actor.start_ns = key->start_ns;
	e->h.actor.pid = key->pid;
	e->h.actor.tid = t->tid;
	e->h.cookie = t->cookie;
	__builtin_memcpy(e->peer.addr, key->addr, sizeof(e->peer.addr));
	e->peer.family = key->family;
	e->peer.port = key->port;
	e->attempts = attempts;
	e->agents = t->agents;
	e->generation = key->generation;
	e->hook = key->hook;
	e->mode = t->mode;
	e->proto = key->proto;
	ww_control_end(e);
	return true;
}

/* What is pending, unless somebody tells it now or did within the last second (not `all`). */
static __always_inline void tell_pending(const struct ww_guard_try *key, struct ww_guard_tries *t,
					 bool all)
{
	__u64 last = t->told_ns, now = bpf_ktime_get_boot_ns(), n;

	if ((!all && last && now - last < WW_AGAIN_NS) ||
	    __sync_val_compare_and_swap(&t->told_ns, last, now) != last)
		return;
	n = t->pending;
	if (n == 0 || (n & WW_DEAD) || __sync_val_compare_and_swap(&t->pending, n, 0) != n)
		return; /* what came meanwhile is told by the sweep */
	if (!emit(key, t, n))
		__sync_fetch_and_add(&t->pending, n);
}

/* `now`: what this attempt is about, beside the key. */
static __always_inline void tell(const struct ww_guard_try *key, const struct ww_guard_tries *now)
{
	struct ww_guard_tries *t = bpf_map_lookup_elem(&ww_guard_tries, key);

	if (!t) {
		bpf_map_update_elem(&ww_guard_tries, key, now, BPF_NOEXIST);
		t = bpf_map_lookup_elem(&ww_guard_tries, key);
	}
	/* No room, or going: by itself. */
	if (!t || (__sync_fetch_and_add(&t->pending, 1) & WW_DEAD)) {
		emit(key, now, 1);
		return;
	}
	t->cookie = now->cookie;
	t->tid = now->tid;
	tell_pending(key, t, false);
}

/* Reading this tells what is pending, and forgets who has stopped. */
SEC("iter/bpf_map_elem")
int ww_guard_sweep(struct bpf_iter__bpf_map_elem *ctx)
{
	const struct ww_guard_try *at = ctx->key;
	struct ww_guard_tries *t;
	struct ww_guard_try key;

	if (!at || !ctx->value)
		return 0;
	key = *at;
	t = bpf_map_lookup_elem(&ww_guard_tries, &key);
	if (!t)
		return 0;
	if (t->pending)
		tell_pending(&key, t, ww_guard_all);
	else if (bpf_ktime_get_boot_ns() - t->told_ns > WW_IDLE_NS &&
		 __sync_val_compare_and_swap(&t->pending, 0, WW_DEAD) == 0)
		bpf_map_delete_elem(&ww_guard_tries, &key);
	return 0;
}

/* --- deciding ------------------------------------------------------------------------------- */

static __always_inline void count(bool forbidden)
{
	__u32 zero = 0;
	struct ww_guard_totals *t = bpf_map_lookup_elem(&ww_guard_totals, &zero);

	if (!t)
		return;
	__sync_fetch_and_add(&t->looked, 1);
	if (forbidden)
		__sync_fetch_and_add(&t->forbidden, 1);
}

static __always_inline struct ww_guard_value *look_up(__u32 slot, const struct ww_guard_key *key)
{
	void *list = bpf_map_lookup_elem(&ww_guard_lists, &slot);

	return list ? bpf_map_lookup_elem(list, key) : NULL;
}

/* What the list in force says of an address. False: there is none. */
static __always_inline bool ask_list(const struct ww_endpoint *to, struct ww_guard_value *ret)
{
	struct ww_guard_key key = {.bits = 128};
	__u32 slot = (ww_guard_pair & 1) * 2;
	struct ww_guard_value *base, *commands;

	if (to->family == AF_INET) {
		key.addr[10] = key.addr[11] = 0xff;
		__builtin_memcpy(key.addr + 12, to->addr, 4);
	} else {
		__builtin_memcpy(key.addr, to->addr, 16);
	}
	commands = look_up(slot + WW_GUARD_SLOT_COMMANDS, &key);
	base = look_up(slot + WW_GUARD_SLOT_BASE, &key);
	if (!commands || !base)
		return false;
	*ret = *commands;
	ret->deny |= base->deny; /* commands do nothing but deny */
	return true;
}

struct attempt {
	struct ww_scope_ref scope;
	struct ww_endpoint to;
	__u64 cookie;
	__u8 hook;
	__u8 proto;
	bool process; /* the current task is who sends */
};

/* 0: it is refused. */
static __always_inline int decide(const struct attempt *a)
{
	struct ww_scope_entry *scope = bpf_map_lookup_elem(&ww_scope, &a->scope.id);
	struct ww_guard_value v;
	struct ww_guard_try key = {};
	struct ww_guard_tries now = {};
	struct ww_actor_key actor = {};
	bool forbidden;

	if (!scope || !ask_list(&a->to, &v))
		return 1;
	now.agents = scope->agents;
	now.mode = v.mode;
	key.generation = v.generation;
	forbidden = now.agents && (v.deny & now.agents) == now.agents;
	count(forbidden);
	if (!forbidden)
		return 1;
	if (a->process)
		ww_actor_current(&actor);
	key.start_ns = actor.start_ns;
	key.pid = actor.pid;
	__builtin_memcpy(key.addr, a->to.addr, sizeof(key.addr));
	key.family = a->to.family;
	key.port = a->to.port;
	key.hook = a->hook;
	key.proto = a->proto;
	now.tid = actor.tid;
	now.cookie = a->cookie;
	now.scope = a->scope;
	tell(&key, &now);
	return now.mode == WW_GUARD_MODE_ENFORCE ? 0 : 1;
}

/* --- by calls ------------------------------------------------------------------------------- */

/*
 * Who calls. A process may have made cgroups in its scope deeper than the walk upwards goes: it is
 * looked for from the root on as well, which happens only to who is in no scope, or so deep in one.
 */
static __always_inline bool scope_of_caller(struct ww_scope_ref *ret_ref)
{
	if (ww_scope_of_task((struct task_struct *)bpf_get_current_task(), ret_ref))
		return true;
	for (unsigned i = 0; i < WW_CGROUP_DEPTH_MAX; i++) {
		__u64 id = bpf_get_current_ancestor_cgroup_id(i);
		struct ww_scope_entry *entry;

		if (!id)
			break;
		entry = bpf_map_lookup_elem(&ww_scope, &id);
		if (entry) {
			ret_ref->id = id;
			ret_ref->slot = entry->slot;
		}
	}
	return ret_ref->id != 0;
}

static __always_inline int on_call(struct bpf_sock_addr *ctx, __u16 family, __u8 hook)
{
	struct attempt a = {.hook = hook, .process = true};
	struct bpf_sock *sk = ctx->sk;
	__u32 protocol = ctx->protocol;
	__u32 *addr = (__u32 *)a.to.addr;

	ww_barrier(protocol); /* the verifier wants the context read by constant offset, once */
	if (!scope_of_caller(&a.scope) || !sk)
		return 1;
	a.proto = protocol;
	a.to.port = bpf_ntohs(ctx->user_port);
	a.to.family = family;
	if (family == AF_INET6) {
		addr[0] = ctx->user_ip6[0];
		addr[1] = ctx->user_ip6[1];
		addr[2] = ctx->user_ip6[2];
		addr[3] = ctx->user_ip6[3];
	} else {
		addr[0] = ctx->user_ip4;
	}
	a.cookie = bpf_get_socket_cookie(ctx);
	if (!decide(&a))
		return 0;
	if (protocol == IPPROTO_TCP) { /* its first packet is not asked again */
		struct ww_flow_state *st = bpf_sk_storage_get(&ww_flows, sk, NULL, 0);

		if (st)
			st->guarded = true;
	}
	return 1;
}

SEC("cgroup/connect4")
int ww_guard_conn4(struct bpf_sock_addr *ctx)
{
	return on_call(ctx, AF_INET, WW_GUARD_HOOK_CONNECT);
}

SEC("cgroup/connect6")
int ww_guard_conn6(struct bpf_sock_addr *ctx)
{
	return on_call(ctx, AF_INET6, WW_GUARD_HOOK_CONNECT);
}

SEC("cgroup/sendmsg4")
int ww_guard_send4(struct bpf_sock_addr *ctx)
{
	return on_call(ctx, AF_INET, WW_GUARD_HOOK_SENDMSG);
}

SEC("cgroup/sendmsg6")
int ww_guard_send6(struct bpf_sock_addr *ctx)
{
	return on_call(ctx, AF_INET6, WW_GUARD_HOOK_SENDMSG);
}

/* --- by packets ----------------------------------------------------------------------------- */

/* Whether the calls above, or the handshake, have settled already what this socket may send. */
static __always_inline bool is_settled(struct bpf_sock *sk)
{
	struct ww_flow_state *st;

	if (sk->type == SOCK_RAW_)
		return false;
	if (sk->protocol == IPPROTO_UDP)
		return true;
	if (sk->protocol != IPPROTO_TCP)
		return false;
	/* Beginnings: answers to those of others (what has listened may have connected before), */
	if (sk->state == BPF_TCP_SYN_RECV || sk->state == BPF_TCP_LISTEN ||
	    sk->state == BPF_TCP_NEW_SYN_RECV)
		return false;
	/* and of our own. */
	if (sk->state != BPF_TCP_SYN_SENT)
		return true;
	st = bpf_sk_storage_get(&ww_flows, sk, NULL, 0);
	return st && st->guarded;
}

static __always_inline bool destination(struct __sk_buff *skb, struct attempt *a)
{
	if (skb->protocol == bpf_htons(0x0800 /* ETH_P_IP */)) {
		a->to.family = AF_INET;
		return bpf_skb_load_bytes(skb, 9, &a->proto, 1) == 0 &&
		       bpf_skb_load_bytes(skb, 16, a->to.addr, 4) == 0;
	}
	a->to.family = AF_INET6;
	return bpf_skb_load_bytes(skb, 6, &a->proto, 1) == 0 &&
	       bpf_skb_load_bytes(skb, 24, a->to.addr, 16) == 0;
}

SEC("cgroup_skb/egress")
int ww_guard_out(struct __sk_buff *skb)
{
	struct attempt a = {.hook = WW_GUARD_HOOK_EGRESS};
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return 1;
	if (ww_guard_drops) {
		__u64 cookie = bpf_get_socket_cookie(skb);

		if (bpf_map_lookup_elem(&ww_guard_cut, &cookie))
			return 0;
	}
	sk = bpf_sk_fullsock(sk);
	if (!sk || is_settled(sk) || !ww_scope_of_skb(skb, &a.scope) || !destination(skb, &a))
		return 1;
	a.cookie = bpf_get_socket_cookie(skb);
	a.process = ww_in_process(sk);
	return decide(&a);
}
