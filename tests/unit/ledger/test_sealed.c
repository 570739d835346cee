/* SPDX-License-Identifier: Apache-2.0 */
/* Keys held elsewhere: signer.h, sealed.h, endorsement.h and what keyfile.h makes of them. */
#include "held_key.h"

#include "ledger/endorsement.h"
#include "ledger/keyfile.h"

static void test_held_key_refused(void **state)
{
	static const char *const bad[] = {"",      "tpm2",     ":x",        "tpm2:",  "TPM:x",
					  "a/b:x", "tpm2:a b", "tpm2:\x7f", "tpm2:\n"};
	struct ww_errtext why = {""};
	char uri[PATH_LEN + 16], path[PATH_LEN];
	struct ww_signer *s = NULL;

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_signer_held(bad[i], &s, &why), -EINVAL);
	assert_int_equal(ww_signer_held("nosuchprovider:x", &s, &why), -ENOKEY);
	assert_int_equal(ww_signer_held("default:/nonexistent/key.pem", &s, &why), -ENOKEY);
	make_held(*state, "p384.pem", "P-384", uri);
	assert_int_equal(ww_signer_held(uri, &s, &why), -EINVAL);
	make_held(*state, "open.pem", "P-256", uri);
	assert_int_equal(chmod(at(*state, "open.pem", path), 0640), 0);
	assert_int_equal(ww_signer_held(uri, &s, &why), -EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 60), 0);
	assert_int_equal(ww_signer_held(uri, &s, &why), -ENOKEY);
	assert_null(s);
}

static void test_held_key_signs_notes(void **state)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer holder = {0};
	WW_AUTO_BUF struct ww_buf note = {0};
	char uri[PATH_LEN + 16], vkey[WW_NOTE_KEY_TEXT_MAX];
	struct ww_note_key key, log_key;
	struct ww_errtext why;
	struct ww_slice text;
	uint8_t raw[64];

	make_held(*state, "k.pem", "P-256", uri);
	assert_int_equal(ww_sealed_holder(uri, WW_SLICE_LIT(ORIGIN), &holder, &why), 0);
	assert_string_equal(holder.key.name, ORIGIN "/holder");
	ww_note_key_text(&holder.key, vkey);
	assert_int_equal(ww_note_key_parse_held(ww_slice_str(vkey), &key), 0);
	assert_true(ww_note_key_equal(&key, &holder.key));
	/* It is no key of a log, and a log's key is none of it. */
	assert_int_equal(ww_note_key_parse(ww_slice_str(vkey), &log_key), -EINVAL);
	assert_int_equal(ww_note_sign_raw(&holder, WW_SLICE_LIT("x"), raw), -EINVAL);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_note_sign(&holder, WW_SLICE_LIT("hello\n"), &note), 0);
	assert_int_equal(ww_note_open(ww_buf_slice(&note), &key, &text), 0);
	assert_true(ww_slice_eq_str(text, "hello\n"));
	note.p[1] ^= 1;
	assert_int_equal(ww_note_open(ww_buf_slice(&note), &key, &text), -EBADMSG);
	/* The id of this type is over the key alone; the name is what the reader was told. */
	for (size_t i = strlen(ORIGIN "/holder"), n = strlen(vkey); i < n; i++) {
		vkey[i] ^= 1;
		assert_int_equal(ww_note_key_parse_held(ww_slice_str(vkey), &key), -EINVAL);
		vkey[i] ^= 1;
	}
}

static void test_sealed_opens_only_whole(void **state)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer holder = {0};
	WW_AUTO(ww_note_signer_done) struct ww_note_signer log = {0};
	WW_AUTO(ww_note_signer_done) struct ww_note_signer again = {0};
	WW_AUTO_BUF struct ww_buf b = {0};
	char uri[PATH_LEN + 16], path[PATH_LEN];
	struct ww_errtext why;
	struct ww_slice text;

	make_held(*state, "k.pem", "P-256", uri);
	assert_int_equal(ww_sealed_holder(uri, WW_SLICE_LIT(ORIGIN), &holder, &why), 0);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &log), 0);
	ww_buf_init(&b, WW_SEALED_BYTES_MAX);
	assert_int_equal(ww_sealed_make(&log, &holder, uri, &b), 0);
	text = ww_buf_slice(&b);
	assert_true(ww_sealed_is(text));
	assert_null(memmem(b.p, b.n, log.seed, sizeof(log.seed)));
	assert_int_equal(ww_sealed_open(text, &again, &why), 0);
	assert_memory_equal(again.seed, log.seed, sizeof(log.seed));
	/* Not one bit is without a meaning. */
	for (size_t i = 0; i < b.n; i++) {
		struct ww_note_signer bad = {0};

		b.p[i] ^= 1;
		assert_int_not_equal(ww_sealed_open(text, &bad, &why), 0);
		b.p[i] ^= 1;
	}
	for (size_t n = 0; n < b.n; n += 7) {
		struct ww_sealed s;

		assert_int_equal(ww_sealed_parse(ww_slice_sub(text, 0, n), &s), -EINVAL);
	}
	/* Another key at the same place does not open it. */
	make_held(*state, "k.pem", "P-256", uri);
	assert_int_equal(ww_sealed_open(text, &again, &why), -ENOKEY);
	assert_int_equal(unlink(at(*state, "k.pem", path)), 0);
	assert_int_equal(ww_sealed_open(text, &again, &why), -ENOKEY);
}

