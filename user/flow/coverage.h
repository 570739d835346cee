/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coverage: for how long and how completely a scope was seen; carries every loss. The only source
 * for the closed-world test. Kept per scope cgroup (a superset of every process tree in it:
 * stricter, never looser).
 *
 * A loss weakens the time since the counters were last read. Where it could have told of something
 * that goes on (any loss but of plaintext), it weakens all that follows, until the scope is empty.
 *
 * Pure; fed by scope, coverage, loss, unix-peer and flow events.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/own.h"

struct ww_coverage_answer {
	bool known;        /* the scope exists on this tape */
	bool whole_window; /* sockets and processes covered from `from` to `to` without a break */
	uint32_t covers;   /* WW_COVERS_* bits in force during the whole window */
	uint64_t lost_events; /* touching this scope within the window */
	uint64_t lost_bytes;
	uint32_t lost_cause; /* first cause, enum ww_loss_cause; meaningful when lost_events > 0 */
	uint32_t gaps;       /* capture interruptions */
	uint32_t unix_peers; /* unix-socket peers outside the scope that were reached */
	uint32_t loopback_peers; /* loopback TCP/UDP peers that are neither in scope nor our own
				    receiver */
	uint32_t opaque;         /* processes with a TLS stack that cannot be read */
	uint32_t raw_sockets;
	uint32_t unbound_calls; /* TLS calls whose socket was not known while they could be held */
	char detail[128];       /* the first reason in words, e.g. the unix peer's path */
};

struct ww_coverage;

/* 0 or -ENOMEM. */
WW_CHECK int ww_coverage_new(struct ww_coverage **ret_coverage);
void ww_coverage_free(struct ww_coverage *c);
WW_DEFINE_AUTO(struct ww_coverage, ww_coverage_free)

/* Takes any event. 0 or -ENOMEM. */
WW_CHECK int ww_coverage_feed(struct ww_coverage *c, const struct ww_event *ev);

/* A loss found in user space (hold ceilings, memory). */
void ww_coverage_loss(struct ww_coverage *c, uint64_t cgroup, struct ww_boot t,
		      enum ww_loss_cause cause, uint64_t events, uint64_t bytes);

/* A loopback connection to a peer that is neither in scope nor our own OTLP receiver. */
void ww_coverage_loopback(struct ww_coverage *c, uint64_t cgroup, struct ww_boot t,
			  const struct ww_endpoint *peer);

/* What is known about [from, to] of the scope that `cgroup` belongs to. */
void ww_coverage_query(const struct ww_coverage *c, uint64_t cgroup, struct ww_boot from,
		       struct ww_boot to, struct ww_coverage_answer *ret_answer);

/* The path of the scope's cgroup below the cgroup2 mount; empty: not known. Borrowed. */
struct ww_slice ww_coverage_path(const struct ww_coverage *c, uint64_t cgroup);

/* Writes the member "coverage": what was answered about that window. */
void ww_coverage_write_answer(const struct ww_coverage_answer *a, struct ww_boot from,
			      struct ww_boot to, struct ww_jsonw *w);

/* Writes the record of kind "coverage" for one scope up to `now`; t is the same instant as wall
 * time. */
void ww_coverage_write(const struct ww_coverage *c, uint64_t cgroup, struct ww_boot now,
		       struct ww_wall t, struct ww_jsonw *w);

/* Calls fn for every scope in order of cgroup id; for those that were left only with `left`. */
void ww_coverage_each(const struct ww_coverage *c, bool left,
		      void (*fn)(void *ctx, uint64_t cgroup), void *ctx);

/* Forgets the scopes that were left before t. Past the ceiling the first of them go earlier. */
void ww_coverage_expire(struct ww_coverage *c, struct ww_boot t);

/* As it stands in records; static text, "unknown" for other numbers. */
const char *ww_loss_cause_name(enum ww_loss_cause cause);
