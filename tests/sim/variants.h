/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden tapes rearranged so that other things are true of them. What is true follows from what was
 * changed, never from what the pipeline says. The turns of a golden tape: A17 is refunded (201),
 * B23 is answered 503, for A31 nothing is sent, C5 is answered 200 with errors; all said "done".
 */
#pragma once

#include <netinet/in.h>

#include "faults.h"

#define TURNS 4

/*
 * truth: what a verdict may say (sim_allowed()). Some truths are no verdicts: that the call failed,
 * and that it was not seen, while somebody else could have made it; without faults that is
 * UNVERIFIABLE.
 */
#define SHOWN_LATER    "CONFIRMED_T2 of 202" /* the read is all that confirms it */
#define FAILED_OR_MORE "failed, or made by others"
#define ABSENT_OR_MORE "absent, or made by others"

struct variant {
	const char *name;
	void (*change)(struct tape *t);
	const char *truth[TURNS];
};

/* --- finding one's way ------------------------------------------------------------------------
 */

static inline bool is_data(const struct ww_event *ev, enum ww_dir dir, const char *begins)
{
	const struct ww_event_data *d = (const struct ww_event_data *)ev;
	size_t n = strlen(begins);

	return ev->kind == WW_EVENT_DATA && d->dir == dir && d->captured >= n &&
	       memcmp(d->bytes, begins, n) == 0;
}

static inline unsigned find_data(const struct tape *t, unsigned from, enum ww_dir dir,
				 const char *begins)
{
	while (from < t->count && !is_data(t->ev[from], dir, begins))
		from++;
	assert(from < t->count);
	return from;
}

/* The nth refund's request; all go over one connection. */
static inline unsigned refund(const struct tape *t, unsigned nth)
{
	unsigned at = find_data(t, 0, WW_DIR_OUT, "POST /v1/refunds");

	while (nth--)
		at = find_data(t, at + 1, WW_DIR_OUT, "POST /v1/refunds");
	return at;
}

/* The answer to the request at `at`. */
static inline unsigned answer(const struct tape *t, unsigned at)
{
	unsigned i = at + 1;

	while (!is_data(t->ev[i], WW_DIR_IN, "HTTP/1.1") || t->ev[i]->cookie != t->ev[at]->cookie)
		i = find_data(t, i + 1, WW_DIR_IN, "HTTP/1.1");
	return i;
}

static inline unsigned find_of(const struct tape *t, unsigned from, uint16_t kind, uint64_t cookie)
{
	while (from < t->count && (t->ev[from]->kind != kind || t->ev[from]->cookie != cookie))
		from++;
	assert(from < t->count);
	return from;
}

static inline void tape_remove(struct tape *t, unsigned at)
{
	free(t->ev[at]);
	t->count--;
	memmove(&t->ev[at], &t->ev[at + 1], (t->count - at) * sizeof(t->ev[0]));
}

/* An event of the scope's agent, at the time of the event at `at`. */
static inline void *make_event(const struct tape *t, unsigned at, uint16_t kind, size_t size,
			       uint64_t cookie)
{
	const struct ww_event *like = t->ev[tape_find(t, 0, WW_EVENT_FLOW_OPEN)];
	struct ww_event *ev = calloc(1, size);

	if (!ev)
		abort();
	*ev = *like;
	ev->kind = kind;
	ev->size = (uint32_t)size;
	ev->time_ns = t->ev[at]->time_ns;
	ev->cookie = cookie;
	return ev;
}

/* The place right behind the agent's exec: long before anything is asked. */
static inline unsigned early(const struct tape *t)
{
	return tape_find(t, 0, WW_EVENT_PROC_EXEC) + 1;
}

/* --- time ---------------------------------------------------------------------------------------
 */

/* What the counters of a connection said before `at`: its last ones, less the calls behind it. */
static inline struct ww_event_counters *counters_at(const struct tape *t, unsigned at,
						    uint64_t cookie)
{
	const struct ww_event_counters *last =
		(struct ww_event_counters *)t->ev[find_of(t, at, WW_EVENT_FLOW_CLOSE, cookie)];
	struct ww_event_counters *c = tape_copy(last, sizeof(*last));

	for (unsigned i = at; i < t->count; i++) {
		const struct ww_event_data *d = (const struct ww_event_data *)t->ev[i];

		if (d->h.kind != WW_EVENT_DATA || d->h.cookie != cookie)
			continue;
		if (d->dir == WW_DIR_OUT)
			c->bytes_sent -= d->call_bytes + 22;
		else
			c->bytes_received -= d->call_bytes + 22;
	}
	c->bytes_acked = c->bytes_sent;
	c->h.kind = WW_EVENT_FLOW_STAT;
	c->how = WW_CLOSE_OPEN;
	c->state_old = c->state_new = 1;
	return c;
}

