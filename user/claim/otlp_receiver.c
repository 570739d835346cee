/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. Every request that ends gets one answer, and 200 only after `accept` returned 0.
 *  2. What is wrong is found as early as possible, but answered after the body was read (and
 *     dropped), so that the client is listening and the connection stays usable; only a body whose
 *     declared length is over the ceiling, or that does not end, is not waited for.
 *  3. No byte of a body is held that the ceiling and the budget do not allow.
 *  4. While all places are taken, a client that is gone or silent gives its own up: nobody keeps
 *     the others out by doing nothing.
 */
#include "claim/otlp_receiver.h"

#include <errno.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <time.h>

#include "claim/otlp_answer.h"
#include "claim/otlp_upload.h"

#define CONNECTIONS_MAX      64u
#define CONNECTION_BYTES_MAX 65536u /* head of a request and read buffer */
#define SILENCE_MAX_S        30u
#define FULL_SILENCE_MAX_S   1u /* while all places are taken */
#define FULL_LOOK_MS         200
#define REQUEST_MAX_S        60u
#define RETRY_AFTER_S        "1"
#define ANSWER_BYTES_MAX     4096u

/* A connection's place. */
struct place {
	bool taken;
	bool ending;
	int fd;       /* borrowed */
	time_t heard; /* CLOCK_MONOTONIC */
};

struct ww_otlp_receiver {
	struct MHD_Daemon *http;
	ww_otlp_accept_fn accept;
	void *ctx;
	uint64_t body_bytes_max;
	uint16_t port;
	struct ww_otlp_budget budget;
	struct ww_otlp_receiver_stats stats;
	unsigned taken;
	bool full; /* all places were taken since MHD last listened */
	struct place places[CONNECTIONS_MAX];
};

struct request {
	struct ww_otlp_receiver *r;
	bool traces;
	enum ww_claim_encoding encoding;
	unsigned status; /* 0: good so far */
	const char *why;
	time_t deadline; /* CLOCK_MONOTONIC */
	uint64_t dropped_bytes;
	struct ww_otlp_upload upload;
};

static time_t now_s(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* The first thing wrong stands. The body is of no use any more. */
static void fail(struct request *q, unsigned status, const char *why)
{
	if (q->status == 0) {
		q->status = status;
		q->why = why;
	}
	ww_otlp_upload_done(&q->upload);
}

/* --- answers ------------------------------------------------------------------------------------
 */

static const struct answer_kind {
	unsigned status;
	enum ww_otlp_code code;
	size_t counter; /* offset in ww_otlp_receiver_stats */
	const char *header;
	const char *value;
} answer_kinds[] = {
#define COUNTER(member) offsetof(struct ww_otlp_receiver_stats, member)
	{MHD_HTTP_BAD_REQUEST, WW_OTLP_INVALID_ARGUMENT, COUNTER(malformed), NULL, NULL},
	{MHD_HTTP_NOT_FOUND, WW_OTLP_NOT_FOUND, COUNTER(refused), NULL, NULL},
	{MHD_HTTP_METHOD_NOT_ALLOWED, WW_OTLP_UNIMPLEMENTED, COUNTER(refused),
	 MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_POST},
	{MHD_HTTP_CONTENT_TOO_LARGE, WW_OTLP_RESOURCE_EXHAUSTED, COUNTER(too_large), NULL, NULL},
	{MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, WW_OTLP_INVALID_ARGUMENT, COUNTER(refused),
	 MHD_HTTP_HEADER_ACCEPT_ENCODING, "gzip"},
	{MHD_HTTP_SERVICE_UNAVAILABLE, WW_OTLP_UNAVAILABLE, COUNTER(shed),
	 MHD_HTTP_HEADER_RETRY_AFTER, RETRY_AFTER_S},
	/* Last: what is in no other row. */
	{MHD_HTTP_INTERNAL_SERVER_ERROR, WW_OTLP_INTERNAL, COUNTER(failed), NULL, NULL},
#undef COUNTER
};

static const struct answer_kind *answer_kind(unsigned status)
{
	const struct answer_kind *k = answer_kinds;

	while (k->status != status && k->status != MHD_HTTP_INTERNAL_SERVER_ERROR)
		k++;
	return k;
}

static enum MHD_Result send_answer(struct MHD_Connection *c, enum ww_claim_encoding encoding,
				   unsigned status, const struct answer_kind *k,
				   const struct ww_buf *body)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result sent = MHD_NO;

	if (!response)
		return MHD_NO;
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				    encoding == WW_CLAIM_OTLP_PROTOBUF ? "application/x-protobuf"
								       : "application/json") &&
	    (!k || !k->header || MHD_add_response_header(response, k->header, k->value)))
		sent = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return sent;
}

