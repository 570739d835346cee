/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which packets' content is told, and for what. This is the whole rule: a new kind of content is a
 * line here and a number in enum ww_packet_what.
 */
#pragma once

#include "lib/maps.bpf.h"

#define WW_PORT_DNS 53

/* One packet that is told. */
struct ww_packet {
	struct ww_actor_key actor;
	struct ww_endpoint local;
	struct ww_endpoint peer;
	__u32 offset;
	__u32 at; /* where the payload begins in the packet */
	__u32 bytes;
	__u32 dir;
	__u32 what;
};

/* A datagram; st->packets[dir] went before it. enum ww_packet_what. */
static __always_inline __u32 ww_datagram_what(const struct ww_flow_state *st, __u16 peer_port,
					      __u32 dir)
{
	if (peer_port == WW_PORT_DNS)
		return WW_PACKET_DNS;
	return WW_PACKET_NONE;
}

/* A TCP connection that is seen from its begin on. */
static __always_inline __u32 ww_stream_what(__u16 peer_port)
{
	return peer_port == WW_PORT_DNS ? WW_PACKET_DNS : WW_PACKET_NONE;
}
