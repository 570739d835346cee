/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/judge.h"

#include <errno.h>

#include "join/said.h"
#include "judge/case.h"
#include "judge/local_case.h"
#include "judge/pending.h"
#include "judge/unserved.h"
#include "judge/verdict.h"
#include "judge/verdict_write.h"
#include "judge/when.h"

#define NS_PER_S 1000000000ull

#define GRACE_DEFAULT_NS (2 * NS_PER_S)
#define SKEW_DEFAULT_NS  (NS_PER_S / 20)

/* A judged action and its evidence are kept for late spans, claims and exchanges. */
#define HOLD_NS (600 * NS_PER_S)
/* How long an exchange that is still open delays the verdict. */
#define OPEN_WAIT_NS (30 * NS_PER_S)
/* A like call near the window that nothing speaks of yet: its span may be in the next batch, and
 * this often it is looked for. */
#define SPAN_WAIT_NS  WW_WHEN_SHOWN_NS
#define SPAN_EVERY_NS NS_PER_S
/* Old evidence is looked for this often. */
#define EXPIRE_EVERY_NS NS_PER_S

/* Exchanges with one id that are looked at for who waits for it. */
#define SAME_ID_MAX 256

/* Room for the due actions of one tick that is always there. */
#define DUE_MIN 64

struct due {
	uint64_t ns;
	struct ww_action *action;
};

struct ww_judge {
	struct ww_judge_config cfg;
	struct ww_judge_deps deps;
	struct ww_when when;
	ww_record_fn emit;
	void *ctx;
	struct ww_held *held;
	struct ww_actions *actions;
	struct ww_deeds *deeds; /* effects without a request */
	struct due *due;        /* those of one tick */
	size_t due_cap;
	uint64_t hold_ns;
	struct ww_unserved unserved;
	uint64_t endings; /* of actors, when the due times of waiting actions were worked out */
	struct ww_buf verdict; /* one record */
	struct ww_buf action;
	struct ww_case scratch;
	struct ww_controlled controlled; /* one control of it */
	struct ww_joined calls;          /* where its calls are looked for */
	struct ww_boot now;
	struct ww_boot expired;
	uint64_t round; /* of judging: one for each tick */
	bool fresh;     /* live flows are as of this tick */
	bool finished;  /* nothing more comes: no waiting */
	struct ww_judge_counts counts;
	ww_pending_fn pending; /* NULL: nobody asks */
	void *pending_ctx;
	struct ww_buf item; /* what is pending, one */
};

int ww_judge_new(const struct ww_judge_config *cfg, const struct ww_judge_deps *deps,
		 ww_record_fn emit, void *ctx, struct ww_judge **ret_judge)
{
	WW_AUTO(ww_judge_free_auto) struct ww_judge *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return -ENOMEM;
	j->cfg = *cfg;
	if (!j->cfg.grace_ns)
		j->cfg.grace_ns = GRACE_DEFAULT_NS;
	if (!j->cfg.skew_ns)
		j->cfg.skew_ns = SKEW_DEFAULT_NS;
	j->deps = *deps;
	j->when = (struct ww_when){deps->actors, deps->contracts, j->cfg.grace_ns, j->cfg.skew_ns};
	j->hold_ns = ww_contracts_shown_s(deps->contracts) * NS_PER_S + HOLD_NS;
	j->emit = emit;
	j->ctx = ctx;
	ww_buf_init(&j->verdict, WW_RECORD_BYTES_MAX);
	ww_buf_init(&j->action, WW_RECORD_BYTES_MAX);
	ww_buf_init(&j->item, WW_RECORD_BYTES_MAX);
	r = ww_held_new(deps->contracts, deps->key, &j->held);
	if (r < 0)
		return r;
	r = ww_deeds_new(deps->contracts, deps->actors, deps->key, &j->deeds);
	if (r < 0)
		return r;
	j->due = calloc(DUE_MIN, sizeof(*j->due));
	if (!j->due)
		return -ENOMEM;
	j->due_cap = DUE_MIN;
	r = ww_actions_new(deps->contracts, deps->key, deps->clock, j->cfg.skew_ns, &j->actions);
	if (r < 0)
		return r;
	*ret_judge = WW_TAKE(j);
	return 0;
}

