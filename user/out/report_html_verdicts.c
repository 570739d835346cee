/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of verdicts, and an article for each with the drawing of its times. The record says
 * what the verdict is; the section "claims" adds the outcome word and the ledger indexes.
 */
#include <errno.h>

#include "ledger/fields.h"
#include "out/report_html_view.h"

enum {
	T,
	ID,
	VERDICT,
	REASON,
	EVIDENCE,
	TIER,
	JOIN,
	BY,
	NUMBER,
	TOOL,
	CALL,
	ACTION,
	SAID,
	SAID_BYTES,
	SPAN,
	SPAN_STATUS,
	TRACE,
	WIRE,
	STATUS,
	METHOD,
	PATH,
	DESTINATION,
	PEER,
	RETRY,
	RULE,
	RETRIES,
	NEAR,
	DEEDS,
	CONTESTED,
	UNDECODED,
	UNDECODED_TO,
	CANDIDATE,
	ELSEWHERE,
	ELSEWHERE_TO,
	KNOWN,
	WHOLE,
	LOST,
	GAPS,
	SUMMARY,
	SUPERSEDES,
	FIRST,
	FIRST_CONTRACTS,
	ACTOR,
	MEMBERS
};

static const struct ww_slice paths[MEMBERS] = {
	[T] = WW_SLICE_LIT("t"),
	[ID] = WW_SLICE_LIT("id"),
	[VERDICT] = WW_SLICE_LIT("verdict"),
	[REASON] = WW_SLICE_LIT("reason"),
	[EVIDENCE] = WW_SLICE_LIT("evidence"),
	[TIER] = WW_SLICE_LIT("tier"),
	[JOIN] = WW_SLICE_LIT("join"),
	[BY] = WW_SLICE_LIT("by"),
	[NUMBER] = WW_SLICE_LIT("n"),
	[TOOL] = WW_SLICE_LIT("tool"),
	[CALL] = WW_SLICE_LIT("toolCallId"),
	[ACTION] = WW_SLICE_LIT("action"),
	[SAID] = WW_SLICE_LIT("said.claim"),
	[SAID_BYTES] = WW_SLICE_LIT("said.text.bytes"),
	[SPAN] = WW_SLICE_LIT("span.id"),
	[SPAN_STATUS] = WW_SLICE_LIT("span.status"),
	[TRACE] = WW_SLICE_LIT("span.traceId"),
	[WIRE] = WW_SLICE_LIT("wire.wire"),
	[STATUS] = WW_SLICE_LIT("wire.status"),
	[METHOD] = WW_SLICE_LIT("wire.method"),
	[PATH] = WW_SLICE_LIT("wire.path"),
	[DESTINATION] = WW_SLICE_LIT("wire.destination"),
	[PEER] = WW_SLICE_LIT("wire.peer"),
	[RETRY] = WW_SLICE_LIT("wire.retryAfterS"),
	[RULE] = WW_SLICE_LIT("wire.rule"),
	[RETRIES] = WW_SLICE_LIT("wire.retries"),
	[NEAR] = WW_SLICE_LIT("wire.nearMissTotal"),
	[DEEDS] = WW_SLICE_LIT("local.total"),
	[CONTESTED] = WW_SLICE_LIT("local.contested"),
	[UNDECODED] = WW_SLICE_LIT("wire.undecoded.bytesSent"),
	[UNDECODED_TO] = WW_SLICE_LIT("wire.undecoded.peer"),
	[CANDIDATE] = WW_SLICE_LIT("wire.candidates.exchange"),
	[ELSEWHERE] = WW_SLICE_LIT("wire.elsewhere.method"),
	[ELSEWHERE_TO] = WW_SLICE_LIT("wire.elsewhere.peer"),
	[KNOWN] = WW_SLICE_LIT("coverage.known"),
	[WHOLE] = WW_SLICE_LIT("coverage.wholeWindow"),
	[LOST] = WW_SLICE_LIT("coverage.lostEvents"),
	[GAPS] = WW_SLICE_LIT("coverage.gaps"),
	[SUMMARY] = WW_SLICE_LIT("summary"),
	[SUPERSEDES] = WW_SLICE_LIT("supersedes"),
	[FIRST] = WW_SLICE_LIT("reevaluates.verdict"),
	[FIRST_CONTRACTS] = WW_SLICE_LIT("reevaluates.contracts"),
	[ACTOR] = WW_SLICE_LIT("actor"),
};

