/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the records behind a verdict: the first line is the verdict's, the others are what
 * its ids lead to, whatever they are. The tree is bounded and harmless for terminals, in ASCII too,
 * and JSON that a reader takes; so is the row of `actions`.
 */
#include <errno.h>
#include <stddef.h>

#include <wirewitness/limits.h>

#include "base/json.h"
#include "base/utf8.h"
#include "out/action_row.h"
#include "out/why.h"

#include "../lib/whole_json.h"

#define LINES_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct lines {
	unsigned count;
	struct ww_slice each[LINES_MAX];
};

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_text(struct ww_slice text, bool ascii)
{
	for (size_t at = 0; at < text.n;) {
		size_t n = 1;
		uint8_t c = text.p[at];

		demand((c >= 0x20 || c == '\n') && c != 0x7f);
		demand(c < 0x80 || !ascii);
		if (c >= 0x80)
			demand(ww_utf8_next(text, at, &n) == WW_PARSE_DONE);
		demand(!(c == 0xc2 && text.p[at + 1] < 0xa0)); /* C1 */
		at += n;
	}
}

static void check_json(struct ww_slice text)
{
	demand(whole_json(text));
	check_text(text, false);
}

/* Every id leads to some line, or to none. */
static int get(void *ctx, struct ww_slice id, uint64_t *ret_index, struct ww_slice *ret_json)
{
	const struct lines *l = ctx;
	unsigned hash = 0;

	for (size_t i = 0; i < id.n; i++)
		hash = hash * 31 + id.p[i];
	hash %= l->count + 1;
	if (hash == l->count)
		return -ENOENT;
	*ret_index = hash;
	*ret_json = l->each[hash];
	return 0;
}

static void check_row(struct ww_slice verdict)
{
	struct ww_action_row row = {1, verdict, ww_slice_sub(verdict, 0, 20), true};
	struct ww_buf out;

	ww_buf_init(&out, 1 << 20);
	for (unsigned i = 0; i < WW_ACTION_ROW_COLUMNS; i++)
		demand(ww_action_row_cell(&row, i, &out) == 0);
	check_text(ww_buf_slice(&out), false);
	ww_buf_clear(&out);
	if (ww_action_row_json(&row, &out) == 0)
		check_json(ww_buf_slice(&out));
	ww_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_slice rest = ww_slice(data, size);
	struct lines l = {0};
	struct ww_why_tree *tree = NULL;
	struct ww_why_ask ask = {
		.index = 1, .superseded_by = WW_SLICE_LIT("v-2"), .get = get, .ctx = &l};
	struct ww_buf out;

	if (size > WW_RECORD_BYTES_MAX)
		return 0;
	while (l.count < LINES_MAX && ww_slice_line(&rest, &l.each[l.count]))
		l.count++;
	if (l.count == 0)
		return 0;
	ask.verdict = l.each[0];
	check_row(ask.verdict);
	if (ww_why_build(&ask, &tree) < 0)
		return 0;
	ww_buf_init(&out, 64 << 20);
	demand(ww_why_tree_text(tree, 0, &out) == 0);
	check_text(ww_buf_slice(&out), false);
	ww_buf_clear(&out);
	demand(ww_why_tree_text(tree, WW_WHY_ASCII, &out) == 0);
	check_text(ww_buf_slice(&out), true);
	ww_buf_clear(&out);
	demand(ww_why_tree_json(tree, &out) == 0);
	check_json(ww_buf_slice(&out));
	ww_buf_done(&out);
	ww_why_tree_free(tree);
	return 0;
}
