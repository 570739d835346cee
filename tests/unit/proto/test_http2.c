/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 by hand: the prefaces, ends of streams and connections, what is refused, ceilings, holes.
 */
#include "rig.h"

#include <wirewitness/limits.h>

#include "proto/h2_frame.h"
#include "proto/http2.h"

static struct rig r;

#define SETTINGS "\0\0\0\4\0\0\0\0\0"

static int setup(void **state)
{
	rig_begin(&r, 0);
	return 0;
}

static int teardown(void **state)
{
	rig_end(&r);
	return 0;
}

static void raw(enum ww_dir dir, const char *p, size_t n)
{
	rig_bytes(&r, dir, p, n);
}

static void begin(void)
{
	rig_again(&r, 0);
	raw(WW_DIR_OUT, WW_H2_PREFACE SETTINGS, sizeof(WW_H2_PREFACE SETTINGS) - 1);
	raw(WW_DIR_IN, SETTINGS, sizeof(SETTINGS) - 1);
}

static size_t put_frame(char *out, uint8_t type, uint8_t flags, uint32_t stream, const char *p,
			size_t n)
{
	const uint8_t head[9] = {(uint8_t)(n >> 16),
				 (uint8_t)(n >> 8),
				 (uint8_t)n,
				 type,
				 flags,
				 (uint8_t)(stream >> 24),
				 (uint8_t)(stream >> 16),
				 (uint8_t)(stream >> 8),
				 (uint8_t)stream};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), p, n);
	return sizeof(head) + n;
}

static void frame(enum ww_dir dir, uint8_t type, uint8_t flags, uint32_t stream, const char *p,
		  size_t n)
{
	char *out = malloc(n + 9);

	assert_non_null(out);
	raw(dir, out, put_frame(out, type, flags, stream, p, n));
	free(out);
}

#define LIT(s) (s), sizeof(s) - 1
#define END    (WW_H2_END_STREAM | WW_H2_END_HEADERS)
#define HEAD   WW_H2_END_HEADERS

/* :scheme https, :path /a, :authority a; the method comes before. */
#define REST                     \
	"\x87\x04\x02/a\x01\x01" \
	"a"
#define GET                 "\x82" REST
#define POST                "\x83" REST
#define OK                  "\x88"
#define FIELD(n, nl, v, vl) "\x10" nl n vl v

static void get(uint32_t stream)
{
	frame(WW_DIR_OUT, WW_H2_HEADERS, END, stream, LIT(GET));
}

static void is(unsigned i, enum ww_exchange_outcome outcome, uint32_t findings, unsigned status)
{
	const struct ww_exchange *x = rig_x(&r, i);

	assert_int_equal(x->outcome, outcome);
	assert_int_equal(x->findings, findings);
	assert_int_equal(x->status, status);
}

static void test_one_exchange(void **state)
{
	const struct ww_exchange *x;

	begin();
	frame(WW_DIR_OUT, WW_H2_HEADERS, HEAD, 1, LIT(POST));
	frame(WW_DIR_OUT, WW_H2_DATA, WW_H2_END_STREAM, 1, LIT("{\"a\":1}"));
	frame(WW_DIR_IN, WW_H2_SETTINGS, WW_H2_ACK, 0, "", 0);
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 1,
	      LIT(OK FIELD("content-type", "\x0c", "text/x", "\x06")));
	frame(WW_DIR_IN, WW_H2_DATA, WW_H2_END_STREAM, 1, LIT("hello"));
	assert_int_equal(r.count, 1); /* it does not wait for the connection's end */
	is(0, WW_X_COMPLETE, 0, 200);
	x = rig_x(&r, 0);
	assert_string_equal(x->method, "POST");
	assert_string_equal(x->target, "/a");
	assert_string_equal(x->authority, "a");
	assert_string_equal(x->resp.content_type, "text/x");
	assert_int_equal(x->stream, 1);
	assert_true(x->client && x->req.whole && x->resp.whole);
	rig_body_is(&x->req, "{\"a\":1}");
	rig_body_is(&x->resp, "hello");
	/* The range from the first byte of the first frame to the last of the last one. */
	assert_int_equal(x->req_offset, 24 + 9);
	assert_int_equal(x->req_bytes, 9 + sizeof(POST) - 1 + 9 + 7);
	assert_int_equal(x->resp_offset, 9 + 9);
	assert_int_equal(r.f.read_out, x->req_offset + x->req_bytes);
	frame(WW_DIR_OUT, WW_H2_WINDOW_UPDATE, 0, 0, LIT("\0\0\1\0"));
	assert_int_equal(r.f.read_out, x->req_offset + x->req_bytes + 13);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 1);
}

