/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effect: silent success. The tool's own answer on the wire decides; span status, tool result and
 * prose are downstream of it and are only compared with it.
 *
 * Rules, in order:
 *  1. An AMBIGUOUS join picks nothing: UNVERIFIABLE(AMBIGUOUS_JOIN). Nor does one without an id
 *     where events were lost: they could have told of another action that means the same call.
 *  2. One success is CONFIRMED_T1 whatever the span says, and CONFIRMED_T2 when the id that it
 *     created was read back: by another, later exchange at a declared destination, and nobody knew
 *     the id before. More than one success of a method that is not idempotent (RFC 9110 9.2.2),
 *     without one idempotency key, is DUPLICATE_EFFECT; a success and an attempt of unknown end is
 *     POSSIBLE_DUPLICATE. A tool that only reads has no duplicates.
 *     What was accepted for later is PENDING until the contract's deadline where it could be read
 *     back, and then EFFECT_MISSING: only when no read can have gone unseen.
 *  3. Without a success, an attempt of unknown end keeps the effect unknown: never "failed". So
 *     does one that the kernel sent and nobody acknowledged: a reset can outrun the
 *     acknowledgement. That no reply came is said only when none can have been lost to us.
 *  4. Only failures: MASKED_ERROR when something says done, ATTEMPTED_FAILED when a span says
 *     otherwise; both only when no retry can have gone unseen.
 *     Some of several items: PARTIAL_EFFECT, under the same condition.
 *  5. A connection whose account does not close carried bytes that nobody explains, or too few for
 *     the request that is said to have gone over it: capped at E3.
 *  6. A retry before the server's Retry-After is a remark beside the verdict: it says how was
 *     asked, not what became of it.
 *  7. What the model was shown differs, in a member that the contract declares, from what every
 *     attempt answered: RESULT_ALTERED. Only where every answer was seen whole, nothing was lost,
 *     no other call to the destination could have brought the value (one of the same kind by the
 *     same member), and what was shown does not look like an error of the harness's own.
 */
#include "judge/ruling.h"

#include <string.h>

static bool acknowledged(const struct ww_grounds_attempt *at, bool *ret_known)
{
	const struct ww_grounds_flow *f = &at->call.flow;

	*ret_known = f->known && f->sent > 0;
	return *ret_known && f->acked >= f->sent;
}

static void count(const struct ww_grounds *g, const struct ww_grounds_attempt *at,
		  struct ww_tally *t)
{
	bool known;

	switch (at->wire) {
	case WW_WIRE_SUCCESS:
		t->success++;
		break;
	case WW_WIRE_ACCEPTED:
		t->accepted++;
		break;
	case WW_WIRE_FAILED:
	case WW_WIRE_BODY_FAILED:
		t->failed++;
		break;
	case WW_WIRE_BODY_UNKNOWN:
		t->body_unknown++;
		break;
	case WW_WIRE_PARTIAL:
		t->partial++;
		break;
	case WW_WIRE_REDIRECTED:
		t->redirected++;
		break;
	case WW_WIRE_UNCHANGED: /* of a reader's copy it says that it is still right */
		if (g->effect == WW_EFFECT_READ)
			t->success++;
		else
			t->redirected++;
		break;
	case WW_WIRE_NO_REPLY:
		if (acknowledged(at, &known) || !known)
			t->lost++;
		else if (ww_rule_carried(&at->call))
			t->unacked++;
		else
			t->unsent++; /* not whole */
		break;
	case WW_WIRE_NOT_SENT:
		t->unsent++;
		break;
	case WW_WIRE_UNFINISHED:
		t->unfinished++;
		break;
	default:
		t->undecoded++;
	}
}

/* RFC 9110 section 9.2.2 */
static bool idempotent(const char *method)
{
	static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(methods); i++) {
		if (strcmp(method, methods[i]) == 0)
			return true;
	}
	return false;
}

/* Rule 1: beside one with an id, an attempt without one counts only when nothing was lost. */
static bool counts(const struct ww_grounds *g, const struct ww_grounds_attempt *at)
{
	return at->grade == g->grade || !(g->failed & WW_WORLD_BIT(LOSSES));
}

