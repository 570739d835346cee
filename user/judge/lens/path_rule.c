/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/path_rule.h"

#include <stddef.h>

#define BIT(r) (1u << WW_REASON_##r)

/* What is about the legs themselves first, then about what may have been missed. */
static const struct {
	enum ww_reason reason;
	const char *text;
} order[] = {
#define SAID_(n)                  \
	{                         \
		WW_REASON_##n, #n \
	}
	SAID_(AMBIGUOUS_JOIN),  SAID_(ACTOR_UNRESOLVED),     SAID_(LABEL_IMPOSSIBLE),
	SAID_(LABEL_AMBIGUOUS), SAID_(NO_CONTRACT),          SAID_(OUTCOME_UNKNOWN),
	SAID_(REMOTE_EXECUTOR), SAID_(EVENT_LOSS),           SAID_(COVERAGE_GAP),
	SAID_(TLS_OPAQUE),      SAID_(PLAINTEXT_INCOMPLETE), SAID_(SHARED_CONNECTION),
#undef SAID_
};

#define ORDER_COUNT (sizeof(order) / sizeof(order[0]))

const char *ww_path_unread_name(enum ww_path_unread u)
{
#define NAME_(n, t, r) [WW_PATH_UNREAD_##n] = (t),
	static const char *const names[WW_PATH_UNREAD_MAX] = {WW_PATH_UNREADS(NAME_)};

	return (unsigned)u < WW_PATH_UNREAD_MAX ? names[u] : "unknown";
}

const char *ww_path_open(uint32_t open, unsigned *i)
{
	for (; *i < ORDER_COUNT; ++*i) {
		if (open & (1u << order[*i].reason))
			return order[(*i)++].text;
	}
	return NULL;
}

static bool certain(const struct ww_path_ground *l)
{
	return l->join >= WW_JOIN_UNIQUE && !l->unresolved;
}

static bool violates(const struct ww_path_ground *l)
{
	return l->forbidden && certain(l) && l->evidence >= WW_EVIDENCE_E2;
}

static uint32_t open_of_leg(const struct ww_path_ground *l)
{
	uint32_t open = 0;

	if (l->join < WW_JOIN_UNIQUE)
		open |= BIT(AMBIGUOUS_JOIN);
	if (l->unresolved)
		open |= BIT(ACTOR_UNRESOLVED);
	if (l->impossible)
		open |= BIT(LABEL_IMPOSSIBLE);
	if (l->ambiguous)
		open |= BIT(LABEL_AMBIGUOUS);
	if (l->unlisted)
		open |= BIT(NO_CONTRACT);
	/* Nothing acknowledged is known of, and nothing says that nothing was. */
	if (l->forbidden && certain(l) && !violates(l))
		open |= BIT(OUTCOME_UNKNOWN);
	if (l->local)
		open |= BIT(REMOTE_EXECUTOR);
	if (l->incomplete)
		open |= BIT(PLAINTEXT_INCOMPLETE);
	if (l->shared)
		open |= BIT(SHARED_CONNECTION);
	return open;
}

static uint32_t open_of_view(const struct ww_path_grounds *g)
{
#define REASON_(n, t, r) [WW_PATH_UNREAD_##n] = BIT(r),
	static const uint32_t reasons[WW_PATH_UNREAD_MAX] = {WW_PATH_UNREADS(REASON_)};
	uint32_t open = 0;

	for (unsigned u = 0; u < WW_PATH_UNREAD_MAX; u++) {
		if (g->unread & (1u << u))
			open |= reasons[u];
	}
	if (g->orphans)
		open |= BIT(ACTOR_UNRESOLVED);
	if (g->dropped || g->forgotten || g->lost)
		open |= BIT(EVENT_LOSS);
	if (g->early || !g->known || !g->whole || !g->covered || g->gaps)
		open |= BIT(COVERAGE_GAP);
	if (g->unix_peers)
		open |= BIT(REMOTE_EXECUTOR);
	if (g->raw_sockets || g->unbound)
		open |= BIT(PLAINTEXT_INCOMPLETE);
	return open;
}

/* The best that is known of the legs, and the weakest link to them. */
static void grade(const struct ww_path_grounds *g, struct ww_path_ruling *ret)
{
	ret->evidence = WW_EVIDENCE_E0;
	ret->join = g->count ? WW_JOIN_EXACT : WW_JOIN_NONE;
	for (unsigned i = 0; i < g->count; i++) {
		if (g->legs[i].evidence > ret->evidence)
			ret->evidence = g->legs[i].evidence;
		if (g->legs[i].join < ret->join)
			ret->join = g->legs[i].join;
	}
}

static void decide_by(const struct ww_path_grounds *g, unsigned leg, enum ww_verdict verdict,
		      struct ww_path_ruling *ret)
{
	ret->verdict = verdict;
	ret->evidence = g->legs[leg].evidence;
	ret->join = g->legs[leg].join;
	ret->deciding = (int)leg;
}

static bool contradicts(const struct ww_path_ground *l)
{
	return l->contradicted && certain(l) && !l->ambiguous && l->evidence >= WW_EVIDENCE_E1;
}

void ww_path_rule(const struct ww_path_grounds *g, struct ww_path_ruling *ret)
{
	unsigned first = 0;

	*ret = (struct ww_path_ruling){.verdict = WW_VERDICT_NOT_APPLICABLE, .deciding = -1};
	grade(g, ret);
	if (!g->asked)
		return;
	for (unsigned i = 0; i < g->count; i++)
		ret->open |= open_of_leg(&g->legs[i]);
	ret->open |= open_of_view(g);
	for (unsigned i = 0; i < g->count; i++) {
		if (violates(&g->legs[i])) {
			decide_by(g, i, WW_VERDICT_VIOLATION, ret);
			return;
		}
	}
	for (unsigned i = 0; i < g->count; i++) {
		if (contradicts(&g->legs[i])) {
			decide_by(g, i, WW_VERDICT_CLAIM_CONTRADICTED, ret);
			return;
		}
	}
	if (!ret->open && g->count) {
		ret->verdict = WW_VERDICT_WITHIN_POLICY_TO_HORIZON;
		return;
	}
	ret->verdict = WW_VERDICT_UNVERIFIABLE;
	while (first < ORDER_COUNT && !(ret->open & (1u << order[first].reason)))
		first++;
	ret->reason = first < ORDER_COUNT ? order[first].reason : WW_REASON_OUTCOME_UNKNOWN;
}
