/* SPDX-License-Identifier: Apache-2.0 */
#include "action/rows.h"

#include <assert.h>

static const struct ww_row *row_of(const struct ww_row *table, const struct ww_json_token *key)
{
	for (; table->name; table++)
		if (ww_json_is(key, table->name))
			return table;
	return NULL;
}

static bool fits(const struct ww_row *f, enum ww_json_type type)
{
	return f->type == type || (f->type == WW_JSON_TRUE && type == WW_JSON_FALSE);
}

static void take_scalar(struct ww_parts *p, const struct ww_row *f, const struct ww_json_token *v)
{
	char *at = (char *)p->call + f->at;

	if (!f->cap)
		ww_parts_count(v, (struct ww_model_count *)(void *)at);
	else if (!f->once || !at[0])
		ww_parts_string(p, v, at, f->cap);
}

/* A value that is no object with a table: taken when it is whole. */
static enum ww_parse take(struct ww_parts *p, struct ww_json *j, const struct ww_row *f,
			  const struct ww_json_token *v)
{
	struct ww_parts_value value;
	enum ww_parse r;

	if (f && !f->in && !f->walk)
		take_scalar(p, f, v);
	r = ww_parts_keep(j, v, &value);
	if (r == WW_PARSE_DONE && f && f->walk && fits(f, v->type))
		f->walk(p, &value);
	return r;
}

enum ww_parse ww_rows_read(struct ww_parts *p, struct ww_json *j, const struct ww_row *table)
{
	const struct ww_row *stack[WW_ROWS_DEPTH_MAX] = {table};
	struct ww_json_token k, v;
	unsigned depth = 1;
	enum ww_parse r;

	while ((r = ww_parts_member(j, &k, &v)) == WW_PARSE_DONE || r == WW_PARSE_END) {
		const struct ww_row *f;

		if (r == WW_PARSE_END) {
			if (--depth == 0)
				return WW_PARSE_DONE;
			continue;
		}
		f = row_of(stack[depth - 1], &k);
		if (f && (f->in || f->walk) && fits(f, v.type)) {
			p->answer_seen |= f->answer;
			p->error_seen |= f->error;
		}
		if (f && f->in && fits(f, v.type)) {
			assert(depth < WW_ROWS_DEPTH_MAX);
			stack[depth++] = f->in;
			continue;
		}
		r = take(p, j, f, &v);
		if (r != WW_PARSE_DONE)
			return r;
	}
	return r;
}

void ww_rows_read_in(struct ww_parts *p, const struct ww_parts_value *v, const struct ww_row *table)
{
	struct ww_json j = v->after;

	if (ww_parts_is(v, WW_JSON_OBJECT))
		(void)ww_rows_read(p, &j, table); /* a kept value is whole */
}

enum ww_parse ww_rows_read_doc(struct ww_parts *p, struct ww_slice doc, const struct ww_row *table)
{
	struct ww_json j;
	enum ww_parse r = ww_parts_open(&j, doc);

	if (r == WW_PARSE_DONE)
		r = ww_rows_read(p, &j, table);
	return r == WW_PARSE_DONE ? ww_parts_close(&j) : r;
}
