/* SPDX-License-Identifier: Apache-2.0 */
#include "out/survey.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "ledger/wording.h"
#include "out/template.h"
#include "samples.h"

static struct ww_survey *survey_of(const char *const *records, size_t count)
{
	struct ww_survey *s;

	assert_int_equal(ww_survey_new(&s), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(ww_survey_add(s, i, ww_slice_str(records[i])), 0);
	return s;
}

#define SURVEY(...)                                   \
	survey_of((const char *const[]){__VA_ARGS__}, \
		  sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

/* The section must hold to the wording rules; the pattern shows parts of it. */
static void check(struct ww_survey *s, bool coverage, const char *pattern, const char *want)
{
	WW_AUTO_BUF struct ww_buf section, out;
	struct ww_errtext why = {""};
	struct ww_jsonw w;

	ww_buf_init(&section, 1 << 20);
	ww_buf_init(&out, 1 << 16);
	ww_jsonw_init(&w, &section);
	if (coverage)
		ww_survey_coverage(s, &w);
	else
		ww_survey_summary(s, &w);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(ww_wording_check(ww_buf_slice(&section), "section", &why), 0);
	assert_int_equal(ww_template_render(pattern, ww_buf_slice(&section), false, &out), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_string_equal((const char *)out.p, want);
}

static void refused(void **state)
{
	static const char *const bad[] = {"", "{", "null", "{}", "{\"kind\":null}", "{\"kind\":1"};
	struct ww_survey *s;

	assert_int_equal(ww_survey_new(&s), 0);
	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_survey_add(s, 0, ww_slice_str(bad[i])), -EINVAL);
	assert_int_equal(ww_survey_add(s, 0, WW_SLICE_LIT("{\"kind\":\"newer\"}")), 0);
	ww_survey_free(s);
	ww_survey_free(NULL);
}

/* Everything that weakens what can be said makes it incomplete; so does having no record at all. */
static void incomplete(void **state)
{
#define SCOPE(rest) "{\"kind\":\"coverage\",\"cgroup\":\"1\",\"path\":\"/a\"," rest "}"
#define ALL         "\"tcp\":true,\"udp\":true,\"raw\":true,\"unix\":true,\"processes\":true"
#define CLEAN       "\"lostEvents\":0,\"lostBytes\":0,\"marksTotal\":0,\"marks\":[]"
	static const char *const records[] = {
		SAMPLE_EXCHANGE,
		SAMPLE_COVERAGE_BAD,
		SCOPE(CLEAN),
		SCOPE("\"tcp\":true,\"udp\":true,\"raw\":true,\"unix\":true,\"processes\":"
		      "false," CLEAN),
		SCOPE(ALL),
		SCOPE(ALL ",\"lostEvents\":0,\"lostBytes\":0,\"marks\":[]"),
		SCOPE(ALL ",\"lostEvents\":1,\"lostBytes\":0,\"marksTotal\":0,\"marks\":[]"),
		SCOPE(ALL ",\"lostEvents\":0,\"lostBytes\":7,\"marksTotal\":0,\"marks\":[]"),
		SCOPE(ALL ",\"lostEvents\":0,\"marksTotal\":0,\"marks\":[]"),
		SCOPE(ALL ",\"lostEvents\":0,\"lostBytes\":0,\"marksTotal\":65,\"marks\":[]"),
		SCOPE(ALL ",\"lostEvents\":0,\"lostBytes\":0,\"marksTotal\":1,\"marks\":[{\"what\":"
			  "\"gap\"}]"),
	};
	struct ww_survey *s;

	for (size_t i = 0; i < WW_ARRAY_SIZE(records); i++) {
		s = SURVEY(records[i]);
		check(s, true, "{?complete} {?scopes.complete}", "no no");
		ww_survey_free(s);
	}
	s = SURVEY(SAMPLE_COVERAGE, SAMPLE_LOSS);
	check(s, true, "{?complete} {?scopes.complete} {losses.cause} {losses.events}",
	      "no yes data ring full 3");
	ww_survey_free(s);
	s = SURVEY(SAMPLE_COVERAGE, SAMPLE_COVERAGE_BAD);
	check(s, true, "{?complete}", "no");
	ww_survey_free(s);
	s = SURVEY(SAMPLE_COVERAGE, "{\"kind\":\"flow\",\"lostOut\":1}");
	check(s, true, "{?complete}", "no");
	ww_survey_free(s);
}

static void complete(void **state)
{
	struct ww_survey *s = SURVEY(SAMPLE_LIFE, SAMPLE_COVERAGE, SAMPLE_FLOW);
	const uint64_t *indexes;
	size_t count;

	check(s, true, "{?complete} {scopes.path} {monitorStarts} {monitorStops} {records.flow}",
	      "yes /sys/fs/cgroup/wirewitness/run-1 1 0 1");
	assert_int_equal(ww_survey_scopes(s, &indexes, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(indexes[0], 1);
	ww_survey_free(s);
}

/* A scope's later record replaces the earlier one. */
static void newest_scope(void **state)
{
	struct ww_survey *s = SURVEY(SCOPE(ALL "," CLEAN), SCOPE(ALL ",\"lostEvents\":4"));
	const uint64_t *indexes;
	size_t count;

	check(s, true, "{?complete} {scopes.lostEvents+}", "no 4");
	assert_int_equal(ww_survey_scopes(s, &indexes, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(indexes[0], 1);
	ww_survey_free(s);
}

static void bytes(void **state)
{
	struct ww_survey *s = SURVEY(
		SAMPLE_FLOW,
		"{\"kind\":\"flow\",\"tls\":{\"bind\":\"unbound\"},\"account\":{\"out\":{"
		"\"payload\":"
		"1000,\"remainder\":900,\"checked\":true},\"in\":{\"payload\":50,\"remainder\":0,"
		"\"checked\":false}},\"lostIn\":8}",
		"{\"kind\":\"flow\",\"account\":{\"out\":{\"payload\":10,\"remainder\":-3,"
		"\"checked\":"
		"true}}}");

	check(s, true,
	      "{flows.count} {flows.tls} {flows.unbound} | {flows.payloadBytes} "
	      "{flows.accountedBytes} {flows.unexplainedBytes} {flows.uncheckedBytes} "
	      "{flows.lostBytes}",
	      "3 2 1 | 5260 4310 900 50 8");
	ww_survey_free(s);
}

static void verdicts(void **state)
{
	struct ww_survey *s =
		SURVEY(SAMPLE_VERDICT_MASKED, SAMPLE_VERDICT_NO_ACTION,
		       "{\"kind\":\"verdict\",\"id\":\"v-00c0ffec-1\",\"verdict\":\"UNVERIFIABLE\","
		       "\"reason\":"
		       "\"COVERAGE_GAP\"}",
		       SAMPLE_VERDICT_UNVERIFIABLE,
		       "{\"kind\":\"verdict\",\"id\":\"v-3-1\",\"verdict\":\"SOMETHING_NEW\"}");
	const uint64_t *indexes;
	size_t count;

	check(s, false,
	      "{verdicts} {superseded} | {unverifiable.count} {unverifiable.share} "
	      "{unverifiable.reasons.reason+} | {byVerdict.verdict+} {byVerdict.count+}",
	      "4 1 | 1 25.0 % TLS_OPAQUE | MASKED_ERROR, NO_ACTION, UNVERIFIABLE, other 1, 1, 1, "
	      "1");
	assert_int_equal(ww_survey_verdicts(s, &indexes, &count), 0);
	assert_int_equal(count, 4);
	assert_int_equal(indexes[0], 0);
	assert_int_equal(indexes[2], 3);
	assert_int_equal(indexes[3], 4);
	ww_survey_free(s);
	s = SURVEY(SAMPLE_LIFE);
	check(s, false, "{verdicts} {unverifiable.count} {unverifiable.share}", "0 0 -");
	ww_survey_free(s);
}

static void findings(void **state)
{
	struct ww_survey *s = SURVEY(SAMPLE_FINDING, SAMPLE_FINDING,
				     "{\"kind\":\"finding\",\"finding\":\"\\u001b[2J\"}");

	check(s, false, "{findings.finding+} {findings.count+}", "malformed-body, \\x1b[2J 2, 1");
	ww_survey_free(s);
}

/* Hostile names cannot make the tables grow without end, nor break a word. */
static void bounded(void **state)
{
	struct ww_survey *s;
	char record[512];

	assert_int_equal(ww_survey_new(&s), 0);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(record, sizeof(record),
			 "{\"kind\":\"loss\",\"cause\":\"%u%0100dü\",\"events\":1}", i, 0);
		assert_int_equal(ww_survey_add(s, i, ww_slice_str(record)), 0);
	}
	check(s, true, "{?complete}", "no");
	for (unsigned i = 0; i < WW_SCOPE_CGROUPS_MAX; i++) {
		snprintf(record, sizeof(record), "{\"kind\":\"coverage\",\"cgroup\":\"%u\"}", i);
		assert_int_equal(ww_survey_add(s, i, ww_slice_str(record)), 0);
	}
	assert_int_equal(
		ww_survey_add(s, 0, WW_SLICE_LIT("{\"kind\":\"coverage\",\"cgroup\":\"x\"}")),
		-E2BIG);
	ww_survey_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),  cmocka_unit_test(incomplete),
		cmocka_unit_test(complete), cmocka_unit_test(newest_scope),
		cmocka_unit_test(bytes),    cmocka_unit_test(verdicts),
		cmocka_unit_test(findings), cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
