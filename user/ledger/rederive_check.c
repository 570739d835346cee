/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "ledger/fields.h"
#include "ledger/rederive_exam.h"

const char *const ww_rd_joins[WW_JOIN_MAX] = {WW_JOINS(WW_RD_NAME)};
const char *const ww_rd_bys[WW_JOIN_BY_MAX] = {WW_JOIN_BYS(WW_RD_NAME)};
static const char *const verdict_names[WW_VERDICT_MAX] = {WW_VERDICTS(WW_RD_NAME)};
const char *const ww_rd_reasons[WW_REASON_MAX] = {WW_REASONS(WW_RD_NAME)};
const char *const ww_rd_evidence[WW_EVIDENCE_MAX] = {WW_EVIDENCE(WW_RD_NAME)};

/* --- saying -------------------------------------------------------------------------------------
 */

void ww_rd_differ(struct ww_rd_exam *e, const char *field, const char *expected, const char *found)
{
	ww_rd_say(e->rd, e->rec, false, field, expected, found);
}

void ww_rd_open(struct ww_rd_exam *e, const char *field, const char *expected, const char *found)
{
	e->open = true;
	ww_rd_say(e->rd, e->rec, true, field, expected, found);
}

const char *ww_rd_shown(struct ww_rd_text t, char out[96])
{
	snprintf(out, 96, "%.*s", WW_RD_TEXT(t));
	return t.s.p ? out : "nothing";
}

void ww_rd_same_text(struct ww_rd_exam *e, const char *field, const struct ww_rd_record *of,
		     struct ww_rd_text evidence, struct ww_rd_text said)
{
	char a[96], b[96], expected[192];

	if (ww_rd_same(evidence, said))
		return;
	snprintf(expected, sizeof(expected), "%s, by record %" PRIu64, ww_rd_shown(evidence, a),
		 of->index);
	ww_rd_differ(e, field, expected, ww_rd_shown(said, b));
}

void ww_rd_same_number(struct ww_rd_exam *e, const char *field, const struct ww_rd_record *of,
		       struct ww_rd_number evidence, struct ww_rd_number said)
{
	char expected[96], found[32] = "nothing";

	if (evidence.there == said.there && (!said.there || evidence.n == said.n))
		return;
	if (evidence.there)
		snprintf(expected, sizeof(expected), "%" PRIu64 ", by record %" PRIu64, evidence.n,
			 of->index);
	else
		snprintf(expected, sizeof(expected), "nothing, by record %" PRIu64, of->index);
	if (said.there)
		snprintf(found, sizeof(found), "%" PRIu64, said.n);
	ww_rd_differ(e, field, expected, found);
}

struct ww_rd_record *ww_rd_cited(struct ww_rd_exam *e, enum ww_rd_kind kind, const char *field,
				 struct ww_rd_text id)
{
	struct ww_rd_record *rec = ww_rd_before(e->rd, kind, id.s, e->rec->index);
	char expected[160], text[96];

	if (rec)
		return rec;
	snprintf(expected, sizeof(expected), "the record %s", ww_rd_shown(id, text));
	ww_rd_open(e, field, expected, "it is not listed before the verdict, or withheld");
	return NULL;
}

void ww_rd_unreadable(struct ww_rd_exam *e, const char *field, const struct ww_rd_record *rec,
		      const char *why)
{
	char expected[96];

	e->open = true; /* what follows would rest on nothing */
	snprintf(expected, sizeof(expected), "record %" PRIu64 " to be readable", rec->index);
	ww_rd_differ(e, field, expected, why);
}

int ww_rd_by_name(struct ww_rd_text t, const char *const *names, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (ww_rd_is(t, names[i]))
			return (int)i;
	}
	return -1;
}

/* --- what was said ------------------------------------------------------------------------------
 */

