/* SPDX-License-Identifier: Apache-2.0 */
/*
 * legs: what may be a leg of a path, and which paths there are. A path is one prompt of one process
 * tree; its legs are the requests that carried it. Everything is copied in, nothing is borrowed
 * after a call returns. Where the bytes may go is no matter here: judge/path.h judges.
 *
 * Numbered invariants:
 *  1. A request belongs to a path by content (the same turn, else the same prompt, by keyed
 *     digest, in one process tree; shingles), never by time alone, and never by what another tree
 *     says: trace context splits what content would put together, it puts nothing together.
 *  2. What is dropped by a ceiling is told by ww_legs_blind_until(): a window that begins before
 * that is not known whole.
 *  3. Lists are in order of arrival; nothing visible depends on hashing.
 *
 * Bounded by the ceilings below: the oldest goes first. Pure, not thread safe.
 */
#pragma once

#include <wirewitness/verdict.h>

#include "action/forms.h"
#include "action/model.h"
#include "action/shingles.h"
#include "base/hash.h"
#include "flow/flow.h"
#include "proto/exchange.h"
#include "proto/lookup.h"

#define WW_LEGS_MAX         8192u /* requests held, of all trees */
#define WW_LEGS_PATHS_MAX   2048u
#define WW_LEGS_OF_PATH_MAX 512u  /* an agent asks its model some 100 times in one turn */
#define WW_LEGS_FLOWS_MAX   4096u /* connections that have closed */
#define WW_LEGS_LOOKUPS_MAX 1024u
#define WW_LEGS_NAMES_MAX   8u
#define WW_LEGS_QUIET_NS    60000000000ull  /* then the next request is another path's */
#define WW_LEGS_KEPT_NS     600000000000ull /* copies of a prompt are looked for so long */

/* X(enum suffix, text, meaning) */
#define WW_LEG_PURPOSES(X)                                             \
	X(INFERENCE, "inference", "the prompt was sent to a model")    \
	X(DERIVED, "derived", "a request had the prompt's text in it") \
	X(DNS, "dns", "the name that was connected to was asked for")  \
	X(ATTEMPT, "attempt", "a connection beside it that carried nothing")

/* X(enum suffix, text, meaning) */
#define WW_LEG_CAUSES(X)                                                            \
	X(FIRST, "first", "nothing came before")                                    \
	X(TURN, "turn", "the conversation went on")                                 \
	X(RETRY, "retry", "the same was sent again, to the same host")              \
	X(FAILOVER, "failover", "the same was sent again, to another host")         \
	X(HEDGE, "hedge", "the same was sent again while it was not answered yet")  \
	X(REDIRECT, "redirect", "the answer before was a redirection")              \
	X(GATEWAY, "gateway", "a watched process here sent it on: the leg in `of`") \
	X(COPY, "copy", "a copy of the prompt's text")

/* By what a leg is known to be one. X(enum suffix, text, meaning) */
#define WW_LEG_BYS(X)                                                              \
	X(EXCHANGE, "exchange", "it is the request that the path is of")           \
	X(TRACEPARENT, "traceparent", "trace context of the request")              \
	X(TURN, "turn", "keyed digest of the whole conversation up to the prompt") \
	X(PROMPT, "prompt", "keyed digest of the prompt")                          \
	X(SHINGLES, "shingles", "keyed fingerprints of the prompt's text")         \
	X(NAME, "name", "the DNS name that both connections were made for")        \
	X(PEER, "peer", "the same process connected to the same address")

#define WW_LEG_PURPOSE_ENUM_(n, t, d) WW_LEG_##n,
#define WW_LEG_CAUSE_ENUM_(n, t, d)   WW_LEG_CAUSE_##n,
#define WW_LEG_BY_ENUM_(n, t, d)      WW_LEG_BY_##n,
enum ww_leg_purpose { WW_LEG_PURPOSES(WW_LEG_PURPOSE_ENUM_) WW_LEG_PURPOSE_MAX };
enum ww_leg_cause { WW_LEG_CAUSES(WW_LEG_CAUSE_ENUM_) WW_LEG_CAUSE_MAX };
enum ww_leg_by { WW_LEG_BYS(WW_LEG_BY_ENUM_) WW_LEG_BY_MAX };

/* "inference", ...: as in records; "unknown" for other numbers. */
const char *ww_leg_purpose_name(enum ww_leg_purpose p);
const char *ww_leg_cause_name(enum ww_leg_cause c);
const char *ww_leg_by_name(enum ww_leg_by b);

/* A DNS name that a connection's address had when it was made. */
struct ww_leg_name {
	char *name;              /* owned */
	uint64_t cookie, serial; /* the lookup */
	struct ww_boot answered;
};

