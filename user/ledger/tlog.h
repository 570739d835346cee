/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer of the transparency log: C2SP tlog-tiles files, Ed25519-signed checkpoints, group
 * commit.
 *
 * Files under `dir` (0700):
 *   lock                 flock of the one writer
 *   key vkey digest.key  see keyfile.h; key.next and keys/history see rotate.h
 *   checkpoint           the published signed tree head
 *   highest              the signed tree head of the highest size ever signed (roll-back guard);
 * may live in another directory, which then survives a restore of `dir` from an old copy
 *   tile/<L>/<N>[.p/W], tile/entries/<N>[.p/W]
 *   equivocation/        proofs that two trees of one size were signed (equivocation.h): while one
 * is there, nothing is signed
 *
 * Promise: what ww_tlog_commit reported is on the disk and stays in every later tree. Entries that
 * were appended but not reported are gone after a crash: recovery drops them and removes their
 * files, with one exception: when their head was already signed into `highest`, they are published,
 * because a signed head must never be contradicted.
 *
 * Ceilings: WW_LEDGER_PENDING_MAX entries and WW_LEDGER_PENDING_BYTES bytes between two commits.
 * Memory about 130 KiB plus what is pending. Not thread safe; one handle per directory and host
 * (flock). Readers use ww_tile_store and checkpoint.h on the same files at any time.
 */
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/keyfile.h"
#include "ledger/errtext.h"

struct ww_tlog;

struct ww_tlog_options {
	const char *dir;       /* made with mode 0700 when missing (its parent must exist) */
	const char *guard_dir; /* where `highest` lives; NULL: in dir. Must exist. */
	const char *origin; /* names the log on first start; NULL later on: whatever the key says */
	const char *key; /* PROVIDER:URI that holds the signing key (keyfile.h); NULL: as it is */
};

/*
 * Opens for writing: takes the lock, makes keys and an empty signed tree on first start, repairs
 * the tail, and checks that the tiles give the root of the last checkpoint (all tiles and entries
 * when there are at most WW_LEDGER_OPEN_CHECK_MAX leaves, else the right edge; ww_tlog_check_tree
 * does all). 0; -EBUSY (another writer); -EUCLEAN (files contradict the signed heads: nothing was
 * changed); -EPERM (directory or key readable by others); -EINVAL (origin differs, malformed key);
 * -ENOKEY; -ENOMEM; or an errno of the file system. `why` says it in words.
 */
WW_CHECK int ww_tlog_open(const struct ww_tlog_options *o, struct ww_tlog **ret_log,
			  struct ww_errtext *why);

/* Pending entries are lost. Accepts NULL. */
void ww_tlog_close(struct ww_tlog *log);
WW_DEFINE_AUTO(struct ww_tlog, ww_tlog_close)

/*
 * Buffers one entry (copied). *ret_index is its index if it is ever committed. 0, -EINVAL (empty or
 * over 65,535 bytes), -ENOBUFS (a ceiling: commit first), -ENOMEM. Works while stopped.
 */
WW_CHECK int ww_tlog_append(struct ww_tlog *log, struct ww_slice entry, uint64_t *ret_index);

/*
 * Writes everything pending: bundle, tiles from low to high, sync, highest, checkpoint. *ret_size
 * is the committed number of leaves. With nothing pending it only reports. 0, or the errno that
 * stopped the log: it then keeps what is pending and answers every commit with that error until
 * ww_tlog_retry.
 */
WW_CHECK int ww_tlog_commit(struct ww_tlog *log, uint64_t *ret_size);

/*
 * Whether a commit may write: 0; the errno that stopped the log; or, stopping it, -EUCLEAN: lock,
 * heads or the last tiles were removed or changed behind the writer's back (somebody else may write
 * there now), or two trees were signed. A commit asks by itself; who writes beside the tree asks
 * first.
 */
WW_CHECK int ww_tlog_ready(struct ww_tlog *log);

/*
 * After a stop: reads the state back from the disk as on open and continues from there with the
 * pending entries. A commit is still needed. 0, or an error as on open; the log then stays stopped.
 */
WW_CHECK int ww_tlog_retry(struct ww_tlog *log);

/* Later commits are signed by `next` as well (borrowed): the hand-over of a rotation (rotate.h). */
void ww_tlog_hand_over(struct ww_tlog *log, const struct ww_note_signer *next);

/* NULL while writing works, else why it stopped. Borrowed until the next call on the log. */
const char *ww_tlog_stopped(const struct ww_tlog *log);

uint64_t ww_tlog_size(const struct ww_tlog *log);    /* committed leaves */
uint64_t ww_tlog_pending(const struct ww_tlog *log); /* entries waiting for commit */
int ww_tlog_dir(const struct ww_tlog *log);          /* borrowed descriptor of `dir` */
const struct ww_checkpoint *ww_tlog_head(const struct ww_tlog *log);
const struct ww_keyfile *ww_tlog_keys(const struct ww_tlog *log);
