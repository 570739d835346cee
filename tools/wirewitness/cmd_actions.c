/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness actions: what was said, what the span says, what the wire shows, and the verdict. */
#include <errno.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/log.h"
#include "cmd.h"
#include "criteria.h"
#include "out/action_row.h"
#include "out/template.h"
#include "programs.h"
#include "sight.h"
#include "terminal.h"

#define NEWEST_MAX     1000000u
#define CELL_BYTES_MAX 8192u
#define ROW_BYTES_MAX  (WW_ACTION_ROW_COLUMNS * CELL_BYTES_MAX + 4 * WW_RECORD_BYTES_MAX)
#define KEY_BYTES_MAX  48u /* of a sort key: what differs later is in the ledger's order */

enum { OPT_SORT = 0x200 };

/* A row to be shown later: what it shows is in the file, so that no record is read twice, which out
 * of order would be slow. */
struct place {
	uint64_t at;
	uint32_t bytes;
	uint32_t nth;
	char key[KEY_BYTES_MAX];
};

struct actions {
	const char *state_dir, *socket_path;
	bool json, all, reverse, colour;
	const char *sort; /* path of a member; NULL: the ledger's order */
	uint64_t newest;
	struct ww_criteria criteria;
	struct ww_records records;
	struct ww_programs programs;
	struct ww_table *table;
	FILE *kept; /* NULL: rows are shown as they are found */
	uint64_t kept_bytes;
	struct place *places;
	size_t count, cap;
	uint64_t found;
	int error;
};

/* --- options ------------------------------------------------------------------------------------
 */

static const struct argp_option argp_options[] = {
	{"output", 'o', "FORMAT", 0, "text (default) or json: an object per action", 2},
	{"newest", 'n', "COUNT", 0, "only the last so many", 2},
	{"all", 'a', NULL, 0, "superseded verdicts too, not only the newest of each action", 2},
	{"sort", OPT_SORT, "COLUMN", 0,
	 "by time, verdict, tool, actor, join, evidence or reason; default: as they were made", 2},
	{"reverse", 'r', NULL, 0, "the other way round", 2},
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 2},
	{"socket", 's', "PATH", 0, "ask the daemon at this control socket instead", 2},
	{0},
};

