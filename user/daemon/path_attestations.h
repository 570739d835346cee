/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_attestations: takes in what was attested of where a request of a path was processed, and
 * keeps what concerns paths that judge/path.h still holds: their later revisions go through here on
 * their way out and name it, too. What it is about, and whether it counts, is decided as for
 * actions (daemon/attestations.h), whose invariants hold here: of one path, once, checked again.
 *
 * The policy says who may attest; it is the one in force, and what was compared by it names it.
 * The verdict of a path never changes by it.
 */
#pragma once

#include "daemon/attestations.h"
#include "daemon/path_attested.h"

#define WW_PATH_ATTESTATIONS_HELD_MAX 2048u /* paths with attestations, of those that are held */

struct ww_path_attestations;

/* All borrowed, outlive it. policy NULL: nobody may attest. paths NULL: none is held. 0 or -ENOMEM.
 */
WW_CHECK int ww_path_attestations_new(const struct ww_policy *policy,
				      const struct ww_digest_key *key, struct ww_paths *paths,
				      struct ww_path_attestations **ret);
void ww_path_attestations_free(struct ww_path_attestations *p);

/* As ww_attestations_import, of one that was read; ask->verdicts are the newest records of the
 * paths that fit. */
WW_CHECK int ww_path_attestations_import(struct ww_path_attestations *p, struct ww_attestation *at,
					 const struct ww_attest_ask *ask,
					 const struct ww_clock_map *clock, ww_record_fn emit,
					 void *ctx, struct ww_attest_answer *ret,
					 struct ww_errtext *why);

/* As ww_attestations_verdict, of the record of a path. */
WW_CHECK int ww_path_attestations_record(struct ww_path_attestations *p, struct ww_slice json,
					 struct ww_buf *out);
