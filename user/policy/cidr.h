/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: a network in CIDR notation (RFC 4632, RFC 4291 section 2.3). An IPv4-mapped IPv6 address
 * is its IPv4 address; a mapped network is refused on parsing. Plain values, no ownership.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/own.h"
#include "base/slice.h"

struct ww_cidr {
	uint8_t addr[16]; /* network order; IPv4 in the first 4 bytes */
	uint8_t bits;
	uint8_t family; /* AF_INET 2 or AF_INET6 10 */
};

/* "10.1.0.0/16", "2001:db8::/32"; without "/n" a single address. 0, or -EINVAL: not a network, or
 * host bits set. Output unchanged on error. */
WW_CHECK int ww_cidr_parse(struct ww_slice text, struct ww_cidr *ret_cidr);

/* The same, but "/n" has to be there. */
WW_CHECK int ww_cidr_parse_network(struct ww_slice text, struct ww_cidr *ret_cidr);

/* "203.0.113.0/24"; out holds WW_CIDR_TEXT_MAX bytes. */
#define WW_CIDR_TEXT_MAX 52
void ww_cidr_text(const struct ww_cidr *c, char *out);

/* Whether these 16 bytes are an IPv4-mapped address; the last 4 are the IPv4 one. */
static inline bool ww_cidr_mapped(const uint8_t *addr)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, prefix, sizeof(prefix)) == 0;
}

/* Whether the address is in the network; the port plays no part. */
bool ww_cidr_has(const struct ww_cidr *c, const struct ww_endpoint *e);

/* Whether the whole network is loopback: 127.0.0.0/8 (RFC 1122 3.2.1.3), ::1 (RFC 4291 2.5.3). */
bool ww_cidr_loopback(const struct ww_cidr *c);
bool ww_cidr_endpoint_loopback(const struct ww_endpoint *e);
