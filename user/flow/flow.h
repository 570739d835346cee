/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow: one socket, keyed by the kernel's socket cookie, with its owner, its counters, its TLS
 * session and its byte account; or one channel, the pipes (or unix sockets) between an agent and a
 * server below it, seen from the agent's end. Fed by events; hands ordered plaintext to proto
 * through callbacks.
 *
 * Numbered invariants:
 *  1. A socket's bytes come from the kernel's counters only; plaintext and packets never add to
 *     them. The kernel counts nothing of a channel: its bytes are those of the calls that were
 * seen.
 *  2. Plaintext reaches the callback in offset order, each byte at most once; a missing range is
 * announced as a gap before the bytes behind it, one of unknown length as a gap of one byte.
 *  3. A session belongs to at most one flow, by evidence (enum ww_bind_grade), never by thread or
 * time.
 *  4. Closing a flow twice is impossible; late events within the linger period still count.
 *  5. All iteration that can be seen in records is in order of cookie or of arrival, never of
 * hashing.
 *
 * Pure, not thread safe. Bounded by WW_FLOWS_MAX, and by WW_HOLD_BYTES_MAX twice: of sessions
 * without a socket, of what waits behind a write.
 */
#pragma once

#include <wirewitness/event.h>

#include "actor/actor.h"
#include "base/clock.h"
#include "base/json_write.h"

struct ww_tables; /* policy/tables.h */

struct ww_tls_facts {
	bool client_hello;
	bool server_hello;
	uint16_t version;      /* 0x0304 TLS 1.3, 0x0303 ...; 0 unknown */
	uint16_t cipher;       /* 0 unknown */
	char sni[256];         /* empty: absent */
	char alpn[32];         /* first offered by the client, or the chosen one where readable */
	uint16_t alpn_offered; /* names in the ClientHello's list; 0: none, or not all seen */
	uint16_t version_offered; /* highest in the ClientHello; 0 unknown */
	bool ech; /* the client sent encrypted_client_hello (real or GREASE): sni may be a cover
		     name */
	bool client_cut; /* the ClientHello was not read to its end: what is absent may be there */
	bool server_cut; /* the same of the ServerHello */
	bool early;      /* the client offers to send data with it (early_data) */
	bool psk_offered;
	bool psk; /* the server took it (pre_shared_key): a session that goes on, nothing is signed
		   */
	bool retry;   /* the ServerHello is a HelloRetryRequest */
	bool resumed; /* the server's session id, not empty, is the client's; TLS 1.3 always echoes
			 it */
	uint8_t session_id_bytes; /* of the client's, */
	uint8_t session_id[32];   /* which is this */
};

/*
 * Why no time bounds the distance of the holder of the key that signed the handshake.
 * X(enum suffix, number, text in records)
 */
#define WW_HOLDER_WHYS(X)                                                               \
	X(NONE, 0, NULL)               /* there is one */                               \
	X(UNFINISHED, 1, "unfinished") /* not yet, or never, seen to its end */         \
	X(RESUMED, 2, "resumed")       /* nothing was signed in this handshake */       \
	X(EARLY_DATA, 3, "early-data")                                                  \
	X(UNSIGNED, 4, "unsigned")   /* no, or an unknown, signed exchange */           \
	X(UNREAD, 5, "hello-unread") /* what was not read of it may say one of these */ \
	X(LOST, 6, "lost")           /* a record went unseen */                         \
	X(OLDER, 7, "older")         /* the connection began before the monitor */      \
	X(SAME_HOST, 8, "same-host")                                                    \
	X(SERVED, 9, "served")    /* the peer is the client */                          \
	X(VERSION, 10, "version") /* older than TLS 1.2 */

#define WW_HOLDER_WHY_ENUM_(n, v, t) WW_HOLDER_##n = (v),
enum ww_holder_why { WW_HOLDER_WHYS(WW_HOLDER_WHY_ENUM_) WW_HOLDER_WHY_MAX };

/*
 * The byte account of one direction. payload = handshake + tickets + explained + overhead +
 * remainder, where remainder is what no hook explains. Exact only when the flags say so.
 */
