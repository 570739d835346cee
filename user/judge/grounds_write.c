/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/grounds_write.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "join/said.h"
#include "judge/verdict.h"

/* --- the contract's terms -----------------------------------------------------------------------
 */

static void write_texts(struct ww_jsonw *w, const char *key, char *const *texts, unsigned count)
{
	ww_jsonw_array(w, key);
	for (unsigned i = 0; i < count; i++)
		ww_jsonw_cstr(w, NULL, texts[i]);
	ww_jsonw_end_array(w);
}

static void write_cidr(struct ww_jsonw *w, const struct ww_cidr *c)
{
	char address[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 8];

	inet_ntop(c->family, c->addr, address, sizeof(address));
	snprintf(text, sizeof(text), "%s/%u", address, c->bits);
	ww_jsonw_cstr(w, NULL, text);
}

static void write_destination(struct ww_jsonw *w, const struct ww_destination *d)
{
	ww_jsonw_object(w, NULL);
	if (d->name)
		ww_jsonw_cstr(w, "name", d->name);
	if (d->program)
		ww_jsonw_cstr(w, "program", d->program);
	if (d->cidr_count) {
		ww_jsonw_array(w, "cidr");
		for (unsigned i = 0; i < d->cidr_count; i++)
			write_cidr(w, &d->cidrs[i]);
		ww_jsonw_end_array(w);
	}
	if (d->port)
		ww_jsonw_u64(w, "port", d->port);
	if (d->allow_loopback)
		ww_jsonw_bool(w, "loopback", true);
	ww_jsonw_end_object(w);
}

static void write_pattern(struct ww_jsonw *w, const struct ww_pattern *p)
{
	ww_jsonw_array(w, "destinations");
	for (unsigned i = 0; i < p->destination_count; i++)
		write_destination(w, &p->destinations[i]);
	ww_jsonw_end_array(w);
	write_texts(w, "methods", p->methods, p->method_count);
	write_texts(w, "paths", p->paths, p->path_count);
}

/* Of body rules only where they look: what a body must hold is compared when it is seen, and never
 * again. */
static void write_success(struct ww_jsonw *w, const struct ww_success *s)
{
	ww_jsonw_u64(w, "statusMin", s->status_min);
	ww_jsonw_u64(w, "statusMax", s->status_max);
	ww_jsonw_array(w, "bodyRules");
	for (unsigned i = 0; i < s->rule_count; i++)
		ww_jsonw_cstr(w, NULL, s->rules[i].path);
	ww_jsonw_end_array(w);
}

static void write_readback(struct ww_jsonw *w, const struct ww_readback *b)
{
	if (!b->path)
		return;
	ww_jsonw_object(w, "readback");
	ww_jsonw_cstr(w, "method", b->method);
	ww_jsonw_cstr(w, "path", b->path);
	write_success(w, &b->success);
	ww_jsonw_end_object(w);
}

static void write_control_terms(struct ww_jsonw *w, const struct ww_control *c)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "name", c->name);
	write_pattern(w, &c->call);
	write_success(w, &c->allow);
	ww_jsonw_cstr(w, "same", ww_control_same_name(c->same));
	if (c->subject_count)
		ww_jsonw_bool(w, "subject", true);
	if (c->max_age_s)
		ww_jsonw_u64(w, "maxAgeS", c->max_age_s);
	if (c->max_uses)
		ww_jsonw_u64(w, "maxUses", c->max_uses);
	ww_jsonw_end_object(w);
}

/* What the verifier must know of the call. */
static void write_network(struct ww_jsonw *w, const struct ww_contract *c)
{
	write_pattern(w, &c->call);
	write_success(w, &c->success);
	if (c->mcp_tool)
		ww_jsonw_cstr(w, "mcpTool", c->mcp_tool);
	if (c->id_path)
		ww_jsonw_cstr(w, "idPath", c->id_path);
	if (c->answer_path_count)
		write_texts(w, "answerPaths", c->answer_paths, c->answer_path_count);
	write_readback(w, &c->readback);
	if (c->bulk.items)
		ww_jsonw_cstr(w, "bulkItems", c->bulk.items);
	if (c->deadline_s)
		ww_jsonw_u64(w, "deadlineS", c->deadline_s);
	if (c->deferred)
		ww_jsonw_bool(w, "deferred", true);
	if (!c->control_count)
		return;
	ww_jsonw_array(w, "controls");
	for (unsigned i = 0; i < c->control_count; i++)
		write_control_terms(w, &c->controls[i]);
	ww_jsonw_end_array(w);
}

