/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * TLS object <-> socket, from the packets of sockets in scope, and the sums of those that are not
 * TCP.
 *
 * A TCP packet is looked into only until the first records of its direction are known; after that
 * it costs one storage lookup and a flag test, plus, while sessions without a socket exist, a look
 * at the first ciphertext bytes of outgoing records. Packets are never counted as TCP bytes.
 *
 * A program here sees the packets of sockets that were created in the scope's cgroups.
 */
#include "lib/actor.bpf.h"
#include "lib/emit.bpf.h"
#include "lib/packet.bpf.h"
#include "lib/scope.bpf.h"
#include "lib/sockinfo.bpf.h"
#include "lib/walk.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define ETH_P_IP_       0x0800
#define OWNER_TRIES_MAX 64
#define TLS_CIPHER_SPEC 20
#define TLS_HANDSHAKE   22
#define TLS_APPLICATION 23

/* --- what the record walk needs ------------------------------------------------------------- */

static __always_inline int ww_walk_load(const struct ww_segment *seg, __u32 at, void *to,
					__u32 bytes)
{
	return bpf_skb_load_bytes(seg->skb, seg->at + at, to, bytes);
}

/* The socket's owner became known, or its ClientHello: note both under the random. */
static __always_inline void note_random(struct ww_flow_state *st)
{
	struct ww_half_random key;
	struct ww_random_seen fresh = {}, *seen;

	__builtin_memcpy(&key, st->random, sizeof(key));
	seen = bpf_map_lookup_elem(&ww_randoms, &key);
	if (!seen) {
		if (bpf_map_update_elem(&ww_randoms, &key, &fresh, BPF_NOEXIST) != 0)
			ww_lost(st->scope.slot, WW_LOSS_MAP_FULL, 1, 0);
		seen = bpf_map_lookup_elem(&ww_randoms, &key);
		if (!seen)
			return;
	}
	if (st->client) {
		/* The same hello on two sockets: whose session it is cannot be told. */
		if (seen->client_cookie && seen->client_cookie != st->cookie)
			seen->client_twice = 1;
		seen->client_pid = st->owner.pid;
		seen->client_cookie = st->cookie;
	} else {
		seen->server_pid = st->owner.pid;
		seen->server_cookie = st->cookie;
	}
}

/* The record of a ServerHello may have what follows it, too: never in TLS 1.3, which encrypts that.
 */
static __always_inline bool goes_on(const struct ww_segment *seg, const struct ww_walk_found *hello)
{
	__u8 h[4];

	return bpf_skb_load_bytes(seg->skb, seg->at + WW_RECORD_HEAD_BYTES, h, sizeof(h)) == 0 &&
	       ((__u32)h[1] << 16 | (__u32)h[2] << 8 | h[3]) + sizeof(h) + WW_RECORD_HEAD_BYTES <
		       hello->bytes;
}

static __always_inline void ww_walk_hello(const struct ww_segment *seg,
					  const struct ww_walk_found *hello)
{
	struct ww_flow_state *st = seg->flow;
	struct ww_event_hello *e;
	__u32 bytes = seg->bytes;

	if (hello->client) {
		if (bpf_skb_load_bytes(seg->skb, seg->at + WW_HELLO_RANDOM_AT, st->random,
				       sizeof(st->random)) != 0)
			return;
		st->hello = true;
		st->client = seg->dir == WW_DIR_OUT;
		note_random(st);
	} else if (seg->dir == WW_DIR_IN && goes_on(seg, hello)) {
		st->clear = true;
	}
	e = ww_begin(&ww_control, WW_RING_CONTROL, WW_EVENT_TLS_HELLO, sizeof(*e), &st->scope,
		     sizeof(*e));
	if (!e)
		return;
	e->h.actor = st->owner;
	e->h.cookie = st->cookie;
	e->stream_offset = hello->offset;
	e->dir = seg->dir;
	e->client = hello->client;
	e->record_bytes = hello->bytes;
	bpf_skb_load_bytes(seg->skb, seg->at + WW_HELLO_RANDOM_AT, e->random, sizeof(e->random));
	if (bytes > hello->bytes)
		bytes = hello->bytes;
	if (bytes > WW_HELLO_BYTES_MAX)
		bytes = WW_HELLO_BYTES_MAX;
	ww_barrier(bytes); /* both bounds must be plain to see, also for older verifiers */
	if (bytes < WW_HELLO_BYTES_MIN || bytes > WW_HELLO_BYTES_MAX ||
	    bpf_skb_load_bytes(seg->skb, seg->at, e->bytes, bytes) != 0)
		bytes = 0;
	e->captured = bytes;
	e->h.size = __builtin_offsetof(struct ww_event_hello, bytes) + bytes;
	ww_control_end(e);
}

