/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher: checkpoints leave the host (out/publish.h) on a thread of its own, so that no slow or
 * lying server keeps the loop from the kernel's rings.
 *
 * The thread reads the ledger's files and nothing of the daemon; what is known of the destinations
 * crosses as a copy under a lock. All functions are called on the loop's thread.
 */
#pragma once

#include <uv.h>

#include "base/json_write.h"
#include "ledger/errtext.h"

struct ww_publisher_options {
	const char *witnesses; /* file (witness_set.h); NULL: none */
	const char *file;
	const char *command;
	const char *otlp;
	const char *ca_file;
	unsigned every_s; /* 0: default */
};

/*
 * What belongs into a life record: "publish" at the start, "publish-failing" and "publish-resumed"
 * of one destination, not of each try; "equivocation": the log signed two trees of one size, the
 * proof is kept and the ledger stops.
 */
typedef void (*ww_publisher_fn)(void *ctx, const char *event, const char *text);

struct ww_publisher;

/* Reads the file of witnesses: what can be refused before anything is made. 0, -EINVAL, -errno. */
WW_CHECK int ww_publisher_new(const struct ww_publisher_options *o,
			      struct ww_publisher **ret_publisher, struct ww_errtext *why);

/*
 * Starts the thread over the ledger at state_dir, and tells "publish". Without a destination there
 * is no thread. 0; -EUCLEAN: the log is not the one that witnesses cosigned; or an error of
 * ww_publish_open.
 */
WW_CHECK int ww_publisher_start(struct ww_publisher *p, uv_loop_t *loop, const char *state_dir,
				ww_publisher_fn fn, void *ctx, struct ww_errtext *why);

/* The ledger has grown. */
void ww_publisher_wake(struct ww_publisher *p);

/* Writes the member "publish" of the daemon's status. */
void ww_publisher_status(struct ww_publisher *p, struct ww_jsonw *w);

/* Sends the last head once more, for at most three seconds. Memory goes when the loop has run once
 * more. NULL is nothing. */
void ww_publisher_close(struct ww_publisher *p);