struct ww_account {
	uint64_t payload;   /* kernel: bytes_sent, or bytes_received */
	uint64_t handshake; /* TLS records before the first application record, by length walk */
	uint64_t tickets;   /* post-handshake records seen before the first application record */
	uint64_t tickets_alike; /* of them, what may as well be a reply: nothing was read */
	uint64_t explained;     /* plaintext bytes reported by the probes (captured or counted) */
	uint64_t overhead;      /* record framing of the explained bytes, lower bound */
	uint64_t overhead_max;  /* upper bound: reads that ended exactly at the caller's buffer */
	uint64_t captured;      /* of explained: bytes whose content was delivered */
	int64_t remainder;      /* payload - the rest (with the lower bound) */
	bool checked; /* false: cipher without known overhead, or walk lost: remainder not judged */
};

/* What is known of a channel beyond a socket. */
struct ww_channel {
	uint32_t agent;             /* pid, 0: not known */
	struct ww_actor_key server; /* who moved its bytes last, or was told last */
	char called[17];            /* by which name it executed that, cut */
	char *program;              /* that it executed then; owned, NULL: not known */
	struct ww_buf others;       /* programs that had it as well, each with its NUL */
	bool more;                  /* and others that are not known, or not remembered */
	bool opaque;                /* its calls are not read, or no longer */
	bool rings;                 /* the server has used io_uring: some of its calls go unseen */
	bool forked;                /* a process that the server forked may have read it, unseen */
	bool strange; /* an answer to what nobody was seen to ask: some of its calls go unseen, too
		       */
	struct ww_boot since; /* from here on every message of the agent was seen; 0: none was */
	uint64_t loose;       /* bytes of the agent's line that has not ended yet */
	uint64_t
		line[2]; /* by enum ww_dir: a line begins at this offset, though a gap ends there */
	char why[64];    /* opaque: the reason */
};

struct ww_flow {
	uint64_t cookie;
	struct ww_actor_key owner; /* zero: not resolved */
	struct ww_actor_key root;  /* root of the owner's tree */
	uint64_t cgroup;
	struct ww_endpoint local;
	struct ww_endpoint peer;
	uint32_t netns;
	uint8_t ip_proto; /* 6, 17, ... */
	uint8_t role;     /* enum ww_flow_role */
	uint8_t type;
	uint8_t state;
	uint8_t how; /* enum ww_close_how */
	bool established;
	bool closed;
	bool seen_birth; /* opened while we watched */
	bool receiver;   /* to our own receiver of claims (set by the owner of the table) */
	struct ww_boot t_open;
	struct ww_boot t_established;
	struct ww_boot t_close;
	uint64_t bytes_sent;
	uint64_t bytes_acked;
	uint64_t bytes_received;
	uint64_t bytes_retrans;
	uint32_t rtt_min_us;
	uint32_t srtt_us;
	uint32_t packets[2]; /* by enum ww_dir: segments, datagrams */
	uint32_t sk_err;
	uint32_t owner_changes;
	uint8_t bind; /* enum ww_bind_grade of its TLS session, UNBOUND when plain or opaque */
	bool tls;     /* a hello or a session was seen */
	struct ww_tls_facts tls_facts;
	/*
	 * From the first ClientHello on its way out until the client must have had what the server
	 * signed of it: whoever signed is no farther away than light gets there and back in that
	 * time. 0: no such time, key_holder_why (enum ww_holder_why) says why. See key_holder.h.
	 */
	uint32_t key_holder_us;
	uint8_t key_holder_why;
	const struct ww_certificate *certificate; /* the server's, of TLS 1.2; NULL: not read */
	struct ww_account account[2];             /* by enum ww_dir; filled by ww_flow_account() */
	uint64_t lost_bytes[2];                   /* plaintext holes by direction */
	uint32_t exchanges;                       /* proto: exchanges seen on it */
	uint64_t read_out;          /* proto: what was sent up to here is of exchanges that began,
				       or the protocol's own. 0: only exchanges tell */
	struct ww_channel *channel; /* NULL: it is a socket */
	struct ww_quic *quic;       /* NULL: no datagram looked like a QUIC client's */
	void *proto;                /* owned by proto, see ww_flow_ops.closed */
	void *named;                /* owned by proto/named.h, likewise */
};

/* What the flow table tells the next stage. ctx is the one given at creation. All pointers borrowed
 * for the call. */
