/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from outside into bounded C strings. What comes out is valid UTF-8 without a NUL inside:
 * bytes that are not UTF-8, and NUL, become U+FFFD, so that no value looks shorter than it was
 * sent.
 */
#pragma once

#include "base/slice.h"

/*
 * Copies in to out (cap bytes, cap > 0, the ending NUL included), cut between characters. False
 * when something did not fit. *ret_n, when not NULL, is the length.
 */
bool ww_text_copy(char *out, size_t cap, struct ww_slice in, size_t *ret_n);
