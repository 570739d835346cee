/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* The answer that ends the document; *ret_error may be NULL. */
static enum ww_parse answer(struct ww_slice in, struct ww_parse_error *ret_error)
{
	struct ww_json j;
	struct ww_json_token t;
	enum ww_parse r;

	ww_json_init(&j, in);
	do
		r = ww_json_next(&j, &t);
	while (r == WW_PARSE_DONE);
	/* Invariant 2, and MORE stays MORE. */
	assert_int_equal(ww_json_next(&j, &t), r);
	if (ret_error)
		*ret_error = j.error;
	return r;
}

struct refusal {
	struct ww_slice in;
	size_t at;
	const char *reason;
};

#define L WW_SLICE_LIT

static const struct refusal refusals[] = {
	{L("}"), 0, "value expected"},
	{L("x"), 0, "value expected"},
	{L("\xef\xbb\xbf{}"), 0, "value expected"},
	{L("'a'"), 0, "value expected"},
	{L("nul\n"), 0, "value expected"},
	{L("[tru,"), 1, "value expected"},
	{L("[NaN]"), 1, "value expected"},
	{L("[,"), 1, "value expected"},
	{L("[1,]"), 3, "value expected"},
	{L("[1 2]"), 3, "comma or end of container expected"},
	{L("[truefalse]"), 5, "comma or end of container expected"},
	{L("[1}"), 2, "comma or end of container expected"},
	{L("{\"a\":1]"), 6, "comma or end of container expected"},
	{L("[1/**/]"), 2, "comma or end of container expected"},
	{L("{1:2}"), 1, "key expected"},
	{L("{,}"), 1, "key expected"},
	{L("{\"a\":1,}"), 7, "key expected"},
	{L("{\"a\" 1}"), 5, "colon expected"},
	{L("{\"a\"}"), 4, "colon expected"},
	{L("{\"a\":}"), 5, "value expected"},
	{L("{} {}"), 3, "text after the document"},
	{L("{}\0"), 2, "text after the document"},
	{L("1 x"), 2, "text after the document"},
	{L("[01]"), 1, "leading zero"},
	{L("[-00]"), 1, "leading zero"},
	{L("[-]"), 2, "digit expected"},
	{L("[-a"), 2, "digit expected"},
	{L("[1.]"), 3, "digit expected"},
	{L("[1.e1]"), 3, "digit expected"},
	{L("[1e]"), 3, "digit expected"},
	{L("[1e+]"), 4, "digit expected"},
	{L("[+1]"), 1, "value expected"},
	{L("[.5]"), 1, "value expected"},
	{L("[0x1]"), 2, "comma or end of container expected"},
	{L("[1e1.5]"), 4, "comma or end of container expected"},
	{L("\"a\nb\""), 2, "control character in a string"},
	{L("\"\0\""), 1, "control character in a string"},
	{L("\"\x1f\""), 1, "control character in a string"},
	{L("{\"a\tb\":1}"), 3, "control character in a string"},
	{L("\"\\x41\""), 1, "bad escape"},
	{L("\"\\'\""), 1, "bad escape"},
	{L("\"\\u00g0\""), 1, "bad escape"},
	{L("\"\\u12\""), 1, "bad escape"},
	{L("\"\\U0041\""), 1, "bad escape"},
	{L("\"\x80\""), 1, "bad UTF-8"},
	{L("\"\xc0\xaf\""), 1, "bad UTF-8"},
	{L("\"\xc1\xbf\""), 1, "bad UTF-8"},
	{L("\"\xc3(\""), 1, "bad UTF-8"},
	{L("\"\xe0\x9f\xbf\""), 1, "bad UTF-8"},
	{L("\"\xe2\x82\""), 1, "bad UTF-8"},
	{L("\"\xed\xa0\x80\""), 1, "bad UTF-8"},
	{L("\"\xed\xbf\xbf\""), 1, "bad UTF-8"},
	{L("\"\xf0\x8f\xbf\xbf\""), 1, "bad UTF-8"},
	{L("\"\xf4\x90\x80\x80\""), 1, "bad UTF-8"},
	{L("\"\xf5\x80\x80\x80\""), 1, "bad UTF-8"},
	{L("\"\xff\""), 1, "bad UTF-8"},
};

static void refused(void **state)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(refusals); i++) {
		struct ww_parse_error e = {0};

		assert_int_equal(answer(refusals[i].in, &e), WW_PARSE_BAD);
		assert_string_equal(e.reason, refusals[i].reason);
		assert_int_equal(e.at, refusals[i].at);
	}
}

