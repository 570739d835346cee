/* SPDX-License-Identifier: Apache-2.0 */
/* Good replies are the system test's business (openssl makes them); here: what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

#include "base/digest.h"
#include "ledger/timestamp.h"

static const uint8_t sig[WW_NOTE_SIG_LEN] = {7};

static void test_query(void **state)
{
	WW_AUTO_BUF struct ww_buf a = {0}, b = {0};
	struct ww_sha256 h;

	ww_buf_init(&a, 4096);
	ww_buf_init(&b, 4096);
	assert_int_equal(ww_timestamp_query(sig, 1, &a), 0);
	assert_int_equal(ww_timestamp_query(sig, 2, &b), 0);
	ww_sha256(ww_slice(sig, sizeof(sig)), &h);
	assert_int_equal(a.p[0], 0x30);
	assert_int_equal(a.p[1], a.n - 2);
	assert_non_null(memmem(a.p, a.n, h.b, sizeof(h.b)));
	assert_non_null(memmem(a.p, a.n, "\x01\x01\xff", 3)); /* certReq TRUE */
	assert_false(ww_slice_eq(ww_buf_slice(&a), ww_buf_slice(&b)));
}

static void test_small_buffer(void **state)
{
	WW_AUTO_BUF struct ww_buf a = {0};

	ww_buf_init(&a, 16);
	assert_int_equal(ww_timestamp_query(sig, 1, &a), -EMSGSIZE);
	assert_int_equal(a.n, 0);
}

static void test_no_reply(void **state)
{
	static const struct ww_slice bad[] = {WW_SLICE_LIT(""), WW_SLICE_LIT("x"),
					      WW_SLICE_LIT("\x30\x00"),
					      /* status 2, rejection */
					      WW_SLICE_LIT("\x30\x05\x30\x03\x02\x01\x02"),
					      /* status 0, granted, and no token */
					      WW_SLICE_LIT("\x30\x05\x30\x03\x02\x01\x00"),
					      /* something behind the reply */
					      WW_SLICE_LIT("\x30\x05\x30\x03\x02\x01\x00x")};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		struct ww_errtext why = {""};

		assert_int_equal(ww_timestamp_check(bad[i], sig, NULL, NULL, NULL, &why), -EINVAL);
		assert_true(why.text[0] != '\0');
	}
}

static void test_no_certificates(void **state)
{
	static const struct ww_slice bad[] = {
		WW_SLICE_LIT(""), WW_SLICE_LIT("-----BEGIN CERTIFICATE-----\nMAA=\n"),
		WW_SLICE_LIT("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")};
	struct ww_slice certs[2];
	size_t n;

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		WW_AUTO_BUF struct ww_buf out = {0};

		ww_buf_init(&out, 4096);
		assert_int_equal(ww_timestamp_certs(bad[i], &out, certs, 2, &n), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_small_buffer),
		cmocka_unit_test(test_no_reply),
		cmocka_unit_test(test_no_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
