/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of models whose dialect gives them no id (Gemini, older Ollama). Each is an action of its
 * own; spans and results cannot name it, and nothing negative is said of it that they could refute.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "scene.h"

#define CALL(...) exchange(s, (struct call){__VA_ARGS__}, NULL)

static bool is_negative(json_t *r)
{
	static const char *const negative[] = {"NO_ACTION",      "CALL_EMITTED_NOT_EXECUTED",
					       "MASKED_ERROR",   "EFFECT_MISSING",
					       "PARTIAL_EFFECT", "RESULT_ALTERED",
					       "RESULT_INVENTED"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(negative); i++)
		if (strcmp(text(r, "verdict"), negative[i]) == 0)
			return true;
	return false;
}

static void a_call_alone_is_judged_by_the_wire(void **state)
{
	struct scene *s = scene_open();

	model_answers(s, 1500, "", "refund", NULL);
	CALL(.from = 1600, .to = 1700, .status = 201);
	model_answers(s, 2600, NULL, NULL, "");
	tick(s, 65000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");

	assert_true(json_is_null(json_object_get(r, "toolCallId")));
	assert_null(json_object_get(json_object_get(r, "said"), "toolResult"));
	scene_close(s);
}

static void without_anything_sent_it_was_not_executed(void **state)
{
	struct scene *s = scene_open();

	model_answers(s, 1500, "", "refund", NULL);
	tick(s, 65000);
	expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	scene_close(s);
}

/* The SDK gave its span an id of its own: two actions, of which the call on the wire is one's. */
static void a_span_with_an_id_of_its_own(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "made-up-1", WW_SPAN_OK, 1550, 1750);

		model_answers(s, 1500, "", "refund", NULL);
		CALL(.from = 1600, .to = 1700, .status = i & 1 ? 503 : 201,
		     .traced = i & 2 ? &p : NULL);
		tell(s, &p);
		model_answers(s, 2600, NULL, NULL, "");
		tick(s, 200000); /* a span that says more is waited for */
		assert_int_equal(count_kind(s, "verdict"), 2);
		for (unsigned nth = 0; nth < 2; nth++) {
			json_t *r = verdict(s, nth);

			/* Only where its own trace says so it is known that it failed. */
			if (i == 3 && strcmp(text(r, "toolCallId"), "made-up-1") == 0)
				assert_string_equal(text(r, "verdict"), "MASKED_ERROR");
			else if (is_negative(r))
				fail_msg("%u: %s", i, text(r, "verdict"));
		}
		scene_close(s);
	}
}

/* The span comes when the call on the wire is the nameless one's already. */
static void a_span_that_comes_late(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "made-up-1", WW_SPAN_OK, 1550, 1750);

		p.received = at_ms(70000);
		model_answers(s, 1500, "", "refund", NULL);
		CALL(.from = 1600, .to = 1700, .status = 201, .traced = i ? &p : NULL);
		tick(s, 65000);
		expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
		tick(s, 69900);
		tell(s, &p);
		tick(s, 200000);
		for (unsigned nth = 1; nth < count_kind(s, "verdict"); nth++)
			if (is_negative(verdict(s, nth)))
				fail_msg("%u: %s", i, text(verdict(s, nth), "verdict"));
		assert_true(count_kind(s, "verdict") > 1);
		scene_close(s);
	}
}

/* Two of one tool: which of them was carried out is not known. */
static void two_calls_and_one_request(void **state)
{
	struct scene *s = scene_open();

	model_answers(s, 1500, "", "refund", NULL);
	model_answers(s, 1550, "", "refund", NULL);
	CALL(.from = 1600, .to = 1700, .status = 201);
	model_answers(s, 2600, NULL, NULL, "");
	tick(s, 70000);
	assert_int_equal(count_kind(s, "verdict"), 2);
	for (unsigned nth = 0; nth < 2; nth++) {
		if (strcmp(text(verdict(s, nth), "verdict"), "CONFIRMED_T1") == 0 ||
		    is_negative(verdict(s, nth)))
			fail_msg("%s", text(verdict(s, nth), "verdict"));
	}
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_alone_is_judged_by_the_wire),
		cmocka_unit_test(without_anything_sent_it_was_not_executed),
		cmocka_unit_test(a_span_with_an_id_of_its_own),
		cmocka_unit_test(a_span_that_comes_late),
		cmocka_unit_test(two_calls_and_one_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
