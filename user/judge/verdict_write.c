/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/verdict_write.h"

#include "base/encode.h"
#include "judge/grounds_write.h"
#include "judge/local_case.h"
#include "judge/verdict.h"

/* Spans that are named between a call's and its tool's. Deeper nesting cannot be derived again. */
#define DESCENT_MAX 8

/*
 * "v-<action>-<revision>", of the control engine "v-<action>-k<place>-<revision>", of a second
 * judgement "e-" and before the revision the first eight hex digits of the contracts' digest; out
 * holds WW_VERDICT_ID_MAX bytes.
 */
static void write_id(const struct ww_verdict_record *v, uint32_t revision, char *out)
{
	char contracts[2 * 4 + 1];

	out = ww_put_text(out, v->originals ? "e-" : "v-");
	out = ww_put_text(out, v->k->action->id + 2);
	if (v->k->controlled)
		out = ww_put_dec(ww_put_text(out, "-k"), v->k->controlled->place);
	if (v->originals) {
		ww_hex_encode(ww_slice(v->contracts->digest.b, 4), contracts);
		out = ww_put_text(ww_put_text(out, "-"), contracts);
	}
	ww_put_dec(ww_put_text(out, "-"), revision);
}

static void write_digest(struct ww_jsonw *w, const char *key, const struct ww_sha256 *d)
{
	ww_jsonw_hex(w, key, ww_slice(d->b, sizeof(d->b)));
}

static void write_wall(struct ww_jsonw *w, const char *key, struct ww_wall t)
{
	char text[WW_RFC3339_MAX];

	ww_wall_rfc3339(t, text);
	ww_jsonw_cstr(w, key, text);
}

static void write_peer(struct ww_jsonw *w, const struct ww_endpoint *e)
{
	char text[WW_ENDPOINT_TEXT_MAX];

	ww_endpoint_text(e, text);
	ww_jsonw_cstr(w, "peer", text);
}

static void write_flow_id(struct ww_jsonw *w, const char *key, uint64_t cookie)
{
	char id[WW_FLOW_ID_MAX];

	ww_flow_id(cookie, id);
	ww_jsonw_cstr(w, key, id);
}

static void write_exchange_id(struct ww_jsonw *w, const char *key, const struct ww_held_exchange *x)
{
	char id[WW_EXCHANGE_ID_MAX];

	ww_held_exchange_id(x, id);
	ww_jsonw_cstr(w, key, id);
}

static void span_id_text(const uint8_t span_id[8], char *out)
{
	memcpy(out, "s-", 2);
	ww_hex_encode(ww_slice(span_id, 8), out + 2);
}

/* --- the columns said and span ------------------------------------------------------------------
 */

