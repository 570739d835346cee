/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a log says when it changes its key: one text, signed by the old and by the new key, so that
 * each vouches for the other. Pure.
 *
 * The text, a signed note of its own (note.h):
 *   wirewitness.dev/key-rotation/v1
 *   <old verifier key>
 *   <new verifier key>
 *   <index of the leaf that holds it, decimal>
 *   <time, RFC 3339 UTC>
 * The origin stays: both keys have one name and differ in id. The index ties the text to one place
 * in the tree: said again elsewhere it is refused. It cannot be taken for a checkpoint, whose
 * second line is a number, nor a checkpoint for it.
 *
 * In the ledger it is a record of kind key_rotation; the member `note` holds the signed text, the
 * others repeat it for people. The checkpoint over it, of size index + 1, is signed by both keys:
 * the hand-over.
 */
#pragma once

#include "ledger/errtext.h"
#include "ledger/note.h"

#define WW_ROTATION_KIND     "key_rotation"
#define WW_ROTATION_TIME_MAX 32u

struct ww_rotation {
	struct ww_note_key old_key, new_key;
	uint64_t index;
	char time[WW_ROTATION_TIME_MAX];
};

/* Writes the signed note. 0, -EINVAL (keys of two names, or one key twice), errors of
 * ww_note_sign. */
WW_CHECK int ww_rotation_sign(uint64_t index, const char *time, const struct ww_note_signer *old,
			      const struct ww_note_signer *next, struct ww_buf *out);

/* Reads a signed note; both signatures must be there and good. 0; -EINVAL (form); -ENOKEY (one side
 * did not sign); -EBADMSG; -ENOMEM. */
WW_CHECK int ww_rotation_open(struct ww_slice note, struct ww_rotation *ret_rotation);

/* The record's JSON around a signed note. 0, -EMSGSIZE, -ENOMEM, errors of ww_rotation_open. */
WW_CHECK int ww_rotation_record(struct ww_slice note, struct ww_buf *out);

/* Reads a record: the note counts, the other members must say the same. Errors as
 * ww_rotation_open. */
WW_CHECK int ww_rotation_record_open(struct ww_slice json, struct ww_rotation *ret_rotation,
				     struct ww_errtext *why);
