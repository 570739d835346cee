/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/unix_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/slice.h"
#include "rt/file.h"

#define MEMBERS_BYTES_MAX (1u << 20)

enum sight { NO_SIGHT, THERE, ABSENT };

/* Looks through the root of the process with this /proc name, if it is of the namespace. */
static enum sight look(const char *proc, uint32_t mntns, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	WW_AUTO_FD int root = -1, fd = -1;
	struct stat st;
	char name[64];

	snprintf(name, sizeof(name), "/proc/%s/root", proc);
	root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof(name), "/proc/%s/ns/mnt", proc);
	if (root < 0 || stat(name, &st) < 0 || (mntns && st.st_ino != mntns))
		return NO_SIGHT;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	return fd < 0 && (errno == ENOENT || errno == ENOTDIR) ? ABSENT : THERE;
}

static enum sight look_by_members(const char *cgroup_path, uint32_t mntns, const char *path)
{
	enum sight s = NO_SIGHT;
	WW_AUTO_BUF struct ww_buf members;
	char name[600];
	size_t at = 0;

	ww_buf_init(&members, MEMBERS_BYTES_MAX);
	snprintf(name, sizeof(name), "%s/cgroup.procs", cgroup_path);
	if (ww_file_read(name, &members) < 0)
		return NO_SIGHT;
	while (s == NO_SIGHT && at < members.n) {
		size_t end = ww_slice_find(ww_buf_slice(&members), at, '\n');

		snprintf(name, sizeof(name), "%.*s", (int)(end - at), members.p + at);
		s = look(name, mntns, path);
		at = end + 1;
	}
	return s;
}

static bool is_name_cache(const char *path)
{
	return strcmp(path, "/var/run/nscd/socket") == 0 || strcmp(path, "/run/nscd/socket") == 0;
}

bool ww_unix_peer_absent(const struct ww_event_unix *ev, const char *cgroup_path)
{
	char pid[16], path[sizeof(ev->path) + 1];
	enum sight s;

	if (ev->path_bytes == 0 || ev->path_bytes > sizeof(ev->path) || ev->path[0] != '/')
		return false;
	snprintf(path, sizeof(path), "%.*s", (int)ev->path_bytes, ev->path);
	snprintf(pid, sizeof(pid), "%u", ev->h.actor.pid);
	s = look(pid, ev->mntns, path);
	if (s == NO_SIGHT && ev->mntns)
		s = look("self", ev->mntns, path);
	if (s == NO_SIGHT && ev->mntns && cgroup_path)
		s = look_by_members(cgroup_path, ev->mntns, path);
	return s == ABSENT || (s == NO_SIGHT && is_name_cache(path));
}
