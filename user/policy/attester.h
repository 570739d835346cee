/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attester: who may say of a tool's calls what came of them. A name and a public key, declared in
 * the tool's contract; whose key it is, is the declarer's word. Plain values, pure.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

#define WW_ATTESTERS_MAX       4u
#define WW_ATTESTER_NAME_MAX   63u
#define WW_ATTESTER_KEY_MAX    91u  /* bytes of the SubjectPublicKeyInfo of a P-256 key */
#define WW_ATTESTER_BASE64_MAX 124u /* the same in base64 */

enum ww_attester_type { WW_ATTESTER_ED25519, WW_ATTESTER_P256 };

struct ww_attester {
	unsigned line; /* in the contract file */
	char name[WW_ATTESTER_NAME_MAX + 1];
	enum ww_attester_type type;
	uint8_t key_bytes;
	uint8_t key[WW_ATTESTER_KEY_MAX]; /* SubjectPublicKeyInfo in DER, one form only */
};

/* Letters, digits, '.', '_', '-': it stands in lines for people. */
bool ww_attester_name_ok(struct ww_slice name);

/* Reads the SubjectPublicKeyInfo of an Ed25519 key or of a P-256 key with an uncompressed point, in
 * standard base64. Whether the point lies on the curve is seen by who verifies. 0 or -EINVAL. */
WW_CHECK int ww_attester_key_parse(struct ww_slice base64, struct ww_attester *ret);

/* The key as it was read; out has WW_ATTESTER_BASE64_MAX + 1 bytes. */
void ww_attester_key_text(const struct ww_attester *a, char *out);

bool ww_attester_same_key(const struct ww_attester *a, const struct ww_attester *b);

/* Of an Ed25519 key: the 32 bytes of RFC 8032. */
struct ww_slice ww_attester_raw(const struct ww_attester *a);
