/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. A check is passed only at the one place that saw all of it.
 *  2. The record that is shown is the one whose leaf was proved; without a good CHECKPOINT nothing
 *     of the file is believed.
 */
#include "ledger/proof_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/json_write.h"
#include "ledger/leaf.h"
#include "ledger/statement.h"
#include "wirewitness/limits.h"

static const char FIRST_LINE[] = "c2sp.org/tlog-proof@v1";
static const char FAMILY[] = "c2sp.org/tlog-proof@";

/* --- form ------------------------------------------------------------------------------------- */

/* The line's value behind its word, if it begins with the word. */
static bool value_of(struct ww_slice line, const char *word, struct ww_slice *ret_value)
{
	struct ww_slice w = ww_slice_str(word);

	if (!ww_slice_starts(line, w))
		return false;
	*ret_value = ww_slice_sub(line, w.n, line.n);
	return true;
}

bool ww_proof_file_is(struct ww_slice file)
{
	return ww_slice_starts(file, WW_SLICE_LIT(FAMILY));
}

static int parse_hashes(struct ww_slice *rest, struct ww_merkle_proof *proof)
{
	struct ww_slice line;
	size_t n;

	while (ww_slice_line(rest, &line)) {
		if (line.n == 0)
			return 0;
		if (proof->n == WW_MERKLE_PROOF_MAX ||
		    ww_base64_decode(line, false, proof->path[proof->n].b, WW_SHA256_LEN, &n) < 0 ||
		    n != WW_SHA256_LEN)
			return -EINVAL;
		proof->n++;
	}
	return -EINVAL;
}

int ww_proof_file_parse(struct ww_slice file, struct ww_proof_file *ret_file,
			struct ww_errtext *why)
{
	struct ww_slice rest = file, line, value;
	struct ww_proof_file f = {0};

	if (!ww_slice_line(&rest, &line) || !ww_slice_eq_str(line, FIRST_LINE))
		return ww_errtext_set(why, -EINVAL, "the first line is not \"%s\"", FIRST_LINE);
	if (!ww_slice_line(&rest, &line))
		return ww_errtext_set(why, -EINVAL, "the file ends after its first line");
	if (value_of(line, "extra ", &f.extra) && (f.extra.n == 0 || !ww_slice_line(&rest, &line)))
		return ww_errtext_set(why, -EINVAL, "the extra is empty or the file ends with it");
	if (!value_of(line, "index ", &value) || ww_slice_u64(value, &f.index) < 0 ||
	    (value.n > 1 && value.p[0] == '0') || f.index >= WW_MERKLE_SIZE_MAX)
		return ww_errtext_set(why, -EINVAL,
				      "there is no line \"index N\" where it belongs");
	if (parse_hashes(&rest, &f.proof) < 0)
		return ww_errtext_set(why, -EINVAL,
				      "a line of the proof is not a hash, or the empty line behind "
				      "it is missing");
	f.note = rest;
	*ret_file = f;
	return 0;
}

static int add_base64(struct ww_slice raw, struct ww_buf *out)
{
	size_t n = WW_BASE64_LEN(raw.n);
	uint8_t *p;
	int r = ww_buf_reserve(out, n + 1, &p); /* and its NUL */

	if (r < 0)
		return r;
	ww_base64_encode(raw, (char *)p);
	p[n] = '\n';
	out->n += n + 1;
	return 0;
}

int ww_proof_file_write(uint64_t index, const struct ww_merkle_proof *proof, struct ww_slice extra,
			struct ww_slice note, struct ww_buf *out)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s\n", FIRST_LINE);
	int r = ww_buf_add(out, line, (size_t)n);

	if (r == 0 && extra.n > 0) {
		r = ww_buf_add(out, "extra ", 6);
		if (r == 0)
			r = add_base64(extra, out);
	}
	n = snprintf(line, sizeof(line), "index %" PRIu64 "\n", index);
	if (r == 0)
		r = ww_buf_add(out, line, (size_t)n);
	for (size_t i = 0; i < proof->n && r == 0; i++)
		r = add_base64(ww_slice(proof->path[i].b, WW_SHA256_LEN), out);
	if (r == 0)
		r = ww_buf_add(out, "\n", 1);
	return r < 0 ? r : ww_buf_add(out, note.p, note.n);
}

/* --- checks ----------------------------------------------------------------------------------- */

static void settle(struct ww_proof_result *res, enum ww_proof_check id, int r, const char *passed)
{
	res->checks[id].state = r < 0 ? WW_PROOF_FAILED : WW_PROOF_PASSED;
	if (r == 0)
		ww_errtext_set(&res->checks[id].text, 0, "%s", passed);
}

