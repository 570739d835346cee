/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the legs of a path follow from each other, and which there are beside those of its own list:
 * what a gateway of this host sent on, failed connections, lookups.
 *
 * What a process that was sent the prompt over this host sends itself, while that request is open,
 * goes on from it: for certain where both carry one trace (EXACT), or one prompt and there is only
 * one of each (UNIQUE; one after the other are a gateway's own attempts), and no other connection
 * that it served at the time was unread. Else all that may be are told. Time alone joins nothing.
 */
#include <netinet/in.h>
#include <strings.h>

#include "judge/path_case.h"

/* Connections that lost a race were opened at most so long before the one that won. */
#define ATTEMPT_NS 10000000000ull
#define FOUND_MAX  64u
/* What was sent until then is in the counters of its connection by now: they are told every 500 ms.
 */
#define COUNTED_NS 2000000000ull

struct ww_path_row *ww_path_case_add(struct ww_path_case *c)
{
	struct ww_path_row *r;

	c->total++;
	if (c->count >= WW_PATH_ROWS_MAX)
		return NULL;
	r = &c->rows[c->count++];
	memset(r, 0, sizeof(*r));
	return r;
}

void ww_path_case_tree(struct ww_path_case *c, struct ww_actor_key root)
{
	for (unsigned i = 0; i < c->tree_count; i++) {
		if (ww_actor_key_eq(c->trees[i], root))
			return;
	}
	if (c->tree_count < WW_PATH_TREES_MAX)
		c->trees[c->tree_count++] = root;
	else
		c->more_trees = true;
}

/* --- the same again -----------------------------------------------------------------------------
 */

static bool same_request(const struct ww_leg *a, const struct ww_leg *b)
{
	if (a->model && b->model && a->request_whole && b->request_whole)
		return memcmp(&a->conversation, &b->conversation, sizeof(a->conversation)) == 0;
	return a->body_whole && b->body_whole && memcmp(&a->body, &b->body, sizeof(a->body)) == 0;
}

static bool same_host(const struct ww_leg *a, const struct ww_leg *b)
{
	const char *x = a->authority[0] ? a->authority : a->sni;
	const char *y = b->authority[0] ? b->authority : b->sni;

	return x[0] && y[0] ? strcasecmp(x, y) == 0 : ww_endpoint_eq(&a->peer, &b->peer);
}

/* How `r` follows from the earlier one that sent the same. */
static enum ww_leg_cause cause_of(const struct ww_leg *r, const struct ww_leg *earlier)
{
	if (earlier->t_end.ns > r->t_first_req.ns)
		return WW_LEG_CAUSE_HEDGE;
	if (earlier->status >= 300 && earlier->status < 400)
		return WW_LEG_CAUSE_REDIRECT;
	return same_host(r, earlier) ? WW_LEG_CAUSE_RETRY : WW_LEG_CAUSE_FAILOVER;
}

void ww_path_case_causes(struct ww_path_case *c)
{
	bool begun = false;

	for (unsigned i = 0; i < c->count; i++) {
		struct ww_path_row *r = &c->rows[i];
		unsigned j = i;

		if (r->purpose != WW_LEG_INFERENCE || r->cause == WW_LEG_CAUSE_GATEWAY)
			continue;
		r->cause = begun ? WW_LEG_CAUSE_TURN : WW_LEG_CAUSE_FIRST;
		begun = true;
		while (j > 0 && (c->rows[j - 1].purpose != WW_LEG_INFERENCE ||
				 c->rows[j - 1].cause == WW_LEG_CAUSE_GATEWAY ||
				 !same_request(c->rows[j - 1].leg, r->leg)))
			j--;
		if (j == 0)
			continue;
		r->cause = (uint8_t)cause_of(r->leg, c->rows[j - 1].leg);
		r->of = (uint16_t)j;
		if (r->cause == WW_LEG_CAUSE_FAILOVER)
			r->findings |= WW_PATH_FAILOVER_LEG;
	}
}

/* --- gateways -----------------------------------------------------------------------------------
 */

struct upstream {
	struct ww_leg *found[FOUND_MAX];
	unsigned count, total;
};

/*
 * Since when a request may have been read at the other end. What is written is told when the call
 * returns, and by then it may have been sent on: so from when its connection was there, or the
 * answer before it.
 */
static struct ww_boot earliest(const struct ww_path_world *w, const struct ww_leg *l)
{
	const struct ww_leg_flow *f = ww_legs_flow_get(w->legs, l->cookie);
	struct ww_boot t = l->t_first_req;

	if (f && f->t_established.ns && f->t_established.ns < t.ns)
		t = f->t_established;
	if (l->stream || l->index == 0 || !l->tree)
		return t; /* streams do not wait for each other */
	for (const struct ww_leg *k = l; k != l->tree->legs;) {
		k = k->prev;
		if (k->cookie == l->cookie)
			return k->t_end.ns > t.ns && k->t_end.ns < l->t_first_req.ns ? k->t_end : t;
	}
	return t;
}

/* While a request was open, and before its answer began: what came later is of something else. */
static bool nested(const struct ww_path_world *w, const struct ww_leg *up,
		   const struct ww_leg *down)
{
	struct ww_boot end = down->t_first_resp.ns ? down->t_first_resp : down->t_end;

	if (!down->t_first_resp.ns && down->t_end.ns < down->t_last_req.ns)
		end = down->t_last_req;
	if (!down->t_first_resp.ns && down->arrived.ns > end.ns)
		end = down->arrived; /* it ended without an answer then */
	return up->t_first_req.ns <= end.ns && up->t_first_req.ns >= earliest(w, down).ns;
}

static bool same_trace(const struct ww_leg *a, const struct ww_leg *b)
{
	return a->trace.present && b->trace.present &&
	       memcmp(a->trace.trace_id, b->trace.trace_id, sizeof(a->trace.trace_id)) == 0;
}

static bool other_trace(const struct ww_leg *a, const struct ww_leg *b)
{
	return a->trace.present && b->trace.present && !same_trace(a, b);
}

static bool same_prompt(const struct ww_leg *a, const struct ww_leg *b)
{
	if (a->turn_present && b->turn_present)
		return memcmp(&a->turn, &b->turn, sizeof(a->turn)) == 0;
	if (a->prompt_present && b->prompt_present)
		return memcmp(&a->prompt, &b->prompt, sizeof(a->prompt)) == 0;
	return a->body_whole && b->body_whole && memcmp(&a->body, &b->body, sizeof(a->body)) == 0;
}

/* Whether another request to the same gateway may be the one that `up` goes on from. */
static bool has_rival(const struct ww_path_world *w, const struct ww_leg *up,
		      const struct ww_leg *down, struct ww_actor_key gateway, bool by_trace)
{
	const struct ww_leg *last = ww_legs_last(w->legs);

	for (const struct ww_leg *k = last; k && k->arrived.ns >= up->t_first_req.ns;
	     k = ww_legs_before(w->legs, k)) {
		const struct ww_leg_flow *f, *end;

		if (k == down || k == up || !nested(w, up, k))
			continue;
		if (by_trace ? !same_trace(up, k) : !same_prompt(up, k) || other_trace(up, k))
			continue;
		f = ww_legs_flow_get(w->legs, k->cookie);
		end = f ? ww_legs_other_end(w->legs, f) : NULL;
		if (end && ww_actor_key_eq(end->owner, gateway))
			return true;
	}
	return false;
}

static void find_upstream(const struct ww_path_world *w, const struct ww_leg_tree *tree,
			  struct ww_actor_key gateway, const struct ww_leg *down, bool by_trace,
			  struct upstream *u)
{
	u->count = u->total = 0;
	for (struct ww_leg *k = tree ? tree->legs : NULL; k; k = k->next) {
		if (k == down || !ww_actor_key_eq(k->actor, gateway) || !nested(w, k, down))
			continue;
		if (by_trace ? !same_trace(k, down) : !same_prompt(k, down) || other_trace(k, down))
			continue;
		u->total++;
		if (u->count < FOUND_MAX)
			u->found[u->count++] = k;
	}
}

static bool known_prompts(const struct ww_leg *a, const struct ww_leg *b)
{
	return (a->turn_present && b->turn_present) || (a->prompt_present && b->prompt_present);
}

/* Of those that have its trace, those that have its prompt where some have: whoever calls a gateway
 * may send another's trace. */
static void prefer_prompt(struct upstream *u, const struct ww_leg *down)
{
	unsigned same = 0;

	for (unsigned i = 0; i < u->count; i++)
		same += known_prompts(u->found[i], down) && same_prompt(u->found[i], down);
	if (same == 0)
		return;
	same = 0;
	for (unsigned i = 0; i < u->count; i++) {
		if (known_prompts(u->found[i], down) && same_prompt(u->found[i], down))
			u->found[same++] = u->found[i];
	}
	u->total -= u->count - same;
	u->count = same;
}

/* All that was sent on it is looked into: what ended is known as a request, and has_rival() sees
 * it. */
static bool read_whole(const struct ww_leg_flow *f)
{
	int64_t hidden = f->remainder - (int64_t)(f->overhead_max - f->overhead);

	return f->explained && !f->unparsed && !f->lost && f->checked &&
	       hidden <= (int64_t)WW_WORLD_REMAINDER_BYTES && f->unread.ns == 0;
}

enum rival { NO_RIVAL, RIVAL_OPEN, RIVAL };

/* Whether a request on this accepted connection may be what `up` goes on from, and is not known. */
static enum rival unknown_rival(const struct ww_path_world *w, const struct ww_path_case *c,
				const struct ww_leg_flow *accepted, const struct ww_leg *up)
{
	const struct ww_leg_flow *f = ww_legs_client_end(w->legs, accepted);
	const struct ww_flow *live = f && !f->closed ? ww_flows_get(w->flows, f->cookie) : NULL;
	uint32_t begun = live ? live->exchanges : f ? f->begun : 0;

	if (!f)
		return RIVAL; /* of another host, or not watched */
	if (begun > f->exchanges && f->ended.ns < up->t_first_req.ns)
		return f->closed ? RIVAL : RIVAL_OPEN;
	if (!ww_legs_may_carry(f))
		return !f->closed && c->now.ns < up->t_first_req.ns + COUNTED_NS ? RIVAL_OPEN
										 : NO_RIVAL;
	return read_whole(f) ? NO_RIVAL : RIVAL;
}

/*
 * Whoever calls a gateway may have another's trace and another's prompt. So a request of its own
 * goes on from this one only where none that it served at the time can be whose it is: each was
 * read, and is another one. Of one with this trace and another prompt no more is known than whose
 * it is not.
 */
static bool doubtful(const struct ww_path_world *w, struct ww_path_case *c,
		     const struct ww_leg_tree *tree, const struct ww_leg_flow *end,
		     const struct upstream *u, const struct ww_leg *down)
{
	enum rival worst = NO_RIVAL;

	for (unsigned i = 0; i < u->count && worst != RIVAL; i++) {
		const struct ww_leg *up = u->found[i];
		bool other = known_prompts(up, down) && !same_prompt(up, down);

		for (const struct ww_leg_flow *f = tree->flows; f && worst != RIVAL; f = f->next) {
			enum rival r;

			if (f == end || f->role != WW_FLOW_ACCEPT || f->receiver ||
			    f->t_open.ns > up->t_first_req.ns ||
			    (f->closed && f->t_close.ns < up->t_first_req.ns))
				continue;
			r = other ? RIVAL : unknown_rival(w, c, f, up);
			if (r > worst)
				worst = r;
		}
	}
	c->rival_open |= worst == RIVAL_OPEN;
	return worst != NO_RIVAL;
}

/* One after the other: a gateway that tries again. */
static bool in_sequence(const struct upstream *u)
{
	for (unsigned i = 1; i < u->count; i++) {
		if (u->found[i]->t_first_req.ns < u->found[i - 1]->t_end.ns)
			return false;
	}
	return u->total == u->count;
}

static struct ww_path_row *row_of(struct ww_path_case *c, const struct ww_leg *leg)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (c->rows[i].leg == leg)
			return &c->rows[i];
	}
	return NULL;
}

