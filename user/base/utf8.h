/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 (RFC 3629), strict: no overlong forms, no surrogates, nothing above U+10FFFF. Shared by the
 * JSON tokenizer, which refuses bad bytes, and the JSON writer, which replaces them.
 */
#pragma once

#include "base/parse.h"
#include "base/slice.h"

#define WW_UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/*
 * Looks at the character that begins at in.p[at]; at < in.n. DONE: valid, *ret_n its bytes. BAD:
 * not UTF-8. MORE: the slice ends inside a character that was valid so far. For BAD and MORE *ret_n
 * is the bytes that one U+FFFD replaces (Unicode 15 section 3.9, maximal subparts), at least 1.
 */
enum ww_parse ww_utf8_next(struct ww_slice in, size_t at, size_t *ret_n);

/* Writes the code point (a surrogate or a value out of range as U+FFFD); returns 1 to 4 bytes. */
size_t ww_utf8_put(uint32_t code, uint8_t out[4]);

/*
 * Offset of the first byte at or after `at` that a JSON string cannot hold as plain ASCII (quote,
 * backslash, control character, byte above 0x7f), or in.n.
 */
size_t ww_utf8_plain(struct ww_slice in, size_t at);
