/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of rows: numbers are those of the invariants in policy/tables.h. */
#include "policy/tables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define DAY_NS 86400000000000ull

/* A day of 2026 as a time of day in it. */
static struct ww_wall in_2026(int month, int day)
{
	uint64_t days;

	assert_true(ww_date_days(2026, month, day, &days));
	return (struct ww_wall){days * DAY_NS + DAY_NS / 2};
}

static struct ww_endpoint address(const char *text)
{
	struct ww_endpoint e = {0};

	e.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(e.family, text, e.addr), 1);
	return e;
}

static struct ww_tables *begin(void)
{
	struct ww_tables *t = NULL;

	assert_int_equal(ww_tables_new(&t), 0);
	return t;
}

static void table(struct ww_tables *t, const char *name)
{
	struct ww_tables_file f = {.shape = "list", .as_of = "2026-11-01"};

	snprintf(f.name, sizeof(f.name), "%s", name);
	ww_sha256(ww_slice_str(name), &f.digest);
	assert_int_equal(ww_tables_add(t, &f), 0);
}

static void add(struct ww_tables *t, const char *prefix, struct ww_tables_words w, uint32_t line)
{
	struct ww_cidr c;

	assert_int_equal(ww_cidr_parse(ww_slice_str(prefix), &c), 0);
	assert_int_equal(ww_tables_add_row(t, &c, &w, line), 0);
}

static struct ww_tables_words words(const char *operator_name, const char *region)
{
	return (struct ww_tables_words){.operator_name = ww_slice_str(operator_name),
					.region = ww_slice_str(region),
					.valid = WW_TABLES_ALWAYS};
}

static void row(struct ww_tables *t, const char *prefix, const char *operator_name,
		const char *region)
{
	add(t, prefix, words(operator_name, region), 0);
}

static struct ww_tables_answer answer;

static const char *find_at(const struct ww_tables *t, const char *text, struct ww_wall at)
{
	static char all[4096];
	struct ww_endpoint e = address(text);
	size_t n = 0;

	ww_tables_find(t, &e, at, &answer);
	all[0] = '\0';
	for (unsigned i = 0; i < answer.count; i++) {
		const struct ww_tables_match *m = &answer.rows[i];
		char prefix[WW_CIDR_TEXT_MAX];

		ww_cidr_text(&m->prefix, prefix);
		n += (size_t)snprintf(
			all + n, sizeof(all) - n, "%s%s %s:%.*s/%.*s%s%s%s", i ? ", " : "", prefix,
			m->table->name, (int)m->words->operator_name.n, m->words->operator_name.p,
			(int)m->words->region.n, m->words->region.p, m->speaks ? "" : " silent",
			m->early ? " early" : "", m->expired ? " expired" : "");
	}
	return all;
}

static const char *find(const struct ww_tables *t, const char *text)
{
	return find_at(t, text, in_2026(11, 27));
}

static void test_nesting(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();

	table(t, "a");
	row(t, "0.0.0.0/0", "world", "all");
	row(t, "203.0.113.0/24", "op", "r24");
	row(t, "203.0.113.128/25", "op", "r25");
	row(t, "203.0.113.255/32", "op", "r32");
	row(t, "203.0.112.0/24", "op", "before");
	row(t, "2001:db8::/32", "op", "s32");
	row(t, "2001:db8::8000:0:0:0/65", "op", "s65");
	row(t, "2001:db8::8000:0:0:1/128", "op", "s128");
	assert_int_equal(ww_tables_seal(t), 0);
	assert_string_equal(find(t, "203.0.113.255"),
			    "203.0.113.255/32 a:op/r32, 203.0.113.128/25 a:op/r25 silent, "
			    "203.0.113.0/24 a:op/r24 silent, 0.0.0.0/0 a:world/all silent");
	assert_false(answer.ambiguous);
	assert_string_equal(find(t, "203.0.113.127"),
			    "203.0.113.0/24 a:op/r24, 0.0.0.0/0 a:world/all silent");
	assert_string_equal(find(t, "203.0.114.0"), "0.0.0.0/0 a:world/all");
	assert_string_equal(find(t, "0.0.0.0"), "0.0.0.0/0 a:world/all");
	assert_string_equal(find(t, "255.255.255.255"), "0.0.0.0/0 a:world/all");
	assert_string_equal(find(t, "2001:db8::8000:0:0:1"),
			    "2001:db8::8000:0:0:1/128 a:op/s128, 2001:db8:0:0:8000::/65 a:op/s65 "
			    "silent, 2001:db8::/32 a:op/s32 silent");
	assert_string_equal(find(t, "2001:db8::8000:0:0:0"),
			    "2001:db8:0:0:8000::/65 a:op/s65, 2001:db8::/32 a:op/s32 silent");
	assert_string_equal(find(t, "2001:db8::7fff:ffff:ffff:ffff"), "2001:db8::/32 a:op/s32");
	assert_string_equal(find(t, "2001:db9::"), "");
	assert_string_equal(find(t, "::"), "");
	/* 4. */
	assert_string_equal(find(t, "::ffff:203.0.114.0"), "0.0.0.0/0 a:world/all");
	assert_string_equal(find(t, "64:ff9b::203.0.114.0"), "");
}

