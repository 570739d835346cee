/* SPDX-License-Identifier: Apache-2.0 */
#include "out/outline.h"

#include <errno.h>

#include "base/json.h"
#include "out/printable.h"

#define KEY_COLUMNS 22

static int add_text(struct ww_buf *out, const char *s)
{
	return ww_buf_add(out, s, strlen(s));
}

static int add_spaces(struct ww_buf *out, size_t n)
{
	int r = 0;

	for (; r == 0 && n > 0; n--)
		r = ww_buf_add(out, " ", 1);
	return r;
}

/* A new line, unless there is none before; depth counts from 1 inside the record. */
static int begin_line(struct ww_buf *out, size_t begin, unsigned indent, uint32_t depth)
{
	int r;

	while (out->n > begin && out->p[out->n - 1] == ' ')
		out->n--;
	r = out->n > begin ? ww_buf_add(out, "\n", 1) : 0;
	return r == 0 ? add_spaces(out, indent + 2 * (size_t)(depth - 1)) : r;
}

static int add_key(struct ww_buf *out, const struct ww_json_token *key)
{
	size_t from = out->n, columns;
	int r = ww_printable_value(out, key);

	columns = ww_printable_columns(ww_slice_sub(ww_buf_slice(out), from, SIZE_MAX));
	if (r == 0)
		r = add_spaces(out, columns < KEY_COLUMNS ? KEY_COLUMNS - columns : 1);
	return r;
}

int ww_outline_add(struct ww_slice record, unsigned indent, struct ww_buf *out)
{
	size_t begin = out->n;
	struct ww_json j;
	struct ww_json_token t;
	enum ww_parse got;
	bool after_key = false; /* the value belongs on the key's line */
	bool opened = false;    /* the last token opened a container */
	int r = 0;

	ww_json_init(&j, record);
	while (r == 0 && (got = ww_json_next(&j, &t)) == WW_PARSE_DONE) {
		switch (t.type) {
		case WW_JSON_KEY:
			r = begin_line(out, begin, indent, t.depth);
			if (r == 0)
				r = add_key(out, &t);
			break;
		case WW_JSON_OBJECT:
			if (t.depth > 0 && !after_key) { /* an element */
				r = begin_line(out, begin, indent, t.depth);
				if (r == 0)
					r = add_text(out, "-");
			}
			break;
		case WW_JSON_ARRAY:
			break;
		case WW_JSON_END_OBJECT:
		case WW_JSON_END_ARRAY:
			if (opened)
				r = add_text(out, "none");
			break;
		default:
			if (!after_key && !opened)
				r = add_text(out, ", ");
			if (r == 0)
				r = ww_printable_value(out, &t);
		}
		after_key = t.type == WW_JSON_KEY;
		opened = t.type == WW_JSON_OBJECT || t.type == WW_JSON_ARRAY;
	}
	if (r == 0 && got != WW_PARSE_END)
		r = -EINVAL;
	return r == 0 ? ww_buf_add(out, "\n", 1) : r;
}
