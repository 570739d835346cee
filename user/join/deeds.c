/* SPDX-License-Identifier: Apache-2.0 */
#include "join/deeds.h"

#include <errno.h>

#include "base/encode.h"

/* Ancestors that are looked at for a run. */
#define DEPTH_MAX 64
/* Times in which a file was not watched, per template. */
#define GAPS_MAX 16
/* Changes by others, of all templates; past it no window that begins before a dropped one is known.
 */
#define OUTSIDE_MAX 128

struct gap {
	uint64_t from_ns;
	uint64_t to_ns;  /* UINT64_MAX: it lasts */
	uint64_t cgroup; /* whose changes go unseen; 0: everybody's */
	uint32_t why;
};

/* One declared file template, by its text: contracts that share it share this. */
struct watch {
	const char *template;
	bool on;
	uint64_t since_ns; /* known from then on, with its gaps; 0: it never was on */
	unsigned gap_count;
	struct gap gaps[GAPS_MAX];
};

struct outside {
	const char *template; /* the watch's */
	uint64_t since_ns, at_ns;
};

struct ww_deeds {
	const struct ww_contracts *contracts;
	const struct ww_actors *actors;
	const struct ww_digest_key *key;
	struct ww_deed *first, *last;
	struct ww_deed *by_number, *open; /* hash tables */
	uint32_t count;
	uint64_t numbers, dropped, looks;
	struct ww_boot blind_until;
	unsigned watch_count;
	struct watch *watches;
	unsigned outside_next;
	struct outside outside[OUTSIDE_MAX];
	uint64_t outside_blind_ns;
};

/* --- life ------------------------------------------------------------------------------------- */

static struct watch *find_watch(const struct ww_deeds *t, struct ww_slice template)
{
	for (unsigned i = 0; i < t->watch_count; i++) {
		if (ww_slice_eq_str(template, t->watches[i].template))
			return &t->watches[i];
	}
	return NULL;
}

int ww_deeds_new(const struct ww_contracts *contracts, const struct ww_actors *actors,
		 const struct ww_digest_key *key, struct ww_deeds **ret_deeds)
{
	WW_AUTO(ww_deeds_free_auto) struct ww_deeds *t = calloc(1, sizeof(*t));
	size_t files = 0;

	if (!t)
		return -ENOMEM;
	t->contracts = contracts;
	t->actors = actors;
	t->key = key;
	for (unsigned i = 0; i < contracts->count; i++)
		files += contracts->items[i].local.file_count;
	t->watches = calloc(files + 1, sizeof(*t->watches));
	if (!t->watches)
		return -ENOMEM;
	for (unsigned i = 0; i < contracts->count; i++) {
		const struct ww_local *l = &contracts->items[i].local;

		for (unsigned k = 0; k < l->file_count; k++) {
			if (!find_watch(t, ww_slice_str(l->files[k])))
				t->watches[t->watch_count++].template = l->files[k];
		}
	}
	*ret_deeds = WW_TAKE(t);
	return 0;
}

static void close_run(struct ww_deeds *t, struct ww_deed *d)
{
	if (d->open.pid)
		HASH_DELETE(hh_open, t->open, d);
	d->open = (struct ww_deed_actor){0};
}

static void drop(struct ww_deeds *t, struct ww_deed *d)
{
	close_run(t, d);
	HASH_DELETE(hh, t->by_number, d);
	if (d->prev)
		d->prev->next = d->next;
	else
		t->first = d->next;
	if (d->next)
		d->next->prev = d->prev;
	else
		t->last = d->prev;
	t->count--;
	free(d);
}

void ww_deeds_free(struct ww_deeds *t)
{
	if (!t)
		return;
	while (t->first)
		drop(t, t->first);
	free(t->watches);
	free(t);
}

/* --- what is held ----------------------------------------------------------------------------- */

static void lose(struct ww_deeds *t, struct ww_boot at)
{
	t->dropped++;
	if (at.ns > t->blind_until.ns)
		t->blind_until = at;
}

/* NULL: no memory, and told. */
static struct ww_deed *add(struct ww_deeds *t, const struct ww_event *ev, bool run,
			   struct ww_slice path)
{
	struct ww_deed *d;

