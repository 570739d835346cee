/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records themselves, beside the tree: append-only segment files in `records/`, each named by
 * the index of its first record (20 digits). They can be erased; the tree holds only salted digests
 * (leaf.h).
 *
 * Frame, big endian: u32 length of the body, u32 CRC-32 of the body; body: u8 state (1 live, 2
 * erased), u64 index, u8 length of the kind, kind, 32 bytes of salt, the record's JSON. An erased
 * frame keeps its length, index and kind; salt and JSON are zeros.
 *
 * Order of writing: frames are on the disk before the checkpoint that covers them. So after a crash
 * there are more frames than committed records, never fewer: the rest is cut off on open.
 */
#pragma once

#include "base/buf.h"
#include "base/cursor.h"
#include "base/parse.h"
#include "ledger/errtext.h"
#include "ledger/leaf.h"

struct ww_payload {
	uint64_t index;
	struct ww_slice kind;
	struct ww_slice salt; /* 32 bytes */
	struct ww_slice json; /* exactly the bytes that were appended */
	bool erased;
};

/* Appends one frame to out. 0, -EMSGSIZE, -ENOMEM. *ret_salted (borrowed from out) is salt and JSON
 * as one run. */
WW_CHECK int ww_payload_encode(const struct ww_payload *p, struct ww_buf *out,
			       struct ww_slice *ret_salted);

/*
 * The next frame, borrowed from the cursor's input. DONE; MORE: cut off; GAP: complete but damaged
 * (what is set is not to be trusted); BAD: not a frame; END. The cursor moves only on DONE and GAP.
 */
enum ww_parse ww_payload_next(struct ww_cursor *c, struct ww_payload *ret);

/* --- writing -------------------------------------------------------------------------------------
 */

struct ww_payload_writer {
	int dir;      /* `records` */
	int fd;       /* the last segment, -1 before the first */
	uint64_t end; /* bytes of the last segment that belong to committed records */
};

/*
 * Opens `records` under the ledger directory (made with mode 0700 when missing) and cuts off what
 * follows record `size` - 1. 0; -EUCLEAN: committed records are missing, nothing was changed; or an
 * errno.
 */
WW_CHECK int ww_payload_writer_open(int ledger_dir, uint64_t size, struct ww_payload_writer *ret,
				    struct ww_errtext *why);
void ww_payload_writer_done(struct ww_payload_writer *w);

/* 0, or -EUCLEAN: what it writes into was removed, and would be gone when it is closed. */
WW_CHECK int ww_payload_writer_kept(const struct ww_payload_writer *w, struct ww_errtext *why);

/*
 * Writes frames behind the committed ones, the first of index `first`, and syncs. They do not count
 * yet: ww_payload_writer_advance says that they do, writing again replaces them. 0 or -errno.
 */
WW_CHECK int ww_payload_writer_put(struct ww_payload_writer *w, uint64_t first,
				   struct ww_slice frames);
void ww_payload_writer_advance(struct ww_payload_writer *w, size_t bytes);

/* Cuts off what was put and not advanced over. 0 or -errno. */
WW_CHECK int ww_payload_writer_rewind(struct ww_payload_writer *w);

/*
 * Overwrites salt and JSON of a committed record with zeros and syncs. 0 (also when already
 * erased), -ENODATA (no such record), or -errno. Killed midway, the record reads as damaged; erase
 * it again.
 */
WW_CHECK int ww_payload_writer_erase(struct ww_payload_writer *w, uint64_t index);

/* --- whole segments, to prune them ---------------------------------------------------------------
 */

struct ww_payload_walk;

/* 0, -ENODATA (no records were ever written), -ENOMEM, or -errno. */
WW_CHECK int ww_payload_walk_new(int ledger_dir, struct ww_payload_walk **ret_walk);
void ww_payload_walk_free(struct ww_payload_walk *w);
WW_DEFINE_AUTO(struct ww_payload_walk, ww_payload_walk_free)

/*
 * Goes to the beginning of the segment that `index` lies in, or else of the next one. *ret_first is
 * the index of its first record, *ret_next that of the next segment's (UINT64_MAX: it is the last
 * one). 0, -ENODATA (nothing there or behind), or -errno.
 */
WW_CHECK int ww_payload_walk_enter(struct ww_payload_walk *w, uint64_t index, uint64_t *ret_first,
				   uint64_t *ret_next);

/* The next frame, borrowed until the next call; *ret_damaged: only index and kind are to be
 * trusted, if they are set. 0, -ENODATA at the end, -EUCLEAN (not a frame), or -errno. */
WW_CHECK int ww_payload_walk_next(struct ww_payload_walk *w, struct ww_payload *ret,
				  bool *ret_damaged);

/* Overwrites salt and JSON of the frame that was given last; sync when all are done. 0 or -errno.
 */
WW_CHECK int ww_payload_walk_erase(struct ww_payload_walk *w);
WW_CHECK int ww_payload_walk_sync(struct ww_payload_walk *w);

/* Removes the segment. -EBUSY: it is the last one, which the writer has. */
WW_CHECK int ww_payload_walk_remove(struct ww_payload_walk *w);

/* --- reading -------------------------------------------------------------------------------------
 */

struct ww_payload_reader;

/* `ledger_dir` is borrowed and must outlive the reader. A reader beside a live writer is fine. 0 or
 * -ENOMEM. */
WW_CHECK int ww_payload_reader_new(int ledger_dir, struct ww_payload_reader **ret_reader);
void ww_payload_reader_free(struct ww_payload_reader *r);
WW_DEFINE_AUTO(struct ww_payload_reader, ww_payload_reader_free)

/* Drops read-ahead; call when the committed size grew: what lay behind the old size was not final.
 */
void ww_payload_reader_refresh(struct ww_payload_reader *r);

/*
 * Reads one committed record; ascending indexes are read ahead. *ret borrows until the next call.
 * 0, -ENODATA (its segment is gone), -EUCLEAN (damaged), or -errno.
 */
WW_CHECK int ww_payload_reader_get(struct ww_payload_reader *r, uint64_t index,
				   struct ww_payload *ret);
