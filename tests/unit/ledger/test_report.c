/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Must-fail first: a report with anything changed is not verified, whether the changer lacks the
 * key (the file is changed) or has it (the payload is changed and signed again).
 */
#include "ledger_test.h"

#include "../../lib/report_over.h"
#include "base/encode.h"
#include "ledger/cosign.h"
#include "ledger/dsse.h"
#include "ledger/report.h"
#include "ledger/report_text.h"
#include "ledger/report_verify.h"

#define CREATED "2026-11-23T10:00:00.000000000Z"

struct world {
	struct scratch *scratch;
	char dir[PATH_LEN];
	struct ww_ledger *ledger;
	struct ww_ledger_reader *reader;
	struct ww_note_key key;
	struct ww_buf file, payload; /* a report over records 4 to 7 of 12, 6 is erased */
};

static struct world w;

static const struct ww_report_input input = {
	.created_at = CREATED,
	.sections.scope = WW_SLICE_LIT("{\"host\":\"build-7\"}"),
	.sections.period = WW_SLICE_LIT("{\"from\":1,\"to\":2}"),
	.sections.coverage = WW_SLICE_LIT("{\"lost\":0,\"word\":\"measured\"}"),
	.first = 4,
	.last = 7,
};

static void build(const struct ww_report_input *in, struct ww_buf *out)
{
	struct ww_errtext why = {""};

	ww_buf_init(out, 16u << 20);
	if (ww_report_build(w.reader, &ww_ledger_keys(w.ledger)->signer, in, out, &why) < 0)
		fail_msg("%s", why.text);
}

