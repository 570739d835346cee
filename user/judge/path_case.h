/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_case: all that is known of one path now: its legs with those that a gateway of this host,
 * DNS and failed connections add, where each leads, what could not be looked into, and the ruling.
 * Made anew each time; nothing of it is kept.
 */
#pragma once

#include "action/shingles.h"
#include "flow/coverage.h"
#include "join/legs.h"
#include "judge/path_rule.h"
#include "judge/path_spans.h"
#include "policy/placement.h"

#define WW_PATH_ROWS_MAX       640u /* the legs of a path, and what belongs to them */
#define WW_PATH_CANDIDATES_MAX 8u
#define WW_PATH_TREES_MAX      8u  /* process trees that carried it on this host */
#define WW_PATH_OPAQUE_MAX     16u /* told; the rest is counted, and counts */
#define WW_PATH_ATTEMPTS_MAX   32u
#define WW_PATH_ATTEMPTS_SEEN  32768u /* connections that are looked at for them */
#define WW_PATH_ROW_SPANS_MAX  4u

/* X(enum suffix, bit, text, meaning); the first five are those of placement.h. */
#define WW_PATH_FINDINGS(X)                                                                 \
	X(OUT_OF_REGION, 0, "OUT_OF_REGION", "listed in a region that is not allowed")      \
	X(OUT_OF_HOME, 1, "OUT_OF_HOME", "the operator's declared home is not allowed")     \
	X(UNLISTED_DESTINATION, 2, "UNLISTED_DESTINATION", "nothing valid is listed of it") \
	X(LABEL_AMBIGUOUS, 3, "LABEL_AMBIGUOUS", "labels contradict each other")            \
	X(LABEL_IMPOSSIBLE, 4, "LABEL_IMPOSSIBLE", "a label is farther than light allows")  \
	X(FAILOVER_LEG, 5, "FAILOVER_LEG", "the same was sent again, to another host")      \
	X(DISCLOSED_ON_FAILED_LEG, 6, "DISCLOSED_ON_FAILED_LEG",                            \
	  "it failed, and its bytes were acknowledged all the same")                        \
	X(DERIVED_COPY, 7, "DERIVED_COPY", "the prompt's text was in another request")      \
	X(AUTHORITY_SNI_MISMATCH, 8, "AUTHORITY_SNI_MISMATCH",                              \
	  "TLS and the request name different hosts")                                       \
	X(PROXIED_HORIZON, 9, "PROXIED_HORIZON",                                            \
	  "it went to a gateway or proxy whose own way on was not seen")                    \
	X(CONNECT_BY_IP, 10, "CONNECT_BY_IP", "no answer of DNS gave this address before")  \
	X(ECH_PRESENT, 11, "ECH_PRESENT", "the client sent encrypted_client_hello")         \
	X(REGION_CLAIM_DIFFERS, 12, "REGION_CLAIM_DIFFERS",                                 \
	  "a span or the peer claims another region than what is listed")                   \
	X(SIZE_ONLY_COPY, 13, "SIZE_ONLY_COPY",                                             \
	  "not read, and opened after the prompt was sent, with as many bytes: no more is known")

#define WW_PATH_FINDING_ENUM_(n, v, t, d) WW_PATH_##n = 1u << (v),
enum ww_path_finding { WW_PATH_FINDINGS(WW_PATH_FINDING_ENUM_) };

/* Where the sight of this host ends. X(enum suffix, text, meaning) */
#define WW_HORIZONS(X)                                                                 \
	X(NONE, "", "it does not end here: the leg goes on in another one")            \
	X(TLS, "tls-terminator", "whoever holds the key of that TLS connection")       \
	X(PROXY, "proxy", "whoever was asked for a way")                               \
	X(GATEWAY, "gateway", "a local or private peer whose own way on was not seen") \
	X(HOST, "host", "a watched process here that sent nothing on")                 \
	X(PLAIN, "plain", "whoever is on the way can read it")                         \
	X(RESOLVER, "resolver", "whoever answers DNS")

#define WW_HORIZON_ENUM_(n, t, d) WW_HORIZON_##n,
enum ww_horizon { WW_HORIZONS(WW_HORIZON_ENUM_) WW_HORIZON_MAX };
const char *ww_horizon_name(enum ww_horizon h);

