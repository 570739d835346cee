/* SPDX-License-Identifier: Apache-2.0 */
/* Of what can be read, and of what cannot, it is said so. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "action/forms.h"
#include "base/encode.h"

static uint32_t state = 1;

static uint8_t drawn(void)
{
	state = state * 1664525u + 1013904223u;
	return (uint8_t)(state >> 24);
}

static void forget(void *ctx, struct ww_slice text, const char *packed)
{
	(void)ctx;
	(void)text;
	(void)packed;
}

static bool whole(const void *p, size_t n)
{
	struct ww_forms *f WW_AUTO(ww_forms_free_auto) = NULL;

	assert_int_equal(ww_forms_new(&f), 0);
	return ww_forms_walk(f, ww_slice(p, n), forget, NULL);
}

static void readable(void **unused)
{
	static char text[8000], packed[9000], record[8000];
	uLongf n = sizeof(packed);
	size_t at = 0;

	(void)unused;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i % 8 ? 'a' + drawn() % 26 : ' ');
	assert_true(whole(text, sizeof(text)));
	/* Letters of two and three bytes. */
	for (size_t i = 0; i + 5 <= sizeof(text); i += 5)
		memcpy(text + i, "\xc3\xa9\xe6\x97\xa5", 5);
	assert_true(whole(text, sizeof(text)));
	assert_int_equal(compress((Bytef *)packed, &n, (const Bytef *)text, sizeof(text)), Z_OK);
	assert_true(whole(packed, n));
	/* Spans in protobuf: ids and times between names. */
	while (at + 200 < sizeof(record)) {
		for (unsigned i = 0; i < 40; i++)
			record[at++] = (char)drawn();
		for (unsigned i = 0; i < 120; i++)
			record[at++] = (char)(i % 8 ? 'a' + drawn() % 26 : ' ');
	}
	assert_true(whole(record, at));
}

static void sealed(void **unused)
{
	static uint8_t bytes[2000];
	static char digits[4000], body[6000];
	int n;

	(void)unused;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = drawn();
	assert_false(whole(bytes, sizeof(bytes)));
	ww_base64_encode(ww_slice(bytes, sizeof(bytes)), digits);
	n = snprintf(body, sizeof(body), "{\"log\":\"%s\"}", digits);
	assert_false(whole(body, (size_t)n));
	/* Behind a text. */
	memset(body, 'x', 3000);
	memcpy(body + 3000, bytes, sizeof(bytes));
	assert_false(whole(body, 3000 + sizeof(bytes)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(readable), cmocka_unit_test(sealed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