	if (t->count >= WW_DEEDS_HELD_MAX) {
		lose(t, t->first->at);
		drop(t, t->first);
	}
	d = calloc(1, sizeof(*d));
	if (!d) {
		lose(t, (struct ww_boot){ev->time_ns});
		return NULL;
	}
	d->number = t->numbers + 1;
	HASH_ADD(hh, t->by_number, number, sizeof(d->number), d);
	if (!d->hh.tbl) {
		free(d);
		lose(t, (struct ww_boot){ev->time_ns});
		return NULL;
	}
	t->numbers++;
	d->run = run;
	d->since.ns = d->at.ns = ev->time_ns;
	d->actor = ev->actor;
	d->actor.tid = 0;
	d->root = ww_actors_root(t->actors, ev->actor);
	d->cgroup = ev->cgroup;
	d->path_bytes = path.n;
	if (path.n)
		memcpy(d->path, path.p, path.n);
	ww_digest(t->key, path, &d->digest);
	d->prev = t->last;
	if (t->last)
		t->last->next = d;
	else
		t->first = d;
	t->last = d;
	t->count++;
	return d;
}

static struct ww_deed *open_run(const struct ww_deeds *t, struct ww_actor_key actor)
{
	struct ww_deed_actor key = {actor.start_ns, actor.pid};
	struct ww_deed *d = NULL;

	HASH_FIND(hh_open, t->open, &key, sizeof(key), d);
	return d;
}

/* The run that a new one of this process would be inside of: of the nearest ancestor. */
static uint64_t enclosing(const struct ww_deeds *t, struct ww_actor_key actor)
{
	const struct ww_actor *a = ww_actors_get(t->actors, actor);

	for (unsigned i = 0; a && a->parent.pid && i < DEPTH_MAX; i++) {
		const struct ww_deed *d = open_run(t, a->parent);

		if (d)
			return d->number;
		a = ww_actors_get(t->actors, a->parent);
	}
	return 0;
}

static bool any_program(const struct ww_deeds *t, struct ww_slice path, struct ww_slice called)
{
	for (unsigned i = 0; i < t->contracts->count; i++) {
		const struct ww_local *l = &t->contracts->items[i].local;

		if (ww_local_program(l, path) || ww_local_program_may_be(l, path, called))
			return true;
	}
	return false;
}

static void name_run(struct ww_deed *d)
{
	char *id = ww_put_dec(ww_put_text(d->id, "u-"), d->actor.pid);

	id = ww_put_hex(ww_put_text(id, "-"), d->actor.start_ns);
	ww_put_hex(ww_put_text(id, "-"), d->at.ns);
}

static int feed_exec(struct ww_deeds *t, const struct ww_event_exec *ev, ww_deed_fn fn, void *ctx)
{
	struct ww_slice path = ww_slice(ev->path, ev->own_mounts ? 0 : ev->path_bytes);
	struct ww_slice called = ww_slice(ev->comm, strnlen(ev->comm, sizeof(ev->comm) - 1));
	struct ww_deed *before = open_run(t, ev->h.actor), *d = NULL;
	uint64_t within = before ? before->within : enclosing(t, ev->h.actor);
	bool meant = any_program(t, path, called);

	if (meant)
		d = add(t, &ev->h, true, path);
	if (d) {
		name_run(d);
		memcpy(d->called, called.p, called.n);
	}
	/* Adding may have dropped it. */
	before = open_run(t, ev->h.actor);
	if (before) {
		before->end = WW_RUN_REPLACED;
		before->ended.ns = ev->h.time_ns;
		before->replaced_by = d ? d->number : 0;
		close_run(t, before);
		fn(ctx, before);
	}
	if (!d)
		return meant ? -ENOMEM : 0;
	d->within = within;
	d->open = (struct ww_deed_actor){d->actor.start_ns, d->actor.pid};
	HASH_ADD(hh_open, t->open, open, sizeof(d->open), d);
	if (!d->hh_open.tbl) {
		d->open = (struct ww_deed_actor){0}; /* its end will not be seen */
		lose(t, d->at);
	}
	fn(ctx, d);
	return 0;
}

static void end_run(struct ww_deeds *t, const struct ww_event *ev, enum ww_run_end end,
		    int32_t code, ww_deed_fn fn, void *ctx)
{
	struct ww_deed *d = open_run(t, ev->actor);

	if (!d)
		return;
	d->end = end;
	d->ended.ns = ev->time_ns;
	d->code = code;
	close_run(t, d);
	fn(ctx, d);
}

