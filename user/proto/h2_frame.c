/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/h2_frame.h"

#include "base/cursor.h"
#include "base/own.h"

/* By enum ww_h2_type: what section 6 of RFC 9113 says of each. */
static const struct {
	uint8_t flags;   /* defined ones */
	bool connection; /* of stream 0, else never */
	bool both;       /* of either */
	uint8_t length;  /* 0: any */
	uint8_t least;
} types[] = {
	[WW_H2_DATA] = {.flags = WW_H2_END_STREAM | WW_H2_PADDED},
	[WW_H2_HEADERS] = {.flags = WW_H2_END_STREAM | WW_H2_END_HEADERS | WW_H2_PADDED |
				    WW_H2_PRIORITIZED},
	[WW_H2_PRIORITY] = {.length = 5},
	[WW_H2_RST_STREAM] = {.length = 4},
	[WW_H2_SETTINGS] = {.flags = WW_H2_ACK, .connection = true},
	[WW_H2_PUSH_PROMISE] = {.flags = WW_H2_END_HEADERS | WW_H2_PADDED, .least = 4},
	[WW_H2_PING] = {.flags = WW_H2_ACK, .connection = true, .length = 8},
	[WW_H2_GOAWAY] = {.connection = true, .least = 8},
	[WW_H2_WINDOW_UPDATE] = {.both = true, .length = 4},
	[WW_H2_CONTINUATION] = {.flags = WW_H2_END_HEADERS},
};

struct ww_h2_frame ww_h2_frame(const uint8_t *bytes)
{
	struct ww_cursor c = ww_cursor(ww_slice(bytes, WW_H2_HEADER_BYTES));
	struct ww_h2_frame f = {.length = ww_cursor_be24(&c)};

	f.type = ww_cursor_u8(&c);
	f.flags = ww_cursor_u8(&c);
	/* "reserved ... MUST be ignored when receiving" */
	f.stream = ww_cursor_be32(&c) & 0x7fffffff;
	return f;
}

bool ww_h2_frame_wrong(const struct ww_h2_frame *f, uint32_t frame_max)
{
	if (f->length > frame_max)
		return true;
	/* Section 5.5: "implementations MUST discard frames that have unknown or unsupported
	 * types". */
	if (f->type >= WW_ARRAY_SIZE(types))
		return false;
	if (!types[f->type].both && types[f->type].connection != (f->stream == 0))
		return true;
	/* Of PRIORITY it is an error of the stream only (section 6.3). */
	if (types[f->type].length && f->length != types[f->type].length &&
	    f->type != WW_H2_PRIORITY)
		return true;
	if (f->type == WW_H2_SETTINGS)
		return f->length % 6 || (f->flags & WW_H2_ACK && f->length);
	return f->length < ww_h2_frame_prefix(f);
}

unsigned ww_h2_frame_prefix(const struct ww_h2_frame *f)
{
	unsigned padded = f->flags & WW_H2_PADDED ? 1 : 0;

	switch (f->type) {
	case WW_H2_DATA:
		return padded;
	case WW_H2_HEADERS:
		return padded + (f->flags & WW_H2_PRIORITIZED ? 5 : 0);
	case WW_H2_PUSH_PROMISE:
		return padded + 4;
	case WW_H2_RST_STREAM:
		return 4;
	case WW_H2_SETTINGS:
		return f->length ? 6 : 0;
	case WW_H2_GOAWAY:
		return 8;
	default:
		return 0;
	}
}

/* As endpoints write them: what a receiver would ignore does not occur. */
static bool strict(const uint8_t *bytes, const struct ww_h2_frame *f, bool client)
{
	if (f->type >= WW_ARRAY_SIZE(types) || ww_h2_frame_wrong(f, WW_H2_FRAME_DEFAULT) ||
	    bytes[5] & 0x80 || f->flags & ~types[f->type].flags ||
	    (types[f->type].length && f->length != types[f->type].length))
		return false;
	if (client && f->type == WW_H2_PUSH_PROMISE)
		return false;
	/* Streams are the client's, where nothing is pushed. */
	return f->stream == 0 || f->stream % 2 == 1;
}

bool ww_h2_frames_begin(struct ww_slice in, bool client)
{
	unsigned frames = 0;

	while (in.n >= WW_H2_HEADER_BYTES) {
		struct ww_h2_frame f = ww_h2_frame(in.p);

		if (!strict(in.p, &f, client))
			return false;
		if (f.length > in.n - WW_H2_HEADER_BYTES)
			return frames >= 3;
		frames++;
		in = ww_slice_sub(in, WW_H2_HEADER_BYTES + f.length, in.n);
	}
	return in.n == 0 ? frames > 0 : frames >= 3;
}