static __always_inline void ww_walk_record(const struct ww_segment *seg,
					   const struct ww_walk_found *record)
{
	struct ww_flow_state *st = seg->flow;
	struct ww_event_record *e;

	if (seg->dir == WW_DIR_IN && st->client) {
		if (record->type != TLS_HANDSHAKE)
			st->clear = false;
		else if (record->index > 0)
			st->clear = true;
	}
	e = ww_control_begin(struct ww_event_record, WW_EVENT_TLS_RECORD, &st->scope);
	if (!e)
		return;
	e->h.actor = st->owner;
	e->h.cookie = st->cookie;
	e->stream_offset = record->offset;
	e->dir = seg->dir;
	e->type = record->type;
	e->index = record->index;
	e->bytes = record->bytes;
	ww_control_end(e);
}

/* --- headers -------------------------------------------------------------------------------- */

/* Length of the IP header, 0 when the packet does not carry `proto` directly behind it. */
static __always_inline __u32 ip_header_bytes(struct __sk_buff *skb, __u8 proto)
{
	__u8 h[10];

	if (bpf_skb_load_bytes(skb, 0, h, sizeof(h)) != 0)
		return 0;
	if (skb->protocol == bpf_htons(ETH_P_IP_))
		return h[9] == proto ? (h[0] & 15) * 4 : 0;
	return h[6] == proto ? sizeof(struct ipv6hdr) : 0;
}

static __always_inline bool tcp_segment(struct __sk_buff *skb, struct ww_segment *ret_seg)
{
	__u32 at = ip_header_bytes(skb, IPPROTO_TCP), head;
	__u8 h[13];

	if (!at || bpf_skb_load_bytes(skb, at, h, sizeof(h)) != 0)
		return false;
	head = at + (h[12] >> 4) * 4;
	ret_seg->skb = skb;
	ret_seg->at = head;
	ret_seg->bytes = skb->len > head ? skb->len - head : 0;
	ret_seg->seq = (__u32)h[4] << 24 | (__u32)h[5] << 16 | (__u32)h[6] << 8 | h[7];
	return true;
}

/* --- first packet of a socket --------------------------------------------------------------- */

/*
 * Where both directions began, from the kernel's counters: the position after SYN. Traffic that
 * went before makes the walk late: there is no telling what it was.
 */
static __always_inline void begin_walks(struct ww_flow_state *st, struct bpf_sock *sk)
{
	struct bpf_tcp_sock *tp = bpf_tcp_sock(sk);
	__u64 acked;

	if (!tp) {
		st->late = true;
		return;
	}
	acked = tp->bytes_acked;
	st->late = acked > 1 || (acked == 1 && !st->connect && tp->data_segs_out) ||
		   tp->bytes_received != 0;
	st->walk[WW_DIR_OUT].first = st->walk[WW_DIR_OUT].next =
		tp->snd_una - (acked ? acked - 1 : 0);
	st->walk[WW_DIR_IN].first = st->walk[WW_DIR_IN].next = tp->rcv_nxt - tp->bytes_received;
	if (st->late)
		st->walk[WW_DIR_OUT].mode = st->walk[WW_DIR_IN].mode = WW_WALK_DONE;
}

static __always_inline struct ww_flow_state *begin_flow(struct __sk_buff *skb, struct bpf_sock *sk,
							struct ww_flow_state *st)
{
	struct ww_scope_ref scope;

