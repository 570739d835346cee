/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict on a control against the control's own calls. */
#include <inttypes.h>
#include <stdio.h>

#include "ledger/rederive_exam.h"

#define NS_PER_S      1000000000ull
#define REVISIONS_MAX 64

static const char *const says_names[WW_CONTROL_SAYS_MAX] = {WW_CONTROL_SAYS(WW_RD_NAME)};
static const char *const subject_names[WW_CONTROL_SUBJECT_MAX] = {WW_CONTROL_SUBJECTS(WW_RD_NAME)};

/* What a run can say by its record, as join/control_runs.c has it: bit set. */
static uint32_t says_of(const struct ww_contract *c, const struct ww_rd_exchange *x)
{
	uint32_t wires = ww_rd_wires(c, x), says = 0;

	if (wires & WW_RD_WIRE(SUCCESS))
		says |= 1u << WW_CONTROL_ALLOW;
	if (wires & WW_RD_WIRE(BODY_FAILED))
		says |= 1u << WW_CONTROL_DENY;
	if (wires & WW_RD_WIRE(FAILED))
		says |= 1u << (x->status.n == 403 ? WW_CONTROL_DENY : WW_CONTROL_ERROR);
	if (wires & (WW_RD_WIRE(NO_REPLY) | WW_RD_WIRE(NOT_SENT)))
		says |= 1u << WW_CONTROL_ERROR;
	if (wires & ~(WW_RD_WIRE(SUCCESS) | WW_RD_WIRE(BODY_FAILED) | WW_RD_WIRE(FAILED) |
		      WW_RD_WIRE(NO_REPLY) | WW_RD_WIRE(NOT_SENT)))
		says |= 1u << WW_CONTROL_UNKNOWN;
	return says;
}

static void check_trace(struct ww_rd_exam *e, const struct ww_control *k,
			const struct ww_rd_exchange *x, bool stray)
{
	const struct ww_rd_verdict *v = &e->v;
	bool known = v->spanned && v->span_count == 1;

	if (stray && (k->same != WW_CONTROL_SAME_TRACE || (x->trace_id.s.p && known)))
		ww_rd_differ(e, "grounds.control.runs.stray", "a run whose trace is known",
			     "a stray");
	else if (!stray && k->same == WW_CONTROL_SAME_TRACE &&
		 (!x->trace_id.s.p || (known && !ww_rd_same(x->trace_id, v->span_trace))))
		ww_rd_differ(e, "grounds.control.runs", "runs of the action's trace", "another");
}

/* Those that are not listed are older than all that are. */
static void check_strays(struct ww_rd_exam *e)
{
	const struct ww_grounds_control *g = &e->g.control;
	uint32_t listed = 0;

	for (unsigned i = 0; i < g->count; i++)
		listed += g->runs[i].stray;
	if (listed > g->stray || g->stray - listed > g->total - g->count)
		ww_rd_differ(e, "grounds.control.stray", "as many as the runs have", "others");
}

static void take_run(struct ww_rd_exam *e, unsigned i)
{
	const struct ww_control *k = &e->contract->controls[e->place];
	const struct ww_contract *terms = &e->terms->controls[e->place];
	const struct ww_rd_run *said = &e->v.grounds.control.runs[i];
	struct ww_grounds_run *to = &e->g.control.runs[i];
	int says = ww_rd_by_name(said->says, says_names, WW_CONTROL_SAYS_MAX);
	int subject = ww_rd_by_name(said->subject, subject_names, WW_CONTROL_SUBJECT_MAX);
	const struct ww_rd_exchange *x;
	struct ww_rd_record *rec;

	if (says < 0 || subject < 0) {
		ww_rd_open(e, "grounds.control.runs", "words that are understood", "others");
		return;
	}
	to->says = (enum ww_control_says)says;
	to->subject = (enum ww_control_subject)subject;
	x = ww_rd_cited_exchange(e, "grounds.control.runs", said->exchange, &rec);
	if (!x)
		return;
	to->begun_ns = x->req_first_ns;
	to->ended_ns = x->status.there && x->status.n >= 200 ? x->ended_ns : 0;
	to->answered_ns = x->resp_first_ns;
	to->no_reply = says == WW_CONTROL_ERROR && ww_rd_wires(terms, x) & WW_RD_WIRE(NO_REPLY);
	to->stray = said->stray;
	to->uses = ww_rd_capped(said->uses);
	to->uses_unknown = ww_rd_capped(said->uses_unknown);
	ww_rd_take_call(e, x, &to->call);
	ww_rd_same_text(e, "root", rec, x->root, e->v.root);
	if (!ww_rd_fits(terms, x))
		ww_rd_differ(e, "grounds.control.runs", "calls of the control", "another call");
	check_trace(e, k, x, said->stray);
	if (!(says_of(terms, x) & (1u << says)))
		ww_rd_differ(e, "grounds.control.runs.says",
			     "what status and outcome of its record give", says_names[says]);
	if ((k->subject_count == 0) != (subject == WW_CONTROL_SUBJECT_UNASKED))
		ww_rd_differ(e, "grounds.control.runs.subject",
			     k->subject_count ? "a comparison" : "no comparison",
			     subject_names[subject]);
}

