/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key rotation: what a verifier accepts and refuses (rotation.h, keychain.h), and that a rotation
 * that is killed, torn or loses power at any step ends with the old or the new key (rotate.h).
 */
#include "disk_faults.h"
#include "held_key.h"

#include "base/json_write.h"
#include "ledger/keychain.h"
#include "ledger/rotate.h"

#define TIME      "2026-11-27T10:00:00.000000000Z"
#define STEPS_MAX 400u

static int rotate(const char *dir, const char *uri, struct ww_rotation *ret, struct ww_errtext *why)
{
	struct ww_tlog_options o = {.dir = dir, .key = uri};

	return ww_rotate(&o, TIME, ret, why);
}

static void must_rotate(const char *dir, struct ww_rotation *ret)
{
	struct ww_errtext why = {""};

	if (rotate(dir, NULL, ret, &why) < 0)
		fail_msg("%s", why.text);
}

static void vkey_of(const char *dir, struct ww_note_key *ret)
{
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ww_errtext why;

	assert_int_equal(ww_keyfile_vkey(fd, ret, &why), 0);
}

/* The history file; empty when there is none. */
static void history_of(const char *dir, struct ww_buf *out)
{
	char path[2 * PATH_LEN];

	snprintf(path, sizeof(path), "%s/keys/history", dir);
	ww_buf_init(out, WW_KEYCHAIN_BYTES_MAX);
	if (access(path, F_OK) == 0)
		assert_int_equal(ww_durable_read(AT_FDCWD, path, out), 0);
}

static int chain_of(const char *dir, const struct ww_note_key *anchor, struct ww_keychain *chain)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_errtext why;

	history_of(dir, &b);
	return ww_keychain_read(ww_buf_slice(&b), anchor, chain, &why);
}

static struct ww_keychain chain;

/* --- what is accepted ----------------------------------------------------------------------------
 */

static void test_old_key_leads_to_new(void **state)
{
	WW_AUTO_BUF struct ww_buf note = {0};
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_note_key keys[3];
	const struct ww_keychain_key *by;
	struct ww_rotation rot;
	struct ww_checkpoint c;
	struct ww_errtext why;
	struct ww_ledger *l;

	make_ledger(at(*state, "log", dir), 300, 100);
	vkey_of(dir, &keys[0]);
	must_rotate(dir, &rot);
	assert_true(rot.index == 300 && ww_note_key_equal(&rot.old_key, &keys[0]));
	vkey_of(dir, &keys[1]);
	assert_true(ww_note_key_equal(&rot.new_key, &keys[1]));
	assert_string_equal(keys[0].name, keys[1].name);
	/* The hand-over is signed by both. */
	slurp(at(*state, "log/checkpoint", path), &note);
	assert_int_equal(ww_checkpoint_open(ww_buf_slice(&note), &keys[0], &c), 0);
	assert_int_equal(ww_checkpoint_open(ww_buf_slice(&note), &keys[1], &c), 0);
	assert_true(c.size == 301);
	ww_buf_done(&note);
	/* What follows by the new one only; the log goes on. */
	l = must_open(dir);
	append(l, 100);
	commit(l);
	ww_ledger_close(l);
	slurp(path, &note);
	assert_int_equal(ww_checkpoint_open(ww_buf_slice(&note), &keys[0], &c), -ENOKEY);
	must_rotate(dir, &rot);
	vkey_of(dir, &keys[2]);
	check_ledger(dir, 402);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(chain_of(dir, &keys[i], &chain), 0);
		assert_true(chain.n == 3);
		for (size_t k = 0; k < 3; k++)
			assert_true(ww_note_key_equal(&chain.keys[k].key, &keys[k]));
	}
	assert_true(chain.keys[0].first == 0 && chain.keys[0].last == 301);
	assert_true(chain.keys[1].first == 301 && chain.keys[1].last == 402);
	assert_int_equal(ww_keychain_open(&chain, ww_buf_slice(&note), &c, &by, &why), 0);
	assert_true(by == &chain.keys[1] && c.size == 401);
}