/* And of what is done on this host. */
static void write_local(struct ww_jsonw *w, const struct ww_local *l)
{
	if (l->program_count)
		write_texts(w, "programs", l->programs, l->program_count);
	if (l->exit_given) {
		ww_jsonw_u64(w, "exitMin", l->exit_min);
		ww_jsonw_u64(w, "exitMax", l->exit_max);
	}
	if (l->file_count) {
		write_texts(w, "files", l->files, l->file_count);
		ww_jsonw_u64(w, "changes", l->changes);
	}
}

static size_t list_bytes(char *const *texts, unsigned count)
{
	size_t n = 0;

	for (unsigned i = 0; i < count; i++)
		n += strlen(texts[i]) + 3;
	return n;
}

static size_t pattern_bytes(const struct ww_pattern *p)
{
	size_t n = list_bytes(p->methods, p->method_count) + list_bytes(p->paths, p->path_count);

	for (unsigned i = 0; i < p->destination_count; i++)
		n += 64 + (p->destinations[i].name ? strlen(p->destinations[i].name) : 0) +
		     (p->destinations[i].program ? strlen(p->destinations[i].program) : 0) +
		     p->destinations[i].cidr_count * (INET6_ADDRSTRLEN + 8ul);
	return n;
}

static size_t success_bytes(const struct ww_success *s)
{
	size_t n = 0;

	for (unsigned i = 0; i < s->rule_count; i++)
		n += strlen(s->rules[i].path) + 3;
	return n;
}

/* At least what the terms take, when no text has to be escaped. */
static size_t terms_bytes(const struct ww_contract *c)
{
	size_t n = pattern_bytes(&c->call) + success_bytes(&c->success) +
		   success_bytes(&c->readback.success) +
		   list_bytes(c->answer_paths, c->answer_path_count) +
		   list_bytes(c->local.programs, c->local.program_count) +
		   list_bytes(c->local.files, c->local.file_count);

	for (unsigned i = 0; i < c->control_count; i++)
		n += 64 + strlen(c->controls[i].name) + pattern_bytes(&c->controls[i].call) +
		     success_bytes(&c->controls[i].allow);
	return n;
}

