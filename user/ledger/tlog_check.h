/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of a log's files against signed heads, for the writer's recovery and for any reader:
 * `head` must come from a verified checkpoint. Read only; safe beside a running writer.
 */
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/errtext.h"
#include "ledger/tile_store.h"

/* Whether the store's files give the root of `head`. 0, -EUCLEAN (they do not, or files are
 * missing), or an errno. */
WW_CHECK int ww_tlog_check_root(struct ww_tile_store *s, const struct ww_checkpoint *head,
				struct ww_errtext *why);

/*
 * Checks every tile of the tree `head` against the tiles below it, the entries against the lowest
 * tiles, and the root. Reads the whole log under `dir`. 0, -EUCLEAN with the first contradiction in
 * `why`, or an errno.
 */
WW_CHECK int ww_tlog_check_tree(int dir, const struct ww_checkpoint *head, struct ww_errtext *why);

/*
 * Checks that the log at `head` extends an older head that somebody kept: makes and verifies the
 * consistency proof. 0; -EUCLEAN: history was rewritten or rolled back; or an errno.
 */
WW_CHECK int ww_tlog_check_extends(int dir, const struct ww_checkpoint *head,
				   const struct ww_checkpoint *kept, struct ww_errtext *why);
