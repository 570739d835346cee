/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading fields from bytes without pointer arithmetic. The error is sticky: after the first short
 * read every further read gives zero or an empty slice, so a caller reads all fields and checks
 * once with ww_cursor_ok().
 */
#pragma once

#include "base/slice.h"

struct ww_cursor {
	struct ww_slice in;
	size_t at; /* bytes consumed */
	bool bad;
};

/* At the begin of `in`, which is borrowed for as long as the cursor is used. */
static inline struct ww_cursor ww_cursor(struct ww_slice in)
{
	return (struct ww_cursor){in, 0, false};
}

/* Whether every read so far had its bytes. */
static inline bool ww_cursor_ok(const struct ww_cursor *c)
{
	return !c->bad;
}

/* Bytes not read yet; 0 after an error. */
static inline size_t ww_cursor_left(const struct ww_cursor *c)
{
	return c->bad ? 0 : c->in.n - c->at;
}

/* The next n bytes as a borrowed slice; empty and sticky error when fewer are left. */
struct ww_slice ww_cursor_take(struct ww_cursor *c, size_t n);

/* Unsigned integers, big (be) or little endian (le); 0 and the sticky error when bytes are short.
 */
static inline uint8_t ww_cursor_u8(struct ww_cursor *c)
{
	c->bad |= c->at == c->in.n;
	return c->bad ? 0 : c->in.p[c->at++];
}
uint16_t ww_cursor_be16(struct ww_cursor *c);
uint32_t ww_cursor_be24(struct ww_cursor *c);
uint32_t ww_cursor_be32(struct ww_cursor *c);
uint64_t ww_cursor_be64(struct ww_cursor *c);
uint16_t ww_cursor_le16(struct ww_cursor *c);
uint32_t ww_cursor_le32(struct ww_cursor *c);
uint64_t ww_cursor_le64(struct ww_cursor *c);
