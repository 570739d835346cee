/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/live.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "claim/otlp_receiver.h"
#include "daemon/digester.h"
#include "daemon/nest.h"
#include "join/deeds.h"
#include "rt/address.h"
#include "sense/changes.h"
#include "sense/event_check.h"
#include "sense/guard.h"
#include "sense/sense.h"
#include "sense/stdio.h"
#include "sense/target.h"
#include "sense/unix_peer.h"

#define POLL_MS          10
#define TICK_NS          100000000ull
#define CLOCK_NS         10000000000ull
#define STAT_NS          500000000ull /* less than a verdict waits: live sockets are judged too */
#define SCOPES_MAX       64
#define FILES_LISTED_MAX 64 /* templates in a status */
/* Of the OTLP receiver in a row: a few megabytes, then events have their turn. */
#define RECEIVER_RUNS 64

/* When a new process is looked at for TLS libraries, after its exec: loaders need a few
 * milliseconds. */
static const uint64_t scan_after_ns[] = {0,         5000000,   15000000,   40000000,
					 100000000, 250000000, 1000000000, 3000000000};

struct scan {
	uint32_t pid;
	uint64_t start_ns;
	uint64_t cgroup;
	uint64_t exec_ns;
	unsigned step;
};

#define SCANS_MAX 1024

struct scope {
	uint64_t id;
	char path[512];
	int lock; /* of a run's cgroup, which goes with the scope; -1: not ours */
	bool ending;
};

struct ww_live {
	uv_loop_t *loop;
	uv_poll_t ring_poll, otlp_poll;
	uv_timer_t timer;
	unsigned handles; /* open uv handles */
	const struct ww_live_config *cfg;
	ww_live_fn fn;
	void *ctx;
	struct ww_sense *sense;
	struct ww_targets *targets;
	struct ww_stdio *stdio;
	struct ww_digester *digester;
	struct ww_changes *changes; /* NULL: no contract declares files */
	struct ww_otlp_receiver *receiver;
	struct ww_endpoint receiver_end;
	uint64_t ticked_ns, clocked_ns, stat_ns;
	unsigned scope_count;
	struct scope scopes[SCOPES_MAX];
	unsigned scan_count;
	struct scan scans[SCANS_MAX];
	uint64_t scans_refused;
};

/* --- finding TLS libraries ----------------------------------------------------------------------
 */

static void tell_file(struct ww_live *l, const struct ww_target_file *f, int attached)
{
	struct ww_event_coverage ev = {
		.h = ww_event_header(WW_EVENT_COVERAGE, sizeof(ev), ww_boot_now().ns),
		.what = WW_COVERAGE_TLS_FILE,
		.detail = f->plan->stack,
		.inode = f->inode,
		.dev = (uint32_t)f->dev,
		.file = f->index,
		.status = attached == 0 ? WW_PROBE_ATTACHED : WW_PROBE_FAILED};

	ev.path_bytes = (uint32_t)strnlen(f->path, WW_PATH_BYTES_MAX);
	memcpy(ev.path, f->path, ev.path_bytes);
	l->fn(l->ctx, &ev.h);
}

static void found_file(void *ctx, const struct ww_target_file *f)
{
	struct ww_live *l = ctx;
	int r = ww_sense_attach(l->sense, f->fd, f->index, f->plan);

	if (r < 0)
		ww_log_err_r(r, "cannot set probes in %s", f->path);
	else
		ww_log(WW_LOG_DEBUG, "probes set in %s", f->path);
	tell_file(l, f, r);
	ww_digester_add(l->digester, f);
}

static void take_digest(void *ctx, const struct ww_event_file *ev)
{
	struct ww_live *l = ctx;

	l->fn(l->ctx, &ev->h);
}

static void found_opaque(void *ctx, const struct ww_target_opaque *o)
{
	struct ww_live *l = ctx;
	struct ww_event_coverage ev = {
		.h = ww_event_header(WW_EVENT_COVERAGE, sizeof(ev), ww_boot_now().ns),
		.what = WW_COVERAGE_OPAQUE,
		.status = WW_PROBE_FAILED};

	ev.h.actor = o->actor;
	ev.h.cgroup = o->cgroup;
	ev.path_bytes = (uint32_t)strnlen(o->reason, WW_PATH_BYTES_MAX);
	memcpy(ev.path, o->reason, ev.path_bytes);
	l->fn(l->ctx, &ev.h);
}

