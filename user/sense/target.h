/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which TLS libraries a process uses, and which files need probes: a table of the executable files
 * seen so far, so that each is planned once. Fed by looks at processes in scope (after exec, and
 * again while their loaders run) and by configured paths.
 *
 * A file is known by device and inode, its content by change time and size. Changed content is
 * planned again; with the same build id and the same plan it is the same file still, else the old
 * index is evicted and the file gets a new one. Files without TLS are remembered too. At
 * WW_TLS_FILES_MAX files with plans the one that was met longest ago is given up (evicted,
 * counted); at WW_TARGET_FILES_MAX others the oldest is forgotten, which only costs another look.
 *
 * Not thread safe. Nothing is attached here. Callbacks must not call back.
 */
#pragma once

#include <wirewitness/event.h>

#include "sense/site.h"

struct ww_targets;

/* A file that needs probes. */
struct ww_target_file {
	uint32_t index; /* 1 to WW_TLS_FILES_MAX; after its evict, used again as late as can be */
	uint64_t dev;   /* st_dev */
	uint64_t inode;
	/*
	 * The planned file itself, open for reading until the callback returns: attach through
	 * /proc/self/fd, never through the path, which may name another file by now.
	 */
	int fd;
	const struct ww_tls_plan *plan; /* until the callback returns */
	char path[WW_PATH_BYTES_MAX];   /* as the process sees it, cut; for people */
};

/* A process maps a file with probes. */
struct ww_target_use {
	struct ww_actor_key actor;
	uint64_t cgroup;
	uint32_t index;
};

/*
 * A process maps code that may carry plaintext we cannot read. Mapped is not used: many libraries
 * are pulled in and never called.
 */
struct ww_target_opaque {
	struct ww_actor_key actor;
	uint64_t cgroup;
	const char *reason;           /* static text: "gnutls", "nss", "go", "openssl-code", ... */
	char path[WW_PATH_BYTES_MAX]; /* the file */
};

/* Any of them may be NULL. */
struct ww_target_ops {
	void (*file)(void *ctx, const struct ww_target_file *f);
	void (*opaque)(void *ctx,
		       const struct ww_target_opaque *o); /* once per process and reason */
	/* Once per process, program that it executes, and file. */
	void (*use)(void *ctx, const struct ww_target_use *u);
	void (*evict)(void *ctx,
		      uint32_t index); /* detach: given up, or its content was replaced */
};

struct ww_target_stats {
	uint32_t files;      /* with plans, now */
	uint32_t others;     /* remembered without, now */
	uint64_t evicted;    /* files given up for lack of room */
	uint64_t unreadable; /* files that could not be reached or read */
	uint64_t over_limit; /* looks at processes that stopped at a limit of maps.h */
};

/* 0, -ENOMEM. */
WW_CHECK int ww_targets_new(struct ww_targets **ret_targets);

/* Accepts NULL. */
void ww_targets_free(struct ww_targets *t);

/*
 * Looks at a process's executable mappings. cgroup is handed through. 0; -ESRCH: the process is
 * gone, or actor.start_ns is not its start (0: not compared); -ENOMEM; -EIO. Being over a limit is
 * counted and is no error.
 */
WW_CHECK int ww_targets_scan(struct ww_targets *t, struct ww_actor_key actor, uint64_t cgroup,
			     const struct ww_target_ops *ops, void *ctx);

/*
 * The process has executed another program: what it maps from now on is told anew, also files that
 * it mapped before. A process that is not known is no error.
 */
void ww_targets_executed(struct ww_targets *t, struct ww_actor_key actor);

/*
 * Takes a file from our own file system, before any process maps it. 0: planned, now or before;
 * -ENOENT: no such file, or no TLS API in it; -ENOTSUP, -EPROTONOSUPPORT: code not understood;
 * -EINVAL: not a regular ELF file; -ENOMEM, -EIO.
 */
WW_CHECK int ww_targets_add_path(struct ww_targets *t, const char *path,
				 const struct ww_target_ops *ops, void *ctx);

/* The same for libssl.so.*, libcrypto.so.* and libgnutls.so.* in the usual folders. 0, -ENOMEM. */
WW_CHECK int ww_targets_add_defaults(struct ww_targets *t, const struct ww_target_ops *ops,
				     void *ctx);

/* Now, and since the start. */
void ww_targets_stats(const struct ww_targets *t, struct ww_target_stats *ret_stats);
