/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/audit.h"

#include <errno.h>
#include <fcntl.h>

#include "ledger/dsse.h"
#include "ledger/durable.h"
#include "ledger/equivocation.h"
#include "ledger/proof_file.h"
#include "ledger/report_text.h"
#include "wirewitness/limits.h"

/* What is read from the options. */
struct inputs {
	bool has_key;
	struct ww_note_key key;
	struct ww_keychain *chain;
	struct ww_witness_set *witnesses;
	struct ww_buf memory; /* WW_DSSE_ROOM bytes, then: */
	struct ww_slice file;
	struct ww_buf kept[WW_EARLIER_MAX];
	int log;
	struct ww_tile_store *tiles;
};

static void inputs_done(struct inputs *in)
{
	free(in->chain);
	free(in->witnesses);
	ww_buf_done(&in->memory);
	for (size_t i = 0; i < WW_EARLIER_MAX; i++)
		ww_buf_done(&in->kept[i]);
	ww_tile_store_free(in->tiles);
	ww_own_close(&in->log);
}

const char *ww_audit_wrong(const struct ww_audit *a)
{
	if (!a->file)
		return "the report or proof is missing";
	if (a->key && a->key_file)
		return "--key and --key-file exclude each other";
	if (a->history && !a->key && !a->key_file)
		return "--history leads from a key that you trust: give it";
	if (a->log && a->n_kept == 0)
		return "--log shows the way between trees: give a --checkpoint";
	if (a->equivocation_dir && a->n_kept == 0)
		return "--equivocation-dir keeps what a --checkpoint shows: give one";
	return NULL;
}

static enum ww_audit_outcome trouble(struct ww_errtext *why, const char *name, const char *what)
{
	ww_errtext_set(why, 0, "%.200s: %.100s", name, what);
	return WW_AUDIT_TROUBLE;
}

static int read_file(const char *name, struct ww_buf *out)
{
	/* Opened again by a name, standard input may be refused: a socket, or another user's file.
	 */
	return strcmp(name, "-") == 0 ? ww_durable_read_fd(STDIN_FILENO, out)
				      : ww_durable_read(AT_FDCWD, name, out);
}

static enum ww_audit_outcome read_key(const struct ww_audit *a, struct inputs *in,
				      struct ww_errtext *why)
{
	struct ww_slice text = ww_slice_str(a->key);
	WW_AUTO_BUF struct ww_buf b = {0};

	ww_buf_init(&b, 4096);
	if (!a->key && !a->key_file)
		return WW_AUDIT_VERIFIED;
	if (a->key_file) {
		int r = read_file(a->key_file, &b);

		if (r < 0)
			return trouble(why, a->key_file, strerror(-r));
		text = ww_slice_sub(ww_buf_slice(&b), 0, ww_slice_find(ww_buf_slice(&b), 0, '\n'));
	}
	if (ww_note_key_parse(ww_slice_trim(text), &in->key) < 0)
		return trouble(why, a->key_file ? a->key_file : "--key",
			       "not a verifier key (NAME+ID+BASE64, Ed25519)");
	in->has_key = true;
	return WW_AUDIT_VERIFIED;
}

/* A history that does not lead from the key is a failed check: it was given as evidence. */
static enum ww_audit_outcome read_chain(const struct ww_audit *a, struct inputs *in,
					struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf history = {0};
	struct ww_errtext text = {""};
	int r;

	if (!a->history)
		return WW_AUDIT_VERIFIED;
	ww_buf_init(&history, WW_KEYCHAIN_BYTES_MAX);
	in->chain = calloc(1, sizeof(*in->chain));
	r = in->chain ? read_file(a->history, &history) : -ENOMEM;
	if (r < 0)
		return trouble(why, a->history, strerror(-r));
	r = ww_keychain_read(ww_buf_slice(&history), &in->key, in->chain, &text);
	if (r < 0)
		(void)ww_errtext_set(why, 0, "%.100s: %.200s", a->history, text.text);
	return r == 0 ? WW_AUDIT_VERIFIED : r == -ENOMEM ? WW_AUDIT_TROUBLE : WW_AUDIT_FAILED;
}

static enum ww_audit_outcome read_witnesses(const struct ww_audit *a, struct inputs *in,
					    struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf text = {0};
	struct ww_errtext bad = {""};
	int r;

	if (!a->witnesses)
		return WW_AUDIT_VERIFIED;
	ww_buf_init(&text, WW_WITNESS_SET_BYTES);
	in->witnesses = calloc(1, sizeof(*in->witnesses));
	r = in->witnesses ? read_file(a->witnesses, &text) : -ENOMEM;
	if (r < 0)
		return trouble(why, a->witnesses, strerror(-r));
	r = ww_witness_set_parse(ww_buf_slice(&text), in->witnesses, &bad);
	return r < 0 ? trouble(why, a->witnesses, bad.text) : WW_AUDIT_VERIFIED;
}

static enum ww_audit_outcome read_kept(const struct ww_audit *a, struct inputs *in,
				       struct ww_errtext *why)
{
	int r;