static void take_terms(struct ww_rd_exam *e)
{
	const struct ww_rd_grounds *g = &e->v.grounds;
	struct ww_slice before;

	if (!g->declared)
		return;
	e->terms = ww_rd_terms_of(e->rd, g->terms);
	if (!e->terms || !e->terms->contracts) {
		ww_rd_open(e, "grounds.terms", "terms that are understood", "others");
		return;
	}
	if (!e->terms->whole) {
		ww_rd_open(e, "grounds.terms", "the terms of the contract",
			   "they were too long to be recorded");
		return;
	}
	before = ww_rd_terms_before(e->rd, e->v.tool.s, e->v.contracts.s, g->terms);
	if (before.n && !ww_slice_eq(before, g->terms))
		ww_rd_differ(e, "grounds.terms",
			     "the terms of an earlier verdict on the tool under this contract file",
			     "others");
	e->contract = &e->terms->contracts->items[0];
	e->g.declared = true;
	e->g.effect = e->contract->effect;
	e->g.looks = ww_contract_local(e->contract);
}

static bool of_tree(const struct ww_rd_exam *e, const struct ww_rd_span *s)
{
	return ww_rd_is(e->v.root, "p0") || ww_rd_same(s->root, e->v.root);
}

/* Whoever exports spans chooses their ids, also one that another's span has. The record that is
 * cited is one of the verdict's tree that says what is wanted; else the newest of the tree; else
 * the newest. */
struct wanted {
	const struct ww_rd_text *trace; /* NULL: of any; others are none */
	bool (*says)(const struct ww_rd_exam *e, const struct ww_rd_span *s, const void *what);
	const void *what;
};

/* *ret_over: more have the id than are looked at, and none of these says it. */
static struct ww_rd_record *find_span(const struct ww_rd_exam *e, struct ww_slice id,
				      const struct wanted *w, struct ww_rd_span *ret,
				      bool *ret_over)
{
	struct ww_rd_record *rec = ww_rd_before(e->rd, WW_RD_SPAN, id, e->rec->index);
	struct ww_rd_record *best = NULL;
	bool best_own = false;
	struct ww_rd_span s;

	for (unsigned looked = 0; rec && looked < WW_RD_SAME_MAX; rec = rec->same, looked++) {
		bool own;

		if (ww_rd_span_read(rec->json, &s, NULL) < 0 ||
		    (w->trace && !ww_rd_same(s.trace_id, *w->trace)))
			continue;
		own = of_tree(e, &s);
		if (own && (!w->says || w->says(e, &s, w->what))) {
			*ret = s;
			return rec;
		}
		if (!best || (own && !best_own)) {
			best = rec;
			best_own = own;
			*ret = s;
		}
	}
	*ret_over = rec != NULL;
	return best;
}

struct ww_rd_record *ww_rd_span_record(const struct ww_rd_exam *e, struct ww_slice id,
				       const struct ww_rd_text *trace, struct ww_rd_span *ret)
{
	const struct wanted w = {.trace = trace};
	bool over;

	return find_span(e, id, &w, ret, &over);
}

static void check_span_root(struct ww_rd_exam *e, const struct ww_rd_record *rec,
			    const struct ww_rd_span *s)
{
	if (!ww_rd_is(e->v.root, "p0"))
		ww_rd_same_text(e, "root", rec, s->root, e->v.root);
}

/* Why find_span has nothing for an id: it is not listed, cannot be read, or more have it than are
 * looked at. */
static void say_no_span(struct ww_rd_exam *e, const char *field, struct ww_rd_text id, bool over)
{
	const struct ww_rd_record *cited = ww_rd_cited(e, WW_RD_SPAN, field, id);

	if (cited && over)
		ww_rd_open(e, field, "the span's record", "too many have its id");
	else if (cited)
		ww_rd_unreadable(e, field, cited, "it is not");
}

static bool says_span(const struct ww_rd_exam *e, const struct ww_rd_span *s, const void *what)
{
	const struct ww_rd_verdict *v = &e->v;

	(void)what;
	return ww_rd_same(s->trace_id, v->span_trace) && ww_rd_same(s->status, v->span_status) &&
	       ww_rd_same(s->t, v->span_start) && ww_rd_same(s->end, v->span_end) &&
	       ww_rd_same(s->error_type, v->span_error);
}

