/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scene or a tape gives in records, all kinds, as one text: and the verdicts in it derived
 * again by the auditor's rules. Every scene of the judge's tests ends with that.
 */
#pragma once

#include <setjmp.h>
#include <stdio.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/json.h"
#include "ledger/rederive.h"

static inline struct ww_slice kind_of(struct ww_slice record)
{
	struct ww_json_token t;

	assert_int_equal(ww_json_path(record, "$.kind", &t, NULL), WW_PARSE_DONE);
	return t.raw;
}

/* Of records, one per line; the caller frees. */
static inline struct ww_rederive *derive_again(struct ww_slice records)
{
	struct ww_rederive *rd = NULL;
	struct ww_slice line;
	uint64_t index = 0;

	assert_int_equal(ww_rederive_new(&rd), 0);
	while (ww_slice_line(&records, &line))
		assert_int_equal(ww_rederive_add(rd, index++, kind_of(line), line), 0);
	assert_int_equal(ww_rederive_run(rd, WW_SLICE_NULL, WW_SLICE_NULL), 0);
	return rd;
}

/* No verdict differs from its evidence; `open`: some may not be derivable. */
static inline void all_derived(struct ww_slice records, bool open)
{
	WW_AUTO(ww_rederive_free_auto) struct ww_rederive *rd = derive_again(records);
	const struct ww_rederive_result *r = ww_rederive_result(rd);

	for (size_t i = 0; i < r->n_findings; i++) {
		const struct ww_rederive_finding *f = &r->findings[i];

		if (!f->undecided || !open)
			fprintf(stderr, "record %llu, %s: %s: expected %s, found %s%s\n%.*s",
				(unsigned long long)f->index, f->verdict, f->field, f->expected,
				f->found, f->undecided ? " (undecided)" : "", (int)records.n,
				(const char *)records.p);
	}
	assert_int_equal(r->differ, 0);
	if (!open)
		assert_int_equal(r->undecided, 0);
}
