/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define STAT_BYTES_MAX 1024

/* Fields 4 and 22. The name in field 2 may hold anything, also what looks like other fields, and
 * newlines: they begin behind the last ')' of the whole text. */
int ww_proc_stat(uint32_t pid, uint32_t *ret_ppid, uint64_t *ret_start_ns)
{
	char path[32], text[STAT_BYTES_MAX];
	WW_AUTO_FD int fd = -1;
	unsigned long long ticks;
	const char *after;
	unsigned ppid;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -ESRCH;
	text[n] = '\0';
	after = strrchr(text, ')');
	if (!after ||
	    sscanf(after + 1,
		   " %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		   "%*d %llu",
		   &ppid, &ticks) != 2)
		return -ESRCH;
	*ret_ppid = ppid;
	*ret_start_ns = ticks * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK));
	return 0;
}
