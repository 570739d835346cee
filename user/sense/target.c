/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 * 1. An index is handed out by one `file` call and ended by at most one `evict` before it is handed
 *    out again.
 * 2. The probes' plan and the descriptor in `file` belong to one and the same open file.
 * 3. A process hears of a file or a reason once, of a file once more after each exec, as long as it
 *    is among the PROCESSES_MAX last looked at.
 */
#include "sense/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/hash.h"
#include "sense/elf.h"
#include "sense/maps.h"

#define PROCESSES_MAX 4096u

enum reason { NO_REASON, GNUTLS, NSS, MBEDTLS, WOLFSSL, S2N, JAVA, GO, GO_TABLE, CODE };

static const char *const reasons[] = {
	[GNUTLS] = "gnutls",
	[NSS] = "nss",
	[MBEDTLS] = "mbedtls",
	[WOLFSSL] = "wolfssl",
	[S2N] = "s2n",
	[JAVA] = "java",
	[GO] = "go",               /* crypto/tls may be compiled in */
	[GO_TABLE] = "go-pclntab", /* its table of functions is not of a version that is read */
	[CODE] = "openssl-code",   /* has the API, but not all of it was understood */
};

/* What a file of the stack is called that is not understood. */
static const enum reason reason_of_stack[WW_TLS_STACKS] = {
	[WW_TLS_GNUTLS] = GNUTLS,
	[WW_TLS_GO] = GO,
};

/* Stacks that are known by the beginning of the file's name or soname. */
static const struct opaque_name {
	const char *prefix;
	enum reason reason;
} opaque_names[] = {
	{"libgnutls.so", GNUTLS},   {"libnss3.so", NSS},        {"libssl3.so", NSS},
	{"libmbedtls.so", MBEDTLS}, {"libwolfssl.so", WOLFSSL}, {"libs2n.so", S2N},
	{"libjvm.so", JAVA},
};

struct file_key {
	uint64_t dev, inode;
};

struct entry {
	struct file_key key;
	struct timespec changed;
	int64_t bytes;
	uint32_t index;           /* 0: no plan */
	struct ww_tls_plan *plan; /* with an index */
	enum reason opaque;
	int answer;    /* of the last examination; 1: none yet */
	uint64_t seen; /* number of the look that met it last */
	uint8_t id[WW_ELF_BUILD_ID_MAX];
	UT_hash_handle hh;
};

struct process_key {
	uint64_t pid, start_ns;
};

struct process {
	struct process_key key;
	uint64_t used[WW_TLS_FILES_MAX / 64 + 1]; /* bits: indexes that it heard of */
	uint32_t told;                            /* 1 << enum reason */
	uint64_t seen;
	UT_hash_handle hh;
};

struct ww_targets {
	struct entry *entries;
	struct process *processes;
	struct entry *files[WW_TLS_FILES_MAX]; /* by index - 1 */
	uint32_t last_index;
	uint64_t looks;
	struct ww_target_stats stats;
};

/* What a look at one file carries along. */
struct look {
	struct ww_targets *t;
	const struct ww_target_ops *ops;
	void *ctx;
	struct process *process; /* NULL: a path from the configuration */
	struct ww_actor_key actor;
	uint64_t cgroup;
	char path[WW_PATH_BYTES_MAX];
};

/* --- processes ------------------------------------------------------------------------------ */

static void process_drop_oldest(struct ww_targets *t)
{
	struct process *p, *next, *oldest = NULL;

	HASH_ITER (hh, t->processes, p, next)
		if (!oldest || p->seen < oldest->seen)
			oldest = p;
	if (!oldest)
		return;
	HASH_DEL(t->processes, oldest);
	free(oldest);
}

static struct process *process_of(struct ww_targets *t, struct ww_actor_key actor)
{
	struct process_key key = {actor.pid, actor.start_ns};
	struct process *p = NULL;

	HASH_FIND(hh, t->processes, &key, sizeof(key), p);
	if (!p) {
		if (HASH_COUNT(t->processes) >= PROCESSES_MAX)
			process_drop_oldest(t);
		p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
		p->key = key;
		HASH_ADD(hh, t->processes, key, sizeof(key), p);
		if (!p->hh.tbl) {
			free(p);
			return NULL;
		}
	}
	p->seen = t->looks;
	return p;
}