	if (sk->protocol == IPPROTO_TCP &&
	    (sk->state == BPF_TCP_SYN_SENT || sk->state == BPF_TCP_LISTEN ||
	     sk->state == BPF_TCP_CLOSE || sk->state == BPF_TCP_NEW_SYN_RECV))
		return NULL;
	if (!ww_scope_of_skb(skb, &scope))
		return NULL;
	if (!st) {
		st = bpf_sk_storage_get(&ww_flows, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
		if (!st) {
			ww_lost(scope.slot, WW_LOSS_MAP_FULL, 1, 0);
			return NULL;
		}
	}
	st->scope = scope;
	st->proto = sk->protocol;
	st->cookie = bpf_get_socket_cookie(skb);
	if (st->proto == IPPROTO_TCP) {
		begin_walks(st, sk);
		if (!st->late)
			st->what = ww_packet_what(bpf_ntohs(sk->dst_port));
	} else {
		struct ww_endpoint peer;

		ww_sock_ends_of(sk, &st->local, &peer);
	}
	st->ready = true;
	return st;
}

/* --- owner ---------------------------------------------------------------------------------- */

/*
 * A socket that no connect() or sendmsg() hook has seen: accepted, or older than us. Its owner is
 * the process in whose own context its first packet leaves.
 */
static __always_inline void find_owner(struct bpf_sock *sk, struct ww_flow_state *st)
{
	struct task_struct *task;
	struct ww_event_flow *e;

	if (++st->owner_tries >= OWNER_TRIES_MAX)
		st->named = true; /* its owner stays unknown */
	if (!ww_in_process(sk))
		return;
	st->named = true;
	ww_actor_current(&st->owner);
	if (st->hello)
		note_random(st);
	e = ww_control_begin(struct ww_event_flow, WW_EVENT_FLOW_OWNER, &st->scope);
	if (!e)
		return;
	task = (struct task_struct *)bpf_get_current_task();
	ww_sock_ends_of(sk, &e->local, &e->peer);
	e->h.actor = st->owner;
	e->h.cookie = st->cookie;
	e->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	e->uid = BPF_CORE_READ(task, cred, uid.val);
	if (st->proto != IPPROTO_TCP)
		e->role = WW_FLOW_SEND;
	else if (!st->late)
		e->role = WW_FLOW_ACCEPT;
	e->family = sk->family;
	e->type = sk->type;
	e->proto = sk->protocol;
	ww_control_end(e);
}

/* --- second witness ------------------------------------------------------------------------- */

static __always_inline void match_prefix(struct __sk_buff *skb, struct ww_flow_state *st)
{
	struct ww_half_random prefix;
	struct ww_session_key *session;
	struct ww_session_state *state;
	struct ww_session_id id = {};
	struct ww_segment seg = {};
	struct ww_event_bind *e;
	__u8 h[WW_RECORD_HEAD_BYTES];

	if (!tcp_segment(skb, &seg) || seg.bytes < sizeof(h) + sizeof(prefix))
		return;
	if (bpf_skb_load_bytes(skb, seg.at, h, sizeof(h)) != 0 || h[0] != TLS_APPLICATION ||
	    !ww_walk_head_valid(h))
		return;
	if (bpf_skb_load_bytes(skb, seg.at + sizeof(h), &prefix, sizeof(prefix)) != 0)
		return;
	session = bpf_map_lookup_elem(&ww_prefixes, &prefix);
	if (!session)
		return;
	__builtin_memcpy(id.random, session->random, sizeof(id.random));
	id.object = session->object;
	id.pid = session->pid;
	state = bpf_map_lookup_elem(&ww_sessions, &id);
	if (state && !state->cookie) {
		state->cookie = st->cookie;
		state->grade = WW_BIND_RECORD;
	}
	e = ww_control_begin(struct ww_event_bind, WW_EVENT_BIND_PREFIX, &st->scope);
	if (!e)
		return;
	e->h.actor = st->owner;
	e->h.cookie = st->cookie;
	e->session = *session;
	e->dir = WW_DIR_OUT;
	ww_control_end(e);
	bpf_map_delete_elem(&ww_prefixes, &prefix);
}

/* --- content -------------------------------------------------------------------------------- */

/* The packet's own addresses and ports; `at`: of the UDP or TCP header. False: unreadable. */
static __always_inline bool packet_ends(struct __sk_buff *skb, __u32 at, __u32 dir,
					struct ww_endpoint *local, struct ww_endpoint *peer)
{
	struct ww_endpoint *from = dir == WW_DIR_OUT ? local : peer;
	struct ww_endpoint *to = dir == WW_DIR_OUT ? peer : local;
	__be16 port[2];

