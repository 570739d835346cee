/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which records go into a report: the verdicts that are asked for (or a sample of them) and the
 * paths, with crossings; whatever they rest on (followed to actions, exchanges, spans, flows,
 * actors, tool calls, and the model calls whose texts they name), the verdicts that supersede them,
 * and of the period the newest coverage record of each scope, all losses, findings, what the guard
 * decided, what was pruned, changes of key and the monitor's own life, from the start of the run
 * that the period begins in. Or, complete: every record of the period, so that nothing can have
 * been left out.
 */
#pragma once

#include "criteria.h"
#include "ledger/sampling.h"
#include "out/instrument.h"
#include "out/path_survey.h"
#include "out/survey.h"

struct ww_selection_options {
	bool complete;
	const char *sample;      /* share of actions; NULL: all */
	const uint8_t *seed_key; /* with sample: the install's digest key */
};

struct ww_selection {
	size_t count;
	uint64_t *indexes;        /* ascending */
	size_t finding_count;     /* of them */
	uint64_t *findings;       /* ascending */
	struct ww_survey *survey; /* of the whole period; verdicts: those selected */
	struct ww_instrument *instrument;
	struct ww_path_survey *paths; /* of those selected */
	char from[WW_RFC3339_MAX];    /* earliest and latest time of the period's records */
	char to[WW_RFC3339_MAX];
	uint64_t seen;     /* records of the period */
	uint64_t verdicts; /* of them verdicts: the population before selection */
	uint64_t matched;  /* of these the ones that fit */
	uint64_t erased;   /* records between the period's first and last whose content is gone */
	uint64_t erased_verdicts;    /* of them verdicts: whether they would fit cannot be known */
	struct ww_sampling sampling; /* n_epochs 0: nothing was sampled */
};

/* Takes the resolved criteria. 0; -E2BIG: over WW_REPORT_RECORDS_MAX; -EPERM: a seed that the
 * sample needs may not be revealed yet; -ENODATA: none was committed; -errno. Told on standard
 * error. Release with ww_selection_done, also after a failure. */
WW_CHECK int ww_selection_make(struct ww_records *records, const struct ww_criteria *c,
			       const struct ww_selection_options *o,
			       struct ww_selection *ret_selection);
void ww_selection_done(struct ww_selection *s);
