/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/rederive_read.h"

#include <errno.h>

#include "base/encode.h"
#include "ledger/fields.h"

static int find_item(const struct ww_json_token *t, uint32_t *ret_bit)
{
#define ITEM_NAME_(n, t, r, d) (t),
	static const char *const names[WW_WORLD_ITEM_MAX] = {WW_WORLD_ITEMS(ITEM_NAME_)};

	for (unsigned i = 0; t->type == WW_JSON_STRING && i < WW_WORLD_ITEM_MAX; i++) {
		if (!t->escaped && ww_slice_eq_str(t->raw, names[i])) {
			*ret_bit = 1u << i;
			return 0;
		}
	}
	return -EINVAL;
}

/* --- exchange, span, flow, coverage, action -----------------------------------------------------
 */

static int take_exchange_finding(void *ctx, const struct ww_json_token *t, struct ww_slice text,
				 struct ww_errtext *why)
{
	struct ww_rd_exchange *x = ctx;

	if (t->type != WW_JSON_STRING)
		return ww_errtext_set(why, -EINVAL, "a finding is not a text");
	x->gap_in_request |= ww_json_is(t, "gap-in-request");
	x->found_again |= ww_json_is(t, "found-again");
	return 0;
}

int ww_rd_exchange_read(struct ww_slice json, struct ww_rd_exchange *ret, struct ww_errtext *why)
{
	struct ww_slice findings, request, response, grpc = WW_SLICE_NULL;
	uint64_t req_last = 0, resp_last = 0;
	struct ww_rd_exchange x = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("id", TEXT, &x.id),
		WW_MEMBER("t", TEXT, &x.t),
		WW_MEMBER("flow", TEXT, &x.flow),
		WW_MEMBER("root", TEXT, &x.root),
		WW_MEMBER("outcome", TEXT, &x.outcome),
		WW_MEMBER("findings", RAW, &findings),
		WW_MEMBER("client", BOOL, &x.client),
		WW_MEMBER("peer", TEXT, &x.peer),
		WW_MEMBER("sni", TEXT, &x.sni),
		WW_MEMBER("authority", TEXT, &x.authority),
		WW_MEMBER("method", TEXT, &x.method),
		WW_MEMBER("path", TEXT, &x.path),
		WW_MEMBER("status", NUMBER, &x.status),
		WW_MEMBER("grpc", MAYBE, &grpc),
		WW_MEMBER("traceId", TEXT, &x.trace_id),
		WW_MEMBER("spanId", TEXT, &x.span_id),
		WW_MEMBER("program", TEXT, &x.program),
		WW_MEMBER("idempotencyKeyDigest", TEXT, &x.key_digest),
		WW_MEMBER("retryAfterS", NUMBER, &x.retry_after),
		WW_MEMBER("request", RAW, &request),
		WW_MEMBER("response", RAW, &response),
	};
	struct ww_member_want q[] = {
		WW_MEMBER("offset", U64, &x.req_offset),
		WW_MEMBER("bytes", U64, &x.req_bytes),
		WW_MEMBER("firstBootNs", U64, &x.req_first_ns),
		WW_MEMBER("lastBootNs", U64, &req_last),
	};
	struct ww_member_want p[] = {WW_MEMBER("bytes", U64, &x.resp_bytes),
				     WW_MEMBER("firstBootNs", U64, &x.resp_first_ns),
				     WW_MEMBER("lastBootNs", U64, &resp_last)};
	struct ww_member_want g[] = {WW_MEMBER("status", NUMBER, &x.grpc_status)};
	int r = WW_MEMBERS_READ(json, "the exchange", m, why);

	x.grpc = grpc.n > 0;
	if (r == 0 && x.grpc)
		r = WW_MEMBERS_READ(grpc, "its gRPC status", g, why);
	if (r == 0)
		r = WW_MEMBERS_READ(request, "its request", q, why);
	if (r == 0)
		r = WW_MEMBERS_READ(response, "its response", p, why);
	if (r == 0)
		r = ww_members_each(findings, "its findings", take_exchange_finding, &x, why);
	x.ended_ns = resp_last ? resp_last : req_last ? req_last : x.req_first_ns;
	if (r == 0)
		*ret = x;
	return r;
}

int ww_rd_mcp_read(struct ww_slice json, struct ww_rd_exchange *x, struct ww_errtext *why)
{
	struct ww_rd_text exchange = {WW_SLICE_NULL, false}, tool = {WW_SLICE_NULL, false};
	struct ww_rd_text trace = {WW_SLICE_NULL, false}, span = {WW_SLICE_NULL, false};
	struct ww_member_want m[] = {
		WW_MEMBER("exchange", TEXT, &exchange),
		WW_MEMBER("tool", TEXT, &tool),
		WW_MEMBER("traceId", TEXT, &trace),
		WW_MEMBER("spanId", TEXT, &span),
	};
	int r = WW_MEMBERS_READ(json, "the tool call", m, why);

	if (r < 0)
		return r;
	if (!ww_rd_same(exchange, x->id))
		return ww_errtext_set(why, -EINVAL, "the tool call is another exchange's");
	x->mcp_tool = tool;
	if (!x->trace_id.s.p) {
		x->trace_id = trace;
		x->span_id = span;
	}
	return 0;
}

