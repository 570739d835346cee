/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. A direction is decoded only while its position in the frame grammar is known. Lost once, it
 * is lost for good; so it is after malformed framing, and behind a close frame.
 *  2. The result does not depend on how the input was split.
 *  3. at is the plaintext offset of the next byte of a direction; every byte moves it once, decoded
 * or not. No byte of a frame's content is decoded twice.
 *  4. Content of a compressed message is given only as far as the inflater got with all before it.
 */
#include "proto/websocket.h"

#include <errno.h>

#define HEAD_BYTES_MAX 14u
#define UNMASK_BYTES   4096u

/* RFC 6455 section 5.2. */
enum { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

enum state {
	RUN,
	LOST,  /* position lost by a gap */
	ENDED, /* a close frame was the last */
	DEAD,  /* malformed, or without memory */
};

struct direction {
	struct ww_message *m;     /* data message under way */
	struct ww_message *close; /* close frame under way */
	struct ww_inflate *inflate;
	uint64_t at;
	uint64_t begin; /* where the frame began */
	struct ww_boot t, t_begin;
	uint64_t left; /* of the frame's content */
	uint8_t head[HEAD_BYTES_MAX];
	uint8_t head_n;
	uint8_t mask_at;
	uint8_t opcode;
	uint8_t state;
	bool fin;
	bool masked;
	bool compressed; /* m is */
	bool inflating;  /* and decoded */
	uint8_t mask[4];
	uint8_t code[2]; /* of the close frame */
	uint8_t code_n;
	uint32_t numbers;
	uint32_t controls;
	uint64_t wire_bytes; /* content of m so far, as transferred */
	struct ww_stray stray;
};

struct ww_websocket {
	struct ww_messages *shared;
	struct ww_flow *f; /* borrowed for the call */
	struct ww_ws_terms terms;
	uint32_t opened_by;
	bool client; /* the watched process asked for the upgrade */
	char authority[256];
	struct direction side[2];
};

static bool from_client(const struct ww_websocket *w, const struct direction *d)
{
	return d == &w->side[WW_WS_CLIENT];
}

/* What of an exchange is of the sender. */
static struct ww_body_keep *keep_of(const struct ww_websocket *w, const struct direction *d,
				    struct ww_message *m)
{
	return from_client(w, d) ? &m->req : &m->resp;
}

static uint32_t bit_of(const struct ww_websocket *w, const struct direction *d, uint32_t request,
		       uint32_t response)
{
	return from_client(w, d) ? request : response;
}

/* --- messages -----------------------------------------------------------------------------------
 */

static struct ww_message *message_new(struct ww_websocket *w, struct direction *d, uint8_t type)
{
	struct ww_message *m = ww_message_new(w->shared, w->f);
	struct ww_exchange *x;

