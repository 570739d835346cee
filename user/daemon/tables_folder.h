/* SPDX-License-Identifier: Apache-2.0 */
/* The address tables of a folder. */
#pragma once

#include "policy/tables_read.h"

#define WW_TABLES_FOLDER_BYTES (512u << 20) /* of all files together */
#define WW_TABLES_WHY_MAX      4608u

/*
 * All files of the folder as one sealed set, in byte order of their names. Hidden files and what an
 * interrupted import left (NAME.tmp) are not looked at; any other file that is no table is an
 * error. An empty folder is an empty set. 0; -EINVAL, -errno: why says what is wrong, with file and
 * place.
 */
WW_CHECK int ww_tables_folder(const char *dir, struct ww_tables **ret, char why[WW_TABLES_WHY_MAX]);

/* The same for an option: `arg` a folder; "off": *ret stays NULL; NULL: as `preset` (NULL: off),
 * where that folder exists. What is wrong is logged. */
WW_CHECK int ww_tables_option(const char *arg, const char *preset, struct ww_tables **ret);

/* "FILE:12: error: text", "FILE: offset 12: error: text" or "FILE: error: text". */
void ww_tables_error_text(const char *file, const struct ww_tables_error *e, char *out, size_t cap);
