/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit: the acknowledgment-action gap. Nothing was joined: was there nothing, or did we not see
 * it?
 *
 * Rules, in order:
 *  1. Bytes that reached a declared destination and that nothing decodes are not nothing. Where
 *     events were lost they may be another action's.
 *  2. What is still open, or only announced, is not yet nothing: PENDING until the announced
 *     deadline, DEFERRED where the watching ends before it.
 *  3. A call that can only be the action's and was made after it had to be is ACTED_LATE. Without
 *     an id it needs that no event was lost: one could have told of another action that means it.
 *  4. Absence needs the whole closed-world test; the first item that fails is the reason.
 *  5. Only a structured claim or a tool span that does not end in error was a statement to refute:
 *     NO_ACTION. A span that ends in error agrees: ATTEMPTED_FAILED. A model's tool call that
 *     nobody carried out: CALL_EMITTED_NOT_EXECUTED, or RESULT_INVENTED when the model was shown a
 *     result with members of the declared answer that cannot be from elsewhere and does not look
 *     like an error.
 */
#include "judge/ruling.h"

/* Rule 1. */
static void rule_undecoded(const struct ww_grounds *g, struct ww_ruling *r)
{
	r->engine = g->spanned ? "effect" : "commit";
	r->evidence = g->undecoded_evidence;
	r->flow = true;
	r->join = g->undecoded == 1 && g->rivals == 0 ? WW_JOIN_UNIQUE : WW_JOIN_AMBIGUOUS;
	r->by = WW_JOIN_BY_WINDOW;
	if (r->join == WW_JOIN_AMBIGUOUS)
		r->n = g->undecoded > g->rivals + 1 ? g->undecoded : g->rivals + 1;
	if (g->undecoded_opaque && (g->spanned || !g->undecoded_inside))
		ww_rule_unverifiable(r, WW_REASON_TLS_OPAQUE);
	else if (g->undecoded_torn || !g->undecoded_inside)
		ww_rule_unverifiable(r, WW_REASON_PLAINTEXT_INCOMPLETE);
	else if (r->join == WW_JOIN_AMBIGUOUS)
		ww_rule_unverifiable(r, WW_REASON_AMBIGUOUS_JOIN);
	else if (g->failed & WW_WORLD_BIT(LOSSES))
		ww_rule_unverifiable(r, WW_REASON_EVENT_LOSS);
	else
		r->verdict = WW_VERDICT_ACTED_UNDECODED;
}

static bool only_announced(const struct ww_grounds *g)
{
	return !g->claim_done && !g->spanned && !g->asked;
}

/* Rule 2. */
static bool rule_awaited(const struct ww_grounds *g, struct ww_ruling *r)
{
	if (g->until_ns > g->now_ns) {
		r->verdict = g->finished ? WW_VERDICT_DEFERRED : WW_VERDICT_PENDING;
		r->until_ns = g->until_ns;
		r->world_asked = false;
		return true;
	}
	if (!g->still_open && (g->until_ns || !only_announced(g)))
		return false;
	ww_rule_unverifiable(r, WW_REASON_OUTCOME_UNKNOWN);
	return true;
}

/* Rule 3. */
static bool rule_late(const struct ww_grounds *g, struct ww_ruling *r)
{
	const struct ww_grounds_attempt *late = &g->late;

	if (!g->late_there)
		return false;
	if (g->late_contested) {
		ww_rule_unverifiable(r, WW_REASON_AMBIGUOUS_JOIN);
		return true;
	}
	if (late->grade != WW_JOIN_EXACT && g->failed & WW_WORLD_BIT(LOSSES)) {
		ww_rule_unverifiable(r, WW_REASON_EVENT_LOSS);
		return true;
	}
	r->verdict = WW_VERDICT_ACTED_LATE;
	r->deciding = late;
	r->join = late->grade;
	r->by = late->by;
	r->evidence = WW_EVIDENCE_E4;
	r->late_ns = late->call.begun_ns - g->late_after_ns;
	return true;
}

/* Rule 5. */
static void rule_nothing(const struct ww_grounds *g, struct ww_ruling *r)
{
	if (g->spanned && !ww_rule_says_done(g))
		r->verdict = WW_VERDICT_ATTEMPTED_FAILED;
	else if (g->spanned || g->claims)
		r->verdict = WW_VERDICT_NO_ACTION;
	else if (g->shown && !g->shown_error && g->shown_answer.present &&
		 !g->shown_answer.failure && !g->shown_elsewhere)
		r->verdict = WW_VERDICT_RESULT_INVENTED;
	else
		r->verdict = WW_VERDICT_CALL_EMITTED_NOT_EXECUTED;
	if (r->verdict == WW_VERDICT_RESULT_INVENTED)
		r->answer = g->shown_answer.present;
}

void ww_commit_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling)
{
	struct ww_ruling r = {.engine = "commit", .world_asked = true};
	enum ww_reason blocked = ww_rule_unseen(g, UINT32_MAX);

	if (g->partners > 1) {
		ww_rule_ambiguous(&r, g->partners);
	} else if (g->undecoded) {
		rule_undecoded(g, &r);
	} else if (rule_late(g, &r) || rule_awaited(g, &r)) {
		; /* ruled */
	} else if (blocked != WW_REASON_NONE) {
		ww_rule_unverifiable(&r, blocked);
	} else {
		rule_nothing(g, &r);
	}
	*ret_ruling = r;
}
