/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/report.h"

#include <errno.h>
#include <inttypes.h>

#include "base/encode.h"
#include "ledger/dsse.h"
#include "ledger/fields.h"
#include "ledger/wording.h"
#include "wirewitness/limits.h"

static size_t count_of(const struct ww_report_input *in)
{
	if (in->indexes)
		return in->n_indexes;
	return in->last - in->first < WW_REPORT_RECORDS_MAX ? (size_t)(in->last - in->first) + 1
							    : WW_REPORT_RECORDS_MAX + 1;
}

static uint64_t index_at(const struct ww_report_input *in, size_t i)
{
	return in->indexes ? in->indexes[i] : in->first + i;
}

static int check_selection(const struct ww_report_input *in, uint64_t size, struct ww_errtext *why)
{
	size_t n = count_of(in);

	if (in->indexes ? n == 0 : in->first > in->last)
		return ww_errtext_set(why, -EINVAL, "the report would hold no records");
	if (n > WW_REPORT_RECORDS_MAX)
		return ww_errtext_set(why, -E2BIG, "over %u records: choose a shorter range",
				      WW_REPORT_RECORDS_MAX);
	for (size_t i = 1; i < n; i++)
		if (index_at(in, i) <= index_at(in, i - 1))
			return ww_errtext_set(why, -EINVAL,
					      "the records are not in ascending order");
	if (index_at(in, n - 1) >= size)
		return ww_errtext_set(why, -ERANGE,
				      "record %" PRIu64
				      " is not committed, the ledger has %" PRIu64,
				      index_at(in, n - 1), size);
	return 0;
}

/* The sections of the caller: objects within the wording rules. */
static int take_sections(const union ww_statement_sections *in, union ww_statement_sections *ret,
			 struct ww_errtext *why)
{
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++) {
		const char *name = ww_statement_section_name(i);
		struct ww_slice s = in->each[i];
		int r;

		if (s.n == 0 && !ww_statement_section_demanded(i))
			continue;
		if (s.n == 0)
			s = WW_SLICE_LIT("{}");
		r = ww_fields_read(s, name, NULL, 0, why);
		if (r == 0)
			r = ww_wording_check(s, name, why);
		if (r < 0)
			return r;
		ret->each[i] = s;
	}
	return 0;
}

static int read_failed(struct ww_errtext *why, int r, uint64_t index)
{
	if (r == -EUCLEAN)
		return ww_errtext_set(why, r, "record %" PRIu64 " contradicts the signed tree",
				      index);
	return ww_errtext_errno(why, r, "cannot read record %" PRIu64, index);
}

/* The leaf hashes of all records, one behind the other: what the second subject is a digest of. */
static int digest_records(struct ww_ledger_reader *r, const struct ww_report_input *in,
			  struct ww_sha256 *ret, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf hashes = {0};
	size_t n = count_of(in);

	ww_buf_init(&hashes, n * sizeof(struct ww_sha256));
	for (size_t i = 0; i < n; i++) {
		struct ww_slice leaf;
		struct ww_sha256 h;
		int e = ww_ledger_reader_leaf(r, index_at(in, i), &leaf);

		if (e < 0)
			return read_failed(why, e, index_at(in, i));
		ww_merkle_leaf(leaf, &h);
		e = ww_buf_add(&hashes, h.b, sizeof(h.b));
		if (e < 0)
			return ww_errtext_errno(why, e, "cannot build the report");
	}
	ww_sha256(ww_buf_slice(&hashes), ret);
	return 0;
}

/* An erased record: the kind and digest that its leaf in the log names. */
static int withheld_from_leaf(struct ww_slice leaf, const struct ww_payload *p,
			      struct ww_statement_record *rec)
{
	struct ww_field f = {.name = "digest", .type = WW_JSON_STRING};
	char text[WW_LEAF_BYTES_MAX];

	rec->withheld = true;
	if (ww_leaf_is_report(p->kind)) {
		ww_merkle_leaf(leaf, &rec->digest);
		return 0;
	}
	if (ww_fields_read(leaf, "the leaf", &f, 1, NULL) < 0 ||
	    ww_hex_decode(f.token.raw, rec->digest.b, sizeof(rec->digest.b)) < 0)
		return -EUCLEAN;
	return ww_slice_eq(leaf, ww_slice(text, ww_leaf_text(p->kind, &rec->digest, text)))
		       ? 0
		       : -EUCLEAN;
}

static int add_record(struct ww_ledger_reader *r, uint64_t index, struct ww_jsonw *w,
		      struct ww_buf *scratch, bool *ret_withheld)
{
	struct ww_statement_record rec = {.index = index};
	const struct ww_withheld *by = NULL;
	struct ww_sha256 from_record, from_log;
	struct ww_payload p;
	struct ww_slice leaf;
	int e = ww_ledger_reader_get(r, index, &p);

	if (e == 0)
		e = ww_ledger_reader_leaf(r, index, &leaf);
	if (e < 0)
		return e;
	rec.kind = p.kind;
	ww_buf_clear(scratch);
	if (p.erased) {
		e = withheld_from_leaf(leaf, &p, &rec);
		if (e == 0)
			e = ww_ledger_reader_withheld(r, index, p.kind, &by);
		if (e == 0 && by) {
			rec.pruned_by = by->by;
			rec.pruned_at = ww_slice_str(by->prune.t);
		}
	} else {
		e = ww_buf_add(scratch, p.salt.p, p.salt.n);
		if (e == 0)
			e = ww_buf_add(scratch, p.json.p, p.json.n);
		rec.salted = ww_buf_slice(scratch);
	}
	if (e < 0)
		return e;
	ww_statement_record_leaf(&rec, &from_record);
	ww_merkle_leaf(leaf, &from_log);
	if (memcmp(from_record.b, from_log.b, sizeof(from_log.b)) != 0)
		return -EUCLEAN;
	e = ww_ledger_reader_prove(r, index, leaf, &rec.proof);
	if (e == 0)
		ww_statement_record_write(w, &rec);
	*ret_withheld = rec.withheld;
	return e;
}

