/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/path_spans.h"

#include <errno.h>
#include <utlist.h>

struct ww_path_spans {
	struct ww_path_span *spans, *by_key, *by_answer;
	unsigned count;
};

int ww_path_spans_new(struct ww_path_spans **ret)
{
	struct ww_path_spans *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*ret = t;
	return 0;
}

static void drop(struct ww_path_spans *t, struct ww_path_span *e)
{
	struct ww_path_span *same = NULL;

	HASH_FIND(hh, t->by_key, &e->key, sizeof(e->key), same);
	if (same == e)
		HASH_DELETE(hh, t->by_key, e);
	if (e->answered) {
		HASH_FIND(hh_answer, t->by_answer, e->answer, sizeof(e->answer), same);
		if (same == e)
			HASH_DELETE(hh_answer, t->by_answer, e);
	}
	DL_DELETE(t->spans, e);
	t->count--;
	free(e->region);
	free(e);
}

void ww_path_spans_free(struct ww_path_spans *t)
{
	while (t && t->spans)
		drop(t, t->spans);
	free(t);
}

static void key_of(struct ww_actor_key root, const uint8_t trace_id[16], const uint8_t span_id[8],
		   struct ww_path_span_key *k)
{
	memset(k, 0, sizeof(*k));
	k->root_start_ns = root.start_ns;
	k->root_pid = root.pid;
	memcpy(k->trace_id, trace_id, sizeof(k->trace_id));
	memcpy(k->span_id, span_id, sizeof(k->span_id));
}

/* Good within the process: nothing of it is recorded, and order never comes from it. */
static void answer_of(struct ww_actor_key root, const char *id, uint8_t out[24])
{
	uint64_t parts[3] = {root.start_ns, root.pid, ww_siphash(id, strlen(id))};

	memcpy(out, parts, sizeof(parts));
}

int ww_path_spans_add(struct ww_path_spans *t, const struct ww_span *s)
{
	struct ww_path_span *e, *same = NULL;
	int r = 0;

	if (s->root.pid == 0)
		return 0;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	key_of(s->root, s->trace_id, s->span_id, &e->key);
	memcpy(e->parent, s->parent_id, sizeof(e->parent));
	e->role = (uint8_t)s->role;
	e->received = s->received;
	HASH_FIND(hh, t->by_key, &e->key, sizeof(e->key), same);
	if (same) { /* an id seen twice keeps its first meaning */
		free(e);
		return 0;
	}
	if (s->region[0]) {
		e->region = strdup(s->region);
		if (!e->region) {
			free(e);
			return -ENOMEM;
		}
	}
	HASH_ADD(hh, t->by_key, key, sizeof(e->key), e);
	if (!e->hh.tbl) {
		free(e->region);
		free(e);
		return -ENOMEM;
	}
	if (s->response_id[0]) {
		answer_of(s->root, s->response_id, e->answer);
		HASH_FIND(hh_answer, t->by_answer, e->answer, sizeof(e->answer), same);
		if (!same)
			HASH_ADD(hh_answer, t->by_answer, answer, sizeof(e->answer), e);
		e->answered = e->hh_answer.tbl != NULL;
		r = same || e->answered ? 0 : -ENOMEM;
	}
	DL_APPEND(t->spans, e);
	if (++t->count > WW_PATH_SPANS_MAX)
		drop(t, t->spans);
	return r;
}

const struct ww_path_span *ww_path_spans_get(const struct ww_path_spans *t,
					     struct ww_actor_key root, const uint8_t trace_id[16],
					     const uint8_t span_id[8])
{
	struct ww_path_span *e = NULL;
	struct ww_path_span_key k;

	key_of(root, trace_id, span_id, &k);
	HASH_FIND(hh, t->by_key, &k, sizeof(k), e);
	return e;
}

const struct ww_path_span *ww_path_spans_by_answer(const struct ww_path_spans *t,
						   struct ww_actor_key root, const char *id)
{
	struct ww_path_span *e = NULL;
	uint8_t key[24];

	answer_of(root, id, key);
	HASH_FIND(hh_answer, t->by_answer, key, sizeof(key), e);
	return e;
}

void ww_path_spans_expire(struct ww_path_spans *t, struct ww_boot before)
{
	while (t->spans && t->spans->received.ns < before.ns)
		drop(t, t->spans);
}