int ww_rd_span_read(struct ww_slice json, struct ww_rd_span *ret, struct ww_errtext *why)
{
	struct ww_rd_span s = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("id", TEXT, &s.id),
		WW_MEMBER("t", TEXT, &s.t),
		WW_MEMBER("end", TEXT, &s.end),
		WW_MEMBER("traceId", TEXT, &s.trace_id),
		WW_MEMBER("spanId", TEXT, &s.span_id),
		WW_MEMBER("parentId", TEXT, &s.parent_id),
		WW_MEMBER("status", TEXT, &s.status),
		WW_MEMBER("root", TEXT, &s.root),
		WW_MEMBER("role", TEXT, &s.role),
		WW_MEMBER("tool", TEXT, &s.tool),
		WW_MEMBER("toolCallId", TEXT, &s.tool_call_id),
		WW_MEMBER("errorType", TEXT, &s.error_type),
		WW_MEMBER("claims", MAYBE, &s.claims),
	};
	int r = WW_MEMBERS_READ(json, "the span", m, why);

	if (r == 0)
		*ret = s;
	return r;
}

struct claim_search {
	const struct ww_rd_claim *want;
	bool found;
};

static int match_claim(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		       struct ww_errtext *why)
{
	struct ww_rd_claim c = {0};
	struct claim_search *s = ctx;
	struct ww_member_want m[] = {WW_MEMBER("claimId", TEXT, &c.claim_id),
				     WW_MEMBER("tense", TEXT, &c.tense),
				     WW_MEMBER("deadline", TEXT, &c.deadline)};
	int r = WW_MEMBERS_READ(text, "a claim", m, why);

	if (r == 0 && ww_rd_same(c.claim_id, s->want->claim_id) &&
	    ww_rd_same(c.tense, s->want->tense) && !c.deadline.s.p == !s->want->deadline.s.p)
		s->found = true;
	return r;
}

bool ww_rd_span_claims(const struct ww_rd_span *s, const struct ww_rd_claim *claim)
{
	struct claim_search search = {.want = claim};

	return s->claims.n &&
	       ww_members_each(s->claims, "claims", match_claim, &search, NULL) == 0 &&
	       search.found;
}

static int read_account(struct ww_slice text, struct ww_rd_account *a, struct ww_errtext *why)
{
	struct ww_rd_number max = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("handshake", U64, &a->handshake), WW_MEMBER("tickets", U64, &a->tickets),
		WW_MEMBER("overhead", U64, &a->overhead),   WW_MEMBER("overheadMax", NUMBER, &max),
		WW_MEMBER("remainder", I64, &a->remainder), WW_MEMBER("checked", BOOL, &a->checked),
	};
	int r = WW_MEMBERS_READ(text, "a flow's account", m, why);

	a->overhead_max = max.there ? max.n : a->overhead;
	return r;
}

int ww_rd_flow_read(struct ww_slice json, struct ww_rd_flow *ret, struct ww_errtext *why)
{
	struct ww_slice kernel, account, tls = WW_SLICE_NULL, out, in;
	struct ww_rd_text bind = {WW_SLICE_NULL, false};
	struct ww_rd_flow f = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("id", TEXT, &f.id),
		WW_MEMBER("peer", TEXT, &f.peer),
		WW_MEMBER("close", TEXT, &f.close),
		WW_MEMBER("openBootNs", U64, &f.open_ns),
		WW_MEMBER("closeBootNs", U64, &f.close_ns),
		WW_MEMBER("kernel", RAW, &kernel),
		WW_MEMBER("tls", MAYBE, &tls),
		WW_MEMBER("account", RAW, &account),
	};
	struct ww_member_want k[] = {
		WW_MEMBER("bytesSent", U64, &f.sent),
		WW_MEMBER("bytesAcked", U64, &f.acked),
		WW_MEMBER("bytesReceived", U64, &f.received),
	};
	struct ww_member_want a[] = {WW_MEMBER("out", RAW, &out), WW_MEMBER("in", RAW, &in)};
	struct ww_member_want t[] = {WW_MEMBER("bind", TEXT, &bind)};
	int r = WW_MEMBERS_READ(json, "the flow", m, why);

	if (r == 0)
		r = WW_MEMBERS_READ(kernel, "its kernel", k, why);
	if (r == 0)
		r = WW_MEMBERS_READ(account, "its account", a, why);
	if (r == 0)
		r = read_account(out, &f.out, why);
	if (r == 0)
		r = read_account(in, &f.in, why);
	if (r == 0 && tls.n)
		r = WW_MEMBERS_READ(tls, "its tls", t, why);
	f.tls = tls.n > 0;
	f.bound = bind.s.p && !ww_rd_is(bind, "unbound");
	if (r == 0)
		*ret = f;
	return r;
}

int ww_rd_coverage_read(struct ww_slice json, struct ww_rd_coverage *ret, struct ww_errtext *why)
{
	bool tcp, udp, raw, nix, processes;
	struct ww_rd_coverage c = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("cgroup", TEXT, &c.cgroup),
		WW_MEMBER("fromBootNs", U64, &c.from_ns),
		WW_MEMBER("toBootNs", U64, &c.to_ns),
		WW_MEMBER("tcp", BOOL, &tcp),
		WW_MEMBER("udp", BOOL, &udp),
		WW_MEMBER("raw", BOOL, &raw),
		WW_MEMBER("unix", BOOL, &nix),
		WW_MEMBER("processes", BOOL, &processes),
		WW_MEMBER("marksTotal", U64, &c.marks_total),
		WW_MEMBER("marks", RAW, &c.marks),
	};
	int r = WW_MEMBERS_READ(json, "the coverage", m, why);

	if (r < 0)
		return r;
	c.all_covered = tcp && udp && raw && nix && processes;
	*ret = c;
	return 0;
}