static void check_span(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;
	const struct ww_rd_record *rec;
	struct ww_rd_span s;
	bool over = false;

	e->g.spanned = v->spanned;
	e->g.span_error = v->spanned && ww_rd_is(v->span_status, "ERROR");
	if (!v->spanned)
		return;
	rec = find_span(e, v->span_id.s, &(struct wanted){.says = says_span}, &s, &over);
	if (!rec || over) {
		say_no_span(e, "span.id", v->span_id, over);
		return;
	}
	ww_rd_same_text(e, "span.traceId", rec, s.trace_id, v->span_trace);
	ww_rd_same_text(e, "span.status", rec, s.status, v->span_status);
	ww_rd_same_text(e, "span.start", rec, s.t, v->span_start);
	ww_rd_same_text(e, "span.end", rec, s.end, v->span_end);
	ww_rd_same_text(e, "span.errorType", rec, s.error_type, v->span_error);
	if (!ww_rd_is(s.role, "tool"))
		ww_rd_differ(e, "span.id", "the record of a tool span", "another span's");
	if (s.tool_call_id.s.p)
		ww_rd_same_text(e, "toolCallId", rec, s.tool_call_id, v->tool_call_id);
	check_span_root(e, rec, &s);
}

static bool says_claim(const struct ww_rd_exam *e, const struct ww_rd_span *s, const void *what)
{
	(void)e;
	return ww_rd_span_claims(s, what);
}

static void check_claims(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;

	e->g.claims = v->claim_count;
	for (unsigned i = 0; i < v->claim_count; i++) {
		const struct ww_rd_claim *c = &v->claims[i];
		const struct ww_rd_record *rec;
		struct ww_rd_span s;
		bool over = false;

		e->g.claim_done |= ww_rd_is(c->tense, "done");
		rec = find_span(e, c->span.s, &(struct wanted){.says = says_claim, .what = c}, &s,
				&over);
		if (!rec || over) {
			say_no_span(e, "said.claims.span", c->span, over);
			continue;
		}
		if (!ww_rd_span_claims(&s, c))
			ww_rd_differ(e, "said.claims",
				     "a claim that its span declares, in that tense",
				     "one that it does not");
		check_span_root(e, rec, &s);
	}
	if (!(v->claim_count == 0 ? !v->claim.s.p
	      : e->g.claim_done   ? ww_rd_is(v->claim, "done")
				  : ww_rd_is(v->claim, "will")))
		ww_rd_differ(e, "said.claim", "what its claims say", "something else");
}

/* The action's record, written right before each of its verdicts, says the same. */
static void check_action(struct ww_rd_exam *e)
{
	const struct ww_rd_record *rec = ww_rd_neighbour(e->rd, e->rec);
	const struct ww_rd_verdict *v = &e->v;
	struct ww_errtext why = {""};
	struct ww_rd_action a;

	if (!rec || rec->kind != WW_RD_ACTION)
		return;
	if (!ww_slice_eq(rec->id, v->action.s)) {
		ww_rd_differ(e, "action", "the action whose record stands right before it",
			     "another");
		return;
	}
	if (ww_rd_action_read(rec->json, &a, &why) < 0) {
		ww_rd_unreadable(e, "action", rec, why.text);
		return;
	}
	ww_rd_same_text(e, "tool", rec, a.tool, v->tool);
	ww_rd_same_text(e, "toolCallId", rec, a.tool_call_id, v->tool_call_id);
	ww_rd_same_text(e, "actor", rec, a.actor, v->actor);
	ww_rd_same_text(e, "root", rec, a.root, v->root);
	ww_rd_same_text(e, "cgroup", rec, a.cgroup, v->cgroup);
	if (!ww_slice_eq(a.said, v->said) || !ww_slice_eq(a.span, v->span_text) ||
	    !ww_slice_eq(a.wire, v->wire_text) || !ww_slice_eq(a.local, v->local))
		ww_rd_differ(e, "said, span, wire", "what the action's record says",
			     "something else");
	if (a.model != v->grounds.asked)
		ww_rd_differ(e, "grounds.asked", a.model ? "true" : "false",
			     a.model ? "false" : "true");
	if (e->contract || !v->grounds.declared)
		ww_rd_same_text(e, "grounds.terms.effect", rec, a.effect,
				(struct ww_rd_text){e->contract
							    ? ww_slice_str(ww_contract_effect_name(
								      e->contract->effect))
							    : WW_SLICE_NULL,
						    false});
}

