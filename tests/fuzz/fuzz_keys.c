/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verifier or a starting daemon reads about keys and retention: sealed keys, rotations,
 * histories, endorsements, prune records, the list of them, settings. What is accepted writes back
 * to the same bytes or says the same, and nothing counts that both keys did not sign.
 */
#include "ledger/endorsement.h"
#include "ledger/keychain.h"
#include "ledger/pruned.h"
#include "ledger/retention.h"
#include "ledger/sealed.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ww_note_signer a, b;
static struct ww_keychain chain;

static void check_sealed(struct ww_slice in)
{
	char text[WW_NOTE_KEY_TEXT_MAX];
	struct ww_sealed s;
	struct ww_note_key k;

	if (ww_sealed_parse(in, &s) == 0) {
		assert(ww_sealed_is(in) && s.head.n < in.n &&
		       ww_signer_uri_ok(ww_slice_str(s.uri)));
		ww_note_key_text(&s.holder, text);
		assert(memmem(in.p, in.n, text, strlen(text)));
	}
	if (ww_note_key_parse_held(in, &k) == 0) {
		ww_note_key_text(&k, text);
		assert(ww_slice_eq_str(in, text));
	}
}

static void check_rotation(struct ww_slice in)
{
	struct ww_buf note WW_AUTO_BUF = {0}, record WW_AUTO_BUF = {0};
	struct ww_rotation rot, again;
	struct ww_endorsement e;
	struct ww_errtext why;

	/* Signed by others it may be anything; it is never one of these two keys'. */
	if (ww_rotation_open(in, &rot) == 0)
		assert(rot.old_key.id != rot.new_key.id);
	(void)!ww_rotation_record_open(in, &rot, &why);
	(void)!ww_endorsement_open(in, &a.key, &e);
	/* As a text under both signatures: what is behind them is reached. */
	ww_buf_init(&note, 2 * WW_NOTE_BYTES_MAX);
	ww_buf_init(&record, 4 * WW_NOTE_BYTES_MAX);
	if (ww_note_sign(&a, in, &note) < 0 || ww_note_cosign(&b, in, &note) < 0 ||
	    ww_rotation_open(ww_buf_slice(&note), &rot) < 0)
		return;
	assert(ww_note_key_equal(&rot.old_key, &a.key) || ww_note_key_equal(&rot.old_key, &b.key));
	if (ww_rotation_record(ww_buf_slice(&note), &record) == 0) {
		int r = ww_rotation_record_open(ww_buf_slice(&record), &again, &why);

		assert(r == 0 && again.index == rot.index && !strcmp(again.time, rot.time));
	}
}

static void check_history(struct ww_slice in)
{
	struct ww_errtext why;

	if (ww_keychain_read(in, &a.key, &chain, &why) == 0) {
		assert(chain.n >= 1 && ww_keychain_find(&chain, &a.key));
		for (size_t i = 1; i < chain.n; i++)
			assert(chain.keys[i].first == chain.keys[i - 1].last);
	}
}

static void check_retention(struct ww_slice in)
{
	struct ww_buf out WW_AUTO_BUF = {0};
	struct ww_pruned list = {0};
	struct ww_prune_record p, again;
	struct ww_retention r, r2;
	ww_kinds kinds;
	uint64_t s;
	int e;

	ww_buf_init(&out, 1u << 20);
	if (ww_retention_parse(in, &r) == 0) {
		e = ww_retention_text(&r, &out);
		assert(e == 0);
		e = ww_retention_parse(ww_buf_slice(&out), &r2);
		assert(e == 0 && memcmp(&r, &r2, sizeof(r)) == 0);
	}
	if (ww_retention_parse_age(in, &s) == 0)
		assert(s > 0 && s <= WW_RETENTION_AGE_MAX_S);
	if (ww_retention_parse_kinds(in, &kinds) == 0)
		assert(kinds && !(kinds & ww_retention_kind(WW_SLICE_LIT("life"))));
	ww_buf_clear(&out);
	if (ww_prune_record_parse(in, &p) == 0) {
		assert(p.first <= p.last);
		e = ww_prune_record_text(&p, &out);
		assert(e == 0);
		e = ww_prune_record_parse(ww_buf_slice(&out), &again);
		assert(e == 0 && again.kinds == p.kinds && again.first == p.first &&
		       again.last == p.last && again.records == p.records);
	}
	if (ww_pruned_parse(in, &list) == 0) {
		for (size_t i = 1; i < list.n; i++)
			assert(list.lines[i].index > list.lines[i - 1].index &&
			       !list.lines[i - 1].open);
		ww_pruned_done(&list);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Fixed keys, so that inputs that name them can be kept. They sign nothing else. */
	static const uint8_t seed_a[32] = {1}, seed_b[32] = {2};
	struct ww_slice in = {data, size};

	if (a.key.id == 0) {
		int r = ww_note_signer_seed(WW_SLICE_LIT("wirewitness.test/fuzz"), seed_a, &a);

		assert(r == 0);
		r = ww_note_signer_seed(WW_SLICE_LIT("wirewitness.test/fuzz"), seed_b, &b);
		assert(r == 0);
	}
	if (size == 0)
		return 0;
	check_sealed(in);
	check_rotation(in);
	check_history(in);
	check_retention(in);
	return 0;
}
