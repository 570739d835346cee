/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private key behind one face: it signs a text, and says its algorithm and public key. Where it
 * lies is the implementation's business:
 *   software  an Ed25519 seed in this process
 *   held      an ECDSA P-256 key elsewhere, that an OpenSSL 3 provider reaches (a TPM 2.0); it
 *             also agrees on secrets (ECDH), which is what sealed.h is built on
 *
 * A held key is named PROVIDER:URI, as in "tpm2:handle:0x81010001" or "tpm2:/etc/ww/tpm.pem": the
 * provider's module and what OSSL_STORE opens with it. Each has a library context of its own, so
 * that a provider never answers for anything else in the process. What the provider's library
 * prints goes to standard error. Not thread safe.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"
#include "ledger/errtext.h"

#define WW_SIGNER_URI_MAX    512u
#define WW_SIGNER_SIG_MAX    72u /* ECDSA P-256 in DER */
#define WW_SIGNER_PUBLIC_MAX 91u /* SubjectPublicKeyInfo of a P-256 key */
#define WW_SIGNER_SECRET_LEN 32u

enum ww_signer_algorithm { WW_SIGNER_ED25519, WW_SIGNER_ECDSA_P256 };

struct ww_signer;

/* 0, -ENOMEM. */
WW_CHECK int ww_signer_software(const uint8_t seed[32], struct ww_signer **ret_signer);

/* 0; -EINVAL (form of the name, or not a P-256 key); -ENOKEY (the provider or the key is not
 * there); -EPERM (a key file that others may read); -ENOMEM. */
WW_CHECK int ww_signer_held(const char *uri, struct ww_signer **ret_signer, struct ww_errtext *why);

void ww_signer_free(struct ww_signer *s);
WW_DEFINE_AUTO(struct ww_signer, ww_signer_free)

/* Whether the text may name a held key: PROVIDER (a-z, 0-9, '-', '_'), ':', printable bytes. */
bool ww_signer_uri_ok(struct ww_slice uri);

enum ww_signer_algorithm ww_signer_algorithm(const struct ww_signer *s);

/* Borrowed. Ed25519: the 32 bytes of RFC 8032; ECDSA: SubjectPublicKeyInfo in DER. */
struct ww_slice ww_signer_public(const struct ww_signer *s);

/* Ed25519: 64 bytes; ECDSA with SHA-256: DER. 0, -EIO (the key does not answer), -ENOMEM. */
WW_CHECK int ww_signer_sign(struct ww_signer *s, struct ww_slice text,
			    uint8_t ret_sig[WW_SIGNER_SIG_MAX], size_t *ret_n);

/* Whether `sig` is the signature of `text` under a P-256 key. 0, -EBADMSG (also: not such a key).
 */
WW_CHECK int ww_signer_verify_ecdsa(struct ww_slice spki, struct ww_slice text,
				    struct ww_slice sig);

/* ECDH of a held key with a peer's public key (SubjectPublicKeyInfo). 0, -EINVAL (peer), -EIO. */
WW_CHECK int ww_signer_agree(struct ww_signer *s, struct ww_slice peer_spki,
			     uint8_t ret_secret[WW_SIGNER_SECRET_LEN]);

/* The same from a new P-256 key of which only the public half is kept. 0, -EINVAL, -EIO. */
WW_CHECK int ww_signer_agree_once(struct ww_slice peer_spki,
				  uint8_t ret_public[WW_SIGNER_PUBLIC_MAX],
				  uint8_t ret_secret[WW_SIGNER_SECRET_LEN]);
