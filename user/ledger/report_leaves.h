/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leaf hashes of a report's records by several threads, for a verifier that needs nothing else
 * of their content. Only a help: what is not there was not good, or is left to the caller, who
 * reads the records in order and says what is wrong with the first. So what is found, and in which
 * words, does not depend on threads.
 */
#pragma once

#include "ledger/statement.h"

struct ww_report_leaves {
	struct ww_sha256 *hashes;
	bool *there;
	size_t n; /* 0: too few records, one processor, or no memory */
};

void ww_report_leaves_make(const struct ww_statement_list *list, struct ww_report_leaves *ret);
void ww_report_leaves_done(struct ww_report_leaves *l);
