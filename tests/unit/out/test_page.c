/* SPDX-License-Identifier: Apache-2.0 */
#include "out/page.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/own.h"
#include "out/line.h"
#include "out/listing.h"
#include "out/path_survey.h"
#include "out/survey.h"
#include "samples.h"

#include <wirewitness/record.h>
#include <wirewitness/verdict.h>

/* --- wording ------------------------------------------------------------------------------------
 */

/* Words that nothing we print may use: they claim more than a monitor can know. */
static const char *const forbidden[] = {
	"complian",  "stayed in",          "proven",      "guarantee",
	"certif",    "tamper-proof",       "secure",      "was completed",
	"respected", "tokens were wasted", "trustworthy",
};

static bool has_word(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

static void check_words(const char *text)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(forbidden); i++) {
		if (has_word(text, forbidden[i]))
			fail_msg("'%s' in: %s", forbidden[i], text);
	}
}

static void wording(void **state)
{
#define CHECK_LINE(n, v, text, d) check_words(ww_line_template(WW_SLICE_LIT(text)));
#define CHECK_TEXTS(n, v, text, d) \
	check_words(text);         \
	check_words(d);

	assert_true(has_word("It is Proven.", "proven")); /* the check itself can say no */
	WW_RECORD_KINDS(CHECK_LINE)
	WW_VERDICTS(CHECK_TEXTS)
	WW_REASONS(CHECK_TEXTS)
	WW_EVIDENCE(CHECK_TEXTS)
	WW_JOINS(CHECK_TEXTS)
	for (unsigned i = 0; ww_page_pattern(i); i++)
		check_words(ww_page_pattern(i));
	for (unsigned i = 0; ww_listing_at(i); i++) {
		const struct ww_listing *l = ww_listing_at(i);

		for (unsigned k = 0; l->columns[k].title; k++) {
			check_words(l->columns[k].title);
			check_words(l->cells[k]);
		}
	}
}

/* --- the page -----------------------------------------------------------------------------------
 */

static const char *const records[] = {
	SAMPLE_VERDICT_MASKED,
	SAMPLE_VERDICT_NO_ACTION,
	SAMPLE_VERDICT_UNVERIFIABLE,
	SAMPLE_FINDING,
	SAMPLE_COVERAGE_BAD,
	SAMPLE_LOSS,
	SAMPLE_FLOW,
	SAMPLE_LIFE,
	"{\"kind\":\"path\",\"id\":\"y-00000000000000aa-1\",\"path\":\"y-00000000000000aa\","
	"\"revision\":1,\"verdict\":\"UNVERIFIABLE\",\"reason\":\"NO_CONTRACT\",\"agent\":\"a\","
	"\"findings\":[{\"finding\":\"UNLISTED_DESTINATION\",\"leg\":1}],\"legsTotal\":1,"
	"\"join\":\"EXACT\",\"legs\":[{\"seq\":1,\"peer\":\"192.0.2.1:443\"}]}",
	"{\"kind\":\"path\",\"id\":\"y-00000000000000aa-2\",\"path\":\"y-00000000000000aa\","
	"\"revision\":2,\"verdict\":\"VIOLATION\",\"reason\":null,\"agent\":\"a\","
	"\"findings\":[{\"finding\":\"OUT_OF_REGION\",\"leg\":1}],\"legsTotal\":1,\"join\":"
	"\"EXACT\",\"legs\":[{\"seq\":1,\"peer\":\"192.0.2.1:443\",\"place\":{\"labels\":"
	"[{\"region\":\"us-1\"}]}}]}",
	"{\"kind\":\"crossing\",\"id\":\"g-1\"}",
};

static int record(void *ctx, uint64_t index, struct ww_slice *ret_json)
{
	if (index >= WW_ARRAY_SIZE(records))
		return -ERANGE;
	*ret_json = ww_slice_str(records[index]);
	return 0;
}

struct fixture {
	struct ww_survey *survey;
	struct ww_buf coverage, summary, paths, out;
	struct ww_page_input in;
};

static const uint64_t verdict_rows[] = {0, 1, 2}, finding_rows[] = {3}, path_rows[] = {9},
		      bad_rows[] = {99};

