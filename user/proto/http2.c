/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. A frame is read only where its begin is known: from the begin of the connection on, over
 * every gap that lies inside one payload. Any other gap loses the place, and so does one of a
 * single byte, which may stand for more.
 *  2. A lost place is found again at the begin of a piece of plaintext that begins with frames.
 * That proves nothing: every later request is marked FOUND_AGAIN, every later answer GAP_RESPONSE.
 *  3. Header blocks are decompressed in order, of every stream, followed or not; one that is lost,
 * cut or too long makes the table unknown, and only that.
 *  4. A response belongs to the stream whose id it has. Where its request was not seen it is an
 *     exchange of its own, RESPONSE_FIRST.
 *  5. What the responses' direction loses with its place may be of any open stream: all of them
 * lose their response.
 *  6. After a connection error nothing more of that direction is decoded.
 *  7. read_out of the flow is behind the last frame sent by the client that was read, and stays
 * where it is once the place was lost: every byte before it is of an exchange, or of none by its
 * kind.
 */
#include "proto/http2.h"

#include <errno.h>

#include <wirewitness/limits.h>

#include "base/cursor.h"
#include "proto/h2_frame.h"
#include "proto/h2_head.h"
#include "proto/h2_stream.h"

/* A buffer for header blocks up to this size stays. */
#define BLOCK_KEEP   4096u
#define PREFIX_BYTES 8u

enum side_state {
	PREFACE, /* the client's first bytes are due */
	RUN,
	LOST, /* position lost by a gap */
	DEAD, /* malformed */
};

struct side {
	struct ww_http2 *h;
	struct ww_hpack *hpack; /* of this side's header blocks */
	struct ww_buf block;    /* header block so far */
	uint64_t at;            /* plaintext offset of the next byte */
	uint64_t begin;         /* where the frame began */
	struct ww_boot t;
	struct ww_boot first;
	uint64_t block_begin;
	struct ww_boot block_t;
	struct ww_h2_frame f; /* being read */
	uint32_t left;        /* bytes of its payload to come */
	uint32_t pad;         /* of them padding */
	uint32_t frame_max;
	uint32_t last_stream; /* the highest that began here */
	uint32_t block_stream;
	uint8_t state;
	uint8_t head_n, prefix_n, prefix_want;
	uint8_t head[WW_H2_HEADER_BYTES];
	uint8_t prefix[PREFIX_BYTES];
	bool in_block;
	bool block_push, block_ends;
	bool block_lost, block_over;
	bool settings; /* the first frame was read */
	bool found;    /* the place was lost before */
	bool doubt;    /* it rests on the length of a gap */
	struct ww_stray stray;
};

struct ww_http2 {
	struct side side[2];
	struct ww_h2_streams streams;
	uint32_t orphan_last; /* the highest stream that was answered before it was asked */
	uint8_t req_dir;
	bool opaque; /* it is no HTTP/2, or there was no memory */
	struct ww_h2_head head;
};

static bool is_request(const struct side *s)
{
	return s == &s->h->side[s->h->req_dir];
}

static struct side *request_side(struct ww_http2 *h)
{
	return &h->side[h->req_dir];
}

static struct side *response_side(struct ww_http2 *h)
{
	return &h->side[!h->req_dir];
}

static struct side *other_side(const struct side *s)
{
	return &s->h->side[s == &s->h->side[0]];
}

/* How far the stream has come in this direction. */
static void progress(struct side *s, struct ww_h2_stream *st)
{
	ww_message_progress(st->m, is_request(s), s->at, s->t);
}

/* --- what is not decoded ------------------------------------------------------------------------
 */

static void skip_bytes(struct side *s, uint64_t n)
{
	s->at += n;
	ww_stray_add(&s->stray, s->at - n, n, s->t, s->t);
}

/* Nothing on this connection was HTTP/2. */
static void give_up(struct ww_http2 *h)
{
	h->opaque = true;
	for (int i = 0; i < 2; i++) {
		struct side *s = &h->side[i];

		if (s->stray.bytes == 0)
			ww_stray_add(&s->stray, 0, s->at, s->first, s->t);
	}
}

