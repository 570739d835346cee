/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/local_case.h"

#include "judge/verdict.h"

#define NS_PER_S 1000000000ull
/* Like deeds before the window that are looked at: the span's clock may be ahead. */
#define EARLY_NS (60 * NS_PER_S)
/* Runs that a run may be inside of. */
#define DEPTH_MAX 64
/* Pairs of deeds and other actions that one look holds against each other. Past it the rest is
 * taken as it hurts: stricter, never looser. */
#define PAIRS_MAX (1u << 18)

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
	uint32_t bits = 0;

	if (c->local.changes & WW_FILE_WRITTEN)
		bits |= WW_CHANGE_REMOVED | WW_CHANGE_MOVED_AWAY;
	if (c->local.changes & WW_FILE_REMOVED)
		bits |= WW_CHANGE_CREATED | WW_CHANGE_MOVED_HERE;
	return !d->run && d->what & bits && ww_deed_template(d, c);
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

/* Whether another action of its tree could mean it; `otherwise` where there are too many to say.
 * One that has deeds already may have more: tools run a program twice. */
static bool contested(const struct ww_local_case_ask *ask, const struct ww_deed *d, bool otherwise)
{
	const struct ww_action *a = ask->k->action;
	struct ww_local_case *l = &ask->k->local;
	struct ww_boot since = {minus(d->since.ns, EARLY_NS)};
	const struct ww_contract *c;

	for (const struct ww_action *b = ww_actions_first_of(ask->actions, d->root, since); b;
	     b = ww_actions_next_of(b, since)) {
		struct ww_join_window w;

		if (l->pairs++ >= PAIRS_MAX)
			return otherwise;
		if (b == a || b->clock_bad || !own_contract(ask, b, &c))
			continue;
		w = ww_join_window_of(b, ask->skew_ns, ask->until);
		if (holds(b, &w, d) && means(c, d))
			return true;
	}
	return false;
}

enum part { WHOLE, PART, PART_OF_EARLIER };

/* Invariant 3. What began before the action and is nobody's may have run it for itself: but not
 * what the one who acts is inside of, as an agent is inside the shell that started it. */
static enum part part_of(const struct ww_local_case_ask *ask, const struct ww_deed *d)
{
	const struct ww_contract *c = ask->k->contract;
	const struct ww_deed *up = ww_deeds_get(ask->deeds, d->within);
	const struct ww_deed *next = ww_deeds_get(ask->deeds, d->replaced_by);

	if (next && means(c, next))
		return PART;
	for (unsigned i = 0; up && i < DEPTH_MAX; i++, up = ww_deeds_get(ask->deeds, up->within)) {
		if (!means(c, up) || ww_deeds_is_over(ask->deeds, up, ask->k->action->actor))
			continue;
		if (holds(ask->k->action, &ask->k->joined.window, up) || up->owner ||
		    contested(ask, up, false))
			return PART;
		return PART_OF_EARLIER;
	}
	return WHOLE;
}

static void list(struct ww_local_case *l, struct ww_deed *d)
{
	l->total++;
	d->look = l->look;
	if (l->count < WW_LOCAL_DEEDS_MAX)
		l->deeds[l->count++] = d;
}

/* By itself, or by one of its path that was listed before, which is a later one. */
static bool is_closed(const struct ww_local_case *l, const struct ww_deed *d)
{
	for (unsigned i = 0; i < l->count; i++) {
		if (l->deeds[i]->what & WW_CHANGE_CLOSED &&
		    memcmp(&l->deeds[i]->digest, &d->digest, sizeof(d->digest)) == 0)
			return true;
	}
	return d->what & WW_CHANGE_CLOSED;
}

static void take(const struct ww_local_case_ask *ask, struct ww_deed *d)
{
	struct ww_case *k = ask->k;
	struct ww_local_case *l = &k->local;

	if (d->owner && d->owner != k->action->number) {
		struct ww_action *b = ww_actions_get(ask->actions, d->owner);

		if (b && b->judged && (d->late || !k->action->revision))
			ww_actions_reopen(ask->actions, b);
		if (!d->late) {
			l->taken++;
			return;
		}
	}
	if (contested(ask, d, true)) {
		l->contested++;
		return;
	}
	list(l, d);
	l->meant = true;
	if (d->run)
		k->still_open |= !d->ended.ns && k->contract->local.exit_given;
	else if (d->what & (WW_CHANGE_CREATED | WW_CHANGE_MODIFIED))
		k->still_open |= !is_closed(l, d);
}

/* As with calls (join.c): the claim's clock may run behind. */
static struct ww_boot late_until(const struct ww_local_case_ask *ask)
{
	struct ww_boot said = ask->k->action->received, to = ask->k->joined.window.to;

	return (struct ww_boot){(said.ns > to.ns ? said.ns : to.ns) + ask->world->grace_ns};
}

static void sort_one(const struct ww_local_case_ask *ask, struct ww_deed *d)
{
	struct ww_case *k = ask->k;
	struct ww_local_case *l = &k->local;
	const struct ww_join_window *w = &k->joined.window;
	bool same = ww_held_same_tree(d->root, k->action->root);
	enum part part;
	bool mine;

	if (ww_deed_may_be(d, k->contract)) {
		l->unknown += same && d->at.ns >= w->from.ns && d->at.ns <= k->world.to.ns;
		return;
	}
	if (!means(k->contract, d)) {
		if (same && undoes(k->contract, d) && holds(k->action, w, d))
			list(l, d);
		return;
	}
	part = part_of(ask, d);
	mine = same && holds(k->action, w, d);
	if (part == PART || (part == PART_OF_EARLIER && !mine))
		return;
	if (mine && part == WHOLE)
		take(ask, d);
	else if (d->owner || contested(ask, d, false))
		return; /* somebody else's */
	else if (!same)
		l->foreign += d->at.ns >= w->from.ns && d->since.ns <= k->world.to.ns;
	else if (d->since.ns < w->core_from.ns || part == PART_OF_EARLIER)
		l->early++;
	else if (d->since.ns <= late_until(ask).ns)
		l->late++;
}

