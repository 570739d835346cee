/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rederive: the verdict of a path, from its own record and the exchanges that its legs cite.
 *
 * Held against cited records: peer, status, outcome and bytes of each leg's request. Derived: what
 * of the legs and of the coverage keeps the verdict open, and the verdict and its reason from that,
 * by the judge's rule. Taken from the record, because nothing else holds it: which requests are its
 * legs and by what, what tables and policy said of a peer, and what is open beyond that.
 */
#include <stdio.h>

#include "judge/path_rule.h"
#include "ledger/fields.h"
#include "ledger/rederive_case.h"

#define LEGS_MAX 1024u

enum { VERDICT, REASON, AGENT, KNOWN, WHOLE, LOST, GAPS, UNIX, RAW, UNBOUND, TOTAL, MEMBERS };

static const char *const members[MEMBERS] = {
	[VERDICT] = "$.verdict",
	[REASON] = "$.reason",
	[AGENT] = "$.agent",
	[KNOWN] = "$.coverage.known",
	[WHOLE] = "$.coverage.wholeWindow",
	[LOST] = "$.coverage.lostEvents",
	[GAPS] = "$.coverage.gaps",
	[UNIX] = "$.coverage.unixPeers",
	[RAW] = "$.coverage.rawSockets",
	[UNBOUND] = "$.coverage.unboundCalls",
	[TOTAL] = "$.legsTotal",
};

struct path {
	struct ww_rederive *rd;
	struct ww_rd_record *rec;
	struct ww_json_token m[MEMBERS];
	uint32_t open; /* as the record says, bit set of enum ww_reason */
	unsigned told; /* legs of all kinds */
	unsigned count;
	struct ww_path_ground legs[LEGS_MAX];
	bool unlisted[LEGS_MAX]; /* forbidden, where the policy says so of peers that nobody lists
				  */
};

#define NAME_(n, v, t, d) [v] = (t),
static const char *const verdict_names[WW_VERDICT_MAX] = {WW_VERDICTS(NAME_)};
static const char *const reason_names[WW_REASON_MAX] = {WW_REASONS(NAME_)};
static const char *const evidence_names[WW_EVIDENCE_MAX] = {WW_EVIDENCE(NAME_)};
static const char *const join_names[WW_JOIN_MAX] = {WW_JOINS(NAME_)};

static void differs(struct path *p, const char *field, const char *expected, const char *found)
{
	ww_rd_say(p->rd, p->rec, false, field, expected, found);
}

static void undecided(struct path *p, const char *field, const char *expected, const char *found)
{
	ww_rd_say(p->rd, p->rec, true, field, expected, found);
}

/* The number of the word; -1: none of them. */
static int word_of(const char *const *names, unsigned count, const struct ww_json_token *t)
{
	for (unsigned i = 0; t->raw.p && t->type == WW_JSON_STRING && i < count; i++)
		if (names[i] && names[i][0] && ww_json_is(t, names[i]))
			return (int)i;
	return -1;
}

#define WORD_OF(names, t) word_of(names, WW_ARRAY_SIZE(names), t)

static bool says(const struct ww_json_token *t, const char *word)
{
	return t->raw.p && t->type == WW_JSON_STRING && ww_json_is(t, word);
}

static uint64_t number(const struct ww_json_token *t)
{
	uint64_t n;

	return t->raw.p && ww_slice_u64(t->raw, &n) == 0 ? n : 0;
}

static bool array_of(struct ww_slice object, const char *path, struct ww_json *ret)
{
	struct ww_json_token t;
	struct ww_slice array;

	return ww_json_path(object, path, &t, &array) == WW_PARSE_DONE && t.type == WW_JSON_ARRAY &&
	       ww_fields_array(array, ret) == 0;
}

/* --- legs ---------------------------------------------------------------------------------------
 */

/* A number or text of the leg against that of the exchange; neither need be there. */
static void hold_number(struct path *p, const char *field, const struct ww_json_token *said,
			const struct ww_rd_number *seen)
{
	char expected[32], found[32];
	bool there = said->raw.p && said->type != WW_JSON_NULL;

	if (there == seen->there && (!there || number(said) == seen->n))
		return;
	snprintf(expected, sizeof(expected), "%llu",
		 (unsigned long long)(seen->there ? seen->n : 0));
	snprintf(found, sizeof(found), "%llu", (unsigned long long)(there ? number(said) : 0));
	differs(p, field, expected, found);
}

static void hold_text(struct path *p, const char *field, const struct ww_json_token *said,
		      const struct ww_rd_text *seen)
{
	char expected[96], found[96];

	if (!said->raw.p || ww_slice_eq(said->raw, seen->s))
		return;
	snprintf(expected, sizeof(expected), "%.*s", (int)(seen->s.n < 90 ? seen->s.n : 90),
		 (const char *)seen->s.p);
	snprintf(found, sizeof(found), "%.*s", (int)(said->raw.n < 90 ? said->raw.n : 90),
		 (const char *)said->raw.p);
	differs(p, field, expected, found);
}

