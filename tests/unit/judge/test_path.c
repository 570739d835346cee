/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a prompt went, by the real pipeline: the scenarios of the specification first, then what
 * must not be said.
 */
#include "../../lib/path_rig.h"

#define US       "198.51.100.7"
#define EU       "203.0.113.7"
#define SG       "192.0.2.7"
#define ANY      "198.18.0.7" /* listed in two regions */
#define NONE     "100.100.100.100"
#define UNLISTED "9.9.9.9"

#define SPAN_A RIG_TRACE "-00f067aa0ba902b7"
#define SPAN_B RIG_TRACE "-01f067aa0ba902b7"
#define SPAN_G RIG_TRACE "-02f067aa0ba902b7"

static struct rig rig;

static int rig_done(void **state)
{
	rig_close(&rig);
	return 0;
}

/* A request to eu that is answered. */
static void ask_eu(uint64_t ms, uint64_t cookie, const char *trace)
{
	rig_connect(&rig, ms, AGENT, cookie, EU, 443, "api-eu.example", RIG_TLS);
	rig_ask(&rig, ms + 10, cookie, "api-eu.example", trace, RIG_PROMPT);
	rig_reply(&rig, ms + 200, cookie, "r-1");
	rig_stat(&rig, ms + 500, cookie);
	rig_end(&rig, ms + 600, cookie, WW_CLOSE_FIN_LOCAL);
}

/* --- the scenarios ------------------------------------------------------------------------------
 */

static void failover_leaks_twice(void **state)
{
	static char prompt[18204];
	uint64_t request;
	json_t *p, *l;

	rig_open(&rig, RIG_REGIONS
		 "- {name: support, cgroup: \"/agents/*\", allowed_regions: [eu, us]}\n");
	memset(prompt, 'x', sizeof(prompt) - 1);
	for (unsigned i = 5; i < sizeof(prompt) - 1; i += 7)
		prompt[i] = ' ', prompt[i + 1] = (char)('a' + i % 23);
	rig_connect(&rig, 100, AGENT, 1, US, 443, "api-us.example", RIG_TLS);
	/* As many bytes as the scenario says, head and body. */
	prompt[18204 - 244] = '\0';
	rig_ask(&rig, 110, 1, "api-us.example", SPAN_A, prompt);
	request = rig_conn(&rig, 1)->plain_bytes[WW_DIR_OUT];
	rig_end(&rig, 300, 1, WW_CLOSE_RST_PEER);
	rig_connect(&rig, 320, AGENT, 2, SG, 443, "api-sg.example", RIG_TLS);
	rig_ask(&rig, 330, 2, "api-sg.example", SPAN_B, prompt);
	rig_reply(&rig, 600, 2, "r-2");
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, "VIOLATION", "", "EXACT");
	assert_int_equal(json_array_size(json_object_get(p, "legs")), 2);
	assert_int_equal(json_integer_value(json_object_get(p, "legsTotal")), 2);
	assert_non_null(rig_finding(p, "DISCLOSED_ON_FAILED_LEG", 1));
	assert_null(rig_finding(p, "DISCLOSED_ON_FAILED_LEG", 2));
	assert_non_null(rig_finding(p, "FAILOVER_LEG", 2));
	assert_string_equal(rig_text(rig_finding(p, "OUT_OF_REGION", 2), "region"), "sg");
	assert_null(rig_finding(p, "OUT_OF_REGION", 1));
	l = rig_leg(p, 1);
	assert_int_equal(request, 18204);
	assert_int_equal(json_integer_value(json_object_get(l, "requestAckedBytes")), 18204);
	assert_string_equal(rig_text(l, "requestAcked"), "all");
	assert_string_equal(rig_text(l, "outcome"), "reset");
	assert_string_equal(rig_text(l, "evidence"), "E2");
	l = rig_leg(p, 2);
	assert_string_equal(rig_text(l, "cause"), "failover");
	assert_int_equal(json_integer_value(json_object_get(l, "of")), 1);
	assert_string_equal(rig_text(l, "evidence"), "E4");
	assert_non_null(rig_crossing(&rig, 2));
	assert_null(rig_crossing(&rig, 1));
}

