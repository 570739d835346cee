/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonrpc: both directions of one channel: JSON-RPC 2.0, a message or a batch of them per line, as
 * the stdio transport of the Model Context Protocol has it ("Messages are delimited by newlines,
 * and MUST NOT contain embedded newlines").
 *
 * Each request of the agent is an exchange; its response is the message with its id, whenever it
 * comes. Notifications, and requests of the server with their responses, are understood and are no
 * exchange. A response without a request, a line that is none of this, and a line beyond the cap
 * become UNPARSED exchanges: something went by that is not known. So does a tool call without an
 * id: it asks for no answer, and a server may carry it out all the same.
 *
 * A newline cannot stand inside a message, so after a loss, or where the begin was not seen, the
 * next line is a message again. What a loss may have held is said: of requests by an exchange whose
 * request is cut, of responses by each request that waits (it is answered, or its outcome is not
 * known). So it is with what the server said and is no message, or answers nobody: agents may read
 * it otherwise. A request whose id is one that waits already names no exchange: both stay without
 * response.
 */
#pragma once

#include "base/json.h"
#include "proto/message.h"

struct ww_jsonrpc;

/* What one message, or element of a batch, is. */
enum ww_rpc_kind {
	WW_RPC_REQUEST,      /* method and id */
	WW_RPC_NOTIFICATION, /* method without id */
	WW_RPC_RESPONSE,     /* id and result or error, no method */
};

struct ww_rpc_message {
	enum ww_rpc_kind kind;
	struct ww_slice id;          /* JSON text; empty: a notification */
	struct ww_json_token method; /* unless a response */
};

/*
 * Reads one message. DONE; MORE: cut off before it is known what it is; BAD: no message of the
 * protocol, or one that readers would not agree about (a member that stands there twice).
 */
enum ww_parse ww_rpc_message_parse(struct ww_slice doc, struct ww_rpc_message *ret);

/* `shared` is borrowed and must outlive it. 0 or -ENOMEM. */
WW_CHECK int ww_jsonrpc_new(struct ww_messages *shared, struct ww_jsonrpc **ret_jsonrpc);

/* As the calls of proto.h. f is the same in all calls and has a channel. */
void ww_jsonrpc_bytes(struct ww_jsonrpc *j, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		      struct ww_slice bytes, struct ww_boot t);
void ww_jsonrpc_gap(struct ww_jsonrpc *j, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		    uint64_t bytes, struct ww_boot t);

/* Ends what is open by f->how, and frees j. */
void ww_jsonrpc_closed(struct ww_jsonrpc *j, struct ww_flow *f);
