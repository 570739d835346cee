/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OTLP/HTTP receiver (default 127.0.0.1:4318), side effects included: libmicrohttpd, embedded
 * in the daemon's loop by its epoll descriptor. Follows the OTLP 1.x rules: POST /v1/traces
 * (traces), /v1/metrics and /v1/logs (accepted and ignored with a partial-success warning),
 * protobuf and JSON, gzip, limit after inflation (413), 400 never retried, 503 with Retry-After
 * when the daemon sheds load, google.rpc.Status bodies in the request's encoding.
 *
 * A request is answered 200 only after `accept` took it. A body that is no trace request is
 * answered 400 and handed on all the same, so that the finding stands on the tape with its
 * connection.
 *
 * Limits: 64 connections, 60 s for one request, 30 s of silence (1 s while all connections are
 * taken); all bodies that are arriving hold
 * body_bytes_max together, what does not fit is shed. Not thread safe; `accept` is called from
 * ww_otlp_receiver_run() and must not close the receiver.
 */
#pragma once

#include <netinet/in.h>

#include "claim/otlp.h"

struct ww_otlp_receiver;

struct ww_otlp_receiver_config {
	struct sockaddr_storage bind; /* numeric address and port; port 0: any free one (tests) */
	uint64_t body_bytes_max;      /* after inflation; 0: WW_OTLP_BYTES_MAX */
};

/* Requests by how they were answered. */
struct ww_otlp_receiver_stats {
	uint64_t accepted;  /* 200, traces */
	uint64_t ignored;   /* 200, metrics and logs */
	uint64_t malformed; /* 400: neither protobuf nor JSON of a trace request, or broken gzip */
	uint64_t refused;   /* other 4xx: path, method, content type, too slow */
	uint64_t too_large; /* 413 */
	uint64_t shed;      /* 503 */
	uint64_t failed;    /* 500 */
};

/*
 * One inflated trace request, well formed or not; all is borrowed. Returns 0 (accepted: answer
 * 200), -EAGAIN (shed: 503 with Retry-After), other -errno (500).
 */
typedef int (*ww_otlp_accept_fn)(void *ctx, const struct ww_endpoint *from,
				 const struct ww_endpoint *to, enum ww_claim_encoding encoding,
				 struct ww_slice body);

/* 0, -EADDRINUSE, -EACCES, -EAFNOSUPPORT (neither IPv4 nor IPv6), other -errno. */
WW_CHECK int ww_otlp_receiver_open(const struct ww_otlp_receiver_config *cfg,
				   ww_otlp_accept_fn accept, void *ctx,
				   struct ww_otlp_receiver **ret_receiver);
/* Ends every connection. NULL is allowed. */
void ww_otlp_receiver_close(struct ww_otlp_receiver *r);
WW_DEFINE_AUTO(struct ww_otlp_receiver, ww_otlp_receiver_close)

/*
 * Becomes readable when ww_otlp_receiver_run() has work; timeout in ms until it must be called
 * anyway (-1: none). Ask for the timeout again after every run.
 */
int ww_otlp_receiver_fd(const struct ww_otlp_receiver *r);
int ww_otlp_receiver_timeout_ms(const struct ww_otlp_receiver *r);
void ww_otlp_receiver_run(struct ww_otlp_receiver *r);

/* The port it listens at (what port 0 became); counts since open. */
uint16_t ww_otlp_receiver_port(const struct ww_otlp_receiver *r);
struct ww_otlp_receiver_stats ww_otlp_receiver_stats(const struct ww_otlp_receiver *r);
