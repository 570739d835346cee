/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that a process has mapped executable, each once, and safe access to exactly those files
 * whatever has happened to their paths: through /proc/PID/map_files where we may (CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE), else by path beneath the process's own root, with the inode compared.
 *
 * The process is hostile: it chooses paths, replaces files and directories, may exit and have its
 * pid taken by another at any time. Only regular files are ever opened. Bounded by
 * WW_MAPS_FILES_MAX files and WW_MAPS_BYTES_MAX of text per walk.
 */
#pragma once

#include <sys/stat.h>

#include <wirewitness/event.h>

#include "base/own.h"
#include "base/slice.h"

#define WW_MAPS_FILES_MAX 1024u       /* distinct files mapped executable by one process */
#define WW_MAPS_BYTES_MAX (16u << 20) /* of /proc/PID/maps: 150,000 mappings */

/* One line of /proc/PID/maps (proc(5)). */
struct ww_map {
	uint64_t start, end; /* addresses */
	bool exec;
	uint64_t dev;   /* as the kernel prints it: major << 20 | minor; on some file systems not
			   st_dev */
	uint64_t inode; /* 0: not a file */
	struct ww_slice path; /* borrowed; newlines escaped by the kernel as \012; maybe with "
				 (deleted)" */
};

/* 0 or -EINVAL. line: without its newline. */
WW_CHECK int ww_map_parse(struct ww_slice line, struct ww_map *ret_map);

/* A walk's handle on the process; valid inside the callback. */
struct ww_maps_at {
	int proc; /* /proc/PID */
	struct ww_map map;
};

/*
 * What the file is now. 0; -ENOENT: cannot be reached, or is not the file that is mapped; -EINVAL:
 * not a regular file.
 */
WW_CHECK int ww_maps_stat(const struct ww_maps_at *at, struct stat *ret_st);

/* Opens it for reading. *ret_fd is the caller's. 0, -ENOENT, -EINVAL, -EMFILE and the like. */
WW_CHECK int ww_maps_open(const struct ww_maps_at *at, int *ret_fd);

/* A negative return ends the walk. */
typedef int (*ww_maps_fn)(void *ctx, const struct ww_maps_at *at);

/*
 * Calls fn for each distinct file that the process maps executable. 0; -ESRCH: no such process, or
 * its start time is not actor.start_ns (0: not compared); -E2BIG: over a limit, after the files
 * below it; -ENOMEM, -EIO; or what fn returned.
 */
WW_CHECK int ww_maps_walk(struct ww_actor_key actor, ww_maps_fn fn, void *ctx);