enum { OUTCOME, BOUND, CLAIM_MEMBERS };

static const struct ww_slice claim_paths[CLAIM_MEMBERS] = {
	[OUTCOME] = WW_SLICE_LIT("outcome"),
	[BOUND] = WW_SLICE_LIT("bound"),
};

/* What a row and an article are made of. Tokens borrow from the view's buffer `record`. */
struct verdict {
	const struct ww_report_entry *entry;
	struct ww_slice record, claim; /* either may be empty */
	struct ww_json_token m[MEMBERS], c[CLAIM_MEMBERS];
};

/* --- claims, by index ---------------------------------------------------------------------------
 */

static int by_index(const void *a, const void *b)
{
	const struct ww_report_claim *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static uint64_t index_of(struct ww_slice claim)
{
	const struct ww_json_token t = ww_member_get(claim, "index");

	return ww_member_u64(&t, UINT64_MAX);
}

int ww_report_html_claims(struct ww_report_view *v)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;

	v->claims = calloc(v->n + 1, sizeof(*v->claims));
	if (!v->claims)
		return -ENOMEM;
	if (!ww_report_array(v->s->sections.claims, "$.list", &j))
		return 0;
	while (v->n_claims < v->n && ww_fields_next(&j, &t, &text) == 1)
		v->claims[v->n_claims++] = (struct ww_report_claim){index_of(text), text};
	qsort(v->claims, v->n_claims, sizeof(*v->claims), by_index);
	return 0;
}

static void load(struct ww_report_view *v, const struct ww_report_entry *e, struct verdict *ret)
{
	const struct ww_report_claim key = {.index = e->index};
	const struct ww_report_claim *c =
		bsearch(&key, v->claims, v->n_claims, sizeof(*v->claims), by_index);

	*ret = (struct verdict){.entry = e};
	if (c) {
		ret->claim = c->text;
		ww_member_pick(c->text, claim_paths, CLAIM_MEMBERS, ret->c);
	}
	if (ww_report_view_read(e, &v->record, &ret->record) == 0)
		ww_member_pick(ret->record, paths, MEMBERS, ret->m);
}

/* --- the table ----------------------------------------------------------------------------------
 */

static const char *const titles[] = {"No.",  "Verdict", "Tool", "Said",
				     "Span", "Wire",    "Join", "Evidence"};

static void begin_cell(struct ww_report_view *v)
{
	ww_html_open(&v->h, "td");
}

static void wire_cell(struct ww_report_view *v, const struct verdict *d)
{
	bool answered = ww_member_has(&d->m[STATUS]);
	uint64_t retries = ww_member_u64(&d->m[RETRIES], 0);

	begin_cell(v);
	if (ww_report_html_local(v, d->record)) {
		ww_html_close(&v->h);
		return;
	}
	if (answered)
		ww_report_value(v, "b", &d->m[STATUS], WW_REPORT_TEXT);
	else
		ww_report_said(v, "", &d->m[WIRE], "");
	ww_report_said(v, " ", &d->m[METHOD], "");
	ww_report_said(v, " ", &d->m[PATH], "");
	ww_report_said(v, " at ", &d->m[DESTINATION], "");
	if (!ww_member_has(&d->m[DESTINATION]))
		ww_report_said(v, " at ", &d->m[PEER], "");
	ww_report_said(v, ", Retry-After ", &d->m[RETRY], "");
	ww_report_said(v, ", rule ", &d->m[RULE], "");
	if (retries)
		ww_report_said(v, ", retries ", &d->m[RETRIES], "");
	if (ww_member_has(&d->m[UNDECODED])) {
		ww_report_said(v, " not decoded: ", &d->m[UNDECODED], " bytes sent");
		ww_report_said(v, " to ", &d->m[UNDECODED_TO], "");
	} else if (ww_member_has(&d->m[CANDIDATE])) {
		ww_report_said(v, "one of the calls that could be meant: ", &d->m[NUMBER], "");
	} else if (ww_member_has(&d->m[ELSEWHERE])) {
		ww_report_said(v, "elsewhere: ", &d->m[ELSEWHERE], "");
		ww_report_said(v, " at ", &d->m[ELSEWHERE_TO], "");
	} else if (!answered && !ww_member_has(&d->m[WIRE])) {
		ww_html_put(&v->h, "span", "none", "nothing seen");
	}
	ww_html_close(&v->h);
}

