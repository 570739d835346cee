/* SPDX-License-Identifier: Apache-2.0 */
/* The column wire of one verdict against the exchanges and flows that it cites. */
#include <inttypes.h>
#include <stdio.h>

#include "base/encode.h"
#include "ledger/fields.h"
#include "ledger/rederive_exam.h"

#define DESCENT_MAX 64 /* spans between a call and its tool */

/* --- terms --------------------------------------------------------------------------------------
 */

/* A declared template against one without values, where {} stands for any. */
static bool path_fits(const char *declared, struct ww_slice path)
{
	struct ww_slice want = ww_slice_str(declared);
	size_t w = 0, p = 0;

	while (w < want.n && p < path.n) {
		size_t we = ww_slice_find(want, w + 1, '/'), pe = ww_slice_find(path, p + 1, '/');
		struct ww_slice ws = ww_slice_sub(want, w + 1, we - w - 1);
		struct ww_slice ps = ww_slice_sub(path, p + 1, pe - p - 1);

		if (ww_slice_eq_str(ws, "**"))
			return true;
		if (ps.n == 0 ? ws.n != 0
			      : (ws.n == 0 || ws.p[0] != '{') && !ww_slice_eq_str(ps, "{}") &&
					!ww_slice_eq(ws, ps))
			return false;
		w = we;
		p = pe;
	}
	return w == want.n && p == path.n;
}

static bool request_fits(const struct ww_contract *c, const struct ww_rd_exchange *x)
{
	bool method = false, path = false;

	if (x->method.escaped || x->path.escaped)
		return false;
	if (x->program.s.p) /* a channel has no paths, only calls */
		return c->mcp_tool && ww_slice_eq_str(x->method.s, "tools/call");
	for (unsigned i = 0; i < c->call.method_count; i++)
		method |= ww_slice_eq_str(x->method.s, c->call.methods[i]);
	for (unsigned i = 0; i < c->call.path_count; i++)
		path |= path_fits(c->call.paths[i], x->path.s);
	return method && path;
}

static bool name_text(struct ww_rd_text t, char *out, size_t cap)
{
	out[0] = '\0';
	if (!t.s.p)
		return true;
	if (t.escaped || t.s.n >= cap)
		return false;
	memcpy(out, t.s.p, t.s.n);
	out[t.s.n] = '\0';
	return true;
}

/* Both names that a request goes by, as join/held.c has it. */
static bool destination_fits(const struct ww_contract *c, const struct ww_rd_exchange *x)
{
	char sni[260], authority[260];
	char program[WW_PATH_BYTES_MAX];
	struct ww_endpoint peer = {0};

	if (x->program.s.p)
		return name_text(x->program, program, sizeof(program)) &&
		       ww_pattern_program(&c->call, program);
	if (!name_text(x->sni, sni, sizeof(sni)) ||
	    !name_text(x->authority, authority, sizeof(authority)) ||
	    (ww_rd_endpoint_read(x->peer.s, &peer) < 0 &&
	     !ww_slice_starts(x->peer.s, WW_SLICE_LIT("?:"))))
		return false;
	return ww_pattern_destination(&c->call, sni[0] ? sni : authority, &peer) &&
	       (!authority[0] || ww_pattern_destination(&c->call, authority, &peer));
}

bool ww_rd_fits(const struct ww_contract *c, const struct ww_rd_exchange *x)
{
	if (c->mcp_tool && x->mcp_tool.s.p && !ww_rd_is(x->mcp_tool, c->mcp_tool))
		return false;
	return x->client && !x->found_again && request_fits(c, x) && destination_fits(c, x);
}

/* --- the attempts -------------------------------------------------------------------------------
 */

static struct ww_rd_number number(uint64_t n)
{
	return (struct ww_rd_number){n, true};
}

