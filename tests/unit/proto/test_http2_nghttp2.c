/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http2.c over connections that two nghttp2 sessions speak with each other: whole, in pieces of any
 * size, joined late, and with holes. The truth is what nghttp2 told its two applications. An
 * exchange that claims to be complete is what they had, unless it says that it was found again
 * behind a loss. Deterministic: one generator, one seed.
 */
#include "rig.h"

#include <nghttp2/nghttp2.h>

#include "base/encode.h"

#define CALLS       24
#define PIECES_MAX  4096
#define BODY_MAX    40000
#define CONNECTIONS 30

static struct rig r;
static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

enum fate { ANSWERED, EARLY, RESET_BY_SERVER, RESET_BY_CLIENT, UNANSWERED, FATES };

struct call {
	int32_t stream;
	enum fate fate;
	bool head, interim, trailers, request_trailers, grpc;
	unsigned status;
	size_t request_bytes, response_bytes;
	uint8_t span[8];
	/* as nghttp2 told */
	bool server_has_request, client_has_response;
	size_t server_got, client_got;
	/* data providers */
	size_t request_sent, response_sent;
	bool answered;
};

struct talk {
	nghttp2_session *client, *server;
	struct call calls[CALLS];
	unsigned count;
	unsigned pieces;
	struct {
		enum ww_dir dir;
		uint8_t *p;
		size_t n;
	} piece[PIECES_MAX];
};

static struct call *by_stream(struct talk *t, int32_t stream)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->calls[i].stream == stream)
			return &t->calls[i];
	return NULL;
}

static uint8_t content(const struct call *c, size_t at, bool response)
{
	return (uint8_t)(c->stream * 7 + at * 3 + response);
}

static ssize_t pad(nghttp2_session *s, const nghttp2_frame *frame, size_t max, void *ctx)
{
	size_t n = frame->hd.length + (draw(4) ? 0 : draw(200));

	return (ssize_t)(n < max ? n : max);
}

#define NV(n, v)                                                                           \
	{                                                                                  \
		(uint8_t *)(n), (uint8_t *)(v), strlen(n), strlen(v), NGHTTP2_NV_FLAG_NONE \
	}

static ssize_t read_body(nghttp2_session *s, int32_t stream, uint8_t *buf, size_t n,
			 uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
	struct talk *t = ctx;
	struct call *c = by_stream(t, stream);
	bool response = s == t->server;
	size_t all = response ? c->response_bytes : c->request_bytes;
	size_t *sent = response ? &c->response_sent : &c->request_sent;
	nghttp2_nv grpc[] = {NV("grpc-status", "13"), NV("x-end", "1")};
	nghttp2_nv other[] = {NV("x-end", "1")};

	if (n > 1 + all - *sent)
		n = 1 + all - *sent;
	if (n > 1 && !draw(3))
		n = 1 + draw((uint32_t)n);
	if (n > all - *sent)
		n = all - *sent;
	for (size_t i = 0; i < n; i++)
		buf[i] = content(c, *sent + i, response);
	*sent += n;
	if (*sent == all) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (response ? c->trailers : c->request_trailers) {
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			assert_int_equal(nghttp2_submit_trailer(s, stream,
								response && c->grpc ? grpc : other,
								response && c->grpc ? 2 : 1),
					 0);
		}
	}
	return (ssize_t)n;
}

static void answer(struct talk *t, struct call *c)
{
	nghttp2_data_provider body = {.read_callback = read_body};
	char status[4], random[16];
	nghttp2_nv early[] = {NV(":status", "103"), NV("link", "</a>")};

	if (c->answered || c->fate == UNANSWERED || c->fate == RESET_BY_CLIENT)
		return;
	c->answered = true;
	if (c->fate == RESET_BY_SERVER) {
		assert_int_equal(
			nghttp2_submit_rst_stream(t->server, 0, c->stream, NGHTTP2_INTERNAL_ERROR),
			0);
		return;
	}
	snprintf(status, sizeof(status), "%u", c->status);
	snprintf(random, sizeof(random), "%u", draw(50));
	if (c->interim)
		assert_int_equal(
			nghttp2_submit_headers(t->server, 0, c->stream, NULL, early, 2, NULL), 0);
	{
		nghttp2_nv nv[] = {NV(":status", status),
				   NV("content-type", c->grpc ? "application/grpc" : "text/x"),
				   NV("x-random", random), NV("server", "test")};
		bool empty = c->head || c->response_bytes == 0;

		assert_int_equal(nghttp2_submit_response(t->server, c->stream, nv, 4,
							 empty && !c->trailers ? NULL : &body),
				 0);
	}
}

