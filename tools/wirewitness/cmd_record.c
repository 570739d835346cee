/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wirewitness record -o FILE -- CMD: runs a command in a watched cgroup and writes everything that
 * the pipeline would see to a tape. Needs no daemon. The pipeline runs beside it: for the count at
 * the end, and to know whether sessions are unbound.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "cmd.h"
#include "daemon/live.h"
#include "daemon/manifest.h"
#include "daemon/phrases_file.h"
#include "daemon/policy_option.h"
#include "daemon/tables_folder.h"
#include "daemon/warden.h"
#include "launch.h"
#include "rt/file.h"
#include "sense/tape.h"

#define LIBRARIES_MAX 64
/* After the command's end: flows linger; where there are claims, their evidence may still come. */
#define SETTLE_MS        600
#define SETTLE_CLAIMS_MS 2600

struct options {
	const char *tape;
	const char *contracts;
	const char *phrases;
	const char *tables;
	const char *policy;
	const char *records;
	char **argv;
	const char *libraries[LIBRARIES_MAX];
	struct ww_live_config live;
};

struct recorder {
	struct ww_tape_writer *tape;
	struct ww_pipeline *pipeline;
	struct ww_live *live;
	FILE *records;            /* NULL: not wanted */
	struct ww_tables *tables; /* NULL: none */
	struct ww_policy *policy; /* NULL: none */
	struct ww_warden *warden; /* NULL: the guard is off */
	struct ww_live_config live_config;
	struct ww_launch launch;
	uv_loop_t loop;
	uv_poll_t ended;
	uv_timer_t settle;
	uv_timer_t flush;
	bool prefix_wanted;
	int failed; /* first error of the tape */
	uint64_t last_ns;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	uint64_t v;

	switch (key) {
	case 'o':
	case 'O':
		o->tape = arg;
		return 0;
	case 'c':
		o->contracts = arg;
		return 0;
	case 'p':
		o->phrases = arg;
		return 0;
	case 'x':
		o->tables = arg;
		return 0;
	case 'P':
		o->policy = arg;
		return 0;
	case 'R':
		o->records = arg;
		return 0;
	case 't':
		o->live.otlp = strcmp(arg, "off") == 0 ? NULL : arg;
		return 0;
	case 'l':
		if (o->live.library_count >= LIBRARIES_MAX)
			argp_error(state, "more than %d libraries", LIBRARIES_MAX);
		o->libraries[o->live.library_count++] = arg;
		return 0;
	case 'L':
		o->live.no_default_libraries = true;
		return 0;
	case 'b':
		if (ww_slice_u64(ww_slice_str(arg), &v) < 0 || v < 1 ||
		    v > WW_CHUNKS_PER_CALL_MAX * WW_CHUNK_BYTES_MAX)
			argp_error(state, "--cap: expected bytes, got '%s'", arg);
		o->live.cap_bytes = (uint32_t)v;
		return 0;
	case ARGP_KEY_ARG:
		o->argv = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!o->tape)
			argp_error(state, "-O FILE: where the tape goes is missing");
		if (!o->argv)
			argp_error(state, "what to run is missing: -- COMMAND");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"output", 'O', "FILE", 0,
	 "the tape; never overwritten (it holds plaintext: keep it private)", 0},
	{NULL, 'o', NULL, OPTION_ALIAS, NULL, 0},
	{"contracts", 'c', "FILE", 0, "tool contracts, kept on the tape", 0},
	{"phrases", 'p', "FILE", 0,
	 "phrase rules beside the product's, kept on the tape, or 'off' (default 'on')", 0},
	{"tables", 'x', "DIR", 0,
	 "address tables for what is listed of peers; their digest is kept on the tape", 0},
	{"policy", 'P', "FILE", 0, "where the bytes of agents may go, kept on the tape", 0},
	{"records", 'R', "FILE", 0, "write the records as well, one JSON object per line", 0},
	{"otlp", 't', "ADDR:PORT", 0, "OTLP/HTTP receiver, or 'off' (default 127.0.0.1:4318)", 0},
	{"tls-library", 'l', "FILE", 0,
	 "set probes in this TLS library before its first use (repeatable)", 0},
	{"no-default-libraries", 'L', NULL, 0,
	 "do not look for the system's own TLS libraries at start", 0},
	{"cap", 'b', "BYTES", 0, "plaintext captured per TLS call (default 1048576)", 0},
	{0},
};

static const struct argp argp = {argp_options,
				 parse,
				 "-O FILE -- COMMAND [ARGUMENT...]",
				 "Runs COMMAND in a watched cgroup and records all its events.",
				 NULL,
				 NULL,
				 NULL};