static void leave_frame(struct side *s)
{
	ww_buf_wipe(&s->block);
	s->head_n = 0;
	s->left = s->pad = 0;
	s->in_block = false;
}

/* What this side may have allowed the other one is not known. */
static void lose_settings(const struct side *s)
{
	struct side *other = other_side(s);

	ww_hpack_allow(other->hpack, UINT32_MAX);
	other->frame_max = WW_H2_FRAME_MAX;
}

/* `n` bytes are lost, and the place among the frames with them. */
static void lose_place(struct side *s, uint64_t n)
{
	struct ww_http2 *h = s->h;

	s->at += n;
	s->state = LOST;
	s->found = true;
	leave_frame(s);
	ww_hpack_lost(s->hpack);
	lose_settings(s);
	s->frame_max = WW_H2_FRAME_MAX;
	if (is_request(s))
		ww_h2_streams_lose_requests(&h->streams, false);
	else
		ww_h2_streams_lose_responses(&h->streams, false);
}

static void broken(struct side *s)
{
	struct ww_http2 *h = s->h;

	/* What only looked like a frame, at a place that was not proven. */
	if (s->found || s->doubt) {
		lose_place(s, 0);
		return;
	}
	if (!request_side(h)->settings && request_side(h)->state == PREFACE) {
		give_up(h);
		return;
	}
	s->state = DEAD;
	leave_frame(s);
	s->stray.findings |= is_request(s) ? WW_X_MALFORMED_REQUEST : WW_X_MALFORMED_RESPONSE;
	if (is_request(s))
		ww_h2_streams_lose_requests(&h->streams, true);
	else
		ww_h2_streams_lose_responses(&h->streams, true);
}

/* --- heads --------------------------------------------------------------------------------------
 */

/*
 * The block into x by h->head; x NULL: for the table alone. False: it is broken, or was lost, and
 * the finding for that is in *ret_finding (0: the connection is, and that was dealt with).
 */
static bool read_block(struct side *s, struct ww_exchange *x, bool trailer, uint32_t *ret_finding)
{
	struct ww_http2 *h = s->h;
	struct ww_parse_error error;
	struct ww_hpack_field f;
	enum ww_parse r;

	ww_h2_head_begin(&h->head, h->streams.shared->bodies.key, is_request(s), trailer);
	if (s->block_lost || s->block_over) {
		ww_hpack_lost(s->hpack);
		*ret_finding = s->block_over   ? WW_X_LIMIT
			       : is_request(s) ? WW_X_GAP_REQUEST
					       : WW_X_GAP_RESPONSE;
		return false;
	}
	*ret_finding = 0;
	ww_hpack_begin(s->hpack, ww_buf_slice(&s->block));
	while ((r = ww_hpack_next(s->hpack, &f, &error)) == WW_PARSE_DONE || r == WW_PARSE_GAP)
		if (x)
			ww_h2_head_field(&h->head, x, &f);
	if (ww_hpack_starved(s->hpack))
		ww_messages_refuse(h->streams.shared, h->streams.f);
	if (r != WW_PARSE_END)
		return false;
	if (x)
		ww_h2_head_end(&h->head, x);
	return true;
}

static enum ww_coding coding_of(const struct ww_h2_head *head)
{
	return head->unknown ? WW_CODING_OTHER : (enum ww_coding)head->head.coding;
}

static void take_length(struct ww_h2_stream *st, const struct ww_h2_head *head, bool response)
{
	st->counted[response] = head->head.has_length;
	st->length[response] = head->head.length;
}

/* What the head of a new request tells. */
static void judge_request(struct side *s, struct ww_h2_stream *st)
{
	const struct ww_h2_head *head = &s->h->head;
	struct ww_message *m = st->m;

	m->line_done = true;
	m->is_head = strcmp(m->x.method, "HEAD") == 0;
	m->is_connect = strcmp(m->x.method, "CONNECT") == 0;
	take_length(st, head, false);
	if (head->malformed || head->limit) {
		m->x.findings |= head->limit ? WW_X_LIMIT : WW_X_MALFORMED_REQUEST;
		m->req_broken = true;
	}
	/* A field that is not known may be the one by which the request is told apart. */
	if (head->unknown) {
		m->x.findings |= WW_X_FIELDS_UNKNOWN | WW_X_FOUND_AGAIN;
		m->req_lost |= !m->x.method[0] || !m->x.target[0];
	}
}

