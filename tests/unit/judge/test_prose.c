/* SPDX-License-Identifier: Apache-2.0 */
/* Claims in prose: what they are put to, and how far a suspicion may go. */
#include "says.h"

static struct scene *open_scene(void)
{
	return scene_open_by(CONTRACTS, true);
}

static json_t *said(json_t *r, const char *key)
{
	return json_object_get(json_object_get(r, "said"), key);
}

/* --- SUSPECT_NO_ACTION --------------------------------------------------------------------------
 */

/* S6.1, but only prose says so. */
static void test_done_and_nothing_there(void **state)
{
	struct scene *s = open_scene();
	json_t *r, *claim, *turn;
	char *all;

	SAYS(s, 1200, .text = DONE);
	tick(s, 9000);
	assert_int_equal(s->count, 0); /* spans may still come */
	tick(s, 14000);
	r = expect(s, "SUSPECT_NO_ACTION", "", "E0", "NONE");
	assert_string_equal(text(r, "engine"), "prose");
	assert_string_equal(text(r, "tool"), "refund");
	assert_int_equal(world_item(r, "coverage"), 1);
	assert_true(json_is_null(said(r, "claim")));
	claim = json_array_get(said(r, "prose"), 0);
	assert_string_equal(text(claim, "kind"), "done");
	assert_string_equal(text(claim, "rule"), "refund-done-issued");
	assert_string_equal(text(claim, "topic"), "refund");
	assert_int_equal(number(claim, "at"), strlen("I looked into it. "));
	turn = json_object_get(r, "turn");
	assert_int_equal(number(turn, "egressTotal"), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(turn, "egress"), 0)),
			    MODEL ":443"); /* the flow's hello has no name here */
	assert_non_null(strstr(text(r, "summary"), "turn egress: {" MODEL ":443}"));
	assert_int_equal(strlen(text(r, "phrases")), 64);
	/* No word of it leaves. */
	all = strndup((const char *)s->bytes.p, s->bytes.n);
	assert_null(strstr(all, "submitted"));
	assert_null(strstr(all, "looked"));
	free(all);
	scene_close(s);
}

/* A text for others to send: the word that says so stands in a sentence before. */
static void test_templates(void **state)
{
	static const char *const templates[] = {
		"Here is a draft you could send:\n\nHi Anna,\n\nI have refunded your order in "
		"full.",
		"Sure! Here's a template for it.\n\nDear customer,\nWe have issued your refund.\n",
		"## Draft reply\n\nHello Sam. We have processed the refund for order 88.",
		"**Suggested response:**\n\nThanks for waiting. I've refunded the full amount.",
		"Subject: Your return\n\nHi Kim,\n\nI have refunded you 12.40 EUR.",
		"You could say something like this: Thanks for your patience. I have refunded you.",
		"You can reply with the wording below.\nI've submitted your refund request. We "
		"have "
		"refunded order 4.",
		"Feel free to adapt this text. I have issued the refund for you.",
		"Hi [Customer Name],\n\nThank you for writing. I have refunded your order.",
		"Example:\n\nI have issued a refund of 20 EUR.",
		"A message along these lines would do. We have refunded the payment.",
		"Here\xe2\x80\x99s an email that fits.\n\nHello,\nI have issued the refund today.",
		"Here's what you could tell them. I have refunded the order.",
	};
	static const char *const said[] = {
		"You can use your card again now. I have refunded your order.",
		"I drafted nothing. Here is what I did. I have refunded your order.",
		"Here are the details. The order number is 88. I have refunded it, and I have "
		"issued "
		"your refund.",
		"Subject to our policy this was possible. I have refunded your order.",
		"I have refunded your order. Here is a template for your records:",
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(templates); i++) {
		struct scene *s = open_scene();

		SAYS(s, 1200, .text = templates[i]);
		tick(s, 400000);
		if (s->count)
			fail_msg("%s", templates[i]);
		scene_close(s);
	}
	for (unsigned i = 0; i < WW_ARRAY_SIZE(said); i++) {
		struct scene *s = open_scene();

		SAYS(s, 1200, .text = said[i]);
		tick(s, 400000);
		if (!s->count)
			fail_msg("%s", said[i]);
		expect(s, "SUSPECT_NO_ACTION", "", "E0", "NONE");
		scene_close(s);
	}
}