/* A bad byte at every place of a string that spans several scanning blocks is found there. */
static void refused_anywhere(void **state)
{
	static const uint8_t bad[] = {0x00, 0x1f, '\n', 0x80, 0xff};
	uint8_t doc[72];

	for (size_t at = 1; at < sizeof(doc) - 1; at++) {
		for (size_t i = 0; i < sizeof(bad); i++) {
			struct ww_parse_error e = {0};

			memset(doc, 'a', sizeof(doc));
			doc[0] = doc[sizeof(doc) - 1] = '"';
			assert_int_equal(answer(ww_slice(doc, sizeof(doc)), NULL), WW_PARSE_END);
			doc[at] = bad[i];
			assert_int_equal(answer(ww_slice(doc, sizeof(doc)), &e), WW_PARSE_BAD);
			assert_int_equal(e.at, at);
		}
	}
}

static void depth(void **state)
{
	uint8_t doc[2 * WW_JSON_DEPTH_MAX + 2];
	struct ww_parse_error e = {0};
	size_t n = WW_JSON_DEPTH_MAX;

	memset(doc, '[', sizeof(doc));
	assert_int_equal(answer(ww_slice(doc, n), NULL), WW_PARSE_MORE);
	assert_int_equal(answer(ww_slice(doc, n + 1), &e), WW_PARSE_BAD);
	assert_string_equal(e.reason, "nesting too deep");
	assert_int_equal(e.at, n);
	memset(doc + n, ']', n);
	assert_int_equal(answer(ww_slice(doc, 2 * n), NULL), WW_PARSE_END);
}

static const char whole[] =
	" {\"model\" : \"m\\u00e9\\n\\ud83d\\ude00\", \"list\":[1, -2.5e+3,0,{ "
	"},[],true,false,null],\r\n"
	"\t\"\xc3\xa9\xf0\x9f\x98\x80\":\"a longer text with \\\"quotes\\\" in it\"} ";

/* Invariant 3. */
static void every_prefix_is_more(void **state)
{
	size_t end = strlen(whole) - 1; /* the closing brace is the last but one */

	for (size_t n = 0; n < end; n++)
		assert_int_equal(answer(ww_slice(whole, n), NULL), WW_PARSE_MORE);
	for (size_t n = end; n <= strlen(whole); n++)
		assert_int_equal(answer(ww_slice(whole, n), NULL), WW_PARSE_END);
}

/* Invariant 1: asked again with a longer slice, a tokenizer goes on where it stood. */
static void resumes(void **state)
{
	struct ww_json j, reference;
	struct ww_json_token t, want;

	ww_json_init(&j, WW_SLICE_NULL);
	ww_json_init(&reference, ww_slice_str(whole));
	while (ww_json_next(&reference, &want) == WW_PARSE_DONE) {
		while (ww_json_next(&j, &t) == WW_PARSE_MORE) {
			assert_true(j.in.n < strlen(whole));
			j.in = ww_slice(whole, j.in.n + 1);
		}
		assert_int_equal(t.type, want.type);
		assert_int_equal(t.at, want.at);
		assert_true(ww_slice_eq(t.raw, want.raw));
	}
}

static void more_is_not_less(void **state)
{
	static const struct ww_slice cut[] = {L(""),        L(" \n"),        L("{"),     L("[1"),
					      L("[-"),      L("-"),          L("1."),    L("1e"),
					      L("1e-"),     L("tru"),        L("\""),    L("\"\\"),
					      L("\"\\u00"), L("\"\xe2\x82"), L("\"\xf0")};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cut); i++)
		assert_int_equal(answer(cut[i], NULL), WW_PARSE_MORE);
	assert_int_equal(answer(L("12"), NULL), WW_PARSE_END);
	assert_int_equal(answer(L("-0.5E+10"), NULL), WW_PARSE_END);
}

