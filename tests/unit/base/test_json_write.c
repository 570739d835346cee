/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/utf8.h"

#define TEXT_MAX 4096

struct fixture {
	struct ww_buf out;
	struct ww_jsonw w;
};

static struct fixture start(size_t bytes_max)
{
	struct fixture f = {0};

	ww_buf_init(&f.out, bytes_max);
	return f;
}

static void assert_text(const struct fixture *f, const char *want)
{
	assert_int_equal(f->w.err, 0);
	assert_int_equal(f->w.depth, 0);
	assert_int_equal(f->out.n, strlen(want));
	assert_memory_equal(f->out.p, want, f->out.n);
}

static void too_deep(void **state)
{
	struct fixture f = start(TEXT_MAX);
	size_t n;

	ww_jsonw_init(&f.w, &f.out);
	for (int i = 0; i < WW_JSONW_DEPTH_MAX; i++)
		ww_jsonw_array(&f.w, NULL);
	assert_true(ww_jsonw_ok(&f.w));
	n = f.out.n;
	ww_jsonw_array(&f.w, NULL);
	assert_int_equal(f.w.err, -E2BIG);
	ww_jsonw_u64(&f.w, NULL, 1);
	assert_int_equal(f.out.n, n);
	ww_buf_done(&f.out);
}

static void one_end_too_many(void **state)
{
	struct fixture f = start(TEXT_MAX);

	ww_jsonw_init(&f.w, &f.out);
	ww_jsonw_object(&f.w, NULL);
	ww_jsonw_end_object(&f.w);
	ww_jsonw_end_object(&f.w);
	assert_int_equal(f.w.err, -EINVAL);
	ww_buf_done(&f.out);
}

static void every_kind(struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_array(w, "empty");
	ww_jsonw_end_array(w);
	ww_jsonw_array(w, "list");
	ww_jsonw_u64(w, NULL, 1);
	ww_jsonw_object(w, NULL);
	ww_jsonw_end_object(w);
	ww_jsonw_cstr(w, NULL, "x");
	ww_jsonw_end_array(w);
	ww_jsonw_cstr(w, "none", NULL);
	ww_jsonw_null(w, "null");
	ww_jsonw_bool(w, "yes", true);
	ww_jsonw_bool(w, "no", false);
	ww_jsonw_i64(w, "min", INT64_MIN);
	ww_jsonw_u64(w, "safe", (1ull << 53) - 1);
	ww_jsonw_u64(w, "unsafe", 1ull << 53);
	ww_jsonw_u64(w, "max", UINT64_MAX);
	ww_jsonw_hex(w, "hex", WW_SLICE_LIT("\x00\xff\x10"));
	ww_jsonw_hex(w, "no hex", WW_SLICE_NULL);
	ww_jsonw_id64(w, "id", 0xab);
	ww_jsonw_raw(w, "raw", WW_SLICE_LIT("{\"a\":[]}"));
	ww_jsonw_str(w, "a\"b", WW_SLICE_NULL);
	ww_jsonw_end_object(w);
}

static const char every_text[] =
	"{\"empty\":[],\"list\":[1,{},\"x\"],\"none\":null,\"null\":null,\"yes\":true,\"no\":false,"
	"\"min\":-9223372036854775808,\"safe\":9007199254740991,\"unsafe\":\"9007199254740992\","
	"\"max\":\"18446744073709551615\",\"hex\":\"00ff10\",\"no hex\":\"\","
	"\"id\":\"00000000000000ab\",\"raw\":{\"a\":[]},\"a\\\"b\":\"\"}";

/* At every ceiling below the full size: an error, sticky, and the ceiling is held. */
static void every_ceiling(void **state)
{
	for (size_t max = 0; max < sizeof(every_text) - 1; max++) {
		struct fixture f = start(max);

		ww_jsonw_init(&f.w, &f.out);
		every_kind(&f.w);
		assert_int_equal(f.w.err, -EMSGSIZE);
		assert_true(f.out.n <= max);
		assert_memory_equal(f.out.n > 0 ? f.out.p : (uint8_t *)"", every_text, f.out.n);
		ww_buf_done(&f.out);
	}
}

