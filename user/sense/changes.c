/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "rt/file.h"
#include "sense/change_dirs.h"
#include "sense/event_check.h"

#define READ_BYTES (64u << 10)
/* What the kernel's queue holds where it does not say (sysctl fs.fanotify.max_queued_events). */
#define QUEUE_DEFAULT 16384u
/* Read and waiting for the rings. */
#define PENDING_MAX 65536u
/* Files are closed when their process has exited already; its number is nobody's yet. */
#define CLOSING_NS 250000000ull
/* How long the number of a process that ended is remembered. */
#define ENDED_KEPT_NS 2000000000ull
#define SWEEP_NS      1000000000ull
#define LOOK_NS       500000000ull
#define STRAY_MAX     64
/* A search may take long where many files are: for a twentieth of the time at most. */
#define FIND_SHARE 20
/* Whether what were too many are fewer now. */
#define MANY_AGAIN_NS 10000000000ull
/* The first pid namespace (include/linux/proc_ns.h). */
#define PID_NAMESPACE_INODE 0xEFFFFFFCu

/* A watched process, by its number. */
struct life {
	uint32_t pid;
	uint64_t start_ns;
	uint64_t cgroup;
	uint64_t ended_ns; /* 0: it lives */
	bool apart;        /* it, or whom it comes from, was in another mount namespace than ours */
	bool unseen;       /* and was gone when it was looked at */
	UT_hash_handle hh;
};

struct template
{
	const char *text;
	bool whole;
	bool dirty; /* to be looked for again */
	bool told;
	enum ww_files_why why;
	uint64_t found_ns, again_ns; /* the last search; none before */
	struct ww_change_dirs_found found;
};

/* A scope that sees other directories under a template; told once, forgotten with it. */
struct elsewhere {
	struct elsewhere_key {
		uint64_t cgroup;
		uint64_t template;
	} key;
	UT_hash_handle hh;
};

struct pending {
	uint32_t pid;
	uint32_t what;
	uint64_t since_ns, at_ns;
	char *path;
};

struct ww_changes {
	unsigned template_count;
	struct template *templates;
	struct ww_change_dirs_seen *seen; /* one of each, for a look */
	struct ww_change_dirs dirs;
	int fan; /* -1: none */
	enum ww_files_why cannot;
	uint64_t queue_max; /* events */
	uint64_t empty_ns;  /* what happened before this was read */
	uint64_t gap_ns;    /* the same, before what is being told was read */
	bool overflow;
	unsigned stray; /* marks of directories that were moved away */
	uint64_t swept_ns, looked_ns;
	struct life *lives;
	struct elsewhere *elsewhere;
	uint64_t mounts; /* our namespace */
	uint32_t pending_count, pending_cap;
	struct pending *pending;
	struct ww_changes_stats stats;
	uint8_t buffer[READ_BYTES] __attribute__((aligned(8)));
};

/* --- life ------------------------------------------------------------------------------------- */

static uint64_t namespace_of(uint32_t pid)
{
	char path[40];
	struct stat st;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
	else
		snprintf(path, sizeof(path), "/proc/self/ns/mnt");
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

/* False for a process that is gone. */
static bool is_apart(const struct ww_changes *c, uint32_t pid)
{
	uint64_t ns = namespace_of(pid);

	return ns && ns != c->mounts;
}

static enum ww_files_why open_queue(struct ww_changes *c)
{
	char text[32];
	struct stat st;

	c->queue_max = QUEUE_DEFAULT;
	if (ww_file_line("/proc/sys/fs/fanotify/max_queued_events", text, sizeof(text)) == 0 &&
	    ww_slice_u64(ww_slice_str(text), &c->queue_max) < 0)
		c->queue_max = QUEUE_DEFAULT;

	if (stat("/proc/self/ns/pid", &st) < 0 || st.st_ino != PID_NAMESPACE_INODE)
		return WW_FILES_PIDS;
	/* Without the right that unlimited marks take, the kernel names no processes. */
	c->fan = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS |
				       FAN_REPORT_FID | FAN_REPORT_DFID_NAME,
			       O_RDONLY | O_LARGEFILE | O_CLOEXEC);
	if (c->fan >= 0)
		return WW_FILES_NONE;
	return errno == EPERM ? WW_FILES_RIGHTS : WW_FILES_KERNEL;
}

