/* SPDX-License-Identifier: Apache-2.0 */
/*
 * early ADDRESS PORT NAME CA: a request with what standard input has, twice; the second connection
 * sends it as early data, before the handshake is over. Of each a line: local port, bytes sent
 * early, whether they were accepted.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int dial(const char *address, const char *port, unsigned *ret_local)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &a.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		die("connect");
	*ret_local = ntohs(a.sin_port);
	return fd;
}

int main(int argc, char **argv)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	SSL_SESSION *session = NULL;
	char request[9000], body[8000] = "", reply[512];

	if (argc != 5 || SSL_CTX_load_verify_locations(c, argv[4], NULL) != 1 ||
	    fread(body, 1, sizeof(body) - 1, stdin) == 0)
		return 2;
	snprintf(request, sizeof(request),
		 "POST /v1/chat/completions HTTP/1.0\r\nHost: %s\r\nContent-Type: "
		 "application/json\r\nContent-Length: %zu\r\n\r\n%s",
		 argv[3], strlen(body), body);
	for (int i = 0; i < 2; i++) {
		SSL *s = SSL_new(c);
		size_t early = 0;
		unsigned local;
		int fd = dial(argv[1], argv[2], &local), n;

		SSL_set_fd(s, fd);
		SSL_set_tlsext_host_name(s, argv[3]);
		if (session && (SSL_set_session(s, session) != 1 ||
				SSL_write_early_data(s, request, strlen(request), &early) != 1))
			die("early data");
		if (SSL_connect(s) != 1)
			die("handshake");
		if (!early && SSL_write(s, request, (int)strlen(request)) <= 0)
			die("write");
		/* The answer brings the ticket, too. */
		while ((n = SSL_read(s, reply, sizeof(reply))) > 0)
			;
		printf("{\"local\": %u, \"early\": %zu, \"accepted\": %d}\n", local, early,
		       SSL_get_early_data_status(s) == SSL_EARLY_DATA_ACCEPTED);
		session = SSL_get1_session(s);
		/* Without it the session is no good for another one. */
		SSL_shutdown(s);
		SSL_free(s);
		close(fd);
	}
	return 0;
}
