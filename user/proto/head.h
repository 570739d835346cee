/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head: from the fields of one HTTP head to the few members of struct ww_exchange that are kept.
 *
 * Fields are taken by an allow-list of names; no other value is ever copied, so that authorization,
 * cookies and API keys do not enter our memory: of those that say who asks, a keyed digest is made
 * as they pass (caller.h). Name and value come in pieces. No allocation; a kept value is bounded by
 * WW_FIELD_BYTES_MAX, a head by WW_HEAD_BYTES_MAX and WW_HEADERS_MAX.
 */
#pragma once

#include "proto/caller.h"
#include "proto/exchange.h"
#include "proto/ws_terms.h"

#define WW_FIELD_BYTES_MAX 256u

struct ww_head {
	uint32_t bytes;       /* names and values, trailers included */
	uint32_t fields;      /* number of them */
	uint32_t value_bytes; /* of this field, kept or not */
	uint16_t value_n;
	uint8_t name_n;  /* WW_CALLER_NAME_MAX: it may go on */
	uint8_t wanted;  /* internal: which field the value belongs to */
	uint8_t id_rank; /* of x->request_id, 0: none yet */
	bool in_value;
	bool value_cut;
	bool trailer; /* past the body: fields are counted, and but for grpc-status not taken */
	bool has_host;
	bool has_trace;
	bool has_retry;
	bool has_length;
	bool length_broken;    /* no number, or two that differ */
	bool transfer_other;   /* a transfer coding besides chunked */
	uint8_t coding;        /* enum ww_coding of the content */
	struct ww_ws_terms ws; /* of a response */
	uint64_t length;       /* Content-Length */
	const struct ww_digest_key *key;
	struct ww_caller caller;
	char name[WW_CALLER_NAME_MAX];
	char value[WW_FIELD_BYTES_MAX];
};

/* Whether a field with this name is on the list, in some kind of head. */
bool ww_head_wants(struct ww_slice name);

/* For each head, also for trailers (then h->trailer is set by the caller). key is borrowed. */
void ww_head_begin(struct ww_head *h, const struct ww_digest_key *key);

/* A piece of a field's name. False: over a ceiling. */
bool ww_head_name(struct ww_head *h, struct ww_slice piece);
/* A piece of a field's value. False: over a ceiling. */
bool ww_head_value(struct ww_head *h, struct ww_slice piece, bool request);

/* The value is complete: takes the field if it is on the list. */
void ww_head_field(struct ww_head *h, struct ww_exchange *x, bool request);

/* Copies v into one of x's texts, of which it may be a part. A longer one is cut, and WW_X_CUT. */
void ww_head_text(struct ww_exchange *x, struct ww_slice v, char *out, size_t cap);

/* All fields are complete. */
void ww_head_end(struct ww_head *h, struct ww_exchange *x, bool request);

/*
 * Settles x->authority by the request target (RFC 9112 section 3.2): absolute and authority form
 * win over Host; user information is left out.
 */
void ww_head_authority(struct ww_exchange *x);

/*
 * A traceparent value (W3C Trace Context, section 3.2): true and *ret_trace filled when valid. A
 * version above 00 is read as far as 00 goes.
 */
bool ww_head_traceparent(struct ww_slice value, struct ww_trace_context *ret_trace);
