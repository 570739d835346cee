/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fails, kills, tears and loses power at every step of opening and committing, and then demands:
 * everything announced is there, the log holds together, and writing goes on. Attacks invariants 2
 * to 5 of ledger/tlog.c and 2, 3 of ledger/ledger.c.
 */
#include "disk_faults.h"

#include <unistd.h>

#define STEPS_MAX 400u

static void arm(enum fault_kind kind, unsigned step, int error, bool sticky)
{
	const char *shadow = fault.shadow;

	fault = (struct fault){
		.kind = kind, .at = step, .error = error, .sticky = sticky, .shadow = shadow};
}

static bool disarm(void)
{
	fault.kind = FAULT_NONE;
	return fault.hit;
}

/* Ledgers whose next commit of 20 records completes a tile, or begins a payload segment. */
static void make_tile_boundary(const char *dir)
{
	make_ledger(dir, 250, 100);
}

static void make_segment_boundary(const char *dir)
{
	static char big[WW_RECORD_BYTES_MAX];
	struct ww_ledger *l = must_open(dir);

	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 250; i++)
		assert_int_equal(
			ww_ledger_append(l, "span", ww_slice(big, i < 129 ? sizeof(big) : 2), NULL),
			0);
	commit(l);
	ww_ledger_close(l);
}

/* --- errors --------------------------------------------------------------------------------------
 */

static bool commit_with_error(const char *dir, unsigned step, int error, bool sticky, bool reopen)
{
	struct ww_ledger *l = must_open(dir);
	uint64_t size = 0;
	bool hit;
	int r;

	append(l, 20);
	arm(FAULT_ERROR, step, error, sticky);
	r = ww_ledger_commit(l, &size);
	hit = disarm();
	if (r == 0) {
		/* Only the removal of outgrown files may fail without a word. */
		assert_true(size == 270);
		assert_null(ww_ledger_stopped(l));
	} else {
		assert_true(hit);
		assert_int_equal(r, -error);
		assert_non_null(ww_ledger_stopped(l));
		assert_int_equal(ww_ledger_commit(l, &size), -error);
		check_ledger(dir, 250); /* readers see a whole log meanwhile */
		append(l, 5);           /* nothing is lost while it is stopped */
		if (!reopen) {
			assert_int_equal(ww_ledger_retry(l), 0);
			assert_null(ww_ledger_stopped(l));
			commit(l);
			assert_true(ww_ledger_size(l) == 275);
		}
	}
	ww_ledger_close(l);
	check_ledger(dir, r == 0 ? 270 : reopen ? 250 : 275);
	/* And on: over the boundary again, from what is there. */
	l = must_open(dir);
	append(l, 300);
	commit(l);
	ww_ledger_close(l);
	check_ledger(dir, 550);
	return hit;
}

static void errors(struct scratch *s, int error, bool sticky, bool reopen)
{
	char model[PATH_LEN], dir[PATH_LEN];
	unsigned step = 1;

	make_tile_boundary(at(s, "model", model));
	for (bool hit = true; hit; step++) {
		assert_true(step < STEPS_MAX);
		copy_tree(model, at(s, "log", dir));
		hit = commit_with_error(dir, step, error, sticky, reopen);
		remove_tree(dir);
	}
	assert_true(step > 15); /* a commit has more steps than that, or nothing was counted */
}

static void test_disk_full_then_retry(void **state)
{
	errors(*state, ENOSPC, true, false);
}

static void test_disk_full_then_restart(void **state)
{
	errors(*state, ENOSPC, true, true);
}

static void test_one_io_error_then_retry(void **state)
{
	errors(*state, EIO, false, false);
}

static void test_errors_at_a_new_segment(void **state)
{
	char model[PATH_LEN], dir[PATH_LEN];

	make_segment_boundary(at(*state, "model", model));
	for (unsigned step = 1; step <= 8; step++) { /* records come first in a commit */
		copy_tree(model, at(*state, "log", dir));
		assert_true(commit_with_error(dir, step, EIO, false, step % 2));
		remove_tree(dir);
	}
}

/* While the disk stays full, retry keeps failing and breaks nothing. */
static void test_retry_into_full_disk(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger *l;
	uint64_t size;

	make_tile_boundary(at(*state, "log", dir));
	l = must_open(dir);
	append(l, 20);
	arm(FAULT_ERROR, 1, ENOSPC, true);
	assert_int_equal(ww_ledger_commit(l, &size), -ENOSPC);
	for (int i = 0; i < 5; i++) {
		int r = ww_ledger_retry(l);

		if (r == 0)
			r = ww_ledger_commit(l, &size);
		assert_int_equal(r, -ENOSPC);
		assert_non_null(ww_ledger_stopped(l));
		append(l, 1);
	}
	disarm();
	assert_int_equal(ww_ledger_retry(l), 0);
	commit(l);
	ww_ledger_close(l);
	check_ledger(dir, 275);
}