/* Whether the server was able to see that the attempts are one. */
static bool repeatable(const struct ww_grounds *g)
{
	const struct ww_grounds_attempt *first = NULL;
	bool safe = true, one_key = true;

	if (g->effect == WW_EFFECT_READ)
		return true;
	for (unsigned i = 0; i < g->count; i++) {
		const struct ww_grounds_attempt *at = &g->attempts[i];

		if (!counts(g, at))
			continue;
		if (!first)
			first = at;
		safe &= idempotent(at->method);
		one_key &= at->keyed && memcmp(at->key.b, first->key.b, sizeof(at->key.b)) == 0;
	}
	return safe || one_key;
}

static const struct ww_grounds_attempt *last_with(const struct ww_grounds *g, uint32_t wires)
{
	const struct ww_grounds_attempt *found = NULL;

	for (unsigned i = 0; i < g->count; i++) {
		if (wires & (1u << g->attempts[i].wire) && counts(g, &g->attempts[i]))
			found = &g->attempts[i];
	}
	return found;
}

#define WIRE(w) (1u << WW_WIRE_##w)
/* 304 to a tool that reads; for others tally.success has none of it. */
#define WIRE_SUCCESS(g) (WIRE(SUCCESS) | ((g)->effect == WW_EFFECT_READ ? WIRE(UNCHANGED) : 0))

static enum ww_evidence evidence_of(const struct ww_grounds_attempt *at)
{
	const uint32_t decoded = WIRE(SUCCESS) | WIRE(BODY_FAILED) | WIRE(PARTIAL);
	bool known;

	/* Over stdio the answer has no status, and says all itself. */
	if (at->status >= 200 || decoded & (1u << at->wire))
		return at->by == WW_JOIN_BY_IDEMPOTENCY_KEY ? WW_EVIDENCE_E5 : WW_EVIDENCE_E4;
	if ((at->wire == WW_WIRE_UNDECODED || at->wire == WW_WIRE_BODY_UNKNOWN) && at->resp_bytes)
		return WW_EVIDENCE_E3;
	return acknowledged(at, &known) ? WW_EVIDENCE_E2 : WW_EVIDENCE_E1;
}

static void decide(const struct ww_grounds *g, struct ww_ruling *r, enum ww_verdict verdict,
		   enum ww_reason reason, uint32_t wires)
{
	r->verdict = verdict;
	r->reason = reason;
	r->deciding = last_with(g, wires);
	if (r->deciding)
		r->evidence = evidence_of(r->deciding);
}

/* Rule 5. */
static void cap_by_account(struct ww_ruling *r)
{
	if (ww_rule_accounted(&r->deciding->call))
		return;
	r->verdict = WW_VERDICT_UNVERIFIABLE;
	r->reason = WW_REASON_PLAINTEXT_INCOMPLETE;
	r->evidence = WW_EVIDENCE_E3;
	r->read = NULL;
}

/* Rule 2. What a read says of the deciding attempt. */
static enum ww_read said_by(const struct ww_grounds *g, const struct ww_ruling *r,
			    const struct ww_grounds_read *read)
{
	if (&g->attempts[read->attempt] != r->deciding)
		return WW_READ_NONE;
	if (read->read != WW_READ_SHOWN)
		return read->read;
	return r->deciding->id_known || !read->at_home || !read->same_caller ||
			       !ww_rule_accounted(&read->call)
		       ? WW_READ_UNKNOWN
		       : WW_READ_SHOWN;
}

static bool confirm_by_read(const struct ww_grounds *g, struct ww_ruling *r)
{
	for (unsigned i = 0; i < g->read_count; i++) {
		if (said_by(g, r, &g->reads[i]) != WW_READ_SHOWN)
			continue;
		r->read = &g->reads[i];
		r->verdict = WW_VERDICT_CONFIRMED_T2;
		r->evidence = WW_EVIDENCE_E6;
		return true;
	}
	return false;
}

static bool maybe_read(const struct ww_grounds *g, const struct ww_ruling *r)
{
	bool maybe = g->reads_over || g->read_total > g->read_count;

	for (unsigned i = 0; i < g->read_count; i++)
		maybe |= said_by(g, r, &g->reads[i]) == WW_READ_UNKNOWN;
	return maybe;
}

