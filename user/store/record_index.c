/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_index.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/json.h"
#include "rt/file.h"

#define SCHEMA_VERSION 2
#define BATCH_RECORDS  32768 /* a transaction: others wait half a second at most */
#define CHUNK_ROWS     4096  /* of an answer, read at once */
#define MENTIONS_MAX                                                                \
	256 /* per record; more are not indexed, the record itself still shows them \
	     */

static const char schema[] =
	"CREATE TABLE meta(version INTEGER, log TEXT, boot TEXT);"
	"CREATE TABLE record(idx INTEGER PRIMARY KEY, kind TEXT, id TEXT);"
	"CREATE TABLE mention(id TEXT, idx INTEGER, PRIMARY KEY(id, idx)) WITHOUT ROWID;"
	"CREATE INDEX record_kind ON record(kind, idx);"
	"CREATE INDEX record_id ON record(id, idx);";

struct ww_record_index {
	sqlite3 *db;
	sqlite3_stmt *add_record;
	sqlite3_stmt *add_mention;
	char *path;    /* NULL: in memory */
	char boot[64]; /* the kernel's name of this boot */
	bool beside;
	struct ww_ledger_reader *reader; /* of the last sync; NULL: none */
	uint64_t size;                   /* answers are about the records before this one */
	ww_record_index_progress_fn progress;
	void *progress_ctx;
};

static void finalize(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}

#define AUTO_STMT WW_AUTO(finalize) sqlite3_stmt

/* What SQLite's last error means. -EBADMSG: what is there is not our index, or no more. */
static int failure(const struct ww_record_index *x)
{
	int e = sqlite3_system_errno(x->db);

	switch (sqlite3_errcode(x->db)) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_SCHEMA:
	case SQLITE_CONSTRAINT:
	case SQLITE_ERROR: /* a table is missing, or is another one */
		return -EBADMSG;
	default:
		return e > 0 ? -e : -EIO;
	}
}

static int exec(struct ww_record_index *x, const char *sql)
{
	return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failure(x);
}

static int prepare(struct ww_record_index *x, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v2(x->db, sql, -1, ret, NULL) == SQLITE_OK ? 0 : failure(x);
}

/* 1: a row is there; 0: none; or -errno. */
static int row(struct ww_record_index *x, sqlite3_stmt *s)
{
	int r = sqlite3_step(s);

	return r == SQLITE_ROW ? 1 : r == SQLITE_DONE ? 0 : failure(x);
}

static int done(struct ww_record_index *x, sqlite3_stmt *s)
{
	int r = row(x, s);

	return r < 0 ? r : 0;
}

/* --- the file --------------------------------------------------------------------------------- */

/* Anybody who may read the folder can hold its lock, for as long as he likes. */
static int lock_folder(int dir, unsigned patience_ms)
{
	for (unsigned ms = 0; flock(dir, LOCK_EX | LOCK_NB) < 0; ms++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (ms >= patience_ms)
			return -EBUSY;
		usleep(1000);
	}
	return 0;
}

/*
 * Makes the file when it is missing. What SQLite keeps beside it is then left over from one that
 * was removed, and somebody who still reads that one may have it open: it must be out of the way
 * before the new file is there. The lock is against others who find it missing, too.
 */
