/* SPDX-License-Identifier: Apache-2.0 */
/* The report's own leaf, and a bundle around it: anything that is read and changed is refused. */
#include "ledger_test.h"

#include "../../lib/report_over.h"

#include "base/encode.h"
#include "ledger/bundle.h"
#include "ledger/report.h"
#include "ledger/report_verify.h"

struct world {
	struct scratch *scratch;
	char dir[PATH_LEN];
	struct ww_ledger *ledger;
	struct ww_ledger_reader *reader;
	struct ww_note_key key;
	struct ww_buf envelope, entry, bundle;
	uint64_t index;
};

static struct world w;

static void write_bundle(struct ww_slice stamp, struct ww_buf *out)
{
	struct ww_merkle_proof proof;
	struct ww_bundle_input in = {.envelope = ww_buf_slice(&w.envelope),
				     .key = &w.key,
				     .entry = ww_buf_slice(&w.entry),
				     .index = w.index,
				     .proof = &proof,
				     .head = ww_ledger_reader_head(w.reader),
				     .note = ww_ledger_reader_note(w.reader),
				     .stamp = stamp};
	struct ww_slice leaf;

	assert_int_equal(ww_ledger_reader_leaf(w.reader, w.index, &leaf), 0);
	assert_true(ww_slice_eq(leaf, in.entry)); /* what others hash is what we keep */
	assert_int_equal(ww_ledger_reader_prove(w.reader, w.index, leaf, &proof), 0);
	ww_buf_init(out, 1u << 20);
	assert_int_equal(ww_bundle_write(&in, out), 0);
}

static int set_up(void **state)
{
	struct ww_report_input in = {.created_at = "2026-11-23T10:00:00Z", .first = 0, .last = 4};
	WW_AUTO_BUF struct ww_buf record = {0};
	struct ww_errtext why = {""};
	struct ww_sha256 payload;
	struct ww_dsse d;

	if (scratch_set_up((void **)&w.scratch) < 0)
		return -1;
	w.ledger = must_open(at(w.scratch, "log", w.dir));
	append(w.ledger, 5);
	commit(w.ledger);
	assert_int_equal(ww_ledger_reader_open(w.dir, NULL, &w.reader, &why), 0);
	w.key = *ww_ledger_reader_key(w.reader);
	ww_buf_init(&w.envelope, 1u << 20);
	assert_int_equal(ww_report_build(w.reader, &ww_ledger_keys(w.ledger)->signer, &in,
					 &w.envelope, &why),
			 0);
	assert_int_equal(ww_dsse_parse(ww_buf_slice(&w.envelope), 1u << 20, NULL, &d, &why), 0);
	ww_sha256(d.payload, &payload);
	ww_buf_init(&w.entry, WW_LEAF_BYTES_MAX);
	ww_buf_init(&record, 2 * WW_LEAF_BYTES_MAX);
	assert_int_equal(ww_bundle_entry(&payload, d.signature[0], &w.key, &w.entry), 0);
	assert_int_equal(ww_bundle_record(&payload, ww_buf_slice(&w.entry), in.created_at, &record),
			 0);
	assert_int_equal(ww_ledger_append(w.ledger, "report", ww_buf_slice(&record), &w.index), 0);
	append(w.ledger, 3);
	commit(w.ledger);
	assert_int_equal(ww_ledger_reader_refresh(w.reader, NULL, &why), 0);
	ww_dsse_done(&d);
	write_bundle(WW_SLICE_NULL, &w.bundle);
	return 0;
}

static int tear_down(void **state)
{
	ww_ledger_reader_close(w.reader);
	ww_ledger_close(w.ledger);
	ww_buf_done(&w.envelope);
	ww_buf_done(&w.entry);
	ww_buf_done(&w.bundle);
	return scratch_tear_down((void **)&w.scratch);
}

static bool verified(struct ww_slice file)
{
	struct ww_report_result r;
	bool ok;

	assert_int_equal(ww_report_verify(file, &w.key, &r), 0);
	assert_true(same_over(file, &w.key, &r));
	ok = r.verified;
	if (ok && ww_bundle_is(file))
		assert_int_equal(r.checks[WW_REPORT_CHECK_BUNDLE].state, WW_REPORT_PASSED);
	ww_report_result_done(&r);
	return ok;
}

static void test_whole(void **state)
{
	assert_true(ww_bundle_is(ww_buf_slice(&w.bundle)));
	assert_false(ww_bundle_is(ww_buf_slice(&w.envelope)));
	assert_true(verified(ww_buf_slice(&w.bundle)));
	assert_true(verified(ww_buf_slice(&w.envelope)));
}

/* A bit of every byte outside the envelope: refused, but where nothing is read (integratedTime and
 * its name, white space at the end, the unused way out of "spec"). */
