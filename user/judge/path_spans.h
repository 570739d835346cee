/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_spans: what spans say that a path may be held against: who is whose parent, which answer of
 * a model, which region. A span speaks for its sender's process tree alone: of another tree's trace
 * it says nothing, whatever ids it has.
 *
 * Bounded: the oldest goes first, counted. Pure, not thread safe.
 */
#pragma once

#include "base/hash.h"
#include "claim/span.h"

#define WW_PATH_SPANS_MAX 4096u

struct ww_path_span_key {
	uint64_t root_start_ns, root_pid;
	uint8_t trace_id[16], span_id[8];
};

struct ww_path_span {
	struct ww_path_span *prev, *next; /* by arrival */
	struct ww_path_span_key key;
	uint8_t parent[8];
	uint8_t role; /* enum ww_span_role */
	struct ww_boot received;
	char *region;       /* owned; NULL: it says none */
	uint8_t answer[24]; /* of which answer of a model: tree, and hash of the id */
	bool answered;
	UT_hash_handle hh, hh_answer;
};

struct ww_path_spans;

WW_CHECK int ww_path_spans_new(struct ww_path_spans **ret);
void ww_path_spans_free(struct ww_path_spans *t);
WW_DEFINE_AUTO(struct ww_path_spans, ww_path_spans_free)

/* 0, -ENOMEM; a span whose sender is not known is not held. */
WW_CHECK int ww_path_spans_add(struct ww_path_spans *t, const struct ww_span *s);

/* NULL: none. */
const struct ww_path_span *ww_path_spans_get(const struct ww_path_spans *t,
					     struct ww_actor_key root, const uint8_t trace_id[16],
					     const uint8_t span_id[8]);
/* Of an answer with this id, in that tree. NULL: none. */
const struct ww_path_span *ww_path_spans_by_answer(const struct ww_path_spans *t,
						   struct ww_actor_key root, const char *id);

void ww_path_spans_expire(struct ww_path_spans *t, struct ww_boot before);