static int make_file(const char *path, unsigned patience_ms)
{
	WW_AUTO_FD int dir = -1;
	char side[4096];
	char *slash;
	int r;

	if (access(path, F_OK) == 0)
		return 0;
	snprintf(side, sizeof(side), "%s", path);
	slash = strrchr(side, '/');
	if (slash)
		*slash = '\0';
	dir = open(slash ? side : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	r = lock_folder(dir, patience_ms);
	if (r < 0)
		return r;
	if (access(path, F_OK) == 0)
		return 0;
	snprintf(side, sizeof(side), "%s-wal", path);
	(void)unlink(side);
	snprintf(side, sizeof(side), "%s-shm", path);
	(void)unlink(side);
	/* Not by open(): closing it again would drop the locks of this process's connections. */
	return mknod(path, S_IFREG | 0600, 0) < 0 && errno != EEXIST ? -errno : 0;
}

/*
 * Nothing is synced while records are taken in: it would keep the ledger's own syncs waiting. After
 * a power cut the file may then have lost any page without a sign of it, so `boot` in it says in
 * which boot that may be: under another one it is made anew. The word is on the disk before the
 * first record and after the last one (set_boot, ww_record_index_settle).
 *
 * Ids come in no order: with the memory that SQLite takes by itself, each would be a read.
 */
static int set_up(struct ww_record_index *x)
{
	int r = exec(x, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY;"
			"PRAGMA journal_size_limit=67108864;");

	if (r < 0)
		return r;
	return exec(x, x->beside ? "PRAGMA cache_size=-4096" : "PRAGMA cache_size=-65536");
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
	unsigned patience_ms = x->beside ? 100 : 5000;
	int r = x->path ? make_file(x->path, patience_ms) : 0;

	if (r < 0)
		return r;
	r = sqlite3_open_v2(x->path ? x->path : ":memory:", &x->db, flags, NULL);
	if (r != SQLITE_OK)
		return x->db ? failure(x) : -ENOMEM;
	sqlite3_busy_timeout(x->db, (int)patience_ms);
	return set_up(x);
}

/* All that is committed goes into the file itself. -EBUSY: others read what was before it. */
static int checkpoint(struct ww_record_index *x)
{
	AUTO_STMT *s = NULL;
	int r = prepare(x, "PRAGMA wal_checkpoint(FULL)", &s);

	if (r == 0)
		r = row(x, s);
	if (r <= 0)
		return r;
	return sqlite3_column_int(s, 0) ? -EBUSY : 0;
}

/* Empties the file in place, whatever is in it: those who have it open go on with it. (Were it
 * removed instead, two could write into one journal.) */
static int wipe(struct ww_record_index *x)
{
	int r;

	sqlite3_finalize(x->add_record);
	sqlite3_finalize(x->add_mention);
	x->add_record = x->add_mention = NULL;
	(void)exec(x, "PRAGMA synchronous=FULL"); /* cannot be, and that is told by the next */
	sqlite3_db_config(x->db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL);
	r = exec(x, "VACUUM");
	sqlite3_db_config(x->db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
	if (r == 0)
		r = checkpoint(x);
	return r < 0 ? r : set_up(x);
}

static int open_index(const char *path, bool beside, struct ww_record_index **ret_index)
{
	WW_AUTO(ww_record_index_close_auto) struct ww_record_index *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	x->beside = beside;
	if (path) {
		x->path = strdup(path);
		if (!x->path)
			return -ENOMEM;
		r = ww_file_line("/proc/sys/kernel/random/boot_id", x->boot, sizeof(x->boot));
		if (r < 0)
			return r;
	}
	r = open_db(x);
	if (r == -EBADMSG)
		r = wipe(x);
	if (r < 0)
		return r;
	*ret_index = WW_TAKE(x);
	return 0;
}

int ww_record_index_open(const char *path, struct ww_record_index **ret_index)
{
	return open_index(path, false, ret_index);
}

int ww_record_index_open_beside(const char *path, struct ww_record_index **ret_index)
{
	return open_index(path, true, ret_index);
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
	return done(x, x->add_mention);
}

static int add_record(struct ww_record_index *x, uint64_t index, struct ww_slice kind,
		      struct ww_slice json)
{
	struct ww_slice id = WW_SLICE_NULL;
	struct ww_slice last = WW_SLICE_NULL; /* an actor is mostly its own root */
	struct ww_json_token t;
	struct ww_json j;
	bool about = ww_slice_eq_str(kind, "finding"); /* its id is that of its subject */
	bool key_is_id = false;
	unsigned mentions = 0;
	int r;

	ww_json_init(&j, json);
	while (ww_json_next(&j, &t) == WW_PARSE_DONE) {
		if (t.type == WW_JSON_STRING && key_is_id && t.depth == 1 && !about)
			id = t.raw;
		else if (t.type == WW_JSON_STRING && ww_record_index_is_id(t.raw) &&
			 !ww_slice_eq(t.raw, last) && mentions++ < MENTIONS_MAX) {
			last = t.raw;
			r = add_mention(x, t.raw, index);
			if (r < 0)
				return r;
		}
		key_is_id = t.type == WW_JSON_KEY && ww_slice_eq_str(t.raw, "id");
	}
	sqlite3_reset(x->add_record);
	sqlite3_bind_int64(x->add_record, 1, (sqlite3_int64)index);
	sqlite3_bind_text(x->add_record, 2, (const char *)kind.p, (int)kind.n, SQLITE_STATIC);
	sqlite3_bind_text(x->add_record, 3, id.p ? (const char *)id.p : "", (int)id.n,
			  SQLITE_STATIC);
	return done(x, x->add_record);
}

static int prepare_inserts(struct ww_record_index *x)
{
	int r = x->add_record ? 0 : prepare(x, "INSERT INTO record VALUES(?,?,?)", &x->add_record);

	if (r == 0 && !x->add_mention)
		r = prepare(x, "INSERT OR IGNORE INTO mention VALUES(?,?)", &x->add_mention);
	return r;
}

static int next_index(struct ww_record_index *x, uint64_t *ret_next)
{
	AUTO_STMT *s = NULL;
	int r = prepare(x, "SELECT coalesce(max(idx) + 1, 0) FROM record", &s);

	if (r == 0)
		r = row(x, s);
	if (r < 0)
		return r;
	*ret_next = (uint64_t)sqlite3_column_int64(s, 0);
	return 0;
}

static bool column_is(sqlite3_stmt *s, int column, const char *text)
{
	const char *is = (const char *)sqlite3_column_text(s, column);

	return is && strcmp(is, text) == 0;
}

/* The file must be about this log, known by its key, and its pages those that were written.
 * *ret_settled: they are on the disk. */
static int check_meta(struct ww_record_index *x, struct ww_ledger_reader *reader, bool *ret_settled)
{
	char log[WW_NOTE_KEY_TEXT_MAX];
	AUTO_STMT *s = NULL;
	int r = prepare(x, "SELECT log, boot FROM meta WHERE version = ?", &s);

	ww_note_key_text(ww_ledger_reader_key(reader), log);
	if (r == 0) {
		sqlite3_bind_int(s, 1, SCHEMA_VERSION);
		r = row(x, s);
	}
	if (r < 0)
		return r;
	if (r == 0 || !column_is(s, 0, log) || (!column_is(s, 1, "") && !column_is(s, 1, x->boot)))
		return -EBADMSG;
	*ret_settled = x->path && column_is(s, 1, "");
	return 0;
}

/* And it must not know more than the log. 0: *ret_next is how far it goes; -EBADMSG: it does not
 * fit; or -errno. */
static int check_log(struct ww_record_index *x, struct ww_ledger_reader *reader, bool *ret_settled,
		     uint64_t *ret_next)
{
	uint64_t next = 0, committed = ww_ledger_reader_head(reader)->size;
	int r = check_meta(x, reader, ret_settled);

	if (r == 0)
		r = next_index(x, &next);
	if (r == 0 && next > committed) /* others fill it, too, and may have seen more of the log */
		r = ww_ledger_reader_committed(reader, &committed);
	if (r < 0)
		return r;
	if (next > committed)
		return -EBADMSG;
	*ret_next = next;
	return 0;
}

static int update_boot(struct ww_record_index *x, const char *boot)
{
	AUTO_STMT *s = NULL;
	int r = prepare(x, "UPDATE meta SET boot = ?", &s);

	if (r < 0)
		return r;
	sqlite3_bind_text(s, 1, boot, -1, SQLITE_STATIC);
	return done(x, s);
}

/* From now on pages may be lost with this boot. That much is on the disk when this returns. */
static int unsettle(struct ww_record_index *x)
{
	int r = exec(x, "PRAGMA synchronous=FULL");

	if (r == 0)
		r = update_boot(x, x->boot);
	if (r == 0)
		r = checkpoint(x);
	return r < 0 ? r : exec(x, "PRAGMA synchronous=OFF");
}

/* Within a transaction: gives an empty file its tables, and says that it is about this log. */
static int make_tables(struct ww_record_index *x, struct ww_ledger_reader *reader)
{
	char log[WW_NOTE_KEY_TEXT_MAX];
	AUTO_STMT *any = NULL;
	AUTO_STMT *put = NULL;
	int r = prepare(x, "SELECT 1 FROM sqlite_master LIMIT 1", &any);

	if (r == 0)
		r = row(x, any);
	if (r != 0)
		return r < 0 ? r : 0;
	r = exec(x, schema);
	if (r == 0)
		r = prepare(x, "INSERT INTO meta VALUES(?, ?, ?)", &put);
	if (r < 0)
		return r;
	ww_note_key_text(ww_ledger_reader_key(reader), log);
	sqlite3_bind_int(put, 1, SCHEMA_VERSION);
	sqlite3_bind_text(put, 2, log, -1, SQLITE_STATIC);
	sqlite3_bind_text(put, 3, x->boot, -1, SQLITE_STATIC);
	return done(x, put);
}

static int add_from_ledger(struct ww_record_index *x, struct ww_ledger_reader *reader, uint64_t i)
{
	struct ww_payload rec;
	int r = ww_ledger_reader_get(reader, i, &rec);

	if (r == 0 && rec.erased)
		return add_record(x, i, rec.kind, WW_SLICE_NULL);
	if (r == -ENODATA) /* its segment is missing */
		return add_record(x, i, WW_SLICE_LIT("missing"), WW_SLICE_NULL);
	if (r ==
	    -EBADMSG) /* of the file system under the ledger: making this file anew cannot help */
		return -EIO;
	return r == 0 ? add_record(x, i, rec.kind, rec.json) : r;
}

/* One transaction; another process may have been faster. */
static int add_batch(struct ww_record_index *x, struct ww_ledger_reader *reader, uint64_t records,
		     uint64_t *ret_next)
{
	uint64_t size = ww_ledger_reader_head(reader)->size, next = 0;
	bool settled = false;
	int r = exec(x, "BEGIN IMMEDIATE");

	if (r < 0)
		return r;
	r = make_tables(x, reader);
	if (r == 0)
		r = check_log(x, reader, &settled, &next);
	if (r == 0 && settled)
		r = -EBUSY; /* just now, by its other user */
	if (r == 0)
		r = prepare_inserts(x);
	for (; r == 0 && next < size && records > 0; records--)
		r = add_from_ledger(x, reader, next++);
	if (r == 0)
		r = exec(x, "COMMIT");
	if (r < 0) {
		(void)exec(x, "ROLLBACK"); /* the error before it is the one to tell */
		return r;
	}
	*ret_next = next;
	return 0;
}

int ww_record_index_step(struct ww_record_index *x, struct ww_ledger_reader *reader,
			 uint64_t records, uint64_t *ret_next)
{
	bool settled = false;
	int r = check_log(x, reader, &settled, ret_next);

	if (r == 0 && *ret_next >= ww_ledger_reader_head(reader)->size)
		return 0; /* and nobody was kept waiting for it */
	r = settled ? unsettle(x) : 0;
	if (r < 0)
		return r;
	r = add_batch(x, reader, records, ret_next);
	if (r != -EBADMSG)
		return r;
	r = wipe(x);
	if (r == 0)
		r = add_batch(x, reader, records, ret_next);
	return r;
}

void ww_record_index_watch(struct ww_record_index *x, ww_record_index_progress_fn fn, void *ctx)
{
	x->progress = fn;
	x->progress_ctx = ctx;
}

int ww_record_index_reset(struct ww_record_index *x)
{
	x->reader = NULL;
	x->size = 0;
	return wipe(x);
}

static void tell(const struct ww_record_index *x, uint64_t done, uint64_t size)
{
	if (x->progress)
		x->progress(x->progress_ctx, done, size);
}

static int fill(struct ww_record_index *x, struct ww_ledger_reader *reader)
{
	uint64_t size = ww_ledger_reader_head(reader)->size, next = 0;
	bool settled;
	int r = check_log(x, reader, &settled, &next);

	if (r < 0 || next < size)
		tell(x, r < 0 ? 0 : next, size);
	while (r < 0 || next < size) {
		r = ww_record_index_step(x, reader, BATCH_RECORDS, &next);
		if (r < 0)
			return r;
		tell(x, next < size ? next : size, size);
	}
	return 0;
}

int ww_record_index_sync(struct ww_record_index *x, struct ww_ledger_reader *reader)
{
	int r = fill(x, reader);

	if (r < 0)
		return r;
	x->reader = reader;
	x->size = ww_ledger_reader_head(reader)->size;
	return 0;
}

/* Changes with each commit of others. */
static int data_version(struct ww_record_index *x, int *ret_version)
{
	AUTO_STMT *s = NULL;
	int r = prepare(x, "PRAGMA data_version", &s);

	if (r == 0)
		r = row(x, s);
	if (r > 0)
		*ret_version = sqlite3_column_int(s, 0);
	return r < 0 ? r : 0;
}

static int sync_file(struct ww_record_index *x)
{
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(x->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
	    file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		return -EIO;
	return 0;
}

int ww_record_index_settle(struct ww_record_index *x)
{
	int before = 0, now = 0;
	int r = data_version(x, &before);

	if (r == 0)
		r = exec(x, "PRAGMA synchronous=FULL");
	if (r == 0)
		r = checkpoint(x);
	if (r == 0)
		r = sync_file(x);
	if (r == 0)
		r = exec(x, "BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	r = data_version(x, &now);
	if (r == 0 && now != before)
		r = -EBUSY; /* and what they wrote is not synced */
	if (r == 0)
		r = update_boot(x, "");
	if (r == 0)
		r = exec(x, "COMMIT");
	if (r < 0) {
		(void)exec(x, "ROLLBACK"); /* the error before it is the one to tell */
		return r;
	}
	r = checkpoint(x);
	return r < 0 ? r : exec(x, "PRAGMA synchronous=OFF");
}

int ww_record_index_add(struct ww_record_index *x, uint64_t index, struct ww_slice kind,
			struct ww_slice json)
{
	int r = x->add_record ? 0 : exec(x, schema);

	if (r == 0)
		r = prepare_inserts(x);
	if (r < 0)
		return r;
	x->size = index + 1;
	return add_record(x, index, kind, json);
}

/* --- asking ----------------------------------------------------------------------------------- */

/*
 * A transaction that sees everything up to the last sync. Another process may have made the index
 * anew since (`reindex`): it is then filled again. Not held while answers are used: the journal
 * could not shrink.
 */
static int begin(struct ww_record_index *x)
{
	uint64_t next = 0, wanted = x->size;
	int r = exec(x, "BEGIN");

	if (r < 0 || !x->reader)
		return r;
	if (wanted > ww_ledger_reader_head(x->reader)->size) /* it was rewound */
		wanted = ww_ledger_reader_head(x->reader)->size;
	for (unsigned tries = 0; tries < 3; tries++) {
		r = next_index(x, &next);
		if (r == 0 && next >= wanted)
			return 0;
		(void)exec(x, "ROLLBACK"); /* nothing was written */
		r = fill(x, x->reader);
		if (r == 0)
			r = exec(x, "BEGIN");
		if (r < 0)
			return r;
	}
	(void)exec(x, "ROLLBACK");
	return -EBUSY;
}

static int read_rows(struct ww_record_index *x, const char *sql, struct ww_slice text,
		     uint64_t from, uint64_t *rows, size_t room, size_t *ret_count)
{
	sqlite3_stmt *s = NULL;
	size_t n = 0;
	int r = begin(x);

	if (r < 0)
		return r;
	r = prepare(x, sql, &s);
	if (r == 0) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)from);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)x->size);
		if (text.p)
			sqlite3_bind_text(s, 3, (const char *)text.p, (int)text.n, SQLITE_STATIC);
	}
	while (r == 0 && n < room) {
		r = row(x, s);
		if (r <= 0)
			break;
		rows[n++] = (uint64_t)sqlite3_column_int64(s, 0);
		r = 0;
	}
	sqlite3_finalize(s);
	(void)exec(x, "ROLLBACK"); /* nothing was written */
	*ret_count = n;
	return r;
}

