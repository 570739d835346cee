/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the fuzz targets of protocols: one connection. The input is a list of steps (fuzz_steps.h);
 * a gap may be 2^40 times as long. The very first byte says how the connection closes. Where no
 * place was lost, the same bytes one at a time must give the same exchanges; a lost place is only
 * found again at the begin of a step.
 */
#pragma once

#include "fuzz_steps.h"

#include "action/model.h"
#include "proto/multipart.h"

#define BODY_BYTES_MAX 4096

struct seen {
	struct ww_digest_key key;
	struct ww_buf text; /* everything that later stages see, but times */
	unsigned count;
	bool lost; /* the place in a direction, by a gap or by a response of unknown length */
};

static inline void check_text(const char *s, size_t cap)
{
	assert(memchr(s, '\0', cap));
}

static inline void check_body(const struct ww_body *b)
{
	assert(b->data.n <= BODY_BYTES_MAX);
	assert(!b->whole || b->data.n == b->decoded_bytes);
	for (unsigned i = 0; b->form && i < b->form->total && i < WW_FORM_PARTS_MAX; i++)
		assert(b->form->part[i].bytes < b->decoded_bytes);
	check_text(b->content_type, sizeof(b->content_type));
}

static inline void take(void *ctx, const struct ww_exchange *x)
{
	struct ww_model_call *c = NULL;
	struct seen *s = ctx;

	s->count++;
	s->lost |= (x->findings & (WW_X_GAP_REQUEST | WW_X_GAP_RESPONSE)) != 0;
	assert(ww_exchange_outcome_name(x->outcome));
	assert(x->outcome != WW_X_COMPLETE || (x->status >= 100 && x->method[0]));
	check_text(x->target, sizeof(x->target));
	check_text(x->authority, sizeof(x->authority));
	check_text(x->method, sizeof(x->method));
	check_text(x->request_id, sizeof(x->request_id));
	check_body(&x->req);
	check_body(&x->resp);
	add_exchange(&s->text, x);
	if (ww_model_decode(x, &s->key, &c) == 0)
		ww_model_call_free(c);
}

static inline void play(struct ww_slice in, size_t piece_max, const struct ww_slice first[2],
			struct seen *s)
{
	static const uint8_t key[32];
	static const struct ww_proto_ops ops = {.exchange = take};
	struct ww_proto_config cfg = {.body_bytes_max = BODY_BYTES_MAX, .key = &s->key};
	struct ww_cursor c = ww_cursor(in);
	struct ww_flow f = {.cookie = 1};
	struct ww_proto *p = NULL;
	struct step step;
	uint64_t at[2] = {0, 0}, held, refused;

	*s = (struct seen){0};
	ww_digest_key_init(&s->key, key);
	ww_buf_init(&s->text, 64 << 20);
	if (ww_proto_new(&cfg, &ops, s, &p) < 0)
		abort();
	f.how = ww_cursor_u8(&c) % 8;
	f.role = f.how % 3;
	for (int dir = 0; dir < 2; dir++) {
		ww_proto_bytes(p, &f, (enum ww_dir)dir, 0, first[dir], (struct ww_boot){1});
		at[dir] = first[dir].n;
	}
	while (next_step(&c, &step)) {
		uint64_t n = step.n << (step.marked ? 40 : 0);

		give_bytes(p, &f, &step, piece_max, &at[step.dir]);
		if (!step.gap)
			continue;
		ww_proto_gap(p, &f, step.dir, at[step.dir], n, (struct ww_boot){1});
		at[step.dir] += n;
		s->lost = true;
	}
	ww_proto_closed(p, &f);
	assert(!f.proto && f.exchanges == s->count);
	ww_proto_memory(p, &held, &refused);
	assert(held == 0);
	assert(refused <= 2 * s->count); /* windows of br may be beyond the room */
	ww_proto_free(p);
}

/* first: what each direction begins with. */
static inline void fuzz_connection(struct ww_slice in, const struct ww_slice first[2])
{
	struct seen whole, bytewise;

	if (in.n > 65536)
		return;
	play(in, SIZE_MAX, first, &whole);
	if (!whole.lost && in.n < 8192) {
		play(in, 1, first, &bytewise);
		assert(ww_slice_eq(ww_buf_slice(&whole.text), ww_buf_slice(&bytewise.text)));
		ww_buf_done(&bytewise.text);
	}
	ww_buf_done(&whole.text);
}
