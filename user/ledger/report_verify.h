/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifies a report file offline: bytes and a trusted key in, one line per check out. Pure but for
 * tile files that it is given; links with base, the rest of ledger, the rules of judge and
 * libcrypto only. Bounded: the file at most WW_REPORT_BYTES_MAX, records at most
 * WW_REPORT_RECORDS_MAX.
 *
 * Trust comes from the caller's key and from nothing in the file. Without a key the report is
 * checked under the key that it names itself: that shows that it is whole, not who made it. Such a
 * result is `consistent`, never `verified`. The file is an envelope or a Sigstore bundle around
 * one. With a key that did not sign the report nothing further is checked.
 */
#pragma once

#include "ledger/bundle.h"
#include "ledger/earlier.h"
#include "ledger/errtext.h"
#include "ledger/keychain.h"
#include "ledger/leaf.h"
#include "ledger/note.h"
#include "ledger/rederive.h"
#include "ledger/statement.h"
#include "ledger/witness_set.h"

/* name in text and JSON output, what passing says */
#define WW_REPORT_CHECKS(X)                                                                        \
	X(ENVELOPE, "envelope", "the file is one DSSE envelope")                                   \
	X(TYPE, "payloadType", "the payload is an in-toto Statement")                              \
	X(KEY, "key", "the signing key is the trusted one")                                        \
	X(SIGNATURE, "signature", "the envelope's signature is good")                              \
	X(STATEMENT, "statement", "the statement has the shape of a report")                       \
	X(CHECKPOINT, "checkpoint",                                                                \
	  "the tree head is signed by the same key and is the one named")                          \
	X(SUBJECT, "subject", "the subjects are the tree root and the listed records")             \
	X(RECORDS, "records",                                                                      \
	  "every record is well formed, its leaf recomputed from salt and bytes")                  \
	X(INCLUSION, "inclusion", "every leaf is in the signed tree")                              \
	X(RANGE, "range", "the listed indexes are the declared ones")                              \
	X(WORDING, "wording", "no strong word stands without what backs it")                       \
	X(SAMPLING, "sampling", "the shown verdicts are those that the seeds choose")              \
	X(WITNESSES, "witnesses", "enough witnesses have cosigned the tree head")                  \
	X(BUNDLE, "bundle", "the report itself is in the log, time stamps are over its signature") \
	X(EARLIER, "earlier", "the tree and those of the kept checkpoints are one")                \
	X(REDERIVED, "rederived", "every verdict follows from the evidence that it cites")

#define WW_REPORT_CHECK_ENUM_(n, name, text) WW_REPORT_CHECK_##n,
enum ww_report_check_id { WW_REPORT_CHECKS(WW_REPORT_CHECK_ENUM_) WW_REPORT_CHECK_MAX };

enum ww_report_state {
	WW_REPORT_SKIPPED, /* an earlier failure left nothing to check: counts as not passed */
	WW_REPORT_PASSED,
	WW_REPORT_FAILED,
	WW_REPORT_ABSENT, /* the file has nothing of the kind, or nobody asked: does not count */
	WW_REPORT_OPEN,   /* nothing speaks against it, but it cannot be shown: not passed */
};

struct ww_report_check {
	enum ww_report_state state;
	struct ww_errtext text; /* what was found */
};

#define WW_REPORT_KINDS_MAX 32u

struct ww_report_kind {
	char kind[WW_LEAF_KIND_MAX + 1];
	uint64_t count;
};

struct ww_report_result {
	bool verified;   /* every check passed, under a key that the caller trusts */
	bool consistent; /* every check but `key` passed */
	bool open;       /* every check but `key` passed or is open, and one is open */
	struct ww_report_check checks[WW_REPORT_CHECK_MAX];
	bool has_key; /* `key` is set: the trusted one, or without it the one the report names */
	struct ww_note_key key;
	uint64_t key_first, key_last;         /* tree sizes that it speaks for */
	char key_until[WW_ROTATION_TIME_MAX]; /* when it was replaced; empty: it is the newest */
	bool has_statement; /* the following are set; the signature over them was good */
	struct ww_statement statement;
	uint64_t pruned, pruned_by; /* withheld by prune records, the last of which is pruned_by */
	size_t n_kinds;             /* further kinds are not counted by name */
	struct ww_report_kind kinds[WW_REPORT_KINDS_MAX];
	struct ww_slice payload;      /* with `note`, what the statement borrows from */
	struct ww_buf memory, note;   /* of the payload, where it is not in the caller's */
	struct ww_bundle bundle;      /* with bundle.memory.p: the file was one */
	struct ww_rederive *rederive; /* NULL: not asked for, or not come to */
	bool equivocation; /* the kept checkpoint `equivocal` and the report's prove one */
	size_t equivocal;
};

/* What to check, and by which trust; all borrowed. `key` and `chain` NULL: nobody is trusted. */
struct ww_report_options {
	const struct ww_note_key *key;
	/* Or the keys that a log has had: the report counts under whichever it names, for trees
	 * that this key speaks for. The caller's trust is in the key that the chain was read with
	 * (keychain.h). */
	const struct ww_keychain *chain;
	struct ww_buf *over; /* NULL, or where the file lies, to be written over; see dsse.h */
	bool rederive;       /* derive the verdicts again (rederive.h) */
	const struct ww_slice *kept; /* signed checkpoints, smaller or larger ones, */
	size_t n_kept;               /* at most WW_EARLIER_MAX */
	struct ww_tile_store *tiles; /* and where proofs may come from besides the report; NULL */
};

/*
 * Runs all checks. `trusted` may be NULL. 0: result filled in, whatever it says; -ENOMEM: nothing
 * was decided. Release with ww_report_result_done.
 */
WW_CHECK int ww_report_verify(struct ww_slice file, const struct ww_note_key *trusted,
			      struct ww_report_result *ret_result);

/* The same with more to check. With a chain, for a log that has had several keys: the report counts
 * under whichever key of it the report names, for trees that this key speaks for. The caller's
 * trust is in the key that the chain was read with (keychain.h). */
WW_CHECK int ww_report_verify_with(struct ww_slice file, const struct ww_report_options *o,
				   struct ww_report_result *ret_result);

/*
 * After one of the two: whether a quorum of these witnesses has cosigned the tree head that the
 * proofs lead to. Without this call the check WITNESSES is absent: it says whether anybody but the
 * log signed, and counts nothing. 0: the result is changed; -ENOMEM: it is not.
 */
WW_CHECK int ww_report_verify_witnesses(struct ww_report_result *r,
					const struct ww_witness_set *set);

/* What is found on verdicts; NULL: they were not derived. */
const struct ww_rederive_result *ww_report_rederived(const struct ww_report_result *r);
void ww_report_result_done(struct ww_report_result *r);

const char *ww_report_check_name(enum ww_report_check_id id);
