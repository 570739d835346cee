/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follower: keeps the index (store/record_index.h) up to date with the ledger while nobody asks, on
 * a thread of its own, so that SQLite never keeps the loop from the kernel's rings.
 *
 * The thread reads the ledger's files as any reader does and shares nothing with the committer. It
 * is woken by each commit, takes in what that brought, and closes the index again: in between it is
 * one whole file, which may be copied, removed, or made anew by others, and no memory is kept for
 * it. Once a second it looks whether that happened. What goes wrong with the index is shown in the
 * status and tried again; it never reaches the ledger, and the last room of a disk is left to that.
 *
 * All functions are called on the loop's thread.
 */
#pragma once

#include "base/json_write.h"

struct ww_follower;

/* Starts the thread over the ledger at state_dir, which has `size` records. 0 or -errno. */
WW_CHECK int ww_follower_open(const char *state_dir, uint64_t size,
			      struct ww_follower **ret_follower);

/* The ledger has grown: to so many records. */
void ww_follower_wake(struct ww_follower *f, uint64_t size);

/* Writes the member "index" of the daemon's status. */
void ww_follower_status(struct ww_follower *f, struct ww_jsonw *w);

/* Takes in what one more transaction holds, syncs the index, and ends the thread. NULL is nothing.
 */
void ww_follower_close(struct ww_follower *f);
