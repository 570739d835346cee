/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tape with faults in it, told as the kernel side tells them: an event that a ring had no room
 * for is counted by cause and scope, and the count comes before the next tick; a hole in the
 * sequence that no counter explains is anybody's. What is cut off a call's plaintext is counted
 * under its own cause.
 */
#pragma once

#include "../lib/tapes.h"

#define SIM_EVENTS_MAX (2 * TAPE_EVENTS_MAX)
#define SIM_CAUSES     3

/* What happens to one event. */
enum fault {
	FAULT_NONE,
	FAULT_LOST,   /* no room in its ring */
	FAULT_HOLE,   /* gone, and only the sequence shows it */
	FAULT_TWICE,  /* delivered again */
	FAULT_CAP,    /* plaintext cut to `keep` bytes by the cap */
	FAULT_UNREAD, /* plaintext not readable */
};

struct sim {
	const struct tape *tape;
	uint8_t fault[TAPE_EVENTS_MAX]; /* enum fault */
	uint32_t keep[TAPE_EVENTS_MAX];
	unsigned upto; /* the tape is cut here */
	/* made by sim_build() */
	unsigned count, own_count;
	struct ww_event *ev[SIM_EVENTS_MAX];
	struct ww_event *own[SIM_EVENTS_MAX];
	uint64_t lost, cap_bytes; /* what coverage must tell */
	struct ww_event_loss pending[WW_LOSS_MAX];
};

static inline void sim_init(struct sim *s, const struct tape *t)
{
	memset(s, 0, offsetof(struct sim, ev));
	memset(s->pending, 0, sizeof(s->pending));
	s->lost = s->cap_bytes = 0;
	s->tape = t;
	s->upto = t->count;
}

static inline void sim_done(struct sim *s)
{
	for (unsigned i = 0; i < s->own_count; i++)
		free(s->own[i]);
	s->own_count = s->count = 0;
}

static inline bool sim_of_kernel(const struct ww_event *ev)
{
	return ev->cpu != WW_EVENT_CPU_USER;
}

/* Kinds from WW_EVENT_DATA on travel in the data ring. */
static inline bool sim_in_data_ring(const struct ww_event *ev)
{
	return ev->kind >= WW_EVENT_DATA;
}

static inline void sim_push(struct sim *s, struct ww_event *ev)
{
	assert(s->count < SIM_EVENTS_MAX);
	s->ev[s->count++] = ev;
}

static inline void *sim_own(struct sim *s, const void *from, size_t n)
{
	struct ww_event *ev = tape_copy(from, n);

	assert(s->own_count < SIM_EVENTS_MAX);
	s->own[s->own_count++] = ev;
	return ev;
}

static inline void sim_lose(struct sim *s, const struct ww_event *ev, enum ww_loss_cause cause,
			    uint64_t bytes)
{
	struct ww_event_loss *l = &s->pending[cause];

	l->cause = cause;
	l->events++;
	l->bytes += bytes;
	l->h.cgroup = cause == WW_LOSS_SEQUENCE ? 0 : ev->cgroup;
	if (cause == WW_LOSS_CAP)
		s->cap_bytes += bytes;
	else
		s->lost++;
}

/* The reader asks for the counters after it has drained: a moment behind the tick's time. */
static inline void sim_tell_losses(struct sim *s, uint64_t time_ns)
{
	for (unsigned i = 0; i < WW_LOSS_MAX; i++) {
		struct ww_event_loss *l = &s->pending[i];

		if (l->events == 0)
			continue;
		l->h.version = WW_EVENT_VERSION;
		l->h.kind = WW_EVENT_LOSS;
		l->h.size = sizeof(*l);
		l->h.time_ns = time_ns;
		l->h.cpu = WW_EVENT_CPU_USER;
		sim_push(s, sim_own(s, l, sizeof(*l)));
		memset(l, 0, sizeof(*l));
	}
}

