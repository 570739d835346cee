/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `pruned` beside the log: at which indexes its prune records stand, one line each,
 * "<index> open" while their records are being taken and "<index> done" after that. It says where
 * to look, the records say what is gone (retention.h).
 */
#pragma once

#include "base/buf.h"
#include "ledger/retention.h"

#define WW_PRUNED_MAX       16384u     /* one run a day for over forty years */
#define WW_PRUNED_BYTES_MAX (1u << 20) /* of the file */

struct ww_pruned_line {
	uint64_t index;
	bool open;
};

struct ww_pruned {
	size_t n;
	struct ww_pruned_line *lines; /* owned */
};

/* 0 (an empty text too), -EINVAL (form, or not ascending), -ENOMEM. */
WW_CHECK int ww_pruned_parse(struct ww_slice text, struct ww_pruned *ret);

/* Reads the file; none is an empty list. 0, -EINVAL, -ENOMEM, or an errno. */
WW_CHECK int ww_pruned_read(int ledger_dir, struct ww_pruned *ret);

/* Replaces the file. 0, -ENOMEM, or an errno. */
WW_CHECK int ww_pruned_write(int ledger_dir, const struct ww_pruned *p);

/* Adds a line. 0, -E2BIG, -ENOMEM. */
WW_CHECK int ww_pruned_add(struct ww_pruned *p, uint64_t index, bool open);
void ww_pruned_done(struct ww_pruned *p);

/* What the prune records say, read for looking up. */
struct ww_withheld {
	uint64_t by; /* index of the prune record */
	struct ww_prune_record prune;
};

struct ww_withheld_list {
	size_t n;
	struct ww_withheld *all; /* owned; by index of the prune record */
};

/* Reads the prune records of the first `size` records. 0, -EINVAL (the file), -EUCLEAN (it names a
 * record that is not of the kind), -ENOMEM, or an errno. */
WW_CHECK int ww_withheld_read(int ledger_dir, uint64_t size, struct ww_withheld_list *ret);
void ww_withheld_done(struct ww_withheld_list *l);

/* The first prune record that names this one, or NULL. */
const struct ww_withheld *ww_withheld_find(const struct ww_withheld_list *l, uint64_t index,
					   struct ww_slice kind);