static void test_stolen_old_key(void **state)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer stolen = {0};
	WW_AUTO_BUF struct ww_buf key = {0}, note = {0};
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_checkpoint c = {.origin = ORIGIN}, got;
	struct ww_errtext why;
	struct ww_rotation rot;

	make_ledger(at(*state, "log", dir), 20, 20);
	slurp(at(*state, "log/key", path), &key);
	assert_int_equal(
		ww_note_signer_parse(ww_slice_sub(ww_buf_slice(&key), 0, key.n - 1), &stolen), 0);
	must_rotate(dir, &rot);
	assert_int_equal(chain_of(dir, &rot.old_key, &chain), 0);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	/* Up to the hand-over it still speaks: that is what a thief can do. */
	c.size = 21;
	assert_int_equal(ww_checkpoint_sign(&c, &stolen, &note), 0);
	assert_int_equal(ww_keychain_open(&chain, ww_buf_slice(&note), &got, NULL, &why), 0);
	/* Beyond it does not. */
	c.size = 22;
	ww_buf_clear(&note);
	assert_int_equal(ww_checkpoint_sign(&c, &stolen, &note), 0);
	assert_int_equal(ww_keychain_open(&chain, ww_buf_slice(&note), &got, NULL, &why),
			 -EKEYEXPIRED);
	/* And it is gone from the disk. */
	ww_buf_done(&note);
	slurp(path, &note);
	assert_null(memmem(note.p, note.n, key.p, key.n));
}

static void test_new_key_does_not_reach_back(void **state)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer now = {0};
	WW_AUTO_BUF struct ww_buf key = {0}, note = {0};
	struct ww_checkpoint c = {.origin = ORIGIN, .size = 5}, got;
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_errtext why;
	struct ww_rotation rot;

	make_ledger(at(*state, "log", dir), 20, 20);
	must_rotate(dir, &rot);
	slurp(at(*state, "log/key", path), &key);
	assert_int_equal(ww_note_signer_parse(ww_slice_sub(ww_buf_slice(&key), 0, key.n - 1), &now),
			 0);
	assert_int_equal(chain_of(dir, &rot.new_key, &chain), 0);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_checkpoint_sign(&c, &now, &note), 0);
	assert_int_equal(ww_keychain_open(&chain, ww_buf_slice(&note), &got, NULL, &why),
			 -EKEYEXPIRED);
}

/* --- what is refused -----------------------------------------------------------------------------
 */

static void test_one_side_is_not_enough(void **state)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer a = {0};
	WW_AUTO(ww_note_signer_done) struct ww_note_signer b = {0};
	WW_AUTO(ww_note_signer_done) struct ww_note_signer stranger = {0};
	WW_AUTO_BUF struct ww_buf note = {0}, one = {0};
	struct ww_rotation rot;
	struct ww_slice text;

	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &a), 0);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &b), 0);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT("stranger"), &stranger), 0);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&one, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_rotation_sign(7, TIME, &a, &b, &note), 0);
	assert_int_equal(ww_rotation_open(ww_buf_slice(&note), &rot), 0);
	assert_int_equal(ww_note_open(ww_buf_slice(&note), &a.key, &text), 0);
	assert_int_equal(ww_note_sign(&a, text, &one), 0);
	assert_int_equal(ww_rotation_open(ww_buf_slice(&one), &rot), -ENOKEY);
	ww_buf_clear(&one);
	assert_int_equal(ww_note_sign(&b, text, &one), 0);
	assert_int_equal(ww_rotation_open(ww_buf_slice(&one), &rot), -ENOKEY);
	/* Every bit counts, those of the two signatures too. */
	for (size_t i = 0; i < note.n; i++) {
		note.p[i] ^= 1;
		assert_int_not_equal(ww_rotation_open(ww_buf_slice(&note), &rot), 0);
		note.p[i] ^= 1;
	}
	for (size_t n = 0; n < note.n; n++)
		assert_int_not_equal(ww_rotation_open(ww_slice(note.p, n), &rot), 0);
	/* To another name, or to itself, is no rotation. */
	ww_buf_clear(&one);
	assert_int_equal(ww_rotation_sign(7, TIME, &a, &stranger, &one), -EINVAL);
	assert_int_equal(ww_rotation_sign(7, TIME, &a, &a, &one), -EINVAL);
}

