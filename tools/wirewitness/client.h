/* SPDX-License-Identifier: Apache-2.0 */
/* The CLI's end of the control socket (include/wirewitness/stream.h), blocking. */
#pragma once

#include <wirewitness/stream.h>

#include "base/buf.h"
#include "base/json.h"

struct ww_client {
	int fd;
	struct ww_buf in;
	size_t line_end; /* bytes of `in` that the last line took */
};

/* 0; -ENOENT / -ECONNREFUSED: no daemon there; -EACCES; other -errno. */
WW_CHECK int ww_client_open(const char *path, struct ww_client *ret_client);
void ww_client_close(struct ww_client *c);

/* Sends one line (a newline is added). 0 or -errno. */
WW_CHECK int ww_client_send(struct ww_client *c, const char *line);

/* The next line without its newline, borrowed until the next call. 0; -EPIPE: the daemon is gone;
 * -EMSGSIZE; -errno. */
WW_CHECK int ww_client_line(struct ww_client *c, struct ww_slice *ret_line);

/*
 * Sends a request and reads its answer; *ret_answer is borrowed until the next call. 0; -EREMOTEIO:
 * the daemon said no, its text is in error (cap bytes); otherwise as above.
 */
WW_CHECK int ww_client_ask(struct ww_client *c, const char *request, struct ww_slice *ret_answer,
			   char *error, size_t cap);

/* Says on standard error why the daemon at path could not be reached and what to do. */
void ww_client_explain(const char *path, int r);
