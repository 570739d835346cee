/* SPDX-License-Identifier: Apache-2.0 */
#include "out/why_node.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ledger/fields.h"

#define PICKS_MAX 24u

void ww_why_open(struct ww_why_job *b, enum ww_why_what what)
{
	ww_buf_clear(&b->facts);
	ww_jsonw_init(&b->w, &b->facts);
	ww_jsonw_object(&b->w, NULL);
	b->what = what;
}

void ww_why_close(struct ww_why_job *b)
{
	ww_jsonw_end_object(&b->w);
	if (b->err == 0)
		b->err = b->w.err;
	if (b->err == 0)
		b->err = ww_why_tree_add(b->tree, b->depth, b->what, ww_buf_slice(&b->facts));
}

void ww_why_put(struct ww_why_job *b, struct ww_slice source, const struct ww_why_pick *picks,
		size_t count)
{
	struct ww_slice paths[PICKS_MAX] = {WW_SLICE_NULL};
	struct ww_json_token v[PICKS_MAX];

	assert(count <= PICKS_MAX); /* tables of ours */
	for (size_t i = 0; i < count; i++)
		paths[i] = ww_slice_str(picks[i].path);
	ww_member_pick(source, paths, count, v);
	for (size_t i = 0; i < count; i++) {
		if (ww_member_has(&v[i]))
			ww_member_write(&b->w, picks[i].key, &v[i]);
	}
}

struct ww_slice ww_why_range(struct ww_slice source, const char *path)
{
	struct ww_json_token t;
	struct ww_slice range;

	return ww_json_path(source, path, &t, &range) == WW_PARSE_DONE ? range : WW_SLICE_NULL;
}

void ww_why_put_array(struct ww_why_job *b, struct ww_slice source, const char *key,
		      const char *path)
{
	struct ww_slice array = ww_why_range(source, path);

	if (array.n > 2 && array.p[0] == '[')
		ww_jsonw_put_raw(&b->w, ww_jsonw_name(key), array);
}

void ww_why_put_offset(struct ww_why_job *b, struct ww_wall t)
{
	bool before = t.ns < b->begin.ns;
	uint64_t ns = before ? b->begin.ns - t.ns : t.ns - b->begin.ns;
	uint64_t us = ns / 1000;
	char text[48];

	if (b->begin.ns == 0 || ns > INT64_MAX)
		return;
	ww_jsonw_i64(&b->w, "offsetNs", before ? -(int64_t)ns : (int64_t)ns);
	if (us >= 1000000)
		snprintf(text, sizeof(text), "%c%" PRIu64 ".%03" PRIu64 " s", before ? '-' : '+',
			 us / 1000000, us / 1000 % 1000);
	else
		snprintf(text, sizeof(text), "%c%" PRIu64 ".%" PRIu64 " ms", before ? '-' : '+',
			 us / 1000, us / 100 % 10);
	ww_jsonw_cstr(&b->w, "offset", text);
}

void ww_why_put_time(struct ww_why_job *b, const char *key, const struct ww_json_token *v)
{
	struct ww_wall t;

	if (!ww_member_has(v))
		return;
	ww_member_write(&b->w, key, v);
	if (!v->escaped && ww_wall_parse(v->raw, &t) == 0)
		ww_why_put_offset(b, t);
}

struct ww_slice ww_why_cite(struct ww_why_job *b, const char *key, struct ww_slice id)
{
	struct ww_slice json = WW_SLICE_NULL;
	uint64_t index = 0;
	int r = b->err < 0 ? b->err : b->ask->get(b->ask->ctx, id, &index, &json);

	ww_jsonw_put_str(&b->w, ww_jsonw_name(key), id);
	if (r == 0)
		ww_jsonw_u64(&b->w, "index", index);
	else if (r == -ENOENT)
		ww_jsonw_bool(&b->w, "missing", true);
	else
		b->err = r;
	return r == 0 ? json : WW_SLICE_NULL;
}

bool ww_why_copy_id(const struct ww_json_token *v, char out[WW_WHY_ID_MAX])
{
	if (!ww_member_has(v) || v->type != WW_JSON_STRING || v->escaped || v->raw.n == 0 ||
	    v->raw.n >= WW_WHY_ID_MAX)
		return false;
	memcpy(out, v->raw.p, v->raw.n);
	out[v->raw.n] = '\0';
	return true;
}

bool ww_why_element(struct ww_json *j, struct ww_slice *ret)
{
	struct ww_json_token t;

	return ww_fields_next(j, &t, ret) == 1 && t.type == WW_JSON_OBJECT;
}

void ww_why_elements(struct ww_json *j, struct ww_slice array)
{
	if (ww_fields_array(array, j) < 0)
		ww_json_init(j, WW_SLICE_NULL); /* yields nothing */
}

void ww_why_plain(struct ww_why_job *b, enum ww_why_what what)
{
	ww_why_open(b, what);
	ww_why_close(b);
}

bool ww_why_also(const struct ww_why_job *b, struct ww_slice exchange, char letter,
		 char id[WW_WHY_ID_MAX], uint64_t *ret_index, struct ww_slice *ret_json)
{
	if (exchange.n < 2 || exchange.n >= WW_WHY_ID_MAX || exchange.p[0] != 'x' || b->err < 0)
		return false;
	memcpy(id, exchange.p, exchange.n);
	id[0] = letter;
	id[exchange.n] = '\0';
	return b->ask->get(b->ask->ctx, ww_slice_str(id), ret_index, ret_json) == 0;
}

void ww_why_put_meaning(struct ww_why_job *b, const char *key, const char *meaning)
{
	if (meaning && meaning[0])
		ww_jsonw_put_cstr(&b->w, ww_jsonw_name(key), meaning);
}

uint64_t ww_why_count(struct ww_slice array)
{
	struct ww_slice element;
	uint64_t n = 0;
	struct ww_json j;

	ww_why_elements(&j, array);
	while (ww_why_element(&j, &element))
		n++;
	return n;
}
