/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds a report: an in-toto Statement (statement.h) in a signed DSSE envelope (dsse.h), one file
 * that an auditor verifies offline. Every leaf and proof is checked against the signed checkpoint
 * while it is written, so a report over a damaged ledger is refused, not signed.
 */
#pragma once

#include "ledger/earlier.h"
#include "ledger/errtext.h"
#include "ledger/ledger_reader.h"
#include "ledger/statement.h"

struct ww_report_input {
	const char *created_at; /* RFC 3339 UTC */
	/* JSON objects as text, written as they are; one that is demanded and empty is {}. Wording
	 * rules apply (wording.h). */
	union ww_statement_sections sections;
	/* Which records: with `indexes` NULL every one from first to last, else these, strictly
	 * ascending. */
	uint64_t first;
	uint64_t last;
	const uint64_t *indexes;
	size_t n_indexes;
	/* Heads that somebody kept, at most WW_EARLIER_MAX: the report proves that its tree
	 * continues them. */
	const struct ww_checkpoint *earlier;
	size_t n_earlier;
};

/*
 * Appends the report file to out, over the reader's current head. Erased records are listed with
 * their digest only
 * ("withheld"). The signer must be the log's own key. 0; -EINVAL (no or unordered records, a
 * section is not a JSON object or breaks the wording rules, another key); -ERANGE (an index is not
 * committed); -E2BIG (over WW_REPORT_RECORDS_MAX records); -EMSGSIZE (over out's ceiling or
 * WW_REPORT_BYTES_MAX); -EUCLEAN (the ledger's files contradict each other); -ENODATA (a record's
 * segment is gone); -EBADMSG (it does not continue an earlier head); -ENOMEM; -EIO. On error out is
 * as before.
 */
WW_CHECK int ww_report_build(struct ww_ledger_reader *r, const struct ww_note_signer *s,
			     const struct ww_report_input *in, struct ww_buf *out,
			     struct ww_errtext *why);

/* What the second subject of such a report is: the digest of the listed records. Errors as above.
 */
WW_CHECK int ww_report_subject(struct ww_ledger_reader *r, const struct ww_report_input *in,
			       struct ww_sha256 *ret, struct ww_errtext *why);
