/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holder of a sealed key says that it is his: a signed note (note.h) by the holder key, type
 * 0x02, over three lines:
 *   wirewitness.dev/key-endorsement/v1
 *   <verifier key of the log>
 *   <time, RFC 3339 UTC>
 * It shows that whoever used that verifier key had, at some moment, the use of the holder key: with
 * a TPM, of that machine. It does not show that the log key never left it. Pure.
 */
#pragma once

#include "ledger/note.h"

#define WW_ENDORSEMENT_TIME_MAX 32u

struct ww_endorsement {
	struct ww_note_key key;
	char time[WW_ENDORSEMENT_TIME_MAX];
};

WW_CHECK int ww_endorsement_sign(const struct ww_note_key *key, const char *time,
				 const struct ww_note_signer *holder, struct ww_buf *out);

/* 0; -EINVAL (form); -ENOKEY (not by this holder); -EBADMSG. */
WW_CHECK int ww_endorsement_open(struct ww_slice note, const struct ww_note_key *holder,
				 struct ww_endorsement *ret);
