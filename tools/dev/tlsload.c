/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlsload: a TLS client for measurements. Sends sequential requests over one keep-alive TLS 1.3
 * connection per thread and prints one line of JSON: latencies, CPU time, calls and bytes as the
 * application sees them, bytes as the TLS library gave them to and took them from the socket, and
 * the local ports.
 *
 *   -p PORT  on 127.0.0.1        -n N  requests per thread      -t N  threads (connections)
 *   -b N     body bytes (512)    -u PATH (/)                    -x    SSL_write_ex, SSL_read_ex
 *   -w N     requests before the clock starts (200)             -c CPU  runs there
 *   -f FILE  the body, instead of -b                            -i N    pause of N us after each
 * Bytes that no TLS library call explains, for tests of the byte account:
 *   -s N     on a socket of its own: N bytes in clear, to the same port
 *   -r N     on each connection, at its end: a record of N bytes made without the library
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 256
#define REPLY_BYTES (1u << 20)
#define HEAD_BYTES  1024u
#define HIDDEN_MAX  16384u
#define BODY_MAX    (1u << 20)

struct options {
	uint16_t port;
	unsigned requests, warm_up, threads, body, cpu;
	unsigned hidden_socket, hidden_record, pause_us;
	bool ex, pinned;
	const char *path;
	char *content; /* of -f; NULL: filled */
};

static struct options opt = {
	.port = 443, .requests = 1000, .warm_up = 200, .threads = 1, .body = 512, .path = "/"};
static SSL_CTX *tls;

struct client {
	pthread_t thread;
	uint64_t *latency_ns; /* opt.requests entries */
	uint64_t writes, reads, bytes_out, bytes_in, raw_out, raw_in;
	uint16_t local_port;
	int fd;
	SSL *ssl;
	char *request, *reply;
	size_t request_bytes;
	bool failed;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000u +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000u;
}

static int connect_loopback(uint16_t *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(opt.port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) < 0) {
		close(fd);
		return -1;
	}
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static bool open_client(struct client *c)
{
	int n;

	c->fd = connect_loopback(&c->local_port);
	c->ssl = c->fd < 0 ? NULL : SSL_new(tls);
	c->request = malloc(HEAD_BYTES + opt.body);
	c->reply = malloc(REPLY_BYTES);
	if (!c->ssl || !c->request || !c->reply || SSL_set_fd(c->ssl, c->fd) != 1 ||
	    SSL_connect(c->ssl) != 1)
		return false;
	n = snprintf(c->request, HEAD_BYTES,
		     "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		     "Content-Length: %u\r\n\r\n",
		     opt.path, opt.body);
	if (n < 0 || n >= (int)HEAD_BYTES)
		return false;
	if (opt.content)
		memcpy(c->request + n, opt.content, opt.body);
	else
		memset(c->request + n, 'q', opt.body);
	c->request_bytes = (size_t)n + opt.body;
	return true;
}

/* Closes in order: the library has then seen every byte that came. */
static void end_session(struct client *c)
{
	char byte;

	SSL_shutdown(c->ssl);
	shutdown(c->fd, SHUT_WR);
	while (SSL_read(c->ssl, &byte, 1) > 0)
		;
	while (read(c->fd, &byte, 1) > 0)
		c->raw_in++;
}

static void close_client(struct client *c)
{
	if (c->ssl) {
		c->raw_out = BIO_number_written(SSL_get_wbio(c->ssl));
		c->raw_in += BIO_number_read(SSL_get_rbio(c->ssl));
	}
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	free(c->request);
	free(c->reply);
}

static bool write_request(struct client *c)
{
	size_t done = 0;

	if (opt.ex) {
		if (SSL_write_ex(c->ssl, c->request, c->request_bytes, &done) != 1)
			return false;
	} else {
		int n = SSL_write(c->ssl, c->request, (int)c->request_bytes);

		done = n > 0 ? (size_t)n : 0;
	}
	c->writes++;
	c->bytes_out += done;
	return done == c->request_bytes;
}