struct ww_policy_agent; /* policy/policy_file.h */

/* What is known of a connection, live or closed. */
struct ww_leg_flow {
	/* When it was there, first: most that are walked over are of another time. */
	struct ww_leg_flow *prev, *next; /* of its tree, by first sight */
	struct ww_boot t_open, t_close;
	bool closed;
	struct ww_leg_flow *closed_prev, *closed_next; /* of all, by close */
	struct ww_leg_flow *live_prev, *live_next;     /* of its tree, those that have not closed */
	struct ww_leg_tree *tree;
	uint64_t cookie;
	struct ww_actor_key owner, root; /* root: of the tree that it is listed in */
	uint64_t cgroup;
	struct ww_endpoint local, peer;
	uint32_t netns;
	uint8_t ip_proto, role, type, how, bind;
	bool established, seen_birth, receiver, tls, quic, ech, channel;
	uint16_t version; /* of TLS; 0: not known */
	uint16_t sealed;  /* encrypted records of the client that were seen, of the first ones */
	bool tunnelled; /* TLS began behind bytes of the client, or inside of an answered CONNECT: a
			   proxy was asked for the way */
	bool asked;     /* DNS was followed when it was made: the names below are all there are */
	bool checked;   /* the account of what was sent closes */
	struct ww_boot t_established;
	struct ww_boot counted; /* when the counters below were read */
	uint64_t bytes_sent, bytes_acked, bytes_received;
	uint64_t setup;                  /* of bytes_sent: of the handshake */
	uint64_t explained;              /* plaintext bytes sent that hooks saw, captured or not */
	uint64_t overhead, overhead_max; /* framing of them */
	uint64_t lost;                   /* plaintext bytes sent that were not delivered */
	int64_t remainder;               /* of what was sent: explained by nothing */
	uint64_t hidden;                 /* the most that it was: it did not become less */
	uint32_t packets[2];
	uint32_t rtt_min_us, key_holder_us;
	uint32_t owner_changes;
	uint32_t exchanges;   /* that ended on it, */
	uint32_t begun;       /* of so many */
	struct ww_boot ended; /* the last of them, where they follow each other (HTTP/1) */
	bool answered;        /* one of them was */
	uint32_t lookups;     /* how often DNS was asked by it */
	struct ww_boot
		unread; /* of the last request on it that was not looked into whole; 0: none */
	struct ww_boot headed; /* of the last one with a field longer than any before; */
	uint32_t field_bytes;  /* that long: what it says is not kept */
	bool unparsed;         /* some of it is of no protocol that is read */
	bool crossed;          /* its crossing was told */
	/* Kept by judge/path_case.h: whether it leads where this rule allows; NULL: not decided. */
	const struct ww_policy_agent *placed_for;
	bool inside;
	bool settled; /* where it goes was looked at, and nothing is to be told */
	char *sni;    /* owned; NULL: none */
	unsigned name_count;
	struct ww_leg_name *names; /* owned */
	bool has_ends, doubtful;   /* `ends` is set; another one has them as well */
	UT_hash_handle hh, hh_ends;
	struct ww_leg_ends {
		uint8_t local[16], peer[16];
		uint16_t ports[2];
		uint32_t netns; /* of loopback addresses, which are somebody else's in each */
		uint8_t family, role, reserved[6];
	} ends;
};

/* A request that ended: held for as long as it, or a path of it, is remembered. */
struct ww_leg {
	struct ww_leg *prev, *next;     /* of its tree, by arrival */
	struct ww_leg *older, *younger; /* of all, by arrival */
	struct ww_leg_tree *tree;       /* NULL: forgotten; held by paths alone */
	unsigned refs;                  /* of paths, and of the list of all */
	uint64_t cookie;
	uint32_t index;
	struct ww_actor_key actor, root;
	uint64_t cgroup;
	struct ww_endpoint local, peer;
	struct ww_boot t_first_req, t_last_req, t_first_resp, t_end;
	struct ww_boot arrived;
	uint64_t req_bytes, resp_bytes;
	uint64_t req_end;   /* plaintext sent on the connection up to the request's end */
	uint64_t due;       /* bytes of the connection up to its end, at most; 0: not known */
	uint64_t req_least; /* of a shared connection: bytes that are of this request for certain */
	uint64_t acked;     /* of req_bytes; grows */
	uint8_t acked_how;  /* enum ww_leg_acked */
	bool unheard;       /* answered, and by the kernel nothing of it was acknowledged */
	uint8_t outcome;    /* enum ww_exchange_outcome */
	uint16_t status;
	uint32_t stream;
	uint32_t findings;
	bool connect; /* method CONNECT */
	bool body_whole;
	struct ww_sha256 body;
	struct ww_trace_context trace;
	bool model; /* a decoded call to a model; then also: */
	bool request_whole, conversation_present, turn_present, prompt_present;
	uint64_t prompt_bytes;
	struct ww_sha256 conversation, turn, prompt;
	const char *sni, *authority; /* empty: none */
	const char *model_name, *response_id, *request_id;
	unsigned claim_count;          /* about place, by the peer and in the request; */
	struct ww_place_claim *claims; /* owned */
	char texts[];                  /* which the texts are in */
};

