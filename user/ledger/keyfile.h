/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of one install, files in the ledger directory, made on first start:
 *   key         the Ed25519 signing key, mode 0600: "PRIVATE+KEY+<origin>+<id>+<base64>", or sealed
 *               for a key held elsewhere (sealed.h)
 *   key.next    the same, while a rotation is under way (rotate.h)
 *   digest.key  32 random bytes, the key of content digests, mode 0600
 *   vkey        the verifier key, "<origin>+<id>+<base64>", public
 *   keys/history        what led from earlier keys to this one (keychain.h)
 *   keys/endorsed-<id>  of a sealed key: its verifier key, signed by the holder (endorsement.h)
 * A secret that others may read is refused, not repaired: it may have been read already.
 */
#pragma once

#include "ledger/errtext.h"
#include "ledger/keychain.h"
#include "ledger/note.h"
#include "ledger/sealed.h"

struct ww_keyfile {
	struct ww_note_signer signer;
	uint8_t digest_key[32];
};

/*
 * Loads the secrets from `dir`. With create set, makes those that are missing (an existing log must
 * not get a new signing key, so the caller passes false then); `origin` names a new key, `uri`
 * (NULL: none) is the holder that it is sealed for. A key that exists must be sealed for `uri` when
 * one is given. 0, -ENOKEY (missing and not to be created, or its holder does not answer), -EPERM
 * (readable by others), -EINVAL (malformed, a bad origin, another holder), -EBADMSG (sealed and
 * changed), -EIO, or the errno of reading and writing.
 */
WW_CHECK int ww_keyfile_load(int dir, const char *origin, const char *uri, bool create,
			     struct ww_keyfile *ret_keys, struct ww_errtext *why);

/* Loads only the verifier key: what a reader needs. 0, -ENOENT, -EINVAL. */
WW_CHECK int ww_keyfile_vkey(int dir, struct ww_note_key *ret_key, struct ww_errtext *why);

/* Replaces the verifier key file. 0 or -errno. */
WW_CHECK int ww_keyfile_put_vkey(int dir, const struct ww_note_key *key, struct ww_errtext *why);

/*
 * What a signing key file says without its secret: *ret_key, and the holder's *ret_uri (room for
 * WW_SIGNER_URI_MAX + 1; empty: a plain key). 0, -ENOENT, -EPERM, -EINVAL, or an errno.
 */
WW_CHECK int ww_keyfile_peek(int dir, const char *name, struct ww_note_key *ret_key, char *ret_uri,
			     struct ww_errtext *why);

/*
 * Writes a signing key file, sealed and endorsed when `uri` is not NULL. 0, errors of
 * ww_signer_held, or an errno.
 */
WW_CHECK int ww_keyfile_put(int dir, const char *name, const struct ww_note_signer *s,
			    const char *uri, struct ww_errtext *why);

/* Overwrites a key file with zeros and removes it; none is fine. On a disk that writes elsewhere
 * (flash, copy on write) the old blocks may survive. 0 or -errno. */
WW_CHECK int ww_keyfile_destroy(int dir, const char *name);

/* Overwrites it with zeros only: its name is taken over by a rename. 0 or -errno. */
WW_CHECK int ww_keyfile_wipe(int dir, const char *name);

/* Opens the folder `keys` (0755), made when missing. 0 or -errno. */
WW_CHECK int ww_keyfile_folder(int dir, int *ret_fd);

/*
 * Reads keys/history (keychain.h) with the log's key as its anchor; without the file the chain is
 * that one key. 0; -EUCLEAN (not a history of this key); -ENOMEM; or an errno.
 */
WW_CHECK int ww_keyfile_history(int dir, const struct ww_note_key *key,
				struct ww_keychain *ret_chain, struct ww_errtext *why);

/* Wipes the secrets. */
void ww_keyfile_done(struct ww_keyfile *k);
