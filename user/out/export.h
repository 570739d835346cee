/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export: records as a table for spreadsheets. Columns are members of the record, named by their
 * path in the stream; docs/records.md says what they mean, docs/schema what they look like.
 *
 * RFC 4180: comma, CRLF, cells with a comma, quote or line break in quotes. UTF-8. A text that a
 * spreadsheet would take for a formula (it begins with = + - @, a tab or a line break) gets an
 * apostrophe in front: what the wire said must not run. Numbers are written as they are, null and
 * absent members as nothing, the elements of an array with a space between them. Pure.
 */
#pragma once

#include "base/buf.h"

#define WW_EXPORT_COLUMNS_MAX 44u

/* Whether records of this kind have a table. */
bool ww_export_kind_ok(const char *kind);

/* Column i of a kind's table, NULL after the last. The first is "cursor", the ledger index. */
const char *ww_export_column(const char *kind, unsigned i);

/* Append the line of titles, and one line per record. 0, -EINVAL (no such kind, not JSON),
 * -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_export_titles(const char *kind, struct ww_buf *out);
WW_CHECK int ww_export_row(const char *kind, uint64_t index, struct ww_slice record,
			   struct ww_buf *out);
