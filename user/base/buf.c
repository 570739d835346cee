/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>

#define FIRST_BYTES 256u

void ww_buf_init(struct ww_buf *b, size_t bytes_max)
{
	*b = (struct ww_buf){.max = bytes_max};
}

void ww_buf_done(struct ww_buf *b)
{
	free(b->p);
	*b = (struct ww_buf){.max = b->max};
}

void ww_buf_wipe(struct ww_buf *b)
{
	/* All of it, not n: consume and clear leave bytes behind the end. */
	if (b->p)
		explicit_bzero(b->p, b->cap);
	ww_buf_done(b);
}

void ww_buf_clear(struct ww_buf *b)
{
	b->n = 0;
}

/* Not realloc: it would free the old copy unwiped, and any buffer may hold plaintext. */
static int grow(struct ww_buf *b, size_t need)
{
	size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
	uint8_t *p;

	if (cap < FIRST_BYTES)
		cap = FIRST_BYTES;
	if (cap < need)
		cap = need;
	if (cap > b->max)
		cap = b->max;
	p = malloc(cap);
	if (!p)
		return -ENOMEM;
	if (b->p) {
		memcpy(p, b->p, b->n);
		explicit_bzero(b->p, b->cap);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	return 0;
}

int ww_buf_grow(struct ww_buf *b, size_t n)
{
	return n > b->max - b->n ? -EMSGSIZE : grow(b, b->n + n);
}

int ww_buf_add(struct ww_buf *b, const void *p, size_t n)
{
	uint8_t *to;
	int r = ww_buf_reserve(b, n, &to);

	if (r < 0)
		return r;
	if (n > 0)
		memcpy(to, p, n);
	b->n += n;
	return 0;
}

size_t ww_buf_add_some(struct ww_buf *b, const void *p, size_t n)
{
	if (n > b->max - b->n)
		n = b->max - b->n;
	return ww_buf_add(b, p, n) < 0 ? 0 : n;
}

void ww_buf_consume(struct ww_buf *b, size_t n)
{
	if (n > b->n)
		n = b->n;
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}
