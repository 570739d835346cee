/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions: the table of intended effects. One action is one tool call of one process tree, whatever
 * of it is known: a tool call in a model's response, an execute_tool span, a declared claim, a tool
 * result that a model was shown. Second stage of join: it says what belongs together on the side of
 * the intent; join.h then looks for the wire.
 *
 * Numbered invariants:
 *  1. Parts are put together by tool call id inside one tree. Without an id only where tool, tree
 *     and order of time leave one partner; otherwise they stay apart.
 *  2. An id that is used again (another turn, another trace) opens an action of its own.
 *  3. An action's id is a function of what opened it: the same parts in the same order give the
 * same ids.
 *  4. Times are kernel times; a span's wall times are mapped when it arrives, with the error bound
 * of that moment.
 *
 * Bounded by WW_ACTIONS_HELD_MAX; the owner decides what goes. Pure, not thread safe.
 */
#pragma once

#include "action/model.h"
#include "join/held.h"

#define WW_ACTION_ID_MAX     24
#define WW_ACTION_SPANS_MAX  4
#define WW_ACTION_CLAIMS_MAX 2
#define WW_ACTION_PROSE_MAX  2
/* SDKs take the start from a clock of whole milliseconds and add a finer duration: then the end is
 * early by what the start lost. */
#define WW_ACTION_COARSE_NS 1000000u

struct ww_action_span {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	enum ww_span_status status;
	struct ww_boot start;
	struct ww_boot end;
	struct ww_wall said_start; /* as the span has them */
	struct ww_wall said_end;
	char error_type[64];
};

struct ww_action_claim {
	char claim_id[64];
	bool done; /* false: announced */
	struct ww_boot at;
	struct ww_boot turn;     /* start of the span that carries it */
	struct ww_boot deadline; /* 0: none */
	uint8_t trace_id[16];
	uint8_t span_id[8];
};

/* The model's side: asked for the call, was shown a result, said something about it. */
struct ww_action_model {
	bool asked;
	bool remote; /* the provider carries it out itself */
	bool shown;
	bool shown_error;
	bool said;               /* text followed the result */
	struct ww_boot at;       /* first byte of the response */
	struct ww_boot shown_at; /* first byte of the request with the result */
	char exchange[WW_EXCHANGE_ID_MAX];
	char response_id[128];
	struct ww_trace_context trace;
	struct ww_sha256 arguments;
	bool turn_known;
	struct ww_sha256 turn; /* as ww_model_call has it */
	char shown_exchange[WW_EXCHANGE_ID_MAX];
	struct ww_sha256 result;
	struct ww_answer answer; /* what the result says of the contract's answer paths */
	uint64_t said_bytes;
	struct ww_sha256 text;
};

/* A claim of the answer's text, found by a phrase rule. It decides nothing about the action that it
 * is put to. */
struct ww_action_said {
	struct ww_phrase_said claim;
	struct ww_boot at; /* the text's last byte */
	char exchange[WW_EXCHANGE_ID_MAX];
};

/*
 * An action that prose alone speaks of: no tool call, span or structured claim of its turn could be
 * what the text means.
 */
struct ww_action_prose {
	bool only;    /* it is such an action */
	bool earlier; /* a tool that it may mean was called in an earlier turn of the conversation
		       */
	bool blind;   /* the turn has calls that were not seen, or is not known */
	struct ww_boot turn; /* since when the turn is known to run */
	struct ww_boot due;  /* when what was announced must be there; done: when it was said */
	uint64_t tools[WW_PHRASE_CONTRACT_WORDS]; /* that it may mean, by index of the contract */
	uint32_t tool_count;
};

/* The verdict about one of its controls. */
struct ww_action_control {
	uint8_t fingerprint[8]; /* of the last record, its begin */
	uint32_t revision;
};

struct ww_action {
	struct ww_action *prev, *next;

	/* What every tick looks at, close together: thousands may be open. */
	int contract; /* index, -1: none declares the tool */
	unsigned span_count;
	unsigned claim_count;
	uint32_t wait;  /* its place in ww_actions_waiting(), unless judged */
	bool unnamed;   /* opened by a claim that names no tool call */
	bool clock_bad; /* some time of it could not be mapped, or contradicts its receipt */
	bool judged;    /* in the judged list */
	struct ww_boot received; /* last part of the application's side */
	struct ww_boot told;     /* first part: whatever its clock says, the call began before */
	uint64_t bound_ns;       /* largest error of its mapped times */
	uint64_t coarse_ns;      /* it may have ended so much later than its spans say */
	struct ww_boot begun;    /* first start and last end of its spans, */
	struct ww_boot ended;    /* those beyond the table included */
	struct ww_actor_key root;
	struct ww_actor_key actor; /* who said or asked so; zero: not resolved */
	struct ww_action_model model;

