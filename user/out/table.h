/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table: columns for a terminal. Widths come from the first WW_TABLE_ROWS_MAX rows, so a listing of
 * any length takes bounded memory; later cells that do not fit push the rest of their line. The
 * last column is never filled up; a line that is wider than the terminal is cut, and a "…" in the
 * terminal's last column says so. Characters count as one column each (out/printable.h).
 */
#pragma once

#include "base/buf.h"

#define WW_TABLE_COLUMNS_MAX 16u
#define WW_TABLE_ROWS_MAX    1000u /* held back to find the widths */

struct ww_table_column {
	const char *title;
	unsigned max; /* columns a cell may take; longer is cut with "…"; 0: any */
	bool right;   /* numbers */
};

struct ww_table;

/* `columns` is borrowed and outlives the table; count is 1 to WW_TABLE_COLUMNS_MAX. width: columns
 * of the terminal, 0: unlimited. Output goes to `write`, in whole lines. 0 or -ENOMEM. */
WW_CHECK int ww_table_new(const struct ww_table_column *columns, unsigned count, unsigned width,
			  void (*write)(void *ctx, struct ww_slice lines), void *ctx,
			  struct ww_table **ret_table);
/* Without writing what is held back. */
void ww_table_free(struct ww_table *t);
WW_DEFINE_AUTO(struct ww_table, ww_table_free)

/*
 * The next cell, from left to right, already printable; the last one of a row ends it. `tone` is an
 * escape sequence for it, or "". 0 or -ENOMEM.
 */
WW_CHECK int ww_table_cell(struct ww_table *t, struct ww_slice text, const char *tone);

/* Writes what is held back. 0 or -ENOMEM. */
WW_CHECK int ww_table_end(struct ww_table *t);
