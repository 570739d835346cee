/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prose: a text says that something was done, or will be, and no tool call, span or structured
 * claim of its turn could be what it means. Rules match words, not sense: the strongest that can be
 * said is a suspicion, and only when nothing that the text may mean left the process tree.
 *
 * Rules, in order:
 *  1. It may mean something else: one of several actions, a call of an earlier turn, one that was
 *     not seen, or one that another action owns.
 *  2. A call was there: prose confirms nothing, and what the call did nobody claimed but prose.
 *  3. Bytes that nothing decodes are not nothing; what is still open is not yet nothing.
 *  4. Absence needs the whole closed-world test. Then: SUSPECT_NO_ACTION.
 */
#include "judge/ruling.h"

/* Rule 3. */
static void rule_undecoded(const struct ww_grounds *g, struct ww_ruling *r)
{
	r->flow = true;
	r->evidence = g->undecoded_evidence;
	ww_rule_unverifiable(r, ww_rule_unread(g));
}

void ww_prose_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling)
{
	struct ww_ruling r = {.engine = "prose", .world_asked = true};
	enum ww_reason blocked = ww_rule_unseen(g, UINT32_MAX);

	if (g->partners > 0)
		ww_rule_ambiguous(&r, g->partners);
	else if (g->prose_blind)
		ww_rule_unverifiable(&r, WW_REASON_REMOTE_EXECUTOR);
	else if (g->total > 0 || g->elsewhere)
		ww_rule_unverifiable(&r, WW_REASON_PROSE_ONLY);
	else if (g->prose_earlier || g->prose_taken)
		ww_rule_ambiguous(&r, 0);
	else if (g->undecoded)
		rule_undecoded(g, &r);
	else if (g->still_open)
		ww_rule_unverifiable(&r, WW_REASON_OUTCOME_UNKNOWN);
	else if (blocked != WW_REASON_NONE)
		ww_rule_unverifiable(&r, blocked);
	else
		r.verdict = WW_VERDICT_SUSPECT_NO_ACTION;
	*ret_ruling = r;
}
