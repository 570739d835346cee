/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the tree for one record: {"v":1,"kind":"<kind>","digest":"<hex SHA-256 of salt and
 * record>"}.
 *
 * The record itself never enters the tree. The random salt keeps short records from being guessed
 * from their digest, and lets a record be erased (GDPR Art. 17) with every proof still valid. Pure;
 * shared by the writer, the report and the auditor's verifier.
 */
#pragma once

#include "base/digest.h"

#define WW_LEAF_SALT_LEN  32u
#define WW_LEAF_KIND_MAX  32u  /* bytes of a kind: a-z, 0-9, '_' */
#define WW_LEAF_BYTES_MAX 160u /* the text and its NUL */

/* Whether the text may be a kind. */
bool ww_leaf_kind_ok(struct ww_slice kind);

/* Writes the leaf of a record whose digest is given and returns its length without the NUL; kind
 * must be ok. */
size_t ww_leaf_text(struct ww_slice kind, const struct ww_sha256 *digest,
		    char out[WW_LEAF_BYTES_MAX]);
