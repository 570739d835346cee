/* SPDX-License-Identifier: Apache-2.0 */
#include "replay_ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "base/log.h"
#include "daemon/identity.h"
#include "ledger/durable.h"
#include "ledger/ledger.h"

#define ABOUT "wirewitness replay v1\n"

struct ww_replay_ledger {
	struct ww_ledger *ledger;
	int error;
};

#define NAME_OF(n, v, t, d) [v] = t,
static const char *const kinds[WW_RECORD_MAX] = {WW_RECORD_KINDS(NAME_OF)};

/* --- what is made of tape, contracts and version ------------------------------------------------
 */

struct secrets {
	struct ww_sha256 signing, salts;
};

static void hex(const struct ww_sha256 *h, char out[2 * WW_SHA256_LEN + 1])
{
	ww_hex_encode(ww_slice(h->b, sizeof(h->b)), out);
}

/* The tables' digest in hex and `end`; empty: there are none. */
static void tables_line(const struct ww_replay_facts *f, const char *end,
			char out[2 * WW_SHA256_LEN + 2])
{
	struct ww_sha256 digest;

	out[0] = '\0';
	if (!f->tables)
		return;
	digest = ww_tables_digest(f->tables);
	hex(&digest, out);
	ww_put_text(out + 2 * WW_SHA256_LEN, end);
}

/* "policy", `between`, the policy's digest in hex and `end`; empty: there is none. */
static void policy_line(const struct ww_replay_facts *f, char between, const char *end,
			char out[2 * WW_SHA256_LEN + 16])
{
	char digest[2 * WW_SHA256_LEN + 1];

	out[0] = '\0';
	if (!f->policy)
		return;
	hex(&f->policy->digest, digest);
	snprintf(out, 2 * WW_SHA256_LEN + 16, "policy%c%s%s", between, digest, end);
}

/* Other contracts, tables, policy or another version give another log, so no two trees are signed
 * by one key. */
static void derive(const struct ww_replay_facts *f, struct secrets *ret)
{
	char tape[2 * WW_SHA256_LEN + 1], contracts[2 * WW_SHA256_LEN + 1], text[384];
	char tables[2 * WW_SHA256_LEN + 2], policy[2 * WW_SHA256_LEN + 16];
	struct ww_digest_key key;
	struct ww_sha256 seed;

	hex(&f->tape, tape);
	hex(&f->contracts, contracts);
	tables_line(f, "\n", tables);
	policy_line(f, ' ', "\n", policy);
	snprintf(text, sizeof(text), ABOUT "%s\n%s\n%s\n%s%s", tape, contracts, WW_VERSION, tables,
		 policy);
	ww_digest_key_init(&key, f->digest_key);
	ww_digest(&key, ww_slice_str(text), &seed);
	ww_digest_key_init(&key, seed.b);
	ww_digest(&key, WW_SLICE_LIT("signing key\n"), &ret->signing);
	ww_digest(&key, WW_SLICE_LIT("salts\n"), &ret->salts);
	explicit_bzero(&key, sizeof(key));
	explicit_bzero(&seed, sizeof(seed));
}

static void name_it(const struct ww_replay_facts *f, char *out, size_t cap)
{
	char tape[2 * WW_SHA256_LEN + 1], contracts[2 * WW_SHA256_LEN + 1];
	char tables[2 * WW_SHA256_LEN + 2], policy[2 * WW_SHA256_LEN + 16];

	hex(&f->tape, tape);
	hex(&f->contracts, contracts);
	tables_line(f, "", tables);
	policy_line(f, '-', "", policy);
	snprintf(out, cap, "wirewitness/replay/%.16s/%.16s/%.16s%s%.23s%s%s", tape, contracts,
		 tables, tables[0] ? "/" : "", policy, policy[0] ? "/" : "", WW_VERSION);
}

static int put_keys(const char *path, const struct ww_replay_facts *f,
		    const struct secrets *secrets, const char *origin)
{
	WW_AUTO_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ww_note_signer signer;
	struct ww_errtext why = {""};
	int r;

	if (dir < 0)
		return ww_log_err_r(-errno, "cannot open %s", path);
	r = ww_note_signer_seed(ww_slice_str(origin), secrets->signing.b, &signer);
	if (r < 0)
		return ww_log_err_r(r, "cannot make the signing key");
	r = ww_keyfile_put(dir, "key", &signer, NULL, &why);
	ww_note_signer_done(&signer);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s", why.text);
		return r;
	}
	r = ww_durable_replace(dir, "digest.key", 0600, ww_slice(f->digest_key, 32));
	return r < 0 ? ww_log_err_r(r, "cannot write %s/digest.key", path) : 0;
}

/* --- records ------------------------------------------------------------------------------------
 */

void ww_replay_ledger_add(struct ww_replay_ledger *l, enum ww_record_kind kind,
			  struct ww_slice json)
{
	int r;