static bool is_listed(const struct ww_changes *c, const char *text)
{
	for (unsigned i = 0; i < c->template_count; i++) {
		if (strcmp(c->templates[i].text, text) == 0)
			return true;
	}
	return false;
}

int ww_changes_new(const struct ww_contracts *contracts, struct ww_changes **ret_changes)
{
	WW_AUTO(ww_changes_free_auto) struct ww_changes *c = NULL;
	size_t files = 0;

	for (unsigned i = 0; i < contracts->count; i++)
		files += contracts->items[i].local.file_count;
	*ret_changes = NULL;
	if (files == 0)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->fan = -1;
	c->templates = calloc(files, sizeof(*c->templates));
	c->seen = calloc(files, sizeof(*c->seen));
	if (!c->templates || !c->seen)
		return -ENOMEM;
	for (unsigned i = 0; i < contracts->count; i++) {
		const struct ww_local *l = &contracts->items[i].local;

		for (unsigned k = 0; k < l->file_count; k++) {
			if (!is_listed(c, l->files[k]))
				c->templates[c->template_count++].text = l->files[k];
		}
	}
	c->mounts = namespace_of(0);
	c->cannot = open_queue(c);
	c->dirs.fan = c->fan;
	*ret_changes = WW_TAKE(c);
	return 0;
}

static void drop_pending(struct ww_changes *c)
{
	for (uint32_t i = 0; i < c->pending_count; i++)
		free(c->pending[i].path);
	c->pending_count = 0;
}

void ww_changes_free(struct ww_changes *c)
{
	struct elsewhere *e, *next_e;
	struct life *l, *next;

	if (!c)
		return;
	HASH_ITER (hh, c->lives, l, next) {
		HASH_DELETE(hh, c->lives, l);
		free(l);
	}
	HASH_ITER (hh, c->elsewhere, e, next_e) {
		HASH_DELETE(hh, c->elsewhere, e);
		free(e);
	}
	drop_pending(c);
	free(c->pending);
	ww_change_dirs_clear(&c->dirs, false);
	if (c->fan >= 0)
		close(c->fan);
	free(c->templates);
	free(c->seen);
	free(c);
}

/* --- whether a template is watched ------------------------------------------------------------ */

static void tell(const struct template *t, uint64_t cgroup, uint64_t time_ns, uint16_t status,
		 enum ww_files_why why, ww_changes_fn fn, void *ctx)
{
	struct ww_event_coverage ev = {.h = ww_event_header(WW_EVENT_COVERAGE, sizeof(ev), time_ns),
				       .what = WW_COVERAGE_FILES,
				       .status = status,
				       .detail = why,
				       .path_bytes = (uint32_t)strlen(t->text)};

	ev.h.cgroup = cgroup;
	memcpy(ev.path, t->text, ev.path_bytes);
	fn(ctx, &ev.h);
}

/* Not whole since then; that is told before anything else. */
static void weaken(struct ww_changes *c, struct template *t, enum ww_files_why why,
		   ww_changes_fn fn, void *ctx)
{
	if (t->whole || !t->told)
		tell(t, 0, t->told ? c->gap_ns : ww_boot_now().ns, WW_PROBE_DETACHED, why, fn, ctx);
	t->told = true;
	t->whole = false;
	t->why = why;
}

static bool is_told(const struct ww_changes *c, struct elsewhere_key key)
{
	struct elsewhere *e = NULL;

	HASH_FIND(hh, c->elsewhere, &key, sizeof(key), e);
	return e != NULL;
}

