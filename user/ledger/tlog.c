/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. A file that a published or signed head covers is never written again.
 *  2. Entries, tiles and their directories are on the disk before a head over them is signed into
 * `highest`; `highest` is on the disk before `checkpoint` names that head; only then is it
 * reported.
 *  3. Two heads are never signed for one size with different roots: a head that reached `highest`
 * is published on the next open or retry, before anything else is integrated.
 *  4. A failed commit changes nothing in memory but the stop: `head`, `edge` and `bundle` describe
 * the last published tree, `pending` still holds what follows it.
 *  5. Recovery removes files beyond the head only after the files up to it were verified.
 *  6. Nothing that is found is built on before it was synced: its writer may have been killed.
 *  7. Nothing is signed while the proof of an equivocation is kept.
 */
#include "ledger/tlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "ledger/durable.h"
#include "ledger/equivocation.h"
#include "ledger/rotate.h"
#include "ledger/tlog_check.h"
#include "wirewitness/limits.h"

#define BUSY "another process writes this ledger"

/* The partial tile at the right end of every level: all that integration needs of the tree. */
struct edge {
	uint32_t width[WW_TILE_LEVELS];
	bool changed[WW_TILE_LEVELS]; /* since the last published head */
	struct ww_sha256 hash[WW_TILE_LEVELS][WW_TILE_WIDTH];
};

struct ww_tlog {
	int dir, guard, lock;
	struct ww_keyfile keys;
	const struct ww_note_signer *second; /* NULL but for a hand-over */
	struct ww_checkpoint head;           /* published */
	struct edge edge;                    /* at head */
	struct edge next;                    /* of the commit under way */
	struct ww_buf bundle;                /* entries of the partial bundle at head */
	struct ww_buf pending;               /* entries behind head, framed as in a bundle */
	uint64_t pending_count;
	int stopped; /* 0 or the errno of the failed write */
	struct ww_errtext why;
};

/* --- the right edge ------------------------------------------------------------------------------
 */

static void edge_push(struct edge *e, uint32_t level, const struct ww_sha256 *h)
{
	e->hash[level][e->width[level]++] = *h;
	e->changed[level] = true;
}

static void edge_copy(struct edge *to, const struct edge *from)
{
	for (uint32_t level = 0; level < WW_TILE_LEVELS; level++) {
		to->width[level] = from->width[level];
		to->changed[level] = false;
		memcpy(to->hash[level], from->hash[level],
		       from->width[level] * sizeof(struct ww_sha256));
	}
}

/* Root of the whole tree: complete subtrees of the partial tiles, joined from the smallest up. */
static void edge_root(const struct edge *e, struct ww_sha256 *ret)
{
	struct ww_sha256 part;
	bool any = false;

	ww_merkle_empty(ret);
	for (uint32_t level = 0; level < WW_TILE_LEVELS; level++) {
		uint32_t at = e->width[level];

		for (uint32_t n = 1; n < WW_TILE_WIDTH; n *= 2) {
			if (!(e->width[level] & n))
				continue;
			at -= n;
			ww_merkle_complete(&e->hash[level][at], n, &part);
			if (any)
				ww_merkle_node(&part, ret, ret);
			else
				*ret = part;
			any = true;
		}
	}
}

/* --- commit --------------------------------------------------------------------------------------
 */

static int put_tile(struct ww_durable *d, uint32_t level, uint64_t n, uint32_t width,
		    struct ww_slice content)
{
	char path[WW_TILE_PATH_MAX];
	int r = ww_tile_path(&(struct ww_tile){level, n, width}, path);

	return r < 0 ? r : ww_durable_put(d, path, content);
}

static int put_hashes(struct ww_durable *d, const struct edge *e, uint32_t level, uint64_t size)
{
	uint64_t count = size >> (8 * level); /* hashes of this level so far */
	uint32_t width = e->width[level];

	return put_tile(d, level, (count - 1) / WW_TILE_WIDTH, width,
			ww_slice(e->hash[level], width * sizeof(struct ww_sha256)));
}

/* Writes the tiles that the leaf before `size` completed and carries their roots up. */
static int carry(struct ww_durable *d, struct edge *e, uint64_t size)
{
	struct ww_sha256 root;

	for (uint32_t level = 0; e->width[level] == WW_TILE_WIDTH; level++) {
		int r = put_hashes(d, e, level, size);

		if (r < 0)
			return r;
		ww_merkle_complete(e->hash[level], WW_TILE_WIDTH, &root);
		e->width[level] = 0;
		edge_push(e, level + 1, &root);
	}
	return 0;
}

