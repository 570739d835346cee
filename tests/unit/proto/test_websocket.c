/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks the numbered invariants of websocket.c; the examples are those of RFC 6455 and RFC 7692.
 */
#include "rig.h"

#include <zlib.h>

#include "base/buf.h"

static struct rig r;

#define BODY_BYTES_MAX 2000

static int setup(void **state)
{
	rig_begin(&r, BODY_BYTES_MAX);
	return 0;
}

static int teardown(void **state)
{
	rig_end(&r);
	return 0;
}

static const char request[] = "GET /chat HTTP/1.1\r\nHost: chat.test\r\nConnection: Upgrade\r\n"
			      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n";

/* `extensions`: the server's answer to them, NULL: none. */
static void open_with(const char *extensions)
{
	rig_out(&r, request);
	rig_in(&r, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
		   "Upgrade: WebSocket\r\n");
	if (extensions) {
		rig_in(&r, "Sec-WebSocket-Extensions: ");
		rig_in(&r, extensions);
		rig_in(&r, "\r\n");
	}
	rig_in(&r, "\r\n");
	assert_int_equal(rig_x(&r, 0)->outcome, WW_X_UPGRADED);
}

static void again_with(const char *extensions)
{
	rig_again(&r, BODY_BYTES_MAX);
	open_with(extensions);
}

#define FIN  0x80
#define RSV1 0x40

/* Client's frames go out masked, server's come in plain. Returns the length. */
static size_t frame_put(uint8_t *out, bool from_client, uint8_t first, const void *content,
			size_t n)
{
	static const uint8_t mask[] = {0x37, 0xfa, 0x21, 0x3d};
	const uint8_t *c = content;
	size_t at = 0;

	out[at++] = first;
	out[at++] = (uint8_t)((n < 126 ? n : n < 65536 ? 126 : 127) | (from_client ? 0x80 : 0));
	for (int shift = n < 126 ? -8 : n < 65536 ? 8 : 56; shift >= 0; shift -= 8)
		out[at++] = (uint8_t)(n >> shift);
	if (from_client) {
		memcpy(out + at, mask, 4);
		at += 4;
	}
	for (size_t i = 0; i < n; i++)
		out[at++] = c[i] ^ (from_client ? mask[i & 3] : 0);
	return at;
}

static void send_frame(bool from_client, uint8_t first, const void *content, size_t n)
{
	uint8_t *raw = malloc(n + 14);

	assert_non_null(raw);
	rig_bytes(&r, from_client ? WW_DIR_OUT : WW_DIR_IN, raw,
		  frame_put(raw, from_client, first, content, n));
	free(raw);
}

static void client(uint8_t first, const char *content)
{
	send_frame(true, first, content, strlen(content));
}

static void server(uint8_t first, const char *content)
{
	send_frame(false, first, content, strlen(content));
}

static const struct ww_body *body_of(unsigned i)
{
	const struct ww_exchange *x = rig_x(&r, i);

	return x->req_bytes > 0 ? &x->req : &x->resp;
}

static void must_be(unsigned i, enum ww_ws_type type, enum ww_exchange_outcome outcome,
		    uint32_t findings, const char *content)
{
	const struct ww_exchange *x = rig_x(&r, i);

	assert_int_equal(x->ws.type, type);
	assert_int_equal(x->outcome, outcome);
	assert_int_equal(x->findings, findings);
	assert_int_equal(x->ws.opened_by, 0);
	assert_string_equal(x->authority, "chat.test");
	rig_body_is(body_of(i), content);
	assert_int_equal(body_of(i)->whole, outcome == WW_X_MESSAGE && !findings);
	assert_int_equal(x->method[0] || x->status, 0);
}

/* --- must not ----------------------------------------------------------------------------------
 */

