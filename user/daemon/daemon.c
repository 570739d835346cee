/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/attest_request.h"
#include "daemon/committer.h"
#include "daemon/control.h"
#include "daemon/follower.h"
#include "daemon/identity.h"
#include "daemon/phrases_file.h"
#include "daemon/pipeline.h"
#include "daemon/policy_option.h"
#include "daemon/pruner.h"
#include "daemon/tables_folder.h"
#include "daemon/warden.h"
#include "ledger/bundle.h"
#include "ledger/durable.h"
#include "ledger/leaf.h"
#include "ledger/ledger_reader.h"
#include "ledger/sampling.h"
#include "rt/file.h"
#include "sense/event_check.h"

#define COMMIT_MS   200
#define PRIORITY    (-10)        /* on a busy host the rings must not run over */
#define LARGE_BYTES (256 * 1024) /* what is larger goes back to the system when it is freed */
#define DAY_S       86400
#define RETRY_TICKS 25 /* a stopped ledger is tried again every five seconds */

struct daemon {
	const struct ww_daemon_options *o;
	uv_loop_t loop;
	uv_timer_t commit_timer;
	uv_signal_t stops[3];
	struct ww_live *live;
	struct ww_pipeline *pipeline;
	struct ww_ledger *ledger; /* the committer's, once that is open */
	struct ww_committer *committer;
	struct ww_publisher *publisher;
	struct ww_follower *follower;
	struct ww_ledger_reader *reader;
	uint64_t pending;  /* records in the memory of a stopped ledger */
	char stopped[320]; /* why the ledger is stopped; empty: it works */
	bool resumed;      /* since the last report */
	struct ww_control *control;
	struct ww_pruner pruner;
	struct ww_buf contracts;
	struct ww_policy *policy; /* NULL: none */
	struct ww_warden *warden; /* NULL: the guard is off */
	struct ww_live_config live_config;
	struct ww_tables *tables; /* NULL: none */
	struct ww_buf phrases;
	uint64_t records_dropped; /* while the ledger was stopped */
	uint64_t dropped_since_ns;
	unsigned retry_in;
	bool prefix_wanted;
	uint8_t digest_key[32];
	time_t sampling_day;   /* of the epoch's begin, in days; 0: none yet */
	uint64_t last_life_ns; /* of the last record about the daemon */
	uint64_t attested_to;  /* behind the records of the last attestation */
};

/* --- records into the ledger ------------------------------------------------------------------ */

static void drop_records(struct daemon *d, uint64_t records)
{
	if (records && d->records_dropped == 0)
		d->dropped_since_ns = ww_boot_now().ns;
	d->records_dropped += records;
}

static void take_record(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct daemon *d = ctx;

	if (ww_committer_stage(d->committer, kind, json) < 0)
		drop_records(d, 1);
}

/* A record about the daemon itself; `more` (may be NULL) writes further members. */
static void life_with(struct daemon *d, const char *what, const char *text,
		      void (*more)(const struct daemon *d, const char *when, struct ww_jsonw *w))
{
	WW_AUTO_BUF struct ww_buf b;
	struct ww_clock_map now;
	struct ww_jsonw w;
	char when[WW_RFC3339_MAX], id[32];

	ww_clock_sample(&now);
	ww_wall_rfc3339(now.wall, when);
	if (now.boot.ns <= d->last_life_ns) /* ids are made of it */
		now.boot.ns = d->last_life_ns + 1;
	d->last_life_ns = now.boot.ns;
	snprintf(id, sizeof(id), "d-%llx", (unsigned long long)now.boot.ns);
	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "kind", "life");
	ww_jsonw_cstr(&w, "id", id);
	ww_jsonw_cstr(&w, "t", when);
	ww_jsonw_cstr(&w, "event", what);
	ww_jsonw_cstr(&w, "text", text);
	ww_jsonw_cstr(&w, "version", WW_VERSION);
	if (more)
		more(d, when, &w);
	ww_jsonw_end_object(&w);
	if (ww_jsonw_ok(&w))
		take_record(d, WW_RECORD_LIFE, ww_buf_slice(&b));
}

