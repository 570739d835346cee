/* SPDX-License-Identifier: Apache-2.0 */
/* The pages and objects of the records in tests/golden/paths; with WW_GOLDEN set, written anew. */
#include "out/path_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <jansson.h>

#include "out/path_match.h"
#include "out/printable.h"
#include "path_samples.h"

#define COLUMNS 92u

static void compare(const char *name, const char *end, const struct ww_buf *have)
{
	WW_AUTO_BUF struct ww_buf want = {0};
	char path[256];

	snprintf(path, sizeof(path), SAMPLES_FOLDER "%s%s", name, end);
	if (getenv("WW_GOLDEN")) {
		FILE *f = fopen(path, "we");

		assert_non_null(f);
		assert_int_equal(fwrite(have->p, 1, have->n, f), have->n);
		assert_int_equal(fclose(f), 0);
	}
	read_file(path, &want);
	if (!ww_slice_eq(ww_buf_slice(have), ww_buf_slice(&want)))
		fail_msg("%s differs; it is now:\n%.*s", path, (int)have->n, (const char *)have->p);
}

/* --- every sample -------------------------------------------------------------------------------
 */

static struct ww_path_ask ask_of(struct ww_slice record)
{
	return (struct ww_path_ask){.index = 41, .record = record};
}

static void make_text(struct ww_slice record, unsigned columns, struct ww_buf *out)
{
	struct ww_path_ask ask = ask_of(record);

	ww_buf_init(out, WW_PATH_TEXT_BYTES_MAX);
	assert_int_equal(ww_path_text(&ask, columns, false, out), 0);
}

/* No line is wider than asked, and nothing in it acts on a terminal. */
static void check_lines(const char *name, struct ww_slice text, unsigned columns)
{
	struct ww_slice line;

	while (ww_slice_line(&text, &line)) {
		if (ww_printable_columns(line) > columns)
			fail_msg("%s: %zu columns: %.*s", name, ww_printable_columns(line),
				 (int)line.n, (const char *)line.p);
		for (size_t i = 0; i < line.n; i++)
			assert_true(line.p[i] >= 0x20 && line.p[i] != 0x7f);
		assert_true(line.n == 0 || line.p[line.n - 1] != ' ');
	}
	assert_int_equal(text.n, 0);
}

static void golden_text(const char *name, struct ww_slice record)
{
	WW_AUTO_BUF struct ww_buf out = {0};

	make_text(record, COLUMNS, &out);
	check_lines(name, ww_buf_slice(&out), COLUMNS);
	assert_null(memmem(out.p, out.n, "\xe2\x80\xae", 3));
	compare(name, ".txt", &out);
}

static void narrow_and_wide(const char *name, struct ww_slice record)
{
	static const unsigned asked[] = {0, 60, 80, 100, 4000};

	for (size_t i = 0; i < WW_ARRAY_SIZE(asked); i++) {
		WW_AUTO_BUF struct ww_buf out = {0};
		unsigned columns = asked[i] < WW_PATH_COLUMNS_MIN   ? WW_PATH_COLUMNS_MIN
				   : asked[i] > WW_PATH_COLUMNS_MAX ? WW_PATH_COLUMNS_MAX
								    : asked[i];

		make_text(record, asked[i], &out);
		check_lines(name, ww_buf_slice(&out), columns);
	}
}

