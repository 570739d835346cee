/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The byte account of one TLS flow: which of the kernel's payload bytes are explained.
 *
 * How the handshake part is measured: the kernel side reports the lengths of the first
 * WW_RECORDS_WALKED_MAX TLS records of each direction. The first application record is the first
 * one whose length equals the first TLS call's plaintext plus the cipher's framing; what comes
 * before it is handshake, and of that, incoming records that arrived after our own Finished went
 * out are tickets (post-handshake messages). Where the walk lost its place, or no record fits,
 * nothing is guessed: checked = false.
 *
 * How the framing is measured: OpenSSL writes ceil(n / 16384) records per call (RFC 8446
 * section 5.1 bounds a record at 2^14 bytes), and a read call never returns more than the rest of
 * one record. A read shorter than the caller's buffer ended a record; one that filled a buffer
 * below 2^14 may have ended it or not: hence overhead and overhead_max.
 *
 * Invariants:
 *  1. payload is the kernel's number, never derived here.
 *  2. explained counts plaintext once per call, captured or not.
 *  3. A direction with lost calls or records is not checked: what they took is unknown.
 *  4. Of outgoing encrypted handshake bytes only a Finished record's are explained: a private TLS
 * copy could hide in more.
 *  5. A server's tickets come together and alike: of one length, or one cipher block apart. An
 * incoming record of another length is none: it may be a reply that was read by means that no hook
 * sees.
 */
#pragma once

#include "flow/flow.h"

struct ww_account_record {
	uint32_t bytes; /* on the wire, header included */
	uint8_t type;
	uint64_t time_ns;
};

/* One direction's running state. Zero is the initial state. */
struct ww_account_dir {
	unsigned record_count;
	unsigned records_seen; /* index of the next one */
	struct ww_account_record records[WW_RECORDS_WALKED_MAX];
	uint64_t calls;
	uint64_t plaintext; /* bytes of all calls */
	uint64_t captured;
	uint64_t records_min; /* of the calls */
	uint64_t records_max;
	uint32_t first_call_bytes; /* the first call's share of its first record */
	bool first_exact;          /* that share is the whole record */
	bool open;                 /* the last read may have left its record unfinished */
	bool calls_lost;
	bool records_lost; /* some of those that are walked */
};

void ww_account_add_record(struct ww_account_dir *d, const struct ww_event_record *ev);

/* One TLS call of `bytes` plaintext bytes; requested is the caller's buffer for reads. */
void ww_account_add_call(struct ww_account_dir *d, enum ww_dir dir, uint32_t bytes,
			 uint32_t requested);

/* Framing bytes per application record, 0 when the suite is not known here. */
unsigned ww_account_framing(uint16_t version, uint16_t cipher);

/* Computes f->account[] from both directions, the counters in f and the hello facts. walk_exact:
 * the kernel never lost its place. */
void ww_account_close(struct ww_flow *f, const struct ww_account_dir dirs[2], bool walk_exact);
