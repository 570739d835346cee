/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths: the members that records have, by dotted path and by kind, as docs/schema has them. For
 * whoever asks by name: a name that no record has is a mistake, not an empty answer. Tables only.
 */
#pragma once

#include <wirewitness/record.h>

#include "base/slice.h"

/* A set of record kinds, a bit each. */
typedef uint32_t ww_path_kinds;
#define WW_PATH_KIND(kind)           (1u << (kind))
#define WW_PATH_KIND_OF_(n, v, t, d) | WW_PATH_KIND(v)
#define WW_PATH_KINDS_ALL            (0u WW_RECORD_KINDS(WW_PATH_KIND_OF_))

struct ww_path {
	const char *path; /* one that ends with a dot: any member below it */
	ww_path_kinds kinds;
};

/* In order of the alphabet; NULL after the last. */
const struct ww_path *ww_path_at(unsigned i);

/* The kinds that have a member at this path; none: 0. */
ww_path_kinds ww_path_find(struct ww_slice path);

/* The path of these kinds that was most likely meant; NULL: nothing is near. */
const char *ww_path_near(struct ww_slice path, ww_path_kinds kinds);

/* The word that was most likely meant, of a table of `count` that may have holes; NULL: nothing is
 * near. */
const char *ww_path_near_word(struct ww_slice text, const char *const *words, unsigned count);
