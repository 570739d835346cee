/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness why ID: the whole chain of evidence behind a verdict. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/log.h"
#include "cmd.h"
#include "out/why.h"
#include "records.h"
#include "terminal.h"

#define VERDICTS_MAX  16 /* of one exchange that several actions look at */
#define OUT_BYTES_MAX (16u << 20)

struct why {
	const char *state_dir, *socket_path, *what;
	bool json, ascii;
	struct ww_records records;
	uint64_t verdicts[VERDICTS_MAX];
	unsigned count;
	uint64_t beyond;
	int error;
	struct ww_records_citer shown; /* the verdict */
};

/* --- options ------------------------------------------------------------------------------------
 */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct why *w = state->input;

	switch (key) {
	case 'd':
		w->state_dir = arg;
		return 0;
	case 's':
		w->socket_path = arg;
		return 0;
	case 'o':
		w->json = ww_records_json_option(state, arg);
		return 0;
	case 'A':
		w->ascii = true;
		return 0;
	case ARGP_KEY_ARG:
		if (w->what)
			argp_error(state, "one verdict at a time: unexpected '%s'", arg);
		w->what = arg;
		return 0;
	case ARGP_KEY_END:
		if (!w->what)
			argp_error(state, "an ID or a ledger INDEX is missing");
		if (w->state_dir && w->socket_path)
			argp_error(state, "--state and --socket exclude each other");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"output", 'o', "FORMAT", 0, "text (default) or json: an object per verdict", 0},
	{"ascii", 'A', NULL, 0, "no other characters; default: as the locale has it", 0},
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 0},
	{"socket", 's', "PATH", 0, "ask the daemon at this control socket instead", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"ID|INDEX",
	"Shows why a verdict is what it is: everything it rests on, what was looked at besides, "
	"how "
	"completely it was seen, and what would have changed it. ID (a beginning that only one id "
	"has "
	"is enough) is that of a verdict, of an action (its newest verdict), or of any record that "
	"verdicts rest on.",
	NULL,
	NULL,
	NULL};

/* --- which verdicts -----------------------------------------------------------------------------
 */

static bool is_verdict(struct ww_slice json)
{
	struct ww_json_token kind = ww_member_get(json, "kind");

	return ww_member_has(&kind) && ww_json_is(&kind, "verdict");
}

static bool take_mentioning(void *ctx, uint64_t index)
{
	struct why *w = ctx;
	struct ww_slice json;
	int r = ww_records_get(&w->records, index, &json);

	if (r == -ENOENT)
		return true;
	if (r < 0) {
		w->error = ww_records_explain(index, r);
		return false;
	}
	if (!is_verdict(json) || ww_records_superseded(&w->records, json, NULL))
		return true;
	if (w->count < VERDICTS_MAX)
		w->verdicts[w->count++] = index;
	else
		w->beyond++;
	return true;
}

/* The verdict itself, or those of other records. 0, -ENOENT: none rests on it. */
static int find_verdicts(struct why *w, uint64_t index)
{
	WW_AUTO_BUF struct ww_buf id = {0}; /* a copy: other records are read meanwhile */
	struct ww_json_token v;
	struct ww_slice json;
	int r = ww_records_get(&w->records, index, &json);

	if (r < 0)
		return r;
	if (is_verdict(json)) {
		w->verdicts[w->count++] = index;
		return 0;
	}
	ww_buf_init(&id, WW_RECORD_BYTES_MAX);
	v = ww_member_get(json, "id");
	if (!ww_member_has(&v))
		return -ENOENT;
	r = ww_buf_add(&id, v.raw.p, v.raw.n);
	if (r == 0)
		r = ww_record_index_mentions(w->records.index, ww_buf_slice(&id), take_mentioning,
					     w);
	if (r == 0)
		r = w->error;
	return r == 0 && w->count == 0 ? -ENOENT : r;
}

/* --- output -------------------------------------------------------------------------------------
 */

static bool take_first(void *ctx, uint64_t index)
{
	*(uint64_t *)ctx = index;
	return false;
}