	if (bpf_skb_load_bytes(skb, at, port, sizeof(port)) != 0)
		return false;
	from->port = bpf_ntohs(port[0]);
	to->port = bpf_ntohs(port[1]);
	if (skb->protocol == bpf_htons(ETH_P_IP_)) {
		from->family = to->family = AF_INET;
		return bpf_skb_load_bytes(skb, 12, from->addr, 4) == 0 &&
		       bpf_skb_load_bytes(skb, 16, to->addr, 4) == 0;
	}
	from->family = to->family = AF_INET6;
	return bpf_skb_load_bytes(skb, 8, from->addr, 16) == 0 &&
	       bpf_skb_load_bytes(skb, 24, to->addr, 16) == 0;
}

/*
 * A connected socket knows its peer by the name that it was called; packets may have been rewritten
 * on their way. A function of its own: inside of others the compiler computes offsets, which the
 * verifier refuses.
 */
static __noinline int socket_ends(struct bpf_sock *sk, struct ww_packet *p)
{
	if (!sk || !p)
		return 0;
	ww_sock_ends_of(sk, &p->local, &p->peer);
	return 0;
}

/* Whatever becomes of the packet's event: a hole in the numbers is an event that was lost. */
static __always_inline __u32 next_number(__u64 *told)
{
	__u64 number;

	if (ww_has_fetch_add)
		return __sync_fetch_and_add(told, 1);
	number = *told;
	*told = number + 1;
	return number;
}

static __always_inline void tell_content(struct __sk_buff *skb, const struct ww_flow_state *st,
					 const struct ww_packet *p, __u32 most)
{
	__u32 bytes = p->bytes <= most ? p->bytes : most;
	struct ww_event_packet *e = ww_reserve_chunk(sizeof(*e), bytes);

	if (!ww_admit(&e->h, WW_RING_DATA, WW_EVENT_PACKET, sizeof(*e) + bytes, &st->scope, bytes))
		return;
	e->h.actor = p->actor;
	e->h.cookie = st->cookie;
	e->local = p->local;
	e->peer = p->peer;
	e->offset = p->offset;
	e->payload_bytes = p->bytes;
	e->captured = bytes;
	e->dir = p->dir;
	e->what = p->what;
	e->proto = st->proto;
	e->_pad = 0;
	e->number = p->number;
	ww_barrier(bytes);
	if (bytes == 0 || bytes > WW_CHUNK_BYTES_MAX ||
	    bpf_skb_load_bytes(skb, p->at, e->bytes, bytes) != 0) {
		e->captured = 0;
		e->h.size = sizeof(*e);
	}
	ww_end(&ww_data, WW_RING_DATA, e);
}

/* One packet is several datagrams where the network card, or the receiver, is to cut it. */
static __always_inline void tell_quic(struct __sk_buff *skb, struct bpf_sock *sk,
				      struct ww_flow_state *st, struct ww_packet *p)
{
	__u32 step = skb->gso_size, end = skb->len;

	p->what = WW_PACKET_QUIC;
	for (int i = 0; i < WW_QUIC_SEGMENTS && p->at < end; i++) {
		__u32 most;
		__u8 h[5];

		p->bytes = end - p->at;
		if (step && p->bytes > step)
			p->bytes = step;
		if (bpf_skb_load_bytes(skb, p->at, h, sizeof(h)) != 0)
			return;
		most = ww_quic_bytes(h, p->bytes);
		if (most && st->quic < WW_QUIC_TOLD_MAX) {
			p->number = st->quic++;
			if (p->number == 0)
				st->quic_dir = p->dir;
			if (sk->dst_port)
				socket_ends(sk, p);
			tell_content(skb, st, p, most);
		}
		p->at += p->bytes;
	}
}

/* `at`: of the UDP header. */
static __always_inline void tell_datagram(struct __sk_buff *skb, struct bpf_sock *sk,
					  struct ww_flow_state *st, __u32 at, __u32 dir)
{
	struct ww_packet p = {.dir = dir, .at = at + sizeof(struct udphdr), .actor = st->owner};
	__u16 port = bpf_ntohs(sk->dst_port);

	if (!port) {
		if (!packet_ends(skb, at, dir, &p.local, &p.peer))
			return;
		port = p.peer.port;
	}
	p.what = ww_packet_what(port);
	if ((!p.what && !ww_quic_wanted(st, dir)) || skb->len <= p.at)
		return;
	if (dir == WW_DIR_OUT && ww_in_process(sk))
		ww_actor_current(&p.actor);
	if (!p.what) {
		tell_quic(skb, sk, st, &p);
		return;
	}
	if (sk->dst_port)
		socket_ends(sk, &p);
	p.bytes = skb->len - p.at;
	p.number = next_number(&st->told[p.dir & 1]);
	tell_content(skb, st, &p, WW_CHUNK_BYTES_MAX);
}

static __always_inline void tell_segment(struct __sk_buff *skb, struct bpf_sock *sk,
					 struct ww_flow_state *st, const struct ww_segment *seg)
{
	struct ww_packet p = {.dir = seg->dir,
			      .what = st->what,
			      .at = seg->at,
			      .bytes = seg->bytes,
			      .actor = st->owner};

