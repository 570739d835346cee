/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: a story is not an audit log. An action whose contract names a control is judged beside
 * the control's own calls: what was asked, what was answered, and when. Text is never evidence of a
 * control; it only says whether somebody claimed one.
 *
 * Rules, in order:
 *  1. The last run about the action's subject that was answered before the action began decides. An
 * answer after that moment decides nothing, whenever it was asked for. What was not fully seen may
 * have been the last one.
 *  2. It allowed, is not too old, and of all that allowed one is not used up: CONTROL_FIRED. Where
 * events were lost, a later answer could have been another: then nothing is said.
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
	const struct ww_control_run *last;        /* about this subject, answered before */
	const struct ww_control_run *open;        /* about it, begun before, not answered before */
	const struct ww_control_run *after;       /* about it, begun after */
	const struct ww_control_run *other;       /* about another subject, before */
	const struct ww_control_run *unsure;      /* could be the last one, answered before */
	const struct ww_control_run *unsure_open; /* begun before, answered after */
	struct ww_boot refused;                   /* the last answer of them that did not allow */
	uint32_t denied;
};

static bool before(const struct ww_controlled *c, const struct ww_control_run *r)
{
	return r->ended.ns && r->ended.ns <= c->begun.ns;
}

/* When its answer was there, at the latest: one that was not seen may have come until the end of
 * its connection. */
static struct ww_boot answered(const struct ww_case *k, const struct ww_control_run *r)
{
	const struct ww_held_flow *f = ww_held_flow_get(k->held, r->match->x->cookie);

	if (r->ended.ns)
		return r->ended;
	return f && f->closed ? f->t_close : (struct ww_boot){UINT64_MAX};
}

/* The last one may be what decides. */
static void sort_unsure(const struct ww_case *k, const struct ww_controlled *c,
			const struct ww_control_run *r, struct sorted *s)
{
	if (r->begun.ns >= c->begun.ns)
		return;
	if (r->ended.ns > c->begun.ns)
		s->unsure_open = r;
	else if (!s->unsure || answered(k, r).ns >= answered(k, s->unsure).ns)
		s->unsure = r;
}

static void sort_one(const struct ww_case *k, const struct ww_controlled *c,
		     const struct ww_control_run *r, struct sorted *s)
{
	bool unsure = r->subject == WW_CONTROL_SUBJECT_UNKNOWN || r->says == WW_CONTROL_UNKNOWN ||
		      ww_ruling_maybe_answered(k->held, r->match);

	if (r->subject == WW_CONTROL_SUBJECT_DIFFERS) {
		if (before(c, r))
			s->other = r;
	} else if (unsure) {
		sort_unsure(k, c, r, s);
	} else if (before(c, r)) {
		s->denied += r->says != WW_CONTROL_ALLOW;
		if (r->says != WW_CONTROL_ALLOW && r->ended.ns > s->refused.ns)
			s->refused = r->ended;
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

/* Rule 4. */
static void decide_unsure(struct ww_ruling *r, struct ww_control_ruling *ctl,
			  const struct ww_control_run *run)
{
	decide(r, ctl, WW_VERDICT_UNVERIFIABLE, run);
	r->reason = run->says == WW_CONTROL_ERROR ? WW_REASON_PLAINTEXT_INCOMPLETE
						  : WW_REASON_BODY_UNKNOWN;
}

static bool is_old(const struct ww_controlled *c, const struct ww_control_run *r)
{
	return c->control->max_age_s &&
	       c->begun.ns - r->ended.ns > c->control->max_age_s * NS_PER_S;
}

/* Whether r allowed the action, and nothing was answered since that does not. */
static bool allows(const struct ww_controlled *c, const struct ww_control_run *r,
		   struct ww_boot since)
{
	return r->subject != WW_CONTROL_SUBJECT_DIFFERS &&
	       r->subject != WW_CONTROL_SUBJECT_UNKNOWN && r->says == WW_CONTROL_ALLOW &&
	       before(c, r) && !is_old(c, r) && r->ended.ns > since.ns;
}

/* Rule 2. Of several answers each goes for max_uses actions: those that began after r can have had
 * r and the later ones only. */
static bool has_left(const struct ww_case *k, const struct ww_controlled *c,
		     const struct ww_control_run *r, struct ww_boot since, bool *ret_certain)
{
	uint32_t room = 0, unknown, uses = ww_control_uses(k->held, c, r, &unknown);

	for (unsigned i = 0; i < c->count; i++)
		room += allows(c, &c->runs[i], since) && c->runs[i].ended.ns >= r->ended.ns
				? c->control->max_uses
				: 0;
	*ret_certain = uses + unknown < room;
	return uses < room;
}

/* By other actions. MAYBE: retries of one of them, or several. */
enum used { USED_UP, USED_MAYBE, USED_NOT };

static enum used used_up(const struct ww_case *k, const struct ww_controlled *c,
			 const struct sorted *s)
{
	enum used used = c->control->max_uses ? USED_UP : USED_NOT;

	for (unsigned i = 0; i < c->count && used != USED_NOT; i++) {
		bool certain;

		if (!allows(c, &c->runs[i], s->refused) ||
		    !has_left(k, c, &c->runs[i], s->refused, &certain))
			continue;
		used = certain ? USED_NOT : USED_MAYBE;
	}
	return used;
}

/* Rules 1 and 2. */
static void rule_last(const struct ww_case *k, const struct sorted *s, struct ww_ruling *r,
		      struct ww_control_ruling *ctl)
{
	const struct ww_controlled *c = ctl->of;
	enum used used = used_up(k, c, s);
	uint32_t unknown;

	ctl->uses = ww_control_uses(k->held, c, s->last, &unknown) + unknown;
	if (s->unsure && answered(k, s->unsure).ns >= s->last->ended.ns) {
		decide_unsure(r, ctl, s->unsure);
	} else if (s->last->says != WW_CONTROL_ALLOW) {
		decide(r, ctl,
		       s->last->says == WW_CONTROL_DENY ? WW_VERDICT_ACTED_DESPITE_DENY
							: WW_VERDICT_CONTROL_ERRORED_OPEN,
		       s->last);
	} else if (is_old(c, s->last) || used == USED_UP) {
		decide(r, ctl, WW_VERDICT_CONTROL_STALE, s->last);
	} else if (used == USED_MAYBE) {
		decide(r, ctl, WW_VERDICT_UNVERIFIABLE, s->last);
		r->reason = WW_REASON_AMBIGUOUS_JOIN;
	} else {
		decide(r, ctl, WW_VERDICT_CONTROL_FIRED, s->last);
	}
}

/* Rules 4 and 5. */
static void rule_none(const struct sorted *s, struct ww_ruling *r, struct ww_control_ruling *ctl)
{
	if (s->unsure || s->unsure_open) {
		decide_unsure(r, ctl, s->unsure ? s->unsure : s->unsure_open);
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
		sort_one(k, c, &c->runs[i], &s);
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
