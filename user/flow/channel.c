/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/channel.h"

#include <errno.h>
#include <string.h>

struct channel {
	uint64_t cookie;
	struct ww_actor_key agent;
	unsigned count;
	bool more; /* processes that are not remembered */
	struct ww_actor_key servers[WW_CHANNEL_HOLDERS_MAX];
	bool forked; /* a process ended that was forked and had executed nothing, or too many are */
	unsigned fork_count;
	struct ww_actor_key forks[WW_CHANNEL_FORKS_MAX]; /* they have executed nothing yet */
};

struct ww_channels {
	unsigned count;
	struct channel channels[WW_CHANNELS_MAX];
};

int ww_channels_new(struct ww_channels **ret_channels)
{
	struct ww_channels *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*ret_channels = t;
	return 0;
}

void ww_channels_free(struct ww_channels *t)
{
	free(t);
}

static struct channel *find(struct ww_channels *t, uint64_t cookie)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (t->channels[i].cookie == cookie)
			return &t->channels[i];
	}
	return NULL;
}

int ww_channels_hold(struct ww_channels *t, uint64_t cookie, struct ww_actor_key server,
		     struct ww_actor_key agent)
{
	struct channel *c = find(t, cookie);

	if (!c && t->count == WW_CHANNELS_MAX)
		return -ENOSPC;
	if (!c) {
		c = &t->channels[t->count++];
		*c = (struct channel){.cookie = cookie};
	}
	if (agent.pid)
		c->agent = agent;
	for (unsigned i = 0; i < c->count; i++) {
		if (ww_actor_key_eq(c->servers[i], server))
			return 0;
	}
	if (c->count == WW_CHANNEL_HOLDERS_MAX) {
		c->more = true;
		return -ENOSPC;
	}
	c->servers[c->count++] = server;
	return 0;
}

static bool is_of(const struct channel *c, struct ww_actor_key actor)
{
	bool found = false;

	for (unsigned i = 0; i < c->count; i++)
		found |= ww_actor_key_eq(c->servers[i], actor);
	for (unsigned i = 0; i < c->fork_count; i++)
		found |= ww_actor_key_eq(c->forks[i], actor);
	return found;
}

void ww_channels_fork(struct ww_channels *t, struct ww_actor_key parent, struct ww_actor_key child)
{
	for (unsigned i = 0; i < t->count; i++) {
		struct channel *c = &t->channels[i];

		if (!is_of(c, parent) || is_of(c, child))
			continue;
		if (c->fork_count < WW_CHANNEL_FORKS_MAX)
			c->forks[c->fork_count++] = child;
		else
			c->forked = true;
	}
}

static bool forget_fork(struct channel *c, struct ww_actor_key actor)
{
	for (unsigned i = 0; i < c->fork_count; i++) {
		if (ww_actor_key_eq(c->forks[i], actor)) {
			c->forks[i] = c->forks[--c->fork_count];
			return true;
		}
	}
	return false;
}

void ww_channels_exec(struct ww_channels *t, struct ww_actor_key actor)
{
	for (unsigned i = 0; i < t->count; i++)
		(void)forget_fork(&t->channels[i], actor);
}

bool ww_channels_forked(struct ww_channels *t, uint64_t cookie)
{
	const struct channel *c = find(t, cookie);

	return !c || c->more || c->forked || c->fork_count > 0;
}

static enum ww_channel_end leave(struct channel *c, struct ww_actor_key actor)
{
	bool left = forget_fork(c, actor);

	if (ww_actor_key_eq(c->agent, actor))
		return WW_CHANNEL_AGENT;
	c->forked |= left;
	for (unsigned i = 0; i < c->count; i++) {
		if (!ww_actor_key_eq(c->servers[i], actor))
			continue;
		c->servers[i--] = c->servers[--c->count];
		left = true;
	}
	return !left || c->count || c->fork_count || c->more ? WW_CHANNEL_GOES_ON
							     : WW_CHANNEL_SERVER;
}

void ww_channels_exit(struct ww_channels *t, struct ww_actor_key actor,
		      void (*fn)(void *ctx, uint64_t cookie, enum ww_channel_end end), void *ctx)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < t->count; i++) {
		enum ww_channel_end end = leave(&t->channels[i], actor);

		if (end == WW_CHANNEL_GOES_ON)
			t->channels[kept++] = t->channels[i];
		else
			fn(ctx, t->channels[i].cookie, end);
	}
	t->count = kept;
}
