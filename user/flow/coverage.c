/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/coverage.h"

#include <errno.h>
#include <stdio.h>

/* Marks kept per scope; past it the newest one widens, which is stricter, never looser. */
#define MARKS_MAX  512
#define SCOPES_MAX WW_SCOPE_CGROUPS_MAX

enum mark_kind {
	MARK_LOSS,
	MARK_GAP,
	MARK_UNIX,
	MARK_LOOPBACK,
	MARK_OPAQUE,
	MARK_RAW,
	MARK_UNBOUND
};

/* Something that weakens what can be said about [from, to]. */
struct mark {
	enum mark_kind kind;
	uint64_t from_ns;
	uint64_t to_ns;
	uint32_t cause;
	uint64_t events;
	uint64_t bytes;
	char detail[96];
};

struct scope {
	uint64_t cgroup;
	uint64_t entered_ns;
	uint64_t left_ns;    /* 0: still in */
	uint32_t covers;     /* in force now */
	uint64_t covered_ns; /* since when; 0: never */
	uint64_t lost_events, lost_bytes;
	uint64_t cap_bytes; /* beyond the configured cap: by design, counted */
	char path[WW_PATH_BYTES_MAX + 1];
	unsigned count;
	struct mark *marks; /* by time of arrival */
};

struct ww_coverage {
	unsigned count;
	struct scope *scopes[SCOPES_MAX]; /* by cgroup id */
	uint64_t checked_ns;              /* losses are known up to here */
};

int ww_coverage_new(struct ww_coverage **ret_coverage)
{
	struct ww_coverage *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*ret_coverage = c;
	return 0;
}

void ww_coverage_free(struct ww_coverage *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->count; i++) {
		free(c->scopes[i]->marks);
		free(c->scopes[i]);
	}
	free(c);
}

static struct scope *find(const struct ww_coverage *c, uint64_t cgroup)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (c->scopes[i]->cgroup == cgroup)
			return c->scopes[i];
	}
	return NULL;
}

static void drop(struct ww_coverage *c, unsigned at)
{
	free(c->scopes[at]->marks);
	free(c->scopes[at]);
	c->count--;
	memmove(&c->scopes[at], &c->scopes[at + 1], (c->count - at) * sizeof(c->scopes[0]));
}

/* Makes room: the scope that was left first. */
static void evict(struct ww_coverage *c)
{
	unsigned oldest = c->count;

	for (unsigned i = 0; i < c->count; i++) {
		uint64_t left = c->scopes[i]->left_ns;

		if (left && (oldest == c->count || left < c->scopes[oldest]->left_ns))
			oldest = i;
	}
	if (oldest < c->count)
		drop(c, oldest);
}

void ww_coverage_expire(struct ww_coverage *c, struct ww_boot t)
{
	for (unsigned i = c->count; i > 0; i--) {
		const struct scope *s = c->scopes[i - 1];

		if (s->left_ns && s->left_ns < t.ns)
			drop(c, i - 1);
	}
}

static struct scope *ensure(struct ww_coverage *c, uint64_t cgroup, uint64_t time_ns)
{
	struct scope *s = find(c, cgroup);
	unsigned at;

	if (s)
		return s;
	if (c->count >= SCOPES_MAX)
		evict(c);
	at = c->count;
	if (at >= SCOPES_MAX)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->cgroup = cgroup;
	s->entered_ns = time_ns;
	while (at > 0 && c->scopes[at - 1]->cgroup > cgroup) {
		c->scopes[at] = c->scopes[at - 1];
		at--;
	}
	c->scopes[at] = s;
	c->count++;
	return s;
}

