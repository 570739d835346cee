/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes clear only later: effects that are read back or not, announcements, late calls. */
#include "scene.h"

#define LATER                                                    \
	REFUND_TO                                                \
	"  success: {body: [{path: $.errors, exists: false}]}\n" \
	"  id_path: $.id\n"                                      \
	"  async_deadline: 20s\n"                                \
	"  readback:\n"                                          \
	"    path: \"/v1/refunds/{id}\"\n"                       \
	"    id_path: $.refund.id\n"                             \
	"    body: [{path: $.refund.status, equals: posted}]\n"

#define SHOWS(id)      "{\"refund\":{\"id\":\"" id "\",\"status\":\"posted\"}}"
#define IS_PENDING(id) "{\"refund\":{\"id\":\"" id "\",\"status\":\"pending\"}}"
#define READ(...)      CALL(.method = "GET", .target = "/v1/refunds/r_9", __VA_ARGS__)

static struct scene *opened(void)
{
	return scene_open_with(LATER);
}

static json_t *expect_last(const struct scene *s, const char *v, const char *reason,
			   const char *evidence, const char *join)
{
	return expect_nth(s, count_kind(s, "verdict") - 1, v, reason, evidence, join);
}

/* --- read back ----------------------------------------------------------------------------------
 */

/* S8.2: a failure, a success, and a read of what it created. */
static void test_read_back(void **state)
{
	struct scene *s = opened();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3500);

	CALL(.from = 1100, .to = 1200, .status = 503, .traced = &p);
	CALL(.from = 1700, .to = 1800, .status = 201, .traced = &p);
	READ(.from = 3000, .to = 3100, .status = 200, .body = SHOWS("r_9"));
	tell(s, &p);
	tick(s, 9000);
	json_t *r = expect(s, "CONFIRMED_T2", "", "E6", "EXACT");
	json_t *reads = json_object_get(wire(r), "readbacks");

	assert_string_equal(text(r, "tier"), "T2");
	assert_int_equal(json_array_size(json_object_get(wire(r), "attempts")), 2);
	assert_int_equal(json_array_size(reads), 1);
	assert_string_equal(text(json_array_get(reads, 0), "read"), "shown");
	assert_string_equal(text(wire(r), "readback"), text(json_array_get(reads, 0), "exchange"));
	assert_string_equal(text(json_array_get(reads, 0), "of"), text(wire(r), "exchange"));
	assert_int_equal(number(wire(r), "nearMissTotal"), 0);
	assert_null(json_object_get(r, "findings"));
	scene_close(s);
}

/* A later turn reads it: the first verdict is superseded, once. */
static void test_read_back_after_the_verdict(void **state)
{
	struct scene *s = opened();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 201);
	tell(s, &p);
	tick(s, 5000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	READ(.from = 61000, .to = 61100, .status = 200, .body = SHOWS("r_9"));
	tick(s, 62000);
	assert_int_equal(count_kind(s, "verdict"), 2);
	json_t *r = expect_last(s, "CONFIRMED_T2", "", "E6", "UNIQUE");

	assert_string_equal(text(r, "supersedes"), text(verdict(s, 0), "id"));
	READ(.from = 63000, .to = 63100, .status = 404, .body = "{}");
	tick(s, 70000);
	assert_int_equal(count_kind(s, "verdict"), 2);
	scene_close(s);
}