static struct ww_h2_stream *add_stream(struct side *s)
{
	struct ww_http2 *h = s->h;
	struct ww_h2_stream *st =
		ww_h2_stream_add(&h->streams, s->block_stream, h->req_dir == WW_DIR_OUT);

	h->opaque |= !st;
	return st;
}

static void begin_request(struct side *s)
{
	struct ww_http2 *h = s->h;
	bool over = h->streams.count >= WW_H2_STREAMS_MAX, lost;
	struct ww_h2_stream *st = ww_h2_stream_find(&h->streams, s->block_stream);
	uint32_t finding;
	struct ww_message *m;

	/* Its answer was there before it: that one was told apart, and no other comes. */
	lost = s->block_stream <= h->orphan_last;
	if (st)
		ww_h2_stream_finish(&h->streams, st);
	s->last_stream = s->block_stream;
	st = add_stream(s);
	if (!st)
		return;
	m = st->m;
	m->x.req_offset = s->block_begin;
	m->x.t_first_req = s->block_t;
	m->x.findings |= s->found ? WW_X_FOUND_AGAIN : 0;
	if (lost || response_side(h)->state == LOST) {
		m->resp_lost = true;
		m->x.findings |= WW_X_GAP_RESPONSE;
	}
	m->resp_broken = response_side(h)->state == DEAD;
	if (read_block(s, &m->x, false, &finding)) {
		judge_request(s, st);
	} else if (finding) {
		m->x.findings |= finding;
		m->req_lost = true;
	} else {
		progress(s, st);
		broken(s);
		return;
	}
	ww_message_content(h->streams.shared, m, coding_of(&h->head));
	progress(s, st);
	if (over) {
		m->x.findings |= WW_X_LIMIT;
		m->req_broken = true;
		ww_h2_stream_finish(&h->streams, st);
	} else if (s->block_ends) {
		ww_h2_stream_end_request(&s->h->streams, st);
	}
}

/* Behind the content; also a block of a stream that is not followed. */
static void read_trailers(struct side *s, struct ww_h2_stream *st)
{
	uint32_t finding, malformed;
	struct ww_message *m = st ? st->m : NULL;
	bool ok = read_block(s, m ? &m->x : NULL, true, &finding);

	if (!ok && !finding) {
		broken(s);
		return;
	}
	if (!m)
		return;
	progress(s, st);
	malformed = is_request(s) ? WW_X_MALFORMED_REQUEST : WW_X_MALFORMED_RESPONSE;
	m->x.findings |= finding;
	if (ok && s->h->head.unknown) {
		m->x.findings |= WW_X_FIELDS_UNKNOWN;
		m->x.grpc.known = is_request(s) && m->x.grpc.known;
	}
	if (ok && (s->h->head.malformed || !s->block_ends)) {
		m->x.findings |= malformed;
		m->req_broken |= is_request(s);
		m->resp_broken |= !is_request(s);
	}
	if (is_request(s))
		ww_h2_stream_end_request(&s->h->streams, st);
	else
		ww_h2_stream_end_response(&s->h->streams, st);
}

static void request_block(struct side *s)
{
	struct ww_h2_stream *st = ww_h2_stream_find(&s->h->streams, s->block_stream);

	/* Section 5.1.1: "Streams initiated by a client MUST use odd-numbered stream identifiers",
	 * and a new one is higher than all before. */
	if (s->block_stream % 2 == 0)
		broken(s);
	else if (s->block_stream > s->last_stream)
		begin_request(s);
	else
		read_trailers(s, st && !ww_message_request_over(st->m) ? st : NULL);
}