static void test_empty(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();
	struct ww_endpoint none = {0};

	assert_int_equal(ww_tables_seal(t), 0);
	assert_string_equal(find(t, "203.0.113.7"), "");
	assert_string_equal(find(t, "2001:db8::1"), "");
	ww_tables_find(t, &none, in_2026(1, 1), &answer);
	assert_int_equal(answer.count, 0);
	assert_null(ww_tables_at(t, 0));
}

/* 1. */
static void test_repeated(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();

	table(t, "a");
	add(t, "203.0.113.0/24", words("op", "r"), 9);
	add(t, "203.0.113.0/24", words("op", "r"), 4);
	add(t, "203.0.113.0/24", words("op", "r2"), 5);
	table(t, "b");
	add(t, "203.0.113.0/24", words("op", "r"), 7);
	assert_int_equal(ww_tables_seal(t), 0);
	assert_string_equal(find(t, "203.0.113.7"), "203.0.113.0/24 a:op/r, 203.0.113.0/24 "
						    "a:op/r2, 203.0.113.0/24 b:op/r");
	assert_int_equal(answer.rows[0].line, 4);
	assert_true(answer.ambiguous);
	assert_int_equal(ww_tables_at(t, 0)->rows, 2);
	assert_int_equal(ww_tables_at(t, 0)->repeated, 1);
	assert_int_equal(ww_tables_at(t, 1)->rows, 1);
}

static void test_ambiguous(void **state)
{
	static const struct {
		const char *first[4], *second[4]; /* table, prefix, operator, region */
		bool ambiguous;
	} rows[] = {
		/* One table: other regions, other operators. */
		{{"a", "203.0.113.0/24", "op", "r1"}, {"a", "203.0.113.0/24", "op", "r2"}, true},
		{{"a", "203.0.113.0/24", "op", "r"}, {"a", "203.0.113.0/24", "po", "r"}, true},
		/* What is not said contradicts nothing. */
		{{"a", "203.0.113.0/24", "op", ""}, {"a", "203.0.113.0/24", "op", "r2"}, false},
		{{"a", "203.0.113.0/24", "op", "r"}, {"a", "203.0.113.0/24", "", "r"}, false},
		/* A piece of a network may be elsewhere. */
		{{"a", "203.0.113.0/24", "op", "r1"}, {"a", "203.0.113.0/25", "op", "r2"}, false},
		/* Two tables: of one operator it is a contradiction, whatever the length. */
		{{"a", "203.0.113.0/24", "op", "r1"}, {"b", "203.0.113.0/25", "op", "r2"}, true},
		{{"a", "203.0.113.0/24", "op", "r1"}, {"b", "203.0.113.0/24", "op", "r1"}, false},
		/* Others use other words. */
		{{"a", "203.0.113.0/24", "op", "r1"}, {"b", "203.0.113.0/24", "po", "r2"}, false},
		{{"a", "203.0.113.0/24", "", "r1"}, {"b", "203.0.113.0/24", "", "r2"}, false},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();

		table(t, "a");
		row(t, rows[i].first[1], rows[i].first[2], rows[i].first[3]);
		if (strcmp(rows[i].second[0], "b") == 0)
			table(t, "b");
		row(t, rows[i].second[1], rows[i].second[2], rows[i].second[3]);
		assert_int_equal(ww_tables_seal(t), 0);
		(void)find(t, "203.0.113.7");
		assert_int_equal(answer.count, 2);
		if (answer.ambiguous != rows[i].ambiguous)
			fail_msg("row %u", i);
	}
}