static void test_interleaved(void **state)
{
	begin();
	get(1);
	frame(WW_DIR_OUT, WW_H2_HEADERS, HEAD, 3, LIT(POST));
	get(5);
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 5, LIT(OK));
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 1, LIT("\x8d")); /* 404 */
	frame(WW_DIR_IN, WW_H2_DATA, 0, 5, LIT("fi"));
	frame(WW_DIR_IN, WW_H2_DATA, WW_H2_END_STREAM, 1, LIT("one"));
	frame(WW_DIR_OUT, WW_H2_DATA, WW_H2_END_STREAM, 3, LIT("x"));
	frame(WW_DIR_IN, WW_H2_DATA, WW_H2_END_STREAM, 5, LIT("ve"));
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 3, LIT("\x8e")); /* 500 */
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 3);
	is(0, WW_X_COMPLETE, 0, 404);
	is(1, WW_X_COMPLETE, 0, 200);
	is(2, WW_X_COMPLETE, 0, 500);
	rig_body_is(&rig_x(&r, 0)->resp, "one");
	rig_body_is(&rig_x(&r, 1)->resp, "five");
	rig_body_is(&rig_x(&r, 2)->req, "x");
}

/* Who asks is told apart, also where the table says it. */
static void test_callers(void **state)
{
	begin();
	frame(WW_DIR_OUT, WW_H2_HEADERS, END, 1,
	      LIT(GET "\x57\2"
		      "aa"));
	frame(WW_DIR_OUT, WW_H2_HEADERS, END, 3, LIT(GET "\xbe"));
	frame(WW_DIR_OUT, WW_H2_HEADERS, END, 5,
	      LIT(GET "\x57\2"
		      "bb"));
	get(7);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	for (unsigned i = 0; i < 4; i++)
		assert_true(rig_x(&r, i)->caller_known);
	assert_true(rig_x(&r, 0)->caller != 0 && rig_x(&r, 0)->caller == rig_x(&r, 1)->caller);
	assert_true(rig_x(&r, 0)->caller != rig_x(&r, 2)->caller);
	assert_int_equal(rig_x(&r, 3)->caller, 0);
}

/* A server may speak first; the preface may come in any pieces. */
static void test_prefaces(void **state)
{
	static const char hello[] = WW_H2_PREFACE SETTINGS;

	for (size_t cut = 1; cut < sizeof(hello) - 1; cut++) {
		rig_again(&r, 0);
		if (cut % 2)
			raw(WW_DIR_IN, LIT(SETTINGS));
		raw(WW_DIR_OUT, hello, cut);
		raw(WW_DIR_OUT, hello + cut, sizeof(hello) - 1 - cut);
		if (cut % 2 == 0)
			raw(WW_DIR_IN, LIT(SETTINGS));
		get(1);
		frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT(OK));
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(r.count, 1);
		is(0, WW_X_COMPLETE, 0, 200);
	}
}

/* Nothing is said of what only begins like it. */
static void test_not_http2(void **state)
{
	static const struct {
		const char *out, *in;
		size_t out_n, in_n;
	} rows[] = {
		{"PRI * HTTP/2.0\r\n\r\nXX", "", 20, 0},
		{"", "\0\0\0\5\0\0\0\0\0", 0, 9}, /* no SETTINGS */
		{"GET / HTTP/1.1\r\n\r\n", SETTINGS, 18, 9},
		{"", "\0\0\1", 0, 3},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		rig_again(&r, 0);
		raw(WW_DIR_IN, rows[i].in, rows[i].in_n);
		raw(WW_DIR_OUT, rows[i].out, rows[i].out_n);
		raw(WW_DIR_OUT, "more", 4);
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(r.count, 1);
		is(0, WW_X_UNPARSED, 0, 0);
		assert_int_equal(rig_x(&r, 0)->req_bytes, rows[i].out_n + 4);
		assert_int_equal(rig_x(&r, 0)->resp_bytes, rows[i].in_n);
	}
}

