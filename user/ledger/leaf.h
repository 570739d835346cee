/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the tree for one record. Two types, told apart by their first bytes:
 *
 *   {"v":1,"kind":"<kind>","digest":"<hex SHA-256 of salt and record>"}   every kind but "report"
 *   {"apiVersion":"0.0.2","kind":"dsse","spec":{...}}                     kind "report"
 *
 * The record itself never enters the tree. The random salt keeps short records from being guessed
 * from their digest, and lets a record be erased (GDPR Art. 17) with every proof still valid. A
 * record of kind "report" says that a report was signed; the verifiers of others must find their
 * own form in the tree, so its leaf is its member "entry" as it stands (bundle.h): hashes and a
 * public signature, nothing to salt. Its other members are not covered by the tree.
 *
 * Pure; shared by the writer, the report and the auditor's verifier.
 */
#pragma once

#include "base/digest.h"

#define WW_LEAF_SALT_LEN  32u
#define WW_LEAF_KIND_MAX  32u   /* bytes of a kind: a-z, 0-9, '_' */
#define WW_LEAF_BYTES_MAX 1024u /* the text and its NUL */
#define WW_LEAF_REPORT    "report"

/* Whether the text may be a kind. */
bool ww_leaf_kind_ok(struct ww_slice kind);
bool ww_leaf_is_report(struct ww_slice kind);

/* Writes the leaf of a record whose digest is given and returns its length without the NUL; kind
 * must be ok and not "report". */
size_t ww_leaf_text(struct ww_slice kind, const struct ww_sha256 *digest,
		    char out[WW_LEAF_BYTES_MAX]);

/* Whether a leaf is of the second type. */
bool ww_leaf_is_entry(struct ww_slice leaf);

/* The member "entry" of a report record, borrowed. 0 or -EINVAL (none, too long, of another form).
 */
WW_CHECK int ww_leaf_entry(struct ww_slice record, struct ww_slice *ret_entry);

/*
 * Writes the leaf of a record of either type; `salted` is its salt and bytes as one run. 0, or
 * -EINVAL: a report record without its entry.
 */
WW_CHECK int ww_leaf_record(struct ww_slice kind, struct ww_slice salted,
			    char out[WW_LEAF_BYTES_MAX], size_t *ret_n);
