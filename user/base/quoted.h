/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between the quotes of JSON strings, by blocks: records inside of a report are strings
 * of kilobytes with an escape every few bytes. Both functions do what is common and stop before
 * what is not, or near the end; the tokenizer (json.h) goes on from there. Where the processor has
 * no such instructions they do nothing.
 */
#pragma once

#include "base/slice.h"

/*
 * Steps over plain ASCII and the escapes \" and \\, which begin at in.p[at]. Returns where it
 * stopped: nothing before that is anything else, and no escape is cut in two. Sets *escaped when it
 * stepped over an escape.
 */
size_t ww_quoted_skip(struct ww_slice in, size_t at, bool *escaped);

/*
 * Decodes from raw.p[*at] on to out[*done], where `room` ends: bytes other than a backslash as they
 * are, and the same two escapes. Moves both; what is behind out[*done] may have been written.
 */
void ww_quoted_copy(struct ww_slice raw, size_t *at, uint8_t *out, size_t room, size_t *done);
