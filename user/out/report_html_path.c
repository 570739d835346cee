/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where prompts went: how the verdicts of paths are spread, and for each path its legs in a table,
 * a map of what light allows, the horizon, what was attested apart from it. Places are what tables
 * list, what somebody claimed and what was declared: three columns, never one.
 */
#include <stdio.h>

#include "ledger/fields.h"
#include "out/path_words.h"
#include "out/report_html_map.h"
#include "out/report_html_view.h"

#define LEGS_SHOWN  64u /* rows; the record has all */
#define ITEMS_SHOWN 12u /* lines of a cell */

enum {
	T,
	ID,
	PATH,
	VERDICT,
	REASON,
	EVIDENCE,
	JOIN,
	AGENT,
	PROGRAM,
	ACTOR,
	ROOT,
	SCOPE,
	TRACE,
	DIGEST,
	BYTES,
	LEGS_TOTAL,
	OPAQUE_TOTAL,
	POLICY,
	TABLES,
	HOST,
	HOST_WITHIN,
	KNOWN,
	WHOLE,
	LOST,
	GAPS,
	SUMMARY,
	SUPERSEDES,
	MEMBERS
};

static const struct ww_slice paths[MEMBERS] = {
	[T] = WW_SLICE_LIT("t"),
	[ID] = WW_SLICE_LIT("id"),
	[PATH] = WW_SLICE_LIT("path"),
	[VERDICT] = WW_SLICE_LIT("verdict"),
	[REASON] = WW_SLICE_LIT("reason"),
	[EVIDENCE] = WW_SLICE_LIT("evidence"),
	[JOIN] = WW_SLICE_LIT("join"),
	[AGENT] = WW_SLICE_LIT("agent"),
	[PROGRAM] = WW_SLICE_LIT("program"),
	[ACTOR] = WW_SLICE_LIT("actor"),
	[ROOT] = WW_SLICE_LIT("root"),
	[SCOPE] = WW_SLICE_LIT("cgroup"),
	[TRACE] = WW_SLICE_LIT("traceIds"),
	[DIGEST] = WW_SLICE_LIT("promptDigest"),
	[BYTES] = WW_SLICE_LIT("promptBytes"),
	[LEGS_TOTAL] = WW_SLICE_LIT("legsTotal"),
	[OPAQUE_TOTAL] = WW_SLICE_LIT("opaqueTotal"),
	[POLICY] = WW_SLICE_LIT("policy"),
	[TABLES] = WW_SLICE_LIT("tables"),
	[HOST] = WW_SLICE_LIT("host.source"),
	[HOST_WITHIN] = WW_SLICE_LIT("host.withinKm"),
	[KNOWN] = WW_SLICE_LIT("coverage.known"),
	[WHOLE] = WW_SLICE_LIT("coverage.wholeWindow"),
	[LOST] = WW_SLICE_LIT("coverage.lostEvents"),
	[GAPS] = WW_SLICE_LIT("coverage.gaps"),
	[SUMMARY] = WW_SLICE_LIT("summary"),
	[SUPERSEDES] = WW_SLICE_LIT("supersedes"),
};

static void meaning(struct ww_report_view *v, enum ww_path_set set,
		    const struct ww_json_token *word)
{
	const struct ww_path_word *w = ww_path_word(set, word);

	if (w) {
		ww_html_str(&v->h, ": ");
		ww_html_str(&v->h, w->meaning);
	}
}

static void line_break(struct ww_html *h, unsigned *lines)
{
	if ((*lines)++) {
		ww_html_open(h, "br");
		ww_html_close(h);
	}
}

/* --- the cells of a leg -------------------------------------------------------------------------
 */

static void pick(struct ww_slice object, const struct ww_slice *members, size_t n,
		 struct ww_json_token *m)
{
	ww_member_pick(object, members, n, m);
}

#define PICK(object, members, m) pick(object, members, WW_ARRAY_SIZE(members), m)

