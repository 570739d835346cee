/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/flow.h"

#include <errno.h>

#include "base/hash.h"
#include "flow/account.h"
#include "flow/behind.h"
#include "flow/certificate.h"
#include "flow/channel.h"
#include "flow/key_holder.h"
#include "flow/quic.h"
#include "flow/session.h"
#include "flow/tls_hello.h"

/* After the kernel's close, events of the other ring may still be on their way. */
#define LINGER_NS 300000000ull

/* For how long what was read waits for what may have gone out before it: machines stand still. */
#define BEHIND_NS 5000000000ull

#define TCP_ESTABLISHED 1
#define TCP_CLOSE       7

/* Where one TLS session's plaintext stands in the flow's direction. */
struct stream {
	struct ww_session_key session;
	bool begun;
	uint64_t base;     /* flow offset of the session's offset 0 */
	uint64_t expected; /* next flow offset */
};

/* Names of further programs that a channel leads to. */
#define CHANNEL_OTHERS_BYTES 1024u

struct entry {
	struct ww_flow flow;       /* first: entries and flows are one address */
	struct ww_channel channel; /* of a channel: flow.channel */
	struct ww_quic quic;       /* flow.quic */
	struct stream stream[2];
	struct ww_account_dir account[2];
	uint8_t random[16];
	bool random_seen;
	bool walk_exact;
	uint64_t hello_ns; /* when the first ClientHello went out; 0: not seen */
	bool told_open;
	bool closing;
	struct ww_behind behind;
	struct ww_certificate_reader certificate;
	uint8_t written;            /* number of the last write that was told; 0: none */
	struct entry *prev, *next;  /* all, by arrival */
	struct entry *next_closing; /* by time of close */
	UT_hash_handle hh;
};

struct ww_flows {
	const struct ww_actors *actors;
	struct ww_flow_ops ops;
	void *ctx;
	struct entry *by_cookie;
	struct entry *first, *last;
	struct entry *closing_first, *closing_last;
	struct ww_sessions *sessions;
	struct ww_channels *channels;
	struct ww_quic_room quic_room;
	struct ww_behind_room behind_room;
	struct ww_certificate_room certificate_room;
	struct ww_boot now; /* of the event that is fed */
	int32_t exit_code;
	struct ww_flow_stats stats;
};

static void lose(void *ctx, const struct ww_event_data *ev, enum ww_loss_cause cause)
{
	struct ww_flows *t = ctx;

	t->stats.lost_bytes += ev->captured;
	if (t->ops.lost)
		t->ops.lost(t->ctx, ev, cause);
}

int ww_flows_new(const struct ww_actors *actors, const struct ww_flow_ops *ops, void *ctx,
		 struct ww_flows **ret_flows)
{
	WW_AUTO(ww_flows_free_auto) struct ww_flows *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->actors = actors;
	t->ops = *ops;
	t->ctx = ctx;
	r = ww_sessions_new(lose, t, &t->sessions);
	if (r == 0)
		r = ww_channels_new(&t->channels);
	if (r < 0)
		return r;
	*ret_flows = WW_TAKE(t);
	return 0;
}

static void entry_free(struct ww_flows *t, struct entry *e)
{
	HASH_DELETE(hh, t->by_cookie, e);
	if (e->prev)
		e->prev->next = e->next;
	else
		t->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		t->last = e->prev;
	t->stats.live--;
	free(e->channel.program);
	ww_buf_done(&e->channel.others);
	ww_quic_done(&e->quic, &t->quic_room);
	ww_behind_done(&e->behind, &t->behind_room);
	ww_certificate_done(&e->certificate, &t->certificate_room);
	free(e);
}

void ww_flows_free(struct ww_flows *t)
{
	if (!t)
		return;
	while (t->first)
		entry_free(t, t->first);
	ww_sessions_free(t->sessions);
	ww_channels_free(t->channels);
	free(t);
}

static struct entry *lookup(const struct ww_flows *t, uint64_t cookie)
{
	struct entry *e = NULL;

	HASH_FIND(hh, t->by_cookie, &cookie, sizeof(cookie), e);
	return e;
}

struct ww_flow *ww_flows_get(struct ww_flows *t, uint64_t cookie)
{
	struct entry *e = lookup(t, cookie);

	return e ? &e->flow : NULL;
}

static struct entry *ensure(struct ww_flows *t, const struct ww_event *ev, uint64_t cookie)
{
	struct entry *e = lookup(t, cookie);