static int set_up(void **state)
{
	struct ww_errtext why = {""};
	struct ww_dsse d;

	if (scratch_set_up((void **)&w.scratch) < 0)
		return -1;
	w.ledger = must_open(at(w.scratch, "log", w.dir));
	append(w.ledger, 4);
	assert_int_equal(ww_ledger_append(w.ledger, "span",
					  WW_SLICE_LIT("{\"name\":\"a \\\"b\\\" \xc3\xa9\"}"),
					  NULL),
			 0);
	append(w.ledger, 7);
	commit(w.ledger);
	assert_int_equal(ww_ledger_erase(w.ledger, 6), 0);
	assert_int_equal(ww_ledger_reader_open(w.dir, NULL, &w.reader, &why), 0);
	w.key = *ww_ledger_reader_key(w.reader);
	build(&input, &w.file);
	assert_int_equal(ww_dsse_parse(ww_buf_slice(&w.file), 1u << 20, NULL, &d, &why), 0);
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

static void verify(struct ww_slice file, struct ww_report_result *ret)
{
	assert_int_equal(ww_report_verify(file, &w.key, ret), 0);
	assert_true(same_over(file, &w.key, ret));
	/* One failure, or one check not made, is enough. */
	for (int i = 0; i < WW_REPORT_CHECK_MAX; i++)
		if (ret->checks[i].state == WW_REPORT_SKIPPED ||
		    ret->checks[i].state == WW_REPORT_FAILED)
			assert_false(ret->verified);
}

static bool verified(struct ww_slice file)
{
	struct ww_report_result r;
	bool ok;

	verify(file, &r);
	ok = r.verified;
	ww_report_result_done(&r);
	return ok;
}

/* Signs a payload with the log's own key, as a dishonest operator could. */
static void sign(struct ww_slice payload, struct ww_buf *out)
{
	ww_buf_init(out, 16u << 20);
	assert_int_equal(ww_dsse_sign(&ww_ledger_keys(w.ledger)->signer,
				      WW_SLICE_LIT(WW_DSSE_INTOTO), payload, out),
			 0);
}

/* The payload with the first `from` replaced by `to`. */
static void edit(const char *from, const char *to, struct ww_buf *out)
{
	const uint8_t *hit = memmem(w.payload.p, w.payload.n, from, strlen(from));
	size_t before;

	if (!hit)
		fail_msg("the payload has no %s", from);
	before = (size_t)(hit - w.payload.p);
	ww_buf_init(out, 16u << 20);
	assert_int_equal(ww_buf_add(out, w.payload.p, before), 0);
	assert_int_equal(ww_buf_add(out, to, strlen(to)), 0);
	assert_int_equal(ww_buf_add(out, hit + strlen(from), w.payload.n - before - strlen(from)),
			 0);
}

static void refuse(struct ww_slice file, enum ww_report_check_id id)
{
	struct ww_report_result r;

	verify(file, &r);
	assert_false(r.verified);
	if (r.checks[id].state != WW_REPORT_FAILED)
		fail_msg("%s did not fail: %s", ww_report_check_name(id), r.checks[id].text.text);
	ww_report_result_done(&r);
}

static void refuse_edit(const char *from, const char *to, enum ww_report_check_id id)
{
	WW_AUTO_BUF struct ww_buf payload = {0}, file = {0};

	edit(from, to, &payload);
	sign(ww_buf_slice(&payload), &file);
	refuse(ww_buf_slice(&file), id);
}

/* --- without the key -----------------------------------------------------------------------------
 */

/* Every byte, every bit of the frame around the payload: refused, or the same signed bytes come
 * out. */
static void test_flipped_file(void **state)
{
	WW_AUTO_BUF struct ww_buf copy = {0};
	size_t frame = 14 + WW_BASE64_LEN(w.payload.n), harmless = 0;

	ww_buf_init(&copy, w.file.n);
	assert_int_equal(ww_buf_add(&copy, w.file.p, w.file.n), 0);
	for (size_t i = 0; i < copy.n; i++) {
		bool all = i < 14 || i > frame;

		for (size_t bit = all ? 0 : i % 8; bit < (all ? 8 : i % 8 + 1); bit++) {
			struct ww_report_result r;

			copy.p[i] ^= (uint8_t)(1 << bit);
			verify(ww_buf_slice(&copy), &r);
			if (r.verified) {
				harmless++;
				assert_true(ww_slice_eq(r.payload, ww_buf_slice(&w.payload)));
			}
			ww_report_result_done(&r);
			copy.p[i] ^= (uint8_t)(1 << bit);
		}
	}
	/* Only the unsigned key hint (its name and value) and the newline at the end have room for
	 * that. */
	assert_true(harmless < 8 * 64);
	assert_true(verified(ww_buf_slice(&copy)));
}

static void test_truncated_file(void **state)
{
	for (size_t n = 0; n + 1 < w.file.n; n += 1 + n / 64)
		refuse(ww_slice(w.file.p, n), WW_REPORT_CHECK_ENVELOPE);
	assert_true(verified(ww_slice(w.file.p, w.file.n - 1))); /* without the last newline */
}

static void test_two_envelopes(void **state)
{
	WW_AUTO_BUF struct ww_buf twice = {0};

	ww_buf_init(&twice, 2 * w.file.n);
	assert_int_equal(ww_buf_add(&twice, w.file.p, w.file.n), 0);
	assert_int_equal(ww_buf_add(&twice, w.file.p, w.file.n), 0);
	refuse(ww_buf_slice(&twice), WW_REPORT_CHECK_ENVELOPE);
}

static void test_other_type(void **state)
{
	WW_AUTO_BUF struct ww_buf file = {0};

	ww_buf_init(&file, 16u << 20);
	assert_int_equal(ww_dsse_sign(&ww_ledger_keys(w.ledger)->signer,
				      WW_SLICE_LIT("application/json"), ww_buf_slice(&w.payload),
				      &file),
			 0);
	refuse(ww_buf_slice(&file), WW_REPORT_CHECK_TYPE);
}

/* A whole report by somebody else's log: only the key tells. */
static void test_other_key(void **state)
{
	struct ww_report_result r;
	struct ww_note_signer other;
	WW_AUTO_BUF struct ww_buf file = {0};

	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &other), 0);
	assert_int_equal(ww_report_verify(ww_buf_slice(&w.file), &other.key, &r), 0);
	assert_false(r.verified || r.consistent);
	assert_int_equal(r.checks[WW_REPORT_CHECK_KEY].state, WW_REPORT_FAILED);
	assert_int_equal(r.checks[WW_REPORT_CHECK_SIGNATURE].state, WW_REPORT_FAILED);
	assert_int_equal(r.checks[WW_REPORT_CHECK_INCLUSION].state, WW_REPORT_SKIPPED);
	ww_report_result_done(&r);

	/* Our payload under another signature: not even consistent under the key it names. */
	ww_buf_init(&file, 16u << 20);
	assert_int_equal(
		ww_dsse_sign(&other, WW_SLICE_LIT(WW_DSSE_INTOTO), ww_buf_slice(&w.payload), &file),
		0);
	assert_int_equal(ww_report_verify(ww_buf_slice(&file), NULL, &r), 0);
	assert_false(r.verified || r.consistent);
	ww_report_result_done(&r);
}