static void verdict_cell(struct ww_report_view *v, const struct verdict *d)
{
	begin_cell(v);
	ww_report_value(v, "b", &d->m[VERDICT], WW_REPORT_TEXT);
	ww_report_said(v, " ", &d->m[REASON], "");
	if (ww_member_has(&d->c[OUTCOME])) {
		ww_html_open(&v->h, "br");
		ww_html_close(&v->h);
		ww_html_open(&v->h, "span");
		ww_html_attr_str(&v->h, "class", "outcome");
		ww_report_value(v, "i", &d->c[OUTCOME], WW_REPORT_TEXT);
		ww_report_said(v, ": ", &d->c[BOUND], "");
		ww_html_close(&v->h);
	}
	ww_html_close(&v->h);
}

/* Beside what the wire gave, in words of its own. */
static void attested_lines(struct ww_report_view *v, const struct verdict *d)
{
	static const struct ww_slice members[] = {WW_SLICE_LIT("attester"),
						  WW_SLICE_LIT("outcome")};
	struct ww_json_token t, m[2];
	struct ww_slice text;
	struct ww_json j;

	if (!ww_report_array(d->record, "$.attested.attestations", &j))
		return;
	while (ww_fields_next(&j, &t, &text) == 1) {
		ww_member_pick(text, members, 2, m);
		ww_html_open(&v->h, "br");
		ww_html_close(&v->h);
		ww_report_said(v, "E7, attested by ", &m[0], "");
		ww_report_said(v, ": ", &m[1], "");
	}
}

static void put_row(struct ww_report_view *v, const struct verdict *d)
{
	struct ww_html *h = &v->h;
	uint64_t index = d->entry->index;

	ww_html_open(h, "tr");
	ww_html_open(h, "th");
	ww_html_attr_str(h, "scope", "row");
	ww_report_index(h, d->entry->withheld ? "#r-" : "#v-", index);
	ww_html_close(h);
	if (d->entry->withheld) {
		ww_html_open(h, "td");
		ww_html_attr_str(h, "colspan", "7");
		ww_html_str(h, "withheld: its content was erased, its place in the ledger stays");
		ww_html_close(h);
		ww_html_close(h);
		return;
	}
	verdict_cell(v, d);
	begin_cell(v);
	ww_report_value(v, "span", &d->m[TOOL], WW_REPORT_TEXT);
	ww_html_open(h, "br");
	ww_html_close(h);
	ww_report_value(v, "span", &d->m[T], WW_REPORT_TIME);
	ww_html_close(h);
	begin_cell(v);
	if (ww_member_has(&d->m[SAID]))
		ww_report_value(v, "span", &d->m[SAID], WW_REPORT_TEXT);
	else if (ww_member_has(&d->m[SAID_BYTES]))
		ww_report_said(v, "text of ", &d->m[SAID_BYTES], " bytes");
	else
		ww_report_value(v, "span", &d->m[SAID], WW_REPORT_TEXT);
	ww_html_close(h);
	ww_report_value(v, "td", &d->m[SPAN_STATUS], WW_REPORT_TEXT);
	wire_cell(v, d);
	begin_cell(v);
	ww_report_value(v, "span", &d->m[JOIN], WW_REPORT_TEXT);
	ww_report_said(v, " n=", &d->m[NUMBER], "");
	ww_html_close(h);
	begin_cell(v);
	ww_report_value(v, "span", &d->m[EVIDENCE], WW_REPORT_TEXT);
	ww_html_str(h, " ");
	ww_html_open(h, "a");
	ww_html_attr_mark(h, "href", "#r-", index);
	ww_html_str(h, "record");
	ww_html_close(h);
	attested_lines(v, d);
	ww_html_close(h);
	ww_html_close(h);
}

