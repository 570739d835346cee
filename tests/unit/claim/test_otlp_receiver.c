/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receiver against a plain socket client on loopback. Both run in this one thread: whoever
 * waits turns the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <zlib.h>

#include "claim/otlp_receiver.h"

#define MIB  (1u << 20)
#define PB   "Content-Type: application/x-protobuf\r\n"
#define JSON "Content-Type: application/json\r\n"

/* What `accept` saw last, and what it answers. */
static struct {
	unsigned calls;
	int answer;
	struct ww_endpoint from, to;
	enum ww_claim_encoding encoding;
	struct ww_buf body;
} seen;

static int take(void *ctx, const struct ww_endpoint *from, const struct ww_endpoint *to,
		enum ww_claim_encoding encoding, struct ww_slice body)
{
	assert_ptr_equal(ctx, &seen);
	seen.calls++;
	seen.from = *from;
	seen.to = *to;
	seen.encoding = encoding;
	ww_buf_clear(&seen.body);
	assert_int_equal(ww_buf_add(&seen.body, body.p, body.n), 0);
	return seen.answer;
}

static struct ww_otlp_receiver *open_receiver(uint64_t bytes_max)
{
	struct ww_otlp_receiver_config cfg = {.body_bytes_max = bytes_max};
	struct sockaddr_in *in = (struct sockaddr_in *)&cfg.bind;
	struct ww_otlp_receiver *r;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(ww_otlp_receiver_open(&cfg, take, &seen, &r), 0);
	assert_true(ww_otlp_receiver_port(r) != 0);
	return r;
}

static int setup(void **state)
{
	ww_buf_init(&seen.body, 64 * MIB);
	seen.calls = 0;
	seen.answer = 0;
	*state = open_receiver(MIB);
	return 0;
}

static int teardown(void **state)
{
	ww_otlp_receiver_close(*state);
	ww_buf_done(&seen.body);
	return 0;
}

/* --- the client ---------------------------------------------------------------------------------
 */

static int dial(const struct ww_otlp_receiver *r)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(ww_otlp_receiver_port(r))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Until the client's socket is ready for `events`: turns the receiver when it wants to. */
static void turn(struct ww_otlp_receiver *r, int fd, short events)
{
	for (;;) {
		struct pollfd p[] = {{.fd = fd, .events = events},
				     {.fd = ww_otlp_receiver_fd(r), .events = POLLIN}};
		int wait_ms = ww_otlp_receiver_timeout_ms(r);

		if (wait_ms < 0 || wait_ms > 10000)
			wait_ms = 10000;
		assert_true(poll(p, 2, wait_ms) >= 0);
		if (p[0].revents)
			return;
		assert_true(p[1].revents || wait_ms < 10000);
		ww_otlp_receiver_run(r);
	}
}

/* Sends all, or until the receiver hangs up (false). */
static bool put(struct ww_otlp_receiver *r, int fd, const void *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t sent = send(fd, (const char *)bytes + at, n - at, MSG_NOSIGNAL);

		if (sent > 0)
			at += (size_t)sent;
		else if (sent < 0 && errno == EAGAIN)
			turn(r, fd, POLLOUT);
		else
			return false;
	}
	return true;
}

struct answer {
	unsigned status;
	char head[2048];
	char body[2048];
	size_t body_n;
};

/* Reads one answer; status 0: the connection ended without. */
static struct answer get(struct ww_otlp_receiver *r, int fd)
{
	struct answer a = {0};
	char text[4096] = "", *end = NULL;
	size_t n = 0, want = SIZE_MAX;

	while (n < want) {
		ssize_t got = recv(fd, text + n, sizeof(text) - 1 - n, 0);

		if (got < 0 && errno == EAGAIN) {
			turn(r, fd, POLLIN);
			continue;
		}
		if (got <= 0)
			return a;
		n += (size_t)got;
		text[n] = '\0';
		end = memmem(text, n, "\r\n\r\n", 4);
		if (end && want == SIZE_MAX) {
			const char *length = strcasestr(text, "\r\nContent-Length:");

			want = (size_t)(end + 4 - text);
			want += length && length < end ? strtoul(length + 17, NULL, 10) : 0;
		}
	}
	assert_int_equal(n, want);
	a.status = (unsigned)strtoul(text + 9, NULL, 10);
	memcpy(a.head, text, (size_t)(end - text));
	a.body_n = (size_t)(text + n - (end + 4));
	memcpy(a.body, end + 4, a.body_n);
	return a;
}

