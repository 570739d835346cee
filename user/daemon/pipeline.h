/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline: actor → flow → proto → action + claim → join → judge, as one pure function from
 * events to records. The daemon feeds it live, `wirewitness replay` feeds it from a tape: same
 * events, same bytes out.
 *
 * Time is the events' time. The caller feeds WW_EVENT_TICK after it has delivered everything up to
 * the tick's time. Not thread safe. Records are emitted in order through `emit` (borrowed for the
 * call).
 */
#pragma once

#include "daemon/attestations.h"
#include "judge/judge.h"
#include "policy/contract.h"
#include "policy/policy_file.h"
#include "policy/tables.h"

struct ww_pipeline_config {
	uint8_t digest_key[32];
	struct ww_slice contracts; /* YAML; empty: no contracts */
	bool prose;                /* claims are looked for in the model's answers, by */
	struct ww_slice phrases;   /* the product's phrase rules and these (YAML; empty: none) */
	const struct ww_tables *tables; /* address tables; borrowed; NULL: none */
	const struct ww_policy *policy; /* where bytes may go; borrowed; NULL: none */
	uint64_t body_bytes_max;        /* 0: default */
	uint64_t grace_ns;              /* 0: default */
	uint64_t skew_ns;               /* 0: default */
	struct ww_endpoint
		receiver; /* our OTLP receiver: its flows are nobody's action; port 0: none */
	uint32_t receiver_netns;              /* where it listens (inode); 0: not known */
	const struct ww_originals *originals; /* of judging again; borrowed; NULL: the first time */
};

struct ww_pipeline_stats {
	uint64_t events;
	uint64_t malformed_events;
	uint64_t exchanges;
	uint64_t model_calls;
	uint64_t spans;
	uint64_t spans_rejected;
	uint64_t records;
	uint64_t verdicts;
	uint64_t unbound_sessions;
	uint64_t live_flows;
	uint64_t memory_refused; /* allocations that failed; each is a counted loss */
	uint64_t body_bytes;
};

struct ww_pipeline;

/* 0; -EINVAL: contracts or phrases refused, *ret_error says why; -ENOMEM. Copies what it keeps of
 * cfg. */
WW_CHECK int ww_pipeline_new(const struct ww_pipeline_config *cfg, ww_record_fn emit, void *ctx,
			     struct ww_pipeline **ret_pipeline,
			     struct ww_contract_error *ret_error);
void ww_pipeline_free(struct ww_pipeline *p);
WW_DEFINE_AUTO(struct ww_pipeline, ww_pipeline_free)

/* What is pending, as ww_judge_watch and ww_judge_pending say: nothing of it is a record. */
void ww_pipeline_watch(struct ww_pipeline *p, ww_pending_fn fn, void *ctx);
void ww_pipeline_pending(struct ww_pipeline *p, ww_pending_fn fn, void *ctx);

/* One event that ww_event_check() accepted. Never fails: what could not be held becomes a loss in
 * the coverage. */
void ww_pipeline_feed(struct ww_pipeline *p, const struct ww_event *ev);

/* Something was attested from outside: as ww_attestations_import, which says what comes of it. */
WW_CHECK int ww_pipeline_attest(struct ww_pipeline *p, const struct ww_attest_ask *ask,
				struct ww_attest_answer *ret, struct ww_errtext *why);

/* End of input: closes flows, judges what is left, writes the coverage of every scope. */
void ww_pipeline_finish(struct ww_pipeline *p);

/* The flows that are there. Borrowed. */
struct ww_flows *ww_pipeline_flows(struct ww_pipeline *p);

/* The contracts that it judges by; borrowed. */
const struct ww_contracts *ww_pipeline_declared(const struct ww_pipeline *p);

/* The digest that its verdicts name: of the contracts that it judges by. */
struct ww_sha256 ww_pipeline_contracts(const struct ww_pipeline *p);

/* Counts since the start, and what is held now. */
struct ww_pipeline_stats ww_pipeline_stats(const struct ww_pipeline *p);

/*
 * Writes the member "processes": for the living processes in scope, the oldest
 * WW_STATUS_PROCESSES_MAX of "processesTotal", how far their TLS is understood: attached, firing,
 * bound, verified, and a reason code where the chain stops.
 */
void ww_pipeline_status(const struct ww_pipeline *p, struct ww_jsonw *w);
