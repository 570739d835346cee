/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verdict says that a text claimed, against the records of the model calls; and the grounds
 * of a verdict on what prose alone speaks of. That a rule matched is taken from these records: the
 * text is in none.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ledger/fields.h"
#include "ledger/rederive_exam.h"

#define NS_PER_S 1000000000ull

/* More than the monitor writes is looked at by nobody: claims of a verdict, calls and earlier tools
 * of a model call, and references among which the answer that asked for the call is. */
#define SAID_MAX  16u
#define NAMES_MAX 256u
#define REFS_MAX  32u
/* Model calls of one turn; the calls of more are more than a request is looked at for. */
#define TURN_MAX 256u

/* A claim, as it stands in a verdict and in the record of the model call. */
struct said {
	struct ww_rd_text kind, topic, rule, exchange, digest;
	uint64_t at, bytes;
};

struct model {
	struct ww_rd_text exchange, turn;
	bool whole; /* the request */
	struct ww_rd_number results_dropped;
	struct ww_slice calls, results;   /* the arrays' texts */
	struct ww_slice prose, reasoning; /* the objects' texts; empty: nothing was found */

	/* of prose; `earlier` empty: not recorded */
	struct ww_rd_number turn_calls;
	struct ww_slice earlier; /* tools of earlier turns: the array's text */
	bool over;               /* more calls than are looked at */
};

static int read_said(struct ww_slice text, struct said *s, struct ww_errtext *why)
{
	struct ww_member_want m[] = {
		WW_MEMBER("kind", TEXT, &s->kind),     WW_MEMBER("topic", TEXT, &s->topic),
		WW_MEMBER("rule", TEXT, &s->rule),     WW_MEMBER("exchange", TEXT, &s->exchange),
		WW_MEMBER("digest", TEXT, &s->digest), WW_MEMBER("at", U64, &s->at),
		WW_MEMBER("bytes", U64, &s->bytes),
	};

	memset(s, 0, sizeof(*s));
	return WW_MEMBERS_READ(text, "a claim in prose", m, why);
}

static int read_model(struct ww_slice json, struct model *c, struct ww_errtext *why)
{
	struct ww_member_want m[] = {
		WW_MEMBER("exchange", TEXT, &c->exchange),
		WW_MEMBER("turn", TEXT, &c->turn),
		WW_MEMBER("requestWhole", BOOL, &c->whole),
		WW_MEMBER("toolResultsDropped", NUMBER, &c->results_dropped),
		WW_MEMBER("toolCalls", RAW, &c->calls),
		WW_MEMBER("toolResults", RAW, &c->results),
		WW_MEMBER("prose", MAYBE, &c->prose),
		WW_MEMBER("reasoning", MAYBE, &c->reasoning),
	};

	struct ww_member_want p[] = {
		WW_MEMBER("turnCalls", NUMBER, &c->turn_calls),
		WW_MEMBER("earlierTools", MAYBE, &c->earlier),
		WW_MEMBER("historyOver", FLAG, &c->over),
	};
	int r;

	memset(c, 0, sizeof(*c));
	r = WW_MEMBERS_READ(json, "the model call", m, why);
	return r < 0 || !c->prose.n ? r : WW_MEMBERS_READ(c->prose, "its prose", p, why);
}

/* The model call that an exchange is: "m-" where that has "x-". */
static bool model_id(struct ww_slice exchange, char out[72])
{
	if (exchange.n < 2 || exchange.n >= 72)
		return false;
	snprintf(out, 72, "m%.*s", (int)exchange.n - 1, (const char *)exchange.p + 1);
	return true;
}

/* --- one claim ----------------------------------------------------------------------------------
 */

struct search {
	const struct said *want;
	bool found;
};

