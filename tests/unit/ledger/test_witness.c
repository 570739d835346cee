/* SPDX-License-Identifier: Apache-2.0 */
/* A witness's decisions, against trees made here from leaf hashes alone. */
#include "ledger/witness.h"

#include "base/encode.h"
#include "ledger/cosign.h"
#include "ledger/equivocation.h"
#include "ledger/witness_state.h"
#include "ledger_test.h"

#define LEAVES 70u

static struct ww_note_signer log_key, other_key;
static struct ww_sha256 leaves[2][LEAVES]; /* [1]: another story from leaf 20 on */

static int read_leaf(void *ctx, uint32_t level, uint64_t index, struct ww_sha256 *ret)
{
	const struct ww_sha256 *from = ctx;

	ww_merkle_complete(&from[index << level], (size_t)1 << level, ret);
	return 0;
}

static struct ww_merkle_reader story(int n)
{
	return (struct ww_merkle_reader){read_leaf, leaves[n]};
}

static int set_up(void **state)
{
	for (uint32_t i = 0; i < LEAVES; i++)
		for (uint32_t n = 0; n < 2; n++) {
			uint32_t text[2] = {i, i < 20 ? 0 : n};

			ww_merkle_leaf(ww_slice(text, sizeof(text)), &leaves[n][i]);
		}
	return ww_note_signer_new(WW_SLICE_LIT("log.test"), &log_key) ||
	       ww_note_signer_new(WW_SLICE_LIT("other.test"), &other_key);
}

static struct ww_checkpoint head_of(int n, uint64_t size)
{
	struct ww_merkle_reader r = story(n);
	struct ww_checkpoint c = {.origin = "log.test", .size = size};

	assert_int_equal(ww_merkle_root(&r, size, &c.root), 0);
	return c;
}

/* A request's body for growing from `old` to `size` in story n. */
static void make_body(int n, uint64_t old, uint64_t size, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf note = {0};
	struct ww_merkle_reader r = story(n);
	struct ww_checkpoint c = head_of(n, size);
	struct ww_merkle_proof proof = {0};

	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(out, WW_WITNESS_REQUEST_MAX);
	assert_int_equal(ww_checkpoint_sign(&c, &log_key, &note), 0);
	if (old > 0 && old <= size)
		assert_int_equal(ww_merkle_consistency(&r, old, size, &proof), 0);
	assert_int_equal(ww_witness_request_write(old, &proof, ww_buf_slice(&note), out), 0);
}

static enum ww_witness_status admit(const struct ww_witness_request *q,
				    const struct ww_note_key *logs, size_t n)
{
	return ww_witness_admit(q, &(struct ww_witness_trust){.logs = logs, .n = n});
}

static struct ww_witness_ruling judge(int n, uint64_t old, uint64_t size,
				      const struct ww_checkpoint *held)
{
	WW_AUTO_BUF struct ww_buf body = {0};
	struct ww_witness_request q;

	make_body(n, old, size, &body);
	assert_int_equal(ww_witness_request_parse(ww_buf_slice(&body), &q), 0);
	assert_int_equal(admit(&q, &log_key.key, 1), WW_WITNESS_COSIGN);
	return ww_witness_judge(&q, held);
}

static void test_grows(void **state)
{
	struct ww_checkpoint held = head_of(0, 0);
	const struct ww_checkpoint *known = NULL;

	for (uint64_t size = 0; size < LEAVES; size += 1 + size % 5) {
		uint64_t old = known ? held.size : 0;

		assert_int_equal(judge(0, old, size, known).status, WW_WITNESS_COSIGN);
		held = head_of(0, size);
		known = &held;
		/* The same once more: the answer may have been lost. */
		assert_int_equal(judge(0, size, size, known).status, WW_WITNESS_COSIGN);
	}
}

static void test_refuses(void **state)
{
	struct ww_checkpoint held = head_of(0, 30);
	struct ww_witness_ruling r;

	assert_int_equal(judge(0, 41, 40, &held).status, WW_WITNESS_BAD);
	r = judge(0, 29, 40, &held);
	assert_int_equal(r.status, WW_WITNESS_CONFLICT);
	assert_true(r.resize && !r.equivocation);
	assert_int_equal(r.held, 30);
	/* Unknown to the witness, whatever the log believes. */
	r = judge(0, 5, 40, NULL);
	assert_int_equal(r.status, WW_WITNESS_CONFLICT);
	assert_true(r.resize);
	assert_int_equal(r.held, 0);
	/* Backwards. */
	assert_int_equal(judge(0, 20, 20, &held).status, WW_WITNESS_CONFLICT);
	assert_int_equal(judge(0, 30, 20, &held).status, WW_WITNESS_BAD);
}

