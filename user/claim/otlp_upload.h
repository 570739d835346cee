/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of one request while it arrives: inflated as it comes, never beyond its ceiling, and
 * counted in a budget that all uploads share. Internal to claim. Pure but for memory.
 *
 * Limits: bytes_max after inflation; WW_INFLATE_RATIO_MAX between the two sizes (past the first
 * mebibyte, so that small texts may compress well); the budget for all together.
 */
#pragma once

#include <zlib.h>

#include "base/buf.h"

/* The memory that all uploads hold together, in bytes. */
struct ww_otlp_budget {
	uint64_t held;
	uint64_t max;
};

struct ww_otlp_upload {
	struct ww_buf body; /* inflated */
	uint64_t wire_bytes;
	struct ww_otlp_budget *budget; /* borrowed */
	bool gzip;
	bool member_open; /* inside a gzip member */
	z_stream z;
};

/* 0 or -ENOMEM. Zero-initialised before; ww_otlp_upload_done() afterwards in any case. */
WW_CHECK int ww_otlp_upload_begin(struct ww_otlp_upload *u, bool gzip, uint64_t bytes_max,
				  struct ww_otlp_budget *budget);

/*
 * The next bytes from the wire. 0; -EMSGSIZE: larger than bytes_max, or a bomb; -EAGAIN: the budget
 * is spent; -EBADMSG: not gzip; -ENOMEM. After an error only _done may follow.
 */
WW_CHECK int ww_otlp_upload_add(struct ww_otlp_upload *u, struct ww_slice bytes);

/* The wire has no more: 0, or -EBADMSG (gzip cut off, or none at all). */
WW_CHECK int ww_otlp_upload_end(const struct ww_otlp_upload *u);

/* Wipes and gives the memory back to the budget. */
void ww_otlp_upload_done(struct ww_otlp_upload *u);