	if (!m)
		return NULL;
	x = &m->x;
	x->client = w->client;
	memcpy(x->authority, w->authority, sizeof(x->authority));
	x->ws = (struct ww_ws_message){
		.type = type,
		.opened_by = w->opened_by,
		.number = d->numbers++,
		.controls = d->controls,
	};
	d->controls = 0;
	if (from_client(w, d)) {
		x->req_offset = d->begin;
		x->t_first_req = d->t_begin;
	} else {
		x->resp_offset = d->begin;
		x->t_first_resp = d->t_begin;
	}
	return m;
}

/* Settles the body and delivers. `complete`: its last frame was seen to its end. */
static void message_end(struct ww_websocket *w, struct direction *d, struct ww_message *m,
			bool complete)
{
	struct ww_body *body = from_client(w, d) ? &m->x.req : &m->x.resp;
	bool inflated = m == d->m && d->inflating;

	ww_message_progress(m, from_client(w, d), d->at, d->t);
	m->x.outcome = complete ? WW_X_MESSAGE : WW_X_MESSAGE_CUT;
	m->x.findings |=
		ww_body_end(keep_of(w, d, m), complete,
			    bit_of(w, d, WW_X_TRUNCATED_REQUEST, WW_X_TRUNCATED_RESPONSE), body);
	if (inflated) {
		body->coding = WW_CODING_DEFLATE;
		body->wire_bytes = d->wire_bytes;
		body->whole &= !(m->x.findings & (WW_X_MALFORMED_CODING | WW_X_BOMB |
						  WW_X_GAP_REQUEST | WW_X_GAP_RESPONSE));
	}
	m->req_done = m->resp_done = true;
	if (m == d->m)
		d->m = NULL;
	else
		d->close = NULL;
	ww_message_finish(w->shared, w->f, m);
}

/* What is under way will not come to its end. */
static void cut(struct ww_websocket *w, struct direction *d, uint32_t finding)
{
	struct ww_message *open[] = {d->m, d->close};

	for (unsigned i = 0; i < 2; i++) {
		if (!open[i])
			continue;
		open[i]->x.findings |= finding;
		message_end(w, d, open[i], false);
	}
}

/* --- compression --------------------------------------------------------------------------------
 */

static void keep_decoded(void *ctx, struct ww_slice decoded)
{
	ww_body_add(ctx, decoded);
}

static bool inflate_ready(struct ww_websocket *w, struct direction *d)
{
	struct ww_bodies *b = &w->shared->bodies;
	struct ww_inflate_room room = {&b->held_bytes, &b->held_bytes_max};

	if (d->inflate)
		return true;
	if (b->held_bytes > b->held_bytes_max ||
	    b->held_bytes_max - b->held_bytes < WW_INFLATE_BYTES ||
	    ww_inflate_new(room, &d->inflate) < 0) {
		b->refused++;
		return false;
	}
	b->held_bytes += WW_INFLATE_BYTES;
	ww_inflate_messages(d->inflate);
	return true;
}

static void inflate_done(struct ww_websocket *w, struct direction *d)
{
	if (!d->inflate)
		return;
	ww_inflate_free(d->inflate);
	d->inflate = NULL;
	w->shared->bodies.held_bytes -= WW_INFLATE_BYTES;
}

/* Begins the content of d->m. */
static void content_begin(struct ww_websocket *w, struct direction *d)
{
	struct ww_bodies *b = &w->shared->bodies;
	bool fresh = w->terms.fresh[d == &w->side[WW_WS_SERVER]];

	d->wire_bytes = 0;
	d->inflating =
		d->compressed && inflate_ready(w, d) &&
		ww_inflate_message(d->inflate, fresh, b->body_bytes_max * WW_BODY_DECODED_CAPS_MAX);
	ww_body_begin(keep_of(w, d, d->m), b,
		      d->compressed && !d->inflating ? WW_CODING_OTHER : WW_CODING_IDENTITY);
}

/* Nothing more of it can be decoded: BAD, whose reason the inflater knows. */
static void inflate_broke(struct direction *d)
{
	d->m->x.findings |= ww_inflate_bomb(d->inflate)      ? WW_X_BOMB
			    : ww_inflate_starved(d->inflate) ? WW_X_LIMIT
							     : WW_X_MALFORMED_CODING;
}

static void content(struct ww_websocket *w, struct direction *d, struct ww_slice plain)
{
	struct ww_body_keep *k = keep_of(w, d, d->m);

	d->wire_bytes += plain.n;
	if (!d->inflating)
		ww_body_add(k, plain);
	else if (!k->gap && ww_inflate_feed(d->inflate, plain, keep_decoded, k) == WW_PARSE_BAD)
		inflate_broke(d);
}

static void content_end(struct ww_websocket *w, struct direction *d)
{
	struct ww_body_keep *k = keep_of(w, d, d->m);

	if (d->inflating && !k->gap &&
	    ww_inflate_message_end(d->inflate, keep_decoded, k) == WW_PARSE_BAD)
		inflate_broke(d);
}

/* --- frames -------------------------------------------------------------------------------------
 */

static bool is_control(uint8_t opcode)
{
	return opcode >= CLOSE;
}

static void broken(struct ww_websocket *w, struct direction *d)
{
	uint32_t finding = bit_of(w, d, WW_X_MALFORMED_REQUEST, WW_X_MALFORMED_RESPONSE);

	cut(w, d, finding);
	d->state = DEAD;
	d->stray.findings |= finding;
}

static unsigned head_length(const struct direction *d)
{
	unsigned n = 2 + (d->head[1] & 0x80 ? 4 : 0);

	if (d->head_n < 2)
		return 2;
	if ((d->head[1] & 0x7f) == 126)
		n += 2;
	else if ((d->head[1] & 0x7f) == 127)
		n += 8;
	return n;
}

/* The length of the content. False: not "the minimal number of bytes", or over 63 bits. */
static bool take_length(struct direction *d)
{
	unsigned n7 = d->head[1] & 0x7f, bytes = n7 == 126 ? 2 : n7 == 127 ? 8 : 0;
	uint64_t n = bytes ? 0 : n7;

	for (unsigned i = 0; i < bytes; i++)
		n = n << 8 | d->head[2 + i];
	d->left = n;
	return bytes == 0 || (bytes == 2 ? n > 125 : n > UINT16_MAX && n <= INT64_MAX);
}

/* What section 5 demands of a frame's first two bytes. */
static bool is_allowed(const struct ww_websocket *w, const struct direction *d)
{
	bool rsv1 = d->head[0] & 0x40;
	uint8_t opcode = d->head[0] & 0x0f;

	if (d->head[0] & 0x30 || !!(d->head[1] & 0x80) != from_client(w, d))
		return false;
	if (is_control(opcode))
		return opcode <= PONG && d->head[0] & 0x80 && !rsv1 && (d->head[1] & 0x7f) <= 125;
	/* RFC 7692 section 6: only of the first frame of a message, and only where agreed on. */
	if (opcode == CONTINUATION)
		return d->m && !rsv1;
	return opcode <= BINARY && !d->m && (!rsv1 || w->terms.deflate);
}

/* A frame's head is whole. False: malformed, or no memory. */
static bool frame_begin(struct ww_websocket *w, struct direction *d)
{
	if (!is_allowed(w, d) || !take_length(d)) {
		broken(w, d);
		return false;
	}
	d->opcode = d->head[0] & 0x0f;
	d->fin = d->head[0] & 0x80;
	d->masked = d->head[1] & 0x80;
	d->mask_at = 0;
	if (d->masked)
		memcpy(d->mask, d->head + d->head_n - 4, 4);
	d->head_n = 0;
	if (d->opcode == PING || d->opcode == PONG) {
		d->controls++;
	} else if (d->opcode == CLOSE) {
		d->code_n = 0;
		d->close = message_new(w, d, WW_WS_CLOSE);
		if (d->close)
			ww_body_begin(keep_of(w, d, d->close), &w->shared->bodies,
				      WW_CODING_IDENTITY);
	} else if (d->opcode != CONTINUATION) {
		d->compressed = d->head[0] & 0x40;
		d->m = message_new(w, d, d->opcode);
		if (d->m)
			content_begin(w, d);
	}
	if ((d->opcode == CLOSE && !d->close) || (d->opcode <= BINARY && !d->m)) {
		d->state = DEAD; /* told where it failed */
		return false;
	}
	if (d->opcode == CLOSE)
		d->close->x.ws.frames = 1;
	else if (d->m && d->opcode <= BINARY)
		d->m->x.ws.frames++;
	return true;
}

static void take_content(struct ww_websocket *w, struct direction *d, struct ww_slice plain)
{
	if (d->opcode == CLOSE) {
		for (size_t i = 0; i < plain.n && d->code_n < 2; i++)
			d->code[d->code_n++] = plain.p[i];
		ww_body_add(keep_of(w, d, d->close), plain);
	} else if (!is_control(d->opcode)) {
		content(w, d, plain);
	}
}

static void payload(struct ww_websocket *w, struct direction *d, struct ww_slice in)
{
	uint8_t block[UNMASK_BYTES];
	size_t n;

	if (!d->masked) {
		take_content(w, d, in);
		return;
	}
	for (size_t at = 0; at < in.n; at += n) {
		n = in.n - at < sizeof(block) ? in.n - at : sizeof(block);
		for (size_t i = 0; i < n; i++)
			block[i] = in.p[at + i] ^ d->mask[(d->mask_at + i) & 3];
		d->mask_at = (uint8_t)((d->mask_at + n) & 3);
		take_content(w, d, ww_slice(block, n));
	}
	explicit_bzero(block, in.n < sizeof(block) ? in.n : sizeof(block));
}

static void close_end(struct ww_websocket *w, struct direction *d)
{
	struct ww_message *m = d->close;

	/* Section 5.5.1: a body begins with a code of two bytes. */
	if (d->code_n == 1 && !keep_of(w, d, m)->gap)
		m->x.findings |= bit_of(w, d, WW_X_MALFORMED_REQUEST, WW_X_MALFORMED_RESPONSE);
	if (d->code_n == 2)
		m->x.ws.close_code = (uint16_t)(d->code[0] << 8 | d->code[1]);
	message_end(w, d, m, true);
	cut(w, d, 0);
	d->state = ENDED;
}

static void frame_end(struct ww_websocket *w, struct direction *d)
{
	if (d->opcode == CLOSE) {
		close_end(w, d);
	} else if (!is_control(d->opcode) && d->fin) {
		content_end(w, d);
		message_end(w, d, d->m, true);
	}
}

/* --- input --------------------------------------------------------------------------------------
 */

/* The next bytes of a frame's head. Returns how many; *ret_whole: it is complete. */
static size_t take_head(struct direction *d, struct ww_slice in, bool *ret_whole)
{
	size_t n = 0;

	if (d->head_n == 0) {
		d->begin = d->at;
		d->t_begin = d->t;
	}
	while (n < in.n && d->head_n < head_length(d))
		d->head[d->head_n++] = in.p[n++];
	*ret_whole = d->head_n >= 2 && d->head_n == head_length(d);
	return n;
}

static void run(struct ww_websocket *w, struct direction *d, struct ww_slice in)
{
	while (in.n > 0 && d->state == RUN) {
		bool whole = true, within = d->m;
		size_t n;

		if (d->left == 0) {
			n = take_head(d, in, &whole);
			d->at += n;
			if (whole && !frame_begin(w, d)) {
				if (!within)
					ww_stray_add(&d->stray, d->begin, d->at - d->begin,
						     d->t_begin, d->t);
				in = ww_slice_sub(in, n, in.n);
				break;
			}
		} else {
			n = in.n < d->left ? in.n : (size_t)d->left;
			payload(w, d, ww_slice_sub(in, 0, n));
			d->left -= n;
			d->at += n;
		}
		in = ww_slice_sub(in, n, in.n);
		if (whole && d->left == 0)
			frame_end(w, d);
	}
	if (in.n > 0 && d->state == ENDED) /* "MUST NOT send any more data frames" */
		d->stray.findings |= bit_of(w, d, WW_X_MALFORMED_REQUEST, WW_X_MALFORMED_RESPONSE);
	ww_stray_add(&d->stray, d->at, in.n, d->t, d->t);
	d->at += in.n;
}

static struct direction *enter(struct ww_websocket *w, struct ww_flow *f, int from, uint64_t offset,
			       struct ww_boot t)
{
	struct direction *d = &w->side[from];

