/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness verify FILE: every check of a report or a tlog-proof file, offline. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/log.h"
#include "cmd.h"
#include "ledger/audit.h"
#include "records.h"

enum { OPT_REDERIVE = 256, OPT_LOG, OPT_EQUIVOCATION };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ww_audit *a = state->input;
	const char *wrong;

	switch (key) {
	case 'k':
		a->key = arg;
		return 0;
	case 'K':
		a->key_file = arg;
		return 0;
	case 'H':
		a->history = arg;
		return 0;
	case 'w':
		a->witnesses = arg;
		return 0;
	case 'c':
		if (a->n_kept == WW_EARLIER_MAX)
			argp_error(state, "over %u checkpoints", WW_EARLIER_MAX);
		else
			a->kept[a->n_kept++] = arg;
		return 0;
	case OPT_REDERIVE:
		a->rederive = true;
		return 0;
	case OPT_LOG:
		a->log = arg;
		return 0;
	case OPT_EQUIVOCATION:
		a->equivocation_dir = arg;
		return 0;
	case 'o':
		a->json = ww_records_json_option(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (a->file)
			argp_error(state, "one report at a time: unexpected '%s'", arg);
		a->file = arg;
		return 0;
	case ARGP_KEY_END:
		wrong = ww_audit_wrong(a);
		if (wrong)
			argp_error(state, "%s", wrong);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"key", 'k', "VKEY", 0,
	 "the ledger's verifier key, NAME+ID+BASE64, from a source you trust", 0},
	{"key-file", 'K', "FILE", 0, "the same, from a file (vkey in the state directory)", 0},
	{"history", 'H', "FILE", 0,
	 "the ledger's keys/history: the report may be signed by any key that the ledger has had",
	 0},
	{"rederive", OPT_REDERIVE, NULL, 0,
	 "derive every verdict again from the evidence in the report", 0},
	{"checkpoint", 'c', "FILE", 0,
	 "a checkpoint that you kept: the report's tree must be one with it; may be repeated", 0},
	{"log", OPT_LOG, "DIR", 0,
	 "the log's directory, where the report itself does not prove that", 0},
	{"equivocation-dir", OPT_EQUIVOCATION, "DIR", 0,
	 "keep the proof there when the log signed two stories", 0},
	{"witnesses", 'w', "FILE", 0,
	 "witnesses of whom a quorum must have cosigned the tree head (a daemon's file)", 0},
	{"output", 'o', "FORMAT", 0, "text (default) or json", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"FILE",
	"Checks a report, or the proof of one record, offline; FILE may be - "
	"for standard input. Without a key it can only show that the "
	"report is whole, not who "
	"made it: that is not enough, and the exit code says so.",
	NULL,
	NULL,
	NULL};

int ww_cmd_verify(int argc, char **argv)
{
	enum ww_audit_outcome o;
	struct ww_errtext why = {""};
	struct ww_audit a = {0};
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return WW_EXIT_USAGE;
	o = ww_audit(&a, &out, &why);
	if (why.text[0])
		ww_log(WW_LOG_ERR, "%s", why.text);
	if (out.n)
		fwrite(out.p, 1, out.n, stdout);
	if (fflush(stdout) != 0) {
		(void)ww_log_err_r(-errno, "cannot write the result");
		return WW_EXIT_UNABLE;
	}
	return o == WW_AUDIT_VERIFIED ? 0 : o == WW_AUDIT_TROUBLE ? WW_EXIT_UNABLE : WW_EXIT_NO;
}