static void region_is_contradicted(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_REGIONS
		 "- {name: support, cgroup: \"/agents/*\", allowed_regions: [eu, us]}\n");
	rig_connect(&rig, 100, AGENT, 1, US, 443, "api.example", RIG_TLS);
	rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
	rig_reply(&rig, 300, 1, "r-1");
	rig_end(&rig, 400, 1, WW_CLOSE_FIN_LOCAL);
	rig_span(&rig, 1000, AGENT, 9, RIG_TRACE, "00f067aa0ba902b7", "eu-west-1", "r-1");
	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, "CLAIM_CONTRADICTED", "", "EXACT");
	assert_string_equal(rig_text(rig_finding(p, "REGION_CLAIM_DIFFERS", 1), "region"),
			    "us-east-1");
	assert_string_equal(
		rig_text(json_array_get(json_object_get(rig_leg(p, 1), "claims"), 0), "says"),
		"eu-west-1");
}

/* The same with the row removed: no pass. */
static void claim_about_the_unlisted(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_REGIONS
		 "- {name: support, cgroup: \"/agents/*\", allowed_regions: [eu, us]}\n");
	rig_connect(&rig, 100, AGENT, 1, UNLISTED, 443, "api.example", RIG_TLS);
	rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
	rig_reply(&rig, 300, 1, "r-1");
	rig_end(&rig, 400, 1, WW_CLOSE_FIN_LOCAL);
	rig_span(&rig, 1000, AGENT, 9, RIG_TRACE, "00f067aa0ba902b7", "eu-west-1", "r-1");
	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, "UNVERIFIABLE", "NO_CONTRACT", "EXACT");
	assert_non_null(rig_finding(p, "UNLISTED_DESTINATION", 1));
}

/* A gateway of this host: `down` of the agent over loopback, `up` by the gateway. */
static void through_gateway(uint64_t ms, uint64_t down, uint64_t up, const char *in,
			    const char *out, const char *prompt, uint64_t length)
{
	rig_connect(&rig, ms, AGENT, down, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(&rig, ms + 1, GATEWAY, 1000 + down, down);
	rig_ask(&rig, ms + 10, down, "gateway.local", in, prompt);
	rig_connect(&rig, ms + 12, GATEWAY, up, EU, 443, "api-eu.example", RIG_TLS);
	rig_ask(&rig, ms + 20, up, "api-eu.example", out, prompt);
	rig_reply(&rig, ms + length, up, "r-up");
	rig_reply(&rig, ms + length + 10, down, "r-up");
	rig_stat(&rig, ms + length + 100, down);
	rig_stat(&rig, ms + length + 100, up);
}

static void gateway_with_trace(void **state)
{
	json_t *p, *l;

	rig_open(&rig, RIG_POLICY);
	through_gateway(100, 1, 2, SPAN_A, SPAN_G, RIG_PROMPT, 300);
	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, "WITHIN_POLICY_TO_HORIZON", "", "EXACT");
	assert_int_equal(json_integer_value(json_object_get(p, "legsTotal")), 2);
	l = rig_leg(p, 2);
	assert_string_equal(rig_text(l, "cause"), "gateway");
	assert_string_equal(rig_text(l, "join"), "EXACT");
	assert_string_equal(rig_text(l, "by"), "traceparent");
	assert_int_equal(json_integer_value(json_object_get(l, "of")), 1);
	l = json_object_get(p, "horizon");
	assert_int_equal(json_array_size(l), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(l, 0), "leg")), 2);
	assert_string_equal(rig_text(json_array_get(l, 0), "ends"), "tls-terminator");
	assert_null(rig_finding(p, "PROXIED_HORIZON", 0));
}

