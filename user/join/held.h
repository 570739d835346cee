/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held: the evidence that may still be joined: exchanges that a contract could mean, flows with
 * their accounts, and the parentage of spans. First stage of join; everything is copied in, nothing
 * is borrowed after a call returns, except the contracts, which outlive the table.
 *
 * Numbered invariants:
 *  1. An exchange is compared with every contract when it arrives, because its body is gone
 *     afterwards; only exchanges that some contract means by request or destination are held.
 *  2. What is dropped moves `blind_until`: a window that begins before it is not known whole.
 *  3. Lists are in order of arrival; nothing visible depends on hashing.
 *
 * Bounded by WW_EXCHANGES_HELD_MAX, WW_FLOWS_MAX and WW_SPANS_HELD_MAX: the oldest goes first.
 * Pure, not thread safe.
 */
#pragma once

#include <wirewitness/verdict.h>

#include "action/mcp.h"
#include "base/hash.h"
#include "claim/span.h"
#include "flow/flow.h"
#include "policy/answer.h"
#include "policy/contract.h"
#include "policy/subject.h"
#include "proto/exchange.h"

/* As it stands in records; static text, "unknown" for other numbers. */
const char *ww_held_wire_name(enum ww_wire w);

/* As it stands in records; static text, "unknown" for other numbers. */
const char *ww_held_read_name(enum ww_read r);

struct ww_held_exchange;

/* Ids and trees count inside one contract. */
struct ww_match_key {
	uint8_t of[32]; /* keyed digest of an id; a tree's start time and pid */
	uint32_t contract;
};

/* Of `rule`, where no body rule of the contract's success decides. */
#define WW_RULE_BULK  255u /* the items of the bulk answer */
#define WW_RULE_PARTS 254u /* 207: the parts have outcomes that nothing declared reads */
#define WW_RULE_MCP   253u /* the protocol's own answer: an error, or none that can be read */
#define WW_RULE_GRPC  252u /* the server's own word at the end, or it is not known */

/* One exchange under one contract. */
struct ww_match {
	struct ww_held_exchange *x;
	struct ww_match *older; /* of the same contract, by arrival */
	struct ww_match *newer;
	uint32_t contract;    /* index */
	bool destination;     /* a declared destination */
	bool almost;          /* not quite the declared call, but maybe taken for it */
	const char *template; /* of the declared path that method and path match; NULL: none */
	uint8_t wire;         /* enum ww_wire; meaningful with a template */
	uint8_t rule;         /* BODY_FAILED, BODY_UNKNOWN: which rule */
	uint8_t read;         /* enum ww_read; a read-back has no template */
	bool id_present;      /* the created id was found; of a read-back: always */
	bool placed;          /* the next one is known */
	uint64_t place;       /* of what else the read-back's path names: whose the id is */
	uint32_t good, all;   /* items that succeeded, of how many; 0 of 0: no bulk answer */
	struct ww_answer answer;
	struct ww_subjects *subjects; /* what the request is about, NULL: not asked for. Of a tool's
					 call: one for each control; of a control's call: one */
	struct ww_match_key id;
	struct ww_match_chain *same, *tree;       /* that it is in */
	struct ww_match *same_older, *same_newer; /* with this id, by arrival */
	struct ww_match *tree_older, *tree_newer; /* of the same tree, by arrival */
	uint64_t home_round;                      /* kept by join, for as long as this round: */
	uint32_t home_asked;                      /* so many actions were asked */
	bool home;                                /* whether one of its tree could mean it */
};

