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

#include "base/log.h"
#include "base/slice.h"
#include "cmd.h"

#define NO_COMMAND   127 /* as shells, env and nohup say it */
#define NOT_RUNNABLE 126
#define GROUPS_MAX   65536 /* of the kernel */

/* --- becoming the command ----------------------------------------------------------------------
 */

struct person {
	bool known;
	uid_t uid;
	gid_t gid;
	const struct passwd *pw; /* NULL: the user has no entry; static memory */
	gid_t *groups;
	int group_count;
};

static void person_done(struct person *p)
{
	free(p->groups);
}

static bool env_id(const char *name, uint64_t *ret)
{
	const char *text = getenv(name);

	return text && ww_slice_u64(ww_slice_str(text), ret) == 0 && *ret < UINT32_MAX;
}

static int find_groups(struct person *p)
{
	int count = 32, r;

	do {
		gid_t *more = realloc(p->groups, (size_t)count * sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->groups = more;
		p->group_count = count;
		r = getgrouplist(p->pw->pw_name, p->gid, p->groups, &p->group_count);
		count *= 2;
	} while (r < 0 && count <= GROUPS_MAX);
	return r < 0 ? -E2BIG : 0;
}

/* Under sudo the command belongs to the person, not to root. */
static int find_person(struct person *ret)
{
	uint64_t uid, gid;

	if (geteuid() != 0 || !env_id("SUDO_UID", &uid) || !env_id("SUDO_GID", &gid) || uid == 0)
		return 0;
	ret->known = true;
	ret->uid = (uid_t)uid;
	ret->gid = (gid_t)gid;
	ret->pw = getpwuid(ret->uid);
	return ret->pw ? find_groups(ret) : 0;
}

static int become_person(const struct person *p)
{
	if (!p->known)
		return 0;
	if (setgroups((size_t)p->group_count, p->groups) < 0 ||
	    setresgid(p->gid, p->gid, p->gid) < 0 || setresuid(p->uid, p->uid, p->uid) < 0)
		return -errno;
	if (!p->pw) {
		unsetenv("USER");
		unsetenv("LOGNAME");
		return setenv("HOME", "/", 1) < 0 ? -errno : 0;
	}
	if (setenv("HOME", p->pw->pw_dir, 1) < 0 || setenv("SHELL", p->pw->pw_shell, 1) < 0 ||
	    setenv("USER", p->pw->pw_name, 1) < 0 || setenv("LOGNAME", p->pw->pw_name, 1) < 0)
		return -errno;
	return 0;
}

/*
 * The command gets no socket that was made outside. A network socket as standard stream cannot be
 * taken away, then the command does not run.
 */
static int keep_sockets(void)
{
	unsigned kept = 0;
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	uint64_t fd;
	int r = 0;

	if (!d)
		return ww_log_err_r(-errno, "cannot list the open descriptors");
	while (r == 0 && (e = readdir(d))) {
		int family = AF_UNSPEC;
		socklen_t n = sizeof(family);
		int flags;

		if (ww_slice_u64(ww_slice_str(e->d_name), &fd) < 0 ||
		    getsockopt((int)fd, SOL_SOCKET, SO_DOMAIN, &family, &n) < 0)
			continue;
		flags = fcntl((int)fd, F_GETFD);
		if (fd > STDERR_FILENO && !(flags & FD_CLOEXEC)) {
			r = fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
			kept++;
		} else if (fd <= STDERR_FILENO && family != AF_UNIX) {
			r = -ESOCKTNOSUPPORT;
			ww_log(WW_LOG_ERR,
			       "descriptor %llu is a network socket that was made outside, its "
			       "traffic would not be seen: use a pipe",
			       (unsigned long long)fd);
		}
	}
	closedir(d);
	if (kept)
		ww_log(WW_LOG_WARN,
		       "the command does not get %u open sockets that were made outside", kept);
	return r;
}

static int enter(const char *cgroup_path)
{
	char procs[4096];
	WW_AUTO_FD int fd = -1;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup_path);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return ww_log_err_r(-errno, "cannot enter %s", cgroup_path);
	return 0;
}

int ww_launch_become(const char *cgroup_path, char **argv)
{
	WW_AUTO(person_done) struct person person = {0};
	int r = find_person(&person); /* outside: it may ask services over sockets */

	if (r < 0) {
		ww_log_err_r(r, "cannot look up the user who called sudo");
		return WW_EXIT_UNABLE;
	}
	if (keep_sockets() < 0 || enter(cgroup_path) < 0)
		return WW_EXIT_UNABLE;
	r = become_person(&person);
	if (r < 0) {
		ww_log_err_r(r, "cannot become the user who called sudo");
		return WW_EXIT_UNABLE;
	}
	execvp(argv[0], argv);
	r = errno;
	ww_log_err_r(-r, "cannot run %s", argv[0]);
	return r == ENOENT ? NO_COMMAND : NOT_RUNNABLE;
}

/* --- as a child --------------------------------------------------------------------------------
 */

static const int passed[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
static volatile sig_atomic_t child_fd = -1;

static void pass_on(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	if ((sig == SIGINT || sig == SIGQUIT) && info->si_code == SI_KERNEL)
		return; /* from the terminal: the command has it as well */
	(void)syscall(SYS_pidfd_send_signal, (int)child_fd, sig, NULL, 0); /* it may have ended */
	errno = saved;
}

static void take_signals(const sigset_t *set)
{
	/* One after the other, so that the command gets them in their order. */
	struct sigaction sa = {.sa_sigaction = pass_on, .sa_flags = SA_RESTART | SA_SIGINFO};

	sa.sa_mask = *set;
	for (size_t i = 0; i < WW_ARRAY_SIZE(passed); i++)
		sigaction(passed[i], &sa, NULL);
}

int ww_launch(const char *cgroup_path, char **argv, struct ww_launch *ret_launch)
{
	sigset_t set, before;
	pid_t pid;
	int r;

	sigemptyset(&set);
	for (size_t i = 0; i < WW_ARRAY_SIZE(passed); i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, &before); /* until there is somebody to pass them on to */
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		_exit(ww_launch_become(cgroup_path, argv));
	}
	r = pid < 0 ? -errno : (int)syscall(SYS_pidfd_open, pid, 0);
	if (pid > 0 && r < 0) {
		r = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	} else if (pid > 0) {
		child_fd = r;
		take_signals(&set);
		*ret_launch = (struct ww_launch){.pid = pid, .pidfd = r};
		r = 0;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

int ww_launch_wait(struct ww_launch *l)
{
	int status = 0;

	while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
