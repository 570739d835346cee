/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness ls [KIND]: the ledger's records as a table, or as the stream's lines. */
#include <errno.h>
#include <stdio.h>

#include <wirewitness/stream.h>

#include "base/log.h"
#include "cmd.h"
#include "out/line.h"
#include "out/listing.h"
#include "out/printable.h"
#include "out/template.h"
#include "records.h"
#include "terminal.h"

#define NEWEST_MAX     1000000u /* of -n: kept as indexes */
#define CELL_BYTES_MAX 8192u

struct ls {
	const char *state_dir;
	bool json;
	struct ww_records_query query;
	const struct ww_listing *listing; /* NULL: all kinds, as lines */
	bool colour;
	struct ww_table *table;
	uint64_t found;
	int error;
};

static void take_kind(struct ls *l, struct argp_state *state, const char *arg)
{
	char words[256] = "";

	l->listing = ww_listing_find(ww_slice_str(arg));
	if (l->listing) {
		l->query.kind = l->listing->kind;
		return;
	}
	for (unsigned i = 0; ww_listing_at(i); i++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), " %s",
			 ww_listing_at(i)->word);
	argp_error(state, "nothing is called '%s'; there are:%s", arg, words);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ls *l = state->input;

	switch (key) {
	case 'd':
		l->state_dir = arg;
		return 0;
	case 'o':
		l->json = ww_records_json_option(state, arg);
		return 0;
	case 'S':
		ww_records_moment_option(state, "since", arg, &l->query.since);
		return 0;
	case 'f':
		ww_records_filter_option(state, arg, &l->query.filter);
		return 0;
	case 'n':
		if (ww_slice_u64(ww_slice_str(arg), &l->query.newest) < 0 || l->query.newest == 0 ||
		    l->query.newest > NEWEST_MAX)
			argp_error(state, "-n: expected a number from 1 to %u, got '%s'",
				   NEWEST_MAX, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (l->listing)
			argp_error(state, "one kind at a time: unexpected '%s'", arg);
		take_kind(l, state, arg);
		return 0;
	case ARGP_KEY_END:
		ww_records_filter_check(state, &l->query.filter, l->query.kind);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 0},
	{"output", 'o', "FORMAT", 0, "text (default) or json: a stream line per record", 0},
	{"since", 'S', "WHEN", 0, "what comes after " WW_MOMENT_FORMS, 0},
	{"filter", 'f', "TERMS", 0, "only records that fit, e.g. 'verdict=NO_ACTION tool=refund*'",
	 0},
	{"newest", 'n', "COUNT", 0, "only the last so many", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"[flows|lookups|exchanges|models|mcp|spans|actions|verdicts|paths|crossings|guard|actors|"
	"coverage|losses|findings|life|rotations|prunes|reports]",
	"Lists records of the ledger, oldest first; without a kind all of "
	"them, a line each.",
	NULL,
	NULL,
	NULL};

static bool write_stream_line(struct ls *l, uint64_t index, struct ww_slice json)
{
	WW_AUTO_BUF struct ww_buf line;

	ww_buf_init(&line, WW_STREAM_LINE_BYTES_MAX);
	l->error = ww_records_stream_line(index, json, &line);
	return l->error == 0 && ww_terminal_line(ww_buf_slice(&line));
}

static bool write_text_line(struct ls *l, uint64_t index, struct ww_slice json)
{
	WW_AUTO_BUF struct ww_buf line;
	char head[32];
	int n = snprintf(head, sizeof(head), "%8llu  ", (unsigned long long)index);

	ww_buf_init(&line, WW_LINE_BYTES_MAX + sizeof(head));
	l->error = ww_buf_add(&line, head, (size_t)n);
	if (l->error == 0)
		l->error =
			ww_line_add(json, WW_LINE_DATED | (l->colour ? WW_LINE_COLOUR : 0), &line);
	return l->error == 0 && ww_terminal_line(ww_buf_slice(&line));
}

static int add_cells(struct ls *l, uint64_t index, struct ww_slice json)
{
	WW_AUTO_BUF struct ww_buf cell;
	char number[24];
	int r;

	ww_buf_init(&cell, CELL_BYTES_MAX);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)index);
	r = ww_table_cell(l->table, ww_slice_str(number), "");
	for (unsigned i = 0; r == 0 && l->listing->columns[i].title; i++) {
		ww_buf_clear(&cell);
		r = ww_template_render(l->listing->cells[i], json, false, &cell);
		if (r == 0 || r == -EMSGSIZE) /* what fits is shown */
			r = ww_table_cell(l->table, ww_buf_slice(&cell),
					  l->colour ? ww_template_tone(ww_buf_slice(&cell)) : "");
	}
	return r;
}