/* Taken for later, or an answer that is to be seen elsewhere. */
static bool is_for_later(const struct ww_contract *c, uint64_t status)
{
	const struct ww_success *s = &c->success;

	if (c->mcp_tool)
		return false;
	if (status == 303)
		return c->deadline_s > 0;
	return status == 202 && (c->deadline_s || s->status_min != 202 || s->status_max != 202);
}

/* With a status that the contract declares: what the body makes of it is not kept. */
static uint32_t by_body(const struct ww_contract *c, const struct ww_rd_exchange *x,
			uint64_t status)
{
	const uint32_t rules = WW_RD_WIRE(BODY_FAILED) | WW_RD_WIRE(BODY_UNKNOWN);
	uint32_t wires = WW_RD_WIRE(SUCCESS);

	if (c->mcp_tool && status == 202)
		return WW_RD_WIRE(UNDECODED);
	if (!c->mcp_tool && x->grpc) {
		if (!x->grpc_status.there || !ww_rd_is(x->outcome, "complete"))
			return WW_RD_WIRE(BODY_UNKNOWN);
		if (x->grpc_status.n != 0)
			return WW_RD_WIRE(BODY_FAILED);
	}
	if (c->bulk.items)
		wires |= WW_RD_WIRE(PARTIAL) | rules;
	else if (status == 207 && c->success.status_min != c->success.status_max)
		wires = WW_RD_WIRE(BODY_UNKNOWN);
	return wires | (c->success.rule_count || c->mcp_tool ? rules : 0);
}

uint32_t ww_rd_wires(const struct ww_contract *c, const struct ww_rd_exchange *x)
{
	uint64_t status = x->status.there ? x->status.n : 0;

	if (ww_rd_is(x->outcome, "upgraded") || ww_rd_is(x->outcome, "unparsed"))
		return WW_RD_WIRE(UNDECODED);
	if (x->program.s.p && ww_rd_is(x->outcome, "complete"))
		return by_body(c, x, 0);
	if (status >= 200) {
		if (is_for_later(c, status))
			return WW_RD_WIRE(ACCEPTED);
		if (status >= c->success.status_min && status <= c->success.status_max)
			return by_body(c, x, status);
		if (status == 304)
			return WW_RD_WIRE(UNCHANGED);
		return status >= 300 && status < 400 ? WW_RD_WIRE(REDIRECTED) : WW_RD_WIRE(FAILED);
	}
	if (ww_rd_is(x->outcome, "open"))
		return WW_RD_WIRE(UNFINISHED);
	if (ww_rd_is(x->outcome, "request-cut"))
		return x->gap_in_request ? WW_RD_WIRE(UNDECODED) : WW_RD_WIRE(NOT_SENT);
	return WW_RD_WIRE(NO_REPLY);
}

static const char *const wire_names[WW_WIRE_MAX] = {WW_WIRES(WW_RD_NAME)};

/* Of the action's own tool spans, or of another action's. */
static bool is_own_tool(const struct ww_rd_exam *e, const struct ww_rd_span *s, struct ww_slice id)
{
	struct ww_json_token t;
	struct ww_json j;

	ww_json_init(&j, e->v.refs);
	while (ww_json_next(&j, &t) == WW_PARSE_DONE) {
		if (t.type == WW_JSON_STRING && ww_slice_eq(t.raw, id))
			return !s->tool_call_id.s.p ||
			       ww_rd_same(s->tool_call_id, e->v.tool_call_id);
	}
	return false;
}

static struct ww_rd_text name_of(const struct ww_rd_exchange *x)
{
	if (x->program.s.p)
		return x->program;
	return x->sni.s.n ? x->sni : x->authority;
}

/* Equal names have equal texts: all that is asked of them. */
static void take_name(struct ww_rd_exam *e, unsigned i, const struct ww_rd_exchange *x)
{
	struct ww_rd_text name = name_of(x);
	unsigned same = 0;

	e->said_names[i] = name;
	while (!ww_rd_same(e->said_names[same], name))
		same++;
	snprintf(e->names[i], sizeof(e->names[i]), "%u", same);
	e->g.attempts[i].name = e->names[i];
}

