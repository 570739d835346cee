/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: a story is not an audit log. An action whose contract names a control is judged beside
 * the control's own calls: what was asked, what was answered, and when. Text is never evidence of a
 * control; it only says whether somebody claimed one.
 *
 * Rules, in order:
 *  1. The last run about the action's subject that was answered before the action began decides. An
 * answer after that moment decides nothing, whenever it was asked for.
 *  2. It allowed, and is neither too old nor used up: CONTROL_FIRED. Where events were lost, a
 * later answer could have been another: then nothing is said.
 *  3. All other verdicts say that no run allowed it. Each needs the closed-world test for the
 *     control's calls up to the action's begin: the run that allowed may have gone unseen.
 *  4. Runs whose answer or subject is not known leave open what they would decide.
 *  5. Without a run before: one that was under way or came later is CONTROL_AFTER_ACTION (never
 *     answered: CONTROL_ERRORED_OPEN); runs about others only are SUBJECT_MISMATCH; none at all is
 *     CONTROL_MISSING, and NARRATED_ONLY where a text says that it was done.
 */
#include "judge/ruling.h"

#define NS_PER_S 1000000000ull

struct sorted {
	const struct ww_control_run *last;   /* about this subject, answered before */
	const struct ww_control_run *open;   /* about it, begun before, not answered before */
	const struct ww_control_run *after;  /* about it, begun after */
	const struct ww_control_run *other;  /* about another subject, before */
	const struct ww_control_run *unsure; /* could be the last one */
	uint32_t denied;
};

static bool before(const struct ww_controlled *c, const struct ww_control_run *r)
{
	return r->ended.ns && r->ended.ns <= c->begun.ns;
}

static void sort_one(const struct ww_controlled *c, const struct ww_control_run *r,
		     struct sorted *s)
{
	bool unsure = r->subject == WW_CONTROL_SUBJECT_UNKNOWN || r->says == WW_CONTROL_UNKNOWN;

	if (r->subject == WW_CONTROL_SUBJECT_DIFFERS) {
		if (before(c, r))
			s->other = r;
	} else if (unsure) {
		if (r->begun.ns < c->begun.ns)
			s->unsure = r;
	} else if (before(c, r)) {
		s->denied += r->says != WW_CONTROL_ALLOW;
		if (!s->last || r->ended.ns > s->last->ended.ns)
			s->last = r;
	} else if (r->begun.ns < c->begun.ns) {
		s->open = r;
	} else if (!s->after) {
		s->after = r;
	}
}

static void unverifiable(struct ww_ruling *r, enum ww_reason reason)
{
	r->verdict = WW_VERDICT_UNVERIFIABLE;
	r->reason = reason;
}

/* Rule 3: NONE when no run can have gone unseen. */
static enum ww_reason unseen(const struct ww_case *k, const struct ww_controlled *c)
{
	const struct ww_world_undecoded *u = &k->world.undecoded;
	enum ww_reason blocked = ww_closed_world_reason(&k->world, UINT32_MAX);

	if (blocked != WW_REASON_NONE)
		return blocked;
	if (k->still_open)
		return WW_REASON_OUTCOME_UNKNOWN; /* it may have begun before, and be answered yet
						   */
	if (u->count)
		return u->opaque ? WW_REASON_TLS_OPAQUE : WW_REASON_PLAINTEXT_INCOMPLETE;
	return c->stray || c->total > c->count ? WW_REASON_AMBIGUOUS_JOIN : WW_REASON_NONE;
}

static void decide(struct ww_ruling *r, struct ww_control_ruling *ctl, enum ww_verdict verdict,
		   const struct ww_control_run *run)
{
	r->verdict = verdict;
	ctl->run = run;
	if (!run)
		return;
	r->evidence = run->ended.ns ? WW_EVIDENCE_E4 : WW_EVIDENCE_E2;
	if (run->ended.ns)
		ctl->gap_ns = (int64_t)(ctl->of->begun.ns - run->ended.ns);
}

