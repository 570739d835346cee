/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/body_rule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct row {
	const char *body;
	enum ww_body_answer absent; /* rule: $.errors exists: false */
	enum ww_body_answer there;  /* rule: $.errors exists: true */
	enum ww_body_answer equal;  /* rule: $.errors equals: 7 */
};

#define H WW_BODY_HOLDS
#define V WW_BODY_VIOLATES
#define U WW_BODY_UNKNOWN

static enum ww_body_answer ask(struct ww_body_rule rule, const char *body, bool whole)
{
	struct ww_success c = {.rule_count = 1, .rules = &rule};
	unsigned at = 9;
	enum ww_body_answer a = ww_body_rule_check(&c, ww_slice_str(body), whole, &at);

	assert_int_equal(at, a == WW_BODY_HOLDS ? 9 : 0);
	return a;
}

static void test_table(void **state)
{
	static const struct row rows[] = {
		{"{\"errors\":[{\"m\":1}]}", V, H, V},
		{"{\"errors\":\"\"}", V, H, V},
		{"{\"errors\":true}", V, H, V},
		{"{\"errors\":0}", V, H, V},
		{"{\"errors\":7}", V, H, H},
		{"{\"errors\":\"7\"}", V, H, H},
		{"{\"errors\":\"\\u0037\"}", V, H, H},
		{"{\"errors\":7.0}", V, H, V},
		{"{\"errors\":[]}", H, H, V},
		{"{\"errors\":[ \n]}", H, H, V},
		{"{\"errors\":{}}", H, H, V},
		{"{\"errors\":null}", H, V, V},
		{"{\"errors\":false}", H, H, V},
		{"{\"data\":{\"errors\":1}}", H, V, V},
		{"[]", H, V, V},
		{"", H, V, V},
		{" \r\n", H, V, V},
		{"<html>busy</html>", U, U, U},
		{"{\"errors\":[", U, U, U},
		{"{\"errors\":1,\"errors\":null}", U, U, U}, /* readers disagree */
		{"{\"a\":1} {\"errors\":1}", U, U, U},
	};
	char path[] = "$.errors", seven[] = "7";

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		enum ww_body_answer a =
			ask((struct ww_body_rule){path, false, NULL}, r->body, true);
		enum ww_body_answer b = ask((struct ww_body_rule){path, true, NULL}, r->body, true);
		enum ww_body_answer c =
			ask((struct ww_body_rule){path, true, seven}, r->body, true);

		if (a != r->absent || b != r->there || c != r->equal)
			fail_msg("%s: %d %d %d", r->body, a, b, c);
	}
}

static void test_unseen_part_decides_nothing(void **state)
{
	char path[] = "$.errors";

	assert_int_equal(ask((struct ww_body_rule){path, false, NULL}, "{\"ok\":1}", false), U);
	assert_int_equal(ask((struct ww_body_rule){path, true, NULL}, "{\"errors\":1}", false), U);
	assert_int_equal(ask((struct ww_body_rule){path, false, NULL}, "", false), U);
}

static void test_violation_beats_unknown(void **state)
{
	char a[] = "$.a", deep[] = "$.b", x[] = "x";
	struct ww_body_rule rules[] = {{a, true, NULL}, {deep, true, x}};
	struct ww_success c = {.rule_count = 2, .rules = rules};
	unsigned at = 9;

	assert_int_equal(ww_body_rule_check(&c, ww_slice_str("{\"a\":1,\"b\":\"y\"}"), true, &at),
			 V);
	assert_int_equal(at, 1);
	assert_int_equal(ww_body_rule_check(&c, ww_slice_str("{\"a\":1,\"b\":\"x\"}"), true, &at),
			 H);
	assert_int_equal(at, 1);
}

static void test_no_rule_needs_no_body(void **state)
{
	struct ww_success c = {0};
	unsigned at = 9;

	assert_int_equal(ww_body_rule_check(&c, WW_SLICE_NULL, false, &at), H);
	assert_int_equal(at, 9);
}

static void test_id(void **state)
{
	const char *path = "$.id";
	struct ww_buf b;

	ww_buf_init(&b, 64);
	assert_int_equal(ww_body_rule_id(path, ww_slice_str("{\"id\":\"r\\u005f9\"}"), true, &b),
			 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "r_9"));
	ww_buf_clear(&b);
	assert_int_equal(ww_body_rule_id(path, ww_slice_str("{\"id\":41}"), true, &b), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "41"));
	assert_int_equal(ww_body_rule_id(path, ww_slice_str("{\"id\":{}}"), true, &b), -ENOENT);
	assert_int_equal(ww_body_rule_id(path, ww_slice_str("{\"id\":41}"), false, &b), -ENOENT);
	assert_int_equal(ww_body_rule_id(path, ww_slice_str("{}"), true, &b), -ENOENT);
	assert_int_equal(ww_body_rule_id(NULL, ww_slice_str("{\"id\":41}"), true, &b), -ENOENT);
	ww_buf_done(&b);
}

/* Per-item outcomes, by status, by rules, by both. */
static void test_bulk(void **state)
{
	char items[] = "$.results", status[] = "$.status", error[] = "$.error";
	struct ww_body_rule rules[] = {{error, false, NULL}};
	struct ww_bulk by_status = {.items = items,
				    .status_path = status,
				    .item = {.status_min = 200, .status_max = 299}};
	struct ww_bulk by_rule = {.items = items, .item = {.rule_count = 1, .rules = rules}};
	static const struct {
		const char *body;
		enum ww_body_answer status, rule;
		uint32_t status_good, rule_good, all;
	} rows[] = {
		{"{\"results\":[{\"status\":201},{\"status\":\"204\"}]}", H, H, 2, 2, 2},
		{"{\"results\": [ {\"status\":201} , {\"status\":409,\"error\":{\"c\":1}} ,"
		 "{\"status\":200}] }",
		 V, V, 2, 2, 3},
		{"{\"results\":[{\"status\":500,\"error\":\"x\"}]}", V, V, 0, 0, 1},
		{"{\"results\":[{\"status\":201},{\"error\":null}]}", U, H, 0, 2, 2},
		{"{\"results\":[{\"status\":201},{\"status\":\"HTTP/1.1 201\"}]}", U, H, 0, 2, 2},
		{"{\"results\":[]}", U, U, 0, 0, 0},
		{"{\"results\":{}}", U, U, 0, 0, 0},
		{"{\"other\":[{\"status\":201}]}", U, U, 0, 0, 0},
		{"{\"results\":[{\"status\":201}", U, U, 0, 0, 0},
		{"<multistatus/>", U, U, 0, 0, 0},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct ww_slice body = ww_slice_str(rows[i].body);
		uint32_t good = 77, all = 77;

		assert_int_equal(ww_body_rule_bulk(&by_status, body, true, &good, &all),
				 rows[i].status);
		if (rows[i].status != U) {
			assert_int_equal(good, rows[i].status_good);
			assert_int_equal(all, rows[i].all);
		} else {
			assert_int_equal(good, 77); /* unchanged */
		}
		assert_int_equal(ww_body_rule_bulk(&by_rule, body, true, &good, &all),
				 rows[i].rule);
		if (rows[i].rule != U) {
			assert_int_equal(good, rows[i].rule_good);
			assert_int_equal(all, rows[i].all);
		}
		assert_int_equal(ww_body_rule_bulk(&by_rule, body, false, &good, &all), U);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_unseen_part_decides_nothing),
		cmocka_unit_test(test_violation_beats_unknown),
		cmocka_unit_test(test_no_rule_needs_no_body),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_bulk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
