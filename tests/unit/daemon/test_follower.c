/* SPDX-License-Identifier: Apache-2.0 */
/* The index fills while nobody asks for it, by SQLite's own word, and whatever is done to its file.
 */
#include "daemon/follower.h"

#include "../ledger/ledger_test.h"

#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <uv.h>

#include "base/json.h"
#include "store/record_index.h"

struct place {
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_ledger *ledger;
	struct ww_follower *follower;
};

static void begin(struct scratch *s, struct place *p, uint64_t records)
{
	at(s, "log", p->dir);
	at(s, "log/index.sqlite", p->path);
	make_ledger(p->dir, records, 1000);
	p->ledger = must_open(p->dir);
	assert_int_equal(ww_follower_open(p->dir, ww_ledger_size(p->ledger), &p->follower), 0);
}

static void commit_more(struct place *p, uint64_t records)
{
	append(p->ledger, records);
	commit(p->ledger);
	ww_follower_wake(p->follower, ww_ledger_size(p->ledger));
}

static void end(struct place *p)
{
	ww_follower_close(p->follower);
	ww_ledger_close(p->ledger);
}

struct said {
	uint64_t records, behind, behind_ms;
	bool follows;
};

static uint64_t number(struct ww_slice json, const char *path)
{
	struct ww_json_token t;
	uint64_t n = 0;

	assert_int_equal(ww_json_path(json, path, &t, NULL), WW_PARSE_DONE);
	assert_int_equal(ww_slice_u64(t.raw, &n), 0);
	return n;
}

static struct said status(struct place *p)
{
	WW_AUTO_BUF struct ww_buf b;
	struct ww_json_token why;
	struct ww_jsonw w;
	struct said s;

	ww_buf_init(&b, 4096);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_follower_status(p->follower, &w);
	ww_jsonw_end_object(&w);
	assert_true(ww_jsonw_ok(&w));
	s = (struct said){.records = number(ww_buf_slice(&b), "$.index.records"),
			  .behind = number(ww_buf_slice(&b), "$.index.behind"),
			  .behind_ms = number(ww_buf_slice(&b), "$.index.behindMs")};
	assert_int_equal(ww_json_path(ww_buf_slice(&b), "$.index.why", &why, NULL), WW_PARSE_DONE);
	s.follows = why.type == WW_JSON_NULL;
	return s;
}

/* -1: there is no index to ask. */
static int64_t ask(const char *path, const char *sql)
{
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	int64_t answer = -1;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_busy_timeout(db, 5000) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		answer = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return answer;
}

static int64_t count(const struct place *p)
{
	return ask(p->path, "SELECT count(*) FROM record");
}

/* --- what is waited for ----------------------------------------------------------------------- */

/* The follower rests: with it everything stands as the last look left it. */
static sem_t rests;

int __real_uv_cond_timedwait(uv_cond_t *cond, uv_mutex_t *lock, uint64_t timeout_ns);
int __wrap_uv_cond_timedwait(uv_cond_t *cond, uv_mutex_t *lock, uint64_t timeout_ns);

int __wrap_uv_cond_timedwait(uv_cond_t *cond, uv_mutex_t *lock, uint64_t timeout_ns)
{
	sem_post(&rests);
	return __real_uv_cond_timedwait(cond, lock, timeout_ns);
}

static struct timespec in_a_minute(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 60;
	return t;
}

static void await_post(sem_t *sem, const struct timespec *until)
{
	assert_int_equal(sem_clockwait(sem, CLOCK_MONOTONIC, until), 0);
}

/* It holds now, or after one of the follower's next looks. */
static void await(struct place *p, bool (*holds)(struct place *p, int64_t n), int64_t n)
{
	struct timespec until = in_a_minute();

	while (!holds(p, n))
		await_post(&rests, &until);
}

static bool has_count(struct place *p, int64_t n)
{
	return count(p) == n;
}

static bool is_behind_by(struct place *p, int64_t n)
{
	return status(p).behind == (uint64_t)n;
}

static bool follows(struct place *p, int64_t yes)
{
	return status(p).follows == yes;
}

