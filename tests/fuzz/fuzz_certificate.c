/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's handshake in clear, in segments. The first two bytes (big-endian) are where the second
 * record begins; each segment then has a byte of flags and a 16-bit length. All that is held is
 * given back; a certificate's names are texts.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "flow/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AGAIN 0x01 /* some of it was there before */
#define HOLE  0x02
#define BEGIN 0x04 /* of this segment: a record's */

static void check(const struct ww_certificate *c)
{
	assert(c->name_count <= WW_CERTIFICATE_NAMES_MAX && (!c->unreadable || !c->name_count));
	for (unsigned i = 0; i < c->name_count; i++) {
		assert(memchr(c->names[i], '\0', sizeof(c->names[i])) && c->names[i][0]);
		for (const char *p = c->names[i]; *p; p++)
			assert(*p > 0x20 && *p < 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_cursor c = ww_cursor(ww_slice(data, size));
	struct ww_certificate_reader r = {0};
	struct ww_certificate_room room = {0};
	uint64_t at = 1000;

	ww_certificate_record(&r, 1, 1000 + ww_cursor_be16(&c));
	while (ww_cursor_left(&c) >= 3) {
		uint8_t flags = ww_cursor_u8(&c);
		size_t n = ww_cursor_be16(&c), left = ww_cursor_left(&c);
		struct ww_slice in = ww_cursor_take(&c, n < left ? n : left);
		struct ww_event_packet *ev = calloc(1, sizeof(*ev) + in.n);

		assert(ev);
		if (flags & AGAIN)
			at -= in.n / 2;
		if (flags & HOLE)
			at++;
		if (flags & BEGIN)
			ww_certificate_record(&r, 0, at);
		ev->offset = at;
		ev->captured = ev->payload_bytes = (uint32_t)in.n;
		if (in.n > 0)
			memcpy(ev->bytes, in.p, in.n);
		ww_certificate_segment(&r, &room, ev);
		free(ev);
		at += in.n;
		assert(room.bytes == r.held.n && room.bytes <= WW_CLEAR_BYTES_MAX);
		assert(!r.over || room.bytes == 0);
		if (r.got)
			check(r.got);
	}
	ww_certificate_done(&r, &room);
	assert(room.bytes == 0);
	/* The same bytes as a certificate alone. */
	struct ww_certificate alone;

	ww_certificate_read(ww_slice(data, size), &alone);
	check(&alone);
	return 0;
}
