/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit: the acknowledgment-action gap. Nothing was joined: was there nothing, or did we not see
 * it?
 *
 * Rules, in order:
 *  1. Bytes that reached a declared destination and that nothing decodes are not nothing. Where
 * events were lost they may be another action's.
 *  2. What is still open, or only announced, is not yet nothing: PENDING until the announced
 *     deadline, DEFERRED where the watching ends before it.
 *  3. A call that can only be the action's and was made after it had to be is ACTED_LATE. Without
 * an id it needs that no event was lost: one could have told of another action that means it.
 *  4. Absence needs the whole closed-world test; the first item that fails is the reason.
 *  5. Only a structured claim or a tool span that does not end in error was a statement to refute:
 *     NO_ACTION. A span that ends in error agrees: ATTEMPTED_FAILED. A model's tool call that
 * nobody carried out: CALL_EMITTED_NOT_EXECUTED, or RESULT_INVENTED when the model was shown a
 * result with members of the declared answer that cannot be from elsewhere.
 */
#include "judge/ruling.h"

static void unverifiable(struct ww_ruling *r, enum ww_reason reason)
{
	r->verdict = WW_VERDICT_UNVERIFIABLE;
	r->reason = reason;
}

/* Rule 1. */
static void rule_undecoded(const struct ww_case *k, struct ww_ruling *r)
{
	const struct ww_world_undecoded *u = &k->world.undecoded;
	bool spanned = k->action->span_count > 0;

	r->engine = spanned ? "effect" : "commit";
	r->evidence = u->evidence;
	r->flow = u->flow;
	r->join = u->count == 1 && k->rivals == 0 ? WW_JOIN_UNIQUE : WW_JOIN_AMBIGUOUS;
	r->by = WW_JOIN_BY_WINDOW;
	if (r->join == WW_JOIN_AMBIGUOUS)
		r->n = u->count > k->rivals + 1 ? u->count : k->rivals + 1;
	if (u->opaque && (spanned || !u->began_inside))
		unverifiable(r, WW_REASON_TLS_OPAQUE);
	else if (u->torn || !u->began_inside)
		unverifiable(r, WW_REASON_PLAINTEXT_INCOMPLETE);
	else if (r->join == WW_JOIN_AMBIGUOUS)
		unverifiable(r, WW_REASON_AMBIGUOUS_JOIN);
	else if (k->world.failed & WW_WORLD_BIT(LOSSES))
		unverifiable(r, WW_REASON_EVENT_LOSS);
	else
		r->verdict = WW_VERDICT_ACTED_UNDECODED;
}

static bool only_announced(const struct ww_action *a)
{
	for (unsigned i = 0; i < a->claim_count; i++) {
		if (a->claims[i].done)
			return false;
	}
	return ww_action_claim_only(a);
}

/* Rule 2. */
static bool rule_awaited(const struct ww_case *k, struct ww_ruling *r)
{
	struct ww_boot until = ww_action_announced_until(k->action);

	if (until.ns > k->now.ns) {
		r->verdict = k->finished ? WW_VERDICT_DEFERRED : WW_VERDICT_PENDING;
		r->until = until;
		r->world_asked = false;
		return true;
	}
	if (!k->still_open && (until.ns || !only_announced(k->action)))
		return false;
	unverifiable(r, WW_REASON_OUTCOME_UNKNOWN);
	return true;
}

/* Rule 3. */
static bool rule_late(const struct ww_case *k, struct ww_ruling *r)
{
	const struct ww_attempt *late = &k->joined.overdue;

	if (!late->match)
		return false;
	if (k->joined.overdue_contested) {
		unverifiable(r, WW_REASON_AMBIGUOUS_JOIN);
		return true;
	}
	if (late->grade != WW_JOIN_EXACT && k->world.failed & WW_WORLD_BIT(LOSSES)) {
		unverifiable(r, WW_REASON_EVENT_LOSS);
		return true;
	}
	r->verdict = WW_VERDICT_ACTED_LATE;
	r->deciding = late;
	r->join = late->grade;
	r->by = late->by;
	r->evidence = WW_EVIDENCE_E4;
	r->late_ns = late->match->x->t_first_req.ns - k->joined.overdue_after.ns;
	return true;
}

/* Rule 5. */
static void rule_nothing(const struct ww_case *k, struct ww_ruling *r)
{
	const struct ww_action *a = k->action;

	if (a->span_count && !ww_action_says_done(a))
		r->verdict = WW_VERDICT_ATTEMPTED_FAILED;
	else if (a->span_count || a->claim_count)
		r->verdict = WW_VERDICT_NO_ACTION;
	else if (a->model.shown && !a->model.shown_error && a->model.answer.present &&
		 !ww_shown_from_elsewhere(k))
		r->verdict = WW_VERDICT_RESULT_INVENTED;
	else
		r->verdict = WW_VERDICT_CALL_EMITTED_NOT_EXECUTED;
	if (r->verdict == WW_VERDICT_RESULT_INVENTED)
		r->answer = a->model.answer.present;
}

void ww_commit_rule(const struct ww_case *k, struct ww_ruling *ret_ruling)
{
	struct ww_ruling r = {.engine = "commit", .world_asked = true};
	enum ww_reason blocked = ww_closed_world_reason(&k->world, UINT32_MAX);

	if (k->partners > 1) {
		unverifiable(&r, WW_REASON_AMBIGUOUS_JOIN);
		r.join = WW_JOIN_AMBIGUOUS;
		r.n = k->partners;
	} else if (k->world.undecoded.count) {
		rule_undecoded(k, &r);
	} else if (rule_late(k, &r) || rule_awaited(k, &r)) {
		; /* ruled */
	} else if (blocked != WW_REASON_NONE) {
		unverifiable(&r, blocked);
	} else {
		rule_nothing(k, &r);
	}
	*ret_ruling = r;
}