/* Integrates the pending entries into log->next and `bundle`, and writes every tile that changed.
 */
static int put_tree(struct ww_tlog *log, struct ww_durable *d, struct ww_buf *bundle)
{
	struct ww_cursor c = ww_cursor(ww_buf_slice(&log->pending));
	uint64_t size = log->head.size;
	struct ww_slice entry;
	int r = 0;

	while (r == 0 && ww_tile_bundle_next(&c, &entry) == WW_PARSE_DONE) {
		struct ww_sha256 leaf;

		ww_merkle_leaf(entry, &leaf);
		edge_push(&log->next, 0, &leaf);
		size++;
		r = ww_tile_bundle_add(bundle, entry);
		if (r == 0 && size % WW_TILE_WIDTH == 0) {
			r = put_tile(d, WW_TILE_ENTRIES, size / WW_TILE_WIDTH - 1, WW_TILE_WIDTH,
				     ww_buf_slice(bundle));
			ww_buf_clear(bundle);
		}
		if (r == 0)
			r = carry(d, &log->next, size);
	}
	if (r == 0 && bundle->n > 0)
		r = put_tile(d, WW_TILE_ENTRIES, size / WW_TILE_WIDTH,
			     (uint32_t)(size % WW_TILE_WIDTH), ww_buf_slice(bundle));
	for (uint32_t level = 0; level < WW_TILE_LEVELS && r == 0; level++)
		if (log->next.changed[level] && log->next.width[level] > 0)
			r = put_hashes(d, &log->next, level, size);
	return r;
}

/* Makes a signed head public in the order of invariant 2. */
static int publish(struct ww_tlog *log, struct ww_slice note, struct ww_errtext *why)
{
	int r = ww_durable_replace(log->guard, "highest", 0600, note);

	if (r < 0)
		return ww_errtext_errno(why, r, "cannot write highest");
	r = ww_durable_replace(log->dir, "checkpoint", 0644, note);
	return r < 0 ? ww_errtext_errno(why, r, "cannot write checkpoint") : 0;
}

static void remove_partials(int dir, struct ww_tile t, uint32_t above);

/* Partial tiles are not needed once the full tile exists; what stays behind after an error is only
 * litter. */
static void drop_outgrown(struct ww_tlog *log, uint64_t old_size, uint64_t size)
{
	for (uint32_t level = 0; level < WW_TILE_LEVELS; level++) {
		uint64_t n = old_size >> (8 * level) >> 8;

		if (ww_tile_width(level, n, old_size) == 0 ||
		    ww_tile_width(level, n, size) < WW_TILE_WIDTH)
			continue;
		remove_partials(log->dir, (struct ww_tile){level, n, 1}, 0);
		if (level == 0)
			remove_partials(log->dir, (struct ww_tile){WW_TILE_ENTRIES, n, 1}, 0);
	}
}

/* Both keys sign one text. */
static int sign_head(const struct ww_tlog *log, const struct ww_checkpoint *head,
		     struct ww_buf *note)
{
	WW_AUTO_BUF struct ww_buf text = {0};
	int r = ww_checkpoint_sign(head, &log->keys.signer, note);

	if (r < 0 || !log->second)
		return r;
	ww_buf_init(&text, WW_NOTE_BYTES_MAX);
	r = ww_checkpoint_text(head, &text);
	return r < 0 ? r : ww_note_cosign(log->second, ww_buf_slice(&text), note);
}

/* Invariant 7; also before every signature, because anybody on this host may meet the second head.
 */
static int refuse_forked(int dir, struct ww_errtext *why)
{
	int r = ww_equivocation_kept(dir);

	if (r < 0)
		return ww_errtext_errno(why, r, "cannot look into " WW_EQUIVOCATION_DIR);
	return r == 0 ? 0
		      : ww_errtext_set(why, -EUCLEAN,
				       "this log signed two trees of one size (the proof is "
				       "in " WW_EQUIVOCATION_DIR "): nothing more is signed");
}

