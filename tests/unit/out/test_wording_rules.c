/* SPDX-License-Identifier: Apache-2.0 */
/* The wording rules over every text that is said of paths: tables, patterns, pages, documents. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <wirewitness/record.h>
#include <wirewitness/verdict.h>

#include "judge/path_case.h"
#include "ledger/wording.h"
#include "out/line.h"
#include "out/member.h"
#include "out/listing.h"
#include "out/page.h"
#include "out/path_more.h"
#include "out/path_survey.h"
#include "out/path_text.h"
#include "out/path_words.h"
#include "out/report_html.h"
#include "path_samples.h"
#include "wording_rules.h"

static void check(const char *text)
{
	const char *why = wording_breaks(text);

	if (why)
		fail_msg("%s, in: %s", why, text);
}

/* --- the rules can say no -----------------------------------------------------------------------
 */

static void seeded(void **state)
{
	static const char *const bad[] = {
		"The path is compliant.",
		"Compliance was checked.",
		"The prompt stayed in the EU, as tables list it.",
		"All legs remained in listed regions.",
		"listed legs never left",
		"We guarantee that the listed region holds.",
		"guaranteed, claimed and listed",
		"The peer is located where tables list it.",
		"is hosted in a listed region",
		"resides in a declared region",
		"It is proven.",
		"This proves where it went",
		"PROVEN: listed in us-east-1",
		"excluded: us",
		"areas are excluded under the fibre bound",
		"Light excludes this.",
		"region {place.labels.region}",
		"went to {legs.place.labels.region+}",
		"{says}",
		"law: {home}",
		"{a|region}",
		"the peer is in us-east-1",
		"eu-central-1",
		"Frankfurt",
		"FRA by the peer",
		"measured: {rttUs} us to whoever answered TCP; light allows {withinKm} km",
	};
	static const char *const good[] = {
		"listed by aws: {region}",
		"claimed by the {by}: {says}",
		"declared: {operator} is under the law of {home}",
		"excluded under the hard bound: {excluded+}",
		"proven by the signature in {proof}",
		"listed: us-east-1",
		"unproven",
		"improve the regional setup",
		"{agent} {homepage} {regional}",
		"the certificate's key",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		if (!wording_breaks(bad[i]))
			fail_msg("passes: %s", bad[i]);
	for (size_t i = 0; i < WW_ARRAY_SIZE(good); i++)
		check(good[i]);
}

/* --- tables and patterns ------------------------------------------------------------------------
 */

static void words(void **state)
{
	unsigned count = 0;

	for (unsigned set = 0; set < WW_PATH_SETS; set++) {
		assert_non_null(ww_path_word_at(set, 0));
		for (unsigned i = 0; ww_path_word_at(set, i); i++) {
			const struct ww_path_word *w = ww_path_word_at(set, i);

			count++;
			check(w->meaning);
			if (w->more)
				check(w->more);
			for (unsigned k = 0; k < i; k++)
				assert_string_not_equal(w->word, ww_path_word_at(set, k)->word);
		}
	}
	assert_true(count > 70);
}

#define CHECK_TEXTS(n, v, t, d) \
	check(t);               \
	check(d);

static void tables(void **state)
{
	WW_VERDICTS(CHECK_TEXTS)
	WW_REASONS(CHECK_TEXTS)
	WW_EVIDENCE(CHECK_TEXTS)
	WW_JOINS(CHECK_TEXTS)
	WW_RECORD_KINDS(CHECK_TEXTS)
}

static void patterns(void **state)
{
	unsigned count = 0;

	for (; ww_path_pattern(count); count++)
		check(ww_path_pattern(count));
	assert_true(count > 50);
	for (unsigned i = 0; ww_page_pattern(i); i++)
		check(ww_page_pattern(i));
	check(ww_line_template(WW_SLICE_LIT("path")));
	check(ww_line_template(WW_SLICE_LIT("crossing")));
	check(ww_line_template(WW_SLICE_LIT("flow")));
}

/* In a table the column's title says how it is known. */
static void listings(void **state)
{
	for (unsigned i = 0; ww_listing_at(i); i++) {
		const struct ww_listing *l = ww_listing_at(i);

		for (unsigned k = 0; l->columns[k].title; k++) {
			char text[1024];

			snprintf(text, sizeof(text), "%s: %s", l->columns[k].title, l->cells[k]);
			check(text);
		}
	}
}

/* Every word that a verdict, reason or finding of a path may have is explained. */
static void all_explained(void **state)
{
#define EXPLAINED(set, text)                                                 \
	do {                                                                 \
		const struct ww_json_token t_ = {.type = WW_JSON_STRING,     \
						 .raw = ww_slice_str(text)}; \
                                                                             \
		if (!ww_path_word(set, &t_))                                 \
			fail_msg("path_words.c does not have '%s'", text);   \
	} while (0);
#define FINDING_(n, v, t, d)  EXPLAINED(WW_PATH_FINDING, t)
#define STANDING_(n, v, t, d) EXPLAINED(WW_PATH_STANDING, t)
#define ENDS_(n, t, d)        EXPLAINED(WW_PATH_ENDS, t[0] ? t : "host")
#define PURPOSE_(n, t, d)     EXPLAINED(WW_PATH_PURPOSE, t)
#define CAUSE_(n, t, d)       EXPLAINED(WW_PATH_CAUSE, t)
#define ACKED_(n, t)          EXPLAINED(WW_PATH_ACKED, t)
#define UNREAD_(n, t, r)      EXPLAINED(WW_PATH_OPAQUE, t)
	static const enum ww_verdict verdicts[] = {
		WW_VERDICT_WITHIN_POLICY_TO_HORIZON, WW_VERDICT_VIOLATION,
		WW_VERDICT_CLAIM_CONTRADICTED, WW_VERDICT_UNVERIFIABLE, WW_VERDICT_NOT_APPLICABLE};
#define NAME_OF(n, v, t, d) [v] = t,
	static const char *const names[WW_VERDICT_MAX] = {WW_VERDICTS(NAME_OF)};

	for (size_t i = 0; i < WW_ARRAY_SIZE(verdicts); i++) {
		const struct ww_json_token t = {.type = WW_JSON_STRING,
						.raw = ww_slice_str(names[verdicts[i]])};

		assert_non_null(ww_path_word(WW_PATH_VERDICT, &t));
	}
	WW_PATH_FINDINGS(FINDING_)
	WW_STANDINGS(STANDING_)
	WW_HORIZONS(ENDS_)
	WW_LEG_PURPOSES(PURPOSE_)
	WW_LEG_CAUSES(CAUSE_)
	WW_LEG_ACKEDS(ACKED_)
	WW_PATH_UNREADS(UNREAD_)
}

/* --- what is made of records --------------------------------------------------------------------
 */

/* The page's lines, wrapped ones put together again: a line that goes on is indented deeper than a
 * label reaches. Patterns were checked above; here it is about how they meet. */
static void text_page(const char *name, struct ww_slice record)
{
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_path_ask ask = {.index = 1, .record = record};

	ww_buf_init(&out, WW_PATH_TEXT_BYTES_MAX);
	assert_int_equal(ww_path_text(&ask, WW_PATH_COLUMNS_MAX, false, &out), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	if (strcmp(name, "hostile") != 0 && strcmp(name, "newer") != 0)
		assert_false(holds((const char *)out.p, "complian*"));
	assert_false(holds((const char *)out.p, "stayed in"));
	assert_false(holds((const char *)out.p, "proven"));
}

static void text_pages(void **state)
{
	each_sample(text_page);
}

/* What the engine wrote of recorded runs. */
static void recorded(void **state)
{
	static const char *const tapes[] = {
		"tests/golden/tapes/anthropic_refunds.records",
		"tests/golden/tapes/http2_refunds.records",
		"tests/golden/tapes/node_refunds.records",
		"tests/golden/tapes/python_refunds.records",
	};
	unsigned count = 0;

	for (size_t i = 0; i < WW_ARRAY_SIZE(tapes); i++) {
		WW_AUTO_BUF struct ww_buf file = {0};
		struct ww_slice rest, line;

		read_file(tapes[i], &file);
		rest = ww_buf_slice(&file);
		while (ww_slice_line(&rest, &line)) {
			const struct ww_json_token kind = ww_member_get(line, "kind"),
						   summary = ww_member_get(line, "summary");
			char text[1024];

			if (!ww_json_is(&kind, "path") && !ww_json_is(&kind, "crossing"))
				continue;
			text_page(tapes[i], line);
			snprintf(text, sizeof(text), "%.*s", (int)summary.raw.n,
				 (const char *)summary.raw.p);
			check(text);
			count++;
		}
	}
	assert_true(count >= 16);
}

struct html {
	struct ww_buf page;
};

static int take(void *ctx, struct ww_slice piece)
{
	struct html *h = ctx;

	return ww_buf_add(&h->page, piece.p, piece.n);
}

/* One report of every sample, in memory. */
struct report {
	struct ww_jsonw w;
	uint64_t count;
	struct ww_path_survey *survey;
};

static struct report report;

static void survey_sample(const char *name, struct ww_slice record)
{
	assert_int_equal(ww_path_survey_add(report.survey, report.count++, record), 0);
}

static void write_sample(const char *name, struct ww_slice record)
{
	WW_AUTO_BUF struct ww_buf salted = {0};
	static const uint8_t salt[WW_LEAF_SALT_LEN];
	struct ww_statement_record r = {.index = report.count++, .kind = WW_SLICE_LIT("path")};

	ww_buf_init(&salted, 1 << 20);
	assert_int_equal(ww_buf_add(&salted, salt, sizeof(salt)), 0);
	assert_int_equal(ww_buf_add(&salted, record.p, record.n), 0);
	r.salted = ww_buf_slice(&salted);
	ww_statement_record_write(&report.w, &r);
}

static void make_page(struct html *h)
{
	struct ww_statement s = {.created_at = WW_SLICE_LIT("2026-11-23T10:00:00Z"),
				 .note = WW_SLICE_LIT("x\n")};
	WW_AUTO_BUF struct ww_buf payload = {0}, scratch = {0}, section = {0}, law = {0};
	struct ww_report_result checked = {.consistent = true, .has_statement = true};
	struct ww_errtext why = {""};
	struct ww_jsonw w;

	ww_buf_init(&payload, 8u << 20);
	ww_buf_init(&scratch, WW_NOTE_BYTES_MAX);
	ww_buf_init(&section, 1 << 20);
	ww_buf_init(&law, 1 << 20);
	assert_int_equal(ww_path_survey_new(&report.survey), 0);
	report.count = 0;
	each_sample(survey_sample);
	assert_int_equal(ww_path_survey_end(report.survey), 0);
	ww_jsonw_init(&w, &section);
	ww_path_survey_write(report.survey, &w);
	ww_jsonw_init(&w, &law);
	ww_path_survey_jurisdiction(report.survey, &w);
	assert_int_equal(ww_wording_check(ww_buf_slice(&section), "paths", &why), 0);
	assert_int_equal(ww_wording_check(ww_buf_slice(&law), "jurisdiction", &why), 0);
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		s.sections.each[i] = WW_SLICE_LIT("{}");
	s.sections.paths = ww_buf_slice(&section);
	s.sections.jurisdiction = ww_buf_slice(&law);
	s.count = report.count;
	s.last = report.count - 1;
	snprintf(s.head.origin, sizeof(s.head.origin), "test");
	ww_jsonw_init(&report.w, &payload);
	ww_statement_begin(&report.w, &s);
	report.count = 0;
	each_sample(write_sample);
	ww_statement_end(&report.w, &s);
	assert_true(ww_jsonw_ok(&report.w));
	assert_int_equal(ww_statement_parse(ww_buf_slice(&payload), &scratch, NULL,
					    &checked.statement, &why),
			 0);
	checked.payload = ww_buf_slice(&payload);
	ww_buf_init(&h->page, 32u << 20);
	assert_int_equal(ww_report_html(WW_SLICE_LIT("{}\n"), &checked, take, h, &why), 0);
	assert_int_equal(ww_buf_add(&h->page, "", 1), 0);
	ww_path_survey_free(report.survey);
}

/* The text between two places without tags. */
static void strip(const char *from, const char *to, char *out, size_t cap)
{
	size_t n = 0;
	bool tag = false;

	for (; from < to && n + 1 < cap; from++) {
		if (*from == '<')
			tag = true;
		else if (*from == '>')
			tag = false;
		else if (!tag)
			out[n++] = *from;
	}
	out[n] = '\0';
}

/* Cells, items, paragraphs of the section are a sentence each; titles of columns are one with their
 * cells, which say it themselves. */
static void html_page(void **state)
{
	static const char *const elements[] = {"<td", "<li", "<p", "<h3", "<h4", "<caption", "<th"};
	static const char *const ends[] = {"</td>", "</li>",      "</p>", "</h3>",
					   "</h4>", "</caption>", "</th>"};
	struct html h = {0};
	const char *p, *end;
	unsigned count = 0;

	make_page(&h);
	p = strstr((const char *)h.page.p, "<section id=\"paths\">");
	end = strstr((const char *)h.page.p, "<section id=\"verify\">");
	assert_true(p && end && p < end);
	for (; p < end; p++) {
		for (size_t i = 0; i < WW_ARRAY_SIZE(elements); i++) {
			size_t n = strlen(elements[i]);
			char text[16384];
			const char *to;

			if (strncmp(p, elements[i], n) != 0 || (p[n] != '>' && p[n] != ' '))
				continue;
			to = strstr(p, ends[i]);
			assert_non_null(to);
			strip(p, to, text, sizeof(text));
			check(text);
			count++;
		}
	}
	assert_true(count > 300);
	assert_non_null(strstr((const char *)h.page.p, "excluded under the hard bound: "));
	assert_null(strstr((const char *)h.page.p, "\xe2\x80\xae"));
	ww_buf_done(&h.page);
}

/* --- documents ----------------------------------------------------------------------------------
 */

/* Paragraphs and rows of tables; code is what somebody types. */
static void check_document(const char *path)
{
	WW_AUTO_BUF struct ww_buf file = {0}, text = {0};
	struct ww_slice rest, line;
	bool code = false;

	read_file(path, &file);
	ww_buf_init(&text, 1 << 20);
	rest = ww_buf_slice(&file);
	while (ww_slice_line(&rest, &line)) {
		bool fence = ww_slice_starts(line, WW_SLICE_LIT("```"));
		bool row = line.n && line.p[0] == '|', typed = line.n > 3 && line.p[3] == ' ';

		code ^= fence;
		if (!fence && !code && line.n && !row && !typed) {
			assert_int_equal(ww_buf_add(&text, line.p, line.n), 0);
			assert_int_equal(ww_buf_add(&text, " ", 1), 0);
			continue;
		}
		assert_int_equal(ww_buf_add(&text, "", 1), 0);
		check((const char *)text.p);
		ww_buf_clear(&text);
		if (row) {
			assert_int_equal(ww_buf_add(&text, line.p, line.n), 0);
			assert_int_equal(ww_buf_add(&text, "", 1), 0);
			check((const char *)text.p);
			ww_buf_clear(&text);
		}
	}
}

static void documents(void **state)
{
	check_document("docs/paths.md");
	check_document("docs/policy.md");
}

/* What is never said, in every other document, page and list of words. */
static void never_said(void **state)
{
	static const char *const files[] = {
		"README.md",
		"docs/agents.md",
		"docs/attestations.md",
		"docs/decisions.md",
		"docs/evidence.md",
		"docs/paths.md",
		"docs/policy.md",
		"docs/records.md",
		"docs/reports.md",
		"docs/tables.md",
		"tests/golden/html/words",
		"tools/man/wirewitness.1",
		"tools/man/wirewitness-verify.1",
		"tools/man/wirewitnessd.8",
	};
	static const char *const never[] = {"complian*",  "stayed in",    "remained in",
					    "guarantee*", "tamper-proof", "trustworthy"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(files); i++) {
		WW_AUTO_BUF struct ww_buf file = {0};

		read_file(files[i], &file);
		assert_int_equal(ww_buf_add(&file, "", 1), 0);
		for (size_t k = 0; k < WW_ARRAY_SIZE(never); k++)
			if (holds((const char *)file.p, never[k]))
				fail_msg("%s says \"%s\"", files[i], never[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeded),     cmocka_unit_test(words),
		cmocka_unit_test(tables),     cmocka_unit_test(patterns),
		cmocka_unit_test(listings),   cmocka_unit_test(all_explained),
		cmocka_unit_test(text_pages), cmocka_unit_test(recorded),
		cmocka_unit_test(html_page),  cmocka_unit_test(documents),
		cmocka_unit_test(never_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
