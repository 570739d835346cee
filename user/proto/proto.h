/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto: from ordered plaintext of a flow to exchanges. One parser state per flow hangs on
 * ww_flow.proto.
 *
 * Protocol is decided by the first bytes, never by port or ALPN: HTTP/1 and HTTP/2 on sockets, and
 * WebSocket behind an upgrade of HTTP/1; JSON-RPC on channels; anything else becomes one UNPARSED
 * exchange that counts bytes. A gap inside a message loses that message, parsing resumes at the
 * next boundary that can be proven, otherwise the rest of the direction is UNPARSED. Pure. Memory
 * bounded per body (message cap) and for all bodies together (WW_BODIES_BYTES_MAX): past it bodies
 * are counted, not kept.
 */
#pragma once

#include "proto/exchange.h"

struct ww_proto_ops {
	/* The exchange ended (or its flow did). Borrowed. */
	void (*exchange)(void *ctx, const struct ww_exchange *x);
	/* There was no memory: what follows on the flow is not decoded. May be NULL. */
	void (*refused)(void *ctx, const struct ww_flow *f);
};

struct ww_proto_config {
	uint64_t body_bytes_max;         /* kept per body; 0: WW_MESSAGE_BYTES_DEFAULT */
	const struct ww_digest_key *key; /* borrowed */
};

struct ww_proto;

/* Exchanges go to ops with ctx. Copies *cfg and *ops. 0, -EINVAL (no key), -ENOMEM. */
WW_CHECK int ww_proto_new(const struct ww_proto_config *cfg, const struct ww_proto_ops *ops,
			  void *ctx, struct ww_proto **ret_proto);
void ww_proto_free(struct ww_proto *p);
WW_DEFINE_AUTO(struct ww_proto, ww_proto_free)

/* The three calls that ww_flow_ops forwards. An allocation failure ends that flow's decoding,
 * counted. */
void ww_proto_bytes(struct ww_proto *p, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		    struct ww_slice bytes, struct ww_boot t);
void ww_proto_gap(struct ww_proto *p, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		  uint64_t bytes, struct ww_boot t);
/* Ends open exchanges by the flow's close reason and releases f->proto. */
void ww_proto_closed(struct ww_proto *p, struct ww_flow *f);

/* Bytes now held in bodies, and messages whose body was not kept because of the common ceiling. */
void ww_proto_memory(const struct ww_proto *p, uint64_t *ret_bytes, uint64_t *ret_refused);