static void add_mark(struct scope *s, const struct mark *m)
{
	struct mark *last;

	if (s->count < MARKS_MAX && (s->count % 16) == 0) {
		struct mark *more = realloc(s->marks, (s->count + 16) * sizeof(*more));

		if (more)
			s->marks = more;
		else if (s->count == 0)
			s->covers = 0; /* cannot even remember that: nothing is covered any more */
		else
			goto widen;
		if (!more)
			return;
	}
	if (s->count < MARKS_MAX) {
		s->marks[s->count++] = *m;
		return;
	}
widen:
	last = &s->marks[s->count - 1];
	last->kind = MARK_LOSS;
	if (m->from_ns < last->from_ns)
		last->from_ns = m->from_ns;
	if (m->to_ns > last->to_ns)
		last->to_ns = m->to_ns;
	last->events += m->events ? m->events : 1;
	last->bytes += m->bytes;
}

static void mark_scope(struct scope *s, struct mark m)
{
	if (m.kind == MARK_LOSS && m.cause == WW_LOSS_CAP) {
		s->cap_bytes += m.bytes;
		return;
	}
	if (m.kind == MARK_LOSS && m.cause == WW_LOSS_CHANGES)
		return; /* tells of files alone: join/deeds.h keeps it */
	if (m.kind == MARK_LOSS && m.cause == WW_LOSS_UNBOUND) {
		m.kind = MARK_UNBOUND; /* it was seen, but not where it went */
	} else if (m.kind == MARK_LOSS) {
		s->lost_events += m.events;
		s->lost_bytes += m.bytes;
	}
	add_mark(s, &m);
}

/* cgroup 0: it could have been anybody's. */
static void mark(struct ww_coverage *c, uint64_t cgroup, const struct mark *m)
{
	if (cgroup == 0) {
		for (unsigned i = 0; i < c->count; i++)
			mark_scope(c->scopes[i], *m);
	} else {
		struct scope *s = ensure(c, cgroup, m->from_ns);

		if (s)
			mark_scope(s, *m);
	}
}

/* Nobody is there any more: whatever could have acted for the processes is gone with them. */
static void end_marks(struct scope *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->marks[i].to_ns == UINT64_MAX)
			s->marks[i].to_ns = s->left_ns;
	}
}

static int feed_scope(struct ww_coverage *c, const struct ww_event_scope *ev)
{
	struct scope *s = ensure(c, ev->h.cgroup, ev->h.time_ns);
	size_t n = ev->path_bytes < WW_PATH_BYTES_MAX ? ev->path_bytes : WW_PATH_BYTES_MAX;

	if (!s)
		return -ENOMEM;
	if (ev->entered) {
		s->entered_ns = ev->h.time_ns;
		s->left_ns = 0;
		memcpy(s->path, ev->path, n);
		s->path[n] = '\0';
	} else {
		s->left_ns = ev->h.time_ns;
		end_marks(s);
	}
	return 0;
}

static int feed_coverage(struct ww_coverage *c, const struct ww_event_coverage *ev)
{
	struct mark m = {.from_ns = ev->h.time_ns, .to_ns = ev->h.time_ns};
	struct scope *s;

	snprintf(m.detail, sizeof(m.detail), "%.*s",
		 (int)(ev->path_bytes < 90 ? ev->path_bytes : 90), ev->path);
	switch (ev->what) {
	case WW_COVERAGE_SOCKETS:
		s = ensure(c, ev->h.cgroup, ev->h.time_ns);
		if (!s)
			return -ENOMEM;
		if (ev->status == WW_PROBE_ATTACHED && s->covers == 0)
			s->covered_ns = ev->h.time_ns;
		s->covers = ev->status == WW_PROBE_ATTACHED ? (uint32_t)ev->detail : 0;
		return 0;
	case WW_COVERAGE_OPAQUE:
		m.kind = MARK_OPAQUE;
		m.to_ns =
			UINT64_MAX; /* for as long as the process lives; kept for good: stricter */
		mark(c, ev->h.cgroup, &m);
		return 0;
	case WW_COVERAGE_GAP:
		m.kind = MARK_GAP;
		m.from_ns = ev->detail < ev->h.time_ns ? ev->h.time_ns - ev->detail : 0;
		mark(c, ev->h.cgroup, &m);
		return 0;
	default:
		return 0;
	}
}