static inline void sim_cut(struct sim *s, const struct ww_event *ev, uint32_t keep, bool cap)
{
	const struct ww_event_data *d = (const struct ww_event_data *)ev;
	struct ww_event_data *cut = sim_own(s, d, d->h.size);

	if (keep < d->captured) {
		cut->captured = keep;
		cut->h.size = (uint32_t)(sizeof(*cut) + keep);
	}
	if (cap) {
		cut->last = 1;
		sim_lose(s, ev, WW_LOSS_CAP, d->call_bytes - d->call_at - cut->captured);
	} else {
		sim_lose(s, ev, WW_LOSS_USER_READ, d->captured);
	}
	sim_push(s, &cut->h);
}

static inline void sim_step(struct sim *s, unsigned i)
{
	struct ww_event *ev = s->tape->ev[i];
	uint64_t bytes =
		ev->kind == WW_EVENT_DATA ? ((const struct ww_event_data *)ev)->captured : 0;

	if (ev->kind == WW_EVENT_TICK)
		sim_tell_losses(s, ev->time_ns + 1);
	switch ((enum fault)s->fault[i]) {
	case FAULT_LOST:
		sim_lose(s, ev, sim_in_data_ring(ev) ? WW_LOSS_RING_DATA : WW_LOSS_RING_CONTROL,
			 bytes);
		return;
	case FAULT_HOLE:
		sim_lose(s, ev, WW_LOSS_SEQUENCE, 0);
		return;
	case FAULT_CAP:
		sim_cut(s, ev, s->keep[i], true);
		return;
	case FAULT_UNREAD:
		sim_cut(s, ev, 0, false);
		return;
	case FAULT_TWICE:
		sim_push(s, ev);
		break;
	default:
		break;
	}
	sim_push(s, ev);
}

/* A tape that ends in order tells its last losses; one that is cut does not. */
static inline void sim_build(struct sim *s)
{
	s->count = s->own_count = 0;
	for (unsigned i = 0; i < s->upto; i++)
		sim_step(s, i);
	if (s->upto == s->tape->count && s->count)
		sim_tell_losses(s, s->ev[s->count - 1]->time_ns + 1);
}

static inline void sim_insert(struct sim *s, unsigned at, struct ww_event *ev)
{
	assert(s->count < SIM_EVENTS_MAX && at <= s->count);
	memmove(&s->ev[at + 1], &s->ev[at], (s->count - at) * sizeof(s->ev[0]));
	s->ev[at] = ev;
	s->count++;
}

/*
 * The wall clock is set by so much right after it was read: spans tell other times than the kernel.
 * Told: the clocks are read again before a claim is taken, as the daemon does.
 */
static inline void sim_set_clock(struct sim *s, int64_t ms, bool told)
{
	const struct ww_event_clock *right = NULL;

	for (unsigned i = 0; i < s->count; i++) {
		struct ww_event *ev = s->ev[i];
		struct ww_event_clock *c;

		if (ev->kind == WW_EVENT_CLOCK) {
			right = (const struct ww_event_clock *)ev;
			c = sim_own(s, right, sizeof(*c));
			c->wall_ns -= (uint64_t)(ms * 1000000);
			s->ev[i] = &c->h;
		} else if (ev->kind == WW_EVENT_CLAIM && told && right) {
			c = sim_own(s, right, sizeof(*c));
			c->h.time_ns = ev->time_ns;
			c->wall_ns += ev->time_ns - right->h.time_ns;
			sim_insert(s, i++, &c->h);
		}
	}
}

/* Whether two neighbours may come in the other order: other CPUs, at nearly the same time, and not
 * the calls of one session, which follow each other on whatever CPU. */
static inline bool sim_may_swap(const struct ww_event *a, const struct ww_event *b,
				uint64_t within_ns)
{
	uint64_t apart =
		a->time_ns > b->time_ns ? a->time_ns - b->time_ns : b->time_ns - a->time_ns;

	if (!sim_of_kernel(a) || !sim_of_kernel(b) || a->cpu == b->cpu || apart > within_ns)
		return false;
	return !(a->kind == WW_EVENT_DATA && b->kind == WW_EVENT_DATA && a->cookie == b->cookie);
}

