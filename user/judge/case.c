/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/case.h"

#include "judge/local_case.h"

#define PORT_DNS 53
#define IP_UDP   17

_Static_assert(WW_GROUNDS_ATTEMPTS_MAX >= WW_JOIN_ATTEMPTS_MAX, "all attempts have a place");
_Static_assert(WW_GROUNDS_READS_MAX >= WW_JOIN_READS_MAX, "all reads have a place");
_Static_assert(WW_GROUNDS_RUNS_MAX >= WW_CONTROL_RUNS_MAX, "all runs have a place");
_Static_assert(WW_GROUNDS_LIKES_MAX >= WW_JOIN_NEAR_MAX + WW_JOIN_READS_MAX, "and all likes");

static struct ww_grounds_call ground_call(const struct ww_case *k, const struct ww_held_exchange *x)
{
	const struct ww_held_flow *f = ww_held_flow_get(k->held, x->cookie);
	struct ww_grounds_call c = {x->t_first_req.ns, x->ended.ns, x->req_end, {0}};

	if (!f)
		return c;
	c.flow = (struct ww_grounds_flow){
		.known = true,
		.tls = f->tls,
		.closed = f->closed,
		.closed_ns = f->closed ? f->t_close.ns : 0,
		.unchecked = f->unchecked,
		.sent = f->bytes_sent,
		.acked = f->bytes_acked,
		.setup = f->setup[WW_DIR_OUT],
		.unexplained_out = f->unexplained[WW_DIR_OUT],
		.unexplained_in = f->unexplained[WW_DIR_IN],
		.unread = f->unread,
	};
	return c;
}

static void ground_attempt(const struct ww_case *k, const struct ww_attempt *of,
			   struct ww_grounds_attempt *at)
{
	const struct ww_match *m = of->match;

	*at = (struct ww_grounds_attempt){
		.grade = of->grade,
		.by = of->by,
		.wire = (enum ww_wire)m->wire,
		.status = m->x->status,
		.method = m->x->method,
		.name = m->x->name,
		.keyed = m->x->keyed,
		.key = m->x->idempotency,
		.resp_bytes = m->x->resp_bytes,
		.retry_after = m->x->retry_after,
		.retry_after_s = m->x->retry_after_s,
		.good = m->good,
		.all = m->all,
		.answer = m->answer,
		.call = ground_call(k, m->x),
	};
}

static void ground_action(const struct ww_case *k, struct ww_grounds *g)
{
	const struct ww_action *a = k->action;
	const struct ww_action_span *last = ww_action_last_span(a);

	g->resolved = a->root.pid != 0;
	g->clock_bad = a->clock_bad;
	g->asked = a->model.asked;
	g->remote = a->model.remote;
	g->spanned = last != NULL;
	g->span_error = last && last->status == WW_SPAN_ERROR;
	g->claims = a->claim_count;
	g->claim_done = ww_action_claims_done(a);
	g->until_ns = ww_action_announced_until(a).ns;
	g->shown = a->model.shown;
	g->shown_error = a->model.shown_error;
	g->shown_answer = a->model.answer;
}

static void ground_late(const struct ww_case *k, struct ww_grounds *g)
{
	const struct ww_joined *j = &k->joined;

	if (!j->overdue.match)
		return;
	g->late_there = true;
	ground_attempt(k, &j->overdue, &g->late);
	g->late_after_ns = j->overdue_after.ns;
	g->late_contested = j->overdue_contested;
}

/* Tenants have names of one pattern, or their part of the path, and ids of their own: the read must
 * have gone to where the call went, or to a name that the contract has in full. */
static bool at_home(const struct ww_case *k, const struct ww_join_read *read)
{
	const struct ww_match *call = k->joined.attempts[read->attempt].match, *m = read->match;

	return call->placed && m->placed && call->place == m->place &&
	       (strcasecmp(call->x->name, m->x->name) == 0 ||
		ww_pattern_name_in_full(&k->contract->call, m->x->name));
}

