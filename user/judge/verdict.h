/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict: the texts of verdicts, reasons, evidence and join grades, from the tables of
 * <wirewitness/verdict.h>. Never NULL; "unknown" for numbers outside a table. Static storage.
 */
#pragma once

#include <wirewitness/verdict.h>

/* name: as in records. meaning: one clause for people. */
const char *ww_verdict_name(enum ww_verdict v);
const char *ww_verdict_meaning(enum ww_verdict v);
const char *ww_verdict_reason_name(enum ww_reason r);
const char *ww_verdict_reason_meaning(enum ww_reason r);
const char *ww_verdict_evidence_name(enum ww_evidence e);
const char *ww_verdict_join_name(enum ww_join_grade g);
