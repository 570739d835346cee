/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafts a contract from what was seen of a tool: the calls that carry the trace of its spans, or
 * that its process tree made while one ran. Only what records show goes into the draft, each part
 * with the records that show it; what a success looks like inside is content, which no record has.
 */
#pragma once

#include "records.h"

struct ww_learn_query {
	const char *tool;
	struct ww_moment since, until;
};

/* Writes the draft to out. 0; -ENODATA: no span of the tool, or no call of one; -errno. Told on
 * standard error. */
WW_CHECK int ww_learn(struct ww_records *records, const struct ww_learn_query *q, FILE *out);