static void life(struct daemon *d, const char *what, const char *text)
{
	life_with(d, what, text, NULL);
}

static void write_commitment(const struct daemon *d, const char *when, struct ww_jsonw *w)
{
	uint8_t seed[WW_SAMPLING_SEED_LEN];
	struct ww_sha256 h;

	ww_sampling_seed(d->digest_key, ww_slice_str(when), seed);
	ww_sampling_commitment(seed, &h);
	explicit_bzero(seed, sizeof(seed));
	ww_jsonw_cstr(w, "epoch", when);
	ww_jsonw_hex(w, "commitment", ww_slice(h.b, sizeof(h.b)));
}

/* A new epoch of the sampling of reports: at the start and with every day of UTC. Ends the one
 * before, whose seed a report may then reveal. */
static void commit_seed(struct daemon *d)
{
	time_t day = time(NULL) / DAY_S;

	if (day == d->sampling_day)
		return;
	d->sampling_day = day;
	life_with(d, WW_SAMPLING_EVENT, NULL, write_commitment);
}

/* The ledger works again: what could not be kept meanwhile becomes a coverage gap of every scope.
 */
static void report_resumed(struct daemon *d)
{
	struct ww_event_coverage gap = {
		.h = ww_event_header(WW_EVENT_COVERAGE, sizeof(gap), ww_boot_now().ns),
		.what = WW_COVERAGE_GAP,
		.status = WW_PROBE_DETACHED};
	char text[128];

	gap.detail = gap.h.time_ns - d->dropped_since_ns;
	snprintf(text, sizeof(text), "%llu records could not be kept",
		 (unsigned long long)d->records_dropped);
	gap.path_bytes = (uint32_t)strlen(text);
	memcpy(gap.path, text, gap.path_bytes);
	if (d->records_dropped)
		ww_pipeline_feed(d->pipeline, &gap.h);
	d->records_dropped = 0;
	d->resumed = false;
	life(d, "ledger-resumed", text);
}

static void tell_stopped(struct daemon *d, const char *why)
{
	if (d->stopped[0] == '\0') {
		ww_log(WW_LOG_ERR,
		       "the ledger stopped: %s; nothing is recorded until this is mended", why);
		(void)ww_notify("STATUS=ledger stopped"); /* best effort */
	}
	snprintf(d->stopped, sizeof(d->stopped), "%s", why);
}

static void committed(void *ctx, const struct ww_committed *c)
{
	struct daemon *d = ctx;
	struct ww_errtext why;

	drop_records(d, c->refused);
	d->pending = c->pending;
	if (ww_pruner_settle(&d->pruner) && d->pruner.error < 0)
		ww_log(WW_LOG_ERR, "cannot prune: %s", d->pruner.why.text);
	if (c->stopped) {
		tell_stopped(d, c->stopped);
		return;
	}
	if (d->stopped[0]) {
		ww_log(WW_LOG_WARN, "the ledger works again; %llu records were lost meanwhile",
		       (unsigned long long)d->records_dropped);
		(void)ww_notify("STATUS=ledger works again"); /* best effort */
		d->stopped[0] = '\0';
		d->resumed = true;
	}
	if (ww_ledger_reader_refresh(d->reader, NULL, &why) < 0) {
		ww_log(WW_LOG_ERR, "cannot read back the ledger: %s", why.text);
		return;
	}
	ww_control_committed(d->control);
	ww_publisher_wake(d->publisher);
	ww_follower_wake(d->follower, c->size);
}

static void commit(struct daemon *d)
{
	bool retry = false;

	if (d->stopped[0]) {
		retry = d->retry_in == 0;
		d->retry_in = retry ? RETRY_TICKS : d->retry_in - 1;
	} else if (d->resumed || d->records_dropped) {
		report_resumed(d);
	}
	ww_committer_begin(d->committer, retry);
}

