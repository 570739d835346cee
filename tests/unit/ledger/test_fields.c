/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>

static int check(const char *json)
{
	struct ww_errtext why = {""};
	int r = ww_fields_unique(ww_slice_str(json), "x", &why);

	assert_int_equal(r < 0, why.text[0] != '\0');
	return r;
}

static void twice(void **state)
{
	static const char *const bad[] = {
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"b\":{\"a\":2},\"a\":3}",
		"[0,{\"b\":[{\"a\":[],\"c\":{},\"a\":0}]}]",
		"{\"a\":1,\"\\u0061\":1}",
		"{\"\\u0061\":1,\"\\u0061\":1}",
		"{\"\":1,\"\":1}",
		"{\"a\":1",
		"{\"a\":1} {}",
		"",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(check(bad[i]), -EINVAL);
}

static void once(void **state)
{
	static const char *const good[] = {
		"{}",
		"1",
		"[{\"a\":1},{\"a\":1}]",
		"{\"a\":{\"a\":{\"a\":[{\"a\":1}]}},\"b\":{\"a\":1}}",
		"{\"a\":1,\"A\":1,\"a \":1,\"\":1,\"\\u0000\":1}",
		"{\"a\":\"a\",\"b\":\"a\"}",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(good); i++)
		assert_int_equal(check(good[i]), 0);
}

static void add(char *text, size_t cap, const char *more)
{
	size_t n = strlen(text);

	assert_true((size_t)snprintf(text + n, cap - n, "%s", more) < cap - n);
}

/* n members, which are open around one more object. */
static int many(unsigned n)
{
	char text[8192] = "{";

	for (unsigned i = 0; i < n; i++) {
		char member[32];

		snprintf(member, sizeof(member), "\"%u\":0,", i);
		add(text, sizeof(text), member);
	}
	add(text, sizeof(text), "\"last\":{\"inner\":0}}");
	return check(text);
}

static void bounds(void **state)
{
	char deep[8 * WW_JSON_DEPTH_MAX] = "";

	for (unsigned i = 0; i < WW_JSON_DEPTH_MAX; i++)
		add(deep, sizeof(deep), i + 1 < WW_JSON_DEPTH_MAX ? "{\"a\":" : "{");
	for (unsigned i = 0; i < WW_JSON_DEPTH_MAX; i++)
		add(deep, sizeof(deep), "}");
	assert_int_equal(check(deep), 0);
	assert_int_equal(many(WW_FIELDS_OPEN_MAX - 2), 0);
	assert_int_equal(many(WW_FIELDS_OPEN_MAX - 1), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice),
		cmocka_unit_test(once),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
