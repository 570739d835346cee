/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokenizer over any bytes: tokens lie in the input and in order, depth balances, what it
 * accepts can be written again and read back the same, and every answer is stable.
 */
#include "base/json.h"
#include "base/json_write.h"
#include "base/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_text(const struct ww_json_token *t)
{
	return t->type == WW_JSON_KEY || t->type == WW_JSON_STRING;
}

/* Decoded text is valid UTF-8, equals itself by ww_json_is, and survives the writer. */
static void check_text(const struct ww_json_token *t)
{
	struct ww_buf text WW_AUTO_BUF = {0}, quoted WW_AUTO_BUF = {0};
	struct ww_json_token again;
	struct ww_jsonw w;
	struct ww_json j;
	int r;

	ww_buf_init(&text, t->raw.n + 1);
	ww_buf_init(&quoted, 6 * t->raw.n + 2);
	r = ww_json_unescape(t, &text);
	assert(r == 0);
	for (size_t at = 0, n; at < text.n; at += n) {
		enum ww_parse p = ww_utf8_next(ww_buf_slice(&text), at, &n);

		assert(p == WW_PARSE_DONE);
	}
	ww_jsonw_init(&w, &quoted);
	ww_jsonw_str(&w, NULL, ww_buf_slice(&text));
	assert(ww_jsonw_ok(&w));
	ww_json_init(&j, ww_buf_slice(&quoted));
	assert(ww_json_next(&j, &again) == WW_PARSE_DONE && again.type == WW_JSON_STRING);
	r = ww_buf_add(&text, "", 1);
	assert(r == 0);
	if (!memchr(text.p, '\0', text.n - 1))
		assert(ww_json_is(t, (char *)text.p) && ww_json_is(&again, (char *)text.p));
}

static enum ww_parse tokens(struct ww_slice in, size_t *ret_count)
{
	struct ww_json j;
	struct ww_json_token t = {0};
	enum ww_parse r;
	size_t end = 0;

	*ret_count = 0;
	ww_json_init(&j, in);
	while ((r = ww_json_next(&j, &t)) == WW_PARSE_DONE) {
		uint64_t v;

		assert(t.at >= end && t.at <= in.n && t.raw.n <= in.n - t.at);
		assert(t.raw.p == in.p + t.at);
		assert(t.depth <= j.depth && j.depth <= WW_JSON_DEPTH_MAX);
		end = t.at + t.raw.n;
		if (is_text(&t) && t.raw.n < 4096)
			check_text(&t);
		assert(t.type == WW_JSON_NUMBER || ww_json_u64(&t, &v) < 0);
		(*ret_count)++;
	}
	assert(r == WW_PARSE_END || r == WW_PARSE_MORE || r == WW_PARSE_BAD);
	assert(ww_json_next(&j, &t) == r);
	assert(r != WW_PARSE_BAD || (j.error.reason && j.error.at <= in.n));
	assert(r != WW_PARSE_END || j.depth == 0);
	return r;
}

/* Several paths at once give what each gives alone. */
static void check_pick(struct ww_slice in)
{
	static const char *const paths[] = {"$", "$.a", "$.a.b", "$.b", "$.a.a.b"};
	struct ww_json_token t[WW_ARRAY_SIZE(paths)];

	ww_json_pick(in, paths, WW_ARRAY_SIZE(paths), t);
	for (size_t i = 0; i < WW_ARRAY_SIZE(paths); i++) {
		struct ww_json_token one = {.at = 0};

		if (ww_json_path(in, paths[i], &one, NULL) == WW_PARSE_DONE)
			assert(t[i].raw.p == one.raw.p && t[i].type == one.type);
		else
			assert(!t[i].raw.p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {"$",           "$.a",  "$.a.b[1]",
					    "$['a'][0].b", "$[0]", "$[1][1].a"};
	struct ww_slice in = ww_slice(data, size);
	size_t count, cut_count, cut = size / 2;
	enum ww_parse r = tokens(in, &count), half;

	/*
	 * A document cut in two: the first part is a prefix of the tokens, never wrong by itself.
	 * Only a number as the whole document cannot show that it was cut ("6" of "6e").
	 */
	half = tokens(ww_slice_sub(in, 0, cut), &cut_count);
	assert(cut_count <= count || r == WW_PARSE_BAD || half == WW_PARSE_END);
	assert(half != WW_PARSE_BAD || r == WW_PARSE_BAD);

	for (size_t i = 0; i < WW_ARRAY_SIZE(paths); i++) {
		struct ww_json_token t = {0};
		struct ww_slice range = WW_SLICE_NULL;
		enum ww_parse p = ww_json_path(in, paths[i], &t, &range);

		assert(p != WW_PARSE_DONE || r != WW_PARSE_BAD);
		assert(r != WW_PARSE_BAD || p == WW_PARSE_BAD);
		if (p == WW_PARSE_DONE) {
			assert(range.n > 0 && range.p >= in.p && range.p + range.n <= in.p + in.n);
			assert(tokens(range, &count) == WW_PARSE_END);
		}
	}
	check_pick(in);
	/* The input as a path: any text is answered. */
	if (size < 4096) {
		char text[4097];

		memcpy(text, data, size);
		text[size] = '\0';
		(void)!ww_json_path_check(text);
	}
	return 0;
}
