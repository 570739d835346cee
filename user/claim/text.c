/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/text.h"

#include "base/utf8.h"

/* The character at in.p[at] as it is to be written; *ret_used is the bytes of `in` it stands for.
 */
static struct ww_slice character(struct ww_slice in, size_t at, size_t *ret_used)
{
	if (ww_utf8_next(in, at, ret_used) == WW_PARSE_DONE && in.p[at] != '\0')
		return ww_slice_sub(in, at, *ret_used);
	return WW_SLICE_LIT(WW_UTF8_REPLACEMENT);
}

bool ww_text_copy(char *out, size_t cap, struct ww_slice in, size_t *ret_n)
{
	size_t at = 0, n = 0;

	while (at < in.n) {
		size_t room = cap - 1 - n, used = ww_utf8_plain(in, at) - at;
		struct ww_slice run = ww_slice_sub(in, at, used);

		if (used == 0)
			run = character(in, at, &used);
		else if (used > room)
			run.n = used = room; /* plain ASCII: any byte is a boundary */
		if (run.n == 0 || run.n > room)
			break;
		memcpy(out + n, run.p, run.n);
		n += run.n;
		at += used;
	}
	out[n] = '\0';
	if (ret_n)
		*ret_n = n;
	return at == in.n;
}
