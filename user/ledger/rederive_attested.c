/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was attested of an action, derived again: from the attestations' records, whose signatures
 * are checked against the keys in the terms that the verdict was given under, and from what the
 * wire gives. A verdict names all that was recorded about its action before it: who leaves one out
 * is found by the record of that one.
 */
#include <errno.h>
#include <stdio.h>

#include "ledger/attested.h"
#include "ledger/fields.h"
#include "ledger/rederive_exam.h"

static const char *const verdict_names[WW_VERDICT_MAX] = {WW_VERDICTS(WW_RD_NAME)};

static bool is_text(struct ww_slice s, const char *text)
{
	return ww_slice_eq_str(s, text);
}

/* The record's own members against what was signed. */
static bool record_agrees(const struct ww_attestation_record *r, const struct ww_attestation *a,
			  const struct ww_attested_item *it)
{
	char at[WW_RFC3339_MAX];

	ww_wall_rfc3339(a->attested_at, at);
	return is_text(r->id, a->id) &&
	       is_text(r->outcome, ww_attestation_outcome_name(a->outcome)) &&
	       is_text(r->by, ww_attestation_by_name(a->by)) &&
	       is_text(r->attester, a->attester->name) && is_text(r->attested_at, at) &&
	       strcmp(it->at, at) == 0 && it->outcome == a->outcome &&
	       strcmp(it->attester, a->attester->name) == 0;
}

static bool in_time(const struct ww_attested_verdict *v, const struct ww_attestation *a,
		    struct ww_slice imported)
{
	struct ww_wall now, begun;

	return ww_wall_parse(imported, &now) == 0 && ww_attestation_current(a, now, NULL) == 0 &&
	       ww_wall_parse(v->t, &begun) == 0 && ww_attestation_begun(a, begun, NULL) == 0;
}

/* By its signature. */
static void check_signed(struct ww_rd_exam *e, const struct ww_attested_verdict *v,
			 const struct ww_attestation_record *r, const struct ww_attested_item *it)
{
	const struct ww_contract *terms = e->contract;
	struct ww_errtext why = {""};
	struct ww_attestation a;
	int done = ww_attestation_parse(r->envelope, &a, &why);

	if (done == -ENOMEM) {
		ww_rd_no_memory(e->rd);
		return;
	}
	if (done < 0) {
		ww_rd_differ(e, "attested", "an attestation that can be read", why.text);
		return;
	}
	done = ww_attestation_verify(&a, terms ? terms->attesters : NULL,
				     terms ? terms->attester_count : 0);
	if (done == -ENOMEM)
		ww_rd_no_memory(e->rd);
	else if (done < 0)
		ww_rd_differ(e, "attested", "the signature of an attester of the terms", "none");
	else if (!record_agrees(r, &a, it))
		ww_rd_differ(e, "attested", "what was signed", "something else");
	else if (!ww_attested_fits(v, &a, NULL))
		ww_rd_differ(e, "attested", "attestations of this action", "of another");
	else if (!in_time(v, &a, r->t))
		ww_rd_differ(e, "attested", "attestations that count by their times", "another");
	ww_attestation_done(&a);
}

