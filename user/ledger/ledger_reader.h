/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a ledger directory, beside its writer or without one: `tail`, `show`, the store, reports.
 *
 * Only committed records are visible: the size is that of the last signed checkpoint read by
 * ww_ledger_reader_refresh. Records come with a checksum only; a proof (ww_ledger_reader_prove) is
 * checked against the signed root before it is handed out. Not thread safe, one handle per thread;
 * about 500 KiB.
 */
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/errtext.h"
#include "ledger/merkle.h"
#include "ledger/payload.h"
#include "ledger/pruned.h"

struct ww_ledger_reader;

/*
 * Opens the directory for reading. `key` is the trusted verifier key; NULL takes the one in the
 * directory's vkey file. 0; -EUCLEAN (checkpoint not signed by that key); -ENOENT; -EINVAL;
 * -ENOMEM; or an errno.
 */
WW_CHECK int ww_ledger_reader_open(const char *dir, const struct ww_note_key *key,
				   struct ww_ledger_reader **ret_reader, struct ww_errtext *why);
void ww_ledger_reader_close(struct ww_ledger_reader *r);
WW_DEFINE_AUTO(struct ww_ledger_reader, ww_ledger_reader_close)

/*
 * Reads the checkpoint again; *ret_size (may be NULL) is the committed number of records. 0;
 * -EUCLEAN: bad signature, a smaller size than before, or another root for the same size; or an
 * errno.
 */
WW_CHECK int ww_ledger_reader_refresh(struct ww_ledger_reader *r, uint64_t *ret_size,
				      struct ww_errtext *why);

/* How many records are committed now; the head stays. 0, -EUCLEAN (no checkpoint of this log),
 * -ENOMEM. */
WW_CHECK int ww_ledger_reader_committed(struct ww_ledger_reader *r, uint64_t *ret_size);

/*
 * Until the next refresh the head is an earlier one that the log signed, the note given: only its
 * records are visible, and proofs lead to it. Which record names a pruned one is still looked for
 * in the whole log. 0; -EUCLEAN (not a checkpoint under the reader's key, longer than the log, or
 * another tree); -ENOMEM; or an errno. On failure the head is as before.
 */
WW_CHECK int ww_ledger_reader_rewind(struct ww_ledger_reader *r, struct ww_slice note,
				     struct ww_errtext *why);

/*
 * Reads one record; ascending calls are sequential reads. *ret borrows until the next call. 0;
 * -ERANGE (not committed at the last refresh); -ENODATA (its segment is missing); -EUCLEAN
 * (damaged); or an errno. An erased record is 0 with ret->erased set, so is one whose segment went
 * with a prune record that names it: its kind is then the leaf's.
 */
WW_CHECK int ww_ledger_reader_get(struct ww_ledger_reader *r, uint64_t index,
				  struct ww_payload *ret);

/*
 * The prune record that names this one; *ret is NULL when none does, else borrowed until the next
 * call. 0, or an errno (-EUCLEAN: the file `pruned` and the records contradict each other).
 */
WW_CHECK int ww_ledger_reader_withheld(struct ww_ledger_reader *r, uint64_t index,
				       struct ww_slice kind, const struct ww_withheld **ret);

/* The leaf of one record as the log has it, borrowed until the next call. Errors as above. */
WW_CHECK int ww_ledger_reader_leaf(struct ww_ledger_reader *r, uint64_t index,
				   struct ww_slice *ret_leaf);

/*
 * Inclusion proof of a leaf in the tree of the current head, already checked against its root. 0;
 * -ERANGE; -EUCLEAN (the log's files contradict the signed root); or an errno.
 */
WW_CHECK int ww_ledger_reader_prove(struct ww_ledger_reader *r, uint64_t index,
				    struct ww_slice leaf, struct ww_merkle_proof *ret_proof);

/*
 * Proves that the current head's tree continues that of an earlier head. 0; -ERANGE (it is larger);
 * -EBADMSG (it does not: one of the two was never this log's); or an errno.
 */
WW_CHECK int ww_ledger_reader_continues(struct ww_ledger_reader *r, const struct ww_checkpoint *old,
					struct ww_merkle_proof *ret_proof);

/* The checkpoint of the last refresh, and the key that it was checked with. Borrowed. */
const struct ww_checkpoint *ww_ledger_reader_head(const struct ww_ledger_reader *r);
const struct ww_note_key *ww_ledger_reader_key(const struct ww_ledger_reader *r);

/* The signed note of the current head, verbatim; borrowed until the next refresh. */
struct ww_slice ww_ledger_reader_note(const struct ww_ledger_reader *r);
