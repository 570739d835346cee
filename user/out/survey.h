/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey: what a set of records says as a whole: how complete the watching was, what was lost, how
 * the verdicts are spread. Gives the sections "coverage" and "summary" of a report; coverage comes
 * first there, because it decides what the verdicts are worth.
 *
 * Statements are positive ("complete": true) and hold only when everything they stand on was seen,
 * so that leaving records out never makes a report look better. Pure, not thread safe; bounded by
 * WW_SCOPE_CGROUPS_MAX scopes and WW_REPORT_RECORDS_MAX verdicts.
 */
#pragma once

#include <wirewitness/limits.h>
#include <wirewitness/verdict.h>

#include "base/json_write.h"

struct ww_survey;

/* 0 or -ENOMEM. */
WW_CHECK int ww_survey_new(struct ww_survey **ret_survey);
void ww_survey_free(struct ww_survey *s);
WW_DEFINE_AUTO(struct ww_survey, ww_survey_free)

/*
 * Takes a record, in the ledger's order. Kinds that say nothing here are only counted. 0, -EINVAL
 * (not a record), -E2BIG (too many scopes or verdicts), -ENOMEM.
 */
WW_CHECK int ww_survey_add(struct ww_survey *s, uint64_t index, struct ww_slice record);

/* Write one object each, without key. Errors stay in the writer. */
void ww_survey_coverage(const struct ww_survey *s, struct ww_jsonw *w);
void ww_survey_summary(const struct ww_survey *s, struct ww_jsonw *w);

/* What the member "complete" of the coverage says. */
bool ww_survey_complete(const struct ww_survey *s);

/* From the first to the last instant that a scope was watched, in nanoseconds since boot; false: no
 * scope. Of one boot: other boots are told apart by their runs. */
bool ww_survey_boot_range(const struct ww_survey *s, uint64_t *ret_from_ns, uint64_t *ret_to_ns);

/* How many of the verdicts that stand were judged again under other contracts. */
uint64_t ww_survey_reevaluated(const struct ww_survey *s);

/* Writes an array of the contract files that verdicts were made under, as resource descriptors. */
void ww_survey_policies(const struct ww_survey *s, struct ww_jsonw *w);

/*
 * Ledger indexes of the verdicts that no later one supersedes, in order; of the newest coverage
 * record of each scope. Borrowed until the next call of either. 0 or -ENOMEM.
 */
WW_CHECK int ww_survey_verdicts(struct ww_survey *s, const uint64_t **ret_indexes,
				size_t *ret_count);
WW_CHECK int ww_survey_scopes(struct ww_survey *s, const uint64_t **ret_indexes, size_t *ret_count);