static int check_checkpoint(struct ww_proof_result *res, const struct ww_note_key *key,
			    const struct ww_keychain *chain)
{
	struct ww_errtext *text = &res->checks[WW_PROOF_CHECK_CHECKPOINT].text;
	int r = chain ? ww_keychain_open(chain, res->file.note, &res->head, NULL, text)
		      : ww_checkpoint_open(res->file.note, key, &res->head);

	if (r == -ENOMEM)
		return r;
	if (r == -ENOKEY) {
		ww_errtext_set(&res->checks[WW_PROOF_CHECK_KEY].text, 0,
			       "the checkpoint is not signed by %s",
			       chain ? "a key of this log" : "this key");
		settle(res, WW_PROOF_CHECK_KEY, r, "");
		return 0;
	}
	settle(res, WW_PROOF_CHECK_KEY, 0,
	       chain ? "the key is one that this log has had" : "the key is the given one");
	if (r < 0)
		ww_errtext_set(text, 0, "%s",
			       r == -EBADMSG ? "the ledger's signature is not good"
			       : r == -EKEYEXPIRED
				       ? "its key does not speak for a tree of this size"
				       : "not a checkpoint of this log");
	else
		ww_errtext_set(text, 0, "signed by the ledger: %" PRIu64 " records",
			       res->head.size);
	res->checks[WW_PROOF_CHECK_CHECKPOINT].state = r < 0 ? WW_PROOF_FAILED : WW_PROOF_PASSED;
	return 0;
}

/* The record in the extra and the leaf that it gives. -EINVAL with the reason in its check. */
static int take_record(struct ww_proof_result *res, struct ww_buf *json, struct ww_sha256 *ret_leaf)
{
	struct ww_errtext *text = &res->checks[WW_PROOF_CHECK_RECORD].text;
	struct ww_statement_record rec;
	struct ww_slice extra = res->file.extra;
	size_t n;
	uint8_t *p;
	int r;

	if (extra.n == 0)
		return ww_errtext_set(text, -EINVAL, "the file holds no record");
	r = ww_buf_reserve(json, extra.n, &p);
	if (r < 0)
		return r;
	if (ww_base64_decode(extra, false, p, extra.n, &n) < 0)
		return ww_errtext_set(text, -EINVAL, "the extra is not base64");
	json->n = n;
	r = ww_statement_record_parse(ww_buf_slice(json), &res->scratch, &rec, text);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	if (rec.index != res->file.index)
		return ww_errtext_set(text, -EINVAL, "the record says index %" PRIu64, rec.index);
	ww_statement_record_leaf(&rec, ret_leaf);
	res->withheld = rec.withheld;
	if (!rec.withheld)
		res->record = ww_slice_sub(rec.salted, WW_LEAF_SALT_LEN, rec.salted.n);
	return 0;
}

static int check_record(struct ww_proof_result *res)
{
	WW_AUTO_BUF struct ww_buf json = {0};
	struct ww_sha256 leaf;
	bool included;
	int r;

	ww_buf_init(&json, WW_PROOF_FILE_BYTES_MAX);
	ww_buf_init(&res->scratch, WW_LEAF_SALT_LEN + WW_RECORD_BYTES_MAX);
	r = take_record(res, &json, &leaf);
	if (r == -ENOMEM)
		return r;
	settle(res, WW_PROOF_CHECK_RECORD, r,
	       res->withheld ? "erased: the leaf is recomputed from its digest"
			     : "the leaf is recomputed from salt and bytes");
	if (r < 0 || res->checks[WW_PROOF_CHECK_CHECKPOINT].state != WW_PROOF_PASSED)
		return 0;
	included = ww_merkle_inclusion_check(&leaf, res->file.index, res->head.size,
					     &res->file.proof, &res->head.root);
	ww_errtext_set(&res->checks[WW_PROOF_CHECK_INCLUSION].text, 0,
		       included ? "record %" PRIu64 " is in the signed tree"
				: "record %" PRIu64 " is not in the signed tree",
		       res->file.index);
	res->checks[WW_PROOF_CHECK_INCLUSION].state = included ? WW_PROOF_PASSED : WW_PROOF_FAILED;
	return 0;
}

static int check_witnesses(struct ww_proof_result *res, const struct ww_witness_set *set)
{
	struct ww_errtext *text = &res->checks[WW_PROOF_CHECK_WITNESSES].text;
	size_t count = 0;
	int r = ww_witness_set_count(set, res->file.note, &count, NULL);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		ww_errtext_set(text, 0, "a cosignature is not good");
	else
		ww_errtext_set(text, 0, "%zu of %zu witnesses cosigned, %zu are needed", count,
			       set->n, set->quorum);
	res->checks[WW_PROOF_CHECK_WITNESSES].state =
		r == 0 && count >= set->quorum ? WW_PROOF_PASSED : WW_PROOF_FAILED;
	return 0;
}

static int run_checks(struct ww_slice file, const struct ww_note_key *key,
		      const struct ww_keychain *chain, const struct ww_witness_set *witnesses,
		      struct ww_proof_result *res)
{
	int r = file.n > WW_PROOF_FILE_BYTES_MAX
			? ww_errtext_set(&res->checks[WW_PROOF_CHECK_FILE].text, -EINVAL,
					 "the file is too large")
			: ww_proof_file_parse(file, &res->file,
					      &res->checks[WW_PROOF_CHECK_FILE].text);

