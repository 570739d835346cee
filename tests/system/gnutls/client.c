/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client PORT CASE COUNT: the exchanges of capture/traffic.py over GnuTLS, in the ways in which
 * programs use it. Fails when the peer does not answer in full.
 *
 *   plain    one connection after the other, TLS 1.2 and 1.3, bodies of up to 4 MB both ways
 *   stuck    a socket that takes little: GNUTLS_E_AGAIN, and the call made again with the same
 *            arguments, or with none after the buffer was reused, as the manual allows
 *   corked   several sends held back and sent together
 *   pair     two sessions in turn, send by send
 *   prefork  eight processes made before their sessions: the same addresses in all of them
 *   seq      gnutls_record_recv_seq
 *   reset    COUNT connections that the peer resets: a send that fails
 *   hold     one exchange, then waits for the end of its standard input
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define PREFORKED 8

struct peer {
	int fd;
	gnutls_session_t tls;
	bool stuck, seq;
	unsigned agains;
};

static gnutls_certificate_credentials_t credentials;
static uint16_t port;

static void fail(const char *what, ssize_t r)
{
	fprintf(stderr, "%s: %s\n", what, r < 0 ? gnutls_strerror((int)r) : "short");
	exit(1);
}

static void await(struct peer *p)
{
	struct pollfd f = {.fd = p->fd,
			   .events = gnutls_record_get_direction(p->tls) ? POLLOUT : POLLIN};

	poll(&f, 1, -1);
}

static void open_peer(struct peer *p, unsigned i, bool stuck)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	const char *versions = i % 3 == 1 ? "NORMAL:-VERS-TLS1.3" : "NORMAL";
	int small = 4096, r;

	*p = (struct peer){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .stuck = stuck};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (stuck)
		setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		fail(strerror(errno), 0);
	if (stuck)
		fcntl(p->fd, F_SETFL, O_NONBLOCK);
	gnutls_init(&p->tls, GNUTLS_CLIENT | (stuck ? GNUTLS_NONBLOCK : 0));
	gnutls_priority_set_direct(p->tls, versions, NULL);
	gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(p->tls, p->fd);
	while ((r = gnutls_handshake(p->tls)) < 0 && !gnutls_error_is_fatal(r))
		await(p);
	if (r < 0)
		fail("handshake", r);
}

/* Sends what one call takes, and says how much that was. Scrambles the buffer when it may. */
static size_t send_some(struct peer *p, char *data, size_t n)
{
	ssize_t r = gnutls_record_send(p->tls, data, n);

	while (r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED) {
		bool forget = p->agains++ % 2 == 0;
		char first[16384];
		size_t kept = n < sizeof(first) ? n : sizeof(first);

		memcpy(first, data, kept);
		if (forget)
			memset(data, 'x', kept);
		await(p);
		r = gnutls_record_send(p->tls, forget ? NULL : data, forget ? 0 : n);
		if (forget)
			memcpy(data, first, kept);
	}
	if (r <= 0)
		fail("send", r);
	return (size_t)r;
}

static void send_all(struct peer *p, char *data, size_t n)
{
	while (n > 0) {
		size_t some = send_some(p, data, n);

		data += some;
		n -= some;
	}
}

static void receive(struct peer *p, size_t n)
{
	static char into[100000];
	unsigned char seq[8];

	while (n > 0) {
		size_t want = n < sizeof(into) ? n : sizeof(into);
		ssize_t r = p->seq ? gnutls_record_recv_seq(p->tls, into, want, seq)
				   : gnutls_record_recv(p->tls, into, want);

		if (r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED)
			await(p);
		else if (r <= 0)
			fail("receive", r);
		else
			n -= (size_t)r;
	}
}

/* A request of n bytes that asks for m; the caller frees it. */
static char *request(uint32_t n, uint32_t m, uint32_t how)
{
	uint32_t head[3] = {htonl(n), htonl(m), htonl(how)};
	char *text = malloc(sizeof(head) + n);

	memcpy(text, head, sizeof(head));
	for (uint32_t i = 0; i < n; i++)
		text[sizeof(head) + i] = (char)(i * 7 + i / 251);
	return text;
}

static void exchange(struct peer *p, uint32_t n, uint32_t m, uint32_t how)
{
	char *text = request(n, m, how);

	send_all(p, text, 12 + n);
	receive(p, m);
	free(text);
}

/* mode 0: the first FIN is ours. */
static void close_peer(struct peer *p, unsigned mode)
{
	char rest[64];

	if (mode != 0)
		while (gnutls_record_recv(p->tls, rest, sizeof(rest)) > 0)
			;
	gnutls_bye(p->tls, GNUTLS_SHUT_WR);
	shutdown(p->fd, SHUT_WR);
	while (read(p->fd, rest, sizeof(rest)) > 0)
		;
	gnutls_deinit(p->tls);
	close(p->fd);
}

