/* SPDX-License-Identifier: Apache-2.0 */
/* How far something long has come, on standard error. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ww_progress {
	const char *what; /* "records indexed" */
	bool lines;       /* without a terminal: a line per tenth; else nothing */
	bool terminal;
	bool drawn; /* there is a bar to be ended */
	uint64_t from;
	unsigned tenths; /* told in lines */
	bool begun;
};

/* `lines`: also where nobody watches, for a log. */
void ww_progress_begin(struct ww_progress *p, const char *what, bool lines);

/* May be called as often as one likes; a bar appears only if there is much to do. */
void ww_progress_step(void *progress, uint64_t done, uint64_t size);

/* Ends the bar's line. */
void ww_progress_end(struct ww_progress *p);