static void test_ends(void **state)
{
	begin();
	get(1);
	get(3);
	get(5);
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 3, LIT(OK));
	frame(WW_DIR_IN, WW_H2_RST_STREAM, 0, 1, LIT("\0\0\0\7"));
	is(0, WW_X_RESET, 0, 0);
	frame(WW_DIR_OUT, WW_H2_RST_STREAM, 0, 3, LIT("\0\0\0\10"));
	is(1, WW_X_RESET, 0, 200);
	/* What still comes of a stream that was reset is nobody's. */
	frame(WW_DIR_IN, WW_H2_DATA, WW_H2_END_STREAM, 3, LIT("late"));
	get(7);
	frame(WW_DIR_IN, WW_H2_GOAWAY, 0, 0, LIT("\0\0\0\5\0\0\0\0debug"));
	is(2, WW_X_RESET, 0, 0);
	assert_int_equal(rig_x(&r, 2)->stream, 7);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	is(3, WW_X_NO_REPLY, 0, 0);
	assert_int_equal(r.count, 4);

	begin();
	get(1);
	rig_close(&r, WW_CLOSE_RST_PEER);
	is(0, WW_X_RESET, 0, 0);

	begin();
	get(1);
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 1, LIT(OK));
	frame(WW_DIR_IN, WW_H2_DATA, 0, 1, LIT("he"));
	rig_close(&r, WW_CLOSE_FIN_PEER);
	is(0, WW_X_CUT_SHORT, 0, 200);

	/* A server may act on a stream whose end it has not seen: never "not sent". */
	begin();
	frame(WW_DIR_OUT, WW_H2_HEADERS, HEAD, 1, LIT(POST));
	frame(WW_DIR_OUT, WW_H2_DATA, 0, 1, LIT("part"));
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	is(0, WW_X_NO_REPLY, 0, 0);
	assert_false(rig_x(&r, 0)->req.whole);

	/* RFC 9113 section 8.1: the answer is whole, the rest of the request is not wanted. */
	begin();
	frame(WW_DIR_OUT, WW_H2_HEADERS, HEAD, 1, LIT(POST));
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT("\x8c")); /* 400 */
	frame(WW_DIR_IN, WW_H2_RST_STREAM, 0, 1, LIT("\0\0\0\0"));
	is(0, WW_X_REQUEST_CUT, 0, 400);
}

static void test_grpc(void **state)
{
	begin();
	get(1);
	get(3);
	get(5);
	/* In the trailers; an answer that is all head; not where more is to come. */
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 1,
	      LIT(OK FIELD("content-type", "\x0c", "application/grpc", "\x10")
			  FIELD("grpc-status", "\x0b", "0", "\1")));
	frame(WW_DIR_IN, WW_H2_DATA, 0, 1, LIT("\0\0\0\0\0"));
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT(FIELD("grpc-status", "\x0b", "13", "\2")));
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 3,
	      LIT(OK FIELD("content-type", "\x0c", "application/grpc+json", "\x15")
			  FIELD("grpc-status", "\x0b", "7", "\1")));
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 5, LIT(OK FIELD("grpc-status", "\x0b", "0", "\1")));
	frame(WW_DIR_IN, WW_H2_DATA, WW_H2_END_STREAM, 5, "", 0);
	for (unsigned i = 0; i < 3; i++)
		is(i, WW_X_COMPLETE, 0, 200);
	assert_true(rig_x(&r, 0)->grpc.known && rig_x(&r, 0)->grpc.code == 13);
	assert_true(ww_exchange_is_grpc(rig_x(&r, 0)) && ww_exchange_is_grpc(rig_x(&r, 1)));
	assert_true(rig_x(&r, 1)->grpc.known && rig_x(&r, 1)->grpc.code == 7);
	assert_false(rig_x(&r, 2)->grpc.known);
	assert_false(ww_exchange_is_grpc(rig_x(&r, 2)));
	/* An interim answer says nothing of it. */
	get(7);
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 7,
	      LIT("\x08\3"
		  "103" FIELD("grpc-status", "\x0b", "0", "\1")));
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 7,
	      LIT(OK FIELD("content-type", "\x0c", "application/grpc", "\x10")));
	is(3, WW_X_COMPLETE, 0, 200);
	assert_false(rig_x(&r, 3)->grpc.told);
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

