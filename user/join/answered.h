/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answered: what the wire says of one call that fits a contract: its protocol's own answer, the
 * status, the contract's rules. Pure.
 */
#pragma once

#include "join/held.h"

/* What the tool answered, and whether that is all of it; borrows from x and mcp. */
struct ww_document {
	struct ww_slice text;
	bool whole;
};

/* The body of the answer was seen whole, as a reader would take it. */
bool ww_answered_whole(const struct ww_exchange *x);

/* mcp: NULL where it is no tool call over MCP. */
struct ww_document ww_answered_document(const struct ww_exchange *x, const struct ww_mcp_call *mcp);

/* How the call went, by contract c; fills in the rule that decided and the counts of items in m. */
enum ww_wire ww_answered(const struct ww_contract *c, const struct ww_exchange *x,
			 const struct ww_mcp_call *mcp, struct ww_match *m);