/* The exchange's trace context is that of a tool span of the action, or descends from one. */
static void check_descent(struct ww_rd_exam *e, const struct ww_rd_record *rec,
			  const struct ww_rd_exchange *x)
{
	struct ww_rd_text at = x->span_id;
	char id[64], expected[96];
	struct ww_rd_span s;

	if (!x->trace_id.s.p || !at.s.p) {
		ww_rd_differ(e, "wire.attempts.by", "a trace context on the wire", "none");
		return;
	}
	for (unsigned i = 0; i < DESCENT_MAX && at.s.p && at.s.n < 40; i++) {
		snprintf(id, sizeof(id), "s-%.*s", WW_RD_TEXT(at));
		if (!ww_rd_span_record(e, ww_slice_str(id), &x->trace_id, &s)) {
			snprintf(expected, sizeof(expected),
				 "the record %s of the trace of record %" PRIu64, id, rec->index);
			if (ww_rd_span_record(e, ww_slice_str(id), NULL, &s)) {
				ww_rd_differ(e, "wire.attempts.by", expected,
					     "one of another trace");
				return;
			}
			ww_rd_open(e, "wire.attempts.by", expected,
				   "it is not listed, or withheld");
			return;
		}
		if (ww_rd_is(s.role, "tool")) {
			if (!is_own_tool(e, &s, ww_slice_str(id)))
				ww_rd_differ(e, "wire.attempts.by",
					     "a call of the action's own tool span", id);
			return;
		}
		at = s.parent_id;
	}
	ww_rd_differ(e, "wire.attempts.by", "a tool span above the call", "none");
}

static void check_join(struct ww_rd_exam *e, const struct ww_rd_record *rec,
		       const struct ww_rd_exchange *x, const struct ww_grounds_attempt *at)
{
	const struct ww_rd_verdict *v = &e->v;

	if ((at->grade == WW_JOIN_EXACT) !=
		    (at->by == WW_JOIN_BY_TRACEPARENT || at->by == WW_JOIN_BY_IDEMPOTENCY_KEY) ||
	    at->grade == WW_JOIN_NONE || (at->by == WW_JOIN_BY_RESPONSE_ID)) {
		ww_rd_differ(e, "wire.attempts.join", "a grade that goes with its by",
			     ww_rd_joins[at->grade]);
		return;
	}
	if (at->by == WW_JOIN_BY_TRACEPARENT)
		check_descent(e, rec, x);
	if (at->by == WW_JOIN_BY_IDEMPOTENCY_KEY &&
	    (!x->key_digest.s.p || (!ww_rd_same(x->key_digest, v->grounds.call_key) &&
				    !ww_rd_same(x->key_digest, v->grounds.span_key))))
		ww_rd_differ(e, "wire.attempts.by", "the idempotency key of the call or the span",
			     "another, or none");
	/* What names a trace of its own is at best contested. */
	if (at->grade == WW_JOIN_UNIQUE && v->spanned && v->span_count == 1 && x->trace_id.s.p &&
	    !ww_rd_same(x->trace_id, v->span_trace))
		ww_rd_differ(e, "wire.attempts.join", "no other trace on the wire than the span's",
			     "another");
}

static uint64_t unexplained(const struct ww_rd_account *a)
{
	int64_t room = (int64_t)(a->overhead_max - a->overhead);

	return a->checked && a->remainder > room ? (uint64_t)(a->remainder - room) : 0;
}

/* A close is told within this time. */
#define CLOSE_TOLD_NS 1000000000ull

/* The connection when the action was judged, after judged_ns, against its record, which was written
 * at its end. */
