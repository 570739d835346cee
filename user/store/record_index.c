/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_index.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/json.h"

#define SCHEMA_VERSION 1
#define BATCH_RECORDS  32768 /* a transaction: others wait half a second at most */
#define MENTIONS_MAX                                                                \
	256 /* per record; more are not indexed, the record itself still shows them \
	     */

static const char schema[] =
	"CREATE TABLE meta(version INTEGER, log TEXT);"
	"CREATE TABLE record(idx INTEGER PRIMARY KEY, kind TEXT, id TEXT);"
	"CREATE TABLE mention(id TEXT, idx INTEGER, PRIMARY KEY(id, idx)) WITHOUT ROWID;"
	"CREATE INDEX record_kind ON record(kind, idx);"
	"CREATE INDEX record_id ON record(id, idx);";

struct ww_record_index {
	sqlite3 *db;
	sqlite3_stmt *add_record;
	sqlite3_stmt *add_mention;
	char *path;
	bool checked; /* that the file belongs to this log */
	ww_record_index_progress_fn progress;
	void *progress_ctx;
};

static void finalize(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}

#define AUTO_STMT WW_AUTO(finalize) sqlite3_stmt

static int exec(struct ww_record_index *x, const char *sql)
{
	return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

static int prepare(struct ww_record_index *x, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v2(x->db, sql, -1, ret, NULL) == SQLITE_OK ? 0 : -EIO;
}

static bool version_fits(struct ww_record_index *x)
{
	AUTO_STMT *s = NULL;

	return prepare(x, "SELECT version FROM meta", &s) == 0 && sqlite3_step(s) == SQLITE_ROW &&
	       sqlite3_column_int(s, 0) == SCHEMA_VERSION;
}

static void close_db(struct ww_record_index *x)
{
	sqlite3_finalize(x->add_record);
	sqlite3_finalize(x->add_mention);
	x->add_record = x->add_mention = NULL;
	sqlite3_close(x->db);
	x->db = NULL;
}

static int open_db(struct ww_record_index *x)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

	if (sqlite3_open_v2(x->path ? x->path : ":memory:", &x->db, flags, NULL) != SQLITE_OK)
		return -EIO;
	sqlite3_busy_timeout(x->db, 5000);
	/* The ledger is the truth: losing the tail of a cache costs a rebuild, nothing else. Ids
	 * come in no order: with the memory that SQLite takes by itself, each would be a read. */
	return exec(x,
		    "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;");
}

/* Starts anew with an empty file. */
static int recreate(struct ww_record_index *x)
{
	char side[4096];
	int r;

	close_db(x);
	if (x->path) {
		if (unlink(x->path) < 0 && errno != ENOENT)
			return -errno;
		snprintf(side, sizeof(side), "%s-wal", x->path);
		unlink(side);
		snprintf(side, sizeof(side), "%s-shm", x->path);
		unlink(side);
	}
	r = open_db(x);
	return r < 0 ? r : exec(x, schema);
}

static int prepare_inserts(struct ww_record_index *x)
{
	int r = prepare(x, "INSERT INTO record VALUES(?,?,?)", &x->add_record);

	return r < 0 ? r : prepare(x, "INSERT OR IGNORE INTO mention VALUES(?,?)", &x->add_mention);
}

int ww_record_index_open(const char *path, struct ww_record_index **ret_index)
{
	WW_AUTO(ww_record_index_close_auto) struct ww_record_index *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	if (path) {
		x->path = strdup(path);
		if (!x->path)
			return -ENOMEM;
	}
	r = open_db(x);
	if (r < 0 || !version_fits(x))
		r = recreate(x);
	if (r < 0)
		return r;
	*ret_index = WW_TAKE(x);
	return 0;
}

void ww_record_index_close(struct ww_record_index *x)
{
	if (!x)
		return;
	close_db(x);
	free(x->path);
	free(x);
}

/* --- taking records in ---------------------------------------------------------------------- */

