/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending: what is said of an action that has no verdict yet: PENDING, until when, and what is
 * waited for. For the stream only, never a record: nothing of it is final, and the deadline moves
 * when another part of the action arrives. When it is over a verdict is recorded; that may be
 * PENDING itself, up to a deadline that the contract or the claim set. Pure.
 */
#pragma once

#include "base/clock.h"
#include "base/json_write.h"
#include "join/actions.h"

/* X(enum suffix, text, meaning) */
#define WW_PENDING_WAITS(X)                                                                    \
	X(GRACE, "grace", "the time in which evidence may come late")                          \
	X(SPAN, "span", "the result, the span or the claim of a call that a model asked for")  \
	X(CLAIM, "claim", "the time given to what was announced without a date")               \
	X(DEFERRAL, "deferral", "the deadline up to which the contract lets it be done later") \
	X(EXCHANGE, "exchange", "the end of a call that is under way")

#define WW_PENDING_ENUM_(n, t, d) WW_PENDING_##n,
enum ww_pending_wait { WW_PENDING_WAITS(WW_PENDING_ENUM_) WW_PENDING_WAIT_MAX };

struct ww_pending {
	const struct ww_action *action;
	struct ww_boot deadline; /* when it is judged if nothing more comes */
	enum ww_pending_wait wait;
	const char *into; /* not NULL: it was found to be part of that action; no verdict follows */
};

/* Writes one object. Errors stay in the writer. */
void ww_pending_write(const struct ww_pending *p, const struct ww_clock_map *clock,
		      struct ww_jsonw *w);