void ww_judge_free(struct ww_judge *j)
{
	if (!j)
		return;
	ww_actions_free(j->actions);
	ww_held_free(j->held);
	ww_deeds_free(j->deeds);
	ww_buf_done(&j->verdict);
	ww_buf_done(&j->action);
	ww_buf_done(&j->item);
	free(j->due);
	free(j);
}

struct ww_judge_counts ww_judge_counts(const struct ww_judge *j)
{
	struct ww_judge_counts c = j->counts;
	struct ww_held_counts h = ww_held_counts(j->held);

	c.actions_held = ww_actions_count(j->actions);
	c.exchanges_held = h.exchanges;
	c.flows_held = h.flows;
	c.spans_held = h.spans;
	c.memory_refused += h.refused;
	c.evidence_dropped = h.exchanges_dropped + h.flows_dropped + h.spans_dropped +
			     ww_deeds_dropped(j->deeds);
	return c;
}

const struct ww_actions *ww_judge_actions(const struct ww_judge *j)
{
	return j->actions;
}

static void update_flow(void *ctx, struct ww_flow *f)
{
	struct ww_judge *j = ctx;

	ww_flow_account(f);
	ww_held_update_flow(j->held, f, j->now);
}

static void refresh_flows(struct ww_judge *j)
{
	if (!j->fresh)
		ww_flows_each(j->deps.flows, update_flow, j);
	j->fresh = true;
}

/* --- what is pending --- */

static void tell_pending(struct ww_judge *j, const struct ww_pending *p, ww_pending_fn fn,
			 void *ctx)
{
	struct ww_jsonw w;

	ww_buf_clear(&j->item);
	ww_jsonw_init(&w, &j->item);
	ww_pending_write(p, j->deps.clock, &w);
	if (ww_jsonw_ok(&w))
		fn(ctx, ww_buf_slice(&j->item));
	else
		j->counts.memory_refused++;
}

/* An action that has a verdict keeps it until another one supersedes it: it is not pending. */
static bool is_news(const struct ww_judge *j, const struct ww_action *a, uint64_t due_ns)
{
	return j->pending && !a->revision && !j->finished && due_ns > j->now.ns &&
	       a->announced_ns != due_ns;
}

static void announce(struct ww_judge *j, struct ww_action *a, uint64_t due_ns,
		     enum ww_pending_wait wait)
{
	struct ww_pending p = {a, {due_ns}, wait, NULL};

	a->announced_ns = due_ns;
	a->announced_wait = (uint8_t)wait;
	tell_pending(j, &p, j->pending, j->pending_ctx);
}

static void given(void *ctx, const struct ww_action *claim, const struct ww_action *into)
{
	struct ww_judge *j = ctx;
	struct ww_pending p = {claim, {0}, WW_PENDING_CLAIM, into->id};

	if (j->pending && claim->announced_ns && !claim->revision)
		tell_pending(j, &p, j->pending, j->pending_ctx);
}

void ww_judge_watch(struct ww_judge *j, ww_pending_fn fn, void *ctx)
{
	j->pending = fn;
	j->pending_ctx = ctx;
	ww_actions_on_given(j->actions, given, j);
}

void ww_judge_pending(struct ww_judge *j, ww_pending_fn fn, void *ctx)
{
	for (struct ww_action *a = ww_actions_open(j->actions); a; a = a->next) {
		struct ww_pending p = {
			a, {a->announced_ns}, (enum ww_pending_wait)a->announced_wait, NULL};

		if (!a->revision && a->announced_ns)
			tell_pending(j, &p, fn, ctx);
	}
}

/* --- judging --- */

static void emit(struct ww_judge *j, enum ww_record_kind kind, const struct ww_jsonw *w)
{
	if (ww_jsonw_ok(w)) {
		j->emit(j->ctx, kind, ww_buf_slice(w->out));
		return;
	}
	j->counts.records_lost++;
	j->counts.memory_refused++;
}

