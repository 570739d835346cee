/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A monitor for one command, on the product's own capture side, and the comparison of what it saw
 * with what the test's server says.
 *
 *   capture [-r RING-BYTES] [-s] [-p READY [-m]] [-d] CGROUP FILE[:FILE...] DUMP -- CMD ARG...
 *
 * Watches CGROUP, probes the TLS files, runs CMD in the cgroup and writes
 * one line per fact to DUMP. -s: read the rings only when CMD has ended (to overflow them). -p:
 * begin to watch only when READY exists, with the second witness on, and then open the pipe at
 * which the traffic waits (its name without .ready). -m: with -p: CMD starts outside of the cgroup
 * and is moved in. -d: no probes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <openssl/evp.h>

#include "sense/sense.h"
#include "sense/site.h"

#define STREAMS_MAX 8192

struct stream {
	uint64_t cookie;
	unsigned dir;
	uint64_t next;
	uint64_t calls, lost, overlap, unbound;
	unsigned grade;
	EVP_MD_CTX *md;
};

static struct stream streams[STREAMS_MAX];
static unsigned stream_count;
static FILE *out;
static uint64_t data_events, data_bytes, control_events, last_time, backwards;

static struct stream *stream_of(uint64_t cookie, unsigned dir)
{
	for (unsigned i = 0; i < stream_count; i++)
		if (streams[i].cookie == cookie && streams[i].dir == dir)
			return &streams[i];
	if (stream_count == STREAMS_MAX)
		abort();
	streams[stream_count] =
		(struct stream){.cookie = cookie, .dir = dir, .md = EVP_MD_CTX_new()};
	EVP_DigestInit_ex(streams[stream_count].md, EVP_sha256(), NULL);
	return &streams[stream_count++];
}

static void on_data(const struct ww_event_data *d)
{
	struct stream *s = stream_of(d->h.cookie, d->dir);

	data_events++;
	data_bytes += d->captured;
	if (d->call_at == 0)
		s->calls++;
	if (d->h.cookie == 0) {
		s->unbound += d->captured;
		return;
	}
	s->grade = d->bind;
	if (d->offset > s->next)
		s->lost += d->offset - s->next;
	else if (d->offset < s->next)
		s->overlap += s->next - d->offset;
	EVP_DigestUpdate(s->md, d->bytes, d->captured);
	s->next = d->offset + d->captured;
}

static void put_ends(const struct ww_endpoint *l, const struct ww_endpoint *p)
{
	fprintf(out, " %u %u", l->port, p->port);
}

static void on_counters(const struct ww_event_counters *c, const char *name)
{
	fprintf(out, "%s %llx", name, (unsigned long long)c->h.cookie);
	put_ends(&c->local, &c->peer);
	fprintf(out, " %llu %llu %llu how=%u err=%u exact=%u proto=%u rtt=%u old=%u\n",
		(unsigned long long)c->bytes_sent, (unsigned long long)c->bytes_acked,
		(unsigned long long)c->bytes_received, c->how, c->sk_err, c->records_exact,
		c->proto, c->rtt_min_us, c->state_old);
}

static void on_process(const struct ww_event *ev)
{
	const struct ww_event_exec *e = (const void *)ev;
	const struct ww_event_fork *f = (const void *)ev;
	const struct ww_event_exit *x = (const void *)ev;

	if (ev->kind == WW_EVENT_PROC_FORK)
		fprintf(out, "fork %u from %u\n", ev->actor.pid, f->parent.pid);
	else if (ev->kind == WW_EVENT_PROC_EXEC)
		fprintf(out, "exec %u from %u ns %u inode %llu dev %u %.*s\n", ev->actor.pid,
			e->parent.pid, e->ns_pid, (unsigned long long)e->exe_inode, e->exe_dev,
			(int)e->path_bytes, e->path);
	else
		fprintf(out, "exit %u code %d\n", ev->actor.pid, x->code);
}