/* splitmix64 */
static inline uint64_t sim_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* --- what a verdict under faults may say --------------------------------------------------------
 *
 * The order: a verdict may become one that claims less, never one that claims something else.
 *   UNVERIFIABLE claims nothing: below everything.
 *   ACTED_UNDECODED claims that bytes reached the destination: below everything that says that a
 *     call was made there, whatever its answer; not below NO_ACTION.
 *   CONFIRMED_T1 claims one success, and not that it was read back: below CONFIRMED_T2, but where
 *     the read alone confirms what was accepted for later. ACCEPTED_ASYNC says nothing of the
 *     effect: below that, and below EFFECT_MISSING, which nothing else is.
 *   POSSIBLE_DUPLICATE claims one success and an attempt of unknown end: below DUPLICATE_EFFECT.
 *   CALL_EMITTED_NOT_EXECUTED claims that the model asked and nothing was sent, and nothing of what
 *     the application said: below NO_ACTION. ATTEMPTED_FAILED is not below MASKED_ERROR, for it
 *     claims that the application agrees.
 *   NO_ACTION claims of what was announced that nothing was done until the date, and nothing of the
 *     time after it: below ACTED_LATE. PENDING and DEFERRED claim nothing yet: below both.
 * Everything else is a contradiction: a confirmation, a failure, an absence, a lost reply or a
 * duplicate that the undisturbed run does not know. A reply that the monitor lost and the server
 * sent is not a lost reply.
 */
static const struct {
	const char *from, *to;
} sim_below[] = {
	{"CONFIRMED_T1", "ACTED_UNDECODED"},
	{"CONFIRMED_T2", "ACTED_UNDECODED"},
	{"CONFIRMED_T2", "CONFIRMED_T1"},
	{"CONFIRMED_T2 of 202", "CONFIRMED_T2"},
	{"CONFIRMED_T2 of 202", "ACCEPTED_ASYNC"},
	{"CONFIRMED_T2 of 202", "ACTED_UNDECODED"},
	{"EFFECT_MISSING", "ACCEPTED_ASYNC"},
	{"EFFECT_MISSING", "ACTED_UNDECODED"},
	{"PARTIAL_EFFECT", "ACTED_UNDECODED"},
	{"MASKED_ERROR", "ACTED_UNDECODED"},
	{"ATTEMPTED_FAILED", "ACTED_UNDECODED"},
	{"REPLY_LOST", "ACTED_UNDECODED"},
	{"ACCEPTED_ASYNC", "ACTED_UNDECODED"},
	{"DUPLICATE_EFFECT", "ACTED_UNDECODED"},
	{"POSSIBLE_DUPLICATE", "ACTED_UNDECODED"},
	{"DUPLICATE_EFFECT", "POSSIBLE_DUPLICATE"},
	{"NO_ACTION", "CALL_EMITTED_NOT_EXECUTED"},
	{"ACTED_LATE", "NO_ACTION"},
	{"ACTED_LATE", "PENDING"},
	{"ACTED_LATE", "DEFERRED"},
	{"failed, or made by others", "ACTED_UNDECODED"},
};

static inline bool sim_allowed(const char *from, const char *to)
{
	if (strcmp(to, "UNVERIFIABLE") == 0 || strcmp(from, to) == 0)
		return true;
	for (unsigned i = 0; i < WW_ARRAY_SIZE(sim_below); i++) {
		if (strcmp(sim_below[i].from, from) == 0 && strcmp(sim_below[i].to, to) == 0)
			return true;
	}
	return false;
}

/* The last verdict about a subject; NULL: there is none. */
static inline const struct tape_verdict *sim_verdict(const struct tape_run *r, const char *subject)
{
	const struct tape_verdict *found = NULL;

	for (unsigned i = 0; i < r->verdict_count; i++) {
		if (strcmp(r->verdicts[i].subject, subject) == 0)
			found = &r->verdicts[i];
	}
	return found;
}