static void hold_exchange(struct path *p, struct ww_slice leg, const struct ww_json_token *id)
{
	enum { PEER, STATUS, OUTCOME, BYTES, N };
	static const char *const paths[N] = {[PEER] = "$.peer",
					     [STATUS] = "$.status",
					     [OUTCOME] = "$.outcome",
					     [BYTES] = "$.requestBytes"};
	struct ww_rd_record *rec;
	const struct ww_rd_exchange *x;
	struct ww_json_token t[N];

	rec = id->raw.p && id->type == WW_JSON_STRING
		      ? ww_rd_before(p->rd, WW_RD_EXCHANGE, id->raw, p->rec->index)
		      : NULL;
	x = rec ? ww_rd_exchange_of(p->rd, rec) : NULL;
	if (!x) {
		undecided(p, "legs.exchange", "the exchange that it cites", "none that is listed");
		return;
	}
	ww_json_pick(leg, paths, N, t);
	hold_text(p, "legs.peer", &t[PEER], &x->peer);
	hold_text(p, "legs.outcome", &t[OUTCOME], &x->outcome);
	hold_number(p, "legs.status", &t[STATUS], &x->status);
	hold_number(p, "legs.requestBytes", &t[BYTES], &(struct ww_rd_number){x->req_bytes, true});
}

/* Whether the leg has the finding, and a span that claims something. */
static bool contradicted(struct ww_slice leg)
{
	struct ww_json_token t, by;
	struct ww_slice text;
	bool found = false, span = false;
	struct ww_json j;

	if (!array_of(leg, "$.findings", &j))
		return false;
	while (ww_fields_next(&j, &t, &text) == 1)
		found |= says(&t, "REGION_CLAIM_DIFFERS");
	if (!found || !array_of(leg, "$.claims", &j))
		return false;
	while (ww_fields_next(&j, &t, &text) == 1)
		span |= ww_json_path(text, "$.by", &by, NULL) == WW_PARSE_DONE && says(&by, "span");
	return span;
}

static void take_leg(struct path *p, struct ww_slice leg)
{
	enum { PURPOSE, GRADE, JOINED, REGION, HOME, AMBIGUOUS, EXCHANGE, N };
	static const char *const paths[N] = {
		[PURPOSE] = "$.purpose",   [GRADE] = "$.evidence",
		[JOINED] = "$.join",       [REGION] = "$.place.region",
		[HOME] = "$.place.home",   [AMBIGUOUS] = "$.place.ambiguous",
		[EXCHANGE] = "$.exchange",
	};
	struct ww_path_ground *g = &p->legs[p->count];
	struct ww_json_token t[N];
	int evidence, join;

	p->told++;
	ww_json_pick(leg, paths, N, t);
	if (!says(&t[PURPOSE], "inference") && !says(&t[PURPOSE], "derived"))
		return;
	evidence = WORD_OF(evidence_names, &t[GRADE]);
	join = WORD_OF(join_names, &t[JOINED]);
	if (evidence < 0 || join < 0 || p->count == LEGS_MAX) {
		undecided(p, "legs", "words that are known here", "another one");
		return;
	}
	*g = (struct ww_path_ground){.evidence = (enum ww_evidence)evidence,
				     .join = (enum ww_join_grade)join};
	g->forbidden = says(&t[REGION], "forbidden") || says(&t[HOME], "forbidden");
	g->ambiguous = t[AMBIGUOUS].type == WW_JSON_TRUE && t[AMBIGUOUS].raw.p;
	g->ambiguous |= says(&t[REGION], "mixed") || says(&t[HOME], "mixed");
	g->contradicted = contradicted(leg);
	p->unlisted[p->count] = says(&t[REGION], "unlisted") || says(&t[HOME], "unlisted");
	p->count++;
	hold_exchange(p, leg, &t[EXCHANGE]);
}

static bool take_legs(struct path *p)
{
	struct ww_json_token t;
	struct ww_slice leg;
	struct ww_json j;
	int r;

	if (!array_of(p->rec->json, "$.legs", &j))
		return false;
	while ((r = ww_fields_next(&j, &t, &leg)) == 1)
		take_leg(p, leg);
	return r == 0;
}

/* --- what is open -------------------------------------------------------------------------------
 */

static bool take_open(struct path *p)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r, reason;

	if (!array_of(p->rec->json, "$.open", &j))
		return false;
	while ((r = ww_fields_next(&j, &t, &text)) == 1) {
		reason = WORD_OF(reason_names, &t);
		if (reason < 0)
			return false;
		p->open |= 1u << reason;
	}
	return r == 0;
}

