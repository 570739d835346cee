/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of an agent made into many, for benchmarks: tapemany IN OUT COPIES PERIOD_MS
 *
 * Every PERIOD_MS another process tree of the same scope does what the tape shows. Processes,
 * sockets, TLS sessions, ports and times are each copy's own, those inside of spans as well; ids of
 * traces and tool calls are not, because they count inside one tree.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sense/tape.h"

#define EVENTS_MAX 4096u
#define CPUS_MAX   1024u
#define NS_PER_MS  1000000ull
#define TICK_NS    (100 * NS_PER_MS)
#define SLACK_NS   (60000 * NS_PER_MS) /* spans may tell times around the tape's */
#define PIDS_APART 100000u

struct many {
	unsigned count;
	struct ww_event *ev[EVENTS_MAX];
	uint64_t wall_ns, wall_at; /* of the first clock event */
	uint64_t seq[CPUS_MAX];
	uint64_t ticked_ns;
	struct ww_tape_writer *out;
};

static int complain(const char *what, int r)
{
	fprintf(stderr, "tapemany: %s: %s\n", what, strerror(-r));
	return 1;
}

static int load(struct many *m, struct ww_tape_reader *in)
{
	const struct ww_event *ev;
	int r;

	while ((r = ww_tape_next(in, &ev)) == 0) {
		if (ev->kind == WW_EVENT_CLOCK && !m->wall_ns) {
			m->wall_ns = ((const struct ww_event_clock *)ev)->wall_ns;
			m->wall_at = ev->time_ns;
		}
		if (ev->kind == WW_EVENT_END || ev->kind == WW_EVENT_TICK)
			continue;
		if (m->count == EVENTS_MAX)
			return -E2BIG;
		m->ev[m->count] = malloc(ev->size);
		if (!m->ev[m->count])
			return -ENOMEM;
		memcpy(m->ev[m->count++], ev, ev->size);
	}
	return r == -ENODATA ? 0 : r;
}

/* --- one copy's own -----------------------------------------------------------------------------
 */

static void own_key(struct ww_actor_key *k, uint32_t copy, uint64_t shift)
{
	if (k->pid < 2)
		return;
	k->pid += copy * PIDS_APART;
	k->tid += copy * PIDS_APART;
	k->start_ns += shift;
}

static void own_session(struct ww_session_key *s, uint32_t copy)
{
	s->pid += copy * PIDS_APART;
	for (unsigned i = 0; i < 4; i++)
		s->random[i] ^= (uint8_t)(copy >> (8 * i));
}

/* Only what a socket chose by itself. */
static void own_port(struct ww_endpoint *e, uint32_t copy)
{
	if (e->port >= 32768)
		e->port = (uint16_t)(32768 + (e->port - 32768 + copy * 7) % 28000);
}

static bool near_wall(const struct many *m, uint64_t ns)
{
	return ns > m->wall_ns - SLACK_NS && ns < m->wall_ns + SLACK_NS;
}

/* Times in OTLP: eight bytes in protobuf, nineteen digits in JSON. */
static void own_times(const struct many *m, uint8_t *p, size_t n, uint64_t shift)
{
	for (size_t i = 0; i + 8 <= n; i++) {
		char digits[20] = "", out[24];
		uint64_t ns;

		memcpy(&ns, p + i, sizeof(ns));
		if (near_wall(m, ns)) {
			ns += shift;
			memcpy(p + i, &ns, sizeof(ns));
			i += 7;
			continue;
		}
		if (i + 19 > n || p[i] < '1' || p[i] > '9')
			continue;
		memcpy(digits, p + i, 19);
		if (strspn(digits, "0123456789") != 19 || !near_wall(m, strtoull(digits, NULL, 10)))
			continue;
		snprintf(out, sizeof(out), "%llu",
			 (unsigned long long)(strtoull(digits, NULL, 10) + shift));
		memcpy(p + i, out, 19);
		i += 18;
	}
}

static void own_body(const struct many *m, struct ww_event *ev, uint32_t copy, uint64_t shift)
{
	switch (ev->kind) {
	case WW_EVENT_PROC_FORK:
	case WW_EVENT_PROC_EXEC:
	case WW_EVENT_PROC_INFO: /* all have the parent first */
		own_key(&((struct ww_event_fork *)ev)->parent, copy, shift);
		break;
	case WW_EVENT_FLOW_OPEN:
	case WW_EVENT_FLOW_OWNER:
		own_port(&((struct ww_event_flow *)ev)->local, copy);
		break;
	case WW_EVENT_FLOW_STATE:
	case WW_EVENT_FLOW_STAT:
	case WW_EVENT_FLOW_CLOSE:
		own_port(&((struct ww_event_counters *)ev)->local, copy);
		break;
	case WW_EVENT_TLS_HELLO:
		for (unsigned i = 0; i < 4; i++)
			((struct ww_event_hello *)ev)->random[i] ^= (uint8_t)(copy >> (8 * i));
		break;
	case WW_EVENT_BIND_PREFIX:
		own_session(&((struct ww_event_bind *)ev)->session, copy);
		break;
	case WW_EVENT_SESSION_END:
		own_session(&((struct ww_event_session *)ev)->session, copy);
		break;
	case WW_EVENT_DATA:
		own_session(&((struct ww_event_data *)ev)->session, copy);
		break;
	case WW_EVENT_CLOCK:
		((struct ww_event_clock *)ev)->wall_ns += shift;
		break;
	case WW_EVENT_CLAIM: {
		struct ww_event_claim *c = (struct ww_event_claim *)ev;

		own_port(&c->from, copy);
		own_times(m, c->body, c->bytes, shift);
		break;
	}
	default:
		break;
	}
}

