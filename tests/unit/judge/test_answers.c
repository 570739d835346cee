/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that say less, or more, than their status: several items, 207, 303, 304, redirects,
 * Retry-After. */
#include "scene.h"

#define BASE                                                                                 \
	"version: 1\n"                                                                       \
	"contracts:\n"                                                                       \
	"- tool: refund\n"                                                                   \
	"  effect: network\n"                                                                \
	"  destinations: [{name: payments.example.com, cidr: [10.77.2.0/24], port: 8443}]\n" \
	"  methods: [POST, PUT]\n"                                                           \
	"  paths: [/v1/refunds]\n"
#define BULK                                                      \
	BASE "  bulk: {items: $.results, status_path: $.status, " \
	     "body: [{path: $.error, exists: false}]}\n"
#define READS                                                                                \
	"version: 1\n"                                                                       \
	"contracts:\n"                                                                       \
	"- tool: refund\n"                                                                   \
	"  effect: read\n"                                                                   \
	"  destinations: [{name: payments.example.com, cidr: [10.77.2.0/24], port: 8443}]\n" \
	"  methods: [GET, POST]\n"                                                           \
	"  paths: [/v1/refunds]\n"

#define TWO_OF_THREE                                                                        \
	"{\"results\":[{\"status\":201},{\"status\":409,\"error\":\"closed\"},{\"status\":" \
	"200}]}"
#define ALL_THREE "{\"results\":[{\"status\":201},{\"status\":201},{\"status\":200}]}"
#define NOT_ONE   "{\"results\":[{\"status\":422},{\"status\":200,\"error\":\"no\"}]}"

/* One call, answered so; what is said of it. */
static json_t *judged(struct scene *s, struct call c)
{
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	c.from = 1100;
	c.to = 1300;
	exchange(s, c, NULL);
	tell(s, &p);
	tick(s, 9000);
	return verdict(s, 0);
}

/* --- several items ------------------------------------------------------------------------------
 */

static void test_items(void **state)
{
	static const struct {
		struct call call;
		const char *verdict, *reason;
		unsigned k, n;
	} rows[] = {
		{{.status = 207, .body = ALL_THREE}, "CONFIRMED_T1", "", 0, 0},
		{{.status = 200, .body = ALL_THREE}, "CONFIRMED_T1", "", 0, 0},
		{{.status = 207, .body = TWO_OF_THREE}, "PARTIAL_EFFECT", "", 2, 3},
		{{.status = 200, .body = TWO_OF_THREE}, "PARTIAL_EFFECT", "", 2, 3},
		{{.status = 207, .body = NOT_ONE}, "MASKED_ERROR", "", 0, 0},
		{{.status = 503, .body = ALL_THREE}, "MASKED_ERROR", "", 0, 0},
		{{.status = 207, .body = TWO_OF_THREE, .body_cut = true},
		 "UNVERIFIABLE",
		 "BODY_UNKNOWN",
		 0,
		 0},
		{{.status = 207, .body = "{\"results\":[]}"}, "UNVERIFIABLE", "BODY_UNKNOWN", 0, 0},
		{{.status = 207, .body = "<multistatus/>"}, "UNVERIFIABLE", "BODY_UNKNOWN", 0, 0},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open_with(BULK);
		json_t *r = judged(s, rows[i].call);

		expect(s, rows[i].verdict, rows[i].reason, "E4", "UNIQUE");
		assert_int_equal(number(r, "k"), rows[i].k);
		assert_int_equal(number(r, "n"), rows[i].n);
		if (strcmp(rows[i].reason, "BODY_UNKNOWN") == 0)
			assert_string_equal(text(wire(r), "rule"), "$.results");
		scene_close(s);
	}
}

/* What was not taken may have been sent again, unseen. */
static void test_some_items_and_a_loss(void **state)
{
	struct scene *s = scene_open_with(BULK);
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	CALL(.status = 207, .body = TWO_OF_THREE, .from = 1100, .to = 1300, .traced = &p);
	lost(s, 1, 1400);
	tell(s, &p);
	tick(s, 9000);
	expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E4", "EXACT");
	scene_close(s);
}

/* Sent again: under one key the server can tell; without one the rest may be there twice. */
static void test_the_rest_sent_again(void **state)
{
	for (unsigned keyed = 0; keyed < 2; keyed++) {
		struct scene *s = scene_open_with(BULK);
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1900);

		CALL(.status = 207, .body = TWO_OF_THREE, .from = 1100, .to = 1200, .traced = &p,
		     .idempotency = keyed ? "k" : NULL);
		CALL(.status = 207, .body = ALL_THREE, .from = 1300, .to = 1400, .traced = &p,
		     .idempotency = keyed ? "k" : NULL);
		tell(s, &p);
		tick(s, 9000);
		expect(s, keyed ? "CONFIRMED_T1" : "POSSIBLE_DUPLICATE", "", "E4", "EXACT");
		scene_close(s);
	}
}

/* A 207 whose parts nothing declared reads is no success; where it is all that is declared, it is.
 */
static void test_multi_status(void **state)
{
	static const struct {
		const char *yaml, *verdict, *reason;
	} rows[] = {
		{BASE, "UNVERIFIABLE", "BODY_UNKNOWN"},
		{BASE "  success: {status: 2xx, body: [{path: $.errors, exists: false}]}\n",
		 "UNVERIFIABLE", "BODY_UNKNOWN"},
		{BASE "  success: {status: 207}\n", "CONFIRMED_T1", ""},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open_with(rows[i].yaml);

		judged(s, (struct call){.status = 207, .body = "{}"});
		expect(s, rows[i].verdict, rows[i].reason, "E4", "UNIQUE");
		scene_close(s);
	}
}