/* Whether `name` still is the head that was published. */
static int head_kept(const struct ww_tlog *log, int dir, const char *name, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf note = {0}, text = {0};
	int r;

	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&text, WW_NOTE_BYTES_MAX);
	r = ww_checkpoint_text(&log->head, &text);
	if (r == 0)
		r = ww_durable_read(dir, name, &note);
	if (r == -ENOENT || r == -EMSGSIZE ||
	    (r == 0 && !ww_slice_starts(ww_buf_slice(&note), ww_buf_slice(&text))))
		return ww_errtext_set(why, -EUCLEAN, "%s was %s while the ledger is written", name,
				      r == -ENOENT ? "removed" : "changed");
	return r < 0 ? ww_errtext_errno(why, r, "cannot read %s", name) : 0;
}

/* The tile of every level, and the bundle, that hold the last of the committed. */
static int edge_kept(const struct ww_tlog *log, struct ww_errtext *why)
{
	char path[WW_TILE_PATH_MAX];

	for (uint32_t level = 0; level <= WW_TILE_LEVELS; level++) {
		uint32_t l = level < WW_TILE_LEVELS ? level : WW_TILE_ENTRIES;
		uint64_t count = log->head.size >> (l == WW_TILE_ENTRIES ? 0 : 8 * l);
		struct ww_tile t = {l, (count - 1) / WW_TILE_WIDTH,
				    (uint32_t)((count - 1) % WW_TILE_WIDTH) + 1};

		if (count == 0)
			continue;
		if (ww_tile_path(&t, path) == 0 && faccessat(log->dir, path, F_OK, 0) < 0)
			return errno == ENOENT
				       ? ww_errtext_set(
						 why, -EUCLEAN,
						 "%s was removed while the ledger is written", path)
				       : ww_errtext_errno(why, -errno, "cannot look at %s", path);
	}
	return 0;
}

/* Without its lock the writer is not the only one: a second one could have made another. */
static int lock_kept(const struct ww_tlog *log, struct ww_errtext *why)
{
	struct stat held, named;

	if (fstat(log->lock, &held) < 0)
		return ww_errtext_errno(why, -errno, "cannot look at lock");
	if (fstatat(log->dir, "lock", &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    named.st_ino == held.st_ino && named.st_dev == held.st_dev)
		return 0;
	return ww_errtext_set(why, -EUCLEAN, "lock was removed while the ledger is written");
}

int ww_tlog_ready(struct ww_tlog *log)
{
	int r = log->stopped;

	if (r < 0)
		return r;
	r = lock_kept(log, &log->why);
	if (r == 0)
		r = head_kept(log, log->dir, "checkpoint", &log->why);
	if (r == 0)
		r = head_kept(log, log->guard, "highest", &log->why);
	if (r == 0)
		r = edge_kept(log, &log->why);
	if (r == 0)
		r = refuse_forked(log->dir, &log->why);
	log->stopped = r;
	return r;
}

static int commit(struct ww_tlog *log, struct ww_buf *bundle, struct ww_buf *note,
		  struct ww_errtext *why)
{
	struct ww_checkpoint head = log->head;
	WW_AUTO(ww_durable_done) struct ww_durable d = {0};
	int r;

	ww_durable_init(&d, log->dir);
	edge_copy(&log->next, &log->edge);
	r = ww_buf_add(bundle, log->bundle.p, log->bundle.n);
	if (r == 0)
		r = put_tree(log, &d, bundle);
	if (r == 0)
		r = ww_durable_sync(&d);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot write the tiles");
	head.size += log->pending_count;
	edge_root(&log->next, &head.root);
	r = sign_head(log, &head, note);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot sign the checkpoint");
	r = publish(log, ww_buf_slice(note), why);
	if (r < 0)
		return r;
	drop_outgrown(log, log->head.size, head.size);
	log->head = head;
	edge_copy(&log->edge, &log->next);
	return 0;
}

int ww_tlog_commit(struct ww_tlog *log, uint64_t *ret_size)
{
	WW_AUTO_BUF struct ww_buf bundle = {0}, note = {0};
	int r;

	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&bundle, WW_TILE_BUNDLE_MAX);
	if (log->stopped)
		return log->stopped;
	if (log->pending_count > 0) {
		r = ww_tlog_ready(log);
		if (r < 0)
			return r;
		r = commit(log, &bundle, &note, &log->why);
		if (r < 0) {
			log->stopped = r;
			return r;
		}
		ww_buf_clear(&log->pending);
		log->pending_count = 0;
		/* The old buffer goes with the automatic one. */
		struct ww_buf old = log->bundle;

		log->bundle = bundle;
		bundle = old;
	}
	*ret_size = log->head.size;
	return 0;
}