/* q->status with q->why. */
static enum MHD_Result answer_failure(struct MHD_Connection *c, struct request *q)
{
	const struct answer_kind *k = answer_kind(q->status);
	struct ww_buf body WW_AUTO_BUF = {0};

	(*(uint64_t *)((char *)&q->r->stats + k->counter))++;
	ww_buf_init(&body, ANSWER_BYTES_MAX);
	if (ww_otlp_answer_status(q->encoding, k->code, q->why, &body) < 0)
		return MHD_NO;
	return send_answer(c, q->encoding, q->status, k, &body);
}

static enum MHD_Result answer_export(struct MHD_Connection *c, struct request *q,
				     uint64_t rejected_spans, const char *message)
{
	struct ww_buf body WW_AUTO_BUF = {0};

	ww_buf_init(&body, ANSWER_BYTES_MAX);
	if (ww_otlp_answer_export(q->encoding, rejected_spans, message, &body) < 0)
		return MHD_NO;
	return send_answer(c, q->encoding, MHD_HTTP_OK, NULL, &body);
}

/* --- a whole request ----------------------------------------------------------------------------
 */

static struct ww_endpoint endpoint(const struct sockaddr *address)
{
	struct ww_endpoint e = {0};

	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

		memcpy(e.addr, &v4->sin_addr, sizeof(v4->sin_addr));
		e.family = AF_INET;
		e.port = ntohs(v4->sin_port);
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

		memcpy(e.addr, &v6->sin6_addr, sizeof(v6->sin6_addr));
		e.family = AF_INET6;
		e.port = ntohs(v6->sin6_port);
	}
	return e;
}

/* Both ends of the connection. 0 or -errno. */
static int ends(struct MHD_Connection *c, struct ww_endpoint *ret_from, struct ww_endpoint *ret_to)
{
	const union MHD_ConnectionInfo *client =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr_storage local = {0};
	socklen_t n = sizeof(local);

	if (!client || !client->client_addr || !fd)
		return -EIO;
	if (getsockname(fd->connect_fd, (struct sockaddr *)&local, &n) < 0)
		return -errno;
	*ret_from = endpoint(client->client_addr);
	*ret_to = endpoint((struct sockaddr *)&local);
	return 0;
}

static void ignore_span(void *ctx, struct ww_span *span)
{
}

/* Decodes to know the answer, then hands the body on. */
static enum MHD_Result finish_traces(struct MHD_Connection *c, struct request *q)
{
	struct ww_slice body = ww_buf_slice(&q->upload.body);
	struct ww_otlp_result result = {0};
	struct ww_endpoint from, to;
	int decoded, r;

	if (ww_otlp_upload_end(&q->upload) < 0) {
		fail(q, MHD_HTTP_BAD_REQUEST, "the gzip stream is cut off");
		return answer_failure(c, q);
	}
	decoded = ww_otlp_decode(q->encoding, body, ignore_span, NULL, &result);
	r = decoded == -ENOMEM ? -EAGAIN : ends(c, &from, &to);
	if (r == 0)
		r = q->r->accept(q->r->ctx, &from, &to, q->encoding, body);
	if (decoded == -EBADMSG)
		fail(q, MHD_HTTP_BAD_REQUEST, result.message);
	else if (r == -EAGAIN)
		fail(q, MHD_HTTP_SERVICE_UNAVAILABLE, "too much to do, try again");
	else if (r < 0)
		fail(q, MHD_HTTP_INTERNAL_SERVER_ERROR, "the request could not be recorded");
	if (q->status != 0)
		return answer_failure(c, q);
	q->r->stats.accepted++;
	return answer_export(c, q, result.rejected, result.message);
}

static enum MHD_Result finish(struct MHD_Connection *c, struct request *q)
{
	if (q->status != 0)
		return answer_failure(c, q);
	if (q->traces)
		return finish_traces(c, q);
	q->r->stats.ignored++;
	return answer_export(c, q, 0, "only traces are used here; metrics and logs are dropped");
}

/* --- while it arrives ---------------------------------------------------------------------------
 */

/* The media type without its parameters (RFC 9110 section 8.3.1). */
static struct ww_slice media_type(const char *content_type)
{
	struct ww_slice s = ww_slice_str(content_type);

