/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include "base/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_hex(const struct ww_sha256 *d, const char *want)
{
	char text[2 * WW_SHA256_LEN + 1];

	ww_hex_encode(ww_slice(d->b, sizeof(d->b)), text);
	/* RFC 4231 gives its truncation case by a prefix. */
	assert_memory_equal(text, want, strlen(want));
}

/* FIPS 180-4 examples. */
static void sha256(void **state)
{
	struct ww_sha256 d;

	ww_sha256(WW_SLICE_NULL, &d);
	assert_hex(&d, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ww_sha256(WW_SLICE_LIT("abc"), &d);
	assert_hex(&d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ww_sha256(WW_SLICE_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), &d);
	assert_hex(&d, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* The same however it is cut; FIPS 180-4. */
static void in_pieces(void **state)
{
	const struct ww_slice all =
		WW_SLICE_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");

	for (size_t step = 1; step <= all.n; step++) {
		struct ww_sha256_ctx c;
		struct ww_sha256 d;

		ww_sha256_begin(&c);
		ww_sha256_add(&c, WW_SLICE_NULL);
		for (size_t at = 0; at < all.n; at += step)
			ww_sha256_add(&c, ww_slice_sub(all, at, step));
		ww_sha256_end(&c, &d);
		assert_hex(&d, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	}
}

struct vector {
	uint8_t key_byte; /* 0: the text */
	const char *key_text;
	size_t key_n;
	uint8_t data_byte; /* 50 of these; 0: the text */
	const char *data_text;
	const char *want;
};

/* RFC 4231 sections 4.2 to 4.8. */
static const struct vector vectors[] = {
	{0x0b, NULL, 20, 0, "Hi There",
	 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{0, "Jefe", 4, 0, "what do ya want for nothing?",
	 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{0xaa, NULL, 20, 0xdd, NULL,
	 "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
	{0,
	 "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
	 "\x17\x18\x19",
	 25, 0xcd, NULL, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
	{0x0c, NULL, 20, 0, "Test With Truncation", "a3b6167473100ee06e0c796c2955552b"},
	{0xaa, NULL, 131, 0, "Test Using Larger Than Block-Size Key - Hash Key First",
	 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	{0xaa, NULL, 131, 0,
	 "This is a test using a larger than block-size key and a larger than block-size data. "
	 "The key needs to be hashed before being used by the HMAC algorithm.",
	 "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

/*
 * Our keys have 32 bytes. RFC 2104 pads a shorter key with zeros, so the short keys fit padded; a
 * key longer than a block stands for its hash.
 */
static void vector_key(const struct vector *v, uint8_t key[32])
{
	uint8_t text[131] = {0};

	if (v->key_byte)
		memset(text, v->key_byte, v->key_n);
	else
		memcpy(text, v->key_text, v->key_n);
	if (v->key_n > 32) {
		struct ww_sha256 d;

		ww_sha256(ww_slice(text, v->key_n), &d);
		memcpy(text, d.b, sizeof(d.b));
	}
	memcpy(key, text, 32);
}

static void hmac(void **state)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct ww_slice in = ww_slice_str(v->data_text);
		uint8_t key[32], data[50];
		struct ww_digest_key k;
		struct ww_sha256 d;

		vector_key(v, key);
		memset(data, v->data_byte, sizeof(data));
		if (v->data_byte)
			in = ww_slice(data, sizeof(data));
		ww_digest_key_init(&k, key);
		ww_digest(&k, in, &d);
		assert_hex(&d, v->want);
	}
}

static void one_key_bit(void **state)
{
	struct ww_digest_key a, b;
	struct ww_sha256 da, db, plain;
	uint8_t key[32] = {0};

	ww_digest_key_init(&a, key);
	key[31] ^= 1;
	ww_digest_key_init(&b, key);
	ww_digest(&a, WW_SLICE_LIT("x"), &da);
	ww_digest(&b, WW_SLICE_LIT("x"), &db);
	ww_sha256(WW_SLICE_LIT("x"), &plain);
	assert_memory_not_equal(da.b, db.b, sizeof(da.b));
	assert_memory_not_equal(da.b, plain.b, sizeof(da.b));
}

/* Any split of the input gives the digest of the whole; two at a time do not disturb each other. */
static void incremental(void **state)
{
	const uint8_t key[32] = "0123456789abcdef0123456789abcde";
	uint8_t in[300];
	struct ww_digest_key k;
	struct ww_sha256 whole, parts;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 131);
	ww_digest_key_init(&k, key);
	ww_digest(&k, ww_slice(in, sizeof(in)), &whole);
	for (size_t cut = 0; cut <= sizeof(in); cut++) {
		struct ww_digest_ctx c, other;

		ww_digest_begin(&c, &k);
		ww_digest_begin(&other, &k);
		ww_digest_add(&c, ww_slice(in, cut));
		ww_digest_add(&other, WW_SLICE_LIT("noise"));
		ww_digest_add(&c, WW_SLICE_NULL);
		ww_digest_add(&c, ww_slice_sub(ww_slice(in, sizeof(in)), cut, SIZE_MAX));
		ww_digest_end(&c, &parts);
		assert_memory_equal(whole.b, parts.b, sizeof(whole.b));
		ww_digest_end(&other, &parts);
		assert_memory_not_equal(whole.b, parts.b, sizeof(whole.b));
	}
}

/* A finished context holds no plaintext. */
static void wiped(void **state)
{
	const uint8_t key[32] = {1};
	struct ww_digest_key k;
	struct ww_digest_ctx c;
	struct ww_sha256 d;

	ww_digest_key_init(&k, key);
	ww_digest_begin(&c, &k);
	ww_digest_add(&c, WW_SLICE_LIT("secret prompt"));
	assert_non_null(memmem(c.state, sizeof(c.state), "secret", 6));
	ww_digest_end(&c, &d);
	assert_null(memmem(c.state, sizeof(c.state), "secret", 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256),      cmocka_unit_test(hmac),
		cmocka_unit_test(one_key_bit), cmocka_unit_test(incremental),
		cmocka_unit_test(wiped),       cmocka_unit_test(in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