/* The verdict on the action itself, of which this one must know. */
static struct ww_rd_record *effect_record(const struct ww_rd_exam *e)
{
	struct ww_slice key = ww_slice_sub(e->v.action.s, 2, SIZE_MAX);
	struct ww_rd_record *newest = NULL;
	char id[72];

	for (unsigned i = 1; i <= REVISIONS_MAX; i++) {
		struct ww_rd_record *rec;

		snprintf(id, sizeof(id), "v-%.*s-%u", (int)(key.n < 40 ? key.n : 40),
			 (const char *)key.p, i);
		rec = ww_rd_before(e->rd, WW_RD_VERDICT, ww_slice_str(id), e->rec->index);
		if (rec && (!newest || rec->index > newest->index))
			newest = rec;
	}
	return newest;
}

/* Why the attempts themselves are not known. */
static void check_doubt(struct ww_rd_exam *e)
{
	struct ww_rd_text said = e->v.grounds.control.doubt;
	struct ww_rd_record *rec = effect_record(e);
	struct ww_rd_text verdict = {WW_SLICE_NULL, false}, reason = {WW_SLICE_NULL, false};
	struct ww_rd_text none = {WW_SLICE_NULL, false};
	int word = said.s.p ? ww_rd_by_name(said, ww_rd_reasons, WW_REASON_MAX) : 0;
	struct ww_member_want m[] = {WW_MEMBER("verdict", TEXT, &verdict),
				     WW_MEMBER("reason", TEXT, &reason)};

	if (word < 0) {
		ww_rd_open(e, "grounds.control.doubt", "a reason that is understood", "another");
		return;
	}
	e->g.control.doubt = (enum ww_reason)word;
	if (!rec) {
		ww_rd_open(e, "grounds.control.doubt", "the verdict on the action",
			   "it is not listed before this one, or withheld");
		return;
	}
	if (WW_MEMBERS_READ(rec->json, "the verdict", m, NULL) < 0) {
		ww_rd_unreadable(e, "grounds.control.doubt", rec, "it is not");
		return;
	}
	if (!ww_rd_is(verdict, "UNVERIFIABLE") || ww_rd_is(reason, "OUTCOME_UNKNOWN") ||
	    ww_rd_is(reason, "BODY_UNKNOWN"))
		reason = none;
	ww_rd_same_text(e, "grounds.control.doubt", rec, reason, said);
}

/* The action begins with the attempt that it names: check_action, when the runs are known. */
static bool take_action(struct ww_rd_exam *e)
{
	struct ww_grounds_control *g = &e->g.control;
	unsigned i = 0;

	while (i < e->g.count && !ww_rd_same(e->v.attempts[i].exchange, e->v.control.action))
		i++;
	if (i == e->g.count || e->v.candidates || e->g.attempts[i].wire == WW_WIRE_NOT_SENT) {
		ww_rd_differ(e, "control.action", "an attempt that was sent", "another");
		return false;
	}
	g->begun_ns = e->g.attempts[i].call.begun_ns;
	g->grade = e->g.attempts[i].grade;
	g->by = e->g.attempts[i].by;
	return true;
}

/* As join/control_runs.c. */
static bool counts(const struct ww_grounds_run *r)
{
	return r->subject != WW_CONTROL_SUBJECT_DIFFERS &&
	       !(r->stray && r->says == WW_CONTROL_ALLOW &&
		 r->subject != WW_CONTROL_SUBJECT_UNKNOWN);
}

/* As join/control_runs.c: the last answer between two attempts did not allow, or is not known. */
static bool is_refused(const struct ww_grounds_control *g, uint64_t first_ns, uint64_t retry_ns)
{
	const struct ww_grounds_run *last = NULL;

	for (unsigned i = 0; i < g->count; i++) {
		const struct ww_grounds_run *r = &g->runs[i];

		if (counts(r) && r->ended_ns > first_ns && r->ended_ns <= retry_ns &&
		    (!last || r->ended_ns > last->ended_ns))
			last = r;
	}
	return last &&
	       (last->says != WW_CONTROL_ALLOW || last->subject == WW_CONTROL_SUBJECT_UNKNOWN);
}

