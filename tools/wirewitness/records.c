/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <errno.h>
#include <stdio.h>

#include <wirewitness/stream.h>

#include "base/log.h"
#include "cmd.h"
#include "progress.h"
#include "spool.h"

int ww_records_reader(const char *state_dir, struct ww_ledger_reader **ret_reader)
{
	struct ww_errtext why = {""};
	int r = ww_ledger_reader_open(state_dir, NULL, ret_reader, &why);

	if (r < 0)
		ww_log(WW_LOG_ERR, "no ledger to read in %s: %s%s", state_dir, why.text,
		       r == -EACCES ? "; try with sudo" : "");
	return r;
}

void ww_records_index_path(const char *state_dir, char ret_path[WW_RECORDS_PATH_MAX])
{
	snprintf(ret_path, WW_RECORDS_PATH_MAX, "%s/index.sqlite", state_dir);
}

/* The index, with everything that is committed by now. */
static int open_index(struct ww_records *rec, const char *path)
{
	struct ww_progress progress;
	int r = ww_record_index_open(path, &rec->index);

	if (r < 0)
		return r;
	ww_progress_begin(&progress, "records indexed", false);
	ww_record_index_watch(rec->index, ww_progress_step, &progress);
	r = ww_record_index_sync(rec->index, rec->reader);
	ww_record_index_watch(rec->index, NULL, NULL);
	ww_progress_end(&progress);
	if (r < 0) {
		ww_record_index_close(rec->index);
		rec->index = NULL;
	}
	return r;
}

int ww_records_open(const char *state_dir, struct ww_records *ret_records)
{
	struct ww_records rec = {.reader = NULL};
	char path[WW_RECORDS_PATH_MAX];
	int r = ww_records_reader(state_dir, &rec.reader);

	if (r < 0)
		return r;
	ww_records_index_path(state_dir, path);
	r = open_index(&rec, path);
	if (r < 0) /* nobody may write there: in memory */
		r = open_index(&rec, NULL);
	if (r < 0) {
		ww_log_err_r(r, "cannot index the ledger in %s", state_dir);
		ww_records_close(&rec);
		return r;
	}
	*ret_records = rec;
	return 0;
}

int ww_records_open_from(const char *state_dir, const char *socket_path,
			 struct ww_records *ret_records)
{
	struct ww_records rec = {.reader = NULL};
	int r;

	if (!socket_path)
		return ww_records_open(state_dir ? state_dir : WW_STATE_DIR, ret_records);
	r = ww_record_index_open(NULL, &rec.index);
	if (r < 0)
		return ww_log_err_r(r, "cannot make an index");
	r = ww_spool_open(socket_path, rec.index, &rec.spool);
	if (r < 0) {
		ww_records_close(&rec);
		return r;
	}
	*ret_records = rec;
	return 0;
}

uint64_t ww_records_size(const struct ww_records *r)
{
	return r->spool ? ww_spool_size(r->spool) : ww_ledger_reader_head(r->reader)->size;
}

void ww_records_close(struct ww_records *r)
{
	ww_spool_close(r->spool);
	r->spool = NULL;
	ww_record_index_close(r->index);
	ww_ledger_reader_close(r->reader);
	r->index = NULL;
	r->reader = NULL;
}

int ww_records_get(struct ww_records *r, uint64_t index, struct ww_slice *ret_json)
{
	struct ww_payload p;
	int e;

	if (r->spool)
		return ww_spool_get(r->spool, index, ret_json);
	e = ww_ledger_reader_get(r->reader, index, &p);
	if (e == -ENODATA || (e == 0 && p.erased))
		return -ENOENT;
	if (e == 0)
		*ret_json = p.json;
	return e;
}

int ww_records_explain(uint64_t index, int r)
{
	if (r != -EUCLEAN)
		return ww_log_err_r(r, "cannot read record %llu", (unsigned long long)index);
	ww_log(WW_LOG_ERR, "record %llu is damaged: its bytes are not those that were written",
	       (unsigned long long)index);
	return r;
}

int ww_records_withheld(struct ww_records *r, uint64_t index, struct ww_buf *out)
{
	const struct ww_withheld *w = NULL;
	struct ww_payload p;
	char text[128];
	int n, e;

	if (r->spool) {
		n = snprintf(text, sizeof(text), "withheld: the daemon has no content of it");
		return ww_buf_add(out, text, (size_t)n);
	}
	e = ww_ledger_reader_get(r->reader, index, &p);
	if (e == 0 && p.erased)
		e = ww_ledger_reader_withheld(r->reader, index, p.kind, &w);
	if (e == 0 && w)
		n = snprintf(text, sizeof(text),
			     "withheld: pruned by %s at %s (record %llu names it)",
			     w->prune.by_policy ? "policy" : "command", w->prune.t,
			     (unsigned long long)w->by);
	else if (e == 0 && p.erased)
		n = snprintf(text, sizeof(text), "withheld: erased by itself");
	else
		n = snprintf(text, sizeof(text), "missing, and no prune record names it: %s",
			     e < 0 ? strerror(-e) : "it is there");
	return ww_buf_add(out, text, (size_t)n);
}

