/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/proof_build.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/encode.h"
#include "ledger/durable.h"
#include "ledger/fields.h"
#include "ledger/keyfile.h"
#include "ledger/proof_file.h"
#include "ledger/statement.h"
#include "ledger/tile_store.h"

int ww_cosigned_read(int dir, const struct ww_note_key *key, struct ww_buf *note,
		     struct ww_checkpoint *ret_head, struct ww_errtext *why)
{
	WW_AUTO_FREE struct ww_keychain *chain = NULL;
	int r = ww_durable_read(dir, WW_COSIGNED_FILE, note);

	if (r < 0)
		return r == -ENOENT ? r : ww_errtext_errno(why, r, "cannot read " WW_COSIGNED_FILE);
	chain = calloc(1, sizeof(*chain));
	if (!chain)
		return ww_errtext_errno(why, -ENOMEM, "cannot verify " WW_COSIGNED_FILE);
	r = ww_keyfile_history(dir, key, chain, why);
	if (r < 0)
		return r;
	r = ww_keychain_open(chain, ww_buf_slice(note), ret_head, NULL, why);
	if (r == -ENOMEM)
		return ww_errtext_errno(why, r, "cannot verify " WW_COSIGNED_FILE);
	return r < 0 ? ww_errtext_set(why, -EUCLEAN,
				      WW_COSIGNED_FILE " is not a checkpoint signed by this log")
		     : 0;
}

/* The head to prove in: *note is empty when it is the reader's. */
static int choose_head(int dir, const struct ww_ledger_reader *r, uint64_t index,
		       struct ww_buf *note, struct ww_checkpoint *ret_head, struct ww_errtext *why)
{
	struct ww_checkpoint head;
	int e = ww_cosigned_read(dir, ww_ledger_reader_key(r), note, &head, why);

	*ret_head = *ww_ledger_reader_head(r);
	if (e < 0 && e != -ENOENT)
		return e;
	if (e == 0 && index < head.size && head.size <= ret_head->size)
		*ret_head = head;
	else
		ww_buf_clear(note);
	return 0;
}

/* The record as a report lists it, without the proof. */
static int write_record(const struct ww_payload *p, struct ww_slice leaf, struct ww_buf *out,
			struct ww_errtext *why)
{
	struct ww_statement_record rec = {
		.index = p->index, .kind = p->kind, .withheld = p->erased};
	struct ww_field f = {.name = "digest", .type = WW_JSON_STRING};
	WW_AUTO_BUF struct ww_buf salted = {0};
	struct ww_sha256 own, logged;
	struct ww_jsonw w;
	int e = 0;

	ww_buf_init(&salted, WW_LEAF_SALT_LEN + WW_PROOF_FILE_BYTES_MAX);
	if (p->erased) {
		if (ww_fields_read(leaf, "the leaf", &f, 1, NULL) < 0 ||
		    ww_hex_decode(f.token.raw, rec.digest.b, sizeof(rec.digest.b)) < 0)
			return ww_errtext_set(why, -EUCLEAN, "the leaf is not one of ours");
	} else {
		e = ww_buf_add(&salted, p->salt.p, p->salt.n);
		if (e == 0)
			e = ww_buf_add(&salted, p->json.p, p->json.n);
		rec.salted = ww_buf_slice(&salted);
	}
	if (e < 0)
		return ww_errtext_errno(why, e, "cannot write the proof");
	ww_statement_record_leaf(&rec, &own);
	ww_merkle_leaf(leaf, &logged);
	if (memcmp(own.b, logged.b, sizeof(own.b)) != 0)
		return ww_errtext_set(why, -EUCLEAN, "record %" PRIu64 " contradicts its leaf",
				      p->index);
	ww_jsonw_init(&w, out);
	ww_statement_record_write(&w, &rec);
	return ww_jsonw_ok(&w) ? 0 : ww_errtext_errno(why, w.err, "cannot write the proof");
}

static int prove(int dir, const struct ww_checkpoint *head, uint64_t index, struct ww_slice leaf,
		 struct ww_merkle_proof *ret_proof, struct ww_errtext *why)
{
	WW_AUTO(ww_tile_store_free_auto) struct ww_tile_store *store = NULL;
	struct ww_merkle_reader reader;
	struct ww_sha256 hash;
	int e = ww_tile_store_new(dir, &store);

	if (e == 0) {
		ww_tile_store_resize(store, head->size);
		reader = ww_tile_store_reader(store);
		e = ww_merkle_inclusion(&reader, index, head->size, ret_proof);
	}
	if (e < 0 && e != -ENOENT && e != -EUCLEAN)
		return ww_errtext_errno(why, e, "cannot prove record %" PRIu64, index);
	ww_merkle_leaf(leaf, &hash);
	if (e < 0 || !ww_merkle_inclusion_check(&hash, index, head->size, ret_proof, &head->root))
		return ww_errtext_set(why, -EUCLEAN,
				      "the ledger's files contradict the signed tree of %" PRIu64
				      " records",
				      head->size);
	return 0;
}

int ww_proof_build(const char *dir, struct ww_ledger_reader *r, uint64_t index, struct ww_buf *out,
		   uint64_t *ret_size, struct ww_errtext *why)
{
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	WW_AUTO_BUF struct ww_buf note = {0}, record = {0};
	struct ww_merkle_proof proof;
	struct ww_checkpoint head;
	struct ww_payload p;
	struct ww_slice leaf;
	size_t before = out->n;
	int e = fd < 0 ? -errno : ww_ledger_reader_get(r, index, &p);

	if (e == 0)
		e = ww_ledger_reader_leaf(r, index, &leaf);
	if (e < 0)
		return ww_errtext_errno(why, e, "cannot read record %" PRIu64, index);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&record, WW_PROOF_FILE_BYTES_MAX);
	e = choose_head(fd, r, index, &note, &head, why);
	if (e == 0)
		e = write_record(&p, leaf, &record, why);
	if (e == 0)
		e = prove(fd, &head, index, leaf, &proof, why);
	if (e < 0)
		return e;
	e = ww_proof_file_write(index, &proof, ww_buf_slice(&record),
				note.n ? ww_buf_slice(&note) : ww_ledger_reader_note(r), out);
	if (e < 0) {
		out->n = before;
		return ww_errtext_errno(why, e, "cannot write the proof");
	}
	*ret_size = head.size;
	return 0;
}
