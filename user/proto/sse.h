/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse: text/event-stream, incrementally (WHATWG HTML, section 9.2 "Server-sent events").
 *
 * A pull parser: give bytes, take events until MORE. Lines end in LF, CR or CR LF, split anywhere;
 * one BOM at the start is dropped; several data lines join with LF. A line or the data of one event
 * beyond the ceiling loses that event, counted, and the next one is read. An event that the stream
 * ends in the middle of is no event (the standard discards it): ww_sse_pending() tells. UTF-8 is
 * not judged here, the payload's parser does that. A line that is whole in the input is not copied.
 */
#pragma once

#include "base/buf.h"
#include "base/parse.h"

struct ww_sse_event {
	struct ww_slice type; /* empty: "message" */
	struct ww_slice data; /* may be empty; an event without a data line is not dispatched */
	struct ww_slice id;   /* last event id in force; empty: none */
};

struct ww_sse {
	struct ww_buf line; /* begin of a line that the input cut */
	struct ww_buf type;
	struct ww_buf data; /* several data lines, or one that must outlive its input */
	struct ww_buf id;
	struct ww_slice one; /* a single data line, borrowed from the input */
	bool started;        /* past the BOM */
	bool after_cr;       /* swallow one LF */
	bool has_data;
	bool has_one;
	bool over;      /* this event is lost */
	bool over_line; /* the rest of this line is skipped */
	bool given;     /* the last event was handed out: clear before going on */
	bool no_memory; /* some were lost for want of it */
	uint64_t lost;  /* events lost to a ceiling or to memory */
};

/* `bytes_max`: ceiling of one line and of one event's data, at most WW_SSE_LINE_BYTES_MAX. */
void ww_sse_init(struct ww_sse *s, size_t bytes_max);

/* Wipes and releases. */
void ww_sse_done(struct ww_sse *s);

/*
 * Takes bytes from the front of *in (advanced). DONE: *ret_event is an event, borrowed until the
 * next call and as long as the input lives. MORE: *in is used up.
 */
enum ww_parse ww_sse_next(struct ww_sse *s, struct ww_slice *in, struct ww_sse_event *ret_event);

/* Whether bytes of an unfinished line or event are pending: the stream was cut. */
bool ww_sse_pending(const struct ww_sse *s);
