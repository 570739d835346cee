/* SPDX-License-Identifier: Apache-2.0 */
/* The judge as a whole: what belongs together, when it is judged, what comes late, what it costs.
 */
#include "scene.h"

/* --- ambiguity ----------------------------------------------------------------------------------
 */

static void test_concurrent_twins(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 1010, 1990);

	CALL(.from = 1100, .to = 1300, .status = 201);
	CALL(.from = 1200, .to = 1400, .status = 503);
	tell(s, &a);
	tell(s, &b);
	tick(s, 6000);
	for (unsigned i = 0; i < 2; i++) {
		json_t *r = expect_nth(s, i, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");

		assert_int_equal(number(r, "n"), 2);
		assert_int_equal(json_array_size(json_object_get(wire(r), "candidates")), 2);
		assert_null(json_object_get(wire(r), "exchange")); /* none picked */
	}
	scene_close(s);
}

static void test_twins_with_one_call(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 1010, 1990);

	CALL(.from = 1100, .to = 1300, .status = 201);
	tell(s, &a);
	tell(s, &b);
	tick(s, 6000);
	expect_nth(s, 0, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");
	expect_nth(s, 1, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");
	scene_close(s);
}

static void test_twins_told_apart_by_trace(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 1010, 1990);

	CALL(.from = 1100, .to = 1300, .status = 503, .traced = &a);
	CALL(.from = 1200, .to = 1400, .status = 201, .traced = &b);
	tell(s, &b);
	tell(s, &a);
	tick(s, 6000);
	json_t *first = expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "EXACT");

	assert_string_equal(text(first, "toolCallId"), "c2"); /* by due time: it ended first */
	expect_nth(s, 1, "MASKED_ERROR", "", "E4", "EXACT");
	scene_close(s);
}

static void test_one_of_twins_told_by_trace(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 1010, 1990);

	CALL(.from = 1100, .to = 1300, .status = 201, .traced = &a);
	CALL(.from = 1200, .to = 1400, .status = 201);
	tell(s, &a);
	tell(s, &b);
	tick(s, 6000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE"); /* a has its own: this one is b's */
	expect_nth(s, 1, "CONFIRMED_T1", "", "E4", "EXACT");
	scene_close(s);
}