/* The records array's elements, and how many of them are withheld. */
static int add_records(struct ww_ledger_reader *r, const struct ww_report_input *in,
		       struct ww_jsonw *w, uint64_t *ret_withheld, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf scratch = {0};
	uint64_t withheld = 0;

	ww_buf_init(&scratch, WW_LEAF_SALT_LEN + WW_RECORD_BYTES_MAX);
	for (size_t i = 0; i < count_of(in); i++) {
		bool one = false;
		int e = add_record(r, index_at(in, i), w, &scratch, &one);

		if (e < 0)
			return read_failed(why, e, index_at(in, i));
		withheld += one;
	}
	*ret_withheld = withheld;
	return 0;
}

/* withheldCount stands before the records: count the erased ones first. */
static int count_withheld(struct ww_ledger_reader *r, const struct ww_report_input *in,
			  uint64_t *ret_count, struct ww_errtext *why)
{
	uint64_t count = 0;

	for (size_t i = 0; i < count_of(in); i++) {
		struct ww_payload p;
		int e = ww_ledger_reader_get(r, index_at(in, i), &p);

		if (e < 0)
			return read_failed(why, e, index_at(in, i));
		count += p.erased;
	}
	*ret_count = count;
	return 0;
}

static int prove_earlier(struct ww_ledger_reader *r, const struct ww_report_input *in,
			 struct ww_statement_consistency *ret, struct ww_errtext *why)
{
	if (in->n_earlier > WW_EARLIER_MAX)
		return ww_errtext_set(why, -E2BIG, "over %u earlier heads", WW_EARLIER_MAX);
	for (size_t i = 0; i < in->n_earlier; i++) {
		int e = ww_ledger_reader_continues(r, &in->earlier[i], &ret[i].proof);

		if (e < 0)
			return ww_errtext_set(
				why, e,
				e == -ERANGE    ? "the ledger has not yet %" PRIu64 " records"
				: e == -EBADMSG ? "the ledger does not continue the tree of "
						  "%" PRIu64 " records"
						: "cannot prove the way from the tree of %" PRIu64
						  " records",
				in->earlier[i].size);
		ret[i].size = in->earlier[i].size;
	}
	return 0;
}

static int write_statement(struct ww_ledger_reader *r, const struct ww_report_input *in,
			   struct ww_buf *out, struct ww_errtext *why)
{
	struct ww_statement s = {
		.created_at = ww_slice_str(in->created_at),
		.head = *ww_ledger_reader_head(r),
		.list = in->indexes != NULL,
		.count = count_of(in),
		.note = ww_ledger_reader_note(r),
	};
	struct ww_statement_consistency earlier[WW_EARLIER_MAX];
	uint64_t withheld;
	struct ww_jsonw w;
	int e = check_selection(in, s.head.size, why);

	if (e == 0)
		e = prove_earlier(r, in, earlier, why);
	if (e == 0)
		e = take_sections(&in->sections, &s.sections, why);
	if (e == 0)
		e = digest_records(r, in, &s.subject_records, why);
	if (e == 0)
		e = count_withheld(r, in, &s.withheld, why);
	if (e < 0)
		return e;
	s.earlier = earlier;
	s.n_earlier = in->n_earlier;
	s.first = index_at(in, 0);
	s.last = index_at(in, (size_t)s.count - 1);
	ww_note_key_text(ww_ledger_reader_key(r), s.vkey);
	ww_jsonw_init(&w, out);
	ww_statement_begin(&w, &s);
	e = add_records(r, in, &w, &withheld, why);
	ww_statement_end(&w, &s);
	if (e == 0 && withheld != s.withheld)
		return ww_errtext_set(why, -EAGAIN,
				      "a record was erased meanwhile: build it again");
	if (e == 0 && !ww_jsonw_ok(&w))
		return ww_errtext_errno(why, w.err, "cannot build the report");
	return e;
}

int ww_report_build(struct ww_ledger_reader *r, const struct ww_note_signer *s,
		    const struct ww_report_input *in, struct ww_buf *out, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf payload = {0};
	size_t before = out->n;
	int e;

	if (!ww_note_key_equal(&s->key, ww_ledger_reader_key(r)))
		return ww_errtext_set(why, -EINVAL, "the signing key is not the ledger's key");
	ww_buf_init(&payload, WW_REPORT_BYTES_MAX / 4 * 3);
	e = write_statement(r, in, &payload, why);
	if (e < 0)
		return e;
	e = ww_dsse_sign(s, WW_SLICE_LIT(WW_DSSE_INTOTO), ww_buf_slice(&payload), out);
	if (e < 0) {
		out->n = before;
		return ww_errtext_errno(why, e, "cannot sign the report");
	}
	return 0;
}

int ww_report_subject(struct ww_ledger_reader *r, const struct ww_report_input *in,
		      struct ww_sha256 *ret, struct ww_errtext *why)
{
	int e = check_selection(in, ww_ledger_reader_head(r)->size, why);

	return e < 0 ? e : digest_records(r, in, ret, why);
}