static int server_frame(nghttp2_session *s, const nghttp2_frame *f, void *ctx)
{
	struct talk *t = ctx;
	struct call *c = by_stream(t, f->hd.stream_id);
	bool last = f->hd.flags & NGHTTP2_FLAG_END_STREAM;

	if (!c || (f->hd.type != NGHTTP2_DATA && f->hd.type != NGHTTP2_HEADERS))
		return 0;
	if (last)
		c->server_has_request = true;
	if (last || (f->hd.type == NGHTTP2_HEADERS && c->fate == EARLY))
		answer(t, c);
	return 0;
}

static int client_frame(nghttp2_session *s, const nghttp2_frame *f, void *ctx)
{
	struct call *c = by_stream(ctx, f->hd.stream_id);

	if (c && (f->hd.type == NGHTTP2_DATA || f->hd.type == NGHTTP2_HEADERS) &&
	    f->hd.flags & NGHTTP2_FLAG_END_STREAM)
		c->client_has_response = true;
	return 0;
}

static int server_data(nghttp2_session *s, uint8_t flags, int32_t stream, const uint8_t *p,
		       size_t n, void *ctx)
{
	by_stream(ctx, stream)->server_got += n;
	return 0;
}

static int client_data(nghttp2_session *s, uint8_t flags, int32_t stream, const uint8_t *p,
		       size_t n, void *ctx)
{
	by_stream(ctx, stream)->client_got += n;
	return 0;
}

static nghttp2_session *session(struct talk *t, bool server)
{
	nghttp2_settings_entry window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20};
	nghttp2_session_callbacks *cb;
	nghttp2_session *s = NULL;

	assert_int_equal(nghttp2_session_callbacks_new(&cb), 0);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb,
							     server ? server_frame : client_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, server ? server_data
									     : client_data);
	nghttp2_session_callbacks_set_select_padding_callback(cb, pad);
	assert_int_equal(server ? nghttp2_session_server_new(&s, cb, t)
				: nghttp2_session_client_new(&s, cb, t),
			 0);
	nghttp2_session_callbacks_del(cb);
	assert_int_equal(nghttp2_submit_settings(s, 0, &window, 1), 0);
	return s;
}

static void send_some(struct talk *t, nghttp2_session *from, nghttp2_session *to, enum ww_dir dir)
{
	const uint8_t *p;
	ssize_t n = nghttp2_session_mem_send(from, &p);

	assert_true(n >= 0);
	if (n == 0)
		return;
	assert_true(t->pieces < PIECES_MAX);
	t->piece[t->pieces].dir = dir;
	t->piece[t->pieces].p = rig_copy(ww_slice(p, (size_t)n));
	t->piece[t->pieces++].n = (size_t)n;
	assert_int_equal(nghttp2_session_mem_recv(to, p, (size_t)n), n);
}