static void begin_table(struct ww_html *h, const char *caption)
{
	ww_html_open(h, "table");
	ww_html_attr_str(h, "class", "verdicts");
	ww_html_put(h, "caption", NULL, caption);
	ww_html_open(h, "thead");
	ww_html_open(h, "tr");
	for (size_t i = 0; i < WW_ARRAY_SIZE(titles); i++) {
		ww_html_open(h, "th");
		ww_html_attr_str(h, "scope", "col");
		ww_html_str(h, titles[i]);
		ww_html_close(h);
	}
	ww_html_close(h);
	ww_html_close(h);
	ww_html_open(h, "tbody");
}

static void put_table(struct ww_report_view *v, bool replaced, const char *caption)
{
	bool any = false;

	for (size_t i = 0; i < v->n && v->h.err == 0; i++) {
		const struct ww_report_entry *e = &v->entries[i];
		struct verdict d;

		if (e->replaced != replaced || !ww_slice_eq_str(e->kind, "verdict"))
			continue;
		if (!any)
			begin_table(&v->h, caption);
		any = true;
		load(v, e, &d);
		put_row(v, &d);
	}
	if (any) {
		ww_html_close(&v->h);
		ww_html_close(&v->h);
	}
}

void ww_report_html_verdicts(struct ww_report_view *v)
{
	ww_report_section(v, "verdicts", "Verdicts");
	ww_report_html_summary(v);
	put_table(v, false, "Verdicts, by index in the ledger");
	put_table(v, true, "Verdicts that a later one superseded");
	ww_html_close(&v->h);
}

/* --- one article each ---------------------------------------------------------------------------
 */

static void fact(struct ww_report_view *v, const char *title, const struct ww_json_token *value,
		 enum ww_report_how how, bool *first)
{
	if (!ww_member_has(value))
		return;
	ww_html_str(&v->h, *first ? "" : " \xc2\xb7 ");
	ww_html_str(&v->h, title);
	ww_html_str(&v->h, " ");
	ww_report_value(v, "span", value, how);
	*first = false;
}

static void facts(struct ww_report_view *v, const struct verdict *d)
{
	static const struct {
		const char *title;
		unsigned member;
		enum ww_report_how how;
	} rows[] = {
		{"verdict", ID, WW_REPORT_TEXT},
		{"action", ACTION, WW_REPORT_TEXT},
		{"began", T, WW_REPORT_TEXT},
		{"tool call", CALL, WW_REPORT_TEXT},
		{"process", ACTOR, WW_REPORT_TEXT},
		{"trace", TRACE, WW_REPORT_TEXT},
		{"span", SPAN, WW_REPORT_TEXT},
		{"tier", TIER, WW_REPORT_TEXT},
		{"joined by", BY, WW_REPORT_TEXT},
		{"near misses", NEAR, WW_REPORT_TEXT},
		{"deeds on this host", DEEDS, WW_REPORT_TEXT},
		{"that others may mean as well", CONTESTED, WW_REPORT_TEXT},
		{"window seen", KNOWN, WW_REPORT_YES},
		{"whole window seen", WHOLE, WW_REPORT_YES},
		{"events lost", LOST, WW_REPORT_TEXT},
		{"gaps", GAPS, WW_REPORT_TEXT},
		{"supersedes", SUPERSEDES, WW_REPORT_TEXT},
		{"judges again", FIRST, WW_REPORT_TEXT},
		{"then under contracts", FIRST_CONTRACTS, WW_REPORT_TEXT},
	};

	bool first = true;

	ww_html_open(&v->h, "p");
	ww_html_attr_str(&v->h, "class", "facts");
	fact(v, "Outcome", &d->c[OUTCOME], WW_REPORT_TEXT, &first);
	fact(v, "bound", &d->c[BOUND], WW_REPORT_TEXT, &first);
	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++)
		fact(v, rows[i].title, &d->m[rows[i].member], rows[i].how, &first);
	ww_html_close(&v->h);
}

