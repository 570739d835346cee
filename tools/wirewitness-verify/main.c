/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The auditor's verifier: one report or tlog-proof file, one trusted key, no daemon, no privileges,
 * no network. Exit code: 0 every check passed; 1 a check failed; 2 usage, or the file cannot be
 * read; 3 whole, but no trusted key was given (0 with --allow-untrusted).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>

#include "ledger/durable.h"
#include "ledger/proof_file.h"
#include "ledger/report_text.h"
#include "wirewitness/limits.h"

enum { EXIT_VERIFIED, EXIT_NOT_VERIFIED, EXIT_TROUBLE, EXIT_UNTRUSTED };

struct arguments {
	const char *key, *key_file, *history, *witnesses, *file;
	bool json, allow_untrusted;
};

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
	      "  --allow-untrusted    without a key: exit 0 when the report is whole under the key "
	      "it names\n"
	      "  --witnesses FILE     witnesses of whom a quorum must have cosigned the tree head\n"
	      "  -o, --output FORMAT  text (default) or json\n"
	      "  -h, --help           print this\n"
	      "  --version            print the version\n"
	      "\n"
	      "The file may be - for standard input. Exit code: 0 verified, 1 not verified,\n"
	      "2 usage or unreadable file, 3 whole but no trusted key was given.\n",
	      f);
	return code;
}

static int wrong(const char *what)
{
	if (what)
		fprintf(stderr, "wirewitness-verify: %s\n", what);
	fputs("wirewitness-verify --help lists the options.\n", stderr);
	return EXIT_TROUBLE;
}

/* 0, or the exit code with everything said. */
static int parse_arguments(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{"key", required_argument, NULL, 'k'},
		{"key-file", required_argument, NULL, 'K'},
		{"history", required_argument, NULL, 'H'},
		{"witnesses", required_argument, NULL, 'w'},
		{"output", required_argument, NULL, 'o'},
		{"allow-untrusted", no_argument, NULL, 'u'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "k:K:o:h", options, NULL)) != -1) {
		if (c == 'k')
			a->key = optarg;
		else if (c == 'K')
			a->key_file = optarg;
		else if (c == 'H')
			a->history = optarg;
		else if (c == 'w')
			a->witnesses = optarg;
		else if (c == 'o' && (!strcmp(optarg, "json") || !strcmp(optarg, "text")))
			a->json = optarg[0] == 'j';
		else if (c == 'u')
			a->allow_untrusted = true;
		else if (c == 'h')
			exit(usage(stdout, 0));
		else if (c == 'V')
			exit(printf("wirewitness-verify %s\n", WW_VERSION) < 0);
		else if (c == 'o')
			return wrong("-o: expected text or json");
		else
			return wrong(NULL); /* getopt said it */
	}
	if (optind == argc)
		return wrong("the REPORT or PROOF is missing");
	if (optind + 1 < argc)
		return wrong("one file at a time");
	if (a->key && a->key_file)
		return wrong("--key and --key-file exclude each other");
	if (a->history && !a->key && !a->key_file)
		return wrong("--history leads from a key that you trust: give it");
	a->file = argv[optind];
	return 0;
}

static int read_file(const char *name, struct ww_buf *out)
{
	return ww_durable_read(AT_FDCWD, strcmp(name, "-") == 0 ? "/dev/stdin" : name, out);
}

static int trouble(const char *name, const char *what)
{
	fprintf(stderr, "wirewitness-verify: %s: %s\n", name, what);
	return EXIT_TROUBLE;
}

/* 1: *ret_key is the trusted key; 0: none was given; -EXIT_TROUBLE with everything said. */
static int trusted_key(const struct arguments *a, struct ww_note_key *ret_key)
{
	struct ww_slice text = ww_slice_str(a->key);
	WW_AUTO_BUF struct ww_buf b = {0};

	ww_buf_init(&b, 4096);
	if (!a->key && !a->key_file)
		return 0;
	if (a->key_file) {
		int r = read_file(a->key_file, &b);

		if (r < 0)
			return -trouble(a->key_file, strerror(-r));
		text = ww_slice_sub(ww_buf_slice(&b), 0, ww_slice_find(ww_buf_slice(&b), 0, '\n'));
	}
	if (ww_note_key_parse(ww_slice_trim(text), ret_key) < 0)
		return -trouble(a->key_file ? a->key_file : "--key",
				"not a verifier key (NAME+ID+BASE64, Ed25519)");
	return 1;
}

