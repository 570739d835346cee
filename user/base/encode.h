/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hexadecimal (RFC 4648 section 8; lower case out, either case in) and base64 (section 4). And the
 * pieces that ids are put together from: records are full of them, and printf is slow. Pure; output
 * goes to the caller's memory, whose size is his to get right.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

/* Writes 2 * in.n characters and a NUL. */
void ww_hex_encode(struct ww_slice in, char *out);

/* Exactly ret_n bytes from 2 * ret_n digits; 0 or -EINVAL, output unchanged on error. */
WW_CHECK int ww_hex_decode(struct ww_slice in, uint8_t *out, size_t ret_n);

/*
 * Write text, a number in decimal (up to 20 digits) or in hexadecimal (up to 16, lower case), both
 * without leading zeros, and a NUL; the caller's array is large enough by its size. Return where
 * the NUL stands: there the next piece goes.
 */
char *ww_put_text(char *out, const char *text);
char *ww_put_dec(char *out, uint64_t v);
char *ww_put_hex(char *out, uint64_t v);

#define WW_BASE64_LEN(n) (4 * (((n) + 2) / 3))
/* Standard alphabet with padding; writes WW_BASE64_LEN(in.n) characters and a NUL. */
void ww_base64_encode(struct ww_slice in, char *out);

/*
 * Standard alphabet; with url_safe also '-' and '_' (DSSE verifiers accept both). Padding demanded,
 * no white space, unused bits must be zero. 0, -EINVAL, -EMSGSIZE (out too small). What is wrong
 * may be seen late: on error `out` may have been written to. It may be where `in` is: text is
 * longer than what it says.
 */
WW_CHECK int ww_base64_decode(struct ww_slice in, bool url_safe, uint8_t *out, size_t cap,
			      size_t *ret_n);
