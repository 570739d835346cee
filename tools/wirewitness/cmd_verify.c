/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness verify FILE: every check of a report or a tlog-proof file, offline. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/log.h"
#include "cmd.h"
#include "ledger/proof_file.h"
#include "ledger/report_text.h"
#include "rt/file.h"

struct verify {
	const char *file;
	const char *key;
	const char *key_file;
	const char *history;
	const char *witnesses;
	bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct verify *v = state->input;

	switch (key) {
	case 'k':
		v->key = arg;
		return 0;
	case 'K':
		v->key_file = arg;
		return 0;
	case 'H':
		v->history = arg;
		return 0;
	case 'w':
		v->witnesses = arg;
		return 0;
	case 'o':
		if (strcmp(arg, "json") != 0 && strcmp(arg, "text") != 0)
			argp_error(state, "-o: expected text or json, got '%s'", arg);
		v->json = strcmp(arg, "json") == 0;
		return 0;
	case ARGP_KEY_ARG:
		if (v->file)
			argp_error(state, "one report at a time: unexpected '%s'", arg);
		v->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!v->file)
			argp_error(state, "the report FILE is missing");
		if (v->key && v->key_file)
			argp_error(state, "--key and --key-file exclude each other");
		if (v->history && !v->key && !v->key_file)
			argp_error(state, "--history leads from a key that you trust: give it");
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

/* 1: *ret_key is set; 0: no key was given; -errno, told on standard error. */
static int trusted_key(const struct verify *v, struct ww_note_key *ret_key)
{
	char line[WW_NOTE_KEY_TEXT_MAX];
	const char *text = v->key;
	int r;

	if (v->key_file) {
		r = ww_file_line(v->key_file, line, sizeof(line));
		if (r < 0)
			return ww_log_err_r(r, "cannot read %s", v->key_file);
		text = line;
	}
	if (!text)
		return 0;
	r = ww_note_key_parse(ww_slice_trim(ww_slice_str(text)), ret_key);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "not a verifier key (NAME+ID+BASE64, Ed25519): %s",
		       v->key_file ? v->key_file : "--key");
		return r;
	}
	return 1;
}

/* The keys that the history leads to. 0; 1: it is not a history of this key, which was told. */
static int read_chain(const struct verify *v, const struct ww_note_key *key,
		      struct ww_keychain *ret_chain)
{
	WW_AUTO_BUF struct ww_buf history;
	struct ww_errtext why = {""};
	int r;

	ww_buf_init(&history, WW_KEYCHAIN_BYTES_MAX);
	r = ww_file_read(v->history, &history);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", v->history);
	r = ww_keychain_read(ww_buf_slice(&history), key, ret_chain, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s: %s", v->history, why.text);
	return r == -ENOMEM ? r : r < 0;
}

static int read_witnesses(const char *path, struct ww_witness_set *ret_set)
{
	WW_AUTO_BUF struct ww_buf text;
	struct ww_errtext why = {""};
	int r;

	ww_buf_init(&text, WW_WITNESS_SET_BYTES);
	r = ww_file_read(path, &text);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", path);
	r = ww_witness_set_parse(ww_buf_slice(&text), ret_set, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s: %s", path, why.text);
	return r;
}

static int check_proof(const struct verify *v, struct ww_slice file, const struct ww_note_key *key,
		       const struct ww_keychain *chain, struct ww_buf *out, bool *ret_verified)
{
	WW_AUTO(ww_proof_result_done) struct ww_proof_result result = {0};
	struct ww_witness_set set;
	int r = v->witnesses ? read_witnesses(v->witnesses, &set) : 0;

	if (r < 0)
		return r;
	r = ww_proof_file_verify(file, key, chain, v->witnesses ? &set : NULL, &result);
	if (r == 0)
		r = v->json ? ww_proof_result_json(&result, v->file, out)
			    : ww_proof_result_text(&result, v->file, out);
	if (r < 0)
		return ww_log_err_r(r, "cannot check %s", v->file);
	*ret_verified = result.verified;
	return 0;
}

static int check_report(const struct verify *v, struct ww_slice file, const struct ww_note_key *key,
			const struct ww_keychain *chain, struct ww_buf *out, bool *ret_verified)
{
	WW_AUTO(ww_report_result_done) struct ww_report_result result = {0};
	struct ww_witness_set set;
	int r = v->witnesses ? read_witnesses(v->witnesses, &set) : 0;

	if (r < 0)
		return r;
	r = chain ? ww_report_verify_chain(file, chain, &result)
		  : ww_report_verify(file, key, &result);
	if (r == 0 && v->witnesses)
		r = ww_report_verify_witnesses(&result, &set);
	if (r == 0)
		r = v->json ? ww_report_text_json(&result, v->file, out)
			    : ww_report_text(&result, v->file, out);
	if (r < 0)
		return ww_log_err_r(r, "cannot check %s", v->file);
	*ret_verified = result.verified;
	return 0;
}

static int check(const struct verify *v, const struct ww_note_key *key, bool *ret_verified)
{
	WW_AUTO_FREE struct ww_keychain *chain = NULL;
	bool verified = false;
	WW_AUTO_BUF struct ww_buf file, out;
	int r;

	ww_buf_init(&file, WW_REPORT_BYTES_MAX);
	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	r = ww_file_read(strcmp(v->file, "-") == 0 ? "/dev/stdin" : v->file, &file);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", v->file);
	if (v->history) {
		chain = calloc(1, sizeof(*chain));
		r = chain ? read_chain(v, key, chain) : -ENOMEM;
		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (ww_proof_file_is(ww_buf_slice(&file)))
		r = check_proof(v, ww_buf_slice(&file), key, chain, &out, &verified);
	else
		r = check_report(v, ww_buf_slice(&file), key, chain, &out, &verified);
	if (r < 0)
		return r;
	fwrite(out.p, 1, out.n, stdout);
	if (fflush(stdout) != 0)
		return ww_log_err_r(-errno, "cannot write the result");
	*ret_verified = verified;
	return 0;
}

int ww_cmd_verify(int argc, char **argv)
{
	struct verify v = {NULL};
	struct ww_note_key key;
	bool verified = false;
	int have_key;

	if (argp_parse(&argp, argc, argv, 0, NULL, &v) != 0)
		return WW_EXIT_USAGE;
	have_key = trusted_key(&v, &key);
	if (have_key < 0 || check(&v, have_key ? &key : NULL, &verified) < 0)
		return WW_EXIT_UNABLE;
	return verified ? 0 : WW_EXIT_NO;
}
