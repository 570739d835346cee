/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which packets' content is told, and for what. This is the whole rule: a new kind of content is a
 * line here and a number in enum ww_packet_what.
 */
#pragma once

#include "lib/maps.bpf.h"

#define WW_PORT_DNS 53

#define WW_QUIC_SEGMENTS     4    /* datagrams of one packet that are looked at */
#define WW_QUIC_HEAD_BYTES   64   /* a long header: 1, version 4, two IDs of 1 + 20, lengths */
#define WW_QUIC_CLIENT_BYTES 1200 /* RFC 9000 14.1: the least with a client's Initial in it */

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
	__u32 number;
};

/* What is told of every packet of this peer, a TCP segment where its connection is seen from its
 * begin on. enum ww_packet_what. */
static __always_inline __u32 ww_packet_what(__u16 peer_port)
{
	return peer_port == WW_PORT_DNS ? WW_PACKET_DNS : WW_PACKET_NONE;
}

/*
 * Whether a client's Initial may be in the next datagram of this direction. It is looked for in the
 * first ones only, and in the direction of the first that was found: a server's are not readable.
 */
static __always_inline bool ww_quic_wanted(const struct ww_flow_state *st, __u32 dir)
{
	return st->packets[dir & 1] < WW_QUIC_LOOKED_MAX && st->quic < WW_QUIC_TOLD_MAX &&
	       (st->quic == 0 || st->quic_dir == dir);
}

/*
 * How much is told of a datagram of `bytes` that begins with h[5]: all of a client's Initial, the
 * header of a 0-RTT packet, 0 of anything else. RFC 9000 17.2, RFC 9369 3.2.
 */
static __always_inline __u32 ww_quic_bytes(const __u8 *h, __u32 bytes)
{
	__u32 version = (__u32)h[1] << 24 | (__u32)h[2] << 16 | (__u32)h[3] << 8 | h[4];
	__u8 initial = version == 1 ? 0xc0 : 0xd0;

	if (version != 1 && version != 0x6b3343cf)
		return 0;
	if ((h[0] & 0xf0) == initial && bytes >= WW_QUIC_CLIENT_BYTES)
		return WW_QUIC_DATAGRAM_MAX;
	return (h[0] & 0xf0) == initial + 0x10 ? WW_QUIC_HEAD_BYTES : 0;
}
