/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/otlp_answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_write.h"

/* Longest varint. */
#define VARINT_BYTES_MAX 10

static size_t varint(uint64_t v, uint8_t out[VARINT_BYTES_MAX])
{
	size_t n = 0;

	do {
		out[n] = (uint8_t)(v & 0x7f);
		v >>= 7;
		if (v)
			out[n] |= 0x80;
		n++;
	} while (v);
	return n;
}

/* Proto3 leaves out what is zero or empty. */
static int pb_number(struct ww_buf *out, unsigned field, uint64_t value)
{
	uint8_t bytes[1 + VARINT_BYTES_MAX] = {(uint8_t)(field << 3)};

	return value == 0 ? 0 : ww_buf_add(out, bytes, 1 + varint(value, bytes + 1));
}

static int pb_bytes(struct ww_buf *out, unsigned field, struct ww_slice value)
{
	uint8_t head[1 + VARINT_BYTES_MAX] = {(uint8_t)(field << 3 | 2)};
	int r;

	if (value.n == 0)
		return 0;
	r = ww_buf_add(out, head, 1 + varint(value.n, head + 1));
	return r < 0 ? r : ww_buf_add(out, value.p, value.n);
}

static int export_pb(uint64_t rejected_spans, const char *message, struct ww_buf *out)
{
	struct ww_buf partial WW_AUTO_BUF = {0};
	int r;

	ww_buf_init(&partial, out->max);
	r = pb_number(&partial, 1, rejected_spans);
	if (r == 0)
		r = pb_bytes(&partial, 2, ww_slice_str(message));
	return r < 0 ? r : pb_bytes(out, 1, ww_buf_slice(&partial));
}

static int export_json(uint64_t rejected_spans, const char *message, struct ww_buf *out)
{
	char number[24];
	struct ww_jsonw w;

	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	if (rejected_spans != 0 || message[0] != '\0') {
		ww_jsonw_object(&w, "partialSuccess");
		/* The JSON mapping writes 64-bit integers as strings. */
		(void)snprintf(number, sizeof(number), "%" PRIu64, rejected_spans);
		if (rejected_spans != 0)
			ww_jsonw_cstr(&w, "rejectedSpans", number);
		if (message[0] != '\0')
			ww_jsonw_cstr(&w, "errorMessage", message);
		ww_jsonw_end_object(&w);
	}
	ww_jsonw_end_object(&w);
	return w.err;
}

int ww_otlp_answer_export(enum ww_claim_encoding encoding, uint64_t rejected_spans,
			  const char *message, struct ww_buf *out)
{
	if (encoding == WW_CLAIM_OTLP_PROTOBUF)
		return export_pb(rejected_spans, message, out);
	return export_json(rejected_spans, message, out);
}

int ww_otlp_answer_status(enum ww_claim_encoding encoding, enum ww_otlp_code code,
			  const char *message, struct ww_buf *out)
{
	struct ww_jsonw w;
	int r;

	if (encoding == WW_CLAIM_OTLP_PROTOBUF) {
		r = pb_number(out, 1, code);
		return r < 0 ? r : pb_bytes(out, 2, ww_slice_str(message));
	}
	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_u64(&w, "code", code);
	ww_jsonw_cstr(&w, "message", message);
	ww_jsonw_end_object(&w);
	return w.err;
}