static void test_interim_push_connect(void **state)
{
	begin();
	get(1);
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 1,
	      LIT("\x08\3"
		  "103"));
	frame(WW_DIR_IN, WW_H2_PUSH_PROMISE, HEAD, 1, LIT("\0\0\0\2" GET));
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT("\x89")); /* 204 */
	is(0, WW_X_COMPLETE, 0, 204);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 2, LIT(OK));
	is(1, WW_X_UNPARSED, WW_X_RESPONSE_FIRST, 200);
	frame(WW_DIR_OUT, WW_H2_HEADERS, HEAD, 3,
	      LIT("\x02\7"
		  "CONNECT"
		  "\x01\5"
		  "b:443"));
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 3, LIT(OK));
	is(2, WW_X_UPGRADED, 0, 200);
	assert_string_equal(rig_x(&r, 2)->target, "b:443");
	frame(WW_DIR_OUT, WW_H2_DATA, 0, 3, LIT("tunnel"));
	frame(WW_DIR_IN, WW_H2_DATA, WW_H2_END_STREAM, 3, LIT("tunnel"));
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 3);
}

/* Of the message alone: the connection goes on. */
static void test_malformed_messages(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} requests[] = {
		{LIT("\x82\x87")},                                 /* no path */
		{LIT("\x82" GET)},                                 /* two methods */
		{LIT(GET FIELD("Upper", "\5", "x", "\1"))},        /* */
		{LIT(GET FIELD("connection", "\x0a", "x", "\1"))}, /* */
		{LIT(GET FIELD("x", "\1", "a\nb", "\3")
			     FIELD("content-type", "\x0c", "a\nb", "\3"))},
		{LIT(FIELD("x", "\1", "y", "\1") GET)},      /* pseudo fields come first */
		{LIT(GET FIELD(":other", "\6", "y", "\1"))}, /* */
		{LIT(GET OK)},                               /* a response's */
		{LIT(GET FIELD("host", "\4", "b", "\1"))},   /* not the authority */
		{LIT(GET FIELD("content-length", "\x0e", "1", "\1"))},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(requests); i++) {
		begin();
		frame(WW_DIR_OUT, WW_H2_HEADERS, END, 1, requests[i].p, requests[i].n);
		frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT(OK));
		is(0, WW_X_UNPARSED, WW_X_MALFORMED_REQUEST, 200);
		get(3);
		frame(WW_DIR_IN, WW_H2_HEADERS, END, 3, LIT(OK));
		is(1, WW_X_COMPLETE, 0, 200);
		rig_close(&r, WW_CLOSE_FIN_PEER);
	}
	begin();
	get(1);
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 1,
	      LIT(OK FIELD("content-length", "\x0e", "9", "\1")));
	frame(WW_DIR_IN, WW_H2_DATA, WW_H2_END_STREAM, 1, LIT("short"));
	is(0, WW_X_UNPARSED, WW_X_MALFORMED_RESPONSE, 200);
	get(3);
	frame(WW_DIR_IN, WW_H2_DATA, WW_H2_END_STREAM, 3, LIT("no head"));
	is(1, WW_X_UNPARSED, WW_X_MALFORMED_RESPONSE, 0);
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

