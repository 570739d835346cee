/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_text: where one prompt went, for a person: verdict and its meaning, who and when, every leg
 * with what is listed, claimed, declared and bounded of it, the horizon behind which nothing is
 * known, copies, unread connections, attestations apart, coverage, and what would tell more. And
 * the same as one JSON object (docs/schema/path-v1.schema.json).
 *
 * Made of the record alone; what it does not have is not said. All words stand in tables of
 * patterns (out/template.h, out/path_words.h) that tests read for what must not be said; what comes
 * from the record is made harmless for terminals. Pure.
 */
#pragma once

#include "base/buf.h"

#define WW_PATH_TEXT_BYTES_MAX (4u << 20)
#define WW_PATH_VERSION        1

/* Columns that a page may take. */
#define WW_PATH_COLUMNS_MIN 60u
#define WW_PATH_COLUMNS_MAX 100u

struct ww_path_revision {
	uint64_t index;
	struct ww_slice id;
};

struct ww_path_ask {
	uint64_t index; /* of the record in the ledger */
	struct ww_slice record;
	struct ww_slice superseded_by; /* the id of its newest revision; empty: this one */
	const struct ww_path_revision *replaced; /* earlier ones, oldest first */
	unsigned replaced_count;
};

/* Appends the page, in lines of at most `columns` (clamped to the two above). 0, -EINVAL (no JSON),
 * -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_path_text(const struct ww_path_ask *ask, unsigned columns, bool colour,
			  struct ww_buf *out);

/* Appends the object, without newline. The same errors. */
WW_CHECK int ww_path_json(const struct ww_path_ask *ask, struct ww_buf *out);

/* The patterns one after the other, NULL after the last: for tests. */
const char *ww_path_pattern(unsigned i);