/* 2. */
static void test_validity(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();
	struct ww_tables_words w = words("op", "new");

	table(t, "a");
	row(t, "203.0.0.0/16", "op", "wide");
	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("2026-02-01"), &w.valid.from), 0);
	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("2026-03-31"), &w.valid.until), 0);
	add(t, "203.0.113.0/24", w, 0);
	w = words("op", "old");
	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("2026-01-31"), &w.valid.until), 0);
	add(t, "203.0.113.0/24", w, 0);
	assert_int_equal(ww_tables_seal(t), 0);
	/* Contradictions of different times are none. */
	assert_string_equal(find_at(t, "203.0.113.7", in_2026(1, 31)),
			    "203.0.113.0/24 a:op/new early, 203.0.113.0/24 a:op/old, 203.0.0.0/16 "
			    "a:op/wide silent");
	assert_false(answer.ambiguous);
	assert_string_equal(find_at(t, "203.0.113.7", in_2026(3, 31)),
			    "203.0.113.0/24 a:op/new, 203.0.113.0/24 a:op/old expired, "
			    "203.0.0.0/16 a:op/wide silent");
	/* Nothing steps into the place of what expired. */
	assert_string_equal(find_at(t, "203.0.113.7", in_2026(4, 1)),
			    "203.0.113.0/24 a:op/new expired, 203.0.113.0/24 a:op/old expired, "
			    "203.0.0.0/16 a:op/wide silent");
	/* Of a time that is not known nothing is valid that has limits. */
	assert_string_equal(find_at(t, "203.0.113.7", (struct ww_wall){0}),
			    "203.0.113.0/24 a:op/new early, 203.0.113.0/24 a:op/old early, "
			    "203.0.0.0/16 a:op/wide silent");
}

/* 3. */
static void test_order(void **state)
{
	static const char *const rows[][3] = {
		{"203.0.113.0/24", "op", "r1"}, {"203.0.113.0/24", "op", "r2"},
		{"203.0.113.0/25", "op", "r3"}, {"203.0.0.0/16", "op", "r4"},
		{"2001:db8::/32", "op", "r5"},
	};
	char first[4096] = "";

	for (unsigned turn = 0; turn < WW_ARRAY_SIZE(rows); turn++) {
		WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();

		table(t, "a");
		for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
			const char *const *r = rows[(i + turn) % WW_ARRAY_SIZE(rows)];

			row(t, r[0], r[1], r[2]);
		}
		assert_int_equal(ww_tables_seal(t), 0);
		if (turn == 0)
			snprintf(first, sizeof(first), "%s", find(t, "203.0.113.7"));
		assert_string_equal(find(t, "203.0.113.7"), first);
	}
	assert_string_equal(first, "203.0.113.0/25 a:op/r3, 203.0.113.0/24 a:op/r1 silent, "
				   "203.0.113.0/24 a:op/r2 silent, 203.0.0.0/16 a:op/r4 silent");
}

/* As the header says it can be made with sha256sum. */
static void test_digest(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();
	struct ww_sha256 got, expected;
	static const char lines[] =
		"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n"
		"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b\n";

	table(t, "a"); /* its digest is that of its name */
	table(t, "b");
	assert_int_equal(ww_tables_seal(t), 0);
	got = ww_tables_digest(t);
	ww_sha256(WW_SLICE_LIT(lines), &expected);
	assert_memory_equal(&got, &expected, sizeof(got));
}

static void test_many_on_one_address(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();

	table(t, "a");
	for (unsigned bits = 0; bits <= 128; bits++) {
		char prefix[64];

		snprintf(prefix, sizeof(prefix), "%s/%u", bits ? "8000::" : "::", bits);
		row(t, prefix, "op", "r");
	}
	assert_int_equal(ww_tables_seal(t), 0);
	(void)find(t, "8000::");
	assert_int_equal(answer.count, WW_TABLES_MATCHES_MAX);
	assert_int_equal(answer.total, 129);
	assert_int_equal(answer.speaking, 1);
	assert_int_equal(answer.rows[0].prefix.bits, 128);
}

