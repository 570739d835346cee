/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many faults at once, drawn from a seed: ranges lost from one ring or both, holes, plaintext cut
 * or unreadable, events delivered twice or in the other order, the clock set, the tape cut. A
 * failure names its seed; WW_SIM_SEED=N plays that one alone, WW_SIM_SEEDS=N plays N of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "variants.h"

#define SEEDS 3000
#define TAPES WW_ARRAY_SIZE(variant_tapes)

static struct scene scenes[WW_ARRAY_SIZE(variants) * TAPES];
static struct sim sim;
static struct tape_run run, again;

static int open_scenes(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(scenes); i++)
		wrong += scene_open(&scenes[i], &variants[i / TAPES], variant_tapes[i % TAPES]);
	return wrong ? -1 : 0;
}

static int close_scenes(void **state)
{
	for (unsigned i = 0; i < WW_ARRAY_SIZE(scenes); i++)
		tape_free(&scenes[i].tape);
	return 0;
}

static unsigned below(uint64_t *rng, unsigned n)
{
	return n ? (unsigned)(sim_random(rng) % n) : 0;
}

/* Rings fill up for a while: what comes then finds no room. */
static void lose_range(struct sim *s, uint64_t *rng)
{
	unsigned from = below(rng, s->tape->count), n = 1u << below(rng, 8), which = below(rng, 3);
	enum fault f = below(rng, 8) ? FAULT_LOST : FAULT_HOLE;

	for (unsigned i = from; i < from + n && i < s->tape->count; i++) {
		const struct ww_event *ev = s->tape->ev[i];

		if (sim_of_kernel(ev) && (which == 2 || sim_in_data_ring(ev) == which))
			s->fault[i] = (uint8_t)f;
	}
}

static void spoil(struct sim *s, uint64_t *rng, enum fault f)
{
	unsigned i = below(rng, s->tape->count);
	const struct ww_event_data *d = (const struct ww_event_data *)s->tape->ev[i];

	if (!sim_of_kernel(&d->h) || s->fault[i] ||
	    (f != FAULT_TWICE && d->h.kind != WW_EVENT_DATA))
		return;
	s->fault[i] = (uint8_t)f;
	if (f == FAULT_CAP)
		s->keep[i] = below(rng, d->captured);
}

static void draw(struct sim *s, const struct tape *t, uint64_t seed)
{
	uint64_t rng = seed;

	sim_init(s, t);
	for (unsigned n = below(&rng, 4); n > 0; n--)
		lose_range(s, &rng);
	for (unsigned n = below(&rng, 6); n > 0; n--)
		spoil(s, &rng, FAULT_CAP);
	for (unsigned n = below(&rng, 3); n > 0; n--)
		spoil(s, &rng, FAULT_UNREAD);
	for (unsigned n = below(&rng, 6); n > 0; n--)
		spoil(s, &rng, FAULT_TWICE);
	if (below(&rng, 4) == 0)
		s->upto = below(&rng, t->count);
	sim_build(s);
	if (below(&rng, 8) == 0)
		sim_set_clock(s, (int64_t)below(&rng, 20000) - 10000, true);
	for (unsigned i = 0; i + 1 < s->count; i++) {
		struct ww_event *next = s->ev[i + 1];

		if (!sim_may_swap(s->ev[i], next, 1000000) || below(&rng, 2))
			continue;
		s->ev[i + 1] = s->ev[i];
		s->ev[i] = next;
	}
}

static unsigned play(uint64_t seed)
{
	uint64_t rng = seed;
	const struct scene *s = &scenes[below(&rng, WW_ARRAY_SIZE(scenes))];
	unsigned wrong;
	char what[32];

	snprintf(what, sizeof(what), "seed %llu", (unsigned long long)seed);
	draw(&sim, &s->tape, sim_random(&rng));
	wrong = scene_check(s, &sim, &run, what);
	if (seed % 8 == 0) {
		tape_play(&s->tape, sim.ev, sim.count, &again);
		if (memcmp(&again, &run, sizeof(run)) != 0) {
			fprintf(stderr, "OTHER BYTES %s\n", what);
			wrong++;
		}
	}
	sim_done(&sim);
	return wrong;
}

static void seeds(void **state)
{
	const char *one = getenv("WW_SIM_SEED"), *many = getenv("WW_SIM_SEEDS");
	uint64_t count = many ? strtoull(many, NULL, 10) : SEEDS;
	unsigned wrong = 0;

	if (one)
		wrong = play(strtoull(one, NULL, 10));
	for (uint64_t seed = 1; seed <= count && !one; seed++)
		wrong += play(seed);
	assert_int_equal(wrong, 0);
}

/* All of that in one process stays below what the daemon may take. */
static void peak(void **state)
{
#ifndef __SANITIZE_ADDRESS__ /* it keeps freed memory */
	struct rusage use;

	assert_int_equal(getrusage(RUSAGE_SELF, &use), 0);
	assert_in_range(use.ru_maxrss, 1, 64 << 10);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(seeds), cmocka_unit_test(peak)};

	return cmocka_run_group_tests(tests, open_scenes, close_scenes);
}
