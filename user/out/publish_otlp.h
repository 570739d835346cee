/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checkpoint as an OpenTelemetry log record, OTLP JSON for /v1/logs: body = the signed note,
 * attributes wirewitness.checkpoint.origin, .size and .root, event name "wirewitness.checkpoint".
 * Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "ledger/checkpoint.h"

/* Appends the request's body. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_publish_otlp_body(const struct ww_checkpoint *head, struct ww_slice note,
				  const char *host, struct ww_wall now, struct ww_buf *out);

/*
 * Whether a collector took the record: a 2xx status, and no rejected record in the answer. 0, or
 * -EIO with the reason.
 */
WW_CHECK int ww_publish_otlp_taken(unsigned status, struct ww_slice body, char *why, size_t cap);
