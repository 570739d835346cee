/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/equivocation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "ledger/durable.h"
#include "ledger/tile_store.h"

#define NAME_HASH_BYTES 8u

static int join_notes(struct ww_slice first, struct ww_slice second, struct ww_buf *out)
{
	int r = ww_buf_add(out, first.p, first.n);

	if (r == 0)
		r = ww_buf_add(out, "\n", 1);
	return r < 0 ? r : ww_buf_add(out, second.p, second.n);
}

/* In one order, whichever was met first. */
static int both_notes(struct ww_slice a, struct ww_slice b, struct ww_buf *out)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order > 0 || (order == 0 && a.n > b.n) ? join_notes(b, a, out)
						      : join_notes(a, b, out);
}

/* A finished file gets its name by a hard link, which never replaces another. */
static int put_new(int dir, const char *name, struct ww_slice content)
{
	char tmp[64];
	int r;

	snprintf(tmp, sizeof(tmp), ".%ld", (long)gettid());
	r = ww_durable_replace(dir, tmp, 0600, content);
	if (r < 0)
		return r;
	if (linkat(dir, tmp, dir, name, 0) < 0 && errno != EEXIST)
		r = -errno;
	(void)unlinkat(dir, tmp, 0); /* litter at worst */
	return r < 0 ? r : ww_durable_sync_dir(dir, ".");
}

static int keep(int dir, uint64_t size, struct ww_slice content, struct ww_errtext *why)
{
	char hex[2 * NAME_HASH_BYTES + 1], name[64];
	WW_AUTO_FD int fd = -1;
	struct ww_sha256 hash;
	int r = 0;

	if (mkdirat(dir, WW_EQUIVOCATION_DIR, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0) {
		fd = openat(dir, WW_EQUIVOCATION_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
	}
	if (r == 0) {
		ww_sha256(content, &hash);
		ww_hex_encode(ww_slice(hash.b, NAME_HASH_BYTES), hex);
		snprintf(name, sizeof(name), "%" PRIu64 "-%s", size, hex);
		r = put_new(fd, name, content);
	}
	if (r == 0)
		r = ww_durable_sync_dir(dir, ".");
	return r < 0 ? ww_errtext_errno(why, r, "cannot keep the proof of an equivocation") : 0;
}

int ww_equivocation_keep(int dir, struct ww_slice note_a, struct ww_slice note_b, uint64_t size,
			 struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf both = {0};
	int r;

	ww_buf_init(&both, 2 * WW_NOTE_BYTES_MAX + 1);
	r = both_notes(note_a, note_b, &both);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot keep the proof of an equivocation");
	return keep(dir, size, ww_buf_slice(&both), why);
}

static int add_hash(struct ww_buf *out, const struct ww_sha256 *h)
{
	char line[WW_BASE64_LEN(WW_SHA256_LEN) + 2];

	ww_base64_encode(ww_slice(h->b, sizeof(h->b)), line);
	line[WW_BASE64_LEN(WW_SHA256_LEN)] = '\n';
	return ww_buf_add(out, line, WW_BASE64_LEN(WW_SHA256_LEN) + 1);
}

/* The root of the first `size` records of the tree `head`, and the proof of that, from the files.
 */
static int prefix(int dir, const struct ww_checkpoint *head, uint64_t size,
		  struct ww_sha256 *ret_root, struct ww_merkle_proof *ret_proof)
{
	WW_AUTO(ww_tile_store_free_auto) struct ww_tile_store *tiles = NULL;
	struct ww_merkle_reader reader;
	int r = ww_tile_store_new(dir, &tiles);

	if (r < 0)
		return r;
	ww_tile_store_resize(tiles, head->size);
	reader = ww_tile_store_reader(tiles);
	r = ww_merkle_root(&reader, size, ret_root);
	if (r == 0)
		r = ww_merkle_consistency(&reader, size, head->size, ret_proof);
	if (r < 0)
		return r == -ENOENT ? -EUCLEAN : r;
	return ww_merkle_consistency_check(size, ret_root, head->size, &head->root, ret_proof)
		       ? 0
		       : -EUCLEAN;
}

int ww_equivocation_find(int dir, struct ww_slice note, const struct ww_checkpoint *head,
			 struct ww_slice smaller_note, const struct ww_checkpoint *smaller,
			 struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_merkle_proof proof = {0};
	struct ww_sha256 root;
	int r;

	if (smaller->size == 0 || smaller->size >= head->size)
		return 0;
	r = prefix(dir, head, smaller->size, &root, &proof);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot compare the log with a head of %" PRIu64,
					smaller->size);
	if (memcmp(root.b, smaller->root.b, sizeof(root.b)) == 0)
		return 0;
	ww_buf_init(&out, 3 * WW_NOTE_BYTES_MAX);
	r = join_notes(smaller_note, note, &out);
	if (r == 0)
		r = ww_buf_add(&out, "\n", 1);
	if (r == 0)
		r = add_hash(&out, &root);
	for (size_t i = 0; i < proof.n && r == 0; i++)
		r = add_hash(&out, &proof.path[i]);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot keep the proof of an equivocation");
	r = keep(dir, smaller->size, ww_buf_slice(&out), why);
	return r < 0 ? r : 1;
}

int ww_equivocation_kept(int dir)
{
	int fd = openat(dir, WW_EQUIVOCATION_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *e;
	int found = 0;
	DIR *list;

	if (fd < 0 && errno == ENOTDIR)
		return 1; /* not what we make, but nobody puts it there for nothing */
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	list = fdopendir(fd);
	if (!list) {
		int r = -errno;

		close(fd);
		return r;
	}
	while (!found && (e = readdir(list)))
		found = e->d_name[0] != '.';
	closedir(list);
	return found;
}