static int match_said(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		      struct ww_errtext *why)
{
	struct search *s = ctx;
	struct said c;
	int r = read_said(text, &c, why);

	if (r == 0 && ww_rd_same(c.kind, s->want->kind) && ww_rd_same(c.topic, s->want->topic) &&
	    ww_rd_same(c.rule, s->want->rule) && ww_rd_same(c.digest, s->want->digest) &&
	    c.at == s->want->at && c.bytes == s->want->bytes)
		s->found = true;
	return r;
}

static int each_claim(struct ww_slice found, ww_members_fn fn, void *ctx, struct ww_errtext *why)
{
	struct ww_slice claims;
	struct ww_member_want m[] = {WW_MEMBER("claims", RAW, &claims)};
	int r = found.n ? WW_MEMBERS_READ(found, "what was found", m, why) : 0;

	return r < 0 || !found.n ? r : ww_members_each(claims, "the claims", fn, ctx, why);
}

/* The cited record of an exchange's model call, taken apart; NULL: that was said. */
static const struct ww_rd_record *cited_model(struct ww_rd_exam *e, const char *field,
					      struct ww_rd_text exchange, struct model *ret)
{
	struct ww_errtext why = {""};
	const struct ww_rd_record *rec;
	char id[72];

	if (!model_id(exchange.s, id)) {
		ww_rd_differ(e, field, "claims of a model call's text", "another");
		return NULL;
	}
	rec = ww_rd_cited(e, WW_RD_MODEL, field, (struct ww_rd_text){ww_slice_str(id), false});
	if (!rec)
		return NULL;
	if (read_model(rec->json, ret, &why) < 0) {
		ww_rd_unreadable(e, field, rec, why.text);
		return NULL;
	}
	ww_rd_same_text(e, field, rec, ret->exchange, exchange);
	return rec;
}

/* Of the text, or of reasoning that was shown: only what was checked is looked for there. */
static void check_said(struct ww_rd_exam *e, const char *field, const struct said *s, bool checks)
{
	struct search search = {.want = s};
	struct ww_errtext why = {""};
	const struct ww_rd_exchange *x;
	struct ww_rd_record *xrec;
	const struct ww_rd_record *rec;
	struct model m;
	char expected[96];
	int r;

	if (checks ? !ww_rd_is(s->kind, "control")
		   : !ww_rd_is(s->kind, "done") && !ww_rd_is(s->kind, "will")) {
		ww_rd_open(e, field, "a kind of claim that is understood", "another");
		return;
	}
	x = ww_rd_cited_exchange(e, field, s->exchange, &xrec);
	rec = cited_model(e, field, s->exchange, &m);
	if (!x || !rec)
		return;
	ww_rd_same_text(e, "root", xrec, x->root, e->v.root);
	r = each_claim(m.prose, match_said, &search, &why);
	if (r == 0 && checks)
		r = each_claim(m.reasoning, match_said, &search, &why);
	if (r < 0) {
		ww_rd_unreadable(e, field, rec, why.text);
		return;
	}
	snprintf(expected, sizeof(expected), "a claim that record %" PRIu64 " has", rec->index);
	if (!search.found)
		ww_rd_differ(e, field, expected, "one that it has not");
}

/* The list has `*ret_count` claims, the last of which is *ret_last. */
static void check_list(struct ww_rd_exam *e, const char *field, struct ww_slice list, bool checks,
		       unsigned *ret_count, struct said *ret_last)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = list.n ? ww_fields_array(list, &j) : 0;

	while (list.n && r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		r = *ret_count < SAID_MAX ? read_said(text, ret_last, NULL) : -EINVAL;
		if (r < 0)
			break;
		check_said(e, field, ret_last, checks);
		++*ret_count;
	}
	if (r >= 0)
		return;
	e->open = true;
	ww_rd_differ(e, field, "a list that can be read", "another");
}

/* --- what was checked, by the text --------------------------------------------------------------
 */

struct call_search {
	const struct ww_rd_exam *e;
	unsigned looked;
	bool found;
};

static int one_more(struct call_search *s, struct ww_errtext *why)
{
	return s->looked++ < NAMES_MAX ? 0
				       : ww_errtext_set(why, -EINVAL, "over %u calls", NAMES_MAX);
}

