/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quoted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/own.h"

#define BYTES 400u

static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint32_t drawn(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* The same byte by byte: where the first thing stands that is neither plain ASCII nor one of the
 * two escapes, and how many escapes are before it. An escape that the slice cuts off is such a
 * thing. */
static size_t first_other(struct ww_slice in, size_t at, size_t *ret_escapes)
{
	*ret_escapes = 0;
	while (at < in.n && in.p[at] >= 0x20 && in.p[at] < 0x80 && in.p[at] != '"') {
		if (in.p[at] == '\\') {
			if (at + 1 == in.n || (in.p[at + 1] != '"' && in.p[at + 1] != '\\'))
				break;
			(*ret_escapes)++;
			at++;
		}
		at++;
	}
	return at;
}

static void check_skip(struct ww_slice in, size_t at)
{
	size_t escapes, before, end = first_other(in, at, &escapes), got;
	bool escaped = false;

	got = ww_quoted_skip(in, at, &escaped);
	assert_true(got >= at && got <= end);
	/* It stops early only near the end of the slice, and never inside an escape. */
	assert_true(got == end || in.n - got < 64);
	assert_int_equal(first_other(ww_slice(in.p, got), at, &before), got);
	assert_true(escaped == (before > 0));
}

/* Exactly sized, so that the sanitizer sees what is read or written beyond. */
static void check_copy(struct ww_slice in, size_t at, size_t room)
{
	WW_AUTO_FREE uint8_t *raw = malloc(in.n), *out = malloc(room ? room : 1);
	size_t from = at, done = 0, want = 0;

	assert_non_null(raw);
	assert_non_null(out);
	memcpy(raw, in.p, in.n);
	ww_quoted_copy(ww_slice(raw, in.n), &at, out, room, &done);
	assert_true(at >= from && at <= in.n && done <= room);
	for (size_t i = from; i < at; i++, want++) {
		if (in.p[i] == '\\') {
			i++;
			assert_true(i < at && (in.p[i] == '"' || in.p[i] == '\\'));
		}
		assert_true(want < done && out[want] == in.p[i]);
	}
	assert_int_equal(want, done);
}

static void check(const uint8_t *p, size_t n)
{
	struct ww_slice in = {p, n};

	for (size_t at = 0; at <= n; at += 1 + drawn(40)) {
		size_t escapes;

		/* Where an escape may be open, nobody asks. */
		if (first_other(ww_slice(p, at), 0, &escapes) != at)
			continue;
		check_skip(in, at);
		check_copy(in, at, n - at);
		check_copy(in, at, drawn((uint32_t)(n - at) + 1));
	}
}

/* Of few and of many escapes, of others now and then. */
static void drawn_texts(void **state)
{
	static const char *const alphabets[] = {
		"abc\\\"", "a\\", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\n\"", "\\\\\\\\\\\\\\\\\\\\\\n",
		"ab\x7f\x80\xff\x01 \\\"u"};
	WW_AUTO_FREE uint8_t *p = malloc(BYTES);

	assert_non_null(p);
	for (int run = 0; run < 20000; run++) {
		const char *from = alphabets[run % (int)WW_ARRAY_SIZE(alphabets)];
		size_t n = drawn(BYTES);

		for (size_t i = 0; i < n; i++)
			p[i] = (uint8_t)from[drawn((uint32_t)strlen(from))];
		/* Most quotes stand behind a backslash, as in a string. */
		for (size_t i = 1; i < n; i++)
			if (p[i] == '"' && drawn(50))
				p[i - 1] = '\\';
		check(p, n);
	}
}

/* Runs of backslashes of every length at every place, across the ends of blocks. */
static void runs(void **state)
{
	uint8_t p[200];

	for (size_t at = 0; at < 140; at++) {
		for (size_t n = 0; n < 60; n++) {
			static const uint8_t behind[] = {'"', 'n', 'a', 0x1f, 0x80};

			for (size_t k = 0; k < sizeof(behind); k++) {
				memset(p, 'x', sizeof(p));
				memset(p + at, '\\', n);
				p[at + n] = behind[k];
				check_skip(ww_slice(p, sizeof(p)), 0);
				check_copy(ww_slice(p, sizeof(p)), 0, sizeof(p));
			}
		}
	}
}

/* What is done by blocks on this machine is done at all. */
static void long_text(void **state)
{
	uint8_t p[256], out[256];
	size_t at = 0, done = 0;
	bool escaped = false;

	for (size_t i = 0; i < sizeof(p); i += 2)
		memcpy(p + i, i % 8 ? "ab" : "\\\"", 2);
	assert_true(ww_quoted_skip(ww_slice(p, sizeof(p)), 0, &escaped) <= sizeof(p));
	ww_quoted_copy(ww_slice(p, sizeof(p)), &at, out, sizeof(out), &done);
#ifdef __SSE2__
	assert_true(escaped && at > 128 && done < at);
	assert_memory_equal(out, "\"ababab\"ababab", 14);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drawn_texts),
		cmocka_unit_test(runs),
		cmocka_unit_test(long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
