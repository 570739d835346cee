/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/note.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "ledger/checkpoint.h"

#define DASH "\xe2\x80\x94 "

static struct ww_note_signer signer, other;
static const struct ww_slice TEXT = WW_SLICE_LIT("wirewitness.test/log\n3\n"
						 "R7t8m1s1r1aWxq6L1m0yq1m3n8vQ9b3F0a1c2d3e4f4=\n");

static int set_up(void **state)
{
	return ww_note_signer_new(WW_SLICE_LIT("wirewitness.test/log"), &signer) ||
	       ww_note_signer_new(WW_SLICE_LIT("witness"), &other);
}

static void make_note(struct ww_buf *out)
{
	ww_buf_init(out, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_note_sign(&signer, TEXT, out), 0);
}

static int open_note(struct ww_slice note)
{
	struct ww_slice text;

	return ww_note_open(note, &signer.key, &text);
}

static void add(struct ww_buf *b, const char *s)
{
	assert_int_equal(ww_buf_add(b, s, strlen(s)), 0);
}

/* No bit of a note can change without being noticed: the key has one signature on it and no slack.
 */
static void test_bit_flips(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};

	make_note(&b);
	for (size_t i = 0; i < b.n * 8; i++) {
		b.p[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(open_note(ww_buf_slice(&b)), 0);
		b.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(open_note(ww_buf_slice(&b)), 0);
}

static void test_truncated(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};

	make_note(&b);
	for (size_t n = 0; n < b.n; n++)
		assert_int_not_equal(open_note(ww_slice(b.p, n)), 0);
	add(&b, "x");
	assert_int_equal(open_note(ww_buf_slice(&b)), -EINVAL);
}

static void test_other_lines(void **state)
{
	char line[1024], b64[256];
	uint8_t raw[68] = {1, 2, 3, 4};
	WW_AUTO_BUF struct ww_buf b = {0};

	/* Unknown keys are ignored, among them one of the same name with another id. */
	make_note(&b);
	ww_base64_encode(ww_slice(raw, sizeof(raw)), b64);
	snprintf(line, sizeof(line), DASH "somebody %s\n" DASH "wirewitness.test/log %s\n", b64,
		 b64);
	add(&b, line);
	assert_int_equal(open_note(ww_buf_slice(&b)), 0);

	/* A known name and id with a wrong signature fails the note, whatever else is there. */
	for (size_t i = 0; i < 4; i++)
		raw[i] = (uint8_t)(signer.key.id >> (24 - 8 * i));
	ww_base64_encode(ww_slice(raw, sizeof(raw)), b64);
	snprintf(line, sizeof(line), DASH "wirewitness.test/log %s\n", b64);
	add(&b, line);
	assert_int_equal(open_note(ww_buf_slice(&b)), -EBADMSG);
}

static void test_only_others(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_slice text;

	make_note(&b);
	assert_int_equal(ww_note_open(ww_buf_slice(&b), &other.key, &text), -ENOKEY);
}

static void test_many_signatures(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};

	make_note(&b);
	for (int i = 0; i < 16; i++)
		add(&b, DASH "w AQIDBAU=\n");
	assert_int_equal(open_note(ww_buf_slice(&b)), 0);
	for (int i = 0; i < 64; i++)
		add(&b, DASH "w AQIDBAU=\n");
	assert_int_equal(open_note(ww_buf_slice(&b)), -EINVAL);
}

static void test_malformed_lines(void **state)
{
	static const char *const lines[] = {
		"- w AQIDBAU=\n",
		DASH "w AQIDBA==\n",
		DASH "w AQIDBAU\n",
		DASH "a+b AQIDBAU=\n",
		DASH " AQIDBAU=\n",
		DASH "w\n",
		DASH "w AQIDBAU= \n",
		"\n",
		DASH "w\xc2\xa0w AQIDBAU=\n",
		DASH "w AQIDBAU=\r\n",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(lines); i++) {
		WW_AUTO_BUF struct ww_buf b = {0};

		make_note(&b);
		add(&b, lines[i]);
		assert_int_equal(open_note(ww_buf_slice(&b)), -EINVAL);
	}
}

