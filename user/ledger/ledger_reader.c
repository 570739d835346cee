/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ledger_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "ledger/durable.h"
#include "ledger/fields.h"
#include "ledger/keyfile.h"
#include "ledger/tile_store.h"
#include "ledger/tlog_check.h"

struct ww_ledger_reader {
	int dir;
	struct ww_note_key key;
	struct ww_buf note;
	struct ww_checkpoint head;
	uint64_t committed; /* at the last refresh; the head's size unless rewound */
	struct ww_tile_store *tiles;
	struct ww_payload_reader *payload;
	struct stat looked; /* the file `pruned`, when withheld was read; zero: none */
	uint64_t looked_size;
	struct ww_withheld_list withheld;
	char kind[WW_LEAF_KIND_MAX + 1]; /* of a record whose segment is gone */
};

int ww_ledger_reader_open(const char *dir, const struct ww_note_key *key,
			  struct ww_ledger_reader **ret_reader, struct ww_errtext *why)
{
	WW_AUTO(ww_ledger_reader_close_auto) struct ww_ledger_reader *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return ww_errtext_errno(why, -ENOMEM, "cannot open %s", dir);
	ww_buf_init(&r->note, WW_NOTE_BYTES_MAX);
	r->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir < 0)
		return ww_errtext_errno(why, -errno, "cannot open %s", dir);
	if (key)
		r->key = *key;
	e = key ? 0 : ww_keyfile_vkey(r->dir, &r->key, why);
	if (e < 0)
		return e;
	e = ww_tile_store_new(r->dir, &r->tiles);
	if (e == 0)
		e = ww_payload_reader_new(r->dir, &r->payload);
	if (e < 0)
		return ww_errtext_errno(why, e, "cannot open %s", dir);
	e = ww_ledger_reader_refresh(r, NULL, why);
	if (e < 0)
		return e;
	*ret_reader = WW_TAKE(r);
	return 0;
}

void ww_ledger_reader_close(struct ww_ledger_reader *r)
{
	if (!r)
		return;
	ww_tile_store_free(r->tiles);
	ww_payload_reader_free(r->payload);
	ww_withheld_done(&r->withheld);
	ww_buf_done(&r->note);
	ww_own_close(&r->dir);
	free(r);
}

int ww_ledger_reader_refresh(struct ww_ledger_reader *r, uint64_t *ret_size, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf note = {0};
	struct ww_checkpoint head;
	struct ww_buf old = r->note;
	int e;

	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	e = ww_durable_read(r->dir, "checkpoint", &note);
	if (e < 0)
		return ww_errtext_errno(why, e, "cannot read checkpoint");
	if (!ww_slice_eq(ww_buf_slice(&note), ww_buf_slice(&old))) {
		e = ww_checkpoint_open(ww_buf_slice(&note), &r->key, &head);
		if (e == -ENOMEM)
			return ww_errtext_errno(why, e, "cannot verify checkpoint");
		if (e < 0)
			return ww_errtext_set(why, -EUCLEAN,
					      "checkpoint is not signed by the ledger's key");
		if (old.n > 0 &&
		    (head.size < r->head.size || ww_checkpoint_conflict(&head, &r->head)))
			return ww_errtext_set(why, -EUCLEAN,
					      "the ledger went back from %" PRIu64 " to %" PRIu64
					      " records",
					      r->head.size, head.size);
		r->head = head;
		r->committed = head.size;
		r->note = note;
		note = old;
		ww_tile_store_resize(r->tiles, head.size);
		ww_payload_reader_refresh(r->payload);
	}
	if (ret_size)
		*ret_size = r->head.size;
	return 0;
}

int ww_ledger_reader_committed(struct ww_ledger_reader *r, uint64_t *ret_size)
{
	WW_AUTO_BUF struct ww_buf note = {0};
	struct ww_checkpoint head;
	int e;

	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	e = ww_durable_read(r->dir, "checkpoint", &note);
	if (e == 0)
		e = ww_checkpoint_open(ww_buf_slice(&note), &r->key, &head);
	if (e < 0)
		return e == -ENOMEM ? e : -EUCLEAN;
	*ret_size = head.size;
	return 0;
}

int ww_ledger_reader_rewind(struct ww_ledger_reader *r, struct ww_slice note,
			    struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf copy = {0};
	struct ww_buf old = r->note;
	struct ww_checkpoint head;
	int e = ww_checkpoint_open(note, &r->key, &head);

	if (e == -ENOMEM)
		return ww_errtext_errno(why, e, "cannot verify the earlier head");
	if (e < 0)
		return ww_errtext_set(why, -EUCLEAN,
				      "the earlier head is not signed by the ledger's key");
	e = ww_tlog_check_extends(r->dir, &r->head, &head, why);
	if (e < 0)
		return e;
	ww_buf_init(&copy, WW_NOTE_BYTES_MAX);
	e = ww_buf_add(&copy, note.p, note.n);
	if (e < 0)
		return ww_errtext_errno(why, e, "cannot keep the earlier head");
	r->head = head;
	r->note = copy;
	copy = old;
	ww_tile_store_resize(r->tiles, head.size);
	return 0;
}

