/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup: one question to a DNS server and its answer, from the packets of a socket to a port 53.
 *
 * Numbered invariants:
 *  1. An answer is one only to a question that left through the same socket, with the same id,
 *     name (case aside) and type, and, but for TCP, only from an address that it was sent to. The
 *     first such answer counts, as it does for who asked; every other one is counted as unmatched.
 *  2. A message that was not seen whole, or is malformed, answers nothing: it is counted as unread.
 *     So is a datagram whose event was lost; one to the scope may have been the answer to whatever
 *     was asked before on its socket: no later one is taken for that.
 *  3. Every question ends exactly once: answered, or with what is known instead (enum
 *     ww_lookup_end).
 *
 * Who asked is who sent the datagram; over TCP the owner of the connection. Pure, not thread safe.
 * Bounded by WW_LOOKUPS_MAX questions and WW_LOOKUP_SOCKETS_MAX sockets: the oldest goes first.
 */
#pragma once

#include "base/own.h"
#include "flow/flow.h"
#include "proto/dns.h"

#define WW_LOOKUPS_MAX        4096u /* questions without an answer */
#define WW_LOOKUP_SOCKETS_MAX 4096u
#define WW_LOOKUP_SERVERS_MAX 4u             /* that one question is sent to */
#define WW_LOOKUP_WAIT_NS     30000000000ull /* resolvers give up after 5 to 30 s */

/* X(enum suffix, text) */
#define WW_LOOKUP_ENDS(X)           \
	X(ANSWERED, "answered")     \
	X(UNANSWERED, "unanswered") \
	X(UNFOLLOWED, "unfollowed")

#define WW_LOOKUP_ENUM_(n, t) WW_LOOKUP_##n,
enum ww_lookup_end { WW_LOOKUP_ENDS(WW_LOOKUP_ENUM_) };

struct ww_lookup {
	uint64_t cookie; /* of the socket */
	uint64_t serial; /* of the question */
	struct ww_actor_key actor;
	uint64_t cgroup;
	struct ww_endpoint server; /* that answered, else that was asked last */
	uint8_t proto;             /* IPPROTO_UDP or IPPROTO_TCP */
	struct ww_dns_name name;
	uint16_t type;
	unsigned asks; /* how often it was sent */
	struct ww_boot asked;
	struct ww_boot answered; /* 0: it was not */
	uint64_t unmatched;      /* answers on its socket meanwhile that did not match */
	uint64_t unread;         /* messages on its socket meanwhile that could not be read */
	enum ww_lookup_end end;
	const struct ww_dns *answer; /* borrowed; NULL: none */
};

/* What a socket to a DNS server carried. */
struct ww_lookup_counts {
	uint64_t queries;
	uint64_t answers; /* matched */
	uint64_t unmatched;
	uint64_t unread;
};

struct ww_lookup_ops {
	void (*done)(void *ctx, const struct ww_lookup *l);
	/* A message to this scope's process was not read. */
	void (*unread)(void *ctx, uint64_t cgroup);
};

struct ww_lookups;

/* 0 or -ENOMEM. */
WW_CHECK int ww_lookups_new(const struct ww_lookup_ops *ops, void *ctx,
			    struct ww_lookups **ret_lookups);
/* Without ending what is under way: use ww_lookups_finish() first. */
void ww_lookups_free(struct ww_lookups *l);
WW_DEFINE_AUTO(struct ww_lookups, ww_lookups_free)

/* Takes any event. 0 or -ENOMEM: it is not followed. */
WW_CHECK int ww_lookups_feed(struct ww_lookups *l, const struct ww_event *ev);

/* Ends questions that waited for too long. */
void ww_lookups_tick(struct ww_lookups *l, struct ww_boot now);

/* The socket is closed: its questions end. False: it carried no DNS; *ret_counts is then as it
 * was. */
bool ww_lookups_closed(struct ww_lookups *l, uint64_t cookie, struct ww_lookup_counts *ret_counts);

/* End of input: every question ends, in order of its last sending. */
void ww_lookups_finish(struct ww_lookups *l);

/* "n-<cookie>-<serial>", in hex and decimal; out holds WW_LOOKUP_ID_MAX bytes. */
#define WW_LOOKUP_ID_MAX 48
void ww_lookup_id(uint64_t cookie, uint64_t serial, char *out);

/* Writes the member "carries" of the flow's record. */
void ww_lookup_write_counts(const struct ww_lookup_counts *c, struct ww_jsonw *w);

/* Writes the record of kind "lookup". */
void ww_lookup_write(const struct ww_lookup *l, const struct ww_clock_map *clock,
		     struct ww_jsonw *w);
