/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instrument: with what was measured, from the life records of the monitor: each of its runs (host,
 * boot, kernel, digests of program and BPF object, versions, policy), what happened to its probes
 * over time, which TLS libraries it could read. A report's section "instrument", and the facts of
 * its section "scope": nothing comes from the machine that the report is made on. Pure.
 */
#pragma once

#include "base/json_write.h"

#define WW_INSTRUMENT_RUNS_MAX    1024u
#define WW_INSTRUMENT_CHANGES_MAX 4096u

struct ww_instrument;

WW_CHECK int ww_instrument_new(struct ww_instrument **ret);
void ww_instrument_free(struct ww_instrument *i);
WW_DEFINE_AUTO(struct ww_instrument, ww_instrument_free)

/* Takes a life record, in the ledger's order; beyond the ceilings it is counted. 0 or -ENOMEM. */
WW_CHECK int ww_instrument_add(struct ww_instrument *i, uint64_t index, struct ww_slice record);

/* Writes one object, without key. */
void ww_instrument_write(const struct ww_instrument *i, struct ww_jsonw *w);

/* Writes the members host, machine, kernel, bootId, policy of the last run, or of the tape that the
 * ledger was made of, and says which; null where no record says. */
void ww_instrument_host(const struct ww_instrument *i, struct ww_jsonw *w);
