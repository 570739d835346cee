/* SPDX-License-Identifier: Apache-2.0 */
/* put_file: a file that is there whole or not at all; an existing one stays unless forced. */
#pragma once

#include "base/buf.h"

struct ww_put {
	const char *path; /* borrowed */
	bool force;
	int fd; /* of the part file */
	char part[4096];
};

/* Begin, write, then end or drop (which does nothing after the end). 0 or -errno, told on standard
 * error except by write. */
WW_CHECK int ww_put_begin(struct ww_put *p, const char *path, bool force);
WW_CHECK int ww_put_write(struct ww_put *p, struct ww_slice content);
WW_CHECK int ww_put_end(struct ww_put *p);
void ww_put_drop(struct ww_put *p);

/* All of it at once. */
WW_CHECK int ww_put_file(const char *path, struct ww_slice content, bool force);

/* 0, or -EEXIST, told on standard error: it is there and not forced. */
WW_CHECK int ww_put_absent(const char *path, bool force);

/* The page of a report file (out/report_html.h). 0 or -errno, told; what was made is said on
 * standard output. */
WW_CHECK int ww_html_file(struct ww_slice report, const char *path, bool force);