static bool take(void *ctx, uint64_t index, struct ww_slice json)
{
	struct ls *l = ctx;

	l->found++;
	if (l->json)
		return write_stream_line(l, index, json);
	if (!l->listing)
		return write_text_line(l, index, json);
	l->error = add_cells(l, index, json);
	return l->error == 0 && !ferror(stdout);
}

static void write_out(void *ctx, struct ww_slice lines)
{
	fwrite(lines.p, 1, lines.n, stdout);
}

/* On standard error: what is listed is not all that was. */
static void say_withheld(struct ww_records *records)
{
	WW_AUTO_BUF struct ww_buf why;

	ww_buf_init(&why, 256);
	if (records->withheld == 0 || ww_records_withheld(records, records->withheld_at, &why) < 0)
		return;
	fprintf(stderr, "wirewitness: %llu more without content, the last one %.*s\n",
		(unsigned long long)records->withheld, (int)why.n, (const char *)why.p);
}

/* A ledger that does not reach to the cursor is another one: to list nothing would hide that. */
static int check_cursor(const struct ls *l, const struct ww_records *records)
{
	uint64_t size = ww_ledger_reader_head(records->reader)->size;

	if (l->query.since.what != WW_MOMENT_CURSOR || l->query.since.cursor < size)
		return 0;
	ww_log(WW_LOG_ERR,
	       "the ledger has %llu records, none with the cursor %llu: it is another one",
	       (unsigned long long)size, (unsigned long long)l->query.since.cursor);
	return -ESTALE;
}

static int list(struct ls *l)
{
	WW_AUTO(ww_table_free_auto) struct ww_table *table = NULL;
	struct ww_table_column columns[WW_LISTING_COLUMNS_MAX + 1] = {{"INDEX", 0, true}};
	WW_AUTO(ww_records_close) struct ww_records records = {.reader = NULL};
	unsigned count = 1;
	int r = ww_records_open(l->state_dir, &records);

	if (r == 0)
		r = check_cursor(l, &records);
	if (r < 0)
		return r;
	if (l->listing && !l->json) {
		for (; l->listing->columns[count - 1].title; count++)
			columns[count] = l->listing->columns[count - 1];
		r = ww_table_new(columns, count, ww_terminal_width(), write_out, NULL, &table);
		if (r < 0)
			return ww_log_err_r(r, "cannot list");
		l->table = table;
	}
	r = ww_records_each(&records, &l->query, take, l);
	if (r == 0 && table && l->found > 0 && l->error == 0)
		l->error = ww_table_end(table);
	if (r == 0)
		say_withheld(&records);
	return r < 0 ? r : l->error;
}

int ww_cmd_ls(int argc, char **argv)
{
	struct ls l = {.state_dir = WW_STATE_DIR};

	if (argp_parse(&argp, argc, argv, 0, NULL, &l) != 0)
		return WW_EXIT_USAGE;
	l.colour = !l.json && ww_terminal_colour();
	ww_terminal_end_on_signals();
	if (list(&l) < 0)
		return WW_EXIT_UNABLE;
	if (l.found == 0 && !l.json)
		ww_log(WW_LOG_INFO, "nothing found");
	return l.found > 0 ? 0 : WW_EXIT_NO;
}