static void test_no_key(void **state)
{
	struct ww_report_result r;

	assert_int_equal(ww_report_verify(ww_buf_slice(&w.file), NULL, &r), 0);
	assert_false(r.verified);
	assert_true(r.consistent);
	assert_true(ww_note_key_equal(&r.key, &w.key));
	assert_non_null(
		strstr(r.checks[WW_REPORT_CHECK_KEY].text.text, "trust is not established"));
	ww_report_result_done(&r);
}

/* --- with the key --------------------------------------------------------------------------------
 */

/* Every byte of the signed statement outside the free text: one bit flipped, signed again, refused.
 */
static void test_flipped_payload(void **state)
{
	static const char from[] = "\"createdAt\"", to[] = "\"ledger\":{";
	size_t free_from =
		(size_t)((const uint8_t *)memmem(w.payload.p, w.payload.n, from, sizeof(from) - 1) -
			 w.payload.p);
	size_t free_to =
		(size_t)((const uint8_t *)memmem(w.payload.p, w.payload.n, to, sizeof(to) - 1) -
			 w.payload.p);
	WW_AUTO_BUF struct ww_buf copy = {0};

	assert_true(free_from < free_to && free_to < w.payload.n / 2);
	ww_buf_init(&copy, w.payload.n);
	assert_int_equal(ww_buf_add(&copy, w.payload.p, w.payload.n), 0);
	for (size_t i = 0; i < copy.n; i++) {
		WW_AUTO_BUF struct ww_buf file = {0};
		uint8_t bit = (uint8_t)(1 << (i * 5 % 8));

		copy.p[i] ^= bit;
		sign(ww_buf_slice(&copy), &file);
		if (verified(ww_buf_slice(&file)) && (i < free_from || i >= free_to))
			fail_msg("byte %zu of the payload may be changed", i);
		copy.p[i] ^= bit;
	}
}

static void test_lies_about_the_tree(void **state)
{
	refuse_edit("\"treeSize\":12", "\"treeSize\":11", WW_REPORT_CHECK_CHECKPOINT);
	refuse_edit("\\n12\\n", "\\n13\\n", WW_REPORT_CHECK_CHECKPOINT);
	refuse_edit(",\"checkpoint\":", ",\"checkpoint\":\"\",\"checkpoint2\":",
		    WW_REPORT_CHECK_CHECKPOINT);
	refuse_edit("\"origin\":\"wirewitness.test/unit\"", "\"origin\":\"wirewitness.test/other\"",
		    WW_REPORT_CHECK_STATEMENT);
	refuse_edit("{\"name\":\"records\"", "{\"name\":\"record\"", WW_REPORT_CHECK_STATEMENT);
}

static void test_lies_about_the_range(void **state)
{
	refuse_edit("\"firstIndex\":4", "\"firstIndex\":3", WW_REPORT_CHECK_RANGE);
	refuse_edit("\"lastIndex\":7", "\"lastIndex\":8", WW_REPORT_CHECK_RANGE);
	refuse_edit("\"recordCount\":4", "\"recordCount\":5", WW_REPORT_CHECK_RANGE);
	refuse_edit("\"withheldCount\":1", "\"withheldCount\":0", WW_REPORT_CHECK_RANGE);
	refuse_edit("\"index\":5", "\"index\":4", WW_REPORT_CHECK_RANGE);
	refuse_edit("\"index\":5", "\"index\":8", WW_REPORT_CHECK_INCLUSION);
	refuse_edit("\"selection\":\"range\"", "\"selection\":\"all\"", WW_REPORT_CHECK_STATEMENT);
}

