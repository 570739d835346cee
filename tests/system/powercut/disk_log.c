/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program: writes down, in one order, every system call by which it changes files
 * below DISK_ROOT, and everything that it tells others, so that disk.py can say what a disk may
 * hold after a loss of power, and what had been announced by then.
 *
 *   DISK_ROOT   the folder; index.sqlite* in it is a cache and left out
 *   DISK_LOG    where to write (appended: several lives make one story); format: struct entry
 *   DISK_KILL   ends the process, as kill -9 does, before the so-manieth change
 *   DISK_SYNC   the so-manieth sync fails (EIO), once
 *   DISK_FAULT  a file that may come and go; while it is there, its lines are faults
 *               "CALL ERRNO [TEXT [OFFSET]]": calls on files whose path below the folder contains
 *               TEXT fail, of read only those that reach the byte at OFFSET.
 *               CALL: read, write, sync, open (of what is to be changed or made), rename
 *   DISK_CLOCK  a file that may come and go; while it is there, the wall clock is so many seconds
 *               off
 *
 * One lock is held over a call and its line: the order in the log is the order of the calls. Writes
 * by which something is told are files, sockets and pipes outside the folder, but not standard
 * error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum op {
	OP_CREATE = 1, /* number, parent, name; at: mode */
	OP_MKDIR,      /* the same */
	OP_WRITE,      /* number, at: offset, data */
	OP_TRUNCATE,   /* number, at: size */
	OP_FSYNC,      /* number */
	OP_FDATASYNC,
	OP_SYNCFS,
	OP_SYNC_FAILED, /* number; 0: all */
	OP_RENAME,      /* number, parent, name -> at: new parent, data: new name */
	OP_LINK,        /* number, parent, name */
	OP_UNLINK,      /* number, parent, name */
	OP_MODE,        /* number, at: mode */
	OP_TELL,        /* number: of the descriptor told to, data */
	OP_KILLED,
};