static void found_use(void *ctx, const struct ww_target_use *u)
{
	struct ww_live *l = ctx;
	struct ww_event_coverage ev = {
		.h = ww_event_header(WW_EVENT_COVERAGE, sizeof(ev), ww_boot_now().ns),
		.what = WW_COVERAGE_PROCESS,
		.file = u->index,
		.status = WW_PROBE_ATTACHED};

	ev.h.actor = u->actor;
	ev.h.cgroup = u->cgroup;
	l->fn(l->ctx, &ev.h);
}

static void given_up(void *ctx, uint32_t index)
{
	ww_sense_detach(((struct ww_live *)ctx)->sense, index);
}

static const struct ww_target_ops target_ops = {found_file, found_opaque, found_use, given_up};

static void scan_soon(struct ww_live *l, const struct ww_event *ev)
{
	/* A look may have met the new program before this event came. */
	ww_targets_executed(l->targets, ev->actor);
	for (unsigned i = 0; i < l->scan_count; i++) {
		struct scan *s = &l->scans[i];

		if (s->pid == ev->actor.pid && s->start_ns == ev->actor.start_ns) {
			s->exec_ns = ev->time_ns;
			s->step = 0;
			return;
		}
	}
	if (l->scan_count >= SCANS_MAX) {
		l->scans_refused++;
		return;
	}
	l->scans[l->scan_count++] = (struct scan){.pid = ev->actor.pid,
						  .start_ns = ev->actor.start_ns,
						  .cgroup = ev->cgroup,
						  .exec_ns = ev->time_ns};
}

static void run_scans(struct ww_live *l, uint64_t now)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < l->scan_count; i++) {
		struct scan s = l->scans[i];

		if (now >= s.exec_ns + scan_after_ns[s.step]) {
			struct ww_actor_key actor = {.pid = s.pid, .start_ns = s.start_ns};

			if (ww_targets_scan(l->targets, actor, s.cgroup, &target_ops, l) == -ESRCH)
				continue; /* gone */
			s.step++;
		}
		if (s.step < sizeof(scan_after_ns) / sizeof(scan_after_ns[0]))
			l->scans[kept++] = s;
	}
	l->scan_count = kept;
}

/* --- channels -----------------------------------------------------------------------------------
 */

static int set_stdio(void *ctx, uint32_t pid, int fd, const struct ww_stdio_plan *plan,
		     int *ret_link)
{
	return ww_sense_stdio_set(((struct ww_live *)ctx)->sense, pid, fd, plan, ret_link);
}

static void close_link(uv_work_t *work)
{
	close((int)(intptr_t)work->data);
}

static void closed_link(uv_work_t *work, int status)
{
	free(work);
}

/* The kernel waits until no processor is in a probe: not here. */
static void unset_stdio(void *ctx, uint32_t pid, int link)
{
	uv_work_t *work = malloc(sizeof(*work));

	ww_sense_stdio_unset(((struct ww_live *)ctx)->sense, pid);
	if (work) {
		work->data = (void *)(intptr_t)link;
		if (uv_queue_work(((struct ww_live *)ctx)->loop, work, close_link, closed_link) ==
		    0)
			return;
	}
	free(work);
	close(link);
}

static int take_end(void *ctx, const struct ww_stdio_key *key, const struct ww_stdio_state *state)
{
	return ww_sense_stdio_take(((struct ww_live *)ctx)->sense, key, state);
}

static void leave_end(void *ctx, const struct ww_stdio_key *key)
{
	ww_sense_stdio_leave(((struct ww_live *)ctx)->sense, key);
}

static void tell_stdio(void *ctx, const struct ww_event_stdio *ev)
{
	struct ww_live *l = ctx;

	l->fn(l->ctx, &ev->h);
}

static const struct ww_stdio_ops stdio_ops = {set_stdio, unset_stdio, take_end, leave_end,
					      tell_stdio};

/* --- events -------------------------------------------------------------------------------------
 */

