/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. Responses answer requests in the order in which those were sent (RFC 9112 section 9.3.2); a
 * response without a waiting request is an exchange of its own, marked RESPONSE_FIRST, and never
 * attached to a guess. Where the next request follows it without a hole, the order is not known:
 * nothing more is decoded.
 *  2. The parser of a direction runs only while its position in the message grammar is known. A gap
 * inside counted content (Content-Length, chunk, until close) keeps it; any other gap loses it.
 *  3. A lost position is found again only at the begin of what the application wrote or read, by a
 * complete start line, and only where the other direction leaves a place for it. It is *proven*
 * when the other direction came to rest in between; otherwise the message carries the GAP finding.
 *     Proof is against accidents only. Who wants to deceive begins another request in the hole and
 *     writes what looks like a request as its content: from there on every request of the
 *     connection is marked FOUND_AGAIN.
 *  4. After malformed framing or a reached ceiling nothing more of that direction is decoded.
 *  5. at is the plaintext offset of the next byte of a direction; every byte moves it once, decoded
 * or not.
 */
#include "proto/http1.h"

#include <errno.h>
#include <llhttp.h>

#include <wirewitness/limits.h>

#include "proto/head.h"
#include "proto/start_line.h"
#include "proto/websocket.h"

enum side_state {
	UNDECIDED, /* no byte seen that tells the role */
	RUN,
	WAIT,  /* request side: an upgrade was asked for, the response decides */
	LOST,  /* position lost by a gap */
	ENDED, /* the last message said that it is the last */
	DEAD,  /* malformed or over a ceiling */
};

struct side {
	llhttp_t parser;
	struct ww_http1 *h;
	struct ww_message *m;    /* being read */
	struct ww_message *lost; /* the one whose rest is dropped */
	uint64_t at;
	uint64_t begin; /* where the message being read began */
	struct ww_boot t;
	uint8_t state;
	bool held_h;    /* a first byte 'H' waits for the second */
	bool head_done; /* of m */
	bool until_close;
	bool in_chunk;
	bool filling;    /* the byte given to llhttp stands for a lost one */
	bool keep_alive; /* of the message just completed */
	bool limit;      /* the error is a ceiling, not the sender's grammar */
	bool unproven;   /* the next message begins at a place not proven */
	bool found;      /* the place was lost before */
	bool proven;
	bool early; /* bytes came while waiting for the upgrade's answer */
	struct ww_stray stray;
	struct ww_head head;
};

struct ww_http1 {
	struct ww_messages *shared;
	struct ww_flow *f; /* borrowed for the call */
	struct ww_message_queue queue;
	struct ww_message *orphan; /* response being read that answers no known request */
	struct ww_websocket *ws;   /* what follows the upgrade; NULL: none, or opaque */
	struct side side[2];       /* by enum ww_dir */
	int8_t req_dir;            /* -1: not decided */
	bool opaque;               /* nothing more is decoded on this connection */
	bool upgraded;             /* opaque because both ends agreed on it */
	bool pipelined;            /* seen to send requests without waiting */
	bool unasked; /* a response came that no request was seen for, and no hole since */
};

static bool is_request(const struct side *s)
{
	return s == &s->h->side[s->h->req_dir];
}

static struct side *request_side(struct ww_http1 *h)
{
	return &h->side[h->req_dir];
}

static struct side *response_side(struct ww_http1 *h)
{
	return &h->side[!h->req_dir];
}

/* --- the end of an exchange ------------------------------------------------------------------ */

static void finish(struct ww_http1 *h, struct ww_message *m)
{
	bool answered = m->resp_done && !(m->x.findings & WW_X_GAP_RESPONSE);

	for (int i = 0; i < 2; i++) {
		if (h->side[i].m == m)
			h->side[i].m = NULL;
		if (h->side[i].lost == m)
			h->side[i].lost = NULL;
	}
	if (h->orphan == m)
		h->orphan = NULL;
	else
		ww_message_unlink(&h->queue, m);
	ww_message_finish(h->shared, h->f, m);
	/* The requests sent so far are all answered: what comes next begins a request. */
	if (answered && !h->queue.head && !h->pipelined && request_side(h)->state == LOST)
		request_side(h)->proven = true;
}

