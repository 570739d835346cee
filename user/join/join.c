/* SPDX-License-Identifier: Apache-2.0 */
#include "join/join.h"

enum firm { OUTSIDE, MARGIN, CORE };               /* how a window holds an exchange */
enum exact { EXACT_NO, EXACT_OURS, EXACT_OTHERS }; /* whose it is by an id on the wire */

/* Claims of one window, and other actions whose windows overlap, that are told apart: past it they
 * are AMBIGUOUS. */
#define CLAIMS_MAX 64
#define RIVALS_MAX 64
/* Like calls after one window that are told apart: seconds of a busy tree. */
#define OUTSIDE_MAX 1024
/* A span's clock that runs ahead puts its window behind its call: by less than this, or its times
 * contradict those of its receipt, since exporters do not wait so long. */
#define AHEAD_MAX_NS 60000000000ull
/* Calls before a window that are looked at. */
#define EARLY_MAX 64
/* Exchanges with one id that are looked at: a server that answers all alike creates nothing. */
#define SAME_ID_MAX 256
/* Other actions that one search asks whether a call may be theirs. A batch of spans is large: past
 * it nobody's is what the call is taken for, which blocks absence. */
#define ASKED_MAX 4096

static const struct ww_boot never = {UINT64_MAX};

/* Of the action's contract and tree. */
static struct ww_match *newest_own(const struct ww_join_ask *ask)
{
	return ww_held_newest_of(ask->held, (uint32_t)ask->action->contract, ask->action->root);
}

/* --- windows --- */

static struct ww_boot plus(struct ww_boot t, uint64_t ns)
{
	return (struct ww_boot){t.ns > UINT64_MAX - ns ? UINT64_MAX : t.ns + ns};
}

static struct ww_boot minus(struct ww_boot t, uint64_t ns)
{
	return (struct ww_boot){t.ns < ns ? 0 : t.ns - ns};
}

static void claim_window(const struct ww_action *a, struct ww_boot until, struct ww_join_window *w)
{
	w->core_from = never;
	for (unsigned i = 0; i < a->claim_count; i++) {
		const struct ww_action_claim *c = &a->claims[i];
		struct ww_boot end = c->done ? c->at : c->deadline.ns ? c->deadline : until;

		if (c->turn.ns < w->core_from.ns)
			w->core_from = c->turn;
		if (end.ns > w->core_to.ns)
			w->core_to = end;
	}
}

/* A tool call without a span is over when the model is shown a result, or "done" is claimed. */
static struct ww_boot asked_until(const struct ww_action *a, struct ww_boot until)
{
	struct ww_boot said = ww_action_said(a);

	if (a->model.shown)
		return a->model.shown_at;
	return said.ns > a->model.at.ns ? said : until;
}

struct ww_join_window ww_join_window_of(const struct ww_action *a, uint64_t skew_ns,
					struct ww_boot until)
{
	struct ww_join_window w = {0};

	if (a->prose.only) /* kernel times, all of them */
		return (struct ww_join_window){a->prose.turn, a->prose.due, a->prose.turn,
					       a->prose.due};
	if (a->span_count) {
		w.core_from = ww_action_begun(a);
		w.core_to = a->ended;
	} else if (a->model.asked) {
		w.core_from = a->model.at;
		w.core_to = asked_until(a, until);
	} else {
		claim_window(a, until, &w);
	}
	w.from = minus(w.core_from, skew_ns + a->bound_ns);
	w.to = plus(w.core_to, skew_ns + a->bound_ns);
	return w;
}

static bool within(struct ww_boot t, struct ww_boot from, struct ww_boot to)
{
	return t.ns >= from.ns && t.ns <= to.ns;
}

static enum firm firmness(const struct ww_action *a, const struct ww_join_window *w,
			  const struct ww_held_exchange *x)
{
	if (!within(x->t_first_req, w->from, w->to))
		return OUTSIDE;
	return !ww_action_claim_only(a) && within(x->t_first_req, minus(w->core_from, a->bound_ns),
						  plus(w->core_to, a->bound_ns + a->coarse_ns))
		       ? CORE
		       : MARGIN;
}

/* Whether the action's own time holds the call. The margin is there for clocks that differ: what
 * began in it may as well be nobody's. */
static bool holds(const struct ww_action *a, const struct ww_join_window *w,
		  const struct ww_held_exchange *x)
{
	enum firm f = firmness(a, w, x);

	return f == CORE || (f == MARGIN && ww_action_claim_only(a));
}