int ww_tlog_append(struct ww_tlog *log, struct ww_slice entry, uint64_t *ret_index)
{
	int r;

	if (log->pending_count == WW_LEDGER_PENDING_MAX)
		return -ENOBUFS;
	r = ww_tile_bundle_add(&log->pending, entry);
	if (r < 0)
		return r == -EMSGSIZE ? -ENOBUFS : r;
	*ret_index = log->head.size + log->pending_count++;
	return 0;
}

/* --- recovery ------------------------------------------------------------------------------------
 */

/* Removes the partial files of a tile that are wider than `above`; with 0 their directory too. */
static void remove_partials(int dir, struct ww_tile t, uint32_t above)
{
	char path[WW_TILE_PATH_MAX];
	const struct dirent *e;
	uint64_t width;
	DIR *list;
	int fd;

	t.width = 1;
	if (ww_tile_path(&t, path) < 0)
		return;
	*strrchr(path, '/') = '\0';
	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fd >= 0 ? fdopendir(fd) : NULL;
	if (!list) {
		ww_own_close(&fd);
		return;
	}
	while ((e = readdir(list)))
		if (ww_slice_u64(ww_slice_str(e->d_name), &width) == 0 && width > above)
			unlinkat(fd, e->d_name, 0);
	closedir(list);
	if (above == 0)
		unlinkat(dir, path, AT_REMOVEDIR);
}

static bool tile_exists(int dir, uint32_t level, uint64_t n)
{
	char path[WW_TILE_PATH_MAX];

	if (ww_tile_path(&(struct ww_tile){level, n, WW_TILE_WIDTH}, path) == 0 &&
	    faccessat(dir, path, F_OK, 0) == 0)
		return true;
	if (ww_tile_path(&(struct ww_tile){level, n, 1}, path) < 0)
		return false;
	*strrchr(path, '/') = '\0';
	return faccessat(dir, path, F_OK, 0) == 0;
}

static void remove_tile(int dir, uint32_t level, uint64_t n, uint32_t above)
{
	char path[WW_TILE_PATH_MAX];

	if (ww_tile_path(&(struct ww_tile){level, n, WW_TILE_WIDTH}, path) == 0)
		unlinkat(dir, path, 0);
	remove_partials(dir, (struct ww_tile){level, n, 1}, above);
}

/*
 * Removes what an unfinished commit left beyond the head, last tile first, so that after a crash in
 * here the rest is still one run. An error is no danger: the files are overwritten when their place
 * is reached.
 */
static void drop_beyond(int dir, uint64_t size)
{
	for (uint32_t level = 0; level <= WW_TILE_LEVELS; level++) {
		uint32_t l = level < WW_TILE_LEVELS ? level : WW_TILE_ENTRIES;
		uint64_t n = size >> (l == WW_TILE_ENTRIES ? 0 : 8 * l) >> 8, last = n;

		while (tile_exists(dir, l, last + 1))
			last++;
		for (; last > n; last--)
			remove_tile(dir, l, last, 0);
		remove_tile(dir, l, n, ww_tile_width(l, n, size));
	}
}

/* A signed head and the note that carries it. */
struct signed_head {
	struct ww_buf note;
	struct ww_checkpoint head;
	bool found;
};

static void signed_head_done(struct signed_head *h)
{
	ww_buf_done(&h->note);
}

static int read_head(int dir, const char *name, const struct ww_note_key *key,
		     struct signed_head *ret, struct ww_errtext *why)
{
	int r = ww_durable_read(dir, name, &ret->note);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot read %s", name);
	r = ww_checkpoint_open(ww_buf_slice(&ret->note), key, &ret->head);
	if (r == -ENOMEM)
		return ww_errtext_errno(why, r, "cannot verify %s", name);
	if (r < 0)
		return ww_errtext_set(why, -EUCLEAN, "%s is not a checkpoint signed by this log",
				      name);
	ret->found = true;
	return 0;
}

