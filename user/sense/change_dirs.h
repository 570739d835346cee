/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change_dirs: the directories of file templates, found on this host, and their fanotify marks:
 * what changes.h looks events up in. A directory is known by its file system and file handle, as
 * the kernel's events name it; the path is the declared one, whatever links it leads through.
 */
#pragma once

#include <sys/stat.h>
#include <sys/statfs.h>

#include <wirewitness/event.h>

#include "base/hash.h"
#include "base/own.h"
#include "base/slice.h"

#define WW_DIR_HANDLE_MAX 128

struct ww_change_dir_key {
	uint32_t fsid[2];
	int32_t type;
	uint32_t bytes;
	uint8_t handle[WW_DIR_HANDLE_MAX];
};

/* What a template has to do with a directory. */
struct ww_change_dir_place {
	unsigned template;
	bool files;           /* declared files can be in it */
	struct ww_slice next; /* the template's segment for what is in it; borrowed */
	char *path;           /* as declared, without a slash at its end */
};

struct ww_change_dir {
	struct ww_change_dir_key key;
	char *path;          /* as it was found first */
	uint64_t dev, inode; /* as stat() has them */
	bool files;          /* marked for files */
	bool gone;           /* and its mark with it */
	unsigned place_count;
	struct ww_change_dir_place *places;
	UT_hash_handle hh;
};

struct ww_change_dirs {
	int fan; /* borrowed */
	unsigned count;
	struct ww_change_dir *table;
};

/* One template, looked for. */
struct ww_change_dirs_found {
	enum ww_files_why why; /* NONE: every directory that is there has its mark */
	unsigned dirs;
	unsigned files; /* that are there and could be linked */
};

/* Marks all directories of the template, which has the given number; of more than files_max files
 * it is not known whether they are linked. */
struct ww_change_dirs_found ww_change_dirs_find(struct ww_change_dirs *d, unsigned template,
						const char *text, unsigned files_max);

/* What a look at one template's directories shows. */
struct ww_change_dirs_seen {
	bool moved;  /* a path leads elsewhere: what leads to a directory has no mark */
	bool linked; /* a file has another name, or is a link: nothing tells when one is made */
	unsigned files;
};

/* Into ret[0..count), by template; adds. `files`: at what is in them as well, as far as there are
 * not more than files_max. */
void ww_change_dirs_look(const struct ww_change_dirs *d, bool files, unsigned files_max,
			 struct ww_change_dirs_seen *ret, unsigned count);

/* Forgets all; the marks go when `flush`. */
void ww_change_dirs_clear(struct ww_change_dirs *d, bool flush);
/* Forgets one template's places; directories stay until they are swept. */
void ww_change_dirs_forget(struct ww_change_dirs *d, unsigned template);
/* Forgets directories that are no place any more, and takes their marks. How many have been moved
 * since, and keep theirs: what happens in those is read and forgotten. */
unsigned ww_change_dirs_sweep(struct ww_change_dirs *d);

struct ww_change_dir *ww_change_dirs_get(const struct ww_change_dirs *d,
					 const struct ww_change_dir_key *key);

/* Whether a process, in a mount namespace of its own, sees the template's directories under the
 * same paths. False for one that is gone meanwhile, and where there are too many to look at. */
bool ww_change_dirs_seen_by(const struct ww_change_dirs *d, unsigned template, uint32_t pid);

/* Whether the path leads to a file, and to this one (NULL: any), not to a link or a pipe. */
bool ww_change_dirs_there(const char *path, const struct ww_change_dir_key *file);

/* Whether this file can be changed by another name: it is a symbolic link, or has several. */
bool ww_change_dirs_linked(int at, const char *path);