/* The next object of an array: 1 with its text, 0 after the last, -EINVAL. */
static int next_object(struct ww_json *j, struct ww_slice *ret_text)
{
	struct ww_json_token t;
	int r = ww_fields_next(j, &t, ret_text);

	return r == 1 && t.type != WW_JSON_OBJECT ? -EINVAL : r;
}

int ww_rd_mark_next(struct ww_json *j, struct ww_rd_mark *ret)
{
	struct ww_rd_mark mark = {0};
	struct ww_rd_number to = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("what", TEXT, &mark.what),
		WW_MEMBER("fromBootNs", U64, &mark.from_ns),
		WW_MEMBER("toBootNs", NUMBER, &to),
	};
	struct ww_slice text;
	int r = next_object(j, &text);

	if (r <= 0)
		return r;
	r = WW_MEMBERS_READ(text, "a mark", m, NULL);
	if (r < 0)
		return r;
	mark.to_ns = to.there ? to.n : UINT64_MAX;
	*ret = mark;
	return 1;
}

int ww_rd_finding_next(struct ww_json *j, struct ww_rd_text *ret_exchange)
{
	struct ww_rd_text exchange = {WW_SLICE_NULL, false};
	struct ww_member_want m[] = {WW_MEMBER("exchange", TEXT, &exchange)};
	struct ww_slice text;
	int r = next_object(j, &text);

	if (r <= 0)
		return r;
	r = WW_MEMBERS_READ(text, "a finding", m, NULL);
	if (r < 0)
		return r;
	*ret_exchange = exchange;
	return 1;
}

int ww_rd_egress_next(struct ww_json *j, struct ww_rd_egress *ret)
{
	struct ww_rd_egress e = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("flow", TEXT, &e.flow),
		WW_MEMBER("peer", TEXT, &e.peer),
		WW_MEMBER("bytesSent", U64, &e.sent),
	};
	struct ww_slice text;
	int r = next_object(j, &text);

	if (r <= 0)
		return r;
	r = WW_MEMBERS_READ(text, "egress", m, NULL);
	if (r < 0)
		return r;
	*ret = e;
	return 1;
}

int ww_rd_life_read(struct ww_slice json, struct ww_rd_text *ret_contracts, struct ww_errtext *why)
{
	struct ww_rd_text event = {WW_SLICE_NULL, false}, contracts = {WW_SLICE_NULL, false};
	struct ww_member_want m[] = {WW_MEMBER("event", TEXT, &event),
				     WW_MEMBER("contracts", TEXT, &contracts)};
	int r = WW_MEMBERS_READ(json, "the life", m, why);

	if (r < 0)
		return r;
	*ret_contracts = ww_rd_is(event, "start") ? contracts : (struct ww_rd_text){0};
	return 0;
}

int ww_rd_action_read(struct ww_slice json, struct ww_rd_action *ret, struct ww_errtext *why)
{
	struct ww_slice model = WW_SLICE_NULL;
	struct ww_rd_action a = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("id", TEXT, &a.id),
		WW_MEMBER("tool", TEXT, &a.tool),
		WW_MEMBER("toolCallId", TEXT, &a.tool_call_id),
		WW_MEMBER("actor", TEXT, &a.actor),
		WW_MEMBER("root", TEXT, &a.root),
		WW_MEMBER("cgroup", TEXT, &a.cgroup),
		WW_MEMBER("effect", TEXT, &a.effect),
		WW_MEMBER("said", RAW, &a.said),
		WW_MEMBER("span", RAW, &a.span),
		WW_MEMBER("model", MAYBE, &model),
		WW_MEMBER("wire", RAW, &a.wire),
		WW_MEMBER("local", MAYBE, &a.local),
	};
	int r = WW_MEMBERS_READ(json, "the action", m, why);

	a.model = model.n > 0;
	if (r == 0)
		*ret = a;
	return r;
}

/* --- verdict ------------------------------------------------------------------------------------
 */

static int take_claim(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		      struct ww_errtext *why)
{
	struct ww_rd_verdict *v = ctx;
	struct ww_rd_claim c = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("claimId", TEXT, &c.claim_id),
		WW_MEMBER("tense", TEXT, &c.tense),
		WW_MEMBER("deadline", TEXT, &c.deadline),
		WW_MEMBER("span", TEXT, &c.span),
	};
	int r = WW_MEMBERS_READ(text, "a claim", m, why);

	if (r < 0)
		return r;
	if (v->claim_count == WW_REDERIVE_CLAIMS_MAX ||
	    (!ww_rd_is(c.tense, "done") && !ww_rd_is(c.tense, "will")))
		return ww_errtext_set(why, -EINVAL, "the claims are not understood");
	v->claims[v->claim_count++] = c;
	return 0;
}