static void commit_now(struct daemon *d)
{
	ww_committer_wait(d->committer);
	ww_committer_begin(d->committer, true);
	ww_committer_wait(d->committer);
}

static void begin_prune(struct daemon *d)
{
	struct ww_clock_map now;
	int r;

	ww_clock_sample(&now);
	r = d->stopped[0] ? 0 : ww_pruner_next(&d->pruner, now.wall);
	if (r < 0)
		ww_log(WW_LOG_ERR, "cannot prune: %s", d->pruner.why.text);
	else if (r == 1)
		ww_committer_job(d->committer, ww_pruner_step, &d->pruner);
}

static void on_commit(uv_timer_t *t)
{
	struct daemon *d = t->data;
	bool want = ww_pipeline_stats(d->pipeline).unbound_sessions > 0;

	commit_seed(d);
	if (d->warden)
		ww_warden_tick(d->warden);
	if (want != d->prefix_wanted) {
		d->prefix_wanted = want;
		ww_live_want_prefix(d->live, want);
	}
	begin_prune(d);
	commit(d);
}

/* --- control ---------------------------------------------------------------------------------- */

static void status(void *ctx, struct ww_jsonw *w)
{
	struct daemon *d = ctx;
	struct ww_pipeline_stats s;
	unsigned long pages;
	struct rusage use;
	char statm[64];

	/* What happened before the question is in the answer. */
	ww_live_drain(d->live);
	s = ww_pipeline_stats(d->pipeline);

	ww_jsonw_cstr(w, "version", WW_VERSION);
	ww_jsonw_u64(w, "pid", (uint64_t)getpid());
	ww_jsonw_object(w, "pipeline");
	ww_jsonw_u64(w, "events", s.events);
	ww_jsonw_u64(w, "malformedEvents", s.malformed_events);
	ww_jsonw_u64(w, "exchanges", s.exchanges);
	ww_jsonw_u64(w, "modelCalls", s.model_calls);
	ww_jsonw_u64(w, "spans", s.spans);
	ww_jsonw_u64(w, "spansRejected", s.spans_rejected);
	ww_jsonw_u64(w, "verdicts", s.verdicts);
	ww_jsonw_u64(w, "records", s.records);
	ww_jsonw_u64(w, "liveFlows", s.live_flows);
	ww_jsonw_u64(w, "unboundSessions", s.unbound_sessions);
	ww_jsonw_u64(w, "memoryRefused", s.memory_refused);
	ww_jsonw_end_object(w);
	ww_jsonw_object(w, "ledger");
	ww_jsonw_cstr(w, "origin", ww_ledger_reader_head(d->reader)->origin);
	ww_jsonw_u64(w, "size", ww_ledger_reader_head(d->reader)->size);
	ww_jsonw_u64(w, "pending", d->pending + ww_committer_staged(d->committer));
	ww_jsonw_cstr(w, "stopped", d->stopped[0] ? d->stopped : NULL);
	ww_jsonw_u64(w, "recordsDropped", d->records_dropped);
	ww_jsonw_end_object(w);
	ww_pruner_status(&d->pruner, w);
	ww_publisher_status(d->publisher, w);
	ww_follower_status(d->follower, w);
	if (getrusage(RUSAGE_SELF, &use) == 0) {
		ww_jsonw_u64(w, "cpuUs",
			     (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 +
				     (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec));
		ww_jsonw_u64(w, "maxRssKiB", (uint64_t)use.ru_maxrss);
	}
	if (ww_file_line("/proc/self/statm", statm, sizeof(statm)) == 0 &&
	    sscanf(statm, "%*u %lu", &pages) == 1)
		ww_jsonw_u64(w, "rssKiB", pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024);
	ww_live_status(d->live, w);
	if (d->warden)
		ww_warden_status(d->warden, w);
	ww_pipeline_status(d->pipeline, w);
}

static int scope_begin(void *ctx, const char *name, char *ret_path, uint64_t *ret_id)
{
	struct daemon *d = ctx;

	return ww_live_scope_make(d->live, name, ret_path, WW_CONTROL_PATH_MAX, ret_id);
}

static void scope_end(void *ctx, uint64_t id)
{
	ww_live_scope_end(((struct daemon *)ctx)->live, id);
}

static int stream_record(void *ctx, uint64_t index, struct ww_buf *out)
{
	struct daemon *d = ctx;
	struct ww_payload p;
	int r = ww_ledger_reader_get(d->reader, index, &p);

	if (r == -ERANGE)
		return -ENODATA;
	if (r == -ENODATA || (r == 0 && p.erased))
		return -ENOENT;
	return r < 0 ? r : ww_buf_add(out, p.json.p, p.json.n);
}

static uint64_t ledger_size(void *ctx)
{
	return ww_ledger_reader_head(((struct daemon *)ctx)->reader)->size;
}

static void pending(void *ctx, void (*fn)(void *to, struct ww_slice json), void *to)
{
	struct daemon *d = ctx;

	if (d->pipeline)
		ww_pipeline_pending(d->pipeline, fn, to);
}

static void take_pending(void *ctx, struct ww_slice json)
{
	ww_control_pending(((struct daemon *)ctx)->control, json);
}

static int prune(void *ctx, ww_kinds kinds, uint64_t older_than_s, bool force,
		 struct ww_errtext *why)
{
	return ww_pruner_ask(&((struct daemon *)ctx)->pruner, kinds, older_than_s, force, why);
}

static int publish(void *ctx, const struct ww_sha256 *payload, const uint8_t sig[WW_NOTE_SIG_LEN])
{
	WW_AUTO_BUF struct ww_buf entry = {0}, record = {0};
	struct daemon *d = ctx;
	struct ww_clock_map now;
	char when[WW_RFC3339_MAX];
	int r;

	ww_clock_sample(&now);
	ww_wall_rfc3339(now.wall, when);
	ww_buf_init(&entry, WW_LEAF_BYTES_MAX);
	ww_buf_init(&record, 2 * WW_LEAF_BYTES_MAX);
	r = ww_bundle_entry(payload, sig, ww_ledger_reader_key(d->reader), &entry);
	if (r == 0)
		r = ww_bundle_record(payload, ww_buf_slice(&entry), when, &record);
	if (r == 0 && d->stopped[0])
		r = -EIO;
	return r < 0 ? r
		     : ww_committer_stage(d->committer, WW_RECORD_REPORT, ww_buf_slice(&record));
}

static int attest(void *ctx, struct ww_slice request, struct ww_jsonw *w, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf memory = {0};
	struct ww_attest_request rq = {0};
	struct ww_attest_answer answer;
	struct daemon *d = ctx;
	struct ww_attest_ask ask;
	struct ww_clock_map now;
	int r = ww_attest_request_read(request, &rq);

	ww_clock_sample(&now);
	ww_buf_init(&memory, 2 * WW_ATTEST_FOUND_MAX * WW_RECORD_BYTES_MAX);
	if (r < 0)
		(void)ww_errtext_set(why, r,
				     "attest: expected \"envelope\", \"size\", \"verdicts\" and "
				     "\"recorded\"");
	else if (d->stopped[0])
		r = ww_errtext_set(why, -EIO, "the ledger is stopped: %.200s", d->stopped);
	else if (rq.size < d->attested_to)
		r = ww_errtext_set(why, -EAGAIN, "another attestation is on its way");
	else
		r = ww_attest_request_load(&rq, d->reader, now.wall, &memory, &ask, why);
	/* What happened before is judged with what was known then. */
	if (r == 0)
		ww_live_drain(d->live);
	if (r == 0)
		r = ww_pipeline_attest(d->pipeline, &ask, &answer, why);
	if (r == 0 && !answer.repeated)
		d->attested_to = ledger_size(d) + ww_committer_staged(d->committer);
	if (r == 0)
		ww_attest_answer_write(&answer, w);
	ww_buf_done(&rq.envelope);
	return r;
}

static int guard(void *ctx, struct ww_slice request, uint32_t uid, uint32_t pid, struct ww_jsonw *w,
		 struct ww_errtext *why)
{
	struct daemon *d = ctx;
	int r;

	if (!d->warden)
		return ww_errtext_set(why, -ENOTSUP,
				      "the guard is off: the daemon has no policy whose guard is "
				      "dry-run or enforce");
	r = ww_warden_ask(d->warden, request, (struct ww_warden_who){uid, pid},
			  ww_pipeline_flows(d->pipeline), w, why);
	commit(d); /* what was done is on its way to the disk */
	return r;
}

static const struct ww_control_ops control_ops = {.status = status,
						  .scope_begin = scope_begin,
						  .scope_end = scope_end,
						  .record = stream_record,
						  .size = ledger_size,
						  .pending = pending,
						  .prune = prune,
						  .publish = publish,
						  .attest = attest,
						  .guard = guard};

/* --- start and stop --------------------------------------------------------------------------- */

static void take_event(void *ctx, const struct ww_event *ev)
{
	ww_pipeline_feed(((struct daemon *)ctx)->pipeline, ev);
}

static void on_stop(uv_signal_t *s, int signum)
{
	uv_stop(s->loop);
}

static void stop_on_signals(struct daemon *d)
{
	static const int signals[WW_ARRAY_SIZE(d->stops)] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction hup;

	for (size_t i = 0; i < WW_ARRAY_SIZE(signals); i++) {
		if (signals[i] == SIGHUP && sigaction(SIGHUP, NULL, &hup) == 0 &&
		    hup.sa_handler == SIG_IGN)
			continue; /* nohup */
		uv_signal_start(&d->stops[i], on_stop, signals[i]);
	}
}

/* Makes the last component (and the one above it) of a path; an existing folder is fine. */
static int make_dir(const char *path, mode_t mode)
{
	char parent[4096];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = '\0';
		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_ledger(struct daemon *d)
{
	struct ww_tlog_options lo = {
		.dir = d->o->state_dir, .origin = d->o->origin, .key = d->o->key};
	struct ww_errtext why = {""};
	struct utsname uts;
	char origin[128];
	int r = make_dir(d->o->state_dir, 0700);

	if (r < 0)
		return ww_log_err_r(r, "cannot make %s", d->o->state_dir);
	uname(&uts);
	snprintf(origin, sizeof(origin), "wirewitness/%.64s", uts.nodename);
	if (!lo.origin && access(d->o->state_dir, F_OK) == 0) {
		char key[4096];

		snprintf(key, sizeof(key), "%s/key", d->o->state_dir);
		lo.origin = access(key, F_OK) == 0 ? NULL : origin;
	}
	r = ww_ledger_open(&lo, &d->ledger, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "ledger %s: %s", d->o->state_dir, why.text);
		return r;
	}
	r = ww_ledger_reader_open(d->o->state_dir, NULL, &d->reader, &why);
	if (r == 0)
		r = ww_ledger_reader_refresh(d->reader, NULL, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "ledger %s: %s", d->o->state_dir, why.text);
	return r;
}

/* `wirewitness prune` goes by the same ages when no daemon runs. */
static int open_pruner(struct daemon *d)
{
	WW_AUTO_BUF struct ww_buf text = {0};
	int dir = ww_ledger_dir(d->ledger), r;

	ww_buf_init(&text, WW_RETENTION_TEXT_MAX);
	ww_pruner_init(&d->pruner, dir, &d->o->retention);
	r = ww_retention_text(&d->o->retention, &text);
	if (r == 0)
		r = ww_durable_replace(dir, "retention", 0600, ww_buf_slice(&text));
	return r < 0 ? ww_log_err_r(r, "cannot write %s/retention", d->o->state_dir) : 0;
}

/* Wipes cfg: the key gets into it. */
static int open_pipeline(struct daemon *d, struct ww_pipeline_config *cfg)
{
	struct ww_contract_error error = {0};
	int r;

	memcpy(cfg->digest_key, ww_ledger_keys(d->ledger)->digest_key, sizeof(cfg->digest_key));
	memcpy(d->digest_key, cfg->digest_key, sizeof(d->digest_key));
	cfg->contracts = ww_buf_slice(&d->contracts);
	cfg->tables = d->tables;
	cfg->policy = d->policy;
	cfg->receiver = ww_live_receiver(d->live);
	cfg->receiver_netns = ww_live_netns();
	r = ww_pipeline_new(cfg, take_record, d, &d->pipeline, &error);
	explicit_bzero(cfg, sizeof(*cfg));
	if (r < 0)
		return ww_log_err_r(r, "cannot start the pipeline");
	ww_pipeline_watch(d->pipeline, take_pending, d);
	return ww_live_files(d->live, ww_pipeline_declared(d->pipeline));
}

static int open_control(struct daemon *d)
{
	char dir[4096];
	char *slash;
	int r;

	snprintf(dir, sizeof(dir), "%s", d->o->socket_path);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		r = make_dir(dir, 0755);
		if (r < 0)
			return ww_log_err_r(r, "cannot make %s", dir);
	}
	r = ww_control_open(&d->loop, d->o->socket_path, &control_ops, d, &d->control);
	if (r == -EADDRINUSE)
		ww_log(WW_LOG_ERR, "another daemon answers at %s", d->o->socket_path);
	else if (r < 0)
		ww_log_err_r(r, "cannot listen at %s", d->o->socket_path);
	return r;
}