static void note_outside(struct ww_deeds *t, const struct ww_event_change *ev)
{
	struct watch *w = find_watch(t, ww_slice(ev->path, ev->path_bytes));
	struct outside *o = &t->outside[t->outside_next];

	if (!w)
		return;
	if (o->template && o->at_ns > t->outside_blind_ns)
		t->outside_blind_ns = o->at_ns;
	*o = (struct outside){w->template, ev->since_ns, ev->h.time_ns};
	t->outside_next = (t->outside_next + 1) % OUTSIDE_MAX;
}

static int feed_change(struct ww_deeds *t, const struct ww_event_change *ev, ww_deed_fn fn,
		       void *ctx)
{
	struct ww_slice path = ww_slice(ev->path, ev->path_bytes);
	bool meant = false;
	struct ww_deed *d;
	char *id;

	if (ev->h.actor.pid == 0) {
		note_outside(t, ev);
		return 0;
	}
	for (unsigned i = 0; i < t->contracts->count && !meant; i++)
		meant = ww_local_file(&t->contracts->items[i].local, path) != NULL;
	if (!meant)
		return 0;
	d = add(t, &ev->h, false, path);
	if (!d)
		return -ENOMEM;
	if (ev->since_ns < d->at.ns)
		d->since.ns = ev->since_ns;
	d->what = ev->what;
	id = ww_put_hex(ww_put_text(d->id, "w-"), d->at.ns);
	ww_put_hex(ww_put_text(id, "-"), d->number);
	fn(ctx, d);
	return 0;
}

/* --- what is watched -------------------------------------------------------------------------- */

/* The oldest one that is over goes: what was not watched in it is not known for windows that begin
 * before its end. Where all last, that is never. */
static void make_gap_room(struct watch *w)
{
	unsigned at = 0;

	while (at < GAPS_MAX && w->gaps[at].to_ns == UINT64_MAX)
		at++;
	if (at == GAPS_MAX)
		at = 0;
	if (w->gaps[at].to_ns > w->since_ns)
		w->since_ns = w->gaps[at].to_ns;
	w->gap_count--;
	memmove(&w->gaps[at], &w->gaps[at + 1], (w->gap_count - at) * sizeof(w->gaps[0]));
}

static void begin_gap(struct watch *w, uint64_t from_ns, uint64_t cgroup, uint32_t why)
{
	if (w->gap_count && w->gaps[w->gap_count - 1].to_ns == UINT64_MAX &&
	    w->gaps[w->gap_count - 1].cgroup == cgroup) /* it lasts already */
		return;
	if (w->gap_count == GAPS_MAX)
		make_gap_room(w);
	w->gaps[w->gap_count++] = (struct gap){from_ns, UINT64_MAX, cgroup, why};
}

static void end_gaps(struct watch *w, uint64_t cgroup, uint64_t at_ns)
{
	for (unsigned i = 0; i < w->gap_count; i++) {
		struct gap *g = &w->gaps[i];

		if (g->to_ns == UINT64_MAX && g->cgroup == cgroup)
			g->to_ns = at_ns;
	}
}

static void feed_watch(struct ww_deeds *t, const struct ww_event_coverage *ev)
{
	struct watch *w = find_watch(t, ww_slice(ev->path, ev->path_bytes));

	if (!w)
		return;
	if (ev->status == WW_PROBE_ATTACHED) {
		if (!w->since_ns && !ev->h.cgroup)
			w->since_ns = ev->h.time_ns;
		w->on |= !ev->h.cgroup;
		end_gaps(w, ev->h.cgroup, ev->h.time_ns);
		return;
	}
	begin_gap(w, ev->h.time_ns, ev->h.cgroup, (uint32_t)ev->detail);
}

/* Whatever the queue held: of every template. */
static void feed_loss(struct ww_deeds *t, const struct ww_event_loss *ev)
{
	for (unsigned i = 0; ev->cause == WW_LOSS_CHANGES && i < t->watch_count; i++)
		begin_gap(&t->watches[i], ev->h.time_ns, 0, WW_FILES_OVERFLOW);
}

/* Nobody of it is left whose changes could go unseen. */
static void feed_scope(struct ww_deeds *t, const struct ww_event_scope *ev)
{
	for (unsigned i = 0; !ev->entered && ev->h.cgroup && i < t->watch_count; i++)
		end_gaps(&t->watches[i], ev->h.cgroup, ev->h.time_ns);
}

