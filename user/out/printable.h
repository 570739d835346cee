/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printable: text from records on its way to a person. Names in records come from the watched
 * programs, which may be hostile to the reader's terminal: control characters (C0, DEL, C1), line
 * breaks and the characters that reorder text (bidirectional controls, U+2028, U+2029) are shown as
 * \xNN or \u{NNNN}, bytes that are not UTF-8 as U+FFFD. Nothing else is changed.
 *
 * Output goes to a buffer whose ceiling bounds it. Errors are those of ww_buf_add: -EMSGSIZE,
 * -ENOMEM.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"

/* Appends the text so. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_printable_add(struct ww_buf *out, struct ww_slice text);

/* The same for well-formed JSON, which stays the same JSON: such characters become \uNNNN, white
 * space between tokens other than line feeds becomes spaces. */
WW_CHECK int ww_printable_json(struct ww_buf *out, struct ww_slice json);

/* The text of a member's value: strings decoded, everything else as it stands. Absent: nothing. */
WW_CHECK int ww_printable_value(struct ww_buf *out, const struct ww_json_token *value);

/* Columns on a terminal, every character counted as one: exact for what this product writes. */
size_t ww_printable_columns(struct ww_slice text);

/* The longest beginning of text that fills at most `columns`. */
struct ww_slice ww_printable_cut(struct ww_slice text, size_t columns);
