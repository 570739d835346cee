/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_recent: requests that ended a short while ago, with their bodies. A call to a model is known
 * for one when its answer ends; what was sent beside it, or just before, is looked through again
 * then. In memory only.
 *
 * Bounded by requests and bytes: the oldest goes first. Pure, not thread safe.
 */
#pragma once

#include "base/own.h"
#include "proto/exchange.h"

#define WW_PATH_RECENTS_MAX      512u
#define WW_PATH_RECENT_BYTES_MAX (512u << 10) /* of all bodies */
#define WW_PATH_RECENT_BODY_MAX  (128u << 10)
#define WW_PATH_RECENT_KEPT_NS   60000000000ull

struct ww_path_recent {
	struct ww_path_recent *prev, *next; /* by arrival */
	struct ww_exchange x;               /* what its bodies point to: only req.data */
	struct ww_boot at;
	bool model; /* a call to a model */
	uint8_t body[];
};

struct ww_path_recents;

/* 0 or -ENOMEM. */
WW_CHECK int ww_path_recents_new(struct ww_path_recents **ret);
void ww_path_recents_free(struct ww_path_recents *r);

/* Copies it; for its room others may go, see ww_path_recents_lost(). 0, or it is not kept: -EFBIG,
 * -ENOMEM. */
WW_CHECK int ww_path_recents_add(struct ww_path_recents *r, const struct ww_exchange *x, bool model,
				 struct ww_boot now);
void ww_path_recents_expire(struct ww_path_recents *r, struct ww_boot before);

/* Whether so many bytes may be looked through at this time: else a new prompt every millisecond
 * would have all of them looked through each time. */
bool ww_path_recents_afford(struct ww_path_recents *r, size_t bytes, struct ww_boot now);

/* The oldest; go on with ->next. */
const struct ww_path_recent *ww_path_recents(const struct ww_path_recents *r);
/* When the last of those ended that had to go before its time. 0: none had to. */
struct ww_boot ww_path_recents_lost(const struct ww_path_recents *r);