	if (e)
		return e;
	if (t->stats.live >= WW_FLOWS_MAX) {
		t->stats.refused++;
		return NULL;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->flow.cookie = cookie;
	HASH_ADD(hh, t->by_cookie, flow.cookie, sizeof(e->flow.cookie), e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	e->flow.cgroup = ev->cgroup;
	e->flow.t_open.ns = ev->time_ns;
	e->flow.ip_proto = 6;
	e->walk_exact = true;
	e->prev = t->last;
	if (t->last)
		t->last->next = e;
	else
		t->first = e;
	t->last = e;
	t->stats.live++;
	return e;
}

/* A new owner only from process context: the event's actor did it itself. */
static void set_owner(struct ww_flows *t, struct entry *e, struct ww_actor_key actor)
{
	struct ww_flow *f = &e->flow;

	actor.tid = 0;
	if (actor.pid == 0 || ww_actor_key_eq(actor, f->owner))
		return;
	if (f->owner.pid != 0)
		f->owner_changes++;
	f->owner = actor;
	f->root = ww_actors_root(t->actors, actor);
	if (e->random_seen)
		ww_sessions_owner(t->sessions, f->cookie, e->random, actor.pid);
}

static void tell_open(struct ww_flows *t, struct entry *e)
{
	if (e->told_open)
		return;
	e->told_open = true;
	if (t->ops.opened)
		t->ops.opened(t->ctx, &e->flow);
}

static void take_ends(struct ww_flow *f, const struct ww_endpoint *local,
		      const struct ww_endpoint *peer)
{
	if (local->family && (local->port || !f->local.family))
		f->local = *local;
	if (peer->family && (peer->port || !f->peer.family))
		f->peer = *peer;
}

static int feed_flow(struct ww_flows *t, const struct ww_event_flow *ev)
{
	struct entry *e = ensure(t, &ev->h, ev->h.cookie);
	struct ww_flow *f;

	if (!e)
		return -ENOMEM;
	f = &e->flow;
	set_owner(t, e, ev->h.actor);
	if (!f->role || ev->h.kind == WW_EVENT_FLOW_OPEN)
		f->role = ev->role;
	/* The role may be known by a hello that came before. */
	if (!f->netns || ev->h.kind == WW_EVENT_FLOW_OPEN) {
		f->ip_proto = ev->proto;
		f->type = ev->type;
		f->netns = ev->netns;
	}
	if (ev->h.kind == WW_EVENT_FLOW_OPEN)
		f->seen_birth = true;
	take_ends(f, &ev->local, &ev->peer);
	tell_open(t, e);
	return 0;
}

static void take_counters(struct ww_flow *f, const struct ww_event_counters *ev)
{
	take_ends(f, &ev->local, &ev->peer);
	f->bytes_sent = ev->bytes_sent;
	f->bytes_acked = ev->bytes_acked;
	f->bytes_received = ev->bytes_received;
	f->bytes_retrans = ev->bytes_retrans;
	if (ev->rtt_min_us)
		f->rtt_min_us = ev->rtt_min_us;
	if (ev->srtt_us)
		f->srtt_us = ev->srtt_us;
	f->packets[WW_DIR_OUT] = ev->segs_out;
	f->packets[WW_DIR_IN] = ev->segs_in;
}

static void begin_close(struct ww_flows *t, struct entry *e, struct ww_boot when, uint8_t how)
{
	e->closing = true;
	e->flow.t_close = when;
	e->flow.how = how;
	if (t->closing_last)
		t->closing_last->next_closing = e;
	else
		t->closing_first = e;
	t->closing_last = e;
}

/* What is said of the key's holder follows from all that is known so far. */
static void settle_holder(struct entry *e)
{
	if (e->flow.tls)
		ww_key_holder_settle(&e->flow, e->hello_ns, e->account, e->walk_exact);
}

static int feed_counters(struct ww_flows *t, const struct ww_event_counters *ev)
{
	struct entry *e = ensure(t, &ev->h, ev->h.cookie);

	if (!e)
		return -ENOMEM;
	if (e->closing)
		return 0;
	take_counters(&e->flow, ev);
	e->flow.ip_proto = ev->proto;
	if (!ev->records_exact)
		e->walk_exact = false;
	if (ev->h.kind != WW_EVENT_FLOW_STAT)
		e->flow.state = ev->state_new;
	if (ev->h.kind == WW_EVENT_FLOW_STATE && ev->state_new == TCP_ESTABLISHED &&
	    !e->flow.established) {
		e->flow.established = true;
		e->flow.t_established.ns = ev->h.time_ns;
	}
	settle_holder(e);
	tell_open(t, e);
	if (ev->h.kind == WW_EVENT_FLOW_CLOSE) {
		e->flow.sk_err = ev->sk_err;
		begin_close(t, e, (struct ww_boot){ev->h.time_ns}, ev->how);
	}
	return 0;
}

static int feed_hello(struct ww_flows *t, const struct ww_event_hello *ev)
{
	struct entry *e = ensure(t, &ev->h, ev->h.cookie);
	size_t n = ev->captured < WW_HELLO_BYTES_MAX ? ev->captured : WW_HELLO_BYTES_MAX;

	if (!e)
		return -ENOMEM;
	e->flow.tls = true;
	if (!e->flow.role)
		e->flow.role = (ev->dir == WW_DIR_OUT) == (ev->client == 1) ? WW_FLOW_CONNECT
									    : WW_FLOW_ACCEPT;
	(void)ww_tls_hello_parse(ww_slice(ev->bytes, n), ev->client,
				 &e->flow.tls_facts); /* what it could read stands */
	if (ev->client && ev->dir == WW_DIR_OUT && !e->hello_ns)
		e->hello_ns = ev->h.time_ns;
	settle_holder(e);
	if (!ev->client)
		return 0;
	if (e->random_seen && memcmp(e->random, ev->random, sizeof(e->random)) != 0)
		ww_sessions_forget_random(t->sessions, e->flow.cookie, e->random);
	memcpy(e->random, ev->random, sizeof(e->random));
	e->random_seen = true;
	return ww_sessions_hello(t->sessions, ev, e->flow.role, e->flow.owner.pid);
}

static void gap(struct ww_flows *t, struct entry *e, enum ww_dir dir, uint64_t upto,
		struct ww_boot when)
{
	struct stream *s = &e->stream[dir];
	uint64_t n = upto - s->expected;

	e->flow.lost_bytes[dir] += n;
	if (t->ops.gap)
		t->ops.gap(t->ctx, &e->flow, dir, s->expected, n, when);
	s->expected = upto;
}

static bool same_session(const struct ww_session_key *a, const struct ww_session_key *b)
{
	static const uint8_t zero[16];

	if (memcmp(a->random, zero, 16) != 0 || memcmp(b->random, zero, 16) != 0)
		return memcmp(a->random, b->random, 16) == 0;
	return a->object == b->object && a->pid == b->pid;
}

/* The stream position of a session; a second session on one socket (renegotiation) goes on where
 * the first ended. */
static struct stream *stream_of(struct entry *e, const struct ww_event_data *ev)
{
	struct stream *s = &e->stream[ev->dir];

	if (!s->begun || !same_session(&s->session, &ev->session)) {
		s->session = ev->session;
		s->begun = true;
		s->base = s->expected;
	}
	return s;
}

/* Where the event's bytes stand; what is missing in front of them is told. */
static uint64_t place(struct ww_flows *t, struct entry *e, const struct ww_event_data *ev)
{
	struct stream *s = stream_of(e, ev);
	uint64_t at;

	/*
	 * The kernel counts a session's bytes once and only up. An offset that was there before
	 * means that it had to forget the session: what lies between is a hole of unknown length.
	 */
	if (s->base + ev->offset < s->expected)
		s->base = s->expected + (ev->offset == 0);
	at = s->base + ev->offset;
	if (at > s->expected) {
		/* Not the cut tail of a call: calls that nobody counted. */
		e->account[ev->dir].calls_lost = true;
		gap(t, e, ev->dir, at, (struct ww_boot){ev->h.time_ns});
	}
	return at;
}

static void deliver(struct ww_flows *t, struct entry *e, const struct ww_event_data *ev)
{
	struct ww_boot when = {ev->h.time_ns};
	struct ww_slice bytes = ww_slice(ev->bytes, ev->captured);
	uint64_t at = place(t, e, ev);
	struct stream *s = &e->stream[ev->dir];

	if (ev->call_at == 0)
		ww_account_add_call(&e->account[ev->dir], ev->dir, ev->call_bytes, ev->requested);
	e->account[ev->dir].captured += ev->captured;
	if (bytes.n) {
		s->expected = at + bytes.n;
		if (t->ops.bytes)
			t->ops.bytes(t->ctx, &e->flow, ev->dir, at, bytes, when);
	}
	if (!ev->last)
		return;
	if (ev->dir == WW_DIR_OUT && ev->write)
		e->written = ev->write;
	/* the cap may have cut the call's tail */
	at += ev->call_bytes - ev->call_at;
	if (at > s->expected)
		gap(t, e, ev->dir, at, when);
}

/* What it is the answer to is not known, and with bytes left out nobody takes it for another's. */
static void lose_answer(struct ww_flows *t, struct entry *e, const struct ww_event_data *ev)
{
	struct ww_event_data hole = *ev;

	lose(t, ev, WW_LOSS_HOLD);
	hole.captured = 0;
	deliver(t, e, &hole);
}

/* All that waits, in its order. */
static void release_behind(struct ww_flows *t, struct entry *e,
			   void (*fn)(struct ww_flows *t, struct entry *e,
				      const struct ww_event_data *ev))
{
	const struct ww_event_data *ev;

	while ((ev = ww_behind_first(&e->behind))) {
		fn(t, e, ev);
		ww_behind_drop(&e->behind, &t->behind_room);
	}
}

/* The write that was on its way, or a later one, is told. They are numbered 1 to 255, and again. */
static bool is_told(const struct entry *e, uint8_t write)
{
	return !write || (e->written && (e->written + 255 - write) % 255 < 127);
}

static void deliver_in(struct ww_flows *t, struct entry *e, const struct ww_event_data *ev)
{
	if (!ww_behind_first(&e->behind) && is_told(e, ev->write)) {
		deliver(t, e, ev);
	} else if (!ww_behind_put(&e->behind, &t->behind_room, ev)) {
		release_behind(t, e, lose_answer);
		lose_answer(t, e, ev);
	}
}

/* What goes out goes before what was read behind it, and went before that was read. */
static void deliver_out(struct ww_flows *t, struct entry *e, const struct ww_event_data *ev)
{
	WW_AUTO_FREE struct ww_event_data *earlier = NULL;
	const struct ww_event_data *answer = ww_behind_first(&e->behind);

	if (answer && ev->write != answer->write) {
		/* That one is lost: its place is in front of the answer, this one's behind it. */
		place(t, e, ev);
		release_behind(t, e, deliver);
		answer = NULL;
	} else if (answer && answer->h.time_ns < ev->h.time_ns) {
		earlier = malloc(sizeof(*ev) + ev->captured);
	}
	if (earlier) {
		memcpy(earlier, ev, sizeof(*ev) + ev->captured);
		earlier->h.time_ns = answer->h.time_ns;
		ev = earlier;
	}
	deliver(t, e, ev);
	if (answer && is_told(e, answer->write))
		release_behind(t, e, deliver);
	if (earlier)
		explicit_bzero(earlier->bytes, earlier->captured);
}

/* What they were behind of did not come. */
static void expire_behind(struct ww_flows *t, struct ww_boot now)
{
	for (struct entry *e = t->first; e && t->behind_room.bytes > 0; e = e->next) {
		const struct ww_event_data *ev = ww_behind_first(&e->behind);

		if (ev && ev->h.time_ns + BEHIND_NS <= now.ns)
			release_behind(t, e, lose_answer);
	}
}

static bool data_sane(const struct ww_event_data *ev)
{
	return ev->dir <= WW_DIR_IN && ev->h.size >= sizeof(*ev) &&
	       ev->captured <= ev->h.size - sizeof(*ev) && ev->call_at <= ev->call_bytes &&
	       ev->captured <= ev->call_bytes - ev->call_at;
}

static void deliver_bound(void *ctx, uint64_t cookie, uint8_t grade, const struct ww_event_data *ev)
{
	struct ww_flows *t = ctx;
	struct entry *e = ensure(t, &ev->h, cookie);

	if (!e) {
		lose(t, ev, WW_LOSS_HOLD);
		return;
	}
	e->flow.tls = true;
	if (e->flow.bind == WW_BIND_UNBOUND)
		e->flow.bind = grade;
	set_owner(t, e, ev->h.actor);
	if (ev->dir == WW_DIR_OUT)
		deliver_out(t, e, ev);
	else
		deliver_in(t, e, ev);
}

static int feed_data(struct ww_flows *t, const struct ww_event_data *ev)
{
	uint8_t grade = WW_BIND_UNBOUND;
	uint64_t cookie;

	if (!data_sane(ev)) {
		t->stats.malformed++;
		return 0;
	}
	cookie = ww_sessions_cookie(t->sessions, &ev->session, ev->h.cookie, ev->bind, &grade);
	if (!cookie)
		return ww_sessions_hold(t->sessions, ev);
	ww_sessions_release_one(t->sessions, &ev->session, deliver_bound, t);
	deliver_bound(t, cookie, grade, ev);
	return 0;
}

/* The freed object's totals close what the last events may not have shown. */
static void feed_session_end(struct ww_flows *t, const struct ww_event_session *ev)
{
	uint64_t totals[2] = {ev->bytes_out, ev->bytes_in};
	uint8_t grade;
	uint64_t cookie = ww_sessions_cookie(t->sessions, &ev->session, ev->h.cookie,
					     WW_BIND_UNBOUND, &grade);
	struct entry *e;

	if (cookie) /* what came before comes first */
		ww_sessions_release_one(t->sessions, &ev->session, deliver_bound, t);
	e = lookup(t, cookie);
	if (e)
		release_behind(t, e, deliver);
	ww_sessions_end(t->sessions, &ev->session, (struct ww_boot){ev->h.time_ns});
	for (unsigned dir = 0; e && dir < 2; dir++) {
		struct stream *s = &e->stream[dir];

		if (!s->begun) { /* all of it was lost, or there was none */
			s->session = ev->session;
			s->begun = true;
			s->base = s->expected;
		}
		if (!same_session(&s->session, &ev->session) ||
		    s->base + totals[dir] <= s->expected)
			continue;
		e->account[dir].calls_lost = true;
		gap(t, e, dir, s->base + totals[dir], (struct ww_boot){ev->h.time_ns});
	}
}

static int feed_record(struct ww_flows *t, const struct ww_event_record *ev)
{
	struct entry *e = ensure(t, &ev->h, ev->h.cookie);

	if (!e)
		return -ENOMEM;
	if (ev->dir <= WW_DIR_IN)
		ww_account_add_record(&e->account[ev->dir], ev);
	if (ev->dir == WW_DIR_IN)
		ww_certificate_record(&e->certificate, ev->index, ev->stream_offset);
	settle_holder(e);
	return 0;
}

static int feed_packet(struct ww_flows *t, const struct ww_event_packet *ev)
{
	struct entry *e;

	if (ev->what != WW_PACKET_QUIC && ev->what != WW_PACKET_CLEAR)
		return 0;
	e = ensure(t, &ev->h, ev->h.cookie);
	if (!e)
		return -ENOMEM;
	if (ev->what == WW_PACKET_QUIC) {
		ww_quic_packet(&e->quic, &t->quic_room, ev, &e->flow);
	} else if (e->flow.tls_facts.version != 0x0304) {
		ww_certificate_segment(&e->certificate, &t->certificate_room, ev);
		e->flow.certificate = e->certificate.got;
	}
	return 0;
}

/* --- channels ------------------------------------------------------------------------------- */

static struct entry *ensure_channel(struct ww_flows *t, const struct ww_event *ev)
{
	struct entry *e = ensure(t, ev, ev->cookie);

	if (!e || e->flow.channel)
		return e;
	e->flow.channel = &e->channel;
	ww_buf_init(&e->channel.others, CHANNEL_OTHERS_BYTES);
	e->flow.ip_proto = 0;
	e->flow.type = 1;
	e->flow.role = WW_FLOW_CONNECT;
	e->flow.established = true;
	e->flow.t_established.ns = ev->time_ns;
	return e;
}

/* NULL: not known. */
static const char *program_of(const struct ww_flows *t, struct ww_actor_key actor)
{
	const struct ww_actor *a = ww_actors_get(t->actors, actor);

	return a && a->exe[0] && !a->own_mounts ? a->exe : NULL;
}

static bool same_program(const char *x, const char *y)
{
	return x && y ? strcmp(x, y) == 0 : x == y;
}

static int add_other(struct ww_channel *c, const char *program)
{
	int r;

	for (size_t at = 0; program && at < c->others.n;
	     at += strlen((const char *)c->others.p + at) + 1) {
		if (same_program((const char *)c->others.p + at, program))
			return 0;
	}
	r = program ? ww_buf_add(&c->others, program, strlen(program) + 1) : -EMSGSIZE;
	c->more |= r == -EMSGSIZE;
	return r == -ENOMEM ? r : 0;
}

/* It leads to this one now. What a process executed before, when nothing was said yet, is no
 * matter. */
static int set_server(struct ww_flows *t, struct entry *e, struct ww_actor_key server)
{
	struct ww_channel *c = &e->channel;
	const struct ww_actor *a = ww_actors_get(t->actors, server);
	const char *program = program_of(t, server);
	bool silent = !e->stream[WW_DIR_OUT].begun && !e->stream[WW_DIR_IN].begun;
	bool stays = c->server.pid && !(silent && ww_actor_key_eq(c->server, server));
	char *copy;

	c->server = server;
	c->server.tid = 0;
	snprintf(c->called, sizeof(c->called), "%s", a ? a->comm : "");
	if (same_program(program, c->program))
		return 0;
	copy = program ? strdup(program) : NULL;
	if ((program && !copy) || (stays && add_other(c, c->program) < 0)) {
		free(copy);
		return -ENOMEM;
	}
	free(c->program);
	c->program = copy;
	return 0;
}

/* Whoever has it may speak; who does is seen then. */
static int take_server(struct ww_flows *t, struct entry *e, struct ww_actor_key server)
{
	const char *program = program_of(t, server);

	if (!e->stream[WW_DIR_OUT].begun && !e->stream[WW_DIR_IN].begun)
		return set_server(t, e, server);
	return same_program(program, e->channel.program) ? 0 : add_other(&e->channel, program);
}

/* A process that was there before us is known by a rounded start until an event says it exactly. */
static void settle_agent(struct ww_flows *t, struct entry *e)
{
	const struct ww_actor *a;

	if (!e->flow.channel || !e->channel.agent)
		return;
	a = ww_actors_at(t->actors, e->channel.agent, e->flow.t_open);
	if (!a)
		return;
	e->flow.root = ww_actors_root(t->actors, a->key);
	if (ww_actor_key_eq(a->key, e->flow.owner))
		return;
	e->flow.owner = a->key;
	e->flow.owner.tid = 0;
	/* It is remembered already, with the old key. */
	if (ww_channels_hold(t->channels, e->flow.cookie, e->channel.server, a->key) < 0)
		t->stats.refused++;
}

struct forks {
	struct ww_flows *t;
	struct ww_actor_key parent;
};

static void take_fork(void *ctx, const struct ww_actor *a)
{
	const struct forks *k = ctx;

	if (ww_actor_key_eq(a->parent, k->parent) && a->execed.ns == 0 && a->exited.ns == 0)
		ww_channels_fork(k->t->channels, k->parent, a->key);
}

/* Who is not remembered leaves it open for longer, nothing else. */
static void hold(struct ww_flows *t, struct entry *e, struct ww_actor_key server)
{
	struct forks k = {.t = t, .parent = server};

	if (ww_channels_hold(t->channels, e->flow.cookie, server, e->flow.owner) < 0)
		t->stats.refused++;
	else /* it may have forked before it was told */
		ww_actors_each(t->actors, take_fork, &k);
}

static bool is_root(const struct ww_flows *t, struct ww_actor_key actor)
{
	return ww_actor_key_eq(ww_actors_root(t->actors, actor), actor);
}

static int feed_stdio(struct ww_flows *t, const struct ww_event_stdio *ev)
{
	struct entry *e;
	int r;

	if (ev->status == WW_STDIO_UNSEEN ||
	    (ev->status == WW_STDIO_OUTSIDE && is_root(t, ev->h.actor)))
		return 0;
	e = ensure_channel(t, &ev->h);
	if (!e)
		return -ENOMEM;
	if (!e->told_open)
		e->flow.seen_birth = ev->born && ev->status == WW_STDIO_READ;
	if (ev->agent || !e->channel.agent)
		e->channel.agent = ev->agent;
	r = take_server(t, e, ev->h.actor);
	settle_agent(t, e);
	if (ev->status != WW_STDIO_READ) {
		e->channel.opaque = true;
		memcpy(e->channel.why, ev->text, sizeof(e->channel.why));
		e->channel.why[sizeof(e->channel.why) - 1] = '\0';
	}
	tell_open(t, e);
	hold(t, e, ev->h.actor);
	return r;
}

/* Its offsets begin anew when nobody had it for a while: a hole of unknown length then. Where its
 * begin was not seen there is one, too. */
static uint64_t place_of(struct entry *e, const struct ww_event_stdio_data *ev)
{
	struct stream *s = &e->stream[ev->dir];

	if (!s->begun && !e->flow.seen_birth)
		s->base = 1;
	s->begun = true;
	if (s->base + ev->offset < s->expected)
		s->base = s->expected + (ev->offset == 0);
	return s->base + ev->offset;
}

static void count_channel(struct ww_flow *f)
{
	f->bytes_sent = f->bytes_acked = ((struct entry *)f)->stream[WW_DIR_OUT].expected;
	f->bytes_received = ((struct entry *)f)->stream[WW_DIR_IN].expected;
}

static int feed_stdio_data(struct ww_flows *t, const struct ww_event_stdio_data *ev)
{
	struct ww_boot when = {ev->h.time_ns};
	struct entry *e = ensure_channel(t, &ev->h);
	uint64_t at, end;

	if (!e || set_server(t, e, ev->h.actor) < 0)
		return -ENOMEM;
	settle_agent(t, e);
	tell_open(t, e);
	at = place_of(e, ev);
	end = at + (ev->call_bytes - ev->call_at);
	e->channel.rings |= ev->rings;
	e->account[ev->dir].captured += ev->captured;
	if (at > e->stream[ev->dir].expected)
		gap(t, e, ev->dir, at, when);
	e->stream[ev->dir].expected = at + ev->captured;
	count_channel(&e->flow);
	if (ev->captured && t->ops.bytes)
		t->ops.bytes(t->ctx, &e->flow, ev->dir, at, ww_slice(ev->bytes, ev->captured),
			     when);
	if (ev->line)
		e->channel.line[ev->dir] = end;
	if (ev->last && end > e->stream[ev->dir].expected)
		gap(t, e, ev->dir, end, when);
	count_channel(&e->flow);
	return 0;
}

/* Who is there now; a channel that has ended is remembered no longer. */
static void settle_forks(struct ww_flows *t, struct entry *e)
{
	if (e->flow.channel && !e->closing)
		e->channel.forked = ww_channels_forked(t->channels, e->flow.cookie);
}

static void end_channel(void *ctx, uint64_t cookie, enum ww_channel_end end)
{
	struct ww_flows *t = ctx;
	struct entry *e = lookup(t, cookie);

	if (!e || e->closing)
		return;
	settle_forks(t, e);
	begin_close(t, e, t->now,
		    end == WW_CHANNEL_AGENT ? WW_CLOSE_FIN_LOCAL
		    : t->exit_code < 0      ? WW_CLOSE_RST_PEER
					    : WW_CLOSE_FIN_PEER);
}

static void feed_exit(struct ww_flows *t, const struct ww_event_exit *ev)
{
	t->now.ns = ev->h.time_ns;
	t->exit_code = ev->code;
	ww_sessions_exit(t->sessions, ev->h.actor.pid, t->now);
	ww_channels_exit(t->channels, ev->h.actor, end_channel, t);
}

static void account_channel(struct entry *e)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		uint64_t bytes = e->stream[dir].expected;

		e->flow.account[dir] = (struct ww_account){.payload = bytes,
							   .explained = bytes,
							   .captured = e->account[dir].captured,
							   .checked = true};
	}
}

