/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <zlib.h>

#include "action/forms.h"

#include "base/encode.h"

static struct ww_forms *forms;
static char heard[4096]; /* what each text was packed in, and how large it is */
static size_t bytes;     /* of all texts */

static int setup(void **state)
{
	return ww_forms_new(&forms);
}

static int teardown(void **state)
{
	ww_forms_free(forms);
	return 0;
}

static void hear(void *ctx, struct ww_slice text, const char *packed)
{
	size_t n = strlen(heard);

	assert_ptr_equal(ctx, forms);
	bytes += text.n;
	if (n + 64 < sizeof(heard))
		snprintf(heard + n, sizeof(heard) - n, "[%s %zu]", packed, text.n);
}

static bool walk(struct ww_slice body)
{
	heard[0] = '\0';
	bytes = 0;
	return ww_forms_walk(forms, body, hear, forms);
}

/* window: 31 gzip, 15 zlib. */
static struct ww_slice deflated(struct ww_slice plain, int window)
{
	static uint8_t out[1 << 20];
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)plain.p;
	z.avail_in = (uInt)plain.n;
	z.next_out = out;
	z.avail_out = sizeof(out);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return ww_slice(out, z.total_out);
}

static struct ww_slice based(struct ww_slice in)
{
	static char out[2][1 << 21];
	static unsigned turn;
	char *to = out[turn++ % 2];

	ww_base64_encode(in, to);
	return ww_slice_str(to);
}

#define TEXT "a text of some length, so that its base64 has as many digits as a run must have"

static void what_is_packed_is_given(void **state)
{
	assert_true(walk(WW_SLICE_LIT(TEXT)));
	assert_string_equal(heard, "[ 79]");
	assert_true(walk(WW_SLICE_NULL));
	assert_string_equal(heard, "[ 0]");
	assert_true(walk(based(WW_SLICE_LIT(TEXT))));
	assert_string_equal(heard, "[ 108][base64 79]");
	/* A stream and nothing else is not given as it is. */
	assert_true(walk(deflated(WW_SLICE_LIT(TEXT), 31)));
	assert_string_equal(heard, "[gzip 79]");
	assert_true(walk(deflated(WW_SLICE_LIT(TEXT), 15)));
	assert_string_equal(heard, "[deflate 79]");
	assert_true(walk(based(deflated(WW_SLICE_LIT(TEXT), 31))));
	assert_non_null(strstr(heard, "][base64+gzip 79]"));
}

static void base64_goes_through_breaks_and_escapes(void **state)
{
	static const char *const between[] = {"",    "\n",         "\r\n",   "\r\n\t ",
					      "\\n", "\\\\r\\\\n", "%0D%0A", "%250A"};
	const char *digits = (const char *)based(WW_SLICE_LIT(TEXT)).p;
	char body[512];

	for (size_t i = 0; i < WW_ARRAY_SIZE(between); i++) {
		snprintf(body, sizeof(body), "{\"a\":\"%.60s%s%s\"}", digits, between[i],
			 digits + 60);
		assert_true(walk(ww_slice_str(body)));
		assert_non_null(strstr(heard, "[base64 79]"));
	}
	/* Words are no run, however many there are. */
	assert_true(walk(WW_SLICE_LIT("word\nword\nword\nword\nword\nword\nword\nword\nword\nword\n"
				      "word\nword\nword\nword\nword\nword\nword\nword\nword\n")));
	assert_null(strstr(heard, "base64"));
	snprintf(body, sizeof(body), "%.63s", digits);
	assert_true(walk(ww_slice_str(body)));
	assert_null(strstr(heard, "base64"));
	snprintf(body, sizeof(body), "%.64s", digits);
	assert_true(walk(ww_slice_str(body)));
	assert_non_null(strstr(heard, "[base64 48]"));
}

static void depth_has_a_ceiling(void **state)
{
	struct ww_slice s = WW_SLICE_LIT(TEXT);

	for (unsigned i = 0; i < WW_FORMS_DEPTH_MAX; i++)
		s = based(s);
	assert_true(walk(s));
	assert_non_null(strstr(heard, "[base64+base64+base64+base64 79]"));
	assert_false(walk(based(s)));
	assert_null(strstr(heard, " 79]"));
}

static void a_bomb_is_stopped(void **state)
{
	static uint8_t zeros[16 << 20];
	static uint8_t packed[1 << 20];
	struct ww_slice s = deflated(ww_slice(zeros, sizeof(zeros)), 31);

	assert_false(walk(s));
	assert_true(bytes <= WW_FORMS_BYTES_MAX + (128 << 10) + s.n);
	/* As many as it wants: the ceiling is of all together. */
	memcpy(packed, s.p, s.n);
	for (size_t n = s.n; n + s.n <= sizeof(packed); n += s.n)
		memcpy(packed + n, s.p, s.n);
	assert_false(walk(ww_slice(packed, sizeof(packed))));
	assert_true(bytes <= WW_FORMS_BYTES_MAX + (128 << 10) + sizeof(packed));
	assert_true(walk(WW_SLICE_LIT(TEXT))); /* and of one body */
}

static void a_stream_that_is_cut_is_told(void **state)
{
	static uint8_t body[4096];
	struct ww_slice s = deflated(WW_SLICE_LIT(TEXT TEXT), 31);

	memcpy(body, s.p, s.n);
	for (size_t n = 30; n < s.n; n++)
		assert_false(walk(ww_slice(body, n)));
	assert_true(walk(ww_slice(body, s.n)));
	/* What follows is not of it. */
	memcpy(body + s.n, TEXT, sizeof(TEXT));
	assert_true(walk(ww_slice(body, s.n + sizeof(TEXT))));
	assert_non_null(strstr(heard, "[gzip 158]"));
	/* Its check sum is. */
	body[s.n - 8] ^= 1;
	assert_false(walk(ww_slice(body, s.n)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_packed_is_given, setup, teardown),
		cmocka_unit_test_setup_teardown(base64_goes_through_breaks_and_escapes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(depth_has_a_ceiling, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bomb_is_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stream_that_is_cut_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