/* --- walking ------------------------------------------------------------------------------------
 */

struct walk {
	struct ww_records *records;
	const struct ww_records_query *q;
	ww_records_fn fn;
	void *ctx;
	uint64_t *ring; /* the newest so far */
	uint64_t seen;
	int error;
};

static bool asked_for(const struct ww_records_query *q, uint64_t index, struct ww_slice json)
{
	struct ww_json_token t;

	if (q->until.what == WW_MOMENT_CURSOR && index > q->until.cursor)
		return false;
	if (q->since.what == WW_MOMENT_TIME || q->until.what == WW_MOMENT_TIME) {
		t = ww_member_get(json, "t");
		if (!ww_moment_reached(&q->since, t.raw) ||
		    (q->until.what == WW_MOMENT_TIME && ww_moment_reached(&q->until, t.raw)))
			return false;
	}
	return ww_filter_match(&q->filter, json);
}

static bool visit(void *ctx, uint64_t index)
{
	struct walk *w = ctx;
	struct ww_slice json;
	int r = ww_records_get(w->records, index, &json);

	if (r == -ENOENT) {
		w->records->withheld++;
		w->records->withheld_at = index;
		return true;
	}
	if (r < 0) {
		w->error = ww_records_explain(index, r);
		return false;
	}
	if (!asked_for(w->q, index, json))
		return true;
	if (!w->ring)
		return w->fn(w->ctx, index, json);
	w->ring[w->seen++ % w->q->newest] = index;
	return true;
}

static void visit_newest(struct walk *w)
{
	uint64_t at = w->seen > w->q->newest ? w->seen - w->q->newest : 0;

	for (; at < w->seen && w->error == 0; at++) {
		uint64_t index = w->ring[at % w->q->newest];
		struct ww_slice json;

		w->error = ww_records_get(w->records, index, &json);
		if (w->error == 0 && !w->fn(w->ctx, index, json))
			return;
	}
}

int ww_records_each(struct ww_records *r, const struct ww_records_query *q, ww_records_fn fn,
		    void *ctx)
{
	WW_AUTO_FREE uint64_t *ring = NULL;
	struct walk w = {.records = r, .q = q, .fn = fn, .ctx = ctx};
	uint64_t from = ww_moment_first(&q->since);
	int e;

	if (q->newest) {
		ring = calloc(q->newest, sizeof(*ring));
		if (!ring)
			return ww_log_err_r(-ENOMEM, "cannot list");
		w.ring = ring;
	}
	e = ww_record_index_each(r->index, q->kind, from, visit, &w);
	if (e < 0)
		return ww_log_err_r(e, "cannot read the index");
	if (w.ring && w.error == 0)
		visit_newest(&w);
	return w.error;
}

int ww_records_find(struct ww_records *r, const char *what, uint64_t *ret_index)
{
	struct ww_slice text = ww_slice_str(what);

	if (ww_slice_u64(text, ret_index) == 0)
		return 0;
	return ww_record_index_find(r->index, text, ret_index);
}

/* --- what a record cites ------------------------------------------------------------------------
 */

#define SAME_MAX 1024 /* records of one id that are looked at, as the verifier does */

void ww_records_citer(uint64_t index, struct ww_slice json, struct ww_records_citer *ret)
{
	struct ww_json_token root = ww_member_get(json, "root");

	*ret = (struct ww_records_citer){.index = index};
	if (root.type == WW_JSON_STRING && root.raw.n < sizeof(ret->root))
		memcpy(ret->root, root.raw.p, root.raw.n);
}

/* What is withheld may be. */
static bool is_own(struct ww_records *r, const struct ww_records_citer *by, uint64_t index)
{
	struct ww_json_token root;
	struct ww_slice json;

	if (strcmp(by->root, "p0") == 0 || ww_records_get(r, index, &json) < 0)
		return true;
	root = ww_member_get(json, "root");
	return root.type == WW_JSON_STRING && ww_slice_eq_str(root.raw, by->root);
}

int ww_records_cited(struct ww_records *r, const struct ww_records_citer *by, struct ww_slice id,
		     bool (*fn)(void *ctx, uint64_t index), void *ctx)
{
	uint64_t same[SAME_MAX];
	size_t n = 0, own = 0;
	int e;

	if (!ww_slice_starts(id, WW_SLICE_LIT("s-"))) {
		e = ww_record_index_get(r->index, id, same);
		if (e == 0)
			fn(ctx, same[0]);
		return e;
	}
	e = ww_record_index_same(r->index, id, by->index, same, SAME_MAX, &n);
	if (e < 0)
		return e;
	for (size_t i = 0; i < n && n > 1; i++) {
		if (is_own(r, by, same[i]))
			same[own++] = same[i];
	}
	if (n == 0 || (own == 0 && n == SAME_MAX)) /* the one that is meant may be beyond */
		return -ENOENT;
	for (size_t i = 0; (i == 0 || i < own) && fn(ctx, same[i]); i++)
		;
	return 0;
}

