/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report as a Sigstore bundle (v0.3): the envelope, its entry in our log with proof and signed
 * head, and time stamps, in the form that the verifiers of others read; and the trust root that
 * they need, made of our keys. Pure.
 *
 * The entry is a Rekor `dsse` 0.0.2 body, exactly as it stands in the tree (leaf.h): both
 * generations of @sigstore/verify accept that one. Numbers of 64 bits are strings, as protobuf's
 * JSON has them. The key's whole SHA-256 hash names log and checkpoint key, not its first bytes.
 *
 * Reading is strict where those verifiers look away: inclusionProof.rootHash and the top-level
 * logIndex must be those of the signed head and of the proof.
 */
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/dsse.h"
#include "ledger/keychain.h"
#include "ledger/merkle.h"

#define WW_BUNDLE_MEDIA_TYPE         "application/vnd.dev.sigstore.bundle.v0.3+json"
#define WW_BUNDLE_STAMPS_MAX         8u
#define WW_BUNDLE_MATERIAL_BYTES_MAX (1u << 20) /* all but the envelope */
#define WW_BUNDLE_CERTS_MAX          8u

/* Appends the entry of an envelope with this payload and signature, at most WW_LEAF_BYTES_MAX - 1
 * bytes. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_bundle_entry(const struct ww_sha256 *payload, const uint8_t sig[WW_NOTE_SIG_LEN],
			     const struct ww_note_key *key, struct ww_buf *out);

/*
 * Appends the record of kind "report" that brings an entry into the ledger; its id is made of the
 * payload's digest. `t`: RFC 3339. 0, -EMSGSIZE, -ENOMEM.
 */
WW_CHECK int ww_bundle_record(const struct ww_sha256 *payload, struct ww_slice entry, const char *t,
			      struct ww_buf *out);

struct ww_bundle_input {
	struct ww_slice envelope; /* as ww_dsse_sign made it */
	const struct ww_note_key *key;
	struct ww_slice entry;
	uint64_t index;
	const struct ww_merkle_proof *proof;
	const struct ww_checkpoint *head;
	struct ww_slice note;  /* the signed head that the proof leads to */
	struct ww_slice stamp; /* an RFC 3161 reply; empty: none */
};

/* Appends the bundle and a newline. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_bundle_write(const struct ww_bundle_input *in, struct ww_buf *out);

/*
 * Appends a trust root: the log with each key that it has had, valid from its rotation to the next
 * one in whole seconds, and the time stamp authority whose certificates (DER, the signing one
 * first) are given, if any. 0, -EMSGSIZE, -ENOMEM.
 */
WW_CHECK int ww_bundle_trust_root(const struct ww_keychain *chain, const struct ww_slice *certs,
				  size_t cert_count, struct ww_buf *out);

/* Whether the file is a bundle and not a bare envelope: it has a member "dsseEnvelope". */
bool ww_bundle_is(struct ww_slice file);

/* That member, for who looks for others in the same pass. */
void ww_bundle_field(struct ww_field *ret);

struct ww_bundle {
	struct ww_slice envelope; /* borrowed from the file */
	struct ww_slice hint;
	uint64_t log_index, proof_index, proof_size;
	struct ww_sha256 log_id, proof_root;
	struct ww_merkle_proof proof;
	size_t n_stamps;
	struct ww_slice stamps[WW_BUNDLE_STAMPS_MAX]; /* replies, decoded into memory */
	struct ww_slice entry, note;                  /* decoded into memory */
	struct ww_buf memory;
};

/* Reads a bundle: shape only. 0, -EINVAL, -EMSGSIZE, -ENOMEM. Release with ww_bundle_done; `file`
 * must live as long. */
WW_CHECK int ww_bundle_parse(struct ww_slice file, struct ww_bundle *ret, struct ww_errtext *why);
void ww_bundle_done(struct ww_bundle *b);

/*
 * Checks everything of a bundle around the envelope `d` (whose own signature is checked elsewhere):
 * entry, proof, signed head under the key, that all numbers agree, and that each time stamp is over
 * this signature. 0, -EINVAL, -ENOMEM.
 */
WW_CHECK int ww_bundle_check(const struct ww_bundle *b, const struct ww_dsse *d,
			     const struct ww_note_key *key, struct ww_errtext *why);
