/* SPDX-License-Identifier: Apache-2.0 */
/*
 * action_row: one action as a row: said, span, wire, verdict. Made of the verdict's record; for a
 * table and, with the same content, as one JSON object (docs/schema/actions-v1.schema.json). Pure.
 */
#pragma once

#include "base/buf.h"
#include "out/table.h"

#define WW_ACTION_ROW_COLUMNS 13u
#define WW_ACTION_ROW_VERSION 1

/* The columns of the table, in order; all have titles. */
extern const struct ww_table_column ww_action_row_columns[WW_ACTION_ROW_COLUMNS];

struct ww_action_row {
	uint64_t index;          /* of the verdict's record */
	struct ww_slice verdict; /* the record, borrowed */
	struct ww_slice program; /* name of the process's program; empty: not known */
	bool superseded;         /* a later verdict of this action replaces it */
};

/* Appends the text of one cell, harmless for terminals. 0, -EMSGSIZE (it holds what fits), -ENOMEM.
 */
WW_CHECK int ww_action_row_cell(const struct ww_action_row *row, unsigned column,
				struct ww_buf *out);

/* Appends the object, without newline. 0, -EINVAL (no JSON), -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_action_row_json(const struct ww_action_row *row, struct ww_buf *out);