/* Keeps both notes where a later repair does not overwrite them. */
static int equivocation(int dir, const struct signed_head *a, const struct signed_head *b,
			struct ww_errtext *why)
{
	int r = ww_equivocation_keep(dir, ww_buf_slice(&a->note), ww_buf_slice(&b->note),
				     a->head.size, NULL);

	return ww_errtext_set(
		why, -EUCLEAN, "two signed checkpoints of size %" PRIu64 " have different roots%s",
		a->head.size, r == 0 ? "; both are kept in " WW_EQUIVOCATION_DIR : "");
}

/* Which head counts: `highest`, provided that `checkpoint` does not contradict it. */
static int settle_heads(struct ww_tlog *log, struct signed_head *public,
			struct signed_head *highest, struct ww_errtext *why)
{
	const struct ww_note_key *key = &log->keys.signer.key;
	int r = read_head(log->dir, "checkpoint", key, public, why);

	if (r == 0)
		r = read_head(log->guard, "highest", key, highest, why);
	if (r < 0)
		return r;
	if (!public->found && !highest->found) {
		if (faccessat(log->dir, "tile", F_OK, 0) == 0)
			return ww_errtext_set(why, -EUCLEAN,
					      "there are tiles but no signed checkpoint");
		return 0;
	}
	if (!highest->found)
		return ww_errtext_set(why, -EUCLEAN,
				      "highest is missing: a roll-back cannot be excluded");
	if (!public->found)
		return 0;
	if (ww_checkpoint_conflict(&public->head, &highest->head))
		return equivocation(log->dir, public, highest, why);
	if (public->head.size > highest->head.size)
		return ww_errtext_set(why, -EUCLEAN,
				      "checkpoint has %" PRIu64 " records, highest only %" PRIu64,
				      public->head.size, highest->head.size);
	return 0;
}

/* The edge and the partial bundle of the tree `head`, verified against its root. */
static int load_edge(struct ww_tile_store *s, const struct ww_checkpoint *head,
		     struct edge *ret_edge, struct ww_buf *bundle, struct ww_errtext *why)
{
	const struct ww_sha256 *hashes;
	struct ww_slice bytes = WW_SLICE_NULL, entry;
	struct ww_sha256 hash;
	struct ww_cursor c;
	int r = 0;

	ww_tile_store_resize(s, head->size);
	for (uint32_t level = 0; level < WW_TILE_LEVELS && r == 0; level++) {
		uint64_t n = head->size >> (8 * level) >> 8;

		ret_edge->width[level] = ww_tile_width(level, n, head->size);
		if (ret_edge->width[level] == 0)
			continue;
		r = ww_tile_store_tile(s, level, n, &hashes, &ret_edge->width[level]);
		if (r == 0)
			memcpy(ret_edge->hash[level], hashes,
			       ret_edge->width[level] * sizeof(hash));
	}
	if (r == 0 && ret_edge->width[0] > 0)
		r = ww_tile_store_bundle(s, head->size / WW_TILE_WIDTH, &bytes);
	if (r == -ENOENT || r == -EUCLEAN)
		return ww_errtext_set(why, -EUCLEAN,
				      "a tile of the signed tree of %" PRIu64
				      " records is missing or torn",
				      head->size);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot read the tiles");
	edge_root(ret_edge, &hash);
	if (memcmp(hash.b, head->root.b, sizeof(hash.b)) != 0)
		return ww_errtext_set(
			why, -EUCLEAN,
			"the tiles do not give the signed root of %" PRIu64 " records", head->size);
	c = ww_cursor(bytes);
	for (uint32_t i = 0; ww_tile_bundle_next(&c, &entry) == WW_PARSE_DONE; i++) {
		ww_merkle_leaf(entry, &hash);
		if (memcmp(hash.b, ret_edge->hash[0][i].b, sizeof(hash.b)) != 0)
			return ww_errtext_set(
				why, -EUCLEAN,
				"the last entries do not have the hashes in their tile");
	}
	r = ww_buf_add(bundle, bytes.p, bytes.n);
	return r < 0 ? ww_errtext_errno(why, r, "cannot keep the last entries") : 0;
}

/* First start: an empty signed tree, so that later a missing checkpoint is a finding and not a
 * fresh log. */
