/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_rule: effects on this host. The kernel says which program was executed and how it ended,
 * which file was changed and by whom; span status, tool result and prose are only compared with it.
 *
 * Rules, in order:
 *  1. What another action may mean as well is nobody's: UNVERIFIABLE(AMBIGUOUS_JOIN), unless
 *     something else can only be this action's. Where events were lost, one could have told of
 *     such an action.
 *     Of more than are listed the last ones are; the others may have failed.
 *  2. A program: without a declared exit status, that it was run is the effect. With one, the run
 *     that decides ended with it: CONFIRMED_T1. Where some runs failed, it must be the last one,
 *     begun after the others had ended (a retry); else nobody can say which one counts.
 *  3. A file: CONFIRMED_T1 when a declared change of one declared path was complete. Written is:
 *     its bytes changed, or it was created, and it was closed after writing; or another file was
 *     moved here, as editors do. What is undone afterwards is not said to be done, nor what may
 *     have been: written and taken away, moved away and back, removed and made again; or written
 *     where the path leads to no such file (the name was unlinked, it is a link or a pipe).
 *  4. A run without a known end, a file that was opened for writing and not seen to change, or
 *     that was not closed: OUTCOME_UNKNOWN, never "failed".
 *  5. Only failed runs: MASKED_ERROR when something says done, ATTEMPTED_FAILED when a span, or
 *     the result that the model was shown, says otherwise; both only when no other run can have
 *     gone unseen.
 *  6. What was done only after an announced date, and can only be this action's, is ACTED_LATE;
 *     where events were lost, one could have told of another action that means it.
 *  7. Nothing at all is the business of commit.c.
 * There is no DUPLICATE_EFFECT: a program that is run twice, or a file that is written twice, may
 * be one call's way to do it.
 */
#include "judge/ruling.h"

#include <wirewitness/event.h>

static void decide(struct ww_ruling *r, enum ww_verdict verdict, enum ww_reason reason,
		   const struct ww_grounds_deed *deed)
{
	r->verdict = verdict;
	r->reason = reason;
	r->deed = deed;
	r->evidence = WW_EVIDENCE_E4;
}

/* --- programs ----------------------------------------------------------------------------------
 */

static bool as_declared(const struct ww_grounds_local *l, const struct ww_grounds_deed *d)
{
	return d->end == WW_RUN_EXITED && d->code >= l->exit_min && d->code <= l->exit_max;
}

/* Rule 5. */
static void rule_failed(const struct ww_grounds *g, const struct ww_grounds_deed *d,
			struct ww_ruling *r)
{
	enum ww_reason unseen = ww_rule_unseen(g, WW_WORLD_NO_RETRY_UNSEEN);
	bool done = ww_rule_says_done(g);

	r->world_asked = true;
	if (unseen != WW_REASON_NONE)
		decide(r, WW_VERDICT_UNVERIFIABLE, unseen, d);
	else if (g->local.contested)
		decide(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_AMBIGUOUS_JOIN, d);
	else if (!done && !g->spanned && !g->shown_error)
		decide(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_SPAN_SAMPLED, d);
	else
		decide(r, done ? WW_VERDICT_MASKED_ERROR : WW_VERDICT_ATTEMPTED_FAILED,
		       WW_REASON_NONE, d);
}

struct runs {
	const struct ww_grounds_deed *good, *bad, *open; /* the last of each */
	uint64_t failed_ns;                              /* when the last bad one had ended */
};

static struct runs sort_runs(const struct ww_grounds_local *l)
{
	struct runs s = {0};

	for (unsigned i = 0; i < l->count; i++) {
		const struct ww_grounds_deed *d = &l->deeds[i];

		if (!l->exit_given || as_declared(l, d)) {
			if (!s.good || d->at_ns > s.good->at_ns)
				s.good = d;
		} else if (d->end == WW_RUN_EXITED) {
			s.bad = d;
			if (d->ended_ns > s.failed_ns)
				s.failed_ns = d->ended_ns;
		} else {
			s.open = d;
		}
	}
	return s;
}

/* Rule 4, and the doubt of rule 2: NULL when the runs tell. */
static const struct ww_grounds_deed *untold_run(const struct ww_grounds_local *l,
						const struct runs *s)
{
	if (l->exit_given && l->total > l->count)
		return &l->deeds[0];
	if (s->open)
		return s->open;
	return s->good && s->bad && s->good->at_ns < s->failed_ns ? s->bad : NULL;
}

/* Rules 2 and 4. */
static void rule_runs(const struct ww_grounds *g, struct ww_ruling *r)
{
	struct runs s = sort_runs(&g->local);
	const struct ww_grounds_deed *untold = untold_run(&g->local, &s);

	if (untold)
		decide(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN, untold);
	else if (s.good)
		decide(r, WW_VERDICT_CONFIRMED_T1, WW_REASON_NONE, s.good);
	else
		rule_failed(g, s.bad, r);
}