static const uint32_t sizes[][2] = {{0, 1},          {200, 1200},     {16384, 16384},
				    {16385, 100000}, {70000, 255},    {1 << 20, 4 << 20},
				    {1000, 5000},    {4 << 20, 20000}};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void run_one(unsigned i, bool stuck, bool seq)
{
	unsigned mode = i % 2 ? 2 : 0, rounds = 2 + i % 3;
	struct peer p;

	open_peer(&p, i, stuck);
	p.seq = seq;
	for (unsigned k = 0; k < rounds; k++)
		exchange(&p, sizes[(i + k) % SIZES][0], sizes[(i + k) % SIZES][1],
			 mode | (k + 1 == rounds ? 4 : 0));
	if (stuck && i % SIZES == 5 && p.agains == 0)
		fail("no GNUTLS_E_AGAIN, the case was not met", 0);
	fcntl(p.fd, F_SETFL, 0); /* blocking again */
	close_peer(&p, mode);
}

static void run_corked(unsigned i)
{
	unsigned parts = 1 + i * 3;
	struct peer p;

	open_peer(&p, i, false);
	gnutls_record_cork(p.tls);
	for (unsigned k = 0; k < parts; k++) {
		char *text = request(1000 * k, 300, k + 1 == parts ? 4 : 0);

		send_all(&p, text, 12 + 1000 * k);
		free(text);
	}
	while (gnutls_record_check_corked(p.tls) > 0)
		if (gnutls_record_uncork(p.tls, GNUTLS_RECORD_WAIT) < 0)
			fail("uncork", 0);
	receive(&p, 300 * parts);
	close_peer(&p, 0);
}

static void run_pair(unsigned i)
{
	const uint32_t bytes = 200000;
	struct peer p[2];
	char *text[2];
	size_t at[2] = {0};

	for (unsigned k = 0; k < 2; k++) {
		open_peer(&p[k], i, false);
		text[k] = request(bytes + k, 70000 + i, 4);
	}
	while (at[0] < 12 + bytes || at[1] < 13 + bytes)
		for (unsigned k = 0; k < 2; k++)
			if (at[k] < 12 + bytes + k)
				at[k] += send_some(&p[k], text[k] + at[k], 12 + bytes + k - at[k]);
	receive(&p[0], 30000);
	receive(&p[1], 70000 + i);
	receive(&p[0], 40000 + i);
	for (unsigned k = 0; k < 2; k++) {
		close_peer(&p[k], 0);
		free(text[k]);
	}
}

static void run_prefork(unsigned count)
{
	int status, bad = 0;

	for (unsigned k = 0; k < PREFORKED; k++) {
		if (fork() != 0)
			continue;
		for (unsigned i = k; i < count; i += PREFORKED)
			run_one(k, false, false);
		_exit(0);
	}
	while (wait(&status) > 0)
		bad |= status;
	if (bad)
		fail("a worker", 0);
}

static void run_reset(unsigned i)
{
	char more[5000] = "never sent";
	struct pollfd f = {.events = 0};
	struct peer p;

	open_peer(&p, i, false);
	exchange(&p, 1000 + i, 2000, 0);
	exchange(&p, 0, 0, 0); /* says that the answer is here */
	f.fd = p.fd;
	while (!(f.revents & POLLERR))
		poll(&f, 1, -1);
	if (gnutls_record_send(p.tls, more, sizeof(more)) >= 0)
		fail("a send after the reset did not fail", 0);
	gnutls_deinit(p.tls);
	close(p.fd);
}

static void run_hold(void)
{
	struct peer p;
	char c;

	open_peer(&p, 0, false);
	exchange(&p, 100, 100, 4);
	puts("ready 0");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	close_peer(&p, 0);
}

int main(int argc, char **argv)
{
	const char *name = argc == 4 ? argv[2] : "";
	unsigned count = argc == 4 ? (unsigned)atoi(argv[3]) : 0;

	port = argc == 4 ? (uint16_t)atoi(argv[1]) : 0;
	gnutls_certificate_allocate_credentials(&credentials);
	if (strcmp(name, "prefork") == 0)
		run_prefork(count);
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(name, "plain") == 0 || strcmp(name, "stuck") == 0)
			run_one(i, name[0] == 's', false);
		else if (strcmp(name, "seq") == 0)
			run_one(i, false, true);
		else if (strcmp(name, "corked") == 0)
			run_corked(i);
		else if (strcmp(name, "pair") == 0)
			run_pair(i);
		else if (strcmp(name, "reset") == 0)
			run_reset(i);
		else if (strcmp(name, "hold") == 0)
			run_hold();
	}
	return count == 0;
}