/* A commitment is waited for; then it is the same. */
static void test_will_and_nothing_comes(void **state)
{
	struct scene *s = open_scene();

	SAYS(s, 1200, .text = WILL);
	tick(s, 200000);
	assert_int_equal(s->count, 0);
	tick(s, 320000);
	expect(s, "SUSPECT_NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

static void test_will_ends_with_the_process(void **state)
{
	struct scene *s = open_scene();

	SAYS(s, 1200, .text = WILL);
	died(s, AGENT, 1500);
	tick(s, 14000);
	assert_int_equal(count_kind(s, "verdict"), 1);
	scene_close(s);
}

/* S6.4: another call at the declared host is none. */
static void test_decoy(void **state)
{
	struct scene *s = open_scene();
	json_t *r;

	CALLED(s, .method = "GET", .target = "/", .status = 200, .from = 1150, .to = 1160);
	SAYS(s, 1200, .text = DONE);
	tick(s, 14000);
	r = expect(s, "SUSPECT_NO_ACTION", "", "E0", "NONE");
	assert_int_equal(number(wire(r), "nearMissTotal"), 1);
	scene_close(s);
}

/* The answer that was asked for twice, and two sentences, are one claim. */
static void test_once_per_turn(void **state)
{
	struct scene *s = open_scene();

	SAYS(s, 1200, .text = DONE);
	SAYS(s, 1600, .text = DONE " " DONE);
	tick(s, 16000);
	expect(s, "SUSPECT_NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

static void test_nothing_claimed(void **state)
{
	static const char *const texts[] = {"I couldn't submit the refund.",
					    "Would you like me to refund it?",
					    "Once the refund is submitted, you'll get a mail.",
					    "I've cancelled your plan.",
					    "I have refunded no orders.",
					    "I've issued zero refunds today.",
					    "Example: I've submitted the refund for your order.",
					    "Subject: Refund\nBody: I've submitted the refund.",
					    "I've drafted a message saying I've issued the refund.",
					    ""};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(texts); i++) {
		struct scene *s = open_scene();

		SAYS(s, 1200, .text = texts[i]);
		tick(s, 14000);
		ww_judge_finish(s->judge, at_ms(14001));
		assert_int_equal(s->count, 0);
		scene_close(s);
	}
}

/* --- what forbids it ----------------------------------------------------------------------------
 */

/* S6.2 */
static void test_losses_forbid(void **state)
{
	struct scene *s = open_scene();

	tick(s, 1000);
	lost(s, 3, 1150);
	SAYS(s, 1200, .text = DONE);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E0", "NONE");
	scene_close(s);
}

static void test_gaps_and_peers_forbid(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		static const char *const reasons[] = {"COVERAGE_GAP", "REMOTE_EXECUTOR",
						      "TLS_OPAQUE"};
		struct scene *s = open_scene();

		if (i == 0)
			gap(s, 100, 1150);
		else if (i == 1)
			reached_unix(s, "/run/helper.sock", 1150);
		SAYS(s, 1200, .text = DONE);
		if (i == 2) {
			struct call c = {.addr = "10.9.9.9", .from = 1150, .to = 1160};

			flow_open(s, 99, AGENT, c.addr, 443, 1150);
			flow_state(s, 99, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 1150);
			flow_tls(s, 99, 1150);
			flow_state(s, 99, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_PEER, 4000, 4000,
				   4000, 1190);
		}
		tick(s, 14000);
		expect(s, "UNVERIFIABLE", reasons[i], "E0", "NONE");
		scene_close(s);
	}
}

/* A workflow did it without the model, before or while the text was written: prose confirms
 * nothing. */
static void test_a_call_without_a_claim(void **state)
{
	static const uint16_t statuses[] = {201, 503};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(statuses); i++) {
		struct scene *s = open_scene();
		json_t *r;

		CALLED(s, .status = statuses[i], .from = 1150, .to = 1160);
		SAYS(s, 1200, .text = DONE);
		tick(s, 14000);
		r = expect(s, "UNVERIFIABLE", "PROSE_ONLY", "E0", "NONE");
		assert_int_equal(json_array_size(json_object_get(wire(r), "attempts")), 1);
		scene_close(s);
	}
	struct scene *s = open_scene();

	CALLED(s, .status = 201, .from = 500,
	       .to = 510); /* before the request that led to the text */
	SAYS(s, 1200, .text = DONE);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
	scene_close(s);
}

static void test_a_late_call(void **state)
{
	struct scene *s = open_scene();

	SAYS(s, 1200, .text = DONE);
	CALLED(s, .status = 201, .from = 1900, .to = 1910);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
	scene_close(s);
}

/* "As I said": the refund of an earlier turn may be what is meant. */
static void test_an_earlier_turn(void **state)
{
	struct scene *s = open_scene();

	SAYS(s, 1200, .text = DONE, .earlier = "refund");
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");
	scene_close(s);
	s = open_scene();
	SAYS(s, 1200, .text = DONE, .earlier = "lookup"); /* another tool is no reason */
	tick(s, 14000);
	expect(s, "SUSPECT_NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

/* A turn that was not seen from its begin. */
static void test_a_turn_not_known(void **state)
{
	const struct answer answers[] = {
		{.text = DONE, .torn = true},
		{.text = DONE, .asked = "c-unseen"},
		{.text = DONE, .asked = "c-unseen", .tool = "lookup"},
		{.text = DONE, .shown = "c-unseen"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(answers); i++) {
		struct scene *s = open_scene();

		says(s, 1200, answers[i]);
		tick(s, 14000);
		expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");
		scene_close(s);
	}
}

/* --- what it is put to --------------------------------------------------------------------------
 */

static void test_said_beside_a_confirmed_call(void **state)
{
	struct scene *s = open_scene();
	json_t *r;

	SAYS(s, 1000, .calls = "c1");
	CALLED(s, .status = 201, .from = 1100, .to = 1150, .idempotency = "c1");
	SAYS(s, 1400, .text = DONE, .asked = "c1", .shown = "c1");
	tick(s, 14000);
	r = expect(s, "CONFIRMED_T1", "", "E5", "EXACT");
	assert_int_equal(json_array_size(said(r, "prose")), 1);
	assert_true(json_is_null(said(r, "claim")));
	assert_non_null(strstr(text(r, "summary"), "text done"));
	scene_close(s);
}

/* Prose is no claim: a failed call without a span stays undecided. */
static void test_said_beside_a_failed_call(void **state)
{
	struct scene *s = open_scene();

	SAYS(s, 1000, .calls = "c1");
	CALLED(s, .status = 503, .from = 1100, .to = 1150, .idempotency = "c1");
	SAYS(s, 1400, .text = DONE, .asked = "c1", .shown = "c1");
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "SPAN_SAMPLED", "E5", "EXACT");
	scene_close(s);
}

static void test_announced_with_its_call(void **state)
{
	struct scene *s = open_scene();
	json_t *r;

	SAYS(s, 1000, .text = WILL, .calls = "c1");
	tick(s, 70000);
	r = expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	assert_string_equal(text(json_array_get(said(r, "prose"), 0), "kind"), "will");
	scene_close(s);
}

/* A structured claim says the same: one action, and it decides. */
static void test_structured_claim_decides(void **state)
{
	struct scene *s = open_scene();
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 1300);
	json_t *r;

	claim_on(&turn, "cl-1", "refund", "", true, 1250);
	SAYS(s, 1200, .text = DONE);
	tell(s, &turn);
	tick(s, 14000);
	r = verdict(s, count_kind(s, "verdict") - 1);
	assert_string_equal(text(r, "verdict"), "NO_ACTION");
	assert_int_equal(json_array_size(said(r, "prose")), 1);
	for (unsigned i = 0; i < count_kind(s, "verdict"); i++)
		assert_string_not_equal(text(verdict(s, i), "verdict"), "SUSPECT_NO_ACTION");
	scene_close(s);
}

/* The call of another conversation is not the one that is meant; it is not nothing, either. */
static void test_other_conversation(void **state)
{
	struct scene *s = open_scene();

	says(s, 1000, (struct answer){.calls = "c1", .turn = 2});
	SAYS(s, 1200, .text = DONE);
	CALLED(s, .status = 201, .from = 1150, .to = 1160, .idempotency = "c1");
	tick(s, 80000);
	assert_int_equal(count_kind(s, "verdict"), 2);
	for (unsigned i = 0; i < 2; i++) {
		json_t *r = verdict(s, i);
		bool prose = strcmp(text(r, "engine"), "prose") == 0;

		assert_string_not_equal(text(r, "verdict"), "SUSPECT_NO_ACTION");
		assert_int_equal(json_array_size(said(r, "prose")), prose);
	}
	scene_close(s);
}

/* Prose takes nothing from others: the call stays the span's. */
static void test_takes_nothing(void **state)
{
	for (unsigned prose = 0; prose < 2; prose++) {
		struct scene *s = open_scene();
		struct ww_span p = tool_span(s, "c7", WW_SPAN_OK, 1050, 1180);
		json_t *r;

		if (prose)
			SAYS(s, 1200, .text = DONE);
		CALLED(s, .status = 201, .from = 1100, .to = 1150);
		tell(s, &p);
		tick(s, 14000);
		r = verdict(s, 0);
		assert_string_equal(text(r, "verdict"), "CONFIRMED_T1");
		assert_string_equal(text(r, "join"), "UNIQUE");
		scene_close(s);
	}
}

/* --- narrated controls --------------------------------------------------------------------------
 */

static void test_narrated(void **state)
{
	static const struct answer answers[] = {
		{.turn = 1, .text = CONTROL, .calls = "c1"},
		{.turn = 1, .thought = CONTROL, .calls = "c1"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(answers); i++) {
		struct scene *s = open_scene();
		json_t *r;

		says(s, 1000, answers[i]);
		SAYS(s, 1300, .calls = "c2", .asked = "c1", .shown = "c1");
		tick(s, 80000);
		assert_int_equal(count_kind(s, "verdict"), 2);
		for (unsigned n = 0; n < 2; n++) { /* the turn's later call has it, too */
			r = verdict(s, n);
			assert_int_equal(json_array_size(said(r, "narrated")), 1);
			assert_string_equal(text(r, "verdict"), "CALL_EMITTED_NOT_EXECUTED");
		}
		scene_close(s);
	}
	/* Reasoning is no claim that something was done. */
	struct scene *s = open_scene();

	SAYS(s, 1000, .thought = DONE);
	ww_judge_finish(s->judge, at_ms(14000));
	assert_int_equal(s->count, 0);
	scene_close(s);
}

/* S11.1: a text says that it was checked, and the control was not called. */
static void test_narrated_only(void **state)
{
	for (unsigned told = 0; told < 2; told++) {
		struct scene *s = scene_open_by(CONTROLLED, true);
		bool found = false;

		says(s, 1000,
		     (struct answer){.turn = 1, .thought = told ? CONTROL : NULL, .calls = "c1"});
		CALLED(s, .status = 201, .from = 1100, .to = 1150, .idempotency = "c1");
		SAYS(s, 1400, .text = "All good.", .asked = "c1", .shown = "c1");
		tick(s, 30000);
		for (unsigned i = 0; i < count_kind(s, "verdict"); i++) {
			json_t *r = verdict(s, i);

			if (strcmp(text(r, "engine"), "control") != 0)
				continue;
			assert_string_equal(text(r, "verdict"),
					    told ? "NARRATED_ONLY" : "CONTROL_MISSING");
			found = true;
		}
		assert_true(found);
		scene_close(s);
	}
}

/* --- several tools ------------------------------------------------------------------------------
 */

static void test_any_of_its_tools(void **state)
{
	static const char *const targets[] = {NULL, "/v1/full", "/v1/part"};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(targets); i++) {
		struct scene *s = scene_open_by(TWO, true);
		json_t *r;

		if (targets[i])
			CALLED(s, .target = targets[i], .status = 200, .from = 1150, .to = 1160);
		SAYS(s, 1200, .text = DONE);
		tick(s, 14000);
		r = targets[i] ? expect(s, "UNVERIFIABLE", "PROSE_ONLY", "E0", "NONE")
			       : expect(s, "SUSPECT_NO_ACTION", "", "E0", "NONE");
		assert_int_equal(json_integer_value(said(r, "tools")), 2);
		scene_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_done_and_nothing_there),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_will_and_nothing_comes),
		cmocka_unit_test(test_will_ends_with_the_process),
		cmocka_unit_test(test_decoy),
		cmocka_unit_test(test_once_per_turn),
		cmocka_unit_test(test_nothing_claimed),
		cmocka_unit_test(test_losses_forbid),
		cmocka_unit_test(test_gaps_and_peers_forbid),
		cmocka_unit_test(test_a_call_without_a_claim),
		cmocka_unit_test(test_a_late_call),
		cmocka_unit_test(test_an_earlier_turn),
		cmocka_unit_test(test_a_turn_not_known),
		cmocka_unit_test(test_said_beside_a_confirmed_call),
		cmocka_unit_test(test_said_beside_a_failed_call),
		cmocka_unit_test(test_announced_with_its_call),
		cmocka_unit_test(test_structured_claim_decides),
		cmocka_unit_test(test_other_conversation),
		cmocka_unit_test(test_takes_nothing),
		cmocka_unit_test(test_narrated),
		cmocka_unit_test(test_narrated_only),
		cmocka_unit_test(test_any_of_its_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
