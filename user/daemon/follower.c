/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/follower.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/record_index.h"

#define NICE          5             /* what is watched comes first */
#define LOOK_NS       1000000000ull /* for what others did to the file; and errors are tried again */
#define BATCH_RECORDS 1024          /* a transaction: a stop waits for it */
#define ROOM_BYTES    (16ull << 20)  /* of the disk, which are left to the ledger */
#define JOURNAL_BYTES (128ull << 20) /* longer, and somebody else keeps it from shrinking */
#define PATH_BYTES    4096

/* The file as it was left. */
struct mark {
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct ww_follower {
	uv_thread_t thread;
	uv_mutex_t lock; /* of the next ones */
	uv_cond_t go;
	bool quit;
	bool woken;
	uint64_t size;         /* of the ledger */
	uint64_t indexed;      /* of them, in the index */
	uint64_t complete_ns;  /* the last time at which it had everything */
	struct ww_errtext why; /* it does not follow; empty: it does */
	/* The thread's. */
	struct ww_ledger_reader *reader; /* NULL: to be opened */
	struct mark mark;
	int error;    /* of the last try */
	dev_t device; /* and folder: what state_dir was when the ledger was opened there */
	ino_t folder;
	char state_dir[PATH_BYTES], path[PATH_BYTES + 16], journal[PATH_BYTES + 24];
};

/* --- the thread ------------------------------------------------------------------------------- */

static bool quitting(struct ww_follower *f)
{
	bool quit;

	uv_mutex_lock(&f->lock);
	quit = f->quit;
	uv_mutex_unlock(&f->lock);
	return quit;
}

static void show(struct ww_follower *f, uint64_t indexed)
{
	uv_mutex_lock(&f->lock);
	f->indexed = indexed;
	uv_mutex_unlock(&f->lock);
}

/* Everything was there at that time. */
static void show_complete(struct ww_follower *f, uint64_t at_ns)
{
	uv_mutex_lock(&f->lock);
	f->complete_ns = at_ns;
	uv_mutex_unlock(&f->lock);
}

/* Somebody else at work is no error: each commit tries again, without a word in the log. */
static bool blocked(const struct ww_follower *f)
{
	return f->error < 0 && f->error != -EBUSY;
}

static void show_error(struct ww_follower *f, int r, const struct ww_errtext *why)
{
	int before = blocked(f) ? f->error : 0;

	f->error = r;
	if (blocked(f) && r != before)
		ww_log(WW_LOG_WARN, "the index does not follow the ledger: %s", why->text);
	else if (before < 0 && !blocked(f))
		ww_log(WW_LOG_INFO, "the index follows the ledger again");
	uv_mutex_lock(&f->lock);
	f->why = *why;
	uv_mutex_unlock(&f->lock);
}

static struct mark look(const struct ww_follower *f)
{
	struct stat st;

