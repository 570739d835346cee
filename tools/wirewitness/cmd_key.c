/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness key show|rotate|history|verify: the ledger's signing key and those before it. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmd.h"
#include "ledger/durable.h"
#include "ledger/endorsement.h"
#include "ledger/keychain.h"
#include "ledger/keyfile.h"
#include "ledger/rotate.h"
#include "out/printable.h"
#include "rt/file.h"

enum verb { NONE, SHOW, ROTATE, HISTORY, VERIFY };

struct key {
	enum verb verb;
	const char *state_dir;
	const char *uri;
	const char *vkey, *vkey_file;
	const char *history, *checkpoint;
	const char *holder_file, *endorsement;
};

static const struct {
	const char *name;
	enum verb verb;
} verbs[] = {{"show", SHOW}, {"rotate", ROTATE}, {"history", HISTORY}, {"verify", VERIFY}};

static error_t parse_verb(struct key *k, const char *arg, struct argp_state *state)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(verbs); i++)
		if (strcmp(arg, verbs[i].name) == 0 && k->verb == NONE) {
			k->verb = verbs[i].verb;
			return 0;
		}
	argp_error(state, "expected one of show, rotate, history, verify, got '%s'", arg);
	return 0;
}

static void check_options(const struct key *k, struct argp_state *state)
{
	bool verify = k->vkey || k->vkey_file || k->history || k->checkpoint || k->holder_file ||
		      k->endorsement;

	if (k->verb == NONE)
		argp_error(state, "show, rotate, history or verify is missing");
	if (k->uri && k->verb != ROTATE)
		argp_error(state, "--key goes with rotate");
	if (verify && k->verb != VERIFY)
		argp_error(state,
			   "--trusted, --trusted-file, --history, --checkpoint, --holder-file "
			   "and --endorsement go with verify");
	if (k->verb == VERIFY && !k->vkey == !k->vkey_file)
		argp_error(state, "verify needs one of --trusted and --trusted-file");
	if (!k->holder_file != !k->endorsement)
		argp_error(state, "--holder-file and --endorsement go together");
	if (k->verb == VERIFY && !k->history && !k->endorsement && !k->checkpoint)
		argp_error(state, "verify what? give --history, --checkpoint or --endorsement");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct key *k = state->input;
	const char **where = key == 'd'   ? &k->state_dir
			     : key == 'k' ? &k->uri
			     : key == 't' ? &k->vkey
			     : key == 'T' ? &k->vkey_file
			     : key == 'H' ? &k->history
			     : key == 'c' ? &k->checkpoint
			     : key == 'o' ? &k->holder_file
			     : key == 'e' ? &k->endorsement
					  : NULL;

	if (where) {
		*where = arg;
		return 0;
	}
	switch (key) {
	case ARGP_KEY_ARG:
		return parse_verb(k, arg, state);
	case ARGP_KEY_END:
		check_options(k, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 0},
	{"key", 'k', "PROVIDER:URI", 0,
	 "rotate: seal the new key for the key that this OpenSSL provider has, as in "
	 "tpm2:handle:0x81010001 (default: as the old one was)",
	 0},
	{"trusted", 't', "VKEY", 0, "verify: a verifier key of the ledger, from a source you trust",
	 0},
	{"trusted-file", 'T', "FILE", 0, "verify: the same, from a file", 0},
	{"history", 'H', "FILE", 0, "verify: the ledger's keys/history", 0},
	{"checkpoint", 'c', "FILE", 0,
	 "verify: this checkpoint is by a key of the ledger that speaks for its size", 0},
	{"holder-file", 'o', "FILE", 0,
	 "verify: the holder's verifier key, from a source you trust", 0},
	{"endorsement", 'e', "FILE", 0,
	 "verify: the holder says in this file that the trusted key, or one that it leads to, is "
	 "his",
	 0},
	{0},
};

static const struct argp argp = {argp_options,
				 parse,
				 "show|rotate|history|verify",
				 "The ledger's signing key. rotate needs the daemon stopped; the "
				 "others only read, and verify "
				 "needs no ledger at all. Exit 1: the answer is no.",
				 NULL,
				 NULL,
				 NULL};

static int open_state(const struct key *k, int *ret_dir)
{
	int dir = open(k->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return ww_log_err_r(-errno, "cannot open %s", k->state_dir);
	*ret_dir = dir;
	return 0;
}

static struct ww_keychain chain;

/* The chain of a ledger's own history, read with its own key. */
static int own_chain(int dir, struct ww_note_key *ret_key)
{
	struct ww_errtext why = {""};
	int r = ww_keyfile_vkey(dir, ret_key, &why);

	if (r == 0)
		r = ww_keyfile_history(dir, ret_key, &chain, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	return r;
}

static void print_chain(void)
{
	char vkey[WW_NOTE_KEY_TEXT_MAX];

	for (size_t i = 0; i < chain.n; i++) {
		const struct ww_keychain_key *k = &chain.keys[i];

		ww_note_key_text(&k->key, vkey);
		if (i + 1 < chain.n)
			printf("%s\n  trees of %llu to %llu records, replaced %s\n", vkey,
			       (unsigned long long)k->first, (unsigned long long)k->last,
			       chain.keys[i + 1].since);
		else
			printf("%s\n  trees of %llu records and more%s%s\n", vkey,
			       (unsigned long long)k->first, k->since[0] ? ", since " : "",
			       k->since);
	}
}

/* --- show, history ------------------------------------------------------------------------------
 */

static int print_holder(int dir, const struct ww_note_key *key)
{
	char uri[WW_SIGNER_URI_MAX + 1], name[48], vkey[WW_NOTE_KEY_TEXT_MAX];
	WW_AUTO(ww_buf_wipe) struct ww_buf b = {0};
	struct ww_errtext why = {""};
	struct ww_note_key in_file;
	struct ww_sealed sealed;
	int r = ww_keyfile_peek(dir, "key", &in_file, uri, &why);

	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s", why.text[0] ? why.text : "there is no signing key");
		return r;
	}
	if (!uri[0]) {
		printf("kept in a file: who reads it can sign\n");
		return 0;
	}
	ww_buf_init(&b, WW_SEALED_BYTES_MAX);
	r = ww_durable_read(dir, "key", &b);
	if (r == 0)
		r = ww_sealed_parse(ww_buf_slice(&b), &sealed);
	if (r < 0)
		return ww_log_err_r(r, "cannot read key");
	ww_note_key_text(&sealed.holder, vkey);
	snprintf(name, sizeof(name), "keys/endorsed-%08x", key->id);
	printf("sealed for %s\nholder %s\nendorsement %s\n", uri, vkey,
	       faccessat(dir, name, F_OK, 0) == 0 ? name : "missing");
	return 0;
}

static int show(const struct key *k, bool history)
{
	char vkey[WW_NOTE_KEY_TEXT_MAX];
	struct ww_note_key key;
	WW_AUTO_FD int dir = -1;
	int r = open_state(k, &dir);

	if (r == 0)
		r = own_chain(dir, &key);
	if (r < 0)
		return WW_EXIT_UNABLE;
	if (history) {
		print_chain();
		return 0;
	}
	ww_note_key_text(&key, vkey);
	printf("%s\n", vkey);
	r = print_holder(dir, &key);
	printf("%zu key%s before this one\n", chain.n - 1, chain.n == 2 ? "" : "s");
	return r < 0 ? WW_EXIT_UNABLE : 0;
}

/* --- rotate -------------------------------------------------------------------------------------
 */

static int rotate(const struct key *k)
{
	struct ww_tlog_options o = {.dir = k->state_dir, .key = k->uri};
	char before[WW_NOTE_KEY_TEXT_MAX], after[WW_NOTE_KEY_TEXT_MAX], when[WW_RFC3339_MAX];
	struct ww_errtext why = {""};
	struct ww_clock_map now;
	struct ww_rotation rot;
	WW_AUTO_FD int dir = -1;
	int r = open_state(k, &dir);

	if (r < 0)
		return WW_EXIT_UNABLE;
	if (faccessat(dir, "checkpoint", F_OK, 0) < 0) {
		ww_log(WW_LOG_ERR, "there is no ledger in %s", k->state_dir);
		return WW_EXIT_UNABLE;
	}
	ww_clock_sample(&now);
	ww_wall_rfc3339(now.wall, when);
	r = ww_rotate(&o, when, &rot, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s%s", why.text,
		       r == -EBUSY ? ": stop the daemon, it must begin with the new key" : "");
		return WW_EXIT_UNABLE;
	}
	ww_note_key_text(&rot.old_key, before);
	ww_note_key_text(&rot.new_key, after);
	printf("old %s\nnew %s\nhanded over at %llu records; give verifiers the new key, or "
	       "keys/history\n",
	       before, after, (unsigned long long)rot.index + 1);
	return 0;
}

/* --- verify -------------------------------------------------------------------------------------
 */

/* 0; or an exit code with everything said. */
static int trusted(const struct key *k, struct ww_note_key *ret_key)
{
	char line[WW_NOTE_KEY_TEXT_MAX];
	const char *text = k->vkey;
	int r;

	if (k->vkey_file) {
		r = ww_file_line(k->vkey_file, line, sizeof(line));
		if (r < 0) {
			ww_log_err_r(r, "cannot read %s", k->vkey_file);
			return WW_EXIT_UNABLE;
		}
		text = line;
	}
	if (ww_note_key_parse(ww_slice_trim(ww_slice_str(text)), ret_key) == 0)
		return 0;
	ww_log(WW_LOG_ERR, "not a verifier key of a log (NAME+ID+BASE64, Ed25519)");
	return WW_EXIT_UNABLE;
}

static int read_file(const char *path, struct ww_buf *out)
{
	int r = ww_file_read(path, out);

	return r < 0 ? ww_log_err_r(r, "cannot read %s", path) : 0;
}

static int verify_history(const struct key *k, const struct ww_note_key *key)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_errtext why = {""};
	int r = 0;

	ww_buf_init(&b, WW_KEYCHAIN_BYTES_MAX);
	if (k->history && read_file(k->history, &b) < 0)
		return WW_EXIT_UNABLE;
	r = ww_keychain_read(ww_buf_slice(&b), key, &chain, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s: %s", k->history, why.text);
		return r == -ENOMEM ? WW_EXIT_UNABLE : WW_EXIT_NO;
	}
	if (k->history)
		print_chain();
	return 0;
}

