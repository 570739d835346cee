/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"
#include "out/printable.h"

int ww_client_open(const char *path, struct ww_client *ret_client)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	WW_AUTO_FD int fd = -1;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	ret_client->fd = WW_TAKE_FD(fd);
	ret_client->line_end = 0;
	ww_buf_init(&ret_client->in, 2 * WW_STREAM_LINE_BYTES_MAX);
	return 0;
}

void ww_client_close(struct ww_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	ww_buf_done(&c->in);
}

int ww_client_send(struct ww_client *c, const char *line)
{
	struct iovec iov[2] = {{(void *)line, strlen(line)}, {(void *)"\n", 1}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);

	if (n < 0)
		return -errno;
	return (size_t)n == iov[0].iov_len + 1 ? 0 : -EIO;
}

int ww_client_line(struct ww_client *c, struct ww_slice *ret_line)
{
	size_t from = 0;

	ww_buf_consume(&c->in, c->line_end);
	c->line_end = 0;
	for (;;) {
		size_t at = ww_slice_find(ww_buf_slice(&c->in), from, '\n');
		uint8_t *p;
		ssize_t n;
		int r;

		if (at < c->in.n) {
			*ret_line = ww_slice(c->in.p, at);
			c->line_end = at + 1;
			return 0;
		}
		from = c->in.n;
		r = ww_buf_reserve(&c->in, 16384, &p);
		if (r < 0)
			return r;
		n = recv(c->fd, p, 16384, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		c->in.n += (size_t)n;
	}
}

/* The text of {"error":...}, as a person reads it. */
static void take_error(struct ww_slice answer, char *error, size_t cap)
{
	struct ww_json_token t;
	struct ww_slice range;
	WW_AUTO_BUF struct ww_buf text;

	ww_buf_init(&text, cap);
	if (ww_json_path(answer, "$.error", &t, &range) == WW_PARSE_DONE &&
	    t.type == WW_JSON_STRING && ww_printable_value(&text, &t) == 0)
		snprintf(error, cap, "%.*s", (int)text.n, (const char *)text.p);
	else
		snprintf(error, cap, "answer not understood");
}

int ww_client_ask(struct ww_client *c, const char *request, struct ww_slice *ret_answer,
		  char *error, size_t cap)
{
	WW_AUTO_BUF struct ww_buf text;
	struct ww_json_token t;
	struct ww_slice line, range;
	int r = ww_client_send(c, request);

	ww_buf_init(&text, WW_STREAM_LINE_BYTES_MAX);
	if (r == 0 || r == -EPIPE) /* turned away at once: the reason may be there to be read */
		r = ww_client_line(c, &line);
	if (r < 0)
		return r;
	if (ww_json_path(line, "$.ok", &t, &range) == WW_PARSE_DONE && t.type == WW_JSON_TRUE) {
		*ret_answer = line;
		return 0;
	}
	take_error(line, error, cap);
	return -EREMOTEIO;
}

void ww_client_explain(const char *path, int r)
{
	if (r == -EREMOTEIO)
		return; /* the daemon's own words were shown */
	if (r == -ENOENT || r == -ECONNREFUSED)
		ww_log(WW_LOG_ERR, "no daemon answers at %s; start it with: sudo wirewitnessd",
		       path);
	else if (r == -EACCES || r == -EPERM || r == -EPIPE)
		ww_log(WW_LOG_ERR, "%s is for root and the daemon's own user; try with sudo", path);
	else
		ww_log_err_r(r, "cannot talk to the daemon at %s", path);
}