static struct ww_path_grounds grounds_of(const struct path *p)
{
	const struct ww_json_token *m = p->m;
	uint64_t total = number(&m[TOTAL]);

	return (struct ww_path_grounds){
		.asked = true,
		.legs = p->legs,
		.count = p->count,
		.dropped = total > p->told,
		.known = m[KNOWN].raw.p && m[KNOWN].type == WW_JSON_TRUE,
		.whole = m[WHOLE].raw.p && m[WHOLE].type == WW_JSON_TRUE,
		.covered = true,
		.lost = number(&m[LOST]),
		.gaps = number(&m[GAPS]) > 0,
		.unix_peers = number(&m[UNIX]) > 0,
		.raw_sockets = number(&m[RAW]) > 0,
		.unbound = number(&m[UNBOUND]) > 0,
	};
}

/* What the legs and the coverage show to be open must be said to be. */
static void check_open(struct path *p, uint32_t shown)
{
	const char *name;
	unsigned i = 0;

	while ((name = ww_path_open(shown & ~p->open, &i)) != NULL)
		differs(p, "open", name, "it is not named");
}

/* --- the verdict --------------------------------------------------------------------------------
 */

static bool may_violate(const struct path *p)
{
	for (unsigned i = 0; i < p->count; i++)
		if ((p->legs[i].forbidden || p->unlisted[i]) && p->legs[i].join >= WW_JOIN_UNIQUE &&
		    p->legs[i].evidence >= WW_EVIDENCE_E2)
			return true;
	return number(&p->m[TOTAL]) > p->told;
}

static bool may_be_contradicted(const struct path *p)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->legs[i].contradicted && p->legs[i].join >= WW_JOIN_UNIQUE)
			return true;
	return number(&p->m[TOTAL]) > p->told;
}

/* From the verdict that the rule gives of what is shown, and what else is open. */
static enum ww_verdict expected_of(const struct path *p, const struct ww_path_ruling *shown,
				   int said)
{
	bool unresolved = p->open & (1u << WW_REASON_ACTOR_UNRESOLVED);

	/* Whose connection it is may be in doubt; a policy may forbid what nobody lists. */
	if (said == WW_VERDICT_VIOLATION && may_violate(p))
		return WW_VERDICT_VIOLATION;
	if (shown->verdict == WW_VERDICT_VIOLATION && !unresolved)
		return WW_VERDICT_VIOLATION;
	if (said == WW_VERDICT_CLAIM_CONTRADICTED && may_be_contradicted(p))
		return WW_VERDICT_CLAIM_CONTRADICTED;
	return p->open || p->count == 0 ? WW_VERDICT_UNVERIFIABLE
					: WW_VERDICT_WITHIN_POLICY_TO_HORIZON;
}

static void check_reason(struct path *p)
{
	unsigned i = 0;
	const char *first = ww_path_open(p->open, &i);

	if (!first)
		first = reason_names[WW_REASON_OUTCOME_UNKNOWN];
	if (!says(&p->m[REASON], first))
		differs(p, "reason", first, "another one, or none");
}

static void check_verdict(struct path *p)
{
	const struct ww_path_grounds g = grounds_of(p);
	int said = WORD_OF(verdict_names, &p->m[VERDICT]);
	struct ww_path_ruling shown;
	enum ww_verdict expected;

	ww_path_rule(&g, &shown);
	check_open(p, shown.open);
	expected = expected_of(p, &shown, said);
	/* One claim of several may be the span's that differs, or not. */
	if (expected == WW_VERDICT_WITHIN_POLICY_TO_HORIZON &&
	    shown.verdict == WW_VERDICT_CLAIM_CONTRADICTED)
		undecided(p, "verdict", "which claim differs", "not told");
	else if ((int)expected != said)
		differs(p, "verdict", verdict_names[expected],
			said < 0 ? "another word" : verdict_names[said]);
	else if (said == WW_VERDICT_UNVERIFIABLE)
		check_reason(p);
}

void ww_rd_path(struct ww_rederive *rd, struct ww_rd_record *rec)
{
	WW_AUTO_FREE struct path *p = calloc(1, sizeof(*p));
	bool judged;

	if (!p) {
		ww_rd_no_memory(rd);
		return;
	}
	p->rd = rd;
	p->rec = rec;
	ww_json_pick(rec->json, members, MEMBERS, p->m);
	judged = p->m[AGENT].raw.p && p->m[AGENT].type == WW_JSON_STRING;
	if (!take_open(p) || !take_legs(p))
		undecided(p, "open", "what keeps the verdict open, in words that are known",
			  "a record of another version");
	else if (judged)
		check_verdict(p);
	else if (!says(&p->m[VERDICT], verdict_names[WW_VERDICT_NOT_APPLICABLE]))
		differs(p, "verdict", verdict_names[WW_VERDICT_NOT_APPLICABLE],
			"a verdict on an agent that no rule is about");
}