/* Without memory it is told again. */
static void note_told(struct ww_changes *c, struct elsewhere_key key)
{
	struct elsewhere *e = calloc(1, sizeof(*e));

	if (!e)
		return;
	e->key = key;
	HASH_ADD(hh, c->elsewhere, key, sizeof(e->key), e);
	if (!e->hh.tbl)
		free(e);
}

static void tell_elsewhere(struct ww_changes *c, struct elsewhere_key key, uint64_t time_ns,
			   ww_changes_fn fn, void *ctx)
{
	note_told(c, key);
	tell(&c->templates[key.template], key.cgroup, time_ns, WW_PROBE_DETACHED, WW_FILES_MOUNTS,
	     fn, ctx);
}

/* Other directories than before stand under the declared paths: a process with a namespace of its
 * own may have kept those. One that is gone by now can change nothing any more. */
static void check_scopes(struct ww_changes *c, unsigned template, ww_changes_fn fn, void *ctx)
{
	struct life *l, *next;

	HASH_ITER (hh, c->lives, l, next) {
		struct elsewhere_key key = {l->cgroup, template};

		if (!l->apart || l->ended_ns || is_told(c, key))
			continue;
		if (!ww_change_dirs_seen_by(&c->dirs, template, l->pid) && is_apart(c, l->pid))
			tell_elsewhere(c, key, c->gap_ns, fn, ctx);
	}
}

static void find_again(struct ww_changes *c, struct template *t, ww_changes_fn fn, void *ctx)
{
	unsigned number = (unsigned)(t - c->templates), files = 0;
	uint64_t now = ww_boot_now().ns;

	t->dirty = false;
	ww_change_dirs_forget(&c->dirs, number);
	for (unsigned i = 0; i < c->template_count; i++) {
		if (i != number && c->templates[i].why != WW_FILES_MANY)
			files += c->templates[i].found.files;
	}
	t->found = ww_change_dirs_find(&c->dirs, number, t->text,
				       files < WW_CHANGES_FILES_MAX ? WW_CHANGES_FILES_MAX - files
								    : 0);
	t->found_ns = ww_boot_now().ns;
	t->again_ns = t->found_ns + FIND_SHARE * (t->found_ns - now);
	if (t->found.why != WW_FILES_NONE) {
		weaken(c, t, t->found.why, fn, ctx);
		return;
	}
	check_scopes(c, number, fn, ctx);
	t->whole = t->told = true;
	t->why = WW_FILES_NONE;
	tell(t, 0, ww_boot_now().ns, WW_PROBE_ATTACHED, WW_FILES_NONE, fn, ctx);
}

static void find_dirty(struct ww_changes *c, ww_changes_fn fn, void *ctx)
{
	bool any = false;

	for (unsigned i = 0; i < c->template_count; i++) {
		struct template *t = &c->templates[i];

		if (!t->dirty)
			continue;
		if (t->whole)
			weaken(c, t, WW_FILES_DIRECTORY, fn, ctx);
		if (ww_boot_now().ns < t->again_ns)
			continue;
		any = true;
		find_again(c, t, fn, ctx);
	}
	/* Marks in places that are no template's any more: when there are many, all go and come
	 * again. */
	if (any)
		c->stray += ww_change_dirs_sweep(&c->dirs);
	if (c->stray < STRAY_MAX)
		return;
	c->stray = 0;
	ww_change_dirs_clear(&c->dirs, true);
	for (unsigned i = 0; i < c->template_count; i++) {
		if (c->templates[i].whole)
			weaken(c, &c->templates[i], WW_FILES_DIRECTORY, fn, ctx);
		find_again(c, &c->templates[i], fn, ctx);
	}
}

void ww_changes_start(struct ww_changes *c, ww_changes_fn fn, void *ctx)
{
	c->empty_ns = c->gap_ns = c->looked_ns = c->swept_ns = ww_boot_now().ns;
	for (unsigned i = 0; i < c->template_count; i++) {
		if (c->cannot != WW_FILES_NONE)
			weaken(c, &c->templates[i], c->cannot, fn, ctx);
		else
			find_again(c, &c->templates[i], fn, ctx);
	}
}

