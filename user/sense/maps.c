/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

#define LINE_BYTES_MAX 20480u /* a path of PATH_MAX bytes, each escaped to four; numbers */
#define CHUNK_BYTES    65536u

/* --- one line ------------------------------------------------------------------------------- */

static bool take_hex(struct ww_slice *s, uint64_t *ret_value)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < s->n && i < 16; i++) {
		uint8_t c = s->p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	*s = ww_slice_sub(*s, i, s->n);
	*ret_value = v;
	return i > 0;
}

static bool take_byte(struct ww_slice *s, uint8_t c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = ww_slice_sub(*s, 1, s->n);
	return true;
}

static struct ww_slice take_word(struct ww_slice *s)
{
	size_t n = ww_slice_find(*s, 0, ' ');
	struct ww_slice word = ww_slice_sub(*s, 0, n);

	*s = ww_slice_sub(*s, n, s->n);
	return word;
}

int ww_map_parse(struct ww_slice line, struct ww_map *ret_map)
{
	struct ww_map m = {0};
	struct ww_slice perms;
	uint64_t offset, major, minor;

	if (!take_hex(&line, &m.start) || !take_byte(&line, '-') || !take_hex(&line, &m.end) ||
	    !take_byte(&line, ' '))
		return -EINVAL;
	perms = take_word(&line);
	if (perms.n != 4 || !take_byte(&line, ' ') || !take_hex(&line, &offset) ||
	    !take_byte(&line, ' ') || !take_hex(&line, &major) || !take_byte(&line, ':') ||
	    !take_hex(&line, &minor) || !take_byte(&line, ' ') ||
	    ww_slice_u64(take_word(&line), &m.inode) < 0)
		return -EINVAL;
	m.exec = perms.p[2] == 'x';
	m.dev = major << 20 | minor;
	while (take_byte(&line, ' '))
		;
	m.path = line;
	*ret_map = m;
	return 0;
}

/* --- one file ------------------------------------------------------------------------------- */

static void link_name(const struct ww_map *m, char name[64])
{
	snprintf(name, 64, "map_files/%" PRIx64 "-%" PRIx64, m->start, m->end);
}

/* The path beneath the process's root, without following anything out of it. */
static int open_beneath(const struct ww_maps_at *at, int *ret_fd)
{
	WW_AUTO_FD int root = openat(at->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	char path[4096];
	int fd;

	if (root < 0 || at->map.path.n == 0 || at->map.path.p[0] != '/' ||
	    at->map.path.n >= sizeof(path) || memchr(at->map.path.p, 0, at->map.path.n))
		return -ENOENT;
	memcpy(path, at->map.path.p, at->map.path.n);
	path[at->map.path.n] = 0;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0)
		return -ENOENT;
	*ret_fd = fd;
	return 0;
}

/* An O_PATH descriptor: nothing of the file is touched before it is known to be regular. */
static int locate(const struct ww_maps_at *at, int *ret_fd, struct stat *ret_st)
{
	WW_AUTO_FD int fd = -1;
	struct stat st;
	char name[64];
	bool by_path;
	int r;

	link_name(&at->map, name);
	fd = openat(at->proc, name, O_PATH | O_CLOEXEC);
	by_path = fd < 0;
	if (by_path) {
		r = open_beneath(at, &fd);
		if (r < 0)
			return r;
	}
	if (fstat(fd, &st) < 0)
		return -ENOENT;
	/* The device number of the mapping is not st_dev on every file system, the inode is. */
	if (by_path && st.st_ino != at->map.inode)
		return -ENOENT;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_st = st;
	*ret_fd = WW_TAKE_FD(fd);
	return 0;
}

int ww_maps_stat(const struct ww_maps_at *at, struct stat *ret_st)
{
	WW_AUTO_FD int fd = -1;

	return locate(at, &fd, ret_st);
}

int ww_maps_open(const struct ww_maps_at *at, int *ret_fd)
{
	WW_AUTO_FD int fd = -1;
	struct stat st;
	char name[32];
	int r, opened;

	r = locate(at, &fd, &st);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	opened = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (opened < 0)
		return -errno;
	*ret_fd = opened;
	return 0;
}

/* --- the walk ------------------------------------------------------------------------------- */

struct seen {
	uint64_t dev, inode;
};