static void put_upstream(const struct ww_path_world *w, struct ww_path_case *c, unsigned down,
			 const struct upstream *u, uint8_t join, uint8_t by)
{
	for (unsigned i = 0; i < u->count; i++) {
		struct ww_path_row *r = row_of(c, u->found[i]);

		if (!r)
			r = ww_path_case_add(c);
		else if (r->cause == WW_LEG_CAUSE_GATEWAY && r->join <= join)
			continue;
		if (!r)
			continue;
		r->leg = u->found[i];
		r->flow = ww_legs_flow_get(w->legs, r->leg->cookie);
		r->purpose = WW_LEG_INFERENCE;
		r->cause = WW_LEG_CAUSE_GATEWAY;
		r->by = by;
		r->join = join;
		r->of = (uint16_t)(join == WW_JOIN_AMBIGUOUS ? 0 : down + 1);
		r->findings &= ~(uint32_t)WW_PATH_FAILOVER_LEG;
		r->candidate_total = join == WW_JOIN_AMBIGUOUS ? u->total : 0;
		r->candidate_count = 0;
		for (unsigned k = 0;
		     k < u->count && join == WW_JOIN_AMBIGUOUS && k < WW_PATH_CANDIDATES_MAX; k++)
			r->candidates[r->candidate_count++] = u->found[k];
	}
}