/* Checked before anything is made. */
static int read_witnesses(struct daemon *d)
{
	struct ww_errtext why = {""};
	int r = ww_publisher_new(&d->o->publish, &d->publisher, &why);

	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	return r;
}

static void take_publish(void *ctx, const char *event, const char *text)
{
	bool bad = strcmp(event, "publish") != 0 && strcmp(event, "publish-resumed") != 0;

	ww_log(bad ? WW_LOG_ERR : WW_LOG_INFO, "%s: %s", event, text);
	life(ctx, event, text);
}

static int open_publisher(struct daemon *d)
{
	struct ww_errtext why = {""};
	int r = ww_publisher_start(d->publisher, &d->loop, d->o->state_dir, take_publish, d, &why);

	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	return r;
}

/* Checked before anything is made; the pipeline parses them for itself. */
static int read_contracts(struct daemon *d)
{
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *parsed = NULL;
	struct ww_contract_error error = {0};
	int r;

	if (!d->o->contracts_path)
		return 0;
	r = ww_file_read(d->o->contracts_path, &d->contracts);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", d->o->contracts_path);
	r = ww_contracts_parse(ww_buf_slice(&d->contracts), &parsed, &error);
	if (r < 0 && error.text[0])
		ww_log(WW_LOG_ERR, "%s:%u: %s", d->o->contracts_path, error.line, error.text);
	else if (r < 0)
		ww_log_err_r(r, "cannot use %s", d->o->contracts_path);
	return r;
}