static int get(void *ctx, struct ww_slice id, uint64_t *ret_index, struct ww_slice *ret_json)
{
	struct why *w = ctx;
	uint64_t index;
	int r = ww_records_cited(&w->records, &w->shown, id, take_first, &index);

	if (r == 0)
		r = ww_records_get(&w->records, index, ret_json);
	if (r == 0)
		*ret_index = index;
	return r;
}

struct mention {
	struct why *w;
	ww_why_mention_fn fn;
	void *ctx;
};

static bool tell_mention(void *ctx, uint64_t index)
{
	struct mention *m = ctx;
	struct ww_slice json;
	int r = ww_records_get(&m->w->records, index, &json);

	if (r < 0 && r != -ENOENT)
		m->w->error = ww_records_explain(index, r);
	return r == -ENOENT || (r == 0 && m->fn(m->ctx, index, json));
}

static int mentions(void *ctx, struct ww_slice id, ww_why_mention_fn fn, void *fn_ctx)
{
	struct mention m = {ctx, fn, fn_ctx};
	int r = ww_record_index_mentions(m.w->records.index, id, tell_mention, &m);

	return r < 0 ? r : m.w->error;
}

static int show(struct why *w, uint64_t index, unsigned flags)
{
	WW_AUTO(ww_why_tree_free_auto) struct ww_why_tree *tree = NULL;
	struct ww_why_ask ask = {.index = index, .get = get, .mentions = mentions, .ctx = w};
	WW_AUTO_BUF struct ww_buf out = {0}, copy = {0}, newer = {0};
	int r = ww_records_get(&w->records, index, &ask.verdict);

	ww_buf_init(&out, OUT_BYTES_MAX);
	ww_buf_init(&copy, WW_RECORD_BYTES_MAX);
	ww_buf_init(&newer, WW_RECORD_BYTES_MAX);
	if (r == 0)
		r = ww_buf_add(&copy, ask.verdict.p, ask.verdict.n);
	if (r < 0)
		return r;
	ask.verdict = ww_buf_slice(&copy);
	ww_records_citer(index, ask.verdict, &w->shown);
	r = ww_records_newest(&w->records, ask.verdict, &newer);
	ask.superseded_by = ww_buf_slice(&newer);
	if (r == 0)
		r = ww_why_build(&ask, &tree);
	if (r == 0)
		r = w->json ? ww_why_tree_json(tree, &out) : ww_why_tree_text(tree, flags, &out);
	if (r == 0 && w->json)
		r = ww_buf_add(&out, "\n", 1);
	if (r == 0)
		fwrite(out.p, 1, out.n, stdout); /* checked at the end */
	return r;
}

static bool locale_is_utf8(void)
{
	return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int explain(const struct why *w, int r)
{
	if (r == -ENOTUNIQ)
		ww_log(WW_LOG_ERR, "several ids begin with '%s'", w->what);
	else if (r == -ENOENT || r == -ERANGE)
		ww_log(WW_LOG_ERR, "no verdict rests on '%s', or its content is gone", w->what);
	else if (r != -EUCLEAN)
		ww_log_err_r(r, "cannot tell why %s", w->what);
	return r == -ENOTUNIQ || r == -ENOENT || r == -ERANGE ? WW_EXIT_NO : WW_EXIT_UNABLE;
}

int ww_cmd_why(int argc, char **argv)
{
	struct why w = {.error = 0};
	unsigned flags;
	uint64_t index;
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &w) != 0)
		return WW_EXIT_USAGE;
	flags = (w.ascii || !locale_is_utf8() ? WW_WHY_ASCII : 0) |
		(ww_terminal_colour() ? WW_WHY_COLOUR : 0);
	ww_terminal_end_on_signals();
	if (ww_records_open_from(w.state_dir, w.socket_path, &w.records) < 0)
		return WW_EXIT_UNABLE;
	r = ww_records_find(&w.records, w.what, &index);
	if (r == 0)
		r = find_verdicts(&w, index);
	if (r == -EUCLEAN)
		ww_records_explain(index, r);
	for (unsigned i = 0; r == 0 && i < w.count; i++)
		r = show(&w, w.verdicts[i], flags);
	if (w.beyond)
		ww_log(WW_LOG_INFO, "and %llu verdicts more that mention it",
		       (unsigned long long)w.beyond);
	ww_records_close(&w.records);
	return r < 0 ? explain(&w, r) : 0;
}
