/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks as types: kernel event time and span time do not mix by accident.
 *
 * ww_boot: CLOCK_BOOTTIME nanoseconds (bpf_ktime_get_boot_ns). ww_wall: nanoseconds since the Unix
 * epoch, UTC. One maps to the other only through a ww_clock_map, sampled by the daemon and recorded
 * on the tape, with an explicit bound on its error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct ww_boot {
	uint64_t ns;
};

struct ww_wall {
	uint64_t ns;
};

struct ww_clock_map {
	struct ww_boot boot; /* when sampled */
	struct ww_wall wall; /* the same instant */
	uint64_t bound_ns;   /* largest error of the pair at sampling */
	bool valid;
	struct ww_boot since; /* the wall clock was set here: no wall time before it is mapped */
};

/* The other clock's time of an instant. Zero when the map is not valid or the time lies before 0.
 */
struct ww_wall ww_clock_wall(const struct ww_clock_map *m, struct ww_boot t);
struct ww_boot ww_clock_boot(const struct ww_clock_map *m, struct ww_wall t);

/* Reads both clocks now, or the kernel's alone (side effect: nothing that is pure calls them). */
void ww_clock_sample(struct ww_clock_map *ret_map);
struct ww_boot ww_boot_now(void);

/*
 * Days since 1970-01-01 of a date, from then to the year 9999; false: the calendar has no such day.
 * No function here asks libc about time zones: none depends on TZ or on files.
 */
bool ww_date_days(int year, int month, int day, uint64_t *ret_days);

#define WW_RFC3339_MAX 32
/* RFC 3339 UTC with nanoseconds, "2026-11-23T10:00:00.123456789Z". out has WW_RFC3339_MAX bytes. */
void ww_wall_rfc3339(struct ww_wall t, char *out);

/*
 * Reads such a text: UTC ("Z"), no or up to nine decimals, the calendar's days, from 1970 to 2553.
 * 0 or -EINVAL, output unchanged on error.
 */
int ww_wall_parse(struct ww_slice text, struct ww_wall *ret_wall);
