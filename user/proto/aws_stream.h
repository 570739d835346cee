/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_stream: application/vnd.amazon.eventstream, incrementally: what Bedrock and other services
 * stream their answers in, beside text/event-stream (sse.h).
 *
 * A pull parser: give bytes, take events until MORE. A message is total length, headers' length,
 * CRC-32 of these two, headers, payload, CRC-32 of all before, integers big-endian. The first
 * checksum is checked before a length is believed, the second before anything of the message is
 * given; a wrong one, or headers that do not fill their place, is BAD: the stream has no mark by
 * which the next message could be found. A message beyond the ceiling is counted and passed over
 * by its length. One that is whole in the input is not copied.
 */
#pragma once

#include "base/buf.h"
#include "base/parse.h"
#include "proto/exchange.h"

struct ww_aws_event {
	struct ww_slice message_type;   /* "event", "exception" or "error"; empty: no such header */
	struct ww_slice event_type;     /* of an event */
	struct ww_slice exception_type; /* of an exception */
	struct ww_slice error_code;     /* of an error */
	unsigned headers;               /* all of them */
	struct ww_slice payload;
};

struct ww_aws_stream {
	struct ww_buf part; /* begin of a message that the input cut */
	uint64_t skip;      /* rest of one beyond the ceiling */
	bool given;         /* the last event was in part: clear before going on */
	bool broken;
	bool no_memory; /* that is why */
	uint64_t lost;  /* messages beyond the ceiling */
};

/* `bytes_max`: ceiling of one message. */
void ww_aws_stream_init(struct ww_aws_stream *s, size_t bytes_max);

/* Wipes and releases. */
void ww_aws_stream_done(struct ww_aws_stream *s);

/*
 * Takes bytes from the front of *in (advanced). DONE: *ret_event is an event, borrowed until the
 * next call and as long as the input lives. MORE: *in is used up. BAD: nothing more will come.
 */
enum ww_parse ww_aws_stream_next(struct ww_aws_stream *s, struct ww_slice *in,
				 struct ww_aws_event *ret_event);

/* Whether bytes of an unfinished message are pending: the stream was cut. */
bool ww_aws_stream_pending(const struct ww_aws_stream *s);

/* Whether a content type names such a stream. */
bool ww_aws_stream_is(const char *content_type);

/* What the stream in `body` says by its events, as far as it was kept. False: it is malformed. */
bool ww_aws_stream_read(const struct ww_body *body, struct ww_event_facts *ret_facts);