/* --- files --------------------------------------------------------------------------------------
 */

#define TAKEN_AWAY (WW_CHANGE_REMOVED | WW_CHANGE_MOVED_AWAY | WW_CHANGE_NOT_THERE)
#define MADE       (WW_CHANGE_CREATED | WW_CHANGE_MOVED_HERE)
#define MOVED      (WW_CHANGE_MOVED_AWAY | WW_CHANGE_MOVED_HERE)

static bool is_written(uint32_t what)
{
	return what & WW_CHANGE_MOVED_HERE ||
	       (what & WW_CHANGE_CLOSED && what & (WW_CHANGE_MODIFIED | WW_CHANGE_CREATED));
}

/* What became of one path. Events of it are in order; the bits of one are not. */
struct end {
	uint32_t all, since_gone;
	const struct ww_grounds_deed *written, *removed, *moved;
};

static void go_on(struct end *e, const struct ww_grounds_deed *d)
{
	uint32_t what = d->what;

	e->all |= what;
	if (what & TAKEN_AWAY) {
		e->written = NULL;
		e->since_gone = 0;
	} else {
		/* What comes back may be what went. */
		e->since_gone |= e->all & WW_CHANGE_MOVED_AWAY
					 ? what & ~(uint32_t)WW_CHANGE_MOVED_HERE
					 : what;
		if (is_written(e->since_gone))
			e->written = d;
	}
	if (what & WW_CHANGE_REMOVED && (!(what & MADE) || what & WW_CHANGE_NOT_THERE))
		e->removed = d;
	else if (what & MADE && !(what & WW_CHANGE_NOT_THERE))
		e->removed = NULL;
	if (what & MOVED)
		e->moved = d;
}

/* Rule 3, of one path. NULL: it was not changed as declared, or not to the end. */
static const struct ww_grounds_deed *is_done(const struct ww_grounds_local *l, uint64_t path)
{
	struct end e = {0};

	for (unsigned i = 0; i < l->count; i++) {
		if (l->deeds[i].path == path)
			go_on(&e, &l->deeds[i]);
	}
	if (l->changes & WW_FILE_WRITTEN && e.written)
		return e.written;
	if (l->changes & WW_FILE_RENAMED && e.moved && (e.all & MOVED) != MOVED)
		return e.moved;
	return l->changes & WW_FILE_REMOVED ? e.removed : NULL;
}

static void rule_changes(const struct ww_grounds *g, struct ww_ruling *r)
{
	const struct ww_grounds_deed *deed = ww_local_rule_done(&g->local);

	if (deed)
		decide(r, WW_VERDICT_CONFIRMED_T1, WW_REASON_NONE, deed);
	else
		decide(r, WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN, &g->local.deeds[0]);
}

const struct ww_grounds_deed *ww_local_rule_done(const struct ww_grounds_local *l)
{
	const struct ww_grounds_deed *deed = NULL;

	if (l->count && l->deeds[0].run) {
		struct runs s = sort_runs(l);

		return untold_run(l, &s) ? NULL : s.good;
	}
	for (unsigned i = 0; i < l->count && !deed; i++)
		deed = is_done(l, l->deeds[i].path);
	return deed;
}

/* --- both ---------------------------------------------------------------------------------------
 */

/* Rule 6. */
static void rule_late(const struct ww_grounds *g, struct ww_ruling *r)
{
	r->engine = "commit";
	r->world_asked = true;
	decide(r, WW_VERDICT_ACTED_LATE, WW_REASON_NONE, ww_local_rule_done(&g->local));
	r->late_ns = r->deed->since_ns - g->local.late_after_ns;
}

/* Rule 7. Nothing, or nothing in time, and what came later does not count. */
static bool is_nothing(const struct ww_grounds *g)
{
	const struct ww_grounds_local *l = &g->local;

	if (l->count == 0)
		return l->contested == 0;
	return l->late && (g->partners > 1 || !ww_local_rule_done(l));
}

void ww_local_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling)
{
	const struct ww_grounds_local *l = &g->local;
	enum ww_reason lost = ww_rule_unseen(g, WW_WORLD_BIT(LOSSES));
	struct ww_ruling r = {
		.engine = g->spanned || g->asked ? "effect" : "commit",
		.join = WW_JOIN_UNIQUE,
		.by = WW_JOIN_BY_WINDOW,
	};

	if (is_nothing(g)) {
		ww_commit_rule(g, ret_ruling);
		return;
	}
	if (l->count == 0) {
		ww_rule_ambiguous(&r, l->contested); /* rule 1 */
	} else if (lost != WW_REASON_NONE) {
		r.world_asked = true;
		decide(&r, WW_VERDICT_UNVERIFIABLE, lost, &l->deeds[l->count - 1]);
	} else if (l->late) {
		rule_late(g, &r);
	} else if (l->deeds[0].run) {
		rule_runs(g, &r);
	} else {
		rule_changes(g, &r);
	}
	*ret_ruling = r;
}
