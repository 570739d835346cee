/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/proof_file.h"

#include "base/encode.h"
#include "ledger/proof_build.h"
#include "ledger/rotate.h"
#include "ledger_test.h"

#define COUNT 300u

static struct ww_note_key key;

/* A ledger of COUNT records, a proof of `index` in it. */
static void build(const struct scratch *s, uint64_t index, struct ww_buf *out, char *dir)
{
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};
	uint64_t size;

	if (access(at(s, "log", dir), F_OK) < 0)
		make_ledger(dir, COUNT, 77);
	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	key = *ww_ledger_reader_key(r);
	ww_buf_init(out, WW_PROOF_FILE_BYTES_MAX);
	if (ww_proof_build(dir, r, index, out, &size, &why) < 0)
		fail_msg("%s", why.text);
	ww_ledger_reader_close(r);
}

static bool verified(struct ww_slice file, const struct ww_note_key *by,
		     const struct ww_witness_set *set)
{
	WW_AUTO(ww_proof_result_done) struct ww_proof_result res = {0};

	assert_int_equal(ww_proof_file_verify(file, by, NULL, set, &res), 0);
	return res.verified;
}

static void test_every_record(void **state)
{
	char dir[PATH_LEN], text[64];

	for (uint64_t i = 0; i < COUNT; i += 1 + i % 7) {
		WW_AUTO(ww_proof_result_done) struct ww_proof_result res = {0};
		WW_AUTO_BUF struct ww_buf file = {0};
		size_t n = record_text(i, text);

		build(*state, i, &file, dir);
		assert_true(ww_proof_file_is(ww_buf_slice(&file)));
		assert_int_equal(ww_proof_file_verify(ww_buf_slice(&file), &key, NULL, NULL, &res),
				 0);
		assert_true(res.verified);
		assert_int_equal(res.head.size, COUNT);
		assert_int_equal(res.file.index, i);
		assert_true(ww_slice_eq(res.record, ww_slice(text, n)));
	}
}

static void test_erased(void **state)
{
	WW_AUTO(ww_proof_result_done) struct ww_proof_result res = {0};
	WW_AUTO_BUF struct ww_buf file = {0}, before = {0};
	char dir[PATH_LEN];
	struct ww_ledger *l;

	build(*state, 5, &before, dir);
	l = must_open(dir);
	assert_int_equal(ww_ledger_erase(l, 5), 0);
	ww_ledger_close(l);
	build(*state, 5, &file, dir);
	assert_int_equal(ww_proof_file_verify(ww_buf_slice(&file), &key, NULL, NULL, &res), 0);
	assert_true(res.verified && res.withheld);
	assert_true(file.n < before.n);
	/* What was given away before still proves the same. */
	assert_true(verified(ww_buf_slice(&before), &key, NULL));
}

/* No bit of a file can change: what follows the extra is signed or proved, the extra gives the
 * leaf. */
static void test_bit_flips(void **state)
{
	WW_AUTO_BUF struct ww_buf file = {0};
	char dir[PATH_LEN];

	build(*state, 123, &file, dir);
	assert_true(verified(ww_buf_slice(&file), &key, NULL));
	for (size_t i = 0; i < file.n * 8; i++) {
		file.p[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(verified(ww_buf_slice(&file), &key, NULL));
		file.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < file.n; n++)
		assert_false(verified(ww_slice(file.p, n), &key, NULL));
}

static void test_keys(void **state)
{
	WW_AUTO(ww_proof_result_done) struct ww_proof_result res = {0};
	WW_AUTO_BUF struct ww_buf file = {0};
	struct ww_note_signer other;
	char dir[PATH_LEN];

	build(*state, 9, &file, dir);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &other), 0);
	assert_int_equal(ww_proof_file_verify(ww_buf_slice(&file), &other.key, NULL, NULL, &res),
			 0);
	assert_false(res.verified);
	assert_int_equal(res.checks[WW_PROOF_CHECK_KEY].state, WW_PROOF_FAILED);
	assert_int_equal(res.checks[WW_PROOF_CHECK_INCLUSION].state, WW_PROOF_SKIPPED);
	assert_false(verified(ww_buf_slice(&file), NULL, NULL));
}