static size_t read_some(struct client *c, size_t at)
{
	size_t done = 0;
	int n;

	c->reads++;
	if (opt.ex) {
		if (SSL_read_ex(c->ssl, c->reply + at, REPLY_BYTES - 1 - at, &done) != 1)
			done = 0;
	} else {
		n = SSL_read(c->ssl, c->reply + at, (int)(REPLY_BYTES - 1 - at));
		done = n > 0 ? (size_t)n : 0;
	}
	c->bytes_in += done;
	return done;
}

/* Length of the whole reply once its head is complete, else 0. */
static size_t reply_bytes(const char *reply)
{
	const char *end = strstr(reply, "\r\n\r\n");
	const char *length = strcasestr(reply, "\r\ncontent-length:");

	if (!end || !length || length > end)
		return 0;
	return (size_t)(end - reply) + 4 + strtoul(length + 17, NULL, 10);
}

static bool exchange(struct client *c)
{
	size_t got = 0, want = 0;

	if (!write_request(c))
		return false;
	while (want == 0 || got < want) {
		size_t n = read_some(c, got);

		if (n == 0)
			return false;
		got += n;
		c->reply[got] = 0;
		if (want == 0)
			want = reply_bytes(c->reply);
	}
	return got == want && strncmp(c->reply, "HTTP/1.1 200", 12) == 0;
}

/* Looks like application data, made by nobody's library. */
static bool send_raw(int fd, unsigned n, bool as_record)
{
	uint8_t bytes[5 + HIDDEN_MAX] = {23, 3, 3, (uint8_t)(n >> 8), (uint8_t)n};
	size_t skip = as_record ? 0 : 5;

	memset(bytes + 5, 'h', n);
	return send(fd, bytes + skip, n + 5 - skip, MSG_NOSIGNAL) == (ssize_t)(n + 5 - skip);
}

static void *run(void *arg)
{
	struct client *c = arg;

	c->failed = !open_client(c);
	for (unsigned i = 0; !c->failed && i < opt.warm_up; i++)
		c->failed = !exchange(c);
	for (unsigned i = 0; !c->failed && i < opt.requests; i++) {
		uint64_t start = now_ns();

		c->failed = !exchange(c);
		c->latency_ns[i] = now_ns() - start;
		if (opt.pause_us)
			usleep(opt.pause_us);
	}
	if (!c->failed && opt.hidden_record)
		c->failed = !send_raw(c->fd, opt.hidden_record, true);
	else if (!c->failed)
		end_session(c);
	close_client(c);
	return NULL;
}

