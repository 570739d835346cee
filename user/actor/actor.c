/* SPDX-License-Identifier: Apache-2.0 */
#include "actor/actor.h"

#include <errno.h>

#include "base/encode.h"
#include "base/hash.h"

/* What identity means: no thread, no padding. */
struct actor_id {
	uint64_t start_ns;
	uint64_t pid;
};

struct entry {
	struct ww_actor actor;
	struct actor_id id;
	uint32_t children;                   /* entries that name this one as their parent */
	struct entry *prev, *next;           /* arrival order */
	struct entry *prev_exit, *next_exit; /* of those that exited, by exit */
	UT_hash_handle hh;
};

/* /proc tells start times in ticks of a hundredth second, rounded down. */
#define TICK_NS 10000000ull

struct ww_actors {
	uint32_t coarse; /* entries with start_coarse */
	struct entry *by_id;
	struct entry *first, *last;
	struct entry *first_exit, *last_exit;
	uint32_t count;
	uint64_t evicted;
	uint64_t endings;
};

int ww_actors_new(struct ww_actors **ret_actors)
{
	struct ww_actors *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	*ret_actors = a;
	return 0;
}

static struct entry *lookup(const struct ww_actors *a, struct ww_actor_key key)
{
	struct actor_id id = {key.start_ns, key.pid};
	struct entry *e = NULL;

	HASH_FIND(hh, a->by_id, &id, sizeof(id), e);
	return e;
}

static void enter_exits(struct ww_actors *a, struct entry *e)
{
	e->prev_exit = a->last_exit;
	if (a->last_exit)
		a->last_exit->next_exit = e;
	else
		a->first_exit = e;
	a->last_exit = e;
}

static void leave_exits(struct ww_actors *a, struct entry *e)
{
	if (e->prev_exit)
		e->prev_exit->next_exit = e->next_exit;
	else
		a->first_exit = e->next_exit;
	if (e->next_exit)
		e->next_exit->prev_exit = e->prev_exit;
	else
		a->last_exit = e->prev_exit;
}

static void drop(struct ww_actors *a, struct entry *e)
{
	struct entry *parent = lookup(a, e->actor.parent);

	if (parent && parent->children > 0)
		parent->children--;
	HASH_DELETE(hh, a->by_id, e);
	if (e->actor.start_coarse)
		a->coarse--;
	if (e->prev)
		e->prev->next = e->next;
	else
		a->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		a->last = e->prev;
	if (e->actor.exited.ns)
		leave_exits(a, e);
	a->count--;
	a->endings++;
	free(e);
}

void ww_actors_free(struct ww_actors *a)
{
	if (!a)
		return;
	while (a->first)
		drop(a, a->first);
	free(a);
}

/* Makes room: the oldest actor that exited, else the oldest. */
static void evict(struct ww_actors *a)
{
	struct entry *e = a->first;

	while (e && e->actor.exited.ns == 0)
		e = e->next;
	drop(a, e ? e : a->first);
	a->evicted++;
}

/* The kernel now says exactly when a process of the /proc walk began: the entry gets its real key.
 */
static struct entry *sharpen(struct ww_actors *a, struct ww_actor_key key)
{
	struct entry *e = a->coarse ? a->first : NULL;

	while (e && !(e->actor.start_coarse && e->actor.key.pid == key.pid &&
		      e->actor.key.start_ns <= key.start_ns &&
		      key.start_ns - e->actor.key.start_ns < TICK_NS))
		e = e->next;
	if (!e)
		return NULL;
	a->endings++;
	for (struct entry *child = a->first; child; child = child->next) {
		if (ww_actor_key_eq(child->actor.parent, e->actor.key))
			child->actor.parent.start_ns = key.start_ns;
	}
	HASH_DELETE(hh, a->by_id, e);
	e->actor.key.start_ns = key.start_ns;
	e->actor.start_coarse = false;
	a->coarse--;
	e->id = (struct actor_id){key.start_ns, key.pid};
	HASH_ADD(hh, a->by_id, id, sizeof(e->id), e);
	return e->hh.tbl ? e : NULL;
}

/* Who looked at /proc still goes by the rounded start when the exact one is known already. */
static struct entry *sharpened(const struct ww_actors *a, struct ww_actor_key key)
{
	struct entry *e = key.start_ns % TICK_NS == 0 ? a->last : NULL;

	while (e && !(e->actor.key.pid == key.pid && e->actor.key.start_ns >= key.start_ns &&
		      e->actor.key.start_ns - key.start_ns < TICK_NS))
		e = e->prev;
	return e;
}