/* --- ids --- */

static bool digest_eq(const struct ww_sha256 *x, const struct ww_sha256 *y)
{
	return memcmp(x->b, y->b, sizeof(x->b)) == 0;
}

/* Invariant 2. */
static enum exact exact(const struct ww_join_ask *ask, const struct ww_action *a,
			struct ww_held_exchange *x, enum ww_join_by *ret_by)
{
	uint64_t traced = ww_held_traced(ask->held, x);

	if (traced) {
		*ret_by = WW_JOIN_BY_TRACEPARENT;
		return traced == a->number ? EXACT_OURS : EXACT_OTHERS;
	}
	if (x->keyed && ((a->tool_call_id[0] && digest_eq(&x->idempotency, &a->call_digest)) ||
			 (a->key_said && digest_eq(&x->idempotency, &a->said_key)))) {
		*ret_by = WW_JOIN_BY_IDEMPOTENCY_KEY;
		return EXACT_OURS;
	}
	return EXACT_NO;
}

/* --- rivals --- */

static const struct ww_match *match_of(const struct ww_held_exchange *x, int contract)
{
	for (unsigned i = 0; i < x->match_count; i++) {
		const struct ww_match *m = &x->matches[i];

		if ((int)m->contract == contract)
			return m->destination && m->template ? m : NULL;
	}
	return NULL;
}

/* Whether b could mean x: as its contract says, or any call where there is no contract. */
static bool may_mean(const struct ww_action *b, const struct ww_held_exchange *x)
{
	return b->contract < 0 ? b->span_count > 0 : match_of(x, b->contract) != NULL;
}

/* Another action that could mean the same exchanges. */
struct rival {
	const struct ww_action *action;
	struct ww_join_window window;
	bool asked; /* whether it is served is known */
	bool served;
};

/* What one search gathers besides the result. */
struct search {
	const struct ww_join_ask *ask;
	struct ww_joined *j;
	bool exact;         /* some attempt is */
	uint32_t contested; /* candidates others could mean as well */
	uint32_t claimants; /* how many could mean the most contested one */
	bool gathered;      /* rivals are: asked for only when a candidate has no id */
	bool rivals_over;   /* more than are told apart */
	unsigned asked;     /* of others, whether a call may be theirs */
	unsigned rival_count;
	bool outside_over; /* more calls after the window than there is room for */
	unsigned outside_count;
	struct rival rivals[RIVALS_MAX];
	const struct ww_match *outside[OUTSIDE_MAX];
};

static const struct ww_action *first_of(const struct search *s, struct ww_actor_key root,
					struct ww_boot since)
{
	return ww_actions_first_of(s->ask->actions, root, since);
}

static void add_rival(struct search *s, const struct ww_action *b)
{
	struct ww_join_window w;

	/* What prose means takes nothing from others. */
	if (b == s->ask->action || b->prose.only)
		return;
	w = ww_join_window_of(b, s->ask->skew_ns, never);
	if (w.from.ns > s->j->window.to.ns || w.to.ns < s->j->window.from.ns)
		return;
	if (s->rival_count == RIVALS_MAX)
		s->rivals_over = true;
	else
		s->rivals[s->rival_count++] = (struct rival){b, w, false, false};
}

static void gather_rivals(struct search *s)
{
	struct ww_boot from = s->j->window.from;

	if (s->gathered)
		return;
	s->gathered = true;
	for (const struct ww_action *b = first_of(s, s->ask->action->root, from);
	     b && !s->rivals_over; b = ww_actions_next_of(b, from))
		add_rival(s, b);
}

/* Whether some exchange in b's window is b's by an id: then it has no need of others. */
static bool has_exact(const struct ww_join_ask *ask, const struct ww_action *b,
		      const struct ww_join_window *w)
{
	enum ww_join_by by;

	for (struct ww_match *m = ww_held_newest_of(ask->held, (uint32_t)b->contract, b->root);
	     m && m->x->arrived.ns >= w->from.ns; m = m->tree_older) {
		if (m->destination && m->template && firmness(b, w, m->x) != OUTSIDE &&
		    exact(ask, b, m->x, &by) == EXACT_OURS)
			return true;
	}
	return false;
}

static bool served(const struct ww_join_ask *ask, struct rival *r)
{
	if (!r->asked)
		r->served = r->action->owns ||
			    (r->action->contract >= 0 && has_exact(ask, r->action, &r->window));
	r->asked = true;
	return r->served;
}

enum contest { OURS, CONTESTED, THEIRS };