/* Pruning goes on beside a reader: the list is read again when its file was replaced. */
static int look(struct ww_ledger_reader *r)
{
	struct ww_withheld_list l;
	struct stat st = {0};
	int e;

	if (fstatat(r->dir, "pruned", &st, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
		return -errno;
	if (st.st_ino == r->looked.st_ino && st.st_mtim.tv_sec == r->looked.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == r->looked.st_mtim.tv_nsec && r->looked_size == r->committed)
		return 0;
	e = ww_withheld_read(r->dir, r->committed, &l);
	if (e < 0)
		return e;
	ww_withheld_done(&r->withheld);
	r->withheld = l;
	r->looked = st;
	r->looked_size = r->committed;
	return 0;
}

int ww_ledger_reader_withheld(struct ww_ledger_reader *r, uint64_t index, struct ww_slice kind,
			      const struct ww_withheld **ret)
{
	int e = look(r);

	if (e == 0)
		*ret = ww_withheld_find(&r->withheld, index, kind);
	return e;
}

/* The kind that the leaf names, NUL-terminated in r->kind. */
static int leaf_kind(struct ww_ledger_reader *r, uint64_t index)
{
	struct ww_field f = {.name = "kind", .type = WW_JSON_STRING};
	struct ww_slice leaf;
	int e = ww_ledger_reader_leaf(r, index, &leaf);

	if (e == 0)
		e = ww_fields_read(leaf, "the leaf", &f, 1, NULL);
	if (e == 0 && ww_leaf_is_entry(leaf)) /* its "kind" is that of others */
		f.token.raw = WW_SLICE_LIT(WW_LEAF_REPORT);
	if (e < 0 || !ww_leaf_kind_ok(f.token.raw))
		return e < 0 ? e : -EUCLEAN;
	memcpy(r->kind, f.token.raw.p, f.token.raw.n);
	r->kind[f.token.raw.n] = '\0';
	return 0;
}

int ww_ledger_reader_get(struct ww_ledger_reader *r, uint64_t index, struct ww_payload *ret)
{
	const struct ww_withheld *w = NULL;
	int e = index < r->head.size ? ww_payload_reader_get(r->payload, index, ret) : -ERANGE;

	if (e != -ENODATA)
		return e;
	/* Its segment is gone: pruned, when a prune record says so. */
	e = leaf_kind(r, index);
	if (e == 0)
		e = ww_ledger_reader_withheld(r, index, ww_slice_str(r->kind), &w);
	if (e < 0)
		return e;
	if (!w)
		return -ENODATA;
	*ret = (struct ww_payload){.index = index, .kind = ww_slice_str(r->kind), .erased = true};
	return 0;
}

int ww_ledger_reader_leaf(struct ww_ledger_reader *r, uint64_t index, struct ww_slice *ret_leaf)
{
	return ww_tile_store_entry(r->tiles, index, ret_leaf);
}

int ww_ledger_reader_prove(struct ww_ledger_reader *r, uint64_t index, struct ww_slice leaf,
			   struct ww_merkle_proof *ret_proof)
{
	struct ww_merkle_reader reader = ww_tile_store_reader(r->tiles);
	struct ww_merkle_proof proof;
	struct ww_sha256 hash;
	int e = ww_merkle_inclusion(&reader, index, r->head.size, &proof);

	if (e < 0)
		return e == -ENOENT ? -EUCLEAN : e;
	ww_merkle_leaf(leaf, &hash);
	if (!ww_merkle_inclusion_check(&hash, index, r->head.size, &proof, &r->head.root))
		return -EUCLEAN;
	*ret_proof = proof;
	return 0;
}

int ww_ledger_reader_continues(struct ww_ledger_reader *r, const struct ww_checkpoint *old,
			       struct ww_merkle_proof *ret_proof)
{
	struct ww_merkle_reader reader = ww_tile_store_reader(r->tiles);
	struct ww_merkle_proof proof;
	int e = ww_merkle_consistency(&reader, old->size, r->head.size, &proof);

	if (e < 0)
		return e == -ENOENT ? -EUCLEAN : e;
	if (!ww_merkle_consistency_check(old->size, &old->root, r->head.size, &r->head.root,
					 &proof))
		return -EBADMSG;
	*ret_proof = proof;
	return 0;
}

const struct ww_checkpoint *ww_ledger_reader_head(const struct ww_ledger_reader *r)
{
	return &r->head;
}

const struct ww_note_key *ww_ledger_reader_key(const struct ww_ledger_reader *r)
{
	return &r->key;
}

struct ww_slice ww_ledger_reader_note(const struct ww_ledger_reader *r)
{
	return ww_buf_slice(&r->note);
}
