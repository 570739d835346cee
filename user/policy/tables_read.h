/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: reads address tables. Two doors:
 *
 *  - what a folder of tables holds: NAME.rows (made by ww_tables_rows_write), NAME.yaml (declared
 * by the monitor's owner), NAME.mmdb (a MaxMind-format database);
 *  - what clouds publish, in the shapes that they publish it: to be written as NAME.rows.
 *
 * Strict: what is not understood is refused with its place, never skipped. Pure: the caller reads
 * the files, of at most WW_TABLES_FILE_BYTES.
 */
#pragma once

#include "base/buf.h"
#include "policy/tables.h"

#define WW_TABLES_YAML_BYTES    (4u << 20)
#define WW_TABLES_YAML_ENTRIES  16384u /* of a list */
#define WW_TABLES_YAML_PREFIXES 4096u  /* of one entry */
#define WW_TABLES_YAML_HOSTS    1024u  /* the same */

/* What is wrong with a file, and where. */
struct ww_tables_error {
	bool offset; /* `at` is a byte's offset (JSON); else a line, 0: none */
	uint64_t at;
	char text[200]; /* printable, one line */
};

/* Fills *ret and returns -EINVAL. */
int ww_tables_fail(struct ww_tables_error *ret, bool offset, uint64_t at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* What ww_tables_add_row() said, with that place: fills *ret where it is a limit. Returns r, or
 * -EINVAL. */
int ww_tables_fail_add(struct ww_tables_error *ret, bool offset, uint64_t at, int r);

/* Whether it can be the name of a table's file in a folder: NAME and one of the three endings. */
bool ww_tables_file_name_ok(const char *name);
/* Whether it can be NAME: 1 to 64 letters, digits, '.', '_', '-', beginning with a letter or digit.
 */
bool ww_tables_name_ok(struct ww_slice name);

/* Adds the file as a table to a set that is not sealed. 0; -EINVAL with *ret_error; -ENOMEM or
 * -errno: no memory. After a failure the set is good for nothing but ww_tables_free(). */
WW_CHECK int ww_tables_read(struct ww_tables *t, const char *name, struct ww_slice file,
			    struct ww_tables_error *ret_error);

/* The three kinds of it, into the table that was added last. */
WW_CHECK int ww_tables_rows_read(struct ww_tables *t, struct ww_slice file,
				 struct ww_tables_error *ret_error);
WW_CHECK int ww_tables_yaml_read(struct ww_tables *t, struct ww_slice file,
				 struct ww_tables_error *ret_error);

/* What a published file does not say itself. */
struct ww_tables_import {
	struct ww_slice operator_name;  /* of a bare list */
	char as_of[WW_TABLES_DATE_MAX]; /* empty: not given */
	int32_t until;                  /* INT32_MAX: not given */
};

/*
 * Whose shape it is by its content: "aws", "gcp", "azure" (their JSON), "list" (a network per
 * line), "rows", "mmdb"; NULL: none of them (YAML has no mark). Static text.
 */
const char *ww_tables_shape(struct ww_slice file);

/* A published file (aws, gcp, azure, list) as a sealed set of one table. 0; -EINVAL with
 * *ret_error; -ENOMEM. The set is the caller's. */
WW_CHECK int ww_tables_published_read(struct ww_slice file, const struct ww_tables_import *how,
				      struct ww_tables **ret, struct ww_tables_error *ret_error);

/* Such a set as the text of a NAME.rows, the same bytes from the same file. 0; -EMSGSIZE (the
 * buffer's ceiling), -ENOMEM. */
WW_CHECK int ww_tables_rows_write(const struct ww_tables *t, struct ww_buf *out);
