/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/change_dirs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "policy/local.h"
#include "sense/changes.h"

#define SELF (FAN_DELETE_SELF | FAN_MOVE_SELF | FAN_ONDIR)
/* Of a directory that leads to declared files: what it holds comes and goes. */
#define WAY        (SELF | FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO)
#define FILES      (WAY | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD)
#define HANDLE_FID 0x200 /* AT_HANDLE_FID, which this C library has not yet */
/* Folders inside one another, where a template ends in "**". */
#define DEPTH_MAX 32
/* Directories of one template that are looked at through another process's root. */
#define SEEN_MAX 64
/* Entries of directories that one search reads, declared or not. */
#define ENTRIES_MAX (4 * WW_CHANGES_FILES_MAX)

struct walk {
	struct ww_change_dirs *d;
	unsigned template;
	struct ww_slice text;
	unsigned files_max, entries;
	struct ww_change_dirs_found found;
};

struct ww_change_dir *ww_change_dirs_get(const struct ww_change_dirs *d,
					 const struct ww_change_dir_key *key)
{
	struct ww_change_dir *dir = NULL;

	HASH_FIND(hh, d->table, key, sizeof(*key), dir);
	return dir;
}

static void drop_places(struct ww_change_dir *dir)
{
	for (unsigned i = 0; i < dir->place_count; i++)
		free(dir->places[i].path);
	free(dir->places);
}

static void drop(struct ww_change_dirs *d, struct ww_change_dir *dir)
{
	HASH_DELETE(hh, d->table, dir);
	drop_places(dir);
	free(dir->path);
	free(dir);
	d->count--;
}

void ww_change_dirs_clear(struct ww_change_dirs *d, bool flush)
{
	while (d->table)
		drop(d, d->table);
	if (flush)
		(void)fanotify_mark(d->fan, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL); /* of inodes */
}

void ww_change_dirs_forget(struct ww_change_dirs *d, unsigned template)
{
	struct ww_change_dir *dir, *next;

	HASH_ITER (hh, d->table, dir, next) {
		unsigned kept = 0;

		for (unsigned i = 0; i < dir->place_count; i++) {
			if (dir->places[i].template == template)
				free(dir->places[i].path);
			else
				dir->places[kept++] = dir->places[i];
		}
		dir->place_count = kept;
	}
}

bool ww_change_dirs_linked(int at, const char *path)
{
	struct stat st;

	if (fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return S_ISLNK(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink > 1);
}

/* The first reason stays, but that there are too many ends the search. */
static void fail(struct walk *w, enum ww_files_why why)
{
	if (w->found.why == WW_FILES_NONE || why == WW_FILES_MANY)
		w->found.why = why;
}

static enum ww_files_why why_of(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return WW_FILES_RIGHTS;
	case EOPNOTSUPP:
	case ENODEV:
	case EXDEV:
	case EINVAL:
		return WW_FILES_FILESYSTEM;
	case ENOSPC:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return WW_FILES_MANY;
	default:
		return WW_FILES_ERROR;
	}
}

/* Of the file that is open, or else of the path, which is followed to its last segment only.
 * 0 or -errno. */
static int handle_of(int fd, const char *path, struct ww_change_dir_key *ret)
{
	union {
		struct file_handle h;
		uint8_t room[sizeof(struct file_handle) + WW_DIR_HANDLE_MAX];
	} u;
	int mount, flags = path[0] ? 0 : AT_EMPTY_PATH;

	memset(&u, 0, sizeof(u));
	u.h.handle_bytes = WW_DIR_HANDLE_MAX;
	/* Events are named so since Linux 6.5; before it there is but one name. */
	if (name_to_handle_at(fd, path, &u.h, &mount, flags | HANDLE_FID) < 0 &&
	    (errno != EINVAL || name_to_handle_at(fd, path, &u.h, &mount, flags) < 0))
		return -errno;
	memset(ret, 0, sizeof(*ret));
	ret->type = u.h.handle_type;
	ret->bytes = u.h.handle_bytes;
	memcpy(ret->handle, u.h.f_handle, u.h.handle_bytes);
	return 0;
}

/* 0 or -errno. */
static int key_of(int fd, struct ww_change_dir_key *ret)
{
	struct statfs fs;
	int r = handle_of(fd, "", ret);

	if (r < 0)
		return r;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	memcpy(ret->fsid, &fs.f_fsid, sizeof(ret->fsid));
	return 0;
}

bool ww_change_dirs_there(const char *path, const struct ww_change_dir_key *file)
{
	struct ww_change_dir_key key;
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	if (!file)
		return true;
	if (handle_of(AT_FDCWD, path, &key) < 0)
		return false;
	memcpy(key.fsid, file->fsid, sizeof(key.fsid)); /* of one directory */
	return memcmp(&key, file, sizeof(key)) == 0;
}

