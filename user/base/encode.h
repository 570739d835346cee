/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal (RFC 4648 section 8; lower case out, either case in) and base64 (section 4). */
#pragma once

#include "base/own.h"
#include "base/slice.h"

/* Writes 2 * in.n characters and a NUL. */
void ww_hex_encode(struct ww_slice in, char *out);

/* Exactly ret_n bytes from 2 * ret_n digits; 0 or -EINVAL, output unchanged on error. */
WW_CHECK int ww_hex_decode(struct ww_slice in, uint8_t *out, size_t ret_n);

#define WW_BASE64_LEN(n) (4 * (((n) + 2) / 3))
/* Standard alphabet with padding; writes WW_BASE64_LEN(in.n) characters and a NUL. */
void ww_base64_encode(struct ww_slice in, char *out);

/*
 * Standard alphabet; with url_safe also '-' and '_' (DSSE verifiers accept both). Padding demanded,
 * no white space, unused bits must be zero. 0, -EINVAL, -EMSGSIZE (out too small).
 */
WW_CHECK int ww_base64_decode(struct ww_slice in, bool url_safe, uint8_t *out, size_t cap,
			      size_t *ret_n);