/* A rotation's text with one line too many, signed by both. */
static void test_more_text_is_refused(void **state)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer a = {0};
	WW_AUTO(ww_note_signer_done) struct ww_note_signer b = {0};
	WW_AUTO_BUF struct ww_buf note = {0}, more = {0}, text = {0};
	struct ww_rotation rot;
	struct ww_slice signed_text;

	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &a), 0);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &b), 0);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&more, WW_NOTE_BYTES_MAX);
	ww_buf_init(&text, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_rotation_sign(7, TIME, &a, &b, &note), 0);
	assert_int_equal(ww_note_open(ww_buf_slice(&note), &a.key, &signed_text), 0);
	assert_int_equal(ww_buf_add(&text, signed_text.p, signed_text.n), 0);
	assert_int_equal(ww_buf_add(&text, "unless I say so\n", 16), 0);
	assert_int_equal(ww_note_sign(&a, ww_buf_slice(&text), &more), 0);
	assert_int_equal(ww_note_cosign(&b, ww_buf_slice(&text), &more), 0);
	assert_int_equal(ww_rotation_open(ww_buf_slice(&more), &rot), -EINVAL);
}

/* A rotation of this log stands in its ledger at another place than it was made for. */
static void test_replayed_rotation(void **state)
{
	WW_AUTO_BUF struct ww_buf history = {0}, again = {0};
	char dir[PATH_LEN];
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};
	struct ww_rotation rot;
	struct ww_payload p;
	struct ww_ledger *l;

	make_ledger(at(*state, "log", dir), 5, 5);
	must_rotate(dir, &rot);
	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	assert_int_equal(ww_ledger_reader_get(r, 5, &p), 0);
	ww_buf_init(&again, WW_KEYCHAIN_LINE_MAX);
	assert_int_equal(ww_buf_add(&again, p.json.p, p.json.n), 0);
	ww_ledger_reader_close(r);
	l = must_open(dir);
	assert_int_equal(ww_ledger_append(l, WW_ROTATION_KIND, ww_buf_slice(&again), NULL), 0);
	commit(l);
	ww_ledger_close(l);
	/* The line that a forger would write for it, with a true proof and a true salt. */
	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	assert_int_equal(ww_ledger_reader_get(r, 6, &p), 0);
	history_of(dir, &history);
	{
		WW_AUTO_BUF struct ww_buf line = {0};
		struct ww_jsonw w;

		ww_buf_init(&line, WW_KEYCHAIN_LINE_MAX);
		ww_jsonw_init(&w, &line);
		ww_jsonw_object(&w, NULL);
		ww_jsonw_u64(&w, "v", 1);
		ww_jsonw_u64(&w, "index", 6);
		ww_jsonw_hex(&w, "salt", p.salt);
		ww_jsonw_str(&w, "record", p.json);
		ww_jsonw_array(&w, "proof");
		ww_jsonw_end_array(&w);
		ww_jsonw_str(&w, "checkpoint", ww_ledger_reader_note(r));
		ww_jsonw_end_object(&w);
		assert_int_equal(ww_buf_add(&line, "\n", 1), 0);
		assert_int_equal(ww_keychain_read(ww_buf_slice(&line), &rot.old_key, &chain, &why),
				 -EINVAL);
		assert_non_null(strstr(why.text, "made for place 5 stands at 6"));
	}
	ww_ledger_reader_close(r);
	/* Nor does a line count twice. */
	assert_int_equal(ww_keychain_read(ww_buf_slice(&history), &rot.old_key, &chain, &why), 0);
	ww_buf_clear(&again);
	assert_int_equal(ww_buf_add(&again, history.p, history.n), 0);
	assert_int_equal(ww_buf_add(&again, history.p, history.n), 0);
	assert_int_equal(ww_keychain_read(ww_buf_slice(&again), &rot.old_key, &chain, &why),
			 -EINVAL);
}