/* What a word is about decides in which column it stands. */
static bool is_about(struct ww_slice claim, const char *one, const char *other)
{
	const struct ww_json_token v = ww_member_get(claim, "about");

	return ww_member_has(&v) && v.type == WW_JSON_STRING &&
	       (ww_json_is(&v, one) || ww_json_is(&v, other));
}

static void claim_lines(struct ww_report_view *v, struct ww_slice leg, const char *one,
			const char *other, unsigned *lines)
{
	static const struct ww_slice members[] = {WW_SLICE_LIT("by"), WW_SLICE_LIT("from"),
						  WW_SLICE_LIT("says")};
	struct ww_json_token t, m[WW_ARRAY_SIZE(members)];
	unsigned shown = 0;
	struct ww_slice claim;
	struct ww_json j;

	if (!ww_report_array(leg, "$.claims", &j))
		return;
	while (v->h.err == 0 && shown < ITEMS_SHOWN && ww_fields_next(&j, &t, &claim) == 1) {
		const struct ww_path_word *by;

		if (!is_about(claim, one, other))
			continue;
		shown++;
		PICK(claim, members, m);
		by = ww_path_word(WW_PATH_BY, &m[0]);
		line_break(&v->h, lines);
		ww_html_str(&v->h, "claimed by ");
		if (by)
			ww_html_str(&v->h, by->meaning);
		else
			ww_report_value(v, "span", &m[0], WW_REPORT_TEXT);
		ww_report_said(v, " (", &m[1], "): ");
		ww_report_value(v, "b", &m[2], WW_REPORT_TEXT);
	}
}

/* No places, but what the operator can be asked by. */
static void references(struct ww_report_view *v, struct ww_slice leg)
{
	static const struct ww_slice members[] = {WW_SLICE_LIT("from"), WW_SLICE_LIT("says")};
	struct ww_json_token t, m[WW_ARRAY_SIZE(members)];
	unsigned shown = 0;
	struct ww_slice claim;
	struct ww_json j;

	if (!ww_report_array(leg, "$.claims", &j))
		return;
	while (v->h.err == 0 && shown < ITEMS_SHOWN && ww_fields_next(&j, &t, &claim) == 1) {
		if (!is_about(claim, "reference", "reference"))
			continue;
		shown++;
		PICK(claim, members, m);
		ww_report_said(v, "; claimed reference, no place: ", &m[1], "");
		ww_report_said(v, " (", &m[0], ")");
	}
}

static void listed_cell(struct ww_report_view *v, struct ww_slice leg, struct ww_slice place,
			bool tables)
{
	static const struct ww_slice members[] = {
		WW_SLICE_LIT("region"),   WW_SLICE_LIT("table"), WW_SLICE_LIT("asOf"),
		WW_SLICE_LIT("operator"), WW_SLICE_LIT("in"),    WW_SLICE_LIT("impossible")};
	struct ww_json_token t, m[WW_ARRAY_SIZE(members)];
	const struct ww_json_token standing = ww_member_get(place, "region");
	struct ww_html *h = &v->h;
	unsigned lines = 0;
	struct ww_slice label;
	struct ww_json j;

	ww_html_open(h, "td");
	if (ww_report_array(place, "$.labels", &j)) {
		while (h->err == 0 && lines < ITEMS_SHOWN && ww_fields_next(&j, &t, &label) == 1) {
			PICK(label, members, m);
			if (!ww_member_has(&m[0]))
				continue;
			line_break(h, &lines);
			ww_report_said(v, "listed by ", &m[1], ": ");
			ww_report_value(v, "b", &m[0], WW_REPORT_TEXT);
			ww_report_said(v, ", of ", &m[2], "");
			ww_report_said(v, ", operator ", &m[3], "");
			ww_report_said(v, "; declared part of ", &m[4], "");
			if (m[5].type == WW_JSON_TRUE)
				ww_html_put(h, "span", "no",
					    " impossible: farther away than light allows");
		}
	}
	if (lines == 0)
		ww_html_put(h, "span", "none",
			    tables ? "listed in no table"
				   : "not known: no address tables were in force");
	if (ww_member_has(&standing)) {
		line_break(h, &lines);
		ww_html_str(h, "policy: ");
		ww_report_value(v, "span", &standing, WW_REPORT_TEXT);
	}
	lines++;
	claim_lines(v, leg, "edge", "endpoint", &lines);
	ww_html_close(h);
}

