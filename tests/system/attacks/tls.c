/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls CASE HOST CA: one refund through the corners of the TLS library's interface.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *case_name, *host, *ca;
static const char body[] = "{\"order_id\":\"A17\",\"amount_cents\":1}";

static void die(const char *what)
{
	fprintf(stderr, "%s: %s, errno %s\n", case_name, what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(1);
}

static int dial(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *a;
	int fd;

	if (getaddrinfo(host, "443", &hints, &a))
		die("name");
	fd = socket(a->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen))
		die("connect");
	freeaddrinfo(a);
	return fd;
}

static SSL_CTX *context(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	SSL_CTX_load_verify_locations(c, ca, NULL);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF);
	return c;
}

static SSL *session(SSL_CTX *c, int fd)
{
	SSL *s = SSL_new(c);

	SSL_set_tlsext_host_name(s, host);
	SSL_set_fd(s, fd);
	return s;
}

static SSL *open_session(SSL_CTX *c)
{
	SSL *s = session(c, dial());

	if (SSL_connect(s) != 1)
		die("handshake");
	return s;
}

static char text[4 << 20];

static int request(const char *method, const char *target, int pad)
{
	int n = snprintf(
		text, sizeof(text),
		"%s %s HTTP/1.1\r\nhost: %s\r\nx-case: %s\r\ncontent-length: %zu\r\n\r\n%s", method,
		target, host, case_name, strlen(body) + (size_t)pad, body);
	memset(text + n, ' ', (size_t)pad);
	return n + pad;
}

static int refund(void)
{
	return request("POST", "/v1/refunds", 0);
}

/* One answer whose end is that of its JSON object. */
static int reply(SSL *s, int size)
{
	char in[65536];
	int n = 0, r;

	while (n < (int)sizeof(in) - 1 &&
	       (r = SSL_read(s, in + n, size < 65000 - n ? size : 65000 - n)) > 0) {
		n += r;
		in[n] = '\0';
		if (strstr(in, "\r\n\r\n") && in[n - 1] == '}')
			break;
	}
	return n;
}

static void finish(SSL *s)
{
	int fd = SSL_get_fd(s);

	SSL_shutdown(s);
	SSL_free(s);
	close(fd);
}

static void whole(SSL *s)
{
	int n = refund();

	if (SSL_write(s, text, n) != n)
		die("write");
	reply(s, 65536);
	finish(s);
}

static void tls12(int suite)
{
	static const char *const suites[] = {
		"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
		"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
		"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
	};
	SSL_CTX *c = context();

	SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(c, suites[suite]);
	whole(open_session(c));
}

/* --- writes that no API function of the plan makes ----------------------------------------------
 */

static int small(void)
{
	return snprintf(
		text, sizeof(text),
		"POST /v1/refunds HTTP/1.1\r\nhost:a\r\nx-case:%s\r\ncontent-length:2\r\n\r\n{}",
		case_name);
}

/* A BIO around the session: the refund goes by it, a harmless request by SSL_write. */
static void hidden(int read_size)
{
	SSL_CTX *c = context();
	BIO *b = BIO_new(BIO_f_ssl());
	char in[4096];
	SSL *s;
	int n;

	SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256");
	s = open_session(c);
	BIO_set_ssl(b, s, BIO_NOCLOSE);
	n = small();
	if (BIO_write(b, text, n) != n)
		die("BIO_write");
	if (read_size)
		BIO_read(b, in, sizeof(in));
	n = request("GET", "/health", 0);
	SSL_write(s, text, n);
	if (read_size)
		reply(s, read_size);
	finish(s);
}

/* The answer to the refund is read by the BIO, that to a harmless request by SSL_read. */
static void hidden_reply(int unused)
{
	SSL *s = open_session(context());
	BIO *b = BIO_new(BIO_f_ssl());
	char in[4096];
	int n = refund();

	BIO_set_ssl(b, s, BIO_NOCLOSE);
	SSL_write(s, text, n);
	BIO_read(b, in, sizeof(in));
	n = request("GET", "/health", 0);
	SSL_write(s, text, n);
	reply(s, 65536);
	finish(s);
}