static void request(struct talk *t)
{
	static char big[20000];
	struct call *c = &t->calls[t->count];
	nghttp2_data_provider body = {.read_callback = read_body};
	char path[16], trace[64], random[16];

	memset(c, 0, sizeof(*c));
	c->fate = draw(3) ? ANSWERED : (enum fate)draw(FATES);
	c->head = !draw(8);
	c->interim = !draw(6);
	c->grpc = !draw(4);
	c->trailers = c->grpc || !draw(5);
	c->status = 200 + draw(100) % 99 + (draw(4) ? 0 : 200);
	if (c->status == 204 || c->status == 304)
		c->status = 200;
	c->request_bytes = draw(2) ? draw(BODY_MAX) : 0;
	c->response_bytes = draw(3) ? draw(BODY_MAX) : 0;
	c->request_trailers = c->request_bytes && !draw(6);
	if (c->head) {
		c->trailers = c->grpc = false;
		c->response_bytes = 0;
	}
	for (size_t i = 0; i < sizeof(c->span); i++)
		c->span[i] = (uint8_t)(1 + draw(255));
	snprintf(path, sizeof(path), "/r/%u", t->count);
	ww_put_text(ww_put_text(trace, "00-0123456789abcdef0123456789abcdef-"), "");
	ww_hex_encode(ww_slice(c->span, 8), trace + 36);
	memcpy(trace + 52, "-01", 4);
	memset(big, 'x', sizeof(big) - 1);
	snprintf(random, sizeof(random), "%u", draw(40));
	{
		nghttp2_nv nv[] = {
			NV(":method", c->head            ? "HEAD"
				      : c->request_bytes ? "POST"
							 : "GET"),
			NV(":scheme", "https"),
			NV(":authority", "payments.test"),
			NV(":path", path),
			NV("user-agent", "a client of the test"),
			NV("authorization", "Bearer of something"),
			NV("x-random", random),
			NV("traceparent", trace),
			NV("x-big", big),
		};

		c->stream = nghttp2_submit_request(t->client, NULL, nv, draw(12) ? 8 : 9,
						   c->request_bytes ? &body : NULL, NULL);
		assert_true(c->stream > 0);
	}
	t->count++;
}

/* Until nobody has anything to send. */
static void speak(struct talk *t)
{
	memset(t, 0, sizeof(*t));
	t->client = session(t, false);
	t->server = session(t, true);
	while (t->count < CALLS || nghttp2_session_want_write(t->client) ||
	       nghttp2_session_want_write(t->server)) {
		for (uint32_t i = draw(4); i > 0 && t->count < CALLS; i--)
			request(t);
		for (uint32_t i = draw(5); i > 0; i--)
			send_some(t, t->client, t->server, WW_DIR_OUT);
		for (uint32_t i = draw(5); i > 0; i--)
			send_some(t, t->server, t->client, WW_DIR_IN);
		for (unsigned i = 0; i < t->count; i++) {
			struct call *c = &t->calls[i];

			if (c->fate == RESET_BY_CLIENT && !c->answered && c->server_has_request) {
				c->answered = true;
				assert_int_equal(nghttp2_submit_rst_stream(t->client, 0, c->stream,
									   NGHTTP2_CANCEL),
						 0);
			}
		}
	}
}

static void silence(struct talk *t)
{
	for (unsigned i = 0; i < t->pieces; i++)
		free(t->piece[i].p);
	nghttp2_session_del(t->client);
	nghttp2_session_del(t->server);
}

static bool is_content(const struct call *c, const struct ww_body *b, bool response)
{
	for (size_t i = 0; i < b->data.n; i++)
		if (b->data.p[i] != content(c, i, response))
			return false;
	return true;
}

/* What a complete exchange says is what the applications had. */
static void check_complete(struct talk *t, const struct ww_exchange *x)
{
	struct call *c = by_stream(t, (int32_t)x->stream);
	char path[16];

	assert_non_null(c);
	snprintf(path, sizeof(path), "/r/%u", (unsigned)(c - t->calls));
	assert_string_equal(x->target, path);
	assert_string_equal(x->authority, "payments.test");
	assert_string_equal(x->method, c->head ? "HEAD" : c->request_bytes ? "POST" : "GET");
	assert_true(x->trace.present);
	assert_memory_equal(x->trace.span_id, c->span, 8);
	assert_true(c->fate == ANSWERED || c->fate == EARLY);
	assert_int_equal(x->status, c->status);
	/* Where the padding's length was lost it counts as content. */
	if (!(x->findings & WW_X_GAP_REQUEST))
		assert_int_equal(x->req.wire_bytes, c->request_bytes);
	if (!(x->findings & WW_X_GAP_RESPONSE))
		assert_int_equal(x->resp.wire_bytes, c->response_bytes);
	if (x->req.whole)
		assert_true(is_content(c, &x->req, false) && x->req.data.n == c->request_bytes);
	if (x->resp.whole)
		assert_true(is_content(c, &x->resp, true) && x->resp.data.n == c->response_bytes);
	if (!(x->findings & (WW_X_GAP_RESPONSE | WW_X_FIELDS_UNKNOWN)))
		assert_int_equal(x->grpc.known, c->grpc);
	if (x->grpc.known)
		assert_true(c->grpc && x->grpc.code == 13);
}

