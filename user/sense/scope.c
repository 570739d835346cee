/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/slice.h"
#include "sense/event_check.h"
#include "sense/proc.h"

#define DEPTH_MAX 16 /* cgroups below a scope that are walked for members */

int ww_scope_mount(char *path, size_t cap)
{
	char line[4096], type[64], dir[3072];
	FILE *f = fopen("/proc/self/mounts", "re");
	int r = -ENOTSUP;

	if (!f)
		return -errno;
	while (r < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %3071s %63s", dir, type) == 2 &&
		    strcmp(type, "cgroup2") == 0 && strlen(dir) < cap) {
			snprintf(path, cap, "%s", dir);
			r = 0;
		}
	}
	fclose(f);
	return r;
}

/* A link goes with its descriptor, unlike an attachment: a killed daemon leaves nothing behind. */
static int link_create(int prog_fd, int cgroup_fd, uint32_t attach_type)
{
	struct {
		uint32_t prog_fd;
		uint32_t target_fd;
		uint32_t attach_type;
		uint32_t flags;
	} a = {(uint32_t)prog_fd, (uint32_t)cgroup_fd, attach_type, 0};
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &a, sizeof(a));

	return fd < 0 ? -errno : (int)fd;
}

static void close_links(struct ww_scope *sc)
{
	for (unsigned i = 0; i < WW_SCOPE_PROGRAMS_MAX; i++) {
		if (sc->links[i] >= 0)
			close(sc->links[i]);
		sc->links[i] = -1;
	}
}

static int attach(const struct ww_scopes *s, struct ww_scope *sc)
{
	WW_AUTO_FD int fd = open(sc->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t have = 0, missing = 0;
	int last = 0;

	if (fd < 0)
		return -errno;
	for (unsigned i = 0; i < s->program_count; i++) {
		const struct ww_scope_program *p = &s->programs[i];

		sc->links[i] = link_create(bpf_program__fd(p->program), fd, p->attach_type);
		if (sc->links[i] >= 0) {
			have |= p->covers;
			continue;
		}
		last = sc->links[i];
		sc->links[i] = -1;
		missing |= p->covers;
		if (p->needed)
			return last;
	}
	sc->covers = have & ~missing;
	return sc->covers & WW_COVERS_TCP ? 0 : last < 0 ? last : -ENOTSUP;
}

static bool is_inside(const char *path, const char *outer)
{
	size_t n = strlen(outer);

	return strncmp(path, outer, n) == 0 && path[n] == '/';
}

static bool attached(const struct ww_scope *sc)
{
	for (unsigned i = 0; i < WW_SCOPE_PROGRAMS_MAX; i++) {
		if (sc->links[i] >= 0)
			return true;
	}
	return false;
}

/* The outermost scope around sc, or sc itself. */
static struct ww_scope *outermost(struct ww_scopes *s, struct ww_scope *sc)
{
	struct ww_scope *outer = sc;

	for (unsigned i = 0; i < s->count; i++) {
		if (is_inside(outer->path, s->scopes[i].path))
			outer = &s->scopes[i];
	}
	return outer;
}

/*
 * Programs on the outermost scopes and nowhere else. First attach, then detach: a packet that is
 * seen twice for a moment does less harm than one that is not seen.
 */
static int settle(struct ww_scopes *s)
{
	int first = 0;

	for (unsigned i = 0; i < s->count; i++) {
		struct ww_scope *sc = &s->scopes[i];

		if (outermost(s, sc) == sc && !attached(sc)) {
			int r = attach(s, sc);

			if (r < 0 && first == 0)
				first = r;
		}
	}
	for (unsigned i = 0; i < s->count; i++) {
		struct ww_scope *sc = &s->scopes[i], *outer = outermost(s, sc);

		if (outer != sc) {
			close_links(sc);
			sc->covers = outer->covers;
		}
	}
	return first;
}

static uint32_t free_slot(const struct ww_scopes *s)
{
	uint32_t slot = 1;

	for (unsigned i = 0; i < s->count; i++) {
		if (s->scopes[i].slot == slot) {
			slot++;
			i = (unsigned)-1; /* look again for the next candidate */
		}
	}
	return slot;
}

static void next_generation(struct ww_scopes *s)
{
	for (unsigned i = 0; i < WW_ARRAY_SIZE(s->generation); i++)
		if (s->generation[i])
			__atomic_add_fetch(s->generation[i], 1, __ATOMIC_SEQ_CST);
}

static void forget_at(struct ww_scopes *s, unsigned i)
{
	bpf_map_delete_elem(s->scope_map, &s->scopes[i].id);
	next_generation(s);
	close_links(&s->scopes[i]);
	s->scopes[i] = s->scopes[--s->count];
}

int ww_scope_add(struct ww_scopes *s, const char *path, uint64_t agents, uint64_t *ret_id,
		 uint32_t *ret_covers)
{
	WW_AUTO_FREE char *real = realpath(path, NULL);
	struct ww_scope_entry entry = {.agents = agents};
	struct ww_scope *sc;
	struct stat st;
	int r;

	if (!real || stat(real, &st) < 0)
		return -errno;
	if (strlen(real) >= sizeof(sc->path))
		return -ENAMETOOLONG;
	if (s->count >= WW_SCOPES_MAX)
		return -ENOSPC;
	for (unsigned i = 0; i < s->count; i++) {
		if (s->scopes[i].id == st.st_ino)
			return -EEXIST;
	}
	sc = &s->scopes[s->count];
	*sc = (struct ww_scope){.id = st.st_ino, .slot = free_slot(s)};
	memcpy(sc->path, real, strlen(real));
	for (unsigned i = 0; i < WW_SCOPE_PROGRAMS_MAX; i++)
		sc->links[i] = -1;
	s->count++;
	r = settle(s);
	entry.slot = sc->slot;
	if (r == 0 && bpf_map_update_elem(s->scope_map, &sc->id, &entry, BPF_NOEXIST) < 0)
		r = -errno;
	if (r < 0) {
		forget_at(s, s->count - 1);
		(void)settle(s); /* as it was before */
		return r;
	}
	next_generation(s);
	*ret_id = sc->id;
	*ret_covers = sc->covers;
	return 0;
}

static int remove_at(struct ww_scopes *s, unsigned i)
{
	forget_at(s, i);
	return settle(s); /* what was inside stands on its own now */
}

void ww_scope_remove(struct ww_scopes *s, uint64_t id)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->scopes[i].id == id) {
			(void)remove_at(s, i); /* an inner cgroup that is gone needs no programs */
			return;
		}
	}
}