static bool has_request(const struct ww_leg_path *p, const struct upstream *u)
{
	for (unsigned i = 0; i < p->count; i++) {
		for (unsigned k = 0; k < u->count; k++) {
			if (p->legs[i].leg == u->found[k] && p->legs[i].purpose == WW_LEG_INFERENCE)
				return true;
		}
	}
	return false;
}

/* What a gateway that was sent the prompt copied of it: its own path has that. */
static void put_copies(const struct ww_path_world *w, struct ww_path_case *c,
		       const struct ww_leg_tree *tree, const struct upstream *u, uint8_t join)
{
	for (const struct ww_leg_path *p = tree->paths; p; p = p->tree_next) {
		if (p == c->path || !has_request(p, u))
			continue;
		for (unsigned i = 0; i < p->count; i++) {
			const struct ww_path_leg *copy = &p->legs[i];
			struct ww_path_row *r;

			if (copy->purpose != WW_LEG_DERIVED || row_of(c, copy->leg))
				continue;
			r = ww_path_case_add(c);
			if (!r)
				return;
			r->told = copy;
			r->leg = copy->leg;
			r->flow = ww_legs_flow_get(w->legs, copy->leg->cookie);
			r->purpose = WW_LEG_DERIVED;
			r->cause = WW_LEG_CAUSE_COPY;
			r->by = copy->by;
			r->join = copy->join < join ? copy->join : join;
			r->findings |= WW_PATH_DERIVED_COPY;
		}
	}
}