/* More overlapping calls than are told apart: still nothing is picked. */
static void test_crowd(void **state)
{
	struct scene *s = scene_open();

	for (unsigned i = 0; i < 70; i++) {
		char id[16];
		struct ww_span p;

		snprintf(id, sizeof(id), "c%u", i);
		p = tool_span(s, id, WW_SPAN_OK, 1000 + i, 2000);
		CALL(.from = 1200 + i, .to = 1400, .status = 201);
		tell(s, &p);
	}
	tick(s, 6000);
	for (unsigned i = 0; i < 70; i++)
		expect_nth(s, i, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");
	scene_close(s);
}

/* A batch of thousands of spans: whose the call before the window is cannot be asked of all of
 * them, so it may be anybody's. */
static void test_crowd_around_an_early_call(void **state)
{
	for (unsigned others = 1; others <= 5000; others += 4999) {
		struct scene *s = scene_open();
		struct ww_span p;
		char id[16];

		CALL(.from = 1100, .to = 1150, .status = 201);
		for (unsigned i = 0; i < others; i++) {
			bool awaits = i + 1 == others;

			snprintf(id, sizeof(id), "c%u", i);
			p = tool_span(s, id, WW_SPAN_OK, awaits ? 1000 : 3000, 3100);
			memcpy(p.span_id, &i, sizeof(i));
			p.span_id[7] = 1;
			p.received = at_ms(60000); /* not judged yet */
			tell(s, &p);
		}
		p = tool_span(s, "due", WW_SPAN_OK, 2000, 2500);
		tell(s, &p);
		tick(s, 14000);
		if (others == 1)
			expect(s, "NO_ACTION", "", "E0", "NONE");
		else
			expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
		scene_close(s);
	}
}

/* More calls after one that did nothing than overlap with any: all are their own spans'. */
static void test_busy_tree(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "idle", WW_SPAN_OK, 1000, 1001);

	tell(s, &p);
	for (unsigned i = 0; i < 100; i++) {
		unsigned at = 1010 + 10 * i;
		char id[16];

		snprintf(id, sizeof(id), "c%u", i);
		p = tool_span(s, id, WW_SPAN_OK, at, at + 8);
		memcpy(p.span_id, &i, sizeof(i));
		p.span_id[7] = 1;
		CALL(.from = at + 2, .to = at + 6, .status = 201);
		tell(s, &p);
	}
	tick(s, 9000);
	expect_nth(s, 0, "NO_ACTION", "", "E0", "NONE");
	for (unsigned i = 0; i < 100; i++)
		expect_nth(s, 1 + i, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

/* Back to back, the margins overlap: the span around the call wins over its neighbour's margin. */
static void test_neighbours(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 1501, 2000);

	CALL(.from = 1490, .to = 1495, .status = 503);
	CALL(.from = 1503, .to = 1700, .status = 201);
	tell(s, &a);
	tell(s, &b);
	tick(s, 6000);
	expect_nth(s, 0, "MASKED_ERROR", "", "E4", "UNIQUE");
	expect_nth(s, 1, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

/* The next call's span comes with the next batch: until then that call might be ours. */
static void test_waits_for_the_next_span(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 2500, 3000);

	CALL(.from = 2600, .to = 2700, .status = 201);
	tell(s, &a);
	tick(s, 4000);
	tick(s, 6900);
	assert_int_equal(count_kind(s, "verdict"), 0);
	b.received = at_ms(7000);
	tell(s, &b);
	tick(s, 7100);
	assert_int_equal(count_kind(s, "verdict"), 0); /* looked for every second */
	tick(s, 8000);
	expect_nth(s, 0, "NO_ACTION", "", "E0", "NONE");
	tick(s, 10000);
	expect_nth(s, 1, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

/* In the margin alone: it may be the span's, late or early by its clock, or nobody's. */
static void test_margin_confirms_nothing(void **state)
{
	static const unsigned begins[] = {980, 1520};

	for (unsigned i = 0; i < 2; i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

		CALL(.from = begins[i], .to = begins[i] + 10, .status = 201);
		tell(s, &p);
		tick(s, 14000);
		expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
		scene_close(s);
	}
}

/* A start in whole milliseconds lost up to one, and the end with it: a fast call begins behind it.
 */
static void test_coarse_clock(void **state)
{
	for (unsigned fine = 0; fine < 2; fine++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

		p.start.ns += fine;
		CALL(.from = 1501, .to = 1502, .status = 201);
		tell(s, &p);
		tick(s, 14000);
		if (fine)
			expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
		else
			expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
		scene_close(s);
	}
}

/* A success right behind a failed call may be its retry: then nothing was masked. */
static void test_margin_may_be_a_retry(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1200, .status = 503);
	CALL(.from = 1520, .to = 1600, .status = 201);
	tell(s, &p);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E4", "UNIQUE");
	scene_close(s);
}

/* A neighbour's success is no second one of ours. */
static void test_margin_is_no_duplicate(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1200, .status = 201);
	CALL(.from = 1520, .to = 1600, .status = 201);
	tell(s, &p);
	tick(s, 6000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

/* A tool that nothing declares may make such a call, too: inside its own span it is not ours. */
static void test_neighbour_without_contract(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span b = span_of(s, WW_SPAN_TOOL, "undeclared", "c2", WW_SPAN_OK, 1505, 2000);

	CALL(.from = 1520, .to = 1600, .status = 201);
	tell(s, &a);
	tell(s, &b);
	tick(s, 6000);
	expect_nth(s, 0, "NO_ACTION", "", "E0", "NONE");
	expect_nth(s, 1, "UNVERIFIABLE", "NO_CONTRACT", "E0", "NONE");
	a = tool_span(s, "c3", WW_SPAN_OK, 7000, 7100);
	tell(s, &a); /* nor is it when its own action was judged before */
	tick(s, 12000);
	expect_nth(s, 2, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

/* --- what belongs together ----------------------------------------------------------------------
 */

/* model call, span and claim with one id, in any order of arrival, are one action. */
static void test_one_action(void **state)
{
	for (unsigned order = 0; order < 6; order++) {
		static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
						      {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "call-3", WW_SPAN_OK, 2000, 2500);
		struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 2700);

		claim_on(&turn, "cl", "refund", "call-3", true, 2600);
		CALL(.from = 2100, .to = 2200, .status = 503);
		for (unsigned i = 0; i < 3; i++) {
			if (orders[order][i] == 0)
				model_answers(s, 1900, "call-3", "refund", NULL);
			else if (orders[order][i] == 1)
				tell(s, &p);
			else
				tell(s, &turn);
		}
		tick(s, 7000);
		json_t *r = expect(s, "MASKED_ERROR", "", "E4", "UNIQUE");

		assert_string_equal(text(json_object_get(r, "said"), "claim"), "done");
		assert_string_equal(text(json_object_get(s->records[0], "model"), "responseId"),
				    "resp-1900");
		scene_close(s);
	}
}

static void test_claim_without_an_id_means_the_only_span(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "", WW_SPAN_OK, 2000, 2500);
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 2700);

	claim_on(&turn, "cl", "refund", "", true, 2600);
	CALL(.from = 2100, .to = 2200, .status = 201);
	tell(s, &turn);
	tell(s, &p);
	tick(s, 7000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");

	assert_string_equal(text(json_object_get(r, "said"), "claim"), "done");
	scene_close(s);
}

/* The claim that it is given may have come later than its span, and has its own grace. */
static void test_waits_for_the_grace_of_a_claim_without_an_id(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 900, 3500);

	claim_on(&turn, "claim-1", "refund", "", true, 3400);
	tell(s, &p);
	tell(s, &turn);
	tick(s, 3600);
	tick(s, 2005 + 2050 + 10);
	assert_int_equal(s->count, 0);
	tick(s, 3505 + 2050 - 1);
	assert_int_equal(s->count, 0);
	tick(s, 3505 + 2050 + 1);
	assert_int_equal(s->count, 2);
	scene_close(s);
}

static void test_claim_without_an_id_could_mean_two(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "", WW_SPAN_OK, 2000, 2500);
	struct ww_span b = tool_span(s, "", WW_SPAN_OK, 3000, 3500);
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 3700);

	claim_on(&turn, "cl", "refund", "", true, 3600);
	CALL(.from = 2100, .to = 2200, .status = 201);
	CALL(.from = 3100, .to = 3200, .status = 503);
	tell(s, &a);
	tell(s, &b);
	tell(s, &turn);
	tick(s, 9000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	expect_nth(s, 1, "MASKED_ERROR", "", "E4", "UNIQUE");
	json_t *r = expect_nth(s, 2, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");

	assert_int_equal(number(r, "n"), 2);
	scene_close(s);
}

static void test_span_without_an_id_carries_out_the_only_call(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "", WW_SPAN_OK, 2000, 2500);

	model_answers(s, 1900, "call-3", "refund", NULL);
	CALL(.from = 2100, .to = 2200, .status = 201);
	tell(s, &p);
	tick(s, 7000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");

	assert_string_equal(text(r, "toolCallId"), "call-3");
	scene_close(s);
}

/* Providers that number their calls from one in every turn. */
static void test_call_id_used_again(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "call_1", WW_SPAN_OK, 2000, 2500);
	struct ww_span b = tool_span(s, "call_1", WW_SPAN_OK, 5000, 5500);

	model_answers(s, 1900, "call_1", "refund", NULL);
	CALL(.from = 2100, .to = 2200, .status = 201);
	model_answers(s, 2700, NULL, NULL, "call_1");
	model_answers(s, 4900, "call_1", "refund", NULL);
	CALL(.from = 5100, .to = 5200, .status = 503);
	tell(s, &b);
	tell(s, &a);
	tick(s, 9000);
	json_t *first = expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	json_t *second = expect_nth(s, 1, "MASKED_ERROR", "", "E4", "UNIQUE");

	assert_int_equal(count_kind(s, "action"), 2);
	assert_string_not_equal(text(first, "action"), text(second, "action"));
	scene_close(s);
}

/* A child span of the tool span sends the request, as HTTP instrumentation does. */
static void test_descendant_span_on_the_wire(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);
	struct ww_span inner = span_of(s, WW_SPAN_OTHER, "", "", WW_SPAN_OK, 1010, 1990);
	struct ww_span http = span_of(s, WW_SPAN_HTTP, "", "", WW_SPAN_OK, 1020, 1980);
	struct ww_span other = tool_span(s, "c2", WW_SPAN_OK, 1000, 2000);

	memcpy(inner.parent_id, p.span_id, 8);
	memcpy(http.parent_id, inner.span_id, 8);
	CALL(.from = 1100, .to = 1200, .status = 201, .traced = &http);
	tell(s, &http);
	tell(s, &inner);
	tell(s, &p);
	tell(s, &other);
	tick(s, 6000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "EXACT");
	json_t *r = expect_nth(s, 1, "NO_ACTION", "", "E0", "NONE");

	assert_string_equal(text(json_array_get(json_object_get(wire(r), "nearMiss"), 0), "why"),
			    "taken");
	scene_close(s);
}

static void test_child_process_makes_the_call(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);

	born(s, 101, AGENT, 1050);
	CALL(.pid = 101, .from = 1100, .to = 1200, .status = 201);
	tell(s, &p);
	tick(s, 6000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_model_span_is_joined_by_response_id(void **state)
{
	struct scene *s = scene_open();
	struct ww_span chat = span_of(s, WW_SPAN_MODEL, "", "", WW_SPAN_OK, 1700, 1950);

	snprintf(chat.response_id, sizeof(chat.response_id), "resp-1900");
	model_answers(s, 1900, "call-3", "refund", NULL);
	tell(s, &chat);
	model_answers(s, 2900, NULL, NULL, "call-3");
	tick(s, 15000);
	json_t *m = json_object_get(s->records[0], "model");

	assert_string_equal(text(m, "join"), "EXACT");
	assert_string_equal(text(m, "by"), "response-id");
	assert_string_equal(text(m, "span"), "s-1010101010101010");
	scene_close(s);
}

/* --- time ---------------------------------------------------------------------------------------
 */

static void test_waits_for_an_open_exchange(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct call c = {.cookie = 7, .from = 1100, .to = 9000, .status = 201, .stays_open = true};
	struct ww_exchange x;

	flow_for(s, &(struct call){.from = 1100}, 7); /* a request, no end yet */
	tell(s, &p);
	tick(s, 5000);
	tick(s, 30000);
	assert_int_equal(s->count, 0);
	fill_exchange(s, &c, 7, &x);
	x.t_last_resp = at_ms(30500);
	deliver(s, &x, NULL);
	tick(s, 31000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_waits_only_so_long(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	flow_for(s, &(struct call){.from = 1100}, 7);
	tell(s, &p);
	tick(s, 33000);
	assert_int_equal(s->count, 0);
	tick(s, 34500);
	expect(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E0", "NONE");
	scene_close(s);
}

/* The reply comes after the verdict: it is judged again, and the record names the old one. */
static void answer_is_shown(struct scene *s)
{
	model_answers(s, 3000, NULL, NULL, "c1"); /* its request began at 2900 */
}

static void caller_dies(struct scene *s)
{
	died(s, AGENT, 5000);
}

static void span_comes(struct scene *s)
{
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1500, 3000);

	tell(s, &p);
}

/* A call that a model asked for waits a minute; what happens between two ticks may end that. */
static void test_waits_anew_when_more_is_known(void **state)
{
	static const struct {
		void (*happens)(struct scene *s);
		uint64_t due_ms; /* grace and skew included: 2050 */
	} cases[] = {
		{answer_is_shown, 2900 + 8000 + 2050},
		{caller_dies, 5000 + 2050},
		{span_comes, 3005 + 2050},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct scene *s = scene_open();

		model_answers(s, 1000, "c1", "refund", NULL);
		tick(s, 2000);
		cases[i].happens(s);
		tick(s, cases[i].due_ms - 1);
		assert_int_equal(s->count, 0);
		tick(s, cases[i].due_ms + 1);
		assert_int_equal(s->count, 2); /* an action and its verdict */
		scene_close(s);
	}
}

static void test_late_exchange_supersedes(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct call c = {.cookie = 7, .from = 1100, .to = 40000, .status = 201};
	struct ww_exchange x;

	flow_for(s, &(struct call){.from = 1100}, 7);
	tell(s, &p);
	tick(s, 35000);
	expect(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E0", "NONE");
	fill_exchange(s, &c, 7, &x);
	deliver(s, &x, NULL);
	tick(s, 41000);
	json_t *r = expect_nth(s, 1, "CONFIRMED_T1", "", "E4", "UNIQUE");

	assert_string_equal(text(r, "supersedes"), text(verdict(s, 0), "id"));
	assert_string_equal(text(r, "action"), text(verdict(s, 0), "action"));
	assert_int_equal(ww_judge_counts(s->judge).superseded, 1);
	scene_close(s);
}

/* A request without a reply is told when its connection closes, after exchanges that ended later.
 */
static void test_exchanges_told_out_of_order(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);

	CALL(.from = 1100, .to = 1300, .status = 201);
	CALL(.from = 300, .outcome = WW_X_RESET);
	tell(s, &p);
	tick(s, 6000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_late_span_supersedes(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "call-5", WW_SPAN_OK, 1600, 2400);

	model_answers(s, 1500, "call-5", "refund", NULL);
	model_answers(s, 2600, NULL, NULL, "call-5");
	tick(s, 14000);
	expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	p.received = at_ms(20000);
	tell(s, &p);
	tick(s, 25000);
	json_t *r = expect_nth(s, 1, "NO_ACTION", "", "E0", "NONE");

	assert_string_equal(text(r, "supersedes"), text(verdict(s, 0), "id"));
	scene_close(s);
}

static void test_late_claim_supersedes_only_when_it_says_more(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 900, 9000);

	CALL(.from = 1100, .to = 1200, .status = 503, .traced = &p);
	tell(s, &p);
	tick(s, 6000);
	tell(s, &p); /* exporters repeat themselves */
	tick(s, 9000);
	expect(s, "MASKED_ERROR", "", "E4", "EXACT");
	assert_int_equal(ww_judge_counts(s->judge).spans_repeated, 1);
	claim_on(&turn, "cl", "refund", "c1", true, 1600);
	tell(s, &turn);
	tick(s, 15000);
	json_t *r = expect_nth(s, 1, "MASKED_ERROR", "", "E4", "EXACT");

	assert_string_equal(text(json_object_get(r, "said"), "claim"), "done");
	assert_string_equal(text(r, "supersedes"), text(verdict(s, 0), "id"));
	scene_close(s);
}

static void test_finish(void **state)
{
	struct scene *s = scene_open();
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 3000, 3500);
	struct ww_span c = tool_span(s, "c3", WW_SPAN_OK, 4000, 4500);

	CALL(.from = 1100, .to = 1200, .status = 201, .traced = &a);
	CALL(.from = 3100, .to = 3200, .status = 503, .traced = &b);
	tell(s, &a);
	tell(s, &b);
	tell(s, &c);
	ww_judge_finish(s->judge, at_ms(4600));
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "EXACT");
	expect_nth(s, 1, "UNVERIFIABLE", "COVERAGE_GAP", "E4", "EXACT");
	expect_nth(s, 2, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");
	scene_close(s);
}

/* --- determinism and ceilings -------------------------------------------------------------------
 */

static struct scene *play(void)
{
	struct scene *s = scene_open();

	for (unsigned i = 0; i < 40; i++) {
		uint64_t t = 1000 + 500 * i;
		char id[16];
		struct ww_span p, turn;

		snprintf(id, sizeof(id), "c%u", i % 30);
		p = tool_span(s, id, (enum ww_span_status)(i % 3), t + 100, t + 300);
		turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, t, t + 400);
		claim_on(&turn, id, "refund", i % 2 ? id : "", i % 5 != 0, t + 390);
		if (i % 4)
			model_answers(s, t + 90, id, "refund", NULL);
		if (i % 3)
			CALL(.from = t + 150, .to = t + 200,
			     .status = (uint16_t)(i % 7 ? 201 : 503), .traced = i % 2 ? &p : NULL);
		tell(s, &turn);
		tell(s, &p);
		if (i == 20)
			lost(s, 3, t);
		tick(s, t + 450);
	}
	ww_judge_finish(s->judge, at_ms(24000));
	return s;
}

static void test_same_calls_same_bytes(void **state)
{
	struct scene *a = play(), *b = play();

	assert_true(a->count > 40);
	assert_int_equal(a->bytes.n, b->bytes.n);
	assert_memory_equal(a->bytes.p, b->bytes.p, a->bytes.n);
	scene_close(a);
	scene_close(b);
}

/* What was said to be pending. */
struct heard {
	unsigned count;
	json_t *each[16];
};

static void hear(void *ctx, struct ww_slice json)
{
	struct heard *h = ctx;

	assert_true(h->count < WW_ARRAY_SIZE(h->each));
	h->each[h->count] = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(h->each[h->count++]);
}

static void forget(struct heard *h)
{
	while (h->count > 0)
		json_decref(h->each[--h->count]);
}

static void expect_pending(const struct heard *h, unsigned nth, const char *action,
			   const char *wait)
{
	assert_true(nth < h->count);
	assert_string_equal(text(h->each[nth], "verdict"), "PENDING");
	assert_string_equal(text(h->each[nth], "action"), action);
	assert_string_equal(text(h->each[nth], "waitsFor"), wait);
}

/* The time of the scene in the form of records. */
static const char *when(uint64_t ms)
{
	static char out[WW_RFC3339_MAX];

	ww_wall_rfc3339((struct ww_wall){WALL_NS + ms * 1000000}, out);
	return out;
}

static void test_pending_then_final(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct heard h = {0}, now = {0};
	const char *id;

	ww_judge_watch(s->judge, hear, &h);
	tell(s, &p);
	tick(s, 1700);
	assert_int_equal(h.count, 1);
	id = text(h.each[0], "action");
	expect_pending(&h, 0, id, "grace");
	assert_string_equal(text(h.each[0], "tool"), "refund");
	assert_string_equal(text(json_object_get(h.each[0], "span"), "status"), "OK");
	tick(s, 1800); /* nothing new, nothing said */
	assert_int_equal(h.count, 1);
	ww_judge_pending(s->judge, hear, &now);
	assert_int_equal(now.count, 1);
	assert_true(json_equal(now.each[0], h.each[0]));
	assert_int_equal(count_kind(s, "verdict"), 0);
	/* Its verdict comes with the first tick after the deadline, and not before. */
	for (uint64_t ms = 1900; count_kind(s, "verdict") == 0; ms += 100) {
		tick(s, ms);
		if (strcmp(when(ms), text(h.each[0], "deadline")) < 0)
			assert_int_equal(count_kind(s, "verdict"), 0);
		else
			assert_int_equal(count_kind(s, "verdict"), 1);
	}
	assert_string_equal(text(verdict(s, 0), "action"), id);
	assert_int_equal(h.count, 1);
	forget(&now);
	ww_judge_pending(s->judge, hear, &now);
	assert_int_equal(now.count, 0);
	forget(&h);
	scene_close(s);
}

static void test_a_verdict_is_not_pending(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span late = tool_span(s, "c1", WW_SPAN_ERROR, 1000, 1500);
	struct heard h = {0};

	ww_judge_watch(s->judge, hear, &h);
	tell(s, &p);
	tick(s, 1700);
	tick(s, 9000);
	assert_int_equal(count_kind(s, "verdict"), 1);
	late.span_id[0] ^= 1;
	late.received.ns = BASE_NS + 9000 * 1000000ull;
	tell(s, &late); /* judged again, but it has a verdict meanwhile */
	tick(s, 9100);
	tick(s, 19000);
	assert_int_equal(h.count, 1);
	forget(&h);
	scene_close(s);
}

static void test_pending_waits(void **state)
{
	struct scene *s = scene_open();
	struct heard h = {0};

	ww_judge_watch(s->judge, hear, &h);
	model_answers(s, 1000, "c1", "refund", NULL);
	tick(s, 1100);
	assert_int_equal(h.count, 1);
	expect_pending(&h, 0, text(h.each[0], "action"), "span");
	assert_true(json_is_null(json_object_get(h.each[0], "span")));
	/* The span moves the deadline: the same action is told of again. */
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	tell(s, &p);
	tick(s, 1700);
	assert_int_equal(h.count, 2);
	expect_pending(&h, 1, text(h.each[0], "action"), "grace");
	assert_string_not_equal(text(h.each[1], "deadline"), text(h.each[0], "deadline"));
	forget(&h);
	scene_close(s);
}

/* A claim that turns out to be part of a span's action gets no verdict of its own: that is said. */
static void test_pending_claim_becomes_part(void **state)
{
	struct scene *s = scene_open();
	struct ww_span turn = span_of(s, WW_SPAN_OTHER, "", "", WW_SPAN_OK, 900, 1600);
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct heard h = {0};
	unsigned parts = 0;

	claim_on(&turn, "k1", "refund", "", true, 1550);
	ww_judge_watch(s->judge, hear, &h);
	tell(s, &turn);
	tell(s, &p);
	for (uint64_t ms = 1700; ms < 9000; ms += 100)
		tick(s, ms);
	assert_int_equal(count_kind(s, "verdict"), 1);
	for (unsigned i = 0; i < h.count; i++) {
		const char *into = text(h.each[i], "partOf");

		if (!*into)
			continue;
		parts++;
		assert_string_equal(into, text(verdict(s, 0), "action"));
		assert_string_not_equal(text(h.each[i], "action"), into);
		assert_null(json_object_get(h.each[i], "deadline"));
	}
	assert_int_equal(parts, 1);
	forget(&h);
	scene_close(s);
}

static void ignore(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	(*(unsigned *)ctx)++;
	assert_true(json.n <= WW_RECORD_BYTES_MAX);
}

static void test_actions_have_a_ceiling(void **state)
{
	struct scene *s = scene_open();
	struct ww_judge_config cfg = {0};
	struct ww_judge_deps deps = {.actors = s->actors,
				     .flows = s->flows,
				     .coverage = s->coverage,
				     .contracts = s->contracts,
				     .key = &s->key,
				     .clock = &s->clock};
	WW_AUTO(ww_judge_free_auto) struct ww_judge *j = NULL;
	struct ww_judge_counts c;
	unsigned records = 0;

	assert_int_equal(ww_judge_new(&cfg, &deps, ignore, &records, &j), 0);
	for (unsigned i = 0; i < WW_ACTIONS_HELD_MAX + 100; i++) {
		struct ww_span p = tool_span(s, "", WW_SPAN_OK, 1000, 1500);

		memcpy(p.span_id, &i, sizeof(i));
		assert_int_equal(ww_judge_span(j, &p), 0);
	}
	c = ww_judge_counts(j);
	assert_int_equal(c.actions_held, WW_ACTIONS_HELD_MAX);
	assert_int_equal(c.actions_given_up, 100);
	assert_int_equal(c.actions_dropped, 100);
	assert_int_equal(c.verdicts[WW_VERDICT_UNVERIFIABLE], 100);
	assert_int_equal(records, 200);
	assert_int_equal(c.spans_held, WW_SPANS_HELD_MAX);
	scene_close(s);
}

static void test_exchanges_have_a_ceiling(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_exchange x;
	struct ww_judge_counts c;

	fill_exchange(s, &(struct call){.from = 1010, .to = 1020, .status = 201}, 1, &x);
	x.actor = x.root = process(STRANGER);
	for (unsigned i = 0; i < WW_EXCHANGES_HELD_MAX + 5; i++) {
		x.index = i;
		assert_int_equal(ww_judge_exchange(s->judge, &x, NULL, NULL), 0);
	}
	c = ww_judge_counts(s->judge);
	assert_int_equal(c.exchanges_held, WW_EXCHANGES_HELD_MAX);
	assert_int_equal(c.evidence_dropped, 5);
	tell(s, &p);
	tick(s, 5000);
	json_t *r = expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E0", "NONE");

	assert_int_equal(world_item(r, "kept"), 0);
	assert_int_equal(world_item(r, "losses"), 1);
	scene_close(s);
}

static void test_old_evidence_is_forgotten(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_judge_counts c;

	CALL(.from = 1100, .to = 1200, .status = 201);
	tell(s, &p);
	tick(s, 5000);
	tick(s, 700000);
	c = ww_judge_counts(s->judge);
	assert_int_equal(c.actions_held, 0);
	assert_int_equal(c.exchanges_held, 0);
	assert_int_equal(c.flows_held, 0);
	assert_int_equal(c.spans_held, 0);
	assert_int_equal(c.evidence_dropped, 0); /* forgotten in good order, not for want of room */
	scene_close(s);
}

/* Nothing of what was sent or answered stands in a record. */
static void test_records_hold_no_content(void **state)
{
	static const char *const secrets[] = {"SECRET-ID-41", "customer-name", "tok_live"};
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1200, .status = 201, .idempotency = "tok_live",
	     .target = "/v1/refunds?who=customer-name", .body = "{\"id\":\"SECRET-ID-41\"}");
	CALL(.method = "GET", .target = "/v1/orders/41-customer-name", .from = 1300, .to = 1400,
	     .status = 200);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	for (unsigned i = 0; i < WW_ARRAY_SIZE(secrets); i++)
		assert_null(memmem(s->bytes.p, s->bytes.n, secrets[i], strlen(secrets[i])));
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_concurrent_twins),
		cmocka_unit_test(test_twins_with_one_call),
		cmocka_unit_test(test_twins_told_apart_by_trace),
		cmocka_unit_test(test_one_of_twins_told_by_trace),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_crowd_around_an_early_call),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_waits_for_the_next_span),
		cmocka_unit_test(test_busy_tree),
		cmocka_unit_test(test_margin_confirms_nothing),
		cmocka_unit_test(test_coarse_clock),
		cmocka_unit_test(test_margin_may_be_a_retry),
		cmocka_unit_test(test_margin_is_no_duplicate),
		cmocka_unit_test(test_neighbour_without_contract),
		cmocka_unit_test(test_one_action),
		cmocka_unit_test(test_claim_without_an_id_means_the_only_span),
		cmocka_unit_test(test_waits_for_the_grace_of_a_claim_without_an_id),
		cmocka_unit_test(test_claim_without_an_id_could_mean_two),
		cmocka_unit_test(test_span_without_an_id_carries_out_the_only_call),
		cmocka_unit_test(test_call_id_used_again),
		cmocka_unit_test(test_descendant_span_on_the_wire),
		cmocka_unit_test(test_child_process_makes_the_call),
		cmocka_unit_test(test_model_span_is_joined_by_response_id),
		cmocka_unit_test(test_waits_for_an_open_exchange),
		cmocka_unit_test(test_waits_only_so_long),
		cmocka_unit_test(test_waits_anew_when_more_is_known),
		cmocka_unit_test(test_late_exchange_supersedes),
		cmocka_unit_test(test_exchanges_told_out_of_order),
		cmocka_unit_test(test_late_span_supersedes),
		cmocka_unit_test(test_late_claim_supersedes_only_when_it_says_more),
		cmocka_unit_test(test_finish),
		cmocka_unit_test(test_same_calls_same_bytes),
		cmocka_unit_test(test_pending_then_final),
		cmocka_unit_test(test_a_verdict_is_not_pending),
		cmocka_unit_test(test_pending_waits),
		cmocka_unit_test(test_pending_claim_becomes_part),
		cmocka_unit_test(test_actions_have_a_ceiling),
		cmocka_unit_test(test_exchanges_have_a_ceiling),
		cmocka_unit_test(test_old_evidence_is_forgotten),
		cmocka_unit_test(test_records_hold_no_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
