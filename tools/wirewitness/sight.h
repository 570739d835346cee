/* SPDX-License-Identifier: Apache-2.0 */
/* How completely was seen what a listing is about: an empty list may be a blind one. */
#pragma once

#include "records.h"

/*
 * Says on standard error, of the period of a query: what has no content any more, and whether all
 * that was watched then was seen (`what` may be missing: "actions"). Nothing when something was
 * found and all was seen. 0 or -errno, told.
 */
WW_CHECK int ww_sight_tell(struct ww_records *r, const struct ww_records_query *q, const char *what,
			   uint64_t found);
