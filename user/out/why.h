/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why: the chain of evidence behind one verdict, as a tree (out/why_tree.h): who asked, what the
 * span says, what was claimed, the attempts with their connections, the calls that look like it and
 * are not it, what the model was shown and answered, how completely the window was seen, and what
 * would have changed the verdict (out/why_change.h).
 *
 * Says nothing that the records do not say; a record that is cited and cannot be had is marked as
 * missing. Pure but for the source.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"
#include "out/why_tree.h"

/* The newest record with this id, borrowed until the next call, and its ledger index. 0; -ENOENT:
 * none, or none with content; other -errno. */
typedef int (*ww_why_get_fn)(void *ctx, struct ww_slice id, uint64_t *ret_index,
			     struct ww_slice *ret_json);

/* Calls fn for the newest records that mention the id, in order of the ledger, until it says no. 0
 * or -errno. */
typedef bool (*ww_why_mention_fn)(void *ctx, uint64_t index, struct ww_slice json);
typedef int (*ww_why_mentions_fn)(void *ctx, struct ww_slice id, ww_why_mention_fn fn,
				  void *fn_ctx);

struct ww_why_ask {
	uint64_t index;                /* of the verdict's record */
	struct ww_slice verdict;       /* the record, borrowed */
	struct ww_slice superseded_by; /* id of the verdict that replaces it; empty: none */
	ww_why_get_fn get;
	void *ctx;
	ww_why_mentions_fn
		mentions; /* with ctx; NULL: it cannot be asked; then no legs are shown */
};

/* 0; -EINVAL: not the record of a verdict; -EMSGSIZE (over WW_WHY_BYTES_MAX); -errno of the source;
 * -ENOMEM. */
WW_CHECK int ww_why_build(const struct ww_why_ask *ask, struct ww_why_tree **ret_tree);