int ww_deeds_feed(struct ww_deeds *t, const struct ww_event *ev, ww_deed_fn fn, void *ctx)
{
	switch (ev->kind) {
	case WW_EVENT_PROC_EXEC:
		return feed_exec(t, (const struct ww_event_exec *)ev, fn, ctx);
	case WW_EVENT_PROC_EXIT:
		end_run(t, ev, WW_RUN_EXITED, ((const struct ww_event_exit *)ev)->code, fn, ctx);
		return 0;
	case WW_EVENT_PROC_LEFT:
		end_run(t, ev, WW_RUN_LEFT, 0, fn, ctx);
		return 0;
	case WW_EVENT_CHANGE:
		return feed_change(t, (const struct ww_event_change *)ev, fn, ctx);
	case WW_EVENT_COVERAGE:
		if (((const struct ww_event_coverage *)ev)->what == WW_COVERAGE_FILES)
			feed_watch(t, (const struct ww_event_coverage *)ev);
		return 0;
	case WW_EVENT_LOSS:
		feed_loss(t, (const struct ww_event_loss *)ev);
		return 0;
	case WW_EVENT_SCOPE:
		feed_scope(t, (const struct ww_event_scope *)ev);
		return 0;
	default:
		return 0;
	}
}

const char *ww_deeds_why(uint64_t why)
{
#define WHY_(n, v, t) [v] = (t),
	static const char *const texts[WW_FILES_WHY_MAX] = {WW_FILES_WHYS(WHY_)};

	return why < WW_FILES_WHY_MAX ? texts[why] : "not known";
}

static bool watched(const struct watch *w, uint64_t cgroup, struct ww_boot from, struct ww_boot to,
		    const char **ret_why, bool *ret_lost)
{
	for (unsigned i = 0; i < w->gap_count; i++) {
		const struct gap *g = &w->gaps[i];

		if ((g->cgroup && g->cgroup != cgroup) || g->from_ns > to.ns || g->to_ns < from.ns)
			continue;
		*ret_why = ww_deeds_why(g->why);
		*ret_lost = g->why == WW_FILES_OVERFLOW;
		return false;
	}
	*ret_why = ww_deeds_why(WW_FILES_NONE);
	*ret_lost = false;
	return w->on && w->since_ns <= from.ns;
}

bool ww_deeds_saw(const struct ww_deeds *t, const struct ww_contract *c, uint64_t cgroup,
		  struct ww_boot from, struct ww_boot to, const char **ret_why, bool *ret_lost)
{
	for (unsigned i = 0; i < c->local.file_count; i++) {
		const struct watch *w = find_watch(t, ww_slice_str(c->local.files[i]));

		if (!w || !watched(w, cgroup, from, to, ret_why, ret_lost))
			return false;
	}
	return true;
}

bool ww_deeds_outside(const struct ww_deeds *t, const struct ww_contract *c, struct ww_boot from,
		      struct ww_boot to)
{
	if (t->outside_blind_ns && from.ns <= t->outside_blind_ns)
		return true;
	for (unsigned i = 0; i < OUTSIDE_MAX; i++) {
		const struct outside *o = &t->outside[i];

		if (!o->template || o->since_ns > to.ns || o->at_ns < from.ns)
			continue;
		for (unsigned k = 0; k < c->local.file_count; k++) {
			if (strcmp(c->local.files[k], o->template) == 0)
				return true;
		}
	}
	return false;
}

/* --- looking ---------------------------------------------------------------------------------- */

struct ww_deed *ww_deeds_newest(const struct ww_deeds *t)
{
	return t->last;
}

struct ww_deed *ww_deeds_get(const struct ww_deeds *t, uint64_t number)
{
	struct ww_deed *d = NULL;

	if (number)
		HASH_FIND(hh, t->by_number, &number, sizeof(number), d);
	return d;
}

uint64_t ww_deeds_look(struct ww_deeds *t)
{
	return ++t->looks;
}

const char *ww_deed_template(const struct ww_deed *d, const struct ww_contract *c)
{
	struct ww_slice path = ww_slice(d->path, d->path_bytes);

	return d->run ? ww_local_program(&c->local, path) : ww_local_file(&c->local, path);
}

bool ww_deeds_is_over(const struct ww_deeds *t, const struct ww_deed *d, struct ww_actor_key actor)
{
	for (unsigned i = 0; actor.pid && i < DEPTH_MAX; i++) {
		const struct ww_actor *a = ww_actors_get(t->actors, actor);

		if (ww_actor_key_eq(actor, d->actor))
			return true;
		actor = a ? a->parent : (struct ww_actor_key){0};
	}
	return false;
}

