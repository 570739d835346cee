/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why the ledger refused, in words for a person: the library does not log, the caller prints this
 * once. Always holds a NUL-terminated text; empty while nothing went wrong.
 */
#pragma once

struct ww_errtext {
	char text[320];
};

/* Sets the text (why may be NULL) and returns r, for `return ww_errtext_set(why, -EUCLEAN, "...")`.
 */
int ww_errtext_set(struct ww_errtext *why, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As ww_errtext_set, with ": <text of -r>" behind the message. */
int ww_errtext_errno(struct ww_errtext *why, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