/* The first rows, one column each. ?1: `from`, where they begin, ?2: the index behind the last
 * sync's last, ?3: `text`, which may be NULL. */
static int ask(struct ww_record_index *x, const char *sql, struct ww_slice text, uint64_t from,
	       uint64_t *rows, size_t room, size_t *ret_count)
{
	int r;

	*ret_count = 0;
	if (x->size == 0)
		return 0;
	r = read_rows(x, sql, text, from, rows, room, ret_count);
	if (r != -EBADMSG || !x->reader)
		return r;
	r = wipe(x); /* damaged where nobody looked before */
	return r < 0 ? r : read_rows(x, sql, text, from, rows, room, ret_count);
}

static int each(struct ww_record_index *x, const char *sql, struct ww_slice text, uint64_t from,
		bool (*fn)(void *ctx, uint64_t index), void *ctx)
{
	WW_AUTO_FREE uint64_t *rows = malloc(CHUNK_ROWS * sizeof(*rows));
	size_t n = CHUNK_ROWS;

	if (!rows)
		return -ENOMEM;
	while (n == CHUNK_ROWS) {
		int r = ask(x, sql, text, from, rows, CHUNK_ROWS, &n);

		if (r < 0)
			return r;
		for (size_t i = 0; i < n; i++) {
			if (!fn(ctx, rows[i]))
				return 0;
			from = rows[i] + 1;
		}
	}
	return 0;
}

