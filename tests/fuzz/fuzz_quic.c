/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket's datagrams. Each begins with a byte of flags and a 16-bit length (big-endian): as it
 * is, or the frames of an Initial that is sealed here, so that what is inside of it is reached. All
 * that is held is given back; a connection is there only for what was sealed, but where the input
 * is long enough to bring a sealed packet itself.
 */
#include <assert.h>

#include "../lib/quic_seal.h"
#include "base/cursor.h"
#include "flow/quic.h"
#include "flow/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAW     0x01 /* as it is */
#define V2      0x02
#define TOKEN   0x04
#define AFRESH  0x08 /* to another ID: keys of its own */
#define CUT     0x10 /* the capture ends before the datagram does */
#define TWICE   0x20 /* two packets in one datagram */
#define NO_SCID 0x40
#define SHORT   0x80 /* a packet number of one byte */

static void check(const struct ww_quic *q, const struct ww_quic_room *room)
{
	uint32_t count = 0;

	for (const struct ww_quic_connection *c = q->first; c; c = c->next) {
		count++;
		assert(c->version == WW_QUIC_V1 || c->version == WW_QUIC_V2);
		assert(!c->whole || (c->facts.client_hello && !c->facts.client_cut && !c->hello));
		assert(memchr(c->facts.sni, '\0', sizeof(c->facts.sni)));
		assert(memchr(c->facts.alpn, '\0', sizeof(c->facts.alpn)));
		assert(!c->retried || c->whole);
	}
	assert(count == q->count && count <= WW_QUIC_CONNECTIONS_MAX);
	assert(q->tried <= WW_QUIC_INITIALS_MAX && room->bytes <= WW_QUIC_BYTES_MAX);
	assert(count > 0 || room->bytes == 0);
}

static void make(struct ww_buf *out, struct ww_slice in, uint8_t flags, uint64_t number)
{
	struct quic_seal s = {
		.version = flags & V2 ? WW_QUIC_V2 : WW_QUIC_V1,
		.dcid = flags & AFRESH ? WW_SLICE_LIT("afresh") : WW_SLICE_LIT("12345678"),
		.scid = flags & NO_SCID ? WW_SLICE_NULL : WW_SLICE_LIT("abcd"),
		.token = flags & TOKEN ? WW_SLICE_LIT("token") : WW_SLICE_NULL,
		.number = number,
		.number_bytes = flags & SHORT ? 1 : 4,
	};

	if (flags & RAW) {
		quic_put(out, in.p, in.n);
		return;
	}
	if (flags & TWICE) {
		quic_seal(out, &s, ww_slice_sub(in, 0, in.n / 2));
		in = ww_slice_sub(in, in.n / 2, in.n);
		s.number++;
	}
	quic_seal(out, &s, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_cursor c = ww_cursor(ww_slice(data, size));
	static const struct ww_endpoint peer = {{127, 0, 0, 1}, 2, 443, 0};
	struct ww_quic_room room = {0};
	struct ww_quic q = {0};
	bool sealed = false;
	struct ww_buf b;

	ww_buf_init(&b, 8192);
	for (uint64_t number = 0; ww_cursor_left(&c) >= 3; number += 2) {
		uint8_t flags = ww_cursor_u8(&c);
		size_t n = ww_cursor_be16(&c), left = ww_cursor_left(&c);
		struct ww_slice in = ww_cursor_take(&c, n < left ? n : left);
		struct ww_parse_error error = {0};
		enum ww_parse r;
		size_t got;

		in = ww_slice_sub(in, 0, 1900);
		ww_buf_clear(&b);
		make(&b, in, flags, number);
		sealed |= !(flags & RAW);
		got = flags & CUT && b.n > 0 ? b.n - 1 - in.n % b.n : b.n;
		r = ww_quic_feed(&q, &room, &peer, ww_slice(b.p, got), b.n, &error);
		assert(r != WW_PARSE_END);
		assert(r != WW_PARSE_BAD || (error.reason && error.at <= got));
		assert(r != WW_PARSE_DONE || q.count > 0);
		check(&q, &room);
	}
	assert(sealed || q.count == 0 || size > 1000);
	ww_quic_done(&q, &room);
	assert(room.bytes == 0 && !q.first && q.count == 0);
	ww_buf_done(&b);
	return 0;
}