static void bio_chain(int unused)
{
	BIO *b = BIO_new_ssl_connect(context());
	char in[4096];
	SSL *s;
	int n = refund();

	BIO_get_ssl(b, &s);
	SSL_set_tlsext_host_name(s, host);
	BIO_set_conn_hostname(b, host);
	BIO_set_conn_port(b, "443");
	if (BIO_do_connect(b) != 1 || BIO_write(b, text, n) != n)
		die("bio");
	BIO_read(b, in, sizeof(in));
	BIO_free_all(b);
}

static SSL_SESSION *kept;

static int keep(SSL *s, SSL_SESSION *session)
{
	(void)s;
	kept = session;
	return 1;
}

static void resume(int unused)
{
	SSL_CTX *c = context();
	SSL *s;
	int n;

	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(c, keep);
	s = open_session(c);
	n = request("GET", "/health", 0);
	SSL_write(s, text, n);
	reply(s, 65536);
	finish(s);
	if (!kept)
		die("no ticket");
	s = session(c, dial());
	SSL_set_session(s, kept);
	if (SSL_connect(s) != 1)
		die("second handshake");
	whole(s);
}

static void renegotiate(int unused)
{
	SSL_CTX *c = context();
	SSL *s;
	int n;

	SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
	s = open_session(c);
	n = request("GET", "/health", 0);
	SSL_write(s, text, n);
	reply(s, 65536);
	SSL_renegotiate(s);
	SSL_do_handshake(s);
	whole(s);
}

static void key_update(int times)
{
	SSL *s = open_session(context());
	int n = request("GET", "/health", 0);

	SSL_write(s, text, n);
	reply(s, 65536);
	for (int i = 0; i < times; i++) {
		SSL_key_update(s, SSL_KEY_UPDATE_NOT_REQUESTED);
		SSL_do_handshake(s);
	}
	whole(s);
}

static void retry_hello(int unused)
{
	SSL_CTX *c = context();

	SSL_CTX_set1_groups_list(c, "X448:P-521:P-384:P-256");
	whole(open_session(c));
}

/* --- sizes --------------------------------------------------------------------------------------
 */

static void huge_write(int pad)
{
	SSL *s = open_session(context());
	int n = request("POST", "/v1/refunds", pad);

	if (SSL_write(s, text, n) != n)
		die("write");
	reply(s, 65536);
	finish(s);
}

static void empty_write(int times)
{
	SSL *s = open_session(context());
	size_t done;

	for (int i = 0; i < times; i++) {
		SSL_write(s, text, 0);
		SSL_write_ex(s, text, 0, &done);
	}
	whole(s);
}

static void nonblocking(int partial)
{
	SSL *s = open_session(context());
	int fd = SSL_get_fd(s), n = request("POST", "/v1/refunds", 900 << 10), at = 0,
	    small_buf = 4096;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small_buf, sizeof(small_buf));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	SSL_set_mode(s, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				(partial ? SSL_MODE_ENABLE_PARTIAL_WRITE : 0));
	while (at < n) {
		int r = SSL_write(s, text + at, n - at);
		struct pollfd p = {fd, POLLOUT, 0};

		if (r > 0) {
			at += r;
			continue;
		}
		if (SSL_get_error(s, r) != SSL_ERROR_WANT_WRITE)
			die("nonblocking");
		poll(&p, 1, 5000);
	}
	fcntl(fd, F_SETFL, 0);
	reply(s, 65536);
	finish(s);
}

static void peek(int only)
{
	SSL *s = open_session(context());
	int n = refund();
	char in[4096];

	SSL_write(s, text, n);
	for (int i = 0; i < 20; i++)
		SSL_peek(s, in, sizeof(in));
	if (!only)
		reply(s, 65536);
	finish(s);
}