/* Of the connection: nothing more of that direction is said. Invariant 6. */
static void test_connection_errors(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} frames[] = {
		{LIT("\0\0\1\0\0\0\0\0\0x")},                      /* DATA of stream 0 */
		{LIT("\0\0\1\4\0\0\0\0\0x")},                      /* SETTINGS of one byte */
		{LIT("\0\0\3\3\0\0\0\0\1xxx")},                    /* RST_STREAM of three */
		{LIT("\0\0\1\11\0\0\0\0\1x")},                     /* CONTINUATION of nothing */
		{LIT("\0\0\2\0\10\0\0\0\1\2x")},                   /* more padding than payload */
		{LIT("\1\0\0\0\0\0\0\0\1")},                       /* longer than allowed */
		{LIT("\0\0\1\1\5\0\0\0\5\xbe")},                   /* no such entry */
		{LIT("\0\0\1\1\5\0\0\0\2\x88")},                   /* a stream of the server's */
		{LIT("\0\0\1\1\1\0\0\0\5\x82\0\0\0\0\0\0\0\0\1")}, /* not continued */
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(frames); i++) {
		unsigned last;

		begin();
		get(1);
		get(3);
		frame(WW_DIR_IN, WW_H2_HEADERS, END, 3, LIT(OK));
		raw(WW_DIR_OUT, frames[i].p, frames[i].n);
		get(7);
		frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT(OK));
		rig_close(&r, WW_CLOSE_FIN_PEER);
		is(0, WW_X_COMPLETE, 0, 200);
		last = r.count - 1;
		assert_int_equal(rig_x(&r, last)->outcome, WW_X_UNPARSED);
		assert_int_equal(rig_x(&r, last)->findings, WW_X_MALFORMED_REQUEST);
		for (unsigned k = 0; k < r.count; k++)
			assert_int_not_equal(rig_x(&r, k)->stream, 7);
	}
	begin();
	get(1);
	raw(WW_DIR_IN, LIT("\0\0\1\1\5\0\0\0\1\xbe"));
	get(3);
	is(0, WW_X_UNPARSED, WW_X_MALFORMED_RESPONSE, 0);
	is(1, WW_X_UNPARSED, 0, 0); /* nothing is said about its answer */
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

static void test_ceilings(void **state)
{
	static char block[WW_HEAD_BYTES_MAX + 16384];
	unsigned over = 0;

	begin();
	for (uint32_t i = 0; i < WW_H2_STREAMS_MAX + 3; i++)
		frame(WW_DIR_OUT, WW_H2_HEADERS, HEAD, 1 + 2 * i, LIT(POST));
	assert_int_equal(r.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		is(i, WW_X_UNPARSED, WW_X_LIMIT, 0);
		assert_string_equal(rig_x(&r, i)->target, "/a");
	}

	/* Without an end, and without memory that grows with it. */
	begin();
	memset(block, 'x', sizeof(block));
	memcpy(block, LIT(GET "\x10\1x\x7f\x80\x80\x08")); /* a value of 131,199 bytes */
	frame(WW_DIR_OUT, WW_H2_HEADERS, WW_H2_END_STREAM, 1, block, 16384);
	for (int i = 0; i < 20; i++)
		frame(WW_DIR_OUT, WW_H2_CONTINUATION, 0, 1, block + 16384, 16384);
	frame(WW_DIR_OUT, WW_H2_CONTINUATION, WW_H2_END_HEADERS, 1, "", 0);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT(OK));
	is(0, WW_X_REQUEST_CUT, WW_X_LIMIT, 200);
	/* The table is not known any more, and what needs none is. */
	get(3);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 3, LIT(OK));
	is(1, WW_X_COMPLETE, 0, 200);
	frame(WW_DIR_OUT, WW_H2_HEADERS, END, 5, LIT(GET "\xbe"));
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 5, LIT(OK));
	is(2, WW_X_COMPLETE, WW_X_FIELDS_UNKNOWN | WW_X_FOUND_AGAIN | WW_X_CODING_UNKNOWN, 200);

	/* More fields than a head may have. */
	for (over = 0; over < WW_HEADERS_MAX; over++)
		memcpy(block + sizeof(GET) - 1 + 5 * over, LIT("\x10\1x\1y"));
	frame(WW_DIR_OUT, WW_H2_HEADERS, END, 7, block, sizeof(GET) - 1 + 5 * over);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 7, LIT(OK));
	is(3, WW_X_UNPARSED, WW_X_LIMIT, 200);
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