static void test_forged_history(void **state)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer stranger = {0};
	WW_AUTO_BUF struct ww_buf b = {0};
	char dir[PATH_LEN], foreign[PATH_LEN];
	struct ww_rotation rot, other;
	struct ww_errtext why;

	make_ledger(at(*state, "log", dir), 50, 50);
	must_rotate(dir, &rot);
	must_rotate(dir, &other);
	history_of(dir, &b);
	/* No bit of it may change, but in the salt's and the members' spelling there is none
	 * either. */
	for (size_t i = 0; i < b.n; i += 3) {
		b.p[i] ^= 1;
		assert_int_not_equal(ww_keychain_read(ww_buf_slice(&b), &rot.old_key, &chain, &why),
				     0);
		b.p[i] ^= 1;
	}
	for (size_t n = 1; n < b.n; n += 11)
		if (b.p[n - 1] != '\n')
			assert_int_equal(
				ww_keychain_read(ww_slice(b.p, n), &rot.old_key, &chain, &why),
				-EINVAL);
	/* The second line without the first; a chain of somebody else; a key that is none of it. */
	{
		struct ww_slice all = ww_buf_slice(&b);
		size_t first = ww_slice_find(all, 0, '\n') + 1;

		assert_int_equal(ww_keychain_read(ww_slice_sub(all, first, all.n), &rot.old_key,
						  &chain, &why),
				 -ENOKEY);
		assert_int_equal(ww_keychain_read(ww_slice_sub(all, first, all.n), &rot.new_key,
						  &chain, &why),
				 0);
	}
	make_ledger(at(*state, "foreign", foreign), 50, 50);
	must_rotate(foreign, &other);
	assert_int_equal(chain_of(foreign, &rot.old_key, &chain), -ENOKEY);
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT(ORIGIN), &stranger), 0);
	assert_int_equal(chain_of(dir, &stranger.key, &chain), -ENOKEY);
}

static void test_refused_beside_a_writer(void **state)
{
	struct ww_errtext why = {""};
	struct ww_rotation rot;
	struct ww_ledger *l;
	char dir[PATH_LEN];

	make_ledger(at(*state, "log", dir), 5, 5);
	l = must_open(dir);
	assert_int_equal(rotate(dir, NULL, &rot, &why), -EBUSY);
	ww_ledger_close(l);
	must_rotate(dir, &rot);
}

static void test_from_plain_to_sealed_and_on(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN], uri[PATH_LEN + 16], have[WW_SIGNER_URI_MAX + 1];
	struct ww_errtext why = {""};
	struct ww_rotation rot;
	struct ww_note_key key;
	int fd;

	make_held(*state, "k.pem", "P-256", uri);
	make_ledger(at(*state, "log", dir), 5, 5);
	assert_int_equal(rotate(dir, "default:/nonexistent", &rot, &why), -ENOKEY);
	check_ledger(dir, 5);
	assert_int_equal(rotate(dir, uri, &rot, &why), 0);
	must_rotate(dir, &rot); /* sealed as the one before it */
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ww_keyfile_peek(fd, "key", &key, have, &why), 0);
	close(fd);
	assert_string_equal(have, uri);
	assert_true(ww_note_key_equal(&key, &rot.new_key));
	check_ledger(dir, 7);
	/* Without the holder nothing begins. */
	assert_int_equal(unlink(at(*state, "k.pem", path)), 0);
	assert_int_equal(rotate(dir, NULL, &rot, &why), -ENOKEY);
}

/* --- at every step -------------------------------------------------------------------------------
 */

/* After whatever happened: opens, holds together, and key, vkey, history and checkpoint agree. */
static void check_after(const char *dir, const struct ww_note_key *old, bool *ret_rotated)
{
	struct ww_ledger *l = must_open(dir);
	struct ww_note_key now;
	char path[2 * PATH_LEN];
	uint64_t size = ww_ledger_size(l);

	vkey_of(dir, &now);
	assert_true(ww_note_key_equal(&ww_ledger_keys(l)->signer.key, &now));
	*ret_rotated = !ww_note_key_equal(&now, old);
	append(l, 3);
	commit(l);
	ww_ledger_close(l);
	check_ledger(dir, size + 3);
	assert_int_equal(size, *ret_rotated ? 251 : 250);
	assert_int_equal(chain_of(dir, &now, &chain), 0);
	assert_true(chain.n == (*ret_rotated ? 2 : 1));
	assert_int_equal(chain_of(dir, old, &chain), 0);
	snprintf(path, sizeof(path), "%s/key.next", dir);
	assert_int_equal(access(path, F_OK), -1);
	/* And it can be done (again). */
	{
		struct ww_rotation rot;

		must_rotate(dir, &rot);
		assert_int_equal(chain_of(dir, old, &chain), 0);
		assert_true(chain.n == (*ret_rotated ? 3 : 2));
	}
}

