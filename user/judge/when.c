/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/when.h"

#define NS_PER_S 1000000000ull

static uint64_t max_ns(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

struct ww_boot ww_when_exited(const struct ww_when *w, const struct ww_action *a)
{
	const struct ww_actor *actor = ww_actors_get(w->actors, a->actor);

	return actor ? actor->exited : (struct ww_boot){0};
}

/* Nothing is done later by a process that ended; spans and claims may still come. */
static uint64_t prose_due(const struct ww_when *w, const struct ww_action *a)
{
	struct ww_boot exited = ww_when_exited(w, a);
	uint64_t due = a->prose.due.ns;

	if (exited.ns && exited.ns < due)
		due = max_ns(exited.ns, a->received.ns);
	return due + WW_WHEN_SHOWN_NS;
}

static uint64_t model_due(const struct ww_when *w, const struct ww_action *a)
{
	struct ww_boot said = ww_action_said(a), exited = ww_when_exited(w, a);

	if (a->model.shown)
		return a->model.shown_at.ns + WW_WHEN_SHOWN_NS;
	if (said.ns)
		return max_ns(said.ns, a->received.ns) + WW_WHEN_SHOWN_NS;
	if (exited.ns)
		return max_ns(exited.ns, a->model.at.ns);
	return a->model.at.ns + WW_WHEN_ASKED_NS;
}

uint64_t ww_when_due(const struct ww_when *w, const struct ww_action *a)
{
	const struct ww_contract *c = ww_action_contract(a, w->contracts);
	uint64_t due;

	if (a->root.pid == 0 || a->clock_bad)
		return a->received.ns + w->grace_ns;
	if (a->prose.only)
		due = prose_due(w, a);
	else if (a->span_count)
		due = max_ns(a->ended.ns, a->received.ns);
	else if (a->model.asked)
		due = max_ns(model_due(w, a), a->received.ns);
	else
		due = ww_action_claims_due(a);
	if (c && c->deferred)
		due += c->deadline_s * NS_PER_S;
	due = max_ns(due, a->until.ns);
	return due + w->grace_ns + w->skew_ns + a->bound_ns;
}

uint64_t ww_when_look(const struct ww_when *w, const struct ww_action *a)
{
	uint64_t shown = a->received.ns + w->grace_ns + w->skew_ns + a->bound_ns;

	if (a->until.ns || a->root.pid == 0 || a->clock_bad ||
	    ww_action_announced_until(a).ns <= shown)
		return ww_when_due(w, a);
	return shown;
}

enum ww_pending_wait ww_when_wait(const struct ww_when *w, const struct ww_action *a)
{
	const struct ww_contract *c = ww_action_contract(a, w->contracts);
	enum ww_pending_wait wait =
		a->claim_count && ww_action_claim_only(a) ? WW_PENDING_CLAIM : WW_PENDING_SPAN;

	if (a->root.pid == 0 || a->clock_bad || ww_when_look(w, a) < ww_when_due(w, a))
		return WW_PENDING_GRACE;
	if (c && c->deferred)
		return WW_PENDING_DEFERRAL;
	if (a->span_count || (ww_action_claim_only(a) && ww_action_claims_done(a)))
		return WW_PENDING_GRACE;
	return wait;
}
