/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict_write: the ledger records of kinds "action" and "verdict". docs/records.md documents
 * their members. No content: ids, digests, templates, numbers. Deterministic: the same case and
 * ruling give the same bytes.
 */
#pragma once

#include "base/json_write.h"
#include "judge/case.h"
#include "judge/originals.h"

#define WW_VERDICT_ID_MAX 48

/* A retry came before the server's Retry-After was over. */
#define WW_VERDICT_FINDING_BACKOFF "RETRY_IGNORED_BACKOFF"

struct ww_verdict_record {
	const struct ww_case *k;
	const struct ww_ruling *r;
	const struct ww_clock_map *clock;
	const struct ww_contracts *contracts;
	const struct ww_phrases *phrases;     /* NULL: prose was not read */
	const struct ww_originals *originals; /* NULL: the first judgement */
	uint32_t revision;                    /* 1, 2, ... */
};

/* Whose action it is and by which tool: the members that its record, its verdict's and the line
 * that announces it share. */
void ww_verdict_write_who(const struct ww_action *a, struct ww_jsonw *w);

/* The action's record. Errors stay in the writer. */
void ww_verdict_write_action(const struct ww_verdict_record *v, struct ww_jsonw *w);

/*
 * The verdict's record, last member "supersedes" where revision > 1. *ret_from and *ret_to bound
 * the bytes in w's buffer that say the verdict itself, without id and predecessor: equal bytes,
 * nothing new.
 */
void ww_verdict_write(const struct ww_verdict_record *v, struct ww_jsonw *w, size_t *ret_from,
		      size_t *ret_to);

/* One line for people, in the wording rules: measured, claimed, unknown; never "proven". */
#define WW_VERDICT_SUMMARY_MAX 512
#define WW_VERDICT_AGAIN       "judged again under other contracts; "
void ww_verdict_summary(const struct ww_case *k, const struct ww_ruling *r, char *out);
