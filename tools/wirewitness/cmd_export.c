/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness export: the records that a report would list, as lines of the stream or as a table.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <wirewitness/stream.h>

#include "base/log.h"
#include "cmd.h"
#include "out/export.h"
#include "out/listing.h"
#include "selection.h"

struct export
{
	const char *state_dir, *file, *kind;
	bool csv, has_format, force;
	struct ww_criteria criteria;
	struct ww_selection_options options;
	struct ww_records records;
	struct ww_selection selection;
	FILE *out;
};

enum { OPT_FORMAT = 0x200, OPT_KIND };

static const struct argp_option argp_options[] = {
	{"format", OPT_FORMAT, "csv|jsonl", 0, "a table, or the lines of the stream", 2},
	{"output", 'O', "FILE", 0, "where it goes (default: standard output)", 2},
	{"kind", OPT_KIND, "KIND", 0, "only records of this kind (csv: verdict when not given)", 2},
	{"complete", 'c', NULL, 0, "every record of the period, not only what verdicts rest on", 2},
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 2},
	{"force", 'x', NULL, 0, "overwrite an existing file", 2},
	{0},
};

static void check(struct export *x, struct argp_state *state)
{
	const struct ww_listing *listing;

	ww_criteria_check(&x->criteria, state);
	if (!x->has_format)
		argp_error(state, "--format csv or --format jsonl is missing");
	if (x->csv && !x->kind)
		x->kind = "verdict";
	listing = x->kind ? ww_listing_find(ww_slice_str(x->kind)) : NULL;
	if (listing) /* the word of ls */
		x->kind = listing->kind;
	if (x->kind && !ww_export_kind_ok(x->kind))
		argp_error(state, "--kind: no record is called '%s'", x->kind);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct export *x = state->input;

	switch (key) {
	case OPT_FORMAT:
		if (strcmp(arg, "csv") != 0 && strcmp(arg, "jsonl") != 0)
			argp_error(state, "--format: expected csv or jsonl, got '%s'", arg);
		x->csv = strcmp(arg, "csv") == 0;
		x->has_format = true;
		return 0;
	case 'O':
		x->file = arg;
		return 0;
	case OPT_KIND:
		x->kind = arg;
		return 0;
	case 'c':
		x->options.complete = true;
		return 0;
	case 'd':
		x->state_dir = arg;
		return 0;
	case 'x':
		x->force = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &x->criteria;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		check(x, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child argp_children[] = {{&ww_criteria_argp, 0, NULL, 1}, {0}};

static const struct argp argp = {
	argp_options,
	parse,
	"--format csv|jsonl",
	"Writes the records that a report over the same selection lists. Nothing of it is signed: "
	"for evidence, make a report.",
	argp_children,
	NULL,
	NULL};

static int open_output(struct export *x)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (x->force ? O_TRUNC : O_EXCL);
	WW_AUTO_FD int fd = -1;

	if (!x->file) {
		x->out = stdout;
		return 0;
	}
	fd = open(x->file, flags, 0644);
	if (fd < 0 && errno == EEXIST) {
		ww_log(WW_LOG_ERR, "%s exists; --force overwrites it", x->file);
		return -EEXIST;
	}
	if (fd < 0)
		return ww_log_err_r(-errno, "cannot write %s", x->file);
	x->out = fdopen(fd, "w");
	if (!x->out)
		return ww_log_err_r(-errno, "cannot write %s", x->file);
	(void)WW_TAKE_FD(fd); /* the stream's */
	return 0;
}

static int close_output(struct export *x)
{
	int r = 0;

	if (!x->out)
		return 0;
	if (fflush(x->out) != 0 || ferror(x->out) || (x->file && fsync(fileno(x->out)) < 0))
		r = ww_log_err_r(errno ? -errno : -EIO, "cannot write the export");
	if (x->file)
		(void)fclose(x->out); /* flushed above */
	return r;
}

static bool is_kind(const struct export *x, struct ww_slice json)
{
	struct ww_json_token v;

	if (!x->kind)
		return true;
	v = ww_member_get(json, "kind");
	return ww_member_has(&v) && ww_json_is(&v, x->kind);
}

static int write_record(struct export *x, uint64_t index, struct ww_buf *line)
{
	struct ww_slice json;
	int r = ww_records_get(&x->records, index, &json);

	if (r == -ENOENT || (r == 0 && !is_kind(x, json)))
		return 0;
	ww_buf_clear(line);
	if (r == 0 && x->csv)
		r = ww_export_row(x->kind, index, json, line);
	else if (r == 0)
		r = ww_records_stream_line(index, json, line);
	if (r == 0 && !x->csv)
		r = ww_buf_add(line, "\n", 1);
	if (r < 0)
		return ww_log_err_r(r, "cannot export record %llu", (unsigned long long)index);
	fwrite(line->p, 1, line->n, x->out); /* checked at the end */
	return 0;
}

static int write_all(struct export *x)
{
	WW_AUTO_BUF struct ww_buf line = {0};
	int r = 0;

	ww_buf_init(&line, 4 * WW_STREAM_LINE_BYTES_MAX);
	if (x->csv) {
		r = ww_export_titles(x->kind, &line);
		if (r < 0)
			return ww_log_err_r(r, "cannot export");
		fwrite(line.p, 1, line.n, x->out);
	}
	for (size_t i = 0; r == 0 && i < x->selection.count; i++)
		r = write_record(x, x->selection.indexes[i], &line);
	return r;
}

static int make(struct export *x)
{
	int r = ww_records_open(x->state_dir, &x->records), closed;

	if (r == 0)
		r = ww_criteria_resolve(&x->criteria, &x->records);
	if (r == 0)
		r = ww_selection_make(&x->records, &x->criteria, &x->options, &x->selection);
	if (r == 0 && x->selection.count == 0) {
		ww_log(WW_LOG_ERR, "nothing to export in this period");
		return -ENODATA;
	}
	if (r == 0)
		r = open_output(x);
	if (r == 0)
		r = write_all(x);
	if (r == 0 && x->selection.erased)
		ww_log(WW_LOG_INFO, "%llu more without content (pruned or erased)",
		       (unsigned long long)x->selection.erased);
	closed = close_output(x);
	return r < 0 ? r : closed;
}

int ww_cmd_export(int argc, char **argv)
{
	struct export x = {.state_dir = WW_STATE_DIR};
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &x) != 0)
		return WW_EXIT_USAGE;
	r = make(&x);
	ww_selection_done(&x.selection);
	ww_criteria_done(&x.criteria);
	ww_records_close(&x.records);
	if (r == 0)
		return 0;
	return r == -ENODATA || r == -EEXIST ? WW_EXIT_NO : WW_EXIT_UNABLE;
}