/* Everything from `at` on happens `ticks` tenths of a second later; meanwhile the live sockets'
 * counters are read. */
static inline void delay(struct tape *t, unsigned at, unsigned ticks)
{
	const uint64_t step = 100000000;
	uint64_t from = t->ev[at - 1]->time_ns;
	unsigned n = 0;

	for (unsigned i = at; i < t->count; i++)
		t->ev[i]->time_ns += ticks * step;
	for (unsigned i = 0; i < at; i++) {
		const struct ww_event *ev = t->ev[i];
		struct ww_event_counters *c;
		unsigned end;

		if (ev->kind != WW_EVENT_FLOW_OPEN)
			continue;
		end = find_of(t, i, WW_EVENT_FLOW_CLOSE, ev->cookie);
		if (end < at)
			continue;
		c = counters_at(t, at, ev->cookie);
		c->h.time_ns = from + ++n;
		tape_insert(t, at, c);
	}
	for (unsigned i = 0; i < ticks; i++) {
		struct ww_event *tick = make_event(t, at, WW_EVENT_TICK, sizeof(*tick), 0);

		memset(&tick->actor, 0, sizeof(tick->actor));
		tick->cpu = WW_EVENT_CPU_USER;
		tick->cgroup = 0;
		tick->time_ns = from + (i + 1) * step - step / 2;
		tape_insert(t, at + n + i, tick);
	}
}

/* --- contracts ----------------------------------------------------------------------------------
 */

/* The status alone decides: C5 succeeds. */
static inline void status_decides(struct tape *t)
{
	uint8_t *yaml = t->contracts.p;
	size_t n = t->contracts.n;

	for (size_t i = 0; i + 8 < n; i++) {
		if (memcmp(yaml + i, "$.errors", 8) == 0)
			memcpy(yaml + i, "$.nobody", 8);
	}
	t->cfg.contracts = ww_buf_slice(&t->contracts);
}

/* --- replies ------------------------------------------------------------------------------------
 */

/* A17's connection is reset before an answer comes; nothing goes to the server after that. */
static inline void no_reply(struct tape *t)
{
	unsigned at = refund(t, 0), end = answer(t, at);
	uint64_t cookie = t->ev[at]->cookie;
	struct ww_event_counters *c = counters_at(t, end, cookie);

	for (unsigned i = end; i-- > at;) {
		const struct ww_event_record *r = (const struct ww_event_record *)t->ev[i];

		if (r->h.kind == WW_EVENT_TLS_RECORD && r->h.cookie == cookie &&
		    r->dir == WW_DIR_IN) {
			tape_remove(t, i); /* the answer's */
			end--;
			break;
		}
	}
	c->h.kind = WW_EVENT_FLOW_CLOSE;
	c->h.time_ns = t->ev[end]->time_ns;
	c->how = WW_CLOSE_RST_PEER;
	c->state_new = 7;
	for (unsigned i = t->count; i-- > end;) {
		if (t->ev[i]->cookie == cookie)
			tape_remove(t, i);
	}
	tape_insert(t, end, c);
}

/* C5's answer comes ten seconds later, long after its span ended. */
static inline void slow_reply(struct tape *t)
{
	status_decides(t);
	delay(t, answer(t, refund(t, 2)), 100);
}

/* --- other contracts, other answers -------------------------------------------------------------
 */

/* Keys of the one contract, behind its id_path. */
static inline void declare(struct tape *t, const char *keys)
{
	struct ww_slice yaml = ww_buf_slice(&t->contracts);
	static const char mark[] = "id_path: $.id\n";
	const uint8_t *at = memmem(yaml.p, yaml.n, mark, strlen(mark));
	size_t head = at ? (size_t)(at - yaml.p) + strlen(mark) : 0;
	char text[4096];
	int n = snprintf(text, sizeof(text), "%.*s%s%.*s", (int)head, (const char *)yaml.p, keys,
			 (int)(yaml.n - head), (const char *)yaml.p + head);

	assert(head && (size_t)n < sizeof(text));
	ww_buf_clear(&t->contracts);
	if (ww_buf_add(&t->contracts, text, (size_t)n) < 0)
		abort();
	t->cfg.contracts = ww_buf_slice(&t->contracts);
}

