/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Six words for people who do not know our verdicts, and the one table that maps a verdict to them.
 * What is said depends on whether somebody claimed the action: a success that nobody speaks of is
 * observed, not corroborated. Append only: the words stand in signed reports.
 */
#pragma once

#include <wirewitness/verdict.h>

/* X(enum suffix, number, text, meaning) */
#define WW_OUTCOMES(X)                                                                        \
	X(UNKNOWN, 0, "unknown", "cannot tell; a normal result")                              \
	X(CORROBORATED, 1, "corroborated", "the wire agrees with what was claimed")           \
	X(OBSERVED_ONLY, 2, "observed-only", "seen on the wire, claimed by nobody")           \
	X(CLAIMED_ONLY, 3, "claimed-only", "claimed; nothing on the wire was expected of it") \
	X(CONTRADICTED, 4, "contradicted", "the wire shows otherwise than was claimed")       \
	X(EXCLUDED, 5, "excluded", "a closed world shows that it was not done")

/* X(verdict, outcome when claimed, outcome when nobody claims) */
#define WW_OUTCOME_OF(X)                                      \
	X(PENDING, UNKNOWN, UNKNOWN)                          \
	X(CONFIRMED_T1, CORROBORATED, OBSERVED_ONLY)          \
	X(MASKED_ERROR, CONTRADICTED, OBSERVED_ONLY)          \
	X(NO_ACTION, CONTRADICTED, EXCLUDED)                  \
	X(ACTED_UNDECODED, UNKNOWN, UNKNOWN)                  \
	X(ATTEMPTED_FAILED, CORROBORATED, OBSERVED_ONLY)      \
	X(REPLY_LOST, UNKNOWN, UNKNOWN)                       \
	X(ACTED_ELSEWHERE, CONTRADICTED, OBSERVED_ONLY)       \
	X(CALL_EMITTED_NOT_EXECUTED, EXCLUDED, EXCLUDED)      \
	X(ACCEPTED_ASYNC, UNKNOWN, UNKNOWN)                   \
	X(DUPLICATE_EFFECT, CONTRADICTED, OBSERVED_ONLY)      \
	X(POSSIBLE_DUPLICATE, UNKNOWN, UNKNOWN)               \
	X(UNVERIFIABLE, UNKNOWN, UNKNOWN)                     \
	X(NOT_APPLICABLE, CLAIMED_ONLY, UNKNOWN)              \
	X(CONFIRMED_T2, CORROBORATED, OBSERVED_ONLY)          \
	X(CONFIRMED_T3, CORROBORATED, OBSERVED_ONLY)          \
	X(EFFECT_MISSING, UNKNOWN, UNKNOWN)                   \
	X(PARTIAL_EFFECT, CONTRADICTED, OBSERVED_ONLY)        \
	X(ACTED_LATE, CONTRADICTED, OBSERVED_ONLY)            \
	X(DEFERRED, UNKNOWN, UNKNOWN)                         \
	X(RESULT_ALTERED, CONTRADICTED, CONTRADICTED)         \
	X(RESULT_INVENTED, CONTRADICTED, EXCLUDED)            \
	X(SUSPECT_NO_ACTION, UNKNOWN, UNKNOWN)                \
	X(CONTROL_FIRED, OBSERVED_ONLY, OBSERVED_ONLY)        \
	X(ACTED_DESPITE_DENY, OBSERVED_ONLY, OBSERVED_ONLY)   \
	X(CONTROL_AFTER_ACTION, OBSERVED_ONLY, OBSERVED_ONLY) \
	X(CONTROL_STALE, OBSERVED_ONLY, OBSERVED_ONLY)        \
	X(SUBJECT_MISMATCH, OBSERVED_ONLY, OBSERVED_ONLY)     \
	X(CONTROL_ERRORED_OPEN, OBSERVED_ONLY, OBSERVED_ONLY) \
	X(CONTROL_MISSING, EXCLUDED, EXCLUDED)                \
	X(NARRATED_ONLY, CONTRADICTED, CONTRADICTED)          \
	/* Of paths, which no action has. */                  \
	X(WITHIN_POLICY_TO_HORIZON, UNKNOWN, UNKNOWN)         \
	X(VIOLATION, UNKNOWN, UNKNOWN)                        \
	X(CLAIM_CONTRADICTED, UNKNOWN, UNKNOWN)

/* What must stand beside the word "excluded". */
#define WW_OUTCOME_BOUND "every item of the closed-world checklist held for the whole window"

#define WW_OUTCOME_ENUM_(n, v, t, d) WW_OUTCOME_##n = (v),
enum ww_outcome { WW_OUTCOMES(WW_OUTCOME_ENUM_) WW_OUTCOME_MAX };
