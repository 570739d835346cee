/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/closed_world.h"

#include <stdarg.h>

/* Closes are told in order of arrival, at most this much out of order of time. */
#define CLOSE_ORDER_NS 1000000000ull
#define NS_PER_S       1000000000ull
#define PORT_DNS       53
#define IP_UDP         17
#define COVERS_ALL     (WW_COVERS_TCP | WW_COVERS_UDP | WW_COVERS_RAW | WW_COVERS_UNIX | WW_COVERS_PROC)
/* Line ends between requests of HTTP/1: too little for one of it. HTTP/2 has no such bytes. */
#define STRAY_BYTES_MAX 16u
/* Session tickets of a TLS 1.3 server that cannot be told from a reply without plaintext. */
#define TICKETS_BYTES_MAX 1024u

const char *ww_closed_world_item_name(enum ww_world_item item)
{
#define NAME_(n, t, r, d) [WW_WORLD_##n] = (t),
	static const char *const names[WW_WORLD_ITEM_MAX] = {WW_WORLD_ITEMS(NAME_)};

	return (unsigned)item < WW_WORLD_ITEM_MAX ? names[item] : "unknown";
}

/* The first detail of an item stays. */
static void __attribute__((format(printf, 3, 4)))
fail(struct ww_world *w, enum ww_world_item item, const char *fmt, ...)
{
	va_list ap;

	if (w->failed & (1u << item))
		return;
	w->failed |= 1u << item;
	va_start(ap, fmt);
	vsnprintf(w->details[item], sizeof(w->details[item]), fmt, ap);
	va_end(ap);
}

void ww_closed_world_fail(struct ww_world *w, enum ww_world_item item, const char *detail)
{
	fail(w, item, "%s", detail);
}

/* --- what is asked of coverage and of the join --------------------------------------------------
 */

static void check_coverage(const struct ww_world_ask *ask, struct ww_world *w)
{
	struct ww_coverage_answer *a = &w->coverage;

	ww_coverage_query(ask->coverage, ask->action->cgroup, w->from, w->to, a);
	if (!a->known)
		fail(w, WW_WORLD_COVERED, "the scope is not known");
	else if (!a->whole_window || a->gaps)
		fail(w, WW_WORLD_COVERED, "%u gaps, whole window: %s", a->gaps,
		     a->whole_window ? "yes" : "no");
	else if ((a->covers & COVERS_ALL) != COVERS_ALL)
		fail(w, WW_WORLD_COVERED, "only kinds 0x%x of 0x%x", a->covers, COVERS_ALL);
	if (a->lost_events)
		fail(w, WW_WORLD_LOSSES, "%llu events lost: %s", (unsigned long long)a->lost_events,
		     ww_loss_cause_name((enum ww_loss_cause)a->lost_cause));
	if (a->unix_peers || a->loopback_peers)
		fail(w, WW_WORLD_PEERS, "%s", a->detail);
	if (a->raw_sockets)
		fail(w, WW_WORLD_RAW, "%u raw sockets", a->raw_sockets);
}

static void check_rest(const struct ww_world_ask *ask, struct ww_world *w)
{
	struct ww_boot blind = ww_held_blind_until(ask->held);
	const struct ww_contract *c = ask->contract;

	if (ask->action->clock_bad)
		fail(w, WW_WORLD_CLOCK, "a time contradicts the clock map");
	if (ask->joined->astray)
		fail(w, WW_WORLD_CLOCK, "its call began outside of its times");
	if (c->deferred && c->deadline_s == 0)
		fail(w, WW_WORLD_DEFERRAL, "deferred without a deadline");
	if (ask->now.ns < w->to.ns)
		fail(w, WW_WORLD_COVERED, "watching ended before the window");
	if (blind.ns && w->from.ns <= blind.ns)
		fail(w, WW_WORLD_KEPT, "exchanges or flows of the window were dropped");
	if (ask->joined->foreign)
		fail(w, WW_WORLD_OTHERS, "%u like calls of other trees", ask->joined->foreign);
	if (ask->joined->early)
		fail(w, WW_WORLD_EARLY, "a like call before the window");
	if (ask->joined->late)
		fail(w, WW_WORLD_LATE,
		     "%u like calls after the window, or of an action that may be this one",
		     ask->joined->late);
	if (ask->joined->almost)
		fail(w, WW_WORLD_LATE, "%u calls almost like it", ask->joined->almost);
}

/* --- flows --------------------------------------------------------------------------------------
 */

