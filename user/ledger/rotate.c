/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/json_write.h"
#include "ledger/durable.h"
#include "ledger/keychain.h"
#include "ledger/ledger.h"
#include "ledger/payload.h"
#include "ledger/tlog_check.h"

/* --- the history ---------------------------------------------------------------------------------
 */

static int write_line(const struct ww_payload *p, const struct ww_merkle_proof *proof,
		      struct ww_slice note, struct ww_buf *out)
{
	char b64[WW_BASE64_LEN(WW_SHA256_LEN) + 1];
	struct ww_jsonw w;

	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_u64(&w, "v", 1);
	ww_jsonw_u64(&w, "index", p->index);
	ww_jsonw_hex(&w, "salt", p->salt);
	ww_jsonw_str(&w, "record", p->json);
	ww_jsonw_array(&w, "proof");
	for (size_t i = 0; i < proof->n; i++) {
		ww_base64_encode(ww_slice(proof->path[i].b, WW_SHA256_LEN), b64);
		ww_jsonw_cstr(&w, NULL, b64);
	}
	ww_jsonw_end_array(&w);
	ww_jsonw_str(&w, "checkpoint", note);
	ww_jsonw_end_object(&w);
	return ww_jsonw_ok(&w) ? ww_buf_add(out, "\n", 1) : w.err;
}

/* The line for the last leaf of the tree `head`, from the log's own files. */
static int make_line(int dir, struct ww_tile_store *s, const struct ww_checkpoint *head,
		     struct ww_slice note, struct ww_buf *out)
{
	WW_AUTO(ww_payload_reader_free_auto) struct ww_payload_reader *payload = NULL;
	struct ww_merkle_reader reader = ww_tile_store_reader(s);
	struct ww_merkle_proof proof;
	struct ww_payload p;
	int r = ww_payload_reader_new(dir, &payload);

	if (r == 0)
		r = ww_payload_reader_get(payload, head->size - 1, &p);
	if (r == 0 && (p.erased || !ww_slice_eq_str(p.kind, WW_ROTATION_KIND)))
		r = -EUCLEAN;
	if (r == 0)
		r = ww_merkle_inclusion(&reader, head->size - 1, head->size, &proof);
	return r == 0 ? write_line(&p, &proof, note, out) : r;
}

/* Appends the line, unless an earlier attempt did; what is written is what a verifier accepts. */
static int put_history(int dir, const struct ww_note_key *next, struct ww_slice line,
		       struct ww_errtext *why)
{
	WW_AUTO_FREE struct ww_keychain *chain = calloc(1, sizeof(*chain));
	WW_AUTO_BUF struct ww_buf history = {0};
	WW_AUTO_FD int folder = -1;
	int r = chain ? ww_keyfile_folder(dir, &folder) : -ENOMEM;

	ww_buf_init(&history, WW_KEYCHAIN_BYTES_MAX);
	if (r == 0)
		r = ww_durable_read(folder, "history", &history);
	if (r < 0 && r != -ENOENT)
		return ww_errtext_errno(why, r, "cannot read keys/history");
	if (ww_keychain_read(ww_buf_slice(&history), next, chain, why) == 0 && history.n > 0)
		return 0;
	r = ww_buf_add(&history, line.p, line.n);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot write keys/history");
	r = ww_keychain_read(ww_buf_slice(&history), next, chain, why);
	if (r < 0)
		return r;
	r = ww_durable_replace(folder, "history", 0644, ww_buf_slice(&history));
	return r < 0 ? ww_errtext_errno(why, r, "cannot write keys/history") : 0;
}

/* --- after the decision --------------------------------------------------------------------------
 */

/* The tree under the hand-over is whole and public, and its line stands in the history. */
static int publish(int dir, const struct ww_note_key *next, struct ww_slice note,
		   struct ww_errtext *why)
{
	WW_AUTO(ww_tile_store_free_auto) struct ww_tile_store *s = NULL;
	WW_AUTO_BUF struct ww_buf line = {0}, public = {0};
	struct ww_checkpoint head;
	int r = ww_checkpoint_open(note, next, &head);

	if (r == 0)
		r = head.size > 0 ? ww_tile_store_new(dir, &s) : -EUCLEAN;
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot take over the ledger");
	ww_buf_init(&line, WW_KEYCHAIN_LINE_MAX);
	ww_buf_init(&public, WW_NOTE_BYTES_MAX);
	ww_tile_store_resize(s, head.size);
	r = ww_tlog_check_root(s, &head, why);
	if (r < 0)
		return r;
	r = make_line(dir, s, &head, note, &line);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot prove the rotation at %" PRIu64,
					head.size - 1);
	r = ww_durable_read(dir, "checkpoint", &public);
	if (r == -ENOENT || (r == 0 && !ww_slice_eq(ww_buf_slice(&public), note)))
		r = ww_durable_replace(dir, "checkpoint", 0644, note);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot write checkpoint");
	return put_history(dir, next, ww_buf_slice(&line), why);
}

/* Steps 3 to 5; each may have been done before. */
static int finish(int dir, const struct ww_note_key *next, struct ww_slice note,
		  struct ww_errtext *why)
{
	int r = publish(dir, next, note, why);

