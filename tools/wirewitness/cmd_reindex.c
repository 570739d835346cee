/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness reindex: the index over the ledger, built anew. It is a cache: nothing is lost with
 * it. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "cmd.h"
#include "progress.h"
#include "records.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **state_dir = state->input;

	switch (key) {
	case 'd':
		*state_dir = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	NULL,
	"Builds the index that ls, show, report and export read by, from the ledger's first record "
	"on. They do so by themselves when it is missing or does not fit; what they answer from "
	"is always the ledger.",
	NULL,
	NULL,
	NULL};

static int rebuild(struct ww_ledger_reader *reader, const char *path)
{
	WW_AUTO(ww_record_index_close_auto) struct ww_record_index *index = NULL;
	struct ww_progress progress;
	int r = ww_record_index_open(path, &index);

	if (r == 0)
		r = ww_record_index_reset(index);
	if (r < 0)
		return r;
	ww_progress_begin(&progress, "records indexed", true);
	ww_record_index_watch(index, ww_progress_step, &progress);
	r = ww_record_index_sync(index, reader);
	ww_progress_end(&progress);
	return r;
}

int ww_cmd_reindex(int argc, char **argv)
{
	WW_AUTO(ww_ledger_reader_close_auto) struct ww_ledger_reader *reader = NULL;
	const char *state_dir = WW_STATE_DIR;
	char path[WW_RECORDS_PATH_MAX];
	int r;

	argp_parse(&argp, argc, argv, 0, NULL, &state_dir);
	if (ww_records_reader(state_dir, &reader) < 0)
		return WW_EXIT_UNABLE;
	ww_records_index_path(state_dir, path);
	r = rebuild(reader, path);
	if (r < 0) {
		ww_log_err_r(r, "cannot write %s", path);
		return WW_EXIT_UNABLE;
	}
	printf("%" PRIu64 " records are indexed\n", ww_ledger_reader_head(reader)->size);
	return 0;
}