/* Where it was, if it is there still. */
static bool unmark(const struct ww_change_dirs *d, const struct ww_change_dir *dir)
{
	WW_AUTO_FD int fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	struct ww_change_dir_key key;

	return fd >= 0 && key_of(fd, &key) == 0 && memcmp(&key, &dir->key, sizeof(key)) == 0 &&
	       fanotify_mark(d->fan, FAN_MARK_REMOVE, dir->files ? FILES : WAY, fd, NULL) == 0;
}

unsigned ww_change_dirs_sweep(struct ww_change_dirs *d)
{
	struct ww_change_dir *dir, *next;
	unsigned moved = 0;

	HASH_ITER (hh, d->table, dir, next) {
		if (dir->place_count)
			continue;
		moved += !dir->gone && !unmark(d, dir);
		drop(d, dir);
	}
	return moved;
}

static struct ww_change_dir *ensure(struct ww_change_dirs *d, const struct ww_change_dir_key *key,
				    int fd, const char *path)
{
	struct ww_change_dir *dir = ww_change_dirs_get(d, key);
	struct stat st;

	if (dir || d->count >= WW_CHANGES_DIRS_MAX || fstat(fd, &st) < 0)
		return dir;
	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return NULL;
	dir->key = *key;
	dir->dev = st.st_dev;
	dir->inode = st.st_ino;
	dir->path = strdup(path[0] ? path : "/");
	if (dir->path)
		HASH_ADD(hh, d->table, key, sizeof(dir->key), dir);
	if (!dir->hh.tbl) {
		free(dir->path);
		free(dir);
		return NULL;
	}
	d->count++;
	return dir;
}

/* The mark comes before the look at what is in it: what comes after that is told. */
static bool mark(struct walk *w, int fd, const char *path, struct ww_slice next, bool files)
{
	struct ww_change_dir_key key;
	struct ww_change_dir_place *more;
	struct ww_change_dir *dir;
	int r = key_of(fd, &key);

	if (r < 0) {
		fail(w, why_of(-r));
		return false;
	}
	dir = ensure(w->d, &key, fd, path);
	more = dir ? reallocarray(dir->places, dir->place_count + 1, sizeof(*more)) : NULL;
	if (!more) {
		fail(w, WW_FILES_MANY);
		return false;
	}
	dir->places = more;
	more[dir->place_count] =
		(struct ww_change_dir_place){w->template, files, next, strdup(path)};
	if (!more[dir->place_count].path) {
		fail(w, WW_FILES_MANY);
		return false;
	}
	dir->place_count++;
	dir->files |= files;
	w->found.dirs++;
	if (fanotify_mark(w->d->fan, FAN_MARK_ADD | FAN_MARK_ONLYDIR, dir->files ? FILES : WAY, fd,
			  NULL) < 0) {
		fail(w, why_of(errno));
		return false;
	}
	return true;
}

static bool join(char *out, size_t cap, const char *path, const char *name)
{
	return (size_t)snprintf(out, cap, "%s/%s", path, name) < cap;
}

static bool is_dir(int at, const char *name)
{
	struct stat st;

	return fstatat(at, name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static void walk_dir(struct walk *w, const char *path, size_t at, unsigned depth);

/* One entry of a directory, whose template goes on at `at`: a file of it, or the way to one. */
static void walk_entry(struct walk *w, int fd, const char *path, const char *name, size_t at,
		       unsigned depth)
{
	size_t end = ww_slice_find(w->text, at + 1, '/');
	struct ww_slice want = ww_slice_sub(w->text, at + 1, end - at - 1);
	bool rest = ww_slice_eq_str(want, "**"), last = end == w->text.n;
	char full[PATH_MAX];

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return;
	if (rest ? name[0] == '.' : !ww_local_segment(want, ww_slice_str(name)))
		return;
	if (!join(full, sizeof(full), path, name)) {
		fail(w, WW_FILES_ERROR);
		return;
	}
	if (last && ++w->found.files > w->files_max) {
		fail(w, WW_FILES_MANY);
		return;
	}
	if (is_dir(fd, name)) {
		if (!last)
			walk_dir(w, full, end, depth + 1);
		else if (rest)
			walk_dir(w, full, at, depth + 1);
		return;
	}
	if (last && ww_change_dirs_linked(fd, name))
		fail(w, WW_FILES_LINK);
}

static void walk_entries(struct walk *w, int fd, const char *path, size_t at, unsigned depth)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	if (!dir) {
		fail(w, why_of(errno));
		if (copy >= 0)
			close(copy);
		return;
	}
	while (w->found.why != WW_FILES_MANY && (e = readdir(dir))) {
		if (++w->entries > ENTRIES_MAX)
			fail(w, WW_FILES_MANY);
		else
			walk_entry(w, fd, path, e->d_name, at, depth);
	}
	closedir(dir);
}

/* `path` is there; the template goes on at `at`, a slash. */
static void walk_dir(struct walk *w, const char *path, size_t at, unsigned depth)
{
	size_t end = ww_slice_find(w->text, at + 1, '/');
	struct ww_slice want = ww_slice_sub(w->text, at + 1, end - at - 1);
	bool last = end == w->text.n;
	char name[WW_PATH_BYTES_MAX + 1];
	WW_AUTO_FD int fd = -1;

	if (depth > DEPTH_MAX) {
		fail(w, WW_FILES_MANY);
		return;
	}
	fd = open(path[0] ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR) /* gone meanwhile: its parent tells */
			fail(w, why_of(errno));
		return;
	}
	if (ww_local_segment_open(want) || ww_slice_eq_str(want, "**")) {
		if (mark(w, fd, path, want, last))
			walk_entries(w, fd, path, at, depth);
		return;
	}
	memcpy(name, want.p, want.n);
	name[want.n] = '\0';
	/* Of one directory that is there its own mark tells when it goes: nobody else who works in
	 * this one has to pay. */
	if (last || !is_dir(fd, name)) {
		if (!mark(w, fd, path, want, last))
			return;
	}
	walk_entry(w, fd, path, name, at, depth);
}

