/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/path_case.h"

#include <netinet/in.h>

/* As where the absence of an action is judged: an alert, a key update. */
#define HIDDEN_MAX  WW_WORLD_REMAINDER_BYTES
#define UPSPANS_MAX 8u
/* Parts of a prompt that are shorter are seldom found anywhere (docs/copies.md). */
#define FIELD_LONG 160u

const char *ww_horizon_name(enum ww_horizon h)
{
#define NAME_(n, t, d) [WW_HORIZON_##n] = (t),
	static const char *const names[WW_HORIZON_MAX] = {WW_HORIZONS(NAME_)};

	return (unsigned)h < WW_HORIZON_MAX ? names[h] : "unknown";
}

/* --- legs ---------------------------------------------------------------------------------------
 */

static int by_time(const void *a, const void *b)
{
	const struct ww_leg *x = ((const struct ww_path_row *)a)->leg;
	const struct ww_leg *y = ((const struct ww_path_row *)b)->leg;

	if (x->t_first_req.ns != y->t_first_req.ns)
		return x->t_first_req.ns < y->t_first_req.ns ? -1 : 1;
	if (x->cookie != y->cookie)
		return x->cookie < y->cookie ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void take_legs(const struct ww_path_world *w, struct ww_path_case *c)
{
	const struct ww_leg_path *p = c->path;

	for (unsigned i = 0; i < p->count; i++) {
		struct ww_path_row *r = ww_path_case_add(c);

		if (!r)
			return;
		r->told = &p->legs[i];
		r->leg = p->legs[i].leg;
		r->flow = ww_legs_flow_get(w->legs, r->leg->cookie);
		r->purpose = p->legs[i].purpose;
		r->by = p->legs[i].by;
		r->join = p->legs[i].join;
		if (r->purpose == WW_LEG_DERIVED) {
			r->cause = WW_LEG_CAUSE_COPY;
			r->findings |= WW_PATH_DERIVED_COPY;
		}
	}
	qsort(c->rows, c->count, sizeof(c->rows[0]), by_time);
}

/* Of what is not judged the evidence stands already. */
static void grade(struct ww_path_row *r)
{
	const struct ww_leg *l = r->leg;

	if (!l)
		return;
	ww_legs_acked(r->leg, r->flow);
	if (l->status && !l->unheard)
		r->evidence = WW_EVIDENCE_E4;
	else if (l->resp_bytes && !l->unheard)
		r->evidence = WW_EVIDENCE_E3;
	else if (l->acked)
		r->evidence = WW_EVIDENCE_E2;
	else if (r->flow && (r->flow->established || r->flow->bytes_acked))
		r->evidence = WW_EVIDENCE_E1;
}

static void find_oddities(struct ww_path_row *r)
{
	const struct ww_leg_flow *f = r->flow;
	const struct ww_leg *l = r->leg;

	if (!l)
		return;
	if (l->sni[0] && l->authority[0] && !ww_path_names_alike(l->sni, l->authority))
		r->findings |= WW_PATH_AUTHORITY_SNI_MISMATCH;
	if (f && f->ech)
		r->findings |= WW_PATH_ECH_PRESENT;
	if (f && f->seen_birth && f->asked && f->name_count == 0 && !r->local &&
	    f->role == WW_FLOW_CONNECT)
		r->findings |= WW_PATH_CONNECT_BY_IP;
	if (r->evidence >= WW_EVIDENCE_E2 && r->purpose == WW_LEG_INFERENCE &&
	    (l->status >= 400 ||
	     (!l->status && (l->outcome == WW_X_NO_REPLY || l->outcome == WW_X_RESET ||
			     l->outcome == WW_X_REQUEST_CUT))))
		r->findings |= WW_PATH_DISCLOSED_ON_FAILED_LEG;
}

static void add_span(struct ww_path_row *r, const struct ww_path_span *s)
{
	for (unsigned i = 0; i < r->span_count; i++) {
		if (r->spans[i] == s)
			return;
	}
	if (r->span_count < WW_PATH_ROW_SPANS_MAX)
		r->spans[r->span_count++] = s;
}

/* The spans of the leg's own tree that speak of this request: whose context it carries, and those
 * above up to the model's; and of whose answer it is. */
static void find_spans(const struct ww_path_world *w, struct ww_path_row *r)
{
	const struct ww_leg *l = r->leg;
	const struct ww_path_span *s;

	if (!l)
		return;
	s = l->trace.present
		    ? ww_path_spans_get(w->spans, l->root, l->trace.trace_id, l->trace.span_id)
		    : NULL;
	for (unsigned i = 0; s && i < UPSPANS_MAX; i++) {
		if (s->role != WW_SPAN_MODEL && s->role != WW_SPAN_HTTP && i > 0)
			break;
		add_span(r, s);
		if (s->role == WW_SPAN_MODEL)
			break;
		s = ww_path_spans_get(w->spans, l->root, s->key.trace_id, s->parent);
	}
	if (l->response_id[0]) {
		s = ww_path_spans_by_answer(w->spans, l->root, l->response_id);
		if (s)
			add_span(r, s);
	}
}

static void find_horizon(struct ww_path_row *r, const struct ww_placement *pl)
{
	if (r->followed)
		r->ends = WW_HORIZON_NONE;
	else if (r->flow && r->flow->tunnelled)
		r->ends = WW_HORIZON_PROXY;
	else if (r->local || pl->local)
		r->ends = WW_HORIZON_GATEWAY;
	else
		r->ends = r->flow && r->flow->tls ? WW_HORIZON_TLS : WW_HORIZON_PLAIN;
}

static bool is_about_endpoint(const struct ww_place_claim *claim)
{
	return ww_place_about((enum ww_place_from)claim->from) == WW_PLACE_ENDPOINT;
}

/* What spans and the peer say against what is listed. True: a span contradicts it. */
static bool compare(const struct ww_path_world *w, struct ww_path_row *r,
		    const struct ww_placement *pl)
{
	bool contradicted = false;

	for (unsigned i = 0; i < r->span_count; i++) {
		const char *region = r->spans[i]->region;

		if (region &&
		    ww_policy_compare(w->policy, pl, ww_slice_str(region)) == WW_CLAIM_DIFFERENT)
			contradicted = true;
	}
	if (contradicted)
		r->findings |= WW_PATH_REGION_CLAIM_DIFFERS;
	for (unsigned i = 0; i < r->leg->claim_count; i++) {
		const struct ww_place_claim *claim = &r->leg->claims[i];

		if (is_about_endpoint(claim) &&
		    ww_policy_compare(w->policy, pl, ww_slice_str(claim->says)) ==
			    WW_CLAIM_DIFFERENT)
			r->findings |= WW_PATH_REGION_CLAIM_DIFFERS;
	}
	return contradicted;
}

static bool is_incomplete(const struct ww_leg *l)
{
	return (l->model && !l->request_whole) ||
	       (l->findings & (WW_X_GAP_REQUEST | WW_X_TRUNCATED_REQUEST | WW_X_CODING_UNKNOWN));
}

static void judge_leg(const struct ww_path_world *w, struct ww_path_case *c, unsigned i)
{
	struct ww_path_row *r = &c->rows[i];
	struct ww_path_ground *g = &c->ground[c->grounds.count];
	struct ww_placement pl;
	bool limited = c->agent && (c->agent->asks_region || c->agent->asks_home);
	bool unlisted;

	ww_path_place(w, c->agent, r->flow, r->leg, &pl);
	find_horizon(r, &pl);
	r->findings |= pl.findings;
	if (r->ends == WW_HORIZON_GATEWAY || r->ends == WW_HORIZON_PROXY)
		r->findings |= WW_PATH_PROXIED_HORIZON;
	*g = (struct ww_path_ground){.evidence = r->evidence, .join = r->join};
	g->contradicted = w->policy && compare(w, r, &pl);
	g->unresolved = !r->flow || r->flow->owner_changes > 0 || r->leg->root.pid == 0;
	g->incomplete = is_incomplete(r->leg);
	g->shared = r->leg->stream && !r->leg->acked && r->evidence < WW_EVIDENCE_E3;
	g->local = !r->followed && r->local;
	if (limited) {
		unlisted = pl.region == WW_STANDING_UNLISTED || pl.home == WW_STANDING_UNLISTED;
		g->forbidden = ww_path_forbidden(c->agent, &pl);
		g->impossible = pl.findings & WW_PLACEMENT_LABEL_IMPOSSIBLE;
		g->ambiguous = pl.ambiguous || pl.region == WW_STANDING_MIXED ||
			       pl.home == WW_STANDING_MIXED;
		g->unlisted = unlisted && c->agent->on_unlisted == WW_POLICY_UNLISTED_FAIL &&
			      !r->local && !pl.local;
		/* Of a private address nobody knows the way on, unless it is declared. */
		g->local |= !r->followed && pl.local && !ww_path_allowed(c->agent, &pl);
	}
	c->ground_rows[c->grounds.count++] = i;
}

/* --- what was not looked into -------------------------------------------------------------------
 */

static bool overlaps(const struct ww_path_case *c, const struct ww_leg_flow *f)
{
	return f->t_open.ns <= c->to.ns && (!f->closed || f->t_close.ns >= c->from.ns);
}

static bool is_tree(const struct ww_path_case *c, struct ww_actor_key root)
{
	for (unsigned i = 0; i < c->tree_count; i++) {
		if (ww_actor_key_eq(c->trees[i], root))
			return true;
	}
	return false;
}

/*
 * Values of fields are not kept, so nothing is looked for in them: one that has room for what would
 * be found in a body is unread. Half of the prompt: what is packed is shorter.
 */
static bool has_long_field(const struct ww_path_case *c, const struct ww_leg_flow *f)
{
	uint64_t half = c->path->prompt_bytes / 2;

	return f->headed.ns >= c->from.ns &&
	       f->field_bytes >= (half < FIELD_LONG ? half : FIELD_LONG);
}

/* WW_PATH_UNREAD_MAX: all of it was. */
static enum ww_path_unread unread(const struct ww_path_world *w, const struct ww_path_case *c,
				  const struct ww_leg_flow *f)
{
	const struct ww_leg_flow *end = ww_legs_other_end(w->legs, f);
	int64_t hidden = f->remainder - (int64_t)(f->overhead_max - f->overhead);

	if (end && is_tree(c, end->root))
		return WW_PATH_UNREAD_MAX; /* what is sent there is looked for there */
	if (f->ip_proto != IPPROTO_TCP)
		return f->quic ? WW_PATH_UNREAD_QUIC : WW_PATH_UNREAD_UDP;
	if (end || ww_endpoint_loopback(&f->peer)) {
		if (f->explained == 0 || f->unparsed || f->lost)
			return WW_PATH_UNREAD_LOCAL;
	}
	if (f->explained == 0)
		return f->tls ? WW_PATH_UNREAD_TLS : WW_PATH_UNREAD_PLAIN;
	if (f->unparsed)
		return WW_PATH_UNREAD_PLAIN;
	if (f->lost || f->unread.ns >= c->from.ns || f->begun > f->exchanges)
		return WW_PATH_UNREAD_CUT;
	if (!f->checked || hidden > (int64_t)HIDDEN_MAX)
		return WW_PATH_UNREAD_ACCOUNT;
	if (!c->searchable)
		return WW_PATH_UNREAD_SHORT;
	return has_long_field(c, f) ? WW_PATH_UNREAD_FIELD : WW_PATH_UNREAD_MAX;
}

static bool carries_leg(const struct ww_path_case *c, const struct ww_leg_flow *f)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (c->rows[i].flow == f && c->rows[i].leg)
			return true;
	}
	return false;
}

