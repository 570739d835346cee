/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool: the records of a running daemon, taken over its control socket into a file without a name.
 * For whoever may ask the daemon and not read its directory. What is committed when it asks is in
 * it, nothing later.
 */
#pragma once

#include "base/buf.h"
#include "store/record_index.h"

struct ww_spool;

/* Takes all of the daemon's records and puts each in the index. 0 or -errno, told. */
WW_CHECK int ww_spool_open(const char *socket_path, struct ww_record_index *index,
			   struct ww_spool **ret_spool);
void ww_spool_close(struct ww_spool *s);

uint64_t ww_spool_size(const struct ww_spool *s);

/* The record, borrowed until the next call. 0; -ENOENT (it has no content), -ERANGE, -errno. */
WW_CHECK int ww_spool_get(struct ww_spool *s, uint64_t index, struct ww_slice *ret_json);
