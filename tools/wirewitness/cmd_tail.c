/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wirewitness tail: follows the stream. The cursor is the one state: it moves when a line has been
 * taken, and a new connection asks from there, so a restart of the daemon neither loses nor
 * repeats.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "client.h"
#include "cmd.h"
#include "out/line.h"
#include "records.h"
#include "terminal.h"

#define AGAIN_MS    250  /* between attempts to reach a daemon that went away */
#define PROBE_LINES 4096 /* read at one place while looking for a time */

struct tail {
	const char *socket;
	bool json;
	bool all;
	bool pending;
	struct ww_moment since;
	struct ww_filter filter;
	uint64_t left; /* lines still to write; UINT64_MAX: no end */
	bool colour;
	uint64_t next; /* ledger index of the next line */
	struct ww_client client;
};

struct stream_line {
	uint64_t cursor;
	struct ww_slice record;  /* "null": erased */
	struct ww_slice pending; /* not empty: no record, but what has no verdict yet */
};

/* --- options ------------------------------------------------------------------------------------
 */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct tail *t = state->input;

	switch (key) {
	case 's':
		t->socket = arg;
		return 0;
	case 'o':
		t->json = ww_records_json_option(state, arg);
		return 0;
	case 'S':
		ww_records_moment_option(state, "since", arg, &t->since);
		return 0;
	case 'f':
		ww_records_filter_option(state, arg, &t->filter);
		ww_records_filter_check(state, &t->filter, NULL);
		return 0;
	case 'a':
		t->all = true;
		return 0;
	case 'p':
		t->pending = true;
		return 0;
	case 'n':
		if (ww_slice_u64(ww_slice_str(arg), &t->left) < 0 || t->left == 0)
			argp_error(state, "-n: expected a number of lines, got '%s'", arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"output", 'o', "FORMAT", 0, "text (default) or json: the stream's own lines", 0},
	{"since", 'S', "WHEN", 0, "begin after " WW_MOMENT_FORMS "; default: now", 0},
	{"filter", 'f', "TERMS", 0,
	 "only records that fit, e.g. 'kind=verdict verdict!=CONFIRMED_T1 tool=refund*'", 0},
	{"all", 'a', NULL, 0, "text: also actors, flows, spans, actions and coverage", 0},
	{"pending", 'p', NULL, 0,
	 "json: also lines about actions that have no verdict yet, with their deadline; they are "
	 "no "
	 "records, and text has them always",
	 0},
	{"lines", 'n', "COUNT", 0, "stop after so many records", 0},
	{"socket", 's', "PATH", 0, "control socket of the daemon (default " WW_SOCKET_PATH ")", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	NULL,
	"Follows the stream of records: a line for each, as soon as it is in the ledger.",
	NULL,
	NULL,
	NULL};

/* --- the connection -----------------------------------------------------------------------------
 */

/* Connects and asks for the stream from `from`; *ret_next is where it really begins. */
static int ask(const struct tail *t, uint64_t from, bool pending, struct ww_client *c,
	       uint64_t *ret_next)
{
	char request[96], error[256] = "";
	struct ww_slice answer, range;
	struct ww_json_token v;
	int r = ww_client_open(t->socket, c);

	if (r < 0)
		return r;
	snprintf(request, sizeof(request), "{\"op\":\"tail\",\"from\":%llu%s}",
		 (unsigned long long)from, pending ? ",\"pending\":true" : "");
	r = ww_client_ask(c, request, &answer, error, sizeof(error));
	if (r == -EREMOTEIO)
		ww_log(WW_LOG_ERR, "the daemon refuses: %s", error);
	if (r == 0 && (ww_json_path(answer, "$.next", &v, &range) != WW_PARSE_DONE ||
		       ww_slice_u64(v.raw, ret_next) < 0))
		r = -EPROTO;
	if (r < 0)
		ww_client_close(c);
	return r;
}

static int read_line(struct ww_client *c, struct ww_slice *ret_line, struct stream_line *ret)
{
	struct ww_json_token v;
	int r = ww_client_line(c, ret_line);

	if (r < 0)
		return r;
	if (ww_json_path(*ret_line, "$.v", &v, NULL) != WW_PARSE_DONE ||
	    !ww_slice_eq_str(v.raw, "1"))
		return -EPROTO;
	ret->pending = WW_SLICE_NULL;
	if (ww_json_path(*ret_line, "$.pending", &v, &ret->pending) == WW_PARSE_DONE)
		return 0;
	ret->pending = WW_SLICE_NULL;
	if (ww_json_path(*ret_line, "$.record", &v, &ret->record) != WW_PARSE_DONE ||
	    ww_json_path(*ret_line, "$.cursor", &v, NULL) != WW_PARSE_DONE ||
	    ww_json_u64(&v, &ret->cursor) < 0)
		return -EPROTO;
	return 0;
}

/* --- finding a time -----------------------------------------------------------------------------
 */

/* Records of these kinds carry the time at which they were made; the others that of their subject,
 * which may have begun long before. */
static bool stamped_when_made(struct ww_slice kind)
{
	static const char *const kinds[] = {"life", "actor", "coverage", "loss", "finding"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(kinds); i++) {
		if (ww_slice_eq_str(kind, kinds[i]))
			return true;
	}
	return false;
}

/*
 * Whether all records below index `at` were made before the time that is looked for. What cannot be
 * told is "no", which only costs a longer way.
 */
static int all_before(const struct tail *t, uint64_t at, uint64_t size, bool *ret)
{
	const struct ww_slice paths[] = {WW_SLICE_LIT("kind"), WW_SLICE_LIT("t")};
	struct ww_json_token v[2];
	struct stream_line l;
	struct ww_slice line;
	struct ww_client c;
	uint64_t next;
	bool before = false;
	int r = ask(t, at, false, &c, &next);

	if (r < 0)
		return r;
	for (uint64_t i = at; i < size && i - at < PROBE_LINES; i++) {
		r = read_line(&c, &line, &l);
		if (r < 0)
			break;
		if (!ww_member_pick(l.record, paths, 2, v) || !v[1].raw.p)
			continue;
		if (ww_moment_reached(&t->since, v[1].raw))
			break;
		if (stamped_when_made(v[0].raw)) {
			before = true;
			break;
		}
	}
	ww_client_close(&c);
	*ret = before;
	return r;
}

/* The ledger index from which records of the time on are found: binary search, by asking. */
static int find_time(struct tail *t, uint64_t *ret_from)
{
	struct ww_client c;
	uint64_t low = 0, high;
	int r = ask(t, UINT64_MAX, false, &c, &high);

	if (r < 0)
		return r;
	ww_client_close(&c);
	for (uint64_t size = high; r == 0 && low < high;) {
		uint64_t middle = low + (high - low) / 2;
		bool before = false;

		r = all_before(t, middle, size, &before);
		if (before)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_from = low;
	return r;
}

/* --- output -------------------------------------------------------------------------------------
 */

static bool wanted(const struct tail *t, struct ww_slice record)
{
	const struct ww_slice paths[] = {WW_SLICE_LIT("kind"), WW_SLICE_LIT("t")};
	struct ww_json_token v[2];
	bool readable = ww_member_pick(record, paths, 2, v) && v[0].raw.p;

	if (!ww_filter_match(&t->filter, record))
		return false;
	if (!readable) /* erased: it has a place in the stream, nothing to say to a person */
		return t->json && t->since.what != WW_MOMENT_TIME;
	if (!ww_moment_reached(&t->since, v[1].raw))
		return false;
	return t->json || t->all || ww_filter_names(&t->filter, "kind") || !ww_line_quiet(v[0].raw);
}

/* Takes one line of the stream. 0; 1: that was all; -errno. */
static int take(struct tail *t, struct ww_slice line, struct ww_slice record)
{
	WW_AUTO_BUF struct ww_buf text;
	int r;

	ww_buf_init(&text, WW_LINE_BYTES_MAX);
	if (!wanted(t, record))
		return 0;
	if (!t->json) {
		r = ww_line_add(record, t->colour ? WW_LINE_COLOUR : 0, &text);
		if (r < 0)
			return r;
		line = ww_buf_slice(&text);
	}
	if (!ww_terminal_line(line))
		return 1;
	return t->left != UINT64_MAX && --t->left == 0;
}

/* Lines about what has no verdict yet come beside the records, and do not count as any. */
static int take_pending(struct tail *t, struct ww_slice line, struct ww_slice pending)
{
	WW_AUTO_BUF struct ww_buf text = {0};
	int r;

	ww_buf_init(&text, WW_LINE_BYTES_MAX);
	if (pending.p[0] == '{' && !ww_filter_match(&t->filter, pending))
		return 0;
	if (!t->json) {
		if (pending.p[0] != '{') {
			ww_log(WW_LOG_WARN, "too slow for all that is pending; verdicts follow");
			return 0;
		}
		r = ww_line_pending(pending, t->colour ? WW_LINE_COLOUR : 0, &text);
		if (r < 0)
			return r;
		line = ww_buf_slice(&text);
	}
	return ww_terminal_line(line) ? 0 : 1;
}

static int follow(struct tail *t)
{
	struct stream_line l;
	struct ww_slice line;
	int r;

	for (;;) {
		r = read_line(&t->client, &line, &l);
		if (r < 0)
			return r;
		if (l.pending.n == 0 && l.cursor != t->next)
			return -EPROTO;
		t->next += l.pending.n == 0;
		r = l.pending.n ? take_pending(t, line, l.pending) : take(t, line, l.record);
		if (r != 0)
			return r;
	}
}

static bool is_gone(int r)
{
	return r == -EPIPE || r == -ECONNRESET || r == -ENOENT || r == -ECONNREFUSED;
}

/* A ledger that does not reach to where this view was is another one. */
static int check_same(uint64_t wanted, uint64_t got)
{
	if (got == wanted)
		return 0;
	ww_log(WW_LOG_ERR,
	       "the ledger has %llu records, this view had reached %llu: it is another one",
	       (unsigned long long)got, (unsigned long long)wanted);
	return -ESTALE;
}

/* Waits for a daemon with the same ledger. */
static int again(struct tail *t)
{
	const struct timespec pause = {.tv_nsec = AGAIN_MS * 1000000L};
	uint64_t next;
	int r;

	ww_client_close(&t->client);
	ww_log(WW_LOG_WARN, "the daemon went away; waiting for it");
	while (is_gone(r = ask(t, t->next, t->pending, &t->client, &next)))
		nanosleep(&pause, NULL);
	return r < 0 ? r : check_same(t->next, next);
}

static int begin(struct tail *t)
{
	uint64_t from = t->since.what ? ww_moment_first(&t->since) : UINT64_MAX;
	int r = 0;

	if (t->since.what == WW_MOMENT_TIME)
		r = find_time(t, &from);
	if (r == 0)
		r = ask(t, from, t->pending, &t->client, &t->next);
	if (r == 0 && t->since.what == WW_MOMENT_CURSOR)
		r = check_same(from, t->next);
	return r;
}

/* These two were told where they happened. */
static void explain(const struct tail *t, int r)
{
	if (r != -ESTALE && r != -EREMOTEIO)
		ww_client_explain(t->socket, r);
}

int ww_cmd_tail(int argc, char **argv)
{
	struct tail t = {.socket = WW_SOCKET_PATH, .left = UINT64_MAX, .client = {.fd = -1}};
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &t) != 0)
		return WW_EXIT_USAGE;
	t.colour = !t.json && ww_terminal_colour();
	t.pending |= !t.json;
	ww_terminal_end_on_signals();
	r = begin(&t);
	if (r < 0) {
		explain(&t, r);
		ww_client_close(&t.client);
		return WW_EXIT_UNABLE;
	}
	while (is_gone(r = follow(&t))) {
		r = again(&t);
		if (r < 0)
			break;
	}
	ww_client_close(&t.client);
	if (r >= 0)
		return 0;
	explain(&t, r);
	return WW_EXIT_UNABLE;
}
