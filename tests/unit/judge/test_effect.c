/* SPDX-License-Identifier: Apache-2.0 */
/* Silent success: what the wire answered against what was said. */
#include "scene.h"

/* --- must fail: nothing below may ever be confirmed ---------------------------------------------
 */

static void test_forged_by_an_unknown_sender(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p, .idempotency = "c1");
	p.actor = p.root = (struct ww_actor_key){0};
	tell(s, &p);
	tick(s, 5000);
	expect(s, "UNVERIFIABLE", "ACTOR_UNRESOLVED", "E0", "NONE");
	scene_close(s);
}

static void test_forged_by_another_process(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p, .idempotency = "c1");
	p.actor = p.root = process(STRANGER);
	tell(s, &p);
	tick(s, 13000);
	/* The agent's own call is nobody's yet: it could have been made for the stranger. */
	json_t *r = expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");

	assert_int_equal(world_item(r, "others"), 0);
	assert_int_equal(json_array_size(json_object_get(wire(r), "attempts")), 0);
	scene_close(s);
}

static void test_forged_beside_the_honest_span(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500), forged = p;

	CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p);
	forged.actor = forged.root = process(STRANGER);
	tell(s, &p);
	tick(s, 4000);
	tell(s, &forged);
	tick(s, 7000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "EXACT");
	expect_nth(s, 1, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

/* An earlier reply serves the action that it was for, and no other. */
static void test_cached_earlier_reply(void **state)
{
	for (unsigned late_span = 0; late_span < 2; late_span++) {
		struct scene *s = scene_open();
		struct ww_span first = tool_span(s, "c0", WW_SPAN_OK, 4000, 4500);
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 5000, 5400);

		CALL(.from = 4100, .to = 5010, .status = 201);
		if (late_span) /* then it is judged second */
			first.received = at_ms(6000);
		tell(s, &first);
		tell(s, &p);
		tick(s, 7500);
		tick(s, 9000);
		json_t *r = expect_nth(s, late_span ? 0 : 1, "NO_ACTION", "", "E0", "NONE");

		assert_string_equal(text(r, "toolCallId"), "c1");
		expect_nth(s, late_span ? 1 : 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
		scene_close(s);
	}
}

/* The span's clock runs ahead: its call seems to come before it. */
static void test_call_before_its_span(void **state)
{
	static const struct {
		uint64_t ahead_ms;
		bool traced, blocks;
	} rows[] = {
		{200, false, true},   {4000, true, true},   {4000, false, true},
		{40000, false, true}, {59000, false, true}, {61000, false, false},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		uint64_t from = 2000 + rows[i].ahead_ms;
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, from, from + 100);

		CALL(.from = 2000, .to = 2050, .status = 201, .traced = rows[i].traced ? &p : NULL);
		tell(s, &p);
		tick(s, from + 13000);
		if (rows[i].blocks)
			expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
		else
			expect(s, "NO_ACTION", "", "E0", "NONE");
		scene_close(s);
	}
}

/* Its own call by its trace, behind it and within the next action's: the span's clock is behind. */
static void test_times_denied_by_the_trace(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span next = tool_span(s, "c2", WW_SPAN_OK, 1600, 2000);

	CALL(.from = 1700, .to = 1800, .status = 201, .traced = &p);
	tell(s, &p);
	tell(s, &next);
	tick(s, 9000);
	expect_nth(s, 0, "UNVERIFIABLE", "CLOCK_UNBOUNDED", "E0", "NONE");
	scene_close(s);
}

/* The clock was set back between the model's answer and the span: the span seems to have run before
 * the model asked, and opens an action of its own, which takes the call. */
static void test_span_before_it_was_asked(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "call-5", WW_SPAN_OK, 1300, 1420);

	model_answers(s, 1500, "call-5", "refund", NULL);
	CALL(.from = 1700, .to = 1800, .status = 201, .traced = &p);
	model_answers(s, 2600, NULL, NULL, "call-5");
	tell(s, &p);
	tick(s, 20000);
	assert_int_equal(count_kind(s, "verdict"), 2);
	expect_nth(s, 0, "UNVERIFIABLE", "CLOCK_UNBOUNDED", "E0", "NONE");
	expect_nth(s, 1, "UNVERIFIABLE", "CLOCK_UNBOUNDED", "E0", "NONE");
	scene_close(s);
}