static int read_tables(struct daemon *d)
{
	char preset[4096];

	if ((size_t)snprintf(preset, sizeof(preset), "%s/tables", d->o->state_dir) >=
	    sizeof(preset))
		return ww_log_err_r(-ENAMETOOLONG, "cannot use %s", d->o->state_dir);
	return ww_tables_option(d->o->tables, preset, &d->tables);
}

static int open_warden(struct daemon *d)
{
	struct ww_warden_config cfg = {d->policy, d->tables, d->o->state_dir};
	struct ww_errtext why = {""};
	int r = ww_warden_new(&cfg, &d->warden, &why);

	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	return r;
}

/* A second daemon must not touch anything, and one without rights must not leave anything: the
 * ledger comes when all that can be refused was not. */
static int open_all(struct daemon *d)
{
	struct ww_pipeline_config cfg = {.grace_ns = d->o->grace_ns};
	struct ww_errtext why = {""};
	int r = read_contracts(d);

	if (r == 0)
		r = ww_phrases_option(d->o->phrases, &d->phrases, &cfg);
	if (r == 0)
		r = read_tables(d);
	if (r == 0)
		r = ww_policy_option(d->o->policy, &d->policy);
	if (r == 0)
		r = open_warden(d);
	if (r == 0)
		r = read_witnesses(d);
	if (r == 0)
		r = open_control(d);
	if (r < 0)
		return r;
	d->live_config = d->o->live;
	d->live_config.guard = ww_warden_guard(d->warden);
	r = ww_live_open(&d->loop, &d->live_config, take_event, d, &d->live, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s", why.text);
		return r;
	}
	r = open_ledger(d);
	if (r == 0)
		r = open_pruner(d);
	if (r == 0)
		r = open_pipeline(d, &cfg);
	if (r == 0)
		r = ww_committer_open(&d->loop, d->ledger, committed, d, &d->committer);
	if (r == 0)
		r = ww_follower_open(d->o->state_dir, ww_ledger_reader_head(d->reader)->size,
				     &d->follower);
	return r;
}

