/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start_line: does a run of bytes begin with the first line of an HTTP/1 message? Asked where a
 * parser's place was lost: the line must be there as a whole, and stricter than the grammar (nine
 * methods, one space), because whatever says yes is then parsed as a message. Pure.
 */
#pragma once

#include "base/slice.h"

/* "GET /x HTTP/1.1" and its line end (RFC 9112 section 3). */
bool ww_start_line_is_request(struct ww_slice in);

/* "HTTP/1.1 200" and a space or the line end (RFC 9112 section 4). */
bool ww_start_line_is_status(struct ww_slice in);