static void test_stub_on_loopback(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.addr = "127.0.0.1", .from = 1100, .to = 1300, .status = 201);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

static void test_stub_on_loopback_named_by_its_trace(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.addr = "127.0.0.1", .from = 1100, .to = 1300, .status = 201, .traced = &p);
	tell(s, &p);
	tick(s, 5000);
	json_t *r = expect(s, "ACTED_ELSEWHERE", "", "E4", "EXACT");

	assert_string_equal(text(json_object_get(wire(r), "elsewhere"), "peer"), "127.0.0.1:8443");
	scene_close(s);
}

/* Not confirmed; a server may have taken it for the declared call, so not refuted either. */
static void test_look_alike_hosts(void **state)
{
	static const struct {
		const char *addr, *name;
		uint16_t port;
		const char *host;
	} hosts[] = {
		{"10.77.3.9", PAY_NAME, 8443, NULL},                 /* right name, wrong network */
		{PAY, "payments.example.com.evil.test", 8443, NULL}, /* right network, wrong name */
		{PAY, PAY_NAME, 443, NULL},
		{PAY, PAY_NAME, 8443, "other.example.com"}, /* behind the declared name */
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(hosts); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

		CALL(.addr = hosts[i].addr, .name = hosts[i].name, .port = hosts[i].port,
		     .host = hosts[i].host, .from = 1100, .to = 1300, .status = 201);
		tell(s, &p);
		tick(s, 5000);
		expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
		scene_close(s);
	}
}

static void test_path_written_otherwise(void **state)
{
	static const char *const targets[] = {"//v1/refunds", "/v1/refunds/", "/V1/Refunds",
					      "/v1%2Frefunds", "/v1/refunds;x=1"};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(targets); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

		CALL(.target = targets[i], .from = 1100, .to = 1300, .status = 201);
		tell(s, &p);
		tick(s, 5000);
		expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
		scene_close(s);
	}
}

/* Plaintext of a session whose hello was copied onto a connection to the declared server. */
static void test_more_said_than_sent(void **state)
{
	for (unsigned live = 0; live < 2; live++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

		CALL(.from = 1100, .to = 1300, .status = 201, .decoy = true, .stays_open = live);
		tell(s, &p);
		tick(s, 5000);
		expect(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", "E3", "UNIQUE");
		scene_close(s);
	}
}

/* The retry may have been somebody else's. */
static void test_no_masked_error_beside_helpers(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

		CALL(.from = 1100, .to = 1300, .status = 503, .traced = &p);
		if (i == 0)
			reached_unix(s, "/run/helper.sock", 1400);
		else if (i == 1)
			CALL(.pid = STRANGER, .from = 1350, .to = 1400, .status = 201);
		else if (i == 2)
			CALL(.from = 1900, .to = 2000, .status = 201); /* after the span */
		else
			CALL(.target = "//v1/refunds", .from = 1350, .to = 1400, .status = 201);
		tell(s, &p);
		tick(s, 13000);
		expect(s, "UNVERIFIABLE", i < 2 ? "REMOTE_EXECUTOR" : "AMBIGUOUS_JOIN", "E4",
		       "EXACT");
		scene_close(s);
	}
}

static void test_success_with_an_error_inside(void **state)
{
	static const char *const bodies[] = {
		"{\"result\":{\"isError\":true}}",
		"{\"errors\":[{\"message\":\"no\"}],\"data\":null}",
		"{\"id\":\"r_1\",\"errors\":{\"code\":7}}",
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(bodies); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c7", WW_SPAN_UNSET, 2000, 2500);

		CALL(.from = 2100, .to = 2300, .status = 200, .body = bodies[i], .traced = &p);
		tell(s, &p);
		tick(s, 6000);
		json_t *r = expect(s, "MASKED_ERROR", "", "E4", "EXACT");

		assert_string_equal(text(wire(r), "wire"), "body-failed");
		assert_string_equal(text(wire(r), "rule"),
				    i == 0 ? "$.result.isError" : "$.errors");
		scene_close(s);
	}
}