static void test_fork(void **state)
{
	struct ww_checkpoint held = head_of(0, 30);
	struct ww_witness_ruling r = judge(1, 30, 40, &held);

	assert_int_equal(r.status, WW_WITNESS_UNPROVEN);
	assert_false(r.equivocation);
	r = judge(1, 30, 30, &held);
	assert_int_equal(r.status, WW_WITNESS_CONFLICT);
	assert_true(r.equivocation && !r.resize);
	/* Proof also when the request is refused for its old size, or is nonsense. */
	r = judge(1, 12, 30, &held);
	assert_int_equal(r.status, WW_WITNESS_CONFLICT);
	assert_true(r.equivocation && r.resize);
	r = judge(1, 31, 30, &held);
	assert_int_equal(r.status, WW_WITNESS_BAD);
	assert_true(r.equivocation);
	/* Before the fork both stories are one. */
	held = head_of(0, 20);
	assert_int_equal(judge(1, 20, 40, &held).status, WW_WITNESS_COSIGN);
}

/* A state that was rolled back lets the log grow again from there, never anything else. */
static void test_rolled_back_state(void **state)
{
	struct ww_checkpoint held = head_of(0, 25);
	struct ww_witness_ruling r = judge(0, 60, 65, &held);

	assert_int_equal(r.status, WW_WITNESS_CONFLICT);
	assert_int_equal(r.held, 25);
	assert_int_equal(judge(0, 25, 65, &held).status, WW_WITNESS_COSIGN);
	assert_int_equal(judge(1, 25, 65, &held).status, WW_WITNESS_UNPROVEN);
}

/* No bit of the proof can change; a hash more or less is refused. */
static void test_proof_bits(void **state)
{
	struct ww_checkpoint held = head_of(0, 37);
	WW_AUTO_BUF struct ww_buf body = {0};
	struct ww_witness_request q;

	make_body(0, 37, 66, &body);
	assert_int_equal(ww_witness_request_parse(ww_buf_slice(&body), &q), 0);
	assert_true(q.proof.n > 2);
	assert_int_equal(ww_witness_judge(&q, &held).status, WW_WITNESS_COSIGN);
	for (size_t i = 0; i < q.proof.n * 256; i++) {
		q.proof.path[i / 256].b[i / 8 % 32] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(ww_witness_judge(&q, &held).status, WW_WITNESS_UNPROVEN);
		q.proof.path[i / 256].b[i / 8 % 32] ^= (uint8_t)(1 << i % 8);
	}
	q.proof.n--;
	assert_int_equal(ww_witness_judge(&q, &held).status, WW_WITNESS_UNPROVEN);
	q.proof.n += 2;
	assert_int_equal(ww_witness_judge(&q, &held).status, WW_WITNESS_UNPROVEN);
	/* "The proof MUST be empty if the old size is zero." */
	q.old = 0;
	q.proof.n = 1;
	assert_int_equal(ww_witness_judge(&q, NULL).status, WW_WITNESS_UNPROVEN);
}

static void test_admission(void **state)
{
	WW_AUTO_BUF struct ww_buf body = {0}, note = {0}, other = {0};
	struct ww_note_key keys[2] = {other_key.key, log_key.key}, false_key = other_key.key;
	struct ww_checkpoint c = head_of(0, 10);
	struct ww_merkle_proof none = {0};
	struct ww_witness_request q;

	make_body(0, 0, 10, &body);
	assert_int_equal(ww_witness_request_parse(ww_buf_slice(&body), &q), 0);
	assert_int_equal(admit(&q, keys, 2), WW_WITNESS_COSIGN);
	assert_int_equal(admit(&q, keys, 1), WW_WITNESS_UNKNOWN);
	assert_int_equal(admit(&q, NULL, 0), WW_WITNESS_UNKNOWN);
	/* The right name and another key. */
	memcpy(false_key.name, "log.test", sizeof("log.test"));
	assert_int_equal(admit(&q, &false_key, 1), WW_WITNESS_FORBIDDEN);
	/* Signed by a known log, but for the origin of another. */
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&other, WW_WITNESS_REQUEST_MAX);
	assert_int_equal(ww_checkpoint_sign(&c, &other_key, &note), 0);
	assert_int_equal(ww_witness_request_write(0, &none, ww_buf_slice(&note), &other), 0);
	assert_int_equal(ww_witness_request_parse(ww_buf_slice(&other), &q), 0);
	assert_int_equal(admit(&q, keys, 2), WW_WITNESS_FORBIDDEN);
}