/* How `acked` is to be read. X(enum suffix, text in records) */
#define WW_LEG_ACKEDS(X)      \
	X(UNKNOWN, "unknown") \
	X(LEAST, "atLeast")   \
	X(ALL, "all")         \
	X(SENT, "sent")

#define WW_LEG_ACKED_ENUM_(n, t) WW_LEG_ACKED_##n,
enum ww_leg_acked { WW_LEG_ACKEDS(WW_LEG_ACKED_ENUM_) WW_LEG_ACKED_MAX };
const char *ww_leg_acked_name(enum ww_leg_acked a);

/* A leg as a path's. */
struct ww_path_leg {
	struct ww_leg *leg;
	uint8_t purpose;     /* enum ww_leg_purpose */
	uint8_t by;          /* enum ww_leg_by */
	uint8_t join;        /* enum ww_join_grade */
	uint32_t shared, of; /* shingles */
	uint32_t owners;     /* paths that it may be of instead, this one included; 1: it alone */
	char form[WW_FORM_NAME_MAX]; /* empty: not by shingles */
};

struct ww_policy_agent; /* policy/policy_file.h */

struct ww_path_key {
	uint64_t root_start_ns;
	uint64_t root_pid;
	uint8_t what[32]; /* digest of turn or prompt */
};

/* One prompt of one process tree. */
struct ww_leg_path {
	struct ww_leg_path *prev, *next;           /* of all, by arrival */
	struct ww_leg_path *tree_prev, *tree_next; /* of its tree */
	struct ww_leg_path *wait_prev, *wait_next; /* of those that wait, by `changed` */
	struct ww_leg_path *older;                 /* with the same key */
	struct ww_leg_tree *tree;
	uint64_t id; /* "y-<16 hex>" */
	struct ww_path_key key;
	uint8_t by; /* what the key is: TURN, PROMPT, EXCHANGE */
	struct ww_actor_key actor, root;
	uint64_t cgroup;
	struct ww_boot first, last; /* request's first byte; what ended last */
	struct ww_boot changed;     /* when it was last told of something */
	bool traced;
	uint8_t trace_id[16];
	uint64_t prompt_bytes;
	bool prompt_present, turn_present;
	struct ww_sha256 prompt, turn;
	bool searchable; /* copies of it can be found */
	bool unsearched; /* but some request of its time was gone when it was known */
	unsigned count, room;
	unsigned dropped;         /* beyond WW_LEGS_OF_PATH_MAX: first what repeats another leg */
	struct ww_path_leg *legs; /* by arrival */
	/* Kept by judge/path.h: */
	bool dirty; /* something came since it was written: it is among those that wait */
	struct ww_boot looked; /* when what had come by then was judged */
	unsigned told;         /* legs, when it was written */
	uint32_t revision;     /* written so far */
	uint64_t said;         /* hash of what was said then */
	uint8_t verdict;
	bool agent_known;
	const struct ww_policy_agent *agent;
	UT_hash_handle hh; /* by id */
	UT_hash_handle hh_key;
};

/* A process tree with its connections and requests. */
struct ww_leg_tree {
	uint64_t key[2];
	struct ww_actor_key root;
	struct ww_leg_flow *flows, *live;
	struct ww_leg *legs;
	struct ww_leg_path *paths; /* by arrival */
	unsigned accepted;
	struct ww_boot gave; /* when a connection of it became another tree's. 0: none did */
	UT_hash_handle hh;
};

/* A lookup that was answered. */
struct ww_leg_lookup {
	struct ww_leg_lookup *prev, *next;
	uint64_t cookie, serial;
	struct ww_actor_key actor;
	struct ww_endpoint server;
	uint8_t proto;
	struct ww_boot asked, answered;
};

struct ww_legs_counts {
	uint32_t legs, paths, flows, lookups; /* held now */
	uint64_t legs_dropped, paths_dropped,
		flows_dropped; /* by the ceilings, or for want of memory
				*/
	uint64_t refused;      /* allocations that failed and no call told of */
};

struct ww_legs;

