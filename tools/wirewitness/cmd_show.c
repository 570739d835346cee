/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness show ID: one record, what it mentions and what mentions it, one step each way. */
#include <errno.h>
#include <stdio.h>

#include <wirewitness/limits.h>
#include <wirewitness/stream.h>

#include "base/log.h"
#include "cmd.h"
#include "out/line.h"
#include "out/outline.h"
#include "records.h"
#include "terminal.h"

#define NEIGHBOURS_MAX 64 /* lines each way; json has no bound */
#define TREE_BYTES_MAX (1u << 20)

struct show {
	const char *state_dir;
	bool json;
	bool colour;
	const char *what;
	struct ww_records records;
	uint64_t index;
	struct ww_records_citer shown; /* the same */
	uint64_t *neighbours;
	size_t count, cap;
	int error;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct show *s = state->input;

	switch (key) {
	case 'd':
		s->state_dir = arg;
		return 0;
	case 'o':
		s->json = ww_records_json_option(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (s->what)
			argp_error(state, "one record at a time: unexpected '%s'", arg);
		s->what = arg;
		return 0;
	case ARGP_KEY_END:
		if (!s->what)
			argp_error(state, "an ID or a ledger INDEX is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 0},
	{"output", 'o', "FORMAT", 0, "text (default) or json", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"ID|INDEX",
	"Shows the newest record with this id (a beginning that only one id has is enough), or the "
	"record at this ledger index, with the records it mentions and those that mention it.",
	NULL,
	NULL,
	NULL};

/* --- neighbours ---------------------------------------------------------------------------------
 */

static bool remember(struct show *s, uint64_t index)
{
	uint64_t *more;

	for (size_t i = 0; i < s->count; i++) {
		if (s->neighbours[i] == index)
			return true;
	}
	if (index == s->index)
		return true;
	if (s->count == s->cap) {
		more = realloc(s->neighbours, (s->cap + 64) * sizeof(*more));
		if (!more) {
			s->error = -ENOMEM;
			return false;
		}
		s->neighbours = more;
		s->cap += 64;
	}
	s->neighbours[s->count++] = index;
	return true;
}

static bool take_neighbour(void *ctx, uint64_t index)
{
	return remember(ctx, index);
}

static bool take_mentioned(void *ctx, struct ww_slice id)
{
	struct show *s = ctx;
	int r = ww_records_cited(&s->records, &s->shown, id, take_neighbour, s);

	if (r < 0 && r != -ENOENT) /* not written yet, or never will be */
		s->error = r;
	return s->error == 0;
}

/* --- output -------------------------------------------------------------------------------------
 */

static int print_line(struct show *s, uint64_t index)
{
	WW_AUTO_BUF struct ww_buf line;
	struct ww_slice json;
	char head[32];
	int n = snprintf(head, sizeof(head), "  %8llu  ", (unsigned long long)index);
	int r = ww_records_get(&s->records, index, &json);

	ww_buf_init(&line, WW_LINE_BYTES_MAX + sizeof(head));
	if (r == -ENOENT) {
		r = ww_records_withheld(&s->records, index, &line);
		if (r == 0)
			printf("%s%.*s\n", head, (int)line.n, (const char *)line.p);
		return r;
	}
	if (r == 0)
		r = ww_buf_add(&line, head, (size_t)n);
	if (r == 0)
		r = ww_line_add(json, WW_LINE_DATED | (s->colour ? WW_LINE_COLOUR : 0), &line);
	if (r == 0)
		ww_terminal_line(ww_buf_slice(&line));
	return r;
}

static int print_json(struct show *s, uint64_t index, bool comma)
{
	WW_AUTO_BUF struct ww_buf line;
	struct ww_slice json;
	int r = ww_records_get(&s->records, index, &json);

	if (r == -ENOENT) {
		json = WW_SLICE_LIT("null");
		r = 0;
	}
	ww_buf_init(&line, WW_STREAM_LINE_BYTES_MAX);
	if (r == 0)
		r = ww_records_stream_line(index, json, &line);
	if (r == 0)
		printf("%s%.*s", comma ? "," : "", (int)line.n, (const char *)line.p);
	return r;
}

static int print_neighbours(struct show *s, const char *title, const char *key)
{
	int r = s->error;

	if (s->json)
		printf(",\"%s\":[", key);
	else if (s->count > 0)
		printf("%s\n", title);
	for (size_t i = 0; r == 0 && i < s->count; i++) {
		if (s->json)
			r = print_json(s, s->neighbours[i], i > 0);
		else if (i < NEIGHBOURS_MAX)
			r = print_line(s, s->neighbours[i]);
	}
	if (s->json)
		printf("]");
	else if (s->count > NEIGHBOURS_MAX)
		printf("            and %zu more: -o json has them all\n",
		       s->count - NEIGHBOURS_MAX);
	s->count = 0;
	return r;
}

static int print_record(struct show *s, struct ww_slice json)
{
	WW_AUTO_BUF struct ww_buf tree;
	int r;

	ww_buf_init(&tree, TREE_BYTES_MAX);
	r = ww_outline_add(json, 2, &tree);
	printf("ledger index %llu\n", (unsigned long long)s->index);
	fwrite(tree.p, 1, tree.n, stdout);
	return r;
}

static int show(struct show *s, struct ww_slice json)
{
	const struct ww_slice key = WW_SLICE_LIT("id");
	WW_AUTO_BUF struct ww_buf copy; /* reading the others overwrites it */
	struct ww_json_token id;
	int r;

	ww_buf_init(&copy, WW_RECORD_BYTES_MAX);
	r = ww_buf_add(&copy, json.p, json.n);
	if (r < 0)
		return r;
	json = ww_buf_slice(&copy);
	if (s->json) {
		printf("{\"shown\":");
		r = print_json(s, s->index, false);
	} else {
		r = print_record(s, json);
	}
	if (r < 0)
		return r;
	ww_records_citer(s->index, json, &s->shown);
	ww_records_mentioned(json, take_mentioned, s);
	r = print_neighbours(s, "mentions", "mentions");
	if (r == 0 && ww_member_pick(json, &key, 1, &id) && id.raw.p)
		r = ww_record_index_mentions(s->records.index, id.raw, take_neighbour, s);
	if (r == 0)
		r = print_neighbours(s, "mentioned by", "mentionedBy");
	if (s->json)
		printf("}\n");
	return r;
}

/* It was there, and there is nothing of it to show. */
static int show_withheld(struct show *s)
{
	WW_AUTO_BUF struct ww_buf why;
	int r;

	ww_buf_init(&why, 256);
	r = ww_records_withheld(&s->records, s->index, &why);
	if (r < 0)
		return r;
	if (s->json)
		printf("{\"shown\":{\"v\":%d,\"cursor\":%llu,\"record\":null,\"withheld\":\"%.*s\"}"
		       "}\n",
		       WW_STREAM_VERSION, (unsigned long long)s->index, (int)why.n,
		       (const char *)why.p);
	else
		printf("ledger index %llu\n  %.*s\n", (unsigned long long)s->index, (int)why.n,
		       (const char *)why.p);
	return 0;
}

int ww_cmd_show(int argc, char **argv)
{
	struct show s = {.state_dir = WW_STATE_DIR};
	struct ww_slice json = WW_SLICE_NULL;
	bool found;
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &s) != 0)
		return WW_EXIT_USAGE;
	s.colour = !s.json && ww_terminal_colour();
	ww_terminal_end_on_signals();
	if (ww_records_open(s.state_dir, &s.records) < 0)
		return WW_EXIT_UNABLE;
	r = ww_records_find(&s.records, s.what, &s.index);
	found = r == 0;
	if (found)
		r = ww_records_get(&s.records, s.index, &json);
	if (found && r == -ENOENT) {
		r = show_withheld(&s);
	} else if (r == -EUCLEAN) {
		ww_records_explain(s.index, r);
		r = -EIO;
	} else if (r == -ENOTUNIQ) {
		ww_log(WW_LOG_ERR, "several ids begin with '%s'", s.what);
	} else if (r == -ENOENT || r == -ERANGE) {
		ww_log(WW_LOG_ERR, "no record '%s'", s.what);
	} else {
		if (r == 0)
			r = show(&s, json);
		if (r < 0)
			ww_log_err_r(r, "cannot show %s", s.what);
		r = r < 0 ? -EIO : 0;
	}
	ww_records_close(&s.records);
	free(s.neighbours);
	return r == 0 ? 0 : r == -EIO ? WW_EXIT_UNABLE : WW_EXIT_NO;
}