static void bound_lines(struct ww_report_view *v, struct ww_slice place, const char *path,
			const char *what, const char *unless, unsigned *lines)
{
	static const struct ww_slice members[] = {WW_SLICE_LIT("rttUs"), WW_SLICE_LIT("withinKm"),
						  WW_SLICE_LIT("withinKmOrdinaryFibre")};
	struct ww_json_token t, m[WW_ARRAY_SIZE(members)], area;
	struct ww_slice bound, text;
	bool first = true;
	struct ww_json j;

	if (ww_json_path(place, path, &t, &bound) != WW_PARSE_DONE || t.type != WW_JSON_OBJECT)
		return;
	PICK(bound, members, m);
	if (!ww_member_has(&m[1]))
		return;
	line_break(&v->h, lines);
	ww_html_str(&v->h, "measured: ");
	ww_report_said(v, "", &m[0], " us to ");
	ww_html_str(&v->h, what);
	ww_report_said(v, "; light allows at most ", &m[1], " km (hard bound)");
	ww_report_said(v, ", ", &m[2], " km assuming ordinary fibre");
	ww_html_str(&v->h, unless);
	if (!ww_report_array(bound, "$.excluded", &j))
		return;
	while (v->h.err == 0 && ww_fields_next(&j, &area, &text) == 1) {
		if (!ww_member_has(&area) || area.type != WW_JSON_STRING)
			continue;
		if (first)
			line_break(&v->h, lines);
		ww_html_str(&v->h, first ? "excluded under the hard bound: " : ", ");
		ww_report_value(v, "b", &area, WW_REPORT_TEXT);
		first = false;
	}
}

static void light_cell(struct ww_report_view *v, struct ww_slice place)
{
	const struct ww_json_token none = ww_member_get(place, "bounds.none");
	unsigned lines = 0;

	ww_html_open(&v->h, "td");
	bound_lines(v, place, "$.bounds.tcp", "whoever answered TCP",
		    ", unless its TCP acknowledges what has not arrived", &lines);
	bound_lines(v, place, "$.bounds.keyHolder", "the holder of the certificate's key", "",
		    &lines);
	if (lines == 0) {
		ww_html_put(&v->h, "span", "none", "no distance is bounded");
		ww_report_said(v, ": ", &none, "");
		if (ww_member_has(&none))
			meaning(v, WW_PATH_UNBOUND, &none);
	}
	ww_html_close(&v->h);
}

static void claims_cell(struct ww_report_view *v, struct ww_slice leg)
{
	unsigned lines = 0;

	ww_html_open(&v->h, "td");
	claim_lines(v, leg, "processing", "processing", &lines);
	if (lines == 0)
		ww_html_put(&v->h, "span", "none", "not known: nobody claimed anything");
	ww_html_close(&v->h);
}