static void tokens(void **state)
{
	static const struct {
		enum ww_json_type type;
		const char *raw;
		size_t at;
		uint32_t depth;
	} want[] = {
		{WW_JSON_OBJECT, "{", 0, 0},      {WW_JSON_KEY, "a", 2, 1},
		{WW_JSON_ARRAY, "[", 5, 1},       {WW_JSON_NUMBER, "-1.5", 6, 2},
		{WW_JSON_STRING, "x\\n", 12, 2},  {WW_JSON_OBJECT, "{", 17, 2},
		{WW_JSON_END_OBJECT, "}", 18, 2}, {WW_JSON_END_ARRAY, "]", 19, 1},
		{WW_JSON_KEY, "", 22, 1},         {WW_JSON_TRUE, "true", 24, 1},
		{WW_JSON_END_OBJECT, "}", 28, 0},
	};
	struct ww_json_token t;
	struct ww_json j;

	ww_json_init(&j, L("{\"a\":[-1.5,\"x\\n\",{}],\"\":true}"));
	for (size_t i = 0; i < WW_ARRAY_SIZE(want); i++) {
		assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
		assert_int_equal(t.type, want[i].type);
		assert_true(ww_slice_eq_str(t.raw, want[i].raw));
		assert_int_equal(t.at, want[i].at);
		assert_int_equal(t.depth, want[i].depth);
		assert_int_equal(t.escaped, want[i].at == 12);
	}
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_END);
}

static void skips(void **state)
{
	struct ww_json_token t;
	struct ww_json j;

	ww_json_init(&j, L("[{\"a\":[1,{}]},2,{\"k\":[[]],\"l\":3}]"));
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	assert_int_equal(ww_json_skip(&j, &t), WW_PARSE_DONE);
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	assert_int_equal(t.type, WW_JSON_NUMBER);
	assert_int_equal(ww_json_skip(&j, &t), WW_PARSE_DONE);
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	assert_true(ww_json_is(&t, "k"));
	assert_int_equal(ww_json_skip(&j, &t), WW_PARSE_DONE);
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	assert_true(ww_json_is(&t, "l"));

	ww_json_init(&j, L("[1,[2"));
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	assert_int_equal(ww_json_skip(&j, &t), WW_PARSE_MORE);
	ww_json_init(&j, L("{\"a\":[}"));
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	assert_int_equal(ww_json_skip(&j, &t), WW_PARSE_BAD);
}

/* The first token of a document that is a scalar. */
static struct ww_json_token scalar(struct ww_slice in)
{
	struct ww_json_token t = {0};
	struct ww_json j;

	ww_json_init(&j, in);
	assert_int_equal(ww_json_next(&j, &t), WW_PARSE_DONE);
	return t;
}