static struct ww_verdict_record record_for(const struct ww_judge *j, const struct ww_case *k,
					   const struct ww_ruling *r, uint32_t revision)
{
	return (struct ww_verdict_record){
		.k = k,
		.r = r,
		.clock = j->deps.clock,
		.contracts = j->deps.contracts,
		.phrases = j->deps.phrases,
		.originals = j->cfg.originals,
		.revision = revision,
	};
}

/* Into j->verdict, and counted; false: late parts that change nothing. `fingerprint` is of the
 * revision before, its first n bytes. */
static bool write_verdict(struct ww_judge *j, const struct ww_verdict_record *v,
			  uint8_t *fingerprint, size_t n, struct ww_jsonw *w)
{
	size_t from = 0, to = 0;
	struct ww_sha256 print;

	ww_buf_clear(&j->verdict);
	ww_jsonw_init(w, &j->verdict);
	ww_verdict_write(v, w, &from, &to);
	ww_sha256(ww_slice_sub(ww_buf_slice(&j->verdict), from, to - from), &print);
	if (v->revision > 1 && memcmp(print.b, fingerprint, n) == 0)
		return false;
	memcpy(fingerprint, print.b, n);
	j->counts.superseded += v->revision > 1;
	j->counts.verdicts[v->r->verdict]++;
	return true;
}

static void make_records(struct ww_judge *j, struct ww_action *a, const struct ww_case *k,
			 const struct ww_ruling *r)
{
	struct ww_verdict_record v = record_for(j, k, r, a->revision + 1);
	struct ww_jsonw verdict, action;

	if (!write_verdict(j, &v, a->fingerprint, sizeof(a->fingerprint), &verdict))
		return;
	a->revision++;
	ww_buf_clear(&j->action);
	ww_jsonw_init(&action, &j->action);
	ww_verdict_write_action(&v, &action);
	emit(j, WW_RECORD_ACTION, &action);
	emit(j, WW_RECORD_VERDICT, &verdict);
}

static void settle(struct ww_judge *j, struct ww_action *a, const struct ww_case *k,
		   const struct ww_ruling *r)
{
	make_records(j, a, k, r);
	a->until.ns = 0;
	ww_actions_set_judged(j->actions, a, j->now);
	ww_unserved_add(&j->unserved, a, r);
}

static void look_at_turn(struct ww_judge *j, struct ww_case *k)
{
	if (k->action->said_count == 0)
		return;
	refresh_flows(j);
	ww_closed_world_turn(j->held, k->action, &k->turn);
}

static struct ww_join_ask ask_for(struct ww_judge *j, struct ww_action *a)
{
	struct ww_join_ask ask = {
		.held = j->held,
		.actions = j->actions,
		.action = a,
		.skew_ns = j->cfg.skew_ns,
		.grace_ns = j->cfg.grace_ns,
		.until = ww_when_exited(&j->when, a),
		.round = j->round,
	};

	if (!a->model.asked)
		ask.until.ns = a->received.ns + WW_WILL_NS;
	else if (ask.until.ns == 0)
		ask.until.ns = a->model.at.ns + WW_WHEN_ASKED_NS;
	return ask;
}

static struct ww_world_ask world_ask(const struct ww_judge *j, const struct ww_action *a,
				     const struct ww_contract *contract,
				     const struct ww_joined *joined)
{
	const struct ww_actor *root = ww_actors_get(j->deps.actors, a->root);

	return (struct ww_world_ask){
		.held = j->held,
		.flows = j->deps.flows,
		.coverage = j->deps.coverage,
		.action = a,
		.contract = contract,
		.joined = joined,
		.now = j->now,
		.came = root ? root->came : (struct ww_boot){0},
	};
}

static void look_at_world(struct ww_judge *j, struct ww_case *k)
{
	struct ww_world_ask ask = world_ask(j, k->action, k->contract, &k->joined);

	ask.grace_ns = j->cfg.grace_ns;

	if (ww_closed_world_answered(k->contract, &k->joined))
		ww_closed_world_cover(&ask, &k->world);
	else
		ww_closed_world_check(&ask, &k->world);
}

