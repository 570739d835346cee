/* SPDX-License-Identifier: Apache-2.0 */
/* path_match: whether a path record is one that was asked for. Pure. */
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "base/own.h"

#define WW_PATH_DIGESTS_MAX 2u

/* Terms that narrow each other; zero: every path. */
struct ww_path_want {
	const char *trace; /* 32 digits in lower case */
	const char *agent; /* its name, the end of its program's path, or the id of process, tree or
			      scope */
	const char *path;  /* an id of a path, or its beginning */
	unsigned digest_count;
	struct ww_sha256 digests[WW_PATH_DIGESTS_MAX]; /* of the prompt: one of them */
	struct ww_wall from, to;                       /* under way at some time in between; to 0:
							  whenever */
};

bool ww_path_match(const struct ww_path_want *want, struct ww_slice record);

/* From the first byte to the last one that was seen; false: the record does not say. */
bool ww_path_times(struct ww_slice record, struct ww_wall *ret_from, struct ww_wall *ret_to);

/*
 * An instant that a person gives, with how exactly it was given: "2026-11-24T14:32Z" is a minute,
 * "2026-11-24T14:32:05Z" a second. The text without its minute's seconds is completed in `out`.
 * Returns the nanoseconds of it, or 0: it has no such form, and is taken as it is.
 */
#define WW_PATH_INSTANT_MAX 64u
uint64_t ww_path_instant(const char *text, char out[WW_PATH_INSTANT_MAX]);
