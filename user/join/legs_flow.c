/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, as legs need them: whose they are, where they lead, and how much of what was sent
 * was acknowledged. */
#include <errno.h>
#include <netinet/in.h>
#include <utlist.h>

#include "join/held_flow.h"
#include "join/legs_own.h"
#include "proto/named.h"

/* The accepted end of a connection is told about when the connecting one is. */
#define SAME_TIME_NS 2000000000ull
/* Bytes that may be of a handshake where nothing else is known of it: a ClientHello, a chain of
 * certificates of the client. */
#define SETUP_MAX (64u << 10)
/* An alert, by which TLS ends: RFC 5246 section 7.2.1, with the widest framing that is known. */
#define GOOD_BYE_MAX WW_WORLD_REMAINDER_BYTES

static void free_flow(struct ww_legs *l, struct ww_leg_flow *f)
{
	struct ww_leg_tree *tree = f->tree;

	if (f->has_ends)
		HASH_DELETE(hh_ends, l->ends, f);
	HASH_DELETE(hh, l->flows, f);
	if (f->closed)
		DL_DELETE2(l->closed, f, closed_prev, closed_next);
	else
		DL_DELETE2(tree->live, f, live_prev, live_next);
	DL_DELETE(tree->flows, f);
	tree->accepted -= f->role == WW_FLOW_ACCEPT;
	ww_legs_tree_settle(l, tree);
	l->counts.flows--;
	for (unsigned i = 0; i < f->name_count; i++)
		free(f->names[i].name);
	free(f->names);
	free(f->sni);
	free(f);
}

struct ww_leg_flow *ww_legs_flow_get(const struct ww_legs *l, uint64_t cookie)
{
	struct ww_leg_flow *f = NULL;

	HASH_FIND(hh, l->flows, &cookie, sizeof(cookie), f);
	return f;
}

static struct ww_leg_flow *make_flow(struct ww_legs *l, const struct ww_flow *f)
{
	struct ww_leg_tree *tree = ww_legs_tree_for(l, f->root);
	struct ww_leg_flow *e = tree ? calloc(1, sizeof(*e)) : NULL;

	if (!e) {
		ww_legs_tree_settle(l, tree);
		return NULL;
	}
	e->cookie = f->cookie;
	HASH_ADD(hh, l->flows, cookie, sizeof(e->cookie), e);
	if (!e->hh.tbl) {
		free(e);
		ww_legs_tree_settle(l, tree);
		return NULL;
	}
	e->tree = tree;
	e->root = f->root;
	DL_APPEND(tree->flows, e);
	DL_APPEND2(tree->live, e, live_prev, live_next);
	l->counts.flows++;
	return e;
}

/* --- the other end ------------------------------------------------------------------------------
 */

static void ends_of(const struct ww_endpoint *local, const struct ww_endpoint *peer, uint32_t netns,
		    uint8_t role, struct ww_leg_ends *ret)
{
	struct ww_endpoint a = ww_endpoint_unmap(local), b = ww_endpoint_unmap(peer);

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->local, a.addr, a.family == AF_INET ? 4 : 16);
	memcpy(ret->peer, b.addr, b.family == AF_INET ? 4 : 16);
	ret->ports[0] = a.port;
	ret->ports[1] = b.port;
	ret->netns = ww_endpoint_loopback(&a) ? netns : 0;
	ret->family = (uint8_t)a.family;
	ret->role = role;
}

static void take_ends(struct ww_legs *l, struct ww_leg_flow *e)
{
	struct ww_leg_flow *was = NULL;
	struct ww_leg_ends ends;

	if (!e->role || e->ip_proto != IPPROTO_TCP || !e->local.port || !e->peer.port)
		return;
	ends_of(&e->local, &e->peer, e->netns, e->role, &ends);
	if (e->has_ends) {
		/* The namespace may become known later than the rest. */
		if (memcmp(&ends, &e->ends, sizeof(ends)) == 0)
			return;
		HASH_DELETE(hh_ends, l->ends, e);
		e->has_ends = false;
	}
	e->ends = ends;
	HASH_FIND(hh_ends, l->ends, &e->ends, sizeof(e->ends), was);
	if (was) {
		/* Networks of their own may have the same addresses at the same time. */
		e->doubtful = !was->closed;
		HASH_DELETE(hh_ends, l->ends, was);
		was->has_ends = false;
	}
	HASH_ADD(hh_ends, l->ends, ends, sizeof(e->ends), e);
	e->has_ends = e->hh_ends.tbl != NULL;
	l->counts.refused += !e->has_ends;
}