struct ww_held_exchange {
	struct ww_held_exchange *prev, *next; /* by arrival */
	uint64_t seq;
	struct ww_boot ended;    /* its last byte */
	struct ww_boot answered; /* first byte of the response; 0: none came */
	struct ww_boot arrived;  /* that, but never before what arrived earlier */
	uint64_t cookie;
	uint32_t index;
	struct ww_actor_key root;
	uint64_t cgroup;
	struct ww_endpoint peer;
	struct ww_boot t_first_req;
	uint64_t req_bytes, resp_bytes;
	uint64_t req_end; /* plaintext that the connection carried up to the request's end */
	enum ww_exchange_outcome outcome;
	uint16_t status;
	bool channel; /* over stdio: it has no status */
	bool retry_after;
	uint32_t retry_after_s;
	struct ww_trace_context trace;
	bool caller_known;            /* who asks, as far as its fields say: */
	uint64_t caller;              /* as ww_exchange has it */
	bool keyed;                   /* it has an idempotency key */
	struct ww_sha256 idempotency; /* keyed digest of that */
	char method[24];
	const char *name; /* SNI, else Host; never NULL */
	const char *path; /* template without values; never NULL */
	uint64_t traced; /* number of the action that its trace context names, 0: not (yet) known */
	uint64_t owner;  /* number of the one action it satisfies, 0: none */
	uint64_t meant;  /* number of an action that was looked for and whose time holds it, 0: none
			  */
	unsigned match_count;
	struct ww_match matches[]; /* the texts lie behind them */
};

/* What is known of one socket, live or closed. */
struct ww_held_flow {
	struct ww_held_flow *prev, *next; /* live: by first sight; closed: by close */
	uint64_t cookie;
	struct ww_actor_key root; /* zero: owner unknown */
	uint64_t cgroup;
	struct ww_endpoint peer;
	uint8_t ip_proto;
	uint8_t role;
	uint8_t how;
	bool established;
	bool tls;
	bool receiver; /* to our own receiver of claims: no call of the application */
	bool bound;    /* its TLS session is known */
	bool closed;
	bool model; /* carried a decoded call to a model */
	struct ww_boot t_open;
	struct ww_boot t_close; /* closed only */
	uint64_t bytes_sent, bytes_acked, bytes_received;
	uint64_t setup[2];       /* handshake and tickets, by enum ww_dir */
	uint64_t unexplained[2]; /* remainder beyond what framing allows; 0 where not checked */
	uint64_t unread;         /* received bytes that may be of a reply, at most */
	bool unchecked;          /* bound, but its account cannot tell what is unexplained */
	uint64_t spoken;         /* plaintext bytes sent, captured or counted */
	uint64_t told;        /* of them, up to here in requests of exchanges that ended, or read */
	bool framed;          /* its protocol explains every byte, also between requests */
	uint32_t begun;       /* exchanges that began on it */
	uint32_t delivered;   /* exchanges that ended */
	uint32_t undecoded;   /* of them, without meaning */
	bool channel;         /* no socket; then also: */
	bool opaque;          /* some or all of its calls are not read */
	struct ww_boot since; /* from here on every message was seen; 0: none was */
	uint64_t loose;       /* bytes of a message that has not ended */
	bool torn;  /* request bytes were lost that may hold a whole request, or its begin */
	char *name; /* SNI, or of a channel the program; owned, NULL: none */
	struct ww_buf others; /* further programs of a channel, each with its NUL; owned */
	bool more;            /* and more that are not known */
	char called[17];      /* of a channel: by which name its program was executed, cut */
	UT_hash_handle hh;
};

/* Span ids count inside one tree: another tree cannot speak for this one. */
struct ww_held_span_key {
	uint64_t root_start_ns;
	uint64_t root_pid;
	uint8_t trace_id[16];
	uint8_t span_id[8];
};

struct ww_held_span {
	struct ww_held_span *prev, *next; /* by arrival */
	struct ww_held_span_key key;
	uint8_t parent[8];
	uint8_t role;
	struct ww_boot arrived;
	uint64_t action;          /* of a tool span: the number of its action, 0: none */
	uint8_t response_key[16]; /* of a model span with a response id */
	UT_hash_handle hh, hh_response;
};

struct ww_held_counts {
	uint32_t exchanges, flows, spans; /* held now */
	uint64_t exchanges_dropped;       /* by the ceilings, or for want of memory */
	uint64_t flows_dropped;
	uint64_t spans_dropped;
	uint64_t refused; /* allocations that failed and no call told of */
};

struct ww_held;

/* Both borrowed, outlive the table. 0 or -ENOMEM. */
WW_CHECK int ww_held_new(const struct ww_contracts *contracts, const struct ww_digest_key *key,
			 struct ww_held **ret_held);