	struct ww_action *tree_prev, *tree_next; /* of the same tree, open or judged as this one */
	struct ww_action_tree *tree;             /* NULL: its root is not known */
	struct ww_action *older, *newer;         /* with the same key */
	uint32_t nth;                            /* of this key, from 0 */
	UT_hash_handle hh, hh_number;
	uint8_t key[16];
	uint64_t number;           /* from 1, in order of opening */
	struct ww_boot means_from; /* arrival of the oldest call that it may mean; 0: of none */
	char id[WW_ACTION_ID_MAX];
	uint64_t cgroup;
	char tool_call_id[128]; /* empty: none */
	char tool[128];
	struct ww_sha256 call_digest; /* the tool call id, digested as an idempotency key is */
	bool key_said;
	struct ww_sha256 said_key; /* the idempotency key that the span names, likewise */
	struct ww_action_span spans[WW_ACTION_SPANS_MAX];
	struct ww_action_claim claims[WW_ACTION_CLAIMS_MAX];
	unsigned said_count;
	struct ww_action_said said[WW_ACTION_PROSE_MAX];
	struct ww_action_prose prose;
	bool narrated; /* a text or reasoning of its turn says that something was checked */
	struct ww_action_said narration;
	uint32_t parts_over; /* spans, claims and claims in prose beyond the tables */

	/* kept by the judge */
	struct ww_boot judged_at;
	struct ww_boot until; /* it is PENDING until then; 0: it is not */
	uint32_t revision;
	uint8_t fingerprint[32]; /* of the last verdict record */
	struct ww_action_control controls[WW_CONTROLS_MAX];
	uint32_t partners;      /* a loose claim's, when it was last asked */
	bool owns;              /* exchanges satisfy it */
	uint64_t announced_ns;  /* the deadline that was told; 0: none was */
	uint8_t announced_wait; /* what is waited for until then */
};

struct ww_actions;

/* All borrowed, outlive the table; clock is read when spans arrive. skew_ns: how far a span's own
 * clock may be off beyond the map's bound. 0 or -ENOMEM. */
WW_CHECK int ww_actions_new(const struct ww_contracts *contracts, const struct ww_digest_key *key,
			    const struct ww_clock_map *clock, uint64_t skew_ns,
			    struct ww_actions **ret_actions);
void ww_actions_free(struct ww_actions *t);
WW_DEFINE_AUTO(struct ww_actions, ww_actions_free)

/*
 * A span with all it says: an execute_tool span joins or opens an action, every declared claim too.
 * Other spans without claims change nothing. *ret_action is the tool span's action, borrowed, or
 * NULL. 0 or -ENOMEM (what was taken before stands).
 */
WW_CHECK int ww_actions_add_span(struct ww_actions *t, const struct ww_span *s,
				 struct ww_action **ret_action);

/* The index-th tool call in the response of model exchange x, which is m. 0 or -ENOMEM. */
WW_CHECK int ww_actions_add_call(struct ww_actions *t, const struct ww_exchange *x,
				 const struct ww_model_call *m, unsigned index);

/* The index-th result in the request of model exchange x, which is m. 0 or -ENOMEM. */
WW_CHECK int ww_actions_add_result(struct ww_actions *t, const struct ww_exchange *x,
				   const struct ww_model_call *m, unsigned index);

/* What the model answered in x, whose request showed it the result of this call. */
void ww_actions_add_text(struct ww_actions *t, const struct ww_exchange *x, const char *call_id,
			 const struct ww_sha256 *text, uint64_t bytes);

/* The newest action of this call id, or NULL. */
struct ww_action *ww_actions_by_call(const struct ww_actions *t, struct ww_actor_key root,
				     const char *call_id);

/* Opens an action that prose alone speaks of; NULL: it is there already. `id` names it within the
 * tree. 0 or -ENOMEM. */
WW_CHECK int ww_actions_open_prose(struct ww_actions *t, const struct ww_exchange *x,
				   struct ww_slice id, struct ww_action **ret_action);