static void take_unix(struct ww_live *l, const struct ww_event_unix *ev)
{
	struct ww_event_unix copy = *ev;
	const char *cgroup = NULL;

	for (unsigned i = 0; i < l->scope_count; i++) {
		if (l->scopes[i].id == ev->h.cgroup)
			cgroup = l->scopes[i].path;
	}
	copy.absent = ww_unix_peer_absent(ev, cgroup);
	l->fn(l->ctx, &copy.h);
}

static void take_stdio(struct ww_live *l, const struct ww_event_stdio *ev)
{
	size_t mount = strlen(ww_sense_cgroup_mount(l->sense));

	if (!ev->born)
		l->fn(l->ctx, &ev->h); /* its exact start */
	if (!ev->end[0].kind)
		return;
	for (unsigned i = 0; i < l->scope_count; i++) {
		if (l->scopes[i].id == ev->h.cgroup)
			ww_stdio_found(l->stdio, ev, l->scopes[i].path + mount);
	}
}

static void take_stdio_data(struct ww_live *l, const struct ww_event_stdio_data *ev)
{
	struct ww_event_stdio_data bare;

	switch (ww_stdio_wants(l->stdio, ev)) {
	case WW_STDIO_WANTED:
		l->fn(l->ctx, &ev->h);
		break;
	case WW_STDIO_UNDECIDED:
		bare = *ev;
		bare.h.size = sizeof(bare);
		bare.captured = 0;
		bare.line = ev->captured && ev->bytes[ev->captured - 1] == '\n';
		l->fn(l->ctx, &bare.h);
		break;
	case WW_STDIO_OTHER:
		break;
	}
}

/* Mounts of its own may show the host's file all the same, as sandboxes do. */
static void take_exec(struct ww_live *l, const struct ww_event_exec *ev)
{
	struct ww_event_exec copy = *ev;
	char path[WW_PATH_BYTES_MAX + 1];
	struct stat st;

	snprintf(path, sizeof(path), "%.*s", (int)ev->path_bytes, ev->path);
	copy.own_mounts = ev->path_bytes == 0 || stat(path, &st) < 0 || st.st_dev != ev->exe_dev ||
			  st.st_ino != ev->exe_inode;
	l->fn(l->ctx, &copy.h);
}

static void take_guard(struct ww_live *l, const struct ww_event_guard *ev)
{
	struct ww_event_guard copy = *ev;

	l->cfg->guard.explain(l->cfg->guard.ctx, &copy);
	l->fn(l->ctx, &copy.h);
}

static void take_event(void *ctx, const struct ww_event *ev)
{
	struct ww_live *l = ctx;

	if (l->changes)
		ww_changes_note(l->changes, ev, l->fn, l->ctx);
	switch (ev->kind) {
	case WW_EVENT_UNIX_PEER:
		take_unix(l, (const struct ww_event_unix *)ev);
		return;
	case WW_EVENT_PROC_EXEC:
	case WW_EVENT_PROC_INFO:
	case WW_EVENT_FLOW_OPEN:
		if (ev->actor.pid)
			scan_soon(l, ev);
		if (ev->kind != WW_EVENT_PROC_EXEC ||
		    !((const struct ww_event_exec *)ev)->own_mounts)
			break;
		take_exec(l, (const struct ww_event_exec *)ev);
		return;
	case WW_EVENT_STDIO: /* what becomes of it is told in its place */
		take_stdio(l, (const struct ww_event_stdio *)ev);
		return;
	case WW_EVENT_STDIO_DATA:
		take_stdio_data(l, (const struct ww_event_stdio_data *)ev);
		return;
	case WW_EVENT_GUARD:
		take_guard(l, (const struct ww_event_guard *)ev);
		return;
	case WW_EVENT_PROC_EXIT:
		ww_stdio_exited(l->stdio, ev->actor);
		break;
	default:
		break;
	}
	l->fn(l->ctx, ev);
}

static void tell_clock(struct ww_live *l)
{
	struct ww_clock_map now;
	struct ww_event_clock ev;

	ww_clock_sample(&now);
	ev = (struct ww_event_clock){.h = ww_event_header(WW_EVENT_CLOCK, sizeof(ev), now.boot.ns),
				     .wall_ns = now.wall.ns,
				     .bound_ns = now.bound_ns};
	l->fn(l->ctx, &ev.h);
	l->clocked_ns = now.boot.ns;
}

