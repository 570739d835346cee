/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Key 00 01 .. 0f, messages 00 01 .. of each length: the values of the SipHash authors. */
static void reference(void **state)
{
	static const struct {
		size_t n;
		uint64_t want;
	} cases[] = {
		{0, 0x726fdb47dd0e0e31ull},
		{1, 0x74f839c593dc67fdull},
		{8, 0x93f5f5799a932462ull},
		{15, 0xa129ca6149be45e5ull},
	};
	const uint64_t key[2] = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
	uint8_t in[15];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(ww_siphash_key(key, in, cases[i].n) == cases[i].want);
}

/* The process has a key: its hashes are not those of the key that is all zero. */
static void keyed(void **state)
{
	const uint64_t zero[2] = {0, 0};

	assert_true(ww_siphash("abc", 3) != ww_siphash_key(zero, "abc", 3));
	assert_true(ww_siphash("abc", 3) == ww_siphash("abc", 3));
	assert_true(ww_siphash("abc", 3) != ww_siphash("abd", 3));
	(void)ww_siphash(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference),
		cmocka_unit_test(keyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
