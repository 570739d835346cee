/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "judge/local_case.h"
#include "judge/verdict.h"
#include "judge/verdict_write.h"

struct line {
	char *out;
	size_t n;
};

static void __attribute__((format(printf, 2, 3))) add(struct line *l, const char *fmt, ...)
{
	size_t left = WW_VERDICT_SUMMARY_MAX - l->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->out + l->n, left, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->n += (size_t)n < left ? (size_t)n : left - 1;
}

static void add_claimed(struct line *l, const struct ww_action *a)
{
	const struct ww_action_span *s = ww_action_last_span(a);
	const char *between = "; claimed: ";

	if (s) {
		add(l, "%sspan %s", between, ww_span_status_name(s->status));
		between = ", ";
	}
	for (unsigned i = 0; i < a->claim_count; i++) {
		add(l, "%sclaim %s", between, a->claims[i].done ? "done" : "will");
		between = ", ";
	}
	for (unsigned i = 0; i < a->said_count; i++) {
		add(l, "%stext %s", between,
		    a->said[i].claim.kind == WW_PHRASE_DONE ? "done" : "will");
		between = ", ";
	}
	if (!s && !a->claim_count && a->model.asked)
		add(l, "; asked for by the model");
}

/* "; turn egress: {api.model.example, 10.7.0.9:443}" */
static void add_egress(struct line *l, const struct ww_turn *t)
{
	char peer[WW_ENDPOINT_TEXT_MAX];

	add(l, "; turn egress: {");
	for (unsigned i = 0; i < t->count; i++) {
		ww_endpoint_text(&t->egress[i]->peer, peer);
		add(l, "%s%s", i ? ", " : "", t->egress[i]->name ? t->egress[i]->name : peer);
	}
	add(l, t->total > t->count ? ", ...}" : "}");
}

static void add_call(struct line *l, const struct ww_match *m)
{
	const struct ww_held_exchange *x = m->x;
	char peer[WW_ENDPOINT_TEXT_MAX];

	ww_endpoint_text(&x->peer, peer);
	if (x->channel) {
		add(l, "%s at %s", x->method, x->name);
		return;
	}
	add(l, "%s %s at %s", x->method, m->template ? m->template : x->path,
	    x->name[0] ? x->name : peer);
}

/* "POST /v1/refunds at payments.example answered 503 (measured)" */
static void add_answer(struct line *l, const struct ww_case *k, const struct ww_ruling *r)
{
	const struct ww_match *m = ww_case_match(k, r->deciding);

	add_call(l, m);
	if (m->x->status)
		add(l, " answered %u (measured)", m->x->status);
	else if (m->x->channel && m->x->outcome == WW_X_COMPLETE)
		add(l, " answered over stdio (measured)");
	else
		add(l, " got no answer (measured)");
	if (ww_held_rule(k->contract, m))
		add(l, ", body rule %s %s", ww_held_rule(k->contract, m),
		    m->wire == WW_WIRE_BODY_FAILED ? "violated" : "not decidable");
	if (m->x->retry_after)
		add(l, ", retry after %u s", m->x->retry_after_s);
	if (k->joined.total > 1)
		add(l, ", %u attempts", k->joined.total);
	if (r->hurried)
		add(l, ", retried before that");
}

/* What was read of the created thing later: of several reads the last one that is listed. */
static void add_reads(struct line *l, const struct ww_case *k, const struct ww_ruling *r)
{
	const struct ww_joined *j = &k->joined;
	const struct ww_match *m = r->read         ? ww_case_read(k, r->read)
				   : j->read_count ? j->reads[j->read_count - 1].match
						   : NULL;

	if (!m)
		return;
	add(l, ", read back later: %s", ww_held_read_name((enum ww_read)m->read));
	if (m->x->status)
		add(l, ", answered %u", m->x->status);
	add(l, " (measured)");
}

/* "pg_dump ended with 0 (measured)", "/srv/out/{name} modified closed (measured)" */
static void add_deed(struct line *l, const struct ww_case *k, const struct ww_ruling *r)
{
#define BIT_(n, v, t, d) {v, t},
	static const struct {
		uint32_t bit;
		const char *text;
	} bits[] = {WW_CHANGE_BITS(BIT_)};
	const struct ww_deed *d = ww_local_case_deed(k, r->deed);

	add(l, "%s", ww_deed_template(d, k->contract));
	for (unsigned i = 0; i < WW_ARRAY_SIZE(bits); i++) {
		if (d->what & bits[i].bit)
			add(l, " %s", bits[i].text);
	}
	if (d->run && d->end == WW_RUN_EXITED && d->code >= 0)
		add(l, " was run and ended with %d", d->code);
	else if (d->run && d->end == WW_RUN_EXITED)
		add(l, " was run and ended by signal %d", -d->code);
	else if (d->run)
		add(l, " was run, %s", ww_deed_end_name(d->end));
	add(l, " (measured)");
	if (k->local.total > 1)
		add(l, ", %u in all", k->local.total);
}

