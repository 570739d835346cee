/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was read from a connection behind a write that is not told yet, in the order in which it was
 * read. How long it waits, and what becomes of it, is the flow table's.
 *
 * Zero is an empty one. Bounded by WW_STREAM_HOLD_BYTES, and all together by WW_HOLD_BYTES_MAX, as
 * sessions are. Plaintext is zeroed before it is freed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <wirewitness/event.h>

#include "base/own.h"

struct ww_behind {
	struct ww_behind_event *first, *last;
	size_t bytes;
};

/* What all of them hold together, in bytes. Zero at the begin. */
struct ww_behind_room {
	size_t bytes;
};

/* Keeps a copy as the last one. False: there is no room. */
WW_CHECK bool ww_behind_put(struct ww_behind *q, struct ww_behind_room *room,
			    const struct ww_event_data *ev);

/* Borrowed until it is dropped; NULL: nothing waits. */
const struct ww_event_data *ww_behind_first(const struct ww_behind *q);

/* The first one, which is there, goes. */
void ww_behind_drop(struct ww_behind *q, struct ww_behind_room *room);

/* Drops all. */
void ww_behind_done(struct ww_behind *q, struct ww_behind_room *room);
