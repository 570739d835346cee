/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coding: HTTP content codings (RFC 9110 section 8.4.1) undone as the bytes come, by zlib, brotli
 * and zstd.
 *
 * gzip with any number of members, deflate in its zlib form and in the raw form that some servers
 * send, br (RFC 7932, windows up to 16 MiB as it has them), zstd with any number of frames (RFC
 * 8878; windows up to 8 MiB, which RFC 9659 makes the most that may be sent; no dictionaries).
 * Memory per stream of gzip and deflate is one window and one output block (WW_INFLATE_BYTES),
 * whatever the input says. Of br and zstd the sender chooses the window: what the libraries ask for
 * is counted in the room that the streams share, and refused beyond it. Two guards stop a
 * decompression bomb: the ratio ceiling WW_INFLATE_RATIO_MAX and an absolute ceiling given by the
 * caller. A stream that was stopped stays stopped. Not thread safe; the decoded bytes are wiped
 * from the stream's memory when it is freed.
 */
#pragma once

#include "base/own.h"
#include "base/parse.h"
#include "proto/exchange.h"

/* What one stream occupies at least: zlib's window and tables, and the output block. */
#define WW_INFLATE_BYTES (64u << 10)

/* The libraries' memory beyond that, of all streams together. */
struct ww_inflate_room {
	uint64_t *held; /* counted up and down */
	const uint64_t *held_max;
};

/*
 * The coding that a Content-Encoding value names. Empty and "identity" are IDENTITY; "gzip",
 * "x-gzip", "deflate", "br" and "zstd" (any case) their own; everything else, also a list of more
 * than one coding, is OTHER.
 */
enum ww_coding ww_coding_of(struct ww_slice value);

/* "identity", "gzip", "deflate", "br", "zstd", "other". */
const char *ww_coding_name(enum ww_coding c);

/* Whether it is one that is undone here. */
static inline bool ww_coding_known(enum ww_coding c)
{
	return c != WW_CODING_IDENTITY && c != WW_CODING_OTHER;
}

struct ww_inflate;

/* Ready for ww_inflate_reset(). What `room` points to outlives it. 0 or -ENOMEM. */
WW_CHECK int ww_inflate_new(struct ww_inflate_room room, struct ww_inflate **ret_inflate);
void ww_inflate_free(struct ww_inflate *z);
WW_DEFINE_AUTO(struct ww_inflate, ww_inflate_free)

/*
 * Begins a new stream of a known coding that may give at most decoded_bytes_max bytes. Wipes what
 * is left of the stream before; of IDENTITY that is all it does.
 */
void ww_inflate_reset(struct ww_inflate *z, enum ww_coding coding, uint64_t decoded_bytes_max);

/*
 * Decodes all of `in`; decoded runs go to `sink` (borrowed for the call). DONE: the stream ended
 * and nothing is left over (more members or frames may still follow). MORE: in the middle. BAD:
 * broken, a bomb (see ww_inflate_bomb) or without memory (ww_inflate_starved); every later call is
 * BAD too. What was given to the sink before BAD stands.
 */
enum ww_parse ww_inflate_feed(struct ww_inflate *z, struct ww_slice in,
			      void (*sink)(void *ctx, struct ww_slice decoded), void *ctx);

/*
 * The same for messages that are compressed by deflate one after the other (RFC 7692), instead of
 * ww_inflate_reset(). Each begins with ww_inflate_message(): `fresh`: it refers to none before it.
 * False: one before it was not decoded to its end, so that this one cannot be. What it gives is
 * complete only with ww_inflate_message_end(): DONE or BAD.
 */
void ww_inflate_messages(struct ww_inflate *z);
WW_CHECK bool ww_inflate_message(struct ww_inflate *z, bool fresh, uint64_t decoded_bytes_max);
WW_CHECK enum ww_parse ww_inflate_message_end(struct ww_inflate *z,
					      void (*sink)(void *ctx, struct ww_slice decoded),
					      void *ctx);

/*
 * How many bytes of what was fed are whole members or frames, if all that was given is of them; 0:
 * none ended, or more was given. After BAD: what stands behind them is something else.
 */
uint64_t ww_inflate_ended(const struct ww_inflate *z);

/* Whether BAD was one of the two ceilings. */
bool ww_inflate_bomb(const struct ww_inflate *z);

/* Whether BAD says nothing of the stream: there was no room for its window. */
bool ww_inflate_starved(const struct ww_inflate *z);
