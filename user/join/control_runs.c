/* SPDX-License-Identifier: Apache-2.0 */
#include "join/control_runs.h"

#define NS_PER_S 1000000000ull
/* Actions that had one answer and are told apart. */
#define USERS_MAX 64u

const char *ww_control_says_name(enum ww_control_says s)
{
#define SAYS_(n, v, t, d) [v] = (t),
	static const char *const names[WW_CONTROL_SAYS_MAX] = {WW_CONTROL_SAYS(SAYS_)};

	return (unsigned)s < WW_CONTROL_SAYS_MAX ? names[s] : "unknown";
}

const char *ww_control_subject_name(enum ww_control_subject s)
{
#define SUBJECT_(n, v, t, d) [v] = (t),
	static const char *const names[WW_CONTROL_SUBJECT_MAX] = {WW_CONTROL_SUBJECTS(SUBJECT_)};

	return (unsigned)s < WW_CONTROL_SUBJECT_MAX ? names[s] : "unknown";
}

static enum ww_control_says says(const struct ww_match *m)
{
	switch ((enum ww_wire)m->wire) {
	case WW_WIRE_SUCCESS:
		return WW_CONTROL_ALLOW;
	case WW_WIRE_BODY_FAILED:
		return WW_CONTROL_DENY;
	case WW_WIRE_FAILED:
		return m->x->status == 403 ? WW_CONTROL_DENY : WW_CONTROL_ERROR;
	case WW_WIRE_NO_REPLY:
	case WW_WIRE_NOT_SENT:
		return WW_CONTROL_ERROR;
	default:
		return WW_CONTROL_UNKNOWN;
	}
}

/* Invariant 3. */
static enum ww_control_subject subject_of(const struct ww_controlled *c,
					  const struct ww_match *action, const struct ww_match *run)
{
	const struct ww_subjects *of_action = action->subjects ? &action->subjects[c->place] : NULL;

	if (c->control->subject_count == 0)
		return WW_CONTROL_SUBJECT_UNASKED;
	if (!of_action || !of_action->known || of_action->count != 1 || !run->subjects ||
	    !run->subjects->known || c->subjects_differ)
		return WW_CONTROL_SUBJECT_UNKNOWN;
	if (!ww_subjects_include(run->subjects, of_action))
		return WW_CONTROL_SUBJECT_DIFFERS;
	/* A denial of several does not say of which. */
	return run->subjects->count > 1 && says(run) == WW_CONTROL_DENY ? WW_CONTROL_SUBJECT_UNKNOWN
									: WW_CONTROL_SUBJECT_EQUAL;
}

/* Whether an attempt is about another subject than the first. */
static bool subjects_differ(const struct ww_controlled *c, const struct ww_joined *j)
{
	const struct ww_subjects *first = c->action->match->subjects;

	for (unsigned i = 0; i < j->count && first && c->control->subject_count; i++) {
		const struct ww_subjects *s = j->attempts[i].match->subjects;

		if (!s || s[c->place].known != first[c->place].known ||
		    (s[c->place].known && !ww_subjects_include(&s[c->place], &first[c->place])))
			return true;
	}
	return false;
}

static const struct ww_attempt *first_sent(const struct ww_joined *j)
{
	for (unsigned i = 0; i < j->count; i++) {
		if (j->attempts[i].match->wire != WW_WIRE_NOT_SENT)
			return &j->attempts[i];
	}
	return NULL;
}

/* Whether x is of a trace of the action: 1 yes, 0 no, -1 it names none. */
static int same_trace(const struct ww_action *a, const struct ww_attempt *of,
		      const struct ww_held_exchange *x)
{
	const struct ww_held_exchange *own = of->match->x;

	if (!x->trace.present)
		return -1;
	for (unsigned i = 0; i < a->span_count; i++) {
		if (memcmp(a->spans[i].trace_id, x->trace.trace_id, 16) == 0)
			return 1;
	}
	if (own->trace.present)
		return memcmp(own->trace.trace_id, x->trace.trace_id, 16) == 0;
	return a->span_count ? 0 : -1;
}

static void take(struct ww_controlled *c, const struct ww_match *m, bool stray)
{
	struct ww_control_run *r;

	c->stray += stray;
	if (c->total++ >= WW_CONTROL_RUNS_MAX)
		return; /* newest first: these are older */
	r = &c->runs[c->count++];
	*r = (struct ww_control_run){
		.match = m,
		.says = (uint8_t)says(m),
		.subject = (uint8_t)subject_of(c, c->action->match, m),
		.stray = stray,
		.begun = m->x->t_first_req,
		.ended = m->x->status >= 200 ? m->x->ended : (struct ww_boot){0},
	};
}

static void look_at(struct ww_controlled *c, const struct ww_action *a, const struct ww_match *m)
{
	int of_trace;

	if (m->x->t_first_req.ns > c->until.ns)
		return;
	if (!ww_held_same_tree(m->x->root, a->root)) {
		c->foreign += m->x->cgroup == a->cgroup && m->destination && m->template;
		return;
	}
	if (!m->destination || !m->template) {
		c->almost += m->almost;
		return;
	}
	of_trace = c->control->same == WW_CONTROL_SAME_TRACE ? same_trace(a, c->action, m->x) : 1;
	if (of_trace)
		take(c, m, of_trace < 0);
}

