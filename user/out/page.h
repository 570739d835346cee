/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page: the readable text beside a signed report. One page: scope; coverage and loss; how many
 * verdicts cannot be verified, and why; the verdicts in the columns said, span, wire; where prompts
 * went; findings; limits; how to check the report with tools of others. A view: the signed file is
 * the record.
 *
 * All words stand in one table of patterns (out/template.h), which tests read for words that a
 * report may not use. Pure.
 */
#pragma once

#include "base/buf.h"

#define WW_PAGE_BYTES_MAX    (4u << 20)
#define WW_PAGE_VERDICTS_MAX 100u /* rows; the signed file has all */
#define WW_PAGE_PATHS_MAX    40u
#define WW_PAGE_FINDINGS_MAX 40u

struct ww_page_input {
	/* JSON objects: the six sections of the report as they were signed, and what was made:
	 * {file, createdAt, origin, vkey, treeSize, rootHash, selection, firstIndex, lastIndex,
	 * recordCount, verdictsNotShown, verdictsErased, pathsNotShown, findingsNotShown} */
	struct ww_slice scope, period, coverage, summary, paths, destinations, report;
	/* Ledger indexes of the rows, and how to read them: 0 with borrowed text, or -errno. */
	const uint64_t *verdicts, *path_rows, *findings;
	size_t verdict_count, path_count, finding_count;
	int (*record)(void *ctx, uint64_t index, struct ww_slice *ret_json);
	void *ctx;
};

/* Appends the page to out. 0, -EINVAL (a section is not JSON), an error of `record`, -EMSGSIZE,
 * -ENOMEM. */
WW_CHECK int ww_page_add(const struct ww_page_input *in, struct ww_buf *out);

/* The table's patterns one after the other, NULL after the last. */
const char *ww_page_pattern(unsigned i);
