/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/publisher.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "out/publish.h"
#include "rt/file.h"

#define LAST_S 3 /* a stop waits no longer for servers */

/* What the loop may see. */
struct view {
	size_t n;
	struct ww_publish_target target[WW_PUBLISH_MAX];
	uint64_t cosigned_size;
	size_t cosigned_count;
	struct ww_errtext forked;
};

struct ww_publisher {
	struct ww_publish_config cfg;
	struct ww_witness_set set;
	struct ww_publish *publish; /* the thread's, while it runs */
	bool started;
	uv_thread_t thread;
	uv_async_t async;
	uv_mutex_t lock; /* of quit and view */
	bool quit;
	struct view view;
	/* The loop's. */
	ww_publisher_fn fn;
	void *ctx;
	enum ww_publish_state told[WW_PUBLISH_MAX];
	bool told_forked;
};

/* --- the thread ------------------------------------------------------------------------------- */

static void show(struct ww_publisher *p)
{
	uv_mutex_lock(&p->lock);
	p->view.n = ww_publish_count(p->publish);
	for (size_t i = 0; i < p->view.n; i++)
		p->view.target[i] = *ww_publish_target(p->publish, i);
	p->view.cosigned_size = ww_publish_cosigned(p->publish, &p->view.cosigned_count);
	ww_errtext_set(&p->view.forked, 0, "%s", ww_publish_forked(p->publish));
	uv_mutex_unlock(&p->lock);
}

static bool quitting(struct ww_publisher *p)
{
	bool quit;

	uv_mutex_lock(&p->lock);
	quit = p->quit;
	uv_mutex_unlock(&p->lock);
	return quit;
}

static time_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void run(void *arg)
{
	struct ww_publisher *p = arg;
	time_t end;

	/* The daemon asks for a higher priority; this thread and its command do not need it. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), 0);
	while (!quitting(p)) {
		(void)ww_publish_step(p->publish, false); /* ends only with `last` */
		show(p);
		uv_async_send(&p->async);
	}
	end = now_s() + LAST_S;
	while (!ww_publish_step(p->publish, true) && now_s() < end)
		;
}

/* --- the loop's side -------------------------------------------------------------------------- */

/* Room for it on the heap: the view is large. */
static struct view *look(struct ww_publisher *p)
{
	struct view *v = malloc(sizeof(*v));

	if (!v)
		return NULL;
	uv_mutex_lock(&p->lock);
	*v = p->view;
	uv_mutex_unlock(&p->lock);
	return v;
}

static void on_shown(uv_async_t *async)
{
	struct ww_publisher *p = async->data;
	WW_AUTO_FREE struct view *v = look(p);
	char text[1024];

	for (size_t i = 0; v && i < v->n; i++) {
		const struct ww_publish_target *t = &v->target[i];
		const char *kind = ww_publish_kind_name(t->kind);
		enum ww_publish_state before = p->told[i];

		p->told[i] = t->state;
		if (t->state == before ||
		    (before == WW_PUBLISH_NEW && t->state == WW_PUBLISH_WORKS))
			continue;
		if (t->state == WW_PUBLISH_FAILING)
			snprintf(text, sizeof(text), "%s %s: %s", kind, t->name, t->why.text);
		else
			snprintf(text, sizeof(text), "%s %s", kind, t->name);
		p->fn(p->ctx,
		      t->state == WW_PUBLISH_FAILING ? "publish-failing" : "publish-resumed", text);
	}
	if (v && v->forked.text[0] && !p->told_forked) {
		p->told_forked = true;
		p->fn(p->ctx, "equivocation", v->forked.text);
	}
}

int ww_publisher_new(const struct ww_publisher_options *o, struct ww_publisher **ret_publisher,
		     struct ww_errtext *why)
{
	WW_AUTO_FREE struct ww_publisher *p = calloc(1, sizeof(*p));
	WW_AUTO_BUF struct ww_buf text = {0};
	struct ww_errtext line = {""};
	int r = 0;

	if (!p)
		return ww_errtext_errno(why, -ENOMEM, "cannot publish checkpoints");
	p->cfg = (struct ww_publish_config){.file = o->file,
					    .command = o->command,
					    .otlp = o->otlp,
					    .ca_file = o->ca_file,
					    .every_s = o->every_s};
	ww_buf_init(&text, WW_WITNESS_SET_BYTES);
	if (o->witnesses) {
		r = ww_file_read(o->witnesses, &text);
		if (r < 0)
			return ww_errtext_errno(why, r, "cannot read %s", o->witnesses);
		r = ww_witness_set_parse(ww_buf_slice(&text), &p->set, &line);
		if (r < 0)
			return ww_errtext_set(why, r, "%.128s: %.128s", o->witnesses, line.text);
		p->cfg.witnesses = &p->set;
	}
	*ret_publisher = WW_TAKE(p);
	return 0;
}

