/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: an index over the ledger, for `ls` and `show`. A cache, never evidence: it is rebuilt from
 * the ledger whenever it is missing, damaged, of another version, or of another log. The daemon
 * keeps it up to date (daemon/follower.h); whoever asks takes in what is still missing first.
 *
 * One SQLite file (WAL). 10 to 25 us per record, up to 64 MiB of memory while much is taken in.
 * Holds ledger index, kind, id and the ids that each record mentions; records themselves are read
 * from the ledger. A finding has no id of its own: it mentions the record whose id it carries. Not
 * thread safe; several processes may use it at a time, fill it and make it anew: an answer is
 * always about all records that the last sync took in, and no others.
 */
#pragma once

#include "base/own.h"
#include "ledger/ledger_reader.h"

struct ww_record_index;

/* NULL path: in memory (no writable state directory). 0 or -errno; an unusable file is replaced. */
WW_CHECK int ww_record_index_open(const char *path, struct ww_record_index **ret_index);
/* The same, for one who fills it beside other work: 4 MiB of memory, and -EBUSY after a tenth of a
 * second where the other waits five for somebody else who fills it. */
WW_CHECK int ww_record_index_open_beside(const char *path, struct ww_record_index **ret_index);
void ww_record_index_close(struct ww_record_index *x);
WW_DEFINE_AUTO(struct ww_record_index, ww_record_index_close)

/* Forgets everything, for all who have it open: the next sync begins at the ledger's first record.
 * 0 or -errno. */
WW_CHECK int ww_record_index_reset(struct ww_record_index *x);

/* Called while a sync goes on, the first time before anything was done and the last time when all
 * was. NULL: nobody wants to know. */
typedef void (*ww_record_index_progress_fn)(void *ctx, uint64_t done, uint64_t size);
void ww_record_index_watch(struct ww_record_index *x, ww_record_index_progress_fn fn, void *ctx);

/* Takes in what the reader's last refresh committed since the last call. The reader is borrowed
 * until the next one. 0; -EBUSY (another process keeps it locked), -ENOSPC, -EROFS, -ENOMEM, or
 * -errno of ledger or disk. */
WW_CHECK int ww_record_index_sync(struct ww_record_index *x, struct ww_ledger_reader *reader);

/* At most so many records of that, in one transaction. *ret_next is how far the index goes now.
 * Answers are still about the last sync. */
WW_CHECK int ww_record_index_step(struct ww_record_index *x, struct ww_ledger_reader *reader,
				  uint64_t records, uint64_t *ret_next);

/*
 * Everything is on the disk when this returns 0: the file stays usable after a power cut. Without
 * it one that was written to is made anew under the next boot. -EBUSY (others read or fill it),
 * -errno.
 */
WW_CHECK int ww_record_index_settle(struct ww_record_index *x);

/* Takes in one record of another source than a ledger, in their order, into an index in memory. An
 * empty `json` has no content. 0 or -errno. */
WW_CHECK int ww_record_index_add(struct ww_record_index *x, uint64_t index, struct ww_slice kind,
				 struct ww_slice json);

/*
 * Calls fn with the ledger index of each record of this kind (NULL: any), oldest first, from `from`
 * on, until it returns false. 0 or -errno.
 */
WW_CHECK int ww_record_index_each(struct ww_record_index *x, const char *kind, uint64_t from,
				  bool (*fn)(void *ctx, uint64_t index), void *ctx);

/* The newest record with this id. 0, -ENOENT, -errno. */
WW_CHECK int ww_record_index_get(struct ww_record_index *x, struct ww_slice id,
				 uint64_t *ret_index);

/* The same, or the newest one whose id begins with the text when all such have one id. 0, -ENOENT,
 * -ENOTUNIQ, -errno. */
WW_CHECK int ww_record_index_find(struct ww_record_index *x, struct ww_slice id,
				  uint64_t *ret_index);

/* The newest ones with this id before the index `before`, newest first, at most `room`: spans have
 * the ids that their senders chose. *ret_count may be 0. 0 or -errno. */
WW_CHECK int ww_record_index_same(struct ww_record_index *x, struct ww_slice id, uint64_t before,
				  uint64_t *indexes, size_t room, size_t *ret_count);

/* Whether the text has the form of an id: a letter, a dash and hexadecimal, or "p<pid>-<hex>". */
bool ww_record_index_is_id(struct ww_slice s);

/* Calls fn for records that mention `id` (not itself), oldest first, until it returns false. 0 or
 * -errno. */
WW_CHECK int ww_record_index_mentions(struct ww_record_index *x, struct ww_slice id,
				      bool (*fn)(void *ctx, uint64_t index), void *ctx);
