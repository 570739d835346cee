/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/slice.h"

static volatile sig_atomic_t child_pid;

static void pass_on(int sig)
{
	if (child_pid > 0)
		kill((pid_t)child_pid, sig);
}

static int enter(const char *cgroup_path)
{
	char procs[4096];
	WW_AUTO_FD int fd = -1;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup_path);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, "0", 1) == 1 ? 0 : -errno;
}

static bool env_id(const char *name, uint64_t *ret)
{
	const char *text = getenv(name);

	return text && ww_slice_u64(ww_slice_str(text), ret) == 0 && *ret < UINT32_MAX;
}

/* Under sudo the command belongs to the person, not to root. */
static int drop_rights(void)
{
	const struct passwd *pw;
	uint64_t uid, gid;

	if (geteuid() != 0 || !env_id("SUDO_UID", &uid) || !env_id("SUDO_GID", &gid) || uid == 0)
		return 0;
	pw = getpwuid((uid_t)uid);
	if (pw ? initgroups(pw->pw_name, (gid_t)gid) < 0 : setgroups(0, NULL) < 0)
		return -errno;
	if (setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) < 0 ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
		return -errno;
	if (pw && pw->pw_dir)
		setenv("HOME", pw->pw_dir, 1);
	if (pw && pw->pw_name) {
		setenv("USER", pw->pw_name, 1);
		setenv("LOGNAME", pw->pw_name, 1);
	}
	return 0;
}

/*
 * Sockets that were made outside are out of the monitor's sight: the command does not get them. A
 * network socket as standard stream cannot be taken away, then the command does not run.
 */
static int keep_sockets(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	uint64_t fd;
	int r = 0;

	if (!d)
		return -errno;
	while (r == 0 && (e = readdir(d))) {
		int family = AF_UNSPEC;
		socklen_t n = sizeof(family);

		if (ww_slice_u64(ww_slice_str(e->d_name), &fd) < 0 ||
		    getsockopt((int)fd, SOL_SOCKET, SO_DOMAIN, &family, &n) < 0)
			continue;
		if (fd > STDERR_FILENO)
			r = fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
		else if (family != AF_UNIX)
			r = -ESOCKTNOSUPPORT;
	}
	closedir(d);
	return r;
}

static _Noreturn void child(const char *cgroup_path, char **argv, int tell)
{
	int r = enter(cgroup_path);

	if (r == 0)
		r = keep_sockets();
	if (r == 0)
		r = drop_rights();
	if (r == 0) {
		execvp(argv[0], argv);
		r = -errno;
	}
	(void)!write(tell, &r, sizeof(r)); /* the parent reads nothing only if it died */
	_exit(127);
}

int ww_launch(const char *cgroup_path, char **argv, struct ww_launch *ret_launch)
{
	struct sigaction sa = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
	int tell[2], failed = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(tell, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(tell[0]);
		child(cgroup_path, argv, tell[1]);
	}
	close(tell[1]);
	if (pid < 0) {
		failed = -errno;
		close(tell[0]);
		return failed;
	}
	child_pid = pid;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGINT,
	       SIG_IGN); /* the terminal sends it to the command as well: its answer counts */
	signal(SIGQUIT, SIG_IGN);
	n = read(tell[0], &failed, sizeof(failed));
	close(tell[0]);
	if (n == (ssize_t)sizeof(failed)) {
		waitpid(pid, NULL, 0);
		child_pid = 0;
		return failed;
	}
	ret_launch->pid = pid;
	ret_launch->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return 0;
}

int ww_launch_wait(struct ww_launch *l)
{
	int status = 0;

	while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR)
		;
	child_pid = 0;
	if (l->pidfd >= 0)
		close(l->pidfd);
	l->pidfd = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
