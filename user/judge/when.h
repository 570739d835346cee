/* SPDX-License-Identifier: Apache-2.0 */
/*
 * when: the instant from which an action can be judged, and what it waits for until then. The rules
 * of pending.h and of the judge's queue are these alone. Pure.
 */
#pragma once

#include "actor/actor.h"
#include "join/actions.h"
#include "judge/pending.h"

/* A tool call that was answered to the model, without a span: batch exporters send every 5 s. */
#define WW_WHEN_SHOWN_NS 8000000000ull
/* A tool call of which nothing further is heard. */
#define WW_WHEN_ASKED_NS 60000000000ull

struct ww_when {
	const struct ww_actors *actors;
	const struct ww_contracts *contracts;
	uint64_t grace_ns, skew_ns; /* as the judge's */
};

/* End of the process that asked for the call; 0: it lives, or is not known. */
struct ww_boot ww_when_exited(const struct ww_when *w, const struct ww_action *a);

/* From this boot time on the action can be judged. */
uint64_t ww_when_due(const struct ww_when *w, const struct ww_action *a);

/* When it is looked at next. What is only announced is shown as PENDING as soon as it was said. */
uint64_t ww_when_look(const struct ww_when *w, const struct ww_action *a);

/* What it waits for until ww_when_due. */
enum ww_pending_wait ww_when_wait(const struct ww_when *w, const struct ww_action *a);
