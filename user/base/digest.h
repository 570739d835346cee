/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104) over libcrypto.
 *
 * Content never leaves the parsers: what leaves is a keyed digest, HMAC under the install's key, so
 * that short values cannot be found by trying. Equal content gives equal digests on one install.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

#define WW_SHA256_LEN 32

struct ww_sha256 {
	uint8_t b[WW_SHA256_LEN];
};

/* Plain, without key: for leaves and files, never for content. */
void ww_sha256(struct ww_slice in, struct ww_sha256 *ret);

/* The same in pieces: begin, any number of add, one end. */
struct ww_sha256_ctx {
	uint32_t state[28]; /* SHA256_CTX */
};

void ww_sha256_begin(struct ww_sha256_ctx *c);
void ww_sha256_add(struct ww_sha256_ctx *c, struct ww_slice in);
void ww_sha256_end(struct ww_sha256_ctx *c, struct ww_sha256 *ret);

/* The install's digest key; opaque, holds precomputed HMAC pads. */
struct ww_digest_key {
	uint8_t key[32];
	uint32_t inner[28]; /* SHA256_CTX after the inner / outer pad block */
	uint32_t outer[28];
	struct ww_sha256 empty; /* the keyed digest of nothing */
};

/* From the 32 bytes of digest.key. Whoever holds it wipes it. */
void ww_digest_key_init(struct ww_digest_key *k, const uint8_t key[32]);

/* Keyed digest in one call, or by begin, any number of add, one end. k is borrowed until then. */
void ww_digest(const struct ww_digest_key *k, struct ww_slice in, struct ww_sha256 *ret);

struct ww_digest_ctx {
	uint32_t state[28]; /* SHA256_CTX */
	const struct ww_digest_key *k;
};

void ww_digest_begin(struct ww_digest_ctx *c, const struct ww_digest_key *k);
void ww_digest_add(struct ww_digest_ctx *c, struct ww_slice in);
void ww_digest_end(struct ww_digest_ctx *c, struct ww_sha256 *ret);