static int read_said(struct ww_rd_verdict *v, struct ww_errtext *why)
{
	struct ww_slice claims, result = WW_SLICE_NULL;
	struct ww_member_want m[] = {WW_MEMBER("claim", TEXT, &v->claim),
				     WW_MEMBER("claims", RAW, &claims),
				     WW_MEMBER("toolResult", MAYBE, &result),
				     WW_MEMBER("prose", MAYBE, &v->prose),
				     WW_MEMBER("narrated", MAYBE, &v->narrated),
				     WW_MEMBER("proseOnly", FLAG, &v->prose_only)};
	struct ww_member_want p[] = {WW_MEMBER("tools", U64, &v->prose_tools),
				     WW_MEMBER("earlier", BOOL, &v->prose_earlier),
				     WW_MEMBER("blind", BOOL, &v->prose_blind)};
	struct ww_member_want t[] = {
		WW_MEMBER("exchange", TEXT, &v->shown_exchange),
		WW_MEMBER("isError", BOOL, &v->shown_error),
		WW_MEMBER("digest", TEXT, &v->shown_digest),
		WW_MEMBER("shows", MAYBE, &v->shows),
		WW_MEMBER("differs", MAYBE, &v->differs),
	};
	int r = WW_MEMBERS_READ(v->said, "said", m, why);

	if (r == 0 && v->prose_only)
		r = WW_MEMBERS_READ(v->said, "said", p, why);
	if (r == 0 && result.n)
		r = WW_MEMBERS_READ(result, "the tool's result", t, why);
	v->shown = result.n > 0;
	return r < 0 ? r : ww_members_each(claims, "the claims", take_claim, v, why);
}

static int read_span(struct ww_rd_verdict *v, struct ww_errtext *why)
{
	struct ww_member_want m[] = {
		WW_MEMBER("id", TEXT, &v->span_id),
		WW_MEMBER("traceId", TEXT, &v->span_trace),
		WW_MEMBER("status", TEXT, &v->span_status),
		WW_MEMBER("start", TEXT, &v->span_start),
		WW_MEMBER("end", TEXT, &v->span_end),
		WW_MEMBER("errorType", TEXT, &v->span_error),
		WW_MEMBER("count", U64, &v->span_count),
	};

	if (ww_slice_eq_str(v->span_text, "null"))
		return 0;
	v->spanned = true;
	return WW_MEMBERS_READ(v->span_text, "span", m, why);
}

static int take_attempt(void *ctx, const struct ww_json_token *t, struct ww_slice text,
			struct ww_errtext *why)
{
	struct ww_rd_verdict *v = ctx;
	struct ww_rd_attempt a = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("exchange", TEXT, &a.exchange),
		WW_MEMBER("join", TEXT, &a.join),
		WW_MEMBER("by", TEXT, &a.by),
		WW_MEMBER("wire", TEXT, &a.wire),
		WW_MEMBER("status", NUMBER, &a.status),
		WW_MEMBER("retryAfterS", NUMBER, &a.retry_after),
		WW_MEMBER("itemsGood", NUMBER, &a.good),
		WW_MEMBER("items", NUMBER, &a.all),
		WW_MEMBER("idKnown", FLAG, &a.id_known),
	};
	int r = WW_MEMBERS_READ(text, "an attempt", m, why);

	if (r == 0 && v->attempt_count == WW_GROUNDS_ATTEMPTS_MAX)
		return ww_errtext_set(why, -EINVAL, "there are over %u attempts",
				      WW_GROUNDS_ATTEMPTS_MAX);
	if (r == 0)
		v->attempts[v->attempt_count++] = a;
	return r;
}

static int take_readback(void *ctx, const struct ww_json_token *t, struct ww_slice text,
			 struct ww_errtext *why)
{
	struct ww_rd_verdict *v = ctx;
	struct ww_rd_readback b = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("exchange", TEXT, &b.exchange),
		WW_MEMBER("of", TEXT, &b.of),
		WW_MEMBER("read", TEXT, &b.read),
		WW_MEMBER("peer", TEXT, &b.peer),
		WW_MEMBER("status", NUMBER, &b.status),
		WW_MEMBER("away", FLAG, &b.away),
		WW_MEMBER("otherCaller", FLAG, &b.other_caller),
	};
	int r = WW_MEMBERS_READ(text, "a read-back", m, why);

	if (r == 0 && v->readback_count == WW_GROUNDS_READS_MAX)
		return ww_errtext_set(why, -EINVAL, "there are over %u read-backs",
				      WW_GROUNDS_READS_MAX);
	if (r == 0)
		v->readbacks[v->readback_count++] = b;
	return r;
}

static int take_near(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		     struct ww_errtext *why)
{
	struct ww_rd_verdict *v = ctx;
	struct ww_rd_near n = {0};
	struct ww_member_want m[] = {WW_MEMBER("exchange", TEXT, &n.exchange),
				     WW_MEMBER("why", TEXT, &n.why)};
	int r = WW_MEMBERS_READ(text, "a near miss", m, why);

	if (r == 0 && v->near_count == WW_REDERIVE_NEAR_MAX)
		return ww_errtext_set(why, -EINVAL, "there are over %u near misses",
				      WW_REDERIVE_NEAR_MAX);
	if (r == 0)
		v->near[v->near_count++] = n;
	return r;
}

static int read_elsewhere(struct ww_rd_verdict *v, struct ww_slice text, struct ww_errtext *why)
{
	struct ww_rd_call *c = &v->elsewhere_call;
	struct ww_member_want m[] = {
		WW_MEMBER("exchange", TEXT, &c->exchange),
		WW_MEMBER("status", NUMBER, &c->status),
		WW_MEMBER("destination", TEXT, &c->destination),
		WW_MEMBER("peer", TEXT, &c->peer),
		WW_MEMBER("method", TEXT, &c->method),
		WW_MEMBER("path", TEXT, &c->path),
	};

	v->elsewhere = true;
	return WW_MEMBERS_READ(text, "elsewhere", m, why);
}