static void on_event(void *ctx, const struct ww_event *ev)
{
	(void)ctx;
	if (ev->time_ns < last_time)
		backwards++;
	last_time = ev->time_ns;
	if (ev->actor.pid)
		fprintf(out, "pid %u\n", ev->actor.pid);
	control_events += ev->kind < WW_EVENT_DATA;
	switch (ev->kind) {
	case WW_EVENT_DATA:
		on_data((const void *)ev);
		break;
	case WW_EVENT_SESSION_END:
		data_events++;
		fprintf(out, "end %llx %llu %llu\n", (unsigned long long)ev->cookie,
			(unsigned long long)((const struct ww_event_session *)ev)->bytes_out,
			(unsigned long long)((const struct ww_event_session *)ev)->bytes_in);
		break;
	case WW_EVENT_PROC_FORK:
	case WW_EVENT_PROC_EXEC:
	case WW_EVENT_PROC_EXIT:
		on_process(ev);
		break;
	case WW_EVENT_FLOW_OPEN:
	case WW_EVENT_FLOW_OWNER: {
		const struct ww_event_flow *f = (const void *)ev;

		fprintf(out, "%s %llx", ev->kind == WW_EVENT_FLOW_OPEN ? "open" : "owner",
			(unsigned long long)ev->cookie);
		put_ends(&f->local, &f->peer);
		fprintf(out, " owner=%u role=%u proto=%u type=%u family=%u\n", ev->actor.pid,
			f->role, f->proto, f->type, f->family);
		break;
	}
	case WW_EVENT_FLOW_STATE:
		on_counters((const void *)ev, "state");
		break;
	case WW_EVENT_FLOW_STAT:
		on_counters((const void *)ev, "stat");
		break;
	case WW_EVENT_FLOW_CLOSE:
		on_counters((const void *)ev, "close");
		break;
	case WW_EVENT_TLS_HELLO:
		fprintf(out, "hello %llx dir=%u client=%u captured=%u at=%llu\n",
			(unsigned long long)ev->cookie, ((const struct ww_event_hello *)ev)->dir,
			((const struct ww_event_hello *)ev)->client,
			((const struct ww_event_hello *)ev)->captured,
			(unsigned long long)((const struct ww_event_hello *)ev)->stream_offset);
		break;
	case WW_EVENT_TLS_RECORD: {
		const struct ww_event_record *r = (const void *)ev;

		fprintf(out, "record %llx dir=%u index=%u type=%u bytes=%u at=%llu\n",
			(unsigned long long)ev->cookie, r->dir, r->index, r->type, r->bytes,
			(unsigned long long)r->stream_offset);
		break;
	}
	case WW_EVENT_BIND_PREFIX:
		fprintf(out, "prefix %llx\n", (unsigned long long)ev->cookie);
		break;
	case WW_EVENT_UNIX_PEER: {
		const struct ww_event_unix *u = (const void *)ev;

		fprintf(out, "unix %u bytes %u %s%.*s\n", ev->actor.pid, u->path_bytes,
			u->path_bytes && !u->path[0] ? "@" : "",
			u->path_bytes ? (int)u->path_bytes - !u->path[0] : 0,
			u->path + (u->path_bytes && !u->path[0]));
		break;
	}
	case WW_EVENT_LOSS: {
		const struct ww_event_loss *l = (const void *)ev;

		fprintf(out, "loss cause=%u events=%llu bytes=%llu scope=%d\n", l->cause,
			(unsigned long long)l->events, (unsigned long long)l->bytes,
			ev->cgroup != 0);
		break;
	}
	default:
		fprintf(out, "kind %u\n", ev->kind);
	}
}

static void put_streams(void)
{
	for (unsigned i = 0; i < stream_count; i++) {
		struct stream *s = &streams[i];
		unsigned char md[32];
		unsigned n;

		EVP_DigestFinal_ex(s->md, md, &n);
		EVP_MD_CTX_free(s->md);
		fprintf(out, "stream %llx %u bytes %llu sha ", (unsigned long long)s->cookie,
			s->dir, (unsigned long long)s->next);
		for (unsigned k = 0; k < n; k++)
			fprintf(out, "%02x", md[k]);
		fprintf(out, " lost %llu overlap %llu unbound %llu calls %llu grade %u\n",
			(unsigned long long)s->lost, (unsigned long long)s->overlap,
			(unsigned long long)s->unbound, (unsigned long long)s->calls, s->grade);
	}
}

static int attach(struct ww_sense *s, const char *path, uint32_t file)
{
	WW_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct ww_tls_plan plan;
	int r;

	if (fd < 0)
		return -errno;
	r = ww_site_plan(fd, &plan);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < plan.site_count; i++)
		fprintf(out, "site %s %s kind %d emulated %d offset %llx\n", path,
			plan.sites[i].symbol, plan.sites[i].kind, plan.sites[i].emulated,
			(unsigned long long)plan.sites[i].offset);
	return ww_sense_attach(s, fd, file, &plan);
}

static int enter(const char *cgroup, pid_t pid)
{
	char procs[512], text[16];
	int n = snprintf(text, sizeof(text), "%d", (int)pid);

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	WW_AUTO_FD int fd = open(procs, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, (size_t)n) != n ? -errno : 0;
}