/* Finds element i of records, with its following comma. */
static struct ww_slice element(size_t i)
{
	const uint8_t *p = w.payload.p;
	struct ww_slice rest = ww_slice(p, w.payload.n), found = WW_SLICE_NULL;

	for (size_t k = 0; k <= i + 1; k++) {
		const uint8_t *hit = memmem(rest.p, rest.n, "{\"index\":", 9);

		if (!hit)
			fail_msg("no element %zu", k);
		if (k == i)
			found.p = hit;
		if (k == i + 1)
			found.n = (size_t)(hit - found.p);
		rest = ww_slice_sub(rest, (size_t)(hit - rest.p) + 9, rest.n);
	}
	return found;
}

static void test_missing_record(void **state)
{
	struct ww_slice gone = element(1);
	size_t before = (size_t)(gone.p - w.payload.p);
	WW_AUTO_BUF struct ww_buf payload = {0}, file = {0};

	ww_buf_init(&payload, w.payload.n);
	assert_int_equal(ww_buf_add(&payload, w.payload.p, before), 0);
	assert_int_equal(ww_buf_add(&payload, gone.p + gone.n, w.payload.n - before - gone.n), 0);
	sign(ww_buf_slice(&payload), &file);
	refuse(ww_buf_slice(&file), WW_REPORT_CHECK_RANGE);
	refuse(ww_buf_slice(&file), WW_REPORT_CHECK_SUBJECT);
}

static void test_swapped_records(void **state)
{
	struct ww_slice a = element(0), b = element(1);
	size_t before = (size_t)(a.p - w.payload.p), after = before + a.n + b.n;
	WW_AUTO_BUF struct ww_buf payload = {0}, file = {0};

	ww_buf_init(&payload, w.payload.n);
	assert_int_equal(ww_buf_add(&payload, w.payload.p, before), 0);
	assert_int_equal(ww_buf_add(&payload, b.p, b.n), 0);
	assert_int_equal(ww_buf_add(&payload, a.p, a.n), 0);
	assert_int_equal(ww_buf_add(&payload, w.payload.p + after, w.payload.n - after), 0);
	sign(ww_buf_slice(&payload), &file);
	refuse(ww_buf_slice(&file), WW_REPORT_CHECK_RANGE);
}

static void test_changed_record(void **state)
{
	refuse_edit("\\\"id\\\":\\\"r5\\\"", "\\\"id\\\":\\\"r9\\\"", WW_REPORT_CHECK_INCLUSION);
	refuse_edit("\"kind\":\"span\"", "\"kind\":\"flow\"", WW_REPORT_CHECK_INCLUSION);
	refuse_edit("\"kind\":\"span\"", "\"kind\":\"SPAN\"", WW_REPORT_CHECK_RECORDS);
	/* Another text of the same JSON value is another record. */
	refuse_edit("\\\"name\\\":\\\"a", "\\\"name\\\": \\\"a", WW_REPORT_CHECK_INCLUSION);
	refuse_edit("\"digest\":\"", "\"salt\":\"", WW_REPORT_CHECK_RECORDS);
	refuse_edit("\"salt\":\"", "\"digest\":\"", WW_REPORT_CHECK_RECORDS);
	refuse_edit("\"inclusionProof\":[\"", "\"inclusionProof\":[\"AAAA\",\"",
		    WW_REPORT_CHECK_RECORDS);
	refuse_edit("\"inclusionProof\":[", "\"inclusionProof\":[],\"was\":[",
		    WW_REPORT_CHECK_INCLUSION);
	refuse_edit("\"records\":[", "\"records\":[],\"were\":[", WW_REPORT_CHECK_RANGE);
	refuse_edit("\"records\":[", "\"records\":[],\"records\":[", WW_REPORT_CHECK_STATEMENT);
	refuse_edit("\"records\":[", "\"records\":[7,", WW_REPORT_CHECK_RECORDS);
}

static void test_strong_words(void **state)
{
	refuse_edit("\"word\":\"measured\"", "\"word\":\"proven\"", WW_REPORT_CHECK_WORDING);
	refuse_edit("\"scope\":{", "\"scope\":{\"a\":[{\"b\":\"was Proven\"}],",
		    WW_REPORT_CHECK_WORDING);
}