/* Every record about the action that stands before the verdict, and no other. */
static void check_records(struct ww_rd_exam *e, struct ww_attested_verdict *v)
{
	const struct ww_rd_record *rec = ww_rd_newest(e->rd, WW_RD_ATTESTATION, e->v.action.s);
	bool found[WW_ATTESTATION_FOR_MAX] = {0};
	char id[WW_ATTESTATION_ID_MAX];
	unsigned looked = 0;

	for (; rec && looked < WW_RD_SAME_MAX; rec = rec->same, looked++) {
		struct ww_attested_item *it = NULL;
		struct ww_attestation_record r;

		if (rec->index >= e->rec->index ||
		    ww_attestation_record_read(rec->json, &r, NULL) < 0)
			continue;
		snprintf(id, sizeof(id), "%.*s", (int)(r.id.n < sizeof(id) ? r.id.n : 0),
			 (const char *)r.id.p);
		it = ww_attested_find(&v->before, id);
		if (!it) {
			ww_rd_differ(e, "attested", "all that was attested before it",
				     "a record of its action is not named");
			continue;
		}
		if (found[it - v->before.items])
			ww_rd_differ(e, "attested", "one record of an attestation", "two");
		found[it - v->before.items] = true;
		check_signed(e, v, &r, it);
	}
	if (rec)
		ww_rd_open(e, "attested", "all that was attested before it",
			   "more attestations of its action than are looked at");
	for (unsigned i = 0; i < v->before.count; i++) {
		char expected[64];

		if (found[i])
			continue;
		snprintf(expected, sizeof(expected), "the record %s", v->before.items[i].id);
		ww_rd_open(e, "attested", expected,
			   "it is not listed before the verdict, or withheld");
	}
}

/* The remarks of the attestations, in their order, and no others. */
static void check_findings(struct ww_rd_exam *e, const struct ww_attested_verdict *v)
{
	struct ww_json_token name, of, t;
	struct ww_slice text;
	struct ww_json j;
	unsigned at = 0;
	bool right = true;
	int r = e->v.findings.n ? ww_fields_array(e->v.findings, &j) : 0;

	while (e->v.findings.n && r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		const char *want = NULL;

		if (ww_json_path(text, "$.finding", &name, NULL) != WW_PARSE_DONE ||
		    !ww_attested_finds(name.raw))
			continue;
		for (; at < v->before.count && !want; at++)
			want = ww_attested_finding(&v->before.items[at], v->wire);
		right &= want && ww_json_is(&name, want) &&
			 ww_json_path(text, "$.attestation", &of, NULL) == WW_PARSE_DONE &&
			 ww_json_is(&of, v->before.items[at - 1].id);
	}
	for (; at < v->before.count; at++)
		right &= !ww_attested_finding(&v->before.items[at], v->wire);
	if (!right)
		ww_rd_differ(e, "findings", "those that its attestations make", "others");
}

enum ww_verdict ww_rd_check_attested(struct ww_rd_exam *e, enum ww_verdict wire)
{
	struct ww_attested_verdict v;
	struct ww_errtext why = {""};
	struct ww_json_token t;

	if (e->v.controlled)
		return wire;
	if (ww_attested_read(e->rec->json, &v, &why) < 0) {
		ww_rd_differ(e, "attested", "a column that can be read", why.text);
		return wire;
	}
	if (wire != WW_VERDICT_PENDING || e->v.attested.n)
		check_records(e, &v);
	if (!e->v.attested.n)
		return wire;
	if (v.before.count == 0)
		ww_rd_differ(e, "attested", "an attestation", "none");
	if (v.wire != wire)
		ww_rd_differ(e, "attested.wireVerdict", verdict_names[wire], verdict_names[v.wire]);
	if (ww_json_path(e->v.attested, "$.evidence", &t, NULL) != WW_PARSE_DONE ||
	    !ww_json_is(&t, ww_rd_evidence[WW_EVIDENCE_E7]))
		ww_rd_differ(e, "attested.evidence", "E7", "another");
	v.wire = wire;
	check_findings(e, &v);
	return ww_attested_rule(&v.before, wire);
}

/* An attestation may come under another contract file than the verdict was given under: then its
 * contracts are those of the verdict that it supersedes, which is looked at by itself. */
bool ww_rd_judged_before(struct ww_rd_exam *e)
{
	const struct ww_rd_record *old;
	struct ww_json_token t;

	if (!e->v.attested.n || !e->v.supersedes.s.p)
		return false;
	old = ww_rd_before(e->rd, WW_RD_VERDICT, e->v.supersedes.s, e->rec->index);
	return old && ww_json_path(old->json, "$.contracts", &t, NULL) == WW_PARSE_DONE &&
	       !t.escaped && ww_slice_eq(t.raw, e->v.contracts.s);
}