	w->f = f;
	d->at = offset;
	d->t = t;
	return d;
}

void ww_websocket_bytes(struct ww_websocket *w, struct ww_flow *f, int from, uint64_t offset,
			struct ww_slice bytes, struct ww_boot t)
{
	run(w, enter(w, f, from, offset, t), bytes);
}

/* `n` bytes of the frame's content are lost; where it ends is known all the same. */
static void skip_content(struct ww_websocket *w, struct direction *d, uint64_t n)
{
	struct ww_message *m = d->opcode == CLOSE ? d->close : is_control(d->opcode) ? NULL : d->m;

	if (m) {
		m->x.findings |= bit_of(w, d, WW_X_GAP_REQUEST, WW_X_GAP_RESPONSE);
		if (m == d->m && d->inflating)
			keep_of(w, d, m)->gap = true;
		else
			ww_body_gap(keep_of(w, d, m), n);
		if (m == d->m)
			d->wire_bytes += n;
		else
			d->code_n = 3; /* not known */
	}
	d->mask_at = (uint8_t)((d->mask_at + n) & 3);
	d->left -= n;
	d->at += n;
	if (d->left == 0)
		frame_end(w, d);
}

void ww_websocket_gap(struct ww_websocket *w, struct ww_flow *f, int from, uint64_t offset,
		      uint64_t bytes, struct ww_boot t)
{
	struct direction *d = enter(w, f, from, offset, t);
	uint32_t finding = bit_of(w, d, WW_X_GAP_REQUEST, WW_X_GAP_RESPONSE);

	if (d->state != RUN || bytes == 0)
		return;
	if (d->left > 0 && bytes <= d->left) {
		skip_content(w, d, bytes);
		return;
	}
	if (d->head_n > 0 && !d->m) /* of a message that will not be told */
		ww_stray_add(&d->stray, d->begin, d->at - d->begin, d->t_begin, d->t);
	cut(w, d, finding);
	d->state = LOST;
	d->stray.findings |= finding;
}

/* --- life ---------------------------------------------------------------------------------------
 */

int ww_websocket_new(struct ww_messages *shared, const struct ww_exchange *upgraded,
		     const struct ww_ws_terms *terms, struct ww_websocket **ret_websocket)
{
	struct ww_websocket *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->shared = shared;
	w->terms = *terms;
	w->opened_by = upgraded->index;
	w->client = upgraded->client;
	memcpy(w->authority, upgraded->authority, sizeof(w->authority));
	*ret_websocket = w;
	return 0;
}

void ww_websocket_no_begin(struct ww_websocket *w, const struct ww_stray *early)
{
	struct direction *d = &w->side[WW_WS_CLIENT];

	d->state = LOST;
	d->stray = *early;
	/* RFC 6455 section 4.1: the client waits for the answer. */
	d->stray.findings |= early->bytes ? WW_X_MALFORMED_REQUEST : WW_X_GAP_REQUEST;
}

void ww_websocket_closed(struct ww_websocket *w, struct ww_flow *f)
{
	struct direction *client = &w->side[WW_WS_CLIENT], *server = &w->side[WW_WS_SERVER];

	w->f = f;
	for (int i = 0; i < 2; i++) {
		struct direction *d = &w->side[i];

		if (d->head_n > 0 && !d->m && d->state == RUN)
			ww_stray_add(&d->stray, d->begin, d->at - d->begin, d->t_begin, d->t);
		cut(w, d, 0);
		inflate_done(w, d);
	}
	ww_message_strays(w->shared, f, w->client, &client->stray, &server->stray);
	explicit_bzero(w, sizeof(*w));
	free(w);
}
