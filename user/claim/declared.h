/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declared claims: the attributes of a span event "wirewitness.claim", by which an application says
 * of itself "this was done" or "this will be done".
 *
 *   claim.id            required; names the claim
 *   claim.tense         required; "done" or "will"
 *   claim.action        what was done, in the application's words
 *   claim.tool          the tool that did it, as in the contract file
 *   claim.tool_call_id  the id of the tool call
 *   claim.deadline      until when a "will" is to be done: RFC 3339, or Unix seconds
 *
 * A text longer than its member of ww_declared_claim makes the claim malformed: a cut id would name
 * another claim. Pure.
 */
#pragma once

#include "claim/span.h"

#define WW_DECLARED_EVENT "wirewitness.claim"

/* A claim in the making; zero-initialised. */
struct ww_declared {
	struct ww_declared_claim claim;
	bool tense_known;
	bool bad;
};

/* One attribute of the event; other keys are ignored. */
void ww_declared_set(struct ww_declared *d, struct ww_slice key, struct ww_slice value);

/* 0, or -EINVAL: a required attribute is absent or one is malformed. */
WW_CHECK int ww_declared_get(const struct ww_declared *d, struct ww_wall at,
			     struct ww_declared_claim *ret_claim);

/* RFC 3339 date-time (section 5.6), or seconds since the epoch with an optional fraction. 0 or
 * -EINVAL. */
WW_CHECK int ww_declared_time(struct ww_slice text, struct ww_wall *ret_time);
