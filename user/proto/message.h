/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message: an exchange while it is being built, the queue of those that wait on one connection, and
 * its end.
 *
 * Shared by all flows: the callback, the bodies' ceiling and spare messages, so that a keep-alive
 * connection costs no allocation per exchange. A message belongs to one queue or is the caller's
 * alone; ww_message_finish() ends both the exchange and the message.
 */
#pragma once

#include "proto/body.h"
#include "proto/proto.h"

#define WW_MESSAGE_SPARES_MAX 64u

struct ww_message {
	struct ww_message *next;
	struct ww_exchange x;
	struct ww_body_keep req;
	struct ww_body_keep resp;
	bool line_done; /* request line read: method and target stand */
	bool is_head;
	bool is_connect;
	bool wants_upgrade;
	bool req_done;   /* decoded to its end */
	bool req_lost;   /* its end cannot be known: a gap took the framing */
	bool req_broken; /* malformed, or over a ceiling */
	bool resp_begun;
	bool resp_done;
	bool resp_lost;
	bool resp_broken;
	bool interim;   /* a 1xx response came before */
	bool after_gap; /* began when the loss in the response direction was already known */
	bool orphan;    /* response without a known request; in no queue */
	bool twice;     /* jsonrpc: another request that waits has the same id */
	struct ww_sha256 rpc_id; /* jsonrpc: of the id's text */
};

/* What all flows of one ww_proto share. */
struct ww_messages {
	struct ww_bodies bodies;
	struct ww_proto_ops ops;
	void *ctx;
	struct ww_message *spare;
	unsigned spares;
};

/* Requests in the order in which they were sent. */
struct ww_message_queue {
	struct ww_message *head;
	struct ww_message *tail;
	unsigned depth;
};

/* Bytes of one direction that belong to no exchange. */
struct ww_stray {
	uint64_t bytes;
	uint64_t offset; /* of the first */
	struct ww_boot first;
	struct ww_boot last;
	uint32_t findings;
};

/* ops is copied, cfg->key borrowed; ops is called with ctx. */
void ww_messages_init(struct ww_messages *s, const struct ww_proto_config *cfg,
		      const struct ww_proto_ops *ops, void *ctx);
void ww_messages_done(struct ww_messages *s);

/* Tells that there was no memory for f. */
void ww_messages_refuse(struct ww_messages *s, const struct ww_flow *f);

/* The next exchange of flow f (f->exchanges counts up). NULL: no memory, told. Caller owns. */
struct ww_message *ww_message_new(struct ww_messages *s, struct ww_flow *f);

/* The request's head is read: its content begins. */
void ww_message_content(struct ww_messages *s, struct ww_message *m, enum ww_coding coding);

/* Gives an exchange up that turned out to be none; it must be the last one made on f. */
void ww_message_drop(struct ww_messages *s, struct ww_flow *f, struct ww_message *m);

/* It has come so far: `at` is the offset of the next byte of the request, or of the response. */
void ww_message_progress(struct ww_message *m, bool request, uint64_t at, struct ww_boot t);

/* Whether nothing more of its request, or of its response, will be read. */
bool ww_message_request_over(const struct ww_message *m);
bool ww_message_response_over(const struct ww_message *m);

/* Whether its status is that of an answer before the final one. */
bool ww_message_is_interim(const struct ww_message *m);
/* Such an answer was read: the final one is still to come, and of this one nothing is said. */
void ww_message_interim(struct ww_message *m);

/* Settles outcome and the flow's facts, delivers the exchange, releases the message. */
void ww_message_finish(struct ww_messages *s, struct ww_flow *f, struct ww_message *m);

/* At the end of the queue, which owns m from now on. */
void ww_message_push(struct ww_message_queue *q, struct ww_message *m);
/* Takes m out, wherever it stands. */
void ww_message_unlink(struct ww_message_queue *q, struct ww_message *m);

/* Bytes that are not decoded; none is no matter. */
void ww_stray_add(struct ww_stray *s, uint64_t offset, uint64_t bytes, struct ww_boot first,
		  struct ww_boot last);

/*
 * Delivers one UNPARSED exchange for the stray bytes of a flow, so that no byte goes unmentioned.
 * Nothing when there are none. `client`: the watched process is the requesting side.
 */
void ww_message_strays(struct ww_messages *s, struct ww_flow *f, bool client,
		       const struct ww_stray *req, const struct ww_stray *resp);