/* 0 or -ENOMEM. */
WW_CHECK int ww_legs_new(struct ww_legs **ret);
void ww_legs_free(struct ww_legs *l);
WW_DEFINE_AUTO(struct ww_legs, ww_legs_free)

/* Brings what is held of f up to date, closed or not. NULL: there was no memory, then blind_until
 * moves. Borrowed until it is expired. */
struct ww_leg_flow *ww_legs_flow(struct ww_legs *l, struct ww_flow *f, struct ww_boot now);

/* NULL: not held. */
struct ww_leg_flow *ww_legs_flow_get(const struct ww_legs *l, uint64_t cookie);

/* The accepted end of a connection that was made on this host, or NULL: none is known, or which
 * one is not certain. */
struct ww_leg_flow *ww_legs_other_end(const struct ww_legs *l, const struct ww_leg_flow *f);

/* The connecting end of an accepted connection that was made on this host, or NULL: likewise. */
struct ww_leg_flow *ww_legs_client_end(const struct ww_legs *l, const struct ww_leg_flow *f);

/* An answered lookup; without memory its leg is missing, nothing else. */
void ww_legs_lookup(struct ww_legs *l, const struct ww_lookup *lookup);
const struct ww_leg_lookup *ww_legs_lookup_get(const struct ww_legs *l, uint64_t cookie,
					       uint64_t serial);

/* Whether a process of this tree accepted a connection of this host: what it sends may be what it
 * was sent. */
bool ww_legs_serves(const struct ww_legs *l, struct ww_actor_key root);

/* Takes a request of a client that ended. 0 with the one that is held; -ENOMEM: blind_until moves.
 * `call`: NULL, or what it is as a call to a model. */
WW_CHECK int ww_legs_add(struct ww_legs *l, const struct ww_exchange *x,
			 const struct ww_model_call *call, struct ww_boot now, struct ww_leg **ret);

/* All requests that are listed, from the one that arrived last. NULL: no more. */
const struct ww_leg *ww_legs_last(const struct ww_legs *l);
const struct ww_leg *ww_legs_before(const struct ww_legs *l, const struct ww_leg *leg);

/* The path that a call to a model belongs to, a new one where there is none; it is its leg then.
 * 0 or -ENOMEM. */
WW_CHECK int ww_legs_path_for(struct ww_legs *l, struct ww_leg *leg,
			      const struct ww_digest_key *key, struct ww_leg_path **ret);

/* A request has text of the path's prompt. False: it is a leg of it already, or there was no room
 * (then it is counted). */
bool ww_legs_derived(struct ww_legs *l, struct ww_leg_path *p, const struct ww_path_leg *leg);

/* NULL: not held (any more). */
struct ww_leg_path *ww_legs_path_get(const struct ww_legs *l, uint64_t id);
/* The oldest; go on with ->next. */
struct ww_leg_path *ww_legs_paths(const struct ww_legs *l);
/* Something came that may change what is said of it: it waits to be told, behind all others. */
void ww_legs_touch(struct ww_legs *l, struct ww_leg_path *p, struct ww_boot now);
/* It waits no longer. */
void ww_legs_told(struct ww_legs *l, struct ww_leg_path *p);
/* The first that waits; go on with ->wait_next. */
struct ww_leg_path *ww_legs_waiting(const struct ww_legs *l);
/* NULL: nothing is held of it. */
struct ww_leg_tree *ww_legs_tree(const struct ww_legs *l, struct ww_actor_key root);

/* How much of its request the peer's TCP has acknowledged, by what is known of its connection
 * (NULL: nothing): leg->acked, acked_how. Never too much. */
void ww_legs_acked(struct ww_leg *leg, const struct ww_leg_flow *f);
/* Bytes of the application that were acknowledged (UDP: sent), past the handshake; never too many.
 */
uint64_t ww_legs_payload(const struct ww_leg_flow *f);

/* Whether anything beyond a handshake may have left by it: other than above, what is not known
 * counts. */
bool ww_legs_may_carry(const struct ww_leg_flow *f);

/* Whoever forgets paths is told: their prompts need not be looked for any more. */
typedef void (*ww_legs_gone_fn)(void *ctx, struct ww_leg_path *p);
void ww_legs_on_gone(struct ww_legs *l, ww_legs_gone_fn fn, void *ctx);

/* Forgets what ended before t. */
void ww_legs_expire(struct ww_legs *l, struct ww_boot t);

/* Some connection, or request, that ended at or before this was dropped. 0: none was. */
struct ww_legs_blind {
	struct ww_boot flows, requests;
};
struct ww_legs_blind ww_legs_blind_until(const struct ww_legs *l);
struct ww_legs_counts ww_legs_counts(const struct ww_legs *l);