struct entry {
	uint32_t op;
	uint32_t name_bytes, data_bytes, unused;
	uint64_t number, parent, at;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *fault_file, *clock_file;
static int out = -1;
static unsigned long kill_at, changes, sync_at, syncs;

__attribute__((constructor)) static void begin(void)
{
	const char *log = getenv("DISK_LOG"), *kill = getenv("DISK_KILL"),
		   *sync = getenv("DISK_SYNC");

	root = getenv("DISK_ROOT");
	fault_file = getenv("DISK_FAULT");
	clock_file = getenv("DISK_CLOCK");
	if (kill)
		kill_at = strtoul(kill, NULL, 10);
	if (sync)
		sync_at = strtoul(sync, NULL, 10);
	if (root && log)
		out = (int)syscall(SYS_openat, AT_FDCWD, log,
				   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(enum op op, uint64_t number, uint64_t parent, const char *name, uint64_t at,
		const void *data, size_t n)
{
	struct entry e = {.op = op,
			  .name_bytes = name ? (uint32_t)strlen(name) : 0,
			  .data_bytes = (uint32_t)n,
			  .number = number,
			  .parent = parent,
			  .at = at};
	struct iovec v[] = {{&e, sizeof(e)}, {(void *)name, e.name_bytes}, {(void *)data, n}};

	if (out >= 0 && syscall(SYS_writev, out, v, 3) < 0)
		_exit(99);
}

/* The path of a descriptor, or of a name below one, as the kernel has it. */
static bool path_of(int fd, const char *name, char path[PATH_MAX])
{
	char link[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/self/cwd");
	else
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (name && name[0] == '/') {
		snprintf(path, PATH_MAX, "%s", name);
		return true;
	}
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	if (name)
		snprintf(path + n, PATH_MAX - (size_t)n, "/%s", name);
	return true;
}

/* NULL: not below the folder, or the cache in it. */
static const char *below(const char *path)
{
	size_t n = root ? strlen(root) : 0;

	if (n == 0 || strncmp(path, root, n) != 0 || (path[n] != '/' && path[n] != '\0') ||
	    strstr(path + n, "index.sqlite"))
		return NULL;
	return path[n] ? path + n + 1 : "";
}

static bool ours(int fd, const char *name, char path[PATH_MAX])
{
	return path_of(fd, name, path) && below(path);
}

static bool small_file(const char *path, char text[4096])
{
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? -1 : syscall(SYS_read, fd, text, 4095);

	if (fd >= 0)
		syscall(SYS_close, fd);
	if (n > 0)
		text[n] = '\0';
	return n > 0;
}

/* Whether the call on bytes from `at` on is to fail; errno is set. */
static bool faulty_at(const char *call, const char *path, long long at, size_t n)
{
	char text[4096], *line, *save;

	if (!below(path) || !small_file(fault_file, text))
		return false;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char what[16], where[256] = "";
		long long byte = -1;
		int error;

		if (sscanf(line, "%15s %d %255s %lld", what, &error, where, &byte) < 2 ||
		    strcmp(what, call) != 0 || !strstr(below(path), where) ||
		    (byte >= 0 && (byte < at || byte >= at + (long long)n)))
			continue;
		errno = error;
		return true;
	}
	return false;
}

static bool faulty(const char *call, const char *path)
{
	return faulty_at(call, path, 0, SIZE_MAX >> 1);
}

/* One more change is to happen. */
static void change(void)
{
	if (++changes != kill_at)
		return;
	put(OP_KILLED, 0, 0, NULL, 0, NULL, 0);
	_exit(137);
}

static uint64_t number_of(int fd, const char *name)
{
	struct stat st;

	if ((name ? fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) : fstat(fd, &st)) < 0)
		return 0;
	return st.st_ino;
}

/* The folder of a path, and the last name in it. */
static uint64_t parent_of(const char *path, const char **ret_name)
{
	char folder[PATH_MAX];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	*slash = '\0';
	*ret_name = path + (slash - folder) + 1;
	return number_of(AT_FDCWD, folder);
}

static int lock_out(int r)
{
	int error = errno;

	pthread_mutex_unlock(&lock);
	errno = error;
	return r;
}

/* --- names ------------------------------------------------------------------------------------ */

int openat(int dir, const char *name, int flags, ...)
{
	char path[PATH_MAX];
	const char *last;
	mode_t mode = 0;
	bool was;
	int fd;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_list ap;

		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	if (!(flags & (O_CREAT | O_TRUNC)) || !ours(dir, name, path))
		return (int)syscall(SYS_openat, dir, name, flags, mode);
	pthread_mutex_lock(&lock);
	if (faulty("open", path))
		return lock_out(-1);
	was = number_of(AT_FDCWD, path) != 0;
	if (!was || (flags & O_TRUNC))
		change();
	fd = (int)syscall(SYS_openat, dir, name, flags, mode);
	if (fd >= 0 && !was) {
		uint64_t parent = parent_of(path, &last);

		put(OP_CREATE, number_of(fd, NULL), parent, last, mode, NULL, 0);
	} else if (fd >= 0 && (flags & O_TRUNC)) {
		put(OP_TRUNCATE, number_of(fd, NULL), 0, NULL, 0, NULL, 0);
	}
	return lock_out(fd);
}

int open(const char *name, int flags, ...)
{
	mode_t mode = 0;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_list ap;

		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return openat(AT_FDCWD, name, flags, mode);
}

int mkdirat(int dir, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	const char *last;
	int r;

	/* The folder itself is made by whom its parent belongs to. */
	if (!ours(dir, name, path) || !below(path)[0])
		return (int)syscall(SYS_mkdirat, dir, name, mode);
	pthread_mutex_lock(&lock);
	if (faulty("open", path))
		return lock_out(-1);
	change();
	r = (int)syscall(SYS_mkdirat, dir, name, mode);
	if (r == 0) {
		uint64_t parent = parent_of(path, &last);

		put(OP_MKDIR, number_of(AT_FDCWD, path), parent, last, mode, NULL, 0);
	}
	return lock_out(r);
}

int mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	char path[PATH_MAX], new_path[PATH_MAX];
	const char *last, *new_last;
	int r;

	if (!ours(from_dir, from, path) || !ours(to_dir, to, new_path))
		return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
	pthread_mutex_lock(&lock);
	if (faulty("rename", new_path))
		return lock_out(-1);
	change();
	r = (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
	if (r == 0) {
		uint64_t parent = parent_of(path, &last),
			 new_parent = parent_of(new_path, &new_last);

		put(OP_RENAME, number_of(AT_FDCWD, new_path), parent, last, new_parent, new_last,
		    strlen(new_last));
	}
	return lock_out(r);
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	char path[PATH_MAX];
	const char *last;
	int r;

	if (!ours(to_dir, to, path))
		return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
	pthread_mutex_lock(&lock);
	if (faulty("open", path))
		return lock_out(-1);
	change();
	r = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
	if (r == 0) {
		uint64_t parent = parent_of(path, &last);

		put(OP_LINK, number_of(AT_FDCWD, path), parent, last, 0, NULL, 0);
	}
	return lock_out(r);
}

int unlinkat(int dir, const char *name, int flags)
{
	char path[PATH_MAX];
	const char *last;
	uint64_t number;
	int r;

	if (!ours(dir, name, path))
		return (int)syscall(SYS_unlinkat, dir, name, flags);
	pthread_mutex_lock(&lock);
	number = number_of(AT_FDCWD, path);
	if (number)
		change();
	r = (int)syscall(SYS_unlinkat, dir, name, flags);
	if (r == 0) {
		uint64_t parent = parent_of(path, &last);

		put(OP_UNLINK, number, parent, last, 0, NULL, 0);
	}
	return lock_out(r);
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int rmdir(const char *name)
{
	return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int fchmod(int fd, mode_t mode)
{
	char path[PATH_MAX];
	int r;

	if (!ours(fd, NULL, path))
		return (int)syscall(SYS_fchmod, fd, mode);
	pthread_mutex_lock(&lock);
	change();
	r = (int)syscall(SYS_fchmod, fd, mode);
	if (r == 0)
		put(OP_MODE, number_of(fd, NULL), 0, NULL, mode, NULL, 0);
	return lock_out(r);
}

/* --- contents --------------------------------------------------------------------------------- */

static bool tells(int fd)
{
	struct stat st;

	return fd != STDERR_FILENO && out >= 0 && fstat(fd, &st) == 0 &&
	       (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode));
}

/* `at` < 0: at the descriptor's own place. */
static ssize_t write_at(int fd, const void *p, size_t n, off_t at)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t r;

	if (!ours(fd, NULL, path)) {
		bool told = tells(fd);

		if (told)
			pthread_mutex_lock(&lock);
		r = at < 0 ? syscall(SYS_write, fd, p, n) : syscall(SYS_pwrite64, fd, p, n, at);
		if (told && r > 0)
			put(OP_TELL, number_of(fd, NULL), 0, NULL, 0, p, (size_t)r);
		if (told) {
			int error = errno;

			pthread_mutex_unlock(&lock);
			errno = error;
		}
		return r;
	}
	pthread_mutex_lock(&lock);
	if (faulty("write", path))
		return lock_out(-1);
	change();
	if (at < 0) {
		r = syscall(SYS_write, fd, p, n);
		at = r < 0 ? 0 : lseek(fd, 0, SEEK_CUR) - r;
	} else {
		r = syscall(SYS_pwrite64, fd, p, n, at);
	}
	if (r > 0 && fstat(fd, &st) == 0)
		put(OP_WRITE, st.st_ino, 0, NULL, (uint64_t)at, p, (size_t)r);
	lock_out(0);
	return r;
}

ssize_t write(int fd, const void *p, size_t n)
{
	return write_at(fd, p, n, -1);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return write_at(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
	return write_at(fd, p, n, at);
}

static void put_told(int fd, const struct iovec *v, size_t n, ssize_t bytes)
{
	for (size_t i = 0; i < n && bytes > 0; i++) {
		size_t part = v[i].iov_len < (size_t)bytes ? v[i].iov_len : (size_t)bytes;

		put(OP_TELL, number_of(fd, NULL), 0, NULL, 0, v[i].iov_base, part);
		bytes -= (ssize_t)part;
	}
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	char path[PATH_MAX];
	ssize_t r;

	if (ours(fd, NULL, path)) /* part by part, as the standard allows */
		return n > 0 ? write_at(fd, v[0].iov_base, v[0].iov_len, -1) : 0;
	pthread_mutex_lock(&lock);
	r = syscall(SYS_writev, fd, v, n);
	if (r > 0 && tells(fd))
		put_told(fd, v, (size_t)n, r);
	lock_out(0);
	return r;
}

ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to,
	       socklen_t to_n)
{
	ssize_t r;

	pthread_mutex_lock(&lock);
	r = syscall(SYS_sendto, fd, p, n, flags, to, to_n);
	if (r > 0 && tells(fd))
		put(OP_TELL, number_of(fd, NULL), 0, NULL, 0, p, (size_t)r);
	lock_out(0);
	return r;
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	return sendto(fd, p, n, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t r;

	pthread_mutex_lock(&lock);
	r = syscall(SYS_sendmsg, fd, m, flags);
	if (r > 0 && tells(fd))
		put_told(fd, m->msg_iov, m->msg_iovlen, r);
	lock_out(0);
	return r;
}

int ftruncate(int fd, off_t size)
{
	char path[PATH_MAX];
	int r;

	if (!ours(fd, NULL, path))
		return (int)syscall(SYS_ftruncate, fd, size);
	pthread_mutex_lock(&lock);
	if (faulty("write", path))
		return lock_out(-1);
	change();
	r = (int)syscall(SYS_ftruncate, fd, size);
	if (r == 0)
		put(OP_TRUNCATE, number_of(fd, NULL), 0, NULL, (uint64_t)size, NULL, 0);
	return lock_out(r);
}

static int sync_by(int fd, long call, enum op op)
{
	char path[PATH_MAX];
	int r;

	if (!ours(fd, NULL, path))
		return (int)syscall(call, fd);
	pthread_mutex_lock(&lock);
	change();
	if (++syncs == sync_at || faulty("sync", path)) {
		int error = syncs == sync_at ? EIO : errno;

		put(OP_SYNC_FAILED, op == OP_SYNCFS ? 0 : number_of(fd, NULL), 0, NULL, 0, NULL, 0);
		errno = error;
		return lock_out(-1);
	}
	/* Order is what is looked at; the device would only cost time. */
	r = fcntl(fd, F_GETFD) < 0 ? -1 : 0;
	if (r == 0)
		put(op, number_of(fd, NULL), 0, NULL, 0, NULL, 0);
	return lock_out(r);
}

int fsync(int fd)
{
	return sync_by(fd, SYS_fsync, OP_FSYNC);
}

int fdatasync(int fd)
{
	return sync_by(fd, SYS_fdatasync, OP_FDATASYNC);
}

int syncfs(int fd)
{
	return sync_by(fd, SYS_syncfs, OP_SYNCFS);
}

ssize_t read(int fd, void *p, size_t n)
{
	char path[PATH_MAX];

	if (fault_file && ours(fd, NULL, path) &&
	    faulty_at("read", path, lseek(fd, 0, SEEK_CUR), n))
		return -1;
	return syscall(SYS_read, fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	char path[PATH_MAX];

	if (fault_file && ours(fd, NULL, path) && faulty_at("read", path, at, n))
		return -1;
	return syscall(SYS_pread64, fd, p, n, at);
}

ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	return read(fd, p, n);
}

ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room)
{
	return pread(fd, p, n, at);
}

/* --- the clock -------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);
	char text[4096];

	if (clock == CLOCK_REALTIME && clock_file && small_file(clock_file, text))
		ts->tv_sec += strtol(text, NULL, 10);
	return r;
}

time_t time(time_t *ret)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (ret)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}
