/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the AWS event stream, written for tests of what reads them. */
#pragma once

#include <string.h>
#include <zlib.h>

#include "base/slice.h"

static inline void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* One message at `out`, which has room for it. Returns its length. */
static inline size_t put_message(uint8_t *out, struct ww_slice headers, struct ww_slice payload)
{
	size_t n = 16 + headers.n + payload.n;

	put_be32(out, (uint32_t)n);
	put_be32(out + 4, (uint32_t)headers.n);
	put_be32(out + 8, (uint32_t)crc32(0, out, 8));
	memcpy(out + 12, headers.p, headers.n);
	if (payload.n > 0)
		memcpy(out + 12 + headers.n, payload.p, payload.n);
	put_be32(out + n - 4, (uint32_t)crc32(0, out, (uInt)n - 4));
	return n;
}
