/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. Folders are made, locked and removed under the lock of the nest: nobody sees one that its
 *     maker has not locked yet.
 *  2. A folder whose lock is held is never touched, empty or not.
 */
#include "daemon/nest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/slice.h"
#include "rt/file.h"

#define OWNER_ATTRIBUTE "user.wirewitness.owner"
#define PATH_MAX_BYTES  512
#define ATTEMPTS        8 /* a nest that others remove and make at the same time */

static int nest_path(const char *mount, char *out)
{
	int n = snprintf(out, PATH_MAX_BYTES, "%s/wirewitness", mount);

	return n < PATH_MAX_BYTES ? 0 : -ENAMETOOLONG;
}

static int open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int lock_dir(int fd, int how)
{
	while (flock(fd, how) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int make_locked(int nest, const char *owner, const char *name, int *ret_lock)
{
	WW_AUTO_FD int fd = -1;
	int r;

	if (mkdirat(nest, name, 0755) < 0)
		return -errno;
	fd = open_dir(nest, name);
	r = fd < 0 ? fd : lock_dir(fd, LOCK_EX | LOCK_NB);
	if (r == 0 && owner && fsetxattr(fd, OWNER_ATTRIBUTE, owner, strlen(owner), 0) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(nest, name, AT_REMOVEDIR);
		return r;
	}
	*ret_lock = WW_TAKE_FD(fd);
	return 0;
}

int ww_nest_make(const char *mount, const char *owner, const char *name, char *ret_path, size_t cap,
		 int *ret_lock)
{
	char path[PATH_MAX_BYTES], full[PATH_MAX_BYTES];
	int r = nest_path(mount, path);

	if (r < 0)
		return r;
	if (snprintf(full, sizeof(full), "%s/%s", path, name) >= (int)sizeof(full) ||
	    strlen(full) >= cap)
		return -ENAMETOOLONG;
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		WW_AUTO_FD int nest = -1;

		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		nest = open_dir(AT_FDCWD, path);
		r = nest < 0 ? nest : lock_dir(nest, LOCK_EX);
		if (r == 0)
			r = make_locked(nest, owner, name, ret_lock);
		if (r != -ENOENT && r != -ENODEV) /* removed before, after it was opened */
			break;
	}
	if (r == 0)
		snprintf(ret_path, cap, "%s", full);
	return r;
}

bool ww_nest_is_empty(const char *path)
{
	char events[PATH_MAX_BYTES + 16];
	WW_AUTO_BUF struct ww_buf b;

	ww_buf_init(&b, 4096);
	snprintf(events, sizeof(events), "%s/cgroup.events", path);
	if (ww_file_read(events, &b) < 0)
		return true;
	return memmem(b.p, b.n, "populated 0", 11) != NULL;
}

static bool owned_by(int fd, const char *owner)
{
	char value[WW_NEST_OWNER_MAX];
	ssize_t n = fgetxattr(fd, OWNER_ATTRIBUTE, value, sizeof(value));

	return n >= 0 && (size_t)n == strlen(owner) && memcmp(value, owner, (size_t)n) == 0;
}

static void look_at(int nest, const char *path, const char *name, const char *owner, ww_nest_fn fn,
		    void *ctx)
{
	WW_AUTO_FD int fd = open_dir(nest, name);

	if (fd < 0 || lock_dir(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	if (ww_nest_is_empty(path))
		(void)unlinkat(nest, name, AT_REMOVEDIR); /* the next start tries again */
	else if (owner && owned_by(fd, owner))
		fn(ctx, path, WW_TAKE_FD(fd));
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

int ww_nest_find(const char *mount, const char *owner, ww_nest_fn fn, void *ctx)
{
	WW_AUTO(close_dir) DIR *list = NULL;
	char path[PATH_MAX_BYTES], full[PATH_MAX_BYTES];
	const struct dirent *e;
	int r = nest_path(mount, path);

	if (r < 0)
		return r;
	list = opendir(path);
	if (!list)
		return errno == ENOENT ? 0 : -errno;
	r = lock_dir(dirfd(list), LOCK_EX);
	if (r < 0)
		return r;
	while ((e = readdir(list))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.' ||
		    snprintf(full, sizeof(full), "%s/%s", path, e->d_name) >= (int)sizeof(full))
			continue;
		look_at(dirfd(list), full, e->d_name, owner, fn, ctx);
	}
	return 0;
}

void ww_nest_leave(const char *mount)
{
	char path[PATH_MAX_BYTES];

	if (nest_path(mount, path) == 0)
		(void)rmdir(path); /* others may still be in it */
}
