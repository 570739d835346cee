/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a tlog-proof file (proof_file.h) from a ledger directory. */
#pragma once

#include "ledger/ledger_reader.h"

/* The checkpoint with the cosignatures of witnesses, beside `checkpoint` in the ledger directory:
 * the last for which a quorum answered. */
#define WW_COSIGNED_FILE "checkpoint.cosigned"

/*
 * Reads it: the note goes to `note`, what it says to *ret_head. It may be signed by any key that
 * the log has had for that size; `key` is the log's now. 0; -ENOENT; -EUCLEAN: not a checkpoint of
 * this log; -ENOMEM; or an errno.
 */
WW_CHECK int ww_cosigned_read(int dir, const struct ww_note_key *key, struct ww_buf *note,
			      struct ww_checkpoint *ret_head, struct ww_errtext *why);

/*
 * Appends the proof of one record, checked against the signed root before it is written:
 * in the cosigned checkpoint when there is one that covers the record, else in the reader's head.
 * *ret_size is the size of the tree that was taken. 0; -ERANGE (not committed); -ENODATA (its
 * segment is gone); -EUCLEAN (the ledger's files contradict the signed tree); -EMSGSIZE; -ENOMEM;
 * or an errno. On error out is as before.
 */
WW_CHECK int ww_proof_build(const char *dir, struct ww_ledger_reader *r, uint64_t index,
			    struct ww_buf *out, uint64_t *ret_size, struct ww_errtext *why);