static enum contest against(struct search *s, struct rival *r, struct ww_held_exchange *x,
			    enum firm ours)
{
	enum firm theirs = firmness(r->action, &r->window, x);
	enum ww_join_by by;

	if (theirs == OUTSIDE || !may_mean(r->action, x))
		return OURS;
	if (exact(s->ask, r->action, x, &by) == EXACT_OURS)
		return THEIRS;
	if (r->action->contract < 0 && ours == CORE)
		return OURS; /* ours is the one that declares such a call */
	if (theirs < ours || ww_action_claim_only(r->action) || served(s->ask, r))
		return OURS;
	return theirs > ours ? THEIRS : CONTESTED;
}

static enum contest contest(struct search *s, struct ww_held_exchange *x)
{
	enum firm ours = firmness(s->ask->action, &s->j->window, x);
	enum contest worst = OURS;
	uint32_t n = 1;

	gather_rivals(s);
	if (s->rivals_over) {
		s->claimants = RIVALS_MAX + 1;
		return CONTESTED;
	}
	for (unsigned i = 0; i < s->rival_count && worst != THEIRS; i++) {
		enum contest c = against(s, &s->rivals[i], x, ours);

		n += c == CONTESTED;
		worst = c > worst ? c : worst;
	}
	if (worst == CONTESTED && n > s->claimants)
		s->claimants = n;
	return worst;
}

uint32_t ww_join_rivals(const struct ww_join_ask *ask)
{
	const struct ww_action *a = ask->action;
	struct ww_join_window w = ww_join_window_of(a, ask->skew_ns, ask->until);
	uint32_t n = 0;

	for (const struct ww_action *b = ww_actions_first_of(ask->actions, a->root, w.from);
	     b && n <= RIVALS_MAX; b = ww_actions_next_of(b, w.from)) {
		struct ww_join_window o;

		if (b == a || b->owns || b->prose.only || b->contract != a->contract)
			continue;
		o = ww_join_window_of(b, ask->skew_ns, never);
		n += o.from.ns <= w.to.ns && o.to.ns >= w.from.ns;
	}
	return n;
}

/* --- finding --- */

static void add_near(struct ww_joined *j, const struct ww_match *m, enum ww_join_near why)
{
	j->near_total++;
	if (j->near_count < WW_JOIN_NEAR_MAX)
		j->near[j->near_count++] = (struct ww_near){m, why};
}

/* By begin, then by arrival: candidates come newest first. */
static void add_attempt(struct ww_joined *j, struct ww_match *m, enum ww_join_grade grade,
			enum ww_join_by by)
{
	unsigned at = 0;

	j->total++;
	if (j->count == WW_JOIN_ATTEMPTS_MAX)
		return;
	while (at < j->count &&
	       (j->attempts[at].match->x->t_first_req.ns < m->x->t_first_req.ns ||
		(j->attempts[at].match->x->t_first_req.ns == m->x->t_first_req.ns &&
		 j->attempts[at].match->x->seq < m->x->seq)))
		at++;
	memmove(&j->attempts[at + 1], &j->attempts[at], (j->count - at) * sizeof(j->attempts[0]));
	j->attempts[at] = (struct ww_attempt){m, grade, by};
	j->count++;
}

/* Whether b could mean m, a call of its own tree. */
static bool at_home(struct search *s, const struct ww_match *m, const struct ww_action *b)
{
	struct ww_join_window w;

	s->asked++;
	if (b->contract != (int)m->contract || b->clock_bad || b->prose.only)
		return false;
	w = ww_join_window_of(b, s->ask->skew_ns, never);
	return holds(b, &w, m->x);
}

static bool seek_home(struct search *s, const struct ww_match *m)
{
	struct ww_boot begun = m->x->t_first_req;

	for (const struct ww_action *b = first_of(s, m->x->root, begun); b && s->asked < ASKED_MAX;
	     b = ww_actions_next_of(b, begun)) {
		if (at_home(s, m, b))
			return true;
	}
	return false;
}

/* Whether an action of its tree could mean m. All that are judged in one round get the same answer,
 * and it counts as much against the ceiling of each. */
static bool has_home(struct search *s, struct ww_match *m)
{
	unsigned before = s->asked;

	if (!s->ask->round || m->home_round != s->ask->round) {
		m->home = seek_home(s, m);
		m->home_round = s->asked < ASKED_MAX ? s->ask->round : 0;
		m->home_asked = s->asked - before;
		return m->home;
	}
	if (m->home_asked > ASKED_MAX - before) {
		s->asked = ASKED_MAX;
		return false;
	}
	s->asked += m->home_asked;
	return m->home;
}

