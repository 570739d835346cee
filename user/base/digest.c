/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The low-level SHA256_* calls are deprecated but allocate nothing: a digest per captured value
 * must not cost a context on the heap. The state is kept by value, so begin/add/end may be
 * abandoned.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include <openssl/sha.h>

#define BLOCK_BYTES 64

_Static_assert(sizeof(SHA256_CTX) == sizeof(((struct ww_digest_ctx *)0)->state), "state");
_Static_assert(sizeof(SHA256_CTX) == sizeof(((struct ww_sha256_ctx *)0)->state), "plain state");
_Static_assert(sizeof(SHA256_CTX) == sizeof(((struct ww_digest_key *)0)->inner), "inner pad");
_Static_assert(sizeof(SHA256_CTX) == sizeof(((struct ww_digest_key *)0)->outer), "outer pad");
_Static_assert(SHA256_DIGEST_LENGTH == WW_SHA256_LEN, "digest length");

void ww_sha256(struct ww_slice in, struct ww_sha256 *ret)
{
	SHA256_CTX c;

	/* None of these calls can fail for SHA-256; they return 1. */
	(void)SHA256_Init(&c);
	(void)SHA256_Update(&c, in.p, in.n);
	(void)SHA256_Final(ret->b, &c);
}

/* The state where it stands: a copy of it would be one more to wipe. */
static SHA256_CTX *sha(uint32_t state[28])
{
	return (SHA256_CTX *)(void *)state;
}

void ww_sha256_begin(struct ww_sha256_ctx *c)
{
	(void)SHA256_Init(sha(c->state));
}

void ww_sha256_add(struct ww_sha256_ctx *c, struct ww_slice in)
{
	if (in.n > 0)
		(void)SHA256_Update(sha(c->state), in.p, in.n);
}

void ww_sha256_end(struct ww_sha256_ctx *c, struct ww_sha256 *ret)
{
	(void)SHA256_Final(ret->b, sha(c->state));
}

static void pad_state(const uint8_t key[32], uint8_t pad, uint32_t state[28])
{
	uint8_t block[BLOCK_BYTES];
	SHA256_CTX c;

	memset(block, pad, sizeof(block));
	for (int i = 0; i < 32; i++)
		block[i] ^= key[i];
	(void)SHA256_Init(&c);
	(void)SHA256_Update(&c, block, sizeof(block));
	memcpy(state, &c, sizeof(c));
	explicit_bzero(block, sizeof(block));
	explicit_bzero(&c, sizeof(c));
}

void ww_digest_key_init(struct ww_digest_key *k, const uint8_t key[32])
{
	memcpy(k->key, key, sizeof(k->key));
	/* RFC 2104 section 2: ipad and opad. */
	pad_state(key, 0x36, k->inner);
	pad_state(key, 0x5c, k->outer);
	ww_digest(k, WW_SLICE_NULL, &k->empty);
}

void ww_digest_begin(struct ww_digest_ctx *c, const struct ww_digest_key *k)
{
	memcpy(c->state, k->inner, sizeof(c->state));
	c->k = k;
}

void ww_digest_add(struct ww_digest_ctx *c, struct ww_slice in)
{
	if (in.n > 0)
		(void)SHA256_Update(sha(c->state), in.p, in.n);
}

void ww_digest_end(struct ww_digest_ctx *c, struct ww_sha256 *ret)
{
	struct ww_sha256 inner;

	(void)SHA256_Final(inner.b, sha(c->state));
	memcpy(c->state, c->k->outer, sizeof(c->state));
	(void)SHA256_Update(sha(c->state), inner.b, sizeof(inner.b));
	(void)SHA256_Final(ret->b, sha(c->state));
	/* The state holds the last unfinished block of plaintext. */
	explicit_bzero(c->state, sizeof(c->state));
}

void ww_digest(const struct ww_digest_key *k, struct ww_slice in, struct ww_sha256 *ret)
{
	struct ww_digest_ctx c;

	ww_digest_begin(&c, k);
	ww_digest_add(&c, in);
	ww_digest_end(&c, ret);
}
