/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a record, on their way to a terminal: line, tree, filter. Whatever they are, what
 * comes out is bounded, valid text without a byte that a terminal would obey.
 */
#include <errno.h>
#include <stddef.h>

#include <wirewitness/limits.h>

#include "base/utf8.h"
#include "out/filter.h"
#include "out/line.h"
#include "out/outline.h"
#include "out/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_text(struct ww_slice text, bool newlines)
{
	for (size_t at = 0; at < text.n;) {
		size_t n = 1;
		uint8_t c = text.p[at];

		demand(c >= 0x20 || (c == '\n' && newlines));
		demand(c != 0x7f);
		if (c >= 0x80)
			demand(ww_utf8_next(text, at, &n) == WW_PARSE_DONE);
		demand(!(c == 0xc2 && text.p[at + 1] < 0xa0)); /* C1 */
		at += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_slice record = ww_slice(data, size);
	struct ww_survey *survey = NULL;
	struct ww_filter filter;
	char why[WW_FILTER_WHY_MAX];
	struct ww_buf out;
	int r;

	if (size > WW_RECORD_BYTES_MAX)
		return 0;
	ww_buf_init(&out, 1 << 20);
	r = ww_line_add(record, WW_LINE_DATED, &out);
	demand(r == 0 && out.n <= WW_LINE_BYTES_MAX);
	check_text(ww_buf_slice(&out), false);
	ww_buf_clear(&out);
	r = ww_outline_add(record, 2, &out);
	demand(r == 0 || r == -EINVAL || r == -EMSGSIZE);
	check_text(ww_buf_slice(&out), true);
	ww_buf_done(&out);
	if (ww_survey_new(&survey) == 0)
		demand(ww_survey_add(survey, 0, record) <= 0);
	ww_survey_free(survey);
	/* The bytes as a filter, then a filter over them. */
	if (ww_filter_parse(record, &filter, why) < 0)
		check_text(ww_slice_str(why), false);
	else
		ww_filter_match(&filter, record);
	if (ww_filter_parse(WW_SLICE_LIT("kind=verdict tool!=a* wire.status=5*"), &filter, why) ==
	    0)
		ww_filter_match(&filter, record);
	return 0;
}
