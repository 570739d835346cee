/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/local_case.h"

#include "judge/verdict.h"

#define NS_PER_S 1000000000ull
/* Like deeds before the window that are looked at: the span's clock may be ahead. */
#define EARLY_NS (60 * NS_PER_S)
/* Runs that a run may be inside of. */
#define DEPTH_MAX 64

_Static_assert(WW_GROUNDS_DEEDS_MAX >= WW_LOCAL_DEEDS_MAX, "all deeds have a place");

static uint64_t minus(uint64_t t, uint64_t d)
{
	return t > d ? t - d : 0;
}

/* Whether the action's own time may hold it. A claim alone has only its margin. */
static bool holds(const struct ww_action *a, const struct ww_join_window *w,
		  const struct ww_deed *d)
{
	bool only = ww_action_claim_only(a);
	uint64_t from = only ? w->from.ns : minus(w->core_from.ns, a->bound_ns);
	uint64_t to = only ? w->to.ns : w->core_to.ns + a->bound_ns;

	return d->at.ns >= from && d->since.ns <= to && d->since.ns >= w->from.ns;
}

static bool means(const struct ww_contract *c, const struct ww_deed *d)
{
	return d->run == (c->effect == WW_EFFECT_PROCESS) && d->path_bytes &&
	       (d->run || d->what & ww_local_bits(&c->local)) && ww_deed_template(d, c);
}

/* It may undo what is declared: beside that it counts, alone it is nothing. */
static bool undoes(const struct ww_contract *c, const struct ww_deed *d)
{
	return !d->run && c->local.changes & WW_FILE_WRITTEN &&
	       d->what & (WW_CHANGE_REMOVED | WW_CHANGE_MOVED_AWAY) && ww_deed_template(d, c);
}

/* Invariant 3. */
static bool is_part(const struct ww_deeds *deeds, const struct ww_contract *c,
		    const struct ww_deed *d)
{
	const struct ww_deed *up = ww_deeds_get(deeds, d->within);
	const struct ww_deed *next = ww_deeds_get(deeds, d->replaced_by);

	if (next && means(c, next))
		return true;
	for (unsigned i = 0; up && i < DEPTH_MAX; i++, up = ww_deeds_get(deeds, up->within)) {
		if (means(c, up))
			return true;
	}
	return false;
}

/* --- whose it is --------------------------------------------------------------------------------
 */

static bool own_contract(const struct ww_local_case_ask *ask, const struct ww_action *b,
			 const struct ww_contract **ret)
{
	if (b->contract < 0 || b->prose.only)
		return false;
	*ret = &ask->k->all->items[b->contract];
	return ww_contract_local(*ret);
}

/* Whether another action of its tree could mean it. */
static bool contested(const struct ww_local_case_ask *ask, const struct ww_deed *d)
{
	const struct ww_action *a = ask->k->action;
	struct ww_boot since = {minus(d->since.ns, EARLY_NS)};
	const struct ww_contract *c;

	for (const struct ww_action *b = ww_actions_first_of(ask->actions, d->root, since); b;
	     b = ww_actions_next_of(b, since)) {
		struct ww_join_window w;

		if (b == a || b->owns || b->clock_bad || !own_contract(ask, b, &c) || !means(c, d))
			continue;
		w = ww_join_window_of(b, ask->skew_ns, ask->until);
		if (holds(b, &w, d))
			return true;
	}
	return false;
}

static void list(struct ww_local_case *l, struct ww_deed *d)
{
	l->total++;
	d->look = l->look;
	if (l->count < WW_LOCAL_DEEDS_MAX)
		l->deeds[l->count++] = d;
}

static void take(const struct ww_local_case_ask *ask, struct ww_deed *d)
{
	struct ww_case *k = ask->k;
	struct ww_local_case *l = &k->local;

	if (d->owner && d->owner != k->action->number) {
		struct ww_action *b = ww_actions_get(ask->actions, d->owner);

		l->taken++;
		if (b && b->judged && !k->action->revision)
			ww_actions_reopen(ask->actions, b);
		return;
	}
	if (contested(ask, d)) {
		l->contested++;
		return;
	}
	list(l, d);
	l->meant = true;
	k->still_open |= d->run ? !d->ended.ns && k->contract->local.exit_given
				: d->what & (WW_CHANGE_CREATED | WW_CHANGE_MODIFIED) &&
					  !(d->what & WW_CHANGE_CLOSED);
}