static void tell_start(struct ww_publisher *p)
{
	char text[4096];
	size_t n;

	if (p->view.n == 0) {
		p->fn(p->ctx, "publish", "no destination: checkpoints stay on this host");
		return;
	}
	n = (size_t)snprintf(text, sizeof(text),
			     "every %u s:", p->cfg.every_s ? p->cfg.every_s : WW_PUBLISH_EVERY_S);
	for (size_t i = 0; i < p->view.n && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s %s", i ? "," : "",
				      ww_publish_kind_name(p->view.target[i].kind),
				      p->view.target[i].name);
	p->fn(p->ctx, "publish", text);
}

int ww_publisher_start(struct ww_publisher *p, uv_loop_t *loop, const char *state_dir,
		       ww_publisher_fn fn, void *ctx, struct ww_errtext *why)
{
	const struct ww_publish_config *c = &p->cfg;
	int r;

	p->fn = fn;
	p->ctx = ctx;
	if (!c->witnesses && !c->file && !c->command && !c->otlp) {
		tell_start(p);
		return 0;
	}
	p->cfg.state_dir = state_dir;
	r = ww_publish_open(&p->cfg, &p->publish, why);
	if (r < 0)
		return r;
	r = uv_mutex_init(&p->lock);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot publish checkpoints");
	show(p);
	r = uv_async_init(loop, &p->async, on_shown);
	if (r < 0) {
		uv_mutex_destroy(&p->lock);
		return ww_errtext_errno(why, r, "cannot publish checkpoints");
	}
	p->async.data = p;
	p->started = true;
	tell_start(p);
	r = uv_thread_create(&p->thread, run, p);
	if (r < 0) {
		p->quit = true; /* there is no thread to end */
		return ww_errtext_errno(why, r, "cannot publish checkpoints");
	}
	return 0;
}

void ww_publisher_wake(struct ww_publisher *p)
{
	if (p->started)
		ww_publish_wake(p->publish);
}

static void write_target(struct ww_jsonw *w, const struct ww_publish_target *t)
{
	static const char *const states[] = {[WW_PUBLISH_NEW] = "new",
					     [WW_PUBLISH_WORKS] = "works",
					     [WW_PUBLISH_FAILING] = "failing"};
	char at[WW_RFC3339_MAX] = "";

	if (t->arrived)
		ww_wall_rfc3339(t->at, at);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", ww_publish_kind_name(t->kind));
	ww_jsonw_cstr(w, "name", t->name);
	ww_jsonw_cstr(w, "state", states[t->state]);
	ww_jsonw_u64(w, "arrived", t->arrived);
	ww_jsonw_u64(w, "failed", t->failed);
	ww_jsonw_u64(w, "size", t->size);
	ww_jsonw_cstr(w, "at", at[0] ? at : NULL);
	ww_jsonw_cstr(w, "why", t->state == WW_PUBLISH_FAILING ? t->why.text : NULL);
	ww_jsonw_end_object(w);
}

void ww_publisher_status(struct ww_publisher *p, struct ww_jsonw *w)
{
	WW_AUTO_FREE struct view *v = p->started ? look(p) : NULL;

	ww_jsonw_object(w, "publish");
	ww_jsonw_u64(w, "everyS", p->cfg.every_s ? p->cfg.every_s : WW_PUBLISH_EVERY_S);
	ww_jsonw_u64(w, "witnesses", p->set.n);
	ww_jsonw_u64(w, "quorum", p->set.quorum);
	ww_jsonw_u64(w, "cosignedSize", v ? v->cosigned_size : 0);
	ww_jsonw_u64(w, "cosignedBy", v ? v->cosigned_count : 0);
	ww_jsonw_array(w, "destinations");
	for (size_t i = 0; v && i < v->n; i++)
		write_target(w, &v->target[i]);
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

static void on_closed(uv_handle_t *h)
{
	struct ww_publisher *p = h->data;

	uv_mutex_destroy(&p->lock);
	ww_publish_close(p->publish);
	free(p);
}

void ww_publisher_close(struct ww_publisher *p)
{
	bool running;

	if (!p)
		return;
	if (!p->started) {
		ww_publish_close(p->publish);
		free(p);
		return;
	}
	uv_mutex_lock(&p->lock);
	running = !p->quit;
	p->quit = true;
	uv_mutex_unlock(&p->lock);
	if (running) {
		ww_publish_wake(p->publish);
		uv_thread_join(&p->thread);
	}
	uv_close((uv_handle_t *)&p->async, on_closed);
}
