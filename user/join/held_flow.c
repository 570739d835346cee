/* SPDX-License-Identifier: Apache-2.0 */
#include "join/held_flow.h"

#include <errno.h>

int ww_held_name_flow(struct ww_held_flow *e, const struct ww_flow *f)
{
	const char *name = f->channel ? f->channel->program : f->tls_facts.sni;
	char *copy;

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
	e->since = c->since;
	e->loose = c->loose;
}