static void play(struct talk *t, size_t piece_max)
{
	for (unsigned i = 0; i < t->pieces; i++) {
		for (size_t at = 0; at < t->piece[i].n;) {
			size_t n = piece_max == 1 ? 1 : 1 + draw((uint32_t)piece_max);

			if (n > t->piece[i].n - at)
				n = t->piece[i].n - at;
			rig_bytes(&r, t->piece[i].dir, t->piece[i].p + at, n);
			at += n;
		}
	}
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

static uint64_t sent_by(const struct talk *t, enum ww_dir dir)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->pieces; i++)
		n += t->piece[i].dir == dir ? t->piece[i].n : 0;
	return n;
}

static void test_all_of_it(void **state)
{
	static const size_t pieces[] = {1, 7, 300, 100000};
	static struct talk t;

	for (unsigned c = 0; c < CONNECTIONS; c++) {
		unsigned complete = 0, reset = 0, no_reply = 0, want[3] = {0};

		seed = 0x1234567 + c;
		speak(&t);
		rig_again(&r, 0);
		play(&t, pieces[c % WW_ARRAY_SIZE(pieces)]);
		assert_int_equal(r.count, CALLS);
		for (unsigned i = 0; i < r.count; i++) {
			const struct ww_exchange *x = rig_x(&r, i);

			assert_int_equal(x->findings, 0);
			if (x->outcome == WW_X_COMPLETE) {
				check_complete(&t, x);
				assert_true(x->req.whole && x->resp.whole);
			}
			complete += x->outcome == WW_X_COMPLETE;
			reset += x->outcome == WW_X_RESET;
			no_reply += x->outcome == WW_X_NO_REPLY;
		}
		for (unsigned i = 0; i < t.count; i++) {
			bool answered = t.calls[i].client_has_response;

			want[0] += answered;
			want[1] += !answered && t.calls[i].fate != UNANSWERED;
			want[2] += t.calls[i].fate == UNANSWERED;
		}
		assert_int_equal(complete, want[0]);
		assert_int_equal(reset, want[1]);
		assert_int_equal(no_reply, want[2]);
		assert_int_equal(r.f.read_out, sent_by(&t, WW_DIR_OUT));
		silence(&t);
	}
}

#define HOLES 4

struct hole {
	enum ww_dir dir;
	uint64_t from, to;
};

static bool lost(const struct hole *holes, unsigned count, enum ww_dir dir, uint64_t at)
{
	for (unsigned i = 0; i < count; i++)
		if (holes[i].dir == dir && at >= holes[i].from && at < holes[i].to)
			return true;
	return false;
}

