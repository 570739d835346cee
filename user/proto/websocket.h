/* SPDX-License-Identifier: Apache-2.0 */
/*
 * websocket: both directions of a connection behind an upgrade to WebSocket (RFC 6455), with
 * permessage-deflate (RFC 7692).
 *
 * Each message is delivered as an exchange of its own (WW_X_MESSAGE): it answers nothing that the
 * protocol knows of, so none is paired with another. A close frame is one, too; pings and pongs are
 * counted in the next one. Message content is kept and capped like any body; frames may be of any
 * number and size.
 *
 * A gap inside a frame's content keeps the place, for its length is known. Any other gap loses the
 * direction for good: frames carry no mark by which one could be found again, and masked content
 * may look like anything. Its bytes are then counted as UNPARSED. Compressed messages may refer to
 * all before them: once one was not decoded to its end, those behind it are framed and counted, and
 * kept encoded (WW_X_CODING_UNKNOWN), until one that refers to none.
 *
 * About 400 bytes per connection, and per direction that compresses WW_INFLATE_BYTES, counted with
 * the bodies. Pure.
 */
#pragma once

#include "proto/message.h"
#include "proto/ws_terms.h"

struct ww_websocket;

/*
 * `upgraded` is the exchange that opened it (copied as far as needed); `shared` is borrowed and
 * must outlive it. 0 or -ENOMEM.
 */
WW_CHECK int ww_websocket_new(struct ww_messages *shared, const struct ww_exchange *upgraded,
			      const struct ww_ws_terms *terms, struct ww_websocket **ret_websocket);

/* The client sent bytes before the upgrade was answered (`early`), or some of them were lost: its
 * direction has no known begin. */
void ww_websocket_no_begin(struct ww_websocket *w, const struct ww_stray *early);

/* from: WW_WS_CLIENT or _SERVER; otherwise as the calls of proto.h. f is the same in all calls. */
void ww_websocket_bytes(struct ww_websocket *w, struct ww_flow *f, int from, uint64_t offset,
			struct ww_slice bytes, struct ww_boot t);
void ww_websocket_gap(struct ww_websocket *w, struct ww_flow *f, int from, uint64_t offset,
		      uint64_t bytes, struct ww_boot t);

/* Ends what is open, and frees w. */
void ww_websocket_closed(struct ww_websocket *w, struct ww_flow *f);
