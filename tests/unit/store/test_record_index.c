/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_index.h"

#include "../ledger/ledger_test.h"

#include <sqlite3.h>

#include "base/own.h"

struct found {
	unsigned count;
	unsigned stop_after; /* 0: never */
	uint64_t index[64];
};

static bool note(void *ctx, uint64_t index)
{
	struct found *f = ctx;

	f->index[f->count++] = index;
	return f->count != f->stop_after;
}

static void put(struct ww_ledger *l, const char *kind, const char *json)
{
	assert_int_equal(ww_ledger_append(l, kind, ww_slice_str(json), NULL), 0);
}

/* A small story: two processes, flows, exchanges, a finding, a verdict. */
static void make_story(const char *dir)
{
	struct ww_ledger *l = must_open(dir);

	put(l, "life", "{\"kind\":\"life\",\"id\":\"d-1\",\"event\":\"start\"}");
	put(l, "actor", "{\"kind\":\"actor\",\"id\":\"p7-1f\",\"parent\":\"p1-2\"}");
	put(l, "flow", "{\"kind\":\"flow\",\"id\":\"f-5\",\"actor\":\"p7-1f\"}");
	put(l, "exchange",
	    "{\"kind\":\"exchange\",\"id\":\"x-5-1\",\"flow\":\"f-5\",\"actor\":\"p7-1f\"}");
	put(l, "finding", "{\"kind\":\"finding\",\"id\":\"x-5-1\",\"finding\":\"limit\"}");
	put(l, "verdict",
	    "{\"kind\":\"verdict\",\"id\":\"v-aa-1\",\"action\":\"a-aa\",\"refs\":[\"x-5-1\",\"x-5-"
	    "1\"],"
	    "\"wire\":{\"id\":\"x-5-1\"}}");
	put(l, "exchange", "{\"kind\":\"exchange\",\"id\":\"x-5-12\",\"flow\":\"f-5\"}");
	put(l, "actor", "{\"kind\":\"actor\",\"id\":\"p7-1f\",\"exitCode\":0}");
	commit(l);
	ww_ledger_close(l);
}

static struct ww_ledger_reader *reader_of(const char *dir)
{
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};

	if (ww_ledger_reader_open(dir, NULL, &r, &why) < 0)
		fail_msg("%s", why.text);
	return r;
}

static struct ww_record_index *index_of(const char *path, struct ww_ledger_reader *r)
{
	struct ww_record_index *x = NULL;

	assert_int_equal(ww_record_index_open(path, &x), 0);
	assert_int_equal(ww_record_index_sync(x, r), 0);
	return x;
}

static unsigned count_kind(struct ww_record_index *x, const char *kind)
{
	struct found f = {0};

	assert_int_equal(ww_record_index_each(x, kind, 0, note, &f), 0);
	return f.count;
}

static uint64_t find(struct ww_record_index *x, const char *id)
{
	uint64_t index = UINT64_MAX;
	int r = ww_record_index_find(x, ww_slice_str(id), &index);

	if (r < 0)
		fail_msg("%s: %d", id, r);
	return index;
}

static void ids(void **state)
{
	static const char *const no[] = {"",     "p",     "p0",  "f-",   "f",      "5-f",
					 "F-5",  "f-xyz", "f5",  "f-5 ", "call_2", "ff-5",
					 "p7",   "p-",    "p7-", "p-7q", "f-5\n",  "-5",
					 "http", "a-b.c", "POST"};
	static const char *const yes[] = {"f-5", "x-5-1", "p7-1f", "v-00c0ffee-1",
					  "s-0123456789abcdef"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(no); i++)
		assert_false(ww_record_index_is_id(ww_slice_str(no[i])));
	for (size_t i = 0; i < WW_ARRAY_SIZE(yes); i++)
		assert_true(ww_record_index_is_id(ww_slice_str(yes[i])));
}

