/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: a story is not an audit log. An action whose contract names a control is judged beside
 * the control's own calls: what was asked, what was answered, and when. Text is never evidence of a
 * control; it only says whether somebody claimed one.
 *
 * Rules, in order:
 *  1. The last run about the action's subject that was answered before the action began decides. An
 *     answer after that moment decides nothing, whenever it was asked for. What was not fully seen
 *     may have been the last one. So may one that had begun to come by then, where it says
 *     otherwise: its decision may have been read. So may a stray, which names no trace where it
 *     must be the action's: it takes a leave away, and gives none.
 *  2. It allowed, is not too old, and of all that allowed one is not used up: CONTROL_FIRED. Where
 *     events were lost, a later answer could have been another: then nothing is said.
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
	const struct ww_grounds_run *last;        /* about this subject, answered before */
	const struct ww_grounds_run *open;        /* about it, begun before, not answered before */
	const struct ww_grounds_run *after;       /* about it, begun after */
	const struct ww_grounds_run *other;       /* about another subject, before */
	const struct ww_grounds_run *unsure;      /* could be the last one, answered before */
	const struct ww_grounds_run *unsure_open; /* begun before, answered after */
	const struct ww_grounds_run *stray;       /* the last one that may not have allowed */
	const struct ww_grounds_run *partly[2];   /* answered in part before; of them one that does
						     not allow, and one that does */
	uint64_t refused_ns;                      /* the last answer of them that did not allow */
	uint32_t denied;
};

static bool before(const struct ww_grounds_control *c, const struct ww_grounds_run *r)
{
	return r->ended_ns && r->ended_ns <= c->begun_ns;
}

/* Its first byte came before the action began, its last byte after that. */
static bool is_partly(const struct ww_grounds_control *c, const struct ww_grounds_run *r)
{
	return r->answered_ns && r->answered_ns <= c->begun_ns && r->ended_ns > c->begun_ns;
}

/* When its answer was there, at the latest: one that was not seen may have come until the end of
 * its connection. */
static uint64_t answered(const struct ww_grounds_run *r)
{
	const struct ww_grounds_flow *f = &r->call.flow;

	if (r->ended_ns)
		return r->ended_ns;
	return f->known && f->closed ? f->closed_ns : UINT64_MAX;
}

/* The last one may be what decides. */
static void sort_unsure(const struct ww_grounds_control *c, const struct ww_grounds_run *r,
			struct sorted *s)
{
	if (r->begun_ns >= c->begun_ns)
		return;
	if (r->ended_ns > c->begun_ns && !is_partly(c, r))
		s->unsure_open = r;
	else if (!s->unsure || answered(r) >= answered(s->unsure))
		s->unsure = r;
}

static bool is_unsure(const struct ww_grounds_run *r)
{
	return r->subject == WW_CONTROL_SUBJECT_UNKNOWN || r->says == WW_CONTROL_UNKNOWN ||
	       (r->no_reply && ww_rule_maybe_answered(&r->call.flow));
}

static void sort_stray(const struct ww_grounds_control *c, const struct ww_grounds_run *r,
		       struct sorted *s)
{
	bool in_time = before(c, r) || is_partly(c, r);
	bool maybe = is_unsure(r) ? r->begun_ns < c->begun_ns && (!r->ended_ns || in_time)
				  : in_time && r->says != WW_CONTROL_ALLOW;

	if (maybe && r->subject != WW_CONTROL_SUBJECT_DIFFERS &&
	    (!s->stray || answered(r) >= answered(s->stray)))
		s->stray = r;
}

static void sort_one(const struct ww_grounds_control *c, const struct ww_grounds_run *r,
		     struct sorted *s)
{
	bool unsure = is_unsure(r);

	if (r->stray) {
		sort_stray(c, r, s);
		return;
	}
	if (r->subject == WW_CONTROL_SUBJECT_DIFFERS) {
		if (before(c, r))
			s->other = r;
	} else if (unsure) {
		sort_unsure(c, r, s);
	} else if (before(c, r)) {
		s->denied += r->says != WW_CONTROL_ALLOW;
		if (r->says != WW_CONTROL_ALLOW && r->ended_ns > s->refused_ns)
			s->refused_ns = r->ended_ns;
		if (!s->last || r->ended_ns > s->last->ended_ns)
			s->last = r;
	} else if (is_partly(c, r)) {
		s->partly[r->says == WW_CONTROL_ALLOW] = r;
	} else if (r->begun_ns < c->begun_ns) {
		s->open = r;
	} else if (!s->after) {
		s->after = r;
	}
}

