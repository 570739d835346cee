/* SPDX-License-Identifier: Apache-2.0 */
/* When the daemon prunes: first what was left open, then the tiers, once a day; wishes in between.
 */
#include "../ledger/ledger_test.h"

#include "daemon/pruner.h"

#define DAY_NS (86400ull * 1000000000ull)

static const struct ww_retention both = {
	.floor_s = 86400,
	.keep_s = {[WW_TIER_CONTENT] = 30 * 86400, [WW_TIER_EVIDENCE] = 400 * 86400}};

static struct ww_wall at_day(unsigned n)
{
	return (struct ww_wall){(20000 + (uint64_t)n) * DAY_NS};
}

/* Runs what is due to its end. False: nothing was. */
static bool run_one(struct ww_pruner *p, struct ww_ledger *l, struct ww_wall now)
{
	int r = ww_pruner_next(p, now);

	assert_true(r >= 0);
	if (r == 0)
		return false;
	assert_int_equal(ww_pruner_next(p, now), 0); /* one at a time */
	while (ww_pruner_step(p, l))
		assert_false(ww_pruner_settle(p));
	assert_true(ww_pruner_settle(p));
	assert_false(ww_pruner_settle(p));
	assert_int_equal(p->error, 0);
	return true;
}

static void test_once_a_day(void **state)
{
	struct ww_ledger *l;
	struct ww_pruner p;
	char dir[PATH_LEN];

	make_ledger(at(*state, "log", dir), 10, 10);
	l = must_open(dir);
	ww_pruner_init(&p, ww_ledger_dir(l), &both);
	for (unsigned day = 0; day < 3; day++) {
		if (day == 0)
			assert_true(run_one(&p, l, at_day(0))); /* what a start left open */
		assert_true(run_one(&p, l, at_day(day)));
		assert_true(run_one(&p, l, at_day(day)));
		assert_false(run_one(&p, l, at_day(day)));
	}
	assert_true(p.runs == 7 && p.records == 0);
	ww_pruner_done(&p);
	ww_ledger_close(l);
}

static void test_no_policy_no_runs(void **state)
{
	const struct ww_retention none = {.floor_s = 86400};
	struct ww_ledger *l;
	struct ww_pruner p;
	char dir[PATH_LEN];

	make_ledger(at(*state, "log", dir), 10, 10);
	l = must_open(dir);
	ww_pruner_init(&p, ww_ledger_dir(l), &none);
	assert_true(run_one(&p, l, at_day(0)));
	for (unsigned day = 0; day < 5; day++)
		assert_false(run_one(&p, l, at_day(day)));
	ww_pruner_done(&p);
	ww_ledger_close(l);
}

static void test_wishes(void **state)
{
	struct ww_errtext why = {""};
	struct ww_ledger *l;
	struct ww_pruner p;
	char dir[PATH_LEN];
	ww_kinds span;

	assert_int_equal(ww_retention_parse_kinds(WW_SLICE_LIT("span"), &span), 0);
	make_ledger(at(*state, "log", dir), 10, 10);
	l = must_open(dir);
	ww_pruner_init(&p, ww_ledger_dir(l), &both);
	assert_int_equal(ww_pruner_ask(&p, span, 3600, false, &why), -EPERM);
	assert_int_equal(ww_pruner_ask(&p, span, 3600, true, &why), 0);
	assert_int_equal(ww_pruner_ask(&p, span, 86400, false, &why), -EBUSY);
	assert_true(run_one(&p, l, at_day(0))); /* what was left open comes first */
	assert_true(p.asked.kinds == span);
	assert_int_equal(ww_pruner_next(&p, at_day(0)), 1);
	assert_int_equal(ww_pruner_ask(&p, span, 86400, false, &why), -EBUSY);
	ww_pruner_done(&p); /* a daemon that stops in the middle */
	ww_ledger_close(l);
	check_ledger(dir, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_once_a_day),
		SCRATCH_TEST(test_no_policy_no_runs),
		SCRATCH_TEST(test_wishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
