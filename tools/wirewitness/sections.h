/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of a report and what else it is built of, from a selection. */
#pragma once

#include "ledger/statement.h"
#include "selection.h"

#define WW_SECTION_BYTES_MAX (96u << 20) /* claims of a full report */

struct ww_sections_input {
	struct ww_records *records;
	const struct ww_criteria *criteria;
	const struct ww_selection *selection;
	const char *file; /* name in the commands */
	const char *created_at;
	const char *requested_by;
	bool complete;
	bool bundle; /* the report goes into one */
};

struct ww_sections {
	struct ww_buf each[WW_STATEMENT_SECTION_MAX];
	struct ww_buf made;       /* what the page needs beside them */
	struct ww_buf properties; /* JSON arrays for the short form */
	struct ww_buf policies;
	const uint64_t *verdicts; /* those that no later one supersedes; the selection's */
	size_t verdict_count;
};

/* 0 or -errno, told on standard error. Release with ww_sections_done, also after a failure. */
WW_CHECK int ww_sections_make(const struct ww_sections_input *in, struct ww_sections *ret);
void ww_sections_done(struct ww_sections *s);
union ww_statement_sections ww_sections_slices(const struct ww_sections *s);

/*
 * The time of the ledger's head: of its newest record about the monitor itself, whose clock is the
 * host's, else of its last record. Equal ledgers give equal times. 0 or -errno, told.
 */
WW_CHECK int ww_sections_head_time(struct ww_records *records, char out[WW_RFC3339_MAX]);
