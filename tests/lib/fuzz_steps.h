/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the fuzz targets of protocols: one flow as a list of steps, each a control byte, a 16-bit
 * length (big-endian), then that many bytes unless the step is a gap. Control: bit 0 direction, bit
 * 1 gap; what bit 2 says of a gap is the target's.
 */
#pragma once

#include <assert.h>

#include "base/cursor.h"
#include "proto/proto.h"
#include "whole_json.h"

struct step {
	enum ww_dir dir;
	bool gap;
	bool marked; /* bit 2 */
	uint64_t n;  /* of a gap */
	struct ww_slice bytes;
};

/* False: there is no further one. */
static inline bool next_step(struct ww_cursor *c, struct step *ret_step)
{
	uint8_t control;
	uint64_t n;

	if (ww_cursor_left(c) < 3)
		return false;
	control = ww_cursor_u8(c);
	n = ww_cursor_be16(c);
	*ret_step = (struct step){
		.dir = control & 1, .gap = control & 2, .marked = control & 4, .n = n};
	if (!ret_step->gap)
		ret_step->bytes = ww_cursor_take(c, n < ww_cursor_left(c) ? n : ww_cursor_left(c));
	return true;
}

/* Its bytes, in pieces; *at is their offset. */
static inline void give_bytes(struct ww_proto *p, struct ww_flow *f, const struct step *s,
			      size_t piece_max, uint64_t *at)
{
	for (size_t i = 0; i < s->bytes.n; i += piece_max) {
		struct ww_slice piece = ww_slice_sub(s->bytes, i, piece_max);

		ww_proto_bytes(p, f, s->dir, *at, piece, (struct ww_boot){1});
		*at += piece.n;
	}
}

/* All that later stages see of an exchange, but times. */
static inline void add_exchange(struct ww_buf *text, const struct ww_exchange *x)
{
	static const struct ww_clock_map clock;
	struct ww_exchange copy = *x;
	struct ww_jsonw w;
	size_t from = text->n;

	copy.t_first_req = copy.t_last_req = copy.t_first_resp = copy.t_last_resp =
		(struct ww_boot){0};
	ww_jsonw_init(&w, text);
	ww_exchange_write(&copy, &clock, &w);
	assert(ww_jsonw_ok(&w) && text->n - from <= WW_RECORD_BYTES_MAX);
	assert(whole_json(ww_slice(text->p + from, text->n - from)));
	if (ww_buf_add(text, x->target, strlen(x->target)) < 0 ||
	    ww_buf_add(text, x->req.data.p, x->req.data.n) < 0 ||
	    ww_buf_add(text, x->resp.data.p, x->resp.data.n) < 0)
		abort();
}