static bool flow_agrees(const struct ww_rd_ground_flow *g, const struct ww_rd_flow *f,
			uint64_t judged_ns)
{
	uint64_t unread = f->in.checked && f->in.remainder > 0 ? (uint64_t)f->in.remainder : 0;

	if (g->sent > f->sent || g->acked > f->acked || (g->tls && !f->tls))
		return false;
	if (!g->closed)
		return f->close_ns == 0 || f->close_ns + CLOSE_TOLD_NS > judged_ns;
	return (f->close_ns == 0 || g->closed_at.n == f->close_ns) && g->sent == f->sent &&
	       g->acked == f->acked && g->tls == f->tls &&
	       g->checked == !(f->bound && !(f->out.checked && f->in.checked)) &&
	       g->setup == f->out.handshake + f->out.tickets &&
	       g->unexplained_out >= unexplained(&f->out) &&
	       g->unexplained_in >= unexplained(&f->in) && g->unread >= unread;
}

/* It was judged when its window was over, unless it was shown before that. */
static uint64_t judged_after(const struct ww_rd_verdict *v)
{
	return v->grounds.judged.there && v->grounds.judged.n < v->to_ns ? v->grounds.judged.n
									 : v->to_ns;
}

static void check_flow(struct ww_rd_exam *e, const struct ww_rd_ground_flow *g,
		       const struct ww_rd_exchange *x)
{
	struct ww_rd_record *rec = ww_rd_newest(e->rd, WW_RD_FLOW, x->flow.s);
	const struct ww_rd_record *first = rec;
	struct ww_errtext why = {""};
	struct ww_rd_flow f;
	char expected[96], text[96];

	for (unsigned looked = 0; rec && looked < WW_RD_SAME_MAX; rec = rec->same, looked++) {
		if (ww_rd_flow_read(rec->json, &f, &why) < 0) {
			ww_rd_unreadable(e, "grounds.flows", rec, why.text);
			return;
		}
		if (ww_rd_same(f.peer, x->peer) && g && flow_agrees(g, &f, judged_after(&e->v)))
			return;
	}
	if (!first)
		return; /* it still lived when the report was made */
	snprintf(expected, sizeof(expected), "the counters of record %" PRIu64, first->index);
	if (g)
		ww_rd_differ(e, "grounds.flows", expected, ww_rd_shown(x->flow, text));
	else
		ww_rd_open(e, "grounds.flows", "the connection as it stood",
			   ww_rd_shown(x->flow, text));
}

void ww_rd_take_call(struct ww_rd_exam *e, const struct ww_rd_exchange *x,
		     struct ww_grounds_call *ret)
{
	const struct ww_rd_grounds *g = &e->v.grounds;
	const struct ww_rd_ground_flow *f = NULL;

	for (unsigned i = 0; i < g->flow_count && !f; i++) {
		if (ww_rd_same(g->flows[i].flow, x->flow))
			f = &g->flows[i];
	}
	ret->begun_ns = x->req_first_ns;
	ret->ended_ns = x->ended_ns;
	ret->req_end = x->req_offset + x->req_bytes;
	check_flow(e, f, x);
	if (!f)
		return;
	ret->flow = (struct ww_grounds_flow){
		.known = true,
		.tls = f->tls,
		.closed = f->closed,
		.closed_ns = f->closed_at.n,
		.unchecked = !f->checked,
		.sent = f->sent,
		.acked = f->acked,
		.setup = f->setup,
		.unexplained_out = f->unexplained_out,
		.unexplained_in = f->unexplained_in,
		.unread = f->unread,
	};
}

static void take_exchange(struct ww_rd_exam *e, struct ww_grounds_attempt *at,
			  const struct ww_rd_exchange *x)
{
	at->status = x->status.there && x->status.n <= 999 ? (uint16_t)x->status.n : 0;
	at->keyed = x->key_digest.s.n == 2 * WW_SHA256_LEN &&
		    ww_hex_decode(x->key_digest.s, at->key.b, sizeof(at->key.b)) == 0;
	at->resp_bytes = x->resp_bytes;
	at->retry_after = x->retry_after.there;
	at->retry_after_s = (uint32_t)x->retry_after.n;
	ww_rd_take_call(e, x, &at->call);
}

