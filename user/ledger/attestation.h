/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attestations: what somebody outside signed of the outcome of one action, or of where a request
 * of a path was processed. A DSSE envelope (dsse.h) over an in-toto Statement with the predicate of
 * docs/schema/attestation-v1.schema.json or path-attestation-v1.schema.json; who may sign stands in
 * the tool's contract, or in the policy (policy/attester.h). Pure.
 *
 * Strict where meaning is at stake: another predicate, a known member twice, a subject whose digest
 * is not that of the id that the predicate names, are refused. Unknown members are ignored, as
 * in-toto wants it. What a signature shows is that the key's holder said so, never that it is so.
 */
#pragma once

#include "base/clock.h"
#include "base/json_write.h"
#include "ledger/dsse.h"
#include "policy/contract.h"

#define WW_ATTESTATION_PREDICATE   "https://wirewitness.dev/attestation/v1"
#define WW_ATTESTATION_OF_PATH     "https://wirewitness.dev/path-attestation/v1"
#define WW_ATTESTATION_PAYLOAD_MAX 4096u
#define WW_ATTESTATION_BYTES_MAX   8192u /* of an envelope; one signature takes 150 */
#define WW_ATTESTATION_ID_MAX      27u   /* "o-", 24 digits and NUL */
#define WW_ATTESTATION_SUBJECT_MAX 255u
#define WW_ATTESTATION_WORD_MAX    95u  /* a region, an operator, a service: as tables have them */
#define WW_ATTESTATION_SKEW_S      300u /* clocks of attesters may be off by this */
/* Of one action: every attester may say either once, so nobody leaves no room for a denial. */
#define WW_ATTESTATION_FOR_MAX (2 * WW_ATTESTERS_MAX)

/* By what it names its action, or a request of its path. X(enum suffix, number, member, meaning) */
#define WW_ATTESTATION_BYS(X)                                                \
	X(ACTION, 1, "action", "the id that this monitor gave the action")   \
	X(CALL, 2, "toolCallId", "the id of the tool call")                  \
	X(CREATED, 3, "createdId", "the id that the call's answer returned") \
	X(RESPONSE, 4, "responseId", "the id of the model's answer")         \
	X(REQUEST, 5, "requestId", "the provider's id of the request")

#define WW_ATTESTATION_BY_ENUM_(n, v, t, d) WW_ATTESTATION_BY_##n = (v),
enum ww_attestation_by { WW_ATTESTATION_BYS(WW_ATTESTATION_BY_ENUM_) };

/* X(enum suffix, number, text, meaning) */
#define WW_ATTESTATION_OUTCOMES(X)                                        \
	X(ACHIEVED, 1, "achieved", "what the tool is for has come about") \
	X(NOT_ACHIEVED, 2, "not-achieved", "it has not")

#define WW_ATTESTATION_OUTCOME_ENUM_(n, v, t, d) WW_ATTESTATION_##n = (v),
enum ww_attestation_outcome { WW_ATTESTATION_OUTCOMES(WW_ATTESTATION_OUTCOME_ENUM_) };

/* What it says of where a request was processed; empty: nothing. */
struct ww_attested_place {
	char path[32]; /* the path that it must be of; empty: whichever */
	char region[WW_ATTESTATION_WORD_MAX + 1];
	char operator_name[WW_ATTESTATION_WORD_MAX + 1];
	char service[WW_ATTESTATION_WORD_MAX + 1];
	char basis[WW_ATTESTATION_WORD_MAX + 1]; /* what the attester goes by */
	struct ww_wall processed_at;             /* 0: it does not say */
};

struct ww_attestation {
	struct ww_dsse dsse;
	bool of_path; /* then `place` counts; else tool and outcome */
	struct ww_attested_place place;
	char tool[128];
	enum ww_attestation_by by;
	char subject[WW_ATTESTATION_SUBJECT_MAX + 1];
	enum ww_attestation_outcome outcome;
	struct ww_wall attested_at;
	struct ww_wall expires_at;                      /* 0: never */
	char log[WW_NOTE_NAME_MAX + 1];                 /* the ledger that it is for; empty: any */
	char reference[WW_ATTESTATION_SUBJECT_MAX + 1]; /* free text; empty: none */

	/* set by ww_attestation_verify */
	const struct ww_attester *attester;
	uint8_t sig_bytes, sig[WW_SIGNER_SIG_MAX];
	char id[WW_ATTESTATION_ID_MAX]; /* of payload, key: the same said twice is one */
};

/* Reads an envelope; no signature is looked at. 0, -EINVAL, -EMSGSIZE, -ENOMEM. On success release
 * with ww_attestation_done; on error nothing is held. */
WW_CHECK int ww_attestation_parse(struct ww_slice envelope, struct ww_attestation *ret,
				  struct ww_errtext *why);
void ww_attestation_done(struct ww_attestation *a);

/* Whose signature is good: one of these attesters, borrowed by *a. 0, -ENOKEY (nobody's), -ENOMEM.
 */
WW_CHECK int ww_attestation_verify(struct ww_attestation *a, const struct ww_attester *attesters,
				   unsigned count);

/* Whether it counts at this time: made before, not expired. 0 or -EINVAL. */
WW_CHECK int ww_attestation_current(const struct ww_attestation *a, struct ww_wall now,
				    struct ww_errtext *why);

/* Whether it was made after the action had begun: nothing can be attested before. 0 or -EINVAL. */
WW_CHECK int ww_attestation_begun(const struct ww_attestation *a, struct ww_wall begun,
				  struct ww_errtext *why);

const char *ww_attestation_by_name(enum ww_attestation_by by);
const char *ww_attestation_outcome_name(enum ww_attestation_outcome outcome);

/*
 * The record of kind "attestation" about this action or path, taken in at `now`. Of a verified one.
 * The free reference stands in it as a keyed digest, and in the signed payload as it was signed.
 */
void ww_attestation_write(const struct ww_attestation *a, const char *subject, struct ww_wall now,
			  const struct ww_digest_key *key, struct ww_jsonw *w);
/* The member `says`: what it says of where a request was processed. */
void ww_attestation_write_place(const struct ww_attested_place *place, struct ww_jsonw *w);

/* What such a record says beside its envelope, borrowed; about a path it has no action, tool and
 * outcome, and the other way round. 0 or -EINVAL. */
struct ww_attestation_record {
	struct ww_slice id, t, action, path, tool, by, outcome, attester, attested_at;
	struct ww_slice envelope; /* the object's text */
};
WW_CHECK int ww_attestation_record_read(struct ww_slice json, struct ww_attestation_record *ret,
					struct ww_errtext *why);