static int read_undecoded(struct ww_rd_verdict *v, struct ww_slice text, struct ww_errtext *why)
{
	struct ww_member_want m[] = {
		WW_MEMBER("flow", TEXT, &v->undecoded_flow),
		WW_MEMBER("peer", TEXT, &v->undecoded_peer),
		WW_MEMBER("bytesSent", U64, &v->undecoded_sent),
		WW_MEMBER("bytesAcked", U64, &v->undecoded_acked),
		WW_MEMBER("bytesReceived", U64, &v->undecoded_received),
	};

	v->undecoded = true;
	return WW_MEMBERS_READ(text, "undecoded", m, why);
}

static int read_wire(struct ww_rd_verdict *v, struct ww_errtext *why)
{
	struct ww_slice attempts = WW_SLICE_NULL, candidates = WW_SLICE_NULL, near;
	struct ww_slice elsewhere = WW_SLICE_NULL, undecoded = WW_SLICE_NULL;
	struct ww_slice readbacks = WW_SLICE_NULL;
	struct ww_rd_number readback_total = {0};
	struct ww_rd_call *c = &v->call;
	struct ww_member_want m[] = {
		WW_MEMBER("exchange", TEXT, &c->exchange),
		WW_MEMBER("flow", TEXT, &c->flow),
		WW_MEMBER("wire", TEXT, &c->wire),
		WW_MEMBER("status", NUMBER, &c->status),
		WW_MEMBER("destination", TEXT, &c->destination),
		WW_MEMBER("peer", TEXT, &c->peer),
		WW_MEMBER("method", TEXT, &c->method),
		WW_MEMBER("path", TEXT, &c->path),
		WW_MEMBER("retryAfterS", NUMBER, &c->retry_after),
		WW_MEMBER("requestBytes", NUMBER, &c->request_bytes),
		WW_MEMBER("responseBytes", NUMBER, &c->response_bytes),
		WW_MEMBER("retries", NUMBER, &v->retries),
		WW_MEMBER("idDigest", TEXT, &v->id_digest),
		WW_MEMBER("readback", TEXT, &v->readback),
		WW_MEMBER("readbackTotal", NUMBER, &readback_total),
		WW_MEMBER("readbacks", MAYBE, &readbacks),
		WW_MEMBER("attempts", MAYBE, &attempts),
		WW_MEMBER("candidates", MAYBE, &candidates),
		WW_MEMBER("elsewhere", MAYBE, &elsewhere),
		WW_MEMBER("undecoded", MAYBE, &undecoded),
		WW_MEMBER("nearMissTotal", U64, &v->near_total),
		WW_MEMBER("nearMiss", RAW, &near),
	};
	int r = WW_MEMBERS_READ(v->wire_text, "wire", m, why);

	if (r == 0 && !attempts.n == !candidates.n)
		return ww_errtext_set(why, -EINVAL, "wire has neither or both of its lists");
	v->candidates = candidates.n > 0;
	v->readback_total = readback_total.n;
	if (r == 0 && readbacks.n)
		r = ww_members_each(readbacks, "the read-backs", take_readback, v, why);
	if (r == 0)
		r = ww_members_each(attempts.n ? attempts : candidates, "the attempts",
				    take_attempt, v, why);
	if (r == 0)
		r = ww_members_each(near, "the near misses", take_near, v, why);
	if (r == 0 && elsewhere.n)
		r = read_elsewhere(v, elsewhere, why);
	if (r == 0 && undecoded.n)
		r = read_undecoded(v, undecoded, why);
	return r;
}

static int take_item(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		     struct ww_errtext *why)
{
	struct ww_rd_text item = {WW_SLICE_NULL, false};
	struct ww_rd_verdict *v = ctx;
	bool pass;
	struct ww_member_want m[] = {WW_MEMBER("item", TEXT, &item),
				     WW_MEMBER("pass", BOOL, &pass)};
	struct ww_json_token name = {.type = WW_JSON_STRING};
	uint32_t bit;
	int r = WW_MEMBERS_READ(text, "an item", m, why);

	name.raw = item.s;
	name.escaped = item.escaped;
	if (r == 0 && find_item(&name, &bit) < 0)
		return ww_errtext_set(why, -EINVAL, "an item of the checklist is not known");
	if (r == 0 && !pass)
		v->world_failed |= bit;
	v->world_asked = true;
	return r;
}

static int take_not_held(void *ctx, const struct ww_json_token *t, struct ww_slice text,
			 struct ww_errtext *why)
{
	struct ww_rd_grounds *g = ctx;
	uint32_t bit;

	if (find_item(t, &bit) < 0)
		return ww_errtext_set(why, -EINVAL, "an item of the checklist is not known");
	g->not_held |= bit;
	return 0;
}

static int take_ground_flow(void *ctx, const struct ww_json_token *t, struct ww_slice text,
			    struct ww_errtext *why)
{
	struct ww_rd_grounds *g = ctx;
	struct ww_rd_ground_flow f = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("flow", TEXT, &f.flow),
		WW_MEMBER("tls", BOOL, &f.tls),
		WW_MEMBER("closed", BOOL, &f.closed),
		WW_MEMBER("closedBootNs", NUMBER, &f.closed_at),
		WW_MEMBER("checked", BOOL, &f.checked),
		WW_MEMBER("bytesSent", U64, &f.sent),
		WW_MEMBER("bytesAcked", U64, &f.acked),
		WW_MEMBER("setupBytes", U64, &f.setup),
		WW_MEMBER("unexplainedOut", U64, &f.unexplained_out),
		WW_MEMBER("unexplainedIn", U64, &f.unexplained_in),
		WW_MEMBER("unread", U64, &f.unread),
	};
	int r = WW_MEMBERS_READ(text, "a connection", m, why);

	if (r == 0 && g->flow_count == WW_REDERIVE_FLOWS_MAX)
		return ww_errtext_set(why, -EINVAL, "there are over %u connections",
				      WW_REDERIVE_FLOWS_MAX);
	if (r == 0)
		g->flows[g->flow_count++] = f;
	return r;
}