/* The last empty line splits; earlier ones belong to the text. */
static void test_empty_line_in_text(void **state)
{
	struct ww_slice want = WW_SLICE_LIT("a\n\nb\n"), text;
	WW_AUTO_BUF struct ww_buf b = {0};

	ww_buf_init(&b, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_note_sign(&signer, want, &b), 0);
	assert_int_equal(ww_note_open(ww_buf_slice(&b), &signer.key, &text), 0);
	assert_true(ww_slice_eq(text, want));
}

static void test_bad_text(void **state)
{
	static const struct ww_slice bad[] = {
		WW_SLICE_LIT(""),        WW_SLICE_LIT("no newline"), WW_SLICE_LIT("tab\there\n"),
		WW_SLICE_LIT("nul\0\n"), WW_SLICE_LIT("\xff\n"),     WW_SLICE_LIT("\xed\xa0\x80\n"),
		WW_SLICE_LIT("cr\r\n"),
	};
	WW_AUTO_BUF struct ww_buf b = {0};

	ww_buf_init(&b, WW_NOTE_BYTES_MAX);
	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_note_sign(&signer, bad[i], &b), -EINVAL);
	assert_int_equal(b.n, 0);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"",         "a b",           "a+b",          "a\nb",
					  "\xc2\x85", "a\xe2\x80\x83", "\xe3\x80\x80", "\xff"};
	struct ww_note_signer s;
	char big[WW_NOTE_NAME_MAX + 2];

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		assert_false(ww_note_name_ok(ww_slice_str(bad[i])));
		assert_int_equal(ww_note_signer_new(ww_slice_str(bad[i]), &s), -EINVAL);
	}
	memset(big, 'n', sizeof(big));
	assert_false(ww_note_name_ok(ww_slice(big, sizeof(big) - 1)));
	assert_true(ww_note_name_ok(ww_slice(big, sizeof(big) - 2)));
	assert_true(ww_note_name_ok(WW_SLICE_LIT("h\xc3\xb4te.example/log")));
}

static void test_keys(void **state)
{
	char text[WW_NOTE_KEY_TEXT_MAX], bad[WW_NOTE_KEY_TEXT_MAX];
	struct ww_note_signer again;
	struct ww_note_key key;
	size_t n;

	ww_note_key_text(&signer.key, text);
	assert_int_equal(ww_note_key_parse(ww_slice_str(text), &key), 0);
	assert_true(ww_note_key_equal(&key, &signer.key));
	assert_false(ww_note_key_equal(&key, &other.key));
	n = strlen(text);
	for (size_t i = 0; i < n * 8; i++) {
		memcpy(bad, text, n);
		bad[i / 8] ^= (char)(1 << i % 8);
		assert_int_equal(ww_note_key_parse(ww_slice(bad, n), &key), -EINVAL);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ww_note_key_parse(ww_slice(text, i), &key), -EINVAL);

	ww_note_signer_text(&signer, text);
	assert_int_equal(ww_note_signer_parse(ww_slice_str(text), &again), 0);
	assert_memory_equal(&again, &signer, sizeof(again));
	assert_int_equal(ww_note_signer_parse(ww_slice_str(text + 1), &again), -EINVAL);
	assert_int_equal(ww_note_key_parse(ww_slice_str(text), &key), -EINVAL);
}

