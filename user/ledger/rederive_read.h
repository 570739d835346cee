/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records that rederive.h works on, taken apart. Everything is borrowed from the record's text;
 * texts are as they stand between their quotes: our writer has one form for each, so equal texts
 * mean equal values. A member that is needed and there twice, or of another type, makes a record
 * unreadable: readers would disagree about it. Pure.
 */
#pragma once

#include <wirewitness/verdict.h>

#include "judge/grounds.h"
#include "ledger/members.h"

#define WW_REDERIVE_NEAR_MAX   16
#define WW_REDERIVE_CLAIMS_MAX 2
#define WW_REDERIVE_FLOWS_MAX  128

struct ww_rd_exchange {
	struct ww_rd_text id, t, flow, root, peer, sni, authority, method, path, outcome;
	struct ww_rd_text program; /* absent: its flow is no channel */
	struct ww_rd_text trace_id, span_id, key_digest;
	struct ww_rd_text mcp_tool; /* of the record of its tool call, where one is listed */
	struct ww_rd_number status, retry_after;
	uint64_t req_offset, req_bytes, req_first_ns, resp_first_ns, resp_bytes;
	uint64_t ended_ns; /* its last byte */
	bool client, gap_in_request, found_again;
	bool grpc;
	struct ww_rd_number grpc_status;
};

struct ww_rd_span {
	struct ww_rd_text id, t, end, trace_id, span_id, parent_id, status, root, role, tool;
	struct ww_rd_text tool_call_id, error_type;
	struct ww_slice claims; /* the array's text; empty: none */
};

struct ww_rd_claim {
	struct ww_rd_text claim_id, tense, span, deadline;
};

struct ww_rd_account {
	uint64_t handshake, tickets, overhead, overhead_max;
	int64_t remainder;
	bool checked;
};

struct ww_rd_flow {
	struct ww_rd_text id, peer, close;
	bool tls, bound;
	uint64_t open_ns, close_ns;
	uint64_t sent, acked, received;
	struct ww_rd_account out, in;
};

struct ww_rd_coverage {
	struct ww_rd_text cgroup;
	uint64_t from_ns, to_ns, marks_total;
	bool all_covered;
	struct ww_slice marks; /* the array's text */
};

struct ww_rd_mark {
	struct ww_rd_text what;
	uint64_t from_ns, to_ns;
};

struct ww_rd_action {
	struct ww_rd_text id, tool, tool_call_id, actor, root, cgroup, effect;
	struct ww_slice said, span, wire; /* their texts */
	struct ww_slice local;            /* likewise; empty: not there */
	bool model;
};

/* What the wire column says of one call. */
struct ww_rd_call {
	struct ww_rd_text exchange, flow, wire, destination, peer, method, path;
	struct ww_rd_number status, retry_after, request_bytes, response_bytes;
};

struct ww_rd_attempt {
	struct ww_rd_text exchange, join, by, wire;
	struct ww_rd_number status, retry_after, good, all;
	bool id_known;
};

struct ww_rd_readback {
	struct ww_rd_text exchange, of, read, peer;
	bool away, other_caller;
	struct ww_rd_number status;
};

/* What an answer has at the declared paths. */
struct ww_rd_values {
	bool whole;
	unsigned count; /* paths */
	uint8_t has;    /* bit set */
	uint64_t digest[WW_ANSWER_PATHS_MAX];
	uint8_t large; /* as ww_answer has it */
	uint64_t rounded[WW_ANSWER_PATHS_MAX];
	bool read; /* of a read-back */
};

struct ww_rd_late {
	struct ww_rd_text exchange, join, by, wire;
	uint64_t after_ns;
	bool contested;
};

struct ww_rd_run {
	struct ww_rd_text exchange, says, subject;
	uint64_t uses, uses_unknown;
	bool stray;
};

/* The member "control" of a verdict, and of its grounds. */
struct ww_rd_control {
	struct ww_rd_text name, same, action, exchange, says, subject;
	struct ww_slice subjects, action_subject; /* the arrays' texts; empty: not there */
	bool narrated;
	uint64_t runs, denied, uses;
};

