/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header blocks of one direction: the first byte says how many of them a second decoder misses,
 * then each is a 16-bit length (big-endian) and that many bytes. What nghttp2 makes of a block, we
 * make of it; the second decoder says the same as the first one, or nothing.
 */
#include <assert.h>

#include <nghttp2/nghttp2.h>
#include <wirewitness/limits.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "proto/hpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX (1u << 20)

static void add(struct ww_buf *out, const void *p, size_t n)
{
	uint32_t length = (uint32_t)n;

	if (ww_buf_add(out, &length, sizeof(length)) < 0 || ww_buf_add(out, p, n) < 0)
		abort();
}

/* 0: refused, 1: read, 2: too much of it to compare. */
static int theirs(nghttp2_hd_inflater *d, struct ww_slice block, struct ww_buf *out)
{
	for (;;) {
		int flags = 0;
		nghttp2_nv nv;
		ssize_t n = nghttp2_hd_inflate_hd2(d, &nv, &flags, block.p, block.n, 1);

		if (n < 0)
			return 0;
		block = ww_slice_sub(block, (size_t)n, block.n);
		if (flags & NGHTTP2_HD_INFLATE_EMIT) {
			add(out, nv.name, nv.namelen);
			add(out, nv.value, nv.valuelen);
			if (out->n > TEXT_MAX / 2)
				return 2;
		}
		if (flags & NGHTTP2_HD_INFLATE_FINAL)
			return nghttp2_hd_inflate_end_headers(d) == 0;
	}
}

static int ours(struct ww_hpack *h, struct ww_slice block, struct ww_buf *out)
{
	struct ww_parse_error error = {0};
	struct ww_hpack_field f;
	enum ww_parse r;

	ww_hpack_begin(h, block);
	while ((r = ww_hpack_next(h, &f, &error)) == WW_PARSE_DONE) {
		assert(f.named && f.kept);
		add(out, f.name.p, f.name.n);
		add(out, f.value.p, f.value.n);
	}
	assert(r != WW_PARSE_GAP);
	assert(r != WW_PARSE_BAD || (error.reason && error.at <= block.n));
	return r == WW_PARSE_END;
}

static enum ww_hpack_want want_short(struct ww_slice name)
{
	return (enum ww_hpack_want)(name.n % 3);
}

static struct ww_slice next_said(struct ww_slice *said)
{
	struct ww_slice text;
	uint32_t n;

	assert(said->n >= sizeof(n));
	memcpy(&n, said->p, sizeof(n));
	text = ww_slice_sub(*said, sizeof(n), n);
	*said = ww_slice_sub(*said, sizeof(n) + n, said->n);
	return text;
}

static void late(struct ww_hpack *h, struct ww_slice block, struct ww_slice said)
{
	struct ww_parse_error error;
	struct ww_hpack_field f;
	enum ww_parse r;

	ww_hpack_begin(h, block);
	while ((r = ww_hpack_next(h, &f, &error)) == WW_PARSE_DONE || r == WW_PARSE_GAP) {
		struct ww_slice name = next_said(&said), value = next_said(&said);

		assert(r == WW_PARSE_GAP || f.named);
		assert(!f.named || ww_slice_eq(f.name, name));
		assert(!f.kept || ww_slice_eq(f.value, value));
	}
	assert(r == WW_PARSE_END && said.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_cursor c = ww_cursor(ww_slice(data, size));
	struct ww_buf a = {.max = TEXT_MAX}, b = {.max = TEXT_MAX};
	struct ww_hpack *whole = NULL, *second = NULL;
	nghttp2_hd_inflater *d = NULL;
	static struct ww_digest_key key; /* all zero will do */
	unsigned misses = ww_cursor_u8(&c) % 8;
	int ok = 1;

	if (size > WW_HEAD_BYTES_MAX)
		return 0;
	if (ww_hpack_new(NULL, NULL, &whole) < 0 || ww_hpack_new(want_short, &key, &second) < 0 ||
	    nghttp2_hd_inflate_new(&d) < 0)
		abort();
	if (misses)
		ww_hpack_lost(second);
	for (unsigned i = 0; ok == 1 && ww_cursor_left(&c) >= 2; i++) {
		size_t n = ww_cursor_be16(&c);
		struct ww_slice block =
			ww_cursor_take(&c, n < ww_cursor_left(&c) ? n : ww_cursor_left(&c));

		ww_buf_clear(&a);
		ww_buf_clear(&b);
		ok = theirs(d, block, &a);
		if (ok == 2)
			break;
		assert(ours(whole, block, &b) == ok);
		assert(!ok || ww_slice_eq(ww_buf_slice(&a), ww_buf_slice(&b)));
		if (ok && i >= misses)
			late(second, block, ww_buf_slice(&b));
	}
	ww_hpack_free(whole);
	ww_hpack_free(second);
	nghttp2_hd_inflate_del(d);
	ww_buf_done(&a);
	ww_buf_done(&b);
	return 0;
}
