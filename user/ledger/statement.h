/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-toto Statement v1 of a report, with our predicate https://wirewitness.dev/report/v1: what
 * is written, and how it is read back. docs/schema/report-v1.schema.json describes it to others.
 *
 * subject    the tree ("sha256" is the root), and "records": SHA-256 over the leaf hashes of the
 *            listed records, 32 bytes each, in the order of the list
 * predicate  createdAt, the sections of WW_STATEMENT_SECTIONS (objects of the caller; completeness
 *            stands before verdicts), wording, limits, ledger {origin, vkey, treeSize, rootHash,
 *            selection, firstIndex, lastIndex, recordCount, withheldCount}, records[], checkpoint
 *            (the signed note, verbatim)
 * consistency (where it was asked for) {size, proof[]}: from each earlier tree of that size to this
 *            one (RFC 9162 section 2.1.4), for those who kept its head
 * record     {index, kind, salt, record, inclusionProof[]}: record is the record's text as a JSON
 *            string, so that decoding gives the exact bytes and a person can read it; withheld:
 *            {index, kind, digest, inclusionProof[]}, for erased records (of kind "report", whose
 *            leaf is no digest, it is the leaf's hash); pruned ones also have prunedBy, the index
 * of the ledger's prune record that names them, and prunedAt, its time selection  "range": every
 * index from firstIndex to lastIndex is listed; "list": only what is listed, and nothing follows
 * about the indexes between
 *
 * Proof hashes and the note are standard base64, salts, digests and roots are lower-case hex.
 * Unknown members are ignored, known ones may not occur twice. Reading checks shape only; truth is
 * report_verify.h's business.
 */
#pragma once

#include "base/json.h"
#include "base/json_write.h"
#include "ledger/checkpoint.h"
#include "ledger/errtext.h"
#include "ledger/leaf.h"
#include "ledger/merkle.h"

#define WW_STATEMENT_TYPE      "https://in-toto.io/Statement/v1"
#define WW_STATEMENT_PREDICATE "https://wirewitness.dev/report/v1"

/* Name of the member, also of the C field; whether a reader demands it (reports of the first
 * version have four). Written in this order. */
#define WW_STATEMENT_SECTIONS(X) \
	X(scope, true)           \
	X(instrument, false)     \
	X(period, true)          \
	X(selection, false)      \
	X(coverage, true)        \
	X(destinations, false)   \
	X(summary, true)         \
	X(claims, false)         \
	X(paths, false)          \
	X(jurisdiction, false)   \
	X(sampling, false)       \
	X(verification, false)

#define WW_STATEMENT_COUNT_(name, demanded) +1
#define WW_STATEMENT_SECTION_MAX            (0 WW_STATEMENT_SECTIONS(WW_STATEMENT_COUNT_))
#define WW_STATEMENT_FIELD_(name, demanded) struct ww_slice name;

/* JSON objects as text, by name or in order. An empty slice: not there. */
union ww_statement_sections {
	struct {
		WW_STATEMENT_SECTIONS(WW_STATEMENT_FIELD_)
	};
	struct ww_slice each[WW_STATEMENT_SECTION_MAX];
};

const char *ww_statement_section_name(unsigned i);
bool ww_statement_section_demanded(unsigned i);

/* That this tree continues an earlier one. */
struct ww_statement_consistency {
	uint64_t size; /* of that one */
	struct ww_merkle_proof proof;
};

struct ww_statement {
	struct ww_slice created_at; /* RFC 3339 UTC */
	union ww_statement_sections sections;
	struct ww_checkpoint head; /* origin, treeSize and rootHash as the predicate says */
	char vkey[WW_NOTE_KEY_TEXT_MAX];
	bool list;
	uint64_t first, last, count, withheld;
	struct ww_sha256 subject_root, subject_records;
	struct ww_slice records;     /* reading: the array's text */
	struct ww_slice note;        /* the signed checkpoint */
	struct ww_slice consistency; /* reading: the array's text; empty: not there */
	const struct ww_statement_consistency *earlier; /* writing */
	size_t n_earlier;
};

struct ww_statement_record {
	uint64_t index;
	struct ww_slice kind;
	bool withheld;
	struct ww_sha256 digest; /* withheld: as given */
	uint64_t pruned_by;      /* withheld by a prune record: its index; else 0, which none has */
	struct ww_slice pruned_at;
	struct ww_slice salted; /* else: 32 bytes of salt, then the record's exact bytes */
	struct ww_merkle_proof proof;
	/* Reading: from each of its hashes on, what stands there up to the end of the array. */
	struct ww_slice proof_rest[WW_MERKLE_PROOF_MAX];
};

enum ww_statement_member {
	WW_STATEMENT_INDEX,
	WW_STATEMENT_KIND,
	WW_STATEMENT_PROOF,
	WW_STATEMENT_SALT,
	WW_STATEMENT_RECORD,
	WW_STATEMENT_DIGEST,
	WW_STATEMENT_PRUNED_BY,
	WW_STATEMENT_PRUNED_AT,
	WW_STATEMENT_MEMBERS
};

/* Where the members of an element of `records` stand: raw texts, an array with its brackets; p
 * NULL: there is none. */
struct ww_statement_entry {
	struct ww_slice member[WW_STATEMENT_MEMBERS];
	bool escaped; /* the record's text */
};

/* The elements up to the first that is no record, of which `bad` says why; at most
 * WW_REPORT_RECORDS_MAX and one. */
struct ww_statement_list {
	struct ww_statement_entry *entries;
	size_t n, cap;
	struct ww_errtext bad;
};

void ww_statement_list_done(struct ww_statement_list *l);

/* Writes the member "subject": what a report and its short form (svr.h) are about. */
void ww_statement_subject_write(struct ww_jsonw *w, const struct ww_checkpoint *head,
				const struct ww_sha256 *records);

/* Writing: begin, every record, end. Errors stay in the writer. */
void ww_statement_begin(struct ww_jsonw *w, const struct ww_statement *s);
void ww_statement_record_write(struct ww_jsonw *w, const struct ww_statement_record *r);
void ww_statement_end(struct ww_jsonw *w, const struct ww_statement *s);

/*
 * Reads a statement. Slices borrow from `payload` and from `scratch` (a buffer with a ceiling of at
 * least WW_NOTE_BYTES_MAX, which must live as long). `list`, empty or NULL, gets what stands in
 * `records`, in the same pass; on error, too, it is the caller's to release. 0, -EINVAL (shape),
 * -ENOMEM.
 */
WW_CHECK int ww_statement_parse(struct ww_slice payload, struct ww_buf *scratch,
				struct ww_statement_list *list, struct ww_statement *ret,
				struct ww_errtext *why);

/*
 * Reads one element of `records`. The record's bytes go to `scratch` (cleared first; ceiling: salt
 * and WW_RECORD_BYTES_MAX). 0, -EINVAL, -EMSGSIZE, -ENOMEM.
 */
WW_CHECK int ww_statement_record_parse(struct ww_slice text, struct ww_buf *scratch,
				       struct ww_statement_record *ret, struct ww_errtext *why);

/* The same for an element of a list. *ret holds the element before, or is zero: neighbours have
 * most of their proofs in common, and what stands there again is not read again. `scratch` NULL:
 * the content is not read, `salted` stays empty. */
WW_CHECK int ww_statement_entry_read(const struct ww_statement_entry *e, struct ww_buf *scratch,
				     struct ww_statement_record *ret, struct ww_errtext *why);

/* The leaf hash of a record whose content is there; nothing else of it is looked at. 0, or why not:
 * reading it says that. */
WW_CHECK int ww_statement_entry_leaf(const struct ww_statement_entry *e, struct ww_buf *scratch,
				     struct ww_sha256 *ret);

/* The next element of `consistency`, which ww_fields_array opened: 1, 0 after the last, -EINVAL. */
WW_CHECK int ww_statement_consistency_next(struct ww_json *json, uint64_t *ret_size,
					   struct ww_merkle_proof *ret_proof,
					   struct ww_errtext *why);

/* The leaf hash that the record's kind, salt and bytes (or digest) give. */
void ww_statement_record_leaf(const struct ww_statement_record *r, struct ww_sha256 *ret);