	return ww_slice_trim(ww_slice_sub(s, 0, ww_slice_find(s, 0, ';')));
}

/* What the head of the request tells: fills q, perhaps with a failure. */
static void read_head(struct MHD_Connection *c, struct request *q, const char *url,
		      const char *method)
{
	const char *type =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
	const char *coding =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_ENCODING);
	struct ww_slice media = media_type(type), codings = ww_slice_trim(ww_slice_str(coding));
	bool gzip = ww_slice_ieq_str(codings, "gzip");

	q->encoding = ww_slice_ieq_str(media, "application/x-protobuf") ? WW_CLAIM_OTLP_PROTOBUF
									: WW_CLAIM_OTLP_JSON;
	q->traces = strcmp(url, "/v1/traces") == 0;
	if (!q->traces && strcmp(url, "/v1/metrics") != 0 && strcmp(url, "/v1/logs") != 0)
		fail(q, MHD_HTTP_NOT_FOUND, "the paths are /v1/traces, /v1/metrics and /v1/logs");
	else if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		fail(q, MHD_HTTP_METHOD_NOT_ALLOWED, "the method is POST");
	else if (q->encoding == WW_CLAIM_OTLP_JSON && !ww_slice_ieq_str(media, "application/json"))
		fail(q, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
		     "the content type is application/x-protobuf or application/json");
	else if (codings.n > 0 && !gzip && !ww_slice_ieq_str(codings, "identity"))
		fail(q, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "the content encoding is gzip or none");
	else if (q->traces &&
		 ww_otlp_upload_begin(&q->upload, gzip, q->r->body_bytes_max, &q->r->budget) < 0)
		fail(q, MHD_HTTP_SERVICE_UNAVAILABLE, "too much to do, try again");
}

/* Whether the declared length alone is over the ceiling (no valid length: unknown). */
static bool declares_too_much(struct MHD_Connection *c, const struct request *q)
{
	const char *length =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t n;

	return length &&
	       (ww_slice_u64(ww_slice_str(length), &n) == -ERANGE ||
		(ww_slice_u64(ww_slice_str(length), &n) == 0 && n > q->r->body_bytes_max));
}

static enum MHD_Result begin(struct MHD_Connection *c, struct ww_otlp_receiver *r, const char *url,
			     const char *method, void **request)
{
	struct request *q = calloc(1, sizeof(*q));

	if (!q)
		return MHD_NO;
	*request = q;
	q->r = r;
	q->deadline = now_s() + REQUEST_MAX_S;
	read_head(c, q, url, method);
	if (!declares_too_much(c, q))
		return MHD_YES;
	fail(q, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large");
	return answer_failure(c, q);
}

static void take_bytes(struct request *q, struct ww_slice bytes)
{
	int r;

	if (q->status != 0 || !q->traces) {
		q->dropped_bytes += bytes.n;
		return;
	}
	r = ww_otlp_upload_add(&q->upload, bytes);
	if (r == -EMSGSIZE)
		fail(q, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large");
	else if (r == -EBADMSG)
		fail(q, MHD_HTTP_BAD_REQUEST, "the body is not gzip");
	else if (r < 0)
		fail(q, MHD_HTTP_SERVICE_UNAVAILABLE, "too much to do, try again");
}

static void hear(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct place *p = info ? info->socket_context : NULL;

	if (p)
		p->heard = now_s();
}

/* MHD calls it with the head, then with each piece of the body, then without one. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *bytes,
				  size_t *n, void **request)
{
	struct request *q = *request;

	hear(c);
	if (!q)
		return begin(c, ctx, url, method, request);
	if (*n == 0)
		return finish(c, q);
	take_bytes(q, ww_slice(bytes, *n));
	*n = 0;
	if (q->dropped_bytes <= q->r->body_bytes_max && now_s() <= q->deadline)
		return MHD_YES;
	/* Invariant 2: closes the connection. */
	q->r->stats.refused++;
	return MHD_NO;
}

static void on_request_end(void *ctx, struct MHD_Connection *c, void **request,
			   enum MHD_RequestTerminationCode how)
{
	struct request *q = *request;

	if (!q)
		return;
	ww_otlp_upload_done(&q->upload);
	free(q);
	*request = NULL;
}

/* --- places -------------------------------------------------------------------------------------
 */

static void on_connection(void *ctx, struct MHD_Connection *c, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct ww_otlp_receiver *r = ctx;
	struct place *p = *context;
	const union MHD_ConnectionInfo *fd;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (p) {
			p->taken = false;
			r->taken--;
		}
		return;
	}
	fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	for (unsigned i = 0; fd && i < CONNECTIONS_MAX && !*context; i++) {
		if (r->places[i].taken)
			continue;
		r->places[i] = (struct place){true, false, fd->connect_fd, now_s()};
		r->taken++;
		r->full |= r->taken == CONNECTIONS_MAX;
		*context = &r->places[i];
	}
}