static int take_digest(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		       struct ww_errtext *why)
{
	struct ww_rd_values *v = ctx;
	unsigned i = v->count++;

	if (i == WW_ANSWER_PATHS_MAX)
		return ww_errtext_set(why, -EINVAL, "there are too many values");
	if (t->type == WW_JSON_NULL)
		return 0;
	if (t->type != WW_JSON_STRING || t->raw.n != 2 * sizeof(v->digest[i]) ||
	    ww_hex_decode(t->raw, (uint8_t *)&v->digest[i], sizeof(v->digest[i])) < 0)
		return ww_errtext_set(why, -EINVAL, "a value is not a digest");
	v->has |= (uint8_t)(1u << i);
	return 0;
}

/* As `values` are, of large integers. */
static int read_rounded(struct ww_slice array, struct ww_rd_values *to, struct ww_errtext *why)
{
	struct ww_rd_values v = {0};
	int r = array.n ? ww_members_each(array, "what is rounded", take_digest, &v, why) : 0;

	to->large = v.has & to->has;
	memcpy(to->rounded, v.digest, sizeof(to->rounded));
	return r;
}

static int read_answer(struct ww_slice text, struct ww_rd_values *ret, struct ww_errtext *why)
{
	struct ww_rd_values a = {0};
	struct ww_slice values, rounded = WW_SLICE_NULL;
	struct ww_member_want m[] = {
		WW_MEMBER("whole", BOOL, &a.whole), WW_MEMBER("values", RAW, &values),
		WW_MEMBER("rounded", MAYBE, &rounded), WW_MEMBER("read", FLAG, &a.read)};
	int r = WW_MEMBERS_READ(text, "an answer", m, why);

	if (r == 0)
		r = ww_members_each(values, "the values", take_digest, &a, why);
	if (r == 0)
		r = read_rounded(rounded, &a, why);
	*ret = a;
	return r;
}

static int take_answer(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		       struct ww_errtext *why)
{
	struct ww_rd_grounds *g = ctx;

	if (g->answer_count == WW_GROUNDS_ATTEMPTS_MAX)
		return ww_errtext_set(why, -EINVAL, "there are too many answers");
	return read_answer(text, &g->answers[g->answer_count++], why);
}

static int take_like(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		     struct ww_errtext *why)
{
	struct ww_rd_grounds *g = ctx;

	if (g->like_count == WW_GROUNDS_LIKES_MAX)
		return ww_errtext_set(why, -EINVAL, "there are too many answers of others");
	return read_answer(text, &g->likes[g->like_count++], why);
}

static int take_run(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		    struct ww_errtext *why)
{
	struct ww_rd_ground_control *c = ctx;
	struct ww_rd_run run = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("exchange", TEXT, &run.exchange),
		WW_MEMBER("says", TEXT, &run.says),
		WW_MEMBER("subject", TEXT, &run.subject),
		WW_MEMBER("uses", U64, &run.uses),
		WW_MEMBER("usesUnknown", U64, &run.uses_unknown),
		WW_MEMBER("stray", FLAG, &run.stray),
	};
	int r = WW_MEMBERS_READ(text, "a run", m, why);

	if (r == 0 && c->run_count == WW_GROUNDS_RUNS_MAX)
		return ww_errtext_set(why, -EINVAL, "there are over %u runs", WW_GROUNDS_RUNS_MAX);
	if (r == 0)
		c->runs[c->run_count++] = run;
	return r;
}

static int read_ground_control(struct ww_slice text, struct ww_rd_grounds *g,
			       struct ww_errtext *why)
{
	struct ww_rd_ground_control *c = &g->control;
	struct ww_slice runs;
	struct ww_member_want m[] = {
		WW_MEMBER("doubt", TEXT, &c->doubt),
		WW_MEMBER("fromBootNs", U64, &c->from_ns),
		WW_MEMBER("untilBootNs", U64, &c->until_ns),
		WW_MEMBER("runs", RAW, &runs),
		WW_MEMBER("stray", U64, &c->stray),
	};
	int r = WW_MEMBERS_READ(text, "the control", m, why);

	g->controlled = true;
	return r < 0 ? r : ww_members_each(runs, "the runs", take_run, c, why);
}

static int read_late(struct ww_slice text, struct ww_rd_grounds *g, struct ww_errtext *why)
{
	struct ww_rd_late *l = &g->late_call;
	struct ww_member_want m[] = {
		WW_MEMBER("exchange", TEXT, &l->exchange),
		WW_MEMBER("join", TEXT, &l->join),
		WW_MEMBER("by", TEXT, &l->by),
		WW_MEMBER("wire", TEXT, &l->wire),
		WW_MEMBER("afterBootNs", U64, &l->after_ns),
		WW_MEMBER("contested", BOOL, &l->contested),
	};

	g->late = true;
	return WW_MEMBERS_READ(text, "late", m, why);
}

