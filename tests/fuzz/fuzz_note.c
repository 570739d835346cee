/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that an auditor or a reader of a ledger directory takes from others: notes, keys,
 * checkpoints, entry bundles, record frames, envelopes, statements. What is accepted writes back to
 * the same bytes, and nothing is verified that this run did not sign.
 */
#include "ledger/fields.h"
#include "ledger/dsse.h"
#include "ledger/payload.h"
#include "ledger/report_text.h"
#include "ledger/tile.h"
#include "ledger/wording.h"
#include "wirewitness/limits.h"

#include "../lib/report_over.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A key made for this file; it signs nothing else. */
static const char KEY[] =
	"PRIVATE+KEY+wirewitness.test/xmod+c0c7995f+AUYYjKxC0LHDAz0xgxwtgNiEUWOyCTEidPSS5JqHtnGT";

static struct ww_note_signer signer;

static void check_keys(struct ww_slice in)
{
	char text[WW_NOTE_KEY_TEXT_MAX];
	struct ww_note_signer s;
	struct ww_note_key k;

	if (ww_note_key_parse(in, &k) == 0) {
		ww_note_key_text(&k, text);
		assert(ww_slice_eq_str(in, text));
	}
	if (ww_note_signer_parse(in, &s) == 0) {
		ww_note_signer_text(&s, text);
		assert(ww_slice_eq_str(in, text));
	}
}

static void check_note(struct ww_slice in)
{
	struct ww_buf b WW_AUTO_BUF = {0};
	struct ww_checkpoint c, again;
	struct ww_slice text;

	ww_buf_init(&b, 2 * WW_NOTE_BYTES_MAX);
	if (ww_note_open(in, &signer.key, &text) == 0)
		assert(text.n > 0 && text.p[text.n - 1] == '\n');
	if (ww_checkpoint_parse(in, &c) == 0 && ww_checkpoint_text(&c, &b) == 0) {
		int r = ww_checkpoint_parse(ww_buf_slice(&b), &again);

		assert(r == 0 && memcmp(&c, &again, sizeof(c)) == 0);
		assert(ww_slice_starts(in, ww_buf_slice(&b)));
	}
	ww_buf_clear(&b);
	if (ww_note_sign(&signer, in, &b) == 0) {
		int r = ww_note_open(ww_buf_slice(&b), &signer.key, &text);

		assert(r == 0 && ww_slice_eq(text, in));
	}
}

static void check_frames(struct ww_slice in)
{
	struct ww_cursor c = ww_cursor(in);
	struct ww_payload p;
	struct ww_slice entry;
	enum ww_parse got;

	while ((got = ww_payload_next(&c, &p)) == WW_PARSE_DONE || got == WW_PARSE_GAP)
		;
	assert(c.at <= in.n);
	c = ww_cursor(in);
	while (ww_tile_bundle_next(&c, &entry) == WW_PARSE_DONE)
		assert(entry.n > 0 && entry.p > in.p && entry.p + entry.n <= in.p + in.n);
}

static void say(struct ww_report_result *r)
{
	struct ww_buf b WW_AUTO_BUF = {0};
	int e;

	ww_buf_init(&b, 8u << 20);
	e = ww_report_text(r, "fuzz", &b);
	assert(e == 0);
	for (size_t i = 0; i < b.n; i++)
		assert(b.p[i] >= 0x20 || b.p[i] == '\n');
	e = ww_report_text_json(r, "fuzz", &b);
	assert(e == 0);
	ww_report_result_done(r);
}

static void check_report(struct ww_slice in)
{
	struct ww_buf file WW_AUTO_BUF = {0};
	struct ww_report_result r;
	struct ww_errtext why;
	int e;

	e = ww_report_verify(in, NULL, &r);
	assert(e == 0 && !r.verified);
	assert(same_over(in, NULL, &r));
	say(&r);
	/* As a payload under a good signature: everything behind it is reached. */
	ww_buf_init(&file, WW_REPORT_BYTES_MAX);
	e = ww_dsse_sign(&signer, WW_SLICE_LIT(WW_DSSE_INTOTO), in, &file);
	assert(e == 0);
	e = ww_report_verify(ww_buf_slice(&file), &signer.key, &r);
	assert(e == 0 && r.checks[WW_REPORT_CHECK_SIGNATURE].state == WW_REPORT_PASSED);
	assert(same_over(ww_buf_slice(&file), &signer.key, &r));
	say(&r);
	e = ww_wording_check(in, "input", &why);
	assert(e == 0 || e == -22 || e == -12);
	e = ww_fields_unique(in, "input", &why);
	assert(e == 0 || e == -22 || e == -12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_slice in = {data, size};

	if (signer.key.id == 0) {
		int r = ww_note_signer_parse(ww_slice_str(KEY), &signer);

		assert(r == 0);
	}
	if (size == 0)
		return 0;
	check_keys(in);
	check_note(in);
	check_frames(in);
	check_report(in);
	return 0;
}