/* The checklist for the calls of a control, up to the begin of the action. */
static void look_at_control(struct ww_judge *j, struct ww_case *k, const struct ww_controlled *c)
{
	struct ww_joined *joined = &j->calls;
	struct ww_world_ask ask =
		world_ask(j, k->action, &j->deps.contracts->items[c->control->index], joined);

	memset(joined, 0, sizeof(*joined));
	joined->window = (struct ww_join_window){c->begun, c->begun, c->from, c->begun};
	joined->foreign = c->foreign;
	joined->almost = c->almost;
	ww_closed_world_check(&ask, &k->world);
	k->still_open = ww_closed_world_busy(j->held, k->action, ask.contract);
	k->controlled = c;
}

static void make_control_record(struct ww_judge *j, struct ww_action *a, const struct ww_case *k,
				const struct ww_ruling *r)
{
	struct ww_action_control *c = &a->controls[k->controlled->place];
	struct ww_verdict_record v = record_for(j, k, r, c->revision + 1);
	struct ww_jsonw w;

	if (!write_verdict(j, &v, c->fingerprint, sizeof(c->fingerprint), &w))
		return;
	c->revision++;
	emit(j, WW_RECORD_VERDICT, &w);
}

/* It cannot be told only because a call of the control is under way: that may end. */
static bool may_be_answered(const struct ww_judge *j, const struct ww_case *k,
			    const struct ww_ruling *r)
{
	return k->still_open && !j->finished && r->verdict == WW_VERDICT_UNVERIFIABLE &&
	       r->reason == WW_REASON_OUTCOME_UNKNOWN &&
	       j->now.ns < ww_when_due(&j->when, k->action) + OPEN_WAIT_NS;
}

/* Uses k->world up. True: one of them waits. */
static bool judge_controls(struct ww_judge *j, struct ww_action *a, struct ww_case *k,
			   const struct ww_ruling *effect)
{
	bool wait = false;

	k->doubt = ww_rule_doubt(effect);
	for (unsigned i = 0; i < k->contract->control_count; i++) {
		struct ww_controlled *c = &j->controlled;
		struct ww_ruling r;

		if (!ww_control_find(j->held, a, k->contract, i, &k->joined, j->cfg.grace_ns, c))
			continue;
		look_at_control(j, k, c);
		ww_case_ground(k);
		ww_rule(&k->grounds, &r);
		if (may_be_answered(j, k, &r))
			wait = true;
		else
			make_control_record(j, a, k, &r);
	}
	return wait;
}

/* Told, and looked at again when its deadline has passed. */
static void put_off(struct ww_judge *j, struct ww_action *a, const struct ww_case *k,
		    const struct ww_ruling *r)
{
	make_records(j, a, k, r);
	a->until.ns = r->until_ns;
	ww_actions_reopen(j->actions, a);
}

/* It cannot be told only because of what may still be explained: calls by another's span, bytes of
 * a live connection by the plaintext that is on its way. */
static bool may_be_explained(const struct ww_judge *j, const struct ww_case *k,
			     const struct ww_ruling *r)
{
	bool calls = k->joined.late || k->joined.early || k->joined.foreign;

	if (j->finished || r->verdict != WW_VERDICT_UNVERIFIABLE ||
	    j->now.ns >= ww_when_due(&j->when, k->action) + SPAN_WAIT_NS)
		return false;
	if (r->reason == WW_REASON_PLAINTEXT_INCOMPLETE)
		return k->world.behind;
	return calls &&
	       (r->reason == WW_REASON_AMBIGUOUS_JOIN || r->reason == WW_REASON_REMOTE_EXECUTOR);
}

/* Who did late what was announced may say so: by a span that comes with the next batch. */
static bool may_be_anothers(const struct ww_judge *j, const struct ww_case *k,
			    const struct ww_ruling *r)
{
	return (r->verdict == WW_VERDICT_ACTED_LATE || r->verdict == WW_VERDICT_UNVERIFIABLE) &&
	       k->local.overdue_seen.ns && !j->finished &&
	       j->now.ns < k->local.overdue_seen.ns + SPAN_WAIT_NS;
}

static void look_again(struct ww_judge *j, const struct ww_action *a)
{
	uint32_t count;
	struct ww_action_wait *waits = ww_actions_waiting(j->actions, &count);

	waits[a->wait].due_ns = j->now.ns + SPAN_EVERY_NS;
}

