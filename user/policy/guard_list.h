/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: the guard's list: which agents may not send to which networks. Rules of three layers are
 * added, then the list is sealed: what the kernel side looks up, longest prefix first, and who may
 * be asked why. Pure.
 *
 * Numbered invariants:
 *  1. Per agent the highest layer that has a matching rule decides, and in it the longest prefix.
 *     Of two rules with one prefix in one layer the later one counts. No rule: allowed.
 *  2. A denial reaches into loopback, private, shared, link-local, unique local and multicast
 *     networks, and to 0.0.0.0 and ::, only where its prefix is one of them or lies in one: these
 *     are somebody else's on every network, and the host's own management.
 *  3. An IPv4-mapped IPv6 address is its IPv4 address: one trie of 128 bits has both.
 *  4. The sealed entries depend on the rules in force alone, not on the order of other rules.
 *
 * Agents are bits of a set: bit 0 is who falls under no agent rule, bit n the policy's n-th rule.
 * Memory: 64 bytes per rule and 32 per entry.
 */
#pragma once

#include <wirewitness/event.h>
#include <wirewitness/kernel.h>

#include "base/digest.h"
#include "policy/cidr.h"

#define WW_GUARD_AGENTS_MAX   63u     /* agent rules of one policy, beside "none" */
#define WW_GUARD_RULES_MAX    262144u /* of one list: all published cloud ranges are 150,000 */
#define WW_GUARD_PREFIXES_MAX WW_GUARD_ENTRIES_MAX

#define WW_GUARD_ANYBODY UINT64_MAX /* all agents, and who falls under no rule */

enum ww_guard_layer {
	WW_GUARD_DERIVED = 0, /* of the agents' regions and homes, by the address tables */
	WW_GUARD_POLICY = 1,  /* the policy's own deny and allow */
	WW_GUARD_COMMAND = 2, /* the kill switch */
	WW_GUARD_LAYERS
};

struct ww_guard_rule {
	struct ww_cidr prefix;
	bool deny;
	uint8_t layer; /* enum ww_guard_layer */
	uint8_t why;   /* enum ww_guard_why */
	uint64_t agents;
	uint32_t text; /* number of the text that it was given as, ww_guard_list_text() */
};

/* What the kernel side looks up. */
struct ww_guard_entry {
	uint8_t addr[16]; /* IPv4 as IPv4-mapped */
	uint8_t bits;     /* 0 to 128 */
	uint64_t deny;    /* agents */
};

struct ww_guard_list;

WW_CHECK int ww_guard_list_new(struct ww_guard_list **ret);
void ww_guard_list_free(struct ww_guard_list *l);
WW_DEFINE_AUTO(struct ww_guard_list, ww_guard_list_free)

/* A text that rules were given as, cut to WW_GUARD_TEXT_BYTES. 0 or -ENOMEM. */
WW_CHECK int ww_guard_list_text_add(struct ww_guard_list *l, struct ww_slice text,
				    uint32_t *ret_text);
/* Empty for a number that is none. Borrowed. */
struct ww_slice ww_guard_list_text(const struct ww_guard_list *l, uint32_t text);

/* 0; -E2BIG: WW_GUARD_RULES_MAX; -ENOMEM. */
WW_CHECK int ww_guard_list_add(struct ww_guard_list *l, const struct ww_guard_rule *rule);

/*
 * All that an agent may send, but to loopback: the rules for it (private networks are named here).
 * As above.
 */
WW_CHECK int ww_guard_list_add_all(struct ww_guard_list *l, const struct ww_guard_rule *rule);

/* Nothing can be added any more. 0; -E2BIG: more than WW_GUARD_PREFIXES_MAX entries; -ENOMEM. */
WW_CHECK int ww_guard_list_seal(struct ww_guard_list *l);

/* In order of their addresses, shorter ones first. The first is ::/0. */
const struct ww_guard_entry *ww_guard_list_entries(const struct ww_guard_list *l,
						   uint32_t *ret_count);
uint32_t ww_guard_list_rules(const struct ww_guard_list *l);

/* SHA-256 of the sealed entries: address, length and agents of each, big endian. */
struct ww_sha256 ww_guard_list_digest(const struct ww_guard_list *l);

/* The rule that forbids it to the first of these agents; NULL: none does. *ret_agent: which. */
const struct ww_guard_rule *ww_guard_list_why(const struct ww_guard_list *l, uint64_t agents,
					      const struct ww_endpoint *to, unsigned *ret_agent);
