/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers of every parser, and where it went wrong. A parser that says MORE or GAP can go on;
 * after BAD the rest of its input means nothing.
 */
#pragma once

#include <stddef.h>

enum ww_parse {
	WW_PARSE_DONE, /* a unit was parsed */
	WW_PARSE_MORE, /* needs more input: short, not wrong */
	WW_PARSE_GAP,  /* bytes were lost before this point; normal life, not an error */
	WW_PARSE_BAD,  /* violates the format, see ww_parse_error */
	WW_PARSE_END,  /* clean end of the document, or not present */
};

struct ww_parse_error {
	size_t at;          /* offset in the input, bytes */
	const char *reason; /* static text, never from the input */
};