	settle(res, WW_PROOF_CHECK_FILE, r, "the file is a tlog-proof");
	if (r < 0)
		return 0;
	r = key || chain ? check_checkpoint(res, key, chain) : 0;
	if (r == 0)
		r = check_record(res);
	if (r == 0 && witnesses)
		r = check_witnesses(res, witnesses);
	return r;
}

int ww_proof_file_verify(struct ww_slice file, const struct ww_note_key *key,
			 const struct ww_keychain *chain, const struct ww_witness_set *witnesses,
			 struct ww_proof_result *ret_result)
{
	struct ww_proof_result *res = ret_result;
	int r;

	*res = (struct ww_proof_result){0};
	for (int i = 0; i < WW_PROOF_CHECK_MAX; i++)
		ww_errtext_set(&res->checks[i].text, 0, "not checked");
	ww_errtext_set(&res->checks[WW_PROOF_CHECK_KEY].text, 0,
		       "no key was given: such a file names none, so nothing is shown");
	ww_errtext_set(&res->checks[WW_PROOF_CHECK_WITNESSES].text, 0, "not asked for");
	r = run_checks(file, key, chain, witnesses, res);
	if (r < 0) {
		ww_proof_result_done(res);
		return r;
	}
	res->verified = true;
	for (int i = 0; i < WW_PROOF_CHECK_MAX; i++)
		if (res->checks[i].state != WW_PROOF_PASSED &&
		    (i != WW_PROOF_CHECK_WITNESSES || witnesses))
			res->verified = false;
	return 0;
}

void ww_proof_result_done(struct ww_proof_result *r)
{
	ww_buf_done(&r->scratch);
	*r = (struct ww_proof_result){0};
}

/* --- telling ---------------------------------------------------------------------------------- */

static const char *const check_names[] = {
#define NAME(n, text) [WW_PROOF_CHECK_##n] = text,
	WW_PROOF_CHECKS(NAME)
#undef NAME
};

/* Nothing in a file may steer the reader's terminal: controls come out as '?'. */
static int add_tame(struct ww_buf *out, struct ww_slice s)
{
	size_t before = out->n;
	int r = ww_buf_add(out, s.p, s.n);

	for (size_t i = before; i < out->n; i++) {
		if (out->p[i] < 0x20 || out->p[i] == 0x7f)
			out->p[i] = '?';
		if (i + 1 < out->n && out->p[i] == 0xc2 && out->p[i + 1] >= 0x80 &&
		    out->p[i + 1] <= 0x9f)
			out->p[i] = out->p[i + 1] = '?';
	}
	return r < 0 ? r : ww_buf_add(out, "\n", 1);
}

int ww_proof_result_text(const struct ww_proof_result *r, const char *file, struct ww_buf *out)
{
	static const char *const mark[] = {
		[WW_PROOF_SKIPPED] = "-", [WW_PROOF_PASSED] = "ok", [WW_PROOF_FAILED] = "FAIL"};
	char line[1024];
	int n = snprintf(line, sizeof(line), "%.512s: %s", file,
			 r->verified ? "VERIFIED" : "NOT VERIFIED");
	int e = add_tame(out, ww_slice(line, (size_t)n));

	for (int i = 0; i < WW_PROOF_CHECK_MAX && e == 0; i++) {
		n = snprintf(line, sizeof(line), "  %-4s  %-11s  %s", mark[r->checks[i].state],
			     check_names[i], r->checks[i].text.text);
		e = add_tame(out, ww_slice(line, (size_t)n));
	}
	if (e == 0 && r->verified && !r->withheld) {
		e = ww_buf_add(out, "  ", 2);
		if (e == 0)
			e = add_tame(out, r->record);
	}
	return e;
}

int ww_proof_result_json(const struct ww_proof_result *r, const char *file, struct ww_buf *out)
{
	static const char *const word[] = {[WW_PROOF_SKIPPED] = "skipped",
					   [WW_PROOF_PASSED] = "passed",
					   [WW_PROOF_FAILED] = "failed"};
	struct ww_jsonw w;

	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "file", file);
	ww_jsonw_bool(&w, "verified", r->verified);
	ww_jsonw_array(&w, "checks");
	for (int i = 0; i < WW_PROOF_CHECK_MAX; i++) {
		ww_jsonw_object(&w, NULL);
		ww_jsonw_cstr(&w, "name", check_names[i]);
		ww_jsonw_cstr(&w, "state", word[r->checks[i].state]);
		ww_jsonw_cstr(&w, "text", r->checks[i].text.text);
		ww_jsonw_end_object(&w);
	}
	ww_jsonw_end_array(&w);
	if (r->verified) {
		ww_jsonw_cstr(&w, "origin", r->head.origin);
		ww_jsonw_u64(&w, "treeSize", r->head.size);
		ww_jsonw_hex(&w, "rootHash", ww_slice(r->head.root.b, sizeof(r->head.root.b)));
		ww_jsonw_u64(&w, "index", r->file.index);
		ww_jsonw_bool(&w, "withheld", r->withheld);
		if (!r->withheld)
			ww_jsonw_str(&w, "record", r->record);
	}
	ww_jsonw_end_object(&w);
	return ww_jsonw_ok(&w) ? ww_buf_add(out, "\n", 1) : w.err;
}
