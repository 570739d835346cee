/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/fields.h"

#include <errno.h>

/* Skips the value that begins with t and gives its whole text. */
static int value_text(struct ww_json *j, const struct ww_json_token *t, struct ww_slice *ret_text)
{
	/* A string's raw slice lies between its quotes. */
	size_t from = t->type == WW_JSON_STRING ? t->at - 1 : t->at;

	if (ww_json_skip(j, t) != WW_PARSE_DONE)
		return -EINVAL;
	*ret_text = ww_slice_sub(j->in, from, j->at - from);
	return 0;
}

static bool type_ok(enum ww_json_type want, enum ww_json_type got)
{
	if (want == WW_JSON_NUMBER)
		return got == WW_JSON_NUMBER || got == WW_JSON_STRING;
	if (want == WW_JSON_TRUE)
		return got == WW_JSON_TRUE || got == WW_JSON_FALSE;
	return want == got;
}

static struct ww_field *find(struct ww_field *fields, size_t n, const struct ww_json_token *key)
{
	for (size_t i = 0; i < n; i++)
		if (ww_json_is(key, fields[i].name))
			return &fields[i];
	return NULL;
}

static int take_elements(struct ww_json *j, const char *what, const struct ww_field *f,
			 struct ww_errtext *why)
{
	struct ww_json_token t;
	int r = 0;

	while (r == 0) {
		if (ww_json_next(j, &t) != WW_PARSE_DONE)
			return ww_errtext_set(why, -EINVAL, "%s is not JSON", what);
		if (t.type == WW_JSON_END_ARRAY)
			break;
		r = f->each(f->ctx, j, &t);
	}
	return r == -EINVAL ? ww_errtext_set(why, r, "%s is not JSON", what) : r;
}

/* Reads the value that begins with t, its members as well where they are asked for. */
static int take_value(struct ww_json *j, const struct ww_json_token *t, const char *what,
		      struct ww_field *f, struct ww_slice *ret_text, struct ww_errtext *why)
{
	if (f && f->inner && !f->found && t->type == WW_JSON_OBJECT) {
		int r = ww_fields_members(j, f->name, f->inner, f->n_inner, why);

		*ret_text = ww_slice_sub(j->in, t->at, j->at - t->at);
		return r;
	}
	if (f && f->each && !f->found && t->type == WW_JSON_ARRAY) {
		int r = take_elements(j, what, f, why);

		*ret_text = ww_slice_sub(j->in, t->at, j->at - t->at);
		return r;
	}
	if (value_text(j, t, ret_text) < 0)
		return ww_errtext_set(why, -EINVAL, "%s is not JSON", what);
	return 0;
}

static int take_member(struct ww_json *j, const struct ww_json_token *key, const char *what,
		       struct ww_field *fields, size_t n, struct ww_errtext *why)
{
	struct ww_field *f = find(fields, n, key);
	struct ww_json_token t;
	struct ww_slice text;
	int r;

	if (ww_json_next(j, &t) != WW_PARSE_DONE)
		return ww_errtext_set(why, -EINVAL, "%s is not JSON", what);
	r = take_value(j, &t, what, f, &text, why);
	if (r < 0 || !f)
		return r;
	if (f->found)
		return ww_errtext_set(why, -EINVAL, "%s has \"%s\" twice", what, f->name);
	if (!type_ok(f->type, t.type))
		return ww_errtext_set(why, -EINVAL, "%s: \"%s\" has the wrong type", what, f->name);
	f->found = true;
	f->token = t;
	f->text = text;
	return 0;
}

int ww_fields_members(struct ww_json *j, const char *what, struct ww_field *fields, size_t n,
		      struct ww_errtext *why)
{
	struct ww_json_token t;
	int r = 0;

	while (r == 0) {
		if (ww_json_next(j, &t) != WW_PARSE_DONE)
			return ww_errtext_set(why, -EINVAL, "%s is not JSON", what);
		if (t.type == WW_JSON_END_OBJECT)
			break;
		r = take_member(j, &t, what, fields, n, why);
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!fields[i].found && !fields[i].optional)
			return ww_errtext_set(why, -EINVAL, "%s has no \"%s\"", what,
					      fields[i].name);
	return r;
}

int ww_fields_read(struct ww_slice object, const char *what, struct ww_field *fields, size_t n,
		   struct ww_errtext *why)
{
	struct ww_json_token t;
	struct ww_json j;
	int r;