/* What the look shows is not what the search had found. */
static bool is_changed(const struct ww_changes *c, const struct template *t)
{
	const struct ww_change_dirs_seen *seen = &c->seen[t - c->templates];

	if (t->why == WW_FILES_MANY)
		return ww_boot_now().ns >= t->found_ns + MANY_AGAIN_NS;
	if (t->found.dirs == 0)
		return true;
	if (seen->moved || (!c->lives && t->why != WW_FILES_LINK))
		return seen->moved;
	return seen->linked != (t->why == WW_FILES_LINK) ||
	       (t->whole && seen->files > WW_CHANGES_FILES_MAX);
}

/* At files only while somebody is watched who could link them, or one is linked. */
void ww_changes_look(struct ww_changes *c, ww_changes_fn fn, void *ctx)
{
	uint64_t now = ww_boot_now().ns;
	bool files = c->lives != NULL;

	if (c->cannot != WW_FILES_NONE || now - c->looked_ns < LOOK_NS)
		return;
	for (unsigned i = 0; i < c->template_count; i++) {
		bool many = c->templates[i].why == WW_FILES_MANY; /* nobody asks */

		files |= c->templates[i].why == WW_FILES_LINK;
		c->seen[i] =
			(struct ww_change_dirs_seen){.files = many ? WW_CHANGES_FILES_MAX + 1 : 0};
	}
	ww_change_dirs_look(&c->dirs, files, WW_CHANGES_FILES_MAX, c->seen, c->template_count);
	for (unsigned i = 0; i < c->template_count; i++) {
		struct template *t = &c->templates[i];

		if (t->dirty || !is_changed(c, t))
			continue;
		/* Since the last look, at the earliest. */
		if (t->whole) {
			tell(t, 0, c->looked_ns, WW_PROBE_DETACHED, WW_FILES_DIRECTORY, fn, ctx);
			t->whole = false;
		}
		t->dirty = true;
	}
	c->looked_ns = now;
}

/* --- who is watched --------------------------------------------------------------------------- */

static struct life *life_of(struct ww_changes *c, uint32_t pid)
{
	struct life *l = NULL;

	HASH_FIND(hh, c->lives, &pid, sizeof(pid), l);
	return l;
}

static void forget(struct ww_changes *c, struct life *l)
{
	HASH_DELETE(hh, c->lives, l);
	free(l);
}

static struct life *begin_life(struct ww_changes *c, const struct ww_event *ev)
{
	struct life *l = life_of(c, ev->actor.pid);

	if (!l) {
		if (HASH_COUNT(c->lives) >= WW_ACTORS_MAX)
			return NULL; /* its changes are somebody's outside: stricter, never looser
				      */
		l = calloc(1, sizeof(*l));
		if (!l)
			return NULL;
		l->pid = ev->actor.pid;
		HASH_ADD(hh, c->lives, pid, sizeof(l->pid), l);
		if (!l->hh.tbl) {
			free(l);
			return NULL;
		}
	}
	l->start_ns = ev->actor.start_ns;
	l->cgroup = ev->cgroup;
	l->ended_ns = 0;
	return l;
}

/* A process with a namespace of its own may see other directories under the declared paths. One
 * that is gone saw what its parent does; but where its program had mounts of its own (`own`),
 * nobody can say any more what it saw until now. */
