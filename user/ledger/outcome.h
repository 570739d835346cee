/* SPDX-License-Identifier: Apache-2.0 */
/* The six words of include/wirewitness/outcome.h, for records of kind "verdict". Pure. */
#pragma once

#include <wirewitness/outcome.h>

#include "base/json_write.h"

const char *ww_outcome_name(enum ww_outcome o);
const char *ww_outcome_meaning(enum ww_outcome o);

/* Whether the text is an outcome, and which. */
bool ww_outcome_by_name(struct ww_slice text, enum ww_outcome *ret_outcome);

/* A verdict that is not known here is unknown. */
enum ww_outcome ww_outcome_of(struct ww_slice verdict, bool claimed);

/* From a verdict record: claimed is what has a claim or a tool span. Not JSON: unknown. */
enum ww_outcome ww_outcome_read(struct ww_slice record);

/* Writes the member "outcome", and what must back it. */
void ww_outcome_write(struct ww_jsonw *w, enum ww_outcome o);
