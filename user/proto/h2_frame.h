/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_frame: the header of an HTTP/2 frame (RFC 9113 section 4.1), what is allowed in it, and
 * whether bytes begin with frames. Pure.
 */
#pragma once

#include "base/parse.h"
#include "base/slice.h"

#define WW_H2_HEADER_BYTES  9u
#define WW_H2_FRAME_DEFAULT 16384u    /* SETTINGS_MAX_FRAME_SIZE, section 6.5.2 */
#define WW_H2_FRAME_MAX     0xffffffu /* what the length can say */

enum ww_h2_type {
	WW_H2_DATA = 0,
	WW_H2_HEADERS = 1,
	WW_H2_PRIORITY = 2,
	WW_H2_RST_STREAM = 3,
	WW_H2_SETTINGS = 4,
	WW_H2_PUSH_PROMISE = 5,
	WW_H2_PING = 6,
	WW_H2_GOAWAY = 7,
	WW_H2_WINDOW_UPDATE = 8,
	WW_H2_CONTINUATION = 9,
};

#define WW_H2_END_STREAM  0x1u
#define WW_H2_ACK         0x1u
#define WW_H2_END_HEADERS 0x4u
#define WW_H2_PADDED      0x8u
#define WW_H2_PRIORITIZED 0x20u

struct ww_h2_frame {
	uint32_t length; /* of the payload */
	uint8_t type;    /* enum ww_h2_type, or one that is not known */
	uint8_t flags;
	uint32_t stream;
};

/* The client's first bytes (section 3.4). */
#define WW_H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* From WW_H2_HEADER_BYTES bytes. */
struct ww_h2_frame ww_h2_frame(const uint8_t *bytes);

/* Whether it is a connection error, whatever its place. frame_max: what the receiver takes. */
bool ww_h2_frame_wrong(const struct ww_h2_frame *f, uint32_t frame_max);

/* Bytes of the payload before its content: padding length, priority, and fields of fixed size. */
unsigned ww_h2_frame_prefix(const struct ww_h2_frame *f);

/*
 * Whether `in`, where the place among the frames is not known, begins with one: all headers up to
 * its end are strict ones of known types, and the last frame ends with `in`, or is at least the
 * fourth. Against accidents only: content can look like this.
 */
bool ww_h2_frames_begin(struct ww_slice in, bool client);
