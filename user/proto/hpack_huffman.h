/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpack_huffman: the string code of HPACK (RFC 7541 section 5.2 and appendix B) undone. Pure.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

/* What n encoded bytes can decode to, at most: the shortest code has 5 bits. */
#define WW_HPACK_HUFFMAN_MAX(n) ((n) / 5 * 8 + 8)

/*
 * Decodes all of `in` to out, which has room for WW_HPACK_HUFFMAN_MAX(in.n); NULL: measures only.
 * 0, or -EINVAL: no such code, or padding that the standard does not allow.
 */
WW_CHECK int ww_hpack_huffman(struct ww_slice in, uint8_t *out, size_t *ret_bytes);