/* Nothing below is a read of what was created. */
static void test_what_is_no_read_back(void **state)
{
	static const struct {
		const char *what;
		struct call call;
	} rows[] = {
		{"an echo of another destination",
		 {.addr = "10.77.3.3",
		  .name = "echo.example",
		  .method = "GET",
		  .target = "/v1/refunds/r_9",
		  .status = 200,
		  .body = SHOWS("r_9")}},
		{"a stub on loopback",
		 {.addr = "127.0.0.1",
		  .method = "GET",
		  .target = "/v1/refunds/r_9",
		  .status = 200,
		  .body = SHOWS("r_9")}},
		{"another thing",
		 {.method = "GET",
		  .target = "/v1/refunds/r_8",
		  .status = 200,
		  .body = SHOWS("r_8")}},
		{"another thing under its path",
		 {.method = "GET",
		  .target = "/v1/refunds/r_9",
		  .status = 200,
		  .body = SHOWS("r_8")}},
		{"its id in another path",
		 {.method = "GET", .target = "/v1/echo/r_9", .status = 200, .body = SHOWS("r_9")}},
		{"another method",
		 {.method = "DELETE",
		  .target = "/v1/refunds/r_9",
		  .status = 200,
		  .body = SHOWS("r_9")}},
		{"no id in the answer",
		 {.method = "GET", .target = "/v1/refunds/r_9", .status = 200, .body = "{}"}},
		{"not yet there",
		 {.method = "GET",
		  .target = "/v1/refunds/r_9",
		  .status = 404,
		  .body = SHOWS("r_9")}},
		{"not as it must be",
		 {.method = "GET",
		  .target = "/v1/refunds/r_9",
		  .status = 200,
		  .body = IS_PENDING("r_9")}},
		{"not fully seen",
		 {.method = "GET",
		  .target = "/v1/refunds/r_9",
		  .status = 200,
		  .body = SHOWS("r_9"),
		  .body_cut = true}},
		{"over a connection that carried less",
		 {.method = "GET",
		  .target = "/v1/refunds/r_9",
		  .status = 200,
		  .body = SHOWS("r_9"),
		  .decoy = true}},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = opened();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
		struct call c = rows[i].call;

		print_message("%s\n", rows[i].what);
		CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p);
		c.from = 1350;
		c.to = 1400;
		exchange(s, c, NULL);
		tell(s, &p);
		tick(s, 9000);
		expect(s, "CONFIRMED_T1", "", "E4", "EXACT");
		scene_close(s);
	}
}

/* Tenants that differ by their credentials alone may have equal ids. */
static void test_read_by_another_caller(void **state)
{
	static const struct {
		uint64_t of_call, of_read;
		bool anybody;
		const char *wanted, *evidence;
	} rows[] = {
		{7, 7, false, "CONFIRMED_T2", "E6"}, {7, 8, false, "CONFIRMED_T1", "E4"},
		{7, 0, false, "CONFIRMED_T1", "E4"}, {0, 8, false, "CONFIRMED_T1", "E4"},
		{0, 0, true, "CONFIRMED_T1", "E4"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = opened();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1900);

		CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p,
		     .caller = rows[i].of_call);
		READ(.from = 1500, .to = 1600, .status = 200, .body = SHOWS("r_9"),
		     .caller = rows[i].of_read, .anybody = rows[i].anybody);
		tell(s, &p);
		tick(s, 9000);
		json_t *r = expect(s, rows[i].wanted, "", rows[i].evidence, "EXACT");
		json_t *read = json_array_get(json_object_get(wire(r), "readbacks"), 0);

		assert_int_equal(json_is_true(json_object_get(read, "otherCaller")), i > 0);
		scene_close(s);
	}

	/* It may have been shown: nothing is missing. */
	struct scene *s = opened();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1900);

	CALL(.from = 1100, .to = 1300, .status = 202, .traced = &p, .caller = 7);
	READ(.from = 1500, .to = 1600, .status = 200, .body = SHOWS("r_9"), .caller = 8);
	tell(s, &p);
	tick(s, 9000);
	tick(s, 90000);
	expect_last(s, "ACCEPTED_ASYNC", "", "E4", "EXACT");
	scene_close(s);
}

/* Before the call's answer came, and of an id that was there before: nothing new is shown. */
static void test_read_too_early(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		struct scene *s = opened();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1900);

		if (i != 1)
			READ(.from = i ? 500 : 1150, .to = i ? 600 : 1200, .status = 200,
			     .body = SHOWS("r_9"));
		else /* another action's call was answered with the same id */
			CALL(.from = 500, .to = 600, .status = 201);
		CALL(.from = 1100, .to = 1300, .status = 201, .traced = &p);
		if (i)
			READ(.from = 1500, .to = 1600, .status = 200, .body = SHOWS("r_9"));
		tell(s, &p);
		tick(s, 9000);
		json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "EXACT");
		json_t *attempt = json_array_get(json_object_get(wire(r), "attempts"), 0);

		assert_int_equal(json_is_true(json_object_get(attempt, "idKnown")), i > 0);
		scene_close(s);
	}
}

/* The id in the path is escaped, as it may be. */
static void test_escaped_id(void **state)
{
	struct scene *s = opened();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1200, .status = 201, .body = "{\"id\":\"r 9/a\"}");
	CALL(.method = "GET", .target = "/v1/refunds/r%209%2Fa?full=1", .from = 1300, .to = 1400,
	     .status = 200, .body = SHOWS("r 9\\/a"));
	tell(s, &p);
	tick(s, 9000);
	expect(s, "CONFIRMED_T2", "", "E6", "UNIQUE");
	scene_close(s);
}

