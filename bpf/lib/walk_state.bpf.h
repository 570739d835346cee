/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where the record walk of one direction stands; lib/walk.bpf.h moves it. Zero, but for first and
 * next, is the beginning. */
#pragma once

enum ww_walk_mode { WW_WALK_SEARCH = 0, WW_WALK_RECORDS = 1, WW_WALK_DONE = 2 };

struct ww_walk {
	__u32 first; /* sequence number of the first payload byte */
	__u32 next;  /* of the first byte not looked at */
	__u32 body;  /* bytes of the current record still to come */
	__u16 records;
	__u8 mode; /* enum ww_walk_mode */
	__u8 segments;
	__u8 head_bytes; /* of the next record's header, in head[] */
	__u8 lost;       /* 1: not exact */
	__u8 _pad[2];
	__u8 head[8];
};
