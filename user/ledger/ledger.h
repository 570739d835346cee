/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's writer: records in, committed indexes out. Joins the tree (tlog.h) and the records'
 * bytes (payload.h).
 *
 * Use: append any number of records, commit when it is time (the daemon: every 200 ms, or sooner on
 * request); one commit costs about a dozen fsyncs whatever it holds. Nothing may be announced
 * before commit returned 0.
 *
 * When a write fails the ledger stops: the error and its reason stay, appended records are still
 * buffered up to WW_LEDGER_PENDING_MAX / _BYTES, then refused (the caller counts them as a coverage
 * gap). Files are never left torn. ww_ledger_retry continues after the cause is gone.
 *
 * Recovery on open: records that were never reported as committed are dropped, tree and payload
 * alike, except when their signed head had already reached the roll-back guard: then they are
 * committed (tlog.h). One writer per directory, single-threaded. Memory: 20 MiB at the ceilings,
 * 300 KiB idle.
 */
#pragma once

#include "ledger/errtext.h"
#include "ledger/keyfile.h"
#include "ledger/tlog.h"

struct ww_ledger;

/* As ww_tlog_open, whose options and errors apply; -EUCLEAN also when committed records are
 * missing. */
WW_CHECK int ww_ledger_open(const struct ww_tlog_options *o, struct ww_ledger **ret_ledger,
			    struct ww_errtext *why);

/* What is pending is lost. Accepts NULL. */
void ww_ledger_close(struct ww_ledger *l);
WW_DEFINE_AUTO(struct ww_ledger, ww_ledger_close)

/*
 * Buffers one record: `kind` is a word of a-z, 0-9 and '_' (at most 32 bytes), `json` canonical
 * JSON text in UTF-8, 1 to WW_RECORD_BYTES_MAX bytes, copied as it is; of kind "report" it has a
 * member "entry", its leaf (leaf.h). *ret_index (may be NULL) is
 * its place if it is ever committed. 0, -EINVAL (kind, UTF-8, empty, no entry), -EMSGSIZE (record
 * too large), -ENOBUFS (a ceiling: commit first), -ENOMEM, -EIO (no randomness).
 */
WW_CHECK int ww_ledger_append(struct ww_ledger *l, const char *kind, struct ww_slice json,
			      uint64_t *ret_index);

/*
 * From now on salts are made of this key and the record's index instead of randomness: for a ledger
 * that somebody else shall be able to make again, byte for byte. Whoever has the key can guess
 * records from their leaves.
 */
void ww_ledger_derive_salts(struct ww_ledger *l, const uint8_t key[32]);

/*
 * Forces everything pending to the disk and signs it. *ret_size (may be NULL) is the number of
 * committed records: indexes below it may be announced. 0, or the errno that stopped the ledger
 * (also later, until ww_ledger_retry).
 */
WW_CHECK int ww_ledger_commit(struct ww_ledger *l, uint64_t *ret_size);

/* After a stop: reads the state back from the disk and continues with what is pending; then commit.
 */
WW_CHECK int ww_ledger_retry(struct ww_ledger *l);

/* NULL while writing works, else why it stopped; borrowed until the next call. */
const char *ww_ledger_stopped(const struct ww_ledger *l);

/*
 * Erases a committed record's salt and bytes; its leaf and all proofs stay. 0, -ERANGE (not
 * committed), -ENODATA (its segment is gone), -EUCLEAN (damaged), or -errno. Not undoable.
 */
WW_CHECK int ww_ledger_erase(struct ww_ledger *l, uint64_t index);

/* As ww_tlog_hand_over. */
void ww_ledger_hand_over(struct ww_ledger *l, const struct ww_note_signer *next);

int ww_ledger_dir(const struct ww_ledger *l);          /* borrowed descriptor of the directory */
uint64_t ww_ledger_size(const struct ww_ledger *l);    /* committed records */
uint64_t ww_ledger_pending(const struct ww_ledger *l); /* records waiting for commit */
const struct ww_checkpoint *ww_ledger_head(const struct ww_ledger *l);

/* The install's secrets, borrowed: signer of reports, key of content digests. */
const struct ww_keyfile *ww_ledger_keys(const struct ww_ledger *l);