	if (l->error < 0)
		return;
	r = ww_ledger_append(l->ledger, kinds[kind], json, NULL);
	if (r == -ENOBUFS) {
		r = ww_ledger_commit(l->ledger, NULL);
		if (r == 0)
			r = ww_ledger_append(l->ledger, kinds[kind], json, NULL);
	}
	l->error = r;
}

static void write_digest(struct ww_jsonw *w, const char *key, const struct ww_sha256 *d)
{
	ww_jsonw_hex(w, key, ww_slice(d->b, sizeof(d->b)));
}

static void write_text(struct ww_jsonw *w, const char *key, const char *text)
{
	ww_jsonw_cstr(w, key, text[0] ? text : NULL);
}

/* In place of the record of a daemon's start: what all others were made of. */
static int add_first(struct ww_replay_ledger *l, const struct ww_replay_facts *f)
{
	bool again = memcmp(f->contracts.b, f->recorded.b, sizeof(f->contracts.b)) != 0;
	WW_AUTO_BUF struct ww_buf b = {0};
	char when[WW_RFC3339_MAX], id[32];
	struct ww_jsonw w;

	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "kind", "life");
	snprintf(id, sizeof(id), "d-%llx", (unsigned long long)f->began.ns);
	ww_jsonw_cstr(&w, "id", id);
	ww_wall_rfc3339(f->began_wall, when);
	ww_jsonw_cstr(&w, "t", when);
	ww_jsonw_cstr(&w, "event", "replay");
	ww_jsonw_cstr(&w, "text",
		      again ? "the events of a tape, judged again under other contracts"
			    : "the events of a tape, judged under its own contracts");
	ww_jsonw_cstr(&w, "version", WW_VERSION);
	write_digest(&w, "contracts", &f->contracts);
	if (f->tables)
		ww_identity_tables(f->tables, &w);
	if (f->policy)
		write_digest(&w, "policy", &f->policy->digest);
	ww_jsonw_object(&w, "tape");
	write_digest(&w, "sha256", &f->tape);
	ww_jsonw_cstr(&w, "end", f->end);
	write_text(&w, "version", f->origin.version);
	write_text(&w, "kernel", f->origin.kernel);
	write_text(&w, "bootId", f->origin.boot_id);
	write_digest(&w, "contracts", &f->recorded);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w))
		return ww_log_err_r(-ENOMEM, "cannot write the first record");
	ww_replay_ledger_add(l, WW_RECORD_LIFE, ww_buf_slice(&b));
	return l->error < 0 ? ww_log_err_r(l->error, "cannot write the first record") : 0;
}

/* --- life ---------------------------------------------------------------------------------------
 */

void ww_replay_ledger_free(struct ww_replay_ledger *l)
{
	if (!l)
		return;
	ww_ledger_close(l->ledger);
	free(l);
}

static int open_ledger(struct ww_replay_ledger *l, const char *dir, const struct ww_replay_facts *f)
{
	struct ww_tlog_options o = {.dir = dir};
	struct ww_errtext why = {""};
	struct secrets secrets;
	char origin[WW_NOTE_NAME_MAX];
	int r;

	derive(f, &secrets);
	name_it(f, origin, sizeof(origin));
	r = put_keys(dir, f, &secrets, origin);
	if (r == 0) {
		r = ww_ledger_open(&o, &l->ledger, &why);
		if (r < 0)
			ww_log(WW_LOG_ERR, "ledger %s: %s", dir, why.text);
		else
			ww_ledger_derive_salts(l->ledger, secrets.salts.b);
	}
	explicit_bzero(&secrets, sizeof(secrets));
	return r;
}

int ww_replay_ledger_new(const char *dir, const struct ww_replay_facts *f,
			 struct ww_replay_ledger **ret)
{
	WW_AUTO(ww_replay_ledger_free_auto) struct ww_replay_ledger *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return ww_log_err_r(-ENOMEM, "cannot make a ledger");
	if (mkdir(dir, 0700) < 0)
		return ww_log_err_r(-errno, "cannot make %s", dir);
	r = open_ledger(l, dir, f);
	if (r == 0)
		r = add_first(l, f);
	if (r < 0)
		return r;
	*ret = WW_TAKE(l);
	return 0;
}

int ww_replay_ledger_end(struct ww_replay_ledger *l)
{
	int r = l->error < 0 ? l->error : ww_ledger_commit(l->ledger, NULL);

	if (r < 0)
		return ww_log_err_r(
			r, "cannot write the ledger%s%s", ww_ledger_stopped(l->ledger) ? ": " : "",
			ww_ledger_stopped(l->ledger) ? ww_ledger_stopped(l->ledger) : "");
	printf("%s: %llu records\n", ww_ledger_head(l->ledger)->origin,
	       (unsigned long long)ww_ledger_size(l->ledger));
	return 0;
}
