/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded tapes in memory, and what the real pipeline makes of any list of their events. */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/json.h"
#include "daemon/manifest.h"
#include "sense/tape.h"

#define TAPE_EVENTS_MAX   2048
#define TAPE_VERDICTS_MAX 128

struct tape {
	const char *path;
	struct ww_buf contracts;
	struct ww_pipeline_config cfg;
	unsigned count; /* without WW_EVENT_END */
	struct ww_event *ev[TAPE_EVENTS_MAX];
};

struct tape_verdict {
	char subject[128]; /* the tool call id, else the action's id */
	char verdict[32];
	char reason[32];
};

/* What came out of one run. */
struct tape_run {
	unsigned verdict_count;
	struct tape_verdict verdicts[TAPE_VERDICTS_MAX];
	uint64_t records;
	uint64_t lost_events;   /* the largest that a coverage record tells */
	uint64_t beyond_cap;    /* likewise, bytes */
	uint64_t losses_told;   /* events in loss records */
	struct ww_sha256 print; /* of all records in order */
	struct ww_pipeline_stats stats;
};

static inline void *tape_copy(const void *from, size_t n)
{
	void *p = malloc(n);

	if (!p)
		abort();
	return memcpy(p, from, n);
}

static inline void tape_load(struct tape *t, const char *path)
{
	struct ww_tape_reader *r = NULL;
	const struct ww_event *ev;
	int e;

	memset(t, 0, sizeof(*t));
	t->path = path;
	ww_buf_init(&t->contracts, WW_MANIFEST_BYTES_MAX);
	if (ww_tape_open(path, &r) < 0 ||
	    ww_manifest_read(ww_tape_manifest(r), &t->contracts, &t->cfg) < 0) {
		fprintf(stderr, "%s: no tape\n", path);
		abort();
	}
	while ((e = ww_tape_next(r, &ev)) == 0) {
		assert(t->count < TAPE_EVENTS_MAX);
		if (ev->kind != WW_EVENT_END)
			t->ev[t->count++] = tape_copy(ev, ev->size);
	}
	assert(e == -ENODATA);
	ww_tape_reader_free(r);
}

static inline void tape_free(struct tape *t)
{
	for (unsigned i = 0; i < t->count; i++)
		free(t->ev[i]);
	ww_buf_done(&t->contracts);
}

/* One more event of the tape's own, behind `at` others; the tape keeps ev. */
static inline void tape_insert(struct tape *t, unsigned at, void *ev)
{
	assert(t->count < TAPE_EVENTS_MAX && at <= t->count);
	memmove(&t->ev[at + 1], &t->ev[at], (t->count - at) * sizeof(t->ev[0]));
	t->ev[at] = ev;
	t->count++;
}

/* Index of the first event of a kind at or behind `from`; the count when there is none. */
static inline unsigned tape_find(const struct tape *t, unsigned from, uint16_t kind)
{
	while (from < t->count && t->ev[from]->kind != kind)
		from++;
	return from;
}

/* A member's text; false: it is absent or null. */
static inline bool tape_member(struct ww_slice json, const char *path, char *out, size_t n)
{
	struct ww_json_token t;

	out[0] = '\0';
	if (ww_json_path(json, path, &t, NULL) != WW_PARSE_DONE || t.type == WW_JSON_NULL)
		return false;
	snprintf(out, n, "%.*s", (int)t.raw.n, (const char *)t.raw.p);
	return true;
}

static inline uint64_t tape_number(struct ww_slice json, const char *path)
{
	char text[32];

	return tape_member(json, path, text, sizeof(text)) ? strtoull(text, NULL, 10) : 0;
}

static inline void tape_take_verdict(struct tape_run *r, struct ww_slice json)
{
	struct tape_verdict *v = &r->verdicts[r->verdict_count];

	assert(r->verdict_count < TAPE_VERDICTS_MAX);
	r->verdict_count++;
	if (!tape_member(json, "$.toolCallId", v->subject, sizeof(v->subject)))
		tape_member(json, "$.action", v->subject, sizeof(v->subject));
	tape_member(json, "$.verdict", v->verdict, sizeof(v->verdict));
	tape_member(json, "$.reason", v->reason, sizeof(v->reason));
}

static inline void tape_take(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct tape_run *r = ctx;
	struct ww_sha256 both[2] = {r->print};

	r->records++;
	ww_sha256(json, &both[1]);
	ww_sha256(ww_slice(both, sizeof(both)), &r->print);
	if (kind == WW_RECORD_VERDICT) {
		tape_take_verdict(r, json);
	} else if (kind == WW_RECORD_COVERAGE) {
		uint64_t lost = tape_number(json, "$.lostEvents");
		uint64_t cap = tape_number(json, "$.beyondCapBytes");

		r->lost_events = lost > r->lost_events ? lost : r->lost_events;
		r->beyond_cap = cap > r->beyond_cap ? cap : r->beyond_cap;
	} else if (kind == WW_RECORD_LOSS) {
		r->losses_told += tape_number(json, "$.events");
	}
}

/* Feeds the events to a pipeline of the tape's configuration, and ends it. Records go to `take`. */
static inline void tape_feed(const struct tape *t, struct ww_event *const *ev, unsigned count,
			     ww_record_fn take, void *ctx, struct ww_pipeline_stats *ret_stats)
{
	struct ww_contract_error error = {0};
	struct ww_pipeline *p = NULL;

	if (ww_pipeline_new(&t->cfg, take, ctx, &p, &error) < 0)
		abort();
	for (unsigned i = 0; i < count; i++)
		ww_pipeline_feed(p, ev[i]);
	ww_pipeline_finish(p);
	*ret_stats = ww_pipeline_stats(p);
	ww_pipeline_free(p);
}

static inline void tape_play(const struct tape *t, struct ww_event *const *ev, unsigned count,
			     struct tape_run *ret_run)
{
	memset(ret_run, 0, sizeof(*ret_run));
	tape_feed(t, ev, count, tape_take, ret_run, &ret_run->stats);
}