static void check_mounts(struct ww_changes *c, const struct ww_event *ev, struct life *l, bool own,
			 ww_changes_fn fn, void *ctx)
{
	uint64_t ns = namespace_of(ev->actor.pid);
	bool apart = ns ? ns != c->mounts : own;

	if (l) {
		l->apart = apart;
		l->unseen = apart && !ns;
	}
	for (unsigned i = 0; apart && i < c->template_count; i++) {
		struct elsewhere_key key = {ev->cgroup, i};

		if (is_told(c, key) || (ns && ww_change_dirs_seen_by(&c->dirs, i, ev->actor.pid)))
			continue;
		if (ns) {
			tell_elsewhere(c, key, ev->time_ns, fn, ctx);
			continue;
		}
		tell(&c->templates[i], ev->cgroup, ev->time_ns, WW_PROBE_DETACHED, WW_FILES_MOUNTS,
		     fn, ctx);
		tell(&c->templates[i], ev->cgroup, ww_boot_now().ns, WW_PROBE_ATTACHED,
		     WW_FILES_NONE, fn, ctx);
	}
}

/* It sees what its parent does, of which nobody may know. */
static void take_fork(struct ww_changes *c, const struct ww_event_fork *ev, ww_changes_fn fn,
		      void *ctx)
{
	const struct life *parent = life_of(c, ev->parent.pid);
	bool apart = parent && parent->apart, unseen = parent && parent->unseen;
	struct life *l = begin_life(c, &ev->h);

	if (l) {
		l->apart = apart;
		l->unseen = false;
	}
	if (unseen)
		check_mounts(c, &ev->h, l, true, fn, ctx);
}

static void end_scope(struct ww_changes *c, const struct ww_event_scope *ev)
{
	struct elsewhere *e, *next_e;
	struct life *l, *next;

	if (ev->entered)
		return;
	HASH_ITER (hh, c->lives, l, next) {
		if (l->cgroup == ev->h.cgroup)
			forget(c, l);
	}
	HASH_ITER (hh, c->elsewhere, e, next_e) {
		if (e->key.cgroup != ev->h.cgroup)
			continue;
		HASH_DELETE(hh, c->elsewhere, e);
		free(e);
	}
}

void ww_changes_note(struct ww_changes *c, const struct ww_event *ev, ww_changes_fn fn, void *ctx)
{
	struct life *l;

	switch (ev->kind) {
	case WW_EVENT_PROC_FORK:
		take_fork(c, (const struct ww_event_fork *)ev, fn, ctx);
		return;
	case WW_EVENT_PROC_EXEC:
	case WW_EVENT_PROC_INFO:
		l = begin_life(c, ev);
		check_mounts(c, ev, l, ((const struct ww_event_exec *)ev)->own_mounts, fn, ctx);
		return;
	case WW_EVENT_PROC_EXIT:
		l = life_of(c, ev->actor.pid);
		if (l)
			l->ended_ns = ev->time_ns;
		return;
	case WW_EVENT_PROC_LEFT:
		l = life_of(c, ev->actor.pid);
		if (l)
			forget(c, l);
		return;
	case WW_EVENT_SCOPE:
		end_scope(c, (const struct ww_event_scope *)ev);
		return;
	default:
		return;
	}
}

static void sweep(struct ww_changes *c)
{
	uint64_t now = ww_boot_now().ns;
	struct life *l, *next;

	if (now - c->swept_ns < SWEEP_NS)
		return;
	c->swept_ns = now;
	HASH_ITER (hh, c->lives, l, next) {
		if (l->ended_ns && l->ended_ns + ENDED_KEPT_NS < now)
			forget(c, l);
	}
}

/* NULL: no watched process. */
static const struct life *who(struct ww_changes *c, const struct pending *p)
{
	const struct life *l = life_of(c, p->pid);

	return l && l->start_ns <= p->at_ns &&
			       (!l->ended_ns || l->ended_ns + CLOSING_NS >= p->since_ns)
		       ? l
		       : NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

static uint32_t bits_of(uint64_t mask)
{
	static const struct {
		uint64_t from;
		uint32_t to;
	} bits[] = {
		{FAN_MODIFY, WW_CHANGE_MODIFIED},     {FAN_CLOSE_WRITE, WW_CHANGE_CLOSED},
		{FAN_CREATE, WW_CHANGE_CREATED},      {FAN_MOVED_FROM, WW_CHANGE_MOVED_AWAY},
		{FAN_MOVED_TO, WW_CHANGE_MOVED_HERE}, {FAN_DELETE, WW_CHANGE_REMOVED},
	};
	uint32_t what = 0;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(bits); i++) {
		if (mask & bits[i].from)
			what |= bits[i].to;
	}
	return what;
}