static void law_cell(struct ww_report_view *v, struct ww_slice place)
{
	static const struct ww_slice members[] = {WW_SLICE_LIT("home"), WW_SLICE_LIT("operator"),
						  WW_SLICE_LIT("table")};
	struct ww_json_token t, m[WW_ARRAY_SIZE(members)];
	const struct ww_json_token standing = ww_member_get(place, "home");
	unsigned lines = 0;
	struct ww_slice label;
	struct ww_json j;

	ww_html_open(&v->h, "td");
	if (ww_report_array(place, "$.labels", &j)) {
		while (v->h.err == 0 && lines < ITEMS_SHOWN &&
		       ww_fields_next(&j, &t, &label) == 1) {
			PICK(label, members, m);
			if (!ww_member_has(&m[0]))
				continue;
			line_break(&v->h, &lines);
			ww_report_said(v, "declared of ", &m[1], ": ");
			ww_report_value(v, "b", &m[0], WW_REPORT_TEXT);
			ww_report_said(v, ", by ", &m[2], "");
		}
	}
	if (lines == 0)
		ww_html_put(&v->h, "span", "none", "not known: no home is declared");
	if (ww_member_has(&standing)) {
		unsigned more = 1;

		line_break(&v->h, &more);
		ww_html_str(&v->h, "policy: ");
		ww_report_value(v, "span", &standing, WW_REPORT_TEXT);
	}
	ww_html_close(&v->h);
}

static void findings_lines(struct ww_report_view *v, struct ww_slice leg)
{
	struct ww_json_token t;
	struct ww_slice text;
	unsigned lines = 1;
	struct ww_json j;

	if (!ww_report_array(leg, "$.findings", &j))
		return;
	while (v->h.err == 0 && lines < ITEMS_SHOWN && ww_fields_next(&j, &t, &text) == 1) {
		if (t.type != WW_JSON_STRING)
			continue;
		line_break(&v->h, &lines);
		ww_report_value(v, "b", &t, WW_REPORT_TEXT);
	}
}

static void leg_row(struct ww_report_view *v, struct ww_slice leg, bool tables)
{
	enum {
		SEQ,
		PURPOSE,
		CAUSE,
		OF,
		PEER,
		NAME,
		SNI,
		SENT,
		ACKED,
		HOW,
		OUTCOME,
		STATUS,
		GRADE,
		JOINED,
		BY,
		EXCHANGE,
		N
	};
	static const struct ww_slice members[N] = {
		[SEQ] = WW_SLICE_LIT("seq"),
		[PURPOSE] = WW_SLICE_LIT("purpose"),
		[CAUSE] = WW_SLICE_LIT("cause"),
		[OF] = WW_SLICE_LIT("of"),
		[PEER] = WW_SLICE_LIT("peer"),
		[NAME] = WW_SLICE_LIT("authority"),
		[SNI] = WW_SLICE_LIT("sni"),
		[SENT] = WW_SLICE_LIT("requestBytes"),
		[ACKED] = WW_SLICE_LIT("requestAckedBytes"),
		[HOW] = WW_SLICE_LIT("requestAcked"),
		[OUTCOME] = WW_SLICE_LIT("outcome"),
		[STATUS] = WW_SLICE_LIT("status"),
		[GRADE] = WW_SLICE_LIT("evidence"),
		[JOINED] = WW_SLICE_LIT("join"),
		[BY] = WW_SLICE_LIT("by"),
		[EXCHANGE] = WW_SLICE_LIT("exchange"),
	};
	struct ww_json_token m[N], t;
	struct ww_slice place = WW_SLICE_LIT("{}"), found;
	const struct ww_report_entry *e;
	struct ww_html *h = &v->h;

	pick(leg, members, N, m);
	if (ww_json_path(leg, "$.place", &t, &found) == WW_PARSE_DONE && t.type == WW_JSON_OBJECT)
		place = found;
	ww_html_open(h, "tr");
	ww_html_open(h, "th");
	ww_html_attr_str(h, "scope", "row");
	ww_report_value(v, "span", &m[SEQ], WW_REPORT_TEXT);
	ww_html_close(h);
	ww_html_open(h, "td");
	ww_report_value(v, "b", &m[PURPOSE], WW_REPORT_TEXT);
	ww_report_said(v, ", ", &m[CAUSE], "");
	ww_report_said(v, " of leg ", &m[OF], "");
	ww_report_said(v, ", to ", &m[PEER], "");
	ww_report_said(v, " (", ww_member_has(&m[NAME]) ? &m[NAME] : &m[SNI], ")");
	findings_lines(v, leg);
	ww_html_close(h);
	ww_html_open(h, "td");
	ww_report_value(v, "span", &m[ACKED], WW_REPORT_TEXT);
	ww_report_said(v, " of ", &m[SENT], " bytes acknowledged");
	ww_report_said(v, " (", &m[HOW], ")");
	ww_report_said(v, "; ", &m[OUTCOME], "");
	ww_report_said(v, ", status ", &m[STATUS], "");
	ww_report_said(v, "; ", &m[GRADE], "");
	ww_report_said(v, ", ", &m[JOINED], "");
	ww_report_said(v, " by ", &m[BY], "");
	e = ww_report_view_find(v, &m[EXCHANGE]);
	if (e) {
		ww_html_str(h, "; record ");
		ww_report_link(v, e->index);
	}
	references(v, leg);
	ww_html_close(h);
	listed_cell(v, leg, place, tables);
	light_cell(v, place);
	claims_cell(v, leg);
	law_cell(v, place);
	ww_html_close(h);
}