/* Somebody else's tree made a call like it, and nothing of that tree speaks of it. */
static void look_foreign(struct search *s, struct ww_match *m)
{
	const struct ww_action *a = s->ask->action;
	const struct ww_held_exchange *x = m->x;
	bool traced;

	if (x->owner || ww_held_same_tree(x->root, a->root))
		return;
	traced = a->span_count && x->trace.present &&
		 memcmp(x->trace.trace_id, a->spans[0].trace_id, 16) == 0;
	if (m->destination && m->template && (traced || x->cgroup == a->cgroup) &&
	    within(x->t_first_req, s->j->window.from, plus(s->j->window.to, s->ask->grace_ns)) &&
	    !has_home(s, m))
		s->j->foreign++;
}

/* Invariant 7, but for the other actions. */
static bool is_late(const struct search *s, const struct ww_match *m, enum exact e)
{
	const struct ww_action *a = s->ask->action;

	if (a->clock_bad || (m->wire != WW_WIRE_SUCCESS && m->wire != WW_WIRE_ACCEPTED) ||
	    m->x->t_first_req.ns <= s->j->overdue_after.ns)
		return false;
	return e == EXACT_OURS || ww_action_announced_until(a).ns > 0;
}

/* Whether action b, too, may be the one that m is late for. */
static bool late_too(const struct search *s, const struct ww_action *b, const struct ww_match *m)
{
	const struct ww_action *a = s->ask->action;

	return b != a && b->contract == a->contract && !b->owns &&
	       ww_action_announced_until(b).ns > 0 && b->claims[0].turn.ns < m->x->t_first_req.ns;
}

static bool any_late_too(struct search *s, const struct ww_match *m)
{
	const struct ww_boot ever = {0};

	for (const struct ww_action *b = first_of(s, m->x->root, ever); b && s->asked < ASKED_MAX;
	     b = ww_actions_next_of(b, ever), s->asked++) {
		if (late_too(s, b, m))
			return true;
	}
	return s->asked >= ASKED_MAX;
}

/* The oldest one counts: newest come first. */
static void take_late(struct search *s, struct ww_match *m, enum exact e, enum ww_join_by by)
{
	bool exactly = e == EXACT_OURS;

	if (!is_late(s, m, e) || has_home(s, m) || s->asked >= ASKED_MAX)
		return;
	s->j->overdue_contested = !exactly && any_late_too(s, m);
	s->j->overdue = (struct ww_attempt){m, exactly ? WW_JOIN_EXACT : WW_JOIN_UNIQUE,
					    exactly ? by : WW_JOIN_BY_WINDOW};
}

/* A claim's clock may run behind: its call cannot have begun after the claim was received. */
static struct ww_boot late_until(const struct search *s)
{
	struct ww_boot said = s->ask->action->received;

	return plus(said.ns > s->j->window.to.ns ? said : s->j->window.to, s->ask->grace_ns);
}

/* A declared call of our tree that begins outside the window. */
static void look_outside(struct search *s, const struct ww_match *m)
{
	if (m->x->t_first_req.ns < s->j->window.from.ns)
		add_near(s->j, m, WW_JOIN_NEAR_EARLY);
	else if (m->x->t_first_req.ns > late_until(s).ns)
		return;
	else if (s->outside_count == OUTSIDE_MAX)
		s->outside_over = true;
	else
		s->outside[s->outside_count++] = m;
}

static int by_begin(const void *x, const void *y)
{
	const struct ww_match *const *p = x, *const *q = y;
	uint64_t a = (*p)->x->t_first_req.ns, b = (*q)->x->t_first_req.ns;

	return a == b ? ((*p)->x->seq > (*q)->x->seq) - ((*p)->x->seq < (*q)->x->seq)
		      : (a > b) - (a < b);
}