/* What only the verdict says of an attempt: its body was not kept. */
static void take_said(struct ww_rd_exam *e, unsigned i)
{
	const struct ww_rd_attempt *said = &e->v.attempts[i];
	struct ww_grounds_attempt *at = &e->g.attempts[i];

	at->good = ww_rd_capped(said->good.n);
	at->all = ww_rd_capped(said->all.n);
	at->id_known = said->id_known;
	if (said->good.there != said->all.there || at->good > at->all ||
	    (at->wire == WW_WIRE_PARTIAL && (at->good == 0 || at->good == at->all)))
		ww_rd_differ(e, "wire.attempts.items", "some of several items", "another number");
	if (at->wire == WW_WIRE_SUCCESS && at->good != at->all)
		ww_rd_differ(e, "wire.attempts.items", "all items of a success", "fewer");
}

static void check_calls(struct ww_rd_exam *e, const char *field, const struct ww_rd_record *rec,
			const struct ww_rd_exchange *x, enum ww_wire wire)
{
	char expected[96];

	ww_rd_same_text(e, "root", rec, x->root, e->v.root);
	if (e->contract->mcp_tool && !x->mcp_tool.s.p)
		ww_rd_open(e, field, "the record of its tool call",
			   "it is not listed, or withheld");
	if (!(ww_rd_wires(e->contract, x) & (1u << wire))) {
		snprintf(expected, sizeof(expected),
			 "what status and outcome of record %" PRIu64 " give under the terms",
			 rec->index);
		ww_rd_differ(e, field, expected, wire_names[wire]);
	}
	if (!ww_rd_fits(e->contract, x))
		ww_rd_differ(e, "wire.attempts", "calls that fit the terms", "one that does not");
}

static void check_exchange(struct ww_rd_exam *e, unsigned i, struct ww_rd_record *rec,
			   const struct ww_rd_exchange *x)
{
	const struct ww_rd_attempt *said = &e->v.attempts[i];
	const struct ww_rd_grounds *g = &e->v.grounds;
	const struct ww_grounds_attempt *at = &e->g.attempts[i];

	ww_rd_same_number(e, "wire.attempts.status", rec, x->status, said->status);
	ww_rd_same_number(e, "wire.attempts.retryAfterS", rec, x->retry_after, said->retry_after);
	check_calls(e, "wire.attempts.wire", rec, x, at->wire);
	if (x->req_first_ns < g->from_ns || x->req_first_ns > g->to_ns)
		ww_rd_differ(e, "wire.attempts", "calls that begin in the action's window",
			     "one outside of it");
	check_join(e, rec, x, at);
	if (!e->v.candidates && !e->v.prose_only)
		ww_rd_take(e->rd, rec, e->rec, e->v.action.s);
}

/* How an attempt is said to be joined, and to stand. */
static bool take_words(struct ww_rd_exam *e, const char *field, struct ww_rd_text wire_word,
		       struct ww_rd_text join_word, struct ww_rd_text by_word,
		       struct ww_grounds_attempt *at)
{
	int wire = ww_rd_by_name(wire_word, wire_names, WW_WIRE_MAX);
	int grade = ww_rd_by_name(join_word, ww_rd_joins, WW_JOIN_MAX);
	int by = ww_rd_by_name(by_word, ww_rd_bys, WW_JOIN_BY_MAX);

	if (wire < 0 || grade < 0 || by < 0) {
		ww_rd_open(e, field, "words that are understood", "others");
		return false;
	}
	at->wire = (enum ww_wire)wire;
	at->grade = (enum ww_join_grade)grade;
	at->by = (enum ww_join_by)by;
	return true;
}

