/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static void hex_refusals(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{"", 1},
		{"0", 0},
		{"0", 1},
		{"00", 0},
		{"00", 2},
		{"0g", 1},
		{"g0", 1},
		{"0@", 1},
		{"/0", 1},
		{":0", 1},
		{"0`", 1},
		{"0x", 1},
		{" 0", 1},
		{"0011ZZ", 3},
		/* Control bytes that become digits or letters with bit 5 set. */
		{"\x10\x11", 1},
		{"0\x01", 1},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		uint8_t out[4] = {9, 9, 9, 9};

		assert_int_equal(ww_hex_decode(ww_slice_str(cases[i].text), out, cases[i].n),
				 -EINVAL);
		assert_memory_equal(out, "\x09\x09\x09\x09", 4);
	}
}

static void hex(void **state)
{
	uint8_t all[256], back[256];
	char text[513];

	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	ww_hex_encode(ww_slice(all, sizeof(all)), text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 506, "fdfeff");
	assert_int_equal(ww_hex_decode(ww_slice_str(text), back, sizeof(back)), 0);
	assert_memory_equal(all, back, sizeof(all));
	assert_int_equal(ww_hex_decode(WW_SLICE_LIT("aBcDeF09"), back, 4), 0);
	assert_memory_equal(back, "\xab\xcd\xef\x09", 4);
	ww_hex_encode(WW_SLICE_NULL, text);
	assert_string_equal(text, "");
	assert_int_equal(ww_hex_decode(WW_SLICE_NULL, back, 0), 0);
}

static void base64_refusals(void **state)
{
	static const char *const bad[] = {
		"Z",    "Zg",       "Zg=",      "Zg==\n",  "Zg== ",
		"Z===", "====",     "=",        "Zh==", /* unused bits */
		"Zm9=",                                 /* unused bits */
		"Zm=v", "Zg==Zg==", "Zm9v====", "Zm9vYg=", "Zm 9",
		"Zm9-", "Zm9_",     "Zm9.",     "Zm9\x80",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		uint8_t out[16];
		size_t n = 42;

		assert_int_equal(
			ww_base64_decode(ww_slice_str(bad[i]), false, out, sizeof(out), &n),
			-EINVAL);
		assert_int_equal(n, 42);
	}
}

/* Long texts are decoded by blocks: of each byte at each place exactly the digits are accepted, and
 * their value is that of the digit alone. */
static void base64_every_byte(void **state)
{
	for (size_t at = 0; at < 128; at++) {
		for (int c = 0; c < 512; c++) {
			uint8_t alone[3], out[96], want[96] = {0};
			char text[129], four[] = "AAAA";
			bool url_safe = c >= 256, ok;
			size_t n = 0, n4 = 0;

			memset(text, 'A', 128);
			text[at] = four[at % 4] = (char)c;
			ok = (c & 255) != '=' &&
			     ww_base64_decode(ww_slice(four, 4), url_safe, alone, 3, &n4) == 0;
			if ((c & 255) == '=' && at == 127)
				continue; /* padding */
			assert_int_equal(ww_base64_decode(ww_slice(text, 128), url_safe, out,
							  sizeof(out), &n),
					 ok ? 0 : -EINVAL);
			if (!ok)
				continue;
			memcpy(want + at / 4 * 3, alone, 3);
			assert_int_equal(n, 96);
			assert_memory_equal(out, want, 96);
		}
	}
}

/* Of the 64 last digits only those with all unused bits zero: one value has one text. */
static void base64_unused_bits(void **state)
{
	for (int c = 0; c < 256; c++) {
		char one[] = "ZA==", two[] = "ZmA=", again[5];
		uint8_t out[2];
		size_t n;

		one[1] = (char)c;
		two[2] = (char)c;
		if (ww_base64_decode(ww_slice(one, 4), false, out, 2, &n) == 0) {
			assert_int_equal(n, 1);
			ww_base64_encode(ww_slice(out, n), again);
			assert_string_equal(again, one);
		}
		if (ww_base64_decode(ww_slice(two, 4), false, out, 2, &n) == 0) {
			assert_int_equal(n, 2);
			ww_base64_encode(ww_slice(out, n), again);
			assert_string_equal(again, two);
		}
	}
}

