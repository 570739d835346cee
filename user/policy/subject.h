/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: whom or what a request is about, by a path into its JSON body, as keyed digests: so that
 * a control's subject and an action's can be compared without keeping either. A path that leads to
 * an array gives its elements: a check of several subjects at once. Pure.
 */
#pragma once

#include "base/digest.h"
#include "policy/contract.h"

#define WW_SUBJECTS_MAX 16u

struct ww_subjects {
	bool known; /* all of them are here: the text was whole JSON, all are scalars */
	uint8_t count;
	uint64_t digest[WW_SUBJECTS_MAX];
};

/* 0; -ENOMEM, with *ret_subjects unchanged. More than fit, or none, are not known. */
WW_CHECK int ww_subjects_read(const char *path, const struct ww_digest_key *key,
			      struct ww_slice text, bool whole, struct ww_subjects *ret_subjects);

/* Whether the one subject of an action is among those of a control. Both must be known. */
bool ww_subjects_include(const struct ww_subjects *of_control, const struct ww_subjects *of_action);
