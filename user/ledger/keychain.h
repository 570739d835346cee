/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that one log has had, from the file keys/history: who trusts one of them gets the others
 * with what is needed to check that, and nothing is taken on the file's word.
 *
 * One line of JSON per rotation, oldest first:
 *   {"v":1,"index":N,"salt":<hex>,"record":<the record's text>,"proof":[<base64>...],
 *    "checkpoint":<the hand-over checkpoint>}
 * A line counts when its record is a rotation signed by both keys (rotation.h) that names its own
 * index, its leaf is proven in the checkpoint, the checkpoint has size N + 1 and is signed by both
 * keys, and its old key is the new one of the line before. One line that does not fails the whole.
 *
 * What follows for checkpoints: the old key speaks for trees up to the hand-over, the new one from
 * there on. A checkpoint outside of its key's range is refused, whoever signed it. Pure.
 */
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/errtext.h"
#include "ledger/rotation.h"

#define WW_KEYCHAIN_KEYS_MAX  128u
#define WW_KEYCHAIN_BYTES_MAX (2u << 20)
#define WW_KEYCHAIN_LINE_MAX  (16u << 10)

struct ww_keychain_key {
	struct ww_note_key key;
	uint64_t first, last;             /* tree sizes that it may sign, both included */
	struct ww_sha256 root;            /* of the tree of `first` records; not of the first key */
	char since[WW_ROTATION_TIME_MAX]; /* empty: the first key */
};

struct ww_keychain {
	size_t n;
	struct ww_keychain_key keys[WW_KEYCHAIN_KEYS_MAX]; /* oldest first */
};

/* One rotation, checked by itself: who said it, and the hand-over. */
struct ww_keychain_step {
	struct ww_rotation rotation;
	struct ww_checkpoint head; /* of the hand-over */
	struct ww_buf note;        /* the signed hand-over */
};

/*
 * Reads one line, without its newline: everything that makes it count but where it stands in a
 * chain. ret->note must be empty; the caller releases it. 0; -EINVAL; -ENOMEM.
 */
WW_CHECK int ww_keychain_step(struct ww_slice line, struct ww_keychain_step *ret,
			      struct ww_errtext *why);

/*
 * Reads a history and checks all of it. `anchor` is the key that is trusted: the chain must hold
 * it. An empty history is the chain of that one key. 0; -EINVAL (form, or a line that does not
 * count); -ENOKEY (the anchor is none of its keys); -E2BIG; -ENOMEM.
 */
WW_CHECK int ww_keychain_read(struct ww_slice history, const struct ww_note_key *anchor,
			      struct ww_keychain *ret_chain, struct ww_errtext *why);

/* The key of the chain that equals `key`, or NULL. */
const struct ww_keychain_key *ww_keychain_find(const struct ww_keychain *chain,
					       const struct ww_note_key *key);

/*
 * Opens a checkpoint under whichever key of the chain may sign its size; *ret_key (may be NULL)
 * says which. 0; -EKEYEXPIRED (signed by a key that does not speak for this size); else errors of
 * ww_checkpoint_open.
 */
WW_CHECK int ww_keychain_open(const struct ww_keychain *chain, struct ww_slice note,
			      struct ww_checkpoint *ret_checkpoint,
			      const struct ww_keychain_key **ret_key, struct ww_errtext *why);
