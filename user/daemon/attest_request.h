/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request {"op":"attest",...} of the control socket: an attestation, and where in the ledger
 * the one who brings it found what it may be about. The daemon's loop asks no index (store/); what
 * is found by one is looked at again here, so a wrong place is refused and nothing else.
 */
#pragma once

#include "daemon/attestations.h"
#include "ledger/ledger_reader.h"

struct ww_attest_request {
	struct ww_buf envelope;
	uint64_t size; /* records that were there when it was looked for */
	unsigned verdict_count, recorded_count;
	uint64_t verdicts[WW_ATTEST_FOUND_MAX]; /* ledger indexes, as in struct ww_attest_ask */
	uint64_t recorded[WW_ATTEST_FOUND_MAX];
};

/* Writes the request's line without its newline, and reads it. The reader's envelope is the
 * caller's to free, whatever came out. 0, -EINVAL, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_attest_request_write(const struct ww_attest_request *rq, struct ww_buf *out);
WW_CHECK int ww_attest_request_read(struct ww_slice line, struct ww_attest_request *ret);

/*
 * The records at these places, into `memory`, which ask borrows; asked at `now`, of this ledger.
 * 0; -EINVAL with why (there is no such record); -EMSGSIZE; -ENOMEM; -errno of the reader.
 */
WW_CHECK int ww_attest_request_load(const struct ww_attest_request *rq,
				    struct ww_ledger_reader *reader, struct ww_wall now,
				    struct ww_buf *memory, struct ww_attest_ask *ret_ask,
				    struct ww_errtext *why);

/* The members of the answer. */
void ww_attest_answer_write(const struct ww_attest_answer *answer, struct ww_jsonw *w);
