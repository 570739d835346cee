/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody who holds the log's key could record about programs and files: the auditor's rules
 * find each lie, and name its place. */
#include "lies.h"
#include "local.h"

static struct scene *told(struct scene *s, const char *tool, enum ww_span_status status)
{
	claim(s, tool, "c1", status, 1000, 2000);
	tick(s, 6000);
	return s;
}

static struct scene *program(int code)
{
	struct scene *s = open_watched();

	ran(s, 300, "/usr/bin/pg_dump", code, 1100, 1500);
	return told(s, "dump", WW_SPAN_OK);
}

static struct scene *succeeded(void)
{
	return program(0);
}

static struct scene *failed(void)
{
	return program(1);
}

static struct scene *not_run(void)
{
	return told(open_watched(), "dump", WW_SPAN_OK);
}

static struct scene *written(void)
{
	struct scene *s = open_watched();

	changed(s, PDF, WRITTEN, 1200);
	return told(s, "report", WW_SPAN_OK);
}

static struct scene *opened(void)
{
	struct scene *s = open_watched();

	changed(s, PDF, WW_CHANGE_CLOSED, 1200);
	told(s, "report", WW_SPAN_OK);
	tick(s, 40000);
	return s;
}

static struct scene *late(void)
{
	struct scene *s = open_watched();

	announced(s, "later", "dump", 1900, 30000);
	tick(s, 33000);
	ran(s, 300, "/usr/bin/pg_dump", 0, 40000, 41000);
	tick(s, 52000);
	return s;
}

/* --- lies --------------------------------------------------------------------------------------
 */

static json_t *both(json_t *list, json_t *v)
{
	SET(last(list, "action"), "{sO}", "local", in(v, "local"));
	return in(v, "local");
}

static json_t *deed(json_t *list, json_t *v)
{
	return first(both(list, v), "deeds");
}

static void called_failed(json_t *list, json_t *v)
{
	SET(v, "{ss,ss,so}", "verdict", "MASKED_ERROR", "tier", "T0", "closedWorld", all_pass());
}

static void called_good(json_t *list, json_t *v)
{
	SET(v, "{ss,ss,s[]}", "verdict", "CONFIRMED_T1", "tier", "T1", "closedWorld");
}

static void other_status(json_t *list, json_t *v)
{
	SET(deed(list, v), "{si}", "exitCode", 0);
	called_good(list, v);
}

static void other_status_recorded(json_t *list, json_t *v)
{
	SET(last(list, "run"), "{si}", "exitCode", 7);
}

static void other_program(json_t *list, json_t *v)
{
	SET(last(list, "run"), "{ss}", "exe", "/usr/bin/true");
}

static void other_tree(json_t *list, json_t *v)
{
	SET(last(list, "run"), "{ss}", "root", "p9-9");
}

static void before_the_window(json_t *list, json_t *v)
{
	SET(last(list, "run"), "{sI}", "beganBootNs", (json_int_t)at_ms(100).ns);
}

static void wider_terms(json_t *list, json_t *v)
{
	SET(in(in(v, "grounds"), "terms"), "{si}", "exitMax", 9);
}

static void nothing_done(json_t *list, json_t *v)
{
	json_t *l = both(list, v);

	json_object_del(l, "decides");
	SET(l, "{si,s[]}", "total", 0, "deeds");
	SET(v, "{ss,ss,ss,ss,so}", "verdict", "NO_ACTION", "tier", "T0", "evidence", "E0", "join",
	    "NONE", "closedWorld", all_pass());
	json_object_del(v, "by");
	SET(v, "{ss}", "engine", "commit");
}

static void made_up(json_t *list, json_t *v)
{
	json_t *l = both(list, v);

	SET(l, "{ss,si,s[{ss,ss,ss,ss,si}]}", "decides", "u-1-1-1", "total", 1, "deeds", "id",
	    "u-1-1-1", "t", text(v, "t"), "program", "/usr/bin/pg_dump", "end", "exited",
	    "exitCode", 0);
	called_good(list, v);
}

static void more_happened(json_t *list, json_t *v)
{
	SET(deed(list, v), "{s[ss]}", "what", "modified", "closed");
	called_good(list, v);
	json_object_del(v, "reason");
}

static void another_decides(json_t *list, json_t *v)
{
	SET(both(list, v), "{ss}", "decides", "w-0-0");
}

static void more_in_all(json_t *list, json_t *v)
{
	SET(both(list, v), "{si}", "total", 9);
}

static void sought_another(json_t *list, json_t *v)
{
	SET(both(list, v), "{ss}", "sought", "change of a declared file");
}

static void contested_denied(json_t *list, json_t *v)
{
	SET(both(list, v), "{si}", "contested", 2);
}

static void in_time(json_t *list, json_t *v)
{
	json_object_del(both(list, v), "late");
	json_object_del(v, "lateMs");
	called_good(list, v);
}

static void begun_in_time(json_t *list, json_t *v)
{
	SET(last(list, "run"), "{ss,sI}", "t", "2026-09-21T14:13:45.000000000Z", "beganBootNs",
	    (json_int_t)at_ms(25000).ns);
}

static void less_late(json_t *list, json_t *v)
{
	SET(v, "{si}", "lateMs", 1);
}

static void watched_less(json_t *list, json_t *v)
{
	SET(in(v, "coverage"), "{sI}", "toBootNs", (json_int_t)at_ms(32100).ns);
}

static void lies(void **state)
{
	static const struct lie all[] = {
		{succeeded, "CONFIRMED_T1", called_failed, "verdict", false},
		{failed, "MASKED_ERROR", called_good, "verdict", false},
		{failed, "MASKED_ERROR", other_status, "local.deeds.exitCode", false},
		{failed, "MASKED_ERROR", other_status_recorded, "local.deeds.exitCode", false},
		{succeeded, "CONFIRMED_T1", other_program, "local.deeds", false},
		{succeeded, "CONFIRMED_T1", other_tree, "root", false},
		{succeeded, "CONFIRMED_T1", before_the_window, "local.deeds", false},
		{failed, "MASKED_ERROR", wider_terms, "verdict", false},
		{succeeded, "CONFIRMED_T1", nothing_done, "local", false},
		{not_run, "NO_ACTION", made_up, "local.deeds.id", true},
		{not_run, "NO_ACTION", sought_another, "local.sought", false},
		{written, "CONFIRMED_T1", nothing_done, "local", false},
		{written, "CONFIRMED_T1", another_decides, "local.decides", false},
		{written, "CONFIRMED_T1", more_in_all, "local.total", false},
		{opened, "UNVERIFIABLE", more_happened, "local.deeds.what", false},
		{failed, "MASKED_ERROR", contested_denied, "verdict", false},
		{late, "ACTED_LATE", in_time, "local.deeds", false},
		{late, "ACTED_LATE", begun_in_time, "local.late", false},
		{late, "ACTED_LATE", less_late, "lateMs", false},
		{late, "ACTED_LATE", watched_less, "coverage.toBootNs", false},
	};

	each_is_found(all, WW_ARRAY_SIZE(all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lies)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
