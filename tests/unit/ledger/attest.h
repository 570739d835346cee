/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attester for tests: its keys are made and its statements signed with libcrypto, not with the
 * code under test; only the envelope's PAE is spelled here as the specification has it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/encode.h"
#include "ledger/attestation.h"

#define ATTESTED_MS 1790000010000ull /* what statements say by themselves */
#define ATTESTED_AT "2026-09-21T14:13:30Z"

struct attester {
	EVP_PKEY *pkey;
	struct ww_attester pub;
	char base64[WW_ATTESTER_BASE64_MAX + 1];
};

static inline struct attester attester_new(const char *name, bool p256)
{
	struct attester a = {.pkey = p256 ? EVP_EC_gen("P-256")
					  : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
	unsigned char *der = NULL;
	int n;

	assert_non_null(a.pkey);
	n = i2d_PUBKEY(a.pkey, &der);
	assert_true(n > 0 && n <= (int)WW_ATTESTER_KEY_MAX);
	ww_base64_encode(ww_slice(der, (size_t)n), a.base64);
	OPENSSL_free(der);
	assert_int_equal(ww_attester_key_parse(ww_slice_str(a.base64), &a.pub), 0);
	snprintf(a.pub.name, sizeof(a.pub.name), "%s", name);
	return a;
}

static inline void attester_done(struct attester *a)
{
	EVP_PKEY_free(a->pkey);
	a->pkey = NULL;
}

/* Signs these bytes as a statement; the envelope goes to out, which has 16 KiB. */
static inline struct ww_slice sign_payload(const struct attester *a, const char *payload, char *out)
{
	char pae[8192], body[8192], sig64[256];
	unsigned char sig[256];
	size_t sig_n = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int n = snprintf(pae, sizeof(pae), "DSSEv1 %zu %s %zu %s", strlen(WW_DSSE_INTOTO),
			 WW_DSSE_INTOTO, strlen(payload), payload);

	assert_true(n > 0 && n < (int)sizeof(pae));
	assert_int_equal(EVP_DigestSignInit(ctx, NULL,
					    EVP_PKEY_is_a(a->pkey, "EC") ? EVP_sha256() : NULL,
					    NULL, a->pkey),
			 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &sig_n, (unsigned char *)pae, (size_t)n), 1);
	EVP_MD_CTX_free(ctx);
	ww_base64_encode(ww_slice_str(payload), body);
	ww_base64_encode(ww_slice(sig, sig_n), sig64);
	snprintf(out, 16384,
		 "{\"payload\":\"%s\",\"payloadType\":\"" WW_DSSE_INTOTO
		 "\",\"signatures\":[{\"sig\":\"%s\"}]}",
		 body, sig64);
	return ww_slice_str(out);
}

/* `more`: further members of the predicate, each with a comma before it. */
struct saying {
	const char *tool, *by, *subject, *outcome, *at, *more;
	const char *digest_of; /* NULL: subject */
	const char *predicate; /* NULL: ours */
};

static inline const char *statement(const struct saying *s, char *out)
{
	const char *subject = s->subject ? s->subject : "c1";
	const char *of = s->digest_of ? s->digest_of : subject;
	char hex[2 * WW_SHA256_LEN + 1];
	struct ww_sha256 d;

	ww_sha256(ww_slice_str(of), &d);
	ww_hex_encode(ww_slice(d.b, sizeof(d.b)), hex);
	snprintf(out, 4096,
		 "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"x\","
		 "\"digest\":{\"sha256\":\"%s\"}}],\"predicateType\":\"%s\",\"predicate\":{"
		 "\"tool\":\"%s\",\"%s\":\"%s\",\"outcome\":\"%s\",\"attestedAt\":\"%s\"%s}}",
		 hex, s->predicate ? s->predicate : WW_ATTESTATION_PREDICATE,
		 s->tool ? s->tool : "refund", s->by ? s->by : "toolCallId", subject,
		 s->outcome ? s->outcome : "achieved", s->at ? s->at : ATTESTED_AT,
		 s->more ? s->more : "");
	return out;
}

#define SAY(a, out, ...)                                               \
	({                                                             \
		char statement_[4096];                                 \
		struct saying saying_ = {__VA_ARGS__};                 \
		sign_payload(a, statement(&saying_, statement_), out); \
	})