static void text(void **state)
{
	static const struct {
		const char *json;
		const char *want;
	} cases[] = {
		{"\"\"", ""},
		{"\"plain\"", "plain"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac"},
		{"\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!"},
		{"\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf"},
		{"\"\\ud800\"", "\xef\xbf\xbd"},
		{"\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
				       "A"},
		{"\"\\ud83d\\n\"", "\xef\xbf\xbd\n"},
		{"\"\\ud83dx\"", "\xef\xbf\xbdx"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_json_token t = scalar(ww_slice_str(cases[i].json));
		struct ww_buf out WW_AUTO_BUF = {0};
		size_t n = strlen(cases[i].want);

		ww_buf_init(&out, n + 1);
		assert_int_equal(ww_buf_add(&out, ">", 1), 0);
		assert_int_equal(ww_json_unescape(&t, &out), 0);
		assert_int_equal(out.n, n + 1);
		assert_memory_equal(out.p + 1, cases[i].want, n);
		assert_true(ww_json_is(&t, cases[i].want));
		assert_false(ww_json_is(&t, "other"));
	}
}

static void text_refusals(void **state)
{
	struct ww_json_token t = scalar(L("\"ab\\n\\u20ac\""));
	struct ww_buf out WW_AUTO_BUF = {0};

	assert_false(ww_json_is(&t, "ab"));
	assert_false(ww_json_is(&t, "ab\n"));
	assert_false(ww_json_is(&t, "ab\n\xe2\x82"));
	assert_false(ww_json_is(&t, "ab\n\xe2\x82\xac!"));
	assert_false(ww_json_is(&t, "ab\\n\\u20ac"));
	for (size_t max = 0; max < 6; max++) {
		ww_buf_init(&out, max);
		assert_int_equal(ww_json_unescape(&t, &out), -EMSGSIZE);
		assert_int_equal(out.n, 0);
		ww_buf_done(&out);
	}
	/* An escaped NUL does not end the comparison. */
	t = scalar(L("\"a\\u0000b\""));
	assert_false(ww_json_is(&t, "a"));

	t = scalar(L("12"));
	assert_false(ww_json_is(&t, "12"));
	assert_int_equal(ww_json_unescape(&t, &out), -EINVAL);
}

static void numbers(void **state)
{
	static const struct {
		const char *json;
		int r;
		uint64_t want;
	} cases[] = {
		{"-1", -EINVAL, 7},    {"-0", -EINVAL, 7},
		{"1.0", -EINVAL, 7},   {"1e2", -EINVAL, 7},
		{"\"1\"", -EINVAL, 7}, {"true", -EINVAL, 7},
		{"[", -EINVAL, 7},     {"18446744073709551616", -ERANGE, 7},
		{"0", 0, 0},           {"18446744073709551615", 0, UINT64_MAX},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_json_token t = scalar(ww_slice_str(cases[i].json));
		uint64_t v = 7;

		assert_int_equal(ww_json_u64(&t, &v), cases[i].r);
		assert_true(v == cases[i].want);
	}
}

static void path_refusals(void **state)
{
	static const char *const bad[] = {
		"",
		"a",
		".a",
		"$a",
		"$.",
		"$..a",
		"$.a.",
		"$.a..b",
		"$[",
		"$[]",
		"$[a]",
		"$[-1]",
		"$[01]",
		"$[0",
		"$[0]x",
		"$[*]",
		"$.*",
		"$.a*",
		"$['a'",
		"$['a",
		"$['a]",
		"$[\"a\"]",
		"$.a b",
		"$.a]",
		"$.'a'",
		"$[0]]",
		"$ .a",
		"$['a\\n']",
		"$[ 0]",
		"$.a\n",
		"$[18446744073709551616]",
	};
	struct ww_slice range = WW_SLICE_NULL;
	struct ww_json_token t = {.at = 42};
	char deep[2 + 2 * (WW_JSON_DEPTH_MAX + 1)] = "$";

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		assert_int_equal(ww_json_path_check(bad[i]), -EINVAL);
		assert_int_equal(ww_json_path(L("{\"a\":1}"), bad[i], &t, &range), WW_PARSE_BAD);
		assert_int_equal(t.at, 42);
		assert_null(range.p);
	}
	assert_int_equal(ww_json_path_check(NULL), -EINVAL);
	for (int i = 0; i < WW_JSON_DEPTH_MAX; i++)
		memcpy(deep + 1 + 2 * i, ".a", 3);
	assert_int_equal(ww_json_path_check(deep), 0);
	memcpy(deep + 1 + 2 * WW_JSON_DEPTH_MAX, ".a", 3);
	assert_int_equal(ww_json_path_check(deep), -EINVAL);
}

struct path_case {
	const char *doc;
	const char *path;
	const char *range; /* NULL: not DONE */
	enum ww_parse r;
};

/* Of names only, several at once give what each gives alone. */
static void check_pick(struct ww_slice doc, const char *path)
{
	const char *const paths[] = {"$.b", path, "$", "$.a.b"};
	struct ww_json_token t[WW_ARRAY_SIZE(paths)];

	if (strchr(path, '['))
		return;
	ww_json_pick(doc, paths, WW_ARRAY_SIZE(paths), t);
	for (size_t i = 0; i < WW_ARRAY_SIZE(paths); i++) {
		struct ww_json_token one = {.at = 0};

		if (ww_json_path(doc, paths[i], &one, NULL) != WW_PARSE_DONE) {
			assert_null(t[i].raw.p);
			assert_int_equal(t[i].type, WW_JSON_NULL);
			continue;
		}
		assert_ptr_equal(t[i].raw.p, one.raw.p);
		assert_int_equal(t[i].raw.n, one.raw.n);
		assert_int_equal(t[i].type, one.type);
		assert_true(t[i].escaped == one.escaped && t[i].at == one.at);
	}
}

static void run_path_cases(const struct path_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ww_slice doc = ww_slice_str(cases[i].doc), range = L("kept");
		struct ww_json_token t = {.at = 42};

		assert_int_equal(ww_json_path_check(cases[i].path), 0);
		check_pick(doc, cases[i].path);
		assert_int_equal(ww_json_path(doc, cases[i].path, &t, &range), cases[i].r);
		if (cases[i].r == WW_PARSE_DONE) {
			assert_true(ww_slice_eq_str(range, cases[i].range));
			assert_true(t.raw.p == doc.p + t.at);
			assert_int_equal(ww_json_path(doc, cases[i].path, &t, NULL), WW_PARSE_DONE);
		} else {
			assert_true(ww_slice_eq_str(range, "kept"));
			assert_int_equal(t.at, 42);
		}
	}
}

#define DUP NULL, WW_PARSE_BAD