struct ww_flow_ops {
	void (*opened)(void *ctx, struct ww_flow *f);
	/* Ordered plaintext. t: when the call returned in the application. */
	void (*bytes)(void *ctx, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		      struct ww_slice bytes, struct ww_boot t);
	/* `bytes` plaintext bytes at `offset` were not delivered (loss, cap, joined late). */
	void (*gap)(void *ctx, struct ww_flow *f, enum ww_dir dir, uint64_t offset, uint64_t bytes,
		    struct ww_boot t);
	/* No more bytes; counters and account are final. Release f->proto. */
	void (*closed)(void *ctx, struct ww_flow *f);
	/* Plaintext was given up: no socket was found for it (UNBOUND), or no room (HOLD). */
	void (*lost)(void *ctx, const struct ww_event_data *ev, enum ww_loss_cause cause);
};

struct ww_flow_stats {
	uint32_t live;       /* flows in the table */
	uint32_t unbound;    /* TLS sessions no socket is known for */
	uint64_t refused;    /* events for which the table had no room */
	uint64_t lost_bytes; /* plaintext given up here, see ww_flow_ops.lost */
	uint64_t malformed;  /* events that contradict themselves (a broken tape) */
};

struct ww_flows;

/* `actors` is borrowed and must outlive the table. 0 or -ENOMEM. */
WW_CHECK int ww_flows_new(const struct ww_actors *actors, const struct ww_flow_ops *ops, void *ctx,
			  struct ww_flows **ret_flows);
/* Without calling `closed`: use ww_flows_finish() first. */
void ww_flows_free(struct ww_flows *t);
WW_DEFINE_AUTO(struct ww_flows, ww_flows_free)

/* Takes any event. 0 or -ENOMEM; whatever could not be held is counted in the stats. */
WW_CHECK int ww_flows_feed(struct ww_flows *t, const struct ww_event *ev);

/* Closes flows whose linger period ended by t (called on every tick). */
void ww_flows_tick(struct ww_flows *t, struct ww_boot now);

/* End of tape: delivers what is held, closes everything in order of cookie. */
void ww_flows_finish(struct ww_flows *t, struct ww_boot now);

/* Counts since the start, and what is held now. */
struct ww_flow_stats ww_flows_stats(const struct ww_flows *t);

/* NULL when unknown. Borrowed until the flow's `closed`. */
struct ww_flow *ww_flows_get(struct ww_flows *t, uint64_t cookie);

/* The live flow with this local port and peer (a claim's sender, seen from its own end), or NULL.
 */
struct ww_flow *ww_flows_by_ends(struct ww_flows *t, const struct ww_endpoint *local,
				 const struct ww_endpoint *peer);

/* Calls fn for every flow, in order of cookie. */
void ww_flows_each(struct ww_flows *t, void (*fn)(void *ctx, struct ww_flow *f), void *ctx);

/* Pieces of plaintext in [from, to] of a scope that went over no known socket, so far. */
unsigned ww_flows_homeless(const struct ww_flows *t, uint64_t cgroup, struct ww_boot from,
			   struct ww_boot to);

/* Brings f->account up to date from the counters known now. */
void ww_flow_account(struct ww_flow *f);

/* "f-<cookie>" in hex; out holds WW_FLOW_ID_MAX bytes. */
#define WW_FLOW_ID_MAX 24
void ww_flow_id(uint64_t cookie, char *out);

/* "10.77.1.2:8443", "[::1]:443"; out holds WW_ENDPOINT_TEXT_MAX bytes. */
#define WW_ENDPOINT_TEXT_MAX 64
void ww_endpoint_text(const struct ww_endpoint *e, char *out);
/* 127.0.0.0/8 or ::1, also as an IPv4-mapped address. */
bool ww_endpoint_loopback(const struct ww_endpoint *e);
/* The IPv4 form of an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), else as it is. */
struct ww_endpoint ww_endpoint_unmap(const struct ww_endpoint *e);
/* Equal address and port; an IPv4-mapped IPv6 address equals its IPv4 form. */
bool ww_endpoint_eq(const struct ww_endpoint *a, const struct ww_endpoint *b);

/* Writes the record body of kind "flow" as an object that is left open: what is known of it
 * elsewhere follows. With what address tables list of the peer, where there are any (NULL: none).
 */
void ww_flow_write(const struct ww_flow *f, const struct ww_clock_map *clock,
		   const struct ww_tables *tables, struct ww_jsonw *w);