static bool put_head(struct ww_otlp_receiver *r, int fd, const char *line, const char *fields,
		     size_t body_n)
{
	char head[1024];
	int n = snprintf(head, sizeof(head),
			 "%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", line, fields,
			 body_n);

	return put(r, fd, head, (size_t)n);
}

/* One request on a connection of its own. */
static struct answer ask(struct ww_otlp_receiver *r, const char *line, const char *fields,
			 struct ww_slice body)
{
	int fd WW_AUTO_FD = dial(r);

	assert_true(put_head(r, fd, line, fields, body.n));
	assert_true(put(r, fd, body.p, body.n));
	return get(r, fd);
}

static struct answer post(struct ww_otlp_receiver *r, const char *fields, struct ww_slice body)
{
	return ask(r, "POST /v1/traces", fields, body);
}

static void assert_json(const struct answer *a, const char *body)
{
	assert_non_null(strstr(a->head, "Content-Type: application/json"));
	assert_string_equal(a->body, body);
}

static struct ww_slice file(const char *path)
{
	static uint8_t bytes[65536];
	FILE *f = fopen(path, "rbe");
	size_t n;

	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return ww_slice(bytes, n);
}

static struct ww_slice gzip(struct ww_slice in)
{
	static uint8_t out[128 << 10];
	z_stream z = {.next_in = (z_const Bytef *)in.p,
		      .avail_in = (uInt)in.n,
		      .next_out = out,
		      .avail_out = sizeof(out)};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return ww_slice(out, sizeof(out) - z.avail_out);
}

/* --- refused ------------------------------------------------------------------------------------
 */

static void wrong_requests(void **state)
{
	static const struct {
		const char *line;
		const char *fields;
		unsigned status;
		const char *header;
	} cases[] = {
		{"GET /v1/traces", JSON, 405, "Allow: POST"},
		{"PUT /v1/traces", JSON, 405, "Allow: POST"},
		{"OPTIONS /v1/traces", "Origin: http://evil.example\r\n", 405, "Allow: POST"},
		{"POST /v1/trace", JSON, 404, ""},
		{"POST /", JSON, 404, ""},
		{"POST /v1/traces/", JSON, 404, ""},
		{"POST /v1/traces", "Content-Type: text/plain\r\n", 415, ""},
		{"POST /v1/traces", "Content-Type: application/jsonp\r\n", 415, ""},
		{"POST /v1/traces", "", 415, ""},
		{"POST /v1/traces", JSON "Content-Encoding: br\r\n", 415, "Accept-Encoding: gzip"},
		{"POST /v1/traces", JSON "Content-Encoding: gzip, gzip\r\n", 415, ""},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct answer a = ask(*state, cases[i].line, cases[i].fields, WW_SLICE_LIT("{}"));

		assert_int_equal(a.status, cases[i].status);
		assert_non_null(strstr(a.head, cases[i].header));
		assert_non_null(strstr(a.body, "\"message\""));
		assert_null(strstr(a.head, "Access-Control"));
	}
	assert_int_equal(seen.calls, 0);
	assert_int_equal(ww_otlp_receiver_stats(*state).refused, WW_ARRAY_SIZE(cases));
}

static void malformed(void **state)
{
	struct answer a = post(*state, JSON, WW_SLICE_LIT("{\"resourceSpans\":[{]}"));

	assert_int_equal(a.status, 400);
	assert_json(&a, "{\"code\":3,\"message\":\"malformed request: key expected\"}");
	/* Handed on, so that the finding is recorded. */
	assert_int_equal(seen.calls, 1);
	a = post(*state, JSON, WW_SLICE_NULL);
	assert_int_equal(a.status, 400);
	a = post(*state, PB, WW_SLICE_LIT("\x0a\x05"));
	assert_int_equal(a.status, 400);
	assert_non_null(strstr(a.head, "Content-Type: application/x-protobuf"));
	assert_memory_equal(a.body, "\x08\x03\x12", 3);
	a = post(*state, JSON "Content-Encoding: gzip\r\n", WW_SLICE_LIT("{}"));
	assert_int_equal(a.status, 400);
	a = post(*state, JSON "Content-Encoding: gzip\r\n",
		 ww_slice_sub(gzip(WW_SLICE_LIT("{}")), 0, 20));
	assert_int_equal(a.status, 400);
	assert_int_equal(seen.calls, 3);
	assert_int_equal(ww_otlp_receiver_stats(*state).malformed, 5);
}

