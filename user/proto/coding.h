/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coding: HTTP content codings (RFC 9110 section 8.4.1) undone as the bytes come, by zlib.
 *
 * gzip with any number of members, deflate in its zlib form and in the raw form that some servers
 * send. Memory per stream is one window and one output block (WW_INFLATE_BYTES), whatever the input
 * says. Two guards stop a decompression bomb: the ratio ceiling WW_INFLATE_RATIO_MAX and an
 * absolute ceiling given by the caller. A stream that was stopped stays stopped. Not thread safe;
 * the decoded bytes are wiped from the stream's memory when it is freed.
 */
#pragma once

#include "base/own.h"
#include "base/parse.h"
#include "proto/exchange.h"

/* What one stream may occupy: zlib's window and tables, and the output block. */
#define WW_INFLATE_BYTES (64u << 10)

/*
 * The coding that a Content-Encoding value names. Empty and "identity" are IDENTITY; "gzip",
 * "x-gzip" and "deflate" (any case) their own; everything else, also a list of more than one
 * coding, is OTHER.
 */
enum ww_coding ww_coding_of(struct ww_slice value);

/* "identity", "gzip", "deflate", "other". */
const char *ww_coding_name(enum ww_coding c);

struct ww_inflate;

/* Ready for ww_inflate_reset(). 0 or -ENOMEM. */
WW_CHECK int ww_inflate_new(struct ww_inflate **ret_inflate);
void ww_inflate_free(struct ww_inflate *z);
WW_DEFINE_AUTO(struct ww_inflate, ww_inflate_free)

/*
 * Begins a new stream of GZIP or DEFLATE that may give at most decoded_bytes_max bytes. Wipes what
 * is left of the stream before.
 */
void ww_inflate_reset(struct ww_inflate *z, enum ww_coding coding, uint64_t decoded_bytes_max);

/*
 * Decodes all of `in`; decoded runs go to `sink` (borrowed for the call). DONE: the stream ended
 * and nothing is left over (more gzip members may still follow). MORE: in the middle. BAD: broken,
 * or a bomb (see ww_inflate_bomb); every later call is BAD too. What was given to the sink before
 * BAD stands.
 */
enum ww_parse ww_inflate_feed(struct ww_inflate *z, struct ww_slice in,
			      void (*sink)(void *ctx, struct ww_slice decoded), void *ctx);

/* Whether BAD was one of the two ceilings. */
bool ww_inflate_bomb(const struct ww_inflate *z);