static void add_opaque(struct ww_path_case *c, const struct ww_leg_flow *f, enum ww_path_unread why)
{
	struct ww_path_opaque *o;

	c->opaque_total++;
	if (c->opaque_count >= WW_PATH_OPAQUE_MAX)
		return;
	o = &c->opaque[c->opaque_count++];
	o->flow = f;
	o->why = (uint8_t)why;
	o->size = f->t_open.ns >= c->from.ns && c->path->prompt_bytes &&
		  ww_legs_payload(f) >= c->path->prompt_bytes;
}

/* Of a closed connection nothing more becomes known. */
static bool leads_inside(const struct ww_path_world *w, const struct ww_path_case *c,
			 struct ww_leg_flow *f)
{
	bool lasting = f->closed && f->t_open.ns >= c->from.ns; /* it is of no other time */
	struct ww_placement pl;

	if (lasting && f->placed_for == c->agent)
		return f->inside;
	ww_path_place_since(w, c->agent, f, c->from, &pl);
	f->inside = ww_path_allowed(c->agent, &pl);
	f->placed_for = lasting ? c->agent : NULL;
	return f->inside;
}

/* All that is ever read of it was. */
static bool is_read(enum ww_path_unread why)
{
	return why == WW_PATH_UNREAD_SHORT || why == WW_PATH_UNREAD_FIELD;
}