bool ww_actions_any_prose(const struct ww_actions *t); /* such an action is open */

/* Gives it the contract and name of one of its tools. */
void ww_actions_set_contract(struct ww_actions *t, struct ww_action *a, int contract);

/*
 * Claims that name no tool call: gives those that can mean only `a` to it, and drops the actions
 * that they had opened. Called before `a` is judged, and for the claim's own action (then true: it
 * was merged into another and is gone). *ret_partners: how many actions it could mean.
 */
void ww_actions_take_claims(struct ww_actions *t, struct ww_action *a);
bool ww_actions_any_loose(const struct ww_actions *t); /* such a claim waits */
bool ww_actions_give_claim(struct ww_actions *t, struct ww_action *claim, unsigned *ret_partners);

/* NULL: it is gone, or never was. Borrowed. */
struct ww_action *ww_actions_get(const struct ww_actions *t, uint64_t number);

/* The last date of what was only announced. 0: more was said, or it has no date. */
struct ww_boot ww_action_announced_until(const struct ww_action *a);

/* Calls fn when a claim's own action becomes part of `into`, before it is gone. */
void ww_actions_on_given(struct ww_actions *t,
			 void (*fn)(void *ctx, const struct ww_action *claim,
				    const struct ww_action *into),
			 void *ctx);

/* Only a declared claim, no span and no model call. */
static inline bool ww_action_claim_only(const struct ww_action *a)
{
	return a->span_count == 0 && !a->model.asked;
}

/* That of its tool; NULL: none declares it. */
static inline const struct ww_contract *ww_action_contract(const struct ww_action *a,
							   const struct ww_contracts *all)
{
	return a->contract < 0 ? NULL : &all->items[a->contract];
}

/* When it began, as far as spans and the model tell. 0: neither does. */
static inline struct ww_boot ww_action_begun(const struct ww_action *a)
{
	return a->span_count ? a->begun : a->model.at;
}

/* When "done" was claimed last. 0: it was not. */
struct ww_boot ww_action_said(const struct ww_action *a);

/* The span that ended last, or NULL. */
const struct ww_action_span *ww_action_last_span(const struct ww_action *a);

/* Whether one of its claims says "done". */
bool ww_action_claims_done(const struct ww_action *a);

/* What they say together, as it stands in records: "done", "will", or NULL: there are none. */
const char *ww_action_claimed(const struct ww_action *a);

/* Until when its claims may be kept: a time since boot. */
uint64_t ww_action_claims_due(const struct ww_action *a);

/* Waiting for judgement, by number; go on with ->next. */
struct ww_action *ww_actions_open(const struct ww_actions *t);

/*
 * The same in no order, close together, because every tick looks at them all. due_ns belongs to the
 * judge; it is 0 when the action is new here and when a part was added to it.
 */
struct ww_action_wait {
	uint64_t due_ns;
	struct ww_action *action;
};
struct ww_action_wait *ww_actions_waiting(const struct ww_actions *t, uint32_t *ret_count);

/* The one judged first. */
struct ww_action *ww_actions_judged_first(const struct ww_actions *t);

/* Of one process tree alone: the open ones in no order, go on with ->tree_next; the one
 * judged last, go on with ->tree_prev. NULL: there are none, or the root is not known. */
struct ww_action *ww_actions_open_of(const struct ww_actions *t, struct ww_actor_key root);
struct ww_action *ww_actions_judged_of(const struct ww_actions *t, struct ww_actor_key root);

/* All of one process tree that were not judged before `since`: the open ones, then the judged ones,
 * last one first. NULL: there are no more. */
struct ww_action *ww_actions_first_of(const struct ww_actions *t, struct ww_actor_key root,
				      struct ww_boot since);
struct ww_action *ww_actions_next_of(const struct ww_action *a, struct ww_boot since);

/*
 * To the end of the judged ones, with the time; back to the open ones, in their order (later
 * evidence came; nothing when it is open); out of the table and freed.
 */
void ww_actions_set_judged(struct ww_actions *t, struct ww_action *a, struct ww_boot now);
/* A part was added: it waits for judgement, again if it must. */
void ww_actions_reopen(struct ww_actions *t, struct ww_action *a);
void ww_actions_drop(struct ww_actions *t, struct ww_action *a);

/* Open and judged ones. */
uint32_t ww_actions_count(const struct ww_actions *t);
