/* SPDX-License-Identifier: Apache-2.0 */
#include "out/path_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define S 1000000000ull

/* Began at 12:00:00; its request's first byte 5 s after boot, its last answer 9 s after it. */
static const char record[] =
	"{\"kind\":\"path\",\"id\":\"y-00000000000000aa-2\",\"t\":\"2026-11-24T12:00:00Z\","
	"\"path\":"
	"\"y-00000000000000aa\",\"actor\":\"p7-1f\",\"root\":\"p5-1a\",\"cgroup\":"
	"\"0000000000000abc\","
	"\"agent\":\"support\",\"program\":\"/usr/bin/node\",\"traceIds\":["
	"\"11111111111111111111111111111111\",\"22222222222222222222222222222222\"],"
	"\"promptDigest\":"
	"\"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e\",\"legs\":[{"
	"\"connectBootNs\":4000000000,\"firstRequestBootNs\":5000000000,\"endBootNs\":6000000000},{"
	"\"firstRequestBootNs\":7000000000,\"endBootNs\":9000000000}]}";

static bool match(struct ww_path_want want)
{
	return ww_path_match(&want, ww_slice_str(record));
}

static void terms(void **state)
{
	static const char *const agents[] = {"support", "node",  "bin/node",        "/usr/bin/node",
					     "p7-1f",   "p5-1a", "0000000000000abc"};
	static const char *const others[] = {"suppor", "ode", "usr", "7-1f", "", "abc", "supportx"};
	struct ww_path_want digest = {.digest_count = 2};

	assert_true(match((struct ww_path_want){0}));
	for (size_t i = 0; i < WW_ARRAY_SIZE(agents); i++)
		assert_true(match((struct ww_path_want){.agent = agents[i]}));
	for (size_t i = 0; i < WW_ARRAY_SIZE(others); i++)
		if (match((struct ww_path_want){.agent = others[i]}))
			fail_msg("is '%s'", others[i]);
	assert_true(match((struct ww_path_want){.trace = "22222222222222222222222222222222"}));
	assert_false(match((struct ww_path_want){.trace = "2222222222222222222222222222222"}));
	assert_true(match((struct ww_path_want){.path = "y-00000000000000aa"}));
	assert_true(match((struct ww_path_want){.path = "y-000000"}));
	assert_false(match((struct ww_path_want){.path = "y-00000000000000ab"}));
	memset(digest.digests[1].b, 0x5e, WW_SHA256_LEN);
	assert_true(match(digest));
	digest.digests[1].b[31] = 0;
	assert_false(match(digest));
	assert_false(match((struct ww_path_want){.agent = "support", .trace = "3"}));
}

/* From its first byte to its last, both ends. */
static void times(void **state)
{
	struct ww_wall from, to;
	const struct {
		uint64_t from, to; /* tenths of a second after its begin, may be before */
		bool match;
	} rows[] = {{0, 1, true}, {39, 41, true}, {40, 50, true}, {41, 50, false}, {20, 21, true}};

	assert_true(ww_path_times(ww_slice_str(record), &from, &to));
	assert_int_equal(to.ns - from.ns, 4 * S);
	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++)
		assert_int_equal(
			match((struct ww_path_want){.from = {from.ns + rows[i].from * S / 10},
						    .to = {from.ns + rows[i].to * S / 10}}),
			rows[i].match);
	assert_false(match((struct ww_path_want){.from = {from.ns - S}, .to = {from.ns}}));
	assert_true(match((struct ww_path_want){.from = {from.ns - S}, .to = {from.ns + 1}}));
	assert_false(ww_path_times(WW_SLICE_LIT("{\"t\":\"yesterday\"}"), &from, &to));
	assert_false(ww_path_times(WW_SLICE_LIT("{}"), &from, &to));
	assert_true(ww_path_times(WW_SLICE_LIT("{\"t\":\"2026-11-24T12:00:00Z\",\"legs\":[{"
					       "\"endBootNs\":\"18446744073709551615\"}]}"),
				  &from, &to));
	assert_int_equal(to.ns, from.ns); /* nothing says when its request began */
}

static void instants(void **state)
{
	static const struct {
		const char *text;
		uint64_t span;
		const char *out;
	} rows[] = {
		{"2026-11-24T14:32Z", 60 * S, "2026-11-24T14:32:00Z"},
		{"2026-11-24 14:32+01:00", 60 * S, "2026-11-24 14:32:00+01:00"},
		{"2026-11-24T14:32:05Z", S, "2026-11-24T14:32:05Z"},
		{"2026-11-24T14:32:05.5Z", S, "2026-11-24T14:32:05.5Z"},
		{"10m", 0, NULL},
		{"2026-11-24", 0, NULL},
		{"2026-11-24T14:32", 0, NULL},
		{"2026/11/24T14:32Z", 0, NULL},
		{"x026-11-24T14:32Z", 0, NULL},
		{"", 0, NULL},
		{"2026-11-24T14:32Zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 0, NULL},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		char out[WW_PATH_INSTANT_MAX] = "";

		assert_int_equal(ww_path_instant(rows[i].text, out), rows[i].span);
		if (rows[i].out)
			assert_string_equal(out, rows[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms),
		cmocka_unit_test(times),
		cmocka_unit_test(instants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