static void declared_too_large(void **state)
{
	static const char *const lengths[] = {"1048577", "99999999999", "18446744073709551615"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(lengths); i++) {
		int fd WW_AUTO_FD = dial(*state);
		char head[256];
		int n = snprintf(head, sizeof(head),
				 "POST /v1/traces HTTP/1.1\r\nHost: x\r\n" JSON
				 "Content-Length: %s\r\n\r\n",
				 lengths[i]);

		/* Answered without waiting for the body. */
		assert_true(put(*state, fd, head, (size_t)n));
		assert_int_equal(get(*state, fd).status, 413);
	}
	assert_int_equal(seen.calls, 0);
}

static void too_large_after_inflation(void **state)
{
	uint8_t *zeros WW_AUTO_FREE = calloc(1, 8 * MIB);
	struct answer a =
		post(*state, PB "Content-Encoding: gzip\r\n", gzip(ww_slice(zeros, MIB + 1)));

	assert_int_equal(a.status, 413);
	a = post(*state, PB "Content-Encoding: gzip\r\n", gzip(ww_slice(zeros, 8 * MIB)));
	assert_int_equal(a.status, 413);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(ww_otlp_receiver_stats(*state).too_large, 2);
}

static void endless_chunks(void **state)
{
	static char chunk[0x8000 + 16];
	int fd WW_AUTO_FD = dial(*state);
	const char head[] =
		"POST /v1/traces HTTP/1.1\r\nHost: x\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n";
	size_t sent = 0;

	memset(chunk, ' ', sizeof(chunk));
	memcpy(chunk, "8000\r\n", 6);
	memcpy(chunk + 6 + 0x8000, "\r\n", 2);
	assert_true(put(*state, fd, head, sizeof(head) - 1));
	/* Over the ceiling, then dropped for a while, then the connection is cut. */
	while (put(*state, fd, chunk, 0x8000 + 8)) {
		sent += 0x8000;
		assert_true(sent < 64 * MIB);
	}
	assert_int_equal(seen.calls, 0);
}

/* --- taken --------------------------------------------------------------------------------------
 */

static void encodings(void **state)
{
	static const struct {
		const char *path;
		const char *fields;
		enum ww_claim_encoding encoding;
		bool gzip;
	} cases[] = {
		{"tests/golden/otlp/agent_turn.pb", PB, WW_CLAIM_OTLP_PROTOBUF, false},
		{"tests/golden/otlp/agent_turn.pb", PB "Content-Encoding: gzip\r\n",
		 WW_CLAIM_OTLP_PROTOBUF, true},
		{"tests/golden/otlp/agent_turn.json", JSON, WW_CLAIM_OTLP_JSON, false},
		{"tests/golden/otlp/agent_turn.json",
		 "content-type: Application/JSON ; charset=utf-8\r\ncontent-encoding: GZIP\r\n",
		 WW_CLAIM_OTLP_JSON, true},
		{"tests/golden/otlp/agent_turn.json", JSON "Content-Encoding: identity\r\n",
		 WW_CLAIM_OTLP_JSON, false},
		{"tests/golden/otlp/empty.pb", PB, WW_CLAIM_OTLP_PROTOBUF, false},
		{"tests/golden/otlp/empty.json", JSON, WW_CLAIM_OTLP_JSON, false},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_slice body = file(cases[i].path);
		struct answer a = post(*state, cases[i].fields, cases[i].gzip ? gzip(body) : body);

		assert_int_equal(a.status, 200);
		assert_int_equal(seen.calls, i + 1);
		assert_int_equal(seen.encoding, cases[i].encoding);
		assert_true(ww_slice_eq(ww_buf_slice(&seen.body), body));
		if (cases[i].encoding == WW_CLAIM_OTLP_JSON)
			assert_json(&a, "{}");
		else
			assert_int_equal(a.body_n, 0);
	}
	assert_int_equal(ww_otlp_receiver_stats(*state).accepted, WW_ARRAY_SIZE(cases));
}

static void both_ends(void **state)
{
	int fd WW_AUTO_FD = dial(*state);
	struct sockaddr_in me;
	socklen_t n = sizeof(me);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&me, &n), 0);
	assert_true(put_head(*state, fd, "POST /v1/traces", JSON, 2));
	assert_true(put(*state, fd, "{}", 2));
	assert_int_equal(get(*state, fd).status, 200);
	assert_int_equal(seen.from.family, AF_INET);
	assert_int_equal(seen.from.port, ntohs(me.sin_port));
	assert_memory_equal(seen.from.addr, "\x7f\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(seen.to.port, ww_otlp_receiver_port(*state));
	assert_memory_equal(seen.to.addr, "\x7f\0\0\1", 4);
}

