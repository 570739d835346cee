/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing: the columns in which a person reads records of one kind, and the words for the kinds.
 * Tables only.
 */
#pragma once

#include "out/table.h"

#define WW_LISTING_COLUMNS_MAX 13u

struct ww_listing {
	const char *kind; /* as in records */
	const char *word; /* on the command line; singular and `kind` are understood too */
	const char *singular;
	struct ww_table_column columns[WW_LISTING_COLUMNS_MAX]; /* up to a NULL title */
	const char *cells[WW_LISTING_COLUMNS_MAX];              /* patterns of out/template.h */
};

/* The listing of "verdicts", "verdict", ...; NULL: no such word. */
const struct ww_listing *ww_listing_find(struct ww_slice word);

/* One after the other, NULL after the last: for messages and tests. */
const struct ww_listing *ww_listing_at(unsigned i);
