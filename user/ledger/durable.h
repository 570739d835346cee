/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are on the disk when a call says so: the write side of the ledger stands on these.
 *
 * All paths are relative to an open directory. Nothing is retried after a failed fsync: the kernel
 * may have dropped the dirty pages, so the caller writes the content again from memory
 * (ww_tlog_retry). Single-threaded per struct ww_durable.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "ledger/errtext.h"

#define WW_DURABLE_PATH_MAX 96u
#define WW_DURABLE_FILES    24u
#define WW_DURABLE_DIRS     24u

/*
 * A set of files written together: one write each, then one sync for all. A few files stay open and
 * are synced one by one, directories with new entries are remembered by name. When either table is
 * full, the whole file system is synced instead (syncfs): dearer for others, but one journal commit
 * and not one per file.
 */
struct ww_durable {
	int dir; /* borrowed */
	int files[WW_DURABLE_FILES];
	size_t n_files;
	char dirs[WW_DURABLE_DIRS][WW_DURABLE_PATH_MAX]; /* "." is `dir` itself */
	size_t n_dirs;
	bool many; /* the tables overflowed */
};

/* `dir`: an open directory, borrowed; paths are below it. */
void ww_durable_init(struct ww_durable *d, int dir);

/* Closes what is still open, without syncing. */
void ww_durable_done(struct ww_durable *d);

/*
 * Creates or replaces the file `path` (0644) with `content`, making its parent directories (0755).
 * Not yet on the disk. 0, -ENAMETOOLONG, or the errno of mkdir, open or write.
 */
WW_CHECK int ww_durable_put(struct ww_durable *d, const char *path, struct ww_slice content);

/*
 * Forces everything put since the last sync to the disk: file contents first, then directories. All
 * must lie in one file system. 0 or -errno; syncfs reports write errors since Linux 5.8.
 */
WW_CHECK int ww_durable_sync(struct ww_durable *d);

/*
 * Opens a directory that is its owner's alone, made (0700, and its name synced) when missing;
 * *ret_fd is the caller's. 0, -EPERM (others may look into it), or -errno, with the reason in why.
 */
WW_CHECK int ww_durable_open_dir(const char *path, int *ret_fd, struct ww_errtext *why);

/*
 * Takes the lock that makes its holder the one writer of the directory: `lock` in it, held while
 * *ret_fd (the caller's) is open. 0; -EBUSY, which why tells as `busy`; or -errno.
 */
WW_CHECK int ww_durable_lock(int dir, const char *busy, int *ret_fd, struct ww_errtext *why);

/*
 * Forces to the disk what an earlier writer left in the file system of `dir`. One that was killed
 * has made names that nobody syncs any more: they are there for whoever looks, and gone after a
 * loss of power. So before anything is built on what is found. 0 or -errno, said in why.
 */
WW_CHECK int ww_durable_settle(int dir, struct ww_errtext *why);

/* fsync of one directory, for renames and unlinks in it. */
WW_CHECK int ww_durable_sync_dir(int dir, const char *path);

/*
 * Replaces `name` (in `dir` itself) atomically: a temporary file, fsync, rename, fsync of the
 * directory. After an error the old file is either still there or already replaced, never torn.
 */
WW_CHECK int ww_durable_replace(int dir, const char *name, mode_t mode, struct ww_slice content);

/* Writes all of `content` at `offset`. 0 or -errno; a short write without a reason is -EIO. */
WW_CHECK int ww_durable_pwrite(int fd, struct ww_slice content, uint64_t offset);

/* Appends the whole file to out. 0, -EMSGSIZE (larger than the buffer's ceiling), -ENOENT, ... */
WW_CHECK int ww_durable_read(int dir, const char *path, struct ww_buf *out);

/* The same from where an open file, a pipe or a socket stands. */
WW_CHECK int ww_durable_read_fd(int fd, struct ww_buf *out);
