/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a witness, the log that asks it and an auditor take from others: requests, cosignature
 * lines, the file of witnesses, proof files. What is accepted writes back to the same bytes, and
 * nothing counts as signed or cosigned that this run did not sign.
 */
#include "ledger/proof_file.h"
#include "ledger/witness.h"

#include <assert.h>

#include "base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Keys made for this file; they sign nothing else. */
static const char LOG[] =
	"PRIVATE+KEY+wirewitness.test/xmod+c0c7995f+AUYYjKxC0LHDAz0xgxwtgNiEUWOyCTEidPSS5JqHtnGT";
static const char WITNESS[] =
	"PRIVATE+KEY+witness.test/w1+2b6a559b+BPYuayefLO1T4AgHsscwAdtRWKDwFBvrFpvR1da5K3/C";

static struct ww_note_signer log_key, witness;

static void check_keys(struct ww_slice in)
{
	char text[WW_NOTE_KEY_TEXT_MAX];
	struct ww_note_key k;

	if (ww_cosign_key_parse(in, &k) == 0) {
		ww_note_key_text(&k, text);
		assert(ww_slice_eq_str(in, text));
	}
}

static void check_cosignature(struct ww_slice in)
{
	struct ww_buf b WW_AUTO_BUF = {0};
	struct ww_slice line, text = WW_SLICE_LIT("a text that nobody signed\n");
	uint64_t time;

	/* As lines under a text of ours, then as the text itself. */
	assert(ww_cosign_check(text, in, &witness.key, &time, &line) < 0);
	ww_buf_init(&b, WW_NOTE_BYTES_MAX);
	if (in.n < WW_NOTE_BYTES_MAX / 2 && ww_cosign_line(&witness, in, in.n, &b) == 0) {
		int r = ww_cosign_check(in, ww_buf_slice(&b), &witness.key, &time, &line);

		assert(r == 0 && time == in.n && ww_slice_eq(line, ww_buf_slice(&b)));
		assert(ww_cosign_check(text, ww_buf_slice(&b), &witness.key, &time, &line) < 0);
	}
}

static void check_request(struct ww_slice in)
{
	struct ww_checkpoint held = {.origin = "wirewitness.test/xmod", .size = 1};
	struct ww_witness_trust trust = {.logs = &log_key.key, .n = 1};
	struct ww_buf b WW_AUTO_BUF = {0};
	struct ww_witness_request q;
	struct ww_witness_ruling ruling;

	if (ww_witness_request_parse(in, &q) < 0)
		return;
	assert(q.proof.n <= WW_WITNESS_PROOF_MAX && q.note.n <= in.n);
	assert(ww_witness_admit(&q, &trust) != WW_WITNESS_COSIGN);
	ww_buf_init(&b, 2 * WW_WITNESS_REQUEST_MAX);
	if (ww_witness_request_write(q.old, &q.proof, q.note, &b) == 0)
		assert(ww_slice_eq(ww_buf_slice(&b), in));
	ruling = ww_witness_judge(&q, &held);
	assert(ruling.status != WW_WITNESS_COSIGN || q.old == 1);
	ruling = ww_witness_judge(&q, &q.claim);
	assert(!ruling.equivocation);
}

static void check_set(struct ww_slice in)
{
	struct ww_witness_set set;
	struct ww_errtext why;
	size_t count;

	if (ww_witness_set_parse(in, &set, &why) < 0)
		return;
	assert(set.n > 0 && set.quorum > 0 && set.quorum <= set.n);
	assert(ww_witness_set_count(&set, in, &count, NULL) < 0 || count == 0);
}

static void check_proof(struct ww_slice in)
{
	struct ww_witness_set set = {.n = 1, .quorum = 1, .peer = {{.key = witness.key}}};
	struct ww_buf b WW_AUTO_BUF = {0}, note WW_AUTO_BUF = {0}, again WW_AUTO_BUF = {0};
	struct ww_proof_result res;
	struct ww_proof_file f;
	struct ww_errtext why;
	uint8_t *raw;
	size_t n = 0;
	int r = ww_proof_file_verify(in, &log_key.key, NULL, &set, &res);

	assert(r == 0 && !res.verified);
	ww_buf_init(&b, 16u << 20);
	r = ww_proof_result_text(&res, "fuzz", &b);
	assert(r == 0);
	for (size_t i = 0; i < b.n; i++)
		assert(b.p[i] >= 0x20 || b.p[i] == '\n');
	r = ww_proof_result_json(&res, "fuzz", &b);
	assert(r == 0);
	ww_proof_result_done(&res);
	if (ww_proof_file_parse(in, &f, &why) < 0)
		return;
	ww_buf_clear(&b);
	r = ww_buf_reserve(&b, f.extra.n + 1, &raw);
	assert(r == 0);
	ww_buf_init(&again, 16u << 20);
	if (ww_base64_decode(f.extra, false, raw, f.extra.n, &n) == 0 &&
	    ww_proof_file_write(f.index, &f.proof, ww_slice(raw, n), f.note, &again) == 0)
		assert(ww_slice_eq(ww_buf_slice(&again), in));
	/* Under a checkpoint of ours everything behind the signature is reached. */
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_clear(&again);
	r = ww_checkpoint_sign(
		&(struct ww_checkpoint){.origin = "wirewitness.test/xmod", .size = f.index + 1},
		&log_key, &note);
	assert(r == 0);
	if (ww_proof_file_write(f.index, &f.proof, ww_slice(raw, n), ww_buf_slice(&note), &again) ==
	    0) {
		r = ww_proof_file_verify(ww_buf_slice(&again), &log_key.key, NULL, NULL, &res);
		assert(r == 0 && !res.verified);
		ww_proof_result_done(&res);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_slice in = {data, size};

	if (log_key.key.id == 0) {
		int r = ww_note_signer_parse(ww_slice_str(LOG), &log_key);

		assert(r == 0);
		r = ww_cosign_signer_parse(ww_slice_str(WITNESS), &witness);
		assert(r == 0);
	}
	if (size == 0)
		return 0;
	check_keys(in);
	check_cosignature(in);
	check_request(in);
	check_set(in);
	check_proof(in);
	return 0;
}
