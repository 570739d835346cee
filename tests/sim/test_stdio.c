/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The golden tape of a tool server over stdio, with one fault in every place where it can be: an
 * event lost, told as a count or seen as a hole; delivered twice; bytes of a channel that were not
 * taken; the tape cut. A17 was done, B23 answered with isError, A31 never called, C5 answered with
 * an error; all said that they were done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "variants.h"

#define TAPE "tests/golden/stdio/stdio_refunds.tape"

static void as_it_is(struct tape *t)
{
}

static const struct variant plain = {
	"over stdio", as_it_is, {"CONFIRMED_T1", "MASKED_ERROR", "NO_ACTION", "MASKED_ERROR"}};
static struct scene scene;
static struct sim sim;
static struct tape_run run;

static int open_scene(void **state)
{
	return scene_open(&scene, &plain, TAPE) ? -1 : 0;
}

static int close_scene(void **state)
{
	tape_free(&scene.tape);
	return 0;
}

static unsigned play(unsigned at, const char *fault)
{
	char what[96];
	unsigned wrong;

	snprintf(what, sizeof(what), "event %u, kind %u, %s", at,
		 at < scene.tape.count ? scene.tape.ev[at]->kind : 0, fault);
	wrong = scene_check(&scene, &sim, &run, what);
	sim_done(&sim);
	return wrong;
}

static unsigned play_one(unsigned at, enum fault f, const char *fault)
{
	sim_init(&sim, &scene.tape);
	sim.fault[at] = (uint8_t)f;
	sim_build(&sim);
	return play(at, fault);
}

/* What the daemon says of a channel rests on what the kernel told: it is lost with it. */
static bool may_be_lost(const struct ww_event *ev)
{
	return sim_of_kernel(ev) || ev->kind == WW_EVENT_STDIO;
}

static void test_every_event_lost(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < scene.tape.count; i++) {
		if (!may_be_lost(scene.tape.ev[i]))
			continue;
		wrong += play_one(i, FAULT_LOST, "lost");
		if (sim_of_kernel(scene.tape.ev[i]))
			wrong += play_one(i, FAULT_HOLE, "a hole") +
				 play_one(i, FAULT_TWICE, "twice");
	}
	assert_int_equal(wrong, 0);
}

static void test_every_two_lost(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i + 1 < scene.tape.count; i++) {
		for (unsigned k = i + 1; k < scene.tape.count && k < i + 12; k++) {
			if (!may_be_lost(scene.tape.ev[i]) || !may_be_lost(scene.tape.ev[k]))
				continue;
			sim_init(&sim, &scene.tape);
			sim.fault[i] = sim.fault[k] = FAULT_LOST;
			sim_build(&sim);
			wrong += play(i, "lost with another");
		}
	}
	assert_int_equal(wrong, 0);
}

static void test_cut(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 1; i < scene.tape.count; i++) {
		sim_init(&sim, &scene.tape);
		sim.upto = i;
		sim_build(&sim);
		wrong += play(i, "cut");
	}
	assert_int_equal(wrong, 0);
}

/* Bytes that were moved, cut off by the cap or not readable: their place shows it, nothing else. */
static void test_bytes_not_taken(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < scene.tape.count; i++) {
		struct ww_event_stdio_data *d = (struct ww_event_stdio_data *)scene.tape.ev[i];
		uint32_t captured, size;

		if (d->h.kind != WW_EVENT_STDIO_DATA)
			continue;
		captured = d->captured;
		size = d->h.size;
		for (uint32_t keep = 0; keep < captured; keep += captured / 3 + 1) {
			d->captured = keep;
			d->h.size = (uint32_t)(sizeof(*d) + keep);
			sim_init(&sim, &scene.tape);
			sim_build(&sim);
			wrong += play(i, "not taken");
		}
		d->captured = captured;
		d->h.size = size;
	}
	assert_int_equal(wrong, 0);
}

/* A thread of the server uses io_uring: what it asked and answered that way went unseen. */
static void test_rings(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < scene.tape.count; i++) {
		struct ww_event_stdio_data *d = (struct ww_event_stdio_data *)scene.tape.ev[i];

		if (d->h.kind != WW_EVENT_STDIO_DATA)
			continue;
		d->rings = 1;
		sim_init(&sim, &scene.tape);
		sim_build(&sim);
		wrong += play(i, "rings");
		for (unsigned v = 0; v < run.verdict_count; v++)
			wrong += strcmp(run.verdicts[v].verdict, "NO_ACTION") == 0;
		d->rings = 0;
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_event_lost),
		cmocka_unit_test(test_every_two_lost),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bytes_not_taken),
		cmocka_unit_test(test_rings),
	};

	return cmocka_run_group_tests(tests, open_scene, close_scene);
}
