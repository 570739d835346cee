/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C2SP tlog-cosignature, the Ed25519 kind (key type 0x04): a witness says that at a time it had
 * seen no larger tree of this log than the one of the checkpoint, and none that contradicts it. The
 * signature covers the lines "cosignature/v1" and "time N", then the checkpoint's text. Pure but
 * for making keys.
 */
#pragma once

#include "ledger/note.h"

#define WW_COSIGN_TIME_MAX INT64_MAX /* seconds */

/* Verifier and signing keys of witnesses; forms and errors as in note.h. */
WW_CHECK int ww_cosign_key_parse(struct ww_slice text, struct ww_note_key *ret_key);
WW_CHECK int ww_cosign_signer_new(struct ww_slice name, struct ww_note_signer *ret_signer);
WW_CHECK int ww_cosign_signer_parse(struct ww_slice text, struct ww_note_signer *ret_signer);

/*
 * Signs a checkpoint's text at `time` (seconds since the epoch) and appends the signature line. 0,
 * -EINVAL (another type of key, a time out of range), -EMSGSIZE, -ENOMEM, -EIO.
 */
WW_CHECK int ww_cosign_line(const struct ww_note_signer *s, struct ww_slice text, uint64_t time,
			    struct ww_buf *out);

/*
 * Looks for the witness's cosignature of `text` among signature lines. Lines of others are passed
 * over, but any line under the witness's name and id that is not good fails all. With several good
 * ones the latest time counts; *ret_line (may be NULL) is that line with its newline, borrowed. 0,
 * -EINVAL (a malformed line, too many), -ENOKEY (none of this witness), -EBADMSG, -ENOMEM.
 */
WW_CHECK int ww_cosign_check(struct ww_slice text, struct ww_slice lines,
			     const struct ww_note_key *witness, uint64_t *ret_time,
			     struct ww_slice *ret_line);