static void base64_too_small(void **state)
{
	uint8_t out[3] = {7, 7, 7};
	size_t n = 42;

	assert_int_equal(ww_base64_decode(WW_SLICE_LIT("Zm9vYg=="), false, out, 3, &n), -EMSGSIZE);
	assert_int_equal(n, 42);
	assert_int_equal(out[0], 7);
	assert_int_equal(ww_base64_decode(WW_SLICE_LIT("Zm9v"), false, out, 3, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(ww_base64_decode(WW_SLICE_NULL, false, out, 3, &n), 0);
	assert_int_equal(n, 0);
}

/* RFC 4648 section 10. */
static void base64_vectors(void **state)
{
	static const char *const v[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(v); i++) {
		struct ww_slice in = ww_slice_str(v[i][0]);
		uint8_t back[8];
		char text[16];
		size_t n = 0;

		ww_base64_encode(in, text);
		assert_string_equal(text, v[i][1]);
		assert_int_equal(WW_BASE64_LEN(in.n), strlen(text));
		assert_int_equal(
			ww_base64_decode(ww_slice_str(text), false, back, sizeof(back), &n), 0);
		assert_true(ww_slice_eq(ww_slice(back, n), in));
	}
}

static void base64_url_safe(void **state)
{
	uint8_t out[3];
	size_t n = 0;

	assert_int_equal(ww_base64_decode(WW_SLICE_LIT("-_+/"), true, out, 3, &n), 0);
	assert_memory_equal(out, "\xfb\xff\xbf", 3);
	assert_int_equal(ww_base64_decode(WW_SLICE_LIT("-_+/"), false, out, 3, &n), -EINVAL);
	assert_int_equal(ww_base64_decode(WW_SLICE_LIT("+/+/"), false, out, 3, &n), 0);
	assert_memory_equal(out, "\xfb\xff\xbf", 3);
}

static void base64_round_trip(void **state)
{
	uint8_t in[300], back[300];
	char text[WW_BASE64_LEN(300) + 1];

	for (size_t len = 0; len <= sizeof(in); len++) {
		WW_AUTO_FREE uint8_t *exact = malloc(len + 1); /* nothing is written beyond */
		size_t n = 0;

		for (size_t i = 0; i < len; i++)
			in[i] = (uint8_t)(i * 197 + len * 31);
		ww_base64_encode(ww_slice(in, len), text);
		assert_non_null(exact);
		assert_int_equal(
			ww_base64_decode(ww_slice_str(text), false, back, sizeof(back), &n), 0);
		assert_true(ww_slice_eq(ww_slice(back, n), ww_slice(in, len)));
		exact[len] = 0x5a;
		assert_int_equal(ww_base64_decode(ww_slice_str(text), true, exact, len, &n), 0);
		assert_true(ww_slice_eq(ww_slice(exact, n), ww_slice(in, len)));
		assert_int_equal(exact[len], 0x5a);
		/* Where its text is. */
		assert_int_equal(
			ww_base64_decode(ww_slice_str(text), true, (uint8_t *)text, len, &n), 0);
		assert_true(ww_slice_eq(ww_slice(text, n), ww_slice(in, len)));
	}
}

/* As printf writes them, at every number of digits. */
static void numbers(void **state)
{
	uint64_t ten = 1, sixteen = 1;

	for (int digits = 1; digits <= 21; digits++) {
		uint64_t near[] = {ten - 1, ten, ten + 1, sixteen - 1, sixteen, sixteen + 1};

		for (size_t i = 0; i < WW_ARRAY_SIZE(near); i++) {
			char want[32], got[32];

			snprintf(want, sizeof(want), "x%ju", (uintmax_t)near[i]);
			assert_ptr_equal(ww_put_dec(ww_put_text(got, "x"), near[i]),
					 got + strlen(want));
			assert_string_equal(got, want);
			snprintf(want, sizeof(want), "%jx:", (uintmax_t)near[i]);
			assert_ptr_equal(ww_put_text(ww_put_hex(got, near[i]), ":"),
					 got + strlen(want));
			assert_string_equal(got, want);
		}
		ten *= 10; /* wraps at last: any number will do */
		sixteen *= 16;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_refusals),      cmocka_unit_test(hex),
		cmocka_unit_test(base64_refusals),   cmocka_unit_test(base64_unused_bits),
		cmocka_unit_test(base64_every_byte), cmocka_unit_test(base64_too_small),
		cmocka_unit_test(base64_vectors),    cmocka_unit_test(base64_url_safe),
		cmocka_unit_test(base64_round_trip), cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
