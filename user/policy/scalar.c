/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/scalar.h"

#include <errno.h>

static int number_text(struct ww_slice raw, struct ww_buf *out)
{
	char text[WW_SCALAR_BYTES_MAX + 1];
	int n;

	if (raw.n >= sizeof(text))
		return -EMSGSIZE;
	memcpy(text, raw.p, raw.n);
	text[raw.n] = '\0';
	n = snprintf(text, sizeof(text), "%.17g", strtod(text, NULL));
	return ww_buf_add(out, text, (size_t)n);
}

int ww_scalar_text(const struct ww_json_token *t, struct ww_buf *out)
{
	switch (t->type) {
	case WW_JSON_STRING:
		return ww_json_unescape(t, out);
	case WW_JSON_NUMBER:
		return number_text(t->raw, out);
	case WW_JSON_TRUE:
	case WW_JSON_FALSE:
		return ww_buf_add(out, t->raw.p, t->raw.n);
	default:
		return -ENOENT;
	}
}
