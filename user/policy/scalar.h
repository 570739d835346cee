/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: JSON scalars as texts that can be compared: strings without escapes and decomposed
 * (base/nfd.h), numbers by value (libraries write 10, 10.0 and 1e1 for one), true and false.
 * Integers are compared to the last digit, as ids need it; other numbers as the doubles that most
 * readers make of them. Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"

#define WW_SCALAR_BYTES_MAX 256u

/* Appends t's text to out. 0; -ENOENT: null or no scalar; -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_scalar_text(const struct ww_json_token *t, struct ww_buf *out);

/* The same, but a string that is a number has that number's text: some writers quote numbers. out
 * is empty before. */
WW_CHECK int ww_scalar_value(const struct ww_json_token *t, struct ww_buf *out);

/* Of such a text: what a reader has of it that keeps numbers as doubles, where it is an integer
 * from 2^53 on, which doubles round. 0, appended; -ENOENT: it is none; -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_scalar_rounded(struct ww_slice value, struct ww_buf *out);
