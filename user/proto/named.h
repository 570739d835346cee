/* SPDX-License-Identifier: Apache-2.0 */
/*
 * named: which names the addresses had that a process connects to: what DNS answered it, or another
 * process of its scope, before.
 *
 * Numbered invariants:
 *  1. A name gives an address only where an answered lookup (proto/lookup.h) says so: a record of
 *     the name itself, or of what its aliases lead to, all in one answer.
 *  2. Names that were given to the process itself go before all others: of what its scope was told
 *     nothing is said then. Several names are several: none is picked.
 *  3. What was connected to is named when the connection is opened, by what was answered until
 *     then.
 *  4. Whatever was forgotten, or could not be read, is counted, and said with what is known of the
 *     scope from then on.
 *
 * Pure, not thread safe. Bounded by WW_NAMED_MAX addresses of names, WW_NAMED_SCOPE_MAX of one
 * scope and WW_NAMED_ADDRESS_MAX of one address in it: what was answered first goes first. Flows
 * keep what they were told by.
 */
#pragma once

#include "proto/lookup.h"

#define WW_NAMED_MAX         16384u
#define WW_NAMED_SCOPE_MAX   4096u
#define WW_NAMED_ADDRESS_MAX 64u /* names of one address: shared hosts have dozens */
#define WW_NAMED_ALIASES_MAX 16u /* from a name to its address, as resolvers follow them */
#define WW_NAMED_FLOW_MAX    8u  /* names kept with a flow */

struct ww_named;

/* 0 or -ENOMEM. */
WW_CHECK int ww_named_new(struct ww_named **ret_named);
/* Flows that were told must be released before. */
void ww_named_free(struct ww_named *t);
WW_DEFINE_AUTO(struct ww_named, ww_named_free)

/* An answered lookup. 0, or -ENOMEM: some of it is forgotten, and counted. */
WW_CHECK int ww_named_answer(struct ww_named *t, const struct ww_lookup *l);

/* A message from a DNS server to this scope could not be read. 0 or -ENOMEM. */
WW_CHECK int ww_named_unread(struct ww_named *t, uint64_t cgroup);

/* Nobody is in the scope any more: what it was told is forgotten. */
void ww_named_left(struct ww_named *t, uint64_t cgroup);

/* The flow's owner connects it to its peer, perhaps once more. 0 or -ENOMEM: nothing is said. */
WW_CHECK int ww_named_connect(struct ww_named *t, struct ww_flow *f, struct ww_boot now);

/* What a flow was told. */
struct ww_named_told {
	bool own; /* the names were given to the flow's process, else to another of its scope */
	unsigned count;   /* names kept, the youngest answer first */
	uint64_t missing; /* names, or answers before it, that are not known here */
};

/* One of its names. */
struct ww_named_name {
	char text[WW_DNS_TEXT_MAX];
	uint64_t cookie, serial; /* the lookup */
	struct ww_boot answered;
};

/* False: nothing is said of it. */
bool ww_named_told(const struct ww_flow *f, struct ww_named_told *ret);
void ww_named_at(const struct ww_flow *f, unsigned i, struct ww_named_name *ret);

/* Writes the member "dns" of the flow's record, where there is something to say. */
void ww_named_write(const struct ww_flow *f, struct ww_jsonw *w);

/* Gives back what the flow holds. */
void ww_named_release(struct ww_flow *f);