static void tiny(int unused)
{
	SSL *s = open_session(context());
	int n = refund();

	for (int i = 0; i < n; i++)
		SSL_write(s, text + i, 1);
	reply(s, 1);
	finish(s);
}

static void ex(int unused)
{
	SSL *s = open_session(context());
	size_t n = (size_t)refund(), done;
	char in[4096];

	SSL_write_ex(s, text, n, &done);
	SSL_read_ex(s, in, sizeof(in), &done);
	finish(s);
}

static void half_close(int unused)
{
	SSL *s = open_session(context());
	int n = refund();

	SSL_write(s, text, n);
	SSL_shutdown(s);
	shutdown(SSL_get_fd(s), SHUT_WR);
	reply(s, 65536);
	SSL_free(s);
}

/* --- objects, threads and processes --------------------------------------------------------------
 */

static void pump(int fd, BIO *out, BIO *in, bool wait_in)
{
	char buf[65536];
	int n;

	while ((n = BIO_read(out, buf, sizeof(buf))) > 0)
		if (send(fd, buf, (size_t)n, 0) != n)
			die("send");
	if (wait_in) {
		n = (int)recv(fd, buf, sizeof(buf), 0);
		if (n > 0)
			BIO_write(in, buf, n);
	}
}

static void memory_bio(int unused)
{
	int fd = dial(), n;
	SSL *s = SSL_new(context());
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	char buf[65536];

	SSL_set_tlsext_host_name(s, host);
	SSL_set_bio(s, in, out);
	SSL_set_connect_state(s);
	while (SSL_do_handshake(s) != 1)
		pump(fd, out, in, true);
	n = refund();
	SSL_write(s, text, n);
	pump(fd, out, in, true);
	while (SSL_read(s, buf, sizeof(buf)) <= 0)
		pump(fd, out, in, true);
	SSL_free(s);
	close(fd);
}

static void *in_thread(void *arg)
{
	whole(arg);
	return NULL;
}

static void thread(int unused)
{
	SSL *s = open_session(context());
	int n = request("GET", "/health", 0);
	pthread_t t;

	SSL_write(s, text, n);
	reply(s, 65536);
	pthread_create(&t, NULL, in_thread, s);
	pthread_join(t, NULL);
}

static void forked(int both)
{
	SSL *s = open_session(context());
	int n = request("GET", "/health", 0);

	SSL_write(s, text, n);
	reply(s, 65536);
	if (fork() == 0) {
		n = refund();
		SSL_write(s, text, n);
		reply(s, 65536);
		_exit(0);
	}
	wait(NULL);
	if (both) { /* the sequence numbers are the child's now: the service drops the connection */
		n = request("GET", "/health", 0);
		SSL_write(s, text, n);
		reply(s, 65536);
	}
	close(SSL_get_fd(s));
}

