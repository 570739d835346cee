/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/originals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#define FIRST  "{\"kind\":\"verdict\",\"id\":\"v-1-1\",\"action\":\"a-1\"}"
#define SECOND "{\"kind\":\"verdict\",\"id\":\"v-1-2\",\"action\":\"a-1\"}"
#define OTHER  "{\"kind\":\"verdict\",\"id\":\"v-2-1\",\"action\":\"a-2\"}"

static int add(struct ww_originals *o, const char *text)
{
	return ww_originals_add(o, ww_slice_str(text));
}

static void last_one_stands(void **state)
{
	WW_AUTO(ww_originals_free_auto) struct ww_originals *o = NULL;
	const struct ww_sha256 contracts = {{0xab}};
	struct ww_sha256 want;

	assert_int_equal(ww_originals_new(&contracts, &o), 0);
	assert_null(ww_originals_find(o, "a-1", NULL));
	assert_int_equal(add(o, FIRST), 0);
	assert_int_equal(add(o, OTHER), 0);
	assert_int_equal(add(o, SECOND), 0);
	assert_string_equal(ww_originals_find(o, "a-1", NULL)->verdict, "v-1-2");
	ww_sha256(WW_SLICE_LIT(SECOND), &want);
	assert_memory_equal(ww_originals_find(o, "a-1", NULL)->record.b, want.b, sizeof(want.b));
	assert_string_equal(ww_originals_find(o, "a-2", NULL)->verdict, "v-2-1");
	assert_null(ww_originals_find(o, "a-3", NULL));
}

#define CONTROL(id, name) \
	"{\"id\":\"" id "\",\"action\":\"a-1\",\"control\":{\"name\":\"" name "\"}}"

/* Each control of an action has a verdict of its own, wherever it stands in the contract. */
static void controls(void **state)
{
	WW_AUTO(ww_originals_free_auto) struct ww_originals *o = NULL;
	const struct ww_sha256 contracts = {{0}};

	assert_int_equal(ww_originals_new(&contracts, &o), 0);
	assert_int_equal(add(o, CONTROL("v-1-k0-1", "\\u0062ook")), 0);
	assert_int_equal(add(o, FIRST), 0);
	assert_int_equal(add(o, CONTROL("v-1-k1-1", "")), 0);
	assert_string_equal(ww_originals_find(o, "a-1", NULL)->verdict, "v-1-1");
	assert_string_equal(ww_originals_find(o, "a-1", "book")->verdict, "v-1-k0-1");
	assert_string_equal(ww_originals_find(o, "a-1", "")->verdict, "v-1-k1-1");
	assert_null(ww_originals_find(o, "a-1", "boo"));
	assert_null(ww_originals_find(o, "a-2", "book"));
	assert_int_equal(add(o, "{\"id\":\"v-1-1\",\"action\":\"a-1\",\"control\":{}}"), -EINVAL);
}

static void not_a_verdict(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"id\":\"v-1-1\"}",
		"{\"action\":\"a-1\"}",
		"{\"id\":7,\"action\":\"a-1\"}",
		"{\"id\":\"v-1-1\",\"action\":\"\"}",
		"{\"id\":\"v-1-1\",\"action\":\"a-\\u0031\"}",
		"{\"id\":\"v-1-1\",\"action\":\"a-0123456789012345678901234567890\"}",
		"{\"id\":\"v-0123456789012345678901234567890123456789\",\"action\":\"a-1\"}",
	};
	WW_AUTO(ww_originals_free_auto) struct ww_originals *o = NULL;
	const struct ww_sha256 contracts = {{0}};

	assert_int_equal(ww_originals_new(&contracts, &o), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(add(o, bad[i]), -EINVAL);
	assert_null(ww_originals_find(o, "a-1", NULL));
}

static void none_is_said(void **state)
{
	WW_AUTO(ww_originals_free_auto) struct ww_originals *o = NULL;
	const struct ww_sha256 contracts = {{0xab}};
	WW_AUTO_BUF struct ww_buf b;
	struct ww_jsonw w;

	ww_buf_init(&b, 4096);
	ww_jsonw_init(&w, &b);
	assert_int_equal(ww_originals_new(&contracts, &o), 0);
	ww_jsonw_object(&w, NULL);
	ww_originals_write(o, "a-1", NULL, &w);
	ww_jsonw_end_object(&w);
	assert_true(ww_jsonw_ok(&w));
	assert_true(ww_slice_eq_str(
		ww_buf_slice(&b),
		"{\"reevaluates\":{\"verdict\":null,\"record\":null,\"contracts\":"
		"\"ab00000000000000000000000000000000000000000000000000000000000000\"}}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_one_stands),
		cmocka_unit_test(controls),
		cmocka_unit_test(not_a_verdict),
		cmocka_unit_test(none_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