/* "v-", the rest of the action's id, "-k" and its place of a control, "-" and a number. */
static void check_id(struct ww_rd_exam *e)
{
	struct ww_slice id = e->v.id.s, action = e->v.action.s;
	struct ww_slice key = ww_slice_sub(action, 2, action.n);
	size_t behind = 2 + key.n;
	uint64_t revision;

	if (e->v.controlled && id.n > behind + 3 && id.p[behind] == '-' &&
	    id.p[behind + 1] == 'k' && id.p[behind + 2] >= '0' &&
	    id.p[behind + 2] < '0' + (int)WW_CONTROLS_MAX) {
		e->place = (unsigned)(id.p[behind + 2] - '0');
		behind += 3;
	}
	if (!ww_slice_starts(action, WW_SLICE_LIT("a-")) ||
	    !ww_slice_starts(id, WW_SLICE_LIT("v-")) ||
	    !ww_slice_eq(ww_slice_sub(id, 2, key.n), key) ||
	    e->v.controlled != (behind > 2 + key.n) ||
	    !ww_slice_eq_str(ww_slice_sub(id, behind, 1), "-") ||
	    ww_slice_u64(ww_slice_sub(id, behind + 1, id.n), &revision) < 0)
		ww_rd_differ(e, "id", "the id of a verdict on its action", "another");
}

static void check_contracts(struct ww_rd_exam *e)
{
	struct ww_rd_text started = ww_rd_contracts_at(e->rd, e->rec->index);
	char text[96];

	if (started.s.p && !ww_rd_same(started, e->v.contracts) && !ww_rd_judged_before(e))
		ww_rd_differ(e, "contracts", "the contract file that the monitor's start names",
			     ww_rd_shown(e->v.contracts, text));
}

/* All that it says it rests on is there: spans and exchanges, which were recorded before it. */
static void check_refs(struct ww_rd_exam *e)
{
	struct ww_json_token t;
	struct ww_json j;

	if (ww_fields_array(e->v.refs, &j) < 0) {
		ww_rd_differ(e, "refs", "a list that can be read", "another");
		return;
	}
	while (ww_json_next(&j, &t) == WW_PARSE_DONE) {
		struct ww_rd_text id = {t.raw, t.escaped};

		if (t.type != WW_JSON_STRING)
			continue;
		if (ww_slice_starts(t.raw, WW_SLICE_LIT("x-")))
			(void)ww_rd_cited(e, WW_RD_EXCHANGE, "refs", id);
		else if (ww_slice_starts(t.raw, WW_SLICE_LIT("s-")))
			(void)ww_rd_cited(e, WW_RD_SPAN, "refs", id);
		else if (!ww_slice_starts(t.raw, WW_SLICE_LIT("f-")) &&
			 !ww_slice_starts(t.raw, WW_SLICE_LIT("u-")) &&
			 !ww_slice_starts(t.raw, WW_SLICE_LIT("w-")))
			ww_rd_differ(e, "refs", "ids of spans, exchanges and flows", "another");
	}
}

/* --- how complete the view was ------------------------------------------------------------------
 */

struct rule {
	uint32_t bit;
	bool failed;
	bool only; /* nothing else makes the item fail */
	const char *item, *shown;
};