	for (size_t i = 0; i < a->n_kept; i++) {
		ww_buf_init(&in->kept[i], WW_NOTE_BYTES_MAX);
		r = read_file(a->kept[i], &in->kept[i]);
		if (r < 0)
			return trouble(why, a->kept[i], strerror(-r));
	}
	if (!a->log)
		return WW_AUDIT_VERIFIED;
	in->log = open(a->log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in->log < 0)
		return trouble(why, a->log, strerror(errno));
	r = ww_tile_store_new(in->log, &in->tiles);
	return r < 0 ? trouble(why, a->log, strerror(-r)) : WW_AUDIT_VERIFIED;
}

static enum ww_audit_outcome read_inputs(const struct ww_audit *a, struct inputs *in,
					 struct ww_errtext *why)
{
	static const uint8_t room[WW_DSSE_ROOM];
	enum ww_audit_outcome o = read_key(a, in, why);
	int r;

	if (o == WW_AUDIT_VERIFIED)
		o = read_chain(a, in, why);
	if (o == WW_AUDIT_VERIFIED)
		o = read_witnesses(a, in, why);
	if (o == WW_AUDIT_VERIFIED)
		o = read_kept(a, in, why);
	if (o != WW_AUDIT_VERIFIED)
		return o;
	ww_buf_init(&in->memory, sizeof(room) + WW_REPORT_BYTES_MAX);
	r = ww_buf_add(&in->memory, room, sizeof(room));
	if (r == 0)
		r = read_file(a->file, &in->memory);
	in->file = ww_slice_sub(ww_buf_slice(&in->memory), sizeof(room), SIZE_MAX);
	return r < 0 ? trouble(why, a->file, strerror(-r)) : WW_AUDIT_VERIFIED;
}

/* A proof names no key: without a trusted one nothing is shown. */
static enum ww_audit_outcome audit_proof(const struct ww_audit *a, const struct inputs *in,
					 struct ww_buf *out, struct ww_errtext *why)
{
	WW_AUTO(ww_proof_result_done) struct ww_proof_result result = {0};
	int r;

	if (a->n_kept || a->rederive)
		return trouble(why, a->file,
			       "is a proof: --checkpoint and --rederive are for reports");
	r = ww_proof_file_verify(in->file, in->has_key ? &in->key : NULL, in->chain, in->witnesses,
				 &result);
	if (r == 0)
		r = a->json ? ww_proof_result_json(&result, a->file, out)
			    : ww_proof_result_text(&result, a->file, out);
	if (r < 0)
		return trouble(why, a->file, strerror(-r));
	return result.verified ? WW_AUDIT_VERIFIED : WW_AUDIT_FAILED;
}

/* Two signed heads of one size: whoever met them has what convicts the log. */
static enum ww_audit_outcome keep_equivocation(const struct ww_audit *a, const struct inputs *in,
					       const struct ww_report_result *result,
					       struct ww_errtext *why)
{
	struct ww_errtext text = {""};
	WW_AUTO_FD int fd = open(a->equivocation_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return trouble(why, a->equivocation_dir, strerror(errno));
	r = ww_equivocation_keep(fd, result->statement.note,
				 ww_buf_slice(&in->kept[result->equivocal]),
				 result->statement.head.size, &text);
	return r < 0 ? trouble(why, a->equivocation_dir, text.text) : WW_AUDIT_FAILED;
}

static enum ww_audit_outcome outcome_of(const struct ww_audit *a, const struct inputs *in,
					const struct ww_report_result *result)
{
	if (result->verified)
		return WW_AUDIT_VERIFIED;
	if (result->open)
		return WW_AUDIT_OPEN;
	if (!result->consistent || in->has_key)
		return WW_AUDIT_FAILED;
	return a->allow_untrusted ? WW_AUDIT_VERIFIED : WW_AUDIT_UNTRUSTED;
}

static enum ww_audit_outcome audit_report(const struct ww_audit *a, struct inputs *in,
					  struct ww_buf *out, struct ww_errtext *why)
{
	WW_AUTO(ww_report_result_done) struct ww_report_result result = {0};
	struct ww_slice kept[WW_EARLIER_MAX];
	struct ww_report_options o = {
		.key = in->has_key ? &in->key : NULL,
		.chain = in->chain,
		.over = &in->memory,
		.rederive = a->rederive,
		.kept = kept,
		.n_kept = a->n_kept,
		.tiles = in->tiles,
	};
	int r;

	for (size_t i = 0; i < a->n_kept; i++)
		kept[i] = ww_buf_slice(&in->kept[i]);
	r = ww_report_verify_with(in->file, &o, &result);
	if (r == 0 && in->witnesses)
		r = ww_report_verify_witnesses(&result, in->witnesses);
	if (r == 0)
		r = a->json ? ww_report_text_json(&result, a->file, out)
			    : ww_report_text(&result, a->file, out);
	if (r < 0)
		return trouble(why, a->file, strerror(-r));
	if (result.equivocation && a->equivocation_dir)
		return keep_equivocation(a, in, &result, why);
	return outcome_of(a, in, &result);
}

enum ww_audit_outcome ww_audit(const struct ww_audit *a, struct ww_buf *out, struct ww_errtext *why)
{
	WW_AUTO(inputs_done) struct inputs in = {.log = -1};
	enum ww_audit_outcome o = read_inputs(a, &in, why);

	if (o != WW_AUDIT_VERIFIED)
		return o;
	if (ww_proof_file_is(in.file))
		return audit_proof(a, &in, out, why);
	return audit_report(a, &in, out, why);
}
