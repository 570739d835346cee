/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digester: which bytes a probed library is made of: build id and SHA-256 of its file, so that a
 * report can name what was measured, and who has the same file can tell.
 *
 * A file may have a hundred megabytes, so a thread of its own reads it, at low priority: nothing
 * waits for it but the end of the run. A file that is changed meanwhile has no digest. Bounded by
 * WW_TLS_FILES_MAX files that wait; what does not fit is told as unreadable.
 *
 * All functions are called on the loop's thread, and so is fn.
 */
#pragma once

#include <sys/stat.h>
#include <uv.h>

#include <wirewitness/event.h>

#include "base/own.h"
#include "sense/target.h"

/* One file's event; borrowed for the call. */
typedef void (*ww_digester_fn)(void *ctx, const struct ww_event_file *ev);

/*
 * Reads the file into status, build_id and sha256 of *ev. `before` is of when the probes were set:
 * a file that is another one by now has no digest. What the thread does.
 */
void ww_digester_read(int fd, const struct stat *before, struct ww_event_file *ev);

struct ww_digester;

/* 0 or -errno. */
WW_CHECK int ww_digester_open(uv_loop_t *loop, ww_digester_fn fn, void *ctx,
			      struct ww_digester **ret_digester);

/* The file under way is read to its end, the others are not told. Memory goes when the loop has run
 * once more. NULL is nothing. */
void ww_digester_close(struct ww_digester *d);

/* Takes a descriptor of its own of the file. */
void ww_digester_add(struct ww_digester *d, const struct ww_target_file *f);

/* Until every file that was added is told. From then on the thread has the priority of others. */
void ww_digester_wait(struct ww_digester *d);