static int watch_cgroups(struct daemon *d)
{
	for (unsigned i = 0; i < d->o->cgroup_count; i++) {
		uint64_t id;
		int r = ww_live_scope_watch(d->live, d->o->cgroups[i], &id);

		if (r < 0)
			return ww_log_err_r(r, "cannot watch cgroup %s", d->o->cgroups[i]);
	}
	return 0;
}

static uint32_t cap_bytes(const struct daemon *d)
{
	return d->o->live.cap_bytes ? d->o->live.cap_bytes : WW_MESSAGE_BYTES_DEFAULT;
}

static void write_identity(const struct daemon *d, const char *when, struct ww_jsonw *w)
{
	struct ww_sha256 contracts = ww_pipeline_contracts(d->pipeline);

	ww_identity_write(d->live, &contracts, d->tables, d->policy, cap_bytes(d), w);
}

/* What the records of this run depend on. */
static void describe_start(const struct daemon *d, char *out, size_t cap)
{
	char boot_id[64] = "", digest[2 * WW_SHA256_LEN + 1];
	struct ww_sha256 contracts = ww_pipeline_contracts(d->pipeline);
	struct utsname uts;

	uname(&uts);
	(void)!ww_file_line("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	ww_hex_encode(ww_slice(contracts.b, sizeof(contracts.b)), digest);
	snprintf(out, cap, "kernel %s, boot %s, contracts sha256 %s, cap %u bytes", uts.release,
		 boot_id, digest, cap_bytes(d));
}

/* A clock that was set back while nobody ran: records go on in order, their times do not. */
static void tell_clock_behind(struct daemon *d)
{
	uint64_t size = ww_ledger_reader_head(d->reader)->size;
	char now_text[WW_RFC3339_MAX], text[128];
	struct ww_clock_map now;
	struct ww_json_token t;
	struct ww_payload last;

	if (size == 0 || ww_ledger_reader_get(d->reader, size - 1, &last) < 0 || last.erased ||
	    ww_json_path(last.json, "$.t", &t, NULL) != WW_PARSE_DONE || t.type != WW_JSON_STRING)
		return;
	ww_clock_sample(&now);
	ww_wall_rfc3339(now.wall, now_text);
	if (t.raw.n != strlen(now_text) || memcmp(now_text, t.raw.p, t.raw.n) >= 0)
		return;
	snprintf(text, sizeof(text), "behind record %llu of %.*s", (unsigned long long)(size - 1),
		 (int)t.raw.n, (const char *)t.raw.p);
	ww_log(WW_LOG_WARN, "the clock was set back: it is %s", text);
	life(d, "clock-step", text);
}

/* Denials are kept until they are lifted: where they do not hold, nobody may think that they do. */
static void tell_guard_off(struct daemon *d)
{
	unsigned kept = d->warden ? 0 : ww_warden_kept(d->o->state_dir);
	char text[96];

	if (kept == 0)
		return;
	snprintf(text, sizeof(text), "%u denial%s by command not in force: the guard is off", kept,
		 kept > 1 ? "s" : "");
	ww_log(WW_LOG_WARN, "%s", text);
	life(d, "guard-off", text);
}

static int serve(struct daemon *d)
{
	char text[512];
	int r;

	describe_start(d, text, sizeof(text));
	life_with(d, "start", text, write_identity);
	tell_clock_behind(d);
	tell_guard_off(d);
	commit_seed(d);
	r = ww_live_start(d->live);
	if (r == 0)
		r = watch_cgroups(d);
	if (r == 0)
		r = open_publisher(d); /* the last that can be refused: it has something to say */
	if (r < 0)
		return r;
	ww_live_drain(d->live);
	commit_now(d);
	d->commit_timer.data = d;
	uv_timer_start(&d->commit_timer, on_commit, COMMIT_MS, COMMIT_MS);
	stop_on_signals(d);
	ww_log(WW_LOG_INFO, "ready; ledger %s has %llu records",
	       ww_ledger_reader_head(d->reader)->origin,
	       (unsigned long long)ww_ledger_reader_head(d->reader)->size);
	(void)ww_notify("READY=1"); /* nobody may be listening */
	uv_run(&d->loop, UV_RUN_DEFAULT);
	(void)ww_notify("STOPPING=1");
	ww_live_settle(d->live);
	ww_live_drain(d->live);
	ww_pipeline_finish(d->pipeline);
	life(d, "stop", NULL);
	commit_now(d);
	if (d->stopped[0])
		ww_log(WW_LOG_ERR, "the ledger is still stopped: %llu records are lost",
		       (unsigned long long)(d->pending + d->records_dropped));
	return 0;
}

static void close_all(struct daemon *d)
{
	ww_control_close(d->control);
	ww_live_close(d->live);
	ww_committer_close(d->committer);
	ww_follower_close(d->follower);
	ww_publisher_close(d->publisher);
	uv_close((uv_handle_t *)&d->commit_timer, NULL);
	for (size_t i = 0; i < WW_ARRAY_SIZE(d->stops); i++)
		uv_close((uv_handle_t *)&d->stops[i], NULL);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	uv_loop_close(&d->loop);
	ww_pipeline_free(d->pipeline);
	ww_pruner_done(&d->pruner);
	ww_ledger_reader_close(d->reader);
	ww_ledger_close(d->ledger);
	ww_warden_free(d->warden);
	ww_tables_free(d->tables);
	ww_policy_free(d->policy);
	ww_buf_done(&d->contracts);
	ww_buf_done(&d->phrases);
}

int ww_daemon_run(const struct ww_daemon_options *o)
{
	struct daemon d = {.o = o};
	int r;

	signal(SIGPIPE, SIG_IGN);
	/* Without this the symbol tables of one large library raise the limit for good. */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	(void)setpriority(PRIO_PROCESS, 0, PRIORITY); /* where that is allowed */
	ww_buf_init(&d.contracts, WW_CONTRACT_FILE_BYTES);
	ww_buf_init(&d.phrases, WW_PHRASE_FILE_BYTES);
	if (uv_loop_init(&d.loop) < 0)
		return -ENOMEM;
	uv_timer_init(&d.loop, &d.commit_timer);
	for (size_t i = 0; i < WW_ARRAY_SIZE(d.stops); i++)
		uv_signal_init(&d.loop, &d.stops[i]);
	r = open_all(&d);
	if (r == 0)
		r = serve(&d);
	close_all(&d);
	explicit_bzero(d.digest_key, sizeof(d.digest_key));
	return r;
}
