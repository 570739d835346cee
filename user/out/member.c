/* SPDX-License-Identifier: Apache-2.0 */
#include "out/member.h"

#include <wirewitness/limits.h>

void ww_member_begin(struct ww_member_walk *w, struct ww_slice record)
{
	ww_json_init(&w->json, record);
	w->n = 0;
	w->after_key = false;
	w->last = WW_PARSE_MORE;
	w->base[0] = 0;
}

/* False: the path would be too long. */
static bool set_key(struct ww_member_walk *w, const struct ww_json_token *key)
{
	size_t base = w->base[key->depth];
	size_t dot = base > 0 ? 1 : 0;

	if (key->raw.n + dot > WW_MEMBER_PATH_MAX - base)
		return false;
	if (dot)
		w->path[base] = '.';
	memcpy(w->path + base + dot, key->raw.p, key->raw.n);
	w->n = base + dot + key->raw.n;
	return true;
}

bool ww_member_next(struct ww_member_walk *w, struct ww_member *ret)
{
	struct ww_json_token t;

	while ((w->last = ww_json_next(&w->json, &t)) == WW_PARSE_DONE) {
		if (t.type == WW_JSON_KEY) {
			w->after_key = set_key(w, &t);
			if (!w->after_key)
				w->last = ww_json_skip(&w->json, &t);
			if (w->last != WW_PARSE_DONE)
				return false;
			continue;
		}
		if (t.type == WW_JSON_END_OBJECT || t.type == WW_JSON_END_ARRAY)
			continue;
		if (!w->after_key) /* an element: named as its array */
			w->n = w->base[t.depth];
		w->after_key = false;
		if (t.type == WW_JSON_OBJECT || t.type == WW_JSON_ARRAY) {
			w->base[t.depth + 1] = (uint16_t)w->n;
			continue;
		}
		ret->path = ww_slice(w->path, w->n);
		ret->value = t;
		return true;
	}
	return false;
}

bool ww_member_pick(struct ww_slice record, const struct ww_slice *paths, size_t count,
		    struct ww_json_token *ret_values)
{
	struct ww_member_walk w;
	struct ww_member m;

	for (size_t i = 0; i < count; i++)
		ret_values[i] = (struct ww_json_token){.type = WW_JSON_NULL};
	ww_member_begin(&w, record);
	while (ww_member_next(&w, &m)) {
		for (size_t i = 0; i < count; i++) {
			if (!ret_values[i].raw.p && ww_slice_eq(m.path, paths[i]))
				ret_values[i] = m.value;
		}
	}
	return ww_member_ok(&w);
}

struct ww_json_token ww_member_get(struct ww_slice record, const char *path)
{
	const struct ww_slice p = ww_slice_str(path);
	struct ww_json_token v;

	ww_member_pick(record, &p, 1, &v);
	return v;
}

uint64_t ww_member_u64(const struct ww_json_token *v, uint64_t absent)
{
	uint64_t value;

	if (!v->raw.p || (v->type != WW_JSON_NUMBER && v->type != WW_JSON_STRING) ||
	    ww_slice_u64(v->raw, &value) < 0)
		return absent;
	return value;
}

void ww_member_write(struct ww_jsonw *w, const char *key, const struct ww_json_token *v)
{
	if (!ww_member_has(v))
		ww_jsonw_null(w, key);
	else if (v->type == WW_JSON_STRING) /* its quotes stand around it in the record */
		ww_jsonw_raw(w, key, ww_slice(v->raw.p - 1, v->raw.n + 2));
	else if (v->type == WW_JSON_NUMBER)
		ww_jsonw_raw(w, key, v->raw);
	else
		ww_jsonw_bool(w, key, v->type == WW_JSON_TRUE);
}

bool ww_member_matches(const struct ww_json_token *v, struct ww_slice pattern)
{
	WW_AUTO_BUF struct ww_buf decoded;
	struct ww_slice text = v->raw;
	bool prefix = pattern.n > 0 && pattern.p[pattern.n - 1] == '*';

	ww_buf_init(&decoded, WW_RECORD_BYTES_MAX);
	if (v->escaped) {
		if (ww_json_unescape(v, &decoded) < 0)
			return false;
		text = ww_buf_slice(&decoded);
	}
	if (!prefix)
		return ww_slice_eq(text, pattern);
	if (v->type == WW_JSON_NULL)
		return false;
	pattern.n--;
	return ww_slice_starts(text, pattern);
}