bool ww_record_index_is_id(struct ww_slice s)
{
	size_t at = 1;

	if (s.n < 3 || s.n > 128 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	while (s.p[0] == 'p' && at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
		at++;
	if (at >= s.n || s.p[at] != '-' || at + 1 == s.n)
		return false;
	for (at++; at < s.n; at++) {
		uint8_t c = s.p[at];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'))
			return false;
	}
	return true;
}

static int add_mention(struct ww_record_index *x, struct ww_slice id, uint64_t index)
{
	sqlite3_reset(x->add_mention);
	sqlite3_bind_text(x->add_mention, 1, (const char *)id.p, (int)id.n, SQLITE_STATIC);
	sqlite3_bind_int64(x->add_mention, 2, (sqlite3_int64)index);
	return sqlite3_step(x->add_mention) == SQLITE_DONE ? 0 : -EIO;
}

static int add_record(struct ww_record_index *x, uint64_t index, struct ww_slice kind,
		      struct ww_slice json)
{
	struct ww_slice id = WW_SLICE_NULL;
	struct ww_json_token t;
	struct ww_json j;
	bool about = ww_slice_eq_str(kind, "finding"); /* its id is that of its subject */
	bool key_is_id = false;
	unsigned mentions = 0;

	ww_json_init(&j, json);
	while (ww_json_next(&j, &t) == WW_PARSE_DONE) {
		if (t.type == WW_JSON_STRING && key_is_id && t.depth == 1 && !about)
			id = t.raw;
		else if (t.type == WW_JSON_STRING && ww_record_index_is_id(t.raw) &&
			 mentions++ < MENTIONS_MAX && add_mention(x, t.raw, index) < 0)
			return -EIO;
		key_is_id = t.type == WW_JSON_KEY && ww_slice_eq_str(t.raw, "id");
	}
	sqlite3_reset(x->add_record);
	sqlite3_bind_int64(x->add_record, 1, (sqlite3_int64)index);
	sqlite3_bind_text(x->add_record, 2, (const char *)kind.p, (int)kind.n, SQLITE_STATIC);
	sqlite3_bind_text(x->add_record, 3, id.p ? (const char *)id.p : "", (int)id.n,
			  SQLITE_STATIC);
	return sqlite3_step(x->add_record) == SQLITE_DONE ? 0 : -EIO;
}

static uint64_t next_index(struct ww_record_index *x)
{
	AUTO_STMT *s = NULL;

	if (prepare(x, "SELECT coalesce(max(idx) + 1, 0) FROM record", &s) < 0 ||
	    sqlite3_step(s) != SQLITE_ROW)
		return 0;
	return (uint64_t)sqlite3_column_int64(s, 0);
}

/* The file must be about this log, known by its key, and not know more than it. */
static int check_log(struct ww_record_index *x, struct ww_ledger_reader *reader, uint64_t size)
{
	char log[WW_NOTE_KEY_TEXT_MAX];
	AUTO_STMT *get = NULL;
	AUTO_STMT *put = NULL;
	int r = prepare(x, "SELECT log FROM meta", &get);

	ww_note_key_text(ww_ledger_reader_key(reader), log);
	if (r == 0 && sqlite3_step(get) == SQLITE_ROW && sqlite3_column_text(get, 0) &&
	    strcmp((const char *)sqlite3_column_text(get, 0), log) == 0 && next_index(x) <= size)
		return 0;
	sqlite3_finalize(WW_TAKE(get));
	r = recreate(x);
	if (r == 0)
		r = prepare(x, "INSERT INTO meta VALUES(?, ?)", &put);
	if (r < 0)
		return r;
	sqlite3_bind_int(put, 1, SCHEMA_VERSION);
	sqlite3_bind_text(put, 2, log, -1, SQLITE_STATIC);
	return sqlite3_step(put) == SQLITE_DONE ? 0 : -EIO;
}

static int add_from_ledger(struct ww_record_index *x, struct ww_ledger_reader *reader, uint64_t i)
{
	struct ww_payload rec;
	int r = ww_ledger_reader_get(reader, i, &rec);

	if (r == 0 && rec.erased)
		return add_record(x, i, rec.kind, WW_SLICE_NULL);
	if (r == -ENODATA) /* its segment is missing */
		return add_record(x, i, WW_SLICE_LIT("missing"), WW_SLICE_NULL);
	return r == 0 ? add_record(x, i, rec.kind, rec.json) : r;
}

/* One transaction; another process may have been faster. *ret_next: how far the index goes now. */
static int sync_batch(struct ww_record_index *x, struct ww_ledger_reader *reader, uint64_t size,
		      uint64_t *ret_next)
{
	int r = exec(x, "BEGIN IMMEDIATE");
	uint64_t from, i;

	if (r < 0)
		return r;
	from = next_index(x);
	for (i = from; r == 0 && i < size && i - from < BATCH_RECORDS; i++)
		r = add_from_ledger(x, reader, i);
	if (r < 0) {
		(void)exec(x, "ROLLBACK"); /* the error before it is the one to tell */
		return r;
	}
	*ret_next = i;
	return exec(x, "COMMIT");
}

void ww_record_index_watch(struct ww_record_index *x, ww_record_index_progress_fn fn, void *ctx)
{
	x->progress = fn;
	x->progress_ctx = ctx;
}

int ww_record_index_reset(struct ww_record_index *x)
{
	x->checked = false;
	return recreate(x);
}

static void tell(const struct ww_record_index *x, uint64_t done, uint64_t size)
{
	if (x->progress)
		x->progress(x->progress_ctx, done, size);
}

int ww_record_index_sync(struct ww_record_index *x, struct ww_ledger_reader *reader)
{
	uint64_t size = ww_ledger_reader_head(reader)->size;
	uint64_t next;
	int r = 0;

	if (!x->checked)
		r = check_log(x, reader, size);
	if (r == 0 && !x->add_record)
		r = prepare_inserts(x);
	if (r < 0)
		return r;
	x->checked = true;
	next = next_index(x);
	if (next < size)
		tell(x, next, size);
	while (r == 0 && next < size) {
		r = sync_batch(x, reader, size, &next);
		if (r == 0)
			tell(x, next, size);
	}
	return r;
}

int ww_record_index_add(struct ww_record_index *x, uint64_t index, struct ww_slice kind,
			struct ww_slice json)
{
	int r = x->add_record ? 0 : prepare_inserts(x);

	return r < 0 ? r : add_record(x, index, kind, json);
}

/* --- asking ----------------------------------------------------------------------------------- */

static int each_row(sqlite3_stmt *s, bool (*fn)(void *ctx, uint64_t index), void *ctx)
{
	int r;

	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		if (!fn(ctx, (uint64_t)sqlite3_column_int64(s, 0)))
			return 0;
	}
	return r == SQLITE_DONE ? 0 : -EIO;
}

int ww_record_index_each(struct ww_record_index *x, const char *kind, uint64_t from,
			 bool (*fn)(void *ctx, uint64_t index), void *ctx)
{
	AUTO_STMT *s = NULL;
	int r = prepare(x,
			kind ? "SELECT idx FROM record WHERE idx >= ? AND kind = ? ORDER BY idx"
			     : "SELECT idx FROM record WHERE idx >= ? ORDER BY idx",
			&s);

	if (r < 0)
		return r;
	sqlite3_bind_int64(s, 1, (sqlite3_int64)from);
	if (kind)
		sqlite3_bind_text(s, 2, kind, -1, SQLITE_STATIC);
	return each_row(s, fn, ctx);
}

/* What the query yields first; -ENOENT when it yields nothing. */
static int first_index(sqlite3_stmt *s, uint64_t *ret_index)
{
	int r = sqlite3_step(s);

	if (r != SQLITE_ROW)
		return r == SQLITE_DONE ? -ENOENT : -EIO;
	*ret_index = (uint64_t)sqlite3_column_int64(s, 0);
	return 0;
}

int ww_record_index_get(struct ww_record_index *x, struct ww_slice id, uint64_t *ret_index)
{
	AUTO_STMT *s = NULL;
	int r = prepare(x, "SELECT idx FROM record WHERE id = ? ORDER BY idx DESC LIMIT 1", &s);

	if (r < 0)
		return r;
	sqlite3_bind_text(s, 1, (const char *)id.p, (int)id.n, SQLITE_STATIC);
	return id.n > 0 ? first_index(s, ret_index) : -ENOENT;
}

int ww_record_index_find(struct ww_record_index *x, struct ww_slice id, uint64_t *ret_index)
{
	AUTO_STMT *s = NULL;
	uint64_t found;
	int r = ww_record_index_get(x, id, ret_index);

	if (r != -ENOENT || id.n == 0)
		return r;
	/* Ids are ASCII: what begins with the text lies between it and it with DEL behind. */
	r = prepare(x,
		    "SELECT max(idx) FROM record WHERE id >= ?1 AND id < ?1 || char(127) "
		    "GROUP BY id LIMIT 2",
		    &s);
	if (r < 0)
		return r;
	sqlite3_bind_text(s, 1, (const char *)id.p, (int)id.n, SQLITE_STATIC);
	r = first_index(s, &found);
	if (r < 0)
		return r;
	if (sqlite3_step(s) != SQLITE_DONE)
		return -ENOTUNIQ;
	*ret_index = found;
	return 0;
}

int ww_record_index_mentions(struct ww_record_index *x, struct ww_slice id,
			     bool (*fn)(void *ctx, uint64_t index), void *ctx)
{
	AUTO_STMT *s = NULL;
	int r = prepare(x, "SELECT idx FROM mention WHERE id = ? ORDER BY idx", &s);

	if (r < 0)
		return r;
	sqlite3_bind_text(s, 1, (const char *)id.p, (int)id.n, SQLITE_STATIC);
	return each_row(s, fn, ctx);
}