static void look_at(const struct ww_path_world *w, struct ww_path_case *c, struct ww_leg_flow *f)
{
	enum ww_path_unread why;
	bool inside;

	/* Most of what is held is of another time. */
	if (!overlaps(c, f) || f->role == WW_FLOW_ACCEPT || f->receiver || f->channel ||
	    ww_path_resolves(f) || !ww_legs_may_carry(f))
		return;
	why = unread(w, c, f);
	if (why == WW_PATH_UNREAD_MAX ||
	    ((why == WW_PATH_UNREAD_CUT || is_read(why)) && carries_leg(c, f)))
		return;
	if (!is_read(why))
		add_opaque(c, f, why);
	if (!c->agent)
		return;
	inside = leads_inside(w, c, f);
	if (why == WW_PATH_UNREAD_FIELD && !inside)
		add_opaque(c, f, why);
	if (why == WW_PATH_UNREAD_LOCAL || !inside)
		c->grounds.unread |= 1u << why;
	if (f->root.pid == 0 && !inside)
		c->grounds.orphans = true;
}

static bool sends_on(const struct ww_path_case *c, const struct ww_leg_tree *tree)
{
	for (const struct ww_leg_flow *f = tree ? tree->flows : NULL; f; f = f->next) {
		if (f->role != WW_FLOW_ACCEPT && !f->receiver && !f->channel && overlaps(c, f) &&
		    !ww_path_resolves(f) && ww_legs_may_carry(f))
			return true;
	}
	return false;
}

