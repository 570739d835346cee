/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `witnesses`: whom a log asks for cosignatures, and whom an auditor believes. One line
 * per witness, its verifier key (type 0x04) and the URL below which add-checkpoint is found, which
 * an auditor may leave out; a line "quorum N" says how many must have cosigned (default: all). '#'
 * begins a comment line. Pure.
 */
#pragma once

#include "ledger/cosign.h"
#include "ledger/errtext.h"

#define WW_WITNESS_SET_MAX   16u
#define WW_WITNESS_SET_BYTES (64u << 10)
#define WW_WITNESS_URL_MAX   512u

struct ww_witness_peer {
	struct ww_note_key key;
	char url[WW_WITNESS_URL_MAX]; /* without a slash at its end; empty: none given */
};

struct ww_witness_set {
	size_t n, quorum;
	struct ww_witness_peer peer[WW_WITNESS_SET_MAX];
};

/* Reads the file. 0, or -EINVAL with the line in `why`; one key never counts twice. */
WW_CHECK int ww_witness_set_parse(struct ww_slice text, struct ww_witness_set *ret_set,
				  struct ww_errtext *why);

/*
 * How many witnesses of the set have cosigned the note; ret_times (room for set->n, may be NULL)
 * gets the time of each, 0 for none. 0; -EINVAL, -EBADMSG as ww_cosign_check; -ENOMEM.
 */
WW_CHECK int ww_witness_set_count(const struct ww_witness_set *set, struct ww_slice note,
				  size_t *ret_count, uint64_t *ret_times);
