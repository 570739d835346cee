/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grounds_write: the member "grounds" of a verdict's record: of what its rules looked at
 * (grounds.h) that which stands neither elsewhere in the record nor in the records it cites, and
 * the contract's terms, so that the cited records can be held against them. docs/records.md
 * documents its members, ledger/rederive.h reads them.
 */
#pragma once

#include "judge/verdict_write.h"

/* Terms that take more than this are left out: the verdict can then not be derived again. */
#define WW_TERMS_BYTES_MAX 8192u

void ww_grounds_write(const struct ww_verdict_record *v, struct ww_jsonw *w);
