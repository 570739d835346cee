/* SPDX-License-Identifier: Apache-2.0 */
#include "out/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* Every member as "path=text;". */
static void walk_text(const char *json, bool want_ok, const char *want)
{
	struct ww_member_walk w;
	struct ww_member m;
	char got[1024] = "";

	ww_member_begin(&w, ww_slice_str(json));
	while (ww_member_next(&w, &m))
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.*s=%.*s;", (int)m.path.n,
			 (const char *)m.path.p, (int)m.value.raw.n, (const char *)m.value.raw.p);
	assert_int_equal(ww_member_ok(&w), want_ok);
	assert_string_equal(got, want);
}

static void broken(void **state)
{
	walk_text("", false, "");
	walk_text("{\"a\":1", false, "");
	walk_text("{\"a\":1,", false, "a=1;");
	walk_text("{\"a\":1,}", false, "a=1;");
	walk_text("{\"a\":1}x", false, "a=1;");
	walk_text("nonsense", false, "");
}

static void paths(void **state)
{
	walk_text("{}", true, "");
	walk_text("{\"a\":{\"b\":[1,2,{\"c\":3,\"d\":{}},[4,[5]],6]},\"e\":\"x\"}", true,
		  "a.b=1;a.b=2;a.b.c=3;a.b=4;a.b=5;a.b=6;e=x;");
	walk_text("{\"attrs\":{\"gen_ai.tool.name\":\"t\"},\"n\":null,\"t\":true}", true,
		  "attrs.gen_ai.tool.name=t;n=null;t=true;");
	walk_text("[1,[2],{\"a\":3}]", true, "=1;=2;a=3;");
	walk_text("7", true, "=7;");
}

/* A path that is too long is passed over with all that is in it. */
static void long_path(void **state)
{
	char json[1024];
	char key[500];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	snprintf(json, sizeof(json), "{\"a\":1,\"%s\":{\"b\":2,\"c\":[3]},\"d\":4}", key);
	walk_text(json, true, "a=1;d=4;");
	key[WW_MEMBER_PATH_MAX] = '\0';
	snprintf(json, sizeof(json), "{\"%s\":{\"b\":2},\"d\":4}", key);
	key[0] = '\0';
	{
		struct ww_member_walk w;
		struct ww_member m;

		ww_member_begin(&w, ww_slice_str(json));
		assert_true(ww_member_next(&w, &m));
		assert_string_equal((const char *)m.value.raw.p, "4}");
	}
}

static void pick(void **state)
{
	const struct ww_slice wanted[] = {WW_SLICE_LIT("b.c"), WW_SLICE_LIT("missing"),
					  WW_SLICE_LIT("a"), WW_SLICE_LIT("n")};
	struct ww_json_token v[4];

	assert_true(ww_member_pick(
		WW_SLICE_LIT("{\"a\":\"9007199254740993\",\"b\":{\"c\":[5,6]},\"n\":null}"), wanted,
		4, v));
	assert_int_equal(ww_member_u64(&v[0], 0), 5);
	assert_false(ww_member_has(&v[1]));
	assert_true(ww_member_u64(&v[2], 0) == 9007199254740993ull);
	assert_false(ww_member_has(&v[3]));
	assert_int_equal(ww_member_u64(&v[3], 8), 8);
	assert_int_equal(ww_member_u64(&v[1], 7), 7);
	assert_false(ww_member_pick(WW_SLICE_LIT("{\"a\":1"), wanted, 4, v));
}

static void matches(void **state)
{
	static const struct {
		const char *json, *pattern;
		bool want;
	} cases[] = {
		{"{\"a\":\"refund_order\"}", "refund", false},
		{"{\"a\":\"refund_order\"}", "refund*", true},
		{"{\"a\":\"refund_order\"}", "refund_order*", true},
		{"{\"a\":\"refund_order\"}", "refund_order", true},
		{"{\"a\":\"refund_order\"}", "*", true},
		{"{\"a\":503}", "503", true},
		{"{\"a\":503}", "5*", true},
		{"{\"a\":503}", "50", false},
		{"{\"a\":true}", "true", true},
		{"{\"a\":null}", "null", true},
		{"{\"a\":null}", "n*", false},
		{"{\"a\":null}", "*", false},
		{"{\"a\":\"x\\u0041\\n\"}", "xA\n", true},
		{"{\"a\":\"\"}", "", true},
		{"{\"a\":\"b\"}", "", false},
	};
	const struct ww_slice a = WW_SLICE_LIT("a");

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_json_token v;

		assert_true(ww_member_pick(ww_slice_str(cases[i].json), &a, 1, &v));
		assert_int_equal(ww_member_matches(&v, ww_slice_str(cases[i].pattern)),
				 cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken), cmocka_unit_test(paths),   cmocka_unit_test(long_path),
		cmocka_unit_test(pick),   cmocka_unit_test(matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
