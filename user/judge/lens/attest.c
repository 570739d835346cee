/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attested tier. An attestation is the word of somebody outside about what the tool is for; it
 * edits nothing that was measured. So it adds to a call that the wire confirmed, and stands as a
 * finding beside everything else: a denial stays one, whatever is attested and whatever is dropped.
 */
#include "judge/ruling.h"

static bool confirmed(enum ww_verdict wire)
{
	return wire == WW_VERDICT_CONFIRMED_T1 || wire == WW_VERDICT_CONFIRMED_T2;
}

enum ww_verdict ww_attest_rule(enum ww_verdict wire, unsigned achieved, unsigned not_achieved)
{
	return confirmed(wire) && achieved && !not_achieved ? WW_VERDICT_CONFIRMED_T3 : wire;
}

const char *ww_attest_finding(enum ww_verdict wire, bool achieved)
{
	if (!achieved)
		return "ATTESTED_NOT_ACHIEVED";
	return confirmed(wire) ? NULL : "ATTESTED_WITHOUT_WIRE";
}