static void keep(struct ww_changes *c, uint32_t pid, uint32_t what, const char *path,
		 uint64_t at_ns)
{
	uint32_t cap = c->pending_cap ? 2 * c->pending_cap : 256;
	struct pending *p;

	if (c->pending_count == c->pending_cap) {
		p = c->pending_count < PENDING_MAX
			    ? reallocarray(c->pending, cap, sizeof(*c->pending))
			    : NULL;
		if (!p) {
			c->overflow = true;
			return;
		}
		c->pending = p;
		c->pending_cap = cap;
	}
	p = &c->pending[c->pending_count];
	*p = (struct pending){pid, what, c->empty_ns, at_ns, strdup(path)};
	if (!p->path) {
		c->overflow = true;
		return;
	}
	c->pending_count++;
}

static bool take_handle(const struct fanotify_event_info_fid *fid, size_t room,
			struct ww_change_dir_key *ret)
{
	const struct file_handle *h = (const void *)fid->handle;
	size_t fixed = sizeof(*fid) + sizeof(*h);

	if (room < fixed || h->handle_bytes > room - fixed || h->handle_bytes > WW_DIR_HANDLE_MAX)
		return false;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->fsid, &fid->fsid, sizeof(ret->fsid));
	ret->type = h->handle_type;
	ret->bytes = h->handle_bytes;
	memcpy(ret->handle, h->f_handle, h->handle_bytes);
	return true;
}

/* What an event is about: a name in a directory, and where the kernel tells it, the file. */
struct about {
	struct ww_change_dir_key dir, file;
	bool dir_told, file_told;
	const char *name;
};

static void take_info(const struct fanotify_event_info_fid *fid, size_t room, struct about *a)
{
	const struct file_handle *h = (const void *)fid->handle;
	const char *name;

	switch (fid->hdr.info_type) {
	case FAN_EVENT_INFO_TYPE_DFID:
		a->dir_told = take_handle(fid, room, &a->dir);
		return;
	case FAN_EVENT_INFO_TYPE_DFID_NAME:
		if (!take_handle(fid, room, &a->dir))
			return;
		name = (const char *)h->f_handle + h->handle_bytes;
		a->dir_told = memchr(name, 0, (size_t)((const char *)fid + room - name)) != NULL;
		a->name = name;
		return;
	case FAN_EVENT_INFO_TYPE_FID:
		a->file_told = take_handle(fid, room, &a->file);
		return;
	default:
		return;
	}
}

static struct about about(const struct fanotify_event_metadata *m)
{
	struct about a = {.name = "."};
	size_t at = m->metadata_len;

	while (at + sizeof(struct fanotify_event_info_header) <= m->event_len) {
		const struct fanotify_event_info_fid *fid = (const void *)((const char *)m + at);
		size_t room = fid->hdr.len;

		if (room < sizeof(fid->hdr) || room > m->event_len - at)
			break;
		at += room;
		take_info(fid, room, &a);
	}
	return a;
}

/* What is still open may have no name any more, and a name may lead to a link or to a pipe. */
static uint32_t where(const struct ww_changes *c, const struct about *a, uint64_t mask,
		      const char *path)
{
	if (!c->lives || !(bits_of(mask) & ~(uint32_t)(WW_CHANGE_REMOVED | WW_CHANGE_MOVED_AWAY)))
		return 0;
	return ww_change_dirs_there(path, a->file_told ? &a->file : NULL) ? 0 : WW_CHANGE_NOT_THERE;
}