int ww_flows_feed(struct ww_flows *t, const struct ww_event *ev)
{
	int r = 0;

	switch (ev->kind) {
	case WW_EVENT_FLOW_OPEN:
	case WW_EVENT_FLOW_OWNER:
		r = feed_flow(t, (const struct ww_event_flow *)ev);
		ww_sessions_release(t->sessions, deliver_bound, t);
		return r;
	case WW_EVENT_FLOW_STATE:
	case WW_EVENT_FLOW_STAT:
	case WW_EVENT_FLOW_CLOSE:
		return feed_counters(t, (const struct ww_event_counters *)ev);
	case WW_EVENT_TLS_HELLO:
		r = feed_hello(t, (const struct ww_event_hello *)ev);
		ww_sessions_release(t->sessions, deliver_bound, t);
		return r;
	case WW_EVENT_TLS_RECORD:
		return feed_record(t, (const struct ww_event_record *)ev);
	case WW_EVENT_PACKET:
		return feed_packet(t, (const struct ww_event_packet *)ev);
	case WW_EVENT_BIND_PREFIX:
		r = ww_sessions_bind(t->sessions, (const struct ww_event_bind *)ev);
		ww_sessions_release(t->sessions, deliver_bound, t);
		return r;
	case WW_EVENT_DATA:
		return feed_data(t, (const struct ww_event_data *)ev);
	case WW_EVENT_PROC_EXIT:
		feed_exit(t, (const struct ww_event_exit *)ev);
		return 0;
	case WW_EVENT_PROC_FORK:
		ww_channels_fork(t->channels, ((const struct ww_event_fork *)ev)->parent,
				 ev->actor);
		return 0;
	case WW_EVENT_PROC_EXEC:
		ww_channels_exec(t->channels, ev->actor);
		return 0;
	case WW_EVENT_STDIO:
		return feed_stdio(t, (const struct ww_event_stdio *)ev);
	case WW_EVENT_STDIO_DATA:
		return feed_stdio_data(t, (const struct ww_event_stdio_data *)ev);
	case WW_EVENT_SESSION_END:
		feed_session_end(t, (const struct ww_event_session *)ev);
		return 0;
	default:
		return 0;
	}
}

