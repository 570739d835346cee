/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast HTTP/2 is decoded, for benchmarks: decodeload [SECONDS]
 *
 * Header fields: blocks of a client that calls an API, as nghttp2 encodes them, through one
 * decoder. DATA: downloads on eight streams that take turns, frames of 16 KiB, a megabyte of each
 * kept, through the protocol stage. Prints rates per second of CPU as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "proto/h2_frame.h"
#include "proto/hpack.h"
#include "proto/proto.h"

#define BLOCKS      4096u
#define FIELDS      14u
#define STREAMS     8u
#define FRAME_BYTES 16384u
#define LONG_BYTES  (64u << 20)
#define KEPT_BYTES  (1u << 20)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "decodeload: %s\n", what);
	exit(1);
}

/* --- header fields ------------------------------------------------------------------------------
 */

static struct ww_slice block[BLOCKS];

static void encode(nghttp2_hd_deflater *d, unsigned i)
{
	char path[64], trace[64], length[16], key[48];
	const char *const text[FIELDS][2] = {
		{":method", "POST"},
		{":scheme", "https"},
		{":authority", "api.payments.example"},
		{":path", path},
		{"user-agent", "OpenAI/JS 4.52.0"},
		{"accept", "application/json"},
		{"content-type", "application/json"},
		{"authorization", "Bearer 0123456789abcdefghijklmnopqrstuvwxyz0123456789"},
		{"traceparent", trace},
		{"content-length", length},
		{"idempotency-key", key},
		{"x-stainless-runtime", "node"},
		{"accept-encoding", "gzip, deflate, br"},
		{"x-stainless-retry-count", "0"},
	};
	nghttp2_nv nv[FIELDS];
	uint8_t out[4096], *copy;
	ssize_t n;

	snprintf(path, sizeof(path), "/v1/orders/%u/refunds", i * 7919);
	snprintf(trace, sizeof(trace), "00-%032x-%016x-01", i * 2654435761u, i);
	snprintf(length, sizeof(length), "%u", 100 + i % 900);
	snprintf(key, sizeof(key), "refund-%u-%u", i, i * 31);
	for (unsigned k = 0; k < FIELDS; k++)
		nv[k] = (nghttp2_nv){(uint8_t *)text[k][0], (uint8_t *)text[k][1],
				     strlen(text[k][0]), strlen(text[k][1]), NGHTTP2_NV_FLAG_NONE};
	n = nghttp2_hd_deflate_hd(d, out, sizeof(out), nv, FIELDS);
	need(n > 0, "cannot encode");
	copy = calloc(1, (size_t)n);
	need(copy, "no memory");
	memcpy(copy, out, (size_t)n);
	block[i] = ww_slice(copy, (size_t)n);
}

static double header_fields(double seconds)
{
	nghttp2_hd_deflater *d = NULL;
	uint64_t fields = 0;
	double begin, end;

	need(nghttp2_hd_deflate_new(&d, WW_HPACK_TABLE_BYTES_DEFAULT) == 0, "no encoder");
	for (unsigned i = 0; i < BLOCKS; i++)
		encode(d, i);
	nghttp2_hd_deflate_del(d);
	begin = now();
	do {
		struct ww_hpack *h = NULL;

		need(ww_hpack_new(NULL, NULL, &h) == 0, "no memory");
		for (unsigned i = 0; i < BLOCKS; i++) {
			struct ww_parse_error error;
			struct ww_hpack_field f;
			enum ww_parse r;

			ww_hpack_begin(h, block[i]);
			while ((r = ww_hpack_next(h, &f, &error)) == WW_PARSE_DONE)
				fields++;
			need(r == WW_PARSE_END, "a block is refused");
		}
		ww_hpack_free(h);
		end = now();
	} while (end - begin < seconds);
	return (double)fields / (end - begin);
}

/* --- DATA ---------------------------------------------------------------------------------------
 */

struct sink {
	uint64_t exchanges, bytes;
};

static void take(void *ctx, const struct ww_exchange *x)
{
	struct sink *s = ctx;

	s->exchanges += x->outcome == WW_X_COMPLETE;
	s->bytes += x->resp.wire_bytes;
}