/* What the head of a response tells. False: the stream is gone. */
static bool judge_response(struct side *s, struct ww_h2_stream *st)
{
	const struct ww_h2_head *head = &s->h->head;
	struct ww_message *m = st->m;
	unsigned status = m->x.status;

	if (!s->block_ends || head->unknown) /* only the end of the answer says how it ended */
		m->x.grpc = (struct ww_grpc_status){0};
	take_length(st, head, true);
	st->no_content = m->is_head || status == 204 || status == 304;
	if (head->malformed || head->limit || status == 101) {
		m->x.findings |= head->limit ? WW_X_LIMIT : WW_X_MALFORMED_RESPONSE;
		m->resp_broken = true;
	}
	if (head->unknown) {
		m->x.findings |= WW_X_FIELDS_UNKNOWN;
		if (!status) {
			m->x.findings |= WW_X_GAP_RESPONSE;
			m->resp_lost = true;
		}
	}
	if (m->is_connect && status / 100 == 2 && !m->orphan && !m->resp_broken && !m->req_lost &&
	    !m->req_broken) {
		m->x.outcome = WW_X_UPGRADED;
		progress(s, st);
		ww_h2_stream_finish(&s->h->streams, st);
		return false;
	}
	return true;
}

static void response_head(struct side *s, struct ww_h2_stream *st)
{
	struct ww_message *m = st->m;
	uint32_t finding;

	if (!m->resp_begun && !m->interim)
		m->x.resp_offset = s->block_begin;
	m->x.t_first_resp = s->block_t;
	m->x.findings |= s->found ? WW_X_GAP_RESPONSE : 0;
	if (!read_block(s, &m->x, false, &finding)) {
		progress(s, st);
		if (!finding) {
			broken(s);
			return;
		}
		m->x.findings |= finding;
		m->resp_lost = true;
	} else {
		if (ww_message_is_interim(m) && !s->block_ends && !s->h->head.malformed) {
			progress(s, st);
			ww_message_interim(m);
			return;
		}
		if (!judge_response(s, st))
			return;
	}
	m->resp_begun = true;
	ww_body_begin(&m->resp, &s->h->streams.shared->bodies, coding_of(&s->h->head));
	progress(s, st);
	if (s->block_ends || ww_message_response_over(m))
		ww_h2_stream_end_response(&s->h->streams, st);
}

/* A response whose request was not seen, or was never sent: a push. NULL: it is not followed. */
static struct ww_h2_stream *begin_orphan(struct side *s)
{
	struct ww_http2 *h = s->h;
	struct ww_h2_stream *st;

	if (s->block_stream % 2)
		h->orphan_last =
			s->block_stream > h->orphan_last ? s->block_stream : h->orphan_last;
	if (h->streams.count >= WW_H2_STREAMS_MAX)
		return NULL;
	st = add_stream(s);
	if (!st)
		return NULL;
	st->m->orphan = true;
	st->m->x.findings |= WW_X_RESPONSE_FIRST;
	return st;
}

static void response_block(struct side *s)
{
	const struct side *req = request_side(s->h);
	struct ww_h2_stream *st = ww_h2_stream_find(&s->h->streams, s->block_stream);
	bool closed = s->block_stream % 2 ? s->block_stream <= req->last_stream && !req->found
					  : s->block_stream <= s->last_stream;

	if (s->block_push) { /* what the client would have asked: for the table alone */
		read_trailers(s, NULL);
		return;
	}
	if (!st && !closed) {
		if (s->block_stream % 2 == 0)
			s->last_stream = s->block_stream;
		st = begin_orphan(s);
		if (s->h->opaque)
			return;
	}
	if (st && !st->m->resp_begun && !ww_message_response_over(st->m))
		response_head(s, st);
	else
		read_trailers(s, st && !ww_message_response_over(st->m) ? st : NULL);
}

static void end_block(struct side *s)
{
	s->in_block = false;
	if (is_request(s))
		request_block(s);
	else
		response_block(s);
	if (s->block.cap > BLOCK_KEEP) {
		ww_buf_wipe(&s->block);
	} else if (s->block.n > 0) {
		explicit_bzero(s->block.p, s->block.n);
		ww_buf_clear(&s->block);
	}
}

/* --- frames -------------------------------------------------------------------------------------
 */

static void take_setting(struct side *s)
{
	struct ww_cursor c = ww_cursor(ww_slice(s->prefix, s->prefix_n));
	struct side *other = other_side(s);
	uint32_t id = ww_cursor_be16(&c), value = ww_cursor_be32(&c);

	/* Since when the other side obeys a smaller one is not seen: the largest counts. */
	if (id == 1)
		ww_hpack_allow(other->hpack, value);
	else if (id == 5 && value > other->frame_max && value <= WW_H2_FRAME_MAX)
		other->frame_max = value;
}

