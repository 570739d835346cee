/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims: one entry of a report's section "claims" per verdict: who said what, how it was matched
 * with the wire, the verdict and its outcome word, and the ledger indexes of the evidence. Derived
 * from the verdict record alone. Pure.
 */
#pragma once

#include "base/json_write.h"

/* The ledger index of a record of the report; false: not in it. */
typedef bool (*ww_claims_index_fn)(void *ctx, struct ww_slice id, uint64_t *ret_index);

/* Writes the entry of the verdict record at `index`. */
void ww_claims_write(struct ww_jsonw *w, uint64_t index, struct ww_slice verdict,
		     ww_claims_index_fn fn, void *ctx);