/* Whoever has the channel may have been asked; of one that is not known it may be the declared. */
static bool leads_to_declared(const struct ww_contract *c, const struct ww_held_flow *f)
{
	const char *name = f->name && !f->more ? f->name : "";
	bool found = ww_pattern_program(&c->call, name) ||
		     ww_pattern_program_may_be(&c->call, name, f->called);

	for (size_t at = 0; !found && at < f->others.n;
	     at += strlen((const char *)f->others.p + at) + 1)
		found = ww_pattern_program(&c->call, (const char *)f->others.p + at);
	return found;
}

bool ww_closed_world_declared(const struct ww_contract *c, const struct ww_held_flow *f)
{
	if (f->receiver)
		return false;
	if (f->channel)
		return leads_to_declared(c, f);
	return f->name ? ww_pattern_destination(&c->call, f->name, &f->peer)
		       : ww_pattern_address(&c->call, &f->peer);
}

/* Whether bytes of the application went out, past what the TLS handshake takes. Counters that know
 * of less than the handshake are behind: then it may be. */
static bool sent(const struct ww_held_flow *f)
{
	uint64_t setup = f->tls ? f->setup[WW_DIR_OUT] : 0;

	return f->bytes_sent > setup || (!f->closed && f->bytes_sent < setup);
}

/* Bytes that were sent, and that nothing on this flow explains as a request. */
static bool undecoded(const struct ww_held_flow *f)
{
	if (f->tls && !f->bound)
		return true;
	if (f->undecoded > 0 || f->torn || (f->delivered == 0 && f->begun == 0 && f->told == 0))
		return true;
	return f->begun == f->delivered && f->spoken > f->told + (f->framed ? 0 : STRAY_BYTES_MAX);
}

static enum ww_evidence evidence_of(const struct ww_held_flow *f)
{
	bool opaque = f->tls && !f->bound;
	uint64_t out = f->tls ? f->setup[WW_DIR_OUT] : 0;
	uint64_t in = f->tls ? f->setup[WW_DIR_IN] : 0;

	if (!f->established && f->bytes_acked == 0)
		return WW_EVIDENCE_E0;
	if (f->bytes_acked <= out)
		return WW_EVIDENCE_E1;
	if (f->bytes_received <= in + (opaque ? TICKETS_BYTES_MAX : 0))
		return WW_EVIDENCE_E2;
	return WW_EVIDENCE_E3;
}

static void take_undecoded(const struct ww_held_flow *f, struct ww_world *w)
{
	struct ww_world_undecoded *u = &w->undecoded;
	enum ww_evidence e = evidence_of(f);

	if (e < WW_EVIDENCE_E2)
		return;
	u->count++;
	u->torn |= f->torn;
	if (u->flow && u->evidence >= e)
		return;
	u->flow = f;
	u->evidence = e;
	u->opaque = f->tls && !f->bound;
	u->began_inside = f->t_open.ns >= w->from.ns;
}

/* DNS over UDP, but not to where the action itself would go. */
static bool is_dns(const struct ww_world_ask *ask, const struct ww_held_flow *f)
{
	return f->ip_proto == IP_UDP && f->peer.port == PORT_DNS &&
	       !ww_closed_world_declared(ask->contract, f);
}

static void check_content(const struct ww_world_ask *ask, const struct ww_held_flow *f,
			  struct ww_world *w)
{
	uint64_t hidden = f->unexplained[WW_DIR_OUT] > f->unexplained[WW_DIR_IN]
				  ? f->unexplained[WW_DIR_OUT]
				  : f->unexplained[WW_DIR_IN];
	bool unread = undecoded(f) && !f->model && !ww_held_is_model_peer(ask->held, &f->peer);
	char peer[WW_ENDPOINT_TEXT_MAX];

	if (!unread && !f->unchecked && hidden <= WW_WORLD_REMAINDER_BYTES)
		return;
	ww_endpoint_text(&f->peer, peer);
	if (hidden > WW_WORLD_REMAINDER_BYTES) {
		fail(w, WW_WORLD_ACCOUNT, "%llu bytes unexplained, %s", (unsigned long long)hidden,
		     peer);
		w->behind |= !f->closed;
	}
	if (f->unchecked)
		fail(w, WW_WORLD_ACCOUNT, "not known what is unexplained, %s", peer);
	if (unread && f->tls)
		fail(w, WW_WORLD_TLS, "%s, %s", peer, f->bound ? "not understood" : "unread");
	else if (unread && !is_dns(ask, f))
		fail(w, WW_WORLD_PLAIN, "%s, %llu bytes", peer, (unsigned long long)f->bytes_sent);
}

/* A neighbour in the scope may have been asked to act, by means that no hook sees. */
static void check_neighbour(const struct ww_world_ask *ask, const struct ww_held_flow *f,
			    struct ww_world *w)
{
	char peer[WW_ENDPOINT_TEXT_MAX];

