/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content codings. The first byte chooses one, the second a split: neither what is decoded nor what
 * is said of it may depend on the split, nor may memory beyond the room be taken.
 */
#include <assert.h>

#include "base/buf.h"
#include "proto/coding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DECODED_BYTES_MAX (1u << 20)
#define HELD_BYTES_MAX    (3u << 20)

static uint64_t held;
static bool bomb; /* when that shows depends on how much of the input was read by then */
static const uint64_t held_max = HELD_BYTES_MAX;

static void sink(void *ctx, struct ww_slice decoded)
{
	if (ww_buf_add(ctx, decoded.p, decoded.n) < 0)
		abort();
	assert(held <= held_max);
}

static enum ww_parse decode(enum ww_coding coding, struct ww_slice in, size_t step,
			    struct ww_buf *out)
{
	struct ww_inflate *z = NULL;
	enum ww_parse r = WW_PARSE_MORE;

	if (ww_inflate_new((struct ww_inflate_room){&held, &held_max}, &z) < 0)
		abort();
	ww_inflate_reset(z, coding, DECODED_BYTES_MAX);
	for (size_t at = 0; at < in.n; at += step)
		r = ww_inflate_feed(z, ww_slice_sub(in, at, step), sink, out);
	bomb |= ww_inflate_bomb(z);
	ww_inflate_free(z);
	assert(held == 0);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum ww_coding codings[] = {WW_CODING_GZIP, WW_CODING_DEFLATE, WW_CODING_BR,
						 WW_CODING_ZSTD};
	struct ww_buf whole, split;
	enum ww_coding coding;
	enum ww_parse r, r_split;
	struct ww_slice in;
	bool unsaid;

	if (size < 3 || size > 65536)
		return 0;
	coding = codings[data[0] % 4];
	in = ww_slice(data + 2, size - 2);
	ww_buf_init(&whole, 4 << 20);
	ww_buf_init(&split, 4 << 20);
	bomb = false;
	r = decode(coding, in, in.n, &whole);
	r_split = decode(coding, in, data[1] % 31 + 1, &split);
	/* libzstd holds a frame against the size that its head states, but not where it comes in
	 * pieces and its last block is empty. */
	unsaid = coding == WW_CODING_ZSTD && r == WW_PARSE_BAD && split.n == whole.n;
	assert(r_split == r || bomb || unsaid);
	/* Where it breaks, a library may or may not have given what it had in hand. */
	if (r == WW_PARSE_BAD || bomb) {
		size_t n = whole.n < split.n ? whole.n : split.n;

		assert(n == 0 || memcmp(whole.p, split.p, n) == 0);
	} else {
		assert(ww_slice_eq(ww_buf_slice(&whole), ww_buf_slice(&split)));
	}
	ww_buf_done(&whole);
	ww_buf_done(&split);
	return 0;
}
