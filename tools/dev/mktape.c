/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a long tape of many agents from a short one of one agent:
 *   mktape TAPE COPIES EVERY-MS OUT
 * Every copy is another process tree in another scope: its own pids, cookies, ports and sessions,
 * and other ids in what it says; the copies begin EVERY-MS apart, and are merged by time. What is
 * true of an action of the short tape is true of each of its copies.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/encode.h"
#include "sense/tape.h"

#define EVENTS_MAX   4096u
#define TICK_NS      100000000ull
#define AFTER_NS     20000000000ull /* ticks behind the last event: until everything is judged */
#define ID_DIGITS    12u            /* hexadecimal digits in a row that are an id */
#define COPY_DIGITS  8u             /* of them, the last ones name the copy */
#define PIDS_APART   64u
#define PORTS_MAX    16u
#define COOKIE_SHIFT 24u

struct template
{
	unsigned count, port_count;
	uint64_t begun; /* the first time of all */
	struct ww_event *ev[EVENTS_MAX];
	uint16_t ports[PORTS_MAX];
};

/* Where the copies are. */
struct merge {
	const struct template *t;
	uint64_t copies, every_ns;
	uint64_t first, open; /* copies that are not done: first ... open - 1 */
	unsigned *next;       /* event by copy */
};

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "mktape: %s: %s\n", what, why);
	return 1;
}

/* --- reading ------------------------------------------------------------------------------------
 */

/* What the daemon adds as time passes is made anew. */
static bool is_kept(const struct ww_event *ev)
{
	return ev->kind != WW_EVENT_TICK && ev->kind != WW_EVENT_CLOCK &&
	       ev->kind != WW_EVENT_HEARTBEAT && ev->kind != WW_EVENT_END;
}

/* The end that is the agent's, or NULL. */
static struct ww_endpoint *local_of(struct ww_event *ev)
{
	switch (ev->kind) {
	case WW_EVENT_FLOW_OPEN:
	case WW_EVENT_FLOW_OWNER:
		return &((struct ww_event_flow *)ev)->local;
	case WW_EVENT_FLOW_STATE:
	case WW_EVENT_FLOW_CLOSE:
	case WW_EVENT_FLOW_STAT:
		return &((struct ww_event_counters *)ev)->local;
	case WW_EVENT_CLAIM:
		return &((struct ww_event_claim *)ev)->from;
	default:
		return NULL;
	}
}

static unsigned port_index(const struct template *t, uint16_t port)
{
	unsigned i = 0;

	while (i < t->port_count && t->ports[i] != port)
		i++;
	return i;
}

static int take(struct template *t, const struct ww_event *ev)
{
	struct ww_event *copy;
	struct ww_endpoint *local;

	if (t->count == EVENTS_MAX)
		return -EFBIG;
	copy = malloc(ev->size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, ev, ev->size);
	t->ev[t->count++] = copy;
	if (t->count == 1 || copy->time_ns < t->begun)
		t->begun = copy->time_ns;
	local = local_of(copy);
	if (!local || local->port == 0 || port_index(t, local->port) < t->port_count)
		return 0;
	if (t->port_count == PORTS_MAX)
		return -EFBIG;
	t->ports[t->port_count++] = local->port;
	return 0;
}

/* The clock's last sample stays: all copies are of one boot. */
static int load(struct ww_tape_reader *r, struct template *t, struct ww_event_clock *clock)
{
	const struct ww_event *ev;
	int e;

	while ((e = ww_tape_next(r, &ev)) == 0) {
		if (ev->kind == WW_EVENT_CLOCK)
			memcpy(clock, ev, sizeof(*clock));
		if (is_kept(ev) && (e = take(t, ev)) < 0)
			return e;
	}
	return e == -ENODATA ? 0 : e;
}

/* --- one event of one copy
 * ------------------------------------------------------------------------
 */

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A time in OTLP JSON: nanoseconds of the wall clock, in decimal. */
static bool is_time(const uint8_t *body, size_t at, size_t digits)
{
	static const char before[] = "UnixNano\": \"";
	const size_t n = sizeof(before) - 1;

	return digits == 19 && at >= n && memcmp(body + at - n, before, n) == 0;
}