static void feed_unix(struct ww_coverage *c, const struct ww_event_unix *ev)
{
	struct mark m = {.kind = MARK_UNIX, .from_ns = ev->h.time_ns, .to_ns = UINT64_MAX};
	size_t n = ev->path_bytes < sizeof(ev->path) ? ev->path_bytes : sizeof(ev->path);

	if (ev->absent)
		return;
	if (n == 0)
		snprintf(m.detail, sizeof(m.detail), "unix socket without a name");
	else if (ev->path[0] == '\0')
		snprintf(m.detail, sizeof(m.detail), "unix socket @%.*s",
			 (int)(n - 1 < 80 ? n - 1 : 80), ev->path + 1);
	else
		snprintf(m.detail, sizeof(m.detail), "unix socket %.*s", (int)(n < 80 ? n : 80),
			 ev->path);
	mark(c, ev->h.cgroup, &m);
}

int ww_coverage_feed(struct ww_coverage *c, const struct ww_event *ev)
{
	switch (ev->kind) {
	case WW_EVENT_TICK:
		c->checked_ns = ev->time_ns;
		return 0;
	case WW_EVENT_SCOPE:
		return feed_scope(c, (const struct ww_event_scope *)ev);
	case WW_EVENT_COVERAGE:
		return feed_coverage(c, (const struct ww_event_coverage *)ev);
	case WW_EVENT_LOSS: {
		const struct ww_event_loss *l = (const struct ww_event_loss *)ev;

		ww_coverage_loss(c, ev->cgroup, (struct ww_boot){ev->time_ns}, l->cause, l->events,
				 l->bytes);
		return 0;
	}
	case WW_EVENT_UNIX_PEER:
		feed_unix(c, (const struct ww_event_unix *)ev);
		return 0;
	case WW_EVENT_PROC_LEFT: {
		struct mark m = {.kind = MARK_UNIX, .from_ns = ev->time_ns, .to_ns = UINT64_MAX};

		snprintf(m.detail, sizeof(m.detail), "process %u left the scope", ev->actor.pid);
		mark(c, ev->cgroup, &m);
		return 0;
	}
	case WW_EVENT_FLOW_OPEN: {
		struct mark m = {.kind = MARK_RAW, .from_ns = ev->time_ns, .to_ns = UINT64_MAX};
		const struct ww_event_flow *f = (const struct ww_event_flow *)ev;

		if (f->type == 3 || f->type == 10) { /* SOCK_RAW, SOCK_PACKET */
			snprintf(m.detail, sizeof(m.detail), "raw socket, family %u, protocol %u",
				 f->family, f->proto);
			mark(c, ev->cgroup, &m);
		}
		return 0;
	}
	default:
		return 0;
	}
}

/*
 * What was lost could have told of something that goes on: a connection to a unix socket, a raw
 * socket, a process out of sight, a socket whose bytes nobody counts. Plaintext tells of nothing
 * but itself, and a file's change neither.
 */
static bool lasting(enum ww_loss_cause cause)
{
	switch (cause) {
	case WW_LOSS_RING_DATA:
	case WW_LOSS_USER_READ:
	case WW_LOSS_CAP:
	case WW_LOSS_ARGS:
	case WW_LOSS_HOLD:
	case WW_LOSS_UNBOUND:
	case WW_LOSS_MOVED:
	case WW_LOSS_CHANGES:
		return false;
	default:
		return true;
	}
}

void ww_coverage_loss(struct ww_coverage *c, uint64_t cgroup, struct ww_boot t,
		      enum ww_loss_cause cause, uint64_t events, uint64_t bytes)
{
	/* It happened at some time since the counters were last read. */
	struct mark m = {.kind = MARK_LOSS,
			 .from_ns = c->checked_ns < t.ns ? c->checked_ns : t.ns,
			 .to_ns = lasting(cause) ? UINT64_MAX : t.ns,
			 .cause = cause,
			 .events = events,
			 .bytes = bytes};