struct ww_rd_ground_control {
	struct ww_rd_text doubt;
	uint64_t from_ns, until_ns, stray;
	unsigned run_count;
	struct ww_rd_run runs[WW_GROUNDS_RUNS_MAX];
};

struct ww_rd_near {
	struct ww_rd_text exchange, why;
};

struct ww_rd_ground_flow {
	struct ww_rd_text flow;
	bool tls, closed, checked;
	uint64_t sent, acked, setup, unexplained_out, unexplained_in, unread;
	struct ww_rd_number closed_at;
};

struct ww_rd_grounds {
	bool there, wire; /* wire: those from fromBootNs on */
	bool given_up, clock_bad, asked, remote, still_open, world_whole, shown_elsewhere,
		shown_failure;
	bool declared;         /* a contract; its terms: */
	struct ww_slice terms; /* the text */
	uint64_t from_ns, to_ns, attempts, partners, almost;
	struct ww_rd_number announced, shows_until, judged;
	bool finished, reads_over;
	struct ww_rd_text call_key, span_key;
	unsigned flow_count;
	struct ww_rd_ground_flow flows[WW_REDERIVE_FLOWS_MAX];
	bool late; /* a call after it had to be made: */
	struct ww_rd_late late_call;
	struct ww_rd_values shown_values; /* what the model was shown */
	unsigned answer_count;
	struct ww_rd_values answers[WW_GROUNDS_ATTEMPTS_MAX];
	unsigned like_count;
	struct ww_rd_values likes[WW_GROUNDS_LIKES_MAX];
	uint64_t beside;
	bool controlled;
	struct ww_rd_ground_control control;
	struct ww_slice may_mean; /* the array's text; empty: not there */
	uint32_t not_held;        /* bit set of enum ww_world_item */
	uint64_t undecoded, rivals;
	struct ww_rd_text undecoded_evidence;
	bool opaque, torn, inside;
};

struct ww_rd_verdict {
	struct ww_rd_text id, action, engine, verdict, reason, evidence, tier, join, by;
	struct ww_rd_text tool, tool_call_id, actor, root, cgroup, contracts, supersedes;
	struct ww_rd_number n, k, late_ms;
	struct ww_rd_text deadline;
	struct ww_slice findings; /* the array's text; empty: none */
	struct ww_slice attested; /* the column's text; empty: none */
	bool controlled;
	struct ww_rd_control control;
	struct ww_slice said, span_text, wire_text; /* their texts */
	struct ww_slice local;                      /* likewise; empty: not there */

	struct ww_rd_text claim;
	unsigned claim_count;
	struct ww_rd_claim claims[WW_REDERIVE_CLAIMS_MAX];

	bool shown; /* a result, to the model: */
	struct ww_rd_text shown_exchange, shown_digest;
	bool shown_error;
	struct ww_slice shows, differs; /* the arrays' texts; empty: none */

	struct ww_slice prose, narrated; /* the arrays' texts; empty: not there */
	bool prose_only;                 /* prose alone speaks of it: */
	bool prose_earlier, prose_blind;
	uint64_t prose_tools;

	bool spanned;
	struct ww_rd_text span_id, span_trace, span_status, span_start, span_end, span_error;
	uint64_t span_count;

	struct ww_rd_call call; /* of the deciding attempt; `exchange` not there: none decided */
	struct ww_rd_number retries;
	bool candidates; /* the attempts are candidates */
	unsigned attempt_count;
	struct ww_rd_attempt attempts[WW_GROUNDS_ATTEMPTS_MAX];
	struct ww_rd_text id_digest, readback;
	uint64_t readback_total;
	unsigned readback_count;
	struct ww_rd_readback readbacks[WW_GROUNDS_READS_MAX];
	bool elsewhere;
	struct ww_rd_call elsewhere_call;
	bool undecoded;
	struct ww_rd_text undecoded_flow, undecoded_peer;
	uint64_t undecoded_sent, undecoded_acked, undecoded_received;
	uint64_t near_total;
	unsigned near_count;
	struct ww_rd_near near[WW_REDERIVE_NEAR_MAX];

