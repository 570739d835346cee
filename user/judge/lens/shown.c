/* SPDX-License-Identifier: Apache-2.0 */
/* What the model was shown as the result of a call, beside what was answered on the wire. */
#include "judge/ruling.h"

#define PORT_DNS 53
#define IP_UDP   17

/* Whether some answer could have been seen by the harness and not by us. */
static bool answers_known(const struct ww_case *k)
{
	const struct ww_coverage_answer *c = &k->world.coverage;
	const struct ww_joined *j = &k->joined;

	for (unsigned i = 0; i < j->count; i++) {
		if (!j->attempts[i].match->answer.whole)
			return false;
	}
	return c->known && c->whole_window && c->lost_events == 0 && c->gaps == 0 &&
	       j->count == j->total && j->near_total == 0 && j->almost == 0;
}

uint8_t ww_shown_altered(const struct ww_case *k, bool new_ones)
{
	const struct ww_action_model *m = &k->action->model;
	const struct ww_joined *j = &k->joined;
	uint8_t same = 0, answered = 0, shown = m->answer.present;

	if (!m->shown || m->shown_error || !shown || !answers_known(k))
		return 0;
	for (unsigned i = 0; i < j->count; i++) {
		const struct ww_answer *a = &j->attempts[i].match->answer;

		answered |= a->present;
		for (unsigned p = 0; p < WW_ANSWER_PATHS_MAX; p++) {
			if (a->present & shown & (1u << p) && a->digest[p] == m->answer.digest[p])
				same |= (uint8_t)(1u << p);
		}
	}
	return shown & (uint8_t)~same & (new_ones ? UINT8_MAX : answered);
}

/* A service that the contract does not declare. */
static bool asked_others(const struct ww_case *k)
{
	const struct ww_world *w = &k->world;

	for (unsigned i = 0; i < w->egress_count; i++) {
		const struct ww_held_flow *f = w->egress[i];

		if (!f->model && !ww_held_is_model_peer(k->held, &f->peer) &&
		    !ww_closed_world_declared(k->contract, f) &&
		    !(f->ip_proto == IP_UDP && f->peer.port == PORT_DNS))
			return true;
	}
	return w->egress_total > w->egress_count;
}

/* One answer that has all of it. */
static bool has_all(const struct ww_answer *answer, const struct ww_answer *shown)
{
	for (unsigned p = 0; p < WW_ANSWER_PATHS_MAX; p++) {
		if (shown->present & (1u << p) &&
		    (!(answer->present & (1u << p)) || answer->digest[p] != shown->digest[p]))
			return false;
	}
	return true;
}

static bool answered_before(const struct ww_case *k)
{
	const struct ww_action_model *m = &k->action->model;

	for (const struct ww_match *e = ww_held_newest(k->held, (uint32_t)k->action->contract); e;
	     e = e->older) {
		if (e->destination && e->template && e->x->ended.ns <= m->shown_at.ns &&
		    has_all(&e->answer, &m->answer))
			return true;
	}
	return false;
}

bool ww_shown_from_elsewhere(const struct ww_case *k)
{
	return k->contract->effect == WW_EFFECT_READ || asked_others(k) || answered_before(k);
}