/* What an application wrote or read comes in one piece, but for the holes. */
static void play_holes(struct talk *t, const struct hole *holes, unsigned count)
{
	uint64_t at[2] = {0, 0};

	for (unsigned i = 0; i < t->pieces; i++) {
		enum ww_dir dir = t->piece[i].dir;

		for (size_t from = 0; from < t->piece[i].n;) {
			bool gone = lost(holes, count, dir, at[dir] + from);
			size_t to = from + 1;

			while (to < t->piece[i].n && lost(holes, count, dir, at[dir] + to) == gone)
				to++;
			if (gone)
				rig_gap(&r, dir, to - from);
			else
				rig_bytes(&r, dir, t->piece[i].p + from, to - from);
			from = to;
		}
		at[dir] += t->piece[i].n;
	}
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

struct tally {
	unsigned complete, found, unparsed;
};

static void check_all(struct talk *t, uint64_t first_lost_out, struct tally *n)
{
	for (unsigned i = 0; i < r.count; i++) {
		const struct ww_exchange *x = rig_x(&r, i);

		if (x->outcome == WW_X_COMPLETE && !(x->findings & WW_X_FIELDS_UNKNOWN))
			check_complete(t, x);
		n->complete += x->outcome == WW_X_COMPLETE && !(x->findings & WW_X_FOUND_AGAIN);
		n->found += x->outcome == WW_X_COMPLETE && x->findings & WW_X_FOUND_AGAIN;
		n->unparsed += x->outcome == WW_X_UNPARSED;
		/* That there was no reply is said only when none was lost. */
		if (x->outcome == WW_X_NO_REPLY || x->outcome == WW_X_RESET) {
			struct call *c = by_stream(t, (int32_t)x->stream);

			assert_true(c && !c->client_has_response);
		}
	}
	assert_true(r.f.read_out <= first_lost_out);
}

/* Invariants 1, 2, 4, 5. */
static void test_holes(void **state)
{
	struct tally n = {0};
	static struct talk t;

	for (unsigned c = 0; c < CONNECTIONS; c++) {
		seed = 0x7654321 + c;
		speak(&t);
		for (unsigned i = 0; i < 30; i++) {
			struct hole holes[HOLES];
			uint64_t first = UINT64_MAX;
			unsigned count = 1 + draw(HOLES);

			for (unsigned k = 0; k < count; k++) {
				struct hole *h = &holes[k];

				h->dir = (enum ww_dir)draw(2);
				h->from = draw((uint32_t)sent_by(&t, h->dir));
				h->to = h->from + 1 + draw(draw(3) ? 60 : 30000);
				if (h->dir == WW_DIR_OUT && h->from < first)
					first = h->from;
			}
			rig_again(&r, 0);
			r.f.role = WW_FLOW_CONNECT;
			play_holes(&t, holes, count);
			check_all(&t, sent_by(&t, WW_DIR_OUT), &n);
		}
		silence(&t);
	}
	print_message("complete %u, found again %u, unparsed %u\n", n.complete, n.found,
		      n.unparsed);
	assert_true(n.complete > CONNECTIONS * 30 * 4);
	assert_true(n.found > CONNECTIONS);
}

/* The connection is older than the watching: both directions begin somewhere. */
static void test_joined_late(void **state)
{
	struct tally n = {0};
	static struct talk t;

	for (unsigned c = 0; c < CONNECTIONS; c++) {
		seed = 0xabcdef + c;
		speak(&t);
		for (unsigned i = 1; i < t.pieces; i += 1 + draw(4)) {
			struct hole holes[2] = {{.dir = WW_DIR_OUT}, {.dir = WW_DIR_IN}};

			for (unsigned k = 0; k < i; k++)
				holes[t.piece[k].dir == WW_DIR_IN].to += t.piece[k].n;
			if (holes[0].to == 0) /* the requests are all there */
				continue;
			rig_again(&r, 0);
			r.f.role = WW_FLOW_CONNECT;
			play_holes(&t, holes, 2);
			check_all(&t, 0, &n);
			/* Nothing of it may be evidence. */
			for (unsigned k = 0; k < r.count; k++)
				assert_true(rig_x(&r, k)->findings &
						    (WW_X_FOUND_AGAIN | WW_X_RESPONSE_FIRST |
						     WW_X_GAP_REQUEST) ||
					    rig_x(&r, k)->outcome == WW_X_UNPARSED);
		}
		silence(&t);
	}
	print_message("complete %u, found again %u, unparsed %u\n", n.complete, n.found,
		      n.unparsed);
	assert_int_equal(n.complete, 0);
	assert_true(n.found > CONNECTIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_joined_late),
	};
	int failed;

	rig_begin(&r, 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rig_end(&r);
	return failed;
}