static void change(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void nobody_asks(void **state)
{
	struct place p;
	struct said s;

	begin(*state, &p, 3000);
	await(&p, is_behind_by, 0);
	assert_int_equal(count(&p), 3000);
	for (int64_t size = 3500; size <= 5000; size += 500) {
		commit_more(&p, 500);
		await(&p, is_behind_by, 0);
		assert_int_equal(count(&p), size);
	}
	s = status(&p);
	assert_true(s.follows && s.records == 5000 && s.behind_ms == 0);
	end(&p);
}

/* What the last commit brought is in it, and the file is good after a power cut. */
static void an_end_takes_the_rest(void **state)
{
	struct place p;

	begin(*state, &p, 3000);
	await(&p, is_behind_by, 0);
	commit_more(&p, 800);
	end(&p);
	assert_int_equal(count(&p), 3800);
	assert_int_equal(ask(p.path, "SELECT count(*) FROM meta WHERE boot = ''"), 1);
	assert_int_equal(access(p.path, F_OK), 0);
}

/* Nothing is committed meanwhile that would wake it. */
static void changed_by_others(void **state)
{
	struct place p;

	begin(*state, &p, 300);
	await(&p, has_count, 300);
	assert_int_equal(unlink(p.path), 0);
	await(&p, has_count, 300);
	spill(p.path, WW_SLICE_LIT("this is no database, and long enough to be read as one"));
	await(&p, has_count, 300);
	change(p.path, "UPDATE meta SET version = 999; DELETE FROM record; DROP TABLE mention");
	await(&p, has_count, 300);
	commit_more(&p, 10);
	await(&p, is_behind_by, 0);
	assert_int_equal(count(&p), 310);
	assert_true(status(&p).follows);
	end(&p);
}

static void kept_locked(void **state)
{
	sqlite3 *other = NULL;
	struct place p;

	begin(*state, &p, 300);
	await(&p, is_behind_by, 0);
	assert_int_equal(sqlite3_open(p.path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	commit_more(&p, 10);
	commit_more(&p, 10); /* the ledger does not wait */
	await(&p, follows, false);
	assert_int_equal(status(&p).behind, 20);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	await(&p, is_behind_by, 0);
	await(&p, follows, true);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	commit_more(&p, 10);
	end(&p); /* does not wait for it, either */
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(count(&p), 320);
}

/* Nor for who has the folder's lock, which the file is made under. */
static void folder_kept_locked(void **state)
{
	struct place p;
	int dir;

	begin(*state, &p, 300);
	await(&p, is_behind_by, 0);
	dir = open(p.dir, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0 && flock(dir, LOCK_EX) == 0);
	assert_int_equal(unlink(p.path), 0);
	commit_more(&p, 10);
	await(&p, follows, false);
	assert_int_equal(flock(dir, LOCK_UN), 0);
	await(&p, has_count, 310);
	assert_true(flock(dir, LOCK_EX) == 0 && unlink(p.path) == 0);
	commit_more(&p, 10);
	end(&p);
	assert_int_equal(access(p.path, F_OK), -1);
	close(dir);
}

/* The writer goes on where it was; what is put in its place has nothing to do with it. */
static void folder_replaced(void **state)
{
	char away[PATH_LEN];
	struct place p;

	begin(*state, &p, 300);
	await(&p, is_behind_by, 0);
	assert_int_equal(rename(p.dir, at(*state, "away", away)), 0);
	make_ledger(p.dir, 20, 20);
	commit_more(&p, 10);
	await(&p, follows, false);
	assert_int_equal(access(p.path, F_OK), -1);
	assert_int_equal(rename(p.dir, at(*state, "other", p.path)), 0);
	assert_int_equal(rename(away, p.dir), 0);
	at(*state, "log/index.sqlite", p.path);
	await(&p, has_count, 310);
	end(&p);
}

static void no_file_possible(void **state)
{
	char inner[2 * PATH_LEN];
	struct place p;
	struct said s;

	at(*state, "log", p.dir);
	make_ledger(p.dir, 10, 10);
	assert_int_equal(mkdir(at(*state, "log/index.sqlite", p.path), 0700), 0);
	snprintf(inner, sizeof(inner), "%s/other", p.path);
	spill(inner, WW_SLICE_NULL);
	begin(*state, &p, 0);
	await(&p, follows, false);
	commit_more(&p, 10);
	s = status(&p);
	assert_true(!s.follows && s.records == 0 && s.behind == 20);
	assert_int_equal(unlink(inner), 0);
	assert_int_equal(rmdir(p.path), 0);
	await(&p, has_count, 20);
	end(&p);
}

struct other {
	const struct place *place;
	_Atomic bool stop;
	bool resets;
	sem_t round; /* one more is done */
};

static bool next_one(void *ctx, uint64_t index)
{
	uint64_t *wanted = ctx;

	assert_int_equal(index, (*wanted)++);
	return true;
}

/* As the commands do; each answer is whole. */
static void *ask_and_fill(void *arg)
{
	struct other *o = arg;

	for (; !o->stop; sem_post(&o->round)) {
		struct ww_ledger_reader *r = NULL;
		struct ww_record_index *x = NULL;
		uint64_t wanted = 0;

		assert_int_equal(ww_ledger_reader_open(o->place->dir, NULL, &r, NULL), 0);
		assert_int_equal(ww_record_index_open(o->place->path, &x), 0);
		if (o->resets)
			assert_int_equal(ww_record_index_reset(x), 0);
		assert_int_equal(ww_record_index_sync(x, r), 0);
		assert_int_equal(ww_record_index_each(x, NULL, 0, next_one, &wanted), 0);
		assert_int_equal(wanted, ww_ledger_reader_head(r)->size);
		ww_record_index_close(x);
		ww_ledger_reader_close(r);
	}
	return NULL;
}

static void check_same(const struct place *p, const char *fresh)
{
	static const char *const tables[] = {"record", "mention"};
	char sql[3 * PATH_LEN];

	for (size_t i = 0; i < 2 * WW_ARRAY_SIZE(tables); i++) {
		snprintf(sql, sizeof(sql), "ATTACH '%s' AS fresh", fresh);
		sqlite3 *db = NULL;
		sqlite3_stmt *s = NULL;

		assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		snprintf(sql, sizeof(sql),
			 "SELECT count(*) FROM (SELECT * FROM %s.%s EXCEPT SELECT * FROM %s.%s)",
			 i % 2 ? "fresh" : "main", tables[i / 2], i % 2 ? "main" : "fresh",
			 tables[i / 2]);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(s), SQLITE_ROW);
		assert_int_equal(sqlite3_column_int64(s, 0), 0);
		sqlite3_finalize(s);
		sqlite3_close(db);
	}
}

/* Everybody at once; in the end the file is what a fresh one would be. */
static void with_others(void **state)
{
	struct place p;
	struct other others[2] = {{.place = &p}, {.place = &p, .resets = true}};
	struct ww_ledger_reader *r = NULL;
	struct ww_record_index *x = NULL;
	struct timespec until = in_a_minute();
	pthread_t threads[2];
	char fresh[PATH_LEN];

	begin(*state, &p, 1000);
	await(&p, is_behind_by, 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sem_init(&others[i].round, 0, 0), 0);
		assert_int_equal(pthread_create(&threads[i], NULL, ask_and_fill, &others[i]), 0);
	}
	for (unsigned i = 0; i < 40; i++) { /* with something to do for all of them */
		commit_more(&p, 50);
		await_post(&others[i % 2].round, &until);
	}
	for (size_t i = 0; i < 2; i++) {
		others[i].stop = true;
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		sem_destroy(&others[i].round);
	}
	await(&p, is_behind_by, 0);
	await(&p, has_count, 3000);
	end(&p);
	assert_int_equal(
		ask(p.path, "SELECT 1 FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
		1);
	assert_int_equal(ww_ledger_reader_open(p.dir, NULL, &r, NULL), 0);
	assert_int_equal(ww_record_index_open(at(*state, "fresh.sqlite", fresh), &x), 0);
	assert_int_equal(ww_record_index_sync(x, r), 0);
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
	check_same(&p, fresh);
}

static void nothing_to_close(void **state)
{
	ww_follower_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_close),  SCRATCH_TEST(nobody_asks),
		SCRATCH_TEST(an_end_takes_the_rest), SCRATCH_TEST(changed_by_others),
		SCRATCH_TEST(kept_locked),           SCRATCH_TEST(folder_kept_locked),
		SCRATCH_TEST(folder_replaced),       SCRATCH_TEST(no_file_possible),
		SCRATCH_TEST(with_others),
	};

	if (sem_init(&rests, 0, 0) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
