/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#define STEP_BYTES 65536u

int ww_file_read(const char *path, struct ww_buf *out)
{
	WW_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (;;) {
		uint8_t chunk[STEP_BYTES];
		ssize_t n = read(fd, chunk, sizeof(chunk));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		r = ww_buf_add(out, chunk, (size_t)n);
		if (r < 0)
			return r == -EMSGSIZE ? -EFBIG : r;
	}
}

int ww_file_line(const char *path, char *out, size_t cap)
{
	WW_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out, cap - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

int ww_file_sha256(int fd, uint64_t max, struct ww_sha256 *ret)
{
	struct ww_sha256_ctx c;
	uint64_t at = 0;

	ww_sha256_begin(&c);
	for (;;) {
		uint8_t chunk[STEP_BYTES];
		ssize_t n = pread(fd, chunk, sizeof(chunk), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		at += (uint64_t)n;
		if (at > max)
			return -EFBIG;
		ww_sha256_add(&c, ww_slice(chunk, (size_t)n));
	}
	ww_sha256_end(&c, ret);
	return 0;
}

int ww_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	WW_AUTO_FD int fd = -1;
	size_t n;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return 0;
	n = strlen(path);
	if (n >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, n);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return -errno;
	return 0;
}