static void tell_scope(struct ww_live *l, const struct scope *s, bool entered)
{
	struct ww_event_scope ev = {
		.h = ww_event_header(WW_EVENT_SCOPE, sizeof(ev), ww_boot_now().ns),
		.entered = entered};

	ev.h.cgroup = s->id;
	ev.path_bytes = (uint32_t)strnlen(s->path, WW_PATH_BYTES_MAX);
	memcpy(ev.path, s->path, ev.path_bytes);
	if (l->changes)
		ww_changes_note(l->changes, &ev.h, l->fn, l->ctx);
	l->fn(l->ctx, &ev.h);
}

static void tell_sockets(struct ww_live *l, const struct scope *s, uint32_t covers,
			 uint16_t probe_status)
{
	struct ww_event_coverage ev = {
		.h = ww_event_header(WW_EVENT_COVERAGE, sizeof(ev), ww_boot_now().ns),
		.what = WW_COVERAGE_SOCKETS,
		.status = probe_status,
		.detail = covers};

	ev.h.cgroup = s->id;
	l->fn(l->ctx, &ev.h);
}

/* A run's cgroup stays when somebody is still in it. */
static void give_up(const struct scope *s)
{
	if (s->lock < 0)
		return;
	if (rmdir(s->path) < 0 && errno != ENOENT && errno != EBUSY)
		ww_log_err_r(-errno, "cannot remove %s", s->path);
	close(s->lock);
}

static void end_empty_scopes(struct ww_live *l)
{
	bool counted = false;
	unsigned kept = 0;

	for (unsigned i = 0; i < l->scope_count; i++) {
		struct scope *s = &l->scopes[i];

		if (!s->ending || !ww_nest_is_empty(s->path)) {
			l->scopes[kept++] = *s;
			continue;
		}
		/* Its sockets may close after their last process: what they carried is asked for
		 * while they are still watched. */
		if (!counted) {
			ww_sense_flow_stats(l->sense);
			(void)ww_sense_drain(l->sense, take_event,
					     l); /* the next one tells the time */
		}
		counted = true;
		ww_sense_scope_remove(l->sense, s->id);
		tell_scope(l, s, false);
		give_up(s);
	}
	l->scope_count = kept;
}

static void tick(struct ww_live *l, uint64_t now)
{
	struct ww_event ev = ww_event_header(WW_EVENT_TICK, sizeof(ev), now);

	ww_sense_losses(l->sense, take_event, l);
	if (now - l->clocked_ns >= CLOCK_NS)
		tell_clock(l);
	l->fn(l->ctx, &ev);
	l->ticked_ns = now;
	end_empty_scopes(l);
}

/* Returns the time up to which everything was delivered. */
static uint64_t deliver(struct ww_live *l)
{
	uint64_t now = ww_sense_drain(l->sense, take_event, l), read;

	if (!l->changes)
		return now;
	ww_changes_look(l->changes, l->fn, l->ctx);
	read = ww_changes_read(l->changes);
	now = ww_sense_drain(l->sense, take_event, l); /* whoever changed something is known now */
	if (!ww_changes_deliver(l->changes, now, l->fn, l->ctx))
		return l->ticked_ns;
	return read < now ? read : now;
}

static void drain(struct ww_live *l, bool always_tick)
{
	uint64_t now = deliver(l);

	run_scans(l, now);
	ww_stdio_run(l->stdio, now);
	if (now - l->stat_ns >= STAT_NS) {
		l->stat_ns = now;
		ww_sense_flow_stats(l->sense);
	}
	if (now > l->ticked_ns && (always_tick || now - l->ticked_ns >= TICK_NS))
		tick(l, now);
}

void ww_live_settle(struct ww_live *l)
{
	ww_digester_wait(l->digester);
	if (ww_sense_guard(l->sense))
		ww_guard_sweep(ww_sense_guard(l->sense), true);
}

void ww_live_drain(struct ww_live *l)
{
	drain(l, true);
}

static void run_receiver(struct ww_live *l);

static void on_timer(uv_timer_t *t)
{
	drain(t->data, false);
	run_receiver(t->data);
}

