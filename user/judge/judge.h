/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join + judge entry: collects exchanges, model calls and spans, links them, and judges each action
 * when its window has closed. One file per engine under lens/ (effect.c, commit.c).
 *
 * An action is one tool call: opened by an execute_tool span, by a declared claim, or by a tool
 * call in a model's response; the three are one action when they share the tool call id. Verdicts
 * are final: later evidence makes a superseding record that names the old one.
 *
 * Numbered invariants:
 *  1. No verdict is guessed: AMBIGUOUS joins pick nothing; absence is judged only through the
 * closed-world test.
 *  2. One exchange satisfies at most one action.
 *  3. A claim's sender comes from the kernel (span.actor); a span with an unresolved sender never
 * yields a negative or confirming verdict (ACTOR_UNRESOLVED).
 *  4. Records are a function of the order of calls only.
 *  5. A second judgement says so: its verdicts name the first ones and have ids of their own.
 * Pure, not thread safe.
 */
#pragma once

#include <wirewitness/record.h>
#include <wirewitness/verdict.h>

#include "action/mcp.h"
#include "action/model.h"
#include "claim/span.h"
#include "flow/coverage.h"
#include "flow/flow.h"
#include "join/actions.h"
#include "judge/originals.h"
#include "policy/contract.h"
#include "proto/exchange.h"

struct ww_judge_config {
	uint64_t grace_ns; /* waited after a span's end (and receipt) before judging; default 2 s */
	uint64_t skew_ns;  /* allowed between span clock and kernel clock beyond the clock map's
			      bound; default 50 ms */
	const struct ww_originals *originals; /* borrowed; NULL: the first judgement */
};

struct ww_judge_deps { /* all borrowed, outlive the judge */
	const struct ww_actors *actors;
	struct ww_flows *flows;
	const struct ww_coverage *coverage;
	const struct ww_contracts *contracts; /* may have no items */
	const struct ww_digest_key *key;
	const struct ww_clock_map *clock; /* kept current by the pipeline */
	const struct ww_phrases *phrases; /* by which model calls were read; NULL: they were not */
};

/* A finished record, in canonical bytes; borrowed for the call. */
typedef void (*ww_record_fn)(void *ctx, enum ww_record_kind kind, struct ww_slice json);

struct ww_judge_counts {
	uint64_t verdicts[WW_VERDICT_MAX]; /* records, superseding ones included */
	uint64_t superseded;
	uint64_t records_lost;     /* no memory for them, or too large */
	uint64_t memory_refused;   /* allocations that failed and no call told of */
	uint64_t spans_repeated;   /* the same span again */
	uint64_t actions_dropped;  /* by the ceiling */
	uint64_t actions_given_up; /* of them, before their time: UNVERIFIABLE(EVENT_LOSS) */
	uint64_t evidence_dropped; /* exchanges, flows and spans, by the ceilings */
	uint32_t actions_held, exchanges_held, flows_held, spans_held;
};

struct ww_judge;

/* Records go to emit with ctx. Copies *cfg and *deps. 0 or -ENOMEM. */
WW_CHECK int ww_judge_new(const struct ww_judge_config *cfg, const struct ww_judge_deps *deps,
			  ww_record_fn emit, void *ctx, struct ww_judge **ret_judge);
void ww_judge_free(struct ww_judge *j);
WW_DEFINE_AUTO(struct ww_judge, ww_judge_free)

/* What is pending (judge/pending.h), as one JSON object; borrowed for the call. */
typedef void (*ww_pending_fn)(void *ctx, struct ww_slice json);

/*
 * From now on fn hears of every action that gets a deadline before it has a verdict, and of each
 * move of it; a verdict follows, or that it is part of another action. NULL: nobody.
 */
void ww_judge_watch(struct ww_judge *j, ww_pending_fn fn, void *ctx);

/* Calls fn for all that are pending now. */
void ww_judge_pending(struct ww_judge *j, ww_pending_fn fn, void *ctx);

/* 0 or -ENOMEM. `call` is NULL when the exchange is no model call, `mcp` when it is no tool call of
 * that protocol. Copies what it keeps. */
WW_CHECK int ww_judge_exchange(struct ww_judge *j, const struct ww_exchange *x,
			       const struct ww_model_call *call, const struct ww_mcp_call *mcp);

/* Takes over span's memory (zeroes it in *span). */
WW_CHECK int ww_judge_span(struct ww_judge *j, struct ww_span *span);

/* Takes any event: what was done on this host, and how completely that was seen. The actors have it
 * already. 0 or -ENOMEM. */
WW_CHECK int ww_judge_event(struct ww_judge *j, const struct ww_event *ev);

/* A flow ended: final account known; flows to declared destinations without decoded exchanges count
 * as evidence E1-E3. */
void ww_judge_flow(struct ww_judge *j, const struct ww_flow *f);

/* Judges every action whose window has closed by now. */
void ww_judge_tick(struct ww_judge *j, struct ww_boot now);

/* End of tape: judges all that is left; an action whose window is still open gets
 * UNVERIFIABLE(OUTCOME_UNKNOWN or COVERAGE_GAP). */
void ww_judge_finish(struct ww_judge *j, struct ww_boot now);

/* What it holds, borrowed. Who supersedes the verdict of one by more than the judge looks at counts
 * its revision on. */
const struct ww_actions *ww_judge_actions(const struct ww_judge *j);

/* Counts since the start, and what is held now. */
struct ww_judge_counts ww_judge_counts(const struct ww_judge *j);
