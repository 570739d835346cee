/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protection of QUIC's Initial packets (RFC 9001 section 5, RFC 9369 section 3.3). Its keys are
 * made from a connection ID that travels in clear: whoever sees the packets can open them. A packet
 * that opens was made by somebody who speaks QUIC, there is no other way to its tag.
 *
 * Pure, by libcrypto; no state.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

#define WW_QUIC_V1       0x00000001u /* RFC 9000 */
#define WW_QUIC_V2       0x6b3343cfu /* RFC 9369 */
#define WW_QUIC_CID_MAX  20u         /* RFC 9000 section 17.2 */
#define WW_QUIC_TAG_LEN  16u         /* RFC 9001 section 5.3 */
#define WW_QUIC_MASK_LEN 5u

struct ww_quic_keys {
	uint8_t key[16], iv[12], hp[16];
};

/*
 * Of the client's Initials whose first one went to `dcid` (after a Retry: to the ID that the Retry
 * gave). 0, -EPROTONOSUPPORT (another version), -EINVAL (dcid too long), -EIO (libcrypto).
 */
WW_CHECK int ww_quic_keys_init(uint32_t version, struct ww_slice dcid,
			       struct ww_quic_keys *ret_keys);

/* What the header's first byte and packet number are masked with. 0 or -EIO. */
WW_CHECK int ww_quic_mask(const struct ww_quic_keys *k, const uint8_t sample[16],
			  uint8_t ret_mask[WW_QUIC_MASK_LEN]);

/*
 * Opens `sealed` (its tag at the end) into out, which has room for sealed.n - WW_QUIC_TAG_LEN
 * bytes. head: the header without its mask. 0, -EBADMSG (not made with these keys; out is then
 * zeroed), -EIO.
 */
WW_CHECK int ww_quic_open(const struct ww_quic_keys *k, uint64_t number, struct ww_slice head,
			  struct ww_slice sealed, uint8_t *out);
