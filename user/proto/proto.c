/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/proto.h"

#include <errno.h>

#include "proto/http1.h"

struct ww_proto {
	struct ww_messages messages;
};

/* Stands in ww_flow.proto for a connection that could not be given a parser. */
static char given_up;

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

/* The flow's parser, made at its first byte; NULL when there is no memory for it. */
static struct ww_http1 *parser_of(struct ww_proto *p, struct ww_flow *f)
{
	struct ww_http1 *h = NULL;

	if (f->proto == &given_up)
		return NULL;
	if (f->proto)
		return f->proto;
	if (ww_http1_new(&p->messages, &h) < 0) {
		ww_messages_refuse(&p->messages, f);
		f->proto = &given_up;
		return NULL;
	}
	f->proto = h;
	return h;
}

void ww_proto_bytes(struct ww_proto *p, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		    struct ww_slice bytes, struct ww_boot t)
{
	struct ww_http1 *h = parser_of(p, f);

	if (h)
		ww_http1_bytes(h, f, dir, offset, bytes, t);
}

void ww_proto_gap(struct ww_proto *p, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		  uint64_t bytes, struct ww_boot t)
{
	struct ww_http1 *h = parser_of(p, f);

	if (h)
		ww_http1_gap(h, f, dir, offset, bytes, t);
}

void ww_proto_closed(struct ww_proto *p, struct ww_flow *f)
{
	if (f->proto && f->proto != &given_up)
		ww_http1_closed(f->proto, f);
	f->proto = NULL;
}

void ww_proto_memory(const struct ww_proto *p, uint64_t *ret_bytes, uint64_t *ret_refused)
{
	*ret_bytes = p->messages.bodies.held_bytes;
	*ret_refused = p->messages.bodies.refused;
}