/* --- accepted for later -------------------------------------------------------------------------
 */

static struct scene *accepted(struct ww_span *ret_span)
{
	struct scene *s = opened();
	json_t *r;

	*ret_span = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	CALL(.from = 1100, .to = 1300, .status = 202, .traced = ret_span);
	tell(s, ret_span);
	tick(s, 5000);
	r = expect(s, "PENDING", "", "E4", "EXACT");
	assert_string_equal(text(wire(r), "wire"), "accepted");
	assert_string_equal(text(r, "deadline"), "2026-09-21T14:13:41.300000000Z");
	return s;
}

static void test_accepted_then_shown(void **state)
{
	struct ww_span p;
	struct scene *s = accepted(&p);

	READ(.from = 9000, .to = 9100, .status = 200, .body = IS_PENDING("r_9"));
	tick(s, 10000);
	assert_int_equal(count_kind(s, "verdict"), 1); /* that changes nothing */
	READ(.from = 15000, .to = 15100, .status = 200, .body = SHOWS("r_9"));
	tick(s, 15200);
	json_t *r = expect_last(s, "CONFIRMED_T2", "", "E6", "EXACT");

	assert_int_equal(number(wire(r), "readbackTotal"), 2);
	tick(s, 40000);
	assert_int_equal(count_kind(s, "verdict"), 2);
	scene_close(s);
}

static void test_accepted_and_never_shown(void **state)
{
	struct ww_span p;
	struct scene *s = accepted(&p);

	READ(.from = 9000, .to = 9100, .status = 404, .body = "{}");
	tick(s, 21000);
	assert_int_equal(count_kind(s, "verdict"), 1);
	tick(s, 24000);
	json_t *r = expect_last(s, "EFFECT_MISSING", "", "E4", "EXACT");

	assert_string_equal(text(json_array_get(json_object_get(wire(r), "readbacks"), 0), "read"),
			    "not-shown");
	assert_int_equal(world_item(r, "losses"), 1);
	/* It shows after all. */
	READ(.from = 30000, .to = 30100, .status = 200, .body = SHOWS("r_9"));
	tick(s, 31000);
	expect_last(s, "CONFIRMED_T2", "", "E6", "EXACT");
	scene_close(s);
}

/* What may have hidden a read keeps it accepted, and no more. */
static void test_never_shown_but_not_all_was_seen(void **state)
{
	for (unsigned i = 0; i < 5; i++) {
		struct ww_span p;
		struct scene *s = accepted(&p);

		switch (i) {
		case 0:
			lost(s, 1, 12000);
			break;
		case 1:
			gap(s, 100, 12000);
			break;
		case 2: /* its answer was not fully seen */
			READ(.from = 9000, .to = 9100, .status = 200, .body = SHOWS("r_9"),
			     .body_cut = true);
			break;
		case 3:
			reached_unix(s, "/run/x.sock", 8000);
			break;
		case 4: /* an unread connection to the service */
			flow_open(s, 900, AGENT, PAY, 8443, 8000);
			flow_state(s, 900, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 8000);
			flow_tls(s, 900, 8000);
			flow_state(s, 900, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_PEER, 2000, 2000,
				   3000, 8100);
		}
		tick(s, 24000);
		expect_last(s, "ACCEPTED_ASYNC", "", "E4", "EXACT");
		scene_close(s);
	}
}

/* The watching ends before the deadline; and an answer without an id can never be read back. */
static void test_accepted_without_an_end(void **state)
{
	struct ww_span p;
	struct scene *s = accepted(&p);

	ww_judge_finish(s->judge, at_ms(9000));
	expect_last(s, "ACCEPTED_ASYNC", "", "E4", "EXACT");
	scene_close(s);

	s = opened();
	p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	CALL(.from = 1100, .to = 1300, .status = 202, .body = "{}");
	tell(s, &p);
	tick(s, 5000);
	expect(s, "ACCEPTED_ASYNC", "", "E4", "UNIQUE");
	scene_close(s);
}

/* 303 says where the outcome of an asynchronous call may be seen. */
static void test_see_other(void **state)
{
	struct scene *s = opened();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.from = 1100, .to = 1300, .status = 303, .body = "{\"id\":\"r_9\"}");
	READ(.from = 1320, .to = 1400, .status = 200, .body = SHOWS("r_9"));
	tell(s, &p);
	tick(s, 5000);
	expect(s, "CONFIRMED_T2", "", "E6", "UNIQUE");
	scene_close(s);
}

