/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tape: recorded events, the one door by which live capture and replay enter the pipeline.
 *
 * File: the 8 bytes "WWTAPE1\n", the manifest's length (le32), the manifest (JSON), then one zstd
 * stream of events, each exactly ww_event.size bytes padded with zeros to 8. A tape that does not
 * end with WW_EVENT_END was cut off: reading says so, and what was read stands. Created 0600: a
 * tape holds plaintext.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/own.h"
#include "base/slice.h"

#define WW_MANIFEST_BYTES_MAX (2u << 20)

struct ww_tape_writer;
struct ww_tape_reader;

/* Fails with -EEXIST rather than overwrite. 0 or -errno. */
WW_CHECK int ww_tape_create(const char *path, struct ww_slice manifest,
			    struct ww_tape_writer **ret_writer);

/* 0 or -errno (-ENOSPC ...); after an error every further write fails with it. */
WW_CHECK int ww_tape_write(struct ww_tape_writer *w, const struct ww_event *ev);

/* Everything written so far can be read after this. 0 or -errno. */
WW_CHECK int ww_tape_flush(struct ww_tape_writer *w);

/* Appends WW_EVENT_END with the given time, syncs and closes. NULL is 0. 0 or the first error. */
int ww_tape_close(struct ww_tape_writer *w, uint64_t time_ns);

/* 0; -EBADMSG: not a tape; other -errno. */
WW_CHECK int ww_tape_open(const char *path, struct ww_tape_reader **ret_reader);
void ww_tape_reader_free(struct ww_tape_reader *r);
WW_DEFINE_AUTO(struct ww_tape_reader, ww_tape_reader_free)

/* Borrowed from the reader. */
struct ww_slice ww_tape_manifest(const struct ww_tape_reader *r);

/*
 * The next event, checked by ww_event_check(), borrowed until the next call. 0; -ENODATA after
 * WW_EVENT_END; -EPIPE: the tape was cut off here; -EBADMSG: broken stream or event; -ENOMEM.
 */
WW_CHECK int ww_tape_next(struct ww_tape_reader *r, const struct ww_event **ret_ev);