/* The first call after the window that begins at t or later. */
static unsigned outside_from(const struct search *s, struct ww_boot t)
{
	unsigned from = 0, to = s->outside_count;

	while (from < to) {
		unsigned mid = from + (to - from) / 2;

		if (s->outside[mid]->x->t_first_req.ns < t.ns)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* Marks the calls that are the next one's, b's. Where a clock is wrong the window explains nothing.
 */
static void take_outside(struct search *s, const struct ww_action *b, bool *explained)
{
	struct ww_join_window w = ww_join_window_of(b, s->ask->skew_ns, never);

	s->asked++;
	if (b == s->ask->action || b->clock_bad || b->prose.only)
		return;
	for (unsigned i = outside_from(s, w.from);
	     i < s->outside_count && s->outside[i]->x->t_first_req.ns <= w.to.ns; i++)
		explained[i] = explained[i] ||
			       (holds(b, &w, s->outside[i]->x) && may_mean(b, s->outside[i]->x));
}

/* Calls after the window that no other action means: the span's clock may be behind, or it is a
 * retry that goes on. */
static void settle_outside(struct search *s)
{
	bool explained[OUTSIDE_MAX] = {false};
	struct ww_boot begun;

	if (s->outside_count == 0)
		return;
	qsort(s->outside, s->outside_count, sizeof(s->outside[0]), by_begin);
	begun = s->outside[0]->x->t_first_req;
	for (const struct ww_action *b = first_of(s, s->ask->action->root, begun);
	     b && s->asked < ASKED_MAX; b = ww_actions_next_of(b, begun))
		take_outside(s, b, explained);
	for (unsigned i = 0; i < s->outside_count; i++) {
		if (explained[i])
			continue;
		add_near(s->j, s->outside[i], WW_JOIN_NEAR_LATE);
		s->j->late++;
	}
	s->j->late += s->outside_over;
}

static bool explains(struct search *s, const struct ww_action *b, const struct ww_held_exchange *x)
{
	struct ww_join_window w;

	s->asked++;
	if (b == s->ask->action || b->clock_bad || b->prose.only || !may_mean(b, x))
		return false;
	w = ww_join_window_of(b, s->ask->skew_ns, never);
	return holds(b, &w, x);
}

/* Whether another action could mean the call: one that is not judged yet, or one without a
 * contract, which no call was ever compared with. */
static bool is_explained(struct search *s, const struct ww_held_exchange *x)
{
	struct ww_boot begun = x->t_first_req;

	for (const struct ww_action *b = first_of(s, x->root, begun); b && s->asked < ASKED_MAX;
	     b = ww_actions_next_of(b, begun)) {
		if ((!b->judged || b->contract < 0) && explains(s, b, x))
			return true;
	}
	return false;
}

static bool is_early(const struct search *s, const struct ww_match *m)
{
	const struct ww_action *a = s->ask->action;
	enum ww_join_by by;

	return m->destination && m->template && !m->x->owner &&
	       m->x->t_first_req.ns < s->j->window.from.ns &&
	       (a->prose.only || !m->x->meant || exact(s->ask, a, m->x, &by) == EXACT_OURS);
}

/*
 * Nothing was found. Calls before the window that no action means: the span's clock may have run
 * ahead of them. One is enough; more than are looked at count as one.
 */
static void look_before(struct search *s)
{
	struct ww_boot from = minus(s->j->window.from, AHEAD_MAX_NS);
	unsigned looked = 0;

	for (struct ww_match *m = newest_own(s->ask);
	     m && m->x->arrived.ns >= from.ns && !s->j->early; m = m->tree_older) {
		enum ww_join_by by;

		if (!is_early(s, m))
			continue;
		/* Of prose the turn's begin is what is uncertain, not a clock: that another
		 * action's window holds the call does not make it that one's. */
		s->j->early = ++looked > EARLY_MAX || s->ask->action->prose.only ||
			      exact(s->ask, s->ask->action, m->x, &by) == EXACT_OURS ||
			      !is_explained(s, m->x);
	}
}

/* It names a trace that is none of the action's, and of which nothing is known: perhaps that of an
 * action that nothing is known of either. */
static bool other_trace(const struct ww_action *a, const struct ww_held_exchange *x)
{
	if (!x->trace.present || a->span_count == 0 || a->parts_over)
		return false;
	for (unsigned i = 0; i < a->span_count; i++) {
		if (memcmp(a->spans[i].trace_id, x->trace.trace_id, sizeof(x->trace.trace_id)) == 0)
			return false;
	}
	return true;
}

static enum contest contest_traced(struct search *s, struct ww_held_exchange *x)
{
	enum contest c = contest(s, x);

	if (c != OURS || !other_trace(s->ask->action, x))
		return c;
	if (s->claimants < 2)
		s->claimants = 2;
	return CONTESTED;
}

/*
 * A model's call without an id, that no span carries out: a span that has one, which its SDK made
 * up, is then another action, though it may be the same call.
 */
static bool nameless(const struct ww_action *a)
{
	return a && a->model.asked && !a->tool_call_id[0] && a->span_count == 0;
}

/* Without an id, in the margin only: perhaps the action's, perhaps nobody's. It confirms nothing,
 * and it may be a retry. */
static void look_at_margin(struct search *s, struct ww_match *m)
{
	bool early = m->x->t_first_req.ns < s->j->window.core_from.ns;

	if (contest(s, m->x) == THEIRS) {
		add_near(s->j, m, WW_JOIN_NEAR_TAKEN);
		s->j->late += nameless(s->ask->action);
		return;
	}
	add_near(s->j, m, early ? WW_JOIN_NEAR_EARLY : WW_JOIN_NEAR_LATE);
	s->j->late++;
}

/* The action's time holds it, until ww_join_release. What prose means takes nothing from others. */
static void mean(struct ww_action *a, struct ww_held_exchange *x)
{
	if (a->prose.only)
		return;
	x->meant = a->number;
	if (!a->means_from.ns || x->arrived.ns < a->means_from.ns)
		a->means_from = x->arrived;
}

static void look_inside(struct search *s, struct ww_match *m, enum exact e, enum ww_join_by by)
{
	if (e == EXACT_OURS) {
		s->exact = true;
		mean(s->ask->action, m->x);
		add_attempt(s->j, m, WW_JOIN_EXACT, by);
		return;
	}
	if (!holds(s->ask->action, &s->j->window, m->x)) {
		look_at_margin(s, m);
		return;
	}
	mean(s->ask->action, m->x);
	switch (contest_traced(s, m->x)) {
	case THEIRS:
		add_near(s->j, m, WW_JOIN_NEAR_TAKEN);
		s->j->late += nameless(s->ask->action);
		break;
	case CONTESTED:
		s->contested++;
		add_attempt(s->j, m, WW_JOIN_AMBIGUOUS, WW_JOIN_BY_WINDOW);
		break;
	case OURS:
		add_attempt(s->j, m, WW_JOIN_UNIQUE, WW_JOIN_BY_WINDOW);
	}
}

/* A call inside the window that is not the declared one: a decoy, a stub, a look-alike. */
static void look_beside(struct search *s, struct ww_match *m)
{
	enum ww_join_by by;
	enum exact e = exact(s->ask, s->ask->action, m->x, &by);

	if (e == EXACT_OTHERS)
		return;
	if (e == EXACT_OURS && m->template)
		s->j->elsewhere = m; /* the first one in the end: newest come first */
	s->j->almost += m->almost;
	add_near(s->j, m, m->template ? WW_JOIN_NEAR_DESTINATION : WW_JOIN_NEAR_REQUEST);
}

/* Another action's. Of one with the same id: that it is another may be its times' fault. */
static void look_taken(struct search *s, struct ww_match *m, uint64_t by)
{
	const struct ww_action *a = s->ask->action;

	add_near(s->j, m, WW_JOIN_NEAR_TAKEN);
	s->j->late += nameless(a) || nameless(ww_actions_get(s->ask->actions, by));
	for (const struct ww_action *b = a->older; b; b = b->older)
		s->j->astray += b->number == by;
	for (const struct ww_action *b = a->newer; b; b = b->newer)
		s->j->astray += b->number == by;
}

static void look(struct search *s, struct ww_match *m)
{
	const struct ww_action *a = s->ask->action;
	enum ww_join_by by = WW_JOIN_BY_NOTHING;
	bool inside = within(m->x->t_first_req, s->j->window.from, s->j->window.to);
	enum exact e;

	if (!m->destination || !m->template) {
		if (inside)
			look_beside(s, m);
	} else if (m->x->owner && m->x->owner != a->number) {
		if (inside)
			look_taken(s, m, m->x->owner);
	} else {
		e = exact(s->ask, a, m->x, &by);
		if (inside && e == EXACT_OTHERS) {
			look_taken(s, m, m->x->traced);
		} else if (inside) {
			look_inside(s, m, e, by);
		} else if (e != EXACT_OTHERS) {
			look_outside(s, m);
			take_late(s, m, e, by);
		}
		s->j->astray += !inside && e == EXACT_OURS && by == WW_JOIN_BY_TRACEPARENT;
	}
}

/* Some attempts are exact: what others could mean as well is not needed. */
static void drop_contested(struct search *s)
{
	struct ww_joined *j = s->j;
	unsigned n = 0;

	for (unsigned i = 0; i < j->count; i++) {
		if (j->attempts[i].grade != WW_JOIN_AMBIGUOUS)
			j->attempts[n++] = j->attempts[i];
	}
	j->count = n;
	j->total -= s->contested;
	s->contested = 0;
}

/* Whether claim b, not served yet, could mean the calls of the window as well. */
static bool claims_too(const struct search *s, const struct ww_action *b)
{
	const struct ww_action *a = s->ask->action;

	return b != a && ww_action_claim_only(b) && b->claim_count && !b->owns &&
	       b->contract == a->contract && b->claims[0].at.ns >= s->j->window.from.ns &&
	       b->claims[0].turn.ns <= s->j->window.to.ns;
}

static bool said_before(const struct ww_action *b, const struct ww_action *a)
{
	if (b->claims[0].at.ns != a->claims[0].at.ns)
		return b->claims[0].at.ns < a->claims[0].at.ns;
	return b->number < a->number;
}

/* Claims that could mean the same calls, in the order in which they were said. */
struct queue {
	unsigned count;
	bool over;
	const struct ww_action *claims[CLAIMS_MAX];
};

static void enqueue(struct queue *q, const struct ww_action *a)
{
	unsigned at = q->count;

	if (q->count == CLAIMS_MAX) {
		q->over = true;
		return;
	}
	while (at > 0 && said_before(a, q->claims[at - 1])) {
		q->claims[at] = q->claims[at - 1];
		at--;
	}
	q->claims[at] = a;
	q->count++;
}

static void gather_claims(const struct search *s, struct queue *q)
{
	enqueue(q, s->ask->action);
	for (const struct ww_action *b = first_of(s, s->ask->action->root, s->j->window.from);
	     b && !q->over; b = ww_actions_next_of(b, s->j->window.from)) {
		if (claims_too(s, b))
			enqueue(q, b);
	}
}

static bool one_outcome(const struct ww_joined *j)
{
	for (unsigned i = 1; i < j->count; i++) {
		if (j->attempts[i].match->wire != j->attempts[0].match->wire)
			return false;
	}
	return true;
}

/* Every claim in turn takes the first call of its window that is left. The one of `a`, or count. */
static unsigned deal(const struct search *s, const struct queue *q)
{
	const struct ww_joined *j = s->j;
	uint64_t taken = 0;

	for (unsigned c = 0; c < q->count; c++) {
		struct ww_join_window w =
			ww_join_window_of(q->claims[c], s->ask->skew_ns, s->ask->until);
		unsigned i = 0;

		while (i < j->count &&
		       ((taken & 1ull << i) ||
			firmness(q->claims[c], &w, j->attempts[i].match->x) == OUTSIDE))
			i++;
		if (q->claims[c] == s->ask->action)
			return i;
		if (i < j->count)
			taken |= 1ull << i;
	}
	return j->count;
}

/* Invariant 6. */
static void serve_claims(struct search *s)
{
	struct ww_joined *j = s->j;
	struct queue q = {0};
	unsigned nth;

	if (s->exact || j->count == 0)
		return;
	gather_claims(s, &q);
	if (q.count == 1)
		return;
	if (q.over || j->total > j->count || !one_outcome(j)) {
		s->contested = j->count;
		s->claimants = q.count;
		return;
	}
	nth = deal(s, &q);
	j->total = nth < j->count;
	if (nth < j->count)
		j->attempts[0] = j->attempts[nth];
	j->count = j->total;
}

bool ww_join_may_be_late(const struct ww_join_ask *ask, struct ww_held_exchange *x)
{
	const struct ww_action *a = ask->action;
	enum ww_join_by by;

	return a->contract >= 0 && match_of(x, a->contract) &&
	       ww_held_same_tree(a->root, x->root) &&
	       (ww_action_announced_until(a).ns > 0 || exact(ask, a, x, &by) == EXACT_OURS);
}

/* --- reads --- */

static bool is_attempt(const struct ww_joined *j, const struct ww_match *m)
{
	for (unsigned i = 0; i < j->count; i++) {
		if (j->attempts[i].match == m)
			return true;
	}
	return false;
}

/* What is a read is no call that misses the contract. */
static void drop_near(struct ww_joined *j, const struct ww_match *m)
{
	for (unsigned i = 0; i < j->near_count; i++) {
		if (j->near[i].match != m)
			continue;
		memmove(&j->near[i], &j->near[i + 1], (j->near_count - i - 1) * sizeof(j->near[0]));
		j->near_count--;
		j->near_total--;
		return;
	}
}

/* The oldest stay: newest come first. */
static void add_read(struct ww_joined *j, const struct ww_match *m, unsigned attempt)
{
	unsigned n = j->read_count < WW_JOIN_READS_MAX ? j->read_count : WW_JOIN_READS_MAX - 1;

	memmove(&j->reads[1], &j->reads[0], n * sizeof(j->reads[0]));
	j->reads[0] = (struct ww_join_read){m, attempt};
	j->read_count = n + 1;
	j->read_total++;
	drop_near(j, m);
}

static bool creates(const struct ww_match *m)
{
	return m->id_present && (m->wire == WW_WIRE_SUCCESS || m->wire == WW_WIRE_ACCEPTED);
}

/* Invariant 8. An id that was there before the attempt is not what it created. */
static void look_at_reads(struct search *s, unsigned attempt)
{
	const struct ww_match *own = s->j->attempts[attempt].match;
	unsigned looked = 0;

	for (const struct ww_match *m = ww_held_same_id(s->ask->held, own); m; m = m->same_older) {
		if (++looked > SAME_ID_MAX) {
			s->j->reads_over = true;
			return;
		}
		if (!m->destination || is_attempt(s->j, m))
			continue;
		if (m->x->t_first_req.ns < own->x->t_first_req.ns) {
			if (m->read == WW_READ_NONE || m->read == WW_READ_SHOWN)
				s->j->known |= 1ull << attempt;
		} else if (m->read != WW_READ_NONE && m->x->t_first_req.ns >= own->x->ended.ns) {
			add_read(s->j, m, attempt);
		}
	}
}

void ww_join_find(const struct ww_join_ask *ask, struct ww_joined *ret_joined)
{
	struct ww_joined *j = ret_joined;
	struct search s;

	memset(&s, 0, offsetof(struct search, rivals));
	s.ask = ask;
	s.j = j;
	memset(j, 0, sizeof(*j));
	j->window = ww_join_window_of(ask->action, ask->skew_ns, ask->until);
	j->overdue_after = ww_action_announced_until(ask->action).ns > 0 ||
					   ask->action->received.ns < j->window.to.ns
				   ? j->window.to
				   : ask->action->received;
	for (struct ww_match *m = newest_own(ask); m && m->x->arrived.ns >= j->window.from.ns;
	     m = m->tree_older)
		look(&s, m);
	for (struct ww_match *m = ww_held_newest(ask->held, (uint32_t)ask->action->contract);
	     m && m->x->arrived.ns >= j->window.from.ns; m = m->older)
		look_foreign(&s, m);
	settle_outside(&s);
	if (j->count == 0)
		look_before(&s);
	if (ww_action_claim_only(ask->action) && !ask->action->prose.only)
		serve_claims(&s);
	if (s.exact)
		drop_contested(&s);
	if (s.contested) {
		j->grade = WW_JOIN_AMBIGUOUS;
		j->by = WW_JOIN_BY_WINDOW;
		if (s.claimants > j->total)
			j->total = s.claimants;
		return;
	}
	for (unsigned i = 0; i < j->count; i++) {
		if (j->attempts[i].grade > j->grade) {
			j->grade = j->attempts[i].grade;
			j->by = j->attempts[i].by;
		}
		if (creates(j->attempts[i].match))
			look_at_reads(&s, i);
	}
}

bool ww_join_taken(const struct ww_joined *j)
{
	for (unsigned i = 0; i < j->near_count; i++) {
		if (j->near[i].why == WW_JOIN_NEAR_TAKEN)
			return true;
	}
	return j->near_total > j->near_count; /* not all are known */
}

void ww_join_own(const struct ww_joined *j, struct ww_action *a, bool late)
{
	a->owns = false;
	if (late)
		mean(a, j->overdue.match->x);
	if (j->grade != WW_JOIN_EXACT && j->grade != WW_JOIN_UNIQUE)
		return;
	for (unsigned i = 0; i < j->count; i++) {
		j->attempts[i].match->x->owner = a->number;
		a->owns = true;
	}
}

void ww_join_release(const struct ww_join_ask *ask)
{
	struct ww_action *a = ask->action;

	for (struct ww_match *m = a->means_from.ns ? newest_own(ask) : NULL;
	     m && m->x->arrived.ns >= a->means_from.ns; m = m->tree_older) {
		if (m->x->owner == a->number)
			m->x->owner = 0;
		if (m->x->meant == a->number)
			m->x->meant = 0;
	}
	a->means_from.ns = 0;
	a->owns = false;
}
