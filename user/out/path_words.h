/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_words: what the words in records of paths and crossings mean, in sentences for people, and
 * what would tell more. Tables only: a test reads all of them for what must not be said.
 *
 * Three questions are never merged: where TLS ended (listed by a table, bounded by what was
 * measured), where data was processed (claimed, by whom), whose law reaches an operator (declared).
 */
#pragma once

#include "base/json.h"

enum ww_path_set {
	WW_PATH_VERDICT,
	WW_PATH_REASON,
	WW_PATH_FINDING,
	WW_PATH_PURPOSE,
	WW_PATH_CAUSE,
	WW_PATH_OUTCOME,
	WW_PATH_ENDS,     /* of a horizon */
	WW_PATH_ACKED,    /* requestAcked */
	WW_PATH_OPAQUE,   /* why a flow's content was not read */
	WW_PATH_STANDING, /* of a place: region, home */
	WW_PATH_UNBOUND,  /* why there is no bound */
	WW_PATH_BASIS,    /* on which a row of a table rests */
	WW_PATH_BY,       /* who claims */
	WW_PATH_SETS
};

struct ww_path_word {
	const char *word, *meaning;
	const char *more; /* what would tell more; NULL: nothing that is known here */
};

/* The word's row, or NULL: not known here, which a page says as it is. */
const struct ww_path_word *ww_path_word(enum ww_path_set set, const struct ww_json_token *word);

/* One after the other, NULL after the last. */
const struct ww_path_word *ww_path_word_at(enum ww_path_set set, unsigned i);