/* Invariant 5. */
static void duplicates(void **state)
{
	static const struct path_case cases[] = {
		{"{\"a\":1,\"a\":2}", "$.a", DUP},
		{"{\"a\":1,\"a\":1}", "$.a", DUP},
		{"{\"a\":1,\"\\u0061\":2}", "$.a", DUP},
		{"{\"a\":{\"b\":1},\"a\":{\"c\":1}}", "$.a.b", DUP},
		{"{\"a\":{\"c\":1},\"a\":{\"b\":1}}", "$.a.b", DUP},
		{"{\"a\":3,\"a\":{\"b\":1}}", "$.a.b", DUP},
		{"{\"x\":[{\"a\":1,\"y\":0,\"a\":null}]}", "$.x[0].a", DUP},
		{"{\"a\":1,\"a\":", "$.a", DUP},
		/* Elsewhere, or of another member: no matter. */
		{"{\"b\":1,\"a\":2,\"b\":3}", "$.a", "2", WW_PARSE_DONE},
		{"{\"a\":{\"a\":1}}", "$.a", "{\"a\":1}", WW_PARSE_DONE},
		{"{\"a\":{\"b\":1,\"b\":2}}", "$.a", "{\"b\":1,\"b\":2}", WW_PARSE_DONE},
		{"[{\"a\":1},{\"a\":2}]", "$[1].a", "2", WW_PARSE_DONE},
		{"{\"a\":1,\"A\":2}", "$.a", "1", WW_PARSE_DONE},
	};
	struct ww_json_token t;
	struct ww_json j;

	run_path_cases(cases, WW_ARRAY_SIZE(cases));
	ww_json_init(&j, L("{\"a\":1,\"a\":2}"));
	assert_int_equal(ww_json_find(&j, "$.a", &t, NULL), WW_PARSE_BAD);
	assert_string_equal(j.error.reason, "duplicate key");
	assert_int_equal(j.error.at, 8);
}

static void paths(void **state)
{
	static const struct path_case cases[] = {
		/* Wrong anywhere is wrong, also behind the value. */
		{"{\"a\":1}x", "$.a", NULL, WW_PARSE_BAD},
		{"{\"a\":1,}", "$.a", NULL, WW_PARSE_BAD},
		{"{\"a\":1", "$.b", NULL, WW_PARSE_MORE},
		{"{\"a\":1", "$.a", NULL, WW_PARSE_MORE},
		{"{\"a\":\"cut", "$.a", NULL, WW_PARSE_MORE},
		{"{\"a\":[1", "$.a", NULL, WW_PARSE_MORE},
		{"[1,2", "$[5]", NULL, WW_PARSE_MORE},
		{"", "$", NULL, WW_PARSE_MORE},
		/* Read before the cut. */
		{"{\"a\":1,", "$.a", "1", WW_PARSE_DONE},
		{"{\"a\":[1,2],\"b\":\"cu", "$.a[1]", "2", WW_PARSE_DONE},
		/* Absent, or of another kind than the path says. */
		{"{}", "$.a", NULL, WW_PARSE_END},
		{"[]", "$[0]", NULL, WW_PARSE_END},
		{"[0]", "$[1]", NULL, WW_PARSE_END},
		{"[\"a\"]", "$.a", NULL, WW_PARSE_END},
		{"{\"0\":1}", "$[0]", NULL, WW_PARSE_END},
		{"{\"a\":\"b\"}", "$.a.b", NULL, WW_PARSE_END},
		{"{\"a\":{\"x\":1},\"b\":2}", "$.a.b", NULL, WW_PARSE_END},
		{"{\"x\":{\"a\":1}}", "$.a", NULL, WW_PARSE_END},
		{"1", "$.a", NULL, WW_PARSE_END},
		/* Found. */
		{" 12 ", "$", "12", WW_PARSE_DONE},
		{" [1] ", "$", "[1]", WW_PARSE_DONE},
		{"{\"a\" : \"t\\\"\" }", "$.a", "\"t\\\"\"", WW_PARSE_DONE},
		{"{\"a\":{\"b\":[{\"c\":0},{\"c\":7}]}}", "$.a.b[1].c", "7", WW_PARSE_DONE},
		{"{\"a\":{\"b\":[[0],[1,[2]]]}}", "$.a.b[1][1]", "[2]", WW_PARSE_DONE},
		{"{\"a b\":{\"\":true}}", "$['a b']['']", "true", WW_PARSE_DONE},
		{"{\"a.b\":1,\"a\":{\"b\":2}}", "$['a.b']", "1", WW_PARSE_DONE},
		{"{\"gen_ai-x\":null}", "$.gen_ai-x", "null", WW_PARSE_DONE},
		{"{\"\\u00e9\":1}", "$.\xc3\xa9", "1", WW_PARSE_DONE},
	};

	run_path_cases(cases, WW_ARRAY_SIZE(cases));
}

