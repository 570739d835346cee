/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C2SP tlog-proof: one record's proof as a text file, checked offline with the log's key, and with
 * those of witnesses when the checkpoint in it is cosigned.
 *
 * Lines: "c2sp.org/tlog-proof@v1"; "extra BASE64"; "index N"; one base64 hash per line; an empty
 * line; the checkpoint, verbatim. Our extra is the record as a report lists it (statement.h) with
 * an empty inclusionProof: kind, salt and record, or kind and digest of an erased one. It is not
 * trusted: the leaf is recomputed from it, and the leaf is what the proof proves. Pure.
 */
#pragma once

#include "base/buf.h"
#include "ledger/checkpoint.h"
#include "ledger/errtext.h"
#include "ledger/keychain.h"
#include "ledger/merkle.h"
#include "ledger/witness_set.h"

#define WW_PROOF_FILE_BYTES_MAX (1u << 20)

struct ww_proof_file {
	uint64_t index;
	struct ww_merkle_proof proof;
	struct ww_slice extra; /* base64, borrowed; empty: none */
	struct ww_slice note;  /* borrowed */
};

/* Whether the first line is that of such a file, of any version. */
bool ww_proof_file_is(struct ww_slice file);

/* Reads the form. 0, or -EINVAL with the reason. */
WW_CHECK int ww_proof_file_parse(struct ww_slice file, struct ww_proof_file *ret_file,
				 struct ww_errtext *why);

/* Appends a file; `extra` is raw bytes here. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_proof_file_write(uint64_t index, const struct ww_merkle_proof *proof,
				 struct ww_slice extra, struct ww_slice note, struct ww_buf *out);

/* name in text and JSON output */
#define WW_PROOF_CHECKS(X)          \
	X(FILE, "file")             \
	X(KEY, "key")               \
	X(CHECKPOINT, "checkpoint") \
	X(RECORD, "record")         \
	X(INCLUSION, "inclusion")   \
	X(WITNESSES, "witnesses")

#define WW_PROOF_CHECK_ENUM_(n, text) WW_PROOF_CHECK_##n,
enum ww_proof_check { WW_PROOF_CHECKS(WW_PROOF_CHECK_ENUM_) WW_PROOF_CHECK_MAX };

enum ww_proof_state {
	WW_PROOF_SKIPPED, /* not asked for, or nothing to check after an earlier failure */
	WW_PROOF_PASSED,
	WW_PROOF_FAILED,
};

struct ww_proof_result {
	/* Every check that was asked for passed, and a key was given: a file names no key, so
	 * without one nothing is shown. */
	bool verified;
	struct {
		enum ww_proof_state state;
		struct ww_errtext text;
	} checks[WW_PROOF_CHECK_MAX];
	struct ww_proof_file file;
	struct ww_checkpoint head; /* CHECKPOINT passed */
	bool withheld;             /* RECORD passed: erased, only its digest is left */
	struct ww_slice record;    /* its JSON, in `scratch` */
	struct ww_buf scratch;
};

/*
 * Runs all checks. `key` (NULL: none is trusted) is the log's, or `chain` (NULL: none) holds those
 * that it has had, each for its own sizes; `witnesses` (NULL: not asked for)
 * names those of whom a quorum must have cosigned. 0: result filled in, whatever it says; -ENOMEM.
 * Release with ww_proof_result_done.
 */
WW_CHECK int ww_proof_file_verify(struct ww_slice file, const struct ww_note_key *key,
				  const struct ww_keychain *chain,
				  const struct ww_witness_set *witnesses,
				  struct ww_proof_result *ret_result);
void ww_proof_result_done(struct ww_proof_result *r);

/* The outcome for people, or as one JSON object and a newline. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_proof_result_text(const struct ww_proof_result *r, const char *file,
				  struct ww_buf *out);
WW_CHECK int ww_proof_result_json(const struct ww_proof_result *r, const char *file,
				  struct ww_buf *out);
