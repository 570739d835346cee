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
		WITH_SCRATCH(mentions),
		WITH_SCRATCH(kinds),
		WITH_SCRATCH(catching_up),
		WITH_SCRATCH(rebuilt),
		WITH_SCRATCH(other_log),
		WITH_SCRATCH(erased),
		WITH_SCRATCH(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
