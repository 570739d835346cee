/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths and programs a template means, against fnmatch(3) where both say the same. */
#include "policy/local.h"

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static bool file(const char *template, const char *path)
{
	char *one = (char *)template;
	struct ww_local l = {.file_count = 1, .files = &one};

	assert_null(ww_local_file_template(ww_slice_str(template)));
	return ww_local_file(&l, ww_slice_str(path)) != NULL;
}

static bool program(const char *template, const char *path)
{
	char *one = (char *)template;
	struct ww_local l = {.program_count = 1, .programs = &one};

	assert_null(ww_local_program_template(ww_slice_str(template)));
	return ww_local_program(&l, ww_slice_str(path)) != NULL;
}

static void test_files(void **state)
{
	assert_true(file("/a/b", "/a/b"));
	assert_false(file("/a/b", "/a/b/"));
	assert_false(file("/a/b", "/a//b"));
	assert_false(file("/a/b", "/a"));
	assert_false(file("/a/b", "a/b"));
	assert_false(file("/a/b", ""));
	assert_true(file("/a/{x}", "/a/b"));
	assert_false(file("/a/{x}", "/a/"));
	assert_false(file("/a/{x}", "/a/b/c"));
	assert_false(file("/a/{x}", "/a/.b"));
	assert_true(file("/a/.{x}", "/a/.b"));
	assert_true(file("/a/{x}.txt", "/a/b.txt.txt"));
	assert_false(file("/a/{x}.txt", "/a/.txt"));
	assert_false(file("/a/{x}.txt", "/a/b.txt~"));
	assert_true(file("/a/r-{d}-{n}.txt", "/a/r-1-2-3.txt"));
	assert_true(file("/a/**", "/a/b"));
	assert_true(file("/a/**", "/a/b/c"));
	assert_false(file("/a/**", "/a"));
	assert_false(file("/a/**", "/a/"));
	assert_false(file("/a/**", "/a/b/.c"));
	assert_false(file("/a/**", "/a/.b/c"));
}

static void test_programs(void **state)
{
	assert_true(program("tar", "/usr/bin/tar"));
	assert_true(program("tar", "/tmp/tar"));
	assert_false(program("tar", "/usr/bin/bsdtar"));
	assert_false(program("tar", "/tar/x"));
	assert_true(program("/usr/bin/tar", "/usr/bin/tar"));
	assert_false(program("/usr/bin/tar", "/bin/tar"));
	assert_true(program("python3{v}", "/usr/bin/python3.11"));
	assert_true(program("/opt/{tool}/bin/run", "/opt/x/bin/run"));
}

/* Of one segment "{x}" is as "?*" is: at least one byte. */
static void test_as_fnmatch(void **state)
{
	static const char letters[] = "ab.";
	static const char *const templates[][2] = {
		{"{x}", "?*"},          {"a{x}", "a?*"},   {"{x}a", "?*a"},
		{"a{x}b", "a?*b"},      {"{x}.b", "?*.b"}, {"a{x}b{y}", "a?*b?*"},
		{"{x}ab{y}", "?*ab?*"}, {".{x}", ".?*"},
	};
	char name[7];

	for (unsigned n = 0; n < 3 * 3 * 3 * 3 * 3 * 3; n++) {
		for (unsigned bytes = 1; bytes < sizeof(name); bytes++) {
			for (unsigned i = 0, k = n; i < bytes; i++, k /= 3)
				name[i] = letters[k % 3];
			name[bytes] = '\0';
			for (unsigned t = 0; t < WW_ARRAY_SIZE(templates); t++)
				assert_int_equal(ww_local_segment(ww_slice_str(templates[t][0]),
								  ww_slice_str(name)),
						 fnmatch(templates[t][1], name, FNM_PERIOD) == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_as_fnmatch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
