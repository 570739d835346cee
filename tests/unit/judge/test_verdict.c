/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "judge/closed_world.h"
#include "judge/ruling.h"

/* Numbers may have gaps. */
#define NUMBER_(n, v, t, d) (v),
static const unsigned reasons[] = {WW_REASONS(NUMBER_)};

static void test_every_number_has_its_text(void **state)
{
#define VERDICT_TEXT_(n, v, t, d)                   \
	assert_string_equal(ww_verdict_name(v), t); \
	assert_string_equal(ww_verdict_meaning(v), d);
	WW_VERDICTS(VERDICT_TEXT_)
	for (unsigned i = 0; i < WW_ARRAY_SIZE(reasons); i++) {
		assert_string_not_equal(ww_verdict_reason_name(reasons[i]), "unknown");
		assert_string_not_equal(ww_verdict_reason_meaning(reasons[i]), "unknown");
	}
	for (unsigned i = 0; i < WW_EVIDENCE_MAX; i++)
		assert_string_not_equal(ww_verdict_evidence_name(i), "unknown");
	for (unsigned i = 0; i < WW_JOIN_MAX; i++)
		assert_string_not_equal(ww_verdict_join_name(i), "unknown");
	for (unsigned i = 0; i < WW_WIRE_MAX; i++)
		assert_string_not_equal(ww_held_wire_name(i), "unknown");
	for (unsigned i = 0; i < WW_READ_MAX; i++)
		assert_string_not_equal(ww_held_read_name(i), "unknown");
	for (unsigned i = 0; i < WW_JOIN_BY_MAX; i++)
		assert_string_not_equal(ww_join_by_name(i), "unknown");
	for (unsigned i = 0; i < WW_JOIN_NEAR_WHY_MAX; i++)
		assert_string_not_equal(ww_join_near_name(i), "unknown");
	for (unsigned i = 0; i < WW_WORLD_ITEM_MAX; i++)
		assert_string_not_equal(ww_closed_world_item_name(i), "unknown");
	assert_string_equal(ww_verdict_name(WW_VERDICT_MAX), "unknown");
	assert_string_equal(ww_verdict_reason_name(WW_REASON_MAX), "unknown");
	assert_string_equal(ww_held_wire_name(WW_WIRE_MAX), "unknown");
	assert_string_equal(ww_join_by_name(WW_JOIN_BY_MAX), "unknown");
	assert_string_equal(ww_join_near_name(WW_JOIN_NEAR_WHY_MAX), "unknown");
	assert_string_equal(ww_closed_world_item_name(WW_WORLD_ITEM_MAX), "unknown");
}

static void test_the_first_failed_item_gives_the_reason(void **state)
{
	struct ww_grounds g = {.failed = WW_WORLD_BIT(TLS) | WW_WORLD_BIT(LOSSES)};

	assert_int_equal(ww_rule_unseen(&g, UINT32_MAX), WW_REASON_EVENT_LOSS);
	assert_int_equal(ww_rule_unseen(&g, WW_WORLD_BIT(TLS)), WW_REASON_TLS_OPAQUE);
	assert_int_equal(ww_rule_unseen(&g, WW_WORLD_BIT(PEERS)), WW_REASON_NONE);
}

/* A word that stands in records stands in their documentation. */
static void test_documented(void **state)
{
	WW_AUTO_FREE char *doc = calloc(1, 131072);
	FILE *f = fopen("docs/records.md", "r");

	if (!f)
		skip(); /* started outside the source tree */
	assert_non_null(doc);
	assert_true(fread(doc, 1, 131071, f) > 0);
	fclose(f);
#define DOCUMENTED_(n, v, t, d) assert_non_null(strstr(doc, t));
	WW_VERDICTS(DOCUMENTED_)
	WW_READS(DOCUMENTED_)
	for (unsigned i = 0; i < WW_ARRAY_SIZE(reasons); i++)
		assert_non_null(strstr(doc, ww_verdict_reason_name(reasons[i])));
	for (unsigned i = 0; i < WW_WIRE_MAX; i++)
		assert_non_null(strstr(doc, ww_held_wire_name(i)));
	for (unsigned i = 0; i < WW_JOIN_NEAR_WHY_MAX; i++)
		assert_non_null(strstr(doc, ww_join_near_name(i)));
	for (unsigned i = 0; i < WW_WORLD_ITEM_MAX; i++)
		assert_non_null(strstr(doc, ww_closed_world_item_name(i)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_number_has_its_text),
		cmocka_unit_test(test_the_first_failed_item_gives_the_reason),
		cmocka_unit_test(test_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