	bool world_asked;
	uint32_t world_failed; /* bit set of enum ww_world_item */
	bool covered;          /* it has the member coverage: */
	uint64_t from_ns, to_ns, lost_events, gaps, unix_peers, loopback_peers, raw_sockets;
	uint64_t unbound_calls;
	bool known, whole_window;

	struct ww_slice refs;   /* the arrays' texts */
	struct ww_slice egress; /* empty: not there */
	struct ww_rd_grounds grounds;
};

/* 0 or -EINVAL with the reason. */
WW_CHECK int ww_rd_exchange_read(struct ww_slice json, struct ww_rd_exchange *ret,
				 struct ww_errtext *why);
/* Of the record of a tool call in an exchange: its tool, and its trace context where the exchange
 * has none of its own. */
WW_CHECK int ww_rd_mcp_read(struct ww_slice json, struct ww_rd_exchange *x, struct ww_errtext *why);
WW_CHECK int ww_rd_span_read(struct ww_slice json, struct ww_rd_span *ret, struct ww_errtext *why);
WW_CHECK int ww_rd_flow_read(struct ww_slice json, struct ww_rd_flow *ret, struct ww_errtext *why);
WW_CHECK int ww_rd_coverage_read(struct ww_slice json, struct ww_rd_coverage *ret,
				 struct ww_errtext *why);
WW_CHECK int ww_rd_action_read(struct ww_slice json, struct ww_rd_action *ret,
			       struct ww_errtext *why);
/* Of the record of a start: the digest of the contract file in force; else not there. */
WW_CHECK int ww_rd_life_read(struct ww_slice json, struct ww_rd_text *ret_contracts,
			     struct ww_errtext *why);
WW_CHECK int ww_rd_verdict_read(struct ww_slice json, struct ww_rd_verdict *ret,
				struct ww_errtext *why);

/* Whether a span's record declares this claim, in this tense, with this date or none. */
bool ww_rd_span_claims(const struct ww_rd_span *s, const struct ww_rd_claim *claim);

/* Where bytes went, as a verdict lists it. */
struct ww_rd_egress {
	struct ww_rd_text flow, peer;
	uint64_t sent;
};

/* The next element of such an array, which ww_fields_array opened: 1, 0 after the last, -EINVAL. */
WW_CHECK int ww_rd_egress_next(struct ww_json *j, struct ww_rd_egress *ret);
WW_CHECK int ww_rd_mark_next(struct ww_json *j, struct ww_rd_mark *ret);
/* Of a finding: its exchange. */
WW_CHECK int ww_rd_finding_next(struct ww_json *j, struct ww_rd_text *ret_exchange);

/* The places of an array's texts among the contract's answer paths, bit set; -EINVAL: one is none
 * of them. An empty array's text: none. */
WW_CHECK int ww_rd_answer_paths(struct ww_slice array, const struct ww_contract *c, uint8_t *ret);

/*
 * The terms of a contract, as far as a record has them; the caller frees with ww_contracts_free.
 * *ret_whole: what a call must look like is in it. 0, -EINVAL, -ENOMEM.
 */
WW_CHECK int ww_rd_terms_read(struct ww_slice terms, struct ww_contracts **ret, bool *ret_whole,
			      struct ww_errtext *why);

/* Of the terms' text only the attesters, into c, which has none. 0, -EINVAL, -ENOMEM. */
WW_CHECK int ww_rd_attesters_read(struct ww_slice terms, struct ww_contract *c,
				  struct ww_errtext *why);

/* "10.0.0.1:443", "[::1]:443". 0 or -EINVAL. */
WW_CHECK int ww_rd_endpoint_read(struct ww_slice text, struct ww_endpoint *ret);

static inline bool ww_rd_is(struct ww_rd_text t, const char *s)
{
	return t.s.p && !t.escaped && ww_slice_eq_str(t.s, s);
}

/* Equal, or neither is there. */
static inline bool ww_rd_same(struct ww_rd_text a, struct ww_rd_text b)
{
	return !a.s.p == !b.s.p && ww_slice_eq(a.s, b.s);
}
