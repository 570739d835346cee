/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart: the parts of a multipart/form-data body (RFC 7578, RFC 2046 section 5.1) as it passes:
 * names, sizes and digests, of uploads of any size. Content is not kept.
 *
 * A delimiter is known only as a whole, wherever the input was split. Behind lost bytes nothing is
 * read: what was in them may have been the end of one part and the begin of others. Where readers
 * would differ (a delimiter that goes on, a header without colon, no disposition) the form is
 * malformed, and what was read before stands. Bounded by WW_FORM_PARTS_MAX (more are counted) and
 * WW_FORM_HEAD_BYTES_MAX per part. Pure.
 */
#pragma once

#include "proto/exchange.h"

#define WW_FORM_PARTS_MAX      16u
#define WW_FORM_HEAD_BYTES_MAX 2048u

struct ww_form_part {
	char name[64];              /* of the field; "{}": none, or one that may be content */
	char content_type[64];      /* empty: none, or too long */
	bool file;                  /* it bears a file name */
	bool whole;                 /* its end was reached */
	struct ww_sha256 file_name; /* keyed digest, where it is a file */
	uint64_t bytes;
	struct ww_sha256 digest; /* keyed, of the content as transferred */
};

struct ww_form {
	uint32_t total; /* parts that began; part[] has the first */
	bool whole;     /* read to the closing delimiter */
	bool malformed;
	struct ww_form_part part[WW_FORM_PARTS_MAX];
};

struct ww_multipart;

/*
 * For a body of this content type. 0; -ENOENT: no form, or no boundary that can be read; -ENOMEM.
 * `key` is borrowed.
 */
WW_CHECK int ww_multipart_new(const char *content_type, const struct ww_digest_key *key,
			      struct ww_multipart **ret_multipart);
void ww_multipart_free(struct ww_multipart *m);
WW_DEFINE_AUTO(struct ww_multipart, ww_multipart_free)

/* What it occupies. */
size_t ww_multipart_bytes(void);

/* Content, decoded, in order. */
void ww_multipart_add(struct ww_multipart *m, struct ww_slice content);

/* Content was lost here. */
void ww_multipart_gap(struct ww_multipart *m);

/* Borrowed from m. `complete`: the body got to its end. */
const struct ww_form *ww_multipart_end(struct ww_multipart *m, bool complete);

/* Writes the members "parts", "partsTotal" and "partsWhole". */
void ww_form_write(const struct ww_form *f, struct ww_jsonw *w);