static bool leads_to(uint32_t pid, const char *path, const struct ww_change_dir *dir)
{
	char full[PATH_MAX + 32];
	struct ww_change_dir_key key;
	WW_AUTO_FD int fd = -1;

	snprintf(full, sizeof(full), "/proc/%u/root%s", pid, path);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 && key_of(fd, &key) == 0 && memcmp(&key, &dir->key, sizeof(key)) == 0;
}

bool ww_change_dirs_seen_by(const struct ww_change_dirs *d, unsigned template, uint32_t pid)
{
	struct ww_change_dir *dir, *next;
	unsigned looked = 0;

	HASH_ITER (hh, d->table, dir, next) {
		for (unsigned i = 0; i < dir->place_count; i++) {
			if (dir->places[i].template != template)
				continue;
			if (looked++ == SEEN_MAX || !leads_to(pid, dir->places[i].path, dir))
				return false;
		}
	}
	return true;
}

static bool is_other(int at, const char *name)
{
	return ww_change_dirs_linked(at, name) && !is_dir(at, name);
}

/* Through the path: it may be another directory by now, which is told beside. */
static void look_inside(const struct ww_change_dir_place *place, unsigned files_max,
			struct ww_change_dirs_seen *seen)
{
	bool rest = ww_slice_eq_str(place->next, "**");
	DIR *dir = opendir(place->path[0] ? place->path : "/");
	char name[WW_PATH_BYTES_MAX + 1];
	unsigned entries = 0;
	const struct dirent *e;

	if (dir && !rest && !ww_local_segment_open(place->next)) {
		snprintf(name, sizeof(name), "%.*s", (int)place->next.n,
			 (const char *)place->next.p);
		seen->linked |= is_other(dirfd(dir), name);
		seen->files++;
		closedir(dir);
		return;
	}
	while (dir && !seen->linked && seen->files <= files_max && entries++ < ENTRIES_MAX &&
	       (e = readdir(dir))) {
		if (e->d_type == DT_DIR || (rest && e->d_name[0] == '.') ||
		    (!rest && !ww_local_segment(place->next, ww_slice_str(e->d_name))))
			continue;
		seen->files++;
		seen->linked = is_other(dirfd(dir), e->d_name);
	}
	if (dir)
		closedir(dir);
}

void ww_change_dirs_look(const struct ww_change_dirs *d, bool files, unsigned files_max,
			 struct ww_change_dirs_seen *ret, unsigned count)
{
	struct ww_change_dir *dir, *next;
	struct stat st;

	HASH_ITER (hh, d->table, dir, next) {
		for (unsigned i = 0; i < dir->place_count; i++) {
			const struct ww_change_dir_place *place = &dir->places[i];
			struct ww_change_dirs_seen *seen = &ret[place->template];

			if (place->template >= count)
				continue;
			seen->moved |= stat(place->path[0] ? place->path : "/", &st) < 0 ||
				       st.st_dev != dir->dev || st.st_ino != dir->inode;
			if (files && place->files && !seen->moved)
				look_inside(place, files_max, seen);
		}
	}
}

struct ww_change_dirs_found ww_change_dirs_find(struct ww_change_dirs *d, unsigned template,
						const char *text, unsigned files_max)
{
	struct walk w = {
		.d = d, .template = template, .text = ww_slice_str(text), .files_max = files_max};

	walk_dir(&w, "", 0, 0);
	return w.found;
}
