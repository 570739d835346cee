/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outcome of ww_report_verify for people and for programs; shared by the two programs that
 * verify. Pure; what comes from the file is made harmless for terminals, and bounded by out.
 */
#pragma once

#include "ledger/report_verify.h"

/*
 * Appends lines for a person: the outcome, what the report covers, one line per check. Control
 * characters of the report or the name come out as '?'. 0, -EMSGSIZE, -ENOMEM.
 */
WW_CHECK int ww_report_text(const struct ww_report_result *r, const char *file, struct ww_buf *out);

/*
 * Appends one JSON object and a newline: file, verified, consistent, open, key, checks[] {name,
 * state, text}, when verdicts were derived again rederived {counts, findings[]}, and with a
 * readable statement createdAt, scope, period, coverage, summary, ledger, kinds. Errors as above.
 */
WW_CHECK int ww_report_text_json(const struct ww_report_result *r, const char *file,
				 struct ww_buf *out);
