/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpack: the header compression of HTTP/2 undone (RFC 7541), for one direction of one connection.
 *
 * Header blocks come whole and in order, one at a time; their fields are taken out one by one. The
 * dynamic table is built from them, so a block that was lost, or came before the first one seen,
 * leaves entries unknown: a field that refers to such an entry is answered with GAP. What is added
 * afterwards is known again. No reference is ever resolved by a guess (invariants in hpack.c).
 *
 * Values of fields that nobody wants are measured, and neither decoded nor kept; of those that say
 * who asks a keyed digest stands in the table. Secrets stay out. Bounded by
 * WW_HPACK_TABLE_BYTES_MAX and by the block's size; what is kept is wiped at the end. Not thread
 * safe.
 */
#pragma once

#include "base/digest.h"
#include "base/own.h"
#include "base/parse.h"
#include "base/slice.h"

#define WW_HPACK_TABLE_BYTES_DEFAULT 4096u /* RFC 9113 section 6.5.2 */
/* Kept of one table; an endpoint may allow more, then what is beyond becomes unknown. */
#define WW_HPACK_TABLE_BYTES_MAX (16u << 10)

/* All borrowed until the next call on the decoder, and as long as the block lives. */
struct ww_hpack_field {
	struct ww_slice name;  /* where named */
	struct ww_slice value; /* where kept */
	uint64_t value_bytes;  /* its length, kept or not; 0: not known */
	uint64_t digest;       /* where digested: ww_caller's of name and value */
	bool named;            /* the name is known */
	bool kept;             /* the value is known, and wanted */
	bool digested;
};

/* What is to be kept of a field's value. */
enum ww_hpack_want {
	WW_HPACK_MEASURE, /* nothing: it is not decoded */
	WW_HPACK_DIGEST,
	WW_HPACK_KEEP,
};
typedef enum ww_hpack_want (*ww_hpack_want_fn)(struct ww_slice name);

struct ww_hpack;

/* want NULL: all values are kept; key: for digests, borrowed. 0 or -ENOMEM. */
WW_CHECK int ww_hpack_new(ww_hpack_want_fn want, const struct ww_digest_key *key,
			  struct ww_hpack **ret_hpack);
void ww_hpack_free(struct ww_hpack *h);
WW_DEFINE_AUTO(struct ww_hpack, ww_hpack_free)

/* The reader of the blocks allows a table of this size (SETTINGS_HEADER_TABLE_SIZE); what it
 * allowed before counts on, since when it is obeyed cannot be seen. UINT32_MAX: not known what it
 * allows. */
void ww_hpack_allow(struct ww_hpack *h, uint32_t table_bytes);

/* One or more blocks are missing here. */
void ww_hpack_lost(struct ww_hpack *h);

/* Whether all of the dynamic table is known. */
bool ww_hpack_whole(const struct ww_hpack *h);

/* Whether memory ran out since this was asked last. */
bool ww_hpack_starved(struct ww_hpack *h);

/* A whole block, borrowed until its end was answered. */
void ww_hpack_begin(struct ww_hpack *h, struct ww_slice block);

/*
 * The next field of the block. DONE: *ret_field is it. GAP: a field that refers to what is not
 * known, or there was no memory; *ret_field has what is known of it. END: the block is over. MORE:
 * it ends inside of a field. BAD: *ret_error is set. After MORE and BAD the decoder's state means
 * nothing: for the connection it is an error (RFC 9113 section 4.3).
 */
enum ww_parse ww_hpack_next(struct ww_hpack *h, struct ww_hpack_field *ret_field,
			    struct ww_parse_error *ret_error);