/* Whose signatures count: with their keys, so that they can be checked again. */
static void write_attesters(struct ww_jsonw *w, const struct ww_contract *c)
{
	char key[WW_ATTESTER_BASE64_MAX + 1];

	if (!c->attester_count)
		return;
	ww_jsonw_array(w, "attesters");
	for (unsigned i = 0; i < c->attester_count; i++) {
		ww_attester_key_text(&c->attesters[i], key);
		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "name", c->attesters[i].name);
		ww_jsonw_cstr(w, "key", key);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

static void write_terms(struct ww_jsonw *w, const struct ww_contract *c)
{
	if (!c) {
		ww_jsonw_null(w, "terms");
		return;
	}
	ww_jsonw_object(w, "terms");
	ww_jsonw_cstr(w, "effect", ww_contract_effect_name(c->effect));
	write_attesters(w, c);
	if (ww_contract_networked(c) && terms_bytes(c) <= WW_TERMS_BYTES_MAX)
		write_network(w, c);
	if (ww_contract_local(c))
		ww_jsonw_bool(w, "local", true);
	if (ww_contract_local(c) && terms_bytes(c) <= WW_TERMS_BYTES_MAX)
		write_local(w, &c->local);
	ww_jsonw_end_object(w);
}

static bool is_other(const struct ww_verdict_record *v, unsigned i)
{
	return ww_said_may_mean(&v->k->action->prose, (int)i) &&
	       &v->contracts->items[i] != v->k->contract;
}

/* Of the other tools that prose may mean: nothing of theirs left, either. */
static void write_may_mean(struct ww_jsonw *w, const struct ww_verdict_record *v)
{
	const struct ww_contracts *all = v->contracts;
	size_t n = 0;

	if (!v->k->action->prose.only || v->k->action->prose.tool_count < 2)
		return;
	for (unsigned i = 0; i < all->count; i++)
		n += is_other(v, i) ? terms_bytes(&all->items[i]) : 0;
	if (n > WW_TERMS_BYTES_MAX)
		return;
	ww_jsonw_array(w, "mayMean");
	for (unsigned i = 0; i < all->count; i++) {
		if (!is_other(v, i))
			continue;
		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "tool", all->items[i].tool);
		write_terms(w, &all->items[i]);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

/* --- the rest -----------------------------------------------------------------------------------
 */

static void write_flow(struct ww_jsonw *w, uint64_t cookie, const struct ww_grounds_flow *f)
{
	char id[WW_FLOW_ID_MAX];

	ww_flow_id(cookie, id);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "flow", id);
	ww_jsonw_bool(w, "tls", f->tls);
	ww_jsonw_bool(w, "closed", f->closed);
	if (f->closed)
		ww_jsonw_u64(w, "closedBootNs", f->closed_ns);
	ww_jsonw_bool(w, "checked", !f->unchecked);
	ww_jsonw_u64(w, "bytesSent", f->sent);
	ww_jsonw_u64(w, "bytesAcked", f->acked);
	ww_jsonw_u64(w, "setupBytes", f->setup);
	ww_jsonw_u64(w, "unexplainedOut", f->unexplained_out);
	ww_jsonw_u64(w, "unexplainedIn", f->unexplained_in);
	ww_jsonw_u64(w, "unread", f->unread);
	ww_jsonw_end_object(w);
}

/* The exchanges whose connections the rules look at: n of them. */
#define CALLS_MAX (WW_GROUNDS_ATTEMPTS_MAX + WW_GROUNDS_READS_MAX + WW_GROUNDS_RUNS_MAX + 1)

struct call {
	uint64_t cookie;
	const struct ww_grounds_call *call;
};

static unsigned gather_calls(const struct ww_case *k, struct call *to)
{
	const struct ww_grounds *g = &k->grounds;
	unsigned n = 0;

	for (unsigned i = 0; i < g->count; i++)
		to[n++] =
			(struct call){k->joined.attempts[i].match->x->cookie, &g->attempts[i].call};
	for (unsigned i = 0; i < g->read_count; i++)
		to[n++] = (struct call){k->joined.reads[i].match->x->cookie, &g->reads[i].call};
	if (g->late_there)
		to[n++] = (struct call){k->joined.overdue.match->x->cookie, &g->late.call};
	for (unsigned i = 0; i < g->control.count; i++)
		to[n++] = (struct call){k->controlled->runs[i].match->x->cookie,
					&g->control.runs[i].call};
	return n;
}

/* The connections of these calls, as they stood: each once. */
static void write_flows(struct ww_jsonw *w, const struct ww_case *k)
{
	struct call calls[CALLS_MAX];
	unsigned n = gather_calls(k, calls);

	ww_jsonw_array(w, "flows");
	for (unsigned i = 0; i < n; i++) {
		bool written = false;

		for (unsigned b = 0; b < i; b++)
			written |= calls[b].cookie == calls[i].cookie;
		if (calls[i].call->flow.known && !written)
			write_flow(w, calls[i].cookie, &calls[i].call->flow);
	}
	ww_jsonw_end_array(w);
}

/* By which keys an attempt may have been joined. */
static void write_keys(struct ww_jsonw *w, const struct ww_case *k)
{
	const struct ww_action *a = k->action;
	bool asked = false;

	for (unsigned i = 0; i < k->joined.count; i++)
		asked |= k->joined.attempts[i].by == WW_JOIN_BY_IDEMPOTENCY_KEY;
	asked |= k->joined.overdue.by == WW_JOIN_BY_IDEMPOTENCY_KEY;
	if (asked && a->tool_call_id[0])
		ww_jsonw_hex(w, "callKeyDigest", ww_slice(a->call_digest.b, WW_SHA256_LEN));
	if (asked && a->key_said)
		ww_jsonw_hex(w, "spanKeyDigest", ww_slice(a->said_key.b, WW_SHA256_LEN));
}

static void write_undecoded(struct ww_jsonw *w, const struct ww_grounds *g)
{
	if (!g->undecoded)
		return;
	ww_jsonw_object(w, "undecoded");
	ww_jsonw_u64(w, "count", g->undecoded);
	ww_jsonw_cstr(w, "evidence", ww_verdict_evidence_name(g->undecoded_evidence));
	ww_jsonw_bool(w, "opaque", g->undecoded_opaque);
	ww_jsonw_bool(w, "torn", g->undecoded_torn);
	ww_jsonw_bool(w, "inside", g->undecoded_inside);
	ww_jsonw_u64(w, "rivals", g->rivals);
	ww_jsonw_end_object(w);
}

/* Values of the declared members of an answer, by their paths; null: it has none. */
static void write_values(struct ww_jsonw *w, const char *key, const struct ww_contract *c,
			 uint8_t has, const uint64_t *digests)
{
	ww_jsonw_array(w, key);
	for (unsigned i = 0; i < WW_ANSWER_PATHS_MAX && ww_answer_path(c, i); i++) {
		if (has & (1u << i))
			ww_jsonw_hex(w, NULL, ww_slice(&digests[i], sizeof(digests[i])));
		else
			ww_jsonw_null(w, NULL);
	}
	ww_jsonw_end_array(w);
}

static void write_rounded(struct ww_jsonw *w, const char *key, const struct ww_contract *c,
			  const struct ww_answer *a)
{
	if (a->large)
		write_values(w, key, c, a->large, a->rounded);
}

static void write_answer(struct ww_jsonw *w, const struct ww_contract *c, const struct ww_answer *a)
{
	ww_jsonw_bool(w, "whole", a->whole);
	write_values(w, "values", c, a->present, a->digest);
	write_rounded(w, "rounded", c, a);
}

static void write_likes(struct ww_jsonw *w, const struct ww_case *k)
{
	const struct ww_grounds *g = &k->grounds;

	if (g->like_count)
		ww_jsonw_array(w, "likeAnswers");
	for (unsigned i = 0; i < g->like_count; i++) {
		ww_jsonw_object(w, NULL);
		write_answer(w, k->contract, &g->likes[i].answer);
		if (g->likes[i].read)
			ww_jsonw_bool(w, "read", true);
		ww_jsonw_end_object(w);
	}
	if (g->like_count)
		ww_jsonw_end_array(w);
	if (g->beside)
		ww_jsonw_u64(w, "beside", g->beside);
}

/* What the model was shown, beside what the attempts answered. */
static void write_answers(struct ww_jsonw *w, const struct ww_case *k)
{
	const struct ww_grounds *g = &k->grounds;

	if (!g->shown || !g->shown_answer.present)
		return;
	write_values(w, "shown", k->contract, g->shown_answer.present, g->shown_answer.digest);
	write_rounded(w, "shownRounded", k->contract, &g->shown_answer);
	ww_jsonw_array(w, "answers");
	for (unsigned i = 0; i < g->count; i++) {
		const struct ww_answer *a = &g->attempts[i].answer;

		ww_jsonw_object(w, NULL);
		write_answer(w, k->contract, a);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	write_likes(w, k);
	ww_jsonw_u64(w, "almost", g->almost);
	ww_jsonw_bool(w, "shownElsewhere", g->shown_elsewhere);
	if (g->shown_answer.failure)
		ww_jsonw_bool(w, "shownFailure", true);
}

static void write_late(struct ww_jsonw *w, const struct ww_case *k)
{
	const struct ww_grounds *g = &k->grounds;
	char id[WW_EXCHANGE_ID_MAX];

	if (!g->late_there)
		return;
	ww_held_exchange_id(k->joined.overdue.match->x, id);
	ww_jsonw_object(w, "late");
	ww_jsonw_cstr(w, "exchange", id);
	ww_jsonw_cstr(w, "join", ww_verdict_join_name(g->late.grade));
	ww_jsonw_cstr(w, "by", ww_join_by_name(g->late.by));
	ww_jsonw_cstr(w, "wire", ww_held_wire_name(g->late.wire));
	ww_jsonw_u64(w, "afterBootNs", g->late_after_ns);
	ww_jsonw_bool(w, "contested", g->late_contested);
	ww_jsonw_end_object(w);
}

static void write_run(struct ww_jsonw *w, const struct ww_control_run *run,
		      const struct ww_grounds_run *g)
{
	char id[WW_EXCHANGE_ID_MAX];

	ww_held_exchange_id(run->match->x, id);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "exchange", id);
	ww_jsonw_cstr(w, "says", ww_control_says_name((enum ww_control_says)run->says));
	ww_jsonw_cstr(w, "subject", ww_control_subject_name((enum ww_control_subject)run->subject));
	ww_jsonw_u64(w, "uses", g->uses);
	ww_jsonw_u64(w, "usesUnknown", g->uses_unknown);
	if (g->stray)
		ww_jsonw_bool(w, "stray", true);
	ww_jsonw_end_object(w);
}

static void write_control(struct ww_jsonw *w, const struct ww_case *k)
{
	const struct ww_grounds_control *g = &k->grounds.control;

	if (!g->there)
		return;
	ww_jsonw_object(w, "control");
	ww_jsonw_cstr(w, "doubt", g->doubt ? ww_verdict_reason_name(g->doubt) : NULL);
	ww_jsonw_u64(w, "fromBootNs", k->controlled->from.ns);
	ww_jsonw_u64(w, "untilBootNs", k->controlled->until.ns);
	ww_jsonw_array(w, "runs");
	for (unsigned i = 0; i < g->count; i++)
		write_run(w, &k->controlled->runs[i], &g->runs[i]);
	ww_jsonw_end_array(w);
	ww_jsonw_u64(w, "stray", g->stray);
	ww_jsonw_end_object(w);
}

/* When it was judged, where there is a date to hold that against. */
static void write_dates(struct ww_jsonw *w, const struct ww_grounds *g)
{
	if (g->until_ns)
		ww_jsonw_u64(w, "announcedBootNs", g->until_ns);
	if (g->shows_until_ns)
		ww_jsonw_u64(w, "showsUntilBootNs", g->shows_until_ns);
	if (!g->until_ns && !g->shows_until_ns)
		return;
	ww_jsonw_u64(w, "judgedBootNs", g->now_ns);
	if (g->finished)
		ww_jsonw_bool(w, "finished", true);
}

static void write_wire(struct ww_jsonw *w, const struct ww_verdict_record *v)
{
	const struct ww_case *k = v->k;
	const struct ww_grounds *g = &k->grounds;

	ww_jsonw_u64(w, "fromBootNs", k->joined.window.from.ns);
	ww_jsonw_u64(w, "toBootNs", k->joined.window.to.ns);
	write_dates(w, g);
	ww_jsonw_u64(w, "attempts", g->total);
	write_keys(w, k);
	write_flows(w, k);
	if (g->reads_over)
		ww_jsonw_bool(w, "readsOver", true);
	write_late(w, k);
	write_answers(w, k);
	ww_jsonw_u64(w, "partners", g->partners);
	ww_jsonw_bool(w, "stillOpen", g->still_open);
	ww_jsonw_bool(w, "worldWhole", k->world.whole);
	ww_jsonw_array(w, "notHeld");
	for (unsigned i = 0; i < WW_WORLD_ITEM_MAX; i++) {
		if (g->failed & (1u << i))
			ww_jsonw_cstr(w, NULL, ww_closed_world_item_name(i));
	}
	ww_jsonw_end_array(w);
	write_undecoded(w, g);
	write_may_mean(w, v);
	write_control(w, k);
}

void ww_grounds_write(const struct ww_verdict_record *v, struct ww_jsonw *w)
{
	const struct ww_grounds *g = &v->k->grounds;
	struct ww_ruling plain;

	ww_jsonw_object(w, "grounds");
	ww_jsonw_bool(w, "givenUp", g->given_up);
	ww_jsonw_bool(w, "clockBad", g->clock_bad);
	ww_jsonw_bool(w, "asked", g->asked);
	ww_jsonw_bool(w, "remote", g->remote);
	write_terms(w, v->k->contract);
	if (!ww_rule_plainly(g, &plain))
		write_wire(w, v);
	ww_jsonw_end_object(w);
}