static bool same_caller(const struct ww_case *k, const struct ww_join_read *read)
{
	const struct ww_held_exchange *call = k->joined.attempts[read->attempt].match->x;
	const struct ww_held_exchange *x = read->match->x;

	return call->caller_known && x->caller_known && call->caller == x->caller;
}

/* A service that the contract does not declare. */
static bool asked_others(const struct ww_case *k)
{
	const struct ww_world *w = &k->world;

	for (unsigned i = 0; i < w->egress_count; i++) {
		const struct ww_held_flow *f = w->egress[i];

		if (!f->model && !ww_held_is_model_peer(k->held, &f->peer) &&
		    !ww_closed_world_declared(k->contract, f) &&
		    !(f->ip_proto == IP_UDP && f->peer.port == PORT_DNS))
			return true;
	}
	return w->egress_total > w->egress_count;
}

/* One answer that has all of it. */
static bool has_all(const struct ww_answer *answer, const struct ww_answer *shown)
{
	for (unsigned p = 0; p < WW_ANSWER_PATHS_MAX; p++) {
		if (shown->present & (1u << p) && !ww_answer_same(answer, shown, p))
			return false;
	}
	return true;
}

static bool answered_before(const struct ww_case *k)
{
	const struct ww_action_model *m = &k->action->model;

	for (const struct ww_match *e = ww_held_newest(k->held, (uint32_t)k->action->contract); e;
	     e = e->older) {
		if (e->destination && e->template && e->x->ended.ns <= m->shown_at.ns &&
		    has_all(&e->answer, &m->answer))
			return true;
	}
	return false;
}

/* Whether a result that no answer to the action gave may be honest: what an earlier answer said, or
 * another service that was asked in the window; of a read also a copy, however old. */
static bool shown_from_elsewhere(const struct ww_case *k)
{
	return k->contract && k->action->model.shown &&
	       (k->contract->effect == WW_EFFECT_READ || asked_others(k) || answered_before(k));
}

static void add_like(struct ww_grounds *g, const struct ww_match *m, bool read)
{
	g->likes[g->like_count++] = (struct ww_grounds_like){m->answer, read};
}

/* Of the calls beside the attempts, those whose answers are known. */
static void ground_likes(const struct ww_case *k, struct ww_grounds *g)
{
	const struct ww_joined *j = &k->joined;

	for (unsigned i = 0; i < j->near_count; i++) {
		if (j->near[i].match->destination && j->near[i].match->template)
			add_like(g, j->near[i].match, false);
	}
	g->beside = j->near_total - g->like_count;
	for (unsigned i = 0; i < j->read_count; i++) {
		const struct ww_match *m = j->reads[i].match;

		if (m->x->t_first_req.ns < k->action->model.shown_at.ns)
			add_like(g, m, true);
	}
	/* Those that are not listed came last. */
	if (j->reads_over || j->read_total > j->read_count)
		g->beside++;
}

static void ground_wire(const struct ww_case *k, struct ww_grounds *g)
{
	const struct ww_joined *j = &k->joined;

	g->grade = j->grade;
	g->by = j->by;
	g->total = j->total;
	g->count = j->count;
	for (unsigned i = 0; i < j->count; i++) {
		ground_attempt(k, &j->attempts[i], &g->attempts[i]);
		g->attempts[i].id_known = j->known & 1ull << i;
	}
	g->shows_until_ns = k->contract ? ww_closed_world_shows_until(k->contract, j).ns : 0;
	g->read_total = j->read_total;
	g->read_count = j->read_count;
	g->reads_over = j->reads_over;
	for (unsigned i = 0; i < j->read_count; i++)
		g->reads[i] = (struct ww_grounds_read){
			.read = (enum ww_read)j->reads[i].match->read,
			.attempt = j->reads[i].attempt,
			.at_home = at_home(k, &j->reads[i]),
			.same_caller = same_caller(k, &j->reads[i]),
			.call = ground_call(k, j->reads[i].match->x),
		};
	ground_late(k, g);
	if (j->elsewhere) {
		g->elsewhere = true;
		g->elsewhere_known = j->elsewhere->x->peer.family != 0;
		g->elsewhere_status = j->elsewhere->x->status;
	}
	g->near = j->near_total;
	g->almost = j->almost;
	ground_likes(k, g);
}

