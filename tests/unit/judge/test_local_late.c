/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and files that were announced, and what came of that only after the date. */
#include "local.h"

#define DATE 30000u

static const char *last_verdict(const struct scene *s)
{
	return text(verdict(s, count_kind(s, "verdict") - 1), "verdict");
}

/* Nothing until the date, which is a verdict. */
static struct scene *missed(const char *tool)
{
	struct scene *s = open_watched();

	announced(s, "later", tool, 1900, DATE);
	tick(s, 20000);
	expect(s, "PENDING", "", "E0", "NONE");
	tick(s, 33000);
	assert_string_equal(last_verdict(s), "NO_ACTION");
	return s;
}

/* It is said when a span that names somebody else had the time to come, and not before. */
static json_t *comes_late(struct scene *s, uint64_t done, uint64_t begun)
{
	unsigned before = count_kind(s, "verdict");
	json_t *r;

	tick(s, done + 100);
	tick(s, done + 7000);
	assert_int_equal(count_kind(s, "verdict"), before);
	tick(s, done + 9000);
	r = expect_nth(s, before, "ACTED_LATE", "", "E4", "UNIQUE");
	/* the margin of the clocks is not counted */
	assert_in_range(number(r, "lateMs"), begun - DATE - 60, begun - DATE);
	assert_string_equal(text(r, "tier"), "T0");
	assert_true(json_is_true(json_object_get(json_object_get(r, "local"), "late")));
	return r;
}

static void test_program_late(void **state)
{
	struct scene *s = missed("dump");
	json_t *r;

	ran(s, 300, "/usr/bin/pg_dump", 0, 40000, 45000);
	r = comes_late(s, 45000, 40000);
	assert_string_equal(text(r, "supersedes"), text(verdict(s, 1), "id"));
	assert_non_null(strstr(text(r, "summary"), "ms after it had to be"));
	scene_close(s);
}

static void test_file_late(void **state)
{
	struct scene *s = missed("report");

	changed(s, PDF, WRITTEN, 40010);
	comes_late(s, 40010, 40000);
	scene_close(s);
}

/* Before anybody looked: there is one verdict only. */
static void test_program_just_late(void **state)
{
	struct scene *s = open_watched();

	announced(s, "later", "dump", 1900, DATE);
	ran(s, 300, "/usr/bin/pg_dump", 0, 30500, 31000);
	tick(s, 32500);
	tick(s, 38000);
	assert_int_equal(count_kind(s, "verdict"), 0);
	tick(s, 40000);
	expect(s, "ACTED_LATE", "", "E4", "UNIQUE");
	scene_close(s);
}

/* What was not done late either. */
static void test_not_done_late(void **state)
{
	for (unsigned i = 0; i < 5; i++) {
		struct scene *s = missed(i < 3 ? "dump" : "report");

		if (i == 0)
			ran(s, 300, "/usr/bin/pg_dump", 1, 40000, 41000); /* failed */
		if (i == 1)
			ran(s, 300, "/usr/bin/true", 0, 40000, 41000);
		if (i == 2) { /* goes on */
			born(s, 300, AGENT, 40000);
			executed(s, 300, "/usr/bin/pg_dump", 40000);
		}
		if (i == 3)
			changed(s, PDF, WW_CHANGE_CLOSED, 40000);
		if (i == 4) { /* and was taken away again */
			changed(s, PDF, WRITTEN, 40000);
			changed(s, PDF, WW_CHANGE_REMOVED, 40100);
		}
		tick(s, 60000);
		assert_int_equal(count_kind(s, "verdict"), 2);
		scene_close(s);
	}
}

static void test_failed_and_then_late(void **state)
{
	struct scene *s = missed("dump");

	ran(s, 300, "/usr/bin/pg_dump", 1, 40000, 41000);
	tick(s, 42000);
	ran(s, 301, "/usr/bin/pg_dump", 0, 43000, 44000);
	comes_late(s, 44000, 43000);
	scene_close(s);
}

