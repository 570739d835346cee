/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/proto.h"

#include <errno.h>

#include "proto/h2_frame.h"
#include "proto/http1.h"
#include "proto/http2.h"
#include "proto/jsonrpc.h"

struct ww_proto {
	struct ww_messages messages;
};

/*
 * A flow's parser, once its first bytes told which. Until then what came is remembered: gaps, and
 * the begin of what may be HTTP/2's preface, which is known without keeping it.
 */
struct parser {
	struct ww_http1 *http1;
	struct ww_http2 *http2;
	struct ww_jsonrpc *jsonrpc; /* of a channel, from the begin on */
	bool given_up;              /* no memory */
	uint8_t held;               /* bytes of the preface that came, in held_dir */
	uint8_t held_dir;
	struct ww_boot held_t;
	struct {
		uint64_t bytes; /* from the begin on */
		struct ww_boot t;
	} gap[2];
};

/* Of a flow that could not be given one. */
static struct parser refused = {.given_up = true};

/* With so much of the preface it is no HTTP/1: no method begins so. */
#define PREFACE_TELLS 3u

int ww_proto_new(const struct ww_proto_config *cfg, const struct ww_proto_ops *ops, void *ctx,
		 struct ww_proto **ret_proto)
{
	struct ww_proto *p;

	if (!cfg->key)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	ww_messages_init(&p->messages, cfg, ops, ctx);
	*ret_proto = p;
	return 0;
}

void ww_proto_free(struct ww_proto *p)
{
	if (!p)
		return;
	ww_messages_done(&p->messages);
	free(p);
}

static void give_up(struct ww_proto *p, struct parser *c, const struct ww_flow *f)
{
	ww_messages_refuse(&p->messages, f);
	c->given_up = true;
}

/* Made at the first byte or gap. */
static struct parser *parser_of(struct ww_proto *p, struct ww_flow *f)
{
	struct parser *c = f->proto;

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c) {
		ww_messages_refuse(&p->messages, f);
		c = &refused;
	} else if (f->channel && ww_jsonrpc_new(&p->messages, &c->jsonrpc) < 0) {
		give_up(p, c, f);
	}
	f->proto = c;
	return c;
}

static bool decided(const struct parser *c)
{
	return c->http1 || c->http2 || c->jsonrpc;
}

static void feed(struct parser *c, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		 struct ww_slice bytes, struct ww_boot t)
{
	if (c->http1)
		ww_http1_bytes(c->http1, f, dir, offset, bytes, t);
	else if (c->http2)
		ww_http2_bytes(c->http2, f, dir, offset, bytes, t);
	else if (c->jsonrpc)
		ww_jsonrpc_bytes(c->jsonrpc, f, dir, offset, bytes, t);
}

static void feed_gap(struct parser *c, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		     uint64_t bytes, struct ww_boot t)
{
	if (c->http1)
		ww_http1_gap(c->http1, f, dir, offset, bytes, t);
	else if (c->http2)
		ww_http2_gap(c->http2, f, dir, offset, bytes, t);
	else if (c->jsonrpc)
		ww_jsonrpc_gap(c->jsonrpc, f, dir, offset, bytes, t);
}

/* It is known which parser: what came before goes to it. */
static void begin(struct ww_proto *p, struct parser *c, struct ww_flow *f, bool http2, int req_dir)
{
	struct ww_slice preface = WW_SLICE_LIT(WW_H2_PREFACE);
	int r = http2 ? ww_http2_new(&p->messages, (enum ww_dir)req_dir, &c->http2)
		      : ww_http1_new(&p->messages, &c->http1);

	if (r < 0) {
		give_up(p, c, f);
		return;
	}
	for (int dir = 0; dir < 2; dir++)
		if (c->gap[dir].bytes)
			feed_gap(c, f, (enum ww_dir)dir, 0, c->gap[dir].bytes, c->gap[dir].t);
	if (c->held)
		feed(c, f, (enum ww_dir)c->held_dir, 0, ww_slice_sub(preface, 0, c->held),
		     c->held_t);
}

/* How many bytes of the preface `bytes` goes on with, behind those held. */
static unsigned preface_of(const struct parser *c, struct ww_slice bytes)
{
	struct ww_slice preface = WW_SLICE_LIT(WW_H2_PREFACE);
	unsigned n = c->held;

	while (n < preface.n && n - c->held < bytes.n && bytes.p[n - c->held] == preface.p[n])
		n++;
	return n;
}

/* Who sends the requests, where only the kernel can tell; -1: nobody. */
static int requests_by_role(const struct ww_flow *f)
{
	if (f->role == WW_FLOW_CONNECT)
		return WW_DIR_OUT;
	return f->role == WW_FLOW_ACCEPT ? WW_DIR_IN : -1;
}

/* The first bytes of a direction. False: too few to tell, and they are held. */
static bool decide(struct ww_proto *p, struct parser *c, struct ww_flow *f, enum ww_dir dir,
		   struct ww_slice bytes, struct ww_boot t)
{
	int by_role = requests_by_role(f);
	unsigned n;

	if (c->gap[dir].bytes) { /* joined late, or its begin was lost */
		bool http2 = by_role >= 0 && ww_h2_frames_begin(bytes, (int)dir == by_role);

		begin(p, c, f, http2, by_role);
		return true;
	}
	if (c->held && c->held_dir != dir) {
		begin(p, c, f, false, -1);
		return true;
	}
	n = preface_of(c, bytes);
	if (n >= PREFACE_TELLS) {
		begin(p, c, f, true, dir);
		return true;
	}
	if (n - c->held == bytes.n) {
		if (!c->held)
			c->held_t = t;
		c->held = (uint8_t)n;
		c->held_dir = (uint8_t)dir;
		return false;
	}
	/* A server's SETTINGS may be read before the client's preface was written: a length comes
	 * first, no letter. */
	begin(p, c, f, !c->held && bytes.p[0] == 0, !dir);
	return true;
}

void ww_proto_bytes(struct ww_proto *p, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		    struct ww_slice bytes, struct ww_boot t)
{
	struct parser *c = parser_of(p, f);

	if (c->given_up || bytes.n == 0)
		return;
	if (!decided(c) && !decide(p, c, f, dir, bytes, t))
		return;
	feed(c, f, dir, offset, bytes, t);
}

void ww_proto_gap(struct ww_proto *p, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		  uint64_t bytes, struct ww_boot t)
{
	struct parser *c = parser_of(p, f);

	if (c->given_up || bytes == 0)
		return;
	if (c->held && !decided(c))
		begin(p, c, f, false, -1);
	if (c->given_up)
		return;
	if (decided(c)) {
		feed_gap(c, f, dir, offset, bytes, t);
		return;
	}
	c->gap[dir].bytes += bytes;
	c->gap[dir].t = t;
}

void ww_proto_closed(struct ww_proto *p, struct ww_flow *f)
{
	struct parser *c = f->proto;

	if (!c)
		return;
	if (c->held && !decided(c))
		begin(p, c, f, false, -1);
	if (c->http1)
		ww_http1_closed(c->http1, f);
	if (c->http2)
		ww_http2_closed(c->http2, f);
	if (c->jsonrpc)
		ww_jsonrpc_closed(c->jsonrpc, f);
	if (c != &refused)
		free(c);
	f->proto = NULL;
}

void ww_proto_memory(const struct ww_proto *p, uint64_t *ret_bytes, uint64_t *ret_refused)
{
	*ret_bytes = p->messages.bodies.held_bytes;
	*ret_refused = p->messages.bodies.refused;
}