/* Whatever bit of a whole request flips: it is not admitted, or not cosigned, or means the same. */
static void test_request_bits(void **state)
{
	struct ww_checkpoint held = head_of(0, 30);
	WW_AUTO_BUF struct ww_buf body = {0};
	struct ww_witness_request q;

	make_body(0, 30, 50, &body);
	for (size_t i = 0; i < body.n * 8; i++) {
		body.p[i / 8] ^= (uint8_t)(1 << i % 8);
		if (ww_witness_request_parse(ww_buf_slice(&body), &q) == 0 &&
		    admit(&q, &log_key.key, 1) == WW_WITNESS_COSIGN)
			assert_int_not_equal(ww_witness_judge(&q, &held).status, WW_WITNESS_COSIGN);
		body.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < body.n; n++)
		assert_true(ww_witness_request_parse(ww_slice(body.p, n), &q) < 0 ||
			    admit(&q, &log_key.key, 1) != WW_WITNESS_COSIGN);
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"old 1",
		"old 01\n\n",
		"old -1\n\n",
		"old\n\n",
		"old x\n\n",
		"new 1\n\n",
		"old 9223372036854775808\n\n",
		"old 1\nAAAA\n\n",
		"old 0\n\n",
		"old 0\n\na\n1\nb\n",
		"old  1\n\n",
	};
	WW_AUTO_BUF struct ww_buf body = {0}, note = {0};
	struct ww_checkpoint c = head_of(0, 10);
	struct ww_merkle_proof proof = {.n = 64};
	struct ww_witness_request q = {.old = 4711};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_witness_request_parse(ww_slice_str(bad[i]), &q), -EINVAL);
	assert_int_equal(q.old, 4711);
	/* 63 hashes are allowed, 64 are not. */
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&body, WW_WITNESS_REQUEST_MAX);
	assert_int_equal(ww_checkpoint_sign(&c, &log_key, &note), 0);
	assert_int_equal(ww_witness_request_write(1, &proof, ww_buf_slice(&note), &body), -EINVAL);
	proof.n = 63;
	ww_buf_clear(&body);
	assert_int_equal(ww_witness_request_write(1, &proof, ww_buf_slice(&note), &body), 0);
	assert_int_equal(ww_witness_request_parse(ww_buf_slice(&body), &q), 0);
	assert_int_equal(q.proof.n, 63);
	ww_buf_clear(&body);
	assert_int_equal(ww_buf_add(&body, "old 1\n", 6), 0);
	for (int i = 0; i < 64; i++)
		assert_int_equal(
			ww_buf_add(&body, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 45), 0);
	assert_int_equal(ww_buf_add(&body, "\n", 1), 0);
	assert_int_equal(ww_buf_add(&body, note.p, note.n), 0);
	assert_int_equal(ww_witness_request_parse(ww_buf_slice(&body), &q), -EINVAL);
}

/* --- proofs of equivocation --------------------------------------------------------------------
 */

static void test_kept_for_good(void **state)
{
	struct scratch *s = *state;
	WW_AUTO_FD int dir = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ww_slice a = WW_SLICE_LIT("note a\n"), b = WW_SLICE_LIT("note b\n");
	WW_AUTO_BUF struct ww_buf first = {0}, again = {0};
	char path[PATH_LEN], name[PATH_LEN] = "";
	struct ww_errtext why = {""};
	const struct dirent *e;
	int n = 0;
	DIR *d;

	assert_int_equal(ww_equivocation_kept(dir), 0);
	assert_int_equal(ww_equivocation_keep(dir, a, b, 7, &why), 0);
	assert_int_equal(ww_equivocation_kept(dir), 1);
	d = opendir(at(s, "equivocation", path));
	assert_non_null(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			assert_int_equal(strncmp(e->d_name, "7-", 2), 0);
			snprintf(name, sizeof(name), "equivocation/%.100s", e->d_name);
			n++;
		}
	closedir(d);
	assert_int_equal(n, 1);
	slurp(at(s, name, path), &first);
	assert_true(ww_slice_eq_str(ww_buf_slice(&first), "note a\n\nnote b\n"));
	/* The other way round it is the same proof, and a file that is there is left alone. */
	spill(path, WW_SLICE_LIT("touched by hand"));
	assert_int_equal(ww_equivocation_keep(dir, b, a, 7, &why), 0);
	slurp(path, &again);
	assert_true(ww_slice_eq_str(ww_buf_slice(&again), "touched by hand"));
	/* Another pair is another file. */
	assert_int_equal(ww_equivocation_keep(dir, a, WW_SLICE_LIT("note c\n"), 7, &why), 0);
	d = opendir(at(s, "equivocation", path));
	for (n = 0; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	assert_int_equal(n, 2);
}

static void test_kept_is_not_guessed(void **state)
{
	struct scratch *s = *state;
	WW_AUTO_FD int dir = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_LEN];

	spill(at(s, "equivocation", path), WW_SLICE_LIT("x"));
	assert_int_equal(ww_equivocation_kept(dir), 1);
	assert_true(ww_equivocation_kept(-1) < 0);
}

