/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a tree continues another whose signed head somebody kept: the check that catches a log
 * which rewrote its past, whoever holds the key. The way from one to the other is proved by the
 * report itself (statement.h: "consistency"), or by tile files. Without either nothing is shown,
 * and that is an answer of its own. Reads tile files when it is given some; else pure.
 */
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/errtext.h"
#include "ledger/tile_store.h"

#define WW_EARLIER_MAX 16u /* checkpoints of one report */

enum ww_earlier {
	WW_EARLIER_CONTINUED,
	WW_EARLIER_BROKEN,       /* one tree does not continue the other */
	WW_EARLIER_EQUIVOCATION, /* the same, and the two heads alone prove it */
	WW_EARLIER_OPEN,         /* nothing shows either */
};

struct ww_earlier_proofs {
	struct ww_slice consistency; /* a report's array; empty: none */
	struct ww_tile_store *tiles; /* NULL: none */
};

/*
 * `head` is the report's tree, `kept` the other, which may be the larger one; the signatures of
 * both were checked. Says in `why` what was found. 0, or -ENOMEM.
 */
WW_CHECK int ww_earlier_check(const struct ww_checkpoint *head, const struct ww_checkpoint *kept,
			      const struct ww_earlier_proofs *proofs, enum ww_earlier *ret,
			      struct ww_errtext *why);