static void test_body_not_fully_seen(void **state)
{
	static const struct call calls[] = {
		{.status = 200, .body = "{\"id\":\"r\"", .body_cut = true},
		{.status = 200, .body = "{\"id\":\"r\"}", .outcome = WW_X_CUT_SHORT},
		{.status = 200, .body = "not json"},
		{.status = 201, .body = "{\"errors\":null,\"errors\":1}"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(calls); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
		struct call c = calls[i];

		c.from = 1100;
		c.to = 1300;
		c.traced = &p;
		exchange(s, c, NULL);
		tell(s, &p);
		tick(s, 5000);
		json_t *r = expect(s, "UNVERIFIABLE", "BODY_UNKNOWN", "E4", "EXACT");

		assert_int_equal(number(wire(r), "status"), c.status);
		scene_close(s);
	}
}

/* The counters of the closed connection carry a kilobyte that no hook explains. */
static void test_account_that_does_not_close(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_flow f = {.cookie = 1, .root = process(AGENT), .cgroup = CGROUP, .closed = true};

	CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p);
	tick(s, 1900); /* the flow table lets go of it */
	f.t_open = at_ms(1100);
	f.t_close = at_ms(1300);
	f.tls = true;
	f.bind = WW_BIND_RANDOM;
	f.bytes_sent = f.bytes_acked = 2300;
	f.peer = endpoint(PAY, 8443);
	f.account[WW_DIR_OUT] = (struct ww_account){.checked = true, .remainder = 1024};
	f.exchanges = 1;
	scene_closed(s, &f);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", "E3", "EXACT");
	scene_close(s);
}

static void test_clock_not_bounded(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

		if (i == 0)
			s->clock.valid = false;
		else if (i == 1)
			s->clock.bound_ns = 60000000;
		else
			p.received = at_ms(1200); /* told before it ended */
		CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p);
		tell(s, &p);
		tick(s, 9000);
		expect(s, "UNVERIFIABLE", "CLOCK_UNBOUNDED", "E0", "NONE");
		scene_close(s);
	}
}

/* --- the wire answered --------------------------------------------------------------------------
 */

/* S8.1, numbers varied. */
static void test_masked_error(void **state)
{
	static const struct {
		uint16_t status, retry_after;
	} rows[] = {{503, 5}, {429, 30}, {500, 0}, {404, 0}, {402, 0}};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "call-x", WW_SPAN_OK, 3000, 3500);

		claim_on(&p, "cl-1", "refund", "call-x", true, 3500);
		CALL(.from = 3100, .to = 3300, .status = rows[i].status,
		     .retry_after = rows[i].retry_after, .traced = &p);
		tell(s, &p);
		tick(s, 7000);
		json_t *r = expect(s, "MASKED_ERROR", "", "E4", "EXACT");

		assert_string_equal(text(r, "engine"), "effect");
		assert_string_equal(text(r, "tier"), "T0");
		assert_int_equal(number(wire(r), "status"), rows[i].status);
		assert_int_equal(number(wire(r), "retries"), 0);
		assert_int_equal(number(wire(r), "retryAfterS"), rows[i].retry_after);
		assert_string_equal(text(json_object_get(r, "said"), "claim"), "done");
		assert_string_equal(text(json_object_get(r, "span"), "status"), "OK");
		scene_close(s);
	}
}

