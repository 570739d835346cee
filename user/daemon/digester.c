/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/digester.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "rt/file.h"
#include "sense/elf.h"
#include "sense/event_check.h"

#define FILE_BYTES_MAX (1ll << 30)
#define PRIORITY       19

struct job {
	struct job *next;
	int fd;
	struct stat before; /* when the probes were set */
	struct ww_event_file ev;
};

struct list {
	struct job *first, **last;
};

struct ww_digester {
	uv_thread_t thread;
	uv_mutex_t lock; /* of the members up to `fn` */
	uv_cond_t changed;
	struct list waiting, done;
	unsigned open; /* waiting, or under way */
	bool quit;
	id_t tid; /* of the thread; 0: not running yet */
	bool hurry;
	ww_digester_fn fn;
	void *ctx;
	uv_async_t async;
};

static void list_init(struct list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static void push(struct list *l, struct job *j)
{
	j->next = NULL;
	*l->last = j;
	l->last = &j->next;
}

static struct job *pop(struct list *l)
{
	struct job *j = l->first;

	l->first = j->next;
	if (!l->first)
		l->last = &l->first;
	return j;
}

static void job_free(struct job *j)
{
	if (j->fd >= 0)
		close(j->fd);
	free(j);
}

/* --- the thread ---------------------------------------------------------------------------------
 */

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* The inode's change time is the kernel's: who writes the file cannot set it back. */
static bool unchanged(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_size == before->st_size &&
	       same_time(&now.st_ctim, &before->st_ctim);
}

static uint16_t read_build_id(int fd, uint8_t id[WW_ELF_BUILD_ID_MAX])
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *elf = NULL;

	return ww_elf_open(fd, &elf) == 0 ? (uint16_t)ww_elf_build_id(elf, id) : 0;
}

void ww_digester_read(int fd, const struct stat *before, struct ww_event_file *ev)
{
	uint8_t id[WW_ELF_BUILD_ID_MAX] = {0};
	struct ww_sha256 h;
	uint16_t n = 0;
	int r = before->st_size > FILE_BYTES_MAX ? -EFBIG : ww_file_sha256(fd, FILE_BYTES_MAX, &h);

	_Static_assert(sizeof(ev->build_id) == sizeof(id), "room for it");
	if (r == 0)
		n = read_build_id(fd, id);
	if (r == -EFBIG) {
		ev->status = WW_FILE_TOO_LARGE;
	} else if (r < 0) {
		ev->status = WW_FILE_UNREADABLE;
	} else if (!unchanged(fd, before)) {
		ev->status = WW_FILE_CHANGED;
	} else {
		ev->status = WW_FILE_DIGESTED;
		ev->build_id_bytes = n;
		memcpy(ev->build_id, id, sizeof(id));
		memcpy(ev->sha256, h.b, sizeof(ev->sha256));
	}
}

/* Priorities are the thread's own on Linux. */
static void run(void *arg)
{
	struct ww_digester *d = arg;

	uv_mutex_lock(&d->lock);
	d->tid = (id_t)gettid();
	if (!d->hurry)
		(void)setpriority(PRIO_PROCESS, d->tid, PRIORITY);
	for (;;) {
		struct job *j;

		while (!d->waiting.first && !d->quit)
			uv_cond_wait(&d->changed, &d->lock);
		if (d->quit)
			break;
		j = pop(&d->waiting);
		uv_mutex_unlock(&d->lock);
		ww_digester_read(j->fd, &j->before, &j->ev);
		uv_mutex_lock(&d->lock);
		push(&d->done, j);
		d->open--;
		uv_cond_signal(&d->changed);
		uv_async_send(&d->async);
	}
	uv_mutex_unlock(&d->lock);
}

/* --- the loop's side ----------------------------------------------------------------------------
 */

static void tell_all(struct ww_digester *d)
{
	for (;;) {
		struct job *j = NULL;

		uv_mutex_lock(&d->lock);
		if (d->done.first)
			j = pop(&d->done);
		uv_mutex_unlock(&d->lock);
		if (!j)
			return;
		j->ev.h.time_ns = ww_boot_now().ns;
		d->fn(d->ctx, &j->ev);
		job_free(j);
	}
}

static void on_done(uv_async_t *async)
{
	tell_all(async->data);
}

void ww_digester_add(struct ww_digester *d, const struct ww_target_file *f)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return; /* a digest that is missing is seen to be missing */
	j->ev = (struct ww_event_file){.h = ww_event_header(WW_EVENT_FILE, sizeof(j->ev), 0),
				       .inode = f->inode,
				       .dev = (uint32_t)f->dev,
				       .file = f->index};
	j->ev.path_bytes = (uint32_t)strnlen(f->path, WW_PATH_BYTES_MAX);
	memcpy(j->ev.path, f->path, j->ev.path_bytes);
	j->fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	if (j->fd >= 0 && fstat(j->fd, &j->before) == 0)
		j->ev.bytes = (uint64_t)j->before.st_size;
	uv_mutex_lock(&d->lock);
	if (d->open >= WW_TLS_FILES_MAX && j->fd >= 0) {
		close(j->fd);
		j->fd = -1;
	}
	push(&d->waiting, j);
	d->open++;
	uv_cond_signal(&d->changed);
	uv_mutex_unlock(&d->lock);
}

/* Under the lock. Somebody waits for the thread now: on a busy host the last priority is none. */
static void hurry(struct ww_digester *d)
{
	d->hurry = true;
	if (d->tid)
		(void)setpriority(PRIO_PROCESS, d->tid, 0); /* root may */
}

void ww_digester_wait(struct ww_digester *d)
{
	uv_mutex_lock(&d->lock);
	hurry(d);
	while (d->open > 0)
		uv_cond_wait(&d->changed, &d->lock);
	uv_mutex_unlock(&d->lock);
	tell_all(d);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void drop_all(struct list *l)
{
	while (l->first)
		job_free(pop(l));
}

static void on_closed(uv_handle_t *h)
{
	struct ww_digester *d = h->data;

	drop_all(&d->waiting);
	drop_all(&d->done);
	uv_cond_destroy(&d->changed);
	uv_mutex_destroy(&d->lock);
	free(d);
}

void ww_digester_close(struct ww_digester *d)
{
	if (!d)
		return;
	uv_mutex_lock(&d->lock);
	d->quit = true;
	hurry(d);
	uv_cond_signal(&d->changed);
	uv_mutex_unlock(&d->lock);
	uv_thread_join(&d->thread);
	uv_close((uv_handle_t *)&d->async, on_closed);
}

int ww_digester_open(uv_loop_t *loop, ww_digester_fn fn, void *ctx,
		     struct ww_digester **ret_digester)
{
	struct ww_digester *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->fn = fn;
	d->ctx = ctx;
	list_init(&d->waiting);
	list_init(&d->done);
	r = uv_mutex_init(&d->lock);
	if (r < 0)
		goto no_lock;
	r = uv_cond_init(&d->changed);
	if (r < 0)
		goto no_cond;
	r = uv_async_init(loop, &d->async, on_done);
	if (r < 0)
		goto no_async;
	d->async.data = d;
	r = uv_thread_create(&d->thread, run, d);
	if (r < 0) {
		uv_close((uv_handle_t *)&d->async, on_closed);
		return r;
	}
	*ret_digester = d;
	return 0;
no_async:
	uv_cond_destroy(&d->changed);
no_cond:
	uv_mutex_destroy(&d->lock);
no_lock:
	free(d);
	return r;
}