static void on_ring(uv_poll_t *p, int status, int events)
{
	drain(p->data, false);
}

/* --- claims
 * --------------------------------------------------------------------------------------- */

/* Spans are mapped by the last sample: it must be one from after the clock was set. */
static void refresh_clock(struct ww_live *l)
{
	if (ww_boot_now().ns - l->clocked_ns >= TICK_NS)
		tell_clock(l);
}

static int accept_claim(void *ctx, const struct ww_endpoint *from, const struct ww_endpoint *to,
			enum ww_claim_encoding encoding, struct ww_slice body)
{
	struct ww_live *l = ctx;
	size_t size = sizeof(struct ww_event_claim) + body.n;
	WW_AUTO_FREE struct ww_event_claim *ev = NULL;

	if (size > WW_TAPE_EVENT_BYTES_MAX)
		return -EAGAIN;
	/* The sender's socket events first: they name its process. */
	(void)ww_sense_drain(l->sense, take_event, l);
	refresh_clock(l);
	ev = malloc(size);
	if (!ev)
		return -EAGAIN;
	*ev = (struct ww_event_claim){.h = ww_event_header(WW_EVENT_CLAIM, size, ww_boot_now().ns),
				      .from = *from,
				      .to = *to,
				      .encoding = encoding,
				      .bytes = (uint32_t)body.n};
	if (body.n)
		memcpy(ev->body, body.p, body.n);
	l->fn(l->ctx, &ev->h);
	return 0;
}

/* Its descriptor tells of what arrives, once: what a run leaves over is the next run's. */
static void run_receiver(struct ww_live *l)
{
	if (!l->receiver)
		return;
	for (unsigned i = 0; i < RECEIVER_RUNS; i++) {
		ww_otlp_receiver_run(l->receiver);
		if (ww_otlp_receiver_timeout_ms(l->receiver) != 0)
			break;
	}
}

static void on_otlp(uv_poll_t *p, int status, int events)
{
	run_receiver(p->data);
}

static int open_receiver(struct ww_live *l, const char *otlp, struct ww_errtext *why)
{
	struct ww_otlp_receiver_config cfg = {0};
	int r = ww_address_parse(otlp, &cfg.bind);

	if (r < 0)
		return ww_errtext_set(why, r, "--otlp: expected ADDRESS:PORT, got '%s'", otlp);
	r = ww_otlp_receiver_open(&cfg, accept_claim, l, &l->receiver);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot listen for OTLP at %s", otlp);
	l->receiver_end.family = cfg.bind.ss_family;
	l->receiver_end.port = ww_otlp_receiver_port(l->receiver);
	if (cfg.bind.ss_family == AF_INET)
		memcpy(l->receiver_end.addr, &((struct sockaddr_in *)&cfg.bind)->sin_addr, 4);
	else
		memcpy(l->receiver_end.addr, &((struct sockaddr_in6 *)&cfg.bind)->sin6_addr, 16);
	return 0;
}

struct ww_sense *ww_live_sense(struct ww_live *l)
{
	return l->sense;
}

void ww_live_tell(struct ww_live *l, const struct ww_event *ev)
{
	l->fn(l->ctx, ev);
}

uint32_t ww_live_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

struct ww_endpoint ww_live_receiver(const struct ww_live *l)
{
	return l->receiver_end;
}

/* --- scopes
 * --------------------------------------------------------------------------------------- */

static uint64_t agents_of(const struct ww_live *l, const char *path)
{
	const struct ww_live_guard *g = &l->cfg->guard;
	size_t mount = strlen(ww_sense_cgroup_mount(l->sense));

	return g->agents ? g->agents(g->ctx, strlen(path) > mount ? path + mount : "/") : 0;
}

/* lock: see struct scope; it stays the caller's on failure. */
static int scope_add(struct ww_live *l, const char *path, int lock, uint64_t *ret_id)
{
	uint32_t covers = 0;
	struct scope *s;
	int r;

	if (l->scope_count >= SCOPES_MAX)
		return -ENOSPC;
	s = &l->scopes[l->scope_count];
	*s = (struct scope){.lock = lock};
	snprintf(s->path, sizeof(s->path), "%s", path);
	r = ww_sense_scope_add(l->sense, path, agents_of(l, path), &s->id, &covers);
	if (r < 0)
		return r;
	l->scope_count++;
	tell_scope(l, s, true);
	tell_sockets(l, s, covers, WW_PROBE_ATTACHED);
	*ret_id = s->id;
	return 0;
}

