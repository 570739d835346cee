/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A borrowed run of bytes. Whoever made the slice says how long it stays valid; a slice never owns
 * and is never NUL-terminated by promise. Everything from the wire travels as a slice.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ww_slice {
	const uint8_t *p;
	size_t n; /* bytes */
};

#define WW_SLICE_NULL   ((struct ww_slice){NULL, 0})
#define WW_SLICE_LIT(s) ((struct ww_slice){(const uint8_t *)(s), sizeof(s) - 1})

static inline struct ww_slice ww_slice(const void *p, size_t n)
{
	return (struct ww_slice){p, n};
}

/* Without its NUL; NULL is the empty slice. */
static inline struct ww_slice ww_slice_str(const char *s)
{
	return (struct ww_slice){(const uint8_t *)s, s ? strlen(s) : 0};
}

/* Byte by byte; empty slices are equal wherever they point. */
static inline bool ww_slice_eq(struct ww_slice a, struct ww_slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool ww_slice_eq_str(struct ww_slice a, const char *s)
{
	return ww_slice_eq(a, ww_slice_str(s));
}

static inline bool ww_slice_starts(struct ww_slice a, struct ww_slice prefix)
{
	return a.n >= prefix.n && (prefix.n == 0 || memcmp(a.p, prefix.p, prefix.n) == 0);
}

static inline bool ww_slice_ends(struct ww_slice a, struct ww_slice end)
{
	return a.n >= end.n && (end.n == 0 || memcmp(a.p + a.n - end.n, end.p, end.n) == 0);
}

/* The tail from offset `at` (clamped to the end), at most n bytes. */
static inline struct ww_slice ww_slice_sub(struct ww_slice a, size_t at, size_t n)
{
	if (at > a.n)
		at = a.n;
	if (n > a.n - at)
		n = a.n - at;
	return (struct ww_slice){a.p ? a.p + at : NULL, n};
}

/* ASCII case-insensitive comparison (header names: RFC 9110 section 5.1). */
bool ww_slice_ieq_str(struct ww_slice a, const char *s);

/* Removes spaces and tabs at both ends. */
struct ww_slice ww_slice_trim(struct ww_slice a);

/* Decimal digits only, no sign, no overflow: 0, or -EINVAL / -ERANGE. Output unchanged on error. */
int ww_slice_u64(struct ww_slice a, uint64_t *ret_value);

/* Offset of byte c at or after `from`, or a.n when there is none. */
size_t ww_slice_find(struct ww_slice a, size_t from, uint8_t c);

/* Takes the first line off *rest, without its newline; false when no complete line is left. */
bool ww_slice_line(struct ww_slice *rest, struct ww_slice *ret_line);