static void check_world(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;
	uint32_t failed = v->grounds.not_held;
	bool late = false;

	for (unsigned i = 0; i < v->near_count; i++)
		late |= ww_rd_is(v->near[i].why, "late") && !v->controlled;
	const struct rule rules[] = {
		{WW_WORLD_BIT(LOSSES), v->lost_events > 0, true, "losses", "coverage.lostEvents"},
		{WW_WORLD_BIT(COVERED), !v->known || !v->whole_window || v->gaps, false, "coverage",
		 "coverage"},
		{WW_WORLD_BIT(PEERS), v->unix_peers || v->loopback_peers, true, "peers",
		 "coverage.unixPeers, loopbackPeers"},
		{WW_WORLD_BIT(RAW), v->raw_sockets > 0, true, "raw", "coverage.rawSockets"},
		{WW_WORLD_BIT(ACCOUNT), v->unbound_calls && v->grounds.world_whole, false,
		 "account", "coverage.unboundCalls"},
		{WW_WORLD_BIT(LATE), late && v->grounds.world_whole, false, "late",
		 "wire.nearMiss"},
		{WW_WORLD_BIT(CLOCK), v->grounds.clock_bad, false, "clock", "grounds.clockBad"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rules); i++) {
		bool said = failed & rules[i].bit;

		if (said != rules[i].failed && (rules[i].failed || rules[i].only))
			ww_rd_differ(e, rules[i].shown,
				     said ? "a reason why it does not hold"
					  : "that it does not hold",
				     rules[i].item);
	}
	if (v->to_ns < (v->controlled ? e->g.control.begun_ns : v->grounds.to_ns))
		ww_rd_differ(e, "coverage.toBootNs", "all of the action's window", "less");
	if (v->world_asked && v->world_failed != failed)
		ww_rd_differ(e, "closedWorld", "the items of grounds.notHeld", "others");
}

static bool mark_weakens(const struct ww_rd_mark *m)
{
	return ww_rd_is(m->what, "loss") || ww_rd_is(m->what, "gap") || ww_rd_is(m->what, "unix") ||
	       ww_rd_is(m->what, "loopback") || ww_rd_is(m->what, "raw") ||
	       ww_rd_is(m->what, "unbound");
}

/* What the scope's coverage record tells of the window. The window's last instant is left out:
 * losses are dated back to when they were looked for last, and that can be it. */
static void check_marks(struct ww_rd_exam *e, const struct ww_rd_record *rec,
			const struct ww_rd_coverage *c)
{
	struct ww_rd_mark m;
	struct ww_json j;
	int r = ww_fields_array(c->marks, &j);

	while (r >= 0 && (r = ww_rd_mark_next(&j, &m)) == 1) {
		char expected[96], text[96];

		if (!mark_weakens(&m) || m.from_ns >= e->v.to_ns || m.to_ns < e->v.from_ns)
			continue;
		snprintf(expected, sizeof(expected), "nothing in its window in record %" PRIu64,
			 rec->index);
		ww_rd_differ(e, "coverage", expected, ww_rd_shown(m.what, text));
		return;
	}
	if (r < 0)
		ww_rd_unreadable(e, "coverage", rec, "its marks are not");
}

/* A verdict that rests on having seen everything takes a record of its scope that says so. */
static void check_coverage(struct ww_rd_exam *e)
{
	const struct ww_rd_record *rec = ww_rd_coverage(e->rd, e->v.cgroup.s);
	bool listed = false;

	for (unsigned looked = 0; rec && looked < WW_RD_SAME_MAX; rec = rec->same, looked++) {
		const struct ww_rd_coverage *c = rec->c;

		if (c->from_ns > e->v.from_ns || c->to_ns < e->v.from_ns)
			continue;
		listed = true;
		if (!c->all_covered)
			ww_rd_differ(e, "coverage", "sockets of all families and processes covered",
				     "not all of them, by the scope's record");
		check_marks(e, rec, c);
	}
	if (!listed)
		ww_rd_open(e, "coverage", "a coverage record of its scope over its window",
			   "none is listed");
}

