/* SPDX-License-Identifier: Apache-2.0 */
/* Asking an RFC 3161 time stamp authority: over plain HTTP, or through a command of the user. */
#pragma once

#include "base/buf.h"
#include "ledger/errtext.h"

#define WW_AUTHORITY_REPLY_MAX (64u << 10)
#define WW_AUTHORITY_TIMEOUT_S 30

/*
 * Posts the query and appends the reply. Only http: replies are signed, and for https a command
 * such as curl does it better. 0 or -errno, `why` says what went wrong.
 */
WW_CHECK int ww_authority_http(const char *url, struct ww_slice query, struct ww_buf *reply,
			       struct ww_errtext *why);

/* Runs the command by /bin/sh with the query on its standard input and takes its standard output.
 */
WW_CHECK int ww_authority_command(const char *command, struct ww_slice query, struct ww_buf *reply,
				  struct ww_errtext *why);
