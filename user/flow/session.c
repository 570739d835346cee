/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/session.h"

#include <errno.h>

#include "base/hash.h"

struct held {
	struct held *next;
	struct ww_event_data ev; /* its bytes follow */
};

struct session_id {
	uint8_t random[16]; /* zero: unreadable, then object counts */
	uint64_t object;
	uint64_t pid;
};

struct session {
	struct session_id id;
	uint64_t cookie;   /* 0: unbound */
	uint64_t ended_ns; /* its object was freed or its process is gone; 0: it lives */
	uint8_t grade;
	size_t held_bytes;
	struct held *first, **last;
	struct session *prev, *next;
	UT_hash_handle hh;
};

/* One client random and the sockets on which it was seen, by side. */
struct witness {
	uint8_t random[16];
	uint64_t client_cookie, server_cookie;
	uint32_t client_pid, server_pid;
	bool client_twice; /* the same hello went out on two sockets: it names neither */
	UT_hash_handle hh;
};

struct ww_sessions {
	ww_session_lost_fn lost;
	void *ctx;
	struct session *by_id;
	struct session *first, *last;
	struct witness *witnesses;
	size_t held_bytes; /* of all sessions */
	unsigned unbound;
	unsigned count;
};

int ww_sessions_new(ww_session_lost_fn lost, void *ctx, struct ww_sessions **ret_sessions)
{
	struct ww_sessions *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->lost = lost;
	s->ctx = ctx;
	*ret_sessions = s;
	return 0;
}

/* What a held event takes, its own fields included: many small ones are as heavy as a large one. */
static size_t weight(const struct ww_event_data *ev)
{
	return sizeof(struct held) + ev->captured;
}

static void held_free(struct held *h)
{
	explicit_bzero(h->ev.bytes, h->ev.captured);
	free(h);
}

static struct held *held_take(struct ww_sessions *s, struct session *e)
{
	struct held *h = e->first;

	e->first = h->next;
	if (!e->first)
		e->last = &e->first;
	e->held_bytes -= weight(&h->ev);
	s->held_bytes -= weight(&h->ev);
	return h;
}

static void held_lose(struct ww_sessions *s, struct session *e, enum ww_loss_cause cause)
{
	struct held *h = held_take(s, e);

	s->lost(s->ctx, &h->ev, cause);
	held_free(h);
}

static void session_drop(struct ww_sessions *s, struct session *e)
{
	while (e->first)
		held_lose(s, e, WW_LOSS_UNBOUND);
	HASH_DELETE(hh, s->by_id, e);
	if (e->prev)
		e->prev->next = e->next;
	else
		s->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		s->last = e->prev;
	if (e->cookie == 0)
		s->unbound--;
	s->count--;
	free(e);
}

void ww_sessions_free(struct ww_sessions *s)
{
	struct witness *w, *tmp;

	if (!s)
		return;
	while (s->first) {
		while (s->first->first)
			held_free(held_take(s, s->first));
		session_drop(s, s->first);
	}
	HASH_ITER (hh, s->witnesses, w, tmp) {
		HASH_DELETE(hh, s->witnesses, w);
		free(w);
	}
	free(s);
}

static bool random_known(const uint8_t random[16])
{
	static const uint8_t zero[16];

	return memcmp(random, zero, 16) != 0;
}

static struct session_id make_id(const struct ww_session_key *key)
{
	struct session_id id = {.pid = key->pid};

	if (random_known(key->random))
		memcpy(id.random, key->random, sizeof(id.random));
	else
		id.object = key->object;
	return id;
}

static struct session *session_get(struct ww_sessions *s, const struct ww_session_key *key)
{
	struct session_id id = make_id(key);
	struct session *e = NULL;

	HASH_FIND(hh, s->by_id, &id, sizeof(id), e);
	return e;
}

static struct session *session_ensure(struct ww_sessions *s, const struct ww_session_key *key)
{
	struct session *e = session_get(s, key);