	snprintf(m.detail, sizeof(m.detail), "%s", ww_loss_cause_name(cause));
	mark(c, cgroup, &m);
}

void ww_coverage_loopback(struct ww_coverage *c, uint64_t cgroup, struct ww_boot t,
			  const struct ww_endpoint *peer)
{
	struct mark m = {.kind = MARK_LOOPBACK, .from_ns = t.ns, .to_ns = UINT64_MAX};
	const uint8_t *a = peer->addr;

	if (peer->family == 2)
		snprintf(m.detail, sizeof(m.detail), "loopback peer %u.%u.%u.%u:%u", a[0], a[1],
			 a[2], a[3], peer->port);
	else
		snprintf(m.detail, sizeof(m.detail), "loopback peer [::1]:%u", peer->port);
	mark(c, cgroup, &m);
}

static void take_mark(const struct mark *m, struct ww_coverage_answer *a)
{
	switch (m->kind) {
	case MARK_LOSS:
		if (a->lost_events == 0)
			a->lost_cause = m->cause;
		a->lost_events += m->events;
		a->lost_bytes += m->bytes;
		break;
	case MARK_GAP:
		a->gaps++;
		break;
	case MARK_UNIX:
		a->unix_peers++;
		break;
	case MARK_LOOPBACK:
		a->loopback_peers++;
		break;
	case MARK_OPAQUE:
		a->opaque++;
		break;
	case MARK_RAW:
		a->raw_sockets++;
		break;
	case MARK_UNBOUND:
		a->unbound_calls += (uint32_t)m->events;
		break;
	}
	if (a->detail[0] == '\0')
		snprintf(a->detail, sizeof(a->detail), "%s", m->detail);
}

void ww_coverage_query(const struct ww_coverage *c, uint64_t cgroup, struct ww_boot from,
		       struct ww_boot to, struct ww_coverage_answer *ret_answer)
{
	const struct scope *s = find(c, cgroup);
	struct ww_coverage_answer a = {0};

	if (s) {
		a.known = true;
		a.covers = s->covers;
		/* A scope is left only when nobody is in it any more: nobody could act after that.
		 */
		a.whole_window =
			s->covers != 0 && s->covered_ns <= from.ns && c->checked_ns >= to.ns;
		for (unsigned i = 0; i < s->count; i++) {
			if (s->marks[i].from_ns <= to.ns && s->marks[i].to_ns >= from.ns)
				take_mark(&s->marks[i], &a);
		}
		if (a.gaps)
			a.whole_window = false;
	}
	*ret_answer = a;
}

struct ww_slice ww_coverage_path(const struct ww_coverage *c, uint64_t cgroup)
{
	const struct scope *s = find(c, cgroup);

	return ww_slice_str(s ? s->path : NULL);
}

void ww_coverage_write_answer(const struct ww_coverage_answer *a, struct ww_boot from,
			      struct ww_boot to, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "coverage");
	ww_jsonw_u64(w, "fromBootNs", from.ns);
	ww_jsonw_u64(w, "toBootNs", to.ns);
	ww_jsonw_bool(w, "known", a->known);
	ww_jsonw_bool(w, "wholeWindow", a->whole_window);
	ww_jsonw_u64(w, "lostEvents", a->lost_events);
	ww_jsonw_u64(w, "lostBytes", a->lost_bytes);
	if (a->lost_events)
		ww_jsonw_cstr(w, "lostCause",
			      ww_loss_cause_name((enum ww_loss_cause)a->lost_cause));
	ww_jsonw_u64(w, "gaps", a->gaps);
	ww_jsonw_u64(w, "unixPeers", a->unix_peers);
	ww_jsonw_u64(w, "loopbackPeers", a->loopback_peers);
	ww_jsonw_u64(w, "opaqueProcesses", a->opaque);
	ww_jsonw_u64(w, "rawSockets", a->raw_sockets);
	ww_jsonw_u64(w, "unboundCalls", a->unbound_calls);
	ww_jsonw_end_object(w);
}

