/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pruner: when the daemon prunes (ledger/prune.h): what a start left open, then each tier that the
 * retention limits, once a day, and what `wirewitness prune` asks for. One run at a time, one step
 * of it behind each commit, on the committer's thread.
 *
 * Owned and called by the loop's thread; between ww_pruner_next and the end of the run only
 * ww_pruner_step may look at it, which the committer calls.
 */
#pragma once

#include "base/json_write.h"
#include "ledger/prune.h"

struct ww_pruner {
	int dir; /* borrowed */
	struct ww_retention keep;
	struct ww_prune *run; /* NULL: none */
	bool ended;           /* the run is through: told by the thread, cleared by the loop */
	int error;            /* of the last run */
	struct ww_errtext why;
	struct ww_prune_input asked; /* kinds 0: nothing */
	bool began;                  /* the run for what a start left open was made */
	unsigned tier;               /* next one of this day */
	uint64_t day_ends_ns;        /* wall clock */
	/* For the status. */
	uint64_t runs, records, segments, last_index;
};

void ww_pruner_init(struct ww_pruner *p, int ledger_dir, const struct ww_retention *keep);
void ww_pruner_done(struct ww_pruner *p);

/* Whether a run is to begin now: 1 (p->run is made), 0 (nothing to do), -errno (told in why). */
WW_CHECK int ww_pruner_next(struct ww_pruner *p, struct ww_wall now);

/* The committer's job (committer.h). */
bool ww_pruner_step(void *pruner, struct ww_ledger *ledger);

/* After a commit: takes the end of the run over. Whether one ended. */
bool ww_pruner_settle(struct ww_pruner *p);

/* Notes a wish. 0; -EBUSY (one is under way); -EPERM, -EINVAL, why set. */
WW_CHECK int ww_pruner_ask(struct ww_pruner *p, ww_kinds kinds, uint64_t older_than_s, bool force,
			   struct ww_errtext *why);

/* Writes the member "retention". */
void ww_pruner_status(const struct ww_pruner *p, struct ww_jsonw *w);
