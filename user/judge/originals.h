/* SPDX-License-Identifier: Apache-2.0 */
/*
 * originals: the verdicts that were given under the contracts of the time, for judging the same
 * events again under others. Each verdict of the second judgement names the one that stood: its id,
 * the digest of its record, the contracts of then. It never has the id of a first one.
 *
 * Filled from the records of the first judgement, in their order; of several verdicts on one
 * action, or on one of its controls by name, the last stands. Pure, not thread safe; read only
 * while it is used by a judge. Bounded by WW_ORIGINALS_MAX of them.
 */
#pragma once

#include "base/digest.h"
#include "base/json_write.h"
#include "join/actions.h"

#define WW_ORIGINALS_MAX   (1u << 20)
#define WW_ORIGINAL_ID_MAX 40u

struct ww_original {
	char verdict[WW_ORIGINAL_ID_MAX]; /* its id */
	struct ww_sha256 record;          /* of its bytes */
};

struct ww_originals;

/* `contracts`: the digest that the first judgement went by. 0 or -ENOMEM. */
WW_CHECK int ww_originals_new(const struct ww_sha256 *contracts, struct ww_originals **ret);
void ww_originals_free(struct ww_originals *o);
WW_DEFINE_AUTO(struct ww_originals, ww_originals_free)

/* Takes one verdict's record. 0; -EINVAL (not one); -E2BIG (too many); -ENOMEM. */
WW_CHECK int ww_originals_add(struct ww_originals *o, struct ww_slice verdict);

/* NULL: this was not judged then. `control`: its name; NULL: the action itself. Borrowed. */
const struct ww_original *ww_originals_find(const struct ww_originals *o, const char *action,
					    const char *control);

/* Writes the member "reevaluates" of a record about the action. */
void ww_originals_write(const struct ww_originals *o, const char *action, const char *control,
			struct ww_jsonw *w);
