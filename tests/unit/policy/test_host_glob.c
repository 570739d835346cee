/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/host_glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_matches(void **state)
{
	static const struct {
		const char *glob, *host;
		bool yes;
	} asked[] = {
		{"api.example", "api.example", true},
		{"api.example", "API.Example", true},
		{"API.example", "api.example", true},
		{"api.example", "api.example.org", false},
		{"api.example", "my.api.example", false},
		{"*.example", "api.example", true},
		{"*.example", "a.b.c.example", true},
		{"*.example", "example", false},
		{"*.example", ".example", false},
		{"*.example", "a..example", false},
		{"*.example", "xexample", false},
		{"*.b.example", "a.b.b.example", true},
		{"api-*.example", "api-eu.example", true},
		{"api-*.example", "api-.example", true},
		{"api-*.example", "api-eu.west.example", false},
		{"run.*.example", "run.eu-1.example", true},
		{"run.*.example", "run.eu.1.example", false},
		{"run.*.example", "run..example", false},
		{"*.run.*.example", "a.b.run.eu.example", true},
		{"*.run.*.example", "run.eu.example", false},
		{"a*b*c.example", "aXbYc.example", true},
		{"a*b*c.example", "abbc.example", true},
		{"a*b*c.example", "ab.c.example", false},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", true},
		{"*.example", "", false},
		{"a.example", "a.example.", false}, /* ww_host_of() takes the dot off */
	};

	for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		if (ww_host_glob(asked[i].glob, ww_slice_str(asked[i].host)) != asked[i].yes)
			fail_msg("%s %s", asked[i].glob, asked[i].host);
	}
}

static void test_good_globs(void **state)
{
	static const char *const good[] = {"a",    "a.b",    "*.a",     "a.*.b",
					   "a*.b", "A-_9.b", "*a*b*.c", "*.*.a"};
	static const char *const bad[] = {"",     "*",    "*.*", "a.*", "a*",  ".a",       "a.",
					  "a..b", "**.a", "a b", "a/b", "a:1", "ü.example"};
	char lengthy[256];

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!ww_host_glob_ok(ww_slice_str(good[i])))
			fail_msg("%s", good[i]);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ww_host_glob_ok(ww_slice_str(bad[i])))
			fail_msg("%s", bad[i]);
	}
	memset(lengthy, 'a', sizeof(lengthy));
	assert_true(ww_host_glob_ok(ww_slice(lengthy, 253)));
	assert_false(ww_host_glob_ok(ww_slice(lengthy, 254)));
}

static void test_host_of(void **state)
{
	static const struct {
		const char *name, *host;
	} asked[] = {
		{"a.example", "a.example"},
		{"a.example:443", "a.example"},
		{"a.example.", "a.example"},
		{"a.example.:443", "a.example"},
		{"[2001:db8::1]:443", "2001:db8::1"},
		{"2001:db8::1", "2001:db8::1"},
		{"", ""},
		{"[", ""},
	};

	for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		if (!ww_slice_eq_str(ww_host_of(asked[i].name), asked[i].host))
			fail_msg("%s", asked[i].name);
	}
	assert_int_equal(ww_host_of(NULL).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_good_globs),
		cmocka_unit_test(test_host_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
