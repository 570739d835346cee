/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tape of files and programs with one fault in every place where it can be: every event of the
 * kernel lost, told as a count or seen as a hole, or delivered twice; every file change lost, as
 * the queue tells it; every telling of what is watched gone; the tape cut. What was done stands in
 * the agent's own words below, not in the tape.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "faults.h"

static const struct {
	const char *call, *truth;
} truths[] = {
	{"written", "CONFIRMED_T1"},  {"replaced", "CONFIRMED_T1"},
	{"by-child", "CONFIRMED_T1"}, {"not-written", "NO_ACTION"},
	{"removed", "CONFIRMED_T1"},  {"ran", "CONFIRMED_T1"},
	{"failed", "MASKED_ERROR"},   {"failed-said", "ATTEMPTED_FAILED"},
	{"not-run", "NO_ACTION"},     {"late", "ACTED_LATE"},
};

static struct tape tape;
static struct sim sim;
static struct tape_run run;
static unsigned decided;

static unsigned check(const char *what, unsigned at)
{
	unsigned wrong = 0;

	tape_play(&tape, sim.ev, sim.count, &run);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(truths); i++) {
		const struct tape_verdict *v = sim_verdict(&run, truths[i].call);

		if (!v)
			continue;
		decided += strcmp(v->verdict, truths[i].truth) == 0;
		if (sim_allowed(truths[i].truth, v->verdict))
			continue;
		fprintf(stderr, "event %u (kind %u) %s: %s is %s(%s), truth %s\n", at,
			at < tape.count ? tape.ev[at]->kind : 0, what, truths[i].call, v->verdict,
			v->reason, truths[i].truth);
		wrong++;
	}
	sim_done(&sim);
	return wrong;
}

static int open_tape(void **state)
{
	tape_load(&tape, "tests/golden/tapes/files_programs.tape");
	return 0;
}

static int close_tape(void **state)
{
	tape_free(&tape);
	return 0;
}

static void as_it_was(void **state)
{
	sim_init(&sim, &tape);
	sim_build(&sim);
	assert_int_equal(check("as it was", tape.count), 0);
	assert_int_equal(decided, WW_ARRAY_SIZE(truths));
}

static void each_event_of_the_kernel(void **state)
{
	static const enum fault faults[] = {FAULT_LOST, FAULT_HOLE, FAULT_TWICE};
	unsigned wrong = 0;

	for (unsigned i = 0; i < tape.count; i++) {
		for (unsigned f = 0; sim_of_kernel(tape.ev[i]) && f < WW_ARRAY_SIZE(faults); f++) {
			sim_init(&sim, &tape);
			sim.fault[i] = (uint8_t)faults[f];
			sim_build(&sim);
			wrong += check(f == 2 ? "twice" : "lost", i);
		}
	}
	assert_int_equal(wrong, 0);
}

/* As the source says it: not whole since the queue was read before, and a loss. */
static void tell_overflow(unsigned at, const struct ww_event_change *ev)
{
	struct ww_event_loss loss = {.h = ev->h, .cause = WW_LOSS_CHANGES, .events = 1};

	loss.h.kind = WW_EVENT_LOSS;
	loss.h.size = sizeof(loss);
	loss.h.actor = (struct ww_actor_key){0};
	loss.h.cgroup = 0;
	sim_insert(&sim, at, sim_own(&sim, &loss, sizeof(loss)));
	for (unsigned i = 0; i < tape.count; i++) {
		const struct ww_event_coverage *c = (const struct ww_event_coverage *)tape.ev[i];
		struct ww_event_coverage off;

		if (c->h.kind != WW_EVENT_COVERAGE || c->what != WW_COVERAGE_FILES)
			continue;
		off = *c;
		off.h.time_ns = ev->since_ns;
		off.status = WW_PROBE_DETACHED;
		off.detail = WW_FILES_OVERFLOW;
		sim_insert(&sim, at, sim_own(&sim, &off, sizeof(off)));
		off.h.time_ns = ev->h.time_ns + 1000000;
		off.status = WW_PROBE_ATTACHED;
		sim_insert(&sim, at + 2, sim_own(&sim, &off, sizeof(off)));
	}
}

static void each_change(void **state)
{
	unsigned wrong = 0, seen = 0;

	for (unsigned i = 0; i < tape.count; i++) {
		if (tape.ev[i]->kind != WW_EVENT_CHANGE)
			continue;
		seen++;
		sim_init(&sim, &tape);
		sim_build(&sim);
		sim.count--;
		memmove(&sim.ev[i], &sim.ev[i + 1], (sim.count - i) * sizeof(sim.ev[0]));
		tell_overflow(i, (const struct ww_event_change *)tape.ev[i]);
		wrong += check("lost with the queue", i);
		sim_init(&sim, &tape);
		sim_build(&sim);
		sim_insert(&sim, i, tape.ev[i]);
		wrong += check("twice", i);
	}
	assert_int_equal(wrong, 0);
	assert_true(seen >= 4);
}

static bool is_of(const struct ww_event *ev, const struct ww_event_coverage *of)
{
	const struct ww_event_change *c = (const struct ww_event_change *)ev;
	char text[WW_PATH_BYTES_MAX + 1], *one = text;
	struct ww_local l = {.file_count = 1, .files = &one};

	snprintf(text, sizeof(text), "%.*s", (int)of->path_bytes, of->path);
	return ev->kind == WW_EVENT_CHANGE && ww_local_file(&l, ww_slice(c->path, c->path_bytes));
}

/* Never told that a template is watched, or from some event on no more. */
static void each_watch(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < tape.count; i++) {
		const struct ww_event_coverage *c = (const struct ww_event_coverage *)tape.ev[i];

		if (c->h.kind != WW_EVENT_COVERAGE || c->what != WW_COVERAGE_FILES)
			continue;
		sim_init(&sim, &tape);
		sim_build(&sim);
		sim.count--;
		memmove(&sim.ev[i], &sim.ev[i + 1], (sim.count - i) * sizeof(sim.ev[0]));
		wrong += check("not told", i);
		for (unsigned at = i + 1; at < tape.count; at++) {
			struct ww_event_coverage off = *c;

			sim_init(&sim, &tape);
			sim_build(&sim);
			off.h.time_ns = tape.ev[at]->time_ns;
			off.status = WW_PROBE_DETACHED;
			off.detail = WW_FILES_DIRECTORY;
			sim_insert(&sim, at, sim_own(&sim, &off, sizeof(off)));
			/* What would have been seen is not. */
			for (unsigned k = at; k < sim.count;) {
				bool gone = is_of(sim.ev[k], c);

				if (gone) {
					sim.count--;
					memmove(&sim.ev[k], &sim.ev[k + 1],
						(sim.count - k) * sizeof(sim.ev[0]));
				} else {
					k++;
				}
			}
			wrong += check("not watched from it on", at);
		}
	}
	assert_int_equal(wrong, 0);
}

static void each_end(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < tape.count; i++) {
		sim_init(&sim, &tape);
		sim.upto = i;
		sim_build(&sim);
		wrong += check("the tape ends before it", i);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_it_was),   cmocka_unit_test(each_event_of_the_kernel),
		cmocka_unit_test(each_change), cmocka_unit_test(each_watch),
		cmocka_unit_test(each_end),
	};

	return cmocka_run_group_tests(tests, open_tape, close_tape);
}
