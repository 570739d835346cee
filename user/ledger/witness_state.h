/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A witness with its files: answers add-checkpoint (witness.h) and never forgets what it answered.
 *
 * Files under the directory (0700):
 *   lock                     flock of the one process
 *   key vkey                 the witness's cosigning key (0600) and its public half
 *   logs/<hash>/checkpoint   per origin (first 16 bytes of SHA-256 of it, hex) the note that was
 *                            cosigned last, on the disk before the answer is given
 *   logs/<hash>/keys         the rotations that were followed, in the form of keys/history
 *   logs/<hash>/equivocation/  proofs that the log signed two trees of one size: such a log gets no
 *                            cosignature any more
 *
 * What cannot be read is never taken for "nothing was cosigned yet". Not thread safe: one request
 * after the other makes check and set one step.
 */
#pragma once

#include "ledger/errtext.h"
#include "ledger/witness.h"

#define WW_WITNESS_LOGS_MAX 1024u

struct ww_witness_state;

/*
 * Opens the directory, making it and a key called `name` on first start (`name` NULL: the key must
 * exist). `logs` is the text of the file of verifier keys, one a line, '#' begins a comment;
 * several keys of one origin may be there, and are all believed. 0; -EBUSY (another process);
 * -EPERM (directory or key readable by others); -ENOKEY (no key, but logs were cosigned); -EINVAL
 * (malformed key or file, another name); -ENOMEM; -EIO; or an errno.
 */
WW_CHECK int ww_witness_state_open(const char *dir, const char *name, struct ww_slice logs,
				   struct ww_witness_state **ret_state, struct ww_errtext *why);
void ww_witness_state_close(struct ww_witness_state *s);
WW_DEFINE_AUTO(struct ww_witness_state, ww_witness_state_close)

const struct ww_note_key *ww_witness_state_key(const struct ww_witness_state *s);

struct ww_witness_answer {
	enum ww_witness_status status;
	const char *type;       /* Content-Type of the body, static */
	struct ww_errtext note; /* what a person should know about it; empty: nothing */
};

/*
 * The whole call: appends the answer's body to out. `now` is in seconds. A fork, and a proof that
 * does not lead from what is held, are answered with the checkpoint that the witness holds, so that
 * the log's owner can tell.
 */
void ww_witness_state_add(struct ww_witness_state *s, struct ww_slice body, uint64_t now,
			  struct ww_buf *out, struct ww_witness_answer *ret_answer);

/* The whole call add-rotation. Followed (200, the new key) means: it is on the disk. */
void ww_witness_state_rotate(struct ww_witness_state *s, struct ww_slice body, struct ww_buf *out,
			     struct ww_witness_answer *ret_answer);