static void rename_ids(uint8_t *body, size_t n, uint64_t copy, uint64_t shift_ns)
{
	char text[24];

	for (size_t at = 0; at < n; at++) {
		size_t digits = 0;

		while (at + digits < n && is_hex(body[at + digits]))
			digits++;
		if (is_time(body, at, digits)) {
			snprintf(text, sizeof(text), "%.19s", (const char *)body + at);
			snprintf(text, sizeof(text), "%" PRIu64,
				 (uint64_t)strtoull(text, NULL, 10) + shift_ns);
			memcpy(body + at, text, 19);
		} else if (digits >= ID_DIGITS) {
			snprintf(text, sizeof(text), "%08x", (unsigned)copy);
			memcpy(body + at + digits - COPY_DIGITS, text, COPY_DIGITS);
		}
		at += digits;
	}
}

static void move_actor(struct ww_actor_key *a, uint64_t copy, uint64_t shift_ns)
{
	if (a->pid == 0)
		return;
	a->pid += (uint32_t)copy * PIDS_APART;
	a->tid += (uint32_t)copy * PIDS_APART;
	a->start_ns += shift_ns;
}

static void mark(uint8_t random[4], uint64_t copy)
{
	for (unsigned i = 0; i < 4; i++)
		random[i] ^= (uint8_t)(copy >> (8 * i));
}

static void move_session(struct ww_session_key *s, uint64_t copy)
{
	static const uint8_t none[16];

	if (memcmp(s->random, none, sizeof(none)) != 0)
		mark(s->random, copy);
	s->pid += (uint32_t)copy * PIDS_APART;
}

static void move_body(struct ww_event *ev, uint64_t copy, uint64_t shift_ns)
{
	switch (ev->kind) {
	case WW_EVENT_PROC_FORK:
		move_actor(&((struct ww_event_fork *)ev)->parent, copy, shift_ns);
		break;
	case WW_EVENT_PROC_EXEC:
		move_actor(&((struct ww_event_exec *)ev)->parent, copy, shift_ns);
		break;
	case WW_EVENT_TLS_HELLO:
		mark(((struct ww_event_hello *)ev)->random, copy);
		break;
	case WW_EVENT_BIND_PREFIX:
		move_session(&((struct ww_event_bind *)ev)->session, copy);
		break;
	case WW_EVENT_SESSION_END:
		move_session(&((struct ww_event_session *)ev)->session, copy);
		break;
	case WW_EVENT_DATA:
		move_session(&((struct ww_event_data *)ev)->session, copy);
		rename_ids(((struct ww_event_data *)ev)->bytes,
			   ((struct ww_event_data *)ev)->captured, copy, shift_ns);
		break;
	case WW_EVENT_CLAIM:
		rename_ids(((struct ww_event_claim *)ev)->body,
			   ((struct ww_event_claim *)ev)->bytes, copy, shift_ns);
		break;
	default:
		break;
	}
}

static void move(const struct template *t, struct ww_event *ev, uint64_t copy, uint64_t shift_ns)
{
	struct ww_endpoint *local = local_of(ev);

	ev->time_ns += shift_ns;
	move_actor(&ev->actor, copy, shift_ns);
	if (ev->cookie)
		ev->cookie += copy << COOKIE_SHIFT;
	if (ev->cgroup)
		ev->cgroup += copy << COOKIE_SHIFT;
	if (local && local->port)
		local->port =
			(uint16_t)(1024 +
				   (copy * t->port_count + port_index(t, local->port)) % 64000);
	move_body(ev, copy, shift_ns);
}

/* --- writing
 * --------------------------------------------------------------------------------------
 */

/* Probes in a library are set once. */
static bool is_once(const struct ww_event *ev)
{
	return ev->kind == WW_EVENT_COVERAGE &&
	       ((const struct ww_event_coverage *)ev)->what == WW_COVERAGE_TLS_FILE;
}