/* --- the files -------------------------------------------------------------------------------- */

static struct ww_witness_state *open_state(const char *dir, int want, const char *words)
{
	char logs[WW_NOTE_KEY_TEXT_MAX + 32], vkey[WW_NOTE_KEY_TEXT_MAX];
	struct ww_witness_state *s = NULL;
	struct ww_errtext why = {""};
	int r;

	ww_note_key_text(&log_key.key, vkey);
	snprintf(logs, sizeof(logs), "# ours\n%s\n", vkey);
	r = ww_witness_state_open(dir, "witness.test", ww_slice_str(logs), &s, &why);
	if (r != want || !strstr(why.text, words))
		fail_msg("%d: %s", r, why.text);
	return s;
}

/* Asks for the growth from old to size in story n; the answer's body goes to out. */
static unsigned ask(struct ww_witness_state *s, int n, uint64_t old, uint64_t size, uint64_t now,
		    struct ww_buf *out)
{
	struct ww_witness_answer a = {0};
	WW_AUTO_BUF struct ww_buf body = {0};

	make_body(n, old, size, &body);
	ww_buf_done(out);
	ww_buf_init(out, 2 * WW_NOTE_BYTES_MAX);
	ww_witness_state_add(s, ww_buf_slice(&body), now, out, &a);
	return a.status;
}

/* The state file of the one log, under the witness's directory. */
static const char *held_file(const struct scratch *s, const char *name, char path[PATH_LEN])
{
	char hex[33], part[PATH_LEN / 2];
	struct ww_sha256 hash;

	ww_sha256(WW_SLICE_LIT("log.test"), &hash);
	ww_hex_encode(ww_slice(hash.b, 16), hex);
	snprintf(part, sizeof(part), "w/logs/%s/%s", hex, name);
	return at(s, part, path);
}

