/* SPDX-License-Identifier: Apache-2.0 */
#include "out/publish_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ledger/durable.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int spawn(const char *path, int input, pid_t *ret_pid)
{
	char *argv[] = {(char *)path, NULL};
	char *env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int r = posix_spawn_file_actions_init(&files);

	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r != 0) {
		posix_spawn_file_actions_destroy(&files);
		return -r;
	}
	sigfillset(&all);
	sigemptyset(&none);
	r = posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	if (r == 0)
		r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
								  POSIX_SPAWN_SETSIGDEF |
								  POSIX_SPAWN_SETSIGMASK);
	if (r == 0)
		r = posix_spawnattr_setpgroup(&attributes, 0);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(&attributes, &all);
	if (r == 0)
		r = posix_spawnattr_setsigmask(&attributes, &none);
	if (r == 0)
		r = posix_spawn(ret_pid, path, &files, &attributes, argv, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

int ww_publish_command_start(struct ww_publish_command *c, const char *path, struct ww_slice note)
{
	/* A file in memory: no writer that could block, no SIGPIPE. */
	WW_AUTO_FD int input = memfd_create("checkpoint", MFD_CLOEXEC);
	pid_t pid = 0;
	int r = input < 0 ? -errno : ww_durable_pwrite(input, note, 0);

	if (r == 0)
		r = spawn(path, input, &pid);
	if (r < 0)
		return r;
	c->pid = pid;
	c->fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (c->fd < 0) {
		r = -errno;
		ww_publish_command_kill(c);
	}
	return r;
}

static void forget(struct ww_publish_command *c)
{
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct ww_publish_command){.fd = -1};
}

int ww_publish_command_ended(struct ww_publish_command *c, char *why, size_t cap)
{
	siginfo_t info = {0};

	if (waitid((idtype_t)P_PIDFD, (id_t)c->fd, &info, WEXITED | WNOHANG) < 0) {
		snprintf(why, cap, "cannot wait for it");
		forget(c);
		return -ECHILD;
	}
	if (info.si_pid == 0)
		return 1;
	forget(c);
	if (info.si_code == CLD_EXITED && info.si_status == 0)
		return 0;
	if (info.si_code == CLD_EXITED)
		snprintf(why, cap, "it ends with code %d", info.si_status);
	else
		snprintf(why, cap, "signal %d ended it", info.si_status);
	return -ECHILD;
}

void ww_publish_command_kill(struct ww_publish_command *c)
{
	if (c->pid == 0)
		return;
	(void)kill(-c->pid, SIGKILL); /* the group: it may have started others */
	(void)kill(c->pid, SIGKILL);  /* in the moment before it has a group */
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	forget(c);
}