static void tell_use(const struct look *l, const struct entry *e)
{
	struct ww_target_use u = {l->actor, l->cgroup, e->index};
	uint64_t bit = UINT64_C(1) << (e->index % 64);

	if (!l->process || (l->process->used[e->index / 64] & bit))
		return;
	l->process->used[e->index / 64] |= bit;
	if (l->ops->use)
		l->ops->use(l->ctx, &u);
}

static void tell_opaque(const struct look *l, enum reason reason)
{
	struct ww_target_opaque o = {
		.actor = l->actor, .cgroup = l->cgroup, .reason = reasons[reason]};
	uint32_t bit = 1u << reason;

	if (!l->process || (l->process->told & bit))
		return;
	l->process->told |= bit;
	memcpy(o.path, l->path, sizeof(o.path));
	if (l->ops->opaque)
		l->ops->opaque(l->ctx, &o);
}

/* --- files ---------------------------------------------------------------------------------- */

static void release(struct look *l, struct entry *e)
{
	struct process *p, *next;

	if (e->index == 0)
		return;
	if (l->ops->evict)
		l->ops->evict(l->ctx, e->index);
	HASH_ITER (hh, l->t->processes, p, next)
		p->used[e->index / 64] &= ~(UINT64_C(1) << (e->index % 64));
	l->t->files[e->index - 1] = NULL;
	l->t->stats.files--;
	l->t->stats.others++;
	e->index = 0;
	e->answer = 1; /* met again, it is examined again */
	free(e->plan);
	e->plan = NULL;
}

static void entry_drop(struct look *l, struct entry *e)
{
	release(l, e);
	l->t->stats.others--;
	HASH_DEL(l->t->entries, e);
	free(e);
}

static void drop_oldest_other(struct look *l)
{
	struct entry *e, *next, *oldest = NULL;

	HASH_ITER (hh, l->t->entries, e, next)
		if (e->index == 0 && (!oldest || e->seen < oldest->seen))
			oldest = e;
	if (oldest)
		entry_drop(l, oldest);
}

/*
 * An index for a new plan: the next free one in turn, so that one is used again as late as can be;
 * made free by giving up the file that was met longest ago when all are taken.
 */
static uint32_t take_index(struct look *l)
{
	struct entry *oldest = NULL;
	uint32_t index = l->t->last_index;

	for (size_t i = 0; i < WW_TLS_FILES_MAX; i++) {
		struct entry *e;

		index = index % WW_TLS_FILES_MAX + 1;
		e = l->t->files[index - 1];
		if (!e)
			return index;
		if (!oldest || e->seen < oldest->seen)
			oldest = e;
	}
	index = oldest->index;
	l->t->stats.evicted++;
	release(l, oldest);
	return index;
}

