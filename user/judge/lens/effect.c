/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effect: silent success. The tool's own answer on the wire decides; span status, tool result and
 * prose are downstream of it and are only compared with it.
 *
 * Rules, in order:
 *  1. An AMBIGUOUS join picks nothing: UNVERIFIABLE(AMBIGUOUS_JOIN). Nor does one without an id
 * where events were lost: they could have told of another action that means the same call.
 *  2. One success is CONFIRMED_T1 whatever the span says, and CONFIRMED_T2 when the id that it
 *     created was read back: by another, later exchange at a declared destination, and nobody knew
 *     the id before. More than one success of a method that is not idempotent (RFC 9110 9.2.2),
 *     without one idempotency key, is DUPLICATE_EFFECT; a success and an attempt of unknown end is
 *     POSSIBLE_DUPLICATE. A tool that only reads has no duplicates.
 *     What was accepted for later is PENDING until the contract's deadline where it could be read
 *     back, and then EFFECT_MISSING: only when no read can have gone unseen.
 *  3. Without a success, an attempt of unknown end keeps the effect unknown: never "failed". That
 * no reply came is said only when none can have been lost to us.
 *  4. Only failures: MASKED_ERROR when something says done, ATTEMPTED_FAILED when a span says
 * otherwise; both only when no retry can have gone unseen.
 *     Some of several items: PARTIAL_EFFECT, under the same condition.
 *  5. A connection whose account does not close carried bytes that nobody explains, or too few for
 *     the request that is said to have gone over it: capped at E3.
 *  6. A retry before the server's Retry-After is a remark beside the verdict: it says how was
 * asked, not what became of it.
 *  7. What the model was shown differs, in a member that the contract declares, from what every
 *     attempt answered: RESULT_ALTERED. Only where every answer was seen whole, nothing was lost
 *     and no other call to the destination could have brought the value.
 */
#include "judge/ruling.h"

static bool acknowledged(const struct ww_case *k, const struct ww_held_exchange *x, bool *ret_known)
{
	const struct ww_held_flow *f = ww_held_flow_get(k->held, x->cookie);

	*ret_known = f && f->bytes_sent > 0;
	return *ret_known && f->bytes_acked >= f->bytes_sent;
}