/* --- announced ----------------------------------------------------------------------------------
 */

static void announce(struct scene *s, const char *id, uint64_t at, uint64_t deadline)
{
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, at - 900, at + 100);

	claim_on(&turn, id, "refund", "", false, at);
	turn.claims[0].deadline = wall_ms(deadline);
	tell(s, &turn);
}

static void test_announced_and_late(void **state)
{
	static const uint64_t begins[] = {30500, 31000, 95250};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(begins); i++) {
		struct scene *s = opened();
		uint64_t late = begins[i];

		announce(s, "later", 1900, 30000);
		tick(s, 20000);
		expect(s, "PENDING", "", "E0", "NONE");
		if (i > 0) {
			tick(s, 33000);
			/* not yet called */
			if (late > 33000)
				expect_last(s, "NO_ACTION", "", "E0", "NONE");
		}
		if (late > 33000 || i == 0)
			CALL(.from = late, .to = late + 100, .status = 201);
		else
			CALL(.from = late, .to = late + 2500, .status = 201);
		tick(s, late + 4000);
		json_t *r = expect_last(s, "ACTED_LATE", "", "E4", "UNIQUE");

		/* the margin of the clocks is not counted */
		assert_in_range(number(r, "lateMs"), late - 30000 - 60, late - 30000);
		assert_int_equal(number(wire(r), "status"), 201);
		scene_close(s);
	}
}

/* What cannot be told to be the announced call. */
static void test_late_for_whom(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct scene *s = opened();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 39000, 41000);

		announce(s, "later", 1900, 30000);
		if (i == 1)
			announce(s, "too", 2500, 31000);
		tick(s, 34000);
		if (i == 2)
			lost(s, 1, 35000);
		CALL(.from = 40000, .to = 40100, .status = i == 3 ? 503 : 201,
		     .traced = i == 0 ? &p : NULL);
		if (i == 0) /* another action's */
			tell(s, &p);
		tick(s, 50000);
		for (unsigned n = 0; n < count_kind(s, "verdict"); n++)
			assert_string_not_equal(text(verdict(s, n), "verdict"), "ACTED_LATE");
		scene_close(s);
	}
}

/* Said done first, done later, by its own key: the kernel saw the claim come in before the call. */
static void test_said_first_done_later(void **state)
{
	struct scene *s = opened();
	struct ww_span p = tool_span(s, "c7", WW_SPAN_OK, 1000, 1500);

	tell(s, &p);
	tick(s, 5000);
	expect(s, "NO_ACTION", "", "E0", "NONE");
	CALL(.from = 8000, .to = 8100, .status = 201); /* without the key it could be anybody's */
	tick(s, 9000);
	assert_int_equal(count_kind(s, "verdict"), 1);
	CALL(.from = 20000, .to = 20100, .status = 201, .idempotency = "c7");
	tick(s, 21000);
	json_t *r = expect_last(s, "ACTED_LATE", "", "E4", "EXACT");

	assert_in_range(number(r, "lateMs"), 20000 - 1551, 20000 - 1500);
	assert_string_equal(text(r, "supersedes"), text(verdict(s, 0), "id"));
	scene_close(s);
}

static void test_watching_ended_before_the_deadline(void **state)
{
	struct scene *s = opened();

	announce(s, "later", 1900, 30000);
	tick(s, 9000);
	ww_judge_finish(s->judge, at_ms(10000));
	json_t *r = expect_last(s, "DEFERRED", "", "E0", "NONE");

	assert_string_equal(text(r, "deadline"), "2026-09-21T14:13:50.000000000Z");
	scene_close(s);
}

