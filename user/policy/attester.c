/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/attester.h"

#include <errno.h>

#include "base/encode.h"

/* RFC 8410: the algorithm's identifier, then a bit string of 32 bytes. */
static const uint8_t ed25519_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
/* RFC 5480: id-ecPublicKey on secp256r1, then an uncompressed point. */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
				    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
				    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

bool ww_attester_name_ok(struct ww_slice name)
{
	if (name.n == 0 || name.n > WW_ATTESTER_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t b = name.p[i];

		if (!((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
		      b == '.' || b == '_' || b == '-'))
			return false;
	}
	return true;
}

static bool is(const uint8_t *der, size_t n, const uint8_t *head, size_t head_n, size_t all)
{
	return n == all && memcmp(der, head, head_n) == 0;
}

int ww_attester_key_parse(struct ww_slice base64, struct ww_attester *ret)
{
	uint8_t der[WW_ATTESTER_KEY_MAX + 2];
	size_t n;

	if (base64.n > WW_ATTESTER_BASE64_MAX ||
	    ww_base64_decode(base64, false, der, sizeof(der), &n) < 0)
		return -EINVAL;
	if (is(der, n, ed25519_head, sizeof(ed25519_head), sizeof(ed25519_head) + 32))
		ret->type = WW_ATTESTER_ED25519;
	else if (is(der, n, p256_head, sizeof(p256_head), WW_ATTESTER_KEY_MAX))
		ret->type = WW_ATTESTER_P256;
	else
		return -EINVAL;
	memcpy(ret->key, der, n);
	ret->key_bytes = (uint8_t)n;
	return 0;
}

void ww_attester_key_text(const struct ww_attester *a, char *out)
{
	ww_base64_encode(ww_slice(a->key, a->key_bytes), out);
}

bool ww_attester_same_key(const struct ww_attester *a, const struct ww_attester *b)
{
	return ww_slice_eq(ww_slice(a->key, a->key_bytes), ww_slice(b->key, b->key_bytes));
}

struct ww_slice ww_attester_raw(const struct ww_attester *a)
{
	return ww_slice(a->key + sizeof(ed25519_head), a->key_bytes - sizeof(ed25519_head));
}
