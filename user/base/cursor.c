/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"

#include <endian.h>

struct ww_slice ww_cursor_take(struct ww_cursor *c, size_t n)
{
	struct ww_slice s;

	if (c->bad || n > c->in.n - c->at) {
		c->bad = true;
		return WW_SLICE_NULL;
	}
	s = ww_slice_sub(c->in, c->at, n);
	c->at += n;
	return s;
}

/* Copies n bytes to `to`, which keeps its zeros when fewer are left. */
static void fetch(struct ww_cursor *c, void *to, size_t n)
{
	struct ww_slice s = ww_cursor_take(c, n);

	if (s.n > 0)
		memcpy(to, s.p, s.n);
}

uint16_t ww_cursor_be16(struct ww_cursor *c)
{
	uint16_t v = 0;

	fetch(c, &v, sizeof(v));
	return be16toh(v);
}

uint32_t ww_cursor_be24(struct ww_cursor *c)
{
	uint8_t v[3] = {0};

	fetch(c, v, sizeof(v));
	return (uint32_t)v[0] << 16 | (uint32_t)v[1] << 8 | v[2];
}

uint32_t ww_cursor_be32(struct ww_cursor *c)
{
	uint32_t v = 0;

	fetch(c, &v, sizeof(v));
	return be32toh(v);
}

uint64_t ww_cursor_be64(struct ww_cursor *c)
{
	uint64_t v = 0;

	fetch(c, &v, sizeof(v));
	return be64toh(v);
}

uint16_t ww_cursor_le16(struct ww_cursor *c)
{
	uint16_t v = 0;

	fetch(c, &v, sizeof(v));
	return le16toh(v);
}

uint32_t ww_cursor_le32(struct ww_cursor *c)
{
	uint32_t v = 0;

	fetch(c, &v, sizeof(v));
	return le32toh(v);
}

uint64_t ww_cursor_le64(struct ww_cursor *c)
{
	uint64_t v = 0;

	fetch(c, &v, sizeof(v));
	return le64toh(v);
}