static struct ww_leg_flow *end_like(const struct ww_legs *l, const struct ww_leg_flow *f,
				    uint8_t role)
{
	struct ww_leg_flow *other = NULL;
	struct ww_leg_ends ends;

	if (f->ip_proto != IPPROTO_TCP || !f->local.port)
		return NULL;
	ends_of(&f->peer, &f->local, f->netns, role, &ends);
	HASH_FIND(hh_ends, l->ends, &ends, sizeof(ends), other);
	if (!other || other->doubtful || other->t_open.ns > f->t_open.ns + SAME_TIME_NS ||
	    other->t_open.ns + SAME_TIME_NS < f->t_open.ns)
		return NULL;
	return other;
}

struct ww_leg_flow *ww_legs_other_end(const struct ww_legs *l, const struct ww_leg_flow *f)
{
	struct ww_leg_flow *other;

	if (f->role == WW_FLOW_ACCEPT)
		return NULL;
	other = end_like(l, f, WW_FLOW_ACCEPT);
	return other && other->owner.pid && !other->owner_changes ? other : NULL;
}

struct ww_leg_flow *ww_legs_client_end(const struct ww_legs *l, const struct ww_leg_flow *f)
{
	return f->role == WW_FLOW_ACCEPT ? end_like(l, f, WW_FLOW_CONNECT) : NULL;
}

/* --- what is known of one -----------------------------------------------------------------------
 */

static void take_names(struct ww_legs *l, struct ww_leg_flow *e, const struct ww_flow *f)
{
	struct ww_named_told told;

	if (e->names)
		return;
	if (!ww_named_told(f, &told)) {
		e->asked = true; /* and no answer gave its address, nor was one missed */
		return;
	}
	e->names = told.count ? calloc(WW_LEGS_NAMES_MAX, sizeof(*e->names)) : NULL;
	e->asked = told.missing == 0 && (e->names || !told.count);
	l->counts.refused += told.count && !e->names;
	if (!e->names)
		return;
	for (unsigned i = 0; i < told.count && e->name_count < WW_LEGS_NAMES_MAX; i++) {
		struct ww_leg_name *n = &e->names[e->name_count];
		struct ww_named_name name;

		ww_named_at(f, i, &name);
		*n = (struct ww_leg_name){strdup(name.text), name.cookie, name.serial,
					  name.answered};
		if (!n->name) {
			e->asked = false;
			l->counts.refused++;
			return;
		}
		e->name_count++;
	}
}

static void take_counters(struct ww_leg_flow *e, struct ww_flow *f, struct ww_boot now)
{
	const struct ww_account *a = &f->account[WW_DIR_OUT];

	ww_flow_account(f);
	e->counted = f->t_close.ns ? f->t_close : now;
	e->bytes_sent = f->bytes_sent;
	e->bytes_acked = f->bytes_acked;
	e->bytes_received = f->bytes_received;
	e->setup = a->handshake;
	e->explained = a->explained;
	e->overhead = a->overhead;
	e->overhead_max = a->overhead_max;
	e->remainder = a->remainder;
	if (a->checked && a->remainder > 0 && (uint64_t)a->remainder > e->hidden)
		e->hidden = (uint64_t)a->remainder;
	e->begun = f->exchanges;
	e->checked = a->checked;
	e->lost = f->lost_bytes[WW_DIR_OUT];
	memcpy(e->packets, f->packets, sizeof(e->packets));
	e->rtt_min_us = f->rtt_min_us;
	e->key_holder_us = f->key_holder_us;
	e->owner_changes = f->owner_changes;
}