static void all_kinds(void **state)
{
	struct fixture f = start(sizeof(every_text) - 1);
	json_error_t e;
	json_t *read;

	ww_jsonw_init(&f.w, &f.out);
	every_kind(&f.w);
	assert_text(&f, every_text);
	read = json_loadb((const char *)f.out.p, f.out.n, JSON_REJECT_DUPLICATES, &e);
	assert_non_null(read);
	json_decref(read);
	ww_buf_done(&f.out);
}

static void strings(void **state)
{
	static const struct {
		struct ww_slice in;
		const char *want;
	} cases[] = {
		{WW_SLICE_LIT("\"\\/\b\f\n\r\t"), "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
		{WW_SLICE_LIT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\""},
		{WW_SLICE_LIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		 "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		/* Overlong, surrogate, above the range: every byte by itself. */
		{WW_SLICE_LIT("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{WW_SLICE_LIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{WW_SLICE_LIT("\xf5"), "\"\xef\xbf\xbd\""},
		/* A character that breaks off, inside and at the end: one for its valid start. */
		{WW_SLICE_LIT("\xf0\x9f\x98x"), "\"\xef\xbf\xbdx\""},
		{WW_SLICE_LIT("x\xe2\x82"), "\"x\xef\xbf\xbd\""},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct fixture f = start(TEXT_MAX);

		ww_jsonw_init(&f.w, &f.out);
		ww_jsonw_str(&f.w, NULL, cases[i].in);
		assert_text(&f, cases[i].want);
		ww_buf_done(&f.out);
	}
}

/* Any bytes make a string that another library reads back; valid UTF-8 comes back unchanged. */
static void any_bytes(void **state)
{
	uint32_t seed = 1;

	for (int round = 0; round < 3000; round++) {
		struct fixture f = start(TEXT_MAX);
		uint8_t in[40];
		json_t *read, *same;

		for (size_t i = 0; i < sizeof(in); i++) {
			seed = seed * 1664525u + 1013904223u;
			in[i] = (uint8_t)(seed >> 24);
		}
		ww_jsonw_init(&f.w, &f.out);
		ww_jsonw_str(&f.w, NULL, ww_slice(in, (size_t)round % sizeof(in)));
		assert_true(ww_jsonw_ok(&f.w));
		read = json_loadb((const char *)f.out.p, f.out.n, JSON_DECODE_ANY | JSON_ALLOW_NUL,
				  NULL);
		assert_non_null(read);
		same = json_stringn((const char *)in, (size_t)round % sizeof(in));
		if (same)
			assert_true(json_equal(read, same));
		json_decref(same);
		json_decref(read);
		ww_buf_done(&f.out);
	}
}

/* The end of plain text, in every length around the blocks that it is looked at in. */
static void plain_up_to(void **state)
{
	static const uint8_t specials[] = {'"', '\\', 0, 0x1f, 0x80, 0xff};
	uint8_t text[48];

	for (size_t n = 0; n <= sizeof(text); n++) {
		for (size_t special = 0; special <= n; special++) {
			memset(text, special % 2 ? 0x7f : ' ', sizeof(text));
			if (special < sizeof(text)) /* at n: behind the text */
				text[special] = specials[(n + special) % WW_ARRAY_SIZE(specials)];
			for (size_t at = 0; at <= n; at++)
				assert_int_equal(ww_utf8_plain(ww_slice(text, n), at),
						 at <= special ? special : n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_deep),      cmocka_unit_test(one_end_too_many),
		cmocka_unit_test(every_ceiling), cmocka_unit_test(all_kinds),
		cmocka_unit_test(strings),       cmocka_unit_test(any_bytes),
		cmocka_unit_test(plain_up_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