/* The first of the tools that it may mean with something to show, else the last one. */
static void find_any_tool(struct ww_judge *j, struct ww_join_ask *ask, struct ww_case *k)
{
	struct ww_action *a = ask->action;

	for (int i = 0; i < (int)j->deps.contracts->count; i++) {
		const struct ww_joined *f = &k->joined;

		if (!ww_said_may_mean(&a->prose, i))
			continue;
		ww_actions_set_contract(j->actions, a, i);
		k->contract = ww_action_contract(a, j->deps.contracts);
		ww_join_find(ask, &k->joined);
		k->still_open |= ww_closed_world_busy(j->held, a, k->contract);
		if (f->total || f->elsewhere || f->foreign || f->early || f->late || f->astray ||
		    f->almost || ww_join_taken(f))
			return;
	}
}

static void judge_prose(struct ww_judge *j, struct ww_join_ask *ask, uint64_t due_ns)
{
	struct ww_case *k = &j->scratch;
	struct ww_ruling r = {0};

	find_any_tool(j, ask, k);
	look_at_world(j, k);
	k->partners = ask->action->partners;
	ww_case_ground(k);
	ww_rule(&k->grounds, &r);
	if (k->still_open && !j->finished && j->now.ns < due_ns + OPEN_WAIT_NS)
		return;
	settle(j, ask->action, k, &r);
}

/* What is still under way may end, as an exchange may. */
static void judge_local(struct ww_judge *j, struct ww_action *a, const struct ww_join_ask *join,
			uint64_t due_ns)
{
	struct ww_case *k = &j->scratch;
	struct ww_world_ask world = world_ask(j, a, k->contract, &k->joined);
	struct ww_local_case_ask ask = {k,      j->deeds,    j->actions,
					&world, join->until, join->skew_ns};
	struct ww_ruling r = {0};

	world.grace_ns = j->cfg.grace_ns;
	k->all = j->deps.contracts;
	ww_local_case_release(j->deeds, a);
	ww_local_case_look(&ask);
	k->partners = a->partners;
	ww_case_ground(k);
	ww_rule(&k->grounds, &r);
	if (k->still_open && r.reason == WW_REASON_OUTCOME_UNKNOWN && !j->finished &&
	    j->now.ns < due_ns + OPEN_WAIT_NS)
		return;
	if (may_be_explained(j, k, &r) || may_be_anothers(j, k, &r)) {
		look_again(j, a);
		return;
	}
	ww_local_case_own(k, a);
	if (r.verdict == WW_VERDICT_PENDING)
		put_off(j, a, k, &r);
	else
		settle(j, a, k, &r);
}

/* Judges a, or leaves it open because an exchange may still end, its effect still show, or a span
 * still come. */
static void judge_one(struct ww_judge *j, struct ww_action *a, uint64_t due_ns)
{
	struct ww_case *k = &j->scratch;
	struct ww_join_ask ask = ask_for(j, a);
	struct ww_ruling r = {0};
	bool pending;

	memset(k, 0, sizeof(*k));
	k->held = j->held;
	k->action = a;
	k->contract = ww_action_contract(a, j->deps.contracts);
	k->now = j->now;
	k->finished = j->finished;
	look_at_turn(j, k);
	ww_case_ground_plainly(k);
	if (ww_rule_plainly(&k->grounds, &r)) {
		settle(j, a, k, &r);
		return;
	}
	if (k->grounds.looks) {
		judge_local(j, a, &ask, due_ns);
		return;
	}
	refresh_flows(j);
	if (a->prose.only) {
		judge_prose(j, &ask, due_ns);
		return;
	}
	ww_join_release(&ask);
	ww_join_find(&ask, &k->joined);
	k->still_open = ww_closed_world_busy(j->held, a, k->contract);
	look_at_world(j, k);
	if (k->world.undecoded.count)
		k->rivals = ww_join_rivals(&ask);
	k->partners = a->partners;
	ww_case_ground(k);
	ww_rule(&k->grounds, &r);
	pending = r.verdict == WW_VERDICT_PENDING;
	if (k->still_open && !r.tally.success && !pending && !j->finished &&
	    j->now.ns < due_ns + OPEN_WAIT_NS) {
		if (is_news(j, a, due_ns + OPEN_WAIT_NS))
			announce(j, a, due_ns + OPEN_WAIT_NS, WW_PENDING_EXCHANGE);
		return;
	}
	if (may_be_explained(j, k, &r)) {
		look_again(j, a);
		return;
	}
	ww_join_own(&k->joined, a, r.verdict == WW_VERDICT_ACTED_LATE);
	if (pending) {
		put_off(j, a, k, &r);
		return;
	}
	settle(j, a, k, &r);
	if (judge_controls(j, a, k, &r)) {
		ww_actions_reopen(j->actions, a);
		look_again(j, a);
	}
}