static void test_other_predicate(void **state)
{
	refuse_edit("wirewitness.dev/report/v1", "wirewitness.dev/report/v2",
		    WW_REPORT_CHECK_STATEMENT);
	refuse_edit("Statement/v1", "Statement/v2", WW_REPORT_CHECK_STATEMENT);
}

/* --- building ------------------------------------------------------------------------------------
 */

static void refuse_build(struct ww_report_input in, int want)
{
	struct ww_errtext why = {""};
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, 1u << 20);
	assert_int_equal(
		ww_report_build(w.reader, &ww_ledger_keys(w.ledger)->signer, &in, &out, &why),
		want);
	assert_true(why.text[0] != '\0');
	assert_int_equal(out.n, 0);
}

static void test_bad_input(void **state)
{
	static const uint64_t unordered[] = {5, 4}, twice[] = {4, 4}, beyond[] = {4, 12};
	struct ww_report_input in = input;

	in.last = 12;
	refuse_build(in, -ERANGE);
	in.last = UINT64_MAX;
	refuse_build(in, -E2BIG);
	in.first = 8;
	in.last = 7;
	refuse_build(in, -EINVAL);
	in.indexes = unordered;
	in.n_indexes = 0;
	refuse_build(in, -EINVAL);
	in.n_indexes = 2;
	refuse_build(in, -EINVAL);
	in.indexes = twice;
	refuse_build(in, -EINVAL);
	in.indexes = beyond;
	refuse_build(in, -ERANGE);
	in = input;
	in.sections.scope = WW_SLICE_LIT("[]");
	refuse_build(in, -EINVAL);
	in.sections.scope = WW_SLICE_LIT("{},\"x\":{}");
	refuse_build(in, -EINVAL);
	in.sections.scope = WW_SLICE_LIT("{\"a\":\"proven\"}");
	refuse_build(in, -EINVAL);
}

static void test_other_signer(void **state)
{
	struct ww_errtext why = {""};
	struct ww_note_signer other;
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, 1u << 20);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &other), 0);
	assert_int_equal(ww_report_build(w.reader, &other, &input, &out, &why), -EINVAL);
}

static void test_good_report(void **state)
{
	struct ww_report_result r;
	WW_AUTO_BUF struct ww_buf text = {0};

	verify(ww_buf_slice(&w.file), &r);
	ww_buf_init(&text, 1u << 20);
	assert_int_equal(ww_report_text(&r, "a\033[31m\xc2\x9b", &text), 0);
	if (!r.verified)
		fail_msg("%.*s", (int)text.n, (const char *)text.p);
	assert_true(r.consistent);
	assert_true(ww_slice_starts(ww_buf_slice(&text), WW_SLICE_LIT("a?[31m??: VERIFIED\n")));
	assert_true(r.statement.head.size == 12 && r.statement.first == 4 && r.statement.last == 7);
	assert_true(r.statement.count == 4 && r.statement.withheld == 1);
	assert_true(ww_slice_eq_str(r.statement.created_at, CREATED));
	assert_true(ww_slice_eq(r.statement.sections.coverage, input.sections.coverage));
	assert_true(ww_slice_eq_str(r.statement.sections.summary, "{}"));
	assert_int_equal(r.n_kinds, 2);
	assert_string_equal(r.kinds[0].kind, "span");
	assert_true(r.kinds[1].count == 3);
	ww_buf_clear(&text);
	assert_int_equal(ww_report_text_json(&r, "x", &text), 0);
	assert_true(ww_slice_starts(
		ww_buf_slice(&text),
		WW_SLICE_LIT("{\"file\":\"x\",\"verified\":true,\"consistent\":true,")));
	ww_report_result_done(&r);
}

static void test_chosen_records(void **state)
{
	static const uint64_t indexes[] = {0, 6, 11};
	struct ww_report_input in = {.created_at = CREATED, .indexes = indexes, .n_indexes = 3};
	WW_AUTO_BUF struct ww_buf file = {0};

	build(&in, &file);
	assert_true(verified(ww_buf_slice(&file)));
}

/* --- witnesses -------------------------------------------------------------------------------- */

