/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which verdicts a sampled report shows, so that nobody can have picked them.
 *
 * The monitor commits to a secret seed before what it decides about exists: a life record
 * "sampling-commitment" with SHA-256 of the seed begins an epoch. When the epoch is over, a report
 * reveals the seed, and anybody can compute the choice again: an action is shown when the first 56
 * bits of HMAC-SHA-256(seed, action id), read as a big-endian number, are at or above the threshold
 * (OpenTelemetry's consistent probability sampling: p = (2^56 - threshold) / 2^56). What the wire
 * contradicts is always shown.
 *
 * Actions that were not chosen are named without a record: that the list of them is the ledger's
 * can be seen with a complete report, or with the ledger.
 *
 * The host knows the seed all along: it cannot change its mind later, but it can foresee the
 * choice. Seeds are made from the install's digest key, so there is no further secret to keep.
 *
 * Pure. Shared by daemon, report and the auditor's verifier.
 */
#pragma once

#include <wirewitness/outcome.h>

#include "base/json_write.h"
#include "ledger/errtext.h"
#include "base/digest.h"

#define WW_SAMPLING_SEED_LEN   32u
#define WW_SAMPLING_EVENT      "sampling-commitment"
#define WW_SAMPLING_BITS       56u
#define WW_SAMPLING_EPOCHS_MAX 4096u
#define WW_SAMPLING_ACTION_MAX 64u /* bytes of an action's id and its NUL */

/* "0.1" or "10%", above 0 and at most 1, nine decimals: the threshold. 0 or -EINVAL. */
WW_CHECK int ww_sampling_parse(struct ww_slice text, uint64_t *ret_threshold);

void ww_sampling_seed(const uint8_t key[32], struct ww_slice epoch,
		      uint8_t ret_seed[WW_SAMPLING_SEED_LEN]);
void ww_sampling_commitment(const uint8_t seed[WW_SAMPLING_SEED_LEN], struct ww_sha256 *ret);
bool ww_sampling_drawn(const uint8_t seed[WW_SAMPLING_SEED_LEN], struct ww_slice action,
		       uint64_t threshold);

struct ww_sampling_epoch {
	uint64_t index; /* of the record that commits */
	char epoch[64]; /* its name in that record */
	uint8_t seed[WW_SAMPLING_SEED_LEN];
};

struct ww_sampling_unit {
	uint64_t index; /* of the verdict that speaks for the action */
	char action[WW_SAMPLING_ACTION_MAX];
	enum ww_outcome outcome;
	bool chosen, always;
};

struct ww_sampling {
	const char *probability; /* as asked */
	uint64_t threshold;
	size_t n_epochs, n_units;
	const struct ww_sampling_epoch *epochs; /* ascending */
	struct ww_sampling_unit *units;         /* ascending; one per action */
};

/* Decides every unit. 0, or -ENOENT: units before the first epoch. */
WW_CHECK int ww_sampling_choose(struct ww_sampling *s);

/* Writes the section "sampling"; s NULL: nothing was sampled. */
void ww_sampling_write(const struct ww_sampling *s, struct ww_jsonw *w);

/* --- checking -----------------------------------------------------------------------------------
 *
 * Give it the section, then every listed record that is not withheld, in order, then ask.
 */
struct ww_sampling_check;

/* 0; 1: the section says that nothing was sampled, *ret is NULL; -EINVAL (shape, or numbers that
 * contradict each other); -ENOMEM. `section` must outlive the check. */
WW_CHECK int ww_sampling_check_begin(struct ww_slice section, struct ww_sampling_check **ret,
				     struct ww_errtext *why);
void ww_sampling_check_free(struct ww_sampling_check *c);
WW_DEFINE_AUTO(struct ww_sampling_check, ww_sampling_check_free)
void ww_sampling_check_record(struct ww_sampling_check *c, uint64_t index, struct ww_slice kind,
			      struct ww_slice record);
/* 0: the choice is the one that the committed seeds make, and the listed verdicts are those chosen.
 * -EINVAL. */
WW_CHECK int ww_sampling_check_end(struct ww_sampling_check *c, struct ww_errtext *why);
