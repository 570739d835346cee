/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness path: where one prompt went, as far as this host can see. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/log.h"
#include "cmd.h"
#include "ledger/keyfile.h"
#include "out/listing.h"
#include "out/path_match.h"
#include "out/path_text.h"
#include "out/template.h"
#include "path_anycast.h"
#include "records.h"
#include "rt/file.h"
#include "sight.h"
#include "terminal.h"

#define NEWEST_MAX       1000000u
#define REVISIONS_MAX    16u
#define PROMPT_BYTES_MAX (16u << 20)
#define CELL_BYTES_MAX   8192u

enum { OPT_TRACE = 0x200, OPT_PROMPT, OPT_AT, OPT_AGENT };

struct found {
	uint64_t index;
	struct ww_wall from;
};

struct path {
	const char *state_dir, *socket_path, *prompt_file, *at;
	const char *id; /* of a path, or of a record that paths rest on */
	bool json, all, asked;
	uint64_t newest;
	struct ww_path_want want;
	struct ww_records_query query;
	struct ww_records records;
	struct found *found;
	size_t count, cap;
	uint64_t seen; /* paths of the period, asked for or not */
	/* Of those with another time, the nearest ones. */
	struct ww_wall before, after;
	int error;
};

/* --- options ------------------------------------------------------------------------------------
 */

static const struct argp_option argp_options[] = {
	{"trace", OPT_TRACE, "ID", 0, "of this trace: 32 hexadecimal digits", 1},
	{"prompt-file", OPT_PROMPT, "FILE", 0,
	 "whose prompt is the text in FILE, exactly or without its last line end; only where the "
	 "install's digest key can be read",
	 1},
	{"at", OPT_AT, "TIME", 0,
	 "under way then: 2026-11-24T14:32Z is that minute, 14:32:05Z that second, a duration such "
	 "as 10m is before now; in local time with its offset: 2026-11-24T15:32+01:00",
	 1},
	{"agent", OPT_AGENT, "NAME", 0,
	 "of this agent: its name in the policy, its program, or the id of a process or scope", 1},
	{"since", 'S', "WHEN", 0, "begun after " WW_MOMENT_FORMS, 1},
	{"until", 'U', "WHEN", 0, "begun before it", 1},
	{"newest", 'n', "COUNT", 0, "of several only the last so many", 2},
	{"all", 'a', NULL, 0, "superseded revisions too, not only the newest of each path", 2},
	{"output", 'o', "FORMAT", 0, "text (default) or json: an object per path", 2},
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 2},
	{"socket", 's', "PATH", 0, "ask the daemon at this control socket instead", 2},
	{0},
};

