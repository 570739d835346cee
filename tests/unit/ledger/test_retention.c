/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, prune records and the list of them, as text. */
#include "ledger_test.h"

#include "ledger/pruned.h"
#include "ledger/retention.h"

static struct ww_slice text(const char *s)
{
	return ww_slice_str(s);
}

static void test_ages(void **state)
{
	static const char *const bad[] = {"",
					  "0d",
					  "d",
					  "30",
					  "-1d",
					  "30 d",
					  "1y",
					  "1.5d",
					  "30dd",
					  "99999999999d",
					  "18446744073709551616s"};
	uint64_t s = 7;

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_retention_parse_age(text(bad[i]), &s), -EINVAL);
	assert_true(s == 7);
	assert_int_equal(ww_retention_parse_age(text("30d"), &s), 0);
	assert_true(s == 30 * 86400);
	assert_int_equal(ww_retention_parse_age(text("2w"), &s), 0);
	assert_true(s == 14 * 86400);
	assert_int_equal(ww_retention_parse_age(text("90s"), &s), 0);
	assert_true(s == 90);
}

static void test_kinds(void **state)
{
	static const char *const never[] = {"life", "prune", "key_rotation", "report",   "",
					    "Span", "span,", ",span",        "span,life"};
	ww_kinds set = 0;

	for (size_t i = 0; i < WW_ARRAY_SIZE(never); i++)
		assert_int_equal(ww_retention_parse_kinds(text(never[i]), &set), -EINVAL);
	assert_int_equal(ww_retention_parse_kinds(text("span,exchange"), &set), 0);
	assert_true(set == (ww_retention_kind(text("span")) | ww_retention_kind(text("exchange"))));
	assert_int_equal(ww_retention_parse_tier(text("content"), &set), 0);
	assert_true(set & ww_retention_kind(text("span")));
	assert_false(set & ww_retention_kind(text("verdict")));
	assert_false(ww_retention_tier(WW_TIER_CONTENT) & ww_retention_tier(WW_TIER_EVIDENCE));
	assert_int_equal(ww_retention_parse_tier(text("everything"), &set), -EINVAL);
}

static void test_settings(void **state)
{
	static const char *const bad[] = {"content", "content=", "content=30",
					  "life=3d", "=3d",      "content=30d "};
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_retention r = {0}, again;

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_retention_set(&r, text(bad[i])), -EINVAL);
	assert_int_equal(ww_retention_parse(text(""), &r), 0);
	assert_true(r.floor_s == WW_RETENTION_FLOOR_S && r.keep_s[WW_TIER_CONTENT] == 0);
	assert_int_equal(ww_retention_set(&r, text("content=30d")), 0);
	assert_int_equal(ww_retention_set(&r, text("floor=7d")), 0);
	ww_buf_init(&b, WW_RETENTION_TEXT_MAX);
	assert_int_equal(ww_retention_text(&r, &b), 0);
	assert_int_equal(ww_retention_parse(ww_buf_slice(&b), &again), 0);
	assert_memory_equal(&r, &again, sizeof(r));
	assert_int_equal(ww_retention_parse(ww_slice(b.p, b.n - 1), &again), -EINVAL);
}

static void test_prune_record(void **state)
{
	struct ww_prune_record p = {.t = "2026-11-27T10:00:00.000000000Z",
				    .cutoff = "2026-10-28T10:00:00.000000000Z",
				    .by_policy = true,
				    .older_than_s = 30 * 86400,
				    .first = 5,
				    .last = 90,
				    .records = 12};
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_prune_record again;
	char *at;

	assert_int_equal(ww_retention_parse_kinds(text("span"), &p.kinds), 0);
	p.counts[__builtin_ctz(p.kinds)] = 12;
	ww_buf_init(&b, 4096);
	assert_int_equal(ww_prune_record_text(&p, &b), 0);
	assert_int_equal(ww_prune_record_parse(ww_buf_slice(&b), &again), 0);
	assert_true(again.first == 5 && again.last == 90 && again.records == 12 &&
		    again.by_policy && !again.forced && again.kinds == p.kinds);
	assert_string_equal(again.t, p.t);
	assert_true(ww_prune_record_names(&again, 5, text("span")));
	assert_true(ww_prune_record_names(&again, 90, text("span")));
	assert_false(ww_prune_record_names(&again, 4, text("span")));
	assert_false(ww_prune_record_names(&again, 91, text("span")));
	assert_false(ww_prune_record_names(&again, 50, text("flow")));
	assert_false(ww_prune_record_names(&again, 50, text("life")));
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(ww_prune_record_parse(ww_slice(b.p, n), &again), -EINVAL);
	/* A kind that is never pruned is not a claim to follow. */
	at = memmem(b.p, b.n, "\"span\"]", 7);
	assert_non_null(at);
	memcpy(at, "\"life\"]", 7);
	assert_int_equal(ww_prune_record_parse(ww_buf_slice(&b), &again), -EINVAL);
}

static void test_list(void **state)
{
	static const char *const bad[] = {"5",
					  "5 open",
					  "x open\n",
					  "5 shut\n",
					  "05 done\n",
					  "5 done\n5 done\n",
					  "6 done\n5 done\n",
					  "5 open\n6 done\n",
					  "5  done\n",
					  "\n"};
	WW_AUTO(ww_pruned_done) struct ww_pruned p = {0};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_pruned_parse(text(bad[i]), &p), -EINVAL);
	assert_int_equal(ww_pruned_parse(text(""), &p), 0);
	assert_true(p.n == 0);
	assert_int_equal(ww_pruned_parse(text("5 done\n9 open\n"), &p), 0);
	assert_true(p.n == 2 && p.lines[1].index == 9 && p.lines[1].open && !p.lines[0].open);
}

static void test_age_of_records(void **state)
{
	static const char cutoff[] = "2026-10-28T10:00:00.000000000Z";
	bool counts, old;

	ww_retention_age(text("flow"), text("{\"t\":\"2026-10-28T09:59:59.999999999Z\"}"), cutoff,
			 &counts, &old);
	assert_true(counts && old);
	ww_retention_age(text("flow"), text("{\"t\":\"2026-10-28T10:00:00.000000000Z\"}"), cutoff,
			 &counts, &old);
	assert_true(counts && !old);
	/* An application's word, another spelling, no time: nothing to go by. */
	ww_retention_age(text("span"), text("{\"t\":\"2020-01-01T00:00:00.000000000Z\"}"), cutoff,
			 &counts, &old);
	assert_false(counts);
	ww_retention_age(text("flow"), text("{\"t\":\"2020-01-01T00:00:00Z\"}"), cutoff, &counts,
			 &old);
	assert_false(counts || old);
	ww_retention_age(text("flow"), text("{}"), cutoff, &counts, &old);
	assert_false(counts || old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ages),     cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_settings), cmocka_unit_test(test_prune_record),
		cmocka_unit_test(test_list),     cmocka_unit_test(test_age_of_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