/* --- the ruling ---------------------------------------------------------------------------------
 */

static void same_word(struct ww_rd_exam *e, const char *field, const char *ruled,
		      struct ww_rd_text said)
{
	char text[96];

	if (ruled[0] ? !ww_rd_is(said, ruled) : said.s.p != NULL)
		ww_rd_differ(e, field, ruled[0] ? ruled : "nothing", ww_rd_shown(said, text));
}

static bool rests_on_all(const struct ww_ruling *r)
{
	return r->world_asked && r->verdict != WW_VERDICT_UNVERIFIABLE &&
	       r->verdict != WW_VERDICT_ACTED_UNDECODED && r->verdict != WW_VERDICT_ACCEPTED_ASYNC;
}

/* A call beside those that it names would make it another verdict. One that only a claim names, or
 * beside those with an id, may be another action's. Prose takes nothing, and means all of them. */
static void note_absence(struct ww_rd_exam *e, const struct ww_ruling *r)
{
	struct ww_rd_absence a = {
		.verdict = e->rec,
		.contract = e->contract,
		.root = e->v.root.s,
		.from_ns = e->v.grounds.from_ns,
		.to_ns = e->v.grounds.to_ns,
		.field = "wire",
		.maybe = !e->g.prose &&
			 ((!e->g.spanned && !e->g.asked) || e->g.grade == WW_JOIN_EXACT),
		.succeeds = r->deciding != NULL,
		.any = e->g.prose,
	};

	if (!rests_on_all(r) || e->v.controlled || e->g.looks)
		return;
	ww_rd_absent(e->rd, &a);
	ww_rd_prose_absent(e, &a);
}

static void compare(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;
	struct ww_ruling r, said;

	ww_rule(&e->g, &r);
	said = r;
	said.verdict = ww_rd_check_attested(e, r.verdict);
	same_word(e, "engine", r.engine, v->engine);
	same_word(e, "verdict", verdict_names[said.verdict], v->verdict);
	same_word(e, "reason", ww_rd_reasons[r.reason], v->reason);
	same_word(e, "evidence", ww_rd_evidence[r.evidence], v->evidence);
	same_word(e, "tier", ww_rule_tier(&said), v->tier);
	same_word(e, "join", ww_rd_joins[r.join], v->join);
	same_word(e, "by", ww_rd_bys[r.by], v->by);
	if (r.n != (v->n.there ? v->n.n : 0))
		ww_rd_differ(e, "n", "the number that the rules give", "another");
	ww_rd_check_details(e, &r);
	if (r.world_asked != v->world_asked)
		ww_rd_differ(e, "closedWorld", r.world_asked ? "the checklist" : "no checklist",
			     r.world_asked ? "none" : "one");
	if (r.flow != v->undecoded)
		ww_rd_differ(e, "wire.undecoded", r.flow ? "the flow it is about" : "none",
			     r.flow ? "none" : "one");
	if (!v->grounds.wire)
		return;
	ww_rd_check_call(e, r.deciding);
	if (e->g.looks)
		ww_rd_check_deed(e, &r, rests_on_all(&r));
	if (v->controlled)
		ww_rd_check_run(e, &r);
	if (rests_on_all(&r)) {
		if (!v->grounds.world_whole)
			ww_rd_differ(e, "grounds.worldWhole", "every item of the checklist asked",
				     "only those of coverage");
		check_coverage(e);
	}
	note_absence(e, &r);
}

static void check_wire(struct ww_rd_exam *e)
{
	const struct ww_rd_grounds *g = &e->v.grounds;

	e->g.failed = g->not_held;
	e->g.partners = ww_rd_capped(g->partners);
	e->g.still_open = g->still_open;
	if (!e->v.covered) {
		ww_rd_differ(e, "coverage", "what was seen of the window", "nothing");
		return;
	}
	ww_rd_check_wire(e);
	ww_rd_check_later(e);
	if (e->v.controlled)
		ww_rd_check_control(e);
	if (e->g.looks)
		ww_rd_check_local(e);
	check_world(e);
}