int ww_live_scope_make(struct ww_live *l, const char *name, char *ret_path, size_t cap,
		       uint64_t *ret_id)
{
	WW_AUTO_FD int lock = -1;
	char path[512];
	int r = ww_nest_make(ww_sense_cgroup_mount(l->sense), l->cfg->owner, name, path,
			     cap < sizeof(path) ? cap : sizeof(path), &lock);

	if (r == 0)
		r = scope_add(l, path, lock, ret_id);
	if (r < 0) {
		if (lock >= 0)
			rmdir(path);
		return r;
	}
	lock = -1; /* the scope's now */
	snprintf(ret_path, cap, "%s", path);
	return 0;
}

/* Processes that were there before us: the pipeline hears of each, and their libraries are looked
 * for. */
static int take_members(struct ww_live *l, const struct scope *s)
{
	return ww_sense_scope_members(l->sense, s->path, s->id, take_event, l);
}

int ww_live_scope_watch(struct ww_live *l, const char *path, uint64_t *ret_id)
{
	char full[512];
	int r;

	if (path[0] == '/')
		snprintf(full, sizeof(full), "%s", path);
	else
		snprintf(full, sizeof(full), "%s/%s", ww_sense_cgroup_mount(l->sense), path);
	r = scope_add(l, full, -1, ret_id);
	return r < 0 ? r : take_members(l, &l->scopes[l->scope_count - 1]);
}

/* For how long nobody watched is not known: at most since the host started. */
static void tell_gap(struct ww_live *l, const struct scope *s)
{
	static const char text[] = "the monitor did not run";
	struct ww_event_coverage ev = {
		.h = ww_event_header(WW_EVENT_COVERAGE, sizeof(ev), ww_boot_now().ns),
		.what = WW_COVERAGE_GAP,
		.status = WW_PROBE_DETACHED,
		.path_bytes = sizeof(text) - 1};

	ev.h.cgroup = s->id;
	ev.detail = ev.h.time_ns;
	memcpy(ev.path, text, ev.path_bytes);
	l->fn(l->ctx, &ev.h);
}

/* A run whose daemon is gone; nobody holds it any more, so it ends with its last process. */
static void watch_again(void *ctx, const char *path, int lock)
{
	struct ww_live *l = ctx;
	struct scope *s;
	uint64_t id;
	int r = scope_add(l, path, lock, &id);

	if (r < 0) {
		ww_log_err_r(r, "cannot watch %s again", path);
		close(lock);
		return;
	}
	s = &l->scopes[l->scope_count - 1];
	s->ending = true;
	tell_gap(l, s);
	r = take_members(l, s);
	if (r < 0)
		ww_log_err_r(r, "cannot list the processes of %s", path);
	ww_log(WW_LOG_INFO, "watching %s again", path);
}

void ww_live_scope_end(struct ww_live *l, uint64_t id)
{
	for (unsigned i = 0; i < l->scope_count; i++) {
		if (l->scopes[i].id == id)
			l->scopes[i].ending = true;
	}
}

unsigned ww_live_scopes(const struct ww_live *l)
{
	return l->scope_count;
}

void ww_live_want_prefix(struct ww_live *l, bool on)
{
	int r = ww_sense_prefix(l->sense, on);

	if (r < 0)
		ww_log_err_r(r, "cannot %s the ciphertext witness",
			     on ? "switch on" : "switch off");
}

