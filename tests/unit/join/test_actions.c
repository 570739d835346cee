/* SPDX-License-Identifier: Apache-2.0 */
#include "join/actions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MS 1000000ull

struct fixture {
	struct ww_contracts *contracts;
	struct ww_digest_key key;
	struct ww_clock_map clock;
	struct ww_actions *actions;
	uint8_t next;
};

static int setup(void **state)
{
	static const char yaml[] = "version: 1\n"
				   "contracts:\n"
				   "- {tool: pad, effect: none}\n"
				   "- tool: pay\n"
				   "  effect: network\n"
				   "  destinations: [{name: a.test}]\n"
				   "  methods: [POST]\n"
				   "  paths: [/a]\n"
				   "  async_deadline: 5s\n";
	struct fixture *f = calloc(1, sizeof(*f));
	struct ww_contract_error e;

	ww_digest_key_init(&f->key, (const uint8_t *)"0123456789abcdef0123456789abcdef");
	f->clock = (struct ww_clock_map){
		.boot = {1000 * MS}, .wall = {900000 * MS}, .bound_ns = 1000, .valid = true};
	assert_int_equal(ww_contracts_parse(ww_slice_str(yaml), &f->contracts, &e), 0);
	assert_int_equal(ww_actions_new(f->contracts, &f->key, &f->clock, 50 * MS, &f->actions), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ww_actions_free(f->actions);
	ww_contracts_free(f->contracts);
	free(f);
	return 0;
}

static struct ww_span span(struct fixture *f, enum ww_span_role role, const char *call_id,
			   uint64_t from_ms, uint64_t to_ms)
{
	struct ww_span s = {.role = role, .status = WW_SPAN_OK};

	s.root.pid = s.actor.pid = 7;
	s.span_id[0] = ++f->next;
	s.start.ns = (900000 + from_ms) * MS;
	s.end.ns = (900000 + to_ms) * MS;
	s.received.ns = (1000 + to_ms + 1) * MS;
	if (role == WW_SPAN_TOOL)
		snprintf(s.tool_name, sizeof(s.tool_name), "pay");
	snprintf(s.tool_call_id, sizeof(s.tool_call_id), "%s", call_id);
	return s;
}

static struct ww_action *tell(struct fixture *f, const struct ww_span *s)
{
	struct ww_action *a = NULL;

	assert_int_equal(ww_actions_add_span(f->actions, s, &a), 0);
	return a;
}

static void ask(struct fixture *f, const char *call_id, uint64_t ms, uint32_t index)
{
	struct ww_exchange x = {.cookie = 3, .index = index, .client = true};
	WW_AUTO_FREE struct ww_model_call *m = calloc(1, sizeof(*m));
	struct ww_model_tool_call *call = &m->tool_calls[0];

	x.root.pid = x.actor.pid = 7;
	x.t_first_req.ns = (1000 + ms - 20) * MS;
	x.t_first_resp.ns = (1000 + ms) * MS;
	call->complete = true;
	snprintf(m->response_id, sizeof(m->response_id), "resp");
	snprintf(call->id, sizeof(call->id), "%s", call_id);
	snprintf(call->name, sizeof(call->name), "pay");
	assert_int_equal(ww_actions_add_call(f->actions, &x, m, 0), 0);
}

static void test_span_opens_an_action(void **state)
{
	struct fixture *f = *state;
	struct ww_span s = span(f, WW_SPAN_TOOL, "c1", 100, 200);
	struct ww_action *a = tell(f, &s);

	assert_int_equal(a->contract, 1);
	assert_int_equal(a->number, 1);
	assert_int_equal(a->begun.ns, 1100 * MS);
	assert_int_equal(a->ended.ns, 1200 * MS);
	assert_int_equal(a->bound_ns, 1000);
	assert_false(a->clock_bad);
	assert_int_equal(strlen(a->id), 18);
	assert_int_not_equal(ww_action_last_span(a)->status, WW_SPAN_ERROR);
	assert_false(ww_action_claim_only(a));
}

static void test_other_spans_open_nothing(void **state)
{
	struct fixture *f = *state;

	for (unsigned role = 0; role <= WW_SPAN_HTTP; role++) {
		struct ww_span s = span(f, (enum ww_span_role)role, "c1", 100, 200);

		if (role != WW_SPAN_TOOL)
			assert_null(tell(f, &s));
	}
	assert_int_equal(ww_actions_count(f->actions), 0);
}

static void test_ids_are_of_one_tree(void **state)
{
	struct fixture *f = *state;
	struct ww_span a = span(f, WW_SPAN_TOOL, "c1", 100, 200), b = a, c = a;

	b.root.pid = b.actor.pid = 8;
	c.root.pid = c.actor.pid = 0;
	assert_ptr_not_equal(tell(f, &a), tell(f, &b));
	(void)tell(f, &c);
	assert_int_equal(ww_actions_count(f->actions), 3);
}

static void test_retry_by_the_framework_is_one_action(void **state)
{
	struct fixture *f = *state;
	struct ww_span a = span(f, WW_SPAN_TOOL, "c1", 100, 200);
	struct ww_span b = span(f, WW_SPAN_TOOL, "c1", 300, 400);
	struct ww_span c = span(f, WW_SPAN_TOOL, "c1", 900, 950);

	a.status = WW_SPAN_ERROR;
	c.trace_id[0] = 1; /* another trace: another turn */
	assert_ptr_equal(tell(f, &b), tell(f, &a));
	assert_ptr_not_equal(tell(f, &c), ww_actions_open(f->actions));
	assert_int_equal(ww_actions_open(f->actions)->span_count, 2);
	assert_int_equal(ww_actions_open(f->actions)->begun.ns, 1100 * MS);
	/* the one that ended last speaks, whichever came first */
	assert_int_not_equal(ww_action_last_span(ww_actions_open(f->actions))->status,
			     WW_SPAN_ERROR);
}

static void test_spans_beyond_the_table(void **state)
{
	struct fixture *f = *state;
	struct ww_action *a = NULL;

	for (unsigned i = 0; i < WW_ACTION_SPANS_MAX + 2; i++) {
		struct ww_span s = span(f, WW_SPAN_TOOL, "c1", 100 + i, 200 + i);

		a = tell(f, &s);
	}
	assert_int_equal(a->span_count, WW_ACTION_SPANS_MAX);
	assert_int_equal(a->parts_over, 2);
	assert_int_equal(a->ended.ns, (1200 + WW_ACTION_SPANS_MAX + 1) * MS);
}

static void test_model_calls_of_one_id(void **state)
{
	struct fixture *f = *state;
	struct ww_span late = span(f, WW_SPAN_TOOL, "c1", 600, 700);
	struct ww_span early = span(f, WW_SPAN_TOOL, "c1", 150, 200);
	struct ww_action *a, *b;

	ask(f, "c1", 100, 0);
	ask(f, "c1", 500, 1);
	assert_int_equal(ww_actions_count(f->actions), 2);
	b = tell(f, &late);
	a = tell(f, &early);
	assert_ptr_not_equal(a, b);
	assert_int_equal(a->model.at.ns, 1100 * MS);
	assert_int_equal(b->model.at.ns, 1500 * MS);
	assert_memory_equal(a->id, b->id, 18); /* one key, */
	assert_string_equal(b->id + 18, "-1"); /* the second of it */
}

static void test_without_ids_only_one_partner_will_do(void **state)
{
	struct fixture *f = *state;
	struct ww_span s = span(f, WW_SPAN_TOOL, "", 150, 200);
	struct ww_span t = span(f, WW_SPAN_TOOL, "", 160, 210);

	ask(f, "c1", 100, 0);
	assert_true(tell(f, &s)->model.asked);
	assert_false(tell(f, &t)->model.asked); /* it is taken */
	ask(f, "c2", 300, 1);
	ask(f, "c3", 310, 2);
	s = span(f, WW_SPAN_TOOL, "", 350, 400);
	assert_false(tell(f, &s)->model.asked); /* two could be meant */
}

static void test_clock(void **state)
{
	struct fixture *f = *state;
	struct ww_span s = span(f, WW_SPAN_TOOL, "c1", 100, 200);

	s.received.ns -= 40 * MS; /* within the skew */
	assert_false(tell(f, &s)->clock_bad);
	s = span(f, WW_SPAN_TOOL, "c2", 100, 200);
	s.received.ns -= 60 * MS; /* received before it ended */
	assert_true(tell(f, &s)->clock_bad);
	f->clock.since.ns = f->clock.boot.ns + 150 * MS; /* the clock was set while it ran */
	s = span(f, WW_SPAN_TOOL, "c4", 100, 200);
	assert_true(tell(f, &s)->clock_bad);
	s = span(f, WW_SPAN_TOOL, "c5", 160, 200);
	assert_false(tell(f, &s)->clock_bad);
	f->clock.since.ns = 0;
	s = span(f, WW_SPAN_TOOL, "c3", 200, 100);
	s.received.ns = 2000 * MS;
	assert_true(tell(f, &s)->clock_bad);
	f->clock.valid = false;
	s = span(f, WW_SPAN_TOOL, "c4", 100, 200);
	assert_true(tell(f, &s)->clock_bad);
}

static void test_claims(void **state)
{
	struct fixture *f = *state;
	struct ww_span turn = span(f, WW_SPAN_AGENT, "", 50, 300);
	struct ww_span s = span(f, WW_SPAN_TOOL, "c1", 100, 200);
	struct ww_action *a = tell(f, &s);
	unsigned partners;

	turn.claim_count = 3;
	snprintf(turn.claims[0].claim_id, 64, "by id");
	snprintf(turn.claims[0].tool_call_id, 128, "c1");
	turn.claims[0].done = true;
	snprintf(turn.claims[1].claim_id, 64, "announced");
	snprintf(turn.claims[1].tool, 128, "pay");
	turn.claims[1].at = (struct ww_wall){(900000 + 120) * MS};
	snprintf(turn.claims[2].claim_id, 64, "other tool");
	snprintf(turn.claims[2].tool, 128, "pad");
	turn.claims[2].done = true;
	assert_null(tell(f, &turn));
	assert_int_equal(ww_actions_count(f->actions), 3);
	assert_int_equal(a->claim_count, 1);

	a = a->next; /* "announced": the contract gives it a date */
	assert_true(ww_action_claim_only(a));
	assert_false(ww_action_claims_done(a));
	assert_null(ww_action_last_span(a));
	assert_int_equal(a->claims[0].deadline.ns, 6120 * MS);
	assert_true(ww_actions_any_loose(f->actions));
	/* its only possible partner has a claim already */
	assert_false(ww_actions_give_claim(f->actions, a, &partners));
	assert_int_equal(partners, 0);
}

static void test_claim_on_the_tool_span_itself(void **state)
{
	struct fixture *f = *state;
	struct ww_span s = span(f, WW_SPAN_TOOL, "c1", 100, 200);

	s.claim_count = 1;
	s.claims[0].done = true;
	assert_int_equal(tell(f, &s)->claim_count, 1);
	assert_int_equal(ww_actions_count(f->actions), 1);
}

static void test_judged_and_reopened(void **state)
{
	struct fixture *f = *state;
	struct ww_action *a[4];
	struct ww_actor_key root;
	unsigned n = 0;

	for (unsigned i = 0; i < 4; i++) {
		char id[8];
		struct ww_span s;

		snprintf(id, sizeof(id), "c%u", i);
		s = span(f, WW_SPAN_TOOL, id, 100, 200);
		a[i] = tell(f, &s);
	}
	ww_actions_set_judged(f->actions, a[1], (struct ww_boot){5});
	ww_actions_set_judged(f->actions, a[3], (struct ww_boot){6});
	root = a[3]->root;
	assert_int_not_equal(root.pid, 0);
	assert_ptr_equal(ww_actions_judged_of(f->actions, root), a[3]);
	assert_ptr_equal(ww_actions_judged_first(f->actions), a[1]);
	ww_actions_reopen(f->actions, a[1]); /* back to its place */
	for (struct ww_action *o = ww_actions_open(f->actions); o; o = o->next)
		assert_int_equal(o->number, ++n);
	assert_int_equal(n, 3);
	ww_actions_drop(f->actions, a[3]);
	assert_null(ww_actions_judged_of(f->actions, root));
	assert_int_equal(ww_actions_count(f->actions), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		T(test_span_opens_an_action),
		T(test_other_spans_open_nothing),
		T(test_ids_are_of_one_tree),
		T(test_retry_by_the_framework_is_one_action),
		T(test_spans_beyond_the_table),
		T(test_model_calls_of_one_id),
		T(test_without_ids_only_one_partner_will_do),
		T(test_clock),
		T(test_claims),
		T(test_claim_on_the_tool_span_itself),
		T(test_judged_and_reopened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
