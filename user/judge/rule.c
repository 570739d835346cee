/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/ruling.h"

static const enum ww_reason reasons[WW_WORLD_ITEM_MAX] = {
#define REASON_(n, t, r, d) [WW_WORLD_##n] = WW_REASON_##r,
	WW_WORLD_ITEMS(REASON_)};

enum ww_reason ww_rule_unseen(const struct ww_grounds *g, uint32_t mask)
{
	for (unsigned i = 0; i < WW_WORLD_ITEM_MAX; i++) {
		if (g->failed & mask & (1u << i))
			return reasons[i];
	}
	return WW_REASON_NONE;
}

enum ww_reason ww_rule_unread(const struct ww_grounds *g)
{
	return g->undecoded_opaque ? WW_REASON_TLS_OPAQUE : WW_REASON_PLAINTEXT_INCOMPLETE;
}

void ww_rule_unverifiable(struct ww_ruling *r, enum ww_reason reason)
{
	r->verdict = WW_VERDICT_UNVERIFIABLE;
	r->reason = reason;
}

void ww_rule_ambiguous(struct ww_ruling *r, uint32_t n)
{
	ww_rule_unverifiable(r, WW_REASON_AMBIGUOUS_JOIN);
	r->join = WW_JOIN_AMBIGUOUS;
	r->n = n;
}

bool ww_rule_says_done(const struct ww_grounds *g)
{
	return g->claim_done || (g->spanned && !g->span_error);
}

/* The kernel sent what the request takes. Plaintext alone may have been made up, or be another's.
 */
bool ww_rule_carried(const struct ww_grounds_call *c)
{
	return c->flow.sent >= (c->flow.tls ? c->flow.setup : 0) + c->req_end;
}

/* The counters of a live flow run behind its plaintext, but not by as much as the wait. */
bool ww_rule_accounted(const struct ww_grounds_call *c)
{
	const struct ww_grounds_flow *f = &c->flow;

	return !f->known || (ww_rule_carried(c) &&
			     (!f->closed || (f->unexplained_out <= WW_WORLD_REMAINDER_BYTES &&
					     f->unexplained_in <= WW_WORLD_REMAINDER_BYTES)));
}

bool ww_rule_maybe_answered(const struct ww_grounds_flow *f)
{
	return !f->known || f->unchecked || f->unread > WW_WORLD_REMAINDER_BYTES;
}

enum ww_reason ww_rule_doubt(const struct ww_ruling *effect)
{
	if (effect->verdict != WW_VERDICT_UNVERIFIABLE ||
	    effect->reason == WW_REASON_OUTCOME_UNKNOWN || effect->reason == WW_REASON_BODY_UNKNOWN)
		return WW_REASON_NONE;
	return effect->reason;
}

const char *ww_rule_tier(const struct ww_ruling *r)
{
	bool done = r->verdict == WW_VERDICT_CONFIRMED_T1 ||
		    (r->verdict == WW_VERDICT_RESULT_ALTERED && r->tally.success);

	if (r->verdict == WW_VERDICT_CONFIRMED_T3)
		return "T3";
	return r->verdict == WW_VERDICT_CONFIRMED_T2 ? "T2" : done ? "T1" : "T0";
}

static bool plainly(struct ww_ruling *r, enum ww_verdict verdict, enum ww_reason reason)
{
	*r = (struct ww_ruling){.engine = "effect", .verdict = verdict, .reason = reason};
	return true;
}

bool ww_rule_plainly(const struct ww_grounds *g, struct ww_ruling *ret_ruling)
{
	struct ww_ruling *r = ret_ruling;

	if (g->given_up)
		return plainly(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_EVENT_LOSS);
	if (!g->resolved)
		return plainly(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_ACTOR_UNRESOLVED);
	if (g->remote && !g->spanned)
		return plainly(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_REMOTE_EXECUTOR);
	if (!g->declared)
		return plainly(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_NO_CONTRACT);
	if (g->effect == WW_EFFECT_REMOTE)
		return plainly(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_REMOTE_EXECUTOR);
	if (g->effect != WW_EFFECT_NETWORK && g->effect != WW_EFFECT_READ && !g->looks)
		return plainly(r, WW_VERDICT_NOT_APPLICABLE, WW_REASON_NONE);
	if (g->clock_bad)
		return plainly(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_CLOCK_UNBOUNDED);
	return false;
}

/* The deadline is not reached, and what was seen until now is not the last word. */
static void rule_pending(const struct ww_grounds *g, struct ww_ruling *r)
{
	if (r->verdict == WW_VERDICT_PENDING || g->finished || g->until_ns <= g->now_ns ||
	    r->verdict == WW_VERDICT_CONFIRMED_T1 || r->verdict == WW_VERDICT_CONFIRMED_T2)
		return;
	r->verdict = WW_VERDICT_PENDING;
	r->reason = WW_REASON_NONE;
	r->until_ns = g->until_ns;
	r->world_asked = false;
	r->n = 0;
}

void ww_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling)
{
	if (g->control.there) {
		ww_control_rule(g, ret_ruling);
		return;
	}
	if (ww_rule_plainly(g, ret_ruling))
		return;
	if (g->prose) {
		ww_prose_rule(g, ret_ruling);
		return;
	}
	if (g->looks)
		ww_local_rule(g, ret_ruling);
	else if (!ww_effect_rule(g, ret_ruling))
		ww_commit_rule(g, ret_ruling);
	rule_pending(g, ret_ruling);
}