static const char *sort_path(struct argp_state *state, const char *word)
{
	static const char *const words[] = {"time", "verdict",  "tool",  "actor",
					    "join", "evidence", "reason"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i]) == 0)
			return i == 0 ? "t" : words[i];
	}
	argp_error(state, "--sort: there is no column '%s'", word);
	return NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct actions *a = state->input;

	switch (key) {
	case 'o':
		a->json = ww_records_json_option(state, arg);
		return 0;
	case 'n':
		if (ww_slice_u64(ww_slice_str(arg), &a->newest) < 0 || a->newest == 0 ||
		    a->newest > NEWEST_MAX)
			argp_error(state, "-n: expected a number from 1 to %u, got '%s'",
				   NEWEST_MAX, arg);
		return 0;
	case 'a':
		a->all = true;
		return 0;
	case OPT_SORT:
		a->sort = sort_path(state, arg);
		return 0;
	case 'r':
		a->reverse = true;
		return 0;
	case 'd':
		a->state_dir = arg;
		return 0;
	case 's':
		a->socket_path = arg;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->criteria;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		ww_criteria_check(&a->criteria, state);
		if (a->state_dir && a->socket_path)
			argp_error(state, "--state and --socket exclude each other");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child argp_children[] = {{&ww_criteria_argp, 0, NULL, 1}, {0}};

static const struct argp argp = {argp_options,
				 parse,
				 NULL,
				 "Lists actions: what was claimed, what the tool span says, what "
				 "the wire shows, and the newest "
				 "verdict on each.",
				 argp_children,
				 NULL,
				 NULL};

/* --- rows ---------------------------------------------------------------------------------------
 */

/* A row's content: its JSON, or its cells, a line each. */
static int add_row(const struct actions *a, const struct ww_action_row *row, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf cell = {0};
	int r = 0;

	if (a->json)
		return ww_action_row_json(row, out);
	ww_buf_init(&cell, CELL_BYTES_MAX);
	for (unsigned i = 0; r == 0 && i < WW_ACTION_ROW_COLUMNS; i++) {
		ww_buf_clear(&cell);
		r = ww_action_row_cell(row, i, &cell);
		if (r == 0 || r == -EMSGSIZE) /* what fits is shown */
			r = ww_buf_add(out, cell.p, cell.n);
		if (r == 0)
			r = ww_buf_add(out, "\n", 1);
	}
	return r;
}

static int show_row(struct actions *a, struct ww_slice content)
{
	struct ww_slice cell;
	int r = 0;

	if (a->json) {
		fwrite(content.p, 1, content.n, stdout);
		fputc('\n', stdout);
	}
	while (r == 0 && !a->json && ww_slice_line(&content, &cell))
		r = ww_table_cell(a->table, cell, a->colour ? ww_template_tone(cell) : "");
	return r;
}

static int keep(struct actions *a, struct ww_slice verdict, struct ww_slice content)
{
	struct ww_slice path = ww_slice_str(a->sort);
	struct ww_json_token v;
	struct place *p;

	if (a->count == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 1024;
		struct place *more = realloc(a->places, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		a->places = more;
		a->cap = cap;
	}
	p = &a->places[a->count];
	*p = (struct place){a->kept_bytes, (uint32_t)content.n, (uint32_t)a->count, ""};
	a->count++;
	if (a->sort && ww_member_pick(verdict, &path, 1, &v) && ww_member_has(&v))
		memcpy(p->key, v.raw.p, v.raw.n < sizeof(p->key) ? v.raw.n : sizeof(p->key) - 1);
	if (fwrite(content.p, 1, content.n, a->kept) != content.n)
		return -EIO;
	a->kept_bytes += content.n;
	return 0;
}

static int take_row(struct actions *a, uint64_t index, struct ww_slice json, bool superseded)
{
	struct ww_action_row row = {index, json, WW_SLICE_NULL, superseded};
	WW_AUTO_BUF struct ww_buf copy = {0}; /* looking the program up reads another record */
	WW_AUTO_BUF struct ww_buf content = {0};
	int r;

	ww_buf_init(&copy, WW_RECORD_BYTES_MAX);
	ww_buf_init(&content, ROW_BYTES_MAX);
	r = ww_buf_add(&copy, json.p, json.n);
	if (r < 0)
		return r;
	row.verdict = ww_buf_slice(&copy);
	row.program = ww_programs_of(&a->programs, &a->records, row.verdict);
	r = add_row(a, &row, &content);
	if (r < 0)
		return r;
	return a->kept ? keep(a, row.verdict, ww_buf_slice(&content))
		       : show_row(a, ww_buf_slice(&content));
}

static bool take(void *ctx, uint64_t index, struct ww_slice json)
{
	struct actions *a = ctx;
	bool superseded;

	if (!ww_criteria_match(&a->criteria, index, json))
		return true;
	superseded = ww_records_superseded(&a->records, json, &a->criteria.query.until);
	if (superseded && !a->all)
		return true;
	a->found++;
	a->error = take_row(a, index, json, superseded);
	return a->error == 0 && !ferror(stdout);
}

static int by_key(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	int r = memcmp(a->key, b->key, sizeof(a->key));

	if (r != 0)
		return r;
	return a->nth < b->nth ? -1 : a->nth > b->nth;
}

/* What had to wait until all were known. */
static int show_kept(struct actions *a)
{
	size_t from = a->newest && a->count > a->newest ? a->count - a->newest : 0;
	WW_AUTO_BUF struct ww_buf content = {0};
	uint8_t *p;
	int r = fflush(a->kept) == 0 ? 0 : -EIO;

	ww_buf_init(&content, ROW_BYTES_MAX);
	if (a->sort && a->count)
		qsort(a->places + from, a->count - from, sizeof(*a->places), by_key);
	for (size_t i = from; r == 0 && i < a->count && !ferror(stdout); i++) {
		const struct place *at = &a->places[a->reverse ? a->count - 1 - (i - from) : i];

		ww_buf_clear(&content);
		r = ww_buf_reserve(&content, at->bytes, &p);
		if (r == 0 && pread(fileno(a->kept), p, at->bytes, (off_t)at->at) != at->bytes)
			r = -EIO;
		if (r == 0)
			r = show_row(a, ww_slice(p, at->bytes));
	}
	return r;
}

static void write_out(void *ctx, struct ww_slice lines)
{
	fwrite(lines.p, 1, lines.n, stdout);
}

static int list(struct actions *a)
{
	struct ww_records_query q = a->criteria.query;
	WW_AUTO(ww_table_free_auto) struct ww_table *table = NULL;
	int r = 0;

	q.kind = "verdict";
	if (!a->json)
		r = ww_table_new(ww_action_row_columns, WW_ACTION_ROW_COLUMNS, ww_terminal_width(),
				 write_out, NULL, &table);
	if (r < 0)
		return ww_log_err_r(r, "cannot list");
	a->table = table;
	if (a->sort || a->reverse || a->newest) {
		a->kept = tmpfile();
		if (!a->kept)
			return ww_log_err_r(-errno, "cannot make a temporary file");
	}
	r = ww_records_each(&a->records, &q, take, a);
	if (r < 0)
		return r;
	if (a->kept && a->error == 0)
		a->error = show_kept(a);
	if (table && a->found > 0 && a->error == 0)
		a->error = ww_table_end(table);
	return a->error < 0 ? ww_log_err_r(a->error, "cannot list") : 0;
}

static int tell_sight(struct actions *a)
{
	if (a->found == 0)
		ww_log(WW_LOG_INFO, "no action was found");
	return ww_sight_tell(&a->records, &a->criteria.query, "actions", a->found);
}

int ww_cmd_actions(int argc, char **argv)
{
	struct actions a = {.error = 0};
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return WW_EXIT_USAGE;
	a.colour = !a.json && ww_terminal_colour();
	ww_terminal_end_on_signals();
	r = ww_records_open_from(a.state_dir, a.socket_path, &a.records);
	if (r == 0)
		r = ww_criteria_resolve(&a.criteria, &a.records);
	if (r == 0)
		r = list(&a);
	if (r == 0)
		r = tell_sight(&a);
	ww_programs_done(&a.programs);
	ww_criteria_done(&a.criteria);
	ww_records_close(&a.records);
	free(a.places);
	if (a.kept)
		(void)fclose(a.kept); /* nobody reads it any more */
	if (r == -ENODATA)
		return WW_EXIT_NO;
	return r < 0 ? WW_EXIT_UNABLE : a.found ? 0 : WW_EXIT_NO;
}
