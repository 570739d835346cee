/* SPDX-License-Identifier: Apache-2.0 */
/* Writes protobuf by hand, well formed or not: what no serializer would. For tests. */
#pragma once

#include <assert.h>

#include "base/buf.h"

static inline void pb_raw(struct ww_buf *b, const void *p, size_t n)
{
	int r = ww_buf_add(b, p, n);

	assert(r == 0);
}

static inline void pb_varint(struct ww_buf *b, uint64_t v)
{
	do {
		uint8_t byte = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));

		pb_raw(b, &byte, 1);
		v >>= 7;
	} while (v);
}

static inline void pb_tag(struct ww_buf *b, unsigned field, unsigned wire)
{
	pb_varint(b, field << 3 | wire);
}

static inline void pb_number(struct ww_buf *b, unsigned field, uint64_t v)
{
	pb_tag(b, field, 0);
	pb_varint(b, v);
}

static inline void pb_fixed64(struct ww_buf *b, unsigned field, uint64_t v)
{
	pb_tag(b, field, 1);
	pb_raw(b, &v, sizeof(v)); /* little endian hosts */
}

static inline void pb_bytes(struct ww_buf *b, unsigned field, const void *p, size_t n)
{
	pb_tag(b, field, 2);
	pb_varint(b, n);
	if (n > 0)
		pb_raw(b, p, n);
}

static inline void pb_text(struct ww_buf *b, unsigned field, const char *s)
{
	pb_bytes(b, field, s, strlen(s));
}

/* A message of field `field` whose content is `inner`, which is emptied. */
static inline void pb_message(struct ww_buf *b, unsigned field, struct ww_buf *inner)
{
	pb_bytes(b, field, inner->p, inner->n);
	ww_buf_clear(inner);
}