	if (stat(f->path, &st) < 0)
		return (struct mark){.inode = 0};
	return (struct mark){.inode = st.st_ino, .size = st.st_size, .changed = st.st_mtim};
}

/* Others have, or had, something to do with the file. */
static bool touched(const struct ww_follower *f)
{
	struct mark m = look(f);

	return m.inode != f->mark.inode || m.size != f->mark.size ||
	       m.changed.tv_sec != f->mark.changed.tv_sec ||
	       m.changed.tv_nsec != f->mark.changed.tv_nsec || access(f->journal, F_OK) == 0;
}

/* The reader, as the ledger's writer, stays with the folder that was opened; the index has a path.
 */
static int check_folder(const struct ww_follower *f, struct ww_errtext *why)
{
	struct stat st;

	if (stat(f->state_dir, &st) < 0)
		return ww_errtext_errno(why, -errno, "cannot look at %s", f->state_dir);
	if (st.st_dev != f->device || st.st_ino != f->folder)
		return ww_errtext_set(why, -ESTALE,
				      "%s is another folder now than the one the ledger is in",
				      f->state_dir);
	return 0;
}

static int read_head(struct ww_follower *f, struct ww_errtext *why)
{
	int r = f->reader ? ww_ledger_reader_refresh(f->reader, NULL, why)
			  : ww_ledger_reader_open(f->state_dir, NULL, &f->reader, why);

	if (r < 0) { /* anew next time */
		ww_ledger_reader_close(f->reader);
		f->reader = NULL;
	}
	return r;
}

static int check_room(const struct ww_follower *f, struct ww_errtext *why)
{
	struct statvfs disk;
	struct stat st;

	if (statvfs(f->state_dir, &disk) < 0)
		return ww_errtext_errno(why, -errno, "cannot look at the disk");
	if ((uint64_t)disk.f_bavail * disk.f_frsize < ROOM_BYTES)
		return ww_errtext_set(why, -ENOSPC,
				      "less than %llu MiB are free, which are left to the ledger",
				      ROOM_BYTES >> 20);
	if (stat(f->journal, &st) == 0 && (uint64_t)st.st_size > JOURNAL_BYTES)
		return ww_errtext_set(why, -EBUSY,
				      "somebody has been reading the index for so long that its "
				      "journal has %lld MiB",
				      (long long)st.st_size >> 20);
	return 0;
}

/* Opening and closing alone empties the journal when nobody else has it. */
static int take_in(struct ww_follower *f, uint64_t begin_ns, struct ww_errtext *why)
{
	WW_AUTO(ww_record_index_close_auto) struct ww_record_index *index = NULL;
	uint64_t size = ww_ledger_reader_head(f->reader)->size, next = 0;
	int r = ww_record_index_open_beside(f->path, &index);

	if (r < 0)
		return ww_errtext_errno(why, r, "cannot open %s", f->path);
	r = check_room(f, why);
	if (r < 0)
		return r;
	do {
		r = ww_record_index_step(index, f->reader, BATCH_RECORDS, &next);
		if (r == -EBUSY)
			return ww_errtext_set(why, r, "somebody else fills the index");
		if (r < 0)
			return ww_errtext_errno(why, r, "cannot take in record %" PRIu64, next);
		show(f, next);
	} while (next < size && !quitting(f));
	if (next >= size)
		show_complete(f, begin_ns);
	if (quitting(f))
		(void)!ww_record_index_settle(index); /* or it is made anew after a reboot */
	return 0;
}

static void follow(struct ww_follower *f)
{
	struct ww_errtext why = {""};
	uint64_t begin = ww_boot_now().ns;
	int r = check_folder(f, &why);

	if (r == 0)
		r = read_head(f, &why);
	if (r == 0)
		r = take_in(f, begin, &why);
	f->mark = look(f);
	show_error(f, r, &why);
}

/* Until a commit, or for LOOK_NS; after an error always so long. False: it is to end. */
static bool doze(struct ww_follower *f, bool *ret_woken)
{
	uint64_t now = ww_boot_now().ns, end = now + LOOK_NS;
	bool quit;

	uv_mutex_lock(&f->lock);
	while (!f->quit && (!f->woken || blocked(f)) && now < end) {
		(void)uv_cond_timedwait(&f->go, &f->lock, end - now); /* the clock says which */
		now = ww_boot_now().ns;
	}
	*ret_woken = f->woken;
	f->woken = false;
	quit = f->quit;
	uv_mutex_unlock(&f->lock);
	return !quit;
}

/* Waits for something to do. False: a last time. */
static bool wait(struct ww_follower *f)
{
	bool woken;

	while (doze(f, &woken)) {
		if (woken || f->error < 0 || touched(f))
			return true;
	}
	return false;
}

static void run(void *arg)
{
	struct ww_follower *f = arg;

	(void)pthread_setname_np(pthread_self(), "ww-index");  /* for top and ps */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* lower is always allowed */
	while (wait(f))
		follow(f);
	follow(f);
}

/* --- the loop's side -------------------------------------------------------------------------- */

void ww_follower_wake(struct ww_follower *f, uint64_t size)
{
	uv_mutex_lock(&f->lock);
	if (f->indexed >= f->size) /* up to now nothing was missing */
		f->complete_ns = ww_boot_now().ns;
	f->size = size;
	f->woken = true;
	uv_cond_signal(&f->go);
	uv_mutex_unlock(&f->lock);
}

void ww_follower_status(struct ww_follower *f, struct ww_jsonw *w)
{
	uint64_t size, indexed, complete_ns;
	struct ww_errtext why;

	uv_mutex_lock(&f->lock);
	size = f->size;
	indexed = f->indexed;
	complete_ns = f->complete_ns;
	why = f->why;
	uv_mutex_unlock(&f->lock);
	ww_jsonw_object(w, "index");
	ww_jsonw_u64(w, "records", indexed);
	ww_jsonw_u64(w, "behind", indexed < size ? size - indexed : 0);
	ww_jsonw_u64(w, "behindMs",
		     indexed < size ? (ww_boot_now().ns - complete_ns) / 1000000 : 0);
	ww_jsonw_cstr(w, "why", why.text[0] ? why.text : NULL);
	ww_jsonw_end_object(w);
}

static void free_all(struct ww_follower *f)
{
	uv_cond_destroy(&f->go);
	uv_mutex_destroy(&f->lock);
	ww_ledger_reader_close(f->reader);
	free(f);
}

void ww_follower_close(struct ww_follower *f)
{
	if (!f)
		return;
	uv_mutex_lock(&f->lock);
	f->quit = true;
	uv_cond_signal(&f->go);
	uv_mutex_unlock(&f->lock);
	uv_thread_join(&f->thread);
	free_all(f);
}

int ww_follower_open(const char *state_dir, uint64_t size, struct ww_follower **ret_follower)
{
	WW_AUTO_FREE struct ww_follower *f = calloc(1, sizeof(*f));
	struct stat st;
	int r;

	if (!f)
		return -ENOMEM;
	if (strlen(state_dir) >= sizeof(f->state_dir))
		return -ENAMETOOLONG;
	if (stat(state_dir, &st) < 0)
		return -errno;
	f->device = st.st_dev;
	f->folder = st.st_ino;
	snprintf(f->state_dir, sizeof(f->state_dir), "%s", state_dir);
	snprintf(f->path, sizeof(f->path), "%s/index.sqlite", state_dir);
	snprintf(f->journal, sizeof(f->journal), "%s-wal", f->path);
	f->size = size;
	f->complete_ns = ww_boot_now().ns;
	f->woken = true;
	r = uv_mutex_init(&f->lock);
	if (r < 0)
		return r;
	r = uv_cond_init(&f->go);
	if (r < 0) {
		uv_mutex_destroy(&f->lock);
		return r;
	}
	r = uv_thread_create(&f->thread, run, f);
	if (r < 0) {
		free_all(WW_TAKE(f));
		return r;
	}
	*ret_follower = WW_TAKE(f);
	return 0;
}
