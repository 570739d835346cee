/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a QUIC client says in clear, or nearly so: its Initial packets, which anybody on the path
 * can open, carry a ClientHello with server name, ALPN and whether ECH is there (RFC 9000, RFC
 * 9001, RFC 9369). All else of a connection is opaque.
 *
 * Invariants:
 *  1. A connection is there only because a packet of it opened: what merely looks like QUIC is
 *     counted (`unread`) and named nothing.
 *  2. The bytes of a ClientHello are taken once; who says them again says the same, or is BAD.
 *  3. What was read stands, also where the rest never came: then `why` tells what is missing.
 *
 * Input is the client's datagrams of one socket, in any order, lost or repeated. Pure, not thread
 * safe. Bounded by the ceilings below; what is beyond them is said in `why` or `more`.
 */
#pragma once

#include "base/parse.h"
#include "flow/flow.h"
#include "flow/quic_keys.h"

#define WW_QUIC_HELLO_BYTES_MAX 8192u      /* twice what RFC 9000 section 7.5 asks of a server */
#define WW_QUIC_CONNECTIONS_MAX 8u         /* of one socket that are told apart */
#define WW_QUIC_INITIALS_MAX    64u        /* packets of one socket that are tried */
#define WW_QUIC_BYTES_MAX       (4u << 20) /* held for all sockets together */

/* A connection ID, in clear. */
struct ww_quic_cid {
	uint8_t n;
	uint8_t b[WW_QUIC_CID_MAX];
};

struct ww_quic_hello; /* the ClientHello while it is put together */

struct ww_quic_connection {
	struct ww_quic_connection *next; /* by arrival */
	struct ww_endpoint peer;
	uint32_t version_first; /* of the Initials that carried the ClientHello */
	uint32_t version;       /* of the last Initial: another one where both changed over */
	uint32_t early;         /* 0-RTT packets that came along; they are not read */
	bool retried;           /* the server asked for all of it again (Retry) */
	bool whole;             /* the ClientHello was read to its end */
	const char *why;        /* what is missing; static text, NULL: nothing that is known of */
	struct ww_tls_facts facts;
	/* Its own: */
	struct ww_quic_cid dcid; /* that the keys are made of */
	struct ww_quic_cid scid;
	struct ww_quic_keys keys;
	uint64_t largest; /* packet number + 1; 0: none */
	uint8_t random[WW_RANDOM_BYTES];
	struct ww_quic_hello *hello; /* owned, NULL: nothing held */
};

/* What is held for all sockets together, in bytes. Zero at the begin. */
struct ww_quic_room {
	size_t bytes;
};

struct ww_quic {
	struct ww_quic_connection *first;
	bool served;        /* for the owner: the peers are the clients, */
	uint32_t datagrams; /* told of or lost */
	uint32_t count;     /* connections */
	uint32_t tried;     /* Initials */
	uint32_t unread;    /* of them: no key opened them, or they were cut off */
	bool more;          /* there may be connections that were not looked at */
};

/* Zero is an empty one. Releases what it holds; it is empty then. */
void ww_quic_done(struct ww_quic *q, struct ww_quic_room *room);

/*
 * Takes one datagram of a client to `peer` (a server's: from it), of which `datagram` is what was
 * captured of whole_bytes.
 *
 * DONE: the ClientHello of its connection has been read to its end. MORE: it goes on in further
 * datagrams, or there was no part of it here. GAP: something was not captured or could not be held.
 * BAD, with *ret_error: no QUIC, an Initial that does not open, or what opened breaks the rules.
 */
enum ww_parse ww_quic_feed(struct ww_quic *q, struct ww_quic_room *room,
			   const struct ww_endpoint *peer, struct ww_slice datagram,
			   size_t whole_bytes, struct ww_parse_error *ret_error);

/*
 * Takes the event of one (WW_PACKET_QUIC): the direction of the first says whether the owner is the
 * client. What could be read stands, and is all there is to say. q becomes that of the flow.
 */
void ww_quic_packet(struct ww_quic *q, struct ww_quic_room *room, const struct ww_event_packet *ev,
		    struct ww_flow *f);