static int verify_checkpoint(const char *path)
{
	const struct ww_keychain_key *by;
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_errtext why = {""};
	struct ww_checkpoint c;
	int r;

	ww_buf_init(&b, WW_NOTE_BYTES_MAX);
	if (read_file(path, &b) < 0)
		return WW_EXIT_UNABLE;
	r = ww_keychain_open(&chain, ww_buf_slice(&b), &c, &by, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s: %s", path, why.text);
		return WW_EXIT_NO;
	}
	printf("checkpoint of %llu records by key %08x\n", (unsigned long long)c.size, by->key.id);
	return 0;
}

static int verify_endorsement(const struct key *k)
{
	char line[WW_NOTE_KEY_TEXT_MAX];
	WW_AUTO_BUF struct ww_buf b = {0}, safe = {0};
	struct ww_endorsement e;
	struct ww_note_key holder;
	int r = ww_file_line(k->holder_file, line, sizeof(line));

	ww_buf_init(&b, WW_NOTE_BYTES_MAX);
	ww_buf_init(&safe, 256);
	if (r < 0) {
		ww_log_err_r(r, "cannot read %s", k->holder_file);
		return WW_EXIT_UNABLE;
	}
	if (ww_note_key_parse_held(ww_slice_trim(ww_slice_str(line)), &holder) < 0) {
		ww_log(WW_LOG_ERR, "%s: not a verifier key of a holder (ECDSA P-256)",
		       k->holder_file);
		return WW_EXIT_UNABLE;
	}
	if (read_file(k->endorsement, &b) < 0)
		return WW_EXIT_UNABLE;
	r = ww_endorsement_open(ww_buf_slice(&b), &holder, &e);
	if (r == 0 && !ww_keychain_find(&chain, &e.key))
		r = -ENOKEY;
	if (r == 0)
		r = ww_printable_add(&safe, ww_slice_str(e.time));
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s: not this holder's word on this log's key", k->endorsement);
		return WW_EXIT_NO;
	}
	printf("key %08x endorsed by holder %08x at %.*s\n", e.key.id, holder.id, (int)safe.n,
	       (const char *)safe.p);
	return 0;
}

static int verify(const struct key *k)
{
	struct ww_note_key key;
	int r = trusted(k, &key);

	if (r == 0)
		r = verify_history(k, &key);
	if (r == 0 && k->checkpoint)
		r = verify_checkpoint(k->checkpoint);
	if (r == 0 && k->endorsement)
		r = verify_endorsement(k);
	return r;
}

int ww_cmd_key(int argc, char **argv)
{
	struct key k = {.state_dir = WW_STATE_DIR};

	if (argp_parse(&argp, argc, argv, 0, NULL, &k) != 0)
		return WW_EXIT_USAGE;
	switch (k.verb) {
	case ROTATE:
		return rotate(&k);
	case VERIFY:
		return verify(&k);
	default:
		return show(&k, k.verb == HISTORY);
	}
}