/* Rule 3: NONE when no run can have gone unseen. */
static enum ww_reason unseen(const struct ww_grounds *g)
{
	const struct ww_grounds_control *c = &g->control;
	enum ww_reason blocked = ww_rule_unseen(g, UINT32_MAX);

	if (blocked != WW_REASON_NONE)
		return blocked;
	if (g->still_open)
		return WW_REASON_OUTCOME_UNKNOWN; /* it may have begun before, and be answered yet
						   */
	if (g->undecoded)
		return ww_rule_unread(g);
	return c->stray || c->total > c->count ? WW_REASON_AMBIGUOUS_JOIN : WW_REASON_NONE;
}

static void decide(const struct ww_grounds_control *c, struct ww_ruling *r, enum ww_verdict verdict,
		   const struct ww_grounds_run *run)
{
	r->verdict = verdict;
	r->run = run;
	if (!run)
		return;
	r->evidence = run->ended_ns ? WW_EVIDENCE_E4 : WW_EVIDENCE_E2;
	if (run->ended_ns)
		r->gap_ns = (int64_t)(c->begun_ns - run->ended_ns);
}

/* Rule 4. */
static void decide_unsure(const struct ww_grounds_control *c, struct ww_ruling *r,
			  const struct ww_grounds_run *run)
{
	decide(c, r, WW_VERDICT_UNVERIFIABLE, run);
	r->reason = run->says == WW_CONTROL_ERROR ? WW_REASON_PLAINTEXT_INCOMPLETE
						  : WW_REASON_BODY_UNKNOWN;
}

static void decide_partly(const struct ww_grounds_control *c, struct ww_ruling *r,
			  const struct ww_grounds_run *run)
{
	decide(c, r, WW_VERDICT_UNVERIFIABLE, run);
	r->reason = WW_REASON_OUTCOME_UNKNOWN;
}

static bool is_old(const struct ww_grounds_control *c, const struct ww_grounds_run *r)
{
	return c->max_age_s && c->begun_ns - r->ended_ns > c->max_age_s * NS_PER_S;
}

/* Whether r allowed the action, and nothing was answered since that does not. */
static bool allows(const struct ww_grounds_control *c, const struct ww_grounds_run *r,
		   uint64_t since_ns)
{
	return !r->stray && r->subject != WW_CONTROL_SUBJECT_DIFFERS &&
	       r->subject != WW_CONTROL_SUBJECT_UNKNOWN && r->says == WW_CONTROL_ALLOW &&
	       before(c, r) && !is_old(c, r) && r->ended_ns > since_ns;
}

/* Rule 2. Of several answers each goes for max_uses actions: those that began after r can have had
 * r and the later ones only. */
static bool has_left(const struct ww_grounds_control *c, const struct ww_grounds_run *r,
		     uint64_t since_ns, bool *ret_certain)
{
	uint64_t room = 0;

	for (unsigned i = 0; i < c->count; i++)
		room += allows(c, &c->runs[i], since_ns) && c->runs[i].ended_ns >= r->ended_ns
				? c->max_uses
				: 0;
	*ret_certain = (uint64_t)r->uses + r->uses_unknown < room;
	return r->uses < room;
}

/* By other actions. MAYBE: retries of one of them, or several. */
enum used { USED_UP, USED_MAYBE, USED_NOT };

static enum used used_up(const struct ww_grounds_control *c, const struct sorted *s)
{
	enum used used = c->max_uses ? USED_UP : USED_NOT;

	for (unsigned i = 0; i < c->count && used != USED_NOT; i++) {
		bool certain;

		if (!allows(c, &c->runs[i], s->refused_ns) ||
		    !has_left(c, &c->runs[i], s->refused_ns, &certain))
			continue;
		used = certain ? USED_NOT : USED_MAYBE;
	}
	return used;
}

