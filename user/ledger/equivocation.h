/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that a log told two stories: two checkpoints that it signed, of one size and with
 * different roots, verbatim, with an empty line between them, in the file
 * "equivocation/<size>-<hash>" under the directory of whoever met them.
 *
 * While one such file is there, nothing is signed in that directory (tlog.c for the log itself,
 * tools/wirewitness-witness for a witness): it goes only by the hand of a person.
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

/* 1 when a proof is kept under `dir`, 0 when there is none, or -errno: not known. */
WW_CHECK int ww_equivocation_kept(int dir);
