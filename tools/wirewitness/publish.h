/* SPDX-License-Identifier: Apache-2.0 */
/* A report goes into its own log, and out as a bundle: through the daemon when one runs, else into
 * the ledger directly. And the way to a time stamp authority. */
#pragma once

#include "records.h"

struct ww_publish_input {
	struct ww_records *records; /* refreshed */
	const char *state_dir;
	const char *socket_path;
	struct ww_slice envelope;
	const char *created_at;
	/* Time stamps: at most one of them; NULL: none. */
	const char *stamp_url, *stamp_command;
	struct ww_slice stamp_ca; /* PEM; empty: who signed a stamp is not checked */
};

/*
 * Appends the bundle to out. *ret_stamped: whether it has a time stamp; that none came is told on
 * standard error and is no failure. 0 or -errno, told.
 */
WW_CHECK int ww_publish(const struct ww_publish_input *in, struct ww_buf *out, bool *ret_stamped);