/* None of them is the action's. */
static void forget(struct ww_local_case *l)
{
	l->total = l->count = 0;
	l->look = 0;
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

/* --- what came late ------------------------------------------------------------------------------
 */

/* Invariant 5, but for the other actions: a run counts when it has ended. */
static bool is_overdue(const struct ww_action *a, const struct ww_contract *c, struct ww_boot after,
		       const struct ww_deed *d)
{
	return ww_held_same_tree(d->root, a->root) && d->since.ns > after.ns &&
	       (!d->owner || d->owner == a->number) && (!d->run || d->ended.ns) &&
	       (means(c, d) || undoes(c, d));
}

/* Whether another action that was only announced may be the one that it is late for. */
static bool overdue_too(const struct ww_local_case_ask *ask, const struct ww_deed *d)
{
	const struct ww_boot ever = {0};
	const struct ww_contract *c;

	for (const struct ww_action *b = ww_actions_first_of(ask->actions, d->root, ever); b;
	     b = ww_actions_next_of(b, ever)) {
		if (b != ask->k->action && !b->owns && ww_action_announced_until(b).ns > 0 &&
		    b->claims[0].turn.ns < d->since.ns && own_contract(ask, b, &c) && means(c, d))
			return true;
	}
	return false;
}

static void note_overdue(const struct ww_local_case_ask *ask, struct ww_deed *d)
{
	struct ww_case *k = ask->k;
	struct ww_local_case *l = &k->local;
	const struct ww_grounds_deed *done;

	list(l, d);
	if (d->at.ns > l->overdue_seen.ns)
		l->overdue_seen = d->at;
	if (d->ended.ns > l->overdue_seen.ns)
		l->overdue_seen = d->ended;
	ww_local_case_ground(k, &k->grounds);
	done = ww_local_rule_done(&k->grounds.local);
	l->overdue = done ? l->deeds[done - k->grounds.local.deeds] : NULL;
}

/* The first that does it; of a file also what became of it then. True: another action may mean it,
 * too. */
static bool gather_overdue(const struct ww_local_case_ask *ask, struct ww_boot after)
{
	struct ww_local_case *l = &ask->k->local;
	struct ww_deed *d = ww_deeds_newest(ask->deeds);
	bool others = false;

	while (d && d->prev && d->prev->at.ns > after.ns)
		d = d->prev;
	for (; d; d = d->next) {
		const struct ww_deed *did = l->overdue;

		if (!is_overdue(ask->k->action, ask->k->contract, after, d) ||
		    part_of(ask, d) != WHOLE || contested(ask, d, true) ||
		    (did && (d->run || memcmp(&d->digest, &did->digest, sizeof(d->digest)) != 0)))
			continue;
		others |= overdue_too(ask, d);
		note_overdue(ask, d);
	}
	return others;
}

/* Invariant 5. Nothing was done in time, also by no program that may be it. */
static void look_later(const struct ww_local_case_ask *ask)
{
	struct ww_case *k = ask->k;
	struct ww_local_case *l = &k->local;
	struct ww_world_ask world = *ask->world;
	bool others;

	if (ww_action_announced_until(k->action).ns == 0 || l->unknown)
		return;
	l->look = ww_deeds_look(ask->deeds);
	others = gather_overdue(ask, k->joined.window.to);
	if (l->overdue && !others) {
		world.late = l->overdue_seen;
		ww_closed_world_cover(&world, &k->world);
		return;
	}
	if (l->overdue)
		l->contested = l->total;
	else
		l->overdue_seen.ns = 0;
	l->overdue = NULL;
	forget(l);
}

bool ww_local_case_may_be_late(const struct ww_contract *c, const struct ww_action *a,
			       const struct ww_deed *d)
{
	const struct ww_boot ever = {0};

	return ww_contract_local(c) && ww_action_announced_until(a).ns > 0 &&
	       is_overdue(a, c, ever, d);
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
		ww_closed_world_fail(
			w, WW_WORLD_COVERED,
			"a program that may be it: by its name, or of an unknown path");
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
	if (!k->local.meant)
		forget(&k->local);
	turn_round(&k->local);
	if (k->local.total + k->local.contested == 0)
		look_later(ask);
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
		.late = l->overdue != NULL,
		.late_after_ns = l->overdue ? k->joined.window.to.ns : 0,
	};
	for (unsigned i = 0; i < l->count; i++) {
		const struct ww_deed *d = l->deeds[i];

		g->local.deeds[i] = (struct ww_grounds_deed){
			.run = d->run,
			.since_ns = d->since.ns,
			.at_ns = d->at.ns,
			.end = d->end,
			.ended_ns = d->ended.ns,
			.code = d->code,
			.what = d->what,
		};
		memcpy(&g->local.deeds[i].path, d->digest.b, sizeof(g->local.deeds[i].path));
	}
}

/* --- whose it becomes ---------------------------------------------------------------------------
 */

void ww_local_case_own(const struct ww_case *k, struct ww_action *a)
{
	for (struct ww_deed *d = ww_deeds_newest(k->local.of); d && k->local.total; d = d->prev) {
		if (d->look == k->local.look) {
			d->owner = a->number;
			d->late = k->local.overdue != NULL;
		}
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
	if (l->overdue)
		ww_jsonw_bool(w, "late", true);
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