/* True: all of them go on from `down` alone. */
static bool alone(const struct ww_path_world *w, const struct upstream *u,
		  const struct ww_leg *down, struct ww_actor_key gateway, bool by_trace)
{
	for (unsigned i = 0; i < u->count; i++) {
		if (has_rival(w, u->found[i], down, gateway, by_trace))
			return false;
	}
	return true;
}

static void stitch_row(const struct ww_path_world *w, struct ww_path_case *c, unsigned i)
{
	struct ww_path_row *r = &c->rows[i];
	const struct ww_leg_flow *end = r->flow ? ww_legs_other_end(w->legs, r->flow) : NULL;
	const struct ww_leg_tree *tree;
	struct upstream u;
	uint8_t join;

	r->local = end || (r->flow && ww_endpoint_loopback(&r->flow->peer));
	if (!end)
		return;
	tree = ww_legs_tree(w->legs, end->root);
	ww_path_case_tree(c, end->root);
	find_upstream(w, tree, end->owner, r->leg, true, &u);
	prefer_prompt(&u, r->leg);
	if (u.total && alone(w, &u, r->leg, end->owner, true)) {
		r->followed = !doubtful(w, c, tree, end, &u, r->leg);
		join = r->followed ? WW_JOIN_EXACT : WW_JOIN_AMBIGUOUS;
		put_upstream(w, c, i, &u, join, WW_LEG_BY_TRACEPARENT);
		put_copies(w, c, tree, &u, join);
		return;
	}
	find_upstream(w, tree, end->owner, r->leg, false, &u);
	if (u.total == 0)
		return;
	r->followed = in_sequence(&u) && alone(w, &u, r->leg, end->owner, false) &&
		      !doubtful(w, c, tree, end, &u, r->leg);
	join = r->followed ? WW_JOIN_UNIQUE : WW_JOIN_AMBIGUOUS;
	put_upstream(w, c, i, &u, join,
		     u.found[0]->turn_present ? WW_LEG_BY_TURN : WW_LEG_BY_PROMPT);
	put_copies(w, c, tree, &u, join);
}