void ww_held_free(struct ww_held *h);
WW_DEFINE_AUTO(struct ww_held, ww_held_free)

/*
 * Takes an exchange that ended, in order of arrival; model: it is a call to a model; mcp: what it
 * is as a tool call of that protocol, NULL: none, or not known. Only requests sent by the watched
 * process are candidates. 0, or -ENOMEM (then it counts as dropped). *ret_exchange is the held one,
 * borrowed, or NULL: no contract means it.
 */
WW_CHECK int ww_held_add_exchange(struct ww_held *h, const struct ww_exchange *x, bool model,
				  const struct ww_mcp_call *mcp,
				  struct ww_held_exchange **ret_exchange);

/* The path of the rule that m violates or leaves open, the contract's or static; NULL: none. */
const char *ww_held_rule(const struct ww_contract *c, const struct ww_match *m);

/* "x-<cookie>-<index>", as ww_exchange_id(). */
void ww_held_exchange_id(const struct ww_held_exchange *x, char *out);

/* Newest match of a contract; go on with ->older. NULL: none. */
struct ww_match *ww_held_newest(const struct ww_held *h, uint32_t contract);

/* The same of one process tree; go on with ->tree_older. */
struct ww_match *ww_held_newest_of(const struct ww_held *h, uint32_t contract,
				   struct ww_actor_key root);

/* Newest match with the id of m, which has one; go on with ->same_older. Never NULL while m is
 * held. */
struct ww_match *ww_held_same_id(const struct ww_held *h, const struct ww_match *m);

/* Brings what is held of f up to date; may be called any number of times, closed or not. Zero
 * effect when there is no memory: then blind_until moves. */
void ww_held_update_flow(struct ww_held *h, const struct ww_flow *f, struct ww_boot now);

/* NULL when not held. Borrowed until it is expired. */
struct ww_held_flow *ww_held_flow_get(const struct ww_held *h, uint64_t cookie);

/* The oldest live flow, go on with ->next; the flow closed last, go on with ->prev. */
struct ww_held_flow *ww_held_flows_live(const struct ww_held *h);
struct ww_held_flow *ww_held_flows_closed(const struct ww_held *h);

/* Whether a decoded call to a model went to this address. */
bool ww_held_is_model_peer(const struct ww_held *h, const struct ww_endpoint *peer);

/*
 * Keeps a span's parentage. NULL: its sender is unknown, or there was no memory (counted). An id
 * seen twice in one trace and tree keeps its first parentage.
 */
struct ww_held_span *ww_held_add_span(struct ww_held *h, const struct ww_span *s);

/* NULL when not known. */
struct ww_held_span *ww_held_span_get(const struct ww_held *h, struct ww_actor_key root,
				      const uint8_t trace_id[16], const uint8_t span_id[8]);

/* The nearest with this role among the span itself and its known ancestors, or NULL. */
struct ww_held_span *ww_held_span_up(const struct ww_held *h, struct ww_actor_key root,
				     const uint8_t trace_id[16], const uint8_t span_id[8],
				     enum ww_span_role role);

/*
 * The number of the action whose tool span is the nearest one at or above the exchange's trace
 * context, 0: none is known. What was found stays: nothing can come between.
 */
uint64_t ww_held_traced(const struct ww_held *h, struct ww_held_exchange *x);

/* The tree's model span with this response id, or NULL. */
struct ww_held_span *ww_held_span_by_response(const struct ww_held *h, struct ww_actor_key root,
					      const char *response_id);

/* Drops what ended before t. */
void ww_held_expire(struct ww_held *h, struct ww_boot t);

/* Some exchange or flow that ended at or before this was dropped. 0: none was. */
struct ww_boot ww_held_blind_until(const struct ww_held *h);
/* What is held now, and what was dropped by the ceilings. */
struct ww_held_counts ww_held_counts(const struct ww_held *h);

/* An unknown root is in no tree. */
bool ww_held_same_tree(struct ww_actor_key x, struct ww_actor_key y);
