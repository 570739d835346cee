/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "claim/declared.h"

static void set(struct ww_declared *d, const char *key, const char *value)
{
	ww_declared_set(d, ww_slice_str(key), ww_slice_str(value));
}

static void malformed(void **state)
{
	static const struct {
		const char *key;
		const char *value;
	} bad[] = {
		{"claim.id", ""},
		{"claim.tense", ""},
		{"claim.tense", "Done"},
		{"claim.tense", "done "},
		{"claim.deadline", "tomorrow"},
		{"claim.deadline", ""},
	};
	struct ww_declared_claim c = {.claim_id = "untouched"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		struct ww_declared d = {0};

		set(&d, "claim.id", "c");
		set(&d, "claim.tense", "will");
		set(&d, bad[i].key, bad[i].value);
		assert_int_equal(ww_declared_get(&d, (struct ww_wall){1}, &c), -EINVAL);
	}
	assert_string_equal(c.claim_id, "untouched");
}

static void required(void **state)
{
	struct ww_declared without_id = {0}, without_tense = {0};
	struct ww_declared_claim c;

	set(&without_id, "claim.tense", "done");
	set(&without_tense, "claim.id", "c");
	assert_int_equal(ww_declared_get(&without_id, (struct ww_wall){1}, &c), -EINVAL);
	assert_int_equal(ww_declared_get(&without_tense, (struct ww_wall){1}, &c), -EINVAL);
}

/* A cut id would be another id. */
static void too_long(void **state)
{
	static const struct {
		const char *key;
		size_t longest;
	} keys[] = {{"claim.id", 63},
		    {"claim.action", 63},
		    {"claim.tool", 127},
		    {"claim.tool_call_id", 127}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(keys); i++) {
		for (size_t over = 0; over < 2; over++) {
			char text[200];
			struct ww_declared d = {0};
			struct ww_declared_claim c;

			memset(text, 'x', sizeof(text));
			text[keys[i].longest + over] = '\0';
			set(&d, "claim.id", "c");
			set(&d, "claim.tense", "done");
			set(&d, keys[i].key, text);
			assert_int_equal(ww_declared_get(&d, (struct ww_wall){1}, &c),
					 over ? -EINVAL : 0);
		}
	}
}

static void whole(void **state)
{
	struct ww_declared d = {0};
	struct ww_declared_claim c;

	set(&d, "claim.deadline", "2026-11-23T10:00:00Z");
	set(&d, "claim.tense", "will");
	set(&d, "claim.tool_call_id", "call_1");
	set(&d, "claim.tool", "refund");
	set(&d, "claim.action", "refund order 4");
	set(&d, "claim.id", "c-1");
	set(&d, "claim.unknown", "ignored");
	set(&d, "", "ignored");
	assert_int_equal(ww_declared_get(&d, (struct ww_wall){42}, &c), 0);
	assert_string_equal(c.claim_id, "c-1");
	assert_string_equal(c.action, "refund order 4");
	assert_string_equal(c.tool, "refund");
	assert_string_equal(c.tool_call_id, "call_1");
	assert_false(c.done);
	assert_true(c.deadline.ns == 1795428000000000000u);
	assert_true(c.at.ns == 42);
	set(&d, "claim.tense", "done");
	assert_int_equal(ww_declared_get(&d, (struct ww_wall){42}, &c), 0);
	assert_true(c.done);
}

static void times(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns; /* 0: refused */
	} cases[] = {
		{"1795428000", 1795428000000000000u},
		{"1795428000.5", 1795428000500000000u},
		{"1795428000.1234567891", 1795428000123456789u},
		{"2026-11-23T10:00:00Z", 1795428000000000000u},
		{"2026-11-23t10:00:00z", 1795428000000000000u},
		{"2026-11-23 10:00:00Z", 1795428000000000000u},
		{"2026-11-23T11:30:00+01:30", 1795428000000000000u},
		{"2026-11-22T23:00:00-11:00", 1795428000000000000u},
		{"2026-11-23T10:00:00.000000001Z", 1795428000000000001u},
		{"1970-01-01T00:00:01Z", 1000000000u},
		{"2000-02-29T00:00:00Z", 951782400000000000u},
		{"2100-03-01T00:00:00Z", 4107542400000000000u},
		{"2016-12-31T23:59:60Z", 1483228800000000000u},
		{"2554-07-21T23:34:32Z", 18446744072000000000u},
		/* refused */
		{"-5", 0},
		{"5.", 0},
		{".5", 0},
		{"5x", 0},
		{"1e9", 0},
		{"18446744073", 0},
		{"99999999999999999999", 0},
		{"2026-11-23", 0},
		{"2026-11-23T10:00:00", 0},
		{"2026-11-23T10:00Z", 0},
		{"2026-11-23T10:00:00.Z", 0},
		{"2026-11-23T10:00:00Z ", 0},
		{"2026-11-23T10:00:00+0100", 0},
		{"2026-11-23T24:00:00Z", 0},
		{"2026-11-23T10:60:00Z", 0},
		{"2026-11-23T10:00:61Z", 0},
		{"2026-11-23T10:00:00+24:00", 0},
		{"2026-11-31T10:00:00Z", 0},
		{"2026-02-29T10:00:00Z", 0},
		{"2100-02-29T10:00:00Z", 0},
		{"2026-00-01T10:00:00Z", 0},
		{"2026-13-01T10:00:00Z", 0},
		{"2026-01-00T10:00:00Z", 0},
		{"1969-12-31T23:59:59Z", 0},
		{"1970-01-01T00:00:00+01:00", 0},
		{"2555-01-01T00:00:00Z", 0},
		{"9999-12-31T23:59:59Z", 0},
		{"+026-11-23T10:00:00Z", 0},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_wall t = {7};
		int r = ww_declared_time(ww_slice_str(cases[i].text), &t);

		assert_int_equal(r, cases[i].ns ? 0 : -EINVAL);
		assert_true(t.ns == (cases[i].ns ? cases[i].ns : 7));
	}
}

/* Our own writer's texts, read back: one time a day for 600 years. */
static void round_trip(void **state)
{
	for (uint64_t day = 1; day < 213000; day++) {
		struct ww_wall t = {(day * 86400 + day % 86400) * 1000000000u + day}, back = {0};
		char text[WW_RFC3339_MAX];

		ww_wall_rfc3339(t, text);
		assert_int_equal(ww_declared_time(ww_slice_str(text), &back), 0);
		assert_true(back.ns == t.ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed), cmocka_unit_test(required),
		cmocka_unit_test(too_long),  cmocka_unit_test(whole),
		cmocka_unit_test(times),     cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