static void write_marks(const struct scope *s, struct ww_jsonw *w)
{
	static const char *const names[] = {"loss",   "gap", "unix",   "loopback",
					    "opaque", "raw", "unbound"};

	ww_jsonw_array(w, "marks");
	for (unsigned i = 0; i < s->count && i < 64; i++) {
		const struct mark *m = &s->marks[i];

		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "what", names[m->kind]);
		ww_jsonw_u64(w, "fromBootNs", m->from_ns);
		if (m->to_ns != UINT64_MAX)
			ww_jsonw_u64(w, "toBootNs", m->to_ns);
		if (m->events)
			ww_jsonw_u64(w, "events", m->events);
		if (m->bytes)
			ww_jsonw_u64(w, "bytes", m->bytes);
		ww_jsonw_cstr(w, "detail", m->detail);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

void ww_coverage_write(const struct ww_coverage *c, uint64_t cgroup, struct ww_boot now,
		       struct ww_wall t, struct ww_jsonw *w)
{
	const struct scope *s = find(c, cgroup);
	char id[40], when[WW_RFC3339_MAX];

	if (!s)
		return;
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "coverage");
	snprintf(id, sizeof(id), "c-%llx-%llx", (unsigned long long)cgroup,
		 (unsigned long long)now.ns);
	ww_jsonw_cstr(w, "id", id);
	ww_wall_rfc3339(t, when);
	ww_jsonw_cstr(w, "t", when);
	ww_jsonw_id64(w, "cgroup", cgroup);
	ww_jsonw_cstr(w, "path", s->path);
	ww_jsonw_u64(w, "fromBootNs", s->covered_ns);
	ww_jsonw_u64(w, "toBootNs", s->left_ns ? s->left_ns : now.ns);
	ww_jsonw_bool(w, "tcp", s->covers & WW_COVERS_TCP);
	ww_jsonw_bool(w, "udp", s->covers & WW_COVERS_UDP);
	ww_jsonw_bool(w, "raw", s->covers & WW_COVERS_RAW);
	ww_jsonw_bool(w, "unix", s->covers & WW_COVERS_UNIX);
	ww_jsonw_bool(w, "processes", s->covers & WW_COVERS_PROC);
	ww_jsonw_u64(w, "lostEvents", s->lost_events);
	ww_jsonw_u64(w, "lostBytes", s->lost_bytes);
	ww_jsonw_u64(w, "beyondCapBytes", s->cap_bytes);
	ww_jsonw_u64(w, "marksTotal", s->count);
	write_marks(s, w);
	ww_jsonw_end_object(w);
}

void ww_coverage_each(const struct ww_coverage *c, bool left,
		      void (*fn)(void *ctx, uint64_t cgroup), void *ctx)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (left || !c->scopes[i]->left_ns)
			fn(ctx, c->scopes[i]->cgroup);
	}
}

const char *ww_loss_cause_name(enum ww_loss_cause cause)
{
	static const char *const names[WW_LOSS_MAX] = {
		[WW_LOSS_RING_DATA] = "data ring full",
		[WW_LOSS_RING_CONTROL] = "control ring full",
		[WW_LOSS_MAP_FULL] = "kernel map full",
		[WW_LOSS_USER_READ] = "user memory unreadable",
		[WW_LOSS_CAP] = "beyond the configured cap",
		[WW_LOSS_ARGS] = "result without its entry",
		[WW_LOSS_HOLD] = "hold ceiling",
		[WW_LOSS_MEMORY] = "memory",
		[WW_LOSS_SEQUENCE] = "hole in the event sequence",
		[WW_LOSS_UNBOUND] = "plaintext on no known socket",
		[WW_LOSS_CHANGES] = "file change queue full",
		[WW_LOSS_MOVED] = "moved through a channel by the kernel",
	};

	return (unsigned)cause < WW_LOSS_MAX ? names[cause] : "unknown";
}