/* NONE: no other try can have gone unseen. */
static enum ww_reason retry_unseen(const struct ww_grounds *g)
{
	enum ww_reason unseen = ww_rule_unseen(g, WW_WORLD_NO_RETRY_UNSEEN);

	if (unseen != WW_REASON_NONE)
		return unseen;
	if (g->undecoded)
		return ww_rule_unread(g);
	return g->still_open ? WW_REASON_OUTCOME_UNKNOWN : WW_REASON_NONE;
}

/* Rule 2, what was accepted for later and is not shown. */
static void rule_accepted(const struct ww_grounds *g, struct ww_ruling *r)
{
	if (g->shows_until_ns == 0)
		return;
	r->until_ns = g->shows_until_ns;
	if (g->now_ns < g->shows_until_ns) {
		r->verdict = g->finished ? WW_VERDICT_ACCEPTED_ASYNC : WW_VERDICT_PENDING;
		return;
	}
	r->world_asked = true;
	if (retry_unseen(g) == WW_REASON_NONE && !maybe_read(g, r))
		r->verdict = WW_VERDICT_EFFECT_MISSING;
}

/* Rule 2, several of them. */
static bool rule_several(const struct ww_grounds *g, struct ww_ruling *r)
{
	const struct ww_tally *t = &r->tally;
	uint32_t maybe = t->success + t->accepted + t->partial + t->lost + t->unacked +
			 t->undecoded + t->body_unknown + t->unfinished;
	uint32_t wires = t->success    ? WIRE_SUCCESS(g)
			 : t->accepted ? WIRE(ACCEPTED)
				       : WIRE(PARTIAL);

	if (maybe < 2 || repeatable(g))
		return false;
	decide(g, r,
	       t->success == maybe ? WW_VERDICT_DUPLICATE_EFFECT : WW_VERDICT_POSSIBLE_DUPLICATE,
	       WW_REASON_NONE, wires);
	r->n = maybe;
	return true;
}

/* Some items: the rest may have been sent again, unseen. */
static void rule_partial(const struct ww_grounds *g, struct ww_ruling *r)
{
	enum ww_reason unseen = retry_unseen(g);

	r->world_asked = true;
	decide(g, r, WW_VERDICT_PARTIAL_EFFECT, WW_REASON_NONE, WIRE(PARTIAL));
	if (unseen != WW_REASON_NONE) {
		ww_rule_unverifiable(r, unseen);
		return;
	}
	r->k = r->deciding->good;
	r->n = r->deciding->all;
}

/* Whether some answer could have been seen by the harness and not by us. */
static bool answers_known(const struct ww_grounds *g)
{
	for (unsigned i = 0; i < g->count; i++) {
		if (!g->attempts[i].answer.whole)
			return false;
	}
	for (unsigned i = 0; i < g->like_count; i++) {
		if (!g->likes[i].answer.whole)
			return false;
	}
	return g->covered && g->count == g->total && g->beside == 0 && g->almost == 0;
}

static uint8_t same_as(const struct ww_answer *told, const struct ww_answer *shown)
{
	uint8_t same = 0;

	for (unsigned p = 0; p < WW_ANSWER_PATHS_MAX; p++)
		same |= ww_answer_same(told, shown, p) ? (uint8_t)(1u << p) : 0;
	return same;
}

/* Members that may be from another call. The same call says what it says at the same paths; a read
 * of what was created may say it at others. */
static uint8_t maybe_of_others(const struct ww_grounds *g)
{
	uint8_t maybe = 0;

	for (unsigned i = 0; i < g->like_count; i++) {
		const struct ww_grounds_like *like = &g->likes[i];

		maybe |= same_as(&like->answer, &g->shown_answer);
		if (like->read)
			maybe |= (uint8_t)~like->answer.present;
	}
	return maybe;
}

/* Rule 7. Declared members of the shown result that no answer has; with `new_ones`, also those that
 * no answer has at all. Bit set. */
