/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable byte buffer that is born with its ceiling. Reaching the ceiling is an answer
 * (-EMSGSIZE), never an allocation; the buffer then keeps what it had. Not thread safe.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

struct ww_buf {
	uint8_t *p;
	size_t n;   /* bytes used */
	size_t cap; /* bytes allocated */
	size_t max; /* ceiling in bytes, fixed at init */
};

/* Nothing is allocated yet. bytes_max: the ceiling, for good. Release with ww_buf_done. */
void ww_buf_init(struct ww_buf *b, size_t bytes_max);

/* Releases the memory; the buffer may be used again with the same ceiling. */
void ww_buf_done(struct ww_buf *b);

/* As ww_buf_done, wiping the content first: for plaintext. */
void ww_buf_wipe(struct ww_buf *b);

/* Empties, keeping the memory. */
void ww_buf_clear(struct ww_buf *b);

/* Appends all or nothing. 0, -EMSGSIZE (ceiling), -ENOMEM. */
WW_CHECK int ww_buf_add(struct ww_buf *b, const void *p, size_t n);

/* Appends as much as the ceiling allows. Returns the bytes appended (memory shortage: 0). */
size_t ww_buf_add_some(struct ww_buf *b, const void *p, size_t n);

/* For ww_buf_reserve: more memory than there is. */
WW_CHECK int ww_buf_grow(struct ww_buf *b, size_t n);

/*
 * Room for n more bytes at ret_p, not yet counted; add to b->n after writing. 0, -EMSGSIZE,
 * -ENOMEM. A buffer that grows wipes the copy it leaves behind.
 */
WW_CHECK static inline int ww_buf_reserve(struct ww_buf *b, size_t n, uint8_t **ret_p)
{
	if (n > b->cap - b->n) {
		int r = ww_buf_grow(b, n);

		if (r < 0)
			return r;
	}
	*ret_p = b->p ? b->p + b->n : NULL;
	return 0;
}

/* Drops the first n bytes (clamped). */
void ww_buf_consume(struct ww_buf *b, size_t n);

/* What is in it, borrowed until the next call that changes the buffer. */
static inline struct ww_slice ww_buf_slice(const struct ww_buf *b)
{
	return (struct ww_slice){b->p, b->n};
}

#define WW_AUTO_BUF WW_AUTO(ww_buf_done)
