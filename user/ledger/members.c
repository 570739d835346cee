/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/members.h"

#include <errno.h>

#include "ledger/fields.h"

static int take_number(const struct ww_json_token *t, uint64_t *ret)
{
	/* Above 2^53 - 1 they are strings. */
	if (t->type != WW_JSON_NUMBER && t->type != WW_JSON_STRING)
		return -EINVAL;
	return ww_slice_u64(t->raw, ret) < 0 ? -EINVAL : 0;
}

static int take_signed(const struct ww_json_token *t, int64_t *ret)
{
	struct ww_slice s = t->raw;
	bool minus = s.n && s.p[0] == '-';
	uint64_t n;

	if (t->type != WW_JSON_NUMBER && t->type != WW_JSON_STRING)
		return -EINVAL;
	if (ww_slice_u64(ww_slice_sub(s, minus, s.n), &n) < 0 || n > INT64_MAX)
		return -EINVAL;
	*ret = minus ? -(int64_t)n : (int64_t)n;
	return 0;
}

static int take_value(const struct ww_member_want *m, const struct ww_json_token *t,
		      struct ww_slice text)
{
	bool null = t->type == WW_JSON_NULL;
	struct ww_rd_number *number = m->to;

	switch (m->take) {
	case WW_TAKE_TEXT:
		if (t->type != WW_JSON_STRING && !null)
			return -EINVAL;
		if (!null)
			*(struct ww_rd_text *)m->to = (struct ww_rd_text){t->raw, t->escaped};
		return 0;
	case WW_TAKE_NUMBER:
		number->there = true;
		return take_number(t, &number->n);
	case WW_TAKE_U64:
		return take_number(t, m->to);
	case WW_TAKE_I64:
		return take_signed(t, m->to);
	case WW_TAKE_BOOL:
	case WW_TAKE_FLAG:
		if (t->type != WW_JSON_TRUE && t->type != WW_JSON_FALSE)
			return -EINVAL;
		*(bool *)m->to = t->type == WW_JSON_TRUE;
		return 0;
	default:
		if (m->take == WW_TAKE_MAYBE && null)
			return 0;
		if (t->type != WW_JSON_OBJECT && t->type != WW_JSON_ARRAY && !null)
			return -EINVAL;
		*(struct ww_slice *)m->to = text;
		return 0;
	}
}

static bool demanded(enum ww_take take)
{
	return take == WW_TAKE_U64 || take == WW_TAKE_I64 || take == WW_TAKE_BOOL ||
	       take == WW_TAKE_RAW;
}

static struct ww_member_want *find(struct ww_member_want *members, size_t n,
				   const struct ww_json_token *key)
{
	for (size_t i = 0; i < n; i++) {
		if (key->escaped ? ww_json_is(key, members[i].name)
				 : key->raw.n == members[i].name_n &&
					   memcmp(key->raw.p, members[i].name, key->raw.n) == 0)
			return &members[i];
	}
	return NULL;
}

static int take_member(struct ww_json *j, const struct ww_json_token *key,
		       struct ww_member_want *members, size_t n, const char *what,
		       struct ww_errtext *why)
{
	struct ww_member_want *m = find(members, n, key);
	struct ww_json_token t;
	size_t from;

	if (ww_json_next(j, &t) != WW_PARSE_DONE || ww_json_skip(j, &t) != WW_PARSE_DONE)
		return ww_errtext_set(why, -EINVAL, "%s is not JSON", what);
	if (!m)
		return 0;
	if (m->found)
		return ww_errtext_set(why, -EINVAL, "%s has \"%s\" twice", what, m->name);
	from = t.type == WW_JSON_STRING ? t.at - 1 : t.at;
	m->found = true;
	if (take_value(m, &t, ww_slice_sub(j->in, from, j->at - from)) < 0)
		return ww_errtext_set(why, -EINVAL, "%s: \"%s\" is not what it should be", what,
				      m->name);
	return 0;
}

int ww_members_read(struct ww_slice object, const char *what, struct ww_member_want *members,
		    size_t n, struct ww_errtext *why)
{
	struct ww_json_token t;
	struct ww_json j;
	int r = 0;

	ww_json_init(&j, object);
	if (ww_json_next(&j, &t) != WW_PARSE_DONE || t.type != WW_JSON_OBJECT)
		return ww_errtext_set(why, -EINVAL, "%s is not a JSON object", what);
	while (r == 0) {
		if (ww_json_next(&j, &t) != WW_PARSE_DONE)
			return ww_errtext_set(why, -EINVAL, "%s is not JSON", what);
		if (t.type == WW_JSON_END_OBJECT)
			break;
		r = take_member(&j, &t, members, n, what, why);
	}
	if (r == 0 && ww_json_next(&j, &t) != WW_PARSE_END)
		return ww_errtext_set(why, -EINVAL, "%s has something behind it", what);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!members[i].found && demanded(members[i].take))
			return ww_errtext_set(why, -EINVAL, "%s has no \"%s\"", what,
					      members[i].name);
	}
	return r;
}

int ww_members_each(struct ww_slice array, const char *what, ww_members_fn fn, void *ctx,
		    struct ww_errtext *why)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = 0, more;

	if (ww_fields_array(array, &j) < 0)
		return ww_errtext_set(why, -EINVAL, "%s is not an array", what);
	while (r == 0 && (more = ww_fields_next(&j, &t, &text)) != 0)
		r = more < 0 ? ww_errtext_set(why, -EINVAL, "%s is not JSON", what)
			     : fn(ctx, &t, text, why);
	return r;
}
