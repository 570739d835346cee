/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attestations: takes in what was attested from outside, and keeps what concerns actions that the
 * judge still holds. Stands behind the judge: a verdict's record goes through here on its way out,
 * and gets its column when something was attested of its action. What is attested of paths is told
 * apart here and done in daemon/path_attestations.h.
 *
 * Numbered invariants:
 *  1. Nothing is taken that is not about exactly one action that is known: refused, never guessed.
 *  2. The same attestation counts once, however often it comes.
 *  3. A verdict that comes after an attestation of its action was taken names it; one that came
 *     before is superseded by one that does.
 *  4. What the caller found (verdicts, earlier attestations) is checked again here, all of it.
 * A function of the order of calls only. Not thread safe.
 */
#pragma once

#include "judge/judge.h"
#include "judge/path.h"
#include "ledger/attested.h"

#define WW_ATTESTATIONS_HELD_MAX \
	4096u /* actions with attestations, of those that the judge holds */
#define WW_ATTEST_FOUND_MAX 8u

struct ww_attestations;

/* All borrowed, outlive it. judge NULL: nothing is held, nobody judges. 0 or -ENOMEM. */
WW_CHECK int ww_attestations_new(const struct ww_contracts *contracts,
				 const struct ww_digest_key *key, struct ww_judge *judge,
				 struct ww_attestations **ret);
void ww_attestations_free(struct ww_attestations *a);
/* Until then nothing is taken of paths. Borrowed, outlive it; policy NULL: nobody may attest; paths
 * NULL: none is held. 0 or -ENOMEM. */
WW_CHECK int ww_attestations_of_paths(struct ww_attestations *a, const struct ww_policy *policy,
				      struct ww_paths *paths);
WW_DEFINE_AUTO(struct ww_attestations, ww_attestations_free)

/* An envelope, and what the ledger has that it may be about. */
struct ww_attest_ask {
	struct ww_slice envelope;
	struct ww_wall now;
	const char *log; /* the ledger's name; NULL: it has none */
	/* The newest verdict of each action that fits, or the newest record of each path; as they
	 * stand in the ledger. */
	unsigned verdict_count;
	struct ww_slice verdicts[WW_ATTEST_FOUND_MAX];
	/* Attestations of that action or path that were recorded before. */
	unsigned recorded_count;
	struct ww_slice recorded[WW_ATTEST_FOUND_MAX];
};

struct ww_attest_answer {
	char id[WW_ATTESTATION_ID_MAX];
	char attester[WW_ATTESTER_NAME_MAX + 1];
	char action[WW_ACTION_ID_MAX]; /* or of a path */
	char verdict[64]; /* the record that supersedes; empty: there is none yet, or nothing
			     changed */
	bool repeated;    /* it was there already, with all its effect */
};

/*
 * Takes it in: its record, and the verdict (or the path's record) that supersedes where one was
 * given, go to emit. 0;
 * -EINVAL (it does not count: form, predicate, times, log); -ENOKEY (nobody's signature whose word
 * the contract takes); -ENOENT (about no action that is known); -ENOTUNIQ (about several);
 * -EEXIST (the attester said so before, in another statement); -EAGAIN (a newer verdict was given
 * than the one that was found: look again); -ENOSPC; -EMSGSIZE; -ENOMEM. On error nothing was
 * emitted.
 */
WW_CHECK int ww_attestations_import(struct ww_attestations *a, const struct ww_attest_ask *ask,
				    const struct ww_clock_map *clock, ww_record_fn emit, void *ctx,
				    struct ww_attest_answer *ret, struct ww_errtext *why);

/* The record of a verdict with what is known of its action put in: in out, which is cleared. 1; 0:
 * nothing is; -EINVAL, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_attestations_verdict(struct ww_attestations *a, struct ww_slice json,
				     struct ww_buf *out);
/* The same of the record of a path. */
WW_CHECK int ww_attestations_path(struct ww_attestations *a, struct ww_slice json,
				  struct ww_buf *out);