static void sort_one(const struct ww_local_case_ask *ask, struct ww_deed *d)
{
	struct ww_case *k = ask->k;
	struct ww_local_case *l = &k->local;
	const struct ww_join_window *w = &k->joined.window;
	bool same = ww_held_same_tree(d->root, k->action->root);

	if (d->run && !d->path_bytes) {
		l->unknown += same && k->contract->effect == WW_EFFECT_PROCESS &&
			      d->at.ns >= w->from.ns && d->at.ns <= k->world.to.ns;
		return;
	}
	if (!means(k->contract, d)) {
		if (same && undoes(k->contract, d) && holds(k->action, w, d))
			list(l, d);
		return;
	}
	if (is_part(ask->deeds, k->contract, d))
		return;
	if (same && holds(k->action, w, d))
		take(ask, d);
	else if (d->owner || contested(ask, d))
		return; /* somebody else's */
	else if (!same)
		l->foreign += d->at.ns >= w->from.ns && d->since.ns <= k->world.to.ns;
	else if (d->since.ns < w->core_from.ns)
		l->early++;
	else
		l->late++;
}

/* The oldest first. */
static void turn_round(struct ww_local_case *l)
{
	for (unsigned i = 0; i < l->count / 2; i++) {
		struct ww_deed *d = l->deeds[i];

		l->deeds[i] = l->deeds[l->count - 1 - i];
		l->deeds[l->count - 1 - i] = d;
	}
}

/* --- how complete the view was ------------------------------------------------------------------
 */

static void check_rest(const struct ww_local_case_ask *ask)
{
	struct ww_case *k = ask->k;
	struct ww_local_case *l = &k->local;
	struct ww_world *w = &k->world;
	struct ww_boot blind = ww_deeds_blind_until(ask->deeds);
	const char *why;
	bool lost;

	w->whole = true;
	if (k->action->clock_bad)
		ww_closed_world_fail(w, WW_WORLD_CLOCK, "a time contradicts the clock map");
	if (k->now.ns < w->to.ns)
		ww_closed_world_fail(w, WW_WORLD_COVERED, "watching ended before the window");
	if (blind.ns && w->from.ns <= blind.ns)
		ww_closed_world_fail(w, WW_WORLD_KEPT, "runs or changes were dropped");
	if (l->unknown)
		ww_closed_world_fail(w, WW_WORLD_KEPT, "a program whose path is not known");
	if (!ww_deeds_saw(ask->deeds, k->contract, k->action->cgroup, w->from, w->to, &why, &lost))
		ww_closed_world_fail(w, lost ? WW_WORLD_KEPT : WW_WORLD_COVERED, why);
	if (l->foreign)
		ww_closed_world_fail(w, WW_WORLD_OTHERS, "the like by another tree");
	if (ww_deeds_outside(ask->deeds, k->contract, w->from, w->to))
		ww_closed_world_fail(w, WW_WORLD_OTHERS, "changed from outside of the scopes");
	if (l->early)
		ww_closed_world_fail(w, WW_WORLD_EARLY, "the like before the window");
	if (l->late)
		ww_closed_world_fail(w, WW_WORLD_LATE, "the like after the window");
	if (l->taken)
		ww_closed_world_fail(w, WW_WORLD_LATE, "the like in it is another action's");
}

void ww_local_case_look(const struct ww_local_case_ask *ask)
{
	struct ww_case *k = ask->k;
	uint64_t first;

	memset(&k->joined, 0, sizeof(k->joined));
	memset(&k->local, 0, sizeof(k->local));
	k->local.of = ask->deeds;
	k->local.look = ww_deeds_look(ask->deeds);
	k->joined.window = ww_join_window_of(k->action, ask->skew_ns, ask->until);
	ww_closed_world_cover(ask->world, &k->world);
	first = minus(k->joined.window.from.ns, EARLY_NS);
	for (struct ww_deed *d = ww_deeds_newest(ask->deeds); d && d->at.ns >= first; d = d->prev)
		sort_one(ask, d);
	if (!k->local.meant) {
		k->local.total = k->local.count = 0;
		k->local.look = 0;
	}
	turn_round(&k->local);
	check_rest(ask);
	/* What may be explained by another's span, as with calls. */
	k->joined.early = k->local.early;
	k->joined.late = k->local.late + k->local.taken + k->local.contested;
	k->joined.foreign = k->local.foreign;
}

