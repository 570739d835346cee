/* SPDX-License-Identifier: Apache-2.0 */
/* A call before an action's window blocks "nothing happened", unless another action's time holds
 * it: what an action held, or could have meant, only for a while is still nobody's. */
#include "scene.h"

static const char *last_verdict(const struct scene *s)
{
	json_t *r = verdict(s, count_kind(s, "verdict") - 1);

	return text(r, "verdict");
}

/* The model asked, a call was made, the model was shown a result: it was the action's. Then its
 * span comes, and is of later. */
static void test_window_narrowed(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p;

	model_answers(s, 1000, "c1", "refund", NULL);
	CALL(.from = 1700, .to = 1800, .status = 201);
	model_answers(s, 5000, NULL, NULL, "c1");
	tick(s, 16000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	p = tool_span(s, "c1", WW_SPAN_OK, 3000, 4000);
	p.received = at_ms(16500);
	tell(s, &p);
	tick(s, 30000);
	assert_string_not_equal(last_verdict(s), "NO_ACTION");
	assert_int_equal(world_item(verdict(s, count_kind(s, "verdict") - 1), "early"), 0);
	scene_close(s);
}

static void announce(struct scene *s, const char *id, uint64_t at, uint64_t deadline)
{
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, at - 900, at + 100);

	claim_on(&turn, id, "refund", "", false, at);
	turn.claims[0].deadline = wall_ms(deadline);
	tell(s, &turn);
}

/* A call after two dates: late for one of them, or early for a third. */
static void test_late_for_one_of_two(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p;

	announce(s, "later", 1900, 30000);
	announce(s, "too", 2500, 31000);
	tick(s, 34000);
	CALL(.from = 40000, .to = 40100, .status = 201);
	tick(s, 50000);
	assert_string_equal(last_verdict(s), "UNVERIFIABLE");
	p = tool_span(s, "c1", WW_SPAN_OK, 60000, 61000);
	tell(s, &p);
	tick(s, 80000);
	assert_string_not_equal(last_verdict(s), "NO_ACTION");
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window_narrowed),
		cmocka_unit_test(test_late_for_one_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
