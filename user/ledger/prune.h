/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the content of old records out of a ledger, step by step, beside its writer.
 *
 * Order, each on the disk before the next: the file `pruned` says at which index the prune record
 * will stand; the record is committed; the records that it names are erased, a segment at a time
 * (in place, or the whole file when nothing in it is left and it is not the last one); `pruned`
 * says that it is done. Killed anywhere, the next run (or a run for nothing but that) ends it: when
 * the record was not committed nothing was taken, when it was, all that it names goes.
 *
 * A step reads or erases one segment at most. Called on the thread that owns the ledger.
 */
#pragma once

#include "ledger/ledger.h"
#include "ledger/retention.h"

struct ww_prune;

struct ww_prune_input {
	ww_kinds kinds; /* 0: only end what was cut off */
	uint64_t older_than_s;
	struct ww_wall now;
	bool by_policy, forced;
};

struct ww_prune_result {
	struct ww_prune_record named; /* records: how many were old (0: nothing was named) */
	uint64_t index;               /* of the prune record */
	uint64_t erased, segments;    /* taken in place; whole files */
	bool resumed;                 /* a run that was cut off was ended */
};

/*
 * `ledger_dir` is borrowed and must outlive the run. floor_s: the youngest age that is allowed
 * without `forced`. 0; -EPERM (below the floor); -EINVAL; -ENOMEM.
 */
WW_CHECK int ww_prune_new(int ledger_dir, const struct ww_prune_input *in, uint64_t floor_s,
			  struct ww_prune **ret_prune, struct ww_errtext *why);
void ww_prune_free(struct ww_prune *p);
WW_DEFINE_AUTO(struct ww_prune, ww_prune_free)

/* Goes on. 1: not done yet; 0: done; or -errno, which ends the run (another one takes it up). */
WW_CHECK int ww_prune_step(struct ww_prune *p, struct ww_ledger *l, struct ww_errtext *why);

/* Only looks, without a ledger to write: one more segment of the first `size` records. 1: not done
 * yet; 0: the result is what a run would name; -errno. Not to be mixed with steps. */
WW_CHECK int ww_prune_look(struct ww_prune *p, uint64_t size, struct ww_errtext *why);

const struct ww_prune_result *ww_prune_result(const struct ww_prune *p);