static void checklist(struct ww_report_view *v, const struct verdict *d)
{
	static const struct ww_slice item[] = {WW_SLICE_LIT("item"), WW_SLICE_LIT("pass"),
					       WW_SLICE_LIT("detail")};
	struct ww_json_token t, m[WW_ARRAY_SIZE(item)];
	struct ww_slice text;
	struct ww_json j;
	bool any = false;

	if (!ww_report_array(d->record, "$.closedWorld", &j))
		return;
	while (v->h.err == 0 && ww_fields_next(&j, &t, &text) == 1) {
		if (!any) {
			ww_html_open(&v->h, "p");
			ww_html_attr_str(&v->h, "class", "checks");
			ww_html_str(&v->h, "Closed world:");
		} else {
			ww_html_str(&v->h, " \xc2\xb7");
		}
		any = true;
		ww_member_pick(text, item, WW_ARRAY_SIZE(item), m);
		ww_report_said(v, " ", &m[0], " ");
		ww_report_value(v, "span", &m[1], WW_REPORT_YES);
		ww_report_said(v, " (", &m[2], ")");
	}
	if (any)
		ww_html_close(&v->h);
}

static void put_evidence(struct ww_report_view *v, const struct verdict *d)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;

	ww_html_open(&v->h, "p");
	ww_html_attr_str(&v->h, "class", "evidence");
	ww_html_str(&v->h, "Rests on:");
	ww_html_str(&v->h, " record ");
	ww_report_link(v, d->entry->index);
	if (ww_report_array(d->claim, "$.evidenceIndexes", &j)) {
		while (v->h.err == 0 && ww_fields_next(&j, &t, &text) == 1) {
			uint64_t index = ww_member_u64(&t, UINT64_MAX);
			const struct ww_report_entry *e = ww_report_view_at(v, index);

			if (index == UINT64_MAX)
				continue;
			ww_html_str(&v->h, ", ");
			if (e) {
				ww_html_open(&v->h, "span");
				ww_html_attr_str(&v->h, "class", "v");
				ww_html_text(&v->h, e->kind);
				ww_html_close(&v->h);
				ww_html_str(&v->h, " ");
			}
			ww_report_link(v, index);
		}
	}
	ww_html_close(&v->h);
}

static void article(struct ww_report_view *v, const struct verdict *d)
{
	struct ww_svg_leg legs[WW_SVG_LEGS_MAX];
	struct ww_html *h = &v->h;
	unsigned count;

	ww_html_open(h, "article");
	ww_html_attr_mark(h, "id", "v-", d->entry->index);
	ww_html_open(h, "h3");
	ww_report_index(h, NULL, d->entry->index);
	ww_report_said(v, " ", &d->m[VERDICT], "");
	ww_report_said(v, " ", &d->m[REASON], "");
	ww_report_said(v, " \xc2\xb7 ", &d->m[TOOL], "");
	ww_html_close(h);
	if (ww_member_has(&d->m[SUMMARY]))
		ww_report_value(v, "p", &d->m[SUMMARY], WW_REPORT_WHOLE);
	count = ww_report_html_legs(v, d->record, legs);
	if (count) {
		ww_html_open(h, "div");
		ww_html_attr_str(h, "class", "scroll");
		ww_html_attr_str(h, "role", "group");
		ww_html_attr_str(h, "tabindex", "0");
		ww_html_attr_str(h, "aria-label", "Times");
		ww_svg_timeline(h, d->entry->index, legs, count);
		ww_html_close(h);
	}
	ww_report_html_deeds(v, d->record);
	facts(v, d);
	checklist(v, d);
	put_evidence(v, d);
	ww_html_close(h);
}

void ww_report_html_articles(struct ww_report_view *v)
{
	ww_report_section(v, "actions", "Verdict by verdict");
	ww_html_put(&v->h, "p", NULL,
		    "Drawn are the times of the records, after the first of them. Spans and claims "
		    "carry the application's clock, all others the kernel's. A change happened at "
		    "some time between its two. Times are cut to microseconds, from a second on to "
		    "milliseconds.");
	ww_svg_legend(&v->h);
	for (size_t i = 0; i < v->n && v->h.err == 0; i++) {
		struct verdict d;

		if (v->entries[i].withheld || !ww_slice_eq_str(v->entries[i].kind, "verdict"))
			continue;
		load(v, &v->entries[i], &d);
		article(v, &d);
	}
	ww_html_close(&v->h);
}
