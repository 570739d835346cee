/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the protobuf and the JSON decoder meet: both say what they read by these calls, in the
 * order of the request, and the builder keeps the ceilings, checks the spans and delivers them.
 * Internal to claim.
 *
 * Numbered invariants:
 *  1. A span is delivered whole or rejected and counted; a rejected one leaves nothing behind.
 *  2. Over a ceiling: the attribute, event or claim is dropped and counted, the span stands.
 *  3. Nothing depends on the encoding.
 * Returns of the decoders' functions: 0; -EINVAL what is wrong concerns one span only
 * (ww_otlp_build.why); -EBADMSG the request is broken from here on; -ENOMEM.
 */
#pragma once

#include "claim/declared.h"
#include "claim/otlp.h"
#include "claim/otlp_value.h"

struct ww_otlp_build {
	void (*fn)(void *ctx, struct ww_span *span);
	void *ctx;
	struct ww_otlp_result result;
	const char *why; /* static text of the last -EINVAL or -EBADMSG */

	struct ww_otlp_value value; /* the attribute value read last */

	/* stands for all spans that follow */
	char service_name[128];
	char sender_region[64];
	char scope_name[128];
	uint32_t said_pid;

	/* the span in the making */
	struct ww_span span;
	struct ww_buf text; /* keys and values, each with its NUL */
	struct {
		size_t key; /* offsets in text */
		size_t value;
		uint8_t type;
		bool cut;
	} attrs[WW_SPAN_ATTRS_MAX];
	uint32_t event_count;

	/* the event in the making */
	struct ww_wall event_time;
	bool event_declares;
	struct ww_declared declared;

	uint32_t attrs_dropped; /* of all spans, for the sender's information */
	uint32_t claims_dropped;
};

/* What an attribute belongs to: takes b->value. 0 or -ENOMEM. */
typedef int (*ww_otlp_attr_fn)(struct ww_otlp_build *b, struct ww_slice key);

void ww_otlp_build_init(struct ww_otlp_build *b, void (*fn)(void *ctx, struct ww_span *span),
			void *ctx);
void ww_otlp_build_done(struct ww_otlp_build *b);

/* Notes why; for `return ww_otlp_build_bad(b, -EINVAL, "...")`. */
int ww_otlp_build_bad(struct ww_otlp_build *b, int r, const char *why);

/* A new ResourceSpans: forgets the last one's attributes. */
void ww_otlp_build_resource(struct ww_otlp_build *b);
int ww_otlp_build_resource_attr(struct ww_otlp_build *b, struct ww_slice key);
void ww_otlp_build_scope(struct ww_otlp_build *b, struct ww_slice name);

/* A new span. False: over the ceiling, already counted as rejected; skip it. */
bool ww_otlp_build_span(struct ww_otlp_build *b);
/* Into an id of the span, n bytes; no bytes: absent, all zero. 0 or -EINVAL. */
int ww_otlp_build_id(struct ww_otlp_build *b, uint8_t *id, size_t n, struct ww_slice bytes);
void ww_otlp_build_name(struct ww_otlp_build *b, struct ww_slice name);
void ww_otlp_build_kind(struct ww_otlp_build *b, uint64_t kind);
void ww_otlp_build_status(struct ww_otlp_build *b, uint64_t code);
void ww_otlp_build_flags(struct ww_otlp_build *b, uint32_t flags);
int ww_otlp_build_attr(struct ww_otlp_build *b, struct ww_slice key);

/* A new event of the span. False: over the ceiling, already counted; skip it. */
bool ww_otlp_build_event(struct ww_otlp_build *b);
void ww_otlp_build_event_name(struct ww_otlp_build *b, struct ww_slice name);
int ww_otlp_build_event_attr(struct ww_otlp_build *b, struct ww_slice key);
void ww_otlp_build_event_end(struct ww_otlp_build *b);

/* Checks and delivers. 0; -EINVAL: call ww_otlp_build_reject(); -ENOMEM. */
WW_CHECK int ww_otlp_build_span_end(struct ww_otlp_build *b);

/* Counts the span in the making as rejected, for b->why. */
void ww_otlp_build_reject(struct ww_otlp_build *b);

/* The decoders: a whole body. 0, -EBADMSG, -ENOMEM. */
WW_CHECK int ww_otlp_pb_decode(struct ww_otlp_build *b, struct ww_slice body);
WW_CHECK int ww_otlp_json_decode(struct ww_otlp_build *b, struct ww_slice body);