static void must_not_find_a_lost_place_again(void **state)
{
	open_with(NULL);
	server(FIN | WW_WS_TEXT, "before");
	server(WW_WS_TEXT, "cut ");
	rig_gap(&r, WW_DIR_IN, 5);
	server(FIN | WW_WS_TEXT, "looks like a message");
	client(FIN | WW_WS_TEXT, "the other direction goes on");
	rig_gap(&r, WW_DIR_OUT, 1);
	client(FIN | WW_WS_TEXT, "until it is lost, too");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 5);
	must_be(1, WW_WS_TEXT, WW_X_MESSAGE, 0, "before");
	must_be(2, WW_WS_TEXT, WW_X_MESSAGE_CUT, WW_X_GAP_RESPONSE, "cut ");
	must_be(3, WW_WS_TEXT, WW_X_MESSAGE, 0, "the other direction goes on");
	assert_int_equal(rig_x(&r, 4)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 4)->findings, WW_X_GAP_REQUEST | WW_X_GAP_RESPONSE);
	assert_int_equal(rig_x(&r, 4)->req_bytes, 21 + 6);
	assert_int_equal(rig_x(&r, 4)->resp_bytes, 20 + 2);
}

/* A gap that takes all of a frame's rest and more says nothing of what is behind it. */
static void must_not_go_on_behind_a_gap_over_a_border(void **state)
{
	uint8_t raw[64];

	for (unsigned lost = 1; lost < 12; lost++) {
		size_t n = frame_put(raw, false, FIN | WW_WS_TEXT, "0123456789", 10);
		bool inside = lost <= 6;

		again_with(NULL);
		rig_bytes(&r, WW_DIR_IN, raw, 6);
		rig_gap(&r, WW_DIR_IN, lost);
		if (lost < n - 6)
			rig_bytes(&r, WW_DIR_IN, raw + 6 + lost, n - 6 - lost);
		server(FIN | WW_WS_TEXT, "next");
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(r.count, 3);
		must_be(1, WW_WS_TEXT, inside ? WW_X_MESSAGE : WW_X_MESSAGE_CUT, WW_X_GAP_RESPONSE,
			"0123");
		if (inside)
			must_be(2, WW_WS_TEXT, WW_X_MESSAGE, 0, "next");
		else
			assert_int_equal(rig_x(&r, 2)->outcome, WW_X_UNPARSED);
	}
}

static void must_refuse_malformed_frames(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *extensions;
		bool before; /* behind the first frame of a text */
	} c[] = {
#define BAD(s, extensions, before) {s, sizeof(s) - 1, extensions, before}
		BAD("\x81\x81mask!", NULL, false),                /* a server's frame with a mask */
		BAD("\xa1\x00", NULL, false),                     /* RSV2 */
		BAD("\x91\x00", NULL, false),                     /* RSV3 */
		BAD("\xc1\x00", NULL, false),                     /* RSV1, nothing agreed on */
		BAD("\x83\x00", NULL, false),                     /* reserved opcodes */
		BAD("\x8b\x00", NULL, false),                     /* */
		BAD("\x80\x00", NULL, false),                     /* continues nothing */
		BAD("\x09\x00", NULL, false),                     /* a ping in parts */
		BAD("\x89\x7e\x00\x7e", NULL, false),             /* a ping of 126 bytes */
		BAD("\x81\x7e\x00\x7d", NULL, false),             /* not the shortest length */
		BAD("\x81\x7f\0\0\0\0\0\0\xff\xff", NULL, false), /* not the shortest length */
		BAD("\x81\x7f\x80\0\0\0\0\x01\0\0", NULL, false), /* more than 63 bits */
		BAD("\xc9\x00", "permessage-deflate", false),     /* a compressed ping */
		BAD("\xc0\x00", "permessage-deflate", true),      /* RSV1 is of the first frame */
		BAD("\x81\x00", NULL, true),                      /* a text in a text */
#undef BAD
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		again_with(c[i].extensions);
		if (c[i].before)
			server(WW_WS_TEXT, "part");
		rig_bytes(&r, WW_DIR_IN, c[i].bytes, c[i].n);
		server(FIN | WW_WS_TEXT, "not read");
		client(FIN | WW_WS_TEXT, "read");
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(r.count, c[i].before ? 4 : 3);
		if (c[i].before)
			must_be(1, WW_WS_TEXT, WW_X_MESSAGE_CUT, WW_X_MALFORMED_RESPONSE, "part");
		must_be(r.count - 2, WW_WS_TEXT, WW_X_MESSAGE, 0, "read");
		assert_int_equal(rig_x(&r, r.count - 1)->outcome, WW_X_UNPARSED);
		assert_int_equal(rig_x(&r, r.count - 1)->findings, WW_X_MALFORMED_RESPONSE);
		assert_int_equal(rig_x(&r, r.count - 1)->resp_bytes,
				 10 + c[i].n - (c[i].before ? 2 : 0));
	}
	/* A client must mask. */
	again_with(NULL);
	rig_bytes(&r, WW_DIR_OUT, "\x81\x02hi", 4);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(rig_x(&r, 1)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 1)->findings, WW_X_MALFORMED_REQUEST);
}

