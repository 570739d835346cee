/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_html: a signed report as one HTML file for people: completeness before verdicts, every
 * verdict with a drawing of its times, every row linked to the record it rests on, the commands to
 * check it, and the report file itself inside. A pure function of the report file: whoever has that
 * can make this page, and makes the same bytes.
 *
 * The page shows what the signed payload says and nothing else: what comes from the payload stands
 * in elements of class "v", as it stands there (long values cut with "...", characters that act on
 * a reader's screen written out); times in the drawings are differences of times of the records.
 * All other words are ours and stand in tables here. No scripts, nothing is fetched: the policy in
 * the page's head forbids both.
 *
 * The report file stands on the lines between `<template id="report">` and `</template>`, byte for
 * byte:  sed -n '/^<template id="report">$/,/^<\/template>/{//!p}' page.html > report.json
 */
#pragma once

#include "ledger/report_verify.h"
#include "out/html.h"

/* Bytes of records that are shown as text; further ones have their place, and say where they are.
 */
#define WW_REPORT_HTML_TEXT_BYTES (12u << 20)

/*
 * Writes the page of `file`, whose `checked` result (report_verify.h) must be consistent. 0;
 * -EBADMSG (not consistent); -EINVAL (the file holds & or <, or control characters); an error of
 * `write`; -EMSGSIZE, -ENOMEM.
 */
WW_CHECK int ww_report_html(struct ww_slice file, const struct ww_report_result *checked,
			    ww_html_write_fn write, void *ctx, struct ww_errtext *why);
