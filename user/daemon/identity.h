/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity: what the monitor says of itself in the record of its start, so that a report can name
 * the instrument that measured: host, boot, kernel, digests of the running program and of the BPF
 * object, policy. Reports take it from the ledger, never from the machine that they are made on.
 */
#pragma once

#include "base/digest.h"
#include "daemon/live.h"
#include "policy/policy_file.h"
#include "policy/tables.h"

/* Writes the members. `contracts` is the digest that verdicts name; tables and policy may be
 * NULL. */
void ww_identity_write(const struct ww_live *l, const struct ww_sha256 *contracts,
		       const struct ww_tables *tables, const struct ww_policy *policy,
		       uint32_t cap_bytes, struct ww_jsonw *w);

/* The member "tables": their digest, and what each is. */
void ww_identity_tables(const struct ww_tables *t, struct ww_jsonw *w);
