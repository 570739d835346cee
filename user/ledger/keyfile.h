/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of one install, files in the ledger directory, made on first start:
 *   key         Ed25519 signing key, "PRIVATE+KEY+<origin>+<id>+<base64>", mode 0600
 *   digest.key  32 random bytes, the key of content digests, mode 0600
 *   vkey        the verifier key, "<origin>+<id>+<base64>", public
 * A secret that others may read is refused, not repaired: it may have been read already.
 */
#pragma once

#include "ledger/note.h"
#include "ledger/errtext.h"

struct ww_keyfile {
	struct ww_note_signer signer;
	uint8_t digest_key[32];
};

/*
 * Loads the secrets from `dir`. With create set, makes those that are missing (an existing log must
 * not get a new signing key, so the caller passes false then); `origin` names a new key. 0, -ENOKEY
 * (missing and not to be created), -EPERM (readable by others), -EINVAL (malformed, or a bad
 * origin), -EIO, or the errno of reading and writing.
 */
WW_CHECK int ww_keyfile_load(int dir, const char *origin, bool create, struct ww_keyfile *ret_keys,
			     struct ww_errtext *why);

/* Loads only the verifier key: what a reader needs. 0, -ENOENT, -EINVAL. */
WW_CHECK int ww_keyfile_vkey(int dir, struct ww_note_key *ret_key, struct ww_errtext *why);

/* Wipes the secrets. */
void ww_keyfile_done(struct ww_keyfile *k);
