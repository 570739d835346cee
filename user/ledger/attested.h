/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested: the column of a verdict's record that says what was attested from outside. It is put
 * beside the others: whatever was said or measured is copied byte by byte, and what the wire gave
 * (verdict, summary) is kept in the column, so that it can be asked again. Pure.
 *
 * A record with the column differs from the same one without it in: id and supersedes (where a new
 * one is given), verdict and tier (judge/lens/attest.c), findings that begin with ATTESTED_, and
 * the end of the summary.
 */
#pragma once

#include <wirewitness/verdict.h>

#include "ledger/attestation.h"

struct ww_attested_item {
	char id[WW_ATTESTATION_ID_MAX];
	char attester[WW_ATTESTER_NAME_MAX + 1];
	enum ww_attestation_outcome outcome;
	char at[WW_RFC3339_MAX];
};

struct ww_attested {
	unsigned count;
	struct ww_attested_item items[WW_ATTESTATION_FOR_MAX];
};

/* What a verdict's record says of itself, as far as attestations go; borrowed but for `before`. */
struct ww_attested_verdict {
	struct ww_slice id, t, action, tool, tool_call_id, id_digest, terms;
	enum ww_verdict wire; /* that of the wire */
	bool pending;
	struct ww_slice summary;   /* of the wire, as it stands between its quotes */
	struct ww_attested before; /* what was attested already */
};

/* 0; -EINVAL: no record of a verdict on an action (one on its control is none), or none that can be
 * read. */
WW_CHECK int ww_attested_read(struct ww_slice verdict, struct ww_attested_verdict *ret,
			      struct ww_errtext *why);

/* Whether the attestation is about the verdict's action. key: of the created id's digest; who has
 * none (NULL) can only say that an id was created. */
bool ww_attested_fits(const struct ww_attested_verdict *v, const struct ww_attestation *a,
		      const struct ww_digest_key *key);

struct ww_attested_item *ww_attested_find(struct ww_attested *all, const char *id);

/* Takes it in unless it is there. 0, -ENOSPC. */
WW_CHECK int ww_attested_add(struct ww_attested *all, const struct ww_attestation *a);

/* What the verdict is with them, and the finding that one of them makes (NULL: none), where the
 * wire gives this one. */
enum ww_verdict ww_attested_rule(const struct ww_attested *all, enum ww_verdict wire);
const char *ww_attested_finding(const struct ww_attested_item *it, enum ww_verdict wire);

/* Of a finding's name: whether it is one of them. */
bool ww_attested_finds(struct ww_slice name);

/*
 * Writes the verdict's record with this column, which has one item at least. id: of the new record,
 * which supersedes the one given; NULL: it stands in its place. 0, -EINVAL (as above), -EMSGSIZE,
 * -ENOMEM.
 */
WW_CHECK int ww_attested_write(struct ww_slice verdict, const struct ww_attested *all,
			       const char *id, struct ww_buf *out);
