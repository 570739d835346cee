/* SPDX-License-Identifier: Apache-2.0 */
/*
 * closed_world: may "we did not see it" become "it did not happen"? A checklist over one window of
 * one process tree; every item is answered and goes into the record with its answer. The test holds
 * only when all items pass; the first item that fails gives the reason.
 *
 * A flow counts when it is outbound, belongs to the tree (or its owner is unknown and it is of the
 * same scope), overlaps the window and carried bytes; one of another tree of the scope when nothing
 * decodes it: its process could be the executor. Loopback peers are the business of coverage,
 * which leaves out our own receiver; DNS over UDP port 53 is listed but does not block.
 *
 * Pure; borrows everything it is asked with.
 */
#pragma once

#include "flow/coverage.h"
#include "join/join.h"

#define WW_WORLD_EGRESS_MAX 16

/* Flows to a declared destination whose content was not decoded. */
struct ww_world_undecoded {
	uint32_t count;
	const struct ww_held_flow *flow; /* the one with the best evidence */
	enum ww_evidence evidence;       /* its grade, E2 or E3 */
	bool opaque;                     /* TLS without plaintext, else plain or not understood */
	bool torn;                       /* of one at least only a part of the plaintext is lost */
	bool began_inside;               /* all of its bytes are of the window */
};

struct ww_world {
	struct ww_boot from, to;
	struct ww_coverage_answer coverage;
	bool whole;                          /* every item was asked, not only coverage */
	uint32_t failed;                     /* bit set of enum ww_world_item */
	char details[WW_WORLD_ITEM_MAX][64]; /* of those that failed */
	struct ww_world_undecoded undecoded;
	bool behind; /* of a live flow more bytes are counted than explained: the next ones may */
	uint32_t refused; /* connections to a declared destination that were never established */
	uint32_t egress_total;
	unsigned egress_count;
	const struct ww_held_flow *egress[WW_WORLD_EGRESS_MAX];
};

struct ww_world_ask {
	const struct ww_held *held; /* flows up to date */
	const struct ww_flows *flows;
	const struct ww_coverage *coverage;
	const struct ww_action *action;
	const struct ww_contract *contract;
	const struct ww_joined *joined;
	uint64_t grace_ns;
	struct ww_boot now;
	struct ww_boot came; /* of the tree's root, as its actor says */
	struct ww_boot late; /* what came after the window, and has to be reached; 0: nothing */
};

/* Until when the effect of an accepted call may show; 0: that is not declared, or nothing was
 * accepted with an id by which it could. */
struct ww_boot ww_closed_world_shows_until(const struct ww_contract *c, const struct ww_joined *j);

#define WW_TURN_EGRESS_MAX 16

/* What the process tree contacted while a turn ran, by name or address, the model's host included.
 */
struct ww_turn {
	struct ww_boot from, to; /* 0: no prose claims anything of it */
	uint32_t total;          /* of destinations */
	unsigned count;
	const struct ww_held_flow *egress[WW_TURN_EGRESS_MAX]; /* one of each */
};

/* The turn from `from` to the last text that claims something. */
void ww_closed_world_turn(const struct ww_held *held, const struct ww_action *a,
			  struct ww_turn *ret_turn);

/* Only the window and what coverage says of it: for verdicts that need no more. */
void ww_closed_world_cover(const struct ww_world_ask *ask, struct ww_world *ret_world);

/* All of it. */
void ww_closed_world_check(const struct ww_world_ask *ask, struct ww_world *ret_world);

/* As it stands in records; static text, "unknown" for other numbers. */
const char *ww_closed_world_item_name(enum ww_world_item item);

/* Whether f could carry a call to a declared destination: by name where it has one, else by
 * address. */
bool ww_closed_world_declared(const struct ww_contract *c, const struct ww_held_flow *f);

/* An item does not hold, and why: the first detail of an item stays. */
void ww_closed_world_fail(struct ww_world *w, enum ww_world_item item, const char *detail);

/* An exchange of the action's tree with a declared destination is under way. */
bool ww_closed_world_busy(const struct ww_held *held, const struct ww_action *a,
			  const struct ww_contract *c);

/* The wire has the last word already: how complete the view was changes nothing. */
bool ww_closed_world_answered(const struct ww_contract *c, const struct ww_joined *joined);
