/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derives the verdicts of a report again: from each verdict's record and the records it cites, all
 * proven to be in the log by the caller, the grounds (judge/grounds.h) are put together again, what
 * the verdict says of a cited record is held against that record, and the judge's own rules are
 * asked again. Pure; of the judge it uses the rules only, nothing that watches or remembers.
 *
 * Three outcomes per verdict: it agrees; it differs, with every place named; it cannot be derived,
 * because something it rests on is not listed, or is not understood. The last one is never the
 * first.
 *
 * What a record is alone in saying is taken from it: whether a body rule held (bodies are not
 * kept), that a phrase rule matched (nor are texts), which items of the closed-world checklist
 * failed beyond those that coverage and near misses show, and how many others could have meant a
 * call. Of a path's verdict, which requests are its legs, what tables and policy said of a peer,
 * and what is open beyond what legs and coverage show. docs/reports.md says what follows.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

#define WW_REDERIVE_FINDINGS_MAX 1000u /* told one by one; the rest are counted */

struct ww_rederive_finding {
	uint64_t index;   /* of the verdict's record */
	bool undecided;   /* it cannot be derived; else it differs */
	char verdict[72]; /* its id */
	char field[48];
	char expected[192]; /* what its evidence or the rules give; undecided: what it takes */
	char found[192];    /* what it says; undecided: what is missing */
};

struct ww_rederive_result {
	uint64_t verdicts, agree, differ, undecided;
	uint64_t paths, paths_differ, paths_undecided; /* verdicts on paths: rederive_path.c */
	uint64_t sections; /* places where the report's own sections say otherwise than its records
			    */
	uint64_t unlisted; /* findings beyond those in the list */
	size_t n_findings;
	const struct ww_rederive_finding *findings; /* in order of the records */
};

struct ww_rederive;

/* 0 or -ENOMEM. */
WW_CHECK int ww_rederive_new(struct ww_rederive **ret);
void ww_rederive_free(struct ww_rederive *rd);
WW_DEFINE_AUTO(struct ww_rederive, ww_rederive_free)

/* Takes a listed record that is not withheld, by ascending index; copies it. 0 or -ENOMEM. */
WW_CHECK int ww_rederive_add(struct ww_rederive *rd, uint64_t index, struct ww_slice kind,
			     struct ww_slice json);

/*
 * Derives everything. `claims` and `summary` are the report's sections, which must say what the
 * records say; empty: not there. 0 or -ENOMEM.
 */
WW_CHECK int ww_rederive_run(struct ww_rederive *rd, struct ww_slice claims,
			     struct ww_slice summary);

/* Borrowed. */
const struct ww_rederive_result *ww_rederive_result(const struct ww_rederive *rd);
