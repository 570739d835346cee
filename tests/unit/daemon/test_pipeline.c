/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory runs out at every allocation of a tape's way through the pipeline, once, for a while, and
 * for good: it lives, no verdict is wrong, and where the records are not those of the undisturbed
 * run a loss is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../sim/variants.h"

/* The linker sends every call of our objects here (see the Makefile). */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

static unsigned long allocations, fail_from, fail_count; /* 0: never */

static bool refused(void)
{
	if (!fail_from || ++allocations < fail_from)
		return false;
	return allocations - fail_from < fail_count;
}

void *__wrap_malloc(size_t n)
{
	return refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return refused() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return refused() ? NULL : __real_strdup(s);
}

static struct scene scene;
static struct tape_run run;

/* 0 or what ww_pipeline_new() said. */
static int play(void)
{
	struct ww_contract_error error = {0};
	struct ww_pipeline *p = NULL;
	int r;

	memset(&run, 0, sizeof(run));
	allocations = 0;
	r = ww_pipeline_new(&scene.tape.cfg, tape_take, &run, &p, &error);
	if (r < 0) {
		assert_null(p);
		return r;
	}
	for (unsigned i = 0; i < scene.tape.count; i++)
		ww_pipeline_feed(p, scene.tape.ev[i]);
	ww_pipeline_finish(p);
	run.stats = ww_pipeline_stats(p);
	ww_pipeline_free(p);
	return 0;
}

static unsigned check(void)
{
	bool same = memcmp(&run.print, &scene.base.print, sizeof(run.print)) == 0;
	unsigned wrong = 0;

	for (unsigned i = 0; i < run.verdict_count; i++) {
		const struct tape_verdict *v = &run.verdicts[i];
		const char *truth = scene_truth(&scene, v->subject);

		if (sim_allowed(truth, v->verdict))
			continue;
		fprintf(stderr,
			"WRONG from allocation %lu on, %lu times: %s is %s(%s), true is %s\n",
			fail_from, fail_count, v->subject, v->verdict, v->reason, truth);
		wrong++;
	}
	if (!same && run.lost_events == 0 && run.stats.memory_refused == 0) {
		fprintf(stderr, "UNTOLD from allocation %lu on, %lu times\n", fail_from,
			fail_count);
		wrong++;
	}
	if (run.stats.live_flows || run.stats.body_bytes) {
		fprintf(stderr, "HELD from allocation %lu on, %lu times\n", fail_from, fail_count);
		wrong++;
	}
	return wrong;
}

/* Every allocation is the first of `count` that fail. */
static void starve(unsigned long count)
{
	unsigned wrong = 0;

	fail_count = count;
	for (fail_from = 1;; fail_from++) {
		int r = play();

		if (r < 0)
			assert_int_equal(r, -ENOMEM);
		else
			wrong += check();
		if (allocations < fail_from)
			break;
	}
	assert_true(fail_from > 100);
	fail_from = 0;
	assert_int_equal(wrong, 0);
}

static void memory_is_short_once(void **state)
{
	starve(1);
}

static void memory_is_short_for_a_while(void **state)
{
	starve(2);
	starve(8);
	starve(50);
}

static void memory_stays_short(void **state)
{
	starve(~0ul);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_short_once),
		cmocka_unit_test(memory_is_short_for_a_while),
		cmocka_unit_test(memory_stays_short),
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(recorded_tapes); i++) {
		int r;

		if (scene_open(&scene, &variants[0], recorded_tapes[i]) != 0)
			return 1;
		r = cmocka_run_group_tests_name(recorded_tapes[i], tests, NULL, NULL);
		tape_free(&scene.tape);
		if (r != 0)
			return r;
	}
	return 0;
}