static bool is_of(const char *text, const char *path)
{
	return ww_local_path(ww_slice_str(text), ww_slice_str(path));
}

/* The same path under several templates is one change. */
static bool is_kept(const struct ww_changes *c, uint32_t from, const char *path)
{
	for (uint32_t i = from; i < c->pending_count; i++) {
		if (strcmp(c->pending[i].path, path) == 0)
			return true;
	}
	return false;
}

/* A declared file's name came, went or changed. */
static void take_file(struct ww_changes *c, const struct ww_change_dir_place *place,
		      const struct about *a, const struct fanotify_event_metadata *m,
		      uint64_t at_ns, uint32_t first)
{
	struct template *t = &c->templates[place->template];
	uint64_t mask = m->mask;
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", place->path, a->name) >= sizeof(path) ||
	    !is_of(t->text, path))
		return;
	if (strlen(path) > WW_PATH_BYTES_MAX) {
		t->dirty = true; /* it is lost, an event holds no such name: a gap */
		return;
	}
	/* A link may have come, or gone. */
	if ((mask & (FAN_CREATE | FAN_MOVED_TO) && ww_change_dirs_linked(AT_FDCWD, path)) ||
	    (t->why == WW_FILES_LINK && mask & (FAN_DELETE | FAN_MOVED_FROM)))
		t->dirty = true;
	if (!is_kept(c, first, path))
		keep(c, (uint32_t)m->pid, bits_of(mask) | where(c, a, mask, path), path, at_ns);
}

/* What a template's way leads through came or went. */
static bool is_way(const struct ww_change_dir_place *place, const char *name, uint64_t mask)
{
	bool rest = ww_slice_eq_str(place->next, "**");

	if (!(mask & (FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO)))
		return false;
	if (place->files)
		return rest && mask & FAN_ONDIR && name[0] != '.';
	return ww_local_segment(place->next, ww_slice_str(name));
}

static void take_named(struct ww_changes *c, struct ww_change_dir *dir, const struct about *a,
		       const struct fanotify_event_metadata *m, uint64_t at_ns)
{
	uint32_t first = c->pending_count;
	uint64_t mask = m->mask;

	dir->gone |= (mask & FAN_DELETE_SELF) != 0; /* its mark as well */
	for (unsigned i = 0; i < dir->place_count; i++) {
		const struct ww_change_dir_place *place = &dir->places[i];

		if (mask & (FAN_DELETE_SELF | FAN_MOVE_SELF) || is_way(place, a->name, mask))
			c->templates[place->template].dirty = true;
		if (place->files && !(mask & FAN_ONDIR) && bits_of(mask))
			take_file(c, place, a, m, at_ns, first);
	}
}

/* How many. */
static uint64_t take_events(struct ww_changes *c, size_t n, uint64_t at_ns)
{
	const struct fanotify_event_metadata *m = (const void *)c->buffer;
	uint64_t before = c->stats.events;

	for (; FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n)) {
		struct ww_change_dir *dir = NULL;
		struct about a;

		c->stats.events++;
		if (m->vers != FANOTIFY_METADATA_VERSION || m->mask & FAN_Q_OVERFLOW) {
			c->overflow = true;
			continue;
		}
		a = about(m);
		if (a.dir_told)
			dir = ww_change_dirs_get(&c->dirs, &a.dir);
		if (dir) /* else one whose mark goes with the next search */
			take_named(c, dir, &a, m, at_ns);
	}
	return c->stats.events - before;
}

static bool any_left(const struct ww_changes *c)
{
	bool dirty = c->overflow || c->pending_count;

	for (unsigned i = 0; i < c->template_count; i++)
		dirty |= c->templates[i].dirty;
	return dirty;
}

