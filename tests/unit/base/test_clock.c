/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <errno.h>

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/encode.h"

static void no_map_no_time(void **state)
{
	struct ww_clock_map m = {.boot = {5}, .wall = {1000}, .valid = false};

	assert_true(ww_clock_wall(&m, (struct ww_boot){7}).ns == 0);
	assert_true(ww_clock_boot(&m, (struct ww_wall){1000}).ns == 0);
}

/* A time the target clock cannot express stays at the edge instead of wrapping. */
static void edges(void **state)
{
	struct ww_clock_map m = {.boot = {500}, .wall = {1000}, .valid = true};

	assert_true(ww_clock_boot(&m, (struct ww_wall){499}).ns == 0);
	assert_true(ww_clock_boot(&m, (struct ww_wall){500}).ns == 0);
	assert_true(ww_clock_boot(&m, (struct ww_wall){501}).ns == 1);
	assert_true(ww_clock_wall(&m, (struct ww_boot){UINT64_MAX}).ns == UINT64_MAX);
}

static void there_and_back(void **state)
{
	struct ww_clock_map m = {.boot = {5000}, .wall = {1700000000000000000ull}, .valid = true};

	assert_true(ww_clock_wall(&m, (struct ww_boot){5000}).ns == m.wall.ns);
	assert_true(ww_clock_wall(&m, (struct ww_boot){4000}).ns == m.wall.ns - 1000);
	for (uint64_t t = 0; t < 20000; t += 777)
		assert_true(ww_clock_boot(&m, ww_clock_wall(&m, (struct ww_boot){t})).ns == t);
}

static void sample(void **state)
{
	struct ww_clock_map a = {0}, b = {0};

	ww_clock_sample(&a);
	ww_clock_sample(&b);
	assert_true(a.valid && b.valid);
	assert_true(b.boot.ns >= a.boot.ns);
	assert_true(a.wall.ns > 1600000000ull * 1000000000ull);
	assert_true(a.bound_ns < 1000000000ull);
}

static void rfc3339(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000000000Z"},
		{1795428000123456789ull, "2026-11-23T10:00:00.123456789Z"},
		{951782399999999999ull, "2000-02-28T23:59:59.999999999Z"},
		{951782400000000000ull, "2000-02-29T00:00:00.000000000Z"},
		{1709164800000000001ull, "2024-02-29T00:00:00.000000001Z"},
		{UINT64_MAX, "2554-07-21T23:34:33.709551615Z"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[WW_RFC3339_MAX];

		memset(out, 'x', sizeof(out));
		ww_wall_rfc3339((struct ww_wall){cases[i].ns}, out);
		assert_string_equal(out, cases[i].text);
	}
}

/*
 * Every day that 64 bits of nanoseconds have, each at another second, as Python's datetime writes
 * them:
 *   from datetime import datetime, timedelta; import hashlib; h = hashlib.sha256()
 *   for d in range(213502): h.update(((datetime(1970, 1, 1) + timedelta(d, d * 7919 % 86400))
 *       .isoformat() + ".000000000Z").encode())
 */
static void every_day(void **state)
{
	static const char wanted[] =
		"38b925ff908f7a95f771dc61fc6502c85b946150817d9900923f9380152135ba";
	struct ww_buf all;
	struct ww_sha256 h;
	char hex[2 * WW_SHA256_LEN + 1];

	ww_buf_init(&all, 16u << 20);
	for (uint64_t d = 0; d < 213502; d++) {
		struct ww_wall back, t = {(d * 86400 + d * 7919 % 86400) * 1000000000ull};
		char out[WW_RFC3339_MAX];

		ww_wall_rfc3339(t, out);
		assert_int_equal(ww_buf_add(&all, out, strlen(out)), 0);
		if (d < 213302) { /* years that it reads */
			assert_int_equal(ww_wall_parse(ww_slice_str(out), &back), 0);
			assert_true(back.ns == t.ns);
		}
	}
	ww_sha256(ww_buf_slice(&all), &h);
	ww_hex_encode(ww_slice(h.b, sizeof(h.b)), hex);
	assert_string_equal(hex, wanted);
	ww_buf_done(&all);
}

static void dates(void **state)
{
	static const int none[][3] = {{1969, 12, 31}, {1970, 0, 1},  {1970, 13, 1}, {1970, 1, 0},
				      {1970, 1, 32},  {1900, 2, 29}, {2100, 2, 29}, {2023, 2, 29},
				      {2024, 2, 30},  {2024, 4, 31}, {10000, 1, 1}, {-1, 1, 1}};
	uint64_t days = 7;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(ww_date_days(none[i][0], none[i][1], none[i][2], &days));
	assert_true(days == 7);
	assert_true(ww_date_days(1970, 1, 1, &days) && days == 0);
	assert_true(ww_date_days(2000, 2, 29, &days) && days == 11016);
	assert_true(ww_date_days(9999, 12, 31, &days) && days == 2932896);
}

static void parse(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-23T10:00:00.123456789Z", 1795428000123456789ull},
		{"2000-02-28T23:59:59.999999999Z", 951782399999999999ull},
		{"2000-02-29T00:00:00.000000000Z", 951782400000000000ull},
		{"2024-02-29T00:00:00.5Z", 1709164800500000000ull},
	};
	static const char *const bad[] = {
		"",
		"2026-11-23",
		"2026-11-23T10:00:00",
		"2026-11-23T10:00:00.Z",
		"2026-11-23T10:00:00.1234567890Z",
		"2026-11-23T10:00:00+01:00",
		"2026-11-23t10:00:00Z",
		"2026-13-23T10:00:00Z",
		"2026-02-29T10:00:00Z",
		"2026-11-31T10:00:00Z",
		"2026-11-00T10:00:00Z",
		"2026-11-23T24:00:00Z",
		"2026-11-23T10:60:00Z",
		"2026-11-23T10:00:60Z",
		"1969-12-31T23:59:59Z",
		"2554-01-01T00:00:00Z",
		"2026-11-2xT10:00:00Z",
		"2026-11-23T10:00:00.12x456789Z",
	};
	struct ww_wall w = {7};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ww_wall_parse(ww_slice_str(good[i].text), &w), 0);
		assert_true(w.ns == good[i].ns);
	}
	w.ns = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ww_wall_parse(ww_slice_str(bad[i]), &w), -EINVAL);
		assert_true(w.ns == 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_map_no_time), cmocka_unit_test(edges),
		cmocka_unit_test(there_and_back), cmocka_unit_test(sample),
		cmocka_unit_test(rfc3339),        cmocka_unit_test(every_day),
		cmocka_unit_test(dates),          cmocka_unit_test(parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
