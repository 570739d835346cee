/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path: where did a prompt go? Collects what join/legs.h holds, decides when a path is written, and
 * writes the records of kind "path" and "crossing".
 *
 * A path is written first when nothing came to it for the grace time, or at once when a leg of it
 * is a violation; again when that changes what is said, and a last time when it was quiet for
 * WW_LEGS_QUIET_NS and has more legs than were told. Each revision supersedes the one before.
 *
 * A crossing is written once for a connection, as soon as the kernel's counters say that payload
 * was acknowledged where the policy does not allow it: also where nothing can be read.
 *
 * Numbered invariants:
 *  1. No leg is guessed: where several requests may be the one that a gateway sent on, all are told
 *     and none is picked.
 *  2. Without a policy for the agent nothing is judged; legs are told all the same.
 *  3. Records are a function of the order of calls only.
 * Pure, not thread safe.
 */
#pragma once

#include "claim/span.h"
#include "flow/coverage.h"
#include "join/legs.h"
#include "judge/judge.h"
#include "policy/placement.h"

struct ww_path_config {
	uint64_t grace_ns;
	const uint8_t *digest_key;      /* 32 bytes; not kept */
	const struct ww_policy *policy; /* borrowed; NULL: none */
	const struct ww_tables *tables; /* borrowed; NULL: none */
};

struct ww_path_deps { /* all borrowed, outlive it */
	const struct ww_actors *actors;
	struct ww_flows *flows;
	const struct ww_coverage *coverage;
	const struct ww_digest_key *key;
	const struct ww_clock_map *clock;
};

struct ww_path_counts {
	struct ww_legs_counts legs;
	uint64_t written;      /* records of paths, revisions included */
	uint64_t crossings;    /* records */
	uint64_t records_lost; /* no memory for them, or too large */
};

struct ww_paths;

/* Records go to emit with ctx. Copies *cfg and *deps. 0 or -ENOMEM. */
WW_CHECK int ww_paths_new(const struct ww_path_config *cfg, const struct ww_path_deps *deps,
			  ww_record_fn emit, void *ctx, struct ww_paths **ret);
void ww_paths_free(struct ww_paths *p);
WW_DEFINE_AUTO(struct ww_paths, ww_paths_free)

/* Takes any event, when the flow table and the names have it. */
void ww_paths_event(struct ww_paths *p, const struct ww_event *ev);

/* A request ended; `call`: NULL, or what it is as a call to a model. 0 or -ENOMEM. */
WW_CHECK int ww_paths_exchange(struct ww_paths *p, const struct ww_exchange *x,
			       const struct ww_model_call *call);

/* A connection has closed. */
void ww_paths_flow(struct ww_paths *p, struct ww_flow *f);

/* Borrowed. 0 or -ENOMEM. */
WW_CHECK int ww_paths_span(struct ww_paths *p, const struct ww_span *span);

void ww_paths_lookup(struct ww_paths *p, const struct ww_lookup *l);

/* The oldest path that is held and has a leg with this id for certain: of the model's answer, or of
 * the request as the provider names it. Go on behind the last one; NULL: no more. */
const struct ww_leg_path *ww_paths_with(const struct ww_paths *p, bool response, const char *id,
					const struct ww_leg_path *last);
/* NULL: not held (any more). */
const struct ww_leg_path *ww_paths_get(const struct ww_paths *p, uint64_t id);
/* Somebody else wrote its next revision. It is held. */
void ww_paths_revised(struct ww_paths *p, uint64_t id);

/* Writes what is due by now. */
void ww_paths_tick(struct ww_paths *p, struct ww_boot now);

/* End of tape: writes all that is left to say. */
void ww_paths_finish(struct ww_paths *p, struct ww_boot now);

struct ww_path_counts ww_paths_counts(const struct ww_paths *p);
/* Allocations that failed and no call told of, and records that were not written. */
uint64_t ww_paths_refused(const struct ww_paths *p);
