/* SPDX-License-Identifier: Apache-2.0 */
#include "join/held_flow.h"

#include <errno.h>

static int take_others(struct ww_held_flow *e, const struct ww_channel *c)
{
	e->more = c->more;
	if (!e->others.max)
		ww_buf_init(&e->others, c->others.max);
	return c->others.n > e->others.n ? ww_buf_add(&e->others, c->others.p + e->others.n,
						      c->others.n - e->others.n)
					 : 0;
}

int ww_held_name_flow(struct ww_held_flow *e, const struct ww_flow *f)
{
	const char *name = f->channel ? f->channel->program : f->tls_facts.sni;
	char *copy;

	if (f->channel && take_others(e, f->channel) < 0)
		return -ENOMEM;
	if (!name || !name[0] || (e->name && (!f->channel || strcmp(e->name, name) == 0)))
		return 0;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(e->name);
	e->name = copy;
	return 0;
}

void ww_held_take_channel(struct ww_held_flow *e, const struct ww_flow *f)
{
	const struct ww_channel *c = f->channel;

	if (!c)
		return;
	e->channel = true;
	e->opaque = c->opaque || c->rings || c->strange || c->forked;
	memcpy(e->called, c->called, sizeof(e->called));
	e->since = c->since;
	e->loose = c->loose;
}

/* What no hook explains, beyond the part that reads of unknown record ends leave open. */
uint64_t ww_held_unexplained(const struct ww_account *a)
{
	int64_t open = (int64_t)(a->overhead_max - a->overhead);

	return a->checked && a->remainder > open ? (uint64_t)(a->remainder - open) : 0;
}

/* The most that may be of a reply which no hook read. */
uint64_t ww_held_unread(const struct ww_account *a)
{
	return a->tickets_alike + (a->checked && a->remainder > 0 ? (uint64_t)a->remainder : 0);
}
