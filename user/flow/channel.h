/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel: which processes hold a channel's server side, so that its end is known: when the last
 * one of them has exited, or the agent. A channel is a flow; its cookie is its name here.
 *
 * Probes are set in a process that was told; one that it forked and that executes nothing has the
 * channel, too, and could read it unseen. As long as there is such a process, or was one that
 * ended, the channel is not seen whole.
 *
 * Bounded by WW_CHANNELS_MAX channels of WW_CHANNEL_HOLDERS_MAX processes; who is not remembered
 * keeps the channel open until the agent exits. Pure, not thread safe.
 */
#pragma once

#include <stdbool.h>

#include <wirewitness/event.h>

#include "actor/actor.h"

#define WW_CHANNELS_MAX        1024u
#define WW_CHANNEL_HOLDERS_MAX 4u
#define WW_CHANNEL_FORKS_MAX   8u

struct ww_channels;

/* 0 or -ENOMEM. */
WW_CHECK int ww_channels_new(struct ww_channels **ret_channels);
void ww_channels_free(struct ww_channels *t);
WW_DEFINE_AUTO(struct ww_channels, ww_channels_free)

/* The process serves the channel; agent: who is at the other end, zero: not known. 0; -ENOSPC:
 * it is not remembered. */
WW_CHECK int ww_channels_hold(struct ww_channels *t, uint64_t cookie, struct ww_actor_key server,
			      struct ww_actor_key agent);

/* A process was forked, or executed a program. */
void ww_channels_fork(struct ww_channels *t, struct ww_actor_key parent, struct ww_actor_key child);
void ww_channels_exec(struct ww_channels *t, struct ww_actor_key actor);

/* Whether a process that was forked and executed nothing may read it, or did; also of a channel
 * that is not remembered. */
bool ww_channels_forked(struct ww_channels *t, uint64_t cookie);

enum ww_channel_end {
	WW_CHANNEL_GOES_ON, /* for this one nothing ended */
	WW_CHANNEL_SERVER,  /* the last server exited, or the last process that it forked */
	WW_CHANNEL_AGENT,
};

/*
 * The process exited. Calls fn for each channel that ends with it, in order of their begin, and
 * forgets them.
 */
void ww_channels_exit(struct ww_channels *t, struct ww_actor_key actor,
		      void (*fn)(void *ctx, uint64_t cookie, enum ww_channel_end end), void *ctx);