static int publish_empty(struct ww_tlog *log, struct ww_checkpoint *ret_head,
			 struct ww_errtext *why)
{
	struct ww_checkpoint head = {0};
	WW_AUTO_BUF struct ww_buf note = {0};
	int r;

	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	memcpy(head.origin, log->keys.signer.key.name, sizeof(head.origin));
	ww_merkle_empty(&head.root);
	r = ww_checkpoint_sign(&head, &log->keys.signer, &note);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot sign the checkpoint");
	r = publish(log, ww_buf_slice(&note), why);
	if (r == 0)
		*ret_head = head;
	return r;
}

/* Verifies the files under the settled heads, finishes an unfinished publication, clears the tail.
 */
static int adopt(struct ww_tlog *log, const struct signed_head *public,
		 const struct signed_head *highest, bool all, struct ww_buf *bundle,
		 struct ww_errtext *why)
{
	WW_AUTO(ww_tile_store_free_auto) struct ww_tile_store *s = NULL;
	const struct ww_checkpoint *head = &highest->head;
	int r = ww_tile_store_new(log->dir, &s);

	if (r < 0)
		return ww_errtext_errno(why, r, "cannot check the ledger");
	r = load_edge(s, head, &log->next, bundle, why);
	if (r == 0 && all && head->size <= WW_LEDGER_OPEN_CHECK_MAX)
		r = ww_tlog_check_tree(log->dir, head, why);
	if (r == 0 && public->found && public->head.size < head->size)
		r = ww_tlog_check_root(s, &public->head, why);
	if (r == -EUCLEAN && public->found && public->head.size < head->size)
		return ww_errtext_set(why, r,
				      "rolled back: %" PRIu64
				      " records were signed, the files hold %" PRIu64,
				      head->size, public->head.size);
	if (r < 0)
		return r;
	if (!public->found || public->head.size < head->size) {
		r = ww_durable_replace(log->dir, "checkpoint", 0644, ww_buf_slice(&highest->note));
		if (r < 0)
			return ww_errtext_errno(why, r, "cannot write checkpoint");
	}
	drop_beyond(log->dir, head->size);
	return 0;
}

/* Reads the state from the disk into head, edge and bundle; they are unchanged on error. */
static int load(struct ww_tlog *log, bool all, struct ww_errtext *why)
{
	WW_AUTO(signed_head_done) struct signed_head public = {0};
	WW_AUTO(signed_head_done) struct signed_head highest = {0};
	WW_AUTO_BUF struct ww_buf bundle = {0};
	struct ww_checkpoint head;
	struct ww_buf old = log->bundle;
	int r;

	ww_buf_init(&public.note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&highest.note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&bundle, WW_TILE_BUNDLE_MAX);
	memset(log->next.width, 0, sizeof(log->next.width));
	r = ww_durable_settle(log->dir, why);
	if (r == 0)
		r = settle_heads(log, &public, &highest, why);
	if (r == 0)
		r = refuse_forked(log->dir, why);
	if (r < 0)
		return r;
	if (highest.found) {
		r = adopt(log, &public, &highest, all, &bundle, why);
		head = highest.head;
	} else {
		r = publish_empty(log, &head, why);
	}
	if (r < 0)
		return r;
	/* The rename of the last checkpoint may not have reached the disk when the writer died. */
	r = ww_durable_sync_dir(log->guard, ".");
	if (r == 0)
		r = ww_durable_sync_dir(log->dir, ".");
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot sync the directory");
	log->head = head;
	edge_copy(&log->edge, &log->next);
	log->bundle = bundle;
	bundle = old;
	return 0;
}

/* Moves *c over the pending entries that are committed now: those and no others lie behind
 * `before`.
 */
static int find_published(struct ww_tlog *log, uint64_t before, struct ww_cursor *c)
{
	WW_AUTO(ww_tile_store_free_auto) struct ww_tile_store *s = NULL;
	struct ww_slice entry, kept;
	int r = ww_tile_store_new(log->dir, &s);

	if (r < 0)
		return r;
	ww_tile_store_resize(s, log->head.size);
	for (uint64_t i = before; r == 0 && i < log->head.size; i++) {
		if (ww_tile_bundle_next(c, &entry) != WW_PARSE_DONE)
			return -EUCLEAN;
		r = ww_tile_store_entry(s, i, &kept);
		if (r == 0 && !ww_slice_eq(entry, kept))
			r = -EUCLEAN;
	}
	return r;
}