static void finish_one(struct ww_flows *t, struct entry *e)
{
	release_behind(t, e, deliver);
	settle_agent(t, e);
	settle_forks(t, e);
	ww_flow_account(&e->flow);
	e->flow.closed = true;
	if (t->ops.closed)
		t->ops.closed(t->ctx, &e->flow);
	ww_sessions_forget(t->sessions, e->flow.cookie);
	if (e->random_seen)
		ww_sessions_forget_random(t->sessions, e->flow.cookie, e->random);
	entry_free(t, e);
}

void ww_flows_tick(struct ww_flows *t, struct ww_boot now)
{
	expire_behind(t, now);
	while (t->closing_first && t->closing_first->flow.t_close.ns + LINGER_NS <= now.ns) {
		struct entry *e = t->closing_first;

		t->closing_first = e->next_closing;
		if (!t->closing_first)
			t->closing_last = NULL;
		finish_one(t, e);
	}
	if (now.ns > LINGER_NS)
		ww_sessions_expire(t->sessions, (struct ww_boot){now.ns - LINGER_NS});
}

static int by_cookie(const struct entry *a, const struct entry *b)
{
	return a->flow.cookie < b->flow.cookie ? -1 : a->flow.cookie > b->flow.cookie;
}

void ww_flows_finish(struct ww_flows *t, struct ww_boot now)
{
	t->closing_first = t->closing_last = NULL;
	HASH_SORT(t->by_cookie, by_cookie);
	while (t->by_cookie) {
		struct entry *e = t->by_cookie;

		if (e->flow.t_close.ns == 0)
			e->flow.t_close = now;
		finish_one(t, e);
	}
}

