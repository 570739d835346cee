/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C2SP tlog-checkpoint: the text of a signed tree head. Three lines: origin, size in decimal, root
 * in base64. Pure; the signature around it is the business of note.h.
 */
#pragma once

#include "ledger/note.h"

struct ww_checkpoint {
	char origin[WW_NOTE_NAME_MAX + 1];
	uint64_t size; /* leaves */
	struct ww_sha256 root;
};

/* Appends the three lines. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_checkpoint_text(const struct ww_checkpoint *c, struct ww_buf *out);

/*
 * Reads a note's text. Lines after the third are accepted and ignored. 0, or -EINVAL: a line
 * missing, a leading zero, a size over 2^63 - 1, a root that is not 32 bytes.
 */
WW_CHECK int ww_checkpoint_parse(struct ww_slice text, struct ww_checkpoint *ret_checkpoint);

/* Signs a checkpoint: appends the note to out. Errors of ww_note_sign. */
WW_CHECK int ww_checkpoint_sign(const struct ww_checkpoint *c, const struct ww_note_signer *s,
				struct ww_buf *out);

/*
 * ww_note_open, ww_checkpoint_parse, and the origin must be the key's name. 0; -EINVAL, -ENOKEY,
 * -EBADMSG, -ENOMEM as there; -EINVAL also for another origin.
 */
WW_CHECK int ww_checkpoint_open(struct ww_slice note, const struct ww_note_key *key,
				struct ww_checkpoint *ret_checkpoint);

/* Both signed for one size with different roots: the signer told two stories. */
bool ww_checkpoint_conflict(const struct ww_checkpoint *a, const struct ww_checkpoint *b);