static uint8_t altered(const struct ww_grounds *g, bool new_ones)
{
	uint8_t same = 0, answered = 0, shown = g->shown_answer.present;

	if (!g->shown || g->shown_error || g->shown_answer.failure || !shown || !answers_known(g))
		return 0;
	for (unsigned i = 0; i < g->count; i++) {
		answered |= g->attempts[i].answer.present;
		same |= same_as(&g->attempts[i].answer, &g->shown_answer);
	}
	same |= maybe_of_others(g);
	return shown & (uint8_t)~same & (new_ones ? UINT8_MAX : answered);
}

/* Rule 2. */
static bool rule_success(const struct ww_grounds *g, struct ww_ruling *r)
{
	const struct ww_tally *t = &r->tally;

	if (t->success + t->accepted + t->partial == 0)
		return false;
	if (rule_several(g, r)) {
		cap_by_account(r);
		return true;
	}
	if (t->success) {
		decide(g, r, WW_VERDICT_CONFIRMED_T1, WW_REASON_NONE, WIRE_SUCCESS(g));
		(void)confirm_by_read(g, r);
	} else if (t->accepted) {
		decide(g, r, WW_VERDICT_ACCEPTED_ASYNC, WW_REASON_NONE, WIRE(ACCEPTED));
		if (!confirm_by_read(g, r))
			rule_accepted(g, r);
	} else {
		rule_partial(g, r);
	}
	if (r->verdict == WW_VERDICT_CONFIRMED_T1 || r->verdict == WW_VERDICT_CONFIRMED_T2)
		r->answer = altered(g, false);
	if (r->answer)
		r->verdict = WW_VERDICT_RESULT_ALTERED;
	cap_by_account(r);
	return true;
}

/* Whether the kernel received bytes on an unanswered attempt's connection that may be its reply. */
static bool maybe_answered(const struct ww_grounds *g)
{
	for (unsigned i = 0; i < g->count; i++) {
		if (g->attempts[i].wire == WW_WIRE_NO_REPLY &&
		    ww_rule_maybe_answered(&g->attempts[i].call.flow))
			return true;
	}
	return false;
}

/* Rule 3: a reply that we lost was not lost on the network. */
static void rule_no_reply(const struct ww_grounds *g, struct ww_ruling *r)
{
	const uint32_t items = WW_WORLD_BIT(COVERED) | WW_WORLD_BIT(LOSSES) | WW_WORLD_BIT(KEPT);
	enum ww_reason unseen = ww_rule_unseen(g, items);

	if (unseen == WW_REASON_NONE && maybe_answered(g))
		unseen = WW_REASON_PLAINTEXT_INCOMPLETE;
	r->world_asked = true;
	decide(g, r, unseen ? WW_VERDICT_UNVERIFIABLE : WW_VERDICT_REPLY_LOST, unseen,
	       WIRE(NO_REPLY));
}

static bool rule_unknown(const struct ww_grounds *g, struct ww_ruling *r)
{
	const struct ww_tally *t = &r->tally;

	if (t->body_unknown)
		decide(g, r, WW_VERDICT_UNVERIFIABLE, WW_REASON_BODY_UNKNOWN, WIRE(BODY_UNKNOWN));
	else if (t->lost)
		rule_no_reply(g, r);
	else if (t->unacked)
		decide(g, r, WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN, WIRE(NO_REPLY));
	else if (t->undecoded)
		decide(g, r, WW_VERDICT_ACTED_UNDECODED, WW_REASON_NONE, WIRE(UNDECODED));
	else if (t->unfinished)
		decide(g, r, WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN, WIRE(UNFINISHED));
	else if (t->redirected)
		decide(g, r, WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN,
		       WIRE(REDIRECTED) | WIRE(UNCHANGED));
	else
		return false;
	return true;
}

/* Neither span nor claim speaks of it: what the model was shown may. */
static void rule_failure_unspoken(const struct ww_grounds *g, struct ww_ruling *r, uint32_t wires)
{
	r->answer = g->shown_elsewhere ? 0 : altered(g, true);
	decide(g, r, r->answer ? WW_VERDICT_RESULT_ALTERED : WW_VERDICT_UNVERIFIABLE,
	       r->answer ? WW_REASON_NONE : WW_REASON_SPAN_SAMPLED, wires);
}

