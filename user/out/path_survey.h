/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_survey: what the path records of a report say as a whole: how their verdicts are spread, the
 * share that cannot be told first, findings, policies, and of the legs how many have what of the
 * three axes. Only the last revision of a path counts. Gives a report's sections "paths" and
 * "jurisdiction". Pure, not thread safe; bounded by WW_REPORT_RECORDS_MAX.
 */
#pragma once

#include "base/json_write.h"
#include "base/own.h"

struct ww_path_survey;

WW_CHECK int ww_path_survey_new(struct ww_path_survey **ret);
void ww_path_survey_free(struct ww_path_survey *s);
WW_DEFINE_AUTO(struct ww_path_survey, ww_path_survey_free)

/* Takes a record of any kind, in the ledger's order; others than paths, crossings and the guard's
 * decisions are passed over. 0, -E2BIG, -ENOMEM. */
WW_CHECK int ww_path_survey_add(struct ww_path_survey *s, uint64_t index, struct ww_slice record);

/* Call once all were added, before the others. 0 or -ENOMEM. */
WW_CHECK int ww_path_survey_end(struct ww_path_survey *s);

/* Ledger indexes of the paths' last revisions, in order; borrowed. */
const uint64_t *ww_path_survey_rows(const struct ww_path_survey *s, size_t *ret_count);

/* Write one object each, without key. Errors stay in the writer. */
void ww_path_survey_write(const struct ww_path_survey *s, struct ww_jsonw *w);
void ww_path_survey_jurisdiction(const struct ww_path_survey *s, struct ww_jsonw *w);