struct witnesses {
	struct ww_note_signer signer[3];
	char dir[PATH_LEN];
	struct ww_ledger *ledger;
	struct ww_ledger_reader *reader;
	struct ww_buf note; /* of 12 records, cosigned by 0 and 1; the ledger has 17 */
};

static void witnesses_set_up(struct witnesses *x)
{
	struct ww_slice text, lines;
	struct ww_errtext why = {""};

	*x = (struct witnesses){0};
	x->ledger = must_open(at(w.scratch, "witnessed", x->dir));
	append(x->ledger, 12);
	commit(x->ledger);
	assert_int_equal(ww_ledger_reader_open(x->dir, NULL, &x->reader, &why), 0);
	text = ww_ledger_reader_note(x->reader);
	ww_buf_init(&x->note, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_buf_add(&x->note, text.p, text.n), 0);
	for (size_t i = 0; i < 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "w/%zu", i);
		assert_int_equal(ww_cosign_signer_new(ww_slice_str(name), &x->signer[i]), 0);
		assert_int_equal(ww_note_split(ww_buf_slice(&x->note), &text, &lines), 0);
		if (i < 2)
			assert_int_equal(ww_cosign_line(&x->signer[i], text, 7 + i, &x->note), 0);
	}
	append(x->ledger, 5);
	commit(x->ledger);
	assert_int_equal(ww_ledger_reader_refresh(x->reader, NULL, &why), 0);
}

static void witnesses_done(struct witnesses *x)
{
	for (size_t i = 0; i < 3; i++)
		ww_note_signer_done(&x->signer[i]);
	ww_ledger_reader_close(x->reader);
	ww_ledger_close(x->ledger);
	ww_buf_done(&x->note);
	remove_tree(x->dir);
}

/* A report over records 4 to 7 with what the reader has as its head. */
static void build_witnessed(const struct witnesses *x, struct ww_buf *out)
{
	struct ww_errtext why = {""};

	ww_buf_init(out, 1u << 20);
	if (ww_report_build(x->reader, &ww_ledger_keys(x->ledger)->signer, &input, out, &why) < 0)
		fail_msg("%s", why.text);
}

/* The state of the check, and whether all is verified, with witnesses a and b and this quorum; a
 * negative quorum: nobody asks. */
static enum ww_report_state witnessed(const struct witnesses *x, struct ww_slice file, size_t a,
				      size_t b, int quorum, bool *ret_verified)
{
	struct ww_witness_set set = {.n = 2, .quorum = (size_t)(quorum < 0 ? 2 : quorum)};
	struct ww_report_result r;
	enum ww_report_state state;

	set.peer[0].key = x->signer[a].key;
	set.peer[1].key = x->signer[b].key;
	assert_int_equal(ww_report_verify(file, ww_ledger_reader_key(x->reader), &r), 0);
	assert_true(r.verified);
	if (quorum >= 0)
		assert_int_equal(ww_report_verify_witnesses(&r, &set), 0);
	state = r.checks[WW_REPORT_CHECK_WITNESSES].state;
	*ret_verified = r.verified && r.consistent;
	ww_report_result_done(&r);
	return state;
}