/* The payload's first fields are there. */
static void take_prefix(struct side *s)
{
	switch (s->f.type) {
	case WW_H2_DATA:
	case WW_H2_HEADERS:
	case WW_H2_PUSH_PROMISE:
		s->pad = s->f.flags & WW_H2_PADDED ? s->prefix[0] : 0;
		/* Section 6.1: padding "the length of the frame payload or greater" is an error. */
		if (s->pad > s->left)
			broken(s);
		break;
	case WW_H2_SETTINGS:
		take_setting(s);
		s->prefix_n = 0;
		s->prefix_want = s->left >= 6 ? 6 : 0;
		break;
	default:
		break;
	}
}

static struct ww_body_keep *body_of(const struct side *s, struct ww_h2_stream *st)
{
	return is_request(s) ? &st->m->req : &st->m->resp;
}

/* The stream whose content this side is sending, NULL: it is not followed. */
static struct ww_h2_stream *receiving(struct side *s)
{
	struct ww_h2_stream *st = ww_h2_stream_find(&s->h->streams, s->f.stream);

	if (!st ||
	    (is_request(s) ? ww_message_request_over(st->m) : ww_message_response_over(st->m)))
		return NULL;
	return st;
}

static void take_data(struct side *s, struct ww_slice bytes)
{
	struct ww_h2_stream *st = receiving(s);
	struct ww_body_keep *k = st ? body_of(s, st) : NULL;

	if (!k)
		return;
	if (k->shared && (is_request(s) || !st->no_content)) {
		ww_body_add(k, bytes);
		return;
	}
	/* Content without a head, or where none may be. */
	st->m->resp_broken = true;
	st->m->x.findings |= WW_X_MALFORMED_RESPONSE;
	(void)ww_h2_stream_settle(&s->h->streams, st);
}

static void take_block(struct side *s, struct ww_slice bytes)
{
	int r;

	if (s->block_lost || s->block_over)
		return;
	r = ww_buf_add(&s->block, bytes.p, bytes.n);
	s->block_over = r == -EMSGSIZE;
	s->block_lost = r == -ENOMEM;
	if (s->block_lost)
		ww_messages_refuse(s->h->streams.shared, s->h->streams.f);
}

static void take_content(struct side *s, struct ww_slice bytes)
{
	switch (s->f.type) {
	case WW_H2_DATA:
		take_data(s, bytes);
		break;
	case WW_H2_HEADERS:
	case WW_H2_PUSH_PROMISE:
	case WW_H2_CONTINUATION:
		take_block(s, bytes);
		break;
	default:
		break;
	}
}

static void end_data(struct side *s)
{
	struct ww_h2_stream *st = receiving(s);

	if (!st)
		return;
	progress(s, st);
	if (!(s->f.flags & WW_H2_END_STREAM))
		return;
	if (is_request(s))
		ww_h2_stream_end_request(&s->h->streams, st);
	else
		ww_h2_stream_end_response(&s->h->streams, st);
}

/* Section 6.8: streams above the last one "were not and will not be processed". */
static void go_away(struct side *s)
{
	struct ww_cursor c = ww_cursor(ww_slice(s->prefix, s->prefix_n));
	uint32_t last = ww_cursor_be32(&c) & 0x7fffffff;
	struct ww_http2 *h = s->h;

	if (is_request(s) || !ww_cursor_ok(&c)) /* it may be lost */
		return;
	for (unsigned i = 0; i < h->streams.count;) {
		struct ww_h2_stream *st = &h->streams.items[i];

		if (st->id > last && st->id % 2)
			ww_h2_stream_cut(&h->streams, st, true);
		else
			i++;
	}
}