static void write_paths(struct ww_buf *out)
{
	WW_AUTO(ww_path_survey_free_auto) struct ww_path_survey *s = NULL;
	struct ww_jsonw w;

	assert_int_equal(ww_path_survey_new(&s), 0);
	for (size_t i = 0; i < WW_ARRAY_SIZE(records); i++)
		assert_int_equal(ww_path_survey_add(s, i, ww_slice_str(records[i])), 0);
	assert_int_equal(ww_path_survey_end(s), 0);
	ww_jsonw_init(&w, out);
	ww_path_survey_write(s, &w);
	assert_true(ww_jsonw_ok(&w));
}

static void set_up(struct fixture *f)
{
	struct ww_jsonw w;

	ww_buf_init(&f->coverage, 1 << 20);
	ww_buf_init(&f->summary, 1 << 20);
	ww_buf_init(&f->paths, 1 << 20);
	ww_buf_init(&f->out, WW_PAGE_BYTES_MAX);
	assert_int_equal(ww_survey_new(&f->survey), 0);
	for (size_t i = 0; i < WW_ARRAY_SIZE(records); i++)
		assert_int_equal(ww_survey_add(f->survey, i, ww_slice_str(records[i])), 0);
	ww_jsonw_init(&w, &f->coverage);
	ww_survey_coverage(f->survey, &w);
	ww_jsonw_init(&w, &f->summary);
	ww_survey_summary(f->survey, &w);
	write_paths(&f->paths);
	f->in = (struct ww_page_input){
		.scope = WW_SLICE_LIT(
			"{\"host\":\"h\",\"listed\":\"verdicts\",\"filter\":\"tool=\\u001b[2J\"}"),
		.period =
			WW_SLICE_LIT("{\"from\":\"2026-11-23T10:00:00.000000000Z\",\"to\":\"x\"}"),
		.coverage = ww_buf_slice(&f->coverage),
		.summary = ww_buf_slice(&f->summary),
		.paths = ww_buf_slice(&f->paths),
		.destinations = WW_SLICE_LIT(
			"{\"list\":[{\"address\":\"192.0.2.1\",\"quoted\":{\"sni\":null,"
			"\"listed\":\"aws us-east-1\"}},{\"address\":\"192.0.2.2\",\"quoted\":{"
			"\"sni\":null}}]}"),
		.path_rows = path_rows,
		.path_count = 1,
		.report = WW_SLICE_LIT("{\"file\":\"r.json\",\"vkey\":\"k+00+AA\"}"),
		.verdicts = verdict_rows,
		.verdict_count = 3,
		.findings = finding_rows,
		.finding_count = 1,
		.record = record};
}

static void tear_down(struct fixture *f)
{
	ww_survey_free(f->survey);
	ww_buf_done(&f->coverage);
	ww_buf_done(&f->summary);
	ww_buf_done(&f->paths);
	ww_buf_done(&f->out);
}

static void has(const struct fixture *f, const char *text)
{
	if (!memmem(f->out.p, f->out.n, text, strlen(text)))
		fail_msg("missing: %s\nin: %.*s", text, (int)f->out.n, (const char *)f->out.p);
}

static size_t place(const struct fixture *f, const char *text)
{
	const uint8_t *p = memmem(f->out.p, f->out.n, text, strlen(text));

	assert_non_null(p);
	return (size_t)(p - f->out.p);
}

