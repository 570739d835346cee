/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The golden tapes through the real pipeline, with one fault in every place where it can be: an
 * event lost, told as a count or seen as a hole; delivered twice; swapped with its neighbour of
 * another CPU; plaintext cut or unreadable; a range lost; the tape cut; an export that never came.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "variants.h"

#define TAPES       WW_ARRAY_SIZE(recorded_tapes)
#define SWAP_MAX_NS 1000000 /* as far apart as a program can be held up between room and time */

static struct scene scenes[TAPES];
static struct sim sim;
static struct tape_run run;

static int open_scenes(void **state)
{
	unsigned wrong = 0;

	for (unsigned t = 0; t < TAPES; t++)
		wrong += scene_open(&scenes[t], &variants[0], recorded_tapes[t]);
	return wrong ? -1 : 0;
}

static int close_scenes(void **state)
{
	for (unsigned t = 0; t < TAPES; t++)
		tape_free(&scenes[t].tape);
	return 0;
}

/* Plays and checks what stands in `sim`. */
static unsigned play(const struct scene *s, const char *fault, unsigned at, unsigned how)
{
	char what[96];
	unsigned wrong;

	snprintf(what, sizeof(what), "event %u, kind %u, %s (%u)", at, s->tape.ev[at]->kind, fault,
		 how);
	wrong = scene_check(s, &sim, &run, what);
	sim_done(&sim);
	return wrong;
}

static unsigned play_one(const struct scene *s, unsigned at, enum fault f, uint32_t keep,
			 const char *fault)
{
	sim_init(&sim, &s->tape);
	sim.fault[at] = (uint8_t)f;
	sim.keep[at] = keep;
	sim_build(&sim);
	return play(s, fault, at, keep);
}

/* Calls fn for every event of every tape. */
static void each(unsigned (*fn)(const struct scene *s, unsigned at))
{
	unsigned wrong = 0;

	for (unsigned t = 0; t < TAPES; t++) {
		for (unsigned i = 0; i < scenes[t].tape.count; i++)
			wrong += fn(&scenes[t], i);
	}
	assert_int_equal(wrong, 0);
}

static unsigned lose(const struct scene *s, unsigned at)
{
	if (!sim_of_kernel(s->tape.ev[at]))
		return 0;
	return play_one(s, at, FAULT_LOST, 0, "lost") + play_one(s, at, FAULT_HOLE, 0, "a hole") +
	       play_one(s, at, FAULT_TWICE, 0, "twice");
}

static void each_event(void **state)
{
	each(lose);
}

static unsigned lose_range(const struct scene *s, unsigned at)
{
	static const unsigned lengths[] = {6, 60};
	unsigned wrong = 0;

	for (unsigned n = 0; n < WW_ARRAY_SIZE(lengths); n++) {
		for (unsigned which = 1; which < 3; which++) { /* the data ring, both */
			sim_init(&sim, &s->tape);
			for (unsigned i = at; i < at + lengths[n] && i < s->tape.count; i++) {
				const struct ww_event *ev = s->tape.ev[i];

				if (sim_of_kernel(ev) && (which == 2 || sim_in_data_ring(ev)))
					sim.fault[i] = FAULT_LOST;
			}
			sim_build(&sim);
			wrong += play(s, which == 1 ? "data from it on lost" : "lost from it on",
				      at, lengths[n]);
		}
	}
	return wrong;
}

static void each_range(void **state)
{
	each(lose_range);
}

static unsigned cut_payload(const struct scene *s, unsigned at)
{
	const struct ww_event_data *d = (const struct ww_event_data *)s->tape.ev[at];
	unsigned wrong;

	if (d->h.kind != WW_EVENT_DATA)
		return 0;
	wrong = play_one(s, at, FAULT_UNREAD, 0, "unreadable");
	for (uint32_t keep = 1; keep < d->captured; keep *= 4)
		wrong += play_one(s, at, FAULT_CAP, keep, "cut to");
	return wrong + play_one(s, at, FAULT_CAP, d->captured - 1, "cut to");
}

static void each_payload(void **state)
{
	each(cut_payload);
}

static unsigned cut_tape(const struct scene *s, unsigned at)
{
	sim_init(&sim, &s->tape);
	sim.upto = at;
	sim_build(&sim);
	return play(s, "the tape ends before it", at, 0);
}

static void each_end(void **state)
{
	each(cut_tape);
}

static unsigned swap(const struct scene *s, unsigned at)
{
	if (at + 1 == s->tape.count ||
	    !sim_may_swap(s->tape.ev[at], s->tape.ev[at + 1], SWAP_MAX_NS))
		return 0;
	sim_init(&sim, &s->tape);
	sim_build(&sim);
	sim.ev[at] = s->tape.ev[at + 1];
	sim.ev[at + 1] = s->tape.ev[at];
	return play(s, "behind its successor", at, 0);
}

static void each_pair(void **state)
{
	each(swap);
}

/* The application's export failed: less is known, nothing is lost. */
static unsigned miss_claim(const struct scene *s, unsigned at)
{
	if (s->tape.ev[at]->kind != WW_EVENT_CLAIM)
		return 0;
	sim_init(&sim, &s->tape);
	sim_build(&sim);
	sim.count--;
	memmove(&sim.ev[at], &sim.ev[at + 1], (sim.count - at) * sizeof(sim.ev[0]));
	return play(s, "missing", at, 0);
}

static void each_claim(void **state)
{
	each(miss_claim);
}

static unsigned set_clock(const struct scene *s, unsigned at, bool told)
{
	static const int64_t steps_ms[] = {-60000, -5000, -500, -100, -30,
					   30,     100,   500,  5000, 60000};
	unsigned wrong = 0;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(steps_ms); i++) {
		sim_init(&sim, &s->tape);
		sim_build(&sim);
		sim_set_clock(&sim, steps_ms[i], told);
		wrong += play(s,
			      told ? "before the clock was set, told" : "before the clock was set",
			      at, i);
	}
	return wrong;
}

static unsigned set_each_clock(const struct scene *s, unsigned at)
{
	if (s->tape.ev[at]->kind != WW_EVENT_CLOCK)
		return 0;
	return set_clock(s, at, false) + set_clock(s, at, true);
}

static void each_clock(void **state)
{
	each(set_each_clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event),   cmocka_unit_test(each_range),
		cmocka_unit_test(each_payload), cmocka_unit_test(each_end),
		cmocka_unit_test(each_pair),    cmocka_unit_test(each_claim),
		cmocka_unit_test(each_clock),
	};

	return cmocka_run_group_tests(tests, open_scenes, close_scenes);
}