static void test_flipped(void **state)
{
	WW_AUTO_BUF struct ww_buf copy = {0};
	const uint8_t *envelope = memmem(w.bundle.p, w.bundle.n, "\"dsseEnvelope\"", 14);
	size_t end = (size_t)(envelope - w.bundle.p), harmless = 0;
	const uint8_t *time = memmem(w.bundle.p, w.bundle.n, "\"integratedTime\":\"0\"", 20);

	assert_non_null(envelope);
	assert_non_null(time);
	ww_buf_init(&copy, w.bundle.n);
	assert_int_equal(ww_buf_add(&copy, w.bundle.p, w.bundle.n), 0);
	for (size_t i = 0; i < end; i++) {
		copy.p[i] ^= (uint8_t)(1 << i % 7);
		if (verified(ww_buf_slice(&copy))) {
			size_t at = (size_t)(time - w.bundle.p);

			harmless++;
			if (i < at || i >= at + 20)
				fail_msg("byte %zu may be changed: %.20s", i, w.bundle.p + i);
		}
		copy.p[i] ^= (uint8_t)(1 << i % 7);
	}
	assert_true(harmless < 20);
	assert_true(verified(ww_buf_slice(&copy)));
}

static void test_truncated(void **state)
{
	for (size_t n = 0; n + 1 < w.bundle.n; n += 1 + n / 64)
		assert_false(verified(ww_slice(w.bundle.p, n)));
}

/* The first `from` replaced by `to` in the bundle. */
static void edit(const char *from, const char *to)
{
	const uint8_t *hit = memmem(w.bundle.p, w.bundle.n, from, strlen(from));
	WW_AUTO_BUF struct ww_buf out = {0};
	size_t before;

	if (!hit)
		fail_msg("the bundle has no %s", from);
	before = (size_t)(hit - w.bundle.p);
	ww_buf_init(&out, 2 * w.bundle.n + 1024);
	assert_int_equal(ww_buf_add(&out, w.bundle.p, before), 0);
	assert_int_equal(ww_buf_add(&out, to, strlen(to)), 0);
	assert_int_equal(ww_buf_add(&out, hit + strlen(from), w.bundle.n - before - strlen(from)),
			 0);
	if (verified(ww_buf_slice(&out)))
		fail_msg("%s became %s and nobody noticed", from, to);
}

static void test_numbers_that_others_do_not_compare(void **state)
{
	edit("\"tlogEntries\":[{\"logIndex\":\"5\"", "\"tlogEntries\":[{\"logIndex\":\"6\"");
	edit("\"inclusionProof\":{\"logIndex\":\"5\"", "\"inclusionProof\":{\"logIndex\":\"4\"");
	edit("\"treeSize\":\"9\"", "\"treeSize\":\"8\"");
	edit("\"rootHash\":\"", "\"rootHash\":\"AAAA");
	edit("\"version\":\"0.0.2\"", "\"version\":\"0.0.1\"");
	edit("\"tlogEntries\":[", "\"tlogEntries\":[],\"x\":[");
	edit("\"tlogEntries\":[{", "\"tlogEntries\":[{},{");
	edit("\"verificationMaterial\":{",
	     "\"verificationMaterial\":{\"timestampVerificationData\":{\"rfc3161Timestamps\":[{"
	     "\"signedTimestamp\":\"MAA=\"}]},");
}

static void test_a_stamp_that_is_none(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};

	write_bundle(WW_SLICE_LIT("not a reply"), &b);
	assert_false(verified(ww_buf_slice(&b)));
}

/* Erasing a report record leaves its leaf and every proof; the next report lists it. */
static void test_report_record_in_reports(void **state)
{
	struct ww_report_input in = {.created_at = "2026-11-23T10:00:01Z", .first = 3, .last = 8};

	for (int erased = 0; erased < 2; erased++) {
		WW_AUTO_BUF struct ww_buf file = {0};
		struct ww_errtext why = {""};

		if (erased)
			assert_int_equal(ww_ledger_erase(w.ledger, w.index), 0);
		ww_buf_init(&file, 1u << 20);
		if (ww_report_build(w.reader, &ww_ledger_keys(w.ledger)->signer, &in, &file, &why) <
		    0)
			fail_msg("%s", why.text);
		assert_true(verified(ww_buf_slice(&file)));
	}
}

static void test_records_without_an_entry(void **state)
{
	static const char *const bad[] = {
		"{\"kind\":\"report\",\"id\":\"r-1\"}",
		"{\"entry\":\"x\"}",
		"{\"entry\":{\"v\":1}}",
		"{\"entry\":[]}",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_ledger_append(w.ledger, "report", ww_slice_str(bad[i]), NULL),
				 -EINVAL);
	assert_true(ww_ledger_pending(w.ledger) == 0);
}

static void test_trust_root(void **state)
{
	WW_AUTO_FREE struct ww_keychain *chain = calloc(1, sizeof(*chain));
	WW_AUTO_BUF struct ww_buf out = {0};
	const struct ww_slice cert = WW_SLICE_LIT("\x30\x00");
	struct ww_errtext why = {""};

	ww_buf_init(&out, 1u << 16);
	assert_int_equal(ww_keychain_read(WW_SLICE_NULL, &w.key, chain, &why), 0);
	assert_int_equal(ww_bundle_trust_root(chain, &cert, 1, &out), 0);
	assert_non_null(memmem(out.p, out.n, "\"baseUrl\":\"https://" ORIGIN "\"",
			       sizeof("\"baseUrl\":\"https://" ORIGIN "\"") - 1));
	assert_non_null(memmem(out.p, out.n, "\"rawBytes\":\"MAA=\"", 17));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_numbers_that_others_do_not_compare),
		cmocka_unit_test(test_a_stamp_that_is_none),
		cmocka_unit_test(test_records_without_an_entry),
		cmocka_unit_test(test_trust_root),
		cmocka_unit_test(test_report_record_in_reports),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