/* The parts that few verdicts have. */
static int read_grounds_parts(struct ww_slice text, struct ww_rd_grounds *g, struct ww_errtext *why)
{
	struct ww_slice late = WW_SLICE_NULL, shown = WW_SLICE_NULL, answers = WW_SLICE_NULL;
	struct ww_slice control = WW_SLICE_NULL, rounded = WW_SLICE_NULL, likes = WW_SLICE_NULL;
	struct ww_rd_number almost = {0}, beside = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("announcedBootNs", NUMBER, &g->announced),
		WW_MEMBER("showsUntilBootNs", NUMBER, &g->shows_until),
		WW_MEMBER("judgedBootNs", NUMBER, &g->judged),
		WW_MEMBER("finished", FLAG, &g->finished),
		WW_MEMBER("readsOver", FLAG, &g->reads_over),
		WW_MEMBER("late", MAYBE, &late),
		WW_MEMBER("shown", MAYBE, &shown),
		WW_MEMBER("shownRounded", MAYBE, &rounded),
		WW_MEMBER("answers", MAYBE, &answers),
		WW_MEMBER("likeAnswers", MAYBE, &likes),
		WW_MEMBER("beside", NUMBER, &beside),
		WW_MEMBER("almost", NUMBER, &almost),
		WW_MEMBER("shownElsewhere", FLAG, &g->shown_elsewhere),
		WW_MEMBER("shownFailure", FLAG, &g->shown_failure),
		WW_MEMBER("control", MAYBE, &control),
		WW_MEMBER("mayMean", MAYBE, &g->may_mean),
	};
	int r = WW_MEMBERS_READ(text, "grounds", m, why);

	g->almost = almost.n;
	g->beside = beside.n;
	if (r == 0 && late.n)
		r = read_late(late, g, why);
	if (r == 0 && shown.n)
		r = ww_members_each(shown, "what was shown", take_digest, &g->shown_values, why);
	if (r == 0)
		r = read_rounded(rounded, &g->shown_values, why);
	if (r == 0 && answers.n)
		r = ww_members_each(answers, "the answers", take_answer, g, why);
	if (r == 0 && likes.n)
		r = ww_members_each(likes, "answers of others", take_like, g, why);
	if (r == 0 && control.n)
		r = read_ground_control(control, g, why);
	return r;
}

static int read_grounds_wire(struct ww_slice text, struct ww_rd_grounds *g, struct ww_errtext *why)
{
	struct ww_slice flows, not_held, undecoded = WW_SLICE_NULL;
	struct ww_member_want m[] = {
		WW_MEMBER("fromBootNs", U64, &g->from_ns),
		WW_MEMBER("toBootNs", U64, &g->to_ns),
		WW_MEMBER("attempts", U64, &g->attempts),
		WW_MEMBER("callKeyDigest", TEXT, &g->call_key),
		WW_MEMBER("spanKeyDigest", TEXT, &g->span_key),
		WW_MEMBER("flows", RAW, &flows),
		WW_MEMBER("partners", U64, &g->partners),
		WW_MEMBER("stillOpen", BOOL, &g->still_open),
		WW_MEMBER("worldWhole", BOOL, &g->world_whole),
		WW_MEMBER("notHeld", RAW, &not_held),
		WW_MEMBER("undecoded", MAYBE, &undecoded),
	};
	struct ww_member_want u[] = {
		WW_MEMBER("count", U64, &g->undecoded),
		WW_MEMBER("evidence", TEXT, &g->undecoded_evidence),
		WW_MEMBER("opaque", BOOL, &g->opaque),
		WW_MEMBER("torn", BOOL, &g->torn),
		WW_MEMBER("inside", BOOL, &g->inside),
		WW_MEMBER("rivals", U64, &g->rivals),
	};
	int r = WW_MEMBERS_READ(text, "grounds", m, why);

	if (r == 0)
		r = ww_members_each(flows, "the connections", take_ground_flow, g, why);
	if (r == 0)
		r = ww_members_each(not_held, "what does not hold", take_not_held, g, why);
	if (r == 0 && undecoded.n)
		r = WW_MEMBERS_READ(undecoded, "undecoded", u, why);
	return r < 0 ? r : read_grounds_parts(text, g, why);
}

static int read_grounds(struct ww_slice text, struct ww_rd_grounds *g, struct ww_errtext *why)
{
	struct ww_rd_number from = {0};
	struct ww_slice terms;
	struct ww_member_want m[] = {
		WW_MEMBER("givenUp", BOOL, &g->given_up),
		WW_MEMBER("clockBad", BOOL, &g->clock_bad),
		WW_MEMBER("asked", BOOL, &g->asked),
		WW_MEMBER("remote", BOOL, &g->remote),
		WW_MEMBER("terms", RAW, &terms),
		WW_MEMBER("fromBootNs", NUMBER, &from),
	};
	int r = WW_MEMBERS_READ(text, "grounds", m, why);

	if (r < 0)
		return r;
	g->there = true;
	g->declared = !ww_slice_eq_str(terms, "null");
	g->terms = terms;
	g->wire = from.there;
	return from.there ? read_grounds_wire(text, g, why) : 0;
}

