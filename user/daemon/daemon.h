/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: live events into the pipeline, records into the ledger, committed records onto the
 * stream. One loop on one thread, commits of the ledger on another (committer.h), checkpoints leave
 * the host on a third (publisher.h), the index follows on a fourth (follower.h). Everything that
 * fails after start is a state that `status` shows and a coverage gap, never an exit, except a
 * ledger that contradicts its own signatures.
 */
#pragma once

#include "daemon/live.h"
#include "daemon/publisher.h"
#include "ledger/retention.h"

struct ww_daemon_options {
	const char *state_dir;
	const char *socket_path;
	const char *contracts_path; /* NULL: no contracts */
	const char *phrases;        /* as of ww_phrases_option() */
	const char *tables;         /* a folder, or "off"; NULL: DIR/tables, where it is there */
	const char *policy;         /* a file, or "off"; NULL: none */
	const char *origin; /* name of the ledger, first start only; NULL: wirewitness/HOSTNAME */
	const char *key;    /* PROVIDER:URI that holds the signing key; NULL: as it is */
	const char *const *cgroups; /* existing cgroups to watch from the start */
	unsigned cgroup_count;
	uint64_t grace_ns; /* 0: default */
	struct ww_retention retention;
	struct ww_publisher_options publish;
	struct ww_live_config live;
};

/* Runs until SIGTERM or SIGINT. 0, or -errno after the reason was logged. */
int ww_daemon_run(const struct ww_daemon_options *o);