/* Invariant 1 and 3. */
static void test_gaps(void **state)
{
	/* In content: counted. */
	begin();
	get(1);
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 1, LIT(OK));
	raw(WW_DIR_IN, LIT("\0\0\12\0\1\0\0\0\1ab"));
	rig_gap(&r, WW_DIR_IN, 6);
	raw(WW_DIR_IN, LIT("yz"));
	is(0, WW_X_COMPLETE, WW_X_GAP_RESPONSE, 200);
	assert_int_equal(rig_x(&r, 0)->resp.wire_bytes, 10);
	assert_false(rig_x(&r, 0)->resp.whole);
	get(3);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 3, LIT(OK));
	is(1, WW_X_COMPLETE, 0, 200);

	/* In a header block: that request is lost, and the table with it. */
	raw(WW_DIR_OUT, LIT("\0\0\12\1\5\0\0\0\5\x82"));
	rig_gap(&r, WW_DIR_OUT, 9);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 5, LIT(OK));
	is(2, WW_X_REQUEST_CUT, WW_X_GAP_REQUEST, 200);
	assert_string_equal(rig_x(&r, 2)->method, "");
	/* Nothing of the head that came before it is said of it. */
	frame(WW_DIR_OUT, WW_H2_HEADERS, END, 7,
	      LIT(GET FIELD("content-encoding", "\x10", "gzip", "\4")));
	raw(WW_DIR_OUT, LIT("\0\0\12\1\5\0\0\0\11\x82"));
	rig_gap(&r, WW_DIR_OUT, 9);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 7, LIT(OK));
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 9, LIT(OK));
	assert_int_equal(rig_x(&r, 3)->req.coding, WW_CODING_GZIP);
	is(4, WW_X_REQUEST_CUT, WW_X_GAP_REQUEST, 200);
	assert_int_equal(rig_x(&r, 4)->req.coding, WW_CODING_IDENTITY);
	rig_close(&r, WW_CLOSE_FIN_PEER);

	/* In a GOAWAY: which streams it refuses is not known. */
	begin();
	get(1);
	raw(WW_DIR_IN, LIT("\0\0\10\7\0\0\0\0\0"));
	rig_gap(&r, WW_DIR_IN, 8);
	assert_int_equal(r.count, 0);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT(OK));
	is(0, WW_X_COMPLETE, 0, 200);
	rig_close(&r, WW_CLOSE_FIN_PEER);

	/* A single byte may stand for more. */
	begin();
	get(1);
	frame(WW_DIR_IN, WW_H2_HEADERS, HEAD, 1, LIT(OK));
	raw(WW_DIR_IN, LIT("\0\0\12\0\1\0\0\0\1ab"));
	rig_gap(&r, WW_DIR_IN, 1);
	is(0, WW_X_CUT_SHORT, WW_X_GAP_RESPONSE, 200);
	raw(WW_DIR_IN, LIT("content, no frame"));
	get(3);
	is(1, WW_X_UNPARSED, WW_X_GAP_RESPONSE, 0);
	frame(WW_DIR_IN, WW_H2_WINDOW_UPDATE, 0, 0, LIT("\0\0\1\0"));
	get(5);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 5, LIT(OK));
	is(2, WW_X_COMPLETE, WW_X_GAP_RESPONSE, 200);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	is(3, WW_X_UNPARSED, 0, 0); /* the bytes between */
	assert_int_equal(rig_x(&r, 3)->resp_bytes, 17);

	/* Where frames were lost with it: requests after that are no evidence. */
	begin();
	get(1);
	rig_gap(&r, WW_DIR_OUT, 300);
	raw(WW_DIR_OUT, LIT("content, no frame"));
	get(9);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 9, LIT(OK));
	is(0, WW_X_COMPLETE, WW_X_FOUND_AGAIN, 200);
	/* One of those that were lost. */
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 11, LIT(OK));
	is(1, WW_X_UNPARSED, WW_X_RESPONSE_FIRST, 200);
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT(OK));
	is(2, WW_X_COMPLETE, 0, 200);
	assert_true(r.f.read_out < 24 + 9 + 9 + 300);
	rig_close(&r, WW_CLOSE_FIN_PEER);
}

/* Its answer is there before it: which one is the answer is not told. */
static void test_request_after_response(void **state)
{
	begin();
	frame(WW_DIR_IN, WW_H2_HEADERS, END, 1, LIT(OK));
	get(1);
	is(0, WW_X_UNPARSED, WW_X_RESPONSE_FIRST, 200);
	rig_close(&r, WW_CLOSE_FIN_PEER);
	is(1, WW_X_UNPARSED, WW_X_GAP_RESPONSE, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_one_exchange),
		T(test_interleaved),
		T(test_callers),
		T(test_prefaces),
		T(test_not_http2),
		T(test_ends),
		T(test_grpc),
		T(test_interim_push_connect),
		T(test_malformed_messages),
		T(test_connection_errors),
		T(test_ceilings),
		T(test_gaps),
		T(test_request_after_response),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
