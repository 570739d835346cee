/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness prune: removes the content of old records, through the daemon or without one. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <wirewitness/record.h>

#include "base/clock.h"
#include "base/log.h"
#include "client.h"
#include "cmd.h"
#include "ledger/durable.h"
#include "ledger/ledger_reader.h"
#include "ledger/prune.h"

struct prune {
	const char *state_dir;
	const char *socket;
	uint64_t older_than_s;
	ww_kinds kinds;
	bool dry_run;
	bool force;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct prune *p = state->input;
	ww_kinds more;

	switch (key) {
	case 'd':
		p->state_dir = arg;
		return 0;
	case 's':
		p->socket = arg;
		return 0;
	case 'a':
		if (ww_retention_parse_age(ww_slice_str(arg), &p->older_than_s) < 0)
			argp_error(state,
				   "--older-than: expected an age such as 30d or 12h, not "
				   "0, got '%s'",
				   arg);
		return 0;
	case 'k':
		if (ww_retention_parse_kinds(ww_slice_str(arg), &more) < 0)
			argp_error(state, "--kind: not a list of kinds that can be pruned: '%s'",
				   arg);
		p->kinds |= more;
		return 0;
	case 't':
		if (ww_retention_parse_tier(ww_slice_str(arg), &more) < 0)
			argp_error(state, "--tier: expected content or evidence, got '%s'", arg);
		p->kinds |= more;
		return 0;
	case 'n':
		p->dry_run = true;
		return 0;
	case 'f':
		p->force = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		if (p->older_than_s == 0 || p->kinds == 0)
			argp_error(state, "--older-than and one of --tier and --kind are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"older-than", 'a', "AGE", 0, "records whose subject began before that: 30d, 12h, 2w", 0},
	{"tier", 't', "TIER", 0,
	 "content (exchange, model_call, mcp_call, span, action) or evidence (verdict, "
	 "attestation, flow, actor, coverage, loss, finding, run, change, lookup, path, crossing, "
	 "guard)",
	 0},
	{"kind", 'k', "KIND,...", 0, "these kinds", 0},
	{"dry-run", 'n', NULL, 0, "only say what would go", 0},
	{"force", 'f', NULL, 0,
	 "also below the age that records are to be kept at least (the daemon's --retain floor=)",
	 0},
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 0},
	{"socket", 's', "PATH", 0, "control socket (default " WW_SOCKET_PATH ")", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	NULL,
	"Removes the content of old records for good. Their leaves, and with them every proof, "
	"stay; "
	"a record of kind prune names what is gone and why. Runs beside the daemon or without it.",
	NULL,
	NULL,
	NULL};

static void print_result(const struct ww_prune_record *n, bool dry_run, uint64_t index)
{
	if (n->records == 0) {
		printf("nothing is that old\n");
		return;
	}
	printf("%" PRIu64 " records from %" PRIu64 " to %" PRIu64 ", of before %s, %s", n->records,
	       n->first, n->last, n->cutoff, dry_run ? "would go\n" : "are gone");
	if (!dry_run)
		printf("; record %" PRIu64 " names them\n", index);
}

static int dry_run(const struct prune *p, int dir, const struct ww_prune_input *in,
		   uint64_t floor_s)
{
	WW_AUTO(ww_ledger_reader_close_auto) struct ww_ledger_reader *reader = NULL;
	WW_AUTO(ww_prune_free_auto) struct ww_prune *run = NULL;
	struct ww_errtext why = {""};
	int r = ww_ledger_reader_open(p->state_dir, NULL, &reader, &why);

	if (r == 0)
		r = ww_prune_new(dir, in, floor_s, &run, &why);
	while (r == 0 && (r = ww_prune_look(run, ww_ledger_reader_head(reader)->size, &why)) == 1)
		r = 0;
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s", why.text);
		return r == -EPERM ? WW_EXIT_NO : WW_EXIT_UNABLE;
	}
	print_result(&ww_prune_result(run)->named, true, 0);
	return 0;
}

/* --- through the daemon -------------------------------------------------------------------------
 */

static void kinds_text(ww_kinds kinds, char *out, size_t cap)
{
	static const char *const names[] = {
#define NAME(n, v, t, d) t,
		WW_RECORD_KINDS(NAME)
#undef NAME
	};
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < WW_ARRAY_SIZE(names); i++)
		if (ww_retention_kind(ww_slice_str(names[i])) & kinds)
			n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? "," : "", names[i]);
}

static int explain(const struct prune *p, int r, const char *error)
{
	if (r == -EREMOTEIO)
		ww_log(WW_LOG_ERR, "%s", error);
	else
		ww_client_explain(p->socket, r);
	return r == -EREMOTEIO ? WW_EXIT_NO : WW_EXIT_UNABLE;
}

/* The daemon at the socket must be the one that has this ledger. */
static bool same_ledger(struct ww_slice status, const char *state_dir)
{
	WW_AUTO(ww_ledger_reader_close_auto) struct ww_ledger_reader *reader = NULL;
	struct ww_json_token origin;

	return ww_ledger_reader_open(state_dir, NULL, &reader, NULL) == 0 &&
	       ww_json_path(status, "$.status.ledger.origin", &origin, NULL) == WW_PARSE_DONE &&
	       ww_slice_eq_str(origin.raw, ww_ledger_reader_head(reader)->origin);
}

