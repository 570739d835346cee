/* SPDX-License-Identifier: Apache-2.0 */
#include "out/action_row.h"

#include <errno.h>

#include <wirewitness/limits.h>

#include "out/line.h"
#include "out/member.h"
#include "out/printable.h"
#include "out/template.h"

#define TEXT_BYTES_MAX 8192u

enum { PROGRAM = 5 };

const struct ww_table_column ww_action_row_columns[WW_ACTION_ROW_COLUMNS] = {
	{"TIME (UTC)", 0, false}, {"VERDICT", 0, false},  {"SAID", 24, false}, {"SPAN", 0, false},
	{"WIRE", 40, false},      {"PROGRAM", 16, false}, {"TOOL", 32, false}, {"JOIN", 0, false},
	{"TIER", 0, false},       {"REASON", 0, false},   {"TO", 32, false},   {"ID", 0, false},
};

static const char *const cells[WW_ACTION_ROW_COLUMNS] = {
	"{&t}",
	"{verdict}",
	WW_LINE_SAID,
	WW_LINE_SPAN,
	WW_LINE_WIRE,
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

static void write_row(const struct ww_action_row *row, const struct ww_json_token *v,
		      const char *const *keys, unsigned count, struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "v", WW_ACTION_ROW_VERSION);
	ww_jsonw_u64(w, "cursor", row->index);
	for (unsigned i = 0; i < count; i++) {
		const char *dot = strrchr(keys[i], '.');
		bool control = strcmp(keys[i], "control.name") == 0;

		ww_member_write(w, control ? "control" : dot ? dot + 1 : keys[i], &v[i]);
	}
	if (row->program.n)
		ww_jsonw_str(w, "program", row->program);
	else
		ww_jsonw_null(w, "program");
	write_text(w, "said", WW_LINE_SAID, row->verdict);
	write_text(w, "span", "{span.status}", row->verdict);
	write_text(w, "wire", WW_LINE_WIRE, row->verdict);
	ww_jsonw_bool(w, "superseded", row->superseded);
	ww_jsonw_end_object(w);
}

int ww_action_row_json(const struct ww_action_row *row, struct ww_buf *out)
{
	/* In the order in which they stand in the row, by the last part of their paths. */
	static const char *const keys[] = {
		"id",
		"action",
		"t",
		"verdict",
		"reason",
		"evidence",
		"tier",
		"join",
		"by",
		"n",
		"tool",
		"toolCallId",
		"actor",
		"root",
		"cgroup",
		"engine",
		"control.name",
		"wire.status",
		"wire.destination",
		"wire.peer",
		"coverage.wholeWindow",
		"coverage.lostEvents",
		"supersedes",
		"summary",
	};
	struct ww_slice paths[WW_ARRAY_SIZE(keys)];
	struct ww_json_token v[WW_ARRAY_SIZE(keys)];
	WW_AUTO_BUF struct ww_buf line = {0};
	struct ww_jsonw w;

	for (size_t i = 0; i < WW_ARRAY_SIZE(keys); i++)
		paths[i] = ww_slice_str(keys[i]);
	if (!ww_member_pick(row->verdict, paths, WW_ARRAY_SIZE(keys), v))
		return -EINVAL;
	ww_buf_init(&line, 2 * WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &line);
	write_row(row, v, keys, WW_ARRAY_SIZE(keys), &w);
	return ww_jsonw_ok(&w) ? ww_printable_json(out, ww_buf_slice(&line)) : w.err;
}