/* Another log's record under this log's checkpoint, and the other way round. */
static void test_spliced(void **state)
{
	WW_AUTO_BUF struct ww_buf a = {0}, b = {0}, spliced = {0};
	struct ww_proof_file fa, fb;
	struct ww_errtext why;
	char dir[PATH_LEN];
	uint8_t extra[4096];
	size_t n;

	build(*state, 9, &a, dir);
	build(*state, 10, &b, dir);
	assert_int_equal(ww_proof_file_parse(ww_buf_slice(&a), &fa, &why), 0);
	assert_int_equal(ww_proof_file_parse(ww_buf_slice(&b), &fb, &why), 0);
	ww_buf_init(&spliced, WW_PROOF_FILE_BYTES_MAX);
	assert_int_equal(ww_base64_decode(fa.extra, false, extra, sizeof(extra), &n), 0);
	assert_int_equal(ww_proof_file_write(9, &fa.proof, ww_slice(extra, n), fa.note, &spliced),
			 0);
	assert_true(ww_slice_eq(ww_buf_slice(&spliced), ww_buf_slice(&a)));
	ww_buf_clear(&spliced);
	assert_int_equal(ww_proof_file_write(9, &fb.proof, ww_slice(extra, n), fa.note, &spliced),
			 0);
	assert_false(verified(ww_buf_slice(&spliced), &key, NULL));
	ww_buf_clear(&spliced);
	assert_int_equal(ww_proof_file_write(10, &fb.proof, ww_slice(extra, n), fa.note, &spliced),
			 0);
	assert_false(verified(ww_buf_slice(&spliced), &key, NULL));
	ww_buf_clear(&spliced);
	assert_int_equal(ww_proof_file_write(9, &fa.proof, WW_SLICE_NULL, fa.note, &spliced), 0);
	assert_false(verified(ww_buf_slice(&spliced), &key, NULL));
}

static void test_cosigned(void **state)
{
	WW_AUTO_BUF struct ww_buf file = {0}, note = {0}, lines = {0};
	struct ww_note_signer w[2];
	struct ww_witness_set set = {.n = 2, .quorum = 2};
	struct ww_slice text, own;
	struct ww_proof_file f;
	struct ww_errtext why;
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_ledger *l;

	build(*state, 33, &file, dir);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ww_cosign_signer_new(ww_slice_str(i ? "w1" : "w0"), &w[i]), 0);
		set.peer[i].key = w[i].key;
	}
	assert_false(verified(ww_buf_slice(&file), &key, &set));
	/* checkpoint.cosigned is taken where it covers the record, also when the log has grown. */
	slurp(at(*state, "log/checkpoint", path), &note);
	assert_int_equal(ww_note_split(ww_buf_slice(&note), &text, &own), 0);
	ww_buf_init(&lines, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_buf_add(&lines, note.p, note.n), 0);
	assert_int_equal(ww_cosign_line(&w[0], text, 5, &lines), 0);
	assert_int_equal(ww_cosign_line(&w[1], text, 6, &lines), 0);
	spill(at(*state, "log/checkpoint.cosigned", path), ww_buf_slice(&lines));
	l = must_open(dir);
	append(l, 50);
	commit(l);
	ww_ledger_close(l);
	ww_buf_done(&file);
	build(*state, 33, &file, dir);
	assert_int_equal(ww_proof_file_parse(ww_buf_slice(&file), &f, &why), 0);
	assert_true(ww_slice_eq(f.note, ww_buf_slice(&lines)));
	assert_true(verified(ww_buf_slice(&file), &key, &set));
	assert_true(verified(ww_buf_slice(&file), &key, NULL));
	/* A later record is not in it: proved in the plain head, which satisfies no quorum. */
	ww_buf_done(&file);
	build(*state, COUNT + 10, &file, dir);
	assert_true(verified(ww_buf_slice(&file), &key, NULL));
	assert_false(verified(ww_buf_slice(&file), &key, &set));
	/* One of two is not enough, one of one is. */
	ww_buf_clear(&lines);
	assert_int_equal(ww_buf_add(&lines, note.p, note.n), 0);
	assert_int_equal(ww_cosign_line(&w[1], text, 6, &lines), 0);
	spill(at(*state, "log/checkpoint.cosigned", path), ww_buf_slice(&lines));
	ww_buf_done(&file);
	build(*state, 33, &file, dir);
	assert_false(verified(ww_buf_slice(&file), &key, &set));
	set.quorum = 1;
	assert_true(verified(ww_buf_slice(&file), &key, &set));
}

