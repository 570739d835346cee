/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DSSE v1 envelopes (secure-systems-lab/dsse): the signature covers the payload's type and bytes,
 * never JSON. Pure. The reader keeps the decoded payload; whoever verified it works on those bytes
 * and never goes back to the envelope. Key ids are hints and are not looked at.
 */
#pragma once

#include "ledger/errtext.h"
#include "ledger/fields.h"
#include "ledger/note.h"

#define WW_DSSE_TYPE_MAX       128u
#define WW_DSSE_SIGNATURES_MAX 16u
#define WW_DSSE_INTOTO         "application/vnd.in-toto+json"
/* What is signed before the payload is put together there: a report is not copied for it. */
#define WW_DSSE_ROOM 256u

struct ww_dsse {
	char type[WW_DSSE_TYPE_MAX + 1];
	struct ww_slice payload; /* decoded */
	uint8_t *at;             /* there, with WW_DSSE_ROOM bytes before it to write to */
	struct ww_buf memory;    /* of it, where it is not in the caller's */
	size_t n_signatures;
	uint8_t signature[WW_DSSE_SIGNATURES_MAX][WW_NOTE_SIG_LEN];
	size_t n_ecdsa; /* those that may be ECDSA P-256 in DER, by their length */
	struct {
		uint8_t n, sig[WW_SIGNER_SIG_MAX];
	} ecdsa[WW_DSSE_SIGNATURES_MAX];
};

/* Appends the bytes that are signed: "DSSEv1", lengths, type and payload. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_dsse_pae(struct ww_slice type, struct ww_slice payload, struct ww_buf *out);

/* Signs and appends the envelope and a newline. 0, -EMSGSIZE, -ENOMEM, -EIO. */
WW_CHECK int ww_dsse_sign(const struct ww_note_signer *s, struct ww_slice type,
			  struct ww_slice payload, struct ww_buf *out);

/*
 * Reads an envelope: standard or URL-safe base64, at most WW_DSSE_SIGNATURES_MAX signatures, those
 * that are neither 64 bytes nor a P-256 signature's are of other algorithms and skipped. 0, -EINVAL
 * (malformed, no usable signature), -EMSGSIZE (payload over payload_max), -ENOMEM. On success
 * release with ww_dsse_done; on error nothing is held.
 *
 * `over` (NULL: none) is memory of the caller in which the envelope lies behind WW_DSSE_ROOM bytes:
 * the payload is decoded over its own text and borrowed from there, a report is large. What lies
 * behind that text in `over` stays as it was; up to WW_DSSE_ROOM bytes before it do not.
 */
WW_CHECK int ww_dsse_parse(struct ww_slice envelope, size_t payload_max, struct ww_buf *over,
			   struct ww_dsse *ret, struct ww_errtext *why);
void ww_dsse_done(struct ww_dsse *d);

/* The same in two steps, for who looks for other members in the same pass over a large file:
 * ww_fields_read of these members, and what they say. */
#define WW_DSSE_FIELDS 3
void ww_dsse_fields(struct ww_field ret[WW_DSSE_FIELDS]);
WW_CHECK int ww_dsse_take(const struct ww_field f[WW_DSSE_FIELDS], size_t payload_max,
			  struct ww_buf *over, struct ww_dsse *ret, struct ww_errtext *why);

/* Whether one signature is good under this key. 0, -EBADMSG (none is), -ENOMEM. Writes to the
 * room before the payload. */
WW_CHECK int ww_dsse_verify(struct ww_dsse *d, const struct ww_note_key *key);
/* The same; *ret_place: which of `signature`. With a P-256 key (SubjectPublicKeyInfo): of `ecdsa`.
 */
WW_CHECK int ww_dsse_verify_which(struct ww_dsse *d, const struct ww_note_key *key,
				  size_t *ret_place);
WW_CHECK int ww_dsse_verify_ecdsa(struct ww_dsse *d, struct ww_slice spki, size_t *ret_place);
