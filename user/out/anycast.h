/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anycast: whether one machine can have answered what several hosts measured of one address. Each
 * host's path records hold where it is (as declared) and the shortest round trips to its peers;
 * where the discs that light allows around two hosts have no point in common, more than one machine
 * answers for the address: then no one region can be true of it. The other way round nothing
 * follows.
 *
 * Input is what somebody handed over: it is checked, and refused where hosts are mixed in one file
 * or one comes twice. Pure, bounded by the ceilings below.
 */
#pragma once

#include "base/buf.h"
#include "base/own.h"
#include "ledger/errtext.h"

#define WW_ANYCAST_HOSTS_MAX 16u
#define WW_ANYCAST_PEERS_MAX 65536u /* addresses, of all hosts together */

struct ww_anycast;

WW_CHECK int ww_anycast_new(struct ww_anycast **ret);
void ww_anycast_free(struct ww_anycast *a);
WW_DEFINE_AUTO(struct ww_anycast, ww_anycast_free)

/* The records that follow are one host's, which messages call so. 0, -E2BIG, -ENOMEM. */
WW_CHECK int ww_anycast_host(struct ww_anycast *a, const char *name, struct ww_errtext *why);

/* Takes a record of any kind. 0; -EINVAL: another host's, or a position that is none; -E2BIG,
 * -ENOMEM. */
WW_CHECK int ww_anycast_add(struct ww_anycast *a, struct ww_slice record, struct ww_errtext *why);

/* Compares. 0; -EINVAL: a host twice; -ENODATA: one without position or measured peers; -ENOMEM. */
WW_CHECK int ww_anycast_end(struct ww_anycast *a, struct ww_errtext *why);

/* Appends a paragraph per address that two hosts measured, those with several responders first;
 * both measurements by name. *ret_count: of addresses, *ret_several: of those with several
 * responders. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_anycast_text(const struct ww_anycast *a, struct ww_buf *out, uint64_t *ret_count,
			     uint64_t *ret_several);

/* The patterns one after the other, NULL after the last: for tests. */
const char *ww_anycast_pattern(unsigned i);