static void test_limits(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();
	struct ww_tables_file meta = {.shape = "list"};
	struct ww_cidr c = {.family = AF_INET, .bits = 32};
	char region[32];
	int r = 0;

	for (unsigned i = 0; i < WW_TABLES_MAX; i++)
		assert_int_equal(ww_tables_add(t, &meta), 0);
	assert_int_equal(ww_tables_add(t, &meta), -E2BIG);
	for (unsigned i = 0; i < WW_TABLES_LABELS_MAX; i++) {
		struct ww_tables_words w;

		snprintf(region, sizeof(region), "r%u", i);
		w = words("op", region);
		assert_int_equal(ww_tables_add_row(t, &c, &w, 0), 0);
	}
	{
		struct ww_tables_words one = words("op", "r0"), new = words("op", "new");

		assert_int_equal(ww_tables_add_row(t, &c, &new, 0), -E2BIG);
		for (unsigned i = WW_TABLES_LABELS_MAX; r == 0 && i < WW_TABLES_ROWS_MAX; i++)
			r = ww_tables_add_row(t, &c, &one, 0);
		assert_int_equal(r, 0);
		assert_int_equal(ww_tables_add_row(t, &c, &one, 0), -E2BIG);
	}
	assert_int_equal(ww_tables_seal(t), 0);
	(void)find(t, "0.0.0.0");
	assert_int_equal(answer.total, WW_TABLES_LABELS_MAX);
	assert_int_equal(answer.speaking, WW_TABLES_LABELS_MAX);
}

static void test_operators(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = begin();
	struct ww_tables_operator o = {.name = "op", .home = "XA", .valid = WW_TABLES_ALWAYS};
	const struct ww_tables_operator *got;
	unsigned i = 0;

	table(t, "a");
	assert_int_equal(ww_tables_add_operator(t, &o), 0);
	assert_int_equal(ww_tables_add_operator(t, &o), -EEXIST);
	table(t, "b");
	snprintf(o.home, sizeof(o.home), "XB");
	assert_int_equal(ww_tables_add_operator(t, &o), 0);
	snprintf(o.name, sizeof(o.name), "another");
	assert_int_equal(ww_tables_add_operator(t, &o), 0);
	assert_int_equal(ww_tables_seal(t), 0);
	got = ww_tables_operator(t, WW_SLICE_LIT("op"), &i);
	assert_string_equal(got->home, "XA");
	assert_int_equal(got->table, 0);
	got = ww_tables_operator(t, WW_SLICE_LIT("op"), &i);
	assert_string_equal(got->home, "XB");
	assert_int_equal(got->table, 1);
	assert_null(ww_tables_operator(t, WW_SLICE_LIT("op"), &i));
}

static void test_words(void **state)
{
	char text[WW_TABLES_DATE_MAX];
	int32_t day = 7;

	assert_true(ww_tables_text_ok(WW_SLICE_LIT("")));
	assert_true(ww_tables_text_ok(WW_SLICE_LIT("Z\xc3\xbcrich")));
	assert_false(ww_tables_text_ok(WW_SLICE_LIT("a\tb")));
	assert_false(ww_tables_text_ok(WW_SLICE_LIT("a\x7f")));
	assert_false(ww_tables_text_ok(WW_SLICE_LIT("\xc3")));
	assert_false(ww_tables_text_ok(WW_SLICE_LIT("a\0b")));
	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("2026-02-29"), &day), -EINVAL);
	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("2026-2-09"), &day), -EINVAL);
	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("20260-2-9"), &day), -EINVAL);
	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("2026-12-31 "), &day), -EINVAL);
	assert_int_equal(day, 7);
	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("2024-02-29"), &day), 0);
	ww_tables_day_text(day, text);
	assert_string_equal(text, "2024-02-29");
	assert_int_equal(ww_tables_as_of_parse(WW_SLICE_LIT("2026-11-20"), text), 0);
	assert_string_equal(text, "2026-11-20");
	assert_int_equal(ww_tables_as_of_parse(WW_SLICE_LIT("2026-11-20T03:21:09.5Z"), text), 0);
	assert_string_equal(text, "2026-11-20T03:21:09Z");
	assert_int_equal(ww_tables_as_of_parse(WW_SLICE_LIT("2026-11-20T03:21:09+01:00"), text),
			 -EINVAL);
	assert_int_equal(ww_tables_as_of_parse(WW_SLICE_LIT("yesterday"), text), -EINVAL);
	assert_string_equal(text, "2026-11-20T03:21:09Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nesting),  cmocka_unit_test(test_empty),
		cmocka_unit_test(test_repeated), cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_validity), cmocka_unit_test(test_order),
		cmocka_unit_test(test_digest),   cmocka_unit_test(test_many_on_one_address),
		cmocka_unit_test(test_limits),   cmocka_unit_test(test_operators),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
