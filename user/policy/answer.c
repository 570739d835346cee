/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/answer.h"

#include <errno.h>

#include "policy/failure.h"
#include "policy/scalar.h"

const char *ww_answer_path(const struct ww_contract *c, unsigned i)
{
	if (c->answer_path_count == 0)
		return i == 0 ? c->id_path : NULL;
	return i < c->answer_path_count ? c->answer_paths[i] : NULL;
}

/* The id of a message of JSON-RPC is the message's, not of what it brings. */
static bool is_message_id(struct ww_slice text, const char *path)
{
	struct ww_json_token t;

	return strcmp(path, "$.id") == 0 &&
	       ww_json_path(text, "$.jsonrpc", &t, NULL) == WW_PARSE_DONE;
}

static uint64_t digest_of(const struct ww_digest_key *key, const struct ww_buf *b)
{
	struct ww_sha256 d;
	uint64_t n;

	ww_digest(key, ww_buf_slice(b), &d);
	memcpy(&n, d.b, sizeof(n));
	return n;
}

/* The scalar at the i-th path. 0; -ENOMEM. */
static int take(struct ww_answer *a, const struct ww_digest_key *key, unsigned i,
		const struct ww_json_token *t, bool shown)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf b = {0}, rounded = {0};
	int r;

	ww_buf_init(&b, WW_SCALAR_BYTES_MAX);
	ww_buf_init(&rounded, WW_SCALAR_BYTES_MAX);
	r = ww_scalar_value(t, &b);
	if (r < 0 || b.n == 0)
		return r == -ENOMEM ? r : 0;
	a->digest[i] = digest_of(key, &b);
	a->present |= (uint8_t)(1u << i);
	if (!shown && t->type != WW_JSON_NUMBER)
		return 0;
	r = ww_scalar_rounded(ww_buf_slice(&b), &rounded);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	a->rounded[i] = digest_of(key, &rounded);
	a->large |= (uint8_t)(1u << i);
	return 0;
}

int ww_answer_read(const struct ww_contract *c, const struct ww_digest_key *key,
		   struct ww_slice text, bool whole, bool shown, struct ww_answer *ret_answer)
{
	struct ww_answer a = {.whole = whole};
	struct ww_json_token whole_text;
	struct ww_slice range;
	const char *path;
	bool json;

	/* A document that ends too early for JSON was not shown as JSON. */
	json = whole && ww_answer_path(c, 0) &&
	       ww_json_path(text, "$", &whole_text, &range) == WW_PARSE_DONE;
	for (unsigned i = 0; json && (path = ww_answer_path(c, i)); i++) {
		struct ww_json_token t;
		int r;

		if (ww_json_path(text, path, &t, NULL) != WW_PARSE_DONE ||
		    is_message_id(text, path))
			continue;
		r = take(&a, key, i, &t, shown);
		if (r < 0)
			return r;
	}
	a.failure = shown && a.present && ww_failure_told(text);
	*ret_answer = a;
	return 0;
}