static bool take(struct ww_legs *l, struct ww_leg_flow *e, struct ww_flow *f, struct ww_boot now)
{
	if (!e->role && f->role == WW_FLOW_ACCEPT)
		e->tree->accepted++;
	e->owner = f->owner;
	e->cgroup = f->cgroup;
	e->local = f->local;
	e->peer = f->peer;
	e->netns = f->netns;
	e->ip_proto = f->ip_proto;
	if (!e->role)
		e->role = f->role;
	e->type = f->type;
	e->how = f->how;
	e->bind = f->bind;
	e->established = f->established;
	e->seen_birth = f->seen_birth;
	e->receiver = f->receiver;
	e->tls = f->tls;
	e->quic = f->quic != NULL;
	e->ech = f->tls_facts.ech;
	e->version = f->tls_facts.version;
	e->channel = f->channel != NULL;
	e->t_open = f->t_open;
	e->t_established = f->t_established;
	e->t_close = f->t_close;
	take_names(l, e, f);
	take_counters(e, f, now);
	if (!e->sni && f->tls_facts.sni[0]) {
		e->sni = strdup(f->tls_facts.sni);
		return e->sni != NULL;
	}
	return true;
}

/* An owner that was not known at first, or another one. */
static bool take_root(struct ww_legs *l, struct ww_leg_flow *e, struct ww_actor_key root,
		      struct ww_boot now)
{
	struct ww_leg_tree *was = e->tree, *tree;

	if (root.pid == e->root.pid && root.start_ns == e->root.start_ns)
		return true;
	tree = ww_legs_tree_for(l, root);
	if (!tree)
		return false;
	/* What it carried until then was of the one that had it. */
	if (e->root.pid && e->role != WW_FLOW_ACCEPT && now.ns > was->gave.ns)
		was->gave = now;
	DL_DELETE(was->flows, e);
	was->accepted -= e->role == WW_FLOW_ACCEPT;
	tree->accepted += e->role == WW_FLOW_ACCEPT;
	DL_APPEND(tree->flows, e);
	if (!e->closed) {
		DL_DELETE2(was->live, e, live_prev, live_next);
		DL_APPEND2(tree->live, e, live_prev, live_next);
	}
	e->tree = tree;
	e->root = root;
	ww_legs_tree_settle(l, was);
	return true;
}

static void take_closed(struct ww_legs *l, struct ww_leg_flow *e)
{
	DL_DELETE2(e->tree->live, e, live_prev, live_next);
	e->closed = true;
	DL_APPEND2(l->closed, e, closed_prev, closed_next);
	if (++l->closed_count > WW_LEGS_FLOWS_MAX) {
		struct ww_leg_flow *first = l->closed;

		ww_legs_blind(&l->blind.flows, first->t_close);
		l->counts.flows_dropped++;
		l->closed_count--;
		free_flow(l, first);
	}
}

struct ww_leg_flow *ww_legs_flow(struct ww_legs *l, struct ww_flow *f, struct ww_boot now)
{
	struct ww_leg_flow *e = ww_legs_flow_get(l, f->cookie);

	if (!e)
		e = make_flow(l, f);
	if (!e || !take_root(l, e, f->root, now) || !take(l, e, f, now)) {
		ww_legs_blind(&l->blind.flows, now);
		l->counts.flows_dropped++;
		l->counts.refused++;
		return e;
	}
	take_ends(l, e);
	if (f->closed && !e->closed)
		take_closed(l, e);
	return e;
}

void ww_legs_flows_expire(struct ww_legs *l, struct ww_boot t)
{
	while (l->closed && l->closed->t_close.ns < t.ns) {
		l->closed_count--;
		free_flow(l, l->closed);
	}
}

void ww_legs_flows_done(struct ww_legs *l)
{
	while (l->flows)
		free_flow(l, l->flows);
}

/* --- acknowledged -------------------------------------------------------------------------------
 */

static bool ended_in_order(const struct ww_leg_flow *f)
{
	return f->how == WW_CLOSE_FIN_LOCAL || f->how == WW_CLOSE_FIN_PEER;
}

/*
 * At most so many of the bytes that were written are not known to be acknowledged: those that the
 * kernel sent and nobody acknowledged, and those that it has not sent yet. UINT64_MAX: not known.
 */
static uint64_t outstanding(const struct ww_leg_flow *f)
{
	uint64_t due = f->setup + f->explained + f->overhead + f->hidden;
	uint64_t out = f->bytes_sent > f->bytes_acked ? f->bytes_sent - f->bytes_acked : 0;

	if (out == 0 && ended_in_order(f))
		return 0; /* its FIN went behind everything, and was answered */
	if (!f->checked)
		return UINT64_MAX;
	return out + (due > f->bytes_sent ? due - f->bytes_sent : 0);
}

