/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness replay FILE: the records of a tape, as NDJSON, by the same pipeline as live. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "cmd.h"
#include "daemon/manifest.h"
#include "rt/file.h"
#include "sense/tape.h"

struct options {
	const char *tape;
	const char *contracts;
	bool stats;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'c':
		o->contracts = arg;
		return 0;
	case 's':
		o->stats = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->tape)
			argp_error(state, "one tape at a time: unexpected '%s'", arg);
		o->tape = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->tape)
			argp_error(state, "the tape FILE is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"contracts", 'c', "FILE", 0, "judge under these contracts instead of the tape's own", 0},
	{"stats", 's', NULL, 0, "counts on standard error at the end", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"FILE",
	"Derives the records of a tape again and prints them, one JSON object per line.",
	NULL,
	NULL,
	NULL};

static void print_record(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	fwrite(json.p, 1, json.n, stdout);
	fputc('\n', stdout);
}

static void print_stats(const struct ww_pipeline *p)
{
	struct ww_pipeline_stats s = ww_pipeline_stats(p);

	fprintf(stderr,
		"events %llu, exchanges %llu, model calls %llu, spans %llu, verdicts %llu, records "
		"%llu\n",
		(unsigned long long)s.events, (unsigned long long)s.exchanges,
		(unsigned long long)s.model_calls, (unsigned long long)s.spans,
		(unsigned long long)s.verdicts, (unsigned long long)s.records);
}

static int replay(struct ww_tape_reader *tape, struct ww_pipeline *p)
{
	const struct ww_event *ev;
	int r;

	while ((r = ww_tape_next(tape, &ev)) == 0)
		ww_pipeline_feed(p, ev);
	ww_pipeline_finish(p);
	if (r == -ENODATA)
		return 0;
	if (r == -EPIPE)
		ww_log(WW_LOG_WARN, "the tape was cut off; records are those of what is there");
	else
		ww_log(WW_LOG_ERR, "the tape is broken; records are those before the break");
	return WW_EXIT_NO;
}

int ww_cmd_replay(int argc, char **argv)
{
	WW_AUTO(ww_tape_reader_free_auto) struct ww_tape_reader *tape = NULL;
	WW_AUTO(ww_pipeline_free_auto) struct ww_pipeline *p = NULL;
	WW_AUTO_BUF struct ww_buf memory, contracts;
	struct ww_contract_error error = {0};
	struct ww_pipeline_config cfg;
	struct options o = {0};
	int r;

	ww_buf_init(&memory, WW_MANIFEST_BYTES_MAX);
	ww_buf_init(&contracts, WW_CONTRACT_FILE_BYTES);
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	r = ww_tape_open(o.tape, &tape);
	if (r == 0)
		r = ww_manifest_read(ww_tape_manifest(tape), &memory, &cfg);
	if (r < 0) {
		if (r == -EBADMSG)
			ww_log(WW_LOG_ERR, "%s is not a tape", o.tape);
		else
			ww_log_err_r(r, "cannot replay %s", o.tape);
		return WW_EXIT_UNABLE;
	}
	if (o.contracts) {
		r = ww_file_read(o.contracts, &contracts);
		if (r < 0) {
			ww_log_err_r(r, "cannot read %s", o.contracts);
			return WW_EXIT_UNABLE;
		}
		cfg.contracts = ww_buf_slice(&contracts);
	}
	r = ww_pipeline_new(&cfg, print_record, NULL, &p, &error);
	if (r == -EINVAL) {
		ww_log(WW_LOG_ERR, "%s:%u: %s", o.contracts ? o.contracts : "contracts of the tape",
		       error.line, error.text);
		return WW_EXIT_UNABLE;
	}
	if (r < 0) {
		ww_log_err_r(r, "cannot start the pipeline");
		return WW_EXIT_UNABLE;
	}
	r = replay(tape, p);
	if (o.stats)
		print_stats(p);
	return r;
}