void ww_scope_remove_all(struct ww_scopes *s)
{
	while (s->count > 0)
		forget_at(s, s->count - 1);
}

/* --- members ------------------------------------------------------------------------------------
 */

static int read_text(const char *path, char *out, size_t cap)
{
	WW_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out, cap - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	return 0;
}

static void read_status(uint32_t pid, uint32_t *ret_uid, uint32_t *ret_ns_pid)
{
	char path[64], text[4096];
	const char *p;
	unsigned v;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	if (read_text(path, text, sizeof(text)) < 0)
		return;
	p = strstr(text, "\nUid:");
	if (p && sscanf(p + 5, "%u", &v) == 1)
		*ret_uid = v;
	p = strstr(text, "\nNSpid:");
	for (p = p ? p + 7 : NULL; p && *p && *p != '\n'; p += strcspn(p, "\t\n")) {
		p += strspn(p, "\t");
		if (sscanf(p, "%u", &v) == 1)
			*ret_ns_pid = v; /* the last one is the innermost */
	}
}

static void tell_member(uint32_t pid, uint64_t id, void (*fn)(void *ctx, const struct ww_event *ev),
			void *ctx)
{
	struct ww_event_exec ev = {.h = ww_event_header(WW_EVENT_PROC_INFO, sizeof(ev), 0)};
	char path[64], comm[64] = "";
	uint64_t start_ns, parent_ns = 0;
	uint32_t ppid, pp;
	ssize_t n;

	if (ww_proc_stat(pid, &ppid, &start_ns) < 0)
		return; /* gone */
	ev.h.cgroup = id;
	ev.h.actor.start_ns = start_ns;
	ev.h.actor.pid = ev.h.actor.tid = pid;
	if (ww_proc_stat(ppid, &pp, &parent_ns) == 0)
		ev.parent.pid = ppid;
	ev.parent.start_ns = parent_ns;
	read_status(pid, &ev.uid, &ev.ns_pid);
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	if (read_text(path, comm, sizeof(comm)) == 0) {
		comm[strcspn(comm, "\n")] = '\0';
		memcpy(ev.comm, comm, strnlen(comm, sizeof(ev.comm)));
	}
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	n = readlink(path, ev.path, sizeof(ev.path));
	ev.path_bytes = n > 0 ? (uint16_t)n : 0;
	ev.h.time_ns = ww_boot_now().ns;
	fn(ctx, &ev.h);
}

static int members_of(const char *path, uint64_t id,
		      void (*fn)(void *ctx, const struct ww_event *ev), void *ctx)
{
	char procs[WW_CGROUP_PATH_MAX + 16];
	FILE *f;
	unsigned pid;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	f = fopen(procs, "re");
	if (!f)
		return -errno;
	while (fscanf(f, "%u", &pid) == 1)
		tell_member(pid, id, fn, ctx);
	fclose(f);
	return 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

int ww_scope_members(const char *path, uint64_t id,
		     void (*fn)(void *ctx, const struct ww_event *ev), void *ctx)
{
	char at[WW_CGROUP_PATH_MAX];
	DIR *stack[DEPTH_MAX] = {NULL};
	size_t length[DEPTH_MAX];
	unsigned depth = 0;
	int r;

	if (strlen(path) >= sizeof(at))
		return -ENAMETOOLONG;
	snprintf(at, sizeof(at), "%s", path);
	r = members_of(at, id, fn, ctx);
	if (r < 0)
		return r;
	stack[0] = opendir(at);
	length[0] = strlen(at);
	while (stack[depth]) {
		struct dirent *e = readdir(stack[depth]);

		at[length[depth]] = '\0';
		if (!e) {
			close_dir(&stack[depth]);
			stack[depth] = NULL;
			if (depth == 0)
				break;
			depth--;
			continue;
		}
		if (e->d_type != DT_DIR || e->d_name[0] == '.' || depth + 1 >= DEPTH_MAX ||
		    length[depth] + strlen(e->d_name) + 2 > sizeof(at))
			continue;
		snprintf(at + length[depth], sizeof(at) - length[depth], "/%s", e->d_name);
		if (members_of(at, id, fn, ctx) < 0)
			continue; /* removed meanwhile */
		stack[depth + 1] = opendir(at);
		if (!stack[depth + 1])
			continue;
		depth++;
		length[depth] = strlen(at);
	}
	return 0;
}
