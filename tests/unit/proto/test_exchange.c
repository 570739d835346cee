/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "proto/exchange.h"

static void must_not_leak_values_by_path(void **state)
{
	static const struct {
		const char *target, *want;
	} c[] = {
		{"/v1/refunds", "/v1/refunds"},
		{"/v1/refunds/re_123?email=a@b.c", "/v1/refunds/{}"},
		{"/v1/refunds/7#x", "/v1/refunds/{}"},
		{"/v2beta1/x/v999/v9999", "/v2beta1/x/v999/{}"},
		{"/v10000/vx/v1x", "/{}/vx/{}"},
		{"/users/alice%40example.com/notes", "/users/{}/notes"},
		{"/users/alice@example.com", "/users/{}"},
		{"/a/0af7651916cd43dd8448eb211c80319c", "/a/{}"},
		{"/openai/deployments/gpt-4o/chat/completions",
		 "/openai/deployments/{}/chat/completions"},
		{"/v1/messages:batch", "/v1/messages:batch"},
		{"/.well-known/agent-card.json", "/.well-known/agent-card.json"},
		{"/a;session=x/b", "/{}/b"},
		{"/thisisaverylongwordthatnointerfacewouldeveruse", "/{}"},
		{"/a--b/_/-/a.", "/{}/{}/{}/{}"},
		{"//a/", "//a/"},
		{"/", "/"},
		{"", ""},
		{"*", "*"},
		{"http://h.example/a/1", "/a/{}"},
		{"http://h.example", ""},
		{"http://h.example?x=/y", ""},
		{"h.example:443", ""},
	};
	char out[256];

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		ww_exchange_path_template(c[i].target, out);
		assert_string_equal(out, c[i].want);
	}
}

static void long_paths_stay_within_the_buffer(void **state)
{
	char target[1024], out[256];

	for (size_t n = 1; n < sizeof(target); n++) {
		for (size_t i = 0; i < n; i++)
			target[i] = i % 5 ? 'a' : '/';
		target[n] = '\0';
		memset(out, 'x', sizeof(out));
		ww_exchange_path_template(target, out);
		assert_true(memchr(out, '\0', sizeof(out)) != NULL);
		if (n == sizeof(target) - 1)
			break;
	}
}

static void every_outcome_has_a_name(void **state)
{
	for (int o = WW_X_OPEN; o <= WW_X_UNPARSED; o++)
		assert_string_not_equal(ww_exchange_outcome_name((enum ww_exchange_outcome)o),
					"unknown");
	assert_string_equal(ww_exchange_outcome_name((enum ww_exchange_outcome)99), "unknown");
}

static json_t *record_of(const struct ww_exchange *x, struct ww_buf *out)
{
	struct ww_clock_map clock = {
		.wall.ns = 1795428000000000000u, .boot.ns = 1000, .valid = true};
	struct ww_jsonw w;
	json_t *j;

	ww_buf_clear(out);
	ww_jsonw_init(&w, out);
	ww_exchange_write(x, &clock, &w);
	assert_true(ww_jsonw_ok(&w));
	j = json_loadb((const char *)out->p, out->n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	return j;
}

static const char *str(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

static void record_names_things_and_holds_no_content(void **state)
{
	static const char body[] = "CONTENT";
	struct ww_exchange x = {
		.cookie = 0xabc,
		.index = 3,
		.outcome = WW_X_COMPLETE,
		.findings = ~0u,
		.client = true,
		.status = 503,
		.t_first_req.ns = 2000,
		.trace = {.present = true, .trace_id = {1}, .span_id = {2}},
		.retry_after = true,
		.retry_after_s = 5,
		.method = "POST",
		.target = "/v1/refunds/CONTENT?key=CONTENT",
		.authority = "pay.example",
		.sni = "pay.example",
		.req = {.data = {(const uint8_t *)body, 7}, .wire_bytes = 7, .decoded_bytes = 7},
	};
	struct ww_buf out;
	json_t *j;

	ww_buf_init(&out, 8192);
	j = record_of(&x, &out);
	assert_string_equal(str(j, "kind"), "exchange");
	assert_string_equal(str(j, "id"), "x-abc-3");
	assert_string_equal(str(j, "t"), "2026-11-23T10:00:00.000001000Z");
	assert_string_equal(str(j, "flow"), "f-abc");
	assert_string_equal(str(j, "outcome"), "complete");
	assert_string_equal(str(j, "method"), "POST");
	assert_string_equal(str(j, "path"), "/v1/refunds/CONTENT");
	assert_int_equal(json_integer_value(json_object_get(j, "status")), 503);
	assert_int_equal(json_integer_value(json_object_get(j, "retryAfterS")), 5);
	assert_int_equal(json_array_size(json_object_get(j, "findings")), 15);
	json_decref(j);
	/* Digits make it an id, and then no content is left. */
	memcpy(x.target, "/v1/refunds/C0NTENT?key=CONTENT", 32);
	j = record_of(&x, &out);
	assert_null(memmem(out.p, out.n, "CONTENT", 7));
	assert_null(memmem(out.p, out.n, "C0NTENT", 7));
	json_decref(j);
	ww_buf_done(&out);
}

static void an_empty_exchange_is_a_record_too(void **state)
{
	struct ww_exchange x = {.outcome = WW_X_UNPARSED, .req_bytes = 10};
	struct ww_buf out;
	json_t *j;

	ww_buf_init(&out, 8192);
	j = record_of(&x, &out);
	assert_null(json_object_get(j, "method"));
	assert_null(json_object_get(j, "status"));
	assert_int_equal(json_array_size(json_object_get(j, "findings")), 0);
	json_decref(j);
	ww_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_not_leak_values_by_path),
		cmocka_unit_test(long_paths_stay_within_the_buffer),
		cmocka_unit_test(every_outcome_has_a_name),
		cmocka_unit_test(record_names_things_and_holds_no_content),
		cmocka_unit_test(an_empty_exchange_is_a_record_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