/* Rule 4. */
static void rule_failure(const struct ww_grounds *g, struct ww_ruling *r)
{
	uint32_t wires = WIRE(FAILED) | WIRE(BODY_FAILED);
	enum ww_reason unseen = retry_unseen(g);
	bool done = ww_rule_says_done(g);

	r->world_asked = true;
	if (r->tally.failed == 0)
		wires = WIRE(NOT_SENT) | WIRE(NO_REPLY);
	if (unseen != WW_REASON_NONE)
		decide(g, r, WW_VERDICT_UNVERIFIABLE, unseen, wires);
	else if (done && r->tally.failed == 0)
		decide(g, r, WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN, wires);
	else if (!done && !g->spanned && !g->shown_error)
		rule_failure_unspoken(g, r, wires);
	else
		decide(g, r, done ? WW_VERDICT_MASKED_ERROR : WW_VERDICT_ATTEMPTED_FAILED,
		       WW_REASON_NONE, wires);
}

/* Rule 1, second half. */
static bool rule_doubtful(const struct ww_grounds *g, struct ww_ruling *r)
{
	enum ww_reason unseen = ww_rule_unseen(g, WW_WORLD_BIT(LOSSES));

	if (g->grade != WW_JOIN_UNIQUE || unseen == WW_REASON_NONE)
		return false;
	r->world_asked = true;
	decide(g, r, WW_VERDICT_UNVERIFIABLE, unseen, UINT32_MAX);
	return true;
}

/* A connection whose begin was lost has no address: its destination is not known to be another. */
static void rule_elsewhere(const struct ww_grounds *g, struct ww_ruling *r)
{
	bool known = g->elsewhere_known;

	r->verdict = known ? WW_VERDICT_ACTED_ELSEWHERE : WW_VERDICT_UNVERIFIABLE;
	r->reason = known ? WW_REASON_NONE : WW_REASON_EVENT_LOSS;
	r->join = WW_JOIN_EXACT;
	r->by = WW_JOIN_BY_TRACEPARENT;
	r->evidence = g->elsewhere_status >= 200 ? WW_EVIDENCE_E4 : WW_EVIDENCE_E1;
}

/* Rule 6. Counted from the begin of the attempt that was answered so: its answer is no older. */
static uint64_t hurried(const struct ww_grounds *g)
{
	uint64_t bits = 0;

	for (unsigned i = 1; i < g->count; i++) {
		const struct ww_grounds_attempt *before = &g->attempts[i - 1];
		const struct ww_grounds_attempt *x = &g->attempts[i];

		if (before->retry_after && strcmp(before->name, x->name) == 0 &&
		    x->call.begun_ns > before->call.ended_ns &&
		    x->call.begun_ns - before->call.begun_ns <
			    before->retry_after_s * 1000000000ull)
			bits |= 1ull << i;
	}
	return bits;
}

/* The declared server sent the client elsewhere, and it went: the trace says so. */
static bool was_led_away(const struct ww_grounds *g, const struct ww_tally *t)
{
	return g->elsewhere && t->redirected == g->count &&
	       g->attempts[0].wire == WW_WIRE_REDIRECTED;
}

bool ww_effect_rule(const struct ww_grounds *g, struct ww_ruling *ret_ruling)
{
	struct ww_ruling r = {
		.engine = g->spanned || g->asked ? "effect" : "commit",
		.join = g->grade,
		.by = g->by,
	};

	if (g->grade == WW_JOIN_AMBIGUOUS || g->total > g->count) {
		/* rule 1; also: more attempts than can be told apart */
		ww_rule_ambiguous(&r, g->total);
	} else if (g->count > 0) {
		for (unsigned i = 0; i < g->count; i++) {
			if (counts(g, &g->attempts[i]))
				count(g, &g->attempts[i], &r.tally);
		}
		r.hurried = hurried(g);
		if (was_led_away(g, &r.tally))
			rule_elsewhere(g, &r);
		else if (!rule_doubtful(g, &r) && !rule_success(g, &r) && !rule_unknown(g, &r))
			rule_failure(g, &r);
	} else if (g->elsewhere) {
		rule_elsewhere(g, &r);
	} else {
		return false;
	}
	*ret_ruling = r;
	return true;
}
