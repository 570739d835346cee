/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels: processes whose standard input and output lead to a process above them that is watched,
 * too. Decides who is at the other ends, finds the C library, sets the probes for that one process,
 * and takes them away.
 *
 * A channel is read at the server's side only, so that no byte counts twice. Probes are put into
 * one process: others that map the same library have none. Whatever stands against it (another C
 * library, none, Go, no such probes in this kernel) is told as WW_STDIO_OPAQUE with the reason.
 *
 * The processes are hostile: they may exit, execute and change descriptors at any time; what was
 * seen of them is compared again where it matters. Single-threaded. Bounded by
 * WW_STDIO_PROCESSES_MAX; who comes beyond it is told as opaque.
 */
#pragma once

#include <stdbool.h>

#include <wirewitness/event.h>
#include <wirewitness/kernel.h>

#include "base/own.h"
#include "sense/stdio_site.h"

#define WW_STDIO_PROCESSES_MAX 256u

/* What it does with the kernel side. */
struct ww_stdio_ops {
	/* Sets the sites of plan in the file behind fd for one process; *ret_link is a descriptor
	 * to be given to unset. 0 or -errno. */
	int (*set)(void *ctx, uint32_t pid, int fd, const struct ww_stdio_plan *plan,
		   int *ret_link);
	/* Takes the probes away; may be done later, it takes the kernel some time. */
	void (*unset)(void *ctx, uint32_t pid, int link);
	/* From now on bytes of this end are taken, or no longer. */
	int (*take)(void *ctx, const struct ww_stdio_key *key, const struct ww_stdio_state *state);
	void (*leave)(void *ctx, const struct ww_stdio_key *key);
	/* What became of a channel. Borrowed. */
	void (*tell)(void *ctx, const struct ww_event_stdio *ev);
};

struct ww_stdio;

/* 0 or -ENOMEM. ops is copied. */
WW_CHECK int ww_stdio_new(const struct ww_stdio_ops *ops, void *ctx, struct ww_stdio **ret_stdio);
/* Takes all probes away. Accepts NULL. */
void ww_stdio_free(struct ww_stdio *s);
WW_DEFINE_AUTO(struct ww_stdio, ww_stdio_free)

/*
 * Takes a channel as the kernel told it. scope: path of the cgroup in whose scope it is, as it
 * stands in /proc/PID/cgroup. That of a process with nobody above it there leads out of the scope,
 * or the process was left alone; both are told as WW_STDIO_OUTSIDE.
 */
void ww_stdio_found(struct ww_stdio *s, const struct ww_event_stdio *ev, const char *scope);

enum ww_stdio_wanted {
	WW_STDIO_OTHER,     /* the channel is left */
	WW_STDIO_UNDECIDED, /* the bytes are nobody's business yet: only their number is */
	WW_STDIO_WANTED,
};

/*
 * Whether the bytes may be of the protocol, JSON documents of a line each: what is said to the
 * server decides, at the first begin of a line that is seen.
 */
enum ww_stdio_wanted ww_stdio_wants(struct ww_stdio *s, const struct ww_event_stdio_data *ev);

/* The process has ended. One that is not known is no error. */
void ww_stdio_exited(struct ww_stdio *s, struct ww_actor_key actor);

/* Looks again at processes whose C library was not there yet. To be called often. */
void ww_stdio_run(struct ww_stdio *s, uint64_t now_ns);

/* Processes that have probes, or may have them soon, now. */
unsigned ww_stdio_count(const struct ww_stdio *s);