static void take_event(void *ctx, const struct ww_event *ev)
{
	struct recorder *rec = ctx;
	int r;

	if (ev->time_ns > rec->last_ns)
		rec->last_ns = ev->time_ns;
	if (rec->failed == 0) {
		r = ww_tape_write(rec->tape, ev);
		if (r < 0) {
			rec->failed = r;
			ww_log_err_r(r, "the tape stops here");
		}
	}
	ww_pipeline_feed(rec->pipeline, ev);
}

static void take_record(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct recorder *rec = ctx;

	if (!rec->records)
		return;
	fwrite(json.p, 1, json.n, rec->records);
	fputc('\n', rec->records);
}

static void on_settled(uv_timer_t *t)
{
	uv_stop(t->loop);
}

static void on_ended(uv_poll_t *p, int status, int events)
{
	struct recorder *rec = p->data;

	uv_poll_stop(p);
	uv_timer_start(&rec->settle, on_settled,
		       ww_pipeline_stats(rec->pipeline).spans > 0 ? SETTLE_CLAIMS_MS : SETTLE_MS,
		       0);
}

static void on_flush(uv_timer_t *t)
{
	struct recorder *rec = t->data;
	bool want = ww_pipeline_stats(rec->pipeline).unbound_sessions > 0;

	if (want != rec->prefix_wanted) {
		rec->prefix_wanted = want;
		ww_live_want_prefix(rec->live, want);
	}
	if (rec->failed == 0)
		rec->failed = ww_tape_flush(rec->tape);
}

static int read_contracts(const struct options *o, struct ww_buf *out)
{
	int r = o->contracts ? ww_file_read(o->contracts, out) : 0;

	return r < 0 ? ww_log_err_r(r, "cannot read %s", o->contracts) : 0;
}

/* The manifest, the tape and the pipeline, from one and the same configuration. */
static int open_outputs(struct recorder *rec, const struct options *o,
			struct ww_pipeline_config cfg)
{
	struct ww_contract_error error = {0};
	WW_AUTO_BUF struct ww_buf manifest = {.max = WW_MANIFEST_BYTES_MAX};
	struct utsname uts;
	struct ww_jsonw w;
	char boot_id[64] = "";
	int r;

	cfg.receiver = ww_live_receiver(rec->live);
	cfg.receiver_netns = ww_live_netns();
	if (getrandom(cfg.digest_key, sizeof(cfg.digest_key), 0) != (ssize_t)sizeof(cfg.digest_key))
		return -EIO;
	r = ww_pipeline_new(&cfg, take_record, rec, &rec->pipeline, &error);
	if (r == -EINVAL)
		ww_log(WW_LOG_ERR, "%s:%u: %s", o->contracts, error.line, error.text);
	if (r == 0)
		r = ww_live_files(rec->live, ww_pipeline_declared(rec->pipeline));
	if (r < 0)
		return r;
	uname(&uts);
	(void)!ww_file_line("/proc/sys/kernel/random/boot_id", boot_id,
			    sizeof(boot_id)); /* empty when hidden */
	ww_jsonw_init(&w, &manifest);
	ww_manifest_write(&cfg, uts.release, boot_id, &w);
	if (!ww_jsonw_ok(&w))
		return -EMSGSIZE;
	r = ww_tape_create(o->tape, ww_buf_slice(&manifest), &rec->tape);
	return r < 0 ? ww_log_err_r(r, "cannot make the tape %s", o->tape) : 0;
}

static int run_command(struct recorder *rec, const struct options *o)
{
	char name[64], path[512];
	uint64_t id;
	int r;

	snprintf(name, sizeof(name), "record-%d", getpid());
	r = ww_live_scope_make(rec->live, name, path, sizeof(path), &id);
	if (r < 0)
		return ww_log_err_r(r, "cannot watch a new cgroup");
	ww_live_drain(rec->live);
	r = ww_launch(path, o->argv, &rec->launch);
	if (r < 0) {
		ww_live_scope_end(rec->live, id);
		return ww_log_err_r(r, "cannot run %s", o->argv[0]);
	}
	uv_poll_init(&rec->loop, &rec->ended, rec->launch.pidfd);
	rec->ended.data = rec;
	uv_poll_start(&rec->ended, UV_READABLE, on_ended);
	uv_timer_init(&rec->loop, &rec->settle);
	uv_timer_init(&rec->loop, &rec->flush);
	rec->flush.data = rec;
	uv_timer_start(&rec->flush, on_flush, 200, 200);
	uv_run(&rec->loop, UV_RUN_DEFAULT);
	ww_live_settle(rec->live);
	ww_live_drain(rec->live);
	ww_live_scope_end(rec->live, id);
	ww_live_drain(rec->live);
	if (ww_live_scopes(rec->live) > 0)
		ww_log(WW_LOG_WARN,
		       "the command has ended, processes that it began have not: what they do from "
		       "now on is not recorded");
	uv_close((uv_handle_t *)&rec->ended, NULL);
	uv_close((uv_handle_t *)&rec->settle, NULL);
	uv_close((uv_handle_t *)&rec->flush, NULL);
	return 0;
}