static void test_endorsement(void **state)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer holder = {0};
	WW_AUTO(ww_note_signer_done) struct ww_note_signer other = {0};
	WW_AUTO(ww_note_signer_done) struct ww_note_signer log = {0};
	WW_AUTO_BUF struct ww_buf b = {0};
	char uri[PATH_LEN + 16];
	struct ww_endorsement e;
	struct ww_errtext why;

	make_held(*state, "a.pem", "P-256", uri);
	assert_int_equal(ww_sealed_holder(uri, WW_SLICE_LIT(ORIGIN), &holder, &why), 0);
	make_held(*state, "b.pem", "P-256", uri);
	assert_int_equal(ww_sealed_holder(uri, WW_SLICE_LIT(ORIGIN), &other, &why), 0);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &log), 0);
	ww_buf_init(&b, WW_NOTE_BYTES_MAX);
	assert_int_equal(
		ww_endorsement_sign(&log.key, "2026-11-27T00:00:00.000000000Z", &holder, &b), 0);
	assert_int_equal(ww_endorsement_open(ww_buf_slice(&b), &holder.key, &e), 0);
	assert_true(ww_note_key_equal(&e.key, &log.key));
	assert_int_equal(ww_endorsement_open(ww_buf_slice(&b), &other.key, &e), -ENOKEY);
	b.p[60] ^= 1;
	assert_int_not_equal(ww_endorsement_open(ww_buf_slice(&b), &holder.key, &e), 0);
	/* A note of another meaning by the same key is none. */
	ww_buf_clear(&b);
	assert_int_equal(ww_note_sign(&holder, WW_SLICE_LIT("a\nb\nc\n"), &b), 0);
	assert_int_equal(ww_endorsement_open(ww_buf_slice(&b), &holder.key, &e), -EINVAL);
}

static int open_with(const char *dir, const char *uri, struct ww_errtext *why)
{
	struct ww_tlog_options o = {.dir = dir, .origin = ORIGIN, .key = uri};
	struct ww_ledger *l = NULL;
	int r = ww_ledger_open(&o, &l, why);

	if (r == 0) {
		append(l, 3);
		commit(l);
	}
	ww_ledger_close(l);
	return r;
}

static void test_ledger_with_a_sealed_key(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN], uri[PATH_LEN + 16], other[PATH_LEN + 16];
	struct ww_errtext why = {""};
	WW_AUTO_BUF struct ww_buf b = {0};

	make_held(*state, "k.pem", "P-256", uri);
	make_held(*state, "other.pem", "P-256", other);
	assert_int_equal(open_with(at(*state, "log", dir), uri, &why), 0);
	slurp(at(*state, "log/key", path), &b);
	assert_true(ww_sealed_is(ww_buf_slice(&b)));
	/* The option makes a key; later it may be left out, and may not say something else. */
	assert_int_equal(open_with(dir, NULL, &why), 0);
	assert_int_equal(open_with(dir, uri, &why), 0);
	assert_int_equal(open_with(dir, other, &why), -EINVAL);
	check_ledger(dir, 9);
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(open_with(dir, NULL, &why), -EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, (off_t)b.n - 20), 0);
	assert_int_equal(open_with(dir, NULL, &why), -EINVAL);
	spill(path, ww_buf_slice(&b));
	assert_int_equal(unlink(at(*state, "k.pem", path)), 0);
	assert_int_equal(open_with(dir, NULL, &why), -ENOKEY);
	/* A log with a plain key does not take the option for what it is not. */
	make_ledger(at(*state, "plain", dir), 3, 3);
	assert_int_equal(open_with(dir, other, &why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_held_key_refused),
		SCRATCH_TEST(test_held_key_signs_notes),
		SCRATCH_TEST(test_sealed_opens_only_whole),
		SCRATCH_TEST(test_endorsement),
		SCRATCH_TEST(test_ledger_with_a_sealed_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