/* Ends the waiting exchanges up to `until` (NULL: all) whose response is among the lost bytes. */
static void lose_waiting(struct ww_http1 *h, const struct ww_message *until)
{
	struct ww_message *m;

	while ((m = h->queue.head) && m != until) {
		if (!m->resp_done) {
			m->resp_lost = true;
			m->x.findings |= WW_X_GAP_RESPONSE;
		}
		finish(h, m);
	}
}

/* No response will be decoded any more: ends every exchange whose request is over. */
static void break_waiting(struct ww_http1 *h)
{
	struct ww_message *m, *next;

	for (m = h->queue.head; m; m = next) {
		next = m->next;
		if (!ww_message_request_over(m))
			continue;
		if (!m->resp_done) {
			m->resp_broken = true;
			m->x.findings |= response_side(h)->stray.findings;
		}
		finish(h, m);
	}
}

/* --- a message that will not get to its end -------------------------------------------------- */

/* How far the message under way has come. */
static void progress(struct side *s)
{
	if (s->m)
		ww_message_progress(s->m, is_request(s), s->at, s->t);
}

static void forget_partial_line(struct ww_message *m)
{
	if (m->line_done)
		return;
	explicit_bzero(m->x.target, sizeof(m->x.target));
	m->x.method[0] = '\0';
}

/* The request's framing is gone. The response may still tell something. */
static void end_request_early(struct side *s)
{
	struct ww_http1 *h = s->h;
	struct ww_message *m = s->m;

	forget_partial_line(m);
	s->m = NULL;
	if (m->resp_done)
		finish(h, m);
	else if (response_side(h)->state == DEAD)
		break_waiting(h);
}

/* `n` bytes are lost and the position with them. */
static void lose_place(struct side *s, uint64_t n)
{
	struct ww_http1 *h = s->h;
	struct ww_message *m = s->m;

	s->at += n;
	s->state = LOST;
	s->proven = false;
	s->lost = m;
	progress(s);
	for (struct ww_message *i = h->queue.head; i && !is_request(s); i = i->next)
		i->after_gap = false;
	if (!m)
		return;
	if (is_request(s)) {
		m->x.findings |= WW_X_GAP_REQUEST;
		m->req.gap = true;
		m->req_lost = true;
		end_request_early(s);
		s->proven = false; /* an answer before the hole was known proves nothing */
		return;
	}
	m->x.findings |= WW_X_GAP_RESPONSE;
	m->resp.gap = true;
	m->resp_lost = true;
	s->m = NULL;
	if (m->orphan)
		finish(h, m);
}

/* --- llhttp's callbacks ---------------------------------------------------------------------- */

static int begin_request(struct side *s)
{
	struct ww_http1 *h = s->h;
	struct side *resp = response_side(h);
	struct ww_message *m;

	if (h->unasked) {
		h->opaque = true;
		return -1;
	}
	/*
	 * An unknown request may have been HEAD, whose response has no content. That another
	 * request follows says that the response is over, wherever the fields put its end.
	 */
	if (resp->m && !resp->m->line_done && !h->pipelined)
		lose_place(resp, 0);
	if (resp->state == LOST && !h->pipelined)
		lose_waiting(h, NULL);
	if (h->queue.depth >= WW_PIPELINE_MAX) {
		s->limit = true;
		return -1;
	}
	m = ww_message_new(h->shared, h->f);
	if (!m) {
		h->opaque = true;
		return -1;
	}
	ww_message_push(&h->queue, m);
	m->after_gap = resp->state == LOST;
	m->x.client = h->req_dir == WW_DIR_OUT;
	m->x.req_offset = s->begin;
	m->x.t_first_req = s->t;
	if (s->unproven)
		m->x.findings |= WW_X_GAP_REQUEST;
	if (s->found)
		m->x.findings |= WW_X_FOUND_AGAIN;
	s->m = m;
	return 0;
}

static struct ww_message *new_orphan(struct ww_http1 *h)
{
	const struct side *req = request_side(h);
	struct ww_message *m = ww_message_new(h->shared, h->f);

	if (!m) {
		h->opaque = true;
		return NULL;
	}
	m->orphan = true;
	/* A place that was found again may be beside others that were lost. */
	h->unasked = req->state == RUN && req->at > 0 && !req->found && !response_side(h)->unproven;
	m->x.client = h->req_dir == WW_DIR_OUT;
	m->x.findings |= WW_X_RESPONSE_FIRST;
	h->orphan = m;
	return m;
}

