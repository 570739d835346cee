/* SPDX-License-Identifier: Apache-2.0 */
/* Standard output: is it a person's, how wide, and is anybody still reading. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

/* Whether to use colours: a terminal that can, and NO_COLOR is not set. */
bool ww_terminal_colour(void);

/* Columns; 0: no terminal, do not cut. */
unsigned ww_terminal_width(void);

/*
 * Writes a whole line (the newline is added) and flushes it. False when nobody reads any more: the
 * command then ends, in good order.
 */
bool ww_terminal_line(struct ww_slice line);

/*
 * At the end of the program: flushes standard output. Returns `code`, or WW_EXIT_UNABLE with a
 * message when something that was written did not arrive (a full disk). A reader that went away
 * has taken what it wanted.
 */
int ww_terminal_close(int code);

/* Ends the program with code 0 on SIGINT and SIGTERM, but never inside a line. */
void ww_terminal_end_on_signals(void);