/* The model was shown the real answer, with another id: what it was shown is not compared there. */
#define READBACK                                                   \
	"    answer_paths: [$.order_id]\n"                         \
	"    readback: {path: '/v1/refunds/{id}', id_path: $.id, " \
	"body: [{path: $.status, equals: posted}]}\n"

/* Another message of the same length, so that the connection's account stays as it is. */
static inline void say_instead(struct tape *t, unsigned at, const char *head, const char *body)
{
	struct ww_event_data *d = (struct ww_event_data *)t->ev[at];
	char text[1024];
	int n = snprintf(text, sizeof(text), "%s\r\ncontent-length: %zu\r\nx-pad: ", head,
			 strlen(body));
	size_t pad = d->captured - (size_t)n - 4 - strlen(body);

	assert(d->captured == d->call_bytes && pad < d->captured);
	memset(d->bytes, 'x', d->captured);
	memcpy(d->bytes, text, (size_t)n);
	memcpy(d->bytes + n + pad, "\r\n\r\n", 4);
	memcpy(d->bytes + n + pad + 4, body, strlen(body));
}

#define OK "HTTP/1.1 200 OK\r\ncontent-type: application/json"

/* A17 is answered so; in place of C5's refund it is read back, and that is answered so. */
static inline void read_instead(struct tape *t, const char *made, const char *read_head,
				const char *read_body)
{
	unsigned made_at = answer(t, refund(t, 0)), read_at = refund(t, 2);
	unsigned read_answer = answer(t, read_at);

	say_instead(t, made_at, made, "{\"id\":\"r_77\",\"order_id\":\"A17\"}");
	say_instead(t, read_at, "GET /v1/refunds/r_77 HTTP/1.1\r\nhost: payments.test", "");
	say_instead(t, read_answer, read_head, read_body);
}

static inline void read_back(struct tape *t)
{
	declare(t, READBACK);
	read_instead(t, "HTTP/1.1 201 Created\r\ncontent-type: application/json", OK,
		     "{\"id\":\"r_77\",\"status\":\"posted\"}");
}

static inline void another_read(struct tape *t)
{
	declare(t, READBACK);
	read_instead(t, "HTTP/1.1 201 Created\r\ncontent-type: application/json", OK,
		     "{\"id\":\"r_78\",\"status\":\"posted\"}");
}

static inline void shown_later(struct tape *t)
{
	declare(t, READBACK "    async_deadline: 1s\n");
	read_instead(t, "HTTP/1.1 202 Accepted\r\ncontent-type: application/json", OK,
		     "{\"id\":\"r_77\",\"status\":\"posted\"}");
}

static inline void never_shown(struct tape *t)
{
	declare(t, READBACK "    async_deadline: 1s\n");
	read_instead(t, "HTTP/1.1 202 Accepted\r\ncontent-type: application/json", OK,
		     "{\"id\":\"r_77\",\"status\":\"pending\"}");
}

static inline void some_items(struct tape *t)
{
	declare(t, "    bulk: {items: $.items, status_path: $.status}\n");
	say_instead(t, answer(t, refund(t, 0)),
		    "HTTP/1.1 207 Multi-Status\r\ncontent-type: application/json",
		    "{\"items\":[{\"status\":201},{\"status\":409}]}");
}

/* --- binding ------------------------------------------------------------------------------------
 */

/* The kernel could name no socket: plaintext comes with its session's random alone. */
static inline void unbound(struct tape *t)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (t->ev[i]->kind == WW_EVENT_DATA)
			((struct ww_event_data *)t->ev[i])->bind = WW_BIND_UNBOUND;
		if (t->ev[i]->kind == WW_EVENT_DATA || t->ev[i]->kind == WW_EVENT_SESSION_END)
			t->ev[i]->cookie = 0;
	}
}

/* What the server's own end of the connection shows, were the server in the scope as well. */
static inline void *mirrored(const struct ww_event *ev, uint64_t cookie)
{
	struct ww_event *m = tape_copy(ev, ev->size);

	m->cookie = m->kind == WW_EVENT_DATA ? 0 : cookie;
	m->actor = (struct ww_actor_key){0};
	if (m->kind == WW_EVENT_TLS_HELLO) {
		((struct ww_event_hello *)m)->dir ^= 1;
	} else if (m->kind == WW_EVENT_TLS_RECORD) {
		((struct ww_event_record *)m)->dir ^= 1;
	} else if (m->kind == WW_EVENT_DATA) {
		struct ww_event_data *d = (struct ww_event_data *)m;

		d->dir ^= 1;
		d->session.pid = 4242;
		d->session.object = 0x5e4e4;
		m->actor = (struct ww_actor_key){.pid = 4242, .tid = 4242, .start_ns = 99};
	} else {
		struct ww_event_counters *c = (struct ww_event_counters *)m, was = *c;

		c->local = was.peer;
		c->peer = was.local;
		c->bytes_sent = c->bytes_acked = was.bytes_received;
		c->bytes_received = was.bytes_sent;
	}
	return m;
}