static int match_call(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		      struct ww_errtext *why)
{
	struct ww_rd_text id = {WW_SLICE_NULL, false};
	struct call_search *s = ctx;
	bool complete;
	struct ww_member_want m[] = {WW_MEMBER("id", TEXT, &id),
				     WW_MEMBER("complete", BOOL, &complete)};
	int r = WW_MEMBERS_READ(text, "a tool call", m, why);

	if (r == 0 && complete && id.s.n && ww_rd_same(id, s->e->v.tool_call_id))
		s->found = true;
	return r;
}

static int match_check(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		       struct ww_errtext *why)
{
	bool *found = ctx;
	struct said c;
	int r = read_said(text, &c, why);

	*found |= r == 0 && ww_rd_is(c.kind, "control");
	return r;
}

/* The answer that asked for the call says that something was checked. */
static bool narrates(const struct ww_rd_exam *e, struct ww_slice exchange)
{
	struct call_search own = {.e = e};
	const struct ww_rd_record *rec;
	bool found = false;
	struct model m;
	char id[72];

	if (!model_id(exchange, id))
		return false;
	rec = ww_rd_before(e->rd, WW_RD_MODEL, ww_slice_str(id), e->rec->index);
	return rec && read_model(rec->json, &m, NULL) == 0 &&
	       ww_members_each(m.calls, "its calls", match_call, &own, NULL) == 0 && own.found &&
	       each_claim(m.prose, match_check, &found, NULL) == 0 &&
	       each_claim(m.reasoning, match_check, &found, NULL) == 0 && found;
}

static void check_narrated(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;
	bool said = v->narrated.n > 0;
	struct ww_json_token t;
	struct ww_json j;

	if (v->controlled && v->control.narrated != said)
		ww_rd_differ(e, "control.narrated", said ? "true" : "false",
			     said ? "false" : "true");
	if (said || ww_fields_array(v->refs, &j) < 0)
		return;
	for (unsigned i = 0; i < REFS_MAX && ww_json_next(&j, &t) == WW_PARSE_DONE; i++) {
		if (t.type == WW_JSON_STRING && ww_slice_starts(t.raw, WW_SLICE_LIT("x-")) &&
		    narrates(e, t.raw)) {
			ww_rd_differ(e, "said.narrated", "what the answer that asked for it says",
				     "nothing");
			return;
		}
	}
}

/* --- what prose alone speaks of -----------------------------------------------------------------
 */

static int next_tool(struct ww_json *j, struct ww_rd_text *ret_tool, struct ww_slice *ret_terms)
{
	struct ww_rd_text tool = {WW_SLICE_NULL, false};
	struct ww_member_want m[] = {WW_MEMBER("tool", TEXT, &tool),
				     WW_MEMBER("terms", RAW, ret_terms)};
	struct ww_json_token t;
	struct ww_slice text;
	int r = ww_fields_next(j, &t, &text);

	if (r != 1)
		return r;
	if (WW_MEMBERS_READ(text, "a tool", m, NULL) < 0 || !tool.s.p)
		return -EINVAL;
	*ret_tool = tool;
	return 1;
}

static void take_tool(struct ww_rd_exam *e, struct ww_rd_text tool, struct ww_slice text)
{
	const struct ww_rd_terms *terms = ww_rd_terms_of(e->rd, text);
	struct ww_slice before;

	if (!terms || !terms->contracts || !terms->whole) {
		ww_rd_open(e, "grounds.mayMean", "the terms of each tool", "others");
		return;
	}
	before = ww_rd_terms_before(e->rd, tool.s, e->v.contracts.s, text);
	if (before.n && !ww_slice_eq(before, text))
		ww_rd_differ(e, "grounds.mayMean",
			     "the terms of an earlier verdict on the tool under this contract file",
			     "others");
}

