/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols: the normal form of text in which copies are looked for. The same words give the same
 * symbols however often they were escaped on the way.
 *
 * Symbols are ASCII letters in lower case, digits, and bytes of other characters in UTF-8: of
 * those below U+2000, which are letters of alphabets, the last byte, of those from U+3000 to
 * U+3FFF, where the kana are, the last two, of others all. So a symbol says about as much of a text
 * as a letter does, whatever it is written in; that some letters share one does no harm. White
 * space, line ends, control characters and punctuation are left out (ASCII, Latin-1, and the blocks
 * General Punctuation and CJK Symbols and Punctuation), and so is U+FFFD. Of escapes stands what
 * they mean:
 * - any number of backslashes in a row with what JSON (RFC 8259 section 7) has behind one: a
 *   character that is left out, or \u with four digits (of a pair of surrogates twice);
 * - % with two digits (RFC 3986 section 2.1), and %25 as often as it was encoded again.
 * The prompt itself is read by the same rules, so that a backslash in it does no harm: what its
 * JSON string, or that string in another, or a form gives is what it gives itself.
 *
 * Not undone: other Unicode normal forms, cases of letters beyond ASCII, character references of
 * HTML. Pure.
 */
#pragma once

#include "base/slice.h"

/* A call gives at least one symbol, or it is the end: so much room is needed for that. */
#define WW_SYMBOLS_ROOM 8u

struct ww_symbols {
	struct ww_slice in;
	size_t at;
	bool percent; /* there was a percent escape */
};

static inline void ww_symbols_init(struct ww_symbols *s, struct ww_slice in)
{
	*s = (struct ww_symbols){.in = in};
}

/* The next symbols, at most `room` (WW_SYMBOLS_ROOM at least) of them. 0: there are no more. */
size_t ww_symbols_next(struct ww_symbols *s, uint8_t *out, size_t room);