/* What the verdict is about, NULL: nothing was done. */
static bool add_deciding(struct line *l, const struct ww_case *k, const struct ww_ruling *r)
{
	if (r->deed)
		add_deed(l, k, r);
	else if (r->deciding)
		add_answer(l, k, r);
	return r->deed || r->deciding;
}

static const char *nothing(const struct ww_case *k)
{
	if (!k->grounds.local.there)
		return "no declared call left the process tree (closed world held)";
	return k->contract->effect == WW_EFFECT_PROCESS
		       ? "the process tree ran no declared program (closed world held)"
		       : "the process tree changed no declared file (closed world held)";
}

static void add_pending(struct line *l, const struct ww_case *k, const struct ww_ruling *r)
{
	if (!add_deciding(l, k, r))
		add(l, k->grounds.local.there ? "nothing declared was done until now"
					      : "no declared call until now");
	add_reads(l, k, r);
	add(l, "; %s: effect unknown until then",
	    r->verdict == WW_VERDICT_DEFERRED ? "announced for later than the watching lasted"
					      : "the deadline is not reached");
}

static void add_unknown(struct line *l, const struct ww_case *k, const struct ww_ruling *r)
{
	char peer[WW_ENDPOINT_TEXT_MAX];

	if (add_deciding(l, k, r))
		add(l, "; ");
	add(l, "effect unknown: %s, %s", ww_verdict_reason_name(r->reason),
	    ww_verdict_reason_meaning(r->reason));
	if (r->n)
		add(l, ", n=%u", r->n);
	if (r->flow) {
		const struct ww_held_flow *f = k->world.undecoded.flow;

		ww_endpoint_text(&f->peer, peer);
		add(l, ", %s, bytes in %llu", peer, (unsigned long long)f->bytes_received);
	}
	for (unsigned i = 0; r->world_asked && i < WW_WORLD_ITEM_MAX; i++) {
		if (k->world.failed & (1u << i)) {
			add(l, " (%s)", k->world.details[i]);
			break;
		}
	}
}

/* "; the model was shown another $.id (measured)" */
static void add_shown(struct line *l, const struct ww_case *k, const struct ww_ruling *r,
		      const char *what)
{
	const char *between = "", *path;

	add(l, "; the model was shown %s", what);
	for (unsigned i = 0; (path = ww_answer_path(k->contract, i)); i++) {
		if (!(r->answer & (1u << i)))
			continue;
		add(l, "%s %s", between, path);
		between = ",";
	}
	add(l, " (measured)");
}

static const char *control_finding(enum ww_verdict v)
{
	switch (v) {
	case WW_VERDICT_CONTROL_FIRED:
		return "allowed it before it began";
	case WW_VERDICT_ACTED_DESPITE_DENY:
		return "did not allow it, and it was done";
	case WW_VERDICT_CONTROL_AFTER_ACTION:
		return "answered after it had begun";
	case WW_VERDICT_CONTROL_STALE:
		return "allowed it too long before, or for others";
	case WW_VERDICT_SUBJECT_MISMATCH:
		return "was asked about another subject";
	case WW_VERDICT_CONTROL_ERRORED_OPEN:
		return "gave no decision, and it was done";
	default:
		return "was not called before it began (closed world held)";
	}
}

/* "answered 200 (measured), 220 ms before the action" */
static void add_run(struct line *l, const struct ww_controlled *c, const struct ww_control_run *run,
		    int64_t gap_ns)
{
	const struct ww_held_exchange *x = run->match->x;
	int64_t first_ns = (int64_t)(c->begun.ns - x->answered.ns);

	add(l, ": ");
	add_call(l, run->match);
	if (!run->ended.ns) {
		add(l, " got no answer (measured)");
		return;
	}
	add(l, " answered %u (measured), ", x->status);
	if (gap_ns < 0 && x->answered.ns && first_ns >= 0)
		add(l, "from %lld ms before to ", (long long)first_ns / 1000000);
	add(l, "%lld ms %s", (long long)(gap_ns < 0 ? -gap_ns : gap_ns) / 1000000,
	    gap_ns < 0 ? "after the action's begin" : "before the action");
}

