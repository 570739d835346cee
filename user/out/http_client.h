/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST requests to servers of the user's choice, several at a time: libcurl behind one file. Only
 * the daemon links it.
 *
 * http and https only, no redirects, answers of at most WW_HTTP_ANSWER_MAX bytes. Proxies are taken
 * from the environment as curl does. One thread uses a client; only ww_http_wake may come from
 * another.
 */
#pragma once

#include "base/buf.h"

#define WW_HTTP_ANSWER_MAX (128u << 10)
#define WW_HTTP_WHY_MAX    256u

struct ww_http;

struct ww_http_answer {
	unsigned status;      /* 0: no answer came, see why */
	char type[64];        /* Content-Type, empty when there is none */
	struct ww_slice body; /* borrowed for the call */
	char why[WW_HTTP_WHY_MAX];
};

typedef void (*ww_http_fn)(void *ctx, const struct ww_http_answer *a);

/* `ca_file` (NULL: the system's) holds the certificates that servers are checked against. 0,
 * -ENOMEM, -EIO. */
WW_CHECK int ww_http_open(const char *ca_file, struct ww_http **ret_http);

/* Requests under way end without being told. Accepts NULL. */
void ww_http_close(struct ww_http *h);
WW_DEFINE_AUTO(struct ww_http, ww_http_close)

/*
 * Begins a request; `body` is copied. fn is called once, from ww_http_run. 0, -ENOMEM, -EIO: then
 * it is not called.
 */
WW_CHECK int ww_http_post(struct ww_http *h, const char *url, const char *type,
			  struct ww_slice body, unsigned timeout_ms, ww_http_fn fn, void *ctx);

/* Waits until something moves, `fd` (or -1) is readable, it is woken, or the time is over; tells
 * what ended. */
void ww_http_run(struct ww_http *h, int fd, unsigned timeout_ms);

/* Ends the wait of ww_http_run, from any thread. */
void ww_http_wake(struct ww_http *h);