static void must_not_read_what_came_before_the_answer(void **state)
{
	for (int lost = 0; lost < 2; lost++) {
		rig_again(&r, BODY_BYTES_MAX);
		rig_out(&r, request);
		if (lost)
			rig_gap(&r, WW_DIR_OUT, 8);
		else
			client(FIN | WW_WS_TEXT, "hi");
		rig_in(&r, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
			   "Upgrade: websocket\r\n\r\n");
		client(FIN | WW_WS_TEXT, "later");
		server(FIN | WW_WS_TEXT, "hello");
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(r.count, 3);
		must_be(1, WW_WS_TEXT, WW_X_MESSAGE, 0, "hello");
		assert_int_equal(rig_x(&r, 2)->outcome, WW_X_UNPARSED);
		assert_int_equal(rig_x(&r, 2)->findings,
				 lost ? WW_X_GAP_REQUEST : WW_X_MALFORMED_REQUEST);
		assert_int_equal(rig_x(&r, 2)->req_bytes, lost ? 11 : 19);
	}
}

static void must_not_guess_at_other_protocols(void **state)
{
	static const char *const other[] = {
		"x-webkit-deflate-frame",
		"permessage-deflate, x",
		"permessage-deflate; x",
		"permessage-deflate; server_max_window_bits",
		"permessage-deflate; server_max_window_bits=7",
		"permessage-deflate; client_max_window_bits=16",
		"permessage-deflate; server_no_context_takeover=1",
		"permessage-deflate; server_no_context_takeover; server_no_context_takeover",
		"permessage-deflate\r\nSec-WebSocket-Extensions: permessage-deflate",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(other); i++) {
		again_with(other[i]);
		assert_int_equal(rig_x(&r, 0)->findings, WW_X_CODING_UNKNOWN);
		server(FIN | WW_WS_TEXT, "hello");
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(r.count, 1);
	}
	rig_again(&r, BODY_BYTES_MAX);
	rig_out(&r, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
	rig_in(&r, "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
	server(FIN | WW_WS_TEXT, "hello");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 1);
}

/* A switch that nobody asked for. */
static void must_not_follow_an_answer_to_no_question(void **state)
{
	rig_out(&r, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_in(&r, "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	server(FIN | WW_WS_TEXT, "hello");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 1);
	assert_int_equal(rig_x(&r, 0)->findings, WW_X_MALFORMED_RESPONSE);
}

/* --- compression -------------------------------------------------------------------------------
 */

#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"

static void compressed(const char *bytes, size_t n)
{
	send_frame(false, FIN | RSV1 | WW_WS_TEXT, bytes, n);
}

static void examples_of_rfc_7692(void **state)
{
	open_with("permessage-deflate");
	send_frame(false, RSV1 | WW_WS_TEXT, "\xf2\x48\xcd", 3);
	send_frame(false, FIN, "\xc9\xc9\x07\x00", 4);
	compressed(HELLO, 7);
	compressed("\xf2\x00\x11\x00\x00", 5); /* refers to the one before */
	compressed("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
		   11);                                    /* a block without compression */
	compressed("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8); /* a block with BFINAL */
	compressed("\xf2\x00\x11\x00\x00", 5);             /* behind which the window stays */
	compressed("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13); /* two blocks */
	compressed("\x00", 1);                                                  /* empty */
	server(FIN | WW_WS_TEXT, "plain");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 10);
	for (unsigned i = 1; i <= 7; i++) {
		must_be(i, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
		assert_int_equal(body_of(i)->coding, WW_CODING_DEFLATE);
		assert_int_equal(body_of(i)->decoded_bytes, 5);
		assert_int_equal(rig_x(&r, i)->ws.frames, i == 1 ? 2 : 1);
	}
	assert_int_equal(body_of(2)->wire_bytes, 7);
	assert_int_equal(body_of(3)->wire_bytes, 5);
	must_be(8, WW_WS_TEXT, WW_X_MESSAGE, 0, "");
	must_be(9, WW_WS_TEXT, WW_X_MESSAGE, 0, "plain");
	assert_int_equal(body_of(9)->coding, WW_CODING_IDENTITY);
}

/* What was agreed on for one sender does not go for the other. */
static void must_not_use_a_context_that_was_dropped(void **state)
{
	static const char *const terms[] = {
		"permessage-deflate; server_no_context_takeover; server_max_window_bits=\"10\"",
		"Permessage-Deflate ;Client_No_Context_Takeover; client_max_window_bits = 8"};

	for (unsigned i = 0; i < 2; i++) {
		again_with(terms[i]);
		for (int from_client = 0; from_client < 2; from_client++) {
			send_frame(from_client, FIN | RSV1 | WW_WS_TEXT, HELLO, 7);
			send_frame(from_client, FIN | RSV1 | WW_WS_TEXT, "\xf2\x00\x11\x00\x00", 5);
			send_frame(from_client, FIN | RSV1 | WW_WS_TEXT, HELLO, 7);
		}
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(r.count, 7);
		for (unsigned from_client = 0; from_client < 2; from_client++) {
			bool dropped = from_client == i;

			must_be(1 + 3 * from_client, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
			/* A reference to nothing. */
			must_be(2 + 3 * from_client, WW_WS_TEXT, WW_X_MESSAGE,
				dropped ? WW_X_MALFORMED_CODING : 0, dropped ? "H" : "Hello");
			must_be(3 + 3 * from_client, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
		}
	}
}

/* After a hole in one compressed message those behind it cannot be decoded, and are not guessed. */
static void must_not_decode_behind_a_lost_context(void **state)
{
	for (int fresh = 0; fresh < 2; fresh++) {
		again_with(fresh ? "permessage-deflate; server_no_context_takeover"
				 : "permessage-deflate");
		compressed(HELLO, 7);
		rig_bytes(&r, WW_DIR_IN, "\xc1\x07\xf2\x48", 4);
		rig_gap(&r, WW_DIR_IN, 3);
		rig_bytes(&r, WW_DIR_IN, "\x07\x00", 2);
		compressed(HELLO, 7);
		server(FIN | WW_WS_TEXT, "plain");
		compressed(HELLO, 7);
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(r.count, 6);
		must_be(1, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
		assert_int_equal(rig_x(&r, 2)->findings, WW_X_GAP_RESPONSE);
		assert_false(body_of(2)->whole);
		assert_int_equal(body_of(2)->wire_bytes, 7);
		for (unsigned i = 3; i <= 5; i += 2) {
			if (fresh) {
				must_be(i, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
				continue;
			}
			assert_int_equal(rig_x(&r, i)->findings, WW_X_CODING_UNKNOWN);
			assert_int_equal(body_of(i)->coding, WW_CODING_OTHER);
			assert_false(body_of(i)->whole);
			assert_int_equal(body_of(i)->data.n, 7);
			assert_memory_equal(body_of(i)->data.p, HELLO, 7);
		}
		must_be(4, WW_WS_TEXT, WW_X_MESSAGE, 0, "plain");
	}
}

static void broken_and_cut_compression_is_said(void **state)
{
	open_with("permessage-deflate; server_no_context_takeover");
	compressed("\xff\xff\xff\xff", 4);
	compressed("\xf2\x48\xcd\xc9", 4); /* ends in the midst of a block */
	compressed(HELLO, 7);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 4);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(rig_x(&r, i)->outcome, WW_X_MESSAGE);
		assert_int_equal(rig_x(&r, i)->findings, WW_X_MALFORMED_CODING);
		assert_false(body_of(i)->whole);
	}
	must_be(3, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
}

static void bombs_are_stopped(void **state)
{
	static uint8_t zeros[1 << 20], raw[8192];
	z_stream d = {0};

	open_with("permessage-deflate; server_no_context_takeover");
	assert_int_equal(deflateInit2(&d, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	d.next_in = zeros;
	d.avail_in = sizeof(zeros);
	d.next_out = raw;
	d.avail_out = sizeof(raw);
	assert_int_equal(deflate(&d, Z_SYNC_FLUSH), Z_OK);
	compressed((const char *)raw, sizeof(raw) - d.avail_out - 4);
	deflateEnd(&d);
	compressed(HELLO, 7);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 3);
	assert_int_equal(rig_x(&r, 1)->findings, WW_X_BOMB | WW_X_TRUNCATED_RESPONSE);
	assert_int_equal(body_of(1)->data.n, BODY_BYTES_MAX);
	assert_true(body_of(1)->decoded_bytes < 64 << 10);
	must_be(2, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
}

/* --- must --------------------------------------------------------------------------------------
 */

/* Masked and not, in parts with a ping between, of all three lengths, closed by both. */
static void talk(void)
{
	static uint8_t longer[70000];

	open_with("permessage-deflate");
	client(FIN | WW_WS_TEXT, "Hello");
	client(WW_WS_TEXT, "Hel");
	client(FIN | 9, "ping");
	client(0, "");
	client(FIN | 10, "");
	client(FIN, "lo");
	for (size_t i = 0; i < sizeof(longer); i++)
		longer[i] = (uint8_t)(i * 7);
	send_frame(false, FIN | WW_WS_BINARY, longer, 125);
	send_frame(false, FIN | WW_WS_BINARY, longer, 126);
	send_frame(false, FIN | WW_WS_BINARY, longer, 65535);
	send_frame(false, FIN | WW_WS_BINARY, longer, 65536);
	compressed(HELLO, 7);
	compressed("\xf2\x00\x11\x00\x00", 5);
	server(FIN | 9, "");
	server(FIN | WW_WS_TEXT, "");
	send_frame(true, FIN | 8, "\x03\xe9going away", 12);
	send_frame(false, FIN | 8, "\x03\xe8", 2);
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

static void messages_are_told(void **state)
{
	talk();
	assert_int_equal(r.count, 12);
	must_be(1, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
	assert_true(rig_x(&r, 1)->client);
	assert_int_equal(rig_x(&r, 1)->req_offset, strlen(request));
	assert_int_equal(rig_x(&r, 1)->req_bytes, 11);
	assert_int_equal(rig_x(&r, 1)->resp_bytes, 0);
	must_be(2, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
	assert_int_equal(rig_x(&r, 2)->ws.frames, 3);
	assert_int_equal(rig_x(&r, 2)->ws.number, 1);
	assert_int_equal(rig_x(&r, 2)->req_offset, strlen(request) + 11);
	for (unsigned i = 0; i < 4; i++) {
		static const size_t n[] = {125, 126, 65535, 65536};

		assert_int_equal(rig_x(&r, 3 + i)->ws.type, WW_WS_BINARY);
		assert_int_equal(rig_x(&r, 3 + i)->ws.number, i);
		assert_int_equal(rig_x(&r, 3 + i)->findings,
				 n[i] > BODY_BYTES_MAX ? WW_X_TRUNCATED_RESPONSE : 0);
		assert_int_equal(body_of(3 + i)->wire_bytes, n[i]);
		assert_int_equal(body_of(3 + i)->data.n,
				 n[i] > BODY_BYTES_MAX ? BODY_BYTES_MAX : n[i]);
		assert_int_equal(body_of(3 + i)->data.p[100], (uint8_t)700);
	}
	must_be(7, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
	must_be(8, WW_WS_TEXT, WW_X_MESSAGE, 0, "Hello");
	must_be(9, WW_WS_TEXT, WW_X_MESSAGE, 0, "");
	assert_int_equal(rig_x(&r, 9)->ws.controls, 1);
	must_be(10, WW_WS_CLOSE, WW_X_MESSAGE, 0, "\x03\xe9going away");
	assert_int_equal(rig_x(&r, 10)->ws.close_code, 1001);
	assert_int_equal(rig_x(&r, 10)->ws.controls, 2);
	must_be(11, WW_WS_CLOSE, WW_X_MESSAGE, 0, "\x03\xe8");
	assert_int_equal(rig_x(&r, 11)->ws.close_code, 1000);
}

/* The same bytes in any pieces give the same: each byte on its own, and cut once at every place. */
static void every_split_gives_the_same(void **state)
{
	struct ww_buf in[2], whole, text;
	size_t step, cut = 0;

	ww_buf_init(&whole, 16 << 20);
	ww_buf_init(&text, 16 << 20);
	for (int dir = 0; dir < 2; dir++)
		ww_buf_init(&in[dir], 1 << 20);
	for (unsigned i = 0; i < 6; i++) {
		uint8_t raw[400];

		for (int dir = 0; dir < 2; dir++) {
			size_t n =
				frame_put(raw, dir == WW_DIR_OUT,
					  i % 3 ? FIN | WW_WS_TEXT : WW_WS_TEXT, "0123456789", i);

			assert_int_equal(ww_buf_add(&in[dir], raw, n), 0);
			n = frame_put(raw, dir == WW_DIR_OUT, FIN | 9, "ping", 4);
			assert_int_equal(ww_buf_add(&in[dir], raw, n), 0);
			if (i % 3 == 0) {
				memset(raw + 200, 'x', 130);
				n = frame_put(raw, dir == WW_DIR_OUT, FIN, raw + 200, 130);
				assert_int_equal(ww_buf_add(&in[dir], raw, n), 0);
			}
			n = frame_put(raw, dir == WW_DIR_OUT, FIN | RSV1 | WW_WS_TEXT, HELLO, 7);
			assert_int_equal(ww_buf_add(&in[dir], raw, n), 0);
		}
	}
	for (step = SIZE_MAX / 2; cut <= in[WW_DIR_IN].n; step = step == 1 ? SIZE_MAX / 2 : 1) {
		again_with("permessage-deflate");
		for (int dir = 0; dir < 2; dir++) {
			size_t n = cut < in[dir].n ? cut : in[dir].n;

			if (n > 0)
				rig_bytes(&r, (enum ww_dir)dir, in[dir].p, n);
			for (; n < in[dir].n; n += step)
				rig_bytes(&r, (enum ww_dir)dir, in[dir].p + n,
					  step < in[dir].n - n ? step : in[dir].n - n);
		}
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(r.count, 25);
		rig_text(&r, &text);
		if (whole.n == 0)
			assert_int_equal(ww_buf_add(&whole, text.p, text.n), 0);
		assert_true(ww_slice_eq(ww_buf_slice(&text), ww_buf_slice(&whole)));
		cut++;
	}
	for (int dir = 0; dir < 2; dir++)
		ww_buf_done(&in[dir]);
	ww_buf_done(&whole);
	ww_buf_done(&text);
}

/* The watched process is the server. */
static void the_servers_end_is_read_as_well(void **state)
{
	uint8_t raw[64];

	r.f.role = WW_FLOW_ACCEPT;
	rig_in(&r, request);
	rig_out(&r, "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	rig_bytes(&r, WW_DIR_IN, raw, frame_put(raw, true, FIN | WW_WS_TEXT, "question", 8));
	rig_bytes(&r, WW_DIR_OUT, raw, frame_put(raw, false, FIN | WW_WS_TEXT, "answer", 6));
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 3);
	must_be(1, WW_WS_TEXT, WW_X_MESSAGE, 0, "question");
	must_be(2, WW_WS_TEXT, WW_X_MESSAGE, 0, "answer");
	assert_false(rig_x(&r, 1)->client || rig_x(&r, 2)->client);
	assert_true(rig_x(&r, 1)->req_bytes > 0 && rig_x(&r, 2)->resp_bytes > 0);
}

/* The answer and the first message in one read; a message that the connection's end cuts. */
static void the_ends_of_a_connection(void **state)
{
	uint8_t raw[200] = "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
	size_t n = strlen((char *)raw);

	rig_out(&r, request);
	n += frame_put(raw + n, false, FIN | WW_WS_TEXT, "first", 5);
	n += frame_put(raw + n, false, WW_WS_TEXT, "half", 4);
	rig_bytes(&r, WW_DIR_IN, raw, n);
	rig_bytes(&r, WW_DIR_OUT, "\x81", 1);
	rig_close(&r, WW_CLOSE_RST_PEER);
	assert_int_equal(r.count, 4);
	must_be(1, WW_WS_TEXT, WW_X_MESSAGE, 0, "first");
	must_be(2, WW_WS_TEXT, WW_X_MESSAGE_CUT, 0, "half");
	assert_int_equal(rig_x(&r, 3)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 3)->req_bytes, 1);
}

static void closes(void **state)
{
	/* Without a code; with one byte; and data behind it. */
	open_with(NULL);
	server(FIN | 8, "");
	send_frame(true, FIN | 8, "\x03", 1);
	server(FIN | WW_WS_TEXT, "too late");
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 4);
	must_be(1, WW_WS_CLOSE, WW_X_MESSAGE, 0, "");
	assert_int_equal(rig_x(&r, 1)->ws.close_code, 0);
	assert_int_equal(rig_x(&r, 2)->ws.type, WW_WS_CLOSE);
	assert_int_equal(rig_x(&r, 2)->findings, WW_X_MALFORMED_REQUEST);
	assert_int_equal(rig_x(&r, 2)->ws.close_code, 0);
	assert_int_equal(rig_x(&r, 3)->outcome, WW_X_UNPARSED);
	assert_int_equal(rig_x(&r, 3)->findings, WW_X_MALFORMED_RESPONSE);
	assert_int_equal(rig_x(&r, 3)->resp_bytes, 10);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(must_not_find_a_lost_place_again),
		T(must_not_go_on_behind_a_gap_over_a_border),
		T(must_refuse_malformed_frames),
		T(must_not_read_what_came_before_the_answer),
		T(must_not_guess_at_other_protocols),
		T(must_not_follow_an_answer_to_no_question),
		T(must_not_use_a_context_that_was_dropped),
		T(must_not_decode_behind_a_lost_context),
		T(examples_of_rfc_7692),
		T(broken_and_cut_compression_is_said),
		T(bombs_are_stopped),
		T(messages_are_told),
		T(every_split_gives_the_same),
		T(the_servers_end_is_read_as_well),
		T(the_ends_of_a_connection),
		T(closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