static void test_witnesses(void **state)
{
	WW_AUTO_BUF struct ww_buf file = {0}, plain = {0}, forged = {0};
	struct ww_errtext why = {""};
	struct witnesses x;
	bool good;

	witnesses_set_up(&x);
	build_witnessed(&x, &plain);
	assert_int_equal(witnessed(&x, ww_buf_slice(&plain), 0, 1, -1, &good), WW_REPORT_ABSENT);
	assert_true(good);
	assert_int_equal(witnessed(&x, ww_buf_slice(&plain), 0, 1, 1, &good), WW_REPORT_FAILED);
	assert_false(good);

	assert_int_equal(ww_ledger_reader_rewind(x.reader, ww_buf_slice(&x.note), &why), 0);
	assert_true(ww_ledger_reader_head(x.reader)->size == 12);
	build_witnessed(&x, &file);
	assert_int_equal(witnessed(&x, ww_buf_slice(&file), 0, 1, -1, &good), WW_REPORT_ABSENT);
	assert_true(good);
	assert_int_equal(witnessed(&x, ww_buf_slice(&file), 0, 1, 2, &good), WW_REPORT_PASSED);
	assert_true(good);
	/* One of these two has not signed. */
	assert_int_equal(witnessed(&x, ww_buf_slice(&file), 0, 2, 1, &good), WW_REPORT_PASSED);
	assert_true(good);
	assert_int_equal(witnessed(&x, ww_buf_slice(&file), 0, 2, 2, &good), WW_REPORT_FAILED);
	assert_false(good);

	/* A character of the second one's signature: another one of base64, whatever it is. */
	x.note.p[x.note.n - 6] = x.note.p[x.note.n - 6] == 'A' ? 'B' : 'A';
	assert_int_equal(ww_ledger_reader_rewind(x.reader, ww_buf_slice(&x.note), &why), 0);
	build_witnessed(&x, &forged);
	assert_int_equal(witnessed(&x, ww_buf_slice(&forged), 0, 1, 1, &good), WW_REPORT_FAILED);
	assert_false(good);
	assert_int_equal(witnessed(&x, ww_buf_slice(&forged), 0, 2, 1, &good), WW_REPORT_PASSED);

	assert_int_equal(ww_ledger_reader_refresh(x.reader, NULL, &why), 0);
	assert_true(ww_ledger_reader_head(x.reader)->size == 17);
	witnesses_done(&x);
}

static void test_rewind_refuses(void **state)
{
	WW_AUTO_BUF struct ww_buf note = {0}, newer = {0};
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};
	char fork[PATH_LEN];
	struct ww_ledger *l;
	struct witnesses x;

	witnesses_set_up(&x);
	ww_ledger_close(x.ledger);
	x.ledger = NULL;
	slurp(at(w.scratch, "witnessed/checkpoint", fork), &newer);
	copy_tree(x.dir, at(w.scratch, "fork", fork));
	/* Both go on, with the key in hand: other salts, so other trees. */
	l = must_open(fork);
	append(l, 1);
	commit(l);
	ww_ledger_close(l);
	l = must_open(x.dir);
	append(l, 3);
	commit(l);
	ww_ledger_close(l);
	assert_int_equal(ww_ledger_reader_refresh(x.reader, NULL, &why), 0);
	assert_int_equal(ww_ledger_reader_open(fork, NULL, &r, &why), 0);
	assert_int_equal(ww_ledger_reader_rewind(x.reader, ww_ledger_reader_note(r), &why),
			 -EUCLEAN);
	assert_non_null(strstr(why.text, "rewritten"));
	/* Longer than the log, another key, no signature. */
	assert_int_equal(ww_ledger_reader_rewind(r, ww_ledger_reader_note(x.reader), &why),
			 -EUCLEAN);
	assert_int_equal(ww_ledger_reader_rewind(x.reader, ww_ledger_reader_note(w.reader), &why),
			 -EUCLEAN);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_buf_add(&note, newer.p, newer.n), 0);
	note.p[note.n - 6] ^= 1;
	assert_int_equal(ww_ledger_reader_rewind(x.reader, ww_buf_slice(&note), &why), -EUCLEAN);
	assert_true(ww_ledger_reader_head(x.reader)->size == 20);
	assert_int_equal(ww_ledger_reader_rewind(x.reader, ww_buf_slice(&newer), &why), 0);
	ww_ledger_reader_close(r);
	witnesses_done(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flipped_file),
		cmocka_unit_test(test_truncated_file),
		cmocka_unit_test(test_two_envelopes),
		cmocka_unit_test(test_other_type),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_flipped_payload),
		cmocka_unit_test(test_lies_about_the_tree),
		cmocka_unit_test(test_lies_about_the_range),
		cmocka_unit_test(test_missing_record),
		cmocka_unit_test(test_swapped_records),
		cmocka_unit_test(test_changed_record),
		cmocka_unit_test(test_strong_words),
		cmocka_unit_test(test_other_predicate),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_other_signer),
		cmocka_unit_test(test_good_report),
		cmocka_unit_test(test_chosen_records),
		cmocka_unit_test(test_witnesses),
		cmocka_unit_test(test_rewind_refuses),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