	if (e)
		return e;
	if (s->count >= WW_FLOWS_MAX)
		session_drop(s, s->first);
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->id = make_id(key);
	e->last = &e->first;
	HASH_ADD(hh, s->by_id, id, sizeof(e->id), e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	e->prev = s->last;
	if (s->last)
		s->last->next = e;
	else
		s->first = e;
	s->last = e;
	s->count++;
	s->unbound++;
	return e;
}

int ww_sessions_hello(struct ww_sessions *s, const struct ww_event_hello *ev, uint8_t role,
		      uint32_t owner_pid)
{
	struct witness *w = NULL;

	if (!ev->client || ev->h.cookie == 0)
		return 0;
	HASH_FIND(hh, s->witnesses, ev->random, 16, w);
	if (!w) {
		if (HASH_COUNT(s->witnesses) >= WW_FLOWS_MAX)
			return -ENOMEM;
		w = calloc(1, sizeof(*w));
		if (!w)
			return -ENOMEM;
		memcpy(w->random, ev->random, 16);
		HASH_ADD(hh, s->witnesses, random, 16, w);
		if (!w->hh.tbl) {
			free(w);
			return -ENOMEM;
		}
	}
	if (ev->dir == WW_DIR_OUT) {
		w->client_twice |= w->client_cookie && w->client_cookie != ev->h.cookie;
		w->client_cookie = ev->h.cookie;
		w->client_pid = owner_pid;
	} else {
		w->server_cookie = ev->h.cookie;
		w->server_pid = owner_pid;
	}
	return 0;
}

void ww_sessions_owner(struct ww_sessions *s, uint64_t cookie, const uint8_t *random,
		       uint32_t owner_pid)
{
	struct witness *w = NULL;

	HASH_FIND(hh, s->witnesses, random, 16, w);
	if (w && w->client_cookie == cookie)
		w->client_pid = owner_pid;
	if (w && w->server_cookie == cookie)
		w->server_pid = owner_pid;
}

/*
 * Which socket the random names for this process: the one that it owns. Where the process owns both
 * ends or neither (the other end may be out of our sight), the random alone tells nothing.
 */
static uint64_t by_random(struct ww_sessions *s, const struct session_id *id)
{
	struct witness *w = NULL;
	bool client, server;

	if (!random_known(id->random))
		return 0;
	HASH_FIND(hh, s->witnesses, id->random, 16, w);
	if (!w || w->client_twice)
		return 0;
	client = w->client_cookie && w->client_pid == id->pid;
	server = w->server_cookie && w->server_pid == id->pid;
	if (client == server)
		return 0;
	return client ? w->client_cookie : w->server_cookie;
}

static void set_cookie(struct ww_sessions *s, struct session *e, uint64_t cookie, uint8_t grade)
{
	if (e->cookie != 0 || cookie == 0)
		return;
	e->cookie = cookie;
	e->grade = grade;
	s->unbound--;
}

uint64_t ww_sessions_cookie(struct ww_sessions *s, const struct ww_session_key *key,
			    uint64_t event_cookie, uint8_t event_grade, uint8_t *ret_grade)
{
	struct session *e = session_get(s, key);
	struct session_id id = make_id(key);
	uint64_t cookie = e ? e->cookie : 0;
	uint8_t grade = e ? e->grade : WW_BIND_UNBOUND;

	if (event_cookie) {
		cookie = event_cookie;
		grade = event_grade;
	} else if (!cookie) {
		cookie = by_random(s, &id);
		grade = WW_BIND_RANDOM;
	}
	if (!cookie)
		return 0;
	if (e)
		set_cookie(s, e, cookie, grade);
	*ret_grade = grade;
	return cookie;
}

/* The session that began to wait first makes room. */
static struct session *first_holding(const struct ww_sessions *s)
{
	struct session *e = s->first;