/* The process that accepted it; known with its first own packet. */
static inline void *accepted(const struct ww_event_counters *established, uint64_t cookie,
			     uint64_t time_ns)
{
	struct ww_event_flow *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->h = established->h;
	f->h.kind = WW_EVENT_FLOW_OWNER;
	f->h.size = sizeof(*f);
	f->h.time_ns = time_ns;
	f->h.cookie = cookie;
	f->h.actor = (struct ww_actor_key){.pid = 4242, .tid = 4242, .start_ns = 99};
	f->local = established->peer;
	f->peer = established->local;
	f->proto = IPPROTO_TCP;
	f->role = WW_FLOW_ACCEPT;
	f->type = 1;
	f->family = 2;
	return f;
}

/* As unbound, and both ends of the refunds' connection are watched. */
static inline void both_ends(struct tape *t)
{
	uint64_t cookie = t->ev[refund(t, 0)]->cookie, twin = 0x5e4;
	unsigned at = find_of(t, 0, WW_EVENT_FLOW_STATE, cookie);
	const struct ww_event_counters established = *(struct ww_event_counters *)t->ev[at];
	bool owned = false;

	for (unsigned i = at; i < t->count; i++) {
		struct ww_event *ev = t->ev[i];
		bool in =
			ev->kind == WW_EVENT_DATA && ((struct ww_event_data *)ev)->dir == WW_DIR_IN;

		if (ev->cookie != cookie ||
		    (ev->kind > WW_EVENT_TLS_RECORD && ev->kind != WW_EVENT_DATA))
			continue;
		/* What the client reads the server wrote before. */
		tape_insert(t, in ? i : i + 1, mirrored(ev, twin));
		i++;
		if (ev->kind == WW_EVENT_TLS_HELLO && !owned) {
			tape_insert(t, ++i, accepted(&established, twin, ev->time_ns));
			owned = true;
		}
	}
	unbound(t);
}

/* --- somebody who could act, seen once and early -------------------------------------------------
 */

static inline void executor_on_unix(struct tape *t)
{
	unsigned at = early(t);
	struct ww_event_unix *ev = make_event(t, at, WW_EVENT_UNIX_PEER, sizeof(*ev), 0x999);

	ev->path_bytes = 9;
	memcpy(ev->path, "/run/exec", 9);
	tape_insert(t, at, ev);
}

static inline void raw_socket(struct tape *t)
{
	unsigned at = early(t);
	struct ww_event_flow *ev = make_event(t, at, WW_EVENT_FLOW_OPEN, sizeof(*ev), 0x999);

	ev->role = WW_FLOW_SEND;
	ev->proto = IPPROTO_ICMP;
	ev->type = 3;
	tape_insert(t, at, ev);
}

static inline void process_left(struct tape *t)
{
	unsigned at = early(t);
	struct ww_event *ev = make_event(t, at, WW_EVENT_PROC_LEFT, sizeof(*ev), 0);

	ev->actor.pid = 77;
	tape_insert(t, at, ev);
}

/* --- all of them ---------------------------------------------------------------------------------
 */

static inline void as_it_was(struct tape *t)
{
}

#define GOLDEN                                                              \
	{                                                                   \
		"CONFIRMED_T1", "MASKED_ERROR", "NO_ACTION", "MASKED_ERROR" \
	}
#define ABETTED                                                                \
	{                                                                      \
		"CONFIRMED_T1", FAILED_OR_MORE, ABSENT_OR_MORE, FAILED_OR_MORE \
	}

static const struct variant variants[] = {
	{"as it was", as_it_was, GOLDEN},
	{"status decides",
	 status_decides,
	 {"CONFIRMED_T1", "MASKED_ERROR", "NO_ACTION", "CONFIRMED_T1"}},
	{"no reply", no_reply, {"REPLY_LOST", "NO_ACTION", "NO_ACTION", "NO_ACTION"}},
	{"slow reply", slow_reply, {"CONFIRMED_T1", "MASKED_ERROR", "NO_ACTION", "CONFIRMED_T1"}},
	{"unbound", unbound, GOLDEN},
	{"both ends", both_ends, GOLDEN},
	{"read back", read_back, {"CONFIRMED_T2", "MASKED_ERROR", "NO_ACTION", "NO_ACTION"}},
	{"another read", another_read, {"CONFIRMED_T1", "MASKED_ERROR", "NO_ACTION", "NO_ACTION"}},
	{"shown later", shown_later, {SHOWN_LATER, "MASKED_ERROR", "NO_ACTION", "NO_ACTION"}},
	{"never shown", never_shown, {"EFFECT_MISSING", "MASKED_ERROR", "NO_ACTION", "NO_ACTION"}},
	{"some items", some_items, {"PARTIAL_EFFECT", "MASKED_ERROR", "NO_ACTION", "MASKED_ERROR"}},
	{"executor on a unix socket", executor_on_unix, ABETTED},
	{"raw socket", raw_socket, ABETTED},
	{"process left", process_left, ABETTED},
};

