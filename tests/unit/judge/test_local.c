/* SPDX-License-Identifier: Apache-2.0 */
/* Effects on this host: programs that are run and files that change; what is confirmed, what is
 * not, and what keeps either from being told. */
#include "local.h"

/* Tool, one span from 1 s to 2 s that says OK, judged. */
static void judged(struct scene *s, const char *tool)
{
	claim(s, tool, "c1", WW_SPAN_OK, 1000, 2000);
	tick(s, 6000);
}

/* --- programs ----------------------------------------------------------------------------------
 */

static void test_program_confirmed(void **state)
{
	struct scene *s = open_watched();
	json_t *r;

	ran(s, 300, "/usr/bin/pg_dump", 0, 1100, 1500);
	judged(s, "dump");
	r = expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	assert_string_equal(text(r, "tier"), "T1");
	assert_string_equal(text(r, "by"), "window");
	assert_non_null(strstr(text(r, "summary"), "was run and ended with 0 (measured)"));
	assert_int_equal(number(json_object_get(r, "local"), "total"), 1);
	scene_close(s);
}

static void test_program_failed(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/bin/tar", 2, 1100, 1500); /* by its name */
	judged(s, "dump");
	expect(s, "MASKED_ERROR", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_program_killed(void **state)
{
	struct scene *s = open_watched();
	json_t *r;

	ran(s, 300, "/usr/bin/pg_dump", -9, 1100, 1500);
	judged(s, "dump");
	r = expect(s, "MASKED_ERROR", "", "E4", "UNIQUE");
	assert_non_null(strstr(text(r, "summary"), "signal 9"));
	scene_close(s);
}

static void test_program_failed_and_said(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/pg_dump", 1, 1100, 1500);
	claim(s, "dump", "c1", WW_SPAN_ERROR, 1000, 2000);
	tick(s, 6000);
	expect(s, "ATTEMPTED_FAILED", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_program_without_status(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/notify-send", 1, 1100, 1500);
	judged(s, "notify");
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_program_not_run(void **state)
{
	struct scene *s = open_watched();
	json_t *r;

	ran(s, 300, "/usr/bin/pg_dumpall", 0, 1100, 1500); /* another one */
	judged(s, "dump");
	r = expect(s, "NO_ACTION", "", "E0", "NONE");
	assert_int_equal(world_item(r, "coverage"), 1);
	scene_close(s);
}

static void test_program_retried(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/pg_dump", 1, 1100, 1300);
	ran(s, 301, "/usr/bin/pg_dump", 0, 1400, 1500);
	judged(s, "dump");
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_program_failed_after_success(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/pg_dump", 0, 1100, 1300);
	ran(s, 301, "/bin/tar", 1, 1400, 1500);
	judged(s, "dump");
	expect(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E4", "UNIQUE");
	scene_close(s);
}

/* What a declared program runs is a part of it: its own end counts. */
static void test_program_inside(void **state)
{
	struct scene *s = open_watched();

	born(s, 300, AGENT, 1100);
	executed(s, 300, "/usr/bin/pg_dump", 1100);
	ran_under(s, 300, 301, "/usr/bin/pg_dump", 1, 1150, 1200);
	exited(s, 300, 0, 1500);
	judged(s, "dump");
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_program_replaced(void **state)
{
	struct scene *s = open_watched();

	born(s, 300, AGENT, 1100);
	executed(s, 300, "/usr/bin/pg_dump", 1100);
	executed(s, 300, "/bin/sh", 1200);
	exited(s, 300, 0, 1500);
	judged(s, "dump");
	expect(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E4", "UNIQUE");
	scene_close(s);
}

static void test_program_goes_on_as_another(void **state)
{
	struct scene *s = open_watched();

	born(s, 300, AGENT, 1100);
	executed(s, 300, "/bin/tar", 1100);
	executed(s, 300, "/usr/bin/pg_dump", 1200);
	exited(s, 300, 0, 1500);
	judged(s, "dump");
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_program_ends_late(void **state)
{
	struct scene *s = open_watched();

	born(s, 300, AGENT, 1100);
	executed(s, 300, "/usr/bin/pg_dump", 1100);
	judged(s, "dump");
	assert_int_equal(count_kind(s, "verdict"), 0); /* waited for */
	tick(s, 40000);
	expect(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E4", "UNIQUE");
	exited(s, 300, 0, 41000);
	tick(s, 45000);
	assert_string_not_equal(
		text(expect_nth(s, 1, "CONFIRMED_T1", "", "E4", "UNIQUE"), "supersedes"), "");
	scene_close(s);
}

static void test_program_of_unknown_path(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "", 0, 1100, 1500);
	judged(s, "dump");
	expect(s, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");
	scene_close(s);
}

/* By a link or as a script, by its loader, or through mounts of its own: it may have been the
 * program, and nothing confirms that. Another one by its own name is none. */
static void test_program_by_another_name(void **state)
{
	static const struct {
		const char *exe, *called;
		bool own_mounts, may_be;
	} cases[] = {
		{"/usr/bin/perl", "pg_dump", false, true},
		{"/opt/pg/bin/pg_dump", "pg_dump", false, true},
		{"/usr/lib/ld-linux-x86-64.so.2", "ld-linux-x86-64", false, true},
		{"/usr/bin/pg_dump", "pg_dump", true, true},
		{"/usr/bin/perl", "7", false, true},
		{"/usr/bin/perl", "perl", false, false},
		{"/usr/bin/dash", "sh", false, false},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct scene *s = open_watched();

		born(s, 300, AGENT, 1100);
		called(s, 300, cases[i].exe, cases[i].called, cases[i].own_mounts, 1100);
		exited(s, 300, 0, 1500);
		judged(s, "dump");
		if (cases[i].may_be)
			expect(s, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");
		else
			expect(s, "NO_ACTION", "", "E0", "NONE");
		scene_close(s);
	}
}

static void test_program_of_another_tree(void **state)
{
	struct scene *s = open_watched();

	executed(s, STRANGER, "/usr/bin/pg_dump", 1100);
	exited(s, STRANGER, 0, 1200);
	judged(s, "dump");
	tick(s, 20000);
	expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");
	scene_close(s);
}

static void test_program_before_and_after(void **state)
{
	static const uint64_t at[] = {700, 2300};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(at); i++) {
		struct scene *s = open_watched();

		ran(s, 300, "/usr/bin/pg_dump", 0, at[i], at[i] + 10);
		judged(s, "dump");
		tick(s, 20000);
		expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
		scene_close(s);
	}
}

static void test_program_for_one_of_two(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/pg_dump", 0, 1100, 1500);
	claim(s, "dump", "c1", WW_SPAN_OK, 1000, 2000);
	claim(s, "dump", "c2", WW_SPAN_OK, 1050, 1950);
	tick(s, 6000);
	tick(s, 20000);
	for (unsigned i = 0; i < 2; i++)
		expect_nth(s, i, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");
	scene_close(s);
}

/* One after the other, one run: the second has none. */
static void test_program_for_the_first(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/pg_dump", 0, 1100, 1500);
	claim(s, "dump", "c1", WW_SPAN_OK, 1000, 2000);
	tick(s, 6000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	claim(s, "dump", "c2", WW_SPAN_OK, 7000, 8000);
	tick(s, 12000);
	expect_nth(s, 1, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

/* The second one's span comes when the first was judged: then the first is not told any more. */
static void test_program_rival_comes_late(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/pg_dump", 0, 1100, 1500);
	claim(s, "dump", "c1", WW_SPAN_OK, 1000, 2000);
	tick(s, 6000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	claim(s, "dump", "c2", WW_SPAN_OK, 1050, 1950);
	tick(s, 6100);
	tick(s, 20000);
	for (unsigned i = 1; i < count_kind(s, "verdict"); i++)
		assert_string_equal(text(verdict(s, i), "verdict"), "UNVERIFIABLE");
	assert_int_equal(count_kind(s, "verdict"), 3);
	scene_close(s);
}

static void test_program_with_losses(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/pg_dump", 0, 1100, 1500);
	lost(s, 3, 1200);
	judged(s, "dump");
	expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E4", "UNIQUE");
	scene_close(s);
}

static void test_nothing_with_a_peer(void **state)
{
	struct scene *s = open_watched();

	reached_unix(s, "/run/docker.sock", 1200);
	judged(s, "dump");
	expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");
	scene_close(s);
}

static void test_call_not_executed(void **state)
{
	struct scene *s = open_watched();

	model_answers(s, 1000, "c1", "dump", NULL);
	died(s, AGENT, 1500);
	tick(s, 9000);
	tick(s, 80000);
	expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	scene_close(s);
}

/* --- files --------------------------------------------------------------------------------------
 */

static void file_case(const char *tool, const char *path, uint32_t first, uint32_t then,
		      const char *v, const char *reason)
{
	struct scene *s = open_watched();
	bool unknown = strcmp(v, "UNVERIFIABLE") == 0, none = strcmp(v, "NO_ACTION") == 0;

	if (first)
		changed(s, path, first, 1200);
	if (then)
		changed(s, path, then, 1300);
	judged(s, tool);
	if (unknown)
		tick(s, 40000); /* what is open may be closed yet */
	expect(s, v, reason, none ? "E0" : "E4", none ? "NONE" : "UNIQUE");
	scene_close(s);
}

static void test_file_written(void **state)
{
	file_case("report", PDF, WRITTEN, 0, "CONFIRMED_T1", "");
	file_case("report", PDF, WW_CHANGE_CREATED | WW_CHANGE_CLOSED, 0, "CONFIRMED_T1", "");
	file_case("report", PDF, WW_CHANGE_MODIFIED, WW_CHANGE_CLOSED, "CONFIRMED_T1", "");
	/* As editors do. */
	file_case("report", PDF, WW_CHANGE_MOVED_HERE, 0, "CONFIRMED_T1", "");
	file_case("report", PDF, WW_CHANGE_REMOVED, WW_CHANGE_MOVED_HERE, "CONFIRMED_T1", "");
	file_case("report", PDF, WW_CHANGE_MOVED_AWAY, WRITTEN | WW_CHANGE_CREATED, "CONFIRMED_T1",
		  "");
}

static void test_file_not_written(void **state)
{
	/* Opened for writing, linked from elsewhere, or cut off by its path: not known. */
	file_case("report", PDF, WW_CHANGE_CLOSED, 0, "UNVERIFIABLE", "OUTCOME_UNKNOWN");
	file_case("report", PDF, WW_CHANGE_CREATED, 0, "UNVERIFIABLE", "OUTCOME_UNKNOWN");
	file_case("report", PDF, WW_CHANGE_MODIFIED, 0, "UNVERIFIABLE", "OUTCOME_UNKNOWN");
	/* And what was taken away again. */
	file_case("report", PDF, WRITTEN, WW_CHANGE_REMOVED, "UNVERIFIABLE", "OUTCOME_UNKNOWN");
	file_case("report", PDF, WRITTEN | WW_CHANGE_MOVED_AWAY, 0, "UNVERIFIABLE",
		  "OUTCOME_UNKNOWN");
	/* What came back may be what went; and the path may lead to no such file. */
	file_case("report", PDF, WW_CHANGE_MOVED_AWAY, WW_CHANGE_MOVED_HERE, "UNVERIFIABLE",
		  "OUTCOME_UNKNOWN");
	file_case("report", PDF, WRITTEN | WW_CHANGE_NOT_THERE, 0, "UNVERIFIABLE",
		  "OUTCOME_UNKNOWN");
	file_case("report", PDF, WRITTEN, WW_CHANGE_MODIFIED | WW_CHANGE_NOT_THERE, "UNVERIFIABLE",
		  "OUTCOME_UNKNOWN");
	/* Another kind of change, another path. */
	file_case("report", PDF, WW_CHANGE_REMOVED, 0, "NO_ACTION", "");
	file_case("report", "/srv/out/a.txt", WRITTEN, 0, "NO_ACTION", "");
	file_case("report", "/srv/out/.a.pdf", WRITTEN, 0, "NO_ACTION", "");
	file_case("report", "/srv/out/x/a.pdf", WRITTEN, 0, "NO_ACTION", "");
}

static void test_file_moved_and_removed(void **state)
{
	file_case("move", "/srv/in/x/y", WW_CHANGE_MOVED_AWAY, 0, "CONFIRMED_T1", "");
	file_case("move", "/srv/in/x/y", WRITTEN, 0, "NO_ACTION", "");
	file_case("clean", "/srv/lock", WW_CHANGE_REMOVED, 0, "CONFIRMED_T1", "");
	file_case("clean", "/srv/lock", WW_CHANGE_MOVED_AWAY, 0, "NO_ACTION", "");
	/* And undone. */
	file_case("move", "/srv/in/x/y", WW_CHANGE_MOVED_AWAY, WW_CHANGE_MOVED_HERE, "UNVERIFIABLE",
		  "OUTCOME_UNKNOWN");
	file_case("clean", "/srv/lock", WW_CHANGE_REMOVED, WW_CHANGE_CREATED | WW_CHANGE_CLOSED,
		  "UNVERIFIABLE", "OUTCOME_UNKNOWN");
	file_case("clean", "/srv/lock", WW_CHANGE_CREATED | WW_CHANGE_CLOSED, WW_CHANGE_REMOVED,
		  "CONFIRMED_T1", "");
}

static void test_file_by_a_child(void **state)
{
	struct scene *s = open_watched();

	born(s, 300, AGENT, 1100);
	exited(s, 300, 0, 1199); /* before its change is heard of */
	changed_by(s, 300, PDF, WRITTEN, 1200);
	judged(s, "report");
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_file_from_outside(void **state)
{
	struct scene *s = open_watched();

	changed_by(s, 0, "/srv/out/{name}.pdf", 0, 1200); /* whoever it was */
	judged(s, "report");
	tick(s, 20000);
	expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");
	scene_close(s);
}

static void test_file_begun_before(void **state)
{
	struct scene *s = open_watched();

	changed(s, PDF, WRITTEN, 1005); /* within [995, 1005]: the margin of the clocks */
	judged(s, "report");
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
	s = open_watched();
	changed(s, PDF, WRITTEN, 995); /* before it */
	judged(s, "report");
	tick(s, 20000);
	expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
	scene_close(s);
}

/* One action's change lies in the margin of the next one's window, and is no deed of that. */
static void test_file_of_the_action_before(void **state)
{
	struct scene *s = open_watched();

	changed(s, PDF, WRITTEN, 1095);
	claim(s, "report", "c1", WW_SPAN_OK, 1000, 1100);
	claim(s, "report", "c2", WW_SPAN_OK, 1130, 2000);
	tick(s, 6000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	expect_nth(s, 1, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

/* What one action's program runs while another action does nothing. */
static void test_program_inside_anothers(void **state)
{
	struct scene *s = open_watched();

	born(s, 300, AGENT, 1100);
	executed(s, 300, "/usr/bin/pg_dump", 1100);
	ran_under(s, 300, 301, "/bin/tar", 0, 3100, 3200);
	exited(s, 300, 0, 3900);
	claim(s, "dump", "c1", WW_SPAN_OK, 1000, 4000);
	claim(s, "dump", "c2", WW_SPAN_OK, 2900, 3500);
	tick(s, 9000);
	expect_nth(s, 0, "NO_ACTION", "", "E0", "NONE");
	expect_nth(s, 1, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

/* The shell that started the agent is no outer run of the shells that its tools start. */
static void test_program_inside_the_agents_own(void **state)
{
	static const char *const contracts = "version: 1\ncontracts:\n- {tool: sh, effect: "
					     "process, programs: [bash], exit: 0}\n";

	for (int code = 0; code < 2; code++) {
		struct scene *s = scene_open_with(contracts);

		executed(s, AGENT, "/usr/bin/bash", 10);
		ran(s, 300, "/usr/bin/bash", code, 101100, 101500);
		claim(s, "sh", "c1", WW_SPAN_OK, 101000, 102000);
		tick(s, 106000);
		expect(s, code ? "MASKED_ERROR" : "CONFIRMED_T1", "", "E4", "UNIQUE");
		scene_close(s);
	}
}

/* What an earlier run that is nobody's starts by itself confirms nothing, and is not nothing. */
static void test_program_inside_an_earlier(void **state)
{
	struct scene *s = open_watched();

	born(s, 300, AGENT, 10);
	executed(s, 300, "/usr/bin/pg_dump", 10);
	ran_under(s, 300, 301, "/usr/bin/pg_dump", 0, 101100, 101200);
	claim(s, "dump", "c1", WW_SPAN_OK, 101000, 102000);
	tick(s, 106000);
	tick(s, 120000);
	expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
	scene_close(s);
}

/* The first tool runs it twice, the second time when the other one has begun, which does nothing.
 */
static void test_program_twice_beside_another(void **state)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/pg_dump", 0, 1100, 1200);
	ran(s, 301, "/usr/bin/pg_dump", 0, 1950, 1990);
	claim(s, "dump", "c1", WW_SPAN_OK, 1000, 2000);
	claim(s, "dump", "c2", WW_SPAN_OK, 1900, 5000);
	tick(s, 6000);
	tick(s, 20000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	expect_nth(s, 1, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");
	scene_close(s);
}

/* The same of a file. */
static void test_file_twice_beside_another(void **state)
{
	struct scene *s = open_watched();

	changed(s, PDF, WRITTEN, 1200);
	changed(s, PDF, WRITTEN, 1950);
	claim(s, "report", "c1", WW_SPAN_OK, 1000, 2000);
	claim(s, "report", "c2", WW_SPAN_OK, 1900, 5000);
	tick(s, 6000);
	tick(s, 20000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	expect_nth(s, 1, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");
	scene_close(s);
}

/* --- whether files were watched -----------------------------------------------------------------
 */

static void unwatched_case(enum ww_files_why why, uint64_t from, uint64_t to, const char *v,
			   const char *reason)
{
	struct scene *s = open_watched();

	watch(s, "/srv/out/{name}.pdf", WW_PROBE_DETACHED, why, from);
	if (to)
		watch(s, "/srv/out/{name}.pdf", WW_PROBE_ATTACHED, WW_FILES_NONE, to);
	judged(s, "report");
	expect(s, v, reason, "E0", "NONE");
	scene_close(s);
}

static void test_files_unwatched(void **state)
{
	unwatched_case(WW_FILES_DIRECTORY, 1200, 1210, "UNVERIFIABLE", "COVERAGE_GAP");
	unwatched_case(WW_FILES_DIRECTORY, 1200, 0, "UNVERIFIABLE", "COVERAGE_GAP");
	unwatched_case(WW_FILES_OVERFLOW, 1200, 1210, "UNVERIFIABLE", "EVENT_LOSS");
	unwatched_case(WW_FILES_DIRECTORY, 100, 200, "NO_ACTION", "");
}

static void test_files_never_watched(void **state)
{
	struct scene *s = scene_open_with(LOCAL_CONTRACTS);

	judged(s, "report");
	expect(s, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");
	scene_close(s);
}

/* A positive one needs no whole view. */
static void test_file_written_in_a_gap(void **state)
{
	struct scene *s = open_watched();

	watch(s, "/srv/out/{name}.pdf", WW_PROBE_DETACHED, WW_FILES_DIRECTORY, 1100);
	watch(s, "/srv/out/{name}.pdf", WW_PROBE_ATTACHED, WW_FILES_NONE, 1110);
	changed(s, PDF, WRITTEN, 1200);
	judged(s, "report");
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_many_gaps(void **state)
{
	struct scene *s = open_watched();

	for (uint64_t ms = 100; ms < 900; ms += 20) {
		watch(s, "/srv/out/{name}.pdf", WW_PROBE_DETACHED, WW_FILES_DIRECTORY, ms);
		watch(s, "/srv/out/{name}.pdf", WW_PROBE_ATTACHED, WW_FILES_NONE, ms + 10);
	}
	judged(s, "report");
	expect(s, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

static void dirs_changed(struct scene *s, uint64_t ms)
{
	watch(s, "/srv/out/{name}.pdf", WW_PROBE_DETACHED, WW_FILES_DIRECTORY, ms);
	watch(s, "/srv/out/{name}.pdf", WW_PROBE_ATTACHED, WW_FILES_NONE, ms + 5);
}

static void sees_others(struct scene *s, uint64_t cgroup, uint64_t ms)
{
	watch_of(s, cgroup, "/srv/out/{name}.pdf", WW_PROBE_DETACHED, WW_FILES_MOUNTS, ms);
}

/* However many gaps there are: that a scope sees other folders is not forgotten while it lasts. */
static void test_gap_of_a_scope_stays(void **state)
{
	for (unsigned before = 0; before < 40; before++) {
		struct scene *s = open_watched();

		sees_others(s, CGROUP + 1, 50);
		for (unsigned i = 0; i < before; i++)
			dirs_changed(s, 100 + 10 * i);
		sees_others(s, CGROUP, 600);
		for (unsigned i = 0; i < 20; i++)
			dirs_changed(s, 610 + 10 * i);
		judged(s, "report");
		expect(s, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");
		scene_close(s);
	}
}

/* Scopes that see other folders, one after the other: each is over with its scope. */
static void test_gaps_of_many_scopes(void **state)
{
	struct scene *s = open_watched();

	for (unsigned i = 1; i <= 40; i++) {
		sees_others(s, CGROUP + i, 10 * i);
		scope_ended(s, CGROUP + i, 10 * i + 5);
	}
	judged(s, "report");
	expect(s, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

/* More of them at a time than are kept apart: nobody's changes are known. */
static void test_too_many_scopes(void **state)
{
	struct scene *s = open_watched();

	for (unsigned i = 1; i <= 40; i++)
		sees_others(s, CGROUP + i, 10 * i);
	dirs_changed(s, 500);
	judged(s, "report");
	expect(s, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");
	scene_close(s);
}

static void test_overflow_is_a_loss(void **state)
{
	struct ww_event_loss ev = {.cause = WW_LOSS_CHANGES, .events = 1};
	struct scene *s = open_watched();

	feed(s, &ev, WW_EVENT_LOSS, sizeof(ev), 1300, 0, 0);
	judged(s, "report");
	expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E0", "NONE");
	scene_close(s);
}

static void test_nothing_declared(void **state)
{
	struct scene *s = open_watched();

	judged(s, "note");
	expect(s, "NOT_APPLICABLE", "", "E0", "NONE");
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_confirmed),
		cmocka_unit_test(test_program_failed),
		cmocka_unit_test(test_program_killed),
		cmocka_unit_test(test_program_failed_and_said),
		cmocka_unit_test(test_program_without_status),
		cmocka_unit_test(test_program_not_run),
		cmocka_unit_test(test_program_retried),
		cmocka_unit_test(test_program_failed_after_success),
		cmocka_unit_test(test_program_inside),
		cmocka_unit_test(test_program_replaced),
		cmocka_unit_test(test_program_goes_on_as_another),
		cmocka_unit_test(test_program_ends_late),
		cmocka_unit_test(test_program_of_unknown_path),
		cmocka_unit_test(test_program_by_another_name),
		cmocka_unit_test(test_program_of_another_tree),
		cmocka_unit_test(test_program_before_and_after),
		cmocka_unit_test(test_program_for_one_of_two),
		cmocka_unit_test(test_program_for_the_first),
		cmocka_unit_test(test_program_rival_comes_late),
		cmocka_unit_test(test_program_with_losses),
		cmocka_unit_test(test_nothing_with_a_peer),
		cmocka_unit_test(test_call_not_executed),
		cmocka_unit_test(test_file_written),
		cmocka_unit_test(test_file_not_written),
		cmocka_unit_test(test_file_moved_and_removed),
		cmocka_unit_test(test_file_by_a_child),
		cmocka_unit_test(test_file_from_outside),
		cmocka_unit_test(test_file_begun_before),
		cmocka_unit_test(test_file_of_the_action_before),
		cmocka_unit_test(test_program_inside_anothers),
		cmocka_unit_test(test_program_inside_the_agents_own),
		cmocka_unit_test(test_program_inside_an_earlier),
		cmocka_unit_test(test_program_twice_beside_another),
		cmocka_unit_test(test_file_twice_beside_another),
		cmocka_unit_test(test_files_unwatched),
		cmocka_unit_test(test_files_never_watched),
		cmocka_unit_test(test_file_written_in_a_gap),
		cmocka_unit_test(test_many_gaps),
		cmocka_unit_test(test_gap_of_a_scope_stays),
		cmocka_unit_test(test_gaps_of_many_scopes),
		cmocka_unit_test(test_too_many_scopes),
		cmocka_unit_test(test_overflow_is_a_loss),
		cmocka_unit_test(test_nothing_declared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