/* --- against another library
 * ---------------------------------------------------------------------- */

/*
 * Compares accept and reject with jansson. Known, wanted differences: jansson limits the size of
 * numbers and refuses lone surrogates; we limit depth.
 */
static void compare(struct ww_slice in)
{
	struct ww_parse_error e = {0};
	enum ww_parse r = answer(in, &e);
	json_error_t error;
	json_t *doc =
		json_loadb((const char *)in.p, in.n,
			   JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	bool accepted = doc != NULL;

	json_decref(doc);
	if (r == WW_PARSE_BAD && strcmp(e.reason, "nesting too deep") == 0)
		return;
	if (!accepted && (json_error_code(&error) == json_error_numeric_overflow ||
			  strstr(error.text, "invalid Unicode")))
		return;
	if (accepted != (r == WW_PARSE_END))
		fail_msg("jansson %s (%s), we say %d (%s) to: %.*s",
			 accepted ? "accepts" : "refuses", accepted ? "" : error.text, r,
			 e.reason ? e.reason : "", (int)in.n, (const char *)in.p);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void agrees_on_cases(void **state)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(refusals); i++)
		compare(refusals[i].in);
	for (size_t n = 0; n <= strlen(whole); n++)
		compare(ww_slice(whole, n));
}

/* Strings of a few JSON-like pieces: short documents of which about a tenth are valid. */
static void agrees_on_grammar(void **state)
{
	static const char *const pieces[] = {
		"{",      "}",       "[",        "]",    ",",    ":",       "\"a\"",   "\"\"",
		"1",      "-",       "0",        ".",    "e",    "+",       "true",    "false",
		"null",   " ",       "\n",       "\"",   "\\",   "\\u0041", "\\ud83d", "\t",
		"\"k\":", "12.5e-3", "\xc3\xa9", "\xe2", "\x80", "\x01",
	};
	uint32_t seed = 7;

	for (int round = 0; round < 60000; round++) {
		uint32_t count = 1 + next_random(&seed) % 6;
		struct ww_buf b WW_AUTO_BUF = {0};

		ww_buf_init(&b, 256);
		for (uint32_t i = 0; i < count; i++) {
			const char *s = pieces[next_random(&seed) % WW_ARRAY_SIZE(pieces)];

			assert_int_equal(ww_buf_add(&b, s, strlen(s)), 0);
		}
		compare(ww_buf_slice(&b));
	}
}

/* A valid document with one to three bytes changed, removed or doubled. */
static void agrees_on_mutations(void **state)
{
	static const char bytes[] = "{}[],:\"\\ue0159.-+tfn \n\x01\x80\xc3\xe2\xed\xf0";
	uint32_t seed = 11;

	for (int round = 0; round < 60000; round++) {
		uint8_t doc[sizeof(whole) + 3];
		size_t n = strlen(whole);

		memcpy(doc, whole, n);
		for (uint32_t k = 1 + next_random(&seed) % 3; k > 0; k--) {
			size_t at = next_random(&seed) % n;

			switch (next_random(&seed) % 3) {
			case 0:
				doc[at] = (uint8_t)bytes[next_random(&seed) % (sizeof(bytes) - 1)];
				break;
			case 1:
				memmove(doc + at, doc + at + 1, n - at - 1);
				n--;
				break;
			default:
				memmove(doc + at + 1, doc + at, n - at);
				n++;
				break;
			}
		}
		compare(ww_slice(doc, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(refused_anywhere),
		cmocka_unit_test(depth),
		cmocka_unit_test(every_prefix_is_more),
		cmocka_unit_test(resumes),
		cmocka_unit_test(more_is_not_less),
		cmocka_unit_test(tokens),
		cmocka_unit_test(skips),
		cmocka_unit_test(text),
		cmocka_unit_test(text_refusals),
		cmocka_unit_test(numbers),
		cmocka_unit_test(path_refusals),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(paths),
		cmocka_unit_test(agrees_on_cases),
		cmocka_unit_test(agrees_on_grammar),
		cmocka_unit_test(agrees_on_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
