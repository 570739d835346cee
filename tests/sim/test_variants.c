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

/* Names of spans, told from the operation's by what follows; as long as before. */
static unsigned rename_spans(struct tape *t)
{
	static const char *const names[] = {"execute_tool refund", "invoke_agent ", "chat gpt",
					    "chat claude"};
	unsigned renamed = 0;

	for (unsigned i = 0; i < t->count; i++) {
		struct ww_event_claim *c = (struct ww_event_claim *)t->ev[i];

		if (c->h.kind != WW_EVENT_CLAIM)
			continue;
		for (unsigned k = 0; k < WW_ARRAY_SIZE(names); k++) {
			size_t n = strlen(names[k]);
			uint8_t *at = c->body;

			while ((at = memmem(at, (size_t)(c->body + c->bytes - at), names[k], n))) {
				memset(at, 'q', n);
				renamed++;
			}
		}
	}
	return renamed;
}

/* What an application calls its spans is no evidence. */
static void names_move_nothing(void **state)
{
	static struct tape_run before, after;

	for (unsigned v = 0; v < WW_ARRAY_SIZE(variants); v++) {
		for (unsigned t = 0; t < WW_ARRAY_SIZE(variant_tapes); t++) {
			static struct tape tape;

			tape_load(&tape, variant_tapes[t]);
			variants[v].change(&tape);
			tape_play(&tape, tape.ev, tape.count, &before);
			assert_in_range(rename_spans(&tape), 4, 100);
			tape_play(&tape, tape.ev, tape.count, &after);
			assert_int_equal(before.verdict_count, after.verdict_count);
			assert_memory_equal(before.verdicts, after.verdicts,
					    sizeof(before.verdicts));
			assert_memory_not_equal(before.print.b, after.print.b, 32);
			tape_free(&tape);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_event_lost),
					   cmocka_unit_test(names_move_nothing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