static bool is_same(const struct entry *e, const struct stat *st)
{
	return e->answer <= 0 && e->changed.tv_sec == st->st_ctim.tv_sec &&
	       e->changed.tv_nsec == st->st_ctim.tv_nsec && e->bytes == st->st_size;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum reason opaque_by_name(const char *name)
{
	for (size_t i = 0; name && i < WW_ARRAY_SIZE(opaque_names); i++)
		if (strncmp(name, opaque_names[i].prefix, strlen(opaque_names[i].prefix)) == 0)
			return opaque_names[i].reason;
	return NO_REASON;
}

/* What is in the file beside a plan. */
static enum reason opaque_reason(const struct look *l, struct ww_elf *elf)
{
	enum reason reason = opaque_by_name(base_name(l->path));

	if (!reason)
		reason = opaque_by_name(ww_elf_soname(elf));
	if (!reason && ww_elf_has_section(elf, ".go.buildinfo"))
		reason = GO;
	return reason;
}

static void hand_out(struct look *l, struct entry *e, int fd)
{
	struct ww_target_file f = {
		.dev = e->key.dev, .inode = e->key.inode, .fd = fd, .plan = e->plan};

	e->index = take_index(l);
	l->t->last_index = e->index;
	l->t->files[e->index - 1] = e;
	l->t->stats.files++;
	l->t->stats.others--;
	f.index = e->index;
	memcpy(f.path, l->path, sizeof(f.path));
	if (l->ops->file)
		l->ops->file(l->ctx, &f);
}

static bool same_site(const struct ww_site *x, const struct ww_site *y)
{
	return x->offset == y->offset && x->kind == y->kind && x->dir == y->dir &&
	       x->has_done == y->has_done && x->done_r8 == y->done_r8 && x->len32 == y->len32 &&
	       x->emulated == y->emulated && x->sp_bytes == y->sp_bytes && x->form == y->form;
}

static bool same_plan(const struct ww_tls_plan *x, const struct ww_tls_plan *y)
{
	if (x->site_count != y->site_count || x->random_mode != y->random_mode ||
	    x->random_off1 != y->random_off1 || x->random_off2 != y->random_off2)
		return false;
	for (unsigned i = 0; i < x->site_count; i++)
		if (!same_site(&x->sites[i], &y->sites[i]))
			return false;
	return true;
}

/* Puts the new plan into the entry; the probes stay when it is the old one of the same build. */
static int take_plan(struct look *l, struct entry *e, int fd, const struct ww_tls_plan *plan,
		     bool same_build)
{
	WW_AUTO_FREE struct ww_tls_plan *copy = NULL;

	if (e->index != 0 && same_build && same_plan(e->plan, plan))
		return 0;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *plan;
	release(l, e);
	e->plan = WW_TAKE(copy);
	hand_out(l, e, fd);
	return 0;
}

/* Fills the entry from the file. 0: planned; -ENOENT, -ENOTSUP, -EINVAL: remembered as such. */
static int examine(struct look *l, struct entry *e, int fd)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *elf = NULL;
	uint8_t id[WW_ELF_BUILD_ID_MAX] = {0};
	struct ww_tls_plan plan;
	bool same_build;
	int r;

	r = ww_elf_open(fd, &elf);
	if (r == 0)
		r = ww_site_plan(fd, &plan);
	if (r < 0)
		release(l, e);
	e->opaque = elf ? opaque_reason(l, elf) : NO_REASON;
	if (r == 0 && e->opaque == reason_of_stack[plan.stack] && !plan.refused[0])
		e->opaque = NO_REASON;
	if (r == -ENOENT && e->opaque == GO)
		e->opaque = NO_REASON; /* Go without crypto/tls */
	if (r == -EPROTONOSUPPORT)
		e->opaque = GO_TABLE;
	if (r == -ENOTSUP || (r == 0 && plan.refused[0]))
		e->opaque = e->opaque ? e->opaque : CODE;
	if (r < 0)
		return r;
	(void)ww_elf_build_id(elf, id); /* none: zeros */
	same_build = memcmp(id, e->id, sizeof(id)) == 0;
	memcpy(e->id, id, sizeof(id));
	return take_plan(l, e, fd, &plan, same_build);
}

static struct entry *entry_find(struct ww_targets *t, const struct stat *st)
{
	struct file_key key = {st->st_dev, st->st_ino};
	struct entry *e = NULL;

	HASH_FIND(hh, t->entries, &key, sizeof(key), e);
	return e;
}

static struct entry *entry_add(struct look *l, const struct stat *st)
{
	struct entry *e;