static void partial_success(void **state)
{
	static const char body[] = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":["
				   "{\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":"
				   "\"eee19b7ec3c1b174\"},"
				   "{\"traceId\":\"00000000000000000000000000000000\",\"spanId\":"
				   "\"eee19b7ec3c1b174\"}]}]}]}";
	struct answer a = post(*state, JSON, ww_slice_str(body));

	assert_int_equal(a.status, 200);
	assert_json(&a, "{\"partialSuccess\":{\"rejectedSpans\":\"1\",\"errorMessage\":"
			"\"span rejected: trace id is absent or all zero\"}}");
	assert_int_equal(seen.calls, 1);
}

static void other_signals(void **state)
{
	struct answer a =
		ask(*state, "POST /v1/metrics", JSON, WW_SLICE_LIT("{\"resourceMetrics\":[]}"));

	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.body, "{\"partialSuccess\":{\"errorMessage\":\"only traces"));
	a = ask(*state, "POST /v1/logs", PB "Content-Encoding: gzip\r\n", WW_SLICE_LIT("any"));
	assert_int_equal(a.status, 200);
	assert_memory_equal(a.body, "\x0a", 1);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(ww_otlp_receiver_stats(*state).ignored, 2);
}

static void shed_and_failed(void **state)
{
	struct answer a;

	seen.answer = -EAGAIN;
	a = post(*state, JSON, WW_SLICE_LIT("{}"));
	assert_int_equal(a.status, 503);
	assert_non_null(strstr(a.head, "Retry-After: 1"));
	assert_non_null(strstr(a.body, "\"code\":14"));
	seen.answer = -EIO;
	a = post(*state, JSON, WW_SLICE_LIT("{}"));
	assert_int_equal(a.status, 500);
	assert_null(strstr(a.head, "Retry-After"));
	/* A malformed request is never to be sent again, whatever else went wrong. */
	seen.answer = -EAGAIN;
	assert_int_equal(post(*state, JSON, WW_SLICE_LIT("{")).status, 400);
}

/* Clients that are gone, or do nothing, keep nobody out. 64 is the receiver's ceiling. */
static void all_places_taken(void **state)
{
	static const char half[] = "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" JSON
				   "Content-Length: 1000\r\n\r\n{\"resource";

	for (int gone = 1; gone >= 0; gone--) {
		int fds[64];

		for (unsigned i = 0; i < WW_ARRAY_SIZE(fds); i++) {
			fds[i] = dial(*state);
			assert_true(put(*state, fds[i], half, strlen(half)));
			if (gone)
				close(fds[i]);
		}
		assert_int_equal(post(*state, JSON, WW_SLICE_LIT("{}")).status, 200);
		for (unsigned i = 0; i < WW_ARRAY_SIZE(fds) && !gone; i++)
			close(fds[i]);
	}
	assert_true(ww_otlp_receiver_stats(*state).refused >= 1);
}

static void one_connection(void **state)
{
	static const struct {
		const char *line;
		const char *fields;
		unsigned status;
	} cases[] = {
		{"POST /v1/traces", JSON, 200},
		{"POST /v1/traces", "Content-Type: text/plain\r\n", 415},
		{"GET /v1/traces", JSON, 405},
		{"POST /v1/traces", JSON "Content-Encoding: gzip\r\n", 400},
		{"POST /nowhere", JSON, 404},
		{"POST /v1/traces", JSON "Expect: 100-continue\r\n", 100},
		{"POST /v1/traces", JSON, 200},
	};
	int fd WW_AUTO_FD = dial(*state);

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		assert_true(put_head(*state, fd, cases[i].line, cases[i].fields, 2));
		if (cases[i].status == 100)
			assert_int_equal(get(*state, fd).status, 100);
		assert_true(put(*state, fd, "{}", 2));
		assert_int_equal(get(*state, fd).status,
				 cases[i].status == 100 ? 200 : cases[i].status);
	}
}

static void byte_by_byte(void **state)
{
	struct ww_slice body = gzip(file("tests/golden/otlp/claims.json"));
	const char head[] = "POST /v1/traces HTTP/1.1\r\nHost: x\r\n" JSON
			    "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
	int fd WW_AUTO_FD = dial(*state);

	assert_true(put(*state, fd, head, sizeof(head) - 1));
	for (size_t i = 0; i < body.n; i++) {
		char chunk[] = {'1', '\r', '\n', (char)body.p[i], '\r', '\n'};

		assert_true(put(*state, fd, chunk, sizeof(chunk)));
		ww_otlp_receiver_run(*state);
	}
	assert_true(put(*state, fd, "0\r\n\r\n", 5));
	assert_int_equal(get(*state, fd).status, 200);
	assert_true(ww_slice_eq(ww_buf_slice(&seen.body), file("tests/golden/otlp/claims.json")));
}