/* The table is full: an action goes before its time, and the record says why it is not judged. */
static void give_up(struct ww_judge *j, struct ww_action *a)
{
	struct ww_case *k = &j->scratch;
	struct ww_ruling r = {0};

	memset(k, 0, sizeof(*k));
	k->held = j->held;
	k->action = a;
	k->contract = ww_action_contract(a, j->deps.contracts);
	k->given_up = true;
	ww_case_ground_plainly(k);
	ww_rule(&k->grounds, &r);
	settle(j, a, k, &r);
	j->counts.actions_given_up++;
}

static void make_room(struct ww_judge *j)
{
	while (ww_actions_count(j->actions) > WW_ACTIONS_HELD_MAX) {
		if (!ww_actions_judged_first(j->actions))
			give_up(j, ww_actions_open(j->actions));
		ww_actions_drop(j->actions, ww_actions_judged_first(j->actions));
		j->counts.actions_dropped++;
	}
}

/* --- what comes in --- */

static bool needs(const struct ww_contract *c, unsigned index)
{
	for (unsigned i = 0; i < c->control_count; i++) {
		if (c->controls[i].index == index)
			return true;
	}
	return false;
}

/* An exchange that ends after its action was judged: judged again. */
static void reopen_for(struct ww_judge *j, const struct ww_held_exchange *x)
{
	struct ww_action *prev;

	for (struct ww_action *a = ww_actions_judged_of(j->actions, x->root);
	     a && a->judged_at.ns >= x->t_first_req.ns; a = prev) {
		struct ww_join_window w = ww_join_window_of(a, j->cfg.skew_ns, a->judged_at);

		prev = a->tree_prev;
		if (a->contract < 0 || x->t_first_req.ns > w.to.ns)
			continue;
		for (unsigned i = 0; i < x->match_count; i++) {
			int contract = (int)x->matches[i].contract;
			bool inside = x->t_first_req.ns >= w.from.ns &&
				      (contract == a->contract ||
				       (a->prose.only && ww_said_may_mean(&a->prose, contract)));

			if (inside ||
			    needs(ww_action_contract(a, j->deps.contracts), x->matches[i].contract))
				ww_actions_reopen(j->actions, a);
		}
	}
}

/* A read that shows what an action created. */
static void reopen_for_read(struct ww_judge *j, const struct ww_match *read)
{
	unsigned looked = 0;

	for (const struct ww_match *m = ww_held_same_id(j->held, read); m && looked < SAME_ID_MAX;
	     m = m->same_older, looked++) {
		struct ww_action *a = m->x->owner ? ww_actions_get(j->actions, m->x->owner) : NULL;

		if (!a)
			continue;
		a->until.ns = 0;
		ww_actions_reopen(j->actions, a);
	}
}

/* A call, or a deed, that may be for one that had none. */
static void reopen_unserved(struct ww_judge *j, struct ww_held_exchange *x, const struct ww_deed *d)
{
	for (unsigned i = 0; i < WW_UNSERVED_MAX; i++) {
		struct ww_join_ask ask;
		struct ww_action *a;

		if (x && !ww_unserved_of(&j->unserved, i, x->root))
			continue;
		a = ww_unserved_at(&j->unserved, j->actions, i);
		if (!a || a->contract < 0)
			continue;
		ask = ask_for(j, a);
		if (x ? ww_join_may_be_late(&ask, x)
		      : ww_local_case_may_be_late(ww_action_contract(a, j->deps.contracts), a, d)) {
			ww_unserved_drop(&j->unserved, i);
			ww_actions_reopen(j->actions, a);
		}
	}
}