static bool is_hex(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

static void take_at(struct path *p, struct argp_state *state)
{
	char text[WW_PATH_INSTANT_MAX];
	uint64_t span = ww_path_instant(p->at, text);
	struct ww_clock_map now;
	struct ww_moment m;

	ww_clock_sample(&now);
	if (ww_moment_parse(span ? text : p->at, now.wall, &m) < 0 ||
	    ww_moment_wall(&m, &p->want.from) < 0)
		argp_error(state,
			   "--at: expected a date, a time and its zone such as "
			   "2026-11-24T14:32Z or 2026-11-24T15:32:05+01:00, or a duration "
			   "such as 10m, got '%s'",
			   p->at);
	p->want.to.ns = p->want.from.ns + (span ? span : 60000000000ull);
}

static void check(struct path *p, struct argp_state *state)
{
	if (p->state_dir && p->socket_path)
		argp_error(state, "--state and --socket exclude each other");
	if (p->prompt_file && p->socket_path)
		argp_error(state, "--prompt-file needs the install's digest key, which the daemon "
				  "gives to nobody: --state DIR, as who may read it");
	if (p->id && (p->want.trace || p->prompt_file || p->at || p->want.agent))
		argp_error(state, "an ID names its paths: nothing to look for beside it");
	if (p->want.trace && !is_hex(p->want.trace, 32))
		argp_error(state, "--trace: expected 32 hexadecimal digits in lower case, got '%s'",
			   p->want.trace);
	if (p->at)
		take_at(p, state);
	p->asked = p->id || p->want.trace || p->prompt_file || p->at || p->want.agent;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct path *p = state->input;

	switch (key) {
	case OPT_TRACE:
		p->want.trace = arg;
		return 0;
	case OPT_PROMPT:
		p->prompt_file = arg;
		return 0;
	case OPT_AT:
		p->at = arg;
		return 0;
	case OPT_AGENT:
		p->want.agent = arg;
		return 0;
	case 'S':
		ww_records_moment_option(state, "since", arg, &p->query.since);
		return 0;
	case 'U':
		ww_records_moment_option(state, "until", arg, &p->query.until);
		return 0;
	case 'n':
		if (ww_slice_u64(ww_slice_str(arg), &p->newest) < 0 || p->newest == 0 ||
		    p->newest > NEWEST_MAX)
			argp_error(state, "-n: expected a number from 1 to %u, got '%s'",
				   NEWEST_MAX, arg);
		return 0;
	case 'a':
		p->all = true;
		return 0;
	case 'o':
		p->json = ww_records_json_option(state, arg);
		return 0;
	case 'd':
		p->state_dir = arg;
		return 0;
	case 's':
		p->socket_path = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (p->id)
			argp_error(state, "one ID at a time: unexpected '%s'", arg);
		p->id = arg;
		return 0;
	case ARGP_KEY_END:
		check(p, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	argp_options,
	parse,
	"[ID]\nanycast FILE FILE...",
	"Shows where one prompt went: every leg that this host saw, what tables list of it, what "
	"light excludes, what others claim, and where this host's sight ends. ID is that of a path "
	"(y-...) or of any record that paths rest on. Without one, what is asked for narrows each "
	"other; several paths are listed, newest last. `anycast` holds what several hosts measured "
	"against each other: path anycast --help.",
	NULL,
	NULL,
	NULL};

/* --- finding ------------------------------------------------------------------------------------
 */

static int keep(struct path *p, uint64_t index, struct ww_slice json)
{
	struct ww_wall to;

	if (p->count == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		struct found *more = realloc(p->found, cap * sizeof(*more));

		if (!more)
			return ww_log_err_r(-ENOMEM, "cannot look for paths");
		p->found = more;
		p->cap = cap;
	}
	p->found[p->count] = (struct found){.index = index};
	ww_path_times(json, &p->found[p->count++].from, &to);
	return 0;
}

/* By when they began, and of one path by revision: one may be told long after a later one. */
static int by_time(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->from.ns != y->from.ns)
		return x->from.ns < y->from.ns ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void sort(struct path *p)
{
	if (p->count)
		qsort(p->found, p->count, sizeof(*p->found), by_time);
	if (p->newest && p->count > p->newest) {
		memmove(p->found, p->found + (p->count - p->newest), p->newest * sizeof(*p->found));
		p->count = p->newest;
	}
}

static void note_time(struct path *p, struct ww_slice json)
{
	struct ww_wall from, to;

	if (!ww_path_times(json, &from, &to))
		return;
	if (to.ns < p->want.from.ns && to.ns > p->before.ns)
		p->before = to;
	if (from.ns >= p->want.to.ns && (p->after.ns == 0 || from.ns < p->after.ns))
		p->after = from;
}

static bool take(void *ctx, uint64_t index, struct ww_slice json)
{
	struct path *p = ctx;
	struct ww_path_want whenever = p->want;

	p->seen++;
	if (!p->all && ww_records_superseded(&p->records, json, &p->query.until))
		return true;
	if (ww_path_match(&p->want, json)) {
		p->error = keep(p, index, json);
		return p->error == 0;
	}
	whenever.to.ns = 0;
	if (p->want.to.ns && ww_path_match(&whenever, json))
		note_time(p, json);
	return true;
}

static bool is_path(struct ww_slice json)
{
	const struct ww_json_token kind = ww_member_get(json, "kind");

	return ww_member_has(&kind) && ww_json_is(&kind, "path");
}

static bool take_mentioning(void *ctx, uint64_t index)
{
	struct path *p = ctx;
	struct ww_slice json;
	int r = ww_records_get(&p->records, index, &json);

	if (r == -ENOENT)
		return true;
	if (r < 0) {
		p->error = ww_records_explain(index, r);
		return false;
	}
	if (!is_path(json) || (!p->all && ww_records_superseded(&p->records, json, NULL)))
		return true;
	p->error = keep(p, index, json);
	return p->error == 0;
}

static int find_mentioning(struct path *p, struct ww_slice id)
{
	int r = ww_record_index_mentions(p->records.index, id, take_mentioning, p);

	return r < 0 ? r : p->error;
}

/* What paths rest on need not be in the ledger (any more). */
static int find_unknown(struct path *p, int r)
{
	struct ww_slice id = ww_slice_str(p->id);

	if (r == -ENOTUNIQ)
		ww_log(WW_LOG_ERR, "several ids begin with '%s'", p->id);
	if (r == -ENOENT && ww_record_index_is_id(id))
		r = find_mentioning(p, id);
	if (r < 0 && r != -ENOTUNIQ && r != -ENOENT && r != -ERANGE)
		return ww_log_err_r(r, "cannot look for '%s'", p->id);
	return r < 0 || p->count == 0 ? -ENODATA : 0;
}

/* A path's id names one revision, or all; any other record's the paths that rest on it. */
static int find_by_id(struct path *p)
{
	WW_AUTO_BUF struct ww_buf id = {0};
	struct ww_json_token v;
	struct ww_slice json;
	uint64_t index;
	int r;

	if (strncmp(p->id, "y-", 2) == 0 && !strchr(p->id + 2, '-')) {
		p->want.path = p->id;
		r = ww_records_each(&p->records, &p->query, take, p);
		return r < 0 ? r : p->error;
	}
	r = ww_records_find(&p->records, p->id, &index);
	if (r == 0)
		r = ww_records_get(&p->records, index, &json);
	if (r == -EUCLEAN)
		return ww_records_explain(index, r);
	if (r < 0)
		return find_unknown(p, r);
	if (is_path(json))
		return keep(p, index, json);
	ww_buf_init(&id, WW_RECORD_BYTES_MAX);
	v = ww_member_get(json, "id");
	r = ww_member_has(&v) ? ww_buf_add(&id, v.raw.p, v.raw.n) : -ENODATA;
	return r < 0 ? r : find_mentioning(p, ww_buf_slice(&id));
}

/* As the text stands in the file, and without the line end that editors put there. The text goes
 * nowhere. */
static int digest_prompt(struct path *p)
{
	WW_AUTO_FD int dir = open(p->state_dir ? p->state_dir : WW_STATE_DIR,
				  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	WW_AUTO(ww_buf_wipe) struct ww_buf text = {0};
	struct ww_keyfile keys = {0};
	struct ww_errtext why = {""};
	struct ww_digest_key key;
	int r = dir < 0 ? -errno : 0;

	if (r < 0)
		return ww_log_err_r(r, "cannot open the state directory");
	ww_buf_init(&text, PROMPT_BYTES_MAX);
	r = ww_file_read(p->prompt_file, &text);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", p->prompt_file);
	r = ww_keyfile_load(dir, NULL, NULL, false, &keys, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "--prompt-file needs the install's digest key: %s", why.text);
	if (r == 0) {
		ww_digest_key_init(&key, keys.digest_key);
		ww_digest(&key, ww_buf_slice(&text), &p->want.digests[p->want.digest_count++]);
		if (text.n && text.p[text.n - 1] == '\n')
			ww_digest(&key, ww_slice_sub(ww_buf_slice(&text), 0, text.n - 1),
				  &p->want.digests[p->want.digest_count++]);
		explicit_bzero(&key, sizeof(key));
	}
	ww_keyfile_done(&keys);
	return r;
}

static int find(struct path *p)
{
	int r = p->prompt_file ? digest_prompt(p) : 0;

	p->query.kind = "path";
	if (r < 0)
		return r;
	if (p->id)
		return find_by_id(p);
	r = ww_records_each(&p->records, &p->query, take, p);
	return r < 0 ? r : p->error;
}

/* --- showing one --------------------------------------------------------------------------------
 */

struct revisions {
	struct path *p;
	uint64_t shown;
	struct ww_path_revision each[REVISIONS_MAX];
	char ids[REVISIONS_MAX][96];
	unsigned count;
};

static bool take_revision(void *ctx, uint64_t index)
{
	struct revisions *v = ctx;
	struct ww_json_token id;
	struct ww_slice json;

	if (index >= v->shown || v->count == REVISIONS_MAX)
		return false;
	if (ww_records_get(&v->p->records, index, &json) < 0 || !is_path(json))
		return true;
	id = ww_member_get(json, "id");
	if (!ww_member_has(&id) || id.raw.n >= sizeof(v->ids[0]))
		return true;
	memcpy(v->ids[v->count], id.raw.p, id.raw.n);
	v->each[v->count].id = ww_slice(v->ids[v->count], id.raw.n);
	v->each[v->count++].index = index;
	return true;
}

static int ask_for(struct path *p, uint64_t index, struct revisions *v, struct ww_buf *copy,
		   struct ww_buf *newer, struct ww_path_ask *ret)
{
	struct ww_json_token path;
	struct ww_slice json;
	int r = ww_records_get(&p->records, index, &json);

	if (r < 0)
		return ww_records_explain(index, r);
	r = ww_buf_add(copy, json.p, json.n); /* others are read meanwhile */
	if (r < 0)
		return r;
	*ret = (struct ww_path_ask){.index = index, .record = ww_buf_slice(copy)};
	r = ww_records_newest(&p->records, ret->record, newer);
	ret->superseded_by = ww_buf_slice(newer);
	path = ww_member_get(ret->record, "path");
	*v = (struct revisions){.p = p, .shown = index};
	if (r == 0 && ww_member_has(&path))
		r = ww_record_index_mentions(p->records.index, path.raw, take_revision, v);
	ret->replaced = v->each;
	ret->replaced_count = v->count;
	return r;
}

static int show(struct path *p, uint64_t index)
{
	WW_AUTO_BUF struct ww_buf out = {0}, copy = {0}, newer = {0};
	unsigned width = ww_terminal_width();
	struct ww_path_ask ask;
	struct revisions v;
	int r;

	ww_buf_init(&out, WW_PATH_TEXT_BYTES_MAX);
	ww_buf_init(&copy, WW_RECORD_BYTES_MAX);
	ww_buf_init(&newer, WW_RECORD_BYTES_MAX);
	r = ask_for(p, index, &v, &copy, &newer, &ask);
	if (r == 0)
		r = p->json ? ww_path_json(&ask, &out)
			    : ww_path_text(&ask, width ? width : WW_PATH_COLUMNS_MAX,
					   ww_terminal_colour(), &out);
	if (r == 0 && p->json)
		r = ww_buf_add(&out, "\n", 1);
	if (r == 0)
		fwrite(out.p, 1, out.n, stdout); /* checked at the end */
	return r < 0 ? ww_log_err_r(r, "cannot show record %llu", (unsigned long long)index) : 0;
}

/* --- several ------------------------------------------------------------------------------------
 */

static void write_out(void *ctx, struct ww_slice lines)
{
	fwrite(lines.p, 1, lines.n, stdout);
}

static int add_row(struct ww_table *table, const struct ww_listing *l, struct ww_slice json)
{
	WW_AUTO_BUF struct ww_buf cell = {0};
	bool colour = ww_terminal_colour();
	int r = 0;

	ww_buf_init(&cell, CELL_BYTES_MAX);
	for (unsigned i = 0; r == 0 && l->columns[i].title; i++) {
		ww_buf_clear(&cell);
		r = ww_template_render(l->cells[i], json, false, &cell);
		if (r == 0 || r == -EMSGSIZE) /* what fits is shown */
			r = ww_table_cell(table, ww_buf_slice(&cell),
					  colour ? ww_template_tone(ww_buf_slice(&cell)) : "");
	}
	return r;
}

static int list(struct path *p)
{
	const struct ww_listing *l = ww_listing_find(WW_SLICE_LIT("path"));
	WW_AUTO(ww_table_free_auto) struct ww_table *table = NULL;
	struct ww_table_column columns[WW_LISTING_COLUMNS_MAX];
	unsigned count = 0;
	int r;

	for (; l->columns[count].title; count++)
		columns[count] = l->columns[count];
	r = ww_table_new(columns, count, ww_terminal_width(), write_out, NULL, &table);
	for (size_t i = 0; r == 0 && i < p->count && !ferror(stdout); i++) {
		struct ww_slice json;

		r = ww_records_get(&p->records, p->found[i].index, &json);
		if (r == 0)
			r = add_row(table, l, json);
	}
	if (r == 0)
		r = ww_table_end(table);
	return r < 0 ? ww_log_err_r(r, "cannot list") : 0;
}

/* --- all of it ----------------------------------------------------------------------------------
 */

/* Nothing found is no answer that nothing went anywhere. */
static int say_nothing_found(struct path *p)
{
	struct ww_records_query then = p->query;
	char text[WW_RFC3339_MAX];

	if (p->seen == 0 && !p->id)
		ww_log(WW_LOG_INFO, "no path is recorded for this period: without a monitor that "
				    "ran then, nothing is known about it");
	else
		ww_log(WW_LOG_INFO, "no path that was recorded is the one asked for");
	if (p->before.ns) {
		ww_wall_rfc3339(p->before, text);
		ww_log(WW_LOG_INFO, "the last one before that time ended %s", text);
	}
	if (p->after.ns) {
		ww_wall_rfc3339(p->after, text);
		ww_log(WW_LOG_INFO, "the first one after it began %s", text);
	}
	if (p->want.to.ns) {
		then.since.what = then.until.what = WW_MOMENT_TIME;
		ww_wall_rfc3339(p->want.from, then.since.time);
		ww_wall_rfc3339(p->want.to, then.until.time);
	}
	return ww_sight_tell(&p->records, &then, "paths", 0);
}

static int run(struct path *p)
{
	int r = ww_records_open_from(p->state_dir, p->socket_path, &p->records);

	if (r < 0)
		return WW_EXIT_UNABLE;
	r = find(p);
	sort(p);
	if (r == 0 && p->count == 0)
		r = say_nothing_found(p);
	else if (r == 0 && !p->json && (p->count > 1 || !p->asked))
		r = list(p);
	else
		for (size_t i = 0; r == 0 && i < p->count && !ferror(stdout); i++)
			r = show(p, p->found[i].index);
	if (r == -ENODATA) {
		ww_log(WW_LOG_ERR, "no record '%s'", p->id);
		r = 0;
	}
	ww_records_close(&p->records);
	return r < 0 ? WW_EXIT_UNABLE : p->count ? 0 : WW_EXIT_NO;
}

int ww_cmd_path(int argc, char **argv)
{
	struct path p = {.error = 0};
	int r;

	if (argc > 1 && strcmp(argv[1], "anycast") == 0)
		return ww_path_anycast_run(argc - 1, argv + 1);
	if (argp_parse(&argp, argc, argv, 0, NULL, &p) != 0)
		return WW_EXIT_USAGE;
	ww_terminal_end_on_signals();
	r = run(&p);
	free(p.found);
	return r;
}
