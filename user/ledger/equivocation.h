/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that a log told two stories, in the file "equivocation/<size>-<hash>" under the
 * directory of whoever met them: two checkpoints that it signed, verbatim, with an empty line
 * between them. Either they are of one size and have different roots. Or the second is larger, and
 * after a further empty line stand in base64 the root that the first ones of its records have,
 * which is not that of the smaller checkpoint, and the consistency proof from that root to it.
 *
 * While one such file is there, nothing is signed in that directory (tlog.c for the log itself,
 * witness_state.c for a witness): it goes only by the hand of a person.
 */
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/errtext.h"

#define WW_EQUIVOCATION_DIR "equivocation"

/*
 * Keeps the two notes, which the caller has verified and found to conflict, durably, and never
 * overwrites a file. The order of the notes does not matter. 0 (also when they are kept already) or
 * -errno.
 */
WW_CHECK int ww_equivocation_keep(int dir, struct ww_slice note_a, struct ww_slice note_b,
				  uint64_t size, struct ww_errtext *why);

/*
 * Whether the log's own files, under the head `note` (which says `head`), contradict a smaller head
 * that it signed too; both were verified. 1: yes, and the proof is kept; 0: they do not; -EUCLEAN:
 * the files do not give their own head, which proves nothing; or -errno.
 */
WW_CHECK int ww_equivocation_find(int dir, struct ww_slice note, const struct ww_checkpoint *head,
				  struct ww_slice smaller_note, const struct ww_checkpoint *smaller,
				  struct ww_errtext *why);

/* 1 when a proof is kept under `dir`, 0 when there is none, or -errno: not known. */
WW_CHECK int ww_equivocation_kept(int dir);