const struct ww_rd_exchange *ww_rd_cited_exchange(struct ww_rd_exam *e, const char *field,
						  struct ww_rd_text id, struct ww_rd_record **ret)
{
	const struct ww_rd_exchange *x;

	*ret = ww_rd_cited(e, WW_RD_EXCHANGE, field, id);
	if (!*ret)
		return NULL;
	x = ww_rd_exchange_of(e->rd, *ret);
	if (!x)
		ww_rd_unreadable(e, field, *ret, "it is not");
	return x;
}

static void check_attempt(struct ww_rd_exam *e, unsigned i)
{
	const struct ww_rd_attempt *said = &e->v.attempts[i];
	struct ww_grounds_attempt *at = &e->g.attempts[i];
	const struct ww_rd_exchange *x;
	struct ww_rd_record *rec;

	at->name = at->method = "";
	if (!take_words(e, "wire.attempts", said->wire, said->join, said->by, at))
		return;
	x = ww_rd_cited_exchange(e, "wire.attempts.exchange", said->exchange, &rec);
	if (!x)
		return;
	snprintf(e->methods[i], sizeof(e->methods[i]), "%.*s", WW_RD_TEXT(x->method));
	at->method = e->methods[i];
	take_name(e, i, x);
	take_exchange(e, at, x);
	take_said(e, i);
	check_exchange(e, i, rec, x);
}

static void check_attempts(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;
	struct ww_grounds *g = &e->g;

	g->count = v->attempt_count;
	g->total = ww_rd_capped(v->grounds.attempts);
	for (unsigned i = 0; i < v->attempt_count; i++)
		check_attempt(e, i);
	if (v->candidates) {
		g->grade = WW_JOIN_AMBIGUOUS;
		g->by = WW_JOIN_BY_WINDOW;
	}
	for (unsigned i = 0; i < g->count && !v->candidates; i++) {
		if (g->attempts[i].grade > g->grade) {
			g->grade = g->attempts[i].grade;
			g->by = g->attempts[i].by;
		}
	}
	if (g->total < g->count ||
	    (!v->candidates && g->total > g->count && g->count < WW_GROUNDS_ATTEMPTS_MAX))
		ww_rd_differ(e, "grounds.attempts", "as many as are listed", "another number");
	if (!v->candidates && g->total)
		ww_rd_same_number(e, "wire.retries", e->rec, number(g->total - 1), v->retries);
}

/* By the wall clock, too: what was said to be over before it. */
static bool came_after(const struct ww_rd_verdict *v, const struct ww_rd_exchange *x)
{
	bool after = !v->spanned || ww_rd_later(x->t, v->span_end);

	for (unsigned i = 0; i < v->claim_count; i++) {
		if (v->claims[i].deadline.s.p)
			after &= ww_rd_later(x->t, v->claims[i].deadline);
	}
	return after;
}

/* The call that came after it had to be made. */
static void check_late(struct ww_rd_exam *e)
{
	const struct ww_rd_grounds *g = &e->v.grounds;
	struct ww_grounds_attempt *at = &e->g.late;
	const struct ww_rd_exchange *x;
	struct ww_rd_record *rec;

	if (!g->late)
		return;
	e->g.late_there = true;
	e->g.late_after_ns = g->late_call.after_ns;
	e->g.late_contested = g->late_call.contested;
	at->name = at->method = "";
	if (!take_words(e, "grounds.late", g->late_call.wire, g->late_call.join, g->late_call.by,
			at))
		return;
	x = ww_rd_cited_exchange(e, "grounds.late.exchange", g->late_call.exchange, &rec);
	if (!x)
		return;
	take_exchange(e, at, x);
	check_calls(e, "grounds.late.wire", rec, x, at->wire);
	check_join(e, rec, x, at);
	if (at->wire != WW_WIRE_SUCCESS && at->wire != WW_WIRE_ACCEPTED)
		ww_rd_differ(e, "grounds.late.wire", "an answer that the terms declare", "another");
	if (g->late_call.after_ns < g->to_ns || x->req_first_ns <= g->late_call.after_ns ||
	    !came_after(&e->v, x))
		ww_rd_differ(e, "grounds.late", "a call that begins after it had to be made",
			     "one that does not");
	if (ww_rd_is(e->v.verdict, "ACTED_LATE"))
		ww_rd_take(e->rd, rec, e->rec, e->v.action.s);
}

