/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: the members of a tool's answer that a contract declares (`answer_paths`, else `id_path`),
 * taken from a JSON text as keyed digests, so that what the tool answered and what the model was
 * shown can be compared without keeping either. Pure; the text is borrowed for the call.
 */
#pragma once

#include "base/digest.h"
#include "policy/contract.h"

/* Bit i and digest[i] are of the contract's i-th answer path. */
struct ww_answer {
	bool whole;                           /* all of the text was there */
	uint8_t present;                      /* a scalar that is not null and not empty is there */
	uint64_t digest[WW_ANSWER_PATHS_MAX]; /* of the scalar's text, where present */
	/* Of them: an integer that a reader may round, as JavaScript does from 2^53 on. */
	uint8_t large;
	uint64_t rounded[WW_ANSWER_PATHS_MAX]; /* digest of what is left of it then */
	bool failure; /* of what was shown: it may tell of one (policy/failure.h) */
};

/* Whether `shown` has at path i what was told, or what a reader's rounding leaves of that. */
static inline bool ww_answer_same(const struct ww_answer *told, const struct ww_answer *shown,
				  unsigned i)
{
	return told->present & shown->present & (1u << i) &&
	       (told->digest[i] == shown->digest[i] ||
		(told->large & shown->large & (1u << i) && told->rounded[i] == shown->rounded[i]));
}

/* The i-th answer path of c, NULL behind the last one. */
const char *ww_answer_path(const struct ww_contract *c, unsigned i);

/*
 * What text says of c's answer paths. Text that is cut (whole: false), or is not JSON, says
 * nothing; neither does a scalar longer than 256 bytes. shown: it is what a model was shown, where
 * a quoted number may have been rounded before it was quoted. 0; -ENOMEM, with *ret_answer
 * unchanged.
 */
WW_CHECK int ww_answer_read(const struct ww_contract *c, const struct ww_digest_key *key,
			    struct ww_slice text, bool whole, bool shown,
			    struct ww_answer *ret_answer);