int ww_tlog_retry(struct ww_tlog *log)
{
	struct ww_cursor c = ww_cursor(ww_buf_slice(&log->pending));
	uint64_t before = log->head.size;
	int r;

	if (!log->stopped)
		return 0;
	if (lock_kept(log, &log->why) < 0) {
		ww_own_close(&log->lock);
		log->lock = -1;
		r = ww_durable_lock(log->dir, BUSY, &log->lock, &log->why);
		if (r < 0)
			return r;
	}
	r = load(log, false, &log->why);
	if (r < 0)
		return r;
	/* A head that had reached `highest` when the commit failed is public now: those entries are
	 * done. */
	r = log->head.size < before ? -EUCLEAN : find_published(log, before, &c);
	if (r < 0)
		log->head.size = before;
	if (r == -EUCLEAN)
		return ww_errtext_set(&log->why, r, "another writer changed the ledger");
	if (r < 0)
		return ww_errtext_errno(&log->why, r, "cannot read the last entries");
	log->pending_count -= log->head.size - before;
	ww_buf_consume(&log->pending, c.at);
	log->stopped = 0;
	return 0;
}

/* --- open and close ------------------------------------------------------------------------------
 */

static int open_files(struct ww_tlog *log, const struct ww_tlog_options *o, struct ww_errtext *why)
{
	bool empty;
	int r = ww_durable_open_dir(o->dir, &log->dir, why);

	if (r < 0)
		return r;
	log->guard = open(o->guard_dir ? o->guard_dir : o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->guard < 0)
		return ww_errtext_errno(why, -errno, "cannot open %s", o->guard_dir);
	r = ww_durable_lock(log->dir, BUSY, &log->lock, why);
	if (r < 0)
		return r;
	empty = faccessat(log->dir, "checkpoint", F_OK, 0) < 0 &&
		faccessat(log->guard, "highest", F_OK, 0) < 0 &&
		faccessat(log->dir, "tile", F_OK, 0) < 0;
	r = ww_rotate_settle(log->dir, log->guard, why);
	if (r == 0)
		r = ww_keyfile_load(log->dir, o->origin, o->key, empty, &log->keys, why);
	if (r < 0)
		return r;
	if (o->origin && strcmp(o->origin, log->keys.signer.key.name) != 0)
		return ww_errtext_set(why, -EINVAL, "the ledger belongs to origin %.200s",
				      log->keys.signer.key.name);
	return load(log, true, why);
}

int ww_tlog_open(const struct ww_tlog_options *o, struct ww_tlog **ret_log, struct ww_errtext *why)
{
	WW_AUTO(ww_tlog_close_auto) struct ww_tlog *log = calloc(1, sizeof(*log));
	int r;

	if (!log)
		return ww_errtext_errno(why, -ENOMEM, "cannot open the ledger");
	log->dir = log->guard = log->lock = -1;
	ww_buf_init(&log->bundle, WW_TILE_BUNDLE_MAX);
	ww_buf_init(&log->pending, WW_LEDGER_PENDING_BYTES);
	r = open_files(log, o, why);
	if (r < 0)
		return r;
	*ret_log = WW_TAKE(log);
	return 0;
}

void ww_tlog_close(struct ww_tlog *log)
{
	if (!log)
		return;
	ww_keyfile_done(&log->keys);
	ww_buf_done(&log->bundle);
	ww_buf_done(&log->pending);
	ww_own_close(&log->dir);
	ww_own_close(&log->guard);
	ww_own_close(&log->lock);
	free(log);
}

void ww_tlog_hand_over(struct ww_tlog *log, const struct ww_note_signer *next)
{
	log->second = next;
}

const char *ww_tlog_stopped(const struct ww_tlog *log)
{
	return log->stopped ? log->why.text : NULL;
}

uint64_t ww_tlog_size(const struct ww_tlog *log)
{
	return log->head.size;
}

uint64_t ww_tlog_pending(const struct ww_tlog *log)
{
	return log->pending_count;
}

int ww_tlog_dir(const struct ww_tlog *log)
{
	return log->dir;
}

const struct ww_checkpoint *ww_tlog_head(const struct ww_tlog *log)
{
	return &log->head;
}

const struct ww_keyfile *ww_tlog_keys(const struct ww_tlog *log)
{
	return &log->keys;
}
