/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an auditor asks of one file, from the options of a command line to the text of the answer:
 * reads the files, decides whether it is a report or a tlog-proof, has it checked, writes the
 * outcome. Shared by `wirewitness verify` and `wirewitness-verify`; prints nothing itself.
 */
#pragma once

#include "base/buf.h"
#include "ledger/earlier.h"
#include "ledger/errtext.h"

struct ww_audit {
	const char *file;     /* "-": standard input */
	const char *key;      /* a verifier key, or */
	const char *key_file; /* the first line of a file */
	const char *history;  /* the ledger's keys/history */
	const char *witnesses;
	const char *kept[WW_EARLIER_MAX]; /* files with checkpoints */
	size_t n_kept;
	const char *log;              /* the log's directory, for proofs between trees */
	const char *equivocation_dir; /* where to keep the proof that the log told two stories */
	bool rederive, json, allow_untrusted;
};

/* In order of precedence, but for TROUBLE; the exit codes of wirewitness-verify. */
enum ww_audit_outcome {
	WW_AUDIT_VERIFIED = 0,
	WW_AUDIT_FAILED = 1,    /* a check failed */
	WW_AUDIT_TROUBLE = 2,   /* the question cannot be asked: wrong options, unreadable files */
	WW_AUDIT_UNTRUSTED = 3, /* all checks passed, but no trusted key was given */
	WW_AUDIT_OPEN = 4,      /* nothing failed, but something that was asked cannot be shown */
};

/* The option that is wrong or missing, for the usage line; NULL: none. */
const char *ww_audit_wrong(const struct ww_audit *a);

/* Appends the text to print to out; with TROUBLE, and sometimes FAILED, what is wrong is in `why`.
 */
enum ww_audit_outcome ww_audit(const struct ww_audit *a, struct ww_buf *out,
			       struct ww_errtext *why);