static void finding_ids(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger_reader *r;
	struct ww_record_index *x;
	uint64_t index = 99;

	make_story(at(*state, "log", dir));
	r = reader_of(dir);
	x = index_of(NULL, r);
	assert_int_equal(find(x, "f-5"), 2);
	assert_int_equal(find(x, "x-5-1"), 3); /* not the finding about it, not x-5-12 */
	assert_int_equal(find(x, "x-5-12"), 6);
	assert_int_equal(find(x, "v-"), 5);
	assert_int_equal(find(x, "p7"), 7); /* the newest of one id */
	assert_int_equal(ww_record_index_find(x, WW_SLICE_LIT("x-5"), &index), -ENOTUNIQ);
	assert_int_equal(ww_record_index_find(x, WW_SLICE_LIT("x-5-2"), &index), -ENOENT);
	assert_int_equal(ww_record_index_find(x, WW_SLICE_LIT(""), &index), -ENOENT);
	assert_int_equal(ww_record_index_find(x, WW_SLICE_LIT("%"), &index), -ENOENT);
	assert_int_equal(ww_record_index_find(x, WW_SLICE_LIT("x-_-1"), &index), -ENOENT);
	assert_int_equal(ww_record_index_find(x, WW_SLICE_LIT("' OR 1=1 --"), &index), -ENOENT);
	assert_int_equal(ww_record_index_get(x, WW_SLICE_LIT("v-"), &index), -ENOENT);
	assert_int_equal(index, 99);
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

/* Of two records of one process, and a finding that is none of the exchange's. */
static void same_id(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger_reader *r;
	struct ww_record_index *x;
	uint64_t is[3] = {0};
	size_t n = 9;

	make_story(at(*state, "log", dir));
	r = reader_of(dir);
	x = index_of(NULL, r);
	assert_int_equal(ww_record_index_same(x, WW_SLICE_LIT("p7-1f"), 8, is, 3, &n), 0);
	assert_true(n == 2 && is[0] == 7 && is[1] == 1);
	assert_int_equal(ww_record_index_same(x, WW_SLICE_LIT("p7-1f"), 8, is, 1, &n), 0);
	assert_true(n == 1 && is[0] == 7);
	assert_int_equal(ww_record_index_same(x, WW_SLICE_LIT("p7-1f"), 7, is, 3, &n), 0);
	assert_true(n == 1 && is[0] == 1);
	assert_int_equal(ww_record_index_same(x, WW_SLICE_LIT("p7-1f"), 1, is, 3, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ww_record_index_same(x, WW_SLICE_LIT("x-5-1"), 8, is, 3, &n), 0);
	assert_true(n == 1 && is[0] == 3);
	assert_int_equal(ww_record_index_same(x, WW_SLICE_LIT(""), 8, is, 3, &n), 0);
	assert_int_equal(n, 0);
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

static void mentions(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger_reader *r;
	struct ww_record_index *x;
	struct found f = {0}, g = {0}, h = {.stop_after = 1};

	make_story(at(*state, "log", dir));
	r = reader_of(dir);
	x = index_of(NULL, r);
	assert_int_equal(ww_record_index_mentions(x, WW_SLICE_LIT("x-5-1"), note, &f), 0);
	assert_int_equal(f.count, 2); /* the finding, the verdict once */
	assert_int_equal(f.index[0], 4);
	assert_int_equal(f.index[1], 5);
	assert_int_equal(ww_record_index_mentions(x, WW_SLICE_LIT("p7-1f"), note, &g), 0);
	assert_int_equal(g.count, 2); /* flow and exchange; the actor itself does not */
	assert_int_equal(ww_record_index_mentions(x, WW_SLICE_LIT("f-5"), note, &h), 0);
	assert_int_equal(h.count, 1); /* stopped */
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

static void kinds(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger_reader *r;
	struct ww_record_index *x;
	struct found f = {0};

	make_story(at(*state, "log", dir));
	r = reader_of(dir);
	x = index_of(NULL, r);
	assert_int_equal(count_kind(x, NULL), 8);
	assert_int_equal(count_kind(x, "exchange"), 2);
	assert_int_equal(count_kind(x, "span"), 0);
	assert_int_equal(ww_record_index_each(x, "exchange", 4, note, &f), 0);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.index[0], 6);
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

/* The index follows the ledger, also through a second handle on the same file. */
static void catching_up(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_record_index *x, *y;
	struct ww_ledger_reader *r;
	struct ww_ledger *l;

	make_story(at(*state, "log", dir));
	at(*state, "index.sqlite", path);
	r = reader_of(dir);
	x = index_of(path, r);
	y = index_of(path, r);
	l = must_open(dir);
	put(l, "flow", "{\"kind\":\"flow\",\"id\":\"f-6\"}");
	commit(l);
	assert_int_equal(ww_record_index_sync(x, r), 0);
	assert_int_equal(count_kind(x, NULL), 8); /* not refreshed yet */
	assert_int_equal(ww_ledger_reader_refresh(r, NULL, NULL), 0);
	assert_int_equal(ww_record_index_sync(x, r), 0);
	assert_int_equal(ww_record_index_sync(y, r), 0); /* somebody was faster */
	assert_int_equal(count_kind(x, "flow"), 2);
	assert_int_equal(count_kind(y, "flow"), 2);
	assert_int_equal(find(y, "f-6"), 8);
	ww_ledger_close(l);
	ww_record_index_close(x);
	ww_record_index_close(y);
	ww_ledger_reader_close(r);
}

static void damage(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Whatever is wrong with the file, the answers come from the ledger. */
static void rebuilt(void **state)
{
	static const char *const damages[] = {
		"UPDATE meta SET version = 999",
		"UPDATE meta SET log = 'another/log+00000000+AA=='",
		"DELETE FROM meta",
		"INSERT INTO record VALUES(500, 'flow', 'f-5')", /* knows more than the log */
		"DROP TABLE mention; DROP TABLE meta",
	};
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_record_index *x;
	struct ww_ledger_reader *r;

	make_story(at(*state, "log", dir));
	at(*state, "index.sqlite", path);
	r = reader_of(dir);
	ww_record_index_close(index_of(path, r));
	for (size_t i = 0; i < WW_ARRAY_SIZE(damages) + 3; i++) {
		if (i < WW_ARRAY_SIZE(damages))
			damage(path, damages[i]);
		else if (i == WW_ARRAY_SIZE(damages))
			spill(path,
			      WW_SLICE_LIT("this is no database, and long enough to be read"));
		else if (i == WW_ARRAY_SIZE(damages) + 1)
			spill(path, WW_SLICE_NULL);
		else
			flip(path, 8 * 20); /* in the header */
		x = index_of(path, r);
		assert_int_equal(count_kind(x, NULL), 8);
		assert_int_equal(find(x, "f-5"), 2);
		ww_record_index_close(x);
	}
	ww_ledger_reader_close(r);
}

/* An index left over from a log that was thrown away: same origin, another key. */
static void other_log(void **state)
{
	char dir[PATH_LEN], other[PATH_LEN], path[PATH_LEN];
	struct ww_record_index *x;
	struct ww_ledger_reader *r;

	make_story(at(*state, "log", dir));
	make_ledger(at(*state, "other", other), 20, 20);
	at(*state, "index.sqlite", path);
	r = reader_of(dir);
	ww_record_index_close(index_of(path, r));
	ww_ledger_reader_close(r);
	r = reader_of(other);
	x = index_of(path, r);
	assert_int_equal(count_kind(x, NULL), 20);
	assert_int_equal(count_kind(x, "flow"), 20);
	assert_int_equal(count_kind(x, "verdict"), 0);
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

static void erased(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger_reader *r;
	struct ww_record_index *x;
	struct ww_ledger *l;
	struct found f = {0};
	uint64_t index;

	make_story(at(*state, "log", dir));
	l = must_open(dir);
	assert_int_equal(ww_ledger_erase(l, 3), 0);
	ww_ledger_close(l);
	r = reader_of(dir);
	x = index_of(NULL, r);
	assert_int_equal(count_kind(x, NULL), 8);
	assert_int_equal(count_kind(x, "exchange"), 2); /* the kind stands in the leaf */
	assert_int_equal(ww_record_index_get(x, WW_SLICE_LIT("x-5-1"), &index), -ENOENT);
	assert_int_equal(ww_record_index_mentions(x, WW_SLICE_LIT("f-5"), note, &f), 0);
	assert_int_equal(f.count, 1);
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

/* More than one transaction. */
static void many(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger_reader *r;
	struct ww_record_index *x;
	uint64_t last = 0;
	struct found f = {0};

	make_ledger(at(*state, "log", dir), 5000, 5000);
	r = reader_of(dir);
	x = index_of(NULL, r);
	assert_int_equal(ww_record_index_each(x, "flow", 4990, note, &f), 0);
	assert_int_equal(f.count, 10);
	assert_int_equal(f.index[9], 4999);
	assert_int_equal(ww_record_index_find(x, WW_SLICE_LIT("r4999"), &last), 0);
	assert_int_equal(last, 4999);
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

/* What SQLite says by itself. */
static void sqlite_says(const char *path, const char *sql, char out[64])
{
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	snprintf(out, 64, "%s", (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	sqlite3_close(db);
}

static void check_says(const char *path, const char *sql, const char *wanted)
{
	char says[64];

	sqlite_says(path, sql, says);
	assert_string_equal(says, wanted);
}

/* A row that no record gave: it is there for as long as the file is not made anew. */
#define PLANT   "INSERT INTO mention VALUES('zz-1', 0)"
#define PLANTED "SELECT count(*) FROM mention WHERE id = 'zz-1'"

static void add_flow(const char *dir)
{
	struct ww_ledger *l = must_open(dir);

	put(l, "flow", "{\"kind\":\"flow\",\"id\":\"f-6\"}");
	commit(l);
	ww_ledger_close(l);
}

/* Somebody else has seen more of the log, and filled the index so far: that is no reason to make it
 * anew, and what the reader has not seen is not in its answers. */
static void filled_further(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_ledger_reader *early, *late;
	struct ww_record_index *x;
	uint64_t index;

	make_story(at(*state, "log", dir));
	early = reader_of(dir);
	add_flow(dir);
	late = reader_of(dir);
	ww_record_index_close(index_of(at(*state, "index.sqlite", path), late));
	damage(path, PLANT);
	x = index_of(path, early);
	assert_int_equal(count_kind(x, NULL), 8);
	assert_int_equal(count_kind(x, "flow"), 1);
	assert_int_equal(ww_record_index_get(x, WW_SLICE_LIT("f-6"), &index), -ENOENT);
	assert_int_equal(ww_record_index_find(x, WW_SLICE_LIT("f-6"), &index), -ENOENT);
	assert_int_equal(ww_record_index_sync(x, late), 0);
	assert_int_equal(find(x, "f-6"), 8);
	check_says(path, PLANTED, "1");
	ww_record_index_close(x);
	ww_ledger_reader_close(early);
	ww_ledger_reader_close(late);
}

struct walk {
	uint64_t count;
	struct ww_record_index *reset; /* on the way */
	struct ww_ledger_reader *reader;
};

static bool walk(void *ctx, uint64_t index)
{
	struct walk *w = ctx;
	uint64_t next;

	assert_int_equal(index, w->count++);
	if (index == 10) {
		assert_int_equal(ww_record_index_reset(w->reset), 0);
		assert_int_equal(ww_record_index_step(w->reset, w->reader, 7, &next), 0);
		assert_int_equal(next, 7);
	}
	return true;
}

/* An answer is whole, whoever makes the index anew while it is given. */
static void made_anew_meanwhile(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_record_index *x, *y;
	struct ww_ledger_reader *r;
	uint64_t index;

	make_ledger(at(*state, "log", dir), 9000, 9000);
	r = reader_of(dir);
	x = index_of(at(*state, "index.sqlite", path), r);
	y = index_of(path, r);

	struct walk w = {.reset = y, .reader = r};

	assert_int_equal(ww_record_index_each(x, NULL, 0, walk, &w), 0);
	assert_int_equal(w.count, 9000);
	assert_int_equal(ww_record_index_reset(y), 0);
	assert_int_equal(ww_record_index_get(x, WW_SLICE_LIT("r8999"), &index), 0);
	assert_int_equal(index, 8999);
	damage(path, "DELETE FROM record WHERE idx > 5; DROP TABLE mention");
	assert_int_equal(ww_record_index_get(x, WW_SLICE_LIT("r7777"), &index), 0);
	assert_int_equal(index, 7777);
	ww_record_index_close(x);
	ww_record_index_close(y);
	check_says(path, "SELECT count(*) FROM record", "9000");
	check_says(path, "PRAGMA integrity_check", "ok");
	ww_ledger_reader_close(r);
}

/* While somebody has it open; what SQLite keeps beside the file stays behind, or goes, too. */
static void removed_meanwhile(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN], side[PATH_LEN];
	struct ww_record_index *x, *y;
	struct ww_ledger_reader *r;

	make_story(at(*state, "log", dir));
	r = reader_of(dir);
	at(*state, "index.sqlite", path);
	for (unsigned i = 0; i < 2; i++) {
		x = index_of(path, r);
		assert_int_equal(unlink(path), 0);
		if (i == 1)
			assert_int_equal(unlink(at(*state, "index.sqlite-wal", side)), 0);
		y = index_of(path, r);
		assert_int_equal(count_kind(y, NULL), 8);
		assert_int_equal(count_kind(x, NULL), 8);
		add_flow(dir);
		assert_int_equal(ww_ledger_reader_refresh(r, NULL, NULL), 0);
		assert_int_equal(ww_record_index_sync(x, r), 0);
		assert_int_equal(ww_record_index_sync(y, r), 0);
		assert_int_equal(count_kind(y, "flow"), 2);
		ww_record_index_close(x); /* must not take the new one's journal with it */
		assert_int_equal(count_kind(y, "flow"), 2);
		ww_record_index_close(y);
		check_says(path, "PRAGMA integrity_check", "ok");
		check_says(path, "SELECT count(*) FROM record", "9");
		ww_ledger_reader_close(r);
		assert_int_equal(unlink(path), 0);
		remove_tree(dir);
		make_story(dir);
		r = reader_of(dir);
	}
	ww_ledger_reader_close(r);
}

static void step_by_step(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_record_index *x = NULL;
	struct ww_ledger_reader *r;
	uint64_t next = 0;

	make_ledger(at(*state, "log", dir), 5000, 5000);
	r = reader_of(dir);
	assert_int_equal(ww_record_index_open_beside(at(*state, "index.sqlite", path), &x), 0);
	for (uint64_t wanted = 2000; wanted <= 6000; wanted += 2000) {
		assert_int_equal(ww_record_index_step(x, r, 2000, &next), 0);
		assert_int_equal(next, wanted < 5000 ? wanted : 5000);
		assert_int_equal(count_kind(x, NULL), 0); /* answers are about the last sync */
	}
	assert_int_equal(ww_record_index_sync(x, r), 0);
	assert_int_equal(find(x, "r4999"), 4999);
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

/* Who fills it beside other work does not wait for another who has it. */
static void locked(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_record_index *x = NULL;
	struct ww_ledger_reader *r;
	sqlite3 *other = NULL;
	uint64_t next = 0;

	make_story(at(*state, "log", dir));
	r = reader_of(dir);
	ww_record_index_close(index_of(at(*state, "index.sqlite", path), r));
	add_flow(dir);
	assert_int_equal(ww_ledger_reader_refresh(r, NULL, NULL), 0);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(ww_record_index_open_beside(path, &x), 0);
	assert_int_equal(ww_record_index_step(x, r, 10, &next), -EBUSY);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(ww_record_index_step(x, r, 10, &next), 0);
	assert_int_equal(next, 9);
	sqlite3_close(other);
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

/* Written to and not synced: good for this boot only. */
static void another_boot(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN], boot[64];
	struct ww_record_index *x;
	struct ww_ledger_reader *r;

	make_story(at(*state, "log", dir));
	r = reader_of(dir);
	x = index_of(at(*state, "index.sqlite", path), r);
	ww_record_index_close(x);
	sqlite_says(path, "SELECT boot FROM meta", boot);
	assert_int_equal(strlen(boot), 36);
	damage(path, PLANT);
	ww_record_index_close(index_of(path, r));
	check_says(path, PLANTED, "1");
	damage(path, "UPDATE meta SET boot = '00000000-0000-0000-0000-000000000000'");
	ww_record_index_close(index_of(path, r));
	check_says(path, PLANTED, "0");
	check_says(path, "SELECT boot FROM meta", boot);

	damage(path, PLANT);
	x = index_of(path, r);
	assert_int_equal(ww_record_index_settle(x), 0);
	check_says(path, "SELECT boot FROM meta", "");
	assert_int_equal(ww_record_index_sync(x, r), 0); /* nothing new: nothing is written */
	check_says(path, "SELECT boot FROM meta", "");
	add_flow(dir);
	assert_int_equal(ww_ledger_reader_refresh(r, NULL, NULL), 0);
	assert_int_equal(ww_record_index_sync(x, r), 0);
	check_says(path, "SELECT boot FROM meta", boot);
	check_says(path, PLANTED, "1");
	ww_record_index_close(x);
	ww_ledger_reader_close(r);
}

static void unusable_place(void **state)
{
	struct ww_record_index *x = NULL;

	assert_true(ww_record_index_open("/proc/none/index.sqlite", &x) < 0);
	assert_null(x);
	ww_record_index_close(NULL);
}

#define WITH_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)

struct told {
	unsigned calls;
	uint64_t first, last, size;
};

static void tell(void *ctx, uint64_t done, uint64_t size)
{
	struct told *t = ctx;

	if (t->calls++ == 0)
		t->first = done;
	else
		assert_true(done > t->last);
	t->last = done;
	t->size = size;
}

/* Forgotten and taken in again, with word of how far it is; nothing new is no word. */
static void test_reset_and_progress(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct told told = {0};

	make_story(at(*state, "log", dir));

	WW_AUTO(ww_ledger_reader_close_auto) struct ww_ledger_reader *r = reader_of(dir);
	WW_AUTO(ww_record_index_close_auto)
	struct ww_record_index *x = index_of(at(*state, "index", path), r);

	ww_record_index_watch(x, tell, &told);
	assert_int_equal(ww_record_index_sync(x, r), 0);
	assert_int_equal(told.calls, 0);
	assert_int_equal(ww_record_index_reset(x), 0);
	assert_int_equal(count_kind(x, "exchange"), 0);
	assert_int_equal(ww_record_index_sync(x, r), 0);
	assert_int_equal(told.calls, 2);
	assert_true(told.first == 0 && told.last == 8 && told.size == 8);
	assert_int_equal(count_kind(x, "exchange"), 2);
	assert_true(find(x, "v-aa-1") == 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_reset_and_progress),
		cmocka_unit_test(ids),
		cmocka_unit_test(unusable_place),
		WITH_SCRATCH(finding_ids),
		WITH_SCRATCH(same_id),
		WITH_SCRATCH(mentions),
		WITH_SCRATCH(kinds),
		WITH_SCRATCH(catching_up),
		WITH_SCRATCH(rebuilt),
		WITH_SCRATCH(other_log),
		WITH_SCRATCH(erased),
		WITH_SCRATCH(many),
		WITH_SCRATCH(filled_further),
		WITH_SCRATCH(made_anew_meanwhile),
		WITH_SCRATCH(removed_meanwhile),
		WITH_SCRATCH(step_by_step),
		WITH_SCRATCH(locked),
		WITH_SCRATCH(another_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