/* The other tools that it may mean. */
static void check_tools(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;
	struct ww_rd_text tool;
	struct ww_slice terms;
	struct ww_json j;
	uint64_t count = 1;
	int r = v->grounds.may_mean.n ? ww_fields_array(v->grounds.may_mean, &j) : 0;

	if (!v->grounds.wire)
		return;
	if (v->prose_tools > 1 && !v->grounds.may_mean.n) {
		ww_rd_open(e, "grounds.mayMean", "the terms of the other tools",
			   "they were too long to be recorded");
		return;
	}
	while (v->grounds.may_mean.n && r >= 0 && (r = next_tool(&j, &tool, &terms)) == 1) {
		take_tool(e, tool, terms);
		if (count++ == WW_CONTRACTS_MAX)
			r = -EINVAL;
	}
	e->open |= r < 0;
	if (r < 0)
		ww_rd_differ(e, "grounds.mayMean", "a list that can be read", "another");
	else if (count != v->prose_tools)
		ww_rd_differ(e, "said.tools", "the tools of grounds", "another number");
}

static bool is_wait(const struct ww_contract *c, uint64_t wait_ns)
{
	return wait_ns == (c->deadline_s ? c->deadline_s * NS_PER_S : WW_WILL_NS);
}

/* What was announced is waited for as its tool says; which one came first is not recorded. */
static bool is_due(struct ww_rd_exam *e, const struct said *s, uint64_t ended_ns)
{
	uint64_t to = e->v.grounds.to_ns;
	struct ww_rd_text tool;
	struct ww_slice text;
	struct ww_json j;
	bool due;

	if (!ww_rd_is(s->kind, "will") || to < ended_ns)
		return to == ended_ns;
	due = e->contract && is_wait(e->contract, to - ended_ns);
	if (ww_fields_array(e->v.grounds.may_mean, &j) < 0)
		return due;
	while (!due && next_tool(&j, &tool, &text) == 1) {
		const struct ww_rd_terms *terms = ww_rd_terms_of(e->rd, text);

		due = terms && terms->contracts &&
		      is_wait(&terms->contracts->items[0], to - ended_ns);
	}
	return due;
}

/* From the turn's begin, which is no later than the request, to when it had to be there. */
static void check_window(struct ww_rd_exam *e, const struct said *s, const struct model *m)
{
	const struct ww_rd_grounds *g = &e->v.grounds;
	struct ww_rd_record *rec =
		ww_rd_before(e->rd, WW_RD_EXCHANGE, s->exchange.s, e->rec->index);
	const struct ww_rd_exchange *x = rec ? ww_rd_exchange_of(e->rd, rec) : NULL;

	if (!x || !g->wire)
		return; /* that was said; or nothing was looked for */
	if (g->from_ns > x->req_first_ns || (m->turn_calls.n == 0 && g->from_ns != x->req_first_ns))
		ww_rd_differ(e, "grounds.fromBootNs", "the begin of the turn that led to the text",
			     "another time");
	if (!is_due(e, s, x->ended_ns))
		ww_rd_differ(e, "grounds.toBootNs", "the text's end, and the wait for what it says",
			     "another time");
}

/* One of the tools that the text may mean. */
static bool is_meant(const struct ww_rd_exam *e, struct ww_rd_text name)
{
	bool meant = ww_rd_same(name, e->v.tool);
	struct ww_rd_text tool;
	struct ww_slice terms;
	struct ww_json j;

	if (ww_fields_array(e->v.grounds.may_mean, &j) < 0)
		return meant;
	while (!meant && next_tool(&j, &tool, &terms) == 1)
		meant = ww_rd_same(name, tool);
	return meant;
}

static int count_call(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		      struct ww_errtext *why)
{
	return one_more(ctx, why);
}