static const char *const variant_tapes[] = {"tests/golden/tapes/node_refunds.tape",
					    "tests/golden/tapes/python_refunds.tape",
					    "tests/golden/tapes/anthropic_refunds.tape"};

/* As they were recorded: those, and one whose refunds went over HTTP/2. */
static const char *const recorded_tapes[] = {
	"tests/golden/tapes/node_refunds.tape", "tests/golden/tapes/python_refunds.tape",
	"tests/golden/tapes/anthropic_refunds.tape", "tests/golden/tapes/http2_refunds.tape"};

/* --- a variant in play ---------------------------------------------------------------------------
 */

struct scene {
	const struct variant *v;
	struct tape tape;
	struct tape_run base;      /* without faults */
	char subjects[TURNS][128]; /* by turn */
};

/* The verdicts without faults, in order, are the turns. Returns how many are not what is true. */
static inline unsigned scene_open(struct scene *s, const struct variant *v, const char *path)
{
	unsigned wrong = 0, turn = 0;

	s->v = v;
	tape_load(&s->tape, path);
	v->change(&s->tape);
	tape_play(&s->tape, s->tape.ev, s->tape.count, &s->base);
	for (unsigned i = 0; i < s->base.verdict_count; i++) {
		const struct tape_verdict *last =
			sim_verdict(&s->base, s->base.verdicts[i].subject);
		const char *want;

		if (last != &s->base.verdicts[i])
			continue;
		if (turn == TURNS)
			return wrong + 1;
		want = strchr(v->truth[turn], ' ') ? "UNVERIFIABLE" : v->truth[turn];
		if (strcmp(v->truth[turn], SHOWN_LATER) == 0)
			want = "CONFIRMED_T2";
		if (strcmp(last->verdict, want) != 0) {
			fprintf(stderr, "WRONG %s, %s: turn %u is %s(%s), true is %s\n", path,
				v->name, turn, last->verdict, last->reason, v->truth[turn]);
			wrong++;
		}
		snprintf(s->subjects[turn++], sizeof(s->subjects[0]), "%s", last->subject);
	}
	return wrong + (turn != TURNS);
}

/* What is true of a subject; of one that nobody knows nothing may be said. */
static inline const char *scene_truth(const struct scene *s, const char *subject)
{
	for (unsigned i = 0; i < TURNS; i++) {
		if (strcmp(s->subjects[i], subject) == 0)
			return s->v->truth[i];
	}
	return ABSENT_OR_MORE;
}

/* Plays what sim_build() made; returns how many things are not as they must be. */
static inline unsigned scene_check(const struct scene *s, struct sim *sim, struct tape_run *run,
				   const char *what)
{
	unsigned wrong = 0;

	tape_play(&s->tape, sim->ev, sim->count, run);
	for (unsigned i = 0; i < run->verdict_count; i++) {
		const struct tape_verdict *v = &run->verdicts[i];
		const char *truth = scene_truth(s, v->subject);

		if (sim_allowed(truth, v->verdict))
			continue;
		wrong++;
		fprintf(stderr, "WRONG %s, %s: %s: %s is %s(%s), true is %s\n", s->tape.path,
			s->v->name, what, v->subject, v->verdict, v->reason, truth);
	}
	if (run->stats.live_flows || run->stats.body_bytes) {
		fprintf(stderr, "HELD %s, %s: %s\n", s->tape.path, s->v->name, what);
		wrong++;
	}
	if (sim->upto == s->tape.count &&
	    (run->lost_events != sim->lost || run->losses_told < sim->lost ||
	     run->beyond_cap != sim->cap_bytes)) {
		fprintf(stderr, "UNTOLD %s, %s: %s: %llu events lost, %llu told\n", s->tape.path,
			s->v->name, what, (unsigned long long)sim->lost,
			(unsigned long long)run->lost_events);
		wrong++;
	}
	return wrong;
}
