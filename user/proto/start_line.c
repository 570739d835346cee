/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/start_line.h"

#include "base/own.h"

static bool is_method(struct ww_slice word)
{
	static const char *const names[] = {"GET",  "POST",    "PUT",     "PATCH", "DELETE",
					    "HEAD", "OPTIONS", "CONNECT", "TRACE"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(names); i++)
		if (ww_slice_eq_str(word, names[i]))
			return true;
	return false;
}

/* "GET /x HTTP/1.1" with its line end (RFC 9112 section 3): a known method, a target, a version. */
bool ww_start_line_is_request(struct ww_slice in)
{
	struct ww_slice line = ww_slice_sub(in, 0, ww_slice_find(in, 0, '\n'));
	size_t sp = ww_slice_find(line, 0, ' '), target_end = ww_slice_find(line, sp + 1, ' ');
	struct ww_slice version = ww_slice_sub(line, target_end, line.n);

	return line.n < in.n && target_end > sp + 1 && version.n == 10 &&
	       ww_slice_starts(version, WW_SLICE_LIT(" HTTP/1.")) && version.p[9] == '\r' &&
	       is_method(ww_slice_sub(line, 0, sp));
}

/* "HTTP/1.1 200" (RFC 9112 section 4). */
bool ww_start_line_is_status(struct ww_slice in)
{
	if (in.n < 13 || !ww_slice_starts(in, WW_SLICE_LIT("HTTP/1.")) || in.p[8] != ' ')
		return false;
	for (size_t i = 9; i < 12; i++)
		if (in.p[i] < '0' || in.p[i] > '9')
			return false;
	return in.p[12] == ' ' || in.p[12] == '\r';
}
