/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes the body of an OTLP ExportTraceServiceRequest, protobuf or JSON, into spans.
 *
 * Bounded: WW_SPANS_PER_REQUEST, WW_SPAN_ATTRS_MAX, WW_ATTR_BYTES_MAX, WW_SPAN_BYTES_MAX; what is
 * over is rejected span by span or dropped attribute by attribute, and counted. One malformed span
 * does not spoil the others where the encoding lets it be skipped. Pure.
 */
#pragma once

#include "base/parse.h"
#include "claim/span.h"

struct ww_otlp_result {
	uint32_t spans;    /* delivered */
	uint32_t rejected; /* spans that were not (bad ids, over the ceiling) */
	char message[160]; /* why, for partial success; empty: nothing to say */
};

/*
 * Calls fn for every good span, in order of the request, normalised; who sent it (actor, root,
 * cgroup) and when it came (received) are left to the caller. The span is borrowed for the call; to
 * keep it copy the struct and zero attrs, attr_count and memory in the original. The same body
 * always gives the same calls.
 *
 * 0; -EBADMSG: the body is no OTLP trace request (nothing is delivered after that point,
 * *ret_result says what was); -ENOMEM, likewise. *ret_result is filled in each case.
 */
WW_CHECK int ww_otlp_decode(enum ww_claim_encoding encoding, struct ww_slice body,
			    void (*fn)(void *ctx, struct ww_span *span), void *ctx,
			    struct ww_otlp_result *ret_result);
