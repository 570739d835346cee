/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What words in a report may claim. "proven" needs physics or a signature that was checked,
 * "excluded" a hard bound, "claimed" the one who claimed it; "unknown" is a normal result. Place
 * never implies law.
 *
 * Enforced on the sections that the report's caller writes, when it is built and again when it is
 * verified: an object whose own strings use such a word must hold the member that backs it. Members
 * called "quoted" and "path" are passed over: names that others chose (tools, hosts, groups) are no
 * statement of the report, and must not be able to prevent one. Pure.
 */
#pragma once

#include "base/json_write.h"
#include "ledger/errtext.h"

/* word, member that must back it in the same object, meaning */
#define WW_WORDING(X)                                                                  \
	X("proven", "proof", "backed by physics or by a signature that was checked")   \
	X("excluded", "bound", "ruled out by a hard bound, which is given")            \
	X("claimed", "claimedBy", "said by the one who is named; not measured")        \
	X("measured", NULL, "observed on the monitored host")                          \
	X("declared", NULL, "taken from a contract or a register that a person keeps") \
	X("unknown", NULL, "not known; a normal result, not a failure")

/* Writes the members "wording" (word to meaning) and "limits" (what the report does not prove). */
void ww_wording_write(struct ww_jsonw *w);

/*
 * Checks one JSON document. "proven" counts wherever it occurs as a word in a string value, the
 * others when they are the whole value; strings in arrays count for the object around them. 0, or
 * -EINVAL (not JSON, or an unbacked word; `what` names the document in `why`).
 */
WW_CHECK int ww_wording_check(struct ww_slice json, const char *what, struct ww_errtext *why);