	p.offset = seg->seq - st->walk[seg->dir & 1].first;
	if (!p.bytes || p.offset >= WW_PACKET_STREAM_BYTES)
		return;
	socket_ends(sk, &p);
	p.number = next_number(&st->told[p.dir & 1]);
	tell_content(skb, st, &p, WW_CHUNK_BYTES_MAX);
}

/* What a server of TLS 1.2 sends behind its hello, as far as it is told. */
static __always_inline void tell_clear(struct __sk_buff *skb, struct bpf_sock *sk,
				       struct ww_flow_state *st, const struct ww_segment *seg)
{
	struct ww_packet p = {.dir = WW_DIR_IN,
			      .what = WW_PACKET_CLEAR,
			      .at = seg->at,
			      .bytes = seg->bytes,
			      .actor = st->owner};
	__u32 most = WW_CLEAR_BYTES_MAX - st->clear_bytes;

	if (!p.bytes || st->clear_bytes >= WW_CLEAR_BYTES_MAX)
		return;
	p.offset = seg->seq - st->walk[WW_DIR_IN].first;
	st->clear_bytes += p.bytes < most ? p.bytes : most;
	socket_ends(sk, &p);
	p.number = next_number(&st->told[WW_DIR_IN]);
	tell_content(skb, st, &p, most);
}

/* --- packets -------------------------------------------------------------------------------- */

static __always_inline void tcp_packet(struct __sk_buff *skb, struct bpf_sock *sk,
				       struct ww_flow_state *st, __u32 dir)
{
	struct ww_segment seg = {.flow = st, .dir = dir};
	__u32 before;

	if (dir == WW_DIR_OUT) {
		if (!st->named)
			find_owner(sk, st);
		if (ww_prefix_on)
			match_prefix(skb, st);
	}
	if (st->walk[dir].mode == WW_WALK_DONE && !st->what)
		return;
	if (!tcp_segment(skb, &seg)) {
		ww_walk_lose(&st->walk[dir]);
		return;
	}
	if (st->what)
		tell_segment(skb, sk, st, &seg);
	before = st->walk[dir].next;
	ww_walk_segment(&st->walk[dir], &seg);
	/* Each segment once: a walk that did not move on has seen it, or is lost. */
	if (dir == WW_DIR_IN && st->clear && st->walk[dir].next != before)
		tell_clear(skb, sk, st, &seg);
}

static __always_inline void other_packet(struct __sk_buff *skb, struct bpf_sock *sk,
					 struct ww_flow_state *st, __u32 dir)
{
	__u32 head, datagrams = skb->gso_segs;

	if (dir == WW_DIR_OUT && !st->named)
		find_owner(sk, st);
	head = ip_header_bytes(skb, st->proto);
	if (head && st->proto == IPPROTO_UDP)
		tell_datagram(skb, sk, st, head, dir);
	if (!head)
		head = skb->protocol == bpf_htons(ETH_P_IP_) ? sizeof(struct iphdr)
							     : sizeof(struct ipv6hdr);
	if (st->proto == IPPROTO_UDP)
		head += sizeof(struct udphdr);
	if (skb->len > head)
		__sync_fetch_and_add(&st->bytes[dir], skb->len - head);
	__sync_fetch_and_add(&st->packets[dir], datagrams > 1 ? datagrams : 1);
	if (dir == WW_DIR_OUT && !st->local.port)
		st->local.port = sk->src_port;
}

static __always_inline int on_packet(struct __sk_buff *skb, __u32 dir)
{
	struct bpf_sock *sk = skb->sk;
	struct ww_flow_state *st;

	if (!sk)
		return 1;
	st = bpf_sk_storage_get(&ww_flows, sk, NULL, 0);
	/* The way of nearly all packets. */
	if (st && st->walk[dir].mode == WW_WALK_DONE && !st->what &&
	    (dir == WW_DIR_IN || st->named) && (dir == WW_DIR_IN || !ww_prefix_on))
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	if (!st || !st->ready) {
		st = begin_flow(skb, sk, st);
		if (!st)
			return 1;
	}
	if (st->proto == IPPROTO_TCP)
		tcp_packet(skb, sk, st, dir);
	else
		other_packet(skb, sk, st, dir);
	return 1;
}

SEC("cgroup_skb/egress")
int ww_egress(struct __sk_buff *skb)
{
	return on_packet(skb, WW_DIR_OUT);
}

SEC("cgroup_skb/ingress")
int ww_ingress(struct __sk_buff *skb)
{
	return on_packet(skb, WW_DIR_IN);
}