static int finish(struct recorder *rec)
{
	struct ww_pipeline_stats s;
	int r = ww_tape_close(rec->tape, rec->last_ns);

	rec->tape = NULL;
	if (rec->failed == 0)
		rec->failed = r;
	ww_pipeline_finish(rec->pipeline);
	s = ww_pipeline_stats(rec->pipeline);
	ww_log(WW_LOG_INFO, "%llu events, %llu exchanges, %llu spans, %llu verdicts",
	       (unsigned long long)s.events, (unsigned long long)s.exchanges,
	       (unsigned long long)s.spans, (unsigned long long)s.verdicts);
	if (rec->records && fclose(rec->records) != 0 && rec->failed == 0)
		rec->failed = -errno;
	rec->records = NULL;
	return rec->failed;
}

/* As everywhere: what is there stays, and the answer is no. */
static int refuse_existing(const char *path)
{
	if (!path || access(path, F_OK) < 0)
		return 0;
	ww_log(WW_LOG_ERR, "%s exists, and record overwrites nothing", path);
	return -EEXIST;
}

static int open_warden(struct recorder *rec)
{
	struct ww_warden_config cfg = {.policy = rec->policy, .tables = rec->tables};
	struct ww_errtext why = {""};
	int r = ww_warden_new(&cfg, &rec->warden, &why);

	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	return r;
}

static int record(struct recorder *rec, const struct options *o)
{
	WW_AUTO_BUF struct ww_buf contracts, phrases;
	struct ww_pipeline_config cfg = {0};
	struct ww_errtext why = {""};
	int r;

	ww_buf_init(&contracts, WW_CONTRACT_FILE_BYTES);
	ww_buf_init(&phrases, WW_PHRASE_FILE_BYTES);
	r = refuse_existing(o->tape);
	if (r == 0)
		r = refuse_existing(o->records);
	if (r == 0)
		r = read_contracts(o, &contracts);
	cfg.contracts = ww_buf_slice(&contracts);
	if (r == 0)
		r = ww_phrases_option(o->phrases, &phrases, &cfg);
	if (r == 0)
		r = ww_tables_option(o->tables, NULL, &rec->tables);
	cfg.tables = rec->tables;
	if (r == 0)
		r = ww_policy_option(o->policy, &rec->policy);
	cfg.policy = rec->policy;
	if (r == 0)
		r = open_warden(rec);
	if (r < 0)
		return r;
	if (o->records) {
		rec->records = fopen(o->records, "wxe");
		if (!rec->records)
			return ww_log_err_r(-errno, "cannot write %s", o->records);
	}
	rec->live_config = o->live;
	rec->live_config.guard = ww_warden_guard(rec->warden);
	r = ww_live_open(&rec->loop, &rec->live_config, take_event, rec, &rec->live, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s", why.text);
		return r;
	}
	r = open_outputs(rec, o, cfg);
	if (r == 0)
		r = ww_live_start(rec->live);
	return r < 0 ? r : run_command(rec, o);
}

int ww_cmd_record(int argc, char **argv)
{
	struct options o = {.live = {.otlp = "127.0.0.1:4318"}};
	struct recorder rec = {.launch = {.pidfd = -1}};
	int r, code = WW_EXIT_UNABLE;

	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	o.live.libraries = o.libraries;
	if (uv_loop_init(&rec.loop) < 0)
		return WW_EXIT_UNABLE;
	r = record(&rec, &o);
	if (r == 0) {
		code = ww_launch_wait(&rec.launch);
		if (finish(&rec) < 0)
			code = WW_EXIT_UNABLE;
	} else if (r == -EEXIST) {
		code = WW_EXIT_NO;
	}
	ww_live_close(rec.live);
	uv_run(&rec.loop, UV_RUN_DEFAULT);
	uv_loop_close(&rec.loop);
	ww_pipeline_free(rec.pipeline);
	ww_warden_free(rec.warden);
	ww_tables_free(rec.tables);
	ww_policy_free(rec.policy);
	return code;
}