uint64_t ww_legs_written(const struct ww_leg_flow *f)
{
	return f && f->checked ? f->setup + f->explained + f->overhead_max + f->hidden : 0;
}

/* Whoever is tired of waiting says so without having read anything: RFC 9110 section 15.5.9. */
#define STATUS_TIRED 408u

static bool is_unheard(const struct ww_leg *leg, const struct ww_leg_flow *f)
{
	return leg->status && leg->acked == 0 && f && f->checked && f->bytes_acked <= f->setup &&
	       (f->closed || leg->status == STATUS_TIRED);
}

void ww_legs_acked(struct ww_leg *leg, const struct ww_leg_flow *f)
{
	bool answered = leg->status >= 200 && leg->status < 300 && !leg->stream;
	uint64_t behind, open;
	bool all;

	if (f && f->ip_proto != IPPROTO_TCP) {
		leg->acked_how = f->channel ? WW_LEG_ACKED_ALL : WW_LEG_ACKED_SENT;
		leg->acked = leg->req_least;
		return;
	}
	open = f && f->counted.ns >= leg->t_last_req.ns ? outstanding(f) : UINT64_MAX;
	/* What was written after it is acknowledged after it. */
	behind = f && f->explained > leg->req_end ? f->explained - leg->req_end : 0;
	if (open != UINT64_MAX)
		open = open > behind ? open - behind : 0;
	if (leg->due && f && f->bytes_acked >= leg->due)
		open = 0; /* when it ended, no more than that had been written */
	all = open == 0 || (open == UINT64_MAX && answered);
	leg->unheard = !all && is_unheard(leg, f);
	if (all && leg->req_least) {
		leg->acked = leg->req_least;
		leg->acked_how = leg->stream ? WW_LEG_ACKED_LEAST : WW_LEG_ACKED_ALL;
	} else if (open < leg->req_least && leg->req_least - open > leg->acked) {
		leg->acked = leg->req_least - open;
		leg->acked_how = WW_LEG_ACKED_LEAST;
	} else if (leg->status && leg->acked == 0 && leg->req_least && !leg->unheard) {
		leg->acked = 1; /* who answers has had some of it */
		leg->acked_how = WW_LEG_ACKED_LEAST;
	} else if (f && f->counted.ns >= leg->t_last_req.ns && f->bytes_acked <= f->setup &&
		   f->checked) {
		leg->acked_how = WW_LEG_ACKED_LEAST;
	}
}

uint64_t ww_legs_payload(const struct ww_leg_flow *f)
{
	uint64_t out = f->bytes_sent > f->bytes_acked ? f->bytes_sent - f->bytes_acked : 0;
	uint64_t beyond = f->bytes_acked > f->setup ? f->bytes_acked - f->setup : 0;
	unsigned sealed = f->version == 0x0304 ? 2 : 1; /* the first one is of the handshake then */
	uint64_t least;

	if (f->channel)
		return 0;
	if (f->ip_proto != IPPROTO_TCP)
		return f->quic && f->packets[WW_DIR_IN] == 0 ? 0 : f->bytes_sent;
	if (f->checked && !f->explained && (beyond <= GOOD_BYE_MAX || f->sealed < sealed))
		return 0;
	if (f->checked)
		return beyond;
	if (!f->tls && f->setup == 0 && f->explained == 0)
		return f->bytes_acked; /* no TLS was seen on it */
	/* Where the handshake is not known, it is whatever no hook saw, once that was sent. */
	least = f->explained > out ? f->explained - out : 0;
	if (least && f->bytes_acked >= least &&
	    (f->answered || f->bytes_sent >= f->explained + SETUP_MAX))
		return least;
	return f->bytes_acked > SETUP_MAX ? f->bytes_acked - SETUP_MAX : 0;
}

bool ww_legs_may_carry(const struct ww_leg_flow *f)
{
	if (f->channel)
		return false;
	if (f->explained)
		return true;
	if (f->ip_proto != IPPROTO_TCP || !f->tls)
		return f->bytes_sent > 0 || f->bytes_acked > 0;
	return f->bytes_sent > f->setup + GOOD_BYE_MAX || ww_legs_payload(f) > 0;
}