static void test_confirmed(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p);
	tell(s, &p);
	tick(s, 3000);
	assert_int_equal(s->count, 0); /* the grace time is not over */
	tick(s, 5000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "EXACT");

	assert_string_equal(text(r, "by"), "traceparent");
	assert_string_equal(text(r, "tier"), "T1");
	assert_int_equal(strlen(text(wire(r), "idDigest")), 64);
	assert_string_equal(text(wire(r), "destination"), PAY_NAME);
	assert_string_equal(text(wire(r), "peer"), "10.77.2.9:8443");
	assert_string_equal(text(wire(r), "path"), "/v1/refunds");
	assert_int_equal(strlen(text(r, "contracts")), 64);
	tick(s, 9000);
	assert_int_equal(s->count, 2); /* and once only */
	scene_close(s);
}

static void test_span_says_error_but_the_wire_says_done(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_ERROR, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p);
	tell(s, &p);
	tick(s, 5000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "EXACT");

	assert_string_equal(text(json_object_get(r, "span"), "status"), "ERROR");
	scene_close(s);
}

static void test_failed_and_said_so(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_ERROR, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 503, .traced = &p);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "ATTEMPTED_FAILED", "", "E4", "EXACT");
	scene_close(s);
}

/* A retry that was lost could have succeeded. */
static void test_no_masked_error_under_loss(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 503, .traced = &p);
	lost(s, 2, 1400);
	tell(s, &p);
	tick(s, 5000);
	json_t *r = expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E4", "EXACT");

	assert_int_equal(number(wire(r), "status"), 503);
	scene_close(s);
}

/* The connection's begin was lost: nobody knows where it went. */
static void test_destination_lost(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct call c = {.from = 1100, .to = 1300, .status = 201, .traced = &p};
	struct ww_exchange x;

	fill_exchange(s, &c, 9, &x);
	memset(&x.peer, 0, sizeof(x.peer));
	x.sni[0] = '\0';
	deliver(s, &x, NULL);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E4", "EXACT");
	scene_close(s);
}

/* Nobody spoke of the call that the model asked for: the wire alone says neither "masked" nor
 * "and the span says so". */
static void test_failed_and_nobody_said(void **state)
{
	struct scene *s = scene_open();

	model_answers(s, 1500, "call-5", "refund", NULL);
	CALL(.from = 1700, .to = 1800, .status = 503);
	model_answers(s, 2600, NULL, NULL, "call-5");
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "SPAN_SAMPLED", "E4", "UNIQUE");
	scene_close(s);
}

/* What was lost could be another action that means the same call: only an id on the wire tells. */
static void test_joins_under_loss(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 201);
	lost(s, 2, 1400);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E4", "UNIQUE");
	scene_close(s);

	s = scene_open();
	CALL(.from = 1100, .to = 1200, .status = 201, .traced = &p);
	CALL(.from = 1300, .to = 1400, .outcome = WW_X_NO_REPLY);
	lost(s, 2, 1400);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "CONFIRMED_T1", "", "E4", "EXACT");
	scene_close(s);

	s = scene_open();
	CALL(.from = 1100, .to = 1200, .status = 201, .traced = &p);
	CALL(.from = 1300, .to = 1400, .outcome = WW_X_NO_REPLY);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "POSSIBLE_DUPLICATE", "", "E4", "EXACT");
	scene_close(s);
}

/* It names a trace of its own: perhaps of an action that nobody told of yet. */
static void test_of_another_trace(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500), other = p;

	memset(other.trace_id, 0xbb, sizeof(other.trace_id));
	CALL(.from = 1100, .to = 1300, .status = 201, .traced = &other);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "AMBIGUOUS");
	scene_close(s);
}

static void test_retry_that_succeeds(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 9500);

	CALL(.from = 1100, .to = 1300, .status = 503, .retry_after = 5, .traced = &p);
	CALL(.from = 6300, .to = 6500, .status = 201, .traced = &p);
	tell(s, &p);
	tick(s, 12000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "EXACT");
	json_t *attempts = json_object_get(wire(r), "attempts");

	assert_int_equal(json_array_size(attempts), 2);
	assert_int_equal(number(json_array_get(attempts, 1), "waitedMs"), 5000);
	assert_int_equal(number(json_array_get(attempts, 0), "retryAfterS"), 5);
	assert_int_equal(number(wire(r), "retries"), 1);
	scene_close(s);
}