static int write_moved(struct ww_tape_writer *w, const struct merge *m, uint64_t copy,
		       const struct ww_event *ev, uint64_t *seq)
{
	struct ww_event *moved;
	int r;

	if (copy > 0 && is_once(ev))
		return 0;
	moved = malloc(ev->size);
	if (!moved)
		return -ENOMEM;
	memcpy(moved, ev, ev->size);
	moved->seq = ++*seq;
	move(m->t, moved, copy, copy * m->every_ns);
	r = ww_tape_write(w, moved);
	free(moved);
	return r;
}

/* The copy whose next event is the earliest, of those that have begun by then; m->copies: none. */
static uint64_t earliest(struct merge *m, uint64_t *ret_ns)
{
	uint64_t best = m->copies, ns = UINT64_MAX;

	while (m->first < m->open && m->next[m->first] == m->t->count)
		m->first++;
	for (uint64_t c = m->first; c < m->copies; c++) {
		uint64_t at;

		if (m->t->begun + c * m->every_ns >= ns)
			break;
		if (c == m->open)
			m->open++;
		if (m->next[c] == m->t->count)
			continue;
		at = m->t->ev[m->next[c]]->time_ns + c * m->every_ns;
		if (at < ns) {
			ns = at;
			best = c;
		}
	}
	*ret_ns = ns;
	return best;
}

static int tick(struct ww_tape_writer *w, struct ww_event_clock *clock, uint64_t now, uint64_t *seq)
{
	struct ww_event ev = {.version = WW_EVENT_VERSION,
			      .kind = WW_EVENT_TICK,
			      .size = sizeof(ev),
			      .time_ns = now,
			      .cpu = WW_EVENT_CPU_USER};
	int r;

	clock->wall_ns += now - clock->h.time_ns;
	clock->h.time_ns = now;
	clock->h.seq = ++*seq;
	r = ww_tape_write(w, &clock->h);
	ev.seq = ++*seq;
	return r < 0 ? r : ww_tape_write(w, &ev);
}

static int write_all(struct ww_tape_writer *w, struct merge *m, struct ww_event_clock *clock)
{
	uint64_t seq = 0, now = m->t->begun, end = 0;
	int r = tick(w, clock, now, &seq);

	while (r == 0) {
		uint64_t ns, copy = earliest(m, &ns);

		if (copy == m->copies && end == 0)
			end = now + AFTER_NS;
		if (copy == m->copies && now >= end)
			break;
		if (ns > now + TICK_NS) {
			now += TICK_NS;
			r = tick(w, clock, now, &seq);
			continue;
		}
		r = write_moved(w, m, copy, m->t->ev[m->next[copy]++], &seq);
	}
	return r < 0 ? (ww_tape_close(w, now), r) : ww_tape_close(w, now);
}

static int make(const char *from, uint64_t copies, uint64_t every_ns, const char *to)
{
	static struct template t;
	WW_AUTO(ww_tape_reader_free_auto) struct ww_tape_reader *r = NULL;
	struct merge m = {.t = &t, .copies = copies, .every_ns = every_ns};
	struct ww_event_clock clock = {0};
	struct ww_tape_writer *w = NULL;
	int e = ww_tape_open(from, &r);

	if (e == 0)
		e = load(r, &t, &clock);
	if (e == 0 && (t.count == 0 || clock.h.time_ns == 0))
		e = -EBADMSG;
	m.next = calloc(copies, sizeof(*m.next));
	if (e == 0 && !m.next)
		e = -ENOMEM;
	if (e == 0)
		e = ww_tape_create(to, ww_tape_manifest(r), &w);
	if (e == 0)
		e = write_all(w, &m, &clock);
	free(m.next);
	for (unsigned i = 0; i < t.count; i++)
		free(t.ev[i]);
	return e;
}

int main(int argc, char **argv)
{
	uint64_t copies, every_ms;
	int r;

	if (argc != 5 || ww_slice_u64(ww_slice_str(argv[2]), &copies) < 0 || copies == 0 ||
	    copies > UINT32_MAX || ww_slice_u64(ww_slice_str(argv[3]), &every_ms) < 0)
		return complain("usage", "mktape TAPE COPIES EVERY-MS OUT");
	r = make(argv[1], copies, every_ms * 1000000, argv[4]);
	return r < 0 ? complain(argv[4], strerror(-r)) : 0;
}
