/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/cosign.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>

#include "ledger/checkpoint.h"
#include "ledger/witness_set.h"

/*
 * Made by golang.org/x/mod (sumdb/note) and crypto/ed25519; the seeds are SHA-256 of "wirewitness
 * test vector: log" and "...: witness".
 */
#define VECTOR_TEXT                 \
	"wirewitness.test/vector\n" \
	"20852163\n"                \
	"SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n"
#define VECTOR_LOG                                                                     \
	"\xe2\x80\x94 wirewitness.test/vector WGrKeifKuk+Xf8we7zfZG55sxckQX0I+G+0anjw" \
	"AOkReid3Ssd5goHMaF5xQjN9hYaihKsgMyJlTvWWbznDqEm6lmQc=\n"
#define VECTOR_WITNESS                                                             \
	"\xe2\x80\x94 witness.test/w1 K2pVmwAAAABkGFDLjH1YMH95ZgCRUPFv5WNZVRV6b02" \
	"hSskse4gDUGl0K1Lauw5KTknCXIFPzezORUO5oUq5QCH27jhdqCMXxtyMDA==\n"
#define VECTOR_TIME 1679315147u
static const char LOG_VKEY[] =
	"wirewitness.test/vector+586aca7a+AUm+Pq6/Ew7E76cD1kSZwYqOQ6MUwZGtkhLd89THb0Bs";
static const char VKEY[] = "witness.test/w1+2b6a559b+BCscKz3qnj5uRLaQu5wKyjUh7nV8vgh027T827N5cIUY";
static const char SKEY[] =
	"PRIVATE+KEY+witness.test/w1+2b6a559b+BPYuayefLO1T4AgHsscwAdtRWKDwFBvrFpvR1da5K3/C";

static const struct ww_slice NOTE = WW_SLICE_LIT(VECTOR_TEXT "\n" VECTOR_LOG VECTOR_WITNESS);
static struct ww_note_signer signer;
static struct ww_note_key key;

static int set_up(void **state)
{
	return ww_cosign_signer_parse(ww_slice_str(SKEY), &signer) ||
	       ww_cosign_key_parse(ww_slice_str(VKEY), &key);
}

static int check(struct ww_slice note, const struct ww_note_key *by, uint64_t *ret_time)
{
	struct ww_slice text, lines;
	int r = ww_note_split(note, &text, &lines);

	return r < 0 ? r : ww_cosign_check(text, lines, by, ret_time, NULL);
}

static void test_vector(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_checkpoint c;
	struct ww_note_key log;
	uint64_t time;

	assert_true(ww_note_key_equal(&signer.key, &key));
	assert_int_equal(check(NOTE, &key, &time), 0);
	assert_int_equal(time, VECTOR_TIME);
	assert_int_equal(ww_note_key_parse(ww_slice_str(LOG_VKEY), &log), 0);
	assert_int_equal(ww_checkpoint_open(NOTE, &log, &c), 0);
	assert_int_equal(c.size, 20852163);
	/* Ed25519 is deterministic: ours are the same bytes. */
	ww_buf_init(&b, 4096);
	assert_int_equal(ww_cosign_line(&signer, WW_SLICE_LIT(VECTOR_TEXT), VECTOR_TIME, &b), 0);
	assert_true(ww_slice_eq(ww_buf_slice(&b), WW_SLICE_LIT(VECTOR_WITNESS)));
}

static void test_keys(void **state)
{
	char text[WW_NOTE_KEY_TEXT_MAX];
	struct ww_note_signer made, log;
	struct ww_note_key k;

	ww_note_key_text(&key, text);
	assert_string_equal(text, VKEY);
	ww_note_signer_text(&signer, text);
	assert_string_equal(text, SKEY);
	/* One kind is never taken for the other. */
	assert_int_equal(ww_note_key_parse(ww_slice_str(VKEY), &k), -EINVAL);
	assert_int_equal(ww_cosign_key_parse(ww_slice_str(LOG_VKEY), &k), -EINVAL);
	assert_int_equal(ww_note_signer_parse(ww_slice_str(SKEY), &made), -EINVAL);
	assert_int_equal(ww_cosign_signer_new(WW_SLICE_LIT("w"), &made), 0);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT("w"), &log), 0);
	ww_note_key_text(&made.key, text);
	assert_int_equal(ww_cosign_key_parse(ww_slice_str(text), &k), 0);
	assert_true(ww_note_key_equal(&made.key, &k));
	assert_int_equal(ww_cosign_signer_new(WW_SLICE_LIT("w w"), &made), -EINVAL);
}

