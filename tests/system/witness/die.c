// SPDX-License-Identifier: Apache-2.0
/*
 * Preloaded into a witness: when the file $WW_DIE exists, and a larger checkpoint has been kept,
 * the process removes the file and kills itself at the moment in which it would answer. What it has
 * persisted by then is all that is left.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static bool kept; /* since the last answer; the witness has one thread that answers */

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int (*real)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");

	kept = kept || strcmp(to, "checkpoint") == 0;
	return real(from_dir, from, to_dir, to);
}

static void die(void)
{
	const char *file = getenv("WW_DIE");

	if (kept && file && unlink(file) == 0)
		raise(SIGKILL);
	kept = false;
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