/* RFC 8032 section 7.1, TEST 2. */
static void test_ed25519_vector(void **state)
{
	struct ww_note_signer s = {0};
	uint8_t want[64], sig[64], msg = 0x72;

	assert_int_equal(ww_hex_decode(WW_SLICE_LIT("4ccd089b28ff96da9db6c346ec114e0f"
						    "5b8a319f35aba624da8cf6ed4fb8a6fb"),
				       s.seed, 32),
			 0);
	assert_int_equal(ww_hex_decode(WW_SLICE_LIT("3d4017c3e843895a92b70aa74d1b7ebc"
						    "9c982ccf2ec4968cc0cd55f12af4660c"),
				       s.key.pub, 32),
			 0);
	assert_int_equal(ww_hex_decode(WW_SLICE_LIT("92a009a9f0d4cab8720e820b5f642540"
						    "a2b27b5416503f8fb3762223ebdb69da"
						    "085ac1e43e15996e458f3613d0f11d8c"
						    "387b2eaeb4302aeeb00d291612bb0c00"),
				       want, 64),
			 0);
	assert_int_equal(ww_note_sign_raw(&s, ww_slice(&msg, 1), sig), 0);
	assert_memory_equal(sig, want, 64);
	assert_int_equal(ww_note_verify_raw(&s.key, ww_slice(&msg, 1), ww_slice(sig, 64)), 0);
	assert_int_equal(ww_note_verify_raw(&s.key, ww_slice(&msg, 1), ww_slice(sig, 63)),
			 -EBADMSG);
	msg ^= 1;
	assert_int_equal(ww_note_verify_raw(&s.key, ww_slice(&msg, 1), ww_slice(sig, 64)),
			 -EBADMSG);
}

static void test_bad_checkpoints(void **state)
{
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	static const char *const bad[] = {
		"",
		"o\n",
		"o\n1\n",
		"o\n1\nAAAA\n",
		"\n1\n" ROOT,
		"o\n01\n" ROOT,
		"o\n00\n" ROOT,
		"o\n-1\n" ROOT,
		"o\n+1\n" ROOT,
		"o\n1 \n" ROOT,
		"o\n\n" ROOT,
		"o\n9223372036854775808\n" ROOT,
		"o\n18446744073709551616\n" ROOT,
		"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n", /* spare bits set */
		"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	};
	struct ww_checkpoint c;

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_checkpoint_parse(ww_slice_str(bad[i]), &c), -EINVAL);
	assert_int_equal(ww_checkpoint_parse(ww_slice_str("o\n9223372036854775807\n" ROOT), &c), 0);
	assert_true(c.size == INT64_MAX);
	assert_int_equal(ww_checkpoint_parse(ww_slice_str("o\n0\n" ROOT "more\n"), &c), 0);
}

static void test_checkpoint(void **state)
{
	struct ww_checkpoint c = {"wirewitness.test/log", 42, {{1, 2, 3}}}, again, forged;
	WW_AUTO_BUF struct ww_buf b = {0}, f = {0};

	ww_buf_init(&b, WW_NOTE_BYTES_MAX);
	ww_buf_init(&f, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_checkpoint_sign(&c, &signer, &b), 0);
	assert_int_equal(ww_checkpoint_open(ww_buf_slice(&b), &signer.key, &again), 0);
	assert_memory_equal(&again, &c, sizeof(c));
	assert_int_equal(ww_checkpoint_open(ww_buf_slice(&b), &other.key, &again), -ENOKEY);

	/* Signed by the right key, but for another log's name. */
	forged = c;
	forged.origin[0] = 'W';
	assert_int_equal(ww_checkpoint_sign(&forged, &signer, &f), 0);
	assert_int_equal(ww_checkpoint_open(ww_buf_slice(&f), &signer.key, &again), -EINVAL);

	forged = c;
	assert_false(ww_checkpoint_conflict(&c, &forged));
	forged.root.b[0] ^= 1;
	assert_true(ww_checkpoint_conflict(&c, &forged));
	forged.size++;
	assert_false(ww_checkpoint_conflict(&c, &forged));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_other_lines),
		cmocka_unit_test(test_only_others),
		cmocka_unit_test(test_many_signatures),
		cmocka_unit_test(test_malformed_lines),
		cmocka_unit_test(test_empty_line_in_text),
		cmocka_unit_test(test_bad_text),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_ed25519_vector),
		cmocka_unit_test(test_bad_checkpoints),
		cmocka_unit_test(test_checkpoint),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