/* cgroup: NULL to stay outside. */
static pid_t start(const char *cgroup, char **argv)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (cgroup && enter(cgroup, 0) < 0)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

struct options {
	uint32_t ring_bytes;
	bool silent;
	bool no_probes;
	bool moved;
	const char *ready;
};

static int watch(struct ww_sense *s, const struct options *o, char **argv)
{
	uint32_t covers, file = 0;
	uint64_t id;
	char *rest;
	int r = ww_sense_scope_add(s, argv[0], 0, &id, &covers);

	if (r < 0)
		return r;
	fprintf(out, "covers %u\n", covers);
	if (o->ready)
		r = ww_sense_scope_members(s, argv[0], id, on_event, NULL);
	if (r < 0)
		return r;
	if (o->no_probes)
		return 0;
	for (char *path = strtok_r(argv[1], ":", &rest); path && r == 0;
	     path = strtok_r(NULL, ":", &rest))
		r = attach(s, path, ++file);
	if (r == 0 && o->ready)
		r = ww_sense_prefix(s, true);
	return r;
}

static void wait_for(const char *path)
{
	while (access(path, F_OK) < 0)
		poll(NULL, 0, 10);
}

/* Reads until the command has ended; its wait status. */
static int read_events(struct ww_sense *s, const struct options *o, pid_t pid)
{
	int status = 0;

	for (;;) {
		struct pollfd p = {.fd = ww_sense_fd(s), .events = POLLIN};
		pid_t ended = waitpid(pid, &status, o->silent ? 0 : WNOHANG);

		if (ended == pid)
			break;
		ww_sense_flow_stats(s);
		(void)ww_sense_drain(s, on_event, NULL);
		ww_sense_losses(s, on_event, NULL);
		poll(&p, 1, 20);
	}
	/* Sockets may outlive their process by a moment: the last events are awaited by state. */
	for (int i = 0; i < 20; i++) {
		(void)ww_sense_drain(s, on_event, NULL);
		poll(NULL, 0, 10);
	}
	ww_sense_losses(s, on_event, NULL);
	return status;
}

static int run(const struct options *o, char **argv)
{
	struct ww_sense_config cfg = {.ring_bytes = o->ring_bytes, .cap_bytes = 4u << 20};
	WW_AUTO(ww_sense_close_auto) struct ww_sense *s = NULL;
	char why[WW_SENSE_WHY_MAX] = "";
	struct ww_sense_stats stats;
	pid_t pid = 0;
	int r, status;

	if (o->ready) {
		pid = start(o->moved ? NULL : argv[0], argv + 4);
		wait_for(o->ready);
		if (o->moved && enter(argv[0], pid) < 0)
			return 5;
	}
	r = ww_sense_open(&cfg, &s, why);
	if (r < 0) {
		fprintf(stderr, "open: %d %s\n", r, why);
		return 3;
	}
	r = watch(s, o, argv);
	if (r < 0) {
		fprintf(stderr, "watch: %s\n", strerror(-r));
		return 4;
	}
	if (o->ready) {
		char go[512];

		snprintf(go, sizeof(go), "%.*s", (int)(strlen(o->ready) - strlen(".ready")),
			 o->ready);
		close(open(go, O_WRONLY | O_CLOEXEC));
	} else {
		pid = start(argv[0], argv + 4);
	}
	status = read_events(s, o, pid);
	put_streams();
	ww_sense_stats(s, &stats);
	fprintf(out, "admitted control=%llu\nadmitted data=%llu\n",
		(unsigned long long)stats.admitted[WW_RING_CONTROL],
		(unsigned long long)stats.admitted[WW_RING_DATA]);
	fprintf(out, "sums control %llu data %llu bytes %llu backwards %llu\n",
		(unsigned long long)control_events, (unsigned long long)data_events,
		(unsigned long long)data_bytes, (unsigned long long)backwards);
	fprintf(out, "status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	int c;

	while ((c = getopt(argc, argv, "+r:sdmp:")) != -1) {
		if (c == 'r')
			o.ring_bytes = (uint32_t)strtoul(optarg, NULL, 0);
		else if (c == 's')
			o.silent = true;
		else if (c == 'm')
			o.moved = true;
		else if (c == 'd')
			o.no_probes = true;
		else if (c == 'p')
			o.ready = optarg;
		else
			return 2;
	}
	if (argc - optind < 5)
		return 2;
	out = fopen(argv[optind + 2], "we");
	if (!out)
		return 2;
	c = run(&o, argv + optind);
	return fclose(out) == 0 ? c : 2;
}