static bool tier_goes_with(const struct ww_rd_verdict *v)
{
	if (ww_rd_is(v->verdict, verdict_names[WW_VERDICT_RESULT_ALTERED]))
		return ww_rd_is(v->tier, "T0") || ww_rd_is(v->tier, "T1");
	if (ww_rd_is(v->verdict, verdict_names[WW_VERDICT_CONFIRMED_T3]))
		return ww_rd_is(v->tier, "T3");
	return ww_rd_is(v->tier, ww_rd_is(v->verdict, verdict_names[WW_VERDICT_CONFIRMED_T1]) ? "T1"
				 : ww_rd_is(v->verdict, verdict_names[WW_VERDICT_CONFIRMED_T2])
					 ? "T2"
					 : "T0");
}

/* Whose rules it takes, and what they need of the verdict's own making. */
static bool is_understood(struct ww_rd_exam *e)
{
	const struct ww_rd_grounds *g = &e->v.grounds;

	if (ww_rd_by_name(e->v.verdict, verdict_names, WW_VERDICT_MAX) < 0) {
		ww_rd_open(e, "verdict", "a word that is understood", "another");
		return false;
	}
	if (!ww_rd_is(e->v.engine, "effect") && !ww_rd_is(e->v.engine, "commit") &&
	    !ww_rd_is(e->v.engine, "control") && !ww_rd_is(e->v.engine, "prose")) {
		ww_rd_open(e, "engine", "an engine whose rules are carried", "another");
		return false;
	}
	if (!g->there) {
		ww_rd_open(e, "grounds", "what the rules looked at", "it was not recorded");
		return false;
	}
	if (e->v.controlled != g->controlled) {
		ww_rd_differ(e, "grounds.control", e->v.controlled ? "a control" : "none",
			     e->v.controlled ? "none" : "one");
		return false;
	}
	return true;
}

static void examine(struct ww_rd_exam *e)
{
	const struct ww_rd_grounds *g = &e->v.grounds;
	struct ww_ruling plain;

	/* What needs no evidence at all. */
	if (!tier_goes_with(&e->v))
		ww_rd_differ(e, "tier", "the tier of the verdict", "another");
	if (!is_understood(e))
		return;
	e->g.given_up = g->given_up;
	e->g.clock_bad = g->clock_bad;
	e->g.asked = g->asked;
	e->g.remote = g->remote;
	e->g.resolved = !ww_rd_is(e->v.root, "p0");
	check_id(e);
	check_contracts(e);
	take_terms(e);
	check_span(e);
	check_claims(e);
	ww_rd_check_prose(e);
	check_action(e);
	check_refs(e);
	if (e->open)
		return;
	if (!ww_rule_plainly(&e->g, &plain)) {
		if (!g->wire) {
			ww_rd_differ(e, "grounds", "a look at the wire", "none");
			return;
		}
		check_wire(e);
	} else if (g->wire) {
		ww_rd_differ(e, "grounds", "no look at the wire", "one");
		return;
	}
	if (!e->open)
		compare(e);
}

void ww_rd_check(struct ww_rederive *rd, struct ww_rd_record *rec)
{
	WW_AUTO_FREE struct ww_rd_exam *e = calloc(1, sizeof(*e));
	struct ww_errtext why = {""};

	if (!e) {
		ww_rd_no_memory(rd);
		return;
	}
	e->rd = rd;
	e->rec = rec;
	if (!rec->id.p) {
		ww_rd_differ(e, "record", "a verdict's record",
			     "its kind or id is not as it should be");
		return;
	}
	if (ww_rd_verdict_read(rec->json, &e->v, &why) < 0) {
		ww_rd_differ(e, "record", "a record that can be read", why.text);
		return;
	}
	if (e->v.supersedes.s.p)
		ww_rd_supersede(rd, rec, e->v.supersedes.s);
	examine(e);
}
