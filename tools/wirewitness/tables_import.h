/* SPDX-License-Identifier: Apache-2.0 */
/* Of `wirewitness tables`: a file becomes a table of the folder. */
#pragma once

#include "policy/tables_read.h"

/* Says what was done on standard output; a table of that name is replaced at once or stays. The
 * folder is made where it is missing. Returns an exit code. */
int ww_tables_import_file(const char *dir, const char *path, const char *name,
			  const struct ww_tables_import *how);
