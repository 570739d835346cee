/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns: one message of the Domain Name System (RFC 1035, EDNS by RFC 6891, SVCB and HTTPS by RFC
 * 9460), as it stands in a datagram or, by two bytes of length, in a TCP stream.
 *
 * Numbered invariants:
 *  1. A compression pointer leads before everything that was read of the name so far: no loop, and
 *     never forward, and what it leads to ends before that. A name has at most 255 bytes, a label
 *     63, and there are at most 128 pointers.
 *  2. Names are kept as they are on the wire without compression, in lower case: equal bytes are
 *     equal names.
 *  3. Every record's data is read within its own length, and must fill it where its type is known.
 *
 * Kept of an answer are addresses, aliases and service bindings of class IN, the first
 * WW_DNS_RECORDS_MAX; all others are walked over and counted. Pure, no allocation.
 */
#pragma once

#include "base/parse.h"
#include "base/slice.h"

#define WW_DNS_NAME_BYTES  255u
#define WW_DNS_RECORDS_MAX 32u /* kept of one answer: resolvers give a dozen */
#define WW_DNS_HINTS_MAX   8u  /* addresses kept of one service binding */
#define WW_DNS_HEAD_BYTES  12u

/* X(enum suffix, number, text) */
#define WW_DNS_TYPES(X)       \
	X(A, 1, "A")          \
	X(NS, 2, "NS")        \
	X(CNAME, 5, "CNAME")  \
	X(SOA, 6, "SOA")      \
	X(PTR, 12, "PTR")     \
	X(MX, 15, "MX")       \
	X(TXT, 16, "TXT")     \
	X(AAAA, 28, "AAAA")   \
	X(SRV, 33, "SRV")     \
	X(OPT, 41, "OPT")     \
	X(SVCB, 64, "SVCB")   \
	X(HTTPS, 65, "HTTPS") \
	X(ANY, 255, "ANY")

#define WW_DNS_TYPE_ENUM_(n, v, t) WW_DNS_##n = (v),
enum ww_dns_type { WW_DNS_TYPES(WW_DNS_TYPE_ENUM_) };

#define WW_DNS_CLASS_IN 1

struct ww_dns_name {
	uint8_t n; /* bytes; 1: the root, 0: none */
	uint8_t bytes[WW_DNS_NAME_BYTES];
};

struct ww_dns_address {
	uint8_t bytes[16]; /* IPv4 in the first 4 */
	bool v6;
};

struct ww_dns_record {
	struct ww_dns_name name;
	uint16_t type; /* A, AAAA, CNAME, SVCB, HTTPS */
	uint32_t ttl;
	struct ww_dns_name target; /* CNAME, SVCB, HTTPS; of the latter the root: the name itself */
	struct ww_dns_address address[WW_DNS_HINTS_MAX]; /* A, AAAA: one; SVCB, HTTPS: hints */
	unsigned addresses;
	bool more;         /* there were more hints */
	uint16_t priority; /* SVCB, HTTPS; 0: an alias */
	bool ech;          /* it has keys for an encrypted hello */
	char alpn[48];     /* protocols, by commas; cut where it is full; empty: none named */
};

struct ww_dns {
	uint16_t id;
	bool response;
	uint8_t opcode; /* 0: a query */
	uint16_t rcode; /* with its upper bits from EDNS */
	bool truncated; /* TC: there is more to be had over TCP */
	bool edns;
	uint16_t edns_bytes; /* datagrams that the sender takes */
	uint16_t questions;  /* as many; the first one is: */
	struct ww_dns_name name;
	uint16_t type;
	uint16_t class;
	unsigned others; /* records of the answer that were not kept: of other types, or too many */
	bool more;       /* of them some by number: there may be addresses among them */
	unsigned records;
	struct ww_dns_record record[WW_DNS_RECORDS_MAX];
};

/*
 * Reads `in`, the first bytes of a message of `whole` bytes. DONE: *ret is it; of a truncated one
 * what was there. GAP: it goes on behind the bytes that are here. BAD: it is none, or too short for
 * what it says; *ret_error says where. *ret is changed by DONE alone. Bytes behind the message are
 * nobody's: not looked at.
 */
enum ww_parse ww_dns_parse(struct ww_slice in, size_t whole, struct ww_dns *ret,
			   struct ww_parse_error *ret_error);

/* RFC 1035 section 4.2.2: DONE: *ret_message is the first message of a stream, behind its two
 * bytes. MORE: it is not all there. */
enum ww_parse ww_dns_frame(struct ww_slice stream, struct ww_slice *ret_message);

static inline bool ww_dns_name_eq(const struct ww_dns_name *a, const struct ww_dns_name *b)
{
	return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

/*
 * As people write it, without the last dot; the root is ".". What would not stand for itself is
 * escaped (RFC 4343 section 2.1). out holds WW_DNS_TEXT_MAX bytes.
 */
#define WW_DNS_TEXT_MAX 1024u
void ww_dns_name_text(struct ww_slice name, char *out);

/* "A", "TYPE65280" (RFC 3597); "NXDOMAIN", "RCODE23". out holds WW_DNS_WORD_MAX bytes. */
#define WW_DNS_WORD_MAX 16u
void ww_dns_type_text(uint16_t type, char *out);
void ww_dns_rcode_text(uint16_t rcode, char *out);
