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

/* Ends the program with code 0 on SIGINT and SIGTERM, but never inside a line. */
void ww_terminal_end_on_signals(void);
