/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The early TLS records of one direction of a TCP connection, found and measured by sequence
 * number.
 *
 * Invariants:
 * 1. A byte is looked at once, whatever is retransmitted and in which pieces it comes.
 * 2. Records are counted from the hello on without a break: a hole in the sequence numbers, or
 *    bytes that are no record header, end the walk with exact = false. Nothing is guessed.
 * 3. What comes before the hello (a CONNECT request, STARTTLS) is passed over, holes included.
 *
 * No kernel types inside: the including file defines the fixed-width types and
 *   ww_walk_load(seg, at, to, bytes)  copies payload bytes [at, at + bytes); 0 on success
 *   ww_walk_hello(seg, hello)         a hello begins the segment
 *   ww_walk_record(seg, record)       a record header was read
 * so that the same code runs in the kernel and in the unit test.
 */
#pragma once

#include "walk_state.bpf.h"

#define WW_WALK_SEGMENTS_MAX 8  /* payload segments searched for a hello */
#define WW_WALK_STEPS        24 /* records of one segment, and a header that straddles two */
#define WW_HELLO_RANDOM_AT   11 /* record header 5, handshake header 4, version 2 */
#define WW_HELLO_BYTES_MIN   (WW_HELLO_RANDOM_AT + WW_RANDOM_BYTES)
#define WW_RECORD_HEAD_BYTES 5
#define WW_RECORD_BODY_MAX   (16384 + 2048) /* RFC 5246 6.2.3 */

/* One segment's payload. */
struct ww_segment {
	void *skb;
	void *flow;
	__u32 at; /* where the payload begins in the packet */
	__u32 bytes;
	__u32 seq;
	__u32 dir;
};

struct ww_walk_found {
	__u32 offset; /* payload bytes of this direction before the record */
	__u32 bytes;  /* of the record, header included */
	__u16 index;
	__u8 type;
	__u8 client; /* hello: 1 ClientHello, 0 ServerHello */
};

static __always_inline int ww_walk_load(const struct ww_segment *seg, __u32 at, void *to,
					__u32 bytes);
static __always_inline void ww_walk_hello(const struct ww_segment *seg,
					  const struct ww_walk_found *hello);
static __always_inline void ww_walk_record(const struct ww_segment *seg,
					   const struct ww_walk_found *record);

static __always_inline void ww_walk_lose(struct ww_walk *w)
{
	w->mode = WW_WALK_DONE;
	w->lost = 1;
}

/* RFC 8446 5.1: type, legacy version 0x0301 or 0x0303 (any 3.x is let pass), length. */
static __always_inline bool ww_walk_head_valid(const __u8 *h)
{
	return h[0] >= 20 && h[0] <= 24 && h[1] == 3 && h[2] <= 4 &&
	       ((__u32)h[3] << 8 | h[4]) <= WW_RECORD_BODY_MAX;
}

/* Whether a hello begins the segment; then it is reported and the walk begins. */
static __always_inline bool ww_walk_search(struct ww_walk *w, const struct ww_segment *seg)
{
	struct ww_walk_found hello = {};
	__u8 h[8] = {};

	if (seg->bytes < WW_HELLO_BYTES_MIN || ww_walk_load(seg, 0, h, 6) != 0)
		return false;
	if (h[0] != 22 || !ww_walk_head_valid(h) || (h[5] != 1 && h[5] != 2))
		return false;
	hello.offset = seg->seq - w->first;
	hello.bytes = ((__u32)h[3] << 8 | h[4]) + WW_RECORD_HEAD_BYTES;
	hello.type = h[0];
	hello.client = h[5] == 1;
	if (hello.bytes < WW_HELLO_BYTES_MIN)
		return false;
	ww_walk_hello(seg, &hello);
	w->mode = WW_WALK_RECORDS;
	return true;
}

/* A whole header is in w->head; the next unseen byte is payload byte `pos`. */
static __always_inline void ww_walk_begin_record(struct ww_walk *w, const struct ww_segment *seg,
						 __u32 pos)
{
	struct ww_walk_found record = {};

	if (!ww_walk_head_valid(w->head)) {
		ww_walk_lose(w);
		return;
	}
	w->body = (__u32)w->head[3] << 8 | w->head[4];
	w->head_bytes = 0;
	record.offset = seg->seq + pos - WW_RECORD_HEAD_BYTES - w->first;
	record.bytes = w->body + WW_RECORD_HEAD_BYTES;
	record.index = w->records;
	record.type = w->head[0];
	ww_walk_record(seg, &record);
	if (++w->records >= WW_RECORDS_WALKED_MAX)
		w->mode = WW_WALK_DONE;
}

/* Passes the rest of the current record and reads of the next header what is there. */
static __always_inline __u32 ww_walk_step(struct ww_walk *w, const struct ww_segment *seg,
					  __u32 pos)
{
	__u32 left = seg->bytes - pos;
	__u32 body = w->body;

	if (body > left)
		body = left;
	w->body -= body;
	pos += body;
	left -= body;
	if (left == 0)
		return pos;
	if (w->head_bytes == 0 && left >= WW_RECORD_HEAD_BYTES) {
		if (ww_walk_load(seg, pos, w->head, WW_RECORD_HEAD_BYTES) != 0) {
			ww_walk_lose(w);
			return pos;
		}
		w->head_bytes = WW_RECORD_HEAD_BYTES;
		pos += WW_RECORD_HEAD_BYTES;
	} else {
		if (ww_walk_load(seg, pos, &w->head[w->head_bytes & 7], 1) != 0) {
			ww_walk_lose(w);
			return pos;
		}
		w->head_bytes++;
		pos++;
	}
	if (w->head_bytes == WW_RECORD_HEAD_BYTES)
		ww_walk_begin_record(w, seg, pos);
	return pos;
}

static __always_inline void ww_walk_segment(struct ww_walk *w, const struct ww_segment *seg)
{
	__s32 ahead = (__s32)(seg->seq - w->next);
	__u32 pos = 0;

	if (w->mode == WW_WALK_DONE || seg->bytes == 0)
		return;
	if (ahead > 0 && w->mode == WW_WALK_RECORDS) {
		ww_walk_lose(w);
		return;
	}
	if (ahead < 0)
		pos = -ahead;
	if (pos >= seg->bytes)
		return;
	if (w->mode == WW_WALK_SEARCH && (pos != 0 || !ww_walk_search(w, seg))) {
		w->next = seg->seq + seg->bytes;
		if (++w->segments >= WW_WALK_SEGMENTS_MAX)
			w->mode = WW_WALK_DONE;
		return;
	}
	for (int i = 0; i < WW_WALK_STEPS && pos < seg->bytes; i++) {
		pos = ww_walk_step(w, seg, pos);
		if (w->mode == WW_WALK_DONE)
			return;
	}
	if (pos < seg->bytes)
		ww_walk_lose(w);
	w->next = seg->seq + seg->bytes;
}