/* What the old key signed stays provable under the new one, with the history between them. */
static void test_after_rotation(void **state)
{
	WW_AUTO(ww_proof_result_done) struct ww_proof_result res = {0};
	WW_AUTO_BUF struct ww_buf file = {0}, note = {0}, history = {0};
	WW_AUTO_FREE struct ww_keychain *chain = calloc(1, sizeof(*chain));
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_note_key old;
	struct ww_rotation rot;
	struct ww_errtext why = {""};

	assert_non_null(chain);
	build(*state, 33, &file, dir);
	old = key;
	slurp(at(*state, "log/checkpoint", path), &note);
	spill(at(*state, "log/checkpoint.cosigned", path), ww_buf_slice(&note));
	assert_int_equal(ww_rotate(&(struct ww_tlog_options){.dir = dir},
				   "2026-11-27T10:00:00.000000000Z", &rot, &why),
			 0);
	ww_buf_done(&file);
	build(*state, 33, &file, dir);
	assert_false(ww_note_key_equal(&old, &key));
	assert_true(verified(ww_buf_slice(&file), &old, NULL));
	assert_false(verified(ww_buf_slice(&file), &key, NULL));
	slurp(at(*state, "log/keys/history", path), &history);
	assert_int_equal(ww_keychain_read(ww_buf_slice(&history), &key, chain, &why), 0);
	assert_int_equal(ww_proof_file_verify(ww_buf_slice(&file), &key, chain, NULL, &res), 0);
	assert_true(res.verified);
	assert_int_equal(res.head.size, COUNT);
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"c2sp.org/tlog-proof@v2\nindex 0\n\nx\n",
		"c2sp.org/tlog-proof@v1",
		"c2sp.org/tlog-proof@v1\n",
		"c2sp.org/tlog-proof@v1\nindex 00\n\nx\n",
		"c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nx\n",
		"c2sp.org/tlog-proof@v1\nextra AAAA\n",
		"c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex -1\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 9223372036854775807\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 0\n",
		"c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\nx\r\n",
	};
	struct ww_proof_file f = {.index = 4711};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		struct ww_errtext why = {""};

		assert_int_equal(ww_proof_file_parse(ww_slice_str(bad[i]), &f, &why), -EINVAL);
		assert_true(why.text[0] != '\0');
		assert_int_equal(f.index, 4711);
		assert_false(verified(ww_slice_str(bad[i]), &key, NULL));
	}
	assert_true(
		ww_proof_file_is(ww_slice_str(bad[1]))); /* to be told that it is another version */
	assert_false(ww_proof_file_is(WW_SLICE_LIT("{\"payload\"")));
}

static void test_damaged_ledger(void **state)
{
	WW_AUTO_BUF struct ww_buf file = {0}, again = {0};
	struct ww_ledger_reader *r = NULL;
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_errtext why = {""};
	uint64_t size;

	build(*state, 200, &file, dir);
	flip(at(*state, "log/tile/0/000", path), 8 * 32 * 3);
	ww_buf_init(&again, WW_PROOF_FILE_BYTES_MAX);
	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	assert_int_equal(ww_proof_build(dir, r, 200, &again, &size, &why), -EUCLEAN);
	assert_int_equal(again.n, 0);
	assert_int_equal(ww_proof_build(dir, r, COUNT, &again, &size, &why), -ERANGE);
	ww_ledger_reader_close(r);
}

static void test_telling(void **state)
{
	WW_AUTO(ww_proof_result_done) struct ww_proof_result res = {0};
	WW_AUTO_BUF struct ww_buf file = {0}, out = {0};
	char dir[PATH_LEN];

	build(*state, 1, &file, dir);
	ww_buf_init(&out, 1u << 20);
	assert_int_equal(ww_proof_file_verify(ww_buf_slice(&file), &key, NULL, NULL, &res), 0);
	assert_int_equal(ww_proof_result_text(&res, "a\033[2J\nb", &out), 0);
	assert_null(memchr(out.p, '\033', out.n));
	assert_non_null(memmem(out.p, out.n, ": VERIFIED\n", 11));
	ww_buf_clear(&out);
	assert_int_equal(ww_proof_result_json(&res, "f", &out), 0);
	assert_non_null(memmem(out.p, out.n, "\"verified\":true", 15));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_every_record),   SCRATCH_TEST(test_erased),
		SCRATCH_TEST(test_bit_flips),      SCRATCH_TEST(test_keys),
		SCRATCH_TEST(test_spliced),        SCRATCH_TEST(test_cosigned),
		SCRATCH_TEST(test_malformed),      SCRATCH_TEST(test_after_rotation),
		SCRATCH_TEST(test_damaged_ledger), SCRATCH_TEST(test_telling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
