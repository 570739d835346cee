/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_attested: the column of a path's record that says what was attested from outside of where
 * its requests were processed. It is put beside the rest, which is copied byte by byte: legs,
 * verdict and evidence are those of what was seen, whatever anybody signs. Pure.
 *
 * A record with the column differs from the same one without it in: id, revision and supersedes
 * (where a new one is given), `attested`, and findings that name an attestation.
 */
#pragma once

#include "ledger/attestation.h"
#include "policy/placement.h"

#define WW_PATH_ATTESTED_MAX 8u /* attestations of one path */

/* X(enum suffix, text, meaning) */
#define WW_PATH_ATTESTED_FINDINGS(X)                                                          \
	X(ELSEWHERE, "ATTESTED_ELSEWHERE",                                                    \
	  "attested to have been processed in another region than is listed of the endpoint") \
	X(OUT_OF_REGION, "ATTESTED_OUT_OF_REGION",                                            \
	  "attested to have been processed in a region that is not allowed")

/* One attestation, as the column has it. */
struct ww_path_said {
	char id[WW_ATTESTATION_ID_MAX];
	char attester[WW_ATTESTER_NAME_MAX + 1];
	enum ww_attestation_by by;
	char subject[WW_ATTESTATION_SUBJECT_MAX + 1];
	struct ww_attested_place place;
	struct ww_wall at;
};

/* What a path's record says of itself, borrowed. */
struct ww_path_record {
	struct ww_slice id, path, t;
	uint64_t number;       /* of the path */
	uint64_t revision;     /* of the record */
	struct ww_slice agent; /* empty: none */
	struct ww_slice legs, attested;
};

/* 0; -EINVAL: no record of a path, or none that can be read. */
WW_CHECK int ww_path_record_read(struct ww_slice json, struct ww_path_record *ret,
				 struct ww_errtext *why);

/* Whether one of its legs, which is one for certain, has the id that the attestation names. */
bool ww_path_record_fits(const struct ww_path_record *r, const struct ww_attestation *a);

/* One that it names already, borrowed. */
struct ww_path_entry {
	struct ww_json_token id, attester, by, subject, region, operator_name;
};

/* The next one; `json` is opened by ww_fields_array over r->attested. 1, 0 after the last one,
 * -EINVAL. */
WW_CHECK int ww_path_record_next(struct ww_json *json, struct ww_path_entry *ret);

void ww_path_say(const struct ww_attestation *a, struct ww_path_said *ret);

/* The record with these put in, as far as they are not there; revision 0: it keeps its own, else it
 * gets this one and supersedes what it was. out is empty. 0, -EINVAL, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_path_attested_write(struct ww_slice json, const struct ww_path_said *said,
				    unsigned count, const struct ww_policy *policy,
				    uint64_t revision, struct ww_buf *out);
