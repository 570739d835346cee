/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AWS event stream: events must not depend on the split, here given by the first byte.
 * Checksums stop a fuzzer at once: with the top bit of that byte they are made right before.
 */
#include <assert.h>

#include "proto/aws_stream.h"

#include "../lib/aws_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGE_BYTES_MAX 2000

static void mend(uint8_t *p, size_t n)
{
	while (n >= 16) {
		uint32_t total = (uint32_t)p[2] << 8 | p[3];

		total = total < 16 || total > n ? (uint32_t)n : total;
		put_be32(p, total);
		put_be32(p + 8, (uint32_t)crc32(0, p, 8));
		put_be32(p + total - 4, (uint32_t)crc32(0, p, total - 4));
		p += total;
		n -= total;
	}
}

static void add(struct ww_buf *out, struct ww_slice s)
{
	if (ww_buf_add(out, s.p, s.n) < 0 || ww_buf_add(out, "\1", 1) < 0)
		abort();
}

static uint64_t read_all(struct ww_slice in, size_t step, struct ww_buf *out)
{
	enum ww_parse r = WW_PARSE_MORE;
	struct ww_aws_stream s;
	struct ww_aws_event e;
	uint64_t told;

	ww_aws_stream_init(&s, MESSAGE_BYTES_MAX);
	for (size_t at = 0; at < in.n && r != WW_PARSE_BAD; at += step) {
		struct ww_slice piece = ww_slice_sub(in, at, step);

		while ((r = ww_aws_stream_next(&s, &piece, &e)) == WW_PARSE_DONE) {
			assert(e.payload.n <= MESSAGE_BYTES_MAX);
			add(out, e.message_type);
			add(out, e.event_type);
			add(out, e.exception_type);
			add(out, e.error_code);
			add(out, e.payload);
		}
		assert(r == WW_PARSE_BAD || piece.n == 0);
	}
	told = s.lost << 8 | (uint64_t)(r == WW_PARSE_BAD) << 1;
	if (r != WW_PARSE_BAD)
		told |= ww_aws_stream_pending(&s);
	ww_aws_stream_done(&s);
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_event_facts facts;
	struct ww_body body = {.whole = true};
	struct ww_buf whole, split;
	uint8_t *copy;
	struct ww_slice in;
	uint64_t told;

	if (size < 2 || size > 65536)
		return 0;
	copy = malloc(size - 1);
	if (!copy)
		abort();
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 0x80)
		mend(copy, size - 1);
	in = ww_slice(copy, size - 1);
	ww_buf_init(&whole, 64 << 20);
	ww_buf_init(&split, 64 << 20);
	told = read_all(in, in.n, &whole);
	assert(read_all(in, data[0] % 31 + 1, &split) == told);
	assert(ww_slice_eq(ww_buf_slice(&whole), ww_buf_slice(&split)));
	body.data = in;
	(void)ww_aws_stream_read(&body, &facts); /* malformed or not */
	assert(facts.present && memchr(facts.failure, '\0', sizeof(facts.failure)));
	assert(facts.failures <= facts.count);
	ww_buf_done(&whole);
	ww_buf_done(&split);
	free(copy);
	return 0;
}
