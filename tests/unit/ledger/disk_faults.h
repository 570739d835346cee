/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails on purpose. This header defines the system calls that change files (the linker
 * prefers the program's own over the C library's), counts them while armed, and at step `at`:
 *   FAULT_ERROR   answers with an errno; later calls work again (sticky: all later ones fail too)
 *   FAULT_KILL    ends the process before the call, as kill -9 does
 *   FAULT_TEAR    writes half of the bytes, then ends the process
 *   FAULT_POWER   ends the process; the test then continues on what had been synced (disk_rebuild)
 * Real fsync is skipped: the tests are about order, not about the device.
 *
 * For FAULT_POWER a shadow directory holds what the disk would hold: fsync of a file saves its
 * content under its inode number, fsync of a directory saves the list of its entries. A file whose
 * directory was never synced is not there after the loss; one whose content was not synced is
 * there, empty.
 */
#pragma once

#include "ledger_test.h"

#include <sys/syscall.h>
#include <sys/wait.h>

enum fault_kind { FAULT_NONE, FAULT_ERROR, FAULT_KILL, FAULT_TEAR, FAULT_POWER };

struct fault {
	enum fault_kind kind;
	unsigned at; /* 1: the first step */
	int error;
	bool sticky;
	unsigned steps; /* counted so far */
	bool hit;
	const char *shadow; /* FAULT_POWER */
};

static struct fault fault;

#define FAULT_EXIT 77

/* Counts a step; true when it is to fail with fault.error. */
static bool step_fails(void)
{
	if (fault.kind == FAULT_NONE)
		return false;
	fault.steps++;
	if (fault.steps < fault.at || (fault.steps > fault.at && !fault.sticky))
		return false;
	fault.hit = true;
	if (fault.kind != FAULT_ERROR && fault.kind != FAULT_TEAR)
		_exit(FAULT_EXIT);
	if (fault.kind == FAULT_TEAR)
		return true;
	errno = fault.error;
	return true;
}

ssize_t write(int fd, const void *p, size_t n)
{
	if (step_fails()) {
		if (fault.kind != FAULT_TEAR)
			return -1;
		syscall(SYS_write, fd, p, n / 2);
		_exit(FAULT_EXIT);
	}
	return syscall(SYS_write, fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t offset)
{
	if (step_fails()) {
		if (fault.kind != FAULT_TEAR)
			return -1;
		syscall(SYS_pwrite64, fd, p, n / 2, offset);
		_exit(FAULT_EXIT);
	}
	return syscall(SYS_pwrite64, fd, p, n, offset);
}

/* A step without bytes: tearing it is killing before it. */
static bool plain_step_fails(void)
{
	if (!step_fails())
		return false;
	if (fault.kind == FAULT_TEAR)
		_exit(FAULT_EXIT);
	return true;
}

static void shadow_name(char out[PATH_LEN], char type, ino_t ino)
{
	snprintf(out, PATH_LEN, "%s/%c%lu", fault.shadow, type, (unsigned long)ino);
}

static void shadow_file(int fd, const struct stat *st)
{
	char name[PATH_LEN], block[65536];
	int out;
	off_t at = 0;
	ssize_t n;
	/* The caller's descriptor may be write-only. */
	int in;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	in = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY);
	shadow_name(name, 'f', st->st_ino);
	out = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	while ((n = pread(in, block, sizeof(block), at)) > 0)
		at += syscall(SYS_write, out, block, n);
	close(in);
	close(out);
}

static void shadow_dir(int fd, const struct stat *st)
{
	char name[PATH_LEN], line[512];
	int copy = (int)syscall(SYS_openat, fd, ".", O_RDONLY | O_DIRECTORY), out;
	DIR *d = fdopendir(copy);
	const struct dirent *e;

	shadow_name(name, 'd', st->st_ino);
	out = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	while ((e = readdir(d))) {
		struct stat s;
		int n;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    fstatat(copy, e->d_name, &s, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		n = snprintf(line, sizeof(line), "%c %lu %o %s\n", S_ISDIR(s.st_mode) ? 'd' : 'f',
			     (unsigned long)s.st_ino, s.st_mode & 0777, e->d_name);
		syscall(SYS_write, out, line, n);
	}
	close(out);
	closedir(d);
}

static void shadow_sync(int fd)
{
	struct stat st;

	if (!fault.shadow || fstat(fd, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		shadow_dir(fd, &st);
	else
		shadow_file(fd, &st);
}

int fsync(int fd)
{
	if (plain_step_fails())
		return -1;
	shadow_sync(fd);
	return 0;
}

static void disk_snapshot(const char *path);

int syncfs(int fd)
{
	char name[PATH_LEN];

	if (plain_step_fails())
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (fault.shadow)
		disk_snapshot(name);
	return 0;
}

int fdatasync(int fd)
{
	return fsync(fd);
}

int openat(int dir, const char *path, int flags, ...)
{
	struct stat st;
	mode_t mode = 0;
	bool fresh;
	int fd;

	if (flags & O_CREAT) {
		va_list ap;

		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
		if (plain_step_fails())
			return -1;
	}
	fresh = (flags & O_CREAT) && fstatat(dir, path, &st, 0) < 0;
	fd = (int)syscall(SYS_openat, dir, path, flags, mode);
	/* A new inode has nothing on the disk, whatever an older one of its number had. */
	if (fresh && fd >= 0 && fault.shadow && fstat(fd, &st) == 0) {
		char name[PATH_LEN];

		shadow_name(name, 'f', st.st_ino);
		syscall(SYS_unlink, name);
	}
	return fd;
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	return plain_step_fails() ? -1 : (int)syscall(SYS_mkdirat, dir, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return plain_step_fails() ? -1 : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

int ftruncate(int fd, off_t length)
{
	return plain_step_fails() ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int unlinkat(int dir, const char *path, int flags)
{
	return plain_step_fails() ? -1 : (int)syscall(SYS_unlinkat, dir, path, flags);
}

/* Saves the whole tree as synced. */
static void disk_snapshot(const char *path)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail_msg("cannot open %s", path);
	shadow_sync(fd);
	if (S_ISDIR(st.st_mode)) {
		DIR *d = fdopendir(fd);
		const struct dirent *e;

		while ((e = readdir(d))) {
			char sub[2 * PATH_LEN];

			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
			disk_snapshot(sub);
		}
		closedir(d);
	} else {
		close(fd);
	}
}

/* Writes what the disk held at the loss of power as directory `to`. */
static void disk_rebuild(ino_t dir, const char *to)
{
	char name[PATH_LEN], entry[256], type;
	unsigned long ino;
	unsigned mode;
	FILE *f;

	mkdir(to, 0700);
	shadow_name(name, 'd', dir);
	f = fopen(name, "r");
	if (!f)
		return; /* the directory's entries never reached the disk */
	while (fscanf(f, "%c %lu %o %255[^\n]\n", &type, &ino, &mode, entry) == 4) {
		char path[2 * PATH_LEN];

		snprintf(path, sizeof(path), "%s/%s", to, entry);
		if (type == 'd') {
			disk_rebuild(ino, path);
		} else {
			WW_AUTO_BUF struct ww_buf b = {0};

			ww_buf_init(&b, 64u << 20);
			shadow_name(name, 'f', ino);
			if (ww_durable_read(AT_FDCWD, name, &b) < 0)
				ww_buf_clear(&b);
			spill(path, ww_buf_slice(&b));
		}
		chmod(path, mode);
	}
	fclose(f);
}