/* The object holds the record as it is, whatever that says. */
static void object(const char *name, struct ww_slice record)
{
	static const struct ww_path_revision before[] = {{7, WW_SLICE_LIT("y-0-1")}};
	struct ww_path_ask ask = {.index = 41,
				  .record = record,
				  .superseded_by = WW_SLICE_LIT("y-0-3"),
				  .replaced = before,
				  .replaced_count = 1};
	json_t *want = json_loadb((const char *)record.p, record.n, 0, NULL), *have;
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, WW_PATH_TEXT_BYTES_MAX);
	assert_int_equal(ww_path_json(&ask, &out), 0);
	have = json_loadb((const char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	if (!have)
		fail_msg("%s: no JSON: %.*s", name, (int)out.n, (const char *)out.p);
	assert_non_null(want);
	assert_true(json_equal(json_object_get(have, "record"), want));
	assert_int_equal(json_integer_value(json_object_get(have, "v")), WW_PATH_VERSION);
	assert_int_equal(json_integer_value(json_object_get(have, "index")), 41);
	assert_string_equal(json_string_value(json_object_get(have, "supersededBy")), "y-0-3");
	assert_int_equal(json_array_size(json_object_get(have, "replaced")), 1);
	json_decref(have);
	json_decref(want);
	assert_int_equal(ww_buf_add(&out, "\n", 1), 0);
	compare(name, ".out", &out);
}

static void texts(void **state)
{
	each_sample(golden_text);
}

static void widths(void **state)
{
	each_sample(narrow_and_wide);
}

static void objects(void **state)
{
	each_sample(object);
}

/* --- what is not there, and what is broken ------------------------------------------------------
 */

static void broken(const char *name, struct ww_slice record)
{
	for (size_t n = 0; n < record.n; n += record.n / 97 + 1) {
		struct ww_path_ask ask = ask_of(ww_slice_sub(record, 0, n));
		WW_AUTO_BUF struct ww_buf out = {0};

		ww_buf_init(&out, WW_PATH_TEXT_BYTES_MAX);
		assert_int_equal(ww_path_text(&ask, 80, false, &out), -EINVAL);
		assert_int_equal(ww_path_json(&ask, &out), -EINVAL);
		assert_int_equal(out.n, 0);
	}
}

static void cut_off(void **state)
{
	each_sample(broken);
}

/* One byte is another one: whatever comes of it is refused, or harmless. */
static void mutate(const char *name, struct ww_slice record)
{
	WW_AUTO_FREE uint8_t *copy = malloc(record.n);
	uint32_t seed = (uint32_t)record.n;

	assert_non_null(copy);
	for (unsigned i = 0; i < 300; i++) {
		static const char bytes[] = "\"{}[],:0-9tfn\\\0\x1b\xff";
		WW_AUTO_BUF struct ww_buf text = {0}, json = {0};
		struct ww_path_ask ask = ask_of(ww_slice(copy, record.n));
		struct ww_path_want want = {.trace = "0", .agent = "a", .path = "y-"};
		struct ww_wall from, to;
		int r;

		memcpy(copy, record.p, record.n);
		for (unsigned k = 0; k <= i % 3; k++) {
			seed = seed * 1103515245u + 12345u;
			copy[(seed >> 8) % record.n] = (uint8_t)bytes[seed % sizeof(bytes)];
		}
		ww_buf_init(&text, WW_PATH_TEXT_BYTES_MAX);
		ww_buf_init(&json, WW_PATH_TEXT_BYTES_MAX);
		r = ww_path_text(&ask, 80, false, &text);
		assert_true(r == 0 || r == -EINVAL);
		if (r == 0)
			check_lines(name, ww_buf_slice(&text), 80);
		r = ww_path_json(&ask, &json);
		assert_true(r == 0 || r == -EINVAL);
		(void)ww_path_match(&want, ask.record);
		(void)ww_path_times(ask.record, &from, &to);
	}
}

static void mutated(void **state)
{
	each_sample(mutate);
}

static void other_shapes(void **state)
{
	static const char *const records[] = {
		"{}",
		"{\"legs\":7,\"horizon\":{},\"findings\":\"x\",\"host\":[],\"coverage\":1}",
		"{\"legs\":[1,null,\"x\",[],[{}],{\"of\":18446744073709551615,\"seq\":1}]}",
		"{\"legs\":[{\"of\":1,\"place\":[],\"claims\":{},\"dns\":[[]]},{\"of\":-1}]}",
		"{\"legs\":[{\"place\":{\"labels\":[7,{\"region\":{}}],\"bounds\":{\"tcp\":[]}}}]}",
		"{\"legs\":[{\"seq\":1,\"seq\":2}],\"legs\":[]}",
		"{\"host\":{\"source\":\"s\",\"position\":[\"a\",{}]}}",
		"{\"findings\":[{\"finding\":{\"a\":[]}},[],null],\"attested\":[\"x\"]}",
		"{\"verdict\":null,\"reason\":7,\"coverage\":{\"known\":{}}}",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(records); i++) {
		struct ww_path_ask ask = ask_of(ww_slice_str(records[i]));
		WW_AUTO_BUF struct ww_buf out = {0};

		ww_buf_init(&out, WW_PATH_TEXT_BYTES_MAX);
		assert_int_equal(ww_path_text(&ask, 80, false, &out), 0);
		check_lines(records[i], ww_buf_slice(&out), 80);
	}
	for (size_t i = 0; i < 2; i++) {
		struct ww_path_ask ask = ask_of(ww_slice_str(i ? "[]" : "7"));
		WW_AUTO_BUF struct ww_buf out = {0};

		ww_buf_init(&out, 1024);
		assert_int_equal(ww_path_text(&ask, 80, false, &out), -EINVAL);
		assert_int_equal(ww_path_json(&ask, &out), -EINVAL);
	}
}

static void no_room(const char *name, struct ww_slice record)
{
	struct ww_path_ask ask = ask_of(record);
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, 100);
	assert_int_equal(ww_path_text(&ask, 80, false, &out), -EMSGSIZE);
	ww_buf_done(&out);
	assert_int_equal(ww_path_json(&ask, &out), -EMSGSIZE);
}

static void bounded(void **state)
{
	each_sample(no_room);
}

static void colour(void **state)
{
	struct ww_path_ask ask =
		ask_of(WW_SLICE_LIT("{\"id\":\"y-1-1\",\"verdict\":\"VIOLATION\",\"legs\":[]}"));
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, 1 << 16);
	assert_int_equal(ww_path_text(&ask, 80, true, &out), 0);
	assert_non_null(memmem(out.p, out.n, "\033[1;31mVIOLATION\033[0m: a peer", 25));
}

/* A revision that was replaced says so before its verdict. */
static void revisions(void **state)
{
	static const struct ww_path_revision before[] = {{7, WW_SLICE_LIT("y-1-1")},
							 {9, WW_SLICE_LIT("y-1-2")}};
	struct ww_path_ask ask = {
		.index = 12,
		.record = WW_SLICE_LIT("{\"id\":\"y-1-3\",\"verdict\":\"VIOLATION\"}"),
		.superseded_by = WW_SLICE_LIT("y-1-4"),
		.replaced = before,
		.replaced_count = 2};
	WW_AUTO_BUF struct ww_buf out = {0};
	static const char begin[] = "PATH y-1-3, ledger index 12\n"
				    "  SUPERSEDED: a later revision is y-1-4\n"
				    "  replaces y-1-1, ledger index 7\n"
				    "  replaces y-1-2, ledger index 9\n"
				    "\nVIOLATION: ";

	ww_buf_init(&out, 1 << 16);
	assert_int_equal(ww_path_text(&ask, 80, false, &out), 0);
	assert_true(ww_slice_starts(ww_buf_slice(&out), WW_SLICE_LIT(begin)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),     cmocka_unit_test(widths),
		cmocka_unit_test(objects),   cmocka_unit_test(cut_off),
		cmocka_unit_test(mutated),   cmocka_unit_test(other_shapes),
		cmocka_unit_test(bounded),   cmocka_unit_test(colour),
		cmocka_unit_test(revisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