static uint64_t number(struct ww_slice status, const char *path)
{
	struct ww_json_token t;
	uint64_t v = 0;

	if (ww_json_path(status, path, &t, NULL) == WW_PARSE_DONE)
		(void)!ww_json_u64(&t, &v); /* or 0 */
	return v;
}

static int wait_for_it(const struct prune *p, struct ww_client *c, char *error, size_t cap,
		       struct ww_slice *ret_status)
{
	const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	struct ww_json_token t;
	int r;

	for (;;) {
		r = ww_client_ask(c, "{\"op\":\"status\"}", ret_status, error, cap);
		if (r < 0)
			return r;
		if (ww_json_path(*ret_status, "$.status.retention.running", &t, NULL) !=
			    WW_PARSE_DONE ||
		    t.type != WW_JSON_TRUE)
			return 0;
		nanosleep(&pause, NULL);
	}
}

static int through_daemon(const struct prune *p)
{
	WW_AUTO(ww_client_close) struct ww_client c = {.fd = -1};
	char request[512], kinds[256], error[320] = "";
	struct ww_slice status, answer;
	struct ww_json_token t;
	uint64_t before;
	int r = ww_client_open(p->socket, &c);

	if (r == 0)
		r = ww_client_ask(&c, "{\"op\":\"status\"}", &status, error, sizeof(error));
	if (r < 0)
		return explain(p, r, error);
	if (!same_ledger(status, p->state_dir)) {
		ww_log(WW_LOG_ERR, "the daemon at %s has another ledger than %s", p->socket,
		       p->state_dir);
		return WW_EXIT_UNABLE;
	}
	before = number(status, "$.status.retention.recordsPruned");
	kinds_text(p->kinds, kinds, sizeof(kinds));
	snprintf(request, sizeof(request),
		 "{\"op\":\"prune\",\"kinds\":\"%s\",\"olderThanS\":%" PRIu64 ",\"force\":%s}",
		 kinds, p->older_than_s, p->force ? "true" : "false");
	r = ww_client_ask(&c, request, &answer, error, sizeof(error));
	if (r == 0)
		r = wait_for_it(p, &c, error, sizeof(error), &status);
	if (r < 0)
		return explain(p, r, error);
	if (ww_json_path(status, "$.status.retention.error", &t, NULL) == WW_PARSE_DONE &&
	    t.type == WW_JSON_STRING) {
		ww_log(WW_LOG_ERR, "%.*s", (int)t.raw.n, (const char *)t.raw.p);
		return WW_EXIT_UNABLE;
	}
	before = number(status, "$.status.retention.recordsPruned") - before;
	if (before == 0)
		printf("nothing is that old\n");
	else
		printf("%" PRIu64 " records are gone; record %" PRIu64 " names them\n", before,
		       number(status, "$.status.retention.lastRecord"));
	return 0;
}

/* --- without one --------------------------------------------------------------------------------
 */

/* The ages that the last daemon went by. */
static int read_floor(int dir, uint64_t *ret_floor_s)
{
	struct ww_retention keep = {.floor_s = WW_RETENTION_FLOOR_S};
	WW_AUTO_BUF struct ww_buf b = {0};
	int r;

	ww_buf_init(&b, WW_RETENTION_TEXT_MAX);
	r = ww_durable_read(dir, "retention", &b);
	if (r == 0)
		r = ww_retention_parse(ww_buf_slice(&b), &keep);
	if (r < 0 && r != -ENOENT)
		return ww_log_err_r(r, "cannot read the file retention");
	*ret_floor_s = keep.floor_s;
	return 0;
}

static int run(const struct prune *p, const struct ww_prune_input *in, uint64_t floor_s)
{
	WW_AUTO(ww_prune_free_auto) struct ww_prune *run = NULL;
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *l = NULL;
	struct ww_tlog_options o = {.dir = p->state_dir};
	struct ww_errtext why = {""};
	int r = ww_ledger_open(&o, &l, &why);

	if (r == -EBUSY)
		return through_daemon(p);
	if (r == 0)
		r = ww_prune_new(ww_ledger_dir(l), in, floor_s, &run, &why);
	while (r == 0 && (r = ww_prune_step(run, l, &why)) == 1)
		r = 0;
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s%s", why.text,
		       r == -EPERM && in->older_than_s < floor_s ? "; --force does it anyway" : "");
		return r == -EPERM ? WW_EXIT_NO : WW_EXIT_UNABLE;
	}
	print_result(&ww_prune_result(run)->named, false, ww_prune_result(run)->index);
	return 0;
}

int ww_cmd_prune(int argc, char **argv)
{
	struct prune p = {.state_dir = WW_STATE_DIR, .socket = WW_SOCKET_PATH};
	struct ww_prune_input in;
	struct ww_clock_map now;
	WW_AUTO_FD int dir = -1;
	uint64_t floor_s;

	if (argp_parse(&argp, argc, argv, 0, NULL, &p) != 0)
		return WW_EXIT_USAGE;
	dir = open(p.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || faccessat(dir, "checkpoint", F_OK, 0) < 0) {
		ww_log(WW_LOG_ERR, "there is no ledger to prune in %s", p.state_dir);
		return WW_EXIT_UNABLE;
	}
	if (read_floor(dir, &floor_s) < 0)
		return WW_EXIT_UNABLE;
	ww_clock_sample(&now);
	in = (struct ww_prune_input){.kinds = p.kinds,
				     .older_than_s = p.older_than_s,
				     .now = now.wall,
				     .forced = p.force};
	return p.dry_run ? dry_run(&p, dir, &in, floor_s) : run(&p, &in, floor_s);
}