/* A watched process of this host that sent nothing on: the prompt went no farther than that. */
static void settle_hosts(const struct ww_path_world *w, struct ww_path_case *c)
{
	for (unsigned i = 0; i < c->grounds.count; i++) {
		struct ww_path_row *r = &c->rows[c->ground_rows[i]];
		const struct ww_leg_flow *end;

		if (!c->ground[i].local || !r->local)
			continue;
		end = r->flow ? ww_legs_other_end(w->legs, r->flow) : NULL;
		if (!end || ww_actor_key_eq(end->root, c->path->root) ||
		    sends_on(c, ww_legs_tree(w->legs, end->root)))
			continue;
		c->ground[i].local = false;
		r->ends = WW_HORIZON_HOST;
		r->findings &= ~(uint32_t)WW_PATH_PROXIED_HORIZON;
	}
}

static void look_around(const struct ww_path_world *w, struct ww_path_case *c)
{
	struct ww_legs_blind blind = ww_legs_blind_until(w->legs);
	const struct ww_leg_tree *nobody = ww_legs_tree(w->legs, (struct ww_actor_key){0});

	for (unsigned i = 0; i < c->tree_count; i++) {
		const struct ww_leg_tree *t = ww_legs_tree(w->legs, c->trees[i]);

		for (struct ww_leg_flow *f = t ? t->flows : NULL; f; f = f->next)
			look_at(w, c, f);
		c->grounds.orphans |= t && t->gave.ns && t->gave.ns >= c->from.ns;
	}
	for (struct ww_leg_flow *f = nobody ? nobody->flows : NULL; f; f = f->next) {
		if (f->cgroup == c->path->cgroup)
			look_at(w, c, f);
	}
	c->grounds.forgotten = c->more_trees || (blind.flows.ns && c->from.ns <= blind.flows.ns);
	/* Requests of others matter where a gateway sent something on. */
	for (unsigned i = 0; i < c->count && blind.requests.ns && c->from.ns <= blind.requests.ns;
	     i++)
		c->grounds.forgotten |= c->rows[i].local;
}

