/* SPDX-License-Identifier: Apache-2.0 */
#include "put_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"

int ww_put_begin(struct ww_put *p, const char *path, bool force)
{
	int n;

	*p = (struct ww_put){.path = path, .force = force, .fd = -1};
	n = snprintf(p->part, sizeof(p->part), "%s.part", path);
	if ((size_t)n >= sizeof(p->part))
		return ww_log_err_r(-ENAMETOOLONG, "cannot write %s", path);
	p->fd = open(p->part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	return p->fd < 0 ? ww_log_err_r(-errno, "cannot write %s", path) : 0;
}

int ww_put_write(struct ww_put *p, struct ww_slice content)
{
	while (content.n > 0) {
		ssize_t n = write(p->fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		content = ww_slice_sub(content, (size_t)n, SIZE_MAX);
	}
	return 0;
}

int ww_put_end(struct ww_put *p)
{
	int r = fsync(p->fd) < 0 ? -errno : 0;

	if (r == 0 &&
	    renameat2(AT_FDCWD, p->part, AT_FDCWD, p->path, p->force ? 0 : RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r == 0) {
		close(p->fd);
		p->fd = -1;
		return 0;
	}
	if (r == -EEXIST)
		ww_log(WW_LOG_ERR, "%s exists; --force overwrites it", p->path);
	else
		ww_log_err_r(r, "cannot write %s", p->path);
	return r;
}

void ww_put_drop(struct ww_put *p)
{
	if (p->fd < 0)
		return;
	close(p->fd);
	unlink(p->part);
	p->fd = -1;
}

int ww_put_file(const char *path, struct ww_slice content, bool force)
{
	struct ww_put p;
	int r = ww_put_begin(&p, path, force);

	if (r < 0)
		return r;
	r = ww_put_write(&p, content);
	if (r < 0)
		ww_log_err_r(r, "cannot write %s", path);
	else
		r = ww_put_end(&p);
	ww_put_drop(&p);
	return r;
}

int ww_put_absent(const char *path, bool force)
{
	struct stat st;

	if (force || lstat(path, &st) < 0)
		return 0;
	ww_log(WW_LOG_ERR, "%s exists; --force overwrites it", path);
	return -EEXIST;
}
