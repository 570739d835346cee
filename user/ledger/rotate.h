/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a log a new signing key, with the log closed: the files' side of rotation.h.
 *
 * Order, each step on the disk before the next:
 *   1 key.next       the new key
 *   2 the leaf       in the tree, under a checkpoint that both keys sign: `highest`, `checkpoint`
 *   3 keys/history   the line that verifiers follow (keychain.h)
 *   4 vkey           the new verifier key
 *   5 key            overwritten with zeros, then replaced by key.next
 * What decides is `highest`: is it signed by the key in key.next, the new key is the log's, and
 * ww_rotate_settle does what is missing, whenever the writer died; else key.next is destroyed and
 * the old key stays. At no moment is there neither.
 */
#pragma once

#include "ledger/rotation.h"
#include "ledger/tlog.h"

/*
 * Opens the log of `o`, which nobody else may have open, hands over to a new key and closes it.
 * o->key: the holder that the new key is sealed for; NULL: the old key's, if it had one. `time` is
 * RFC 3339 UTC. 0; errors of ww_ledger_open; -E2BIG (WW_KEYCHAIN_KEYS_MAX); or an errno. After an
 * error the next open ends with the old or the new key.
 */
WW_CHECK int ww_rotate(const struct ww_tlog_options *o, const char *time,
		       struct ww_rotation *ret_rotation, struct ww_errtext *why);

/* Ends a rotation that was cut off; called with the lock held, before keys are loaded. `guard` is
 * where `highest` lives. 0, -EUCLEAN (the files contradict each other), or an errno. */
WW_CHECK int ww_rotate_settle(int dir, int guard, struct ww_errtext *why);