/* --- one path -----------------------------------------------------------------------------------
 */

static void legs_table(struct ww_report_view *v, struct ww_slice record)
{
	const struct ww_json_token in_force = ww_member_get(record, "tables");
	bool tables = ww_member_has(&in_force);
	static const char *const titles[] = {
		"Leg",
		"Why and to whom",
		"Disclosed",
		"Where TLS ended: listed and claimed",
		"Where TLS ended: measured",
		"Where data was processed: claimed",
		"Whose law reaches it: declared",
	};
	struct ww_json_token t;
	struct ww_slice leg;
	struct ww_json j;
	unsigned n = 0;

	if (!ww_report_array(record, "$.legs", &j))
		return;
	while (v->h.err == 0 && n < LEGS_SHOWN && ww_fields_next(&j, &t, &leg) == 1) {
		if (t.type != WW_JSON_OBJECT)
			continue;
		if (n++ == 0)
			ww_report_begin_table(v, "group", "Legs, in the order of their first byte",
					      titles, WW_ARRAY_SIZE(titles));
		leg_row(v, leg, tables);
	}
	if (n)
		ww_report_end_table(v);
	if (n == LEGS_SHOWN)
		ww_html_put(&v->h, "p", "note", "Further legs stand in the record.");
}

#define PARTS_MAX 10u

/* Items of an array of objects: our words around some of their members. */
struct item {
	const char *before;
	struct ww_slice member;
	const char *after;
};

static void items(struct ww_report_view *v, struct ww_slice record, const char *path,
		  const char *title, const struct item *parts, size_t count, enum ww_path_set set)
{
	struct ww_json_token t, m[PARTS_MAX];
	struct ww_slice members[PARTS_MAX], text;
	struct ww_json j;
	unsigned n = 0;

	count = count > PARTS_MAX ? PARTS_MAX : count;
	for (size_t i = 0; i < count; i++)
		members[i] = parts[i].member;
	if (!ww_report_array(record, path, &j))
		return;
	while (v->h.err == 0 && n < LEGS_SHOWN && ww_fields_next(&j, &t, &text) == 1) {
		if (t.type != WW_JSON_OBJECT)
			continue;
		if (n++ == 0) {
			ww_html_put(&v->h, "h4", NULL, title);
			ww_html_open(&v->h, "ul");
		}
		pick(text, members, count, m);
		ww_html_open(&v->h, "li");
		for (size_t i = 0; i < count; i++)
			ww_report_said(v, parts[i].before, &m[i], parts[i].after);
		if (set < WW_PATH_SETS)
			meaning(v, set, &m[0]);
		ww_html_close(&v->h);
	}
	if (n)
		ww_html_close(&v->h);
}