static struct entry *ensure(struct ww_actors *a, struct ww_actor_key key, const struct ww_event *ev)
{
	struct entry *e = lookup(a, key);

	if (!e)
		e = sharpen(a, key);
	if (!e)
		e = sharpened(a, key);
	if (e)
		return e;
	if (a->count >= WW_ACTORS_MAX)
		evict(a);
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	key.tid = 0;
	e->id = (struct actor_id){key.start_ns, key.pid};
	HASH_ADD(hh, a->by_id, id, sizeof(e->id), e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	e->actor.key = key;
	e->actor.cgroup = ev->cgroup;
	e->actor.first_seen.ns = ev->time_ns;
	e->prev = a->last;
	if (a->last)
		a->last->next = e;
	else
		a->first = e;
	a->last = e;
	a->count++;
	return e;
}

static void set_parent(struct ww_actors *a, struct entry *e, struct ww_actor_key parent)
{
	struct entry *p;

	if (parent.pid == 0 || ww_actor_key_eq(parent, e->actor.key) || e->actor.parent.pid != 0)
		return;
	parent.tid = 0;
	e->actor.parent = parent;
	p = lookup(a, parent);
	if (p)
		p->children++;
}

static int feed_fork(struct ww_actors *a, const struct ww_event_fork *ev)
{
	const struct entry *p = lookup(a, ev->parent);
	bool known = lookup(a, ev->h.actor) != NULL;
	struct entry *e = ensure(a, ev->h.actor, &ev->h);

	if (!e)
		return -ENOMEM;
	set_parent(a, e, ev->parent);
	if (!known)
		e->actor.born_in_sight = true;
	if (p && e->actor.comm[0] == '\0') {
		memcpy(e->actor.comm, p->actor.comm, sizeof(e->actor.comm));
		memcpy(e->actor.exe, p->actor.exe, sizeof(e->actor.exe));
		e->actor.own_mounts = p->actor.own_mounts;
		e->actor.uid = p->actor.uid;
	}
	return 0;
}

static int feed_exec(struct ww_actors *a, const struct ww_event_exec *ev)
{
	struct entry *e = ensure(a, ev->h.actor, &ev->h);
	size_t n = ev->path_bytes < WW_PATH_BYTES_MAX ? ev->path_bytes : WW_PATH_BYTES_MAX;

	if (!e)
		return -ENOMEM;
	set_parent(a, e, ev->parent);
	e->actor.uid = ev->uid;
	e->actor.ns_pid = ev->ns_pid;
	memcpy(e->actor.comm, ev->comm, 16);
	e->actor.comm[16] = '\0';
	memcpy(e->actor.exe, ev->path, n);
	e->actor.exe[n] = '\0';
	e->actor.own_mounts = ev->own_mounts;
	if (ev->h.kind == WW_EVENT_PROC_EXEC) {
		if (e->actor.first_seen.ns == ev->h.time_ns)
			e->actor.came = e->actor.first_seen;
		e->actor.execed.ns = ev->h.time_ns;
		/* Of the program before; `opaque` stays, as the scope's mark of it does. */
		e->actor.tls_files = 0;
		e->actor.tls_events = e->actor.tls_bound = e->actor.exchanges = 0;
	} else if (e->actor.key.start_ns == ev->h.actor.start_ns && e->actor.execed.ns == 0 &&
		   !e->actor.born_in_sight && !e->actor.start_coarse) {
		e->actor.start_coarse = true;
		a->coarse++;
	}
	return 0;
}

static void count(struct ww_actor *a, const struct ww_event *ev)
{
	const struct ww_event_coverage *c = (const struct ww_event_coverage *)ev;

	if (ev->kind == WW_EVENT_DATA) {
		a->tls_events++;
		a->tls_bound += ev->cookie != 0;
	} else if (ev->kind == WW_EVENT_COVERAGE && c->what == WW_COVERAGE_PROCESS) {
		a->tls_files++;
	} else if (ev->kind == WW_EVENT_COVERAGE && c->what == WW_COVERAGE_OPAQUE) {
		a->opaque = true;
	}
}

void ww_actors_exchange(struct ww_actors *a, struct ww_actor_key key)
{
	struct entry *e = lookup(a, key);

	if (e)
		e->actor.exchanges++;
}

void ww_actors_each(const struct ww_actors *a, void (*fn)(void *ctx, const struct ww_actor *actor),
		    void *ctx)
{
	for (const struct entry *e = a->first; e; e = e->next)
		fn(ctx, &e->actor);
}

int ww_actors_feed(struct ww_actors *a, const struct ww_event *ev)
{
	struct entry *e;

	switch (ev->kind) {
	case WW_EVENT_PROC_FORK:
		return feed_fork(a, (const struct ww_event_fork *)ev);
	case WW_EVENT_PROC_EXEC:
	case WW_EVENT_PROC_INFO:
		return feed_exec(a, (const struct ww_event_exec *)ev);
	case WW_EVENT_PROC_EXIT:
		e = ensure(a, ev->actor, ev);
		if (!e)
			return -ENOMEM;
		a->endings++;
		if (e->actor.exited.ns)
			leave_exits(a, e);
		e->prev_exit = e->next_exit = NULL;
		enter_exits(a, e);
		e->actor.exited.ns = ev->time_ns ? ev->time_ns : 1; /* 0: alive */
		e->actor.exit_code = ((const struct ww_event_exit *)ev)->code;
		return 0;
	default:
		if (ev->actor.pid == 0)
			return 0;
		e = ensure(a, ev->actor, ev);
		if (!e)
			return -ENOMEM;
		count(&e->actor, ev);
		return 0;
	}
}

uint64_t ww_actors_endings(const struct ww_actors *a)
{
	return a->endings;
}

const struct ww_actor *ww_actors_get(const struct ww_actors *a, struct ww_actor_key key)
{
	const struct entry *e = lookup(a, key);

	return e ? &e->actor : NULL;
}

const struct ww_actor *ww_actors_at(const struct ww_actors *a, uint32_t pid, struct ww_boot t)
{
	for (const struct entry *e = a->last; e; e = e->prev) {
		if (e->actor.key.pid == pid && e->actor.key.start_ns <= t.ns &&
		    (e->actor.exited.ns == 0 || e->actor.exited.ns >= t.ns))
			return &e->actor;
	}
	return NULL;
}

struct ww_actor_key ww_actors_root(const struct ww_actors *a, struct ww_actor_key key)
{
	const struct entry *e = lookup(a, key);