struct ww_flow *ww_flows_by_ends(struct ww_flows *t, const struct ww_endpoint *local,
				 const struct ww_endpoint *peer)
{
	for (struct entry *e = t->last; e; e = e->prev) {
		if (e->flow.local.port == local->port && ww_endpoint_eq(&e->flow.local, local) &&
		    ww_endpoint_eq(&e->flow.peer, peer))
			return &e->flow;
	}
	return NULL;
}

void ww_flows_each(struct ww_flows *t, void (*fn)(void *ctx, struct ww_flow *f), void *ctx)
{
	HASH_SORT(t->by_cookie, by_cookie);
	for (struct entry *e = t->by_cookie; e; e = e->hh.next) {
		settle_agent(t, e);
		settle_forks(t, e);
		fn(ctx, &e->flow);
	}
}

unsigned ww_flows_homeless(const struct ww_flows *t, uint64_t cgroup, struct ww_boot from,
			   struct ww_boot to)
{
	return ww_sessions_homeless(t->sessions, cgroup, from, to);
}

void ww_flow_account(struct ww_flow *f)
{
	struct entry *e = (struct entry *)f;

	if (f->channel)
		account_channel(e);
	else
		ww_account_close(f, e->account, e->walk_exact);
	settle_holder(e);
}

struct ww_flow_stats ww_flows_stats(const struct ww_flows *t)
{
	struct ww_flow_stats stats = t->stats;

	stats.unbound = ww_sessions_unbound(t->sessions);
	return stats;
}
