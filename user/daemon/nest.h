/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nest: the cgroups of single runs, <cgroup v2>/wirewitness/NAME: made, owned, found again.
 *
 * A watched program outlives the daemon, so each run cgroup says by itself whose it is: its maker
 * holds a lock (flock) on the folder, which the kernel takes back with the maker, and an extended
 * attribute names the owner that may take it over. Daemons and recorders side by side therefore
 * leave each other's runs alone.
 *
 * Only `live` uses it. Works on files, holds no memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

#define WW_NEST_OWNER_MAX 4096u /* bytes of an owner's name */

/*
 * Makes the folder NAME below <mount>/wirewitness, locked and marked with `owner` (NULL: nobody
 * takes it over). ret_path has cap bytes; *ret_lock is the caller's, closing it gives the folder
 * up. 0; -EEXIST; -ENAMETOOLONG; -errno.
 */
WW_CHECK int ww_nest_make(const char *mount, const char *owner, const char *name, char *ret_path,
			  size_t cap, int *ret_lock);

/* Takes lock over. */
typedef void (*ww_nest_fn)(void *ctx, const char *path, int lock);

/*
 * Looks at the folders that nobody holds: without processes they are removed, with processes and
 * marked with `owner` (not NULL) they are locked and handed to fn. 0 (also when there is no nest);
 * -errno.
 */
WW_CHECK int ww_nest_find(const char *mount, const char *owner, ww_nest_fn fn, void *ctx);

/* Whether no process is in the cgroup or below it; also when it is gone. */
bool ww_nest_is_empty(const char *path);

/* Removes the nest itself when nothing is in it. */
void ww_nest_leave(const char *mount);