/* The call that the verdict is about. */
void ww_rd_check_call(struct ww_rd_exam *e, const struct ww_grounds_attempt *deciding)
{
	const struct ww_rd_late *late = &e->v.grounds.late_call;
	const struct ww_rd_call *c = &e->v.call;
	struct ww_rd_text exchange, wire;
	const struct ww_rd_exchange *x;
	struct ww_rd_record *rec;
	bool path = false;

	if (!deciding) {
		if (c->exchange.s.p)
			ww_rd_differ(e, "wire.exchange", "none that decided", "one");
		return;
	}
	if (deciding == &e->g.late) {
		exchange = late->exchange;
		wire = late->wire;
	} else {
		exchange = e->v.attempts[deciding - e->g.attempts].exchange;
		wire = e->v.attempts[deciding - e->g.attempts].wire;
	}
	ww_rd_same_text(e, "wire.exchange", e->rec, exchange, c->exchange);
	ww_rd_same_text(e, "wire.wire", e->rec, wire, c->wire);
	rec = ww_rd_before(e->rd, WW_RD_EXCHANGE, exchange.s, e->rec->index);
	x = rec ? ww_rd_exchange_of(e->rd, rec) : NULL;
	if (!x)
		return; /* said before */
	ww_rd_same_number(e, "wire.status", rec, x->status, c->status);
	ww_rd_same_text(e, "wire.destination", rec, name_of(x), c->destination);
	ww_rd_same_text(e, "wire.peer", rec, x->peer, c->peer);
	ww_rd_same_text(e, "wire.method", rec, x->method, c->method);
	ww_rd_same_text(e, "wire.flow", rec, x->flow, c->flow);
	ww_rd_same_number(e, "wire.retryAfterS", rec, x->retry_after, c->retry_after);
	ww_rd_same_number(e, "wire.requestBytes", rec, number(x->req_bytes), c->request_bytes);
	ww_rd_same_number(e, "wire.responseBytes", rec, number(x->resp_bytes), c->response_bytes);
	path = x->program.s.p && c->path.s.n == 0; /* a channel has none */
	for (unsigned i = 0; i < e->contract->call.path_count; i++)
		path |= ww_rd_is(c->path, e->contract->call.paths[i]) &&
			path_fits(e->contract->call.paths[i], x->path.s);
	if (!path)
		ww_rd_differ(e, "wire.path", "a template of the terms that fits the call",
			     "another");
}

static void check_elsewhere(struct ww_rd_exam *e)
{
	const struct ww_rd_call *c = &e->v.elsewhere_call;
	const struct ww_rd_exchange *x;
	struct ww_rd_record *rec;

	if (!e->v.elsewhere)
		return;
	e->g.elsewhere = true;
	e->g.elsewhere_known = !ww_slice_starts(c->peer.s, WW_SLICE_LIT("?:"));
	e->g.elsewhere_status = c->status.there && c->status.n <= 999 ? (uint16_t)c->status.n : 0;
	x = ww_rd_cited_exchange(e, "wire.elsewhere.exchange", c->exchange, &rec);
	if (!x)
		return;
	ww_rd_same_number(e, "wire.elsewhere.status", rec, x->status, c->status);
	ww_rd_same_text(e, "wire.elsewhere.peer", rec, x->peer, c->peer);
	ww_rd_same_text(e, "wire.elsewhere.destination", rec, x->sni.s.n ? x->sni : x->authority,
			c->destination);
	ww_rd_same_text(e, "wire.elsewhere.method", rec, x->method, c->method);
	ww_rd_same_text(e, "root", rec, x->root, e->v.root);
	if (!request_fits(e->contract, x) || destination_fits(e->contract, x))
		ww_rd_differ(e, "wire.elsewhere", "the declared call, to no declared destination",
			     "another");
	check_descent(e, rec, x);
}