static void whole_page(void **state)
{
	struct fixture f;

	set_up(&f);
	assert_int_equal(ww_page_add(&f.in, &f.out), 0);
	has(&f, "All seen, nothing lost: no\n");
	has(&f,
	    "   Scope /other\n      all seen: no · all kinds of sockets and all processes: yes · "
	    "gaps 1 · lost events 3 · lost bytes 96 · bytes beyond the cap 10\n");
	has(&f, "Lost       data ring full: 3 events, 96 bytes\n");
	has(&f, "UNVERIFIABLE: 1 of 3 (33.3 %)\n");
	has(&f, "TLS_OPAQUE             the TLS content could not be read\n");
	has(&f, "  503 Retry-After 5  ");
	has(&f, "  EXACT  v-00c0ffee-1\n");
	has(&f, "no declared call found");
	has(&f, "malformed-body  x-5-1");
	has(&f, "4. PATHS: where prompts went, up to the horizon of this host\n"
		"   1 paths, 1 earlier revisions of them\n"
		"   UNVERIFIABLE: 0 of 1 (0.0 %)\n");
	has(&f, "   VIOLATION                  1      a peer outside of what the policy allows");
	has(&f, "   Crossings  1 connections");
	has(&f, "  us-1  ");
	has(&f, "   Listed     192.0.2.1: aws us-east-1\n\n5. FINDINGS");
	has(&f, "\\x1b[2J");
	has(&f, "wirewitness-verify --key-file vkey r.json\n");
	has(&f, "   - Does not stop root");
	/* Coverage and the share that cannot be verified come before any verdict. */
	assert_true(place(&f, "2. COVERAGE AND LOSS") < place(&f, "UNVERIFIABLE: 1 of 3"));
	assert_true(place(&f, "UNVERIFIABLE: 1 of 3") < place(&f, "MASKED_ERROR"));
	assert_null(memchr(f.out.p, 0x1b, f.out.n));
	assert_int_equal(ww_buf_add(&f.out, "", 1), 0);
	check_words((const char *)f.out.p);
	tear_down(&f);
}

static void nothing_there(void **state)
{
	struct fixture f;

	set_up(&f);
	f.in.verdict_count = f.in.finding_count = 0;
	f.in.path_count = 0;
	f.in.paths = WW_SLICE_LIT("{\"paths\":0,\"unverifiable\":{\"count\":0,\"share\":null,"
				  "\"reasons\":[]},\"byVerdict\":[],\"findings\":[],\"policies\":"
				  "[]}");
	f.in.coverage = WW_SLICE_LIT("{\"scopes\":[],\"losses\":[]}");
	f.in.report = WW_SLICE_LIT("{\"file\":\"r.json\",\"verdictsErased\":4}");
	f.in.summary =
		WW_SLICE_LIT("{\"verdicts\":0,\"unverifiable\":{\"count\":0,\"share\":null,"
			     "\"reasons\":[]},\"byVerdict\":[],\"contracts\":[],\"findings\":"
			     "[]}");
	assert_int_equal(ww_page_add(&f.in, &f.out), 0);
	has(&f, "No scope has a coverage record in this period");
	has(&f, "UNVERIFIABLE: 0 of 0\n"
		"   4 more have no content any more: what they said is not known here\n");
	has(&f, "5. FINDINGS (on input; those of paths are in 4)\n   none\n");
	tear_down(&f);
}

static void many_rows(void **state)
{
	uint64_t rows[WW_PAGE_VERDICTS_MAX + 1] = {0};
	unsigned lines = 0;
	struct fixture f;

	set_up(&f);
	f.in.verdicts = rows;
	f.in.verdict_count = WW_ARRAY_SIZE(rows);
	f.in.report = WW_SLICE_LIT("{\"file\":\"r.json\",\"verdictsNotShown\":1}");
	assert_int_equal(ww_page_add(&f.in, &f.out), 0);
	for (size_t at = 0; at + 13 < f.out.n; at++)
		lines += memcmp(f.out.p + at, "v-00c0ffee-1\n", 13) == 0;
	assert_int_equal(lines, WW_PAGE_VERDICTS_MAX);
	has(&f, "   and 1 more in the signed file\n");
	tear_down(&f);
}

static void refused(void **state)
{
	struct fixture f;

	set_up(&f);
	f.in.summary = WW_SLICE_LIT("{}");
	assert_int_equal(ww_page_add(&f.in, &f.out), -EINVAL);
	tear_down(&f);
	set_up(&f);
	f.in.verdicts = bad_rows;
	f.in.verdict_count = 1;
	assert_int_equal(ww_page_add(&f.in, &f.out), -ERANGE);
	tear_down(&f);
	set_up(&f);
	f.out.max = 2000;
	assert_int_equal(ww_page_add(&f.in, &f.out), -EMSGSIZE);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wording),       cmocka_unit_test(whole_page),
		cmocka_unit_test(nothing_there), cmocka_unit_test(many_rows),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
