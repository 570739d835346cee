/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The auditor's verifier: one report or tlog-proof file, one trusted key, no daemon, no privileges,
 * no network. Exit codes: enum ww_audit_outcome.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "ledger/audit.h"
#include "wirewitness/limits.h"

static int usage(FILE *f, int code)
{
	fputs("usage: wirewitness-verify [OPTION...] REPORT|PROOF\n"
	      "\n"
	      "  -k, --key VKEY       the ledger's verifier key, NAME+ID+BASE64, from a source "
	      "you trust\n"
	      "  -K, --key-file FILE  the same, first line of a file (vkey in the state "
	      "directory)\n"
	      "  --history FILE       the ledger's keys/history: the key may be any that it has "
	      "had\n"
	      "  --rederive           derive every verdict again from the evidence in the report\n"
	      "  -c, --checkpoint FILE\n"
	      "                       a checkpoint that you kept: the report's tree must be one "
	      "with it;\n"
	      "                       may be given up to 16 times\n"
	      "  --log DIR            the log's directory, where the report itself does not prove "
	      "that\n"
	      "  --equivocation-dir DIR\n"
	      "                       keep the proof there when the log signed two stories\n"
	      "  --allow-untrusted    without a key: exit 0 when the report is whole under the key "
	      "it names\n"
	      "  --witnesses FILE     witnesses of whom a quorum must have cosigned the tree head\n"
	      "  -o, --output FORMAT  text (default) or json\n"
	      "  -h, --help           print this\n"
	      "  --version            print the version\n"
	      "\n"
	      "The file may be - for standard input. Exit code:\n"
	      "  0  verified: every check passed\n"
	      "  1  not verified: a check failed\n"
	      "  2  wrong usage, or a file cannot be read\n"
	      "  3  whole, but no trusted key was given\n"
	      "  4  nothing failed, but something that was asked for cannot be shown\n",
	      f);
	return code;
}

static int wrong(const char *what)
{
	if (what)
		fprintf(stderr, "wirewitness-verify: %s\n", what);
	fputs("wirewitness-verify --help lists the options.\n", stderr);
	return WW_AUDIT_TROUBLE;
}

/* 0, or the exit code with everything said. */
static int take_option(int c, struct ww_audit *a)
{
	const char **text = c == 'k'   ? &a->key
			    : c == 'K' ? &a->key_file
			    : c == 'H' ? &a->history
			    : c == 'w' ? &a->witnesses
			    : c == 'l' ? &a->log
			    : c == 'e' ? &a->equivocation_dir
				       : NULL;

	if (text && *text)
		return wrong("an option is given twice");
	if (text)
		*text = optarg;
	else if (c == 'c' && a->n_kept == WW_EARLIER_MAX)
		return wrong("over 16 checkpoints");
	else if (c == 'c')
		a->kept[a->n_kept++] = optarg;
	else if (c == 'r')
		a->rederive = true;
	else if (c == 'u')
		a->allow_untrusted = true;
	else if (c == 'o' && strcmp(optarg, "json") == 0)
		a->json = true;
	else if (c == 'o' && strcmp(optarg, "text") != 0)
		return wrong("-o: expected text or json");
	else if (c == '?')
		return wrong(NULL); /* getopt said it */
	return 0;
}

/* 0, or the exit code with everything said. */
static int parse_arguments(int argc, char **argv, struct ww_audit *a)
{
	static const struct option options[] = {
		{"key", required_argument, NULL, 'k'},
		{"key-file", required_argument, NULL, 'K'},
		{"history", required_argument, NULL, 'H'},
		{"rederive", no_argument, NULL, 'r'},
		{"checkpoint", required_argument, NULL, 'c'},
		{"log", required_argument, NULL, 'l'},
		{"equivocation-dir", required_argument, NULL, 'e'},
		{"witnesses", required_argument, NULL, 'w'},
		{"output", required_argument, NULL, 'o'},
		{"allow-untrusted", no_argument, NULL, 'u'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const char *complaint;
	int c;

	while ((c = getopt_long(argc, argv, "k:K:c:w:o:h", options, NULL)) != -1) {
		int r;

		if (c == 'h')
			exit(usage(stdout, 0));
		if (c == 'V')
			exit(printf("wirewitness-verify %s\n", WW_VERSION) < 0);
		r = take_option(c, a);
		if (r != 0)
			return r;
	}
	if (optind + 1 < argc)
		return wrong("one file at a time");
	a->file = argv[optind]; /* NULL: none */
	complaint = ww_audit_wrong(a);
	return complaint ? wrong(complaint) : 0;
}

int main(int argc, char **argv)
{
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_errtext why = {""};
	struct ww_audit a = {0};
	int r = parse_arguments(argc, argv, &a);

	if (r != 0)
		return r;
	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	r = (int)ww_audit(&a, &out, &why);
	if (why.text[0])
		fprintf(stderr, "wirewitness-verify: %s\n", why.text);
	if (out.n && (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0)) {
		fprintf(stderr, "wirewitness-verify: standard output: %s\n", strerror(errno));
		return WW_AUDIT_TROUBLE;
	}
	return r;
}
