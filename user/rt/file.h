/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt: whole small files, bounded, and the readiness datagram of systemd. The part of reading that
 * daemon and commands share; the ledger has its own (ledger/durable.h), which syncs. No state.
 */
#pragma once

#include "base/buf.h"
#include "base/digest.h"

/* Appends the file's content to out, whose ceiling bounds it. 0, -EFBIG (larger), -errno. */
WW_CHECK int ww_file_read(const char *path, struct ww_buf *out);

/* First line of a small file without its newline, NUL-terminated and cut to cap; 0 or -errno. */
WW_CHECK int ww_file_line(const char *path, char *out, size_t cap);

/* SHA-256 of a regular file from its begin, wherever fd stands. 0, -EFBIG (over `max` bytes),
 * -errno. */
WW_CHECK int ww_file_sha256(int fd, uint64_t max, struct ww_sha256 *ret);

/*
 * Sends `state` ("READY=1") to NOTIFY_SOCKET (sd_notify(3) protocol). Without the variable: 0 and
 * nothing is done. 0 or -errno.
 */
int ww_notify(const char *state);
