/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/outcome.h"

#include "base/json.h"

#define NAME_(n, v, t, d)    [v] = t,
#define MEANING_(n, v, t, d) [v] = d,
#define ROW_(verdict, claimed, unclaimed) \
	[WW_VERDICT_##verdict] = {true, {WW_OUTCOME_##unclaimed, WW_OUTCOME_##claimed}},
#define COUNT_(verdict, claimed, unclaimed) +1
#define VERDICT_(n, v, t, d)                +1 /* numbers have gaps */

static const char *const names[WW_OUTCOME_MAX] = {WW_OUTCOMES(NAME_)};
static const char *const meanings[WW_OUTCOME_MAX] = {WW_OUTCOMES(MEANING_)};
static const char *const verdicts[WW_VERDICT_MAX] = {WW_VERDICTS(NAME_)};
static const struct {
	bool there;
	uint8_t of[2]; /* by claimed */
} table[WW_VERDICT_MAX] = {WW_OUTCOME_OF(ROW_)};

_Static_assert((0 WW_OUTCOME_OF(COUNT_)) == (0 WW_VERDICTS(VERDICT_)),
	       "every verdict has an outcome");

const char *ww_outcome_name(enum ww_outcome o)
{
	return names[o];
}

const char *ww_outcome_meaning(enum ww_outcome o)
{
	return meanings[o];
}

bool ww_outcome_by_name(struct ww_slice text, enum ww_outcome *ret_outcome)
{
	for (unsigned i = 0; i < WW_OUTCOME_MAX; i++) {
		if (ww_slice_eq_str(text, names[i])) {
			*ret_outcome = (enum ww_outcome)i;
			return true;
		}
	}
	return false;
}

enum ww_outcome ww_outcome_of(struct ww_slice verdict, bool claimed)
{
	for (unsigned i = 0; i < WW_VERDICT_MAX; i++)
		if (table[i].there && ww_slice_eq_str(verdict, verdicts[i]))
			return (enum ww_outcome)table[i].of[claimed];
	return WW_OUTCOME_UNKNOWN;
}

enum ww_outcome ww_outcome_read(struct ww_slice record)
{
	enum { VERDICT, CLAIM, SPAN, N };
	static const char *const paths[N] = {"$.verdict", "$.said.claim", "$.span"};
	struct ww_json_token t[N];

	ww_json_pick(record, paths, N, t);
	if (t[VERDICT].type != WW_JSON_STRING)
		return WW_OUTCOME_UNKNOWN;
	return ww_outcome_of(t[VERDICT].raw,
			     t[CLAIM].type != WW_JSON_NULL || t[SPAN].type != WW_JSON_NULL);
}

void ww_outcome_write(struct ww_jsonw *w, enum ww_outcome o)
{
	ww_jsonw_cstr(w, "outcome", names[o]);
	if (o == WW_OUTCOME_EXCLUDED)
		ww_jsonw_cstr(w, "bound", WW_OUTCOME_BOUND);
}