/* --- not modified, and elsewhere ----------------------------------------------------------------
 */

static void test_not_modified(void **state)
{
	struct scene *s = scene_open_with(BASE);
	json_t *r = judged(s, (struct call){.status = 304, .method = "PUT", .body = ""});

	expect(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E4", "UNIQUE");
	assert_string_equal(text(wire(r), "wire"), "unchanged");
	scene_close(s);

	s = scene_open_with(READS); /* the copy that the reader has is right */
	r = judged(s, (struct call){.status = 304, .method = "GET", .body = ""});
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	assert_string_equal(text(wire(r), "wire"), "unchanged");
	scene_close(s);
}

/* Reading twice does nothing twice. */
static void test_reads_are_no_duplicates(void **state)
{
	struct scene *s = scene_open_with(READS);
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1900);

	CALL(.from = 1100, .to = 1200, .status = 200, .traced = &p);
	CALL(.from = 1300, .to = 1400, .status = 200, .traced = &p);
	tell(s, &p);
	tick(s, 9000);
	expect(s, "CONFIRMED_T1", "", "E4", "EXACT");
	scene_close(s);

	s = scene_open_with(READS); /* and one that fails is an error like any other */
	judged(s, (struct call){.status = 500, .method = "GET"});
	expect(s, "MASKED_ERROR", "", "E4", "UNIQUE");
	scene_close(s);
}

/* A redirect changes where the effect is: only what is seen there says what became of it. */
static void test_redirects(void **state)
{
	static const struct {
		struct call second;
		bool traced;
		const char *verdict, *reason;
	} rows[] = {
		/* to a declared target */
		{{.status = 201}, true, "CONFIRMED_T1", ""},
		{{.status = 503}, true, "UNVERIFIABLE", "OUTCOME_UNKNOWN"},
		/* to another path, to another host, with and without its trace */
		{{.status = 201, .target = "/v2/refunds"}, true, "UNVERIFIABLE", "OUTCOME_UNKNOWN"},
		{{.status = 201, .addr = "10.77.9.9", .name = "pay2.example"},
		 true,
		 "ACTED_ELSEWHERE",
		 ""},
		{{.status = 201, .addr = "10.77.9.9", .name = "pay2.example"},
		 false,
		 "UNVERIFIABLE",
		 "OUTCOME_UNKNOWN"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open_with(BASE);
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1900);
		struct call second = rows[i].second;

		CALL(.from = 1100, .to = 1200, .status = 307, .body = "", .traced = &p);
		second.from = 1250;
		second.to = 1400;
		second.traced = rows[i].traced ? &p : NULL;
		exchange(s, second, NULL);
		tell(s, &p);
		tick(s, 9000);
		expect(s, rows[i].verdict, rows[i].reason, "E4", "EXACT");
		scene_close(s);
	}
}

/* --- Retry-After --------------------------------------------------------------------------------
 */

/* The remark stands beside whatever became of the call. */
static void test_retry_before_its_time(void **state)
{
	static const struct {
		unsigned after_s;
		uint64_t second; /* ms after the first one began, which took 100 */
		uint16_t status;
		const char *name;
		bool hurried;
		const char *verdict;
	} rows[] = {
		{5, 1500, 201, PAY_NAME, true, "CONFIRMED_T1"},
		{5, 4990, 503, PAY_NAME, true, "MASKED_ERROR"},
		{5, 5000, 201, PAY_NAME, false, "CONFIRMED_T1"},
		{2, 2050, 503, PAY_NAME, false, "MASKED_ERROR"}, /* the answer took a while */
		{0, 150, 201, PAY_NAME, false, "CONFIRMED_T1"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open_with(BASE);
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 9000);
		json_t *r, *f, *attempts;

		CALL(.from = 1100, .to = 1200, .status = 503,
		     .retry_after = (uint16_t)rows[i].after_s, .traced = &p);
		CALL(.from = 1100 + rows[i].second, .to = 1150 + rows[i].second,
		     .status = rows[i].status, .name = rows[i].name, .traced = &p);
		tell(s, &p);
		tick(s, 15000);
		r = expect(s, rows[i].verdict, "", "E4", "EXACT");
		f = json_object_get(r, "findings");
		assert_int_equal(json_array_size(f), rows[i].hurried);
		attempts = json_object_get(wire(r), "attempts");
		assert_int_equal(number(json_array_get(attempts, 1), "waitedMs"),
				 rows[i].second - 100);
		if (!rows[i].hurried) {
			scene_close(s);
			continue;
		}
		f = json_array_get(f, 0);
		assert_string_equal(text(f, "finding"), "RETRY_IGNORED_BACKOFF");
		assert_string_equal(text(f, "exchange"),
				    text(json_array_get(attempts, 1), "exchange"));
		assert_int_equal(number(f, "retryAfterS"), rows[i].after_s);
		assert_int_equal(number(f, "waitedMs"), rows[i].second - 100);
		scene_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_some_items_and_a_loss),
		cmocka_unit_test(test_the_rest_sent_again),
		cmocka_unit_test(test_multi_status),
		cmocka_unit_test(test_not_modified),
		cmocka_unit_test(test_reads_are_no_duplicates),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_retry_before_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