/* What cannot be told to be what was announced. */
static void test_late_for_whom(void **state)
{
	static const char *const last[] = {"CONFIRMED_T1", "CONFIRMED_T1", "UNVERIFIABLE",
					   "UNVERIFIABLE", "NO_ACTION"};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(last); i++) {
		struct scene *s = open_watched();

		announced(s, "later", "dump", 1900, DATE);
		if (i == 1)
			model_answers(s, 39000, "c1", "dump", NULL);
		if (i == 2)
			announced(s, "too", "dump", 2500, 31000);
		tick(s, 34000);
		if (i == 3)
			lost(s, 1, 39500);
		if (i == 4)
			born(s, 400, 1, 39000);
		if (i == 4) { /* another tree */
			executed(s, 400, "/usr/bin/pg_dump", 40000);
			exited(s, 400, 0, 40100);
		} else {
			ran(s, 300, "/usr/bin/pg_dump", 0, 40000, 40100);
		}
		tick(s, 41000);
		if (i < 2) /* says later whose it is */
			claim(s, "dump", "c1", WW_SPAN_OK, 39500, 41500);
		tick(s, 60000);
		for (unsigned n = 0; n < count_kind(s, "verdict"); n++)
			assert_string_not_equal(text(verdict(s, n), "verdict"), "ACTED_LATE");
		assert_string_equal(last_verdict(s), last[i]);
		scene_close(s);
	}
}

/* The span comes when it was said: it is taken back, and is the other's. */
static void test_late_and_taken_back(void **state)
{
	struct scene *s = missed("dump");

	ran(s, 300, "/usr/bin/pg_dump", 0, 40000, 45000);
	comes_late(s, 45000, 40000);
	claim(s, "dump", "c1", WW_SPAN_OK, 39000, 60000);
	tick(s, 63000);
	tick(s, 64000);
	assert_int_equal(count_kind(s, "verdict"), 5);
	expect_nth(s, 3, "CONFIRMED_T1", "", "E4", "UNIQUE");
	expect_nth(s, 4, "NO_ACTION", "", "E0", "NONE");
	assert_string_equal(text(verdict(s, 4), "supersedes"), text(verdict(s, 2), "id"));
	scene_close(s);
}

/* One after the other, each late: each has its own. */
static void test_late_twice(void **state)
{
	struct scene *s = open_watched();

	announced(s, "first", "dump", 1900, DATE);
	ran(s, 300, "/usr/bin/pg_dump", 0, 31000, 31100);
	announced(s, "second", "dump", 32500, 33500);
	for (uint64_t ms = 32000; ms < 60000; ms += 1000) {
		if (ms == 35000)
			ran(s, 301, "/usr/bin/pg_dump", 0, 34500, 34600);
		tick(s, ms);
	}
	assert_int_equal(count_kind(s, "verdict"), 2);
	for (unsigned i = 0; i < 2; i++)
		expect_nth(s, i, "ACTED_LATE", "", "E4", "UNIQUE");
	scene_close(s);
}

/* Said to be done: what comes after that may be for anybody. */
static void test_said_done_and_late(void **state)
{
	struct scene *s = open_watched();

	claim(s, "dump", "c1", WW_SPAN_OK, 1000, 2000);
	tick(s, 6000);
	expect(s, "NO_ACTION", "", "E0", "NONE");
	ran(s, 300, "/usr/bin/pg_dump", 0, 40000, 45000);
	tick(s, 60000);
	assert_int_equal(count_kind(s, "verdict"), 1);
	scene_close(s);
}

/* The date is over when it would be shown as PENDING, and the grace is not. */
static void test_date_within_the_grace(void **state)
{
	struct scene *s = open_watched();

	announced(s, "later", "dump", 1900, 3000);
	tick(s, 4500);
	assert_int_equal(count_kind(s, "verdict"), 0);
	tick(s, 6000);
	expect(s, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

static void test_done_before_the_date(void **state)
{
	struct scene *s = open_watched();

	announced(s, "later", "dump", 1900, DATE);
	ran(s, 300, "/usr/bin/pg_dump", 0, 20000, 21000);
	ran(s, 301, "/usr/bin/pg_dump", 0, 40000, 41000);
	tick(s, 60000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

/* The tape ends first. */
static void test_watching_ends_right_after(void **state)
{
	struct scene *s = open_watched();

	announced(s, "later", "dump", 1900, DATE);
	ran(s, 300, "/usr/bin/pg_dump", 0, 31000, 31100);
	tick(s, 32000);
	ww_judge_finish(s->judge, at_ms(32500));
	expect(s, "ACTED_LATE", "", "E4", "UNIQUE");
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_late),
		cmocka_unit_test(test_file_late),
		cmocka_unit_test(test_program_just_late),
		cmocka_unit_test(test_not_done_late),
		cmocka_unit_test(test_failed_and_then_late),
		cmocka_unit_test(test_late_for_whom),
		cmocka_unit_test(test_late_and_taken_back),
		cmocka_unit_test(test_late_twice),
		cmocka_unit_test(test_said_done_and_late),
		cmocka_unit_test(test_date_within_the_grace),
		cmocka_unit_test(test_done_before_the_date),
		cmocka_unit_test(test_watching_ends_right_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