static void count(const struct ww_case *k, const struct ww_match *m, struct ww_tally *t)
{
	bool known;

	switch ((enum ww_wire)m->wire) {
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
		if (k->contract->effect == WW_EFFECT_READ)
			t->success++;
		else
			t->redirected++;
		break;
	case WW_WIRE_NO_REPLY:
		if (acknowledged(k, m->x, &known) || !known)
			t->lost++;
		else
			t->unacked++;
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
static bool counts(const struct ww_case *k, const struct ww_attempt *at)
{
	return at->grade == k->joined.grade || !(k->world.failed & WW_WORLD_BIT(LOSSES));
}

/* Whether the server was able to see that the attempts are one. */
static bool repeatable(const struct ww_case *k)
{
	const struct ww_joined *j = &k->joined;
	const struct ww_held_exchange *first = NULL;
	bool safe = true, one_key = true;

	if (k->contract->effect == WW_EFFECT_READ)
		return true;
	for (unsigned i = 0; i < j->count; i++) {
		const struct ww_held_exchange *x = j->attempts[i].match->x;

		if (!counts(k, &j->attempts[i]))
			continue;
		if (!first)
			first = x;
		safe &= idempotent(x->method);
		one_key &= x->keyed && memcmp(x->idempotency.b, first->idempotency.b,
					      sizeof(x->idempotency.b)) == 0;
	}
	return safe || one_key;
}

static const struct ww_attempt *last_with(const struct ww_case *k, uint32_t wires)
{
	const struct ww_joined *j = &k->joined;
	const struct ww_attempt *found = NULL;

	for (unsigned i = 0; i < j->count; i++) {
		if (wires & (1u << j->attempts[i].match->wire) && counts(k, &j->attempts[i]))
			found = &j->attempts[i];
	}
	return found;
}

#define WIRE(w) (1u << WW_WIRE_##w)
/* 304 to a tool that reads; for others tally.success has none of it. */
#define WIRE_SUCCESS(k) \
	(WIRE(SUCCESS) | ((k)->contract->effect == WW_EFFECT_READ ? WIRE(UNCHANGED) : 0))

static enum ww_evidence evidence_of(const struct ww_case *k, const struct ww_attempt *at)
{
	const struct ww_held_exchange *x = at->match->x;
	bool known;

	if (x->status >= 200)
		return at->by == WW_JOIN_BY_IDEMPOTENCY_KEY ? WW_EVIDENCE_E5 : WW_EVIDENCE_E4;
	if (at->match->wire == WW_WIRE_UNDECODED && x->resp_bytes)
		return WW_EVIDENCE_E3;
	return acknowledged(k, x, &known) ? WW_EVIDENCE_E2 : WW_EVIDENCE_E1;
}

static void decide(const struct ww_case *k, struct ww_ruling *r, enum ww_verdict verdict,
		   enum ww_reason reason, uint32_t wires)
{
	r->verdict = verdict;
	r->reason = reason;
	r->deciding = last_with(k, wires);
	if (r->deciding)
		r->evidence = evidence_of(k, r->deciding);
}

/* The kernel sent what the request takes. Plaintext alone may have been made up, or be another's.
 */
static bool carried(const struct ww_held_flow *f, const struct ww_held_exchange *x)
{
	return f->bytes_sent >= (f->tls ? f->setup[WW_DIR_OUT] : 0) + x->req_end;
}

/* Rule 5. The counters of a live flow run behind its plaintext, but not by as much as the wait. */
bool ww_ruling_accounted(const struct ww_held *h, const struct ww_held_exchange *x)
{
	const struct ww_held_flow *f = ww_held_flow_get(h, x->cookie);

	return !f || (carried(f, x) &&
		      (!f->closed || (f->unexplained[WW_DIR_OUT] <= WW_WORLD_REMAINDER_BYTES &&
				      f->unexplained[WW_DIR_IN] <= WW_WORLD_REMAINDER_BYTES)));
}

static void cap_by_account(const struct ww_case *k, struct ww_ruling *r)
{
	if (ww_ruling_accounted(k->held, r->deciding->match->x))
		return;
	r->verdict = WW_VERDICT_UNVERIFIABLE;
	r->reason = WW_REASON_PLAINTEXT_INCOMPLETE;
	r->evidence = WW_EVIDENCE_E3;
	r->read = NULL;
}

/* Tenants have names of one pattern, or their part of the path, and ids of their own: the read must
 * have gone to where the call went, or to a name that the contract has in full. */
static bool at_home(const struct ww_case *k, const struct ww_attempt *at,
		    const struct ww_join_read *read)
{
	const struct ww_match *call = at->match, *m = read->match;

	return call->placed && m->placed && call->place == m->place &&
	       (strcasecmp(call->x->name, m->x->name) == 0 ||
		ww_pattern_name_in_full(&k->contract->call, m->x->name));
}

/* Rule 2. What a read says of the deciding attempt. */
static enum ww_read said_by(const struct ww_case *k, const struct ww_ruling *r,
			    const struct ww_join_read *read)
{
	unsigned deciding = (unsigned)(r->deciding - k->joined.attempts);

	if (read->attempt != deciding)
		return WW_READ_NONE;
	if (read->match->read != WW_READ_SHOWN)
		return (enum ww_read)read->match->read;
	return k->joined.known & 1ull << deciding || !at_home(k, r->deciding, read) ||
			       !ww_ruling_accounted(k->held, read->match->x)
		       ? WW_READ_UNKNOWN
		       : WW_READ_SHOWN;
}

static bool confirm_by_read(const struct ww_case *k, struct ww_ruling *r)
{
	for (unsigned i = 0; i < k->joined.read_count; i++) {
		if (said_by(k, r, &k->joined.reads[i]) != WW_READ_SHOWN)
			continue;
		r->read = &k->joined.reads[i];
		r->verdict = WW_VERDICT_CONFIRMED_T2;
		r->evidence = WW_EVIDENCE_E6;
		return true;
	}
	return false;
}

static bool maybe_read(const struct ww_case *k, const struct ww_ruling *r)
{
	bool maybe = k->joined.reads_over || k->joined.read_total > k->joined.read_count;

	for (unsigned i = 0; i < k->joined.read_count; i++)
		maybe |= said_by(k, r, &k->joined.reads[i]) == WW_READ_UNKNOWN;
	return maybe;
}

/* Rule 2, what was accepted for later and is not shown. */
static void rule_accepted(const struct ww_case *k, struct ww_ruling *r)
{
	struct ww_boot until = ww_closed_world_shows_until(k->contract, &k->joined);

	if (until.ns == 0)
		return;
	r->until = until;
	if (k->now.ns < until.ns) {
		r->verdict = k->finished ? WW_VERDICT_ACCEPTED_ASYNC : WW_VERDICT_PENDING;
		return;
	}
	r->world_asked = true;
	if (ww_closed_world_reason(&k->world, WW_WORLD_NO_RETRY_UNSEEN) == WW_REASON_NONE &&
	    k->world.undecoded.count == 0 && !k->still_open && !maybe_read(k, r))
		r->verdict = WW_VERDICT_EFFECT_MISSING;
}

/* Rule 2, several of them. */
static bool rule_several(const struct ww_case *k, struct ww_ruling *r)
{
	const struct ww_tally *t = &r->tally;
	uint32_t maybe = t->success + t->accepted + t->partial + t->lost + t->undecoded +
			 t->body_unknown + t->unfinished;
	uint32_t wires = t->success    ? WIRE_SUCCESS(k)
			 : t->accepted ? WIRE(ACCEPTED)
				       : WIRE(PARTIAL);

	if (maybe < 2 || repeatable(k))
		return false;
	decide(k, r,
	       t->success == maybe ? WW_VERDICT_DUPLICATE_EFFECT : WW_VERDICT_POSSIBLE_DUPLICATE,
	       WW_REASON_NONE, wires);
	r->n = maybe;
	return true;
}

/* Some items: the rest may have been sent again, unseen. */
static void rule_partial(const struct ww_case *k, struct ww_ruling *r)
{
	enum ww_reason unseen = ww_closed_world_reason(&k->world, WW_WORLD_NO_RETRY_UNSEEN);

	r->world_asked = true;
	decide(k, r, WW_VERDICT_PARTIAL_EFFECT, WW_REASON_NONE, WIRE(PARTIAL));
	if (unseen == WW_REASON_NONE && k->world.undecoded.count)
		unseen = k->world.undecoded.opaque ? WW_REASON_TLS_OPAQUE
						   : WW_REASON_PLAINTEXT_INCOMPLETE;
	if (unseen == WW_REASON_NONE && k->still_open)
		unseen = WW_REASON_OUTCOME_UNKNOWN;
	if (unseen != WW_REASON_NONE) {
		r->verdict = WW_VERDICT_UNVERIFIABLE;
		r->reason = unseen;
		return;
	}
	r->k = r->deciding->match->good;
	r->n = r->deciding->match->all;
}

/* Rule 2. */
static bool rule_success(const struct ww_case *k, struct ww_ruling *r)
{
	const struct ww_tally *t = &r->tally;

	if (t->success + t->accepted + t->partial == 0)
		return false;
	if (rule_several(k, r)) {
		cap_by_account(k, r);
		return true;
	}
	if (t->success) {
		decide(k, r, WW_VERDICT_CONFIRMED_T1, WW_REASON_NONE, WIRE_SUCCESS(k));
		(void)confirm_by_read(k, r);
	} else if (t->accepted) {
		decide(k, r, WW_VERDICT_ACCEPTED_ASYNC, WW_REASON_NONE, WIRE(ACCEPTED));
		if (!confirm_by_read(k, r))
			rule_accepted(k, r);
	} else {
		rule_partial(k, r);
	}
	if (r->verdict == WW_VERDICT_CONFIRMED_T1 || r->verdict == WW_VERDICT_CONFIRMED_T2)
		r->answer = ww_shown_altered(k, false);
	if (r->answer)
		r->verdict = WW_VERDICT_RESULT_ALTERED;
	cap_by_account(k, r);
	return true;
}

/* Whether the kernel received bytes on an unanswered attempt's connection that may be its reply. */
bool ww_ruling_maybe_answered(const struct ww_held *h, const struct ww_match *m)
{
	const struct ww_held_flow *f = ww_held_flow_get(h, m->x->cookie);

	return m->wire == WW_WIRE_NO_REPLY &&
	       (!f || f->unchecked || f->unread > WW_WORLD_REMAINDER_BYTES);
}

static bool maybe_answered(const struct ww_case *k)
{
	for (unsigned i = 0; i < k->joined.count; i++) {
		if (ww_ruling_maybe_answered(k->held, k->joined.attempts[i].match))
			return true;
	}
	return false;
}

/* Rule 3: a reply that we lost was not lost on the network. */
static void rule_no_reply(const struct ww_case *k, struct ww_ruling *r)
{
	const uint32_t items = WW_WORLD_BIT(COVERED) | WW_WORLD_BIT(LOSSES) | WW_WORLD_BIT(KEPT);
	enum ww_reason unseen = ww_closed_world_reason(&k->world, items);

	if (unseen == WW_REASON_NONE && maybe_answered(k))
		unseen = WW_REASON_PLAINTEXT_INCOMPLETE;
	r->world_asked = true;
	decide(k, r, unseen ? WW_VERDICT_UNVERIFIABLE : WW_VERDICT_REPLY_LOST, unseen,
	       WIRE(NO_REPLY));
}

static bool rule_unknown(const struct ww_case *k, struct ww_ruling *r)
{
	const struct ww_tally *t = &r->tally;

	if (t->body_unknown)
		decide(k, r, WW_VERDICT_UNVERIFIABLE, WW_REASON_BODY_UNKNOWN, WIRE(BODY_UNKNOWN));
	else if (t->lost)
		rule_no_reply(k, r);
	else if (t->undecoded)
		decide(k, r, WW_VERDICT_ACTED_UNDECODED, WW_REASON_NONE, WIRE(UNDECODED));
	else if (t->unfinished)
		decide(k, r, WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN, WIRE(UNFINISHED));
	else if (t->redirected)
		decide(k, r, WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN,
		       WIRE(REDIRECTED) | WIRE(UNCHANGED));
	else
		return false;
	return true;
}

/* Neither span nor claim speaks of it: what the model was shown may. */
static void rule_failure_unspoken(const struct ww_case *k, struct ww_ruling *r, uint32_t wires)
{
	r->answer = ww_shown_from_elsewhere(k) ? 0 : ww_shown_altered(k, true);
	decide(k, r, r->answer ? WW_VERDICT_RESULT_ALTERED : WW_VERDICT_UNVERIFIABLE,
	       r->answer ? WW_REASON_NONE : WW_REASON_SPAN_SAMPLED, wires);
}

/* Rule 4. */
static void rule_failure(const struct ww_case *k, struct ww_ruling *r)
{
	uint32_t wires = WIRE(FAILED) | WIRE(BODY_FAILED);
	enum ww_reason unseen = ww_closed_world_reason(&k->world, WW_WORLD_NO_RETRY_UNSEEN);
	bool done = ww_action_says_done(k->action);

	r->world_asked = true;
	if (r->tally.failed == 0)
		wires = WIRE(NOT_SENT) | WIRE(NO_REPLY);
	if (unseen != WW_REASON_NONE)
		decide(k, r, WW_VERDICT_UNVERIFIABLE, unseen, wires);
	else if (k->world.undecoded.count)
		decide(k, r, WW_VERDICT_UNVERIFIABLE,
		       k->world.undecoded.opaque ? WW_REASON_TLS_OPAQUE
						 : WW_REASON_PLAINTEXT_INCOMPLETE,
		       wires);
	else if (k->still_open || (done && r->tally.failed == 0))
		decide(k, r, WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN, wires);
	else if (!done && k->action->span_count == 0 && !k->action->model.shown_error)
		rule_failure_unspoken(k, r, wires);
	else
		decide(k, r, done ? WW_VERDICT_MASKED_ERROR : WW_VERDICT_ATTEMPTED_FAILED,
		       WW_REASON_NONE, wires);
}

/* Rule 1, second half. */
static bool rule_doubtful(const struct ww_case *k, struct ww_ruling *r)
{
	enum ww_reason unseen = ww_closed_world_reason(&k->world, WW_WORLD_BIT(LOSSES));

	if (k->joined.grade != WW_JOIN_UNIQUE || unseen == WW_REASON_NONE)
		return false;
	r->world_asked = true;
	decide(k, r, WW_VERDICT_UNVERIFIABLE, unseen, UINT32_MAX);
	return true;
}

/* A connection whose begin was lost has no address: its destination is not known to be another. */
static void rule_elsewhere(const struct ww_case *k, struct ww_ruling *r)
{
	bool known = k->joined.elsewhere->x->peer.family != 0;

	r->verdict = known ? WW_VERDICT_ACTED_ELSEWHERE : WW_VERDICT_UNVERIFIABLE;
	r->reason = known ? WW_REASON_NONE : WW_REASON_EVENT_LOSS;
	r->join = WW_JOIN_EXACT;
	r->by = WW_JOIN_BY_TRACEPARENT;
	r->evidence = k->joined.elsewhere->x->status >= 200 ? WW_EVIDENCE_E4 : WW_EVIDENCE_E1;
}

static void rule_ambiguous(const struct ww_case *k, struct ww_ruling *r)
{
	r->verdict = WW_VERDICT_UNVERIFIABLE;
	r->reason = WW_REASON_AMBIGUOUS_JOIN;
	r->join = WW_JOIN_AMBIGUOUS;
	r->n = k->joined.total;
}

/* Rule 6. Counted from the begin of the attempt that was answered so: its answer is no older. */
static uint64_t hurried(const struct ww_case *k)
{
	const struct ww_joined *j = &k->joined;
	uint64_t bits = 0;

	for (unsigned i = 1; i < j->count; i++) {
		const struct ww_held_exchange *before = j->attempts[i - 1].match->x;
		const struct ww_held_exchange *x = j->attempts[i].match->x;

		if (before->retry_after && strcmp(before->name, x->name) == 0 &&
		    x->t_first_req.ns > before->ended.ns &&
		    x->t_first_req.ns - before->t_first_req.ns <
			    before->retry_after_s * 1000000000ull)
			bits |= 1ull << i;
	}
	return bits;
}

/* The declared server sent the client elsewhere, and it went: the trace says so. */
static bool was_led_away(const struct ww_case *k, const struct ww_tally *t)
{
	return k->joined.elsewhere && t->redirected == k->joined.count &&
	       k->joined.attempts[0].match->wire == WW_WIRE_REDIRECTED;
}

bool ww_effect_rule(const struct ww_case *k, struct ww_ruling *ret_ruling)
{
	const struct ww_joined *j = &k->joined;
	struct ww_ruling r = {
		.engine = ww_action_claim_only(k->action) ? "commit" : "effect",
		.join = j->grade,
		.by = j->by,
	};

	if (j->grade == WW_JOIN_AMBIGUOUS || j->total > j->count) {
		rule_ambiguous(k, &r); /* rule 1; also: more attempts than can be told apart */
	} else if (j->count > 0) {
		for (unsigned i = 0; i < j->count; i++) {
			if (counts(k, &j->attempts[i]))
				count(k, j->attempts[i].match, &r.tally);
		}
		r.hurried = hurried(k);
		if (was_led_away(k, &r.tally))
			rule_elsewhere(k, &r);
		else if (!rule_doubtful(k, &r) && !rule_success(k, &r) && !rule_unknown(k, &r))
			rule_failure(k, &r);
	} else if (j->elsewhere) {
		rule_elsewhere(k, &r);
	} else {
		return false;
	}
	*ret_ruling = r;
	return true;
}