static void test_retries_without_trace_context(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 4500);

	CALL(.from = 1100, .to = 1300, .status = 503);
	CALL(.from = 2300, .to = 2500, .status = 500);
	CALL(.from = 3300, .to = 3500, .status = 200);
	tell(s, &p);
	tick(s, 8000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");

	assert_int_equal(json_array_size(json_object_get(wire(r), "attempts")), 3);
	assert_string_equal(text(r, "by"), "window");
	scene_close(s);
}

/* S8.3 and its neighbours. */
static void test_duplicates(void **state)
{
	static const struct {
		uint16_t first, second; /* 0: acknowledged, no reply */
		const char *key;
		const char *verdict;
		unsigned n;
	} rows[] = {
		{0, 201, NULL, "POSSIBLE_DUPLICATE", 2},   {200, 201, NULL, "DUPLICATE_EFFECT", 2},
		{0, 201, "one-key", "CONFIRMED_T1", 0},    {201, 201, "one-key", "CONFIRMED_T1", 0},
		{202, 201, NULL, "POSSIBLE_DUPLICATE", 2}, {0, 503, NULL, "REPLY_LOST", 0},
		{503, 0, NULL, "REPLY_LOST", 0},           {0, 202, "one-key", "ACCEPTED_ASYNC", 0},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3500);

		CALL(.from = 1100, .to = 1300, .status = rows[i].first,
		     .outcome = rows[i].first ? WW_X_COMPLETE : WW_X_NO_REPLY, .traced = &p,
		     .idempotency = rows[i].key);
		CALL(.from = 2100, .to = 2300, .status = rows[i].second,
		     .outcome = rows[i].second ? WW_X_COMPLETE : WW_X_RESET, .traced = &p,
		     .idempotency = rows[i].key);
		tell(s, &p);
		tick(s, 7000);
		json_t *r = verdict(s, 0);

		assert_string_equal(text(r, "verdict"), rows[i].verdict);
		assert_int_equal(number(r, "n"), rows[i].n);
		assert_int_equal(json_array_size(json_object_get(wire(r), "attempts")), 2);
		scene_close(s);
	}
}

static void test_reading_twice_is_no_duplicate(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = span_of(s, WW_SPAN_TOOL, "lookup", "c1", WW_SPAN_OK, 1000, 3500);

	CALL(.method = "GET", .target = "/v1/orders/alice", .from = 1100, .to = 1300,
	     .status = 200);
	CALL(.method = "GET", .target = "/v1/orders/7", .from = 2100, .to = 2300, .status = 200);
	tell(s, &p);
	tick(s, 7000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");

	assert_string_equal(text(wire(r), "path"), "/v1/orders/{id}"); /* no content */
	scene_close(s);
}

static void test_reply_lost(void **state)
{
	static const struct {
		bool unacked;
		enum ww_span_status status;
		const char *verdict, *reason, *evidence;
	} rows[] = {
		{false, WW_SPAN_OK, "REPLY_LOST", "", "E2"},
		{false, WW_SPAN_ERROR, "REPLY_LOST", "", "E2"}, /* never "failed" */
		/* It may have arrived: a reset can outrun the acknowledgement. */
		{true, WW_SPAN_ERROR, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E1"},
		{true, WW_SPAN_OK, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E1"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", rows[i].status, 1000, 3500);

		CALL(.from = 1100, .to = 3300, .outcome = WW_X_NO_REPLY, .traced = &p,
		     .unacked = rows[i].unacked);
		tell(s, &p);
		tick(s, 7000);
		expect(s, rows[i].verdict, rows[i].reason, rows[i].evidence, "EXACT");
		scene_close(s);
	}
}

/* A retry that nobody acknowledged may have been carried out: neither a masked error, nor the only
 * success. */
static void test_unacknowledged_retry(void **state)
{
	for (unsigned done = 0; done < 2; done++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3500);

		CALL(.from = 1100, .to = 1200, .status = done ? 201 : 503, .traced = &p);
		CALL(.from = 2100, .to = 2200, .outcome = WW_X_RESET, .traced = &p,
		     .unacked = true);
		tell(s, &p);
		tick(s, 7000);
		if (done)
			expect(s, "POSSIBLE_DUPLICATE", "", "E4", "EXACT");
		else
			expect(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E1", "EXACT");
		scene_close(s);
	}
}

/* What nobody saw of the reply may have been lost on its way to us. */
static void test_reply_lost_to_us(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3500);

	tick(s, 1200);
	lost(s, 3, 3300);
	CALL(.from = 1100, .to = 3300, .outcome = WW_X_NO_REPLY, .traced = &p);
	tell(s, &p);
	tick(s, 7000);
	expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E2", "EXACT");
	scene_close(s);
}

/* The connection outlives the window: the reply may have come, and been lost to us, until its end.
 */
static void test_reply_lost_to_us_later(void **state)
{
	static const struct {
		uint64_t loss_ms;
		const char *verdict, *reason;
	} rows[] = {{9000, "UNVERIFIABLE", "EVENT_LOSS"}, {12000, "REPLY_LOST", ""}};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

		tell(s, &p);
		for (uint64_t ms = 1000; ms <= 12000; ms += 500) {
			if (ms == rows[i].loss_ms)
				lost(s, 1, ms);
			if (ms == 10000)
				CALL(.from = 1100, .to = 10000, .outcome = WW_X_NO_REPLY,
				     .traced = &p);
			tick(s, ms);
		}
		json_t *r = verdict(s, count_kind(s, "verdict") - 1);

		assert_string_equal(text(r, "verdict"), rows[i].verdict);
		assert_string_equal(text(r, "reason"), rows[i].reason);
		scene_close(s);
	}
}

