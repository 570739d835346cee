/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/dsse.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "base/encode.h"

static struct ww_note_signer signer, other;

static int set_up(void **state)
{
	return ww_note_signer_new(WW_SLICE_LIT("wirewitness.test/dsse"), &signer) ||
	       ww_note_signer_new(WW_SLICE_LIT("other"), &other);
}

static int parse(const char *envelope)
{
	struct ww_errtext why = {""};
	struct ww_dsse d;
	int r = ww_dsse_parse(ww_slice_str(envelope), 1024, NULL, &d, &why);

	if (r == 0)
		ww_dsse_done(&d);
	return r;
}

#define SIG \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define SIGS "\"signatures\":[{\"sig\":\"" SIG "\"}]"

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\"}",
		"{\"payload\":\"aGk=\"," SIGS "}",
		"{\"payloadType\":\"t\"," SIGS "}",
		"{\"payload\":1,\"payloadType\":\"t\"," SIGS "}",
		"{\"payload\":\"aGk\",\"payloadType\":\"t\"," SIGS "}",
		"{\"payload\":\"aGl=\",\"payloadType\":\"t\"," SIGS "}", /* spare bits set */
		"{\"payload\":\"a Gk=\",\"payloadType\":\"t\"," SIGS "}",
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\",\"signatures\":[]}",
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\",\"signatures\":[{}]}",
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\",\"signatures\":[\"x\"]}",
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AAAA\"}]}",
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\",\"signatures\":{}}",
		/* a second value for a signed member: which one did the signer mean? */
		"{\"payload\":\"aGk=\",\"payload\":\"aG8=\",\"payloadType\":\"t\"," SIGS "}",
		"{\"payload\":\"aGk=\",\"p\\u0061yload\":\"aG8=\",\"payloadType\":\"t\"," SIGS "}",
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\"," SIGS "," SIGS "}",
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\"," SIGS "} {}",
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\\u0000t\"," SIGS "}",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i]), -EINVAL);
	assert_int_equal(parse("{\"payload\":\"aGk=\",\"payloadType\":\"t\"," SIGS "}"), 0);
	assert_int_equal(
		parse(" {\"x\":[1],\"payload\":\"aGk=\",\"payloadType\":\"t\"," SIGS "}\n"), 0);
}

static void test_ceilings(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_errtext why = {""};
	struct ww_dsse d;
	uint8_t big[1025] = {0};
	char many[20 * (sizeof(SIG) + 12) + 100];
	size_t n;

	ww_buf_init(&b, 8192);
	assert_int_equal(ww_dsse_sign(&signer, WW_SLICE_LIT("t"), ww_slice(big, 1025), &b), 0);
	assert_int_equal(ww_dsse_parse(ww_buf_slice(&b), 1024, NULL, &d, &why), -EMSGSIZE);
	n = (size_t)snprintf(
		many, sizeof(many),
		"{\"payload\":\"aGk=\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"" SIG
		"\"}");
	for (int i = 1; i <= 16; i++) {
		snprintf(many + n, sizeof(many) - n, "]}");
		assert_int_equal(parse(many), i <= 16 ? 0 : -EINVAL);
		n += (size_t)snprintf(many + n, sizeof(many) - n, ",{\"sig\":\"" SIG "\"}");
	}
	snprintf(many + n, sizeof(many) - n, "]}");
	assert_int_equal(parse(many), -EINVAL);
}

static void test_pae(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};

	ww_buf_init(&b, 256);
	assert_int_equal(
		ww_dsse_pae(WW_SLICE_LIT("text/plain"), WW_SLICE_LIT("gr\xc3\xbc\xc3\x9f"), &b), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "DSSEv1 10 text/plain 6 gr\xc3\xbc\xc3\x9f"));
	ww_buf_clear(&b);
	assert_int_equal(ww_dsse_pae(WW_SLICE_NULL, WW_SLICE_NULL, &b), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "DSSEv1 0  0 "));
}

/* Type and payload cannot trade bytes: the lengths are signed. */
static void test_signature(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_errtext why = {""};
	struct ww_dsse d;

	ww_buf_init(&b, 4096);
	assert_int_equal(ww_dsse_sign(&signer, WW_SLICE_LIT("type"), WW_SLICE_LIT("body"), &b), 0);
	assert_int_equal(ww_dsse_parse(ww_buf_slice(&b), 1024, NULL, &d, &why), 0);
	assert_int_equal(ww_dsse_verify(&d, &signer.key), 0);
	assert_int_equal(ww_dsse_verify(&d, &other.key), -EBADMSG);
	d.type[0] = 'T';
	assert_int_equal(ww_dsse_verify(&d, &signer.key), -EBADMSG);
	d.type[0] = 't';
	d.at[3] ^= 1;
	assert_int_equal(ww_dsse_verify(&d, &signer.key), -EBADMSG);
	d.at[3] ^= 1;
	d.signature[0][63] ^= 0x10;
	assert_int_equal(ww_dsse_verify(&d, &signer.key), -EBADMSG);
	ww_dsse_done(&d);
}

/* URL-safe base64 is accepted, and one good signature among others is enough. */
static void test_other_writers(void **state)
{
	uint8_t payload[] = {0xfb, 0xff, 0xbf, 0x00}, sig[64];
	char envelope[1024], b64[128];
	WW_AUTO_BUF struct ww_buf pae = {0};
	struct ww_errtext why = {""};
	struct ww_dsse d;

	ww_buf_init(&pae, 256);
	assert_int_equal(ww_dsse_pae(WW_SLICE_LIT("t"), ww_slice(payload, 4), &pae), 0);
	assert_int_equal(ww_note_sign_raw(&signer, ww_buf_slice(&pae), sig), 0);
	ww_base64_encode(ww_slice(sig, 64), b64);
	for (char *p = b64; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	snprintf(envelope, sizeof(envelope),
		 "{\n \"signatures\": [ {\"keyid\": \"what ever\", \"sig\": \"" SIG
		 "\"}, {\"sig\": \"AAAA\"}, {\"sig\": \"%s\"} ],\n"
		 " \"payloadType\": \"t\", \"payload\": \"-_-_AA==\"\n}\n",
		 b64);
	assert_int_equal(ww_dsse_parse(ww_slice_str(envelope), 1024, NULL, &d, &why), 0);
	assert_int_equal(d.n_signatures, 2);
	assert_memory_equal(d.payload.p, payload, 4);
	assert_int_equal(ww_dsse_verify(&d, &signer.key), 0);
	ww_dsse_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),     cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_pae),           cmocka_unit_test(test_signature),
		cmocka_unit_test(test_other_writers),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