#define ITEM(before, member, after)                 \
	{                                           \
		before, WW_SLICE_LIT(member), after \
	}

static void horizon(struct ww_report_view *v, struct ww_slice record)
{
	static const struct item ends[] = {ITEM("", "ends", ""), ITEM(", leg ", "leg", "")};

	ww_html_open(&v->h, "p");
	ww_html_attr_str(&v->h, "class", "horizon");
	ww_html_str(&v->h, "Horizon: behind this line nothing is known");
	ww_html_close(&v->h);
	items(v, record, "$.horizon", "Where this host's sight ends", ends, WW_ARRAY_SIZE(ends),
	      WW_PATH_ENDS);
}

static void lists(struct ww_report_view *v, struct ww_slice record)
{
	static const struct item findings[] = {
		ITEM("", "finding", ""),
		ITEM(" on leg ", "leg", ""),
		ITEM(" on connection ", "flow", ""),
		ITEM(", listed region ", "region", ""),
		ITEM(", declared home ", "home", ""),
		ITEM(", fingerprints found again ", "shared", ""),
		ITEM(" of ", "of", ""),
		ITEM(", in the form ", "form", ""),
		ITEM(", attested region ", "attestedRegion", ""),
		ITEM(", by attestation ", "attestation", ""),
	};
	static const struct item opaque[] = {
		ITEM("", "why", ""),
		ITEM(", connection ", "flow", ""),
		ITEM(" to ", "peer", ""),
		ITEM(", bytes sent: ", "bytesSent", ""),
	};
	static const struct item attested[] = {
		ITEM("claimed and signed by ", "attester", ""),
		ITEM(", of leg ", "leg", ""),
		ITEM(": processed in ", "says.region", ""),
		ITEM(", by ", "says.operator", ""),
		ITEM(", service ", "says.service", ""),
		ITEM(", going by ", "says.basis", ""),
		ITEM(", signed at ", "attestedAt", ""),
		ITEM(", attestation ", "attestation", ""),
	};

	items(v, record, "$.findings", "Findings", findings, WW_ARRAY_SIZE(findings),
	      WW_PATH_FINDING);
	items(v, record, "$.opaque", "Connections of this process tree that could not be read",
	      opaque, WW_ARRAY_SIZE(opaque), WW_PATH_OPAQUE);
	items(v, record, "$.attested", "Attested from outside (E7), no part of what was seen here",
	      attested, WW_ARRAY_SIZE(attested), WW_PATH_SETS);
}

static void facts(struct ww_report_view *v, const struct ww_json_token *m)
{
	static const struct {
		const char *title;
		unsigned member;
		enum ww_report_how how;
	} rows[] = {
		{"Path", ID, WW_REPORT_TEXT},
		{"began", T, WW_REPORT_TEXT},
		{"agent", AGENT, WW_REPORT_TEXT},
		{"program", PROGRAM, WW_REPORT_TEXT},
		{"process", ACTOR, WW_REPORT_TEXT},
		{"process tree", ROOT, WW_REPORT_TEXT},
		{"scope", SCOPE, WW_REPORT_TEXT},
		{"trace", TRACE, WW_REPORT_TEXT},
		{"bytes of the prompt", BYTES, WW_REPORT_TEXT},
		{"its keyed digest", DIGEST, WW_REPORT_TEXT},
		{"evidence", EVIDENCE, WW_REPORT_TEXT},
		{"join", JOIN, WW_REPORT_TEXT},
		{"legs", LEGS_TOTAL, WW_REPORT_TEXT},
		{"unread connections", OPAQUE_TOTAL, WW_REPORT_TEXT},
		{"policy", POLICY, WW_REPORT_TEXT},
		{"tables", TABLES, WW_REPORT_TEXT},
		{"position of this host declared by", HOST, WW_REPORT_TEXT},
		{"within km", HOST_WITHIN, WW_REPORT_TEXT},
		{"window seen", KNOWN, WW_REPORT_YES},
		{"whole window seen", WHOLE, WW_REPORT_YES},
		{"events lost", LOST, WW_REPORT_TEXT},
		{"gaps", GAPS, WW_REPORT_TEXT},
		{"supersedes", SUPERSEDES, WW_REPORT_TEXT},
	};
	bool first = true;

	ww_html_open(&v->h, "p");
	ww_html_attr_str(&v->h, "class", "facts");
	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		if (!ww_member_has(&m[rows[i].member]))
			continue;
		ww_html_str(&v->h, first ? "" : " \xc2\xb7 ");
		ww_html_str(&v->h, rows[i].title);
		ww_html_str(&v->h, " ");
		ww_report_value(v, "span", &m[rows[i].member], rows[i].how);
		first = false;
	}
	ww_html_close(&v->h);
}