/* --- revisions ----------------------------------------------------------------------------------
 */

#define ID_MAX 96

/* Revisions count up in the id, "v-<action>-<revision>". 0, or -ENOENT: no such form. */
static int next_revision(const char *id, char out[ID_MAX])
{
	const char *dash = strrchr(id, '-');
	uint64_t revision;

	if (!dash || strlen(id) > ID_MAX - 24 ||
	    ww_slice_u64(ww_slice_str(dash + 1), &revision) < 0)
		return -ENOENT;
	snprintf(out, ID_MAX, "%.*s%llu", (int)(dash + 1 - id), id,
		 (unsigned long long)revision + 1);
	return 0;
}

static bool id_of(struct ww_slice json, char out[ID_MAX])
{
	const struct ww_slice path = WW_SLICE_LIT("id");
	struct ww_json_token id;

	if (!ww_member_pick(json, &path, 1, &id) || !ww_member_has(&id) || id.raw.n >= ID_MAX)
		return false;
	memcpy(out, id.raw.p, id.raw.n);
	out[id.raw.n] = '\0';
	return true;
}

bool ww_records_superseded(struct ww_records *r, struct ww_slice verdict,
			   const struct ww_moment *until)
{
	char id[ID_MAX], next[ID_MAX];
	uint64_t index;

	if (!id_of(verdict, id) || next_revision(id, next) < 0 ||
	    ww_record_index_get(r->index, ww_slice_str(next), &index) < 0)
		return false;
	return !until || until->what != WW_MOMENT_CURSOR || index <= until->cursor;
}

int ww_records_newest(struct ww_records *r, struct ww_slice verdict, struct ww_buf *out)
{
	char id[ID_MAX], next[ID_MAX];
	uint64_t index;
	bool newer = false;

	if (!id_of(verdict, id))
		return 0;
	while (next_revision(id, next) == 0 &&
	       ww_record_index_get(r->index, ww_slice_str(next), &index) == 0) {
		memcpy(id, next, sizeof(id));
		newer = true;
	}
	return newer ? ww_buf_add(out, id, strlen(id)) : 0;
}

void ww_records_mentioned(struct ww_slice json, bool (*fn)(void *ctx, struct ww_slice id),
			  void *ctx)
{
	struct ww_member_walk w;
	struct ww_member m;

	ww_member_begin(&w, json);
	while (ww_member_next(&w, &m)) {
		if (m.value.type == WW_JSON_STRING && !ww_slice_eq_str(m.path, "id") &&
		    ww_record_index_is_id(m.value.raw) && !fn(ctx, m.value.raw))
			return;
	}
}

int ww_records_stream_line(uint64_t index, struct ww_slice json, struct ww_buf *out)
{
	char head[64];
	int n = snprintf(head, sizeof(head),
			 "{\"v\":%d,\"cursor\":%llu,\"record\":", WW_STREAM_VERSION,
			 (unsigned long long)index);
	int r = ww_buf_add(out, head, (size_t)n);

	if (r == 0)
		r = ww_buf_add(out, json.p, json.n);
	return r == 0 ? ww_buf_add(out, "}", 1) : r;
}

/* --- options ------------------------------------------------------------------------------------
 */

void ww_records_moment_option(struct argp_state *state, const char *name, const char *text,
			      struct ww_moment *ret)
{
	struct ww_clock_map now;

	ww_clock_sample(&now);
	if (ww_moment_parse(text, now.wall, ret) < 0)
		argp_error(state, "--%s: expected " WW_MOMENT_FORMS ", got '%s'", name, text);
}

void ww_records_filter_option(struct argp_state *state, const char *text, struct ww_filter *ret)
{
	char why[WW_FILTER_WHY_MAX];

	if (ww_filter_parse(ww_slice_str(text), ret, why) < 0)
		argp_error(state, "%s", why);
}

void ww_records_filter_check(struct argp_state *state, const struct ww_filter *f, const char *kind)
{
	char why[WW_FILTER_WHY_MAX];

	if (ww_filter_check(f, kind, why) < 0)
		argp_error(state, "%s", why);
}

bool ww_records_json_option(struct argp_state *state, const char *text)
{
	if (strcmp(text, "json") != 0 && strcmp(text, "text") != 0)
		argp_error(state, "-o: expected text or json, got '%s'", text);
	return strcmp(text, "json") == 0;
}