/* The kernel received more than anybody read: that may be the reply. */
static void test_reply_lost_with_bytes_received(void **state)
{
	static const struct {
		uint64_t surplus;
		const char *verdict, *reason;
	} rows[] = {{31, "REPLY_LOST", ""}, {32, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE"}};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3500);
		struct call c = {.from = 1100,
				 .to = 3300,
				 .outcome = WW_X_NO_REPLY,
				 .traced = &p,
				 .stays_open = true};
		uint64_t cookie = exchange(s, c, NULL);

		ww_flows_get(s->flows, cookie)->bytes_received += rows[i].surplus;
		hang_up(s, &c, cookie);
		tell(s, &p);
		tick(s, 7000);
		expect(s, rows[i].verdict, rows[i].reason, "E2", "EXACT");
		scene_close(s);
	}
}

static void test_other_outcomes(void **state)
{
	static const struct {
		struct call call;
		const char *verdict, *reason, *evidence;
	} rows[] = {
		{{.status = 202}, "ACCEPTED_ASYNC", "", "E4"},
		{{.status = 307}, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E4"},
		{{.status = 304}, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E4"},
		{{.outcome = WW_X_REQUEST_CUT}, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E2"},
		{{.outcome = WW_X_REQUEST_CUT, .status = 413}, "MASKED_ERROR", "", "E4"},
		{{.unfinished = true}, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E2"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3500);
		struct call c = rows[i].call;

		c.from = 1100;
		c.to = 1300;
		c.traced = &p;
		exchange(s, c, NULL);
		tell(s, &p);
		tick(s, 7000);
		expect(s, rows[i].verdict, rows[i].reason, rows[i].evidence, "EXACT");
		scene_close(s);
	}
}

static void test_id_equal_to_the_call(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "call-88", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 201, .idempotency = "call-88");
	tell(s, &p);
	tick(s, 5000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E5", "EXACT");

	assert_string_equal(text(r, "by"), "idempotency-key");
	scene_close(s);
}

static void test_tools_without_a_declared_network_effect(void **state)
{
	static const struct {
		const char *tool, *verdict, *reason;
	} rows[] = {
		{"think", "NOT_APPLICABLE", ""},
		{"hosted", "UNVERIFIABLE", "REMOTE_EXECUTOR"},
		{"unheard_of", "UNVERIFIABLE", "NO_CONTRACT"},
		{"", "UNVERIFIABLE", "NO_CONTRACT"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_span p =
			span_of(s, WW_SPAN_TOOL, rows[i].tool, "c1", WW_SPAN_OK, 1000, 1500);

		tell(s, &p);
		tick(s, 5000);
		expect(s, rows[i].verdict, rows[i].reason, "E0", "NONE");
		scene_close(s);
	}
}

/* S8.4, second half: bytes without plaintext. */
static void test_opaque_runtime(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2500);

	s->underivable = true; /* the connection lives on, and has no record */
	flow_open(s, 5, AGENT, PAY, 8443, 1100);
	flow_state(s, 5, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 1110);
	flow_tls(s, 5, 1120);
	flow_state(s, 5, WW_EVENT_FLOW_STAT, 1, 0, 4000, 4000, 5120, 1500);
	tell(s, &p);
	tick(s, 6000);
	json_t *r = expect(s, "UNVERIFIABLE", "TLS_OPAQUE", "E3", "UNIQUE");

	assert_int_equal(number(json_object_get(wire(r), "undecoded"), "bytesReceived"), 5120);
	assert_string_equal(text(r, "engine"), "effect");
	scene_close(s);
}

static void test_plain_bytes_to_the_destination(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2500);

	flow_open(s, 5, AGENT, PAY, 8443, 1100);
	flow_state(s, 5, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 1110);
	flow_state(s, 5, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_LOCAL, 400, 400, 0, 1500);
	tell(s, &p);
	tick(s, 6000);
	expect(s, "ACTED_UNDECODED", "", "E2", "UNIQUE");
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forged_by_an_unknown_sender),
		cmocka_unit_test(test_forged_by_another_process),
		cmocka_unit_test(test_forged_beside_the_honest_span),
		cmocka_unit_test(test_cached_earlier_reply),
		cmocka_unit_test(test_times_denied_by_the_trace),
		cmocka_unit_test(test_span_before_it_was_asked),
		cmocka_unit_test(test_call_before_its_span),
		cmocka_unit_test(test_stub_on_loopback),
		cmocka_unit_test(test_stub_on_loopback_named_by_its_trace),
		cmocka_unit_test(test_look_alike_hosts),
		cmocka_unit_test(test_path_written_otherwise),
		cmocka_unit_test(test_more_said_than_sent),
		cmocka_unit_test(test_no_masked_error_beside_helpers),
		cmocka_unit_test(test_success_with_an_error_inside),
		cmocka_unit_test(test_body_not_fully_seen),
		cmocka_unit_test(test_account_that_does_not_close),
		cmocka_unit_test(test_clock_not_bounded),
		cmocka_unit_test(test_masked_error),
		cmocka_unit_test(test_confirmed),
		cmocka_unit_test(test_span_says_error_but_the_wire_says_done),
		cmocka_unit_test(test_failed_and_said_so),
		cmocka_unit_test(test_no_masked_error_under_loss),
		cmocka_unit_test(test_destination_lost),
		cmocka_unit_test(test_failed_and_nobody_said),
		cmocka_unit_test(test_joins_under_loss),
		cmocka_unit_test(test_of_another_trace),
		cmocka_unit_test(test_retry_that_succeeds),
		cmocka_unit_test(test_retries_without_trace_context),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_reading_twice_is_no_duplicate),
		cmocka_unit_test(test_reply_lost),
		cmocka_unit_test(test_unacknowledged_retry),
		cmocka_unit_test(test_reply_lost_to_us),
		cmocka_unit_test(test_reply_lost_to_us_later),
		cmocka_unit_test(test_reply_lost_with_bytes_received),
		cmocka_unit_test(test_other_outcomes),
		cmocka_unit_test(test_id_equal_to_the_call),
		cmocka_unit_test(test_tools_without_a_declared_network_effect),
		cmocka_unit_test(test_opaque_runtime),
		cmocka_unit_test(test_plain_bytes_to_the_destination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
