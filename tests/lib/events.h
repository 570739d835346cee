/* SPDX-License-Identifier: Apache-2.0 */
/* Builders of tape events for tests: each returns a heap event that the caller frees. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wirewitness/event.h>

#include "base/own.h"

#define EV_CGROUP 77u

static inline void *ev_make(size_t size, uint16_t kind, uint64_t time_ns, uint32_t pid,
			    uint64_t cookie)
{
	struct ww_event *ev = calloc(1, size);

	if (!ev)
		abort();
	ev->version = WW_EVENT_VERSION;
	ev->kind = kind;
	ev->size = (uint32_t)size;
	ev->time_ns = time_ns;
	if (pid) {
		ev->actor.pid = pid;
		ev->actor.tid = pid;
		ev->actor.start_ns = 1000ull * pid;
	}
	ev->cgroup = EV_CGROUP;
	ev->cookie = cookie;
	return ev;
}

static inline struct ww_endpoint ev_endpoint(const char *dotted, uint16_t port)
{
	struct ww_endpoint e = {.family = 2, .port = port};
	unsigned a, b, c, d;

	if (sscanf(dotted, "%u.%u.%u.%u", &a, &b, &c, &d) != 4)
		abort();
	e.addr[0] = (uint8_t)a;
	e.addr[1] = (uint8_t)b;
	e.addr[2] = (uint8_t)c;
	e.addr[3] = (uint8_t)d;
	return e;
}

static inline struct ww_event_flow *ev_open(uint64_t t, uint32_t pid, uint64_t cookie,
					    struct ww_endpoint peer)
{
	struct ww_event_flow *ev = ev_make(sizeof(*ev), WW_EVENT_FLOW_OPEN, t, pid, cookie);

	ev->peer = peer;
	ev->proto = 6;
	ev->role = WW_FLOW_CONNECT;
	ev->type = 1;
	return ev;
}

static inline struct ww_event_counters *ev_counters(uint16_t kind, uint64_t t, uint64_t cookie,
						    uint64_t sent, uint64_t received)
{
	struct ww_event_counters *ev = ev_make(sizeof(*ev), kind, t, 0, cookie);

	ev->bytes_sent = ev->bytes_acked = sent;
	ev->bytes_received = received;
	ev->proto = 6;
	ev->records_exact = 1;
	ev->how = kind == WW_EVENT_FLOW_CLOSE ? WW_CLOSE_FIN_LOCAL : WW_CLOSE_OPEN;
	ev->state_new = kind == WW_EVENT_FLOW_CLOSE ? 7 : 1;
	return ev;
}

static inline struct ww_event_hello *ev_hello(uint64_t t, uint64_t cookie, enum ww_dir dir,
					      uint8_t random)
{
	struct ww_event_hello *ev = ev_make(sizeof(*ev), WW_EVENT_TLS_HELLO, t, 0, cookie);

	memset(ev->random, random, sizeof(ev->random));
	ev->dir = dir;
	ev->client = 1;
	return ev;
}

static inline struct ww_event_record *ev_record(uint64_t t, uint64_t cookie, enum ww_dir dir,
						uint8_t type, uint32_t bytes)
{
	struct ww_event_record *ev = ev_make(sizeof(*ev), WW_EVENT_TLS_RECORD, t, 0, cookie);

	ev->dir = dir;
	ev->type = type;
	ev->bytes = bytes;
	return ev;
}

/* One whole call in one chunk. random 0: the session is known by its object. */
static inline struct ww_event_data *ev_data(uint64_t t, uint32_t pid, uint64_t cookie,
					    uint8_t random, enum ww_dir dir, uint64_t offset,
					    const char *bytes)
{
	size_t n = strlen(bytes);
	struct ww_event_data *ev = ev_make(sizeof(*ev) + n, WW_EVENT_DATA, t, pid, cookie);

	memset(ev->session.random, random, sizeof(ev->session.random));
	ev->session.object = 0x7000 + random;
	ev->session.pid = pid;
	ev->offset = offset;
	ev->call_bytes = ev->captured = (uint32_t)n;
	ev->requested = dir == WW_DIR_OUT ? (uint32_t)n : 65536;
	ev->dir = dir;
	ev->bind = cookie ? WW_BIND_RANDOM : WW_BIND_UNBOUND;
	ev->last = 1;
	memcpy(ev->bytes, bytes, n);
	return ev;
}

/* A whole datagram, or a TCP segment, to or from a DNS server. */
static inline struct ww_event_packet *ev_packet(uint64_t t, uint32_t pid, uint64_t cookie,
						uint8_t proto, enum ww_dir dir, uint64_t offset,
						const void *bytes, size_t n)
{
	struct ww_event_packet *ev = ev_make(sizeof(*ev) + n, WW_EVENT_PACKET, t, pid, cookie);

	ev->local = ev_endpoint("10.0.0.1", 40000);
	ev->peer = ev_endpoint("10.0.0.53", 53);
	ev->offset = offset;
	ev->payload_bytes = ev->captured = (uint32_t)n;
	ev->dir = dir;
	ev->what = WW_PACKET_DNS;
	ev->proto = proto;
	memcpy(ev->bytes, bytes, n);
	return ev;
}

static inline struct ww_event *ev_tick(uint64_t t)
{
	return ev_make(sizeof(struct ww_event), WW_EVENT_TICK, t, 0, 0);
}
