/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which records go into a report: the verdicts that are asked for, whatever they rest on (followed
 * to actions, exchanges, spans, flows, actors), the verdicts that supersede them, and of the period
 * the newest coverage record of each scope, all losses, findings and the monitor's own life.
 * Or, complete: every record of the period, so that nothing can have been left out.
 */
#pragma once

#include "out/survey.h"
#include "records.h"

struct ww_selection {
	size_t count;
	uint64_t *indexes;         /* ascending */
	size_t finding_count;      /* of them */
	uint64_t *findings;        /* ascending */
	struct ww_survey *survey;  /* of the whole period; verdicts: those selected */
	char from[WW_RFC3339_MAX]; /* earliest and latest time of the period's records */
	char to[WW_RFC3339_MAX];
	uint64_t seen; /* records of the period */
};

/* Takes since, until and filter of q. 0; -E2BIG: over WW_REPORT_RECORDS_MAX; -errno. Told on
 * standard error. Release with ww_selection_done, also after a failure. */
WW_CHECK int ww_selection_make(struct ww_records *records, const struct ww_records_query *q,
			       bool complete, struct ww_selection *ret_selection);
void ww_selection_done(struct ww_selection *s);