	if (r == 0)
		r = ww_keyfile_put_vkey(dir, next, why);
	if (r < 0)
		return r;
	r = ww_keyfile_wipe(dir, "key");
	if (r == 0 && renameat(dir, "key.next", dir, "key") < 0)
		r = -errno;
	if (r == 0)
		r = ww_durable_sync_dir(dir, ".");
	return r < 0 ? ww_errtext_errno(why, r, "cannot replace the signing key") : 0;
}

int ww_rotate_settle(int dir, int guard, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf note = {0};
	char uri[WW_SIGNER_URI_MAX + 1];
	struct ww_note_key next;
	struct ww_slice text;
	int r;

	/* A writer that died while it wrote a secret left it under these names. */
	r = ww_keyfile_destroy(dir, "key.next.tmp");
	if (r == 0)
		r = ww_keyfile_destroy(dir, "key.tmp");
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot remove an unfinished key");
	r = ww_keyfile_peek(dir, "key.next", &next, uri, why);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	r = ww_durable_read(guard, "highest", &note);
	if (r == 0)
		r = ww_note_open(ww_buf_slice(&note), &next, &text);
	if (r == 0)
		return finish(dir, &next, ww_buf_slice(&note), why);
	if (r != -ENOKEY && r != -ENOENT)
		return ww_errtext_errno(why, r, "cannot tell whether the new key took over");
	/* Under the other name first: half destroyed it could no longer be read, and would stop
	 * all. */
	r = renameat(dir, "key.next", dir, "key.next.tmp") < 0 ? -errno : 0;
	if (r == 0)
		r = ww_durable_sync_dir(dir, ".");
	if (r == 0)
		r = ww_keyfile_destroy(dir, "key.next.tmp");
	return r < 0 ? ww_errtext_errno(why, r, "cannot remove key.next") : 0;
}

/* --- before the decision -------------------------------------------------------------------------
 */

/* Appends the leaf and has both keys sign the tree with it. */
static int hand_over(struct ww_ledger *l, const struct ww_note_signer *next, const char *time,
		     struct ww_rotation *ret_rotation, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf note = {0}, record = {0};
	uint64_t want = ww_ledger_size(l), index = 0;
	int r;

	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&record, WW_KEYCHAIN_LINE_MAX / 2);
	r = ww_rotation_sign(want, time, &ww_ledger_keys(l)->signer, next, &note);
	if (r == 0)
		r = ww_rotation_open(ww_buf_slice(&note), ret_rotation);
	if (r == 0)
		r = ww_rotation_record(ww_buf_slice(&note), &record);
	if (r == 0)
		r = ww_ledger_append(l, WW_ROTATION_KIND, ww_buf_slice(&record), &index);
	if (r == 0 && index != want)
		r = -EUCLEAN;
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot write the rotation");
	ww_ledger_hand_over(l, next);
	r = ww_ledger_commit(l, NULL);
	return r < 0 ? ww_errtext_set(why, r, "%s", ww_ledger_stopped(l)) : 0;
}

static int check_room(int dir, const struct ww_note_key *key, struct ww_errtext *why)
{
	WW_AUTO_FREE struct ww_keychain *chain = calloc(1, sizeof(*chain));
	int r;

	if (!chain)
		return ww_errtext_errno(why, -ENOMEM, "cannot read keys/history");
	r = ww_keyfile_history(dir, key, chain, why);
	if (r < 0)
		return r;
	if (chain->n == WW_KEYCHAIN_KEYS_MAX)
		return ww_errtext_set(why, -E2BIG, "the ledger has had %u keys: begin a new ledger",
				      WW_KEYCHAIN_KEYS_MAX);
	return 0;
}

int ww_rotate(const struct ww_tlog_options *o, const char *time, struct ww_rotation *ret_rotation,
	      struct ww_errtext *why)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer next = {0};
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *l = NULL;
	struct ww_tlog_options as_it_is = *o;
	char uri[WW_SIGNER_URI_MAX + 1];
	struct ww_rotation rot;
	struct ww_note_key key;
	WW_AUTO_FD int guard = -1;
	int dir, r;

	as_it_is.key = NULL;
	r = ww_ledger_open(&as_it_is, &l, why);
	if (r < 0)
		return r;
	dir = ww_ledger_dir(l);
	guard = open(o->guard_dir ? o->guard_dir : o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (guard < 0)
		return ww_errtext_errno(why, -errno, "cannot open %s", o->guard_dir);
	r = ww_keyfile_peek(dir, "key", &key, uri, why);
	if (r == 0)
		r = check_room(dir, &key, why);
	if (r < 0)
		return r;
	r = ww_note_signer_new(ww_slice_str(key.name), &next);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot make a signing key");
	r = ww_keyfile_put(dir, "key.next", &next, o->key ? o->key : uri[0] ? uri : NULL, why);
	if (r == 0)
		r = hand_over(l, &next, time, &rot, why);
	if (r == 0)
		r = ww_rotate_settle(dir, guard, why);
	if (r == 0)
		*ret_rotation = rot;
	return r;
}