/* The first attempt that was sent, or the first retry after an answer that does not allow. */
static void check_action(struct ww_rd_exam *e)
{
	const struct ww_grounds_attempt *first = NULL, *wanted = NULL;

	for (unsigned i = 0; i < e->g.count; i++) {
		const struct ww_grounds_attempt *at = &e->g.attempts[i];

		if (at->wire == WW_WIRE_NOT_SENT)
			continue;
		if (!first)
			first = at;
		if (!wanted && is_refused(&e->g.control, first->call.begun_ns, at->call.begun_ns))
			wanted = at;
	}
	if (!wanted)
		wanted = first;
	if (!wanted || wanted->call.begun_ns != e->g.control.begun_ns)
		ww_rd_differ(e, "control.action",
			     "the first attempt that was sent, or a retry after a refusal",
			     "another");
}

void ww_rd_check_control(struct ww_rd_exam *e)
{
	const struct ww_rd_ground_control *said = &e->v.grounds.control;
	struct ww_grounds_control *g = &e->g.control;
	const struct ww_control *k;

	if (e->place >= e->contract->control_count) {
		ww_rd_differ(e, "control", "a control of the terms", "another");
		e->open = true;
		return;
	}
	k = &e->contract->controls[e->place];
	if (!ww_rd_is(e->v.control.name, k->name) ||
	    !ww_rd_is(e->v.control.same, ww_control_same_name(k->same)))
		ww_rd_differ(e, "control.name", k->name, "another");
	g->there = true;
	g->max_age_s = k->max_age_s;
	g->max_uses = k->max_uses;
	g->total = ww_rd_capped(e->v.control.runs);
	g->count = said->run_count;
	g->stray = ww_rd_capped(said->stray);
	g->narrated = e->v.control.narrated;
	if (!take_action(e)) {
		e->open = true;
		return;
	}
	if (g->total < g->count || (g->total > g->count && g->count < WW_GROUNDS_RUNS_MAX))
		ww_rd_differ(e, "control.runs", "as many as grounds.control lists",
			     "another number");
	for (unsigned i = 0; i < g->count && !e->open; i++)
		take_run(e, i);
	if (!e->open) {
		check_strays(e);
		check_action(e);
	}
	check_doubt(e);
}

/* The subjects of the run that decided, where both are there. */
static void check_subjects(struct ww_rd_exam *e, const struct ww_grounds_run *run)
{
	struct ww_json_token own, t;
	struct ww_json j;
	bool same = false;

	ww_json_init(&j, e->v.control.action_subject);
	if (!e->v.control.subjects.n || !e->v.control.action_subject.n ||
	    ww_json_next(&j, &own) != WW_PARSE_DONE || ww_json_next(&j, &own) != WW_PARSE_DONE)
		return;
	ww_json_init(&j, e->v.control.subjects);
	while (ww_json_next(&j, &t) == WW_PARSE_DONE)
		same |= t.type == WW_JSON_STRING && ww_slice_eq(t.raw, own.raw);
	if ((run->subject == WW_CONTROL_SUBJECT_EQUAL && !same) ||
	    (run->subject == WW_CONTROL_SUBJECT_DIFFERS && same))
		ww_rd_differ(e, "control.subject", same ? "equal" : "differs",
			     subject_names[run->subject]);
}

/* A run that nobody names may be the one that decides. */
static void note_runs(struct ww_rd_exam *e, const struct ww_ruling *r)
{
	const struct ww_grounds_control *g = &e->g.control;
	struct ww_rd_absence a = {
		.verdict = e->rec,
		.contract = &e->terms->controls[e->place],
		.root = e->v.root.s,
		.to_ns = g->begun_ns,
		.field = "control.runs",
		.control = &e->contract->controls[e->place],
	};
	uint64_t age_ns = g->max_age_s * NS_PER_S;

	if (r->verdict == WW_VERDICT_UNVERIFIABLE)
		return;
	a.from_ns = age_ns && g->begun_ns > age_ns ? g->begun_ns - age_ns : 0;
	if (g->total > g->count && g->count && g->runs[0].begun_ns > a.from_ns)
		a.from_ns = g->runs[0].begun_ns;
	ww_rd_absent(e->rd, &a);
}

void ww_rd_check_run(struct ww_rd_exam *e, const struct ww_ruling *r)
{
	const struct ww_rd_control *c = &e->v.control;
	struct ww_rd_text none = {WW_SLICE_NULL, false};
	const struct ww_rd_run *said =
		r->run ? &e->v.grounds.control.runs[r->run - e->g.control.runs] : NULL;

	ww_rd_same_text(e, "control.exchange", e->rec, said ? said->exchange : none, c->exchange);
	ww_rd_same_text(e, "control.says", e->rec, said ? said->says : none, c->says);
	ww_rd_same_text(e, "control.subject", e->rec, said ? said->subject : none, c->subject);
	ww_rd_same_number(e, "control.denied", e->rec, (struct ww_rd_number){r->denied, true},
			  (struct ww_rd_number){c->denied, true});
	ww_rd_same_number(e, "control.uses", e->rec, (struct ww_rd_number){r->uses, true},
			  (struct ww_rd_number){c->uses, true});
	if (r->run)
		check_subjects(e, r->run);
	note_runs(e, r);
}
