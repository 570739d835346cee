/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/wording.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>

static int check(const char *json)
{
	struct ww_errtext why = {""};
	int r = ww_wording_check(ww_slice_str(json), "coverage", &why);

	assert_int_equal(r < 0, why.text[0] != '\0');
	return r;
}

static void test_unbacked(void **state)
{
	static const char *const bad[] = {
		"{\"a\":\"proven\"}",
		"{\"a\":\"PROVEN\"}",
		"{\"a\":\"pro\\u0076en\"}",
		"{\"a\":\"the place is proven, they say\"}",
		"{\"a\":[\"proven\"]}",
		"{\"a\":[[1,\"x\",\"proven.\"]]}",
		"{\"proof\":1,\"a\":{\"b\":\"proven\"}}", /* backing does not reach into another
							     object */
		"{\"a\":{\"proof\":1},\"b\":\"proven\"}",
		"{\"region\":\"excluded\"}",
		"{\"region\":\"claimed\",\"proof\":1}",
		"[\"proven\"]",
		"\"proven\"",
		"{\"quoted\":{\"tool\":\"x\"},\"a\":\"proven\"}", /* nothing but it is passed over
								   */
		"{\"quoted\":\"x\",\"quoted\":[\"x\",",
		"{\"a\":1",
		"{\"a\":1} x",
		"",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(check(bad[i]), -EINVAL);
}

static void test_backed(void **state)
{
	static const char *const good[] = {
		"{}",
		"{\"a\":\"proven\",\"proof\":{\"signature\":\"x\"}}",
		"{\"proof\":[1],\"a\":[\"proven\"]}",
		"{\"a\":\"unproven\"}",
		"{\"proven\":0}", /* a name is not a claim */
		"{\"a\":\"two were excluded\"}",
		"{\"region\":\"excluded\",\"bound\":{\"km\":750}}",
		"{\"region\":\"claimed\",\"claimedBy\":\"the provider\"}",
		"{\"a\":\"unknown\",\"b\":\"measured\"}",
		/* what others named is no statement of the report */
		"{\"quoted\":{\"tool\":\"a proven refund\",\"x\":[\"excluded\"]}}",
		"{\"scopes\":[{\"path\":\"/sys/fs/cgroup/proven\",\"complete\":true}]}",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(good); i++)
		assert_int_equal(check(good[i]), 0);
}

static void test_depth(void **state)
{
	char deep[2 * (WW_JSONW_DEPTH_MAX * 4) + 1];
	size_t n = WW_JSONW_DEPTH_MAX * 4;

	memset(deep, '[', n);
	memset(deep + n, ']', n);
	deep[2 * n] = '\0';
	assert_int_equal(check(deep), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unbacked),
		cmocka_unit_test(test_backed),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