static void test_state(void **state)
{
	WW_AUTO_BUF struct ww_buf out = {0}, body = {0};
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_witness_state *s = open_state(at(*state, "w", dir), 0, "");
	struct ww_note_key key = *ww_witness_state_key(s);
	struct ww_witness_request q;
	struct ww_slice text, lines;
	struct stat st;
	uint64_t time;

	assert_int_equal(stat(at(*state, "w/key", path), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	open_state(dir, -EBUSY, "another witness");
	assert_int_equal(ask(s, 0, 5, 30, 100, &out), WW_WITNESS_CONFLICT);
	assert_true(ww_slice_eq_str(ww_buf_slice(&out), "0\n"));
	assert_int_equal(ask(s, 0, 0, 30, 100, &out), WW_WITNESS_COSIGN);
	make_body(0, 0, 30, &body);
	assert_int_equal(ww_witness_request_parse(ww_buf_slice(&body), &q), 0);
	assert_int_equal(ww_note_split(q.note, &text, &lines), 0);
	assert_int_equal(ww_cosign_check(text, ww_buf_slice(&out), &key, &time, NULL), 0);
	assert_int_equal(time, 100);
	ww_witness_state_close(s);
	/* Another life, the same memory and key. */
	s = open_state(dir, 0, "");
	assert_true(ww_note_key_equal(ww_witness_state_key(s), &key));
	assert_int_equal(ask(s, 0, 0, 40, 101, &out), WW_WITNESS_CONFLICT);
	assert_true(ww_slice_eq_str(ww_buf_slice(&out), "30\n"));
	assert_int_equal(ask(s, 1, 30, 40, 101, &out), WW_WITNESS_UNPROVEN);
	assert_int_equal(ask(s, 0, 30, 30, 102, &out), WW_WITNESS_COSIGN);
	assert_int_equal(ask(s, 0, 30, 40, 103, &out), WW_WITNESS_COSIGN);
	ww_witness_state_close(s);
	/* Its key is gone: it does not become somebody else. */
	assert_int_equal(unlink(path), 0);
	open_state(dir, -ENOKEY, "missing");
}

static void test_state_of_a_fork(void **state)
{
	WW_AUTO_BUF struct ww_buf out = {0}, held = {0}, proof = {0};
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_witness_state *s = open_state(at(*state, "w", dir), 0, "");
	const struct dirent *e;
	struct ww_checkpoint c;
	DIR *d;

	assert_int_equal(ask(s, 0, 0, 30, 1, &out), WW_WITNESS_COSIGN);
	slurp(held_file(*state, "checkpoint", path), &held);
	assert_int_equal(ask(s, 1, 30, 30, 1, &out), WW_WITNESS_CONFLICT);
	/* The log's owner gets what the witness holds. */
	assert_true(ww_slice_eq(ww_buf_slice(&out), ww_buf_slice(&held)));
	assert_int_equal(ww_checkpoint_open(ww_buf_slice(&out), &log_key.key, &c), 0);
	/* From now on nothing is cosigned for this log, not even the story that was first. */
	assert_int_equal(ask(s, 0, 30, 40, 1, &out), WW_WITNESS_FORBIDDEN);
	ww_witness_state_close(s);
	s = open_state(dir, 0, "");
	assert_int_equal(ask(s, 0, 30, 40, 1, &out), WW_WITNESS_FORBIDDEN);
	ww_witness_state_close(s);
	d = opendir(held_file(*state, "equivocation", path));
	assert_non_null(d);
	while ((e = readdir(d)) && e->d_name[0] == '.')
		;
	assert_non_null(e);
	snprintf(path + strlen(path), PATH_LEN - strlen(path), "/%.60s", e->d_name);
	closedir(d);
	slurp(path, &proof);
	assert_non_null(memmem(proof.p, proof.n, held.p, held.n));
	assert_int_equal(proof.n, 2 * held.n + 1);
}

/* A state file that is cut, empty or foreign is never "nothing was cosigned yet". */
static void test_damaged_state(void **state)
{
	WW_AUTO_BUF struct ww_buf out = {0}, held = {0};
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_witness_state *s = open_state(at(*state, "w", dir), 0, "");

	assert_int_equal(ask(s, 0, 0, 30, 1, &out), WW_WITNESS_COSIGN);
	slurp(held_file(*state, "checkpoint", path), &held);
	for (size_t n = 0; n < held.n; n++) {
		spill(path, ww_slice(held.p, n));
		assert_int_equal(ask(s, 0, 0, 40, 1, &out), WW_WITNESS_UNABLE);
		assert_int_equal(ask(s, 0, 30, 40, 1, &out), WW_WITNESS_UNABLE);
	}
	spill(path, ww_buf_slice(&held));
	for (size_t i = 0; i < held.n * 8; i += 5) {
		flip(path, i);
		assert_int_equal(ask(s, 0, 30, 40, 1, &out), WW_WITNESS_UNABLE);
		flip(path, i);
	}
	assert_int_equal(ask(s, 0, 30, 40, 1, &out), WW_WITNESS_COSIGN);
	ww_witness_state_close(s);
}

static void test_secret_is_secret(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_witness_state *s = NULL;
	struct ww_errtext why = {""};

	ww_witness_state_close(open_state(at(*state, "w", dir), 0, ""));
	assert_int_equal(chmod(at(*state, "w/key", path), 0640), 0);
	open_state(dir, -EPERM, "0600");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chmod(dir, 0750), 0);
	open_state(dir, -EPERM, "0700");
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(ww_witness_state_open(dir, "other", WW_SLICE_NULL, &s, &why), -EINVAL);
	assert_int_equal(ww_witness_state_open(dir, NULL, WW_SLICE_LIT("nonsense"), &s, &why),
			 -EINVAL);
	assert_non_null(strstr(why.text, "line 1"));
	spill(path, WW_SLICE_LIT("nonsense\n"));
	open_state(dir, -EINVAL, "does not hold");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_rolled_back_state),
		cmocka_unit_test(test_proof_bits),
		cmocka_unit_test(test_admission),
		cmocka_unit_test(test_request_bits),
		cmocka_unit_test(test_malformed),
		SCRATCH_TEST(test_kept_for_good),
		SCRATCH_TEST(test_kept_is_not_guessed),
		SCRATCH_TEST(test_state),
		SCRATCH_TEST(test_state_of_a_fork),
		SCRATCH_TEST(test_damaged_state),
		SCRATCH_TEST(test_secret_is_secret),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