	ww_json_init(&j, object);
	if (ww_json_next(&j, &t) != WW_PARSE_DONE || t.type != WW_JSON_OBJECT)
		return ww_errtext_set(why, -EINVAL, "%s is not a JSON object", what);
	r = ww_fields_members(&j, what, fields, n, why);
	if (r < 0)
		return r;
	if (ww_json_next(&j, &t) != WW_PARSE_END)
		return ww_errtext_set(why, -EINVAL, "%s has something behind it", what);
	return 0;
}

int ww_fields_u64(const struct ww_field *f, uint64_t *ret_value)
{
	return ww_slice_u64(f->token.raw, ret_value) < 0 ? -EINVAL : 0;
}

int ww_fields_text(const struct ww_json_token *t, struct ww_buf *scratch, struct ww_slice *ret_text)
{
	int r;

	if (!t->escaped) {
		*ret_text = t->raw;
		return 0;
	}
	ww_buf_clear(scratch);
	r = ww_json_unescape(t, scratch);
	if (r == 0)
		*ret_text = ww_buf_slice(scratch);
	return r;
}

int ww_fields_array(struct ww_slice array, struct ww_json *ret_json)
{
	struct ww_json_token t;

	ww_json_init(ret_json, array);
	return ww_json_next(ret_json, &t) == WW_PARSE_DONE && t.type == WW_JSON_ARRAY ? 0 : -EINVAL;
}

int ww_fields_next(struct ww_json *json, struct ww_json_token *ret_token, struct ww_slice *ret_text)
{
	struct ww_json_token t;

	if (ww_json_next(json, &t) != WW_PARSE_DONE)
		return -EINVAL;
	if (t.type == WW_JSON_END_ARRAY)
		return ww_json_next(json, &t) == WW_PARSE_END ? 0 : -EINVAL;
	if (value_text(json, &t, ret_text) < 0)
		return -EINVAL;
	*ret_token = t;
	return 1;
}

/* --- members anywhere in a document ----------------------------------------------------------- */

/* The members seen so far of the objects around the current token. */
struct names {
	uint64_t hash[WW_FIELDS_OPEN_MAX];
	size_t n, begin[WW_JSON_DEPTH_MAX + 1], open;
	struct ww_buf scratch;
};

static void names_done(struct names *n)
{
	ww_buf_done(&n->scratch);
}

/* FNV-1a: equal names have equal hashes, and whoever makes others collide has a report refused that
 * is his own. */
static uint64_t hash_of(struct ww_slice name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ name.p[i]) * 0x100000001b3u;
	return h;
}

static int add_name(struct names *names, const struct ww_json_token *key, const char *what,
		    struct ww_errtext *why)
{
	struct ww_slice text = WW_SLICE_NULL;
	uint64_t hash;
	int r = ww_fields_text(key, &names->scratch, &text);

	if (r < 0)
		return r;
	hash = hash_of(text);
	for (size_t i = names->begin[names->open]; i < names->n; i++)
		if (names->hash[i] == hash)
			return ww_errtext_set(why, -EINVAL, "%s has a member twice, at byte %zu",
					      what, key->at);
	if (names->n == WW_FIELDS_OPEN_MAX)
		return ww_errtext_set(why, -EINVAL, "%s has objects of over %u members", what,
				      WW_FIELDS_OPEN_MAX);
	names->hash[names->n++] = hash;
	return 0;
}

int ww_fields_unique(struct ww_slice json, const char *what, struct ww_errtext *why)
{
	WW_AUTO(names_done) struct names names = {.n = 0};
	struct ww_json_token t;
	struct ww_json j;
	enum ww_parse got;
	int r = 0;

	ww_buf_init(&names.scratch, json.n);
	ww_json_init(&j, json);
	while (r == 0 && (got = ww_json_next(&j, &t)) == WW_PARSE_DONE) {
		if (t.type == WW_JSON_OBJECT)
			names.begin[++names.open] = names.n;
		else if (t.type == WW_JSON_END_OBJECT)
			names.n = names.begin[names.open--];
		else if (t.type == WW_JSON_KEY)
			r = add_name(&names, &t, what, why);
	}
	if (r == 0 && got != WW_PARSE_END)
		return ww_errtext_set(why, -EINVAL, "%s is not JSON", what);
	return r;
}
