/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_head: one header block of an HTTP/2 message, field by field, into an exchange: pseudo fields
 * and the rules of RFC 9113 section 8 here, the other fields as in HTTP/1 (head.h). Pure.
 */
#pragma once

#include "proto/head.h"
#include "proto/hpack.h"

struct ww_h2_head {
	struct ww_head head;
	bool request;
	bool regular;   /* a field that is none of the pseudo fields came */
	bool unknown;   /* a field refers to what was lost */
	bool malformed; /* the message is, for its receiver */
	bool limit;     /* more than a head may have */
	uint8_t seen;   /* pseudo fields, internal */
};

/* What a decoder of header blocks keeps of a field: of those that say who asks, only a digest. */
enum ww_hpack_want ww_h2_request_wants(struct ww_slice name);
enum ww_hpack_want ww_h2_response_wants(struct ww_slice name);

/* key is borrowed. trailer: the block behind the content. */
void ww_h2_head_begin(struct ww_h2_head *h, const struct ww_digest_key *key, bool request,
		      bool trailer);

/* DONE or GAP, as ww_hpack_next() answered. */
void ww_h2_head_field(struct ww_h2_head *h, struct ww_exchange *x, const struct ww_hpack_field *f);

/* All fields are there: what must not be missing. */
void ww_h2_head_end(struct ww_h2_head *h, struct ww_exchange *x);
