/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: the events must not depend on the split, here given by the first byte. */
#include <assert.h>

#include "proto/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_MAX 200

static uint64_t read_all(struct ww_slice in, size_t step, struct ww_buf *out)
{
	struct ww_sse_event e;
	struct ww_sse s;
	uint64_t lost;

	ww_sse_init(&s, LINE_MAX);
	for (size_t at = 0; at < in.n; at += step) {
		struct ww_slice piece = ww_slice_sub(in, at, step);

		while (ww_sse_next(&s, &piece, &e) == WW_PARSE_DONE) {
			assert(e.data.n <= LINE_MAX);
			if (ww_buf_add(out, e.type.p, e.type.n) < 0 ||
			    ww_buf_add(out, "\1", 1) < 0 ||
			    ww_buf_add(out, e.data.p, e.data.n) < 0 ||
			    ww_buf_add(out, "\2", 1) < 0 || ww_buf_add(out, e.id.p, e.id.n) < 0 ||
			    ww_buf_add(out, "\3", 1) < 0)
				abort();
		}
		assert(piece.n == 0);
	}
	lost = s.lost + (ww_sse_pending(&s) ? 1000000 : 0);
	ww_sse_done(&s);
	return lost;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_buf whole, split;
	struct ww_slice in;
	uint64_t lost;

	if (size < 2 || size > 65536)
		return 0;
	in = ww_slice(data + 1, size - 1);
	ww_buf_init(&whole, 64 << 20);
	ww_buf_init(&split, 64 << 20);
	lost = read_all(in, in.n, &whole);
	assert(read_all(in, data[0] % 31 + 1, &split) == lost);
	assert(ww_slice_eq(ww_buf_slice(&whole), ww_buf_slice(&split)));
	ww_buf_done(&whole);
	ww_buf_done(&split);
	return 0;
}