static int begin_response(struct side *s)
{
	struct ww_http1 *h = s->h;
	struct ww_message *m = h->queue.head;

	if (h->orphan)
		m = h->orphan; /* after an interim response */
	else if (!m || m->resp_begun)
		m = new_orphan(h);
	if (!m)
		return -1;
	/* A second request that is there before the first is answered was not sent in reply. */
	if (m->next && !s->unproven)
		h->pipelined = true;
	m->resp_begun = true;
	if (!m->interim)
		m->x.resp_offset = s->begin;
	m->x.t_first_resp = s->t;
	if (s->unproven)
		m->x.findings |= WW_X_GAP_RESPONSE;
	s->m = m;
	return 0;
}

static int on_message_begin(llhttp_t *p)
{
	struct side *s = p->data;
	int r;

	ww_head_begin(&s->head, s->h->shared->bodies.key);
	s->head_done = s->until_close = s->in_chunk = false;
	r = is_request(s) ? begin_request(s) : begin_response(s);
	s->unproven = false;
	return r;
}

static int on_url(llhttp_t *p, const char *at, size_t n)
{
	struct side *s = p->data;
	char *target = s->m->x.target;
	size_t have = strnlen(target, sizeof(s->m->x.target)), room;

	room = sizeof(s->m->x.target) - 1 - have;
	if (n > WW_HEAD_BYTES_MAX - s->head.bytes) {
		s->limit = true;
		return -1;
	}
	s->head.bytes += (uint32_t)n;
	if (n > room) {
		n = room;
		s->m->x.findings |= WW_X_CUT;
	}
	memcpy(target + have, at, n);
	return 0;
}

static int on_url_complete(llhttp_t *p)
{
	struct side *s = p->data;
	const char *method = llhttp_method_name(p->method);

	memcpy(s->m->x.method, method, strnlen(method, sizeof(s->m->x.method) - 1));
	s->m->line_done = true;
	s->m->is_head = p->method == HTTP_HEAD;
	s->m->is_connect = p->method == HTTP_CONNECT;
	return 0;
}

static int on_header_field(llhttp_t *p, const char *at, size_t n)
{
	struct side *s = p->data;

	s->head.trailer = s->head_done;
	if (ww_head_name(&s->head, ww_slice(at, n)))
		return 0;
	s->limit = true;
	return -1;
}

static int on_header_value(llhttp_t *p, const char *at, size_t n)
{
	struct side *s = p->data;

	if (ww_head_value(&s->head, ww_slice(at, n), is_request(s)))
		return 0;
	s->limit = true;
	return -1;
}

/* A field may have no value: the name's end must not depend on one. */
static int on_header_field_complete(llhttp_t *p)
{
	struct side *s = p->data;

	/* RFC 9110 section 5.1: field-name = token, 1*tchar; llhttp takes none at all. */
	if (s->head.in_value || s->head.name_n == 0)
		return -1;
	return ww_head_value(&s->head, WW_SLICE_NULL, is_request(s)) ? 0 : -1;
}

static int on_header_value_complete(llhttp_t *p)
{
	struct side *s = p->data;

	ww_head_field(&s->head, &s->m->x, is_request(s));
	return 0;
}

static enum ww_coding coding_of(const struct ww_head *head)
{
	return head->transfer_other ? WW_CODING_OTHER : (enum ww_coding)head->coding;
}

static int request_head(struct side *s, llhttp_t *p)
{
	struct ww_message *m = s->m;

	m->wants_upgrade = p->upgrade;
	ww_head_authority(&m->x);
	ww_message_content(s->h->shared, m, coding_of(&s->head));
	return 0;
}

static int response_head(struct side *s, llhttp_t *p)
{
	struct ww_message *m = s->m;
	unsigned status = p->status_code;

	/* RFC 9112 section 4: status-code = 3DIGIT; llhttp takes fewer. */
	if (status < 100 || status > 999)
		return -1;
	m->x.status = p->status_code;
	ww_body_begin(&m->resp, &s->h->shared->bodies, coding_of(&s->head));
	/* RFC 9112 section 6.3, rules 1 and 2: no content whatever the fields say. */
	if (status < 200 || status == 204 || status == 304 || m->is_head ||
	    (m->is_connect && status / 100 == 2))
		return 1;
	s->until_close = llhttp_message_needs_eof(p);
	return 0;
}