static void thousands(int times)
{
	SSL_CTX *c = context();

	for (int i = 0; i < times; i++) {
		SSL *s = SSL_new(c);

		SSL_set_connect_state(s);
		SSL_set_bio(s, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
		SSL_do_handshake(s);
		SSL_free(s);
	}
	whole(open_session(c));
}

/* Until two tickets and more than a header of the answer's record are in the socket; there they
 * stay. */
static void await_reply(int fd)
{
	static char in[600];
	struct timeval limit = {10, 0};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (recv(fd, in, sizeof(in), MSG_PEEK | MSG_WAITALL) != sizeof(in))
		die("no answer came");
}

static void free_first(int unused)
{
	SSL *s = open_session(context());
	int fd = SSL_get_fd(s), n = refund();

	SSL_write(s, text, n);
	SSL_free(s);
	await_reply(fd);
	close(fd);
}

static void dupped(int unused)
{
	SSL_CTX *c = context();
	int fd = dial(), other = dup(fd);
	SSL *s = session(c, fd);

	if (SSL_connect(s) != 1)
		die("handshake");
	SSL_set_fd(s, other);
	close(fd);
	whole(s);
}

/* Killed as soon as the request is away; the parent claims. */
static void killed(int unused)
{
	if (fork() == 0) {
		SSL *s = open_session(context());
		int n = refund();

		SSL_write(s, text, n);
		kill(getpid(), SIGKILL);
	}
	wait(NULL);
}

static void inherit_exec(int unused)
{
	SSL *s = open_session(context());
	int n = refund();

	SSL_write(s, text, n);
	await_reply(SSL_get_fd(s));
	fcntl(SSL_get_fd(s), F_SETFD, 0);
	execl("/bin/cat", "cat", "/proc/self/status", (char *)NULL);
}

static void reuse_object(int unused)
{
	SSL *s = open_session(context());
	int n = request("GET", "/health", 0), fd = SSL_get_fd(s);

	SSL_write(s, text, n);
	reply(s, 65536);
	SSL_shutdown(s);
	SSL_clear(s);
	close(fd);
	SSL_set_fd(s, dial());
	if (SSL_connect(s) != 1)
		die("again");
	whole(s);
}

/* TLS in TLS: to the same service, which does not understand it. */
static void inner(int unused)
{
	SSL *s = open_session(context()), *deep = SSL_new(context());
	BIO *b = BIO_new(BIO_f_ssl());

	BIO_set_ssl(b, s, BIO_NOCLOSE);
	SSL_set_bio(deep, b, b);
	SSL_set_tlsext_host_name(deep, host);
	fcntl(SSL_get_fd(s), F_SETFL, O_NONBLOCK);
	SSL_connect(deep); /* goes out; nothing comes back */
	SSL_write(deep, text, refund());
	close(SSL_get_fd(s));
}

/* The connected socket goes through a socket pair to a child, which acts. */
static void passed(int unused)
{
	int pair[2], fd = dial(), got;
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec io = {&byte, 1};
	struct msghdr m = {.msg_iov = &io,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	if (fork() == 0) {
		SSL *s;

		close(fd);
		recvmsg(pair[1], &m, 0);
		memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(got));
		s = session(context(), got);
		if (SSL_connect(s) != 1)
			die("handshake");
		whole(s);
		_exit(0);
	}
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	sendmsg(pair[0], &m, 0);
	close(fd);
	wait(NULL);
}

static const struct {
	const char *name;
	void (*run)(int);
	int how;
} cases[] = {
	{"hidden_bio", hidden, 0},
	{"hidden_slack", hidden, 1},
	{"hidden_reply", hidden_reply, 0},
	{"bio_chain", bio_chain, 0},
	{"tls12_gcm", tls12, 0},
	{"tls12_cbc", tls12, 1},
	{"tls12_chacha", tls12, 2},
	{"renegotiate", renegotiate, 0},
	{"resume", resume, 0},
	{"key_update", key_update, 20},
	{"retry_hello", retry_hello, 0},
	{"huge_write", huge_write, 2 << 20},
	{"empty_write", empty_write, 100},
	{"partial", nonblocking, 1},
	{"nonblock", nonblocking, 0},
	{"peek", peek, 0},
	{"peek_only", peek, 1},
	{"tiny", tiny, 0},
	{"ex", ex, 0},
	{"half_close", half_close, 0},
	{"memory_bio", memory_bio, 0},
	{"thread", thread, 0},
	{"fork", forked, 0},
	{"fork_both", forked, 1},
	{"thousands", thousands, 1000},
	{"free_first", free_first, 0},
	{"dup", dupped, 0},
	{"killed", killed, 0},
	{"inherit_exec", inherit_exec, 0},
	{"reuse_object", reuse_object, 0},
	{"inner", inner, 0},
	{"passed", passed, 0},
};

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	case_name = argv[1];
	host = argv[2];
	ca = argv[3];
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(case_name, cases[i].name) == 0) {
			cases[i].run(cases[i].how);
			return 0;
		}
	}
	return 2;
}