static void head(uint8_t *out, uint32_t length, uint8_t type, uint8_t flags, uint32_t stream)
{
	const uint8_t h[WW_H2_HEADER_BYTES] = {
		(uint8_t)(length >> 16),
		(uint8_t)(length >> 8),
		(uint8_t)length,
		type,
		flags,
		(uint8_t)(stream >> 24),
		(uint8_t)(stream >> 16),
		(uint8_t)(stream >> 8),
		(uint8_t)stream,
	};

	memcpy(out, h, sizeof(h));
}

/* One connection: the bytes that were read come in pieces of a TLS record, frames lie across them.
 */
static uint64_t download(struct ww_proto *p, uint32_t stream_bytes)
{
	static const uint8_t hello[] = WW_H2_PREFACE "\0\0\0\4\0\0\0\0\0";
	static const uint8_t get[] = "\x82\x87\x84\x41\1a"; /* GET https://a/ */
	static uint8_t frame[WW_H2_HEADER_BYTES + FRAME_BYTES];
	struct ww_flow f = {.cookie = 1, .role = WW_FLOW_CONNECT};
	uint64_t at[2] = {0, 0};
	struct ww_boot t = {1};

#define FEED(dir, p_, n_)                                                 \
	do {                                                              \
		ww_proto_bytes(p, &f, dir, at[dir], ww_slice(p_, n_), t); \
		at[dir] += (n_);                                          \
	} while (0)
	FEED(WW_DIR_OUT, hello, sizeof(hello) - 1);
	FEED(WW_DIR_IN, hello + sizeof(WW_H2_PREFACE) - 1, WW_H2_HEADER_BYTES);
	for (uint32_t i = 0; i < STREAMS; i++) {
		head(frame, sizeof(get) - 1, WW_H2_HEADERS, 5, 1 + 2 * i);
		memcpy(frame + WW_H2_HEADER_BYTES, get, sizeof(get) - 1);
		FEED(WW_DIR_OUT, frame, WW_H2_HEADER_BYTES + sizeof(get) - 1);
		head(frame, 1, WW_H2_HEADERS, WW_H2_END_HEADERS, 1 + 2 * i);
		frame[WW_H2_HEADER_BYTES] = 0x88;
		FEED(WW_DIR_IN, frame, WW_H2_HEADER_BYTES + 1);
	}
	memset(frame, 'x', sizeof(frame));
	for (uint32_t sent = FRAME_BYTES; sent <= stream_bytes; sent += FRAME_BYTES) {
		for (uint32_t i = 0; i < STREAMS; i++) {
			head(frame, FRAME_BYTES, WW_H2_DATA, sent == stream_bytes, 1 + 2 * i);
			FEED(WW_DIR_IN, frame, 7u);
			FEED(WW_DIR_IN, frame + 7, FRAME_BYTES - 7u);
			FEED(WW_DIR_IN, frame + FRAME_BYTES, WW_H2_HEADER_BYTES);
		}
	}
	f.how = WW_CLOSE_FIN_PEER;
	ww_proto_closed(p, &f);
	return (uint64_t)STREAMS * stream_bytes;
}

static double data(double seconds, uint32_t stream_bytes)
{
	static const uint8_t secret[32] = "bench";
	const struct ww_proto_ops ops = {.exchange = take};
	struct ww_digest_key key;
	struct ww_proto_config cfg = {.key = &key};
	struct ww_proto *p = NULL;
	struct sink sink = {0};
	uint64_t bytes = 0, connections = 0;
	double begin, end;

	ww_digest_key_init(&key, secret);
	need(ww_proto_new(&cfg, &ops, &sink, &p) == 0, "no memory");
	begin = now();
	do {
		bytes += download(p, stream_bytes);
		connections++;
		end = now();
	} while (end - begin < seconds);
	need(sink.exchanges == connections * STREAMS && sink.bytes == bytes, "wrongly decoded");
	ww_proto_free(p);
	return (double)bytes / (end - begin);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;

	printf("{\"header_fields_per_s\": %.0f, \"data_bytes_per_s\": %.0f, "
	       "\"kept_bytes_per_s\": %.0f}\n",
	       header_fields(seconds), data(seconds, LONG_BYTES), data(seconds, KEPT_BYTES));
	return 0;
}