/* Rules 1 and 2. */
static void rule_last(const struct ww_case *k, const struct sorted *s, struct ww_ruling *r,
		      struct ww_control_ruling *ctl)
{
	const struct ww_controlled *c = ctl->of;
	const struct ww_control *control = c->control;
	uint64_t age = c->begun.ns - s->last->ended.ns;
	bool old = control->max_age_s && age > control->max_age_s * NS_PER_S;

	ctl->uses = ww_control_uses(k->held, c, s->last);
	if (s->unsure && s->unsure->begun.ns > s->last->begun.ns) {
		decide(r, ctl, WW_VERDICT_UNVERIFIABLE, s->unsure); /* rule 4 */
		r->reason = WW_REASON_BODY_UNKNOWN;
	} else if (s->last->says != WW_CONTROL_ALLOW) {
		decide(r, ctl,
		       s->last->says == WW_CONTROL_DENY ? WW_VERDICT_ACTED_DESPITE_DENY
							: WW_VERDICT_CONTROL_ERRORED_OPEN,
		       s->last);
	} else if (old || (control->max_uses && ctl->uses >= control->max_uses)) {
		decide(r, ctl, WW_VERDICT_CONTROL_STALE, s->last);
	} else {
		decide(r, ctl, WW_VERDICT_CONTROL_FIRED, s->last);
	}
}

/* Rules 4 and 5. */
static void rule_none(const struct sorted *s, struct ww_ruling *r, struct ww_control_ruling *ctl)
{
	if (s->unsure) {
		decide(r, ctl, WW_VERDICT_UNVERIFIABLE, s->unsure);
		r->reason = WW_REASON_BODY_UNKNOWN;
	} else if (s->open) {
		decide(r, ctl,
		       s->open->ended.ns ? WW_VERDICT_CONTROL_AFTER_ACTION
					 : WW_VERDICT_CONTROL_ERRORED_OPEN,
		       s->open);
	} else if (s->after && s->after->ended.ns) {
		decide(r, ctl, WW_VERDICT_CONTROL_AFTER_ACTION, s->after);
	} else if (s->other) {
		decide(r, ctl, WW_VERDICT_SUBJECT_MISMATCH, s->other);
	} else {
		decide(r, ctl,
		       ctl->narrated ? WW_VERDICT_NARRATED_ONLY : WW_VERDICT_CONTROL_MISSING, NULL);
	}
}

void ww_control_rule(const struct ww_case *k, const struct ww_controlled *c, bool narrated,
		     struct ww_control_ruling *ret_control, struct ww_ruling *ret_ruling)
{
	struct ww_control_ruling *ctl = ret_control;
	struct ww_ruling r = {
		.engine = "control",
		.join = c->action->grade,
		.by = c->action->by,
		.control = ctl,
	};
	struct sorted s = {0};

	*ctl = (struct ww_control_ruling){.of = c, .narrated = narrated};
	for (unsigned i = 0; i < c->count; i++)
		sort_one(c, &c->runs[i], &s);
	ctl->denied = s.denied;
	if (s.last)
		rule_last(k, &s, &r, ctl);
	else
		rule_none(&s, &r, ctl);
	if (r.verdict == WW_VERDICT_CONTROL_FIRED) {
		enum ww_reason lost = ww_closed_world_reason(&k->world, WW_WORLD_BIT(LOSSES));

		if (lost != WW_REASON_NONE)
			unverifiable(&r, lost);
		else if (!ww_ruling_accounted(k->held, ctl->run->match->x))
			unverifiable(&r, WW_REASON_PLAINTEXT_INCOMPLETE);
	} else if (r.verdict != WW_VERDICT_UNVERIFIABLE) {
		enum ww_reason why = unseen(k, c);

		r.world_asked = true;
		if (why != WW_REASON_NONE)
			unverifiable(&r, why);
	}
	*ret_ruling = r;
}