static void test_open_with_errors(void **state)
{
	char dir[PATH_LEN];
	unsigned step = 1;
	bool hit;

	at(*state, "log", dir);
	do {
		struct ww_errtext why = {""};
		struct ww_ledger *l = NULL;
		int r;

		remove_tree(dir);
		arm(FAULT_ERROR, step, EIO, false);
		r = try_open(dir, NULL, &l, &why);
		hit = disarm();
		if (r < 0) {
			assert_int_equal(r, -EIO);
			assert_non_null(strstr(why.text, "Input/output error"));
			l = must_open(dir); /* first start was interrupted: it goes on */
		}
		append(l, 3);
		commit(l);
		ww_ledger_close(l);
		check_ledger(dir, 3);
		assert_true(++step < STEPS_MAX);
	} while (hit);
	assert_true(step > 15);
}

/* --- death ---------------------------------------------------------------------------------------
 */

static uint64_t batch_scale = 1; /* records per commit, times this */

/* The life of a daemon in a child process: open, then commits, each announced through the pipe. */
static void live(const char *dir, int announce, uint64_t first_batch)
{
	struct ww_ledger *l = NULL;
	struct ww_errtext why;
	uint64_t size;

	if (try_open(dir, NULL, &l, &why) < 0)
		_exit(1);
	for (uint64_t batch = first_batch; batch < first_batch + 3; batch++) {
		append(l, (batch % 97 + 1) * batch_scale);
		if (ww_ledger_commit(l, &size) < 0)
			_exit(1);
		/* Not through write(): the pipe is no disk. */
		syscall(SYS_write, announce, &size, sizeof(size));
	}
	_exit(0);
}

/* Runs one life with a fault at `step`; returns whether the fault struck. */
static bool run_life(const char *dir, enum fault_kind kind, unsigned step, uint64_t *announced)
{
	uint64_t size;
	int status, fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		arm(kind, step, 0, false);
		live(dir, fds[1], step * 31);
	}
	close(fds[1]);
	while (read(fds[0], &size, sizeof(size)) == (ssize_t)sizeof(size))
		*announced = size;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != FAULT_EXIT)
		fail_msg("step %u: a restart failed", step);
	return WEXITSTATUS(status) == FAULT_EXIT;
}

/* One directory that is killed again and again, also while it recovers from the last time. */
static void deaths(struct scratch *s, enum fault_kind kind)
{
	uint64_t announced = 0;
	char dir[PATH_LEN];
	unsigned step = 1;

	at(s, "log", dir);
	for (bool hit = true; hit; step++) {
		assert_true(step < STEPS_MAX);
		hit = run_life(dir, kind, step, &announced);
		if (announced > 0)
			check_ledger(dir, announced);
	}
	assert_true(step > 40);
	ww_ledger_close(must_open(dir));
	check_ledger(dir, announced);
}

static void test_killed_at_every_step(void **state)
{
	deaths(*state, FAULT_KILL);
}

static void test_torn_at_every_write(void **state)
{
	deaths(*state, FAULT_TEAR);
}

/* One life that ends with what had been synced; the directory then holds that. */
static bool lose_power(struct scratch *s, unsigned step, uint64_t *announced)
{
	char dir[PATH_LEN], next[PATH_LEN], shadow[PATH_LEN];
	struct stat st;
	bool hit;

	at(s, "log", dir);
	assert_int_equal(mkdir(at(s, "shadow", shadow), 0700), 0);
	fault.shadow = shadow;
	disk_snapshot(dir);
	hit = run_life(dir, FAULT_POWER, step, announced);
	assert_int_equal(stat(dir, &st), 0);
	disk_rebuild(st.st_ino, at(s, "next", next));
	fault.shadow = NULL;
	remove_tree(shadow);
	remove_tree(dir);
	assert_int_equal(rename(next, dir), 0);
	check_ledger(dir, *announced);
	return hit;
}

static void test_power_lost_at_every_step(void **state)
{
	uint64_t announced = 200;
	char dir[PATH_LEN];
	unsigned step = 1;

	make_ledger(at(*state, "log", dir), announced, 60);
	while (lose_power(*state, step, &announced))
		assert_true(++step < STEPS_MAX);
	assert_true(step > 40);
	ww_ledger_close(must_open(dir));
	check_ledger(dir, announced);
}

static void test_power_lost_after_a_new_segment(void **state)
{
	uint64_t announced = 250;
	char dir[PATH_LEN];

	make_segment_boundary(at(*state, "log", dir));
	assert_false(lose_power(*state, STEPS_MAX, &announced));
	assert_true(announced > 250);
}

/* Commits of more files than are synced one by one. */
static void test_power_lost_in_large_commits(void **state)
{
	uint64_t announced = 0;
	char dir[PATH_LEN];

	make_ledger(at(*state, "log", dir), 3, 3);
	batch_scale = 150;
	for (unsigned step = 1; lose_power(*state, step, &announced); step += 23)
		assert_true(step < 10 * STEPS_MAX);
	batch_scale = 1;
	assert_true(announced > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_disk_full_then_retry),
		SCRATCH_TEST(test_disk_full_then_restart),
		SCRATCH_TEST(test_one_io_error_then_retry),
		SCRATCH_TEST(test_errors_at_a_new_segment),
		SCRATCH_TEST(test_retry_into_full_disk),
		SCRATCH_TEST(test_open_with_errors),
		SCRATCH_TEST(test_killed_at_every_step),
		SCRATCH_TEST(test_torn_at_every_write),
		SCRATCH_TEST(test_power_lost_at_every_step),
		SCRATCH_TEST(test_power_lost_after_a_new_segment),
		SCRATCH_TEST(test_power_lost_in_large_commits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
