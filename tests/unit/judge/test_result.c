/* SPDX-License-Identifier: Apache-2.0 */
/* What the model was shown beside what the tool answered. The wire is the truth, the harness is
 * not trusted, and what cannot be compared is not judged. */
#include "scene.h"

#define TWO_PATHS                                                \
	"version: 1\n"                                           \
	"contracts:\n"                                           \
	"- tool: refund\n"                                       \
	"  effect: network\n"                                    \
	"  destinations: [{cidr: [10.77.2.0/24]}]\n"             \
	"  methods: [POST]\n"                                    \
	"  paths: [/v1/refunds]\n"                               \
	"  success: {body: [{path: $.errors, exists: false}]}\n" \
	"  answer_paths: [$.id, $.order.state]\n"

/* The model asks for a refund at 1500 and is shown `shown` at 2500. */
static struct scene *shown_after(const char *yaml, struct call *c, const char *shown, bool is_error)
{
	struct scene *s = scene_open_with(yaml);

	model_answers(s, 1500, "call-5", "refund", NULL);
	if (c) {
		c->from = 1700;
		c->to = 1800;
		exchange(s, *c, NULL);
	}
	model_is_shown(s, 2600, "call-5", shown, is_error);
	return s;
}

static void refs_of(struct scene *s, unsigned nth, const char *key, const char *wanted)
{
	json_t *said = json_object_get(verdict(s, nth), "said");
	json_t *list = json_object_get(json_object_get(said, "toolResult"), key);
	char got[256] = "";
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", json_string_value(v));
	assert_string_equal(got, wanted);
}

static void test_altered(void **state)
{
	struct call c = {.status = 201,
			 .body = "{\"id\":\"r_9\",\"order\":{\"state\":\"pending\"}}"};
	struct scene *s = shown_after(TWO_PATHS, &c,
				      "{\"order\":{\"state\":\"paid\"},\"id\":\"r_9\"}", false);

	tick(s, 14000);
	json_t *r = expect(s, "RESULT_ALTERED", "", "E4", "UNIQUE");

	assert_string_equal(text(r, "tier"), "T1"); /* the call itself did succeed */
	refs_of(s, 0, "shows", "$.id $.order.state ");
	refs_of(s, 0, "differs", "$.order.state ");
	assert_null(strstr((char *)s->bytes.p, "paid"));
	scene_close(s);
}

/* The same values, written by another library. */
static void test_not_altered(void **state)
{
	static const struct {
		const char *answered, *shown;
	} rows[] = {
		{"{\"id\":\"r_9\",\"order\":{\"state\":\"paid\"}}",
		 " {\"note\":1,\"id\":\"\\u0072_9\",\n\"order\":{\"state\":\"paid\"}} "},
		{"{\"id\":10.0}", "{\"id\":10}"},
		{"{\"id\":1e2}", "{\"id\":\"100\"}"},
		{"{\"id\":true}", "{\"id\":true}"},
		/* What is not comparable: */
		{"{\"id\":\"r_9\"}", "Refund r_8 was made."},
		{"{\"id\":\"r_9\"}", "{\"refund\":{\"id\":\"r_8\"}}"},
		{"{\"id\":\"r_9\"}", "{\"id\":null}"},
		{"{\"id\":\"r_9\"}", "{\"id\":{\"x\":1}}"},
		{"{\"id\":\"r_9\"}", "{\"order\":{\"state\":\"r_8\"}}"},
		{"{\"id\":\"r_9\"}", "{\"id\":\"r_8\""},
		{"{\"id\":\"r_9\"}", "{\"id\":\"r_8\",\"id\":\"r_9\"}"},
		{"{\"id\":\"r_9\"}", ""},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct call c = {.status = 201, .body = rows[i].answered};
		struct scene *s = shown_after(TWO_PATHS, &c, rows[i].shown, false);

		tick(s, 14000);
		expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
		scene_close(s);
	}
}

/* Only the id is compared where the contract names no more, and nothing without either. */
static void test_id_alone(void **state)
{
	struct call c = {.status = 201};
	struct scene *s = shown_after(CONTRACTS, &c, "{\"id\":\"r_8\"}", false);

	tick(s, 14000);
	expect(s, "RESULT_ALTERED", "", "E4", "UNIQUE");
	scene_close(s);
}

