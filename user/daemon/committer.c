/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/committer.h"

#include <errno.h>

#include <wirewitness/limits.h>

#include "base/cursor.h"

/* A buffer that a burst has made large does not stay so. */
#define KEPT_BYTES (1u << 20)

struct frame {
	uint32_t kind;
	uint32_t bytes;
};

struct batch {
	struct ww_buf bytes; /* frames, each with its JSON behind it */
	uint64_t records;
};

struct ww_committer {
	uv_thread_t thread;
	uv_sem_t go, done;
	uv_async_t async;
	struct ww_ledger *ledger;
	ww_committed_fn fn;
	void *ctx;
	struct batch staged;
	struct batch batch; /* of the commit under way */
	bool busy;
	bool stopped; /* the ledger, after the last commit */
	/* The job: written before `go`, read by the thread; the answer the other way round. */
	bool quit;
	bool retry;
	ww_committer_job_fn job; /* NULL: none */
	void *job_ctx;
	uint64_t refused;
	struct ww_errtext stop;
};

static const char *const kind_names[] = {
#define KIND_NAME(n, v, t, d) [v] = t,
	WW_RECORD_KINDS(KIND_NAME)
#undef KIND_NAME
};

/* --- the thread ------------------------------------------------------------------------------- */

static int append(struct ww_committer *c, const char *kind, struct ww_slice json)
{
	int r = ww_ledger_append(c->ledger, kind, json, NULL);

	if (r == -ENOBUFS && !ww_ledger_stopped(c->ledger) &&
	    ww_ledger_commit(c->ledger, NULL) == 0)
		r = ww_ledger_append(c->ledger, kind, json, NULL);
	return r;
}

static void commit(struct ww_committer *c)
{
	struct ww_slice in = ww_buf_slice(&c->batch.bytes);
	struct frame f;

	c->refused = 0;
	if (c->retry && ww_ledger_stopped(c->ledger))
		(void)!ww_ledger_retry(c->ledger); /* or it stays stopped, and says why */
	for (size_t at = 0; at < in.n; at += sizeof(f) + f.bytes) {
		memcpy(&f, in.p + at, sizeof(f));
		if (append(c, kind_names[f.kind], ww_slice(in.p + at + sizeof(f), f.bytes)) < 0)
			c->refused++;
	}
	if (!ww_ledger_stopped(c->ledger))
		(void)!ww_ledger_commit(c->ledger, NULL); /* the same */
	if (c->job && !ww_ledger_stopped(c->ledger) && !c->job(c->job_ctx, c->ledger))
		c->job = NULL;
	if (ww_ledger_stopped(c->ledger))
		(void)ww_errtext_set(&c->stop, 0, "%s", ww_ledger_stopped(c->ledger));
}

static void run(void *arg)
{
	struct ww_committer *c = arg;

	for (;;) {
		uv_sem_wait(&c->go);
		if (c->quit)
			return;
		commit(c);
		uv_sem_post(&c->done);
		uv_async_send(&c->async);
	}
}

/* --- the loop's side -------------------------------------------------------------------------- */

static void batch_clear(struct batch *b)
{
	b->records = 0;
	ww_buf_clear(&b->bytes);
	if (b->bytes.cap > KEPT_BYTES)
		ww_buf_done(&b->bytes);
}

static void finished(struct ww_committer *c)
{
	struct ww_committed told = {.size = ww_ledger_size(c->ledger),
				    .pending = ww_ledger_pending(c->ledger),
				    .refused = c->refused};

	c->busy = false;
	c->stopped = ww_ledger_stopped(c->ledger) != NULL;
	batch_clear(&c->batch);
	if (c->stopped)
		told.stopped = c->stop.text;
	c->fn(c->ctx, &told);
}

static void on_done(uv_async_t *async)
{
	struct ww_committer *c = async->data;

	if (c->busy && uv_sem_trywait(&c->done) == 0)
		finished(c);
}

void ww_committer_wait(struct ww_committer *c)
{
	if (!c->busy)
		return;
	uv_sem_wait(&c->done);
	finished(c);
}

void ww_committer_begin(struct ww_committer *c, bool retry)
{
	struct batch swap = c->batch;

	if (c->busy ||
	    (c->staged.records == 0 && !(c->stopped && retry) && (c->stopped || !c->job)))
		return;
	c->batch = c->staged;
	c->staged = swap;
	c->retry = retry;
	c->busy = true;
	uv_sem_post(&c->go);
}

void ww_committer_job(struct ww_committer *c, ww_committer_job_fn fn, void *ctx)
{
	ww_committer_wait(c);
	c->job_ctx = ctx;
	c->job = fn;
}

static int stage(struct ww_buf *b, enum ww_record_kind kind, struct ww_slice json)
{
	struct frame f = {.kind = kind, .bytes = (uint32_t)json.n};
	uint8_t *p;
	int r = ww_buf_reserve(b, sizeof(f) + json.n, &p);

	if (r < 0)
		return r;
	memcpy(p, &f, sizeof(f));
	memcpy(p + sizeof(f), json.p, json.n);
	b->n += sizeof(f) + json.n;
	return 0;
}

int ww_committer_stage(struct ww_committer *c, enum ww_record_kind kind, struct ww_slice json)
{
	int r;

	if (json.n > WW_RECORD_BYTES_MAX)
		return -EMSGSIZE;
	r = stage(&c->staged.bytes, kind, json);
	if (r == -EMSGSIZE) {
		ww_committer_wait(c);
		ww_committer_begin(c, false);
		r = stage(&c->staged.bytes, kind, json);
	}
	if (r == 0)
		c->staged.records++;
	return r;
}

uint64_t ww_committer_staged(const struct ww_committer *c)
{
	return c->staged.records + (c->busy ? c->batch.records : 0);
}

/* --- life ------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct ww_committer *c = h->data;

	uv_sem_destroy(&c->go);
	uv_sem_destroy(&c->done);
	ww_buf_done(&c->staged.bytes);
	ww_buf_done(&c->batch.bytes);
	free(c);
}

void ww_committer_close(struct ww_committer *c)
{
	if (!c)
		return;
	ww_committer_wait(c);
	c->quit = true;
	uv_sem_post(&c->go);
	uv_thread_join(&c->thread);
	uv_close((uv_handle_t *)&c->async, on_closed);
}

int ww_committer_open(uv_loop_t *loop, struct ww_ledger *ledger, ww_committed_fn fn, void *ctx,
		      struct ww_committer **ret_committer)
{
	struct ww_committer *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->ledger = ledger;
	c->fn = fn;
	c->ctx = ctx;
	ww_buf_init(&c->staged.bytes, WW_LEDGER_STAGED_BYTES);
	ww_buf_init(&c->batch.bytes, WW_LEDGER_STAGED_BYTES);
	r = uv_sem_init(&c->go, 0);
	if (r < 0)
		goto no_go;
	r = uv_sem_init(&c->done, 0);
	if (r < 0)
		goto no_done;
	r = uv_async_init(loop, &c->async, on_done);
	if (r < 0)
		goto no_async;
	c->async.data = c;
	r = uv_thread_create(&c->thread, run, c);
	if (r < 0) {
		uv_close((uv_handle_t *)&c->async, on_closed);
		return r;
	}
	*ret_committer = c;
	return 0;
no_async:
	uv_sem_destroy(&c->done);
no_done:
	uv_sem_destroy(&c->go);
no_go:
	free(c);
	return r;
}