static void end_frame(struct side *s)
{
	struct ww_h2_stream *st;

	s->head_n = 0;
	s->settings = true;
	switch (s->f.type) {
	case WW_H2_DATA:
		end_data(s);
		break;
	case WW_H2_HEADERS:
	case WW_H2_PUSH_PROMISE:
	case WW_H2_CONTINUATION:
		if (s->f.flags & WW_H2_END_HEADERS)
			end_block(s);
		break;
	case WW_H2_RST_STREAM:
		st = ww_h2_stream_find(&s->h->streams, s->f.stream);
		if (st) {
			progress(s, st);
			ww_h2_stream_cut(&s->h->streams, st, true);
		}
		break;
	case WW_H2_GOAWAY:
		go_away(s);
		break;
	default:
		break;
	}
	if (s->state == RUN && !s->found && s->h->req_dir == WW_DIR_OUT && is_request(s) &&
	    !s->in_block)
		s->h->streams.f->read_out = s->at;
}

/* What its place says of a frame. */
static bool in_order(const struct side *s)
{
	const struct ww_h2_frame *f = &s->f;

	/* Section 3.4: SETTINGS "MUST be the first frame". */
	if (!s->settings && !s->found)
		return f->type == WW_H2_SETTINGS && !(f->flags & WW_H2_ACK);
	if (s->in_block)
		return f->type == WW_H2_CONTINUATION && f->stream == s->block_stream;
	if (f->type == WW_H2_CONTINUATION)
		return false;
	return f->type != WW_H2_PUSH_PROMISE || !is_request(s);
}