struct ww_path_row {
	uint8_t purpose, cause, by, join;
	uint8_t ends;       /* enum ww_horizon */
	uint16_t of;        /* number of the row that it continues; 0: none */
	bool followed;      /* it ends on this host, and its onward legs are known for certain */
	bool refused;       /* an attempt: nobody answered */
	bool local;         /* its peer is a process of this host */
	struct ww_leg *leg; /* NULL: an attempt, a lookup */
	const struct ww_path_leg *told; /* NULL: it is not of the path's own list */
	const struct ww_leg_flow *flow; /* NULL: not held any more */
	const struct ww_leg_lookup *lookup;
	const struct ww_leg *candidates[WW_PATH_CANDIDATES_MAX]; /* of an AMBIGUOUS one */
	unsigned candidate_count, candidate_total;
	enum ww_evidence evidence;
	uint32_t findings; /* bit set of enum ww_path_finding */
	const struct ww_path_span *spans[WW_PATH_ROW_SPANS_MAX];
	unsigned span_count;
};

struct ww_path_opaque {
	const struct ww_leg_flow *flow;
	uint8_t why; /* enum ww_path_unread */
	bool size;   /* SIZE_ONLY_COPY */
};

struct ww_path_case {
	struct ww_leg_path *path;
	const struct ww_policy_agent *agent; /* NULL: the policy has none, or there is no policy */
	struct ww_boot from, to, now;
	struct ww_coverage_answer coverage;
	unsigned opaque_count, opaque_total;
	unsigned tree_count;
	bool more_trees;
	bool rival_open; /* a request that may be whose a gateway sent on has not ended: what it
			    was will be known */
	bool searchable; /* copies of the prompt were looked for in all that was read */
	unsigned attempts;
	unsigned seen; /* connections that were looked at for them */
	struct ww_path_grounds grounds;
	struct ww_path_ruling ruling;
	unsigned count, total;
	/* Undefined beyond their counts. */
	struct ww_path_row rows[WW_PATH_ROWS_MAX];
	unsigned ground_rows[WW_PATH_ROWS_MAX]; /* of `ground`, which grounds.count counts */
	struct ww_path_ground ground[WW_PATH_ROWS_MAX];
	struct ww_path_opaque opaque[WW_PATH_OPAQUE_MAX];
	struct ww_actor_key trees[WW_PATH_TREES_MAX];
};

/* What a case is made from; all borrowed. */
struct ww_path_world {
	struct ww_legs *legs;
	const struct ww_path_spans *spans;
	const struct ww_shingles *shingles;
	const struct ww_actors *actors;
	struct ww_flows *flows;
	const struct ww_coverage *coverage;
	const struct ww_clock_map *clock;
	const struct ww_policy *policy;
	const struct ww_tables *tables;
	uint64_t grace_ns;
};

/* Fills *c; brings what is held of the flows up to date. */
void ww_path_case_make(const struct ww_path_world *w, struct ww_leg_path *path, struct ww_boot now,
		       struct ww_path_case *c);

/* path_stitch.c: legs beside those of the path's own list. */
struct ww_path_row *ww_path_case_add(struct ww_path_case *c);
void ww_path_case_causes(struct ww_path_case *c);
void ww_path_case_stitch(const struct ww_path_world *w, struct ww_path_case *c);
void ww_path_case_beside(const struct ww_path_world *w, struct ww_path_case *c);
void ww_path_case_tree(struct ww_path_case *c, struct ww_actor_key root);

/* path_place.c: where a connection leads, for the agent. */
/* "api.example:443" calls api.example. */
bool ww_path_names_alike(const char *name, const char *authority);
void ww_path_place(const struct ww_path_world *w, const struct ww_policy_agent *agent,
		   const struct ww_leg_flow *f, const struct ww_leg *leg, struct ww_placement *ret);
/* The same of a connection that may have been there before `from`: by what is valid then. */
void ww_path_place_since(const struct ww_path_world *w, const struct ww_policy_agent *agent,
			 const struct ww_leg_flow *f, struct ww_boot from,
			 struct ww_placement *ret);
/* By its port and by how little was sent it is of questions to a DNS server alone. */
bool ww_path_resolves(const struct ww_leg_flow *f);
/* All that the agent's rule asks of it is allowed, without doubt. */
bool ww_path_allowed(const struct ww_policy_agent *a, const struct ww_placement *pl);
/* What it asks of it is forbidden. */
bool ww_path_forbidden(const struct ww_policy_agent *a, const struct ww_placement *pl);
/* The policy's rule for a process. */
const struct ww_policy_agent *ww_path_agent(const struct ww_path_world *w, uint64_t cgroup,
					    struct ww_actor_key actor, struct ww_actor_key root);