/* The scope and what covers it are there once, and stay. */
static bool is_once(const struct ww_event *ev)
{
	return ev->kind == WW_EVENT_SCOPE || (ev->kind == WW_EVENT_COVERAGE && ev->actor.pid == 0);
}

static int put(struct many *m, const struct ww_event *ev)
{
	struct ww_event *e = malloc(ev->size);
	int r;

	if (!e)
		return -ENOMEM;
	memcpy(e, ev, ev->size);
	if (e->cpu < CPUS_MAX)
		e->seq = ++m->seq[e->cpu];
	r = ww_tape_write(m->out, e);
	free(e);
	return r;
}

static int tick_until(struct many *m, uint64_t ns)
{
	struct ww_event tick = {.version = WW_EVENT_VERSION,
				.kind = WW_EVENT_TICK,
				.size = sizeof(tick),
				.cpu = WW_EVENT_CPU_USER};
	int r = 0;

	while (r == 0 && m->ticked_ns + TICK_NS <= ns) {
		m->ticked_ns += TICK_NS;
		tick.time_ns = m->ticked_ns;
		r = ww_tape_write(m->out, &tick);
	}
	return r;
}

static int put_copy_event(struct many *m, const struct ww_event *from, uint32_t copy,
			  uint64_t shift)
{
	struct ww_event *ev;
	int r;

	if (is_once(from) && (copy || (from->kind == WW_EVENT_SCOPE &&
				       !((const struct ww_event_scope *)from)->entered)))
		return 0;
	ev = malloc(from->size);
	if (!ev)
		return -ENOMEM;
	memcpy(ev, from, from->size);
	ev->time_ns += shift;
	own_key(&ev->actor, copy, shift);
	if (ev->cookie)
		ev->cookie += (uint64_t)copy << 32;
	own_body(m, ev, copy, shift);
	r = tick_until(m, ev->time_ns);
	if (r == 0)
		r = put(m, ev);
	free(ev);
	return r;
}

/* --- all of them, by time -----------------------------------------------------------------------
 */

struct copies {
	uint64_t period;
	uint32_t all, begun, ended; /* those below `ended` have no events left */
	unsigned *at;               /* next event, by copy */
};

static uint64_t time_of(const struct many *m, const struct copies *c, uint32_t copy)
{
	return m->ev[c->at[copy]]->time_ns + copy * c->period;
}

/* The copy whose event is next; c->all: none. A copy begins where no other comes before it. */
static uint32_t next_copy(const struct many *m, struct copies *c)
{
	uint32_t best = c->all;

	while (c->ended < c->begun && c->at[c->ended] == m->count)
		c->ended++;
	for (uint32_t i = c->ended; i < c->begun; i++) {
		if (c->at[i] < m->count &&
		    (best == c->all || time_of(m, c, i) < time_of(m, c, best)))
			best = i;
	}
	if (c->begun < c->all && (best == c->all || time_of(m, c, c->begun) < time_of(m, c, best)))
		best = c->begun++;
	return best;
}

static int merge(struct many *m, uint32_t all, uint64_t period, uint64_t *ret_end)
{
	struct copies c = {.period = period, .all = all, .at = calloc(all + 1, sizeof(*c.at))};
	int r = c.at ? 0 : -ENOMEM;
	uint32_t copy;

	m->ticked_ns = m->ev[0]->time_ns;
	while (r == 0 && (copy = next_copy(m, &c)) < all) {
		*ret_end = time_of(m, &c, copy);
		r = put_copy_event(m, m->ev[c.at[copy]++], copy, copy * period);
	}
	free(c.at);
	return r;
}

int main(int argc, char **argv)
{
	WW_AUTO(ww_tape_reader_free_auto) struct ww_tape_reader *in = NULL;
	static struct many m;
	uint64_t end = 0;
	int r;

	if (argc != 5) {
		fprintf(stderr, "usage: tapemany IN OUT COPIES PERIOD_MS\n");
		return 2;
	}
	r = ww_tape_open(argv[1], &in);
	if (r == 0)
		r = load(&m, in);
	if (r < 0)
		return complain(argv[1], r);
	r = ww_tape_create(argv[2], ww_tape_manifest(in), &m.out);
	if (r == 0)
		r = merge(&m, (uint32_t)strtoul(argv[3], NULL, 10),
			  strtoull(argv[4], NULL, 10) * NS_PER_MS, &end);
	if (r == 0)
		r = tick_until(&m, end + 15000 * NS_PER_MS);
	if (m.out) {
		int closed = ww_tape_close(m.out, m.ticked_ns);

		r = r ? r : closed;
	}
	for (unsigned i = 0; i < m.count; i++)
		free(m.ev[i]);
	return r < 0 ? complain(argv[2], r) : 0;
}