int ww_record_index_each(struct ww_record_index *x, const char *kind, uint64_t from,
			 bool (*fn)(void *ctx, uint64_t index), void *ctx)
{
	return each(x,
		    kind ? "SELECT idx FROM record WHERE idx >= ?1 AND idx < ?2 AND kind = ?3 "
			   "ORDER BY idx"
			 : "SELECT idx FROM record WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
		    kind ? ww_slice_str(kind) : WW_SLICE_NULL, from, fn, ctx);
}

int ww_record_index_same(struct ww_record_index *x, struct ww_slice id, uint64_t before,
			 uint64_t *indexes, size_t room, size_t *ret_count)
{
	*ret_count = 0;
	if (id.n == 0) /* as findings have none */
		return 0;
	return ask(
		x,
		"SELECT idx FROM record WHERE idx < ?1 AND idx < ?2 AND id = ?3 ORDER BY idx DESC",
		id, before, indexes, room, ret_count);
}

int ww_record_index_get(struct ww_record_index *x, struct ww_slice id, uint64_t *ret_index)
{
	uint64_t index;
	size_t n;
	int r = ww_record_index_same(x, id, INT64_MAX, &index, 1, &n);

	if (r < 0 || n == 0)
		return r < 0 ? r : -ENOENT;
	*ret_index = index;
	return 0;
}

int ww_record_index_find(struct ww_record_index *x, struct ww_slice id, uint64_t *ret_index)
{
	uint64_t index[2];
	size_t n;
	int r = ww_record_index_get(x, id, ret_index);

	if (r != -ENOENT || id.n == 0)
		return r;
	/* Ids are ASCII: what begins with the text lies between it and it with DEL behind. */
	r = ask(x,
		"SELECT max(idx) FROM record WHERE idx >= ?1 AND idx < ?2 AND id >= ?3 "
		"AND id < ?3 || char(127) GROUP BY id",
		id, 0, index, 2, &n);
	if (r < 0 || n != 1)
		return r < 0 ? r : n == 0 ? -ENOENT : -ENOTUNIQ;
	*ret_index = index[0];
	return 0;
}

int ww_record_index_mentions(struct ww_record_index *x, struct ww_slice id,
			     bool (*fn)(void *ctx, uint64_t index), void *ctx)
{
	return each(x,
		    "SELECT idx FROM mention WHERE idx >= ?1 AND idx < ?2 AND id = ?3 ORDER BY idx",
		    id, 0, fn, ctx);
}
