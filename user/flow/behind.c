/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/behind.h"

#include <stdlib.h>
#include <string.h>

struct ww_behind_event {
	struct ww_behind_event *next;
	struct ww_event_data ev; /* its bytes follow */
};

static size_t size_of(const struct ww_event_data *ev)
{
	return sizeof(struct ww_behind_event) + ev->captured;
}

bool ww_behind_put(struct ww_behind *q, struct ww_behind_room *room, const struct ww_event_data *ev)
{
	struct ww_behind_event *b;

	if (q->bytes + size_of(ev) > WW_STREAM_HOLD_BYTES ||
	    room->bytes + size_of(ev) > WW_HOLD_BYTES_MAX)
		return false;
	b = malloc(size_of(ev));
	if (!b)
		return false;
	b->next = NULL;
	memcpy(&b->ev, ev, sizeof(*ev) + ev->captured);
	if (q->first)
		q->last->next = b;
	else
		q->first = b;
	q->last = b;
	q->bytes += size_of(ev);
	room->bytes += size_of(ev);
	return true;
}

const struct ww_event_data *ww_behind_first(const struct ww_behind *q)
{
	return q->first ? &q->first->ev : NULL;
}

void ww_behind_drop(struct ww_behind *q, struct ww_behind_room *room)
{
	struct ww_behind_event *b = q->first;

	q->first = b->next;
	q->bytes -= size_of(&b->ev);
	room->bytes -= size_of(&b->ev);
	explicit_bzero(b->ev.bytes, b->ev.captured);
	free(b);
}

void ww_behind_done(struct ww_behind *q, struct ww_behind_room *room)
{
	while (q->first)
		ww_behind_drop(q, room);
}