static bool die(const char *dir, enum fault_kind kind, unsigned step)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct ww_rotation rot;
		struct ww_errtext why;

		fault = (struct fault){.kind = kind, .at = step, .shadow = fault.shadow};
		_exit(rotate(dir, NULL, &rot, &why) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != FAULT_EXIT)
		fail_msg("step %u: the rotation failed", step);
	return WEXITSTATUS(status) == FAULT_EXIT;
}

/* Kills at step n, then again at step `second` of what the next start does. */
static void deaths(struct scratch *s, enum fault_kind kind)
{
	char model[PATH_LEN], dir[PATH_LEN];
	unsigned step = 1, olds = 0, news = 0;
	struct ww_note_key old;

	make_ledger(at(s, "model", model), 250, 250);
	vkey_of(model, &old);
	for (bool hit = true; hit; step++) {
		bool rotated;

		assert_true(step < STEPS_MAX);
		copy_tree(model, at(s, "log", dir));
		hit = die(dir, kind, step);
		check_after(dir, &old, &rotated);
		olds += !rotated;
		news += rotated;
		remove_tree(dir);
	}
	/* Both ends were seen, at many steps each. */
	assert_true(olds > 10 && news > 10);
}

static void test_killed(void **state)
{
	deaths(*state, FAULT_KILL);
}

static void test_torn(void **state)
{
	deaths(*state, FAULT_TEAR);
}

/* The recovery of a rotation is killed as well, at every step, until it is through. */
static void test_killed_while_it_recovers(void **state)
{
	char model[PATH_LEN], dir[PATH_LEN];
	struct ww_note_key old;
	bool rotated;

	make_ledger(at(*state, "model", model), 250, 250);
	vkey_of(model, &old);
	for (unsigned first = 15; first < 60; first += 3) {
		copy_tree(model, at(*state, "log", dir));
		if (!die(dir, FAULT_KILL, first)) {
			remove_tree(dir);
			break;
		}
		for (unsigned step = 1; step < STEPS_MAX; step++) {
			int status = 0;
			pid_t pid = fork();

			if (pid == 0) {
				struct ww_ledger *l = NULL;
				struct ww_errtext why = {""};
				int r;

				fault = (struct fault){.kind = FAULT_KILL, .at = step};
				r = try_open(dir, NULL, &l, &why);
				fault.kind = FAULT_NONE;
				if (r < 0)
					print_error("%s\n", why.text);
				_exit(r == 0 ? 0 : 1);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == FAULT_EXIT);
			if (WEXITSTATUS(status) == 0)
				break;
		}
		check_after(dir, &old, &rotated);
		remove_tree(dir);
	}
}

static void test_power_lost(void **state)
{
	char model[PATH_LEN], dir[PATH_LEN], next[PATH_LEN], shadow[PATH_LEN];
	unsigned step = 1, olds = 0, news = 0;
	struct ww_note_key old;

	make_ledger(at(*state, "model", model), 250, 250);
	vkey_of(model, &old);
	for (bool hit = true; hit; step++) {
		struct stat st;
		bool rotated;

		copy_tree(model, at(*state, "log", dir));
		assert_int_equal(mkdir(at(*state, "shadow", shadow), 0700), 0);
		fault.shadow = shadow;
		disk_snapshot(dir);
		hit = die(dir, FAULT_POWER, step);
		assert_int_equal(stat(dir, &st), 0);
		disk_rebuild(st.st_ino, at(*state, "next", next));
		fault.shadow = NULL;
		remove_tree(shadow);
		check_after(next, &old, &rotated);
		olds += !rotated;
		news += rotated;
		remove_tree(dir);
		remove_tree(next);
	}
	assert_true(olds > 10 && news > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_old_key_leads_to_new),
		SCRATCH_TEST(test_stolen_old_key),
		SCRATCH_TEST(test_new_key_does_not_reach_back),
		SCRATCH_TEST(test_one_side_is_not_enough),
		SCRATCH_TEST(test_more_text_is_refused),
		SCRATCH_TEST(test_replayed_rotation),
		SCRATCH_TEST(test_forged_history),
		SCRATCH_TEST(test_refused_beside_a_writer),
		SCRATCH_TEST(test_from_plain_to_sealed_and_on),
		SCRATCH_TEST(test_killed),
		SCRATCH_TEST(test_torn),
		SCRATCH_TEST(test_killed_while_it_recovers),
		SCRATCH_TEST(test_power_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
