/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE_BYTES (1 << 20)
#define READ_BYTES  16384u

void ww_durable_init(struct ww_durable *d, int dir)
{
	*d = (struct ww_durable){.dir = dir};
}

static void close_files(struct ww_durable *d)
{
	for (size_t i = 0; i < d->n_files; i++)
		close(d->files[i]);
	d->n_files = 0;
}

void ww_durable_done(struct ww_durable *d)
{
	close_files(d);
	d->n_dirs = 0;
}

static int write_all(int fd, struct ww_slice s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		s = ww_slice_sub(s, (size_t)n, s.n);
	}
	return 0;
}

int ww_durable_pwrite(int fd, struct ww_slice content, uint64_t offset)
{
	while (content.n > 0) {
		ssize_t n = pwrite(fd, content.p, content.n, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		content = ww_slice_sub(content, (size_t)n, content.n);
		offset += (uint64_t)n;
	}
	return 0;
}

int ww_durable_open_dir(const char *path, int *ret_fd, struct ww_errtext *why)
{
	bool made = mkdir(path, 0700) == 0;
	WW_AUTO_FD int fd = -1;
	struct stat st;
	int r;

	if (!made && errno != EEXIST)
		return ww_errtext_errno(why, -errno, "cannot make %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return ww_errtext_errno(why, -errno, "cannot open %s", path);
	if (st.st_mode & 077)
		return ww_errtext_set(why, -EPERM, "%s must have mode 0700", path);
	r = made ? ww_durable_sync_dir(fd, "..") : 0;
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot sync the parent of %s", path);
	*ret_fd = WW_TAKE_FD(fd);
	return 0;
}

int ww_durable_lock(int dir, const char *busy, int *ret_fd, struct ww_errtext *why)
{
	WW_AUTO_FD int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return ww_errtext_errno(why, -errno, "cannot open lock");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? ww_errtext_set(why, -EBUSY, "%s", busy)
			       : ww_errtext_errno(why, -errno, "cannot lock the directory");
	*ret_fd = WW_TAKE_FD(fd);
	return 0;
}

int ww_durable_settle(int dir, struct ww_errtext *why)
{
	return syncfs(dir) < 0 ? ww_errtext_errno(why, -errno, "cannot sync the file system") : 0;
}

int ww_durable_sync_dir(int dir, const char *path)
{
	WW_AUTO_FD int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int ww_durable_sync(struct ww_durable *d)
{
	int r = d->many && syncfs(d->dir) < 0 ? -errno : 0;

	for (size_t i = 0; i < d->n_files && r == 0; i++)
		if (fsync(d->files[i]) < 0)
			r = -errno;
	close_files(d);
	for (size_t i = 0; i < d->n_dirs && r == 0; i++)
		r = ww_durable_sync_dir(d->dir, d->dirs[i]);
	d->n_dirs = 0;
	d->many = false;
	return r;
}

/* From here on one syncfs covers everything. */
static void overflow(struct ww_durable *d)
{
	close_files(d);
	d->n_dirs = 0;
	d->many = true;
}

/* Remembers that the directory holding `path` has a new entry. */
static void note_parent(struct ww_durable *d, const char *path, size_t len)
{
	char parent[WW_DURABLE_PATH_MAX];
	const char *slash = memrchr(path, '/', len);
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (d->many)
		return;
	memcpy(parent, n ? path : ".", n ? n : 1);
	parent[n ? n : 1] = '\0';
	for (size_t i = 0; i < d->n_dirs; i++)
		if (strcmp(d->dirs[i], parent) == 0)
			return;
	if (d->n_dirs == WW_DURABLE_DIRS)
		overflow(d);
	else
		memcpy(d->dirs[d->n_dirs++], parent, sizeof(parent));
}

static int make_parents(struct ww_durable *d, const char *path)
{
	char part[WW_DURABLE_PATH_MAX];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		size_t n = (size_t)(s - path);

		memcpy(part, path, n);
		part[n] = '\0';
		if (mkdirat(d->dir, part, 0755) < 0) {
			if (errno == EEXIST)
				continue;
			return -errno;
		}
		note_parent(d, part, n);
	}
	return 0;
}

static int create(int dir, const char *path, mode_t mode)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

	return fd < 0 ? -errno : fd;
}

int ww_durable_put(struct ww_durable *d, const char *path, struct ww_slice content)
{
	size_t len = strlen(path);
	WW_AUTO_FD int fd = -1;
	int r;

	if (len >= WW_DURABLE_PATH_MAX)
		return -ENAMETOOLONG;
	/* The directories nearly always exist: ask only when the file cannot be made. */
	fd = create(d->dir, path, 0644);
	if (fd == -ENOENT) {
		r = make_parents(d, path);
		if (r < 0)
			return r;
		fd = create(d->dir, path, 0644);
	}
	if (fd < 0)
		return fd;
	note_parent(d, path, len);
	r = write_all(fd, content);
	if (r == 0 && d->n_files == WW_DURABLE_FILES)
		overflow(d);
	if (r == 0 && !d->many)
		d->files[d->n_files++] = WW_TAKE_FD(fd);
	return r;
}

static int write_temporary(int dir, const char *name, mode_t mode, struct ww_slice content)
{
	WW_AUTO_FD int fd = create(dir, name, mode);
	int r;

	if (fd < 0)
		return fd;
	r = write_all(fd, content);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

int ww_durable_replace(int dir, const char *name, mode_t mode, struct ww_slice content)
{
	char tmp[WW_DURABLE_PATH_MAX];
	int r;

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.tmp", name) >= sizeof(tmp))
		return -ENAMETOOLONG;
	/* A leftover of a killed writer may carry another mode: O_CREAT would keep it. */
	if (unlinkat(dir, tmp, 0) < 0 && errno != ENOENT)
		return -errno;
	r = write_temporary(dir, tmp, mode, content);
	if (r < 0) {
		(void)unlinkat(dir, tmp, 0); /* the first error is the one to report */
		return r;
	}
	if (renameat(dir, tmp, dir, name) < 0)
		return -errno;
	return ww_durable_sync_dir(dir, ".");
}

/* Room for all of a large file at once, and for the read that finds its end: growing would copy it.
 * What the size says need not be true. */
static int expect(int fd, struct ww_buf *out)
{
	size_t more = READ_BYTES;
	struct stat st;
	uint8_t *p;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < LARGE_BYTES ||
	    (uint64_t)st.st_size >= out->max - out->n)
		return 0;
	if (out->max - out->n - (size_t)st.st_size < more)
		more = out->max - out->n - (size_t)st.st_size;
	return ww_buf_reserve(out, (size_t)st.st_size + more, &p);
}

int ww_durable_read(int dir, const char *path, struct ww_buf *out)
{
	WW_AUTO_FD int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : ww_durable_read_fd(fd, out);
}

int ww_durable_read_fd(int fd, struct ww_buf *out)
{
	if (expect(fd, out) < 0)
		return -ENOMEM;
	for (;;) {
		uint8_t *p;
		ssize_t n;
		size_t room = READ_BYTES;
		int r;

		if (out->cap - out->n > room)
			room = out->cap - out->n;
		if (out->n < out->max && out->max - out->n < room)
			room = out->max - out->n;
		r = ww_buf_reserve(out, room, &p);
		if (r == -EMSGSIZE && read(fd, &(uint8_t){0}, 1) == 0)
			return 0; /* exactly at the ceiling */
		if (r < 0)
			return r;
		n = read(fd, p, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		out->n += (size_t)n;
	}
}
