/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 3161 time stamps over a report's signature: the query for an authority, and the check of its
 * reply. The imprint is SHA-256 over the 64 raw bytes of the envelope's signature: who has stamped
 * them has seen the report exist. No network here.
 */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "ledger/errtext.h"
#include "ledger/note.h"

/* Appends a DER query that asks for the signing certificate too. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_timestamp_query(const uint8_t sig[WW_NOTE_SIG_LEN], uint64_t nonce,
				struct ww_buf *out);

/*
 * Checks a DER reply: granted, its imprint is that of the signature, and with `nonce` (may be NULL)
 * the nonce is ours. With `ca` (may be NULL: certificates in PEM that are trusted) also that the
 * authority signed it; without, only that it is whole: who signed stays open. *ret_time (may be
 * NULL) is the time it names. 0; -EINVAL: not a good reply; -ENOMEM.
 */
WW_CHECK int ww_timestamp_check(struct ww_slice reply, const uint8_t sig[WW_NOTE_SIG_LEN],
				const uint64_t *nonce, const struct ww_slice *ca,
				char ret_time[WW_RFC3339_MAX], struct ww_errtext *why);

/*
 * The certificates of a PEM text as DER, one behind the other in `out`: *ret_count slices of it, at
 * most `max`. `out` may not be touched while they are used. 0, -EINVAL (none, or more), -EMSGSIZE,
 * -ENOMEM.
 */
WW_CHECK int ww_timestamp_certs(struct ww_slice pem, struct ww_buf *out, struct ww_slice *ret_certs,
				size_t max, size_t *ret_count);
