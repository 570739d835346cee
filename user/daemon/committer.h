/* SPDX-License-Identifier: Apache-2.0 */
/*
 * committer: the ledger behind a thread of its own, so that a slow disk never keeps the loop from
 * the kernel's rings.
 *
 * The loop's thread stages records; a commit hands all that is staged to the thread, which appends,
 * hashes, writes, syncs and signs, while the loop stages the next ones. Numbered invariants:
 *  1. While a commit runs, the ledger and the batch are the thread's alone.
 *  2. Records reach the ledger in the order in which they were staged.
 *  3. Nothing is refused for want of time: a full stage waits for the commit under way.
 *
 * All functions are called on the loop's thread. Bounded by WW_LEDGER_STAGED_BYTES twice, beside
 * what the ledger holds.
 */
#pragma once

#include <uv.h>

#include <wirewitness/record.h>

#include "ledger/ledger.h"

struct ww_committed {
	uint64_t size;       /* records in the ledger */
	uint64_t pending;    /* records in its memory: it is stopped */
	uint64_t refused;    /* records of this batch that found no room in a stopped ledger */
	const char *stopped; /* why it is stopped; NULL: it works */
};

/* A commit ended. c is borrowed for the call; no record may be staged in it. */
typedef void (*ww_committed_fn)(void *ctx, const struct ww_committed *c);

struct ww_committer;

/* `ledger` is borrowed and must not be used by others until ww_committer_close(). 0 or -errno. */
WW_CHECK int ww_committer_open(uv_loop_t *loop, struct ww_ledger *ledger, ww_committed_fn fn,
			       void *ctx, struct ww_committer **ret_committer);

/* Waits for the commit under way; what is staged is lost. Memory goes when the loop has run once
 * more. NULL is nothing. */
void ww_committer_close(struct ww_committer *c);

/* Copies one record; see ww_ledger_append for `kind` and `json`. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_committer_stage(struct ww_committer *c, enum ww_record_kind kind,
				struct ww_slice json);

/*
 * Begins a commit of all that is staged, unless one is under way or there is nothing to do. retry:
 * a stopped ledger is tried again; without it a stopped ledger only takes the records. A job that
 * waits is something to do.
 */
void ww_committer_begin(struct ww_committer *c, bool retry);

/*
 * Work on the ledger beside its commits, a small step each time: fn is called on the thread behind
 * the next commit while the ledger works, and again behind those that follow, until it returns
 * false. Until then ctx is the thread's but inside of the callback that tells a commit's end.
 */
typedef bool (*ww_committer_job_fn)(void *ctx, struct ww_ledger *ledger);
void ww_committer_job(struct ww_committer *c, ww_committer_job_fn fn, void *ctx);

/* Waits for the commit under way, if any; its end is told before this returns. */
void ww_committer_wait(struct ww_committer *c);

/* Staged, or in the commit under way. */
uint64_t ww_committer_staged(const struct ww_committer *c);
