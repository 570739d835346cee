/* SPDX-License-Identifier: Apache-2.0 */
#include "authority.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/http.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

WW_DEFINE_AUTO(BIO, BIO_free_all)

static void free_text(char **p)
{
	OPENSSL_free(*p);
}

static int say_openssl(struct ww_errtext *why, const char *url)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	ww_errtext_set(why, -EIO, "%.200s did not answer as an authority: %s", url,
		       text ? text : "no reason given");
	ERR_clear_error();
	return -EIO;
}

int ww_authority_http(const char *url, struct ww_slice query, struct ww_buf *reply,
		      struct ww_errtext *why)
{
	WW_AUTO(free_text) char *host = NULL;
	WW_AUTO(free_text) char *port = NULL;
	WW_AUTO(free_text) char *path = NULL;
	WW_AUTO(BIO_free_all_auto) BIO *request = BIO_new_mem_buf(query.p, (int)query.n);
	WW_AUTO(BIO_free_all_auto) BIO *answer = NULL;
	int tls = 0, n;

	if (!request)
		return -ENOMEM;
	if (OSSL_HTTP_parse_url(url, &tls, NULL, &host, &port, NULL, &path, NULL, NULL) != 1) {
		ERR_clear_error();
		return ww_errtext_set(why, -EINVAL, "not an http address: %.200s", url);
	}
	if (tls)
		return ww_errtext_set(why, -EINVAL,
				      "https is for --timestamp-command, e.g. curl: %.200s", url);
	answer = OSSL_HTTP_transfer(NULL, host, port, path, 0, NULL, NULL, NULL, NULL, NULL, NULL,
				    0, NULL, "application/timestamp-query", request,
				    "application/timestamp-reply", 1, WW_AUTHORITY_REPLY_MAX,
				    WW_AUTHORITY_TIMEOUT_S, 0);
	if (!answer)
		return say_openssl(why, url);
	for (;;) {
		uint8_t *p;
		int r = ww_buf_reserve(reply, 4096, &p);

		if (r < 0)
			return ww_errtext_errno(why, r, "cannot take the reply");
		n = BIO_read(answer, p, 4096);
		if (n <= 0)
			return reply->n ? 0 : say_openssl(why, url);
		reply->n += (size_t)n;
	}
}

/* --- a command ----------------------------------------------------------------------------------
 */

static pid_t start(const char *command, int in[2], int out[2])
{
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0)
			_exit(127);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* All that it writes, until it closes its end or the time is over. */
static int take_output(int fd, struct ww_buf *reply)
{
	int64_t end = now_ms() + WW_AUTHORITY_TIMEOUT_S * 1000;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = end - now_ms();
		uint8_t *p;
		ssize_t n;
		int r;

		if (left <= 0 || poll(&wait, 1, (int)left) == 0)
			return -ETIMEDOUT;
		r = ww_buf_reserve(reply, 4096, &p);
		if (r < 0)
			return r;
		n = read(fd, p, 4096);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		reply->n += n > 0 ? (size_t)n : 0;
	}
}

static int talk(const char *command, int in[2], int out[2], struct ww_slice query,
		struct ww_buf *reply, struct ww_errtext *why)
{
	pid_t pid = start(command, in, out);
	int r = pid < 0 ? -errno : 0, status = 0;

	close(in[0]);
	close(out[1]);
	/* A query is far below what a pipe holds: this cannot block. */
	if (r == 0 && write(in[1], query.p, query.n) != (ssize_t)query.n)
		r = -EIO;
	close(in[1]);
	if (r == 0)
		r = take_output(out[0], reply);
	close(out[0]);
	if (pid < 0)
		return ww_errtext_errno(why, r, "cannot run %.200s", command);
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return ww_errtext_errno(why, r, "no reply from %.200s", command);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return ww_errtext_set(why, -EIO, "%.200s failed", command);
	return 0;
}

int ww_authority_command(const char *command, struct ww_slice query, struct ww_buf *reply,
			 struct ww_errtext *why)
{
	int in[2], out[2], r;
	void (*before)(int);

	if (pipe2(in, O_CLOEXEC) < 0)
		return ww_errtext_errno(why, -errno, "cannot run %.200s", command);
	if (pipe2(out, O_CLOEXEC) < 0) {
		r = ww_errtext_errno(why, -errno, "cannot run %.200s", command);
		close(in[0]);
		close(in[1]);
		return r;
	}
	before = signal(SIGPIPE, SIG_IGN);
	r = talk(command, in, out, query, reply, why);
	signal(SIGPIPE, before);
	return r;
}
