/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attestations that are taken in at the end of a tape: each at the time that it says it was made,
 * so that the same tape and files give the same records.
 */
#pragma once

#include "daemon/pipeline.h"

#define WW_REPLAY_ATTEST_MAX 64u

struct ww_replay_attest;

/* Reads the files; says on standard error what is wrong with one. 0; -EINVAL (one is no
 * attestation); -errno. */
WW_CHECK int ww_replay_attest_new(const char *const *files, unsigned count,
				  const uint8_t digest_key[32], struct ww_replay_attest **ret);
void ww_replay_attest_free(struct ww_replay_attest *a);

/* A record of the replay: verdicts and paths are kept where an attestation is about them. 0 or
 * -ENOMEM. */
WW_CHECK int ww_replay_attest_see(struct ww_replay_attest *a, enum ww_record_kind kind,
				  struct ww_slice json);

/* Takes them in, in their order; what is refused is told. 0, -EINVAL (one was refused), -ENOMEM. */
WW_CHECK int ww_replay_attest_import(struct ww_replay_attest *a, struct ww_pipeline *pipeline);