/* Done before its date: the verdict does not wait for that. A failure does. */
static void test_announced_and_done_before(void **state)
{
	struct scene *s = opened();

	announce(s, "later", 1900, 300000);
	CALL(.from = 1950, .to = 1980, .status = 201);
	tick(s, 6000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);

	s = opened();
	announce(s, "later", 1900, 30000);
	CALL(.from = 1950, .to = 1980, .status = 503);
	tick(s, 6000);
	expect(s, "PENDING", "", "E4", "UNIQUE");
	CALL(.from = 25000, .to = 25100, .status = 201);
	tick(s, 34000);
	expect_last(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

/* Two were announced, one was made. */
static void test_one_of_two_announced(void **state)
{
	struct scene *s = opened();

	announce(s, "first", 1900, 30000);
	announce(s, "second", 2100, 30000);
	CALL(.from = 9000, .to = 9100, .status = 201);
	tick(s, 34000);
	assert_int_equal(count_kind(s, "verdict"), 2);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	expect_nth(s, 1, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

/* Ids of one tenant are not another's. */
static void test_tenants(void **state)
{
	static const char yaml[] = "version: 1\n"
				   "contracts:\n"
				   "- tool: refund\n"
				   "  effect: network\n"
				   "  destinations:\n"
				   "  - {name: \"*.example.com\", cidr: [10.77.2.0/24]}\n"
				   "  - {name: reads.example.com, cidr: [10.77.2.0/24]}\n"
				   "  methods: [POST]\n"
				   "  paths: [/v1/refunds]\n"
				   "  id_path: $.id\n"
				   "  readback:\n"
				   "    path: \"/v1/refunds/{id}\"\n"
				   "    id_path: $.refund.id\n";
	static const struct {
		const char *name, *verdict, *evidence;
	} rows[] = {
		{"a.example.com", "CONFIRMED_T2", "E6"},
		{"A.example.com", "CONFIRMED_T2", "E6"},
		{"b.example.com", "CONFIRMED_T1", "E4"},
		{"reads.example.com", "CONFIRMED_T2", "E6"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open_with(yaml);
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3500);

		CALL(.name = "a.example.com", .from = 1700, .to = 1800, .status = 201);
		READ(.name = rows[i].name, .from = 3000, .to = 3100, .status = 200,
		     .body = SHOWS("r_9"));
		tell(s, &p);
		tick(s, 9000);
		expect(s, rows[i].verdict, "", rows[i].evidence, "UNIQUE");
		scene_close(s);
	}
}

/* Nor where the tenant is in the path. */
static void test_tenants_in_the_path(void **state)
{
	static const char yaml[] = "version: 1\n"
				   "contracts:\n"
				   "- tool: refund\n"
				   "  effect: network\n"
				   "  destinations: [{cidr: [10.77.2.0/24]}]\n"
				   "  methods: [POST]\n"
				   "  paths: [\"/v1/{shop}/refunds\", /v2/refunds]\n"
				   "  id_path: $.id\n"
				   "  readback:\n"
				   "    path: \"/v1/{shop}/refunds/{id}\"\n"
				   "    id_path: $.refund.id\n";
	static const struct {
		const char *made, *read, *verdict, *evidence;
	} rows[] = {
		{"/v1/a/refunds", "/v1/a/refunds/r_9", "CONFIRMED_T2", "E6"},
		{"/v1/a/refunds", "/v1/b/refunds/r_9", "CONFIRMED_T1", "E4"},
		{"/v2/refunds", "/v1/a/refunds/r_9", "CONFIRMED_T1", "E4"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open_with(yaml);
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3500);

		CALL(.target = rows[i].made, .from = 1700, .to = 1800, .status = 201);
		CALL(.method = "GET", .target = rows[i].read, .from = 3000, .to = 3100,
		     .status = 200, .body = SHOWS("r_9"));
		tell(s, &p);
		tick(s, 9000);
		expect(s, rows[i].verdict, "", rows[i].evidence, "UNIQUE");
		scene_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_read_back_after_the_verdict),
		cmocka_unit_test(test_what_is_no_read_back),
		cmocka_unit_test(test_read_by_another_caller),
		cmocka_unit_test(test_read_too_early),
		cmocka_unit_test(test_escaped_id),
		cmocka_unit_test(test_accepted_then_shown),
		cmocka_unit_test(test_accepted_and_never_shown),
		cmocka_unit_test(test_never_shown_but_not_all_was_seen),
		cmocka_unit_test(test_accepted_without_an_end),
		cmocka_unit_test(test_see_other),
		cmocka_unit_test(test_announced_and_late),
		cmocka_unit_test(test_late_for_whom),
		cmocka_unit_test(test_said_first_done_later),
		cmocka_unit_test(test_watching_ended_before_the_deadline),
		cmocka_unit_test(test_announced_and_done_before),
		cmocka_unit_test(test_one_of_two_announced),
		cmocka_unit_test(test_tenants),
		cmocka_unit_test(test_tenants_in_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