static int match_tool(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		      struct ww_errtext *why)
{
	struct ww_rd_text name = {WW_SLICE_NULL, false};
	struct call_search *s = ctx;
	bool complete;
	struct ww_member_want m[] = {WW_MEMBER("name", TEXT, &name),
				     WW_MEMBER("complete", BOOL, &complete)};
	int r = one_more(s, why);

	if (r == 0)
		r = WW_MEMBERS_READ(text, "a tool call", m, why);
	s->found |= r == 0 && complete && is_meant(s->e, name);
	return r;
}

static int match_earlier(void *ctx, const struct ww_json_token *t, struct ww_slice text,
			 struct ww_errtext *why)
{
	struct call_search *s = ctx;
	int r = one_more(s, why);

	if (r == 0 && t->type != WW_JSON_STRING)
		return ww_errtext_set(why, -EINVAL, "a tool's name is not a text");
	s->found |= r == 0 && is_meant(s->e, (struct ww_rd_text){t->raw, t->escaped});
	return r;
}

/* Whether one of the tools was called in an earlier turn of the conversation. */
static void check_earlier(struct ww_rd_exam *e, const struct ww_rd_record *rec,
			  const struct model *m)
{
	struct call_search search = {.e = e};
	struct ww_errtext why = {""};

	if (!m->earlier.n)
		ww_rd_open(e, "said.earlier", "the tools of earlier turns",
			   "they are not recorded");
	else if (ww_members_each(m->earlier, "its earlier tools", match_earlier, &search, &why) < 0)
		ww_rd_unreadable(e, "said.earlier", rec, why.text);
	else if (search.found != e->v.prose_earlier)
		ww_rd_differ(e, "said.earlier", search.found ? "true" : "false",
			     search.found ? "false" : "true");
}

/* What the other listed answers of the turn asked for. */
struct asked {
	uint64_t calls; /* by answers that ended in the window */
	bool meant;     /* one of these calls is of a tool that the text may mean */
	bool before;    /* or one by an answer that ended before the window */
	bool over;      /* there are more answers than are looked at, or an unreadable one */
};

static void add_answer(struct ww_rd_exam *e, struct ww_rd_record *rec, uint64_t text_ns,
		       struct asked *a)
{
	struct call_search all = {.e = e}, meant = {.e = e};
	const struct ww_rd_exchange *x;
	struct ww_rd_record *xrec;
	struct model m;

	a->over |= read_model(rec->json, &m, NULL) < 0;
	if (a->over)
		return;
	xrec = ww_rd_before(e->rd, WW_RD_EXCHANGE, m.exchange.s, e->rec->index);
	x = xrec ? ww_rd_exchange_of(e->rd, xrec) : NULL;
	if (!x || x->req_first_ns >= text_ns || !ww_rd_same(x->root, e->v.root))
		return;
	a->over |= ww_members_each(m.calls, "its calls", count_call, &all, NULL) < 0 ||
		   ww_members_each(m.calls, "its calls", match_tool, &meant, NULL) < 0;
	if (x->ended_ns < e->v.grounds.from_ns) {
		a->before |= meant.found;
		return;
	}
	a->calls += all.looked;
	a->meant |= meant.found;
}

/*
 * A text that comes after a call of its turn which it may mean is about that call. One that an
 * earlier answer asked for may be of another turn that began with the same words; not when the
 * window is too short for the calls that the request holds.
 */
static void check_asked(struct ww_rd_exam *e, const struct said *s, const struct model *m)
{
	struct ww_rd_record *xrec =
		ww_rd_before(e->rd, WW_RD_EXCHANGE, s->exchange.s, e->rec->index);
	const struct ww_rd_exchange *x = xrec ? ww_rd_exchange_of(e->rd, xrec) : NULL;
	struct asked a = {0};
	unsigned looked = 0;

	if (!x || !e->v.grounds.wire || e->v.prose_blind || e->v.grounds.partners)
		return; /* that was said; nothing was looked for; or it says so itself */
	for (struct ww_rd_record *rec = ww_rd_turn(e->rd, m->turn.s); rec; rec = rec->turn) {
		a.over |= looked++ == TURN_MAX;
		if (a.over)
			break;
		if (rec->index < e->rec->index)
			add_answer(e, rec, x->req_first_ns, &a);
	}
	if (a.over || a.meant || (a.before && a.calls < m->turn_calls.n))
		ww_rd_open(e, "said.proseOnly", "a turn whose answers ask for none of the tools",
			   a.over ? "more answers than can be looked at"
				  : "a call that the text may mean");
}