/* Whatever else the value may have come from: no verdict against the harness. */
static void test_other_sources(void **state)
{
	const char *shown = "{\"id\":\"r_8\"}";
	struct call c = {.status = 201};
	struct scene *s = shown_after(CONTRACTS, &c, shown, false);

	/* Another request to the same service. */
	CALL(.method = "GET", .target = "/v1/refunds/r_8", .from = 1850, .to = 1900, .status = 200,
	     .body = "{\"id\":\"r_8\"}");
	tick(s, 14000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);

	/* An answer that was cut off for us. */
	c = (struct call){.status = 201, .body_cut = true};
	s = shown_after("version: 1\ncontracts:\n- tool: refund\n  effect: network\n"
			"  destinations: [{cidr: [10.77.2.0/24]}]\n  methods: [POST]\n"
			"  paths: [/v1/refunds]\n  id_path: $.id\n",
			&c, shown, false);
	tick(s, 14000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);

	/* A shown error is no result. */
	c = (struct call){.status = 201};
	s = shown_after(CONTRACTS, &c, shown, true);
	tick(s, 14000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

#define READ_BACK                                                             \
	TWO_PATHS "  readback: {path: \"/v1/refunds/{id}\", id_path: $.id}\n" \
		  "  id_path: $.id\n"

/* The same call of another action: whichever answer is whose, nobody said what was shown. */
static void test_beside_the_same_call(void **state)
{
	static const struct {
		const char *others; /* answer */
		bool cut;
		const char *wanted;
	} rows[] = {
		{"{\"id\":\"r_7\"}", false, "RESULT_ALTERED"},
		{"{\"id\":\"r_8\"}", false, "CONFIRMED_T1"}, /* swapped, maybe */
		{"{\"id\":\"r_7\"}", true, "CONFIRMED_T1"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open_with(TWO_PATHS);
		struct ww_span p = tool_span(s, "call-4", WW_SPAN_OK, 1600, 2200);

		model_answers(s, 1500, "call-5", "refund", NULL);
		CALL(.status = 201, .from = 1650, .to = 1750, .traced = &p, .body = rows[i].others,
		     .body_cut = rows[i].cut);
		CALL(.status = 201, .from = 1700, .to = 1800, .idempotency = "call-5");
		model_is_shown(s, 2600, "call-5", "{\"id\":\"r_8\"}", false);
		tell(s, &p);
		tick(s, 14000);
		for (unsigned k = 0; k < count_kind(s, "verdict"); k++) {
			if (strcmp(text(verdict(s, k), "toolCallId"), "call-5") == 0)
				expect_nth(s, k, rows[i].wanted, "", "E5", "EXACT");
		}
		scene_close(s);
	}
}

/* A read of what was created says how it is now: no alteration, where it says so. */
static void test_beside_a_read_back(void **state)
{
	static const struct {
		const char *read, *shown, *wanted;
	} rows[] = {
		{"{\"id\":\"r_9\",\"order\":{\"state\":\"paid\"}}",
		 "{\"id\":\"r_9\",\"order\":{\"state\":\"paid\"}}", "CONFIRMED_T2"},
		{"{\"id\":\"r_9\",\"state\":\"paid\"}",
		 "{\"id\":\"r_9\",\"order\":{\"state\":\"paid\"}}", "CONFIRMED_T2"},
		{"{\"id\":\"r_9\",\"order\":{\"state\":\"paid\"}}",
		 "{\"id\":\"r_8\",\"order\":{\"state\":\"paid\"}}", "RESULT_ALTERED"},
		{"{\"id\":\"r_9\",\"order\":{\"state\":\"paid\"}}",
		 "{\"id\":\"r_9\",\"order\":{\"state\":\"lost\"}}", "RESULT_ALTERED"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open_with(READ_BACK);

		model_answers(s, 1500, "call-5", "refund", NULL);
		CALL(.status = 201, .from = 1600, .to = 1700,
		     .body = "{\"id\":\"r_9\",\"order\":{\"state\":\"pending\"}}");
		CALL(.method = "GET", .target = "/v1/refunds/r_9", .status = 200, .from = 1800,
		     .to = 1900, .body = rows[i].read);
		model_is_shown(s, 2600, "call-5", rows[i].shown, false);
		tick(s, 14000);
		expect_nth(s, 0, rows[i].wanted, "", "E6", "UNIQUE");
		scene_close(s);
	}
}

static void test_events_lost(void **state)
{
	struct scene *s = scene_open();
	struct call c = {.status = 201, .from = 1700, .to = 1800};
	struct ww_span p = tool_span(s, "call-5", WW_SPAN_OK, 1600, 2000);

	model_answers(s, 1500, "call-5", "refund", NULL);
	c.traced = &p;
	exchange(s, c, NULL);
	lost(s, 3, 1900);
	model_is_shown(s, 2600, "call-5", "{\"id\":\"r_8\"}", false);
	tell(s, &p);
	tick(s, 14000);
	expect(s, "CONFIRMED_T1", "", "E4", "EXACT");
	scene_close(s);
}

/* A retry: the result is of one of the answers. */
static void test_of_an_earlier_attempt(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "call-5", WW_SPAN_OK, 1600, 2300);

	model_answers(s, 1500, "call-5", "refund", NULL);
	CALL(.status = 409, .body = "{\"id\":\"r_8\"}", .from = 1700, .to = 1800, .traced = &p);
	CALL(.status = 201, .from = 1900, .to = 2000, .traced = &p);
	model_is_shown(s, 2600, "call-5", "{\"id\":\"r_8\"}", false);
	tell(s, &p);
	tick(s, 14000);
	expect(s, "CONFIRMED_T1", "", "E4", "EXACT");
	scene_close(s);
}

/* The tool answered with an error, and the model was shown the members of a success. */
static void test_error_shown_as_success(void **state)
{
	struct call c = {.status = 503, .body = "{\"error\":\"busy\"}"};
	struct scene *s = shown_after(CONTRACTS, &c, "{\"id\":\"r_8\"}", false);

	tick(s, 14000);
	json_t *r = expect(s, "RESULT_ALTERED", "", "E4", "UNIQUE");

	assert_string_equal(text(r, "tier"), "T0");
	scene_close(s);

	c = (struct call){.status = 503, .body = "{\"error\":\"busy\"}"};
	s = shown_after(CONTRACTS, &c, "the service is busy", true);
	tick(s, 14000);
	expect(s, "ATTEMPTED_FAILED", "", "E4", "UNIQUE");
	scene_close(s);

	c = (struct call){.status = 503, .body = "{\"error\":\"busy\"}"};
	s = shown_after(CONTRACTS, &c, "{\"error\":\"busy\"}", false);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "SPAN_SAMPLED", "E4", "UNIQUE");
	scene_close(s);
}

static void test_invented(void **state)
{
	struct scene *s = shown_after(CONTRACTS, NULL, "{\"id\":\"r_8\"}", false);

	tick(s, 14000);
	expect(s, "RESULT_INVENTED", "", "E0", "NONE");
	refs_of(s, 0, "differs", "$.id ");
	scene_close(s);

	/* What a harness says of a call that it did not make is no invented result. */
	s = shown_after(CONTRACTS, NULL, "tool refund is not available", false);
	tick(s, 14000);
	expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	scene_close(s);

	s = shown_after(CONTRACTS, NULL, "{\"id\":\"r_8\"}", true);
	tick(s, 14000);
	expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	scene_close(s);

	/* No closed world, no verdict. */
	s = shown_after(CONTRACTS, NULL, "{\"id\":\"r_8\"}", false);
	lost(s, 1, 2000);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E0", "NONE");
	scene_close(s);
}

/* Numbers that are quoted, padded or large are what they were; another number is another. */
static void test_numbers(void **state)
{
	static const struct {
		const char *answered, *shown, *wanted;
	} rows[] = {
		{"19.99", "\"19.99\"", "CONFIRMED_T1"},
		{"0.1", "\"0.10\"", "CONFIRMED_T1"},
		{"\"10.50\"", "10.5", "CONFIRMED_T1"},
		{"9007199254740993", "\"9007199254740993\"", "CONFIRMED_T1"},
		{"123456789012345678", "\"123456789012345678\"", "CONFIRMED_T1"},
		{"1e20", "100000000000000000000", "CONFIRMED_T1"},
		{"0.30000000000000004", "0.3000000000000000444", "CONFIRMED_T1"},
		/* As JavaScript reads and writes them. */
		{"9007199254740993", "9007199254740992", "CONFIRMED_T1"},
		{"9007199254740993", "\"9007199254740992\"", "CONFIRMED_T1"},
		{"123456789012345678", "123456789012345680", "CONFIRMED_T1"},
		{"-12345678901234567890", "-12345678901234567000", "CONFIRMED_T1"},
		{"1234567890123456789012", "1.2345678901234568e+21", "CONFIRMED_T1"},
		{"9007199254740993", "9007199254740994", "RESULT_ALTERED"},
		{"9007199254740993", "9007199254740995", "RESULT_ALTERED"},
		{"9007199254740991", "9007199254740990", "RESULT_ALTERED"},
		{"\"9007199254740993\"", "9007199254740992", "RESULT_ALTERED"},
		/* One text in two forms of Unicode, and another one. */
		{"\"caf\u00e9\"", "\"cafe\u0301\"", "CONFIRMED_T1"},
		{"\"e\u0323\u0302\"", "\"\u1ec7\"", "CONFIRMED_T1"},
		{"\"\uac01\"", "\"\u1100\u1161\u11a8\"", "CONFIRMED_T1"},
		{"\"caf\u00e9\"", "\"cafe\"", "RESULT_ALTERED"},
		{"\"caf\u00e9\"", "\"cafe\u0300\"", "RESULT_ALTERED"},
		{"19.99", "\"19.98\"", "RESULT_ALTERED"},
		{"10", "-10", "RESULT_ALTERED"},
		{"\"007\"", "7", "RESULT_ALTERED"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		char answered[96], shown[96];
		struct call c = {.status = 201, .body = answered};
		struct scene *s;

		snprintf(answered, sizeof(answered), "{\"id\":%s}", rows[i].answered);
		snprintf(shown, sizeof(shown), "{\"id\":%s}", rows[i].shown);
		s = shown_after(CONTRACTS, &c, shown, false);
		tick(s, 14000);
		expect(s, rows[i].wanted, "", "E4", "UNIQUE");
		/* see rederive_later.c */
		s->underivable = rows[i].answered[1] != 'c' && strpbrk(rows[i].answered, ".e");
		scene_close(s);
	}
}

/* The harness's own envelope, where the name of a member is that of the answer's id. */
static void test_envelope(void **state)
{
	static const char *const shown[] = {
		"{\"id\":\"call-5\",\"output\":{\"id\":\"r_9\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"id\":\"r_9\"}}",
	};
	static const char *const refused[] = {
		"{\"id\":\"call-5\",\"message\":\"the user did not allow it\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"message\":\"no such tool\"}}",
		"{\"id\":\"\",\"message\":\"none\"}",
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(shown); i++) {
		struct call c = {.status = 201};
		struct scene *s = shown_after(CONTRACTS, &c, shown[i], false);

		tick(s, 14000);
		expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
		scene_close(s);
	}
	for (unsigned i = 0; i < WW_ARRAY_SIZE(refused); i++) {
		struct scene *s = shown_after(CONTRACTS, NULL, refused[i], false);

		tick(s, 14000);
		expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
		scene_close(s);
	}
}

/* An error of the harness's own that happens to have the declared members. */
static void test_error_with_members(void **state)
{
	static const char *const refused[] = {
		"{\"id\":\"r_8\",\"error\":\"busy\"}",
		"{\"id\":\"req-77\",\"errors\":[{\"code\":7}]}",
		"{\"error\":{\"type\":\"tool_error\"},\"id\":\"req-77\"}",
		"{\"id\":17,\"status\":\"failed\"}",
		"{\"id\":17,\"status\":503}",
		"{\"id\":17,\"success\":false}",
		"{\"id\":17,\"message\":\"The refund service is not available.\"}",
		"{\"id\":17,\"detail\":{\"why\":\"Timed out after 30 s\"}}",
		"{\"id\":17,\"isError\":true}",
	};
	static const char *const made_up[] = {
		"{\"id\":\"r_8\",\"error\":null,\"errors\":[],\"status\":201,\"ok\":true}",
		"{\"id\":\"r_8\",\"note\":\"Notification was sent\",\"errors\":{}}",
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(refused); i++) {
		struct call done = {.status = 201}, failed = {.status = 503, .body = "{}"};
		struct scene *s = shown_after(CONTRACTS, NULL, refused[i], false);

		tick(s, 14000);
		expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
		scene_close(s);
		s = shown_after(CONTRACTS, &failed, refused[i], false);
		tick(s, 14000);
		expect(s, "UNVERIFIABLE", "SPAN_SAMPLED", "E4", "UNIQUE");
		scene_close(s);
		s = shown_after(CONTRACTS, &done, refused[i], false);
		tick(s, 14000);
		expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
		scene_close(s);
	}
	for (unsigned i = 0; i < WW_ARRAY_SIZE(made_up); i++) {
		struct scene *s = shown_after(CONTRACTS, NULL, made_up[i], false);

		tick(s, 14000);
		expect(s, "RESULT_INVENTED", "", "E0", "NONE");
		scene_close(s);
	}
}

/* What an earlier answer said is no invention: the harness may have kept it. */
static void test_kept_answer(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "call-4", WW_SPAN_OK, 1000, 1200);

	CALL(.status = 201, .from = 1050, .to = 1100, .traced = &p);
	tell(s, &p);
	tick(s, 6000);
	model_answers(s, 7500, "call-5", "refund", NULL);
	model_is_shown(s, 8600, "call-5", "{\"id\":\"r_9\"}", false);
	tick(s, 20000);
	expect_nth(s, 1, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	scene_close(s);

	/* And one that nobody gave is. */
	s = scene_open();
	p = tool_span(s, "call-4", WW_SPAN_OK, 1000, 1200);
	CALL(.status = 201, .from = 1050, .to = 1100, .traced = &p);
	tell(s, &p);
	tick(s, 6000);
	model_answers(s, 7500, "call-5", "refund", NULL);
	model_is_shown(s, 8600, "call-5", "{\"id\":\"r_8\"}", false);
	tick(s, 20000);
	expect_nth(s, 1, "RESULT_INVENTED", "", "E0", "NONE");
	scene_close(s);
}

/* A read's result may be of a copy that was made before the watching began. */
static void test_read_without_a_call(void **state)
{
	const char *yaml = "version: 1\ncontracts:\n- tool: refund\n  effect: read\n"
			   "  destinations: [{cidr: [10.77.2.0/24]}]\n  methods: [GET]\n"
			   "  paths: [/v1/refunds]\n  id_path: $.id\n";
	struct call c = {.method = "GET", .status = 503, .body = "{\"error\":\"busy\"}"};
	struct scene *s = shown_after(yaml, NULL, "{\"id\":\"r_8\"}", false);

	tick(s, 14000);
	expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	scene_close(s);

	s = shown_after(yaml, &c, "{\"id\":\"r_8\"}", false);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "SPAN_SAMPLED", "E4", "UNIQUE");
	scene_close(s);
}

/* Another service was asked: its answer may be what was shown. */
static void test_another_service(void **state)
{
	struct call c = {.status = 503, .body = "{\"error\":\"busy\"}"};
	struct scene *s = shown_after(CONTRACTS, NULL, "{\"id\":\"r_8\"}", false);

	CALL(.addr = "10.88.1.1", .name = "backup.example.net", .target = "/refund", .status = 201,
	     .from = 1700, .to = 1800, .body = "{\"id\":\"r_8\"}");
	tick(s, 14000);
	expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	scene_close(s);

	s = shown_after(CONTRACTS, &c, "{\"id\":\"r_8\"}", false);
	CALL(.addr = "10.88.1.1", .name = "backup.example.net", .target = "/refund", .status = 201,
	     .from = 1850, .to = 1900, .body = "{\"id\":\"r_8\"}");
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "SPAN_SAMPLED", "E4", "UNIQUE");
	scene_close(s);
}

/* One id in two conversations at once: "call-5" of the one is not that of the other. */
static void test_id_of_two_conversations(void **state)
{
	struct scene *s = scene_open();

	model_answers_in_turn(s, 1500, "call-5", "refund", NULL, 'a');
	CALL(.status = 201, .from = 1600, .to = 1700);
	model_answers_in_turn(s, 2000, "call-5", "refund", NULL, 'b');
	model_is_shown_in_turn(s, 2600, "call-5", "{\"id\":\"r_9\"}", false, 'a');
	CALL(.status = 201, .from = 6000, .to = 6100, .body = "{\"id\":\"r_7\"}");
	model_is_shown_in_turn(s, 6600, "call-5", "{\"id\":\"r_7\"}", false, 'b');
	tick(s, 80000);
	for (unsigned i = 0; i < 2; i++) {
		expect_nth(s, i, "CONFIRMED_T1", "", "E4", "UNIQUE");
		refs_of(s, i, "shows", "$.id ");
	}
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_altered),
		cmocka_unit_test(test_not_altered),
		cmocka_unit_test(test_id_alone),
		cmocka_unit_test(test_other_sources),
		cmocka_unit_test(test_beside_the_same_call),
		cmocka_unit_test(test_beside_a_read_back),
		cmocka_unit_test(test_events_lost),
		cmocka_unit_test(test_of_an_earlier_attempt),
		cmocka_unit_test(test_error_shown_as_success),
		cmocka_unit_test(test_invented),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_error_with_members),
		cmocka_unit_test(test_kept_answer),
		cmocka_unit_test(test_read_without_a_call),
		cmocka_unit_test(test_another_service),
		cmocka_unit_test(test_id_of_two_conversations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
