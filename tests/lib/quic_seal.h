/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A QUIC client for tests: makes protected Initial packets by libcrypto (RFC 9001 section 5). That
 * the keys are right is told by the packets of the RFCs, not by it.
 */
#pragma once

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/buf.h"
#include "flow/quic_keys.h"

struct quic_seal {
	uint32_t version;
	struct ww_slice dcid, scid, token;
	struct ww_slice keyed; /* the connection ID of the keys; empty: dcid */
	uint64_t number;
	unsigned number_bytes; /* 0: 4 */
	uint8_t set;           /* bits of the first byte beside the usual ones */
};

static inline void quic_put(struct ww_buf *out, const void *p, size_t n)
{
	int r = ww_buf_add(out, p, n);

	assert(r == 0);
	(void)r;
}

static inline void quic_be(struct ww_buf *out, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0) {
		uint8_t b = (uint8_t)(v >> 8 * bytes);

		quic_put(out, &b, 1);
	}
}

/* Two bytes up to 16383, else four. */
static inline void quic_varint(struct ww_buf *out, uint32_t v)
{
	if (v < 1u << 14)
		quic_be(out, v | 0x4000, 2);
	else
		quic_be(out, v | 0x80000000u, 4);
}

static inline void quic_cid(struct ww_buf *out, struct ww_slice cid)
{
	quic_be(out, cid.n, 1);
	quic_put(out, cid.p, cid.n);
}

/* A CRYPTO frame. */
static inline void quic_crypto(struct ww_buf *out, uint32_t offset, struct ww_slice bytes)
{
	quic_be(out, 6, 1);
	quic_varint(out, offset);
	quic_varint(out, (uint32_t)bytes.n);
	quic_put(out, bytes.p, bytes.n);
}

/* Appends an Initial with these frames to the datagram. */
static inline void quic_seal(struct ww_buf *out, const struct quic_seal *s, struct ww_slice frames)
{
	unsigned nb = s->number_bytes ? s->number_bytes : 4;
	size_t begin = out->n, at, n = frames.n > 4 ? frames.n : 4;
	uint8_t nonce[12], mask[32], text[4096] = {0};
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	struct ww_quic_keys k;
	uint8_t *sealed;
	int len, r;

	assert(c && frames.n <= sizeof(text));
	memcpy(text, frames.p, frames.n); /* PADDING behind it */
	r = ww_quic_keys_init(s->version, s->keyed.n ? s->keyed : s->dcid, &k);
	assert(r == 0);
	quic_be(out, (s->version == WW_QUIC_V2 ? 0xd0 : 0xc0) | s->set | (nb - 1), 1);
	quic_be(out, s->version, 4);
	quic_cid(out, s->dcid);
	quic_cid(out, s->scid);
	quic_varint(out, (uint32_t)s->token.n);
	quic_put(out, s->token.p, s->token.n);
	quic_varint(out, (uint32_t)(nb + n + WW_QUIC_TAG_LEN));
	at = out->n;
	quic_be(out, s->number & ((1ull << 8 * nb) - 1), nb);
	r = ww_buf_reserve(out, n + WW_QUIC_TAG_LEN, &sealed);
	assert(r == 0);
	memcpy(nonce, k.iv, sizeof(nonce));
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(s->number >> 8 * i);
	r = EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, k.key, nonce) &&
	    EVP_EncryptUpdate(c, NULL, &len, out->p + begin, (int)(out->n - begin)) &&
	    EVP_EncryptUpdate(c, sealed, &len, text, (int)n) &&
	    EVP_EncryptFinal_ex(c, sealed + n, &len) &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, WW_QUIC_TAG_LEN, sealed + n);
	assert(r);
	out->n += n + WW_QUIC_TAG_LEN;
	r = EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, k.hp, NULL) &&
	    EVP_EncryptUpdate(c, mask, &len, out->p + at + 4, 16);
	assert(r);
	EVP_CIPHER_CTX_free(c);
	out->p[begin] ^= mask[0] & 0x0f;
	for (unsigned i = 0; i < nb; i++)
		out->p[at + i] ^= mask[1 + i];
}

/* A ClientHello with this name and `pad` further bytes (an extension). Returns its length. */
static inline size_t quic_hello(const char *name, uint8_t random, size_t pad, uint8_t *out,
				size_t cap)
{
	struct ww_buf b;
	size_t n = strlen(name), ext = 9 + n + 4 + pad + 9, body = 2 + 32 + 1 + 4 + 2 + 2 + ext;

	ww_buf_init(&b, cap);
	quic_be(&b, 1, 1);
	quic_be(&b, body, 3);
	quic_be(&b, 0x0303, 2);
	for (int i = 0; i < 32; i++)
		quic_put(&b, &random, 1);
	quic_be(&b, 0, 1);
	quic_be(&b, 0x00021301, 4);
	quic_be(&b, 0x0100, 2);
	quic_be(&b, ext, 2);
	quic_be(&b, 0xffa5, 2); /* an extension that nobody knows */
	quic_be(&b, pad, 2);
	for (size_t i = 0; i < pad; i++)
		quic_be(&b, i * 7 + random, 1);
	quic_be(&b, 16, 2); /* ALPN: h3 */
	quic_be(&b, 5, 2);
	quic_be(&b, 0x0003026833, 5);
	quic_be(&b, 0, 2); /* server_name */
	quic_be(&b, n + 5, 2);
	quic_be(&b, n + 3, 2);
	quic_be(&b, 0, 1);
	quic_be(&b, n, 2);
	quic_put(&b, name, n);
	n = b.n;
	assert(n == body + 4);
	memcpy(out, b.p, n);
	ww_buf_done(&b);
	return n;
}