/* What a request holds of its turn can be of calls that were not seen; nothing cannot. */
static void check_blind(struct ww_rd_exam *e, const struct model *m)
{
	bool cut = !m->whole || !m->turn.s.p || m->results_dropped.n || m->over;
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;

	if (cut && !e->v.prose_blind)
		ww_rd_differ(e, "said.blind", "true: the turn was not seen whole", "false");
	if (cut || !e->v.prose_blind || m->turn_calls.n)
		return;
	if (ww_fields_array(m->results, &j) == 0 && ww_fields_next(&j, &t, &text) == 0)
		ww_rd_differ(e, "said.blind", "false: the text's answer is the turn's first",
			     "true");
}

/* The turn, as far as the record of the model call shows it. */
static void check_turn(struct ww_rd_exam *e, const struct said *s)
{
	struct call_search own = {.e = e};
	const struct ww_rd_record *rec;
	struct ww_errtext why = {""};
	struct model m;
	char id[72];

	if (!model_id(s->exchange.s, id))
		return;
	rec = ww_rd_before(e->rd, WW_RD_MODEL, ww_slice_str(id), e->rec->index);
	if (!rec || read_model(rec->json, &m, NULL) < 0)
		return; /* that was said */
	check_blind(e, &m);
	if (ww_members_each(m.calls, "its calls", match_tool, &own, &why) < 0)
		ww_rd_unreadable(e, "said.prose", rec, why.text);
	else if (own.found)
		ww_rd_open(e, "said.proseOnly", "an answer that asks for none of the tools",
			   "a call that the text may mean");
	if (e->v.grounds.wire)
		check_earlier(e, rec, &m);
	check_asked(e, s, &m);
	check_window(e, s, &m);
}

static void check_only(struct ww_rd_exam *e, unsigned count, const struct said *s)
{
	const struct ww_rd_verdict *v = &e->v;
	struct ww_grounds *g = &e->g;

	g->prose = true;
	g->prose_blind = v->prose_blind;
	g->prose_earlier = v->prose_earlier;
	g->prose_taken = v->near_total > v->near_count;
	for (unsigned i = 0; i < v->near_count; i++)
		g->prose_taken |= ww_rd_is(v->near[i].why, "taken");
	if (count != 1 || v->spanned || v->claim_count || v->grounds.asked || v->tool_call_id.s.p ||
	    v->controlled) {
		ww_rd_differ(e, "said.proseOnly", "one claim in prose, and nobody else's", "more");
		return;
	}
	check_tools(e);
	check_turn(e, s);
}

void ww_rd_check_prose(struct ww_rd_exam *e)
{
	unsigned count = 0, narrated = 0;
	struct said last, check;

	check_list(e, "said.prose", e->v.prose, false, &count, &last);
	check_list(e, "said.narrated", e->v.narrated, true, &narrated, &check);
	check_narrated(e);
	if (e->v.prose_only)
		check_only(e, count, &last);
}

void ww_rd_prose_absent(struct ww_rd_exam *e, const struct ww_rd_absence *like)
{
	struct ww_rd_absence a = *like;
	struct ww_rd_text tool;
	struct ww_slice text;
	struct ww_json j;

	if (ww_fields_array(e->v.grounds.may_mean, &j) < 0)
		return;
	while (next_tool(&j, &tool, &text) == 1) {
		const struct ww_rd_terms *terms = ww_rd_terms_of(e->rd, text);

		if (!terms || !terms->contracts)
			continue;
		a.contract = &terms->contracts->items[0];
		ww_rd_absent(e->rd, &a);
	}
}
