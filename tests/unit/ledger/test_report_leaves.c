/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report with enough records that several threads hash them: whatever is changed, what is said
 * is what is said without threads (--rederive needs each record's content and reads them in order).
 */
#include "ledger_test.h"

#include "ledger/dsse.h"
#include "ledger/report.h"
#include "ledger/report_verify.h"

#define RECORDS 600u

struct world {
	struct scratch *scratch;
	char dir[PATH_LEN];
	struct ww_ledger *ledger;
	struct ww_ledger_reader *reader;
	struct ww_buf file, payload;
};

static struct world w;

static int set_up(void **state)
{
	struct ww_report_input in = {
		.created_at = "2026-11-23T10:00:00Z", .first = 0, .last = RECORDS - 1};
	struct ww_errtext why = {""};
	struct ww_dsse d;

	if (scratch_set_up((void **)&w.scratch) < 0)
		return -1;
	w.ledger = must_open(at(w.scratch, "log", w.dir));
	append(w.ledger, RECORDS);
	commit(w.ledger);
	assert_int_equal(ww_ledger_erase(w.ledger, 77), 0);
	assert_int_equal(ww_ledger_reader_open(w.dir, NULL, &w.reader, &why), 0);
	ww_buf_init(&w.file, 16u << 20);
	if (ww_report_build(w.reader, &ww_ledger_keys(w.ledger)->signer, &in, &w.file, &why) < 0)
		fail_msg("%s", why.text);
	assert_int_equal(ww_dsse_parse(ww_buf_slice(&w.file), 16u << 20, NULL, &d, &why), 0);
	ww_buf_init(&w.payload, d.payload.n);
	assert_int_equal(ww_buf_add(&w.payload, d.payload.p, d.payload.n), 0);
	ww_dsse_done(&d);
	return 0;
}

static int tear_down(void **state)
{
	ww_ledger_reader_close(w.reader);
	ww_ledger_close(w.ledger);
	ww_buf_done(&w.file);
	ww_buf_done(&w.payload);
	return scratch_tear_down((void **)&w.scratch);
}

static void check_same(struct ww_slice file, enum ww_report_check_id failed)
{
	const struct ww_note_key *key = ww_ledger_reader_key(w.reader);
	struct ww_report_options threads = {.key = key}, in_order = {.key = key, .rederive = true};
	struct ww_report_result a, b;

	assert_int_equal(ww_report_verify_with(file, &threads, &a), 0);
	assert_int_equal(ww_report_verify_with(file, &in_order, &b), 0);
	for (unsigned i = 0; i < WW_REPORT_CHECK_REDERIVED; i++) {
		assert_int_equal(a.checks[i].state, b.checks[i].state);
		assert_string_equal(a.checks[i].text.text, b.checks[i].text.text);
		assert_true((a.checks[i].state == WW_REPORT_FAILED) <= (i >= failed));
	}
	assert_true(a.verified == (failed == WW_REPORT_CHECK_MAX));
	if (failed < WW_REPORT_CHECK_MAX)
		assert_int_equal(a.checks[failed].state, WW_REPORT_FAILED);
	ww_report_result_done(&a);
	ww_report_result_done(&b);
}

/* Puts one byte behind the record's n-th `mark`, signs again, and puts the old one back. */
static void check_change(size_t n, const char *mark, size_t behind, uint8_t byte,
			 enum ww_report_check_id failed)
{
	WW_AUTO_BUF struct ww_buf file = {0};
	uint8_t *at = w.payload.p, old;

	for (size_t i = 0; i <= n; i++) {
		at = memmem(at, w.payload.n - (size_t)(at - w.payload.p), mark, strlen(mark));
		assert_non_null(at);
		at += strlen(mark);
	}
	old = at[behind];
	at[behind] = old == byte ? (uint8_t)(byte ^ 1) : byte;
	ww_buf_init(&file, 16u << 20);
	assert_int_equal(ww_dsse_sign(&ww_ledger_keys(w.ledger)->signer,
				      WW_SLICE_LIT(WW_DSSE_INTOTO), ww_buf_slice(&w.payload),
				      &file),
			 0);
	check_same(ww_buf_slice(&file), failed);
	at[behind] = old;
}

static void test_whole(void **state)
{
	check_same(ww_buf_slice(&w.file), WW_REPORT_CHECK_MAX);
}

static void test_changed(void **state)
{
	static const size_t which[] = {0, 1, 150, 299, 300, 449, 598};

	for (size_t i = 0; i < WW_ARRAY_SIZE(which); i++) {
		/* Other content: its leaf is not in the tree. No content: the record is wrong. */
		check_change(which[i], "\"salt\":\"", 5, '0', WW_REPORT_CHECK_SUBJECT);
		check_change(which[i], "\"salt\":\"", 63, 'g', WW_REPORT_CHECK_RECORDS);
		check_change(which[i], "\"salt\":\"", 5, 'A', WW_REPORT_CHECK_RECORDS);
		check_change(which[i], "\"record\":\"", 0, '[', WW_REPORT_CHECK_SUBJECT);
		check_change(which[i], "\"inclusionProof\":[\"", 3, '!', WW_REPORT_CHECK_RECORDS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
