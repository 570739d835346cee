/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was done on this host, of a verdict on a declared program or file: in its row, and in its
 * article deed by deed, each with a link to the record of it.
 */
#include "ledger/fields.h"
#include "out/report_html_view.h"

enum { ID, T, PROGRAM, TEMPLATE, END, CODE, SIGNAL, MEMBERS };

static const struct ww_slice paths[MEMBERS] = {
	[ID] = WW_SLICE_LIT("id"),           [T] = WW_SLICE_LIT("t"),
	[PROGRAM] = WW_SLICE_LIT("program"), [TEMPLATE] = WW_SLICE_LIT("file"),
	[END] = WW_SLICE_LIT("end"),         [CODE] = WW_SLICE_LIT("exitCode"),
	[SIGNAL] = WW_SLICE_LIT("signal"),
};

enum { SOUGHT, DECIDES, TOTAL, CONTESTED, ALL_MEMBERS };

static const struct ww_slice all_paths[ALL_MEMBERS] = {
	[SOUGHT] = WW_SLICE_LIT("local.sought"),
	[DECIDES] = WW_SLICE_LIT("local.decides"),
	[TOTAL] = WW_SLICE_LIT("local.total"),
	[CONTESTED] = WW_SLICE_LIT("local.contested"),
};

/* "exited with 1", "modified, closed" */
static void put_outcome(struct ww_report_view *v, struct ww_slice deed,
			const struct ww_json_token *m)
{
	const char *before = "";
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;

	ww_report_said(v, "", &m[END], "");
	ww_report_said(v, " with ", &m[CODE], "");
	ww_report_said(v, " by signal ", &m[SIGNAL], "");
	if (!ww_report_array(deed, "$.what", &j))
		return;
	while (v->h.err == 0 && ww_fields_next(&j, &t, &text) == 1) {
		ww_report_said(v, before, &t, "");
		before = ", ";
	}
}

static const struct ww_json_token *name_of(const struct ww_json_token *m)
{
	return &m[ww_member_has(&m[PROGRAM]) ? PROGRAM : TEMPLATE];
}

static bool same_text(const struct ww_json_token *a, const struct ww_json_token *b)
{
	return ww_member_has(a) && ww_member_has(b) && a->type == WW_JSON_STRING &&
	       b->type == WW_JSON_STRING && a->escaped == b->escaped && ww_slice_eq(a->raw, b->raw);
}

/* The deed that decides; false: none does, or it is not listed. */
static bool put_deciding(struct ww_report_view *v, struct ww_slice verdict,
			 const struct ww_json_token *decides)
{
	struct ww_json_token t, m[MEMBERS];
	struct ww_slice deed;
	struct ww_json j;

	if (!ww_report_array(verdict, "$.local.deeds", &j))
		return false;
	while (ww_fields_next(&j, &t, &deed) == 1) {
		ww_member_pick(deed, paths, MEMBERS, m);
		if (!same_text(&m[ID], decides))
			continue;
		ww_report_value(v, "span", name_of(m), WW_REPORT_TEXT);
		ww_html_str(&v->h, " ");
		put_outcome(v, deed, m);
		return true;
	}
	return false;
}

bool ww_report_html_local(struct ww_report_view *v, struct ww_slice verdict)
{
	struct ww_json_token m[ALL_MEMBERS];
	uint64_t total;
	bool decided;

	ww_member_pick(verdict, all_paths, ALL_MEMBERS, m);
	if (!ww_member_has(&m[TOTAL]))
		return false;
	total = ww_member_u64(&m[TOTAL], UINT64_MAX);
	decided = put_deciding(v, verdict, &m[DECIDES]);
	if (total > decided)
		ww_report_said(v, decided ? ", deeds on this host: " : "deeds on this host: ",
			       &m[TOTAL], "");
	else if (decided)
		; /* the only one */
	else if (ww_member_u64(&m[CONTESTED], 0) > 0)
		ww_report_said(
			v, "deeds on this host that others may mean as well: ", &m[CONTESTED], "");
	else if (ww_member_has(&m[SOUGHT]))
		ww_report_said(v, "no ", &m[SOUGHT], " found");
	else
		ww_html_put(&v->h, "span", "none", "nothing seen");
	return true;
}

/* To the record of a deed, or the deed's id where that is not listed. */
static void put_record(struct ww_report_view *v, const struct ww_json_token *id)
{
	const struct ww_report_entry *e = ww_report_view_find(v, id);

	ww_html_open(&v->h, "td");
	if (e)
		ww_report_link(v, e->index);
	else
		ww_report_value(v, "span", id, WW_REPORT_TEXT);
	ww_html_close(&v->h);
}

static void put_deed(struct ww_report_view *v, struct ww_slice deed,
		     const struct ww_json_token *decides)
{
	struct ww_json_token m[MEMBERS];

	ww_member_pick(deed, paths, MEMBERS, m);
	ww_html_open(&v->h, "tr");
	ww_html_open(&v->h, "th");
	ww_html_attr_str(&v->h, "scope", "row");
	ww_report_value(v, "span", &m[T], WW_REPORT_TIME);
	ww_html_close(&v->h);
	ww_report_value(v, "td", name_of(m), WW_REPORT_TEXT);
	ww_html_open(&v->h, "td");
	put_outcome(v, deed, m);
	ww_html_close(&v->h);
	ww_html_put(&v->h, "td", NULL, same_text(&m[ID], decides) ? "decides" : "");
	put_record(v, &m[ID]);
	ww_html_close(&v->h);
}

void ww_report_html_deeds(struct ww_report_view *v, struct ww_slice verdict)
{
	static const char *const titles[] = {"Time (UTC)", "Program or file", "What was seen of it",
					     "The verdict", "Record"};
	const struct ww_json_token decides = ww_member_get(verdict, "local.decides");
	struct ww_json_token t;
	struct ww_slice deed;
	struct ww_json j;
	bool any = false;

	if (!ww_report_array(verdict, "$.local.deeds", &j))
		return;
	while (v->h.err == 0 && ww_fields_next(&j, &t, &deed) == 1) {
		if (!any)
			ww_report_begin_table(v, "group", "Done on this host", titles,
					      WW_ARRAY_SIZE(titles));
		any = true;
		put_deed(v, deed, &decides);
	}
	if (any)
		ww_report_end_table(v);
}
