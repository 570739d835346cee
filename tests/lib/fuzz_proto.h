/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the fuzz targets of protocols: one connection. The input is a list of steps: a control byte,
 * a 16-bit length (big-endian), then that many bytes unless the step is a gap. Control: bit 0
 * direction, bit 1 gap, bit 2 the gap is 2^40 times as long. The very first byte says how the
 * connection closes. Where no place was lost, the same bytes one at a time must give the same
 * exchanges; a lost place is only found again at the begin of a step.
 */
#pragma once

#include <assert.h>

#include "action/model.h"
#include "base/cursor.h"
#include "base/json.h"
#include "proto/multipart.h"
#include "proto/proto.h"

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

static inline void write_record(struct seen *s, const struct ww_exchange *x)
{
	static const struct ww_clock_map clock;
	struct ww_exchange copy = *x;
	struct ww_json_token t;
	struct ww_jsonw w;
	struct ww_json j;
	size_t from = s->text.n;

	copy.t_first_req = copy.t_last_req = copy.t_first_resp = copy.t_last_resp =
		(struct ww_boot){0};
	ww_jsonw_init(&w, &s->text);
	ww_exchange_write(&copy, &clock, &w);
	assert(ww_jsonw_ok(&w) && s->text.n - from <= WW_RECORD_BYTES_MAX);
	ww_json_init(&j, ww_slice(s->text.p + from, s->text.n - from));
	while (ww_json_next(&j, &t) == WW_PARSE_DONE)
		;
	assert(ww_json_next(&j, &t) == WW_PARSE_END);
	if (ww_buf_add(&s->text, x->target, strlen(x->target)) < 0 ||
	    ww_buf_add(&s->text, x->req.data.p, x->req.data.n) < 0 ||
	    ww_buf_add(&s->text, x->resp.data.p, x->resp.data.n) < 0)
		abort();
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
	write_record(s, x);
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
	while (ww_cursor_left(&c) >= 3) {
		uint8_t control = ww_cursor_u8(&c);
		uint64_t n = ww_cursor_be16(&c);
		enum ww_dir dir = control & 1;
		struct ww_slice bytes;

		if (control & 2) {
			n <<= control & 4 ? 40 : 0;
			ww_proto_gap(p, &f, dir, at[dir], n, (struct ww_boot){1});
			at[dir] += n;
			s->lost = true;
			continue;
		}
		bytes = ww_cursor_take(&c, n < ww_cursor_left(&c) ? n : ww_cursor_left(&c));
		for (size_t i = 0; i < bytes.n; i += piece_max) {
			struct ww_slice piece = ww_slice_sub(bytes, i, piece_max);

			ww_proto_bytes(p, &f, dir, at[dir], piece, (struct ww_boot){1});
			at[dir] += piece.n;
		}
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
