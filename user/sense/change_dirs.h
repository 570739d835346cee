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
	char *path; /* as it was found first */
	bool files; /* marked for files */
	bool gone;  /* and its mark with it */
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
	unsigned files;
	/* The first directory with a mark: what leads there has none, and is looked at from time to
	 * time; "": the root. */
	char base[WW_PATH_BYTES_MAX + 1];
	uint64_t dev, inode; /* of it */
};

/* Marks all directories of the template, which has the given number. */
struct ww_change_dirs_found ww_change_dirs_find(struct ww_change_dirs *d, unsigned template,
						const char *text);

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
bool ww_change_dirs_linked(const char *path);