void ww_local_case_ground(const struct ww_case *k, struct ww_grounds *g)
{
	const struct ww_local_case *l = &k->local;
	const struct ww_local *c = &k->contract->local;

	g->local = (struct ww_grounds_local){
		.there = true,
		.exit_given = c->exit_given,
		.exit_min = c->exit_min,
		.exit_max = c->exit_max,
		.changes = c->changes,
		.total = l->total,
		.count = l->count,
		.contested = l->contested,
	};
	for (unsigned i = 0; i < l->count; i++) {
		const struct ww_deed *d = l->deeds[i];
		struct ww_grounds_deed *to = &g->local.deeds[i];

		*to = (struct ww_grounds_deed){
			.run = d->run,
			.since_ns = d->since.ns,
			.at_ns = d->at.ns,
			.end = d->end,
			.ended_ns = d->ended.ns,
			.code = d->code,
			.what = d->what,
		};
		memcpy(&to->path, d->digest.b, sizeof(to->path));
	}
}

/* --- whose it becomes ---------------------------------------------------------------------------
 */

void ww_local_case_own(const struct ww_case *k, struct ww_action *a)
{
	for (struct ww_deed *d = ww_deeds_newest(k->local.of); d && k->local.total; d = d->prev) {
		if (d->look == k->local.look)
			d->owner = a->number;
	}
	a->owns |= k->local.total > 0;
}

void ww_local_case_release(const struct ww_deeds *deeds, struct ww_action *a)
{
	if (!a->owns)
		return;
	for (struct ww_deed *d = ww_deeds_newest(deeds); d; d = d->prev) {
		if (d->owner == a->number)
			d->owner = 0;
	}
	a->owns = false;
}

const struct ww_deed *ww_local_case_deed(const struct ww_case *k, const struct ww_grounds_deed *d)
{
	return k->local.deeds[d - k->grounds.local.deeds];
}

/* --- records ------------------------------------------------------------------------------------
 */

static void write_deed(const struct ww_case *k, const struct ww_deed *d,
		       const struct ww_clock_map *clock, struct ww_jsonw *w)
{
	char when[WW_RFC3339_MAX];

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "id", d->id);
	ww_wall_rfc3339(ww_clock_wall(clock, d->at), when);
	ww_jsonw_cstr(w, "t", when);
	ww_jsonw_cstr(w, d->run ? "program" : "file", ww_deed_template(d, k->contract));
	if (d->run)
		ww_deed_write_end(d, w);
	else
		ww_deed_write_what(d->what, w);
	ww_jsonw_end_object(w);
}

void ww_local_case_write(const struct ww_case *k, const struct ww_ruling *r,
			 const struct ww_clock_map *clock, struct ww_jsonw *w)
{
	const struct ww_local_case *l = &k->local;

	if (!k->grounds.local.there)
		return;
	ww_jsonw_object(w, "local");
	ww_jsonw_cstr(w, "sought", ww_contract_sought(k->contract));
	if (r->deed)
		ww_jsonw_cstr(w, "decides", ww_local_case_deed(k, r->deed)->id);
	ww_jsonw_u64(w, "total", l->total);
	ww_jsonw_u64(w, "contested", l->contested);
	ww_jsonw_array(w, "deeds");
	for (unsigned i = 0; i < l->count; i++)
		write_deed(k, l->deeds[i], clock, w);
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

void ww_local_case_write_refs(const struct ww_case *k, struct ww_jsonw *w)
{
	for (unsigned i = 0; k->grounds.local.there && i < k->local.count; i++)
		ww_jsonw_cstr(w, NULL, k->local.deeds[i]->id);
}
