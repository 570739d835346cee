/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short form of a report for machines: an in-toto "simple verification result" (svr v0.2) over
 * the same subjects, in an envelope of its own. Its properties are statements that hold, so that
 * leaving one out never makes it look better: what was not shown is not listed as shown. Pure.
 */
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/dsse.h"

#define WW_SVR_PREDICATE "https://in-toto.io/attestation/svr/v0.2"
#define WW_SVR_VERIFIER  "https://wirewitness.dev/wirewitness/" WW_VERSION

struct ww_svr_input {
	const char *created_at; /* RFC 3339 UTC */
	const struct ww_checkpoint *head;
	const struct ww_sha256 *records; /* the report's second subject */
	struct ww_slice policies;        /* JSON array of resource descriptors */
	struct ww_slice properties;      /* JSON array of strings */
};

/* Appends the signed envelope and a newline. 0, -EMSGSIZE, -ENOMEM, -EIO. */
WW_CHECK int ww_svr_build(const struct ww_svr_input *in, const struct ww_note_signer *s,
			  struct ww_buf *out);
