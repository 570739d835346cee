/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: JSON scalars as texts that can be compared: strings without escapes, numbers by value
 * (libraries write 10, 10.0 and 1e1 for one), true and false. Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"

#define WW_SCALAR_BYTES_MAX 256u

/* Appends t's text to out. 0; -ENOENT: null or no scalar; -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_scalar_text(const struct ww_json_token *t, struct ww_buf *out);
