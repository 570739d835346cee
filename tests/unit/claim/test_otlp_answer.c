/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "claim/otlp_answer.h"

#define MESSAGE "span rejected: trace id is not 16 bytes"

static void assert_file(const struct ww_buf *got, const char *path)
{
	uint8_t want[512];
	FILE *f = fopen(path, "rbe");
	size_t n;

	assert_non_null(f);
	n = fread(want, 1, sizeof(want), f);
	fclose(f);
	assert_int_equal(got->n, n);
	assert_memory_equal(got->p, want, n);
}

/* The files were read back with OpenTelemetry's own deserializer
 * (tests/golden/otlp/hand_values.mjs). */
static void partial_success(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {0};

	ww_buf_init(&b, 512);
	assert_int_equal(ww_otlp_answer_export(WW_CLAIM_OTLP_PROTOBUF, 1, MESSAGE, &b), 0);
	assert_file(&b, "tests/golden/otlp/hand_partial.pb");
	ww_buf_clear(&b);
	assert_int_equal(ww_otlp_answer_export(WW_CLAIM_OTLP_JSON, 1, MESSAGE, &b), 0);
	assert_file(&b, "tests/golden/otlp/hand_partial.json");
}

static void nothing_to_say(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {0};

	ww_buf_init(&b, 512);
	assert_int_equal(ww_otlp_answer_export(WW_CLAIM_OTLP_PROTOBUF, 0, "", &b), 0);
	assert_int_equal(b.n, 0);
	assert_int_equal(ww_otlp_answer_export(WW_CLAIM_OTLP_JSON, 0, "", &b), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "{}"));
}

static void warning(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {0};

	ww_buf_init(&b, 512);
	assert_int_equal(ww_otlp_answer_export(WW_CLAIM_OTLP_PROTOBUF, 0, "no", &b), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "\x0a\x04\x12\x02no"));
	ww_buf_clear(&b);
	assert_int_equal(ww_otlp_answer_export(WW_CLAIM_OTLP_JSON, 0, "no", &b), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b),
				    "{\"partialSuccess\":{\"errorMessage\":\"no\"}}"));
}

static void status(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {0};

	ww_buf_init(&b, 512);
	assert_int_equal(
		ww_otlp_answer_status(WW_CLAIM_OTLP_PROTOBUF, WW_OTLP_INVALID_ARGUMENT, "bad", &b),
		0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "\x08\x03\x12\x03"
						      "bad"));
	ww_buf_clear(&b);
	assert_int_equal(
		ww_otlp_answer_status(WW_CLAIM_OTLP_JSON, WW_OTLP_UNAVAILABLE, "ba\"d", &b), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "{\"code\":14,\"message\":\"ba\\\"d\"}"));
}

static void long_fields_and_full_buffers(void **state)
{
	char message[301];
	struct ww_buf b WW_AUTO_BUF = {0};

	memset(message, 'm', 300);
	message[300] = '\0';
	ww_buf_init(&b, 512);
	assert_int_equal(ww_otlp_answer_export(WW_CLAIM_OTLP_PROTOBUF, 10000, message, &b), 0);
	/* 0a, length 306 in two bytes; 08, 10000 in two bytes; 12, length 300 in two bytes */
	assert_int_equal(b.n, 3 + 3 + 3 + 300);
	assert_memory_equal(b.p, "\x0a\xb2\x02\x08\x90\x4e\x12\xac\x02mmm", 12);
	assert_int_equal(ww_otlp_answer_export(WW_CLAIM_OTLP_PROTOBUF, 1, message, &b), -EMSGSIZE);
	assert_int_equal(ww_otlp_answer_export(WW_CLAIM_OTLP_JSON, 1, message, &b), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partial_success),
		cmocka_unit_test(nothing_to_say),
		cmocka_unit_test(warning),
		cmocka_unit_test(status),
		cmocka_unit_test(long_fields_and_full_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