/* As many as the queue holds were in it when it began, at most: then the rest is younger. */
uint64_t ww_changes_read(struct ww_changes *c)
{
	uint64_t begin = ww_boot_now().ns, taken = 0;

	if (c->fan < 0)
		return begin;
	if (!any_left(c))
		c->gap_ns = c->empty_ns;
	while (taken <= c->queue_max) {
		uint64_t before = ww_boot_now().ns;
		ssize_t n = read(c->fan, c->buffer, sizeof(c->buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			begin = before;
			break;
		}
		taken += take_events(c, (size_t)n, ww_boot_now().ns);
	}
	c->empty_ns = begin;
	return begin;
}

/* --- telling ---------------------------------------------------------------------------------- */

static void tell_change(const struct pending *p, const struct life *l, const char *path,
			ww_changes_fn fn, void *ctx)
{
	struct ww_event_change ev = {.h = ww_event_header(WW_EVENT_CHANGE, sizeof(ev), p->at_ns),
				     .since_ns = p->since_ns,
				     .what = p->what};

	if (l) {
		ev.h.actor = (struct ww_actor_key){.start_ns = l->start_ns, .pid = l->pid};
		ev.h.cgroup = l->cgroup;
	} else {
		ev.what = 0;
	}
	ev.path_bytes = (uint32_t)strlen(path);
	memcpy(ev.path, path, ev.path_bytes);
	fn(ctx, &ev.h);
}

/* Nobody's name is kept, and of many changes one. Without a scope nobody asks. */
static void tell_outside(struct ww_changes *c, const struct pending *p, bool *told,
			 ww_changes_fn fn, void *ctx)
{
	c->stats.outside++;
	for (unsigned i = 0; c->lives && i < c->template_count; i++) {
		if (told[i] || !is_of(c->templates[i].text, p->path))
			continue;
		told[i] = true;
		tell_change(p, NULL, c->templates[i].text, fn, ctx);
	}
}

static void tell_overflow(struct ww_changes *c, ww_changes_fn fn, void *ctx)
{
	struct ww_event_loss ev = {
		.h = ww_event_header(WW_EVENT_LOSS, sizeof(ev), ww_boot_now().ns),
		.cause = WW_LOSS_CHANGES,
		.events = 1};

	for (unsigned i = 0; i < c->template_count; i++) {
		weaken(c, &c->templates[i], WW_FILES_OVERFLOW, fn, ctx);
		c->templates[i].dirty = true;
	}
	fn(ctx, &ev.h);
	c->stats.overflows++;
	c->overflow = false;
}

bool ww_changes_deliver(struct ww_changes *c, uint64_t horizon, ww_changes_fn fn, void *ctx)
{
	WW_AUTO_FREE bool *told = NULL;
	uint32_t done = 0;

	if (c->overflow)
		tell_overflow(c, fn, ctx);
	if (c->pending_count)
		told = calloc(c->template_count, sizeof(*told));
	while (told && done < c->pending_count && c->pending[done].at_ns <= horizon) {
		const struct pending *p = &c->pending[done++];
		const struct life *l = who(c, p);

		if (l) {
			c->stats.told++;
			tell_change(p, l, p->path, fn, ctx);
		} else {
			tell_outside(c, p, told, fn, ctx);
		}
		free(p->path);
	}
	if (done) {
		memmove(c->pending, c->pending + done,
			(c->pending_count - done) * sizeof(*c->pending));
		c->pending_count -= done;
	}
	if (c->fan >= 0)
		find_dirty(c, fn, ctx);
	sweep(c);
	return c->pending_count == 0;
}

unsigned ww_changes_templates(const struct ww_changes *c, struct ww_changes_template *ret,
			      unsigned max)
{
	unsigned n = 0;

	for (; n < c->template_count && n < max; n++)
		ret[n] = (struct ww_changes_template){c->templates[n].text, c->templates[n].whole,
						      c->templates[n].why,
						      c->templates[n].found.dirs};
	return n;
}

struct ww_changes_stats ww_changes_stats(const struct ww_changes *c)
{
	struct ww_changes_stats s = c->stats;

	s.dirs = c->dirs.count;
	return s;
}