static int on_headers_complete(llhttp_t *p)
{
	struct side *s = p->data;

	if (p->http_major != 1)
		return -1;
	s->head_done = true;
	ww_head_end(&s->head, &s->m->x, is_request(s));
	return is_request(s) ? request_head(s, p) : response_head(s, p);
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	struct side *s = p->data;

	if (!s->filling)
		ww_body_add(is_request(s) ? &s->m->req : &s->m->resp, ww_slice(at, n));
	return 0;
}

static int on_chunk_header(llhttp_t *p)
{
	struct side *s = p->data;

	s->in_chunk = p->content_length > 0;
	return 0;
}

static int on_chunk_complete(llhttp_t *p)
{
	struct side *s = p->data;

	s->in_chunk = false;
	return 0;
}

/* Pausing tells where the message ends; the parser then begins afresh with the next one. */
static int on_message_complete(llhttp_t *p)
{
	struct side *s = p->data;

	s->keep_alive = llhttp_should_keep_alive(p);
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_message_begin = on_message_begin,
	.on_url = on_url,
	.on_url_complete = on_url_complete,
	.on_header_field = on_header_field,
	.on_header_field_complete = on_header_field_complete,
	.on_header_value = on_header_value,
	.on_header_value_complete = on_header_value_complete,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_chunk_header = on_chunk_header,
	.on_chunk_complete = on_chunk_complete,
	.on_message_complete = on_message_complete,
};