static void begin_frame(struct side *s)
{
	struct ww_h2_frame *f = &s->f;

	*f = ww_h2_frame(s->head);
	if (ww_h2_frame_wrong(f, s->frame_max) || !in_order(s)) {
		broken(s);
		return;
	}
	s->left = f->length;
	s->pad = 0;
	s->prefix_n = 0;
	s->prefix_want = (uint8_t)ww_h2_frame_prefix(f);
	if (f->type == WW_H2_HEADERS || f->type == WW_H2_PUSH_PROMISE) {
		s->in_block = true;
		s->block_push = f->type == WW_H2_PUSH_PROMISE;
		s->block_ends = f->type == WW_H2_HEADERS && f->flags & WW_H2_END_STREAM;
		s->block_lost = s->block_over = false;
		s->block_stream = f->stream;
		s->block_begin = s->begin;
		s->block_t = s->t;
	}
	if (s->left == 0)
		end_frame(s);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Bytes of the payload: its first fields, its content, its padding. Returns how many were taken. */
static size_t read_payload(struct side *s, struct ww_slice in)
{
	size_t n;

	if (s->prefix_n < s->prefix_want) {
		n = least(in.n, s->prefix_want - s->prefix_n);
		memcpy(s->prefix + s->prefix_n, in.p, n);
		s->prefix_n = (uint8_t)(s->prefix_n + n);
		s->left -= (uint32_t)n;
		s->at += n;
		if (s->prefix_n == s->prefix_want)
			take_prefix(s);
	} else if (s->left > s->pad) {
		n = least(in.n, s->left - s->pad);
		s->left -= (uint32_t)n;
		s->at += n;
		take_content(s, ww_slice_sub(in, 0, n));
	} else {
		n = least(in.n, s->left);
		s->left -= (uint32_t)n;
		s->at += n;
	}
	if (s->left == 0 && s->state == RUN)
		end_frame(s);
	return n;
}

static size_t read_head(struct side *s, struct ww_slice in)
{
	size_t n = least(in.n, WW_H2_HEADER_BYTES - s->head_n);

	if (s->head_n == 0)
		s->begin = s->at;
	memcpy(s->head + s->head_n, in.p, n);
	s->head_n = (uint8_t)(s->head_n + n);
	s->at += n;
	if (s->head_n == WW_H2_HEADER_BYTES)
		begin_frame(s);
	return n;
}

static size_t read_preface(struct side *s, struct ww_slice in)
{
	static const char preface[] = WW_H2_PREFACE;
	size_t n = least(in.n, sizeof(preface) - 1 - s->at);

	if (memcmp(in.p, preface + s->at, n) != 0) {
		give_up(s->h);
		return 0;
	}
	s->at += n;
	if (s->at == sizeof(preface) - 1)
		s->state = RUN;
	return n;
}

static void run(struct side *s, struct ww_slice in)
{
	while (in.n > 0 && s->state <= RUN && !s->h->opaque) {
		size_t n = s->state == PREFACE              ? read_preface(s, in)
			   : s->head_n < WW_H2_HEADER_BYTES ? read_head(s, in)
							    : read_payload(s, in);

		in = ww_slice_sub(in, n, in.n);
	}
	if (in.n > 0)
		skip_bytes(s, in.n);
}

/* --- the calls of proto.h -----------------------------------------------------------------------
 */

static void destroy(struct ww_http2 *h)
{
	for (int i = 0; i < 2; i++) {
		ww_hpack_free(h->side[i].hpack);
		ww_buf_wipe(&h->side[i].block);
	}
	free(h->streams.items);
	explicit_bzero(h, sizeof(*h));
	free(h);
}

int ww_http2_new(struct ww_messages *shared, enum ww_dir req_dir, struct ww_http2 **ret_http2)
{
	struct ww_http2 *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->streams.shared = shared;
	h->req_dir = (uint8_t)req_dir;
	for (int i = 0; i < 2; i++) {
		struct side *s = &h->side[i];

		s->h = h;
		s->frame_max = WW_H2_FRAME_DEFAULT;
		s->state = i == (int)req_dir ? PREFACE : RUN;
		ww_buf_init(&s->block, WW_HEAD_BYTES_MAX);
		if (ww_hpack_new(i == (int)req_dir ? ww_h2_request_wants : ww_h2_response_wants,
				 shared->bodies.key, &s->hpack) < 0) {
			destroy(h);
			return -ENOMEM;
		}
	}
	*ret_http2 = h;
	return 0;
}

static struct side *enter(struct ww_http2 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
			  struct ww_boot t)
{
	struct side *s = &h->side[dir == WW_DIR_IN];

	h->streams.f = f;
	s->at = offset;
	s->t = t;
	if (s->first.ns == 0)
		s->first = t;
	return s;
}

void ww_http2_bytes(struct ww_http2 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		    struct ww_slice bytes, struct ww_boot t)
{
	struct side *s = enter(h, f, dir, offset, t);

	if (s->state == LOST && !h->opaque && ww_h2_frames_begin(bytes, is_request(s))) {
		s->state = RUN;
		s->settings = true;
	}
	run(s, bytes);
}

/* All of a gap lies in the payload under way. */
static void skip_payload(struct side *s, uint32_t n)
{
	uint32_t content = s->left > s->pad ? s->left - s->pad : 0;
	struct ww_h2_stream *st = s->f.type == WW_H2_DATA ? receiving(s) : NULL;

	s->doubt = true;
	/* Without its first field the padding is not known: all may be content. */
	s->prefix_want = s->prefix_n;
	if (st && content > 0) {
		ww_body_gap(body_of(s, st), n < content ? n : content);
		st->m->x.findings |= is_request(s) ? WW_X_GAP_REQUEST : WW_X_GAP_RESPONSE;
	}
	s->block_lost |= s->in_block;
	if (s->f.type == WW_H2_SETTINGS)
		lose_settings(s);
	s->left -= n;
	s->at += n;
	if (s->left == 0)
		end_frame(s);
}

void ww_http2_gap(struct ww_http2 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		  uint64_t bytes, struct ww_boot t)
{
	struct side *s = enter(h, f, dir, offset, t);

	if (bytes == 0)
		return;
	if (h->opaque || s->state == DEAD)
		s->at += bytes;
	else if (s->state == RUN && s->head_n == WW_H2_HEADER_BYTES && bytes <= s->left &&
		 bytes > 1)
		skip_payload(s, (uint32_t)bytes);
	else
		lose_place(s, bytes);
}

void ww_http2_closed(struct ww_http2 *h, struct ww_flow *f)
{
	struct side *req = request_side(h), *resp = response_side(h);

	h->streams.f = f;
	while (h->streams.count > 0)
		ww_h2_stream_cut(&h->streams, &h->streams.items[0], false);
	if (req->state == LOST)
		req->stray.findings |= WW_X_GAP_REQUEST;
	if (resp->state == LOST)
		resp->stray.findings |= WW_X_GAP_RESPONSE;
	ww_message_strays(h->streams.shared, f, h->req_dir == WW_DIR_OUT, &req->stray,
			  &resp->stray);
	destroy(h);
}
