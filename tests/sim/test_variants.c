/* SPDX-License-Identifier: Apache-2.0 */
/* Golden tapes rearranged (variants.h): what is true without faults, and every event lost in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "variants.h"

static struct scene scene;
static struct sim sim;
static struct tape_run run;

static unsigned lose_each(void)
{
	unsigned wrong = 0;
	char what[64];

	for (unsigned i = 0; i < scene.tape.count; i++) {
		const struct ww_event *ev = scene.tape.ev[i];

		for (unsigned f = FAULT_LOST; sim_of_kernel(ev) && f <= FAULT_HOLE; f++) {
			sim_init(&sim, &scene.tape);
			sim.fault[i] = (uint8_t)f;
			sim_build(&sim);
			snprintf(what, sizeof(what), "event %u, kind %u, %s", i, ev->kind,
				 f == FAULT_LOST ? "lost" : "a hole");
			wrong += scene_check(&scene, &sim, &run, what);
			sim_done(&sim);
		}
	}
	return wrong;
}

static void each_event_lost(void **state)
{
	unsigned wrong = 0;

	for (unsigned v = 0; v < WW_ARRAY_SIZE(variants); v++) {
		for (unsigned t = 0; t < 2; t++) {
			wrong += scene_open(&scene, &variants[v], variant_tapes[t]);
			wrong += lose_each();
			tape_free(&scene.tape);
		}
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_event_lost)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
