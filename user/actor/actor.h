/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actor: one process identity and its lineage, rebuilt from fork, exec and exit events.
 *
 * Identity is pid + start time (the boot id stands in the tape's manifest), never the pid alone.
 * Actors are kept after exit until ww_actors_expire(), because spans and late bytes still refer to
 * them. Bounded by WW_ACTORS_MAX; past it the oldest exited actor goes first and the eviction is
 * counted. Pure: time comes from events only. Not thread safe.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/own.h"

struct ww_actor {
	struct ww_actor_key key; /* tid is 0 */
	struct ww_actor_key parent;
	uint64_t cgroup; /* scope's cgroup id when born or first seen */
	uint32_t uid;
	uint32_t ns_pid;
	struct ww_boot first_seen;
	struct ww_boot came;   /* into the scope, with the program that it executed then: nothing
				* was heard of it before; 0: otherwise */
	struct ww_boot execed; /* 0: not since we watch */
	struct ww_boot exited; /* 0: alive */
	int32_t exit_code;
	bool start_coarse; /* from a walk of /proc: start_ns is rounded to a clock tick until an
			      event says it exactly */
	/* Of the program that it executes, counted anew after each exec: */
	uint32_t tls_files;  /* library files with probes that it maps */
	uint64_t tls_events; /* plaintext events, and of them those bound to a socket at once */
	uint64_t tls_bound;
	uint64_t exchanges; /* decoded on its sockets */
	bool opaque;        /* maps, or mapped, a TLS stack that cannot be read */
	bool born_in_sight; /* fork seen, or started by `run`: nothing before it was missed */
	char comm[17];
	bool own_mounts; /* anybody may have put another file at that path */
	char exe[WW_PATH_BYTES_MAX + 1];
};

struct ww_actors;

/* 0 or -ENOMEM. */
WW_CHECK int ww_actors_new(struct ww_actors **ret_actors);
void ww_actors_free(struct ww_actors *a);
WW_DEFINE_AUTO(struct ww_actors, ww_actors_free)

/*
 * Takes any event: process events change the table, every other event with an actor makes sure that
 * the actor is known. 0 or -ENOMEM (the event is then a loss that the caller counts).
 */
WW_CHECK int ww_actors_feed(struct ww_actors *a, const struct ww_event *ev);

/* Grows with every exit, and when an actor is forgotten or its key is corrected: who remembers what
 * ww_actors_get() said of a life's end asks again. */
uint64_t ww_actors_endings(const struct ww_actors *a);

/* NULL when not known. Borrowed until the next feed or expire. */
const struct ww_actor *ww_actors_get(const struct ww_actors *a, struct ww_actor_key key);

/* The process with this pid that was alive at t (pid reuse told apart by time), or NULL. */
const struct ww_actor *ww_actors_at(const struct ww_actors *a, uint32_t pid, struct ww_boot t);

/*
 * The topmost known ancestor inside the same scope cgroup: the root of the agent's process tree.
 * Two actors belong to one tree when their roots are equal. An unknown key is its own root.
 */
struct ww_actor_key ww_actors_root(const struct ww_actors *a, struct ww_actor_key key);

/* An exchange of this actor was decoded. */
void ww_actors_exchange(struct ww_actors *a, struct ww_actor_key key);

/* Calls fn for every actor, oldest first. */
void ww_actors_each(const struct ww_actors *a, void (*fn)(void *ctx, const struct ww_actor *actor),
		    void *ctx);

static inline bool ww_actor_key_eq(struct ww_actor_key x, struct ww_actor_key y)
{
	return x.pid == y.pid && x.start_ns == y.start_ns;
}

/* Forgets actors that exited before t and have no living descendant known. */
void ww_actors_expire(struct ww_actors *a, struct ww_boot t);

/* "p<pid>-<start, hex>": the actor's id in records. out holds WW_ACTOR_ID_MAX bytes. */
#define WW_ACTOR_ID_MAX 40
void ww_actor_id(struct ww_actor_key key, char *out);

/* Writes the record of kind "actor". `t` is when it was written about. */
void ww_actor_write(const struct ww_actor *actor, struct ww_wall t, struct ww_jsonw *w);