/* The keys that the history leads to; *ret_chain stays NULL without one. 0 or an exit code. */
static int read_chain(const struct arguments *a, const struct ww_note_key *key,
		      struct ww_keychain **ret_chain)
{
	WW_AUTO_FREE struct ww_keychain *chain = NULL;
	WW_AUTO_BUF struct ww_buf history = {0};
	struct ww_errtext why = {""};
	int r;

	if (!a->history)
		return 0;
	ww_buf_init(&history, WW_KEYCHAIN_BYTES_MAX);
	chain = calloc(1, sizeof(*chain));
	r = chain ? read_file(a->history, &history) : -ENOMEM;
	if (r < 0)
		return trouble(a->history, strerror(-r));
	r = ww_keychain_read(ww_buf_slice(&history), key, chain, &why);
	if (r < 0) {
		trouble(a->history, why.text);
		return r == -ENOMEM ? EXIT_TROUBLE : EXIT_NOT_VERIFIED;
	}
	*ret_chain = WW_TAKE(chain);
	return 0;
}

/* 0, or -EXIT_TROUBLE with everything said. */
static int read_witnesses(const char *name, struct ww_witness_set *ret_set)
{
	WW_AUTO_BUF struct ww_buf text = {0};
	struct ww_errtext why = {""};
	int r;

	ww_buf_init(&text, WW_WITNESS_SET_BYTES);
	r = read_file(name, &text);
	if (r < 0)
		return -trouble(name, strerror(-r));
	r = ww_witness_set_parse(ww_buf_slice(&text), ret_set, &why);
	return r < 0 ? -trouble(name, why.text) : 0;
}

static int print(const struct ww_buf *out)
{
	if (fwrite(out->p, 1, out->n, stdout) != out->n || fflush(stdout) != 0)
		return trouble("standard output", strerror(errno));
	return 0;
}

/* The exit code. A proof names no key: without a trusted one nothing is shown. */
static int verify_proof(const struct arguments *a, const struct ww_note_key *key,
			const struct ww_keychain *chain, struct ww_slice file)
{
	WW_AUTO(ww_proof_result_done) struct ww_proof_result result = {0};
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_witness_set set;
	int r = a->witnesses ? read_witnesses(a->witnesses, &set) : 0;

	if (r < 0)
		return -r;
	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	r = ww_proof_file_verify(file, key, chain, a->witnesses ? &set : NULL, &result);
	if (r == 0)
		r = a->json ? ww_proof_result_json(&result, a->file, &out)
			    : ww_proof_result_text(&result, a->file, &out);
	if (r < 0)
		return trouble(a->file, strerror(-r));
	r = print(&out);
	return r ? r : result.verified ? EXIT_VERIFIED : EXIT_NOT_VERIFIED;
}

static int verify_report(const struct arguments *a, const struct ww_note_key *key,
			 const struct ww_keychain *chain, struct ww_slice file)
{
	WW_AUTO(ww_report_result_done) struct ww_report_result result = {0};
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_witness_set set;
	int r = a->witnesses ? read_witnesses(a->witnesses, &set) : 0;

	if (r < 0)
		return -r;
	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	r = chain ? ww_report_verify_chain(file, chain, &result)
		  : ww_report_verify(file, key, &result);
	if (r == 0 && a->witnesses)
		r = ww_report_verify_witnesses(&result, &set);
	if (r == 0)
		r = a->json ? ww_report_text_json(&result, a->file, &out)
			    : ww_report_text(&result, a->file, &out);
	if (r < 0)
		return trouble(a->file, strerror(-r));
	r = print(&out);
	if (r)
		return r;
	if (result.verified || (result.consistent && !key && a->allow_untrusted))
		return EXIT_VERIFIED;
	return result.consistent && !key ? EXIT_UNTRUSTED : EXIT_NOT_VERIFIED;
}

int main(int argc, char **argv)
{
	WW_AUTO_FREE struct ww_keychain *chain = NULL;
	WW_AUTO_BUF struct ww_buf file = {0};
	struct arguments a = {0};
	struct ww_note_key key;
	int r = parse_arguments(argc, argv, &a), have_key;

	if (r != 0)
		return r;
	have_key = trusted_key(&a, &key);
	if (have_key < 0)
		return -have_key;
	ww_buf_init(&file, WW_REPORT_BYTES_MAX);
	r = read_file(a.file, &file);
	if (r < 0)
		return trouble(a.file, strerror(-r));
	r = read_chain(&a, have_key ? &key : NULL, &chain);
	if (r != 0)
		return r;
	if (ww_proof_file_is(ww_buf_slice(&file)))
		return verify_proof(&a, have_key ? &key : NULL, chain, ww_buf_slice(&file));
	return verify_report(&a, have_key ? &key : NULL, chain, ww_buf_slice(&file));
}