static void write_claims(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_action *a = v->k->action;

	ww_jsonw_cstr(w, "claim", ww_action_claimed(a));
	ww_jsonw_array(w, "claims");
	for (unsigned i = 0; i < a->claim_count; i++) {
		const struct ww_action_claim *c = &a->claims[i];
		char id[WW_SPAN_ID_MAX];

		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "claimId", c->claim_id);
		ww_jsonw_cstr(w, "tense", c->done ? "done" : "will");
		write_wall(w, "t", ww_clock_wall(v->clock, c->at));
		if (c->deadline.ns)
			write_wall(w, "deadline", ww_clock_wall(v->clock, c->deadline));
		span_id_text(c->span_id, id);
		ww_jsonw_cstr(w, "span", id);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

/* Declared members of the answer that the shown result has; and those that the verdict rests on. */
static void write_answer_paths(const struct ww_verdict_record *v, const char *key, uint8_t paths,
			       struct ww_jsonw *w)
{
	const char *path;

	if (!paths)
		return;
	ww_jsonw_array(w, key);
	for (unsigned i = 0; (path = ww_answer_path(v->k->contract, i)); i++) {
		if (paths & (1u << i))
			ww_jsonw_cstr(w, NULL, path);
	}
	ww_jsonw_end_array(w);
}

/* Present only where there is something. */
static void write_prose(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_action *a = v->k->action;

	if (a->said_count) {
		ww_jsonw_array(w, "prose");
		for (unsigned i = 0; i < a->said_count; i++)
			ww_phrase_said_write(v->phrases, &a->said[i].claim, a->said[i].exchange, w);
		ww_jsonw_end_array(w);
	}
	if (a->prose.only) {
		ww_jsonw_bool(w, "proseOnly", true);
		ww_jsonw_u64(w, "tools", a->prose.tool_count);
		ww_jsonw_bool(w, "earlier", a->prose.earlier);
		ww_jsonw_bool(w, "blind", a->prose.blind);
		write_wall(w, "due", ww_clock_wall(v->clock, a->prose.due));
	}
	if (a->narrated) {
		ww_jsonw_array(w, "narrated");
		ww_phrase_said_write(v->phrases, &a->narration.claim, a->narration.exchange, w);
		ww_jsonw_end_array(w);
	}
}

static void write_said(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_action_model *m = &v->k->action->model;

	ww_jsonw_object(w, "said");
	write_claims(v, w);
	if (m->shown) {
		ww_jsonw_object(w, "toolResult");
		ww_jsonw_cstr(w, "exchange", m->shown_exchange);
		ww_jsonw_bool(w, "isError", m->shown_error);
		write_digest(w, "digest", &m->result);
		write_answer_paths(v, "shows", m->answer.present, w);
		write_answer_paths(v, "differs", v->r->answer, w);
		ww_jsonw_end_object(w);
	}
	write_prose(v, w);
	if (m->said) {
		ww_jsonw_object(w, "text");
		ww_jsonw_u64(w, "bytes", m->said_bytes);
		write_digest(w, "digest", &m->text);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_object(w);
}

static void write_span(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_action *a = v->k->action;
	const struct ww_action_span *s = ww_action_last_span(a);
	char id[WW_SPAN_ID_MAX];

	if (!s) {
		ww_jsonw_null(w, "span");
		return;
	}
	ww_jsonw_object(w, "span");
	span_id_text(s->span_id, id);
	ww_jsonw_cstr(w, "id", id);
	ww_jsonw_hex(w, "traceId", ww_slice(s->trace_id, sizeof(s->trace_id)));
	ww_jsonw_cstr(w, "status", ww_span_status_name(s->status));
	write_wall(w, "start", s->said_start);
	write_wall(w, "end", s->said_end);
	if (s->error_type[0])
		ww_jsonw_cstr(w, "errorType", s->error_type);
	ww_jsonw_u64(w, "count", a->span_count + a->parts_over);
	ww_jsonw_end_object(w);
}

/* The model's span beside the model's exchange, and how they are joined. */
static void write_model(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_action *a = v->k->action;
	const struct ww_held_span *s = NULL;
	enum ww_join_by by = WW_JOIN_BY_RESPONSE_ID;
	char id[WW_SPAN_ID_MAX];

	if (!a->model.asked) {
		ww_jsonw_null(w, "model");
		return;
	}
	s = ww_held_span_by_response(v->k->held, a->root, a->model.response_id);
	if (!s && a->model.trace.present) {
		s = ww_held_span_up(v->k->held, a->root, a->model.trace.trace_id,
				    a->model.trace.span_id, WW_SPAN_MODEL);
		by = WW_JOIN_BY_TRACEPARENT;
	}
	ww_jsonw_object(w, "model");
	ww_jsonw_cstr(w, "exchange", a->model.exchange);
	if (a->model.response_id[0])
		ww_jsonw_cstr(w, "responseId", a->model.response_id);
	write_digest(w, "argumentsDigest", &a->model.arguments);
	if (a->model.turn_known)
		write_digest(w, "turn", &a->model.turn);
	if (s) {
		span_id_text(s->key.span_id, id);
		ww_jsonw_cstr(w, "span", id);
	}
	ww_jsonw_cstr(w, "join", ww_verdict_join_name(s ? WW_JOIN_EXACT : WW_JOIN_NONE));
	if (s)
		ww_jsonw_cstr(w, "by", ww_join_by_name(by));
	ww_jsonw_end_object(w);
}

/* --- the column wire ----------------------------------------------------------------------------
 */

static void write_call(struct ww_jsonw *w, const struct ww_match *m)
{
	const struct ww_held_exchange *x = m->x;

	if (x->status)
		ww_jsonw_u64(w, "status", x->status);
	if (x->name[0])
		ww_jsonw_cstr(w, "destination", x->name);
	write_peer(w, &x->peer);
	ww_jsonw_cstr(w, "method", x->method);
	ww_jsonw_cstr(w, "path", m->template ? m->template : x->path);
	if (x->retry_after)
		ww_jsonw_u64(w, "retryAfterS", x->retry_after_s);
}

/* Since the attempt before ended, in ms. */
static uint64_t waited_ms(const struct ww_held_exchange *before, const struct ww_held_exchange *x)
{
	return x->t_first_req.ns > before->ended.ns
		       ? (x->t_first_req.ns - before->ended.ns) / 1000000
		       : 0;
}

static void write_attempts(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_joined *j = &v->k->joined;

	ww_jsonw_array(w, j->grade == WW_JOIN_AMBIGUOUS ? "candidates" : "attempts");
	for (unsigned i = 0; i < j->count; i++) {
		const struct ww_match *m = j->attempts[i].match;

		ww_jsonw_object(w, NULL);
		write_exchange_id(w, "exchange", m->x);
		write_wall(w, "t", ww_clock_wall(v->clock, m->x->t_first_req));
		ww_jsonw_cstr(w, "join", ww_verdict_join_name(j->attempts[i].grade));
		ww_jsonw_cstr(w, "by", ww_join_by_name(j->attempts[i].by));
		ww_jsonw_cstr(w, "wire", ww_held_wire_name((enum ww_wire)m->wire));
		if (m->x->status)
			ww_jsonw_u64(w, "status", m->x->status);
		if (m->x->retry_after)
			ww_jsonw_u64(w, "retryAfterS", m->x->retry_after_s);
		if (i)
			ww_jsonw_u64(w, "waitedMs", waited_ms(j->attempts[i - 1].match->x, m->x));
		if (m->all) {
			ww_jsonw_u64(w, "itemsGood", m->good);
			ww_jsonw_u64(w, "items", m->all);
		}
		if (j->known & 1ull << i)
			ww_jsonw_bool(w, "idKnown", true);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

static void write_near(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_joined *j = &v->k->joined;

	ww_jsonw_u64(w, "nearMissTotal", j->near_total);
	ww_jsonw_array(w, "nearMiss");
	for (unsigned i = 0; i < j->near_count; i++) {
		const struct ww_match *m = j->near[i].match;

		ww_jsonw_object(w, NULL);
		write_exchange_id(w, "exchange", m->x);
		ww_jsonw_cstr(w, "why", ww_join_near_name(j->near[i].why));
		write_call(w, m);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

static void write_reads(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_joined *j = &v->k->joined;

	if (j->read_total == 0)
		return;
	if (v->r->read)
		write_exchange_id(w, "readback", ww_case_read(v->k, v->r->read)->x);
	ww_jsonw_u64(w, "readbackTotal", j->read_total);
	ww_jsonw_array(w, "readbacks");
	for (unsigned i = 0; i < j->read_count; i++) {
		const struct ww_match *m = j->reads[i].match;

		ww_jsonw_object(w, NULL);
		write_exchange_id(w, "exchange", m->x);
		write_wall(w, "t", ww_clock_wall(v->clock, m->x->t_first_req));
		write_exchange_id(w, "of", j->attempts[j->reads[i].attempt].match->x);
		ww_jsonw_cstr(w, "read", ww_held_read_name((enum ww_read)m->read));
		if (!v->k->grounds.reads[i].at_home)
			ww_jsonw_bool(w, "away", true);
		if (!v->k->grounds.reads[i].same_caller)
			ww_jsonw_bool(w, "otherCaller", true);
		if (m->x->status)
			ww_jsonw_u64(w, "status", m->x->status);
		write_peer(w, &m->x->peer);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

static void write_undecoded(const struct ww_held_flow *f, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "undecoded");
	write_flow_id(w, "flow", f->cookie);
	if (f->name)
		ww_jsonw_cstr(w, "destination", f->name);
	write_peer(w, &f->peer);
	ww_jsonw_bool(w, "tls", f->tls);
	ww_jsonw_u64(w, "bytesSent", f->bytes_sent);
	ww_jsonw_u64(w, "bytesAcked", f->bytes_acked);
	ww_jsonw_u64(w, "bytesReceived", f->bytes_received);
	ww_jsonw_end_object(w);
}

static void write_deciding(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_match *m = ww_case_match(v->k, v->r->deciding);

	write_exchange_id(w, "exchange", m->x);
	write_flow_id(w, "flow", m->x->cookie);
	ww_jsonw_cstr(w, "wire", ww_held_wire_name((enum ww_wire)m->wire));
	write_call(w, m);
	if (ww_held_rule(v->k->contract, m))
		ww_jsonw_cstr(w, "rule", ww_held_rule(v->k->contract, m));
	if (m->id_present)
		ww_jsonw_hex(w, "idDigest", ww_slice(m->id.of, sizeof(m->id.of)));
	ww_jsonw_u64(w, "requestBytes", m->x->req_bytes);
	ww_jsonw_u64(w, "responseBytes", m->x->resp_bytes);
}

/* Nothing was joined, or what was led elsewhere. */
static bool is_elsewhere(const struct ww_verdict_record *v)
{
	return v->k->joined.elsewhere &&
	       (!v->k->joined.count || v->r->verdict == WW_VERDICT_ACTED_ELSEWHERE);
}

static void write_wire(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_joined *j = &v->k->joined;

	ww_jsonw_object(w, "wire");
	if (v->r->deciding)
		write_deciding(v, w);
	if (j->grade != WW_JOIN_AMBIGUOUS && j->total)
		ww_jsonw_u64(w, "retries", j->total - 1);
	write_attempts(v, w);
	write_reads(v, w);
	if (is_elsewhere(v)) {
		ww_jsonw_object(w, "elsewhere");
		write_exchange_id(w, "exchange", j->elsewhere->x);
		write_call(w, j->elsewhere);
		ww_jsonw_end_object(w);
	}
	if (v->r->flow)
		write_undecoded(v->k->world.undecoded.flow, w);
	write_near(v, w);
	ww_jsonw_end_object(w);
}

/* --- the grounds --------------------------------------------------------------------------------
 */

static void write_world(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_world *world = &v->k->world;

	ww_jsonw_array(w, "closedWorld");
	for (unsigned i = 0; v->r->world_asked && i < WW_WORLD_ITEM_MAX; i++) {
		bool failed = world->failed & (1u << i);

		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "item", ww_closed_world_item_name(i));
		ww_jsonw_bool(w, "pass", !failed);
		if (failed)
			ww_jsonw_cstr(w, "detail", world->details[i]);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	if (!v->r->world_asked)
		return;
	ww_jsonw_u64(w, "egressTotal", world->egress_total);
	ww_jsonw_array(w, "egress");
	for (unsigned i = 0; i < world->egress_count; i++) {
		const struct ww_held_flow *f = world->egress[i];

		ww_jsonw_object(w, NULL);
		write_flow_id(w, "flow", f->cookie);
		if (f->name)
			ww_jsonw_cstr(w, "destination", f->name);
		write_peer(w, &f->peer);
		ww_jsonw_bool(w, "model", f->model);
		ww_jsonw_u64(w, "bytesSent", f->bytes_sent);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_u64(w, "refused", world->refused);
}

static void write_turn(const struct ww_turn *t, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "turn");
	ww_jsonw_u64(w, "fromBootNs", t->from.ns);
	ww_jsonw_u64(w, "toBootNs", t->to.ns);
	ww_jsonw_u64(w, "egressTotal", t->total);
	ww_jsonw_array(w, "egress");
	for (unsigned i = 0; i < t->count; i++) {
		char peer[WW_ENDPOINT_TEXT_MAX];

		ww_endpoint_text(&t->egress[i]->peer, peer);
		ww_jsonw_cstr(w, NULL, t->egress[i]->name ? t->egress[i]->name : peer);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

/* The spans between an attempt's and the tool's own: they show whose call it is. */
static void write_descent(const struct ww_verdict_record *v, const struct ww_attempt *at,
			  struct ww_jsonw *w)
{
	const struct ww_held_exchange *x = at->match->x;
	const struct ww_held_span *s = NULL;
	char id[WW_SPAN_ID_MAX];

	if (at->by == WW_JOIN_BY_TRACEPARENT)
		s = ww_held_span_get(v->k->held, x->root, x->trace.trace_id, x->trace.span_id);
	for (unsigned i = 0; s && s->role != WW_SPAN_TOOL && i < DESCENT_MAX; i++) {
		span_id_text(s->key.span_id, id);
		ww_jsonw_cstr(w, NULL, id);
		s = ww_held_span_get(v->k->held, x->root, x->trace.trace_id, s->parent);
	}
}

/* The runs of a control; the one that decides is named last. */
static void write_run_refs(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_controlled *c = v->k->controlled;

	for (unsigned i = 0; c && i < c->count; i++)
		write_exchange_id(w, NULL, c->runs[i].match->x);
	if (v->r->run)
		write_exchange_id(w, NULL, ww_case_run(v->k, v->r->run)->match->x);
}

/* Ids of the records that the verdict rests on. */
static void write_refs(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_case *k = v->k;
	const struct ww_action *a = k->action;
	char id[WW_SPAN_ID_MAX];

	ww_jsonw_array(w, "refs");
	for (unsigned i = 0; i < a->span_count; i++) {
		span_id_text(a->spans[i].span_id, id);
		ww_jsonw_cstr(w, NULL, id);
	}
	for (unsigned i = 0; i < a->claim_count; i++) {
		span_id_text(a->claims[i].span_id, id);
		ww_jsonw_cstr(w, NULL, id);
	}
	if (a->model.asked)
		ww_jsonw_cstr(w, NULL, a->model.exchange);
	if (a->model.shown)
		ww_jsonw_cstr(w, NULL, a->model.shown_exchange);
	for (unsigned i = 0; i < a->said_count; i++)
		ww_jsonw_cstr(w, NULL, a->said[i].exchange);
	if (a->narrated)
		ww_jsonw_cstr(w, NULL, a->narration.exchange);
	for (unsigned i = 0; i < k->joined.count; i++)
		write_exchange_id(w, NULL, k->joined.attempts[i].match->x);
	for (unsigned i = 0; i < k->joined.count; i++)
		write_descent(v, &k->joined.attempts[i], w);
	for (unsigned i = 0; i < k->joined.read_count; i++)
		write_exchange_id(w, NULL, k->joined.reads[i].match->x);
	if (v->r->deciding == &k->grounds.late) {
		write_exchange_id(w, NULL, k->joined.overdue.match->x);
		write_descent(v, &k->joined.overdue, w);
	}
	if (is_elsewhere(v))
		write_exchange_id(w, NULL, k->joined.elsewhere->x);
	if (v->r->flow)
		write_flow_id(w, NULL, k->world.undecoded.flow->cookie);
	write_run_refs(v, w);
	ww_local_case_write_refs(v->k, w);
	ww_jsonw_end_array(w);
}

/* --- records ------------------------------------------------------------------------------------
 */

static struct ww_wall subject_time(const struct ww_verdict_record *v)
{
	const struct ww_action *a = v->k->action;
	struct ww_boot t = ww_action_begun(a);

	if (a->span_count && a->clock_bad)
		return a->spans[0].said_start;
	if (t.ns == 0 && a->claim_count)
		t = a->claims[0].at;
	if (t.ns == 0 && a->prose.only)
		t = a->said[0].at;
	return ww_clock_wall(v->clock, t.ns ? t : a->received);
}

void ww_verdict_write_who(const struct ww_action *a, struct ww_jsonw *w)
{
	char id[WW_ACTOR_ID_MAX];

	ww_jsonw_cstr(w, "tool", a->tool);
	ww_jsonw_cstr(w, "toolCallId", a->tool_call_id[0] ? a->tool_call_id : NULL);
	ww_actor_id(a->actor, id);
	ww_jsonw_cstr(w, "actor", id);
	ww_actor_id(a->root, id);
	ww_jsonw_cstr(w, "root", id);
	ww_jsonw_id64(w, "cgroup", a->cgroup);
}

void ww_verdict_write_action(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_action *a = v->k->action;

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "action");
	ww_jsonw_cstr(w, "id", a->id);
	write_wall(w, "t", subject_time(v));
	if (v->originals)
		ww_originals_write(v->originals, a->id, NULL, w);
	ww_verdict_write_who(a, w);
	ww_jsonw_cstr(w, "effect",
		      v->k->contract ? ww_contract_effect_name(v->k->contract->effect) : NULL);
	write_said(v, w);
	write_span(v, w);
	write_model(v, w);
	write_wire(v, w);
	ww_local_case_write(v->k, v->r, v->clock, w);
	ww_jsonw_end_object(w);
}

/* Remarks on how was asked: they judge nothing. */
static void write_findings(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_joined *j = &v->k->joined;

	if (!v->r->hurried)
		return;
	ww_jsonw_array(w, "findings");
	for (unsigned i = 1; i < j->count; i++) {
		const struct ww_held_exchange *before = j->attempts[i - 1].match->x;
		const struct ww_held_exchange *x = j->attempts[i].match->x;

		if (!(v->r->hurried & 1ull << i))
			continue;
		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "finding", WW_VERDICT_FINDING_BACKOFF);
		write_exchange_id(w, "exchange", x);
		ww_jsonw_u64(w, "retryAfterS", before->retry_after_s);
		ww_jsonw_u64(w, "waitedMs", waited_ms(before, x));
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

static void write_subjects(struct ww_jsonw *w, const char *key, const struct ww_subjects *s)
{
	if (!s || !s->known)
		return;
	ww_jsonw_array(w, key);
	for (unsigned i = 0; i < s->count; i++) {
		uint64_t d = htobe64(s->digest[i]);

		ww_jsonw_hex(w, NULL, ww_slice(&d, sizeof(d)));
	}
	ww_jsonw_end_array(w);
}

static void write_run(const struct ww_verdict_record *v, const struct ww_control_run *run,
		      struct ww_jsonw *w)
{
	const struct ww_controlled *c = v->k->controlled;
	const struct ww_subjects *own = c->action->match->subjects;

	write_exchange_id(w, "exchange", run->match->x);
	write_wall(w, "t", ww_clock_wall(v->clock, run->begun));
	ww_jsonw_cstr(w, "says", ww_control_says_name((enum ww_control_says)run->says));
	if (run->match->x->status)
		ww_jsonw_u64(w, "status", run->match->x->status);
	ww_jsonw_cstr(w, "subject", ww_control_subject_name((enum ww_control_subject)run->subject));
	write_subjects(w, "subjects", run->match->subjects);
	write_subjects(w, "actionSubject", own ? &own[c->place] : NULL);
	if (run->ended.ns)
		ww_jsonw_i64(w, "gapMs", v->r->gap_ns / 1000000);
}

/* The columns narrated and wire, of a control. */
static void write_control(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_controlled *c = v->k->controlled;

	if (!c)
		return;
	ww_jsonw_object(w, "control");
	ww_jsonw_cstr(w, "name", c->control->name);
	ww_jsonw_cstr(w, "same", ww_control_same_name(c->control->same));
	ww_jsonw_bool(w, "narrated", v->k->grounds.control.narrated);
	write_exchange_id(w, "action", c->action->match->x);
	if (v->r->run)
		write_run(v, ww_case_run(v->k, v->r->run), w);
	ww_jsonw_u64(w, "runs", c->total);
	ww_jsonw_u64(w, "denied", v->r->denied);
	ww_jsonw_u64(w, "uses", v->r->uses);
	ww_jsonw_end_object(w);
}

static void write_ruling(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_ruling *r = v->r;

	ww_jsonw_cstr(w, "engine", r->engine);
	ww_jsonw_cstr(w, "verdict", ww_verdict_name(r->verdict));
	ww_jsonw_cstr(w, "reason", r->reason ? ww_verdict_reason_name(r->reason) : NULL);
	ww_jsonw_cstr(w, "evidence", ww_verdict_evidence_name(r->evidence));
	ww_jsonw_cstr(w, "tier", ww_rule_tier(r));
	ww_jsonw_cstr(w, "join", ww_verdict_join_name(r->join));
	if (r->by)
		ww_jsonw_cstr(w, "by", ww_join_by_name(r->by));
	if (r->verdict == WW_VERDICT_PARTIAL_EFFECT)
		ww_jsonw_u64(w, "k", r->k);
	if (r->n)
		ww_jsonw_u64(w, "n", r->n);
	if (r->until_ns)
		write_wall(w, "deadline", ww_clock_wall(v->clock, (struct ww_boot){r->until_ns}));
	if (r->verdict == WW_VERDICT_ACTED_LATE)
		ww_jsonw_u64(w, "lateMs", r->late_ns / 1000000);
	write_control(v, w);
	write_findings(v, w);
}

static const char *control_name(const struct ww_verdict_record *v)
{
	return v->k->controlled ? v->k->controlled->control->name : NULL;
}

void ww_verdict_write(const struct ww_verdict_record *v, struct ww_jsonw *w, size_t *ret_from,
		      size_t *ret_to)
{
	const struct ww_action *a = v->k->action;
	char id[WW_VERDICT_ID_MAX], summary[sizeof(WW_VERDICT_AGAIN) + WW_VERDICT_SUMMARY_MAX];
	char *line = ww_put_text(summary, v->originals ? WW_VERDICT_AGAIN : "");

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "verdict");
	write_id(v, v->revision, id);
	ww_jsonw_cstr(w, "id", id);
	write_wall(w, "t", subject_time(v));
	if (v->originals)
		ww_originals_write(v->originals, a->id, control_name(v), w);
	*ret_from = w->out->n;
	ww_jsonw_cstr(w, "action", a->id);
	write_ruling(v, w);
	ww_verdict_write_who(a, w);
	write_said(v, w);
	write_span(v, w);
	write_wire(v, w);
	ww_local_case_write(v->k, v->r, v->clock, w);
	write_world(v, w);
	if (v->k->contract && (ww_contract_networked(v->k->contract) || v->k->grounds.local.there))
		ww_coverage_write_answer(&v->k->world.coverage, v->k->world.from, v->k->world.to,
					 w);
	write_digest(w, "contracts", &v->contracts->digest);
	if (a->said_count || a->narrated)
		write_digest(w, "phrases", &v->phrases->digest);
	if (a->said_count)
		write_turn(&v->k->turn, w);
	write_refs(v, w);
	ww_verdict_summary(v->k, v->r, line);
	ww_jsonw_cstr(w, "summary", summary);
	*ret_to = w->out->n;
	ww_grounds_write(v, w);
	if (v->revision > 1) {
		write_id(v, v->revision - 1, id);
		ww_jsonw_cstr(w, "supersedes", id);
	}
	ww_jsonw_end_object(w);
}