/* MHD sees the shutdown as the client's and closes. */
static void end_place(struct place *p)
{
	p->ending = true;
	(void)shutdown(p->fd, SHUT_RDWR); /* it may have ended by itself */
}

/* Invariant 4. MHD misses an end that came together with bytes; it would wait for the silence. */
static void make_room(struct ww_otlp_receiver *r)
{
	struct place *silent = NULL;
	bool ending = false;
	char byte;

	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		struct place *p = &r->places[i];

		if (!p->ending && recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
			end_place(p);
		ending |= p->ending;
		if (!silent || p->heard < silent->heard)
			silent = p;
	}
	if (ending || silent->heard + (time_t)FULL_SILENCE_MAX_S >= now_s())
		return;
	r->stats.refused++;
	end_place(silent);
}

/* --- the receiver -------------------------------------------------------------------------------
 */

static int listen_at(const struct sockaddr_storage *address, int *ret_fd, uint16_t *ret_port)
{
	socklen_t n = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						     : sizeof(struct sockaddr_in);
	struct sockaddr_storage bound = {0};
	socklen_t bound_n = sizeof(bound);
	int fd WW_AUTO_FD = -1;
	const int on = 1;

	if (address->ss_family != AF_INET && address->ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* So that a restart does not wait for old connections to be forgotten. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (address->ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)address, n) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &bound_n) < 0)
		return -errno;
	*ret_port = endpoint((struct sockaddr *)&bound).port;
	*ret_fd = WW_TAKE_FD(fd);
	return 0;
}

int ww_otlp_receiver_open(const struct ww_otlp_receiver_config *cfg, ww_otlp_accept_fn accept,
			  void *ctx, struct ww_otlp_receiver **ret_receiver)
{
	struct ww_otlp_receiver *r WW_AUTO(ww_otlp_receiver_close_auto) = calloc(1, sizeof(*r));
	int fd WW_AUTO_FD = -1;
	int result;

	if (!r)
		return -ENOMEM;
	r->accept = accept;
	r->ctx = ctx;
	r->body_bytes_max = cfg->body_bytes_max ? cfg->body_bytes_max : WW_OTLP_BYTES_MAX;
	r->budget.max = r->body_bytes_max;
	result = listen_at(&cfg->bind, &fd, &r->port);
	if (result < 0)
		return result;
	r->http = MHD_start_daemon(
		MHD_USE_EPOLL | (cfg->bind.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL,
		on_request, r, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
		on_request_end, r, MHD_OPTION_NOTIFY_CONNECTION, on_connection, r,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_BYTES_MAX, MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_MAX_S,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!r->http)
		return -EIO;
	(void)WW_TAKE_FD(fd); /* the HTTP server closes it */
	*ret_receiver = WW_TAKE(r);
	return 0;
}

void ww_otlp_receiver_close(struct ww_otlp_receiver *r)
{
	if (!r)
		return;
	if (r->http)
		MHD_stop_daemon(r->http);
	free(r);
}

int ww_otlp_receiver_fd(const struct ww_otlp_receiver *r)
{
	return MHD_get_daemon_info(r->http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int ww_otlp_receiver_timeout_ms(const struct ww_otlp_receiver *r)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(r->http, &ms) == MHD_NO)
		return -1;
	if (r->full && ms > FULL_LOOK_MS)
		return FULL_LOOK_MS;
	return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

void ww_otlp_receiver_run(struct ww_otlp_receiver *r)
{
	/* Without internal threads it has no other way to fail than that there was nothing to do.
	 */
	(void)MHD_run(r->http);
	/* It listens again in the next run only, which nothing would call for. */
	while (r->full && r->taken < CONNECTIONS_MAX) {
		r->full = false;
		(void)MHD_run(r->http);
	}
	if (r->full)
		make_room(r);
}

uint16_t ww_otlp_receiver_port(const struct ww_otlp_receiver *r)
{
	return r->port;
}

struct ww_otlp_receiver_stats ww_otlp_receiver_stats(const struct ww_otlp_receiver *r)
{
	return r->stats;
}