static void reopen_all_for(struct ww_judge *j, struct ww_held_exchange *x)
{
	reopen_for(j, x);
	reopen_unserved(j, x, NULL);
	for (unsigned i = 0; i < x->match_count; i++) {
		if (x->matches[i].read == WW_READ_SHOWN)
			reopen_for_read(j, &x->matches[i]);
	}
}

static int add_model_call(struct ww_judge *j, const struct ww_exchange *x,
			  const struct ww_model_call *call)
{
	int r = 0;

	for (unsigned i = 0; i < call->tool_result_count && r == 0; i++)
		r = ww_actions_add_result(j->actions, x, call, i);
	for (unsigned i = 0; i < call->tool_result_count && call->text_bytes; i++)
		ww_actions_add_text(j->actions, x, call->tool_results[i].tool_call_id, &call->text,
				    call->text_bytes);
	for (unsigned i = 0; i < call->tool_call_count && r == 0; i++) {
		/* Cut off, it asks for nothing yet. */
		if (call->tool_calls[i].complete)
			r = ww_actions_add_call(j->actions, x, call, i);
	}
	return r < 0 ? r : ww_said_add(j->actions, x, call);
}

int ww_judge_exchange(struct ww_judge *j, const struct ww_exchange *x,
		      const struct ww_model_call *call, const struct ww_mcp_call *mcp)
{
	struct ww_held_exchange *held = NULL;
	int r = ww_held_add_exchange(j->held, x, call != NULL, mcp, &held);

	if (held)
		reopen_all_for(j, held);
	make_room(j);
	/* Without a known sender there is no tree the call could be of. */
	if (call && x->client && x->root.pid && r == 0)
		r = add_model_call(j, x, call);
	return r;
}

int ww_judge_span(struct ww_judge *j, struct ww_span *span)
{
	WW_AUTO(ww_span_done) struct ww_span s = *span;
	struct ww_action *own = NULL;
	struct ww_held_span *held;
	int r;

	memset(span, 0, sizeof(*span));
	if (s.root.pid && ww_held_span_get(j->held, s.root, s.trace_id, s.span_id)) {
		j->counts.spans_repeated++; /* exporters repeat what they got no answer for */
		return 0;
	}
	held = ww_held_add_span(j->held, &s);
	r = ww_actions_add_span(j->actions, &s, &own);
	if (held && own)
		held->action = own->number;
	make_room(j);
	return r;
}

void ww_judge_flow(struct ww_judge *j, const struct ww_flow *f)
{
	ww_held_update_flow(j->held, f, f->t_close.ns ? f->t_close : j->now);
}

static void take_deed(void *ctx, struct ww_deed *d)
{
	struct ww_judge *j = ctx;
	struct ww_action *a = ww_actions_get(j->actions, d->owner);
	struct ww_jsonw w;

	if (d->path_bytes) {
		ww_buf_clear(&j->action);
		ww_jsonw_init(&w, &j->action);
		ww_deed_write(j->deeds, d, j->deps.clock, &w);
		emit(j, d->run ? WW_RECORD_RUN : WW_RECORD_CHANGE, &w);
	}
	if (a && d->ended.ns) /* judged before it ended */
		ww_actions_reopen(j->actions, a);
	reopen_unserved(j, NULL, d);
}

int ww_judge_event(struct ww_judge *j, const struct ww_event *ev)
{
	return ww_deeds_feed(j->deeds, ev, take_deed, j);
}

/* --- time --- */

static bool is_due(const struct ww_judge *j, const struct ww_action_wait *w)
{
	bool known = w->due_ns && ww_actors_endings(j->deps.actors) == j->endings;

	return j->finished || (known ? w->due_ns : ww_when_look(&j->when, w->action)) <= j->now.ns;
}

static const struct ww_action_wait *place_of(const struct ww_judge *j, const struct ww_action *a)
{
	uint32_t waiting;

	return &ww_actions_waiting(j->actions, &waiting)[a->wait];
}