/* "control refund-policy was asked about another subject: POST /v1/decisions at authz.example.com
 * answered 200 (measured), 220 ms before the action" */
static void add_control(struct line *l, const struct ww_case *k, const struct ww_ruling *r)
{
	const struct ww_control_run *run = r->run ? ww_case_run(k, r->run) : NULL;

	add(l, "control %s ", k->controlled->control->name);
	if (r->verdict == WW_VERDICT_UNVERIFIABLE)
		add_unknown(l, k, r);
	else
		add(l, "%s", control_finding(r->verdict));
	if (run)
		add_run(l, k->controlled, run, r->gap_ns);
	if (r->denied)
		add(l, ", %u before did not allow", r->denied);
	if (r->uses)
		add(l, ", %u other actions had this answer", r->uses);
	if (k->grounds.control.narrated)
		add(l, "; claimed in text");
}

static void add_finding(struct line *l, const struct ww_case *k, const struct ww_ruling *r)
{
	char peer[WW_ENDPOINT_TEXT_MAX];

	switch (r->verdict) {
	case WW_VERDICT_CONFIRMED_T1:
	case WW_VERDICT_CONFIRMED_T2:
	case WW_VERDICT_MASKED_ERROR:
	case WW_VERDICT_REPLY_LOST:
	case WW_VERDICT_ACCEPTED_ASYNC:
		(void)add_deciding(l, k, r);
		add_reads(l, k, r);
		if (r->verdict == WW_VERDICT_REPLY_LOST || r->verdict == WW_VERDICT_ACCEPTED_ASYNC)
			add(l, ": effect unknown");
		break;
	case WW_VERDICT_ATTEMPTED_FAILED:
		if (!add_deciding(l, k, r))
			add(l, "%s", nothing(k));
		break;
	case WW_VERDICT_PENDING:
	case WW_VERDICT_DEFERRED:
		add_pending(l, k, r);
		break;
	case WW_VERDICT_EFFECT_MISSING:
		add_answer(l, k, r);
		add_reads(l, k, r);
		add(l, "; until the deadline no read showed it (closed world held)");
		break;
	case WW_VERDICT_PARTIAL_EFFECT:
		add_answer(l, k, r);
		add(l, ", %u of %u items succeeded", r->k, r->n);
		break;
	case WW_VERDICT_ACTED_LATE:
		(void)add_deciding(l, k, r);
		add(l, ", %llu ms after it had to be", (unsigned long long)(r->late_ns / 1000000));
		break;
	case WW_VERDICT_DUPLICATE_EFFECT:
		add_answer(l, k, r);
		add(l, ", %u successes for one action", r->n);
		break;
	case WW_VERDICT_POSSIBLE_DUPLICATE:
		add_answer(l, k, r);
		add(l, ", the effect may be there %u times: unknown", r->n);
		break;
	case WW_VERDICT_ACTED_ELSEWHERE:
		add_call(l, k->joined.elsewhere);
		add(l, " (measured), a destination that is not declared");
		break;
	case WW_VERDICT_ACTED_UNDECODED:
		if (r->flow)
			ww_endpoint_text(&k->world.undecoded.flow->peer, peer);
		else
			ww_endpoint_text(&ww_case_match(k, r->deciding)->x->peer, peer);
		add(l, "bytes reached %s (measured), content unseen: effect unknown", peer);
		break;
	case WW_VERDICT_RESULT_ALTERED:
		add_answer(l, k, r);
		add_shown(l, k, r, "another");
		break;
	case WW_VERDICT_RESULT_INVENTED:
		add(l, "no declared call left the process tree (closed world held)");
		add_shown(l, k, r, "a result with");
		break;
	case WW_VERDICT_NO_ACTION:
	case WW_VERDICT_SUSPECT_NO_ACTION:
	case WW_VERDICT_CALL_EMITTED_NOT_EXECUTED:
		add(l, "%s", nothing(k));
		break;
	case WW_VERDICT_NOT_APPLICABLE:
		add(l, "no effect declared that could be seen");
		break;
	default:
		add_unknown(l, k, r);
	}
}

void ww_verdict_summary(const struct ww_case *k, const struct ww_ruling *r, char *out)
{
	struct line l = {.out = out};

	out[0] = '\0';
	add(&l, "%s: ", k->action->tool[0] ? k->action->tool : "(no tool name)");
	if (k->controlled)
		add_control(&l, k, r);
	else
		add_finding(&l, k, r);
	add_claimed(&l, k->action);
	if (k->action->said_count)
		add_egress(&l, &k->turn);
}