	while (e && !e->first)
		e = e->next;
	return e;
}

int ww_sessions_hold(struct ww_sessions *s, const struct ww_event_data *ev)
{
	struct session *e = session_ensure(s, &ev->session), *old;
	struct held *h = e ? malloc(sizeof(*h) + ev->captured) : NULL;

	if (!h) {
		s->lost(s->ctx, ev, WW_LOSS_HOLD);
		return -ENOMEM;
	}
	h->next = NULL;
	memcpy(&h->ev, ev, sizeof(*ev) + ev->captured);
	while (e->first && e->held_bytes + weight(ev) > WW_STREAM_HOLD_BYTES)
		held_lose(s, e, WW_LOSS_HOLD);
	while (s->held_bytes + weight(ev) > WW_HOLD_BYTES_MAX && (old = first_holding(s)))
		held_lose(s, old, WW_LOSS_HOLD);
	*e->last = h;
	e->last = &h->next;
	e->held_bytes += weight(ev);
	s->held_bytes += weight(ev);
	return 0;
}

static void release(struct ww_sessions *s, struct session *e, ww_session_fn fn, void *ctx)
{
	while (e->first) {
		struct held *h = held_take(s, e);

		fn(ctx, e->cookie, e->grade, &h->ev);
		held_free(h);
	}
}

void ww_sessions_release(struct ww_sessions *s, ww_session_fn fn, void *ctx)
{
	for (struct session *e = s->first; e && s->held_bytes; e = e->next) {
		if (!e->cookie)
			set_cookie(s, e, by_random(s, &e->id), WW_BIND_RANDOM);
		if (e->cookie)
			release(s, e, fn, ctx);
	}
}

void ww_sessions_release_one(struct ww_sessions *s, const struct ww_session_key *key,
			     ww_session_fn fn, void *ctx)
{
	struct session *e = s->held_bytes ? session_get(s, key) : NULL;

	if (e && e->cookie)
		release(s, e, fn, ctx);
}

int ww_sessions_bind(struct ww_sessions *s, const struct ww_event_bind *ev)
{
	struct session *e = session_ensure(s, &ev->session);

	if (!e)
		return -ENOMEM;
	set_cookie(s, e, ev->h.cookie, WW_BIND_RECORD);
	return 0;
}

void ww_sessions_forget(struct ww_sessions *s, uint64_t cookie)
{
	struct session *e = s->first;

	while (e) {
		struct session *next = e->next;

		if (e->cookie == cookie)
			session_drop(s, e);
		e = next;
	}
}

void ww_sessions_forget_random(struct ww_sessions *s, uint64_t cookie, const uint8_t *random)
{
	struct witness *w = NULL;

	HASH_FIND(hh, s->witnesses, random, 16, w);
	if (!w)
		return;
	if (w->client_cookie == cookie)
		w->client_cookie = 0;
	if (w->server_cookie == cookie)
		w->server_cookie = 0;
	if (w->client_cookie == 0 && w->server_cookie == 0) {
		HASH_DELETE(hh, s->witnesses, w);
		free(w);
	}
}

void ww_sessions_end(struct ww_sessions *s, const struct ww_session_key *key, struct ww_boot t)
{
	struct session *e = session_get(s, key);

	if (e)
		e->ended_ns = t.ns;
}

void ww_sessions_exit(struct ww_sessions *s, uint32_t pid, struct ww_boot t)
{
	for (struct session *e = s->first; e && s->unbound; e = e->next) {
		if (e->id.pid == pid)
			e->ended_ns = t.ns;
	}
}

void ww_sessions_expire(struct ww_sessions *s, struct ww_boot t)
{
	struct session *next;

	for (struct session *e = s->first; e && s->unbound; e = next) {
		next = e->next;
		if (!e->cookie && e->ended_ns && e->ended_ns < t.ns)
			session_drop(s, e);
	}
}

unsigned ww_sessions_homeless(const struct ww_sessions *s, uint64_t cgroup, struct ww_boot from,
			      struct ww_boot to)
{
	unsigned n = 0;

	for (const struct session *e = s->first; e && s->held_bytes; e = e->next) {
		for (const struct held *h = e->first; h; h = h->next)
			n += h->ev.h.cgroup == cgroup && h->ev.h.time_ns >= from.ns &&
			     h->ev.h.time_ns <= to.ns;
	}
	return n;
}

unsigned ww_sessions_unbound(const struct ww_sessions *s)
{
	return s->unbound;
}
