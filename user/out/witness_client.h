/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a log believes of one witness, and what it makes of the answers. Pure.
 *
 * A witness is not trusted: it may lie, forget, or say anything. What it cosigned once it must hold
 * for ever; only a signature over exactly the checkpoint that it was asked about counts; and what
 * it says it holds is only where the next proof begins.
 */
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/errtext.h"
#include "ledger/witness_set.h"

struct ww_witness_client {
	const struct ww_witness_peer *peer; /* borrowed */
	uint64_t held;                      /* where the next proof begins */
	uint64_t cosigned;                  /* the largest size that it cosigned */
	uint64_t ahead;                     /* AHEAD: what it says that it holds */
	unsigned redirected;                /* corrections of `held` in a row */
};

/* Tries of one round: the size that we remember, the one that it names, and once more because
 * another sender of the same log may have been quicker. */
#define WW_WITNESS_CLIENT_TRIES 3u

enum ww_witness_reply {
	WW_WITNESS_COSIGNED,
	WW_WITNESS_ASK_AGAIN, /* with a proof from `held` */
	WW_WITNESS_AHEAD,     /* it says that it holds more than `head`; why says so */
	WW_WITNESS_FORKED,    /* the body is another checkpoint of this size, signed by the log */
	WW_WITNESS_DIVERGED,  /* the body is a checkpoint of `held` records, signed by the log, from
			       * which the proof does not lead: the log's tiles tell why */
	WW_WITNESS_FAILED,    /* why says what is wrong */
};

/*
 * Takes the answer to a request for `note`, whose head is `head`. COSIGNED: *ret_line is the
 * signature line with its newline, borrowed from `body`, *ret_time its time.
 */
enum ww_witness_reply ww_witness_client_take(struct ww_witness_client *c,
					     const struct ww_note_key *log, struct ww_slice note,
					     const struct ww_checkpoint *head, unsigned status,
					     struct ww_slice body, struct ww_slice *ret_line,
					     uint64_t *ret_time, struct ww_errtext *why);
