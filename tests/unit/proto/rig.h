/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flow with a protocol parser behind it: bytes go in by direction, exchanges come out as copies.
 * Time stands at the number of the call, so that times can be compared.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/multipart.h"
#include "proto/proto.h"

#define RIG_EXCHANGES_MAX 256 /* as many as one connection may have open */

struct rig_exchange {
	struct ww_exchange x; /* bodies point to the copies below */
	uint8_t *req;
	uint8_t *resp;
	struct ww_form form; /* of req */
};

struct rig {
	struct ww_proto *p;
	struct ww_flow f;
	struct ww_digest_key key;
	uint64_t at[2];
	uint64_t t;
	unsigned count;
	struct rig_exchange got[RIG_EXCHANGES_MAX];
};

/* malloc'ed to size, so that a reader beyond the end is seen by the sanitizer. */
static inline uint8_t *rig_copy(struct ww_slice s)
{
	uint8_t *p = malloc(s.n ? s.n : 1);

	assert_non_null(p);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

static inline void rig_take(void *ctx, const struct ww_exchange *x)
{
	struct rig *r = ctx;
	struct rig_exchange *g = &r->got[r->count];

	assert_true(r->count < RIG_EXCHANGES_MAX);
	r->count++;
	g->x = *x;
	g->req = rig_copy(x->req.data);
	g->resp = rig_copy(x->resp.data);
	g->x.req.data.p = g->req;
	g->x.resp.data.p = g->resp;
	if (x->req.form) {
		g->form = *x->req.form;
		g->x.req.form = &g->form;
	}
}

static inline void rig_begin(struct rig *r, uint64_t body_bytes_max)
{
	static const uint8_t key[32] = "unit test key";
	static const struct ww_proto_ops ops = {.exchange = rig_take};
	struct ww_proto_config cfg = {.body_bytes_max = body_bytes_max, .key = &r->key};

	memset(r, 0, sizeof(*r));
	ww_digest_key_init(&r->key, key);
	r->f.cookie = 0x77;
	r->f.role = WW_FLOW_CONNECT;
	r->f.owner = (struct ww_actor_key){.start_ns = 9, .pid = 42};
	assert_int_equal(ww_proto_new(&cfg, &ops, r, &r->p), 0);
}

static inline void rig_bytes(struct rig *r, enum ww_dir dir, const void *p, size_t n)
{
	uint8_t *copy = rig_copy(ww_slice(p, n));

	ww_proto_bytes(r->p, &r->f, dir, r->at[dir], ww_slice(copy, n), (struct ww_boot){++r->t});
	r->at[dir] += n;
	free(copy);
}

static inline void rig_gap(struct rig *r, enum ww_dir dir, uint64_t n)
{
	ww_proto_gap(r->p, &r->f, dir, r->at[dir], n, (struct ww_boot){++r->t});
	r->at[dir] += n;
}

static inline void rig_out(struct rig *r, const char *s)
{
	rig_bytes(r, WW_DIR_OUT, s, strlen(s));
}

static inline void rig_in(struct rig *r, const char *s)
{
	rig_bytes(r, WW_DIR_IN, s, strlen(s));
}

static inline void rig_close(struct rig *r, enum ww_close_how how)
{
	uint64_t held, refused;

	r->f.how = how;
	r->f.closed = how != WW_CLOSE_OPEN;
	ww_proto_closed(r->p, &r->f);
	assert_null(r->f.proto);
	ww_proto_memory(r->p, &held, &refused);
	assert_int_equal(held, 0);
	/* The flow may be followed by another one on the same rig. */
	r->at[0] = r->at[1] = 0;
	r->f.how = WW_CLOSE_OPEN;
	r->f.closed = false;
}

static inline void rig_forget(struct rig *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		free(r->got[i].req);
		free(r->got[i].resp);
	}
	r->count = 0;
}

static inline void rig_end(struct rig *r)
{
	rig_forget(r);
	ww_proto_closed(r->p, &r->f); /* what is still open comes now */
	rig_forget(r);
	ww_proto_free(r->p);
}

static inline void rig_again(struct rig *r, uint64_t body_bytes_max)
{
	rig_end(r);
	rig_begin(r, body_bytes_max);
}

static inline const struct ww_exchange *rig_x(const struct rig *r, unsigned i)
{
	assert_true(i < r->count);
	return &r->got[i].x;
}

static inline void rig_body_is(const struct ww_body *b, const char *s)
{
	assert_int_equal(b->data.n, strlen(s));
	assert_memory_equal(b->data.p, s, strlen(s));
}

/* Everything that a later stage can see of the exchanges, but the times. out is cleared first. */
static inline void rig_text(const struct rig *r, struct ww_buf *out)
{
	static const struct ww_clock_map clock;
	struct ww_jsonw w;

	ww_buf_clear(out);
	for (unsigned i = 0; i < r->count; i++) {
		struct ww_exchange x = r->got[i].x;

		x.t_first_req = x.t_last_req = x.t_first_resp = x.t_last_resp = (struct ww_boot){0};
		ww_jsonw_init(&w, out);
		ww_exchange_write(&x, &clock, &w);
		assert_true(ww_jsonw_ok(&w));
		assert_int_equal(ww_buf_add(out, x.target, strlen(x.target)), 0);
		assert_int_equal(ww_buf_add(out, "\n", 1), 0);
		assert_int_equal(ww_buf_add(out, x.req.data.p, x.req.data.n), 0);
		assert_int_equal(ww_buf_add(out, x.resp.data.p, x.resp.data.n), 0);
	}
}
