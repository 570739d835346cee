/* SPDX-License-Identifier: Apache-2.0 */
/* Of `wirewitness tables`: a table's file read for its own sake. */
#pragma once

#include "policy/tables_read.h"

/* A table's file, or one as clouds publish it, by its content and the ending of its path: as a
 * sealed set of one table. One as it is published has no name and the source's digest only.
 * 0; -EINVAL with *ret_error; -ENOMEM or -errno. */
WW_CHECK int ww_tables_any_read(const char *path, struct ww_slice file,
				const struct ww_tables_import *how, struct ww_tables **ret,
				struct ww_tables_error *ret_error);

/* Reads a file, or all of a folder, and says what is wrong or suspicious on standard output, what
 * it holds when nothing is wrong. Returns an exit code. */
int ww_tables_check(const char *path, const struct ww_tables_import *how, bool strict);