static void ground_world(const struct ww_case *k, struct ww_grounds *g)
{
	const struct ww_coverage_answer *c = &k->world.coverage;
	const struct ww_world_undecoded *u = &k->world.undecoded;

	g->covered = c->known && c->whole_window && c->lost_events == 0 && c->gaps == 0;
	g->failed = k->world.failed;
	g->undecoded = u->count;
	g->undecoded_evidence = u->evidence;
	g->undecoded_opaque = u->opaque;
	g->undecoded_torn = u->torn;
	g->undecoded_inside = u->began_inside;
	g->rivals = k->rivals;
}

static void ground_control(const struct ww_case *k, struct ww_grounds_control *g)
{
	const struct ww_controlled *c = k->controlled;

	*g = (struct ww_grounds_control){
		.there = true,
		.doubt = k->doubt,
		.grade = c->action->grade,
		.by = c->action->by,
		.begun_ns = c->begun.ns,
		.max_age_s = c->control->max_age_s,
		.max_uses = c->control->max_uses,
		.total = c->total,
		.count = c->count,
		.stray = c->stray,
		.narrated = k->action->narrated,
	};
	for (unsigned i = 0; i < c->count; i++)
		g->runs[i] = (struct ww_grounds_run){
			.says = (enum ww_control_says)c->runs[i].says,
			.subject = (enum ww_control_subject)c->runs[i].subject,
			.begun_ns = c->runs[i].begun.ns,
			.ended_ns = c->runs[i].ended.ns,
			.answered_ns = c->runs[i].match->x->answered.ns,
			.no_reply = c->runs[i].match->wire == WW_WIRE_NO_REPLY,
			.stray = c->runs[i].stray,
			.call = ground_call(k, c->runs[i].match->x),
		};
	for (unsigned i = 0; i < c->count; i++)
		g->runs[i].uses =
			ww_control_uses(k->held, c, &c->runs[i], &g->runs[i].uses_unknown);
}

void ww_case_ground_plainly(struct ww_case *k)
{
	struct ww_grounds *g = &k->grounds;

	memset(g, 0, sizeof(*g));
	g->given_up = k->given_up;
	g->declared = k->contract != NULL;
	g->effect = k->contract ? k->contract->effect : WW_EFFECT_NONE;
	g->looks = k->contract && !k->action->prose.only && ww_contract_local(k->contract);
	g->partners = k->partners;
	g->still_open = k->still_open;
	g->now_ns = k->now.ns;
	g->finished = k->finished;
	ground_action(k, g);
}

void ww_case_ground(struct ww_case *k)
{
	struct ww_grounds *g = &k->grounds;

	ww_case_ground_plainly(k);
	ground_wire(k, g);
	g->prose = k->action->prose.only;
	g->prose_blind = k->action->prose.blind;
	g->prose_earlier = k->action->prose.earlier;
	g->prose_taken = ww_join_taken(&k->joined);
	g->shown_elsewhere = k->controlled ? false : shown_from_elsewhere(k);
	ground_world(k, g);
	if (g->looks)
		ww_local_case_ground(k, g);
	if (k->controlled)
		ground_control(k, &g->control);
}

const struct ww_match *ww_case_match(const struct ww_case *k, const struct ww_grounds_attempt *a)
{
	const struct ww_grounds *g = &k->grounds;

	return a == &g->late ? k->joined.overdue.match : k->joined.attempts[a - g->attempts].match;
}

const struct ww_match *ww_case_read(const struct ww_case *k, const struct ww_grounds_read *r)
{
	return k->joined.reads[r - k->grounds.reads].match;
}

const struct ww_control_run *ww_case_run(const struct ww_case *k, const struct ww_grounds_run *r)
{
	return &k->controlled->runs[r - k->grounds.control.runs];
}
