/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a report or an export is about: options that narrow each other, and whether a verdict fits.
 * An agent or a trace is looked up in the whole ledger first, because the records that name it may
 * lie outside the period.
 */
#pragma once

#include "records.h"

struct ww_criteria {
	struct ww_records_query query; /* since, until, filter */
	bool ledger_index;             /* the period is given by --from or --to */
	struct ww_wall now;            /* what relative times count from; 0: the clock */
	/* As they were given; NULL: not. */
	const char *since, *until, *day, *trace, *agent, *verdicts, *tool, *id, *filter;
	/* Found by ww_criteria_resolve. */
	bool has_root, agent_in_policy;
	uint64_t root; /* the record that --id names */
	size_t id_count, id_cap;
	char (*ids)[64]; /* of records that name the trace, of actors and cgroups of the agent */
};

/* For argp's children: the options, with a struct ww_criteria as input. */
extern const struct argp ww_criteria_argp;

/* Call when all options are read: combines them, or ends the program with a message. */
void ww_criteria_check(struct ww_criteria *c, struct argp_state *state);

/* Looks the names up. 0; -ENODATA: nothing is called so; -errno. Told on standard error. */
WW_CHECK int ww_criteria_resolve(struct ww_criteria *c, struct ww_records *records);
void ww_criteria_done(struct ww_criteria *c);

/* Whether a verdict record fits (its time is the walk's business). */
bool ww_criteria_match(const struct ww_criteria *c, uint64_t index, struct ww_slice verdict);

/* Writes members: what was asked for, each as it was given. */
void ww_criteria_write(const struct ww_criteria *c, struct ww_jsonw *w);
