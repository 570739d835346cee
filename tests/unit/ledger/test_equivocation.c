/* SPDX-License-Identifier: Apache-2.0 */
/* Two histories under one key whose heads are of different sizes: what is a proof, and what is not.
 */
#include "ledger/equivocation.h"

#include "base/encode.h"
#include "ledger/merkle.h"
#include "ledger_test.h"

struct head {
	struct ww_buf note;
	struct ww_checkpoint c;
};

static struct ww_note_key key;

static void take_head(const char *dir, struct head *ret)
{
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};
	struct ww_slice note;

	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	key = *ww_ledger_reader_key(r);
	ret->c = *ww_ledger_reader_head(r);
	note = ww_ledger_reader_note(r);
	ww_buf_init(&ret->note, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_buf_add(&ret->note, note.p, note.n), 0);
	ww_ledger_reader_close(r);
}

static int find(const char *dir, const struct head *head, const struct head *smaller)
{
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ww_errtext why = {""};

	return ww_equivocation_find(fd, ww_buf_slice(&head->note), &head->c,
				    ww_buf_slice(&smaller->note), &smaller->c, &why);
}

static int kept(const char *dir)
{
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return ww_equivocation_kept(fd);
}

/* The one file of the folder. */
static void read_proof(const char *dir, struct ww_buf *out)
{
	char path[2 * PATH_LEN];
	const struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/" WW_EQUIVOCATION_DIR, dir);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) && e->d_name[0] == '.')
		;
	assert_non_null(e);
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%.60s", e->d_name);
	closedir(d);
	slurp(path, out);
}

/* Both heads open under the key, and the proof leads from another root to the larger one. */
static void check_proof(struct ww_slice file, const struct head *head, const struct head *smaller)
{
	struct ww_merkle_proof proof = {0};
	struct ww_slice rest, line;
	struct ww_sha256 root;
	struct ww_checkpoint c;
	size_t n;

	assert_true(ww_slice_starts(file, ww_buf_slice(&smaller->note)));
	rest = ww_slice_sub(file, smaller->note.n + 1, file.n);
	assert_true(ww_slice_starts(rest, ww_buf_slice(&head->note)));
	assert_int_equal(ww_checkpoint_open(ww_buf_slice(&smaller->note), &key, &c), 0);
	assert_int_equal(ww_checkpoint_open(ww_buf_slice(&head->note), &key, &c), 0);
	rest = ww_slice_sub(rest, head->note.n + 1, rest.n);
	assert_true(ww_slice_line(&rest, &line));
	assert_int_equal(ww_base64_decode(line, false, root.b, sizeof(root.b), &n), 0);
	while (ww_slice_line(&rest, &line)) {
		assert_int_equal(
			ww_base64_decode(line, false, proof.path[proof.n].b, WW_SHA256_LEN, &n), 0);
		proof.n++;
	}
	assert_memory_not_equal(root.b, smaller->c.root.b, sizeof(root.b));
	assert_true(ww_merkle_consistency_check(smaller->c.size, &root, head->c.size, &head->c.root,
						&proof));
}

static void test_two_histories(void **state)
{
	struct head first = {0}, other = {0}, larger = {0};
	WW_AUTO_BUF struct ww_buf file = {0};
	char log[PATH_LEN], fork[PATH_LEN];

	make_ledger(at(*state, "log", log), 300, 300);
	copy_tree(log, at(*state, "fork", fork));
	take_head(log, &first);
	grow(log, 30);
	grow(fork, 20);
	take_head(fork, &other);
	take_head(log, &larger);
	/* Its own beginning; nothing that is smaller. */
	assert_int_equal(find(log, &larger, &first), 0);
	assert_int_equal(find(fork, &other, &larger), 0);
	assert_int_equal(kept(log), 0);
	assert_int_equal(find(log, &larger, &other), 1);
	assert_int_equal(kept(log), 1);
	read_proof(log, &file);
	check_proof(ww_buf_slice(&file), &larger, &other);
	/* Again: the same file. */
	assert_int_equal(find(log, &larger, &other), 1);
	ww_buf_done(&first.note);
	ww_buf_done(&other.note);
	ww_buf_done(&larger.note);
}

/* Files that do not give their own head say nothing about who signed what. */
static void test_damage_is_no_proof(void **state)
{
	struct head other = {0}, larger = {0};
	char log[PATH_LEN], fork[PATH_LEN], tile[PATH_LEN];

	make_ledger(at(*state, "log", log), 300, 300);
	copy_tree(log, at(*state, "fork", fork));
	grow(log, 30);
	grow(fork, 20);
	take_head(fork, &other);
	take_head(log, &larger);
	flip(at(*state, "log/tile/0/001.p/74", tile), 9);
	assert_int_equal(find(log, &larger, &other), -EUCLEAN);
	assert_int_equal(unlink(tile), 0);
	assert_int_equal(find(log, &larger, &other), -EUCLEAN);
	assert_int_equal(kept(log), 0);
	ww_buf_done(&other.note);
	ww_buf_done(&larger.note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_two_histories),
		SCRATCH_TEST(test_damage_is_no_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
