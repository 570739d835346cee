/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appends records to a ledger, for tests: ledger_append LEDGER < records.ndjson
 * One JSON object per line, its "kind" is the record's. An empty line commits, so does the end. A
 * line "erase N" erases record N.
 */
#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "ledger/leaf.h"
#include "ledger/ledger.h"

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "ledger_append: %s: %s\n", what, why);
	return 1;
}

static int append(struct ww_ledger *l, struct ww_slice line)
{
	char kind[WW_LEAF_KIND_MAX + 1];
	struct ww_json_token t;

	if (ww_json_path(line, "$.kind", &t, NULL) != WW_PARSE_DONE || t.type != WW_JSON_STRING ||
	    t.raw.n > WW_LEAF_KIND_MAX)
		return -EINVAL;
	memcpy(kind, t.raw.p, t.raw.n);
	kind[t.raw.n] = '\0';
	return ww_ledger_append(l, kind, line, NULL);
}

static int take(struct ww_ledger *l, struct ww_slice line)
{
	const struct ww_slice word = WW_SLICE_LIT("erase ");
	uint64_t index;

	if (line.n == 0)
		return ww_ledger_commit(l, NULL);
	if (!ww_slice_starts(line, word))
		return append(l, line);
	if (ww_slice_u64(ww_slice_sub(line, word.n, SIZE_MAX), &index) < 0)
		return -EINVAL;
	return ww_ledger_erase(l, index);
}

int main(int argc, char **argv)
{
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *l = NULL;
	struct ww_tlog_options o = {.origin = "wirewitness.test/readers"};
	struct ww_errtext why = {""};
	WW_AUTO_FREE char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int r = 0;

	if (argc != 2)
		return complain("usage", "ledger_append LEDGER < records.ndjson");
	o.dir = argv[1];
	if (ww_ledger_open(&o, &l, &why) < 0)
		return complain(argv[1], why.text);
	while (r == 0 && (n = getline(&line, &cap, stdin)) > 0) {
		if (line[n - 1] == '\n')
			n--;
		r = take(l, ww_slice(line, (size_t)n));
	}
	if (r == 0)
		r = ww_ledger_commit(l, NULL);
	return r < 0 ? complain(argv[1], strerror(-r)) : 0;
}