bool ww_deed_may_be(const struct ww_deed *d, const struct ww_contract *c)
{
	struct ww_slice path = ww_slice(d->path, d->path_bytes);

	return d->run && !ww_local_program(&c->local, path) &&
	       ww_local_program_may_be(&c->local, path, ww_slice_str(d->called));
}

void ww_deeds_expire(struct ww_deeds *t, struct ww_boot before)
{
	struct ww_deed *next;

	for (struct ww_deed *d = t->first; d && d->at.ns < before.ns; d = next) {
		next = d->next;
		if (!d->open.pid)
			drop(t, d);
	}
}

struct ww_boot ww_deeds_blind_until(const struct ww_deeds *t)
{
	return t->blind_until;
}

uint64_t ww_deeds_dropped(const struct ww_deeds *t)
{
	return t->dropped;
}

/* --- records ---------------------------------------------------------------------------------- */

const char *ww_deed_end_name(enum ww_run_end end)
{
#define END_(n, v, t, d) [v] = (t),
	static const char *const names[WW_RUN_END_MAX] = {WW_RUN_ENDS(END_)};

	return (unsigned)end < WW_RUN_END_MAX ? names[end] : "unknown";
}

void ww_deed_write_what(uint32_t what, struct ww_jsonw *w)
{
#define BIT_(n, v, t, d) {v, t},
	static const struct {
		uint32_t bit;
		const char *text;
	} bits[] = {WW_CHANGE_BITS(BIT_)};

	ww_jsonw_array(w, "what");
	for (unsigned i = 0; i < WW_ARRAY_SIZE(bits); i++) {
		if (what & bits[i].bit)
			ww_jsonw_cstr(w, NULL, bits[i].text);
	}
	ww_jsonw_end_array(w);
}

void ww_deed_write_end(const struct ww_deed *d, struct ww_jsonw *w)
{
	ww_jsonw_cstr(w, "end", ww_deed_end_name(d->end));
	if (d->ended.ns)
		ww_jsonw_u64(w, "endedBootNs", d->ended.ns);
	if (d->end == WW_RUN_EXITED && d->code >= 0)
		ww_jsonw_u64(w, "exitCode", (uint64_t)d->code);
	else if (d->end == WW_RUN_EXITED)
		ww_jsonw_u64(w, "signal", (uint64_t) - (int64_t)d->code);
}

static void write_run(const struct ww_deeds *t, const struct ww_deed *d, struct ww_jsonw *w)
{
	const struct ww_deed *up = ww_deeds_get(t, d->within);
	const struct ww_deed *next = ww_deeds_get(t, d->replaced_by);

	ww_jsonw_str(w, "exe", ww_slice(d->path, d->path_bytes));
	ww_jsonw_u64(w, "beganBootNs", d->at.ns);
	ww_deed_write_end(d, w);
	if (up)
		ww_jsonw_cstr(w, "within", up->id);
	if (next)
		ww_jsonw_cstr(w, "next", next->id);
}

/* The name itself may say something: only its digest is kept, beside the templates. */
static void write_change(const struct ww_deeds *t, const struct ww_deed *d, struct ww_jsonw *w)
{
	ww_jsonw_array(w, "files");
	for (unsigned i = 0; i < t->watch_count; i++) {
		const char *text = t->watches[i].template;

		if (ww_local_path(ww_slice_str(text), ww_slice(d->path, d->path_bytes)))
			ww_jsonw_cstr(w, NULL, text);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_hex(w, "pathDigest", ww_slice(d->digest.b, sizeof(d->digest.b)));
	ww_jsonw_u64(w, "sinceBootNs", d->since.ns);
	ww_jsonw_u64(w, "byBootNs", d->at.ns);
	ww_deed_write_what(d->what, w);
}

void ww_deed_write(const struct ww_deeds *t, const struct ww_deed *d,
		   const struct ww_clock_map *clock, struct ww_jsonw *w)
{
	char id[WW_ACTOR_ID_MAX], when[WW_RFC3339_MAX];

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", d->run ? "run" : "change");
	ww_jsonw_cstr(w, "id", d->id);
	ww_wall_rfc3339(ww_clock_wall(clock, d->at), when);
	ww_jsonw_cstr(w, "t", when);
	ww_actor_id(d->actor, id);
	ww_jsonw_cstr(w, "actor", id);
	ww_actor_id(d->root, id);
	ww_jsonw_cstr(w, "root", id);
	ww_jsonw_id64(w, "cgroup", d->cgroup);
	if (d->run)
		write_run(t, d, w);
	else
		write_change(t, d, w);
	ww_jsonw_end_object(w);
}
