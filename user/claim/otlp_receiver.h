/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OTLP/HTTP receiver (default 127.0.0.1:4318), side effects included: libmicrohttpd, embedded
 * in the daemon's loop by its epoll descriptor. Follows the OTLP 1.x rules: POST /v1/traces
 * (traces), /v1/metrics and /v1/logs (accepted and ignored with a partial-success warning),
 * protobuf and JSON, gzip, limit after inflation (413), 400 never retried, 429/503 with Retry-After
 * when the daemon sheds load, google.rpc.Status bodies in the request's encoding.
 *
 * A request is answered 200 only after `accept` took it.
 */
#pragma once

#include <netinet/in.h>

#include "claim/otlp.h"

struct ww_otlp_receiver;

struct ww_otlp_receiver_config {
	struct sockaddr_storage bind; /* numeric address and port; port 0: any free one (tests) */
	uint64_t body_bytes_max;      /* after inflation; 0: WW_OTLP_BYTES_MAX */
};

/*
 * One inflated trace request. Decode errors are found by the receiver (it decodes to answer), then
 * hands the body on. Returns 0 (accepted: answer 200), -EAGAIN (shed: 503 with Retry-After), other
 * -errno (500).
 */
typedef int (*ww_otlp_accept_fn)(void *ctx, const struct ww_endpoint *from,
				 const struct ww_endpoint *to, enum ww_claim_encoding encoding,
				 struct ww_slice body);

/* 0, -EADDRINUSE, -EACCES, other -errno. */
WW_CHECK int ww_otlp_receiver_open(const struct ww_otlp_receiver_config *cfg,
				   ww_otlp_accept_fn accept, void *ctx,
				   struct ww_otlp_receiver **ret_receiver);
void ww_otlp_receiver_close(struct ww_otlp_receiver *r);

/* Becomes readable when ww_otlp_receiver_run() has work; timeout in ms until it must be called
 * anyway (-1: none). */
int ww_otlp_receiver_fd(const struct ww_otlp_receiver *r);
int ww_otlp_receiver_timeout_ms(const struct ww_otlp_receiver *r);
void ww_otlp_receiver_run(struct ww_otlp_receiver *r);
uint16_t ww_otlp_receiver_port(const struct ww_otlp_receiver *r);
