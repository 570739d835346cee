/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/stdio_agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/slice.h"
#include "rt/file.h"
#include "sense/proc.h"

#define ANCESTORS_MAX   16
#define DESCRIPTORS_MAX 4096 /* of one process that are looked at */
#define CGROUP_BYTES    4096

static int parent_of(uint32_t pid, uint32_t *ret_ppid)
{
	uint64_t start_ns;

	return ww_proc_stat(pid, ret_ppid, &start_ns);
}

/* Whether the process is in the cgroup or below it: the line of version 2 is "0::PATH". */
static bool in_scope(uint32_t pid, const char *scope)
{
	WW_AUTO_BUF struct ww_buf text;
	struct ww_slice at, line;
	size_t n = strlen(scope);
	char path[32];

	ww_buf_init(&text, CGROUP_BYTES);
	snprintf(path, sizeof(path), "/proc/%u/cgroup", pid);
	if (ww_file_read(path, &text) < 0)
		return false;
	at = ww_buf_slice(&text);
	while (ww_slice_line(&at, &line)) {
		if (!ww_slice_starts(line, WW_SLICE_LIT("0::")))
			continue;
		line = ww_slice_sub(line, 3, SIZE_MAX);
		return ww_slice_starts(line, ww_slice_str(scope)) &&
		       (line.n == n || line.p[n] == '/' || scope[n - 1] == '/');
	}
	return false;
}

/* "flags: 0100001" of /proc/PID/fdinfo/FD, octal. */
static bool is_opened_for(uint32_t pid, const char *fd, bool writing)
{
	WW_AUTO_BUF struct ww_buf text;
	const char *flags;
	unsigned mode;
	char path[64];

	ww_buf_init(&text, CGROUP_BYTES);
	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%.16s", pid, fd);
	if (ww_file_read(path, &text) < 0 || ww_buf_add(&text, "", 1) < 0)
		return false;
	flags = strstr((const char *)text.p, "flags:");
	if (!flags || sscanf(flags + 6, " %o", &mode) != 1)
		return false;
	mode &= O_ACCMODE;
	return mode == O_RDWR || mode == (writing ? O_WRONLY : O_RDONLY);
}

static bool is_end(uint32_t pid, const char *fd, const struct ww_stdio_end *end)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/fd/%.16s", pid, fd);
	return stat(path, &st) == 0 && st.st_ino == end->inode && st.st_dev == end->dev &&
	       S_ISFIFO(st.st_mode);
}

/* The other end of descriptor 0's pipe is one to write to, of descriptor 1's one to read from. */
static bool holds(uint32_t pid, const struct ww_event_stdio *ev)
{
	bool found[2] = {ev->end[0].kind == WW_STDIO_UNIX && ev->end[0].peer_pid == pid,
			 ev->end[1].kind == WW_STDIO_UNIX && ev->end[1].peer_pid == pid};
	unsigned looked = 0;
	struct dirent *d;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	while (dir && !(found[0] && found[1]) && looked++ < DESCRIPTORS_MAX &&
	       (d = readdir(dir)) != NULL) {
		for (unsigned i = 0; i < 2; i++) {
			if (ev->end[i].kind == WW_STDIO_PIPE && !found[i] &&
			    is_end(pid, d->d_name, &ev->end[i]))
				found[i] = is_opened_for(pid, d->d_name, i == 0);
		}
	}
	if (dir)
		closedir(dir);
	return found[0] && found[1];
}

int ww_stdio_agent(const struct ww_event_stdio *ev, const char *scope, uint32_t *ret_pid)
{
	uint32_t pid = ev->h.actor.pid;
	int r = parent_of(pid, &pid);

	if (r == 0 && !(pid > 1 && in_scope(pid, scope)))
		r = -ENXIO;
	if (r < 0)
		return r;
	for (unsigned i = 0; i < ANCESTORS_MAX && pid > 1 && in_scope(pid, scope); i++) {
		if (holds(pid, ev)) {
			*ret_pid = pid;
			return 0;
		}
		if (parent_of(pid, &pid) < 0)
			break;
	}
	return -ENOENT;
}