/* Announcements may wait for days, thousands of them: most ticks are nobody's. */
static bool any_due(const struct ww_judge *j)
{
	uint32_t waiting;
	const struct ww_action_wait *w = ww_actions_waiting(j->actions, &waiting);

	for (uint32_t i = 0; i < waiting; i++) {
		if (is_due(j, &w[i]))
			return true;
	}
	return false;
}

/* What is claimed in prose goes to the action that it can only mean, once it is time. */
static void give_prose(struct ww_judge *j)
{
	struct ww_action *next;

	if (!ww_actions_any_prose(j->actions))
		return;
	for (struct ww_action *a = ww_actions_open(j->actions); a; a = next) {
		next = a->next;
		if (a->prose.only && (j->finished || ww_when_due(&j->when, a) <= j->now.ns))
			(void)ww_said_give(j->actions, a, j->cfg.skew_ns, &a->partners);
	}
}

/* Puts claims without a call id to the actions they can only mean, where it is time for either. */
static void settle_claims(struct ww_judge *j)
{
	struct ww_action *next;

	give_prose(j);
	if (!ww_actions_any_loose(j->actions) || !any_due(j))
		return;
	for (struct ww_action *a = ww_actions_open(j->actions); a; a = next) {
		next = a->next;
		if (!is_due(j, place_of(j, a)))
			continue;
		if (ww_actions_give_claim(j->actions, a, &a->partners))
			continue;
		ww_actions_take_claims(j->actions, a);
		next = a->next;
	}
}

static int by_due(const void *x, const void *y)
{
	const struct due *a = x, *b = y;

	if (a->ns != b->ns)
		return a->ns < b->ns ? -1 : 1;
	return a->action->number < b->action->number ? -1 : 1;
}

/* Those that are due now, by due time, then by number: as many as there is room for. */
static size_t gather(struct ww_judge *j)
{
	uint64_t endings = ww_actors_endings(j->deps.actors);
	uint32_t waiting, i;
	struct ww_action_wait *w = ww_actions_waiting(j->actions, &waiting);
	size_t n = 0, want = ww_actions_count(j->actions);

	if (want > j->due_cap) {
		struct due *more = realloc(j->due, want * sizeof(*more));

		if (more) {
			j->due = more;
			j->due_cap = want;
		}
	}
	for (i = 0; i < waiting && n < j->due_cap; i++) {
		if (w[i].due_ns == 0 || endings != j->endings) {
			w[i].due_ns = ww_when_look(&j->when, w[i].action);
			if (is_news(j, w[i].action, w[i].due_ns))
				announce(j, w[i].action, w[i].due_ns,
					 ww_when_wait(&j->when, w[i].action));
		}
		if (j->finished || w[i].due_ns <= j->now.ns)
			j->due[n++] = (struct due){w[i].due_ns, w[i].action};
	}
	if (i == waiting)
		j->endings = endings;
	if (n > 1)
		qsort(j->due, n, sizeof(*j->due), by_due);
	return n;
}

static void expire(struct ww_judge *j)
{
	struct ww_boot old = {j->now.ns > j->hold_ns ? j->now.ns - j->hold_ns : 0};
	struct ww_action *a;

	if (j->now.ns < j->expired.ns + EXPIRE_EVERY_NS)
		return;
	j->expired = j->now;
	ww_held_expire(j->held, old);
	ww_deeds_expire(j->deeds, old);
	while ((a = ww_actions_judged_first(j->actions)) && a->judged_at.ns < old.ns)
		ww_actions_drop(j->actions, a);
}

static void judge_due(struct ww_judge *j)
{
	size_t n, left;

	settle_claims(j);
	j->round++;
	do {
		n = gather(j);
		left = 0;
		for (size_t i = 0; i < n; i++) {
			judge_one(j, j->due[i].action, j->due[i].ns);
			left += !j->due[i].action->judged;
		}
	} while (n == j->due_cap && left < n); /* memory was short: the next ones */
}

void ww_judge_tick(struct ww_judge *j, struct ww_boot now)
{
	j->now = now;
	j->fresh = false;
	judge_due(j);
	expire(j);
}

void ww_judge_finish(struct ww_judge *j, struct ww_boot now)
{
	j->now = now;
	j->fresh = false;
	j->finished = true;
	judge_due(j);
}