	if (l->t->stats.others >= WW_TARGET_FILES_MAX)
		drop_oldest_other(l);
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->key = (struct file_key){st->st_dev, st->st_ino};
	e->answer = 1;
	HASH_ADD(hh, l->t->entries, key, sizeof(e->key), e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	l->t->stats.others++;
	return e;
}

/*
 * Takes an open file. 0 also when nothing was to be done; -ENOENT, -ENOTSUP, -EINVAL as
 * ww_site_plan; -ENOMEM and -EIO leave no entry, so that the next look tries again.
 */
static int take_file(struct look *l, int fd)
{
	struct stat st;
	struct entry *e;
	int r;

	if (fstat(fd, &st) < 0)
		return -EIO;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	e = entry_find(l->t, &st);
	if (!e)
		e = entry_add(l, &st);
	if (!e)
		return -ENOMEM;
	e->seen = l->t->looks;
	if (is_same(e, &st))
		return e->answer;
	r = examine(l, e, fd);
	if (r == -EIO || r == -ENOMEM) {
		entry_drop(l, e);
		return r;
	}
	e->changed = st.st_ctim;
	e->bytes = st.st_size;
	e->answer = r;
	return r;
}

static void tell_entry(struct look *l, struct entry *e)
{
	e->seen = l->t->looks;
	if (e->index != 0)
		tell_use(l, e);
	if (e->opaque)
		tell_opaque(l, e->opaque);
}

/* One mapped file. Only lack of memory ends the look at the process. */
static int take_mapped(void *ctx, const struct ww_maps_at *at)
{
	WW_AUTO_FD int fd = -1;
	struct look *l = ctx;
	struct entry *e;
	struct stat st;
	size_t n = at->map.path.n;
	int r;

	if (n >= sizeof(l->path))
		n = sizeof(l->path) - 1;
	memset(l->path, 0, sizeof(l->path));
	memcpy(l->path, at->map.path.p, n);
	r = ww_maps_stat(at, &st);
	if (r == 0) {
		e = entry_find(l->t, &st);
		if (e && is_same(e, &st)) {
			tell_entry(l, e);
			return 0;
		}
		r = ww_maps_open(at, &fd);
	}
	if (r == 0)
		r = take_file(l, fd);
	if (r == -ENOMEM)
		return r;
	e = fd >= 0 && fstat(fd, &st) == 0 ? entry_find(l->t, &st) : NULL;
	if (e)
		tell_entry(l, e);
	else if (r != -EINVAL)
		l->t->stats.unreadable++;
	return 0;
}

/* --- the table ------------------------------------------------------------------------------ */

int ww_targets_new(struct ww_targets **ret_targets)
{
	struct ww_targets *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*ret_targets = t;
	return 0;
}

void ww_targets_free(struct ww_targets *t)
{
	struct process *p, *next_p;
	struct entry *e, *next_e;

	if (!t)
		return;
	HASH_ITER (hh, t->processes, p, next_p) {
		HASH_DEL(t->processes, p);
		free(p);
	}
	HASH_ITER (hh, t->entries, e, next_e) {
		HASH_DEL(t->entries, e);
		free(e->plan);
		free(e);
	}
	free(t);
}

int ww_targets_scan(struct ww_targets *t, struct ww_actor_key actor, uint64_t cgroup,
		    const struct ww_target_ops *ops, void *ctx)
{
	struct look l = {.t = t, .ops = ops, .ctx = ctx, .actor = actor, .cgroup = cgroup};
	int r;

	t->looks++;
	l.process = process_of(t, actor);
	if (!l.process)
		return -ENOMEM;
	r = ww_maps_walk(actor, take_mapped, &l);
	if (r == -E2BIG) {
		t->stats.over_limit++;
		return 0;
	}
	return r;
}

void ww_targets_executed(struct ww_targets *t, struct ww_actor_key actor)
{
	struct process_key key = {actor.pid, actor.start_ns};
	struct process *p = NULL;

	HASH_FIND(hh, t->processes, &key, sizeof(key), p);
	if (p)
		memset(p->used, 0, sizeof(p->used));
}

int ww_targets_add_path(struct ww_targets *t, const char *path, const struct ww_target_ops *ops,
			void *ctx)
{
	WW_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct look l = {.t = t, .ops = ops, .ctx = ctx};

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENOENT : -EIO;
	t->looks++;
	memccpy(l.path, path, 0, sizeof(l.path) - 1);
	return take_file(&l, fd);
}

static int add_folder(struct ww_targets *t, const char *folder, const struct ww_target_ops *ops,
		      void *ctx)
{
	DIR *d = opendir(folder);
	struct dirent *f;
	int r = 0;

	if (!d)
		return 0;
	while (r != -ENOMEM && (f = readdir(d)) != NULL) {
		char path[512];

		if (strncmp(f->d_name, "libssl.so.", 10) != 0 &&
		    strncmp(f->d_name, "libcrypto.so.", 13) != 0 &&
		    strncmp(f->d_name, "libgnutls.so.", 13) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, f->d_name);
		r = ww_targets_add_path(t, path, ops, ctx);
	}
	closedir(d);
	return r == -ENOMEM ? r : 0;
}

int ww_targets_add_defaults(struct ww_targets *t, const struct ww_target_ops *ops, void *ctx)
{
	static const char *const folders[] = {
		"/lib/x86_64-linux-gnu",
		"/usr/lib/x86_64-linux-gnu",
		"/lib/aarch64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu",
		"/lib64",
		"/usr/lib64",
		"/usr/lib",
		"/usr/local/lib64",
		"/usr/local/lib",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(folders); i++)
		if (add_folder(t, folders[i], ops, ctx) == -ENOMEM)
			return -ENOMEM;
	return 0;
}

void ww_targets_stats(const struct ww_targets *t, struct ww_target_stats *ret_stats)
{
	*ret_stats = t->stats;
}
