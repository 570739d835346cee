/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why_change: what would have changed a verdict, by verdict and by reason. The one place for it:
 * derived from the rules of the engines (judge/lens/), in the words of their headers. Every verdict
 * and every reason has an entry; a test holds that. Tables only.
 */
#pragma once

#include <wirewitness/verdict.h>

#include "base/slice.h"

/* When a sentence holds; all bits must. */
enum ww_why_when {
	WW_WHY_ALWAYS = 0,
	WW_WHY_UNIQUE = 1,     /* the join is UNIQUE */
	WW_WHY_CALLED = 2,     /* an exchange decided */
	WW_WHY_NOT_CALLED = 4, /* none did */
	WW_WHY_WIRE = 8,       /* it is about the wire */
	WW_WHY_LOCAL = 16      /* it is about this host; then an exchange is a deed */
};

struct ww_why_change {
	unsigned about; /* enum ww_verdict, or enum ww_reason */
	unsigned when;
	const char *text; /* pattern of out/template.h over the verdict's record */
};

/* NULL after the last. */
const struct ww_why_change *ww_why_change_verdict(unsigned i);
const struct ww_why_change *ww_why_change_reason(unsigned i);