static void begin_parser(struct side *s)
{
	llhttp_init(&s->parser, is_request(s) ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
	s->parser.data = s;
}

/* --- a message got to its end, or broke ------------------------------------------------------ */

static void request_done(struct side *s)
{
	struct ww_http1 *h = s->h;
	struct ww_message *m = s->m;

	s->m = NULL;
	m->req_done = true;
	m->x.findings |= ww_body_end(&m->req, true, WW_X_TRUNCATED_REQUEST, &m->x.req);
	if (m->wants_upgrade) {
		s->state = WAIT;
		s->early = false;
	} else if (!s->keep_alive) {
		s->state = ENDED;
	}
	if (m->resp_done)
		finish(h, m);
	else if (response_side(h)->state == DEAD)
		break_waiting(h);
}

static void begin_websocket(struct side *s, struct ww_message *m)
{
	const struct side *req = request_side(s->h);

	if (s->head.ws.unknown)
		m->x.findings |= WW_X_CODING_UNKNOWN;
	else if (ww_websocket_new(s->h->shared, &m->x, &s->head.ws, &s->h->ws) < 0)
		ww_messages_refuse(s->h->shared, s->h->f);
	else if (req->early)
		ww_websocket_no_begin(s->h->ws, &req->stray);
}

static void upgrade_done(struct side *s, struct ww_message *m)
{
	struct ww_http1 *h = s->h;

	/* RFC 9110 section 15.2.2: a switch that nobody asked for. */
	if (!m->is_connect && !m->wants_upgrade)
		m->x.findings |= WW_X_MALFORMED_RESPONSE;
	else if (m->x.status == 101 && s->head.ws.agreed)
		begin_websocket(s, m);
	m->x.outcome = WW_X_UPGRADED;
	finish(h, m);
	h->opaque = h->upgraded = true;
	request_side(h)->stray = (struct ww_stray){0}; /* sent before the answer, opaque as well */
}

/* The upgrade was refused. What was sent without waiting for that cannot be told apart. */
static void end_wait(struct side *req)
{
	req->state = req->early ? DEAD : RUN;
	if (req->early)
		req->stray.findings |= WW_X_MALFORMED_REQUEST;
}

static void response_done(struct side *s)
{
	struct ww_http1 *h = s->h;
	struct ww_message *m = s->m;
	struct side *req = request_side(h);

	s->m = NULL;
	if (ww_message_is_interim(m)) {
		ww_message_interim(m);
		return;
	}
	m->resp_done = true;
	m->x.findings |= ww_body_end(&m->resp, true, WW_X_TRUNCATED_RESPONSE, &m->x.resp);
	if (m->x.status == 101 || (m->is_connect && m->x.status / 100 == 2)) {
		upgrade_done(s, m);
		return;
	}
	if (!s->keep_alive)
		s->state = ENDED;
	if (req->state == WAIT && m == h->queue.tail)
		end_wait(req);
	if (ww_message_request_over(m))
		finish(h, m);
}

static void complete(struct side *s)
{
	progress(s);
	if (is_request(s))
		request_done(s);
	else
		response_done(s);
	begin_parser(s);
}

/* What looked like a request line is none, and nothing on this connection was one before. */
static bool never_was_http(const struct side *s, llhttp_errno_t err)
{
	const struct ww_message *m = s->m;

	if (err == HPE_PAUSED_H2_UPGRADE)
		return true;
	return err == HPE_INVALID_METHOD && is_request(s) && m && m->x.index == 0;
}

static void add_stray(struct side *s, uint64_t offset, uint64_t bytes, struct ww_boot first)
{
	if (!s->h->upgraded)
		ww_stray_add(&s->stray, offset, bytes, first, s->t);
}

/* Bytes that are not decoded. */
static void skip_bytes(struct side *s, uint64_t n)
{
	s->at += n;
	if (s->lost)
		ww_message_progress(s->lost, is_request(s), s->at, s->t);
	else
		add_stray(s, s->at - n, n, s->t);
}

static void broken(struct side *s, llhttp_errno_t err)
{
	struct ww_http1 *h = s->h;
	struct ww_message *m = s->m;
	uint32_t finding = is_request(s) ? WW_X_MALFORMED_REQUEST : WW_X_MALFORMED_RESPONSE;

	if (never_was_http(s, err)) {
		h->opaque = true;
		s->m = NULL;
		if (!m)
			return;
		add_stray(s, s->begin, s->at - s->begin, m->x.t_first_req);
		ww_message_unlink(&h->queue, m);
		ww_message_drop(h->shared, h->f, m);
		return;
	}
	if (h->opaque) /* no memory: counted where it failed */
		return;
	progress(s);
	finding = s->limit ? WW_X_LIMIT : finding;
	s->state = DEAD;
	s->stray.findings |= finding;
	if (m)
		m->x.findings |= finding;
	if (is_request(s)) {
		if (m) {
			m->req_broken = true;
			end_request_early(s);
		}
		return;
	}
	s->m = NULL;
	if (m) {
		m->resp_broken = true;
		if (ww_message_request_over(m))
			finish(h, m);
	}
	break_waiting(h);
}

/* RFC 9112 section 2.2: empty lines before a message are no part of it. */
static struct ww_slice skip_empty_lines(struct side *s, struct ww_slice in)
{
	size_t n = 0;

	while (n < in.n && (in.p[n] == '\r' || in.p[n] == '\n'))
		n++;
	s->at += n;
	return ww_slice_sub(in, n, in.n);
}

/* Gives bytes to the parser as long as its position is known; the rest is skipped. */
static void run(struct side *s, struct ww_slice in)
{
	for (;;) {
		const char *p, *stop;
		llhttp_errno_t err;
		size_t used;

		if (s->state == RUN && !s->h->opaque && !s->m)
			in = skip_empty_lines(s, in);
		if (in.n == 0 || s->state != RUN || s->h->opaque)
			break;
		p = (const char *)in.p;
		used = in.n;
		if (!s->m)
			s->begin = s->at;
		err = llhttp_execute(&s->parser, p, in.n);
		if (err != HPE_OK) {
			stop = llhttp_get_error_pos(&s->parser);
			used = stop >= p && stop <= p + in.n ? (size_t)(stop - p) : 0;
		}
		s->at += used;
		in = ww_slice_sub(in, used, in.n);
		if (err == HPE_OK)
			progress(s);
		else if (err == HPE_PAUSED)
			complete(s);
		else
			broken(s, err);
	}
	if (in.n == 0)
		return;
	if (s->h->ws) {
		ww_websocket_bytes(s->h->ws, s->h->f, !is_request(s), s->at, in, s->t);
		s->at += in.n;
		return;
	}
	if (s->state == WAIT)
		s->early = true;
	if (s->state == ENDED && !s->h->opaque) {
		/* RFC 9112 section 9.6: no further message after "close". */
		s->state = DEAD;
		s->stray.findings |=
			is_request(s) ? WW_X_MALFORMED_REQUEST : WW_X_MALFORMED_RESPONSE;
	}
	skip_bytes(s, in.n);
}

/* --- roles, and finding the place again ------------------------------------------------------ */

static void decide(struct ww_http1 *h, int req_dir)
{
	h->req_dir = (int8_t)req_dir;
	for (int i = 0; i < 2; i++) {
		begin_parser(&h->side[i]);
		if (h->side[i].state == UNDECIDED)
			h->side[i].state = RUN;
	}
}

static void found_again(struct side *s, bool proven)
{
	s->state = RUN;
	s->lost = NULL;
	s->found = true;
	s->unproven = !proven;
	begin_parser(s);
}

static bool find_request(struct side *s, struct ww_slice in)
{
	struct ww_http1 *h = s->h;
	bool other_lost = response_side(h)->state == LOST;
	bool proven = s->proven;

	if (!ww_start_line_is_request(in) || (h->queue.head && !other_lost))
		return false;
	if (other_lost)
		lose_waiting(h, NULL);
	found_again(s, proven);
	return true;
}

static bool find_response(struct side *s, struct ww_slice in)
{
	struct ww_http1 *h = s->h;
	struct ww_message *last = h->queue.tail;

	if (!ww_start_line_is_status(in))
		return false;
	/*
	 * Who waits for each answer before the next request can only be getting the last one's,
	 * unless that was due where the hole is: then its answer is lost, and this one answers a
	 * request that is lost as well.
	 */
	if (last && !last->resp_begun && !h->pipelined) {
		if (!last->after_gap && !ww_message_request_over(last))
			return false;
		lose_waiting(h, last->after_gap ? last : NULL);
		found_again(s, last->after_gap);
		return true;
	}
	if (last && request_side(h)->state != LOST)
		return false;
	lose_waiting(h, NULL);
	found_again(s, false);
	return true;
}

/* First bytes of a direction that joined late. */
static bool find_role(struct side *s, struct ww_slice in)
{
	struct ww_http1 *h = s->h;
	int dir = s == &h->side[WW_DIR_IN] ? WW_DIR_IN : WW_DIR_OUT;

	if (ww_start_line_is_request(in))
		decide(h, dir);
	else if (ww_start_line_is_status(in))
		decide(h, !dir);
	else
		return false;
	found_again(s, false);
	return true;
}

/* The first byte of a direction seen from its start. False: not HTTP/1, or one byte short of
 * knowing. */
static bool sniff(struct side *s, struct ww_slice in)
{
	struct ww_http1 *h = s->h;
	int dir = s == &h->side[WW_DIR_IN] ? WW_DIR_IN : WW_DIR_OUT;
	bool begins_with_h = s->held_h || in.p[0] == 'H';

	if (begins_with_h && !s->held_h && in.n == 1) {
		s->held_h = true;
		return false;
	}
	if (begins_with_h) /* no method begins with HT */
		decide(h, in.p[s->held_h ? 0 : 1] == 'T' ? !dir : dir);
	else if (in.p[0] >= 'A' && in.p[0] <= 'Z')
		decide(h, dir);
	else
		h->opaque = true;
	return !h->opaque;
}

/* --- the calls of proto.h -------------------------------------------------------------------- */

int ww_http1_new(struct ww_messages *shared, struct ww_http1 **ret_http1)
{
	struct ww_http1 *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->shared = shared;
	h->req_dir = -1;
	h->side[0].h = h->side[1].h = h;
	*ret_http1 = h;
	return 0;
}

static struct side *enter(struct ww_http1 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
			  struct ww_boot t)
{
	struct side *s = &h->side[dir == WW_DIR_IN];

	h->f = f;
	s->at = offset;
	s->t = t;
	return s;
}

void ww_http1_bytes(struct ww_http1 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		    struct ww_slice bytes, struct ww_boot t)
{
	struct side *s = enter(h, f, dir, offset, t);

	if (!h->opaque && s->state == UNDECIDED && !s->held_h)
		bytes = skip_empty_lines(s, bytes);
	if (bytes.n == 0)
		return;
	if (!h->opaque && s->state == UNDECIDED && !sniff(s, bytes)) {
		if (h->opaque)
			skip_bytes(s, bytes.n);
		else /* an 'H' that is decoded with the byte behind it */
			s->at += bytes.n;
		return;
	}
	if (s->held_h && !h->opaque) {
		s->held_h = false;
		s->at--;
		run(s, WW_SLICE_LIT("H"));
	}
	if (!h->opaque && s->state == LOST) {
		if (h->req_dir < 0)
			find_role(s, bytes);
		else if (is_request(s))
			find_request(s, bytes);
		else
			find_response(s, bytes);
	}
	run(s, bytes);
}

/* `n` bytes of counted content are lost: llhttp is moved over them. */
static void skip_content(struct side *s, uint64_t n)
{
	struct ww_message *m = s->m;
	uint8_t filler = 0;

	ww_body_gap(is_request(s) ? &m->req : &m->resp, n);
	m->x.findings |= is_request(s) ? WW_X_GAP_REQUEST : WW_X_GAP_RESPONSE;
	if (s->until_close || n < s->parser.content_length) {
		if (!s->until_close)
			s->parser.content_length -= n;
		s->at += n;
		progress(s);
		return;
	}
	/* The last of them ends the content: llhttp must see one byte to notice. */
	s->parser.content_length = 1;
	s->at += n - 1;
	s->filling = true;
	run(s, ww_slice(&filler, 1));
	s->filling = false;
}

void ww_http1_gap(struct ww_http1 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		  uint64_t bytes, struct ww_boot t)
{
	struct side *s = enter(h, f, dir, offset, t);
	bool counted;

	if (h->ws)
		ww_websocket_gap(h->ws, f, !is_request(s), offset, bytes, t);
	if (bytes == 0 || h->ws)
		return;
	if (s->held_h) {
		s->held_h = false;
		add_stray(s, s->at - 1, 1, t);
	}
	if (h->opaque || s->state == DEAD || s->state == ENDED || s->state == WAIT) {
		s->early = true;
		s->at += bytes;
		return;
	}
	if (h->req_dir < 0) {
		s->state = LOST;
		s->at += bytes;
		return;
	}
	counted = s->m && s->head_done && (s->in_chunk || !(s->parser.flags & F_CHUNKED)) &&
		  bytes <= s->parser.content_length;
	if (is_request(s))
		h->unasked = false;
	if (s->state == RUN && s->m && s->head_done && (s->until_close || counted))
		skip_content(s, bytes);
	else
		lose_place(s, bytes);
}

/* RFC 9112 section 8: content until close is whole when the sender of it closed in order. */
static bool closed_by_responder(const struct ww_http1 *h)
{
	return h->f->how == (h->req_dir == WW_DIR_OUT ? WW_CLOSE_FIN_PEER : WW_CLOSE_FIN_LOCAL);
}

static void finish_waiting(struct ww_http1 *h)
{
	struct side *resp = response_side(h);
	struct ww_message *m;

	if (resp->m && resp->head_done && resp->until_close && closed_by_responder(h)) {
		resp->m->x.resp.by_close = true;
		complete(resp);
	}
	if (resp->state == LOST)
		lose_waiting(h, NULL);
	if (h->opaque)
		break_waiting(h);
	while ((m = h->queue.head))
		finish(h, m);
	if (h->orphan)
		finish(h, h->orphan);
}

/* The direction of the requests; of a connection that never showed it, by who opened it. */
static int assumed_req_dir(const struct ww_http1 *h)
{
	if (h->req_dir >= 0)
		return h->req_dir;
	return h->f->role == WW_FLOW_ACCEPT ? WW_DIR_IN : WW_DIR_OUT;
}

static void report_strays(struct ww_http1 *h)
{
	int req_dir = assumed_req_dir(h);
	struct side *req = &h->side[req_dir], *resp = &h->side[!req_dir];

	if (req->state == LOST)
		req->stray.findings |= WW_X_GAP_REQUEST;
	if (resp->state == LOST)
		resp->stray.findings |= WW_X_GAP_RESPONSE;
	ww_message_strays(h->shared, h->f, req_dir == WW_DIR_OUT, &req->stray, &resp->stray);
}

void ww_http1_closed(struct ww_http1 *h, struct ww_flow *f)
{
	h->f = f;
	if (h->ws)
		ww_websocket_closed(h->ws, f);
	for (int i = 0; i < 2; i++)
		if (h->side[i].held_h)
			add_stray(&h->side[i], h->side[i].at - 1, 1, h->side[i].t);
	if (h->req_dir >= 0)
		finish_waiting(h);
	report_strays(h);
	explicit_bzero(h, sizeof(*h));
	free(h);
}
