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

#define NAME_HASH_BYTES 8u

static int both_notes(struct ww_slice a, struct ww_slice b, struct ww_buf *out)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = memcmp(a.p, b.p, n), r;

	if (order > 0 || (order == 0 && a.n > b.n)) {
		struct ww_slice swap = a;

		a = b;
		b = swap;
	}
	r = ww_buf_add(out, a.p, a.n);
	if (r == 0)
		r = ww_buf_add(out, "\n", 1);
	return r < 0 ? r : ww_buf_add(out, b.p, b.n);
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

int ww_equivocation_keep(int dir, struct ww_slice note_a, struct ww_slice note_b, uint64_t size,
			 struct ww_errtext *why)
{
	char hex[2 * NAME_HASH_BYTES + 1], name[64];
	WW_AUTO_BUF struct ww_buf both = {0};
	WW_AUTO_FD int fd = -1;
	struct ww_sha256 hash;
	int r;

	ww_buf_init(&both, 2 * WW_NOTE_BYTES_MAX + 1);
	r = both_notes(note_a, note_b, &both);
	if (r == 0 && mkdirat(dir, WW_EQUIVOCATION_DIR, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0) {
		fd = openat(dir, WW_EQUIVOCATION_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
	}
	if (r == 0) {
		ww_sha256(ww_buf_slice(&both), &hash);
		ww_hex_encode(ww_slice(hash.b, NAME_HASH_BYTES), hex);
		snprintf(name, sizeof(name), "%" PRIu64 "-%s", size, hex);
		r = put_new(fd, name, ww_buf_slice(&both));
	}
	if (r == 0)
		r = ww_durable_sync_dir(dir, ".");
	return r < 0 ? ww_errtext_errno(why, r, "cannot keep the proof of an equivocation") : 0;
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