static void check_undecoded(struct ww_rd_exam *e)
{
	const struct ww_rd_grounds *g = &e->v.grounds;
	struct ww_rd_record *rec;
	struct ww_rd_flow f;
	int evidence = ww_rd_by_name(g->undecoded_evidence, ww_rd_evidence, WW_EVIDENCE_MAX);

	e->g.undecoded = ww_rd_capped(g->undecoded);
	e->g.rivals = g->rivals > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)g->rivals;
	e->g.undecoded_evidence = evidence < 0 ? WW_EVIDENCE_E0 : (enum ww_evidence)evidence;
	e->g.undecoded_opaque = g->opaque;
	e->g.undecoded_torn = g->torn;
	e->g.undecoded_inside = g->inside;
	if (!e->v.undecoded)
		return;
	rec = ww_rd_newest(e->rd, WW_RD_FLOW, e->v.undecoded_flow.s);
	for (unsigned looked = 0; rec && looked < WW_RD_SAME_MAX; rec = rec->same, looked++) {
		if (ww_rd_flow_read(rec->json, &f, NULL) == 0 &&
		    ww_rd_same(f.peer, e->v.undecoded_peer) && e->v.undecoded_sent <= f.sent &&
		    e->v.undecoded_acked <= f.acked && e->v.undecoded_received <= f.received)
			return;
	}
	if (ww_rd_newest(e->rd, WW_RD_FLOW, e->v.undecoded_flow.s))
		ww_rd_differ(e, "wire.undecoded", "the flow's record",
			     "other counters, or another peer");
	else
		ww_rd_open(e, "wire.undecoded.flow", "the flow's record",
			   "it is not listed, or withheld");
}

static bool egress_agrees(struct ww_rd_exam *e, const struct ww_rd_egress *said)
{
	struct ww_rd_record *rec = ww_rd_newest(e->rd, WW_RD_FLOW, said->flow.s);
	struct ww_rd_flow f;

	if (!rec)
		return true; /* it still lived, or is not listed */
	for (unsigned looked = 0; rec && looked < WW_RD_SAME_MAX; rec = rec->same, looked++) {
		if (ww_rd_flow_read(rec->json, &f, NULL) == 0 && ww_rd_same(f.peer, said->peer) &&
		    said->sent <= f.sent)
			return true;
	}
	return false;
}

static void check_egress(struct ww_rd_exam *e)
{
	struct ww_rd_egress said;
	struct ww_json j;
	char text[96];
	int r;

	if (e->v.egress.n == 0)
		return;
	r = ww_fields_array(e->v.egress, &j);
	while (r >= 0 && (r = ww_rd_egress_next(&j, &said)) == 1) {
		if (!egress_agrees(e, &said))
			ww_rd_differ(e, "egress", "peer and bytes of the flow's record",
				     ww_rd_shown(said.flow, text));
	}
	if (r < 0)
		ww_rd_differ(e, "egress", "a list that can be read", "another");
}

/* All near misses are listed as long as there is room; calls that turn out to be reads are taken
 * off the list. */
static void check_near(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;

	if (v->near_total < v->near_count ||
	    (v->near_total > v->near_count && v->near_count < WW_REDERIVE_NEAR_MAX &&
	     v->readback_count == 0))
		ww_rd_differ(e, "wire.nearMissTotal", "the near misses that are listed",
			     "another number");
}

void ww_rd_check_wire(struct ww_rd_exam *e)
{
	check_near(e);
	check_egress(e);
	check_attempts(e);
	check_late(e);
	check_elsewhere(e);
	check_undecoded(e);
}
