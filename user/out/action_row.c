/* SPDX-License-Identifier: Apache-2.0 */
#include "out/action_row.h"

#include <errno.h>

#include <wirewitness/limits.h>

#include "out/line.h"
#include "out/member.h"
#include "out/printable.h"
#include "out/template.h"

#define TEXT_BYTES_MAX 8192u

enum { PROGRAM = 6 };

const struct ww_table_column ww_action_row_columns[WW_ACTION_ROW_COLUMNS] = {
	{"TIME (UTC)", 0, false}, {"VERDICT", 0, false}, {"SAID", 24, false},
	{"SPAN", 0, false},       {"WIRE", 40, false},   {"ATTESTED", 40, false},
	{"PROGRAM", 16, false},   {"TOOL", 32, false},   {"JOIN", 0, false},
	{"TIER", 0, false},       {"REASON", 0, false},  {"TO", 32, false},
	{"ID", 0, false},
};

static const char *const cells[WW_ACTION_ROW_COLUMNS] = {
	"{&t}",
	"{verdict}",
	WW_LINE_SAID,
	WW_LINE_SPAN,
	WW_LINE_WIRE,
	"[" WW_LINE_ATTESTED "]",
	"{actor}",
	"{tool}[ control {control.name}]",
	"{join}[ n={n}]",
	"{tier}/{evidence}",
	"[{reason}]",
	"[{wire.destination|wire.peer|wire.undecoded.destination|wire.undecoded.peer}]",
	"{id}",
};

int ww_action_row_cell(const struct ww_action_row *row, unsigned column, struct ww_buf *out)
{
	int r;

	if (column >= WW_ACTION_ROW_COLUMNS)
		return 0;
	if (column == PROGRAM && row->program.n)
		return ww_printable_add(out, row->program);
	r = ww_template_render(cells[column], row->verdict, false, out);
	if (r == 0 && column == 1 && row->superseded)
		r = ww_buf_add(out, " (superseded)", 13);
	return r;
}

static void write_text(struct ww_jsonw *w, const char *key, const char *pattern,
		       struct ww_slice record)
{
	WW_AUTO_BUF struct ww_buf text = {0};

	ww_buf_init(&text, TEXT_BYTES_MAX);
	if (ww_template_render(pattern, record, false, &text) == -ENOMEM)
		w->err = -ENOMEM; /* what fits is shown */
	ww_jsonw_put_str(w, ww_jsonw_name(key), ww_buf_slice(&text));
}

/* In the order in which they stand in the row. */
static const struct {
	const char *key;
	struct ww_slice path; /* in the record */
} members[] = {
	{"id", WW_SLICE_LIT("id")},
	{"action", WW_SLICE_LIT("action")},
	{"t", WW_SLICE_LIT("t")},
	{"verdict", WW_SLICE_LIT("verdict")},
	{"reason", WW_SLICE_LIT("reason")},
	{"evidence", WW_SLICE_LIT("evidence")},
	{"tier", WW_SLICE_LIT("tier")},
	{"join", WW_SLICE_LIT("join")},
	{"by", WW_SLICE_LIT("by")},
	{"n", WW_SLICE_LIT("n")},
	{"tool", WW_SLICE_LIT("tool")},
	{"toolCallId", WW_SLICE_LIT("toolCallId")},
	{"actor", WW_SLICE_LIT("actor")},
	{"root", WW_SLICE_LIT("root")},
	{"cgroup", WW_SLICE_LIT("cgroup")},
	{"engine", WW_SLICE_LIT("engine")},
	{"control", WW_SLICE_LIT("control.name")},
	{"status", WW_SLICE_LIT("wire.status")},
	{"destination", WW_SLICE_LIT("wire.destination")},
	{"peer", WW_SLICE_LIT("wire.peer")},
	{"wholeWindow", WW_SLICE_LIT("coverage.wholeWindow")},
	{"lostEvents", WW_SLICE_LIT("coverage.lostEvents")},
	{"supersedes", WW_SLICE_LIT("supersedes")},
	{"summary", WW_SLICE_LIT("summary")},
};

static void write_row(const struct ww_action_row *row, const struct ww_json_token *v,
		      struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "v", WW_ACTION_ROW_VERSION);
	ww_jsonw_u64(w, "cursor", row->index);
	for (size_t i = 0; i < WW_ARRAY_SIZE(members); i++)
		ww_member_write(w, members[i].key, &v[i]);
	if (row->program.n)
		ww_jsonw_str(w, "program", row->program);
	else
		ww_jsonw_null(w, "program");
	write_text(w, "said", WW_LINE_SAID, row->verdict);
	write_text(w, "span", "{span.status}", row->verdict);
	write_text(w, "wire", WW_LINE_WIRE, row->verdict);
	write_text(w, "attested", "[" WW_LINE_ATTESTED "]", row->verdict);
	ww_jsonw_bool(w, "superseded", row->superseded);
	ww_jsonw_end_object(w);
}

int ww_action_row_json(const struct ww_action_row *row, struct ww_buf *out)
{
	struct ww_slice paths[WW_ARRAY_SIZE(members)];
	struct ww_json_token v[WW_ARRAY_SIZE(members)];
	WW_AUTO_BUF struct ww_buf line = {0};
	struct ww_jsonw w;

	for (size_t i = 0; i < WW_ARRAY_SIZE(members); i++)
		paths[i] = members[i].path;
	if (!ww_member_pick(row->verdict, paths, WW_ARRAY_SIZE(members), v))
		return -EINVAL;
	ww_buf_init(&line, 2 * WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &line);
	write_row(row, v, &w);
	return ww_jsonw_ok(&w) ? ww_printable_json(out, ww_buf_slice(&line)) : w.err;
}
