/* SPDX-License-Identifier: Apache-2.0 */
/* A place in the ledger given by a person: a time, a time before now, or a cursor. */
#pragma once

#include "base/clock.h"
#include "base/own.h"
#include "base/slice.h"

enum ww_moment_what { WW_MOMENT_NONE, WW_MOMENT_START, WW_MOMENT_TIME, WW_MOMENT_CURSOR };

struct ww_moment {
	enum ww_moment_what what;
	uint64_t cursor;           /* CURSOR: the ledger index of the last record already seen */
	char time[WW_RFC3339_MAX]; /* TIME: as records write it, so that texts compare as times */
};

/*
 * "90s", "10m", "2h", "3d" (before now), RFC 3339 ("2026-11-23T10:00:00Z", any offset), "start", or
 * a number (a cursor: what comes after it). 0 or -EINVAL.
 */
WW_CHECK int ww_moment_parse(const char *text, struct ww_wall now, struct ww_moment *ret_moment);

/* What ww_moment_parse understands, for messages. */
#define WW_MOMENT_FORMS \
	"a duration such as 10m or 2h, a time such as 2026-11-23T10:00:00Z, a cursor, or 'start'"

/* The ledger index of the first record that can be meant; 0 unless a cursor was given. */
uint64_t ww_moment_first(const struct ww_moment *m);

/* The instant of a moment of kind TIME. 0 or -EINVAL. */
WW_CHECK int ww_moment_wall(const struct ww_moment *m, struct ww_wall *ret);

/* Whether a record with this time ("t") is at or after a moment of kind TIME; others: true. */
bool ww_moment_reached(const struct ww_moment *m, struct ww_slice t);