static void take_coverage(const struct ww_path_world *w, struct ww_path_case *c, struct ww_boot now)
{
	struct ww_path_grounds *g = &c->grounds;
	struct ww_coverage_answer *a = &c->coverage;
	const uint32_t all =
		WW_COVERS_TCP | WW_COVERS_UDP | WW_COVERS_RAW | WW_COVERS_UNIX | WW_COVERS_PROC;

	ww_coverage_query(w->coverage, c->path->cgroup, c->from, c->to, a);
	g->early = now.ns < c->to.ns;
	g->known = a->known;
	g->whole = a->whole_window;
	g->covered = (a->covers & all) == all;
	g->lost = a->lost_events;
	g->gaps = a->gaps;
	g->unix_peers = a->unix_peers;
	g->raw_sockets = a->raw_sockets;
	g->unbound =
		a->unbound_calls + ww_flows_homeless(w->flows, c->path->cgroup, c->from, c->to);
}

/* What the scopes of the gateways say counts as well, and of the hosts where it ended. */
static void add_coverage(const struct ww_path_world *w, struct ww_path_case *c)
{
	struct ww_path_grounds *g = &c->grounds;

	for (unsigned i = 0; i < c->count; i++) {
		const struct ww_path_row *r = &c->rows[i];
		const struct ww_leg_flow *end =
			r->ends == WW_HORIZON_HOST ? ww_legs_other_end(w->legs, r->flow) : NULL;
		uint64_t cgroup = end ? end->cgroup : c->path->cgroup;
		struct ww_coverage_answer a;

		if (r->cause == WW_LEG_CAUSE_GATEWAY && r->leg)
			cgroup = r->leg->cgroup;
		if (cgroup == c->path->cgroup)
			continue;
		ww_coverage_query(w->coverage, cgroup, c->from, c->to, &a);
		g->whole &= a.known && a.whole_window;
		g->lost += a.lost_events;
		g->gaps += a.gaps;
		g->unix_peers += a.unix_peers;
		g->raw_sockets += a.raw_sockets;
		g->unbound += a.unbound_calls;
	}
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static void update_flows(const struct ww_path_world *w, struct ww_actor_key root,
			 struct ww_boot now)
{
	struct ww_leg_tree *t = ww_legs_tree(w->legs, root);
	struct ww_leg_flow *next;

	for (struct ww_leg_flow *f = t ? t->live : NULL; f; f = next) {
		struct ww_flow *live = ww_flows_get(w->flows, f->cookie);

		next = f->live_next;
		if (live && ww_actor_key_eq(live->root, root))
			(void)ww_legs_flow(w->legs, live, now);
	}
}

void ww_path_case_make(const struct ww_path_world *w, struct ww_leg_path *path, struct ww_boot now,
		       struct ww_path_case *c)
{
	memset(c, 0, offsetof(struct ww_path_case, rows));
	c->path = path;
	if (!path->agent_known) {
		path->agent = ww_path_agent(w, path->cgroup, path->actor, path->root);
		path->agent_known = true;
	}
	c->agent = path->agent;
	c->grounds.unread = path->unsearched ? 1u << WW_PATH_UNREAD_SHORT : 0;
	c->searchable = path->searchable && ww_shingles_whole(w->shingles, path->id);
	c->now = now;
	c->from = path->first;
	c->to.ns = path->last.ns + w->grace_ns;
	ww_path_case_tree(c, path->root);
	update_flows(w, path->root, now);
	take_legs(w, c);
	ww_path_case_stitch(w, c);
	ww_path_case_causes(c);
	ww_path_case_beside(w, c);
	c->grounds.legs = c->ground;
	c->grounds.asked = c->agent != NULL;
	c->grounds.dropped = path->dropped + (c->total - c->count);
	for (unsigned i = 0; i < c->count; i++) {
		struct ww_path_row *r = &c->rows[i];

		grade(r);
		find_oddities(r);
		find_spans(w, r);
		if (r->leg)
			judge_leg(w, c, i);
	}
	settle_hosts(w, c);
	take_coverage(w, c, now);
	add_coverage(w, c);
	look_around(w, c);
	ww_path_rule(&c->grounds, &c->ruling);
}