/* --- life
 * ------------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct ww_live *l = h->data;

	if (--l->handles > 0)
		return;
	ww_otlp_receiver_close(l->receiver);
	ww_targets_free(l->targets);
	ww_changes_free(l->changes);
	ww_sense_close(l->sense);
	free(l);
}

void ww_live_close(struct ww_live *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < l->scope_count; i++) {
		ww_sense_scope_remove(l->sense, l->scopes[i].id);
		give_up(&l->scopes[i]);
	}
	ww_nest_leave(ww_sense_cgroup_mount(l->sense));
	ww_stdio_free(l->stdio);
	ww_digester_close(l->digester);
	uv_close((uv_handle_t *)&l->timer, on_closed);
	uv_close((uv_handle_t *)&l->ring_poll, on_closed);
	if (l->receiver)
		uv_close((uv_handle_t *)&l->otlp_poll, on_closed);
}

static int open_handles(struct ww_live *l)
{
	int r = uv_timer_init(l->loop, &l->timer);

	if (r < 0)
		return r;
	l->timer.data = l;
	l->handles++;
	r = uv_poll_init(l->loop, &l->ring_poll, ww_sense_fd(l->sense));
	if (r < 0)
		return r;
	l->ring_poll.data = l;
	l->handles++;
	if (l->receiver) {
		r = uv_poll_init(l->loop, &l->otlp_poll, ww_otlp_receiver_fd(l->receiver));
		if (r < 0)
			return r;
		l->otlp_poll.data = l;
		l->handles++;
		uv_poll_start(&l->otlp_poll, UV_READABLE, on_otlp);
	}
	uv_poll_start(&l->ring_poll, UV_READABLE, on_ring);
	return uv_timer_start(&l->timer, on_timer, POLL_MS, POLL_MS);
}

/* A program that links a shared libssl has none of it itself: a warning, its library is found. */
static void explain_library(const char *path, int r)
{
	if (r == -ENOENT && access(path, F_OK) == 0)
		ww_log(WW_LOG_WARN,
		       "nothing to probe in %s: it has no TLS functions that are known", path);
	else if (r == -EINVAL)
		ww_log(WW_LOG_ERR, "no probes in %s: not a regular ELF file", path);
	else
		ww_log_err_r(r, "no probes in %s", path);
}

int ww_live_files(struct ww_live *l, const struct ww_contracts *contracts)
{
	return ww_changes_new(contracts, &l->changes);
}

int ww_live_start(struct ww_live *l)
{
	int r = 0;

	tell_clock(l);
	if (l->cfg->guard.start)
		r = l->cfg->guard.start(l->cfg->guard.ctx, l);
	if (r < 0)
		return r;
	if (l->changes)
		ww_changes_start(l->changes, l->fn, l->ctx);
	for (unsigned i = 0; i < l->cfg->library_count; i++) {
		r = ww_targets_add_path(l->targets, l->cfg->libraries[i], &target_ops, l);
		if (r < 0)
			explain_library(l->cfg->libraries[i], r);
	}
	r = l->cfg->no_default_libraries ? 0 : ww_targets_add_defaults(l->targets, &target_ops, l);
	if (r == -ENOMEM)
		return r;
	r = ww_nest_find(ww_sense_cgroup_mount(l->sense), l->cfg->owner, watch_again, l);
	if (r < 0)
		ww_log_err_r(r, "cannot look for runs of the last daemon");
	return 0;
}

/* One that was named and is not there was misspelt: without its probes much would go unseen. */
static int check_libraries(const struct ww_live_config *cfg, struct ww_errtext *why)
{
	for (unsigned i = 0; i < cfg->library_count; i++) {
		if (access(cfg->libraries[i], R_OK) < 0)
			return ww_errtext_set(why, -errno, "--tls-library %s: %s",
					      cfg->libraries[i], strerror(errno));
	}
	return 0;
}

int ww_live_open(uv_loop_t *loop, const struct ww_live_config *cfg, ww_live_fn fn, void *ctx,
		 struct ww_live **ret_live, struct ww_errtext *why)
{
	struct ww_sense_config sc = {.cap_bytes = cfg->cap_bytes,
				     .ring_bytes = cfg->ring_bytes,
				     .guard = cfg->guard.agents != NULL};
	struct ww_live *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->loop = loop;
	l->cfg = cfg;
	l->fn = fn;
	l->ctx = ctx;
	r = check_libraries(cfg, why);
	if (r == 0)
		r = ww_sense_open(&sc, &l->sense, why->text);
	if (r == 0)
		r = ww_targets_new(&l->targets);
	if (r == 0)
		r = ww_stdio_new(&stdio_ops, l, &l->stdio);
	if (r == 0 && cfg->otlp)
		r = open_receiver(l, cfg->otlp, why);
	if (r == 0)
		r = ww_digester_open(loop, take_digest, l, &l->digester);
	if (r == 0)
		r = open_handles(l);
	if (r < 0) {
		ww_digester_close(l->digester); /* the loop would wait for it */
		return r;
	}
	*ret_live = l;
	return 0;
}