static void article(struct ww_report_view *v, const struct ww_report_entry *e)
{
	struct ww_json_token m[MEMBERS];
	struct ww_html *h = &v->h;
	struct ww_slice record;

	if (ww_report_view_read(e, &v->record, &record) < 0)
		return;
	pick(record, paths, MEMBERS, m);
	ww_html_open(h, "article");
	ww_html_attr_mark(h, "id", "y-", e->index);
	ww_html_open(h, "h3");
	ww_report_index(h, NULL, e->index);
	ww_report_said(v, " ", &m[VERDICT], "");
	ww_report_said(v, " ", &m[REASON], "");
	ww_report_said(v, " \xc2\xb7 ", ww_member_has(&m[AGENT]) ? &m[AGENT] : &m[PROGRAM], "");
	ww_html_close(h);
	if (ww_path_word(WW_PATH_VERDICT, &m[VERDICT]))
		ww_html_put(h, "p", NULL, ww_path_word(WW_PATH_VERDICT, &m[VERDICT])->meaning);
	if (ww_path_word(WW_PATH_REASON, &m[REASON]))
		ww_html_put(h, "p", NULL, ww_path_word(WW_PATH_REASON, &m[REASON])->meaning);
	if (ww_member_has(&m[SUMMARY]))
		ww_report_value(v, "p", &m[SUMMARY], WW_REPORT_WHOLE);
	facts(v, m);
	legs_table(v, record);
	horizon(v, record);
	ww_report_html_map(v, e->index, record);
	lists(v, record);
	ww_html_open(h, "p");
	ww_html_attr_str(h, "class", "evidence");
	ww_html_str(h, "Rests on: record ");
	ww_report_link(v, e->index);
	ww_html_close(h);
	ww_html_close(h);
}

/* --- all of them --------------------------------------------------------------------------------
 */

void ww_report_html_paths(struct ww_report_view *v)
{
	const struct ww_slice section = v->s->sections.paths;
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;

	if (section.n == 0)
		return;
	ww_report_section(v, "paths", "Where prompts went");
	ww_html_put(&v->h, "p", NULL,
		    "Each path is one prompt and every leg that was seen to carry it, up to the "
		    "horizon of this host. What tables list, what light allows, what somebody "
		    "claimed and whose law was declared are different things and stand in columns "
		    "of their own.");
	ww_report_html_path_summary(v);
	if (ww_report_array(section, "$.list", &j)) {
		while (v->h.err == 0 && ww_fields_next(&j, &t, &text) == 1) {
			const struct ww_report_entry *e =
				ww_report_view_at(v, ww_member_u64(&t, UINT64_MAX));

			if (e && !e->withheld && ww_slice_eq_str(e->kind, "path"))
				article(v, e);
		}
	}
	ww_html_close(&v->h);
}

const char *ww_report_html_path_style(void)
{
	return ".horizon{border-top:3px double var(--ink);max-width:none;padding-top:.3rem;"
	       "font-weight:600}"
	       "h4{font-size:.95rem;margin:1em 0 .3em}";
}
