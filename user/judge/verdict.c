/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/verdict.h"

#define TEXT_(n, v, t, d)    [v] = (t),
#define MEANING_(n, v, t, d) [v] = (d),

static const char *const verdicts[WW_VERDICT_MAX] = {WW_VERDICTS(TEXT_)};
static const char *const verdict_meanings[WW_VERDICT_MAX] = {WW_VERDICTS(MEANING_)};
static const char *const reasons[WW_REASON_MAX] = {WW_REASONS(TEXT_)};
static const char *const reason_meanings[WW_REASON_MAX] = {WW_REASONS(MEANING_)};
static const char *const evidence[WW_EVIDENCE_MAX] = {WW_EVIDENCE(TEXT_)};
static const char *const joins[WW_JOIN_MAX] = {WW_JOINS(TEXT_)};

static const char *text(const char *const *table, unsigned count, unsigned index)
{
	return index < count && table[index] ? table[index] : "unknown";
}

const char *ww_verdict_name(enum ww_verdict v)
{
	return text(verdicts, WW_VERDICT_MAX, v);
}

const char *ww_verdict_meaning(enum ww_verdict v)
{
	return text(verdict_meanings, WW_VERDICT_MAX, v);
}

const char *ww_verdict_reason_name(enum ww_reason r)
{
	return text(reasons, WW_REASON_MAX, r);
}

const char *ww_verdict_reason_meaning(enum ww_reason r)
{
	return text(reason_meanings, WW_REASON_MAX, r);
}

const char *ww_verdict_evidence_name(enum ww_evidence e)
{
	return text(evidence, WW_EVIDENCE_MAX, e);
}

const char *ww_verdict_join_name(enum ww_join_grade g)
{
	return text(joins, WW_JOIN_MAX, g);
}