static void test_kinds_do_not_mix(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_slice text;
	struct ww_note_key log;
	struct ww_note_signer log_signer;
	uint64_t time;

	ww_buf_init(&b, 4096);
	assert_int_equal(ww_note_key_parse(ww_slice_str(LOG_VKEY), &log), 0);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT("w"), &log_signer), 0);
	assert_int_equal(check(NOTE, &log, &time), -EINVAL);
	assert_int_equal(ww_note_open(NOTE, &key, &text), -EINVAL);
	assert_int_equal(ww_cosign_line(&log_signer, WW_SLICE_LIT(VECTOR_TEXT), 1, &b), -EINVAL);
	assert_int_equal(ww_note_sign(&signer, WW_SLICE_LIT(VECTOR_TEXT), &b), -EINVAL);
	assert_int_equal(b.n, 0);
}

/* Every bit of the text and of the witness's line counts. */
static void test_bit_flips(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	size_t line = NOTE.n - sizeof(VECTOR_WITNESS) + 1;
	uint64_t time = 7;

	ww_buf_init(&b, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_buf_add(&b, NOTE.p, NOTE.n), 0);
	for (size_t i = 0; i < b.n * 8; i++) {
		if (i / 8 > sizeof(VECTOR_TEXT) && i / 8 < line)
			continue; /* the log's own line is none of the witness's */
		b.p[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(check(ww_buf_slice(&b), &key, &time), 0);
		assert_int_equal(time, 7);
		b.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

/* A cosignature of one checkpoint says nothing about another. */
static void test_replayed(void **state)
{
	struct ww_slice later = WW_SLICE_LIT("wirewitness.test/vector\n"
					     "20852164\n"
					     "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n");
	struct ww_slice other = WW_SLICE_LIT("wirewitness.test/other\n"
					     "20852163\n"
					     "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n");
	uint64_t time;

	assert_int_equal(ww_cosign_check(later, WW_SLICE_LIT(VECTOR_WITNESS), &key, &time, NULL),
			 -EBADMSG);
	assert_int_equal(ww_cosign_check(other, WW_SLICE_LIT(VECTOR_WITNESS), &key, &time, NULL),
			 -EBADMSG);
}

static void test_lines(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_slice text = WW_SLICE_LIT(VECTOR_TEXT), line;
	struct ww_note_signer other;
	uint64_t time = 0;
	size_t at;

	ww_buf_init(&b, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_cosign_check(text, WW_SLICE_LIT(VECTOR_LOG), &key, &time, NULL),
			 -ENOKEY);
	assert_int_equal(ww_cosign_check(text, WW_SLICE_NULL, &key, &time, NULL), -ENOKEY);
	/* Lines of others, and several of ours: the latest counts. */
	assert_int_equal(ww_cosign_signer_new(WW_SLICE_LIT("witness.test/w1"), &other), 0);
	assert_int_equal(ww_cosign_line(&other, text, 99, &b), 0);
	assert_int_equal(ww_cosign_line(&signer, text, 11, &b), 0);
	at = b.n;
	assert_int_equal(ww_cosign_line(&signer, text, 12, &b), 0);
	assert_int_equal(ww_cosign_line(&signer, text, 5, &b), 0);
	assert_int_equal(ww_cosign_check(text, ww_buf_slice(&b), &key, &time, &line), 0);
	assert_int_equal(time, 12);
	assert_ptr_equal(line.p, b.p + at);
	assert_int_equal(line.p[line.n - 1], '\n');
	/* One bad line under the name fails all, wherever it is. */
	assert_int_equal(ww_cosign_line(&signer, WW_SLICE_LIT("x\n"), 13, &b), 0);
	assert_int_equal(ww_cosign_check(text, ww_buf_slice(&b), &key, &time, NULL), -EBADMSG);
	/* Not cut, not garbage. */
	assert_int_equal(ww_cosign_check(text, ww_slice(b.p, at - 1), &key, &time, NULL), -EINVAL);
	assert_int_equal(ww_cosign_check(text, WW_SLICE_LIT("<html>\n"), &key, &time, NULL),
			 -EINVAL);
	ww_buf_clear(&b);
	for (int i = 0; i < 65; i++)
		assert_int_equal(ww_cosign_line(&other, text, 1, &b), 0);
	assert_int_equal(ww_cosign_check(text, ww_buf_slice(&b), &key, &time, NULL), -EINVAL);
}

static void test_times(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_slice text = WW_SLICE_LIT(VECTOR_TEXT);
	uint8_t sig[72] = {0x80};
	uint64_t time;

	ww_buf_init(&b, 4096);
	assert_int_equal(ww_cosign_line(&signer, text, 0, &b), 0);
	assert_int_equal(ww_cosign_line(&signer, text, WW_COSIGN_TIME_MAX, &b), 0);
	assert_int_equal(ww_cosign_check(text, ww_buf_slice(&b), &key, &time, NULL), 0);
	assert_true(time == WW_COSIGN_TIME_MAX);
	assert_int_equal(ww_cosign_line(&signer, text, (uint64_t)INT64_MAX + 1, &b), -EINVAL);
	/* Too long, too short, and a time over 2^63 - 1. */
	for (size_t n = 1; n <= sizeof(sig); n++) {
		ww_buf_clear(&b);
		assert_int_equal(ww_note_line_add(&key, ww_slice(sig, n), &b), 0);
		assert_int_equal(ww_cosign_check(text, ww_buf_slice(&b), &key, &time, NULL),
				 -EBADMSG);
	}
}

/* --- the file of witnesses -------------------------------------------------------------------- */

static int parse(const char *text, struct ww_witness_set *set, struct ww_errtext *why)
{
	return ww_witness_set_parse(ww_slice_str(text), set, why);
}

static void test_set(void **state)
{
	struct ww_witness_set set;
	struct ww_errtext why = {""};
	struct ww_note_signer two, three;
	char a[WW_NOTE_KEY_TEXT_MAX], c[WW_NOTE_KEY_TEXT_MAX], file[4096];
	uint64_t times[3];
	size_t count;
	WW_AUTO_BUF struct ww_buf b = {0};

	assert_int_equal(ww_cosign_signer_new(WW_SLICE_LIT("two"), &two), 0);
	assert_int_equal(ww_cosign_signer_new(WW_SLICE_LIT("three"), &three), 0);
	ww_note_key_text(&two.key, a);
	ww_note_key_text(&three.key, c);
	snprintf(file, sizeof(file),
		 "# ours\n%s https://w1.test/x/\n\n  %s\thttp://127.0.0.1:1\n%s\nquorum 2\n", VKEY,
		 a, c);
	assert_int_equal(parse(file, &set, &why), -EINVAL); /* a tab */
	*strchr(file, '\t') = ' ';
	assert_int_equal(parse(file, &set, &why), 0);
	assert_int_equal(set.n, 3);
	assert_int_equal(set.quorum, 2);
	assert_string_equal(set.peer[0].url, "https://w1.test/x");
	assert_string_equal(set.peer[2].url, "");
	assert_int_equal(ww_witness_set_count(&set, NOTE, &count, times), 0);
	assert_int_equal(count, 1);
	assert_int_equal(times[0], VECTOR_TIME);
	assert_int_equal(times[1], 0);
	ww_buf_init(&b, 65536);
	assert_int_equal(ww_buf_add(&b, NOTE.p, NOTE.n), 0);
	assert_int_equal(ww_cosign_line(&three, WW_SLICE_LIT(VECTOR_TEXT), 3, &b), 0);
	assert_int_equal(ww_witness_set_count(&set, ww_buf_slice(&b), &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(ww_cosign_line(&two, WW_SLICE_LIT("other\n"), 3, &b), 0);
	assert_int_equal(ww_witness_set_count(&set, ww_buf_slice(&b), &count, NULL), -EBADMSG);
}

static void test_bad_sets(void **state)
{
	static const char *const bad[] = {
		"",
		"# nobody\n",
		"quorum 1\n",
		"KEY quorum",
		"KEY\nKEY\n",
		"KEY\nquorum 0\n",
		"KEY\nquorum 2\n",
		"KEY\nquorum 1\nquorum 1\n",
		"KEY\nquorum x\n",
		"KEY ftp://w\n",
		"KEY http://w w\n",
		"KEY http://\xc3\xa4\n",
		"wirewitness.test/vector+586aca7a+AUm+Pq6/Ew7E76cD1kSZwYqOQ6MUwZGtkhLd89THb0Bs "
		"http://w\n",
	};
	struct ww_witness_set set = {.n = 77};
	char file[4096];

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		struct ww_errtext why = {""};
		size_t n = 0;

		for (const char *s = bad[i]; *s; s++) {
			if (strncmp(s, "KEY", 3) == 0) {
				n += (size_t)snprintf(file + n, sizeof(file) - n, "%s", VKEY);
				s += 2;
			} else {
				file[n++] = *s;
			}
		}
		file[n] = '\0';
		if (parse(file, &set, &why) != -EINVAL)
			fail_msg("accepted: %s", file);
		assert_true(why.text[0] != '\0');
		assert_int_equal(set.n, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_kinds_do_not_mix),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_replayed),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_bad_sets),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