static bool hide_socket(void)
{
	uint16_t port = 0;
	int fd = connect_loopback(&port);
	char reply[4096];
	bool ok = fd >= 0 && send_raw(fd, opt.hidden_socket, false);

	if (fd < 0)
		return false;
	shutdown(fd, SHUT_WR);
	while (ok && read(fd, reply, sizeof(reply)) > 0)
		;
	close(fd);
	return ok;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void report(const struct client *clients, uint64_t *all, uint64_t wall, uint64_t cpu)
{
	size_t n = (size_t)opt.requests * opt.threads;
	uint64_t sum = 0, writes = 0, reads = 0, out = 0, in = 0, raw_out = 0, raw_in = 0;

	for (size_t i = 0; i < n; i++)
		sum += all[i];
	qsort(all, n, sizeof(all[0]), by_value);
	for (unsigned i = 0; i < opt.threads; i++) {
		writes += clients[i].writes;
		reads += clients[i].reads;
		out += clients[i].bytes_out;
		in += clients[i].bytes_in;
		raw_out += clients[i].raw_out;
		raw_in += clients[i].raw_in;
	}
	printf("{\"requests\": %zu, \"warm_up\": %u, \"mean_us\": %.3f, \"p50_us\": %.3f, "
	       "\"p90_us\": %.3f, \"p99_us\": %.3f, \"wall_s\": %.6f, \"cpu_us\": %.3f, "
	       "\"writes\": %" PRIu64 ", \"reads\": %" PRIu64 ", \"bytes_out\": %" PRIu64
	       ", \"bytes_in\": %" PRIu64 ", \"raw_out\": %" PRIu64 ", \"raw_in\": %" PRIu64
	       ", \"ports\": [",
	       n, opt.warm_up * opt.threads, (double)sum / (double)n / 1e3,
	       (double)all[n / 2] / 1e3, (double)all[n * 9 / 10] / 1e3,
	       (double)all[n * 99 / 100] / 1e3, (double)wall / 1e9,
	       (double)cpu / (double)(n + (size_t)opt.warm_up * opt.threads) / 1e3, writes, reads,
	       out, in, raw_out, raw_in);
	for (unsigned i = 0; i < opt.threads; i++)
		printf("%s%u", i ? ", " : "", clients[i].local_port);
	printf("]}\n");
}

static int load(void)
{
	static struct client clients[THREADS_MAX];
	uint64_t *all = calloc((size_t)opt.requests * opt.threads, sizeof(*all));
	uint64_t start = now_ns(), cpu = cpu_ns();
	bool failed = false;

	if (!all)
		return 1;
	for (unsigned i = 0; i < opt.threads; i++) {
		clients[i].latency_ns = all + (size_t)i * opt.requests;
		if (pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0)
			exit(1);
	}
	for (unsigned i = 0; i < opt.threads; i++) {
		pthread_join(clients[i].thread, NULL);
		failed |= clients[i].failed;
	}
	if (opt.hidden_socket)
		failed |= !hide_socket();
	if (failed)
		fprintf(stderr, "tlsload: a connection failed\n");
	else
		report(clients, all, now_ns() - start, cpu_ns() - cpu);
	free(all);
	return failed;
}

static unsigned number(const char *s, unsigned max)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s == 0 || *end != 0 || v > max) {
		fprintf(stderr, "tlsload: %s: expected a number up to %u\n", s, max);
		exit(2);
	}
	return (unsigned)v;
}

static void read_body(const char *path)
{
	FILE *f = fopen(path, "re");

	opt.content = malloc(BODY_MAX);
	opt.body = f && opt.content ? (unsigned)fread(opt.content, 1, BODY_MAX, f) : 0;
	if (opt.body == 0) {
		fprintf(stderr, "tlsload: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	fclose(f);
}

static void parse_options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "p:n:t:b:f:i:u:xw:c:s:r:")) != -1) {
		switch (o) {
		case 'p':
			opt.port = (uint16_t)number(optarg, 65535);
			break;
		case 'n':
			opt.requests = number(optarg, 100000000);
			break;
		case 't':
			opt.threads = number(optarg, THREADS_MAX);
			break;
		case 'b':
			opt.body = number(optarg, 1u << 24);
			break;
		case 'f':
			read_body(optarg);
			break;
		case 'i':
			opt.pause_us = number(optarg, 999999);
			break;
		case 'u':
			opt.path = optarg;
			break;
		case 'x':
			opt.ex = true;
			break;
		case 'w':
			opt.warm_up = number(optarg, 100000);
			break;
		case 'c':
			opt.cpu = number(optarg, CPU_SETSIZE - 1);
			opt.pinned = true;
			break;
		case 's':
			opt.hidden_socket = number(optarg, HIDDEN_MAX);
			break;
		case 'r':
			opt.hidden_record = number(optarg, HIDDEN_MAX);
			break;
		default:
			exit(2);
		}
	}
	if (opt.requests == 0 || opt.threads == 0)
		exit(2);
}

int main(int argc, char **argv)
{
	cpu_set_t set;

	parse_options(argc, argv);
	CPU_ZERO(&set);
	CPU_SET(opt.cpu, &set);
	if (opt.pinned && sched_setaffinity(0, sizeof(set), &set) < 0) {
		fprintf(stderr, "tlsload: CPU %u: %s\n", opt.cpu, strerror(errno));
		return 1;
	}
	tls = SSL_CTX_new(TLS_client_method());
	if (!tls || SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1)
		return 1;
	/* The server's certificate is not the matter here. */
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	if (load() != 0)
		return 1;
	SSL_CTX_free(tls);
	free(opt.content);
	return 0;
}
