/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/h2_stream.h"

#define SLOTS_MIN 8u

/* The first one with this id or a higher one. */
static unsigned place_of(const struct ww_h2_streams *t, uint32_t id)
{
	unsigned low = 0, high = t->count;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (t->items[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct ww_h2_stream *ww_h2_stream_find(const struct ww_h2_streams *t, uint32_t id)
{
	unsigned i = place_of(t, id);

	return i < t->count && t->items[i].id == id ? &t->items[i] : NULL;
}

struct ww_h2_stream *ww_h2_stream_add(struct ww_h2_streams *t, uint32_t id, bool client)
{
	unsigned i = place_of(t, id);
	struct ww_message *m;

	if (t->count == t->slots) {
		unsigned slots = t->slots ? 2 * t->slots : SLOTS_MIN;
		struct ww_h2_stream *p = realloc(t->items, slots * sizeof(*p));

		if (!p) {
			ww_messages_refuse(t->shared, t->f);
			return NULL;
		}
		t->items = p;
		t->slots = slots;
	}
	m = ww_message_new(t->shared, t->f);
	if (!m)
		return NULL;
	memmove(&t->items[i + 1], &t->items[i], (t->count - i) * sizeof(*t->items));
	t->items[i] = (struct ww_h2_stream){.id = id, .m = m};
	t->count++;
	m->x.stream = id;
	m->x.client = client;
	return &t->items[i];
}

void ww_h2_stream_finish(struct ww_h2_streams *t, struct ww_h2_stream *st)
{
	struct ww_message *m = st->m;
	unsigned i = (unsigned)(st - t->items);

	t->count--;
	memmove(&t->items[i], &t->items[i + 1], (t->count - i) * sizeof(*t->items));
	ww_message_finish(t->shared, t->f, m);
}

bool ww_h2_stream_settle(struct ww_h2_streams *t, struct ww_h2_stream *st)
{
	if (!ww_message_request_over(st->m) || !ww_message_response_over(st->m))
		return false;
	ww_h2_stream_finish(t, st);
	return true;
}

void ww_h2_stream_cut(struct ww_h2_streams *t, struct ww_h2_stream *st, bool reset)
{
	struct ww_message *m = st->m;

	if (m->orphan || m->req_lost || m->req_broken || m->resp_lost || m->resp_broken) {
		ww_h2_stream_finish(t, st);
		return;
	}
	if (m->resp_done) { /* the request's end is what is missing */
		m->x.outcome = WW_X_REQUEST_CUT;
	} else if (reset) {
		m->x.outcome = WW_X_RESET;
	} else if (!m->req_done) {
		/* The server may act on a stream that is open: as if it had been sent. */
		m->x.findings |= ww_body_end(&m->req, false, WW_X_TRUNCATED_REQUEST, &m->x.req);
		m->req_done = true;
	}
	ww_h2_stream_finish(t, st);
}

void ww_h2_streams_lose_responses(struct ww_h2_streams *t, bool broken)
{
	uint32_t finding = broken ? WW_X_MALFORMED_RESPONSE : WW_X_GAP_RESPONSE;

	for (unsigned i = 0; i < t->count;) {
		struct ww_h2_stream *st = &t->items[i];
		struct ww_message *m = st->m;

		if (m->resp_done) {
			i++;
			continue;
		}
		m->x.findings |= finding;
		m->resp.gap |= !broken;
		m->resp_lost |= !broken;
		m->resp_broken |= broken;
		i += !ww_h2_stream_settle(t, st);
	}
}

void ww_h2_streams_lose_requests(struct ww_h2_streams *t, bool broken)
{
	for (unsigned i = 0; i < t->count;) {
		struct ww_h2_stream *st = &t->items[i];
		struct ww_message *m = st->m;

		if (ww_message_request_over(m)) {
			i++;
			continue;
		}
		m->x.findings |= broken ? WW_X_MALFORMED_REQUEST : WW_X_GAP_REQUEST;
		m->req.gap |= !broken;
		m->req_lost |= !broken;
		m->req_broken |= broken;
		i += !ww_h2_stream_settle(t, st);
	}
}

/* Section 8.1.1: content that is not as long as said makes the message malformed. */
static bool length_differs(const struct ww_h2_stream *st, const struct ww_body_keep *k,
			   bool response)
{
	return st->counted[response] && st->length[response] != k->wire_bytes;
}

void ww_h2_stream_end_request(struct ww_h2_streams *t, struct ww_h2_stream *st)
{
	struct ww_message *m = st->m;

	if (ww_message_request_over(m)) {
		(void)ww_h2_stream_settle(t, st);
		return;
	}
	m->x.findings |= ww_body_end(&m->req, true, WW_X_TRUNCATED_REQUEST, &m->x.req);
	m->req_done = true;
	if (length_differs(st, &m->req, false)) {
		m->req_broken = true;
		m->x.findings |= WW_X_MALFORMED_REQUEST;
	}
	(void)ww_h2_stream_settle(t, st);
}

void ww_h2_stream_end_response(struct ww_h2_streams *t, struct ww_h2_stream *st)
{
	struct ww_message *m = st->m;

	if (ww_message_response_over(m) || !m->x.status) {
		if (!ww_message_response_over(m)) { /* it ended without a head */
			m->resp_broken = true;
			m->x.findings |= WW_X_MALFORMED_RESPONSE;
		}
		(void)ww_h2_stream_settle(t, st);
		return;
	}
	m->x.findings |= ww_body_end(&m->resp, true, WW_X_TRUNCATED_RESPONSE, &m->x.resp);
	m->resp_done = true;
	if (!st->no_content && length_differs(st, &m->resp, true)) {
		m->resp_broken = true;
		m->x.findings |= WW_X_MALFORMED_RESPONSE;
	}
	(void)ww_h2_stream_settle(t, st);
}