struct walk {
	struct ww_maps_at at;
	ww_maps_fn fn;
	void *ctx;
	struct seen *seen;
	size_t seen_count;
	size_t bytes; /* of text so far */
};

static int read_some(int fd, void *p, size_t n, size_t *ret_n)
{
	ssize_t got;

	do {
		got = read(fd, p, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ESRCH ? -ESRCH : -EIO;
	*ret_n = (size_t)got;
	return 0;
}

/*
 * Field 22 of /proc/PID/stat: start time in clock ticks since boot (proc(5)). The name in field 2
 * may hold anything, so that counting begins behind its last ')'.
 */
static int check_start(int proc, uint64_t start_ns)
{
	WW_AUTO_FD int fd = openat(proc, "stat", O_RDONLY | O_CLOEXEC);
	uint64_t ticks, tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	char buf[1024];
	struct ww_slice s;
	size_t n = 0;

	if (fd < 0 || read_some(fd, buf, sizeof(buf), &n) < 0)
		return -ESRCH;
	while (n > 0 && buf[n - 1] != ')')
		n--;
	if (n == 0)
		return -ESRCH;
	s = ww_slice_sub(ww_slice(buf, sizeof(buf)), n, sizeof(buf));
	for (unsigned field = 3; field <= 22; field++) {
		if (!take_byte(&s, ' '))
			return -ESRCH;
		if (field < 22)
			(void)take_word(&s);
	}
	if (ww_slice_u64(take_word(&s), &ticks) < 0)
		return -ESRCH;
	return ticks == start_ns / tick_ns ? 0 : -ESRCH;
}

static bool is_known(const struct walk *w, const struct ww_map *m)
{
	for (size_t i = 0; i < w->seen_count; i++)
		if (w->seen[i].inode == m->inode && w->seen[i].dev == m->dev)
			return true;
	return false;
}

static int take_line(struct walk *w, struct ww_slice line)
{
	if (ww_map_parse(line, &w->at.map) < 0 || !w->at.map.exec || w->at.map.inode == 0 ||
	    is_known(w, &w->at.map))
		return 0;
	if (w->seen_count == WW_MAPS_FILES_MAX)
		return -E2BIG;
	w->seen[w->seen_count++] = (struct seen){w->at.map.dev, w->at.map.inode};
	return w->fn(w->ctx, &w->at);
}

/* Takes the whole lines at the beginning of buf; *ret_n: bytes taken. */
static int take_lines(struct walk *w, const char *buf, size_t n, size_t *ret_n)
{
	struct ww_slice s = ww_slice(buf, n);
	size_t at = 0;
	int r = 0;

	while (r == 0) {
		size_t end = ww_slice_find(s, at, '\n');

		if (end == n)
			break;
		r = take_line(w, ww_slice_sub(s, at, end - at));
		at = end + 1;
	}
	*ret_n = at;
	return r;
}

static int walk_text(struct walk *w, int fd)
{
	WW_AUTO_FREE char *buf = malloc(CHUNK_BYTES + LINE_BYTES_MAX);
	size_t n = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		size_t got = 0, taken = 0;
		int r = read_some(fd, buf + n, CHUNK_BYTES, &got);

		if (r < 0 || got == 0)
			return r;
		n += got;
		w->bytes += got;
		if (w->bytes > WW_MAPS_BYTES_MAX)
			return -E2BIG;
		r = take_lines(w, buf, n, &taken);
		if (r < 0)
			return r;
		n -= taken;
		memmove(buf, buf + taken, n);
		if (n >= LINE_BYTES_MAX)
			return -E2BIG;
	}
}

int ww_maps_walk(struct ww_actor_key actor, ww_maps_fn fn, void *ctx)
{
	WW_AUTO_FD int proc = -1;
	WW_AUTO_FD int fd = -1;
	WW_AUTO_FREE struct seen *seen = NULL;
	struct walk w = {.fn = fn, .ctx = ctx};
	char path[32];

	snprintf(path, sizeof(path), "/proc/%" PRIu32, (uint32_t)actor.pid);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return -ESRCH;
	if (actor.start_ns != 0 && check_start(proc, actor.start_ns) < 0)
		return -ESRCH;
	fd = openat(proc, "maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ESRCH ? -ESRCH : -EIO;
	seen = calloc(WW_MAPS_FILES_MAX, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	w.at.proc = proc;
	w.seen = seen;
	return walk_text(&w, fd);
}