static int read_coverage(struct ww_rd_verdict *v, struct ww_slice text, struct ww_errtext *why)
{
	struct ww_member_want m[] = {
		WW_MEMBER("fromBootNs", U64, &v->from_ns),
		WW_MEMBER("toBootNs", U64, &v->to_ns),
		WW_MEMBER("known", BOOL, &v->known),
		WW_MEMBER("wholeWindow", BOOL, &v->whole_window),
		WW_MEMBER("lostEvents", U64, &v->lost_events),
		WW_MEMBER("gaps", U64, &v->gaps),
		WW_MEMBER("unixPeers", U64, &v->unix_peers),
		WW_MEMBER("loopbackPeers", U64, &v->loopback_peers),
		WW_MEMBER("rawSockets", U64, &v->raw_sockets),
		WW_MEMBER("unboundCalls", U64, &v->unbound_calls),
	};

	v->covered = true;
	return WW_MEMBERS_READ(text, "coverage", m, why);
}

static int read_control(struct ww_rd_verdict *v, struct ww_slice text, struct ww_errtext *why)
{
	struct ww_rd_control *c = &v->control;
	struct ww_member_want m[] = {
		WW_MEMBER("name", TEXT, &c->name),
		WW_MEMBER("same", TEXT, &c->same),
		WW_MEMBER("narrated", BOOL, &c->narrated),
		WW_MEMBER("action", TEXT, &c->action),
		WW_MEMBER("exchange", TEXT, &c->exchange),
		WW_MEMBER("says", TEXT, &c->says),
		WW_MEMBER("subject", TEXT, &c->subject),
		WW_MEMBER("subjects", MAYBE, &c->subjects),
		WW_MEMBER("actionSubject", MAYBE, &c->action_subject),
		WW_MEMBER("runs", U64, &c->runs),
		WW_MEMBER("denied", U64, &c->denied),
		WW_MEMBER("uses", U64, &c->uses),
	};

	v->controlled = true;
	return WW_MEMBERS_READ(text, "control", m, why);
}

int ww_rd_answer_paths(struct ww_slice array, const struct ww_contract *c, uint8_t *ret)
{
	struct ww_json_token t;
	struct ww_slice text;
	uint8_t bits = 0;
	struct ww_json j;
	int r = array.n ? ww_fields_array(array, &j) : 0;

	while (array.n && r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		const char *path;
		unsigned i = 0;

		while ((path = ww_answer_path(c, i)) && !ww_json_is(&t, path))
			i++;
		if (!path)
			return -EINVAL;
		bits |= (uint8_t)(1u << i);
	}
	if (r == 0)
		*ret = bits;
	return r;
}

int ww_rd_verdict_read(struct ww_slice json, struct ww_rd_verdict *ret, struct ww_errtext *why)
{
	struct ww_slice world, coverage = WW_SLICE_NULL, grounds = WW_SLICE_NULL;
	struct ww_slice control = WW_SLICE_NULL;
	struct ww_rd_verdict *v = ret;
	struct ww_member_want m[] = {
		WW_MEMBER("id", TEXT, &v->id),
		WW_MEMBER("action", TEXT, &v->action),
		WW_MEMBER("engine", TEXT, &v->engine),
		WW_MEMBER("verdict", TEXT, &v->verdict),
		WW_MEMBER("reason", TEXT, &v->reason),
		WW_MEMBER("evidence", TEXT, &v->evidence),
		WW_MEMBER("tier", TEXT, &v->tier),
		WW_MEMBER("join", TEXT, &v->join),
		WW_MEMBER("by", TEXT, &v->by),
		WW_MEMBER("n", NUMBER, &v->n),
		WW_MEMBER("k", NUMBER, &v->k),
		WW_MEMBER("deadline", TEXT, &v->deadline),
		WW_MEMBER("lateMs", NUMBER, &v->late_ms),
		WW_MEMBER("findings", MAYBE, &v->findings),
		WW_MEMBER("control", MAYBE, &control),
		WW_MEMBER("tool", TEXT, &v->tool),
		WW_MEMBER("toolCallId", TEXT, &v->tool_call_id),
		WW_MEMBER("actor", TEXT, &v->actor),
		WW_MEMBER("root", TEXT, &v->root),
		WW_MEMBER("cgroup", TEXT, &v->cgroup),
		WW_MEMBER("said", RAW, &v->said),
		WW_MEMBER("span", RAW, &v->span_text),
		WW_MEMBER("wire", RAW, &v->wire_text),
		WW_MEMBER("local", MAYBE, &v->local),
		WW_MEMBER("attested", MAYBE, &v->attested),
		WW_MEMBER("closedWorld", RAW, &world),
		WW_MEMBER("coverage", MAYBE, &coverage),
		WW_MEMBER("contracts", TEXT, &v->contracts),
		WW_MEMBER("refs", RAW, &v->refs),
		WW_MEMBER("egress", MAYBE, &v->egress),
		WW_MEMBER("grounds", MAYBE, &grounds),
		WW_MEMBER("supersedes", TEXT, &v->supersedes),
	};
	int r;

	memset(v, 0, sizeof(*v));
	r = WW_MEMBERS_READ(json, "the verdict", m, why);
	if (r == 0)
		r = read_said(v, why);
	if (r == 0)
		r = read_span(v, why);
	if (r == 0)
		r = read_wire(v, why);
	if (r == 0)
		r = ww_members_each(world, "the checklist", take_item, v, why);
	if (r == 0 && coverage.n)
		r = read_coverage(v, coverage, why);
	if (r == 0 && control.n)
		r = read_control(v, control, why);
	return r == 0 && grounds.n ? read_grounds(grounds, &v->grounds, why) : r;
}