/* Lets the receiver take what has been sent to it. */
static void settle(struct ww_otlp_receiver *r)
{
	struct pollfd p = {.fd = ww_otlp_receiver_fd(r), .events = POLLIN};

	do
		ww_otlp_receiver_run(r);
	while (poll(&p, 1, 0) > 0 || ww_otlp_receiver_timeout_ms(r) == 0);
}

static void uploads_together(void **state)
{
	static char spaces[700 << 10];
	int a = dial(*state), b WW_AUTO_FD = dial(*state), c WW_AUTO_FD = dial(*state);

	memset(spaces, ' ', sizeof(spaces));
	spaces[0] = '{';
	spaces[sizeof(spaces) - 1] = '}';
	/* The first holds most of the budget: the second is shed, not the first. */
	assert_true(put_head(*state, a, "POST /v1/traces", JSON, sizeof(spaces)));
	assert_true(put(*state, a, spaces, sizeof(spaces) - 1));
	settle(*state);
	assert_true(put_head(*state, b, "POST /v1/traces", JSON, sizeof(spaces)));
	assert_true(put(*state, b, spaces, sizeof(spaces)));
	assert_int_equal(get(*state, b).status, 503);
	/* One that goes away gives back what it held. */
	close(a);
	settle(*state);
	assert_true(put_head(*state, c, "POST /v1/traces", JSON, sizeof(spaces)));
	assert_true(put(*state, c, spaces, sizeof(spaces)));
	assert_int_equal(get(*state, c).status, 200);
	assert_int_equal(seen.body.n, sizeof(spaces));
	/* The one that was shed may try again on its connection. */
	assert_true(put_head(*state, b, "POST /v1/traces", JSON, sizeof(spaces)));
	assert_true(put(*state, b, spaces, sizeof(spaces)));
	assert_int_equal(get(*state, b).status, 200);
	assert_int_equal(ww_otlp_receiver_stats(*state).shed, 1);
}

static void open_errors(void **state)
{
	struct ww_otlp_receiver_config cfg = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&cfg.bind;
	struct ww_otlp_receiver *r = NULL;

	assert_int_equal(ww_otlp_receiver_open(&cfg, take, &seen, &r), -EAFNOSUPPORT);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = htons(ww_otlp_receiver_port(*state));
	assert_int_equal(ww_otlp_receiver_open(&cfg, take, &seen, &r), -EADDRINUSE);
	assert_null(r);
	ww_otlp_receiver_close(NULL);
}

static void closed_in_the_middle(void **state)
{
	struct ww_otlp_receiver *r = open_receiver(MIB);
	int fd WW_AUTO_FD = dial(r);

	assert_true(put_head(r, fd, "POST /v1/traces", JSON "Content-Encoding: gzip\r\n", 1000));
	assert_true(put(r, fd, gzip(WW_SLICE_LIT("{}")).p, 15));
	settle(r);
	ww_otlp_receiver_close(r);
}

static void version_6(void **state)
{
	struct ww_otlp_receiver_config cfg = {0};
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)&cfg.bind;
	struct ww_otlp_receiver *r WW_AUTO(ww_otlp_receiver_close_auto) = NULL;
	int fd WW_AUTO_FD = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int opened;

	in->sin6_family = AF_INET6;
	in->sin6_addr = in6addr_loopback;
	opened = ww_otlp_receiver_open(&cfg, take, &seen, &r);
	if (opened == -EADDRNOTAVAIL || opened == -EAFNOSUPPORT)
		skip();
	assert_int_equal(opened, 0);
	in->sin6_port = htons(ww_otlp_receiver_port(r));
	assert_int_equal(connect(fd, (struct sockaddr *)in, sizeof(*in)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_true(put_head(r, fd, "POST /v1/traces", JSON, 2));
	assert_true(put(r, fd, "{}", 2));
	assert_int_equal(get(r, fd).status, 200);
	assert_int_equal(seen.from.family, AF_INET6);
	assert_memory_equal(seen.from.addr, &in6addr_loopback, 16);
	assert_int_equal(seen.to.port, ww_otlp_receiver_port(r));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wrong_requests),     TEST(malformed),
		TEST(declared_too_large), TEST(too_large_after_inflation),
		TEST(endless_chunks),     TEST(encodings),
		TEST(both_ends),          TEST(partial_success),
		TEST(other_signals),      TEST(shed_and_failed),
		TEST(all_places_taken),   TEST(one_connection),
		TEST(byte_by_byte),       TEST(uploads_together),
		TEST(open_errors),        TEST(closed_in_the_middle),
		TEST(version_6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
