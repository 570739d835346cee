/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/quic_keys.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SECRET_LEN 32 /* SHA-256 */

WW_DEFINE_AUTO(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

/* RFC 9001 section 5.2, RFC 9369 section 3.3.1. */
static const uint8_t salt_v1[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
				    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
static const uint8_t salt_v2[20] = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
				    0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};

static int hmac(const uint8_t *key, size_t key_len, struct ww_slice in, uint8_t out[SECRET_LEN])
{
	unsigned n = 0;

	return HMAC(EVP_sha256(), key, (int)key_len, in.p, in.n, out, &n) && n == SECRET_LEN ? 0
											     : -EIO;
}

/* HKDF-Expand-Label of RFC 8446 section 7.1 with no context, and at most one block of output. */
static int expand(const uint8_t secret[SECRET_LEN], const char *label, uint8_t *out, size_t n)
{
	static const char prefix[] = "tls13 ";
	size_t text = strlen(prefix) + strlen(label);
	uint8_t info[40] = {0, (uint8_t)n, (uint8_t)text}, block[SECRET_LEN];

	memcpy(info + 3, prefix, strlen(prefix));
	memcpy(info + 3 + strlen(prefix), label, strlen(label));
	/* no context: its length 0; and the number of the block (RFC 5869 section 2.3) */
	info[3 + text + 1] = 1;
	if (hmac(secret, SECRET_LEN, ww_slice(info, 3 + text + 2), block) < 0)
		return -EIO;
	memcpy(out, block, n);
	return 0;
}

int ww_quic_keys_init(uint32_t version, struct ww_slice dcid, struct ww_quic_keys *ret_keys)
{
	const uint8_t *salt = version == WW_QUIC_V2 ? salt_v2 : salt_v1;
	uint8_t initial[SECRET_LEN], client[SECRET_LEN];
	bool v2 = version == WW_QUIC_V2;
	struct ww_quic_keys k;

	if (version != WW_QUIC_V1 && version != WW_QUIC_V2)
		return -EPROTONOSUPPORT;
	if (dcid.n > WW_QUIC_CID_MAX)
		return -EINVAL;
	if (hmac(salt, sizeof(salt_v1), dcid, initial) < 0 ||
	    expand(initial, "client in", client, sizeof(client)) < 0 ||
	    expand(client, v2 ? "quicv2 key" : "quic key", k.key, sizeof(k.key)) < 0 ||
	    expand(client, v2 ? "quicv2 iv" : "quic iv", k.iv, sizeof(k.iv)) < 0 ||
	    expand(client, v2 ? "quicv2 hp" : "quic hp", k.hp, sizeof(k.hp)) < 0)
		return -EIO;
	*ret_keys = k;
	return 0;
}

int ww_quic_mask(const struct ww_quic_keys *k, const uint8_t sample[16],
		 uint8_t ret_mask[WW_QUIC_MASK_LEN])
{
	WW_AUTO(EVP_CIPHER_CTX_free_auto) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t block[32];
	int n;

	if (!c || EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, k->hp, NULL) != 1 ||
	    EVP_EncryptUpdate(c, block, &n, sample, 16) != 1 || n != 16)
		return -EIO;
	memcpy(ret_mask, block, WW_QUIC_MASK_LEN);
	return 0;
}

int ww_quic_open(const struct ww_quic_keys *k, uint64_t number, struct ww_slice head,
		 struct ww_slice sealed, uint8_t *out)
{
	WW_AUTO(EVP_CIPHER_CTX_free_auto) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t nonce[sizeof(k->iv)], tag[WW_QUIC_TAG_LEN];
	size_t body;
	int n = 0;

	if (sealed.n < WW_QUIC_TAG_LEN)
		return -EBADMSG;
	body = sealed.n - WW_QUIC_TAG_LEN;
	memcpy(tag, sealed.p + body, sizeof(tag));
	memcpy(nonce, k->iv, sizeof(nonce));
	for (size_t i = 0; i < 8; i++)
		nonce[sizeof(nonce) - 1 - i] ^= (uint8_t)(number >> 8 * i);
	if (!c || EVP_DecryptInit_ex(c, EVP_aes_128_gcm(), NULL, k->key, nonce) != 1 ||
	    EVP_DecryptUpdate(c, NULL, &n, head.p, (int)head.n) != 1 ||
	    EVP_DecryptUpdate(c, out, &n, sealed.p, (int)body) != 1 || (size_t)n != body ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag) != 1)
		return -EIO;
	if (EVP_DecryptFinal_ex(c, out + body, &n) == 1)
		return 0;
	explicit_bzero(out, body);
	return -EBADMSG;
}
