/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/subject.h"

#include <errno.h>

#include "policy/scalar.h"

/* 0 where the text says itself what is meant: "1.50" may be the number 1.5, or a name. */
static int plain(const struct ww_json_token *t, struct ww_slice text)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf value = {0};
	int r;

	if (t->type != WW_JSON_STRING)
		return 0;
	ww_buf_init(&value, WW_SCALAR_BYTES_MAX);
	r = ww_scalar_value(t, &value);
	return r < 0 ? r : ww_slice_eq(ww_buf_slice(&value), text) ? 0 : -ENOENT;
}

/* 0; -ENOENT: no scalar that fits; -ENOMEM. */
static int add(struct ww_subjects *s, const struct ww_digest_key *key,
	       const struct ww_json_token *t)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf b = {0};
	struct ww_sha256 d;
	int r;

	if (s->count == WW_SUBJECTS_MAX)
		return -ENOENT;
	ww_buf_init(&b, WW_SCALAR_BYTES_MAX);
	r = ww_scalar_text(t, &b);
	if (r == 0)
		r = plain(t, ww_buf_slice(&b));
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	ww_digest(key, ww_buf_slice(&b), &d);
	memcpy(&s->digest[s->count++], d.b, sizeof(s->digest[0]));
	return 0;
}

/* The elements of the array that is `range`. */
static int add_elements(struct ww_subjects *s, const struct ww_digest_key *key,
			struct ww_slice range)
{
	struct ww_json_token t;
	struct ww_json j;
	int r = 0;

	ww_json_init(&j, range);
	if (ww_json_next(&j, &t) != WW_PARSE_DONE)
		return -ENOENT;
	while (r == 0 && ww_json_next(&j, &t) == WW_PARSE_DONE && t.type != WW_JSON_END_ARRAY)
		r = add(s, key, &t);
	return r;
}

int ww_subjects_read(const char *path, const struct ww_digest_key *key, struct ww_slice text,
		     bool whole, struct ww_subjects *ret_subjects)
{
	struct ww_subjects s = {0};
	struct ww_json_token t;
	struct ww_slice range;
	int r = -ENOENT;

	if (whole && ww_json_path(text, "$", &t, &range) == WW_PARSE_DONE &&
	    ww_json_path(text, path, &t, &range) == WW_PARSE_DONE)
		r = t.type == WW_JSON_ARRAY ? add_elements(&s, key, range) : add(&s, key, &t);
	if (r == -ENOMEM)
		return r;
	s.known = r == 0 && s.count > 0;
	*ret_subjects = s;
	return 0;
}

bool ww_subjects_include(const struct ww_subjects *of_control, const struct ww_subjects *of_action)
{
	for (unsigned i = 0; i < of_control->count; i++) {
		if (of_action->count == 1 && of_control->digest[i] == of_action->digest[0])
			return true;
	}
	return false;
}