/* The templates of declared files, and whether changes of them are seen. */
static void write_files(const struct ww_changes *c, struct ww_jsonw *w)
{
	struct ww_changes_template templates[FILES_LISTED_MAX];
	struct ww_changes_stats s = ww_changes_stats(c);
	unsigned n = ww_changes_templates(c, templates, FILES_LISTED_MAX);

	ww_jsonw_object(w, "files");
	ww_jsonw_u64(w, "directories", s.dirs);
	ww_jsonw_u64(w, "events", s.events);
	ww_jsonw_u64(w, "changes", s.told);
	ww_jsonw_u64(w, "overflows", s.overflows);
	ww_jsonw_array(w, "templates");
	for (unsigned i = 0; i < n; i++) {
		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "template", templates[i].template);
		ww_jsonw_bool(w, "watched", templates[i].whole);
		ww_jsonw_u64(w, "directories", templates[i].dirs);
		ww_jsonw_cstr(w, "reason",
			      templates[i].whole ? NULL : ww_deeds_why(templates[i].why));
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

void ww_live_status(const struct ww_live *l, struct ww_jsonw *w)
{
	struct ww_sense_file_stats files[WW_TLS_FILES_MAX];
	unsigned n = ww_sense_files(l->sense, files, WW_TLS_FILES_MAX);
	struct ww_target_stats t;

	ww_jsonw_array(w, "scopes");
	for (unsigned i = 0; i < l->scope_count; i++) {
		ww_jsonw_object(w, NULL);
		ww_jsonw_id64(w, "id", l->scopes[i].id);
		ww_jsonw_cstr(w, "path", l->scopes[i].path);
		ww_jsonw_bool(w, "ending", l->scopes[i].ending);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_array(w, "tlsFiles");
	for (unsigned i = 0; i < n; i++) {
		ww_jsonw_object(w, NULL);
		ww_jsonw_u64(w, "file", files[i].file);
		ww_jsonw_u64(w, "sites", files[i].sites);
		ww_jsonw_u64(w, "emulated", files[i].emulated);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	if (l->receiver) {
		struct ww_otlp_receiver_stats o = ww_otlp_receiver_stats(l->receiver);

		ww_jsonw_object(w, "otlp");
		ww_jsonw_u64(w, "accepted", o.accepted);
		ww_jsonw_u64(w, "ignored", o.ignored);
		ww_jsonw_u64(w, "malformed", o.malformed);
		ww_jsonw_u64(w, "refused", o.refused);
		ww_jsonw_u64(w, "tooLarge", o.too_large);
		ww_jsonw_u64(w, "shed", o.shed);
		ww_jsonw_u64(w, "failed", o.failed);
		ww_jsonw_end_object(w);
	}
	if (l->changes)
		write_files(l->changes, w);
	ww_targets_stats(l->targets, &t);
	ww_jsonw_u64(w, "channels", ww_stdio_count(l->stdio));
	ww_jsonw_u64(w, "filesUnreadable", t.unreadable);
	ww_jsonw_u64(w, "filesEvicted", t.evicted);
	ww_jsonw_u64(w, "scansRefused", l->scans_refused);
}

void ww_live_programs(const struct ww_live *l, struct ww_jsonw *w)
{
	struct ww_sense_program programs[128];
	unsigned n = ww_sense_programs(l->sense, programs, WW_ARRAY_SIZE(programs));
	struct ww_sha256 object;

	ww_sense_object(&object);
	ww_jsonw_object(w, "bpf");
	ww_jsonw_hex(w, "sha256", ww_slice(object.b, sizeof(object.b)));
	ww_jsonw_array(w, "programs");
	for (unsigned i = 0; i < n; i++) {
		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "name", programs[i].name);
		ww_jsonw_hex(w, "tag", ww_slice(programs[i].tag, sizeof(programs[i].tag)));
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}
