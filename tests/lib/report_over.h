/* SPDX-License-Identifier: Apache-2.0 */
/* A report is verified in two ways: from memory that stays as it is, and with the payload decoded
 * over its text (ww_report_options.over). What is found must be the same. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "ledger/dsse.h"
#include "ledger/report_text.h"
#include "ledger/report_verify.h"
#include "wirewitness/limits.h"

static inline bool same_text(const struct ww_report_result *a, const struct ww_report_result *b)
{
	WW_AUTO_BUF struct ww_buf x = {0}, y = {0};

	ww_buf_init(&x, WW_REPORT_BYTES_MAX);
	ww_buf_init(&y, WW_REPORT_BYTES_MAX);
	return ww_report_text_json(a, "report", &x) == 0 &&
	       ww_report_text_json(b, "report", &y) == 0 &&
	       ww_slice_eq(ww_buf_slice(&x), ww_buf_slice(&y));
}

/* Whether `found`, which ww_report_verify says of the file, is found in the other way, too. */
static inline bool same_over(struct ww_slice file, const struct ww_note_key *key,
			     const struct ww_report_result *found)
{
	WW_AUTO_BUF struct ww_buf memory = {0};
	struct ww_report_options o = {.key = key, .over = &memory};
	struct ww_report_result r;
	uint8_t *p;
	bool same;

	ww_buf_init(&memory, WW_DSSE_ROOM + file.n);
	if (ww_buf_reserve(&memory, WW_DSSE_ROOM + file.n, &p) < 0)
		return false;
	memset(p, 0, WW_DSSE_ROOM);
	if (file.n)
		memcpy(p + WW_DSSE_ROOM, file.p, file.n);
	memory.n = WW_DSSE_ROOM + file.n;
	if (ww_report_verify_with(ww_slice(p + WW_DSSE_ROOM, file.n), &o, &r) < 0)
		return false;
	same = r.verified == found->verified && ww_slice_eq(r.payload, found->payload) &&
	       same_text(&r, found);
	ww_report_result_done(&r);
	return same;
}