	if (!sent(f) || !undecoded(f) || is_dns(ask, f) || ww_endpoint_loopback(&f->peer))
		return;
	ww_endpoint_text(&f->peer, peer);
	fail(w, WW_WORLD_OTHERS, "another tree sent unread bytes, %s", peer);
}

/*
 * The kernel counts nothing of a channel: that all of it was seen rests on its calls being read at
 * all, on offsets without a hole, and on each message being understood, from before the window on.
 * Channels to other programs than declared lead nowhere but into the scope.
 */
static void check_channel(const struct ww_world_ask *ask, const struct ww_held_flow *f,
			  struct ww_world *w)
{
	const char *name = f->name ? f->name : "a program";

	if (!ww_closed_world_declared(ask->contract, f))
		return;
	if (f->root.pid == 0)
		fail(w, WW_WORLD_OWNERS, "a channel without a known agent");
	if (f->bytes_sent && w->egress_count < WW_WORLD_EGRESS_MAX)
		w->egress[w->egress_count++] = f;
	w->egress_total += f->bytes_sent > 0;
	if (f->opaque)
		fail(w, WW_WORLD_PLAIN, "channel to %.40s is not read", name);
	else if (f->since.ns == 0 || (f->since.ns > w->from.ns && f->since.ns > f->t_open.ns))
		fail(w, WW_WORLD_COVERED, "channel to %.20s not read from before it", name);
	if (f->loose)
		fail(w, WW_WORLD_PLAIN, "channel to %.30s, in mid-message", name);
}

static void check_flow(const struct ww_world_ask *ask, const struct ww_held_flow *f,
		       struct ww_world *w)
{
	bool declared;

	if (f->root.pid && !ww_held_same_tree(f->root, ask->action->root)) {
		if (!f->channel)
			check_neighbour(ask, f, w);
		return;
	}
	if (f->channel) {
		check_channel(ask, f, w);
		return;
	}
	declared = ww_closed_world_declared(ask->contract, f);
	if (declared && f->how == WW_CLOSE_REFUSED)
		w->refused++;
	if (!sent(f))
		return;
	if (ww_endpoint_loopback(&f->peer) && !declared)
		return;
	w->egress_total++;
	if (w->egress_count < WW_WORLD_EGRESS_MAX)
		w->egress[w->egress_count++] = f;
	if (f->root.pid == 0)
		fail(w, WW_WORLD_OWNERS, "a flow without a known owner");
	if (declared && undecoded(f))
		take_undecoded(f, w);
	check_content(ask, f, w);
}

static bool concerns(const struct ww_world_ask *ask, const struct ww_held_flow *f,
		     const struct ww_world *w)
{
	const struct ww_action *a = ask->action;

	if (f->role == WW_FLOW_ACCEPT || f->t_open.ns > w->to.ns ||
	    (f->closed && f->t_close.ns < w->from.ns))
		return false;
	return ww_held_same_tree(f->root, a->root) || f->cgroup == a->cgroup;
}

/* A reply that did not come could have come, and been lost to us, for as long as its connection
 * lived. */
static void await_reply(const struct ww_world_ask *ask, const struct ww_match *m,
			struct ww_world *w)
{
	const struct ww_held_flow *f = ww_held_flow_get(ask->held, m->x->cookie);
	struct ww_boot end = f && f->closed ? f->t_close : ask->now;

	if (m->wire == WW_WIRE_NO_REPLY && end.ns > w->to.ns)
		w->to = end;
}

/* Where nobody needs to have watched: before its first process a tree does nothing. */
static struct ww_boot begin_of(const struct ww_world_ask *ask)
{
	const struct ww_join_window *j = &ask->joined->window;
	struct ww_boot from = j->from;

	if (from.ns < ask->action->root.start_ns)
		from.ns = ask->action->root.start_ns;
	/* A program that was executed to come here did not say what was said before it: then the
	 * margin of the clocks does not reach beyond it either. */
	if (from.ns < ask->came.ns && ask->came.ns <= j->core_from.ns)
		from = ask->came;
	return from;
}

struct ww_boot ww_closed_world_shows_until(const struct ww_contract *c, const struct ww_joined *j)
{
	struct ww_boot until = {0};

	for (unsigned i = 0; i < j->count && c->readback.path && c->deadline_s; i++) {
		const struct ww_match *m = j->attempts[i].match;
		uint64_t ns = m->x->ended.ns + c->deadline_s * NS_PER_S;

		if (m->wire == WW_WIRE_ACCEPTED && m->id_present && ns > until.ns)
			until.ns = ns;
	}
	return until;
}