/* No trace, one request: the prompt alone says it. */
static void gateway_by_prompt(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	through_gateway(100, 1, 2, NULL, NULL, RIG_PROMPT, 300);
	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, "WITHIN_POLICY_TO_HORIZON", "", "UNIQUE");
	assert_string_equal(rig_text(rig_leg(p, 2), "by"), "turn");
}

/* The caller's write returns when the gateway has sent it on already: on a busy machine it may. */
static void gateway_before_the_write_returned(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(&rig, 101, GATEWAY, 1001, 1);
	rig_connect(&rig, 112, GATEWAY, 2, EU, 443, "api-eu.example", RIG_TLS);
	rig_ask(&rig, 120, 2, "api-eu.example", NULL, RIG_PROMPT);
	rig_ask(&rig, 145, 1, "gateway.local", NULL, RIG_PROMPT);
	rig_reply(&rig, 400, 2, "r-up");
	rig_reply(&rig, 410, 1, "r-up");
	rig_stat(&rig, 500, 1);
	rig_stat(&rig, 500, 2);
	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, "WITHIN_POLICY_TO_HORIZON", "", "UNIQUE");
	assert_string_equal(rig_text(rig_leg(p, 2), "cause"), "gateway");
}

/* Two concurrent requests that are alike, and no trace. */
static void gateway_with_two_alike(void **state)
{
	json_t *p, *l;

	rig_open(&rig, RIG_POLICY);
	through_gateway(100, 1, 2, NULL, NULL, RIG_PROMPT, 300);
	through_gateway(130, 3, 4, NULL, NULL, RIG_PROMPT, 300);
	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "AMBIGUOUS");
	assert_non_null(rig_finding(p, "PROXIED_HORIZON", 1));
	for (unsigned i = 3; i <= 4; i++) {
		l = rig_leg(p, i);
		assert_string_equal(rig_text(l, "cause"), "gateway");
		assert_string_equal(rig_text(l, "join"), "AMBIGUOUS");
		assert_int_equal(json_array_size(json_object_get(l, "candidates")), 2);
		assert_true(json_is_null(json_object_get(l, "of")));
	}
}

static void derived_copy(void **state)
{
	json_t *p, *l, *f;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 900, AGENT, 2, US, 443, "traces.example", RIG_TLS);
	rig_post(&rig, 910, 2, "/v1/traces", "traces.example", NULL,
		 "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"chat\","
		 "\"attributes\":[{\"key\":\"gen_ai.prompt\",\"value\":{\"stringValue\":"
		 "\"" RIG_PROMPT "\"}}]}]}]}]}");
	rig_answer(&rig, 950, 2, 200, "{}");
	rig_stat(&rig, 1200, 2);
	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, "VIOLATION", "", "UNIQUE");
	l = rig_leg_for(p, "derived", 0);
	assert_non_null(l);
	assert_string_equal(rig_text(l, "cause"), "copy");
	f = rig_finding(p, "DERIVED_COPY", 2);
	assert_non_null(f);
	assert_true(json_integer_value(json_object_get(f, "of")) >= 4);
	assert_int_equal(json_integer_value(json_object_get(f, "shared")),
			 json_integer_value(json_object_get(f, "of")));
	assert_null(rig_finding(p, "OUT_OF_REGION", 1));
	assert_non_null(rig_finding(p, "OUT_OF_REGION", 2));
	assert_string_equal(rig_text(rig_leg(p, 1), "purpose"), "inference");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(failover_leaks_twice, rig_done),
		cmocka_unit_test_teardown(region_is_contradicted, rig_done),
		cmocka_unit_test_teardown(claim_about_the_unlisted, rig_done),
		cmocka_unit_test_teardown(gateway_with_trace, rig_done),
		cmocka_unit_test_teardown(gateway_by_prompt, rig_done),
		cmocka_unit_test_teardown(gateway_before_the_write_returned, rig_done),
		cmocka_unit_test_teardown(gateway_with_two_alike, rig_done),
		cmocka_unit_test_teardown(derived_copy, rig_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