/* Rules 1 and 2. */
static void rule_last(const struct ww_grounds_control *c, const struct sorted *s,
		      struct ww_ruling *r)
{
	enum used used = used_up(c, s);

	r->uses = s->last->uses + s->last->uses_unknown;
	if (s->unsure && answered(s->unsure) >= s->last->ended_ns) {
		decide_unsure(c, r, s->unsure);
	} else if (s->last->says != WW_CONTROL_ALLOW) {
		decide(c, r,
		       s->last->says == WW_CONTROL_DENY ? WW_VERDICT_ACTED_DESPITE_DENY
							: WW_VERDICT_CONTROL_ERRORED_OPEN,
		       s->last);
	} else if (is_old(c, s->last) || used == USED_UP) {
		decide(c, r, WW_VERDICT_CONTROL_STALE, s->last);
	} else if (s->stray && answered(s->stray) >= s->last->ended_ns) {
		decide(c, r, WW_VERDICT_UNVERIFIABLE, s->stray);
		r->reason = WW_REASON_AMBIGUOUS_JOIN;
	} else if (used == USED_MAYBE) {
		decide(c, r, WW_VERDICT_UNVERIFIABLE, s->last);
		r->reason = WW_REASON_AMBIGUOUS_JOIN;
	} else {
		decide(c, r, WW_VERDICT_CONTROL_FIRED, s->last);
	}
	if (r->verdict != WW_VERDICT_UNVERIFIABLE) {
		const struct ww_grounds_run *partly =
			s->partly[r->verdict != WW_VERDICT_CONTROL_FIRED];

		if (partly)
			decide_partly(c, r, partly);
	}
}

/* Rules 4 and 5. */
static void rule_none(const struct ww_grounds_control *c, const struct sorted *s,
		      struct ww_ruling *r)
{
	if (s->unsure || s->unsure_open) {
		decide_unsure(c, r, s->unsure ? s->unsure : s->unsure_open);
	} else if (s->partly[0] || s->partly[1]) {
		decide_partly(c, r, s->partly[s->partly[1] != NULL]);
	} else if (s->open) {
		decide(c, r,
		       s->open->ended_ns ? WW_VERDICT_CONTROL_AFTER_ACTION
					 : WW_VERDICT_CONTROL_ERRORED_OPEN,
		       s->open);
	} else if (s->after && s->after->ended_ns) {
		decide(c, r, WW_VERDICT_CONTROL_AFTER_ACTION, s->after);
	} else if (s->other) {
		decide(c, r, WW_VERDICT_SUBJECT_MISMATCH, s->other);
	} else {
		decide(c, r, c->narrated ? WW_VERDICT_NARRATED_ONLY : WW_VERDICT_CONTROL_MISSING,
		       NULL);
	}
}

static struct sorted sort(const struct ww_grounds_control *c)
{
	struct sorted s = {0};

	for (unsigned i = 0; i < c->count; i++)
		sort_one(c, &c->runs[i], &s);
	return s;
}

void ww_control_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling)
{
	const struct ww_grounds_control *c = &g->control;
	struct ww_ruling r = {.engine = "control", .join = c->grade, .by = c->by};
	struct sorted s = sort(c);

	r.denied = s.denied;
	if (s.last)
		rule_last(c, &s, &r);
	else
		rule_none(c, &s, &r);
	if (r.verdict == WW_VERDICT_CONTROL_FIRED) {
		enum ww_reason lost = ww_rule_unseen(g, WW_WORLD_BIT(LOSSES));

		if (lost != WW_REASON_NONE)
			ww_rule_unverifiable(&r, lost);
		else if (!ww_rule_accounted(&r.run->call))
			ww_rule_unverifiable(&r, WW_REASON_PLAINTEXT_INCOMPLETE);
	} else if (r.verdict != WW_VERDICT_UNVERIFIABLE) {
		enum ww_reason why = unseen(g);

		r.world_asked = true;
		if (why != WW_REASON_NONE)
			ww_rule_unverifiable(&r, why);
	}
	/* What is not known of the attempts is not known of what they needed. */
	if (c->doubt != WW_REASON_NONE)
		ww_rule_unverifiable(&r, c->doubt);
	*ret_ruling = r;
}