	key.tid = 0;
	/* A cycle cannot be built from honest events; the bound keeps a forged tape from hanging
	 * us. */
	for (unsigned depth = 0; e && depth < a->count; depth++) {
		const struct entry *p = lookup(a, e->actor.parent);

		key = e->actor.key;
		if (!p || p->actor.cgroup != e->actor.cgroup)
			break;
		e = p;
	}
	return key;
}

void ww_actors_expire(struct ww_actors *a, struct ww_boot t)
{
	struct entry *next;

	for (struct entry *e = a->first_exit; e && e->actor.exited.ns < t.ns; e = next) {
		struct entry *parent = e;

		next = e->next_exit;
		/* With the last child goes its parent, if it only waited for that. */
		while (parent && parent->actor.exited.ns != 0 && parent->actor.exited.ns < t.ns &&
		       parent->children == 0) {
			e = parent;
			parent = lookup(a, e->actor.parent);
			next = next == e ? e->next_exit : next;
			drop(a, e);
		}
	}
}

void ww_actor_id(struct ww_actor_key key, char *out)
{
	out = ww_put_dec(ww_put_text(out, "p"), key.pid);
	if (key.pid != 0)
		ww_put_hex(ww_put_text(out, "-"), key.start_ns);
}

void ww_actor_write(const struct ww_actor *actor, struct ww_wall t, struct ww_jsonw *w)
{
	char id[WW_ACTOR_ID_MAX], when[WW_RFC3339_MAX];

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "actor");
	ww_actor_id(actor->key, id);
	ww_jsonw_cstr(w, "id", id);
	ww_wall_rfc3339(t, when);
	ww_jsonw_cstr(w, "t", when);
	ww_jsonw_u64(w, "bootNs", actor->first_seen.ns);
	ww_jsonw_u64(w, "pid", actor->key.pid);
	ww_jsonw_u64(w, "nsPid", actor->ns_pid);
	ww_actor_id(actor->parent, id);
	ww_jsonw_cstr(w, "parent", id);
	ww_jsonw_id64(w, "cgroup", actor->cgroup);
	ww_jsonw_u64(w, "uid", actor->uid);
	ww_jsonw_cstr(w, "comm", actor->comm);
	ww_jsonw_cstr(w, "exe", actor->exe);
	ww_jsonw_bool(w, "bornInSight", actor->born_in_sight);
	if (actor->exited.ns) {
		ww_jsonw_u64(w, "exitedBootNs", actor->exited.ns);
		ww_jsonw_i64(w, "exitCode", actor->exit_code);
	}
	ww_jsonw_end_object(w);
}
