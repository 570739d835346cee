/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template: text about a record, from a short pattern. All lines, cells and sentences that people
 * read are made by such patterns, so that what we say stands in tables and can be checked there.
 *
 *   {path}       the member's value, printable (out/printable.h); "-" when there is none
 *   {a|b|c}      the first of them that is there
 *   {a~b}        the time from a to b, both nanoseconds: "1.2 s", "34 ms", "0.8 ms"
 *   {path+}      all elements of an array, joined by ", "
 *   {@t} {&t}    time of day, date and time of an RFC 3339 text, to the millisecond
 *   {?path}      "yes" or "no": no when it is missing, null, false, zero or empty
 *   {!path}      coloured by what it says, where colour is asked for
 *   {path:20}    filled with spaces to 20 columns
 *   [text]       left out when a value in it is missing, zero or empty; cannot be nested
 *   [^{a|b}x]    only x, which may have fields as above, and only when no path says anything
 *
 * Everything else is copied. Pure. Templates are ours: a malformed one is a bug (assert).
 */
#pragma once

#include "base/buf.h"

#define WW_TEMPLATE_FIELDS_MAX 32u
#define WW_TEMPLATE_PATHS_MAX  64u

/*
 * Appends the text to out. 0, -EMSGSIZE, -ENOMEM; on failure out may hold a part. A record that is
 * not JSON has no members.
 */
WW_CHECK int ww_template_render(const char *template, struct ww_slice record, bool colour,
				struct ww_buf *out);

/* The escape sequence for a word such as a verdict, kind or status; "" when it has no colour. */
const char *ww_template_tone(struct ww_slice word);
#define WW_TEMPLATE_TONE_END "\033[0m"