static void reverse(struct ww_controlled *c)
{
	for (unsigned i = 0; i < c->count / 2; i++) {
		struct ww_control_run swap = c->runs[i];

		c->runs[i] = c->runs[c->count - 1 - i];
		c->runs[c->count - 1 - i] = swap;
	}
}

/* A stray gives no leave; what it may have taken counts. */
static bool counts(const struct ww_control_run *r)
{
	return r->subject != WW_CONTROL_SUBJECT_DIFFERS &&
	       !(r->stray && r->says == WW_CONTROL_ALLOW &&
		 r->subject != WW_CONTROL_SUBJECT_UNKNOWN);
}

/* The last answer between the first attempt and this one, when it did not allow, or is not known.
 */
static bool is_refused(const struct ww_controlled *c, const struct ww_attempt *retry)
{
	const struct ww_control_run *last = NULL;

	for (unsigned i = 0; i < c->count; i++) {
		const struct ww_control_run *r = &c->runs[i];

		if (counts(r) && r->ended.ns > c->begun.ns &&
		    r->ended.ns <= retry->match->x->t_first_req.ns &&
		    (!last || r->ended.ns > last->ended.ns))
			last = r;
	}
	return last &&
	       (last->says != WW_CONTROL_ALLOW || last->subject == WW_CONTROL_SUBJECT_UNKNOWN);
}

/* Invariant 4. */
static void take_refused_retry(struct ww_controlled *c, const struct ww_joined *j)
{
	for (unsigned i = 0; i < j->count; i++) {
		const struct ww_attempt *a = &j->attempts[i];

		if (a->match->wire == WW_WIRE_NOT_SENT || !is_refused(c, a))
			continue;
		c->action = a;
		c->begun = a->match->x->t_first_req;
		return;
	}
}

bool ww_control_find(const struct ww_held *h, const struct ww_action *a,
		     const struct ww_contract *c, unsigned k, const struct ww_joined *j,
		     uint64_t slack_ns, struct ww_controlled *ret_controlled)
{
	const struct ww_control *control = &c->controls[k];
	const struct ww_attempt *first = first_sent(j);
	const struct ww_match *last = j->count ? j->attempts[j->count - 1].match : NULL;
	struct ww_controlled *to = ret_controlled;
	uint64_t age_ns = control->max_age_s * NS_PER_S;

	if (!first || j->grade == WW_JOIN_AMBIGUOUS)
		return false;
	memset(to, 0, sizeof(*to));
	to->control = control;
	to->place = k;
	to->action = first;
	to->begun = first->match->x->t_first_req;
	to->subjects_differ = subjects_differ(to, j);
	to->from.ns = a->root.start_ns;
	if (age_ns && to->begun.ns > age_ns && to->begun.ns - age_ns > to->from.ns)
		to->from.ns = to->begun.ns - age_ns;
	to->until.ns = last->x->ended.ns + slack_ns;
	for (const struct ww_match *m = ww_held_newest(h, control->index);
	     m && m->x->arrived.ns >= a->root.start_ns; m = m->older)
		look_at(to, a, m);
	reverse(to);
	take_refused_retry(to, j);
	return true;
}

static bool is_attempt(const struct ww_controlled *c, const struct ww_match *m)
{
	return m->x->owner != 0 && m->x->owner == c->action->match->x->owner;
}

/* Several calls of one action are one use. */
struct users {
	uint32_t count, unknown;
	uint64_t seen[USERS_MAX];
};

static void add_user(struct users *u, uint64_t action)
{
	if (!action) {
		u->unknown++;
		return;
	}
	for (uint32_t i = 0; i < u->count && i < USERS_MAX; i++) {
		if (u->seen[i] == action)
			return;
	}
	if (u->count == USERS_MAX) {
		u->unknown++;
		return;
	}
	u->seen[u->count++] = action;
}

uint32_t ww_control_uses(const struct ww_held *h, const struct ww_controlled *c,
			 const struct ww_control_run *run, uint32_t *ret_unknown)
{
	const struct ww_match *own = c->action->match;
	struct users users;

	users.count = users.unknown = 0;
	for (const struct ww_match *m = ww_held_newest_of(h, own->contract, own->x->root);
	     m && m->x->arrived.ns >= run->ended.ns; m = m->tree_older) {
		if (m == own || !m->destination || !m->template || is_attempt(c, m) ||
		    m->wire == WW_WIRE_NOT_SENT || m->x->t_first_req.ns <= run->ended.ns ||
		    m->x->t_first_req.ns >= c->begun.ns)
			continue;
		switch (subject_of(c, m, run->match)) {
		case WW_CONTROL_SUBJECT_DIFFERS:
			break;
		case WW_CONTROL_SUBJECT_UNKNOWN:
			add_user(&users, 0);
			break;
		default:
			add_user(&users, m->x->owner ? m->x->owner : ww_held_traced(h, m->x));
		}
	}
	*ret_unknown = users.unknown;
	return users.count;
}
