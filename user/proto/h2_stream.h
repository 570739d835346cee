/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_stream: the open streams of one HTTP/2 connection, by id, each with the exchange that is being
 * built, and how they end. A pointer to a stream is valid until one is added or ends.
 */
#pragma once

#include "proto/message.h"

struct ww_h2_stream {
	uint32_t id;
	struct ww_message *m;
	bool no_content; /* the response has none, whatever its fields say */
	bool counted[2]; /* there is a Content-Length; [1]: of the response */
	uint64_t length[2];
};

struct ww_h2_streams {
	struct ww_messages *shared; /* borrowed */
	struct ww_flow *f;          /* borrowed for the call */
	struct ww_h2_stream *items; /* by id */
	unsigned count, slots;
};

/* NULL: not open, or not followed. */
struct ww_h2_stream *ww_h2_stream_find(const struct ww_h2_streams *t, uint32_t id);

/* With a new message. NULL: no memory, told. */
struct ww_h2_stream *ww_h2_stream_add(struct ww_h2_streams *t, uint32_t id, bool client);

/* Delivers the exchange as it is. */
void ww_h2_stream_finish(struct ww_h2_streams *t, struct ww_h2_stream *st);

/* Finishes it where nothing more of either will be read: true. */
bool ww_h2_stream_settle(struct ww_h2_streams *t, struct ww_h2_stream *st);

/* It will not go on: it was reset or refused, or (reset: false) its connection ended. */
void ww_h2_stream_cut(struct ww_h2_streams *t, struct ww_h2_stream *st, bool reset);

/* No request under way will come to its end: its bytes were lost, or are broken. */
void ww_h2_streams_lose_requests(struct ww_h2_streams *t, bool broken);
/* The same of all responses that are not at their end. */
void ww_h2_streams_lose_responses(struct ww_h2_streams *t, bool broken);

/* The request, or the response, of a stream ended in order. */
void ww_h2_stream_end_request(struct ww_h2_streams *t, struct ww_h2_stream *st);
void ww_h2_stream_end_response(struct ww_h2_streams *t, struct ww_h2_stream *st);