void ww_closed_world_cover(const struct ww_world_ask *ask, struct ww_world *ret_world)
{
	struct ww_world *w = ret_world;
	struct ww_boot until;

	memset(w, 0, sizeof(*w));
	w->from = begin_of(ask);
	w->to.ns = ask->joined->window.to.ns + ask->grace_ns;
	if (ask->contract->deferred)
		w->to.ns += ask->contract->deadline_s * NS_PER_S;
	if (ask->joined->count == 0 && ask->action->told.ns > w->to.ns)
		w->to = ask->action->told; /* nothing says that the span's clock is not behind */
	for (unsigned i = 0; i < ask->joined->count; i++)
		await_reply(ask, ask->joined->attempts[i].match, w);
	until = ww_closed_world_shows_until(ask->contract, ask->joined);
	if (until.ns > w->to.ns)
		w->to = until;
	if (ask->joined->overdue.match && ask->joined->overdue.match->x->t_first_req.ns > w->to.ns)
		w->to = ask->joined->overdue.match->x->t_first_req;
	if (ask->late.ns > w->to.ns)
		w->to = ask->late;
	check_coverage(ask, w);
}

void ww_closed_world_check(const struct ww_world_ask *ask, struct ww_world *ret_world)
{
	struct ww_world *w = ret_world;
	unsigned homeless;

	ww_closed_world_cover(ask, w);
	w->whole = true;
	check_rest(ask, w);
	homeless = w->coverage.unbound_calls +
		   ww_flows_homeless(ask->flows, ask->action->cgroup, w->from, w->to);
	if (homeless)
		fail(w, WW_WORLD_ACCOUNT, "plaintext of %u calls on no known socket", homeless);
	for (const struct ww_held_flow *f = ww_held_flows_live(ask->held); f; f = f->next) {
		if (concerns(ask, f, w))
			check_flow(ask, f, w);
	}
	for (const struct ww_held_flow *f = ww_held_flows_closed(ask->held);
	     f && f->t_close.ns + CLOSE_ORDER_NS >= w->from.ns; f = f->prev) {
		if (concerns(ask, f, w))
			check_flow(ask, f, w);
	}
}

static bool same_destination(const struct ww_held_flow *f, const struct ww_held_flow *g)
{
	if (f->name && g->name)
		return strcmp(f->name, g->name) == 0;
	return !f->name && !g->name && ww_endpoint_eq(&f->peer, &g->peer);
}

static void add_egress(struct ww_turn *t, const struct ww_action *a, const struct ww_held_flow *f)
{
	if (f->channel || f->role == WW_FLOW_ACCEPT || !ww_held_same_tree(f->root, a->root) ||
	    f->t_open.ns > t->to.ns || (f->closed && f->t_close.ns < t->from.ns) || !sent(f))
		return;
	for (unsigned i = 0; i < t->count; i++) {
		if (same_destination(t->egress[i], f))
			return;
	}
	t->total++;
	if (t->count < WW_TURN_EGRESS_MAX)
		t->egress[t->count++] = f;
}

void ww_closed_world_turn(const struct ww_held *held, const struct ww_action *a,
			  struct ww_turn *ret_turn)
{
	struct ww_turn *t = ret_turn;
	struct ww_boot begun = ww_action_begun(a);

	memset(t, 0, sizeof(*t));
	if (a->said_count == 0)
		return;
	t->from = a->prose.only ? a->prose.turn : begun.ns ? begun : a->said[0].at;
	for (unsigned i = 0; i < a->said_count; i++) {
		if (a->said[i].at.ns > t->to.ns)
			t->to = a->said[i].at;
	}
	if (a->prose.only && a->prose.due.ns > t->to.ns)
		t->to = a->prose.due;
	for (const struct ww_held_flow *f = ww_held_flows_live(held); f; f = f->next)
		add_egress(t, a, f);
	for (const struct ww_held_flow *f = ww_held_flows_closed(held);
	     f && f->t_close.ns + CLOSE_ORDER_NS >= t->from.ns; f = f->prev)
		add_egress(t, a, f);
}

bool ww_closed_world_busy(const struct ww_held *held, const struct ww_action *a,
			  const struct ww_contract *c)
{
	for (const struct ww_held_flow *f = ww_held_flows_live(held); f; f = f->next) {
		if (f->begun > f->delivered && f->role != WW_FLOW_ACCEPT &&
		    ww_held_same_tree(f->root, a->root) && ww_closed_world_declared(c, f))
			return true;
	}
	return false;
}

bool ww_closed_world_answered(const struct ww_contract *c, const struct ww_joined *joined)
{
	bool to_show = ww_closed_world_shows_until(c, joined).ns > 0;

	for (unsigned i = 0; i < joined->count && joined->grade == WW_JOIN_EXACT; i++) {
		uint8_t wire = joined->attempts[i].match->wire;

		if (wire == WW_WIRE_SUCCESS || (wire == WW_WIRE_ACCEPTED && !to_show))
			return true;
	}
	return false;
}
