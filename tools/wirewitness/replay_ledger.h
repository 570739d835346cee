/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger of what a tape gives: the same bytes whoever makes it, wherever, whenever.
 *
 * Nothing in it is random or read from the machine: its name, its signing key and its salts are
 * made of the tape, the contracts, the address tables, the policy and the version. The key is
 * therefore worth what the tape is: whoever holds that can sign with it. What such a ledger says is
 * checked by making it again, its signature only ties reports to it. Its name says that it is one,
 * so that it is never taken for the ledger of a host. Its first record names what it was made of.
 */
#pragma once

#include <wirewitness/record.h>

#include "base/clock.h"
#include "daemon/manifest.h"

struct ww_replay_facts {
	struct ww_sha256 tape;          /* of the file's bytes */
	struct ww_sha256 contracts;     /* that are judged by */
	struct ww_sha256 recorded;      /* that are on the tape */
	const struct ww_tables *tables; /* borrowed; NULL: none */
	const struct ww_policy *policy; /* borrowed; NULL: none */
	const uint8_t *digest_key;      /* 32 bytes, borrowed */
	struct ww_manifest_origin origin;
	struct ww_boot began; /* of its first clock event */
	struct ww_wall began_wall;
	const char *end; /* "in order", "cut off" or "broken" */
};

struct ww_replay_ledger;

/* Makes the directory, which must not exist, the keys and the first record. Says on standard error
 * what is wrong. 0 or -errno (-EEXIST). */
WW_CHECK int ww_replay_ledger_new(const char *dir, const struct ww_replay_facts *f,
				  struct ww_replay_ledger **ret);
void ww_replay_ledger_free(struct ww_replay_ledger *l);
WW_DEFINE_AUTO(struct ww_replay_ledger, ww_replay_ledger_free)

/* The first error stays, and the end tells it. */
void ww_replay_ledger_add(struct ww_replay_ledger *l, enum ww_record_kind kind,
			  struct ww_slice json);

/* Signs the last checkpoint. 0 or -errno, told. */
WW_CHECK int ww_replay_ledger_end(struct ww_replay_ledger *l);
