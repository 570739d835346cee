// SPDX-License-Identifier: Apache-2.0
/*
 * Preloaded into a witness: while the file $WW_DIE exists, the process removes it and kills itself
 * at the moment in which it would answer. What it has persisted by then is all that is left.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static void die(void)
{
	const char *file = getenv("WW_DIE");

	if (file && unlink(file) == 0)
		raise(SIGKILL);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	ssize_t (*real)(int, const void *, size_t, int) = dlsym(RTLD_NEXT, "send");

	die();
	return real(fd, p, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");

	die();
	return real(fd, m, flags);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	ssize_t (*real)(int, const struct iovec *, int) = dlsym(RTLD_NEXT, "writev");

	die();
	return real(fd, v, n);
}
