/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log's Ed25519 key that only the holder of another key can read: the `key` file of an install
 * whose secret is bound to a TPM. The TPMs in use have no Ed25519 and the readers of the log know
 * nothing else, so the log key is made in software once and lies on the disk in this form only.
 *
 * Text, each line ended by a newline:
 *   wirewitness.dev/sealed-key/v1
 *   <verifier key of the log>
 *   <the holder key, PROVIDER:URI>
 *   <verifier key of the holder, type 0x02, named <log>/holder>
 *   <base64: SubjectPublicKeyInfo of a one-time P-256 key, 32 bytes of ciphertext, 16 of tag>
 * AES-256-GCM under SHA-256(00000001, shared secret, first line, one-time key, holder's key), the
 * one-step derivation of NIST SP 800-56C; the nonce is zero, as the key is used once; the lines
 * before the last are authenticated.
 */
#pragma once

#include "ledger/note.h"

#define WW_SEALED_BYTES_MAX 2048u

struct ww_sealed {
	struct ww_note_key key, holder;
	char uri[WW_SIGNER_URI_MAX + 1];
	struct ww_slice head; /* the lines before the last, borrowed from the text */
	uint8_t box[WW_SIGNER_PUBLIC_MAX + 32 + 16];
};

/* Whether the text claims to be of this form. */
bool ww_sealed_is(struct ww_slice text);

/* Reads the text; says nothing about the secret in it. 0 or -EINVAL. */
WW_CHECK int ww_sealed_parse(struct ww_slice text, struct ww_sealed *ret_sealed);

/* Opens the holder key and names it <log>/holder. Errors of ww_signer_held. */
WW_CHECK int ww_sealed_holder(const char *uri, struct ww_slice log, struct ww_note_signer *ret,
			      struct ww_errtext *why);

/* Seals a software key for `holder`, found at `uri`; appends the text. 0, -EINVAL, -EMSGSIZE,
 * -ENOMEM, -EIO. */
WW_CHECK int ww_sealed_make(const struct ww_note_signer *s, const struct ww_note_signer *holder,
			    const char *uri, struct ww_buf *out);

/*
 * Asks the holder to open it. 0; -EINVAL (form); -ENOKEY (no such holder, or another key answers at
 * its name); -EBADMSG (changed text); -EPERM; -EIO; -ENOMEM.
 */
WW_CHECK int ww_sealed_open(struct ww_slice text, struct ww_note_signer *ret_signer,
			    struct ww_errtext *why);
