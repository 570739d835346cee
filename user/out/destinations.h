/* SPDX-License-Identifier: Apache-2.0 */
/*
 * destinations: where bytes went, added up over flow records by peer and name: a report's section
 * "destinations". Pure; bounded by WW_DESTINATIONS_MAX, what is beyond is counted.
 */
#pragma once

#include "base/json_write.h"

#define WW_DESTINATIONS_MAX 4096u

struct ww_destinations;

WW_CHECK int ww_destinations_new(struct ww_destinations **ret);
void ww_destinations_free(struct ww_destinations *d);
WW_DEFINE_AUTO(struct ww_destinations, ww_destinations_free)

/* Takes a flow record, in the ledger's order. 0 or -ENOMEM. */
WW_CHECK int ww_destinations_add(struct ww_destinations *d, struct ww_slice record);

/* Writes one object, without key: ordered by peer, then name. */
void ww_destinations_write(struct ww_destinations *d, struct ww_jsonw *w);