void ww_path_case_stitch(const struct ww_path_world *w, struct ww_path_case *c)
{
	/* Rows that are added are looked at in their turn: gateways may follow each other. */
	for (unsigned i = 0; i < c->count; i++) {
		if (c->rows[i].leg && c->rows[i].join >= WW_JOIN_UNIQUE)
			stitch_row(w, c, i);
	}
}

/* --- beside -------------------------------------------------------------------------------------
 */

static bool first_on_flow(const struct ww_path_case *c, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		if (c->rows[k].flow == c->rows[i].flow)
			return false;
	}
	return true;
}

static bool named_alike(const struct ww_leg_flow *f, const struct ww_leg_flow *g)
{
	for (unsigned i = 0; i < f->name_count; i++) {
		for (unsigned k = 0; k < g->name_count; k++) {
			if (strcasecmp(f->names[i].name, g->names[k].name) == 0)
				return true;
		}
	}
	return false;
}

static bool is_listed(const struct ww_path_case *c, const struct ww_leg_flow *f)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (c->rows[i].flow == f)
			return true;
	}
	return false;
}

/* A connection of the same process, for the same name or to the same address, that carried nothing:
 * it lost a race, or nobody answered. */
static void add_attempt(struct ww_path_case *c, unsigned i, const struct ww_leg_flow *g)
{
	const struct ww_leg_flow *f = c->rows[i].flow;
	struct ww_path_row *r;
	bool by_name, by_peer;

	/* Most of what is held is of another time. */
	if (g->t_open.ns > c->rows[i].leg->t_first_req.ns ||
	    g->t_open.ns + ATTEMPT_NS < f->t_open.ns || g == f || g->role != WW_FLOW_CONNECT ||
	    g->ip_proto != IPPROTO_TCP || g->receiver || g->exchanges ||
	    g->peer.port != f->peer.port || (!g->closed && !g->established) ||
	    !ww_actor_key_eq(g->owner, f->owner) || ww_legs_may_carry(g))
		return;
	by_name = named_alike(f, g);
	by_peer = ww_endpoint_eq(&f->peer, &g->peer);
	if (!(by_name || by_peer) || is_listed(c, g))
		return;
	if (c->attempts++ >= WW_PATH_ATTEMPTS_MAX)
		return;
	r = ww_path_case_add(c);
	if (!r)
		return;
	r->purpose = WW_LEG_ATTEMPT;
	r->cause = c->rows[i].cause;
	r->of = (uint16_t)(i + 1);
	r->flow = g;
	r->by = by_name ? WW_LEG_BY_NAME : WW_LEG_BY_PEER;
	r->join = WW_JOIN_UNIQUE;
	r->refused = !g->established;
	r->evidence = g->established ? WW_EVIDENCE_E1 : WW_EVIDENCE_E0;
}

static bool has_lookup(const struct ww_path_case *c, const struct ww_leg_lookup *l)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (c->rows[i].lookup == l)
			return true;
	}
	return false;
}

static void add_lookups(const struct ww_path_world *w, struct ww_path_case *c, unsigned i)
{
	const struct ww_leg_flow *f = c->rows[i].flow;

	for (unsigned k = 0; k < f->name_count; k++) {
		const struct ww_leg_lookup *l =
			ww_legs_lookup_get(w->legs, f->names[k].cookie, f->names[k].serial);
		struct ww_path_row *r = l && !has_lookup(c, l) ? ww_path_case_add(c) : NULL;

		if (!r)
			continue;
		r->purpose = WW_LEG_DNS;
		r->cause = c->rows[i].cause;
		r->of = (uint16_t)(i + 1);
		r->lookup = l;
		r->by = WW_LEG_BY_NAME;
		r->join = WW_JOIN_EXACT;
		r->evidence = WW_EVIDENCE_E4;
		r->ends = WW_HORIZON_RESOLVER;
	}
}

void ww_path_case_beside(const struct ww_path_world *w, struct ww_path_case *c)
{
	unsigned count = c->count;

	for (unsigned i = 0; i < count; i++) {
		const struct ww_leg_tree *tree;

		if (!c->rows[i].leg || !c->rows[i].flow || !first_on_flow(c, i))
			continue;
		add_lookups(w, c, i);
		tree = ww_legs_tree(w->legs, c->rows[i].flow->root);
		for (const struct ww_leg_flow *g = tree ? tree->flows : NULL;
		     g && c->seen++ < WW_PATH_ATTEMPTS_SEEN; g = g->next)
			add_attempt(c, i, g);
	}
}
