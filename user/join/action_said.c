/* SPDX-License-Identifier: Apache-2.0 */
/* What the spans and claims of one action say together. */
#include "join/actions.h"

const struct ww_action_span *ww_action_last_span(const struct ww_action *a)
{
	const struct ww_action_span *last = a->span_count ? &a->spans[0] : NULL;

	for (unsigned i = 1; i < a->span_count; i++) {
		if (a->spans[i].end.ns > last->end.ns)
			last = &a->spans[i];
	}
	return last;
}

struct ww_boot ww_action_announced_until(const struct ww_action *a)
{
	struct ww_boot until = {0};

	for (unsigned i = 0; i < a->claim_count; i++) {
		const struct ww_action_claim *c = &a->claims[i];

		if (c->done)
			return (struct ww_boot){0};
		if (c->deadline.ns > until.ns)
			until = c->deadline;
	}
	return ww_action_claim_only(a) ? until : (struct ww_boot){0};
}

struct ww_boot ww_action_said(const struct ww_action *a)
{
	struct ww_boot said = {0};

	for (unsigned i = 0; i < a->claim_count; i++) {
		if (a->claims[i].done && a->claims[i].at.ns > said.ns)
			said = a->claims[i].at;
	}
	return said;
}

bool ww_action_claims_done(const struct ww_action *a)
{
	for (unsigned i = 0; i < a->claim_count; i++) {
		if (a->claims[i].done)
			return true;
	}
	return false;
}

const char *ww_action_claimed(const struct ww_action *a)
{
	return ww_action_claims_done(a) ? "done" : a->claim_count ? "will" : NULL;
}

uint64_t ww_action_claims_due(const struct ww_action *a)
{
	uint64_t due = a->received.ns;

	for (unsigned i = 0; i < a->claim_count; i++) {
		const struct ww_action_claim *k = &a->claims[i];
		uint64_t until = k->done          ? k->at.ns
				 : k->deadline.ns ? k->deadline.ns
						  : k->at.ns + WW_WILL_NS;

		if (until > due)
			due = until;
	}
	return due;
}
